/**
 * What a run records: spikes, traces of variables, snapshots of synapses.
 *
 * A recorder is plain data; the collectors here take what each stretch of ticks left in memory.
 */
import { ConfigError } from "../math/errors.ts";
import { nearest } from "../math/nearest.ts";
import { seconds, type Time } from "../math/units.ts";
import type { Cells, Population, Projection, Slice } from "./network.ts";
import type { Raster } from "./raster.ts";

export interface SpikeRecorder {
  readonly kind: "spikes";
  readonly cells: Cells;
}

export interface TraceRecorder {
  readonly kind: "trace";
  readonly of: Population | Slice | Projection;
  readonly variable: string;
  readonly every?: Time;
  /** Indices within `of`; all when omitted. */
  readonly at?: readonly number[];
}

export type Recorder = SpikeRecorder | TraceRecorder;

/** A variable over time: `values[n * size + k]` is element k at time `t[n]` (before that tick is computed). */
export interface Trace {
  readonly t: Float64Array; // [sample], s
  readonly values: Float64Array; // [sample, element], SI
  readonly size: number; // elements
}

/** Records who fires when. */
export const spikes = (cells: Cells): SpikeRecorder => Object.freeze({ kind: "spikes" as const, cells });

/**
 * Records a variable of cells, or of a projection's synapses or traces, every `every` (default: each tick for
 * cells, once at the end of the run for synapses), at the indices `at` (default all).
 */
export const trace = (
  of: Population | Slice | Projection,
  variable: string,
  options: { readonly every?: Time; readonly at?: readonly number[] } = {},
): TraceRecorder => Object.freeze({ kind: "trace" as const, of, variable, ...options });

/** What a run gives back for its recorders. */
export type Recorded<R extends Readonly<Record<string, Recorder>>> = {
  readonly [K in keyof R]: R[K] extends SpikeRecorder ? Raster : Trace;
};

/** A typed array that grows. */
class Growing<T extends Float64Array | Uint32Array> {
  #data: T;
  length = 0;

  constructor(empty: T) {
    this.#data = empty;
  }

  reserve(more: number): T {
    const need = this.length + more;
    if (need > this.#data.length) {
      const Kind = this.#data.constructor as new (length: number) => T;
      const larger = new Kind(Math.max(need, 2 * this.#data.length, 1024));
      larger.set(this.#data.subarray(0, this.length) as never);
      this.#data = larger;
    }
    return this.#data;
  }

  get taken(): T {
    return this.#data.slice(0, this.length) as T;
  }
}

/** Collects the spikes of a slice of a population. */
export class SpikeCollector {
  readonly #ticks = new Growing(new Uint32Array(0));
  readonly #cells = new Growing(new Uint32Array(0));
  readonly start: number;
  readonly size: number;

  constructor(start: number, size: number) {
    this.start = start;
    this.size = size;
  }

  /** Takes cells `words[from]` to `words[from + count - 1]`, which fired at `tick` (counted from the start of the run). */
  take(words: Uint32Array, from: number, count: number, tick: number): void {
    const ticks = this.#ticks.reserve(count);
    const cells = this.#cells.reserve(count);
    let n = this.#cells.length;
    for (let k = from; k < from + count; k++) {
      const cell = words[k] - this.start;
      if (cell < 0 || cell >= this.size) continue;
      ticks[n] = tick;
      cells[n++] = cell;
    }
    this.#ticks.length = n;
    this.#cells.length = n;
  }

  raster(dt: number, duration: number): Raster {
    const ticks = this.#ticks.taken;
    const t = new Float64Array(ticks.length);
    for (let k = 0; k < t.length; k++) t[k] = ticks[k] * dt;
    return { t, i: this.#cells.taken, size: this.size, duration };
  }
}

/** Collects samples of an array in memory. */
export class TraceCollector {
  readonly #t = new Growing(new Float64Array(0));
  readonly #values = new Growing(new Float64Array(0));
  readonly #read: () => Float32Array | Float64Array;
  readonly #indices: Uint32Array;
  /** Ticks between samples; 0: once at the end. */
  readonly interval: number;

  constructor(read: () => Float32Array | Float64Array, indices: Uint32Array, interval: number) {
    this.#read = read;
    this.#indices = indices;
    this.interval = interval;
  }

  sample(time: number): void {
    const { length } = this.#indices;
    const t = this.#t.reserve(1);
    t[this.#t.length++] = time;
    const values = this.#values.reserve(length);
    const from = this.#read();
    const at = this.#values.length;
    for (let k = 0; k < length; k++) values[at + k] = from[this.#indices[k]];
    this.#values.length += length;
  }

  get trace(): Trace {
    return { t: this.#t.taken, values: this.#values.taken, size: this.#indices.length };
  }
}

/** Ticks between samples of a recorder. Throws when `every` is not a whole number of ticks. */
export function sampleInterval(recorder: TraceRecorder, name: string, dt: number): number {
  if (recorder.every === undefined) return recorder.of.kind === "projection" ? 0 : 1;
  const wanted = seconds(recorder.every);
  const ticks = Math.round(wanted / dt);
  if (ticks < 1 || Math.abs(ticks * dt - wanted) > 1e-6 * dt)
    throw new ConfigError(
      `record.${name}: every ${recorder.every} is not a whole number of ticks of ${dt} s`,
    );
  return ticks;
}

/** Where the elements to record lie, checked: in a slice from `start`; element k in memory is told as `order[k]`. */
export function recordedIndices(
  recorder: TraceRecorder,
  name: string,
  options: { readonly size: number; readonly start: number; readonly order?: Uint32Array },
): Uint32Array {
  const { size, start, order } = options;
  const places = Uint32Array.from({ length: size }, (_, k) => k + start);
  if (order) for (let k = 0; k < size; k++) places[order[k]] = k;
  if (!recorder.at) return places;
  return Uint32Array.from(recorder.at, (k) => {
    if (!(Number.isInteger(k) && k >= 0 && k < size))
      throw new ConfigError(`record.${name}: there is no element ${k} among ${size}`);
    return places[k];
  });
}

/** The error of asking for a variable that is not there. */
export function noVariable(part: string, variable: string, names: readonly string[]): ConfigError {
  const guess = nearest(variable, names);
  return new ConfigError(
    `${part} has no stored variable ${variable}${guess ? `; did you mean ${guess}?` : `; it has ${names.join(", ") || "none"}`}`,
  );
}
