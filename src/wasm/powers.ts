/**
 * Powers and the decimal logarithm as graphs, by a logarithm in two words.
 *
 * The logarithm carries 63 bits (float32: 33), so that the exponential of y log x still has its own. Small
 * constant exponents are products and square roots. Bounds: test/wasm/functions.test.ts.
 */
import { choose, exactProduct, formatOf, maskedBits, orderedSum, type Pair, signFlipped } from "./exact.ts";
import { decompose, expOfSum, ln2, logEdges } from "./exponential.ts";
import type { Graph, Node } from "./graph.ts";
import { interpret } from "./interpret.ts";

/** atanh s = s (1 + z/3 + z^2 p(z)), z = s^2, |s| <= 0.1716; off by 2^-65.9 and 2^-36.8. */
const atanhCoefficients = {
  float64: [
    0.06598128937321325, 0.06628411883394156, 0.0769337856260536, 0.0909089218528102, 0.11111111259948077,
    0.14285714285049828, 0.20000000000001128,
  ],
  float32: [0.11709816753864288, 0.14273545145988464, 0.20000076293945312],
};

/** A number beyond the precision of a lane; `low` is what float64 or float32 lacks. */
const pairOf = (g: Graph, high: number, low64: number, low32: number): Pair => ({
  high: g.constant(high),
  low: g.constant(choose(g, low64, low32)),
});
const third = (g: Graph): Pair => pairOf(g, 1 / 3, 1.850371707708594e-17, -9.934107758624577e-9);
const inverseLn10 = (g: Graph): Pair => pairOf(g, Math.LOG10E, 1.098319650216765e-17, -1.0103049952192578e-8);

/** a b, relative error a few 2^-104 (2^-46). */
function product(g: Graph, a: Pair, b: Pair): Pair {
  const { high, low } = exactProduct(g, a.high, b.high);
  const cross = g.add(g.mul(a.high, b.low), g.mul(a.low, b.high));
  return { high, low: g.add(low, cross) };
}

/** log x in two words for positive finite x: relative error below 2^-62 (2^-33). */
export function logPair(g: Graph, x: Node): Pair {
  const { exponent, fraction } = decompose(g, x);
  const one = g.constant(1);
  // s = f / (2 + f); the denominator in two words, the quotient corrected by its remainder
  const whole = g.add(fraction, g.constant(2));
  const wholeLow = g.sub(fraction, g.sub(whole, g.constant(2)));
  const quotient = g.div(fraction, whole);
  const back = exactProduct(g, quotient, whole);
  const remainder = g.sub(g.sub(g.sub(fraction, back.high), back.low), g.mul(quotient, wholeLow));
  const s: Pair = { high: quotient, low: g.mul(remainder, g.div(one, whole)) };
  const z = product(g, s, s);
  const linear = product(g, z, third(g));
  const curved = g.mul(g.mul(z.high, z.high), g.polynomial(z.high, atanhCoefficients[g.precision]));
  const factor = orderedSum(g, linear.high, g.add(linear.low, curved));
  const bend = product(g, s, factor);
  // k ln 2 + 2 s + 2 s factor, from the largest term to the smallest
  const two = g.constant(2);
  const base = orderedSum(g, g.mul(exponent, g.constant(ln2(g).high)), g.mul(two, s.high));
  const sum = orderedSum(g, base.high, g.mul(two, bend.high));
  const small = g.add(g.mul(two, g.add(s.low, bend.low)), g.mul(exponent, g.constant(ln2(g).low)));
  return orderedSum(g, sum.high, g.add(g.add(base.low, sum.low), small));
}

/** log10 x, below 0.6 ulp, so exact at powers of ten; edges as `log`. */
export function log10(g: Graph, x: Node): Node {
  const { high, low } = product(g, logPair(g, x), inverseLn10(g));
  return logEdges(g, x, g.add(high, low));
}

/**
 * x^n for whole |n| <= 8 by repeated squaring, and x^(n + 1/2) by one square root; negative exponents by one
 * division. x^2 and sqrt are rounded once; the others stay below 5 ulp. Undefined for other exponents.
 */
function smallPower(g: Graph, x: Node, exponent: number): Node | undefined {
  const size = Math.abs(exponent);
  if (!(size <= 8) || !Number.isInteger(2 * size)) return undefined;
  let result: Node | undefined;
  let square = x;
  for (let rest = Math.floor(size); rest > 0; rest >>= 1) {
    if (rest & 1) result = result ? g.mul(result, square) : square;
    if (rest > 1) square = g.mul(square, square);
  }
  if (!Number.isInteger(size)) {
    const root = g.node("sqrt", [g.add(x, g.constant(0))]); // -0 + 0 = 0
    result = result ? g.mul(result, root) : root;
  }
  if (!result) return g.constant(1);
  return exponent < 0 ? g.div(g.constant(1), result) : result;
}

/** `pair` of constant arguments, computed now. */
function folded(g: Graph, { high, low }: Pair): Pair {
  const [h, l] = interpret([high, low], {}, g.precision) as number[];
  return { high: g.constant(h), low: g.constant(l) };
}

/**
 * x^y = e^(y log x); below 1.2 ulp where the result is a normal number, with the special cases of IEEE 754
 * `pow` (1^NaN = NaN^0 = 1; NaN for negative x unless y is whole). Results below the smallest normal
 * number are flushed to 0; within 2^-43 of the overflow they are infinity. Constant exponents
 * 0, 1/2, 1, ... 8 and their negatives are products and roots, see `smallPower`: there (-infinity)^(1/2)
 * is NaN. About 190 operations; 55 for a constant base, 170 for a constant exponent.
 */
export function pow(g: Graph, x: Node, y: Node): Node {
  const small = y.op === "constant" ? smallPower(g, x, y.value as number) : undefined;
  if (small) return small;
  // larger exponents overflow or vanish all the same, but would spoil the exact product
  const huge = choose(g, 2 ** 66, 2 ** 40);
  const bounded = g.node("max", [g.node("min", [y, g.constant(huge)]), g.constant(-huge)]);
  const base = x.op === "constant" ? (x.value as number) : Number.NaN;
  const ordinary = base > 0 && base !== 1 && Number.isFinite(base);
  const size = g.node("abs", [x]);
  const { high, low } = ordinary ? folded(g, logPair(g, size)) : logPair(g, size);
  const scaled = exactProduct(g, bounded, high);
  const tail = g.add(scaled.low, g.mul(bounded, low));
  if (ordinary) return expOfSum(g, scaled.high, tail);

  const zero = g.constant(0);
  const infinity = g.constant(Number.POSITIVE_INFINITY);
  const finite = g.node("lt", [size, infinity]);
  const atZero = g.mul(bounded, g.constant(Number.NEGATIVE_INFINITY));
  const edge = g.select(finite, scaled.high, g.mul(bounded, size));
  const exponent = g.select(g.node("eq", [size, zero]), atZero, edge);
  const magnitude = expOfSum(g, exponent, tail);
  const flipped = signFlipped(g, magnitude, maskedBits(g, x, formatOf(g).sign));
  const negative = g.node("and", [g.node("lt", [x, zero]), finite]);
  const nan = g.constant(Number.NaN);
  if (y.op === "constant" && !Number.isNaN(y.value)) {
    const power = y.value as number;
    if (!Number.isInteger(power) && Number.isFinite(power)) return g.select(negative, nan, magnitude);
    if (Number.isFinite(power)) return power % 2 === 0 ? magnitude : flipped;
  }
  const half = g.mul(y, g.constant(0.5));
  const whole = g.node("eq", [g.node("floor", [y]), y]);
  const odd = g.node("and", [whole, g.node("ne", [g.node("floor", [half]), half])]);
  const undefinedThere = g.node("and", [negative, g.node("not", [whole])]);
  const signed = g.select(undefinedThere, nan, g.select(odd, flipped, magnitude));
  const isOne = g.node("or", [g.node("eq", [x, g.constant(1)]), g.node("eq", [y, zero])]);
  return g.select(isOne, g.constant(1), signed);
}
