/**
 * Spikes given to a run, put on the tick grid.
 */
import { ConfigError } from "../math/errors.ts";
import type { SpikeTimes } from "./network.ts";

/** Spikes by tick: the cells of tick n are `cells[from[n]]` to `cells[from[n + 1] - 1]`, ascending. */
export interface TickedSpikes {
  readonly from: Uint32Array; // [ticks + 1]
  readonly cells: Uint32Array;
}

/** The tick a time falls into. Times may be short of a tick by a thousandth of it: decimals are inexact. */
export const tickOf = (time: number, dt: number): number => Math.floor(time / dt + 1e-3);

const isLists = (spikes: SpikeTimes): spikes is readonly ArrayLike<number>[] => Array.isArray(spikes);

/**
 * Puts spikes on ticks [0, ticks). Throws when times are unsorted or outside the run, a cell does not exist, or a cell
 * fires twice in a tick.
 */
export function tickedSpikes(
  name: string,
  spikes: SpikeTimes,
  options: { readonly size: number; readonly ticks: number; readonly dt: number },
): TickedSpikes {
  const { size, ticks, dt } = options;
  const count = isLists(spikes) ? spikes.reduce((sum, times) => sum + times.length, 0) : spikes.t.length;
  const tick = new Uint32Array(count);
  const cell = new Uint32Array(count);
  let n = 0;
  const place = (time: number, which: number, before: number): void => {
    if (!(time >= before))
      throw new ConfigError(
        `${name}: spike times must ascend; spike ${n} (cell ${which}) is at ${time} s after ${before} s`,
      );
    const at = tickOf(time, dt);
    if (!(at >= 0 && at < ticks))
      throw new ConfigError(
        `${name}: spike ${n} of cell ${which} is at ${time} s, outside the run of ${ticks * dt} s`,
      );
    if (!(Number.isInteger(which) && which >= 0 && which < size))
      throw new ConfigError(`${name}: spike ${n} names cell ${which}; the source has cells 0 to ${size - 1}`);
    tick[n] = at;
    cell[n++] = which;
  };
  if (!isLists(spikes)) {
    if (spikes.i.length !== count)
      throw new ConfigError(`${name}: ${count} spike times but ${spikes.i.length} cells`);
    for (let k = 0; k < count; k++)
      place(spikes.t[k], spikes.i[k], k === 0 ? Number.NEGATIVE_INFINITY : spikes.t[k - 1]);
  } else {
    if (spikes.length !== size)
      throw new ConfigError(`${name}: spike times of ${spikes.length} cells for ${size} cells`);
    for (let c = 0; c < size; c++)
      for (let k = 0; k < spikes[c].length; k++)
        place(spikes[c][k], c, k === 0 ? Number.NEGATIVE_INFINITY : spikes[c][k - 1]);
  }
  const from = new Uint32Array(ticks + 1);
  for (let k = 0; k < count; k++) from[tick[k] + 1]++;
  for (let k = 0; k < ticks; k++) from[k + 1] += from[k];
  const next = from.slice(0, ticks);
  const cells = new Uint32Array(count);
  for (let k = 0; k < count; k++) cells[next[tick[k]]++] = cell[k];
  for (let k = 0; k < ticks; k++) {
    const [first, end] = [from[k], from[k + 1]];
    let ascending = true;
    for (let m = first + 1; m < end && ascending; m++) ascending = cells[m] > cells[m - 1];
    if (ascending) continue;
    const list = cells.subarray(first, end).sort();
    const twice = list.findIndex((cell, m) => m > 0 && cell === list[m - 1]);
    if (twice >= 0)
      throw new ConfigError(
        `${name}: cell ${list[twice]} fires twice in the tick at ${Number((k * dt).toPrecision(9))} s; use a shorter dt`,
      );
  }
  return { from, cells };
}
