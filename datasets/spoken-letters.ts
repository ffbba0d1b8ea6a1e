/**
 * Spoken letters: A to Z read by twelve voices in six languages, one recording of each, 8 or 16 kHz.
 *
 * Origin: prompts of the Asterisk telephone exchange (https://downloads.asterisk.org/pub/telephony/sounds/; Debian
 * packages asterisk-core-sounds-{en,es,fr,it}-wav 1.6.1-1, asterisk-prompt-it-menardi-wav, asterisk-prompt-fr-armelle) and
 * of KLettres (https://apps.kde.org/klettres/; Debian package klettres-data 22.12.3), as FLAC. Licence per voice: CC BY-SA
 * 3.0, CC BY 3.0, BSD-style or GPL-2+, told by `spokenVoices`. SHA-256 of the archive below.
 *
 * I, B and M of the voice en_US_f_Allison (CC BY-SA 3.0) ship with the program; see spoken-letters/NOTICE. A voice of
 * your own is a folder spoken-letters/NAME in the data folder, with a.wav, b.flac and so on.
 */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Audio } from "../src/encode/audio.ts";
import { decodeAudio } from "../src/encode/decode.ts";
import { decodeFlac } from "../src/encode/flac.ts";
import { DataError } from "../src/math/errors.ts";
import { didYouMean } from "../src/math/nearest.ts";
import type { DataFile, FetchOptions } from "./store.ts";
import { findFile, readDataFile, shippedFile } from "./store.ts";
import type { TarEntry } from "./tar.ts";
import { readTar } from "./tar.ts";
import { gunzip } from "./unpack.ts";

export const spokenLettersFiles: readonly DataFile[] = [
  {
    path: "spoken-letters/spoken-letters-flac.tar.gz",
    bytes: 3363974,
    sha256: "fbd0e36c4c43650cf821d4da3c0b92140cfa8f3d1da306dd9f3d5e35ef95b389",
  },
];

/** The voice whose I, B and M ship with the program. */
export const shippedVoice = "en_US_f_Allison";

const shipped: Readonly<Record<string, string>> = {
  i: "ab77ca1c11e568bbd8953073c80d359810455019a6c3ff47612ae184bbe375fd", // SHA-256
  b: "efb1f9322ae60ad9ffe739c94e4429ce6cffc16be405fc85434bbfd911ac4a1c",
  m: "f3705b1f0eedd1bbf224b7d7e784d4524bc2ec4c89448094f28bdf0f3b023df9",
};

export interface SpokenVoice {
  readonly voice: string;
  readonly language: string;
  readonly licence: string;
  readonly credit: string;
  readonly letters: string; // those recorded, such as "abc"
}

export interface SpokenLetter {
  readonly voice: string;
  readonly letter: string; // lower case
  readonly audio: Audio;
}

/** All voices of the collection. Throws `DataError` when the archive is not here. */
export async function spokenVoices(options: FetchOptions = {}): Promise<SpokenVoice[]> {
  return voicesOf(await openArchive(options));
}

/** One recording; `letter` in either case. Throws `DataError`, with the nearest voice where there is no such one. */
export async function spokenLetter(
  voice: string,
  letter: string,
  options: FetchOptions = {},
): Promise<Audio> {
  const [found] = await spokenLetters({ voice, letters: [letter] }, options);
  return found.audio;
}

/** Recordings of one voice, in the order asked for; default: the shipped letters of the shipped voice. */
export async function spokenLetters(
  { voice = shippedVoice, letters = ["I", "B", "M"] }: { voice?: string; letters?: readonly string[] } = {},
  options: FetchOptions = {},
): Promise<SpokenLetter[]> {
  const wanted = letters.map((letter) => letter.toLowerCase());
  if (voice === shippedVoice && wanted.every((letter) => letter in shipped))
    return Promise.all(wanted.map(async (letter) => ({ voice, letter, audio: await shippedLetter(letter) })));
  if (/^[\w-]+$/.test(voice) && findFile(`spoken-letters/${voice}`) !== undefined)
    return Promise.all(
      wanted.map(async (letter) => ({ voice, letter, audio: await ownLetter(voice, letter) })),
    );

  const archive = await openArchive(options);
  const voices = voicesOf(archive);
  const speaker = voices.find((candidate) => candidate.voice === voice);
  if (!speaker)
    throw new DataError(
      `there is no voice ${voice}${
        didYouMean(
          voice,
          voices.map((each) => each.voice),
        ) || `; there are ${voices.map((each) => each.voice).join(", ")}`
      }`,
    );
  return wanted.map((letter) => {
    const name = `spoken-letters/${voice}/${letter}.flac`;
    const entry = archive.entries.find((candidate) => candidate.name === name);
    if (!entry)
      throw new DataError(`${voice} has not spoken ${JSON.stringify(letter)}, only ${speaker.letters}`);
    return { voice, letter, audio: decodeFlac(entry.bytes, `${archive.path}: ${name}`) };
  });
}

async function shippedLetter(letter: string): Promise<Audio> {
  const path = shippedFile(`spoken-letters/${letter}.flac`);
  const bytes = await readFile(path);
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== shipped[letter])
    throw new DataError(`${path}: its SHA-256 is ${found}, ${shipped[letter]} is expected`);
  return decodeFlac(bytes, path);
}

/** A recording of a voice that is a folder. */
async function ownLetter(voice: string, letter: string): Promise<Audio> {
  const names = ["flac", "wav"].map((extension) => `spoken-letters/${voice}/${letter}.${extension}`);
  const path = names.map(findFile).find((found) => found !== undefined);
  if (path === undefined)
    throw new DataError(
      `${findFile(`spoken-letters/${voice}`)}: it holds no ${letter}.flac and no ${letter}.wav`,
    );
  return decodeAudio(await readFile(path), path);
}

interface Archive {
  path: string;
  entries: TarEntry[];
}

async function openArchive(options: FetchOptions): Promise<Archive> {
  const { bytes, path } = await readDataFile(spokenLettersFiles[0], options);
  return { path, entries: readTar(gunzip(bytes, path), path) };
}

/** From index.csv: voice, language, letter, file, rate_hz, samples, source_package, licence, credit. */
function voicesOf({ path, entries }: Archive): SpokenVoice[] {
  const index = entries.find((entry) => entry.name === "spoken-letters/index.csv");
  if (!index) throw new DataError(`${path}: it holds no spoken-letters/index.csv`);
  const voices = new Map<string, SpokenVoice>();
  const lines = new TextDecoder().decode(index.bytes).trimEnd().split(/\r?\n/);
  lines.slice(1).forEach((line, k) => {
    const fields = line.split(",");
    if (fields.length !== 9)
      throw new DataError(
        `${path}: spoken-letters/index.csv: line ${k + 2}: 9 fields are expected, not ${fields.length}`,
      );
    const [voice, language, letter, , , , , licence, credit] = fields;
    const letters = (voices.get(voice)?.letters ?? "") + letter;
    voices.set(voice, { voice, language, licence, credit, letters });
  });
  return [...voices.values()];
}
