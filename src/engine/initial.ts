/**
 * Values given with a part: initial values of variables and delays, as numbers, quantities, expressions or arrays.
 */
import { inline } from "../language/algebra.ts";
import type { Scope } from "../language/checked.ts";
import type { Expression } from "../language/expression.ts";
import { type Model, parseInitial } from "../language/model.ts";
import { ConfigError } from "../math/errors.ts";
import { nearest } from "../math/nearest.ts";
import type { Key } from "../math/random.ts";
import { seconds, type Time } from "../math/units.ts";
import { Graph } from "../wasm/graph.ts";
import { interpret } from "../wasm/interpret.ts";
import { Lowering } from "../wasm/lower.ts";
import { sparseDraw } from "./draws.ts";
import type { Initial, Projection } from "./network.ts";

export interface InitialValues {
  readonly expressions: ReadonlyMap<string, Expression>; // in the order given
  readonly arrays: ReadonlyMap<string, ArrayLike<number>>;
}

/** How many elements a variable has, by who owns it; shared ones have one. */
export type Sizes = Readonly<Partial<Record<Exclude<Scope, "shared">, number>>>;

/** Splits the initial values of a part into expressions (inlined) and arrays; checks names and lengths. */
export function initialValues(
  part: string,
  model: Model,
  initial: Readonly<Record<string, Initial>>,
  sizes: Sizes,
  dt: number,
): InitialValues {
  const expressions = new Map<string, Expression>();
  const arrays = new Map<string, ArrayLike<number>>();
  const names = model.checked.variables.map((v) => v.name);
  const inlined = inline(model.checked, { dt });
  for (const [name, value] of Object.entries(initial)) {
    if (!names.includes(name)) {
      const guess = nearest(name, names);
      throw new ConfigError(
        `${part}: ${model.checked.name} has no variable ${name}${guess ? `; did you mean ${guess}?` : ""}`,
      );
    }
    if (typeof value === "string" || typeof value === "number")
      expressions.set(name, inlined(parseInitial(model, name, value)));
    else {
      const { scope } = model.checked.variables[names.indexOf(name)];
      const size = scope === "shared" ? 1 : (sizes[scope] as number);
      if (value.length !== size)
        throw new ConfigError(`${part}: ${name} has ${value.length} values for ${size} ${elements[scope]}`);
      for (let k = 0; k < size; k++)
        if (!Number.isFinite(value[k])) throw new ConfigError(`${part}: ${name}[${k}] is ${value[k]}`);
      arrays.set(name, value);
    }
  }
  return { expressions, arrays };
}

const elements: Readonly<Record<Scope, string>> = {
  cell: "cells",
  synapse: "synapses",
  pre: "presynaptic cells",
  post: "postsynaptic cells",
  shared: "element",
};

/** Whole ticks of a time, rounded to the nearest. */
export const nearestTicks = (time: number, dt: number): number => Math.floor(time / dt + 0.5);

/** Whether text is a number or a quantity rather than an expression. */
export const isQuantity = (text: string): boolean => /^[\s\d.eE+-]+[a-zA-Zµ]*\s*$/u.test(text);

const longestDelay = 2 ** 20; // ticks; spikes are kept that long

/**
 * Delays in ticks: one for all synapses, or one for each synapse of the rows. An array is in the order of the
 * explicit pairs, or of the rows for other patterns; an expression may use `rand()` and `randn()`, drawn
 * once per synapse, the indices `i` and `j` and the model's parameters.
 */
export function delayTicks(
  name: string,
  part: Projection,
  rows: { readonly rows: Uint32Array; readonly targets: Uint32Array; readonly order?: Uint32Array },
  dt: number,
  key: Key,
): number | Uint32Array {
  const { delay } = part;
  const ticks = (time: number, which: string): number => {
    if (!(time >= 0))
      throw new ConfigError(`${name}: ${which} is ${time < 0 ? "negative" : "no time"}: ${time} s`);
    const whole = nearestTicks(time, dt);
    if (whole > longestDelay)
      throw new ConfigError(`${name}: ${which} is ${time} s, longer than ${longestDelay} ticks of ${dt} s`);
    return whole;
  };
  if (typeof delay === "number") return ticks(delay, "the delay");
  const size = rows.targets.length;
  const place = (k: number): number => (rows.order ? rows.order[k] : k);
  const result = new Uint32Array(size);
  if (typeof delay === "string") {
    if (isQuantity(delay)) return ticks(seconds(delay as Time, `${name}: the delay`), "the delay");
    const evaluate = delayExpression(part, delay, dt, key);
    for (let i = 0; i + 1 < rows.rows.length; i++)
      for (let k = rows.rows[i]; k < rows.rows[i + 1]; k++)
        result[k] = ticks(evaluate(k, i, rows.targets[k]), `the delay of synapse ${place(k)}`);
    return result;
  }
  if (delay.length !== size) throw new ConfigError(`${name}: ${delay.length} delays for ${size} synapses`);
  for (let k = 0; k < size; k++) result[k] = ticks(delay[place(k)], `the delay of synapse ${place(k)}`);
  return result;
}

/** An expression of parameters, i, j and draws, s, evaluated per synapse on the host. */
function delayExpression(
  part: Projection,
  text: string,
  dt: number,
  key: Key,
): (synapse: number, i: number, j: number) => number {
  const { checked } = part.model;
  const probe = { ...checked, variables: [...checked.variables, delayVariable] };
  const model = { ...part.model, checked: probe } as Model;
  const expression = inline(checked, { dt })(parseInitial(model, delayVariable.name, text));
  const graph = new Graph("float64");
  const node = new Lowering(graph, {
    name: (name) => {
      if (name === "i" || name === "j") return graph.input(name);
      throw new ConfigError(
        `${checked.name}: a delay may use parameters, i, j and random draws, not ${name}: ${text}`,
      );
    },
    random: (draw, args) => sparseDraw(graph, draw, args),
  }).lowerReal(expression);
  return (synapse, i, j) =>
    interpret(
      [node],
      new Proxy(
        { element: BigInt(synapse), tick: 0n, key0: BigInt(key[0]), key1: BigInt(key[1]), i, j },
        { get: (known: Record<string, bigint | number>, name: string) => known[name] ?? wordInput(name) },
      ),
      "float64",
    )[0] as number;
}

const wordInput = (name: string): bigint | undefined =>
  name.startsWith("#") ? BigInt(name.slice(1)) : undefined;

const delayVariable = {
  name: "delay",
  unit: "s",
  dimension: [0, 0, 1, 0, 0, 0, 0],
  scope: "synapse" as const,
  boolean: false,
  differential: false,
  unlessRefractory: false,
  weight: false,
};
