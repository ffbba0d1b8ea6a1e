/**
 * A question put to a model: parameters in, metrics and figures out.
 *
 * An experiment is a function of (parameters, seed). What it is asked with is checked here against its defaults:
 * name, type and dimension. Knows nothing of files, terminals or threads; `cli` and the browser bring those.
 */

import type { State } from "../deep/sequential.ts";
import type { Raster } from "../engine/raster.ts";
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { quantity, type Time } from "../math/units.ts";
import type { Estimate } from "./estimate.ts";
import type { Figure } from "./figures.ts";
import type { Shaped, TypedArray } from "./npz.ts";

/** A number, a switch, a word, a quantity as text ("5 ms"), or a list of one of these. */
export type ParameterValue =
  | number
  | boolean
  | string
  | readonly number[]
  | readonly boolean[]
  | readonly string[];
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** Text of a number and a unit; a time keeps its own type. */
export type QuantityText = `${number} ${string}`;

/** The type a default stands for: 3200 for any number, "1 s" for any time. */
type Wide<V> = V extends number
  ? number
  : V extends boolean
    ? boolean
    : V extends Time
      ? Time
      : V extends QuantityText
        ? QuantityText
        : V extends string
          ? string
          : V extends readonly (infer E)[]
            ? readonly Wide<E>[]
            : never;
export type Resolved<P extends Parameters> = { readonly [K in keyof P]: Wide<P[K]> };

/** A measured value: a number, an estimate, a word, or lists and records of them. */
export type Metric =
  | number
  | string
  | boolean
  | null
  | Estimate
  | readonly Metric[]
  | { readonly [name: string]: Metric | undefined };

/** What an experiment hands back, or hands over on the way. Names of figures, spikes and arrays become file names. */
export interface Result {
  readonly metrics: Readonly<Record<string, Metric | undefined>>; // what is undefined is left out
  readonly figures?: Readonly<Record<string, Figure>>;
  readonly spikes?: Readonly<Record<string, Raster>>;
  readonly arrays?: Readonly<Record<string, TypedArray | Shaped>>;
  /** Weights of networks, each kept as `networks/<name>.safetensors`. */
  readonly networks?: Readonly<Record<string, State>>;
}

/** What an experiment runs in. */
export interface Context {
  readonly seed: string | number;
  /** Threads asked for; undefined leaves it to each network, which takes one when it is small. */
  readonly threads: number | undefined;
  readonly quick: boolean;
  /** Aborted when the run should end soon: hand back what there is, or throw. */
  readonly signal: AbortSignal;
  /** How far the run is, 0 to 1, and what it does. */
  readonly progress: (fraction: number, message?: string) => void;
  /** A line for the run's log, as plain data. */
  readonly log: (event: Readonly<Record<string, unknown>>) => void;
  /** The results so far; kept when the run ends before its time. Later calls replace earlier ones. */
  readonly partial: (result: Result) => void;
}

export interface ExperimentDefinition<P extends Parameters> {
  readonly name: string; // lower case, digits and hyphens, as the file
  readonly question: string;
  readonly source: string;
  readonly parameters: P;
  /** Parameters of a run that shows the same in a few seconds. */
  readonly quick?: Partial<Resolved<NoInfer<P>>>;
  /**
   * Values of parameters by names, one of which the parameter `recipe` chooses; its default "" chooses none. What is set
   * counts more.
   */
  readonly recipes?: Readonly<Record<string, Partial<Resolved<NoInfer<P>>>>>;
  /** The seed when none is asked for; 1 when left out. */
  readonly seed?: string | number;
  /** What each metric is, its unit in brackets at the end: "mean rate of all cells (Hz)". */
  readonly metrics?: Readonly<Record<string, string>>;
  /** What each parameter means. */
  readonly describe?: Readonly<Partial<Record<keyof NoInfer<P> & string, string>>>;
  readonly run: (parameters: Resolved<P>, context: Context) => Result | Promise<Result>;
}

export interface Experiment<P extends Parameters = Parameters> extends ExperimentDefinition<P> {
  readonly kind: "experiment";
}

/** An experiment from its definition; throws `ConfigError` when that contradicts itself. */
export function experiment<const P extends Parameters>(definition: ExperimentDefinition<P>): Experiment<P> {
  const { name, parameters, quick = {}, recipes, describe = {} } = definition;
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))
    throw new ConfigError(
      `experiment name ${JSON.stringify(name)} is not lower-case words joined by hyphens`,
    );
  if (recipes && parameters["recipe"] !== "")
    throw new ConfigError(`experiment ${name} has recipes but no parameter recipe, "" at first`);
  for (const values of [quick, ...Object.values(recipes ?? {})])
    for (const [key, value] of Object.entries(values)) {
      expectParameter(name, key, parameters);
      checkLike(key, value as ParameterValue, parameters[key]);
    }
  for (const key of Object.keys(describe)) expectParameter(name, key, parameters);
  return Object.freeze({ kind: "experiment" as const, ...definition });
}

/** Whether a value, e.g. a module's default export, is an experiment. */
export function isExperiment(value: unknown): value is Experiment {
  return typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "experiment";
}

/**
 * The parameters of one run: defaults, then those of a quick run, then those of the recipe that `set` names, then `set`. Text in
 * `set` is read by the type of the default; other values must be of it. Throws `ConfigError` on an unknown name, type or dimension.
 */
export function resolveParameters<P extends Parameters>(
  of: Experiment<P>,
  options: { quick?: boolean; set?: Readonly<Record<string, ParameterValue>> } = {},
): Resolved<P> {
  const { quick = false, set = {} } = options;
  const resolved: Record<string, ParameterValue> = {
    ...of.parameters,
    ...(quick ? of.quick : {}),
    ...recipeOf(of, set["recipe"]),
  };
  for (const [key, value] of Object.entries(set)) {
    expectParameter(of.name, key, of.parameters);
    resolved[key] = like(key, value, of.parameters[key]);
  }
  return resolved as Resolved<P>;
}

function recipeOf<P extends Parameters>(
  { name, recipes }: Experiment<P>,
  asked: ParameterValue | undefined,
): Partial<Resolved<P>> | undefined {
  if (!recipes || asked === undefined || asked === "") return undefined;
  const chosen = String(asked);
  if (Object.hasOwn(recipes, chosen)) return recipes[chosen];
  const known = Object.keys(recipes);
  const hint = didYouMean(chosen, known) || `; there are ${known.join(", ")}`;
  throw new ConfigError(`experiment ${name} has no recipe ${JSON.stringify(chosen)}${hint}`);
}

/**
 * Runs an experiment here and now. What is left out of the context is quiet: no progress, no log.
 * Results are checked: a name that cannot be a file name or a value that is not a result throws `ConfigError`.
 */
export async function runExperiment<P extends Parameters>(
  of: Experiment<P>,
  options: {
    seed?: string | number;
    quick?: boolean;
    set?: Readonly<Record<string, ParameterValue>>;
    threads?: number;
    signal?: AbortSignal;
    progress?: Context["progress"];
    log?: Context["log"];
    partial?: Context["partial"];
  } = {},
): Promise<Result> {
  const parameters = resolveParameters(of, options);
  const context: Context = {
    seed: options.seed ?? of.seed ?? 1,
    threads: options.threads,
    quick: options.quick ?? false,
    signal: options.signal ?? new AbortController().signal,
    progress: options.progress ?? (() => {}),
    log: options.log ?? (() => {}),
    partial: (result) => options.partial?.(checkedResult(of.name, result)),
  };
  return checkedResult(of.name, await of.run(parameters, context));
}

function expectParameter(experimentName: string, key: string, parameters: Parameters): void {
  if (Object.hasOwn(parameters, key)) return;
  const names = Object.keys(parameters);
  const known = names.length === 0 ? "it has none" : `its parameters are ${names.join(", ")}`;
  const hint = didYouMean(key, names) || `; ${known}`;
  throw new ConfigError(`experiment ${experimentName} has no parameter ${key}${hint}`);
}

/** A value of the type of `original`, read from text where it is text. */
function like(key: string, value: ParameterValue, original: ParameterValue): ParameterValue {
  if (typeof value !== "string" || typeof original === "string") {
    checkLike(key, value, original);
    return value;
  }
  if (typeof original === "number") return numberFrom(key, value);
  if (typeof original === "boolean") return switchFrom(key, value);
  return listFrom(key, value, original);
}

function numberFrom(key: string, words: string): number {
  const value = Number(words);
  if (words.trim() === "" || !Number.isFinite(value))
    throw new ConfigError(`parameter ${key} is a number, not ${JSON.stringify(words)}`);
  return value;
}

function switchFrom(key: string, words: string): boolean {
  if (words === "true" || words === "false") return words === "true";
  throw new ConfigError(`parameter ${key} is true or false, not ${JSON.stringify(words)}`);
}

/** A list from `[…]` as JSON or from text with commas; elements are read by the type of the first default. */
function listFrom(key: string, words: string, original: readonly ParameterValue[]): ParameterValue {
  let elements: unknown[];
  if (words.trim().startsWith("[")) {
    try {
      elements = JSON.parse(words) as unknown[];
    } catch (cause) {
      throw new ConfigError(`parameter ${key} is not a list: ${(cause as Error).message}`, { cause });
    }
  } else elements = words.split(",").map((element) => element.trim());
  const first = original[0];
  return elements.map((element, k) => {
    const place = `${key}[${k}]`;
    if (first === undefined) return element as ParameterValue;
    return like(place, element as ParameterValue, first);
  }) as unknown as ParameterValue;
}

/** Throws unless `value` may stand where `original` stood: same type, and same dimension of a quantity. */
function checkLike(key: string, value: ParameterValue, original: ParameterValue): void {
  const written = typeof value === "number" ? String(value) : JSON.stringify(value);
  const wrong = (kind: string) => new ConfigError(`parameter ${key} is ${kind}, not ${written}`);
  if (Array.isArray(original)) {
    if (!Array.isArray(value)) throw wrong("a list");
    if (original.length > 0)
      for (const [k, element] of value.entries()) checkLike(`${key}[${k}]`, element, original[0]);
  } else if (typeof original === "number") {
    if (typeof value !== "number" || !Number.isFinite(value)) throw wrong("a number");
  } else if (typeof original === "boolean") {
    if (typeof value !== "boolean") throw wrong("true or false");
  } else if (typeof original === "string") {
    const unit = unitOf(original);
    if (typeof value !== "string")
      throw wrong(unit === undefined ? "text" : `a quantity such as "${original}"`);
    if (unit !== undefined) checkDimension(key, value, original, unit);
  }
}

function checkDimension(key: string, value: string, original: string, unit: string): void {
  try {
    quantity(value, unit);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new ConfigError(`parameter ${key} is a quantity such as "${original}": ${reason}`, { cause });
  }
}

/** The unit of a quantity as text, "5 ms" -> "ms"; undefined when it is a mere word. */
export function unitOf(value: string): string | undefined {
  const unit = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s+(\S.*)$/i.exec(value)?.[1].trim();
  if (unit === undefined) return undefined;
  try {
    quantity(value);
    return unit;
  } catch {
    return undefined;
  }
}

/** Throws `ConfigError` unless a run handed back what a run folder can hold. */
function checkedResult(name: string, result: Result): Result {
  const fault = (what: string) => new ConfigError(`experiment ${name} handed back ${what}`);
  if (typeof result !== "object" || result === null || typeof result.metrics !== "object")
    throw fault("no { metrics, figures }");
  for (const part of ["metrics", "figures", "spikes", "arrays"] as const)
    for (const [key, value] of Object.entries(result[part] ?? {})) {
      if (!/^[A-Za-z0-9][\w.-]*$/.test(key))
        throw fault(`${part} named ${JSON.stringify(key)}; use letters, digits, point, _ and -`);
      if (typeof value === "function" || (value === undefined && part !== "metrics"))
        throw fault(`no value for ${part}.${key}`);
    }
  return result;
}
