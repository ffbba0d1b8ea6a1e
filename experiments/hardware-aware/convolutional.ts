/** Networks for pictures, from learning in floating point to chips: what experiments with such networks have in common. */
import { readNetworks } from "../../datasets/weights.ts";
import { recipeRate, type Schedule } from "../../models/recipes.ts";
import {
  augment,
  ConfigError,
  type Context,
  cosine,
  crop,
  cutout,
  flip,
  type Layer,
  type Result,
  sgd,
  type Time,
} from "../../src/index.ts";
import { type ChipOptions, chipDescriptions, wayNames, waysOntoChips } from "./chips.ts";
import { pictures } from "./pictures.ts";
import { errorFigure, type Found, study, tableMetrics, tableOf } from "./study.ts";

export interface PictureOptions extends Omit<ChipOptions, "ages" | "driftCompensation"> {
  readonly data: string;
  readonly images: number;
  readonly tests: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly schedule: string;
  readonly batch: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly awareEpochs: number;
  readonly awareRate: number;
  readonly ages: readonly string[];
  readonly driftCompensation: string;
  readonly weights: string;
  readonly fused: boolean;
}

/** Values that networks have in common. */
export const pictureParameters = {
  data: "cifar10",
  images: 10000,
  tests: 1000,
  epochs: 12,
  learningRate: 0.1,
  schedule: "cosine",
  batch: 50,
  nesterov: true,
  weightDecay: 5e-4,
  awareEpochs: 6,
  awareRate: 0.02,
  noise: 3,
  rampSteps: 400,
  dropConnect: 0,
  remapEvery: 0,
  clip: 0,
  learnScale: false,
  distillation: 0,
  methods: ["as it is", "trained for chips"],
  device: "pcm",
  chips: 3,
  ages: ["1 s", "1 h", "1 day", "1 year"],
  driftCompensation: "global",
  weights: "",
  fused: false,
} as const;

export const pictureDescriptions = {
  data: '"cifar10" or "cifar100", of which the training pictures that are present are used, or "shapes", made pictures',
  images: "pictures to learn from; 0 for all that are here",
  tests: "pictures to test on; 0 for all that are here",
  epochs: "passes over the pictures in floating point",
  learningRate: "of stochastic gradient descent with momentum 0.9",
  schedule: '"cosine": it falls along half of one; "steps": as in the paper, to a tenth twice',
  batch: "pictures of a step",
  nesterov: "whether momentum is Nesterov's",
  weightDecay: "times the weights, added to their gradients, with and without chips",
  ...chipDescriptions,
  remapEvery: "steps from one mapping of weights to conductances to the next; 0 for one mapping",
  clip: "standard deviations of a layer at which its weights are clipped where they are trained for chips (Joshi et al. 2020: 2 to 2.5); 0 for none",
  learnScale: "whether each output is multiplied by a number that is learnt as well",
  methods: `which ways onto chips: ${wayNames.join(", ")}`,
  driftCompensation: '"global", one factor for each tile, "column", or "none"',
} as const;

export const pictureMetrics = { ...tableMetrics, pictures: "to learn from, and to test on" } as const;

const compensations = ["global", "column", "none"] as const;

function oneOf<W extends string>(name: string, words: readonly W[], asked: string): W {
  const known = words.find((one) => one === asked);
  if (!known) throw new ConfigError(`${name} is ${words.join(", ")}, not ${JSON.stringify(asked)}`);
  return known;
}

/** A network whose last layer has so many classes, with its name, and steps of the learning rate by epochs of a recipe. */
export interface PictureNetwork {
  readonly layers: (classes: number) => readonly Layer[];
  readonly title: string;
  readonly recipe: {
    readonly epochs: number;
    readonly schedule: Schedule;
    readonly floating?: { readonly epochs: number; readonly schedule: Schedule };
  };
}

/** Learns in floating point, goes onto chips by all methods, and tells. Throws `ConfigError`. */
export async function onChips(network: PictureNetwork, o: PictureOptions, context: Context): Promise<Result> {
  const { batch, weights, nesterov, weightDecay } = o;
  const ages = o.ages as readonly Time[];
  const driftCompensation = oneOf("driftCompensation", compensations, o.driftCompensation);
  const schedule = oneOf("schedule", ["cosine", "steps"], o.schedule);
  const { classes, split, ...data } = await pictures(o.data, { ...o, seed: context.seed });
  const chance = 1 / classes;
  const examples = data.train.labels.length;
  const result = (found: Found): Result => ({
    metrics: { ...tableOf(found, { chance, direct: "as it is" }), pictures: split },
    figures:
      found.cases.length > 0 ? { error: errorFigure(found, `${network.title} on ${o.device} chips`) } : {},
    networks: found.networks,
  });
  const descent = (
    rate: number,
    own: Pick<PictureNetwork["recipe"], "epochs" | "schedule">,
    warmUp: number,
  ) =>
    sgd({
      learningRate:
        schedule === "cosine"
          ? cosine(rate, { warmUp })
          : recipeRate(rate, own.schedule, { epochs: own.epochs, steps: Math.ceil(examples / batch) }),
      momentum: 0.9,
      nesterov,
      weightDecay,
    });
  const { recipe } = network;
  const found = await study(
    {
      ...data,
      layers: network.layers(classes),
      chance,
      change: augment([crop(4), flip(), cutout(data.inputs[0] / 4)], {
        shape: data.inputs,
        seed: context.seed,
      }),
    },
    {
      floating: {
        epochs: o.epochs,
        batch,
        optimizer: descent(o.learningRate, recipe.floating ?? recipe, 0.1),
      },
      cases: waysOntoChips(
        { ...o, ages, driftCompensation },
        { epochs: o.awareEpochs, batch, optimizer: descent(o.awareRate, recipe, 0.05) },
        examples,
      ),
      fused: o.fused,
      threads: context.threads,
      seed: context.seed,
      known: weights ? await readNetworks(weights) : undefined,
    },
    { ...context, partial: (some) => context.partial(result(some)) },
  );
  return result(found);
}
