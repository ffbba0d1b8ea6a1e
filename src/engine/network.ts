/**
 * The parts of a network: populations, spike sources, clocks and projections.
 *
 * Plain descriptions: nothing is drawn, connected or compiled here. A part is identified by its object;
 * its name is the key under which the network record holds it.
 */

import type { WeightStorage } from "../device/storage.ts";
import { type Model, neuron } from "../language/model.ts";
import { ConfigError } from "../math/errors.ts";
import type { Time } from "../math/units.ts";
import { formatDimension, sameDimension, seconds } from "../math/units.ts";
import type { Pattern } from "./connect.ts";

/** A value per cell or synapse: SI number, quantity text or expression text ("Vr + rand() * (Vt - Vr)"), or one number each (SI). */
export type Initial = number | string | ArrayLike<number>;

/** Cells [start, stop) of a population. */
export interface Slice {
  readonly kind: "slice";
  readonly of: Population | Source;
  readonly start: number;
  readonly stop: number;
  readonly size: number;
}

export interface Population {
  readonly kind: "population";
  readonly size: number;
  readonly model: Model<"neuron">;
  readonly initial: Readonly<Record<string, Initial>>;
  /** Cells [start, stop); stop defaults to the end. */
  slice(start: number, stop?: number): Slice;
}

export interface Source {
  readonly kind: "source";
  readonly size: number;
  /** Spike times given at once: they count from the start of the first run. Otherwise given to each run. */
  readonly spikes?: SpikeTimes;
  slice(start: number, stop?: number): Slice;
}

/** Spikes by time, s: a raster, or one array of times per cell. */
export type SpikeTimes =
  | { readonly t: ArrayLike<number>; readonly i: ArrayLike<number> }
  | readonly ArrayLike<number>[];

export interface Clock {
  readonly kind: "clock";
  readonly period: number; // s
  readonly offset: number; // s
}

export type Cells = Population | Source | Slice;

export interface Projection {
  readonly kind: "projection";
  readonly pre: Cells;
  readonly post: Cells;
  readonly model: Model<"synapse">;
  readonly pattern: Pattern;
  /** Every synapse's delay, s, or an expression or array with one each. */
  readonly delay: Initial;
  readonly initial: Readonly<Record<string, Initial>>;
  readonly weight?: WeightStorage;
  readonly events: Readonly<Record<string, Cells | Clock>>;
}

export type Part = Population | Source | Clock | Projection;
export type Network = Readonly<Record<string, Part>>;

function checkSize(size: number, what: string): void {
  if (!Number.isInteger(size) || size < 1 || size > 2 ** 28)
    throw new ConfigError(`${what} need a whole number of cells from 1 to 268435456, not ${size}`);
}

function slice(of: Population | Source, start: number, stop = of.size): Slice {
  if (!(Number.isInteger(start) && Number.isInteger(stop) && 0 <= start && start < stop && stop <= of.size))
    throw new ConfigError(`a slice [${start}, ${stop}) does not fit a population of ${of.size} cells`);
  return Object.freeze({ kind: "slice" as const, of, start, stop, size: stop - start });
}

/**
 * `size` cells of one model. `initial` gives starting values of variables: an expression of
 * the model's names, drawn once per cell; what is not given starts at 0.
 */
export function neurons(
  size: number,
  model: Model<"neuron">,
  initial: Readonly<Record<string, Initial>> = {},
): Population {
  checkSize(size, "neurons");
  const population: Population = {
    kind: "population",
    size,
    model,
    initial,
    slice: (start, stop) => slice(population, start, stop),
  };
  return Object.freeze(population);
}

/** `size` cells that fire when told: at `spikes`, or at the times each run is given as input. */
export function spikeSource(size: number, spikes?: SpikeTimes): Source {
  checkSize(size, "spike sources");
  const source: Source = {
    kind: "source",
    size,
    spikes,
    slice: (start, stop) => slice(source, start, stop),
  };
  return Object.freeze(source);
}

/** The model of `poisson`. */
export const poissonModel = neuron({
  name: "Poisson source",
  source: "one Bernoulli trial a tick with probability rate * dt; the rate must stay below 1 / dt",
  equations: "rate : 1/s",
  threshold: "rand() < rate * dt",
});

/**
 * `size` independent Poisson sources. `rate`: quantity text ("10 Hz"), or one number each, 1/s. At most one spike a tick: keep rate * dt well below 1.
 */
export function poisson(size: number, rate: Initial): Population {
  return neurons(size, poissonModel, { rate });
}

/** A clock that ticks every `period`, first at `offset` (default one period). */
export function every(period: Time, options: { offset?: Time } = {}): Clock {
  const length = seconds(period, "the period of a clock");
  if (!(length > 0)) throw new ConfigError(`a clock's period must be positive, not ${period}`);
  return Object.freeze({
    kind: "clock" as const,
    period: length,
    offset: options.offset === undefined ? length : seconds(options.offset, "the offset of a clock"),
  });
}

/** Names of the events a synapse model declares besides `pre` and `post`. */
type Bound<Events extends string> = [Events] extends [never]
  ? { readonly events?: undefined }
  : { readonly events: Readonly<Record<Events, Cells | Clock>> };

export type SynapsesOptions<Events extends string> = {
  readonly connect: Pattern;
  readonly delay?: Time | Initial;
  readonly initial?: Readonly<Record<string, Initial>>;
  /** Where the weight is stored; a plain number per synapse when omitted. */
  readonly weight?: WeightStorage;
} & Bound<Events>;

/** A projection: synapses of one model from `pre` to `post`. Every named event of the model must be bound. */
export function synapses<Events extends string = never>(
  pre: Cells,
  post: Cells,
  model: Model<"synapse", Events>,
  options: SynapsesOptions<Events>,
): Projection {
  const declared = Object.keys(model.checked.handlers).filter((h) => h !== "pre" && h !== "post");
  const events = (options.events ?? {}) as Readonly<Record<string, Cells | Clock>>;
  for (const event of declared)
    if (!events[event])
      throw new ConfigError(
        `${model.checked.name}: the event "${event}" is not bound; give events: { ${event}: a population or a clock }`,
      );
  for (const event of Object.keys(events))
    if (!declared.includes(event))
      throw new ConfigError(
        `${model.checked.name} has no event "${event}"; its events are ${declared.join(", ") || "none"}`,
      );
  const stored = model.checked.variables.find((v) => v.weight);
  if (options.weight && !stored)
    throw new ConfigError(
      `${model.checked.name} has no variable flagged (weight) that could be stored on devices`,
    );
  if (options.weight && stored && !sameDimension(options.weight.weightDimension, stored.dimension))
    throw new ConfigError(
      `${model.checked.name}: the weight ${stored.name} is ${formatDimension(stored.dimension)}, the devices make ${formatDimension(options.weight.weightDimension)}`,
    );
  if (options.weight && stored && options.initial?.[stored.name] !== undefined)
    throw new ConfigError(
      `${model.checked.name}: the weight ${stored.name} is read from its devices, which start as their model says; it has no initial value`,
    );
  const delay = options.delay ?? 0;
  if (typeof delay === "string" && /^[\s\d.eE+-]+[a-zA-Zµ]+\s*$/u.test(delay))
    if (!(seconds(delay as Time, `${model.checked.name}: the delay`) >= 0))
      throw new ConfigError(`${model.checked.name}: the delay ${delay} is negative`);
  return Object.freeze({
    kind: "projection" as const,
    pre,
    post,
    model: model as Model<"synapse">,
    pattern: options.connect,
    delay,
    initial: options.initial ?? {},
    weight: options.weight,
    events,
  });
}

/**
 * Which cells of a projection those of a named event stand for, one by one: the postsynaptic ones where there are as many, else
 * the presynaptic ones; the presynaptic cells themselves always stand for themselves. Undefined where no size fits.
 */
export function eventSide(part: Projection, from: Cells): "pre" | "post" | undefined {
  const same = (a: Cells, b: Cells): boolean =>
    a.size === b.size && parentOf(a).parent === parentOf(b).parent && parentOf(a).start === parentOf(b).start;
  if (same(from, part.pre) && !same(from, part.post)) return "pre";
  if (from.size === part.post.size) return "post";
  return from.size === part.pre.size ? "pre" : undefined;
}

/** The whole population of which `cells` are part, and where they start in it. */
export function parentOf(cells: Cells): { parent: Population | Source; start: number } {
  return cells.kind === "slice" ? { parent: cells.of, start: cells.start } : { parent: cells, start: 0 };
}
