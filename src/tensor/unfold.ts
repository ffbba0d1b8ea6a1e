/**
 * Patches of images laid out as rows, [tap][channel], and rows added back to the images they are from.
 *
 * Where each patch must be treated by itself, as by a converter that divides it by its largest number. What lies outside of an
 * image is 0. Otherwise patches are multiplied where they lie (patches.ts).
 */
import { type PatchOptions, patchPositions } from "./patches.ts";
import type { Table } from "./table.ts";

type Geometry = Pick<PatchOptions, "shape" | "kernel" | "stride" | "border">;
interface Channels {
  readonly from: number;
  readonly to: number;
}

/** Patches of some channels as rows, and back. */
export interface Unfold {
  /** Rows of patches of `count` images. */
  rows(images: Table, count: number, channels: Channels, to: Table): void;
  /** Adds rows to where patches are from. */
  addBack(rows: Table, count: number, channels: Channels, to: Table): void;
}

export function unfold(geometry: Geometry): Unfold {
  const { shape, kernel, stride, border } = geometry;
  const [height, width] = shape;
  const [lines, columns] = patchPositions(geometry);
  /** Calls with a row, its first number for this tap, and the pixel there, or -1 outside. */
  const each = (count: number, size: number, visit: (row: number, number: number, pixel: number) => void) => {
    let row = 0;
    for (let image = 0; image < count; image++)
      for (let line = 0; line < lines; line++)
        for (let column = 0; column < columns; column++, row++)
          for (let ty = 0, at = 0; ty < kernel[0]; ty++)
            for (let tx = 0; tx < kernel[1]; tx++, at += size) {
              const y = line * stride[0] + ty - border[0];
              const x = column * stride[1] + tx - border[1];
              const inside = y >= 0 && y < height && x >= 0 && x < width;
              visit(row, at, inside ? (image * height + y) * width + x : -1);
            }
  };
  return {
    rows: (images, count, { from, to: end }, to) =>
      each(count, end - from, (row, at, pixel) => {
        const first = row * to.width + at;
        const source = pixel * images.width;
        for (let c = from; c < end; c++) to.data[first + c - from] = pixel < 0 ? 0 : images.data[source + c];
      }),
    addBack: (rows, count, { from, to: end }, to) =>
      each(count, end - from, (row, at, pixel) => {
        if (pixel < 0) return;
        const first = row * rows.width + at;
        const target = pixel * to.width;
        for (let c = from; c < end; c++) to.data[target + c] += rows.data[first + c - from];
      }),
  };
}
