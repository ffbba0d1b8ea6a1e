/**
 * Mixed precision: products by devices, changes gathered in a number beside each weight, whole steps of them written by trains.
 */
import { ConfigError } from "../math/errors.ts";
import { type Key, randomKey, uniform } from "../math/random.ts";
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import type { Crosspoints } from "./crosspoints.ts";
import {
  largest,
  nearestEven,
  type PulseTrainOptions,
  single,
  TrainWriter,
  trainsOf,
  Upkeep,
  type UpkeepOptions,
} from "./pulsed.ts";
import type { Read } from "./reads.ts";
import { mostSlots, roomOf } from "./trains.ts";
import type { Input, Purpose, Weights } from "./weights.ts";

/** How changes are gathered in numbers beside the weights before pulses are given. */
export interface GatherOptions {
  /** Change that one transfer unit stands for, in weights. Default: what a pulse is taken to make. */
  readonly granularity?: number;
  /** Updates from one transfer to the next. Default 1. */
  readonly every?: number;
  /** Rows written in a transfer, in turn. Default: all. */
  readonly rows?: number;
  /** Factor of what is written. Default 1. */
  readonly transferRate?: number;
  /** Bins that inputs and errors are rounded to before they are multiplied, by the largest of each. Default: none. */
  readonly inputBins?: number;
  readonly errorBins?: number;
  /**
   * Write a row's whole steps by trains, so that a cell gets them on the average, as aihwkit: {} for its trains of managed
   * length. Default: exactly so many pulses, at most 31 at once.
   */
  readonly trains?: PulseTrainOptions;
}

/**
 * Mixed precision:
 *
 *     chi <- chi - lr d x^T;   n = trunc(chi / epsilon);   chi <- chi - n epsilon;   |n| pulses
 *
 * Source: Nandakumar et al. 2020, Front. Neurosci. 14:406, doi:10.3389/fnins.2020.00406; with `trains` written as aihwkit 1.1.0's
 * MixedPrecisionCompound does. None is written after the first update, as there.
 */
export class GatheredWeights implements Weights {
  readonly rows: number;
  readonly columns: number;
  readonly cells: Crosspoints;
  readonly #kernels: Kernels;
  readonly #read: Read;
  readonly #writer: TrainWriter;
  readonly #upkeep: Upkeep;
  readonly #options: GatherOptions;
  readonly #granularity: number;
  readonly #chi: Block;
  readonly #x: Block;
  readonly #d: Block;
  readonly #steps: Float32Array; // of a row
  readonly #one: Float32Array; // 1 in a row, else 0
  readonly #key: Key;
  readonly #found: Block; // byte offsets of groups of chi that hold a whole step, u32
  readonly #offsets: Uint32Array;
  readonly #exact: boolean; // whole steps are whole pulses
  #updates = 0;
  #row = 0;

  constructor(
    kernels: Kernels,
    cells: Crosspoints,
    o: {
      readonly read: Read;
      readonly gather?: GatherOptions;
      readonly seed: string;
      readonly upkeep?: UpkeepOptions;
    },
  ) {
    const { rows, columns } = cells;
    this.rows = rows;
    this.columns = columns;
    this.cells = cells;
    this.#kernels = kernels;
    this.#read = o.read;
    this.#options = checkGather(o.gather ?? {}, rows);
    this.#granularity = single(this.#options.granularity ?? cells.step);
    const { trains, transferRate = 1 } = this.#options;
    this.#exact = trains === undefined && this.#granularity * transferRate === single(cells.step);
    this.#writer = new TrainWriter(cells, trainsOf(this.#options.trains), o.seed);
    this.#upkeep = new Upkeep([cells], o.upkeep);
    this.#chi = cells.heap.take(rows * cells.weights.width);
    this.#x = cells.heap.take(roomOf(columns));
    this.#d = cells.heap.take(roomOf(rows));
    this.#steps = new Float32Array(columns);
    this.#one = new Float32Array(rows);
    this.#key = randomKey(o.seed, "bins");
    this.#found = cells.heap.take(this.#chi.data.length / 4);
    this.#offsets = new Uint32Array(cells.heap.memory.buffer, this.#found.at, this.#chi.data.length / 4);
  }

  static bytes(size: { readonly rows: number; readonly columns: number }): number {
    return TrainWriter.bytes(size) + 5 * (size.rows + 1) * roomOf(size.columns) + 4 * roomOf(size.rows) + 512;
  }

  multiply(x: Input, y: Block, purpose: Purpose): void {
    this.#read.multiply(x, y, purpose);
  }

  multiplyBack(d: Block, dx: Block): void {
    this.#read.multiplyBack(d, dx);
  }

  update(d: Block, x: Input, rate: number): void {
    const { inputBins = 0, errorBins = 0, every = 1 } = this.#options;
    const { stride } = this.cells.weights;
    this.#bin(x.data, this.#x.data, this.columns, inputBins, 0);
    this.#bin(d.data, this.#d.data, this.rows, errorBins, 1);
    const { rows: together = this.rows } = this.#options;
    const factors = [this.#chi.at, stride, this.#d.at, this.#x.at, this.rows, x.list, x.count, -rate];
    if (every === 1 && together === this.rows && this.#updates > 1) {
      // everything was written after the last update: what is due now is among what moves
      const found = this.#kernels.accumulate(...factors, this.#granularity, this.#found.at);
      this.#transferFound(found);
    } else {
      this.#kernels.outer(...factors);
      if (this.#updates > 0 && this.#updates % every === 0) this.#transfer(together); // none after the first, as aihwkit
    }
    this.#updates++;
    this.#upkeep.next();
  }

  /** Rounds numbers stochastically to `bins` bins that the largest of them spans; none: as they are. */
  #bin(from: ArrayLike<number>, to: Float32Array, count: number, bins: number, stream: number): void {
    const half = Math.floor(bins / 2);
    const width = half > 0 ? largest(from, count) / half : 0;
    for (let k = 0; k < count; k++) {
      if (width === 0) {
        to[k] = from[k];
        continue;
      }
      const chance = uniform(this.#key, stream, k, this.#updates) - 0.5;
      to[k] = Math.max(-half, Math.min(half, nearestEven(from[k] / width + chance))) * width;
    }
  }

  /** Writes the whole steps of so many rows. */
  #transfer(together: number): void {
    const { rows, columns } = this;
    const { width } = this.cells.weights;
    for (let n = 0; n < together; n++, this.#row = (this.#row + 1) % rows) {
      let most = 0;
      for (let c = 0, k = this.#row * width; c < columns; c++, k++) most = Math.max(most, this.#spend(c, k));
      this.#write(this.#row, most);
    }
  }

  /** The same of the rows of the groups that were found, in which all that is due is. */
  #transferFound(found: number): void {
    const { width } = this.cells.weights;
    for (let n = 0; n < found; ) {
      const row = Math.floor(this.#offsets[n] / (4 * width));
      const end = (row + 1) * width;
      let most = 0;
      for (; n < found && this.#offsets[n] / 4 < end; n++) {
        const place = this.#offsets[n] / 4;
        for (let k = place; k < place + 4; k++)
          if (k - row * width < this.columns) most = Math.max(most, this.#spend(k - row * width, k));
      }
      this.#write(row, most);
    }
  }

  /** Takes the whole steps out of a place of chi; gives how many. */
  #spend(column: number, place: number): number {
    const chi = this.#chi.data;
    const all = Math.trunc(chi[place] / this.#granularity);
    const whole = this.#exact ? Math.max(-mostSlots, Math.min(mostSlots, all)) : all;
    this.#steps[column] = whole;
    chi[place] -= whole * this.#granularity;
    return Math.abs(whole);
  }

  /** Writes `#steps` of a row, the largest of which is `most` in size, and clears them. */
  #write(row: number, most: number): void {
    if (most === 0) return;
    const { cells } = this;
    const { transferRate = 1 } = this.#options;
    if (this.#exact) {
      cells.begin();
      cells.counts.set(this.#steps);
      cells.pulse(row);
    } else {
      this.#one[row] = 1;
      this.#writer.update(this.#one, this.#steps, -this.#granularity * transferRate);
      this.#one[row] = 0;
    }
    this.#steps.fill(0);
  }

  values(): Float32Array {
    return this.cells.values();
  }

  /** What is gathered and not yet written: a copy, [row][column]. */
  pending(): Float32Array {
    const { rows, columns } = this;
    const { width } = this.cells.weights;
    return Float32Array.from(
      { length: rows * columns },
      (_, k) => this.#chi.data[Math.floor(k / columns) * width + (k % columns)],
    );
  }
}

function checkGather(options: GatherOptions, rows: number): GatherOptions {
  const whole = (name: string, value: number | undefined, least: number, most = Number.POSITIVE_INFINITY) => {
    if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most))
      throw new ConfigError(`mixed precision: ${name} is a whole number from ${least} on, not ${value}`);
  };
  whole("every", options.every, 1);
  whole("rows", options.rows, 1, rows);
  whole("inputBins", options.inputBins, 2);
  whole("errorBins", options.errorBins, 2);
  const { granularity = 1, transferRate = 1 } = options;
  if (!(granularity > 0 && transferRate > 0))
    throw new ConfigError(
      `mixed precision: granularity and transferRate are positive, not ${granularity} and ${transferRate}`,
    );
  return options;
}
