/**
 * A checked model: names resolved, dimensions agreed, text turned into expressions.
 *
 * What the compiler reads. Plain data: it can be printed, hashed and sent to a worker. All numbers
 * are SI. Time does not occur: integration (integrate.ts) and machine code come later.
 */
import type { Dimension } from "../math/units.ts";
import type { Expression } from "./expression.ts";

/**
 * Who owns a variable: a cell or device (`cell`), a synapse, the presynaptic or postsynaptic cell of a
 * projection (one value per cell and projection), or the whole part (`shared`).
 */
export type Scope = "cell" | "synapse" | "pre" | "post" | "shared";

export interface Variable {
  readonly name: string;
  readonly unit: string; // as written, "" when dimensionless
  readonly dimension: Dimension;
  readonly scope: Scope;
  readonly boolean: boolean;
  /** Has a differential equation, or is only stored (`x : unit`). Derived ones are in `derived`. */
  readonly differential: boolean;
  /** Frozen while its cell is refractory; synapses then cannot write it either. */
  readonly unlessRefractory: boolean;
  /** The stored weight of a synapse model: may live on devices. */
  readonly weight: boolean;
  /** Set before a run and never assigned. */
  readonly constant?: boolean;
}

export interface Parameter {
  readonly name: string;
  readonly value: number; // SI
  readonly text: string; // as written
  readonly dimension: Dimension;
}

/** One assignment. `x += e` is stored as target x, value x + e, accumulate true (so also `x -= e`: value x - e). */
export interface Statement {
  readonly target: string; // "v", "ge_post", "x_pre"
  readonly value: Expression;
  /** The added term when the text was `+=` or `-=` (with its sign): value = target + term. */
  readonly term?: Expression;
  /** Once per what: the owner of the target. `postcell`/`precell` are variables of the connected populations. */
  readonly scope: Scope | "postcell" | "precell";
  readonly text: string;
  /** device: `value` is one step of the target's differential equation, in names V and dt. */
  readonly application?: Application;
}

/**
 * A voltage that is held while differential equations are integrated. The statements of one application, one for each
 * equation, follow each other and share the object; they are made at once, `steps` times, from values of before the
 * step. `voltage` and `dt` are taken before the first (pulse.ts says it in code).
 */
export interface Application {
  readonly voltage: Expression; // V
  readonly dt: Expression; // s, of one step
  readonly steps: number;
}

/** dx/dt = drift + sum over k of noise[k] * xi_k. Derived names are still names here. */
export interface Derivative {
  readonly variable: string;
  readonly drift: Expression;
  /** Factors of white noise: `xi` (own to the equation) or `xi_name` (shared between equations of one element). */
  readonly noise: readonly {
    readonly source: string;
    readonly stream: number;
    readonly factor: Expression;
  }[];
  /** The equation as written; spans of its expressions count from here. */
  readonly text?: string;
}

export interface Derived {
  readonly name: string;
  readonly unit: string;
  readonly dimension: Dimension;
  readonly boolean: boolean;
  readonly scope: Scope;
  readonly value: Expression;
  /** The equation as written; spans of `value` count from here. */
  readonly text?: string;
}

export type ModelKind = "neuron" | "synapse" | "device";
/** How equations are stepped; `auto` chooses per equation (integrate.ts). */
export const methods = [
  "auto",
  "exact",
  "exponential-euler",
  "euler",
  "heun",
  "rk2",
  "rk4",
  "euler-maruyama",
] as const;
export type Method = (typeof methods)[number];

export interface CheckedModel {
  readonly kind: ModelKind;
  readonly name: string;
  readonly source: string;
  readonly variables: readonly Variable[];
  readonly derived: readonly Derived[]; // each uses only variables, parameters and earlier ones
  readonly parameters: readonly Parameter[];
  /** device: names of parameters that a pulse may be given anew; they occur in handlers only. */
  readonly arguments: readonly string[];
  readonly derivatives: readonly Derivative[];
  readonly method: Method | Readonly<Record<string, Method>>; // per variable when a record
  readonly threshold?: Expression;
  readonly reset: readonly Statement[];
  /** Refractory time, s, evaluated at the spike. */
  readonly refractory?: Expression;
  /** neuron: `tick`; synapse: `pre`, `post` and named events; device: pulses such as `set`, `reset`. */
  readonly handlers: Readonly<Record<string, readonly Statement[]>>;
  /** Initial values given in the model's text (devices: what holds after fabrication, with spread). */
  readonly initial: Readonly<Record<string, Expression>>;
  /** device: noise-free conductance at `age` seconds after the last write, S; name `Gd` in `read` and in handlers. */
  readonly drift?: Expression;
  /** device: one read, S. */
  readonly read?: Expression;
  /** device: current at the voltage V, A. */
  readonly current?: Expression;
  /** Count of random streams used by the text. */
  readonly streams: number;
}

/*
 * Names an expression may contain, besides the model's own variables, derived names and parameters
 * (parameters stay names; the compiler replaces them by numbers):
 *   t   time, s            dt  the tick, s
 *   i   index of the cell or device; in a synapse the presynaptic cell     j  postsynaptic cell
 *   x_pre, x_post          a variable of the connected populations (synapse models); whether it exists and its
 *                          dimension are checked when the synapse is connected
 *   not_refractory         truth value (neuron models with a refractory time)
 *   age                    s since the last write (device models)
 *   V                      voltage at the terminals (device models, in differential equations, in `current` and in
 *                          derived names for these); dt is there the step of an application
 *   Gd                     the drifted conductance (device models, in `read` and `current`; in handlers that of the last moment
 *                          before the pulse, whatever statements have assigned since)
 */
