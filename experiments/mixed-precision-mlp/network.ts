/**
 * The perceptron of mixed-precision-mlp.ts on devices, its twin in floating point, and what is done to them: variants,
 * learning, ageing.
 */
import type { DigitSets, LabelledImages } from "../../datasets/mnist.ts";
import {
  ConfigError,
  classify,
  dense,
  type Estimate,
  type Examples,
  type Layer,
  type OnlineNetwork,
  onlineNetwork,
  proportion,
  quantity,
  shuffled,
  sigmoid,
  trainOnline,
} from "../../src/index.ts";
import { percent } from "../cusio2w-mnist.ts";
import type { Epoch, Pair } from "../mixed-precision/comparison.ts";
import { type DeviceSetting, deviceChanges, hardwareOf } from "../mixed-precision/hardware.ts";

const classes = 10;
const pixelScale = 1 / 255;

/** What one network and its twin are made of and taught. */
export interface Setting extends DeviceSetting {
  readonly hidden: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly learningRateEnd: number;
  readonly loss: string;
  readonly ages: readonly string[];
}

type Change = (setting: Setting) => Partial<Setting>;

/** Changes of the devices (mixed-precision/hardware.ts), and of how they are taught. */
export const changes: Readonly<Record<string, Change>> = {
  ...deviceChanges,
  "constant rate": ({ learningRate }) => ({ learningRateEnd: learningRate }),
  "cross-entropy": ({ learningRate, learningRateEnd }) => ({
    loss: "cross-entropy",
    learningRate: learningRate / 4,
    learningRateEnd: learningRateEnd / 4,
  }),
};

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

/** Test examples named rightly, %. */
async function hitsOf(network: OnlineNetwork, { test }: Sets): Promise<Estimate> {
  const named = await classify(network, test);
  const hits = named.reduce((sum, guess, k) => sum + (guess === test.labels[k] ? 1 : 0), 0);
  return percent(proportion(hits, named.length));
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
      score: await hitsOf(network, sets),
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

export interface Trained extends Pair {
  readonly use: ReturnType<typeof useOf>;
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
  const conductances = Object.fromEntries(
    network.crossbars.map((crossbar, k) => [`layer ${k + 1}`, crossbar.conductances({ noise: false })]),
  );
  const weights = network.weights().reduce((sum, { length }) => sum + length, 0);
  const retention = pass.signal.aborted ? [] : await retentionOf(network, sets, ages);
  return { curve, twin, use, retention, conductances, weights };
}
