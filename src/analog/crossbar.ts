/**
 * A crossbar: signed weights as the difference of two devices each, read all at once by a product with a vector.
 *
 * Kernels multiply by float32 copies of the weights (pairs.ts). The noise of reads is drawn where a product comes out:
 * sum_j n_ij x_j of independent normal n_ij with variances v_ij is normal with variance sum_j v_ij x_j^2, and independent from
 * row to row, so one more product with v and x^2 and one draw a row have the same distribution as a draw for each device.
 * Converters round half to even, over ranges that are symmetric about 0.
 */
import type { WeightStorage } from "../device/storage.ts";
import type { DeviceArray } from "../engine/array.ts";
import { ConfigError } from "../math/errors.ts";
import { type Key, randomKey } from "../math/random.ts";
import type { Time } from "../math/units.ts";
import type { Block } from "../tensor/heap.ts";
import { type Kernels, normalCount } from "../tensor/kernels.ts";
import { type CrossbarUse, Pairs, stepsOf } from "./pairs.ts";
import type { Input, Purpose } from "./weights.ts";

/** What stands between digital numbers and a crossbar. Without bits numbers pass as they are. */
export interface Converters {
  /** Bits of inputs, from -1 to 1; errors that are sent back are first divided by the largest. */
  readonly dacBits?: number;
  readonly adcBits?: number;
  /** Largest output, in weights: forwards, and backwards of errors so divided. */
  readonly adcRange: readonly [forwards: number, backwards: number];
}

/** Streams of the noise of reads. */
const streams = { training: 0, back: 1, inference: 2 } as const;

export class Crossbar {
  readonly rows: number;
  readonly columns: number;
  readonly pairs: Pairs;
  readonly #kernels: Kernels;
  readonly #converters: Converters;
  readonly #key: Key;
  readonly #in: Block; // what the DAC gives
  readonly #squares: Block;
  readonly #noise: Block;
  readonly #variance: Block;
  readonly #products = { training: 0, back: 0, inference: 0 };
  #factor = 1;

  /** Takes `devices`, 2 x rows x columns of the storage's model. */
  constructor(
    kernels: Kernels,
    devices: DeviceArray,
    o: {
      readonly rows: number;
      readonly columns: number;
      readonly storage: WeightStorage;
      readonly converters: Converters;
      readonly seed: string;
    },
  ) {
    const { rows, columns, converters } = o;
    const { heap } = kernels;
    this.rows = rows;
    this.columns = columns;
    this.pairs = new Pairs(kernels, devices, o);
    this.#kernels = kernels;
    this.#converters = converters;
    this.#key = randomKey(o.seed, "reads");
    const most = normalCount(Math.max(rows, columns));
    this.#in = heap.take(most);
    this.#squares = heap.take(most);
    this.#noise = heap.take(most);
    this.#variance = heap.take(most);
  }

  /** y = W x by the devices, as the converters show it. */
  multiply(x: Input, y: Block, purpose: Purpose): void {
    const { dacBits, adcBits, adcRange } = this.#converters;
    const kernels = this.#kernels;
    const { at, stride } = this.pairs.weights;
    const from = this.#convert(x, this.#in, { count: this.columns, bits: dacBits, range: 1 });
    y.data.fill(0);
    kernels.matvec(at, stride, from.at, y.at, this.rows, x.list, x.count);
    if (this.pairs.variances) {
      kernels.square(this.columns, from.at, this.#squares.at);
      this.#variance.data.fill(0);
      const { at: v } = this.pairs.variances;
      kernels.matvec(v, stride, this.#squares.at, this.#variance.at, this.rows, x.list, x.count);
      this.#addNoise(y, this.rows, purpose);
    }
    this.#convert(y, y, { count: this.rows, bits: adcBits, range: adcRange[0] });
    if (this.#factor !== 1) kernels.scale(this.rows, y.at, y.at, this.#factor);
  }

  /** dx = d W by the devices, as the converters show it. */
  multiplyBack(d: Block, dx: Block): void {
    const { dacBits, adcBits, adcRange } = this.#converters;
    const kernels = this.#kernels;
    const { at, stride } = this.pairs.weights;
    const { rows, columns } = this;
    let largest = 0;
    for (let row = 0; row < rows; row++) largest = Math.max(largest, Math.abs(d.data[row]));
    dx.data.fill(0);
    if (largest === 0) return;
    const from = this.#convert(d, this.#in, { count: rows, bits: dacBits, range: largest });
    kernels.vecmat(at, stride, from.at, dx.at, rows, columns);
    if (this.pairs.variances) {
      kernels.square(rows, from.at, this.#squares.at);
      this.#variance.data.fill(0);
      kernels.vecmat(this.pairs.variances.at, stride, this.#squares.at, this.#variance.at, rows, columns);
      this.#addNoise(dx, columns, "back");
    }
    this.#convert(dx, dx, { count: columns, bits: adcBits, range: largest * adcRange[1] });
    if (this.#factor !== 1) kernels.scale(columns, dx.at, dx.at, this.#factor);
  }

  #addNoise(y: Block, count: number, stream: keyof typeof streams): void {
    const tick = this.#products[stream]++;
    const [key0, key1] = this.#key;
    this.#kernels.normals(this.#noise.at, count, key0, key1, streams[stream], tick, 1);
    this.#kernels.addNoise(count, y.at, this.#variance.at, this.#noise.at, y.at);
  }

  #convert(
    x: Block,
    y: Block,
    o: { readonly count: number; readonly bits: number | undefined; readonly range: number },
  ): Block {
    if (o.bits === undefined) return x;
    const most = stepsOf(o.bits);
    this.#kernels.quantise(o.count, x.at, y.at, most / o.range, o.range / most, most);
    return y;
  }

  /** See `Pairs`. */
  update(places: readonly number[]): void {
    this.pairs.update(places);
  }

  /** See `Pairs`. */
  refresh(most: number): void {
    this.pairs.refresh(most);
  }

  /** Time passes for the devices. */
  wait(time: Time): void {
    this.pairs.wait(time);
  }

  /** Weights count by this factor from now on: products are multiplied by it after the converters. 1 at first. */
  scaleWeights(factor: number): void {
    if (!(Number.isFinite(factor) && factor > 0))
      throw new ConfigError(`weights are scaled by a positive number, not ${factor}`);
    this.#factor = factor;
  }

  /** One read of each device, S: G+ [row][column], then G-. Without noise: the drifted conductances. */
  conductances(options: { readonly noise?: boolean } = {}): Float64Array {
    return this.pairs.conductances(options);
  }

  /** Weights without the noise of reads: a copy, [row][column]. */
  values(): Float32Array {
    return this.pairs.weights.values().map((w) => w * this.#factor);
  }

  get use(): CrossbarUse {
    return this.pairs.use;
  }
}
