/** The differential pair: a weight as the difference of two groups of devices. */
import type { Model } from "../language/model.ts";
import { ConfigError } from "../math/errors.ts";
import {
  checkDevices,
  commonStorage,
  conductance,
  pulseOf,
  type StorageOptions,
  type WeightStorage,
} from "./storage.ts";

export interface PairOptions extends StorageOptions {
  /** Devices per polarity. Default 1. */
  readonly devices?: number;
  /**
   * Bit slicing: what the devices of a polarity count for, whole numbers that fall to 1, such as [4, 1]. There are as many
   * devices as numbers, and no counter: the steps of a write go to the most significant device first.
   */
  readonly significances?: readonly number[];
  /**
   * Every pulse that raises a device of one polarity comes with one that lowers a device of the other, and a change takes
   * half as many of each. Needs a device that can go down.
   */
  readonly opposite?: boolean;
  /**
   * RESET and rewrite a synapse when the mean of a group exceeds `above` and, as far as they are given, the means differ by
   * less than `difference` and the other mean exceeds `otherAbove`.
   */
  readonly refresh?: {
    readonly above: string;
    readonly difference?: string;
    readonly otherAbove?: string;
  };
}

/**
 * A weight as the difference of two groups of devices, W = beta (sum of G+ - sum of G-), written by
 * pulses that raise G+ (to increase it) or G- (to decrease it), each onto the device a selection counter points at.
 * Source: Boybat et al. 2018, Nat. Commun. 9:2514; Nandakumar et al. 2020, Sci. Rep. 10:8080.
 * The pulse is `up` where the device has it, else `set`; with `opposite` the other group is lowered by `down`.
 * With `significances` s, W = beta sum of s (G+ - G-), bit slicing: Le Gallo et al. 2022, Neuromorph. Comput. Eng. 2:014009.
 *
 * Pulses of one write: n = round(|dW| / (beta * step)), half as many onto each group with `opposite`, at most `maxPulses`;
 * dW counts from the weight that the handler read, and beta includes the factor of `scaleWeights`. With `accumulate`,
 * chi += dW and n = trunc(chi / (beta * step)) is taken from it (Nandakumar et al. 2020, Front. Neurosci. 14:406).
 * A refresh, checked at every write, goes by the noise-free conductances and has no such limit.
 */
export function differentialPair(device: Model<"device">, options: PairOptions): WeightStorage {
  const { significances, opposite = false } = options;
  const devices = options.devices ?? significances?.length ?? 1;
  checkDevices(devices, "a differential pair has 1 to 64 devices per polarity");
  if (significances) checkSignificances(significances, options);
  const common = commonStorage(device, "differential pair", options);
  const decrease = opposite ? pulseOf(device, ["down"], "opposite pulses need it") : undefined;
  if (options.refresh) pulseOf(device, ["reset"], "refresh needs it");
  return Object.freeze({
    kind: "differential pair" as const,
    ...common,
    groups: 2 as const,
    devices,
    significances: significances && Object.freeze([...significances]),
    reference: 0,
    decrease,
    opposite,
    refresh: options.refresh && refreshRule(options.refresh),
  });
}

function checkSignificances(significances: readonly number[], { devices, counter }: PairOptions): void {
  const falling = significances.every(
    (s, k) => Number.isInteger(s) && s >= 1 && (k === 0 || s < significances[k - 1]),
  );
  if (!falling || significances.at(-1) !== 1 || significances[0] >= 2 ** 31)
    throw new ConfigError(
      `significances are whole numbers that fall to 1, such as [4, 1], not [${significances.join(", ")}]; devices that count alike are given as devices`,
    );
  if (devices !== undefined)
    throw new ConfigError(`significances say how many devices there are; leave out devices: ${devices}`);
  if (counter !== undefined)
    throw new ConfigError(
      `with significances no counter chooses the device; leave out counter: "${counter}"`,
    );
}

function refreshRule(written: NonNullable<PairOptions["refresh"]>): WeightStorage["refresh"] {
  const { difference, otherAbove } = written;
  if (difference === undefined && otherAbove === undefined)
    throw new ConfigError(`refresh needs difference or otherAbove beside above: ${written.above}`);
  const rule = {
    above: conductance("refresh.above", written.above),
    difference:
      difference === undefined ? Number.POSITIVE_INFINITY : conductance("refresh.difference", difference),
    otherAbove:
      otherAbove === undefined ? Number.NEGATIVE_INFINITY : conductance("refresh.otherAbove", otherAbove),
  };
  const told = Object.entries(written).map(([name, text]) => `${name} ${text}`);
  if (!(rule.above > 0 && rule.difference > 0 && (otherAbove === undefined || rule.otherAbove > 0)))
    throw new ConfigError(`refresh needs positive conductances, not ${told.join(" and ")}`);
  if (rule.otherAbove > rule.above)
    throw new ConfigError(`refresh.otherAbove is for the lesser mean; it exceeds above: ${told.join(", ")}`);
  return Object.freeze(rule);
}
