/**
 * Reading tar archives in the ustar format (POSIX.1-1988; GNU's variant of the magic is taken too).
 *
 * Regular files only: folders are skipped, links and extensions are an error. Views, no copies.
 */

import { DataError } from "../src/math/errors.ts";

export interface TarEntry {
  readonly name: string; // path inside the archive
  readonly offset: number; // of the content in the archive
  readonly bytes: Uint8Array; // a view
}

/** The files of an archive in their order. Throws `DataError` with byte offset and reason. */
export function readTar(archive: Uint8Array, source: string): TarEntry[] {
  const entries: TarEntry[] = [];
  let at = 0;
  const fail = (reason: string): never => {
    throw new DataError(`${source}: byte ${at}: ${reason}`);
  };
  for (;;) {
    if (at + 512 > archive.length) return fail("the archive ends without its two empty blocks");
    const header = archive.subarray(at, at + 512);
    if (header.every((byte) => byte === 0)) return entries;

    let sum = 8 * 32; // the checksum field itself counts as spaces
    for (let k = 0; k < 512; k++) if (k < 148 || k >= 156) sum += header[k];
    const expected = octal(header, 148, 8);
    if (sum !== expected) fail(`the header's checksum is ${expected}, its bytes give ${sum}`);
    if (!text(header, 257, 6).startsWith("ustar")) fail("the header is not of the ustar format");

    const prefix = text(header, 345, 155);
    const name = (prefix ? `${prefix}/` : "") + text(header, 0, 100);
    const size = octal(header, 124, 12);
    const type = String.fromCharCode(header[156] || 0x30);
    if (type !== "0" && type !== "5")
      fail(`${name} is of type ${JSON.stringify(type)}; files and folders are read`);
    if (!Number.isInteger(size)) fail(`the size of ${name} is not an octal number`);
    const offset = at + 512;
    if (offset + size > archive.length)
      fail(`${name} has ${size} bytes, ${archive.length - offset} are left in the archive`);
    if (type === "0") entries.push({ name, offset, bytes: archive.subarray(offset, offset + size) });
    at = offset + Math.ceil(size / 512) * 512;
  }
}

function text(header: Uint8Array, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function octal(header: Uint8Array, start: number, length: number): number {
  const digits = text(header, start, length).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}
