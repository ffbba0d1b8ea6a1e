/**
 * sin, cos and tan as graphs, of an angle in radians or of a fraction of a turn.
 *
 * Radians are reduced by pi / 2 in four parts whose products with the number of quarter turns are exact up to
 * 2^26 (float32: 2^12) quarters (Cody & Waite 1980), the rest kept in two words; the polynomials are
 * minimax (test/golden/functions.py). Bounds: test/wasm/functions.test.ts.
 *
 * Domain of the bounds: |x| <= 1e8, float32 6400. Beyond, up to 1.4e14 (2.6e5), the result is that of an angle
 * 2 ulp away. Beyond that it is NaN: no digit would mean anything.
 */
import { choose, formatOf, orderedDifference, signFlipped } from "./exact.ts";
import type { Graph, Node } from "./graph.ts";

/** pi / 2 = a + b + c + d; a, b, c have 27 (12) bits. */
const quarterTurn = {
  float64: [1.570796325802803, 9.920935739593517e-10, 5.721188709663575e-18, 1.6446256936324258e-26],
  float32: [1.57080078125, -4.453584551811218e-6, -8.706138032721356e-10, 6.223371969669989e-14],
};

/** sin r = r + r z p(z), z = r^2, |r| <= pi / 4; off by 2^-57.9 and 2^-27.9. */
const sinCoefficients = {
  float64: [
    1.589543335601283e-10, -2.505073439012825e-8, 2.7557313538518e-6, -0.00019841269829358533,
    0.00833333333332184, -0.1666666666666663,
  ],
  float32: [-0.00019518291810527444, 0.008332189172506332, -0.16666655242443085],
};

/** cos r = 1 - z / 2 + z^2 p(z); off by 2^-63.9 and 2^-33.0. */
const cosCoefficients = {
  float64: [
    -1.1358749237664333e-11, 2.087570539600411e-9, -2.755731421703879e-7, 2.480158728900208e-5,
    -0.0013888888888873342, 0.041666666666666595,
  ],
  float32: [2.4432327336398885e-5, -0.0013887309469282627, 0.04166664555668831],
};

/** sin(d pi / 2) = d p(d^2), |d| <= 1/2; off by 2^-54.5 and 2^-25.1. */
const sinTurnCoefficients = {
  float64: [
    5.5852851721468346e-8, -3.5982794707991444e-6, 0.00016044104873108952, -0.004681754119169518,
    0.07969262624527504, -0.645964097506228, 1.5707963267948966,
  ],
  float32: [-0.004685971420258284, 0.07971252501010895, -0.645966649055481, 1.5707963705062866],
};

/** cos(d pi / 2) = 1 + d^2 p(d^2); off by 2^-61.5 and 2^-31.1. */
const cosTurnCoefficients = {
  float64: [
    -6.2894041594024536e-9, 4.7103341313326893e-7, -2.5202027447791914e-5, 0.0009192602726324707,
    -0.020863480763180973, 0.2536695079010417, -1.2337005501361697,
  ],
  float32: [0.0008944863802753389, -0.020855596289038658, 0.25366854667663574, -1.2337005138397217],
};

/** Largest angle, rad, for which the bounds hold. */
export const largestAngle = { float64: 1e8, float32: 6400 } as const;

/** `quarter`: bits whose lowest two count the quarter turns; sine and cosine of what is left. */
interface Reduced {
  readonly quarter: Node;
  readonly sine: Node;
  readonly cosine: Node;
}

function reduceRadians(g: Graph, x: Node): Reduced {
  const inside = g.node("le", [g.node("abs", [x]), g.constant(choose(g, 2 ** 47, 2 ** 18))]);
  const angle = g.select(inside, x, g.constant(Number.NaN));
  const rounder = g.constant(formatOf(g).rounder);
  const shifted = g.add(g.mul(angle, g.constant(2 / Math.PI)), rounder);
  const n = g.sub(shifted, rounder);
  const [a, b, c, d] = quarterTurn[g.precision].map((part) => g.mul(n, g.constant(part)));
  // each difference is exact or ordered: n b is smaller than x - n a, or both are multiples of a common unit
  const first = orderedDifference(g, g.sub(angle, a), b);
  const second = orderedDifference(g, first.high, c);
  const { high: r, low: tail } = orderedDifference(g, second.high, g.sub(d, g.add(first.low, second.low)));
  const z = g.mul(r, r);
  const half = g.mul(z, g.constant(0.5));
  const w = g.sub(g.constant(1), half);
  const cubic = g.mul(g.mul(r, z), g.polynomial(z, sinCoefficients[g.precision]));
  const quartic = g.mul(g.mul(z, z), g.polynomial(z, cosCoefficients[g.precision]));
  const lost = g.sub(g.sub(g.constant(1), w), half);
  return {
    quarter: g.node("toBits", [shifted]),
    sine: g.add(r, g.add(cubic, g.mul(tail, w))),
    cosine: g.add(w, g.add(lost, g.sub(quartic, g.mul(r, tail)))),
  };
}

function reduceTurns(g: Graph, turns: Node): Reduced {
  const rounder = g.constant(formatOf(g).rounder);
  const quarters = g.mul(turns, g.constant(4));
  const shifted = g.add(quarters, rounder);
  const d = g.sub(quarters, g.sub(shifted, rounder)); // exact
  const z = g.mul(d, d);
  return {
    quarter: g.node("toBits", [shifted]),
    sine: g.mul(d, g.polynomial(z, sinTurnCoefficients[g.precision])),
    cosine: g.add(g.constant(1), g.mul(z, g.polynomial(z, cosTurnCoefficients[g.precision]))),
  };
}

/** The second lowest bit of a count of quarters, as a sign bit. */
const toSign = (g: Graph, bits: Node): Node =>
  g.node("iand", [g.node("shl", [bits], { amount: formatOf(g).width - 2 }), g.bits(formatOf(g).sign)]);

/** True where the number of quarters is odd: its two lowest bits, moved to the top, make 0, 2 or -2. */
const isOdd = (g: Graph, quarter: Node): Node =>
  g.node("ne", [
    g.node("fromBits", [g.node("shl", [quarter], { amount: formatOf(g).width - 2 })]),
    g.constant(0),
  ]);

const sineOf = (g: Graph, { quarter, sine, cosine }: Reduced): Node =>
  signFlipped(g, g.select(isOdd(g, quarter), cosine, sine), toSign(g, quarter));

const cosineOf = (g: Graph, { quarter, sine, cosine }: Reduced): Node => {
  const next = g.node("iadd", [quarter, g.bits(1)]);
  return signFlipped(g, g.select(isOdd(g, quarter), sine, cosine), toSign(g, next));
};

/** sin x, x in rad; below 1 ulp. */
export const sin = (g: Graph, x: Node): Node => sineOf(g, reduceRadians(g, x));

/** cos x, x in rad; below 1 ulp. */
export const cos = (g: Graph, x: Node): Node => cosineOf(g, reduceRadians(g, x));

/** tan x, x in rad, as sin / cos; below 2.5 ulp. */
export function tan(g: Graph, x: Node): Node {
  const { quarter, sine, cosine } = reduceRadians(g, x);
  const odd = isOdd(g, quarter);
  const quotient = g.div(g.select(odd, cosine, sine), g.select(odd, sine, cosine));
  return signFlipped(g, quotient, g.node("shl", [quarter], { amount: formatOf(g).width - 1 }));
}

/** [cos, sin] of 2 pi times `turns`, 0 <= turns <= 1; below 1.5 ulp, the reduction is exact. */
export function circle(g: Graph, turns: Node): [Node, Node] {
  const reduced = reduceTurns(g, turns);
  return [cosineOf(g, reduced), sineOf(g, reduced)];
}
