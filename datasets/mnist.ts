/**
 * MNIST: 60,000 + 10,000 handwritten digits of 28 x 28 grey levels.
 *
 * Origin: LeCun, Bottou, Bengio & Haffner 1998, Proc. IEEE 86:2278; files of http://yann.lecun.com/exdb/mnist/.
 * Licence: none stated by the authors; distributions quote CC BY-SA 3.0. SHA-256 of each file below.
 *
 * The sample (100 + 100 digits, ten of each class, the first ten of their class in each part, in the order of the
 * original) ships with the program; see mnist-sample/NOTICE.
 */

import { readFile } from "node:fs/promises";
import type { Image } from "../src/encode/target.ts";
import { ConfigError, DataError } from "../src/math/errors.ts";
import { readIdx } from "./idx.ts";
import type { DataFile, FetchOptions } from "./store.ts";
import { readDataFile, shippedFile } from "./store.ts";
import { gunzip } from "./unpack.ts";

const mirror = "https://ossci-datasets.s3.amazonaws.com/mnist/"; // the authors' bytes

function file(name: string, bytes: number, sha256: string): DataFile {
  return { path: `mnist/${name}`, bytes, sha256, address: mirror + name };
}

const parts = {
  train: {
    images: file(
      "train-images-idx3-ubyte.gz",
      9912422,
      "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    labels: file(
      "train-labels-idx1-ubyte.gz",
      28881,
      "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
  },
  test: {
    images: file(
      "t10k-images-idx3-ubyte.gz",
      1648877,
      "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    labels: file(
      "t10k-labels-idx1-ubyte.gz",
      4542,
      "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
  },
} as const;

export const mnistFiles: readonly DataFile[] = [
  parts.train.images,
  parts.train.labels,
  parts.test.images,
  parts.test.labels,
];

export interface LabelledImages {
  readonly size: number; // images
  readonly rows: number;
  readonly columns: number;
  readonly images: Uint8Array; // [image][row][column], 0 to 255
  readonly labels: Uint8Array; // [image], 0 to 9
}

/** The training part (60,000) or the test part (10,000). Throws `DataError` naming file, byte and reason. */
export async function mnist(part: "train" | "test", options: FetchOptions = {}): Promise<LabelledImages> {
  const images = await readDataFile(parts[part].images, options);
  const labels = await readDataFile(parts[part].labels, options);
  return labelled(images, labels);
}

/** The shipped sample: 100 digits of the training part or of the test part, ten of each class. */
export async function mnistSample(part: "train" | "test"): Promise<LabelledImages> {
  const read = async (name: string) => {
    const path = shippedFile(`mnist-sample/${name}`);
    return { bytes: await readFile(path), path };
  };
  const prefix = part === "train" ? "train" : "t10k";
  return labelled(await read(`${prefix}-images-idx3-ubyte.gz`), await read(`${prefix}-labels-idx1-ubyte.gz`));
}

/** Digits to learn from and digits to be tested on. */
export interface DigitSets {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
}

/**
 * The digits of an experiment: all of "mnist", or the shipped "sample". Held out for testing are those of the "test" part, or
 * in "train" those that follow the first `images`, which are learnt from. Throws `ConfigError` on another word or where
 * there are not so many.
 */
export async function digitSets(
  data: string,
  o: { readonly images: number; readonly heldOut: string } & FetchOptions,
): Promise<DigitSets> {
  if (data !== "mnist" && data !== "sample")
    throw new ConfigError(`data is "mnist" or "sample", not ${JSON.stringify(data)}`);
  if (o.heldOut !== "test" && o.heldOut !== "train")
    throw new ConfigError(`digits are held out of "test" or "train", not ${JSON.stringify(o.heldOut)}`);
  const read = (part: "train" | "test") => (data === "sample" ? mnistSample(part) : mnist(part, o));
  const train = await read("train");
  if (!(o.images <= train.size))
    throw new ConfigError(`there are ${train.size} digits to learn from, not ${o.images}`);
  if (o.heldOut === "test") return { train, test: await read("test") };
  const area = train.rows * train.columns;
  const rest = {
    size: train.size - o.images,
    images: train.images.subarray(o.images * area),
    labels: train.labels.subarray(o.images),
  };
  return { train, test: { ...train, ...rest } };
}

/** One image of a set with intensities from 0 to 1: a copy. */
export function digitImage(set: LabelledImages, index: number): Image {
  if (!(Number.isInteger(index) && index >= 0 && index < set.size))
    throw new RangeError(`there is no image ${index} among ${set.size}`);
  const area = set.rows * set.columns;
  const pixels = Float64Array.from(
    set.images.subarray(index * area, (index + 1) * area),
    (grey) => grey / 255,
  );
  return { rows: set.rows, columns: set.columns, pixels };
}

interface Loaded {
  bytes: Uint8Array;
  path: string;
}

function labelled(images: Loaded, labels: Loaded): LabelledImages {
  const pixels = readIdx(gunzip(images.bytes, images.path), images.path, 3);
  const classes = readIdx(gunzip(labels.bytes, labels.path), labels.path, 1);
  const [size, rows, columns] = pixels.shape;
  if (classes.shape[0] !== size)
    throw new DataError(`${labels.path}: it labels ${classes.shape[0]} images, ${images.path} holds ${size}`);
  const wrong = classes.elements.findIndex((label) => label > 9);
  if (wrong >= 0)
    throw new DataError(`${labels.path}: byte ${8 + wrong}: ${classes.elements[wrong]} is no digit`);
  return { size, rows, columns, images: pixels.elements, labels: classes.elements };
}
