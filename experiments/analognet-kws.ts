/** Keywords on one PCM crossbar: what converters of few bits and days of drift cost. */
import { readNetworks, shippedNetwork } from "../datasets/weights.ts";
import { analognetKws } from "../models/analognet.ts";
import { experiment, type LookOptions, type Result, type State, type Time } from "../src/index.ts";
import { analognetTexts, casesByBits, descent } from "./hardware-aware/analognets.ts";
import { keywordShape, keywords } from "./hardware-aware/keywords.ts";
import {
  errorFigure,
  type Found,
  networkName,
  study,
  tableMetrics,
  tableOf,
} from "./hardware-aware/study.ts";

/** Networks of an earlier run, or those that ship. */
async function knownNetworks(place: string): Promise<Record<string, State> | undefined> {
  if (place !== "shipped") return place ? readNetworks(place) : undefined;
  return {
    floating: await shippedNetwork("analognet-kws-floating"),
    [networkName("8 bits, trained for it")]: await shippedNetwork("analognet-kws-8-bits"),
  };
}

export default experiment({
  name: "analognet-kws",
  question:
    "How well does a keyword network on one PCM crossbar name words after a day of drift, with converters of 8, 6 and 4 bits?",
  source: "Zhou et al. 2021, arXiv:2111.06503 (AnalogNets); PCM of Joshi et al. 2020, Nat. Commun. 11:2473",
  parameters: {
    data: "speech-commands",
    epochs: 30,
    learningRate: 0.05,
    batch: 100,
    awareEpochs: 8,
    awareRate: 0.01,
    bits: [8, 6, 4],
    noise: 0.1,
    clip: 2,
    gain: 0,
    rangeBatches: 10,
    chips: 10,
    ages: ["25 s", "1 h", "1 day", "30 days", "1 year"],
    driftCompensation: "global",
    weights: "",
    fused: false,
  },
  quick: {
    data: "sample",
    batch: 30,
    bits: [8],
    rangeBatches: 2,
    chips: 2,
    ages: ["1 day", "1 year"],
    weights: "shipped",
  },
  describe: {
    data: '"speech-commands", the training part that is present, or "sample", features of 20 clips a class that ship with the program',
    ...analognetTexts,
    batch: "clips of a step",
    driftCompensation:
      '"global", one factor for each layer; "gain", and the ADC\'s gain follows the drift of the array; "column" or "none"',
    weights:
      '"shipped", folder of an earlier run, whose networks are taken over, or a .safetensors file with one in floating point',
  },
  metrics: {
    ...tableMetrics,
    split: "whose clips these are",
    drop: "what is lost of the accuracy in floating point at each age (%)",
  },

  async run(given, context) {
    const { batch, weights } = given;
    const ages = given.ages as readonly Time[];
    const driftCompensation = given.driftCompensation as LookOptions["driftCompensation"];
    const { split, ...data } = await keywords(given.data, context.seed);
    const cases = casesByBits({ ...given, ages, driftCompensation });
    const chance = 1 / 12;
    const result = (found: Found): Result => ({
      metrics: {
        ...tableOf(found, { chance }),
        drop: Object.fromEntries(
          found.cases.map(({ name, accuracy }) => [
            name,
            accuracy.map(({ mean }) => 100 * ((found.floating ?? Number.NaN) - mean)),
          ]),
        ),
        split,
      },
      figures: found.cases.length > 0 ? { error: errorFigure(found, "AnalogNet-KWS on a PCM crossbar") } : {},
      networks: found.networks,
    });
    const found = await study(
      { ...data, layers: analognetKws(), inputs: keywordShape, chance },
      {
        floating: { epochs: given.epochs, batch, optimizer: descent(given.learningRate) },
        cases,
        seed: context.seed,
        fused: given.fused,
        threads: context.threads,
        known: await knownNetworks(weights),
      },
      { ...context, partial: (some) => context.partial(result(some)) },
    );
    return result(found);
  },
});
