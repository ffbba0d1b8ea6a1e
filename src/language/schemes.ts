/**
 * Explicit one-step schemes: Euler, Runge-Kutta of order 2 and 4, Heun, with white noise where they take it.
 *
 * A group of equations is advanced together by one scheme. What other variables are at a stage is asked of the
 * caller: the exact value, or nothing, and then they keep the value they had. Draws keep theirs for the whole
 * step. Frozen variables stand still at every stage of a refractory cell.
 */
import { product, scaled, sum } from "./algebra.ts";
import { type Expression, name, number, substitute, walk } from "./expression.ts";
import { type InlinedEquation, whenActive } from "./propagator.ts";

export interface Surroundings {
  readonly dt: number; // s
  /** The value of a variable outside the group at a fraction (1/2 or 1) of the step; undefined: as at its start. */
  readonly at: (variable: string, fraction: number) => Expression | undefined;
  /** The standard normal number of a stream in this step. */
  readonly normal: (stream: number) => Expression;
}

export type Scheme = (
  equations: readonly InlinedEquation[],
  surroundings: Surroundings,
) => Map<string, Expression>;

/** Names that grow with time within a step. */
export const clocks: ReadonlySet<string> = new Set(["t", "age"]);

type Values = ReadonlyMap<string, Expression>; // by variable

/** x + dt f + sqrt(dt) sum g N: Euler, and with noise Euler-Maruyama (Ito; strong order 1/2, 1 for constant g). */
export const euler: Scheme = (equations, { dt, normal }) =>
  changed(equations, (equation) => noises(equation, normal, dt).reduce(sum, scaled1(equation.drift, dt)));

/** The midpoint rule: order 2. */
export const rk2: Scheme = (equations, surroundings) => {
  const { dt } = surroundings;
  const k1 = drifts(equations);
  const k2 = slopes(equations, moved(equations, k1, dt / 2), 1 / 2, surroundings);
  return changed(equations, ({ variable }) => scaled1(k2.get(variable)!, dt));
};

/** The classical Runge-Kutta scheme: order 4. */
export const rk4: Scheme = (equations, surroundings) => {
  const { dt } = surroundings;
  const k1 = drifts(equations);
  const k2 = slopes(equations, moved(equations, k1, dt / 2), 1 / 2, surroundings);
  const k3 = slopes(equations, moved(equations, k2, dt / 2), 1 / 2, surroundings);
  const k4 = slopes(equations, moved(equations, k3, dt), 1, surroundings);
  return changed(equations, ({ variable: x }) => {
    const middle = product(sum(k2.get(x)!, k3.get(x)!), number(2));
    return scaled1(sum(sum(k1.get(x)!, middle), k4.get(x)!), dt / 6);
  });
};

/** The trapezoidal rule on an Euler predictor: order 2; with noise it converges to the Stratonovich solution. */
export const heun: Scheme = (equations, surroundings) => {
  const { dt, normal } = surroundings;
  const predicted = euler(equations, surroundings);
  const evaluate = evaluator(equations, predicted, 1, surroundings);
  return changed(equations, (equation) => {
    const drift = scaled1(sum(equation.drift, evaluate(equation.drift)), dt / 2);
    const terms = equation.noise.map(({ stream, factor }) => {
      const later = evaluate(factor);
      const weight =
        later === factor ? scaled(factor, Math.sqrt(dt)) : scaled1(sum(factor, later), Math.sqrt(dt) / 2);
      return product(weight, normal(stream));
    });
    return terms.reduce(sum, drift);
  });
};

/** h times an expression that is the model's own text and stays as it is. */
const scaled1 = (expression: Expression, h: number): Expression => product(expression, number(h));

const drifts = (equations: readonly InlinedEquation[]): Values =>
  new Map(equations.map(({ variable, drift }) => [variable, drift]));

const noises = (equation: InlinedEquation, normal: Surroundings["normal"], dt: number): Expression[] =>
  equation.noise.map(({ stream, factor }) => product(scaled(factor, Math.sqrt(dt)), normal(stream)));

/** Every variable plus its change; itself where it is frozen. */
function changed(
  equations: readonly InlinedEquation[],
  change: (equation: InlinedEquation) => Expression,
): Map<string, Expression> {
  return new Map(
    equations.map((equation) => {
      const now = name(equation.variable);
      const later = sum(now, change(equation));
      return [equation.variable, equation.frozen && later !== now ? whenActive(later, now) : later];
    }),
  );
}

const moved = (equations: readonly InlinedEquation[], slope: Values, h: number): Values =>
  changed(equations, ({ variable }) => scaled1(slope.get(variable)!, h));

function slopes(
  equations: readonly InlinedEquation[],
  values: Values,
  fraction: number,
  surroundings: Surroundings,
): Values {
  const evaluate = evaluator(equations, values, fraction, surroundings);
  return new Map(equations.map(({ variable, drift }) => [variable, evaluate(drift)]));
}

/** Rewrites expressions to their values at a stage; what they share stays shared. */
function evaluator(
  equations: readonly InlinedEquation[],
  values: Values,
  fraction: number,
  { dt, at }: Surroundings,
): (expression: Expression) => Expression {
  const replacement = new Map(values);
  const done = new Map<Expression, Expression>();
  const seen = new Set<Expression>();
  const meet = (node: Expression) => {
    if (node.kind === "random") done.set(node, node);
    if (node.kind !== "name" || replacement.has(node.name)) return;
    const value = clocks.has(node.name) ? sum(node, number(fraction * dt)) : at(node.name, fraction);
    if (value) replacement.set(node.name, value);
  };
  for (const { drift, noise } of equations) {
    walk(drift, meet, seen);
    for (const { factor } of noise) walk(factor, meet, seen);
  }
  return (expression) => substitute(expression, replacement, done);
}
