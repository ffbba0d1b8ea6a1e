/**
 * Explicit connections: lists of pairs, from memory or from a table.
 *
 * Plain data, in the order given. Knows no population: whether a cell exists is found out by `connect`.
 */
import { ConfigError, DataError } from "../math/errors.ts";
import { quantity } from "../math/units.ts";

/** Explicit connections in the order given; `columns` are further numbers of each pair, SI. */
export interface Pairs {
  readonly kind: "pairs";
  readonly pre: Uint32Array; // [pair]
  readonly post: Uint32Array; // [pair]
  readonly columns: Readonly<Record<string, Float64Array>>; // each [pair]
}

/** Pair k connects `pre[k]` to `post[k]`; any order, duplicates allowed. Copies. Throws on what is no cell index. */
export function pairs(pre: ArrayLike<number>, post: ArrayLike<number>): Pairs {
  if (pre.length !== post.length)
    throw new ConfigError(`pairs: as many pre as post cells, not ${pre.length} and ${post.length}`);
  return Object.freeze({
    kind: "pairs",
    pre: indices("pre", pre),
    post: indices("post", post),
    columns: Object.freeze({}),
  });
}

function indices(side: string, values: ArrayLike<number>): Uint32Array {
  for (let k = 0; k < values.length; k++)
    if (!isIndex(values[k]))
      throw new ConfigError(`pairs: ${side} of pair ${k} is ${values[k]}, no cell index`);
  return Uint32Array.from(values);
}

function isIndex(value: number): boolean {
  return value >>> 0 === value;
}

/**
 * Pairs from comma-separated text: a header `pre,post` with any further columns, then one pair a line.
 *
 * A further column is a number, or has its unit in the header, `delay [ms]`, and is turned into SI;
 * empty lines and lines that begin with # are left out. Throws `DataError` with line and column
 * (of characters) under the name `file`.
 */
export function pairsFromTable(text: string, options: { file?: string } = {}): Pairs {
  const file = options.file ?? "table of pairs";
  let header: readonly Column[] | undefined;
  let values: Float64Array<ArrayBuffer>[] = []; // one a column
  let count = 0;
  let line = 0;
  const fail = (message: string, column: number): never => {
    throw new DataError(message, { place: { file, line, column } });
  };
  for (let start = 0, end = 0; start < text.length; start = end + 1) {
    end = text.indexOf("\n", start);
    if (end < 0) end = text.length;
    line++;
    const fields = fieldsOf(text.slice(start, end));
    if (fields[0].text.startsWith("#") || (fields.length === 1 && fields[0].text === "")) continue;
    if (header === undefined) {
      header = headerOf(fields, fail);
      values = header.map(() => new Float64Array(1024));
      continue;
    }
    if (fields.length !== header.length) {
      const at = fields[Math.min(fields.length - 1, header.length)].column;
      fail(`${fields.length} values under ${header.length} column names`, at);
    }
    if (count === values[0].length) values = values.map((column) => resized(column, 2 * count));
    for (let c = 0; c < fields.length; c++) values[c][count] = numberOf(fields[c], header[c], c < 2, fail);
    count++;
  }
  line = Math.max(1, line);
  if (header === undefined) return fail("there is no header pre,post", 1);
  const columns = values.map((column) => resized(column, count));
  return Object.freeze({
    kind: "pairs",
    pre: Uint32Array.from(columns[0]),
    post: Uint32Array.from(columns[1]),
    columns: Object.freeze(Object.fromEntries(header.slice(2).map(({ name }, c) => [name, columns[c + 2]]))),
  });
}

interface Column {
  readonly name: string;
  readonly unit: string; // "" when dimensionless
}
interface Field {
  readonly text: string; // trimmed
  readonly column: number; // where it begins, from 1
}
type Fail = (message: string, column: number) => never;

function fieldsOf(line: string): Field[] {
  let at = 1;
  return line.split(",").map((raw) => {
    const column = at + (raw.length - raw.trimStart().length);
    at += raw.length + 1;
    return { text: raw.trim(), column };
  });
}

function headerOf(fields: readonly Field[], fail: Fail): Column[] {
  const columns = fields.map(({ text, column }) => {
    const found = /^([A-Za-z_]\w*)(?:\s*\[([^\]]+)\])?$/.exec(text);
    if (!found) return fail(`"${text}" is no column name; write name or name [unit]`, column);
    const [, name, unit = ""] = found;
    numberOf({ text: "1", column }, { name, unit }, false, fail);
    return { name, unit };
  });
  const names = columns.map(({ name }) => name);
  if (names[0] !== "pre" || names[1] !== "post")
    fail(`the header begins with pre,post, not ${names.slice(0, 2).join(",")}`, fields[0].column);
  const twice = names.findIndex((name, k) => names.indexOf(name) < k);
  if (twice >= 0) fail(`the column ${names[twice]} occurs twice`, fields[twice].column);
  return columns;
}

function numberOf(field: Field, { name, unit }: Column, index: boolean, fail: Fail): number {
  const value = field.text === "" ? Number.NaN : Number(field.text);
  if (!Number.isFinite(value)) return fail(`${name} is "${field.text}", no number`, field.column);
  if (index && !isIndex(value)) return fail(`${name} is ${field.text}, no cell index`, field.column);
  if (unit === "") return value;
  try {
    return quantity(`${value} ${unit}`);
  } catch (error) {
    return fail(`column ${name}: ${error instanceof Error ? error.message : error}`, field.column);
  }
}

/** The same memory where the host allows, `length` long; the old array is empty afterwards. */
export function resized<A extends Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(
  array: A,
  length: number,
): A {
  const buffer = array.buffer.transfer(length * array.BYTES_PER_ELEMENT);
  return new (array.constructor as new (buffer: ArrayBuffer) => A)(buffer);
}
