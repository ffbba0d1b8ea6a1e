/**
 * Bootstrap of whole groups (devices, cycles): the spread of the optimum over data drawn anew.
 *
 * A replicate draws as many groups as there are, with replacement, and is fitted again from the optimum. Unlike
 * covariance and profile it does not take the model for true.
 */

import { ConfigError } from "../math/errors.ts";
import { normalDistribution, normalQuantile } from "../math/normal.ts";
import { randomKey, uniform } from "../math/random.ts";
import { quantile } from "../math/statistics.ts";
import type { WeightedObjective } from "./objective.ts";
import { maximise, type Optimum } from "./optimum.ts";

export interface BootstrapOptions {
  readonly seed: string | number;
  /** Default 1000. */
  readonly replicates?: number;
  /** Of the intervals; default 0.95. */
  readonly level?: number;
  readonly signal?: AbortSignal;
  /** Told the part done, 0 to 1. */
  readonly progress?: (fraction: number) => void;
}

export interface Bootstrap {
  readonly replicates: number;
  /** Optima, [replicate][coordinate]. */
  readonly points: Float64Array;
  /** Replicates whose search ended without a maximum, kept where they ended. */
  readonly unconverged: number;
  /** Quantiles of the replicates, [coordinate]. */
  readonly percentile: readonly (readonly [low: number, high: number])[];
  /** The same corrected for bias and for a spread that depends on the value (Efron 1987), [coordinate]. */
  readonly corrected: readonly (readonly [low: number, high: number])[];
}

/**
 * Fits `replicates` draws of the groups. Replicate r is a function of (seed, r). Throws a ConfigError with less than
 * two groups. Cost: a maximisation from nearby per replicate and a gradient per group.
 */
export function bootstrap(
  objective: WeightedObjective,
  optimum: Pick<Optimum, "point" | "inverseHessian">,
  options: BootstrapOptions,
): Bootstrap {
  const { replicates = 1000, level = 0.95, seed, signal, progress } = options;
  const { groups } = objective;
  if (groups < 2)
    throw new ConfigError(`a bootstrap draws groups anew and needs at least two; there is ${groups}`);
  const size = optimum.point.length;
  const key = randomKey(seed, "bootstrap");
  const points = new Float64Array(replicates * size);
  let unconverged = 0;
  for (let replicate = 0; replicate < replicates; replicate++) {
    progress?.(replicate / replicates);
    const weights = new Float64Array(groups);
    for (let k = 0; k < groups; k++) weights[Math.floor(groups * uniform(key, 0, k, replicate))]++;
    const drawn = objective.withWeights(weights);
    const found = maximise(drawn, optimum.point, { inverseHessian: optimum.inverseHessian, signal });
    if (!found.converged) unconverged++;
    points.set(found.point, replicate * size);
  }
  progress?.(1);
  const accelerations = accelerationsOf(objective, optimum);
  const percentile: [number, number][] = [];
  const corrected: [number, number][] = [];
  for (let i = 0; i < size; i++) {
    const sorted = Float64Array.from({ length: replicates }, (_, r) => points[r * size + i]).sort();
    const at = (p: number): number => quantile(sorted, p);
    percentile.push([at((1 - level) / 2), at((1 + level) / 2)]);
    const bias = biasOf(sorted, optimum.point[i]);
    const shifted = (p: number): number => at(correctedPart(p, bias, accelerations[i]));
    corrected.push([shifted((1 - level) / 2), shifted((1 + level) / 2)]);
  }
  return { replicates, points, unconverged, percentile, corrected };
}

/** Normal quantile of the part of the replicates below the optimum, ties counted half: Efron 1987, eq. 2.8. */
function biasOf(sorted: Float64Array, optimum: number): number {
  let below = 0;
  for (const x of sorted) below += x < optimum ? 1 : x === optimum ? 0.5 : 0;
  const part = below / sorted.length;
  const least = 0.5 / sorted.length;
  return normalQuantile(Math.min(Math.max(part, least), 1 - least));
}

/** The part of the replicates below the end of a corrected interval: Efron 1987, eq. 3.9. */
function correctedPart(p: number, bias: number, acceleration: number): number {
  const z = bias + normalQuantile(p);
  const stretch = 1 - acceleration * z;
  return stretch > 0 ? normalDistribution(bias + z / stretch) : z > 0 ? 1 : 0;
}

/**
 * A sixth of the skewness of the groups' influence on each coordinate (Efron 1987, J. Am. Stat. Assoc. 82:171,
 * eq. 6.6). The influence is the infinitesimal jackknife's: covariance times the gradient of the group's log-likelihood.
 */
function accelerationsOf(
  objective: WeightedObjective,
  { point, inverseHessian }: Pick<Optimum, "point" | "inverseHessian">,
): number[] {
  const squares = new Float64Array(point.length);
  const cubes = new Float64Array(point.length);
  for (let group = 0; group < objective.groups; group++) {
    const alone = new Float64Array(objective.groups);
    alone[group] = 1;
    const { gradient } = objective.withWeights(alone).gradient(point);
    for (let i = 0; i < point.length; i++) {
      const influence = inverseHessian[i].reduce((sum, entry, j) => sum + entry * gradient[j], 0);
      squares[i] += influence ** 2;
      cubes[i] += influence ** 3;
    }
  }
  return Array.from(cubes, (cube, i) => (squares[i] > 0 ? cube / (6 * squares[i] ** 1.5) : 0));
}
