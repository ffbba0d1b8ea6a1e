import { describe, expect, test } from "vitest";
import type { Audio } from "../../src/encode/audio.ts";
import { soundPattern } from "../../src/encode/pattern.ts";
import type { Image } from "../../src/encode/target.ts";

const image: Image = { rows: 2, columns: 2, pixels: [1, 0, 0.5, 1] };

/** A tone with silence around it: 0.2 s, 0.5 s, 0.2 s. */
function word(frequency: number, sampleRate = 8000): Audio {
  const sample = (_: unknown, k: number) =>
    k > 0.2 * sampleRate && k < 0.7 * sampleRate
      ? 0.1 * Math.sin((2 * Math.PI * frequency * k) / sampleRate)
      : 0;
  return { sampleRate, channels: [Float64Array.from({ length: 0.9 * sampleRate }, sample)] };
}

const words = [300, 800, 2000].map((frequency) => ({ audio: word(frequency), image }));
const pattern = soundPattern(words, { seed: 1 });

describe("three words in 1250 ms", () => {
  test("lie in windows of 390 ms, their images from 60 ms after the beginning to 30 ms before the end", () => {
    const rounded = pattern.windows.map(({ sound, image }) =>
      [...sound, ...image].map((t) => Math.round(t * 1000)),
    );
    expect(rounded).toEqual([
      [25, 415, 85, 385],
      [430, 820, 490, 790],
      [835, 1225, 895, 1195],
    ]);
  });

  test("are trimmed to what sounds: each begins within 10 ms of its window and has the level asked for to 0.2 dB", () => {
    const [samples] = pattern.sound.channels;
    for (const { sound } of pattern.windows) {
      const [first, last] = sound.map((t) => Math.round(t * 8000));
      const part = samples.subarray(first, last);
      expect(part.findIndex((x) => Math.abs(x) > 0.1)).toBeLessThan(120);
      const level = 10 * Math.log10(part.reduce((sum, x) => sum + x * x, 0) / part.length);
      expect(Math.abs(level + 10)).toBeLessThan(0.2); // the fades take 0.1 dB
    }
    expect(samples.subarray(0, 200).every((x) => x === 0)).toBe(true);
  });

  test("make 132 streams fire at 10 Hz on average, only while there is sound", () => {
    const { input } = pattern;
    expect(input.size).toBe(132);
    expect(Math.abs(input.t.length / 132 / 1.25 - 10)).toBeLessThan(0.2);
    // The filters ring on: four time constants at 100 Hz are 20 ms.
    const inside = input.t.filter((t) =>
      pattern.windows.some(({ sound }) => t >= sound[0] && t < sound[1] + 0.02),
    );
    expect(inside.length / input.t.length).toBeGreaterThan(0.99);
  });

  test("the seed changes the desired trains and not the input", () => {
    const other = soundPattern(words, { seed: 2 });
    expect(other.input).toEqual(pattern.input);
    expect(other.desired.t).not.toEqual(pattern.desired.t);
    expect(soundPattern(words, { seed: 1 })).toEqual(pattern);
  });

  test("every desired spike is of a pixel that is not black, in the window of its image", () => {
    const { desired } = pattern;
    expect(desired.size).toBe(4);
    expect(desired.t.length).toBeGreaterThan(20);
    desired.t.forEach((t, k) => {
      expect(desired.i[k]).not.toBe(1);
      expect(pattern.windows.some((window) => t >= window.image[0] - 1e-9 && t < window.image[1])).toBe(true);
    });
  });
});

test("recordings of different sampling rates go together", () => {
  const mixed = soundPattern([words[0], { audio: word(800, 16000), image }], { seed: 1 });
  expect(mixed.sound.sampleRate).toBe(16000);
  expect(mixed.windows.length).toBe(2);
});

test("too many words, a silent one, are refused", () => {
  expect(() => soundPattern(Array(12).fill(words[0]), { seed: 1 })).toThrow(
    "12 sounds do not fit 1250 ms: windows of 86 ms leave no time for an image after a lead of 60 ms and before a tail of 30 ms",
  );
  const silent = { sampleRate: 8000, channels: [new Float64Array(8000)] };
  expect(() => soundPattern([{ audio: silent, image }], { seed: 1 })).toThrow(
    "a sound to learn from is silent",
  );
});
