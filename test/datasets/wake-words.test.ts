import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import jpeg from "jpeg-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { datasetList, getDataset, verifyDataset, visualWakeWords } from "../../datasets/index.ts";
import { decodePhotograph, squeeze } from "../../datasets/photographs.ts";
import { decodePng, pngSignature } from "../../datasets/png.ts";

let folder: string;
const before = [process.env["MEMSPIKE_DATA"], process.env["XDG_CACHE_HOME"]];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "memspike-persons-"));
  process.env["MEMSPIKE_DATA"] = folder;
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
});
afterEach(() => {
  for (const [k, name] of ["MEMSPIKE_DATA", "XDG_CACHE_HOME"].entries()) {
    if (before[k] === undefined) delete process.env[name];
    else process.env[name] = before[k];
  }
  rmSync(folder, { recursive: true });
});

const write = (path: string, content: string | Uint8Array) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
};

/** Message with the folder of this test replaced. */
const failure = async (work: Promise<unknown>): Promise<string> =>
  String(await work.catch((error: Error) => error)).replaceAll(folder, "DATA");

/** A PNG of rows that carry their filters, made by hand. */
function png(header: readonly number[], rows: readonly (readonly number[])[], palette?: readonly number[]) {
  const chunk = (name: string, content: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(name), content]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(content.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const [width, height, ...kinds] = header;
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set(kinds, 8);
  return Buffer.concat([
    pngSignature,
    chunk("IHDR", head),
    ...(palette ? [chunk("PLTE", Uint8Array.from(palette))] : []),
    chunk("IDAT", deflateSync(Uint8Array.from(rows.flat()))),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** A JPEG of one grey level; encoding prepares tables for tens of milliseconds, so each is made once. */
const made = new Map<number, Uint8Array>();
function plain(grey: number): Uint8Array {
  const [width, height] = [16, 16];
  const data = new Uint8Array(4 * width * height).fill(grey);
  const bytes = made.get(grey) ?? jpeg.encode({ width, height, data }, 90).data;
  made.set(grey, bytes);
  return bytes;
}

describe("PNG", () => {
  test("all five filters are undone: the rows that they were made of come back", () => {
    const [width, height] = [5, 5];
    const pixels = Uint8Array.from({ length: 3 * width * height }, (_, k) => (k * k * 37 + 11 * k) % 256);
    const at = (row: number, k: number) => (row < 0 || k < 0 ? 0 : pixels[15 * row + k]);
    const predicted = (filter: number, row: number, k: number) => {
      const [a, b, c] = [at(row, k - 3), at(row - 1, k), at(row - 1, k - 3)];
      if (filter < 3) return [0, a, b][filter];
      if (filter === 3) return Math.floor((a + b) / 2);
      const away = [a, b, c].map((value) => Math.abs(a + b - c - value));
      return [a, b, c][away.indexOf(Math.min(...away))];
    };
    // the filters in each order once, so that each meets the first line
    for (let first = 0; first < 5; first++) {
      const rows = Array.from({ length: height }, (_, row) => {
        const filter = (first + row) % 5;
        return [
          filter,
          ...Array.from({ length: 15 }, (_, k) => (at(row, k) - predicted(filter, row, k)) & 255),
        ];
      });
      const read = decodePng(png([width, height, 8, 2, 0, 0, 0], rows), "x.png");
      expect(read).toEqual({ width, height, data: pixels });
    }
  });

  test("grey, palettes, opacity, few and many bits become red, green, blue", () => {
    const data = (header: number[], rows: number[][], palette?: number[]) =>
      Array.from(decodePng(png(header, rows, palette), "x.png").data);
    expect(data([3, 1, 2, 0, 0, 0, 0], [[0, 0b00_01_11_00]])).toEqual([0, 0, 0, 85, 85, 85, 255, 255, 255]);
    expect(data([2, 1, 8, 4, 0, 0, 0], [[0, 7, 255, 9, 0]])).toEqual([7, 7, 7, 9, 9, 9]);
    expect(data([1, 1, 16, 2, 0, 0, 0], [[0, 1, 99, 2, 99, 3, 99]])).toEqual([1, 2, 3]);
    expect(data([1, 1, 8, 6, 0, 0, 0], [[0, 1, 2, 3, 4]])).toEqual([1, 2, 3]);
    expect(data([2, 1, 4, 3, 0, 0, 0], [[0, 0x10]], [1, 2, 3, 4, 5, 6])).toEqual([4, 5, 6, 1, 2, 3]);
  });

  test("damage has a reason", () => {
    const good = png([2, 1, 8, 0, 0, 0, 0], [[0, 1, 2]]);
    const bad = (bytes: Uint8Array) => () => decodePng(bytes, "x.png");
    expect(bad(good.subarray(0, 50))).toThrow("x.png: byte 33: IDAT has 11 bytes, 5 are left");
    expect(bad(good.subarray(0, 33))).toThrow("x.png: byte 33: the file ends before its last chunk");
    expect(bad(good.subarray(1))).toThrow("x.png: byte 0: a PNG does not begin like this");
    expect(bad(png([2, 1, 8, 0, 0, 0, 1], [[0, 1, 2]]))).toThrow("x.png: it is interlaced");
    expect(bad(png([2, 2, 8, 0, 0, 0, 0], [[0, 1, 2]]))).toThrow("its pixels have 3 bytes, 6 are expected");
    expect(bad(png([2, 1, 8, 0, 0, 0, 0], [[5, 1, 2]]))).toThrow("there is no filter 5");
    expect(bad(png([1, 1, 8, 3, 0, 0, 0], [[0, 1]], [1, 2, 3]))).toThrow(
      "line 0, column 0: colour 1 is not in its palette",
    );
    expect(bad(png([1, 1, 8, 5, 0, 0, 0], [[0, 1]]))).toThrow("it has 1 x 1 pixels of type 5 and 8 bits");
  });
});

describe("photographs", () => {
  test("a JPEG comes back as it was encoded, to what its quality costs", () => {
    const [width, height] = [24, 16];
    const value = (x: number, y: number, c: number) => [8 * x, 12 * y, 100][c];
    const data = Uint8Array.from({ length: 4 * width * height }, (_, k) =>
      k % 4 === 3 ? 255 : value((k >> 2) % width, Math.floor((k >> 2) / width), k % 4),
    );
    const read = decodePhotograph(jpeg.encode({ width, height, data }, 100).data, "x.jpg");
    expect([read.width, read.height, read.data.length]).toEqual([width, height, 3 * width * height]);
    const off = read.data.map((got, k) =>
      Math.abs(got - value(Math.floor(k / 3) % width, Math.floor(k / 3 / width), k % 3)),
    );
    expect(Math.max(...off)).toBeLessThan(6); // a control with red and blue exchanged is off by up to 100
  });

  test("squeezed pixels are means of the areas they cover; a whole factor gives plain means, the sum stays", () => {
    const pixels = {
      width: 4,
      height: 2,
      data: Uint8Array.from({ length: 24 }, (_, k) => 12 * Math.floor(k / 3)),
    };
    const to = new Uint8Array(2 * 2 * 3);
    squeeze(pixels, 2, 3, to); // each the mean of two neighbours of a line
    expect(Array.from(to)).toEqual([6, 30, 54, 78].flatMap((level) => [level, level, level]));
    const grey = new Uint8Array(9);
    squeeze(pixels, 3, 1, grey); // columns of 4/3 pixels: (0 + 12 / 3) 3 / 4, …; lines of 2/3 of one
    const expected = [0, 24, 48].flatMap((more) => [3, 18, 33].map((level) => level + more));
    expect(Array.from(grey)).toEqual(expected);
    const colours = { width: 1, height: 1, data: Uint8Array.of(200, 100, 50) };
    const large = new Uint8Array(4);
    squeeze(colours, 2, 1, large);
    expect(Array.from(large)).toEqual(new Array(4).fill(Math.round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)));
  });

  test("what is no image, or half of one, is named", () => {
    expect(() => decodePhotograph(Buffer.from("GIF89a"), "x.gif")).toThrow(
      "x.gif: it begins neither as JPEG nor as PNG does",
    );
    expect(() => decodePhotograph(plain(90).subarray(0, 300), "x.jpg")).toThrow(
      "x.jpg: it is no whole JPEG:",
    );
  });
});

describe("folders of classes", () => {
  const fill = (persons: number, others: number, other = "visual-wake-words/vw_coco2014_96/non_person") => {
    for (let k = 0; k < persons; k++)
      write(`visual-wake-words/vw_coco2014_96/person/${100 + k}.jpg`, plain(200 + (k % 2)));
    for (let k = 0; k < others; k++) write(`${other}/${100 + k}.png`, png([1, 1, 8, 0, 0, 0, 0], [[0, k]]));
  };

  test("a tenth of each class by name is for tests; both come evenly mixed; data list tells the folder", async () => {
    fill(20, 10);
    write("visual-wake-words/vw_coco2014_96/person/notes.txt", "no image");
    const test = await visualWakeWords("test", { side: 4, channels: 1 });
    expect([test.size, test.height, test.width, test.channels]).toEqual([3, 4, 4, 1]);
    expect(Array.from(test.labels)).toEqual([1, 0, 1]);
    expect(Array.from(test.images.subarray(16, 32))).toEqual(new Array(16).fill(0));
    for (const [k, grey] of [200, 201].entries())
      expect(Math.abs(test.images[32 * k] - grey)).toBeLessThan(3); // JPEG of quality 90
    expect(test.classes[1]).toBe("person");
    const learnt = await visualWakeWords("train");
    expect([learnt.size, learnt.width, learnt.channels]).toEqual([27, 96, 3]);
    const few = await visualWakeWords("train", { side: 1, channels: 1, limit: 6 });
    expect(Array.from(few.labels)).toEqual([1, 0, 1, 1, 0, 1]);
    expect(few.split.replaceAll(folder, "DATA")).toBe(
      "Visual Wake Words, 6 of 27 training images (DATA/visual-wake-words/vw_coco2014_96, a tenth of each class for tests)",
    );
    expect(datasetList().find(({ name }) => name === "visual-wake-words")?.where).toBe(
      join(folder, "visual-wake-words/vw_coco2014_96"),
    );
    await expect(visualWakeWords("test", { limit: 4 })).rejects.toThrow(
      "there are 3 test images of Visual Wake Words here",
    );
  });

  test("too few images, none, and one that cannot be read are errors with the place", async () => {
    fill(10, 9);
    expect(await failure(visualWakeWords("test"))).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/vw_coco2014_96/non_person: it holds 9 images; a tenth is kept for tests, so there must be ten"`,
    );
    fill(10, 10);
    write("visual-wake-words/vw_coco2014_96/person/109.jpg", "broken");
    expect(await failure(visualWakeWords("train"))).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/vw_coco2014_96/person/109.jpg: it begins neither as JPEG nor as PNG does"`,
    );
    rmSync(join(folder, "visual-wake-words/vw_coco2014_96/person"), { recursive: true });
    mkdirSync(join(folder, "visual-wake-words/vw_coco2014_96/person"));
    expect(await failure(visualWakeWords("train"))).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/vw_coco2014_96/person: it holds no JPEG and no PNG images"`,
    );
  });
});

describe("COCO", () => {
  const categories = [
    { id: 3, name: "car" },
    { id: 7, name: "person" },
  ];
  const image = (id: number, name = `${id}.jpg`) => ({ id, file_name: name, width: 200, height: 100 });
  const box = (image_id: number, width: number, height: number, category_id = 7) => ({
    image_id,
    category_id,
    bbox: [0, 0, width, height],
  });
  const lists = (images: unknown[], annotations: unknown[]) =>
    JSON.stringify({ images, annotations, categories });

  /** Of 200 x 100 pixels 0.5 % are 100: 1 and 4 have persons, 2 one too small, 3 a car. */
  const annotations = [
    box(1, 10, 10),
    box(2, 11, 9),
    box(3, 100, 100, 3),
    box(4, 3, 3),
    box(4, 20, 20),
    box(99, 9, 9),
  ];

  test("a box of at least 0.5 % of the frame makes a person; images are found in the folders beside", async () => {
    write(
      "coco/annotations/instances_train2017.json",
      lists(
        [1, 2, 3, 4].map((id) => image(id)),
        annotations,
      ),
    );
    write("coco/annotations/instances_val2017.json", lists([image(5), image(6)], [box(5, 50, 50)]));
    for (const id of [1, 2, 3]) write(`coco/train2017/${id}.jpg`, plain(10 * id));
    write("coco/images/4.jpg", plain(40));
    for (const id of [5, 6]) write(`coco/val2017/${id}.jpg`, plain(10 * id));
    const learnt = await visualWakeWords("train", { side: 2, channels: 1 });
    expect(Array.from(learnt.labels)).toEqual([1, 0, 1, 0]); // 1, 2, 4, 3
    for (const [k, id] of [1, 2, 4, 3].entries())
      expect(Math.abs(learnt.images[4 * k] - 10 * id)).toBeLessThan(3);
    const tested = await visualWakeWords("test", { side: 2 });
    expect(tested.split).toBe("Visual Wake Words, 2 of 2 test images (COCO, instances_val2017.json)");
    write("coco/annotations/mscoco_minival_ids.txt", "2\n4\n6\n");
    const moved = await visualWakeWords("test", { side: 2 });
    expect(moved.split).toContain(
      "3 of 3 test images (COCO, instances_train2017.json and instances_val2017.json, Google's minival)",
    );
    expect(Array.from(moved.labels)).toEqual([0, 1, 0]);
    write("coco/annotations/mscoco_minival_ids.txt", "2\nfour\n");
    expect(await failure(visualWakeWords("test"))).toMatchInlineSnapshot(
      `"DataError: DATA/coco/annotations/mscoco_minival_ids.txt:2: the number of an image is expected, not "four""`,
    );
  });

  test("what is wrong with annotations or missing has its place", async () => {
    const told = async (text: string) => {
      write("visual-wake-words/annotations/instances_train.json", text);
      return await failure(visualWakeWords("train"));
    };
    expect(await told('{\n  "images": [],,\n}')).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/annotations/instances_train.json:2:16: this is not JSON: Expected double-quoted property name"`,
    );
    expect(await told('{ "images": [')).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/annotations/instances_train.json:1:14: this is not JSON: Unexpected end of JSON input"`,
    );
    expect(await told("[]")).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/annotations/instances_train.json: annotations of COCO: an object with fields is expected"`,
    );
    expect(await told('{ "categories": 1 }')).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/annotations/instances_train.json: categories: a list is expected"`,
    );
    expect(await told('{ "categories": [{ "id": 1, "name": "persons" }] }')).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/annotations/instances_train.json: categories: there is no "person"; did you mean persons?"`,
    );
    expect(await told(lists([{ ...image(1), width: "wide" }], []))).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/annotations/instances_train.json: images[0].width: a number is expected, not "wide""`,
    );
    expect(await told(lists([image(1)], [{ ...box(1, 2, 3), bbox: [1, 2] }]))).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/annotations/instances_train.json: annotations[0].bbox: a box [x, y, width, height] is expected"`,
    );
    expect(await told(lists([image(1), image(2)], [box(1, 99, 99)]))).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/annotations/instances_train.json: images[0]: 1.jpg is not in DATA/visual-wake-words, nor in images, train2014, val2014, all2014, train2017, val2017, all2017 there"`,
    );
    write("visual-wake-words/1.jpg", plain(1));
    write("visual-wake-words/2.jpg", plain(1));
    expect(await told(lists([image(1), image(2)], [box(2, 2, 3)]))).toMatchInlineSnapshot(
      `"DataError: Visual Wake Words: COCO, instances_train.json: none of the 2 training images is labelled as one with a person"`,
    );
    expect(await told(lists([image(1)], [box(1, 99, 99)]))).toMatchInlineSnapshot(
      `"DataError: Visual Wake Words: COCO, instances_train.json: none of the 1 training images is labelled as one without a person"`,
    );
    expect(await failure(visualWakeWords("test"))).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/annotations/instances_val.json: there is no such file"`,
    );
  });
});

describe("MLPerf Tiny's test images", () => {
  test("bytes and labels are read; whole for tests, or every fifth of a class when divided here", async () => {
    const names = Array.from({ length: 20 }, (_, k) => `${100 + k}.bin`);
    write("visual-wake-words/vww01/y_labels.csv", names.map((name, k) => `${name},2,${k % 2}\n`).join(""));
    for (const [k, name] of names.entries())
      write(`visual-wake-words/vww01/${name}`, new Uint8Array(96 * 96 * 3).fill(k));
    const whole = await visualWakeWords("test", { set: "tiny" });
    expect([whole.size, whole.width, whole.channels]).toEqual([20, 96, 3]);
    expect(whole.split).toBe("Visual Wake Words, 20 of 20 test images (vww01 of MLPerf Tiny)");
    expect(Array.from(whole.images.subarray(0, 6))).toEqual([1, 1, 1, 1, 1, 1]);
    expect(await failure(visualWakeWords("train", { set: "tiny" }))).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/vww01: the test images of MLPerf Tiny have no training part; the set "own" divides them"`,
    );
    const [learnt, tested] = [
      await visualWakeWords("train", { side: 1, channels: 1 }),
      await visualWakeWords("test", { side: 1, channels: 1 }),
    ];
    expect(tested.split).toContain("4 of 4 test images (vww01 of MLPerf Tiny, divided here)");
    expect(Array.from(tested.images)).toEqual([9, 8, 19, 18]);
    expect(Array.from(tested.labels)).toEqual([1, 0, 1, 0]);
    expect([...learnt.images, ...tested.images].sort((a, b) => a - b)).toEqual(names.map((_, k) => k));

    const parts: number[] = [];
    await visualWakeWords("test", { set: "tiny" }, { progress: (part) => parts.push(part) });
    expect(parts).toEqual([0]); // told once in a hundred images
    const stopped = visualWakeWords("test", {}, { signal: AbortSignal.abort() });
    await expect(stopped).rejects.toThrow("aborted");

    write("visual-wake-words/vww01/109.bin", "short");
    expect(await failure(visualWakeWords("test"))).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/vww01/109.bin: it has 5 bytes, 27648 are expected (96 x 96 x 3)"`,
    );
    rmSync(join(folder, "visual-wake-words/vww01/109.bin"));
    expect(await failure(visualWakeWords("test"))).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/vww01/109.bin: y_labels.csv names it, but it is not there"`,
    );
    write("visual-wake-words/vww01/y_labels.csv", "100.bin,2,1\n101.bin,12,4\n");
    expect(await failure(visualWakeWords("test"))).toMatchInlineSnapshot(
      `"DataError: DATA/visual-wake-words/vww01/y_labels.csv:2: an image, the number 2 and a class 0 or 1 are expected, not "101.bin,12,4""`,
    );
  });
});

test("where nothing is here, or what is asked for does not exist, the error says what to do", async () => {
  expect(await failure(visualWakeWords("train"))).toMatchInlineSnapshot(
    `"DataError: Visual Wake Words: no annotations/instances_*.json, no person and non_person, no vww01/y_labels.csv in DATA/visual-wake-words or DATA/cache/memspike/visual-wake-words; \`memspike data list\` tells their origin"`,
  );
  expect(await failure(visualWakeWords("train", { set: "folders" }))).toMatchInlineSnapshot(
    `"DataError: Visual Wake Words: no person and non_person in DATA/visual-wake-words or DATA/cache/memspike/visual-wake-words; \`memspike data list\` tells their origin"`,
  );
  expect(await failure(visualWakeWords("train", { set: "voc" as "coco" }))).toMatchInlineSnapshot(
    `"ConfigError: the sets of Visual Wake Words are "coco", "folders", "tiny", "own", not "voc""`,
  );
  expect(await failure(visualWakeWords("val" as "train"))).toMatchInlineSnapshot(
    `"ConfigError: the parts of Visual Wake Words are "train" and "test", not "val""`,
  );
  expect(await failure(getDataset("visual-wake-words"))).toMatchInlineSnapshot(
    `"DataError: visual-wake-words: it cannot be fetched; get it from https://cocodataset.org/#download and https://github.com/mlcommons/tiny, so that DATA has visual-wake-words/annotations/instances_*.json with images, visual-wake-words/person and non_person, or visual-wake-words/vww01"`,
  );
  expect(await failure(verifyDataset("visual-wake-words"))).toMatchInlineSnapshot(
    `"DataError: visual-wake-words: it is the user's own, no checksum of it is known"`,
  );
});
