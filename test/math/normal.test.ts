import { describe, expect, test } from "vitest";
import {
  chiSquareDistribution,
  chiSquareQuantile,
  normalDistribution,
  normalQuantile,
} from "../../src/math/normal.ts";
import { studentQuantile } from "../../src/math/student.ts";

const away = (x: number, expected: number): number => Math.abs(x / expected - 1);

describe("the normal distribution", () => {
  // [x, P(X <= x)], mpmath 1.3.0 (ncdf) in 40 digits
  const golden: readonly (readonly [number, number])[] = [
    [-37, 5.725571222524577e-300],
    [-20, 2.7536241186062337e-89],
    [-8, 6.220960574271784e-16],
    [-5.5, 1.8989562465887718e-8],
    [-3, 0.0013498980316300946],
    [-2, 0.02275013194817921],
    [-1.25, 0.10564977366685525],
    [-0.5, 0.3085375387259869],
    [-0.125, 0.4502617751698871],
    [0, 0.5],
    [0.375, 0.6461697666727237],
    [1, 0.8413447460685429],
    [2.5, 0.9937903346742238],
    [4, 0.9999683287581669],
    [8, 0.9999999999999993],
  ];

  test("is mpmath's to 2e-13 from -37 to 8", () => {
    for (const [x, p] of golden) expect(away(normalDistribution(x), p)).toBeLessThan(2e-13);
  });

  test("has quantiles that lead back to 1e-15, but for the conditioning x^2 of the tail", () => {
    for (const [x, p] of golden)
      if (x <= 0) expect(Math.abs(normalQuantile(p) - x)).toBeLessThan(2e-15 * Math.max(1, Math.abs(x)));
  });

  test("is symmetric, and whole at the ends", () => {
    for (let x = 0; x < 8; x += 0.137) {
      expect(normalDistribution(x) + normalDistribution(-x)).toBeCloseTo(1, 15);
      const p = normalDistribution(-x);
      if (p <= 0.5 && 1 - (1 - p) === p) expect(normalQuantile(1 - p) + normalQuantile(p)).toBe(0);
    }
    expect([
      normalDistribution(Number.NEGATIVE_INFINITY),
      normalDistribution(Number.POSITIVE_INFINITY),
    ]).toEqual([0, 1]);
    expect([0, 0.5, 1].map(normalQuantile)).toEqual([Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY]);
    expect(() => normalQuantile(1.1)).toThrow(RangeError);
    expect(() => normalQuantile(Number.NaN)).toThrow(RangeError);
  });

  test("is Student's with very many degrees of freedom", () => {
    // t = z (1 + (z^2 + 1) / (4 n) + O(n^-2)): Abramowitz & Stegun 1964, 26.7.5
    const n = 1e6;
    for (const p of [0.6, 0.9, 0.975, 0.999]) {
      const z = normalQuantile(p);
      expect(away(studentQuantile(p, n), z * (1 + (z * z + 1) / (4 * n)))).toBeLessThan(1e-9);
    }
  });
});

describe("chi-square", () => {
  test("has its closed forms for 1, 2, 4 and 6 degrees of freedom", () => {
    for (let x = 0.01; x < 60; x *= 1.13) {
      const h = x / 2;
      expect(away(chiSquareDistribution(x, 1), 1 - 2 * normalDistribution(-Math.sqrt(x)))).toBeLessThan(
        2e-14 / Math.min(1, Math.sqrt(x)),
      );
      expect(away(chiSquareDistribution(x, 2), -Math.expm1(-h))).toBeLessThan(1e-13);
      const upper4 = Math.exp(-h) * (1 + h);
      const upper6 = Math.exp(-h) * (1 + h + (h * h) / 2);
      expect(Math.abs(1 - chiSquareDistribution(x, 4) - upper4)).toBeLessThan(1e-13);
      expect(Math.abs(1 - chiSquareDistribution(x, 6) - upper6)).toBeLessThan(1e-13);
    }
  });

  test("has quantiles that lead back to 1e-12, and those of the printed table", () => {
    for (const freedom of [1, 2, 3, 7, 30, 250])
      for (const p of [1e-6, 0.01, 0.3, 0.5, 0.9, 0.999])
        expect(away(chiSquareDistribution(chiSquareQuantile(p, freedom), freedom), p)).toBeLessThan(1e-12);
    // Abramowitz & Stegun 1964, table 26.8, upper 5 % and 0.1 %
    const table: readonly (readonly [number, number, number])[] = [
      [1, 3.84146, 10.828],
      [2, 5.99147, 13.816],
      [5, 11.0705, 20.515],
      [10, 18.307, 29.588],
      [100, 124.342, 149.449],
    ];
    for (const [freedom, p95, p999] of table) {
      expect(away(chiSquareQuantile(0.95, freedom), p95)).toBeLessThan(5e-6);
      expect(away(chiSquareQuantile(0.999, freedom), p999)).toBeLessThan(5e-5);
    }
    expect(() => chiSquareQuantile(1, 2)).toThrow(RangeError);
  });
});
