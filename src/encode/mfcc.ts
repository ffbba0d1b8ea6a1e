/**
 * Mel-frequency cepstral coefficients: what a keyword sounds like, a few numbers for each hundredth or so of a second.
 *
 * Each frame: times a periodic Hann window; power spectrum; sums under triangles that are evenly spaced on the mel scale,
 * mel(f) = 1127 ln(1 + f / 700 Hz), and linear in it; logarithm; discrete cosine transform, y_i = sqrt(2 / N) sum over j of
 * x_j cos(pi i (j + 1/2) / N). Frames lie wholly inside the sound. Defaults are those of Zhang et al. 2017, arXiv:1711.07128: 40 ms
 * of 16 kHz every 20 ms, 40 triangles between 20 and 4000 Hz, the first ten coefficients; 1 s gives 49 x 10.
 *
 * Sources: Davis & Mermelstein 1980, IEEE Trans. ASSP 28:357 (the coefficients); O'Shaughnessy 1987 (the scale). With `power` 1
 * the numbers are those of TensorFlow's operator Mfcc, which takes roots of the squared magnitudes that it is given, to the
 * precision of float32; test/encode/mfcc.test.ts.
 */
import { ConfigError } from "../math/errors.ts";
import { realFourier } from "../math/fourier.ts";
import { quantity, seconds, type Time } from "../math/units.ts";

export interface MfccOptions {
  readonly sampleRate?: number; // Hz; default 16000
  /** Of all sounds, longer ones are refused and shorter ones end in silence. Default "1 s". */
  readonly duration?: Time;
  /** Length of a frame. Default "40 ms". */
  readonly window?: Time;
  /** From the beginning of a frame to that of the next. Default "20 ms". */
  readonly hop?: Time;
  /** Triangles on the mel scale. Default 40. */
  readonly bands?: number;
  /** Where the first triangle begins. Default "20 Hz". */
  readonly lowest?: string;
  /** Where the last triangle ends. Default "4 kHz". */
  readonly highest?: string;
  /** How many of the cepstral coefficients, from the first on. Default 10. */
  readonly coefficients?: number;
  /** Of the magnitudes that the triangles sum: 2, squares (default), or 1. */
  readonly power?: 1 | 2;
  /** Sums below it count as it: the logarithm of silence is finite. Default 1e-12, for sounds of full scale 1. */
  readonly floor?: number;
}

/** A front end with its tables. */
export interface Mfcc {
  readonly kind: "mfcc";
  /** Samples of a sound. */
  readonly samples: number;
  readonly shape: readonly [frames: number, coefficients: number];
  /**
   * The coefficients of one sound of full scale 1 / `scale`, [frame][coefficient], into `into` or a new array. Throws `ConfigError`
   * where the sound is longer than `samples`.
   */
  transform(sound: ArrayLike<number>, into?: Float32Array, scale?: number): Float32Array;
}

/** A front end for sounds of one length. Throws `ConfigError`. */
export function mfcc(options: MfccOptions = {}): Mfcc {
  const { sampleRate = 16000, bands = 40, coefficients = 10, power = 2, floor = 1e-12 } = options;
  if (!(Number.isFinite(sampleRate) && sampleRate > 0))
    throw new ConfigError(`a sampling rate is a positive number of Hz, not ${sampleRate}`);
  const count = (name: "duration" | "window" | "hop", otherwise: Time) => {
    const time = options[name] ?? otherwise;
    const samples = Math.round(seconds(time) * sampleRate);
    if (samples < 2) throw new ConfigError(`${name} is ${time}, less than two samples at ${sampleRate} Hz`);
    return samples;
  };
  const samples = count("duration", "1 s");
  const window = count("window", "40 ms");
  const hop = count("hop", "20 ms");
  if (window > samples)
    throw new ConfigError(`a window of ${window} samples does not fit into a sound of ${samples}`);
  const lowest = quantity(options.lowest ?? "20 Hz", "Hz");
  const highest = quantity(options.highest ?? "4 kHz", "Hz");
  if (!(lowest >= 0 && lowest < highest && highest <= sampleRate / 2))
    throw new ConfigError(
      `triangles lie between 0 and half the sampling rate, ${sampleRate / 2} Hz, not from ${lowest} to ${highest} Hz`,
    );
  if (!(Number.isInteger(bands) && bands > 0))
    throw new ConfigError(`bands is a positive whole number, not ${bands}`);
  if (!(Number.isInteger(coefficients) && coefficients > 0 && coefficients <= bands))
    throw new ConfigError(`coefficients is a whole number from 1 to ${bands}, not ${coefficients}`);
  if (power !== 1 && power !== 2) throw new ConfigError(`power is 1 or 2, not ${power}`);
  if (!(floor > 0)) throw new ConfigError(`floor is a positive number, not ${floor}`);

  const frames = 1 + Math.floor((samples - window) / hop);
  const size = Math.max(4, 2 ** Math.ceil(Math.log2(window)));
  const hann = Float64Array.from({ length: window }, (_, n) => Math.sin((Math.PI * n) / window) ** 2);
  const { first, band, weight } = triangles(size, sampleRate, bands, lowest, highest);
  const cosines = Float64Array.from(
    { length: coefficients * bands },
    (_, k) =>
      Math.sqrt(2 / bands) * Math.cos((Math.PI * Math.floor(k / bands) * ((k % bands) + 0.5)) / bands),
  );
  const spectrum = realFourier(size);
  const frame = new Float64Array(size); // the window, then zeros
  const real = new Float64Array(size / 2 + 1);
  const imaginary = new Float64Array(size / 2 + 1);
  const sums = new Float64Array(bands + 2); // the first and the last belong to no triangle

  function transform(
    sound: ArrayLike<number>,
    into = new Float32Array(frames * coefficients),
    scale = 1,
  ): Float32Array {
    if (sound.length > samples)
      throw new ConfigError(`the front end is for sounds of ${samples} samples, not of ${sound.length}`);
    if (into.length !== frames * coefficients)
      throw new ConfigError(
        `${frames} x ${coefficients} coefficients do not fit into ${into.length} numbers`,
      );
    for (let f = 0; f < frames; f++) {
      const from = f * hop;
      const inside = Math.max(0, Math.min(window, sound.length - from));
      for (let n = 0; n < inside; n++) frame[n] = hann[n] * scale * sound[from + n];
      frame.fill(0, inside, window);
      spectrum(frame, real, imaginary);
      sums.fill(0);
      for (let j = 0; j < band.length; j++) {
        const squared = real[first + j] ** 2 + imaginary[first + j] ** 2;
        const value = power === 2 ? squared : Math.sqrt(squared);
        const falling = weight[j] * value;
        sums[band[j]] += falling;
        sums[band[j] + 1] += value - falling;
      }
      for (let b = 1; b <= bands; b++) sums[b] = Math.log(Math.max(sums[b], floor));
      for (let c = 0; c < coefficients; c++) {
        let sum = 0;
        for (let b = 0; b < bands; b++) sum += cosines[c * bands + b] * sums[b + 1];
        into[f * coefficients + c] = sum;
      }
    }
    return into;
  }
  return { kind: "mfcc", samples, shape: [frames, coefficients], transform };
}

/**
 * For each spectral line between `lowest` and `highest`: between which neighbouring centres it lies (triangle `band`, counted from
 * 1, falls there, the next one rises) and the weight of the falling one; the rising one has the rest of 1.
 */
function triangles(size: number, sampleRate: number, bands: number, lowest: number, highest: number) {
  const mel = (frequency: number) => 1127 * Math.log1p(frequency / 700);
  const spacing = (mel(highest) - mel(lowest)) / (bands + 1);
  const first = Math.ceil((lowest * size) / sampleRate);
  const last = Math.floor((highest * size) / sampleRate);
  const band = new Uint32Array(last - first + 1);
  const weight = new Float64Array(last - first + 1);
  const seen = new Uint8Array(bands + 2);
  for (let j = 0; j < band.length; j++) {
    const place = (mel(((first + j) * sampleRate) / size) - mel(lowest)) / spacing;
    band[j] = Math.min(bands, Math.floor(place));
    weight[j] = 1 - (place - band[j]);
    if (weight[j] > 0) seen[band[j]] = 1;
    if (weight[j] < 1) seen[band[j] + 1] = 1;
  }
  const empty = seen.indexOf(0, 1);
  if (empty >= 1 && empty <= bands)
    throw new ConfigError(
      `triangle ${empty} of ${bands} holds no line of a spectrum of ${size} points: take fewer, or a longer window`,
    );
  return { first, band, weight };
}
