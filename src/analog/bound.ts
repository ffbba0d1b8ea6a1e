/**
 * The largest output of a tile's ADC as a number that is learnt: one for all matrices of a network, or of one.
 *
 * With one for all, an array whose gain is fixed serves all layers in turn: r_ADC = S r_DAC W_max, S the same (Zhou et al. 2021,
 * arXiv:2111.06503, shared gain). It begins as the median over matrices of what their outputs reach before the ADC. Then it goes
 * down its slope, that of a converter by its step (Esser et al. 2020, arXiv:1902.08153, eq. 3): a clipped output pulls by its sign,
 * any other by its rounding error, so that it may rise and fall. It is the logarithm that descends: the slope by the bound counts times
 * its square, so that units do not matter, and a step changes it by a fifth at most. (With the factor of Esser et al.,
 * 1 / sqrt(outputs steps), it would stay where it is at the rates of these trainings.)
 */

import type { Memory, Parameter } from "../deep/parameter.ts";
import { ConfigError } from "../math/errors.ts";
import type { Kernels } from "../tensor/kernels.ts";
import type { Tile } from "./tile.ts";

/** Share of rows none of whose outputs is beyond what a matrix reaches. */
const within = 0.99;

/** What a step may do to a logarithm. */
const most = 1.2;

/** A number after a step, not far from what it was before. */
export const near = (after: number, before: number): number =>
  Math.min(before * most, Math.max(before / most, after));

/** What the outputs of one matrix reach: the mean over batches. */
export class Reach {
  readonly memory: Memory;
  readonly #bound: OutputBound;
  #before = 0;
  #most = 0; // in the batch

  constructor(bound: OutputBound, memory: Memory) {
    this.#bound = bound;
    this.memory = memory;
  }

  /** A batch begins. */
  begin(): void {
    this.#before = this.memory.data[0];
    this.#most = 0;
  }

  /** Takes a product's largest outputs of rows into the mean of `batches` batches, this one the last. */
  follow(largest: Float32Array, batches: number): void {
    const sorted = largest.slice().sort();
    this.#most = Math.max(this.#most, sorted[Math.ceil(within * sorted.length) - 1]);
    this.memory.data[0] = this.#before + (this.#most - this.#before) / batches;
    this.#bound.find();
  }
}

export class OutputBound {
  readonly parameter: Parameter;
  readonly kernels: Kernels;
  readonly #reaches: Reach[] = [];
  #before: number; // the step

  /** Throws `ConfigError` for a tile without a limit of outputs. */
  constructor(kernels: Kernels, name: string, { outputBound }: Tile) {
    if (outputBound === Number.POSITIVE_INFINITY)
      throw new ConfigError("an output bound is learnt from a limit, and this tile has none");
    const { heap } = kernels;
    this.kernels = kernels;
    const value = heap.take(4);
    value.data[0] = outputBound;
    this.#before = outputBound;
    this.parameter = {
      name,
      shape: [1],
      value,
      gradient: heap.take(4),
      decays: false,
      changed: () => {
        value.data[0] = near(value.data[0], this.#before);
      },
    };
  }

  get value(): number {
    return this.parameter.value.data[0];
  }

  /** One more matrix. */
  join(path: string): Reach {
    const reach = new Reach(this, { name: `${path}.reach`, data: new Float32Array(1), ofLearning: true });
    this.#reaches.push(reach);
    return reach;
  }

  /** Becomes the median of what matrices reach. */
  find(): void {
    const known = this.#reaches.map(({ memory }) => memory.data[0]).filter((one) => one > 0);
    if (known.length === 0) return;
    known.sort((a, b) => a - b);
    const middle = known.length >> 1;
    const { data } = this.parameter.value;
    data[0] = known.length % 2 === 1 ? known[middle] : (known[middle - 1] + known[middle]) / 2;
    this.#before = data[0];
  }

  /** Adds the loss's slope by it. */
  learn(slope: number): void {
    this.#before = this.value;
    this.parameter.gradient.data[0] += this.value ** 2 * slope;
  }
}
