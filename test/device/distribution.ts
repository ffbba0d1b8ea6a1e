/** Samples against distributions, at a false-alarm rate of 1e-6 per test. */

/** Standard normal quantile of 1 - 1e-6 / 2: a mean further from its value than this many standard errors is wrong. */
export const limit = 4.8916;

/**
 * Largest distance between the distribution of a sample and a continuous `cdf`, over its limit: above 1 the sample does
 * not follow it. P(D > e) <= 2 exp(-2 n e^2) (Massart 1990, Ann. Probab. 18:1269).
 */
export function departure(sample: ArrayLike<number>, cdf: (x: number) => number): number {
  const sorted = Float64Array.from(sample).sort();
  const n = sorted.length;
  let largest = 0;
  for (let k = 0; k < n; k++) {
    const p = cdf(sorted[k]);
    largest = Math.max(largest, (k + 1) / n - p, p - k / n);
  }
  return largest / Math.sqrt(Math.log(2e6) / (2 * n));
}

/** The normal distribution by the series of Marsaglia 2004, J. Stat. Softw. 11(4), to 1e-14 within six deviations. */
export const normal =
  (mean: number, sd: number) =>
  (value: number): number => {
    const x = (value - mean) / sd;
    if (Math.abs(x) > 6) return x < 0 ? 0 : 1;
    let term = x;
    let sum = x;
    for (let k = 3; Math.abs(term) > 1e-17; k += 2) sum += term *= (x * x) / k;
    return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
  };

export function moments(values: ArrayLike<number>): { readonly mean: number; readonly sd: number } {
  const n = values.length;
  let mean = 0;
  for (let k = 0; k < n; k++) mean += values[k] / n;
  let variance = 0;
  for (let k = 0; k < n; k++) variance += (values[k] - mean) ** 2 / (n - 1);
  return { mean, sd: Math.sqrt(variance) };
}
