/**
 * Visual Wake Words: is there a person in the picture? The user's own images; none ships with the program or is fetched.
 *
 * Origin: Chowdhery, Warden, Shlens, Howard & Rhodes 2019, arXiv:1906.05721: photographs of COCO (https://cocodataset.org; annotations
 * CC BY 4.0, each photograph under the licence of its author on Flickr) with new labels. Four sets are read from the data folder:
 * - "coco": images and annotations of COCO, in visual-wake-words or coco: annotations/instances_*.json, and the images beside them in
 *   folders (train2014, val2014, all2014, train2017, val2017, images, or images/ and one of these). A person is there if a box of the
 *   category "person" covers at least 0.5 % of the frame. (The tools of Google and pyvww compare the area of the outline in place of
 *   the box; annotations that pyvww wrote give their labels.) The first of these that is here divides into training and test part:
 *   instances_maxitrain and instances_minival; instances_train and instances_val, as pyvww writes them; those of 2014; those of 2017. A
 *   file mscoco_minival_ids.txt among the annotations (one number a line; Google's 8,059) moves these images of the last two into the test part.
 * - "folders": images in visual-wake-words/vw_coco2014_96/person and …/non_person, as MLPerf Tiny has them (96 x 96, JPEG), or in
 *   visual-wake-words itself. The first tenth of each class by name is the test part, as its training script holds it back.
 * - "tiny": the 1,000 test images of MLPerf Tiny, visual-wake-words/vww01: y_labels.csv ("name,2,label") and files of 96 x 96 x 3 bytes.
 * - "own": the same divided here, because nothing else of it is at hand: every fifth of each class by name is for tests.
 *
 * An accuracy means little without `split`, which tells what was there.
 */
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, DataError } from "../src/math/errors.ts";
import { didYouMean } from "../src/math/nearest.ts";
import type { ColourImages } from "./cifar10.ts";
import { decodePhotograph, squeeze } from "./photographs.ts";
import type { Pixels } from "./png.ts";
import { dataFolders, type FetchOptions } from "./store.ts";

/** Names of the classes, in the order of their labels. */
export const wakeWordClasses = ["no person", "person"] as const;

const sets = ["coco", "folders", "tiny", "own"] as const;
type SetName = (typeof sets)[number];
type Part = "train" | "test";

const least = 0.005; // part of the frame that a person covers: Chowdhery et al. 2019, section 3
const tinySide = 96; // pixels of MLPerf Tiny's images

export interface WakeWordsChoice {
  /** See the head of this file; default the first of "coco", "folders", "own" that is here. */
  readonly set?: SetName;
  /** Pixels of height and width that images are squeezed into. Default 96, as MLPerf Tiny has them. */
  readonly side?: number;
  /** 3: red, green, blue; 1: grey. Default 3. */
  readonly channels?: 1 | 3;
  /** The first so many; both classes come evenly spread. */
  readonly limit?: number;
}

/** An image that is labelled but not read yet. */
interface Labelled {
  readonly name: string;
  readonly path: string;
  readonly person: boolean;
}

interface Found {
  readonly images: readonly Labelled[];
  readonly what: string; // whose images and whose division
  readonly read: (path: string) => Promise<Pixels>;
}

/** The folder of the set that is read by default, if one is here. */
export function wakeWordsFolder(): string | undefined {
  return cocoFolder() ?? classFolders()?.root ?? tinyFolder();
}

/**
 * Images of a part with labels 0 and 1. Some 30 ms for a photograph of 640 x 480 pixels, 1 ms for one of 96 x 96. Throws `DataError`
 * where there are none, where an image or a list is damaged or one of the classes is empty, and `ConfigError` where `limit` is more than there are.
 */
export async function visualWakeWords(
  part: Part,
  choice: WakeWordsChoice = {},
  options: FetchOptions = {},
): Promise<ColourImages> {
  if (part !== "train" && part !== "test")
    throw new ConfigError(
      `the parts of Visual Wake Words are "train" and "test", not ${JSON.stringify(part)}`,
    );
  const { set, side = tinySide, channels = 3, limit } = choice;
  if (set !== undefined && !sets.includes(set))
    throw new ConfigError(
      `the sets of Visual Wake Words are ${sets.map((name) => `"${name}"`).join(", ")}, not ${JSON.stringify(set)}`,
    );
  if (!(Number.isInteger(side) && side > 0))
    throw new ConfigError(`the side of an image is a positive whole number of pixels, not ${side}`);
  if (channels !== 1 && channels !== 3)
    throw new ConfigError(`images have 1 channel (grey) or 3 (colours), not ${channels}`);
  const { images, what, read } = await findSet(part, set);
  const word = part === "train" ? "training" : "test";
  for (const person of [true, false])
    if (!images.some((image) => image.person === person))
      throw new DataError(
        `Visual Wake Words: ${what}: none of the ${images.length} ${word} images is labelled as ${person ? "one with" : "one without"} a person`,
      );
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0 && limit <= images.length))
    throw new ConfigError(
      `there are ${images.length} ${word} images of Visual Wake Words here (${what}), not ${limit}`,
    );
  const chosen = spread(images).slice(0, limit);
  const area = side * side * channels;
  const all = new Uint8Array(chosen.length * area);
  for (const [k, { path }] of chosen.entries()) {
    squeeze(await read(path), side, channels, all.subarray(k * area, (k + 1) * area));
    if (k % 100 === 0) {
      options.signal?.throwIfAborted();
      options.progress?.(k / chosen.length, "reading images");
    }
  }
  const n = (count: number) => count.toLocaleString("en-US");
  const size = chosen.length;
  return {
    size,
    height: side,
    width: side,
    channels,
    images: all,
    labels: Uint8Array.from(chosen, ({ person }) => Number(person)),
    classes: wakeWordClasses,
    split: `Visual Wake Words, ${n(size)} of ${n(images.length)} ${word} images (${what})`,
  };
}

/** Both classes by name, evenly mixed, so that the first so many have both as the whole has. */
function spread(images: readonly Labelled[]): Labelled[] {
  const ranked = [true, false].flatMap((person) => {
    const own = images.filter((image) => image.person === person).sort(byName);
    return own.map((image, k) => ({ image, rank: (k + 0.5) / own.length }));
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ image }) => image);
}

const byName = (a: Labelled, b: Labelled): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

async function findSet(part: Part, set: SetName | undefined): Promise<Found> {
  const coco = set === undefined || set === "coco" ? cocoFolder() : undefined;
  if (coco !== undefined) return cocoImages(coco, part);
  const folders = set === undefined || set === "folders" ? classFolders() : undefined;
  if (folders !== undefined) return folderImages(folders, part);
  const tiny = set === undefined || set === "tiny" || set === "own" ? tinyFolder() : undefined;
  if (tiny !== undefined) return tinyImages(tiny, part, set === "tiny");
  const wanted = {
    coco: "annotations/instances_*.json",
    folders: "person and non_person",
    tiny: "vww01/y_labels.csv",
  };
  const missing = set === undefined ? Object.values(wanted) : [wanted[set === "own" ? "tiny" : set]];
  throw new DataError(
    `Visual Wake Words: no ${missing.join(", no ")} in ${dataFolders()
      .map((folder) => join(folder, "visual-wake-words"))
      .join(" or ")}; \`memspike data list\` tells their origin`,
  );
}

const readPhotograph = async (path: string): Promise<Pixels> => decodePhotograph(await readFile(path), path);

/** The first of some folders below the data folders that there is and that is as wanted. */
function firstFolder<T>(names: readonly string[], wanted: (folder: string) => T | undefined): T | undefined {
  for (const data of dataFolders())
    for (const name of names) {
      const found = existsSync(join(data, name)) ? wanted(join(data, name)) : undefined;
      if (found !== undefined) return found;
    }
  return undefined;
}

// Folders of classes

interface ClassFolders {
  readonly root: string;
  readonly person: string;
  readonly other: string;
}

const otherNames = ["non_person", "notperson", "not_person", "not-person", "nonperson", "no_person"];

function classFolders(): ClassFolders | undefined {
  return firstFolder(["visual-wake-words/vw_coco2014_96", "visual-wake-words"], (root) => {
    const other = otherNames.find((name) => existsSync(join(root, name)));
    return existsSync(join(root, "person")) && other !== undefined
      ? { root, person: join(root, "person"), other: join(root, other) }
      : undefined;
  });
}

function folderImages({ root, person, other }: ClassFolders, part: Part): Found {
  const images = [person, other].flatMap((folder) => {
    const own = readdirSync(folder)
      .filter((name) => /\.(jpe?g|png)$/i.test(name))
      .sort();
    if (own.length === 0) throw new DataError(`${folder}: it holds no JPEG and no PNG images`);
    const held = Math.floor(own.length / 10);
    if (held === 0)
      throw new DataError(
        `${folder}: it holds ${own.length} images; a tenth is kept for tests, so there must be ten`,
      );
    return own
      .slice(...(part === "test" ? [0, held] : [held]))
      .map((name) => ({ name, path: join(folder, name), person: folder === person }));
  });
  return { images, what: `${root}, a tenth of each class for tests`, read: readPhotograph };
}

// The test images of MLPerf Tiny

function tinyFolder(): string | undefined {
  return firstFolder(["visual-wake-words/vww01", "visual-wake-words"], (root) =>
    existsSync(join(root, "y_labels.csv")) ? root : undefined,
  );
}

async function tinyImages(root: string, part: Part, whole: boolean): Promise<Found> {
  if (whole && part === "train")
    throw new DataError(
      `${root}: the test images of MLPerf Tiny have no training part; the set "own" divides them`,
    );
  const file = join(root, "y_labels.csv");
  const lines = (await readFile(file, "utf8")).split(/\r?\n/);
  const listed = lines.flatMap((line, k): Labelled[] => {
    if (line.trim() === "") return [];
    const match = /^([^,]+),\s*2,\s*([01])\s*$/.exec(line);
    if (match === null)
      throw new DataError(`an image, the number 2 and a class 0 or 1 are expected, not "${line}"`, {
        place: { file, line: k + 1 },
      });
    return [{ name: match[1], path: join(root, match[1]), person: match[2] === "1" }];
  });
  const read = async (path: string): Promise<Pixels> => {
    if (!existsSync(path)) throw new DataError(`${path}: y_labels.csv names it, but it is not there`);
    const data = await readFile(path);
    if (data.length !== 3 * tinySide ** 2)
      throw new DataError(
        `${path}: it has ${data.length} bytes, ${3 * tinySide ** 2} are expected (${tinySide} x ${tinySide} x 3)`,
      );
    return { width: tinySide, height: tinySide, data };
  };
  if (whole) return { images: listed, what: "vww01 of MLPerf Tiny", read };
  const images = [true, false].flatMap((person) =>
    listed
      .filter((image) => image.person === person)
      .sort(byName)
      .filter((_, k) => (k % 5 === 4) === (part === "test")),
  );
  return { images, what: "vww01 of MLPerf Tiny, divided here", read };
}

// COCO

/** Names of lists of both parts; of those with a year Google's list of test images may choose others. */
const pairs = [
  { train: "instances_maxitrain.json", test: "instances_minival.json", listed: false },
  { train: "instances_train.json", test: "instances_val.json", listed: false },
  { train: "instances_train2014.json", test: "instances_val2014.json", listed: true },
  { train: "instances_train2017.json", test: "instances_val2017.json", listed: true },
] as const;

const imageFolders = ["train2014", "val2014", "all2014", "train2017", "val2017", "all2017"];

const pairIn = (root: string) =>
  pairs.find(({ train, test }) => [train, test].some((name) => existsSync(join(root, "annotations", name))));

function cocoFolder(): string | undefined {
  return firstFolder(["visual-wake-words", "coco"], (root) =>
    pairIn(root) === undefined ? undefined : root,
  );
}

async function cocoImages(root: string, part: Part): Promise<Found> {
  const pair = pairIn(root) as (typeof pairs)[number];
  const list = (name: string): string => {
    const file = join(root, "annotations", name);
    if (!existsSync(file)) throw new DataError(`${file}: there is no such file`);
    return file;
  };
  const ids = join(root, "annotations/mscoco_minival_ids.txt");
  const byList = pair.listed && existsSync(ids);
  const files = byList ? [list(pair.train), list(pair.test)] : [list(pair[part])];
  const labelled = (await Promise.all(files.map((file) => labelsOf(file)))).flat();
  const tests = byList ? await numbersIn(ids) : undefined;
  const wanted = tests ? labelled.filter(({ id }) => tests.has(id) === (part === "test")) : labelled;
  const places = new Map<string, string>();
  for (const folder of ["", "images", ...imageFolders, ...imageFolders.map((name) => join("images", name))]) {
    const place = join(root, folder);
    if (existsSync(place)) for (const name of readdirSync(place)) places.set(name, join(place, name));
  }
  const images = wanted.map(({ name, person, place }) => {
    const path = places.get(name.split("/").at(-1) as string);
    if (path === undefined)
      throw new DataError(
        `${place}: ${name} is not in ${root}, nor in images, ${imageFolders.join(", ")} there`,
      );
    return { name, path, person };
  });
  const lists = files.map((file) => file.split(/[\\/]/).at(-1)).join(" and ");
  return { images, what: `COCO, ${lists}${byList ? ", Google's minival" : ""}`, read: readPhotograph };
}

/** Images of a file of annotations and whether a person is in them. */
async function labelsOf(
  file: string,
): Promise<{ id: number; name: string; person: boolean; place: string }[]> {
  const whole = fieldsOf(parsed(await readFile(file, "utf8"), file), "annotations of COCO", file);
  const wrong = (place: string, reason: string): never => {
    throw new DataError(`${file}: ${place}: ${reason}`);
  };
  const listOf = (name: string): Record<string, unknown>[] => {
    const list = whole[name];
    if (!Array.isArray(list)) return wrong(name, "a list is expected");
    return list.map((entry, k) => fieldsOf(entry, `${name}[${k}]`, file));
  };
  const numberIn = (entry: Record<string, unknown>, field: string, place: string): number => {
    const value = entry[field];
    return typeof value === "number" && Number.isFinite(value)
      ? value
      : wrong(`${place}.${field}`, `a number is expected, not ${JSON.stringify(value)}`);
  };
  const categories = listOf("categories");
  const index = categories.findIndex(({ name }) => name === "person");
  if (index < 0) {
    const names = categories.map(({ name }) => String(name));
    wrong(
      "categories",
      `there is no "person"${didYouMean("person", names) || `; there are ${names.slice(0, 12).join(", ")}`}`,
    );
  }
  const person = numberIn(categories[index], "id", `categories[${index}]`);
  const images = listOf("images").map((image, k) => {
    const place = `images[${k}]`;
    const name = image["file_name"];
    if (typeof name !== "string") return wrong(`${place}.file_name`, "the name of an image is expected");
    const frame = numberIn(image, "width", place) * numberIn(image, "height", place);
    return { id: numberIn(image, "id", place), name, frame, person: false, place: `${file}: ${place}` };
  });
  const byId = new Map(images.map((image) => [image.id, image]));
  for (const [k, entry] of listOf("annotations").entries()) {
    const place = `annotations[${k}]`;
    if (numberIn(entry, "category_id", place) !== person) continue;
    const image = byId.get(numberIn(entry, "image_id", place));
    const box = entry["bbox"];
    if (!Array.isArray(box) || box.length !== 4 || !box.every((x) => typeof x === "number"))
      return wrong(`${place}.bbox`, "a box [x, y, width, height] is expected");
    if (image && box[2] * box[3] >= least * image.frame) image.person = true;
  }
  return images;
}

function fieldsOf(value: unknown, what: string, file: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new DataError(`${file}: ${what}: an object with fields is expected`);
  return value as Record<string, unknown>;
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { message } = cause as Error;
    const found = /position (\d+)/.exec(message);
    const before = text.slice(0, found === null ? text.length : Number(found[1]));
    const place = {
      file,
      line: before.split("\n").length,
      column: before.length - before.lastIndexOf("\n"),
    };
    const reason = message.replace(/ (in JSON )?at position.*$/s, "");
    throw new DataError(`this is not JSON: ${reason}`, { place, cause });
  }
}

/** Whole numbers, one a line. */
async function numbersIn(file: string): Promise<Set<number>> {
  const lines = (await readFile(file, "utf8")).split(/\r?\n/);
  const numbers = new Set<number>();
  for (const [k, line] of lines.entries()) {
    if (line.trim() === "") continue;
    if (!/^\s*\d+\s*$/.test(line))
      throw new DataError(`the number of an image is expected, not "${line}"`, {
        place: { file, line: k + 1 },
      });
    numbers.add(Number(line));
  }
  return numbers;
}
