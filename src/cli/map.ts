/** `memspike map`: how many crossbar tiles a network takes, how full they are and how often they are used. */

import { type ArraySize, type Mapping, mapNetwork } from "../analog/mapping.ts";
import type { NetworkShape } from "../analog/shapes.ts";
import { type ExitCode, exitCodes } from "./exit.ts";
import { countText, networkLibrary, networkNamed, sizeFrom } from "./network.ts";
import { aligned, columnWidths } from "./summary.ts";

export interface MapOptions {
  readonly tile: string; // "512x512"
  readonly length?: number;
  readonly layers: boolean;
  readonly json: boolean;
}

/** Maps the network called `target` and prints its tiles; without a name, all networks that come with the program. */
export async function map(target: string | undefined, options: MapOptions): Promise<ExitCode> {
  const tile = sizeFrom(options.tile);
  if (target === undefined) {
    await mapAll(tile, options.json);
    return exitCodes.done;
  }
  const network = await networkNamed(target, options.length);
  const mapping = mapNetwork(network, tile);
  process.stdout.write(
    options.json
      ? `${JSON.stringify(plain(target, network, mapping, options.layers))}\n`
      : mappingText(network, mapping, options.layers),
  );
  return exitCodes.done;
}

async function mapAll(tile: ArraySize, json: boolean): Promise<void> {
  const all = Object.entries(await networkLibrary()).map(([name, entry]) => {
    const network = typeof entry === "function" ? entry() : entry;
    return { name, network, mapping: mapNetwork(network, tile) };
  });
  if (json) {
    const list = all.map(({ name, network, mapping }) => plain(name, network, mapping, false));
    process.stdout.write(`${JSON.stringify(list)}\n`);
    return;
  }
  const rows = [
    ["network", "weights", "tiles", "use", "MVMs", "reuse", "sample"],
    ...all.map(({ name, network, mapping: { weights, tiles, use, mvms, reuse } }) => [
      name,
      countText(weights),
      countText(tiles),
      percent(use),
      countText(mvms),
      reuse.toFixed(1),
      network.sample,
    ]),
  ];
  process.stdout.write(`Networks on tiles of ${sizeText(tile)} (memspike map <name>)\n${tableText(rows)}`);
}

function plain(name: string, network: NetworkShape, mapping: Mapping, layers: boolean) {
  const { tile, weights, tiles, use, mvms, reuse, matrices, digital } = mapping;
  const { source, sample, steps } = network;
  return {
    network: name,
    ...{ name: network.name, source, sample },
    ...(steps ? { steps } : {}),
    ...{ tile, weights, tiles, use, mvms, reuse, digital },
    ...(layers ? { layers: matrices.map(({ pieces: _, ...matrix }) => matrix) } : {}),
  };
}

function mappingText(network: NetworkShape, mapping: Mapping, layers: boolean): string {
  const { tile, weights, tiles, use, mvms, reuse, matrices, digital } = mapping;
  const rows = [
    ["weights", countText(weights), "in analog matrices, without biases"],
    ["tiles", countText(tiles), `of ${sizeText(tile)}`],
    ["use", percent(use), "of their cells"],
    ["MVMs", countText(mvms), "products of single tiles for one sample"],
    ["reuse", reuse.toFixed(1), "of a tile for one sample, on average"],
    ...(digital.length > 0 ? [["digital", digital.join(", "), "not counted"]] : []),
  ];
  const table = [
    ["matrix", "rows", "columns", "positions", "weights", "tiles", "use", "MVMs"],
    ...matrices.map((matrix) => [
      matrix.name,
      ...[matrix.inputs, matrix.outputs, matrix.positions, matrix.weights, matrix.tiles].map(countText),
      percent(matrix.use),
      countText(matrix.mvms),
    ]),
  ];
  return [
    `${network.name}, ${network.sample}\n`,
    `  source: ${network.source}\n\n`,
    tableText(rows, [1]),
    ...(layers ? ["\n", tableText(table)] : []),
  ].join("");
}

/** Rows as lines, the columns of numbers to the right: all but the first, or those told. */
function tableText(rows: readonly (readonly string[])[], right?: readonly number[]): string {
  const widths = columnWidths(rows);
  const isRight = (k: number) => (right ? right.includes(k) : k > 0 && rows[1]?.[k].match(/^[\d,.]+( %)?$/));
  return rows
    .map((row) => row.map((cell, k) => (isRight(k) ? cell.padStart(widths[k]) : cell)))
    .map((row) => `  ${aligned(row, widths)}\n`)
    .join("");
}

function sizeText({ rows, columns }: ArraySize): string {
  return `${rows} x ${columns}`;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(part < 0.1 ? 2 : 1)} %`;
}
