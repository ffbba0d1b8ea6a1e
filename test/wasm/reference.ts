/**
 * The oracle of the elementary functions: BigInt fixed point with 320 binary places, and distances in ulps.
 *
 * A value is `mantissa * 2^exponent`, so that e^-700 has as many digits as e. Checked against mpmath by
 * test/golden/functions.json.
 */

export interface Exact {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const PLACES = 320;
const P = BigInt(PLACES);
const unit = 1n << P;
const view = new DataView(new ArrayBuffer(8));

/** A finite double without error. */
export function exact(x: number): Exact {
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const field = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const size = field === 0 ? fraction : fraction | (1n << 52n);
  return { mantissa: x < 0 ? -size : size, exponent: Math.max(field, 1) - 1075 };
}

const shifted = (m: bigint, by: number): bigint => (by >= 0 ? m << BigInt(by) : m >> BigInt(-by));
/** As fixed point: absolute error 2^-320. */
const fixed = ({ mantissa, exponent }: Exact): bigint => shifted(mantissa, exponent + PLACES);
const times = (a: bigint, b: bigint): bigint => (a * b) >> P;
const over = (a: bigint, b: bigint): bigint => (a << P) / b;
const plain = (m: bigint): Exact => ({ mantissa: m, exponent: -PLACES });

function logOfRatio(s: bigint): bigint {
  const square = times(s, s); // 2 atanh s
  let power = 2n * s;
  let sum = 0n;
  for (let k = 1n; power !== 0n && power !== -1n; k += 2n) {
    sum += power / k;
    power = times(power, square);
  }
  return sum;
}
const ln2 = logOfRatio(unit / 3n);
const ln10 = 3n * ln2 + logOfRatio(unit / 9n);
// Machin: pi = 16 atan(1/5) - 4 atan(1/239), with 200 more places
const PI_PLACES = 520n;
function inverseTangent(n: bigint): bigint {
  let power = (1n << PI_PLACES) / n;
  let sum = 0n;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += k % 4n === 1n ? power / k : -power / k;
    power /= n * n;
  }
  return sum;
}
const pi = 16n * inverseTangent(5n) - 4n * inverseTangent(239n);

/** e^y of a fixed-point y. */
function exponential(y: bigint): Exact {
  const k = Number((2n * y + ln2) / (2n * ln2)) - (y < 0n ? 1 : 0);
  const r = (y - BigInt(k) * ln2) >> 8n;
  let term = unit;
  let sum = unit;
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    term = times(term, r) / n;
    sum += term;
  }
  for (let n = 0; n < 8; n++) sum = times(sum, sum);
  return { mantissa: sum, exponent: k - PLACES };
}

/** log x of a positive double: the host's value, improved by two steps of Halley's method. */
function logarithm(x: number): bigint {
  const { mantissa, exponent } = exact(x);
  const length = mantissa.toString(2).length;
  let k = exponent + length;
  let m = shifted(mantissa, PLACES - length); // [1/2, 1)
  if (m < (unit * 181n) / 256n) {
    m <<= 1n;
    k -= 1;
  }
  let y = fixed(exact(Math.log(Number(m >> (P - 60n)) / 2 ** 60)));
  for (let step = 0; step < 2; step++) {
    const e = fixed(exponential(y));
    y += over(2n * (m - e), m + e);
  }
  return y + BigInt(k) * ln2;
}

/** [cos, sin] of a fixed-point angle with `PI_PLACES` places. */
function circular(angle: bigint): [bigint, bigint] {
  const quarter = (2n * angle + pi / 2n) / pi - (angle < 0n ? 1n : 0n);
  const r = (angle - (quarter * pi) / 2n) >> (PI_PLACES - P);
  const square = times(r, r);
  let cosine = 0n;
  let sine = 0n;
  let c = unit;
  let s = r;
  for (let n = 1n; c !== 0n || s !== 0n; n++) {
    cosine += c;
    sine += s;
    c = -times(c, square) / ((2n * n - 1n) * (2n * n));
    s = -times(s, square) / (2n * n * (2n * n + 1n));
    if (c === 1n || c === -1n) c = 0n;
    if (s === 1n || s === -1n) s = 0n;
  }
  const turn = Number(((quarter % 4n) + 4n) % 4n);
  if (turn === 0) return [cosine, sine];
  if (turn === 1) return [-sine, cosine];
  if (turn === 2) return [-cosine, -sine];
  return [sine, -cosine];
}
const radians = (x: number): bigint => {
  const { mantissa, exponent } = exact(x);
  return shifted(mantissa, exponent + Number(PI_PLACES));
};

const negated = ({ mantissa, exponent }: Exact): Exact => ({ mantissa: -mantissa, exponent });
const sum = (a: Exact, b: Exact): Exact => {
  const [large, small] = a.exponent >= b.exponent ? [a, b] : [b, a];
  const gap = large.exponent - small.exponent;
  return { mantissa: (large.mantissa << BigInt(gap)) + small.mantissa, exponent: small.exponent };
};
const quotient = (a: Exact, b: Exact): Exact => ({
  mantissa: (a.mantissa << 800n) / b.mantissa,
  exponent: a.exponent - b.exponent - 800,
});
const one: Exact = { mantissa: 1n, exponent: 0 };
const e = (x: number): Exact => exponential(fixed(exact(x)));

/** x^y for positive x; the argument of the exponential to 2^-250. */
function power(x: number, y: number): Exact {
  const { mantissa, exponent } = exact(y);
  return exponential(shifted(logarithm(x) * mantissa, exponent));
}

/** The functions, of finite doubles inside their domains. Relative error below 2^-190 for |x| > 2^-60. */
export const reference: Record<string, (...args: number[]) => Exact> = {
  exp: e,
  expm1: (x) => sum(e(x), negated(one)),
  log: (x) => plain(logarithm(x)),
  log10: (x) => plain(over(logarithm(x), ln10)),
  sin: (x) => plain(circular(radians(x))[1]),
  cos: (x) => plain(circular(radians(x))[0]),
  tan: (x) => {
    const [cosine, sine] = circular(radians(x));
    return quotient(plain(sine), plain(cosine));
  },
  sinh: (x) => {
    const { mantissa, exponent } = sum(e(x), negated(e(-x)));
    return { mantissa, exponent: exponent - 1 };
  },
  cosh: (x) => {
    const { mantissa, exponent } = sum(e(x), e(-x));
    return { mantissa, exponent: exponent - 1 };
  },
  tanh: (x) => {
    const square = e(2 * x);
    return quotient(sum(square, negated(one)), sum(square, one));
  },
  "^": power,
  /** [cos, sin] of 2 pi turns, sqrt(-2 log u) times these: the normal pair of two uniform numbers. */
  normalCos: (u, turns) => normal(u, turns, 0),
  normalSin: (u, turns) => normal(u, turns, 1),
  mod: (x, y) => {
    const a = exact(x);
    const b = exact(y);
    const unitExponent = Math.min(a.exponent, b.exponent);
    const m = shifted(a.mantissa, a.exponent - unitExponent);
    const n = shifted(b.mantissa, b.exponent - unitExponent);
    let rest = m % n;
    if (rest !== 0n && rest < 0n !== n < 0n) rest += n;
    return { mantissa: rest, exponent: unitExponent };
  },
};

function squareRoot(a: bigint): bigint {
  const target = a << P;
  let root = 1n << BigInt(Math.ceil(target.toString(2).length / 2));
  for (;;) {
    const next = (root + target / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

function normal(u: number, turns: number, which: 0 | 1): Exact {
  const { mantissa, exponent } = exact(turns);
  const angle = shifted(2n * pi * mantissa, exponent);
  return plain(times(squareRoot(-2n * logarithm(u)), circular(angle)[which]));
}

/** Distance of `actual` from `value` in units of the last place, of a number of `digits` bits, of the exact value. */
export function ulps(actual: number, value: Exact, digits = 53): number {
  if (Number.isNaN(actual)) return Number.POSITIVE_INFINITY;
  const size = value.mantissa < 0n ? -value.mantissa : value.mantissa;
  if (size === 0n) return actual === 0 ? 0 : Number.POSITIVE_INFINITY;
  if (!Number.isFinite(actual)) return Number.POSITIVE_INFINITY;
  const smallest = digits === 53 ? -1022 : -126;
  const top = Math.max(value.exponent + size.toString(2).length - 1, smallest);
  const ulp = top - digits + 1;
  const a = exact(actual);
  const difference = sum(a, negated(value));
  const gap = shifted(difference.mantissa, difference.exponent - ulp + 40);
  return Math.abs(Number(gap)) / 2 ** 40;
}

/** Binary digits in which high + low and `value` agree. */
export function digitsAgreed(high: number, low: number, value: Exact): number {
  const difference = sum(sum(exact(high), exact(low)), negated(value));
  const size = difference.mantissa < 0n ? -difference.mantissa : difference.mantissa;
  if (size === 0n) return Number.POSITIVE_INFINITY;
  const bits = (m: bigint) => (m < 0n ? -m : m).toString(2).length;
  return bits(value.mantissa) + value.exponent - (bits(size) + difference.exponent);
}
