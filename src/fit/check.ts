/**
 * Posterior predictive checks: does the fitted model, asked for the same measurement again, give data like these?
 *
 * Each statistic of the data is compared with that of replicated measurements (Gelman, Meng & Stern 1996, Stat. Sin.
 * 6:733). They look at what a likelihood of single steps does not: where sequences end, how they spread, how steps
 * hang together.
 */
import { normalQuantile } from "../math/normal.ts";
import { randomKey, uniform } from "../math/random.ts";
import { mean, quantile, variance } from "../math/statistics.ts";
import { type Measurement, readCount, type Sequence } from "../measured/measurement.ts";
import type { Fit } from "./fit.ts";
import { withValues } from "./fit.ts";
import type { Posterior } from "./posterior.ts";
import { replicate } from "./replicate.ts";

export interface CheckOptions {
  readonly seed: string | number;
  /** Default 100. */
  readonly replicates?: number;
  /** Take parameters from it, one draw for each of ten groups of replicates; default the fitted ones for all. */
  readonly posterior?: Posterior;
  readonly progress?: (fraction: number) => void;
}

export interface CheckedStatistic {
  readonly name: string;
  /** Of the data, and of the replicates, SI. */
  readonly observed: number;
  readonly interval95: readonly [low: number, high: number];
  /** Part of the replicates at or above the data; 0.5 in the middle. */
  readonly p: number;
}

/** What replicates of one sequence look like, [row] each, S or A. */
export interface Band {
  readonly sequence: number;
  readonly low: Float64Array;
  readonly median: Float64Array;
  readonly high: Float64Array;
}

export interface Check {
  readonly replicates: number;
  readonly statistics: readonly CheckedStatistic[];
  /** 95 % of the replicates of each sequence. */
  readonly bands: readonly Band[];
  /** Some of the replicates. */
  readonly examples: readonly Measurement[];
}

/** Reads of all examples together, about; at least one is kept. */
const exampleReads = 200_000;

/** Replicates the measurement of a fit. */
export async function predictiveCheck(fit: Fit, options: CheckOptions): Promise<Check> {
  const { replicates: count = 100, seed, posterior, progress } = options;
  const { measurement, start } = fit;
  const parts = posterior ? Math.min(10, count) : 1;
  const replicates: Measurement[] = [];
  for (let part = 0; part < parts; part++) {
    progress?.(part / parts);
    const own = Math.floor((count * (part + 1)) / parts) - Math.floor((count * part) / parts);
    const model = posterior ? drawn(fit, posterior, part, parts) : fit.model;
    replicates.push(
      ...(await replicate(measurement, model, { seed: `${seed}/check/${part}`, start, count: own })),
    );
  }
  progress?.(1);
  const residualSd = fit.parameters.find(({ name }) => name === "residual")?.value;
  const usable =
    residualSd === undefined
      ? replicates
      : replicates.map((each, r) => withResidual(each, residualSd, `${seed}/check/${r}`));
  return {
    replicates: count,
    statistics: Object.entries(statistics).flatMap(([name, of]) => {
      const observed = of(measurement);
      if (!Number.isFinite(observed)) return [];
      const simulated = Float64Array.from(usable, of).sort();
      return [
        {
          name,
          observed,
          interval95: [quantile(simulated, 0.025), quantile(simulated, 0.975)] as const,
          p: simulated.filter((each) => each >= observed).length / simulated.length,
        },
      ];
    }),
    bands: measurement.sequences.map((sequence, s) => bandOf(sequence, s, usable)),
    examples: usable.slice(0, Math.max(1, Math.ceil(exampleReads / readCount(measurement)))),
  };
}

function drawn(fit: Fit, { names, values, draws }: Posterior, part: number, parts: number) {
  const draw = Math.floor(((part + 0.5) * draws) / parts);
  const own = names.map((name, k) => [name, values[draw * names.length + k]] as const);
  return withValues(fit.model, new Map(own));
}

/** The noise of reads that was fitted beside the model. */
function withResidual(measurement: Measurement, sd: number, seed: string | number): Measurement {
  const key = randomKey(seed, "residual");
  let element = 0;
  return {
    ...measurement,
    sequences: measurement.sequences.map((sequence) => ({
      ...sequence,
      values: sequence.values.map((value) => value + sd * normalQuantile(uniform(key, 0, element++, 0))),
    })),
  };
}

function bandOf({ values }: Sequence, sequence: number, replicates: readonly Measurement[]): Band {
  const band = { low: values.slice(), median: values.slice(), high: values.slice() };
  const simulated = new Float64Array(replicates.length);
  for (let row = 0; row < values.length; row++) {
    if (Number.isNaN(values[row])) continue;
    replicates.forEach((each, r) => {
      simulated[r] = each.sequences[sequence].values[row];
    });
    simulated.sort();
    band.low[row] = quantile(simulated, 0.025);
    band.median[row] = quantile(simulated, 0.5);
    band.high[row] = quantile(simulated, 0.975);
  }
  return { sequence, ...band };
}

// ---- statistics of a measurement ------------------------------------------------------------------

const read = ({ values }: Sequence): Float64Array => values.filter((value) => !Number.isNaN(value));

/** Differences of successive reads, sequence by sequence. */
function* steps({ sequences }: Measurement): Generator<Float64Array> {
  for (const sequence of sequences) {
    const values = read(sequence);
    if (values.length > 1)
      yield Float64Array.from({ length: values.length - 1 }, (_, k) => values[k + 1] - values[k]);
  }
}

const all = (measurement: Measurement): Float64Array =>
  Float64Array.from([...steps(measurement)].flatMap((each) => [...each]));

const ends = ({ sequences }: Measurement): Float64Array =>
  Float64Array.from(sequences, (sequence) => read(sequence).at(-1) ?? Number.NaN);

/** Correlation of successive steps. */
function succession(measurement: Measurement): number {
  const size = mean(all(measurement));
  let product = 0;
  let square = 0;
  for (const each of steps(measurement))
    for (let k = 0; k < each.length; k++) {
      square += (each[k] - size) ** 2;
      if (k > 0) product += (each[k] - size) * (each[k - 1] - size);
    }
  return product / square;
}

function extreme({ sequences }: Measurement, sign: 1 | -1): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const { values } of sequences)
    for (const value of values) if (sign * value > most) most = sign * value;
  return sign * most;
}

const statistics: Readonly<Record<string, (measurement: Measurement) => number>> = {
  "largest value": (measurement) => extreme(measurement, 1),
  "smallest value": (measurement) => extreme(measurement, -1),
  "mean of last values": (measurement) => mean(ends(measurement)),
  "spread of last values": (measurement) => Math.sqrt(variance(ends(measurement))),
  "mean step": (measurement) => mean(all(measurement)),
  "spread of steps": (measurement) => Math.sqrt(variance(all(measurement))),
  "correlation of successive steps": succession,
};
