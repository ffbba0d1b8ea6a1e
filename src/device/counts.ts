/** What the devices of a projection have been through: pulses and reads, for an account of energy and endurance. */
import type { WeightStorage } from "./storage.ts";

/** Places in the counts of a projection's devices; raising and lowering pulses have one for each group. */
export const counted = { increase: 0, decrease: 2, reset: 4, reads: 5, size: 6 } as const;

/** Pulses towards greater weights, towards lesser ones, and RESET. */
export function pulsesByDirection(counts: ArrayLike<number>): readonly [number, number, number] {
  const { increase, decrease, reset } = counted;
  return [counts[increase] + counts[decrease + 1], counts[increase + 1] + counts[decrease], counts[reset]];
}

export interface DeviceUse {
  /** Pulses by the device's own names, such as `set`: onto all devices of the projection. */
  readonly pulses: Readonly<Record<string, number>>;
  /** Reads of one device each: of weights at the start of runs, after writes and at events, and of refresh checks. */
  readonly reads: number;
}

/** Counts by what was done to the devices. */
export function deviceUse(storage: WeightStorage, counts: ArrayLike<number>): DeviceUse {
  const { device, increase, decrease } = storage;
  const pulses = Object.fromEntries(Object.keys(device.checked.handlers).map((name) => [name, 0]));
  pulses[increase] = counts[counted.increase] + counts[counted.increase + 1];
  if (decrease !== undefined) pulses[decrease] = counts[counted.decrease] + counts[counted.decrease + 1];
  if (storage.refresh) pulses.reset = counts[counted.reset];
  return { pulses, reads: counts[counted.reads] };
}
