/** Fixed-point numbers of 700 binary places on BigInt: the oracle for elementary functions and matrix exponentials. */

const PLACES = 700n;
export const unit = 1n << PLACES;
export type FixedMatrix = readonly (readonly bigint[])[];

/** A finite double without error. */
export function fixed(x: number): bigint {
  if (x === 0) return 0n;
  const exponent = Math.max(-1022, Math.floor(Math.log2(Math.abs(x))) - 1);
  const mantissa = BigInt((x / 2 ** exponent) * 2 ** 52); // 2 more bits than needed, both products exact
  const shift = PLACES + BigInt(exponent) - 52n;
  return shift >= 0n ? mantissa << shift : mantissa >> -shift;
}

export const times = (a: bigint, b: bigint): bigint => (a * b) >> PLACES;
export const over = (a: bigint, b: bigint): bigint => (a << PLACES) / b;
const magnitude = (a: bigint): bigint => (a < 0n ? -a : a);

/** Distance of `actual` from `exact` in units of the last place of `actual`. */
export function ulps(actual: number, exact: bigint): number {
  const exponent = Math.max(-1022, Math.floor(Math.log2(Math.abs(actual) || 2 ** -1022)));
  const difference = magnitude(fixed(actual) - exact);
  const shift = PLACES + BigInt(exponent) - 52n - 20n; // 2^-20 ulp
  if (shift < 0n) throw new RangeError("the value is too small for 700 places");
  return Number(difference >> shift) / 2 ** 20;
}

const product = (a: FixedMatrix, b: FixedMatrix): bigint[][] =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + times(x, b[k][j]), 0n)));

/** exp(a): Taylor series of a / 2^s, squared s times. */
export function expm(a: FixedMatrix): bigint[][] {
  let largest = 0n;
  for (const row of a) for (const x of row) if (magnitude(x) > largest) largest = magnitude(x);
  let halvings = 0n;
  while ((largest * BigInt(a.length)) >> halvings > unit / 4n) halvings++;
  const small = a.map((row) => row.map((x) => x >> halvings));
  let term: bigint[][] = a.map((row, i) => row.map((_, j) => (i === j ? unit : 0n)));
  let sum = term;
  for (let k = 1n; term.some((row) => row.some((x) => x !== 0n && x !== -1n)); k++) {
    term = product(term, small).map((row) => row.map((x) => x / k));
    sum = sum.map((row, i) => row.map((x, j) => x + term[i][j]));
  }
  for (let k = 0n; k < halvings; k++) sum = product(sum, sum);
  return sum;
}

export const exp = (x: bigint): bigint => expm([[x]])[0][0];

/** [cos x, sin x]: the exponential of a rotation. */
export function circle(x: bigint): readonly [bigint, bigint] {
  const rotation = expm([
    [0n, -x],
    [x, 0n],
  ]);
  return [rotation[0][0], rotation[1][0]];
}

/** log x, x > 0: Newton's method on exp from the host's value. */
export function log(x: number): bigint {
  let y = fixed(Math.log(x));
  for (let k = 0; k < 5; k++) y += times(fixed(x), exp(-y)) - unit;
  return y;
}
