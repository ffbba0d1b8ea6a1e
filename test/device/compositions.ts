/** Devices without noise that go up and down, and the rule of every composition written out in whole pulses. */
import type { WeightStorage } from "../../src/device/storage.ts";
import { device } from "../../src/index.ts";

export const uS = 1e-6;
/** Options of a weight whose step makes 100 pA. */
export const scale = { weightPerConductance: "100 pA/uS", step: "1 uS" } as const;
export const unit = 100e-12; // A, one step

/** Steps of exactly 1 uS either way from 1000 uS, no bound in reach. */
export const bothWays = device({
  name: "both ways",
  source: "test",
  equations: "G : S",
  initial: { G: "Gstart" },
  on: { up: "G += step", down: "G -= step", reset: "G = Gstart" },
  read: "G",
  parameters: { step: "1 uS", Gstart: "1000 uS" },
});

/** Pulses that `bothWays` devices have received, upwards less downwards. */
export const netPulses = (conductances: Float64Array): number[] =>
  [...conductances].map((G) => Math.round(G / uS) - 1000);

/** What writes do to devices that make equal steps: integers, one synapse after the other. */
export class Ledger {
  readonly net: number[][][]; // [synapse][group][device]
  readonly left: number[]; // [synapse], steps
  readonly pulses = { up: 0, down: 0, reset: 0 };
  refreshed = 0;
  readonly #storage: WeightStorage;
  readonly #counters: number[][];
  #shared = 0;

  constructor(storage: WeightStorage, synapses: number) {
    const { groups, devices } = storage;
    this.#storage = storage;
    const each = <T>(length: number, make: () => T) => Array.from({ length }, make);
    this.net = each(synapses, () => each(groups, () => each(devices, () => 0)));
    this.left = each(synapses, () => 0);
    this.#counters = each(synapses, () => each(groups, () => 0));
  }

  /** Weight of a synapse, in steps from where it began. */
  weight(synapse: number): number {
    const [up, down = 0] = this.net[synapse].map((group) => this.#sum(group));
    return up - down;
  }

  #sum(group: readonly number[]): number {
    return group.reduce((sum, n, k) => sum + n * (this.#storage.significances?.[k] ?? 1), 0);
  }

  #onto(synapse: number, group: number, device: number, up: boolean): void {
    this.net[synapse][group][device] += up ? 1 : -1;
    this.pulses[up ? "up" : "down"]++;
  }

  /** Steps that could be made. */
  #train(synapse: number, group: number, steps: number, up: boolean, most: number): number {
    const { significances, counter, devices } = this.#storage;
    if (!significances) {
      for (let n = 0; n < steps; n++) {
        const count = counter === "shared" ? this.#shared++ : this.#counters[synapse][group]++;
        this.#onto(synapse, group, count % devices, up);
      }
      return steps;
    }
    // one pulse at a time to the most significant device that does not overshoot
    let [made, given] = [0, 0];
    for (; given < most; given++) {
      const device = significances.findIndex((s) => s <= steps - made);
      if (device < 0) break;
      made += significances[device];
      this.#onto(synapse, group, device, up);
    }
    return made;
  }

  write(synapse: number, change: number): void {
    const { opposite, groups, rounding, maxPulses, significances } = this.#storage;
    const wanted = (opposite ? change / 2 : change) + this.left[synapse];
    const size = Math.abs(wanted);
    const whole = rounding === "accumulated" ? Math.floor(size) : Math.round(size);
    const steps = significances ? whole : Math.min(maxPulses, whole);
    const more = wanted > 0;
    let made = 0;
    if (groups === 1) made = this.#train(synapse, 0, steps, more, maxPulses);
    else made = this.#train(synapse, more ? 0 : 1, steps, true, maxPulses);
    if (opposite) this.#train(synapse, more ? 1 : 0, steps, false, maxPulses);
    if (rounding === "accumulated") this.left[synapse] = wanted - (more ? made : -made);
    this.#refresh(synapse);
  }

  /** By what is left of `base`, the conductance of a device after RESET, in steps. */
  #refresh(synapse: number, base = 1000): void {
    const { refresh, significances, devices } = this.#storage;
    if (!refresh) return;
    const weight = significances ? significances.reduce((a, b) => a + b, 0) : devices;
    const sums = this.net[synapse].map((group) => this.#sum(group));
    const means = sums.map((sum) => (base + sum / weight) * uS);
    if (Math.max(...means) <= refresh.above || Math.min(...means) <= refresh.otherAbove) return;
    if (Math.abs(means[0] - means[1]) >= refresh.difference) return;
    for (const group of this.net[synapse]) group.fill(0);
    this.pulses.reset += 2 * devices;
    this.refreshed++;
    const [up, down] = sums;
    this.#train(synapse, up > down ? 0 : 1, Math.abs(up - down), true, Number.POSITIVE_INFINITY);
  }
}
