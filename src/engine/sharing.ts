/**
 * Who touches whose variables: what decides whether threads can share the work and when a reset may be early.
 */
import type { CheckedModel } from "../language/checked.ts";
import { type Expression, namesIn } from "../language/expression.ts";
import { type Population, type Projection, parentOf } from "./network.ts";
import type { Assignment, ProjectionProgram } from "./program.ts";

type Named = readonly [string, Projection];
type Programs = ReadonlyMap<string, ProjectionProgram>;

/** Why the network has to run on one thread; undefined when it need not. */
export function needsOneThread(parts: readonly Named[], programs: Programs): string | undefined {
  for (const [name, part] of parts) {
    const program = programs.get(name) as ProjectionProgram;
    if (part.weight) return `${name} keeps its weights on devices, which are written one after the other`;
    if (program.synapse.next.size > 0) return `${name} has differential equations per synapse`;
    for (const [trace, value] of program.pre.next)
      for (const used of namesIn(value))
        if (used.endsWith("_pre") && moves(used.slice(0, -4), part, parts))
          return `${name}: the presynaptic trace ${trace} follows ${used}, which changes`;
    for (const [handler, statements] of program.handlers) {
      const reason = crossing(handler, statements, part, program, parts);
      if (reason) return `${name}: ${reason}`;
    }
  }
  return undefined;
}

function crossing(
  handler: string,
  statements: readonly Assignment[],
  part: Projection,
  program: ProjectionProgram,
  parts: readonly Named[],
): string | undefined {
  const pre = new Set(program.pre.variables);
  for (const { target, scope, value } of statements) {
    if (scope === "precell") return `the handler ${handler} changes ${target}, a presynaptic cell's variable`;
    if (scope === "shared") return `the handler ${handler} changes the shared variable ${target}`;
    if (handler !== "pre" && pre.has(target)) {
      const from = part.events[handler];
      if (handler === "post" || (from && from.kind !== "clock"))
        return `the handler ${handler} changes the presynaptic trace ${target}`;
    }
    for (const name of namesIn(value))
      if (name.endsWith("_pre") && moves(name.slice(0, -4), part, parts))
        return `the handler ${handler} reads ${name}, which changes`;
  }
  return undefined;
}

/** Whether a variable of the presynaptic population can change during a run. */
function moves(variable: string, part: Projection, parts: readonly Named[]): boolean {
  const { parent } = parentOf(part.pre);
  if (parent.kind !== "population") return false;
  const { checked } = parent.model;
  const arrives = parts.some(
    ([, { pre, post, model }]) =>
      (parentOf(post).parent === parent && assigns(model.checked, `${variable}_post`)) ||
      (parentOf(pre).parent === parent && assigns(model.checked, `${variable}_pre`)),
  );
  return (
    arrives ||
    checked.variables.some((v) => v.name === variable && v.differential) ||
    checked.derived.some((d) => d.name === variable) ||
    [...checked.reset, ...(checked.handlers.tick ?? [])].some((s) => s.target === variable)
  );
}

const assigns = ({ handlers }: CheckedModel, target: string): boolean =>
  Object.values(handlers).some((statements) => statements.some((s) => s.target === target));

/** Variables of a population that handlers read or write. */
export function touchedVariables(
  population: Population,
  parts: readonly Named[],
  programs: Programs,
): { readonly all: ReadonlySet<string>; readBy(value: Expression): boolean } {
  const all = new Set<string>();
  const written = new Set<string>();
  for (const [name, part] of parts) {
    const ends: string[] = [];
    if (parentOf(part.pre).parent === population) ends.push("_pre");
    if (parentOf(part.post).parent === population) ends.push("_post");
    if (ends.length === 0) continue;
    const note = (target: string, into: Set<string>) => {
      for (const end of ends) if (target.endsWith(end)) into.add(target.slice(0, -end.length));
    };
    const program = programs.get(name) as ProjectionProgram;
    for (const statements of program.handlers.values())
      for (const { target, value } of statements) {
        note(target, all);
        note(target, written);
        for (const used of namesIn(value)) note(used, all);
      }
    for (const { next } of [program.pre, program.post, program.synapse])
      for (const value of next.values()) for (const used of namesIn(value)) note(used, all);
  }
  return { all, readBy: (value) => [...namesIn(value)].some((name) => written.has(name)) };
}
