/**
 * Fits a device's text to measurements: maximum likelihood, what the data leave open, intervals, posterior.
 */
import type { Parameter } from "../language/checked.ts";
import type { Model } from "../language/model.ts";
import { ConfigError, DataError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { normalQuantile } from "../math/normal.ts";
import { parseQuantity, sameDimension, unitDimension } from "../math/units.ts";
import { devicesOf, type Measurement } from "../measured/measurement.ts";
import { bootstrap } from "./bootstrap.ts";
import { covarianceOf, type Direction, hessian } from "./covariance.ts";
import { type Likelihood, likelihoodOf, type Prediction, pulsesUsed } from "./likelihood.ts";
import type { Loss } from "./moments.ts";
import type { Objective, WeightedObjective } from "./objective.ts";
import { maximise, multiStart, type Optimum } from "./optimum.ts";
import { type Profile, profile } from "./profile.ts";
import { type FreeParameter, ParameterSpace } from "./space.ts";
import { sizeOf, startsAround, startValues } from "./starts.ts";
import { hasNoise, spreadOf, type TextOptions, usedParameters } from "./text.ts";

export interface FitOptions {
  /**
   * Parameters to fit. Default: all that the data tell; of those that are 0 in the model only the spreads of pulses
   * and reads.
   */
  readonly free?: readonly string[];
  /** Parameters held at a value. */
  readonly fix?: Readonly<Record<string, string | number>>;
  /** Bounds of parameters; a positive parameter stays positive by itself. */
  readonly bounds?: Readonly<Record<string, readonly [low: string | number, high: string | number]>>;
  /**
   * Where sequences begin: in the state that their first read shows ("read", else the default), or as the model's `initial`
   * says ("fabricated", always in a sweep of voltage).
   */
  readonly start?: TextOptions["start"];
  /**
   * Whether reads have a further normal noise that the model does not know, fitted as `residual`. Default: only where
   * the model has no noise at all.
   */
  readonly residual?: boolean;
  /** Errors of single reads: normal (default), or Student's t with 4 degrees of freedom, which forgives outliers. */
  readonly loss?: Loss;
  /**
   * How intervals are found: from the curvature at the maximum (default), by profile likelihood, or by a bootstrap of
   * whole devices (of sequences, where there is one device).
   */
  readonly intervals?: "curvature" | "profile" | "bootstrap";
  /** Of the bootstrap; default 200. */
  readonly replicates?: number;
  /** Points tried for a beginning; the best four are followed. Default 64. */
  readonly starts?: number;
  readonly seed: string | number;
  readonly signal?: AbortSignal;
  readonly progress?: (fraction: number, message: string) => void;
}

export interface FittedParameter {
  readonly name: string;
  /** Unit of the model's own text, "" when dimensionless. */
  readonly unit: string;
  /** All SI. */
  readonly value: number;
  readonly standardError: number;
  /** Infinite where a side is open. */
  readonly interval95: readonly [low: number, high: number];
  /** Of a profile, by rising value: what the best log-likelihood with the parameter held there lacks. */
  readonly profile?: readonly { readonly value: number; readonly lost: number }[];
}

/** A parameter that was not fitted, and why. */
export interface HeldParameter {
  readonly name: string;
  readonly unit: string;
  readonly value: number; // SI
  readonly reason: string;
}

export interface Fit {
  /** The model with the fitted parameters. */
  readonly model: Model<"device">;
  readonly measurement: Measurement;
  readonly start: TextOptions["start"];
  readonly parameters: readonly FittedParameter[];
  readonly held: readonly HeldParameter[];
  /** Of `parameters`, SI; [parameter][parameter]. */
  readonly covariance: readonly (readonly number[])[];
  readonly logLikelihood: number;
  /** Reads that count; the first of a sequence that starts from it does not. */
  readonly reads: number;
  readonly devices: number;
  /** Searches that were followed, and how many of them ended at this maximum. */
  readonly searches: number;
  readonly agreeing: number;
  readonly prediction: Prediction;
  /** What was maximised, for further work: posterior, bootstrap. */
  readonly search: FitSearch;
}

export interface FitSearch {
  readonly likelihood: Likelihood;
  readonly space: ParameterSpace;
  readonly optimum: Optimum;
  /** Of the coordinates. */
  readonly covariance: readonly (readonly number[])[];
}

/** The name under which a further noise of reads is fitted where the model has none. */
export const residual = "residual";

/**
 * Fits a device model by maximum likelihood. Throws `ConfigError` for wrong options, `DataError` where the data cannot
 * tell parameters apart, naming them.
 */
export async function fit(
  measurement: Measurement,
  model: Model<"device">,
  options: FitOptions,
): Promise<Fit> {
  const { fix = {}, seed, signal, progress } = options;
  const sweep = measurement.quantity === "current";
  const start = options.start ?? (sweep ? "fabricated" : "read");
  if (sweep && start === "read")
    throw new ConfigError(
      "a sweep of voltage starts from the fabricated state: its first current may say nothing",
    );
  const fixed = model.with(fix);
  const { checked } = fixed;
  checkNames(fixed, options);
  const values = startValues(checked, measurement, new Set([...Object.keys(fix), ...measurement.arguments]));
  const spread = devicesOf(measurement).length > 1;
  const asked = options.free !== undefined;
  const held = new Map<string, string>();
  for (const name of Object.keys(fix)) held.set(name, "fixed");
  for (const name of measurement.arguments) held.set(name, "given by the data with every pulse");
  const text = textOf(measurement, start);
  const used = usedParameters(checked, text);
  for (const { name, value } of checked.parameters) {
    if (held.has(name)) continue;
    const reason =
      !spread && spreadOf(checked, name) === "devices"
        ? "one device does not tell how devices differ"
        : !used.has(name)
          ? "nothing measured depends on it"
          : asked && !options.free?.includes(name)
            ? "not asked for"
            : !asked && value === 0 && spreadOf(checked, name) !== "cycles"
              ? "0 in the model, so not part of it"
              : undefined;
    if (reason === undefined) continue;
    if (asked && options.free?.includes(name)) throw new DataError(`${name} cannot be fitted: ${reason}`);
    held.set(name, reason);
    values.set(name, reason.startsWith("one device") ? 0 : value);
  }

  const noisy = checked.parameters.some(
    ({ name }) => !held.has(name) && spreadOf(checked, name) === "cycles",
  );
  let extra =
    (options.residual ?? !(noisy || hasNoise(checked, text))) ? [residualParameter(measurement)] : [];

  for (;;) {
    const free: FreeParameter[] = [
      ...checked.parameters
        .filter(({ name }) => !held.has(name))
        .map(({ name, dimension }) => {
          const size = sizeOf({ dimension }, measurement);
          return { name, dimension, size, ...range(fixed, name, values, size, options) };
        }),
      ...extra,
    ];
    if (free.length === 0) throw new ConfigError("no parameter is left to fit");
    const current = withValues(fixed, values);
    const space = new ParameterSpace(free);
    const likelihood = await likelihoodOf(measurement, current, {
      free: space.names,
      start,
      loss: options.loss ?? "normal",
      ...(extra.length > 0 ? { residual } : {}),
    });
    const objective = space.objective(likelihood);
    const starts = startsAround(space.start, options.starts ?? 64, seed);
    const idle = idleParameters(objective, starts);
    if (idle.length > 0) {
      const wanted = idle.find((name) => options.free?.includes(name));
      if (wanted !== undefined || idle.length === free.length)
        throw new DataError(`${wanted ?? idle.join(", ")} cannot be fitted: nothing measured depends on it`);
      for (const name of idle) {
        held.set(name, "nothing measured depends on it");
        values.set(name, (checked.parameters.find((each) => each.name === name) as Parameter).value);
      }
      continue;
    }
    const {
      best: found,
      optima,
      agreeing,
    } = multiStart(objective, starts, {
      keep: 4,
      tolerance: 1e-3,
      ...(signal ? { signal } : {}),
      progress: (fraction) => progress?.(0.8 * fraction, `searching, ${free.length} parameters`),
    });
    const best = maximise(objective, found.point, {
      inverseHessian: found.inverseHessian,
      ...(signal ? { signal } : {}),
    });
    const curvature = hessian(objective, best.point, signal ? { signal } : {});
    const { covariance, unidentified } = covarianceOf(curvature, space.names);
    const at = space.values(best.point);
    const isOurs = (name: string) => !asked || (name === residual && options.residual === undefined);
    const alone = unidentified.filter(({ names }) => names.length === 1).map(({ names }) => names[0]);
    const loose = new Set(alone.filter(isOurs));
    if (loose.size > 0 && loose.size < free.length) {
      if (loose.delete(residual)) extra = []; // reads are as exact as they were written down
      for (const name of loose) {
        held.set(name, "the data do not tell it");
        const k = space.names.indexOf(name);
        values.set(name, space.coordinates[k].value(nearestAsGood(objective, best, k, space.start[k])));
      }
      continue;
    }
    if (unidentified.length > 0) {
      const vanished = space.parameters.filter(
        ({ low }, k) => low === 0 && best.point[k] < space.start[k] - 3,
      );
      throw unidentifiable(unidentified, new Set(vanished.map(({ name }) => name)));
    }
    const intervals = intervalsOf(objective, best, covariance, options);
    if ("higher" in intervals) {
      // a profile climbed above what the searches found: they begin again from there
      const better = space.values(intervals.higher);
      space.names.forEach((name, k) => {
        values.set(name, better[k]);
      });
      continue;
    }
    return {
      ...report({
        measurement,
        fixed: current,
        start,
        space,
        best,
        covariance,
        held,
        values,
        intervals: intervals.found,
      }),
      logLikelihood: best.value,
      reads: likelihood.reads.length,
      devices: devicesOf(measurement).length,
      searches: optima.length,
      agreeing,
      prediction: likelihood.predict(at),
      search: { likelihood, space, optimum: best, covariance },
    };
  }
}

/**
 * The value of coordinate k nearest to where the search began that is as good as the maximum, to 0.01 of
 * log-likelihood, all others held: where the likelihood is level a search ends anywhere.
 */
function nearestAsGood(objective: Objective, { point, value }: Optimum, k: number, start: number): number {
  const good = (u: number) =>
    objective.values(point.map((each, i) => (i === k ? u : each)))[0] > value - 0.01;
  if (good(start)) return start;
  let [bad, fine] = [start, point[k]];
  for (let step = 0; step < 40; step++) {
    const middle = (bad + fine) / 2;
    if (good(middle)) fine = middle;
    else bad = middle;
  }
  return fine;
}

/** Parameters along which the log-likelihood is exactly level wherever one looks. */
function idleParameters(objective: Objective, starts: readonly Float64Array[]): string[] {
  const seen = starts.slice(0, 4).map((point) => objective.gradient(point));
  const usable = seen.filter(({ value }) => Number.isFinite(value));
  if (usable.length < 2) return [];
  return objective.names.filter((_, k) => usable.every(({ gradient }) => gradient[k] === 0));
}

function textOf(measurement: Measurement, start: TextOptions["start"]) {
  return {
    arguments: new Set(measurement.arguments),
    pulses: pulsesUsed(measurement, start),
    start,
    sweep: measurement.quantity === "current",
    spread: devicesOf(measurement).length > 1,
    timed: measurement.sequences.some(({ time }) => time !== undefined),
  };
}

function checkNames(model: Model<"device">, { free = [], bounds = {}, fix = {} }: FitOptions): void {
  const names = model.checked.parameters.map(({ name }) => name);
  for (const name of [...free, ...Object.keys(bounds)])
    if (!names.includes(name))
      throw new ConfigError(`${model.checked.name} has no parameter ${name}${didYouMean(name, names)}`);
  for (const name of free)
    if (Object.hasOwn(fix, name)) throw new ConfigError(`${name} is both free and fixed`);
}

/** Where a spread begins that the model has as 0, of its size by the data. */
const smallSpread = 0.05;

/** Start and bounds of a parameter, SI. */
function range(
  model: Model<"device">,
  name: string,
  values: ReadonlyMap<string, number>,
  size: number,
  { bounds = {} }: FitOptions,
): Pick<FreeParameter, "start" | "low" | "high"> {
  // a spread of 0 is a beginning without a slope
  const start = values.get(name) || (spreadOf(model.checked, name) ? smallSpread * size : 0);
  const given = bounds[name];
  if (!given) return { start, low: start > 0 ? 0 : Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const { dimension } = model.checked.parameters.find((each) => each.name === name) as Parameter;
  const [low, high] = given.map((written) => {
    if (written === Number.NEGATIVE_INFINITY || written === Number.POSITIVE_INFINITY) return written;
    const quantity = parseQuantity(written);
    if (!sameDimension(quantity.dimension, dimension) && quantity.value !== 0)
      throw new ConfigError(`the bound ${written} of ${name} has another dimension than ${name}`);
    return quantity.value;
  });
  if (!(low < high))
    throw new ConfigError(`the bounds of ${name} leave nothing between ${given[0]} and ${given[1]}`);
  if (start > low && start < high) return { start, low, high };
  const inside =
    Number.isFinite(low) && Number.isFinite(high)
      ? (low + high) / 2
      : Number.isFinite(low)
        ? low + Math.max(Math.abs(low), Math.abs(start), 1e-12)
        : high - Math.max(Math.abs(high), Math.abs(start), 1e-12);
  return { start: inside, low, high };
}

/** The noise that reads of a noiseless model are given: 3 % of the data's range to begin with. */
function residualParameter({ sequences, quantity }: Measurement): FreeParameter {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { values } of sequences)
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  const { dimension } = unitDimension(quantity === "current" ? "A" : "S");
  return {
    name: residual,
    dimension,
    start: 0.03 * (high - low),
    size: high - low,
    low: 0,
    high: Number.POSITIVE_INFINITY,
  };
}

/** A model with parameters of these SI values. */
export function withValues(model: Model<"device">, values: ReadonlyMap<string, number>): Model<"device"> {
  const written: Record<string, string | number> = {};
  for (const { name, text, value } of model.checked.parameters) {
    const next = values.get(name);
    if (next === undefined || next === value) continue;
    written[name] = inUnit(next, unitOf(text));
  }
  return model.with(written);
}

/** The unit a quantity was written in, "" for a number. */
export const unitOf = (text: string): string =>
  text.replace(/^\s*[-+]?[\d.]+(?:[eE][-+]?\d+)?\s*/u, "").trim();

function inUnit(value: number, unit: string): string | number {
  if (unit === "") return value;
  return `${Number((value / unitDimension(unit).factor).toPrecision(15))} ${unit}`;
}

/** `vanished`: parameters that went to 0. */
function unidentifiable(directions: readonly Direction[], vanished: ReadonlySet<string>): DataError {
  const told = directions.map(({ names }) => {
    const [name] = names;
    if (names.length === 1) return `${name} at all${vanished.has(name) ? ", which goes to 0" : ""}`;
    return `${names.slice(0, -1).join(", ")} and ${names.at(-1)} apart`;
  });
  const names = [...new Set(directions.flatMap((each) => each.names))];
  const gone = names.find((name) => vanished.has(name));
  const hint = gone === undefined ? names[0] : `${gone} at 0`;
  return new DataError(
    `the data cannot tell ${told.join("; nor ")}; hold one of them, for instance by fixing ${hint}, or measure what depends on it`,
  );
}

interface Interval {
  readonly ends: readonly [low: number, high: number];
  readonly path?: Profile["path"];
}
type Intervals = readonly Interval[];

/** 95 % intervals of coordinates, or a point that is higher than the maximum was thought to be. */
function intervalsOf(
  objective: WeightedObjective,
  best: Optimum,
  covariance: readonly (readonly number[])[],
  { intervals = "curvature", seed, replicates = 200, signal, progress }: FitOptions,
): { readonly found: Intervals } | { readonly higher: Float64Array } {
  const part = (fraction: number) => progress?.(0.85 + 0.15 * fraction, "intervals");
  const more = signal ? { signal } : {};
  part(0);
  if (intervals === "bootstrap")
    return {
      found: bootstrap(objective, best, { seed, replicates, ...more, progress: part }).corrected.map(
        (ends) => ({
          ends,
        }),
      ),
    };
  if (intervals === "profile") {
    const found: Interval[] = [];
    for (let k = 0; k < objective.names.length; k++) {
      part(k / objective.names.length);
      const { interval, higher, path } = profile(objective, best, k, more);
      if (higher) return { higher };
      found.push({ ends: interval, path });
    }
    return { found };
  }
  const z = normalQuantile(0.975);
  return {
    found: Array.from(best.point, (u, k) => {
      const deviation = Math.sqrt(covariance[k][k]);
      return { ends: [u - z * deviation, u + z * deviation] };
    }),
  };
}

function report(o: {
  measurement: Measurement;
  fixed: Model<"device">;
  start: TextOptions["start"];
  space: ParameterSpace;
  best: Optimum;
  covariance: readonly (readonly number[])[];
  held: ReadonlyMap<string, string>;
  values: ReadonlyMap<string, number>;
  intervals: Intervals;
}) {
  const { space, best, covariance, fixed, held } = o;
  const at = space.values(best.point);
  const slopes = space.slopes(best.point);
  const unit = (name: string) => {
    const own = fixed.checked.parameters.find((each) => each.name === name);
    return own ? unitOf(own.text) : o.measurement.quantity === "current" ? "A" : "S";
  };
  const parameters = space.names.map((name, k): FittedParameter => {
    const deviation = Math.sqrt(covariance[k][k]);
    const { ends, path } = o.intervals[k];
    const toValue = (u: number) => space.coordinates[k].value(u);
    const [low, high] = ends.map(toValue);
    return {
      name,
      unit: unit(name),
      value: at[k],
      standardError: deviation * slopes[k],
      interval95: [low, high],
      ...(path
        ? { profile: path.map((each) => ({ value: toValue(each.at), lost: best.value - each.value })) }
        : {}),
    };
  });
  const fitted = new Map(space.names.map((name, k) => [name, at[k]]));
  return {
    model: withValues(fixed, fitted),
    measurement: o.measurement,
    start: o.start,
    parameters,
    held: fixed.checked.parameters
      .filter(({ name }) => held.has(name))
      .map(({ name, value }) => ({ name, unit: unit(name), value, reason: held.get(name) as string })),
    covariance: covariance.map((row, a) => row.map((each, b) => each * slopes[a] * slopes[b])),
  };
}
