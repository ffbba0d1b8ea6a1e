/**
 * The same measurement on simulated devices: the same pulses, times and reads, other draws.
 *
 * What posterior predictive checks compare with, and what synthetic data for tests come from.
 */
import { type DeviceArray, fabricate } from "../engine/array.ts";
import { namesIn } from "../language/expression.ts";
import type { Model } from "../language/model.ts";
import { DataError } from "../math/errors.ts";
import { devicesOf, type Measurement, type Sequence } from "../measured/measurement.ts";
import { observedVariable, type TextOptions } from "./text.ts";

export interface ReplicateOptions {
  readonly seed: string | number;
  readonly start: TextOptions["start"];
  /** How many measurements to simulate; default 1. */
  readonly count?: number;
}

/**
 * Simulates a measurement, `count` times. Values keep their places; with `start: "read"` the first value of each
 * sequence stays, and the device begins in the state it shows, but for the noise of that read. Equal seeds give equal
 * values.
 */
export async function replicate(
  measurement: Measurement,
  model: Model<"device">,
  options: ReplicateOptions,
): Promise<Measurement[]> {
  const { seed, start, count = 1 } = options;
  const { sequences } = measurement;
  const names = devicesOf(measurement);
  const place = new Map(names.map((each, k) => [each, k]));
  const made = await fabricate(count * names.length, model, { seed: `${seed}/devices` });
  const constants = model.checked.variables
    .filter((variable) => variable.constant)
    .map(({ name }) => ({ name, values: made.get(name) }));
  const observed = start === "read" ? observedVariable(model.checked) : undefined;
  const values = Array.from({ length: count }, () => sequences.map((sequence) => sequence.values.slice()));
  for (const [round, members] of roundsOf(measurement).entries()) {
    // every sequence of every replicate on a device of its own, which is a copy where the measured one is the same
    const size = members.length;
    const given = Object.fromEntries(
      constants.map(({ name, values }) => [
        name,
        Float64Array.from({ length: count * size }, (_, k) => {
          const device = place.get(sequences[members[k % size]].device) as number;
          return values[Math.floor(k / size) * names.length + device];
        }),
      ]),
    );
    const array = await fabricate(count * size, model, { seed: `${seed}/round/${round}`, given });
    const chosen = members.map((s) => sequences[s]);
    const { time, pulse, voltage } = chosen[0];
    const follow = (row: number) => {
      const read = voltage ? driven(array, chosen, row) : array.read();
      for (let r = 0; r < count; r++)
        members.forEach((s, k) => {
          const own = values[r][s];
          if (row < own.length && !Number.isNaN(own[row])) own[row] = read[r * size + k];
        });
    };
    const rows = Math.max(...chosen.map((each) => each.values.length));
    let clock = observed && pulse[0] >= 0 ? (time?.[0] ?? 0) : 0; // of the last write before the first read
    const waitUntil = (row: number) => {
      if (time) array.wait(`${time[row] - clock} s`);
      clock = time?.[row] ?? 0;
    };
    if (observed) {
      waitUntil(0);
      begin(array, observed.name, chosen);
    }
    for (let row = observed ? 1 : 0; row < rows; row++) {
      if (!voltage) waitUntil(row);
      pulseAll(array, measurement, chosen, row);
      follow(row);
    }
  }
  return values.map((own) => ({
    ...measurement,
    sequences: sequences.map((sequence, s) => ({ ...sequence, values: own[s] })),
  }));
}

/** Currents after a row of a sweep, A. */
function driven(array: DeviceArray, sequences: readonly Sequence[], row: number): Float64Array {
  const [{ time, voltage }] = sequences;
  const by = row > 0 && time ? time[row] - time[row - 1] : 0;
  return array.drive([voltage?.[row] ?? 0], `${by > 0 ? by : Number.MIN_VALUE} s`);
}

/** Sequences that can be simulated side by side: those with the same times and voltages; indices. */
function roundsOf({ sequences }: Measurement): number[][] {
  const rounds: { first: Sequence; members: number[] }[] = [];
  sequences.forEach((sequence, s) => {
    let round = rounds.find(
      ({ first }) =>
        same(first.time, sequence.time) &&
        same(first.voltage, sequence.voltage) &&
        first.pulse[0] < 0 === sequence.pulse[0] < 0,
    );
    if (!round) {
      round = { first: sequence, members: [] };
      rounds.push(round);
    }
    round.members.push(s);
  });
  return rounds.map(({ members }) => members);
}

function same(a: Float64Array | undefined, b: Float64Array | undefined): boolean {
  if (a === b) return true;
  if (!a || !b || a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}

/** The pulses of a row, to every copy of the sequences that have one there. */
function pulseAll(
  array: DeviceArray,
  { pulses, arguments: given }: Measurement,
  sequences: readonly Sequence[],
  row: number,
): void {
  const { checked } = array.model;
  pulses.forEach((pulse, code) => {
    const chosen = Array.from({ length: array.size }, (_, k) => k).filter((k) => {
      const sequence = sequences[k % sequences.length];
      return row < sequence.values.length && sequence.pulse[row] === code;
    });
    if (chosen.length === 0) return;
    const used = new Set(checked.handlers[pulse].flatMap(({ value }) => [...namesIn(value)]));
    const values: Record<string, Float64Array> = {};
    given.forEach((each, a) => {
      if (!used.has(each)) return;
      const own = checked.parameters.find(({ name }) => name === each)?.value as number;
      values[each] = Float64Array.from({ length: array.size }, (_, k) => {
        const value = sequences[k % sequences.length].arguments[a][row];
        return value === undefined || Number.isNaN(value) ? own : value;
      });
    });
    array.pulse(pulse, chosen.length === array.size ? undefined : chosen, values);
  });
}

/** Puts devices into states whose read is the first value but for noise. */
function begin(array: DeviceArray, observed: string, sequences: readonly Sequence[]): void {
  toRead(
    array,
    observed,
    Float64Array.from({ length: array.size }, (_, k) => sequences[k % sequences.length].values[0]),
  );
  toRead(array, observed, array.read());
}

/** Secant steps on a variable until reads without noise are as wanted. */
function toRead(array: DeviceArray, observed: string, wanted: Float64Array): void {
  let x0 = array.get(observed);
  let f0 = array.read({ noise: false });
  let x1 = x0.map((x) => (x === 0 ? 1e-3 : 1.001 * x));
  for (let step = 0; step < 60; step++) {
    array.set(observed, x1);
    const f1 = array.read({ noise: false });
    const x2 = x1.map((x, k) => {
      const slope = (f1[k] - f0[k]) / (x - x0[k]);
      return f1[k] === wanted[k] || !Number.isFinite(slope) || slope === 0
        ? x
        : x + (wanted[k] - f1[k]) / slope;
    });
    const done = f1.every((f, k) => Math.abs(f - wanted[k]) <= 1e-12 * Math.abs(wanted[k]));
    if (done) return;
    [x0, f0, x1] = [x1, f1, x2];
  }
  throw new DataError(
    `a read of ${array.model.checked.name} cannot be what the data begin with: its ${observed} was not found`,
  );
}
