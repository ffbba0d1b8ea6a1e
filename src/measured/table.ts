/**
 * Tables of measurements, CSV or JSON, to `Measurement`: the format is told in docs/device-data.md.
 *
 * Text comes whole or in pieces; numbers are kept, text is not. Every fault is told with file, line and column. Knows
 * nothing of files (the command line reads those) or of models.
 */

import { DataError } from "../math/errors.ts";
import { CsvReader, Faults, readJson } from "./cells.ts";
import type { Layout } from "./columns.ts";
import { Entries } from "./entries.ts";
import type { Measurement } from "./measurement.ts";
import type { Rows } from "./rows.ts";

export interface TableOptions {
  /** Name for errors and reports. */
  readonly file: string;
  /** Default: JSON where the first sign is `[` or `{`. */
  readonly format?: "csv" | "json";
  /** As `# key: value` lines say it; goes before what the file says. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export type TableKind =
  | "pulse train" // one kind of pulse
  | "pulse ramps" // several kinds
  | "reads" // no pulses
  | "sweep" // of voltage: values are currents
  | "transitions" // each row a conductance before and after a pulse
  | "STDP points";

/** A table understood. */
export interface Table {
  readonly kind: TableKind;
  readonly measurement: Measurement;
  /** Rows below the header. */
  readonly rows: number;
  readonly columns: readonly string[];
  /** What the table says of itself; lines of one key joined. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A table of measurements from its text. Throws `DataError` with the first faults, each with file, line and column. */
export function readTable(text: string, options: TableOptions): Table;
/** The same from pieces of text, of which one at a time is kept (JSON: all). */
export function readTable(pieces: AsyncIterable<string>, options: TableOptions): Promise<Table>;
export function readTable(
  source: string | AsyncIterable<string>,
  options: TableOptions,
): Table | Promise<Table> {
  if (typeof source !== "string") return readPieces(source, options);
  const input = new TableInput(options);
  input.push(source);
  return input.end();
}

async function readPieces(pieces: AsyncIterable<string>, options: TableOptions): Promise<Table> {
  const input = new TableInput(options);
  for await (const piece of pieces) input.push(piece);
  return input.end();
}

/** The measurement in a table; see `readTable`. */
export function measurementOf(text: string, options: TableOptions): Measurement;
export function measurementOf(pieces: AsyncIterable<string>, options: TableOptions): Promise<Measurement>;
export function measurementOf(
  source: string | AsyncIterable<string>,
  options: TableOptions,
): Measurement | Promise<Measurement> {
  if (typeof source === "string") return readTable(source, options).measurement;
  return readTable(source, options).then(({ measurement }) => measurement);
}

/** Text on its way to rows: CSV line by line, JSON when it is whole. */
class TableInput {
  readonly #options: TableOptions;
  readonly #faults = new Faults();
  readonly #entries: Entries;
  #csv: CsvReader | undefined;
  #json: string[] | undefined;
  #blank = ""; // while no sign has come

  constructor(options: TableOptions) {
    this.#options = options;
    this.#entries = new Entries(this.#faults, options.metadata ?? {});
  }

  push(piece: string): void {
    if (this.#csv) this.#csv.push(piece);
    else if (this.#json) this.#json.push(piece);
    else this.#begin(this.#blank + piece);
  }

  #begin(text: string): void {
    const { file, format } = this.#options;
    const sign = /[^\s\uFEFF]/.exec(text)?.[0];
    if (sign === undefined) this.#blank = text;
    else if (format === "json" || (format === undefined && (sign === "[" || sign === "{")))
      this.#json = [text];
    else {
      this.#csv = new CsvReader(file, this.#entries, this.#faults);
      this.#csv.push(text);
    }
  }

  end(): Table {
    const { file } = this.#options;
    if (this.#json) readJson(this.#json.join(""), file, this.#entries, this.#faults);
    else if (this.#csv) this.#csv.end();
    else throw new DataError("the file is empty", { place: { file } });
    this.#faults.throwAny();
    return tableOf(this.#entries, file);
  }
}

/** The table that faultless entries make. Throws `DataError` when nothing can be learnt from them. */
function tableOf(entries: Entries, file: string): Table {
  const unusable = (reason: string): DataError => new DataError(reason, { place: { file } });
  const { layout, rows, knowledge, pulses } = entries;
  if (layout === undefined || rows === undefined || entries.count === 0)
    throw unusable("there are no rows below the header");
  const isSweep = rows.isSweepable && (knowledge.kind ? knowledge.kind === "sweep" : isSwept(rows.voltages));
  if (rows.isSweepable && !isSweep) {
    entries.signFaults.throwAny();
    rows.divideByVoltage();
  }
  const kind = kindOf(layout, isSweep, pulses.length);
  if (knowledge.kind !== undefined && knowledge.kind !== kind)
    throw unusable(`"kind: ${knowledge.kind}" is said, but the columns are those of ${kind}`);
  const reason = worthless(rows, entries.count, layout);
  if (reason !== undefined) throw unusable(reason);
  const measurement: Measurement = {
    source: file,
    pulses,
    arguments: [...(layout.delay ? ["delay"] : []), ...layout.arguments.map(({ stem }) => stem)],
    quantity: isSweep ? "current" : "conductance",
    sequences: rows.close({ clock: knowledge.time === "clock" }),
  };
  const columns = layout.columns.map(({ name }) => name);
  return { kind, measurement, rows: entries.count, columns, metadata: entries.told };
}

/** A voltage of one sign that stays within a fifth of its largest is a read voltage, else it was swept. */
function isSwept(voltages: Float64Array): boolean {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const V of voltages) {
    if (V < least) least = V;
    if (V > greatest) greatest = V;
  }
  return greatest - least > 0.2 * Math.max(Math.abs(least), Math.abs(greatest));
}

function kindOf({ form }: Layout, isSweep: boolean, pulses: number): TableKind {
  if (form !== "values") return form;
  if (isSweep) return "sweep";
  return pulses === 0 ? "reads" : pulses === 1 ? "pulse train" : "pulse ramps";
}

/** Why nothing can be learnt from the rows, if so. */
function worthless({ values }: Rows, count: number, { form }: Layout): string | undefined {
  let read = 0;
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    read++;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  if (read === 0) return "nothing was read: the column of values is empty";
  if (read === 1 || (form !== "values" && count === 1))
    return "there is a single point; it takes two to tell anything of a device";
  if (least === greatest) return `all ${read} values are the same: constant data tell nothing of a device`;
  return undefined;
}
