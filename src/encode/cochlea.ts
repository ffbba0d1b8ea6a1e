/**
 * A spiking cochlea: sound to the spikes of ganglion cells.
 *
 * Each channel is a gammatone filter (basilar membrane), an inner hair cell, and several ganglion cells: sub-units
 * with thresholds of their own that integrate what the drive has above the threshold and fire, with a dead
 * time, whenever the integral has grown by one. The layout is that of the silicon cochlea of Liu, van Schaik, Minch &
 * Delbruck 2014, IEEE Trans. Biomed. Circuits Syst. 8:453: 64 channels, four pulse-frequency-modulated outputs each
 * (an ear); its filters, a cascade of second-order sections, are not modelled.
 *
 * Deterministic. The one random thing, the spread of the cells' gains (transistor mismatch in the chip), is off
 * unless `mismatch` is given, and is drawn by address from `seed`. An amplitude of 1 is 0 dB. Own choices, without a
 * source: the thresholds, `density`, the dead time, the rule of sub-sampling.
 */

import type { Raster } from "../engine/raster.ts";
import { raster } from "../engine/raster.ts";
import { ConfigError } from "../math/errors.ts";
import { randomKey, uniform } from "../math/random.ts";
import type { Time } from "../math/units.ts";
import { quantity, seconds } from "../math/units.ts";
import type { Audio } from "./audio.ts";
import { mono } from "./audio.ts";
import { centreFrequencies, gammatone } from "./gammatone.ts";
import type { HairCellOptions } from "./haircell.ts";
import { defaultExponent, hairCell, meanDrive } from "./haircell.ts";
import { resample } from "./resample.ts";

export interface FilterBankOptions extends HairCellOptions {
  /** Number of gammatone filters; default 64. */
  channels?: number;
  /** Lowest centre frequency; default "100 Hz". */
  lowest?: string;
  /** Highest centre frequency; default 0.45 of the sampling rate, at most "8 kHz". */
  highest?: string;
  /** Tick of the spikes; a second is a whole number of them. Default "0.1 ms". */
  dt?: Time;
}

export interface GanglionOptions {
  /** Length of the raster; default that of the sound. */
  duration?: Time;
  /** Ganglion cells kept of all, spread evenly over channels and sub-units; default 132. */
  streams?: number;
  /** Thresholds of a channel's sub-units, dB; default -90, -80, -70, -60. */
  thresholds?: readonly number[];
  /** Spikes per 0.01 s of drive 1 above threshold; default 1, which gives speech at -10 dB some 10 Hz a stream. */
  density?: number;
  /** Time without integration after a spike, at least dt; default "2 ms". */
  deadTime?: Time;
  /** Standard deviation of the logarithm of the cells' gains; default 0. Needs `seed`. */
  mismatch?: number;
  /** Which chip: the seed of the mismatch. */
  seed?: string | number;
}

export type CochleaOptions = FilterBankOptions & GanglionOptions;

/** What the hair cells hand to the ganglion cells. */
export interface Drive {
  readonly sampleRate: number; // Hz, a whole number of samples per tick
  readonly dt: number; // s
  readonly exponent: number; // of the compression
  readonly frequencies: Float64Array; // [channel], Hz, ascending
  readonly channels: readonly Float64Array[]; // [channel][sample], >= 0
}

/** Spikes of a cochlea that hears `audio` (all channels mixed): `streams` cells ordered from low to high frequency. */
export function cochlea(audio: Audio, options: CochleaOptions = {}): Raster {
  return ganglionSpikes(hairCellDrive(audio, options), options);
}

/**
 * Drive of the hair cells of all channels. Costs about 25 ns a sample and channel, at a sampling rate of at least five
 * times the highest frequency. Throws `ConfigError` where options do not fit each other or the sound.
 */
export function hairCellDrive(audio: Audio, options: FilterBankOptions = {}): Drive {
  const { channels = 64, lowest = "100 Hz", dt = "0.1 ms" } = options;
  const nyquist = audio.sampleRate / 2;
  const high =
    options.highest === undefined ? Math.min(8000, 0.9 * nyquist) : quantity(options.highest, "Hz");
  if (high > nyquist)
    throw new ConfigError(`a channel at ${high} Hz hears nothing: the sound ends at ${nyquist} Hz`);
  const ticks = Math.round(1 / seconds(dt));
  if (ticks < 1 || Math.abs(ticks * seconds(dt) - 1) > 1e-9)
    throw new ConfigError(`a second must be a whole number of ticks; dt is ${dt}`);
  const sampleRate = ticks * Math.ceil((5 * high) / ticks);
  const samples = resample(mono(audio), audio.sampleRate, sampleRate);
  const frequencies = centreFrequencies(channels, quantity(lowest, "Hz"), high);
  return {
    sampleRate,
    dt: seconds(dt),
    exponent: options.exponent ?? defaultExponent,
    frequencies,
    channels: Array.from(frequencies, (f) =>
      hairCell(gammatone(samples, sampleRate, f), sampleRate, options),
    ),
  };
}

/**
 * Spikes of the ganglion cells driven by `drive`. A spike bears the time at which its tick begins; a cell fires at
 * most once in a tick.
 */
export function ganglionSpikes(drive: Drive, options: GanglionOptions = {}): Raster {
  const {
    streams = 132,
    thresholds = [-90, -80, -70, -60],
    density = 1,
    deadTime = "2 ms",
    mismatch = 0,
  } = options;
  const cells = subsample(drive.channels.length, thresholds.length, streams);
  if (mismatch !== 0 && options.seed === undefined)
    throw new ConfigError("mismatch needs a seed: which chip is it?");
  const key = randomKey(options.seed ?? 0, "cochlea mismatch");
  const thetas = thresholds.map((level) => meanDrive(level, drive.exponent));
  const samplesPerTick = Math.round(drive.sampleRate * drive.dt);
  const dead = Math.max(Math.round(seconds(deadTime) * drive.sampleRate), samplesPerTick);
  const length = drive.channels[0].length;
  const duration = options.duration === undefined ? length / drive.sampleRate : seconds(options.duration);
  const end = Math.min(length, Math.round(duration * drive.sampleRate));

  const t: number[] = [];
  const i: number[] = [];
  cells.forEach(({ channel, unit }, cell) => {
    const theta = thetas[unit];
    const spread = Math.exp(mismatch * standardNormal(key, channel * thresholds.length + unit));
    const gain = (100 * density * spread) / drive.sampleRate;
    const x = drive.channels[channel];
    let integral = 0;
    for (let k = 0; k < end; k++) {
      if (x[k] > theta) integral += gain * (x[k] - theta);
      if (integral < 1) continue;
      t.push(Math.floor(k / samplesPerTick) * drive.dt);
      i.push(cell);
      integral = 0;
      k += dead;
    }
  });
  return raster({ t, i }, streams, duration);
}

/**
 * The density that gives ganglion cells a mean rate (Hz a stream, over the whole duration): bisection to 1e-4
 * relative; the rate reached is the lowest that is not below. Throws `ConfigError` where no density does.
 */
export function densityFor(drive: Drive, meanRate: string, options: GanglionOptions = {}): number {
  const wanted = quantity(meanRate, "Hz");
  const rate = (density: number): number => {
    const spikes = ganglionSpikes(drive, { ...options, density });
    return spikes.t.length / spikes.size / spikes.duration;
  };
  let low = 1e-3;
  let high = 1e3;
  if (!(wanted > 0 && rate(high) >= wanted))
    throw new ConfigError(
      `this sound cannot drive the cells to ${meanRate} on average, at most to ${rate(high)} Hz`,
    );
  while (high / low > 1 + 1e-4) {
    const middle = Math.sqrt(low * high);
    if (rate(middle) < wanted) low = middle;
    else high = middle;
  }
  return high;
}

/** Which cells are kept: every channel gets its share, and within a channel sub-units far from each other first. */
function subsample(channels: number, units: number, streams: number): { channel: number; unit: number }[] {
  if (!Number.isInteger(streams) || streams < 1 || streams > channels * units)
    throw new ConfigError(`${channels} channels of ${units} sub-units have no ${streams} streams`);
  const order = Array.from({ length: units }, (_, u) => u).sort((a, b) => (a % 2) - (b % 2) || a - b);
  return Array.from({ length: streams }, (_, s) => {
    const channel = Math.floor((s * channels) / streams);
    const first = Math.ceil((channel * streams) / channels); // the channel's first stream
    return { channel, unit: (order[s - first] + channel) % units };
  });
}

/** Normal number of a cell by the Box-Muller transform. */
function standardNormal(key: ReturnType<typeof randomKey>, element: number): number {
  const radius = Math.sqrt(-2 * Math.log(uniform(key, 0, element, 0, 0)));
  return radius * Math.cos(2 * Math.PI * uniform(key, 0, element, 0, 1));
}
