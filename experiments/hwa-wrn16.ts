/** Hardware-aware training of WideResNet-16-8, taught by the same network in floating point. */
import { recipes } from "../models/recipes.ts";
import { wideResnet } from "../models/resnet.ts";
import { experiment } from "../src/index.ts";
import {
  onChips,
  pictureDescriptions,
  pictureMetrics,
  pictureParameters,
} from "./hardware-aware/convolutional.ts";

const { wrn16 } = recipes;

export default experiment({
  name: "hwa-wrn16",
  question:
    "How much of what a wide residual network loses on PCM crossbars does training for them win back, with the network in floating point as its teacher?",
  source: "Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4, WideResNet-16",
  parameters: {
    recipe: "",
    widen: 8,
    blocks: 2,
    ...pictureParameters,
    batch: wrn16.batch,
    awareEpochs: 4,
    dropConnect: wrn16.dropConnect,
    distillation: wrn16.distillation.share,
  },
  quick: {
    data: "shapes",
    images: 150,
    tests: 100,
    widen: 1,
    blocks: 1,
    epochs: 10,
    batch: 10,
    awareEpochs: 1,
    rampSteps: 5,
    chips: 1,
    ages: ["1 h"],
  },
  recipes: {
    rasch2023: {
      data: "cifar100",
      images: 0,
      tests: 0,
      widen: 8,
      blocks: 2,
      epochs: wrn16.epochs,
      learningRate: wrn16.learningRate,
      schedule: "steps",
      batch: wrn16.batch,
      nesterov: false,
      weightDecay: wrn16.weightDecay,
      awareEpochs: wrn16.epochs,
      awareRate: wrn16.learningRate,
      noise: wrn16.noise,
      rampSteps: wrn16.rampSteps,
      dropConnect: wrn16.dropConnect,
      remapEvery: wrn16.remapEvery,
      distillation: wrn16.distillation.share,
      chips: 25,
    },
  },
  describe: {
    recipe:
      '"rasch2023": 80 + 80 passes over CIFAR-100 as in the paper, which take weeks; the first 80, in floating point, are ours. What is set beside it counts more',
    widen:
      "channels of the stages over 16, 32, 64; the paper has 8, 11 million weights: a pass over 10,000 pictures takes 20 minutes of one core in floating point and 50 for chips",
    blocks: "of each of the three stages; the paper has 2",
    ...pictureDescriptions,
  },
  metrics: pictureMetrics,
  run: (given, context) =>
    onChips(
      {
        layers: (classes) => wideResnet({ widen: given.widen, n: given.blocks, classes }),
        title: `WideResNet-${6 * given.blocks + 4}-${given.widen}`,
        recipe: wrn16,
      },
      given,
      context,
    ),
});
