/**
 * Handwritten digits made by a network that learns against another, the weights of either or both pairs of phase-change devices.
 *
 * Both are perceptrons. As mixed-precision-cnn: changes of a batch gather in numbers beside the devices. How good the digits are
 * is told by the Fréchet distance between made and real test digits in features of a classifier: the outputs of the hidden
 * layer of a perceptron that learns to name the same real digits first, in floating point, once for a seed. The distance is
 * ours: figures of other classifiers, such as Inception, cannot be put beside it.
 */
import { digitSets } from "../datasets/mnist.ts";
import {
  adam,
  augment,
  ConfigError,
  cosine,
  dense,
  deviceMatrices,
  devicesOf,
  type Estimate,
  estimate,
  evaluate,
  experiment,
  type Figure,
  frechetDistance,
  gaussianNoise,
  imagePlot,
  linePlot,
  predict,
  type Result,
  type Sequential,
  sequential,
  tanh,
  train,
} from "../src/index.ts";
import {
  type Adversaries,
  adversaries,
  compete,
  imagine,
  type Noise,
} from "./mixed-precision/adversaries.ts";
import { type Energy, energyOf, workOf } from "./mixed-precision/energy.ts";
import {
  changed,
  type DeviceSetting,
  deviceDefaults,
  deviceTexts,
  hardwareOf,
} from "./mixed-precision/hardware.ts";

/** Which of the two networks are on devices, and whether changes gather. */
const kinds = {
  "floating point": { on: [], chi: true },
  both: { on: ["generator", "discriminator"], chi: true },
  "generator alone": { on: ["generator"], chi: true },
  "discriminator alone": { on: ["discriminator"], chi: true },
  "both without chi": { on: ["generator", "discriminator"], chi: false },
} as const satisfies Record<string, { on: readonly (keyof Adversaries)[]; chi: boolean }>;
type Kind = keyof typeof kinds;
const isKind = (name: string): name is Kind => Object.hasOwn(kinds, name);

/** What tells how far made digits are from real ones. */
interface Judge {
  /** Share of test digits that the classifier names rightly. */
  readonly accuracy: number;
  /** From the test digits. */
  readonly distance: (images: Float32Array) => number;
  /** Of as many real digits that are not test digits. */
  readonly real: number;
}

async function judgeOf(
  learnt: { readonly inputs: Float32Array; readonly labels: Uint8Array },
  tested: { readonly inputs: Float32Array; readonly labels: Uint8Array },
  o: {
    readonly features: number;
    readonly epochs: number;
    readonly samples: number;
    readonly seed: string;
    readonly signal: AbortSignal;
  },
): Promise<Judge> {
  const { features, seed, signal, samples } = o;
  const pixels = learnt.inputs.length / learnt.labels.length;
  const hidden = [dense(pixels, features), tanh()];
  const options = { inputs: [pixels], batch: 20, seed: `${seed}/classifier`, memory: 0.1 };
  const classifier = await sequential([...hidden, dense(features, 10)], options);
  await train(classifier, learnt, {
    epochs: o.epochs,
    optimizer: adam({ learningRate: 0.003 }),
    seed,
    signal,
  });
  const { accuracy } = await evaluate(classifier, tested);
  const eyes = await sequential(hidden, options);
  const weights = classifier.weights();
  eyes.setWeights({ "0.weights": weights["0.weights"], "0.bias": weights["0.bias"] });
  const test = predict(eyes, tested.inputs);
  const distance = (images: Float32Array) => frechetDistance(predict(eyes, images), test, features);
  const real = distance(learnt.inputs.subarray(0, Math.min(samples, learnt.labels.length) * pixels));
  return { accuracy, distance, real };
}

/** Normal numbers: what `gaussianNoise` adds to nothing. */
const noiseOf =
  (size: number): Noise =>
  (count, seed) => {
    const inputs = new Float32Array(count * size);
    const examples = Uint32Array.from({ length: count }, (_, k) => k);
    augment([gaussianNoise(1)], { shape: [size], seed })({ inputs, examples, epoch: 0 });
    return inputs;
  };

interface Made {
  readonly distances: readonly number[]; // before learning and after each epoch
  readonly images: Float32Array; // some
  readonly pulses: number; // for an image
  readonly refreshed: number; // pairs for 100 images
  readonly energy: Energy | undefined;
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const lastOf = ({ distances }: Made): number => distances[distances.length - 1];

export default experiment({
  name: "mixed-precision-gan",
  question:
    "Do two networks that learn against each other on phase-change devices make as good digits as in floating point?",
  source: "Nandakumar et al. 2020, Front. Neurosci. 14:406, doi:10.3389/fnins.2020.00406",
  parameters: {
    data: "mnist",
    images: 20000,
    samples: 5000,
    noise: 32,
    generator: [128, 256],
    discriminator: [128],
    features: 32,
    classifierEpochs: 3,
    batch: 20,
    epochs: 5,
    learningRate: 0.001,
    learningRateEnd: 0.0003,
    beta1: 0.5,
    realTarget: 0.9,
    gain: 7,
    ...deviceDefaults,
    adcRange: [8, 2],
    shown: 40,
    replicates: 2,
    kinds: ["floating point", "both", "both without chi", "generator alone", "discriminator alone"],
  },
  quick: {
    data: "sample",
    images: 100,
    samples: 200,
    noise: 8,
    generator: [48],
    discriminator: [32],
    features: 12,
    classifierEpochs: 20,
    batch: 10,
    epochs: 60,
    shown: 20,
    replicates: 1,
    kinds: ["floating point", "both", "both without chi"],
  },
  describe: {
    data: '"mnist", or "sample" for the 100 + 100 digits that ship with the program',
    images: "real digits to learn from, the first of the training part",
    samples: "made digits that are compared with the test part",
    noise: "normal numbers that a digit is made of",
    generator: "cells of the hidden layers of the network that makes digits",
    discriminator: "cells of the hidden layers of the network that tells real ones from made ones",
    features: "cells of the classifier's hidden layer",
    classifierEpochs: "passes by which it learns",
    batch: "real digits, and as many made ones, in a step",
    epochs: "passes over the real digits",
    learningRate: "of Adam at first, for both networks",
    learningRateEnd: "in the end; between them half a cosine",
    beta1: "of Adam",
    realTarget: "what the discriminator is to say of real digits",
    gain: "weight 1 of the devices, in standard deviations 1 / sqrt(inputs) of each layer",
    ...deviceTexts,
    shown: "made digits in a picture",
    replicates: "pairs of networks of each kind, with their own classifier, devices, noise and order",
    kinds: `any of: ${Object.keys(kinds).join(", ")}`,
  },
  metrics: {
    distance:
      "of digits made by networks that are both on devices, after training; 95 % interval over pairs of networks (1)",
    floatingPoint: "the same in floating point (1)",
    ratio: "of the two, pair by pair (1)",
    untrained: "of digits made before training (1)",
    real: "of real training digits from real test digits, as many as made ones or as there are (1)",
    classifierAccuracy: "test digits that the classifier names rightly (%)",
    pulses: "SET pulses by which weights learn, for a real digit, of both networks (1)",
    refreshed: "pairs refreshed for 100 real digits (1)",
    energy:
      "of both networks and one real digit with its made ones: parts, total, a 32-bit digital design, ratio (J)",
    kinds: "all kinds: distance, its ratio to floating point, programming",
  },

  async run(given, context) {
    const { data, images, samples, shown, replicates, kinds: names, ...setting } = given;
    const {
      noise: size,
      batch,
      epochs,
      learningRate,
      learningRateEnd,
      beta1,
      classifierEpochs: judging,
      features,
    } = setting;
    for (const name of names)
      if (!isKind(name))
        throw new ConfigError(`there is no kind ${name}; there are ${Object.keys(kinds).join(", ")}`);
    const digits = await digitSets(data, { images, heldOut: "test", signal: context.signal });
    const part = (set: typeof digits.train, count: number) => ({
      inputs: Float32Array.from(set.images.subarray(0, count * set.rows * set.columns), (v) => v / 255),
      labels: set.labels.subarray(0, count),
    });
    const learnt = part(digits.train, images);
    const tested = part(digits.test, digits.test.size);
    const { rows, columns } = digits.train;
    const pixels = rows * columns;
    const noise = noiseOf(size);
    const optimizer = adam({ learningRate: cosine(learningRate, { end: learningRateEnd }), beta1 });
    const made = new Map<Kind, Made[]>(names.filter(isKind).map((name) => [name, []]));
    const judges: Judge[] = [];
    const all = made.size * replicates;
    let done = 0;

    /** One pair of networks, from its start, which is that of the devices. */
    async function learn(kind: Kind, seed: string, judge: Judge): Promise<Made | undefined> {
      const { on, chi } = kinds[kind];
      const hardware = (own: DeviceSetting) => deviceMatrices(hardwareOf(own));
      const devices = chi ? setting : changed(setting, "no chi");
      const sizes = { ...setting, pixels };
      const start = await adversaries(sizes, {
        seed,
        matrices: { generator: hardware(devices), discriminator: hardware(devices) },
      });
      const floating = on.length < 2 ? await adversaries(sizes, { seed, matrices: {} }) : start;
      const chosen = (network: keyof Adversaries): Sequential => {
        if ((on as readonly string[]).includes(network)) return start[network];
        floating[network].setWeights(start[network].weights());
        return floating[network];
      };
      const pair = { generator: chosen("generator"), discriminator: chosen("discriminator") };
      const looked = noise(samples, `${seed}/looked at`);
      const look = () => judge.distance(imagine(pair.generator, looked));
      const distances = [look()];
      await compete(pair, learnt.inputs, {
        ...{ epochs, batch, optimizer, noise, realTarget: setting.realTarget, seed, signal: context.signal },
        progress: (fraction) => context.progress((done + fraction) / all, kind),
        onEpoch: () => distances.push(look()),
      });
      if (context.signal.aborted && distances.length === 1) return undefined;
      const matrices = [...devicesOf(pair.generator), ...devicesOf(pair.discriminator)];
      const count = images * Math.max(1, distances.length - 1);
      return {
        distances,
        images: imagine(pair.generator, looked.subarray(0, shown * size)),
        pulses: matrices.reduce((sum, { use }) => sum + use.updates, 0) / count,
        refreshed: (100 * matrices.reduce((sum, { use }) => sum + use.refreshed, 0)) / count,
        energy: matrices.length > 0 ? energyOf(workOf(matrices, count)) : undefined,
      };
    }

    const finish = (): Result => summary(made, judges, { shown, rows, columns, learnt: learnt.inputs });
    for (let r = 0; r < replicates; r++) {
      const seed = `${context.seed}/${r}`;
      const judge = await judgeOf(learnt, tested, {
        ...{ features, epochs: judging, samples, seed, signal: context.signal },
      });
      judges.push(judge);
      for (const [kind, own] of made) {
        const one = context.signal.aborted ? undefined : await learn(kind, seed, judge);
        done++;
        if (!one) continue;
        own.push(one);
        context.log({ kind, seed, distance: lastOf(one), real: judge.real });
        context.partial(finish());
      }
    }
    return finish();
  },
});

function summary(
  made: ReadonlyMap<Kind, readonly Made[]>,
  judges: readonly Judge[],
  o: {
    readonly shown: number;
    readonly rows: number;
    readonly columns: number;
    readonly learnt: Float32Array;
  },
): Result {
  const all = [...made].filter(([, own]) => own.length > 0);
  if (all.length === 0) return { metrics: {} };
  const twin = made.get("floating point") ?? [];
  const distanceOf = (own: readonly Made[]) => estimate(own.map(lastOf));
  const ratioOf = (own: readonly Made[]): Estimate | undefined =>
    twin.length === 0
      ? undefined
      : estimate(own.slice(0, twin.length).map((one, r) => lastOf(one) / lastOf(twin[r])));
  const table = all.map(([kind, own]) => ({
    kind,
    distance: distanceOf(own),
    ratio: ratioOf(own),
    networks: own.length,
    pulses: meanOf(own.map(({ pulses }) => pulses)),
    refreshed: meanOf(own.map(({ refreshed }) => refreshed)),
  }));
  const both = made.get("both") ?? [];
  const energies = both.flatMap(({ energy }) => (energy ? [energy] : []));
  const [first] = all;
  return {
    metrics: {
      ...(both.length > 0 && {
        distance: distanceOf(both),
        ratio: ratioOf(both),
        pulses: meanOf(both.map(({ pulses }) => pulses)),
        refreshed: meanOf(both.map(({ refreshed }) => refreshed)),
      }),
      ...(twin.length > 0 && { floatingPoint: distanceOf(twin) }),
      untrained: estimate(first[1].map(({ distances: [start] }) => start)),
      real: estimate(judges.map(({ real }) => real)),
      classifierAccuracy: 100 * meanOf(judges.map(({ accuracy }) => accuracy)),
      ...(energies.length > 0 && {
        energy: Object.fromEntries(
          Object.keys(energies[0]).map((name) => [
            name,
            meanOf(energies.map((one) => one[name as keyof Energy])),
          ]),
        ),
      }),
      kinds: table,
    },
    figures: figuresOf(all, judges, o),
  };
}

function figuresOf(
  all: readonly (readonly [Kind, readonly Made[]])[],
  judges: readonly Judge[],
  o: {
    readonly shown: number;
    readonly rows: number;
    readonly columns: number;
    readonly learnt: Float32Array;
  },
): Record<string, Figure> {
  const { rows, columns, shown } = o;
  const pixels = rows * columns;
  const curve = (own: readonly Made[]) => {
    const length = Math.min(...own.map(({ distances }) => distances.length));
    return Array.from({ length }, (_, e) => estimate(own.map(({ distances }) => distances[e])));
  };
  const length = Math.max(...all.map(([, own]) => curve(own).length));
  const picture = (images: Float32Array, title: string) =>
    imagePlot(
      Array.from({ length: Math.min(shown, images.length / pixels) }, (_, k) => ({
        ...{ rows, columns, values: images.subarray(k * pixels, (k + 1) * pixels) },
      })),
      { title, valueTitle: "intensity", across: 10, range: [0, 1] },
    );
  return {
    distance: linePlot({
      title: "Distance of made digits from real ones",
      caption:
        "Fréchet distance in features of a classifier; mean over pairs of networks with 95 % interval.",
      series: {
        ...Object.fromEntries(
          all.map(([kind, own]) => {
            const y = curve(own);
            return [kind === "floating point" ? kind : `devices: ${kind}`, { x: y.map((_, e) => e), y }];
          }),
        ),
        "real digits": {
          x: Array.from({ length }, (_, e) => e),
          y: Array.from({ length }, () => estimate(judges.map(({ real }) => real))),
        },
      },
      xTitle: "epoch",
      yTitle: "squared Fréchet distance",
      yLog: true,
    }),
    ...Object.fromEntries(
      all.map(([kind, [one]]) => [
        `digits ${kind}`.replaceAll(" ", "-"),
        picture(
          one.images,
          `Digits made by networks, ${kind === "floating point" ? "" : "devices: "}${kind}`,
        ),
      ]),
    ),
    "digits-real": picture(o.learnt, "Real digits"),
  };
}
