/**
 * Weights on devices, interpreted: the readable twin of storage.ts.
 *
 * Devices of synapse k are [k][polarity][device], polarity 0 increases the weight. All is float64. Draws
 * are addressed by device: those of a pulse by the pulses before it, those of a read by the tick and, in counter
 * word 3, by its occasion. Knows nothing of handlers.
 */
import type { WeightStorage } from "../device/pair.ts";
import { quietRead } from "../device/read.ts";
import { inline } from "../language/algebra.ts";
import type { Expression } from "../language/expression.ts";
import type { Key } from "../math/random.ts";
import { Evaluator, type Names } from "./evaluate.ts";

/** Counter word 3: the draw of a read at an event, after a write, and of all others. */
const draws = { event: 0, afterWrite: 0x10000, plain: 0x10001 } as const;
/** Stream of the number that rounds the count of pulses. */
const roundingStream = 0x10002;
const roundingDraw: Expression = {
  kind: "random",
  distribution: "uniform",
  stream: roundingStream,
  args: [],
};

export interface BankOptions {
  readonly synapses: number;
  readonly dt: number; // s
  readonly key: Key;
  /** The weights as read, one for each synapse: the projection's own array. */
  readonly weights: Float32Array | Float64Array;
}

/** The devices of one projection. */
export class Bank {
  readonly storage: WeightStorage;
  /** Time that devices waited besides simulated time, s. */
  waited = 0;
  /** Weights are multiplied by it when read. */
  scale = 1;
  /** SET pulses onto G+, onto G-, RESET pulses. */
  readonly pulses = new Uint32Array(3);
  readonly #options: BankOptions;
  readonly #count: number;
  readonly #state: Readonly<Record<string, Float64Array>>;
  readonly #writtenAt: Float64Array; // s on the devices' clock
  readonly #pulsed: Uint32Array; // pulses received
  readonly #counters: Uint32Array; // [1], or [synapse][polarity]
  readonly #evaluator: Evaluator;
  readonly #inlined: (expression: Expression) => Expression;

  constructor(storage: WeightStorage, options: BankOptions) {
    const model = storage.device.checked;
    this.storage = storage;
    this.#options = options;
    this.#count = options.synapses * 2 * storage.devices;
    this.#inlined = inline(model, { dt: options.dt });
    this.#evaluator = new Evaluator("float64", options.key, "sparse");
    this.#state = Object.fromEntries(model.variables.map((v) => [v.name, new Float64Array(this.#count)]));
    this.#writtenAt = new Float64Array(this.#count);
    this.#pulsed = new Uint32Array(this.#count);
    this.#counters = new Uint32Array(storage.counter === "shared" ? 1 : 2 * options.synapses);
    const fabrication = new Evaluator("float64", options.key, "packed");
    for (const [variable, text] of Object.entries(model.initial))
      for (let device = 0; device < this.#count; device++)
        this.#state[variable][device] = fabrication.value(
          this.#inlined(text),
          { element: device, tick: 0 },
          this.#names(device, 0),
        );
  }

  /** Time on the devices' clock, s. */
  #clock(tick: number): number {
    return tick * this.#options.dt + this.waited;
  }

  #names(device: number, tick: number): Names {
    return (name) => {
      if (name === "i") return device;
      if (name === "t") return this.#clock(tick);
      if (name === "age") return this.#clock(tick) - this.#writtenAt[device];
      return this.#state[name][device];
    };
  }

  /** Conductance of one device now, S. `quiet` leaves read noise out. */
  #conductance(device: number, tick: number, draw: number, quiet = false): number {
    const { checked } = this.storage.device;
    const names = this.#names(device, tick);
    const value = (expression: Expression): number =>
      this.#evaluator.value(this.#inlined(expression), { element: device, tick, draw }, (name) =>
        name === "Gd" ? value(checked.drift!) : names(name),
      );
    return value(quiet ? quietRead(checked) : checked.read!);
  }

  /** One pulse, "set" or "reset", to one device. */
  #pulse(kind: "set" | "reset", device: number, tick: number): void {
    const names = this.#names(device, tick);
    for (const { target, value } of this.storage.device.checked.handlers[kind])
      this.#state[target][device] = this.#evaluator.value(
        this.#inlined(value),
        { element: device, tick: this.#pulsed[device] },
        names,
      );
    this.#pulsed[device]++;
    this.#writtenAt[device] = this.#clock(tick);
  }

  #setPulses(synapse: number, polarity: 0 | 1, count: number, tick: number): void {
    const { devices, counter } = this.storage;
    const which = counter === "shared" ? 0 : 2 * synapse + polarity;
    const first = synapse * 2 * devices + polarity * devices;
    for (let p = 0; p < count; p++) this.#pulse("set", first + (this.#counters[which]++ % devices), tick);
    this.pulses[polarity] += count;
  }

  /** The weight as read: beta (sum of G+ - sum of G-) times the scale. Boybat et al. 2018, eq. 1. */
  #read(synapse: number, tick: number, draw: number): number {
    const { devices, weightPerConductance } = this.storage;
    let sum = 0;
    for (let n = 0; n < 2 * devices; n++) {
      const conductance = this.#conductance(synapse * 2 * devices + n, tick, draw);
      sum = n < devices ? sum + conductance : sum - conductance;
    }
    return sum * weightPerConductance * this.scale;
  }

  /** The weight that a handler sees: a fresh read where every event reads, else what was last read. */
  weight(synapse: number, tick: number): number {
    const { weights } = this.#options;
    if (this.storage.read === "run") return weights[synapse];
    const read = this.#read(synapse, tick, draws.event);
    return weights instanceof Float32Array ? Math.fround(read) : read;
  }

  /** Programs a synapse to a weight: pulses for the difference to what it is, perhaps a refresh, then a read. */
  write(synapse: number, wanted: number, tick: number): void {
    const { weightPerConductance, step, rounding, maxPulses } = this.storage;
    const change = wanted - this.weight(synapse, tick);
    const steps = (change * (1 / (weightPerConductance * step))) / this.scale;
    const up = rounding === "nearest" ? 0.5 : this.#uniform(synapse, tick);
    const count = Math.min(Math.floor(Math.abs(steps) + up), maxPulses);
    if (count > 0) this.#setPulses(synapse, steps < 0 ? 1 : 0, count, tick);
    const refreshed = this.#refresh(synapse, tick);
    if (count > 0 || refreshed) this.#options.weights[synapse] = this.#read(synapse, tick, draws.afterWrite);
  }

  #uniform(synapse: number, tick: number): number {
    return this.#evaluator.value(roundingDraw, { element: synapse, tick }, () => Number.NaN);
  }

  /**
   * RESETs all devices of a synapse near the top of their range and writes the difference again, open loop. True
   * when that was due.
   */
  #refresh(synapse: number, tick: number): boolean {
    const { refresh, devices, step } = this.storage;
    if (!refresh) return false;
    const sums = [0, 1].map((polarity) => {
      let sum = 0;
      for (let n = 0; n < devices; n++)
        sum += this.#conductance((2 * synapse + polarity) * devices + n, tick, draws.event, true);
      return sum;
    });
    const difference = sums[0] - sums[1];
    const full = sums.some((sum) => sum > devices * refresh.above);
    if (!full || !(Math.abs(difference) < devices * refresh.difference)) return false;
    for (let n = 0; n < 2 * devices; n++) this.#pulse("reset", 2 * synapse * devices + n, tick);
    this.pulses[2] += 2 * devices;
    const count = Math.trunc(Math.abs(difference) * (1 / step) + 0.5);
    this.#setPulses(synapse, difference < 0 ? 1 : 0, count, tick);
    return true;
  }

  /** Reads every weight. */
  readAll(tick: number): void {
    const { weights, synapses } = this.#options;
    for (let k = 0; k < synapses; k++) weights[k] = this.#read(k, tick, draws.plain);
  }

  /** Conductance of every device now, S: [synapse, polarity, device]. */
  conductances(tick: number, quiet: boolean): Float64Array {
    return Float64Array.from({ length: this.#count }, (_, device) =>
      this.#conductance(device, tick, draws.plain, quiet),
    );
  }
}
