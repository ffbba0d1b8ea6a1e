/**
 * Tables that the tiles of one matrix share, for so many rows of outputs and of inputs. Nothing in them lasts from one tile to
 * the next but what is said so.
 */
import type { Block } from "./heap.ts";
import { type Kernels, normalCount } from "./kernels.ts";
import { paddedColumns } from "./matvec.ts";
import { type Table, takeTable } from "./table.ts";
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
  },
): Scratch {
  const { heap } = kernels;
  const { outputs, channels, rows, inputRows, positions, byRow } = o;
  const table = (features = outputs) => takeTable(heap, [features], rows);
  const managed = tile.boundManagement !== "none";
  const width = Math.max(paddedColumns(outputs), tile.inputNoise > 0 ? paddedColumns(channels) : 0);
  const current = table();
  return {
    positions,
    byRow,
    raw: table(),
    current,
    placed: isQuadratic(tile) ? table() : current,
    out: table(),
    kept: table(),
    again: managed
      ? { x: table(channels), q: table(channels), out: table(), kept: table(), inverse: heap.take(rows) }
      : undefined,
    changed: heap.take(outputs * paddedColumns(o.most)),
    range: heap.take(rows),
    inverse: heap.take(Math.max(rows, inputRows)),
    sums: heap.take(Math.max(rows, inputRows)),
    z: heap.take(normalCount(rows * width) + 16),
  };
}
