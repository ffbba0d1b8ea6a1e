/** Hardware-aware training of ResNet-32: what a year of drift costs with and without it. */
import { recipes } from "../models/recipes.ts";
import { resnet } from "../models/resnet.ts";
import { experiment } from "../src/index.ts";
import {
  onChips,
  pictureDescriptions,
  pictureMetrics,
  pictureParameters,
} from "./hardware-aware/convolutional.ts";

const { resnet32 } = recipes;

export default experiment({
  name: "hwa-resnet32",
  question:
    "How much of what a convolutional network loses on PCM crossbars does training for them win back, up to a year later?",
  source: "Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4, tables 4.1 to 4.3",
  parameters: { recipe: "", blocks: 5, ...pictureParameters },
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
  recipes: {
    rasch2023: {
      images: 0,
      tests: 0,
      blocks: 5,
      epochs: resnet32.floating.epochs,
      learningRate: resnet32.floating.learningRate,
      schedule: "steps",
      batch: resnet32.batch,
      nesterov: false,
      weightDecay: resnet32.weightDecay,
      awareEpochs: resnet32.epochs,
      awareRate: resnet32.learningRate,
      noise: resnet32.noise,
      rampSteps: resnet32.rampSteps,
      dropConnect: resnet32.dropConnect,
      remapEvery: resnet32.remapEvery,
      learnScale: resnet32.learnScale,
      distillation: 0,
      chips: 25,
    },
  },
  describe: {
    recipe:
      '"rasch2023": 600 + 600 passes as in the paper, which take days; what is set beside it counts more',
    blocks: "of each of the three stages; ResNet-32 has 5",
    ...pictureDescriptions,
  },
  metrics: pictureMetrics,
  run: (given, context) =>
    onChips(
      {
        layers: (classes) => resnet({ n: given.blocks, classes }),
        title: `ResNet-${6 * given.blocks + 2}`,
        recipe: resnet32,
      },
      given,
      context,
    ),
});
