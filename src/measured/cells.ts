/**
 * Rows of cells from text that comes in pieces (CSV) or as a whole (JSON), with the place of every cell, for errors.
 *
 * CSV: comma, semicolon or tab, whichever the header line holds; `#` starts a comment line; a cell may be quoted, but
 * does not span lines. Only the line being read is kept. Knows nothing of what columns mean.
 */

import { DataError, type Place, placeText } from "../math/errors.ts";

/** Faults told at most; the rest are counted. */
const told = 20;
/** Characters of a line at most: text without line ends is no table, and must not fill the memory. */
const longestLine = 1_000_000;

/** Faults of one file, gathered so that one look mends many. */
export class Faults {
  readonly #first: { readonly place: Place; readonly reason: string }[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(place: Place, reason: string): void {
    if (this.#first.length < told) this.#first.push({ place, reason });
    this.#count++;
  }

  /** Throws a `DataError` with a line for each of the first faults, unless there are none. */
  throwAny(): void {
    if (this.#count === 0) return;
    const [{ place, reason }, ...others] = this.#first;
    const lines = [reason, ...others.map((fault) => `${placeText(fault.place)}: ${fault.reason}`)];
    const rest = this.#count - this.#first.length;
    if (rest > 0) lines.push(`and ${rest} more`);
    throw new DataError(lines.join("\n"), { place });
  }
}

/** What reads the rows. `place` tells where a cell of the header or row being read stands. */
export interface RowSink {
  /** `key: value` of a comment line, with its place. */
  metadata(key: string, value: string, place: Place): void;
  header(names: readonly string[], place: (index: number) => Place): void;
  row(cells: readonly string[], place: (index: number) => Place): void;
}

/** Reads CSV that comes in pieces. */
export class CsvReader {
  readonly #file: string;
  readonly #sink: RowSink;
  readonly #faults: Faults;
  #rest = ""; // of a line whose end has not come
  #line = 0;
  #text = ""; // of the line being read
  #separator = ""; // known after the header
  readonly #place = (index: number): Place => ({
    file: this.#file,
    line: this.#line,
    column: cellStart(this.#text, this.#separator, index) + 1,
  });

  constructor(file: string, sink: RowSink, faults: Faults) {
    this.#file = file;
    this.#sink = sink;
    this.#faults = faults;
  }

  push(chunk: string): void {
    const text = this.#rest === "" ? chunk : this.#rest + chunk;
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      this.#take(text.slice(start, end));
      start = end + 1;
    }
    this.#rest = text.slice(start);
    if (this.#rest.length > longestLine) {
      this.#line++;
      this.#refuse(`the line has more than ${longestLine} characters; this is no table`);
    }
  }

  /** The text has ended. */
  end(): void {
    if (this.#rest !== "") this.#take(this.#rest);
    this.#rest = "";
    if (this.#separator !== "") return;
    throw new DataError(this.#line === 0 ? "the file is empty" : "there is no line but comments", {
      place: { file: this.#file },
    });
  }

  #refuse(reason: string): never {
    throw new DataError(reason, { place: { file: this.#file, line: this.#line } });
  }

  #take(line: string): void {
    this.#line++;
    let text = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (this.#line === 1 && text.startsWith("\uFEFF")) text = text.slice(1);
    if (this.#separator === "") {
      if (text.includes("\0") || text.startsWith("\uFFFD"))
        this.#refuse("this is not UTF-8 text; save it as CSV in UTF-8");
      if (text.includes("\r"))
        this.#refuse("lines end with carriage returns alone; save the file with line feeds");
    }
    this.#text = text;
    if (text.startsWith("#")) {
      const match = /^#\s*([A-Za-z_]+)\s*:\s*(.*?)\s*$/.exec(text);
      if (match) this.#sink.metadata(match[1], match[2], { file: this.#file, line: this.#line, column: 1 });
      return;
    }
    if (text.trim() === "") return;
    const isHeader = this.#separator === "";
    if (isHeader) this.#separator = [..."\t;,"].find((separator) => text.includes(separator)) ?? ",";
    const cells = text.includes('"') ? quotedCells(text, this.#separator) : text.split(this.#separator);
    if (cells === undefined) this.#faults.add(this.#place(0), "a quoted cell does not end on its line");
    else if (isHeader)
      this.#sink.header(
        cells.map((cell) => cell.trim()),
        this.#place,
      );
    else this.#sink.row(cells, this.#place);
  }
}

/** The cells of a line in which some are quoted; undefined when a quote is not closed. */
function quotedCells(text: string, separator: string): string[] | undefined {
  const cells: string[] = [];
  for (let at = 0; at <= text.length; at++) {
    const end = cellEnd(text, separator, at);
    if (end === undefined) return undefined;
    const cell = text.slice(at, end).trim();
    cells.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    at = end;
  }
  return cells;
}

/** Where the cell that begins at `start` ends; undefined when its quote is not closed. */
function cellEnd(text: string, separator: string, start: number): number | undefined {
  let at = start;
  while (text[at] === " ") at++;
  if (text[at] === '"') {
    do {
      at = text.indexOf('"', at + 1);
      if (at < 0) return undefined;
      at++;
    } while (text[at] === '"'); // a doubled quote is one of the cell
  }
  const end = text.indexOf(separator, at);
  return end < 0 ? text.length : end;
}

/** Where a cell begins, spaces before it left out; the end of the line when there is no such cell. */
function cellStart(text: string, separator: string, index: number): number {
  let start = 0;
  for (let k = 0; k < index && start <= text.length; k++)
    start = (cellEnd(text, separator, start) ?? text.length) + 1;
  while (text[start] === " ") start++;
  return Math.min(start, text.length);
}

/**
 * Reads JSON: an array of records, or `{ "columns": { name: [cells] } }`, beside whose columns stand metadata. Numbers
 * become the text of the same number, null an empty cell.
 */
export function readJson(text: string, file: string, sink: RowSink, faults: Faults): void {
  const plain = text.replace(/^\uFEFF/, "");
  const root = parsed(plain, file);
  const at = (...path: (string | number)[]): Place => ({ file, ...lineOf(plain, locate(plain, path)) });
  if (Array.isArray(root)) {
    const names = [...new Set(root.flatMap((record) => (isObject(record) ? Object.keys(record) : [])))];
    sink.header(names, (index) =>
      at(
        root.findIndex((r) => isObject(r) && names[index] in r),
        names[index],
      ),
    );
    root.forEach((record: unknown, row) => {
      if (isObject(record))
        sink.row(
          names.map((name) => cellText(record[name])),
          (index) => at(row, names[index]),
        );
      else faults.add(at(row), `${JSON.stringify(record)} is not a record such as {"t_s": 1, "G_uS": 2}`);
    });
    return;
  }
  const columns = isObject(root) ? root["columns"] : undefined;
  if (!isObject(root) || !isObject(columns))
    throw new DataError('an array of records, or an object with "columns", is expected', { place: at() });
  for (const [key, value] of Object.entries(root))
    if (key !== "columns")
      sink.metadata(key, typeof value === "string" ? value : JSON.stringify(value), at(key));
  const names = Object.keys(columns);
  const lists = names.map((name) => columns[name]);
  const length = Math.max(0, ...lists.map((list) => (Array.isArray(list) ? list.length : 0)));
  lists.forEach((list, index) => {
    const size = Array.isArray(list) ? list.length : 0;
    if (size !== length)
      faults.add(at("columns", names[index]), `column ${names[index]} has ${size} of ${length} cells`);
  });
  faults.throwAny();
  sink.header(names, (index) => at("columns", names[index]));
  for (let row = 0; row < length; row++)
    sink.row(
      lists.map((list) => cellText((list as unknown[])[row])),
      (index) => at("columns", names[index], row),
    );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function cellText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function parsed(text: string, file: string): unknown {
  if (text.trim() === "") throw new DataError("the file is empty", { place: { file } });
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { message } = cause as Error;
    const position = /position (\d+)/.exec(message);
    const place = position === null ? { file } : { file, ...lineOf(text, Number(position[1])) };
    throw new DataError(`this is not JSON: ${message.replace(/ (in JSON )?at position.*$/s, "")}`, {
      place,
      cause,
    });
  }
}

function lineOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}

/** Where the value at a path of keys and indices begins in correct JSON; the value around it when it is not there. */
function locate(text: string, path: readonly (string | number)[]): number {
  const token = /[{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+/gy;
  let at = 0;
  const next = (): string => {
    while (/\s/.test(text[at] ?? "")) at++;
    token.lastIndex = at;
    return token.exec(text)?.[0] ?? "";
  };
  const take = (): string => {
    const found = next();
    at += found.length;
    return found;
  };
  const skip = (): void => {
    let depth = 0;
    do {
      const found = take();
      if (found === "") return;
      if (found === "{" || found === "[") depth++;
      if (found === "}" || found === "]") depth--;
    } while (depth > 0);
  };
  for (const step of path) {
    next();
    const around = at;
    const isList = take() === "[";
    for (let index = 0; ; index++) {
      if (next() === "]" || next() === "}" || next() === "") return around;
      const key = isList ? index : (JSON.parse(take()) as string);
      if (!isList) take(); // ":"
      next();
      if (key === step) break;
      skip();
      if (next() === ",") take();
    }
  }
  next();
  return at;
}
