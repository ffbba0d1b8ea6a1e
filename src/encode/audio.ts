/**
 * Sampled sound, and the way from bytes to it.
 *
 * Samples are floats, full scale is [-1, 1): an integer sample s of b bits becomes s / 2^(b-1), exactly.
 * Knows nothing of files or hearing.
 */

import { DataError } from "../math/errors.ts";
import { decodeFlac } from "./flac.ts";
import { decodeWav } from "./wav.ts";

export interface Audio {
  readonly sampleRate: number; // Hz
  readonly channels: readonly Float64Array[]; // [channel][sample], full scale 1
}

/**
 * Sound from the bytes of a WAV or FLAC file, told apart by their first four bytes.
 * Throws `DataError` (with `source`, byte offset and reason) on anything else and on damage.
 */
export function decodeAudio(bytes: Uint8Array, source = "audio"): Audio {
  const magic = String.fromCharCode(...bytes.subarray(0, 4));
  if (magic === "fLaC" || magic.startsWith("ID3")) return decodeFlac(bytes, source);
  if (magic === "RIFF") return decodeWav(bytes, source);
  throw new DataError(`${source}: byte 0: neither WAV (RIFF) nor FLAC (fLaC), it starts with ${JSON.stringify(magic)}`);
}

/** The mean of all channels: a copy, [sample]. */
export function mono(audio: Audio): Float64Array {
  const [first, ...others] = audio.channels;
  const mixed = Float64Array.from(first);
  for (const channel of others) for (let k = 0; k < mixed.length; k++) mixed[k] += channel[k];
  if (others.length > 0) for (let k = 0; k < mixed.length; k++) mixed[k] /= audio.channels.length;
  return mixed;
}
