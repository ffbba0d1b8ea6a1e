/**
 * Raw files of instruments and of published data sets: rows of numbers without names, as text.
 *
 * Cells stay the text they are, so that what is not converted is not rounded; they are checked to be numbers.
 */

import { DataError } from "../math/errors.ts";
import { Faults } from "./cells.ts";

export interface RawFile {
  readonly name: string;
  readonly text: string;
}

export interface RawForm {
  /** Cells in each row; absent when rows differ. */
  readonly width?: number;
  /** What the cells are, for errors: "address, time (s), current". */
  readonly cells: string;
  /** Lines before the numbers; default 0. */
  readonly header?: number;
  /** Whether cells may be empty; default no. */
  readonly gaps?: boolean;
}

/** Lines of a text, without line ends, without empty ones at its end. */
export function linesOf({ text }: RawFile): string[] {
  return text
    .replace(/^\uFEFF/, "")
    .trimEnd()
    .split(/\r?\n|\r/);
}

/** Cells of the rows of a file in a form. Throws `DataError` with file, line and column of the first faults. */
export function rawRows(
  file: RawFile,
  { width, cells: expected, header = 0, gaps = false }: RawForm,
): string[][] {
  const lines = linesOf(file).slice(header);
  if (lines.length === 0 || (lines.length === 1 && lines[0] === ""))
    throw new DataError(`there are no rows; ${expected} are expected`, { place: { file: file.name } });
  const separator = [/\t/, /;/, /,/].find((each) => each.test(lines[0])) ?? /\s+/;
  const widthOf = (line: string): number => line.trim().split(separator).length;
  if (width !== undefined && widthOf(lines[0]) !== width)
    throw new DataError(
      `${columnsText(widthOf(lines[0]))}, where ${width} are expected: ${expected}; \`memspike device import\` alone tells the forms there are`,
      { place: { file: file.name, line: header + 1 } },
    );
  const faults = new Faults();
  const rows = lines.map((line, row) => {
    const cells = line
      .trim()
      .split(separator)
      .map((cell) => cell.trim());
    const place = (column: number) => ({ file: file.name, line: header + row + 1, column });
    if (width !== undefined && cells.length !== width) {
      faults.add(place(1), `${columnsText(cells.length)}, where ${width} are expected: ${expected}`);
    } else
      cells.forEach((cell, k) => {
        const isNumber = cell !== "" && Number.isFinite(Number(cell));
        if (!isNumber && !(gaps && cell === ""))
          faults.add(
            place(line.indexOf(cell) + 1),
            `column ${k + 1}: "${cell}" is not a number; ${expected} are expected`,
          );
      });
    return cells;
  });
  faults.throwAny();
  return rows;
}

function columnsText(count: number): string {
  return `${count} column${count === 1 ? "" : "s"}`;
}

/** The same number, written as short as can be: "1450.000" -> "1450". */
export function shortNumber(text: string): string {
  return String(Number(text));
}
