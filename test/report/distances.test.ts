/** Van Rossum's and Victor and Purpura's distances: elephant's values, closed forms, brute force. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { timesOf } from "../../src/engine/raster.ts";
import { vanRossumDistance, victorPurpuraDistance } from "../../src/report/distances.ts";
import { cases, departure, rasterOf } from "./recorded.ts";

describe("elephant 1.2.1 gives the same, to 1e-12 of the largest", () => {
  for (const each of cases) {
    const { tau, vanRossum, victorPurpura } = each.elephant;
    if (tau === undefined || !vanRossum || !victorPurpura) continue;
    test(each.name, () => {
      const spikes = rasterOf(each);
      const trains = Array.from({ length: spikes.size }, (_, i) => timesOf(spikes, i));
      const pairs = trains.flatMap((a, i) => trains.slice(i + 1).map((b) => [a, b] as const));
      const scale = tau * each.tick;
      const ours = pairs.map(([a, b]) => vanRossumDistance(a, b, `${scale} s`));
      expect(ours.length).toBe(vanRossum.length);
      // of squares: the root of a difference near zero loses half of the digits
      const squared = (values: readonly number[]) => values.map((x) => x * x);
      expect(departure(squared(ours), squared(vanRossum))).toBeLessThan(1e-12);
      const moves = pairs.map(([a, b]) => victorPurpuraDistance(a, b, `${1 / scale} Hz`));
      expect(departure(moves, victorPurpura)).toBeLessThan(1e-12);
      // control: another time scale is another distance
      expect(
        departure(
          pairs.map(([a, b]) => vanRossumDistance(a, b, `${1.01 * scale} s`)),
          vanRossum,
        ),
      ).toBeGreaterThan(1e-6);
    });
  }
});

test("one spike d from another: sqrt(2 - 2 exp(-d / tau)) and min(2, q d); against none 1 and 1; two far apart sqrt(2) and 2", () => {
  for (const d of [0, 1e-3, 5e-3, 0.1]) {
    const expected = Math.sqrt(-2 * Math.expm1(-d / 10e-3));
    expect(Math.abs(vanRossumDistance([0.3], [0.3 + d], "10 ms") - expected)).toBeLessThan(1e-7);
    expect(victorPurpuraDistance([0.3], [0.3 + d], "100 Hz")).toBeCloseTo(Math.min(2, 100 * d), 12);
  }
  expect(vanRossumDistance([0.3], [], "10 ms")).toBe(1);
  expect(victorPurpuraDistance([], [0.3], "100 Hz")).toBe(1);
  expect(vanRossumDistance([], [], "10 ms")).toBe(0);
  expect(vanRossumDistance([0.1, 99], [], "10 ms")).toBeCloseTo(Math.SQRT2, 15);
  expect(victorPurpuraDistance([0.1, 99], [], "100 Hz")).toBe(2);
});

test("without a cost of moving only the numbers count; with a great one every spike that has no twin does", () => {
  const [a, b] = [
    [0.1, 0.2, 0.3],
    [0.1, 0.7],
  ];
  expect(victorPurpuraDistance(a, b, "0 Hz")).toBe(1);
  expect(victorPurpuraDistance(a, b, "1e9 Hz")).toBe(3);
  expect(() => victorPurpuraDistance(a, b, "-1 Hz")).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: moving a spike cannot cost -1 Hz]`,
  );
  expect(() => vanRossumDistance(a, b, "0 s")).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: van Rossum's distance needs a positive tau, not 0 s]`,
  );
});

const train = fc
  .uniqueArray(fc.integer({ min: 0, max: 1000 }), { maxLength: 6 })
  .map((ticks) => ticks.sort((x, y) => x - y).map((n) => n * 1e-3));

describe("any two trains", () => {
  test("have the sum over all pairs of their spikes as van Rossum's square, to 1e-12", () => {
    fc.assert(
      fc.property(train, train, (a, b) => {
        const signed = [...a.map((t) => [t, 1] as const), ...b.map((t) => [t, -1] as const)];
        let square = 0;
        for (const [t, s] of signed)
          for (const [u, r] of signed) square += s * r * Math.exp(-Math.abs(t - u) / 0.05);
        expect(Math.abs(vanRossumDistance(a, b, "50 ms") ** 2 - square)).toBeLessThan(1e-12);
      }),
    );
  });

  test("have the least cost of all ways to pair their spikes, tried one by one", () => {
    const least = (a: readonly number[], b: readonly number[], q: number): number => {
      if (a.length === 0) return b.length;
      const [first, ...rest] = a;
      let best = 1 + least(rest, b, q);
      b.forEach((t, k) => {
        const others = b.filter((_, m) => m !== k); // in any order: crossing pairs are never cheaper
        best = Math.min(best, q * Math.abs(t - first) + least(rest, others, q));
      });
      return best;
    };
    fc.assert(
      fc.property(train, train, fc.integer({ min: 1, max: 200 }), (a, b, q) => {
        expect(Math.abs(victorPurpuraDistance(a, b, `${q} Hz`) - least(a, b, q))).toBeLessThan(1e-12);
      }),
      { numRuns: 60 },
    );
  });

  test("are as far as the other way round, and no farther than by way of a third", () => {
    fc.assert(
      fc.property(train, train, train, (a, b, c) => {
        for (const of of [
          (x: number[], y: number[]) => vanRossumDistance(x, y, "30 ms"),
          (x: number[], y: number[]) => victorPurpuraDistance(x, y, "40 Hz"),
        ]) {
          expect(Math.abs(of(a, b) - of(b, a))).toBeLessThan(1e-6);
          expect(of(a, c)).toBeLessThan(of(a, b) + of(b, c) + 1e-6);
        }
      }),
    );
  });
});
