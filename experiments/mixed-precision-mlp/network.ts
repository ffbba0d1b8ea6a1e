/**
 * The perceptron of mixed-precision-mlp.ts on devices, its twin in floating point, and what is done to them: variants,
 * learning, ageing.
 */
import type { DigitSets, LabelledImages } from "../../datasets/mnist.ts";
import { pcm } from "../../models/pcm.ts";
import {
  ConfigError,
  classify,
  dense,
  device,
  differentialPair,
  type Estimate,
  type Examples,
  type Hardware,
  type Layer,
  type Model,
  proportion,
  quantity,
  type OnlineNetwork,
  onlineNetwork,
  shuffled,
  sigmoid,
  type Time,
  trainOnline,
} from "../../src/index.ts";

const classes = 10;
const pixelScale = 1 / 255;

/** What one network and its twin are made of and taught. */
export interface Setting {
  readonly hidden: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly learningRateEnd: number;
  readonly loss: string;
  readonly deviceParameters: readonly string[];
  readonly startMean: string;
  readonly startSd: string;
  readonly unit: string;
  readonly epsilon: string;
  readonly chi: boolean;
  readonly dacBits: number;
  readonly adcBits: number;
  readonly adcRange: readonly number[];
  readonly refreshEvery: number;
  readonly refreshAbove: string;
  readonly refreshBelow: string;
  readonly refreshPulses: number;
  readonly exampleTime: Time;
  readonly ages: readonly string[];
}

type Change = (setting: Setting) => Partial<Setting>;

const parameters =
  (...more: string[]): Change =>
  ({ deviceParameters }) => ({ deviceParameters: [...deviceParameters, ...more] });
const scaled =
  (factor: number): Change =>
  ({ epsilon }) => ({ epsilon: `${factor * quantity(epsilon, "S")} S` });

const linear = ["m1=0", "c1=0.77 uS", "A1=0 S"];
const noWriteNoise = ["m2=0", "c2=0 S", "A2=0 S"];
const noReadNoise = ["m3=0", "c3=0 S"];

/** Each changes one thing: the ablations of the non-idealities, and what the method needs or does not. */
export const changes: Readonly<Record<string, Change>> = {
  "as set": () => ({}),
  "constant rate": ({ learningRate }) => ({ learningRateEnd: learningRate }),
  "linear update": parameters(...linear),
  "no write noise": parameters(...noWriteNoise),
  "no read noise": parameters(...noReadNoise),
  "no drift": parameters("nuMean=0"),
  "drift while training": () => ({ exampleTime: "1 ms" }),
  "no converters": () => ({ dacBits: 0, adcBits: 0 }),
  "none of these": (setting) => ({
    ...parameters(...linear, ...noWriteNoise, ...noReadNoise, "nuMean=0", "Gmax=1 S")(setting),
    dacBits: 0,
    adcBits: 0,
    refreshEvery: 0,
  }),
  "no refresh": () => ({ refreshEvery: 0 }),
  "no chi": () => ({ chi: false }),
  "half epsilon": scaled(0.5),
  "twice epsilon": scaled(2),
  "cross-entropy": ({ learningRate, learningRateEnd }) => ({
    loss: "cross-entropy",
    learningRate: learningRate / 4,
    learningRateEnd: learningRateEnd / 4,
  }),
  "drift spread 0.01": parameters("nuSd=0.01"),
  "drift spread 0.04": parameters("nuSd=0.04"),
  ...Object.fromEntries(
    [2, 3, 4, 5, 6, 7].map((bits) => [`${bits} bits`, () => ({ dacBits: bits, adcBits: bits })]),
  ),
};

/** The device with parameters of its own, as it is when training begins: one SET pulse after its last RESET. */
function deviceOf({ deviceParameters, startMean, startSd }: Setting): Model<"device"> {
  const { definition } = pcm;
  const start = device({
    ...definition,
    initial: {
      ...definition.initial,
      G: "clip(Gstart + GstartSd * randn(), Gmin, Gmax)",
      P: "exp(-1 / alpha)",
    },
    parameters: { ...definition.parameters, Gstart: startMean, GstartSd: startSd },
  });
  const values = deviceParameters.map((text): [string, string | number] => {
    const [name, value] = text.split("=").map((part) => part.trim());
    if (!value) throw new ConfigError(`a device parameter is "name=value", not ${JSON.stringify(text)}`);
    return [name, Number.isNaN(Number(value)) ? value : Number(value)];
  });
  return start.with(Object.fromEntries(values));
}

function hardwareOf(setting: Setting): Hardware {
  const { dacBits, adcBits, adcRange, refreshEvery, refreshPulses, exampleTime } = setting;
  const refresh = { above: setting.refreshAbove, difference: setting.refreshBelow };
  return {
    weights: differentialPair(deviceOf(setting), {
      weightPerConductance: `${1 / quantity(setting.unit, "S")} 1/S`,
      step: setting.epsilon,
      accumulate: setting.chi,
      ...(refreshEvery > 0 && { refresh }),
    }),
    ...(dacBits > 0 && { dacBits }),
    ...(adcBits > 0 && { adcBits }),
    adcRange,
    ...(refreshEvery > 0 && { refreshEvery }),
    refreshPulses,
    exampleTime,
  };
}

function lossOf({ loss }: Setting): "squared error" | "cross-entropy" {
  if (loss === "squared error" || loss === "cross-entropy") return loss;
  throw new ConfigError(`loss is "squared error" or "cross-entropy", not ${JSON.stringify(loss)}`);
}

interface Sets {
  readonly train: Examples;
  readonly test: Examples;
}

const part = ({ images, labels, rows, columns }: LabelledImages, from: number, to: number): Examples => ({
  inputs: images.subarray(from * rows * columns, to * rows * columns),
  labels: labels.subarray(from, to),
  scale: pixelScale,
});

/** The digits of one replicate: the same for all, or drawn anew from the first of the training part. */
export function setsOf(
  { train: learnt, test }: DigitSets,
  o: { readonly images: number; readonly tests: number; readonly random: boolean; readonly seed: string },
): Sets {
  const { images, tests } = o;
  if (!o.random) return { train: part(learnt, 0, images), test: part(test, 0, Math.min(tests, test.size)) };
  const all = shuffled(part(learnt, 0, images + tests), `${o.seed}/split`);
  const area = learnt.rows * learnt.columns;
  const cut = (from: number, to: number): Examples => ({
    inputs: all.inputs.subarray(from * area, to * area),
    labels: Array.from(all.labels).slice(from, to),
    scale: pixelScale,
  });
  return { train: cut(0, images), test: cut(images, images + tests) };
}

export interface Pass {
  readonly signal: AbortSignal;
  /** How far the network is, 0 to 1, and what it does. */
  readonly progress: (fraction: number, what: string) => void;
}

/** Test examples named rightly. */
async function hitsOf(network: OnlineNetwork, { test }: Sets): Promise<Estimate> {
  const named = await classify(network, test);
  const hits = named.reduce((sum, guess, k) => sum + (guess === test.labels[k] ? 1 : 0), 0);
  return proportion(hits, named.length);
}

/** Of all crossbars of a network: pulses by name, those by which weights learnt, pairs refreshed. */
function useOf({ crossbars }: OnlineNetwork) {
  const pulses: Record<string, number> = {};
  let [updates, refreshed] = [0, 0];
  for (const { use } of crossbars) {
    for (const [name, count] of Object.entries(use.pulses)) pulses[name] = (pulses[name] ?? 0) + count;
    updates += use.updates;
    refreshed += use.refreshed;
  }
  return { pulses, updates, refreshed };
}

export interface Epoch {
  readonly accuracy: Estimate;
  readonly updates: number; // pulses for an example
  readonly refreshed: number; // pairs for 100 examples
}

/** Epochs of one network; fewer when interrupted. */
async function teach(
  network: OnlineNetwork,
  sets: Sets,
  { setting, seed, pass }: { readonly setting: Setting; readonly seed: string; readonly pass: Pass },
): Promise<Epoch[]> {
  const { epochs, learningRate, learningRateEnd } = setting;
  const curve: Epoch[] = [];
  for (let epoch = 0; epoch < epochs && !pass.signal.aborted; epoch++) {
    const rate = learningRate * (learningRateEnd / learningRate) ** (epoch / Math.max(1, epochs - 1));
    const before = useOf(network);
    const { examples } = await trainOnline(network, sets.train, {
      learningRate: rate,
      seed: `${seed}/epoch ${epoch}`,
      signal: pass.signal,
      progress: (done) =>
        pass.progress((epoch + done / sets.train.labels.length) / epochs, `epoch ${epoch + 1}`),
    });
    if (examples === 0) break;
    const { updates, refreshed } = useOf(network);
    curve.push({
      accuracy: await hitsOf(network, sets),
      updates: (updates - before.updates) / examples,
      refreshed: (100 * (refreshed - before.refreshed)) / examples,
    });
  }
  return curve;
}

/** Accuracy at ages since the last example, without and with a factor for each layer: its summed reads at first over now. */
async function retentionOf(network: OnlineNetwork, sets: Sets, ages: readonly string[]) {
  const sums = () =>
    network.crossbars.map((crossbar) => crossbar.conductances().reduce((sum, G) => sum + G, 0));
  const points: { age: number; plain: Estimate; scaled: Estimate }[] = [];
  let [now, first] = [0, [] as number[]];
  for (const age of ages.map((text) => quantity(text, "s")).sort((a, b) => a - b)) {
    network.wait(`${age - now} s`);
    now = age;
    const plain = await hitsOf(network, sets);
    const current = sums();
    if (first.length === 0) first = current;
    for (const [k, crossbar] of network.crossbars.entries()) crossbar.scaleWeights(first[k] / current[k]);
    points.push({ age, plain, scaled: await hitsOf(network, sets) });
    for (const crossbar of network.crossbars) crossbar.scaleWeights(1);
  }
  return points;
}

export interface Trained {
  readonly curve: readonly Epoch[];
  readonly twin: readonly Epoch[];
  readonly use: ReturnType<typeof useOf>;
  readonly retention: Awaited<ReturnType<typeof retentionOf>>;
  readonly conductances: readonly Float64Array[];
  readonly weights: number;
}

/** Twins in floating point by what makes them: variants of devices share them. */
export type Twins = Map<string, readonly Epoch[]>;

/** Of the time of a network and its twin, what the twin takes. */
const twinShare = 0.3;

/** One network on devices and its twin. Undefined when interrupted before either was tested. */
export async function replicate(
  setting: Setting,
  sets: Sets,
  o: { readonly seed: string; readonly pass: Pass; readonly twins: Twins },
): Promise<Trained | undefined> {
  const { seed, pass, twins } = o;
  const loss = lossOf(setting);
  const pixels = sets.train.inputs.length / sets.train.labels.length;
  const { hidden, epochs, learningRate, learningRateEnd, ages, startMean, startSd, unit } = setting;
  const layers: Layer[] = [dense(pixels, hidden), sigmoid(), dense(hidden, classes)];
  if (loss === "squared error") layers.push(sigmoid());
  const network = await onlineNetwork(layers, { seed, loss, hardware: hardwareOf(setting) });
  const made = [hidden, epochs, learningRate, learningRateEnd, startMean, startSd, unit];
  const key = JSON.stringify([seed, loss, ...made]);
  let twin = twins.get(key);
  if (!twin) {
    const floating = await onlineNetwork(layers, { seed, loss });
    floating.setWeights(network.weights());
    const progress: Pass["progress"] = (f, what) => pass.progress(twinShare * f, `floating point, ${what}`);
    twin = await teach(floating, sets, { setting, seed, pass: { ...pass, progress } });
    if (pass.signal.aborted) return undefined;
    twins.set(key, twin);
  }
  const progress: Pass["progress"] = (f, what) => pass.progress(twinShare + (1 - twinShare) * f, what);
  const curve = await teach(network, sets, { setting, seed, pass: { ...pass, progress } });
  if (curve.length === 0) return undefined;
  const use = useOf(network);
  const conductances = network.crossbars.map((crossbar) => crossbar.conductances({ noise: false }));
  const weights = network.weights().reduce((sum, { length }) => sum + length, 0);
  const retention = pass.signal.aborted ? [] : await retentionOf(network, sets, ages);
  return { curve, twin, use, retention, conductances, weights };
}
