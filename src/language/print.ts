/**
 * Expressions as text: for messages, and for tests that show what a model became.
 *
 * Reads back as the same expression: parentheses stand wherever the order of operations, association
 * included, would otherwise change. Knows nothing of units.
 */
import type { Expression } from "./expression.ts";

// how tightly an operator binds; arguments that bind no tighter than required are put in parentheses
const binding: Record<string, number> = {
  select: 1,
  or: 2,
  and: 3,
  "==": 4,
  "!=": 4,
  "<": 4,
  "<=": 4,
  ">": 4,
  ">=": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  negate: 7,
  not: 7,
  "^": 8,
};
const ATOM = 9;

const draws = { uniform: "rand", normal: "randn", poisson: "poisson", flicker: "flicker" } as const;

/** The text of `root`; parts nested deeper than `depth` operations become `…`. */
export function print(root: Expression, depth = Number.POSITIVE_INFINITY): string {
  return text(root, depth).text;
}

function text(node: Expression, depth: number): { text: string; binds: number } {
  if (node.kind === "name") return { text: node.name, binds: ATOM };
  if (node.kind === "boolean") return { text: String(node.value), binds: ATOM };
  if (node.kind === "number") {
    const below = node.value < 0 || Object.is(node.value, -0);
    return { text: below ? `-${-node.value}` : String(node.value), binds: below ? binding.negate : ATOM };
  }
  if (depth <= 0) return { text: "…", binds: ATOM };
  const part = (k: number, tighterThan: number): string => {
    const inner = text(node.args[k], depth - 1);
    return inner.binds > tighterThan ? inner.text : `(${inner.text})`;
  };
  const call = (name: string) => `${name}(${node.args.map((_, k) => part(k, 0)).join(", ")})`;
  if (node.kind === "random") return { text: call(draws[node.distribution]), binds: ATOM };
  const { operator } = node;
  const binds = binding[operator];
  if (binds === undefined) return { text: call(operator), binds: ATOM };
  if (operator === "select")
    return { text: `${part(0, binds)} ? ${part(1, binds)} : ${part(2, binds)}`, binds };
  if (operator === "negate") return { text: `-${part(0, binds)}`, binds };
  if (operator === "not") return { text: `not ${part(0, binds)}`, binds };
  if (operator === "^") return { text: `${part(0, binds)}^${part(1, binds)}`, binds };
  return { text: `${part(0, binds - 1)} ${operator} ${part(1, binds)}`, binds };
}
