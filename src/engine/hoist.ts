/**
 * Traces that synapses share: a variable declared per synapse that is the same for all synapses of a cell is kept
 * once for the cell.
 *
 * Such is a variable that only the `pre` handler assigns, from itself, from others of its kind and parameters
 * (all synapses of a cell then see the same events, when they have one delay); likewise with `post`. The model
 * means the same; a synapse shrinks, and the traces of spike-timing rules may then be advanced lazily
 * (program.ts).
 */
import { hasDraw, inline } from "../language/algebra.ts";
import type { CheckedModel, Scope, Statement } from "../language/checked.ts";
import { type Expression, namesIn, walk } from "../language/expression.ts";
import { isQuantity } from "./initial.ts";
import type { Projection } from "./network.ts";

/** The model of a projection with its shared traces kept per cell. */
export function hoisted(part: Projection): CheckedModel {
  const model = part.model.checked;
  const pre = oneDelay(part) ? shared(part, model, "pre") : new Set<string>();
  const post = shared(part, model, "post");
  for (const name of pre) post.delete(name);
  if (pre.size + post.size === 0) return model;
  const scopeOf = (name: string, scope: Scope): Scope =>
    pre.has(name) ? "pre" : post.has(name) ? "post" : scope;
  const handlers = Object.entries(model.handlers).map(([handler, statements]): [string, Statement[]] => [
    handler,
    statements.map((s) => (s.scope === "synapse" ? { ...s, scope: scopeOf(s.target, "synapse") } : s)),
  ]);
  return {
    ...model,
    variables: model.variables.map((v) => ({ ...v, scope: scopeOf(v.name, v.scope) })),
    handlers: Object.fromEntries(handlers),
  };
}

const oneDelay = ({ delay }: Projection): boolean =>
  typeof delay === "number" || (typeof delay === "string" && isQuantity(delay));

/** Variables per synapse that are the same for all synapses of the cell on `side`. */
function shared(part: Projection, model: CheckedModel, side: "pre" | "post"): Set<string> {
  const inlined = inline(model);
  const own = new Set(model.variables.filter((v) => v.scope === side).map((v) => v.name));
  const index = side === "pre" ? "i" : "j";
  const candidates = new Set(
    model.variables
      .filter((v) => v.scope === "synapse" && v.differential && !v.weight && startsAlike(part, v.name))
      .map((v) => v.name),
  );
  const alike = (value: Expression): boolean =>
    !looksBeyond(value) &&
    [...namesIn(inlined(value))].every(
      (name) => candidates.has(name) || own.has(name) || name === "t" || name === "dt" || name === index,
    );
  const fails = (name: string): boolean => {
    for (const { variable, drift, noise } of model.derivatives) {
      if (variable === name && (noise.length > 0 || !alike(drift))) return true;
      // an equation per synapse must not depend on a trace per cell
      if (!candidates.has(variable) && namesIn(inlined(drift)).has(name)) return true;
    }
    for (const [handler, statements] of Object.entries(model.handlers))
      for (const { target, value } of statements)
        if (target === name && (handler !== side || !alike(value))) return true;
    return false;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const name of candidates)
      if (fails(name)) {
        candidates.delete(name);
        changed = true;
      }
  }
  return candidates;
}

/** Whether all synapses start with the same value: nothing given, a number or a quantity. */
function startsAlike({ initial }: Projection, name: string): boolean {
  const value = initial[name];
  return value === undefined || typeof value === "number" || (typeof value === "string" && isQuantity(value));
}

/** Whether a value draws at random or looks at other cells: it then differs between elements or is not known later. */
export function looksBeyond(value: Expression): boolean {
  let found = false;
  walk(value, (node) => {
    found ||= node.kind === "apply" && node.operator === "normalize";
  });
  return found || hasDraw(value);
}
