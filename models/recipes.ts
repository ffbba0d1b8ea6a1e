/**
 * How the eleven networks of Rasch et al. 2023 were trained for chips, by the names of their shapes in networks.ts.
 *
 * As published: stochastic gradient descent with momentum, whose learning rates are those of weights over full conductance,
 * |w| <= 1. For fine-tuning on GLUE values were searched: pairs are the least and the most that were tried.
 */
import {
  type AwareOptions,
  ConfigError,
  cosine,
  type LearningRate,
  sgd,
  stepsDown,
  type TrainOptions,
} from "../src/index.ts";

const published = "Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4, hyper-parameters";

export type Tried = readonly [least: number, most: number];

/** How a learning rate goes. */
export interface Schedule {
  /** A twentieth of it for so long. */
  readonly warmUp?: { readonly epochs: number } | { readonly batches: number };
  /** Epochs at which the rate is multiplied by `factor`; "no gain": after each without a better validation error. */
  readonly at: readonly number[] | "no gain";
  readonly factor: number;
}

export interface Recipe {
  readonly source: string;
  readonly task: string;
  readonly epochs: number | Tried;
  readonly learningRate: number | Tried;
  /** Examples of a step, of all workers together. */
  readonly batch: number;
  /** Each with noise of its own. Default 1. */
  readonly workers?: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Largest length of all gradients together. */
  readonly clip?: number;
  readonly schedule?: Schedule;
  /** Factor of PCM noise on the weights, and batches in which it grows to that. */
  readonly noise: number | Tried;
  readonly rampSteps?: number;
  /** Share of devices that are 0 for a batch. */
  readonly dropConnect: number;
  /** Batches from one mapping of weights to conductances to the next. */
  readonly remapEvery?: number;
  /** Whether scales of outputs are learnt, where that is stated. */
  readonly learnScale?: true;
  readonly irDrop?: false;
  /** Share of activations left out. */
  readonly dropout?: number;
  /** Share of the loss that is the distance from the network in floating point at a temperature. */
  readonly distillation?: { readonly share: number; readonly temperature: number };
  /** Of the training in floating point, where that is described. */
  readonly floating?: {
    readonly epochs: number;
    readonly learningRate: number;
    readonly batch: number;
    readonly schedule: Schedule;
  };
}

const distillation = { share: 0.75, temperature: 10 } as const;

/** After two epochs of a twentieth; the epochs of the two steps are not stated: those of an independent rerun. */
const longSchedule = { warmUp: { epochs: 2 }, at: [300, 500], factor: 0.1 } as const;

/** Networks that start from weights of torchvision. The text has rates from 1e-5 to 2e-5. */
const imagenet = {
  source: published,
  task: "ImageNet",
  epochs: 15,
  learningRate: 4e-5,
  batch: 50,
  workers: 2,
  momentum: 0.99,
  weightDecay: 1e-5,
  schedule: { at: [10], factor: 0.1 },
  noise: 3,
  rampSteps: 50_000,
  dropConnect: 0.001,
  remapEvery: 10_000,
  learnScale: true,
  irDrop: false,
} as const;

const mrpc = {
  source: published,
  task: "MRPC of GLUE, sequences of 128 tokens",
  epochs: 40,
  momentum: 0.95,
  weightDecay: 0,
  clip: 5,
  schedule: { at: [23], factor: 0.1 },
  rampSteps: 1400,
  dropConnect: 0.001,
  learnScale: true,
  irDrop: false,
  dropout: 0,
} as const;

const glue = {
  source: published,
  task: "eight tasks of GLUE, sequences of 128 tokens",
  epochs: [5, 20],
  momentum: 0.9,
  weightDecay: 0,
  noise: [1, 3],
  dropConnect: 0,
} as const;

export const recipes = {
  /** Steps of both stages alike; decay of biases too. Noises of 3, 4, 5 and rates of 2.5e-3, 5e-3, 7.5e-3 were tried. */
  resnet32: {
    source: `${published}; epochs of the steps: a rerun with aihwkit`,
    task: "CIFAR-10: crops, mirrored, cut out",
    epochs: 600,
    learningRate: 7.5e-3,
    batch: 50,
    momentum: 0.9,
    weightDecay: 1e-3,
    schedule: longSchedule,
    noise: 3,
    rampSteps: 20_000,
    dropConnect: 0,
    remapEvery: 500,
    learnScale: true,
    floating: { epochs: 600, learningRate: 0.025, batch: 50, schedule: longSchedule },
  },
  wrn16: {
    source: published,
    task: "CIFAR-100",
    epochs: 80,
    learningRate: 0.02,
    batch: 25,
    momentum: 0.9,
    weightDecay: 1e-3,
    schedule: { warmUp: { batches: 500 }, at: [38, 76], factor: 0.1 },
    noise: 3,
    rampSteps: 40_000,
    dropConnect: 0.01,
    remapEvery: 2000,
    distillation,
  },
  resnet18: imagenet,
  resnet50: imagenet,
  densenet121: imagenet,
  wrn50: { ...imagenet, noise: 4 },
  "bert-base": { ...mrpc, learningRate: 2e-3, batch: 20, noise: 3 },
  "albert-base": { ...mrpc, learningRate: 2.5e-3, batch: 25, noise: 2 },
  "bert-base-glue": { ...glue, learningRate: [5e-5, 1e-3], batch: 5 },
  "albert-base-glue": { ...glue, learningRate: [5e-5, 1.5e-3], batch: 10 },
  /** Input ranges begin at 9. */
  "speech-lstm": {
    source: published,
    task: "SWB300, states of a hidden Markov model",
    epochs: 30,
    learningRate: 5e-3,
    batch: 256,
    workers: 2,
    momentum: 0.9,
    weightDecay: 0,
    clip: 10,
    schedule: { at: [12, 24], factor: 0.1 ** 0.5 },
    noise: 2,
    rampSteps: 10_000,
    dropConnect: 0,
    remapEvery: 2500,
    dropout: 0.1,
    distillation,
  },
  "lstm-ptb": {
    source: published,
    task: "next word of Penn Treebank",
    epochs: 60,
    learningRate: 0.01,
    batch: 20,
    momentum: 0.9,
    weightDecay: 1e-5,
    clip: 10,
    schedule: { at: "no gain", factor: 0.9 },
    noise: 5,
    rampSteps: 1000,
    dropConnect: 0.01,
    learnScale: true,
    dropout: 0.5,
  },
  "rnn-t": {
    source: published,
    task: "SWB, letters",
    epochs: [1, 5],
    learningRate: 1e-3,
    batch: 32,
    workers: 4,
    momentum: 0.9,
    weightDecay: 0,
    clip: 10,
    noise: 1,
    dropConnect: 0,
    learnScale: true,
    irDrop: false,
    dropout: 0.25,
  },
} as const satisfies Readonly<Record<string, Recipe>>;

/**
 * The rate of a recipe as this program has it: a straight rise where the paper holds a twentieth, and half a cosine where it waits for
 * errors that stop falling. `steps`: batches of an epoch.
 */
export function recipeRate(
  rate: number,
  schedule: Schedule | undefined,
  o: { readonly epochs: number; readonly steps: number },
): LearningRate {
  if (!schedule) return rate;
  const { warmUp: first, at, factor } = schedule;
  const risen = !first ? 0 : "epochs" in first ? first.epochs : first.batches / o.steps;
  const warmUp = Math.min(0.5, risen / o.epochs);
  if (at === "no gain") return cosine(rate, { warmUp });
  return stepsDown(rate, { at: at.map((epoch) => epoch / o.epochs), factor, warmUp });
}

/**
 * A recipe as options for `onTiles`, beside a tile, and for `train`, beside a seed, with `examples` to learn from. Throws `ConfigError`
 * for recipes whose values were searched.
 */
export function recipeOptions(
  { epochs, learningRate, noise, ...recipe }: Recipe,
  examples: number,
): {
  readonly tiles: Omit<AwareOptions, "tile">;
  readonly training: Pick<TrainOptions, "epochs" | "batch" | "optimizer">;
} {
  if (typeof epochs !== "number" || typeof learningRate !== "number" || typeof noise !== "number")
    throw new ConfigError("this recipe has no single values: choose epochs, learningRate and noise first");
  const { batch, momentum, weightDecay, clip, rampSteps = 0, dropConnect, remapEvery, learnScale } = recipe;
  const steps = Math.ceil(examples / batch);
  return {
    tiles: {
      noise: "pcm",
      noiseScale: noise,
      rampSteps,
      dropConnect,
      ...(remapEvery ? { remapEvery } : {}),
      ...(learnScale ? { learnScale } : {}),
    },
    training: {
      epochs,
      batch,
      optimizer: sgd({
        learningRate: recipeRate(learningRate, recipe.schedule, { epochs, steps }),
        momentum,
        weightDecay,
        clip,
      }),
    },
  };
}
