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
 * A value with its standard error, and its interval, to two digits of the error: "4.890 ± 0.012" and "4.867 to 4.913", or
 * both times a power of ten.
 */
export function withError(
  value: number,
  standardError: number,
  [low, high]: readonly [number, number],
): readonly [value: string, interval: string] {
  const size = Math.max(Math.abs(value), standardError);
  const power = Math.floor(Math.log10(size));
  const decimals = 1 - Math.floor(Math.log10(standardError)); // of the value itself
  if (!Number.isFinite(decimals + power))
    return [
      `${numberText(value, 6)} ± ${numberText(standardError, 2)}`,
      `${numberText(low)} to ${numberText(high)}`,
    ];
  const plain = power < 9 && decimals <= 6;
  const [scale, shown] = plain ? [1, Math.max(0, decimals)] : [10 ** power, Math.max(0, decimals + power)];
  const text = (number: number) =>
    Number.isFinite(number) ? (number / scale).toFixed(shown).replace("-", "−") : numberText(number);
  const pair = [`${text(value)} ± ${text(standardError)}`, `${text(low)} to ${text(high)}`] as const;
  return plain ? pair : [`(${pair[0]}) × ${numberText(scale)}`, `(${pair[1]}) × ${numberText(scale)}`];
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
