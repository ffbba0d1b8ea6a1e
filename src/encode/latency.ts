/**
 * Latency coding: one spike a cell, the earlier the stronger.
 *
 * "linear": the time falls linearly with intensity (Masquelier & Thorpe 2007, PLoS Comput. Biol. 3:e31, use the order
 * of such spikes). "capacitive": the time a leaky integrator, charged by a current proportional to the intensity,
 * needs to reach its threshold: tau ln(x / (x - threshold)).
 */

import type { Raster } from "../engine/raster.ts";
import { raster } from "../engine/raster.ts";
import { ConfigError } from "../math/errors.ts";
import type { Time } from "../math/units.ts";
import { seconds } from "../math/units.ts";

export interface LatencyOptions {
  /** Length of the raster. */
  duration: Time;
  /** When the strongest fires, or the charging begins; default "0 ms". */
  earliest?: Time;
  /** When the weakest that fires does; later spikes are left out. Default: the end of the raster. */
  latest?: Time;
  /** Intensities at or below it are silent; default 0.01. */
  threshold?: number;
  /** Default "linear". */
  law?: "linear" | "capacitive";
  /** Time constant of the capacitive law; default "20 ms". */
  tau?: Time;
  /** Tick of the spikes; default "0.1 ms". */
  dt?: Time;
}

/** First spikes of intensities (0 to 1), on the grid of ticks. Throws `ConfigError`. */
export function latencyCode(intensities: ArrayLike<number>, options: LatencyOptions): Raster {
  const { threshold = 0.01, law = "linear" } = options;
  const dt = seconds(options.dt ?? "0.1 ms");
  const tau = seconds(options.tau ?? "20 ms");
  const duration = seconds(options.duration);
  const earliest = seconds(options.earliest ?? "0 ms");
  const latest = options.latest === undefined ? duration - dt : seconds(options.latest);
  if (!(threshold > 0 && threshold < 1))
    throw new ConfigError(`the threshold lies between 0 and 1, not ${threshold}`);
  if (!(earliest >= 0 && latest > earliest && latest < duration))
    throw new ConfigError(
      `spikes from ${earliest} to ${latest} s do not fit a raster of ${options.duration}: 0 <= earliest < latest < duration`,
    );
  const t: number[] = [];
  const i: number[] = [];
  for (let cell = 0; cell < intensities.length; cell++) {
    const x = intensities[cell];
    if (!(x >= 0 && x <= 1)) throw new ConfigError(`intensity ${cell} is ${x}, not within 0 to 1`);
    if (x <= threshold) continue;
    const time =
      law === "linear"
        ? latest - ((x - threshold) / (1 - threshold)) * (latest - earliest)
        : earliest - tau * Math.log1p(-threshold / x);
    if (time > latest) continue;
    t.push(Math.floor(time / dt + 1e-6) * dt); // the tick it falls in
    i.push(cell);
  }
  return raster({ t, i }, intensities.length, duration);
}
