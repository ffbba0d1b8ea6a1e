/**
 * Weights as a file in the safetensors form: a header in JSON that says names, types, shapes and places, then the numbers.
 *
 * Format: https://github.com/huggingface/safetensors, "Format". Numbers are little-endian; written are float32, read are
 * also float64, float16 and bfloat16. A file is data: reading it executes nothing.
 */
import { DataError } from "../math/errors.ts";
import type { State } from "./sequential.ts";

/** Form of the names and numbers written here: changes when a reader would take them for something else. */
const schema = "1";

export interface SafetensorsOptions {
  /** Words kept in the header. */
  readonly about?: Readonly<Record<string, string>>;
  /** Two bytes for each number instead of four: rounded to 11 bits. Default false. */
  readonly half?: boolean;
}

/** The bytes of a file. */
export function encodeSafetensors(state: State, o: SafetensorsOptions = {}): Uint8Array {
  const { about = {}, half: isHalf = false } = o;
  const size = isHalf ? 2 : 4;
  const entries = Object.entries(state);
  let end = 0;
  const places = entries.map(([name, { shape, data }]) => {
    const from = end;
    end += size * data.length;
    return [name, { dtype: isHalf ? "F16" : "F32", shape, data_offsets: [from, end] }] as const;
  });
  const header = JSON.stringify({
    __metadata__: { format: "memspike", schema, ...about },
    ...Object.fromEntries(places),
  });
  const text = new TextEncoder().encode(header.padEnd(Math.ceil(header.length / 8) * 8));
  const bytes = new Uint8Array(8 + text.length + end);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  let at = 8 + text.length;
  for (const [, { data }] of entries)
    for (const value of data) {
      if (isHalf) view.setUint16(at, halfOf(value), true);
      else view.setFloat32(at, value, true);
      at += size;
    }
  return bytes;
}

const readers: Readonly<Record<string, { bytes: number; of: (view: DataView, at: number) => number }>> = {
  F32: { bytes: 4, of: (view, at) => view.getFloat32(at, true) },
  F64: { bytes: 8, of: (view, at) => view.getFloat64(at, true) },
  F16: { bytes: 2, of: (view, at) => half(view.getUint16(at, true)) },
  BF16: { bytes: 2, of: (view, at) => upper(view.getUint16(at, true)) },
};

/** IEEE 754 binary16. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** The nearest binary16, ties to even; beyond 65,504 infinite. */
function halfOf(value: number): number {
  const sign = Object.is(Math.sign(value), -1) || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 1e-30)));
  const steps = size / 2 ** (exponent - 10); // whole numbers are binary16s
  const whole = Math.round(steps);
  const even = Math.abs(steps - Math.trunc(steps)) === 0.5 ? 2 * Math.round(steps / 2) : whole;
  // a fraction that is rounded up to the next power carries into the exponent by itself
  const bits = exponent === -14 && even < 1024 ? even : (exponent + 14) * 1024 + even;
  return sign | Math.min(bits, 0x7c00);
}

/** The upper half of a float32. */
function upper(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0];
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const areCounts = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
const isEntry = (value: unknown): value is Entry =>
  isRecord(value) &&
  typeof value["dtype"] === "string" &&
  areCounts(value["shape"]) &&
  areCounts(value["data_offsets"]) &&
  value["data_offsets"].length === 2;

/** The arrays of a file, in float32. Throws `DataError` that says what is wrong with it. */
export function decodeSafetensors(bytes: Uint8Array): State {
  const refuse = (reason: string): never => {
    throw new DataError(`no weights in the safetensors form: ${reason}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) refuse(`it has ${bytes.length} bytes, less than the length of a header`);
  const length = Number(view.getBigUint64(0, true));
  if (!(length <= bytes.length - 8))
    refuse(`its header is said to have ${length} bytes, but only ${bytes.length - 8} follow`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch {
    refuse("its header is not JSON");
  }
  if (!isRecord(header)) return refuse("its header is no record of arrays");
  const start = 8 + length;
  const state: State = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    if (!isEntry(value)) return refuse(`${name} has no type, shape and place`);
    const { dtype, shape, data_offsets } = value;
    const reader = readers[dtype];
    if (!reader) return refuse(`${name} is of type ${dtype}; read are ${Object.keys(readers).join(", ")}`);
    const [from, to] = data_offsets;
    const count = shape.reduce((a, b) => a * b, 1);
    if (to - from !== count * reader.bytes)
      refuse(`${name} of shape [${shape.join(", ")}] is ${count * reader.bytes} bytes, not ${to - from}`);
    if (start + to > bytes.length)
      refuse(`${name} ends at byte ${start + to}, the file at ${bytes.length}: it was cut off`);
    const data = Float32Array.from({ length: count }, (_, k) =>
      reader.of(view, start + from + k * reader.bytes),
    );
    state[name] = { shape, data };
  }
  return state;
}
