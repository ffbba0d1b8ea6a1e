/** Crossbars: the noise of products against that of reads, refresh, drift, converters. */
import { describe, expect, test } from "vitest";
import { pcm } from "../../models/pcm.ts";
import { Crossbar } from "../../src/analog/crossbar.ts";
import { type DeviceArray, differentialPair, fabricate, type Time } from "../../src/index.ts";
import { compileKernels, normalCount } from "../../src/tensor/kernels.ts";
import { departure, limit, normal } from "../device/distribution.ts";
import * as plain from "../tensor/plain.ts";

const [rows, columns, width] = [3, 21, 24];
const pairs = rows * columns;
const beta = 0.125e6; // 1/S
const refresh = { above: "8 uS", difference: "6 uS" };
const storage = differentialPair(pcm, { weightPerConductance: "0.125 1/uS", step: "0.77 uS", refresh });
const silent = pcm.with({ m3: 0, c3: "0 S" });

/** A crossbar of devices that had some pulses, on a clock that stands at 100 s or where it is told. */
async function made(
  o: {
    readonly model?: typeof pcm;
    readonly converters?: { readonly dacBits?: number; readonly adcBits?: number };
    readonly range?: number;
    readonly prepare?: (devices: DeviceArray) => void;
    readonly time?: Time;
  } = {},
) {
  const { model = pcm, converters, range = 16, prepare, time = "100 s" } = o;
  const kernels = await compileKernels(2 ** 18);
  const devices = await fabricate(2 * pairs, model, { seed: 3 });
  for (let k = 0; k < 4; k++)
    devices.pulse(
      "set",
      Array.from({ length: 2 * pairs }, (_, p) => p).filter((p) => p % 5 > k),
    );
  prepare?.(devices);
  const crossbar = new Crossbar(kernels, devices, {
    rows,
    columns,
    storage: { ...storage, device: model },
    converters: { ...converters, adcRange: [range, range] },
    seed: "5",
  });
  crossbar.wait(time);
  const take = (count: number) => kernels.heap.take(count);
  const input = { ...take(width), list: take(width / 4).at, count: 0 };
  input.data.set(plain.numbers(columns, 1, 0.4).map(Math.abs));
  input.count = kernels.active(input.at, columns, input.list);
  const error = take(normalCount(rows));
  error.data.set(plain.numbers(rows, 2));
  return { crossbar, devices, input, error, y: take(rows), dx: take(width) };
}

/** Signed weights by conductances, [row][column]. */
const weightsOf = (G: ArrayLike<number>) =>
  Float64Array.from({ length: pairs }, (_, p) => beta * (G[p] - G[pairs + p]));

describe("noise of reads, drawn where products come out", () => {
  const draws = 20000;

  test.each(["forwards", "backwards"] as const)(
    "has the distribution of reads of each device: %s",
    async (way) => {
      const { crossbar, devices, input, error, y, dx } = await made();
      const count = way === "forwards" ? rows : columns;
      /** The product of weights as they are read. */
      const product = (w: ArrayLike<number>) =>
        Float64Array.from({ length: count }, (_, k) => {
          let sum = 0;
          if (way === "forwards") for (let c = 0; c < columns; c++) sum += w[k * columns + c] * input.data[c];
          else for (let row = 0; row < rows; row++) sum += w[row * columns + k] * error.data[row];
          return sum;
        });
      const mean = product(weightsOf(devices.read({ noise: false })));
      const G = devices.read({ noise: false });
      const variance = Float64Array.from({ length: count }, (_, k) => {
        let sum = 0;
        for (let p = 0; p < pairs; p++) {
          const [row, c] = [Math.floor(p / columns), p % columns];
          if ((way === "forwards" ? row : c) !== k) continue;
          const factor = way === "forwards" ? input.data[c] : error.data[row];
          // Nandakumar et al. 2018: a read of G has the standard deviation 0.03 G + 0.13 uS
          for (const g of [G[p], G[pairs + p]]) sum += (beta * factor * (0.03 * g + 0.13e-6)) ** 2;
        }
        return sum;
      });
      const ours: number[] = [];
      const byDevice: number[] = [];
      for (let n = 0; n < draws; n++) {
        if (way === "forwards") crossbar.multiply(input, y, "training");
        else crossbar.multiplyBack(error, dx);
        const out = way === "forwards" ? y.data : dx.data;
        const read = n % 10 === 0 ? product(weightsOf(devices.read())) : undefined;
        for (let k = 0; k < Math.min(3, count); k++) {
          ours.push((out[k] - mean[k]) / Math.sqrt(variance[k]));
          if (read) byDevice.push((read[k] - mean[k]) / Math.sqrt(variance[k]));
        }
      }
      expect(departure(ours, normal(0, 1))).toBeLessThan(1);
      expect(departure(byDevice, normal(0, 1))).toBeLessThan(1);
      expect(departure(ours, normal(0, 1.06))).toBeGreaterThan(1); // control: 6 %
      // neighbours in one product, and one output from product to product, are independent
      const lag = (by: number) =>
        ours.slice(by).reduce((sum, z, k) => sum + z * ours[k], 0) / Math.sqrt(ours.length - by);
      for (const by of [1, 2, 3]) expect(Math.abs(lag(by))).toBeLessThan(limit);
    },
  );

  test("inference does not move the noise of training", async () => {
    const products = async (looks: number) => {
      const { crossbar, input, y } = await made();
      for (let k = 0; k < looks; k++) crossbar.multiply(input, y, "inference");
      const looked = y.data.slice();
      crossbar.multiply(input, y, "training");
      return [looked, y.data.slice()];
    };
    const [[, without], [first, one], [second, two]] = await Promise.all([0, 1, 2].map(products));
    expect(one).toEqual(without);
    expect(two).toEqual(without);
    expect(first).not.toEqual(second);
    expect(first).not.toEqual(without);
  });
});

test("a product without noise is that of the conductances", async () => {
  const { crossbar, devices, input, error, y, dx } = await made({ model: silent });
  const w = weightsOf(devices.read());
  expect(crossbar.values()).toEqual(Float32Array.from(w));
  crossbar.multiply(input, y, "training");
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += w[row * columns + c] * input.data[c];
    expect(Math.abs(y.data[row] - sum)).toBeLessThan(24 * 2 ** -24 * 12); // 12: sum of sizes
  }
  crossbar.multiplyBack(error, dx);
  for (let c = 0; c < columns; c++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += w[row * columns + c] * error.data[row];
    expect(Math.abs(dx.data[c] - sum)).toBeLessThan(5 * 2 ** -24 * 2);
  }
});

describe("refresh", () => {
  /** G+ and G- of the first pairs, uS, and whether the rule of 8 and 6 uS tells to rewrite them. */
  const cases: readonly [number, number, boolean][] = [
    [8.1, 8.1, true],
    [9, 3.1, true],
    [9, 2.9, false],
    [2.9, 9, false],
    [3.1, 9, true],
    [7.9, 7.9, false],
    [8, 5, false],
    [13, 8, true],
    [20, 1, false],
    [9, 7.7, true],
  ];

  const prepare = (devices: DeviceArray) => {
    const G = new Float64Array(2 * pairs).fill(1e-6);
    for (const [p, [plus, minus]] of cases.entries()) {
      G[p] = plus * 1e-6;
      G[pairs + p] = minus * 1e-6;
    }
    devices.set("G", G);
  };

  test("resets the pairs of the rule, and writes their difference by at most 3 pulses", async () => {
    const { crossbar, devices } = await made({ model: silent.with({ nuMean: 0 }), prepare });
    const before = devices.get("G");
    const pulsed = devices.get("P");
    crossbar.refresh(3);
    const after = devices.get("G");
    const counts = cases.map(([plus, minus, due]) =>
      due ? Math.min(3, Math.round(Math.abs(plus - minus) / 0.77)) : 0,
    );
    expect(counts).toEqual([0, 3, 0, 0, 3, 0, 0, 3, 0, 2]);
    for (let p = 0; p < pairs; p++) {
      const [plus, minus, due] = cases[p] ?? [0, 0, false];
      const places = [p, pairs + p];
      if (!due) {
        for (const place of places)
          expect([after[place], devices.get("P")[place]]).toEqual([before[place], pulsed[place]]);
        continue;
      }
      const [written, bare] = plus > minus ? places : [...places].reverse();
      // P counts pulses since the RESET: exp(-n / 2.6)
      expect(devices.get("P")[written]).toBeCloseTo(Math.exp(-counts[p] / 2.6), 12);
      expect(devices.get("P")[bare]).toBe(1);
      expect(after[bare]).toBeLessThan(0.2e-6);
    }
    const refreshed = cases.filter(([, , due]) => due).length;
    expect(crossbar.use).toEqual({ pulses: { set: 11, reset: 2 * refreshed }, updates: 0, refreshed });
    expect(crossbar.values()).toEqual(Float32Array.from(weightsOf(after)));
    crossbar.refresh(3); // nothing is due any more
    expect(crossbar.use.refreshed).toBe(refreshed);
  });

  test("finds pairs that pulses bring above the threshold, and those that drift brings below the difference", async () => {
    const start = new Float64Array(2 * pairs).fill(7.9e-6);
    [start[0], start[pairs]] = [10e-6, 3.9e-6];
    const model = silent.with({ m2: 0, c2: "0 S", A2: "0 S" });
    const prepare = (devices: DeviceArray) => devices.set("G", start);
    const { crossbar, devices } = await made({ model, prepare, time: "1 s" });
    crossbar.refresh(3);
    expect(crossbar.use.refreshed).toBe(0);
    crossbar.update([4, pairs + 7, 4, 9]);
    expect(crossbar.use.updates).toBe(4);
    crossbar.refresh(3);
    expect(crossbar.use.refreshed).toBe(3); // pairs 4, 7 and 9
    const drifted = (107 / 38.6) ** -0.04;
    expect([10 * drifted > 8, 6.1 * drifted < 6]).toEqual([true, true]);
    crossbar.wait("106 s");
    const before = devices.get("G");
    crossbar.refresh(3);
    expect(crossbar.use.refreshed).toBe(4); // and pair 0
    const changed = Array.from(devices.get("G")).flatMap((G, place) => (G === before[place] ? [] : [place]));
    expect(changed).toEqual([0, pairs]);
  });
});

describe("drift", () => {
  test("scales all weights of one age alike; a pulse starts it anew; one factor takes it back", async () => {
    const { crossbar, devices } = await made({ model: silent });
    const fresh = weightsOf(devices.get("G"));
    crossbar.update([0]);
    const pulsed = beta * (devices.get("G")[0] - devices.get("G")[pairs]);
    crossbar.wait("900 s"); // 1000 s after fabrication, 900 s after the pulse
    const old = (1000 / 38.6) ** -0.04;
    const young = (900 / 38.6) ** -0.04;
    const weights = crossbar.values();
    for (let p = 1; p < pairs; p++) expect(weights[p]).toBeCloseTo(fresh[p] * old, 6);
    const [G, H] = [devices.get("G")[0], devices.get("G")[pairs]];
    expect(weights[0]).toBeCloseTo(beta * (G * young - H * old), 6);
    expect(Math.abs(weights[0] - pulsed * old)).toBeGreaterThan(2e-5);
    crossbar.scaleWeights(1 / old);
    const scaled = crossbar.values();
    for (let p = 1; p < pairs; p++) expect(scaled[p]).toBeCloseTo(fresh[p], 6);
    expect(() => crossbar.scaleWeights(0)).toThrow("weights are scaled by a positive number, not 0");
  });

  test("the factor multiplies products of both directions", async () => {
    const { crossbar, input, error, y, dx } = await made({ model: silent });
    crossbar.multiply(input, y, "inference");
    crossbar.multiplyBack(error, dx);
    const [forwards, backwards] = [y.data.slice(), dx.data.slice(0, columns)];
    crossbar.scaleWeights(2);
    crossbar.multiply(input, y, "inference");
    crossbar.multiplyBack(error, dx);
    expect(y.data).toEqual(forwards.map((v) => 2 * v));
    expect(dx.data.slice(0, columns)).toEqual(backwards.map((v) => 2 * v));
  });
});

describe("converters", () => {
  test("outputs are whole steps of their range, at most the range, half to even; inputs are rounded before", async () => {
    const bits = 4; // 7 steps to either side
    const exact = await made({ model: silent });
    const rounded = await made({ model: silent, converters: { dacBits: bits, adcBits: bits }, range: 2 });
    const w = exact.crossbar.values();
    rounded.crossbar.multiply(rounded.input, rounded.y, "training");
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let c = 0; c < columns; c++)
        sum += w[row * columns + c] * (Math.round(rounded.input.data[c] * 7) / 7);
      const steps = Math.max(-7, Math.min(7, Math.round((sum * 7) / 2)));
      expect(rounded.y.data[row]).toBeCloseTo((steps * 2) / 7, 6);
    }
    // errors are divided by the largest before they are rounded, and the range counts in it
    rounded.error.data.set([0.02, -0.01, 0.001]);
    rounded.crossbar.multiplyBack(rounded.error, rounded.dx);
    const sent = [1, -4 / 7, 0]; // 3.5 steps go to the even 4, 0.35 to 0
    const seen = new Set<number>();
    for (let c = 0; c < columns; c++) {
      const sum = sent.reduce((total, d, row) => total + w[row * columns + c] * d, 0);
      const steps = Math.max(-7, Math.min(7, Math.round((sum * 7) / 2)));
      expect(rounded.dx.data[c] / 0.02).toBeCloseTo((steps * 2) / 7, 5);
      seen.add(steps);
    }
    expect(seen.size).toBeGreaterThan(4);
  });

  test("an error of 0 comes back as 0", async () => {
    const { crossbar, error, dx } = await made({ converters: { dacBits: 8, adcBits: 8 } });
    error.data.fill(0);
    dx.data.fill(1);
    crossbar.multiplyBack(error, dx);
    expect(Math.max(...dx.data.map(Math.abs))).toBe(0);
  });
});
