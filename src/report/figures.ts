/**
 * Figures as plain data: what is drawn, not how.
 *
 * A figure has no functions and survives JSON, so it can be sent by a worker and kept beside the numbers. `svg.ts`
 * and `plotly.ts` draw it. Axis titles carry the unit in brackets; a value that is not finite is null, a gap.
 */

import type { Raster } from "../engine/raster.ts";
import { seconds, type Time } from "../math/units.ts";
import { type Estimate, isEstimate } from "./estimate.ts";
import type { Scale } from "./palette.ts";

export type Figure =
  | RasterFigure
  | LineFigure
  | HistogramFigure
  | ImageFigure
  | BarFigure
  | PanelFigure
  | CornerFigure
  | PlacementFigure;

/** What every figure may say about itself. */
export interface Words {
  readonly title?: string;
  readonly caption?: string;
}

export interface Dots {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** A shaded stretch of time; all in the unit of the axis. */
export interface Stretch {
  readonly label: string;
  readonly from: number;
  readonly to: number;
}

export interface RasterFigure extends Words {
  readonly kind: "raster";
  readonly spikes: Dots;
  readonly desired?: Dots;
  readonly size: number; // cells
  readonly xRange: readonly [number, number];
  readonly xTitle: string;
  readonly yTitle: string;
  readonly stretches: readonly Stretch[];
}

/** From low to high, at each place of x. */
export interface Band {
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

export interface Series {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  readonly bands: readonly Band[]; // the widest first
  readonly bars: boolean; // the first band is drawn as a bar at each point, the others not
  readonly points: boolean;
  readonly line: boolean;
  readonly dashed: boolean;
  readonly faint: boolean; // thin and pale: one of many
  readonly colour: number; // in the palette
}

export interface Axis {
  readonly title: string;
  readonly log: boolean;
  readonly range?: readonly [number, number];
}

export interface LineFigure extends Words {
  readonly kind: "line";
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly levels: readonly { readonly at: number; readonly label: string }[]; // horizontal, of y
}

export interface HistogramFigure extends Words {
  readonly kind: "histogram";
  readonly edges: readonly number[]; // [bin + 1]
  readonly series: readonly { readonly name: string; readonly counts: readonly number[] }[];
  readonly xTitle: string;
  readonly yTitle: string;
  readonly yLog: boolean;
  readonly marks: readonly { readonly at: number; readonly label: string }[]; // vertical, of x
}

export interface Image {
  readonly title: string;
  readonly rows: number;
  readonly columns: number;
  readonly values: readonly (number | null)[]; // [row, column], top row first
}

export interface ImageFigure extends Words {
  readonly kind: "image";
  readonly images: readonly Image[];
  readonly across: number; // images side by side
  readonly range: readonly [number, number];
  readonly scale: Scale;
  readonly valueTitle: string;
}

export interface BarFigure extends Words {
  readonly kind: "bar";
  readonly categories: readonly string[];
  readonly series: readonly {
    readonly name: string;
    readonly y: readonly (number | null)[];
    readonly low?: readonly (number | null)[];
    readonly high?: readonly (number | null)[];
  }[];
  readonly yTitle: string;
}

/** Several figures side by side; a legend they share is drawn once. */
export interface PanelFigure extends Words {
  readonly kind: "panels";
  readonly panels: readonly (LineFigure | HistogramFigure)[];
  readonly across: number;
}

/** Samples of several parameters: each alone, and each with each. Made by `cornerPlot`. */
export interface CornerFigure extends Words {
  readonly kind: "corner";
  readonly parameters: readonly {
    readonly name: string;
    readonly edges: readonly number[]; // [bin + 1]
    readonly counts: readonly number[]; // [bin]
    readonly median: number;
    readonly interval95: readonly [number, number];
    readonly truth?: number;
  }[];
  /** [row][column][y bin * bins + x bin]: counts of the row's parameter upwards against the column's, column < row. */
  readonly pairs: readonly (readonly (readonly number[])[])[];
}

/** Matrices on arrays of rows x columns. Made by `placementPlot`. */
export interface PlacementFigure extends Words {
  readonly kind: "placement";
  readonly rows: number; // of an array
  readonly columns: number;
  readonly arrays: number;
  readonly matrices: readonly { readonly name: string; readonly rows: number; readonly columns: number }[];
  readonly pieces: readonly {
    readonly matrix: number; // its place among the matrices
    readonly array: number;
    readonly top: number;
    readonly left: number;
    readonly rows: number;
    readonly columns: number;
    readonly filled: number; // part of its cells that hold a weight
  }[];
}

/** Spikes a raster plot draws at most; beyond, every k-th cell is drawn and the caption says so. */
const spikesDrawn = 200_000;

/** Spikes over time, one row a cell; `desired` spikes lie under them, `windows` are shaded and labelled. */
export function rasterPlot(
  raster: Raster,
  options: Words & {
    desired?: Raster;
    yTitle?: string;
    windows?: readonly { label: string; from: Time; to: Time }[];
  } = {},
): RasterFigure {
  const { desired, windows = [], yTitle = "cell" } = options;
  if (desired !== undefined && desired.size !== raster.size)
    throw new RangeError(`a raster of ${raster.size} cells cannot be drawn over one of ${desired.size}`);
  const duration = Math.max(raster.duration, desired?.duration ?? 0);
  const [perSecond, unit] = duration < 10 ? [1000, "ms"] : [1, "s"];
  const every = Math.ceil(Math.max(raster.t.length, desired?.t.length ?? 0) / spikesDrawn);
  const thinned = every > 1 ? `Every ${ordinal(every)} cell is drawn.` : "";
  return {
    kind: "raster",
    ...words(options),
    ...(thinned ? { caption: [options.caption, thinned].filter(Boolean).join(" ") } : {}),
    spikes: dots(raster, perSecond, every),
    ...(desired ? { desired: dots(desired, perSecond, every) } : {}),
    size: raster.size,
    xRange: [0, duration * perSecond],
    xTitle: `time (${unit})`,
    yTitle,
    stretches: windows.map(({ label, from, to }) => ({
      label,
      from: seconds(from) * perSecond,
      to: seconds(to) * perSecond,
    })),
  };
}

function dots(raster: Raster, perSecond: number, every: number): Dots {
  const x: number[] = [];
  const y: number[] = [];
  for (let k = 0; k < raster.t.length; k++) {
    if (raster.i[k] % every !== 0) continue;
    x.push(raster.t[k] * perSecond);
    y.push(raster.i[k]);
  }
  return { x, y };
}

/** Ends of a band, at each place of x. */
export interface Ends {
  readonly low: ArrayLike<number>;
  readonly high: ArrayLike<number>;
}

/** A curve: values, or estimates whose 95 % interval becomes the band. `x` when it has its own. */
export type Curve =
  | ArrayLike<number | Estimate>
  | {
      readonly y: ArrayLike<number | Estimate>;
      readonly x?: ArrayLike<number>;
      readonly band?: Ends | readonly Ends[]; // of several the widest first
      readonly bars?: boolean; // the (widest) band as a bar at each point; default false
      readonly points?: boolean; // marks at the values; default: when there are at most 40
      readonly line?: boolean; // default true
      readonly dashed?: boolean;
      readonly faint?: boolean; // thin and pale: one of many; default false
      readonly colour?: number; // in the palette of seven; default: the place among the series
    };

/** Curves over a common or own x; `levels` are labelled horizontal lines, e.g. a published value. */
export function linePlot(
  options: Words & {
    x?: ArrayLike<number>;
    series: Readonly<Record<string, Curve>>;
    xTitle: string;
    yTitle: string;
    xLog?: boolean;
    yLog?: boolean;
    xRange?: readonly [number, number];
    yRange?: readonly [number, number];
    levels?: readonly { at: number; label: string }[];
  },
): LineFigure {
  const series = Object.entries(options.series).map(([name, curve], k): Series => {
    const full = "y" in curve ? curve : { y: curve };
    const count = full.y.length;
    const x = full.x ?? options.x ?? Array.from({ length: count }, (_, k) => k);
    if (x.length !== count)
      throw new RangeError(`series ${name} has ${count} values at ${x.length} places of x`);
    const { y, low, high } = spread(full.y);
    const given = full.band === undefined ? [] : isBands(full.band) ? full.band : [full.band];
    const bands = given.map((ends) => ({ low: gaps(ends.low), high: gaps(ends.high) }));
    for (const band of bands)
      if (band.low.length !== count || band.high.length !== count)
        throw new RangeError(`the band of series ${name} is ${band.low.length} long, its values ${count}`);
    return {
      name,
      x: Array.from(x),
      y,
      bands: bands.length === 0 && low && high ? [{ low, high }] : bands,
      bars: full.bars ?? false,
      points: full.points ?? (count <= 40 || full.line === false),
      line: full.line ?? true,
      dashed: full.dashed ?? false,
      faint: full.faint ?? false,
      colour: full.colour ?? k,
    };
  });
  return {
    kind: "line",
    ...words(options),
    x: axis(options.xTitle, options.xLog, options.xRange),
    y: axis(options.yTitle, options.yLog, options.yRange),
    series,
    levels: options.levels ?? [],
  };
}

/** Points without lines, named sets of them; `curves` are drawn with them. */
export function scatterPlot(
  options: Words & {
    points: Readonly<Record<string, Exclude<Curve, ArrayLike<unknown>>>>;
    curves?: Readonly<Record<string, Curve>>;
    xTitle: string;
    yTitle: string;
    xLog?: boolean;
    yLog?: boolean;
    xRange?: readonly [number, number];
    yRange?: readonly [number, number];
    levels?: readonly { at: number; label: string }[];
  },
): LineFigure {
  const { points, curves, ...rest } = options;
  const sets = Object.entries(points).map(([name, set]) => [name, { ...set, line: false }]);
  return linePlot({ ...rest, series: { ...Object.fromEntries(sets), ...curves } });
}

/** Small figures side by side, `across` of them in a row; default 3. */
export function panelPlot(
  panels: readonly (LineFigure | HistogramFigure)[],
  options: Words & { across?: number } = {},
): PanelFigure {
  const across = Math.max(1, Math.min(options.across ?? 3, panels.length));
  return { kind: "panels", ...words(options), panels: [...panels], across };
}

/**
 * Counts of values in equal bins; several named sets share the bins. `density` scales each set to area 1; `marks` are
 * labelled vertical lines.
 */
export function histogramPlot(
  values: ArrayLike<number> | Readonly<Record<string, ArrayLike<number>>>,
  options: Words & {
    xTitle: string;
    yTitle?: string;
    bins?: number;
    range?: readonly [number, number];
    density?: boolean;
    yLog?: boolean;
    marks?: readonly { at: number; label: string }[];
  },
): HistogramFigure {
  const sets: [string, ArrayLike<number>][] = isArrayLike(values) ? [["", values]] : Object.entries(values);
  const edges = binEdges(
    sets.map(([, set]) => set),
    options,
  );
  const width = edges[1] - edges[0];
  const bins = edges.length - 1;
  const series = sets.map(([name, set]) => {
    const counts = new Array<number>(bins).fill(0);
    for (let k = 0; k < set.length; k++) {
      const value = set[k];
      if (!(value >= edges[0] && value <= edges[bins])) continue;
      counts[Math.min(bins - 1, Math.floor((value - edges[0]) / width))]++;
    }
    const inside = counts.reduce((total, count) => total + count, 0);
    return { name, counts: options.density ? counts.map((count) => count / (inside * width || 1)) : counts };
  });
  const yTitle = options.yTitle ?? (options.density ? "density" : "count");
  const { xTitle, yLog = false, marks = [] } = options;
  return { kind: "histogram", ...words(options), edges, series, xTitle, yTitle, yLog, marks };
}

/**
 * Equal bins over all finite values; their number by Freedman & Diaconis 1981, between 10 and 80. Values on a lattice,
 * such as counts, get bins of whole steps around them: others would show beats of bin and step.
 */
function binEdges(
  sets: readonly ArrayLike<number>[],
  options: { bins?: number; range?: readonly [number, number] },
): number[] {
  const all = Float64Array.from(sets.flatMap((set) => Array.from(set).filter(Number.isFinite))).sort();
  let [low, high] = options.range ?? [all[0] ?? 0, all.at(-1) ?? 1];
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low < Math.max(1e-9 * size, 1e-300)) {
    const half = 0.5 * Math.max(1, size); // one value, or as good as
    [low, high] = [low - half, high + half];
  }
  const quartiles = all[Math.floor(0.75 * (all.length - 1))] - all[Math.floor(0.25 * (all.length - 1))];
  const width = (2 * quartiles) / Math.cbrt(all.length);
  const count = width > 0 ? Math.ceil((high - low) / width) : 10;
  let bins = options.bins ?? Math.min(80, Math.max(10, count));
  const step = options.bins || options.range ? undefined : latticeStep(all);
  if (step !== undefined) {
    const steps = Math.max(1, Math.round((high - low) / bins / step));
    bins = Math.floor(((high - low) / step + 0.5) / steps) + 1;
    low -= step / 2;
    high = low + bins * steps * step;
  }
  return Array.from({ length: bins + 1 }, (_, k) => (k === bins ? high : low + ((high - low) * k) / bins));
}

/** The distance of which all distances of these sorted values are multiples, when there are few different ones. */
function latticeStep(sorted: Float64Array): number | undefined {
  const gaps: number[] = [];
  for (let k = 1; k < sorted.length; k++) {
    const gap = sorted[k] - sorted[k - 1];
    if (gap > 1e-9 * (sorted[sorted.length - 1] - sorted[0])) gaps.push(gap);
    if (gaps.length > 400) return undefined;
  }
  if (gaps.length < 2) return undefined;
  const step = gaps.reduce((least, gap) => Math.min(least, gap));
  return gaps.every((gap) => Math.abs(gap / step - Math.round(gap / step)) < 1e-6) ? step : undefined;
}

/** Small images on one colour scale, e.g. the rates of cells that stand for pixels: values [row, column]. */
export function imagePlot(
  images: readonly { title?: string; rows: number; columns: number; values: ArrayLike<number> }[],
  options: Words & {
    valueTitle: string;
    across?: number;
    range?: readonly [number, number];
    scale?: Scale;
  },
): ImageFigure {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const drawn = images.map(({ title = "", rows, columns, values }, k): Image => {
    if (values.length !== rows * columns)
      throw new RangeError(
        `image ${title || k} has ${values.length} values for ${rows} by ${columns} pixels`,
      );
    for (let j = 0; j < values.length; j++) {
      if (!Number.isFinite(values[j])) continue;
      low = Math.min(low, values[j]);
      high = Math.max(high, values[j]);
    }
    return { title, rows, columns, values: gaps(values) };
  });
  const scale = options.scale ?? "sequential";
  const size = Math.max(Math.abs(low), Math.abs(high));
  const own: [number, number] = scale === "diverging" ? [-size, size] : [Math.min(0, low), high];
  const range = options.range ?? (low <= high ? own : [0, 1]);
  return {
    kind: "image",
    ...words(options),
    images: drawn,
    across: options.across ?? Math.min(6, images.length),
    range: range[0] === range[1] ? [range[0], range[0] + 1] : range,
    scale,
    valueTitle: options.valueTitle,
  };
}

/** Bars by category, side by side when there are several series; estimates get their 95 % interval. */
export function barPlot(
  options: Words & {
    categories: readonly string[];
    series: Readonly<Record<string, ArrayLike<number | Estimate>>>;
    yTitle: string;
  },
): BarFigure {
  const series = Object.entries(options.series).map(([name, values]) => {
    if (values.length !== options.categories.length)
      throw new RangeError(
        `series ${name} has ${values.length} bars for ${options.categories.length} categories`,
      );
    return { name, ...spread(values) };
  });
  return {
    kind: "bar",
    ...words(options),
    categories: [...options.categories],
    series,
    yTitle: options.yTitle,
  };
}

function isBands(band: Ends | readonly Ends[]): band is readonly Ends[] {
  return Array.isArray(band);
}

/** The words among the options of a figure. */
export function words({ title, caption }: Words): Words {
  return { ...(title === undefined ? {} : { title }), ...(caption === undefined ? {} : { caption }) };
}

function axis(title: string, log = false, range?: readonly [number, number]): Axis {
  return { title, log, ...(range ? { range } : {}) };
}

type Gapped = (number | null)[];

/** Values with gaps; of estimates the means, with the ends of the intervals. */
function spread(values: ArrayLike<number | Estimate>): { y: Gapped; low?: Gapped; high?: Gapped } {
  const list: (number | Estimate)[] = Array.from(values);
  if (!list.some(isEstimate)) return { y: gaps(list as number[]) };
  const estimates = list.map((value) =>
    isEstimate(value) ? value : { mean: value as number, interval95: [Number.NaN, Number.NaN] as const },
  );
  return {
    y: gaps(estimates.map(({ mean }) => mean)),
    low: gaps(estimates.map(({ interval95 }) => interval95[0])),
    high: gaps(estimates.map(({ interval95 }) => interval95[1])),
  };
}

function gaps(values: ArrayLike<number>): Gapped {
  return Array.from(values, (value) => (Number.isFinite(value) ? value : null));
}

function isArrayLike(values: object): values is ArrayLike<number> {
  return Array.isArray(values) || ArrayBuffer.isView(values);
}

function ordinal(n: number): string {
  const last = n % 10;
  const teen = n % 100 > 10 && n % 100 < 14;
  return `${n}${teen ? "th" : last === 1 ? "st" : last === 2 ? "nd" : last === 3 ? "rd" : "th"}`;
}
