/** Hardware-aware training of ResNet-32: what a year of drift costs with and without it. */
import { readNetworks } from "../datasets/weights.ts";
import { resnet } from "../models/resnet.ts";
import {
  augment,
  ConfigError,
  cosine,
  crop,
  cutout,
  experiment,
  flip,
  type Result,
  sgd,
  type Time,
} from "../src/index.ts";
import { bothWays, chipDescriptions } from "./hardware-aware/chips.ts";
import { pictures } from "./hardware-aware/pictures.ts";
import { errorFigure, type Found, study, tableMetrics, tableOf } from "./hardware-aware/study.ts";

const { dropConnect: _, ...chipTexts } = chipDescriptions;
const compensations = ["global", "column", "none"] as const;

function compensationOf(word: string) {
  const known = compensations.find((one) => one === word);
  if (!known)
    throw new ConfigError(`driftCompensation is ${compensations.join(", ")}, not ${JSON.stringify(word)}`);
  return known;
}

export default experiment({
  name: "hwa-resnet32",
  question:
    "How much of what a convolutional network loses on PCM crossbars does training for them win back, up to a year later?",
  source: "Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4, tables 4.1 to 4.3",
  parameters: {
    data: "cifar10",
    images: 10000,
    tests: 1000,
    blocks: 5,
    epochs: 12,
    learningRate: 0.1,
    batch: 50,
    awareEpochs: 6,
    awareRate: 0.02,
    noise: 3,
    rampSteps: 400,
    remapEvery: 0,
    device: "pcm",
    chips: 3,
    ages: ["1 s", "1 h", "1 day", "1 year"],
    driftCompensation: "global",
    weights: "",
    fused: false,
  },
  quick: {
    data: "shapes",
    images: 200,
    tests: 30,
    blocks: 1,
    epochs: 4,
    learningRate: 0.05,
    batch: 20,
    awareEpochs: 1,
    rampSteps: 5,
    chips: 1,
    ages: ["1 h"],
  },
  describe: {
    data: '"cifar10", of which the training pictures that are present are used, or "shapes", made pictures',
    images: "pictures to learn from",
    tests: "pictures to test on",
    blocks: "of each of the three stages; ResNet-32 has 5",
    epochs: "passes over the pictures in floating point",
    learningRate: "of stochastic gradient descent with Nesterov's momentum 0.9; it falls along half a cosine",
    batch: "pictures of a step",
    ...chipTexts,
    remapEvery: "steps from one mapping of weights to conductances to the next; 0 for one mapping",
    driftCompensation: '"global", one factor for each tile, "column", or "none"',
  },
  metrics: { ...tableMetrics, pictures: "to learn from, and to test on" },

  async run(given, context) {
    const { blocks, batch, epochs, weights } = given;
    const ages = given.ages as readonly Time[];
    const data = await pictures(given.data, { ...given, seed: context.seed });
    const [height] = data.inputs;
    const chance = 0.1;
    const depth = 6 * blocks + 2;
    const result = (found: Found): Result => ({
      metrics: {
        ...tableOf(found, { chance, direct: "as it is" }),
        pictures: { data: given.data, train: data.train.labels.length, test: data.test.labels.length },
      },
      figures:
        found.cases.length > 0
          ? { error: errorFigure(found, `ResNet-${depth} on ${given.device} chips`) }
          : {},
      networks: found.networks,
    });
    const descent = (rate: number, warmUp: number) =>
      sgd({
        learningRate: cosine(rate, { warmUp }),
        momentum: 0.9,
        nesterov: true,
        weightDecay: 5e-4,
      });
    const found = await study(
      {
        ...data,
        layers: resnet({ n: blocks }),
        chance,
        change: augment([crop(4), flip(), cutout(height / 4)], { shape: data.inputs, seed: context.seed }),
      },
      {
        floating: { epochs, batch, optimizer: descent(given.learningRate, 0.1) },
        cases: bothWays(
          { ...given, ages, driftCompensation: compensationOf(given.driftCompensation) },
          { epochs: given.awareEpochs, batch, optimizer: descent(given.awareRate, 0.05) },
          data.train.labels.length,
        ),
        fused: given.fused,
        threads: context.threads,
        seed: context.seed,
        known: weights ? await readNetworks(weights) : undefined,
      },
      { ...context, partial: (some) => context.partial(result(some)) },
    );
    return result(found);
  },
});
