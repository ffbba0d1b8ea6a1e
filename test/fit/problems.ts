/** Shared problems with known answers: regressions of NIST and of a device, from test/golden/fit_regressions.json. */

import * as fs from "node:fs";
import type { Objective, WeightedObjective } from "../../src/fit/objective.ts";

type Interval = readonly [number | null, number | null];

/** A problem of the golden file: what it means stands in fit_regressions.py. */
export interface Regression {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly starts: readonly (readonly number[])[];
  readonly certified?: { readonly parameters: readonly number[]; readonly deviations: readonly number[] };
  readonly optimum: readonly number[];
  readonly logLikelihood: number;
  readonly covariance: readonly (readonly number[])[];
  readonly interval95: { readonly scipy: readonly Interval[]; readonly lmfit: readonly Interval[] | null };
}

interface Golden {
  readonly regressions: Readonly<Record<RegressionName, Regression>>;
  readonly optimisation: Readonly<
    Record<
      "rosenbrock" | "rosenbrock6" | "brown",
      { start: number[]; point: number[]; value: number; evaluations: number }
    >
  >;
}

export const golden: Golden = JSON.parse(
  fs.readFileSync(new URL("../golden/fit_regressions.json", import.meta.url), "utf8"),
);

export const regressionNames = ["Misra1a", "Thurber", "MGH09", "pcm"] as const;
export type RegressionName = (typeof regressionNames)[number];

/** A curve and its derivatives by the parameters. */
export type Curve = (b: ArrayLike<number>, x: number) => readonly [value: number, slopes: readonly number[]];

export const curves: Readonly<Record<RegressionName, Curve>> = {
  Misra1a(b, x) {
    const rest = Math.exp(-b[1] * x);
    return [b[0] * (1 - rest), [1 - rest, b[0] * x * rest]];
  },
  Thurber(b, x) {
    const above = b[0] + x * (b[1] + x * (b[2] + x * b[3]));
    const below = 1 + x * (b[4] + x * (b[5] + x * b[6]));
    const value = above / below;
    const powers = [1, x, x * x, x ** 3].map((power) => power / below);
    return [value, [...powers, ...powers.slice(1).map((power) => -value * power)]];
  },
  MGH09(b, x) {
    const above = x * x + x * b[1];
    const below = x * x + x * b[2] + b[3];
    const value = (b[0] * above) / below;
    return [value, [above / below, (b[0] * x) / below, (-value * x) / below, -value / below]];
  },
  pcm(b, x) {
    const rest = Math.exp(-x / b[2]);
    return [b[0] + (b[1] - b[0]) * (1 - rest), [rest, 1 - rest, (-(b[1] - b[0]) * rest * x) / b[2] ** 2]];
  },
};

/** Log-likelihoods at many points, from a function of one. */
export function objectiveOf(names: readonly string[], gradient: Objective["gradient"]): Objective {
  const size = names.length;
  return {
    names,
    gradient,
    values: (points) =>
      Float64Array.from({ length: points.length / size }, (_, k) => {
        return gradient(points.slice(k * size, (k + 1) * size)).value;
      }),
  };
}

/** Normal noise about a curve, coordinates b0, b1, ... and log sigma; every value is a group of its own. */
export function regression(
  curve: Curve,
  { x, y }: { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> },
  size: number,
): WeightedObjective {
  const names = [...Array.from({ length: size }, (_, k) => `b${k}`), "log sigma"];
  const withWeights = (weights?: Float64Array): Objective =>
    objectiveOf(names, (point) => {
      const gradient = new Float64Array(size + 1);
      const precision = Math.exp(-2 * point[size]);
      let value = 0;
      for (let k = 0; k < x.length; k++) {
        const weight = weights?.[k] ?? 1;
        if (weight === 0) continue;
        const [mean, slopes] = curve(point, x[k]);
        const residual = y[k] - mean;
        const square = residual * residual * precision;
        value -= weight * (point[size] + Math.log(2 * Math.PI) / 2 + square / 2);
        for (let i = 0; i < size; i++) gradient[i] += weight * residual * precision * slopes[i];
        gradient[size] += weight * (square - 1);
      }
      return { value: Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value, gradient };
    });
  return { ...withWeights(), groups: x.length, withWeights };
}

/** A regression of the golden file with a start that has the spread of the residuals there. */
export function problem(name: RegressionName) {
  const golds = golden.regressions[name];
  const size = golds.optimum.length - 1;
  const objective = regression(curves[name], golds, size);
  const starts = golds.starts.map((b) => {
    const squares = golds.x.map((x, k) => (golds.y[k] - curves[name](b, x)[0]) ** 2);
    const mean = squares.reduce((sum, square) => sum + square) / squares.length;
    return Float64Array.of(...b, Math.log(mean) / 2);
  });
  return { golden: golds, objective, starts, optimum: Float64Array.from(golds.optimum) };
}

/** The same log-likelihood of b = exp(u); log sigma stays. */
export function byLogarithms(objective: Objective): Objective {
  const last = objective.names.length - 1;
  return objectiveOf(objective.names, (u) => {
    const { value, gradient } = objective.gradient(u.map((x, i) => (i < last ? Math.exp(x) : x)));
    return { value, gradient: gradient.map((g, i) => (i < last ? g * Math.exp(u[i]) : g)) };
  });
}
