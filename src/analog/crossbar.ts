/**
 * A crossbar: signed weights as the difference of two devices each, read all at once by a product with a vector.
 *
 * W = beta (G+ - G-). The devices are those of `fabricate`, one array for a crossbar: first all G+, [row][column], then all
 * G-. Kernels multiply by float32 copies of the weights, renewed for devices that are pulsed, and for all when they age. The
 * noise of reads is drawn where a product comes out: sum_j n_ij x_j of independent normal n_ij with variances v_ij is
 * normal with variance sum_j v_ij x_j^2, and independent from row to row, so one more product with v and x^2 and one draw
 * a row have the same distribution as a draw for each device. Converters round half to even, over ranges that are
 * symmetric about 0.
 */
import type { WeightStorage } from "../device/storage.ts";
import type { DeviceArray } from "../engine/array.ts";
import { ConfigError } from "../math/errors.ts";
import { type Key, randomKey } from "../math/random.ts";
import type { Time } from "../math/units.ts";
import type { Block } from "./heap.ts";
import { type Kernels, normalCount } from "./kernels.ts";
import { type Input, Matrix, type Purpose } from "./weights.ts";

/** What stands between digital numbers and a crossbar. Without bits numbers pass as they are. */
export interface Converters {
  /** Bits of inputs, from -1 to 1; errors that are sent back are first divided by the largest. */
  readonly dacBits?: number;
  readonly adcBits?: number;
  /** Largest output, in weights: forwards, and backwards of errors so divided. */
  readonly adcRange: readonly [forwards: number, backwards: number];
}

/** What was done to the devices of a crossbar. */
export interface CrossbarUse {
  /** Pulses by the device's own names, such as `set`. */
  readonly pulses: Readonly<Record<string, number>>;
  /** Of these, pulses by which weights learnt. */
  readonly updates: number;
  /** Pairs that were reset and written anew. */
  readonly refreshed: number;
}

/** Streams of the noise of reads. */
const streams = { training: 0, back: 1, inference: 2 } as const;

/** Steps of a converter to either side of 0: 127 with 8 bits. */
const stepsOf = (bits: number): number => 2 ** (bits - 1) - 1;

export class Crossbar {
  readonly rows: number;
  readonly columns: number;
  readonly storage: WeightStorage;
  readonly #kernels: Kernels;
  readonly #devices: DeviceArray;
  readonly #converters: Converters;
  readonly #key: Key;
  readonly #pairs: number;
  readonly #conductances: Float64Array; // S, [G+ or G-][pair]: as last looked at, without noise
  readonly #weights: Matrix;
  readonly #variances: Matrix | undefined; // of a read of each weight
  readonly #in: Block; // what the DAC gives
  readonly #squares: Block;
  readonly #noise: Block;
  readonly #variance: Block;
  readonly #products = { training: 0, back: 0, inference: 0 };
  readonly #pulses: Record<string, number>;
  #changed: "all" | number[] = "all"; // pairs that may have become due for a refresh since the last
  #updates = 0;
  #refreshed = 0;
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
    const { rows, columns, storage, converters } = o;
    const { heap } = kernels;
    this.rows = rows;
    this.columns = columns;
    this.storage = storage;
    this.#kernels = kernels;
    this.#devices = devices;
    this.#converters = converters;
    this.#key = randomKey(o.seed, "reads");
    this.#pairs = rows * columns;
    this.#conductances = new Float64Array(2 * this.#pairs);
    this.#weights = new Matrix(kernels, rows, columns);
    const noisy = devices.readSd().some((sd) => sd > 0);
    this.#variances = noisy ? new Matrix(kernels, rows, columns) : undefined;
    const most = normalCount(Math.max(rows, columns));
    this.#in = heap.take(most);
    this.#squares = heap.take(most);
    this.#noise = heap.take(most);
    this.#variance = heap.take(most);
    this.#pulses = Object.fromEntries(Object.keys(storage.device.checked.handlers).map((name) => [name, 0]));
    this.#look();
  }

  /** y = W x by the devices, as the converters show it. */
  multiply(x: Input, y: Block, purpose: Purpose): void {
    const { dacBits, adcBits, adcRange } = this.#converters;
    const kernels = this.#kernels;
    const { at, stride } = this.#weights;
    const from = this.#convert(x, this.#in, { count: this.columns, bits: dacBits, range: 1 });
    y.data.fill(0);
    kernels.matvec(at, stride, from.at, y.at, this.rows, x.list, x.count);
    if (this.#variances) {
      kernels.square(this.columns, from.at, this.#squares.at);
      this.#variance.data.fill(0);
      const { at: v } = this.#variances;
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
    const { at, stride } = this.#weights;
    const { rows, columns } = this;
    let largest = 0;
    for (let row = 0; row < rows; row++) largest = Math.max(largest, Math.abs(d.data[row]));
    dx.data.fill(0);
    if (largest === 0) return;
    const from = this.#convert(d, this.#in, { count: rows, bits: dacBits, range: largest });
    kernels.vecmat(at, stride, from.at, dx.at, rows, columns);
    if (this.#variances) {
      kernels.square(rows, from.at, this.#squares.at);
      this.#variance.data.fill(0);
      kernels.vecmat(this.#variances.at, stride, this.#squares.at, this.#variance.at, rows, columns);
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

  /**
   * Pulses that raise weights by a step (pair p of the list) or lower them (pairs + p), one after the other; a place listed
   * twice gets two.
   */
  update(places: readonly number[]): void {
    this.#pulse(this.storage.increase, places);
    this.#updates += places.length;
    this.#look(places);
  }

  #pulse(name: string, places: readonly number[]): void {
    this.#devices.pulse(name, places);
    this.#pulses[name] += places.length;
  }

  /**
   * RESETs the pairs that the storage's rule of refresh tells, by their conductances without noise, and writes their
   * difference anew by round(|G+ - G-| / step) pulses, `most` at most, open loop.
   */
  refresh(most: number): void {
    const rule = this.storage.refresh;
    if (!rule) return;
    const pairs = this.#pairs;
    const G = this.#conductances;
    const due: number[] = [];
    const again: number[] = [];
    const check = (p: number) => {
      const a = G[p];
      const b = G[pairs + p];
      if (!(a > rule.above || b > rule.above) || !(Math.abs(a - b) < rule.difference)) return;
      if (!(Math.min(a, b) > rule.otherAbove)) return;
      due.push(p, pairs + p);
      const n = Math.min(most, Math.round(Math.abs(a - b) / this.storage.step));
      for (let k = 0; k < n; k++) again.push(a > b ? p : pairs + p);
    };
    if (this.#changed === "all") for (let p = 0; p < pairs; p++) check(p);
    else for (const p of [...new Set(this.#changed)].sort((a, b) => a - b)) check(p);
    this.#changed = [];
    if (due.length === 0) return;
    this.#pulse("reset", due);
    this.#pulse(this.storage.increase, again);
    this.#refreshed += due.length / 2;
    this.#look(due);
  }

  /** Takes over what the devices conduct now: all, or those at these places. */
  #look(places?: readonly number[]): void {
    const G = this.#devices.read({ noise: false, which: places });
    const pairs = this.#pairs;
    if (places) for (let k = 0; k < places.length; k++) this.#conductances[places[k]] = G[k];
    else this.#conductances.set(G);
    const touched = places ? [...new Set(places.map((place) => place % pairs))] : undefined;
    if (!touched) this.#changed = "all";
    else if (this.storage.refresh && this.#changed !== "all") this.#changed.push(...touched);
    const beta = this.storage.weightPerConductance;
    const both = touched ? [...touched, ...touched.map((p) => pairs + p)] : undefined;
    const sd = this.#variances ? this.#devices.readSd(both) : undefined;
    const count = touched?.length ?? pairs;
    const { data, width } = this.#weights;
    for (let k = 0; k < count; k++) {
      const p = touched ? touched[k] : k;
      const row = Math.floor(p / this.columns);
      const place = row * width + p - row * this.columns;
      data[place] = beta * (this.#conductances[p] - this.#conductances[pairs + p]);
      if (this.#variances && sd)
        this.#variances.data[place] = beta * beta * (sd[k] * sd[k] + sd[count + k] * sd[count + k]);
    }
  }

  /** Time passes for the devices. */
  wait(time: Time): void {
    this.#devices.wait(time);
    this.#look();
  }

  /** Weights count by this factor from now on: products are multiplied by it after the converters. 1 at first. */
  scaleWeights(factor: number): void {
    if (!(Number.isFinite(factor) && factor > 0))
      throw new ConfigError(`weights are scaled by a positive number, not ${factor}`);
    this.#factor = factor;
  }

  /** One read of each device, S: G+ [row][column], then G-. Without noise: the drifted conductances. */
  conductances(options: { readonly noise?: boolean } = {}): Float64Array {
    return this.#devices.read(options);
  }

  /** Weights without the noise of reads: a copy, [row][column]. */
  values(): Float32Array {
    return this.#weights.values().map((w) => w * this.#factor);
  }

  get use(): CrossbarUse {
    return { pulses: { ...this.#pulses }, updates: this.#updates, refreshed: this.#refreshed };
  }
}
