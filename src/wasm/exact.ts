/**
 * IEEE formats, and sums and products without rounding error, as graphs.
 *
 * Everything here is correct for any lane, so nothing branches. There is no fused multiply-add: the same bits
 * everywhere come first. Knows nothing of the functions built from it.
 *
 * Sources: Dekker 1971, Numer. Math. 18:224 (products); Møller 1965 and Dekker (ordered sums).
 */
import type { Graph, Node } from "./graph.ts";

/** A sum of two nodes, |low| <= ulp(high). */
export interface Pair {
  readonly high: Node;
  readonly low: Node;
}

/** What the code needs to know of binary64 or binary32. */
export interface Format {
  /** Bits of a lane. */
  readonly width: number;
  /** Stored bits of the mantissa. */
  readonly mantissa: number;
  readonly bias: number;
  /** 1.5 2^mantissa: adding it rounds to the nearest integer and leaves that integer in the low bits. */
  readonly rounder: number;
  readonly one: bigint;
  readonly sign: bigint;
  /** Keeps the upper half of the mantissa, so that products of halves are exact. */
  readonly upperHalf: bigint;
  readonly smallestNormal: number;
}

const formats = {
  float64: {
    width: 64,
    mantissa: 52,
    bias: 1023,
    rounder: 1.5 * 2 ** 52,
    one: 0x3ff0000000000000n,
    sign: 1n << 63n,
    upperHalf: -(1n << 27n),
    smallestNormal: 2 ** -1022,
  },
  float32: {
    width: 32,
    mantissa: 23,
    bias: 127,
    rounder: 1.5 * 2 ** 23,
    one: 0x3f800000n,
    sign: 1n << 31n,
    upperHalf: -(1n << 12n),
    smallestNormal: 2 ** -126,
  },
} as const satisfies Record<Graph["precision"], Format>;

export const formatOf = (g: Graph): Format => formats[g.precision];

/** `wide` in float64, `narrow` in float32. */
export const choose = <T>(g: Graph, wide: T, narrow: T): T => (g.precision === "float64" ? wide : narrow);

/** Bits of `mask` that are set in `x`, as bits. */
export const maskedBits = (g: Graph, x: Node, mask: bigint): Node =>
  g.node("iand", [g.node("toBits", [x]), g.bits(mask)]);

/** `magnitude` >= 0 with the sign of `x`. */
export const withSign = (g: Graph, magnitude: Node, x: Node): Node =>
  g.node("fromBits", [g.node("ior", [g.node("toBits", [magnitude]), maskedBits(g, x, formatOf(g).sign)])]);

/** `x` negated where the bits `sign`, all others zero, have the sign bit. */
export const signFlipped = (g: Graph, x: Node, sign: Node): Node =>
  g.node("fromBits", [g.node("ixor", [g.node("toBits", [x]), sign])]);

/** a + b without error where |a| >= |b| or the sum is exact. */
export function orderedSum(g: Graph, a: Node, b: Node): Pair {
  const high = g.add(a, b);
  return { high, low: g.sub(b, g.sub(high, a)) };
}

/** a - b without error where |a| >= |b| or the difference is exact. */
export function orderedDifference(g: Graph, a: Node, b: Node): Pair {
  const high = g.sub(a, b);
  return { high, low: g.sub(g.sub(a, high), b) };
}

/** The upper and lower half of a mantissa; never overflows. */
function halves(g: Graph, x: Node): Pair {
  const high = g.node("fromBits", [maskedBits(g, x, formatOf(g).upperHalf)]);
  return { high, low: g.sub(x, high) };
}

/** a b, its rounding error to an ulp of itself (the last partial product rounds), where nothing underflows. */
export function exactProduct(g: Graph, a: Node, b: Node): Pair {
  const high = g.mul(a, b);
  const p = halves(g, a);
  const q = halves(g, b);
  const largest = g.sub(g.mul(p.high, q.high), high);
  const middle = g.add(g.add(largest, g.mul(p.high, q.low)), g.mul(p.low, q.high));
  return { high, low: g.add(middle, g.mul(p.low, q.low)) };
}
