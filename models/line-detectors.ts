/**
 * Cells that see lines: each looks at three by three neighbours of an image and is excited on a line, inhibited beside it.
 *
 * Every pattern makes one map of the image. Source of patterns and weights: the public simulation code of Kulkarni, Alexiades
 * & Rajendran 2017, ICECS, doi:10.1109/ICECS.2017.8292015.
 */
import { pairs } from "../src/index.ts";

/** Three rows each: # on the line. Four straight lines, four corners, four forks. */
export const linePatterns = [
  ".#. .#. .#.",
  "... ### ...",
  "#.. .#. ..#",
  "..# .#. #..",
  ".#. .## ...",
  "... ##. .#.",
  ".#. ##. ...",
  "... .## .#.",
  "#.# .#. ...",
  "#.. .#. #..",
  "..# .#. ..#",
  "... .#. #.#",
] as const;

export interface LineDetectors {
  readonly size: number; // cells: pattern by pattern, each row by row
  readonly connect: ReturnType<typeof pairs>; // from the image, row by row
  readonly weights: Float64Array; // in the order of the pairs, A
}

/**
 * Synapses from `layers` images of rows x columns onto all places where a pattern fits, for each layer, pattern and place; weights of
 * `doubleExponentialSynapse` (synapses.ts), A.
 */
export function lineDetectors(
  rows: number,
  columns: number,
  options: { readonly layers?: number; readonly on?: number; readonly off?: number } = {},
): LineDetectors {
  const { layers = 1, on = 12.5e-9, off = -7.5e-9 } = options; // 2.5 and -1.5 times 5 nA
  const [high, wide] = [rows - 2, columns - 2];
  const [pre, post, weights]: [number[], number[], number[]] = [[], [], []];
  for (let layer = 0; layer < layers; layer++)
    for (const [p, pattern] of linePatterns.entries()) {
      const lines = pattern.split(" ");
      const first = (layer * linePatterns.length + p) * high * wide;
      for (let y = 0; y < high; y++)
        for (let x = 0; x < wide; x++)
          for (let k = 0; k < 9; k++) {
            const [dy, dx] = [Math.floor(k / 3), k % 3];
            pre.push((layer * rows + y + dy) * columns + x + dx);
            post.push(first + y * wide + x);
            weights.push(lines[dy][dx] === "#" ? on : off);
          }
    }
  return {
    size: layers * linePatterns.length * high * wide,
    connect: pairs(pre, post),
    weights: Float64Array.from(weights),
  };
}
