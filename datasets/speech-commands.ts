/**
 * Speech Commands v0.02: spoken words of one second at 16 kHz, in twelve classes: ten words, silence, unknown words.
 *
 * Origin: Warden 2018, arXiv:1804.03209. Licence: CC BY 4.0. Two forms are read from the folder speech-commands of the data folder:
 * - "full": the authors' whole set, http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz (2.3 GB), unpacked into
 *   speech-commands/speech_commands_v0.02 (or into speech-commands itself): a folder for each word, _background_noise_,
 *   validation_list.txt, testing_list.txt. Parts are the authors'. Silence and unknown words are a tenth of the number of wanted
 *   words each, as in the code of Zhang et al. 2017, arXiv:1711.07128; which, follows from a seed.
 * - "own": the authors' test set of 4,890 clips as FLAC with the same samples (SHA-256 below), divided here by speakers,
 *   because no other part of it is at hand: b = the speaker's 8 hexadecimal digits (of silence: its number) modulo 10; 0 to 6
 *   train, 7 validation, 8 and 9 test. It is not the authors' split, and an accuracy on it is not one on theirs.
 *
 * The sample (features of 360 clips of the second form) ships with the program; see keyword-sample/NOTICE.
 */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Audio, mono } from "../src/encode/audio.ts";
import { decodeAudio } from "../src/encode/decode.ts";
import { ConfigError, DataError } from "../src/math/errors.ts";
import { randomKey, uniform } from "../src/math/random.ts";
import { readIdx } from "./idx.ts";
import type { DataFile, FetchOptions } from "./store.ts";
import { findFile, readDataFile, shippedFile } from "./store.ts";
import { readTar } from "./tar.ts";
import { gunzip } from "./unpack.ts";

export const speechCommandsFiles: readonly DataFile[] = [
  {
    path: "speech-commands/speech-commands-v2-test12.tar.gz",
    bytes: 71252701,
    sha256: "61b80e7a2d44cd4cb015131cf6bba36c4d6770d5b994baad41ff9f78ff282e6e",
  },
];

/** The classes in the order of their labels, which is that of the authors' code. */
export const commandClasses = [
  "_silence_",
  "_unknown_",
  "yes",
  "no",
  "up",
  "down",
  "left",
  "right",
  "on",
  "off",
  "stop",
  "go",
] as const;

const wanted: readonly string[] = commandClasses.slice(2);
const sampleRate = 16000; // Hz
const length = 16000; // samples of a clip
const share = 10; // percent of the wanted words: silence, and unknown words

type Part = "train" | "validation" | "test";
const parts: readonly Part[] = ["train", "validation", "test"];

export interface SpokenCommands {
  readonly size: number; // clips
  readonly samples: Int16Array; // [clip][16000], full scale 32768
  readonly labels: Uint8Array; // [clip], 0 to 11
  readonly names: readonly string[]; // [clip], CLASS/NAME as in the set
  readonly classes: readonly string[];
  /** What clips these are and whose split it is, to be said beside every number that comes from them. */
  readonly split: string;
}

/**
 * The clips of a part, ordered by class and name. `set` is "full" or "own" (see the head of this file; default: full where it is
 * here, else own), `limit` takes the first so many of each class, `seed` (default 1) is of the silence and the unknown words of the
 * full set. Shorter recordings end in silence, longer ones are cut. The own split takes some seconds to decode. Throws `DataError`.
 */
export async function speechCommands(
  part: Part,
  choice: {
    readonly set?: "full" | "own";
    readonly limit?: number;
    readonly seed?: string | number;
  } = {},
  options: FetchOptions = {},
): Promise<SpokenCommands> {
  if (!parts.includes(part))
    throw new ConfigError(
      `the parts of Speech Commands are ${parts.map((name) => JSON.stringify(name)).join(", ")}, not ${JSON.stringify(part)}`,
    );
  const { set, limit = Number.POSITIVE_INFINITY, seed = 1 } = choice;
  if (set !== undefined && set !== "full" && set !== "own")
    throw new ConfigError(`the sets of Speech Commands are "full" and "own", not ${JSON.stringify(set)}`);
  const folder = set === "own" ? undefined : fullFolder();
  if (set === "full" && folder === undefined)
    throw new DataError(
      "Speech Commands: there is no testing_list.txt in speech-commands/speech_commands_v0.02 of the data folder; unpack http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz there",
    );
  const all = folder === undefined ? await ownClips(part, options) : await fullClips(folder, part, seed);
  const taken = new Array<number>(commandClasses.length).fill(0);
  const clips = all
    .sort((a, b) => a.label - b.label || (a.name < b.name ? -1 : 1))
    .filter(({ label }) => taken[label]++ < limit);
  const samples = new Int16Array(clips.length * length);
  for (const [k, clip] of clips.entries()) {
    samples.set(await clip.read(), k * length);
    if (k % 100 === 0) {
      options.signal?.throwIfAborted();
      options.progress?.(k / clips.length, "decoding spoken words");
    }
  }
  const whose =
    folder === undefined
      ? "own split of the v0.02 test set of Speech Commands"
      : `Speech Commands v0.02, the authors' split, ${share} % silence and ${share} % unknown words`;
  return {
    size: clips.length,
    samples,
    labels: Uint8Array.from(clips, ({ label }) => label),
    names: clips.map(({ name }) => name),
    classes: commandClasses,
    split: `${whose}, ${clips.length.toLocaleString("en-US")} ${part} clips`,
  };
}

/** The silent clips of a set as background noise for augmentation: full scale 1, copies. */
export function backgroundOf(set: SpokenCommands): Float32Array[] {
  const silent = Array.from(set.labels.keys()).filter((k) => set.labels[k] === 0);
  return silent.map((k) =>
    Float32Array.from(set.samples.subarray(k * length, (k + 1) * length), (sample) => sample / 32768),
  );
}

/** Features of keywords: of each class 20 clips to learn from or 10 to be tested on. */
export interface KeywordSample {
  readonly size: number; // clips
  readonly shape: readonly [frames: number, coefficients: number]; // 49, 10
  readonly inputs: Float32Array; // [clip][frame][coefficient]
  readonly labels: Uint8Array; // [clip], 0 to 11
  readonly classes: readonly string[];
  readonly split: string;
}

/** The shipped sample: `mfcc` with its defaults of 240 clips (train) or 120 clips (test) of other speakers, rounded to 8 bits. */
export async function keywordSample(part: "train" | "test"): Promise<KeywordSample> {
  if (part !== "train" && part !== "test")
    throw new ConfigError(
      `the parts of the keyword sample are "train" and "test", not ${JSON.stringify(part)}`,
    );
  const read = async (name: string, dimensions: number) => {
    const path = shippedFile(`keyword-sample/${name}`);
    return readIdx(gunzip(await readFile(path), path), path, dimensions);
  };
  const { shape, elements } = await read(`${part}-features-idx3-ubyte.gz`, 3);
  const labels = (await read(`${part}-labels-idx1-ubyte.gz`, 1)).elements;
  const { lowest, step } = JSON.parse(await readFile(shippedFile("keyword-sample/scale.json"), "utf8")) as {
    lowest: number[]; // [coefficient], the feature of the byte 0
    step: number[]; // [coefficient], of one more
  };
  const [size, frames, coefficients] = shape;
  return {
    size,
    shape: [frames, coefficients],
    inputs: Float32Array.from(
      elements,
      (byte, k) => lowest[k % coefficients] + byte * step[k % coefficients],
    ),
    labels,
    classes: commandClasses,
    split: `keyword sample of ${size} ${part} clips (of the own split of the v0.02 test set of Speech Commands)`,
  };
}

interface Clip {
  readonly name: string; // CLASS/NAME
  readonly label: number;
  readonly read: () => Promise<Int16Array> | Int16Array; // at most `length` samples
}

async function ownClips(part: Part, options: FetchOptions): Promise<Clip[]> {
  const { bytes, path } = await readDataFile(speechCommandsFiles[0], options);
  const sounds = readTar(gunzip(bytes, path), path).filter(({ name }) => name.endsWith(".flac"));
  return sounds.flatMap((entry) => {
    const source = `${path}: ${entry.name}`;
    const [word, name] = entry.name.split("/").slice(-2);
    const label = (commandClasses as readonly string[]).indexOf(word);
    const speaker =
      word === "_silence_" ? /^(\d+)\.flac$/.exec(name) : /([0-9a-f]{8})_nohash_\d+\.flac$/.exec(name);
    if (label < 0 || speaker === null)
      throw new DataError(`${source}: the name is not CLASS/SPEAKER_nohash_NUMBER.flac of a known class`);
    const tenth = Number.parseInt(speaker[1], word === "_silence_" ? 10 : 16) % 10;
    const own = tenth <= 6 ? "train" : tenth === 7 ? "validation" : "test";
    const read = () => wholeNumbers(decodeAudio(entry.bytes, source), source);
    return own === part ? [{ name: `${word}/${name.replace(".flac", "")}`, label, read }] : [];
  });
}

/** The folder of the authors' whole set, if it is here. */
function fullFolder(): string | undefined {
  const list = ["speech-commands/speech_commands_v0.02", "speech-commands"]
    .map((folder) => findFile(`${folder}/testing_list.txt`))
    .find((path) => path !== undefined);
  return list === undefined ? undefined : join(list, "..");
}

async function fullClips(folder: string, part: Part, seed: string | number): Promise<Clip[]> {
  const listed = async (name: string) =>
    (await readFile(join(folder, name), "utf8")).split(/\r?\n/).filter(Boolean);
  const [validation, test] = [await listed("validation_list.txt"), await listed("testing_list.txt")];
  const names =
    part === "test"
      ? test
      : part === "validation"
        ? validation
        : await others(folder, [...validation, ...test]);
  const clip = (name: string, label: number): Clip => ({
    name: name.replace(/\.wav$/, ""),
    label,
    read: async () => {
      const source = join(folder, name);
      return wholeNumbers(decodeAudio(await readFile(source), source), source);
    },
  });
  const labelled = names.map((name) => ({ name, place: wanted.indexOf(name.split("/")[0]) }));
  const words = labelled.filter(({ place }) => place >= 0).map(({ name, place }) => clip(name, place + 2));
  if (words.length === 0)
    throw new DataError(`${folder}: it has no clips of ${wanted.join(", ")} in the ${part} part`);
  const count = Math.ceil((words.length * share) / 100);
  const unknown = labelled
    .filter(({ place }) => place < 0)
    .map(({ name }) => name)
    .sort();
  const key = randomKey(seed, "speech-commands", part);
  const chosen = unknown
    .map((name, k) => ({ name, rank: uniform(key, 0, k, 0) }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, count)
    .map(({ name }) => clip(name, 1));
  return [...words, ...chosen, ...(await silence(folder, count, (k, draw) => uniform(key, 1, k, 0, draw)))];
}

/** The clips of all words that are in neither list. */
async function others(folder: string, listed: readonly string[]): Promise<string[]> {
  const taken = new Set(listed);
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith("_")) continue;
    for (const file of await readdir(join(folder, entry.name)))
      if (file.endsWith(".wav") && !taken.has(`${entry.name}/${file}`)) found.push(`${entry.name}/${file}`);
  }
  return found.sort();
}

/** Seconds of the background recordings at random places, as loud as they were recorded: so is the authors' own test set. */
async function silence(
  folder: string,
  count: number,
  draw: (clip: number, draw: number) => number,
): Promise<Clip[]> {
  const place = join(folder, "_background_noise_");
  const files = (await readdir(place).catch(() => [])).filter((name) => name.endsWith(".wav")).sort();
  if (files.length === 0) throw new DataError(`${place}: there are no background recordings`);
  const recordings = await Promise.all(
    files.map(async (name) => {
      const source = join(place, name);
      return wholeNumbers(decodeAudio(await readFile(source), source), source, Number.POSITIVE_INFINITY);
    }),
  );
  return Array.from({ length: count }, (_, k) => {
    const recording = recordings[Math.floor(draw(k, 0) * recordings.length)];
    const from = Math.floor(draw(k, 1) * Math.max(1, recording.length - length + 1));
    const name = `_silence_/${String(k).padStart(6, "0")}`;
    return { name, label: 0, read: () => recording.slice(from, from + length) };
  });
}

/** Samples of 16 bits, at most `most`. Throws `DataError` on another sampling rate. */
function wholeNumbers(audio: Audio, source: string, most = length): Int16Array {
  if (audio.sampleRate !== sampleRate)
    throw new DataError(`${source}: it is sampled at ${audio.sampleRate} Hz, not at ${sampleRate} Hz`);
  const samples = mono(audio);
  return Int16Array.from(samples.subarray(0, most), (sample) =>
    Math.max(-32768, Math.min(32767, Math.round(sample * 32768))),
  );
}
