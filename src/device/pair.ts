/**
 * Weights stored on memory devices: how conductances make a weight and how a weight is programmed.
 *
 * Plain descriptions; engine/storage.ts turns them into machine code. Knows nothing of learning.
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

export interface WeightStorage {
  readonly kind: "differential-pair";
  readonly device: Model<"device">;
  readonly devices: number; // per polarity
  readonly weightPerConductance: number; // weight unit / S
  readonly weightDimension: Dimension; // of the weight it can store
  readonly step: number; // S, the conductance step one SET pulse is taken to make
  readonly maxPulses: number; // per write
  readonly read: "run" | "event";
  readonly counter: "shared" | "own";
  readonly rounding: "nearest" | "stochastic";
  readonly refresh?: { readonly above: number; readonly difference: number }; // S
}

export interface PairOptions {
  /** Devices per polarity. Default 1. */
  readonly devices?: number;
  /** Weight a conductance of one unit makes, for instance "200 pA/uS". */
  readonly weightPerConductance: string;
  /** Conductance step one SET pulse is taken to make, for instance "0.8 uS". */
  readonly step: string;
  /** Most pulses in one write. Default 10. */
  readonly maxPulses?: number;
  /** When devices are read: once at the start of each run and after each write ("run", default), or at every event ("event"). */
  readonly read?: "run" | "event";
  /** Selection counter: one for the array ("shared", default) or one per synapse and polarity ("own"). */
  readonly counter?: "shared" | "own";
  /** Rounding of the number of pulses. Default "nearest". */
  readonly rounding?: "nearest" | "stochastic";
  /** RESET and rewrite a synapse when the mean of a group exceeds `above` and the means differ by less than `difference`. */
  readonly refresh?: { readonly above: string; readonly difference: string };
}

/**
 * A weight as the difference of two groups of devices, W = beta (sum of G+ - sum of G-), written by
 * SET pulses to G+ (to increase) or G- (to decrease), each to the device a selection counter points at.
 * Source: Boybat et al. 2018, Nat. Commun. 9:2514; Nandakumar et al. 2020, Sci. Rep. 10:8080.
 * Pulses of one write: n = round(|dW| / (beta * step)), at most `maxPulses`; dW counts from the weight that the handler
 * read, and beta includes the factor of `scaleWeights`. A refresh, checked at every write, goes by the noise-free
 * conductances and has no such limit.
 */
export function differentialPair(device: Model<"device">, options: PairOptions): WeightStorage {
  const devices = options.devices ?? 1;
  if (!Number.isInteger(devices) || devices < 1 || devices > 64)
    throw new ConfigError(`a differential pair has 1 to 64 devices per polarity, not ${devices}`);
  const maxPulses = options.maxPulses ?? 10;
  if (!Number.isInteger(maxPulses) || maxPulses < 1)
    throw new ConfigError(`maxPulses must be a whole number from 1, not ${maxPulses}`);
  if (!device.checked.handlers.set)
    throw new ConfigError(`${device.checked.name} has no "set" pulse; a differential pair writes with it`);
  if (options.refresh && !device.checked.handlers.reset)
    throw new ConfigError(`${device.checked.name} has no "reset" pulse; refresh needs it`);
  const ratio = parseQuantity(options.weightPerConductance);
  if (!(ratio.value > 0))
    throw new ConfigError(`weightPerConductance must be positive, not ${options.weightPerConductance}`);
  const conductance = (name: string, text: string): number => {
    const { value, dimension } = parseQuantity(text);
    if (!sameDimension(dimension, unitDimension("S").dimension))
      throw new ConfigError(`${name} is ${formatDimension(dimension)}, not S: ${text}`);
    return value;
  };
  const step = conductance("the conductance step", options.step);
  if (!(step > 0)) throw new ConfigError(`the conductance step must be positive, not ${options.step}`);
  const refresh = options.refresh && {
    above: conductance("refresh.above", options.refresh.above),
    difference: conductance("refresh.difference", options.refresh.difference),
  };
  if (refresh && !(refresh.above > 0 && refresh.difference > 0))
    throw new ConfigError(
      `refresh needs positive conductances, not above ${options.refresh?.above} and difference ${options.refresh?.difference}`,
    );
  return Object.freeze({
    kind: "differential-pair" as const,
    device,
    devices,
    weightPerConductance: ratio.value,
    weightDimension: multiplyDimensions(ratio.dimension, unitDimension("S").dimension),
    step,
    maxPulses,
    read: options.read ?? "run",
    counter: options.counter ?? "shared",
    rounding: options.rounding ?? "nearest",
    refresh,
  });
}
