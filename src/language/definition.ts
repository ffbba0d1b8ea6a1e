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
  /** Pulses, such as `set` and `reset`, with cycle-to-cycle spread. */
  readonly on: Readonly<Record<string, string>>;
  /** Noise-free conductance `age` after the last write, S. */
  readonly drift?: string;
  /** One read, S, with read noise. `Gd` is the drifted conductance. */
  readonly read: string;
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
    optional: ["drift", "arguments", "parameters"],
  },
};

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

/** Throws `ModelError` unless every argument is a parameter, once. */
export function checkArguments(
  model: string,
  names: readonly string[],
  parameters: readonly string[],
): readonly string[] {
  for (const [k, name] of names.entries()) {
    const source = { model, part: "arguments", text: name };
    const wrong = (title: string, reason = ""): never => {
      throw new ModelError(source, { start: 0, end: name.length }, title, reason);
    };
    if (!parameters.includes(name))
      wrong(
        `${name} is not a parameter`,
        didYouMean(name, parameters).replace(/^; /u, "") ||
          "an argument of pulses is a parameter, whose value it has where a pulse is not given another",
      );
    if (names.indexOf(name) < k) wrong(`${name} is listed twice`);
  }
  return names;
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
