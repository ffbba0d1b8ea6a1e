import { expect, test } from "vitest";
import { normalQuantile } from "../../src/math/normal.ts";
import { randomKey, uniform } from "../../src/math/random.ts";
import { components, line, mean, quantile, variance } from "../../src/math/statistics.ts";

test("mean, variance, quantiles and the line of least squares, by hand", () => {
  expect(mean([1, 2, 6])).toBe(3);
  expect(variance([1, 2, 6])).toBe(7);
  expect(mean([])).toBeNaN();
  expect(variance([1])).toBeNaN();
  expect([0, 0.25, 0.5, 1].map((p) => quantile([1, 2, 4, 8, 16], p))).toEqual([1, 2, 4, 16]);
  expect(quantile([1, 2], 0.25)).toBe(1.25);
  expect(quantile([3], 0.9)).toBe(3);
  // y = 1 + 2 x, and errors 1, -2, 1 that are orthogonal to both
  expect(line([0, 1, 2], [2, 1, 6])).toEqual({ slope: 2, offset: 1 });
});

test("variance components are recovered without bias", () => {
  const key = randomKey(11, "components");
  const [rows, repeats] = [4000, 5];
  const values = Array.from({ length: rows }, (_, i) =>
    Float64Array.from(
      { length: repeats },
      (_, k) =>
        2 * normalQuantile(uniform(key, 0, i, 0)) + 3 * normalQuantile(uniform(key, 1, i * repeats + k, 0)),
    ),
  );
  const { within, between } = components(values);
  // sd of a sample variance of normal values: sigma^2 sqrt(2 / freedom); 4.9 sd: false alarm 1e-6
  expect(Math.abs(within - 9)).toBeLessThan(4.9 * 9 * Math.sqrt(2 / (rows * (repeats - 1))));
  expect(Math.abs(between - 4)).toBeLessThan(4.9 * (4 + 9 / repeats) * Math.sqrt(2 / rows) * 1.05);
  // control: taking the variance of the means for that between rows adds 9 / 5
  expect(Math.abs(variance(values.map(mean)) - 4)).toBeGreaterThan(4.9 * 5.8 * Math.sqrt(2 / rows));
  expect(
    components([
      [1, 3],
      [1, 3],
    ]).between,
  ).toBe(-1);
});
