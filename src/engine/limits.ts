/**
 * What the language can say and the engine cannot do: refused with a reason before anything is built.
 */
import { inline } from "../language/algebra.ts";
import type { CheckedModel } from "../language/checked.ts";
import { namesIn } from "../language/expression.ts";
import { ConfigError } from "../math/errors.ts";
import { quantity } from "../math/units.ts";
import { type Population, poissonModel } from "./network.ts";
import type { ProjectionProgram } from "./program.ts";

const isShared = (model: CheckedModel | undefined, variable: string): boolean =>
  model?.variables.some((v) => v.name === variable && v.scope === "shared") ?? false;

/** Names that the refractory time of a model depends on. */
const countingNames = (model: CheckedModel): ReadonlySet<string> =>
  model.refractory ? namesIn(inline(model)(model.refractory)) : new Set();

const runningTime = (model: string, variable: string, reason: string): ConfigError =>
  new ConfigError(
    `${model}: the refractory time depends on ${variable}, which has to keep its value during a run; ${reason}`,
  );

/** Throws `ConfigError` where cells would assign what they all share, or a refractory time that is running. */
export function checkCells(model: CheckedModel): void {
  const counting = countingNames(model);
  const assigned = [
    ...model.reset.map(({ target }) => ({ target, place: "reset" })),
    ...(model.handlers.tick ?? []).map(({ target }) => ({ target, place: "tick handler" })),
  ];
  for (const { target, place } of assigned) {
    if (isShared(model, target))
      throw new ConfigError(
        `${model.name}: the ${place} assigns ${target}, which all cells share; declare it per cell`,
      );
    if (counting.has(target)) throw runningTime(model.name, target, `the ${place} assigns it`);
  }
}

function isRate(text: string | number): boolean {
  try {
    quantity(text, "1/s");
    return true;
  } catch {
    return false;
  }
}

/** Throws `ConfigError` where a Poisson source would have to fire more than once a tick, or less than never. */
export function checkRates(name: string, { model, initial }: Population, dt: number): void {
  if (model !== poissonModel) return;
  const { rate } = initial;
  const plain = typeof rate === "string" || typeof rate === "number";
  if (plain && !isRate(rate)) return; // the check of initial values says why
  const rates = plain ? [quantity(rate)] : Array.from(rate);
  for (const each of rates)
    if (!(each >= 0 && each * dt <= 1))
      throw new ConfigError(
        `${name}: a rate of ${each} Hz is not from 0 to 1 / dt = ${Number((1 / dt).toPrecision(6))} Hz, one spike a tick`,
      );
}

/** Throws `ConfigError` where a projection asks of its cells, or of its own equations, what the engine cannot do. */
export function checkSynapses(
  name: string,
  { model, handlers, pre, post, synapse }: ProjectionProgram,
  cells: { readonly pre?: CheckedModel; readonly post?: CheckedModel },
): void {
  const cellOf = (used: string) => {
    const side = used.endsWith("_pre") ? "pre" : used.endsWith("_post") ? "post" : undefined;
    return side && { cell: cells[side], variable: used.slice(0, -1 - side.length) };
  };
  const statements = [...handlers].flatMap(([handler, list]) => list.map((s) => ({ ...s, handler })));
  const equations = [pre, post, synapse].flatMap(({ next }) => [...next.values()]);
  for (const used of [
    ...statements.map(({ target }) => target),
    ...[...statements.map(({ value }) => value), ...equations].flatMap((value) => [...namesIn(value)]),
  ]) {
    const found = cellOf(used);
    if (found && isShared(found.cell, found.variable))
      throw new ConfigError(
        `${name}: ${model.name} uses ${used}, but all cells there share ${found.variable}; declare it per cell`,
      );
  }
  for (const { target, handler } of statements) {
    const found = cellOf(target);
    if (found?.cell && countingNames(found.cell).has(found.variable))
      throw runningTime(found.cell.name, found.variable, `the handler ${handler} of ${name} assigns it`);
  }
  for (const [variable, value] of synapse.next)
    for (const used of namesIn(value))
      if (used === "i" || used === "j" || cellOf(used))
        throw new ConfigError(
          `${name}: d${variable}/dt of ${model.name} uses ${used}; an equation of each synapse cannot look at its cells, one flagged (pre) or (post) can look at its own`,
        );
}
