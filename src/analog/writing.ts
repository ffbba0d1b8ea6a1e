/**
 * Writing conductances: open loop, or read and corrected until they are near enough.
 *
 * A device with a pulse `program` and an argument `target` is told what to become; one with steps is pulsed towards it, which only a
 * loop of write and verify can do. Knows nothing of weights.
 */
import type { DeviceArray } from "../engine/array.ts";
import type { Model } from "../language/model.ts";
import { ConfigError } from "../math/errors.ts";
import { quantity } from "../math/units.ts";

/** Write and verify: pulses until a read is within `tolerance` of the target, at most so many for a device. */
export interface Verify {
  readonly tolerance: string;
  readonly pulses: number;
}

/** What writing took. */
export interface Writing {
  /** Pulses by name. */
  readonly pulses: Readonly<Record<string, number>>;
  /** Devices whose last read was outside of the tolerance; 0 without one. */
  readonly outside: number;
}

/** Lowest and highest conductance that weights use, S. Throws `ConfigError` where neither the model nor anyone says the highest. */
export function conductancesOf(
  model: Model<"device">,
  told: { readonly Gmin?: string; readonly Gmax?: string } = {},
) {
  const of = (name: "Gmin" | "Gmax") => {
    const text = told[name];
    if (text !== undefined) return quantity(text, "S");
    return model.checked.parameters.find((parameter) => parameter.name === name)?.value;
  };
  const [Gmin = 0, Gmax] = [of("Gmin"), of("Gmax")];
  if (Gmax === undefined)
    throw new ConfigError(
      `${model.checked.name} does not say its Gmax; give Gmax: "25 uS", the conductance of the largest weight`,
    );
  if (!(Gmin >= 0 && Gmax > Gmin))
    throw new ConfigError(`weights need 0 <= Gmin < Gmax, not ${Gmin} S and ${Gmax} S`);
  return { Gmin, Gmax };
}

const pulsesOf = (model: Model<"device">) => Object.keys(model.checked.handlers);

/** Whether a device is told what to become. */
export const isToldTarget = (model: Model<"device">): boolean =>
  pulsesOf(model).includes("program") && model.checked.arguments.includes("target");

/**
 * Writes `targets`, S, [device]. Throws `ConfigError` for a device that can be written only in a loop when there is none, and
 * for one with no pulse that raises it.
 */
export function write(array: DeviceArray, targets: Float64Array, verify: Verify | undefined): Writing {
  const { model } = array;
  const told = isToldTarget(model);
  if (told) array.pulse("program", undefined, { target: targets });
  if (!verify) {
    if (told) return { pulses: { program: array.size }, outside: 0 };
    throw new ConfigError(
      `${model.checked.name} has no pulse program with a target; write it in a loop: verify: { tolerance: "1 uS", pulses: 100 }`,
    );
  }
  const tolerance = quantity(verify.tolerance, "S");
  if (!(tolerance > 0))
    throw new ConfigError(`verify.tolerance is a positive conductance, not ${verify.tolerance}`);
  if (!(Number.isInteger(verify.pulses) && verify.pulses >= 1))
    throw new ConfigError(`verify.pulses is a whole number from 1 on, not ${verify.pulses}`);
  return told
    ? again(array, targets, tolerance, verify.pulses)
    : steps(array, targets, tolerance, verify.pulses);
}

/** Devices of the list, or all, whose read is off by more than the tolerance: too low, too high. */
function off(array: DeviceArray, targets: Float64Array, tolerance: number, which?: readonly number[]) {
  const G = array.read({ which });
  const [low, high]: [number[], number[]] = [[], []];
  for (let k = 0; k < G.length; k++) {
    const device = which ? which[k] : k;
    if (G[k] < targets[device] - tolerance) low.push(device);
    if (G[k] > targets[device] + tolerance) high.push(device);
  }
  return { low, high };
}

function again(array: DeviceArray, targets: Float64Array, tolerance: number, most: number): Writing {
  let count = array.size;
  let left: readonly number[] | undefined;
  for (let n = 1; ; n++) {
    const { low, high } = off(array, targets, tolerance, left);
    left = [...low, ...high].sort((a, b) => a - b);
    if (left.length === 0 || n === most) return { pulses: { program: count }, outside: left.length };
    array.pulse("program", left, { target: targets });
    count += left.length;
  }
}

function steps(array: DeviceArray, targets: Float64Array, tolerance: number, most: number): Writing {
  const known = pulsesOf(array.model);
  const up = ["up", "set"].find((name) => known.includes(name));
  const down = ["down", "reset"].find((name) => known.includes(name));
  if (!up)
    throw new ConfigError(
      `${array.model.checked.name} has no pulse up or set; its pulses are ${known.join(", ")}`,
    );
  const pulses: Record<string, number> = { [up]: 0, ...(down && { [down]: 0 }) };
  const give = (name: string, list: readonly number[]) => {
    if (list.length > 0) array.pulse(name, list);
    pulses[name] += list.length;
  };
  let left: readonly number[] | undefined;
  for (let n = 0; ; n++) {
    const { low, high } = off(array, targets, tolerance, left);
    left = [...low, ...(down ? high : [])].sort((a, b) => a - b);
    if (left.length === 0 || n === most) return { pulses, outside: low.length + high.length };
    give(up, low);
    if (down) give(down, high);
  }
}
