/**
 * What has to be computed for each part, as expressions: the step before machine code.
 *
 * Parameters are numbers, derived names are gone, integration has become assignments. The compiler and
 * the reference interpreter both read this, so they cannot disagree about what a model means.
 */
import { inline } from "../language/algebra.ts";
import type { CheckedModel, Scope, Statement } from "../language/checked.ts";
import { type Expression, namesIn, substitute, walk } from "../language/expression.ts";
import { decayTrace, integrate } from "../language/integrate.ts";
import { ConfigError } from "../math/errors.ts";
import { hoisted, looksBeyond } from "./hoist.ts";
import type { Projection } from "./network.ts";

/** One assignment with everything inlined. */
export interface Assignment {
  readonly target: string;
  readonly value: Expression;
  readonly scope: Statement["scope"];
}

/** Variables of one owner and how they step. */
export interface ElementProgram {
  readonly variables: readonly string[];
  readonly booleans: ReadonlySet<string>;
  /** New values from old ones, all at once. */
  readonly next: ReadonlyMap<string, Expression>;
  readonly frozenWhileRefractory: ReadonlySet<string>;
}

export interface PopulationProgram {
  readonly model: CheckedModel;
  readonly cells: ElementProgram;
  readonly shared: readonly string[];
  readonly threshold?: Expression;
  readonly tick: readonly Assignment[];
  readonly reset: readonly Assignment[];
  /** Refractory time in s; a number, or an expression of stored variables. */
  readonly refractory?: Expression;
  readonly methods: ReadonlyMap<string, string>;
}

export interface ProjectionProgram {
  readonly model: CheckedModel;
  readonly synapse: ElementProgram;
  readonly pre: ElementProgram;
  readonly post: ElementProgram;
  readonly shared: readonly string[];
  readonly handlers: ReadonlyMap<string, readonly Assignment[]>;
  /** The stored weight, where there is one. */
  readonly weight?: string;
  /** Traces advanced by their closed form at events: name -> time constant, s. */
  readonly lazyTraces: ReadonlyMap<string, number>;
  /** The `post` handler only changes synapse variables (from themselves and lazy traces) and (post) variables. */
  readonly deferPost: boolean;
  readonly methods: ReadonlyMap<string, string>;
}

function elements(model: CheckedModel, scope: Scope, next: ReadonlyMap<string, Expression>): ElementProgram {
  const own = model.variables.filter((v) => v.scope === scope);
  return {
    variables: own.map((v) => v.name),
    booleans: new Set(own.filter((v) => v.boolean).map((v) => v.name)),
    next: new Map([...next].filter(([name]) => own.some((v) => v.name === name))),
    frozenWhileRefractory: new Set(own.filter((v) => v.unlessRefractory).map((v) => v.name)),
  };
}

const shared = (model: CheckedModel): string[] => {
  const names = model.variables.filter((v) => v.scope === "shared");
  const moving = names.find((v) => v.differential);
  if (moving)
    throw new ConfigError(
      `${model.name}: the shared variable ${moving.name} has a differential equation; give it to a population of one cell`,
    );
  return names.map((v) => v.name);
};

/** A cell that is being reset has just fired. */
const refractoryNow = new Map<string, Expression>([["not_refractory", { kind: "boolean", value: false }]]);

export function populationProgram(model: CheckedModel, dt: number): PopulationProgram {
  const inlined = inline(model, { dt });
  const step = integrate(model, { dt });
  const assign = (statements: readonly Statement[]): Assignment[] =>
    statements.map(({ target, value, scope }) => ({ target, value: inlined(value), scope }));
  const refractory = model.refractory && inlined(model.refractory);
  if (refractory) {
    const moving = new Set(model.derivatives.map((d) => d.variable));
    for (const name of namesIn(refractory))
      if (moving.has(name))
        throw new ConfigError(
          `${model.name}: the refractory time depends on ${name}, which changes; it may use parameters and stored variables`,
        );
  }
  return {
    model,
    cells: elements(model, "cell", step.next),
    shared: shared(model),
    threshold: model.threshold && inlined(model.threshold),
    tick: assign(model.handlers.tick ?? []),
    reset: assign(model.reset).map((a) => ({ ...a, value: substitute(a.value, refractoryNow) })),
    refractory,
    methods: step.method,
  };
}

export function projectionProgram(part: Projection, dt: number): ProjectionProgram {
  const model = hoisted(part);
  const onDevices = part.weight !== undefined; // a write then takes place when it happens
  const inlined = inline(model, { dt });
  const step = integrate(model, { dt });
  const handlers = new Map(
    Object.entries(model.handlers).map(([name, statements]) => [
      name,
      statements.map(({ target, value, scope }) => ({ target, value: inlined(value), scope })),
    ]),
  );
  const pre = elements(model, "pre", step.next);
  const synapse = elements(model, "synapse", step.next);
  const weight = model.variables.find((v) => v.weight)?.name;
  const inDerivatives = new Set<string>();
  for (const d of model.derivatives) {
    for (const name of namesIn(inlined(d.drift))) if (name !== d.variable) inDerivatives.add(name);
  }
  const traces = new Map<string, number>();
  for (const name of pre.next.keys()) {
    const trace = decayTrace(model, name);
    if (trace && !inDerivatives.has(name)) traces.set(name, trace.tau);
  }
  const allLazy = pre.variables.every((name) => traces.has(name));
  const onlyPrePost = [...handlers.keys()].every((h) => h === "pre" || h === "post");
  const values = [...handlers.values()].flat().map((assignment) => assignment.value);
  const deferPost =
    !onDevices &&
    allLazy &&
    onlyPrePost &&
    !values.some(normalizes) && // a norm is over traces as they all are now
    synapse.next.size === 0 &&
    canDefer(handlers.get("post") ?? [], synapse, traces);
  return {
    model,
    synapse,
    pre,
    post: elements(model, "post", step.next),
    shared: shared(model),
    handlers,
    weight,
    lazyTraces: deferPost ? traces : new Map(),
    deferPost,
    methods: step.method,
  };
}

function normalizes(value: Expression): boolean {
  let found = false;
  walk(value, (node) => {
    if (node.kind === "apply" && node.operator === "normalize") found = true;
  });
  return found;
}

/** Whether a statement changes what a synapse stores, such as its weight, and not a trace that moves by itself. */
export const isStored = ({ synapse }: ProjectionProgram, { scope, target }: Assignment): boolean =>
  scope === "synapse" && !synapse.next.has(target);

/**
 * Whether post events may wait until their synapse is next looked at: what they do to a synapse depends
 * only on the synapse itself and on presynaptic traces, whose value at that time is known in closed
 * form; what they do to (post) variables does not depend on synapses.
 */
function canDefer(
  post: readonly Assignment[],
  synapse: ElementProgram,
  traces: ReadonlyMap<string, number>,
): boolean {
  const own = new Set(synapse.variables);
  if (!post.some((a) => own.has(a.target))) return false;
  return post.every(({ target, value, scope }) => {
    if (looksBeyond(value)) return false;
    const names = [...namesIn(value)];
    if (scope === "synapse") return names.every((name) => own.has(name) || traces.has(name));
    if (scope === "post") return names.every((name) => name === target);
    return false;
  });
}
