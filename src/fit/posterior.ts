/**
 * The posterior of a fit: draws of the parameters, and what they are worth.
 *
 * The prior is flat in the parameters themselves, within their bounds, so its mode is the fit.
 */
import { quantile } from "../math/statistics.ts";
import { type Diagnosis, diagnose } from "./diagnose.ts";
import { type EnsembleOptions, ensemble } from "./ensemble.ts";
import type { Fit } from "./fit.ts";

export interface PosteriorOptions extends Pick<EnsembleOptions, "seed" | "walkers" | "signal" | "progress"> {
  /** Draws in all, of all walkers; default 10,000. */
  readonly draws?: number;
}

export interface Posterior {
  readonly names: readonly string[];
  /** [draw][parameter], SI; draws of one step of the ensemble follow each other. */
  readonly values: Float64Array;
  readonly draws: number;
  /** Log-likelihood of each draw. */
  readonly logLikelihoods: Float64Array;
  /** Quantiles of each parameter at 2.5, 50 and 97.5 %. */
  readonly quantiles: readonly (readonly [low: number, median: number, high: number])[];
  /** Of the coordinates that are sampled: logarithms of positive parameters. */
  readonly diagnosis: readonly Diagnosis[];
  readonly acceptance: number;
  /** Log-likelihoods of single reads, each given those before it in its device; [some draw][read], for `compare`. */
  readonly pointwise: Float64Array;
}

/** Draws times reads that the widely applicable criterion is computed from, at most. */
const pointwiseMost = 4e6;

/** Samples the posterior of a fit around its maximum. */
export function posterior({ search }: Fit, options: PosteriorOptions): Posterior {
  const { likelihood, space, optimum, covariance } = search;
  const size = space.names.length;
  const walkers = options.walkers ?? Math.max(32, 2 * Math.ceil((4 * size) / 2));
  const draws = Math.max(4, Math.ceil((options.draws ?? 10_000) / walkers));
  const chain = ensemble(
    space.objective(likelihood),
    { point: optimum.point, covariance },
    {
      ...options,
      walkers,
      draws,
      logPrior: (point) => space.flatPrior(point),
    },
  );
  const values = space.values(chain.points);
  const count = draws * walkers;
  const quantiles = space.names.map((_, k) => {
    const sorted = Float64Array.from({ length: count }, (_, d) => values[d * size + k]).sort();
    return [quantile(sorted, 0.025), quantile(sorted, 0.5), quantile(sorted, 0.975)] as const;
  });
  const reads = likelihood.reads.length;
  const used = Math.max(2, Math.min(count, Math.floor(pointwiseMost / reads)));
  const pointwise = new Float64Array(used * reads);
  for (let d = 0; d < used; d++) {
    const draw = Math.floor((d * count) / used) * size;
    pointwise.set(likelihood.predict(values.subarray(draw, draw + size)).logLikelihood, d * reads);
  }
  return {
    names: space.names,
    values,
    draws: count,
    logLikelihoods: chain.logLikelihoods,
    quantiles,
    diagnosis: diagnose(chain),
    acceptance: chain.acceptance,
    pointwise,
  };
}
