/**
 * Samples of a posterior by an ensemble of walkers that move by each other's places.
 *
 * Half of the walkers move at a time by the places of the other half (Foreman-Mackey et al. 2013, PASP 125:306), so
 * that half of them are evaluated at once, in one of two ways. Neither cares about the units of the coordinates
 * or how they correlate.
 *
 * - The stretch move of Goodman & Weare 2010 (Commun. Appl. Math. Comput. Sci. 5:65): along the line to another walker,
 *   to z times the distance, z drawn from g(z) ~ 1 / sqrt(z) on [1/a, a], a = 2.
 * - Differential evolution (ter Braak 2006, Stat. Comput. 16:239): by 2.38 / sqrt(2 n) of the difference of two others.
 *   Decorrelates a normal posterior 3 times faster, but on its own would stay on a lattice.
 *
 * Every draw is addressed: a chain is a function of (objective, start, options).
 */

import { ConfigError, NumericError } from "../math/errors.ts";
import { eigen, type Matrix } from "../math/matrix.ts";
import { normalQuantile } from "../math/normal.ts";
import { type Key, randomKey, uniform } from "../math/random.ts";
import type { Objective } from "./objective.ts";

export interface EnsembleOptions {
  readonly seed: string | number;
  /** Even, at least 2 a coordinate; default 32 or, if that is more, 4 a coordinate. */
  readonly walkers?: number;
  /** Places kept of each walker; default 1000. */
  readonly draws?: number;
  /** One of so many steps is kept; default 1. */
  readonly thin?: number;
  /** Steps dropped at the start; default half as many as come after, a third of all. */
  readonly burnIn?: number;
  /** Part of the steps that are stretch moves, in (0, 1]; default 0.2. The others are differential evolution. */
  readonly stretch?: number;
  /** Log-density of the coordinates beforehand, up to a constant; default flat. -Infinity where impossible. */
  readonly logPrior?: (point: Float64Array) => number;
  readonly signal?: AbortSignal;
  /** Told the part done, 0 to 1. */
  readonly progress?: (fraction: number) => void;
}

export interface Chain {
  readonly names: readonly string[];
  readonly walkers: number;
  readonly draws: number;
  /** [draw][walker][coordinate]. */
  readonly points: Float64Array;
  /** Without the prior, [draw][walker]. */
  readonly logLikelihoods: Float64Array;
  /** Part of the proposals after the burn-in that were taken: 0.2 to 0.5 where all goes well. */
  readonly acceptance: number;
}

/** What a draw is for. */
const streams = { start: 0, move: 1, partner: 2, other: 3, accept: 4 };

/**
 * Samples of exp(log-likelihood + log-prior), walkers starting normal about `start.point`. Throws a ConfigError on a
 * number of walkers that cannot work, a NumericError where no start is possible. Cost beside that of the
 * likelihood: below 1 us a proposal and coordinate.
 */
export function ensemble(
  objective: Objective,
  start: { readonly point: Float64Array; readonly covariance: Matrix },
  options: EnsembleOptions,
): Chain {
  const { names } = objective;
  const size = names.length;
  const {
    walkers = Math.max(32, 4 * size),
    draws = 1000,
    thin = 1,
    stretch = 0.2,
    logPrior,
    signal,
    progress,
  } = options;
  const burnIn = options.burnIn ?? Math.ceil((draws * thin) / 2);
  if (!Number.isInteger(walkers / 2) || walkers < Math.max(4, 2 * size))
    throw new ConfigError(
      `an ensemble of ${walkers} walkers: ${size} coordinates need an even number, ${2 * size} or more`,
    );
  if (!(stretch > 0 && stretch <= 1))
    throw new ConfigError(`stretch moves are a part in (0, 1], not ${stretch}`);
  const key = randomKey(options.seed, "ensemble");
  const half = walkers / 2;

  /** Log-likelihoods at points, and these with the prior. */
  const evaluate = (points: Float64Array) => {
    const likelihoods = objective.values(points).slice();
    const densities = likelihoods.slice();
    if (logPrior !== undefined)
      for (let k = 0; k < densities.length; k++)
        densities[k] += logPrior(points.subarray(k * size, (k + 1) * size));
    return { likelihoods, densities };
  };

  const places = spread(start, walkers, key, evaluate, names);
  const { likelihoods, densities } = evaluate(places);
  const points = new Float64Array(draws * walkers * size);
  const logLikelihoods = new Float64Array(draws * walkers);
  const proposals = new Float64Array(half * size);
  const logFactors = new Float64Array(half);
  let taken = 0;
  for (let step = 0; step < burnIn + draws * thin; step++) {
    signal?.throwIfAborted();
    progress?.(step / (burnIn + draws * thin));
    const stretching = uniform(key, streams.move, 0, step) < stretch;
    for (const first of [0, half]) {
      if (stretching) proposeStretch(places, size, first, key, step, proposals, logFactors);
      else proposeDifference(places, size, first, key, step, proposals, logFactors);
      const proposed = evaluate(proposals);
      for (let k = 0; k < half; k++) {
        const walker = first + k;
        const logRatio = logFactors[k] + proposed.densities[k] - densities[walker];
        if (!(Math.log(uniform(key, streams.accept, walker, step)) < logRatio)) continue;
        places.set(proposals.subarray(k * size, (k + 1) * size), walker * size);
        likelihoods[walker] = proposed.likelihoods[k];
        densities[walker] = proposed.densities[k];
        if (step >= burnIn) taken++;
      }
    }
    const kept = (step + 1 - burnIn) / thin - 1;
    if (kept < 0 || !Number.isInteger(kept)) continue;
    points.set(places, kept * walkers * size);
    logLikelihoods.set(likelihoods, kept * walkers);
  }
  progress?.(1);
  return { names, walkers, draws, points, logLikelihoods, acceptance: taken / (draws * thin * walkers) };
}

/** What moves the walkers of one half: fills `proposals`, [walker of the half][coordinate], and the log of their weight. */
type Propose = (
  places: Float64Array,
  size: number,
  first: number, // of the walkers that move
  key: Key,
  step: number,
  proposals: Float64Array,
  logFactors: Float64Array,
) => void;

/** Goodman & Weare 2010, eq. 7 to 10, with a = 2. */
const proposeStretch: Propose = (places, size, first, key, step, proposals, logFactors) => {
  const half = logFactors.length;
  for (let k = 0; k < half; k++) {
    const walker = first + k;
    const partner = half - first + Math.floor(half * uniform(key, streams.partner, walker, step));
    const z = (1 + uniform(key, streams.other, walker, step)) ** 2 / 2;
    for (let i = 0; i < size; i++) {
      const pivot = places[partner * size + i];
      proposals[k * size + i] = pivot + z * (places[walker * size + i] - pivot);
    }
    logFactors[k] = (size - 1) * Math.log(z);
  }
};

/** ter Braak 2006, eq. 2. */
const proposeDifference: Propose = (places, size, first, key, step, proposals, logFactors) => {
  const half = logFactors.length;
  const part = 2.38 / Math.sqrt(2 * size);
  for (let k = 0; k < half; k++) {
    const walker = first + k;
    const one = Math.floor(half * uniform(key, streams.partner, walker, step));
    const shift = 1 + Math.floor((half - 1) * uniform(key, streams.other, walker, step));
    const from = (half - first + one) * size;
    const to = (half - first + ((one + shift) % half)) * size;
    for (let i = 0; i < size; i++)
      proposals[k * size + i] = places[walker * size + i] + part * (places[to + i] - places[from + i]);
    logFactors[k] = 0;
  }
};

/** Times a walker is placed anew before there seems to be no place for it. */
const tries = 100;

/** Places of the walkers, normal about the start, each drawn anew while its density is 0; [walker][coordinate]. */
function spread(
  { point, covariance }: { readonly point: Float64Array; readonly covariance: Matrix },
  walkers: number,
  key: Key,
  evaluate: (points: Float64Array) => { readonly densities: Float64Array },
  names: readonly string[],
): Float64Array {
  const size = point.length;
  const { values, vectors } = eigen(covariance);
  const places = new Float64Array(walkers * size);
  let lost = Array.from({ length: walkers }, (_, walker) => walker);
  for (let attempt = 0; attempt < tries && lost.length > 0; attempt++) {
    for (const walker of lost) {
      const place = places.subarray(walker * size, (walker + 1) * size);
      place.set(point);
      for (let k = 0; k < size; k++) {
        const z = normalQuantile(uniform(key, streams.start, walker * size + k, attempt));
        const reach = z * Math.sqrt(Math.max(0, values[k]));
        for (let i = 0; i < size; i++) place[i] += reach * vectors[k][i];
      }
    }
    const { densities } = evaluate(places);
    lost = lost.filter((walker) => !(densities[walker] > Number.NEGATIVE_INFINITY));
  }
  if (lost.length > 0)
    throw new NumericError(
      `the posterior is 0 nearly everywhere about ${names.map((name, i) => `${name} = ${point[i]}`).join(", ")}`,
    );
  return places;
}
