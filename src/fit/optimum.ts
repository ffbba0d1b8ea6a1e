/**
 * The maximum of a log-likelihood: BFGS with a line search that meets the strong Wolfe conditions.
 *
 * Source: Nocedal & Wright 2006, Numerical Optimization, algorithms 3.5, 3.6 and 6.1, with signs turned for a maximum.
 * Differences of log-likelihood have a meaning of their own (1/2 is one standard deviation), so the search ends when
 * what it still expects to gain is far below that, whatever the units of the coordinates.
 */

import { NumericError } from "../math/errors.ts";
import { identity, type Matrix } from "../math/matrix.ts";
import { hessian, positiveInverse } from "./covariance.ts";
import { type Differentiable, type Objective, placeOf } from "./objective.ts";

export interface MaximiseOptions {
  /** Gain of log-likelihood, expected from gradient and curvature, below which the search ends; default 1e-12. */
  readonly tolerance?: number;
  /** Default 1000. */
  readonly iterations?: number;
  /**
   * What is known of the inverse of minus the Hessian beforehand. Without it the curvature is measured once at the
   * end (2 gradients per coordinate), so that an end on a plateau or far from scale is not taken for a maximum.
   */
  readonly inverseHessian?: Matrix;
  readonly signal?: AbortSignal;
  readonly progress?: (iteration: number, value: number) => void;
}

export interface Optimum {
  readonly point: Float64Array;
  /** Log-likelihood there. */
  readonly value: number;
  readonly gradient: Float64Array;
  /** An estimate of the inverse of minus the Hessian, positive definite; [coordinate][coordinate]. */
  readonly inverseHessian: Matrix;
  readonly iterations: number;
  /** Gradients computed along the search. */
  readonly evaluations: number;
  /**
   * Why the search ended: the expected gain is below tolerance; the value no longer changes, nothing higher being
   * found where a gain of less than 1e-6 is expected, as at a kink; nothing higher is found where more is expected, as
   * at an edge; too many iterations.
   */
  readonly reason: "gradient" | "change" | "no step" | "iterations";
  /** Whether the reason is "gradient" or "change". */
  readonly converged: boolean;
}

interface Evaluation {
  readonly point: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
}

/** An evaluation `step` times along a direction; `slope` is the derivative of the value by `step`. */
interface Trial extends Evaluation {
  readonly step: number;
  readonly slope: number;
}

/**
 * The maximum that is uphill of `start`. Where the log-likelihood is -Infinity the search turns back. Throws a
 * NumericError if it is that, or has no finite gradient, at the start.
 */
export function maximise(
  objective: Differentiable,
  start: Float64Array,
  options: MaximiseOptions = {},
): Optimum {
  const { tolerance = 1e-12, iterations = 1000, signal } = options;
  let evaluations = 0;
  const evaluate = (point: Float64Array): Evaluation => {
    signal?.throwIfAborted();
    evaluations++;
    const { value, gradient } = objective.gradient(point);
    const usable = Number.isFinite(value) && gradient.every(Number.isFinite);
    return { point, value: usable ? value : Number.NEGATIVE_INFINITY, gradient };
  };
  let here = evaluate(Float64Array.from(start));
  if (here.value === Number.NEGATIVE_INFINITY)
    throw new NumericError(`the log-likelihood cannot be evaluated at ${placeOf(objective, start)}`);

  let inverse = options.inverseHessian ?? steepest(here.gradient);
  let measured = options.inverseHessian !== undefined; // whether `inverse` began as more than a guess
  let learned = measured; // whether it knows anything of the curvature
  let hoped = Number.POSITIVE_INFINITY; // gain expected by what was learned, when no step was found
  for (let iteration = 0; ; iteration++) {
    options.progress?.(iteration, here.value);
    const direction = applied(inverse, here.gradient);
    const slope = dot(here.gradient, direction);
    const done = Math.abs(slope) / 2 <= tolerance;
    const next = done ? undefined : search(evaluate, here, direction, slope);
    if (next === undefined && !measured) {
      inverse = measure(objective, here.point, inverse, signal);
      measured = learned = true;
    } else if (next === undefined && !done && learned) {
      inverse = steepest(here.gradient); // what was learned of the curvature may mislead
      learned = false;
      hoped = slope / 2;
    } else if (next === undefined || iteration === iterations) {
      const stuck = hoped <= 1e-6 ? "change" : "no step";
      const reason = done ? "gradient" : next === undefined ? stuck : "iterations";
      const converged = reason === "gradient" || reason === "change";
      return { ...here, inverseHessian: inverse, iterations: iteration, evaluations, reason, converged };
    } else {
      const moved = next.point.map((x, i) => x - here.point[i]);
      const bent = next.gradient.map((x, i) => here.gradient[i] - x);
      inverse = updated(inverse, moved, bent, learned);
      learned = true;
      hoped = Number.POSITIVE_INFINITY;
      here = { point: next.point, value: next.value, gradient: next.gradient };
    }
  }
}

/** The inverse of minus the Hessian at a point; what was known of it before where it has none, on an edge. */
function measure(
  objective: Differentiable,
  point: Float64Array,
  inverse: Matrix,
  signal: AbortSignal | undefined,
): Matrix {
  const scale = inverse.map((row, i) => Math.sqrt(row[i]));
  try {
    return positiveInverse(hessian(objective, point, { scale, signal }));
  } catch (error) {
    if (error instanceof NumericError) return inverse;
    throw error;
  }
}

/** Nothing known of the curvature: straight uphill, by 1 at most. */
function steepest(gradient: Float64Array): Matrix {
  const scale = Math.min(1, 1 / Math.hypot(...gradient));
  return identity(gradient.length).map((row) => row.map((x) => x * scale));
}

// Nocedal & Wright 2006, section 3.1: constants of the Wolfe conditions for quasi-Newton methods.
const enoughGain = 1e-4;
const enoughFlatness = 0.9;
/** Differences of the value below this part of it may be rounding: Hager & Zhang 2005, SIAM J. Optim. 16:170. */
const rounding = 1e-10;

/** A point along `direction` that meets the strong Wolfe conditions, or the highest found; undefined if none is higher. */
function search(
  evaluate: (point: Float64Array) => Evaluation,
  from: Evaluation,
  direction: Float64Array,
  slope: number,
): Trial | undefined {
  if (!(slope > 0)) return undefined;
  const start: Trial = { ...from, step: 0, slope };
  const along = (step: number): Trial => {
    const found = evaluate(from.point.map((x, i) => x + step * direction[i]));
    return { ...found, step, slope: dot(found.gradient, direction) };
  };
  /** Where rounding hides a gain, the slope tells (Hager & Zhang 2005, eq. 4.1 and 4.2). */
  const gained = (trial: Trial): boolean =>
    trial.value >= from.value + enoughGain * trial.step * slope ||
    (trial.value >= from.value - rounding * Math.max(1, Math.abs(from.value)) &&
      trial.slope >= (2 * enoughGain - 1) * slope);
  const good = (trial: Trial): boolean => gained(trial) && Math.abs(trial.slope) <= enoughFlatness * slope;

  // algorithm 3.5: go on until a good point lies between `low`, which gained, and `high`
  let low = start;
  let high: Trial | undefined;
  let step = 1;
  for (let k = 0; high === undefined; k++) {
    const trial = along(step);
    if (good(trial)) return trial;
    if (!gained(trial) || (k > 0 && trial.value <= low.value)) high = trial;
    else if (trial.slope <= 0) [low, high] = [trial, low];
    else {
      const secant = step + ((step - low.step) * trial.slope) / (low.slope - trial.slope);
      low = trial;
      if (k === 60) return trial; // rises for ever
      step = secant > step ? Math.min(Math.max(secant, 2 * step), 10 * step) : 10 * step;
    }
  }
  // algorithm 3.6: narrow it
  for (let k = 0; k < 60; k++) {
    const trial = along(between(low, high));
    if (trial.step === low.step || trial.step === high.step) break;
    if (good(trial)) return trial;
    if (!gained(trial) || trial.value <= low.value) high = trial;
    else {
      if (trial.slope * (high.step - low.step) <= 0) high = low;
      low = trial;
    }
  }
  return low.value > from.value ? low : undefined;
}

/** The step at the maximum of the cubic through both ends (Nocedal & Wright 2006, eq. 3.59), kept off them. */
function between(low: Trial, high: Trial): number {
  const width = high.step - low.step;
  let part = 0.5;
  if (high.value > Number.NEGATIVE_INFINITY) {
    const d1 = low.slope + high.slope - (3 * (high.value - low.value)) / width;
    const d2 = Math.sign(width) * Math.sqrt(d1 * d1 - low.slope * high.slope);
    part = 1 - (d2 - high.slope + d1) / (low.slope - high.slope + 2 * d2);
  }
  return low.step + width * (part >= 0.1 && part <= 0.9 ? part : part < 0.1 ? 0.1 : part > 0.9 ? 0.9 : 0.5);
}

/** H with the curvature seen on a step: Nocedal & Wright 2006, eq. 6.17; the first time after scaling by eq. 6.20. */
function updated(inverse: Matrix, moved: Float64Array, bent: Float64Array, learned: boolean): Matrix {
  const product = dot(moved, bent);
  if (!(product > 1e-12 * Math.hypot(...moved) * Math.hypot(...bent))) return inverse; // not bent as at a maximum
  const size = product / dot(bent, bent);
  const before = learned ? inverse : identity(moved.length).map((row) => row.map((x) => x * size));
  const turned = applied(before, bent);
  const weight = (1 + dot(bent, turned) / product) / product;
  return before.map((row, i) =>
    row.map(
      (x, j) => x + weight * moved[i] * moved[j] - (turned[i] * moved[j] + moved[i] * turned[j]) / product,
    ),
  );
}

export interface Optima {
  readonly best: Optimum;
  /** One for each start that could be evaluated, highest first; `start` is the index among the starts. */
  readonly optima: readonly (Optimum & { readonly start: number })[];
  /** How many ended within 0.01 of the best log-likelihood. */
  readonly agreeing: number;
}

/**
 * Maximises from the most promising starts, [start] of [coordinate]: from all, or from the `keep` with the highest
 * log-likelihood. Throws a NumericError if none can be evaluated. `progress` is told the part done, 0 to 1.
 */
export function multiStart(
  objective: Objective,
  starts: readonly Float64Array[],
  options: Omit<MaximiseOptions, "progress"> & {
    readonly keep?: number;
    readonly progress?: (fraction: number) => void;
  } = {},
): Optima {
  const size = objective.names.length;
  const together = new Float64Array(starts.length * size);
  for (const [k, start] of starts.entries()) together.set(start, k * size);
  const values = objective.values(together);
  const promising = starts
    .map((_, start) => start)
    .filter((start) => Number.isFinite(values[start]))
    .sort((a, b) => values[b] - values[a])
    .slice(0, options.keep);
  if (promising.length === 0)
    throw new NumericError(
      `the log-likelihood cannot be evaluated at any of ${starts.length} starts` +
        (starts.length > 0 ? `; the first is ${placeOf(objective, starts[0])}` : ""),
    );
  const optima: (Optimum & { readonly start: number })[] = [];
  let failure: NumericError | undefined;
  for (const [k, start] of promising.entries()) {
    options.progress?.(k / promising.length);
    try {
      optima.push({ ...maximise(objective, starts[start], { ...options, progress: undefined }), start });
    } catch (error) {
      if (!(error instanceof NumericError)) throw error;
      failure ??= error; // one search that runs into the rocks leaves the others
    }
  }
  if (failure && optima.length === 0) throw failure;
  options.progress?.(1);
  optima.sort((a, b) => b.value - a.value);
  const best = optima[0];
  return { best, optima, agreeing: optima.filter(({ value }) => value > best.value - 0.01).length };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

const applied = (a: Matrix, x: Float64Array): Float64Array =>
  Float64Array.from(a, (row) => row.reduce((sum, entry, i) => sum + entry * x[i], 0));
