/** Intervals: elephant's values, closed forms of gamma processes, bins. */
import { describe, expect, test } from "vitest";
import { poissonTrains } from "../../src/encode/rate.ts";
import { type Raster, raster } from "../../src/engine/raster.ts";
import { isiHistogram, localVariation } from "../../src/report/intervals.ts";
import { byCell, isiCv } from "../../src/report/measures.ts";
import { limit, moments } from "../device/distribution.ts";
import { cases, rasterOf } from "./recorded.ts";

function trains(times: readonly (readonly number[])[], duration: number): Raster {
  const t = times.flat();
  const i = times.flatMap((own, cell) => own.map(() => cell));
  return raster({ t, i }, times.length, duration);
}

describe("elephant 1.2.1 gives the same CV, CV2, LV and LvR", () => {
  for (const each of cases)
    test(each.name, () => {
      const spikes = rasterOf(each);
      expect(isiCv(spikes)).toBeCloseTo(each.elephant.CV, 10);
      for (const kind of ["CV2", "LV", "LvR"] as const)
        expect(localVariation(spikes, kind), kind).toBeCloseTo(each.elephant[kind], 10);
    });
});

/** Every `order`-th spike of Poisson trains: gamma processes of that order, 100 intervals a cell. */
function gamma(order: number, cells = 400): Raster {
  const rates = new Array(cells).fill(100);
  const all = poissonTrains(rates, { duration: `${order * 1.02} s`, seed: 11, dt: "1 us" });
  const kept = byCell(all).map((times) => Array.from(times).filter((_, k) => k % order === 0));
  return trains(kept, all.duration);
}

test("a gamma process of order k has LV 3 / (2 k + 1), order 1 also CV2 = 1; 5 % more is outside the error", () => {
  // I / (I + J) follows Beta(k, k): E (I - J)^2 / (I + J)^2 = 1 / (2 k + 1); |I - J| / (I + J) is uniform at k = 1
  const errors = (order: number, kind: "LV" | "CV2", expected: number) => {
    const spikes = gamma(order);
    const own = byCell(spikes).map((times) => localVariation(trains([Array.from(times)], 10), kind));
    const { mean, sd } = moments(own);
    expect(localVariation(spikes, kind)).toBeCloseTo(mean, 12);
    return Math.abs(mean - expected) / (sd / Math.sqrt(own.length));
  };
  for (const order of [1, 2, 4]) {
    expect(errors(order, "LV", 3 / (2 * order + 1))).toBeLessThan(limit);
    expect(errors(order, "LV", (1.05 * 3) / (2 * order + 1))).toBeGreaterThan(limit);
  }
  expect(errors(1, "CV2", 1)).toBeLessThan(limit);
  expect(errors(2, "CV2", 1)).toBeGreaterThan(limit);
});

test("a rate that changes slowly leaves LV alone, and raises the CV", () => {
  const times = Array.from({ length: 200 }, (_, k) => (k / 200) ** 2); // intervals grow a hundredfold, smoothly
  expect(localVariation(trains([times], 1))).toBeLessThan(0.03);
  expect(isiCv(trains([times], 1))).toBeGreaterThan(0.5);
});

test("two spikes make no local variation, cells are averaged, unknown kinds are refused", () => {
  expect(localVariation(trains([[0.1, 0.2]], 1))).toBeNaN();
  const [a, b] = [
    [0.1, 0.2, 0.4],
    [0.1, 0.2, 0.5, 0.6],
  ];
  const own = [a, b].map((times) => localVariation(trains([times], 1), "CV2"));
  expect(own[0]).toBeCloseTo(2 / 3, 12);
  expect(own[1]).toBeCloseTo(1, 12);
  expect(localVariation(trains([a, b, [0.3]], 1), "CV2")).toBeCloseTo((own[0] + own[1]) / 2, 12);
  // @ts-expect-error no such kind
  expect(() => localVariation(trains([a], 1), "CV3")).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: the local variation is LV, CV2 or LvR, not CV3]`,
  );
});

test("a histogram of intervals has each in the bin that begins at or before it", () => {
  const spikes = trains(
    [
      [0.1, 0.2, 0.45],
      [0, 0.3],
    ],
    0.5,
  );
  const all = isiHistogram(spikes, { bin: "100 ms" });
  expect([...all.counts]).toEqual([0, 1, 1, 1]);
  expect(all.edges.length).toBe(5);
  expect([...isiHistogram(spikes, { bin: "100 ms", to: "200 ms" }).counts]).toEqual([0, 1]);
  expect([...isiHistogram(spikes, { bin: "100 ms", cell: 1 }).counts]).toEqual([0, 0, 0, 1]);
  expect([...isiHistogram(trains([[0.1]], 1), { bin: "100 ms" }).counts]).toEqual([0]);
  expect(() => isiHistogram(spikes, { bin: "0 ms" })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: a bin is longer than 0 s, not 0 ms]`,
  );
  expect(() => isiHistogram(spikes, { bin: "1 ms", cell: 2 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: there is no cell 2 among 2]`,
  );
});
