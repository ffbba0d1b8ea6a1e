/**
 * Definitions: the plain data a model is written as, and the check of its shape.
 *
 * Text stays text here. What the text says is check.ts's matter.
 */
import { didYouMean } from "../math/nearest.ts";
import { type Method, type ModelKind, methods } from "./checked.ts";
import { ModelError } from "./error.ts";

/** Quantities by name: text with unit, `"5 ms"`, or a dimensionless number. */
export type Parameters = Readonly<Record<string, string | number>>;
/** One method for all equations, or one per variable. */
export type Methods = Method | Readonly<Record<string, Method>>;

export interface NeuronDefinition {
  readonly name: string;
  /** Where the equations come from: authors, year, journal or DOI. */
  readonly source: string;
  readonly equations: string;
  /** Truth value: a cell fires at the end of a tick in which it holds. */
  readonly threshold?: string;
  /** Statements for cells that fired, after spikes are delivered. */
  readonly reset?: string;
  /** A time, `"5 ms"`, or an expression of one. */
  readonly refractory?: string;
  readonly parameters?: Parameters;
  readonly method?: Methods;
  /** `tick`: statements for every cell at every tick. */
  readonly on?: { readonly tick?: string };
}

export interface SynapseDefinition {
  readonly name: string;
  readonly source?: string;
  readonly equations?: string;
  /** `pre` and `post` run at spikes of the connected cells; other names are events to be bound in `synapses`. */
  readonly on: Readonly<Record<string, string>>;
  readonly parameters?: Parameters;
  readonly method?: Methods;
}

export interface DeviceDefinition {
  readonly name: string;
  readonly source: string;
  readonly equations: string;
  /** What every stored variable is after fabrication, with device-to-device spread. */
  readonly initial: Readonly<Record<string, string | number>>;
  /**
   * Pulses, such as `set` and `reset`, with cycle-to-cycle spread. `apply(voltage, duration)` integrates the
   * differential equations under a voltage, `V` in them, that is held for a time.
   */
  readonly on: Readonly<Record<string, string>>;
  /** Noise-free conductance `age` after the last write, S. */
  readonly drift?: string;
  /** One read, S, with read noise. `Gd` is the drifted conductance. */
  readonly read: string;
  /** Current through the device at the voltage `V`, A. */
  readonly current?: string;
  /** RK4 steps of one `apply`, 1 to 10,000. Default 16. */
  readonly steps?: number;
  /** Parameters that a pulse may be given anew, such as its amplitude; used in `on` only. */
  readonly arguments?: readonly string[];
  readonly parameters?: Parameters;
}

/** Any definition, as the checker sees it. */
export type Definition = { readonly name: string } & Partial<
  Omit<NeuronDefinition, "name" | "on"> & Omit<DeviceDefinition, "name" | "on">
> & { readonly on?: Readonly<Record<string, string | undefined>> };

const fields: Readonly<
  Record<ModelKind, { readonly required: readonly string[]; readonly optional: readonly string[] }>
> = {
  neuron: {
    required: ["name", "source", "equations"],
    optional: ["threshold", "reset", "refractory", "parameters", "method", "on"],
  },
  synapse: { required: ["name", "on"], optional: ["source", "equations", "parameters", "method"] },
  device: {
    required: ["name", "source", "equations", "initial", "on", "read"],
    optional: ["drift", "current", "arguments", "steps", "parameters"],
  },
};

const mostSteps = 10_000;
const records: ReadonlySet<string> = new Set(["on", "initial", "parameters"]);

/** Throws `ModelError` unless `definition` has the fields of its kind and each is text where text belongs. */
export function checkShape(kind: ModelKind, definition: Definition): void {
  const named = typeof definition?.name === "string" && definition.name.trim() !== "";
  const wrong = (title: string, reason = ""): never => {
    throw new ModelError(
      { model: named ? definition.name : kind, part: "", text: "" },
      undefined,
      title,
      reason,
    );
  };
  if (!named)
    wrong("the name is missing", `${kind}({ name: "...", ... }) names the model in errors and results`);
  const { required, optional } = fields[kind];
  const allowed = [...required, ...optional];
  const given = Object.entries(definition).filter(([, value]) => value !== undefined);
  for (const [field, value] of given) {
    if (!allowed.includes(field))
      wrong(
        `a ${kind} has no field ${field}`,
        didYouMean(field, allowed).replace(/^; /u, "") || `fields are ${allowed.join(", ")}`,
      );
    if (records.has(field)) {
      if (typeof value !== "object" || value === null || Array.isArray(value))
        wrong(`${field} must be a record of texts`);
      for (const [key, entry] of Object.entries(value as object)) {
        const fine =
          typeof entry === "string" || (typeof entry === "number" && field !== "on") || entry === undefined;
        if (!fine)
          wrong(`${field}.${key} must be text${field === "on" ? "" : " or a number"}, not ${typeof entry}`);
      }
    } else if (field === "arguments") {
      if (!Array.isArray(value) || value.some((entry) => typeof entry !== "string"))
        wrong("arguments must be a list of names of parameters", 'such as arguments: ["amplitude", "width"]');
    } else if (field === "steps") {
      if (!(Number.isInteger(value) && (value as number) >= 1 && (value as number) <= mostSteps))
        wrong(`steps must be a whole number from 1 to ${mostSteps}, not ${JSON.stringify(value)}`);
    } else if (field !== "method" && typeof value !== "string")
      wrong(`${field} must be text, not ${typeof value}`);
  }
  for (const field of required)
    if (!given.some(([name]) => name === field))
      wrong(
        `${field} is missing`,
        field === "source" ? "a model says where its equations come from: authors, year, journal or DOI" : "",
      );
}

/** Throws `ModelError` unless every method exists and belongs to a variable with a differential equation. */
export function checkMethod(model: string, method: Methods, differential: readonly string[]): void {
  const source = { model, part: "method", text: "" };
  const check = (name: unknown): void => {
    if (!methods.includes(name as Method))
      throw new ModelError(
        source,
        undefined,
        `${name} is not a method`,
        didYouMean(`${name}`, methods).replace(/^; /u, "") || `methods are ${methods.join(", ")}`,
      );
  };
  if (typeof method !== "object" || method === null) check(method);
  else
    for (const [variable, name] of Object.entries(method)) {
      if (!differential.includes(variable))
        throw new ModelError(
          source,
          undefined,
          `${variable} has no differential equation`,
          didYouMean(variable, differential).replace(/^; /u, ""),
        );
      check(name);
    }
}
