/**
 * Where a dense layer keeps its weights: how it multiplies by them and changes them.
 *
 * A layer does not know whether its weights are numbers or devices. Here are the numbers; crossbar.ts and mixed.ts are the
 * devices.
 */
import { ConfigError } from "../math/errors.ts";
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import { withoutFilling } from "../tensor/table.ts";

/** A vector that matrices are multiplied by, with the list of its groups of four numbers that are not all 0. */
export interface Input extends Block {
  readonly list: number; // byte offset of the list
  count: number; // groups listed
}

/** Products are of training or of looks from outside, whose noise is drawn apart. */
export type Purpose = "training" | "inference";

/** A matrix W of weights, [rows][columns]. */
export interface Weights {
  readonly rows: number;
  readonly columns: number;
  /** y = W x */
  multiply(x: Input, y: Block, purpose: Purpose): void;
  /** dx = d W; room for the padded columns of W */
  multiplyBack(d: Block, dx: Block): void;
  /** One example learnt: the change of W is -rate d x^T. */
  update(d: Block, x: Input, rate: number): void;
  /** W: a copy, [row][column]. */
  values(): Float32Array;
}

/** A matrix in the heap, each row filled up with zeros. */
export class Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly at: number;
  readonly data: Float32Array;
  readonly width: number; // numbers from row to row
  readonly stride: number; // bytes

  constructor({ heap }: Kernels, rows: number, columns: number) {
    this.rows = rows;
    this.columns = columns;
    this.width = paddedColumns(columns);
    this.stride = 4 * this.width;
    const { at, data } = heap.take(rows * this.width);
    this.at = at;
    this.data = data;
  }

  values(): Float32Array {
    return withoutFilling(this.data, this);
  }
}

/** Weights as float32 numbers, changed by what they are told. */
export class FloatingWeights implements Weights {
  readonly rows: number;
  readonly columns: number;
  readonly #kernels: Kernels;
  readonly #matrix: Matrix;

  constructor(kernels: Kernels, rows: number, columns: number) {
    this.rows = rows;
    this.columns = columns;
    this.#kernels = kernels;
    this.#matrix = new Matrix(kernels, rows, columns);
  }

  multiply(x: Input, y: Block): void {
    const { at, stride } = this.#matrix;
    y.data.fill(0);
    this.#kernels.matvec(at, stride, x.at, y.at, this.rows, x.list, x.count);
  }

  multiplyBack(d: Block, dx: Block): void {
    const { at, stride } = this.#matrix;
    dx.data.fill(0);
    this.#kernels.vecmat(at, stride, d.at, dx.at, this.rows, this.columns);
  }

  update(d: Block, x: Input, rate: number): void {
    const { at, stride } = this.#matrix;
    this.#kernels.outer(at, stride, d.at, x.at, this.rows, x.list, x.count, -rate);
  }

  values(): Float32Array {
    return this.#matrix.values();
  }

  /** Overwrites W, [row][column]. */
  set(values: ArrayLike<number>): void {
    const { rows, columns } = this;
    if (values.length !== rows * columns)
      throw new ConfigError(
        `${rows} x ${columns} weights are ${rows * columns} numbers, not ${values.length}`,
      );
    const { data, width } = this.#matrix;
    for (let row = 0; row < rows; row++)
      for (let c = 0; c < columns; c++) data[row * width + c] = values[row * columns + c];
  }
}
