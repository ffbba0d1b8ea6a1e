/**
 * Where matrices lie on arrays, as a figure: each array a frame, each piece a rectangle, rows downwards.
 *
 * A piece whose cells hold weights only in part, because its channels come in groups, is pale, with its groups on the diagonal.
 */
import type { Placement } from "../analog/placement.ts";
import type { PlacementFigure, Words } from "./figures.ts";
import { words } from "./figures.ts";
import { type Drawing, header, round, text, textWidth, width } from "./frame.ts";
import { faded, ink, palette } from "./palette.ts";

/** Arrays with what lies on them; a matrix keeps its number and colour in all its pieces. */
export function placementPlot(placement: Placement, options: Words = {}): PlacementFigure {
  const names = [...new Set(placement.pieces.map(({ matrix }) => matrix))];
  const { array, arrays } = placement;
  return {
    kind: "placement",
    ...words(options),
    rows: array.rows,
    columns: array.columns,
    arrays,
    matrices: names.map((name) => {
      const own = placement.pieces.filter(({ matrix }) => matrix === name);
      const end = (of: (piece: (typeof own)[number]) => number) => Math.max(...own.map(of));
      return {
        name,
        rows: end(({ row, rows }) => row + rows),
        columns: end(({ column, columns }) => column + columns),
      };
    }),
    pieces: placement.pieces.map(({ matrix, array, top, left, rows, columns, weights }) => ({
      matrix: names.indexOf(matrix),
      ...{ array, top, left, rows, columns },
      filled: weights / (rows * columns),
    })),
  };
}

/** Space between arrays, of the longer side of one. */
const gap = 0.06;

/** Arrays beside each other so that all are as large as the space allows. */
function across({ rows, columns, arrays }: PlacementFigure, wide: number, tall: number): number {
  const scale = (count: number) =>
    Math.min(wide / (count * columns), tall / (Math.ceil(arrays / count) * rows));
  let best = 1;
  for (let count = 2; count <= arrays; count++) if (scale(count) > scale(best)) best = count;
  return best;
}

/** First row and column of each array in one plane, in cells, and the size of the plane. */
export function arrayPlane(figure: PlacementFigure, wide: number, tall: number) {
  const { rows, columns, arrays } = figure;
  const beside = across(figure, wide, tall);
  const space = gap * Math.max(rows, columns);
  const [pitch, pitchDown] = [columns + space, rows + space];
  const at = Array.from({ length: arrays }, (_, k) => ({
    left: (k % beside) * pitch,
    top: Math.floor(k / beside) * pitchDown,
  }));
  return { at, width: beside * pitch - space, height: Math.ceil(arrays / beside) * pitchDown - space };
}

export const matrixColour = (matrix: number): string => palette[matrix % palette.length];

/** Groups of a piece that is filled in part; 1 of a full one. */
export const groupsOf = ({ filled }: PlacementFigure["pieces"][number]): number => Math.round(1 / filled);

/** Names that are told beside the drawing at most. */
const namesTold = 24;

export function drawPlacement(figure: PlacementFigure): Drawing {
  const margin = 14;
  const head = header(figure.title ?? "", [], margin);
  const lines = nameLines(figure);
  const namesRoom = 50 + Math.max(...lines.map((words) => textWidth(words)), 0);
  const [wide, tall] = [width - 2 * margin - namesRoom, 520];
  const { at, ...whole } = arrayPlane(figure, wide, tall);
  const scale = Math.min(wide / whole.width, tall / whole.height);
  const top = head.height + 22;
  const count = figure.arrays === 1 ? "" : `${figure.arrays} arrays of `;
  const size = `${count}${figure.rows} inputs (downwards) x ${figure.columns} outputs`;
  const parts: string[] = [head.text, text(size, margin, top - 8, { quiet: true })];
  const x = (columns: number) => round(margin + scale * columns);
  const y = (rows: number) => round(top + scale * rows);
  for (const { left, top } of at)
    parts.push(
      `<rect x="${x(left)}" y="${y(top)}" width="${round(scale * figure.columns)}" height="${round(scale * figure.rows)}" fill="${ink.shade}" stroke="${ink.frame}" stroke-width=".75"/>`,
    );
  for (const piece of figure.pieces) {
    const [left, above] = [at[piece.array].left + piece.left, at[piece.array].top + piece.top];
    const [w, h] = [scale * piece.columns, scale * piece.rows];
    const groups = groupsOf(piece);
    const colour = matrixColour(piece.matrix);
    const fill = groups > 1 ? faded(colour, 0.18) : faded(colour, 0.75);
    parts.push(
      `<rect x="${x(left)}" y="${y(above)}" width="${round(w)}" height="${round(h)}" fill="${fill}" stroke="#fff" stroke-width="${Math.min(w, h) > 8 ? 1 : 0.3}"/>`,
    );
    if (groups > 1) {
      const [gw, gh] = [piece.columns / groups, piece.rows / groups];
      const blocks = Array.from(
        { length: groups },
        (_, g) =>
          `M${hundredth(g * gw)} ${hundredth(g * gh)}h${hundredth(gw)}v${hundredth(gh)}h-${hundredth(gw)}z`,
      );
      const move = `translate(${x(left)} ${y(above)}) scale(${Math.round(scale * 1e5) / 1e5})`;
      // a stroke of constant width keeps groups thinner than a pixel visible
      parts.push(
        `<path transform="${move}" d="${blocks.join("")}" fill="${colour}" stroke="${colour}" stroke-width=".8" vector-effect="non-scaling-stroke"/>`,
      );
    }
    const number = String(piece.matrix + 1);
    if (w > textWidth(number) + 4 && h > 13)
      parts.push(
        text(number, x(left + piece.columns / 2), y(above + piece.rows / 2) + 4, {
          anchor: "middle",
          halo: true,
        }),
      );
  }
  const [nameX, nameY] = [margin + scale * whole.width + 24, top + 10];
  for (const [k, words] of lines.entries()) {
    const at = nameY + 20 * k;
    if (k < toldOf(figure.matrices.length))
      parts.push(
        `<rect x="${round(nameX)}" y="${round(at - 9)}" width="10" height="10" fill="${faded(matrixColour(k), 0.75)}"/>`,
      );
    parts.push(text(words, nameX + 17, at));
  }
  return {
    content: parts.join(""),
    height: Math.max(top + scale * whole.height, nameY + 20 * (lines.length - 1)) + 12,
  };
}

function hundredth(value: number): number {
  return Math.round(value * 100) / 100;
}

/** How many names are told: all, or one less than there is room for and how many more there are. */
const toldOf = (count: number): number => (count > namesTold ? namesTold - 1 : count);

/** Number, name and size of each matrix; of many the first. */
function nameLines({ matrices }: PlacementFigure): string[] {
  const told = toldOf(matrices.length);
  const lines = matrices
    .slice(0, told)
    .map(({ name, rows, columns }, k) => `${k + 1}  ${name}, ${rows} x ${columns}`);
  return told < matrices.length ? [...lines, `and ${matrices.length - told} more`] : lines;
}
