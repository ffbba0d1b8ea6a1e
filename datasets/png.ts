/**
 * Pixels of PNG images (PNG Specification, third edition, W3C 2025; chapters "Chunk layout" to "Filtering").
 *
 * Grey, colour and palette, 1 to 16 bits; transparency is left out, as are levels below 8 bits of 16. Interlaced images are an error.
 */
import { inflateSync } from "node:zlib";
import { DataError } from "../src/math/errors.ts";

export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array; // [row][column][red, green, blue]
}

/** The eight bytes that a PNG begins with. */
export const pngSignature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Numbers of a pixel by type of colour: grey, colour, palette, grey and opacity, colour and opacity. */
const samplesOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** An image in colour from the bytes of its file. Throws `DataError` with reason and, where there is one, the byte. */
export function decodePng(bytes: Uint8Array, source: string): Pixels {
  const fail = (reason: string, cause?: unknown): never => {
    throw new DataError(`${source}: ${reason}`, { cause });
  };
  if (!pngSignature.every((byte, k) => bytes[k] === byte)) fail("byte 0: a PNG does not begin like this");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: Uint8Array | undefined;
  let palette: Uint8Array | undefined;
  const packed: Uint8Array[] = [];
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) fail(`byte ${at}: the file ends before its last chunk`);
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length)
      fail(`byte ${at}: ${name} has ${length} bytes, ${bytes.length - at - 12} are left`);
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (name === "IHDR") header = content;
    else if (name === "PLTE") palette = content;
    else if (name === "IDAT") packed.push(content);
    else if (name === "IEND") break;
    at += 12 + length;
  }
  if (header?.length !== 13) return fail("it has no header (IHDR) of 13 bytes");
  const size = new DataView(header.buffer, header.byteOffset);
  const [width, height] = [size.getUint32(0), size.getUint32(4)];
  const [depth, type, , , interlaced] = header.subarray(8);
  const samples = samplesOf[type];
  if (width * height === 0 || samples === undefined || ![1, 2, 4, 8, 16].includes(depth))
    return fail(`it has ${width} x ${height} pixels of type ${type} and ${depth} bits`);
  if (interlaced !== 0) fail("it is interlaced; images in one pass are read");
  if (type === 3 && palette === undefined) fail("its palette (PLTE) is missing");
  const row = Math.ceil((width * samples * depth) / 8);
  let lines: Uint8Array;
  try {
    lines = inflateSync(Buffer.concat(packed));
  } catch (cause) {
    return fail(`its pixels cannot be unpacked: ${(cause as Error).message}`, cause);
  }
  if (lines.length !== height * (row + 1))
    fail(`its pixels have ${lines.length} bytes, ${height * (row + 1)} are expected`);
  const distance = Math.max(1, (samples * depth) >> 3);
  for (let y = 0; y < height; y++) unfilter(lines, y * (row + 1), row, distance, y === 0, fail);
  const data = new Uint8Array(3 * width * height);
  const step = depth >> 3; // bytes of a number, 0 where several share one
  const levels = 2 ** depth - 1;
  for (let y = 0, to = 0; y < height; y++) {
    const from = y * (row + 1) + 1;
    for (let x = 0; x < width; x++, to += 3) {
      if (type === 3 || step === 0) {
        const bit = x * depth;
        const value = (lines[from + (bit >> 3)] >> (8 - depth - (bit & 7))) & levels;
        if (type === 3) {
          if (3 * value + 3 > (palette as Uint8Array).length)
            fail(`line ${y}, column ${x}: colour ${value} is not in its palette`);
          data.set((palette as Uint8Array).subarray(3 * value, 3 * value + 3), to);
        } else data.fill((255 * value) / levels, to, to + 3);
      } else {
        const at = from + x * samples * step;
        for (let c = 0; c < 3; c++) data[to + c] = lines[samples < 3 ? at : at + c * step];
      }
    }
  }
  return { width, height, data };
}

/** Undoes the filter of a line in place; its first byte names it. `distance`: bytes to the pixel at the left. */
function unfilter(
  lines: Uint8Array,
  start: number,
  row: number,
  distance: number,
  first: boolean,
  fail: (reason: string) => never,
): void {
  const filter = lines[start];
  if (filter > 4) fail(`byte ${start} of its pixels: there is no filter ${filter}`);
  if (filter === 0) return;
  for (let k = 0; k < row; k++) {
    const at = start + 1 + k;
    const left = k < distance ? 0 : lines[at - distance];
    const above = first ? 0 : lines[at - row - 1];
    const corner = first || k < distance ? 0 : lines[at - row - 1 - distance];
    if (filter === 1) lines[at] += left;
    else if (filter === 2) lines[at] += above;
    else if (filter === 3) lines[at] += (left + above) >> 1;
    else lines[at] += paeth(left, above, corner);
  }
}

/** Which of three neighbours is nearest to left + above - corner. */
function paeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner;
  const [toLeft, toAbove, toCorner] = [left, above, corner].map((value) => Math.abs(guess - value));
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
