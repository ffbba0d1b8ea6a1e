/**
 * WAV (RIFF) decoding: PCM of 8, 16, 24, 32 bits and IEEE float of 32 and 64 bits, plain or extensible header.
 *
 * Source: Microsoft/IBM "Multimedia Programming Interface and Data Specifications 1.0" (1991) and
 * Microsoft, "Multiple channel audio data and WAVE files" (WAVEFORMATEXTENSIBLE). Unknown chunks are
 * skipped. Not read: RF64, compressed formats.
 */

import { DataError } from "../math/errors.ts";
import type { Audio } from "./audio.ts";

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

interface Format {
  tag: number; // PCM or FLOAT
  channels: number;
  sampleRate: number; // Hz
  block: number; // bytes per frame
  bits: number; // per sample
}

/**
 * Sound from the bytes of a WAV file. `source` names the file in errors.
 * Throws `DataError` with byte offset and reason.
 */
export function decodeWav(bytes: Uint8Array, source = "WAV"): Audio {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (offset: number, reason: string): never => {
    throw new DataError(`${source}: byte ${offset}: ${reason}`);
  };
  const text = (offset: number) => String.fromCharCode(...bytes.subarray(offset, offset + 4));

  if (bytes.length < 12) fail(bytes.length, "the file ends inside the RIFF header");
  if (text(0) !== "RIFF") fail(0, `expected "RIFF", found ${JSON.stringify(text(0))}`);
  if (text(8) !== "WAVE") fail(8, `expected "WAVE", found ${JSON.stringify(text(8))}`);

  let format: Format | undefined;
  for (let at = 12; ; ) {
    if (at + 8 > bytes.length) return fail(at, "the file ends before a data chunk");
    const id = text(at);
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (start + size > bytes.length)
      return fail(at, `chunk ${JSON.stringify(id)} says ${size} bytes, ${bytes.length - start} are left`);

    if (id === "fmt ") {
      if (size < 16) fail(at, `the format chunk has ${size} bytes, at least 16 are needed`);
      let tag = view.getUint16(start, true);
      if (tag === EXTENSIBLE) {
        if (size < 40) fail(at, `the extensible format chunk has ${size} bytes, 40 are needed`);
        tag = view.getUint16(start + 24, true); // first two bytes of the sub-format GUID
      }
      format = {
        tag,
        channels: view.getUint16(start + 2, true),
        sampleRate: view.getUint32(start + 4, true),
        block: view.getUint16(start + 12, true),
        bits: view.getUint16(start + 14, true),
      };
      const { channels, sampleRate, bits, block } = format;
      const known = tag === PCM ? [8, 16, 24, 32] : tag === FLOAT ? [32, 64] : [];
      if (!known.includes(bits))
        fail(start, `format ${tag} with ${bits} bits is not read; PCM 8, 16, 24, 32 and float 32, 64 are`);
      if (channels < 1 || sampleRate < 1) fail(start + 2, `${channels} channels at ${sampleRate} Hz`);
      if (block !== (channels * bits) / 8)
        fail(
          start + 12,
          `a frame of ${channels} channels of ${bits} bits is ${(channels * bits) / 8} bytes, not ${block}`,
        );
    } else if (id === "data") {
      if (!format) return fail(at, "the data chunk comes before the format chunk");
      if (size % format.block !== 0)
        return fail(at + 4, `${size} bytes of data are not whole frames of ${format.block} bytes`);
      return samples(view, start, size / format.block, format, fail);
    }
    at = start + size + (size & 1); // chunks are padded to even length
  }
}

function samples(
  view: DataView,
  start: number,
  frames: number,
  format: Format,
  fail: (offset: number, reason: string) => never,
): Audio {
  const { tag, channels, sampleRate, block, bits } = format;
  const read = (at: number): number => {
    if (tag === FLOAT) return bits === 32 ? view.getFloat32(at, true) : view.getFloat64(at, true);
    if (bits === 8) return (view.getUint8(at) - 128) / 128; // the only unsigned one
    if (bits === 16) return view.getInt16(at, true) / 2 ** 15;
    if (bits === 24) return ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 2 ** 23;
    return view.getInt32(at, true) / 2 ** 31;
  };
  const channel = (c: number): Float64Array =>
    Float64Array.from({ length: frames }, (_, k) => {
      const at = start + k * block + (c * bits) / 8;
      const sample = read(at);
      return Number.isFinite(sample) ? sample : fail(at, `a sample is ${sample}`);
    });
  return { sampleRate, channels: Array.from({ length: channels }, (_, c) => channel(c)) };
}
