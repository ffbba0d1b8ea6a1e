/**
 * What a model declares: its parameters, variables and derived names, with units and owners.
 *
 * Right sides stay unread; check.ts reads them once all names are known.
 */
import { ConfigError } from "../math/errors.ts";
import { type Dimension, dimensionless, parseQuantity, unitDimension } from "../math/units.ts";
import type { Derived, ModelKind, Parameter, Scope, Variable } from "./checked.ts";
import type { Parameters } from "./definition.ts";
import { type Equation, type Flag, readEquations } from "./equations.ts";
import { ModelError, type Source } from "./error.ts";
import { reservedReason } from "./scope.ts";
import { isName } from "./token.ts";

const flagsOf: Readonly<Record<ModelKind, Readonly<Record<Equation["form"], readonly Flag[]>>>> = {
  neuron: {
    differential: ["unless refractory", "shared"],
    derived: ["shared"],
    stored: ["shared", "constant"],
  },
  synapse: {
    differential: ["pre", "post", "shared"],
    derived: ["pre", "post", "shared"],
    stored: ["pre", "post", "shared", "weight", "constant"],
  },
  device: { differential: [], derived: [], stored: ["constant"] },
};

const formNames: Readonly<Record<Equation["form"], string>> = {
  differential: "a differential equation",
  derived: "a derived name",
  stored: "a stored variable",
};

/** Parameters with their SI values, in the order given. Throws `ModelError`. */
export function declareParameters(model: string, kind: ModelKind, parameters: Parameters): Parameter[] {
  return Object.entries(parameters).map(([name, written]) => {
    const source = parameterSource(model, name, written);
    const reason = isName(name) ? reservedReason(name, kind) : "a name is letters, digits and _";
    if (reason !== undefined)
      throw new ModelError(
        source,
        { start: 0, end: name.length },
        `a parameter cannot be called ${name}`,
        reason,
      );
    return { name, text: `${written}`, ...parameterValue(source, name, written) };
  });
}

/** A parameter as errors show it. */
export function parameterSource(model: string, name: string, written: string | number): Source {
  return {
    model,
    part: "parameters",
    text: `${name}: ${typeof written === "string" ? JSON.stringify(written) : written}`,
  };
}

export function parameterValue(
  source: Source,
  name: string,
  written: string | number,
): { value: number; dimension: Dimension } {
  try {
    return parseQuantity(written);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const span = { start: name.length + 2, end: source.text.length };
    throw new ModelError(
      source,
      span,
      "this is not a quantity",
      error.message.replace(/^.*? is not a quantity: /su, ""),
    );
  }
}

/** A derived name whose right side is still to be read. */
export type Unread = Omit<Derived, "value"> & { readonly equation: Equation };

export interface Declarations {
  readonly equations: readonly Equation[];
  readonly variables: readonly Variable[];
  readonly derived: readonly Unread[];
  /** Whether the name V is the voltage at the terminals of a device. */
  readonly voltage: boolean;
}

/** Variables and derived names of an equation block. Throws `ModelError`. */
export function declareEquations(
  source: Source,
  kind: ModelKind,
  parameters: readonly Parameter[],
  hasRefractory: boolean,
  hasCurrent = false,
): Declarations {
  const equations = readEquations(source);
  const voltage =
    kind === "device" && (hasCurrent || equations.some((equation) => equation.form === "differential"));
  const seen = new Set<string>();
  const variables: Variable[] = [];
  const derived: Unread[] = [];
  for (const equation of equations) {
    const { name, nameSpan, form } = equation;
    const wrong = (title: string, reason = ""): never => {
      throw new ModelError(equation.source, nameSpan, title, reason);
    };
    const reason = voltage && name === "V" ? voltageReason : reservedReason(name, kind);
    if (reason !== undefined) wrong(`nothing can be called ${name}`, reason);
    if (seen.has(name)) wrong(`${name} is defined twice`, "every name has one equation");
    if (parameters.some((parameter) => parameter.name === name))
      wrong(`${name} is defined twice`, "it is also a parameter");
    seen.add(name);

    const flags = checkFlags(equation, kind, hasRefractory);
    const boolean = equation.unit === "boolean";
    const dimension = boolean ? dimensionless : readUnit(equation);
    const unit = boolean || equation.unit === "1" ? "" : equation.unit;
    const scope = (["pre", "post", "shared"] as const).find((flag) => flags.has(flag)) ?? ownScope(kind);
    if (form === "derived")
      derived.push({ name, unit, dimension, boolean, scope, text: equation.source.text, equation });
    else {
      if (boolean && form === "differential") wrong("a truth value has no differential equation");
      if (boolean && flags.has("weight")) wrong("a truth value is not a weight");
      const weight = flags.has("weight");
      const earlier = variables.find((variable) => variable.weight);
      if (weight && earlier) wrong("a synapse has one weight", `${earlier.name} is the weight already`);
      variables.push({
        name,
        unit,
        dimension,
        scope,
        boolean,
        differential: form === "differential",
        unlessRefractory: flags.has("unless refractory"),
        weight,
        ...(flags.has("constant") ? { constant: true } : {}),
      });
    }
  }
  const taken = voltage ? parameters.find((parameter) => parameter.name === "V") : undefined;
  if (taken)
    throw new ModelError(
      parameterSource(source.model, "V", taken.text),
      { start: 0, end: 1 },
      "a parameter cannot be called V",
      voltageReason,
    );
  return { equations, variables, derived, voltage };
}

const voltageReason = "V is the voltage at the terminals of the device";

const ownScope = (kind: ModelKind): Scope => (kind === "synapse" ? "synapse" : "cell");

function checkFlags(equation: Equation, kind: ModelKind, hasRefractory: boolean): Set<Flag> {
  const allowed = flagsOf[kind][equation.form];
  let owner: Flag | undefined;
  for (const { name, span } of equation.flags) {
    const wrong = (title: string, reason = ""): never => {
      throw new ModelError(equation.source, span, title, reason);
    };
    if (!allowed.includes(name))
      wrong(
        `the flag ${name} does not belong here`,
        `${formNames[equation.form]} of a ${kind} takes ${allowed.length > 0 ? allowed.join(", ") : "no flags"}`,
      );
    if (name === "unless refractory" && !hasRefractory)
      wrong(
        `the flag ${name} needs a refractory time`,
        'write refractory: "5 ms" beside threshold and reset',
      );
    if (name !== "constant") {
      if (owner !== undefined) wrong(`${owner} and ${name} exclude each other`);
      owner = name;
    }
  }
  return new Set(equation.flags.map((flag) => flag.name));
}

function readUnit(equation: Equation): Dimension {
  try {
    return unitDimension(equation.unit).dimension;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ModelError(
      equation.source,
      equation.unitSpan,
      "this is not a unit",
      error.message.replace(/^.*? is not a unit: /su, ""),
    );
  }
}
