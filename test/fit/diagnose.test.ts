import * as fs from "node:fs";
import { describe, expect, test } from "vitest";
import {
  autocorrelationTime,
  bulkSize,
  diagnose,
  rankRHat,
  splitRHat,
  tailSize,
} from "../../src/fit/diagnose.ts";
import type { Chain } from "../../src/fit/ensemble.ts";
import { normalQuantile } from "../../src/math/normal.ts";
import { randomKey, uniform } from "../../src/math/random.ts";

const golden: Readonly<
  Record<
    string,
    { draws: number[][]; splitRHat: number; rankRHat: number; bulk: number; tail: number; time: number }
  >
> = JSON.parse(fs.readFileSync(new URL("../golden/fit_chains.json", import.meta.url), "utf8")).chains;

test.each(Object.entries(golden))(
  "%s chains: R-hat and sizes of arviz, time of emcee, to 1e-9",
  (_, expected) => {
    const series = expected.draws.map((draws) => Float64Array.from(draws));
    expect(splitRHat(series) / expected.splitRHat).toBeCloseTo(1, 9);
    expect(rankRHat(series) / expected.rankRHat).toBeCloseTo(1, 9);
    expect(bulkSize(series) / expected.bulk).toBeCloseTo(1, 9);
    expect(tailSize(series) / expected.tail).toBeCloseTo(1, 9);
    expect(autocorrelationTime(series) / expected.time).toBeCloseTo(1, 9);
  },
);

describe("diagnose", () => {
  const key = randomKey(2, "diagnose");
  const normal = (stream: number, walker: number, draw: number) =>
    normalQuantile(uniform(key, stream, walker, draw));
  const [walkers, draws] = [20, 2000];
  const chain = (points: (walker: number, draw: number) => readonly number[]): Chain => {
    const all = Array.from({ length: draws * walkers }, (_, k) =>
      points(k % walkers, Math.floor(k / walkers)),
    );
    return {
      names: all[0].map((_, i) => `x${i}`),
      walkers,
      draws,
      points: Float64Array.from(all.flat()),
      logLikelihoods: new Float64Array(draws * walkers),
      acceptance: 1,
    };
  };

  test("independent draws are worth themselves, drawn five times each a fifth of that", () => {
    const [once, five] = diagnose(
      chain((w, d) => [normal(0, w, d), 3 + 2 * normal(1, w, Math.floor(d / 5))]),
    );
    // sum of the first 5 lags: error of the time 2 sqrt(5 / 40000) = 2.2 %
    expect(Math.abs(once.autocorrelationTime - 1)).toBeLessThan(0.11);
    expect(Math.abs(five.autocorrelationTime / 5 - 1)).toBeLessThan(0.25);
    expect(once.effectiveSize * once.autocorrelationTime).toBeCloseTo(draws * walkers, 6);
    expect(once.standardError).toBeCloseTo(once.deviation / Math.sqrt(once.effectiveSize), 12);
    expect(Math.abs(five.mean - 3)).toBeLessThan(4.9 * five.standardError);
    expect(Math.abs(five.bulkSize / ((draws * walkers) / 5) - 1)).toBeLessThan(0.25);
    expect(once.rHat).toBeLessThan(1.002);
    expect(once.longEnough && five.longEnough).toBe(true);
  });

  test("walkers that stay apart, or that never move, are seen", () => {
    const [apart, still, drifting] = diagnose(
      chain((w, d) => [normal(0, w, d) + (w % 2), w, d / 100 + normal(1, w, d)]),
    );
    expect(apart.rHat).toBeGreaterThan(1.1);
    expect(apart.bulkSize).toBeLessThan(100);
    expect(still.longEnough).toBe(false);
    expect(still.effectiveSize).toBe(0);
    expect(drifting.rHat).toBeGreaterThan(1.5);
    expect(drifting.longEnough).toBe(false);
  });

  test("less than four draws are an error", () => {
    expect(() => splitRHat([Float64Array.of(1, 2, 3)])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: a chain of 3 draws is too short to be diagnosed]`,
    );
  });
});
