/**
 * Measurements of devices: what was done to each, in order, and what was read.
 *
 * Plain data, SI. Knows nothing of files (table.ts reads those) or of models.
 */

/** Measurements of one kind on one or more devices. */
export interface Measurement {
  /** Where it comes from, for reports: the file's name. */
  readonly source: string;
  /** Names of the pulses that occur, such as "set", "up". */
  readonly pulses: readonly string[];
  /** Names of quantities given along with pulses, such as "amplitude": arguments of the pulse, SI. */
  readonly arguments: readonly string[];
  /** What `values` are: conductance, S, or, in a sweep of voltage, current, A. */
  readonly quantity: "conductance" | "current";
  /** Sequences of one device follow each other, in the order they were measured. */
  readonly sequences: readonly Sequence[];
}

/**
 * One uninterrupted series on one device: a ramp, a cycle, a series of reads, a sweep.
 *
 * A row says: at `time` a pulse was given (or none), and right after it the device was read (or not). What happened
 * before the first row is unknown.
 */
export interface Sequence {
  readonly device: string;
  readonly cycle: number;
  /** [row], index into `pulses`; -1 is no pulse. */
  readonly pulse: Int16Array;
  /** [row], s since the last write before the first row, never falling; absent where no time was measured. */
  readonly time?: Float64Array;
  /** [argument][row], SI; NaN takes the model's own value. */
  readonly arguments: readonly Float64Array[];
  /** [row], V, in a sweep: the voltage from the row before until this row, at which the current is read. */
  readonly voltage?: Float64Array;
  /** [row], S or A; NaN where nothing was read. */
  readonly values: Float64Array;
}

/** Names of the devices measured, in order of appearance. */
export function devicesOf({ sequences }: Measurement): string[] {
  return [...new Set(sequences.map(({ device }) => device))];
}

/** Count of values read. */
export function readCount({ sequences }: Measurement): number {
  let count = 0;
  for (const { values } of sequences) for (const value of values) if (!Number.isNaN(value)) count++;
  return count;
}
