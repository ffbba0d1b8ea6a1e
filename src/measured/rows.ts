/**
 * Rows of measurements in typed arrays, put together by sequence when all are in.
 *
 * 6 bytes a row and 8 for each number of it; arrays double when they are full. Rows of different sequences may come in
 * any order, those of one sequence come in its own. Knows nothing of text.
 */

import type { Sequence } from "./measurement.ts";

/** A sequence while its rows come. */
export interface OpenSequence {
  readonly device: string;
  readonly cycle: number;
  rows: number;
  time: number; // of its last row
  number: number; // of its last pulse, where they are counted
}

export interface Row {
  readonly pulse: number; // index, -1 for none
  readonly time: number;
  readonly voltage: number;
  readonly value: number;
}

export class Rows {
  readonly sequences: OpenSequence[] = [];
  readonly #names = new Map<string, string>();
  #size = 0;
  #sequence = new Int32Array(1024);
  #pulse = new Int16Array(1024);
  #value: Float64Array = new Float64Array(1024);
  #time: Float64Array; // empty where there is none
  #voltage: Float64Array; // likewise
  #arguments: Float64Array[];

  constructor(has: { readonly time: boolean; readonly voltage: boolean; readonly arguments: number }) {
    this.#time = new Float64Array(has.time ? 1024 : 0);
    this.#voltage = new Float64Array(has.voltage ? 1024 : 0);
    this.#arguments = Array.from({ length: has.arguments }, () => new Float64Array(1024));
  }

  /** Whether values are currents with voltages beside them. */
  get isSweepable(): boolean {
    return this.#voltage.length > 0;
  }

  /** Values so far: a view. */
  get values(): Float64Array {
    return this.#value.subarray(0, this.#size);
  }

  /** Voltages so far: a view, empty where there are none. */
  get voltages(): Float64Array {
    return this.#voltage.subarray(0, this.#size);
  }

  /** A new sequence; its index. */
  open(device: string, cycle: number): number {
    let name = this.#names.get(device);
    // A name cut out of a piece of text would keep that piece in memory; a joined one is a text of its own.
    if (name === undefined) this.#names.set((name = [...device].join("")), name);
    return this.sequences.push({ device: name, cycle, rows: 0, time: 0, number: 0 }) - 1;
  }

  /** Appends a row to a sequence. `given` are the arguments of its pulse. */
  add(sequence: number, { pulse, time, voltage, value }: Row, given: Float64Array): void {
    if (this.#size === this.#value.length) this.#grow();
    const k = this.#size++;
    this.#sequence[k] = sequence;
    this.#pulse[k] = pulse;
    this.#value[k] = value;
    if (this.#time.length > 0) this.#time[k] = time;
    if (this.#voltage.length > 0) this.#voltage[k] = voltage;
    for (let j = 0; j < given.length; j++) this.#arguments[j][k] = pulse < 0 ? Number.NaN : given[j];
    this.sequences[sequence].rows++;
  }

  #grow(): void {
    const doubled = <T extends Int32Array | Int16Array | Float64Array>(array: T, target: T): T => {
      target.set(array);
      return target;
    };
    const floats = (array: Float64Array) => doubled(array, new Float64Array(2 * array.length));
    this.#sequence = doubled(this.#sequence, new Int32Array(2 * this.#sequence.length));
    this.#pulse = doubled(this.#pulse, new Int16Array(2 * this.#pulse.length));
    this.#value = floats(this.#value);
    this.#time = floats(this.#time);
    this.#voltage = floats(this.#voltage);
    this.#arguments = this.#arguments.map(floats);
  }

  /** Takes what was read for a current at a read voltage: values become conductances, voltages go. */
  divideByVoltage(): void {
    for (let k = 0; k < this.#size; k++) this.#value[k] /= this.#voltage[k];
    this.#voltage = new Float64Array(0);
  }

  /** All sequences, those of one device after each other; views into arrays of all rows. With `clock`, times count from
   * the first row of each. Call it once. */
  close({ clock }: { readonly clock: boolean }): Sequence[] {
    const devices = new Map<string, number>();
    const ranks = this.sequences.map(({ device }) => {
      const rank = devices.get(device) ?? devices.size;
      devices.set(device, rank);
      return rank;
    });
    const order = this.sequences.map((_, k) => k).sort((a, b) => ranks[a] - ranks[b] || a - b);
    const begin = new Int32Array(this.sequences.length);
    let total = 0;
    for (const k of order) {
      begin[k] = total;
      total += this.sequences[k].rows;
    }
    this.#arrange(begin);
    return order
      .filter((k) => this.sequences[k].rows > 0)
      .map((k) => {
        const { device, cycle, rows } = this.sequences[k];
        const part = (array: Float64Array) => array.subarray(begin[k], begin[k] + rows);
        const time = part(this.#time);
        const start = time[0];
        if (clock) for (let row = 0; row < time.length; row++) time[row] -= start;
        return {
          device,
          cycle,
          pulse: this.#pulse.subarray(begin[k], begin[k] + rows),
          ...(this.#time.length > 0 ? { time } : {}),
          arguments: this.#arguments.map(part),
          ...(this.#voltage.length > 0 ? { voltage: part(this.#voltage) } : {}),
          values: part(this.#value),
        };
      });
  }

  /** Moves rows to where their sequence begins, unless they came in that order. */
  #arrange(begin: Int32Array): void {
    const next = begin.slice();
    const target = new Int32Array(this.#size);
    let moved = false;
    for (let k = 0; k < this.#size; k++) {
      target[k] = next[this.#sequence[k]]++;
      moved ||= target[k] !== k;
    }
    if (!moved) return;
    const floats = (array: Float64Array) =>
      array.length === 0 ? array : scattered(array, target, new Float64Array(this.#size));
    this.#pulse = scattered(this.#pulse, target, new Int16Array(this.#size));
    this.#value = floats(this.#value);
    this.#time = floats(this.#time);
    this.#voltage = floats(this.#voltage);
    this.#arguments = this.#arguments.map(floats);
  }
}

function scattered<T extends Int16Array | Float64Array>(array: T, target: Int32Array, result: T): T {
  for (let k = 0; k < target.length; k++) result[target[k]] = array[k];
  return result;
}
