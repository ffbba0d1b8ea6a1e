/**
 * Curvature of a log-likelihood at its maximum: the covariance of what was fitted, and what cannot be told apart.
 *
 * Coordinates have natural units (1 for the logarithm or logit of a parameter). Everything is done on the Hessian
 * scaled to a unit diagonal, so parameters of very different sizes do no harm.
 */

import { NumericError } from "../math/errors.ts";
import { eigen, type Matrix } from "../math/matrix.ts";
import { type Differentiable, placeOf } from "./objective.ts";

/**
 * Second derivatives of the log-likelihood: central differences of its gradient, made symmetric.
 *
 * The step is 1e-4 standard deviations of each coordinate with the others held, at most 0.01 of its units, found from
 * the curvature itself: the error by truncation is then near 2e-9 of the curvature, and that by rounding the gradient's
 * divided by 1e-4.
 * `scale` are guesses of these deviations, [coordinate]. Throws a NumericError naming the coordinate where the gradient
 * is not finite however small the step. Cost: 2 gradients per coordinate, up to 4 times that with bad guesses.
 */
export function hessian(
  objective: Differentiable,
  point: Float64Array,
  options: { readonly scale?: ArrayLike<number>; readonly signal?: AbortSignal } = {},
): number[][] {
  const rows = Array.from(point, (_, i) => {
    options.signal?.throwIfAborted();
    return curvature(objective, point, i, options.scale?.[i]);
  });
  return rows.map((row, i) => row.map((x, j) => (x + rows[j][i]) / 2));
}

const relativeStep = 1e-4;
/** Where nothing is bent, in units of coordinates: further away something else may be. */
const largestStep = 0.01;

function curvature(
  objective: Differentiable,
  point: Float64Array,
  i: number,
  scale: number | undefined,
): number[] {
  const size = Math.max(1, Math.abs(point[i]));
  let step = Math.cbrt(2 ** -52) * size;
  if (scale !== undefined && scale > 0) step = Math.max(relativeStep * scale, 2 ** -48 * size);
  let row: number[] | undefined;
  for (let attempt = 0; attempt < 4; attempt++) {
    let found = slopes(objective, point, i, step);
    for (let k = 0; found === undefined && k < 20; k++) found = slopes(objective, point, i, (step /= 8));
    if (found === undefined) break;
    row = found;
    const best = Math.min(relativeStep / Math.sqrt(Math.abs(row[i])), largestStep);
    if (step > best / 3 && step < best * 3) break;
    step = best;
  }
  if (row === undefined)
    throw new NumericError(
      `the log-likelihood has no finite gradient beside ${placeOf(objective, point, i)}`,
    );
  return row;
}

/** Derivatives of the gradient along coordinate i; undefined where it is not finite. */
function slopes(
  objective: Differentiable,
  point: Float64Array,
  i: number,
  step: number,
): number[] | undefined {
  const [up, down] = [step, -step].map((change) => {
    const beside = Float64Array.from(point);
    beside[i] += change;
    return { at: beside[i], ...objective.gradient(beside) };
  });
  const row = Array.from(up.gradient, (x, j) => (x - down.gradient[j]) / (up.at - down.at));
  return [up.value, down.value, ...row].every(Number.isFinite) ? row : undefined;
}

/** A direction in which the log-likelihood has no maximum to speak of. */
export interface Direction {
  /** Names of the parameters that take part: loading above 0.3. */
  readonly names: readonly string[];
  /** [coordinate], of length 1, in units of each coordinate's own standard deviation. */
  readonly loadings: readonly number[];
  /** Of minus the log-likelihood, 1 being that of a coordinate on its own; negative where it is no maximum at all. */
  readonly curvature: number;
}

export interface Covariance {
  /** [coordinate][coordinate], without what the unidentified directions would add: that is unbounded. */
  readonly covariance: number[][];
  /** Directions that the data leave open, flattest first; none where all parameters can be told. */
  readonly unidentified: readonly Direction[];
}

/** Curvature, of 1 for a coordinate on its own, below which differences of gradients are mostly rounding. */
const resolution = 1e-8;
const loadingShown = 0.3;

/**
 * The inverse of minus the Hessian, and the directions in which it does not exist: where the scaled curvature is
 * below 1e-8, or a standard deviation along it takes a coordinate further than `limit` (10) of its units. For a
 * logarithm that is a factor of 22,000 either way.
 */
export function covarianceOf(
  hessian: Matrix,
  names: readonly string[],
  options: { readonly limit?: number; readonly units?: ArrayLike<number> } = {},
): Covariance {
  const limit = options.limit ?? 10;
  const widest = names.map((_, i) => limit * (options.units?.[i] ?? 1));
  const { scales, values, vectors } = scaledCurvature(hessian, widest);
  const open = values.map((value, k) => {
    const reach = (i: number) => (scales[i] * Math.abs(vectors[k][i])) / Math.sqrt(value);
    return !(value > resolution) || widest.some((most, i) => reach(i) > most);
  });
  const unidentified = values.flatMap((value, k) => {
    if (!open[k]) return [];
    const taking = names.filter((_, i) => Math.abs(vectors[k][i]) > loadingShown);
    return [{ names: taking, loadings: vectors[k], curvature: value }];
  });
  const inverses = values.map((value, k) => (open[k] ? 0 : 1 / value));
  return { covariance: recompose(scales, inverses, vectors), unidentified };
}

/**
 * A positive definite stand-in for the inverse of minus the Hessian, the inverse itself where that is positive
 * definite: what a search by Newton steps can use anywhere.
 */
export function positiveInverse(hessian: Matrix): number[][] {
  const { scales, values, vectors } = scaledCurvature(hessian, Array(hessian.length).fill(1e8));
  return recompose(
    scales,
    values.map((value) => 1 / Math.max(Math.abs(value), resolution)),
    vectors,
  );
}

/** Eigenvalues and eigenvectors of minus the Hessian with each coordinate in units of its deviation, or `widest`. */
function scaledCurvature(hessian: Matrix, widest: readonly number[]) {
  const scales = widest.map((most, i) => 1 / Math.sqrt(Math.max(-hessian[i][i], 1 / (most * most))));
  const scaled = hessian.map((row, i) => row.map((x, j) => -x * scales[i] * scales[j]));
  return { scales, ...eigen(scaled) };
}

function recompose(
  scales: readonly number[],
  values: readonly number[],
  vectors: readonly (readonly number[])[],
): number[][] {
  return scales.map((a, i) =>
    scales.map(
      (b, j) => a * b * values.reduce((sum, value, k) => sum + value * vectors[k][i] * vectors[k][j], 0),
    ),
  );
}
