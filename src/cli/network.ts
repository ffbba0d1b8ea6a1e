/** Networks by name or from a file of ONNX, and what the commands about them share: numbers, tables, figures. */

import * as fs from "node:fs";
import * as path from "node:path";
import { type ArraySize, checkSize } from "../analog/mapping.ts";
import { type NetworkShape, networkShape } from "../analog/shapes.ts";
import { type OnnxGraph, readOnnx } from "../exchange/onnx.ts";
import { onnxShape } from "../exchange/traced.ts";
import { DataError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import type { Figure } from "../report/figures.ts";
import { svg } from "../report/svg.ts";
import { addressOf } from "./catalogue.ts";
import { shortPath, UsageError } from "./exit.ts";
import { aligned, columnWidths } from "./summary.ts";

type Networks = Readonly<Record<string, NetworkShape | ((length?: number) => NetworkShape)>>;

/** The networks of models/networks.ts by name. */
export async function networkLibrary(): Promise<Networks> {
  const { networks } = (await import(addressOf("models", "networks"))) as { networks: Networks };
  return networks;
}

/** What is asked of a network beside its name. */
export interface NetworkFlags {
  readonly length?: number; // of its sequences
  readonly digital?: string; // names of matrices that are not on crossbars, with commas
}

/**
 * The network called `target`: a name of models/networks.ts, or a file of ONNX (a path, or a name that ends in .onnx). Throws
 * `UsageError` on names that there are not and a length without a sequence, `DataError` on a fault of the file.
 */
export async function networkNamed(target: string, flags: NetworkFlags = {}): Promise<NetworkShape> {
  const network = /[\\/]|\.onnx$/i.test(target)
    ? onnxShape(onnxFile(target), flags)
    : await libraryNetwork(target, flags.length);
  return flags.digital === undefined ? network : withDigital(network, flags.digital.split(","));
}

async function libraryNetwork(target: string, length: number | undefined): Promise<NetworkShape> {
  const all = await networkLibrary();
  if (!Object.hasOwn(all, target)) {
    const names = Object.keys(all);
    const hint = didYouMean(target, names) || `; there are ${names.join(", ")}, and files of ONNX`;
    throw new UsageError(`there is no network ${target}${hint}`);
  }
  const network = all[target];
  if (typeof network === "function") return network(length);
  if (length !== undefined)
    throw new UsageError(`--length ${length}: a sample of ${target} is no sequence but ${network.sample}`);
  return network;
}

/** The graph of a file; weights that lie beside it are found there. Throws `UsageError` where there is no file. */
export function onnxFile(target: string): OnnxGraph {
  if (!fs.statSync(target, { throwIfNoEntry: false })?.isFile())
    throw new UsageError(`there is no file ${target}`);
  const folder = path.dirname(path.resolve(target));
  const beside = (location: string): Uint8Array => {
    const file = path.resolve(folder, location);
    const inside = path.dirname(file) === folder || file.startsWith(folder + path.sep);
    if (inside && fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return fs.readFileSync(file);
    throw new DataError(`weights lie in ${location}, which is not beside it`, {
      place: { file: shortPath(target) },
    });
  };
  return readOnnx(fs.readFileSync(target), { file: shortPath(target), beside });
}

/** The network with matrices of these names off the crossbars. Throws `UsageError` on a name that it has not. */
function withDigital(network: NetworkShape, names: readonly string[]): NetworkShape {
  const known = network.matrices.map(({ name }) => name);
  for (const name of names)
    if (!known.includes(name))
      throw new UsageError(
        `--digital ${name}: ${network.name} has no such matrix${didYouMean(name, known) || "; --layers tells them"}`,
      );
  const matrices = network.matrices.map((matrix) => ({
    ...matrix,
    analog: (matrix.analog ?? true) && !names.includes(matrix.name),
  }));
  return networkShape({ ...network, matrices });
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
  return `${(100 * part).toPrecision(3)} %`;
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
