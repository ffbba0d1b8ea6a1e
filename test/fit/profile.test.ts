import { expect, test } from "vitest";
import { maximise } from "../../src/fit/optimum.ts";
import { profile } from "../../src/fit/profile.ts";
import { byLogarithms, objectiveOf, problem, regressionNames } from "./problems.ts";

test.each(regressionNames)("%s: the ends found by SciPy to 1e-6 deviations, by lmfit to 1e-3", (name) => {
  const { objective, optimum, golden } = problem(name);
  const best = maximise(objective, optimum);
  golden.interval95.scipy.forEach((ends, k) => {
    const { interval, path, higher } = profile(objective, best, k, { tolerance: 1e-7 });
    const deviation = Math.sqrt(golden.covariance[k][k]);
    expect(higher).toBeUndefined();
    expect(path.length).toBeLessThanOrEqual(17); // 16 when written, some 6 a side
    const quick = profile(objective, best, k); // to 1e-4, more where the profile is shallow
    expect(quick.path.length).toBeLessThanOrEqual(path.length);
    for (const side of [0, 1]) {
      expect(Math.abs(interval[side] - quick.interval[side]) / deviation).toBeLessThan(4e-4);
      const [end, other] = [ends[side] ?? Number.NaN, golden.interval95.lmfit?.[k][side] ?? Number.NaN];
      expect(Math.abs(interval[side] - end) / deviation).toBeLessThan(1e-6);
      expect(Math.abs(interval[side] - other) / deviation).toBeLessThan(1e-3);
    }
    // the path rises to the maximum and falls from it
    const top = path.findIndex(({ value }) => value === best.value);
    expect(
      path.every(
        ({ value }, i) => i === 0 || (i <= top ? value >= path[i - 1].value : value <= path[i - 1].value),
      ),
    ).toBe(true);
  });
});

test("a normal: the quantiles of its own deviation at any level, with one coordinate and with three", () => {
  const normal = (deviations: readonly number[]) =>
    objectiveOf(
      deviations.map((_, i) => `x${i}`),
      (x) => ({
        value: -deviations.reduce((sum, s, i) => sum + (x[i] / s) ** 2, 0) / 2,
        gradient: x.map((each, i) => -each / deviations[i] ** 2),
      }),
    );
  const quantiles = { 0.5: 0.6744897501960817, 0.95: 1.959963984540054, 0.999: 3.290526731491926 };
  for (const deviations of [[0.3], [0.3, 2, 1e-3]]) {
    const objective = normal(deviations);
    const best = maximise(objective, Float64Array.from(deviations));
    for (const [level, z] of Object.entries(quantiles)) {
      deviations.forEach((deviation, k) => {
        const [low, high] = profile(objective, best, k, { level: Number(level), tolerance: 1e-7 }).interval;
        expect(Math.abs(low / deviation + z)).toBeLessThan(1e-6);
        expect(Math.abs(high / deviation - z)).toBeLessThan(1e-6);
      });
    }
  }
});

test("a low state that could as well be 0 has an interval open downwards in its logarithm", () => {
  // the interval of b0 itself is [-0.39, 1.04] uS
  const { objective, optimum, golden } = problem("pcm");
  const logarithms = byLogarithms(objective);
  const best = maximise(
    logarithms,
    optimum.map((x, i) => (i < 3 ? Math.log(x) : x)),
  );
  const { interval } = profile(logarithms, best, 0, { tolerance: 1e-7 });
  expect(interval[0]).toBe(Number.NEGATIVE_INFINITY);
  expect(Math.exp(interval[1]) / (golden.interval95.scipy[0][1] ?? Number.NaN)).toBeCloseTo(1, 6);
});

test("a side that ends where nothing can be evaluated is open, not cut off there", () => {
  const wall = objectiveOf(["x"], ([x]) => ({
    value: x < 1.5 ? (-x * x) / 2 : Number.NEGATIVE_INFINITY,
    gradient: Float64Array.of(-x),
  }));
  const { interval } = profile(wall, maximise(wall, Float64Array.of(-3)), 0);
  expect(interval[0]).toBeCloseTo(-1.959964, 3);
  expect(interval[1]).toBe(Number.POSITIVE_INFINITY);
});

test("a higher point met on the way is handed back, and the interval is void", () => {
  const hills = objectiveOf(["x", "y"], ([x, y]) => {
    const [a, b] = [Math.exp((-x * x - y * y) / 2), 3 * Math.exp((-((x - 3) ** 2) - y * y) / 2)];
    return { value: Math.log(a + b), gradient: Float64Array.of((-x * a - (x - 3) * b) / (a + b), -y) };
  });
  const lower = maximise(hills, Float64Array.of(-1, 1));
  expect(lower.point[0]).toBeLessThan(1);
  const { interval, higher } = profile(hills, lower, 0);
  expect(interval.some(Number.isNaN)).toBe(true);
  expect(maximise(hills, higher ?? lower.point).value).toBeGreaterThan(lower.value + 0.5);
});
