/**
 * Linear equations stepped exactly.
 *
 * Finds the largest set of variables whose derivatives are affine in each other with coefficients that are
 * constant over a step, and writes x(t + h) as an expression of x(t). Numeric coefficients: the exponential of the
 * matrix, one number per pair. A coefficient that a cell stores for itself: the scalar solution, for an equation
 * that stands alone. Variables that are frozen while their cell is refractory have a second propagator.
 * Knows nothing of methods for other equations (schemes.ts) nor of who asks (integrate.ts).
 */
import * as wide from "../math/doubledouble.ts";
import { expm } from "../math/matrix.ts";
import { hasDraw, linearity, product, scaled, sum } from "./algebra.ts";
import { apply, type Expression, name, namesIn, number } from "./expression.ts";
import { print } from "./print.ts";

/** dx/dt = drift + sum over k of factor[k] * xi[k]; parameters are numbers, derived names are inlined. */
export interface InlinedEquation {
  readonly variable: string;
  readonly drift: Expression;
  readonly noise: readonly { readonly stream: number; readonly factor: Expression }[];
  /** Stands still while its cell is refractory. */
  readonly frozen: boolean;
}

/** dx/dt = sum over k of coefficients[k] * k, plus input; or rate * x + input with a rate that is not a number. */
type Row =
  | {
      readonly coefficients: ReadonlyMap<string, number>;
      readonly rate?: undefined;
      readonly input: Expression;
    }
  | { readonly coefficients?: undefined; readonly rate: Expression; readonly input: Expression };

export interface LinearSystem {
  readonly rows: ReadonlyMap<string, Row>;
  /** Why the other equations are not among them: "… because it has noise". */
  readonly reasons: ReadonlyMap<string, string>;
}

/**
 * The largest set of `equations` that can be stepped exactly. `varies` tells the names that change within a
 * step besides the variables of `equations` (t, variables of other methods).
 */
export function linearSystem(
  equations: readonly InlinedEquation[],
  varies: (name: string) => boolean,
): LinearSystem {
  const reasons = new Map<string, string>();
  let members = equations;
  for (;;) {
    const states = new Set(members.map(({ variable }) => variable));
    const rows = new Map<string, Row>();
    for (const equation of members) {
      const row = rowOf(equation, states, (text) => varies(text) || reasons.has(text));
      if (typeof row === "string") reasons.set(equation.variable, row);
      else rows.set(equation.variable, row);
    }
    for (const [variable, row] of rows) {
      const scalar = [...(row.coefficients?.keys() ?? [])].find((other) => rows.get(other)?.rate);
      if (scalar === undefined) continue;
      reasons.set(variable, `it depends on ${scalar}, whose rate is not one number for all cells`);
      rows.delete(variable);
    }
    if (rows.size === members.length) return { rows, reasons };
    members = members.filter(({ variable }) => rows.has(variable));
  }
}

/** The row of one equation, or why there is none. */
function rowOf(
  equation: InlinedEquation,
  states: ReadonlySet<string>,
  varies: (name: string) => boolean,
): Row | string {
  const { variable, drift } = equation;
  if (equation.noise.length > 0) return "it has noise";
  if (hasDraw(drift)) return "it draws random numbers";
  const moving = [...namesIn(drift)].find((text) => varies(text) && !states.has(text));
  if (moving !== undefined) return `it depends on ${moving}, which changes within a step`;
  const form = linearity(drift, states);
  if (!form.affine) return `${print(form.term, 6)} is not linear in the variables`;
  const coefficients = new Map<string, number>();
  for (const [other, coefficient] of form.coefficients) {
    if (coefficient.kind === "number") coefficients.set(other, coefficient.value);
    else if (form.coefficients.size === 1 && other === variable)
      return { rate: coefficient, input: form.constant };
    else return `the coefficient of ${other}, ${print(coefficient, 6)}, is not one number for all cells`;
  }
  const constants = [...coefficients.values(), form.constant.kind === "number" ? form.constant.value : 0];
  if (!constants.every(Number.isFinite)) {
    throw new RangeError(`d${variable}/dt has a coefficient that is not finite; is a parameter 0?`);
  }
  return { coefficients, input: form.constant };
}

/** `variable` of `system` after `h` seconds, as an expression of values now. `frozen` are the frozen variables. */
export function propagated(
  system: LinearSystem,
  equation: InlinedEquation,
  frozen: ReadonlySet<string>,
  h: number,
): Expression {
  const { variable } = equation;
  const row = system.rows.get(variable)!;
  const now = name(variable);
  if (row.rate) {
    const later = exponentialStep(now, equation.drift, row.rate, row.input, h);
    return frozen.has(variable) ? whenActive(later, now) : later;
  }
  const active = combination(system.rows, variable, h);
  if (![...closure(system.rows, variable)].some((other) => frozen.has(other))) return active;
  const still = new Map(system.rows);
  for (const other of frozen)
    if (still.has(other)) still.set(other, { coefficients: new Map(), input: number(0) });
  return whenActive(active, combination(still, variable, h));
}

/** `active` unless the cell is refractory. */
export const whenActive = (active: Expression, refractory: Expression): Expression =>
  apply("select", name("not_refractory"), active, refractory);

/** Everything `variable` depends on, directly or not, itself first. */
function closure(rows: ReadonlyMap<string, Row>, variable: string): Set<string> {
  const found = new Set([variable]);
  for (const member of found)
    for (const other of rows.get(member)!.coefficients?.keys() ?? []) found.add(other);
  return found;
}

/**
 * x(h) = sum over l of P[l] x_l + sum over l of F[l] input_l, where P and F are the row of `variable` in
 * exp([A B; 0 0] h). The matrix holds only what `variable` depends on, so a variable that stands alone has the
 * coefficient exp(a h) whatever else is in the model.
 */
function combination(rows: ReadonlyMap<string, Row>, variable: string, h: number): Expression {
  const members = [...closure(rows, variable)];
  const inputs = members.map((member) => rows.get(member)!.input);
  const symbolic = members.filter((_, k) => inputs[k].kind !== "number");
  const size = members.length + 1 + symbolic.length; // numeric inputs share one column
  const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  members.forEach((member, k) => {
    for (const [other, coefficient] of rows.get(member)!.coefficients!) {
      matrix[k][members.indexOf(other)] = coefficient;
    }
    const input = inputs[k];
    if (input.kind === "number") matrix[k][members.length] = input.value;
    else matrix[k][members.length + 1 + symbolic.indexOf(member)] = 1;
  });
  const [weights] = expm(matrix, h);
  let total: Expression = number(0);
  members.forEach((member, l) => {
    total = sum(total, product(name(member), number(weights[l])));
  });
  symbolic.forEach((member, l) => {
    total = sum(total, scaled(rows.get(member)!.input, weights[members.length + 1 + l]));
  });
  return sum(total, number(weights[members.length]));
}

/**
 * The solution of dx/dt = rate x + input after `h`, both constant: x exp(rate h), or
 * x + h drift expm1(z) / z with z = rate h, which is the same where the input is not 0 and needs no special case
 * but z = 0.
 */
export function exponentialStep(
  now: Expression,
  drift: Expression,
  rate: Expression,
  input: Expression,
  h: number,
): Expression {
  const z = scaled(rate, h);
  if (z.kind === "number") {
    if (z.value === 0) return sum(now, product(drift, number(h)));
    if (isZero(input)) return product(now, number(wide.exp(z.value)));
    return sum(now, product(drift, number((h * wide.expm1(z.value)) / z.value)));
  }
  if (isZero(input)) return product(now, apply("exp", z));
  const mean = apply("select", apply("==", z, number(0)), number(1), apply("/", apply("expm1", z), z));
  return sum(now, product(scaled(drift, h), mean));
}

const isZero = (node: Expression): boolean => node.kind === "number" && node.value === 0;
