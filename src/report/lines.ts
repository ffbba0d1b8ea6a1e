/**
 * Line figures as SVG: bands, curves, points and their bars in a plane, and what both renderers must agree on.
 *
 * Bands lie under everything, faint curves under the others. Many points become one path, equal places drawn once.
 */

import type { Band, LineFigure, Series } from "./figures.ts";
import { type Frame, frame, type LegendEntry, type Plane, round, text, width } from "./frame.ts";
import { faded, ink, palette } from "./palette.ts";
import { niceRange } from "./ticks.ts";

/** The place a figure gets; the defaults are those of a figure alone. */
export interface Space {
  readonly width: number;
  readonly planeHeight: number;
  readonly titleSize: number;
  readonly legend: boolean;
}

export const alone: Space = { width, planeHeight: 300, titleSize: 15, legend: true };

/** Smallest and largest of numbers, gaps left out; on a logarithmic axis what is not positive too. */
export function extent(lists: Iterable<readonly (number | null)[]>, log = false): [number, number] {
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
  const ys = series.flatMap(({ y, bands }) => [y, ...bands.flatMap(({ low, high }) => [low, high])]);
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

export function colourOf({ colour }: Pick<Series, "colour">): string {
  return palette[colour % palette.length];
}

/** Radius of a point, in user units: many are small. */
export function pointRadius(count: number): number {
  return count <= 60 ? 3 : count <= 500 ? 2 : 1.2;
}

/** Opacity of the bands of a series: those within others are darker, being drawn upon them. */
export const bandOpacity = 0.16;
/** How pale a faint curve is. */
export const faintOpacity = 0.35;

/** What is in the legend: the named series, when there is anything to tell apart. */
export function namedSeries({ series }: LineFigure): readonly Series[] {
  return series.length > 1 || (series[0]?.name ?? "") !== "" ? series.filter(({ name }) => name !== "") : [];
}

export function lineLegend(figure: LineFigure): LegendEntry[] {
  return namedSeries(figure).map((series) => ({
    name: series.name,
    mark: (x, y) => {
      const swatch = `<rect x="${round(x)}" y="${round(y - 5)}" width="18" height="10" fill="${faded(colourOf(series), 2 * bandOpacity)}"/>`;
      return [
        !series.line && !series.points && series.bands.length > 0 ? swatch : "",
        curve(series, [`M${x} ${y}h18`]),
        series.points ? disc(x + 9, y, colourOf(series), pointRadius(Math.min(500, series.x.length))) : "",
      ].join("");
    },
  }));
}

/** The frame of a line figure and what lies in its plane. */
export function drawLines(figure: LineFigure, space: Space): { shell: Frame; content: string } {
  const ranges = lineRanges(figure);
  const shell = frame({
    title: figure.title ?? "",
    x: { ...figure.x, range: ranges.x },
    y: { ...figure.y, range: ranges.y },
    ...space,
    grid: "both",
    legend: space.legend ? lineLegend(figure) : [],
  });
  const { plane } = shell;
  const shows = (x: number, y: number | null): y is number =>
    y !== null && !(figure.x.log && x <= 0) && !(figure.y.log && y <= 0);
  const bands: string[] = [];
  const faint: string[] = [];
  const curves: string[] = [];
  for (const series of figure.series) {
    const colour = colourOf(series);
    if (!series.bars) for (const each of series.bands) bands.push(band(series, each, plane, shows, colour));
    else if (series.bands.length > 0)
      curves.push(bars(series, series.bands[0], plane, shows, ranges.y, colour));
    (series.faint ? faint : curves).push(curve(series, pieces(series.x, series.y, plane, shows)));
    if (series.points) curves.push(points(series, plane, shows, colour));
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
  return { shell, content: [...bands, ...faint, ...levels, ...curves, ...labels].join("") };
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

function curve(series: Series, parts: readonly string[]): string {
  if (!series.line) return "";
  const dash = series.dashed ? ` stroke-dasharray="6 4"` : "";
  const pale = series.faint ? ` stroke-opacity="${faintOpacity}"` : "";
  return `<path d="${parts.join("")}" stroke="${colourOf(series)}" stroke-width="${series.faint ? 1 : 1.8}" stroke-linejoin="round" fill="none"${dash}${pale}/>`;
}

function disc(x: number, y: number, colour: string, radius: number): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" fill="${colour}"/>`;
}

/** Points as round ends of strokes without length: one path, each place once. */
function points(series: Series, plane: Plane, shows: Shows, colour: string): string {
  const radius = pointRadius(series.x.length);
  const places = new Set<string>();
  for (const [j, x] of series.x.entries()) {
    const y = series.y[j];
    if (shows(x, y)) places.add(`M${round(plane.x(x))} ${round(plane.y(y))}h0`);
  }
  const pale = series.x.length > 500 || series.faint ? ` stroke-opacity="0.5"` : "";
  return `<path d="${[...places].join("")}" stroke="${colour}" stroke-width="${2 * radius}" stroke-linecap="round" fill="none"${pale}/>`;
}

/** Bars from low to high through the points; an end that is not shown is the end of the plane. */
function bars(
  { x, y }: Series,
  { low, high }: Band,
  plane: Plane,
  shows: Shows,
  [bottom, top]: readonly [number, number],
  colour: string,
): string {
  const parts = x.flatMap((at, k) => {
    if (!shows(at, y[k])) return [];
    const from = shows(at, low[k]) ? (low[k] ?? bottom) : bottom;
    const to = shows(at, high[k]) ? (high[k] ?? top) : top;
    return `M${round(plane.x(at))} ${round(plane.y(from))}V${round(plane.y(to))}`;
  });
  return `<path d="${parts.join("")}" stroke="${colour}" stroke-width="1.2" fill="none"/>`;
}

/** The area between low and high, broken at gaps. */
function band({ x }: Series, { low, high }: Band, plane: Plane, shows: Shows, colour: string): string {
  const paths: string[] = [];
  let up: string[] = [];
  let down: string[] = [];
  const close = () => {
    if (up.length > 0) paths.push(`M${[...up, ...down.reverse()].join("L")}Z`);
    up = [];
    down = [];
  };
  for (const [k, at] of x.entries()) {
    const [a, b] = [low[k] ?? null, high[k] ?? null];
    if (shows(at, a) && shows(at, b)) {
      up.push(`${round(plane.x(at))} ${round(plane.y(b))}`);
      down.push(`${round(plane.x(at))} ${round(plane.y(a))}`);
    } else close();
  }
  close();
  return `<path d="${paths.join("")}" fill="${faded(colour, bandOpacity)}"/>`;
}
