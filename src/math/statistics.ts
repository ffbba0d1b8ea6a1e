/** Numbers that sum up others: mean, spread, quantiles, a straight line. */

/** Arithmetic mean; NaN of nothing. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k];
  return sum / values.length;
}

/** Variance with divisor n - 1; NaN of less than two values. */
export function variance(values: ArrayLike<number>): number {
  const middle = mean(values);
  let squares = 0;
  for (let k = 0; k < values.length; k++) squares += (values[k] - middle) ** 2;
  return values.length > 1 ? squares / (values.length - 1) : Number.NaN;
}

/** The p-quantile of sorted values, linear between them (Hyndman & Fan 1996, definition 7). */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  const at = p * (sorted.length - 1);
  const k = Math.min(Math.floor(at), sorted.length - 2);
  return sorted.length === 1 ? sorted[0] : sorted[k] + (at - k) * (sorted[k + 1] - sorted[k]);
}

/** The line of least squares through points: y = offset + slope x. */
export function line(x: ArrayLike<number>, y: ArrayLike<number>): { slope: number; offset: number } {
  const [middleX, middleY] = [mean(x), mean(y)];
  let products = 0;
  let squares = 0;
  for (let k = 0; k < x.length; k++) {
    products += (x[k] - middleX) * (y[k] - middleY);
    squares += (x[k] - middleX) ** 2;
  }
  const slope = products / squares;
  return { slope, offset: middleY - slope * middleX };
}

/** Variances of repeated values: within a row, and between the rows' true means. */
export interface Components {
  readonly within: number;
  /** Negative where rows differ less than their values do by chance. */
  readonly between: number;
}

/**
 * Variance components of values [row][repeat], as many repeats in each row: one-way random effects, estimated without
 * bias by the mean squares (Searle, Casella & McCulloch 1992, Variance Components, section 3.5).
 */
export function components(values: readonly ArrayLike<number>[]): Components {
  const repeats = values[0].length;
  const within = mean(values.map(variance));
  return { within, between: variance(values.map(mean)) - within / repeats };
}
