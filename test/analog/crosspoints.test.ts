/** Arrays of devices under many pulses, against the engine's own devices and a reader's version of one of them. */
import { describe, expect, test } from "vitest";
import { memorylessPcm, pcm, pcmExponentialStep } from "../../models/pcm.ts";
import { piecewiseStep, powerStep, softBounds } from "../../models/step-devices.ts";
import * as presets from "../../models/step-presets.ts";
import type { Crosspoints } from "../../src/analog/crosspoints.ts";
import { device, differentialPair, fabricate, referenceDevice } from "../../src/index.ts";
import { randomKey } from "../../src/math/random.ts";
import * as plain from "../tensor/plain.ts";
import { cellsOf, type Device, moments, storageOf, zero } from "./arrays.ts";

const f = Math.fround;
const [rows, columns] = [30, 50];

const range = { Gref: "40 uS", Gmin: "30 uS", Gmax: "50 uS", topSd: "1 uS", bottomSd: "1 uS" } as const;
const spread = { step: "0.1 uS", stepSd: 0.3, skewSd: 0.01, pulseSd: 0.3 } as const;
const devices: Readonly<Record<string, Device>> = {
  ...(presets as unknown as Record<string, Device>),
  powerStep: powerStep.with({ ...range, ...spread, gamma: 1.6, gammaSd: 0.1, writeSd: "0.2 uS" }),
  piecewiseStep: piecewiseStep({ up: [1.2, 0.9, 0.7, 0.4], down: [0.1, 0.5, 0.8, 1.1] }).with({
    ...range,
    ...spread,
  }),
  softBounds: softBounds.with({ ...range, ...spread, asymmetry: 0.2 }),
  pcm,
  memorylessPcm,
  pcmExponentialStep,
};

/** So many pulses to every cell, as signed counts of a row, `each` in an update. */
function pulse(cells: Crosspoints, count: number, each = 31): void {
  for (let left = Math.abs(count); left > 0; left -= each) {
    cells.begin();
    for (let row = 0; row < cells.rows; row++) {
      cells.counts.fill(Math.sign(count) * Math.min(left, each));
      cells.pulse(row);
    }
  }
}

/** Normal quantile of 1 - 1e-6 / 60: two figures of fifteen devices, on two sides. */
const limit = 5.6;

/** Distances of weights after 60 pulses up and 25 down from those of the engine, in standard errors. */
async function distances(model: Device, { up = 60 } = {}, engines = model) {
  const storage = storageOf(model, 0.01);
  const pair = storage.groups === 2;
  const size = rows * columns;
  const cells = await cellsOf(rows, columns, storage);
  pulse(cells, up);
  if (!pair) pulse(cells, -25);
  const many = await fabricate(4 * size, engines, { seed: "many" });
  for (let n = 0; n < 60; n++) many.pulse(storage.increase);
  if (!pair) for (let n = 0; n < 25; n++) many.pulse("down");
  const ours = pair ? cells.get("G").map((G) => 1e5 * G) : cells.values();
  const theirs = many.read({ noise: false }).map((G) => 1e5 * (G - storage.reference));
  const [own, other] = [moments(ours), moments(theirs)];
  const fourth = theirs.reduce((sum, w) => sum + (w - other.mean) ** 4, 0) / theirs.length;
  const share = Math.sqrt(1 / size + 1 / (4 * size));
  return {
    mean: Math.abs(own.mean - other.mean) / (other.sd * share),
    sd: Math.abs(own.sd ** 2 - other.sd ** 2) / (Math.sqrt(fourth - other.sd ** 4) * share),
  };
}

describe.each(Object.entries(devices))("%s", (_, model) => {
  test("weights after pulses are distributed as the engine's", async () => {
    const { mean, sd } = await distances(model);
    expect(mean).toBeLessThan(limit);
    expect(sd).toBeLessThan(limit);
  });
});

test("two pulses of sixty more, or a spread that is a fifth larger, are told apart", async () => {
  expect((await distances(presets.ecRam, { up: 62 })).mean).toBeGreaterThan(limit);
  const wider = presets.ecRam.with({ pulseSd: 2 });
  expect((await distances(wider, {}, presets.ecRam)).sd).toBeGreaterThan(limit);
});

test("pulses change weights by what a reader of the text computes, draw by draw", async () => {
  const storage = storageOf(presets.gokmenVlasov, 0.0016);
  const cells = await cellsOf(3, 10, storage, "draws");
  const of = (name: string) => cells.get(name);
  const [top, bottom, gain, skew] = [of("Gtop"), of("Gbottom"), of("gain"), of("skew")];
  const G = of("G");
  const key = randomKey("draws", "pulses", 0);
  const counts = [3, 0, -2, 31, -31, 1, 0, 7, -1, 2];
  for (const update of [1, 2]) {
    cells.begin();
    for (const row of [2, 0]) {
      cells.counts.set(counts);
      cells.pulse(row);
      let draw = 0;
      for (const [c, count] of counts.entries())
        for (let n = 0; n < Math.abs(count); n++, draw++) {
          const k = 10 * row + c;
          const sign = Math.sign(count);
          const step = f(f(1.6e-8) * Math.abs(f(gain[k] + sign * skew[k])));
          const size = f(step * f(1 + f(f(0.3) * plain.normal(key, row, draw, update))));
          G[k] = Math.min(Math.max(f(G[k] + sign * size), bottom[k]), top[k]);
        }
    }
  }
  const got = cells.get("G");
  // each pulse rounds at most three times otherwise, by 2^-24 of 4e-5 S
  for (const [k, value] of G.entries()) expect(Math.abs(got[k] - value)).toBeLessThan(124 * 2 ** -24 * 5e-5);
  expect(cells.pulses).toBe(4 * counts.reduce((sum, n) => sum + Math.abs(n), 0));
  for (let c = 0; c < 10; c++) expect(got[10 + c]).toBe(G[10 + c]); // row 1 got none
});

test("rows in any order, and cells in whatever company of rows, get the same", async () => {
  const run = async (order: readonly number[]) => {
    const cells = await cellsOf(4, 9, storageOf(presets.reRamSB, 0.002));
    cells.begin();
    for (const row of order) {
      for (let c = 0; c < 9; c++) cells.counts[c] = ((row + 3 * c) % 7) - 3;
      cells.pulse(row);
    }
    return cells.values();
  };
  const all = await run([0, 1, 2, 3]);
  expect(await run([3, 1, 0, 2])).toEqual(all);
  expect((await run([2])).subarray(18, 27)).toEqual(all.subarray(18, 27));
});

test("what a write leaves on a cell is drawn once for an update, and only where there was a pulse", async () => {
  const cells = await cellsOf(rows, columns, storageOf(presets.reRamSB, 0.002));
  const before = cells.get("Gw");
  cells.begin();
  cells.counts.fill(0);
  for (let c = 0; c < columns; c += 2) cells.counts[c] = 5;
  for (let row = 0; row < rows; row++) cells.pulse(row);
  const after = cells.get("Gw");
  const changed = [...after].map((value, k) => value !== before[k]);
  expect(changed).toEqual(Array.from({ length: rows * columns }, (_, k) => k % 2 === 0));
  const { mean, sd } = moments([...after].filter((_, k) => changed[k]));
  const n = (rows * columns) / 2;
  expect(Math.abs(mean) / (1.12e-6 / Math.sqrt(n))).toBeLessThan(5);
  expect(Math.abs(sd / 1.12e-6 - 1)).toBeLessThan(5 / Math.sqrt(2 * n));
});

test("a device that leaks starts from what is left", async () => {
  const still = presets.capacitor.with({ tauSd: 0, pulseSd: 0, stepSd: 0, skewSd: 0, gammaSd: 0 } as never);
  const cells = await cellsOf(2, 4, storageOf(still, 0.005));
  zero(cells);
  pulse(cells, 10);
  const full = cells.values();
  cells.wait("500 s");
  const left = cells.values();
  for (const [k, w] of left.entries()) expect(w).toBeCloseTo(full[k] * Math.exp(-0.5), 6);
  pulse(cells, 1);
  const slope = (0.05 * 0.005) / 1; // of the step per weight
  for (const [k, w] of cells.values().entries()) expect(w).toBeCloseTo(left[k] + 0.005 - slope * left[k], 5);
  cells.wait("0 s");
  expect(cells.values()[0]).toBeCloseTo(cells.values()[0], 7);
});

test("a pair goes up on one device or the other, or on one up and on the other down", async () => {
  const quiet = presets.gokmenVlasov.with({
    pulseSd: 0,
    stepSd: 0,
    skewSd: 0,
    topSd: "0 S",
    bottomSd: "0 S",
    resetSd: "0 S",
  } as never);
  const options = { weightPerConductance: "0.1 1/uS", step: "16 nS" } as const;
  for (const opposite of [false, true]) {
    const cells = await cellsOf(1, 8, differentialPair(quiet, { ...options, opposite }));
    expect(cells.step).toBeCloseTo(opposite ? 0.0032 : 0.0016, 9);
    cells.begin();
    cells.counts.set([4, -3, 0, 1, 0, 0, -1, 2]);
    cells.pulse(0);
    const [plus, minus] = [cells.get("G", 0), cells.get("G", 1)].map((G) =>
      [...G].map((g) => Math.round((g - 40e-6) / 16e-9) + 0),
    );
    expect(plus).toEqual(opposite ? [4, -3, 0, 1, 0, 0, -1, 2] : [4, 0, 0, 1, 0, 0, 0, 2]);
    expect(minus).toEqual(opposite ? [-4, 3, 0, -1, 0, 0, 1, -2] : [0, 3, 0, 0, 0, 0, 1, 0]);
    for (const [c, w] of cells.values().entries()) expect(w).toBeCloseTo(0.0016 * (plus[c] - minus[c]), 5);
  }
});

test("pairs that are full are reset and their difference is written anew", async () => {
  const storage = differentialPair(pcm, {
    weightPerConductance: "0.125 1/uS",
    step: "0.77 uS",
    refresh: { above: "8 uS", difference: "6 uS" },
  });
  const cells = await cellsOf(20, 20, storage);
  pulse(cells, 8);
  pulse(cells, -8);
  const before = [cells.get("G", 0), cells.get("G", 1)];
  const due = [...before[0]].map((a, k) => {
    const b = before[1][k];
    return Math.max(a, b) > 8e-6 && Math.abs(a - b) < 6e-6;
  });
  cells.refresh(3);
  expect(cells.refreshed).toBe(due.filter((is) => is).length);
  expect(cells.refreshed).toBeGreaterThan(100);
  const after = [cells.get("G", 0), cells.get("G", 1)];
  for (const [k, is] of due.entries()) {
    if (!is) {
      expect(after[0][k]).toBe(before[0][k]);
      continue;
    }
    const steps = Math.min(3, Math.round(Math.abs(before[0][k] - before[1][k]) / 0.77e-6));
    const larger = before[0][k] > before[1][k] ? 0 : 1;
    expect(after[1 - larger][k]).toBeLessThan(0.2e-6); // as after a RESET
    if (steps === 0) expect(after[larger][k]).toBeLessThan(0.2e-6);
  }
});

test("weights are written to within a step, whatever the device's own", async () => {
  const cells = await cellsOf(12, 11, storageOf(presets.gokmenVlasov, 0.0016));
  const target = plain.numbers(12 * 11, 4).map((v) => 0.6 * v);
  cells.write(target);
  const worst = Math.max(...cells.values().map((w, k) => Math.abs(w - target[k])));
  expect(worst).toBeLessThan(0.0016);
});

test("what cannot stand at a crossing is refused", async () => {
  const counting = device({
    name: "counting",
    source: "test",
    equations: "G : S",
    initial: { G: "0 * G0" },
    on: { up: "G = G + G0 * poisson(3)", down: "G = G - G0" },
    read: "G",
    parameters: { G0: "1 uS" },
  });
  const options = { weightPerConductance: "0.1 1/uS", step: "1 uS", reference: "40 uS" } as const;
  await expect(cellsOf(2, 2, referenceDevice(counting, options))).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: counting draws poisson numbers in a pulse; crossings of trains draw normal and uniform ones]`,
  );
  const several = referenceDevice(presets.ecRam, { ...options, devices: 2 });
  await expect(cellsOf(2, 2, several)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: linear step: weights written by trains have one device, or one for each sign, not 2]`,
  );
  const cells = await cellsOf(2, 3, referenceDevice(presets.ecRam, options));
  expect(() => cells.write([1, 2])).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: 2 x 3 weights are 6 numbers, not 2]`,
  );
  expect(() => cells.get("Gtopp")).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: linear step stores no Gtopp in device 0; did you mean Gtop?]`,
  );
});
