/**
 * Profile-likelihood intervals: how far a coordinate can go while the others make up for it.
 *
 * The interval holds the values at which the best log-likelihood is within chi2(1, level) / 2 of the maximum
 * (Venzon & Moolgavkar 1988, Appl. Statist. 37:87). Unlike intervals from the covariance it need not be symmetric
 * or closed.
 */

import type { Matrix } from "../math/matrix.ts";
import { normalQuantile } from "../math/normal.ts";
import type { Differentiable, Objective } from "./objective.ts";
import { type MaximiseOptions, maximise, type Optimum } from "./optimum.ts";

export interface ProfileOptions {
  /** Default 0.95. */
  readonly level?: number;
  /** A side is open if it does not end within `reach` units and `reach` standard deviations; default 20. */
  readonly reach?: number;
  /** How exact the ends are: in the root of twice what is lost, so in deviations where all is normal; default 1e-4. */
  readonly tolerance?: number;
  readonly signal?: AbortSignal;
}

export interface Profile {
  /** In the coordinate; -Infinity and Infinity where the side is open. */
  readonly interval: readonly [low: number, high: number];
  /** The profile as far as it was followed, by rising coordinate: the highest log-likelihood at each value. */
  readonly path: readonly { readonly at: number; readonly value: number }[];
  /** A point higher than the optimum, met on the way: the interval is void, the search should go on from there. */
  readonly higher?: Float64Array;
}

/** A maximum over the other coordinates, with one held `offset` from the optimum, towards one side. */
interface Held {
  readonly offset: number;
  readonly point: Float64Array; // all coordinates
  readonly value: number;
  readonly inverseHessian: Matrix; // of the others
}

/**
 * The profile-likelihood interval of coordinate `k`. A side is open where the log-likelihood levels off, or cannot
 * be evaluated any more, before it has fallen enough. Takes some 3 to 6 maximisations a side, each from where its
 * neighbour leads.
 */
export function profile(
  objective: Objective,
  optimum: Pick<Optimum, "point" | "value" | "inverseHessian">,
  k: number,
  options: ProfileOptions = {},
): Profile {
  const { level = 0.95, reach = 20, tolerance = 1e-4, signal } = options;
  if (!(level > 0 && level < 1)) throw new RangeError(`an interval cannot hold a part of ${level}`);
  const { point, value, inverseHessian } = optimum;
  const deviation = Math.sqrt(inverseHessian[k][k]);
  const path = [{ at: point[k], value }];
  let higher: Float64Array | undefined;
  const inner = { tolerance: tolerance / 100, signal }; // a loss of t moves the end by t / 2 deviations

  const start: Held = { offset: 0, point, value, inverseHessian: conditional(inverseHessian, k) };
  const end = (side: -1 | 1): number => {
    const tangent = inverseHessian.map((row) => (side * row[k]) / inverseHessian[k][k]);
    const at = (offset: number, near: Held): Held | undefined => {
      const led = near.point.map((x, i) => {
        const slope = near === start ? tangent[i] : (x - point[i]) / near.offset;
        return x + (offset - near.offset) * slope;
      });
      for (const guess of [led, near.point.slice()]) {
        guess[k] = point[k] + side * offset;
        if (!Number.isFinite(objective.values(guess)[0])) continue;
        const found = maximiseOthers(objective, guess, k, near.inverseHessian, inner);
        path.push({ at: guess[k], value: found.value });
        if (found.value > value + 1e-6) higher = found.point;
        return { offset, ...found };
      }
      return undefined;
    };
    const edge = normalQuantile(0.5 + level / 2); // square root of the chi-square quantile
    const farthest = reach * Math.max(1, deviation);
    return side * crossing(at, start, { edge, deviation, farthest, tolerance }, () => higher !== undefined);
  };

  const interval = [point[k] + end(-1), point[k] + end(1)] as const;
  path.sort((a, b) => a.at - b.at);
  return { interval, path, higher };
}

/**
 * The offset at which the square root of twice what is lost, near linear in the offset, reaches `edge`: steps outwards,
 * then regula falsi, halving the weight of an end that stays (Illinois). NaN if stopped.
 */
function crossing(
  at: (offset: number, near: Held) => Held | undefined,
  start: Held,
  measures: Readonly<Record<"edge" | "deviation" | "farthest" | "tolerance", number>>,
  stopped: () => boolean,
): number {
  const { edge, deviation, farthest, tolerance } = measures;
  let inside = start;
  let outside = Number.POSITIVE_INFINITY; // offset
  let below = -edge; // what the end inside lacks
  let above = Number.POSITIVE_INFINITY; // what the end outside exceeds; infinite where nothing can be evaluated
  let offset = edge * deviation;
  let last: "inside" | "outside" | undefined;
  for (;;) {
    const found = at(offset, inside);
    if (stopped()) return Number.NaN;
    const lost = found === undefined ? Number.POSITIVE_INFINITY : Math.max(0, start.value - found.value);
    const excess = Math.sqrt(2 * lost) - edge;
    if (Math.abs(excess) <= tolerance) return offset;
    const moved = found !== undefined && excess < 0 ? "inside" : "outside";
    if (found !== undefined && moved === "inside") {
      inside = found;
      below = excess;
      if (last === moved) above /= 2;
    } else {
      outside = offset;
      above = excess;
      if (last === moved) below /= 2;
    }
    last = moved;
    const width = outside - inside.offset;
    if (inside.offset >= farthest) return Number.POSITIVE_INFINITY;
    if (width <= tolerance * deviation) return above < Number.POSITIVE_INFINITY ? offset : above;
    if (outside === Number.POSITIVE_INFINITY) {
      const straight = offset * (edge / (below + edge));
      offset = Math.min(Math.max(straight, 1.2 * offset), 3 * offset, farthest);
    } else
      offset = inside.offset + width * (above < Number.POSITIVE_INFINITY ? below / (below - above) : 0.5);
  }
}

/** The maximum with coordinate k held where `guess` has it; `point` has all coordinates. */
function maximiseOthers(
  objective: Objective,
  guess: Float64Array,
  k: number,
  inverseHessian: Matrix,
  options: Pick<MaximiseOptions, "tolerance" | "signal">,
): Pick<Held, "point" | "value" | "inverseHessian"> {
  const size = guess.length;
  if (size === 1) return { point: guess, value: objective.values(guess)[0], inverseHessian };
  const whole = (part: Float64Array): Float64Array =>
    guess.map((x, i) => (i === k ? x : part[i < k ? i : i - 1]));
  const part = (point: Float64Array): Float64Array => point.filter((_, i) => i !== k);
  const held: Differentiable = {
    names: objective.names.filter((_, i) => i !== k),
    gradient(point) {
      const { value, gradient } = objective.gradient(whole(point));
      return { value, gradient: part(gradient) };
    },
  };
  const best = maximise(held, part(guess), { ...options, inverseHessian });
  return { point: whole(best.point), value: best.value, inverseHessian: best.inverseHessian };
}

/** Covariance of the others with coordinate k held. */
function conditional(covariance: Matrix, k: number): Matrix {
  const rest = covariance.map((_, i) => i).filter((i) => i !== k);
  return rest.map((i) =>
    rest.map((j) => covariance[i][j] - (covariance[i][k] * covariance[k][j]) / covariance[k][k]),
  );
}
