import { expect, test } from "vitest";
import { incompleteBeta, logGamma, studentDistribution, studentQuantile } from "../../src/math/student.ts";
import { estimate, isEstimate } from "../../src/report/estimate.ts";

test("the t quantile equals the printed table to its digits", () => {
  // Abramowitz & Stegun 1964, table 26.10, column 0.975 (two-sided 0.95) and 0.995
  const table: [number, number, number][] = [
    [1, 12.706, 63.657],
    [2, 4.303, 9.925],
    [3, 3.182, 5.841],
    [4, 2.776, 4.604],
    [5, 2.571, 4.032],
    [10, 2.228, 3.169],
    [30, 2.042, 2.75],
    [120, 1.98, 2.617],
  ];
  for (const [freedom, p975, p995] of table) {
    expect(Math.abs(studentQuantile(0.975, freedom) - p975)).toBeLessThanOrEqual(0.0005);
    expect(Math.abs(studentQuantile(0.995, freedom) - p995)).toBeLessThanOrEqual(0.0005);
  }
});

test("the t distribution has its closed forms for 1 and 2 degrees of freedom", () => {
  for (let t = -20; t <= 20; t += 0.37) {
    expect(Math.abs(studentDistribution(t, 1) - (0.5 + Math.atan(t) / Math.PI))).toBeLessThan(1e-13);
    expect(Math.abs(studentDistribution(t, 2) - (0.5 + t / (2 * Math.sqrt(2 + t * t))))).toBeLessThan(1e-13);
  }
});

test("ln Γ of whole and half numbers, and the beta function at its ends", () => {
  let factorial = 1;
  for (let n = 1; n < 20; n++) {
    expect(Math.abs(logGamma(n) - Math.log(factorial))).toBeLessThan(
      1e-13 * Math.max(1, Math.log(factorial)),
    );
    factorial *= n;
  }
  expect(Math.abs(logGamma(0.5) - Math.log(Math.PI) / 2)).toBeLessThan(1e-14);
  expect(incompleteBeta(0, 2, 3)).toBe(0);
  expect(incompleteBeta(1, 2, 3)).toBe(1);
  expect(incompleteBeta(0.5, 2, 2)).toBeCloseTo(0.5, 14);
});

test("an estimate is mean, standard error and t interval", () => {
  // 1, 2, 3: sd 1, standard error 1/sqrt(3), t(2) = 4.302653
  const { mean, standardError, interval95, n } = estimate([1, 2, 3]);
  expect([mean, n]).toEqual([2, 3]);
  expect(standardError).toBeCloseTo(1 / Math.sqrt(3), 15);
  expect(interval95[1] - 2).toBeCloseTo(4.302652729911275 / Math.sqrt(3), 8);
  expect(interval95[0] + interval95[1]).toBeCloseTo(4, 14);
});

test("the 95 % interval holds the mean 95 times in 100", () => {
  let state = 1;
  const normal = () => {
    let sum = 0;
    for (let k = 0; k < 12; k++) sum += (state = (state * 48271) % 2147483647) / 2147483647;
    return sum - 6;
  };
  let inside = 0;
  for (let k = 0; k < 4000; k++) {
    const [low, high] = estimate([normal(), normal(), normal(), normal()]).interval95;
    if (low <= 0 && high >= 0) inside++;
  }
  // binomial sd sqrt(4000 · 0.95 · 0.05) = 13.8; 5 sd. With the normal quantile 1.96 it would be 3410 or so.
  expect(Math.abs(inside - 3800)).toBeLessThan(69);
});

test("one value has no spread; none, or NaN, is an error", () => {
  expect(estimate([3])).toEqual({
    mean: 3,
    standardError: Number.NaN,
    interval95: [Number.NaN, Number.NaN],
    n: 1,
  });
  expect(() => estimate([])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: an estimate needs at least one value]`,
  );
  expect(() => estimate([1, Number.NaN])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: value 1 of an estimate is NaN]`,
  );
  expect(isEstimate(estimate([1, 2]))).toBe(true);
  expect(isEstimate({ mean: 1 })).toBe(false);
});
