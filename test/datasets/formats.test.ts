import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readIdx } from "../../datasets/idx.ts";
import { decodeEvents, eventRaster } from "../../datasets/nmnist.ts";
import { readTar } from "../../datasets/tar.ts";
import { gunzip, unbrotli } from "../../datasets/unpack.ts";
import { DataError } from "../../src/math/errors.ts";
import { archive, entry } from "./tar-writer.ts";

/** The text of the DataError that `read` throws. */
function message(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as Error).message;
  }
  return "no error";
}

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = value;
  return copy;
}

describe("tar", () => {
  const long = `${"folder/".repeat(20)}name.txt`;
  const bytes = archive(
    entry("a/", new Uint8Array(0), "5"),
    entry(
      "a/one",
      Uint8Array.from({ length: 600 }, (_, k) => k % 251),
    ),
    entry(long, new Uint8Array([7])),
  );

  test("files come with name and content, long names and padding included; folders are left out", () => {
    const [one, two, ...rest] = readTar(bytes, "x.tar");
    expect(rest).toEqual([]);
    expect([one.name, one.offset, one.bytes.length, one.bytes[599]]).toEqual(["a/one", 1024, 600, 599 % 251]);
    expect([two.name, ...two.bytes]).toEqual([long, 7]);
  });

  test("damage has a place and a reason", () => {
    expect([
      message(() => readTar(bytes.subarray(0, 512 + 1600), "x.tar")),
      message(() => readTar(bytes.subarray(0, 700), "x.tar")),
      message(() => readTar(bytes.subarray(0, 1100), "x.tar")),
      message(() => readTar(changed(bytes, 515, 0x2f), "x.tar")),
      message(() => readTar(archive(entry("link", new Uint8Array(0), "2")), "x.tar")),
    ]).toMatchInlineSnapshot(`
      [
        "x.tar: byte 2048: the archive ends without its two empty blocks",
        "x.tar: byte 512: the archive ends without its two empty blocks",
        "x.tar: byte 512: a/one has 600 bytes, 76 are left in the archive",
        "x.tar: byte 512: the header's checksum is 1958, its bytes give 1895",
        "x.tar: byte 0: link is of type "2"; files and folders are read",
      ]
    `);
  });
});

let state = 1;
const content = Uint8Array.from({ length: 50_000 }, () => (state = Math.imul(state, 48271) >>> 0) >>> 25);

describe.each([
  ["gzip", gunzip, gzipSync],
  ["Brotli", unbrotli, brotliCompressSync],
] as const)("%s", (_, unpack, pack) => {
  const packed = new Uint8Array(pack(content));

  test("unpacks", () => {
    expect(unpack(packed, "x")).toEqual(content);
  });

  test("cut short, it ends too early, at its last byte", () => {
    expect(message(() => unpack(packed.subarray(0, 20_000), "x"))).toMatch(
      /^x: byte 20000: the file ends too early \(/,
    );
  });

  test("a file that is something else is refused at its beginning", () => {
    const text = message(() => unpack(new TextEncoder().encode("<html>404 not found</html>".repeat(9)), "x"));
    expect(Number(/^x: byte (\d+): /.exec(text)?.[1])).toBeLessThan(20);
  });
});

test("a gzip file with a flipped bit is refused at or after that bit", () => {
  const packed = new Uint8Array(gzipSync(content));
  const text = message(() => gunzip(changed(packed, 5000, packed[5000] ^ 16), "x.gz"));
  expect(Number(/^x\.gz: byte (\d+): /.exec(text)?.[1])).toBeGreaterThanOrEqual(5000);
});

describe("idx", () => {
  const bytes = Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]);

  test("shape and elements", () => {
    const { shape, elements } = readIdx(bytes, "x", 2);
    expect(shape).toEqual([2, 3]);
    expect(Array.from(elements)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("damage has a place and a reason", () => {
    expect([
      message(() => readIdx(bytes.subarray(0, 9), "x", 2)),
      message(() => readIdx(bytes, "x", 1)),
      message(() => readIdx(changed(bytes, 2, 13), "x", 2)),
      message(() => readIdx(bytes.subarray(0, 15), "x", 2)),
      message(() => readIdx(changed(bytes, 7, 1), "x", 2)),
    ]).toMatchInlineSnapshot(`
      [
        "x: byte 9: the file ends inside its header of 12 bytes",
        "x: byte 0: the magic number is 2050, 2049 is expected",
        "x: byte 0: the magic number is 3330, 2050 is expected",
        "x: byte 15: the file ends after 3 of 6 elements (2 x 3)",
        "x: byte 15: 3 bytes follow the 3 elements",
      ]
    `);
  });
});

describe("events", () => {
  const bytes = Uint8Array.from([3, 33, 0x80, 0, 10, 0, 0, 0x01, 0x02, 0x03]);

  test("five bytes are x, y, polarity and 23 bits of microseconds; cells are ordered by polarity, row, column", () => {
    const events = decodeEvents(bytes, "x.bs2");
    expect(events).toEqual({
      t: Float64Array.from([10e-6, 0x010203 / 1e6]),
      x: Uint8Array.from([3, 0]),
      y: Uint8Array.from([33, 0]),
      on: Uint8Array.from([1, 0]),
    });
    const spikes = eventRaster(events);
    expect(spikes.size).toBe(2312);
    expect(Array.from(spikes.i)).toEqual([(34 + 33) * 34 + 3, 0]);
  });

  test("damage has a place and a reason", () => {
    expect([
      message(() => decodeEvents(bytes.subarray(0, 7), "x.bs2")),
      message(() => decodeEvents(changed(bytes, 5, 34), "x.bs2")),
    ]).toMatchInlineSnapshot(`
      [
        "x.bs2: byte 5: the last event has 2 of 5 bytes",
        "x.bs2: byte 5: an event at (34, 0), outside 34 x 34 pixels",
      ]
    `);
  });
});
