/**
 * JSON with places: every value knows where in its file it stands, so that what is wrong with it can be shown there.
 *
 * The grammar is that of RFC 8259; a key may come once. Knows nothing of what the values mean.
 */
import { DataError, type Place } from "../math/errors.ts";

/** A value and where it starts: characters from the beginning of the text. */
export type Json =
  | { readonly kind: "null"; readonly at: number }
  | { readonly kind: "boolean"; readonly at: number; readonly value: boolean }
  | { readonly kind: "number"; readonly at: number; readonly value: number }
  | { readonly kind: "text"; readonly at: number; readonly value: string }
  | { readonly kind: "list"; readonly at: number; readonly items: readonly Json[] }
  | { readonly kind: "record"; readonly at: number; readonly fields: ReadonlyMap<string, Field> };

/** A value of a record and where its key starts. */
export interface Field {
  readonly at: number;
  readonly value: Json;
}

/** Lists and records within each other, at most. */
const deepest = 64;

/** Line and column of a character, both from 1. */
export function placeIn(text: string, file: string, at: number): Place {
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  const line = text.slice(0, lineStart).split("\n").length;
  return { file, line, column: at - lineStart + 1 };
}

/** The value that `text` is. Throws `DataError` with line and column at the first fault. */
export function readJson(text: string, file: string): Json {
  let at = text.startsWith("\ufeff") ? 1 : 0;
  const fail = (reason: string, where = at): never => {
    throw new DataError(reason, { place: placeIn(text, file, where) });
  };
  const seen = (): string => (at < text.length ? JSON.stringify(text[at]) : "the end of the file");
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const blank = (): void => void match(/[ \t\r\n]*/y);
  const string = (what: string): string => {
    if (text[at] !== '"') return fail(`${what} is expected here, not ${seen()}`);
    const start = at++;
    while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    const written = text.slice(start, ++at);
    try {
      return JSON.parse(written) as string;
    } catch {
      return fail("this text does not end in its line, or holds a \\ that JSON does not know", start);
    }
  };
  const value = (depth: number): Json => {
    if (depth > deepest) fail(`lists and records are nested deeper than ${deepest}`);
    blank();
    const start = at;
    if (text[at] === "{") return { kind: "record", at: start, fields: record(depth) };
    if (text[at] === "[") return { kind: "list", at: start, items: list(depth) };
    if (text[at] === '"') return { kind: "text", at: start, value: string("text") };
    const word = match(/[-+.\w]+/y);
    if (word === "null") return { kind: "null", at: start };
    if (word === "true" || word === "false") return { kind: "boolean", at: start, value: word === "true" };
    if (word === undefined) return fail(`a value is expected here, not ${seen()}`);
    if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(word))
      return fail(`${word} is not a value of JSON`, start);
    const number = Number(word);
    return Number.isFinite(number)
      ? { kind: "number", at: start, value: number }
      : fail(`${word} is too large for a number`, start);
  };
  /** Past the opening bracket: `each` for every element up to the closing one. */
  const elements = (close: string, each: () => void): void => {
    at++;
    blank();
    if (text[at] === close) {
      at++;
      return;
    }
    for (;;) {
      each();
      blank();
      const mark = text[at];
      if (mark !== close && mark !== ",") fail(`"," or "${close}" is expected here, not ${seen()}`);
      at++;
      if (mark === close) return;
      blank();
    }
  };
  const list = (depth: number): Json[] => {
    const items: Json[] = [];
    elements("]", () => items.push(value(depth + 1)));
    return items;
  };
  const record = (depth: number): Map<string, Field> => {
    const fields = new Map<string, Field>();
    elements("}", () => {
      const start = at;
      const key = string("a key in double quotes");
      if (fields.has(key)) fail(`${JSON.stringify(key)} is here twice`, start);
      blank();
      if (text[at] !== ":") fail(`":" is expected after the key, not ${seen()}`);
      at++;
      fields.set(key, { at: start, value: value(depth + 1) });
    });
    return fields;
  };
  const whole = value(0);
  blank();
  if (at < text.length) fail(`the file should end here, not go on with ${seen()}`);
  return whole;
}
