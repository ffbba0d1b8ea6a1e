/** Learning by trains: counts and moments against aihwkit's (golden/pulsed_aihwkit.json), and the mean change. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { pcmExponentialStep } from "../../models/pcm.ts";
import * as presets from "../../models/step-presets.ts";
import type { Rule } from "../../src/analog/rules.ts";
import { type Device, learner, moments, storageOf, zero } from "./arrays.ts";

interface Moments {
  readonly updates: number;
  readonly rate: number;
  readonly step: number;
  readonly mean: readonly number[];
  readonly sd: readonly number[];
  readonly fourth: readonly number[];
  readonly projected: readonly [mean: number, sd: number];
}

interface Golden {
  readonly about: {
    readonly X: readonly number[];
    readonly D: readonly number[];
    readonly tiles: number;
    readonly step: number;
  };
  readonly counts: readonly {
    readonly kind: "DETERMINISTIC_IMPLICIT" | "MEAN_COUNT";
    readonly managed: "length" | "balance" | "none";
    readonly rate: number;
    readonly x: readonly number[];
    readonly d: readonly number[];
    readonly pulses: readonly number[];
  }[];
  readonly presets: Readonly<Record<string, Moments>>;
  readonly gathered: Readonly<Record<string, Moments>>;
}

const golden = JSON.parse(
  readFileSync(new URL("../golden/pulsed_aihwkit.json", import.meta.url), "utf8"),
) as Golden;
const { X, D, tiles, step } = golden.about;

/** A device without spread whose every pulse is `step` of a weight. */
const even = presets.idealized.with({
  step: `${step * 10} uS`,
  stepSd: 0,
  pulseSd: 0,
  topSd: "0 S",
  bottomSd: "0 S",
  resetSd: "0 S",
});

const pulsesOf = (weights: Float32Array): number[] => [...weights].map((w) => Math.round(w / step) + 0);

test("trains that draw nothing give aihwkit's pulses, cell by cell", async () => {
  const kinds = { DETERMINISTIC_IMPLICIT: "deterministic", MEAN_COUNT: "mean count" } as const;
  for (const { kind, managed, rate, x, d, pulses } of golden.counts) {
    const { weights, learn } = await learner({
      rows: 5,
      columns: 7,
      storage: storageOf(even, step),
      rule: { kind: "pulsed", trains: { kind: kinds[kind], managed } },
      seed: "1",
    });
    learn(d, x, rate);
    expect(pulsesOf(weights.values())).toEqual(pulses);
  }
  expect(golden.counts.some(({ pulses }) => pulses.some((n) => Math.abs(n) > 20))).toBe(true);
});

test("probabilities are rounded to steps of the resolution", async () => {
  const x = [1, 0.55, -0.33, 0.11, 0];
  const d = [0.016, -0.0088, 0.0032];
  const { weights, learn } = await learner({
    rows: 3,
    columns: 5,
    storage: storageOf(even, step),
    rule: { kind: "pulsed", trains: { kind: "deterministic", resolution: 0.25 } },
    seed: "1",
  });
  learn(d, x, 1); // 16 pulses for the largest pair: both have probability 1
  const share = (values: readonly number[]) => values.map((v) => Math.round(4 * (v / values[0])) / 4);
  const expected = share(d).flatMap((own) => share(x).map((other) => -16 * own * other + 0));
  expect(pulsesOf(weights.values())).toEqual(expected);
});

describe("the mean change is -rate d x where pulses are what they are taken for", () => {
  const [rows, columns, updates] = [4, 6, 600];
  const x = [0.8, -0.3, 0.05, 0, 0.5, -0.8];
  const d = [0.02, -0.05, 0.001, 0.04];
  const scores = async (trains: Extract<Rule, { kind: "pulsed" }>["trains"], rate: number) => {
    const { weights, learn } = await learner({
      rows,
      columns,
      storage: storageOf(even, step),
      rule: { kind: "pulsed", trains },
      seed: "mean",
    });
    const sums = new Float64Array(rows * columns);
    const squares = new Float64Array(rows * columns);
    let before = weights.values();
    for (let n = 0; n < updates; n++) {
      const sign = n % 2 === 0 ? 1 : -1; // back and forth, within the bounds
      learn(
        d,
        x.map((value) => sign * value),
        rate,
      );
      const after = weights.values();
      for (const [k, w] of after.entries()) {
        const change = sign * (w - before[k]);
        sums[k] += change;
        squares[k] += change * change;
      }
      before = after;
    }
    return (factor: number): number[] =>
      [...sums].map((sum, k) => {
        const mean = sum / updates;
        const expected = -factor * rate * d[Math.floor(k / columns)] * x[k % columns];
        const variance = Math.max(0, squares[k] / updates - mean * mean) / updates;
        // each pulse is rounded to a float32 conductance: 2^-23 of a weight
        return Math.abs(mean - expected) / Math.sqrt(variance + (31 * 2 ** -23) ** 2);
      });
  };
  // normal quantile of 1 - 1e-6 / 48
  const limit = 5.5;

  test.each([
    { name: "managed length", trains: {}, rate: 0.2 },
    { name: "balance", trains: { managed: "balance" }, rate: 0.2 },
    { name: "nothing managed", trains: { managed: "none", slots: 31 }, rate: 0.031 },
    { name: "a negative rate", trains: {}, rate: -0.2 },
  ] as const)("$name; 25 % more is not", async ({ trains, rate }) => {
    const scoresOf = await scores(trains, rate);
    expect(Math.max(...scoresOf(1))).toBeLessThan(limit);
    expect(Math.max(...scoresOf(1.25))).toBeGreaterThan(limit);
  });
});

const models: Readonly<Record<string, Device>> = {
  ReRamES: presets.reRamES,
  ReRamSB: presets.reRamSB,
  Capacitor: presets.capacitor,
  EcRam: presets.ecRam,
  EcRamMO: presets.ecRamMO,
  Idealized: presets.idealized,
  GokmenVlasov: presets.gokmenVlasov,
  PCM: pcmExponentialStep,
  ReRamArrayOM: presets.reRamArrayOM,
  ReRamArrayHfO2: presets.reRamArrayHfO2,
};

const copies = 250;

/** Weights of `copies` arrays of 4 x 4 side by side in one, each learning by updates of its own: [copy][4][4]. */
async function learnt(
  name: string,
  rule: Rule,
  { updates, rate, step }: Moments,
  faster = 1,
): Promise<Float64Array[]> {
  const storage = storageOf(models[name], step, "40 uS");
  const { weights, arrays, learn } = await learner({
    rows: 4,
    columns: 4 * copies,
    storage,
    rule,
    seed: name,
  });
  const [cells] = arrays;
  if (storage.groups === 1) zero(cells);
  else for (const group of [0, 1] as const) cells.set("G", new Float32Array(16 * copies), group);
  const sign = storage.groups === 1 ? 1 : -1;
  const d = D.map((value) => (sign === 1 ? value : -Math.abs(value)));
  const x = new Float32Array(4 * copies);
  // copies take turns, so that no train is shared
  for (let n = 0; n < updates; n++)
    for (let copy = 0; copy < copies; copy++) {
      for (let c = 0; c < 4; c++) x[4 * copy + c] = sign === 1 ? X[c] : Math.abs(X[c]);
      learn(d, x, faster * rate);
      x.fill(0, 4 * copy, 4 * copy + 4);
    }
  const all = weights.values();
  return Array.from({ length: copies }, (_, copy) =>
    Float64Array.from({ length: 16 }, (_, k) => all[(k >> 2) * 4 * copies + 4 * copy + (k & 3)]),
  );
}

/** Distances from aihwkit's moments, in standard errors of both samples. */
function distances(samples: readonly Float64Array[], { mean, sd, fourth, projected }: Moments) {
  const share = Math.sqrt(1 / copies + 1 / tiles);
  const cells = mean.map((_, k) => moments(samples.map((sample) => sample[k])));
  const moved = [...sd.keys()].filter((k) => sd[k] > 0 || cells[k].sd > 0);
  const sums = moments(samples.map((sample) => sample.reduce((sum, w, k) => sum + w * mean[k], 0)));
  return {
    mean: Math.max(...moved.map((k) => Math.abs(cells[k].mean - mean[k]) / (sd[k] * share))),
    // the variance of a variance is (fourth moment - its square) / n
    sd: Math.max(
      ...moved.map(
        (k) => Math.abs(cells[k].sd ** 2 - sd[k] ** 2) / (Math.sqrt(fourth[k] - sd[k] ** 4) * share),
      ),
    ),
    projected: Math.abs(sums.mean - projected[0]) / (projected[1] * share),
  };
}

/** Normal quantile of 1 - 1e-6 / 1000: 33 distances of fourteen runs, on two sides. */
const limit = 6;

describe.each(Object.entries(golden.presets))("%s against aihwkit", (name, told) => {
  test("means and spreads of weights after updates are the same", async () => {
    const { mean, sd, projected } = distances(await learnt(name, { kind: "pulsed" }, told), told);
    expect(mean).toBeLessThan(limit);
    expect(sd).toBeLessThan(limit);
    expect(projected).toBeLessThan(limit);
  });
});

describe.each(Object.entries(golden.gathered))("%s against aihwkit, gathered", (name, told) => {
  test("means and spreads of weights after updates are the same", async () => {
    const { mean, sd, projected } = distances(
      await learnt(name, { kind: "gathered", trains: {} }, told),
      told,
    );
    expect(mean).toBeLessThan(limit);
    expect(sd).toBeLessThan(limit);
    expect(projected).toBeLessThan(limit);
  });
});

test("gathered changes are written by exactly so many pulses, and what is left waits", async () => {
  const { weights, arrays, learn } = await learner({
    rows: 2,
    columns: 3,
    storage: storageOf(even, step),
    rule: { kind: "gathered" },
    seed: "1",
  });
  const chi = new Float64Array(6);
  const given = new Float64Array(6);
  for (let n = 0; n < 9; n++) {
    const x = [0.9137, -0.3521 * n, 0.2113];
    const d = [0.5, n % 2 === 0 ? -1.0713 : 2.0311];
    learn(d, x, 0.01);
    for (let k = 0; k < 6; k++) {
      chi[k] -= 0.01 * d[Math.floor(k / 3)] * x[k % 3];
      if (n === 0) continue; // none after the first
      const whole = Math.max(-31, Math.min(31, Math.trunc(chi[k] / step)));
      given[k] += whole;
      chi[k] -= whole * step;
    }
    expect(pulsesOf(weights.values())).toEqual([...given].map((count) => count + 0));
  }
  expect(arrays[0].pulses).toBeGreaterThan(100);
});

test("the comparison rejects rates that are 8 % higher", async () => {
  for (const name of ["EcRam", "GokmenVlasov"]) {
    const told = golden.presets[name];
    const { projected } = distances(await learnt(name, { kind: "pulsed" }, told, 1.08), told);
    expect(projected).toBeGreaterThan(limit);
  }
});
