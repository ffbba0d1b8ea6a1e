/**
 * Units and dimensions: text such as "5 ms" or "2 nA/mm^2" to SI numbers.
 *
 * A unit is a power of ten, a whole factor and a dimension. Decimal prefixes are applied to the
 * exponent of the written number, so "0.1 ms" is the double nearest 1e-4: no rounding of its own. Knows
 * nothing of equations.
 *
 * Source of prefixes and units: Bureau International des Poids et Mesures, The International System of
 * Units, 9th edition, 2019. A year is the Julian year of 365.25 days, a month a twelfth of it.
 */
import { ConfigError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/** Exponents of m, kg, s, A, K, mol, cd. */
export type Dimension = readonly number[];

export type TimeUnit =
  | "s"
  | "ms"
  | "us"
  | "µs"
  | "ns"
  | "ps"
  | "min"
  | "h"
  | "day"
  | "days"
  | "week"
  | "weeks"
  | "month"
  | "months"
  | "year"
  | "years";
/** A time as text, `"5 ms"`: a bare number does not compile. */
export type Time = `${number} ${TimeUnit}`;

const baseSymbols = ["m", "kg", "s", "A", "K", "mol", "cd"] as const;

/** A unit's size is factor * 10^exponent in SI. */
interface Unit {
  readonly factor: number;
  readonly exponent: number;
  readonly dimension: Dimension;
}

const prefixes: Readonly<Record<string, number>> = {
  a: -18,
  f: -15,
  p: -12,
  n: -9,
  u: -6,
  µ: -6, // U+00B5, micro sign
  μ: -6, // U+03BC, Greek mu
  m: -3,
  c: -2,
  d: -1,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
};

const unit = (dimension: Dimension, exponent = 0, factor = 1): Unit => ({ factor, exponent, dimension });

const metric: Readonly<Record<string, Unit>> = {
  m: unit([1, 0, 0, 0, 0, 0, 0]),
  g: unit([0, 1, 0, 0, 0, 0, 0], -3),
  s: unit([0, 0, 1, 0, 0, 0, 0]),
  A: unit([0, 0, 0, 1, 0, 0, 0]),
  K: unit([0, 0, 0, 0, 1, 0, 0]),
  mol: unit([0, 0, 0, 0, 0, 1, 0]),
  cd: unit([0, 0, 0, 0, 0, 0, 1]),
  Hz: unit([0, 0, -1, 0, 0, 0, 0]),
  N: unit([1, 1, -2, 0, 0, 0, 0]),
  Pa: unit([-1, 1, -2, 0, 0, 0, 0]),
  J: unit([2, 1, -2, 0, 0, 0, 0]),
  W: unit([2, 1, -3, 0, 0, 0, 0]),
  C: unit([0, 0, 1, 1, 0, 0, 0]),
  V: unit([2, 1, -3, -1, 0, 0, 0]),
  F: unit([-2, -1, 4, 2, 0, 0, 0]),
  ohm: unit([2, 1, -3, -2, 0, 0, 0]),
  Ω: unit([2, 1, -3, -2, 0, 0, 0]), // U+03A9
  S: unit([-2, -1, 3, 2, 0, 0, 0]),
  Wb: unit([2, 1, -2, -1, 0, 0, 0]),
  H: unit([2, 1, -2, -2, 0, 0, 0]),
  T: unit([0, 1, -2, -1, 0, 0, 0]),
  l: unit([3, 0, 0, 0, 0, 0, 0], -3),
  L: unit([3, 0, 0, 0, 0, 0, 0], -3),
  M: unit([-3, 0, 0, 0, 0, 1, 0], 3), // mol per litre
  eV: unit([2, 1, -2, 0, 0, 0, 0], -28, 1_602_176_634), // exact since 2019
};

const time: Dimension = [0, 0, 1, 0, 0, 0, 0];
const plain: Readonly<Record<string, Unit>> = {
  min: unit(time, 0, 60),
  h: unit(time, 0, 3600),
  day: unit(time, 0, 86_400),
  days: unit(time, 0, 86_400),
  week: unit(time, 0, 604_800),
  weeks: unit(time, 0, 604_800),
  month: unit(time, 0, 2_629_800),
  months: unit(time, 0, 2_629_800),
  year: unit(time, 0, 31_557_600),
  years: unit(time, 0, 31_557_600),
};

/** What people write for a unit we call otherwise. */
const otherNames: Readonly<Record<string, string>> = {
  volt: "V",
  volts: "V",
  amp: "A",
  ampere: "A",
  siemens: "S",
  Ohm: "ohm",
  ohms: "ohm",
  farad: "F",
  hertz: "Hz",
  second: "s",
  seconds: "s",
  sec: "s",
  minute: "min",
  minutes: "min",
  hour: "h",
  hours: "h",
  hr: "h",
  d: "day",
  yr: "year",
  metre: "m",
  meter: "m",
  gram: "g",
  joule: "J",
  watt: "W",
  coulomb: "C",
  kelvin: "K",
  degC: "K",
  mole: "mol",
  molar: "M",
  litre: "l",
  liter: "l",
};

export const dimensionless: Dimension = [0, 0, 0, 0, 0, 0, 0];

/** Equal up to rounding of fractional exponents. */
export function sameDimension(a: Dimension, b: Dimension): boolean {
  return a.every((exponent, k) => Math.abs(exponent - b[k]) < 1e-9);
}

export function multiplyDimensions(a: Dimension, b: Dimension): Dimension {
  return a.map((exponent, k) => exponent + b[k]);
}

export function divideDimensions(a: Dimension, b: Dimension): Dimension {
  return a.map((exponent, k) => exponent - b[k]);
}

export function powerDimension(a: Dimension, power: number): Dimension {
  return a.map((exponent) => (exponent === 0 ? 0 : exponent * power));
}

// Units a dimension is written in, and how odd each looks; likewise powers. The least odd writing wins.
const oddUnits = {
  V: 0,
  A: 1,
  S: 2,
  s: 3,
  m: 4,
  F: 5,
  ohm: 6,
  C: 7,
  mol: 8,
  K: 9,
  kg: 10,
  J: 25,
  W: 26,
  N: 27,
  cd: 28,
};
const oddPowers: readonly (readonly [power: number, oddness: number])[] = [
  [1, 0],
  [-1, 2],
  [2, 6],
  [-2, 7],
  [3, 9],
  [-3, 10],
  [4, 14],
  [-4, 15],
  [0.5, 20],
  [-0.5, 20],
  [1.5, 22],
  [-1.5, 22],
];
const bothBelow = 4; // 1/(V*s)

const formatted = new Map<string, string>();

/** A dimension in familiar units: "V/s", "A/m^2", "1/s"; "1" when dimensionless. */
export function formatDimension(dimension: Dimension): string {
  const rounded = dimension.map((exponent) => Math.round(exponent * 1e6) / 1e6 + 0);
  const key = rounded.join();
  let text = formatted.get(key);
  if (text === undefined) formatted.set(key, (text = familiar(rounded)));
  return text;
}

function familiar(dimension: Dimension): string {
  if (sameDimension(dimension, dimensionless)) return "1";
  const units = Object.entries(oddUnits).map(
    ([symbol, oddness]) =>
      [symbol, oddness, (symbol === "kg" ? metric.g : metric[symbol]).dimension] as const,
  );
  let best = "";
  let least = Number.POSITIVE_INFINITY;
  for (const [symbol, oddness, size] of units)
    for (const [power, oddPower] of oddPowers)
      if (oddness + oddPower < least && sameDimension(dimension, powerDimension(size, power))) {
        best = product([[symbol, power]]);
        least = oddness + oddPower;
      }
  if (best) return best;
  for (const [first, oddFirst, firstSize] of units)
    for (const [power, oddPower] of oddPowers) {
      const rest = divideDimensions(dimension, powerDimension(firstSize, power));
      for (const [second, oddSecond, secondSize] of units)
        for (const [other, oddOther] of oddPowers) {
          const odd = oddFirst + oddPower + oddSecond + oddOther + (power < 0 && other < 0 ? bothBelow : 0);
          if (second === first || odd >= least || !sameDimension(rest, powerDimension(secondSize, other)))
            continue;
          best = product([
            [first, power],
            [second, other],
          ]);
          least = odd;
        }
    }
  return best || product(baseSymbols.map((symbol, k) => [symbol, dimension[k]]));
}

function product(factors: readonly (readonly [symbol: string, power: number])[]): string {
  const write = ([symbol, power]: readonly [string, number]): string => {
    const size = Math.abs(power);
    if (size === 1) return symbol;
    return Number.isInteger(size * 2) && !Number.isInteger(size)
      ? `${symbol}^(${size * 2}/2)`
      : `${symbol}^${size}`;
  };
  const above = factors.filter(([, power]) => power > 0).map(write);
  const below = factors.filter(([, power]) => power < 0).map(write);
  const over = above.join("*") || "1";
  if (below.length === 0) return over;
  return below.length === 1 ? `${over}/${below[0]}` : `${over}/(${below.join("*")})`;
}

/** One symbol, with or without a decimal prefix: "mV", "ohm", "year". */
function symbolUnit(symbol: string): Unit | undefined {
  if (Object.hasOwn(plain, symbol)) return plain[symbol];
  if (Object.hasOwn(metric, symbol)) return metric[symbol];
  const prefix = symbol.slice(0, 1);
  const rest = symbol.slice(1);
  if (!Object.hasOwn(prefixes, prefix) || !Object.hasOwn(metric, rest)) return undefined;
  const base = metric[rest];
  return unit(base.dimension, base.exponent + prefixes[prefix], base.factor);
}

function nearestUnit(symbol: string): string | undefined {
  for (const prefix of ["", ...Object.keys(prefixes), "milli", "micro", "nano", "pico", "kilo", "mega"]) {
    const rest = symbol.slice(prefix.length);
    if (!symbol.startsWith(prefix) || !Object.hasOwn(otherNames, rest)) continue;
    const short = { milli: "m", micro: "u", nano: "n", pico: "p", kilo: "k", mega: "M" }[prefix] ?? prefix;
    if (symbolUnit(short + otherNames[rest])) return short + otherNames[rest];
  }
  const common = Object.keys(metric).flatMap((base) => [
    base,
    ...["m", "u", "n", "p", "k"].map((p) => p + base),
  ]);
  return nearest(symbol, [...common, "Mohm", "MHz", "GHz", "cm", "dm", ...Object.keys(plain)]);
}

const parsedUnits = new Map<string, Unit>();

/** Unit text: symbols with `*`, `/`, `^` and brackets; "" and "1" are dimensionless. `/` binds to the left. */
function parseUnit(text: string): Unit {
  const known = parsedUnits.get(text);
  if (known) return known;
  const tokens = text.match(/[A-Za-zµμΩ]+|\d+(?:\.\d+)?|\S/gu) ?? [];
  let at = 0;
  const wrong = (reason: string): never => {
    throw new ConfigError(`"${text}" is not a unit: ${reason}`);
  };
  const expectClose = (): void => {
    if (tokens[at++] !== ")") wrong("a bracket is not closed");
  };
  const exponentNumber = (): number => {
    if (tokens[at] === "-") {
      at++;
      return -exponentNumber();
    }
    if (tokens[at] === "(") {
      at++;
      let value = exponentNumber();
      while (tokens[at] === "/") {
        at++;
        value /= exponentNumber();
      }
      expectClose();
      return value;
    }
    const value = Number(tokens[at++]);
    return Number.isFinite(value) ? value : wrong("an exponent must be a number, such as m^2 or s^(1/2)");
  };
  const atom = (): Unit => {
    const token = tokens[at++];
    if (token === "(") {
      const inside = products();
      expectClose();
      return inside;
    }
    if (token === "1") return unit(dimensionless);
    if (token === undefined) return wrong("it ends too early");
    const found = symbolUnit(token);
    if (found) return found;
    const guess = /^\p{L}/u.test(token) ? nearestUnit(token) : undefined;
    return wrong(`unknown unit ${token}${guess === undefined ? "" : `; did you mean ${guess}?`}`);
  };
  const power = (): Unit => {
    const base = atom();
    if (tokens[at] !== "^") return base;
    at++;
    const p = exponentNumber();
    return unit(powerDimension(base.dimension, p), base.exponent * p, base.factor ** p);
  };
  const products = (): Unit => {
    let result = power();
    while (tokens[at] === "*" || tokens[at] === "/") {
      const sign = tokens[at++] === "*" ? 1 : -1;
      const next = power();
      result = unit(
        multiplyDimensions(result.dimension, powerDimension(next.dimension, sign)),
        result.exponent + sign * next.exponent,
        sign > 0 ? result.factor * next.factor : result.factor / next.factor,
      );
    }
    return result;
  };
  let result = unit(dimensionless);
  if (tokens.length > 0) {
    result = products();
    if (at < tokens.length) wrong(`"${tokens[at]}" is not expected; products are written with *`);
  }
  parsedUnits.set(text, result);
  return result;
}

/** Dimension of a unit and its size in SI: "mV" -> V, 1e-3. Throws `ConfigError` on an unknown unit. */
export function unitDimension(text: string): { readonly dimension: Dimension; readonly factor: number } {
  const { dimension, exponent, factor } = parseUnit(text.trim());
  return { dimension, factor: scaled("1", exponent, factor) };
}

/** decimal * factor * 10^exponent; whole exponents go into the decimal text, which rounds once. */
function scaled(decimal: string, exponent: number, factor: number): number {
  const number = factor === 1 ? decimal : `${Number(decimal) * factor}`;
  if (!Number.isInteger(exponent)) return Number(number) * 10 ** exponent;
  const [mantissa, written = "0"] = number.toLowerCase().split("e");
  return Number(`${mantissa}e${Number(written) + exponent}`);
}

/** A quantity with its dimension: "-50 mV" -> -0.05, V. A number, or text without unit, is dimensionless. */
export function parseQuantity(value: string | number): {
  readonly value: number;
  readonly dimension: Dimension;
} {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new ConfigError(`${value} is not a quantity`);
    return { value, dimension: dimensionless };
  }
  const match = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$/su.exec(value);
  if (!match)
    throw new ConfigError(`"${value}" is not a quantity: a number and a unit are expected, such as "5 ms"`);
  const [, decimal, unitText] = match;
  let size: Unit;
  try {
    size = parseUnit(unitText);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(
      `"${value}" is not a quantity: ${error.message.replace(/^.*?is not a unit: /su, "")}`,
    );
  }
  const result = scaled(decimal, size.exponent, size.factor);
  if (!Number.isFinite(result)) throw new ConfigError(`"${value}" is too large for a number`);
  return { value: result, dimension: size.dimension };
}

/** SI value of a quantity, which must have the dimension of the unit `expected` when that is given. */
export function quantity(value: string | number, expected?: string): number {
  const found = parseQuantity(value);
  if (expected !== undefined) {
    const wanted = unitDimension(expected).dimension;
    if (!sameDimension(found.dimension, wanted)) {
      const written = typeof value === "number" ? `${value}` : `"${value}"`;
      throw new ConfigError(
        sameDimension(found.dimension, dimensionless)
          ? `${written} has no unit; ${expected} is expected, such as "1 ${expected}"`
          : `${written} is ${formatDimension(found.dimension)}, ${formatDimension(wanted)} is expected`,
      );
    }
  }
  return found.value;
}

/** A time in seconds. `what` it is the time of names it in errors. */
export function seconds(time: Time, what?: string): number {
  if (what === undefined) return quantity(time, "s");
  try {
    return quantity(time, "s");
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(`${what}: ${error.message}`) : error;
  }
}
