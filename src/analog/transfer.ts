/**
 * Tiki-Taka: a fast array learns by trains, a slow one holds the weights, and columns of the fast are read and written to it.
 *
 * Devices whose steps up and down differ are drawn to where they are equal; the fast array A hovers there and its mean
 * displacement is the gradient, so that the slow C need not be symmetric. W = C + gamma A. Every `every` updates one column j
 * of A is read, v, and
 *
 *     "transfer" (Gokmen & Haensch 2020, Front. Neurosci. 14:103):  C_j changes by lr v, by trains
 *     "buffered" (Gokmen 2021, Front. Artif. Intell. 4:699148):    H_j += lr v / g;   where |H_ij| >= 1: one pulse
 *     "chopped"  (Rasch et al. 2024, Nat. Commun. 15:7133):        x and d reach A with random signs, taken off v
 *     "dynamic"  (the same, AGAD):                                 chopped in turn, v less its mean before the last switch
 *
 * H is a number beside each weight. Formulas and defaults are those of aihwkit 1.1.0's presets (TikiTaka, TTv2,
 * ChoppedTTv2, AGAD).
 */
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { type Key, randomKey, uniform } from "../math/random.ts";
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import type { Crosspoints } from "./crosspoints.ts";
import {
  largest,
  type PulseTrainOptions,
  TrainWriter,
  trainsOf,
  Upkeep,
  type UpkeepOptions,
} from "./pulsed.ts";
import type { Read, Reader } from "./reads.ts";
import { roomOf } from "./trains.ts";
import type { Input, Purpose, Weights } from "./weights.ts";

export const transferKinds = ["transfer", "buffered", "chopped", "dynamic"] as const;
export type TransferKind = (typeof transferKinds)[number];

export interface TransferOptions {
  readonly kind: TransferKind;
  /** Updates from one transfer to the next. Default 1. */
  readonly every?: number;
  /** Columns in one transfer; more than 1 only with "transfer" and "buffered". Default 1. */
  readonly together?: number;
  /** What the fast array learns at. With `autoScale` a part of the longest train. Default 1, with `autoScale` 0.5. */
  readonly fastRate?: number;
  /** The fast array's rate is such that the mean largest x and d take `fastRate` of a train. Default: all but "transfer". */
  readonly autoScale?: boolean;
  /** Part of the running mean of the largest x and d that stays at an update. Default 0.99. */
  readonly autoMomentum?: number;
  /** Factor of the learning rate in a transfer. Default 1. */
  readonly transferRate?: number;
  /** Part of the fast array in the weights. Default 0. */
  readonly gamma?: number;
  /** What of A, in its steps, makes a whole step of H at a learning rate of 1. Default 1. */
  readonly granularity?: number;
  /** Reads of the whole array that `granularity` is meant for: it is divided by the updates in one and times this. 0: not. Default 1000. */
  readonly autoGranularity?: number;
  /** Part of H that stays when a pulse is given. Default 0. */
  readonly momentum?: number;
  /** When a pulse is given, the rest of H is forgotten; else only the pulse is taken off. Default true. */
  readonly forget?: boolean;
  /** Probability that a column's sign is switched after its read; "dynamic": one over the reads between switches. Default 0.01, 0.02. */
  readonly chopProbability?: number;
  /** Probability that a row's sign is switched after all columns were read. Default 0. */
  readonly outputChopProbability?: number;
  /** "dynamic": weight of the last reads in the mean; it forgets `tail` over the reads between switches. Default 5. */
  readonly tail?: number;
  readonly fastTrains?: PulseTrainOptions;
  /** Default: managed trains for "transfer", one slot for the others. */
  readonly transferTrains?: PulseTrainOptions;
}

type Settings = Required<TransferOptions>;

function settingsOf(options: TransferOptions): Settings {
  const { kind } = options;
  if (!transferKinds.includes(kind))
    throw new ConfigError(
      `transfer is ${transferKinds.join(", ")}, not ${kind}${didYouMean(kind, transferKinds)}`,
    );
  const plain = kind === "transfer";
  const { autoScale = !plain } = options;
  const chop = { transfer: 0, buffered: 0, chopped: 0.01, dynamic: 0.02 }[kind];
  const made: Settings = {
    every: 1,
    together: 1,
    fastRate: autoScale ? 0.5 : 1,
    autoMomentum: 0.99,
    transferRate: 1,
    gamma: 0,
    granularity: 1,
    autoGranularity: 1000,
    momentum: 0,
    forget: true,
    chopProbability: chop,
    outputChopProbability: 0,
    tail: 5,
    fastTrains: {},
    transferTrains: plain ? {} : { slots: 1, managed: "none" },
    ...options,
    autoScale,
  };
  const refuse = (name: keyof Settings, what: string): never => {
    throw new ConfigError(`transfer, ${kind}: ${name} is ${what}, not ${made[name]}`);
  };
  for (const name of ["every", "together"] as const)
    if (!(Number.isInteger(made[name]) && made[name] >= 1)) refuse(name, "a whole number from 1");
  for (const name of ["fastRate", "transferRate", "granularity", "tail"] as const)
    if (!(made[name] > 0 && Number.isFinite(made[name]))) refuse(name, "a positive number");
  for (const name of ["chopProbability", "outputChopProbability", "momentum", "autoMomentum"] as const)
    if (!(made[name] >= 0 && made[name] <= 1)) refuse(name, "a number from 0 to 1");
  if (!(made.autoGranularity >= 0)) refuse("autoGranularity", "a number from 0");
  const chops = kind === "chopped" || kind === "dynamic";
  if (!chops && made.chopProbability + made.outputChopProbability > 0) refuse("chopProbability", "0");
  if (kind === "dynamic" && made.chopProbability === 0) refuse("chopProbability", "more than 0");
  if (chops && made.together > 1) refuse("together", "1");
  return made;
}

const streams = { column: 0, row: 1 } as const;

/** Weights that learn by transfer from a fast array to a slow one. */
export class TransferWeights implements Weights {
  readonly rows: number;
  readonly columns: number;
  readonly fast: Crosspoints;
  readonly slow: Crosspoints;
  readonly #settings: Settings;
  readonly #read: Read; // of what counts as weights
  readonly #readFast: Read;
  readonly #fastWriter: TrainWriter;
  readonly #slowWriter: TrainWriter;
  readonly #upkeep: Upkeep;
  readonly #key: Key;
  readonly #oneHot: Input;
  readonly #list: Uint32Array;
  readonly #column: Block; // as read from A
  readonly #joined?: Block; // C + gamma A
  readonly #buffer: Float32Array; // H, [row][column]
  readonly #mean: Float32Array; // of reads, [row][column]; "dynamic"
  readonly #past: Float32Array; // that mean at the last switch
  readonly #columnSigns: Float32Array;
  readonly #rowSigns: Float32Array;
  readonly #switched: Uint8Array; // columns whose sign was switched after the last read
  readonly #x: Float32Array;
  readonly #d: Float32Array;
  readonly #steps: Float32Array;
  readonly #one: Float32Array; // 1 in a column, else 0
  #updates = 0;
  #reads = 0; // of columns
  #next = 0; // column
  #turns = 0; // reads of all columns
  #largestX = 0;
  #largestD = 0;
  #fastRate = 0;

  /** `fast` and `slow` are of one size, in the heap of `kernels`. `reader` makes the products with the weights, `transferReader` the reads of A. */
  constructor(
    kernels: Kernels,
    arrays: { readonly fast: Crosspoints; readonly slow: Crosspoints },
    o: {
      readonly transfer: TransferOptions;
      readonly reader: Reader;
      readonly transferReader: Reader;
      readonly seed: string;
      readonly upkeep?: UpkeepOptions;
    },
  ) {
    const { fast, slow } = arrays;
    const { rows, columns, heap } = slow;
    if (fast.rows !== rows || fast.columns !== columns)
      throw new ConfigError(
        `the fast array is ${fast.rows} x ${fast.columns}, the slow ${rows} x ${columns}`,
      );
    this.rows = rows;
    this.columns = columns;
    this.fast = fast;
    this.slow = slow;
    this.#settings = settingsOf(o.transfer);
    const { gamma, fastTrains, transferTrains } = this.#settings;
    const { seed } = o;
    if (gamma !== 0) this.#joined = heap.take(rows * slow.weights.width);
    const weights = this.#joined ? { ...slow.weights, ...this.#joined } : slow.weights;
    const variances = gamma === 0 ? slow.variances : undefined;
    if (gamma !== 0 && (slow.variances ?? fast.variances))
      throw new ConfigError("with gamma, devices whose reads have noise are not read together");
    this.#read = o.reader(kernels, { rows, columns, weights, variances }, `${seed}/slow`);
    this.#readFast = o.transferReader(kernels, fast, `${seed}/fast`);
    this.#fastWriter = new TrainWriter(fast, trainsOf(fastTrains), `${seed}/fast`);
    this.#slowWriter = new TrainWriter(slow, trainsOf(transferTrains), `${seed}/slow`);
    this.#upkeep = new Upkeep([fast, slow], o.upkeep);
    this.#key = randomKey(seed, "signs");
    const list = heap.take(1).at;
    this.#oneHot = { ...heap.take(paddedColumns(columns)), list, count: 1 };
    this.#list = new Uint32Array(heap.memory.buffer, list, 1);
    this.#column = heap.take(rows);
    const cells = () => new Float32Array(rows * columns);
    this.#buffer = cells();
    this.#mean = this.#settings.kind === "dynamic" ? cells() : new Float32Array();
    this.#past = this.#settings.kind === "dynamic" ? cells() : new Float32Array();
    this.#columnSigns = new Float32Array(columns).fill(1);
    this.#rowSigns = new Float32Array(rows).fill(1);
    this.#switched = new Uint8Array(columns);
    this.#x = new Float32Array(columns);
    this.#d = new Float32Array(rows);
    this.#steps = new Float32Array(rows);
    this.#one = new Float32Array(columns);
    this.#join();
  }

  /** Bytes of the heap besides the two arrays' and the reads', at most. */
  static bytes(size: { readonly rows: number; readonly columns: number }): number {
    return (
      2 * TrainWriter.bytes(size) + 4 * (size.rows + 1) * roomOf(size.columns) + 4 * roomOf(size.rows) + 1024
    );
  }

  multiply(x: Input, y: Block, purpose: Purpose): void {
    this.#read.multiply(x, y, purpose);
  }

  multiplyBack(d: Block, dx: Block): void {
    this.#read.multiplyBack(d, dx);
  }

  update(d: Block, x: Input, rate: number): void {
    const { every, together, kind, transferRate } = this.#settings;
    for (let c = 0; c < this.columns; c++) this.#x[c] = x.data[c] * this.#columnSigns[c];
    for (let r = 0; r < this.rows; r++) this.#d[r] = d.data[r] * this.#rowSigns[r];
    this.#fastWriter.update(this.#d, this.#x, this.#fastRateOf());
    this.#updates++;
    if (this.#updates % every === 0)
      for (let n = 0; n < together; n++) {
        const column = this.#next;
        this.#readColumn(column);
        if (kind === "transfer") this.#write(column, this.#column.data, -transferRate * rate);
        else this.#transfer(column, Math.abs(transferRate * rate));
        this.#next = (column + 1) % this.columns;
      }
    this.#join();
    this.#upkeep.next();
  }

  /** The rate at which A learns this example. */
  #fastRateOf(): number {
    const { autoScale, autoMomentum, fastRate, fastTrains } = this.#settings;
    if (!autoScale) {
      this.#fastRate = fastRate;
      return fastRate;
    }
    const follow = (mean: number, value: number): number =>
      mean <= 0 ? value : value <= 0 ? mean : autoMomentum * mean + (1 - autoMomentum) * value;
    this.#largestX = follow(this.#largestX, largest(this.#x, this.columns));
    this.#largestD = follow(this.#largestD, largest(this.#d, this.rows));
    const product = this.#largestX * this.#largestD;
    this.#fastRate = (fastRate * trainsOf(fastTrains).slots * this.fast.step) / (product > 0 ? product : 1);
    return this.#fastRate;
  }

  #readColumn(column: number): void {
    const input = this.#oneHot;
    input.data.fill(0);
    input.data[column] = 1;
    this.#list[0] = 16 * Math.floor(column / 4);
    this.#readFast.multiply(input, this.#column, "training");
    this.#reads++;
  }

  /** Changes a column of C by -rate d. */
  #write(column: number, d: ArrayLike<number>, rate: number): void {
    this.#one[column] = 1;
    this.#slowWriter.update(d, this.#one, rate);
    this.#one[column] = 0;
  }

  /** By way of H; what was read is in `#column`. */
  #transfer(column: number, rate: number): void {
    const { kind, granularity, autoGranularity, every, momentum, forget, transferTrains } = this.#settings;
    const period = this.columns * every;
    const unit = granularity * this.fast.step * (autoGranularity > 0 ? autoGranularity / period : 1);
    const most = trainsOf(transferTrains).slots;
    const dynamic = kind === "dynamic";
    const samples = this.#samples;
    const follow = Math.min(this.#settings.tail / samples, 1);
    let any = false;
    for (let row = 0, k = column; row < this.rows; row++, k += this.columns) {
      let value = this.#column.data[row];
      if (dynamic) {
        const read = value;
        if (this.#switched[column]) this.#past[k] = this.#mean[k];
        value -= this.#past[k];
        this.#mean[k] += follow * (read - this.#mean[k]);
      }
      let whole = 0;
      let H = this.#buffer[k] + (this.#columnSigns[column] * this.#rowSigns[row] * value * rate) / unit;
      if (Math.abs(H) >= 1) {
        whole = Math.max(-most, Math.min(most, Math.trunc(H)));
        H = forget ? H * momentum : H - (1 - momentum) * whole;
        any = true;
      }
      this.#buffer[k] = H;
      this.#steps[row] = whole;
    }
    const settled = !dynamic || this.#turns > samples; // means are known
    if (any && settled) this.#write(column, this.#steps, -this.slow.step);
    this.#chop(column);
  }

  /** Reads of a column from one switch of its sign to the next. */
  get #samples(): number {
    const { chopProbability } = this.#settings;
    return chopProbability > 0 ? Math.max(2, Math.ceil(1 / chopProbability)) : 2;
  }

  /** Switches signs after a column was read. */
  #chop(column: number): void {
    const { kind, chopProbability, outputChopProbability } = this.#settings;
    const samples = this.#samples;
    this.#switched[column] =
      kind === "dynamic"
        ? Number((this.#turns % samples) + 1 === samples)
        : Number(
            chopProbability > 0 && uniform(this.#key, streams.column, column, this.#reads) < chopProbability,
          );
    if (this.#switched[column]) this.#columnSigns[column] *= -1;
    if (column < this.columns - 1) return;
    this.#turns++;
    if (outputChopProbability > 0)
      for (let row = 0; row < this.rows; row++)
        if (uniform(this.#key, streams.row, row, this.#turns) < outputChopProbability)
          this.#rowSigns[row] *= -1;
  }

  /** What counts as weights, where that is more than C. */
  #join(): void {
    if (!this.#joined) return;
    const { gamma } = this.#settings;
    const { width } = this.slow.weights;
    const { data } = this.#joined;
    for (let row = 0; row < this.rows; row++)
      for (let c = 0, k = row * width; c < this.columns; c++, k++)
        data[k] =
          this.slow.weights.data[k] +
          gamma * this.#rowSigns[row] * this.#columnSigns[c] * this.fast.weights.data[k];
  }

  values(): Float32Array {
    const joined = this.#joined;
    if (!joined) return this.slow.values();
    const { width } = this.slow.weights;
    return Float32Array.from(
      { length: this.rows * this.columns },
      (_, k) => joined.data[Math.floor(k / this.columns) * width + (k % this.columns)],
    );
  }

  /** H: a copy, [row][column]. */
  pending(): Float32Array {
    return this.#buffer.slice();
  }
}
