/**
 * One expression in its place: are its names known and visible there, and does its dimension fit?
 *
 * Says what is wrong with model, line and carets, and guesses what was meant.
 */
import { nearest } from "../math/nearest.ts";
import type { Dimension } from "../math/units.ts";
import type { Parameter } from "./checked.ts";
import { Disagreement, describe, fits, type Meaning, meaningOf, repairs } from "./dimension.ts";
import { ModelError, type Source } from "./error.ts";
import { type Expression, namesIn, type Span, walk } from "./expression.ts";
import { describeOwner, isNoise, type Names, type Owner, type Place, sees } from "./scope.ts";
import { isUnit } from "./token.ts";

/** Where an expression stands and for whom it is computed. */
export interface Setting {
  readonly source: Source;
  readonly place: Place;
  readonly owner: Owner;
  readonly names: Names;
  readonly parameters: readonly Parameter[];
  /** Names the model's text uses anywhere. */
  readonly used: ReadonlySet<string>;
}

/** What an expression must be, and how the two sides are called. */
export interface Wanted {
  readonly meaning: Dimension | "truth";
  readonly left: string; // "the left side"
  readonly right?: string; // default "the right side"
  readonly span?: Span; // default: the expression's
}

/** Throws `ModelError` unless every name of `root` is known and visible in `setting`. */
export function checkNames(root: Expression, setting: Setting): void {
  walk(root, (node) => {
    if (node.kind === "name") checkName(node, setting);
    if (node.kind === "apply" && node.operator === "normalize") checkNormalize(node, setting);
    if (node.kind === "random" && node.distribution === "flicker") checkFlicker(node, setting);
  });
}

function checkName(node: Expression & { kind: "name" }, setting: Setting): void {
  const { source, names, owner, place } = setting;
  const entry = names.lookup(node.name, place);
  if (!entry)
    throw new ModelError(source, node.span, `unknown name ${node.name}`, unknownReason(node, setting));
  if (!sees(owner, entry.owner))
    throw new ModelError(
      source,
      node.span,
      `${node.name} is not visible here`,
      `what is computed is ${describeOwner(owner)}, ${node.name} is ${describeOwner(entry.owner as Owner)}`,
    );
}

function unknownReason(node: Expression & { kind: "name" }, setting: Setting): string {
  const { source, names, place } = setting;
  const { name } = node;
  const before = node.span
    ? /(?<number>[\d.]+(?:[eE][+-]?\d+)?)\s*\*\s*$/u.exec(source.text.slice(0, node.span.start))
    : null;
  if (before && isUnit(name))
    return `quantities have no place in equations: put "${before.groups!.number} ${name}" into parameters and write its name here`;
  if (names.kind === "device") {
    const reason = deviceReason(name, setting);
    if (reason !== undefined) return reason;
  }
  if (isNoise(name)) return "white noise may stand only on the right side of a differential equation";
  const guess = nearest(name, names.candidates(place));
  const own = guess === undefined ? "" : `did you mean ${guess}?`;
  if (names.kind === "synapse") {
    const cells = `a variable of a connected cell is ${name}_pre or ${name}_post`;
    return own === "" ? cells : `${own} ${cells}`;
  }
  if (own !== "") return own;
  const unit = isUnit(name) ? "; units stand only in parameters and after the colon" : "";
  return `it is no variable, derived name or parameter of the model${unit}`;
}

const flickering: ReadonlySet<Place> = new Set(["drift", "read", "current"]);

function checkFlicker(node: Expression & { kind: "random" }, { source, names, place }: Setting): void {
  if (names.kind !== "device" || !flickering.has(place))
    throw new ModelError(
      source,
      node.span,
      "flicker belongs in read, drift and current of a device",
      "it is noise of what is looked at; a draw of a pulse or a tick is randn()",
    );
  for (const arg of node.args)
    walk(arg, (part) => {
      if (
        part.kind === "random" ||
        (part.kind === "name" && names.lookup(part.name, place)?.role !== "parameter")
      )
        throw new ModelError(
          source,
          part.span,
          "the times of flicker are constants",
          "written with parameters only",
        );
    });
}

/** Why a name that a device knows elsewhere is not known here. */
function deviceReason(name: string, { names, place }: Setting): string | undefined {
  const where =
    "V is known in differential equations and in current, a pulse says its voltage: apply(voltage, duration)";
  if (names.needsVoltage(name)) return name === "V" ? where : `${name} depends on V; ${where}`;
  if (isNoise(name))
    return "a device draws in its pulses, randn(): noise in its equations would depend on the number of steps";
  if (name === "Gd" && place === "handler")
    return "Gd is the drifted conductance, and the model has no drift";
  if (name === "age" && place === "differential")
    return "equations of a device are integrated during a write, and age counts from its end";
  return undefined;
}

function checkNormalize(node: Expression & { kind: "apply" }, setting: Setting): void {
  const { source, names, place } = setting;
  const wrong = (title: string, reason: string): never => {
    throw new ModelError(source, node.span, title, reason);
  };
  if (names.kind !== "synapse" || place !== "handler")
    wrong("normalize belongs in handlers of synapses", "it divides by the norm over the presynaptic cells");
  const owners = new Set<string>();
  walk(node.args[0], (part) => {
    if (part.kind === "name") owners.add(names.lookup(part.name, place)?.owner ?? "anywhere");
    if (part.kind === "random") owners.add("random");
  });
  const fine =
    owners.has("pre") && [...owners].every((owner) => ["pre", "anywhere", "shared"].includes(owner));
  if (!fine)
    wrong(
      "normalize needs one value per presynaptic cell",
      "its argument may use (pre) variables, shared ones and parameters, and at least one (pre) variable",
    );
}

/** What `root` is; throws `ModelError` where terms disagree or `wanted` is not met. Names are known already. */
export function checkMeaning(root: Expression, setting: Setting, wanted?: Wanted): Meaning {
  const { source, names, place } = setting;
  const lookup = (name: string): Meaning => names.lookup(name, place)?.meaning ?? "open";
  let meaning: Meaning;
  try {
    meaning = meaningOf(root, source.text, lookup);
  } catch (error) {
    if (!(error instanceof Disagreement)) throw error;
    const guess = guessParameter(root, setting, lookup, wanted?.meaning);
    throw new ModelError(source, error.span, error.title, error.message + guess);
  }
  if (!wanted || fits(meaning, wanted.meaning)) return meaning;
  const span = wanted.span ?? root.span;
  const right = wanted.right ?? "the right side";
  if (wanted.meaning === "truth")
    throw new ModelError(
      source,
      span,
      "a truth value is needed",
      `${right} is ${describe(meaning)}; compare it, as in v > Vt`,
    );
  if (meaning === "truth")
    throw new ModelError(
      source,
      span,
      "a number is needed",
      `${right} is a truth value, ${wanted.left} is ${describe(wanted.meaning)}${describe(wanted.meaning) === "dimensionless" ? "; int(...) makes it 0 or 1" : ""}`,
    );
  throw new ModelError(
    source,
    span,
    "dimensions disagree",
    `${right} is ${describe(meaning)}, ${wanted.left} is ${describe(wanted.meaning)}${guessParameter(root, setting, lookup, wanted.meaning)}`,
  );
}

/** As `checkMeaning` for a quantity, whose dimension its unit says. */
export function checkQuantity(source: Source, dimension: Dimension, wanted: Wanted): void {
  if (fits(dimension, wanted.meaning)) return;
  throw new ModelError(
    source,
    { start: 0, end: source.text.length },
    "dimensions disagree",
    `${wanted.right} is ${describe(dimension)}, ${wanted.left} is ${describe(wanted.meaning)}`,
  );
}

/** "; did you mean taum?" when one parameter, or one still unused, in place of a name would make it right. */
function guessParameter(
  root: Expression,
  setting: Setting,
  lookup: (name: string) => Meaning,
  wanted: Dimension | "truth" | undefined,
): string {
  const here = namesIn(root);
  const others = setting.parameters.filter((parameter) => !here.has(parameter.name));
  const found = repairs(root, setting.source.text, lookup, wanted, others);
  const unused = found.filter((name) => !setting.used.has(name));
  const guess = found.length === 1 ? found[0] : unused.length === 1 ? unused[0] : undefined;
  return guess === undefined ? "" : `; did you mean ${guess}?`;
}
