/**
 * The gammatone filter and its spacing along the basilar membrane.
 *
 *     g(t) = t^(n-1) exp(-2 pi b t) cos(2 pi f t),  n = 4,  b = 1.019 ERB(f)
 *
 * Patterson, Robinson, Holdsworth, McKeown, Zhang & Allerhand 1992 ("Complex sounds and auditory images", in
 * Auditory Physiology and Perception, Pergamon, eq. 1) for the filter and 1.019; Glasberg & Moore 1990,
 * Hear. Res. 47:103, eq. 3 and 4, for the bandwidth and the scale.
 */
import { ConfigError } from "../math/errors.ts";

/** Equivalent rectangular bandwidth (Hz) of the auditory filter at `frequency` (Hz). Glasberg & Moore 1990, eq. 3. */
export function erb(frequency: number): number {
  return 24.7 * (0.00437 * frequency + 1);
}

/** Number of ERBs below `frequency` (Hz). Glasberg & Moore 1990, eq. 4. */
export function erbNumber(frequency: number): number {
  return 21.4 * Math.log10(0.00437 * frequency + 1);
}

/** Inverse of `erbNumber`: Hz. */
export function erbFrequency(number: number): number {
  return (10 ** (number / 21.4) - 1) / 0.00437;
}

/** `count` frequencies (Hz) from `lowest` to `highest`, equally spaced in ERB number, ascending. */
export function centreFrequencies(count: number, lowest: number, highest: number): Float64Array {
  if (!(lowest > 0 && highest > lowest))
    throw new ConfigError(`centre frequencies need 0 < lowest < highest, not ${lowest} and ${highest} Hz`);
  if (!Number.isInteger(count) || count < 1)
    throw new ConfigError(`a filter bank has at least one channel, not ${count}`);
  const low = erbNumber(lowest);
  const step = count > 1 ? (erbNumber(highest) - low) / (count - 1) : 0;
  return Float64Array.from({ length: count }, (_, k) => erbFrequency(low + k * step));
}

/**
 * `samples` through the gammatone filter centred on `frequency` (Hz), gain 1 there: a copy, [sample].
 *
 * The digital impulse response is exactly the samples of g(t), scaled: with a = exp((-2 pi b + 2 pi i f) / sampleRate)
 * the samples k^3 a^k have the z-transform a z^-1 (1 + 4 a z^-1 + a^2 z^-2) / (1 - a z^-1)^4, of which the real
 * part is taken. Costs 26 multiplications a sample. Throws `ConfigError` at or above the Nyquist frequency.
 */
export function gammatone(samples: ArrayLike<number>, sampleRate: number, frequency: number): Float64Array {
  if (!(frequency > 0 && frequency < sampleRate / 2))
    throw new ConfigError(
      `a filter at ${frequency} Hz needs a sampling rate above ${2 * frequency} Hz, not ${sampleRate}`,
    );
  const decay = Math.exp((-2 * Math.PI * 1.019 * erb(frequency)) / sampleRate);
  const angle = (2 * Math.PI * frequency) / sampleRate;
  const ar = decay * Math.cos(angle);
  const ai = decay * Math.sin(angle);
  const scale = 1 / gain(decay, angle);

  const out = new Float64Array(samples.length);
  let x1 = 0; // inputs one, two, three samples ago
  let x2 = 0;
  let x3 = 0;
  const re = new Float64Array(4); // outputs of the four one-pole sections, one sample ago
  const im = new Float64Array(4);
  const a2r = ar * ar - ai * ai;
  const a2i = 2 * ar * ai;
  const a3r = a2r * ar - a2i * ai;
  const a3i = a2r * ai + a2i * ar;
  for (let k = 0; k < samples.length; k++) {
    let r = ar * x1 + 4 * a2r * x2 + a3r * x3;
    let i = ai * x1 + 4 * a2i * x2 + a3i * x3;
    for (let n = 0; n < 4; n++) {
      const pr = re[n];
      const pi = im[n];
      r += ar * pr - ai * pi;
      i += ar * pi + ai * pr;
      re[n] = r;
      im[n] = i;
    }
    x3 = x2;
    x2 = x1;
    x1 = samples[k];
    out[k] = r * scale;
  }
  return out;
}

/** Magnitude at the centre frequency of the real filter: half the sum of the complex one's values at f and -f. */
function gain(decay: number, angle: number): number {
  // With q = decay exp(i phi), phi = 0 at f and 2 angle at -f (conjugated): q (1 + 4 q + q^2) / (1 - q)^4.
  const value = (phi: number): [number, number] => {
    const q: [number, number] = [decay * Math.cos(phi), decay * Math.sin(phi)];
    const q2 = product(q, q);
    const top = product(q, [1 + 4 * q[0] + q2[0], 4 * q[1] + q2[1]]);
    const once: [number, number] = [1 - q[0], -q[1]];
    const twice = product(once, once);
    const bottom = product(twice, twice);
    const size = bottom[0] ** 2 + bottom[1] ** 2;
    return [
      (top[0] * bottom[0] + top[1] * bottom[1]) / size,
      (top[1] * bottom[0] - top[0] * bottom[1]) / size,
    ];
  };
  const plus = value(0);
  const minus = value(2 * angle);
  return Math.hypot(plus[0] + minus[0], plus[1] - minus[1]) / 2;
}

function product([a, b]: [number, number], [c, d]: [number, number]): [number, number] {
  return [a * c - b * d, a * d + b * c];
}
