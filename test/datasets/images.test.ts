import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { channelMoments, cifar10, cifar100, decodeCifar } from "../../datasets/cifar10.ts";
import { shapeClasses, shapeImages } from "../../datasets/shapes.ts";

/** A batch file of synthetic records: byte = (7 record + 3 channel + row + 2 column) mod 256, label = record mod 10. */
function batch(count: number, first = 0): Uint8Array {
  const bytes = new Uint8Array(count * 3073);
  for (let k = 0; k < count; k++) {
    bytes[k * 3073] = (first + k) % 10;
    for (let c = 0; c < 3; c++)
      for (let p = 0; p < 1024; p++) bytes[k * 3073 + 1 + c * 1024 + p] = pixel(first + k, p >> 5, p & 31, c);
  }
  return bytes;
}

function pixel(image: number, row: number, column: number, channel: number): number {
  return (7 * image + 3 * channel + row + 2 * column) % 256;
}

describe("CIFAR-10", () => {
  const folder = mkdtempSync(join(tmpdir(), "memspike-cifar10-"));
  const before = [process.env["MEMSPIKE_DATA"], process.env["XDG_CACHE_HOME"]];
  beforeAll(() => {
    process.env["MEMSPIKE_DATA"] = folder;
    process.env["XDG_CACHE_HOME"] = join(folder, "cache");
  });
  afterAll(() => {
    for (const [k, name] of ["MEMSPIKE_DATA", "XDG_CACHE_HOME"].entries()) {
      if (before[k] === undefined) delete process.env[name];
      else process.env[name] = before[k];
    }
    rmSync(folder, { recursive: true });
  });

  test("where none is here, the error says what was looked for and where", async () => {
    const error = await cifar10("test").catch((e: Error) => e);
    expect(String(error).replaceAll(folder, "DATA")).toMatchInlineSnapshot(
      `"DataError: CIFAR-10: no test_batch.bin (plain, .gz or .br) in DATA/cifar10 or DATA/cache/memspike/cifar10; \`memspike data list\` tells its origin"`,
    );
  });

  test("planes become channels, whatever the packing; batches follow each other; what is here is told", async () => {
    mkdirSync(join(folder, "cifar10/cifar-10-batches-bin"), { recursive: true });
    writeFileSync(join(folder, "cifar10/data_batch_1.bin.br"), brotliCompressSync(batch(3)));
    writeFileSync(join(folder, "cifar10/cifar-10-batches-bin/data_batch_2.bin"), batch(2, 3));
    writeFileSync(join(folder, "cifar10/test_batch_first2000.bin.gz"), gzipSync(batch(4, 5)));
    const set = await cifar10("train");
    expect([set.size, set.height, set.width, set.channels]).toEqual([5, 32, 32, 3]);
    expect(set.split).toBe("CIFAR-10, 5 of 50,000 training images (data_batch_1, data_batch_2)");
    expect(Array.from(set.labels)).toEqual([0, 1, 2, 3, 4]);
    for (const [k, row, column, channel] of [
      [0, 0, 0, 0],
      [2, 31, 0, 1],
      [3, 5, 17, 2],
      [4, 31, 31, 2],
    ])
      expect(set.images[((k * 32 + row) * 32 + column) * 3 + channel]).toBe(pixel(k, row, column, channel));
    const limited = await cifar10("train", { limit: 2 });
    expect(limited.images).toEqual(set.images.slice(0, 2 * 3072));
    expect(limited.split).toBe("CIFAR-10, 2 of 50,000 training images (data_batch_1)");
    expect((await cifar10("test")).split).toBe("CIFAR-10, 4 of 10,000 test images (test_batch_first2000)");
    writeFileSync(join(folder, "cifar10/test_batch.bin"), batch(6));
    expect((await cifar10("test")).split).toBe("CIFAR-10, 6 of 10,000 test images (test_batch)");
    await expect(cifar10("train", { limit: 6 })).rejects.toThrow(
      "there are 5 training images of CIFAR-10 here, not 6",
    );
  });

  test("CIFAR-100 has the class behind one of twenty", async () => {
    await expect(cifar100("train")).rejects.toThrow("CIFAR-100: no train.bin (plain, .gz or .br) in");
    const own = new Uint8Array(2 * 3074);
    own.set([19, 99], 0);
    own.set(batch(1).subarray(1), 2);
    own.set([7, 3], 3074);
    mkdirSync(join(folder, "cifar100"));
    writeFileSync(join(folder, "cifar100/test.bin"), own);
    const { labels, images, classes, split } = await cifar100("test");
    expect(Array.from(labels)).toEqual([99, 3]);
    expect(classes.length).toBe(100);
    expect(split).toBe("CIFAR-100, 2 of 10,000 test images (test)");
    expect(images[(5 * 32 + 17) * 3 + 2]).toBe(pixel(0, 5, 17, 2));
    own[3075] = 100;
    writeFileSync(join(folder, "cifar100/test.bin"), own);
    await expect(cifar100("test")).rejects.toThrow("byte 3075: 100 is no class from 0 to 99");
  });

  test("damage has a place and a reason", () => {
    expect(() => decodeCifar(batch(2).subarray(0, 4000), "x.bin")).toThrow(
      "x.bin: byte 3073: the last record has 927 of 3073 bytes after 1 whole ones",
    );
    const wrong = batch(2);
    wrong[3073] = 10;
    expect(() => decodeCifar(wrong, "x.bin")).toThrow("x.bin: byte 3073: 10 is no class from 0 to 9");
  });
});

test("mean and deviation are those of each channel", () => {
  const { mean, deviation } = channelMoments({
    images: Uint8Array.from([0, 255, 10, 51, 255, 20]),
    channels: 3,
  });
  expect(mean).toEqual([0.1, 1, 15 / 255]);
  expect(deviation[0]).toBeCloseTo(0.1, 14);
  expect(deviation[1]).toBe(0);
  expect(deviation[2]).toBeCloseTo(5 / 255, 14);
});

describe("synthetic shapes", () => {
  test("an image is a function of seed, part and number: a larger set begins alike, other seeds and parts differ", () => {
    const few = shapeImages("train", { size: 20, seed: 1 });
    const more = shapeImages("train", { size: 30, seed: 1 });
    expect(more.images.subarray(0, few.images.length)).toEqual(few.images);
    expect(few.classes[few.labels[13]]).toBe("chequered square");
    expect(shapeClasses.length).toBe(10);
    for (const other of [
      shapeImages("test", { size: 20, seed: 1 }),
      shapeImages("train", { size: 20, seed: 2 }),
    ])
      expect(other.images).not.toEqual(few.images);
  });

  test("noise has the deviation asked for", () => {
    const [clean, noisy] = [0, 20].map((noise) => shapeImages("train", { size: 40, seed: 3, noise }).images);
    let [sum, squares, count] = [0, 0, 0];
    for (let k = 0; k < clean.length; k++) {
      if (clean[k] < 60 || clean[k] > 195) continue; // the noise reaches sqrt(6) 20 = 49: nothing is cut off
      sum += noisy[k] - clean[k];
      squares += (noisy[k] - clean[k]) ** 2;
      count++;
    }
    // rounding adds 1/12 + 1/12; a mean of `count` numbers; 4.9 standard errors; kurtosis of triangular noise 2.4
    expect(Math.abs(sum / count)).toBeLessThan((4.9 * 20) / Math.sqrt(count));
    const variance = 400 + 1 / 6;
    expect(Math.abs(squares / count - variance)).toBeLessThan(4.9 * variance * Math.sqrt(1.4 / count));
    expect(count).toBeGreaterThan(50_000);
  });

  test("pixels alone do not tell the class: the nearest of 200 images is of the class of less than half of 50", () => {
    const [known, asked] = [
      shapeImages("train", { size: 200, seed: 1 }),
      shapeImages("test", { size: 50, seed: 1 }),
    ];
    const pixelsOf = (images: Uint8Array, index: number) => images.subarray(index * 3072, (index + 1) * 3072);
    let right = 0;
    for (let k = 0; k < 50; k++) {
      const image = pixelsOf(asked.images, k);
      let [nearest, distance] = [0, Number.POSITIVE_INFINITY];
      for (let j = 0; j < 200; j++) {
        const other = pixelsOf(known.images, j);
        let sum = 0;
        for (let p = 0; p < 3072; p += 4) sum += (image[p] - other[p]) ** 2;
        if (sum < distance) [nearest, distance] = [j, sum];
      }
      if (known.labels[nearest] === asked.labels[k]) right++;
    }
    expect(right).toBeLessThan(25);
  });
});
