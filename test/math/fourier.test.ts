import { expect, test } from "vitest";
import { fourier, realFourier, welch } from "../../src/math/fourier.ts";
import { normalQuantile } from "../../src/math/normal.ts";
import { randomKey, uniform } from "../../src/math/random.ts";

const key = randomKey(3, "fourier");
const draws = (count: number, stream: number) =>
  Float64Array.from({ length: count }, (_, k) => normalQuantile(uniform(key, stream, k, 0)));

test.each([1, 2, 8, 64])("the transform of %i values is the sum that defines it", (size) => {
  const [re, im] = [draws(size, 0), draws(size, 1)];
  const [a, b] = [re.slice(), im.slice()];
  fourier(a, b);
  for (let k = 0; k < size; k++) {
    let [x, y] = [0, 0];
    for (let n = 0; n < size; n++) {
      const angle = (-2 * Math.PI * k * n) / size;
      x += re[n] * Math.cos(angle) - im[n] * Math.sin(angle);
      y += re[n] * Math.sin(angle) + im[n] * Math.cos(angle);
    }
    // log2(64) stages, each within some ulps of values up to about 20
    expect(Math.abs(a[k] - x)).toBeLessThan(1e-12);
    expect(Math.abs(b[k] - y)).toBeLessThan(1e-12);
  }
});

test.each([4, 8, 64, 1024])(
  "the transform of %i real values is that of complex ones, and can be repeated",
  (size) => {
    const transform = realFourier(size);
    const [real, imaginary] = [new Float64Array(size / 2 + 1), new Float64Array(size / 2 + 1)];
    for (const stream of [0, 1]) {
      const [a, b] = [draws(size, stream), new Float64Array(size)];
      transform(a.slice(), real, imaginary);
      fourier(a, b);
      for (let k = 0; k <= size / 2; k++) {
        expect(Math.abs(real[k] - a[k])).toBeLessThan(1e-12); // log2(1024) stages of values up to about 100
        expect(Math.abs(imaginary[k] - b[k])).toBeLessThan(1e-12);
      }
    }
  },
);

test("a size that is no power of two is refused", () => {
  expect(() => realFourier(2)).toThrow(
    "a Fourier transform of 2 real values is not one of a power of two above 2",
  );
  expect(() => fourier(new Float64Array(12), new Float64Array(12))).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: a Fourier transform of 12 values is not one of a power of two]`,
  );
  expect(() => welch([1, 2, 3], 1, 8)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: segments of 8 do not fit into 3 values]`,
  );
});

test("the spectrum of white noise is flat at 2 sd^2 dt, and its integral the variance", () => {
  const dt = 0.5;
  const values = draws(2 ** 16, 2).map((x) => 3 * x);
  const { frequency, density } = welch(values, dt, 256);
  expect(frequency[0]).toBeCloseTo(1 / 128, 12);
  expect(frequency[127]).toBeCloseTo(1, 12);
  // 511 Hann windows overlapping by half: the variance of a mean is 1.06 times that of 511 / 1.9 free ones
  const level = 2 * 9 * dt;
  const sd = level / Math.sqrt(511 / 1.056); // Welch 1967, eq. for Hann and 50 %: (1 + 2/36) / K
  for (const value of density.subarray(0, 127)) expect(Math.abs(value - level)).toBeLessThan(6 * sd);
  const integral = density.reduce((sum, value) => sum + value / 128, 0);
  expect(Math.abs(integral - 9)).toBeLessThan(6 * 9 * Math.sqrt(2 / 2 ** 16) * 1.5);
  const [low, high] = [density.subarray(0, 64), density.subarray(63, 127)];
  const ratio = low.reduce((s, v) => s + v, 0) / high.reduce((s, v) => s + v, 0);
  expect(Math.abs(ratio - 1)).toBeLessThan(6 * Math.sqrt(2 / 64 / 511) * 1.5);
  // control: a tenth of each value carried over to the next
  let last = 0;
  const coloured = values.map((x) => (last = x + 0.1 * last));
  const other = welch(coloured, dt, 256).density;
  const wrong =
    other.subarray(0, 64).reduce((s, v) => s + v, 0) / other.subarray(63, 127).reduce((s, v) => s + v, 0);
  expect(Math.abs(wrong - 1)).toBeGreaterThan(6 * Math.sqrt(2 / 64 / 511) * 1.5);
});

test("a sine wave's power is at its frequency: half its amplitude squared", () => {
  const values = Float64Array.from({ length: 4096 }, (_, n) => 2 * Math.sin((2 * Math.PI * 32 * n) / 1024));
  const { frequency, density } = welch(values, 1, 1024);
  const peak = density.indexOf(Math.max(...density));
  expect(frequency[peak]).toBeCloseTo(32 / 1024, 12);
  expect(density.reduce((sum, value) => sum + value / 1024, 0)).toBeCloseTo(2, 9);
});
