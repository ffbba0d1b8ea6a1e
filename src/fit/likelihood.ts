/**
 * The log-likelihood of measurements under a device's text, as a function of its parameters.
 *
 * Builds the rows that the compiled filter runs over. Knows nothing of minimising.
 */
import type { Model } from "../language/model.ts";
import { DataError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { devicesOf, type Measurement, type Sequence } from "../measured/measurement.ts";
import { type Branch, type Filter, type FilterOptions, filterOf } from "./filter.ts";
import { compileKernel, type Kernel, type Rows } from "./kernel.ts";
import { rowInputs, type TextOptions } from "./text.ts";

export interface LikelihoodOptions {
  /** Parameters that vary, in the order of points. */
  readonly free: readonly string[];
  /** Where sequences begin: with their first read ("read"), or as the text's `initial` says ("fabricated"). */
  readonly start: TextOptions["start"];
  readonly loss: FilterOptions["loss"];
  /** Name of a parameter for a further noise of reads, in their unit. */
  readonly residual?: string;
}

/** What a measurement says of one read beforehand. */
export interface Prediction {
  /** Expected value of each read, S or A, given those before it in its device; [read]. */
  readonly expected: Float64Array;
  readonly spread: Float64Array; // [read], standard deviation
  readonly logLikelihood: Float64Array; // [read]
}

/** A read that counts: where it stands in the measurement. */
export interface ReadPlace {
  readonly sequence: number;
  readonly row: number;
  readonly value: number;
}

/** A likelihood ready to be evaluated. Points are parameters in SI, [point][parameter]. */
export class Likelihood {
  readonly free: readonly string[];
  /** Reads that count, in order. */
  readonly reads: readonly ReadPlace[];
  /** Devices, or the sequences of the only one: what is independent of each other; [group], first read of each. */
  readonly groups: readonly number[];
  readonly #values: Kernel;
  readonly #slopes: Kernel;
  readonly #predictions: Kernel;
  readonly #rowOfRead: Int32Array;

  constructor(options: {
    free: readonly string[];
    reads: readonly ReadPlace[];
    groups: readonly number[];
    rowOfRead: Int32Array;
    values: Kernel;
    slopes: Kernel;
    predictions: Kernel;
  }) {
    this.free = options.free;
    this.reads = options.reads;
    this.groups = options.groups;
    this.#values = options.values;
    this.#slopes = options.slopes;
    this.#predictions = options.predictions;
    this.#rowOfRead = options.rowOfRead;
  }

  /** Log-likelihoods; -Infinity where one is not a number. `weights`: [group]. */
  values(points: Float64Array, weights?: Float64Array): Float64Array {
    const k = this.free.length;
    const count = points.length / k;
    const result = new Float64Array(count);
    const pair = new Float64Array(2 * k);
    for (let p = 0; p < count; p += 2) {
      pair.set(points.subarray(p * k, (p + 1) * k));
      const second = p + 1 < count ? p + 1 : p;
      pair.set(points.subarray(second * k, (second + 1) * k), k);
      const { logLikelihood } = this.#values.run(pair);
      for (let lane = 0; lane < 2 && p + lane < count; lane++)
        result[p + lane] = finite(this.#total(logLikelihood, lane, weights));
    }
    return result;
  }

  /** Log-likelihood at one point and its derivative with respect to each parameter. */
  gradient(point: ArrayLike<number>, weights?: Float64Array): { value: number; gradient: Float64Array } {
    const k = this.free.length;
    const both = new Float64Array(2 * k);
    both.set(point);
    both.set(point, k);
    const gradient = new Float64Array(k);
    let value = Number.NaN;
    for (let from = 0; from < k; from += 2) {
      const directions = new Float64Array(2 * k);
      directions[from] = 1;
      if (from + 1 < k) directions[k + from + 1] = 1;
      const { logLikelihood, slope } = this.#slopes.run(both, directions);
      value = this.#total(logLikelihood, 0, weights);
      for (let lane = 0; lane < 2 && from + lane < k; lane++)
        gradient[from + lane] = this.#total(slope as Float64Array, lane, weights);
    }
    if (k === 0) value = this.values(new Float64Array(0))[0];
    return { value: finite(value), gradient };
  }

  /** What each read was expected to be at a point, and its own log-likelihood. */
  predict(point: ArrayLike<number>): Prediction {
    const k = this.free.length;
    const both = new Float64Array(2 * k);
    both.set(point);
    both.set(point, k);
    const { logLikelihood, expected, spread } = this.#predictions.run(both);
    const count = this.reads.length;
    const result = {
      expected: new Float64Array(count),
      spread: new Float64Array(count),
      logLikelihood: new Float64Array(count),
    };
    for (let r = 0; r < count; r++) {
      const row = this.#rowOfRead[r];
      result.expected[r] = (expected as Float64Array)[2 * row];
      result.spread[r] = (spread as Float64Array)[2 * row];
      result.logLikelihood[r] = logLikelihood[2 * row] - (row > 0 ? logLikelihood[2 * row - 2] : 0);
    }
    return result;
  }

  /** The sum over groups of a cumulative result, or a weighted one. */
  #total(cumulative: Float64Array, lane: number, weights: Float64Array | undefined): number {
    const rows = cumulative.length / 2;
    if (!weights) return cumulative[2 * (rows - 1) + lane];
    let total = 0;
    let before = 0;
    for (let g = 0; g < this.groups.length; g++) {
      const last = g + 1 < this.groups.length ? this.groups[g + 1] - 1 : this.reads.length - 1;
      const until = cumulative[2 * this.#rowOfRead[last] + lane];
      total += weights[g] * (until - before);
      before = until;
    }
    return total;
  }
}

const finite = (value: number): number => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value);

/**
 * Compiles the likelihood of a measurement. Throws `ConfigError` where the text is beyond a fit, `DataError` where the
 * measurement does not suit the model.
 */
export async function likelihoodOf(
  measurement: Measurement,
  model: Model<"device">,
  options: LikelihoodOptions,
): Promise<Likelihood> {
  const { kernel, ...places } = filterRows(measurement, model, options);
  const [values, slopes, predictions] = await Promise.all(
    (["value", "slope", "prediction"] as const).map((results) => compileKernel({ ...kernel, results })),
  );
  return new Likelihood({ free: options.free, ...places, values, slopes, predictions });
}

/** What the kernels of a likelihood run: the filter of the text, and the rows of the measurement. */
export function filterRows(measurement: Measurement, model: Model<"device">, options: LikelihoodOptions) {
  const { checked } = model;
  const pulses = pulsesUsed(measurement, options.start);
  const given = new Set(measurement.arguments);
  const filter = filterOf(checked, {
    free: new Set(options.free),
    arguments: given,
    pulses,
    start: options.start,
    loss: options.loss,
    sweep: measurement.quantity === "current",
    timed: measurement.sequences.some((sequence) => sequence.time !== undefined),
    spread: devicesOf(measurement).length > 1,
    resolution: resolutionOf(measurement),
    ...(options.residual === undefined ? {} : { residual: options.residual }),
  });
  const { rows, steps, reads, groups, rowOfRead } = layOut(measurement, model, filter, pulses, options.start);
  const kernel = { cells: filter.cells, steps, rows, parameters: options.free };
  return { kernel, reads, groups, rowOfRead };
}

/** Names of pulses that occur where they matter: not before a first read that a sequence starts from. */
export function pulsesUsed({ pulses, sequences }: Measurement, start: TextOptions["start"]): string[] {
  const used = new Set<number>();
  for (const { pulse } of sequences)
    for (let row = start === "read" ? 1 : 0; row < pulse.length; row++)
      if (pulse[row] >= 0) used.add(pulse[row]);
  return pulses.filter((_, k) => used.has(k));
}

/**
 * How finely values were written down, as a standard deviation: where all are whole steps apart the largest such step
 * over the root of 12 (two values alone tell nothing), and at least 1e-6 of their range. Throws `DataError` where all are the same.
 */
export function resolutionOf({ sequences }: Measurement): number {
  const values = Float64Array.from(sequences.flatMap((each) => [...each.values]))
    .filter((value) => !Number.isNaN(value))
    .sort();
  const range = values[values.length - 1] - values[0];
  if (!(range > 0)) throw new DataError("all values are the same: there is nothing to fit");
  let step = 0; // the greatest common divisor of all differences
  for (let k = 1; k < values.length; k++) {
    let rest = values[k] - values[k - 1];
    while (rest > 1e-9 * range) [step, rest] = [rest, Math.abs(step - rest * Math.round(step / rest))]; // Euclid
  }
  if (step === range) step = 0;
  return Math.max(step / Math.sqrt(12), 1e-6 * range);
}

/** The rows of a measurement as the kernel takes them. */
function layOut(
  { sequences, pulses: names, arguments: given, source, quantity }: Measurement,
  { checked }: Model<"device">,
  filter: Filter,
  pulses: readonly string[],
  start: TextOptions["start"],
) {
  const steps: Branch[] = [{ step: filter.device }, { step: filter.start }];
  const codes = new Map<string, { silent: number; read: number }>();
  for (const pulse of ["", ...pulses]) {
    const { silent, read } = filter.steps[pulse];
    codes.set(pulse, { silent: steps.push(silent) - 1, read: steps.push(read) - 1 });
  }
  const devices = new Set(sequences.map(({ device }) => device)).size;
  const total = sequences.reduce((sum, { values }) => sum + values.length + 1, 0) + devices;
  const code = new Uint32Array(total);
  const column = () => new Float64Array(total);
  const value = column();
  const agePulse = column();
  const ageRead = column();
  const voltages = column();
  const durations = column();
  const defaults = given.map((each) => checked.parameters.find(({ name }) => name === each)?.value);
  const missing = given.find((_, k) => defaults[k] === undefined);
  if (missing !== undefined)
    throw new DataError(
      `${checked.name} has no parameter ${missing}, which the data give with every pulse${didYouMean(
        missing,
        checked.parameters.map(({ name }) => name),
      )}`,
    );
  const columns = given.map(column);
  const reads: ReadPlace[] = [];
  const rowOfRead: number[] = [];
  const groups: number[] = [];
  let row = 0;
  let device: string | undefined;
  let lastGroup: string | undefined; // its device
  sequences.forEach((sequence, s) => {
    const { pulse, time, values, voltage } = sequence;
    const from = start === "read" ? 1 : 0;
    if (start === "read" && Number.isNaN(values[0])) throw noFirstRead(source, sequence);
    if (sequence.device !== device) code[row++] = 0;
    let written = 0;
    if (start === "read" && pulse[0] >= 0) written = time?.[0] ?? 0;
    code[row] = 1;
    value[row] = values[0];
    ageRead[row] = (time?.[0] ?? 0) - written;
    row++;
    const first = reads.length;
    for (let r = from; r < values.length; r++) {
      const now = time?.[r] ?? 0;
      const known = codes.get(pulse[r] < 0 ? "" : names[pulse[r]]) as { silent: number; read: number };
      const isRead = !Number.isNaN(values[r]);
      code[row] = isRead ? known.read : known.silent;
      agePulse[row] = now - written;
      const isWritten = voltage ? checked.derivatives.length > 0 : pulse[r] >= 0; // as `drive` has it
      if (isWritten) written = now;
      ageRead[row] = now - written;
      value[row] = values[r];
      if (voltage) {
        voltages[row] = voltage[r];
        durations[row] = r > 0 ? now - (time?.[r - 1] ?? 0) : 0;
      }
      columns.forEach((each, k) => {
        const here = sequence.arguments[k][r];
        each[row] = Number.isNaN(here) ? (defaults[k] as number) : here;
      });
      if (isRead) {
        reads.push({ sequence: s, row: r, value: values[r] });
        rowOfRead.push(row);
      }
      row++;
    }
    device = sequence.device;
    if (reads.length === first || (devices > 1 && device === lastGroup)) return;
    groups.push(first);
    lastGroup = device;
  });
  const rows: Rows = {
    count: row,
    code: code.subarray(0, row),
    inputs: {
      [rowInputs.value]: value.subarray(0, row),
      [rowInputs.agePulse]: agePulse.subarray(0, row),
      [rowInputs.ageRead]: ageRead.subarray(0, row),
      ...(quantity === "current"
        ? { [rowInputs.voltage]: voltages.subarray(0, row), [rowInputs.duration]: durations.subarray(0, row) }
        : {}),
      ...Object.fromEntries(given.map((each, k) => [each, columns[k].subarray(0, row)])),
    },
  };
  if (reads.length === 0)
    throw new DataError(`${source}: no read is left to fit; a sequence needs two or more`);
  return { rows, steps, reads, groups, rowOfRead: Int32Array.from(rowOfRead) };
}

const noFirstRead = (source: string, { device, cycle }: Sequence) =>
  new DataError(
    `${source}: cycle ${cycle} of device ${device} does not begin with a read, so its state is unknown there; start from the fabricated state instead`,
  );
