/**
 * Tables of numbers as layers hand them on: [example][position…][feature], the features of a position side by side.
 *
 * A position's features are filled up with zeros to a whole number of vectors (`width`); whoever writes a table keeps
 * them 0, so that products may take them along.
 */
import { ConfigError } from "../math/errors.ts";
import type { Block, Heap } from "./heap.ts";
import { paddedColumns } from "./matvec.ts";

/** Sizes for one example, features last: [784], [height, width, channels], [time, features]. */
export type Shape = readonly number[];

export interface Table extends Block {
  readonly shape: Shape;
  /** Rows of one example: its positions. */
  readonly positions: number;
  readonly features: number;
  /** Numbers from row to row. */
  readonly width: number;
}

export const featuresOf = (shape: Shape): number => shape[shape.length - 1];
export const positionsOf = (shape: Shape): number => shape.slice(0, -1).reduce((a, b) => a * b, 1);
/** Numbers that a table of one example takes. */
export const tableNumbers = (shape: Shape): number => positionsOf(shape) * paddedColumns(featuresOf(shape));
export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);
export const formatShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** A table for so many examples. */
export function takeTable(heap: Heap, shape: Shape, examples: number): Table {
  return tableOver(heap.take(examples * tableNumbers(shape)), shape);
}

/** Memory seen as a table of this shape. */
export function tableOver({ at, data }: Block, shape: Shape): Table {
  const features = featuresOf(shape);
  return { at, data, shape, positions: positionsOf(shape), features, width: paddedColumns(features) };
}

/** A table from some row on: the same memory. */
export const rowsFrom = (table: Table, first: number): Table =>
  first === 0
    ? table
    : { ...table, at: table.at + 4 * first * table.width, data: table.data.subarray(first * table.width) };

/** Sets what fills rows up to 0, where something does. */
export function clearFilling({ data, features, width }: Table, rows: number): void {
  if (features === width) return;
  for (let row = 0; row < rows; row++) data.fill(0, row * width + features, (row + 1) * width);
}

/** Rows without what fills them up: a copy, [row][column]. */
export function withoutFilling(
  data: Float32Array,
  o: { readonly rows: number; readonly columns: number; readonly width: number },
): Float32Array {
  const { rows, columns, width } = o;
  const copy = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    copy.set(data.subarray(row * width, row * width + columns), row * columns);
  return copy;
}

/** Throws `ConfigError` unless all sizes are whole numbers from 1. */
export function checkShape(shape: Shape, what: string): void {
  if (!(shape.length >= 1 && shape.every((size) => Number.isInteger(size) && size >= 1)))
    throw new ConfigError(`${what}: a shape is a list of whole numbers from 1, not ${formatShape(shape)}`);
}
