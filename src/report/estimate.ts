/** A number with its uncertainty. */

import { studentQuantile } from "../math/student.ts";

/** Mean of `n` independent values; `interval95` by Student's t. With n = 1 the spread is unknown: NaN. */
export interface Estimate {
  readonly mean: number;
  readonly standardError: number;
  readonly interval95: readonly [low: number, high: number];
  readonly n: number;
}

/** The estimate of a mean from independent values, in their unit. Throws on no values or a non-finite one. */
export function estimate(values: ArrayLike<number>): Estimate {
  const n = values.length;
  if (n === 0) throw new RangeError("an estimate needs at least one value");
  let sum = 0;
  for (let k = 0; k < n; k++) {
    if (!Number.isFinite(values[k])) throw new RangeError(`value ${k} of an estimate is ${values[k]}`);
    sum += values[k];
  }
  const mean = sum / n;
  let squares = 0;
  for (let k = 0; k < n; k++) squares += (values[k] - mean) ** 2;
  const standardError = n > 1 ? Math.sqrt(squares / (n - 1) / n) : Number.NaN;
  const reach = n > 1 ? studentQuantile(0.975, n - 1) * standardError : Number.NaN;
  return { mean, standardError, interval95: [mean - reach, mean + reach], n };
}

/** Whether a value has the form of an estimate. */
export function isEstimate(value: unknown): value is Estimate {
  if (typeof value !== "object" || value === null) return false;
  const candidate = value as Partial<Estimate>;
  return (
    typeof candidate.mean === "number" &&
    typeof candidate.n === "number" &&
    Array.isArray(candidate.interval95) &&
    candidate.interval95.length === 2
  );
}
