/**
 * Rate coding: numbers to spike trains whose rate they set, Poisson or regular.
 *
 * On the grid of ticks, at most one spike per cell and tick. Every draw is addressed by (seed, cell, spike) or, where
 * the rate varies, (seed, cell, tick): a train depends neither on the other cells nor on how long the raster is.
 */

import type { Raster } from "../engine/raster.ts";
import { raster } from "../engine/raster.ts";
import { ConfigError } from "../math/errors.ts";
import { randomKey, uniform } from "../math/random.ts";
import type { Time } from "../math/units.ts";
import { quantity, seconds } from "../math/units.ts";

/** Rates in Hz as a function of cell and time (s). */
export interface RateFunction {
  readonly size: number; // cells
  readonly at: (cell: number, time: number) => number;
}

/** Rates in Hz: constant, one a cell, or a function. */
export type Rates = ArrayLike<number> | RateFunction;

export interface TrainOptions {
  duration: Time;
  seed: string | number;
  /** Tick of the spikes; default "0.1 ms". */
  dt?: Time;
}

/**
 * Independent Poisson trains. In a tick a cell fires with probability 1 - exp(-rate dt), that of a Poisson process to
 * have a spike there, unless its last one is less than `deadTime` (default none) ago. Constant rates cost a draw per
 * spike, varying ones a draw per tick. Throws `ConfigError` on a
 * rate that is not a number >= 0.
 */
export function poissonTrains(rates: Rates, options: TrainOptions & { deadTime?: Time }): Raster {
  const dt = seconds(options.dt ?? "0.1 ms");
  const duration = seconds(options.duration);
  const pause = Math.max(1, Math.round(seconds(options.deadTime ?? "0 s") / dt)); // ticks
  const key = randomKey(options.seed, "poisson trains");
  const ticks = tickCount(duration, dt);
  const size = isFunction(rates) ? rates.size : rates.length;
  const when: number[] = []; // ticks, cell by cell
  const who: number[] = [];
  for (let cell = 0; cell < size; cell++) {
    const next = isFunction(rates)
      ? (tick: number) => firstOfMany(rates, key, cell, tick, ticks, dt)
      : (tick: number, spike: number) =>
          tick + emptyTicks(checked(rates[cell], cell) * dt, uniform(key, 0, cell, spike));
    if (!isFunction(rates) && rates[cell] === 0) continue;
    let spike = 0;
    for (let tick = next(0, spike); tick < ticks; tick = next(tick + pause, ++spike)) {
      when.push(tick);
      who.push(cell);
    }
  }
  return raster(byTick(when, who, ticks, dt), size, duration);
}

/** Spikes by tick, those of a tick in the order they have: counting sort. */
function byTick(when: readonly number[], who: readonly number[], ticks: number, dt: number) {
  const next = new Uint32Array(ticks + 1); // where the next spike of each tick goes
  for (const tick of when) next[tick + 1]++;
  for (let k = 0; k < ticks; k++) next[k + 1] += next[k];
  const t = new Float64Array(when.length);
  const i = new Uint32Array(when.length);
  for (let k = 0; k < when.length; k++) {
    const place = next[when[k]]++;
    t[place] = when[k] * dt;
    i[place] = who[k];
  }
  return { t, i };
}

/** Ticks without a spike before one with: geometric, from a uniform number. */
function emptyTicks(rateTimesDt: number, u: number): number {
  return rateTimesDt === 0 ? Number.POSITIVE_INFINITY : Math.floor(-Math.log(u) / rateTimesDt);
}

/** The next tick from `tick` on in which a cell of varying rate fires: one draw a tick. */
function firstOfMany(
  rates: RateFunction,
  key: ReturnType<typeof randomKey>,
  cell: number,
  tick: number,
  ticks: number,
  dt: number,
): number {
  for (; tick < ticks; tick++) {
    const probability = -Math.expm1(-checked(rates.at(cell, tick * dt), cell) * dt);
    if (probability > 0 && uniform(key, 1, cell, tick) < probability) break;
  }
  return tick;
}

/**
 * Regular trains: cell j fires whenever the integral of its rate reaches a whole number, starting from a phase. The
 * phase (0 to 1) is drawn per cell, or given for all. Throws `ConfigError` where a rate exceeds one spike a tick.
 */
export function regularTrains(rates: Rates, options: TrainOptions & { phase?: number }): Raster {
  const dt = seconds(options.dt ?? "0.1 ms");
  const duration = seconds(options.duration);
  const { size, at } = isFunction(rates) ? rates : { size: rates.length, at: (cell: number) => rates[cell] };
  const key = randomKey(options.seed, "regular trains");
  const ticks = tickCount(duration, dt);
  const t: number[] = [];
  const i: number[] = [];
  for (let cell = 0; cell < size; cell++) {
    const phase = options.phase ?? uniform(key, 0, cell, 0);
    let integral = 0;
    let whole = Math.floor(phase);
    for (let tick = 0; tick < ticks; tick++) {
      const rate = checked(at(cell, tick * dt), cell);
      if (rate * dt > 1)
        throw new ConfigError(`cell ${cell}: ${rate} Hz is more than a spike per tick of ${dt} s`);
      integral += rate; // in ticks: multiplied by dt below, so a constant rate adds no rounding per tick
      const grown = Math.floor(phase + integral * dt + 1e-9);
      if (grown === whole) continue;
      whole = grown;
      t.push(tick * dt);
      i.push(cell);
    }
  }
  return raster({ t, i }, size, duration);
}

/** Spike trains of intensities (0 to 1): rate = intensity x `maximum` (default "100 Hz"), Poisson unless "regular". */
export function rateCode(
  intensities: ArrayLike<number>,
  options: TrainOptions & { maximum?: string; coding?: "poisson" | "regular" },
): Raster {
  const maximum = quantity(options.maximum ?? "100 Hz", "Hz");
  const rates = Float64Array.from({ length: intensities.length }, (_, cell) => {
    const x = intensities[cell];
    if (!(x >= 0 && x <= 1)) throw new ConfigError(`intensity ${cell} is ${x}, not within 0 to 1`);
    return x * maximum;
  });
  return options.coding === "regular" ? regularTrains(rates, options) : poissonTrains(rates, options);
}

function isFunction(rates: Rates): rates is RateFunction {
  return "at" in rates && "size" in rates;
}

function checked(rate: number, cell: number): number {
  if (!(rate >= 0 && rate < Infinity)) throw new ConfigError(`cell ${cell}: ${rate} is not a rate`);
  return rate;
}

/** Ticks that begin before the end, tolerant of a duration that is a whole number of ticks but for rounding. */
function tickCount(duration: number, dt: number): number {
  const ticks = duration / dt;
  const whole = Math.round(ticks);
  return Math.abs(ticks - whole) < 1e-6 ? whole : Math.ceil(ticks);
}
