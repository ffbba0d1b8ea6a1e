/** What the intervals between the spikes of a cell tell: their histogram, and how much one differs from the next. */

import type { Raster } from "../engine/raster.ts";
import { seconds, type Time } from "../math/units.ts";
import { byCell } from "./measures.ts";

/** Counts in equal bins. */
export interface Histogram {
  readonly edges: Float64Array; // [bin + 1], s
  readonly counts: Float64Array; // [bin]
}

/**
 * Interspike intervals of all cells, or of `cell`, in bins from 0 to `to` (default: the longest interval); a bin holds its
 * lower edge. Longer intervals are left out.
 */
export function isiHistogram(
  raster: Raster,
  options: { readonly bin: Time; readonly to?: Time; readonly cell?: number },
): Histogram {
  const bin = binOf(options.bin);
  const trains = byCell(raster);
  const chosen = options.cell === undefined ? trains : [trains[cellOf(raster, options.cell)]];
  const intervals = chosen.flatMap((times) => Array.from(times.subarray(1), (t, k) => t - times[k]));
  const longest = intervals.reduce((most, interval) => Math.max(most, interval), 0);
  const bins =
    options.to === undefined ? binAt(longest, bin) + 1 : Math.max(1, Math.round(seconds(options.to) / bin));
  const counts = new Float64Array(bins);
  for (const interval of intervals) {
    const k = binAt(interval, bin);
    if (k < bins) counts[k]++;
  }
  return { edges: Float64Array.from({ length: bins + 1 }, (_, k) => k * bin), counts };
}

/**
 * Irregularity of each interval against the next, which a slowly changing rate leaves alone, averaged over the
 * cells with at least three spikes; 0 for a clock, 1 on average for a Poisson process. NaN when no cell has three. With I, J successive
 * intervals, the mean over all of
 *
 *     LV    3 (I - J)^2 / (I + J)^2                             Shinomoto, Shima & Tanji 2003, Neural Comput. 15:2823
 *     CV2   2 |I - J| / (I + J)                                 Holt, Softky, Koch & Douglas 1996, J. Neurophysiol. 75:1806
 *     LvR   3 (1 - 4 I J / (I + J)^2) (1 + 4 R / (I + J))       Shinomoto et al. 2009, PLoS Comput. Biol. 5:e1000433
 *
 * R, the refractoriness, is for LvR only; default "5 ms", as there.
 */
export function localVariation(
  raster: Raster,
  kind: "LV" | "CV2" | "LvR" = "LV",
  options: { readonly refractoriness?: Time } = {},
): number {
  const R = seconds(options.refractoriness ?? "5 ms");
  const term = {
    LV: (difference: number, _: number) => 3 * difference * difference,
    CV2: (difference: number, _: number) => 2 * Math.abs(difference),
    LvR: (difference: number, sum: number) => 3 * difference * difference * (1 + (4 * R) / sum),
  }[kind];
  if (term === undefined) throw new RangeError(`the local variation is LV, CV2 or LvR, not ${kind}`);
  let total = 0;
  let cells = 0;
  for (const times of byCell(raster)) {
    if (times.length < 3) continue;
    let own = 0;
    for (let k = 2; k < times.length; k++) {
      const sum = times[k] - times[k - 2];
      // I - J; 1 - 4 I J / (I + J)^2 is its square over that of the sum
      const difference = 2 * times[k - 1] - times[k] - times[k - 2];
      own += term(difference / sum, sum);
    }
    total += own / (times.length - 2);
    cells++;
  }
  return cells === 0 ? Number.NaN : total / cells;
}

/** Width of a bin, s. Throws `RangeError`. */
export function binOf(width: Time): number {
  const bin = seconds(width);
  if (!(bin > 0)) throw new RangeError(`a bin is longer than 0 s, not ${width}`);
  return bin;
}

/** Number of the bin that holds a time, which rounding may have put just below an edge. */
export function binAt(time: number, bin: number): number {
  return Math.floor(time / bin + 1e-9);
}

/** A cell's number. Throws `RangeError` where there is no such cell. */
export function cellOf(raster: Raster, cell: number): number {
  if (!(Number.isInteger(cell) && cell >= 0 && cell < raster.size))
    throw new RangeError(`there is no cell ${cell} among ${raster.size}`);
  return cell;
}
