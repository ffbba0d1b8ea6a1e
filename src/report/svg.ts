/**
 * Figures as SVG: standalone, small, without a browser.
 *
 * Many marks become one path: spikes are strokes on a grid of a quarter unit, equal ones drawn once, so a raster
 * cannot grow beyond what the eye can tell apart.
 */

import type {
  BarFigure,
  Dots,
  Figure,
  HistogramFigure,
  ImageFigure,
  LineFigure,
  RasterFigure,
  Series,
} from "./figures.ts";
import {
  document,
  type Frame,
  frame,
  header,
  type LegendEntry,
  type Plane,
  round,
  text,
  width,
} from "./frame.ts";
import { desiredColour, faded, ink, palette, producedColour, scaleColour } from "./palette.ts";
import { linearTicks, niceRange } from "./ticks.ts";

/** The figure as a whole SVG document. */
export function svg(figure: Figure): string {
  const { content, height } = draw(figure);
  return document(content, height, figure.title ?? "", figure.caption ?? "");
}

interface Drawing {
  readonly content: string;
  readonly height: number;
}

function draw(figure: Figure): Drawing {
  switch (figure.kind) {
    case "raster":
      return drawRaster(figure);
    case "line":
      return drawLines(figure);
    case "histogram":
      return drawHistogram(figure);
    case "image":
      return drawImages(figure);
    case "bar":
      return drawBars(figure);
  }
}

function assemble({ plane, height, behind, before }: Frame, content: string): Drawing {
  const { left, right, top, bottom } = plane;
  const clip = `<clipPath id="plane"><rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"/></clipPath>`;
  return { content: `${clip}${behind}<g clip-path="url(#plane)">${content}</g>${before}`, height };
}

/** Height of a raster plot's plane for a number of cells: about 3 each, within what fits a page. */
export function rasterHeight(size: number): number {
  return Math.round(Math.min(540, Math.max(140, 3.2 * size)));
}

function drawRaster(figure: RasterFigure): Drawing {
  const { spikes, desired, size, stretches } = figure;
  const stroke = (colour: string, weight: number) => (x: number, y: number) =>
    `<path d="M${round(x + 9)} ${round(y - 5)}v10" stroke="${colour}" stroke-width="${weight}"/>`;
  const legend: LegendEntry[] = desired
    ? [
        { name: "produced", mark: stroke(producedColour, 1.4) },
        { name: "desired", mark: stroke(desiredColour, 4) },
      ]
    : [];
  const shell = frame({
    title: figure.title ?? "",
    x: { title: figure.xTitle, range: figure.xRange },
    y: {
      title: figure.yTitle,
      range: [-0.5, size - 0.5],
      ticks: linearTicks(0, size - 1, Math.min(5, size - 1)),
    },
    planeHeight: rasterHeight(size),
    legend,
    grid: "none",
    above: stretches.some(({ label }) => label !== "") ? 14 : 0,
  });
  const { plane } = shell;
  const labels: string[] = []; // above the plane, so outside its clip
  const content = [
    ...stretches.map(({ label, from, to }) => {
      const [x0, x1] = [plane.x(from), plane.x(to)];
      labels.push(text(label, (x0 + x1) / 2, plane.top - 5, { anchor: "middle", quiet: true }));
      return `<rect x="${round(x0)}" y="${plane.top}" width="${round(x1 - x0)}" height="${plane.bottom - plane.top}" fill="${ink.shade}"/>`;
    }),
    desired ? strokes(desired, size, plane, desiredColour, 3.5) : "",
    strokes(spikes, size, plane, desired ? producedColour : palette[0], spikes.x.length > 20_000 ? 0.7 : 1.2),
  ];
  return assemble({ ...shell, before: shell.before + labels.join("") }, content.join(""));
}

/** Spikes as one path of vertical strokes, in quarters of a unit, row by row, each place once. */
function strokes({ x, y }: Dots, size: number, plane: Plane, colour: string, weight: number): string {
  const row = (plane.bottom - plane.top) / size;
  const length = Math.max(4, Math.round(4 * Math.min(8, row * (row > 4 ? 0.8 : 1))));
  const pitch = row < 1 ? 4 : 1; // rows thinner than a unit share it
  const across = 4 * width; // keys are row * across + column
  const keys = new Float64Array(x.length);
  for (let k = 0; k < x.length; k++) {
    const top = pitch * Math.round((4 * plane.y(y[k]) - length / 2) / pitch);
    keys[k] = top * across + Math.round(4 * plane.x(x[k]));
  }
  keys.sort();
  const parts: string[] = [];
  let lastRow = -1;
  let lastColumn = 0;
  for (let k = 0; k < keys.length; k++) {
    if (k > 0 && keys[k] === keys[k - 1]) continue;
    const top = Math.floor(keys[k] / across);
    const column = keys[k] - top * across;
    parts.push(
      top === lastRow ? `m${column - lastColumn}-${length}v${length}` : `M${column} ${top}v${length}`,
    );
    lastRow = top;
    lastColumn = column;
  }
  return `<path transform="scale(.25)" d="${parts.join("")}" stroke="${colour}" stroke-width="${round(4 * weight)}" fill="none"/>`;
}

/** Smallest and largest of numbers, gaps left out; on a logarithmic axis what is not positive too. */
function extent(lists: Iterable<readonly (number | null)[]>, log = false): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const list of lists)
    for (const value of list) {
      if (value === null || (log && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  if (low > high) return log ? [1, 10] : [0, 1];
  return low === high && log ? [low / 2, high * 2] : [low, high];
}

/** Ranges of both axes: what is asked for, else the data, y widened to round numbers. */
export function lineRanges(figure: LineFigure): {
  x: readonly [number, number];
  y: readonly [number, number];
} {
  const { series, levels } = figure;
  const ys = series.flatMap(({ y, low = [], high = [] }) => [y, low, high]);
  const [low, high] = extent([...ys, levels.map(({ at }) => at)], figure.y.log);
  const xData = extent(
    series.map(({ x }) => x),
    figure.x.log,
  );
  const x: readonly [number, number] = xData[0] === xData[1] ? [xData[0] - 0.5, xData[1] + 0.5] : xData;
  const room = series.some(({ points }) => points) ? 0.015 : 0;
  const wide: [number, number] = figure.x.log
    ? [x[0] / (x[1] / x[0]) ** room, x[1] * (x[1] / x[0]) ** room]
    : [x[0] - room * (x[1] - x[0]), x[1] + room * (x[1] - x[0])];
  const logY: [number, number] = [low / (high / low) ** 0.06, high * (high / low) ** 0.06];
  return {
    x: figure.x.range ?? wide,
    y: figure.y.range ?? (figure.y.log ? logY : niceRange(low, high, 6)),
  };
}

/** The end of a level where its label is farther from the curves. */
export function levelSide({ series }: LineFigure, at: number): "left" | "right" {
  const nearest = (part: (y: Series["y"]) => Series["y"]) =>
    Math.min(
      ...series.flatMap(({ y }) =>
        part(y).map((value) => Math.abs((value ?? Number.POSITIVE_INFINITY) - at)),
      ),
    );
  const fifth = (y: Series["y"]) => Math.ceil(y.length / 5);
  return nearest((y) => y.slice(0, fifth(y))) > nearest((y) => y.slice(-fifth(y))) ? "left" : "right";
}

function drawLines(figure: LineFigure): Drawing {
  const ranges = lineRanges(figure);
  const colours = figure.series.map((_, k) => palette[k % palette.length]);
  const named = figure.series.length > 1 || figure.series[0]?.name !== "";
  const shell = frame({
    title: figure.title ?? "",
    x: { ...figure.x, range: ranges.x },
    y: { ...figure.y, range: ranges.y },
    planeHeight: 300,
    grid: "both",
    legend: named
      ? figure.series.map((series, k) => ({
          name: series.name,
          mark: (x, y) =>
            curve({ ...series, points: false }, [`M${x} ${y}h18`], colours[k]) +
            (series.points ? disc(x + 9, y, colours[k]) : ""),
        }))
      : [],
  });
  const { plane } = shell;
  const shows = (x: number, y: number | null): y is number =>
    y !== null && !(figure.x.log && x <= 0) && !(figure.y.log && y <= 0);
  const bands: string[] = [];
  const curves: string[] = [];
  for (const [k, series] of figure.series.entries()) {
    if (series.low && series.high) bands.push(band(series, plane, shows, colours[k]));
    curves.push(curve(series, pieces(series.x, series.y, plane, shows), colours[k]));
    if (series.points)
      for (const [j, x] of series.x.entries()) {
        const y = series.y[j];
        if (shows(x, y)) curves.push(disc(plane.x(x), plane.y(y), colours[k]));
      }
  }
  const levels: string[] = [];
  const labels: string[] = [];
  for (const { at, label } of figure.levels) {
    const y = round(plane.y(at));
    levels.push(
      `<path d="M${plane.left} ${y}H${plane.right}" stroke="${ink.quiet}" stroke-dasharray="2 3" fill="none"/>`,
    );
    const side = levelSide(figure, at);
    const x = side === "left" ? plane.left + 6 : plane.right - 6;
    const anchor = side === "left" ? "start" : "end";
    labels.push(text(label, x, y - 5, { anchor, quiet: true, size: 11, halo: true }));
  }
  return assemble(shell, [...bands, ...levels, ...curves, ...labels].join(""));
}

type Shows = (x: number, y: number | null) => y is number;

/** The curve as path text, broken at gaps. */
function pieces(x: readonly number[], y: readonly (number | null)[], plane: Plane, shows: Shows): string[] {
  const parts: string[] = [];
  let broken = true;
  for (let k = 0; k < x.length; k++) {
    const value = y[k];
    if (shows(x[k], value))
      parts.push(`${broken ? "M" : "L"}${round(plane.x(x[k]))} ${round(plane.y(value))}`);
    broken = !shows(x[k], value);
  }
  return parts;
}

function curve(series: Series, parts: readonly string[], colour: string): string {
  if (!series.line) return "";
  const dash = series.dashed ? ` stroke-dasharray="6 4"` : "";
  return `<path d="${parts.join("")}" stroke="${colour}" stroke-width="1.8" stroke-linejoin="round" fill="none"${dash}/>`;
}

function disc(x: number, y: number, colour: string): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="3" fill="${colour}"/>`;
}

/** The area between low and high, broken at gaps. */
function band(series: Series, plane: Plane, shows: Shows, colour: string): string {
  const paths: string[] = [];
  let up: string[] = [];
  let down: string[] = [];
  const close = () => {
    if (up.length > 0) paths.push(`M${[...up, ...down.reverse()].join("L")}Z`);
    up = [];
    down = [];
  };
  for (const [k, x] of series.x.entries()) {
    const [low, high] = [series.low?.[k] ?? null, series.high?.[k] ?? null];
    if (shows(x, low) && shows(x, high)) {
      up.push(`${round(plane.x(x))} ${round(plane.y(high))}`);
      down.push(`${round(plane.x(x))} ${round(plane.y(low))}`);
    } else close();
  }
  close();
  return `<path d="${paths.join("")}" fill="${faded(colour, 0.16)}"/>`;
}

function square(colour: string): (x: number, y: number) => string {
  return (x, y) => `<rect x="${round(x + 4)}" y="${round(y - 5)}" width="10" height="10" fill="${colour}"/>`;
}

/** From 0 to above the highest bin; on a logarithmic axis from half the lowest that is not empty. */
export function histogramRange({ series, yLog }: HistogramFigure): readonly [number, number] {
  const counts = series.map((set) => set.counts);
  const [low, high] = extent(counts, yLog);
  return yLog ? [low / 2, high * 1.4] : niceRange(0, high, 5);
}

function drawHistogram(figure: HistogramFigure): Drawing {
  const { edges, series } = figure;
  const shell = frame({
    title: figure.title ?? "",
    x: { title: figure.xTitle, range: [edges[0], edges[edges.length - 1]] },
    y: { title: figure.yTitle, range: histogramRange(figure), log: figure.yLog },
    planeHeight: 260,
    legend:
      series.length > 1
        ? series.map(({ name }, k) => ({ name, mark: square(palette[k % palette.length]) }))
        : [],
  });
  const { plane } = shell;
  const yOf = (count: number) => (count > 0 ? plane.y(count) : plane.bottom);
  const xs = edges.map((edge) => round(plane.x(edge)));
  const content = series.map(({ counts }, k) => {
    const colour = palette[k % palette.length];
    const steps = counts.map((count, j) => `V${round(yOf(count))}H${xs[j + 1]}`).join("");
    const outline = `M${xs[0]} ${plane.bottom}${steps}V${plane.bottom}`;
    return `<path d="${outline}Z" fill="${faded(colour, series.length > 1 ? 0.28 : 0.55)}" stroke="${colour}" stroke-width="1.2"/>`;
  });
  return assemble(shell, content.join(""));
}

function drawBars(figure: BarFigure): Drawing {
  const { categories, series } = figure;
  const [low, high] = extent(series.flatMap(({ y, low = [], high = [] }) => [y, low, high]));
  const shell = frame({
    title: figure.title ?? "",
    x: {
      title: "",
      range: [-0.5, categories.length - 0.5],
      ticks: { at: categories.map((_, k) => k), labels: categories },
    },
    y: { title: figure.yTitle, range: niceRange(Math.min(0, low), Math.max(0, high), 5) },
    planeHeight: 260,
    legend:
      series.length > 1
        ? series.map(({ name }, k) => ({ name, mark: square(palette[k % palette.length]) }))
        : [],
  });
  const { plane } = shell;
  const slot = 0.72 / series.length; // of the distance of categories
  const content: string[] = [];
  for (const [k, { y, low = [], high = [] }] of series.entries())
    for (const [j, value] of y.entries()) {
      if (value === null) continue;
      const from = j - 0.36 + k * slot;
      const [x0, x1] = [plane.x(from + 0.03 * slot), plane.x(from + 0.97 * slot)];
      const [y0, y1] = [plane.y(Math.max(0, value)), plane.y(Math.min(0, value))];
      const place = `x="${round(x0)}" y="${round(y0)}" width="${round(x1 - x0)}" height="${round(y1 - y0)}"`;
      content.push(`<rect ${place} fill="${palette[k % palette.length]}"/>`);
      const [a, b] = [low[j] ?? null, high[j] ?? null];
      if (a === null || b === null) continue;
      const x = round((x0 + x1) / 2);
      const whisker = `M${x} ${round(plane.y(a))}V${round(plane.y(b))}M${x - 4} ${round(plane.y(a))}h8M${x - 4} ${round(plane.y(b))}h8`;
      content.push(`<path d="${whisker}" stroke="${ink.text}" stroke-width="1.2" fill="none"/>`);
    }
  return assemble(shell, content.join(""));
}

function drawImages(figure: ImageFigure): Drawing {
  const { images, across, range } = figure;
  const margin = 14;
  const gap = 16;
  const barRoom = 92; // colour scale with its labels
  const head = header(figure.title ?? "", [], margin);
  const slot = (width - 2 * margin - barRoom - gap * (across - 1)) / across;
  const tallest = Math.max(...images.map(({ rows, columns }) => rows / columns), 0);
  const pixelRoom = Math.min(slot, 260 / tallest);
  const titled = images.some(({ title }) => title !== "") ? 20 : 0;
  const panel = Math.ceil(pixelRoom * tallest) + titled + gap;
  const rows = Math.ceil(images.length / across);
  const parts = [head.text];
  for (const [k, image] of images.entries()) {
    const x = margin + (k % across) * (pixelRoom + gap);
    const y = head.height + Math.floor(k / across) * panel;
    const pixel = Math.min(pixelRoom / image.columns, (pixelRoom * tallest) / image.rows);
    if (titled) parts.push(text(image.title, x + (pixel * image.columns) / 2, y + 14, { anchor: "middle" }));
    parts.push(
      `<g transform="translate(${round(x)} ${round(y + titled)}) scale(${Math.round(pixel * 1e4) / 1e4})" shape-rendering="crispEdges">`,
      pixels(image, range, figure.scale),
      "</g>",
      `<rect x="${round(x)}" y="${round(y + titled)}" width="${round(pixel * image.columns)}" height="${round(pixel * image.rows)}" fill="none" stroke="${ink.frame}" stroke-width=".75"/>`,
    );
  }
  const height = head.height + rows * panel;
  const barX = margin + Math.min(across, images.length) * (pixelRoom + gap) + 8;
  parts.push(
    colourBar(figure, barX, head.height + titled, Math.min(220, height - head.height - titled - gap)),
  );
  return { content: parts.join(""), height };
}

/** An image as one path per colour, in units of a pixel; equal neighbours in a row are one rectangle. */
function pixels(
  image: ImageFigure["images"][number],
  [low, high]: readonly [number, number],
  scale: ImageFigure["scale"],
): string {
  const paths = new Map<string, string[]>();
  for (let r = 0; r < image.rows; r++) {
    let start = 0;
    const colourAt = (c: number) => {
      const value = image.values[r * image.columns + c];
      if (value === null) return "none";
      return scaleColour(scale, Math.round(((value - low) / (high - low)) * 128) / 128);
    };
    for (let c = 1; c <= image.columns; c++) {
      const colour = colourAt(start);
      if (c < image.columns && colourAt(c) === colour) continue;
      const path = paths.get(colour) ?? [];
      path.push(`M${start} ${r}h${c - start}v1h-${c - start}z`);
      paths.set(colour, path);
      start = c;
    }
  }
  return [...paths].map(([colour, path]) => `<path d="${path.join("")}" fill="${colour}"/>`).join("");
}

function colourBar({ range, scale, valueTitle }: ImageFigure, x: number, y: number, height: number): string {
  const steps = 48;
  const bars = Array.from({ length: steps }, (_, k) => {
    const top = y + ((steps - 1 - k) * height) / steps;
    return `<rect x="${round(x)}" y="${round(top)}" width="12" height="${round(height / steps + 0.6)}" fill="${scaleColour(scale, k / (steps - 1))}"/>`;
  });
  const ticks = linearTicks(range[0], range[1], Math.max(2, Math.floor(height / 40)));
  const labels = ticks.at.map((value, k) => {
    const at = y + height * (1 - (value - range[0]) / (range[1] - range[0]));
    return `<path d="M${round(x + 12)} ${round(at)}h4" stroke="${ink.frame}"/>${text(ticks.labels[k], x + 20, at + 4)}`;
  });
  const title = text(valueTitle, x + 64, y + height / 2, { anchor: "middle", quiet: true, tilt: -90 });
  return `${bars.join("")}${labels.join("")}${title}`;
}
