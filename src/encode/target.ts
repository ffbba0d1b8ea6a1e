/**
 * Desired spike trains that draw images: cell j fires while its image is shown, at a rate proportional to pixel j.
 *
 * Poisson with a minimum interval, or regular. The Poisson trains are stationary renewal processes from the first
 * moment of the window on, so the expected number of spikes is rate times length, exactly. Every draw is addressed by
 * (seed, window, cell, spike): adding a window or a pixel changes no other train.
 */

import type { Raster } from "../engine/raster.ts";
import { raster } from "../engine/raster.ts";
import { ConfigError } from "../math/errors.ts";
import { randomKey, uniform } from "../math/random.ts";
import type { Time } from "../math/units.ts";
import { quantity, seconds } from "../math/units.ts";

export interface Image {
  readonly rows: number;
  readonly columns: number;
  readonly pixels: ArrayLike<number>; // [row][column], 0 to 1
}

/** An image and when it is shown. */
export interface Showing {
  readonly image: Image;
  readonly start: Time;
  readonly duration: Time;
}

export interface TargetOptions {
  seed: string | number;
  /** Length of the raster. */
  duration: Time;
  /** Rate of a pixel of intensity 1; default "20 Hz". */
  rate?: string;
  /** Smallest interval between two spikes of a cell; default "10 ms". */
  minimumInterval?: Time;
  /** "poisson" (default), or "regular": equal intervals, random phase. */
  coding?: "poisson" | "regular";
  /** Tick of the spikes; default "0.1 ms". */
  dt?: Time;
}

/** Spike trains for the pixels of the images, all of one shape: rows x columns cells, row by row. */
export function imageTarget(showings: readonly Showing[], options: TargetOptions): Raster {
  const { rate = "20 Hz", minimumInterval = "10 ms", coding = "poisson", dt: tick = "0.1 ms" } = options;
  const dt = seconds(tick);
  const duration = seconds(options.duration);
  const full = quantity(rate, "Hz");
  const pause = Math.round(seconds(minimumInterval) / dt) * dt;
  if (!(full > 0)) throw new ConfigError(`the rate must be above 0, not ${rate}`);
  if (full * pause >= 1)
    throw new ConfigError(`a rate of ${rate} leaves no room for intervals of ${minimumInterval}`);
  const size = showings.length > 0 ? showings[0].image.rows * showings[0].image.columns : 0;
  const key = randomKey(options.seed, "image target");

  const t: number[] = [];
  const i: number[] = [];
  showings.forEach(({ image, start, duration: length }, window) => {
    const from = Math.round(seconds(start) / dt);
    const ticks = Math.round(seconds(length) / dt);
    if (image.pixels.length !== size || image.rows * image.columns !== size)
      throw new ConfigError(`image ${window} has ${image.pixels.length} pixels, the first has ${size}`);
    if (from < 0 || (from + ticks) * dt > duration * (1 + 1e-12))
      throw new ConfigError(
        `image ${window} is shown outside the ${options.duration}: from ${start} for ${length}`,
      );
    for (let cell = 0; cell < size; cell++) {
      const intensity = image.pixels[cell];
      if (!(intensity >= 0 && intensity <= 1))
        throw new ConfigError(`pixel ${cell} is ${intensity}, not within 0 to 1`);
      if (intensity === 0) continue;
      const mean = 1 / (full * intensity); // interval, s
      const draw = (spike: number): number => uniform(key, window, cell, spike);
      let at = firstSpike(coding, mean, pause, draw(0)) / dt; // ticks
      for (let spike = 1; Math.floor(at) < ticks; spike++) {
        t.push((from + Math.floor(at)) * dt);
        i.push(cell);
        if (coding === "regular") at += mean / dt;
        else at = Math.floor(at) + pause / dt + Math.round((-Math.log(draw(spike)) * (mean - pause)) / dt);
      }
    }
  });
  return raster({ t, i }, size, duration);
}

/** Time from the window's start to the first spike of a stationary train (forward recurrence time), s. */
function firstSpike(coding: "poisson" | "regular", mean: number, pause: number, u: number): number {
  if (coding === "regular") return u * mean;
  // Density 1/mean up to the pause, then falling exponentially: the first part holds pause/mean of the probability.
  if (u * mean < pause) return u * mean;
  return pause - (mean - pause) * Math.log((1 - u) / (1 - pause / mean) || Number.MIN_VALUE);
}
