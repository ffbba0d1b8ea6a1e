/**
 * The functions of the language as graphs of primitive operations.
 *
 * One definition serves the interpreter, machine code and the host, so all give the same bits on every
 * machine. Domains and errors stand at each function; max ulps measured are in test/wasm/functions.test.ts.
 */
import type { FunctionName } from "../language/expression.ts";
import { cos, sin, tan } from "./angles.ts";
import { exactProduct, withSign } from "./exact.ts";
import { cosh, exp, expm1, log, sinh, tanh } from "./exponential.ts";
import { Graph, type Node, type Precision } from "./graph.ts";
import { interpret } from "./interpret.ts";
import { log10, pow } from "./powers.ts";

/** The sign of x: -1, 1, or x itself where it is 0 or NaN. */
function sign(g: Graph, x: Node): Node {
  const zero = g.constant(0);
  const positive = g.select(g.node("gt", [x, zero]), g.constant(1), x);
  return g.select(g.node("lt", [x, zero]), g.constant(-1), positive);
}

/**
 * x modulo y with the sign of y, as in Python and Brian2: x - y floor(x / y), the product without error, then
 * one y added where rounding lifted the quotient to a whole number. Below 1 ulp for |x / y| < 2^52 (float32:
 * 2^23); NaN for y = 0 and for infinite x.
 */
function mod(g: Graph, x: Node, y: Node): Node {
  const zero = g.constant(0);
  const whole = exactProduct(g, y, g.node("floor", [g.div(x, y)]));
  const rest = g.sub(g.sub(x, whole.high), whole.low);
  const wrongSide = g.node("lt", [g.mul(withSign(g, g.constant(1), y), rest), zero]);
  const finite = g.select(wrongSide, g.add(rest, y), rest);
  if (y.op === "constant" && Number.isFinite(y.value)) return finite;
  // an infinite divisor leaves x, or is the result where the signs differ
  const size = g.node("abs", [y]);
  const same = g.select(g.node("lt", [g.node("abs", [x]), size]), x, g.constant(Number.NaN));
  const infinite = g.select(g.node("lt", [g.mul(x, y), zero]), y, same);
  return g.select(g.node("eq", [size, g.constant(Number.POSITIVE_INFINITY)]), infinite, finite);
}

/** log(erfc(z) e^(z^2) / t) as a polynomial in 2 t - 1, t = 2 / (2 + z): Chebyshev fit, see test/golden/erfc.py. */
const erfcCoefficients = [
  6.714920393601979e-12, -1.8902306008944537e-9, 4.013877704214506e-9, 1.1172352263623759e-8,
  -3.9024931626661816e-8, 1.4448658046252676e-9, 1.5307318366323928e-7, -2.495832761719667e-7,
  -1.6817283194044123e-7, 1.2500276612569754e-6, -1.2725805279147717e-6, -2.947986876998259e-6,
  8.562779099386524e-6, 1.3772664134464417e-7, -3.0187948093951486e-5, 3.17451797494374e-5,
  7.140103219748502e-5, -1.743029472030762e-4, -9.373503465815823e-5, 6.73678795580235e-4,
  -1.462468629421063e-4, -2.345812500482853e-3, 1.758933557766382e-3, 8.824938557060623e-3,
  -9.872689366388684e-3, -4.68956102311753e-2, 4.734330684190441e-2, 6.726432239776567e-1,
  -6.717940840566923e-1,
];

/**
 * The complementary error function, 1 - erf(x): relative error below (3 + 2 x^2) ulps for x >= 0, below 2 ulps for
 * x < 0; 0 above 26.6 (float32: 9.3). The form is that of W. J. Cody 1969 and W. H. Press et al., erfc = t e^(-z^2 + p).
 */
function erfc(g: Graph, x: Node): Node {
  const one = g.constant(1);
  const z = g.node("abs", [x]);
  const t = g.div(g.constant(2), g.add(g.constant(2), z));
  const p = g.polynomial(g.sub(g.add(t, t), one), erfcCoefficients);
  const tail = g.mul(t, exp(g, g.sub(p, g.mul(z, z))));
  return g.select(g.node("lt", [x, g.constant(0)]), g.sub(g.constant(2), tail), tail);
}

type Definition = (g: Graph, ...args: Node[]) => Node;

const definitions: Record<Exclude<FunctionName, "normalize"> | "^", Definition> = {
  exp,
  expm1,
  log,
  log10,
  erfc,
  sin,
  cos,
  tan,
  sinh,
  cosh,
  tanh,
  "^": pow,
  sqrt: (g, x) => g.node("sqrt", [x]),
  abs: (g, x) => g.node("abs", [x]),
  sign,
  floor: (g, x) => g.node("floor", [x]),
  ceil: (g, x) => g.node("ceil", [x]),
  /** To the nearest integer, ties to even. */
  round: (g, x) => g.node("nearest", [x]),
  /** A truth value as 0 or 1; a number without its fraction. */
  int: (g, x) => (x.type === "mask" ? g.select(x, g.constant(1), g.constant(0)) : g.node("trunc", [x])),
  mod,
  /** The smaller; b only where b < a, so that a NaN in `a` stays and one in `b` is dropped. */
  min: (g, a, b) => g.node("min", [a, b]),
  max: (g, a, b) => g.node("max", [a, b]),
  /** x within [low, high]; `high` where the two cross; a NaN in x stays. */
  clip: (g, x, low, high) => g.node("min", [g.node("max", [x, low]), high]),
};

/** The graph of a function of the language, or of the power `^`. Constant arguments give a constant. */
export function expandFunction(g: Graph, name: FunctionName | "^", args: readonly Node[]): Node {
  if (name === "normalize") throw new Error("normalize() is a sum over cells, not a function of one lane");
  const result = definitions[name](g, ...args);
  if (result.op === "constant" || args.length === 0 || !args.every((a) => a.op === "constant")) return result;
  return g.constant(interpret([result], {}, g.precision)[0] as number);
}

const compiled = new Map<string, (...args: number[]) => number>();

/**
 * A function of the language on the host, with the bits of machine code: tens of µs a call. In float32 arguments
 * are rounded first.
 */
export function hostFunction(
  name: Exclude<FunctionName, "normalize" | "int"> | "^",
  precision: Precision = "float64",
): (...args: number[]) => number {
  const key = `${name} ${precision}`;
  const known = compiled.get(key);
  if (known) return known;
  const g = new Graph(precision);
  const arity = definitions[name].length - 1;
  const names = Array.from({ length: arity }, (_, k) => `x${k}`);
  const root = definitions[name](g, ...names.map((x) => g.input(x)));
  const round = precision === "float32" ? Math.fround : (x: number) => x;
  const evaluate = (...args: number[]) => {
    const inputs = Object.fromEntries(names.map((x, k) => [x, round(args[k])]));
    return interpret([root], inputs, precision)[0] as number;
  };
  compiled.set(key, evaluate);
  return evaluate;
}
