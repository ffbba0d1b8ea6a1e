/**
 * What only devices are asked: arguments belong to pulses, differential equations are moved and draw nothing.
 *
 * Names and dimensions have been checked before.
 */
import { didYouMean } from "../math/nearest.ts";
import { hasDraw, inline } from "./algebra.ts";
import type { CheckedModel } from "./checked.ts";
import type { Definition } from "./definition.ts";
import type { Draft } from "./draft.ts";
import type { Equation } from "./equations.ts";
import { ModelError } from "./error.ts";
import { namesIn, walk } from "./expression.ts";

/** Throws `ModelError` where the parts of a device do not fit together. */
export function checkDevice(
  checked: CheckedModel,
  definition: Definition,
  equations: readonly Equation[],
  draft: Draft,
): void {
  checkArguments(checked);
  refuseArgumentsOutsidePulses(checked, draft);
  const differential = equations.filter((equation) => equation.form === "differential");
  refuseDraws(checked, differential, draft);
  refuseIdleEquations(checked, definition, differential);
  checkFlicker(checked, definition);
}

/** Octaves that `flicker(shortest, longest)` spans; NaN where it cannot be. */
export const octavesOf = (shortest: number, longest: number): number =>
  shortest > 0 && longest > shortest ? Math.ceil(Math.log2(longest / shortest)) : Number.NaN;

const mostOctaves = 60;

/** Throws `ModelError` unless the times of every flicker, which parameters decide, span 1 to 60 octaves. */
export function checkFlicker(checked: CheckedModel, definition: Definition): void {
  const inlined = inline({ parameters: checked.parameters, derived: [] });
  for (const part of ["drift", "read", "current"] as const) {
    const [root, text] = [checked[part], definition[part]];
    if (root === undefined || text === undefined) continue;
    walk(root, (node) => {
      if (node.kind !== "random" || node.distribution !== "flicker") return;
      const times = node.args.map(inlined);
      const [shortest, longest] = times.map((time) => (time.kind === "number" ? time.value : Number.NaN));
      const octaves = octavesOf(shortest, longest);
      if (octaves >= 1 && octaves <= mostOctaves) return;
      throw new ModelError(
        { model: checked.name, part, text },
        node.span,
        octaves > mostOctaves
          ? `flicker spans ${mostOctaves} octaves at most`
          : "flicker goes from a shorter to a longer time",
        `these are ${shortest} s and ${longest} s`,
      );
    });
  }
}

/** An argument is a parameter, listed once. */
function checkArguments({ name: model, arguments: names, parameters }: CheckedModel): void {
  const known = parameters.map((parameter) => parameter.name);
  for (const [k, name] of names.entries()) {
    const wrong = (title: string, reason = ""): never => {
      const source = { model, part: "arguments", text: name };
      throw new ModelError(source, { start: 0, end: name.length }, title, reason);
    };
    if (!known.includes(name))
      wrong(
        `${name} is not a parameter`,
        didYouMean(name, known).replace(/^; /u, "") ||
          "an argument of pulses is a parameter, whose value it has where a pulse is not given another",
      );
    if (names.indexOf(name) < k) wrong(`${name} is listed twice`);
  }
}

/** A pulse has arguments, fabrication, time and a read have none: directly or by a derived name. */
function refuseArgumentsOutsidePulses(
  { arguments: names, derived }: CheckedModel,
  { initial, drift, read, current }: Draft,
): void {
  const texts = [...Object.values(initial), drift, read, current].filter((text) => text !== undefined);
  const inlined = inline({ parameters: [], derived });
  for (const { source, expression } of texts)
    walk(expression, (node) => {
      if (node.kind !== "name") return;
      const used = namesIn(inlined(node));
      const found = names.find((name) => used.has(name));
      if (found !== undefined)
        throw new ModelError(
          source,
          node.span,
          `${found} is an argument of pulses`,
          "it has no value here; what lasts is stored in a variable",
        );
    });
}

/** What a draw in an equation did would depend on the number of steps. */
function refuseDraws({ derived }: CheckedModel, equations: readonly Equation[], draft: Draft): void {
  const inlined = inline({ parameters: [], derived });
  for (const equation of equations)
    walk(draft.equations.get(equation)!, (node) => {
      if (node.kind !== "random" && !(node.kind === "name" && hasDraw(inlined(node)))) return;
      throw new ModelError(
        equation.source,
        node.span,
        "a differential equation of a device draws nothing",
        "draw in the pulse, before apply(...), into a variable that the equation uses",
      );
    });
}

function refuseIdleEquations(
  { name, handlers, current }: CheckedModel,
  { steps }: Definition,
  [equation]: readonly Equation[],
): void {
  if (steps !== undefined && equation === undefined)
    throw new ModelError(
      { model: name, part: "steps", text: "" },
      undefined,
      "there are no steps",
      "steps are those of differential equations, dx/dt = ... : unit",
    );
  const statements = Object.values(handlers).flat();
  if (equation && current === undefined && !statements.some((statement) => statement.application))
    throw new ModelError(
      equation.source,
      equation.nameSpan,
      `nothing moves ${equation.name}`,
      "a pulse holds a voltage for a time, apply(voltage, duration); an array is driven by a waveform if the model says its current",
    );
}
