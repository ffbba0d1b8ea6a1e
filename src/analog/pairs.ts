/**
 * The devices behind a matrix of signed weights, two for each, and what is done to them.
 *
 * W = beta (G+ - G-). The devices are those of `fabricate`, one array for a matrix: first all G+, [row][column], then all G-.
 * Weights and variances of their reads are float32 copies, renewed for devices that are pulsed, and for all when they age.
 * Changes of weights become whole pulses here; who gathers them is told by mixed.ts and devices.ts.
 */
import type { WeightStorage } from "../device/storage.ts";
import type { DeviceArray } from "../engine/array.ts";
import type { Time } from "../math/units.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { Matrix } from "./weights.ts";

/** What was done to the devices of a matrix. */
export interface CrossbarUse {
  /** Pulses by the device's own names, such as `set`. */
  readonly pulses: Readonly<Record<string, number>>;
  /** Of these, pulses by which weights learnt. */
  readonly updates: number;
  /** Pairs that were reset and written anew. */
  readonly refreshed: number;
}

/** Steps of a converter to either side of 0: 127 with 8 bits. */
export const stepsOf = (bits: number): number => 2 ** (bits - 1) - 1;

export class Pairs {
  readonly rows: number;
  readonly columns: number;
  readonly storage: WeightStorage;
  /** Without the noise of reads. */
  readonly weights: Matrix;
  /** Of a read of each weight; undefined where reads have no noise. */
  readonly variances: Matrix | undefined;
  /** Weight of a pulse, float32. */
  readonly epsilon: number;
  /** Least change that is worth a pulse. */
  readonly least: number;
  readonly #devices: DeviceArray;
  readonly #pairs: number;
  readonly #keeps: boolean;
  readonly #conductances: Float64Array; // S, [G+ or G-][pair]: as last looked at, without noise
  readonly #pulses: Record<string, number>;
  #changed: "all" | number[] = "all"; // pairs that may have become due for a refresh since the last
  #updates = 0;
  #refreshed = 0;

  /** Takes `devices`, 2 x rows x columns of the storage's model. */
  constructor(
    kernels: Kernels,
    devices: DeviceArray,
    o: { readonly rows: number; readonly columns: number; readonly storage: WeightStorage },
  ) {
    const { rows, columns, storage } = o;
    this.rows = rows;
    this.columns = columns;
    this.storage = storage;
    this.#devices = devices;
    this.#pairs = rows * columns;
    this.#conductances = new Float64Array(2 * this.#pairs);
    this.weights = new Matrix(kernels, rows, columns);
    const noisy = devices.readSd().some((sd) => sd > 0);
    this.variances = noisy ? new Matrix(kernels, rows, columns) : undefined;
    this.epsilon = Math.fround(storage.step * storage.weightPerConductance);
    this.#keeps = storage.rounding === "accumulated";
    this.least = this.#keeps ? this.epsilon : this.epsilon / 2;
    this.#pulses = Object.fromEntries(Object.keys(storage.device.checked.handlers).map((name) => [name, 0]));
    this.#look();
  }

  /** Whether what is less than a pulse is kept for the next change. */
  get keeps(): boolean {
    return this.#keeps;
  }

  /**
   * Takes whole pulses out of a change at a place of `changes`, [row][width] as the weights, and lists the device they are for
   * as often.
   */
  spend(changes: Float32Array, place: number, places: number[]): void {
    const { epsilon, columns } = this;
    const { width } = this.weights;
    const size = Math.abs(changes[place]) / epsilon;
    const whole = this.#keeps ? Math.trunc(size) : Math.floor(size + 0.5);
    const count = Math.min(whole, this.storage.maxPulses);
    const sign = Math.sign(changes[place]);
    changes[place] -= sign * count * epsilon;
    const row = Math.floor(place / width);
    const pair = row * columns + place - row * width;
    const device = sign > 0 ? pair : this.#pairs + pair;
    for (let n = 0; n < count; n++) places.push(device);
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
    else if (this.storage.refresh && this.#changed !== "all")
      for (const pair of touched) this.#changed.push(pair);
    const beta = this.storage.weightPerConductance;
    const both = touched ? [...touched, ...touched.map((p) => pairs + p)] : undefined;
    const sd = this.variances ? this.#devices.readSd(both) : undefined;
    const count = touched?.length ?? pairs;
    const { data, width } = this.weights;
    for (let k = 0; k < count; k++) {
      const p = touched ? touched[k] : k;
      const row = Math.floor(p / this.columns);
      const place = row * width + p - row * this.columns;
      data[place] = beta * (this.#conductances[p] - this.#conductances[pairs + p]);
      if (this.variances && sd)
        this.variances.data[place] = beta * beta * (sd[k] * sd[k] + sd[count + k] * sd[count + k]);
    }
  }

  /** Time passes for the devices. */
  wait(time: Time): void {
    this.#devices.wait(time);
    this.#look();
  }

  /** One read of each device, S: G+ [row][column], then G-. Without noise: the drifted conductances. */
  conductances(options: { readonly noise?: boolean } = {}): Float64Array {
    return this.#devices.read(options);
  }

  get use(): CrossbarUse {
    return { pulses: { ...this.#pulses }, updates: this.#updates, refreshed: this.#refreshed };
  }
}
