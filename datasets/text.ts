/**
 * Text for language models: Penn Treebank as words or characters, War and Peace and Shakespeare as characters.
 *
 * Origins and licences:
 * - Penn Treebank as Mikolov et al. 2010 (Interspeech, 1045) prepared it: lower case, 10,000 words, the others <unk>, numbers N; from
 *   http://www.fit.vutbr.cz/~imikolov/rnnlm/simple-examples.tgz. The text belongs to Dow Jones and the LDC (LDC99T42): not shipped.
 * - War and Peace, L. Tolstoy, translated by L. and A. Maude: public domain; https://www.gutenberg.org/ebooks/2600 .
 * - Plays of Shakespeare, public domain, as gathered in https://github.com/karpathy/char-rnn (MIT).
 * The folder text of the data folder holds them packed (.txt.gz) or plain (.txt). SHA-256 of the packed files below.
 *
 * The sample is the beginning of War and Peace and ships with the program; see text-sample/NOTICE.
 */

import { readFile } from "node:fs/promises";
import { ConfigError, DataError } from "../src/math/errors.ts";
import type { DataFile } from "./store.ts";
import { dataFolders, findFile, shippedFile } from "./store.ts";
import { gunzip } from "./unpack.ts";

function file(name: string, bytes: number, sha256: string): DataFile {
  return { path: `text/${name}.txt.gz`, bytes, sha256 };
}

export const pennTreebankFiles: readonly DataFile[] = [
  file("ptb.train", 1688035, "c4c6455d85f60640431f7bc738d51265ba2d55dcce10e8906322d6f9e3dcca81"),
  file("ptb.valid", 134062, "f2148d96d82f827399b7e5040868a4541bd2d2612ebaf5a2ff213bc07fd74eb8"),
  file("ptb.test", 149201, "5015d206077ff3e96161868c5c280ec8a28e9ad5617ef99ee0e734aaef6130c5"),
];
export const warAndPeaceFiles: readonly DataFile[] = [
  file("war_and_peace", 1193735, "6a75ebd7147c9c475523b44ef818b57014b533f647e41c2cc9a82836007d0ba7"),
];
export const shakespeareFiles: readonly DataFile[] = [
  file("tinyshakespeare", 433627, "bed00f18e91cda6838950656f0a95e07e0f4dbe8649a4b959f7602a7e53fbc6e"),
];

/** A text in three parts, as numbers of its symbols. */
export interface Corpus {
  /** Words or characters; their numbers are their places. The training part alone makes them. */
  readonly symbols: readonly string[];
  readonly train: Uint16Array;
  readonly valid: Uint16Array;
  readonly test: Uint16Array;
  /** What text this is and how it is divided, to be said beside every number that comes from it. */
  readonly split: string;
}

/**
 * Penn Treebank in the parts of Mikolov. As words: 10,000 symbols, the most frequent first, <unk> and <eos> (a line's end) among
 * them; 929,589 + 73,760 + 82,430 words. As characters: 50 symbols in the order of their codes, a line's end "\n" among them, and
 * the space between words but not those at the ends of lines; 5,017,482 + 393,042 + 442,423 characters. Throws `DataError`.
 */
export async function pennTreebank(level: "word" | "character"): Promise<Corpus> {
  if (level !== "word" && level !== "character")
    throw new ConfigError(`Penn Treebank is read by "word" or "character", not ${JSON.stringify(level)}`);
  const texts = await Promise.all(pennTreebankFiles.map(readText));
  const [train, valid, test] = texts.map(level === "word" ? words : lineCharacters);
  const symbols = level === "word" ? byFrequency(train) : byCode(train);
  return numbered({ train, valid, test }, symbols, `Penn Treebank by ${level}, the parts of Mikolov`);
}

/** War and Peace by character: the first 80 % to learn from, then 10 % and 10 %. Throws `DataError`. */
export async function warAndPeace(): Promise<Corpus> {
  return divided(await readText(warAndPeaceFiles[0]), "War and Peace");
}

/** 1.1 million characters of Shakespeare: the first 80 % to learn from, then 10 % and 10 %. Throws `DataError`. */
export async function shakespeare(): Promise<Corpus> {
  return divided(await readText(shakespeareFiles[0]), "Shakespeare (1.1 million characters)");
}

/** The shipped sample: the first 60 kB of War and Peace by character, divided like the whole. */
export async function warAndPeaceSample(): Promise<Corpus> {
  const path = shippedFile("text-sample/war-and-peace.txt.gz");
  return divided(decoded(gunzip(await readFile(path), path), path), "the first 60 kB of War and Peace");
}

/** A text of your own by character: the first 80 % to learn from, then 10 % and 10 %. `name` tells what it is. */
export function divided(text: string, name: string): Corpus {
  const all = Array.from(text.replaceAll("\r\n", "\n"));
  if (all.length < 10)
    throw new DataError(`${name}: ${all.length} characters are no text to learn from and to test on`);
  const [first, second] = [Math.floor(0.8 * all.length), Math.floor(0.9 * all.length)];
  const train = all.slice(0, first);
  const division = "80 % to learn from, 10 % to validate, 10 % to test";
  const parts = { train, valid: all.slice(first, second), test: all.slice(second) };
  return numbered(parts, byCode(train), `${name} by character, ${division}`);
}

/** What a model learns from in one step of truncated back-propagation. */
export interface TextBatch {
  readonly inputs: Uint16Array; // [batch][time]
  readonly targets: Uint16Array; // [batch][time], the symbol after each
  /** Of a pass, the first: states begin anew. In all others they go on where the last batch left them. */
  readonly first: boolean;
}

/**
 * One pass over a text in `batch` streams, contiguous stretches of equal length that are read side by side, `time` symbols at once:
 * row b of a batch goes on where row b of the last one ended. What does not fill a batch at the end of the streams, fewer than
 * batch * (time + 1) symbols, is left out. Arrays are copies. Throws `ConfigError` where the text does not fill one batch.
 */
export function* textBatches(
  tokens: Uint16Array,
  { batch, time }: { readonly batch: number; readonly time: number },
): Generator<TextBatch, void, undefined> {
  for (const [name, value] of Object.entries({ batch, time }))
    if (!(Number.isInteger(value) && value > 0))
      throw new ConfigError(`${name} is a positive whole number, not ${value}`);
  const length = Math.floor((tokens.length - 1) / batch);
  if (length < time)
    throw new ConfigError(
      `${tokens.length} symbols make ${batch} streams of ${Math.max(0, length)}, too short for ${time} at once`,
    );
  for (let at = 0; at + time <= length; at += time) {
    const inputs = new Uint16Array(batch * time);
    const targets = new Uint16Array(batch * time);
    for (let b = 0; b < batch; b++) {
      const from = b * length + at;
      inputs.set(tokens.subarray(from, from + time), b * time);
      targets.set(tokens.subarray(from + 1, from + 1 + time), b * time);
    }
    yield { inputs, targets, first: at === 0 };
  }
}

async function readText(file: DataFile): Promise<string> {
  const plain = file.path.replace(/\.gz$/, "");
  const path = findFile(file.path) ?? findFile(plain);
  if (path === undefined)
    throw new DataError(
      `neither ${file.path} nor ${plain} is in ${dataFolders().join(" or ")}; \`memspike data list\` tells its origin`,
    );
  const bytes = await readFile(path);
  return decoded(path.endsWith(".gz") ? gunzip(bytes, path) : bytes, path);
}

function decoded(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${path}: it is not UTF-8 text`, { cause });
  }
}

function lines(text: string): string[] {
  return text.trimEnd().split("\n");
}

function words(text: string): string[] {
  return lines(text).flatMap((line) => [...line.split(/\s+/).filter(Boolean), "<eos>"]);
}

function lineCharacters(text: string): string[] {
  return Array.from(
    lines(text)
      .map((line) => `${line.trim()}\n`)
      .join(""),
  );
}

/** The most frequent first, of equally frequent ones the first in the order of codes. */
function byFrequency(tokens: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([token]) => token);
}

function byCode(tokens: readonly string[]): string[] {
  return [...new Set(tokens)].sort();
}

/** Symbols that the training part lacks become <unk>, which is added at the end if there is none. */
function numbered(
  parts: Record<"train" | "valid" | "test", readonly string[]>,
  symbols: string[],
  split: string,
): Corpus {
  const numbers = new Map(symbols.map((symbol, number) => [symbol, number]));
  const code = (tokens: readonly string[]) =>
    Uint16Array.from(tokens, (token) => {
      const known = numbers.get(token) ?? numbers.get("<unk>");
      if (known !== undefined) return known;
      numbers.set("<unk>", symbols.push("<unk>") - 1);
      return symbols.length - 1;
    });
  const [train, valid, test] = [code(parts.train), code(parts.valid), code(parts.test)];
  return { symbols, train, valid, test, split };
}
