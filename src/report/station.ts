/**
 * Devices of one model on a probe station: what their pulses do, and how to bring them to a level.
 *
 * Nothing is assumed of a model but its pulses' names: `up` or `set` raises, `down` lowers, `reset` returns; a pulse
 * that takes a conductance programs it. How many pulses the range takes is found by trying. Levels are measured without
 * read noise, and devices return to their start by restoring what they store, which no measurement could do.
 */

import { type DeviceArray, fabricate } from "../engine/array.ts";
import { namesIn } from "../language/expression.ts";
import type { Model } from "../language/model.ts";
import { mean, quantile, variance } from "../math/statistics.ts";
import { sameDimension, unitDimension } from "../math/units.ts";
import { type Estimate, estimate } from "./estimate.ts";
import type { Metric } from "./experiment.ts";
import type { Figure } from "./figures.ts";

/** Equal pulses in a row. Conductances are S, [record][device]. */
export interface Ramp {
  readonly pulse: string;
  /** Pulses before each record; the last is the length of the ramp. */
  readonly counts: readonly number[];
  readonly levels: readonly Float64Array[]; // without read noise
  readonly reads: readonly Float64Array[];
  /** What the next pulse changed, of all records but the last. */
  readonly steps: readonly Float64Array[];
}

/** Devices, and the ways their conductance changes. */
export interface Station {
  readonly model: Model<"device">;
  readonly seed: string | number;
  readonly quick: boolean;
  readonly array: DeviceArray;
  readonly up?: Ramp; // from the start
  readonly down?: Ramp; // from the end of `up`
  readonly reset?: string;
  /** Where a reset brings devices from the end of `up`, S: [device]. Where there is no `down`. */
  readonly afterReset?: Float64Array;
  /** The pulse that programs a conductance, its argument, and the highest conductance, S. */
  readonly program?: { readonly pulse: string; readonly argument: string; readonly top: number };
  /** Devices as they were before the ramps. */
  start(): void;
  /**
   * So many devices, or somewhat more, that store what the first of these store before the ramps. They may be the same
   * devices as those of another call or of the station: what the caller leaves is not kept.
   */
  few(count: number): Promise<DeviceArray>;
  /** Brings devices to about a fraction of their range; 0 is the start. False when no pulse can. */
  bring(fraction: number): boolean;
}

/** What a measurement on the station hands back; `omitted`: what it cannot measure, and why. */
export interface Part {
  readonly figures: Readonly<Record<string, Figure>>;
  readonly metrics: Readonly<Record<string, Metric | undefined>>;
  readonly omitted?: Readonly<Record<string, string>>;
}

/** The most pulses that are tried to find the end of a range. */
const mostPulses = 16_384;
/** Devices that try it. */
const scouts = 32;
/** Pulses that all ramps together may take; where that is too few, there are fewer devices. */
const rampPulses = 5e6;
/** The fewest devices, where there are more. */
const fewest = 100;
/** Places along a ramp where it is recorded. */
const records = 120;

/** Puts `devices` devices on the station and runs their ramps. */
export async function station(
  model: Model<"device">,
  options: { readonly seed: string | number; readonly devices: number; readonly quick: boolean },
): Promise<Station> {
  const { seed, devices, quick } = options;
  const pulses = Object.keys(model.checked.handlers);
  const rising = ["up", "set"].find((name) => pulses.includes(name));
  const falling = pulses.includes("down") ? "down" : undefined;
  const reset = pulses.includes("reset") ? "reset" : undefined;
  const program = programming(model);
  const scout = await fabricate(Math.min(devices, scouts), model, { seed: `${seed}/scouts` });
  const most = quick ? mostPulses / 8 : mostPulses;

  // the start of what can go down is as low as it goes, else a reset, else what fabrication left
  const none = { length: 0, end: 0 };
  const first = falling === undefined ? none : span(scout, falling, most);
  const lower = (each: DeviceArray) => {
    if (falling !== undefined) give(each, falling, first.end);
    else if (reset !== undefined) each.pulse(reset);
  };
  if (falling === undefined) lower(scout);
  const { length: upwards } = rising === undefined ? none : span(scout, rising, most);
  const { length: downwards } = falling === undefined ? none : span(scout, falling, most);
  const affordable = Math.floor(rampPulses / costOf(model) / Math.max(1, first.end + upwards + downwards));
  const size = Math.min(devices, Math.max(fewest, affordable));
  const array = await fabricate(size, model, { seed });
  lower(array);
  const saved = snapshot(array);
  const start = () => restore(array, saved);
  const up = rising !== undefined && upwards > 0 ? ramp(array, rising, upwards) : undefined;
  const down = falling !== undefined && up && downwards > 0 ? ramp(array, falling, downwards) : undefined;
  if (up && !down && reset !== undefined) array.pulse(reset);
  const afterReset = up && !down && reset !== undefined ? quiet(array) : undefined;
  const means = up?.levels.map(mean) ?? [];

  const few = async (count: number) => {
    const others =
      count <= scout.size
        ? scout
        : count === size
          ? array
          : await fabricate(count, model, { seed: `${seed}/others` });
    restore(others, saved);
    return others;
  };
  const bring = (fraction: number): boolean => {
    if (program) {
      array.pulse(program.pulse, undefined, { [program.argument]: fraction * program.top });
      return true;
    }
    if (!up) return fraction === 0;
    start();
    give(array, up.pulse, Math.round(pulsesTo(up.counts, means, fraction)));
    return true;
  };
  return {
    model,
    seed,
    quick,
    array,
    ...(up ? { up } : {}),
    ...(down ? { down } : {}),
    ...(reset ? { reset } : {}),
    ...(afterReset ? { afterReset } : {}),
    ...(program ? { program } : {}),
    start,
    few,
    bring,
  };
}

/** Pulses after which the mean has come a fraction of the way from the first record to the last; not whole. */
export function pulsesTo(counts: readonly number[], means: readonly number[], fraction: number): number {
  const [low, high] = [means[0], means[means.length - 1]];
  const wanted = low + fraction * (high - low);
  const k = means.findIndex((level) => (high > low ? level >= wanted : level <= wanted));
  if (k <= 0) return counts[Math.max(0, k)];
  const part = (wanted - means[k - 1]) / (means[k] - means[k - 1]);
  return counts[k - 1] + part * (counts[k] - counts[k - 1]);
}

/** Groups of devices whose statistics are compared to tell how sure one of all devices is. */
const groups = 10;

/** A statistic of a set of devices, from those of ten groups of neighbours; each given as [from, to). */
export function grouped(size: number, statistic: (from: number, to: number) => number): Estimate | undefined {
  const count = Math.min(groups, size);
  const values = Array.from({ length: count }, (_, k) =>
    statistic(Math.floor((k * size) / count), Math.floor(((k + 1) * size) / count)),
  );
  return values.every(Number.isFinite) ? estimate(values) : undefined;
}

/** Conductances are told in uS. */
export const micro = 1e6;

/** Middle and ends of the band that holds 90 % of the devices: [record][device] -> of each record. */
export function band90(values: readonly Float64Array[]): {
  median: Float64Array;
  low: Float64Array;
  high: Float64Array;
} {
  const sorted = values.map((each) => each.slice().sort());
  const at = (p: number) => Float64Array.from(sorted, (each) => quantile(each, p));
  return { median: at(0.5), low: at(0.05), high: at(0.95) };
}

/** So many pulses to all devices. */
export function give(array: DeviceArray, pulse: string, count: number): void {
  for (let n = 0; n < count; n++) array.pulse(pulse);
}

export function quiet(array: DeviceArray): Float64Array {
  return array.read({ noise: false });
}

type Stored = Readonly<Record<string, Float64Array>>;

/** What the devices store, copied. */
export function snapshot(array: DeviceArray): Stored {
  return Object.fromEntries(array.model.checked.variables.map(({ name }) => [name, array.get(name)]));
}

/** Stores in devices what as many of others stored. */
export function restore(array: DeviceArray, stored: Stored): void {
  for (const [name, values] of Object.entries(stored)) array.set(name, values.subarray(0, array.size));
}

/** About how much longer a pulse takes when it integrates equations. */
export function costOf({ checked }: Model<"device">): number {
  return checked.derivatives.length > 0 ? 16 : 1;
}

/** The pulse with an argument that is a conductance, and the highest sensible: a parameter called Gmax, else its default. */
function programming({ checked }: Model<"device">): Station["program"] {
  const siemens = unitDimension("S").dimension;
  for (const [pulse, statements] of Object.entries(checked.handlers)) {
    const used = new Set(statements.flatMap(({ value }) => [...namesIn(value)]));
    for (const { name, value } of checked.derived.toReversed())
      if (used.has(name)) for (const each of namesIn(value)) used.add(each);
    const argument = checked.arguments.find((name) => {
      const parameter = checked.parameters.find((each) => each.name === name);
      return used.has(name) && parameter !== undefined && sameDimension(parameter.dimension, siemens);
    });
    if (argument === undefined) continue;
    const named = (name: RegExp) => checked.parameters.find((each) => name.test(each.name))?.value;
    const top = named(/^g_?max$/i) ?? named(new RegExp(`^${argument}$`)) ?? 0;
    if (top > 0) return { pulse, argument, top };
  }
  return undefined;
}

/** How far it is to the end of a range, in pulses. */
interface Span {
  readonly length: number; // a quarter more than take the mean 95 % of the way; 0 when the mean does not move
  readonly end: number; // where doubling the pulses adds less than 2 % of the range
}

/** Finds the end of the range of devices by bringing them there. */
function span(array: DeviceArray, pulse: string, most: number): Span {
  const before = quiet(array);
  const counts = [0];
  const means = [mean(before)];
  let given = 0;
  let settled = false;
  while (!settled && given < most) {
    const next = Math.min(most, given < 16 ? given + 1 : Math.ceil(1.1 * given));
    give(array, pulse, next - given);
    given = next;
    const levels = quiet(array);
    counts.push(given);
    means.push(mean(levels));
    const total = means[means.length - 1] - means[0];
    const half = means[counts.findIndex((count) => count >= given / 2)];
    const error = Math.sqrt(variance(levels.map((level, k) => level - before[k])) / array.size);
    const moved = Math.abs(total) > 6 * (Number.isNaN(error) ? 0 : error);
    settled = given >= 8 && moved && Math.abs(means[means.length - 1] - half) < 0.02 * Math.abs(total);
    if (given >= 256 && total === 0) break; // they do not move at all
  }
  if (means[0] === means[means.length - 1]) return { length: 0, end: 0 };
  const needed = Math.ceil(pulsesTo(counts, means, 0.95));
  return { length: Math.min(most, roundUp(1.25 * needed)), end: given };
}

/** Up to two digits that are not zero. */
function roundUp(count: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1);
  return step * Math.ceil(count / step - 1e-9);
}

/** Gives `total` pulses and records the devices on the way. */
function ramp(array: DeviceArray, pulse: string, total: number): Ramp {
  const places = Math.min(total, records);
  const counts = Array.from({ length: places + 1 }, (_, k) => Math.round((k * total) / places));
  const levels: Float64Array[] = [];
  const reads: Float64Array[] = [];
  const steps: Float64Array[] = [];
  let given = 0;
  for (const count of counts) {
    give(array, pulse, count - given);
    const level = quiet(array);
    levels.push(level);
    reads.push(array.read());
    given = count;
    if (count === total) break;
    array.pulse(pulse);
    steps.push(quiet(array).map((after, k) => after - level[k]));
    given++;
  }
  return { pulse, counts, levels, reads, steps };
}
