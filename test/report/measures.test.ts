import fc from "fast-check";
import { expect, test } from "vitest";
import { type Raster, raster } from "../../src/engine/raster.ts";
import { coincidence, fano, isiCv, meanRate, rates } from "../../src/report/measures.ts";

function trains(times: readonly (readonly number[])[], duration: number): Raster {
  const t = times.flat();
  const i = times.flatMap((own, cell) => own.map(() => cell));
  return raster({ t, i }, times.length, duration);
}

/** A small generator, so that the statistics below are the same on every run. */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    let x = state ^ (state >>> 15);
    x = Math.imul(x, 0x2c1b3c6d);
    return ((x ^ (x >>> 12)) >>> 0) / 2 ** 32;
  };
}

function poissonTrains(cells: number, rate: number, duration: number, shape = 1): Raster {
  const random = uniform(7);
  const times = Array.from({ length: cells }, () => {
    const own: number[] = [];
    for (let t = 0; ; ) {
      for (let k = 0; k < shape; k++) t -= Math.log(1 - random()) / (rate * shape);
      if (t >= duration) return own;
      own.push(t);
    }
  });
  return trains(times, duration);
}

test("the mean rate counts silent cells too", () => {
  expect(meanRate(trains([[0.1, 0.2, 0.3], []], 0.5))).toBe(3);
  expect(meanRate(trains([[], []], 0.5))).toBe(0);
});

test("rates are per cell, of a window when one is given, its start in and its end out", () => {
  const spikes = trains([[0.1, 0.2, 0.3], [], [0.4]], 0.5);
  expect([...rates(spikes)]).toEqual([6, 0, 2]);
  expect([...rates(spikes, { from: "100 ms", to: "300 ms" })]).toEqual([2 / (0.3 - 0.1), 0, 0]);
  expect(() => rates(spikes, { from: "300 ms", to: "300 ms" })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: the window of rates ends at 0.3 s, before it starts at 0.3 s]`,
  );
});

test("the ISI CV is 0 for a clock, sqrt(1/k) for a gamma process of order k; 1 is outside its error then", () => {
  const clock = trains([Array.from({ length: 100 }, (_, k) => k / 128)], 1); // exact in binary
  expect(isiCv(clock)).toBe(0);
  // A cell's CV from n intervals is biased by about -1/n for a Poisson process and its sd is below 1/sqrt(n): with
  // 200 cells of n = 200 the mean has sd 0.005, so 6 sd + bias stay below 0.04.
  expect(Math.abs(isiCv(poissonTrains(200, 100, 2)) - 1)).toBeLessThan(0.04);
  const gamma = isiCv(poissonTrains(200, 100, 2, 4));
  expect(Math.abs(gamma - 0.5)).toBeLessThan(0.04);
});

test("the ISI CV uses cells of three spikes and more, with divisor n, and is NaN without any", () => {
  // intervals 1 and 3: mean 2, sd 1
  expect(isiCv(trains([[0, 1, 4], [2, 3], []], 5))).toBeCloseTo(0.5, 15);
  expect(isiCv(trains([[1, 2]], 5))).toBeNaN();
});

test("the Fano factor of counts 1, 3 is 1; of a clock 0; of a Poisson process near 1", () => {
  expect(fano(trains([[0.1, 1.2, 1.4, 1.6], []], 2), "1 s")).toBe(1); // mean 2, variance 2
  expect(fano(trains([Array.from({ length: 40 }, (_, k) => (k + 0.5) / 20)], 2), "500 ms")).toBe(0);
  // 400 cells of 20 windows: sd of a cell's factor about sqrt(2/19) = 0.32, of the mean 0.016; 6 sd = 0.1.
  expect(Math.abs(fano(poissonTrains(400, 50, 2), "100 ms") - 1)).toBeLessThan(0.1);
  expect(Math.abs(fano(poissonTrains(400, 50, 2, 4), "100 ms") - 1)).toBeGreaterThan(0.4);
  expect(() => fano(trains([[0.1]], 1), "0.8 s")).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: a Fano factor needs two windows; 0.8 s fits 1 times in 1 s]`,
  );
});

test("coincidence is one to one: two actual spikes near one desired count once", () => {
  const desired = trains([[0.1, 0.5], [0.3]], 1);
  const actual = trains([[0.09, 0.11, 0.6], [0.3]], 1);
  expect(coincidence(actual, desired, "25 ms")).toEqual({
    recall: 2 / 3,
    precision: 2 / 4,
    matched: 2,
    desired: 3,
    actual: 4,
  });
});

test("the tolerance includes its ends, and rounding of ticks cannot push a spike out", () => {
  const matched = (late: number, ticks: number) =>
    coincidence(trains([[(ticks + late) * 1e-4]], 2), trains([[ticks * 1e-4]], 2), "25 ms").matched;
  let beyond = 0;
  for (let ticks = 300; ticks < 3000; ticks++) {
    if ((ticks + 250) * 1e-4 - ticks * 1e-4 > 0.025) beyond++;
    expect([-251, -250, 250, 251].map((late) => matched(late, ticks))).toEqual([0, 1, 1, 0]);
  }
  expect(beyond).toBeGreaterThan(100); // what rounding would do
});

test("a spike of another cell does not count; nothing desired has no recall", () => {
  const matched = coincidence(trains([[], [0.1]], 1), trains([[0.1], []], 1), "25 ms");
  expect(matched.matched).toBe(0);
  const empty = coincidence(trains([[0.1]], 1), trains([[]], 1), "25 ms");
  expect([empty.recall, empty.precision]).toEqual([Number.NaN, 0]);
  expect(() => coincidence(trains([[]], 1), trains([[], []], 1), "1 ms")).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: rasters of 1 actual and 2 desired cells cannot coincide]`,
  );
});

test("greedy matching in order of time finds as many pairs as any matching", () => {
  const times = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 7 });
  fc.assert(
    fc.property(times, times, fc.integer({ min: 0, max: 12 }), (a, d, reach) => {
      const actual = trains([a.map((tick) => tick / 1000)], 0.1);
      const desired = trains([d.map((tick) => tick / 1000)], 0.1);
      const { matched } = coincidence(actual, desired, `${reach} ms`);
      expect(matched).toBe(mostPairs([...d], a, reach));
    }),
    { seed: 5, numRuns: 400 },
  );
});

/** The size of the largest matching, by trying everything. */
function mostPairs(desired: number[], actual: readonly number[], reach: number): number {
  if (desired.length === 0) return 0;
  const [first, ...rest] = desired;
  let best = mostPairs(rest, actual, reach);
  for (const [k, t] of actual.entries())
    if (Math.abs(t - first) <= reach)
      best = Math.max(best, 1 + mostPairs(rest, actual.toSpliced(k, 1), reach));
  return best;
}
