/**
 * Weights on devices, interpreted: the readable twin of storage.ts and programming.ts.
 *
 * Devices of synapse k are [k][group][device], group 0 increases the weight. All is float64. Draws of a read are
 * addressed by the tick and, in counter word 3, by its occasion. Knows nothing of handlers.
 */
import { counted } from "../device/counts.ts";
import type { WeightStorage } from "../device/storage.ts";
import type { Expression } from "../language/expression.ts";
import type { Key } from "../math/random.ts";
import { Evaluator } from "./evaluate.ts";
import { InterpretedDevices } from "./oracle.ts";

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
  readonly devices: InterpretedDevices;
  /** Weights are multiplied by it when read. */
  scale = 1;
  /** What was done to the devices (device/counts.ts). */
  readonly counts = new Float64Array(counted.size);
  readonly #options: BankOptions;
  readonly #counters: Uint32Array; // [1], or [synapse][group]
  readonly #left: Float64Array; // [synapse]: what accumulates, in steps
  readonly #readAt: Float64Array; // [synapse], tick: at events of one tick a synapse is read once
  readonly #rounding: Evaluator;

  constructor(storage: WeightStorage, options: BankOptions) {
    const { synapses, dt, key } = options;
    this.storage = storage;
    this.#options = options;
    this.devices = new InterpretedDevices(storage.device.checked, synapses * this.perSynapse, { dt, key });
    this.#counters = new Uint32Array(storage.counter === "shared" ? 1 : storage.groups * synapses);
    this.#left = new Float64Array(synapses);
    this.#readAt = new Float64Array(synapses).fill(-1);
    this.#rounding = new Evaluator("float64", key, "sparse");
  }

  /** Devices of a synapse. */
  get perSynapse(): number {
    return this.storage.groups * this.storage.devices;
  }

  /** Pulses that change what a group conducts by so many steps; gives the steps that could not be made. */
  #train(
    kind: "increase" | "decrease",
    { synapse, group }: { readonly synapse: number; readonly group: number },
    o: { readonly steps: number; readonly most?: number; readonly tick: number },
  ): number {
    const { devices, significances, counter, groups, [kind]: name } = this.storage;
    const { steps, most = Number.POSITIVE_INFINITY, tick } = o;
    const which = groups * synapse + group;
    let rest = steps;
    const onto = (device: number, pulses: number, step = 1) => {
      for (let p = 0; p < pulses; p++) this.devices.pulse(name as string, which * devices + device, tick);
      this.counts[counted[kind] + group] += pulses;
      rest -= pulses * step;
    };
    if (significances) {
      let left = most;
      significances.forEach((significance, device) => {
        const pulses = Math.min(Math.floor(rest / significance), left);
        onto(device, pulses, significance);
        left -= pulses;
      });
    } else
      for (let p = 0; p < steps; p++) onto(this.#counters[counter === "shared" ? 0 : which]++ % devices, 1);
    return rest;
  }

  /** Reads the devices of a synapse in turn: the group of each, and its conductance times its significance, S. */
  *#conductances(synapse: number, tick: number, draw: number, quiet = false) {
    const { devices, significances } = this.storage;
    const atEvent = draw === draws.event && !quiet;
    if (!atEvent || this.#readAt[synapse] !== tick) this.counts[counted.reads] += this.perSynapse;
    if (atEvent) this.#readAt[synapse] = tick;
    for (let n = 0; n < this.perSynapse; n++) {
      const conductance = this.devices.conductance(synapse * this.perSynapse + n, tick, draw, quiet);
      yield [Math.floor(n / devices), conductance * (significances?.[n % devices] ?? 1)] as const;
    }
  }

  /**
   * The weight as read: beta (sum of G+ - sum of G-) times the scale, Boybat et al. 2018, eq. 1; with a single group
   * beta (sum of G - reference).
   */
  #read(synapse: number, tick: number, draw: number): number {
    const { groups, reference, weightPerConductance } = this.storage;
    let sum = 0;
    for (const [group, conductance] of this.#conductances(synapse, tick, draw))
      sum = group === 0 ? sum + conductance : sum - conductance;
    if (groups === 1) sum -= reference;
    return sum * weightPerConductance * this.scale;
  }

  /** The weight that a handler sees: a fresh read where every event reads, else what was last read. */
  weight(synapse: number, tick: number): number {
    const { weights } = this.#options;
    if (this.storage.read === "run") return weights[synapse];
    const read = this.#read(synapse, tick, draws.event);
    return weights instanceof Float32Array ? Math.fround(read) : read;
  }

  /**
   * Programs a synapse to a weight: pulses for the difference to what it is, perhaps a refresh, then a read. A weight that
   * is no finite number is kept as it is.
   */
  write(synapse: number, wanted: number, tick: number): void {
    const { weights } = this.#options;
    if (!Number.isFinite(wanted)) {
      weights[synapse] = wanted;
      return;
    }
    const { weightPerConductance, step, rounding, maxPulses, groups, opposite, significances } = this.storage;
    const perStep = weightPerConductance * step * (opposite ? 2 : 1);
    const change = ((wanted - this.weight(synapse, tick)) * (1 / perStep)) / this.scale;
    const steps = rounding === "accumulated" ? this.#left[synapse] + change : change;
    const more =
      rounding === "stochastic" ? this.#uniform(synapse, tick) : { nearest: 0.5, accumulated: 0 }[rounding];
    const given = Math.min(Math.floor(Math.abs(steps) + more), maxPulses * (significances?.[0] ?? 1));
    const down = steps < 0 ? 1 : 0;
    let rest = 0;
    const pulses = (kind: "increase" | "decrease", group: number) => {
      rest = this.#train(kind, { synapse, group }, { steps: given, most: maxPulses, tick });
    };
    if (groups === 1) pulses(down ? "decrease" : "increase", 0);
    else pulses("increase", down);
    if (opposite) pulses("decrease", 1 - down);
    const done = given - rest;
    if (rounding === "accumulated") this.#left[synapse] = steps - (down ? -done : done);
    const refreshed = this.#refresh(synapse, tick);
    if (given > 0 || refreshed) weights[synapse] = this.#read(synapse, tick, draws.afterWrite);
  }

  #uniform(synapse: number, tick: number): number {
    return this.#rounding.value(roundingDraw, { element: synapse, tick }, () => Number.NaN);
  }

  /**
   * RESETs all devices of a synapse near the top of their range and writes the difference again, open loop. True
   * when that was due.
   */
  #refresh(synapse: number, tick: number): boolean {
    const { refresh, devices, significances, step } = this.storage;
    if (!refresh) return false;
    const sums = [0, 0];
    for (const [group, conductance] of this.#conductances(synapse, tick, draws.event, true))
      sums[group] += conductance;
    const weight = significances?.reduce((a, b) => a + b, 0) ?? devices;
    const difference = sums[0] - sums[1];
    const due =
      Math.max(...sums) > weight * refresh.above &&
      Math.min(...sums) > weight * refresh.otherAbove &&
      Math.abs(difference) < weight * refresh.difference;
    if (!due) return false;
    for (let n = 0; n < this.perSynapse; n++)
      this.devices.pulse("reset", synapse * this.perSynapse + n, tick);
    this.counts[counted.reset] += this.perSynapse;
    const steps = Math.trunc(Math.abs(difference) * (1 / step) + 0.5);
    this.#train("increase", { synapse, group: difference < 0 ? 1 : 0 }, { steps, tick });
    return true;
  }

  /** Reads every weight. */
  readAll(tick: number): void {
    const { weights, synapses } = this.#options;
    for (let k = 0; k < synapses; k++) weights[k] = this.#read(k, tick, draws.plain);
  }

  /** Conductance of every device now, S: [synapse, group, device]. */
  conductances(tick: number, quiet: boolean): Float64Array {
    const { devices } = this;
    return Float64Array.from({ length: devices.count }, (_, device) =>
      devices.conductance(device, tick, draws.plain, quiet),
    );
  }
}
