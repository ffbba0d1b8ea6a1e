/** The whole data sets, where MEMSPIKE_DATA names a folder that has them (as in CI). */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  eventDigits,
  eventRaster,
  mnist,
  mnistSample,
  spokenDigits,
  spokenLetter,
  spokenLetterPattern,
  spokenLetters,
  spokenVoices,
  verifyDataset,
} from "../../datasets/index.ts";

const folder = process.env["MEMSPIKE_DATA"] ?? "";
const has = (path: string) => folder !== "" && existsSync(join(folder, path));

describe.runIf(has("mnist"))("MNIST", () => {
  test("is whole, and has the class counts of the two parts", async () => {
    expect((await verifyDataset("mnist")).length).toBe(4);
    const [train, tested] = [await mnist("train"), await mnist("test")];
    const counts = (labels: Uint8Array) =>
      Array.from({ length: 10 }, (_, d) => labels.filter((l) => l === d).length);
    expect([train.size, tested.size]).toEqual([60000, 10000]);
    // Class counts as told by the data collection's own check.
    expect(counts(train.labels)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  });

  test("the shipped sample is the first ten of each class", async () => {
    for (const part of ["train", "test"] as const) {
      const [whole, sample] = [await mnist(part), await mnistSample(part)];
      const taken = Array(10).fill(0);
      let at = 0;
      for (let k = 0; at < 100; k++) {
        if (taken[whole.labels[k]]++ >= 10) continue;
        expect(sample.labels[at]).toBe(whole.labels[k]);
        const same = Buffer.compare(
          sample.images.subarray(at * 784, (at + 1) * 784),
          whole.images.subarray(k * 784, (k + 1) * 784),
        );
        expect(same).toBe(0);
        at++;
      }
    }
  });
});

describe.runIf(has("spoken-letters"))("spoken letters", () => {
  test("twelve voices, 311 recordings that all decode with their CRCs", async () => {
    const voices = await spokenVoices();
    expect(voices.length).toBe(12);
    expect(voices.reduce((sum, { letters }) => sum + letters.length, 0)).toBe(311);
    for (const { voice, letters } of voices) {
      const all = await spokenLetters({ voice, letters: Array.from(letters) });
      for (const { audio } of all) expect(audio.channels[0].length).toBeGreaterThan(1000);
    }
  });

  test("the shipped ones are those of the archive", async () => {
    const shipped = await spokenLetters({ letters: ["I", "B", "M"] });
    const archived = await spokenLetters({ letters: ["I", "B", "M", "A"] }); // A is not shipped: all from the archive
    expect(archived.slice(0, 3)).toEqual(shipped);
  });

  test("an unknown voice or letter gets an answer", async () => {
    await expect(spokenLetter("klettres_eng", "a")).rejects.toThrow(
      "there is no voice klettres_eng; did you mean klettres_en?",
    );
    await expect(spokenLetter("klettres_it", "?")).rejects.toThrow(
      'klettres_it has not spoken "?", only abc',
    );
  });

  test("another voice, other letters make a pattern too: 16 kHz, five letters in 2 s", async () => {
    const pattern = await spokenLetterPattern({
      seed: 1,
      voice: "klettres_en",
      letters: ["S", "P", "I", "K", "E"],
      duration: "2 s",
    });
    expect(pattern.sound.sampleRate).toBe(16000);
    expect(Math.abs(pattern.input.t.length / 132 / 2 - 10)).toBeLessThan(0.2);
  });
});

test.runIf(has("fsdd"))(
  "free spoken digits: 2,700 for training, 300 for testing, by six speakers",
  async () => {
    const all = await spokenDigits();
    expect(all.length).toBe(3000);
    expect(new Set(all.map(({ speaker }) => speaker)).size).toBe(6);
    expect((await spokenDigits({ part: "test" })).length).toBe(300);
    expect((await spokenDigits({ part: "train", limit: 2, digits: [3] })).map(({ index }) => index)).toEqual(
      Array(6).fill([5, 6]).flat(),
    );
    await expect(spokenDigits({ speakers: ["nobody"] })).rejects.toThrow(
      "speakers are george, jackson, lucas",
    );
  },
);

test.runIf(has("nmnist"))("N-MNIST: 1,100 recordings of 4,518,827 events, labelled as MNIST is", async () => {
  const [train, tested] = [await eventDigits("train"), await eventDigits("test")];
  expect([train.length, tested.length]).toEqual([1000, 100]);
  expect([...train, ...tested].reduce((sum, { t }) => sum + t.length, 0)).toBe(4518827);
  expect(train.slice(0, 5).map(({ digit }) => digit)).toEqual([5, 0, 4, 1, 9]);
  expect(tested.slice(0, 5).map(({ digit }) => digit)).toEqual([7, 2, 1, 0, 4]);
  expect(eventRaster(train[0]).t.length).toBe(train[0].t.length);
});
