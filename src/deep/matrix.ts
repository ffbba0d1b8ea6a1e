/**
 * Products of a layer with a matrix of weights that it learns: in floating point here; tiles and devices offer the same.
 *
 * A batch begins with `prepare`. The same matrix may then multiply several tables, one after the other (the times of a
 * sequence); derivatives are told which inputs they belong to.
 */
import { randomKey } from "../math/random.ts";
import type { Time } from "../math/units.ts";
import type { Block } from "../tensor/heap.ts";
import { type Kernels, normalCount } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import type { Products } from "../tensor/rows.ts";
import type { Shape, Table } from "../tensor/table.ts";
import type { Unfold } from "../tensor/unfold.ts";
import type { Memory, Parameter, Pass } from "./parameter.ts";

/** y = W x + b for rows x. */
export interface MatrixUnit {
  readonly parameters: readonly Parameter[];
  readonly memories?: readonly Memory[];
  /** What has to be made before the first batch. */
  ready?(): Promise<void>;
  /** Time passes for what the weights are stored on. */
  wait?(time: Time): void;
  /** A batch begins: weights are what they are until the next. */
  prepare(pass: Pass): void;
  /** y = W x + b; what fills rows of y up is 0. */
  forward(x: Table, y: Table, count: number): void;
  /** dx = dy W */
  backward(x: Table, dy: Table, dx: Table, count: number): void;
  /** Adds dy^T x to the gradient of W, and the sums of dy to that of b. */
  gradient(x: Table, dy: Table, count: number): void;
}

export interface MatrixOptions {
  readonly kernels: Kernels;
  /** What multiplies; several that see the same W in tables of other shape are made from the first one's sizes. */
  readonly products: Products;
  readonly outputs: number;
  readonly bias: boolean;
  /** Such as "3.weights"; the bias is "3.bias". */
  readonly path: string;
  readonly seed: string;
  /** Variance of the weights at the start. Default 1 / inputs. */
  readonly variance?: number;
  /** Shape of one example of the inputs. */
  readonly table: Shape;
  /** Of patches: their taps, products with patches of so many channels, and patches laid out as rows. */
  readonly patches?: {
    readonly taps: number;
    readonly products: (channels: number, inOrder?: boolean) => Products;
    readonly unfold: Unfold;
  };
  /** Sizes of a row of W, where it is not simply `inputs`: [line, column, channel]. */
  readonly shape?: readonly number[];
  /** Most examples in a batch. */
  readonly examples: number;
}

/** Makes the products of one layer. */
export type Matrices = (options: MatrixOptions) => MatrixUnit;

/** Values of the start: number c of row r is draw c at tick r, normal with this variance. */
export function drawStart(
  { heap, normals }: Kernels,
  o: { readonly rows: number; readonly columns: number; readonly seed: string; readonly variance: number },
): Float32Array {
  const width = paddedColumns(o.columns);
  const draws = heap.take(normalCount(width));
  const [key0, key1] = randomKey(o.seed, "start");
  const values = new Float32Array(o.rows * width);
  for (let row = 0; row < o.rows; row++) {
    normals(draws.at, o.columns, key0, key1, 0, row, Math.sqrt(o.variance));
    values.set(draws.data.subarray(0, o.columns), row * width);
  }
  return values;
}

/** A digital bias of a matrix, 0 at first, where it is to have one. */
export function takeBias({ kernels: { heap }, bias, path, outputs }: MatrixOptions): Parameter | undefined {
  if (!bias) return undefined;
  const padded = paddedColumns(outputs);
  return {
    name: `${path}.bias`,
    shape: [outputs],
    value: heap.take(padded),
    gradient: heap.take(padded),
    decays: false,
  };
}

/** Weights as float32 numbers. */
export class FloatingMatrix implements MatrixUnit {
  readonly parameters: readonly Parameter[];
  readonly #kernels: Kernels;
  readonly #products: Products;
  readonly #weights: Parameter;
  readonly #bias: Parameter | undefined;
  #packedBack = false;

  constructor(o: MatrixOptions) {
    const { heap } = o.kernels;
    this.#kernels = o.kernels;
    this.#products = o.products;
    const { inputs, width } = o.products;
    const take = (count: number): Block => heap.take(count);
    const count = o.outputs * width;
    this.#weights = {
      name: `${o.path}.weights`,
      shape: [o.outputs, ...(o.shape ?? [inputs])],
      value: take(count),
      gradient: take(count),
      decays: true,
    };
    this.#weights.value.data.set(
      drawStart(o.kernels, {
        rows: o.outputs,
        columns: inputs,
        seed: o.seed,
        variance: o.variance ?? 1 / inputs,
      }),
    );
    this.#bias = takeBias(o);
    this.parameters = this.#bias ? [this.#weights, this.#bias] : [this.#weights];
  }

  prepare(): void {
    this.#products.pack(this.#weights.value);
    this.#packedBack = false;
  }

  forward(x: Table, y: Table, count: number): void {
    const rows = count * this.#products.positions;
    this.#products.load(x, count);
    if (this.#bias) this.#kernels.fillColumns(rows, y.width, y.at, this.#bias.value.at);
    this.#products.forward(y, count, !this.#bias);
  }

  backward(_: Table, dy: Table, dx: Table, count: number): void {
    if (!this.#packedBack) this.#products.packBack(this.#weights.value);
    this.#packedBack = true;
    this.#products.backward(dy, dx, count);
  }

  gradient(x: Table, dy: Table, count: number): void {
    const rows = count * this.#products.positions;
    this.#products.load(x, count);
    this.#products.gradient(dy, this.#weights.gradient, count);
    if (this.#bias) this.#kernels.sumColumns(rows, dy.width, dy.at, this.#bias.gradient.at);
  }
}

/** Matrices in floating point. */
export const floatingMatrices: Matrices = (options) => new FloatingMatrix(options);
