/** `memspike map`: how many crossbar tiles a network takes, how full they are and how often they are used. */

import { type ArraySize, type Mapping, mapNetwork } from "../analog/mapping.ts";
import { type Placement, placeNetwork } from "../analog/placement.ts";
import type { NetworkShape } from "../analog/shapes.ts";
import { placementPlot } from "../report/placement.ts";
import { type ExitCode, exitCodes, UsageError } from "./exit.ts";
import {
  countText,
  type NetworkFlags,
  networkLibrary,
  networkNamed,
  percentText,
  sizeFrom,
  tableText,
  writeFigure,
} from "./network.ts";

export interface MapOptions extends NetworkFlags {
  readonly tile: string; // "512x512"
  readonly layers: boolean;
  readonly json: boolean;
  readonly pack: boolean; // the figure shows matrices that share tiles
  readonly figure?: string; // file
}

/** Maps the network called `target` and prints its tiles; without a name, all networks that come with the program. */
export async function map(target: string | undefined, options: MapOptions): Promise<ExitCode> {
  const tile = sizeFrom(options.tile);
  for (const flag of ["figure", "length", "digital"] as const)
    if (target === undefined && options[flag] !== undefined)
      throw new UsageError(`--${flag} is for one network; name it: memspike map <network> --${flag} …`);
  if (target === undefined) {
    await mapAll(tile, options.json);
    return exitCodes.done;
  }
  const network = await networkNamed(target, options);
  const mapping = mapNetwork(network, tile);
  const packed = placeNetwork(network, { array: tile, share: true });
  if (options.figure !== undefined) {
    const shown = options.pack ? packed : placeNetwork(network, { array: tile, share: false });
    writeFigure(options.figure, placementPlot(shown, { title: `${network.name} on tiles` }));
  }
  const all = { network, mapping, packed };
  process.stdout.write(
    options.json
      ? `${JSON.stringify(plain(target, all, options.layers))}\n`
      : mappingText(all, options.layers),
  );
  return exitCodes.done;
}

async function mapAll(tile: ArraySize, json: boolean): Promise<void> {
  const all = Object.entries(await networkLibrary()).map(([name, entry]) => {
    const network = typeof entry === "function" ? entry() : entry;
    const packed = placeNetwork(network, { array: tile, share: true });
    return { name, network, mapping: mapNetwork(network, tile), packed };
  });
  if (json) {
    const list = all.map(({ name, ...mapped }) => plain(name, mapped, false));
    process.stdout.write(`${JSON.stringify(list)}\n`);
    return;
  }
  const rows = [
    ["network", "weights", "tiles", "use", "MVMs", "reuse", "packed", "sample"],
    ...all.map(({ name, network, mapping: { weights, tiles, use, mvms, reuse }, packed }) => [
      name,
      countText(weights),
      countText(tiles),
      percentText(use),
      countText(mvms),
      reuse.toFixed(1),
      countText(packed.arrays),
      network.sample,
    ]),
  ];
  process.stdout.write(`Networks on tiles of ${sizeText(tile)} (memspike map <name>)\n${tableText(rows)}`);
}

interface Mapped {
  readonly network: NetworkShape;
  readonly mapping: Mapping;
  readonly packed: Placement;
}

function plain(name: string, { network, mapping, packed }: Mapped, layers: boolean) {
  const { tile, weights, tiles, use, mvms, reuse, matrices, digital } = mapping;
  const { source, sample, steps } = network;
  return {
    network: name,
    ...{ name: network.name, source, sample },
    ...(steps ? { steps } : {}),
    ...{ tile, weights, tiles, use, mvms, reuse, digital },
    packed: { tiles: packed.arrays, use: packed.use },
    ...(layers ? { layers: matrices.map(({ pieces: _, ...matrix }) => matrix) } : {}),
  };
}

function mappingText({ network, mapping, packed }: Mapped, layers: boolean): string {
  const { tile, weights, tiles, use, mvms, reuse, matrices, digital } = mapping;
  const rows = [
    ["weights", countText(weights), "in analog matrices, without biases"],
    ["tiles", countText(tiles), `of ${sizeText(tile)}`],
    ["use", percentText(use), "of their cells"],
    ["MVMs", countText(mvms), "products of single tiles for one sample"],
    ["reuse", reuse.toFixed(1), "of a tile for one sample, on average"],
    [
      "packed",
      countText(packed.arrays),
      `${packed.arrays === 1 ? "tile" : "tiles"} if matrices share, ${percentText(packed.use)} full`,
    ],
    ...(digital.length > 0 ? [["digital", digital.join(", "), "not counted"]] : []),
  ];
  const table = [
    ["matrix", "rows", "columns", "positions", "weights", "tiles", "use", "MVMs"],
    ...matrices.map((matrix) => [
      matrix.name,
      ...[matrix.inputs, matrix.outputs, matrix.positions, matrix.weights, matrix.tiles].map(countText),
      percentText(matrix.use),
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

function sizeText({ rows, columns }: ArraySize): string {
  return `${rows} x ${columns}`;
}
