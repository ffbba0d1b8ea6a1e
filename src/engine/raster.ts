/**
 * Spike trains of a population: who fired when.
 *
 * Ordered by time, then by cell. Knows nothing of simulation: sensors, recorders and files all
 * speak this form.
 */
import { ConfigError } from "../math/errors.ts";
export interface Raster {
  readonly t: Float64Array; // [spike], s
  readonly i: Uint32Array; // [spike], cell index
  readonly size: number; // cells
  readonly duration: number; // s
}

/** A raster from unordered events: sorts by (t, i). Throws when an event lies outside cells or duration. */
export function raster(
  events: { t: ArrayLike<number>; i: ArrayLike<number> },
  size: number,
  duration: number,
): Raster {
  const count = events.t.length;
  if (events.i.length !== count)
    throw new ConfigError(`a raster needs as many cells as times: ${events.i.length} cells, ${count} times`);
  const order = Uint32Array.from({ length: count }, (_, k) => k);
  const after = (a: number, b: number): number => events.t[a] - events.t[b] || events.i[a] - events.i[b];
  if (!order.every((k) => k === 0 || after(k, k - 1) >= 0)) order.sort(after);
  const t = new Float64Array(count);
  const i = new Uint32Array(count);
  for (let k = 0; k < count; k++) {
    t[k] = events.t[order[k]];
    i[k] = events.i[order[k]];
    if (!(t[k] >= 0 && t[k] < duration))
      throw new ConfigError(
        `spike ${order[k]} of cell ${i[k]} is at ${t[k]} s, outside the run of ${duration} s`,
      );
    if (i[k] >= size)
      throw new ConfigError(`spike ${order[k]} names cell ${i[k]} of a population of ${size}`);
  }
  return { t, i, size, duration };
}

/** Spike times of one cell, s: a copy. */
export function timesOf(spikes: Raster, cell: number): Float64Array {
  return spikes.t.filter((_, k) => spikes.i[k] === cell);
}
