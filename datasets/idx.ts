/**
 * The idx format of the MNIST files: arrays of bytes with their shape.
 *
 * Two zero bytes, the type (8: unsigned byte; the only one read), the number of dimensions, each dimension as a
 * big-endian 32-bit number, the elements. Source: http://yann.lecun.com/exdb/mnist/, "the idx file format".
 */

import { DataError } from "../src/math/errors.ts";

export interface IdxArray {
  readonly shape: readonly number[];
  readonly elements: Uint8Array; // outermost dimension first; a view
}

/** An idx array from the bytes of its (unpacked) file. Throws `DataError` with byte offset and reason. */
export function readIdx(bytes: Uint8Array, source: string, dimensions: number): IdxArray {
  const fail = (offset: number, reason: string): never => {
    throw new DataError(`${source}: byte ${offset}: ${reason}`);
  };
  const start = 4 + 4 * dimensions;
  if (bytes.length < start) fail(bytes.length, `the file ends inside its header of ${start} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const expected = 0x0800 + dimensions;
  if (magic !== expected) fail(0, `the magic number is ${magic}, ${expected} is expected`);
  const shape = Array.from({ length: dimensions }, (_, k) => view.getUint32(4 + 4 * k));
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes.length - start < count)
    fail(
      bytes.length,
      `the file ends after ${bytes.length - start} of ${count} elements (${shape.join(" x ")})`,
    );
  if (bytes.length - start > count)
    fail(start + count, `${bytes.length - start - count} bytes follow the ${count} elements`);
  return { shape, elements: bytes.subarray(start) };
}
