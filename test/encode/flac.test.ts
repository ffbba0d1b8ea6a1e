import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeAudio } from "../../src/encode/decode.ts";
import { decodeFlac } from "../../src/encode/flac.ts";
import { DataError } from "../../src/math/errors.ts";
import golden from "../golden/flac/samples.json" with { type: "json" };
import type { FrameShape, Rice, Subframe } from "./flac-writer.ts";
import { writeFlac } from "./flac-writer.ts";

const here = new URL("../", import.meta.url);

function bytesOf(name: string): Uint8Array {
  const path = name.startsWith("spoken-letters/") ? `../datasets/${name}` : `golden/flac/${name}`;
  return new Uint8Array(readFileSync(new URL(path, here)));
}

function integers(channel: Float64Array, bits: number): Int32Array {
  return Int32Array.from(channel, (x) => x * 2 ** (bits - 1));
}

describe("against libsndfile 1.2.2 and flac 1.4.2 (test/golden/flac/make.py)", () => {
  test.each(Object.entries(golden.files))(
    "%s has their samples",
    (name, { rate, bits, channels, samples, sha256 }) => {
      const audio = decodeFlac(bytesOf(name), name);
      expect(audio.sampleRate).toBe(rate);
      expect(audio.channels.map((channel) => channel.length)).toEqual(Array(channels).fill(samples));
      const hash = createHash("sha256");
      for (const channel of audio.channels) hash.update(new Uint8Array(integers(channel, bits).buffer));
      expect(hash.digest("hex")).toBe(sha256);
    },
  );
});

// A seeded generator for test signals: 32-bit linear congruential, high bits used.
function generator(seed: number): (range: number) => number {
  let state = seed >>> 0;
  return (range) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * range);
  };
}

/** A random walk that stays within `bits` bits, all values multiples of 2^wasted. */
function walk(length: number, bits: number, seed: number, wasted = 0): number[] {
  const draw = generator(seed);
  const top = 2 ** (bits - 1 - wasted);
  let x = 0;
  return Array.from({ length }, () => {
    x += draw(2 ** Math.max(2, bits - 6 - wasted)) - 2 ** Math.max(1, bits - 7 - wasted);
    x = Math.max(-top, Math.min(top - 1, x));
    return x * 2 ** wasted;
  });
}

const plain = (rice: number): Rice => ({ method: 0, partitionOrder: 0, parameters: [{ rice }] });

function roundTrip(samples: number[][], bits: number, shape: FrameShape): number[][] {
  const stream = writeFlac(samples, { bits, sampleRate: 8000, blockSize: samples[0].length }, [shape]);
  return decodeFlac(stream).channels.map((channel) => Array.from(integers(channel, bits)));
}

describe("a stream made of one subframe gives its samples back", () => {
  const linear: Subframe = {
    kind: "linear",
    coefficients: [1640, -900, 310, 77, -12],
    precision: 12,
    shift: 10,
    rice: plain(9),
  };
  const long: Subframe = {
    kind: "linear",
    coefficients: Array.from({ length: 32 }, (_, k) => (k % 2 === 0 ? 1 : -1) * (9000 - 250 * k)),
    precision: 15,
    shift: 14,
    rice: { method: 1, partitionOrder: 0, parameters: [{ rice: 16 }] },
  };
  const cases: [name: string, bits: number, shape: Subframe, wasted?: number][] = [
    ["verbatim, 8 bits", 8, { kind: "verbatim" }],
    ["verbatim, 24 bits", 24, { kind: "verbatim" }],
    ["verbatim, 4 bits", 4, { kind: "verbatim" }],
    ["fixed, order 0", 12, { kind: "fixed", order: 0, rice: plain(7) }],
    ["fixed, order 1", 16, { kind: "fixed", order: 1, rice: plain(8) }],
    ["fixed, order 2", 16, { kind: "fixed", order: 2, rice: plain(9) }],
    ["fixed, order 3", 16, { kind: "fixed", order: 3, rice: plain(10) }],
    ["fixed, order 4", 20, { kind: "fixed", order: 4, rice: plain(14) }],
    ["fixed, Rice parameter 0", 6, { kind: "fixed", order: 1, rice: plain(0) }],
    [
      "fixed, second Rice code",
      24,
      { kind: "fixed", order: 2, rice: { method: 1, partitionOrder: 0, parameters: [{ rice: 20 }] } },
    ],
    [
      "four partitions, two of them raw",
      16,
      {
        kind: "fixed",
        order: 1,
        rice: {
          method: 0,
          partitionOrder: 2,
          parameters: [{ rice: 8 }, { raw: 12 }, { rice: 5 }, { raw: 14 }],
        },
      },
    ],
    [
      "a raw partition of the second code",
      24,
      {
        kind: "fixed",
        order: 1,
        rice: { method: 1, partitionOrder: 1, parameters: [{ raw: 22 }, { rice: 17 }] },
      },
    ],
    ["linear prediction, order 5", 16, linear],
    ["linear prediction, order 32, 24 bits", 24, long],
    [
      "linear prediction, order 32, 32 bits",
      32,
      { ...long, rice: { method: 1, partitionOrder: 0, parameters: [{ rice: 26 }] } },
    ],
    ["wasted bits, verbatim", 16, { kind: "verbatim" }, 3],
    ["wasted bits, fixed", 16, { kind: "fixed", order: 2, rice: plain(5) }, 5],
    ["wasted bits, linear", 16, linear, 1],
  ];
  test.each(cases)("%s", (_, bits, shape, wasted = 0) => {
    const samples = [walk(320, bits, 11, wasted)];
    expect(roundTrip(samples, bits, { subframes: [shape], wasted: [wasted] })).toEqual(samples);
  });

  test("a partition of zero raw bits is all zeros; constants of both signs", () => {
    const rice: Rice = { method: 0, partitionOrder: 0, parameters: [{ raw: 0 }] };
    const flat = [Array<number>(64).fill(-5)];
    expect(roundTrip(flat, 8, { subframes: [{ kind: "fixed", order: 1, rice }] })).toEqual(flat);
    for (const value of [-128, -1, 0, 127])
      expect(roundTrip([Array<number>(64).fill(value)], 8, { subframes: [{ kind: "constant" }] })).toEqual([
        Array<number>(64).fill(value),
      ]);
  });

  test.each([
    ["left and side", 8],
    ["side and right", 9],
    ["mid and side", 10],
    ["independent", 1],
  ])("stereo as %s, odd sums and extreme values included", (_, layout) => {
    const left = [-32768, 32767, -1, 0, 1, ...walk(315, 16, 5)];
    const right = [32767, -32768, 0, 1, -1, ...walk(315, 16, 6)];
    const samples = [left, right];
    const verbatim: Subframe[] = [{ kind: "verbatim" }, { kind: "verbatim" }];
    expect(roundTrip(samples, 16, { layout, subframes: verbatim })).toEqual(samples);
  });

  test("200 frames, numbered in one and two bytes, the last one shorter", () => {
    const samples = [walk(199 * 20 + 7, 16, 3)];
    const shapes = Array.from({ length: 200 }, (): FrameShape => ({ subframes: [{ kind: "verbatim" }] }));
    const stream = writeFlac(samples, { bits: 16, sampleRate: 8000, blockSize: 20 }, shapes);
    expect(Array.from(integers(decodeFlac(stream).channels[0], 16))).toEqual(samples[0]);
  });
});

describe("damage is one DataError with place and reason", () => {
  const stream = bytesOf("wasted-16.flac");
  const message = (bytes: Uint8Array): string => {
    try {
      decodeFlac(bytes, "x.flac");
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
      return (error as Error).message;
    }
    return "decoded";
  };
  const changed = (at: number, value: number): Uint8Array => {
    const copy = stream.slice();
    copy[at] = value;
    return copy;
  };

  test("texts", () => {
    const firstFrame = stream.findIndex((byte, k) => byte === 0xff && stream[k + 1] === 0xf8);
    expect(message(changed(0, 0x66 ^ 1))).toMatchInlineSnapshot(`"x.flac: byte 0: expected "fLaC""`);
    expect(message(changed(4, 4))).toMatchInlineSnapshot(
      `"x.flac: byte 4: the first block is not STREAMINFO"`,
    );
    expect(message(stream.subarray(0, 30))).toMatchInlineSnapshot(
      `"x.flac: byte 4: a metadata block says 34 bytes, 22 are left"`,
    );
    expect(message(stream.subarray(0, firstFrame + 40))).toBe(
      `x.flac: byte ${firstFrame + 40}: the data end here`,
    );
    expect(message(changed(firstFrame + 1, 0))).toBe(
      `x.flac: byte ${firstFrame}: no frame starts here (wrong sync code)`,
    );
    expect(message(changed(firstFrame + 4, 9))).toMatch(
      /^x\.flac: byte \d+: frame header CRC-8 is 0x\w\w, the header gives 0x\w\w$/,
    );
    expect(message(changed(stream.length - 1, stream[stream.length - 1] ^ 1))).toMatch(
      /^x\.flac: byte \d+: frame CRC-16 is 0x\w+, the frame gives 0x\w+$/,
    );
    expect(() => decodeAudio(new Uint8Array([1, 2, 3, 4]), "x.ogg")).toThrowErrorMatchingInlineSnapshot(
      `[DataError: x.ogg: byte 0: neither WAV ("RIFF") nor FLAC ("fLaC"), the file starts with "\\u0001\\u0002\\u0003\\u0004"]`,
    );
  });

  test("every flipped bit of the frames is noticed (512 of them, spread evenly)", () => {
    const firstFrame = stream.findIndex((byte, k) => byte === 0xff && stream[k + 1] === 0xf8);
    const bits = (stream.length - firstFrame) * 8;
    for (let k = 0; k < 512; k++) {
      const bit = Math.floor((k * bits) / 512) + (k % 7);
      const at = firstFrame + (bit >> 3);
      expect(message(changed(at, stream[at] ^ (1 << (bit & 7)))), `bit ${bit}`).not.toBe("decoded");
    }
  });

  test("every file cut short is noticed (all 100 hundredths)", () => {
    for (let k = 0; k < 100; k++)
      expect(message(stream.subarray(0, Math.floor((k * stream.length) / 100))), `${k} %`).not.toBe(
        "decoded",
      );
  });
});
