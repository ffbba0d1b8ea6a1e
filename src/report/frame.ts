/**
 * The frame of a drawn figure: title, legend, axes, and the plane between them, as SVG text.
 *
 * Lengths are SVG user units, the figure `width` of them wide. Text widths are estimated, not measured: no font is
 * at hand.
 */

import { ink } from "./palette.ts";
import { linearTicks, logTicks, type Ticks } from "./ticks.ts";

export const width = 760;
const fontSize = 12;
const titleSize = 15;

/** The rectangle data is drawn in, and where a value lies. */
export interface Plane {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

export interface FrameAxis {
  readonly title: string;
  readonly range: readonly [number, number];
  readonly log?: boolean;
  readonly ticks?: Ticks; // default: round numbers
}

/** An entry of the legend; `mark` draws its sign, 18 wide, around (x, y). */
export interface LegendEntry {
  readonly name: string;
  readonly mark: (x: number, y: number) => string;
}

export interface Frame {
  readonly plane: Plane;
  readonly height: number; // of the whole figure
  readonly behind: string; // title, legend, grid
  readonly before: string; // axes
}

/** A figure without its document around it. */
export interface Drawing {
  readonly content: string;
  readonly height: number;
}

/** Lays out title, legend and axes around a plane of `planeHeight`. */
export function frame(options: {
  title: string;
  x: FrameAxis;
  y: FrameAxis;
  planeHeight: number;
  legend?: readonly LegendEntry[];
  grid?: "both" | "y" | "none";
  above?: number; // room between legend and plane
  width?: number;
  titleSize?: number;
}): Frame {
  const { title, x, y, planeHeight, legend = [], grid = "y" } = options;
  const whole = options.width ?? width;
  const yTicks = y.ticks ?? severalTicks(y, Math.max(2, Math.floor(planeHeight / 48)));
  const left = 34 + Math.max(...yTicks.labels.map((label) => textWidth(label)), 0);
  const head = header(title, legend, left, whole, options.titleSize);
  const right = whole - 18;
  const top = head.height + 6 + (options.above ?? 0);
  const bottom = top + planeHeight;
  const xTicks = x.ticks ?? fittingTicks(x, right - left);
  const tilted = xTicks.labels.some((label) => textWidth(label) > (right - left) / xTicks.labels.length - 6);
  const foot = tilted ? 8 + Math.max(...xTicks.labels.map((label) => 0.6 * textWidth(label))) + 10 : 20;
  const plane: Plane = { left, right, top, bottom, x: place(x, left, right), y: place(y, bottom, top) };

  const xs = xTicks.at.map((at) => round(plane.x(at)));
  const ys = yTicks.at.map((at) => round(plane.y(at)));
  const gridLines = [
    ...(grid === "none" ? [] : ys.map((py) => `M${left} ${py}H${right}`)),
    ...(grid === "both" ? xs.map((px) => `M${px} ${top}V${bottom}`) : []),
  ].join("");
  const behind = `${head.text}${gridLines ? `<path d="${gridLines}" stroke="${ink.grid}" fill="none"/>` : ""}`;
  const marks = `${xs.map((px) => `M${px} ${bottom}v4`).join("")}${ys.map((py) => `M${left} ${py}h-4`).join("")}`;
  const labels = [
    ...xs.map((px, k) =>
      tilted
        ? text(xTicks.labels[k], px + 4, bottom + 16, { anchor: "end", tilt: -35 })
        : text(xTicks.labels[k], px, bottom + 17, { anchor: "middle" }),
    ),
    ...ys.map((py, k) => text(yTicks.labels[k], left - 7, py + 4, { anchor: "end" })),
    x.title ? text(x.title, (left + right) / 2, bottom + foot + 17, { anchor: "middle", quiet: true }) : "",
    y.title ? text(y.title, 14, (top + bottom) / 2, { anchor: "middle", quiet: true, tilt: -90 }) : "",
  ].join("");
  const before = `<path d="M${left} ${top}V${bottom}H${right}${marks}" stroke="${ink.frame}" fill="none"/>${labels}`;
  return { plane, height: bottom + foot + (x.title ? 26 : 8), behind, before };
}

/** Title on the left, legend on the lines below it. */
export function header(
  title: string,
  legend: readonly LegendEntry[],
  left: number,
  whole = width,
  size = titleSize,
): { text: string; height: number } {
  const parts: string[] = [];
  let height = 8;
  if (title) {
    height += size + 4;
    parts.push(text(title, 14, height - 3, { size, bold: true }));
  }
  let x = left;
  if (legend.length > 0) height += 20;
  for (const { name, mark } of legend) {
    const length = 24 + textWidth(name) + 18;
    if (x + length > whole && x > left) {
      x = left;
      height += 18;
    }
    parts.push(mark(x, height - 8), text(name, x + 24, height - 4));
    x += length;
  }
  return { text: parts.join(""), height: height + 4 };
}

function ticksOf(axis: FrameAxis, count: number): Ticks {
  return (axis.log ? logTicks : linearTicks)(axis.range[0], axis.range[1], count);
}

/** About `count` round marks, but three at least, where that is possible. */
function severalTicks(axis: FrameAxis, count: number): Ticks {
  for (let more = count; more < 2 * count + 2; more++) {
    const ticks = ticksOf(axis, more);
    if (ticks.at.length > 2) return ticks;
  }
  return ticksOf(axis, count);
}

/** As many round marks as fit beside each other. */
function fittingTicks(axis: FrameAxis, length: number): Ticks {
  for (let count = 10; count > 2; count--) {
    const ticks = ticksOf(axis, count);
    const widest = Math.max(...ticks.labels.map((label) => textWidth(label)), 0);
    if (ticks.at.length * (widest + 16) <= length) return ticks;
  }
  return ticksOf(axis, 2);
}

function place(
  { range: [low, high], log }: FrameAxis,
  start: number,
  end: number,
): (value: number) => number {
  if (!log) return (value) => start + ((value - low) / (high - low)) * (end - start);
  const bottom = Math.log(low);
  const span = Math.log(high) - bottom;
  return (value) => start + ((Math.log(value) - bottom) / span) * (end - start);
}

/** A line of text; `anchor` says which end lies at x. */
export function text(
  words: string,
  x: number,
  y: number,
  options: {
    anchor?: "start" | "middle" | "end";
    size?: number;
    bold?: boolean;
    quiet?: boolean;
    tilt?: number;
    halo?: boolean; // white around the letters
  } = {},
): string {
  const attributes = [
    `x="${round(x)}" y="${round(y)}"`,
    options.anchor && options.anchor !== "start" ? `text-anchor="${options.anchor}"` : "",
    options.size ? `font-size="${options.size}"` : "",
    options.bold ? `font-weight="600"` : "",
    options.halo ? `stroke="#fff" stroke-width="3" paint-order="stroke"` : "",
    options.quiet ? `fill="${ink.quiet}"` : "",
    options.tilt ? `transform="rotate(${options.tilt} ${round(x)} ${round(y)})"` : "",
  ];
  return `<text ${attributes.filter(Boolean).join(" ")}>${escapeXml(words)}</text>`;
}

/** About how wide a line of text is in a usual sans-serif. */
export function textWidth(words: string, size = fontSize): number {
  let em = 0;
  for (const c of words)
    em += "iljI.,:;'|! ".includes(c) ? 0.29 : "mwMW%@".includes(c) ? 0.86 : /[A-Z]/.test(c) ? 0.68 : 0.56;
  return em * size;
}

/** A whole SVG document around its content; readable alone, white behind. */
export function document(content: string, height: number, title: string, caption: string): string {
  const rounded = Math.ceil(height);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${rounded}" width="${width}" height="${rounded}"`,
    ` font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"`,
    ` font-size="${fontSize}" fill="${ink.text}" role="img">`,
    title ? `<title>${escapeXml(title)}</title>` : "",
    caption ? `<desc>${escapeXml(caption)}</desc>` : "",
    `<rect width="${width}" height="${rounded}" fill="#fff"/>`,
    content,
    "</svg>\n",
  ].join("");
}

/** Text for XML and HTML: the five special characters, and control characters (not allowed in XML) removed. */
export function escapeXml(words: string): string {
  const names: Record<string, string> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "#39" };
  return words.replace(/(?![\t\n\r])\p{Cc}/gu, "").replace(/[&<>"']/g, (c) => `&${names[c]};`);
}

/** A coordinate to a tenth of a unit. */
export function round(value: number): number {
  return Math.round(value * 10) / 10 + 0; // + 0 makes -0 a 0
}
