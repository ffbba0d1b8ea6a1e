/**
 * Corner plots: samples of several parameters, each alone and each with each.
 *
 * The figure holds counts in bins, not the samples, so its size does not grow with their number.
 */

import { quantile } from "../math/statistics.ts";
import { type CornerFigure, type Words, words } from "./figures.ts";
import { type Drawing, header, round, text, textWidth, width } from "./frame.ts";
import { pixels } from "./images.ts";
import { faded, ink, palette } from "./palette.ts";
import { linearTicks, numberText } from "./ticks.ts";

/**
 * The corner plot of samples [draw][parameter]; names carry the unit in brackets. Bins span the inner 99 % of the
 * samples, and `truth`, where it is known. Throws a RangeError without samples or with rows of another length.
 */
export function cornerPlot(
  samples: ArrayLike<ArrayLike<number>>,
  names: readonly string[],
  options: Words & { truth?: readonly number[]; bins?: number } = {},
): CornerFigure {
  if (samples.length === 0 || names.length === 0) throw new RangeError("a corner plot needs samples");
  const draws = Array.from(samples);
  for (const [k, draw] of draws.entries())
    if (draw.length !== names.length)
      throw new RangeError(`draw ${k} has ${draw.length} values for ${names.length} parameters`);
  const bins = options.bins ?? Math.max(8, Math.min(36, Math.round(Math.sqrt(draws.length) / 2)));
  const parameters = names.map((name, j) => {
    const sorted = Float64Array.from(draws, (draw) => draw[j]).sort();
    if (!Number.isFinite(sorted[0] + sorted[sorted.length - 1]))
      throw new RangeError(`a sample of ${name} is not finite`);
    const truth = options.truth?.[j];
    const known = truth === undefined ? [] : [truth];
    let low = Math.min(quantile(sorted, 0.005), ...known);
    let high = Math.max(quantile(sorted, 0.995), ...known);
    if (!(high > low)) [low, high] = [low - Math.abs(low) / 2 - 1e-300, high + Math.abs(high) / 2 + 1e-300];
    const edges = Array.from({ length: bins + 1 }, (_, k) => low + ((high - low) * k) / bins);
    return {
      name,
      edges,
      median: quantile(sorted, 0.5),
      interval95: [quantile(sorted, 0.025), quantile(sorted, 0.975)] as const,
      ...(truth === undefined ? {} : { truth }),
    };
  });
  const binOf = (value: number, j: number) => {
    const { edges } = parameters[j];
    const k = Math.floor((bins * (value - edges[0])) / (edges[bins] - edges[0]));
    return value === edges[bins] ? bins - 1 : k >= 0 && k < bins ? k : -1;
  };
  const places = draws.map((draw) => names.map((_, j) => binOf(draw[j], j)));
  const counted = (size: number, at: (place: readonly number[]) => number) => {
    const counts = new Array<number>(size).fill(0);
    for (const place of places) if (at(place) >= 0) counts[at(place)]++;
    return counts;
  };
  return {
    kind: "corner",
    ...words(options),
    parameters: parameters.map((each, j) => ({ ...each, counts: counted(bins, (place) => place[j]) })),
    pairs: names.map((_, row) =>
      names
        .slice(0, row)
        .map((_, column) =>
          counted(bins * bins, (place) =>
            place[row] < 0 || place[column] < 0 ? -1 : place[row] * bins + place[column],
          ),
        ),
    ),
  };
}

/** "0.881 (0.852 to 0.91)": the median and the 95 % interval. */
export function intervalText(median: number, [low, high]: readonly [number, number]): string {
  return `${numberText(median, 3)} (${numberText(low, 3)} to ${numberText(high, 3)})`;
}

const gap = 8;
const left = 70;
const aboveRow = 20; // for the name of a histogram

/** Histograms on the diagonal with median and 95 % interval, densities of pairs below them. */
export function drawCorner({ title = "", parameters, pairs }: CornerFigure): Drawing {
  const head = header(title, [], 14);
  const count = parameters.length;
  const size = Math.min(240, (width - left - 14) / count - gap);
  const parts = [head.text];
  for (let row = 0; row < count; row++)
    for (let column = 0; column <= row; column++) {
      const box = {
        x: left + column * (size + gap),
        y: head.height + aboveRow + row * (size + gap),
        size,
      };
      const content =
        row === column
          ? histogramCell(parameters[row], box)
          : pairCell(parameters[row], parameters[column], pairs[row][column], box);
      const clip = `cell${row}-${column}`;
      const place = `x="${round(box.x)}" y="${round(box.y)}" width="${round(size)}" height="${round(size)}"`;
      parts.push(
        `<clipPath id="${clip}"><rect ${place}/></clipPath><g clip-path="url(#${clip})">${content}</g>`,
        `<rect ${place} fill="none" stroke="${ink.frame}" stroke-width=".75"/>`,
      );
      if (row === column) {
        const { name, median, interval95 } = parameters[row];
        const value = intervalText(median, interval95);
        const room = width - box.x - 14;
        const said = textWidth(`${name} ${value}`, 11) < room ? `${name}: ${value}` : name;
        parts.push(text(said, box.x, box.y - 6, { size: 11 }));
      }
      if (column === 0 && row > 0) parts.push(axisLeft(parameters[row], box));
      if (row === count - 1) parts.push(axisBelow(parameters[column], box));
    }
  return { content: parts.join(""), height: head.height + aboveRow + count * (size + gap) + 34 };
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}
type Parameter = CornerFigure["parameters"][number];

/** Where a value lies within its bins, 0 to 1. */
function part({ edges }: Parameter, value: number): number {
  return (value - edges[0]) / (edges[edges.length - 1] - edges[0]);
}

function histogramCell(parameter: Parameter, { x, y, size }: Box): string {
  const { counts, median, interval95, truth } = parameter;
  const highest = Math.max(...counts);
  const base = round(y + size);
  const steps = counts
    .map(
      (n, k) =>
        `V${round(y + size * (1 - (0.94 * n) / highest))}H${round(x + (size * (k + 1)) / counts.length)}`,
    )
    .join("");
  const upright = (at: number) => `M${round(x + size * part(parameter, at))} ${round(y)}v${round(size)}`;
  return [
    `<path d="M${round(x)} ${base}${steps}V${base}Z" fill="${faded(palette[0], 0.4)}" stroke="${palette[0]}"/>`,
    guide(upright(median), ink.text),
    guide(interval95.map(upright).join(""), ink.text, "3 3"),
    truth === undefined ? "" : guide(upright(truth), palette[1]),
  ].join("");
}

function pairCell(of: Parameter, against: Parameter, counts: readonly number[], { x, y, size }: Box): string {
  const [rows, columns] = [of.counts.length, against.counts.length];
  const image = { title: "", rows, columns, values: topFirst(counts, columns) };
  const scale = `translate(${round(x)} ${round(y)}) scale(${size / columns} ${size / rows})`;
  const cross = [
    against.truth === undefined
      ? ""
      : `M${round(x + size * part(against, against.truth))} ${round(y)}v${round(size)}`,
    of.truth === undefined ? "" : `M${round(x)} ${round(y + size * (1 - part(of, of.truth)))}h${round(size)}`,
  ].join("");
  return [
    `<g transform="${scale}" shape-rendering="crispEdges">${pixels(image, [0, Math.max(...counts, 1)], "sequential")}</g>`,
    cross === "" ? "" : guide(cross, palette[1]),
  ].join("");
}

/** Rows from the top of counts that begin at the bottom; what holds nothing is a gap. */
export function topFirst(counts: readonly number[], columns: number): (number | null)[] {
  const rows = counts.length / columns;
  return counts.map((_, k) => {
    const n = counts[(rows - 1 - Math.floor(k / columns)) * columns + (k % columns)];
    return n > 0 ? n : null;
  });
}

function ticksOf({ edges }: Parameter, size: number) {
  return linearTicks(edges[0], edges[edges.length - 1], Math.max(3, Math.floor(size / 45)));
}

function axisLeft(parameter: Parameter, { x, y, size }: Box): string {
  const { at, labels } = ticksOf(parameter, size);
  const marks = at.map((value, k) =>
    text(labels[k], x - 5, y + size * (1 - part(parameter, value)) + 4, { anchor: "end", size: 10 }),
  );
  const name = text(parameter.name, 14, y + size / 2, { anchor: "middle", quiet: true, size: 11, tilt: -90 });
  return marks.join("") + name;
}

function axisBelow(parameter: Parameter, { x, y, size }: Box): string {
  const { at, labels } = ticksOf(parameter, size);
  const marks = at.map((value, k) =>
    text(labels[k], x + size * part(parameter, value), y + size + 14, { anchor: "middle", size: 10 }),
  );
  const name = text(parameter.name, x + size / 2, y + size + 30, { anchor: "middle", quiet: true, size: 11 });
  return marks.join("") + name;
}

function guide(path: string, colour: string, dash = ""): string {
  return `<path d="${path}" stroke="${colour}"${dash ? ` stroke-dasharray="${dash}"` : ""} fill="none"/>`;
}
