/**
 * Figures as SVG: standalone, small, without a browser.
 *
 * Many marks become one path: spikes are strokes on a grid of a quarter unit, equal ones drawn once, so a raster
 * cannot grow beyond what the eye can tell apart.
 */

import { drawCorner } from "./corner.ts";
import type { BarFigure, Dots, Figure, HistogramFigure, PanelFigure, RasterFigure } from "./figures.ts";
import {
  type Drawing,
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
import { drawImages } from "./images.ts";
import { alone, drawLines, extent, lineLegend, type Space } from "./lines.ts";
import { desiredColour, faded, ink, palette, producedColour } from "./palette.ts";
import { drawPlacement } from "./placement.ts";
import { linearTicks, niceRange } from "./ticks.ts";

/** The figure as a whole SVG document. */
export function svg(figure: Figure): string {
  const { content, height } = draw(figure);
  return document(content, height, figure.title ?? "", figure.caption ?? "");
}

function draw(figure: Figure): Drawing {
  switch (figure.kind) {
    case "raster":
      return drawRaster(figure);
    case "line":
      return drawPlane(figure);
    case "histogram":
      return drawPlane(figure);
    case "image":
      return drawImages(figure);
    case "bar":
      return drawBars(figure);
    case "panels":
      return drawPanels(figure);
    case "corner":
      return drawCorner(figure);
    case "placement":
      return drawPlacement(figure);
  }
}

/** A figure with one plane, in the space it gets; `id` tells planes of one document apart. */
function drawPlane(figure: PanelFigure["panels"][number], space: Space = alone, id = "plane"): Drawing {
  const { shell, content } = figure.kind === "line" ? drawLines(figure, space) : drawHistogram(figure, space);
  return assemble(shell, content, id);
}

function assemble({ plane, height, behind, before }: Frame, content: string, id = "plane"): Drawing {
  const { left, right, top, bottom } = plane;
  const clip = `<clipPath id="${id}"><rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"/></clipPath>`;
  return { content: `${clip}${behind}<g clip-path="url(#${id})">${content}</g>${before}`, height };
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

function square(colour: string): (x: number, y: number) => string {
  return (x, y) => `<rect x="${round(x + 4)}" y="${round(y - 5)}" width="10" height="10" fill="${colour}"/>`;
}

/** From 0 to above the highest bin; on a logarithmic axis from half the lowest that is not empty. */
export function histogramRange({ series, yLog }: HistogramFigure): readonly [number, number] {
  const counts = series.map((set) => set.counts);
  const [low, high] = extent(counts, yLog);
  return yLog ? [low / 2, high * 1.4] : niceRange(0, high, 5);
}

function histogramLegend({ series }: HistogramFigure): LegendEntry[] {
  if (series.length < 2) return [];
  return series.map(({ name }, k) => ({ name, mark: square(palette[k % palette.length]) }));
}

function drawHistogram(figure: HistogramFigure, space: Space): { shell: Frame; content: string } {
  const { edges, series } = figure;
  const shell = frame({
    title: figure.title ?? "",
    x: { title: figure.xTitle, range: [edges[0], edges[edges.length - 1]] },
    y: { title: figure.yTitle, range: histogramRange(figure), log: figure.yLog },
    ...space,
    planeHeight: Math.min(260, space.planeHeight),
    legend: space.legend ? histogramLegend(figure) : [],
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
  const marks = figure.marks.flatMap(({ at, label }) => {
    const x = round(plane.x(at));
    const anchor = x > (plane.left + plane.right) / 2 ? "end" : "start";
    return [
      `<path d="M${x} ${plane.top}V${plane.bottom}" stroke="${ink.text}" stroke-dasharray="4 3" fill="none"/>`,
      text(label, anchor === "end" ? x - 5 : x + 5, plane.top + 12, { anchor, size: 11, halo: true }),
    ];
  });
  return { shell, content: [...content, ...marks].join("") };
}

const panelSpace = { planeHeight: 170, titleSize: 12, legend: false };

/** Panels in rows, each in a space of its own; a legend that all share above them. */
function drawPanels({ title = "", panels, across }: PanelFigure): Drawing {
  const gap = 6;
  const slot = (width - gap * (across - 1)) / across;
  const legends = panels.map((panel) => (panel.kind === "line" ? lineLegend(panel) : histogramLegend(panel)));
  const names = legends.map((legend) => legend.map(({ name }) => name).join("\n"));
  const shared = names.every((each) => each === names[0]);
  const head = header(title, shared ? (legends[0] ?? []) : [], 14);
  const parts = [head.text];
  let y = head.height;
  for (let from = 0; from < panels.length; from += across) {
    const row = panels.slice(from, from + across).map((panel, k) => {
      const space = { ...panelSpace, width: slot, legend: !shared };
      const { content, height } = drawPlane(panel, space, `plane${from + k}`);
      parts.push(`<g transform="translate(${round(k * (slot + gap))} ${round(y)})">${content}</g>`);
      return height;
    });
    y += Math.max(...row);
  }
  return { content: parts.join(""), height: y };
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
