/**
 * Band-limited change of the sampling rate by any rational ratio.
 *
 * Each output sample is the input convolved with a Kaiser-windowed sinc centred on it (zero phase), taken
 * from a polyphase table. Frequencies up to `passBand` of the lower Nyquist frequency pass unchanged,
 * those from the lower Nyquist frequency on are removed. Outside the input there is silence.
 *
 * Sources: Oppenheim & Schafer, "Discrete-Time Signal Processing", 3rd ed., section 4.6 (rational rate
 * change) and eq. 7.75, 7.76 (Kaiser window). Pass- and stop-band errors: test/encode/resample.test.ts.
 */
import { ConfigError } from "../math/errors.ts";

/**
 * `samples` at rate `from` (Hz) as samples at rate `to` (Hz): a copy of ceil(length * to / from) samples.
 *
 * Both rates are whole numbers of Hz, at least 1. `passBand` (0 to 1, default 0.9) sets the steepness and so the
 * cost; `attenuation` (dB, default 100) the error in both bands. Throws `ConfigError`.
 */
export function resample(
  samples: ArrayLike<number>,
  from: number,
  to: number,
  options: { passBand?: number; attenuation?: number } = {},
): Float64Array {
  const { passBand = 0.9, attenuation = 100 } = options;
  for (const rate of [from, to])
    if (!Number.isInteger(rate) || rate < 1)
      throw new ConfigError(`a sampling rate is a whole number of Hz, not ${rate}`);
  if (!(passBand > 0 && passBand < 1))
    throw new ConfigError(`passBand lies between 0 and 1, not ${passBand}`);
  if (!(attenuation >= 50)) throw new ConfigError(`attenuation is at least 50 dB, not ${attenuation}`);
  if (from === to) return Float64Array.from(samples);

  const common = divisor(from, to);
  const up = to / common;
  const down = from / common;
  const { taps, half, table } = polyphase(up, Math.min(1, to / from), passBand, attenuation);

  const length = Math.ceil((samples.length * up) / down);
  const out = new Float64Array(length);
  for (let k = 0; k < length; k++) {
    const phase = (k * down) % up;
    const first = (k * down - phase) / up - half + 1; // index of the leftmost input sample
    const from = Math.max(0, -first);
    const end = Math.min(taps, samples.length - first);
    let sum = 0;
    for (let j = from; j < end; j++) sum += table[phase * taps + j] * samples[first + j];
    out[k] = sum;
  }
  return out;
}

/** The kernel at every phase: table[phase][tap], sum 1 in each phase. `band`: lower over upper Nyquist frequency. */
function polyphase(up: number, band: number, passBand: number, attenuation: number) {
  const width = ((1 - passBand) * band) / 2; // of the transition, cycles per input sample
  const cutoff = ((1 + passBand) * band) / 4; // its middle
  const beta = 0.1102 * (attenuation - 8.7); // eq. 7.75 for attenuation > 50 dB
  const reach = (attenuation - 8) / (2.285 * 2 * Math.PI * width) / 2; // eq. 7.76, half length in input samples
  const half = Math.ceil(reach);
  const taps = 2 * half;
  const table = new Float64Array(up * taps);
  for (let phase = 0; phase < up; phase++) {
    const row = table.subarray(phase * taps, (phase + 1) * taps);
    let sum = 0;
    for (let j = 0; j < taps; j++) {
      const t = phase / up - (j - half + 1); // from this input sample to the output sample
      const inside = 1 - (t / half) ** 2;
      if (inside < 0) continue;
      const x = 2 * Math.PI * cutoff * t;
      row[j] = (x === 0 ? 1 : Math.sin(x) / x) * besselI0(beta * Math.sqrt(inside));
      sum += row[j];
    }
    for (let j = 0; j < taps; j++) row[j] /= sum;
  }
  return { taps, half, table };
}

/** Modified Bessel function of the first kind, order 0: its power series, all terms positive. */
function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
