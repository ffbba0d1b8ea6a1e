/**
 * Input ranges of the tiles of a matrix: found from some batches, then learnt.
 *
 * Found: the mean over batches of what inputs reach. Learnt by "clipping": down the slope that clipped inputs make, times the range; a
 * range that holds nearly all inputs shrinks (aihwkit 1.1.0, learned input ranges; Rasch et al. 2023, Nat. Commun. 14:5282). By "step":
 * down the slope of a converter by its step (Esser et al. 2020, arXiv:1902.08153, eq. 3), as the logarithm of an `OutputBound`; where
 * that is learnt, S times the range is where the ADC ends, and moves with it (Zhou et al. 2021, arXiv:2111.06503).
 */

import type { Parameter } from "../deep/parameter.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import type { Table } from "../tensor/table.ts";
import { near } from "./bound.ts";
import type { RangeRule, TiledMatrix } from "./tiles.ts";

/** A range that holds more than this share of inputs shrinks (aihwkit 1.1.0). */
const mostWithin = 0.95;

const least = 1e-12;

interface Options {
  readonly name: string;
  readonly rule: RangeRule;
  /** Of "clipping". */
  readonly decay: number;
  /** Share of inputs that are within a range that is found. */
  readonly share: number;
}

export class InputRanges {
  readonly parameter: Parameter; // [part]
  readonly #tiled: TiledMatrix;
  readonly #o: Options;
  readonly #slopes: Float64Array;
  readonly #before: Float32Array; // when the batch began
  readonly #reached: Float32Array; // by inputs of the batch
  #descends = false; // its logarithm, in this batch

  constructor({ heap }: Kernels, tiled: TiledMatrix, o: Options) {
    const { parts } = tiled;
    const count = paddedColumns(parts.length);
    this.parameter = {
      name: o.name,
      shape: [parts.length],
      value: heap.take(count),
      gradient: heap.take(count),
      decays: false,
      changed: () => this.#changed(),
    };
    this.parameter.value.data.fill(tiled.tile.inputRange, 0, parts.length);
    this.#tiled = tiled;
    this.#o = o;
    this.#slopes = new Float64Array(parts.length);
    this.#before = new Float32Array(count);
    this.#reached = new Float32Array(count);
  }

  /** Range of each part: a copy. */
  get values(): number[] {
    const { data } = this.parameter.value;
    return Array.from(this.#tiled.parts, (_, k) => Math.max(least, data[k]));
  }

  /** A batch begins: tiles have these ranges. */
  begin(): void {
    this.#before.set(this.parameter.value.data);
    this.#reached.fill(0);
    this.#descends = false;
    for (const [k, range] of this.values.entries()) this.#tiled.parts[k].alpha = range;
  }

  /** Takes the inputs of a product into the mean of `batches` batches, this one the last. */
  follow(x: Table, count: number, batches: number): void {
    const { data } = this.parameter.value;
    for (const [k, part] of this.#tiled.parts.entries()) {
      this.#reached[k] = Math.max(this.#reached[k], this.#tiled.inputsReach(k, x, count, this.#o.share));
      data[k] = this.#before[k] + (this.#reached[k] - this.#before[k]) / batches;
      part.alpha = Math.max(least, data[k]);
    }
  }

  #changed(): void {
    if (!this.#descends) return;
    const { data } = this.parameter.value;
    for (const k of this.#tiled.parts.keys()) data[k] = near(data[k], this.#before[k]);
  }

  /** What the way back is to tell of ranges, for `learn`. */
  get wanted() {
    this.#slopes.fill(0);
    return { rule: this.#o.rule, slopes: this.#slopes };
  }

  /** Adds what the way back told of inputs x. */
  learn(x: Table, count: number): void {
    const { data } = this.parameter.gradient;
    const { rule, decay } = this.#o;
    this.#descends = rule === "step";
    for (const [k, part] of this.#tiled.parts.entries()) {
      data[k] += part.alpha ** (rule === "step" ? 2 : 1) * this.#slopes[k];
      if (rule === "clipping" && decay > 0 && this.#tiled.shareWithin(k, x, count) > mostWithin)
        data[k] += decay * part.alpha;
    }
  }

  /** Adds what comes of converters whose end is S times a range: slopes by S of parts. */
  learnFromBounds(slopes: readonly number[]): void {
    if (this.#o.rule !== "step") return;
    const { data } = this.parameter.gradient;
    for (const [k, slope] of slopes.entries()) {
      const { alpha, outputBound } = this.#tiled.parts[k];
      data[k] += alpha * outputBound * slope;
    }
  }
}
