/**
 * Arrays in NumPy's file form: `.npy` for one, `.npz` (a zip of them) for several.
 *
 * Format 1.0 of NumPy's `numpy.lib.format`, little-endian, C order, five element types. `np.load` reads what is
 * written here; what NumPy writes in these types is read here.
 */

import { unzipSync, type Zippable, zipSync } from "fflate";
import { DataError } from "../math/errors.ts";

export type TypedArray = Float64Array | Float32Array | Uint32Array | Int32Array | Uint8Array;

/** An array with its shape, outermost first; [] is a single number. */
export interface Shaped {
  readonly data: TypedArray;
  readonly shape: readonly number[];
}

const forms = [
  { code: "<f8", of: Float64Array },
  { code: "<f4", of: Float32Array },
  { code: "<u4", of: Uint32Array },
  { code: "<i4", of: Int32Array },
  { code: "|u1", of: Uint8Array },
] as const;

/** The bytes of a `.npy` file. A bare typed array has one dimension. Throws when data do not fill the shape. */
export function npy(array: TypedArray | Shaped): Uint8Array {
  const { data, shape } = ArrayBuffer.isView(array) ? { data: array, shape: [array.length] } : array;
  const size = shape.reduce((product, length) => product * length, 1);
  if (size !== data.length)
    throw new RangeError(`an array of shape [${shape.join(", ")}] holds ${size} values, not ${data.length}`);
  const form = forms.find(({ of }) => data instanceof of);
  if (form === undefined) throw new RangeError(`${data.constructor.name} has no form in a .npy file`);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const header = `{'descr': '${form.code}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const bytes = new Uint8Array(10 + padded.length + data.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]); // "\x93NUMPY", version 1.0
  new DataView(bytes.buffer).setUint16(8, padded.length, true);
  bytes.set(new TextEncoder().encode(padded), 10);
  bytes.set(littleEndian(data), 10 + padded.length);
  return bytes;
}

/** The array in the bytes of a `.npy` file: a copy. Throws `DataError` on another format, order or type. */
export function readNpy(bytes: Uint8Array, name = "array"): Shaped {
  const fault = (reason: string) => new DataError(reason, { place: { file: `${name}.npy` } });
  const magic = String.fromCharCode(...bytes.subarray(1, 6));
  if (bytes.length < 12 || bytes[0] !== 0x93 || magic !== "NUMPY") throw fault("this is not a .npy file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6] > 1; // version 2 and 3 have a longer length field
  const start = wide ? 12 : 10;
  const end = start + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.length) throw fault(`the file ends at byte ${bytes.length}, within its header`);
  const header = new TextDecoder().decode(bytes.subarray(start, end));
  const code = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const tuple = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (code === undefined || tuple === undefined)
    throw fault(`the header ${header.trim()} names no type or shape`);
  if (/'fortran_order':\s*True/.test(header))
    throw fault("the array is in Fortran order; save it in C order");
  const form = forms.find((candidate) => candidate.code === code);
  if (form === undefined)
    throw fault(`element type ${code} is not one of ${forms.map((known) => known.code).join(", ")}`);
  const shape = tuple
    .split(",")
    .map((length) => length.trim())
    .filter(Boolean)
    .map(Number);
  const size = shape.reduce((product, length) => product * length, 1);
  const length = size * form.of.BYTES_PER_ELEMENT;
  if (bytes.length - end !== length)
    throw fault(
      `shape [${shape.join(", ")}] of ${code} takes ${length} bytes; the file has ${bytes.length - end}`,
    );
  const body = littleEndian(bytes.slice(end), form.of.BYTES_PER_ELEMENT);
  return { data: new form.of(body.buffer as ArrayBuffer, body.byteOffset, size), shape };
}

/** The bytes of a `.npz` file, compressed. The same arrays give the same bytes. */
export function npz(arrays: Readonly<Record<string, TypedArray | Shaped>>): Uint8Array {
  const files: Zippable = {};
  for (const [name, array] of Object.entries(arrays)) {
    const bytes = npy(array);
    files[`${name}.npy`] = [bytes, { level: bytes.length > 2 ** 24 ? 1 : 6, mtime: epoch }];
  }
  return zipSync(files);
}

/** The arrays in the bytes of a `.npz` file. Throws `DataError` when it is damaged. */
export function readNpz(bytes: Uint8Array): Record<string, Shaped> {
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes);
  } catch (cause) {
    throw new DataError(`this is not a readable .npz file: ${(cause as Error).message}`, { cause });
  }
  return Object.fromEntries(
    Object.entries(files).map(([file, content]) => {
      const name = file.replace(/\.npy$/, "");
      return [name, readNpy(content, name)];
    }),
  );
}

/** About the earliest time a zip can hold, local as zip has it: files do not depend on the clock. */
const epoch = new Date(1980, 0, 2, 12);

const hostIsLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Bytes of an array with each element little-endian: a view where the machine is. */
function littleEndian(data: TypedArray, elementSize: number = data.BYTES_PER_ELEMENT): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (hostIsLittle || elementSize === 1) return bytes;
  const swapped = bytes.slice();
  for (let k = 0; k < swapped.length; k += elementSize) swapped.subarray(k, k + elementSize).reverse();
  return swapped;
}
