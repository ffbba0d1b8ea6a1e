/**
 * Models: the text of neurons, synapses and devices with their parameters, checked when they are made.
 *
 * A model is plain data and never changes; `with` makes another. Nothing in it is ever run as code.
 */
import { nearest } from "../math/nearest.ts";
import { type Dimension, dimensionless, sameDimension, unitDimension } from "../math/units.ts";
import { checkInitial, checkModel } from "./check.ts";
import type { CheckedModel, ModelKind, Parameter } from "./checked.ts";
import { parameterSource, parameterValue } from "./declare.ts";
import type {
  Definition,
  DeviceDefinition,
  NeuronDefinition,
  Parameters,
  SynapseDefinition,
} from "./definition.ts";
import { checkFlicker } from "./device.ts";
import { describe } from "./dimension.ts";
import { readValue } from "./draft.ts";
import { ModelError, type Source } from "./error.ts";
import type { Expression } from "./expression.ts";
import { Names, type Owner, type Place } from "./scope.ts";
import { checkMeaning, checkNames, checkQuantity, type Setting, type Wanted } from "./term.ts";

export { checkConnection } from "./connection.ts";
export type { DeviceDefinition, NeuronDefinition, Parameters, SynapseDefinition } from "./definition.ts";
export { ModelError } from "./error.ts";

/** A checked model. `Event`: named events of a synapse, which `synapses` binds; `Parameter`: its parameters. */
export interface Model<
  Kind extends ModelKind = ModelKind,
  Event extends string = string,
  ParameterName extends string = string,
> {
  readonly kind: Kind;
  readonly definition: DefinitionOf<Kind>;
  readonly checked: CheckedModel;
  /** Events of a synapse besides `pre` and `post`. */
  readonly events: readonly Event[];
  /** The same model with other values of some parameters, of the same dimensions. Throws `ModelError`. */
  with(parameters: { readonly [name in ParameterName]?: string | number }): Model<Kind, Event, ParameterName>;
}

type DefinitionOf<Kind extends ModelKind> = Kind extends "neuron"
  ? NeuronDefinition
  : Kind extends "synapse"
    ? SynapseDefinition
    : DeviceDefinition;

/** Names of the parameters of a definition, none when it has none. */
type ParameterNames<D> = D extends { readonly parameters?: infer P } ? keyof NonNullable<P> & string : never;
/** Names of the events of a synapse definition that `synapses` must bind. */
type EventNames<D> = D extends { readonly on: infer On } ? Exclude<keyof On & string, "pre" | "post"> : never;

/** A neuron model. Throws `ModelError` at the first fault of its text. */
export function neuron<const D extends NeuronDefinition>(
  definition: D,
): Model<"neuron", never, ParameterNames<D>> {
  return create("neuron", definition);
}

/** A synapse model. Throws `ModelError`; what depends on the cells is checked by `checkConnection`. */
export function synapse<const D extends SynapseDefinition>(
  definition: D,
): Model<"synapse", EventNames<D>, ParameterNames<D>> {
  return create("synapse", definition);
}

/** A memory device model. Throws `ModelError`. */
export function device<const D extends DeviceDefinition>(
  definition: D,
): Model<"device", never, ParameterNames<D>> {
  return create("device", definition);
}

function create<Kind extends ModelKind, Event extends string, ParameterName extends string>(
  kind: Kind,
  written: Definition,
): Model<Kind, Event, ParameterName> {
  const checked = checkModel(kind, written);
  const definition = freeze(structuredClone(written)) as DefinitionOf<Kind>;
  return assemble(kind, definition, freeze(checked));
}

function assemble<Kind extends ModelKind, Event extends string, ParameterName extends string>(
  kind: Kind,
  definition: DefinitionOf<Kind>,
  checked: CheckedModel,
): Model<Kind, Event, ParameterName> {
  const events =
    kind === "synapse" ? Object.keys(checked.handlers).filter((name) => !["pre", "post"].includes(name)) : [];
  return Object.freeze({
    kind,
    definition,
    checked,
    events: Object.freeze(events) as readonly Event[],
    with(values: { readonly [name in ParameterName]?: string | number }): Model<Kind, Event, ParameterName> {
      const given: Parameters = Object.fromEntries(
        Object.entries(values as Partial<Parameters>).filter((entry) => entry[1] !== undefined),
      ) as Parameters;
      const parameters = changed(checked, given);
      const text = { ...definition, parameters: { ...definition.parameters, ...given } };
      const other = { ...checked, parameters };
      if (kind === "device") checkFlicker(other, text);
      return assemble(kind, freeze(text), freeze(other));
    },
  });
}

/** Parameters with some values replaced. */
function changed(checked: CheckedModel, values: Parameters): Parameter[] {
  const names = checked.parameters.map((parameter) => parameter.name);
  for (const [name, written] of Object.entries(values)) {
    const source = parameterSource(checked.name, name, written);
    if (names.includes(name)) continue;
    const guess = nearest(name, names);
    const reason =
      guess !== undefined
        ? `did you mean ${guess}?`
        : names.length > 0
          ? `its parameters are ${names.join(", ")}`
          : "it has no parameters";
    throw new ModelError(source, { start: 0, end: name.length }, `there is no parameter ${name}`, reason);
  }
  return checked.parameters.map((parameter) => {
    if (!Object.hasOwn(values, parameter.name)) return parameter;
    const written = values[parameter.name];
    const source = parameterSource(checked.name, parameter.name, written);
    const { value, dimension } = parameterValue(source, parameter.name, written);
    if (!sameDimension(dimension, parameter.dimension))
      throw new ModelError(
        source,
        { start: parameter.name.length + 2, end: source.text.length },
        "dimensions disagree",
        `this is ${describe(dimension)}, ${parameter.name} is ${describe(parameter.dimension)}`,
      );
    return { ...parameter, value, text: `${written}` };
  });
}

function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
  return value;
}

/** Streams of initial values start here, above those of the model's own text. */
export const initialStreams = 1000;
/** Streams kept for the initial value of one variable. */
export const streamsPerInitial = 100;

/**
 * The initial value of a variable: a quantity, "-60 mV", or an expression of parameters, indices, other stored
 * variables and random draws; a number is dimensionless. Draws for variable k, in the order of the equations,
 * use streams from 1000 + 100 k. Throws `ModelError`.
 */
export function parseInitial(model: Model, variable: string, written: string | number): Expression {
  const { checked } = model;
  const source: Source = { model: checked.name, part: `initial ${variable}`, text: `${written}` };
  const at = checked.variables.findIndex((each) => each.name === variable);
  if (at < 0) {
    const names = checked.variables.map((each) => each.name);
    const guess = nearest(variable, names);
    const reason =
      guess === undefined ? `its variables are ${names.join(", ") || "none"}` : `did you mean ${guess}?`;
    throw new ModelError(source, undefined, `there is no variable ${variable}`, reason);
  }
  const found = checked.variables[at];
  const read = readValue(source, { next: initialStreams + streamsPerInitial * at });
  return freeze(checkInitial(read, found, setting(checked, source, "initial", found.scope)));
}

/** An expression of a model's names with what it is. */
export interface ExpressionFor {
  readonly expression: Expression;
  readonly dimension: Dimension;
  readonly boolean: boolean;
}

/**
 * An expression, or a quantity, in the names of `model`: its variables, derived names, parameters, t, dt and
 * indices; of dimension `unit` when that is given. Random draws use streams above those of initial values.
 * Throws `ModelError`.
 */
export function parseExpressionFor(model: Model, text: string, unit?: string): ExpressionFor {
  const { checked } = model;
  const source: Source = { model: checked.name, part: "expression", text };
  const streams = { next: initialStreams + streamsPerInitial * checked.variables.length };
  const { expression, dimension } = readValue(source, streams);
  const wanted: Wanted | undefined =
    unit === undefined
      ? undefined
      : { meaning: unitDimension(unit).dimension, left: "what is needed", right: "this" };
  if (dimension) {
    if (wanted) checkQuantity(source, dimension, wanted);
    return { expression, dimension, boolean: false };
  }
  const place = setting(checked, source, "equation", checked.kind === "synapse" ? "synapse" : "cell");
  checkNames(expression, place);
  const meaning = checkMeaning(expression, place, wanted);
  if (meaning === "open")
    throw new ModelError(source, expression.span, "names of connected cells are not known here");
  const known = meaning === "truth" || meaning === "zero" ? dimensionless : meaning;
  return { expression: freeze(expression), dimension: known, boolean: meaning === "truth" };
}

function setting(checked: CheckedModel, source: Source, place: Place, owner: Owner): Setting {
  const names = new Names({
    ...checked,
    hasRefractory: checked.refractory !== undefined,
    hasDrift: checked.drift !== undefined,
  });
  const used = new Set(checked.parameters.map((parameter) => parameter.name));
  return { source, place, owner, names, parameters: checked.parameters, used };
}
