/** How the spikes of cells go together in time: spike-count correlations, correlograms, responses to events. */

import type { Raster } from "../engine/raster.ts";
import { seconds, type Time } from "../math/units.ts";
import { binAt, binOf, cellOf } from "./intervals.ts";
import { byCell, type Window, windowOf } from "./measures.ts";
import { type Pairwise, pairwise } from "./pairwise.ts";

/**
 * Pearson's correlation of the spike counts of all pairs of cells in consecutive bins; an incomplete last bin is left out. NaN
 * for a cell whose count is the same in all bins. Costs cells^2 x bins / 2 products.
 */
export function countCorrelations(raster: Raster, options: Window & { readonly bin: Time }): Pairwise {
  const { from, to } = windowOf(raster, options, "correlations");
  const bin = binOf(options.bin);
  const bins = Math.floor((to - from) / bin + 1e-9);
  if (bins < 2)
    throw new RangeError(`a correlation needs two bins; ${options.bin} fits ${bins} times in ${to - from} s`);
  const { size } = raster;
  const counts = new Float64Array(size * bins); // [cell, bin]
  for (let k = 0; k < raster.t.length; k++) {
    const b = binAt(raster.t[k] - from, bin);
    if (b >= 0 && b < bins) counts[raster.i[k] * bins + b]++;
  }
  const rows = Array.from({ length: size }, (_, i) =>
    standardised(counts.subarray(i * bins, (i + 1) * bins)),
  );
  return pairwise(
    size,
    (i, j) => product(rows[i], rows[j]),
    (i) => (Number.isNaN(rows[i][0]) ? Number.NaN : 1),
  );
}

/** In place: mean 0, sum of squares 1; NaN where all are equal. */
function standardised(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let squares = 0;
  for (let k = 0; k < values.length; k++) {
    values[k] -= mean;
    squares += values[k] ** 2;
  }
  const scale = values.every((value) => value === values[0]) ? Number.NaN : 1 / Math.sqrt(squares);
  for (let k = 0; k < values.length; k++) values[k] *= scale;
  return values;
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

export interface Correlogram {
  readonly lags: Float64Array; // [bin], centres, s
  readonly counts: Float64Array; // [bin], pairs of spikes
  /** [bin]: pairs that independent trains of as many spikes at constant rates would have on average, edges included. */
  readonly expected: Float64Array;
}

/**
 * Cross-correlogram (Perkel, Gerstein & Moore 1967, Biophys. J. 7:419): differences t_b - t_a of the spikes of two cells [a, b],
 * in bins around the multiples of `bin` up to `reach`. Of a cell with itself the autocorrelogram: a spike makes no pair
 * with itself. Costs the number of pairs within reach.
 */
export function correlogram(
  raster: Raster,
  [a, b]: readonly [a: number, b: number],
  options: { readonly bin: Time; readonly reach: Time },
): Correlogram {
  const bin = binOf(options.bin);
  const half = Math.round(seconds(options.reach) / bin);
  if (!(half >= 0 && half * bin < raster.duration))
    throw new RangeError(
      `a correlogram reaches ${options.reach}, less than the ${raster.duration} s there are`,
    );
  const trains = byCell(raster);
  const [first, second] = [trains[cellOf(raster, a)], trains[cellOf(raster, b)]];
  const counts = new Float64Array(2 * half + 1);
  const edge = (half + 0.5) * bin;
  let start = 0;
  for (let k = 0; k < first.length; k++) {
    while (start < second.length && second[start] < first[k] - edge - bin) start++;
    for (let m = start; m < second.length && second[m] <= first[k] + edge + bin; m++) {
      if (a === b && m === k) continue;
      const place = binAt(second[m] - first[k] + edge, bin);
      if (place >= 0 && place < counts.length) counts[place]++;
    }
  }
  // of the T^2 of all pairs of times, those whose difference lies in a bin: the integral of T - |lag| over it
  const T = raster.duration;
  const pairs = a === b ? first.length * (first.length - 1) : first.length * second.length;
  const within = (lag: number) => lag * T - (Math.sign(lag) * lag * lag) / 2;
  const lags = Float64Array.from(counts, (_, k) => (k - half) * bin);
  const expected = lags.map((lag) => (pairs * (within(lag + bin / 2) - within(lag - bin / 2))) / (T * T));
  return { lags, counts, expected };
}

export interface Psth {
  readonly t: Float64Array; // [bin], where it begins, s from the event
  readonly rates: Float64Array; // [cell, bin], Hz
  readonly mean: Float64Array; // [bin], over cells, Hz
}

/**
 * Peristimulus time histogram: rate of every cell in bins from `from` to `to` after each of the events at `onsets` (s),
 * averaged over events. Without onsets the raster is one response, from its beginning to its end; trials may then be its
 * cells. A bin that an event has outside the raster does not count for that event; NaN where no event has it.
 */
export function psth(
  raster: Raster,
  options: Window & { readonly bin: Time; readonly onsets?: ArrayLike<number> },
): Psth {
  const { onsets = [0] } = options;
  const { from, to } = windowOf(raster, options, "a PSTH");
  const bin = binOf(options.bin);
  const bins = Math.floor((to - from) / bin + 1e-9);
  if (bins < 1) throw new RangeError(`a PSTH from ${from} to ${to} s has no bin of ${options.bin}`);
  const { size } = raster;
  const rates = new Float64Array(size * bins);
  const events = new Float64Array(bins);
  const trains = byCell(raster);
  for (let k = 0; k < onsets.length; k++) {
    const start = onsets[k] + from;
    const inside = (b: number) =>
      start + b * bin > -1e-9 * bin && start + (b + 1) * bin < raster.duration + 1e-9 * bin;
    for (let b = 0; b < bins; b++) if (inside(b)) events[b]++;
    for (let i = 0; i < size; i++) {
      const times = trains[i];
      for (let m = firstFrom(times, start - bin); m < times.length; m++) {
        const b = binAt(times[m] - start, bin);
        if (b >= bins) break;
        if (b >= 0 && inside(b)) rates[i * bins + b]++;
      }
    }
  }
  for (let k = 0; k < rates.length; k++) rates[k] /= events[k % bins] * bin;
  const mean = new Float64Array(bins);
  for (let k = 0; k < rates.length; k++) mean[k % bins] += rates[k] / size;
  return { t: Float64Array.from(mean, (_, b) => from + b * bin), rates, mean };
}

/** Index of the first time not before `time`: bisection. */
function firstFrom(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
