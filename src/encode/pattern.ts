/**
 * A learning task out of sounds: what a cochlea hears in one after another, and the images that output cells
 * shall draw meanwhile.
 *
 * Each sound is trimmed to its voiced part, brought to one level, and placed in a window of its own; its image is to be
 * drawn within that window, once there has been some sound to know it by. Pure: the sounds are given as samples.
 */

import type { Raster } from "../engine/raster.ts";
import { ConfigError } from "../math/errors.ts";
import type { Time } from "../math/units.ts";
import { seconds } from "../math/units.ts";
import type { Audio } from "./audio.ts";
import { mono } from "./audio.ts";
import type { CochleaOptions } from "./cochlea.ts";
import { densityFor, ganglionSpikes, hairCellDrive } from "./cochlea.ts";
import { resample } from "./resample.ts";
import type { Image, TargetOptions } from "./target.ts";
import { imageTarget } from "./target.ts";

export interface SoundPatternOptions {
  /** Seed of the desired spike trains. */
  seed: string | number;
  /** Length of the whole pattern; default "1250 ms". */
  duration?: Time;
  /** Silence before the first and after the last window; default "25 ms". */
  margin?: Time;
  /** Silence between windows; default "15 ms". The windows share what remains equally. */
  gap?: Time;
  /** From the beginning of a sound to that of its image; default "60 ms". */
  lead?: Time;
  /** From the end of an image to that of its window; default "30 ms". */
  tail?: Time;
  /** Level (root mean square of a sound within its window) in dB, 0 is amplitude 1; default -10. */
  level?: number;
  /** A sound begins and ends where it is this many dB below its loudest 10 ms; default 30. */
  trim?: number;
  /** Mean rate of the input streams over the whole pattern, reached by choice of the density; default "10 Hz". */
  meanRate?: string;
  /** The cochlea; default that of `cochlea` with mismatch 0.2. A `density` given here overrides `meanRate`. */
  cochlea?: CochleaOptions;
  /** Rate, smallest interval and coding of the desired trains. */
  target?: Pick<TargetOptions, "rate" | "minimumInterval" | "coding">;
}

/** Where a sound and its image lie in a pattern, s. */
export interface Window {
  readonly sound: readonly [start: number, end: number];
  readonly image: readonly [start: number, end: number];
}

export interface Pattern {
  readonly input: Raster; // of the cochlea's streams
  readonly desired: Raster; // of the pixels, row by row
  readonly images: readonly Image[];
  readonly windows: readonly Window[];
  readonly sound: Audio; // what the cochlea heard
  readonly density: number; // of the cochlea
}

/** The pattern of sounds one after another, each with the image to be drawn. Throws `ConfigError` where times do not fit. */
export function soundPattern(
  sounds: readonly { audio: Audio; image: Image }[],
  options: SoundPatternOptions,
): Pattern {
  const { duration = "1250 ms", level = -10, trim = 30, meanRate = "10 Hz" } = options;
  const cochlea: CochleaOptions = { mismatch: 0.2, seed: "chip 1", ...options.cochlea, duration };
  const windows = layOut(sounds.length, options);
  const sampleRate = Math.max(...sounds.map(({ audio }) => audio.sampleRate));
  const samples = new Float64Array(Math.round(seconds(duration) * sampleRate));
  sounds.forEach(({ audio }, k) => {
    const [start, end] = windows[k].sound;
    const whole = resample(mono(audio), audio.sampleRate, sampleRate);
    const length = Math.round((end - start) * sampleRate);
    samples.set(excerpt(whole, sampleRate, length, level, trim), Math.round(start * sampleRate));
  });

  const sound: Audio = { sampleRate, channels: [samples] };
  const drive = hairCellDrive(sound, cochlea);
  const density = cochlea.density ?? densityFor(drive, meanRate, cochlea);
  const input = ganglionSpikes(drive, { ...cochlea, density });
  const showings = sounds.map(({ image }, k) => {
    const [start, end] = windows[k].image;
    return { image, start: inMilliseconds(start), duration: inMilliseconds(end - start) };
  });
  const desired = imageTarget(showings, {
    ...options.target,
    seed: options.seed,
    duration,
    dt: cochlea.dt ?? "0.1 ms",
  });
  return { input, desired, images: sounds.map(({ image }) => image), windows, sound, density };
}

/** Equal windows between the margins. */
function layOut(count: number, options: SoundPatternOptions): Window[] {
  const { duration = "1250 ms", margin = "25 ms", gap = "15 ms", lead = "60 ms", tail = "30 ms" } = options;
  const width = (seconds(duration) - 2 * seconds(margin) - (count - 1) * seconds(gap)) / count;
  if (!(width > seconds(lead) + seconds(tail)))
    throw new ConfigError(
      `${count} sounds do not fit ${duration}: windows of ${(width * 1000).toFixed(0)} ms leave no time for an image ` +
        `after a lead of ${lead} and before a tail of ${tail}`,
    );
  return Array.from({ length: count }, (_, k) => {
    const start = seconds(margin) + k * (width + seconds(gap));
    return {
      sound: [start, start + width],
      image: [start + seconds(lead), start + width - seconds(tail)],
    };
  });
}

/** The voiced part of a sound, at most `length` samples, at `level` dB, faded in over 5 ms and out over 10 ms. */
function excerpt(
  samples: Float64Array,
  sampleRate: number,
  length: number,
  level: number,
  trim: number,
): Float64Array {
  const frame = Math.round(sampleRate / 100);
  const powers = Array.from({ length: Math.floor(samples.length / frame) }, (_, f) =>
    power(samples.subarray(f * frame, (f + 1) * frame)),
  );
  const least = Math.max(...powers) * 10 ** (-trim / 10);
  if (!(least > 0)) throw new ConfigError("a sound to learn from is silent");
  const fadeIn = Math.round(0.005 * sampleRate);
  const fadeOut = Math.round(0.01 * sampleRate);
  const first = Math.max(0, powers.findIndex((p) => p >= least) * frame - fadeIn);
  const last = Math.min((powers.findLastIndex((p) => p >= least) + 1) * frame, first + length);
  const piece = samples.slice(first, last);
  const gain = 10 ** (level / 20) / Math.sqrt(power(piece));
  for (let k = 0; k < piece.length; k++) {
    const edge = Math.min(1, k / fadeIn, (piece.length - k) / fadeOut);
    piece[k] *= (gain * (1 - Math.cos(Math.PI * edge))) / 2;
  }
  return piece;
}

function power(samples: Float64Array): number {
  let sum = 0;
  for (const x of samples) sum += x * x;
  return sum / samples.length;
}

function inMilliseconds(time: number): Time {
  return `${Number((time * 1000).toFixed(6))} ms`;
}
