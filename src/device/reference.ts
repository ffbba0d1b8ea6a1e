/** The reference device: a weight as what devices conduct beyond a fixed conductance. */
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

export interface ReferenceOptions extends StorageOptions {
  /** Conductance at which the weight is zero, for instance "10 uS": fixed, without noise or drift. */
  readonly reference: string;
  /** Devices of a synapse. Default 1. */
  readonly devices?: number;
}

/**
 * A weight of devices that go up and down, W = beta (sum of G - reference), written by pulses that raise G (to increase
 * it) or lower it (`down`), each onto the device a selection counter points at. A reference of "0 S" makes weights
 * that are never negative. The number of pulses is that of `differentialPair`. All synapses share the same ideal
 * reference; one that is a device itself is a pair.
 * Source: Rasch et al. 2021, AICAS, doi:10.1109/AICAS51828.2021.9458494 (reference unit cell of aihwkit).
 */
export function referenceDevice(device: Model<"device">, options: ReferenceOptions): WeightStorage {
  const devices = options.devices ?? 1;
  checkDevices(devices, "a weight with a reference has 1 to 64 devices");
  const reference = conductance("the reference", options.reference);
  if (!(reference >= 0))
    throw new ConfigError(`the reference must not be negative, and is ${options.reference}`);
  return Object.freeze({
    kind: "reference device" as const,
    ...commonStorage(device, "weight with a reference", options),
    groups: 1 as const,
    devices,
    reference,
    decrease: pulseOf(device, ["down"], "only that makes a weight with a reference less"),
    opposite: false,
  });
}
