/**
 * Data sets: which there are, where they come from, where they are. The loaders search MEMSPIKE_DATA, the cache, and
 * the canonical address (see store.ts).
 */

import { DataError } from "../src/math/errors.ts";
import { didYouMean } from "../src/math/nearest.ts";
import { cifar10Files } from "./cifar10.ts";
import { spokenDigitsFiles } from "./fsdd.ts";
import { mnistFiles } from "./mnist.ts";
import { eventDigitsFiles } from "./nmnist.ts";
import { speechCommandsFiles } from "./speech-commands.ts";
import { spokenLettersFiles } from "./spoken-letters.ts";
import type { DataFile, FetchOptions } from "./store.ts";
import { dataFolders, findFile, obtainFile, verifyFile } from "./store.ts";
import { pennTreebankFiles, shakespeareFiles, warAndPeaceFiles } from "./text.ts";
import { wakeWordsFolder } from "./visual-wake-words.ts";

export * from "./cifar10.ts";
export * from "./devices.ts";
export * from "./fsdd.ts";
export * from "./letter-bitmaps.ts";
export * from "./mnist.ts";
export * from "./nmnist.ts";
export * from "./shapes.ts";
export * from "./speech-commands.ts";
export * from "./spoken-letters.ts";
export * from "./spoken-pattern.ts";
export type { DataFile, FetchOptions } from "./store.ts";
export * from "./synthetic-pattern.ts";
export * from "./text.ts";
export * from "./visual-wake-words.ts";

export interface Dataset {
  readonly name: string;
  readonly description: string;
  readonly licence: string;
  readonly bytes: number; // of all files
  readonly files: readonly DataFile[];
  readonly address: string; // the origin, for people
  /** What is looked for, where the set is the user's own and no file of it is known beforehand. */
  readonly expects?: string;
  readonly where?: string; // path of the first file, when all are here
}

interface Known extends Omit<Dataset, "bytes" | "where"> {
  readonly folder?: () => string | undefined; // where a set of the user's own is
}

const sets: readonly Known[] = [
  {
    name: "mnist",
    description: "70,000 handwritten digits, 28 x 28 grey levels; 100 + 100 of them ship with the program",
    licence: "none stated by the authors; distributions quote CC BY-SA 3.0",
    address: "http://yann.lecun.com/exdb/mnist/",
    files: mnistFiles,
  },
  {
    name: "spoken-letters",
    description:
      "311 spoken letters A to Z, 12 voices, 8 and 16 kHz; I, B, M of one voice ship with the program",
    licence: "CC BY-SA 3.0, CC BY 3.0, BSD-style or GPL-2+, by voice",
    address: "https://downloads.asterisk.org/pub/telephony/sounds/ and https://apps.kde.org/klettres/",
    files: spokenLettersFiles,
  },
  {
    name: "fsdd",
    description: "3,000 spoken digits, 6 speakers, 8 kHz (Free Spoken Digit Dataset)",
    licence: "CC BY-SA 4.0",
    address: "https://github.com/Jakobovski/free-spoken-digit-dataset",
    files: spokenDigitsFiles,
  },
  {
    name: "nmnist",
    description: "1,100 event-camera recordings of MNIST digits (N-MNIST, a selection)",
    licence: "CC BY-SA 4.0",
    address: "https://www.garrickorchard.com/datasets/n-mnist",
    files: eventDigitsFiles,
  },
  {
    name: "cifar10",
    description: "photographs of 32 x 32 pixels in colour, ten classes (CIFAR-10; 10,000 + 2,000 of 60,000)",
    licence: "none stated; the author asks for a citation of Krizhevsky 2009",
    address: "https://www.cs.toronto.edu/~kriz/cifar.html",
    files: cifar10Files,
  },
  {
    name: "visual-wake-words",
    description:
      "photographs with and without persons, labelled by the user's own copy of COCO or MLPerf Tiny",
    licence: "annotations CC BY 4.0; each photograph that of its author",
    address: "https://cocodataset.org/#download and https://github.com/mlcommons/tiny",
    files: [],
    expects:
      "visual-wake-words/annotations/instances_*.json with images, visual-wake-words/person and non_person, or visual-wake-words/vww01",
    folder: wakeWordsFolder,
  },
  {
    name: "speech-commands",
    description:
      "4,890 spoken words of one second, 12 classes (the test set of Speech Commands v0.02); features of 360 ship with the program",
    licence: "CC BY 4.0",
    address: "http://download.tensorflow.org/data/speech_commands_test_set_v0.02.tar.gz",
    files: speechCommandsFiles,
  },
  {
    name: "penn-treebank",
    description: "a million words of newspaper text (Penn Treebank as prepared by Mikolov)",
    licence: "none stated; the text belongs to Dow Jones and the LDC (LDC99T42)",
    address: "http://www.fit.vutbr.cz/~imikolov/rnnlm/simple-examples.tgz",
    files: pennTreebankFiles,
  },
  {
    name: "war-and-peace",
    description: "3.2 million characters of English prose; the first 60 kB ship with the program",
    licence: "public domain",
    address: "https://www.gutenberg.org/ebooks/2600",
    files: warAndPeaceFiles,
  },
  {
    name: "shakespeare",
    description: "1.1 million characters of plays",
    licence: "public domain; the collection MIT",
    address: "https://github.com/karpathy/char-rnn",
    files: shakespeareFiles,
  },
];

/** All data sets, and where those are that are here. */
export function datasetList(): Dataset[] {
  return sets.map(({ folder, ...set }) => {
    const places = folder ? [folder()] : set.files.map((file) => findFile(file.path));
    const bytes = set.files.reduce((sum, file) => sum + file.bytes, 0);
    return { ...set, bytes, ...(places.every((place) => place !== undefined) ? { where: places[0] } : {}) };
  });
}

/** Makes a data set be here, fetching what is missing; the cache keeps only files whose SHA-256 is right. */
export async function getDataset(name: string, options: FetchOptions = {}): Promise<Dataset> {
  const { files, address, expects, where } = named(name);
  if (expects !== undefined && where === undefined)
    throw new DataError(
      `${name}: it cannot be fetched; get it from ${address}, so that ${dataFolders()[0]} has ${expects}`,
    );
  const missing = files.filter((file) => findFile(file.path) === undefined);
  const unfetchable = missing.filter((file) => file.address === undefined);
  if (unfetchable.length > 0)
    throw new DataError(
      `${name}: ${unfetchable.map((file) => file.path).join(", ")} cannot be fetched, because the origin ` +
        `(${address}) has it in another form; put it into ${dataFolders()[0]} or name its folder in MEMSPIKE_DATA`,
    );
  const total = missing.reduce((sum, file) => sum + file.bytes, 0);
  let done = 0;
  for (const file of missing) {
    const progress = (fraction: number, message?: string) =>
      options.progress?.((done + fraction * file.bytes) / total, message);
    await obtainFile(file, { ...options, progress });
    done += file.bytes;
  }
  return named(name);
}

/** Compares all files of a data set with their SHA-256; returns their paths. Throws `DataError` on the first that fails. */
export async function verifyDataset(name: string): Promise<string[]> {
  const paths: string[] = [];
  const { files, expects } = named(name);
  if (expects !== undefined) throw new DataError(`${name}: it is the user's own, no checksum of it is known`);
  for (const file of files) paths.push(await verifyFile(file));
  return paths;
}

function named(name: string): Dataset {
  const list = datasetList();
  const found = list.find((set) => set.name === name);
  if (!found) {
    const names = list.map((set) => set.name);
    throw new DataError(
      `there is no data set ${name}${didYouMean(name, names) || `; there are ${names.join(", ")}`}`,
    );
  }
  return found;
}
