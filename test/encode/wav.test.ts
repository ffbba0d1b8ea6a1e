import { describe, expect, test } from "vitest";
import { mono } from "../../src/encode/audio.ts";
import { decodeAudio } from "../../src/encode/decode.ts";
import { decodeWav } from "../../src/encode/wav.ts";

interface Shape {
  tag: number;
  bits: number;
  channels: number;
  extensible?: boolean;
}

/** A WAV file at 8 kHz whose data bytes are given. */
function wav(
  { tag, bits, channels, extensible = false }: Shape,
  data: Uint8Array,
  before: Uint8Array[] = [],
): Uint8Array {
  const format = new DataView(new ArrayBuffer(extensible ? 40 : 16));
  format.setUint16(0, extensible ? 0xfffe : tag, true);
  format.setUint16(2, channels, true);
  format.setUint32(4, 8000, true);
  format.setUint32(8, (8000 * channels * bits) / 8, true);
  format.setUint16(12, (channels * bits) / 8, true);
  format.setUint16(14, bits, true);
  if (extensible) format.setUint16(24, tag, true);
  const body = [
    ...new TextEncoder().encode("WAVE"),
    ...before.flatMap((chunk) => [...chunk]),
    ...chunk("fmt ", new Uint8Array(format.buffer)),
    ...chunk("data", data),
  ];
  return Uint8Array.from([...chunk("RIFF", Uint8Array.from(body))]);
}

function chunk(id: string, content: Uint8Array): Uint8Array {
  const size = new Uint8Array(new Uint32Array([content.length]).buffer);
  return Uint8Array.from([
    ...new TextEncoder().encode(id),
    ...size,
    ...content,
    ...(content.length % 2 ? [0] : []),
  ]);
}

describe("integers of b bits become s / 2^(b-1), exactly", () => {
  test.each([
    [8, [0x00, 0x80, 0xff], [-1, 0, 127 / 128]],
    [16, [0x00, 0x80, 0xff, 0x7f, 0xff, 0xff], [-1, 1 - 2 ** -15, -(2 ** -15)]],
    [24, [0x00, 0x00, 0x80, 0xff, 0xff, 0x7f, 0x01, 0x00, 0x00], [-1, 1 - 2 ** -23, 2 ** -23]],
    [32, [0x00, 0x00, 0x00, 0x80, 0xff, 0xff, 0xff, 0x7f], [-1, 1 - 2 ** -31]],
  ])("%i bits", (bits, bytes, samples) => {
    for (const extensible of [false, true]) {
      const audio = decodeWav(wav({ tag: 1, bits, channels: 1, extensible }, Uint8Array.from(bytes)));
      expect(audio.sampleRate).toBe(8000);
      expect(Array.from(audio.channels[0])).toEqual(samples);
    }
  });
});

test("floats of 32 and 64 bits are taken as they are", () => {
  const single = new Float32Array([0.1, -1.5, 0]);
  const double = new Float64Array([0.1, -1.5, 0]);
  const read = (bits: number, data: ArrayBufferLike) =>
    Array.from(decodeWav(wav({ tag: 3, bits, channels: 1 }, new Uint8Array(data))).channels[0]);
  expect(read(32, single.buffer)).toEqual(Array.from(single));
  expect(read(64, double.buffer)).toEqual(Array.from(double));
});

test("channels are taken apart, unknown chunks of odd length skipped, mono is the mean", () => {
  const data = new Uint8Array(new Int16Array([16384, -16384, 8192, 0]).buffer);
  const audio = decodeAudio(wav({ tag: 1, bits: 16, channels: 2 }, data, [chunk("LIST", new Uint8Array(5))]));
  expect(audio.channels.map((channel) => Array.from(channel))).toEqual([
    [0.5, 0.25],
    [-0.5, 0],
  ]);
  expect(Array.from(mono(audio))).toEqual([0, 0.125]);
});

test("damage is one DataError with place and reason", () => {
  const good = wav({ tag: 1, bits: 16, channels: 1 }, new Uint8Array(8));
  const changed = (at: number, ...values: number[]): Uint8Array => {
    const copy = good.slice();
    copy.set(values, at);
    return copy;
  };
  const message = (bytes: Uint8Array): string => {
    try {
      decodeWav(bytes, "x.wav");
      return "decoded";
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
  };
  expect([
    message(good),
    message(good.subarray(0, 5)),
    message(changed(8, 0x58)),
    message(good.subarray(0, good.length - 3)),
    message(good.subarray(0, 30)),
    message(good.subarray(0, 36)),
    message(changed(20, 7)),
    message(changed(22, 0)),
    message(changed(32, 3)),
    message(wav({ tag: 1, bits: 16, channels: 2 }, new Uint8Array(6))),
    message(wav({ tag: 3, bits: 32, channels: 1 }, new Uint8Array(new Float32Array([0, Number.NaN]).buffer))),
  ]).toMatchInlineSnapshot(`
    [
      "decoded",
      "DataError: x.wav: byte 5: the file ends inside the RIFF header",
      "DataError: x.wav: byte 8: expected "WAVE", found "XAVE"",
      "DataError: x.wav: byte 36: chunk "data" says 8 bytes, 5 are left",
      "DataError: x.wav: byte 12: chunk "fmt " says 16 bytes, 10 are left",
      "DataError: x.wav: byte 36: the file ends before a data chunk",
      "DataError: x.wav: byte 20: format 7 with 16 bits is not read; PCM 8, 16, 24, 32 and float 32, 64 are",
      "DataError: x.wav: byte 22: 0 channels at 8000 Hz",
      "DataError: x.wav: byte 32: a frame of 1 channels of 16 bits is 2 bytes, not 3",
      "DataError: x.wav: byte 40: 6 bytes of data are not whole frames of 4 bytes",
      "DataError: x.wav: byte 48: a sample is NaN",
    ]
  `);
});
