/**
 * Constants to the last bit: double-double arithmetic, and elementary functions rounded from it.
 *
 * A number is the unevaluated sum hi + lo of two doubles, |lo| <= ulp(hi) / 2: 106 bits. Used where a
 * coefficient is computed once and then multiplied into every tick, and to be independent of the host's
 * libm, whose last bit differs between machines. Slow (tens of ns an operation); not for loops.
 *
 * Source: Dekker 1971, Numer. Math. 18:224, for products; Knuth, TAOCP vol. 2, 4.2.2, for sums.
 * Each operation is accurate to 2^-102 relative where nothing over- or underflows.
 */

export interface DoubleDouble {
  readonly hi: number;
  readonly lo: number;
}

const pair = (hi: number, lo: number): DoubleDouble => ({ hi, lo });
export const zero = pair(0, 0);
export const one = pair(1, 0);
export const double = (x: number): DoubleDouble => pair(x, 0);
export const rounded = (x: DoubleDouble): number => x.hi + x.lo;
export const negative = (x: DoubleDouble): DoubleDouble => pair(-x.hi, -x.lo);

/** a + b without error, |a| >= |b|. */
function ordered(a: number, b: number): DoubleDouble {
  const sum = a + b;
  return Number.isFinite(sum) ? pair(sum, b - (sum - a)) : pair(sum, 0);
}

/** a + b without error. */
function exactSum(a: number, b: number): DoubleDouble {
  const sum = a + b;
  if (!Number.isFinite(sum)) return pair(sum, 0);
  const part = sum - a;
  return pair(sum, a - (sum - part) + (b - part));
}

const SPLIT = 2 ** 27 + 1; // cuts 53 bits into 26 + 26 and a sign

/** a b without error, below 2^996. */
export function exactProduct(a: number, b: number): DoubleDouble {
  const product = a * b;
  const ca = SPLIT * a;
  const cb = SPLIT * b;
  const ah = ca - (ca - a);
  const bh = cb - (cb - b);
  const al = a - ah;
  const bl = b - bh;
  const error = al * bl - (product - ah * bh - al * bh - ah * bl);
  return pair(product, Number.isFinite(error) ? error : 0);
}

export function add(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const high = exactSum(a.hi, b.hi);
  const low = exactSum(a.lo, b.lo);
  const first = ordered(high.hi, high.lo + low.hi);
  return ordered(first.hi, first.lo + low.lo);
}

export const subtract = (a: DoubleDouble, b: DoubleDouble): DoubleDouble => add(a, negative(b));

export function multiply(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const high = exactProduct(a.hi, b.hi);
  return ordered(high.hi, high.lo + (a.hi * b.lo + a.lo * b.hi));
}

export function divide(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const first = a.hi / b.hi;
  const rest = subtract(a, multiply(b, double(first)));
  const second = rest.hi / b.hi;
  const third = subtract(rest, multiply(b, double(second))).hi / b.hi;
  return add(ordered(first, second), double(third));
}

// ---- elementary functions -------------------------------------------------------------------

const LN2 = pair(Math.LN2, 2.3190468138462996e-17);
const LN10 = pair(Math.LN10, -2.1707562233822494e-16);
const HALF_PI = pair(Math.PI / 2, 6.123233995736766e-17);
const HALF_PI_REST = -1.4973849048591833e-33; // what pi / 2 has beyond 106 bits

/** Sum of the series with first term `term` and ratio x^2k-like factors given by `factor(k)`; to 2^-110 relative. */
function series(term: DoubleDouble, factor: (k: number) => DoubleDouble): DoubleDouble {
  let sum = term;
  for (let k = 1; Math.abs(term.hi) > Math.abs(sum.hi) * 2 ** -110; k++) {
    term = multiply(term, factor(k));
    sum = add(sum, term);
  }
  return sum;
}

/** exp(x) - 1 for |x| < 1, by its Taylor series. */
const smallExpm1 = (x: DoubleDouble): DoubleDouble => series(x, (k) => divide(x, double(k + 1)));

/** exp(x) as mantissa * 2^exponent; the mantissa is in [0.7, 1.42]. */
function exponential(x: DoubleDouble): { mantissa: DoubleDouble; exponent: number } {
  const exponent = Math.round(x.hi / LN2.hi);
  const rest = subtract(x, multiply(LN2, double(exponent)));
  return { mantissa: add(one, smallExpm1(rest)), exponent };
}

/** x 2^k, in two steps so that neither factor overflows. */
const scaled = (x: number, k: number): number => x * 2 ** Math.trunc(k / 2) * 2 ** (k - Math.trunc(k / 2));

function logarithm(x: number): DoubleDouble {
  // y is the host's, to an ulp or so; log x = y + log(1 + e), e = x exp(-y) - 1 of the order of that ulp
  const y = Math.log(x);
  const { mantissa, exponent } = exponential(double(-y));
  const e =
    Math.abs(y) < 0.3
      ? add(double(x - 1), multiply(double(x), smallExpm1(double(-y)))) // x - 1 is exact here
      : subtract(multiply(double(scaled(x, exponent)), mantissa), one);
  const square = multiply(e, e);
  return add(
    double(y),
    add(subtract(e, multiply(square, double(0.5))), divide(multiply(square, e), double(3))),
  );
}

function wideExp(x: DoubleDouble): number {
  if (Number.isNaN(x.hi)) return Number.NaN;
  if (x.hi > 710) return Number.POSITIVE_INFINITY;
  if (x.hi < -746) return 0;
  const { mantissa, exponent } = exponential(x);
  return scaled(rounded(mantissa), exponent);
}

export const exp = (x: number): number => wideExp(double(x));

export function expm1(x: number): number {
  if (x === 0 || Number.isNaN(x)) return x;
  if (Math.abs(x) < 0.5) return rounded(smallExpm1(double(x)));
  if (x > 40 || x < -80) return exp(x) - 1; // the 1 is below half an ulp of exp(x), or exp(x) below half an ulp of 1
  const { mantissa, exponent } = exponential(double(x));
  return rounded(subtract(multiply(mantissa, double(2 ** exponent)), one));
}

const isOrdinary = (x: number): boolean => x > 2 ** -1000 && x < 2 ** 1000;

export const log = (x: number): number => (isOrdinary(x) ? rounded(logarithm(x)) : Math.log(x));

export const log10 = (x: number): number =>
  isOrdinary(x) ? rounded(divide(logarithm(x), LN10)) : Math.log10(x);

/** x^y; IEEE's special cases are those of Math.pow. */
export function pow(x: number, y: number): number {
  if (Number.isInteger(y) && Math.abs(y) <= 1024 && isOrdinary(Math.abs(x))) {
    let power = one;
    for (let bit = 1024; bit >= 1; bit /= 2) {
      power = multiply(power, power);
      if (Math.abs(y) & bit) power = multiply(power, double(x));
    }
    const result = y < 0 ? divide(one, power) : power;
    if (isOrdinary(Math.abs(rounded(result)))) return rounded(result);
  }
  if (!isOrdinary(x) || !Number.isFinite(y) || Math.abs(y) > 2 ** 60) return x ** y;
  return wideExp(multiply(logarithm(x), double(y)));
}

export function sinh(x: number): number {
  if (Math.abs(x) > 40) return Math.sign(x) * wideExp(subtract(double(Math.abs(x)), LN2));
  if (x === 0 || Number.isNaN(x)) return x;
  // with m = e^x - 1: sinh x = (m + m / (m + 1)) / 2, free of cancellation
  const m = wideExpm1(Math.abs(x));
  return Math.sign(x) * 0.5 * rounded(add(m, divide(m, add(m, one))));
}

export function cosh(x: number): number {
  if (Math.abs(x) > 40) return wideExp(subtract(double(Math.abs(x)), LN2));
  if (Number.isNaN(x)) return x;
  const e = add(wideExpm1(x), one);
  return 0.5 * rounded(add(e, divide(one, e)));
}

export function tanh(x: number): number {
  if (Math.abs(x) > 40) return Math.sign(x);
  if (x === 0 || Number.isNaN(x)) return x;
  const m = wideExpm1(2 * Math.abs(x));
  return Math.sign(x) * rounded(divide(m, add(m, double(2))));
}

/** exp(x) - 1 in double-double, |x| <= 80. */
function wideExpm1(x: number): DoubleDouble {
  if (Math.abs(x) < 0.5) return smallExpm1(double(x));
  const { mantissa, exponent } = exponential(double(x));
  return subtract(multiply(mantissa, double(2 ** exponent)), one);
}

/** Largest angle, rad, that sin, cos and tan reduce without loss. */
export const largestAngle = 1e5;

/** sin and cos in double-double. */
function circular(x: number): { sine: DoubleDouble; cosine: DoubleDouble } {
  const quarter = Math.round(x / HALF_PI.hi);
  const near = subtract(double(x), multiply(HALF_PI, double(quarter)));
  const rest = subtract(near, double(HALF_PI_REST * quarter));
  const square = negative(multiply(rest, rest));
  const sine = rest.hi === 0 ? rest : series(rest, (k) => divide(square, double(2 * k * (2 * k + 1))));
  const cosine = series(one, (k) => divide(square, double((2 * k - 1) * 2 * k)));
  const turn = ((quarter % 4) + 4) % 4;
  if (turn === 0) return { sine, cosine };
  if (turn === 1) return { sine: cosine, cosine: negative(sine) };
  if (turn === 2) return { sine: negative(sine), cosine: negative(cosine) };
  return { sine: negative(cosine), cosine: sine };
}

/** sin(x) for |x| <= largestAngle; cos and tan alike. */
export const sin = (x: number): number => (x === 0 ? x : rounded(circular(x).sine));
export const cos = (x: number): number => rounded(circular(x).cosine);
export function tan(x: number): number {
  if (x === 0) return x;
  const { sine, cosine } = circular(x);
  return rounded(divide(sine, cosine));
}
