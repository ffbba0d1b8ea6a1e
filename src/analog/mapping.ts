/**
 * How the matrices of a network are cut to crossbar tiles: the pieces, how full tiles are, how often they are used.
 *
 * Rows are cut at whole input channels, so that a kernel's cells of one channel stay together; columns where the tile ends. A
 * piece has a tile of its own. Pieces between groups of channels that do not see each other hold nothing and get none.
 * Source of the rule: Rasch et al. 2023, Nat. Commun. 14:5282, table of networks; test/models/networks.test.ts.
 */
import { ConfigError } from "../math/errors.ts";
import {
  analogMatrices,
  channelsOf,
  type MatrixShape,
  type NetworkShape,
  tapsOf,
  weightsOf,
} from "./shapes.ts";

/** Rows (inputs) and columns (outputs) of a crossbar. */
export interface ArraySize {
  readonly rows: number;
  readonly columns: number;
}

/** A rectangle of a matrix that goes on one tile. */
export interface Piece extends ArraySize {
  readonly matrix: string;
  /** Where in its matrix it begins. */
  readonly row: number;
  readonly column: number;
  /** Cells that hold a weight; less than rows x columns where channels come in groups. */
  readonly weights: number;
}

/** A matrix on its tiles. */
export interface MappedMatrix {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly positions: number;
  readonly weights: number;
  readonly tiles: number;
  /** Part of the cells of its tiles that hold a weight. */
  readonly use: number;
  /** Products of single tiles for one sample: tiles x positions. */
  readonly mvms: number;
  readonly pieces: readonly Piece[];
}

/** A network on tiles. */
export interface Mapping {
  readonly tile: ArraySize;
  readonly weights: number;
  readonly tiles: number;
  readonly use: number;
  readonly mvms: number;
  /** How often a tile is used for one sample, on average: MVMs / tiles. */
  readonly reuse: number;
  readonly matrices: readonly MappedMatrix[];
  /** Matrices that are computed digitally and not counted. */
  readonly digital: readonly string[];
}

/** Maps a network on tiles; default 512 x 512. Throws `ConfigError` where nothing of it is analog. */
export function mapNetwork(network: NetworkShape, tile: ArraySize = { rows: 512, columns: 512 }): Mapping {
  checkSize(tile);
  const cells = tile.rows * tile.columns;
  const analog = analogMatrices(network);
  if (analog.length === 0) throw new ConfigError(`network ${network.name} has no matrix on crossbars`);
  const matrices = analog.map((matrix): MappedMatrix => {
    const { name, inputs, outputs, positions } = matrix;
    const pieces = piecesOf(matrix, tile);
    const tiles = pieces.length;
    const weights = weightsOf(matrix);
    const use = weights / (tiles * cells);
    return { name, inputs, outputs, positions, weights, tiles, use, mvms: tiles * positions, pieces };
  });
  const sum = (of: (matrix: MappedMatrix) => number) => matrices.reduce((s, matrix) => s + of(matrix), 0);
  const weights = sum((matrix) => matrix.weights);
  const tiles = sum((matrix) => matrix.tiles);
  const mvms = sum((matrix) => matrix.mvms);
  const digital = network.matrices.filter((matrix) => !analog.includes(matrix)).map(({ name }) => name);
  return {
    tile,
    weights,
    tiles,
    use: weights / (tiles * cells),
    mvms,
    reuse: mvms / tiles,
    matrices,
    digital,
  };
}

/** Throws `ConfigError` unless rows and columns are whole numbers from 1 on. */
export function checkSize({ rows, columns }: ArraySize): void {
  for (const [name, count] of Object.entries({ rows, columns }))
    if (!Number.isSafeInteger(count) || count < 1)
      throw new ConfigError(`a tile has a whole number of ${name} from 1 on, not ${count}`);
}

/** The pieces of a matrix, from the left and from above; those that would hold no weight are left out. */
export function piecesOf(matrix: MatrixShape, tile: ArraySize): Piece[] {
  const { outputs, groups = 1 } = matrix;
  const [channels, group] = [channelsOf(matrix) / groups, outputs / groups]; // inputs and outputs of a group
  const taps = tapsOf(matrix);
  const pieces: Piece[] = [];
  for (const [top, bottom] of rowCuts(matrix, tile.rows))
    for (let left = 0; left < outputs; left += tile.columns) {
      const right = Math.min(outputs, left + tile.columns);
      let weights = 0;
      const first = Math.floor(top / (channels * taps));
      const last = Math.ceil(bottom / (channels * taps));
      for (let g = first; g < last; g++) {
        const rows = overlap(top, bottom, g * channels * taps, (g + 1) * channels * taps);
        weights += rows * overlap(left, right, g * group, (g + 1) * group);
      }
      if (weights === 0) continue;
      const [rows, columns] = [bottom - top, right - left];
      pieces.push({ matrix: matrix.name, row: top, column: left, rows, columns, weights });
    }
  return pieces;
}

/** Ranges of rows that fit a tile: as many whole channels as do, or parts of one whose kernel is larger than the tile. */
function rowCuts(matrix: MatrixShape, rows: number): [number, number][] {
  const taps = tapsOf(matrix);
  const step = taps <= rows ? Math.floor(rows / taps) * taps : rows;
  const period = taps <= rows ? matrix.inputs : taps; // no piece goes from one such range into the next
  const cuts: [number, number][] = [];
  for (let start = 0; start < matrix.inputs; start += period)
    for (let top = start; top < start + period; top += step)
      cuts.push([top, Math.min(start + period, top + step)]);
  return cuts;
}

function overlap(from: number, to: number, otherFrom: number, otherTo: number): number {
  return Math.max(0, Math.min(to, otherTo) - Math.max(from, otherFrom));
}
