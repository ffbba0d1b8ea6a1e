/**
 * Learning by trains of pulses: a rank-one change of all weights at once, made where trains of rows and columns coincide.
 *
 * Of inputs x, errors d, learning rate lr and a pulse that is taken to change a weight by w0, in trains of n slots:
 *
 *     P(pulse on column j) = |x_j| B,   P(pulse on row i) = |d_i| A,   A B = lr / (w0 n)
 *
 * and each coincidence is one pulse against the sign of x_j d_i, so that the mean change is -lr d_i x_j where pulses change
 * weights by w0. With "length" managed n is what the largest product needs, at most `slots`; with "balance" A and B are such
 * that the largest of x and of d are pulsed alike. Sources: Gokmen & Vlasov 2016, Front. Neurosci. 10:333,
 * doi:10.3389/fnins.2016.00333; Gokmen, Onen & Haensch 2017, Front. Neurosci. 11:538, doi:10.3389/fnins.2017.00538;
 * numbers as aihwkit 1.1.0.
 */
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { type Key, randomKey } from "../math/random.ts";
import type { Time } from "../math/units.ts";
import type { Block } from "../tensor/heap.ts";
import type { Crosspoints } from "./crosspoints.ts";
import type { Read } from "./reads.ts";
import { type Lines, layOutLines, mostSlots, roomOf } from "./trains.ts";
import type { Input, Purpose, Weights } from "./weights.ts";

const kinds = ["stochastic", "deterministic", "mean count"] as const;

/** How trains are made. */
export interface PulseTrainOptions {
  /**
   * "stochastic": drawn slot by slot, trains of both signs at once (aihwkit's compressed kind; its other has the same
   * distribution and takes twice the slots). "deterministic": round(n A |d_i| B |x_j|) pulses; "mean count":
   * round(round(n A |d_i|) round(n B |x_j|) / n), ties to even. Default "stochastic".
   */
  readonly kind?: (typeof kinds)[number];
  /** Slots of a train, or with "length" the most, up to 31. Default 31. */
  readonly slots?: number;
  /** What is adapted to each x and d: length and balance, balance alone, or nothing. Default "length". */
  readonly managed?: "length" | "balance" | "none";
  /** Factor of the largest error where lengths and balance are decided: below 1, errors are cut off first. Default 1. */
  readonly errorScale?: number;
  /** Steps that probabilities are rounded to, as a part of 1. Default 0: they are not. */
  readonly resolution?: number;
}

export type Trains = Required<PulseTrainOptions>;

/** Options with their defaults. Throws `ConfigError`. */
export function trainsOf(options: PulseTrainOptions = {}): Trains {
  const {
    kind = "stochastic",
    slots = mostSlots,
    managed = "length",
    errorScale = 1,
    resolution = 0,
  } = options;
  if (!kinds.includes(kind))
    throw new ConfigError(`trains are ${kinds.join(", ")}, not ${kind}${didYouMean(kind, kinds)}`);
  if (!(Number.isInteger(slots) && slots >= 1 && slots <= mostSlots))
    throw new ConfigError(`trains have 1 to ${mostSlots} slots, not ${slots}`);
  if (!["length", "balance", "none"].includes(managed))
    throw new ConfigError(`of trains, length, balance or none is managed, not ${managed}`);
  if (!(errorScale > 0 && resolution >= 0 && resolution < 1))
    throw new ConfigError(
      `trains have a positive errorScale and a resolution from 0 to 1, not ${errorScale} and ${resolution}`,
    );
  return { kind, slots, managed, errorScale, resolution };
}

/** float32 */
export const single = Math.fround;

/**
 * Slots and the factors A of d and B of x, in float32 steps as aihwkit's. `step`: w0; `rate` not negative; `x`, `d`: the
 * largest in size.
 */
export function trainScales(
  trains: Trains,
  o: { readonly rate: number; readonly step: number; readonly x: number; readonly d: number },
): { readonly slots: number; readonly d: number; readonly x: number } {
  const [rate, step, x] = [single(o.rate), single(o.step), single(o.x)];
  if (!(rate > 0 && x > 0 && o.d > 0)) return { slots: 0, d: 1, x: 1 };
  let d = single(single(trains.errorScale) * single(o.d));
  const wanted = single(single(single(rate * x) * d) / step);
  const slots = trains.managed === "length" ? Math.min(trains.slots, Math.ceil(wanted)) : trains.slots;
  const each = single(Math.sqrt(single(rate / single(step * slots))));
  if (trains.managed === "none") return { slots, d: each, x: each };
  if (wanted > trains.slots) d = single(d * single(trains.slots / wanted)); // or the largest x would be cut off
  return {
    slots,
    d: single(each * single(Math.sqrt(single(x / d)))),
    x: single(each * single(Math.sqrt(single(d / x)))),
  };
}

/** ties to even, as float32 rounds */
export function nearestEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** Writes products of two vectors into crosspoints. */
export class TrainWriter {
  readonly cells: Crosspoints;
  readonly trains: Trains;
  readonly #key: Key;
  readonly #x: Lines;
  readonly #d: Lines;
  readonly #rowBits: Uint32Array;

  constructor(cells: Crosspoints, trains: Trains, seed: string) {
    const { heap, rows, columns } = cells;
    this.cells = cells;
    this.trains = trains;
    this.#key = randomKey(seed, "trains");
    this.#x = layOutLines(heap, columns);
    this.#d = layOutLines(heap, rows);
    this.#rowBits = new Uint32Array(heap.memory.buffer, this.#d.bits.at, rows);
  }

  /** Bytes of the heap that a writer takes, at most. */
  static bytes({ rows, columns }: { readonly rows: number; readonly columns: number }): number {
    return 4 * (3 * roomOf(rows) + 4 * roomOf(columns)) + 8 * 128;
  }

  /** Changes weights by -rate d x^T, as far as pulses do that. Gives the slots of the trains. */
  update(d: ArrayLike<number>, x: ArrayLike<number>, rate: number): number {
    const { cells, trains } = this;
    const scales = trainScales(trains, {
      rate: Math.abs(rate),
      step: cells.step,
      x: largest(x, cells.columns),
      d: largest(d, cells.rows),
    });
    if (scales.slots === 0) return 0;
    cells.begin();
    if (trains.kind === "stochastic") this.#coincide(d, x, rate, scales);
    else this.#multiply(d, x, rate, scales);
    return scales.slots;
  }

  #coincide(
    d: ArrayLike<number>,
    x: ArrayLike<number>,
    rate: number,
    scales: ReturnType<typeof trainScales>,
  ): void {
    const { cells } = this;
    const { rows, columns } = cells;
    const { slots } = scales;
    const key = this.#key;
    this.#enter(this.#x, x, columns, scales.x);
    this.#enter(this.#d, d, rows, scales.d);
    const unit = this.trains.resolution > 0;
    cells.train(this.#x, columns, { scale: unit ? 1 : scales.x, slots, side: 0, key });
    cells.train(this.#d, rows, { scale: unit ? 1 : scales.d, slots, side: 1, key });
    const count = cells.arrange(this.#x);
    for (let row = 0; row < rows; row++) {
      const train = this.#rowBits[row];
      if (train !== 0) cells.coincide(row, train, d[row] > 0 === rate > 0, count);
    }
  }

  /** Takes values over: as they are, or as rounded probabilities with their signs. */
  #enter({ values: { data } }: Lines, values: ArrayLike<number>, count: number, scale: number): void {
    const { resolution } = this.trains;
    for (let k = 0; k < count; k++)
      data[k] = resolution > 0 ? rounded(single(values[k] * scale), resolution) : values[k];
  }

  #multiply(
    d: ArrayLike<number>,
    x: ArrayLike<number>,
    rate: number,
    scales: ReturnType<typeof trainScales>,
  ): void {
    const { cells } = this;
    const { rows, columns } = cells;
    const { slots } = scales;
    const { resolution, kind } = this.trains;
    const share = (value: number, scale: number): number => {
      const p = rounded(single(value * scale), resolution);
      if (kind === "mean count") return Math.max(-slots, Math.min(slots, nearestEven(single(slots * p))));
      return Math.max(-1, Math.min(1, p));
    };
    const { values } = this.#x;
    for (let c = 0; c < columns; c++) values.data[c] = share(x[c], scales.x);
    const sign = rate > 0 ? -1 : 1;
    for (let row = 0; row < rows; row++) {
      const own = share(d[row], scales.d);
      if (own === 0) continue;
      cells.multiplyCounts(
        sign * (kind === "mean count" ? single(own / slots) : single(own * slots)),
        values,
      );
      cells.pulse(row);
    }
  }
}

/** The largest of the first so many numbers, in size. */
export function largest(values: ArrayLike<number>, count: number): number {
  let most = 0;
  for (let k = 0; k < count; k++) most = Math.max(most, Math.abs(values[k]));
  return most;
}

const rounded = (p: number, resolution: number): number =>
  resolution > 0 ? single(nearestEven(single(p / resolution)) * resolution) : p;

/** What passes between examples besides learning. */
export interface UpkeepOptions {
  /** Examples from one refresh to the next, where the weights' storage has a rule. Default 100. */
  readonly refreshEvery?: number;
  /** Most pulses by which a refresh writes a difference. Default 3. */
  readonly refreshPulses?: number;
  /** Time on the devices' clock that passes after so many examples. */
  readonly ageing?: { readonly every: number; readonly time: Time };
}

/** Counts examples and does what is due after each. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #cells: readonly Crosspoints[];
  #examples = 0;

  constructor(cells: readonly Crosspoints[], options: UpkeepOptions = {}) {
    this.#cells = cells;
    this.#options = options;
  }

  /** One example more. */
  next(): void {
    const { refreshEvery = 100, refreshPulses = 3, ageing } = this.#options;
    this.#examples++;
    for (const cells of this.#cells) {
      if (ageing && this.#examples % ageing.every === 0) cells.wait(ageing.time);
      if (cells.storage.refresh && this.#examples % refreshEvery === 0) cells.refresh(refreshPulses);
    }
  }
}

/** Weights that learn by trains of pulses. */
export class PulsedWeights implements Weights {
  readonly rows: number;
  readonly columns: number;
  readonly cells: Crosspoints;
  readonly #read: Read;
  readonly #writer: TrainWriter;
  readonly #upkeep: Upkeep;

  constructor(
    cells: Crosspoints,
    o: {
      readonly read: Read;
      readonly trains?: PulseTrainOptions;
      readonly seed: string;
      readonly upkeep?: UpkeepOptions;
    },
  ) {
    this.rows = cells.rows;
    this.columns = cells.columns;
    this.cells = cells;
    this.#read = o.read;
    this.#writer = new TrainWriter(cells, trainsOf(o.trains), o.seed);
    this.#upkeep = new Upkeep([cells], o.upkeep);
  }

  multiply(x: Input, y: Block, purpose: Purpose): void {
    this.#read.multiply(x, y, purpose);
  }

  multiplyBack(d: Block, dx: Block): void {
    this.#read.multiplyBack(d, dx);
  }

  update(d: Block, x: Input, rate: number): void {
    this.#writer.update(d.data, x.data, rate);
    this.#upkeep.next();
  }

  values(): Float32Array {
    return this.cells.values();
  }
}
