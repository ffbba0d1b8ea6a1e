/**
 * Dense layers with their buffers in a network that learns from one example at a time.
 *
 * `forward` leaves outputs in `y`; `backward` takes the loss's derivative by them and leaves that by the inputs in `dx`.
 * Buffers are made once.
 */
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import type { Input, Purpose, Weights } from "./weights.ts";

/** A layer with its buffers. */
export interface Stage {
  readonly y: Block;
  readonly dx: Block;
  forward(x: Block, purpose: Purpose): void;
  /** `first`: nobody asks for `dx`. */
  backward(dy: Block, first: boolean): void;
  /** Learns what the last `forward` and `backward` say. */
  update(rate: number): void;
}

export class DenseStage implements Stage {
  readonly y: Block;
  readonly dx: Block;
  readonly weights: Weights;
  readonly #kernels: Kernels;
  readonly #x: Input; // inputs and 1
  readonly #inputs: number;
  #dy: Block;

  constructor(kernels: Kernels, weights: Weights) {
    const { heap } = kernels;
    const { rows, columns } = weights;
    this.weights = weights;
    this.#kernels = kernels;
    this.#inputs = columns - 1;
    this.#x = {
      ...heap.take(paddedColumns(columns)),
      list: heap.take(paddedColumns(columns) / 4).at,
      count: 0,
    };
    this.#x.data[this.#inputs] = 1;
    this.y = heap.take(rows);
    this.dx = heap.take(paddedColumns(columns));
    this.#dy = this.y;
  }

  forward(x: Block, purpose: Purpose): void {
    const own = this.#x;
    for (let c = 0; c < this.#inputs; c++) own.data[c] = x.data[c];
    own.count = this.#kernels.active(own.at, this.weights.columns, own.list);
    this.weights.multiply(own, this.y, purpose);
  }

  backward(dy: Block, first: boolean): void {
    this.#dy = dy;
    if (!first) this.weights.multiplyBack(dy, this.dx);
  }

  update(rate: number): void {
    this.weights.update(this.#dy, this.#x, rate);
  }
}

export class SigmoidStage implements Stage {
  readonly y: Block;
  readonly dx: Block;
  readonly #kernels: Kernels;
  readonly #size: number;

  constructor(kernels: Kernels, size: number) {
    this.#kernels = kernels;
    this.#size = size;
    this.y = kernels.heap.take(size);
    this.dx = kernels.heap.take(size);
  }

  forward(x: Block): void {
    this.#kernels.sigmoid(this.#size, x.at, this.y.at);
  }

  backward(dy: Block): void {
    this.#kernels.sigmoidBack(this.#size, dy.at, this.y.at, this.dx.at);
  }

  update(): void {}
}
