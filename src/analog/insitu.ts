/**
 * Matrices of a network on devices that learn in place, example by example: rules.ts under `sequential`.
 *
 * Rows of a batch (its examples, their times) are multiplied one after the other, each with noise and converters of its
 * own, and their changes are written one after the other once the optimizer has stepped. The optimizer only tells the
 * rate: it is plain SGD. Biases are digital.
 */

import { drawStart, type Matrices, type MatrixOptions, type MatrixUnit, takeBias } from "../deep/matrix.ts";
import type { Parameter, Pass } from "../deep/parameter.ts";
import type { Sequential } from "../deep/sequential.ts";
import type { WeightStorage } from "../device/storage.ts";
import { ConfigError } from "../math/errors.ts";
import { dimensionless, formatDimension, sameDimension, seconds, type Time } from "../math/units.ts";
import type { Block } from "../tensor/heap.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import { clearFilling, type Table } from "../tensor/table.ts";
import type { Crosspoints } from "./crosspoints.ts";
import { ageingEvery } from "./hardware.ts";
import type { ConverterOptions } from "./reads.ts";
import { checkRule, type DeviceWeights, type Rule, ruleWeights } from "./rules.ts";
import { roomOf } from "./trains.ts";
import type { Input } from "./weights.ts";

export interface InSituOptions {
  /** How devices make a dimensionless weight: a `referenceDevice` or a `differentialPair` of one device for each sign. */
  readonly weights: WeightStorage;
  readonly rule: Rule;
  /** Converters around products; {} for those of aihwkit's training presets. Left out: none. */
  readonly converters?: ConverterOptions;
  /**
   * Weights at the start are written: normal with this times the standard deviation of the start in floating point, as far
   * as devices reach. 0: as fabrication leaves them. Default 1.
   */
  readonly start?: number;
  /** Examples from one refresh to the next, where `weights` has a rule of refresh. Default 100. */
  readonly refreshEvery?: number;
  /** Most pulses by which a refresh writes a difference. Default 3. */
  readonly refreshPulses?: number;
  /** Time from one example to the next, in steps of 1,000 examples. Default "0 s". */
  readonly exampleTime?: Time;
}

/** A matrix of weights on devices that learns by a rule. */
export class InSituMatrix implements MatrixUnit {
  readonly parameters: readonly Parameter[];
  /** Path of its weights in the network, such as "3.weights". */
  readonly name: string;
  readonly #o: MatrixOptions;
  readonly #options: InSituOptions;
  readonly #rate: Parameter; // its value is less the rate, after a step
  readonly #bias: Parameter | undefined;
  readonly #list: Block;
  readonly #d: Block;
  readonly #x: Input;
  readonly #rows: { readonly x: Float32Array; readonly d: Float32Array }[] = []; // of this batch
  #made: DeviceWeights | undefined;
  #purpose: Pass["purpose"] = "inference";

  constructor(o: MatrixOptions, options: InSituOptions) {
    if (o.patches) throw new ConfigError("rules that learn in place know dense and recurrent layers");
    const { heap } = o.kernels;
    const { inputs } = o.products;
    this.name = `${o.path}.weights`;
    this.#o = o;
    this.#options = options;
    this.#rate = {
      name: this.name,
      shape: [o.outputs, ...(o.shape ?? [inputs])],
      value: heap.take(4),
      gradient: heap.take(4),
      decays: false,
      changed: () => this.#learn(),
      stored: () => this.weights(),
    };
    this.#bias = takeBias(o);
    this.parameters = this.#bias ? [this.#rate, this.#bias] : [this.#rate];
    this.#list = heap.take(roomOf(inputs) / 4);
    this.#d = heap.take(roomOf(o.outputs));
    this.#x = { ...heap.take(roomOf(inputs)), list: this.#list.at, count: 0 };
  }

  async ready(): Promise<void> {
    const { kernels, outputs: rows, products, seed, variance } = this.#o;
    const columns = products.inputs;
    const { weights: storage, rule, converters, start = 1, exampleTime = "0 s" } = this.#options;
    const { refreshEvery, refreshPulses } = this.#options;
    const time = seconds(exampleTime);
    const ageing = time > 0 ? ({ every: ageingEvery, time: `${ageingEvery * time} s` } as const) : undefined;
    const upkeep = { refreshEvery, refreshPulses, ageing };
    this.#made = await ruleWeights(kernels, { rows, columns, storage, rule, converters, seed, upkeep });
    if (start === 0) return;
    const drawn = drawStart(kernels, {
      rows,
      columns,
      seed,
      variance: start ** 2 * (variance ?? 1 / columns),
    });
    const width = paddedColumns(columns);
    const target = Float32Array.from(
      { length: rows * columns },
      (_, k) => drawn[Math.floor(k / columns) * width + (k % columns)],
    );
    this.arrays[0].write(target);
  }

  get #weights(): DeviceWeights {
    if (!this.#made) throw new ConfigError(`the devices of ${this.name} are not made yet: wait for ready()`);
    return this.#made;
  }

  /** The array of the weights; of a transfer the slow one, then the fast one. */
  get arrays(): readonly Crosspoints[] {
    return this.#weights.arrays;
  }

  prepare({ purpose }: Pass): void {
    this.#purpose = purpose;
    this.#rows.length = 0;
  }

  /** One row of a table as a vector. */
  #rowOf({ at, data, width }: Table, row: number, count = width): Block {
    const first = row * width;
    return { at: at + 4 * first, data: data.subarray(first, first + count) };
  }

  #input(row: Block): Input {
    const { kernels, products } = this.#o;
    const input: Input = { ...row, list: this.#list.at, count: 0 };
    input.count = kernels.active(row.at, products.inputs, this.#list.at);
    return input;
  }

  forward(x: Table, y: Table, count: number): void {
    const { kernels, products, outputs } = this.#o;
    const { weights } = this.#weights;
    const rows = count * products.positions;
    for (let row = 0; row < rows; row++)
      weights.multiply(this.#input(this.#rowOf(x, row)), this.#rowOf(y, row, outputs), this.#purpose);
    if (this.#bias) kernels.addColumns(rows, y.width, y.at, y.at, this.#bias.value.at);
    clearFilling(y, rows);
  }

  backward(_: Table, dy: Table, dx: Table, count: number): void {
    const rows = count * this.#o.products.positions;
    for (let row = 0; row < rows; row++)
      this.#weights.weights.multiplyBack(this.#rowOf(dy, row), this.#rowOf(dx, row));
    clearFilling(dx, rows);
  }

  /** Keeps what the change of W follows from: it is written after the step. */
  gradient(x: Table, dy: Table, count: number): void {
    const { kernels, products, outputs } = this.#o;
    const rows = count * products.positions;
    for (let row = 0; row < rows; row++)
      this.#rows.push({
        x: this.#rowOf(x, row, products.inputs).data.slice(),
        d: this.#rowOf(dy, row, outputs).data.slice(),
      });
    this.#rate.gradient.data[0] = 1;
    if (this.#bias) kernels.sumColumns(rows, dy.width, dy.at, this.#bias.gradient.at);
  }

  #learn(): void {
    const { kernels, products } = this.#o;
    const rate = -this.#rate.value.data[0];
    this.#rate.value.data.fill(0);
    for (const { x, d } of this.#rows) {
      this.#x.data.set(x);
      this.#d.data.set(d);
      this.#x.count = kernels.active(this.#x.at, products.inputs, this.#list.at);
      this.#weights.weights.update(this.#d, this.#x, rate);
    }
    this.#rows.length = 0;
  }

  wait(time: Time): void {
    for (const cells of this.arrays) cells.wait(time);
  }

  /** Weights without the noise of reads: a copy, [row][column]. */
  weights(): Float32Array {
    return this.#weights.weights.values();
  }

  /** Pulses given so far, writing the start included. */
  get pulses(): number {
    return this.arrays.reduce((sum, { pulses }) => sum + pulses, 0);
  }
}

/** Matrices on devices that learn in place, for `sequential`. Learn with plain `sgd`. Throws `ConfigError`. */
export function inSituMatrices(options: InSituOptions): Matrices {
  const { weights, rule, start = 1, exampleTime = "0 s" } = options;
  checkRule(rule);
  if (!sameDimension(weights.weightDimension, dimensionless))
    throw new ConfigError(
      `weights have no dimension, these are ${formatDimension(weights.weightDimension)}; weightPerConductance is such as "0.125 1/uS"`,
    );
  if (!(start >= 0 && Number.isFinite(start)))
    throw new ConfigError(`weights at the start have a spread from 0, not ${start}`);
  if (!(seconds(exampleTime) >= 0)) throw new ConfigError(`exampleTime is not ${exampleTime}`);
  return (own) => new InSituMatrix(own, options);
}

/** The matrices of a network that learn in place, in order. */
export const inSituOf = ({ units }: Sequential): InSituMatrix[] =>
  units.filter((unit) => unit instanceof InSituMatrix);
