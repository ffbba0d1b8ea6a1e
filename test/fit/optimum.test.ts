import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Objective } from "../../src/fit/objective.ts";
import { maximise, multiStart } from "../../src/fit/optimum.ts";
import { byLogarithms, golden, objectiveOf, problem, regressionNames } from "./problems.ts";

/** -sum over k of 100 (x[k+1] - x[k]^2)^2 + (1 - x[k])^2. */
const rosenbrock = (size: number): Objective =>
  objectiveOf(
    Array.from({ length: size }, (_, k) => `x${k}`),
    (x) => {
      const gradient = new Float64Array(size);
      let value = 0;
      for (let k = 0; k + 1 < size; k++) {
        const bend = x[k + 1] - x[k] ** 2;
        value -= 100 * bend ** 2 + (1 - x[k]) ** 2;
        gradient[k] += 400 * x[k] * bend + 2 * (1 - x[k]);
        gradient[k + 1] -= 200 * bend;
      }
      return { value, gradient };
    },
  );

/** Moré, Garbow & Hillstrom 1981, problem 4. */
const brown = objectiveOf(["x", "y"], ([x, y]) => ({
  value: -((x - 1e6) ** 2) - (y - 2e-6) ** 2 - (x * y - 2) ** 2,
  gradient: Float64Array.of(-2 * (x - 1e6) - 2 * y * (x * y - 2), -2 * (y - 2e-6) - 2 * x * (x * y - 2)),
}));

/** Normal in one dimension, -((x - at) / deviation)^2 / 2. */
const bell = (at: number, deviation: number): Objective =>
  objectiveOf(["x"], ([x]) => ({
    value: -(((x - at) / deviation) ** 2) / 2,
    gradient: Float64Array.of(-(x - at) / deviation ** 2),
  }));

describe("maximise", () => {
  // MGH09 has another maximum at infinity, and from NIST's first start lies nearer to that: see multiStart
  const runs = regressionNames.flatMap((name) =>
    problem(name).starts.map((start, k) => ({ name, start, k })),
  );
  const near = runs.filter(({ name, k }) => !(name === "MGH09" && k === 0));
  test.each(near)(
    "$name from start $k: NIST's parameters and SciPy's optimum to 1e-6, in the parameters and in their logarithms",
    ({ name, start }) => {
      const { objective, golden: expected } = problem(name);
      const size = start.length - 1;
      const logarithms = start.map((x, i) => (i < size ? Math.log(x) : x));
      for (const [coordinates, found] of [
        ["b", maximise(objective, start)],
        ["log b", maximise(byLogarithms(objective), logarithms)],
      ] as const) {
        expect(found).toMatchObject({ reason: "gradient", converged: true });
        expect(Math.abs(found.value - expected.logLikelihood)).toBeLessThan(1e-10);
        expected.optimum.forEach((optimum, i) => {
          const x = coordinates === "log b" && i < size ? Math.exp(found.point[i]) : found.point[i];
          expect(Math.abs(x / optimum - 1)).toBeLessThan(1e-6);
          if (i < size && expected.certified)
            expect(Math.abs(x / expected.certified.parameters[i] - 1)).toBeLessThan(1e-6);
        });
      }
    },
  );

  test("these 14 searches cost 1150 gradients at most: the line search guesses well", () => {
    let evaluations = 0;
    for (const { name, start } of near) {
      const { objective } = problem(name);
      const logarithms = start.map((x, i) => (i < start.length - 1 ? Math.log(x) : x));
      evaluations += maximise(objective, start).evaluations;
      evaluations += maximise(byLogarithms(objective), logarithms).evaluations;
    }
    expect(evaluations).toBeLessThan(1150); // 1049 when written; with a wrong cubic 1366
  });

  test.each([
    ["rosenbrock", rosenbrock(2)],
    ["rosenbrock6", rosenbrock(6)],
    ["brown", brown],
  ] as const)(
    "%s: within 1e-12 of the maximum 0, with at most twice SciPy's gradients",
    (name, objective) => {
      const { start, evaluations } = golden.optimisation[name];
      const found = maximise(objective, Float64Array.from(start));
      expect(found.converged).toBe(true);
      expect(found.value).toBeGreaterThan(-1e-12);
      expect(found.evaluations).toBeLessThanOrEqual(2 * evaluations);
    },
  );

  test("a normal of any covariance is maximised to 1e-5 deviations, and its covariance found to 1e-5", () => {
    const entry = fc.integer({ min: -100, max: 100 }).map((k) => k / 100);
    const scale = fc.integer({ min: -6, max: 6 }).map((k) => 10 ** k);
    const cases = fc.integer({ min: 1, max: 6 }).chain((n) =>
      fc.record({
        root: fc.array(fc.array(entry, { minLength: n, maxLength: n }), { minLength: n, maxLength: n }),
        scales: fc.array(scale, { minLength: n, maxLength: n }),
        start: fc.array(entry, { minLength: n, maxLength: n }),
      }),
    );
    fc.assert(
      fc.property(cases, ({ root, scales, start }) => {
        // precision in units of the scales: 0.1 + root root^T; the maximum is at the scales
        const precision = root.map((row, i) =>
          root.map((other, j) => row.reduce((sum, x, k) => sum + x * other[k], i === j ? 0.1 : 0)),
        );
        const slopes = (u: readonly number[]) =>
          precision.map((row) => row.reduce((s, x, k) => s + x * u[k], 0));
        const objective = objectiveOf(scales.map(String), (x) => {
          const u = scales.map((scale, i) => x[i] / scale - 1);
          const falls = slopes(u);
          return {
            value: -u.reduce((sum, each, i) => sum + each * falls[i], 0) / 2,
            gradient: Float64Array.from(falls, (fall, i) => -fall / scales[i]),
          };
        });
        const found = maximise(
          objective,
          Float64Array.from(start, (x, i) => x * scales[i]),
        );
        const distance = scales.map((scale, i) => found.point[i] / scale - 1);
        const inverse = found.inverseHessian.map((row, i) => row.map((x, j) => x / scales[i] / scales[j]));
        const wrong = inverse.map((row, i) =>
          row.map((_, j) => row.reduce((sum, x, k) => sum + x * precision[k][j], i === j ? -1 : 0)),
        );
        return (
          found.converged &&
          distance.reduce((sum, each, i) => sum + each * slopes(distance)[i], 0) < 1e-10 &&
          Math.max(...wrong.flat().map(Math.abs)) < 1e-5
        );
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test("a slope too small to see is followed: a maximum 1e6 away, of deviation 1e6", () => {
    const found = maximise(bell(1e6, 1e6), Float64Array.of(0));
    expect(Math.abs(found.point[0] / 1e6 - 1)).toBeLessThan(1e-6);
  });

  test("the value never falls from one iteration to the next", () => {
    const values: number[] = [];
    maximise(rosenbrock(4), Float64Array.of(-1.2, 1, -1.2, 1), {
      progress: (_, value) => values.push(value),
    });
    expect(values.length).toBeGreaterThan(10);
    expect(values.every((value, k) => k === 0 || value >= values[k - 1])).toBe(true);
  });

  test("turns back where the log-likelihood is -Infinity or not a number", () => {
    // a gamma density in x: shape 3, scale 1/2; its maximum is at 1, nothing below 0
    const gamma = (nothing: number) =>
      objectiveOf(["x"], ([x]) => ({
        value: x > 0 ? 2 * Math.log(x) - 2 * x : nothing,
        gradient: Float64Array.of(x > 0 ? 2 / x - 2 : Number.NaN),
      }));
    for (const nothing of [Number.NEGATIVE_INFINITY, Number.NaN])
      for (const start of [1e-6, 0.5, 40])
        expect(Math.abs(maximise(gamma(nothing), Float64Array.of(start)).point[0] - 1)).toBeLessThan(1e-6);
  });

  test("rounding of a log-likelihood of -1e8 does not keep it from the maximum to 1e-6 deviations", () => {
    // one unit in the last place of the value is 1e-8, which is what it loses 1e-4 deviations away
    const shifted = objectiveOf(["x", "y"], (point) => {
      const { value, gradient } = rosenbrock(2).gradient(point);
      return { value: value - 1e8, gradient };
    });
    const found = maximise(shifted, Float64Array.of(-1.2, 1));
    expect(found.reason).toBe("gradient");
    expect(Math.abs(found.point[0] - 1)).toBeLessThan(1e-6 * Math.SQRT1_2);
  });

  test("noise of 1e-6 on a value of -1e5 costs nothing while the slope tells: 60 gradients, 1e-5 deviations", () => {
    const noisy = objectiveOf(["x", "y"], (point) => {
      const { value, gradient } = rosenbrock(2).gradient(point);
      return { value: value - 1e5 + 1e-6 * Math.sin(1.7e9 * point[0] + 3e8 * point[1]), gradient };
    });
    const found = maximise(noisy, Float64Array.of(-1.2, 1));
    expect(found.reason).toBe("gradient");
    expect(found.evaluations).toBeLessThan(60);
    expect(Math.abs(found.point[0] - 1)).toBeLessThan(1e-5 * Math.SQRT1_2);
  });

  test("a gradient of five digits ends it where the value no longer changes", () => {
    // the error of the gradient never lets less than 5e-11 be expected
    const coarse = objectiveOf(["x", "y"], ([x, y]) => ({
      value: -1e4 - (x * x + y * y) / 2,
      gradient: Float64Array.of(-x, -y).map((slope) => slope + (slope < 0 ? -1e-5 : 1e-5)),
    }));
    const found = maximise(coarse, Float64Array.of(3, -2));
    expect(found).toMatchObject({ reason: "change", converged: true });
    expect(found.iterations).toBeLessThan(20);
    expect(Math.hypot(...found.point)).toBeLessThan(1e-4);
  });

  test("a kink is a maximum where it is", () => {
    const kink = objectiveOf(["x"], ([x]) => ({
      value: -Math.abs(x - Math.PI),
      gradient: Float64Array.of(x < Math.PI ? 1 : -1),
    }));
    const found = maximise(kink, Float64Array.of(0.3));
    expect(found).toMatchObject({ reason: "change", converged: true });
    expect(Math.abs(found.point[0] - Math.PI)).toBeLessThan(1e-6);
  });

  test("says when there is no maximum: a slope without end, an edge", () => {
    const slope = objectiveOf(["x"], ([x]) => ({ value: x, gradient: Float64Array.of(1) }));
    expect(maximise(slope, Float64Array.of(0), { iterations: 20 }).converged).toBe(false);
    const edge = objectiveOf(["x"], ([x]) => ({
      value: x <= 1 ? x : Number.NEGATIVE_INFINITY,
      gradient: Float64Array.of(x <= 1 ? 1 : Number.NaN),
    }));
    expect(maximise(edge, Float64Array.of(0))).toMatchObject({ reason: "no step", converged: false });
  });

  test("a start that cannot be evaluated is an error with its place", () => {
    const nowhere = objectiveOf(["G", "nu"], () => ({ value: Number.NaN, gradient: new Float64Array(2) }));
    expect(() => maximise(nowhere, Float64Array.of(0.1, 2))).toThrowErrorMatchingInlineSnapshot(
      `[NumericError: the log-likelihood cannot be evaluated at G = 0.1, nu = 2]`,
    );
    expect(() =>
      multiStart(nowhere, [Float64Array.of(0.1, 2), Float64Array.of(1, 1)]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[NumericError: the log-likelihood cannot be evaluated at any of 2 starts; the first is G = 0.1, nu = 2]`,
    );
  });

  test("ends at once when told to", () => {
    const controller = new AbortController();
    const progress = (iteration: number) => iteration === 3 && controller.abort(new Error("enough"));
    const run = () =>
      maximise(rosenbrock(2), Float64Array.of(-1.2, 1), { signal: controller.signal, progress });
    expect(run).toThrow("enough");
  });
});

describe("multiStart", () => {
  test("MGH09 from both starts of NIST: the certified maximum, and that one start went elsewhere", () => {
    const { objective, starts, golden: expected } = problem("MGH09");
    const { best, optima, agreeing } = multiStart(
      byLogarithms(objective),
      starts.map((start) => start.map((x, i) => (i < 4 ? Math.log(x) : x))),
    );
    expect(Math.abs(best.value - expected.logLikelihood)).toBeLessThan(1e-9);
    expect(optima.map(({ start }) => start)).toEqual([1, 0]);
    expect(agreeing).toBe(1);
  });

  test("keeps the most promising starts, leaves out those without a value, and counts those that agree", () => {
    const hills = objectiveOf(["x"], ([x]) => {
      const [a, b] = [Math.exp(-((x + 3) ** 2) / 2), 2 * Math.exp(-((x - 3) ** 2) / 2)];
      return {
        value: x < 9 ? Math.log(a + b) : Number.NEGATIVE_INFINITY,
        gradient: Float64Array.of((-(x + 3) * a - (x - 3) * b) / (a + b)),
      };
    });
    const starts = [-5, 10, 2, -2, 5, 4].map((x) => Float64Array.of(x));
    const told: number[] = [];
    const all = multiStart(hills, starts, { progress: (fraction) => told.push(fraction) });
    expect(all.optima).toHaveLength(5);
    expect(all.agreeing).toBe(3);
    expect(all.best.point[0]).toBeCloseTo(3, 5);
    expect(told).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    const two = multiStart(hills, starts, { keep: 2 });
    expect(two.optima.map(({ start }) => start).sort()).toEqual([2, 5]);
  });
});
