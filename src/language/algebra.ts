/**
 * Symbolic work on expressions: constants folded, names inlined, derivatives, linearity.
 *
 * Folding keeps the bits: only parts made of constants are computed, and only identities that hold for every
 * float64 (-0 and NaN included) are used; nothing is re-associated, x * 0 stays. What is *derived* from an
 * expression (its derivative, its coefficients) is new and is built without needless zeros and ones.
 * Shared parts stay shared. Constants are computed to the last bit on every machine (doubledouble.ts).
 */
import * as wide from "../math/doubledouble.ts";
import type { CheckedModel } from "./checked.ts";
import { apply, type Expression, number, type Operator, substitute, walk } from "./expression.ts";
import { print } from "./print.ts";

// ---- folding ----------------------------------------------------------------------------------

/** `root` with its constant parts computed. `done` may be kept to share work between calls. */
export function fold(root: Expression, done = new Map<Expression, Expression>()): Expression {
  const known = done.get(root);
  if (known) return known;
  let result = root;
  if (root.kind === "apply" || root.kind === "random") {
    const args = root.args.map((arg) => fold(arg, done));
    const changed = args.some((arg, k) => arg !== root.args[k]);
    const rebuilt = changed ? { ...root, args } : root;
    result = rebuilt.kind === "apply" ? (folded(rebuilt.operator, args) ?? rebuilt) : rebuilt;
  }
  done.set(root, result);
  return result;
}

const isNumber = (node: Expression, value: number): boolean =>
  node.kind === "number" && Object.is(node.value, value);

/** What `operator` of `args` is known to be, or undefined. */
function folded(operator: Operator, args: readonly Expression[]): Expression | undefined {
  const [a, b, c] = args;
  if (operator === "select" && a.kind === "boolean") return a.value ? b : c;
  if (operator === "not" && a.kind === "boolean") return { kind: "boolean", value: !a.value };
  if (operator === "int" && a.kind === "boolean") return number(a.value ? 1 : 0);
  if (operator === "and" || operator === "or") {
    const absorbing = operator === "or";
    for (const [known, other] of [
      [a, b],
      [b, a],
    ]) {
      if (known.kind === "boolean") return known.value === absorbing ? known : other;
    }
  }
  if (args.every((arg) => arg.kind === "number")) {
    const value = computed(
      operator,
      args.map((arg) => arg.value),
    );
    if (typeof value === "number") return number(value);
    if (typeof value === "boolean") return { kind: "boolean", value };
    return undefined;
  }
  switch (operator) {
    case "+":
      return isNumber(a, -0) ? b : isNumber(b, -0) ? a : undefined; // x + 0 is not x where x is -0
    case "-":
      return isNumber(b, 0) ? a : undefined;
    case "*":
      if (isNumber(a, 1)) return b;
      if (isNumber(b, 1)) return a;
      return isNumber(a, -1) ? opposite(b) : isNumber(b, -1) ? opposite(a) : undefined;
    case "/":
      return isNumber(b, 1) ? a : isNumber(b, -1) ? opposite(a) : undefined;
    case "^":
      return isNumber(b, 1) ? a : isNumber(b, 0) || isNumber(b, -0) ? number(1) : undefined;
    case "negate":
      return a.kind === "apply" && a.operator === "negate" ? a.args[0] : undefined;
    default:
      return undefined;
  }
}

const opposite = (node: Expression): Expression =>
  node.kind === "apply" && node.operator === "negate" ? node.args[0] : apply("negate", node);

const functions: Partial<Record<Operator, (...x: number[]) => number | boolean | undefined>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": wide.pow,
  negate: (a) => -a,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  exp: wide.exp,
  expm1: wide.expm1,
  log: wide.log,
  log10: wide.log10,
  sqrt: Math.sqrt,
  sin: (a) => (Math.abs(a) <= wide.largestAngle ? wide.sin(a) : undefined),
  cos: (a) => (Math.abs(a) <= wide.largestAngle ? wide.cos(a) : undefined),
  tan: (a) => (Math.abs(a) <= wide.largestAngle ? wide.tan(a) : undefined),
  sinh: wide.sinh,
  cosh: wide.cosh,
  tanh: wide.tanh,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: (a) => (Math.abs(a % 1) === 0.5 ? undefined : Math.round(a)), // a tie is the machine's to break
  min: Math.min,
  max: Math.max,
  clip: (a, low, high) => Math.min(Math.max(a, low), high),
};

const computed = (operator: Operator, values: readonly number[]) => functions[operator]?.(...values);

// ---- building ---------------------------------------------------------------------------------

const isZero = (node: Expression): boolean => node.kind === "number" && node.value === 0;

/** a + b, a b, a / b and -a without zeros and ones: for expressions that are derived, not given. */
export function sum(a: Expression, b: Expression): Expression {
  if (isZero(a)) return b;
  if (isZero(b)) return a;
  if (isNegation(a) && isNegation(b)) return minus(sum(a.args[0], b.args[0]));
  if (isNegation(b)) return built("-", a, b.args[0]);
  if (isNegation(a))
    return b.kind === "number" && b.value < 0 ? minus(sum(a.args[0], minus(b))) : built("-", b, a.args[0]);
  return built("+", a, b);
}

export function product(a: Expression, b: Expression): Expression {
  if (isZero(a) || isZero(b)) return number(0);
  if (isNegation(a)) return minus(product(a.args[0], b));
  if (isNegation(b)) return minus(product(a, b.args[0]));
  return built("*", a, b);
}

export function quotient(a: Expression, b: Expression): Expression {
  if (isZero(a)) return number(0);
  if (isNegation(a)) return minus(quotient(a.args[0], b));
  return built("/", a, b);
}

export const minus = (a: Expression): Expression => (a.kind === "number" ? number(-a.value) : opposite(a));

/** factor * node, the factor joined to one that is already there: for coefficients of a method. */
export function scaled(node: Expression, factor: number): Expression {
  if (node.kind === "number") return number(node.value * factor);
  if (node.kind === "apply") {
    const [a, b] = node.args;
    if (node.operator === "negate") return scaled(a, -factor);
    if (node.operator === "/" && b.kind === "number") return scaled(a, factor / b.value);
    if (node.operator === "/" && a.kind === "number") return built("/", number(factor * a.value), b);
    if (node.operator === "*" && b.kind === "number") return scaled(a, factor * b.value);
    if (node.operator === "*" && a.kind === "number") return scaled(b, factor * a.value);
  }
  return product(node, number(factor));
}

type Application = Extract<Expression, { kind: "apply" }>;
const isNegation = (node: Expression): node is Application =>
  node.kind === "apply" && node.operator === "negate";

const built = (operator: Operator, ...args: Expression[]): Expression =>
  folded(operator, args) ?? apply(operator, ...args);

// ---- names ------------------------------------------------------------------------------------

/**
 * A function that replaces parameters by their numbers and derived names by their definitions, and folds.
 * What it is given twice it gives back as the same node, so expressions of one model share their parts.
 * `constants` are further names with a number, such as dt.
 */
export function inline(
  model: Pick<CheckedModel, "parameters" | "derived">,
  constants: Readonly<Record<string, number>> = {},
): (root: Expression) => Expression {
  const replacement = new Map<string, Expression>();
  for (const [name, value] of Object.entries(constants)) replacement.set(name, number(value));
  for (const { name, value } of model.parameters) replacement.set(name, number(value));
  const substituted = new Map<Expression, Expression>();
  const done = new Map<Expression, Expression>();
  const inlined = (root: Expression) => fold(substitute(root, replacement, substituted), done);
  // each definition uses only earlier ones, so names met before their definition cannot be remembered wrongly
  for (const { name, value } of model.derived) replacement.set(name, inlined(value));
  return inlined;
}

// ---- derivatives ------------------------------------------------------------------------------

/**
 * The derivative of `root` with respect to a name; or along a direction: the sum over names of the derivative with
 * respect to each times its `seeds` value, which may be any expression (forward mode: seed a variable with its own
 * derivative with respect to a parameter, and the parameter with 1). Piecewise functions are differentiated on their
 * pieces (the derivative of floor, sign and int is 0, conditions do not count); draws are constants.
 * Throws where there is none: a truth value, `normalize` of something that depends on the name.
 */
export function differentiate(
  root: Expression,
  seeds: string | ReadonlyMap<string, Expression>,
  done = new Map<Expression, Expression>(),
): Expression {
  const directions = typeof seeds === "string" ? new Map([[seeds, number(1)]]) : seeds;
  const derive = (node: Expression): Expression => {
    const known = done.get(node);
    if (known) return known;
    let result: Expression = number(0);
    if (node.kind === "name") result = directions.get(node.name) ?? result;
    if (node.kind === "apply") result = chain(node, derive);
    done.set(node, result);
    return result;
  };
  return derive(root);
}

function chain(node: Application, derive: (node: Expression) => Expression): Expression {
  const { operator, args } = node;
  const [a, b, c] = args;
  const inner = (k: number) => derive(args[k]);
  const times = (factor: Expression) => product(factor, inner(0));
  const choose = (condition: Expression, yes: Expression, no: Expression) =>
    yes === no || (isZero(yes) && isZero(no)) ? yes : apply("select", condition, yes, no);
  switch (operator) {
    case "+":
      return sum(inner(0), inner(1));
    case "-":
      return sum(inner(0), minus(inner(1)));
    case "*":
      return sum(product(inner(0), b), product(a, inner(1)));
    case "/":
      return sum(quotient(inner(0), b), minus(quotient(product(node, inner(1)), b)));
    case "^": {
      // a base of 0 has a derivative too, except with exponents between 0 and 1: there a large number stands for infinity
      const base = b.kind === "number" ? a : apply("max", a, number(leastBase));
      const ofBase = isZero(inner(0)) ? number(0) : product(product(b, power(base, b)), inner(0));
      return isZero(inner(1)) ? ofBase : sum(ofBase, product(product(node, apply("log", base)), inner(1)));
    }
    case "negate":
      return minus(inner(0));
    case "select":
      return choose(a, inner(1), inner(2));
    case "exp":
      return times(node);
    case "expm1":
      return times(apply("exp", a));
    case "log":
      return quotient(inner(0), a);
    case "log10":
      return quotient(inner(0), product(a, number(Math.LN10)));
    case "erfc": // d erfc(a) = -2 / sqrt(pi) exp(-a^2) da
      return times(product(number(-2 / Math.sqrt(Math.PI)), apply("exp", minus(product(a, a)))));
    case "sqrt": // as with powers: 0 where a constant 0 is under the root
      return quotient(inner(0), product(number(2), apply("max", node, number(leastBase))));
    case "sin":
      return times(apply("cos", a));
    case "cos":
      return times(minus(apply("sin", a)));
    case "tan":
      return times(sum(number(1), product(node, node)));
    case "sinh":
      return times(apply("cosh", a));
    case "cosh":
      return times(apply("sinh", a));
    case "tanh":
      return times(sum(number(1), minus(product(node, node))));
    case "abs":
      return times(apply("sign", a));
    case "min":
      return choose(apply("<=", a, b), inner(0), inner(1));
    case "max":
      return choose(apply(">=", a, b), inner(0), inner(1));
    case "clip":
      return choose(apply("<", a, b), inner(1), choose(apply(">", a, c), inner(2), inner(0)));
    case "mod": // a - b floor(a / b)
      return sum(inner(0), minus(product(apply("floor", apply("/", a, b)), inner(1))));
    case "normalize":
      if (isZero(inner(0))) return number(0);
      throw new Error(`${print(node, 4)} has no derivative for one cell: it depends on all of them`);
    default:
      return number(0); // floor, ceil, round, sign, int, truth values
  }
}

const leastBase = 2 ** -1022;

/** base^(exponent - 1) */
function power(base: Expression, exponent: Expression): Expression {
  const less = sum(exponent, number(-1));
  return isNumber(less, 1) ? base : isNumber(less, 0) ? number(1) : apply("^", base, less);
}

// ---- linearity --------------------------------------------------------------------------------

/** sum over k of coefficients[k] * k, plus constant; or, when it is not that, the smallest part to blame. */
export type Linearity =
  | {
      readonly affine: true;
      readonly coefficients: ReadonlyMap<string, Expression>;
      readonly constant: Expression;
    }
  | { readonly affine: false; readonly term: Expression };

const none: ReadonlyMap<string, Expression> = new Map();

/**
 * `root` as an affine function of `states`, with coefficients free of them. Draws count as free of the states: a
 * draw has one value a tick. Linear by structure only: x * y / y is not found to be linear.
 */
export function linearity(root: Expression, states: ReadonlySet<string>): Linearity {
  const done = new Map<Expression, Linearity>();
  const decompose = (node: Expression): Linearity => {
    const known = done.get(node);
    if (known) return known;
    const result = decomposed(node, states, decompose);
    done.set(node, result);
    return result;
  };
  return decompose(root);
}

function decomposed(
  node: Expression,
  states: ReadonlySet<string>,
  decompose: (node: Expression) => Linearity,
): Linearity {
  if (node.kind === "name" && states.has(node.name)) {
    return { affine: true, coefficients: new Map([[node.name, number(1)]]), constant: number(0) };
  }
  const free: Linearity = { affine: true, coefficients: none, constant: node };
  if (node.kind !== "apply") return free;
  const parts = node.args.map(decompose);
  const bad = parts.find((part) => !part.affine);
  if (bad) return bad;
  const affine = parts as Extract<Linearity, { affine: true }>[];
  if (affine.every((part) => part.coefficients.size === 0)) {
    const untouched = affine.every((part, k) => part.constant === node.args[k]);
    return untouched
      ? free
      : { ...free, constant: built(node.operator, ...affine.map((part) => part.constant)) };
  }
  const [a, b] = affine;
  const blame: Linearity = { affine: false, term: node };
  switch (node.operator) {
    case "+":
      return joined(a, b, sum);
    case "-":
      return joined(a, b, (x, y) => sum(x, minus(y)));
    case "negate":
      return mapped(a, minus);
    case "*":
      if (a.coefficients.size === 0) return mapped(b, (x) => product(a.constant, x));
      return b.coefficients.size === 0 ? mapped(a, (x) => product(x, b.constant)) : blame;
    case "/":
      return b.coefficients.size === 0 ? mapped(a, (x) => quotient(x, b.constant)) : blame;
    case "select":
      if (a.coefficients.size > 0) return blame;
      return joined(b, affine[2], (x, y) =>
        x === y || (isZero(x) && isZero(y)) ? x : apply("select", a.constant, x, y),
      );
    default:
      return blame;
  }
}

type Affine = Extract<Linearity, { affine: true }>;

const mapped = (a: Affine, change: (x: Expression) => Expression): Affine =>
  joined(a, { affine: true, coefficients: none, constant: number(0) }, change);

/** Joins term by term; a term that cancels to 0 is dropped. */
function joined(a: Affine, b: Affine, join: (x: Expression, y: Expression) => Expression): Affine {
  const coefficients = new Map<string, Expression>();
  for (const name of new Set([...a.coefficients.keys(), ...b.coefficients.keys()])) {
    const coefficient = join(a.coefficients.get(name) ?? number(0), b.coefficients.get(name) ?? number(0));
    if (!isZero(coefficient)) coefficients.set(name, coefficient);
  }
  return { affine: true, coefficients, constant: join(a.constant, b.constant) };
}

/** Whether a draw occurs in `root`. */
export function hasDraw(root: Expression): boolean {
  let found = false;
  walk(root, (node) => {
    found ||= node.kind === "random";
  });
  return found;
}
