/**
 * Models without units, and a plain float64 evaluator of their steps: what the tests of integration stand on.
 *
 * Only parsing of right sides is shared with the program; names of noise are found here, values are computed here.
 */
import { fold, linearity } from "../../src/language/algebra.ts";
import type {
  CheckedModel,
  Derivative,
  Derived,
  Method,
  Scope,
  Variable,
} from "../../src/language/checked.ts";
import { type Expression, namesIn, walk } from "../../src/language/expression.ts";
import type { Step } from "../../src/language/integrate.ts";
import { parseExpression } from "../../src/language/parse.ts";
import { type Key, randomKey, uniform } from "../../src/math/random.ts";

export const parse = (text: string, streams = { next: 0 }): Expression =>
  parseExpression({ model: "test", part: "", text }, streams);

type Dimension = Variable["dimension"];
const dimension = [0, 0, 0, 0, 0, 0, 0] as unknown as Dimension;

export interface Definition {
  readonly parameters?: Readonly<Record<string, number>>;
  readonly refractory?: string;
  readonly method?: Method | Readonly<Record<string, Method>>;
  readonly kind?: CheckedModel["kind"];
}

/** A checked model of lines `dx/dt = … (flags)`, `x = …` and `x (flags)`; numbers are SI. */
export function model(text: string, definition: Definition = {}): CheckedModel {
  const streams = { next: 0 };
  const shared = new Map<string, number>();
  const kind = definition.kind ?? "neuron";
  const variables: Variable[] = [];
  const derived: Derived[] = [];
  const derivatives: Derivative[] = [];
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (line === "") continue;
    const [, left, right, flags = ""] =
      /^([^=]*?)\s*(?:=\s*(.*?))?\s*(?:\(((?:unless|pre|post|shared|weight)[^)]*)\))?$/.exec(line)!;
    const differential = /^d(\w+)\/dt$/.exec(left);
    const name = differential?.[1] ?? left;
    const given = (["pre", "post", "shared"] as const).find((word) => flags.split(/,\s*/).includes(word));
    const scope: Scope = given ?? (kind === "synapse" ? "synapse" : "cell");
    const common = { name, unit: "", dimension, scope, boolean: false };
    if (differential) {
      const whole = parse(right, streams);
      const sources = [...namesIn(whole)].filter((used) => /^xi(_|$)/.test(used));
      const form = fold(whole);
      const parts = linearity(form, new Set(sources));
      if (!parts.affine) throw new Error(`noise must enter linearly: ${line}`);
      const noise = sources.map((source) => {
        const stream = (source === "xi" ? undefined : shared.get(source)) ?? streams.next++;
        if (source !== "xi") shared.set(source, stream);
        return { source, stream, factor: parts.coefficients.get(source)! };
      });
      derivatives.push({ variable: name, drift: sources.length > 0 ? parts.constant : whole, noise });
    } else if (right) derived.push({ ...common, value: parse(right, streams) });
    if (differential || !right) {
      variables.push({
        ...common,
        differential: differential !== null,
        unlessRefractory: flags.includes("unless refractory"),
        weight: flags.includes("weight"),
      });
    }
  }
  return {
    kind,
    name: "Test",
    source: "",
    variables,
    derived,
    derivatives,
    parameters: Object.entries(definition.parameters ?? {}).map(([name, value]) => ({
      name,
      value,
      text: String(value),
      dimension,
    })),
    arguments: [],
    method: definition.method ?? "auto",
    reset: [],
    refractory: definition.refractory === undefined ? undefined : parse(definition.refractory),
    handlers: {},
    initial: {},
    streams: streams.next,
  };
}

export type Values = Record<string, number>;
export type Draw = (node: Extract<Expression, { kind: "random" }>, args: readonly number[]) => number;

const operations: Record<string, (...x: number[]) => number> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => a ** b,
  negate: (a) => -a,
  "<": (a, b) => +(a < b),
  "<=": (a, b) => +(a <= b),
  ">": (a, b) => +(a > b),
  ">=": (a, b) => +(a >= b),
  "==": (a, b) => +(a === b),
  "!=": (a, b) => +(a !== b),
  and: (a, b) => +(a !== 0 && b !== 0),
  or: (a, b) => +(a !== 0 || b !== 0),
  not: (a) => +(a === 0),
  select: (a, b, c) => (a !== 0 ? b : c),
  int: (a) => a,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  mod: (a, b) => a - b * Math.floor(a / b),
  clip: (a, low, high) => Math.min(Math.max(a, low), high),
};

/** A function from values of names (truth values 1 and 0) to the values of `roots`; each node is computed once. */
export function evaluator(roots: readonly Expression[]): (values: Values, draw?: Draw) => number[] {
  const nodes: Expression[] = [];
  const seen = new Set<Expression>();
  for (const root of roots) walk(root, (node) => nodes.push(node), seen);
  const place = new Map(nodes.map((node, k) => [node, k]));
  const results = new Float64Array(nodes.length);
  const program = nodes.map((node) => {
    const args =
      node.kind === "apply" || node.kind === "random" ? node.args.map((arg) => place.get(arg)!) : [];
    const operation =
      node.kind === "apply"
        ? (operations[node.operator] ?? (Math[node.operator as "exp"] as (x: number) => number))
        : undefined;
    return { node, args, operation };
  });
  return (values, draw) => {
    program.forEach(({ node, args, operation }, k) => {
      if (operation) results[k] = operation(results[args[0]], results[args[1]], results[args[2]]);
      else if (node.kind === "number" || node.kind === "boolean") results[k] = Number(node.value);
      else if (node.kind === "random")
        results[k] = draw!(
          node,
          args.map((arg) => results[arg]),
        );
      else if (node.kind === "name") {
        if (!(node.name in values)) throw new Error(`no value for ${node.name}`);
        results[k] = values[node.name];
      }
    });
    return roots.map((root) => results[place.get(root)!]);
  };
}

export const evaluate = (root: Expression, values: Values = {}, draw?: Draw): number =>
  evaluator([root])(values, draw)[0];

/** Advances `start` by `ticks` steps; `t` counts from `start.t`, or from 0. Returns all values. */
export function advance(
  step: Step,
  dt: number,
  start: Values,
  ticks: number,
  draws?: (tick: number) => Draw,
): Values {
  const names = [...step.next.keys()];
  const next = evaluator([...step.next.values()]);
  const values: Values = { t: 0, not_refractory: 1, ...start };
  const from = values.t;
  for (let tick = 0; tick < ticks; tick++) {
    values.t = from + tick * dt;
    const later = next(values, draws?.(tick));
    names.forEach((name, k) => {
      values[name] = later[k];
    });
  }
  values.t = from + ticks * dt;
  return values;
}

/** Draws by address: of a seed, for one element. Normal numbers by Box and Muller. */
export function draws(seed: string | number, element: number): (tick: number) => Draw {
  const key: Key = randomKey(seed);
  return (tick) => (node) => {
    const first = uniform(key, node.stream, element, tick, 0);
    if (node.distribution === "uniform") return first;
    if (node.distribution === "poisson") throw new Error("not needed here");
    return (
      Math.sqrt(-2 * Math.log(first)) * Math.cos(2 * Math.PI * uniform(key, node.stream, element, tick, 1))
    );
  };
}

/**
 * The observed order of convergence: the least-squares slope of log error over log dt, for dt halved `halvings`
 * times from `coarsest`; `error` is of a run with step dt.
 */
export function observedOrder(coarsest: number, halvings: number, error: (dt: number) => number): number {
  const points = Array.from({ length: halvings + 1 }, (_, k) => {
    const dt = coarsest / 2 ** k;
    return [Math.log(dt), Math.log(error(dt))];
  });
  const mean = (k: number) => points.reduce((sum, point) => sum + point[k], 0) / points.length;
  const [x0, y0] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - x0) * (y - y0), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - x0) ** 2, 0);
}

/** How many distinct nodes `roots` have together. */
export function nodeCount(roots: Iterable<Expression>): number {
  const seen = new Set<Expression>();
  for (const root of roots) walk(root, () => {}, seen);
  return seen.size;
}
