/**
 * Whether a chain has been long enough, and what its draws are worth.
 *
 * Two views. The walkers of an ensemble move by each other's places, so they are no independent chains: what a
 * mean is worth is told by the autocorrelation time of the ensemble (Goodman & Weare 2010, section 3, with the window
 * of Sokal 1997, as emcee computes it), and `effectiveSize` and `standardError` come from that. R-hat and
 * the bulk and tail sizes of Vehtari et al. 2021 (Bayesian Anal. 16:667) take walkers for chains all the same:
 * an R-hat above 1.01 says that walkers have not yet been everywhere; one below is necessary, not sufficient.
 */

import { fourier } from "../math/fourier.ts";
import { normalQuantile } from "../math/normal.ts";
import { mean, quantile, variance } from "../math/statistics.ts";
import type { Chain } from "./ensemble.ts";

export interface Diagnosis {
  readonly name: string;
  readonly mean: number;
  readonly deviation: number;
  /** Of the mean: the deviation over the root of the effective size. */
  readonly standardError: number;
  /** Integrated autocorrelation time, in draws. */
  readonly autocorrelationTime: number;
  /** Independent draws that would give as good a mean: all draws over the autocorrelation time. */
  readonly effectiveSize: number;
  /** Whether the chain has 50 autocorrelation times, with less the time itself is underestimated. */
  readonly longEnough: boolean;
  /** Rank-normalised split R-hat, the larger of that of the values and that of their distance from the median. */
  readonly rHat: number;
  /** Effective sizes for the middle of the distribution, and for its 5 % and 95 % quantiles, the smaller one. */
  readonly bulkSize: number;
  readonly tailSize: number;
}

/** One a coordinate. Needs 4 draws or more: RangeError. Cost: draws times autocorrelation time. */
export function diagnose(chain: Chain): Diagnosis[] {
  return chain.names.map((name, i) => {
    const series = walkersOf(chain, i);
    const values = seriesTogether(series);
    const time = Math.max(autocorrelationTime(series), 1 / Math.log10(values.length)); // as for the other sizes
    const effectiveSize = values.length / time;
    const deviation = Math.sqrt(variance(values));
    return {
      name,
      mean: mean(values),
      deviation,
      standardError: deviation / Math.sqrt(effectiveSize),
      autocorrelationTime: time,
      effectiveSize,
      longEnough: chain.draws >= 50 * time,
      rHat: rankRHat(series),
      bulkSize: bulkSize(series),
      tailSize: tailSize(series),
    };
  });
}

/** Values [walker][draw] of one coordinate. */
export function walkersOf({ points, names, walkers, draws }: Chain, coordinate: number): Float64Array[] {
  return Array.from({ length: walkers }, (_, walker) =>
    Float64Array.from(
      { length: draws },
      (_, draw) => points[(draw * walkers + walker) * names.length + coordinate],
    ),
  );
}

/** Values [chain][draw], chains of one length. */
export type Series = readonly Float64Array[];

/** Times the autocorrelation time that Sokal's window is wide (Sokal 1997, section 3.3; emcee's default). */
const windowWidth = 5;

/**
 * Integrated autocorrelation time 1 + 2 sum rho(t), in draws, with rho averaged over walkers and summed up to the
 * first lag t >= 5 times the sum so far; Infinity where nothing ever moved.
 */
export function autocorrelationTime(series: Series): number {
  const unit = series.map((values) => {
    const centred = aboutMean(values);
    const norm = Math.sqrt(centred.reduce((sum, x) => sum + x * x, 0));
    return norm > 0 ? centred.map((x) => x / norm) : centred;
  });
  const moving = unit.filter((values) => values.some((x) => x !== 0));
  if (moving.length === 0) return Number.POSITIVE_INFINITY;
  const products = laggedProducts(moving);
  const still = series.length - moving.length; // walkers that never moved stay as they are
  let time = 1;
  for (let lag = 1; lag < products.length && lag - 1 < windowWidth * time; lag++)
    time += (2 * (products[lag] + still)) / series.length;
  return time;
}

/** Gelman-Rubin R-hat of chains cut in halves (Gelman et al. 2013, Bayesian Data Analysis, eq. 11.4). */
export function splitRHat(series: Series): number {
  return rHat(halves(series));
}

/** The larger R-hat of ranks and of ranks of the distance from the median: Vehtari et al. 2021, sections 4.1 and 4.2. */
export function rankRHat(series: Series): number {
  const split = halves(series);
  const median = quantile(seriesTogether(split).sort(), 0.5);
  const folded = split.map((values) => values.map((x) => Math.abs(x - median)));
  return Math.max(rHat(ranked(split)), rHat(ranked(folded)));
}

/** Effective sample size for the middle of the distribution: that of the ranks. Vehtari et al. 2021, section 4.3. */
export function bulkSize(series: Series): number {
  return effectiveSize(ranked(halves(series)));
}

/** The smaller effective sample size of those for the 5 % and the 95 % quantile. Vehtari et al. 2021, section 4.3. */
export function tailSize(series: Series): number {
  const sorted = seriesTogether(series).sort();
  const sizes = [0.05, 0.95].map((p) => {
    const border = quantile(sorted, p);
    return effectiveSize(halves(series.map((values) => values.map((x) => (x <= border ? 1 : 0)))));
  });
  return Math.min(...sizes);
}

function rHat(series: Series): number {
  const draws = series[0].length;
  const between = variance(series.map(mean));
  const within = mean(series.map(variance));
  return Math.sqrt((draws - 1) / draws + between / within);
}

/** Vehtari et al. 2021, eq. 10 to 13, with the monotone sequence of Geyer 1992, Stat. Sci. 7:473. */
function effectiveSize(series: Series): number {
  const draws = series[0].length;
  const products = laggedProducts(series.map(aboutMean));
  const covariance = (lag: number): number => products[lag] / (draws * series.length);
  const within = (covariance(0) * draws) / (draws - 1);
  const total = (within * (draws - 1)) / draws + variance(series.map(mean));
  const all = draws * series.length;
  if (!(total > 0)) return all;
  const rho = (lag: number): number => (lag === 0 ? 1 : 1 - (within - covariance(lag)) / total);
  let time = -1;
  let smallest = Number.POSITIVE_INFINITY;
  for (let lag = 0; ; lag += 2) {
    const even = rho(lag);
    const pair = even + rho(lag + 1);
    if (pair <= 0 || lag + 4 > draws - 1) {
      time += Math.max(0, even);
      break;
    }
    smallest = Math.min(smallest, pair);
    time += 2 * smallest;
  }
  return all / Math.max(time, 1 / Math.log10(all));
}

function halves(series: Series): Float64Array[] {
  const half = Math.floor(series[0].length / 2);
  if (half < 2) throw new RangeError(`a chain of ${series[0].length} draws is too short to be diagnosed`);
  return [...series.map((values) => values.slice(0, half)), ...series.map((values) => values.slice(-half))];
}

/** Normal quantiles of the ranks among all values, ties at their mean rank: Vehtari et al. 2021, eq. 14. */
function ranked(series: Series): Float64Array[] {
  const sorted = seriesTogether(series).sort();
  const scores = new Float64Array(sorted.length); // of the sorted values
  for (let first = 0; first < sorted.length; ) {
    let after = first + 1;
    while (after < sorted.length && sorted[after] === sorted[first]) after++;
    const rank = (first + 1 + after) / 2;
    scores.fill(normalQuantile((rank - 3 / 8) / (sorted.length + 1 / 4)), first, after);
    first = after;
  }
  return series.map((values) => values.map((x) => scores[placeOf(x, sorted)]));
}

/** Index of a value that is among the sorted ones, by bisection. */
function placeOf(value: number, sorted: Float64Array): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function aboutMean(values: Float64Array): Float64Array {
  const middle = mean(values);
  return values.map((x) => x - middle);
}

/** Sums of x[i] x[i + lag] over all series, [lag]: the transform of their power spectra. */
function laggedProducts(series: Series): Float64Array {
  const draws = series[0].length;
  const size = 2 ** Math.ceil(Math.log2(2 * draws)); // room for no lag to wrap round
  const power = new Float64Array(size);
  for (const values of series) {
    const real = new Float64Array(size);
    const imaginary = new Float64Array(size);
    real.set(values);
    fourier(real, imaginary);
    for (let k = 0; k < size; k++) power[k] += real[k] ** 2 + imaginary[k] ** 2;
  }
  fourier(power, new Float64Array(size)); // symmetric: forwards and back are the same
  return power.slice(0, draws).map((sum) => sum / size);
}

function seriesTogether(series: Series): Float64Array {
  const together = new Float64Array(series.length * series[0].length);
  for (const [k, values] of series.entries()) together.set(values, k * values.length);
  return together;
}
