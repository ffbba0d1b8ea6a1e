/** Metrics as words: how a measured value is written in a table, in a terminal or on a page. */

import { type Estimate, isEstimate } from "./estimate.ts";
import type { Metric } from "./experiment.ts";
import { numberText } from "./ticks.ts";

/** A line of a table of metrics. `table` is there for records, which are a table themselves. */
export interface MetricRow {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly value: string;
  readonly table?: MetricTable;
}

export interface MetricTable {
  readonly columns: readonly string[]; // titles; [] for none
  readonly rows: readonly (readonly string[])[];
}

/** The metrics in their order, with what is said about each: "mean rate (Hz)" is a description and a unit. */
export function metricRows(
  metrics: Readonly<Record<string, Metric | undefined>>,
  descriptions: Readonly<Record<string, string>> = {},
): MetricRow[] {
  return Object.entries(metrics).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const said = describedUnit(descriptions[name] ?? "");
    const table = tableOf(value);
    return {
      name,
      ...said,
      value: table ? `${table.rows.length} rows` : metricText(value),
      ...(table ? { table } : {}),
    };
  });
}

/** "mean rate (Hz)" -> the mean rate, in Hz; the unit 1 is none. */
export function describedUnit(words: string): { description: string; unit: string } {
  const match = /^(.*?)\s*\(([^()]*)\)\s*$/.exec(words);
  return match
    ? { description: match[1], unit: match[2] === "1" ? "" : match[2] }
    : { description: words, unit: "" };
}

/** A metric on one line. */
export function metricText(value: Metric): string {
  if (value === null) return "–";
  if (typeof value === "number") return numberText(value);
  if (typeof value !== "object") return String(value);
  if (isEstimate(value)) return estimateText(value);
  if (Array.isArray(value)) return value.map(metricText).join(", ");
  return Object.entries(value as Record<string, Metric | undefined>)
    .map(([name, part]) => `${name} ${metricText(part ?? null)}`)
    .join(", ");
}

/** "0.934 ± 0.021 (n = 5)": the mean and half its 95 % interval, to two digits of the latter. */
export function estimateText({ mean, interval95: [low, high], n }: Estimate): string {
  const half = (high - low) / 2;
  if (!Number.isFinite(half)) return `${numberText(mean)} (n = ${n})`;
  if (half === 0) return `${numberText(mean)} ± 0 (n = ${n})`;
  const decimals = Math.max(0, 1 - Math.floor(Math.log10(half)));
  const plain = Math.abs(mean) < 1e6 && decimals <= 6;
  if (!plain) return `${numberText(mean)} ± ${numberText(half, 2)} (n = ${n})`;
  const written = (value: number) => value.toFixed(decimals).replace("-", "−");
  return `${written(mean)} ± ${written(half)} (n = ${n})`;
}

/**
 * How a value with this standard error is written, and its error, and the ends of its interval: to two digits of the
 * error.
 */
export function asFineAs(standardError: number): (value: number) => string {
  const decimals = 1 - Math.floor(Math.log10(standardError));
  return (value) => {
    if (!Number.isFinite(value) || !Number.isFinite(decimals)) return numberText(value, 6);
    if (Math.abs(value) < 1e6 && decimals >= 0 && decimals <= 6)
      return value.toFixed(decimals).replace("-", "−");
    const digits = Math.floor(Math.log10(Math.abs(value))) + decimals + 1;
    return numberText(value, Math.min(15, Math.max(1, digits)));
  };
}

/** A list of records as a table, their names on top; a record of several values as one of two columns. */
function tableOf(value: Metric): MetricTable | undefined {
  if (isRecord(value) && Object.keys(value).length > 1)
    return {
      columns: [],
      rows: Object.entries(value).map(([name, part]) => [name, metricText(part ?? null)]),
    };
  if (!Array.isArray(value) || value.length === 0 || !value.every(isRecord)) return undefined;
  const columns = [...new Set(value.flatMap((record) => Object.keys(record)))];
  return { columns, rows: value.map((record) => columns.map((name) => metricText(record[name] ?? null))) };
}

function isRecord(value: Metric): value is { readonly [name: string]: Metric | undefined } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isEstimate(value);
}
