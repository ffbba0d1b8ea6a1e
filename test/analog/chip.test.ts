/** Chips: what is written, how it ages, that looking changes nothing. */
import { describe, expect, test } from "vitest";
import { pcm } from "../../models/pcm.ts";
import { pcmInference } from "../../models/pcm-inference.ts";
import { reRamWan } from "../../models/reram-inference.ts";
import { constantStep } from "../../models/step-devices.ts";
import { type Chip, type LookedMatrix, type MatrixValues, program } from "../../src/analog/chip.ts";
import { tileProducts } from "../../src/analog/products.ts";
import { type TileOptions, tile } from "../../src/analog/tile.ts";
import { normalQuantile } from "../../src/math/normal.ts";
import { uniform } from "../../src/math/random.ts";
import { mean, variance } from "../../src/math/statistics.ts";

/** A device that becomes what it is told, and stays so. */
const faithful = pcmInference.with({
  ...{ s0: "0 S", s1: "0 S", s2: "0 S", q0: 0, nuMeanLow: 0, nuMeanHigh: 0, nuSdLow: 0, nuSdHigh: 0 },
});
const values = (outputs: number, inputs: number, more: Partial<MatrixValues> = {}): MatrixValues => ({
  weights: Array.from({ length: outputs * inputs }, (_, k) => Math.fround(2 * uniform([8, 1], 0, k, 0) - 1)),
  outputs,
  inputs,
  ...more,
});
/** Weights times scales, as the matrix that was asked for. */
function assembled({ outputs, inputs, taps, parts }: LookedMatrix): number[] {
  const matrix = new Array<number>(outputs * inputs).fill(Number.NaN);
  const channels = inputs / taps;
  for (const { from, to, weights, scale } of parts)
    for (let i = 0, at = 0; i < outputs; i++)
      for (let t = 0; t < taps; t++)
        for (let c = from; c < to; c++, at++) matrix[i * inputs + t * channels + c] = weights[at] * scale[i];
  return matrix;
}
const weightsOf = (chip: Chip, age: "0 s" | "1 h" | "1 year" = "0 s", readNoise = false) =>
  chip.at(age === "1 year" ? "31536000 s" : age, { driftCompensation: "none", readNoise }).matrices["w"]
    .parts[0].weights;

describe("weights are what was asked for", () => {
  test.each(["active", "both"] as const)(
    "on devices without errors, cut to five tiles, pair %s",
    async (pair) => {
      for (const [taps, options] of [
        [1, { columnScale: "column" }],
        [3, { columnScale: "tile", devices: 2 }],
        [3, { columnScale: "none", significances: [4, 2, 1] }],
      ] as const) {
        const w = values(6, 45, { taps });
        const made = tile({ device: faithful, rows: 9, pair, ...options });
        const look = (await program({ w }, made, { seed: 1 })).at("31536000 s").matrices["w"];
        expect(look.parts.map(({ from, to }) => to - from)).toEqual(Array(5).fill(9 / taps));
        const found = assembled(look);
        const off = Array.from(w.weights, (weight, k) => Math.abs(found[k] - weight));
        expect(Math.max(...off)).toBeLessThan(3 * 2 ** -24); // three roundings to float32
      }
    },
  );

  test("largest weights of columns are at Gmax; with scales of their own weights beyond 1 are clipped", async () => {
    const made = tile({ device: faithful });
    const one = await program({ w: values(3, 20) }, made, { seed: 1 });
    const { weights, scale } = one.at("0 s").matrices["w"].parts[0];
    for (let i = 0; i < 3; i++)
      expect(Math.max(...weights.subarray(20 * i, 20 * i + 20).map(Math.abs))).toBeCloseTo(1, 6);
    expect(new Set(scale).size).toBe(3);
    const given = values(2, 2, { weights: [0.5, -3, 2, 0], scale: [2, 7], offset: [1, -1], inputRange: 4 });
    const other = (await program({ given }, made, { seed: 1 })).at("0 s").matrices["given"];
    expect(Array.from(other.parts[0].weights)).toEqual([0.5, -1, 1, 0]);
    expect(Array.from(other.parts[0].scale)).toEqual([2, 7]);
    expect(other.parts[0].inputRange).toBe(4);
    expect(Array.from(other.offset)).toEqual([1, -1]);
  });
});

describe("devices", () => {
  const [outputs, inputs] = [40, 500];
  const constant = (x: number) =>
    values(outputs, inputs, { weights: new Float32Array(outputs * inputs).fill(x) });
  const open = tile({ device: pcmInference, columnScale: "none" });
  /** Bounds of a false alarm once in a million for means and variances of n normal numbers. */
  const reach = normalQuantile(1 - 0.5e-6);

  test("programming has the spread of the device's polynomial, and a weight of 0 stays one", async () => {
    const n = outputs * inputs;
    for (const x of [0.3, -0.8]) {
      const w = weightsOf(await program({ w: constant(x) }, open, { seed: 2 }));
      const sd = (0.26348 + 1.965 * Math.abs(x) - 1.1731 * x * x) / 25;
      expect(Math.abs(mean(w) - x)).toBeLessThan((reach * sd) / Math.sqrt(n));
      const ratio = variance(w) / sd ** 2;
      expect(Math.abs(ratio - 1)).toBeLessThan(reach * Math.sqrt(2 / n));
      const wrong = (1.06 * sd) ** 2; // control: 6 % more spread
      expect(Math.abs(variance(w) / wrong - 1)).toBeGreaterThan(reach * Math.sqrt(2 / n));
    }
    expect(weightsOf(await program({ w: constant(0) }, open, { seed: 2 })).every((w) => w === 0)).toBe(true);
    const both = tile({ device: pcmInference, columnScale: "none", pair: "both" });
    const idle = weightsOf(await program({ w: constant(0) }, both, { seed: 2 }));
    // the difference of two normal numbers cut off at 0: variance of each (1/2 - 1/(2 pi)) sigma^2
    const expected = 2 * (0.5 - 0.5 / Math.PI) * (0.26348 / 25) ** 2;
    expect(variance(idle) / expected).toBeGreaterThan(0.9);
    expect(variance(idle) / expected).toBeLessThan(1.1);
  });

  test("of four devices in parallel errors have a quarter of the variance; of a single one twice the size about its middle", async () => {
    const spread = async (more: TileOptions) =>
      variance(
        weightsOf(
          await program({ w: constant(0.5) }, tile({ device: pcmInference, columnScale: "none", ...more }), {
            seed: 2,
          }),
        ),
      );
    const room = reach * Math.sqrt(4 / (outputs * inputs));
    const one = await spread({});
    expect(Math.abs(Math.log((4 * (await spread({ devices: 4 }))) / one))).toBeLessThan(room);
    // weight 0.5 is at 0.75 of the range there
    const sd = (x: number) => 0.26348 + 1.965 * x - 1.1731 * x * x;
    const ratio = ((2 * sd(0.75)) / sd(0.5)) ** 2;
    expect(Math.abs(Math.log((await spread({ pair: "single" })) / one / ratio))).toBeLessThan(room);
  });

  test("conductances fall as ((t + 20 s) / 20 s)^-nu", async () => {
    const w = { w: constant(0.5) };
    const chip = await program(
      w,
      tile({ device: pcmInference.with({ nuSdLow: 0, nuSdHigh: 0 }), columnScale: "none" }),
      { seed: 3 },
    );
    const [start, hour] = [weightsOf(chip), weightsOf(chip, "1 h")];
    const nu = Math.max(0.049, -0.0155 * Math.log(0.5) + 0.0244);
    const off = hour.map((now, k) => Math.abs(now / start[k] / 181 ** -nu - 1));
    expect(Math.max(...off)).toBeLessThan(2 ** -22);
  });

  test("a look changes nothing: the same age has the same bits in any order, another look has other noise of reads", async () => {
    const make = () => program({ w: values(20, 30) }, open, { seed: 4 });
    const [a, b] = [await make(), await make()];
    const hourOf = (chip: Chip) => weightsOf(chip, "1 h", true);
    const first = hourOf(a);
    for (const age of ["31536000 s", "0 s", "1 day"] as const) b.at(age);
    expect(hourOf(b)).toEqual(first);
    expect(a.at("1 h").matrices).toEqual(b.at("1 h").matrices);
    const other = a.at("1 h", { look: 1, driftCompensation: "none" }).matrices["w"].parts[0].weights;
    expect(other).not.toEqual(first);
    expect(hourOf(a)).toEqual(first);
    expect(hourOf(await program({ w: values(20, 30) }, open, { seed: 5 }))).not.toEqual(first);
    expect(weightsOf(a, "1 h")).not.toEqual(first);
  });

  test("compensation gives sums of sizes back: of tiles, or of columns", async () => {
    const w = values(10, 60);
    const chip = await program({ w }, tile({ device: pcmInference, rows: 30 }), { seed: 6 });
    const sums = (age: "0 s" | "1 h", driftCompensation: "global" | "column" | "none") =>
      chip.at(age, { driftCompensation }).matrices["w"].parts.map(({ weights, scale }) =>
        Array.from(scale, (gamma, i) => {
          const row = weights.subarray(30 * i, 30 * i + 30);
          return gamma * row.reduce((s, one) => s + Math.abs(one), 0);
        }),
      );
    const before = sums("0 s", "none");
    sums("1 h", "column").forEach((part, k) => {
      part.forEach((sum, i) => {
        expect(sum / before[k][i]).toBeCloseTo(1, 6);
      });
    });
    const falls = sums("1 h", "none").map((part, k) => part.map((sum, i) => sum / before[k][i]));
    for (const ratio of falls.flat()) expect(ratio).toBeLessThan(0.9);
    // weighed by scales, which are equal enough here, a tile's total comes back
    const total = (parts: number[][]) => parts.map((part) => part.reduce((a, b) => a + b, 0));
    total(sums("1 h", "global")).forEach((sum, k) => {
      expect(sum / total(before)[k]).toBeCloseTo(1, 2);
    });
  });

  test("test vectors, random or read by the tile, tell the same drift within 3 %", async () => {
    const w = values(40, 100);
    const factorOf = async (options: { testVectors?: "one-hot" | number; testReads?: "ideal" | "tile" }) => {
      const chip = await program({ w }, tile({ device: pcmInference }), { seed: 7, ...options });
      const scale = (driftCompensation: "global" | "none") =>
        chip.at("1 h", { driftCompensation }).matrices["w"].parts[0].scale[0];
      return scale("global") / scale("none");
    };
    const ideal = await factorOf({});
    expect(ideal).toBeGreaterThan(1.2);
    for (const options of [
      { testVectors: 32 },
      { testReads: "tile" as const },
      { testVectors: 32, testReads: "tile" as const },
    ]) {
      const factor = await factorOf(options);
      expect(factor / ideal).toBeGreaterThan(0.97);
      expect(factor / ideal).toBeLessThan(1.03);
      expect(factor).not.toBe(ideal);
    }
  });

  test("parts of the devices are stuck at the lowest, the highest and any conductance, whatever the age", async () => {
    const n = 100 * 500;
    const stuck = tile({
      device: faithful,
      columnScale: "none",
      stuckReset: 0.1,
      stuckSet: 0.05,
      stuckRandom: 0.2,
    });
    const w = values(100, 500, { weights: new Float32Array(n).fill(-0.25) });
    const chip = await program({ w }, stuck, { seed: 8 });
    const found = weightsOf(chip);
    const within = (count: number, part: number) =>
      expect(Math.abs(count - part * n)).toBeLessThan(reach * Math.sqrt(n * part * (1 - part)));
    within(found.filter((one) => one === 0).length, 0.1);
    within(found.filter((one) => one === -1).length, 0.05);
    const others = found.filter((one) => one !== 0 && one !== -1 && Math.abs(one + 0.25) > 1e-6);
    within(others.length, 0.2);
    expect(Math.abs(mean(others) + 0.5)).toBeLessThan((reach * Math.sqrt(1 / 12)) / Math.sqrt(others.length));
    expect(weightsOf(chip, "1 year")).toEqual(found);
  });
});

test("columns and devices of a chip are the same on tiles of any seed, those of another chip are not", async () => {
  const made = tile({
    ...{ preset: "ideal", device: faithful, columnScale: "none", rows: 8 },
    ...{ curvature: 0.3, curvatureSpread: 0.4, polaritySpread: 0.3 },
  });
  const w = values(3, 16);
  const x = Float32Array.from({ length: 16 }, (_, j) => Math.cos(j));
  const outputsOf = async (chip: number, on: number) => {
    const look = (await program({ w }, made, { seed: chip })).at("0 s");
    const products = await tileProducts(made, { outputs: 3, inputs: 16, rows: 2, seed: on });
    products.load(look.matrices["w"]);
    return products.multiply(x);
  };
  const first = await outputsOf(1, 1);
  expect(await outputsOf(1, 2)).toEqual(first);
  expect(await outputsOf(2, 1)).not.toEqual(first);
});

describe("written in a loop", () => {
  test("devices that are told a target are told again until they read right", async () => {
    const made = tile({ device: pcmInference, columnScale: "none" });
    const w = values(20, 50);
    const tight = await program({ w }, made, { seed: 9, verify: { tolerance: "0.3 uS", pulses: 30 } });
    const open = await program({ w }, made, { seed: 9 });
    const off = (chip: Chip) =>
      Math.sqrt(mean(weightsOf(chip).map((one, k) => (one - (w.weights as number[])[k]) ** 2)));
    expect(open.writing).toEqual({ pulses: { program: 1000 }, outside: 0 });
    expect(tight.writing.pulses["program"]).toBeGreaterThan(2000);
    expect(tight.writing.outside).toBeLessThan(20);
    expect(off(tight)).toBeLessThan(0.7 * off(open)); // what is left is mostly the noise of reads
  });

  test("devices with steps are pulsed up and down until they read right", async () => {
    const made = tile({ device: constantStep, columnScale: "none", pair: "both" });
    const w = values(10, 20);
    const verify = { tolerance: "0.2 uS", pulses: 400 };
    const chip = await program({ w }, made, { seed: 11, verify });
    expect(chip.writing.outside).toBe(0);
    const { up, down } = chip.writing.pulses;
    expect(up).toBeGreaterThan(0);
    expect(down).toBeGreaterThan(0);
    const worst = weightsOf(chip).map((one, k) => Math.abs(one - (w.weights as number[])[k]));
    expect(Math.max(...worst)).toBeLessThan(0.4 / 20); // two devices, 0 to 20 uS
    const few = await program({ w }, made, { seed: 11, verify: { ...verify, pulses: 20 } });
    expect(few.writing.outside).toBeGreaterThan(100);
  });
});

test("ReRAM weights have the spread of its polynomial, and no drift", async () => {
  const n = 40 * 500;
  const w = values(40, 500, { weights: new Float32Array(n).fill(0.5) });
  const chip = await program({ w }, tile({ device: reRamWan, columnScale: "none" }), { seed: 10 });
  const found = weightsOf(chip);
  const sd = (0.348 + 16.03 * 0.5 - 43.853 * 0.25 + 45.393 * 0.125 - 16.815 * 0.0625) / 40;
  expect(Math.abs(variance(found) / sd ** 2 - 1)).toBeLessThan(0.06);
  expect(weightsOf(chip, "1 year")).toEqual(found);
});

test("what cannot be written is refused", async () => {
  const made = tile({ device: pcmInference });
  const w = values(2, 3);
  const faults: string[] = [];
  const fault = async (doing: () => unknown) => {
    try {
      await doing();
      faults.push("none");
    } catch (error) {
      faults.push(`${error}`);
    }
  };
  const refused = (matrices: Record<string, MatrixValues>, o = {}, on = made) =>
    fault(() => program(matrices, on, { seed: 1, ...o }));
  await refused({ w }, {}, tile());
  await refused({});
  await refused({ w: { weights: [1, 2, 3], outputs: 2, inputs: 2 } });
  await refused({ w: { weights: [1, 2, Number.NaN, 4], outputs: 2, inputs: 2 } });
  await refused({ w: values(2, 3, { scale: [1] }) });
  await refused({ w: values(2, 3, { inputRange: -1 }) });
  await refused({ w: values(2, 4, { taps: 3 }) });
  await refused({ w: values(2, 300, { taps: 3 }) }, {}, tile({ device: pcmInference, rows: 2 }));
  await refused({ w }, { testVectors: 0 });
  await refused({ w }, { verify: { tolerance: "0 S", pulses: 3 } });
  await refused({ w }, { Gmax: "0 S" });
  await refused({ w }, {}, tile({ device: pcm }));
  await refused({ w }, { Gmax: "10 uS" }, tile({ device: constantStep }));
  const chip = await program({ w }, made, { seed: 1 });
  await fault(() => chip.at("-1 s"));
  await fault(() => chip.at("1 s", { driftCompensation: "columns" as never }));
  expect(faults).toMatchInlineSnapshot(`
    [
      "ConfigError: this tile has no device to write weights onto; tile({ device: pcmInference })",
      "ConfigError: there is no matrix to write",
      "ConfigError: matrix w: 2 x 2 weights are 4 numbers, not 3",
      "ConfigError: matrix w: weight 0 of output 1 is NaN",
      "ConfigError: matrix w: scale is a number for each of 2 outputs, not 1",
      "ConfigError: matrix w: the input range of tile 0 is -1, not a positive number",
      "ConfigError: matrix w: 4 inputs are not channels of 3 taps",
      "ConfigError: matrix w: a kernel of 3 cells does not fit on a tile of 2 rows",
      "ConfigError: testVectors are "one-hot" or a whole number from 1 on, not 0",
      "ConfigError: verify.tolerance is a positive conductance, not 0 S",
      "ConfigError: weights need 0 <= Gmin < Gmax, not 0 S and 0 S",
      "ConfigError: PCM, accumulation has no pulse program with a target; write it in a loop: verify: { tolerance: "1 uS", pulses: 100 }",
      "ConfigError: constant step has no pulse program with a target; write it in a loop: verify: { tolerance: "1 uS", pulses: 100 }",
      "ConfigError: a chip is looked at after it was programmed, not at -1 s",
      "ConfigError: driftCompensation is global, column, gain or none, not columns",
    ]
  `);
});
