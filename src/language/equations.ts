/**
 * Blocks of equations and statements, cut into items with their parts.
 *
 * An item ends at a line's end or `;`, unless a bracket is open or the line ends with an operator. `#` starts a
 * comment. Only the form is read here: names, units and flags mean nothing yet.
 */
import { didYouMean } from "../math/nearest.ts";
import { ModelError, type Source } from "./error.ts";
import type { Span } from "./expression.ts";
import { isName } from "./token.ts";

/** One equation. Spans count from the start of `source.text`, which is the equation alone. */
export interface Equation {
  readonly form: "differential" | "derived" | "stored";
  readonly source: Source;
  readonly name: string;
  readonly nameSpan: Span;
  readonly value?: Span; // the right side
  readonly unit: string;
  readonly unitSpan: Span;
  readonly flags: readonly { readonly name: Flag; readonly span: Span }[];
}

export const flagNames = ["unless refractory", "pre", "post", "shared", "weight", "constant"] as const;
export type Flag = (typeof flagNames)[number];

/** One assignment, as Equation. */
export interface Assignment {
  readonly source: Source;
  readonly target: string;
  readonly targetSpan: Span;
  readonly operator: "=" | "+=" | "-=" | "*=" | "/=";
  readonly value: Span;
}

/** `apply(voltage, duration)`, as Equation. */
export interface Applied {
  readonly source: Source;
  readonly voltage: Span;
  readonly duration: Span;
}

const goesOn = /(?:[-+*/^,?:<>=]|\b(?:and|or|not))\s*$/u;

/** `text` cut into items, comments blanked out. */
function items(source: Source): Source[] {
  const text = source.text.replace(/#[^\n]*/gu, (comment) => " ".repeat(comment.length));
  const found: string[] = [];
  let start = 0;
  let depth = 0;
  for (let at = 0; at <= text.length; at++) {
    const character = text[at];
    if (character === "(") depth++;
    if (character === ")") depth--;
    const lineEnds = character === "\n" && depth <= 0 && !goesOn.test(text.slice(start, at));
    if (at < text.length && character !== ";" && !lineEnds) continue;
    const item = text.slice(start, at).trim();
    if (item !== "") found.push(item);
    start = at + 1;
    depth = 0;
  }
  return found.map((item) => ({ ...source, text: item }));
}

function trimmed(text: string, start: number, end: number): Span {
  while (start < end && /\s/u.test(text[start])) start++;
  while (end > start && /\s/u.test(text[end - 1])) end--;
  return { start, end };
}

/** Equations of a model, in the order of the text. Throws `ModelError`. */
export function readEquations(source: Source): Equation[] {
  return items(source).map(readEquation);
}

function readEquation(source: Source): Equation {
  const { text } = source;
  const colon = unitColon(text);
  const equals = /(?<![<>=!])=(?!=)/u.exec(text.slice(0, colon ?? text.length))?.index;
  const left = trimmed(text, 0, equals ?? colon ?? text.length);
  const leftText = text.slice(left.start, left.end);
  const differential = /^d(?<name>\S+)\s*\/\s*dt$/u.exec(leftText);
  const name = differential ? differential.groups!.name : leftText;
  const nameStart = left.start + (differential ? 1 : 0);
  const nameSpan = { start: nameStart, end: nameStart + name.length };
  const form = differential ? "differential" : equals === undefined ? "stored" : "derived";
  if (!isName(name))
    throw new ModelError(
      source,
      left.end > left.start ? left : { start: 0, end: text.length },
      "this is not an equation",
      "write dx/dt = ... : unit, x = ... : unit, or x : unit",
    );
  if (form === "differential" && equals === undefined)
    throw new ModelError(
      source,
      left,
      "a differential equation has no right side",
      `write d${name}/dt = ... : unit`,
    );
  if (colon === undefined)
    throw new ModelError(
      source,
      { start: text.length - 1, end: text.length },
      "the unit is missing",
      "an equation ends with its unit, such as : V, or : 1 when dimensionless",
    );
  const tail = trimmed(text, colon + 1, text.length);
  const open = flagsBracket(text, tail);
  const unitSpan = trimmed(text, tail.start, open ?? tail.end);
  if (unitSpan.start === unitSpan.end)
    throw new ModelError(
      source,
      { start: colon, end: colon + 1 },
      "the unit is missing",
      "write : 1 when dimensionless",
    );
  return {
    form,
    source,
    name,
    nameSpan,
    value: equals === undefined ? undefined : trimmed(text, equals + 1, colon),
    unit: text.slice(unitSpan.start, unitSpan.end),
    unitSpan,
    flags: open === undefined ? [] : readFlags(source, { start: open + 1, end: tail.end - 1 }),
  };
}

/** Position of the colon before the unit: the one that belongs to no `? :`. */
function unitColon(text: string): number | undefined {
  let depth = 0;
  let questions = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "(") depth++;
    else if (text[at] === ")") depth--;
    else if (depth === 0 && text[at] === "?") questions++;
    else if (depth === 0 && text[at] === ":" && questions-- === 0) return at;
  }
  return undefined;
}

/** Position of the bracket with flags at the end of `: unit (flags)`, which `: S/(m^2)` has not. */
function flagsBracket(text: string, tail: Span): number | undefined {
  if (text[tail.end - 1] !== ")") return undefined;
  let depth = 0;
  for (let at = tail.end - 1; at >= tail.start; at--) {
    if (text[at] === ")") depth++;
    if (text[at] === "(" && --depth === 0) {
      const before = text.slice(tail.start, at).trimEnd();
      return /[*/^(]$/u.test(before) ? undefined : at;
    }
  }
  return undefined;
}

function readFlags(source: Source, range: Span): Equation["flags"] {
  const { text } = source;
  const flags: { name: Flag; span: Span }[] = [];
  let start = range.start;
  while (start <= range.end) {
    const comma = text.indexOf(",", start);
    const end = comma < 0 || comma > range.end ? range.end : comma;
    const span = trimmed(text, start, end);
    const written = text.slice(span.start, span.end).replace(/\s+/gu, " ");
    const name = flagNames.find((flag) => flag === written);
    const shown = span.end > span.start ? span : { start: range.start - 1, end: range.end + 1 };
    if (name === undefined)
      throw new ModelError(
        source,
        shown,
        "unknown flag",
        `${written || "nothing"} is not a flag${didYouMean(written, flagNames) || `; flags are ${flagNames.join(", ")}`}`,
      );
    if (flags.some((flag) => flag.name === name))
      throw new ModelError(source, shown, `the flag ${name} is given twice`);
    flags.push({ name, span });
    start = end + 1;
  }
  return flags;
}

/** Statements of a handler, in the order of the text. Throws `ModelError`. */
export function readStatements(source: Source): (Assignment | Applied)[] {
  return items(source).map((item) => {
    if (/^apply\s*\(/u.test(item.text)) return readApplied(item);
    const match = /^(?<target>[^\s=+\-*/^]+)\s*(?<operator>\+=|-=|\*=|\/=|=(?!=))/u.exec(item.text);
    const target = match ? match.groups!.target : "";
    if (!match || !isName(target))
      throw new ModelError(
        item,
        { start: 0, end: item.text.length },
        "this is not a statement",
        "write x = ..., x += ..., x -= ..., x *= ... or x /= ...",
      );
    return {
      source: item,
      target,
      targetSpan: { start: 0, end: target.length },
      operator: match.groups!.operator as Assignment["operator"],
      value: { start: match[0].length, end: item.text.length },
    };
  });
}

function readApplied(source: Source): Applied {
  const { text } = source;
  const open = text.indexOf("(");
  const commas: number[] = [];
  let depth = 0;
  let close = -1;
  for (let at = open; at < text.length && close < 0; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")" && --depth === 0) close = at;
    if (text[at] === "," && depth === 1) commas.push(at);
  }
  if (close !== text.length - 1 || commas.length !== 1)
    throw new ModelError(
      source,
      { start: 0, end: text.length },
      "this is not a statement",
      "write apply(voltage, duration)",
    );
  return {
    source,
    voltage: trimmed(text, open + 1, commas[0]),
    duration: trimmed(text, commas[0] + 1, close),
  };
}
