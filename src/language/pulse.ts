/**
 * What a pulse does: assignments in turn, and differential equations integrated under a voltage.
 *
 * Statements of a pulse are read here into moves, each of which is made at once. Knows nothing of arrays or machines.
 */
import { fold, inline, product } from "./algebra.ts";
import type { Application, CheckedModel, Derivative, Derived, Statement } from "./checked.ts";
import { type Expression, name, substitute } from "./expression.ts";
import { rk4 } from "./schemes.ts";

/** What is done at once: one assignment, or every variable of an application, step by step. */
export interface Move {
  readonly values: ReadonlyMap<string, Expression>; // by variable; of an application: of one step
  readonly application?: Application;
}

/** The statements of a pulse as moves, in their order. */
export function moves(statements: readonly Statement[]): Move[] {
  const found: { values: Map<string, Expression>; application?: Application }[] = [];
  for (const { target, value, application } of statements) {
    const last = found.at(-1);
    if (application && last?.application === application) last.values.set(target, value);
    else found.push({ values: new Map([[target, value]]), application });
  }
  return found;
}

/**
 * One RK4 step of a device's differential equations: the next value of every variable that has one, from the old
 * values, in the names `V` (the voltage, held) and `dt` (the step, s). Parameters stay names, derived names are gone.
 */
export function odeStep(model: {
  readonly derivatives: readonly Derivative[];
  readonly derived: readonly Derived[];
}): Map<string, Expression> {
  const inlined = inline({ parameters: [], derived: model.derived });
  const equations = model.derivatives.map(({ variable, drift }) => ({
    variable,
    drift: product(inlined(drift), name("dt")), // dx/ds with t = dt s: a step of 1
    noise: [],
    frozen: false,
  }));
  const noNoise = (): never => {
    throw new Error("equations of devices are free of noise");
  };
  const next = rk4(equations, { dt: 1, at: () => undefined, normal: noNoise });
  const done = new Map<Expression, Expression>();
  return new Map([...next].map(([variable, value]) => [variable, fold(value, done)]));
}

/**
 * What a pulse makes of the variables it assigns, each in terms of the values before its first statement: all moves
 * in one expression, applications unrolled. `Gd` stays a name, for the drifted conductance before the pulse. `inlined`
 * is algebra.ts's `inline` for the names that shall not stay.
 */
export function outcome(
  model: CheckedModel,
  pulse: string,
  inlined: (expression: Expression) => Expression = inline(model),
): Map<string, Expression> {
  const values = new Map<string, Expression>();
  const folded = new Map<Expression, Expression>();
  const seen = (expression: Expression) => fold(substitute(inlined(expression), values), folded);
  for (const { values: assigned, application } of moves(model.handlers[pulse])) {
    if (!application) {
      for (const [variable, value] of assigned) values.set(variable, seen(value));
      continue;
    }
    const held = [
      ["V", seen(application.voltage)],
      ["dt", seen(application.dt)],
    ] as const;
    for (let step = 0; step < application.steps; step++) {
      const before = new Map([...values, ...held]);
      const done = new Map<Expression, Expression>();
      for (const [variable, value] of assigned)
        values.set(variable, fold(substitute(inlined(value), before, done), folded));
    }
  }
  return values;
}
