/**
 * Products with the weights of crosspoints, as their periphery gives them: what a rule of learning is told to read by.
 *
 * `exactRead` multiplies by the weights themselves, with the noise of reads where devices have it. `converterRead` stands
 * between converters as aihwkit 1.1.0's training presets have them: inputs divided by their largest, 7 bits; noise of 0.1;
 * 9 bits up to 20; forwards again with half the input until no output is cut off. Noise of reads is drawn where a product
 * comes out, as crossbar.ts says.
 */
import { ConfigError } from "../math/errors.ts";
import { type Key, randomKey } from "../math/random.ts";
import type { Block } from "../tensor/heap.ts";
import { type Kernels, normalCount } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import type { MatrixView } from "./crosspoints.ts";
import type { Input, Purpose } from "./weights.ts";

/** Products with the weights of an array. */
export interface Read {
  /** y = W x */
  multiply(x: Input, y: Block, purpose: Purpose): void;
  /** dx = d W; room for the padded columns of W */
  multiplyBack(d: Block, dx: Block): void;
}

/** Weights to be read, and the variance of a read of each where there is one. */
export interface Readable {
  readonly rows: number;
  readonly columns: number;
  readonly weights: MatrixView;
  readonly variances?: MatrixView;
}

/** Makes the products of an array. `seed` is that of the noise. */
export type Reader = (kernels: Kernels, cells: Readable, seed: string) => Read;

const streams = { training: 0, back: 1, inference: 2 } as const;
type Stream = keyof typeof streams;

/** Room for a read of crosspoints of this size, bytes. */
export const readBytes = ({ rows, columns }: { readonly rows: number; readonly columns: number }): number =>
  20 * normalCount(Math.max(rows, paddedColumns(columns))) + 2048;

/** Products with the weights, and with the variances of their reads. */
class Products {
  readonly kernels: Kernels;
  readonly cells: Readable;
  readonly noise: Block;
  readonly #key: Key;
  readonly #squares: Block;
  readonly #variance: Block;
  readonly #made = { training: 0, back: 0, inference: 0 };

  constructor(kernels: Kernels, cells: Readable, seed: string) {
    const room = normalCount(Math.max(cells.rows, paddedColumns(cells.columns)));
    this.kernels = kernels;
    this.cells = cells;
    this.#key = randomKey(seed, "reads");
    this.noise = kernels.heap.take(room);
    this.#squares = kernels.heap.take(room);
    this.#variance = kernels.heap.take(room);
  }

  forward(x: Input, y: Block, stream: Stream): void {
    const { kernels, cells } = this;
    const { at, stride } = cells.weights;
    y.data.fill(0);
    kernels.matvec(at, stride, x.at, y.at, cells.rows, x.list, x.count);
    if (!cells.variances) return;
    kernels.square(cells.columns, x.at, this.#squares.at);
    this.#variance.data.fill(0);
    const { at: v } = cells.variances;
    kernels.matvec(v, stride, this.#squares.at, this.#variance.at, cells.rows, x.list, x.count);
    this.draw(cells.rows, stream);
    kernels.addNoise(cells.rows, y.at, this.#variance.at, this.noise.at, y.at);
  }

  backward(d: Block, dx: Block): void {
    const { kernels, cells } = this;
    const { at, stride } = cells.weights;
    const { rows, columns } = cells;
    dx.data.fill(0);
    kernels.vecmat(at, stride, d.at, dx.at, rows, columns);
    if (!cells.variances) return;
    kernels.square(rows, d.at, this.#squares.at);
    this.#variance.data.fill(0);
    kernels.vecmat(cells.variances.at, stride, this.#squares.at, this.#variance.at, rows, columns);
    this.draw(columns, "back");
    kernels.addNoise(columns, dx.at, this.#variance.at, this.noise.at, dx.at);
  }

  /** The next row of normal numbers of a stream, into `noise`. */
  draw(count: number, stream: Stream, scale = 1): void {
    const [key0, key1] = this.#key;
    this.kernels.normals(this.noise.at, count, key0, key1, streams[stream], this.#made[stream]++, scale);
  }
}

export const exactRead: Reader = (kernels, cells, seed) => {
  const products = new Products(kernels, cells, seed);
  return {
    multiply: (x, y, purpose) => products.forward(x, y, purpose),
    multiplyBack: (d, dx) => products.backward(d, dx),
  };
};

export interface ConverterOptions {
  /** Bits of inputs and of outputs, 2^bits - 2 steps over the range. Default 7 and 9; "none" for no rounding. */
  readonly inputBits?: number | "none";
  readonly outputBits?: number | "none";
  /** Largest output for inputs of at most 1. Default 20. */
  readonly outputBound?: number;
  /** Standard deviation that is added to each output. Default 0.1. */
  readonly outputNoise?: number;
  /** Whether inputs are divided by the largest of them. Default true; else they are cut off at 1. */
  readonly scaled?: boolean;
  /** Whether products forwards are made again with half the input while an output is cut off. Default true. */
  readonly bounded?: boolean;
}

/** Inputs are not made smaller than by this: as aihwkit 1.1.0, max_bm_factor and max_bm_res. */
const mostBoundFactor = 1000;
const boundResolution = 0.25;

/** Products between converters, aihwkit 1.1.0's PresetIOParameters unless told otherwise. Throws `ConfigError`. */
export function converterRead(options: ConverterOptions = {}): Reader {
  const { inputBits = 7, outputBits = 9, outputBound = 20, outputNoise = 0.1 } = options;
  const { scaled = true, bounded = true } = options;
  for (const [name, bits] of Object.entries({ inputBits, outputBits }))
    if (bits !== "none" && !(Number.isInteger(bits) && bits >= 2 && bits <= 24))
      throw new ConfigError(`${name}: 2 to 24 bits, or none, not ${bits}`);
  if (!(outputBound > 0 && outputNoise >= 0))
    throw new ConfigError(
      `converters have a positive bound and a noise from 0 on, not ${outputBound} and ${outputNoise}`,
    );
  const steps = (bits: number | "none") => (bits === "none" ? undefined : 2 ** (bits - 1) - 1);
  const [into, out] = [steps(inputBits), steps(outputBits)];
  const factors = scaled && bounded ? Math.min(mostBoundFactor, boundResolution * 2 * (into ?? 1e9)) : 1;
  return (kernels, cells, seed) => {
    const products = new Products(kernels, cells, seed);
    const size = paddedColumns(Math.max(cells.rows, cells.columns));
    const entering: Input = { ...kernels.heap.take(size), list: 0, count: 0 };
    const enter = (x: Block, count: number, divisor: number): void => {
      if (into === undefined) {
        for (let k = 0; k < count; k++) entering.data[k] = Math.max(-1, Math.min(1, x.data[k] / divisor));
      } else kernels.quantise(count, x.at, entering.at, into / divisor, 1 / into, into);
    };
    /** Noise, rounding and cutting off; gives whether anything was cut off. */
    const leave = (y: Block, count: number, stream: Stream, factor: number): boolean => {
      if (outputNoise > 0) {
        products.draw(count, stream, outputNoise);
        for (let k = 0; k < count; k++) y.data[k] += products.noise.data[k];
      }
      let cut = false;
      for (let k = 0; k < count; k++) cut ||= Math.abs(y.data[k]) > outputBound;
      if (out !== undefined) kernels.quantise(count, y.at, y.at, out / outputBound, outputBound / out, out);
      else
        for (let k = 0; k < count; k++) y.data[k] = Math.max(-outputBound, Math.min(outputBound, y.data[k]));
      if (factor !== 1) kernels.scale(count, y.at, y.at, factor);
      return cut;
    };
    const largest = (x: Block, count: number): number => {
      let most = 0;
      for (let k = 0; k < count; k++) most = Math.max(most, Math.abs(x.data[k]));
      return most;
    };
    return {
      multiply(x, y, purpose) {
        const scale = scaled ? largest(x, cells.columns) : 1;
        y.data.fill(0);
        if (scale === 0) return;
        for (let factor = 1; ; factor *= 2) {
          enter(x, cells.columns, scale * factor);
          products.forward({ ...entering, list: x.list, count: x.count }, y, purpose);
          if (!leave(y, cells.rows, purpose, scale * factor) || 2 * factor > factors) return;
        }
      },
      multiplyBack(d, dx) {
        const scale = scaled ? largest(d, cells.rows) : 1;
        dx.data.fill(0);
        if (scale === 0) return;
        enter(d, cells.rows, scale);
        products.backward(entering, dx);
        leave(dx, cells.columns, "back", scale);
      },
    };
  };
}
