/**
 * Weights stored on memory devices: how conductances make a weight and how a change of it becomes pulses.
 *
 * What compositions (pair.ts, reference.ts) have in common. Plain descriptions; engine/storage.ts and
 * engine/programming.ts turn them into machine code. Knows nothing of learning.
 */
import type { Model } from "../language/model.ts";
import { ConfigError } from "../math/errors.ts";
import {
  type Dimension,
  formatDimension,
  multiplyDimensions,
  parseQuantity,
  sameDimension,
  unitDimension,
} from "../math/units.ts";

/**
 * A weight is beta times what its groups of devices conduct: G+ less G-, or one group less a reference.
 * A group conducts the sum of its devices, each times its significance.
 */
export interface WeightStorage {
  readonly kind: "differential pair" | "reference device";
  readonly device: Model<"device">;
  readonly groups: 1 | 2; // of a synapse; group 0 makes the weight greater
  readonly devices: number; // of a group
  readonly significances?: readonly number[]; // of the devices of a group; all 1 when absent
  readonly reference: number; // S, taken from the only group
  readonly weightPerConductance: number; // weight unit / S
  readonly weightDimension: Dimension; // of the weight it can store
  readonly step: number; // S, the conductance step one pulse is taken to make
  readonly increase: string; // the pulse that raises a conductance
  readonly decrease?: string; // the one that lowers it, where it is used
  readonly opposite: boolean; // both groups are pulsed, one up and one down
  readonly maxPulses: number; // onto a group in one write
  readonly read: "run" | "event";
  readonly counter: "shared" | "own";
  readonly rounding: "nearest" | "stochastic" | "accumulated";
  readonly refresh?: {
    readonly above: number; // S, as all here
    readonly difference: number; // infinite where the rule does not ask
    readonly otherAbove: number; // minus infinite where the rule does not ask
  };
}

/** Options of every composition. */
export interface StorageOptions {
  /** Weight a conductance of one unit makes, for instance "200 pA/uS". */
  readonly weightPerConductance: string;
  /** Conductance step one pulse is taken to make, for instance "0.8 uS". */
  readonly step: string;
  /** Most pulses onto a group of devices in one write. Default 10. */
  readonly maxPulses?: number;
  /** When devices are read: once at the start of each run and after each write ("run", default), or at every event ("event"). */
  readonly read?: "run" | "event";
  /** Selection counter: one for the array ("shared", default) or one per synapse and group of devices ("own"). */
  readonly counter?: "shared" | "own";
  /** Rounding of the number of pulses. Default "nearest". */
  readonly rounding?: "nearest" | "stochastic";
  /** Instead of rounding: what is less than a pulse is kept, one float64 for each synapse, and adds to the next change. */
  readonly accumulate?: boolean;
}

/** A conductance, S. Throws `ConfigError`. */
export function conductance(name: string, text: string): number {
  const { value, dimension } = parseQuantity(text);
  if (!sameDimension(dimension, unitDimension("S").dimension))
    throw new ConfigError(`${name} is ${formatDimension(dimension)}, not S: ${text}`);
  return value;
}

/** Throws `ConfigError` unless the device has one of these pulses; the first that it has. */
export function pulseOf(device: Model<"device">, names: readonly string[], why: string): string {
  const { handlers, name } = device.checked;
  const found = names.find((pulse) => Object.hasOwn(handlers, pulse));
  if (found !== undefined) return found;
  const missing = names.map((pulse) => `"${pulse}"`).join(" or ");
  throw new ConfigError(
    `${name} has no ${missing} pulse; ${why}; its pulses are ${Object.keys(handlers).join(", ") || "none"}`,
  );
}

/** Throws `ConfigError` unless `count` devices can make a group. */
export function checkDevices(count: number, group: string): void {
  if (!Number.isInteger(count) || count < 1 || count > 64) throw new ConfigError(`${group}, not ${count}`);
}

/** What the options that all compositions share say. Throws `ConfigError`. */
export function commonStorage(device: Model<"device">, composition: string, options: StorageOptions) {
  const maxPulses = options.maxPulses ?? 10;
  if (!Number.isInteger(maxPulses) || maxPulses < 1 || maxPulses >= 2 ** 31)
    throw new ConfigError(`maxPulses must be a whole number from 1 to ${2 ** 31 - 1}, not ${maxPulses}`);
  if (options.accumulate && options.rounding)
    throw new ConfigError(
      `an accumulator keeps what rounding would drop; give accumulate or rounding: "${options.rounding}"`,
    );
  const increase = pulseOf(device, ["up", "set"], `a ${composition} writes with it`);
  const ratio = parseQuantity(options.weightPerConductance);
  if (!(ratio.value > 0))
    throw new ConfigError(`weightPerConductance must be positive, not ${options.weightPerConductance}`);
  const step = conductance("the conductance step", options.step);
  if (!(step > 0)) throw new ConfigError(`the conductance step must be positive, not ${options.step}`);
  return {
    device,
    weightPerConductance: ratio.value,
    weightDimension: multiplyDimensions(ratio.dimension, unitDimension("S").dimension),
    step,
    increase,
    maxPulses,
    read: options.read ?? "run",
    counter: options.counter ?? "shared",
    rounding: options.accumulate ? "accumulated" : (options.rounding ?? "nearest"),
  } as const;
}
