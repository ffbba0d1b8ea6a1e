/** Metrics in a terminal: one line each, tables below theirs. */

import type { MetricRow } from "../report/metrics.ts";

/** Rows of a metric's own table that are told; the report has them all. */
const rowsTold = 12;

/** Name, value, unit and meaning of each metric in columns, indented. */
export function metricLines(rows: readonly MetricRow[]): string[] {
  const told = rows.map(({ name, value, unit, table, description }) => {
    const columns = [name, table ? "" : value, unit, description];
    return {
      columns,
      under: table ? [...(table.columns.length > 0 ? [table.columns] : []), ...table.rows] : [],
    };
  });
  const widths = columnWidths(told.map(({ columns }) => columns));
  return told.flatMap(({ columns, under }) => {
    const own = columnWidths(under);
    const more = under.length > rowsTold + 1 ? [`    … ${under.length - rowsTold} more`] : [];
    const shown = more.length > 0 ? under.slice(0, rowsTold) : under;
    return [`  ${aligned(columns, widths)}`, ...shown.map((row) => `    ${aligned(row, own)}`), ...more];
  });
}

/** The widest of each column. */
export function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const count = Math.max(...rows.map((row) => row.length), 0);
  return Array.from({ length: count }, (_, k) => Math.max(...rows.map((row) => (row[k] ?? "").length)));
}

/** Cells below those of the same widths; empty columns are left out. */
export function aligned(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, k) => cell.padEnd(widths[k]))
    .filter((_, k) => widths[k] > 0)
    .join("  ")
    .trimEnd();
}
