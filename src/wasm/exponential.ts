/**
 * exp, expm1, log and the hyperbolic functions as graphs, for float64 and float32.
 *
 * Arguments are reduced by ln 2 (Cody & Waite 1980, Software Manual for the Elementary Functions), the rest
 * is a minimax polynomial; no tables, no branches. All coefficients come from test/golden/functions.py
 * (weighted Remez exchange). The bounds are of test/wasm/functions.test.ts, in ulps of the result; a
 * result below the smallest normal number is flushed to 0 by exp. A NaN stays one.
 */
import { choose, formatOf, orderedSum, withSign } from "./exact.ts";
import type { Graph, Node } from "./graph.ts";

/** ln 2 in two parts: `high` times a whole exponent is exact (42 and 15 bits). */
export const ln2 = (g: Graph): { high: number; low: number } =>
  choose(
    g,
    { high: 0.6931471805598903, low: 5.497923018708371e-14 },
    { high: 0.693145751953125, low: 1.428606765330187e-6 },
  );

/** exp(r) = 1 + r + r^2 p(r), |r| <= ln 2 / 2; relative to expm1(r) off by 2^-55.2 and 2^-26.0. */
const expCoefficients = {
  float64: [
    2.5045897241950787e-8, 2.7622208637033966e-7, 2.755742505032181e-6, 2.480151638859099e-5,
    0.00019841269709402218, 0.001388888892048154, 0.00833333333338835, 0.041666666666620035,
    0.16666666666666602, 0.5,
  ],
  float32: [0.0013898222241550684, 0.008366034366190434, 0.04166685417294502, 0.16666549444198608, 0.5],
};

/**
 * log(1 + f) = 2 s + s z p(z) with s = f / (2 + f), z = s^2, 1 + f in [sqrt(1/2), sqrt(2)]; off by 2^-59.5 and
 * 2^-30.2 of the logarithm.
 */
const logCoefficients = {
  float64: [
    0.14795365317998163, 0.15314110744057696, 0.18183561892884917, 0.22222198621850903, 0.28571428741890775,
    0.3999999999941705, 0.6666666666666734,
  ],
  float32: [0.29870694875717163, 0.3997758626937866, 0.6666677594184875],
};

/** Where 2^1024 (2^128), twice that and the smallest normal number have their logarithm, rounded inwards. */
export const expLimits = {
  float64: { largest: 709.782712893384, largestHalved: 710.4758600739439, smallest: -708.3964185322641 },
  float32: { largest: 88.72283172607422, largestHalved: 89.41598510742188, smallest: -87.33654022216797 },
};

/**
 * x + tail = k ln 2 + r, |r| <= ln 2 / 2. `high` is r but for a rest, exactly; `rise` is e^r - 1 - high. The
 * integer k + offset stands in the low bits of `exponent`.
 */
function reduce(g: Graph, x: Node, offset: number, tail?: Node) {
  const rounder = g.constant(formatOf(g).rounder + offset);
  const shifted = g.add(g.mul(x, g.constant(Math.LOG2E)), rounder);
  const k = g.sub(shifted, rounder);
  const high = g.sub(x, g.mul(k, g.constant(ln2(g).high)));
  const kLow = g.mul(k, g.constant(ln2(g).low));
  const low = tail ? g.sub(kLow, tail) : kLow;
  const r = g.sub(high, low);
  const curved = g.mul(g.mul(r, r), g.polynomial(r, expCoefficients[g.precision]));
  return { exponent: g.node("toBits", [shifted]), high, rise: g.sub(curved, low) };
}

/**
 * 2^shift e^(x + tail), where that is a normal number; beyond, anything. The exponent is added to the bits of
 * e^r, which reaches 2^1024 without an intermediate overflow.
 */
function rawExp(g: Graph, x: Node, shift: number, tail?: Node): Node {
  const { exponent, high, rise } = reduce(g, x, shift, tail);
  const fraction = g.add(g.constant(1), g.add(high, rise));
  const scale = g.node("shl", [exponent], { amount: formatOf(g).mantissa });
  return g.node("fromBits", [g.node("iadd", [g.node("toBits", [fraction]), scale])]);
}

/** `value` up to `limit`; infinity above, NaN where x is. */
const overflowing = (g: Graph, x: Node, limit: number, value: Node): Node =>
  g.select(g.node("le", [x, g.constant(limit)]), value, g.mul(x, g.constant(Number.POSITIVE_INFINITY)));

/**
 * e^x, below 1 ulp on [-708.39, 709.78] ([-87.33, 88.72] in float32). 0 below: results under the smallest
 * normal number are flushed. Infinity above.
 */
export function exp(g: Graph, x: Node): Node {
  const { largest, smallest } = expLimits[g.precision];
  const bounded = overflowing(g, x, largest, rawExp(g, x, 0));
  return g.select(g.node("lt", [x, g.constant(smallest)]), g.constant(0), bounded);
}

/**
 * e^(x + tail) for a |tail| of at most ulp(x), with the limits of `exp`; within 2^-43 of the overflow already
 * infinity, since the tail could lift the fraction past 1.
 */
export function expOfSum(g: Graph, x: Node, tail: Node): Node {
  const { largest, smallest } = expLimits[g.precision];
  const inside = g.node("lt", [x, g.constant(largest)]);
  const above = g.mul(x, g.constant(Number.POSITIVE_INFINITY));
  const bounded = g.select(inside, rawExp(g, x, 0, tail), above);
  return g.select(g.node("lt", [x, g.constant(smallest)]), g.constant(0), bounded);
}

/** (e^x - 1) / 4 for x >= -40 up to the logarithm of twice the largest number; below 1.2 ulp. */
function quarterExpm1(g: Graph, x: Node): Node {
  const { bias, mantissa } = formatOf(g);
  const { exponent, high, rise } = reduce(g, x, bias - 2);
  const scale = g.node("fromBits", [g.node("shl", [exponent], { amount: mantissa })]); // 2^(k - 2)
  // scale (1 + high + rise) - 1/4: the two large terms without error
  const sum = orderedSum(g, g.sub(scale, g.constant(0.25)), g.mul(scale, high));
  return g.add(sum.high, g.add(sum.low, g.mul(scale, rise)));
}

/** e^x - 1, below 1.2 ulp up to 709.78 (88.72); infinity above. -0 gives 0. */
export function expm1(g: Graph, x: Node): Node {
  const floor = g.node("max", [x, g.constant(-40)]); // e^-40 is below half an ulp of 1
  const value = g.mul(quarterExpm1(g, floor), g.constant(4));
  return overflowing(g, x, expLimits[g.precision].largest, value);
}

/** x = 2^exponent (1 + fraction), 1 + fraction in [sqrt(1/2), sqrt(2)), both exact; x > 0 and normal or not. */
export function decompose(g: Graph, x: Node, normal = false): { exponent: Node; fraction: Node } {
  const { mantissa, bias, one, smallestNormal } = formatOf(g);
  const lift = mantissa + 2;
  const rootHalf = choose(g, 0x3fe6a09e667f3bcdn, 0x3f3504f3n);
  const tiny = g.node("lt", [x, g.constant(smallestNormal)]);
  const lifted = normal ? x : g.select(tiny, g.mul(x, g.constant(2 ** lift)), x);
  const shifted = g.node("iadd", [g.node("toBits", [lifted]), g.bits(one - rootHalf)]);
  const rest = g.node("iadd", [
    g.node("iand", [shifted, g.bits((1n << BigInt(mantissa)) - 1n)]),
    g.bits(rootHalf),
  ]);
  // the biased exponent as the low bits of 2^mantissa + exponent
  const carrier = 2 ** mantissa;
  const carrierBits = BigInt(bias + mantissa) << BigInt(mantissa);
  const biased = g.node("fromBits", [
    g.node("ior", [g.node("shru", [shifted], { amount: mantissa }), g.bits(carrierBits)]),
  ]);
  const origin = g.constant(carrier + bias);
  const start = normal ? origin : g.select(tiny, g.constant(carrier + bias + lift), origin);
  return {
    exponent: g.sub(biased, start),
    fraction: g.sub(g.node("fromBits", [rest]), g.constant(1)),
  };
}

/** log x below 1 ulp for positive finite x; `normal`: x is not below the smallest normal number. */
export function positiveLog(g: Graph, x: Node, normal = false): Node {
  const { exponent, fraction } = decompose(g, x, normal);
  const s = g.div(fraction, g.add(g.constant(2), fraction));
  const z = g.mul(s, s);
  const rest = g.mul(z, g.polynomial(z, logCoefficients[g.precision]));
  const square = g.mul(g.mul(fraction, g.constant(0.5)), fraction);
  // log(1 + f) = f - (f^2/2 - s (f^2/2 + rest)): the largest term is exact
  const small = g.add(g.mul(s, g.add(square, rest)), g.mul(exponent, g.constant(ln2(g).low)));
  return g.sub(g.mul(exponent, g.constant(ln2(g).high)), g.sub(g.sub(square, small), fraction));
}

/** `value` where 0 < x < infinity, else what a logarithm is there: -infinity at 0, infinity, NaN. */
export function logEdges(g: Graph, x: Node, value: Node): Node {
  const infinity = g.constant(Number.POSITIVE_INFINITY);
  const inside = g.node("and", [g.node("gt", [x, g.constant(0)]), g.node("lt", [x, infinity])]);
  const atZero = g.node("eq", [x, g.constant(0)]);
  // infinity + infinity x is NaN for x < 0
  const outside = g.add(g.mul(x, infinity), infinity);
  return g.select(inside, value, g.select(atZero, g.constant(Number.NEGATIVE_INFINITY), outside));
}

/** log x, below 1 ulp for all positive x, subnormal ones too; -infinity at 0, NaN below. */
export const log = (g: Graph, x: Node): Node => logEdges(g, x, positiveLog(g, x));

/** sinh x = u + u / (2 u + 1), u = (e^|x| - 1) / 2; below 2.5 ulp, overflows where sinh does. */
export function sinh(g: Graph, x: Node): Node {
  const size = g.node("abs", [x]);
  const u = g.mul(quarterExpm1(g, size), g.constant(2));
  const value = g.add(u, g.div(u, g.add(g.add(u, u), g.constant(1))));
  return withSign(g, overflowing(g, size, expLimits[g.precision].largestHalved, value), x);
}

/** cosh x = h + 1 / (4 h), h = e^|x| / 2; below 1.5 ulp, overflows where cosh does. */
export function cosh(g: Graph, x: Node): Node {
  const size = g.node("abs", [x]);
  const h = rawExp(g, size, -1);
  const value = g.add(h, g.div(g.constant(0.25), h));
  return overflowing(g, size, expLimits[g.precision].largestHalved, value);
}

/** tanh x = m / (m + 2), m = e^(2 |x|) - 1; below 2.5 ulp. */
export function tanh(g: Graph, x: Node): Node {
  // beyond, 1 - tanh is below half an ulp
  const size = g.node("min", [g.node("abs", [x]), g.constant(choose(g, 20, 10))]);
  const m = g.mul(quarterExpm1(g, g.add(size, size)), g.constant(4));
  return withSign(g, g.div(m, g.add(m, g.constant(2))), x);
}
