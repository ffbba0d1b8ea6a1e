/**
 * CIFAR-10 and CIFAR-100: 50,000 + 10,000 photographs of 32 x 32 pixels in three colours each, of ten classes and of a hundred.
 *
 * Origin: Krizhevsky 2009, "Learning multiple layers of features from tiny images", binary versions of
 * https://www.cs.toronto.edu/~kriz/cifar.html (cifar-10-binary.tar.gz, cifar-100-binary.tar.gz). Licence: none stated; the author asks
 * to be cited, so none of it ships with the program.
 *
 * Read are the author's files in the folder cifar10 of the data folder or in cifar10/cifar-10-batches-bin, as the archive
 * unpacks, plain or packed (.br, .gz): data_batch_1.bin to data_batch_5.bin, as many as there are, and test_batch.bin; in its
 * place also test_batch_first2000.bin, its first 2,000 images. Of CIFAR-100 train.bin and test.bin in cifar100 or
 * cifar100/cifar-100-binary. An accuracy means little without `split`, which tells what was there.
 */

import { readFile } from "node:fs/promises";
import { ConfigError, DataError } from "../src/math/errors.ts";
import type { DataFile } from "./store.ts";
import { dataFolders, findFile } from "./store.ts";
import { gunzip, unbrotli } from "./unpack.ts";

/** The part of the set that lies packed; the author's own files do as well. */
export const cifar10Files: readonly DataFile[] = [
  {
    path: "cifar10/data_batch_1.bin.br",
    bytes: 24204974,
    sha256: "189d0a9a9928d8cfdffde85586a459290dd127f18eccef01690dc6f89d27ee91",
  },
  {
    path: "cifar10/test_batch_first2000.bin.br",
    bytes: 4833297,
    sha256: "f0fdbc39c94bd9d81cf44df93f39129eccab51e80980ac93d492de6ee4dbfef8",
  },
];

/** Names of the classes, in the order of their labels (the author's batches.meta.txt). */
export const cifar10Classes = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
] as const;

/** Images with their classes. */
export interface ColourImages {
  readonly size: number; // images
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly images: Uint8Array; // [image][height][width][channel], 0 to 255
  readonly labels: Uint8Array; // [image]
  readonly classes: readonly string[];
  /** What these images are, to be said beside every number that comes from them. */
  readonly split: string;
}

const side = 32;
const area = side * side;

/** A set: its files, and what a record begins with, before the planes of red, green, blue. */
interface Cifar {
  readonly title: string;
  readonly folders: readonly string[];
  readonly files: Readonly<Record<"train" | "test", readonly (readonly string[])[]>>; // any one of each
  readonly classes: readonly string[];
  readonly labels: number; // bytes, of which the last is the class
}

const ten: Cifar = {
  title: "CIFAR-10",
  folders: ["cifar10", "cifar10/cifar-10-batches-bin"],
  files: {
    train: [1, 2, 3, 4, 5].map((k) => [`data_batch_${k}.bin`]),
    test: [["test_batch.bin", "test_batch_first2000.bin"]],
  },
  classes: cifar10Classes,
  labels: 1,
};

const hundred: Cifar = {
  title: "CIFAR-100",
  folders: ["cifar100", "cifar100/cifar-100-binary"],
  files: { train: [["train.bin"]], test: [["test.bin"]] },
  classes: Array.from({ length: 100 }, (_, k) => String(k)),
  labels: 2, // of twenty classes together, and of the class
};

const parts = {
  train: { whole: 50000, word: "training" },
  test: { whole: 10000, word: "test" },
} as const;

/**
 * The images of a part that are here, in the author's order; `limit` takes the first so many. Throws `DataError` where there are
 * none, naming the places, or where a file is damaged, naming the byte; `ConfigError` where `limit` is more than there are.
 */
export const cifar10 = (
  part: "train" | "test",
  options: { readonly limit?: number } = {},
): Promise<ColourImages> => load(ten, part, options.limit);

/** The same of CIFAR-100; its classes are named by their numbers. */
export const cifar100 = (
  part: "train" | "test",
  options: { readonly limit?: number } = {},
): Promise<ColourImages> => load(hundred, part, options.limit);

async function load(of: Cifar, part: "train" | "test", limit: number | undefined): Promise<ColourImages> {
  const { title, folders, classes } = of;
  if (!Object.hasOwn(parts, part))
    throw new ConfigError(`the parts of ${title} are "train" and "test", not ${JSON.stringify(part)}`);
  const { whole, word } = parts[part];
  const files = of.files[part];
  const found = files.map((names) => firstFound(folders, names)).filter((place) => place !== undefined);
  if (found.length === 0)
    throw new DataError(
      `${title}: no ${files.map((names) => names[0]).join(", ")} (plain, .gz or .br) in ${dataFolders()
        .map((folder) => `${folder}/${folders[0]}`)
        .join(" or ")}; \`memspike data list\` tells its origin`,
    );
  const sets: { images: Uint8Array; labels: Uint8Array }[] = [];
  let present = 0;
  for (const { path } of found) {
    if (limit !== undefined && present >= limit) break;
    const set = decodeCifar(await unpacked(path), path, of);
    sets.push(set);
    present += set.labels.length;
  }
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0 && limit <= present))
    throw new ConfigError(`there are ${present} ${word} images of ${title} here, not ${limit}`);
  const size = limit ?? present;
  const images = new Uint8Array(size * 3 * area);
  const labels = new Uint8Array(size);
  let at = 0;
  for (const set of sets) {
    const count = Math.min(set.labels.length, size - at);
    images.set(set.images.subarray(0, count * 3 * area), at * 3 * area);
    labels.set(set.labels.subarray(0, count), at);
    at += count;
  }
  const names = found.slice(0, sets.length).map(({ name }) => name.replace(/\.bin$/, ""));
  const n = (count: number) => count.toLocaleString("en-US");
  const split = `${title}, ${n(size)} of ${n(whole)} ${word} images (${names.join(", ")})`;
  return { size, height: side, width: side, channels: 3, images, labels, classes, split };
}

function firstFound(
  folders: readonly string[],
  names: readonly string[],
): { name: string; path: string } | undefined {
  for (const name of names)
    for (const folder of folders)
      for (const packing of ["", ".br", ".gz"]) {
        const path = findFile(`${folder}/${name}${packing}`);
        if (path !== undefined) return { name, path };
      }
  return undefined;
}

async function unpacked(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path);
  if (path.endsWith(".br")) return unbrotli(bytes, path);
  return path.endsWith(".gz") ? gunzip(bytes, path) : bytes;
}

/**
 * Images and labels from the bytes of a batch file: the planes of a record become [height][width][channel]. Throws `DataError` naming
 * the byte.
 */
export function decodeCifar(
  bytes: Uint8Array,
  source: string,
  of: Pick<Cifar, "labels" | "classes"> = ten,
): { readonly images: Uint8Array; readonly labels: Uint8Array } {
  const record = of.labels + 3 * area;
  const most = of.classes.length - 1;
  const size = Math.floor(bytes.length / record);
  const rest = bytes.length - size * record;
  if (rest !== 0 || size === 0)
    throw new DataError(
      `${source}: byte ${size * record}: the last record has ${rest} of ${record} bytes after ${size} whole ones`,
    );
  const images = new Uint8Array(size * 3 * area);
  const labels = new Uint8Array(size);
  for (let k = 0; k < size; k++) {
    const from = k * record + of.labels; // of the planes
    labels[k] = bytes[from - 1];
    if (labels[k] > most)
      throw new DataError(`${source}: byte ${from - 1}: ${labels[k]} is no class from 0 to ${most}`);
    for (let channel = 0; channel < 3; channel++) {
      let to = k * 3 * area + channel;
      const plane = from + channel * area;
      for (let pixel = plane; pixel < plane + area; pixel++, to += 3) images[to] = bytes[pixel];
    }
  }
  return { images, labels };
}

/** Mean and standard deviation of each channel over all pixels, in the unit of value / 255: 0 to 1. */
export function channelMoments(set: Pick<ColourImages, "images" | "channels">): {
  readonly mean: number[];
  readonly deviation: number[];
} {
  const { images, channels } = set;
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels); // whole numbers below 2^53: exact
  for (let k = 0; k < images.length; k++) {
    sums[k % channels] += images[k];
    squares[k % channels] += images[k] * images[k];
  }
  const count = images.length / channels;
  const mean = Array.from(sums, (sum) => sum / count);
  return {
    mean: mean.map((value) => value / 255),
    deviation: Array.from(squares, (square, c) => Math.sqrt(square / count - mean[c] ** 2) / 255),
  };
}
