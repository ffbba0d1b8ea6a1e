/** Photographs of any size as squares of one size: JPEG and PNG are read, areas are averaged. */
import jpeg from "jpeg-js";
import { DataError } from "../src/math/errors.ts";
import { decodePng, type Pixels, pngSignature } from "./png.ts";

/** An image in colour from the bytes of a JPEG or PNG file. Throws `DataError` with the file and the reason. */
export function decodePhotograph(bytes: Uint8Array, source: string): Pixels {
  if (pngSignature.every((byte, k) => bytes[k] === byte)) return decodePng(bytes, source);
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8)
    throw new DataError(`${source}: it begins neither as JPEG nor as PNG does`);
  try {
    const { width, height, data } = jpeg.decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
    });
    if (!(width > 0 && height > 0)) throw new Error("it holds no pixels");
    return { width, height, data };
  } catch (cause) {
    throw new DataError(`${source}: it is no whole JPEG: ${(cause as Error).message}`, { cause });
  }
}

/** Shares of red, green and blue in a grey level (ITU-R BT.601). */
const luma = [0.299, 0.587, 0.114];

/**
 * The whole image squeezed into `side` x `side` pixels, each the mean over the area that it covers, written to `to`, [row][column][channel]:
 * grey levels or the three colours. Height and width are squeezed each by itself, as MLPerf Tiny does, so that nothing is cut off.
 */
export function squeeze(pixels: Pixels, side: number, channels: 1 | 3, to: Uint8Array): void {
  const { width, height } = pixels;
  const planes = channels === 3 ? pixels.data : grey(pixels);
  const columns = shares(width, side);
  const rows = shares(height, side);
  const narrow = new Float32Array(height * side * channels);
  for (let y = 0; y < height; y++)
    for (const [x, { first, parts }] of columns.entries())
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0; k < parts.length; k++)
          sum += parts[k] * planes[(y * width + first + k) * channels + c];
        narrow[(y * side + x) * channels + c] = sum;
      }
  const line = side * channels;
  for (const [y, { first, parts }] of rows.entries())
    for (let x = 0; x < line; x++) {
      let sum = 0;
      for (let k = 0; k < parts.length; k++) sum += parts[k] * narrow[(first + k) * line + x];
      to[y * line + x] = Math.round(sum);
    }
}

function grey({ data }: Pixels): Float32Array {
  const levels = new Float32Array(data.length / 3);
  for (let k = 0, at = 0; k < levels.length; k++, at += 3)
    levels[k] = luma[0] * data[at] + luma[1] * data[at + 1] + luma[2] * data[at + 2];
  return levels;
}

/** Which of `size` pixels each of `side` covers, and with what share of its mean. */
function shares(size: number, side: number): { readonly first: number; readonly parts: Float64Array }[] {
  return Array.from({ length: side }, (_, k) => {
    const [begin, end] = [(k * size) / side, ((k + 1) * size) / side];
    const first = Math.floor(begin);
    const count = Math.max(1, Math.ceil(end - 1e-9) - first);
    const parts = Float64Array.from(
      { length: count },
      (_, j) => Math.min(end, first + j + 1) - Math.max(begin, first + j),
    );
    const sum = parts.reduce((a, b) => a + b, 0);
    return { first, parts: parts.map((part) => part / sum) };
  });
}
