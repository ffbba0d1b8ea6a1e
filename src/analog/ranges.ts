/**
 * Input ranges of the tiles of a matrix: found from some batches, then learnt.
 *
 * Found: the mean of the largest inputs of the batches. Learnt: down the slope that clipped inputs make, times the range; a range
 * that holds nearly all inputs shrinks (aihwkit 1.1.0, learned input ranges; Rasch et al. 2023, Nat. Commun. 14:5282).
 */
import type { Kernels } from "./kernels.ts";
import { paddedColumns } from "./matvec.ts";
import type { Parameter } from "./parameter.ts";
import type { Table } from "./table.ts";
import type { TiledMatrix } from "./tiles.ts";

/** A range that holds more than this share of inputs shrinks (aihwkit 1.1.0). */
const mostWithin = 0.95;

const least = 1e-12;

export class InputRanges {
  readonly parameter: Parameter; // [part]
  readonly #tiled: TiledMatrix;
  readonly #decay: number;
  readonly #before: Float32Array; // when the batch began
  readonly #largest: Float32Array; // inputs of the batch

  constructor({ heap }: Kernels, tiled: TiledMatrix, o: { readonly name: string; readonly decay: number }) {
    const { parts } = tiled;
    const count = paddedColumns(parts.length);
    this.parameter = {
      name: o.name,
      shape: [parts.length],
      value: heap.take(count),
      gradient: heap.take(count),
      decays: false,
    };
    this.parameter.value.data.fill(tiled.tile.inputRange, 0, parts.length);
    this.#tiled = tiled;
    this.#decay = o.decay;
    this.#before = new Float32Array(count);
    this.#largest = new Float32Array(count);
  }

  /** Range of each part: a copy. */
  get values(): number[] {
    const { data } = this.parameter.value;
    return Array.from(this.#tiled.parts, (_, k) => Math.max(least, data[k]));
  }

  /** A batch begins: tiles have these ranges. */
  begin(): void {
    this.#before.set(this.parameter.value.data);
    this.#largest.fill(0);
    for (const [k, range] of this.values.entries()) this.#tiled.parts[k].alpha = range;
  }

  /** Takes the inputs of a product into the mean of the largest of `batches` batches, this one the last. */
  follow(x: Table, count: number, batches: number): void {
    const { data } = this.parameter.value;
    for (const [k, part] of this.#tiled.parts.entries()) {
      this.#largest[k] = Math.max(this.#largest[k], this.#tiled.largestInput(k, x, count));
      data[k] = this.#before[k] + (this.#largest[k] - this.#before[k]) / batches;
      part.alpha = Math.max(least, data[k]);
    }
  }

  /** Adds slopes by ranges, from x and dx of `backward`. */
  learn(x: Table, dx: Table, count: number): void {
    const { data } = this.parameter.gradient;
    for (const [k, part] of this.#tiled.parts.entries()) {
      data[k] += part.alpha * this.#tiled.rangeSlope(k, x, dx, count);
      if (this.#decay > 0 && this.#tiled.shareWithin(k, x, count) > mostWithin)
        data[k] += this.#decay * part.alpha;
    }
  }
}
