/**
 * The same measurement on simulated devices: the same pulses, times and reads, other draws.
 *
 * What posterior predictive checks compare with, and what synthetic data for tests come from.
 */
import { type DeviceArray, fabricate } from "../engine/array.ts";
import { namesIn } from "../language/expression.ts";
import type { Model } from "../language/model.ts";
import { DataError } from "../math/errors.ts";
import { devicesOf, type Measurement, type Sequence } from "./measurement.ts";
import { observedVariable, type TextOptions } from "./text.ts";

/**
 * Simulates a measurement. Values keep their places; with `start: "read"` the first value of each sequence stays, and
 * the device begins in the state it shows, but for the noise of that read. Equal seeds give equal values.
 */
export async function replicate(
  measurement: Measurement,
  model: Model<"device">,
  options: { readonly seed: string | number; readonly start: TextOptions["start"] },
): Promise<Measurement> {
  const { seed, start } = options;
  const names = devicesOf(measurement);
  const place = new Map(names.map((each, k) => [each, k]));
  const made = await fabricate(names.length, model, { seed: `${seed}/devices` });
  const constants = model.checked.variables.filter((variable) => variable.constant);
  const observed = start === "read" ? observedVariable(model.checked) : undefined;
  const values = measurement.sequences.map((sequence) => sequence.values.slice());
  for (const [round, members] of roundsOf(measurement).entries()) {
    const array = await fabricate(names.length, model, { seed: `${seed}/round/${round}` });
    for (const { name } of constants) array.set(name, made.get(name));
    const places = members.map((s) => place.get(measurement.sequences[s].device) as number);
    const follow = (row: number) => {
      const read = array.read();
      members.forEach((s, k) => {
        const own = values[s];
        if (row < own.length && !Number.isNaN(own[row])) own[row] = read[places[k]];
      });
    };
    const sequences = members.map((s) => measurement.sequences[s]);
    const rows = Math.max(...sequences.map((each) => each.values.length));
    const { time, pulse } = sequences[0];
    let clock = observed && pulse[0] >= 0 ? (time?.[0] ?? 0) : 0; // of the last write before the first read
    const waitUntil = (row: number) => {
      if (time) array.wait(`${time[row] - clock} s`);
      clock = time?.[row] ?? 0;
    };
    if (observed) {
      waitUntil(0);
      begin(array, observed.name, sequences, places);
    }
    for (let row = observed ? 1 : 0; row < rows; row++) {
      waitUntil(row);
      pulseAll(array, measurement, sequences, places, row);
      follow(row);
    }
  }
  return {
    ...measurement,
    sequences: measurement.sequences.map((sequence, s) => ({ ...sequence, values: values[s] })),
  };
}

/** Sequences that can be simulated side by side: one of each device, with the same times; indices. */
function roundsOf({ sequences }: Measurement): number[][] {
  const rounds: { devices: Set<string>; first: Sequence; members: number[] }[] = [];
  sequences.forEach((sequence, s) => {
    let round = rounds.find(
      ({ devices, first }) =>
        !devices.has(sequence.device) &&
        sameTimes(first.time, sequence.time) &&
        first.pulse[0] < 0 === sequence.pulse[0] < 0,
    );
    if (!round) {
      round = { devices: new Set(), first: sequence, members: [] };
      rounds.push(round);
    }
    round.devices.add(sequence.device);
    round.members.push(s);
  });
  return rounds.map(({ members }) => members);
}

function sameTimes(a: Float64Array | undefined, b: Float64Array | undefined): boolean {
  if (a === b) return true;
  if (!a || !b || a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}

function pulseAll(
  array: DeviceArray,
  { pulses, arguments: given }: Measurement,
  sequences: readonly Sequence[],
  places: readonly number[],
  row: number,
): void {
  pulses.forEach((pulse, code) => {
    const chosen: number[] = [];
    const values = Object.fromEntries(
      given
        .filter((each) => argumentsOf(array, pulse).has(each))
        .map((each) => {
          const { value } = array.model.checked.parameters.find(({ name }) => name === each) as {
            value: number;
          };
          return [each, new Float64Array(array.size).fill(value)];
        }),
    );
    sequences.forEach((sequence, k) => {
      if (row >= sequence.values.length || sequence.pulse[row] !== code) return;
      chosen.push(places[k]);
      given.forEach((each, a) => {
        const value = sequence.arguments[a][row];
        if (values[each] && !Number.isNaN(value)) values[each][places[k]] = value;
      });
    });
    if (chosen.length > 0) array.pulse(pulse, chosen, values);
  });
}

function argumentsOf({ model: { checked } }: DeviceArray, pulse: string): Set<string> {
  return new Set(checked.handlers[pulse].flatMap(({ value }) => [...namesIn(value)]));
}

/** Puts devices into states whose read is the first value but for noise: secant steps on the observed variable. */
function begin(
  array: DeviceArray,
  observed: string,
  sequences: readonly Sequence[],
  places: readonly number[],
): void {
  const wanted = array.read({ noise: false });
  sequences.forEach(({ values }, k) => {
    wanted[places[k]] = values[0];
  });
  toRead(array, observed, wanted);
  const noisy = array.read();
  toRead(array, observed, noisy);
}

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
