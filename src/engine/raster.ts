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
  const t = new Float64Array(events.t);
  const i = new Uint32Array(events.i);
  let sorted = true;
  for (let k = 1; k < count && sorted; k++)
    sorted = t[k] > t[k - 1] || (t[k] === t[k - 1] && i[k] >= i[k - 1]);
  const order = sorted ? undefined : t.map((_, k) => k).sort((a, b) => t[a] - t[b] || i[a] - i[b]);
  const place = (k: number): number => (order ? order[k] : k);
  if (order) {
    t.set(order.map((k) => events.t[k]));
    i.set(order.map((k) => events.i[k]));
  }
  for (let k = 0; k < count; k++) {
    if (!(t[k] >= 0 && t[k] < duration))
      throw new ConfigError(
        `spike ${place(k)} of cell ${i[k]} is at ${t[k]} s, outside the run of ${duration} s`,
      );
    if (i[k] >= size)
      throw new ConfigError(`spike ${place(k)} names cell ${i[k]} of a population of ${size}`);
  }
  return { t, i, size, duration };
}

/** Spike times of one cell, s: a copy. */
export function timesOf(spikes: Raster, cell: number): Float64Array {
  return spikes.t.filter((_, k) => spikes.i[k] === cell);
}
