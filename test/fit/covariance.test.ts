import { describe, expect, test } from "vitest";
import { covarianceOf, hessian, positiveInverse } from "../../src/fit/covariance.ts";
import { curves, golden, objectiveOf, problem, type RegressionName, regressionNames } from "./problems.ts";

/** Largest difference of two covariances, in units of the second one's deviations. */
function difference(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  const scaled = a.flatMap((row, i) =>
    row.map((x, j) => Math.abs(x - b[i][j]) / Math.sqrt(b[i][i] * b[j][j])),
  );
  return Math.max(...scaled);
}

describe("hessian and covarianceOf", () => {
  test.each(regressionNames)(
    "%s: the covariance of 40 digits to 1e-6, from any guess of the scale",
    (name) => {
      const { objective, optimum, golden: expected } = problem(name);
      const units = optimum.map(Math.abs);
      for (const guess of [undefined, 1e-4, 1, 1e3]) {
        const scale = guess && expected.covariance.map((row, i) => guess * Math.sqrt(row[i]));
        const found = covarianceOf(hessian(objective, optimum, scale ? { scale } : {}), objective.names, {
          units,
        });
        expect(found.unidentified).toEqual([]);
        expect(difference(found.covariance, expected.covariance)).toBeLessThan(1e-6);
      }
      // control: the noise known, not fitted, is another covariance; and 1 % off is seen
      const other = expected.covariance.map((row) => row.map((x) => 1.0201 * x));
      expect(difference(other, expected.covariance)).toBeGreaterThan(1e-3);
    },
  );

  test.each(["Misra1a", "Thurber", "MGH09"] as const)(
    "%s: NIST's standard deviations to 9 digits",
    (name: RegressionName) => {
      // NIST certifies those of the curve's tangent: minus the Hessian is J^T J / s^2, s^2 = S / (n - p)
      const { x, y, certified } = golden.regressions[name];
      if (certified === undefined) throw new Error("NIST certifies these");
      const b = certified.parameters;
      const slopes = x.map((each) => curves[name](b, each)[1]);
      const squares = x.reduce((sum, each, k) => sum + (y[k] - curves[name](b, each)[0]) ** 2, 0);
      const variance = squares / (x.length - b.length);
      const tangent = objectiveOf(
        b.map((_, i) => `b${i}`),
        (point) => {
          const moved = slopes.map((row) =>
            row.reduce((sum, slope, i) => sum + slope * (point[i] - b[i]), 0),
          );
          return {
            value: -moved.reduce((sum, m) => sum + m * m, 0) / (2 * variance),
            gradient: Float64Array.from(
              b,
              (_, i) => -moved.reduce((sum, m, k) => sum + m * slopes[k][i], 0) / variance,
            ),
          };
        },
      );
      const { covariance } = covarianceOf(hessian(tangent, Float64Array.from(b)), tangent.names, {
        units: b.map(Math.abs),
      });
      certified.deviations.forEach((deviation, i) => {
        expect(Math.abs(Math.sqrt(covariance[i][i]) / deviation - 1)).toBeLessThan(1e-8);
      });
    },
  );

  test("steps back from where there is nothing, and says where there is nothing at all", () => {
    const wall = objectiveOf(["x"], ([x]) => ({
      value: x < 1e-9 ? -x * x : Number.NEGATIVE_INFINITY,
      gradient: Float64Array.of(x < 1e-9 ? -2 * x : Number.NaN),
    }));
    expect(hessian(wall, Float64Array.of(0))[0][0]).toBeCloseTo(-2, 6);
    const point = objectiveOf(["nu"], ([x]) => ({
      value: x === 0 ? 0 : Number.NEGATIVE_INFINITY,
      gradient: Float64Array.of(0),
    }));
    expect(() => hessian(point, Float64Array.of(0))).toThrowErrorMatchingInlineSnapshot(
      `[NumericError: the log-likelihood has no finite gradient beside nu = 0]`,
    );
  });
});

describe("what cannot be identified", () => {
  /** Normal in what is measured: each row of `measured` is a combination of the coordinates, known to `deviation`. */
  const linear = (names: string[], measured: number[][], deviation: number) =>
    objectiveOf(names, (point) => {
      const values = measured.map((row) => row.reduce((sum, x, i) => sum + x * point[i], 0) / deviation);
      return {
        value: -values.reduce((sum, x) => sum + x * x, 0) / 2,
        gradient: Float64Array.from(
          names,
          (_, i) => -values.reduce((sum, x, k) => sum + (x * measured[k][i]) / deviation, 0),
        ),
      };
    });
  const found = (names: string[], measured: number[][], deviation = 0.01) => {
    const objective = linear(names, measured, deviation);
    return covarianceOf(hessian(objective, new Float64Array(names.length)), names);
  };

  test("a product of two parameters names both, a product of powers too, and leaves the third its deviation", () => {
    for (const power of [1, 2, 0.6]) {
      const { unidentified, covariance } = found(
        ["gain", "dose", "nu"],
        [
          [1, power, 0],
          [0, 0, 1],
        ],
      );
      expect(unidentified.map(({ names }) => names)).toEqual([["gain", "dose"]]);
      expect(covariance[2][2]).toBeCloseTo(1e-4, 10);
    }
  });

  test("a parameter without effect is named alone; two of them are two directions", () => {
    expect(found(["a", "b"], [[1, 0]]).unidentified.map(({ names }) => names)).toEqual([["b"]]);
    const both = found(["a", "b", "c"], [[1, 0, 0]]).unidentified.flatMap(({ names }) => names);
    expect(both.sort()).toEqual(["b", "c"]);
  });

  test("a deviation above 10 units is refused, one below is not, however the coordinates correlate", () => {
    // x + y known to 0.01, x - y to d: the deviation of each is near d / 2
    const difference = (d: number) =>
      found(
        ["x", "y"],
        [
          [1, 1],
          [0.01 / d, -0.01 / d],
        ],
      );
    expect(difference(19).unidentified).toEqual([]);
    expect(difference(19).covariance[0][0]).toBeCloseTo((19 ** 2 + 0.01 ** 2) / 4, 3);
    expect(difference(21).unidentified.map(({ names }) => names)).toEqual([["x", "y"]]);
    const units = [3, 3];
    const wider = covarianceOf(
      hessian(
        linear(
          ["x", "y"],
          [
            [1, 1],
            [0.01 / 21, -0.01 / 21],
          ],
          0.01,
        ),
        new Float64Array(2),
      ),
      ["x", "y"],
      { units },
    );
    expect(wider.unidentified).toEqual([]);
  });

  test("a point that is no maximum has a direction of negative curvature", () => {
    const saddle = objectiveOf(["x", "y"], ([x, y]) => ({
      value: x * x - y * y,
      gradient: Float64Array.of(2 * x, -2 * y),
    }));
    const at = hessian(saddle, new Float64Array(2));
    const { unidentified } = covarianceOf(at, ["x", "y"]);
    expect(unidentified.map(({ names }) => names)).toEqual([["x"]]);
    expect(unidentified[0].curvature).toBeLessThan(0);
    const stand = positiveInverse(at);
    expect(stand[0][0]).toBeGreaterThan(0);
    expect(stand[1][1]).toBeCloseTo(0.5, 6);
  });
});
