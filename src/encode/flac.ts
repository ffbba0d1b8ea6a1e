/**
 * FLAC decoding, after RFC 9639 ("Free Lossless Audio Codec", 2024).
 *
 * All subframes (constant, verbatim, fixed, linear prediction), both Rice codes with escaped partitions,
 * all channel layouts, wasted bits, 4 to 32 bits a sample. Every frame's CRC-8 and CRC-16 and the number of
 * samples are checked; the MD5 of the whole is not. Not read: Ogg FLAC, streams that change their format.
 *
 * All arithmetic is in float64, which is exact here: the largest prediction is 32 coefficients of
 * 15 bits times samples of 33 bits, below 2^53 (RFC 9639, appendix A).
 */

import type { Audio } from "./audio.ts";
import { BitReader } from "./bits.ts";

interface StreamInfo {
  sampleRate: number; // Hz
  channels: number;
  bits: number; // per sample
  samples: number; // per channel, 0: unknown
}

/**
 * Sound from the bytes of a FLAC file. `source` names the file in errors.
 * Throws `DataError` with byte offset and reason.
 */
export function decodeFlac(bytes: Uint8Array, source = "FLAC"): Audio {
  const reader = new BitReader(bytes, source);
  const info = metadata(reader);
  const blocks: Float64Array[][] = []; // [frame][channel][sample], integers
  let decoded = 0;
  while (info.samples > 0 ? decoded < info.samples : reader.byte < bytes.length) {
    if (reader.byte >= bytes.length)
      throw reader.error(`the file ends after ${decoded} of ${info.samples} samples`);
    const block = frame(reader, info);
    decoded += block[0].length;
    blocks.push(block);
  }
  if (info.samples > 0 && decoded !== info.samples)
    throw reader.error(`the frames hold ${decoded} samples, the stream says ${info.samples}`);
  const scale = 2 ** -(info.bits - 1);
  const channels = Array.from({ length: info.channels }, (_, c) => {
    const out = new Float64Array(decoded);
    let at = 0;
    for (const block of blocks) for (const sample of block[c]) out[at++] = sample * scale;
    return out;
  });
  return { sampleRate: info.sampleRate, channels };
}

/** The stream marker and metadata blocks. RFC 9639, section 8. */
function metadata(reader: BitReader): StreamInfo {
  if (reader.unsigned(32) !== 0x664c6143) throw reader.error('expected "fLaC"', 0);
  let info: StreamInfo | undefined;
  for (let last = false; !last; ) {
    const start = reader.byte;
    last = reader.unsigned(1) === 1;
    const type = reader.unsigned(7);
    const size = reader.unsigned(24);
    if (type === 127) throw reader.error("metadata block of the forbidden type 127", start);
    if (start + 4 + size > reader.bytes.length)
      throw reader.error(
        `a metadata block says ${size} bytes, ${reader.bytes.length - start - 4} are left`,
        start,
      );
    if ((type === 0) !== (info === undefined))
      throw reader.error(info ? "a second STREAMINFO block" : "the first block is not STREAMINFO", start);
    if (type !== 0) {
      for (let k = 0; k < size; k++) reader.unsigned(8);
      continue;
    }
    if (size !== 34) throw reader.error(`STREAMINFO has ${size} bytes, it must have 34`, start);
    reader.unsigned(16 + 16); // smallest and largest block
    reader.unsigned(24 + 24); // smallest and largest frame
    info = {
      sampleRate: reader.unsigned(20),
      channels: reader.unsigned(3) + 1,
      bits: reader.unsigned(5) + 1,
      samples: reader.unsigned(36),
    };
    for (let k = 0; k < 16; k++) reader.unsigned(8); // MD5
    if (info.sampleRate === 0) throw reader.error("the sample rate is 0", start + 14);
    if (info.bits < 4) throw reader.error(`${info.bits} bits a sample, at least 4 are needed`, start + 16);
  }
  return info as StreamInfo;
}

/** One frame: [channel][sample], integers. RFC 9639, section 9. */
function frame(reader: BitReader, info: StreamInfo): Float64Array[] {
  const start = reader.byte;
  if (reader.unsigned(15) !== 0b111111111111100)
    throw reader.error("no frame starts here (wrong sync code)", start);
  reader.unsigned(1); // fixed or variable block size: only the coded number differs
  const sizeCode = reader.unsigned(4);
  const rateCode = reader.unsigned(4);
  const layout = reader.unsigned(4);
  const depthCode = reader.unsigned(3);
  if (reader.unsigned(1) !== 0) throw reader.error("a reserved bit of the frame header is set", start + 3);
  codedNumber(reader);

  const size = blockSize(reader, sizeCode, start);
  const sampleRate = frameRate(reader, rateCode, info, start);
  const headerEnd = reader.byte;
  const crc8 = reader.unsigned(8);
  const expected8 = crc(CRC8, 8, reader.bytes, start, headerEnd);
  if (crc8 !== expected8)
    throw reader.error(`frame header CRC-8 is ${hex(crc8)}, the header gives ${hex(expected8)}`, headerEnd);

  const bits = depthCode === 0 ? info.bits : [0, 8, 12, -1, 16, 20, 24, 32][depthCode];
  if (layout > 10) throw reader.error(`reserved channel layout ${layout}`, start + 3);
  const channels = layout < 8 ? layout + 1 : 2;
  if (bits !== info.bits || channels !== info.channels || sampleRate !== info.sampleRate)
    throw reader.error(
      `the frame has ${channels} channels of ${bits} bits at ${sampleRate} Hz, ` +
        `the stream ${info.channels} of ${info.bits} bits at ${info.sampleRate} Hz`,
      start,
    );

  // The side channel has one bit more: channel 1 for left/side and mid/side, 0 for side/right.
  const block = Array.from({ length: channels }, (_, c) =>
    subframe(reader, size, bits + (layout >= 8 && c === (layout === 9 ? 0 : 1) ? 1 : 0)),
  );
  if (reader.align() !== 0) throw reader.error("the padding before the frame's end is not zero");
  const frameEnd = reader.byte;
  const crc16 = reader.unsigned(16);
  const expected16 = crc(CRC16, 16, reader.bytes, start, frameEnd);
  if (crc16 !== expected16)
    throw reader.error(`frame CRC-16 is ${hex(crc16)}, the frame gives ${hex(expected16)}`, frameEnd);
  if (layout >= 8) decorrelate(block, layout);
  return block;
}

/** Frame or sample number, coded like UTF-8 in up to 7 bytes; its value is not needed. Section 9.1.5. */
function codedNumber(reader: BitReader): void {
  const start = reader.byte;
  const first = reader.unsigned(8);
  const ones = Math.clz32(~(first << 24));
  if (ones === 1 || ones === 8) throw reader.error("the frame's number is not coded as it must be", start);
  for (let k = 1; k < ones; k++)
    if (reader.unsigned(8) >> 6 !== 0b10)
      throw reader.error("the frame's number is not coded as it must be", start);
}

/** Section 9.1.1 and 9.1.6. */
function blockSize(reader: BitReader, code: number, start: number): number {
  if (code === 0) throw reader.error("reserved block size code 0", start + 2);
  if (code === 1) return 192;
  if (code <= 5) return 144 << code;
  if (code === 6) return reader.unsigned(8) + 1;
  if (code === 7) return reader.unsigned(16) + 1;
  return 1 << code;
}

const SAMPLE_RATES = [0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000]; // Hz

/** Section 9.1.2 and 9.1.7. */
function frameRate(reader: BitReader, code: number, info: StreamInfo, start: number): number {
  if (code === 0) return info.sampleRate;
  if (code < 12) return SAMPLE_RATES[code];
  if (code === 12) return reader.unsigned(8) * 1000;
  if (code === 13) return reader.unsigned(16);
  if (code === 14) return reader.unsigned(16) * 10;
  throw reader.error("forbidden sample rate code 15", start + 2);
}

/** One channel of a frame. Section 9.2. */
function subframe(reader: BitReader, size: number, bits: number): Float64Array {
  const start = reader.byte;
  if (reader.unsigned(1) !== 0) throw reader.error("the first bit of a subframe is not zero", start);
  const type = reader.unsigned(6);
  const wasted = reader.unsigned(1) === 1 ? reader.unary() + 1 : 0;
  const depth = bits - wasted;
  if (depth < 1) throw reader.error(`${wasted} of ${bits} bits are said to be wasted`, start);

  const x = new Float64Array(size);
  if (type === 0) x.fill(reader.signed(depth));
  else if (type === 1) for (let k = 0; k < size; k++) x[k] = reader.signed(depth);
  else if (type >= 8 && type <= 12) fixed(reader, x, type - 8, depth);
  else if (type >= 32) linear(reader, x, type - 31, depth);
  else throw reader.error(`reserved subframe type ${type}`, start);

  if (wasted > 0) for (let k = 0; k < size; k++) x[k] *= 2 ** wasted;
  return x;
}

const FIXED = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]]; // section 9.2.5, coefficients of x[k-1], x[k-2], …

function fixed(reader: BitReader, x: Float64Array, order: number, depth: number): void {
  if (order > x.length) throw reader.error(`predictor of order ${order} in a block of ${x.length} samples`);
  for (let k = 0; k < order; k++) x[k] = reader.signed(depth);
  residual(reader, x, order);
  predict(x, FIXED[order], 0);
}

/** Section 9.2.6. */
function linear(reader: BitReader, x: Float64Array, order: number, depth: number): void {
  if (order > x.length) throw reader.error(`predictor of order ${order} in a block of ${x.length} samples`);
  for (let k = 0; k < order; k++) x[k] = reader.signed(depth);
  const start = reader.byte;
  const precision = reader.unsigned(4) + 1;
  if (precision === 16) throw reader.error("forbidden coefficient precision 15", start);
  const shift = reader.signed(5);
  if (shift < 0) throw reader.error(`negative prediction shift ${shift}`, start);
  const coefficients = Array.from({ length: order }, () => reader.signed(precision));
  residual(reader, x, order);
  predict(x, coefficients, shift);
}

/** Adds to the residuals in x the prediction from the samples before, in place. */
function predict(x: Float64Array, coefficients: readonly number[], shift: number): void {
  const order = coefficients.length;
  const scale = 2 ** -shift;
  for (let k = order; k < x.length; k++) {
    let sum = 0;
    for (let j = 0; j < order; j++) sum += coefficients[j] * x[k - 1 - j];
    x[k] += Math.floor(sum * scale);
  }
}

/** Rice-coded residuals into x[order …]. Section 9.2.7. */
function residual(reader: BitReader, x: Float64Array, order: number): void {
  const start = reader.byte;
  const method = reader.unsigned(2);
  if (method > 1) throw reader.error(`reserved residual coding ${method}`, start);
  const parameterBits = method === 0 ? 4 : 5;
  const escapeCode = method === 0 ? 15 : 31;
  const partitions = 1 << reader.unsigned(4);
  const length = x.length / partitions;
  if (!Number.isInteger(length) || length < order)
    throw reader.error(`${partitions} partitions do not fit a block of ${x.length} samples`, start);
  for (let p = 0; p < partitions; p++) {
    const parameter = reader.unsigned(parameterBits);
    const raw = parameter === escapeCode ? reader.unsigned(5) : -1;
    for (let k = p === 0 ? order : p * length; k < (p + 1) * length; k++) {
      if (raw >= 0) {
        x[k] = reader.signed(raw);
        continue;
      }
      const folded = reader.unary() * 2 ** parameter + reader.unsigned(parameter);
      x[k] = folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
    }
  }
}

/** Left and right from left/side (8), side/right (9), mid/side (10), in place. Section 4.2. */
function decorrelate([a, b]: Float64Array[], layout: number): void {
  for (let k = 0; k < a.length; k++) {
    if (layout === 8) b[k] = a[k] - b[k];
    else if (layout === 9) a[k] += b[k];
    else {
      const mid = 2 * a[k] + (Math.abs(b[k]) % 2);
      const side = b[k];
      a[k] = (mid + side) / 2;
      b[k] = (mid - side) / 2;
    }
  }
}

const CRC8 = crcTable(0x07, 8);
const CRC16 = crcTable(0x8005, 16);

function crcTable(polynomial: number, bits: number): Uint16Array {
  const top = 1 << (bits - 1);
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    let value = byte << (bits - 8);
    for (let k = 0; k < 8; k++)
      value = (value & top ? (value << 1) ^ polynomial : value << 1) & (2 * top - 1);
    return value;
  });
}

/** CRC of bytes start … end-1, first bit highest, start value 0. Section 9.1.8 and 9.3. */
function crc(table: Uint16Array, bits: number, bytes: Uint8Array, start: number, end: number): number {
  const mask = 2 ** bits - 1;
  let value = 0;
  for (let k = start; k < end; k++) value = ((value << 8) & mask) ^ table[(value >> (bits - 8)) ^ bytes[k]];
  return value;
}

function hex(value: number): string {
  return "0x" + value.toString(16).padStart(2, "0");
}
