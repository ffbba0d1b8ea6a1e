/**
 * Products of batches by pairs of devices, which learn by mixed precision: the matrices of a network on devices.
 *
 *     chi <- chi + dW;   p = trunc(chi / epsilon);   chi <- chi - p epsilon;   |p| pulses, each drawn by itself
 *
 * once for a batch; the parameter's value is chi, so that any optimizer moves it (mixed.ts is the same for single examples).
 * All devices are read once for a batch forwards and once backwards: each weight is drawn from the distribution of its
 * read, W + sqrt(v) z, and the examples of the batch, the places of an image and the times of a sequence share the draw. A
 * product of one example has the distribution of a read of every device; two of the same batch are not independent.
 * Converters round half to even, with a range for each vector or, where patches overlap, for each image. Biases are digital.
 */

import { type Matrices, type MatrixOptions, type MatrixUnit, takeBias } from "../deep/matrix.ts";
import type { Parameter, Pass } from "../deep/parameter.ts";
import type { Sequential } from "../deep/sequential.ts";
import type { WeightStorage } from "../device/storage.ts";
import { fabricate } from "../engine/array.ts";
import { ConfigError } from "../math/errors.ts";
import { type Key, randomKey } from "../math/random.ts";
import { seconds, type Time } from "../math/units.ts";
import type { Block } from "../tensor/heap.ts";
import { type Kernels, normalCount } from "../tensor/kernels.ts";
import { type Table, tableOver, withoutFilling } from "../tensor/table.ts";
import { ageingEvery, checkHardware, type Hardware } from "./hardware.ts";
import { type CrossbarUse, Pairs, stepsOf } from "./pairs.ts";

/** Pairs of devices under a network that learns from batches. */
export interface DeviceOptions extends Hardware {
  /**
   * What inputs are divided by before the DAC, which goes from -1 to 1: a number, or "largest" for the largest of a vector (of
   * an image). Default "largest". Errors sent back are always divided by their largest.
   */
  readonly dacRange?: number | "largest";
  /**
   * Digital factor of a matrix: weight 1 of `weights` counts gain times the standard deviation that the layer's weights have
   * at the start in floating point, 1 / sqrt(inputs). Default: it counts 1.
   */
  readonly gain?: number;
}

/** Streams of the noise of reads. */
const streams = { training: 0, back: 1, inference: 2 } as const;

/** Room that the matrices of a network share: for what converters give, and for weights as they were read. */
class Scratch {
  readonly #kernels: Kernels;
  readonly #blocks = new Map<string, Block>();

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  take(name: "converted" | "read" | "range" | "inverse", count: number): Block {
    const old = this.#blocks.get(name);
    if (old && old.data.length >= count) return old;
    const block = this.#kernels.heap.take(count);
    this.#blocks.set(name, block);
    return block;
  }
}

/** A matrix of weights on pairs of devices. */
export class DeviceMatrix implements MatrixUnit {
  readonly parameters: readonly Parameter[];
  /** Path of its weights in the network, such as "3.weights". */
  readonly name: string;
  readonly #o: MatrixOptions;
  readonly #hardware: DeviceOptions;
  readonly #storage: WeightStorage;
  readonly #adcRange: readonly number[];
  readonly #scratch: Scratch;
  readonly #chi: Parameter;
  readonly #bias: Parameter | undefined;
  readonly #key: Key;
  #made: Pairs | undefined;
  #pass: Pass = { count: 0, purpose: "inference", tick: 0 };
  #packedBack = false;
  #factor = 1;
  readonly #vectors = { forward: 0, backward: 0, gradient: 0 };
  #examples = 0; // seen in training
  #written = 0; // of these, those whose changes are written

  constructor(o: MatrixOptions, hardware: DeviceOptions, scratch: Scratch) {
    const { heap } = o.kernels;
    const { inputs, width } = o.products;
    const { adcRange = [16, 4], gain, weights } = hardware;
    const start = Math.sqrt(o.variance ?? 1 / inputs);
    const factor = gain === undefined ? 1 : gain * start;
    this.name = `${o.path}.weights`;
    this.#o = o;
    this.#hardware = hardware;
    this.#storage = { ...weights, weightPerConductance: factor * weights.weightPerConductance };
    this.#adcRange = adcRange.map((range) => factor * range);
    this.#scratch = scratch;
    this.#key = randomKey(o.seed, "reads");
    this.#chi = {
      name: this.name,
      shape: [o.outputs, ...(o.shape ?? [inputs])],
      value: heap.take(o.outputs * width),
      gradient: heap.take(o.outputs * width),
      decays: false,
      changed: () => this.#write(),
      stored: () => this.weights(),
    };
    this.#bias = takeBias(o);
    this.parameters = this.#bias ? [this.#chi, this.#bias] : [this.#chi];
  }

  async ready(): Promise<void> {
    const { outputs: rows, products, seed, kernels } = this.#o;
    const columns = products.inputs;
    const devices = await fabricate(2 * rows * columns, this.#storage.device, { seed });
    this.#made = new Pairs(kernels, devices, { rows, columns, storage: this.#storage });
  }

  get #pairs(): Pairs {
    if (!this.#made) throw new ConfigError(`the devices of ${this.name} are not made yet: wait for ready()`);
    return this.#made;
  }

  prepare(pass: Pass): void {
    this.#pass = pass;
    if (pass.purpose === "training") this.#examples += pass.count;
    this.#o.products.pack(this.#read(pass.purpose));
    this.#packedBack = false;
  }

  /** Weights as one read of all devices shows them. */
  #read(stream: keyof typeof streams): Block {
    const { weights, variances } = this.#pairs;
    if (!variances) return weights;
    const { kernels } = this.#o;
    const count = weights.data.length;
    const read = this.#scratch.take("read", normalCount(count));
    const [key0, key1] = this.#key;
    kernels.normals(read.at, count, key0, key1, streams[stream], this.#pass.tick, 1);
    kernels.addNoise(count, weights.at, variances.at, read.at, read.at);
    return read;
  }

  forward(x: Table, y: Table, count: number): void {
    const { kernels, products } = this.#o;
    const { dacRange = "largest", dacBits, adcBits } = this.#hardware;
    const rows = count * products.positions;
    if (this.#pass.purpose === "training") this.#vectors.forward += rows;
    const range = this.#ranges(x, count, dacBits || adcBits ? dacRange : 1);
    products.load(this.#convertIn(x, count, range), count);
    products.forward(y, count, true);
    this.#convertOut(y, count, range, this.#adcRange[0]);
    if (this.#bias) kernels.addColumns(rows, y.width, y.at, y.at, this.#bias.value.at);
  }

  backward(_: Table, dy: Table, dx: Table, count: number): void {
    const { products } = this.#o;
    const { dacBits, adcBits } = this.#hardware;
    if (!this.#packedBack) products.packBack(this.#read("back"));
    this.#packedBack = true;
    this.#vectors.backward += count * products.positions;
    const range = this.#ranges(dy, count, dacBits || adcBits ? "largest" : 1);
    products.backward(this.#convertIn(dy, count, range), dx, count);
    this.#convertOut(dx, count, range, this.#adcRange[1]);
  }

  gradient(x: Table, dy: Table, count: number): void {
    const { kernels, products } = this.#o;
    const rows = count * products.positions;
    this.#vectors.gradient += rows;
    products.load(x, count);
    products.gradient(dy, this.#chi.gradient, count);
    if (this.#bias) kernels.sumColumns(rows, dy.width, dy.at, this.#bias.gradient.at);
  }

  /** Vectors that share a range: rows, or the rows of an image. A table may be seen in another shape than the matrix's. */
  #together({ positions, width }: Table, count: number): { readonly count: number; readonly width: number } {
    const { patches, products } = this.#o;
    return patches ? { count, width: positions * width } : { count: count * products.positions, width };
  }

  /** What the numbers of each vector are divided by. */
  #ranges(x: Table, examples: number, told: number | "largest"): Block {
    const { count, width } = this.#together(x, examples);
    const range = this.#scratch.take("range", count);
    if (told === "largest") this.#o.kernels.tileLargest(count, width, width, x.at, range.at);
    else range.data.fill(told, 0, count);
    return range;
  }

  /** x as the DAC gives it. */
  #convertIn(x: Table, examples: number, range: Block): Table {
    const bits = this.#hardware.dacBits;
    if (bits === undefined) return x;
    const to = this.#scratch.take("converted", x.data.length);
    this.#convert(x, to, { ...this.#together(x, examples), range, most: 1, bits });
    return tableOver(to, x.shape);
  }

  #convertOut(y: Table, examples: number, range: Block, most: number): void {
    const { kernels } = this.#o;
    const bits = this.#hardware.adcBits;
    const { count, width } = this.#together(y, examples);
    if (bits !== undefined) this.#convert(y, y, { count, width, range, most, bits });
    if (this.#factor !== 1) kernels.scale(count * width, y.at, y.at, this.#factor);
  }

  /** Rounds to whole steps of `most` times each vector's range, half to even, and cuts off beyond it. */
  #convert(
    x: Block,
    y: Block,
    o: {
      readonly count: number;
      readonly width: number;
      readonly range: Block;
      readonly most: number;
      readonly bits: number;
    },
  ): void {
    const { kernels } = this.#o;
    const { count, width, range, most, bits } = o;
    const inverse = this.#scratch.take("inverse", count);
    for (let k = 0; k < count; k++) inverse.data[k] = range.data[k] > 0 ? 1 / range.data[k] : 0;
    const steps = stepsOf(bits);
    kernels.tileQuantise(count, width, x.at, y.at, inverse.at, steps / most, most / steps, steps);
    kernels.scaleRows(count, width, y.at, y.at, range.at);
  }

  /** Turns whole steps of chi into pulses; then time passes and pairs are refreshed, as the examples of the batch tell. */
  #write(): void {
    const { data } = this.#chi.value;
    const pairs = this.#pairs;
    const { least } = pairs;
    const places: number[] = [];
    for (let place = 0; place < data.length; place++)
      if (data[place] >= least || data[place] <= -least) pairs.spend(data, place, places);
    if (!pairs.keeps) data.fill(0);
    if (places.length > 0) pairs.update(places);
    const { refreshEvery = 100, refreshPulses = 3, exampleTime = "0 s" } = this.#hardware;
    const passed = (every: number) => Math.floor(this.#examples / every) - Math.floor(this.#written / every);
    const ageing = passed(ageingEvery);
    const isDue = passed(refreshEvery) > 0;
    this.#written = this.#examples;
    const time = seconds(exampleTime) * ageingEvery * ageing;
    if (time > 0) this.wait(`${time} s`);
    if (isDue) pairs.refresh(refreshPulses);
  }

  wait(time: Time): void {
    this.#pairs.wait(time);
  }

  /** Weights count by this factor from now on: products are multiplied by it after the converters. 1 at first. */
  scaleWeights(factor: number): void {
    if (!(Number.isFinite(factor) && factor > 0))
      throw new ConfigError(`weights are scaled by a positive number, not ${factor}`);
    this.#factor = factor;
  }

  /** One read of each device, S: G+ [row][column], then G-. Without noise: the drifted conductances. */
  conductances(options: { readonly noise?: boolean } = {}): Float64Array {
    return this.#pairs.conductances(options);
  }

  /** Weights without the noise of reads: a copy, [row][column]. */
  weights(): Float32Array {
    return this.#pairs.weights.values().map((w) => w * this.#factor);
  }

  /** What is gathered and not yet written: a copy, [row][column]. */
  pending(): Float32Array {
    const { rows, columns, weights } = this.#pairs;
    return withoutFilling(this.#chi.value.data, { rows, columns, width: weights.width });
  }

  /** Rows and columns of its weights. */
  get size(): readonly [rows: number, columns: number] {
    return [this.#o.outputs, this.#o.products.inputs];
  }

  /** Vectors that it was multiplied by in training, each way, and those whose outer products were gathered. */
  get vectors(): { readonly forward: number; readonly backward: number; readonly gradient: number } {
    return { ...this.#vectors };
  }

  get use(): CrossbarUse {
    return this.#pairs.use;
  }
}

/**
 * Matrices on pairs of devices, for `sequential`; of one network only. With `accumulate` in its `weights` a network learns by
 * mixed precision, without, every batch's change is rounded to pulses by itself. Throws `ConfigError`.
 */
export function deviceMatrices(hardware: DeviceOptions): Matrices {
  checkHardware(hardware);
  const { dacRange, gain } = hardware;
  for (const [name, value] of Object.entries({ dacRange, gain }))
    if (value !== undefined && value !== "largest" && !(Number.isFinite(value) && value > 0))
      throw new ConfigError(`hardware: ${name} is a positive number, not ${value}`);
  const scratches = new WeakMap<Kernels, Scratch>();
  return (options) => {
    const { kernels } = options;
    const scratch = scratches.get(kernels) ?? new Scratch(kernels);
    scratches.set(kernels, scratch);
    return new DeviceMatrix(options, hardware, scratch);
  };
}

/** The matrices of a network that are on devices, in order. */
export const devicesOf = ({ units }: Sequential): DeviceMatrix[] =>
  units.filter((unit) => unit instanceof DeviceMatrix);
