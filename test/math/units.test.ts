import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  dimensionless,
  divideDimensions,
  formatDimension,
  multiplyDimensions,
  powerDimension,
  quantity,
  sameDimension,
  seconds,
  unitDimension,
} from "../../src/math/units.ts";

function message(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  throw new Error("nothing was thrown");
}

describe("quantities", () => {
  test.each<[string | number, string, number]>([
    ["5 ms", "s", 5e-3],
    ["0.1 ms", "s", 1e-4],
    ["-50 mV", "V", -0.05],
    ["1.62 mV", "V", 0.00162],
    ["1e-3 V", "V", 1e-3],
    ["+.5e2 uS", "S", 50e-6],
    ["10 us", "s", 1e-5],
    ["10 µs", "s", 1e-5], // U+00B5
    ["10 μs", "s", 1e-5], // U+03BC
    ["200 pF", "F", 200e-12],
    ["100 Mohm", "ohm", 1e8],
    ["100 MΩ", "V/A", 1e8],
    ["30 nS", "1/ohm", 30e-9],
    ["2 nA/mm^2", "A/m^2", 2e-3],
    ["1 uF/cm^2", "F/m^2", 1e-2],
    ["100 S/(m^2)", "S/m^2", 100],
    ["5 1/s", "Hz", 5],
    ["1 mV*ms^(-1/2)", "V/s^0.5", 0.03162277660168379],
    ["2 mM", "mol/m^3", 2],
    ["3 kg", "kg", 3],
    ["3 mg", "g", 3e-6],
    ["90 uA", "C/s", 90e-6],
    ["1 eV", "J", 1.602176634e-19],
    ["1 min", "s", 60],
    ["1 h", "s", 3600],
    ["2 days", "s", 172_800],
    ["1 month", "s", 31_557_600 / 12],
    ["1 year", "s", 365.25 * 86_400],
    ["20", "1", 20],
    [20, "", 20],
    ["5e3", "1", 5000],
  ])("%s is a %s", (text, unit, value) => {
    expect(quantity(text, unit)).toBe(value);
  });

  test("a decimal with a decimal prefix is the nearest double, without a rounding of its own", () => {
    const decimal = fc.tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: 0, max: 6 }));
    const prefix = fc.constantFrom<[string, number]>(["m", -3], ["u", -6], ["n", -9], ["p", -12], ["k", 3]);
    fc.assert(
      fc.property(decimal, prefix, ([digits, places], [letter, exponent]) => {
        const text = (digits / 10 ** places).toFixed(places);
        expect(quantity(`${text} ${letter}V`, "V")).toBe(Number(`${text}e${exponent}`));
      }),
    );
  });

  test("times are seconds", () => {
    expect(seconds("5 ms")).toBe(5e-3);
    expect(seconds("1 week")).toBe(604_800);
  });

  test("errors name the text, both sides and the nearest unit", () => {
    expect(
      [
        () => quantity("5 mv", "V"),
        () => quantity("5 mvolt", "V"),
        () => quantity("5 Ohm"),
        () => quantity("5 msec", "s"),
        () => quantity("20 degC", "K"),
        () => quantity("5 mV", "s"),
        () => quantity("5", "s"),
        () => quantity(5, "s"),
        () => quantity(Number.NaN),
        () => quantity("five ms"),
        () => quantity("5 m s"),
        () => quantity("5 m^x"),
        () => quantity("5 S/(m^2"),
        () => quantity("5 V/"),
        () => quantity("1e400 V"),
        () => unitDimension("mV/ss"),
      ]
        .map(message)
        .join("\n"),
    ).toMatchInlineSnapshot(`
      "ConfigError: "5 mv" is not a quantity: unknown unit mv; did you mean mV?
      ConfigError: "5 mvolt" is not a quantity: unknown unit mvolt; did you mean mV?
      ConfigError: "5 Ohm" is not a quantity: unknown unit Ohm; did you mean ohm?
      ConfigError: "5 msec" is not a quantity: unknown unit msec; did you mean ms?
      ConfigError: "20 degC" is not a quantity: unknown unit degC; did you mean K?
      ConfigError: "5 mV" is V, s is expected
      ConfigError: "5" has no unit; s is expected, such as "1 s"
      ConfigError: 5 has no unit; s is expected, such as "1 s"
      ConfigError: NaN is not a quantity
      ConfigError: "five ms" is not a quantity: a number and a unit are expected, such as "5 ms"
      ConfigError: "5 m s" is not a quantity: "s" is not expected; products are written with *
      ConfigError: "5 m^x" is not a quantity: an exponent must be a number, such as m^2 or s^(1/2)
      ConfigError: "5 S/(m^2" is not a quantity: a bracket is not closed
      ConfigError: "5 V/" is not a quantity: it ends too early
      ConfigError: "1e400 V" is too large for a number
      ConfigError: "mV/ss" is not a unit: unknown unit ss; did you mean s?"
    `);
  });
});

describe("dimensions", () => {
  const symbols = ["m", "kg", "s", "A", "K", "mol", "cd", "V", "S", "F", "ohm", "Hz", "J"];
  const anyUnit = fc
    .array(fc.tuple(fc.constantFrom(...symbols), fc.constantFrom(-2, -1, -0.5, 1, 2, 3)), { maxLength: 4 })
    .map((factors) => factors.map(([symbol, power]) => `${symbol}^(${power})`).join("*"));

  test.each([
    ["V/s", "V/s"],
    ["kg*m^2/(s^3*A)", "V"],
    ["1/ohm", "S"],
    ["A*s", "C"],
    ["Hz", "1/s"],
    ["A/m^2", "A/m^2"],
    ["S/(m^2)", "S/m^2"],
    ["uF/cm^2", "F/m^2"],
    ["V*ms^(-1/2)", "V/s^(1/2)"],
    ["nS*mV", "A"],
    ["A/F", "V/s"],
    ["V*A", "W"],
    ["1/V", "1/V"],
    ["1/(V*s)", "1/(V*s)"],
    ["mM", "mol/m^3"],
    ["m/s", "m/s"],
    ["V*s", "V*s"],
    ["m*K*cd*mol", "m*K*mol*cd"],
    ["", "1"],
  ])("%s is written %s", (unit, text) => {
    expect(formatDimension(unitDimension(unit).dimension)).toBe(text);
  });

  test("what is written is read back as the same dimension", () => {
    fc.assert(
      fc.property(anyUnit, (text) => {
        const { dimension } = unitDimension(text);
        expect(sameDimension(unitDimension(formatDimension(dimension)).dimension, dimension)).toBe(true);
      }),
    );
  });

  test("multiplying, dividing and powers form the algebra of exponents", () => {
    fc.assert(
      fc.property(anyUnit, anyUnit, (a, b) => {
        const [x, y] = [a, b].map((text) => unitDimension(text).dimension);
        const xy = multiplyDimensions(x, y);
        expect(sameDimension(unitDimension(`(${a || "1"})*(${b || "1"})`).dimension, xy)).toBe(true);
        expect(sameDimension(divideDimensions(xy, y), x)).toBe(true);
        expect(sameDimension(powerDimension(powerDimension(x, 2), 0.5), x)).toBe(true);
        expect(sameDimension(powerDimension(x, 0), dimensionless)).toBe(true);
      }),
    );
  });
});
