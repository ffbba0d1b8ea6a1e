import { expect, test } from "vitest";
import { resample } from "../../src/encode/resample.ts";

const downward: [from: number, to: number][] = [
  [44100, 16000],
  [48000, 8000],
  [11025, 8000],
];
const upward: [from: number, to: number][] = [
  [8000, 20000],
  [16000, 20000],
  [44100, 48000],
];

/** Largest absolute difference from `expected` in the middle 40 %, where the ends of the tone are not felt. */
function worst(tone: number, from: number, to: number, expected: (time: number) => number): number {
  const samples = Float64Array.from({ length: Math.floor(from / 4) }, (_, k) =>
    Math.sin((2 * Math.PI * tone * k) / from),
  );
  const out = resample(samples, from, to);
  let error = 0;
  for (let k = Math.floor(0.3 * out.length); k < 0.7 * out.length; k++)
    error = Math.max(error, Math.abs(out[k] - expected(k / to)));
  return error;
}

test.each([...downward, ...upward])(
  "%i to %i Hz: tones up to 0.9 of the lower Nyquist frequency come out within -100 dB, in phase",
  (from, to) => {
    for (let q = 1; q <= 24; q++) {
      const tone = ((Math.min(from, to) / 2) * 0.9 * q) / 24;
      const error = worst(tone, from, to, (time) => Math.sin(2 * Math.PI * tone * time));
      expect(20 * Math.log10(error), `${tone} Hz`).toBeLessThan(-100);
    }
  },
);

test.each(downward)(
  "%i to %i Hz: tones above the new Nyquist frequency come out below -100 dB",
  (from, to) => {
    for (let q = 0; q < 24; q++) {
      const tone = (to / 2) * 1.0001 + ((from - to) / 2) * (q / 24);
      expect(20 * Math.log10(worst(tone, from, to, () => 0)), `${tone} Hz`).toBeLessThan(-100);
    }
  },
);

test("a constant stays constant to rounding, and the length is ceil(n to / from)", () => {
  const out = resample(new Float64Array(4001).fill(0.7), 44100, 16000);
  expect(out.length).toBe(Math.ceil((4001 * 16000) / 44100));
  expect(Math.max(...out.subarray(600, 800).map((x) => Math.abs(x - 0.7)))).toBeLessThan(1e-14);
});

test("a lower attenuation is a larger error, as asked for", () => {
  const tone = Float64Array.from({ length: 4000 }, (_, k) => Math.sin((2 * Math.PI * 5500 * k) / 16000));
  const leak = (attenuation: number) =>
    Math.max(...resample(tone, 16000, 10000, { attenuation }).subarray(1000, 1500).map(Math.abs));
  expect(20 * Math.log10(leak(60))).toBeLessThan(-59);
  expect(20 * Math.log10(leak(60))).toBeGreaterThan(-95);
  expect(20 * Math.log10(leak(100))).toBeLessThan(-100);
});

test("equal rates give a copy; rates that are not whole are refused", () => {
  const samples = new Float64Array([1, 2, 3]);
  const out = resample(samples, 8000, 8000);
  expect(out).toEqual(samples);
  expect(out).not.toBe(samples);
  expect(() => resample(samples, 8000.5, 8000)).toThrow(
    "a sampling rate is a whole number of Hz, not 8000.5",
  );
});
