import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { backgroundOf, speechCommands } from "../../datasets/speech-commands.ts";
import { writeFlac } from "../encode/flac-writer.ts";
import { archive, entry } from "./tar-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "memspike-speech-"));
const before = [process.env["MEMSPIKE_DATA"], process.env["XDG_CACHE_HOME"]];
beforeAll(() => {
  process.env["MEMSPIKE_DATA"] = folder;
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
});
afterEach(() => rmSync(join(folder, "speech-commands"), { recursive: true, force: true }));
afterAll(() => {
  for (const [k, name] of ["MEMSPIKE_DATA", "XDG_CACHE_HOME"].entries()) {
    if (before[k] === undefined) delete process.env[name];
    else process.env[name] = before[k];
  }
  rmSync(folder, { recursive: true });
});

/** A recording of these whole numbers. */
function flac(samples: number[]): Uint8Array {
  const format = { bits: 16, sampleRate: 16000, blockSize: samples.length };
  return writeFlac([samples], format, [{ subframes: [{ kind: "verbatim" }] }]);
}

function wav(samples: ArrayLike<number>, sampleRate = 16000): Uint8Array {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const put = (at: number, text: string) => {
    for (let k = 0; k < text.length; k++) view.setUint8(at + k, text.charCodeAt(k));
  };
  put(0, "RIFF");
  view.setUint32(4, view.byteLength - 8, true);
  put(8, "WAVEfmt ");
  for (const [at, value] of [
    [16, 16],
    [24, sampleRate],
    [28, 2 * sampleRate],
    [40, 2 * samples.length],
  ])
    view.setUint32(at, value, true);
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ])
    view.setUint16(at, value, true);
  put(36, "data");
  for (let k = 0; k < samples.length; k++) view.setInt16(44 + 2 * k, samples[k], true);
  return new Uint8Array(view.buffer);
}

function writeOwn(names: readonly string[]): void {
  mkdirSync(join(folder, "speech-commands"));
  const files = names.map((name, k) =>
    entry(`speech-commands-v2-test12/${name}`, flac([k, -k, 32767, -32768])),
  );
  const bytes = archive(entry("speech-commands-v2-test12/LICENSE", new Uint8Array(3)), ...files);
  writeFileSync(join(folder, "speech-commands/speech-commands-v2-test12.tar.gz"), gzipSync(bytes));
}

test("the own split is by the speaker's digits, of silence by its number, modulo ten", async () => {
  writeOwn([
    ..."0123456789abcdef".split("").map((digit) => `yes/0000000${digit}_nohash_3.flac`),
    "_unknown_/bed_0000000a_nohash_1.flac",
    "_silence_/19.flac",
    "_silence_/16.flac",
  ]);
  const parts = await Promise.all(
    (["train", "validation", "test"] as const).map((part) => speechCommands(part)),
  );
  const names = parts.map((part) =>
    part.names.map((name) => name.replace("_nohash_3", "").replace("0000000", "")),
  );
  expect(names).toEqual([
    ["_silence_/16", "_unknown_/bed_a_nohash_1", ...Array.from("0123456abcdef", (digit) => `yes/${digit}`)],
    ["yes/7"],
    ["_silence_/19", "yes/8", "yes/9"],
  ]);
  expect(Array.from(parts[2].labels)).toEqual([0, 2, 2]);
  expect(parts[2].split).toBe("own split of the v0.02 test set of Speech Commands, 3 test clips");
  expect(Array.from(parts[2].samples.subarray(16000, 16005))).toEqual([8, -8, 32767, -32768, 0]);
  expect(parts[2].samples.length).toBe(48000);
  expect(Array.from(backgroundOf(parts[2])[0].subarray(0, 3))).toEqual([
    17 / 32768,
    -17 / 32768,
    32767 / 32768,
  ]);
  const first = await speechCommands("train", { limit: 2 });
  expect(first.names.map((name) => name.slice(0, 12))).toEqual([
    "_silence_/16",
    "_unknown_/be",
    "yes/00000000",
    "yes/00000001",
  ]);
});

/** The authors' layout: `count` clips of yes and go in the training part, 2 in each of the others, thrice as many of two other words. */
function writeFull(count: number): void {
  const root = join(folder, "speech-commands/speech_commands_v0.02");
  const lists: Record<string, string[]> = { validation: [], testing: [] };
  for (const [word, each] of [
    ["yes", count],
    ["go", count],
    ["bed", 3 * count],
    ["cat", 3 * count],
  ] as const) {
    mkdirSync(join(root, word), { recursive: true });
    for (let k = 0; k < each + 4; k++) {
      const name = `${String(k).padStart(8, "0")}_nohash_0.wav`;
      writeFileSync(join(root, word, name), wav([k, word.length]));
      if (k >= each) lists[k < each + 2 ? "validation" : "testing"].push(`${word}/${name}`);
    }
  }
  mkdirSync(join(root, "_background_noise_"));
  writeFileSync(join(root, "_background_noise_/README.md"), "noise");
  writeFileSync(join(root, "_background_noise_/a.wav"), wav(Int16Array.from({ length: 20000 }, (_, k) => k)));
  writeFileSync(
    join(root, "_background_noise_/b.wav"),
    wav(Int16Array.from({ length: 20000 }, (_, k) => -k)),
  );
  for (const [list, names] of Object.entries(lists))
    writeFileSync(join(root, `${list}_list.txt`), `${names.join("\n")}\n`);
}

test("the whole set: the lists' parts, and of silence and unknown words a tenth of the wanted ones each, by a seed", async () => {
  writeFull(12);
  const count = (labels: Uint8Array) =>
    [0, 1, 2, 11].map((label) => labels.filter((own) => own === label).length);
  const train = await speechCommands("train");
  expect(count(train.labels)).toEqual([3, 3, 12, 12]); // a tenth of 24, rounded up
  expect(train.split).toBe(
    "Speech Commands v0.02, the authors' split, 10 % silence and 10 % unknown words, 30 train clips",
  );
  const test = await speechCommands("test");
  expect(count(test.labels)).toEqual([1, 1, 2, 2]);
  expect(test.names.filter((name) => /^(yes|go)/.test(name))).toEqual([
    "yes/00000014_nohash_0",
    "yes/00000015_nohash_0",
    "go/00000014_nohash_0",
    "go/00000015_nohash_0",
  ]);
  expect((await speechCommands("validation")).names).toContain("go/00000013_nohash_0");
  // silence is a piece of a recording: it rises or falls by 1 a sample to its end
  for (const noise of backgroundOf(train)) {
    expect(Math.abs(noise[1] - noise[0]) * 32768).toBe(1);
    expect((noise[15999] - noise[0]) / (noise[1] - noise[0])).toBe(15999);
  }
  const again = await speechCommands("train");
  expect(again.names).toEqual(train.names);
  expect(Buffer.compare(Buffer.from(again.samples.buffer), Buffer.from(train.samples.buffer))).toBe(0);
  const other = await speechCommands("train", { seed: 2 });
  expect(other.names.slice(6)).toEqual(train.names.slice(6));
  expect(other.names.slice(3, 6)).not.toEqual(train.names.slice(3, 6));
  expect(new Set(other.names).size).toBe(30);
});

test("what is missing, misnamed or sampled otherwise is an error with its place", async () => {
  const message = async (promise: Promise<unknown>) =>
    String(await promise.catch((error: unknown) => error)).replaceAll(folder, "DATA");
  const absent = [
    await message(speechCommands("test")),
    await message(speechCommands("test", { set: "full" })),
  ];
  writeOwn(["yes/someone.flac"]);
  const misnamed = await message(speechCommands("test"));
  rmSync(join(folder, "speech-commands"), { recursive: true });
  writeFull(2);
  writeFileSync(
    join(folder, "speech-commands/speech_commands_v0.02/yes/00000000_nohash_0.wav"),
    wav([1], 8000),
  );
  const slow = await message(speechCommands("train"));
  rmSync(join(folder, "speech-commands/speech_commands_v0.02/_background_noise_"), { recursive: true });
  const loud = await message(speechCommands("train"));
  expect([...absent, misnamed, slow, loud]).toMatchInlineSnapshot(`
    [
      "DataError: speech-commands/speech-commands-v2-test12.tar.gz: not found in DATA or DATA/cache/memspike, and there is no address to fetch this very file from; \`memspike data list\` tells its origin",
      "DataError: Speech Commands: there is no testing_list.txt in speech-commands/speech_commands_v0.02 of the data folder; unpack http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz there",
      "DataError: DATA/speech-commands/speech-commands-v2-test12.tar.gz: speech-commands-v2-test12/yes/someone.flac: the name is not CLASS/SPEAKER_nohash_NUMBER.flac of a known class",
      "DataError: DATA/speech-commands/speech_commands_v0.02/yes/00000000_nohash_0.wav: it is sampled at 8000 Hz, not at 16000 Hz",
      "DataError: DATA/speech-commands/speech_commands_v0.02/_background_noise_: there are no background recordings",
    ]
  `);
});
