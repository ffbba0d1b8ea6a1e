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
