/** Is there a person in the picture, on one PCM crossbar: a stand-in for AnalogNet-VWW with converters of few bits, over a year. */
import { readNetworks } from "../datasets/weights.ts";
import { analognetVww } from "../models/analognet.ts";
import { type Estimate, experiment, type Result, type Time } from "../src/index.ts";
import { analognetTexts, casesByBits, descent } from "./hardware-aware/analognets.ts";
import { persons } from "./hardware-aware/persons.ts";
import { errorFigure, type Found, study, tableMetrics, tableOf } from "./hardware-aware/study.ts";

/** What an accuracy on chips lacks of that in floating point, in points. */
const lost = ({ mean, standardError, interval95: [low, high], n }: Estimate, floating: number): Estimate => ({
  mean: 100 * (floating - mean),
  standardError: 100 * standardError,
  interval95: [100 * (floating - high), 100 * (floating - low)],
  n,
});

export default experiment({
  name: "analognet-vww",
  question:
    "How well does a network of the size of AnalogNet-VWW (its layers are a stand-in) see persons after a day of drift on one PCM crossbar, with converters of 8, 6 and 4 bits?",
  source:
    "Zhou et al. 2021, arXiv:2111.06503 (AnalogNets); Visual Wake Words of Chowdhery et al. 2019, arXiv:1906.05721; PCM of Joshi et al. 2020, Nat. Commun. 11:2473",
  parameters: {
    data: "visual-wake-words",
    side: 100,
    images: 0,
    tests: 0,
    epochs: 30,
    learningRate: 0.05,
    batch: 50,
    awareEpochs: 8,
    awareRate: 0.01,
    bits: [8, 6, 4],
    noise: 0.1,
    clip: 2,
    gain: 0,
    rangeBatches: 10,
    chips: 10,
    ages: ["25 s", "1 h", "1 day", "30 days", "1 year"],
    weights: "",
    fused: false,
  },
  quick: {
    data: "shapes",
    side: 24,
    images: 300,
    tests: 100,
    epochs: 4,
    learningRate: 0.02,
    batch: 10,
    awareEpochs: 1,
    bits: [8],
    rangeBatches: 5,
    chips: 2,
    ages: ["1 day"],
  },
  describe: {
    data: '"visual-wake-words", the user\'s own; or stand-ins: "cifar10", animals or vehicles, or "shapes", made pictures of rings or other shapes',
    side: "pixels of height and width of the grey pictures; cycles and energy of the stand-in are those of 100",
    images: "pictures to learn from, 0 for all that are here",
    tests: "pictures to be tested on, 0 for all that are here",
    ...analognetTexts,
    batch: "pictures of a step",
    weights:
      "folder of an earlier run, whose networks are taken over, or a .safetensors file with one in floating point",
  },
  metrics: {
    ...tableMetrics,
    split:
      "whose pictures these are, and how many; other pictures than photographs of persons are a stand-in",
    drop: "what is lost of the accuracy in floating point at each age (points)",
  },

  async run(given, context) {
    const { batch, side, weights } = given;
    const ages = given.ages as readonly Time[];
    const { split, ...data } = await persons(given.data, {
      side,
      counts: { train: given.images, test: given.tests },
      seed: context.seed,
      signal: context.signal,
      reading: (part) => context.progress(0, `reading pictures, ${Math.round(100 * part)} %`),
    });
    const cases = casesByBits({ ...given, ages });
    const result = (found: Found): Result => ({
      metrics: {
        ...tableOf(found, data),
        drop: found.cases.flatMap(({ name, accuracy }) =>
          accuracy.map((one, k) => ({
            case: name,
            age: ages[k],
            points: lost(one, found.floating as number),
          })),
        ),
        split,
      },
      figures:
        found.cases.length > 0
          ? { error: errorFigure(found, "A stand-in for AnalogNet-VWW on a PCM crossbar") }
          : {},
      networks: found.networks,
    });
    const found = await study(
      { ...data, layers: analognetVww() },
      {
        floating: { epochs: given.epochs, batch, optimizer: descent(given.learningRate) },
        cases,
        seed: context.seed,
        fused: given.fused,
        threads: context.threads,
        known: weights ? await readNetworks(weights) : undefined,
      },
      { ...context, partial: (some) => context.partial(result(some)) },
    );
    return result(found);
  },
});
