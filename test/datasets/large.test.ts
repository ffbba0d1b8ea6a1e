/** Data sets of deep networks, where MEMSPIKE_DATA names a folder that has them. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  channelMoments,
  cifar10,
  pennTreebank,
  shakespeare,
  speechCommands,
  warAndPeace,
  warAndPeaceSample,
} from "../../datasets/index.ts";

const folder = process.env["MEMSPIKE_DATA"] ?? "";
const has = (path: string) => folder !== "" && existsSync(join(folder, path));

describe.runIf(has("cifar10"))("CIFAR-10", () => {
  test("class counts are those told of the selection; mean and deviation are near those published of the whole", async () => {
    const [train, tested] = [await cifar10("train"), await cifar10("test")];
    const counts = (labels: Uint8Array) =>
      Array.from({ length: 10 }, (_, d) => labels.filter((l) => l === d).length).join(" ");
    // of data_batch_1 and of the first 2,000 of test_batch, counted by others
    expect(counts(train.labels.subarray(0, 10000))).toBe("1005 974 1032 1016 999 937 1030 1001 1025 981");
    expect(counts(tested.labels.subarray(0, 2000))).toBe("196 198 195 199 198 185 216 193 217 203");
    const { mean, deviation } = channelMoments(train);
    // of all 50,000; a batch of 10,000 images whose means spread by about 0.12 is within 0.005
    for (const [channel, value] of [0.4914, 0.4822, 0.4465].entries())
      expect(Math.abs(mean[channel] - value)).toBeLessThan(0.005);
    for (const [channel, value] of [0.247, 0.2435, 0.2616].entries())
      expect(Math.abs(deviation[channel] - value)).toBeLessThan(0.005);
  });
});

describe.runIf(has("text"))("text", () => {
  test("Penn Treebank has the published sizes: 10,000 words, 929,589 + 73,760 + 82,430; 50 characters", async () => {
    const words = await pennTreebank("word");
    const sizes = ({ symbols, train, valid, test }: typeof words) => [
      symbols.length,
      train.length,
      valid.length,
      test.length,
    ];
    expect(sizes(words)).toEqual([10000, 929589, 73760, 82430]);
    expect(words.symbols.slice(0, 3)).toEqual(["the", "<unk>", "<eos>"]);
    expect(sizes(await pennTreebank("character"))).toEqual([50, 5017482, 393042, 442423]);
  });

  test("the shipped sample is the beginning of War and Peace; Shakespeare begins with the First Citizen", async () => {
    const read = ({ symbols, train }: { symbols: readonly string[]; train: Uint16Array }) =>
      Array.from(train.subarray(0, 47615), (n) => symbols[n]).join("");
    expect(read(await warAndPeaceSample())).toBe(read(await warAndPeace()));
    const plays = await shakespeare();
    expect(plays.symbols.length).toBe(65);
    expect(read(plays).slice(0, 14)).toBe("First Citizen:");
  });
});

test.runIf(has("speech-commands/speech-commands-v2-test12.tar.gz"))(
  "Speech Commands: clips of the own split are heard, of not more than the 22 speakers of its validation part",
  async () => {
    const { size, names, samples } = await speechCommands("validation", { set: "own", limit: 8 });
    expect([size, samples.length]).toEqual([96, 96 * 16000]);
    const speakers = new Set(names.flatMap((name) => /([0-9a-f]{8})_nohash/.exec(name)?.[1] ?? []));
    expect(speakers.size).toBeLessThanOrEqual(22); // as counted by others; of eight clips a class not all
    expect(speakers.size).toBeGreaterThan(5);
    expect(Math.max(...samples.subarray(20 * 16000, 21 * 16000))).toBeGreaterThan(300); // a word is heard
  },
);
