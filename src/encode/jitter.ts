/**
 * Spike trains with their times disturbed.
 *
 * Every displacement is addressed by (seed, cell, spike of the cell), so what happens to one train depends on no other.
 */

import type { Raster } from "../engine/raster.ts";
import { raster } from "../engine/raster.ts";
import { ConfigError } from "../math/errors.ts";
import { normalQuantile } from "../math/normal.ts";
import { randomKey, uniform } from "../math/random.ts";
import type { Time } from "../math/units.ts";
import { seconds } from "../math/units.ts";

/**
 * The raster with every spike moved by a normal number of mean 0 and standard deviation `sd`, rounded to ticks `dt`
 * (default "0.1 ms"). What would leave the raster is reflected at its ends; of spikes of a cell that meet in one tick,
 * one remains. `sd` of zero changes nothing. Throws `ConfigError` where `sd` is not within 0 and the duration.
 */
export function jitter(
  spikes: Raster,
  options: { readonly sd: Time; readonly seed: string | number; readonly dt?: Time },
): Raster {
  const sd = seconds(options.sd);
  const dt = seconds(options.dt ?? "0.1 ms");
  const { size, duration } = spikes;
  if (!(sd >= 0 && sd <= duration))
    throw new ConfigError(`jitter is between none and the ${duration} s of the raster, not ${options.sd}`);
  if (sd === 0) return spikes;
  const key = randomKey(options.seed, "jitter");
  const ticks = Math.round(duration / dt);
  const seen = new Uint32Array(size); // spikes of each cell
  const taken = new Set<number>();
  const t: number[] = [];
  const i: number[] = [];
  for (let k = 0; k < spikes.t.length; k++) {
    const cell = spikes.i[k];
    const moved = spikes.t[k] + sd * normalQuantile(uniform(key, 0, cell, seen[cell]++));
    const tick = reflected(Math.round(moved / dt), ticks);
    const place = cell * ticks + tick;
    if (taken.has(place)) continue;
    taken.add(place);
    t.push(tick * dt);
    i.push(cell);
  }
  return raster({ t, i }, size, duration);
}

/** A tick within 0 to `ticks` - 1, as between two mirrors. */
function reflected(tick: number, ticks: number): number {
  const round = 2 * ticks;
  const within = ((tick % round) + round) % round;
  return within < ticks ? within : round - 1 - within;
}
