/** Networks by name, the shapes of models/networks.ts, and what the commands about them share: numbers, tables, figures. */

import * as fs from "node:fs";
import * as path from "node:path";
import { type ArraySize, checkSize } from "../analog/mapping.ts";
import type { NetworkShape } from "../analog/shapes.ts";
import { didYouMean } from "../math/nearest.ts";
import type { Figure } from "../report/figures.ts";
import { svg } from "../report/svg.ts";
import { addressOf } from "./catalogue.ts";
import { UsageError } from "./exit.ts";
import { aligned, columnWidths } from "./summary.ts";

type Networks = Readonly<Record<string, NetworkShape | ((length?: number) => NetworkShape)>>;

/** The networks of models/networks.ts by name. */
export async function networkLibrary(): Promise<Networks> {
  const { networks } = (await import(addressOf("models", "networks"))) as { networks: Networks };
  return networks;
}

/**
 * The network called `target`; `length` is that of its sequences. Throws `UsageError` when there is none of that name or
 * it has no sequences.
 */
export async function networkNamed(target: string, length?: number): Promise<NetworkShape> {
  const all = await networkLibrary();
  if (!Object.hasOwn(all, target)) {
    const names = Object.keys(all);
    const hint = didYouMean(target, names) || `; there are ${names.join(", ")}`;
    throw new UsageError(`there is no network ${target}${hint}`);
  }
  const network = all[target];
  if (typeof network === "function") return network(length);
  if (length !== undefined)
    throw new UsageError(`--length ${length}: a sample of ${target} is an ${network.sample}, no sequence`);
  return network;
}

/** "512x512" as rows and columns. Throws `UsageError` where it is something else. */
export function sizeFrom(text: string): ArraySize {
  const match = /^(\d+)\s*[x×]\s*(\d+)$/.exec(text.trim());
  if (match === null) throw new UsageError(`--tile ${text}: rows x columns is expected, such as 512x512`);
  const size = { rows: Number(match[1]), columns: Number(match[2]) };
  checkSize(size);
  return size;
}

/** A whole number with its thousands apart. */
export function countText(count: number): string {
  return count.toLocaleString("en-US");
}

/** A part as per cent, with three digits. */
export function percentText(part: number): string {
  return `${(100 * part).toFixed(part < 0.1 ? 2 : 1)} %`;
}

/** Rows as lines, the columns of numbers to the right: all but the first, or those told. */
export function tableText(rows: readonly (readonly string[])[], right?: readonly number[]): string {
  const widths = columnWidths(rows);
  const isRight = (k: number) => (right ? right.includes(k) : k > 0 && rows[1]?.[k].match(/^[\d,.]+( %)?$/));
  return rows
    .map((row) => row.map((cell, k) => (isRight(k) ? cell.padStart(widths[k]) : cell)))
    .map((row) => `  ${aligned(row, widths)}\n`)
    .join("");
}

/** Writes a figure as SVG, and its folder where it is not there yet. Throws `UsageError` on another ending of the name. */
export function writeFigure(file: string, figure: Figure): void {
  if (path.extname(file).toLowerCase() !== ".svg") {
    const better = `${file.slice(0, file.length - path.extname(file).length)}.svg`;
    throw new UsageError(`--figure ${file}: figures are SVG; name it ${better}`);
  }
  fs.mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  fs.writeFileSync(file, svg(figure));
}
