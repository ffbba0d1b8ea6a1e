/**
 * Photographs learnt by a convolutional network whose weights are pairs of phase-change devices, changed by blind pulses.
 *
 * As mixed-precision-mlp, in batches: the changes of a batch gather in numbers beside the devices, and whole pulses go to them.
 * Beside it a twin in floating point, and a network without the gathering.
 */
import { type ColourImages, channelMoments, cifar10 } from "../datasets/cifar10.ts";
import { mnistSample } from "../datasets/mnist.ts";
import { shapeImages } from "../datasets/shapes.ts";
import {
  adam,
  augment,
  ConfigError,
  conv2d,
  cosine,
  crop,
  dense,
  evaluate,
  experiment,
  flatten,
  flip,
  type Layer,
  maxPool,
  proportion,
  relu,
  sequential,
  train,
} from "../src/index.ts";
import { percent } from "./cusio2w-mnist.ts";
import { compare, metricTexts, type Task } from "./mixed-precision/comparison.ts";
import { deviceChanges, deviceDefaults, deviceTexts } from "./mixed-precision/hardware.ts";

/** Stages of convolutions, each with pooling behind it, then dense layers. */
function layersOf(o: {
  readonly channels: readonly number[];
  readonly convolutions: number;
  readonly hidden: readonly number[];
  readonly inputs: number;
  readonly side: number;
  readonly classes: number;
}): Layer[] {
  const stages = o.channels.flatMap((outputs) => [
    ...Array.from({ length: o.convolutions }, () => [conv2d(outputs, { kernel: 3 }), relu()]).flat(),
    maxPool(2),
  ]);
  const side = o.side >> o.channels.length;
  if (side < 1)
    throw new ConfigError(`${o.channels.length} stages of pooling leave nothing of ${o.side} lines`);
  const sizes = [side * side * (o.channels.at(-1) ?? o.inputs), ...o.hidden];
  const hidden = o.hidden.flatMap((outputs, k) => [dense(sizes[k], outputs), relu()]);
  return [...stages, flatten(), ...hidden, dense(sizes[sizes.length - 1], o.classes)];
}

async function imagesOf(
  data: string,
  o: { readonly images: number; readonly tests: number; readonly seed: string },
): Promise<{ learnt: ColourImages; tested: ColourImages }> {
  if (data === "cifar10")
    return {
      learnt: await cifar10("train", { limit: o.images }),
      tested: await cifar10("test", { limit: o.tests }),
    };
  if (data === "shapes")
    return {
      learnt: shapeImages("train", { size: o.images, seed: o.seed }),
      tested: shapeImages("test", { size: o.tests, seed: o.seed }),
    };
  if (data === "digits") {
    const digits = async (part: "train" | "test"): Promise<ColourImages> => {
      const set = await mnistSample(part);
      const classes = Array.from({ length: 10 }, (_, k) => String(k));
      const split = `${set.size} ${part} digits of MNIST that ship with the program`;
      return { ...set, height: set.rows, width: set.columns, channels: 1, classes, split };
    };
    return { learnt: await digits("train"), tested: await digits("test") };
  }
  throw new ConfigError(`data is "cifar10", "shapes" or "digits", not ${JSON.stringify(data)}`);
}

export default experiment({
  name: "mixed-precision-cnn",
  question:
    "Does a convolutional network learn photographs on phase-change devices as well as in floating point?",
  source: "Nandakumar et al. 2020, Front. Neurosci. 14:406, doi:10.3389/fnins.2020.00406",
  parameters: {
    data: "cifar10",
    images: 10000,
    tests: 2000,
    augmented: true,
    channels: [16, 32, 64],
    convolutions: 1,
    hidden: [] as number[],
    batch: 20,
    epochs: 10,
    learningRate: 0.003,
    learningRateEnd: 0.001,
    gain: 7,
    ...deviceDefaults,
    adcRange: [8, 1],
    ages: ["38.6 s", "10000 s", "1000000 s"],
    replicates: 2,
    variants: ["as set", "no chi"],
  },
  quick: {
    data: "digits",
    images: 100,
    tests: 100,
    augmented: false,
    channels: [8, 16],
    batch: 5,
    epochs: 20,
    replicates: 1,
  },
  describe: {
    data: '"cifar10", "shapes" for synthetic images, or "digits" for the 100 + 100 of MNIST that ship with the program',
    images: "to learn from, the first of those that are present",
    tests: "to test on, the first",
    augmented: "learn from images moved by up to 4 pixels and mirrored",
    channels: "outputs of the convolutions of each stage, which ends with pooling",
    convolutions: "of 3 x 3 in each stage",
    hidden: "cells of dense layers in front of the last",
    batch: "images whose changes are gathered before pulses are given",
    epochs: "passes over the images",
    learningRate: "of Adam at first",
    learningRateEnd: "in the end; between them half a cosine",
    gain: "weight 1 of the devices, in standard deviations 1 / sqrt(inputs) of each layer",
    ...deviceTexts,
    ages: "times after training at which the network is tested again",
    replicates: "networks of each variant, with their own devices, noise and order",
    variants: `any of: ${Object.keys(deviceChanges).join(", ")}`,
  },
  metrics: {
    ...metricTexts,
    score: `${metricTexts.score} (% of test images named rightly)`,
    split: "what images these are",
  },

  async run(given, context) {
    const { data, images, tests, augmented, replicates, variants, ages, ...setting } = given;
    const { batch, epochs, learningRate, learningRateEnd } = setting;
    const { learnt, tested } = await imagesOf(data, { images, tests, seed: String(context.seed) });
    const { mean, deviation } = channelMoments(learnt);
    const { height: side, channels, classes, size } = learnt;
    const normalised = (set: ColourImages) => ({
      inputs: Float32Array.from(
        set.images,
        (v, k) => (v / 255 - mean[k % channels]) / deviation[k % channels],
      ),
      labels: set.labels,
    });
    const [examples, others] = [normalised(learnt), normalised(tested)];
    const shape = [side, side, channels];
    const layers = layersOf({ ...setting, inputs: channels, side, classes: classes.length });
    const optimizer = adam({ learningRate: cosine(learningRate, { end: learningRateEnd }) });
    const task: Task = {
      build: (seed, matrices) => sequential(layers, { inputs: shape, batch, seed, matrices }),
      learn: (network, { seed, signal, progress, onEpoch }) =>
        train(network, examples, {
          ...{ epochs, optimizer, seed, signal, onEpoch },
          ...(augmented && { change: augment([crop(4), flip()], { shape, seed }) }),
          progress: (done) => progress(done / (size * epochs)),
        }),
      score: async (network) => {
        const { accuracy, rows } = await evaluate(network, others);
        return percent(proportion(Math.round(accuracy * rows), rows));
      },
      examples: size,
      better: "more",
      scoreTitle: "test images named rightly (%)",
    };
    const result = await compare(task, { setting, variants, replicates, ages, context });
    return { ...result, metrics: { ...result.metrics, split: `${learnt.split}; ${tested.split}` } };
  },
});
