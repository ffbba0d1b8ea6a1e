/**
 * Mixed-precision training: products by devices, changes of weights gathered in a number beside each pair of them.
 *
 *     chi <- chi + dW;   p = trunc(chi / epsilon);   chi <- chi - p epsilon
 *     p > 0: p pulses onto G+;   p < 0: |p| pulses onto G-,   each drawn by itself
 *
 * Nobody looks at what a pulse did. Source: Nandakumar et al. 2020, Front. Neurosci. 14:406,
 * doi:10.3389/fnins.2020.00406. Without the gathering ("nearest") round(dW / epsilon) pulses are given at once and the rest
 * is lost.
 */
import type { Time } from "../math/units.ts";
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import type { Crossbar } from "./crossbar.ts";
import { type Input, Matrix, type Purpose, type Weights } from "./weights.ts";

export interface MixedPrecisionOptions {
  /** Examples from one refresh to the next. */
  readonly refreshEvery: number;
  /** Most pulses by which a refresh writes a difference. */
  readonly refreshPulses: number;
  /** Time on the devices' clock that passes after so many examples. */
  readonly ageing?: { readonly every: number; readonly time: Time };
}

export class MixedPrecision implements Weights {
  readonly rows: number;
  readonly columns: number;
  readonly crossbar: Crossbar;
  readonly #kernels: Kernels;
  readonly #options: MixedPrecisionOptions;
  readonly #chi: Matrix;
  readonly #found: Block; // byte offsets of groups, u32
  readonly #offsets: Uint32Array;
  #examples = 0;

  constructor(kernels: Kernels, crossbar: Crossbar, options: MixedPrecisionOptions) {
    this.rows = crossbar.rows;
    this.columns = crossbar.columns;
    this.crossbar = crossbar;
    this.#kernels = kernels;
    this.#options = options;
    this.#chi = new Matrix(kernels, this.rows, this.columns);
    const groups = this.#chi.data.length / 4;
    this.#found = kernels.heap.take(groups);
    this.#offsets = new Uint32Array(kernels.heap.memory.buffer, this.#found.at, groups);
  }

  multiply(x: Input, y: Block, purpose: Purpose): void {
    this.crossbar.multiply(x, y, purpose);
  }

  multiplyBack(d: Block, dx: Block): void {
    this.crossbar.multiplyBack(d, dx);
  }

  update(d: Block, x: Input, rate: number): void {
    const { at, stride, data } = this.#chi;
    const { pairs } = this.crossbar;
    const { least } = pairs;
    if (!pairs.keeps) data.fill(0);
    const { list, count } = x;
    const to = this.#found.at;
    const found = this.#kernels.accumulate(at, stride, d.at, x.at, this.rows, list, count, -rate, least, to);
    const places: number[] = [];
    for (let k = 0; k < found; k++)
      for (let place = this.#offsets[k] / 4, lane = 0; lane < 4; lane++, place++)
        if (Math.abs(data[place]) >= least) pairs.spend(data, place, places);
    if (places.length > 0) pairs.update(places);
    this.#examples++;
    const { refreshEvery, refreshPulses, ageing } = this.#options;
    if (ageing && this.#examples % ageing.every === 0) this.crossbar.wait(ageing.time);
    if (this.#examples % refreshEvery === 0) pairs.refresh(refreshPulses);
  }

  values(): Float32Array {
    return this.crossbar.values();
  }

  /** What is gathered and not yet written: a copy, [row][column]. */
  pending(): Float32Array {
    return this.#chi.values();
  }
}
