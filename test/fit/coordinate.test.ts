import { expect, test } from "vitest";
import { coordinate } from "../../src/fit/coordinate.ts";

const infinity = Number.POSITIVE_INFINITY;
const bounds: readonly (readonly [number, number])[] = [
  [-infinity, infinity],
  [0, infinity],
  [-2, infinity],
  [-infinity, 3],
  [0, 1],
  [-5, 2e-6],
];

test.each(bounds)("between %s and %s: there and back to 1e-12, rising, and inside", (low, high) => {
  const { value, position } = coordinate(low, high);
  let last = low;
  for (let u = -12; u <= 12; u += 0.37) {
    const x = value(u);
    expect(x).toBeGreaterThan(last);
    expect(x).toBeLessThan(high);
    expect(Math.abs(position(x) - u)).toBeLessThan(1e-9); // the logit of 1 - 6e-6 has lost 5 of 16 digits
    last = x;
  }
  expect([value(-infinity), value(infinity)]).toEqual([low, high]);
  expect([position(low), position(high)]).toEqual([-infinity, infinity]);
});

test.each(bounds)(
  "between %s and %s: the slope is the derivative, to the h^2 of a central difference",
  (low, high) => {
    const { value, slope, logSlope } = coordinate(low, high);
    const h = 1e-4;
    for (let u = -6; u <= 6; u += 0.5) {
      const difference = (value(u + h) - value(u - h)) / (2 * h);
      expect(Math.abs(difference / slope(u) - 1)).toBeLessThan(
        1e-8 + (1e-16 * Math.abs(value(u))) / (h * slope(u)),
      );
      expect(Math.abs(Math.exp(logSlope(u)) / slope(u) - 1)).toBeLessThan(1e-14);
    }
  },
);

test("a positive number is searched by its logarithm, a fraction by its logit", () => {
  expect(coordinate(0).position(Math.E)).toBe(1);
  expect(coordinate(0, 1).value(Math.log(3))).toBeCloseTo(0.75, 15);
  expect(coordinate(0, 1).value(40)).toBeLessThanOrEqual(1);
  expect(coordinate(0, 1).value(-700)).toBeGreaterThan(0);
});

test("a value outside its bounds, and bounds without a number between, are errors", () => {
  expect(() => coordinate(0).position(-1)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: -1 is outside (0, Infinity)]`,
  );
  expect(() => coordinate(0, 1).position(Number.NaN)).toThrow(RangeError);
  expect(() => coordinate(1, 1)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: no number lies between 1 and 1]`,
  );
});
