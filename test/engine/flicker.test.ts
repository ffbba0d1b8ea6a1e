/** Flicker noise: its distribution, its covariance and spectrum, its address. */
import { describe, expect, test } from "vitest";
import { device, fabricate, type Time } from "../../src/index.ts";
import { fourier } from "../../src/math/fourier.ts";
import { studentQuantile } from "../../src/math/student.ts";
import { departure, limit, normal } from "../device/distribution.ts";
import { twins } from "../device/twins.ts";

/** A device whose read is its noise. */
const noisy = (read: string, parameters: Record<string, string | number> = {}) =>
  device({
    name: "noise",
    source: "test",
    equations: "G : S",
    initial: { G: "g" },
    on: { set: "G = g" },
    read: `g * ${read}`,
    parameters: { g: "1 S", ...parameters },
  });

const flickering = noisy("flicker(shortest, longest)", { shortest: "1 s", longest: "64 s" });
/** Times for which the numbers of its octaves are held, s. */
const holds = [0.25, 0.5, 1, 2, 4, 8, 16, 32];
const covariance = (s: number) =>
  holds.reduce((sum, tau) => sum + Math.max(0, 1 - s / tau) / holds.length, 0);

describe("flicker", () => {
  test("is standard normal across 100,000 devices, at the start, later, and after 30,000 years", async () => {
    const devices = await fabricate(100_000, flickering, { seed: 1 });
    for (const wait of ["0 s", "100 s", "1e12 s"] as Time[]) {
      devices.wait(wait);
      const values = devices.read();
      expect(departure(values, normal(0, 1))).toBeLessThan(1);
      expect(departure(values, normal(0, 1.04))).toBeGreaterThan(1); // control: 4 % wider
      expect(departure(values, normal(0.03, 1))).toBeGreaterThan(1); // control: shifted
    }
  });

  test("has the covariance of its held numbers, from any time on", async () => {
    const size = 100_000;
    const devices = await fabricate(size, flickering, { seed: 2 });
    // standard error of a mean of products of two standard normal numbers of correlation r
    const deviation = (product: number, r: number) => (product - r) / Math.sqrt((1 + r * r) / size);
    for (const start of ["0 s", "31 s"] as Time[]) {
      devices.wait(start);
      const first = devices.read();
      let passed = 0;
      for (const s of [0.125, 1, 3, 12, 40]) {
        devices.wait(`${s - passed} s`);
        passed = s;
        const later = devices.read();
        const product = first.reduce((sum, x, d) => sum + x * later[d], 0) / size;
        expect(Math.abs(deviation(product, covariance(s)))).toBeLessThan(limit);
        if (s < 40) expect(Math.abs(deviation(product, 0.9 * covariance(s) - 0.02))).toBeGreaterThan(limit); // control
      }
    }
  });

  /** Mean periodograms of 48 devices, 2048 reads 0.5 s apart, over bands of an octave, and what they are expected to be. */
  async function bands(model: typeof flickering, expected: (s: number) => number) {
    const [size, count, interval] = [48, 2048, 0.5];
    const devices = await fabricate(size, model, { seed: 3 });
    const series = Array.from({ length: size }, () => new Float64Array(count));
    for (let n = 0; n < count; n++) {
      devices.read().forEach((x, d) => {
        series[d][n] = x;
      });
      devices.wait(`${interval} s`);
    }
    const power = (values: Float64Array): Float64Array => {
      const [real, imaginary] = [values.slice(), new Float64Array(count)];
      fourier(real, imaginary);
      return real.map((x, k) => (2 * interval * (x * x + imaginary[k] ** 2)) / count);
    };
    const powers = series.map(power);
    // the expected periodogram of a finite series: its covariance under the triangle of lags, transformed
    const lags = Float64Array.from({ length: count }, (_, n) => {
      const other = count - n;
      return (
        (other / count) * expected(n * interval) + (n > 0 ? (n / count) * expected(other * interval) : 0)
      );
    });
    const wanted = lags.slice();
    fourier(wanted, new Float64Array(count));
    return [16, 32, 64, 128, 256].map((from) => {
      const band = (values: ArrayLike<number>, scale = 1) => {
        let sum = 0;
        for (let k = from; k < 2 * from; k++) sum += (scale * values[k]) / from;
        return sum;
      };
      const seen = powers.map((each) => band(each));
      const mean = seen.reduce((sum, x) => sum + x, 0) / size;
      const sd = Math.sqrt(seen.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (size - 1));
      const frequency = (Math.SQRT2 * from) / (count * interval);
      return { frequency, mean, error: sd / Math.sqrt(size), wanted: band(wanted, 2 * interval) };
    });
  }

  // false alarm 1e-6 shared by five bands, each the mean of 48 independent devices
  const quantile = studentQuantile(1 - 1e-6 / 10, 47);

  test("has the spectrum of its covariance, which is 1/f; that of randn() is white and rejected", async () => {
    const flicker = await bands(flickering, covariance);
    for (const { mean, error, wanted } of flicker)
      expect(Math.abs(mean - wanted)).toBeLessThan(quantile * error);
    expect(
      flicker.some(({ mean, error, wanted }) => Math.abs(mean - 1.1 * wanted) > quantile * error), // control: 10 %
    ).toBe(true);
    const white = await bands(noisy("randn()"), (s) => (s === 0 ? 1 : 0));
    for (const { mean, error, wanted } of white)
      expect(Math.abs(mean - wanted)).toBeLessThan(quantile * error);
    const rejected = await bands(noisy("randn()"), covariance); // control
    expect(rejected.some(({ mean, error, wanted }) => Math.abs(mean - wanted) > quantile * error)).toBe(true);
    // from 1/longest to 1/(4 shortest) the density times K ln 2 f is 1, to 1 dB and what chance does to these bands
    for (const { frequency, mean, error } of flicker) {
      if (frequency > 1 / 4) continue;
      const flat = mean * frequency * holds.length * Math.LN2;
      expect(Math.abs(10 * Math.log10(flat))).toBeLessThan(
        1 + 10 * Math.log10(1 + (quantile * error) / mean),
      );
    }
  });

  test("keeps its spectrum within 0.3 dB above and 2.5 dB below 1/f between its two frequencies: sum of sinc^2", () => {
    for (const octaves of [4, 10, 30]) {
      const K = octaves + 2;
      const decibel = (f: number) => {
        let sum = 0;
        for (let k = 0; k < K; k++) {
          const x = 2 ** (k - 2) * f; // in units of 1/shortest
          sum += 2 * x * (Math.sin(Math.PI * x) / (Math.PI * x)) ** 2;
        }
        return 10 * Math.log10(sum * Math.LN2);
      };
      for (let f = 2 ** -octaves; f <= 1; f *= 1.01) {
        expect(decibel(f)).toBeLessThan(0.31);
        expect(decibel(f)).toBeGreaterThan(f <= 0.25 ? -0.92 : -2.51);
      }
    }
  });

  test("of one place in the text is one process: the same at one time, another for another device or place", async () => {
    const two = noisy("(flicker(a, b) - flicker(a, b) + n * flicker(a, b))", { a: "1 s", b: "10 s", n: 0 });
    const difference = (await fabricate(1000, two, { seed: 4 })).read();
    expect(difference.every((x) => Math.abs(x) > 1e-6)).toBe(true);
    const [often, once] = [
      await fabricate(9, flickering, { seed: 5 }),
      await fabricate(5, flickering, { seed: 5 }),
    ];
    for (let n = 0; n < 20; n++) {
      often.wait("0.25 s");
      expect(often.read()).toEqual(often.read());
      if (n % 3 === 0) often.pulse("set", [n % 9]);
    }
    once.wait("5 s");
    expect(once.read()).toEqual(often.read().subarray(0, 5));
    expect(new Set(often.read()).size).toBe(9);
    expect(once.read({ noise: false })).toEqual(new Float64Array(5)); // its mean
  });
});

test("machine code and interpreter agree bit for bit: 1 to 60 octaves, in reads, drift, current and, as Gd, in pulses", async () => {
  for (const [shortest, longest] of [
    ["1 s", "2 s"],
    ["1 s", "1000 s"],
    ["1e-9 s", "5e8 s"],
  ]) {
    const model = device({
      name: "flickering drift",
      source: "test",
      equations: "G : S",
      initial: { G: "g * (1 + 0.1 * randn())" },
      on: { up: "G = Gd * (1 + 0.1 * randn())" },
      drift: "G * (1 + age / tau + 0.1 * flicker(shortest, longest))",
      read: "Gd * (1 + 0.1 * flicker(shortest, longest)) * (1 + 0.1 * randn())",
      current: "V * Gd * (1 + 0.01 * flicker(shortest, 2 * longest))",
      parameters: { g: "1 uS", tau: "1 day", shortest, longest },
    });
    const both = await twins(model, 3, 6);
    let compared = both.compare();
    for (const wait of [0.3, 1000, 1e7, 1e12]) {
      both.wait(wait);
      both.pulse("up");
      both.drive([1], 0.5);
      compared += both.compare();
    }
    expect(compared).toBe(5 * 3 * 3);
  }
});
