import fc from "fast-check";
import seedrandom from "seedrandom";
import { describe, expect, test } from "vitest";
import { philox, randomKey, uniform, uniform32 } from "../../src/math/random.ts";

function words(counter: readonly number[], key: readonly number[]): string[] {
  const out = new Uint32Array(4);
  philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1], out);
  return [...out].map((word) => word.toString(16).padStart(8, "0"));
}

/** The cipher in 64-bit integers, straight from Salmon et al. 2011, section 3.3. */
function reference(counter: readonly number[], key: readonly number[]): number[] {
  let [x0, x1, x2, x3] = counter.map((word) => BigInt(word >>> 0));
  let [k0, k1] = key.map((word) => BigInt(word >>> 0));
  const mask = 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * x0;
    const p1 = 0xcd9e8d57n * x2;
    [x0, x1, x2, x3] = [(p1 >> 32n) ^ x1 ^ k0, p1 & mask, (p0 >> 32n) ^ x3 ^ k1, p0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [x0, x1, x2, x3].map(Number);
}

const word = fc.integer({ min: 0, max: 0xffffffff });

describe("Philox4x32-10", () => {
  // Random123 1.14, examples/kat_vectors, lines "philox4x32 10".
  test("gives the published known answers", () => {
    expect(words([0, 0, 0, 0], [0, 0])).toEqual(["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]);
    expect(words(Array(4).fill(0xffffffff), Array(2).fill(0xffffffff))).toEqual([
      "408f276d",
      "41c83b0e",
      "a20bc7c6",
      "6d5451fd",
    ]);
    expect(words([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
      "d16cfe09",
      "94fdcceb",
      "5001e420",
      "24126ea1",
    ]);
  });

  test("agrees with 64-bit integer arithmetic for any counter and key", () => {
    const counter = fc.tuple(word, word, word, word);
    fc.assert(
      fc.property(counter, fc.tuple(word, word), (c, k) => {
        const out = new Uint32Array(4);
        philox(c[0], c[1], c[2], c[3], k[0], k[1], out);
        expect([...out]).toEqual(reference(c, k));
      }),
      { numRuns: 500 },
    );
  });
});

describe("addresses", () => {
  test("float64: elements e and e + 4 of eight share a block, high word first", () => {
    for (let element = 0; element < 64; element++) {
      const index = Math.floor(element / 8) * 4 + (element % 4);
      const half = element % 8 < 4 ? 0 : 1;
      const out = reference([index, 17, 3, 2], [5, 6]);
      const bits = (BigInt(out[2 * half]) << 32n) | BigInt(out[2 * half + 1]);
      expect(uniform([5, 6], 3, element, 17, 2)).toBe((Number(bits >> 12n) + 0.5) / 2 ** 52);
    }
  });

  test("float32: sixteen elements share four blocks, lane by lane", () => {
    for (let element = 0; element < 64; element++) {
      const index = Math.floor(element / 16) * 4 + (element % 4);
      const out = reference([index, 17, 3, 0], [5, 6]);
      const value = uniform32([5, 6], 3, element, 17);
      expect(value).toBe(((out[Math.floor(element / 4) % 4] >>> 9) + 0.5) / 2 ** 23);
      expect(Math.fround(value)).toBe(value);
    }
  });

  test("every word of a block is used once", () => {
    const seen64 = new Set<number>();
    const seen32 = new Set<number>();
    for (let element = 0; element < 1024; element++) {
      seen64.add(uniform([1, 2], 0, element, 0));
      seen32.add(uniform32([1, 2], 0, element, 0));
    }
    expect(seen64.size).toBe(1024);
    expect(seen32.size).toBe(1024); // a repeat among 2^23 values: 6 %, but not for this key
  });

  test("key, stream, element, tick and draw each change the number", () => {
    const draws = [
      uniform([1, 2], 0, 0, 0),
      uniform([2, 2], 0, 0, 0),
      uniform([1, 3], 0, 0, 0),
      uniform([1, 2], 1, 0, 0),
      uniform([1, 2], 0, 1, 0),
      uniform([1, 2], 0, 0, 1),
      uniform([1, 2], 0, 0, 0, 1),
    ];
    expect(new Set(draws).size).toBe(draws.length);
  });

  test("a float32 draw is below 1 for the largest word; draws lie inside (0, 1)", () => {
    expect(Math.fround(((0xffffffff >>> 9) + 0.5) * 2 ** -23)).toBeLessThan(1);
    fc.assert(
      fc.property(word, word, (element, tick) => {
        const u = uniform([7, 8], 0, element, tick);
        expect(u > 0 && u < 1).toBe(true);
      }),
    );
  });

  test("uniform draws are uniform: chi-squared over 256 bins, a false alarm once in 1e6", () => {
    const count = 200_000;
    const bins = new Float64Array(256);
    const skewed = new Float64Array(256); // control: u^1.05
    for (let element = 0; element < count; element++) {
      const u = uniform([11, 12], 4, element, 9);
      bins[Math.floor(u * 256)]++;
      skewed[Math.floor(u ** 1.05 * 256)]++;
    }
    const chi = (observed: Float64Array): number =>
      observed.reduce((sum, n) => sum + (n - count / 256) ** 2 / (count / 256), 0);
    const limit = 377.08; // 1 - 1e-6 quantile of chi-squared with 255 degrees of freedom
    expect(chi(bins)).toBeLessThan(limit);
    expect(chi(skewed)).toBeGreaterThan(limit);
  });
});

describe("keys", () => {
  test("a key is the first two 32-bit words of seedrandom's ARC4 for the joined path", () => {
    const generator = seedrandom("7/chip/3");
    expect(randomKey(7, "chip", 3)).toEqual([generator.int32() >>> 0, generator.int32() >>> 0]);
    expect(randomKey("7/chip/3")).toEqual(randomKey(7, "chip", 3));
  });

  test("keys do not change between versions", () => {
    expect(randomKey("memspike", "cells", 0)).toMatchInlineSnapshot(`
      [
        3767337006,
        2473675999,
      ]
    `);
  });

  test("10,000 neighbouring paths have distinct keys", () => {
    const keys = new Set<string>();
    for (let k = 0; k < 10_000; k++) keys.add(randomKey(1, "part", k).join());
    expect(keys.size).toBe(10_000);
  });
});
