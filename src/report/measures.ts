/** What is measured on rasters: rates, irregularity, coincidence. Rates are in Hz, times in s. */

import type { Raster } from "../engine/raster.ts";
import { seconds, type Time } from "../math/units.ts";

/** Spikes per cell and second, Hz, averaged over all cells and the whole duration. */
export function meanRate(raster: Raster): number {
  return raster.t.length / (raster.size * raster.duration);
}

/** A part of a raster: from <= t < to; without ends the whole of it. */
export interface Window {
  readonly from?: Time;
  readonly to?: Time;
}

/** Ends of a window, s. Throws `RangeError` where it holds nothing. */
export function windowOf(raster: Raster, window: Window, of: string): { from: number; to: number } {
  const from = window.from === undefined ? 0 : seconds(window.from);
  const to = window.to === undefined ? raster.duration : seconds(window.to);
  if (!(from < to))
    throw new RangeError(`the window of ${of} ends at ${to} s, before it starts at ${from} s`);
  return { from, to };
}

/** Rate of every cell, Hz: [cell]. With a window, spikes with from <= t < to only. */
export function rates(raster: Raster, window: Window = {}): Float64Array {
  const { from, to } = windowOf(raster, window, "rates");
  const count = new Float64Array(raster.size);
  for (let k = 0; k < raster.t.length; k++) {
    const t = raster.t[k];
    if (t >= from && t < to) count[raster.i[k]]++;
  }
  return count.map((spikes) => spikes / (to - from));
}

/**
 * Coefficient of variation of the interspike intervals, averaged over the cells with at least three spikes:
 * 0 for a clock, 1 for a Poisson process. The spread is that of the intervals themselves (divisor n). NaN
 * when no cell has three spikes.
 */
export function isiCv(raster: Raster): number {
  const last = new Float64Array(raster.size).fill(Number.NaN);
  const count = new Uint32Array(raster.size); // intervals
  const mean = new Float64Array(raster.size);
  const squares = new Float64Array(raster.size); // Welford's running sum of squared deviations
  for (let k = 0; k < raster.t.length; k++) {
    const i = raster.i[k];
    const interval = raster.t[k] - last[i];
    last[i] = raster.t[k];
    if (Number.isNaN(interval)) continue;
    count[i]++;
    const away = interval - mean[i];
    mean[i] += away / count[i];
    squares[i] += away * (interval - mean[i]);
  }
  let sum = 0;
  let cells = 0;
  for (let i = 0; i < raster.size; i++) {
    if (count[i] < 2) continue;
    sum += Math.sqrt(squares[i] / count[i]) / mean[i];
    cells++;
  }
  return cells === 0 ? Number.NaN : sum / cells;
}

/**
 * Fano factor: variance over mean of the spike counts in consecutive windows (the last, incomplete one is left
 * out), averaged over the cells that fire in them: 1 for a Poisson process. The variance has divisor n - 1.
 */
export function fano(raster: Raster, window: Time): number {
  const length = seconds(window);
  const windows = Math.floor(raster.duration / length + 1e-9);
  if (windows < 2)
    throw new RangeError(
      `a Fano factor needs two windows; ${window} fits ${windows} times in ${raster.duration} s`,
    );
  const counts = new Uint32Array(raster.size * windows); // [cell, window]
  for (let k = 0; k < raster.t.length; k++) {
    const w = Math.floor(raster.t[k] / length + 1e-9);
    if (w < windows) counts[raster.i[k] * windows + w]++;
  }
  let sum = 0;
  let cells = 0;
  for (let i = 0; i < raster.size; i++) {
    const own = counts.subarray(i * windows, (i + 1) * windows);
    const mean = own.reduce((total, count) => total + count, 0) / windows;
    if (mean === 0) continue;
    const variance = own.reduce((total, count) => total + (count - mean) ** 2, 0) / (windows - 1);
    sum += variance / mean;
    cells++;
  }
  return cells === 0 ? Number.NaN : sum / cells;
}

/** How well spikes come when they should; the counts are spikes of all cells. */
export interface Coincidence {
  readonly recall: number; // matched / desired; NaN when none is desired
  readonly precision: number; // matched / actual; NaN when there is none
  readonly matched: number;
  readonly desired: number;
  readonly actual: number;
}

/** What rounding may add to the difference of two times, s: far below a tick, far above an ulp of an hour. */
const timeRounding = 1e-9;

/**
 * Spikes that come within `tolerance` of a desired one, ends included.
 *
 * One to one and cell by cell: each desired spike, in order of time, takes the earliest actual spike of its
 * cell that is near enough and not taken. With one tolerance for all this finds as many pairs as there can be.
 */
export function coincidence(actual: Raster, desired: Raster, tolerance: Time): Coincidence {
  if (actual.size !== desired.size)
    throw new RangeError(
      `rasters of ${actual.size} actual and ${desired.size} desired cells cannot coincide`,
    );
  const reach = seconds(tolerance) + timeRounding;
  const actualTimes = byCell(actual);
  const desiredTimes = byCell(desired);
  let matched = 0;
  for (let i = 0; i < actual.size; i++) {
    const have = actualTimes[i];
    let next = 0;
    for (const wanted of desiredTimes[i]) {
      while (next < have.length && have[next] < wanted - reach) next++;
      if (next === have.length) break;
      if (have[next] <= wanted + reach) {
        matched++;
        next++;
      }
    }
  }
  return {
    recall: matched / desired.t.length,
    precision: matched / actual.t.length,
    matched,
    desired: desired.t.length,
    actual: actual.t.length,
  };
}

/** Spike times of every cell, s: [cell][spike]; views of one copy. */
export function byCell(raster: Raster): Float64Array[] {
  const start = new Uint32Array(raster.size + 1);
  for (const i of raster.i) start[i + 1]++;
  for (let i = 0; i < raster.size; i++) start[i + 1] += start[i];
  const sorted = new Float64Array(raster.t.length);
  const fill = start.slice();
  for (let k = 0; k < raster.t.length; k++) sorted[fill[raster.i[k]]++] = raster.t[k];
  return Array.from({ length: raster.size }, (_, i) => sorted.subarray(start[i], start[i + 1]));
}
