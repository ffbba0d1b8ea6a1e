/**
 * From differential equations to assignments: one expression per variable for a step of dt.
 *
 * A method is chosen per equation, in this order, unless the model names one:
 *
 *   linear, coefficients constant over the step    exact               any order
 *   white noise                                    Euler-Maruyama      strong order 1/2, 1 for constant factors
 *   linear in its own variable                     exponential Euler   1
 *   otherwise                                      RK4                 4
 *
 * RK4 takes along the equations that are coupled to it and not exact, and sees exact variables at their exact
 * half and full step, so that order 4 holds for the whole. All assignments use the old values: they are made at
 * once. Variables of other owners never occur in them. Knows nothing of machines.
 */
import { didYouMean } from "../math/nearest.ts";
import { fold, inline, linearity } from "./algebra.ts";
import { type CheckedModel, type Method, methods, type Scope } from "./checked.ts";
import { ModelError } from "./error.ts";
import { type Expression, name, namesIn, type Span, walk } from "./expression.ts";
import { print } from "./print.ts";
import {
  exponentialStep,
  type InlinedEquation,
  type LinearSystem,
  linearSystem,
  propagated,
  whenActive,
} from "./propagator.ts";
import { clocks, euler, heun, rk2, rk4, type Scheme, type Surroundings } from "./schemes.ts";

export type ChosenMethod = Exclude<Method, "auto">;

/** One step of dt. */
export interface Step {
  /**
   * The next value of every differential variable from the old values. Names that occur: variables of the owner and
   * shared ones, t, i, j, age, not_refractory, x_pre and x_post. Parts are shared, also between variables.
   */
  readonly next: ReadonlyMap<string, Expression>;
  readonly method: ReadonlyMap<string, ChosenMethod>;
  /** The streams of the normal numbers that stand for white noise, ascending. */
  readonly noiseStreams: readonly number[];
}

const schemes: Partial<Record<ChosenMethod, Scheme>> = { euler, "euler-maruyama": euler, heun, rk2, rk4 };
const takeNoise: ReadonlySet<Method> = new Set(["auto", "euler", "euler-maruyama", "heun"]);

/**
 * The step of `model` over `dt` seconds.
 * Throws where a method does not exist or does not suit its equation, where an equation uses what its owner does not
 * have, and where a coefficient is infinite.
 */
export function integrate(model: CheckedModel, options: { readonly dt: number }): Step {
  const { dt } = options;
  if (!(dt > 0 && Number.isFinite(dt))) throw fault(model, `dt must be positive, it is ${dt} s`);
  const equations = equationsOf(model, dt);
  const { method, system } = choose(model, equations);
  const frozen = new Set(equations.filter((equation) => equation.frozen).map(({ variable }) => variable));
  const byName = new Map(equations.map((equation) => [equation.variable, equation]));

  const exactAt = remembered((variable: string, h: number) =>
    propagated(system, byName.get(variable)!, frozen, h),
  );
  const normal = remembered(
    (stream: number): Expression => ({
      kind: "random",
      distribution: "normal",
      stream,
      args: [],
    }),
  );
  const surroundings: Surroundings = {
    dt,
    normal,
    at: (variable, fraction) =>
      method.get(variable) === "exact" ? exactAt(variable, fraction * dt) : undefined,
  };

  const next = new Map<string, Expression>();
  for (const [chosen, scheme] of Object.entries(schemes)) {
    const group = equations.filter(({ variable }) => method.get(variable) === chosen);
    if (group.length > 0)
      for (const [variable, later] of scheme(group, surroundings)) next.set(variable, later);
  }
  for (const equation of equations) {
    const chosen = method.get(equation.variable);
    if (chosen === "exact") next.set(equation.variable, exactAt(equation.variable, dt));
    if (chosen === "exponential-euler") next.set(equation.variable, exponentialEuler(equation, dt));
  }

  const done = new Map<Expression, Expression>();
  const streams = new Set(equations.flatMap(({ noise }) => noise.map(({ stream }) => stream)));
  return {
    next: new Map(equations.map(({ variable }) => [variable, fold(next.get(variable)!, done)])),
    method,
    noiseStreams: [...streams].sort((a, b) => a - b),
  };
}

/** The equations with numbers for parameters and derived names inlined; every name checked for its owner. */
function equationsOf(model: CheckedModel, dt: number): InlinedEquation[] {
  const inlined = inline(model, { dt });
  const variables = new Map(model.variables.map((variable) => [variable.name, variable]));
  return model.derivatives.map(({ variable, drift, noise }) => {
    const { scope, unlessRefractory } = variables.get(variable)!;
    const equation: InlinedEquation = {
      variable,
      drift: inlined(drift),
      noise: noise.map(({ stream, factor }) => ({ stream, factor: inlined(factor) })),
      frozen: unlessRefractory && model.refractory !== undefined,
    };
    for (const used of namesOf(equation)) {
      const problem = ownership(scope, used, variables.get(used)?.scope);
      if (problem) {
        const offer = problem === unknown ? didYouMean(used, variables.keys()) : "";
        const blames = (node: Expression) => node.kind === "name" && node.name === used;
        throw fault(model, `d${variable}/dt cannot use ${used}`, `${problem}${offer}`, variable, blames);
      }
    }
    return equation;
  });
}

const owners: Record<Scope, string> = {
  cell: "each cell",
  synapse: "each synapse",
  pre: "each presynaptic cell",
  post: "each postsynaptic cell",
  shared: "all together",
};
const unknown = "the model does not have it";

/** What is wrong with `used` in an equation of `scope`, or undefined. `other` is the scope of a variable. */
function ownership(scope: Scope, used: string, other: Scope | undefined): string | undefined {
  if (other !== undefined) {
    if (other === scope || other === "shared") return undefined;
    return `${owners[other]} has its own, the equation is for ${owners[scope]}`;
  }
  if (clocks.has(used)) return undefined;
  if (scope === "shared") return `it differs between elements, the equation is for ${owners.shared}`;
  if (used === "i" || used === "j" || used === "not_refractory") return undefined;
  if (used.endsWith("_pre") && (scope === "pre" || scope === "synapse")) return undefined;
  if (used.endsWith("_post") && (scope === "post" || scope === "synapse")) return undefined;
  return unknown;
}

function namesOf({ drift, noise }: InlinedEquation): Set<string> {
  const names = namesIn(drift);
  for (const { factor } of noise) for (const text of namesIn(factor)) names.add(text);
  return names;
}

/**
 * An error that points at the part of the equation of `variable` that is to blame, the right side unless told; at
 * nothing where that part stands in a derived name.
 */
function fault(
  model: CheckedModel,
  title: string,
  reason = "",
  variable?: string,
  blames?: (node: Expression) => boolean,
): ModelError {
  const derivative = model.derivatives.find((one) => one.variable === variable);
  let span: Span | undefined;
  if (derivative?.text !== undefined) {
    walk(derivative.drift, (node) => {
      if (blames?.(node) ?? node === derivative.drift) span ??= node.span;
    });
  }
  return new ModelError({ model: model.name, part: "", text: derivative?.text ?? "" }, span, title, reason);
}

// ---- choice of methods --------------------------------------------------------------------------

interface Choice {
  readonly method: ReadonlyMap<string, ChosenMethod>;
  readonly system: LinearSystem;
}

function choose(model: CheckedModel, equations: readonly InlinedEquation[]): Choice {
  const asked = askedMethods(model, equations);
  const variables = new Set(equations.map(({ variable }) => variable));
  const candidates = equations.filter(({ variable }) => ["auto", "exact"].includes(asked.get(variable)!));
  const exactOrNot = new Set(candidates.map(({ variable }) => variable));
  const varies = (text: string) =>
    clocks.has(text) || (variables.has(text) && !exactOrNot.has(text)) || isForeign(model, text);
  let system: LinearSystem;
  try {
    system = linearSystem(candidates, varies);
  } catch (error) {
    throw error instanceof RangeError ? fault(model, error.message) : error;
  }

  const method = new Map<string, ChosenMethod>();
  for (const equation of equations) {
    const { variable } = equation;
    const wanted = asked.get(variable)!;
    if (wanted !== "auto") {
      const problem = unsuitable(wanted, equation, system);
      if (problem) throw fault(model, `d${variable}/dt cannot be stepped by ${wanted}`, problem, variable);
      method.set(variable, wanted);
    } else if (system.rows.has(variable)) method.set(variable, "exact");
    else if (equation.noise.length > 0) method.set(variable, "euler-maruyama");
  }

  const noisy = downstream(
    equations,
    equations.filter(({ noise }) => noise.length > 0),
  );
  const open = equations.filter(({ variable }) => !method.has(variable));
  for (const equation of open) {
    if (!noisy.has(equation.variable)) continue; // their input is of order 1/2 or 1 whatever the method
    method.set(equation.variable, rateOf(equation) ? "exponential-euler" : "euler-maruyama");
  }
  const quiet = open.filter(({ variable }) => !method.has(variable));
  const asRk4 = (equation: InlinedEquation) => method.get(equation.variable) === "rk4";
  for (const group of components(
    equations.filter((equation) => asRk4(equation) || quiet.includes(equation)),
  )) {
    const needsRk4 = group.some((equation) => asRk4(equation) || !rateOf(equation));
    for (const { variable } of group) method.set(variable, needsRk4 ? "rk4" : "exponential-euler");
  }
  return { method: new Map(equations.map(({ variable }) => [variable, method.get(variable)!])), system };
}

/** A variable of a connected population: it may change within the step. */
const isForeign = (model: CheckedModel, text: string): boolean =>
  /_(pre|post)$/.test(text) && !model.variables.some((variable) => variable.name === text);

function askedMethods(model: CheckedModel, equations: readonly InlinedEquation[]): Map<string, Method> {
  const known = (method: string): Method => {
    if ((methods as readonly string[]).includes(method)) return method as Method;
    const offer = didYouMean(method, methods) || `; there are ${methods.join(", ")}`;
    throw fault(model, `there is no method ${method}${offer}`);
  };
  if (typeof model.method === "string") {
    const one = known(model.method);
    return new Map(equations.map(({ variable }) => [variable, one]));
  }
  const variables = equations.map(({ variable }) => variable);
  const asked = new Map<string, Method>(variables.map((variable) => [variable, "auto"]));
  for (const [variable, method] of Object.entries(model.method)) {
    if (!asked.has(variable)) {
      throw fault(
        model,
        `a method is given for ${variable}, which has no equation${didYouMean(variable, variables)}`,
      );
    }
    asked.set(variable, known(method));
  }
  return asked;
}

/** Why `method` cannot step `equation`, or undefined. */
function unsuitable(
  method: ChosenMethod,
  equation: InlinedEquation,
  system: LinearSystem,
): string | undefined {
  if (equation.noise.length > 0 && !takeNoise.has(method)) {
    return "it has noise; euler-maruyama (Ito) and heun (Stratonovich) can";
  }
  if (method === "exact") return system.reasons.get(equation.variable);
  if (method !== "exponential-euler") return undefined;
  const form = linearity(equation.drift, new Set([equation.variable]));
  return form.affine ? undefined : `${print(form.term, 6)} is not linear in ${equation.variable}`;
}

/** The rate and the input of dx/dt = rate x + input, or undefined where the equation is not linear in x. */
function rateOf({ variable, drift }: InlinedEquation): { rate: Expression; input: Expression } | undefined {
  const form = linearity(drift, new Set([variable]));
  if (!form.affine) return undefined;
  return { rate: form.coefficients.get(variable) ?? { kind: "number", value: 0 }, input: form.constant };
}

/** The variables that depend on those of `sources`, directly or not, these included. */
function downstream(equations: readonly InlinedEquation[], sources: readonly InlinedEquation[]): Set<string> {
  const found = new Set(sources.map(({ variable }) => variable));
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const equation of equations) {
      if ([...namesOf(equation)].some((text) => found.has(text))) found.add(equation.variable);
    }
  }
  return found;
}

/** The equations in groups that are connected, one using the other, in either direction. */
function components(equations: readonly InlinedEquation[]): InlinedEquation[][] {
  let groups: InlinedEquation[][] = [];
  for (const equation of equations) {
    const names = namesOf(equation);
    const touches = (other: InlinedEquation) =>
      names.has(other.variable) || namesOf(other).has(equation.variable);
    const joined = groups.filter((group) => group.some(touches));
    groups = [...groups.filter((group) => !joined.includes(group)), [...joined.flat(), equation]];
  }
  return groups;
}

/** x + h f (e^z - 1) / z with z = h df/dx, f linear in x; the others keep their old values. */
function exponentialEuler(equation: InlinedEquation, dt: number): Expression {
  const { rate, input } = rateOf(equation)!;
  const now = name(equation.variable);
  const later = exponentialStep(now, equation.drift, rate, input, dt);
  return equation.frozen ? whenActive(later, now) : later;
}

// ---- traces ---------------------------------------------------------------------------------------

/**
 * The time constant of a variable with dx/dt = -x / tau, a number of seconds, and nothing else: after n ticks it is
 * x exp(-n dt / tau), so it need not be advanced tick by tick. Undefined for every other equation, for a variable
 * that stands still during refractoriness and for a method that is not exact here.
 */
export function decayTrace(model: CheckedModel, variable: string): { readonly tau: number } | undefined {
  const derivative = model.derivatives.find((one) => one.variable === variable);
  const declared = model.variables.find((one) => one.name === variable);
  if (!derivative || !declared || derivative.noise.length > 0) return undefined;
  if (declared.unlessRefractory && model.refractory !== undefined) return undefined;
  const asked = typeof model.method === "string" ? model.method : (model.method[variable] ?? "auto");
  if (!decaysExactly.has(asked)) return undefined;
  const drift = inline(model)(derivative.drift);
  const form = linearity(drift, new Set([variable]));
  if (!form.affine || form.constant.kind !== "number" || form.constant.value !== 0) return undefined;
  const rate = form.coefficients.get(variable);
  if (rate?.kind !== "number" || !(rate.value < 0 && Number.isFinite(rate.value))) return undefined;
  return { tau: writtenTau(drift) ?? -1 / rate.value };
}

/** Methods whose step of a plain decay is x exp(-dt / tau). */
const decaysExactly: ReadonlySet<Method> = new Set(["auto", "exact", "exponential-euler"]);

/** tau as it stands in -x / tau or -(x / tau), without the rounding of 1 / (1 / tau). */
function writtenTau(drift: Expression): number | undefined {
  if (drift.kind !== "apply") return undefined;
  const negated = drift.operator === "negate";
  const fraction = negated ? drift.args[0] : drift;
  if (fraction.kind !== "apply" || fraction.operator !== "/" || fraction.args[1].kind !== "number")
    return undefined;
  const [above, below] = fraction.args;
  const plain = above.kind === "name";
  const opposite = above.kind === "apply" && above.operator === "negate" && above.args[0].kind === "name";
  return (negated ? plain : opposite) ? below.value : undefined;
}

/** `make`, called once for every set of arguments. */
function remembered<Args extends readonly (string | number)[], Value>(
  make: (...args: Args) => Value,
): (...args: Args) => Value {
  const known = new Map<string, Value>();
  return (...args) => {
    const key = args.join(" ");
    const value = known.get(key) ?? make(...args);
    known.set(key, value);
    return value;
  };
}
