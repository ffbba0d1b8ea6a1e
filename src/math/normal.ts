/** The normal distribution, and chi-square: what a sum of squares of normal numbers follows. */

import { logGamma } from "./student.ts";

/** P(X <= x) of a standard normal X. Relative error below 2e-13 in both tails; test/math/normal.test.ts. */
export function normalDistribution(x: number): number {
  const { lower, upper } = incompleteGamma(0.5, (x * x) / 2);
  return x < 0 ? upper / 2 : 0.5 + lower / 2;
}

// Numerators and denominators, from the constant upwards: the centre, the tail, the far tail.
const centre = [
  [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
    67265.7709270087, 33430.57558358813, 2509.0809287301227,
  ],
  [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852854,
  ],
];
const tail = [
  [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
];
const farTail = [
  [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
    1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15,
  ],
];

/**
 * The x with P(X <= x) = p of a standard normal X; -Infinity at 0, Infinity at 1. Relative error below 1e-15 but
 * for the rounding of p itself. Wichura 1988, Appl. Statist. 37:477, algorithm AS 241, PPND16.
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`no normal quantile for p = ${p}`);
  const fromMiddle = p - 0.5;
  if (Math.abs(fromMiddle) <= 0.425) return fromMiddle * ratio(centre, 0.180625 - fromMiddle * fromMiddle);
  const smaller = Math.min(p, 1 - p);
  if (smaller === 0) return p === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const r = Math.sqrt(-Math.log(smaller));
  const x = r <= 5 ? ratio(tail, r - 1.6) : ratio(farTail, r - 5);
  return fromMiddle < 0 ? -x : x;
}

function ratio([numerator, denominator]: readonly (readonly number[])[], x: number): number {
  let above = 0;
  let below = 0;
  for (let k = numerator.length - 1; k >= 0; k--) {
    above = above * x + numerator[k];
    below = below * x + denominator[k];
  }
  return above / below;
}

/** P(X <= x) of a sum of `freedom` squares of standard normal numbers. Relative error below 1e-12. */
export function chiSquareDistribution(x: number, freedom: number): number {
  return x <= 0 ? 0 : incompleteGamma(freedom / 2, x / 2).lower;
}

/** The x with P(X <= x) = p, 0 <= p < 1; bisection in the smaller tail. Relative error below 1e-12. */
export function chiSquareQuantile(p: number, freedom: number): number {
  if (!(freedom > 0) || !(p >= 0 && p < 1))
    throw new RangeError(`no chi-square quantile for p = ${p}, ${freedom} degrees of freedom`);
  const below = (x: number): boolean => {
    const { lower, upper } = incompleteGamma(freedom / 2, x / 2);
    return p < 0.5 ? lower < p : upper > 1 - p;
  };
  let low = 0;
  let high = 1;
  while (below(high)) high *= 2;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) return middle;
    if (below(middle)) low = middle;
    else high = middle;
  }
}

/**
 * Regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 - P, for a > 0 and x >= 0: the power series below
 * a + 1, the continued fraction above (Abramowitz & Stegun 1964, 6.5.29 and 6.5.31), so that neither cancels.
 */
function incompleteGamma(a: number, x: number): { readonly lower: number; readonly upper: number } {
  if (x === 0) return { lower: 0, upper: 1 };
  if (x === Number.POSITIVE_INFINITY) return { lower: 1, upper: 0 };
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = a + 1; term > sum * 2 ** -54; n++) sum += term *= x / n;
    return { lower: front * sum, upper: 1 - front * sum };
  }
  // Lentz's method; denominators stay positive for x > a - 1
  let b = x + 1 - a;
  let c = Number.POSITIVE_INFINITY;
  let d = 1 / b;
  let fraction = d;
  for (let k = 1; ; k++) {
    const numerator = -k * (k - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    const change = c * d;
    fraction *= change;
    if (Math.abs(change - 1) < 2 ** -52) break;
  }
  return { lower: 1 - front * fraction, upper: front * fraction };
}
