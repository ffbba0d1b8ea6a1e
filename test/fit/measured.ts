/** Measurements made by hand, and what a simulation says of a model. */
import type { Measurement, Model, Sequence } from "../../src/index.ts";
import { replicate } from "../../src/index.ts";

export interface Plan {
  readonly devices: number;
  /** Sequences of each device; default 1. */
  readonly cycles?: number;
  /** Pulses of a sequence, "" where there is none; a read follows each. */
  readonly pulses: readonly string[];
  /** Times of the rows, s since the last write before the first row. */
  readonly time?: readonly number[];
  /** Rows that are not read. */
  readonly unread?: readonly number[];
  /** What the first read of every sequence shows, S. */
  readonly first?: (sequence: number) => number;
  /** Voltages of a sweep, V. */
  readonly voltage?: readonly number[];
  readonly arguments?: Readonly<Record<string, readonly number[]>>;
}

/** A measurement to be replicated: everything but what was read. */
export function planned(plan: Plan): Measurement {
  const { devices, cycles = 1, pulses, time, unread = [], first, voltage } = plan;
  const names = [...new Set(pulses.filter((each) => each !== ""))];
  const sequences = Array.from({ length: devices * cycles }, (_, s): Sequence => {
    const values = new Float64Array(pulses.length);
    for (const row of unread) values[row] = Number.NaN;
    if (first) values[0] = first(s);
    return {
      device: `${Math.floor(s / cycles)}`,
      cycle: s % cycles,
      pulse: Int16Array.from(pulses, (each) => names.indexOf(each)),
      ...(time ? { time: Float64Array.from(time) } : {}),
      arguments: Object.values(plan.arguments ?? {}).map((each) => Float64Array.from(each)),
      ...(voltage ? { voltage: Float64Array.from(voltage) } : {}),
      values,
    };
  });
  return {
    source: "planned",
    pulses: names,
    arguments: Object.keys(plan.arguments ?? {}),
    quantity: voltage ? "current" : "conductance",
    sequences,
  };
}

/** Measurements of simulated devices. */
export function simulated(
  plan: Plan,
  model: Model<"device">,
  seed: string | number,
  count = 1,
): Promise<Measurement[]> {
  return replicate(planned(plan), model, { seed, start: plan.first ? "read" : "fabricated", count });
}

/** `count` numbers from `low` to `high` at equal ratios. */
export const spaced = (low: number, high: number, count: number): number[] =>
  Array.from({ length: count }, (_, k) => low * (high / low) ** (k / (count - 1)));
