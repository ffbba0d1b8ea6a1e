/**
 * Sampled sound.
 *
 * Samples are floats, full scale is [-1, 1): an integer sample s of b bits becomes s / 2^(b-1), exactly.
 * Knows nothing of files or hearing.
 */
export interface Audio {
  readonly sampleRate: number; // Hz
  readonly channels: readonly Float64Array[]; // [channel][sample], full scale 1
}

/** The mean of all channels: a copy, [sample]. */
export function mono(audio: Audio): Float64Array {
  const [first, ...others] = audio.channels;
  const mixed = Float64Array.from(first);
  for (const channel of others) for (let k = 0; k < mixed.length; k++) mixed[k] += channel[k];
  if (others.length > 0) for (let k = 0; k < mixed.length; k++) mixed[k] /= audio.channels.length;
  return mixed;
}
