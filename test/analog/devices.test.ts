/** Batches on pairs of devices: converters, the noise of reads, chi and its pulses, refresh, time. */
import { describe, expect, test } from "vitest";
import { idealDevice } from "../../models/constant-step.ts";
import { pcm } from "../../models/pcm.ts";
import {
  conv2d,
  type DeviceOptions,
  dense,
  deviceMatrices,
  devicesOf,
  differentialPair,
  type Layer,
  lstm,
  type Model,
  type OptimizerOptions,
  sequential,
  sgd,
} from "../../src/index.ts";
import { departure, limit, normal } from "../device/distribution.ts";
import * as plain from "../tensor/plain.ts";

const f = Math.fround;
const silent = pcm.with({ m3: 0, c3: "0 S" });
const ideal = idealDevice.with({ step: "0.77 uS", Gmax: "1 S" });
const weightOf = { weightPerConductance: "0.125 1/uS", step: "0.77 uS" };
const pairsOf = (device: Model<"device">) =>
  differentialPair(device, {
    ...weightOf,
    refresh: { above: "8 uS", difference: "6 uS" },
    accumulate: true,
  });

/** A network whose first layer alone has weights, after some pulses in both directions. */
async function made(
  layers: readonly Layer[],
  inputs: readonly number[],
  hardware: DeviceOptions,
  optimizer: OptimizerOptions = sgd({ learningRate: 1 }),
) {
  const network = await sequential(layers, {
    inputs,
    batch: 4,
    seed: 3,
    loss: "squared error",
    inputDerivatives: true,
    matrices: deviceMatrices(hardware),
    memory: 0.01,
  });
  const [unit] = devicesOf(network);
  const [chi] = network.parameters;
  network.optimizer = optimizer;
  /** What rows are filled up with stays 0. */
  const slope = (numbers: (place: number) => number) => {
    const [rows, ...rest] = chi.shape;
    const columns = rest.reduce((a, b) => a * b, 1);
    const width = chi.gradient.data.length / rows;
    for (let p = 0; p < rows * columns; p++)
      chi.gradient.data[Math.floor(p / columns) * width + (p % columns)] = numbers(p);
    network.step();
  };
  const change = (seed: number, size: number) => {
    const random = plain.numbers(chi.gradient.data.length, seed);
    slope((p) => size * random[p]);
  };
  return { network, unit, chi, change, slope };
}

/** Rounded to steps of `most` range / (2^(bits - 1) - 1), half to even, cut off at `most` ranges. */
function converted(x: ArrayLike<number>, range: number, most: number, bits: number): Float64Array {
  const steps = 2 ** (bits - 1) - 1;
  return Float64Array.from(x, (v) => {
    const t = (v * steps) / (range * most);
    const low = Math.floor(t);
    const k = t - low < 0.5 || (t - low === 0.5 && low % 2 === 0) ? low : low + 1;
    return (Math.max(-steps, Math.min(steps, k)) * range * most) / steps;
  });
}
const largest = (x: ArrayLike<number>) => Math.max(...Array.from(x, Math.abs));

describe("products", () => {
  test.each([8, 5])(
    "of rows are those of converted vectors, each of its own range: %i bits",
    async (bits) => {
      const adcRange = [3, 0.9];
      const { network, unit, change } = await made([dense(6, 3)], [6], {
        weights: pairsOf(silent),
        ...{ dacBits: bits, adcBits: bits, adcRange },
      });
      change(1, 0.8);
      const w = unit.weights();
      const bias = [...network.weights()["0.bias"].data];
      expect(largest(bias)).toBe(0);
      const x = plain.numbers(4 * 6, 2).map((v, k) => v * (1 + Math.floor(k / 6)));
      const y = network.forward(x, { purpose: "training" });
      const dy = plain.numbers(4 * 3, 5);
      const rows = Array.from({ length: 4 }, (_, k) => y.data.slice(k * y.width, k * y.width + 3));
      const dx = network.backward({ dy, wanted: true });
      let clipped = 0;
      for (let k = 0; k < 4; k++) {
        const own = x.subarray(6 * k, 6 * k + 6);
        const q = converted(own, largest(own), 1, bits);
        const product = [0, 1, 2].map((i) => q.reduce((sum, v, j) => sum + v * w[6 * i + j], 0));
        const forwards = converted(product, largest(own), adcRange[0], bits);
        forwards.forEach((v, i) => {
          expect(Math.abs(rows[k][i] - v)).toBeLessThan(2e-6);
        });
        const error = dy.subarray(3 * k, 3 * k + 3);
        const e = converted(error, largest(error), 1, bits);
        const back = [0, 1, 2, 3, 4, 5].map((j) => e.reduce((sum, v, i) => sum + v * w[6 * i + j], 0));
        clipped += back.filter((v) => Math.abs(v) > 0.9 * largest(error)).length;
        converted(back, largest(error), adcRange[1], bits).forEach((v, j) => {
          expect(Math.abs(dx.data[k * dx.width + j] - v)).toBeLessThan(2e-6);
        });
      }
      expect(clipped).toBeGreaterThan(0);
    },
  );

  test("of images have one range for each image; without bits they are those of the weights", async () => {
    const image = plain.numbers(2 * 4 * 4 * 4, 2).map((v, k) => (k < 64 ? v : 5 * v));
    const outputs = async (bits: number | undefined) => {
      const { network, unit, change } = await made([conv2d(4, { kernel: 1 })], [4, 4, 4], {
        weights: pairsOf(silent),
        ...(bits && { dacBits: bits, adcBits: bits, adcRange: [2, 2] }),
      });
      change(1, 0.8);
      return { w: unit.weights(), y: network.forward(image).data.slice(0, 2 * 64) };
    };
    const { w, y } = await outputs(6);
    const { y: exact } = await outputs(undefined);
    for (let k = 0; k < 2; k++) {
      const own = image.subarray(64 * k, 64 * k + 64);
      const q = converted(own, largest(own), 1, 6);
      for (let place = 0; place < 16; place++)
        for (let i = 0; i < 4; i++) {
          const sum = (x: ArrayLike<number>) =>
            [0, 1, 2, 3].reduce((total, j) => total + x[4 * place + j] * w[4 * i + j], 0);
          const at = 64 * k + 4 * place + i;
          const [told] = converted([sum(q)], largest(own), 2, 6);
          expect(Math.abs(y[at] - told)).toBeLessThan(1e-5);
          expect(Math.abs(exact[at] - sum(own))).toBeLessThan(1e-5);
        }
    }
  });
});

test("of a sequence every time is converted, each vector by its own range: 16 bits are nearly none, 4 bits are not", async () => {
  const run = async (bits: number | undefined) => {
    const { network, unit } = await made([lstm(8)], [6, 5], {
      weights: pairsOf(silent.with({ Greset: "2 uS", GresetSd: "0.8 uS" })),
      ...(bits && { dacBits: bits, adcBits: bits, adcRange: [4, 4] }),
    });
    const y = network.forward(plain.numbers(4 * 30, 2), { purpose: "training" }).data.slice(0, 4 * 6 * 8);
    network.clearGradients();
    const dx = network.backward({ dy: plain.numbers(4 * 48, 3), wanted: true }).data.slice(0, 4 * 6 * 8);
    const slopes = network.parameters.map(({ gradient }) => gradient.data.slice());
    return { y, dx, slopes, weights: unit.weights() };
  };
  const [none, fine, coarse] = [await run(undefined), await run(16), await run(4)];
  const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Math.max(...Array.from(a, (x, k) => Math.abs(x - b[k]))) / largest(a);
  expect(fine.weights).toEqual(none.weights);
  expect(apart(none.y, fine.y)).toBeLessThan(2e-3);
  expect(apart(none.dx, fine.dx)).toBeLessThan(2e-3);
  for (const [k, slope] of none.slopes.entries())
    if (largest(slope) > 0) expect(apart(slope, fine.slopes[k])).toBeLessThan(2e-3);
  expect(apart(none.y, coarse.y)).toBeGreaterThan(0.02);
  expect(apart(none.dx, coarse.dx)).toBeGreaterThan(0.02);
});

describe("the noise of reads", () => {
  const x = plain.numbers(21, 1, 0.4).map(Math.abs);

  test("one product follows reads of each device; examples of a batch share it, batches and directions do not", async () => {
    const { network, unit, change } = await made([dense(21, 3)], [21], { weights: pairsOf(pcm) });
    change(1, 0.8);
    const w = unit.weights();
    const G = unit.conductances({ noise: false });
    const ours: number[] = [];
    const back: number[] = [];
    const dy = Float32Array.of(0.3, -0.7, 1, 0.3, -0.7, 1);
    for (let n = 0; n < 8000; n++) {
      const y = network.forward([...x, ...x], { purpose: "training" });
      for (let i = 0; i < 3; i++) {
        let [mean, variance] = [0, 0];
        for (let j = 0; j < 21; j++) {
          const p = 21 * i + j;
          mean += w[p] * x[j];
          // Nandakumar et al. 2018: a read of G has the standard deviation 0.03 G + 0.13 uS
          for (const g of [G[p], G[63 + p]]) variance += (0.125e6 * x[j] * (0.03 * g + 0.13e-6)) ** 2;
        }
        ours.push((y.data[i] - mean) / Math.sqrt(variance));
        if (n < 10) expect(y.data[i]).toBe(y.data[y.width + i]);
      }
      const dx = network.backward({ dy, wanted: true }).data[0];
      let [mean, variance] = [0, 0];
      for (let i = 0; i < 3; i++) {
        mean += dy[i] * w[21 * i];
        for (const g of [G[21 * i], G[63 + 21 * i]])
          variance += (0.125e6 * dy[i] * (0.03 * g + 0.13e-6)) ** 2;
      }
      back.push((dx - mean) / Math.sqrt(variance));
      network.clearGradients();
    }
    expect(departure(ours, normal(0, 1))).toBeLessThan(1);
    expect(departure(back, normal(0, 1))).toBeLessThan(1);
    expect(departure(ours, normal(0, 1.06))).toBeGreaterThan(1); // control: 6 %
    const product = (a: readonly number[], b: readonly number[]) =>
      a.reduce((sum, z, k) => sum + z * b[k], 0) / Math.sqrt(a.length);
    for (const by of [1, 2, 3])
      expect(Math.abs(product(ours.slice(by), ours.slice(0, -by)))).toBeLessThan(limit);
    const first = ours.filter((_, k) => k % 3 === 0);
    expect(Math.abs(product(first, back))).toBeLessThan(limit);
  });

  test("looking does not move the noise of training", async () => {
    const outputs = async (looks: number) => {
      const { network } = await made([dense(21, 3)], [21], { weights: pairsOf(pcm) });
      for (let k = 0; k < looks; k++) network.forward(x);
      return network.forward(x, { purpose: "training" }).data.slice(0, 3);
    };
    expect(await outputs(2)).toEqual(await outputs(0));
  });
});

test.each([
  ["gathered", true],
  ["each rounded", false],
])("300 batches: chi, pulses and weights are those of a ledger, bit for bit: %s", async (_, accumulate) => {
  const { network, unit, chi } = await made(
    [dense(5, 3)],
    [5],
    { weights: differentialPair(ideal, { ...weightOf, accumulate }), gain: 2 },
    sgd({ learningRate: 0.2 }),
  );
  const gain = 2 / Math.sqrt(5);
  const epsilon = f(0.77e-6 * gain * 0.125e6);
  const rest = new Float32Array(15);
  const G = new Float64Array(30);
  let pulses = 0;
  for (let k = 0; k < 300; k++) {
    network.forward(plain.numbers(20, 10 + k), { purpose: "training" });
    network.backward({ dy: plain.numbers(12, 1000 + k) });
    const gradient = Array.from({ length: 15 }, (_, p) => chi.gradient.data[Math.floor(p / 5) * 8 + (p % 5)]);
    network.step();
    for (const [p, slope] of gradient.entries()) {
      rest[p] = f(rest[p] + f(f(-0.2) * slope));
      const size = Math.abs(rest[p]) / epsilon;
      const count = Math.min(10, accumulate ? Math.trunc(size) : Math.floor(size + 0.5));
      const sign = Math.sign(rest[p]);
      rest[p] = accumulate ? f(rest[p] - sign * count * epsilon) : 0;
      for (let n = 0; n < count; n++) G[sign > 0 ? p : 15 + p] += 0.77e-6;
      pulses += count;
    }
  }
  expect(unit.use.updates).toBe(pulses);
  expect(unit.pending()).toEqual(rest);
  expect(unit.conductances()).toEqual(G);
  expect(pulses).toBeGreaterThan(accumulate ? 400 : 20);
  expect(network.weights()["0.weights"].data).toEqual(unit.weights());
});

test("a gain gives weights of the start their spread; epsilon and the ADC's range go with it", async () => {
  const spread = async (gain: number | undefined) => {
    const { unit } = await made([dense(400, 50)], [400], { weights: pairsOf(silent), ...(gain && { gain }) });
    const w = unit.weights();
    return Math.sqrt(w.reduce((sum, v) => sum + v * v, 0) / w.length);
  };
  expect((await spread(6)) / (await spread(undefined))).toBeCloseTo(6 / 20, 5);
});

describe("refresh and time", () => {
  test("pairs are refreshed after every so many examples, whatever batches there are", async () => {
    const { network, unit, slope } = await made([dense(4, 2)], [4], {
      weights: pairsOf(silent.with({ m2: 0, c2: "0 S", A2: "0 S" })),
      refreshEvery: 10,
    });
    const counts: number[] = [];
    for (let k = 0; k < 8; k++) {
      network.forward(new Float32Array(16), { purpose: "training" });
      const sign = k % 2 === 0 ? 1 : -1; // up and down in turn: both devices grow
      slope(() => sign * f(0.77 * 0.125) * 6);
      counts.push(unit.use.refreshed);
    }
    // looked at when 12, 20 and 32 examples have been seen
    expect(new Set(counts.slice(0, 2))).toEqual(new Set([0]));
    expect(counts[2]).toBe(8);
    expect(counts[3]).toBe(8);
    expect(counts[4]).toBeGreaterThanOrEqual(8);
    expect(unit.use.pulses["reset"]).toBe(2 * unit.use.refreshed);
  });

  test("devices drift while training in steps of 1,000 examples, and in wait(); a factor takes it back", async () => {
    const { network, unit } = await made([dense(4, 2)], [4], {
      weights: pairsOf(silent),
      exampleTime: "1 s",
    });
    const before = unit.weights();
    for (let k = 0; k < 250; k++) {
      network.forward(new Float32Array(16), { purpose: "training" });
      network.step();
    }
    const drifted = (1000 / 38.6) ** -0.04;
    unit.weights().forEach((w, p) => {
      expect(w).toBeCloseTo(before[p] * drifted, 6);
    });
    network.wait("9000 s");
    unit.scaleWeights((10000 / 38.6) ** 0.04);
    unit.weights().forEach((w, p) => {
      expect(w).toBeCloseTo(before[p], 6);
    });
    expect(() => unit.scaleWeights(-1)).toThrow("weights are scaled by a positive number, not -1");
  });
});

test("what cannot be", async () => {
  const { network } = await made([dense(4, 2)], [4], { weights: pairsOf(pcm) });
  const weights = network.weights();
  expect(() => network.setWeights(weights)).toThrow(
    "0.weights are stored on devices, which are written by pulses: not set",
  );
  const refused = (more: Partial<DeviceOptions>) => () => deviceMatrices({ weights: pairsOf(pcm), ...more });
  expect(refused({ gain: 0 })).toThrow("hardware: gain is a positive number, not 0");
  expect(refused({ dacRange: Number.NaN })).toThrow("hardware: dacRange is a positive number, not NaN");
  expect(refused({ dacBits: 1 })).toThrow("hardware: dacBits is a whole number from 2 to 16, not 1");
});
