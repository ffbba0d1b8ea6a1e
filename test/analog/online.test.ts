/** Networks of layers: gradients, determinism, what is refused. */
import { describe, expect, test } from "vitest";
import { pcm } from "../../models/pcm.ts";
import {
  type CrossbarUse,
  classify,
  dense,
  differentialPair,
  type Hardware,
  type Layer,
  type OnlineOptions,
  onlineNetwork,
  shuffled,
  sigmoid,
  trainOnline,
} from "../../src/index.ts";
import * as plain from "../tensor/plain.ts";

type Loss = NonNullable<OnlineOptions["loss"]>;

const sizes = [9, 6, 4] as const;
const layers: Record<Loss, Layer[]> = {
  "squared error": [dense(9, 6), sigmoid(), dense(6, 4), sigmoid()],
  "cross-entropy": [dense(9, 6), sigmoid(), dense(6, 4)],
};

/** The loss of one example, in float64 as a reader would write it. */
function lossOf(weights: readonly Float64Array[], x: ArrayLike<number>, label: number, loss: Loss): number {
  let values = Array.from(x);
  weights.forEach((w, k) => {
    const inputs = [...values, 1];
    values = Array.from({ length: sizes[k + 1] }, (_, row) =>
      inputs.reduce((sum, v, c) => sum + w[row * inputs.length + c] * v, 0),
    );
    if (k === 0 || loss === "squared error") values = values.map((v) => 1 / (1 + Math.exp(-v)));
  });
  if (loss === "squared error")
    return values.reduce((sum, y, k) => sum + 0.5 * (y - (k === label ? 1 : 0)) ** 2, 0);
  return Math.log(values.reduce((sum, v) => sum + Math.exp(v - values[label]), 0));
}

test.each(["squared error", "cross-entropy"] as const)(
  "one step down the gradient is that of central differences: %s",
  async (loss) => {
    const network = await onlineNetwork(layers[loss], { seed: 4, loss });
    // weights of several units, so that sigmoids bend
    const start = network.weights().map((w) => w.map((v) => 2 * v));
    network.setWeights(start);
    const x = plain.numbers(9, 7, 0.3);
    const label = 2;
    const rate = 0.5;
    const exact = start.map((w) => Float64Array.from(w));
    expect(network.learn(x, label, { learningRate: rate })).toBeCloseTo(lossOf(exact, x, label, loss), 6);
    const after = network.weights();
    let steepest = 0;
    exact.forEach((w, k) => {
      w.forEach((value, at) => {
        const h = 1e-4; // error h^2 / 6 of a third derivative of order 1: 2e-9
        w[at] = value + h;
        const above = lossOf(exact, x, label, loss);
        w[at] = value - h;
        const slope = (above - lossOf(exact, x, label, loss)) / (2 * h);
        w[at] = value;
        const step = (start[k][at] - after[k][at]) / rate;
        // float32: some roundings of terms of order 1, and of a weight of up to 4
        expect(Math.abs(step - slope)).toBeLessThan(2e-6);
        steepest = Math.max(steepest, Math.abs(slope));
      });
    });
    expect(steepest).toBeGreaterThan(0.02);
  },
);

test("outputs of cross-entropy are shares of 1, and survive large ones", async () => {
  const network = await onlineNetwork([dense(2, 3)], { seed: 1, loss: "cross-entropy" });
  network.setWeights([[200, 0, 0, 0, 0, 0, -200, 0, 0]]);
  expect(Array.from(network.predict([1, 0]))).toEqual([1, 0, 0]);
  const shares = network.predict([0.005, 0]);
  expect(shares[0] + shares[1] + shares[2]).toBeCloseTo(1, 6);
  expect(shares[0] / shares[1]).toBeCloseTo(Math.E, 5);
  // a class whose share is 0 in float32 has a finite loss, and learns
  expect(network.learn([1, 0], 2, { learningRate: 0.1 })).toBe(400);
  expect(network.weights()[0][6]).toBeCloseTo(-199.9, 4);
});

const weights = differentialPair(pcm, {
  weightPerConductance: "0.125 1/uS",
  step: "0.77 uS",
  accumulate: true,
  refresh: { above: "8 uS", difference: "6 uS" },
});

/** Eight noisy patterns of 64 inputs, again and again. */
function patterns(count: number, stream: number) {
  const inputs = new Float32Array(count * 64);
  const labels = Uint8Array.from({ length: count }, (_, k) => k % 8);
  const noise = plain.numbers(count * 64, stream);
  for (let k = 0; k < count; k++)
    for (let c = 0; c < 64; c++)
      inputs[k * 64 + c] = Math.max(
        0,
        ((c * (2 * labels[k] + 3)) % 16 < 5 ? 0.8 : 0) + 0.8 * noise[k * 64 + c],
      );
  return { inputs, labels };
}

const perceptron = [dense(64, 20), sigmoid(), dense(20, 8), sigmoid()];

async function taught(seed: number, hardware?: Hardware, looks = false) {
  const network = await onlineNetwork(perceptron, { seed, hardware });
  const examples = patterns(400, 50);
  const losses: number[] = [];
  for (let pass = 0; pass < 8; pass++) {
    losses.push((await trainOnline(network, examples, { learningRate: 0.4, seed: `${seed}/${pass}` })).loss);
    if (looks) await classify(network, examples);
  }
  const tests = patterns(200, 60);
  const named = await classify(network, tests);
  const right = named.reduce((sum, guess, k) => sum + (guess === tests.labels[k] ? 1 : 0), 0);
  return { network, losses, accuracy: right / 200 };
}

describe("training", () => {
  test("eight patterns are learnt in floating point and on devices; the loss falls", async () => {
    const [floating, devices] = [await taught(1), await taught(1, { weights, dacBits: 8, adcBits: 8 })];
    for (const { losses, accuracy } of [floating, devices]) {
      expect(losses[7]).toBeLessThan(0.5 * losses[0]);
      expect(accuracy).toBeGreaterThan(0.9); // chance: 0.125
    }
    const uses = devices.network.crossbars.map(({ use }) => use);
    const sum = (count: (use: CrossbarUse) => number) => uses.reduce((total, use) => total + count(use), 0);
    const refreshed = sum((use) => use.refreshed);
    expect(refreshed).toBeGreaterThan(0);
    expect(sum((use) => use.pulses["reset"])).toBe(2 * refreshed);
    const again = sum((use) => use.pulses["set"] - use.updates); // at most three for a pair
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThanOrEqual(3 * refreshed);
    for (const use of uses) expect(use.updates).toBeGreaterThan(100);
  });

  test("the same seed gives the same bits, whether or not one looks on the way; another seed others", async () => {
    const bits = async (seed: number, looks: boolean) =>
      (await taught(seed, { weights, adcBits: 8 }, looks)).network.weights();
    const [once, again, other] = [await bits(2, false), await bits(2, true), await bits(3, false)];
    expect(again).toEqual(once);
    expect(other).not.toEqual(once);
  });

  test("a refresh comes after every so many examples", async () => {
    const eager = differentialPair(pcm, {
      weightPerConductance: "0.125 1/uS",
      step: "0.77 uS",
      accumulate: true,
      refresh: { above: "3 uS", difference: "6 uS" },
    });
    const network = await onlineNetwork(perceptron, {
      seed: 1,
      hardware: { weights: eager, refreshEvery: 150 },
    });
    const { inputs, labels } = patterns(300, 50);
    const refreshed = Array.from(labels, (label, k) => {
      network.learn(inputs.subarray(64 * k, 64 * k + 64), label, { learningRate: 0.4 });
      return network.crossbars.reduce((sum, { use }) => sum + use.refreshed, 0);
    });
    expect(refreshed[148]).toBe(0);
    expect(refreshed[149]).toBeGreaterThan(0);
    expect(refreshed[298]).toBe(refreshed[149]);
    expect(refreshed[299]).toBeGreaterThan(refreshed[149]);
  });

  test("devices drift while training in steps of 1,000 examples", async () => {
    const network = await onlineNetwork(perceptron, { seed: 1, hardware: { weights, exampleTime: "1 s" } });
    const examples = patterns(500, 50);
    await trainOnline(network, examples, { learningRate: 0.4, seed: 1 });
    const [first] = network.crossbars;
    const before = first.conductances({ noise: false });
    await trainOnline(network, examples, { learningRate: 1e-9, seed: 2 });
    const drop = (1000 / 38.6) ** -0.04; // the clock stood at 0 until example 1,000
    first.conductances({ noise: false }).forEach((G, k) => {
      expect(G / before[k]).toBeCloseTo(drop, 12);
    });
  });

  test("a pass can be interrupted; progress counts examples", async () => {
    const network = await onlineNetwork(perceptron, { seed: 1 });
    const stop = new AbortController();
    const told: number[] = [];
    const progress = (done: number) => {
      told.push(done);
      if (done === 1000) stop.abort();
    };
    const examples = patterns(2000, 1);
    const pass = await trainOnline(network, examples, {
      learningRate: 0.1,
      seed: 1,
      signal: stop.signal,
      progress,
    });
    expect(pass.examples).toBe(1000);
    expect(told).toEqual([500, 1000]);
    expect((await classify(network, examples, { signal: stop.signal })).length).toBe(0);
  });

  test("examples in random order are the same examples", () => {
    const examples = { ...patterns(40, 3), scale: 2 };
    const mixed = shuffled(examples, 1);
    const list = ({ inputs, labels }: typeof mixed) =>
      Array.from(labels, (label, k) => `${label}: ${inputs.subarray(64 * k, 64 * k + 64).join()}`);
    expect(list(mixed)).not.toEqual(list(examples));
    expect(list(mixed).sort()).toEqual(list(examples).sort());
    expect(shuffled(examples, 1)).toEqual(mixed);
    expect(list(shuffled(examples, 2))).not.toEqual(list(mixed));
    expect(mixed.scale).toBe(2);
  });
});

describe("what is refused", () => {
  const refused = (list: readonly Layer[], hardware?: Hardware) =>
    expect(onlineNetwork(list, { seed: 1, hardware })).rejects;

  test("layers that do not fit, by their place", async () => {
    await refused([]).toThrow("a network has at least one layer");
    await refused([sigmoid()]).toThrow("layer 0, sigmoid(): the first layer is dense");
    await refused([dense(4, 3), sigmoid(), dense(4, 2)]).toThrow(
      "layer 2, dense(4, 2): the layer before it has 3 outputs",
    );
    await refused([dense(4, 2.5)]).toThrow("layer 0, dense(4, 2.5): sizes are whole numbers from 1");
    await refused([dense(40000, 40000)]).toThrow("are more than the 4 GiB a memory of kernels can hold");
  });

  test("hardware that there is not", async () => {
    const with_ = (change: Partial<Hardware>) => refused([dense(4, 2)], { weights, ...change });
    const pair = { weightPerConductance: "0.125 1/uS", step: "0.77 uS" } as const;
    await with_({ dacBits: 1 }).toThrow("hardware: dacBits is a whole number from 2 to 16, not 1");
    await with_({ adcRange: [1] }).toThrow("hardware: adcRange is two positive numbers, not [1]");
    await with_({ refreshEvery: 0 }).toThrow("hardware: refreshEvery is a whole number from 1, not 0");
    await with_({ exampleTime: "-1 s" }).toThrow("hardware: exampleTime is not -1 s");
    await with_({ weights: differentialPair(pcm, { ...pair, devices: 2 }) }).toThrow(
      "hardware: weights are differential pairs of one device each, without opposite pulses",
    );
    await with_({ weights: differentialPair(pcm, { ...pair, weightPerConductance: "1 V" }) }).toThrow(
      'hardware: weights have no dimension, these are A; weightPerConductance is such as "0.125 1/uS"',
    );
    await with_({ weights: differentialPair(pcm, { ...pair, rounding: "stochastic" }) }).toThrow(
      "hardware: weights are rounded to nearest or accumulate",
    );
  });

  test("examples that do not fit, and a loss that is not finite", async () => {
    const network = await onlineNetwork([dense(4, 2)], { seed: 1 });
    const once = (inputs: Float32Array, labels: number[], learningRate = 0.1) =>
      trainOnline(network, { inputs, labels }, { learningRate, seed: 1 });
    await expect(once(new Float32Array(4), [])).rejects.toThrow("there are no examples");
    await expect(once(new Float32Array(9), [0, 1])).rejects.toThrow(
      "2 examples of 4 inputs are 8 numbers, not 9",
    );
    await expect(once(new Float32Array(8), [0, 2])).rejects.toThrow("example 1 is of class 2, of 2 from 0");
    await expect(once(new Float32Array(8), [0, 1], 0)).rejects.toThrow(
      "the learning rate is a positive number, not 0",
    );
    await expect(once(new Float32Array(4).fill(Number.NaN), [0])).rejects.toThrow(
      "the loss of an example is NaN; a smaller learning rate may help",
    );
    expect(() => network.learn(new Float32Array(4), 2, { learningRate: 0.1 })).toThrow(
      "there is no class 2 among 2",
    );
    expect(() => network.predict([1, 2])).toThrow("the network takes 4 numbers, not 2");
    expect(() => network.setWeights([[1]])).toThrow("2 x 5 weights are 10 numbers, not 1");
    expect(() => network.setWeights([])).toThrow("there are 1 dense layers, not 0");
    const onDevices = await onlineNetwork([dense(4, 2)], { seed: 1, hardware: { weights } });
    expect(() => onDevices.setWeights([new Float32Array(10)])).toThrow(
      "weights on devices are written by pulses; they cannot be set",
    );
  });
});
