import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as wide from "../../src/math/doubledouble.ts";
import * as oracle from "./fixed.ts";

/** Rounding a 106-bit result: half an ulp and a little; the host's libm is only asked for one. */
const ROUNDED = 0.5001;
const runs = { seed: 20260101, numRuns: 300 };
const between = (min: number, max: number) => fc.double({ min, max, noNaN: true, noDefaultInfinity: true });

describe("elementary functions are rounded correctly", () => {
  const { fixed, unit, over } = oracle;
  const cases: Record<string, [(x: number) => number, number, number, (x: number) => bigint]> = {
    exp: [wide.exp, -200, 200, (x) => oracle.exp(fixed(x))],
    expm1: [wide.expm1, -100, 100, (x) => oracle.exp(fixed(x)) - unit],
    sinh: [wide.sinh, -100, 100, (x) => (oracle.exp(fixed(x)) - oracle.exp(-fixed(x))) / 2n],
    cosh: [wide.cosh, -100, 100, (x) => (oracle.exp(fixed(x)) + oracle.exp(-fixed(x))) / 2n],
    tanh: [wide.tanh, -50, 50, (x) => unit - over(2n * unit, oracle.exp(2n * fixed(x)) + unit)],
    log: [wide.log, 1e-30, 1e30, (x) => oracle.log(x)],
    log10: [wide.log10, 1e-30, 1e30, (x) => over(oracle.log(x), oracle.log(10))],
    sin: [wide.sin, -100, 100, (x) => oracle.circle(fixed(x))[1]],
    cos: [wide.cos, -100, 100, (x) => oracle.circle(fixed(x))[0]],
    tan: [wide.tan, -100, 100, (x) => over(oracle.circle(fixed(x))[1], oracle.circle(fixed(x))[0])],
  };
  for (const [name, [f, low, high, exact]] of Object.entries(cases)) {
    test(`${name} on [${low}, ${high}]`, () => {
      const error = (x: number) => oracle.ulps(f(x), exact(x));
      fc.assert(
        fc.property(between(low, high), (x) => Math.abs(x) < 1e-100 || error(x) < ROUNDED),
        runs,
      );
      for (const x of [1e-20, -1e-9, 0.5, 1, 1 + 2 ** -52, 1 - 2 ** -53, Math.LN2 / 2, 2, 3, Math.PI, 10]) {
        if (x >= low && x <= high && f(x) !== 0) expect(error(x), `${name}(${x})`).toBeLessThan(ROUNDED);
      }
    });
  }

  test("pow agrees with exp(y log x)", () => {
    fc.assert(
      fc.property(between(1e-3, 1e3), between(-20, 20), (x, y) => {
        const exact = oracle.exp(oracle.times(oracle.fixed(y), oracle.log(x)));
        return Math.abs(y) < 1e-100 || oracle.ulps(wide.pow(x, y), exact) < ROUNDED;
      }),
      { ...runs, numRuns: 100 },
    );
  });
});

test("powers are exact where they are representable, and special cases are IEEE's", () => {
  expect([wide.pow(3, 33), wide.pow(-2, -3), wide.pow(10, 3), wide.pow(4, 0.5)]).toEqual([
    3 ** 33,
    -0.125,
    1000,
    2,
  ]);
  for (const [x, y] of [
    [0, 0],
    [0, -1],
    [-8, 1 / 3],
    [Number.NaN, 0],
    [2, 1e4],
    [2, -1e4],
    [-2, 1025],
    [Number.POSITIVE_INFINITY, -1],
  ]) {
    expect(wide.pow(x, y), `${x} ^ ${y}`).toBe(x ** y);
  }
  expect([1, 10, 1e5, 1e22].map(wide.log10)).toEqual([0, 1, 5, 22]);
});

test("the ends of the exponential's range: infinity, subnormal, zero, the sign of zero", () => {
  expect([wide.exp(710), wide.exp(-746), wide.exp(-745), wide.exp(0)]).toEqual([
    Number.POSITIVE_INFINITY,
    0,
    5e-324,
    1,
  ]);
  expect([wide.expm1(-0), wide.sin(-0), wide.sinh(-0), wide.tanh(-0)]).toEqual([-0, -0, -0, -0]);
  expect([wide.tanh(1000), wide.expm1(-1000), wide.sinh(-1000)]).toEqual([1, -1, Number.NEGATIVE_INFINITY]);
  expect(wide.exp(Number.NaN)).toBeNaN();
});

test("a double-double quotient times its divisor returns the dividend to 2^-100", () => {
  fc.assert(
    fc.property(between(1e-6, 1e6), between(1e-6, 1e6), (a, b) => {
      const back = wide.multiply(wide.divide(wide.double(a), wide.double(b)), wide.double(b));
      return Math.abs(wide.rounded(wide.subtract(back, wide.double(a)))) <= a * 2 ** -100;
    }),
    runs,
  );
});
