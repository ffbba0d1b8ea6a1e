import { describe, expect, test } from "vitest";
import { letterBitmap } from "../../datasets/letter-bitmaps.ts";
import { digitImage, mnistSample } from "../../datasets/mnist.ts";
import { commandClasses, keywordSample } from "../../datasets/speech-commands.ts";
import { spokenLetters } from "../../datasets/spoken-letters.ts";
import { spokenLetterPattern } from "../../datasets/spoken-pattern.ts";

describe("MNIST sample", () => {
  test.each(["train", "test"] as const)("%s: 100 digits, ten of each class, white on black", async (part) => {
    const set = await mnistSample(part);
    expect([set.size, set.rows, set.columns, set.images.length]).toEqual([100, 28, 28, 78400]);
    for (let digit = 0; digit < 10; digit++)
      expect(set.labels.filter((label) => label === digit).length).toBe(10);
    const image = digitImage(set, 0);
    expect(Math.max(...Array.from(image.pixels))).toBeGreaterThan(0.9);
    expect(image.pixels[0]).toBe(0);
    expect(() => digitImage(set, 100)).toThrow("there is no image 100 among 100");
  });

  test("begins as MNIST does: 5 0 4 1 9 in the training part, 7 2 1 0 4 in the test part", async () => {
    expect(Array.from((await mnistSample("train")).labels.subarray(0, 5))).toEqual([5, 0, 4, 1, 9]);
    expect(Array.from((await mnistSample("test")).labels.subarray(0, 5))).toEqual([7, 2, 1, 0, 4]);
  });
});

describe("keyword sample", () => {
  test.each([
    ["train", 20],
    ["test", 10],
  ] as const)("%s: %i clips of each of twelve classes, 49 x 10 features", async (part, each) => {
    const { size, shape, inputs, labels, split } = await keywordSample(part);
    expect([size, ...shape, inputs.length]).toEqual([12 * each, 49, 10, 12 * each * 490]);
    for (let label = 0; label < 12; label++) expect(labels.filter((own) => own === label).length).toBe(each);
    expect(split).toBe(
      `keyword sample of ${12 * each} ${part} clips (of the own split of the v0.02 test set of Speech Commands)`,
    );
  });

  test("what is heard tells words apart: the nearest training clip names more than a quarter of 120; by chance ten", async () => {
    const [train, tested] = [await keywordSample("train"), await keywordSample("test")];
    // the first coefficient, loudness, left out
    const distance = (a: number, b: number) => {
      let sum = 0;
      for (let k = 0; k < 490; k++)
        if (k % 10 > 0) sum += (train.inputs[a * 490 + k] - tested.inputs[b * 490 + k]) ** 2;
      return sum;
    };
    let right = 0;
    for (let b = 0; b < tested.size; b++) {
      const all = Array.from({ length: train.size }, (_, a) => distance(a, b));
      if (train.labels[all.indexOf(Math.min(...all))] === tested.labels[b]) right++;
    }
    expect(right).toBeGreaterThan(30);
    expect(commandClasses[train.labels[0]]).toBe("_silence_");
  });
});

describe("letter bitmaps", () => {
  const alphabet = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ");

  test("are 26 different images of 14 x 12 pixels with an empty border above and below", () => {
    const seen = new Set(alphabet.map((letter) => Array.from(letterBitmap(letter).pixels).join("")));
    expect(seen.size).toBe(26);
    for (const letter of alphabet) {
      const { rows, columns, pixels } = letterBitmap(letter);
      expect([rows, columns, pixels.length]).toEqual([14, 12, 168]);
      for (let column = 0; column < 12; column++) expect(pixels[column] + pixels[13 * 12 + column]).toBe(0);
    }
  });

  test("I, B, M have 36, 60, 60 pixels; case does not matter; other signs are refused", () => {
    const count = (letter: string) => Array.from(letterBitmap(letter).pixels).reduce((sum, x) => sum + x, 0);
    expect(["I", "b", "M"].map(count)).toEqual([36, 60, 60]);
    expect(() => letterBitmap("Ä")).toThrow('there is no bitmap of "Ä", only of A to Z');
  });
});

test("the shipped letters are 8 kHz recordings of 0.6 to 0.75 s", async () => {
  for (const { audio, voice } of await spokenLetters({ letters: ["i", "B", "M"] })) {
    expect(voice).toBe("en_US_f_Allison");
    expect(audio.sampleRate).toBe(8000);
    expect(audio.channels[0].length / 8000).toBeGreaterThan(0.6);
    expect(audio.channels[0].length / 8000).toBeLessThan(0.75);
  }
});

describe("spoken letter pattern", () => {
  test("132 streams at 10 Hz, nearly all active and none above 30 Hz; 168 cells, 936 desired spikes within 1e-6", async () => {
    const { input, desired, images, windows } = await spokenLetterPattern({ seed: 1 });
    expect([input.size, desired.size, images.length, windows.length]).toEqual([132, 168, 3, 3]);
    expect(input.duration).toBe(1.25);
    const counts = new Float64Array(132);
    for (const i of input.i) counts[i]++;
    expect(Math.abs(input.t.length / 132 / 1.25 - 10)).toBeLessThan(0.1);
    expect(counts.filter((count) => count > 0).length).toBeGreaterThanOrEqual(130);
    expect(Math.max(...counts) / 1.25).toBeLessThan(30);
    // 156 pixels x 20 Hz x 0.3 s; counts of a renewal process with CV 0.8 over six intervals: variance below the mean.
    expect(Math.abs(desired.t.length - 936)).toBeLessThan(4.9 * Math.sqrt(936));
  });

  test("the letters sound different: rate profiles of the three windows over the streams correlate by less than 0.9", async () => {
    const { input, windows } = await spokenLetterPattern({ seed: 1 });
    const profiles = windows.map(({ sound }) => {
      const profile = new Float64Array(33);
      input.t.forEach((t, k) => {
        if (t >= sound[0] && t < sound[1]) profile[input.i[k] >> 2]++;
      });
      return profile;
    });
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ])
      expect(correlation(profiles[a], profiles[b])).toBeLessThan(0.9);
  });
});

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (x: Float64Array) => x.reduce((sum, v) => sum + v, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  const product = (x: Float64Array, mx: number, y: Float64Array, my: number) =>
    x.reduce((sum, v, k) => sum + (v - mx) * (y[k] - my), 0);
  return product(a, ma, b, mb) / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb));
}
