/**
 * Draws as graphs: random bits to uniform, normal and Poisson numbers.
 *
 * A draw is a function of its bits, without rejection, so that every lane takes the same path and a number of
 * words known beforehand. Knows nothing of keys, streams and counters.
 */
import { add, type DoubleDouble, divide, double, multiply, one, rounded } from "../math/doubledouble.ts";
import { ConfigError } from "../math/errors.ts";
import { circle } from "./angles.ts";
import { choose, formatOf } from "./exact.ts";
import { positiveLog } from "./exponential.ts";
import type { Graph, Node } from "./graph.ts";

/**
 * A uniform number inside (0, 1): (k + 1/2) 2^-52 with k the upper 52 of 64 bits (float32: (k + 1/2) 2^-23,
 * the upper 23 of 32). Exact, never 0 or 1, symmetric about 1/2.
 */
export function uniform(g: Graph, bits: Node): Node {
  const { width, mantissa, one: oneBits } = formatOf(g);
  const fraction = g.node("shru", [bits], { amount: width - mantissa });
  const above = g.node("fromBits", [g.node("ior", [fraction, g.bits(oneBits)])]); // 1 + k 2^-52
  return g.sub(above, g.constant(1 - 2 ** (-mantissa - 1)));
}

/**
 * Two independent normal numbers from two uniform ones (Box & Muller 1958, Ann. Math. Stat. 29:610):
 * sqrt(-2 log u1) times cos and sin of 2 pi u2. Each within 3.5 ulp of that function of (u1, u2). The largest size
 * is 8.57 (float32: 5.77), reached by the smallest uniform number; beyond lie 1e-17 (8e-9) of a normal.
 */
export function normalPair(g: Graph, u1: Node, u2: Node): [Node, Node] {
  const radius = g.node("sqrt", [g.mul(positiveLog(g, u1, true), g.constant(-2))]);
  const [cosine, sine] = circle(g, u2);
  return [g.mul(radius, cosine), g.mul(radius, sine)];
}

/** Largest mean drawn by `poissonFixed`: 120 thresholds. */
export const largestThresholdMean = 50;

/**
 * P(N <= k) of a Poisson number for k = 0, 1, ... until it is 1 to 2^-60, each rounded once: the partial sums of
 * the exponential series over the whole one, in double-double.
 */
export function poissonCdf(mean: number): number[] {
  const sums: DoubleDouble[] = [one];
  let term = one;
  for (let k = 1; k <= mean || term.hi > sums[k - 1].hi * 2 ** -110; k++) {
    term = divide(multiply(term, double(mean)), double(k));
    sums.push(add(sums[k - 1], term));
  }
  const whole = sums[sums.length - 1];
  return sums.map((sum) => rounded(divide(sum, whole)));
}

/**
 * A Poisson number of constant mean, by counting the values of its distribution that the draw exceeds. `draw`:
 * in float64 a uniform number, in float32 a whole word of 32 bits, which holds the distribution to 2^-32. Cost: 2
 * operations for each value up to where the tail vanishes (mean 1: 17 in float64, 12 in float32).
 */
export function poissonFixed(g: Graph, draw: Node, mean: number): Node {
  if (!(mean >= 0 && mean <= largestThresholdMean))
    throw new ConfigError(
      `the mean of a Poisson draw is ${mean}; by thresholds it is 0 to ${largestThresholdMean}`,
    );
  // float32: words are compared as signed numbers, the sign bit turned over; unsigned comparison takes three instructions
  const compared = choose(
    g,
    () => draw,
    () => g.node("ixor", [draw, g.bits(-(2 ** 31))]),
  )();
  let certain = 0;
  let fewer = g.bits(0); // minus the count of exceeded thresholds: a mask is the integer -1
  for (const cumulative of poissonCdf(mean)) {
    const threshold = choose(g, cumulative, Math.round(cumulative * 2 ** 32) - 1);
    if (threshold >= choose(g, 1 - 2 ** -53, 2 ** 32 - 1)) break; // no draw lies above
    if (threshold < 0) {
      certain++;
      continue;
    }
    const exceeds = choose(
      g,
      () => g.node("gt", [compared, g.constant(threshold)]),
      () => g.node("gts", [compared, g.bits(threshold - 2 ** 31)]),
    )();
    fewer = g.node("iadd", [fewer, g.node("maskBits", [exceeds])]);
  }
  const count = g.node("isub", [g.bits(certain), fewer]);
  if (g.precision === "float32") return g.node("fromInteger", [count]);
  const magic = 2 ** 52; // a small integer in the low bits of 2^52 is added exactly
  const shifted = g.node("iadd", [count, g.bits(0x4330000000000000n)]);
  return g.sub(g.node("fromBits", [shifted]), g.constant(magic));
}
