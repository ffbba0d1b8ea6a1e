/**
 * The discrete Fourier transform of a power of two of values, and the power spectrum of a noise.
 *
 * Radix 2, decimation in time: Cooley & Tukey 1965, Math. Comput. 19:297.
 */

/** X_k = sum over n of x_n exp(-2 pi i k n / N), in place. Throws a RangeError unless N is a power of two. */
export function fourier(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length;
  if (size === 0 || (size & (size - 1)) !== 0 || imaginary.length !== size)
    throw new RangeError(`a Fourier transform of ${size} values is not one of a power of two`);
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    [real[i], real[j]] = [real[j], real[i]];
    [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
  }
  for (let length = 2; length <= size; length *= 2) {
    const half = length / 2;
    for (let k = 0; k < half; k++) {
      const angle = (-2 * Math.PI * k) / length;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (let at = k; at < size; at += length) {
        const other = at + half;
        const re = real[other] * c - imaginary[other] * s;
        const im = real[other] * s + imaginary[other] * c;
        real[other] = real[at] - re;
        imaginary[other] = imaginary[at] - im;
        real[at] += re;
        imaginary[at] += im;
      }
    }
  }
}

/**
 * The transform of `size` real values, planned once and done often: real[k] + i imaginary[k] = X_k for k from 0 to size / 2.
 * Even and odd values are the two parts of half as many complex ones. Throws a RangeError unless `size` is a power of two above 2.
 */
export function realFourier(
  size: number,
): (values: ArrayLike<number>, real: Float64Array, imaginary: Float64Array) => void {
  if (!(size >= 4) || (size & (size - 1)) !== 0)
    throw new RangeError(`a Fourier transform of ${size} real values is not one of a power of two above 2`);
  const half = size / 2;
  const cosine = Float64Array.from({ length: half }, (_, k) => Math.cos((2 * Math.PI * k) / size));
  const sine = Float64Array.from({ length: half }, (_, k) => Math.sin((2 * Math.PI * k) / size));
  const bits = Math.log2(half);
  const reversed = Uint32Array.from({ length: half }, (_, k) => {
    let mirror = 0;
    for (let bit = 0; bit < bits; bit++) mirror |= ((k >> bit) & 1) << (bits - 1 - bit);
    return mirror;
  });
  return (values, real, imaginary) => {
    for (let n = 0; n < half / 2; n++) {
      const to = reversed[n]; // even: beside it goes the value half the way on, and the two are added without a turn
      const [m, far] = [2 * n, 2 * n + half];
      real[to] = values[m] + values[far];
      imaginary[to] = values[m + 1] + values[far + 1];
      real[to + 1] = values[m] - values[far];
      imaginary[to + 1] = values[m + 1] - values[far + 1];
    }
    for (let reach = 2, turn = half / 2; reach < half; reach *= 2, turn /= 2)
      for (let from = 0; from < half; from += 2 * reach)
        for (let at = from, angle = 0; at < from + reach; at++, angle += turn) {
          const other = at + reach;
          const c = cosine[angle];
          const s = sine[angle];
          const re = real[other] * c + imaginary[other] * s;
          const im = imaginary[other] * c - real[other] * s;
          real[other] = real[at] - re;
          imaginary[other] = imaginary[at] - im;
          real[at] += re;
          imaginary[at] += im;
        }
    const [re, im] = [real[0], imaginary[0]];
    real[0] = re + im;
    real[half] = re - im;
    imaginary[0] = imaginary[half] = 0;
    for (let k = 1; k <= half / 2; k++) {
      const mirror = half - k;
      const evenRe = (real[k] + real[mirror]) / 2;
      const evenIm = (imaginary[k] - imaginary[mirror]) / 2;
      const oddRe = (imaginary[k] + imaginary[mirror]) / 2;
      const oddIm = (real[mirror] - real[k]) / 2;
      const turnedRe = oddRe * cosine[k] + oddIm * sine[k];
      const turnedIm = oddIm * cosine[k] - oddRe * sine[k];
      real[k] = evenRe + turnedRe;
      imaginary[k] = evenIm + turnedIm;
      real[mirror] = evenRe - turnedRe;
      imaginary[mirror] = turnedIm - evenIm;
    }
  };
}

export interface Spectrum {
  readonly frequency: Float64Array; // Hz, from the first above 0 to half the sampling rate
  readonly density: Float64Array; // of power, one-sided: unit of the values squared / Hz
}

/**
 * The power spectral density of evenly spaced values by Welch's method: Hann windows of `segment` values that overlap
 * by half, each without its mean. The density's integral is the variance. `segment` is a power of two, default the
 * largest of which 7 windows fit. Source: Welch 1967, IEEE Trans. Audio Electroacoust. 15:70.
 */
export function welch(values: ArrayLike<number>, interval: number, segment?: number): Spectrum {
  const size = segment ?? 2 ** Math.floor(Math.log2(values.length / 4));
  if (!(size >= 2) || size > values.length)
    throw new RangeError(`segments of ${size} do not fit into ${values.length} values`);
  const window = Float64Array.from({ length: size }, (_, n) => Math.sin((Math.PI * n) / size) ** 2);
  const power = window.reduce((sum, w) => sum + w * w, 0);
  const density = new Float64Array(size / 2);
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  let count = 0;
  for (let from = 0; from + size <= values.length; from += size / 2, count++) {
    let middle = 0;
    for (let n = 0; n < size; n++) middle += values[from + n] / size;
    for (let n = 0; n < size; n++) real[n] = window[n] * (values[from + n] - middle);
    imaginary.fill(0);
    fourier(real, imaginary);
    for (let k = 1; k <= size / 2; k++) {
      const sides = k < size / 2 ? 2 : 1; // negative frequencies, of which the last has none
      density[k - 1] += (sides * interval * (real[k] ** 2 + imaginary[k] ** 2)) / power;
    }
  }
  return {
    frequency: density.map((_, k) => (k + 1) / (size * interval)),
    density: density.map((sum) => sum / count),
  };
}
