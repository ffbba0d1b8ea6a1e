/**
 * What the pulses of a device are where many come at once: which of its variables each pulse moves, which only the last.
 *
 * Expressions of the model's text (language/pulse.ts), with parameters as numbers, made cheap for a loop over pulses: what
 * divides and does not change from pulse to pulse becomes a factor. That moves float32 results by an ulp or two.
 */
import { quietRead, readSd } from "../device/read.ts";
import { fold, inline, minus, product, quotient, sum } from "../language/algebra.ts";
import type { CheckedModel } from "../language/checked.ts";
import { type Expression, namesIn, number, substitute, walk } from "../language/expression.ts";
import { outcome } from "../language/pulse.ts";
import { ConfigError } from "../math/errors.ts";

export type Draw = Extract<Expression, { kind: "random" }>;
export const distributions = ["normal", "uniform"] as const;
export type Distribution = (typeof distributions)[number];

/** Numbers of each distribution that a pulse takes, and that the last of an update takes. */
export type Slots = Readonly<Record<Distribution, number>>;

type Values = ReadonlyMap<string, Expression>; // by variable

/** What one pulse of a model does: `each` pulse to some variables, only the `last` to the others. */
export interface Pulse {
  readonly each: Values;
  readonly last: Values;
  /** What the first of an update does, where that depends on the time since the last pulse. */
  readonly first?: Values;
}

/** Pulses of a model that raise a weight, and that lower it. */
export interface Directions {
  readonly up?: string;
  readonly down?: string;
}

/** A model's pulses as they are compiled. */
export interface Plan {
  readonly model: CheckedModel;
  readonly pulses: Readonly<Partial<Record<keyof Directions, Pulse>>>;
  readonly drift?: Expression;
  readonly quiet: Expression;
  readonly sd?: Expression;
  readonly slots: { readonly each: Slots; readonly last: Slots };
  /** Variables that pulses or looks need. */
  readonly used: ReadonlySet<string>;
}

function drawsIn(expressions: Iterable<Expression>): Draw[] {
  const found = new Map<number, Draw>();
  for (const expression of expressions)
    walk(expression, (node) => {
      if (node.kind === "random") found.set(node.stream, node);
    });
  return [...found.values()];
}

const counted = (draws: readonly Draw[]): Slots => ({
  normal: draws.filter((draw) => draw.distribution === "normal").length,
  uniform: draws.filter((draw) => draw.distribution === "uniform").length,
});

const larger = (a: Slots, b: Slots): Slots => ({
  normal: Math.max(a.normal, b.normal),
  uniform: Math.max(a.uniform, b.uniform),
});

/** `Gd` written out, at an age if one is given. */
function drifted(root: Expression, drift: Expression | undefined, age: Expression | undefined): Expression {
  if (!drift) return root;
  const Gd = age ? substitute(drift, new Map([["age", age]])) : drift;
  return substitute(root, new Map([["Gd", Gd]]));
}

/**
 * The same value without sums and products with 0 and 1, and with factors in place of divisors that contain no name of
 * `moving` and no draw.
 */
function lean(root: Expression, moving: ReadonlySet<string>): Expression {
  const still = (node: Expression): boolean =>
    drawsIn([node]).length === 0 && ![...namesIn(node)].some((each) => moving.has(each));
  const done = new Map<Expression, Expression>();
  const made = (node: Expression): Expression => {
    if (node.kind !== "apply") return node;
    const args = node.args.map(leaned);
    const [a, b] = args;
    switch (node.operator) {
      case "+":
        return sum(a, b);
      case "-":
        return sum(a, minus(b));
      case "*":
        return product(a, b);
      case "negate":
        return minus(a);
      case "/":
        return still(b) && !still(a) ? product(a, quotient(number(1), b)) : quotient(a, b);
      default:
        return fold({ ...node, args });
    }
  };
  const leaned = (node: Expression): Expression => {
    const known = done.get(node) ?? made(node);
    done.set(node, known);
    return known;
  };
  return leaned(root);
}

/** What is to be compiled of a device. Throws `ConfigError` for draws other than normal and uniform ones. */
export function planOf(model: CheckedModel, directions: Directions): Plan {
  const inlined = inline(model);
  const drift = model.drift && inlined(model.drift);
  const handlers = Object.entries(directions).filter(([, name]) => name !== undefined);
  const outcomes = handlers.map(([direction, name]) => [direction, outcome(model, name, inlined)] as const);
  const assigned = new Set(outcomes.flatMap(([, values]) => [...values.keys()]));
  const looked = new Set(drift ? namesIn(drift) : []);
  for (const [, values] of outcomes)
    for (const value of values.values()) for (const name of namesIn(value)) looked.add(name);
  const isLast = (variable: string): boolean =>
    !looked.has(variable) &&
    outcomes.every(([, values]) => {
      const value = values.get(variable);
      return value !== undefined && ![...namesIn(value)].some((name) => assigned.has(name) || name === "Gd");
    });
  const last = new Set([...assigned].filter(isLast));
  const moving = new Set([...assigned, "Gd", "age"]);
  const cheap = (values: Values, age?: Expression): Values =>
    new Map([...values].map(([variable, value]) => [variable, lean(drifted(value, drift, age), moving)]));
  const pulses = Object.fromEntries(
    outcomes.map(([direction, values]): [string, Pulse] => {
      const part = (which: boolean) =>
        new Map([...values].filter(([variable]) => last.has(variable) === which));
      const ages = [...values.values()].some((value) => namesIn(value).has("Gd"));
      return [
        direction,
        {
          each: cheap(part(false), number(0)),
          last: cheap(part(true)),
          first: ages ? cheap(part(false)) : undefined,
        },
      ];
    }),
  );
  const slots = (part: "each" | "last"): Slots =>
    Object.values(pulses)
      .map((pulse) => counted(drawsIn(pulse[part].values())))
      .reduce(larger, { normal: 0, uniform: 0 });
  for (const [, values] of outcomes)
    for (const { distribution } of drawsIn(values.values()))
      if (!(distributions as readonly string[]).includes(distribution))
        throw new ConfigError(
          `${model.name} draws ${distribution} numbers in a pulse; crossings of trains draw normal and uniform ones`,
        );
  let sd: Expression | undefined;
  if (drawsIn([inlined(model.read as Expression)]).length > 0) sd = inlined(readSd(model));
  const quiet = inlined(quietRead(model));
  const values = Object.values(pulses).flatMap(({ each, last, first }) =>
    [each, last, first ?? new Map()].flatMap((part: Values) => [...part.values()]),
  );
  const names = [...values, quiet, ...(sd ? [sd] : []), ...(drift ? [drift] : [])].flatMap((value) => [
    ...namesIn(value),
  ]);
  return {
    model,
    pulses,
    drift,
    quiet,
    sd,
    used: new Set([...names, ...assigned]),
    slots: { each: slots("each"), last: slots("last") },
  };
}
