/**
 * `memspike device check` and `device import`: tables of measurements, from files or from what ships with the program.
 *
 * A file is read in pieces, also out of gzip, so its length does not matter.
 */

import * as fs from "node:fs";
import { createReadStream } from "node:fs";
import * as path from "node:path";
import { pipeline, type Readable } from "node:stream";
import { createGunzip, gunzipSync } from "node:zlib";
import { DataError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { formatDimension, unitDimension } from "../math/units.ts";
import { type Column, columnOf } from "../measured/columns.ts";
import { type Finding, findingsOf, quantityText } from "../measured/findings.ts";
import { importData, importers, type RawFile } from "../measured/importers.ts";
import { devicesOf, type Measurement, readCount } from "../measured/measurement.ts";
import { readTable, type Table } from "../measured/table.ts";
import { addressOf } from "./catalogue.ts";
import { type ExitCode, exitCodes, shortPath, UsageError } from "./exit.ts";

/** What `datasets/device-data` exports; it lies beside src, which never imports it by name. */
interface DeviceData {
  readonly shippedDeviceData: readonly { readonly name: string; readonly description: string }[];
  shippedData(name: string): string | undefined;
}

/** Path of a table: a file, or the name of a shipped data set. Throws `UsageError` when there is neither. */
export async function tablePath(target: string): Promise<string> {
  if (fs.statSync(target, { throwIfNoEntry: false })?.isFile()) return target;
  const { shippedData, shippedDeviceData } = (await import(
    addressOf("datasets", "device-data")
  )) as DeviceData;
  const found = shippedData(target);
  if (found !== undefined) return found;
  const names = shippedDeviceData.map(({ name }) => name);
  const hint = didYouMean(target, names) || `; data that ship with the program are ${names.join(", ")}`;
  throw new UsageError(`there is no file ${target}${hint}`);
}

/** A table of measurements, by file or shipped name. Throws `UsageError` or `DataError`. */
export async function loadTable(
  target: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Table> {
  const file = await tablePath(target);
  return readTable(pieces(file), { file: file === target ? shortPath(file) : target, metadata });
}

/** The text of a file, in pieces. */
async function* pieces(file: string): AsyncIterable<string> {
  const source = createReadStream(file);
  const unpacked: Readable = file.endsWith(".gz") ? pipeline(source, createGunzip(), () => {}) : source;
  try {
    for await (const piece of unpacked.setEncoding("utf8")) yield piece as string;
  } catch (cause) {
    throw isOfZlib(cause) ? damaged(file, cause) : cause;
  }
}

function isOfZlib(error: unknown): error is Error {
  return error instanceof Error && String((error as { code?: unknown }).code).startsWith("Z_");
}

function damaged(file: string, cause: Error): DataError {
  return new DataError(`the gzip file is damaged: ${cause.message}`, {
    place: { file: shortPath(file) },
    cause,
  });
}

/** Tells what is in a table, or what is wrong with it. */
export async function deviceCheck(
  target: string,
  options: { json: boolean; metadata: Readonly<Record<string, string>> },
): Promise<ExitCode> {
  if (!options.json) {
    const table = await loadTable(target, options.metadata);
    process.stdout.write(`${tableText(table, findingsOf(table.measurement))}\n`);
    return exitCodes.done;
  }
  const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  try {
    const table = await loadTable(target, options.metadata);
    print({ ...summary(table), findings: findingsOf(table.measurement) });
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    print({ file: target, faults: error.message.split("\n") });
    return exitCodes.invalid;
  }
}

interface Range {
  readonly least: number;
  readonly greatest: number;
  readonly unit: string; // SI
}

/** The range of some numbers, NaN left out; undefined when there are none. */
function rangeOf(parts: Iterable<Float64Array>, unit: string): Range | undefined {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const part of parts)
    for (const value of part) {
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    }
  return least <= greatest ? { least, greatest, unit } : undefined;
}

/** Times between rows of a sequence, sorted, s. */
function intervalsOf({ sequences }: Measurement): Float64Array {
  const steps = new Float64Array(
    sequences.reduce((sum, { time }) => sum + Math.max(0, (time?.length ?? 0) - 1), 0),
  );
  let at = 0;
  for (const { time } of sequences)
    if (time) for (let row = 1; row < time.length; row++) steps[at++] = time[row] - time[row - 1];
  return steps.sort();
}

/** What was understood of a table, as plain data. */
function summary({ kind, measurement, rows, columns, metadata }: Table) {
  const { sequences, pulses, quantity } = measurement;
  const counts = pulses.map(() => 0);
  for (const { pulse } of sequences) for (const index of pulse) if (index >= 0) counts[index]++;
  const intervals = intervalsOf(measurement);
  const lengths = sequences.map(({ values }) => values.length);
  const all = (pick: (sequence: (typeof sequences)[number]) => Float64Array | undefined) =>
    sequences.map(pick).filter((part) => part !== undefined);
  return {
    file: measurement.source,
    kind,
    rows,
    columns,
    metadata,
    devices: devicesOf(measurement),
    sequences: {
      count: sequences.length,
      shortest: lengths.reduce((least, length) => Math.min(least, length), Number.POSITIVE_INFINITY),
      longest: lengths.reduce((most, length) => Math.max(most, length), 0),
    },
    reads: readCount(measurement),
    values: rangeOf(
      all(({ values }) => values),
      quantity === "current" ? "A" : "S",
    ),
    pulses: Object.fromEntries(pulses.map((name, k) => [name, counts[k]])),
    arguments: Object.fromEntries(
      measurement.arguments.map((name, k) => [
        name,
        rangeOf(
          all((sequence) => sequence.arguments[k]),
          unitOfArgument(name, columns),
        ),
      ]),
    ),
    voltage: rangeOf(
      all(({ voltage }) => voltage),
      "V",
    ),
    time: rangeOf(
      all(({ time }) => time),
      "s",
    ),
    interval:
      intervals.length === 0
        ? undefined
        : {
            least: intervals[0],
            median: intervals[intervals.length >> 1],
            greatest: intervals[intervals.length - 1],
          },
  };
}

/** Findings of one kind that are written out; the others are counted. */
const writtenFindings = 5;

function tableText(table: Table, findings: readonly Finding[]): string {
  const told = summary(table);
  const isRelative = table.columns.some((name) => name.startsWith("change_")) && !("G_rel" in told.metadata);
  const range = ({ least, greatest, unit }: Range) =>
    least === greatest
      ? quantityText(least, unit)
      : `${quantityText(least, unit)} to ${quantityText(greatest, unit)}`;
  const values = told.values && { ...told.values, ...(isRelative ? { unit: "" } : {}) };
  const lines: [string, string][] = [
    ["rows", String(told.rows)],
    ["devices", named(told.devices)],
    ["sequences", lengthText(told.sequences)],
    [
      "reads",
      `${told.reads}${values ? `, ${range(values)}${isRelative ? " of the state before" : ""}` : ""}`,
    ],
  ];
  const pulses = Object.entries(told.pulses);
  if (pulses.length > 0) lines.push(["pulses", pulses.map(([name, count]) => `${name} ${count}`).join(", ")]);
  for (const [name, values] of Object.entries(told.arguments))
    lines.push([name, values ? argumentText(name, values, table.columns) : "never given"]);
  if (told.voltage) lines.push(["voltage", range(told.voltage)]);
  if (told.time) lines.push(["time", range(told.time)]);
  if (told.interval) {
    const { least, median, greatest } = told.interval;
    const text = (seconds: number) => quantityText(seconds, "s", 3);
    const spread = text(least) === text(greatest) ? "" : `${text(least)} to ${text(greatest)}, median `;
    lines.push(["intervals", spread + text(median)]);
  }
  for (const [key, value] of Object.entries(told.metadata))
    for (const line of value.split("\n")) lines.push([key, line]);
  const width = Math.max(...lines.map(([name]) => name.length));
  return [
    `${told.file}: ${told.kind}`,
    ...lines.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`),
    ...(findings.length === 0 ? [] : ["  findings"]),
    ...findingLines(findings),
  ].join("\n");
}

function named(devices: readonly string[]): string {
  const shown = devices.slice(0, 5).join(", ");
  return `${devices.length} (${shown}${devices.length > 5 ? ", …" : ""})`;
}

function lengthText({
  count,
  shortest,
  longest,
}: {
  count: number;
  shortest: number;
  longest: number;
}): string {
  return `${count} of ${shortest === longest ? longest : `${shortest} to ${longest}`} rows`;
}

/** The SI unit of an argument, from its column. */
function unitOfArgument(name: string, columns: readonly string[]): string {
  const column = columnOfArgument(name, columns);
  const unit = column?.name.slice(column.stem.length + 1) ?? "1";
  return formatDimension(unitDimension(unit).dimension);
}

function columnOfArgument(name: string, columns: readonly string[]): Column | undefined {
  const stems = name === "delay" ? ["delay", "dt"] : [name];
  const found = columns
    .map((each, index) => columnOf(each, index))
    .find((each) => typeof each !== "string" && stems.includes(each.stem));
  return typeof found === "string" ? undefined : found;
}

/** The range of an argument, in the unit of its column. */
function argumentText(name: string, { least, greatest }: Range, columns: readonly string[]): string {
  const column = columnOfArgument(name, columns);
  if (column === undefined) return `${least} to ${greatest}`;
  const inUnit = (value: number) => Number(((value / column.factor) * column.divisor).toPrecision(6));
  const unit = column.name.slice(column.stem.length + 1);
  return least === greatest ? `${inUnit(least)} ${unit}` : `${inUnit(least)} to ${inUnit(greatest)} ${unit}`;
}

function findingLines(findings: readonly Finding[]): string[] {
  const kinds = [...new Set(findings.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const own = findings.filter((finding) => finding.kind === kind);
    const rest = own.length - writtenFindings;
    return [
      ...own.slice(0, writtenFindings).map(({ text }) => `    ${text}`),
      ...(rest > 0 ? [`    and ${rest} more such; --json tells them all`] : []),
    ];
  });
}

/** Turns raw files into a table in the documented format; without a format, tells the formats there are. */
export async function deviceImport(
  format: string | undefined,
  targets: readonly string[],
  options: { out?: string; set: Readonly<Record<string, string>> },
): Promise<ExitCode> {
  if (format === undefined) {
    process.stdout.write(`${importerText()}\n`);
    return exitCodes.done;
  }
  const text = importData(format, targets.map(rawFile), options.set);
  if (options.out === undefined) process.stdout.write(text);
  else {
    fs.mkdirSync(path.dirname(path.resolve(options.out)), { recursive: true });
    fs.writeFileSync(options.out, text);
    const { kind, rows } = readTable(text, { file: options.out });
    process.stdout.write(
      `${options.out}: ${kind}, ${rows} rows; memspike device check ${options.out} tells more\n`,
    );
  }
  return exitCodes.done;
}

function rawFile(target: string): RawFile {
  if (!fs.statSync(target, { throwIfNoEntry: false })?.isFile())
    throw new UsageError(`there is no file ${target}`);
  const bytes = fs.readFileSync(target);
  try {
    const text = (target.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
    return { name: shortPath(target).replace(/\.gz$/, ""), text };
  } catch (cause) {
    throw isOfZlib(cause) ? damaged(target, cause) : cause;
  }
}

function importerText(): string {
  return importers
    .flatMap(({ name, form, source, options }) => [
      name,
      `  ${form}`,
      `  from ${source}`,
      ...Object.entries(options).map(([key, meaning]) => `  --set ${key}=…  ${meaning}`),
    ])
    .join("\n");
}
