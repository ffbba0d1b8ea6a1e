/**
 * Where the pieces of a network lie: each on a tile of its own, or packed so that several share an array.
 *
 * Pieces that share an array keep their rows and columns to themselves only where they lie; they are used one after the other.
 * Packing is that of rectangles that cannot be turned: rows are inputs.
 */
import { type ArraySize, checkSize, type Piece, piecesOf } from "./mapping.ts";
import { analogMatrices, type NetworkShape } from "./shapes.ts";

/** A piece and its place: number of its array, first row and column there. */
export interface PlacedPiece extends Piece {
  readonly array: number;
  readonly top: number;
  readonly left: number;
}

export interface Placement {
  readonly array: ArraySize;
  readonly arrays: number;
  readonly pieces: readonly PlacedPiece[];
  /** Part of all cells that hold a weight. */
  readonly use: number;
  /** The same of the smallest rectangles from the first row and column that hold what lies on each array. */
  readonly boundedUse: number;
}

interface Free {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** Places a network on arrays; with `share`, as many pieces on one as fit, which is found by rule, not by trying all. */
export function placeNetwork(
  network: NetworkShape,
  options: { readonly array: ArraySize; readonly share: boolean },
): Placement {
  const { array, share } = options;
  checkSize(array);
  const pieces = analogMatrices(network).flatMap((matrix) => piecesOf(matrix, array));
  if (!share)
    return placement(
      array,
      pieces.map((piece, k) => ({ ...piece, array: k, top: 0, left: 0 })),
    );
  const orders: ((a: Piece, b: Piece) => number)[] = [
    (a, b) => b.rows - a.rows || b.columns - a.columns,
    (a, b) => b.columns - a.columns || b.rows - a.rows,
    (a, b) => b.rows * b.columns - a.rows * a.columns,
  ];
  const tried = orders.map((order) => placement(array, packed([...pieces].sort(order), array)));
  const best = tried.reduce((best, other) =>
    other.arrays < best.arrays || (other.arrays === best.arrays && other.boundedUse > best.boundedUse)
      ? other
      : best,
  );
  const order = (piece: PlacedPiece) => pieces.findIndex((own) => own.matrix === piece.matrix);
  return { ...best, pieces: [...best.pieces].sort((a, b) => order(a) - order(b)) };
}

/** Each piece in turn on the first array that has room, as far left and then as far up as it goes. */
function packed(pieces: readonly Piece[], array: ArraySize): PlacedPiece[] {
  const arrays: Free[][] = []; // the largest free rectangles of each; they overlap
  return pieces.map((piece) => {
    for (let k = 0; ; k++) {
      arrays[k] ??= [{ top: 0, left: 0, bottom: array.rows, right: array.columns }];
      const room = arrays[k]
        .filter(({ top, left, bottom, right }) => bottom - top >= piece.rows && right - left >= piece.columns)
        .sort((a, b) => a.left - b.left || a.top - b.top)[0];
      if (room === undefined) continue;
      const { top, left } = room;
      const taken = { top, left, bottom: top + piece.rows, right: left + piece.columns };
      arrays[k] = largest(arrays[k].flatMap((free) => without(free, taken)));
      return { ...piece, array: k, top, left };
    }
  });
}

/** What is left of a free rectangle beside a taken one: up to four, which overlap at their corners. */
function without(free: Free, taken: Free): Free[] {
  const apart =
    taken.left >= free.right ||
    taken.right <= free.left ||
    taken.top >= free.bottom ||
    taken.bottom <= free.top;
  if (apart) return [free];
  return [
    { ...free, right: taken.left },
    { ...free, left: taken.right },
    { ...free, bottom: taken.top },
    { ...free, top: taken.bottom },
  ].filter(({ top, left, bottom, right }) => bottom > top && right > left);
}

/** Those that lie within no other; of equal ones the first. */
function largest(all: readonly Free[]): Free[] {
  const within = (a: Free, b: Free) =>
    a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
  return all.filter((a, k) => !all.some((b, j) => j !== k && within(a, b) && (j < k || !within(b, a))));
}

function placement(array: ArraySize, pieces: readonly PlacedPiece[]): Placement {
  const arrays = pieces.reduce((count, piece) => Math.max(count, piece.array + 1), 0);
  const ends = Array.from({ length: arrays }, () => ({ bottom: 0, right: 0 }));
  let weights = 0;
  for (const piece of pieces) {
    weights += piece.weights;
    const end = ends[piece.array];
    end.bottom = Math.max(end.bottom, piece.top + piece.rows);
    end.right = Math.max(end.right, piece.left + piece.columns);
  }
  const bounded = ends.reduce((sum, { bottom, right }) => sum + bottom * right, 0);
  const use = weights / (arrays * array.rows * array.columns);
  return { array, arrays, pieces, use, boundedUse: weights / bounded };
}
