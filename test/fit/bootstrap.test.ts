import * as fs from "node:fs";
import { expect, test } from "vitest";
import { bootstrap } from "../../src/fit/bootstrap.ts";
import { maximise } from "../../src/fit/optimum.ts";
import { normalDistribution, normalQuantile } from "../../src/math/normal.ts";
import { quantile } from "../../src/math/statistics.ts";
import { limit } from "../device/distribution.ts";
import { type Curve, regression } from "./problems.ts";

const golden: { readonly values: number[]; readonly percentile: number[]; readonly BCa: number[] } =
  JSON.parse(fs.readFileSync(new URL("../golden/fit_chains.json", import.meta.url), "utf8")).bootstrap;

const constant: Curve = (b) => [b[0], [1]];
const { values } = golden;
const objective = regression(constant, { x: values, y: values }, 1);
const optimum = maximise(objective, Float64Array.of(1, 0));
const found = bootstrap(objective, optimum, { seed: 3, replicates: 20000 });
const means = Float64Array.from({ length: 20000 }, (_, r) => found.points[2 * r]);

test("replicates are means of values drawn with replacement: their moments", () => {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b) / n;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n;
  expect(found.unconverged).toBe(0);
  const average = means.reduce((a, b) => a + b) / means.length;
  expect(Math.abs(average - mean) / Math.sqrt(variance / n / means.length)).toBeLessThan(limit);
  const spread = means.reduce((sum, x) => sum + (x - mean) ** 2, 0) / means.length;
  expect(Math.abs(spread / (variance / n) - 1)).toBeLessThan(limit * Math.sqrt(2.3 / means.length)); // kurtosis 3.3
  expect(Math.abs((1.15 * spread) / (variance / n) - 1)).toBeGreaterThan(
    limit * Math.sqrt(2.3 / means.length),
  ); // control
});

test("percentile and corrected intervals are SciPy's within the error of 20000 replicates", () => {
  const sorted = means.toSorted();
  const within = (p: number) => sorted[Math.round(p * sorted.length)];
  [0, 1].forEach((side) => {
    // of an end, as a part of the replicates below it: that of a quantile, and for the corrected that of the bias
    const error = (at: number, bias: number) => {
      const p = sorted.filter((x) => x < at).length / sorted.length;
      const part = limit * (Math.sqrt((p * (1 - p)) / sorted.length) + bias);
      return [within(Math.max(0, p - part)), within(Math.min(1 - 1 / sorted.length, p + part))];
    };
    const [low, high] = error(golden.percentile[side], 0);
    expect(found.percentile[0][side]).toBeGreaterThan(low);
    expect(found.percentile[0][side]).toBeLessThan(high);
    const [lowest, highest] = error(golden.BCa[side], 0.003);
    expect(found.corrected[0][side]).toBeGreaterThan(lowest);
    expect(found.corrected[0][side]).toBeLessThan(highest);
  });
  // control: without correction the upper end is off by more
  expect(golden.BCa[1] - found.percentile[0][1]).toBeGreaterThan(0.2);
});

test("corrected intervals are those of Efron's formula with the values left out one by one", () => {
  const sum = values.reduce((a, b) => a + b);
  const without = values.map((x) => (sum - x) / (values.length - 1));
  const middle = without.reduce((a, b) => a + b) / values.length;
  const power = (n: number) => without.reduce((total, x) => total + (middle - x) ** n, 0);
  const acceleration = power(3) / (6 * power(2) ** 1.5);
  expect(acceleration).toBeGreaterThan(0.05);
  const sorted = means.toSorted();
  const z0 = normalQuantile(sorted.filter((x) => x < optimum.point[0]).length / sorted.length);
  [-1.959963984540054, 1.959963984540054].forEach((z, side) => {
    const part = normalDistribution(z0 + (z0 + z) / (1 - acceleration * (z0 + z)));
    expect(found.corrected[0][side]).toBeCloseTo(quantile(sorted, part), 6);
  });
});

test("a replicate is a function of seed and number", () => {
  const few = bootstrap(objective, optimum, { seed: 3, replicates: 10 });
  expect(few.points).toEqual(found.points.slice(0, 20));
  const other = bootstrap(objective, optimum, { seed: 4, replicates: 10 });
  expect(other.points).not.toEqual(few.points);
});

test("one group cannot be drawn anew", () => {
  const single = { ...objective, groups: 1 };
  expect(() => bootstrap(single, optimum, { seed: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: a bootstrap draws groups anew and needs at least two; there is 1]`,
  );
});
