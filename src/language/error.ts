/**
 * What is wrong with a model: which one, where in its text, and both sides of the matter.
 *
 * Knows only text and positions, not what they mean.
 */
import type { Span } from "./expression.ts";

/** A piece of a model's text: which model, which part of it ("" for the equations), and the text as written. */
export interface Source {
  readonly model: string;
  readonly part: string;
  readonly text: string;
}

/** The line of `text` in which `span` starts, and carets under what of the span lies in that line. */
function quote(text: string, span: Span): string {
  const lineStart = text.lastIndexOf("\n", span.start - 1) + 1;
  const next = text.indexOf("\n", span.start);
  const line = text.slice(lineStart, next < 0 ? text.length : next).trimEnd();
  const written = line.trimStart();
  const column = Math.max(0, span.start - lineStart - (line.length - written.length));
  const end = span.end - lineStart - (line.length - written.length);
  const carets = Math.max(1, Math.min(end, written.length) - column);
  return `\n    ${written}\n    ${" ".repeat(column)}${"^".repeat(carets)}`;
}

/**
 * A model that cannot be used. The message reads
 *
 *     model, part: what is wrong
 *         the line
 *             ^^^^
 *       reason, both sides, nearest name
 */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly model: string;
  /** Characters of `text`; absent when no single place is at fault. */
  readonly span: Span | undefined;
  readonly text: string;

  constructor(source: Source, span: Span | undefined, title: string, reason = "") {
    const where = source.part === "" ? source.model : `${source.model}, ${source.part}`;
    const place = span === undefined ? "" : quote(source.text, span);
    super(`${where}: ${title}${place}${reason === "" ? "" : `\n  ${reason}`}`);
    this.model = source.model;
    this.span = span;
    this.text = source.text;
  }
}
