/**
 * Which of several models of the same data predicts best.
 *
 * All criteria are on the scale of -2 log-likelihood; less is better, and a difference of 10 leaves little doubt
 * (Burnham & Anderson 2002, Model Selection and Multimodel Inference, section 2.6).
 */

import { ConfigError } from "../math/errors.ts";
import { mean, variance } from "../math/statistics.ts";

export type Criterion = "aic" | "aicc" | "bic" | "waic";

/** A fitted model. */
export interface Candidate {
  readonly name: string;
  /** At its maximum. */
  readonly logLikelihood: number;
  /** How many were fitted. */
  readonly parameters: number;
  /** How many values were read. */
  readonly observations: number;
  /** Log-likelihoods of single observations, [draw][observation]; WAIC needs it. */
  readonly pointwise?: Float64Array;
}

/** A row of the table. */
export interface Ranked {
  readonly name: string;
  readonly parameters: number;
  readonly logLikelihood: number;
  readonly aic: number;
  /** Infinity with less than 2 observations more than parameters. */
  readonly aicc: number;
  readonly bic: number;
  readonly waic?: Waic;
  /** How much worse than the best, by the criterion asked for. */
  readonly difference: number;
  /** Standard error of the difference; of WAIC only. */
  readonly differenceError?: number;
  /** Akaike weight exp(-difference / 2), of sum 1. */
  readonly weight: number;
}

/**
 * The models, best first by one criterion, default AICc. Throws a ConfigError unless all have the same number of observations and
 * what the criterion needs.
 */
export function compare(
  candidates: readonly Candidate[],
  options: { readonly by?: Criterion } = {},
): Ranked[] {
  const { by = "aicc" } = options;
  const observations = candidates[0]?.observations;
  const rows = candidates.map((candidate) => {
    const { name, logLikelihood, parameters, pointwise } = candidate;
    if (candidate.observations !== observations)
      throw new ConfigError(
        `${name} was fitted to ${candidate.observations} values, ${candidates[0].name} to ${observations}: only models of the same data compare`,
      );
    if (by === "waic" && pointwise === undefined)
      throw new ConfigError(`${name} has no posterior samples, which WAIC needs`);
    return {
      name,
      parameters,
      logLikelihood,
      ...criteria(candidate),
      waic: pointwise === undefined ? undefined : waic(pointwise, observations),
    };
  });
  const scoreOf = (row: (typeof rows)[number]): number =>
    by === "waic" ? (row.waic?.value ?? Number.NaN) : row[by];
  rows.sort((a, b) => scoreOf(a) - scoreOf(b));
  const differences = rows.map((row) => (row === rows[0] ? 0 : scoreOf(row) - scoreOf(rows[0])));
  const total = differences.reduce((sum, difference) => sum + Math.exp(-difference / 2), 0);
  return rows.map((row, k) => {
    const [own, best] = [row.waic?.pointwise, rows[0].waic?.pointwise];
    const error = by === "waic" && own && best ? sumError(own.map((x, i) => x - best[i])) : undefined;
    return {
      ...row,
      difference: differences[k],
      differenceError: error,
      weight: Math.exp(-differences[k] / 2) / total,
    };
  });
}

/**
 * AIC (Akaike 1974, IEEE Trans. Autom. Control 19:716), AICc (Hurvich & Tsai 1989, Biometrika 76:297) and BIC (Schwarz
 * 1978, Ann. Stat. 6:461).
 */
export function criteria(
  fitted: Pick<Candidate, "logLikelihood" | "parameters" | "observations">,
): Readonly<Record<Exclude<Criterion, "waic">, number>> {
  const { logLikelihood, parameters: k, observations: n } = fitted;
  const aic = 2 * k - 2 * logLikelihood;
  return {
    aic,
    aicc: n > k + 1 ? aic + (2 * k * (k + 1)) / (n - k - 1) : Number.POSITIVE_INFINITY,
    bic: k * Math.log(n) - 2 * logLikelihood,
  };
}

export interface Waic {
  /** -2 times the expected log-density of new data, estimated. */
  readonly value: number;
  readonly standardError: number;
  /** Effective number of parameters. */
  readonly parameters: number;
  /** Log-density of the data under the posterior. */
  readonly logDensity: number;
  /** Share of each observation in `value`, [observation]. */
  readonly pointwise: Float64Array;
  /** Observations whose log-likelihood varies by more than 0.4: with many, WAIC cannot be trusted. */
  readonly doubtful: number;
}

/**
 * Widely applicable information criterion of log-likelihoods [draw][observation]: Watanabe 2010, J. Mach. Learn. Res.
 * 11:3571, as in Gelman, Hwang & Vehtari 2014, Stat. Comput. 24:997, eq. 5 and 12; standard error and the limit of 0.4
 * as in Vehtari, Gelman & Gabry 2017, Stat. Comput. 27:1413, eq. 23 and section 2.2.
 */
export function waic(logLikelihoods: Float64Array, observations: number): Waic {
  const draws = logLikelihoods.length / observations;
  if (!Number.isInteger(draws) || draws < 2)
    throw new RangeError(
      `${logLikelihoods.length} log-likelihoods are not two draws or more of ${observations}`,
    );
  const pointwise = new Float64Array(observations);
  let logDensity = 0;
  let parameters = 0;
  let doubtful = 0;
  for (let i = 0; i < observations; i++) {
    const own = Float64Array.from({ length: draws }, (_, draw) => logLikelihoods[draw * observations + i]);
    const largest = own.reduce((a, b) => Math.max(a, b));
    const density = largest + Math.log(mean(own.map((x) => Math.exp(x - largest))));
    const spread = variance(own);
    logDensity += density;
    parameters += spread;
    if (spread > 0.4) doubtful++;
    pointwise[i] = -2 * (density - spread);
  }
  return {
    value: -2 * (logDensity - parameters),
    standardError: sumError(pointwise),
    parameters,
    logDensity,
    pointwise,
    doubtful,
  };
}

/** Standard error of a sum of independent values. */
const sumError = (values: Float64Array): number => Math.sqrt(values.length * variance(values));
