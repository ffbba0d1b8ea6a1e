/** Keywords on one PCM crossbar: what converters of few bits and days of drift cost. */
import { readNetworks, shippedNetwork } from "../datasets/weights.ts";
import { analognetKws } from "../models/analognet.ts";
import { experiment, type LookOptions, type Result, type State, type Time } from "../src/index.ts";
import { analognetArray, analognetMapping, descent, firstGain } from "./hardware-aware/analognets.ts";
import { keywordShape, keywords } from "./hardware-aware/keywords.ts";
import {
  type Case,
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
    epochs: "passes in floating point",
    learningRate: "of stochastic gradient descent with momentum 0.9; it falls along half a cosine",
    batch: "clips of a step",
    awareEpochs: "passes of training for the crossbar, which starts from the weights in floating point",
    awareRate: "its learning rate",
    bits: "bits of both converters, one case each",
    noise:
      "standard deviation of the noise on weights in training for the crossbar, over the largest weight of a layer",
    clip: "weights of a layer are clipped at so many of their standard deviations",
    gain: "full inputs on full weights that reach the end of the ADC, the same for all layers; 0 to learn it",
    rangeBatches: "batches over which input ranges and the gain are looked for before they are learnt",
    chips: "programmings of each case",
    ages: "times after programming",
    driftCompensation:
      '"global", one factor for each layer; "gain", and the ADC\'s gain follows the drift of the array; "column" or "none"',
    weights:
      '"shipped", folder of an earlier run, whose networks are taken over, or a .safetensors file with one in floating point',
    fused: "fuse products and sums: a third faster, and other bits on other machines",
  },
  metrics: {
    ...tableMetrics,
    split: "whose clips these are",
    drop: "what is lost of the accuracy in floating point at each age (%)",
  },

  async run(given, context) {
    const { batch, bits, chips, clip, gain, noise, weights } = given;
    const ages = given.ages as readonly Time[];
    const driftCompensation = given.driftCompensation as LookOptions["driftCompensation"];
    const { split, ...data } = await keywords(given.data, context.seed);
    const mapping = analognetMapping({ rangeBatches: given.rangeBatches, gain });
    const cases = bits.flatMap((width): Case[] => {
      const array = analognetArray(width, gain || firstGain);
      return [
        { name: `${width} bits, as it is`, mapping, tile: array, ages, chips, driftCompensation },
        {
          name: `${width} bits, trained for it`,
          mapping: { ...mapping, clipSigmas: clip },
          training: {
            epochs: given.awareEpochs,
            batch,
            optimizer: descent(given.awareRate),
            noise: "constant",
            noiseScale: noise,
            tile: array,
          },
          tile: array,
          ages,
          chips,
          driftCompensation,
        },
      ];
    });
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
