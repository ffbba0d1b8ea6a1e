/**
 * Products with a matrix on tiles by themselves, without a network: rows of numbers in, rows of numbers out.
 */
import { ConfigError } from "../math/errors.ts";
import { compileKernels } from "../tensor/kernels.ts";
import { type Table, takeTable } from "../tensor/table.ts";
import { type LookedMatrix, loadMatrix } from "./chip.ts";
import type { Tile } from "./tile.ts";
import { numbersOf, TiledMatrix } from "./tiles.ts";

export interface TileProductsOptions {
  readonly outputs: number;
  readonly inputs: number;
  /** Vectors that are multiplied at a time. Default 64. */
  readonly rows?: number;
  readonly seed: string | number;
}

/** Multiplies by a matrix as tiles do. Made by `tileProducts`. */
export class TileProducts {
  readonly #matrix: TiledMatrix;
  readonly #inputs: number;
  readonly #rows: number;
  readonly #x: Table;
  readonly #y: Table;

  constructor(matrix: TiledMatrix, x: Table, y: Table, rows: number) {
    this.#matrix = matrix;
    this.#inputs = x.features;
    this.#rows = rows;
    this.#x = x;
    this.#y = y;
  }

  /** Puts a matrix of a look at a chip on the tiles. Throws `ConfigError` for one of another size. */
  load(matrix: LookedMatrix): void {
    const { outputs } = this.#matrix;
    if (matrix.outputs !== outputs || matrix.inputs !== this.#inputs || matrix.taps !== 1)
      throw new ConfigError(
        `these tiles are for ${outputs} x ${this.#inputs} weights, not ${matrix.outputs} x ${matrix.inputs}${matrix.taps > 1 ? " of a convolution" : ""}`,
      );
    loadMatrix(this.#matrix, matrix);
  }

  /**
   * [vector][output] of [vector][input]. Noise is that of vectors `first`, `first` + 1, … : the same numbers give the same
   * result, and noise of another stream is other noise. Throws `ConfigError` for what are not whole vectors.
   */
  multiply(x: Float32Array | Float64Array | readonly number[], { first = 0, stream = 0 } = {}): Float32Array {
    const vectors = x.length / this.#inputs;
    if (!Number.isInteger(vectors))
      throw new ConfigError(`${x.length} numbers are not vectors of ${this.#inputs}`);
    const { outputs } = this.#matrix;
    const result = new Float32Array(vectors * outputs);
    for (let from = 0; from < vectors; from += this.#rows) {
      const count = Math.min(this.#rows, vectors - from);
      for (let r = 0; r < count; r++) {
        const at = (from + r) * this.#inputs;
        if (ArrayBuffer.isView(x)) this.#x.data.set(x.subarray(at, at + this.#inputs), r * this.#x.width);
        else for (let j = 0; j < this.#inputs; j++) this.#x.data[r * this.#x.width + j] = x[at + j];
      }
      this.#matrix.forward(this.#x, this.#y, count, { first: first + from, stream });
      for (let r = 0; r < count; r++) {
        const row = this.#y.data.subarray(r * this.#y.width, r * this.#y.width + outputs);
        result.set(row, (from + r) * outputs);
      }
    }
    return result;
  }
}

/** Tiles for products with matrices of one size. What columns and wires are like follows from the seed. */
export async function tileProducts(tile: Tile, options: TileProductsOptions): Promise<TileProducts> {
  const { outputs, inputs, rows = 64, seed } = options;
  for (const [name, count] of Object.entries({ outputs, inputs, rows }))
    if (!(Number.isInteger(count) && count >= 1))
      throw new ConfigError(`${name} are a whole number from 1 on, not ${count}`);
  const kernels = await compileKernels(4 * numbersOf(tile, outputs, inputs, rows));
  const { heap } = kernels;
  const matrix = new TiledMatrix(kernels, { tile, outputs, inputs: [inputs], examples: rows, seed });
  return new TileProducts(matrix, takeTable(heap, [inputs], rows), takeTable(heap, [outputs], rows), rows);
}
