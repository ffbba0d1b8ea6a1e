import { describe, expect, test } from "vitest";
import { centreFrequencies, erb, erbFrequency, erbNumber, gammatone } from "../../src/encode/gammatone.ts";

function impulse(length: number): Float64Array {
  const samples = new Float64Array(length);
  samples[0] = 1;
  return samples;
}

/** Magnitude of the response at `frequency`, by the Fourier sum of an impulse response. */
function magnitude(response: Float64Array, sampleRate: number, frequency: number): number {
  let re = 0;
  let im = 0;
  response.forEach((g, k) => {
    re += g * Math.cos((2 * Math.PI * frequency * k) / sampleRate);
    im += g * Math.sin((2 * Math.PI * frequency * k) / sampleRate);
  });
  return Math.hypot(re, im);
}

test("the bandwidths at 1 and 3 kHz are the published 132.639 and 348.517 Hz (Slaney 1993, Apple TR 35, 2.1)", () => {
  expect(erb(1000)).toBeCloseTo(132.639, 3);
  expect(erb(3000)).toBeCloseTo(348.517, 3);
});

test("the ERB number is the integral of 1 / ERB but for the rounding of 21.33 to 21.4, and erbFrequency inverts it", () => {
  let integral = 0;
  for (let f = 0; f < 4000; f += 0.5) integral += 0.5 / erb(f + 0.25);
  expect(erbNumber(4000) / integral).toBeCloseTo(21.4 / (Math.LN10 / (24.7 * 0.00437)), 6);
  for (const f of [50, 1000, 12000]) expect(erbFrequency(erbNumber(f))).toBeCloseTo(f, 8);
});

test("centre frequencies are equally spaced in ERB number and include both ends", () => {
  const f = centreFrequencies(64, 100, 3600);
  const steps = Array.from({ length: 63 }, (_, k) => erbNumber(f[k + 1]) - erbNumber(f[k]));
  expect(f[0]).toBeCloseTo(100, 9);
  expect(f[63]).toBeCloseTo(3600, 9);
  for (const step of steps) expect(step).toBeCloseTo(steps[0], 9);
});

describe.each([100, 440, 1000, 3600])("the filter at %i Hz, sampled at 20 kHz", (frequency) => {
  const sampleRate = 20000;
  const response = gammatone(impulse(4000), sampleRate, frequency);

  test("has the closed form t^3 exp(-2 pi b t) cos(2 pi f t) as impulse response, to 1e-9 of its peak", () => {
    const b = 1.019 * erb(frequency);
    const closed = Float64Array.from(response, (_, k) => {
      const t = k / sampleRate;
      return t ** 3 * Math.exp(-2 * Math.PI * b * t) * Math.cos(2 * Math.PI * frequency * t);
    });
    let product = 0;
    let square = 0;
    closed.forEach((g, k) => {
      product += g * response[k];
      square += g * g;
    });
    const scale = product / square;
    const peak = Math.max(...response.map(Math.abs));
    expect(Math.max(...response.map((g, k) => Math.abs(g - scale * closed[k]))) / peak).toBeLessThan(1e-9);
  });

  test("has gain 1 at its centre, to 1e-9", () => {
    expect(Math.abs(magnitude(response, sampleRate, frequency) - 1)).toBeLessThan(1e-9);
  });

  test("has the equivalent rectangular bandwidth of Glasberg & Moore: 1.019 x 5 pi / 16 = 1.0004 of it, to 1 %", () => {
    // Parseval: twice the band times the peak gain squared is the energy times the sampling rate. The mirror image
    // at -f adds up to 1 % at 100 Hz, where the band is a third of the frequency.
    const energy = response.reduce((sum, g) => sum + g * g, 0);
    expect(Math.abs((energy * sampleRate) / 2 / erb(frequency) - 1.0004)).toBeLessThan(0.01);
  });
});

test("a filter at or above the Nyquist frequency is refused", () => {
  expect(() => gammatone(impulse(4), 8000, 4000)).toThrow(
    "a filter at 4000 Hz needs a sampling rate above 8000 Hz",
  );
});
