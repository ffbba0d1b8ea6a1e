/**
 * Dimensions of expressions: what a term is, and where two terms disagree.
 *
 * Rules are those of SI. A literal 0 fits any dimension where values are compared, assigned or chosen among.
 * Names of other cells are open until a synapse is connected: they agree with everything. Knows names only
 * through a function that says what each is.
 */
import {
  type Dimension,
  dimensionless,
  divideDimensions,
  formatDimension,
  multiplyDimensions,
  powerDimension,
  sameDimension,
  unitDimension,
} from "../math/units.ts";
import { type Expression, namesIn, type Operator, type Span } from "./expression.ts";

/** What a term is: a truth value, a literal 0, a quantity of unknown dimension, or one of a known dimension. */
export type Meaning = "truth" | "zero" | "open" | Dimension;
export type MeaningOf = (name: string) => Meaning;

/** Terms that do not fit together. Internal: check.ts turns it into a `ModelError` with model and line. */
export class Disagreement extends Error {
  override readonly name = "Disagreement";
  readonly span: Span | undefined;
  readonly title: string;

  constructor(span: Span | undefined, title: string, reason: string) {
    super(reason);
    this.span = span;
    this.title = title;
  }
}

export function describe(meaning: Meaning): string {
  if (meaning === "truth") return "a truth value";
  if (meaning === "open") return "not known yet";
  if (meaning === "zero" || sameDimension(meaning, dimensionless)) return "dimensionless";
  return formatDimension(meaning);
}

/** As a quantity: a literal 0 counts as dimensionless. */
const size = (meaning: Meaning): Dimension | "open" =>
  meaning === "open" ? "open" : meaning === "truth" || meaning === "zero" ? dimensionless : meaning;

const comparisons: ReadonlySet<string> = new Set(["<", "<=", ">", ">=", "==", "!="]);
/** Functions that keep dimensions, and those for which only numbers have a meaning. */
const keeping: ReadonlySet<string> = new Set(["abs", "min", "max", "clip", "mod"]);
const seconds: Dimension = unitDimension("s").dimension;
const titles = { dimensions: "dimensions disagree", kinds: "a truth value and a number are mixed" } as const;

/**
 * What `root` is. Throws `Disagreement` at the smallest term that has no meaning. `text` is where spans of
 * `root` count, to name terms in reasons.
 */
export function meaningOf(root: Expression, text: string, names: MeaningOf): Meaning {
  const slice = (node: Expression): string =>
    node.span ? text.slice(node.span.start, node.span.end).replace(/\s+/gu, " ") : "this term";

  function wrong(node: Expression, title: string, reason: string): never {
    throw new Disagreement(node.span ?? root.span, title, reason);
  }

  function quantity(node: Expression, within: Expression): Exclude<Meaning, "truth"> {
    const meaning = visit(node);
    if (meaning !== "truth") return meaning;
    const user = within.kind === "apply" ? operatorName(within.operator) : "poisson";
    return wrong(
      node,
      titles.kinds,
      `${user} needs numbers, ${slice(node)} is a truth value; int(...) makes it 0 or 1`,
    );
  }

  function truth(node: Expression, user: string): void {
    const meaning = visit(node);
    if (meaning === "truth" || meaning === "open") return;
    const binding = user === "not" ? "; not binds tighter than a comparison: write not (a < b)" : "";
    wrong(
      node,
      titles.kinds,
      `${user} needs a truth value, ${slice(node)} is ${describe(meaning)}${binding}`,
    );
  }

  function number(node: Expression, within: Expression): void {
    const meaning = size(quantity(node, within));
    if (meaning === "open" || sameDimension(meaning, dimensionless)) return;
    const user = within.kind === "apply" ? operatorName(within.operator) : "poisson";
    wrong(
      node,
      titles.dimensions,
      `${user} needs a dimensionless number, ${slice(node)} is ${describe(meaning)}`,
    );
  }

  function time(node: Expression): void {
    const meaning = size(quantity(node, root));
    if (meaning === "open" || sameDimension(meaning, seconds)) return;
    wrong(node, titles.dimensions, `flicker needs times, ${slice(node)} is ${describe(meaning)}`);
  }

  /** The one dimension of several terms. */
  function common(parts: readonly Expression[], within: Expression, zeroFits: boolean): Meaning {
    let found: Meaning | undefined;
    let owner: Expression | undefined;
    for (const part of parts) {
      const written = quantity(part, within);
      const meaning = written === "zero" && !zeroFits ? dimensionless : written;
      if (meaning === "zero" || meaning === "open") found ??= meaning;
      else if (found === undefined || found === "zero" || found === "open") [found, owner] = [meaning, part];
      else if (!sameDimension(found as Dimension, meaning))
        wrong(
          within,
          titles.dimensions,
          `${slice(owner!)} is ${describe(found)}, ${slice(part)} is ${describe(meaning)}`,
        );
      if (found === "zero" && meaning === "open") found = "open";
    }
    return found!;
  }

  function power(node: Expression, [base, exponent]: readonly Expression[]): Meaning {
    const from = size(quantity(base, node));
    number(exponent, node);
    if (from !== "open" && sameDimension(from, dimensionless)) return dimensionless;
    const by = constantValue(exponent);
    if (by === undefined && from === "open") return "open";
    if (by === undefined)
      return wrong(
        exponent,
        titles.dimensions,
        `${slice(base)} is ${describe(from)}, so its exponent must be a written number such as 2 or 1/2`,
      );
    return from === "open" ? "open" : powerDimension(from, by);
  }

  function operation(node: Expression & { kind: "apply" }): Meaning {
    const { operator, args } = node;
    if (operator === "+" || operator === "-") return common(args, node, false);
    if (operator === "*" || operator === "/") {
      const [a, b] = args.map((arg) => size(quantity(arg, node)));
      if (a === "open" || b === "open") return "open";
      return operator === "*" ? multiplyDimensions(a, b) : divideDimensions(a, b);
    }
    if (operator === "^") return power(node, args);
    if (operator === "negate") return quantity(args[0], node);
    if (comparisons.has(operator)) {
      common(args, node, true);
      return "truth";
    }
    if (operator === "and" || operator === "or" || operator === "not") {
      for (const arg of args) truth(arg, operator);
      return "truth";
    }
    if (operator === "select") {
      truth(args[0], "? :");
      return common(args.slice(1), node, true);
    }
    if (operator === "int") {
      truth(args[0], "int");
      return dimensionless;
    }
    if (keeping.has(operator)) return common(args, node, operator !== "mod");
    if (operator === "sqrt") {
      const under = size(quantity(args[0], node));
      return under === "open" ? "open" : powerDimension(under, 0.5);
    }
    if (operator === "sign" || operator === "normalize") {
      quantity(args[0], node);
      return dimensionless;
    }
    for (const arg of args) number(arg, node);
    return dimensionless;
  }

  const known = new Map<Expression, Meaning>();
  function visit(node: Expression): Meaning {
    let meaning = known.get(node);
    if (meaning === undefined) known.set(node, (meaning = look(node)));
    return meaning;
  }

  function look(node: Expression): Meaning {
    switch (node.kind) {
      case "number":
        return node.value === 0 ? "zero" : dimensionless;
      case "boolean":
        return "truth";
      case "name":
        return names(node.name);
      case "random":
        for (const arg of node.args)
          if (node.distribution === "flicker") time(arg);
          else number(arg, node);
        return dimensionless;
      default:
        return operation(node);
    }
  }

  return visit(root);
}

function operatorName(operator: Operator): string {
  return operator === "negate" ? "-" : operator === "select" ? "? :" : operator;
}

/** Value of an expression of written numbers and + - * / ^ only. */
export function constantValue(node: Expression): number | undefined {
  if (node.kind === "number") return node.value;
  if (node.kind !== "apply") return undefined;
  const args = node.args.map(constantValue);
  const [a, b] = args;
  if (a === undefined) return undefined;
  if (node.operator === "negate") return -a;
  if (b === undefined) return undefined;
  if (node.operator === "+") return a + b;
  if (node.operator === "-") return a - b;
  if (node.operator === "*") return a * b;
  if (node.operator === "/") return a / b;
  return undefined;
}

/** May a value of this meaning be given to something of dimension `wanted`? */
export function fits(meaning: Meaning, wanted: Dimension | "truth"): boolean {
  if (meaning === "open") return true;
  if (meaning === "truth" || wanted === "truth") return meaning === wanted;
  return meaning === "zero" || sameDimension(meaning, wanted);
}

/**
 * Of `candidates`, those that would make the whole expression fit `wanted` if one other name were replaced by
 * them. `wanted` undefined: anything without disagreement.
 */
export function repairs(
  root: Expression,
  text: string,
  names: MeaningOf,
  wanted: Dimension | "truth" | undefined,
  candidates: readonly { readonly name: string; readonly dimension: Dimension }[],
): string[] {
  const found = new Set<string>();
  for (const replaced of namesIn(root))
    for (const candidate of candidates) {
      const before = names(replaced);
      if (
        candidate.name === replaced ||
        (Array.isArray(before) && sameDimension(before, candidate.dimension))
      )
        continue;
      try {
        const meaning = meaningOf(root, text, (name) =>
          name === replaced ? candidate.dimension : names(name),
        );
        if (wanted === undefined || fits(meaning, wanted)) found.add(candidate.name);
      } catch (error) {
        if (!(error instanceof Disagreement)) throw error;
      }
    }
  return [...found];
}
