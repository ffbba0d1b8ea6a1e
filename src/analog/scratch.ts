/**
 * Tables that all tiles share, for so many rows of outputs and of inputs: what one has just read, the next one writes while it is in
 * caches. Nothing in them lasts from one tile to the next but what is said so.
 */
import type { Block } from "../tensor/heap.ts";
import { type Kernels, normalCount } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import { type Table, tableOver, takeTable } from "../tensor/table.ts";
import { isQuadratic, type Tile } from "./tile.ts";

export interface Scratch {
  readonly positions: number; // rows of an example's outputs
  readonly byRow: boolean;
  readonly raw: Table;
  readonly current: Table;
  readonly placed: Table;
  readonly out: Table;
  readonly kept: Table;
  readonly again: Again | undefined;
  readonly changed: Block; // a matrix
  readonly factors: Block; // [output]
  readonly products: Block; // [output]
  readonly range: Block; // [row of outputs]
  readonly inverse: Block; // [row of inputs]
  readonly sums: Block; // [row]
  readonly z: Block;
}

/** For vectors that go in again. */
export interface Again {
  readonly x: Table;
  readonly q: Table;
  readonly out: Table;
  readonly kept: Table;
  readonly inverse: Block;
}

/** Tables for tiles of at most `most` inputs, in `channels` channels. */
export function takeScratch(
  kernels: Kernels,
  tile: Tile,
  o: {
    readonly outputs: number;
    readonly channels: number;
    readonly most: number;
    readonly rows: number;
    readonly inputRows: number;
    readonly positions: number;
    readonly byRow: boolean;
    /** Whether what outputs are, and where they were clipped, lasts until the next products with this matrix. */
    readonly lasts: { readonly out: boolean; readonly kept: boolean };
  },
): Scratch {
  const { heap } = kernels;
  const { outputs, channels, rows, inputRows, positions, byRow, lasts } = o;
  const share = (name: string, count: number) => heap.share(`tiles ${name}`, count);
  const table = (name: string, features = outputs) =>
    tableOver(share(name, rows * paddedColumns(features)), [features]);
  const own = () => takeTable(heap, [outputs], rows);
  const managed = tile.boundManagement !== "none";
  const width = Math.max(paddedColumns(outputs), tile.inputNoise > 0 ? paddedColumns(channels) : 0);
  const current = table("current");
  return {
    positions,
    byRow,
    raw: table("raw"),
    current,
    placed: isQuadratic(tile) ? table("placed") : current,
    out: lasts.out ? own() : table("out"),
    kept: lasts.kept ? own() : table("kept"),
    again: managed
      ? {
          x: table("again x", channels),
          q: table("again q", channels),
          out: table("again out"),
          kept: table("again kept"),
          inverse: share("again inverse", rows),
        }
      : undefined,
    changed: share("changed", outputs * paddedColumns(o.most)),
    factors: share("factors", paddedColumns(outputs)),
    products: share("products", paddedColumns(outputs)),
    range: share("range", rows),
    inverse: share("inverse", Math.max(rows, inputRows)),
    sums: share("sums", Math.max(rows, inputRows)),
    z: share("z", normalCount(rows * width) + 16),
  };
}
