/**
 * What to know of a measurement before a model is fitted to it: clipped values, constant series, unread pulses. Facts
 * about the data, none of which makes them unusable.
 */

import type { Measurement, Sequence } from "./measurement.ts";

export interface Finding {
  readonly kind:
    | "clipped"
    | "constant"
    | "single reads"
    | "unread pulses"
    | "levels"
    | "unknown age"
    | "offset";
  readonly text: string;
  /** How many values, sequences or pulses it concerns, and of how many. */
  readonly count: number;
  readonly of: number;
}

/** An extreme is clipped when this many reads in a row have exactly that value. */
const clippedRun = 3;
/** Values are told to come in levels when there are at least this many, and this many for each level. */
const fewestForLevels = 50;
const valuesPerLevel = 4;

export function findingsOf(measurement: Measurement): Finding[] {
  const { sequences, quantity } = measurement;
  return [
    ...clipped(measurement),
    ...constant(sequences),
    ...single(sequences),
    ...unread(sequences),
    ...levels(measurement),
    ...(quantity === "current" ? offset(sequences) : unknownAge(sequences)),
  ];
}

/** A number of an SI unit with a prefix: 2.5e-6, "S" -> "2.5 uS". */
export function quantityText(value: number, unit: string, digits = 4): string {
  const prefixes = ["f", "p", "n", "u", "m", "", "k", "M", "G", "T"];
  const power = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)) / 3 + 1e-9);
  const at = Math.min(Math.max(power + 5, 0), prefixes.length - 1);
  const text = String(Number((value / 1000 ** (at - 5)).toPrecision(digits)));
  return unit === "" ? String(Number(value.toPrecision(digits))) : `${text} ${prefixes[at]}${unit}`;
}

function percentText(part: number, whole: number): string {
  return `${Number(((100 * part) / whole).toPrecision(2))} %`;
}

function unitOf({ quantity }: Measurement): string {
  return quantity === "current" ? "A" : "S";
}

/** Sequences of each device; those of one follow each other. */
function byDevice(sequences: readonly Sequence[]): Sequence[][] {
  const groups: Sequence[][] = [];
  for (const sequence of sequences) {
    if (groups.at(-1)?.[0].device === sequence.device) groups.at(-1)?.push(sequence);
    else groups.push([sequence]);
  }
  return groups;
}

function clipped(measurement: Measurement): Finding[] {
  return byDevice(measurement.sequences).flatMap((group) => {
    let least = Number.POSITIVE_INFINITY;
    let greatest = Number.NEGATIVE_INFINITY;
    for (const { values } of group)
      for (const value of values) {
        if (value < least) least = value;
        if (value > greatest) greatest = value;
      }
    if (!(least < greatest)) return [];
    return [
      { extreme: greatest, word: "highest" },
      { extreme: least, word: "lowest" },
    ].flatMap(({ extreme, word }): Finding[] => {
      const { count, longest, of } = runsAt(group, extreme);
      if (longest < clippedRun) return [];
      const part = `${count} of ${of} values (${percentText(count, of)})`;
      const value = quantityText(extreme, unitOf(measurement));
      const text = `device ${group[0].device}: ${part} are exactly the ${word}, ${value}, up to ${longest} in a row: saturated or clipped`;
      return [{ kind: "clipped", text, count, of }];
    });
  });
}

/** How often a value was read, and how often in a row at most. */
function runsAt(group: readonly Sequence[], extreme: number): { count: number; longest: number; of: number } {
  let count = 0;
  let longest = 0;
  let of = 0;
  for (const { values } of group) {
    let run = 0;
    for (const value of values) {
      if (Number.isNaN(value)) continue;
      of++;
      run = value === extreme ? run + 1 : 0;
      if (run > 0) count++;
      if (run > longest) longest = run;
    }
  }
  return { count, longest, of };
}

/** Reads of a sequence, without the gaps. */
function readsOf({ values }: Sequence): Float64Array {
  return values.filter((value) => !Number.isNaN(value));
}

function nameOf({ device, cycle }: Sequence): string {
  return `device ${device}, cycle ${cycle}`;
}

function constant(sequences: readonly Sequence[]): Finding[] {
  const found = sequences.filter((sequence) => {
    const reads = readsOf(sequence);
    return reads.length >= clippedRun && reads.every((value) => value === reads[0]);
  });
  if (found.length === 0) return [];
  const text = `${found.length} of ${sequences.length} sequences never change, the first is ${nameOf(found[0])}: stuck, or not connected`;
  return [{ kind: "constant", text, count: found.length, of: sequences.length }];
}

function single(sequences: readonly Sequence[]): Finding[] {
  const count = sequences.filter((sequence) => readsOf(sequence).length < 2).length;
  if (count === 0) return [];
  const text = `${count} of ${sequences.length} sequences have fewer than two reads: they tell of the spread of states, not of changes`;
  return [{ kind: "single reads", text, count, of: sequences.length }];
}

function unread(sequences: readonly Sequence[]): Finding[] {
  let count = 0;
  let of = 0;
  for (const { pulse, values } of sequences)
    pulse.forEach((index, row) => {
      if (index < 0) return;
      of++;
      if (Number.isNaN(values[row])) count++;
    });
  if (count === 0) return [];
  const text = `${count} of ${of} pulses (${percentText(count, of)}) are not followed by a read`;
  return [{ kind: "unread pulses", text, count, of }];
}

/** Digitised values, with the median step between two levels. */
function levels(measurement: Measurement): Finding[] {
  const parts = measurement.sequences.map(readsOf);
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  if (all.length < fewestForLevels) return [];
  all.sort();
  const rounding = 1e-9 * Math.max(Math.abs(all[0]), Math.abs(all[all.length - 1])); // one level, computed in two ways
  const gaps = new Float64Array(all.length - 1)
    .map((_, k) => all[k + 1] - all[k])
    .filter((gap) => gap > rounding);
  const count = gaps.length + 1;
  if (count * valuesPerLevel > all.length || count === 1) return [];
  const step = gaps.sort()[gaps.length >> 1];
  const text = `${all.length} values come in ${count} levels, mostly ${quantityText(step, unitOf(measurement), 3)} apart: digitised, or quantised states`;
  return [{ kind: "levels", text, count, of: all.length }];
}

function unknownAge(sequences: readonly Sequence[]): Finding[] {
  const timed = sequences.filter(({ time }) => time !== undefined);
  const count = timed.filter(({ time, pulse }) => time?.[0] === 0 && pulse[0] === -1).length;
  if (count === 0) return [];
  const text = `${count} of ${timed.length} sequences begin with a read at time 0: how long before it the device was written is not told`;
  return [{ kind: "unknown age", text, count, of: timed.length }];
}

/** Mean current of a sweep within a thousandth of its largest voltage around 0. */
function offset(sequences: readonly Sequence[]): Finding[] {
  let [count, sum, of, largestV, largestI] = [0, 0, 0, 0, 0];
  for (const { voltage = new Float64Array(0), values } of sequences)
    voltage.forEach((V, row) => {
      largestV = Math.max(largestV, Math.abs(V));
      largestI = Math.max(largestI, Math.abs(values[row]) || 0);
    });
  for (const { voltage = new Float64Array(0), values } of sequences)
    voltage.forEach((V, row) => {
      of++;
      if (Math.abs(V) > 1e-3 * largestV || Number.isNaN(values[row])) return;
      count++;
      sum += values[row];
    });
  const mean = sum / count;
  if (count === 0 || Math.abs(mean) < 1e-3 * largestI) return [];
  const text = `the current at 0 V is ${quantityText(mean, "A", 3)} on average of ${count} values, ${percentText(Math.abs(mean), largestI)} of the largest: an offset of the instrument`;
  return [{ kind: "offset", text, count, of }];
}
