/**
 * Decompression (gzip, Brotli) whose errors say where.
 */

import { brotliDecompressSync, constants, gunzipSync } from "node:zlib";
import { DataError } from "../src/math/errors.ts";

/** The content of a gzip file. Throws `DataError` with the byte at which the damage shows. */
export function gunzip(bytes: Uint8Array, source: string): Uint8Array {
  return unpack(bytes, source, (part, whole) =>
    gunzipSync(part, { finishFlush: whole ? constants.Z_FINISH : constants.Z_SYNC_FLUSH }),
  );
}

/** The content of a Brotli file. Throws `DataError` with the byte at which the damage shows. */
export function unbrotli(bytes: Uint8Array, source: string): Uint8Array {
  return unpack(bytes, source, (part, whole) =>
    brotliDecompressSync(part, {
      finishFlush: whole ? constants.BROTLI_OPERATION_FINISH : constants.BROTLI_OPERATION_FLUSH,
    }),
  );
}

function unpack(
  bytes: Uint8Array,
  source: string,
  decompress: (part: Uint8Array, whole: boolean) => Uint8Array,
): Uint8Array {
  try {
    const content = decompress(bytes, true);
    return new Uint8Array(content.buffer, content.byteOffset, content.length); // not a Buffer, whose slice is a view
  } catch (cause) {
    const reason = (cause as Error).message;
    const at = firstBadByte(bytes, decompress);
    const text = at < bytes.length ? reason : `the file ends too early (${reason})`;
    throw new DataError(`${source}: byte ${at}: ${text}`, { cause });
  }
}

/** The decompressors tell no offset: the shortest prefix that they reject, by bisection, ends with the bad byte. */
function firstBadByte(
  bytes: Uint8Array,
  decompress: (part: Uint8Array, whole: boolean) => Uint8Array,
): number {
  const good = (length: number): boolean => {
    try {
      decompress(bytes.subarray(0, length), false);
      return true;
    } catch {
      return false;
    }
  };
  if (good(bytes.length)) return bytes.length;
  let low = 0; // a prefix that is good
  let high = bytes.length; // one that is not
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (good(middle)) low = middle;
    else high = middle;
  }
  return high - 1;
}
