/**
 * Device files: a device model, and what a fit found out about it, as JSON.
 *
 *     { "memspike": "device", "version": 1, "name": …, "source": …, "equations": …, "initial": …, "on": …, "read": …,
 *       "drift"?, "current"?, "arguments"?, "steps"?, "parameters"?, "fitted"? }
 *
 * The keys are those of `device({ … })`; a text of several lines may be a list of its lines. Data only: a file is
 * read, checked as any model is, and never run. Knows nothing of files on disk.
 */
import type { DeviceDefinition } from "../language/definition.ts";
import { ModelError } from "../language/error.ts";
import { device, type Model } from "../language/model.ts";
import { DataError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { type Field, type Json, placeIn, readJson } from "./json.ts";

/** What a fit found. Numbers are SI, in the order of `free` where they belong to parameters. */
export interface Fitted {
  readonly data: string; // name of the measurements
  readonly rows: number; // reads that were fitted
  readonly devices: number;
  readonly logLikelihood: number;
  readonly free: readonly string[];
  readonly covariance: readonly (readonly number[])[]; // [free, free]
  readonly intervals95: Readonly<Record<string, readonly [low: number, high: number]>>; // infinite where open
  readonly samples?: readonly (readonly number[])[]; // of the posterior: [sample, free]
}

/** What a device file holds. */
export interface DeviceFile {
  readonly model: Model<"device">;
  readonly fitted?: Fitted;
}

const version = 1;

/** What stands under each key of a definition, in the order files are written. */
const shapes = {
  name: "text",
  source: "text",
  equations: "text",
  initial: "values",
  on: "texts",
  drift: "text",
  read: "text",
  current: "text",
  arguments: "names",
  steps: "number",
  parameters: "values",
} as const satisfies Record<keyof DeviceDefinition, "text" | "texts" | "values" | "names" | "number">;

const required = ["name", "source", "equations", "initial", "on", "read"] as const;

/**
 * The device in the text of a device file. Throws `DataError` at the first fault, with line and column and, where
 * the fault is one of the model, with what `ModelError` shows.
 */
export function readDevice(text: string, file = "device file"): DeviceFile {
  const reader = new Reader(text, file);
  const fields = reader.record(readJson(text, file), "");
  const known = ["memspike", "version", ...Object.keys(shapes), "fitted"];
  if (reader.text(reader.field(fields, "memspike", ""), "memspike") !== "device")
    throw reader.fault(fields.get("memspike")!.value.at, "memspike", 'a device file says "device" here');
  const written = reader.number(reader.field(fields, "version", ""), "version");
  if (written !== version)
    throw reader.fault(fields.get("version")!.value.at, "version", `this program reads version ${version}`);
  reader.only(fields, known, "");
  for (const key of required) reader.field(fields, key, "");
  const definition: Record<string, unknown> = {};
  for (const [key, shape] of Object.entries(shapes)) {
    const field = fields.get(key);
    if (field) definition[key] = reader[shape](field.value, key);
  }
  const model = reader.checked(() => device(definition as unknown as DeviceDefinition));
  const found = fields.get("fitted");
  return found ? { model, fitted: readFitted(reader, found.value, model) } : { model };
}

/**
 * The text of a device file: `readDevice` gives the model again, its texts without the indentation they share.
 * Throws `DataError` where `fitted` says what no file can.
 */
export function deviceFile(model: Model<"device">, fitted?: Fitted): string {
  const definition = model.definition as unknown as Readonly<Record<string, unknown>>;
  const parts: [string, unknown][] = [
    ["memspike", "device"],
    ["version", version],
  ];
  for (const [key, shape] of Object.entries(shapes)) {
    const value = definition[key];
    if (value === undefined) continue;
    if (shape === "text") parts.push([key, lines(value as string)]);
    else if (shape === "texts" || shape === "values")
      parts.push([
        key,
        Object.fromEntries(
          Object.entries(value as Record<string, string | number | undefined>)
            .filter(([, entry]) => entry !== undefined)
            .map(([name, entry]) => [name, typeof entry === "string" ? lines(entry) : entry]),
        ),
      ]);
    else parts.push([key, value]);
  }
  if (fitted !== undefined) parts.push(["fitted", fitted]);
  const text = `${json(Object.fromEntries(parts), "")}\n`;
  readDevice(text, `the file of ${model.checked.name}`);
  return text;
}

/** A text, or its lines when it has several: without the indentation they share, or blank ones at the ends. */
function lines(text: string): string | string[] {
  const all = text.split("\n").map((line) => line.trimEnd());
  while (all.length > 1 && all[0] === "") all.shift();
  while (all.length > 1 && all.at(-1) === "") all.pop();
  const indents = all.filter((line) => line !== "").map((line) => line.length - line.trimStart().length);
  const least = Math.min(...indents, Number.MAX_SAFE_INTEGER);
  const written = all.map((line) => line.slice(least));
  return written.length === 1 ? written[0] : written;
}

/** JSON with one line for each entry of a record and each text of a list; a list of numbers is one line. No NaN gets by. */
function json(value: unknown, indent: string): string {
  if (Number.isNaN(value)) return "NaN";
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item) => json(item, deeper));
    if (value.every((item) => typeof item === "number")) return `[${items.join(", ")}]`;
    return `[\n${items.map((item) => deeper + item).join(",\n")}\n${indent}]`;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
    if (entries.length === 0) return "{}";
    const written = entries.map(([key, entry]) => `${deeper}${JSON.stringify(key)}: ${json(entry, deeper)}`);
    return `{\n${written.join(",\n")}\n${indent}}`;
  }
  return JSON.stringify(value);
}

function readFitted(reader: Reader, node: Json, model: Model<"device">): Fitted {
  const path = "fitted";
  const fields = reader.record(node, path);
  const keys = ["data", "rows", "devices", "logLikelihood", "free", "covariance", "intervals95", "samples"];
  reader.only(fields, keys, path);
  const of = (key: string): Json => reader.field(fields, key, path);
  const count = (key: string): number => {
    const value = reader.number(of(key), `${path}.${key}`);
    if (Number.isInteger(value) && value > 0) return value;
    throw reader.fault(of(key).at, `${path}.${key}`, `this is a count of at least 1, not ${value}`);
  };
  const parameters = model.checked.parameters.map(({ name }) => name);
  const free = reader.names(of("free"), `${path}.free`);
  free.forEach((name, k) => {
    const where = reader.list(of("free"), "")[k].at;
    if (!parameters.includes(name))
      throw reader.fault(
        where,
        `${path}.free[${k}]`,
        `${model.checked.name} has no parameter ${name}${didYouMean(name, parameters)}`,
      );
    if (free.indexOf(name) < k) throw reader.fault(where, `${path}.free[${k}]`, `${name} is here twice`);
  });
  const covariance = reader.rows(of("covariance"), `${path}.covariance`, free.length, free.length);
  covariance.forEach((row, i) => {
    for (let j = 0; j <= i; j++) {
      const scale = Math.sqrt(covariance[i][i] * covariance[j][j]);
      const alike = Math.abs(row[j] - covariance[j][i]) <= 1e-9 * scale;
      // |covariance| <= sd sd but for rounding; also says that no variance is negative
      if (!(alike && Math.abs(row[j]) <= scale * (1 + 1e-9)))
        throw reader.fault(
          of("covariance").at,
          `${path}.covariance`,
          `${free[i]} and ${free[j]} cannot have this covariance: it is symmetric, and no correlation exceeds 1`,
        );
    }
  });
  const intervals = reader.record(of("intervals95"), `${path}.intervals95`);
  reader.only(intervals, free, `${path}.intervals95`);
  const intervals95 = free.map((name): [string, [number, number]] => {
    const where = `${path}.intervals95.${name}`;
    const interval = reader.field(intervals, name, `${path}.intervals95`);
    const ends = reader.list(interval, where);
    const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY].map((open, k) =>
      ends[k] === undefined || ends[k].kind === "null" ? open : reader.number(ends[k], `${where}[${k}]`),
    );
    if (ends.length !== 2 || !(low <= high))
      throw reader.fault(interval.at, where, "an interval is [low, high], with null for an open end");
    return [name, [low, high]];
  });
  return {
    data: reader.text(of("data"), `${path}.data`),
    rows: count("rows"),
    devices: count("devices"),
    logLikelihood: reader.number(of("logLikelihood"), `${path}.logLikelihood`),
    free,
    covariance,
    intervals95: Object.fromEntries(intervals95),
    ...(fields.has("samples")
      ? { samples: reader.rows(of("samples"), `${path}.samples`, undefined, free.length) }
      : {}),
  };
}

/** A text of the model and where its characters stand. */
interface Passage {
  readonly text: string;
  readonly placeOf: (offset: number) => number;
}

/** Values of a file by what they must be; remembers where the texts of a model stand. */
class Reader {
  readonly #text: string;
  readonly #file: string;
  readonly #passages: Passage[] = [];

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  fault(at: number, path: string, reason: string, cause?: unknown): DataError {
    const message = path === "" ? reason : `${path}: ${reason}`;
    return new DataError(message, { place: placeIn(this.#text, this.#file, at), cause });
  }

  /** What `make` makes; a fault of the model is shown where its text stands. */
  checked<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      const { text } = error;
      // a statement or an equation is a piece of its passage
      const passage =
        this.#passages.find((each) => each.text === text) ??
        this.#passages.find((each) => text !== "" && each.text.includes(text));
      if (!passage) throw new DataError(error.message, { place: { file: this.#file }, cause: error });
      const offset = passage.text.indexOf(text) + (error.span?.start ?? 0);
      throw this.fault(passage.placeOf(offset), "", error.message, error);
    }
  }

  record(node: Json, path: string): ReadonlyMap<string, Field> {
    return node.kind === "record" ? node.fields : this.#refuse(node, path, "a record { … }");
  }

  list(node: Json, path: string): readonly Json[] {
    return node.kind === "list" ? node.items : this.#refuse(node, path, "a list [ … ]");
  }

  number(node: Json, path: string): number {
    return node.kind === "number" ? node.value : this.#refuse(node, path, "a number");
  }

  /** A text, or the lines of one. */
  text(node: Json, path: string): string {
    const pieces = node.kind === "list" ? node.items : [node];
    const parts = pieces.map((piece, k) => {
      if (piece.kind === "text") return { at: piece.at, value: piece.value };
      return this.#refuse(piece, node === piece ? path : `${path}[${k}]`, "a text");
    });
    const text = parts.map(({ value }) => value).join("\n");
    const placeOf = (offset: number): number => {
      let left = offset;
      const part = parts.find(({ value }) => left <= value.length || (left -= value.length + 1) < 0);
      return part ? this.#characterAt(part.at, left) : node.at;
    };
    this.#passages.push({ text, placeOf });
    return text;
  }

  texts(node: Json, path: string): Record<string, string> {
    return this.#entries(node, path, (value, where) => this.text(value, where));
  }

  /** Texts and numbers by name. */
  values(node: Json, path: string): Record<string, string | number> {
    return this.#entries(node, path, (value, where) => {
      if (value.kind === "record") return this.#refuse(value, where, "a text or a number");
      if (value.kind !== "number") return this.text(value, where);
      this.#passages.push({ text: `${value.value}`, placeOf: () => value.at });
      return value.value;
    });
  }

  names(node: Json, path: string): string[] {
    return this.list(node, path).map((item, k) =>
      item.kind === "text" ? item.value : this.#refuse(item, `${path}[${k}]`, "a name"),
    );
  }

  numbers(node: Json, path: string, size: number): number[] {
    const items = this.list(node, path);
    if (items.length !== size)
      throw this.fault(node.at, path, `${size} numbers are expected, not ${items.length}`);
    return items.map((item, k) => this.number(item, `${path}[${k}]`));
  }

  rows(node: Json, path: string, rows: number | undefined, columns: number): number[][] {
    const items = this.list(node, path);
    if (rows === undefined ? items.length === 0 : items.length !== rows)
      throw this.fault(node.at, path, `${rows ?? "some"} rows are expected, not ${items.length}`);
    return items.map((item, k) => this.numbers(item, `${path}[${k}]`, columns));
  }

  field(fields: ReadonlyMap<string, Field>, key: string, path: string): Json {
    const found = fields.get(key);
    if (found) return found.value;
    const near = didYouMean(key, fields.keys()).replace("did you mean", "is it");
    throw this.fault(0, path, `"${key}" is missing${near}`);
  }

  only(fields: ReadonlyMap<string, Field>, known: readonly string[], path: string): void {
    for (const [key, { at }] of fields)
      if (!known.includes(key)) {
        const hint = didYouMean(key, known) || `; there are ${known.join(", ")}`;
        throw this.fault(at, path, `there is no key ${JSON.stringify(key)}${hint}`);
      }
  }

  #refuse(node: Json, path: string, expected: string): never {
    const kinds = {
      null: "null",
      boolean: "a truth value",
      number: "a number",
      text: "a text",
      list: "a list",
      record: "a record",
    };
    throw this.fault(node.at, path, `${expected} is expected, not ${kinds[node.kind]}`);
  }

  #entries<T>(node: Json, path: string, read: (value: Json, where: string) => T): Record<string, T> {
    const entries = [...this.record(node, path)].map(([name, { at, value }]): [string, T] => {
      const where = `${path}.${name}`;
      const result = read(value, where);
      // errors about a name or a parameter show it so
      const shown = `${name}: ${JSON.stringify(result)}`;
      for (const text of [name, shown]) this.#passages.push({ text, placeOf: () => at });
      return [name, result];
    });
    return Object.fromEntries(entries);
  }

  /** Where the character `offset` of the text that is written at `at` stands. */
  #characterAt(at: number, offset: number): number {
    let place = at + 1;
    for (let k = 0; k < offset; k++)
      place += this.#text[place] !== "\\" ? 1 : this.#text[place + 1] === "u" ? 6 : 2;
    return place;
  }
}
