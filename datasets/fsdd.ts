/**
 * Free Spoken Digit Dataset: ten digits by six speakers, fifty times each, 8 kHz.
 *
 * Origin: https://github.com/Jakobovski/free-spoken-digit-dataset (commit 26eb9aaf), as FLAC with the same samples.
 * Licence: CC BY-SA 4.0. SHA-256 below. A clone of the origin does as well: its folder `recordings` as
 * fsdd/recordings in the data folder.
 */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Audio } from "../src/encode/audio.ts";
import { decodeAudio } from "../src/encode/decode.ts";
import { DataError } from "../src/math/errors.ts";
import type { DataFile, FetchOptions } from "./store.ts";
import { findFile, readDataFile } from "./store.ts";
import { readTar } from "./tar.ts";
import { gunzip } from "./unpack.ts";

export const spokenDigitsFiles: readonly DataFile[] = [
  {
    path: "fsdd/fsdd-8khz-flac.tar.gz",
    bytes: 11524198,
    sha256: "28691ecf1b8c8e3e5052e818d97c88edcde5f9abb73e6bb87e29b5735aa62921",
  },
];

export interface SpokenDigit {
  readonly digit: number; // 0 to 9
  readonly speaker: string;
  readonly index: number; // 0 to 49; the authors' test part is 0 to 4
  readonly audio: Audio;
}

/**
 * Recordings ordered by digit, speaker and index; `part` is the authors' split (test: index 0 to 4), `limit` takes the
 * first of each digit and speaker. All 3,000 take about a second to decode. Throws `DataError`.
 */
export async function spokenDigits(
  choice: {
    part?: "train" | "test";
    digits?: readonly number[];
    speakers?: readonly string[];
    limit?: number;
  } = {},
  options: FetchOptions = {},
): Promise<SpokenDigit[]> {
  const { part, digits, speakers, limit = Number.POSITIVE_INFINITY } = choice;
  const files = await recordings(options);
  const chosen = files
    .map(({ name, read, source }) => {
      const match = /^(\d)_([a-z]+)_(\d+)\.(flac|wav)$/.exec(name);
      if (!match) throw new DataError(`${source}: the name is not DIGIT_SPEAKER_INDEX.flac`);
      return { digit: Number(match[1]), speaker: match[2], index: Number(match[3]), read, source };
    })
    .filter(({ index }) => part === undefined || (part === "test") === index < 5)
    .filter(({ digit }) => digits?.includes(digit) ?? true)
    .filter(({ speaker }) => speakers?.includes(speaker) ?? true)
    .sort(
      (a, b) =>
        a.digit - b.digit || (a.speaker < b.speaker ? -1 : a.speaker > b.speaker ? 1 : a.index - b.index),
    );
  const first = part === "train" ? 5 : 0;
  const taken = chosen.filter(({ index }) => index - first < limit);
  if (taken.length === 0)
    throw new DataError(
      `no spoken digit is of ${JSON.stringify(choice)}; speakers are ${speakersOf(files).join(", ")}`,
    );
  return Promise.all(
    taken.map(async ({ digit, speaker, index, read, source }) => ({
      digit,
      speaker,
      index,
      audio: decodeAudio(await read(), source),
    })),
  );
}

interface Recording {
  name: string;
  source: string;
  read: () => Promise<Uint8Array> | Uint8Array;
}

async function recordings(options: FetchOptions): Promise<Recording[]> {
  const folder = findFile("fsdd/recordings");
  if (folder !== undefined && findFile(spokenDigitsFiles[0].path) === undefined) {
    const names = (await readdir(folder)).filter((name) => name.endsWith(".wav"));
    return names.map((name) => ({
      name,
      source: join(folder, name),
      read: () => readFile(join(folder, name)),
    }));
  }
  const { bytes, path } = await readDataFile(spokenDigitsFiles[0], options);
  return readTar(gunzip(bytes, path), path).map((entry) => ({
    name: entry.name.replace(/^.*\//, ""),
    source: `${path}: ${entry.name}`,
    read: () => entry.bytes,
  }));
}

function speakersOf(files: readonly Recording[]): string[] {
  return [...new Set(files.map(({ name }) => name.split("_")[1]))].sort();
}
