/**
 * An array of devices at the crossings of rows and columns that is written by many pulses at once.
 *
 * A weight is beta (G - reference) of one device, or beta (G+ - G-) of a pair (device/storage.ts). Devices are made by
 * `fabricate` and live as float32 (steps.ts); a pulse does what the model's text says. An update goes row by row: which cells
 * get how many pulses up or down, by trains that coincide (trains.ts) or by counts. Weights without the noise of reads
 * follow every pulse; they are what products multiply by.
 */
import type { WeightStorage } from "../device/storage.ts";
import { fabricate } from "../engine/array.ts";
import { ConfigError } from "../math/errors.ts";
import { nearest } from "../math/nearest.ts";
import { randomKey } from "../math/random.ts";
import { seconds, type Time } from "../math/units.ts";
import { addElementwise } from "../tensor/elementwise.ts";
import type { Block, Heap } from "../tensor/heap.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import { addNormals } from "../tensor/noise.ts";
import { withoutFilling } from "../tensor/table.ts";
import { ModuleBuilder } from "../wasm/assembler.ts";
import { type Directions, type Plan, planOf } from "./plan.ts";
import { addLook, addPulses, layOutSteps, type StepMemory, stepBytes } from "./steps.ts";
import {
  type Arranged,
  addCoincide,
  addPick,
  addProducts,
  addTrains,
  addUniforms,
  type HitMemory,
  type Lines,
  layOutHits,
  mostSlots,
  roomOf,
} from "./trains.ts";

/** A matrix in the heap, rows filled up to whole groups of four. */
export interface MatrixView {
  readonly rows: number;
  readonly columns: number;
  readonly at: number; // byte offset
  readonly data: Float32Array; // [row][width]
  readonly width: number; // numbers from row to row
  readonly stride: number; // bytes
}

export interface CrosspointOptions {
  readonly rows: number;
  readonly columns: number;
  /** A `referenceDevice` or a `differentialPair` of one device each. */
  readonly storage: WeightStorage;
  readonly seed: string;
}

type Call = (...numbers: number[]) => number;

/** One device of every weight. */
interface Group {
  readonly name: string;
  readonly plan: Plan;
  readonly reset?: Plan;
  readonly memory: StepMemory;
}

const directionsOf = ({ groups, increase, decrease, opposite }: WeightStorage): Directions[] => {
  if (groups === 1) return [{ up: increase, down: decrease }];
  const other = opposite ? decrease : undefined;
  return [
    { up: increase, down: other },
    { up: other, down: increase },
  ];
};

function checkStorage({ devices, device }: WeightStorage): void {
  if (devices !== 1)
    throw new ConfigError(
      `${device.checked.name}: weights written by trains have one device, or one for each sign, not ${devices}`,
    );
}

function plansOf(storage: WeightStorage): { plan: Plan; reset?: Plan }[] {
  const { checked } = storage.device;
  return directionsOf(storage).map((directions) => ({
    plan: planOf(checked, directions),
    reset: storage.refresh && planOf(checked, { up: "reset" }),
  }));
}

/** Bytes of the heap that crosspoints take, at most. Throws `ConfigError` for weights that cannot be. */
export function crosspointBytes(o: Pick<CrosspointOptions, "rows" | "columns" | "storage">): number {
  checkStorage(o.storage);
  const size = { rows: o.rows, columns: o.columns, most: mostSlots };
  const arrays = plansOf(o.storage).map(
    ({ plan, reset }) => stepBytes(plan, size) + (reset ? stepBytes(reset, size) : 0),
  );
  return (
    arrays.reduce((a, b) => a + b, 0) +
    4 * (2 * o.rows * paddedColumns(o.columns) + 32 * roomOf(o.columns)) +
    4096
  );
}

export class Crosspoints {
  readonly rows: number;
  readonly columns: number;
  readonly storage: WeightStorage;
  /** What one pulse is taken to change a weight by. */
  readonly step: number;
  /** Weights without noise of reads. */
  readonly weights: MatrixView;
  /** Variances of a read of each weight, where the device's reads have noise. */
  readonly variances?: MatrixView;
  /** Signed counts of a row, for `pulse`: more than 0 raise. [column] */
  readonly counts: Int32Array;
  readonly #heap: Heap;
  readonly #exports: Readonly<Record<string, Call>>;
  readonly #groups: readonly Group[];
  readonly #hits: HitMemory;
  readonly #arranged: Readonly<Record<keyof Arranged, Uint32Array>>; // [place]
  readonly #countsAt: number;
  readonly #totalAt: number; // index into u32 of the heap
  #words: Uint32Array;
  #time = 0; // s
  #updates = 0;
  #pulses = 0;
  #refreshed = 0;

  constructor(
    heap: Heap,
    made: {
      readonly options: CrosspointOptions;
      readonly exports: Readonly<Record<string, Call>>;
      readonly groups: readonly Group[];
      readonly hits: HitMemory;
      readonly arranged: Arranged;
      readonly counts: Block;
      readonly weights: Block;
      readonly variances?: Block;
    },
  ) {
    const { rows, columns, storage } = made.options;
    this.rows = rows;
    this.columns = columns;
    this.storage = storage;
    this.step = storage.step * storage.weightPerConductance * (storage.opposite ? 2 : 1);
    const width = paddedColumns(columns);
    const view = ({ at, data }: Block): MatrixView => ({ rows, columns, at, data, width, stride: 4 * width });
    this.weights = view(made.weights);
    this.variances = made.variances && view(made.variances);
    this.#heap = heap;
    this.#exports = made.exports;
    this.#groups = made.groups;
    this.#hits = made.hits;
    const words = (at: number) => new Uint32Array(heap.memory.buffer, at, roomOf(columns));
    const { bits, negative, places } = made.arranged;
    this.#arranged = { bits: words(bits), negative: words(negative), places: words(places) };
    this.#countsAt = made.counts.at;
    this.counts = new Int32Array(heap.memory.buffer, made.counts.at, width);
    this.#words = new Uint32Array(heap.memory.buffer);
    this.#totalAt = made.hits.total / 4;
    this.#look();
  }

  /** Pulses given so far, onto all devices; of pairs with opposite pulses those that raise. */
  get pulses(): number {
    return this.#pulses;
  }

  /** Pairs that were reset and written anew. */
  get refreshed(): number {
    return this.#refreshed;
  }

  /** Time since fabrication, s. */
  get time(): number {
    return this.#time;
  }

  /** A new update begins: its pulses draw numbers of their own. */
  begin(): void {
    this.#updates++;
  }

  /**
   * Arranges columns by their trains, so that cells with as many pulses of one sign go side by side; gives how many there
   * are, filled up to whole groups of four by columns without a train.
   */
  arrange(lines: Lines): number {
    const { bits, negative, places } = this.#arranged;
    const { buffer } = this.#heap.memory;
    const trains = new Uint32Array(buffer, lines.bits.at, this.columns);
    const signs = new Uint32Array(buffer, lines.negative.at, this.columns);
    const first = new Uint32Array(66); // by slots that are pulsed, then those of negative columns
    const kind = (c: number): number => pulsedSlots(trains[c]) + (signs[c] === 0 ? 0 : 32);
    for (let c = 0; c < this.columns; c++) if (trains[c] !== 0) first[kind(c) + 1]++;
    for (let k = 1; k < first.length; k++) first[k] += first[k - 1];
    const count = first[first.length - 1];
    const whole = paddedColumns(count);
    let filled = count;
    for (let c = 0; c < this.weights.width; c++) {
      const train = c < this.columns ? trains[c] : 0;
      if (train === 0 && filled >= whole) continue;
      const at = train === 0 ? filled++ : first[kind(c)]++;
      bits[at] = train;
      negative[at] = train === 0 ? 0 : signs[c];
      places[at] = 4 * c;
    }
    return whole;
  }

  /**
   * Pulses of a row where its train meets those of the first so many arranged columns. `lowers`: where values of both are
   * positive weights fall.
   */
  coincide(row: number, train: number, lowers: boolean, count: number): void {
    const hits = this.#exports.coincide(train, lowers ? -1 : 0, 4 * count);
    if (hits > 0) this.#give(row, hits, "pulses");
  }

  /** The pulses that `counts` asks for in a row, in the columns from `from` on and below `to`. */
  pulse(row: number, from = 0, to = this.columns): void {
    const below = 4 * Math.ceil(to / 4) * 4;
    const hits = this.#exports.pick(this.#countsAt, 16 * Math.floor(from / 4), below);
    if (hits > 0) this.#give(row, hits, "pulses");
  }

  /** counts = factor x, rounded half to even, for numbers of columns in the heap. */
  multiplyCounts(factor: number, x: Block): void {
    this.#exports.products(factor, x.at, this.columns, this.#countsAt);
  }

  #give(row: number, hits: number, what: "pulses" | "reset"): void {
    const at = row * this.weights.stride;
    for (const { name } of this.#groups)
      this.#exports[`${what} ${name}`](row, at, hits, this.#updates, this.#time);
    if (what === "pulses") this.#pulses += this.#words[this.#totalAt];
    this.#compose(at, this.weights.width);
  }

  /** The weights of a pair, from those of its devices. */
  #compose(at: number, count: number): void {
    const [plus, minus] = this.#groups;
    if (!minus) return;
    const of = (block: Block) => block.at + at;
    const { reading, variance } = plus.memory;
    this.#exports.difference(count, of(reading), of(minus.memory.reading), this.weights.at + at);
    if (variance && minus.memory.variance && this.variances)
      this.#exports.sum(count, of(variance), of(minus.memory.variance), this.variances.at + at);
  }

  #look(): void {
    const numbers = this.rows * this.weights.width;
    for (const { name } of this.#groups) this.#exports[`look ${name}`](4 * numbers, this.#time);
    this.#compose(0, numbers);
  }

  /** Time passes for the devices. */
  wait(time: Time): void {
    const by = seconds(time);
    if (!(by >= 0)) throw new ConfigError(`devices cannot wait for ${time}`);
    this.#time += by;
    this.#look();
  }

  /** RESETs the pairs that the storage's rule tells and writes their difference anew, by at most `most` pulses each. */
  refresh(most: number): void {
    const rule = this.storage.refresh;
    const [plus, minus] = this.#groups;
    if (!rule || !minus) return;
    const beta = this.storage.weightPerConductance;
    const [a, b] = [plus.memory.reading.data, minus.memory.reading.data];
    const { width } = this.weights;
    const again = new Int32Array(this.columns);
    for (let row = 0; row < this.rows; row++) {
      let due = 0;
      for (let c = 0, k = row * width; c < this.columns; c++, k++) {
        const [high, low] = a[k] > b[k] ? [a[k], b[k]] : [b[k], a[k]];
        const is =
          high > beta * rule.above && high - low < beta * rule.difference && low > beta * rule.otherAbove;
        this.counts[c] = is ? 1 : 0;
        again[c] = is ? Math.sign(a[k] - b[k]) * Math.min(most, Math.round((high - low) / this.step)) : 0;
        if (is) due++;
      }
      if (due === 0) continue;
      this.begin();
      this.#give(row, this.#exports.pick(this.#countsAt, 0, this.weights.stride), "reset");
      this.counts.set(again);
      this.pulse(row);
      this.#refreshed += due;
    }
  }

  /**
   * Writes weights, [row][column], as a programmer does who looks at them between pulses: in every round each weight gets
   * the whole pulses that are missing, at most 31, until none is or `rounds` are over.
   */
  write(target: ArrayLike<number>, rounds = 100): void {
    if (target.length !== this.rows * this.columns)
      throw new ConfigError(
        `${this.rows} x ${this.columns} weights are ${this.rows * this.columns} numbers, not ${target.length}`,
      );
    const { data, width } = this.weights;
    for (let round = 0; round < rounds; round++) {
      this.begin();
      let missing = false;
      for (let row = 0; row < this.rows; row++) {
        let any = false;
        for (let c = 0; c < this.columns; c++) {
          const steps = Math.trunc((target[row * this.columns + c] - data[row * width + c]) / this.step);
          this.counts[c] = Math.max(-mostSlots, Math.min(mostSlots, steps));
          if (steps !== 0) any = true;
        }
        if (any) this.pulse(row);
        missing ||= any;
      }
      if (!missing) return;
    }
  }

  /** Weights without the noise of reads: a copy, [row][column]. */
  values(): Float32Array {
    return this.#packed(this.weights.data);
  }

  /** Values of a stored variable, SI: a copy, [row][column]. Of a pair's second device with `group` 1. */
  get(variable: string, group: 0 | 1 = 0): Float32Array {
    return this.#packed(this.#variable(variable, group));
  }

  /** Overwrites a stored variable, SI, [row][column]. */
  set(variable: string, values: ArrayLike<number>, group: 0 | 1 = 0): void {
    const stored = this.#variable(variable, group);
    const { rows, columns } = this;
    if (values.length !== rows * columns)
      throw new ConfigError(`${variable} has ${rows * columns} values, not ${values.length}`);
    for (let row = 0; row < rows; row++)
      for (let c = 0; c < columns; c++) stored[row * this.weights.width + c] = values[row * columns + c];
    this.#look();
  }

  #variable(name: string, group: 0 | 1): Float32Array {
    const known = this.#groups[group]?.memory.variables ?? {};
    if (Object.hasOwn(known, name)) return known[name].data;
    const guess = nearest(name, Object.keys(known));
    throw new ConfigError(
      `${this.storage.device.checked.name} stores no ${name} in device ${group}${guess ? `; did you mean ${guess}?` : ""}`,
    );
  }

  #packed(data: Float32Array): Float32Array {
    return withoutFilling(data, this.weights);
  }

  /** Draws the trains of lines of one side: bit k with probability |value| scale. `side` 0: columns, 1: rows. */
  train(
    lines: Lines,
    count: number,
    o: { scale: number; slots: number; side: 0 | 1; key: readonly [number, number] },
  ): void {
    const { values, bits, negative } = lines;
    this.#exports.trains(
      values.at,
      count,
      o.scale,
      o.slots,
      o.key[0],
      o.key[1],
      o.side,
      this.#updates,
      bits.at,
      negative.at,
    );
  }

  get heap(): Heap {
    return this.#heap;
  }
}

/** Makes crosspoints in a heap, as fabrication leaves the devices. Throws `ConfigError`. */
export async function crosspoints(heap: Heap, options: CrosspointOptions): Promise<Crosspoints> {
  const { rows, columns, storage, seed } = options;
  checkStorage(storage);
  const size = { rows, columns, most: mostSlots };
  const module = new ModuleBuilder();
  const hits = layOutHits(heap, columns);
  const counts = heap.take(paddedColumns(columns));
  const fill = { normal: addNormals(module), uniform: addUniforms(module) };
  addTrains(module);
  const arranged = {
    bits: heap.take(roomOf(columns)).at,
    negative: heap.take(roomOf(columns)).at,
    places: heap.take(roomOf(columns)).at,
  };
  addCoincide(module, hits, arranged);
  addPick(module, hits);
  addProducts(module);
  addElementwise(module, "difference", {
    inputs: ["a", "b"],
    outputs: ["y"],
    compute: (g, { a, b }) => ({ y: g.sub(a, b) }),
  });
  addElementwise(module, "sum", {
    inputs: ["a", "b"],
    outputs: ["y"],
    compute: (g, { a, b }) => ({ y: g.add(a, b) }),
  });
  const groups: Group[] = [];
  for (const [k, { plan, reset }] of plansOf(storage).entries()) {
    const name = `${k}`;
    const made = await fabricate(rows * columns, storage.device, { seed: `${seed}/device ${k}` });
    const memory = layOutSteps(heap, reset ? withRoom(plan, reset) : plan, size);
    for (const [variable, block] of Object.entries(memory.variables))
      spread(made.get(variable), block.data, columns);
    const counting = { factor: storage.weightPerConductance, reference: storage.reference };
    const compiled = { plan, memory, hits, counting, key: randomKey(seed, "pulses", k) };
    addPulses(module, `pulses ${name}`, compiled, fill);
    addLook(module, `look ${name}`, compiled);
    if (reset)
      addPulses(
        module,
        `reset ${name}`,
        { ...compiled, plan: reset, key: randomKey(seed, "resets", k) },
        fill,
      );
    groups.push({ name, plan, reset, memory });
  }
  const pair = groups.length === 2;
  const matrix = () => heap.take(rows * paddedColumns(columns));
  const [{ memory }] = groups;
  const pages = heap.memory.buffer.byteLength / 65536;
  const code = module.assemble({ pages, maximumPages: pages, shared: false });
  const { instance } = await WebAssembly.instantiate(code, { env: { memory: heap.memory } });
  return new Crosspoints(heap, {
    options,
    exports: instance.exports as Readonly<Record<string, Call>>,
    groups,
    hits,
    arranged,
    counts,
    weights: pair ? matrix() : memory.reading,
    variances: memory.variance && (pair ? matrix() : memory.variance),
  });
}

/** The same plan with room for the draws of another. */
const withRoom = (plan: Plan, other: Plan): Plan => ({
  ...plan,
  slots: {
    each: {
      normal: Math.max(plan.slots.each.normal, other.slots.each.normal),
      uniform: Math.max(plan.slots.each.uniform, other.slots.each.uniform),
    },
    last: {
      normal: Math.max(plan.slots.last.normal, other.slots.last.normal),
      uniform: Math.max(plan.slots.last.uniform, other.slots.last.uniform),
    },
  },
});

/** Slots of a train with a pulse. */
function pulsedSlots(train: number): number {
  let n = train - ((train >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return (((n + (n >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

/** Values [row][column] into rows with room; what fills up a row gets its last value, so that no kernel meets odd numbers. */
function spread(from: Float64Array, to: Float32Array, columns: number): void {
  const width = paddedColumns(columns);
  for (let k = 0; k < to.length; k++) {
    const row = Math.floor(k / width);
    to[k] = from[row * columns + Math.min(k - row * width, columns - 1)];
  }
}
