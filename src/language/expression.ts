/**
 * Expressions: what equation text becomes.
 *
 * Immutable plain data. An expression may be shared (a graph, not a tree): whoever walks one
 * remembers what it has seen by identity. Values are SI numbers; dimensions have been checked and are
 * gone. Knows nothing of models or machines.
 */

/** Where a term stands in its source text: characters [start, end). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export const arithmeticOperators = ["+", "-", "*", "/", "^", "negate"] as const;
export const comparisonOperators = ["<", "<=", ">", ">=", "==", "!="] as const;
export const logicalOperators = ["and", "or", "not"] as const;
/** Functions of the language with their number of arguments. `int` turns a truth value into 0 or 1. */
export const functionArity = {
  exp: 1,
  expm1: 1,
  log: 1,
  log10: 1,
  erfc: 1, // complementary error function
  sqrt: 1,
  sin: 1,
  cos: 1,
  tan: 1,
  sinh: 1,
  cosh: 1,
  tanh: 1,
  abs: 1,
  sign: 1,
  floor: 1,
  ceil: 1,
  round: 1,
  int: 1,
  mod: 2,
  min: 2,
  max: 2,
  clip: 3,
  normalize: 1, // x / |x|, the Euclidean norm over the presynaptic cells; 0 where the norm is 0
} as const;

export type FunctionName = keyof typeof functionArity;
/** `select` is `condition ? a : b`: args [condition, a, b]. */
export type Operator =
  | (typeof arithmeticOperators)[number]
  | (typeof comparisonOperators)[number]
  | (typeof logicalOperators)[number]
  | "select"
  | FunctionName;

/** `flicker`: a normal number whose spectrum over time is 1/f between two times; a function of time, not of the tick. */
export type Distribution = "uniform" | "normal" | "poisson" | "flicker";

export type Expression =
  | { readonly kind: "number"; readonly value: number; readonly span?: Span }
  | { readonly kind: "boolean"; readonly value: boolean; readonly span?: Span }
  | { readonly kind: "name"; readonly name: string; readonly span?: Span }
  | {
      readonly kind: "apply";
      readonly operator: Operator;
      readonly args: readonly Expression[];
      readonly span?: Span;
    }
  | {
      /** A draw: a function of (seed, part, `stream`, element, tick). `stream` counts the draws of a model's text. */
      readonly kind: "random";
      readonly distribution: Distribution;
      readonly stream: number;
      readonly args: readonly Expression[]; // poisson: [mean]; flicker: [shortest, longest]
      readonly span?: Span;
    };

export const number = (value: number): Expression => ({ kind: "number", value });
export const name = (text: string): Expression => ({ kind: "name", name: text });
export const apply = (operator: Operator, ...args: Expression[]): Expression => ({
  kind: "apply",
  operator,
  args,
});

/** Calls `visit` once for every distinct node, arguments first. */
export function walk(
  root: Expression,
  visit: (node: Expression) => void,
  seen = new Set<Expression>(),
): void {
  if (seen.has(root)) return;
  seen.add(root);
  if (root.kind === "apply" || root.kind === "random") for (const arg of root.args) walk(arg, visit, seen);
  visit(root);
}

/** Every name that occurs in `root`. */
export function namesIn(root: Expression): Set<string> {
  const names = new Set<string>();
  walk(root, (node) => {
    if (node.kind === "name") names.add(node.name);
  });
  return names;
}

/** `root` with names replaced; shared parts stay shared. */
export function substitute(
  root: Expression,
  replacement: ReadonlyMap<string, Expression>,
  done = new Map<Expression, Expression>(),
): Expression {
  const known = done.get(root);
  if (known) return known;
  let result = root;
  if (root.kind === "name") result = replacement.get(root.name) ?? root;
  else if (root.kind === "apply" || root.kind === "random") {
    const args = root.args.map((arg) => substitute(arg, replacement, done));
    if (args.some((arg, k) => arg !== root.args[k])) result = { ...root, args };
  }
  done.set(root, result);
  return result;
}
