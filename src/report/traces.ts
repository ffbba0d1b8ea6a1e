/**
 * Figures of one plane as Plotly traces and layout, and the words and axes all Plotly figures share.
 *
 * Same colours, ranges and words as the SVG. Long columns are packed as base64 of float32: a tenth of the text, and a
 * pixel cannot tell.
 */

import type { HistogramFigure, LineFigure, Series } from "./figures.ts";
import {
  bandOpacity,
  colourOf,
  faintOpacity,
  levelSide,
  lineRanges,
  namedSeries,
  pointRadius,
} from "./lines.ts";
import { faded, ink, palette } from "./palette.ts";
import { histogramRange } from "./svg.ts";

export type Json = Record<string, unknown>;

/** What `Plotly.newPlot` takes, as JSON. */
export interface PlotlyFigure {
  readonly data: Json[];
  readonly layout: Json;
}

export const base: Json = {
  paper_bgcolor: "rgba(0,0,0,0)",
  plot_bgcolor: "rgba(0,0,0,0)",
  font: {
    family: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
    size: 12,
    color: ink.text,
  },
  margin: { l: 60, r: 16, t: 12, b: 48 },
  hoverlabel: { bgcolor: "#fff", bordercolor: ink.frame },
  hovermode: "closest",
  dragmode: "zoom",
  legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" },
  showlegend: false,
};

export function axis(title: string, more: Json = {}): Json {
  return {
    title: { text: plain(title), font: { color: ink.quiet }, standoff: 8 },
    showline: true,
    linecolor: ink.frame,
    ticks: "outside",
    ticklen: 4,
    tickcolor: ink.frame,
    gridcolor: ink.grid,
    zeroline: false,
    automargin: true,
    ...more,
  };
}

export function layout(more: Json, named: boolean): Json {
  const margin = { ...(base.margin as Json), ...(named ? { t: 36 } : {}) };
  return { ...base, margin, showlegend: named, ...more };
}

/** A column of numbers, packed when long. */
export function packed(values: readonly (number | null)[]): unknown {
  if (values.length < 1000 || values.includes(null)) return values;
  const bytes = new Uint8Array(Float32Array.from(values as number[]).buffer);
  let binary = "";
  for (let k = 0; k < bytes.length; k += 0x8000)
    binary += String.fromCharCode(...bytes.subarray(k, k + 0x8000));
  return { dtype: "f4", bdata: btoa(binary) };
}

export function lines(figure: LineFigure): PlotlyFigure {
  const ranges = lineRanges(figure);
  const named = namedSeries(figure);
  const data = [
    ...figure.series.flatMap((series, k) => (series.bars ? [] : bandTraces(series, k, figure))),
    ...figure.series.map((series, k) => curveTrace(series, k, named.includes(series))),
  ];
  const shapes = figure.levels.map(({ at }) => ({
    type: "line",
    xref: "x domain",
    x0: 0,
    x1: 1,
    yref: "y",
    y0: at,
    y1: at,
    line: { color: ink.quiet, width: 1, dash: "dot" },
  }));
  const annotations = figure.levels.map(({ at, label }) => ({
    text: plain(label),
    xref: "x domain",
    x: levelSide(figure, at) === "left" ? 0 : 1,
    xanchor: levelSide(figure, at),
    yref: "y",
    y: figure.y.log ? Math.log10(at) : at,
    yanchor: "bottom",
    showarrow: false,
    font: { color: ink.quiet, size: 11 },
    bgcolor: "rgba(255,255,255,0.75)",
    borderpad: 1,
  }));
  const drawn = (of: LineFigure["x"], range: readonly [number, number]) =>
    axis(of.title, of.log ? logAxis(range) : { range });
  const xaxis = drawn(figure.x, ranges.x);
  const yaxis = drawn(figure.y, ranges.y);
  return { data, layout: layout({ height: 400, xaxis, yaxis, shapes, annotations }, named.length > 0) };
}

/** Each band as one filled outline, with a gap between its parts where the band has one. */
function bandTraces({ x, bands, ...series }: Series, k: number, { x: xAxis, y: yAxis }: LineFigure): Json[] {
  return bands.map(({ low, high }) => {
    const outline: { x: (number | null)[]; y: (number | null)[] } = { x: [], y: [] };
    let places: number[] = [];
    const close = () => {
      if (places.length > 0) {
        const there = [...places, ...places.toReversed(), places[0]];
        outline.x.push(...there.map((j) => x[j]), null);
        outline.y.push(
          ...there.map((j, n) => (n < places.length || n === there.length - 1 ? high[j] : low[j])),
          null,
        );
      }
      places = [];
    };
    for (const [j, at] of x.entries()) {
      const [a, b] = [low[j], high[j]];
      const shown = a !== null && b !== null && !(xAxis.log && at <= 0) && !(yAxis.log && a <= 0);
      if (shown) places.push(j);
      else close();
    }
    close();
    return {
      type: "scatter",
      mode: "lines",
      ...outline,
      line: { width: 0 },
      fill: "toself",
      fillcolor: faded(colourOf(series), bandOpacity),
      legendgroup: String(k),
      hoverinfo: "skip",
      showlegend: false,
    };
  });
}

/** Points from which they are drawn by WebGL, as spikes are. */
const manyPoints = 4000;

function curveTrace(series: Series, k: number, named: boolean): Json {
  const colour = colourOf(series);
  const count = series.x.length;
  const onlyBand = !series.line && !series.points;
  const mode = [series.line ? "lines" : "", series.points ? "markers" : ""].filter(Boolean).join("+");
  const [low, high] = series.bars ? [series.bands[0]?.low ?? [], series.bands[0]?.high ?? []] : [[], []];
  const away = (end: readonly (number | null)[], sign: number) =>
    series.y.map((y, j) => (y === null || (end[j] ?? null) === null ? 0 : sign * ((end[j] ?? 0) - y)));
  return {
    type: count > manyPoints && !series.line ? "scattergl" : "scatter",
    mode: onlyBand ? "lines" : mode,
    name: plain(series.name),
    legendgroup: String(k),
    showlegend: named,
    x: packed(series.x),
    y: onlyBand ? series.y.map(() => null) : packed(series.y),
    line: {
      color: onlyBand ? faded(colour, 2 * bandOpacity) : colour,
      width: onlyBand ? 10 : series.faint ? 1 : 2,
      ...(series.dashed ? { dash: "dash" } : {}),
    },
    marker: { color: colour, size: 2 * pointRadius(count) },
    ...(series.faint ? { opacity: faintOpacity, hoverinfo: "skip" } : count > 500 ? { opacity: 0.6 } : {}),
    ...(low.length > 0
      ? {
          error_y: {
            type: "data",
            symmetric: false,
            array: away(high, 1),
            arrayminus: away(low, -1),
            color: colour,
            thickness: 1.2,
            width: 0,
          },
        }
      : {}),
  };
}

/** A logarithmic axis with marks whole decades apart, or 1-2-5 within fewer than two. */
function logAxis(range: readonly [number, number]): Json {
  const decades = Math.log10(range[1] / range[0]);
  return {
    type: "log",
    range: range.map(Math.log10),
    exponentformat: "power",
    tickfont: { size: 10 },
    dtick: decades < 2 ? "D2" : Math.ceil(decades / 10),
  };
}

export function histogram(figure: HistogramFigure): PlotlyFigure {
  const { edges, series } = figure;
  const width = edges[1] - edges[0];
  const middles = edges.slice(1).map((edge) => edge - width / 2);
  const data = series.map(({ name, counts }, k) => ({
    type: "bar",
    name: plain(name),
    x: middles,
    y: counts,
    width,
    marker: {
      color: faded(palette[k % palette.length], series.length > 1 ? 0.35 : 0.6),
      line: { color: palette[k % palette.length], width: 1 },
    },
  }));
  const shapes = figure.marks.map(({ at }) => ({
    type: "line",
    xref: "x",
    x0: at,
    x1: at,
    yref: "y domain",
    y0: 0,
    y1: 1,
    line: { color: ink.text, width: 1, dash: "dash" },
  }));
  const annotations = figure.marks.map(({ at, label }) => ({
    text: plain(label),
    xref: "x",
    x: at,
    xanchor: at > (edges[0] + edges[edges.length - 1]) / 2 ? "right" : "left",
    yref: "y domain",
    y: 1,
    yanchor: "top",
    showarrow: false,
    font: { size: 11 },
    bgcolor: "rgba(255,255,255,0.75)",
  }));
  const more = {
    height: 360,
    barmode: "overlay",
    bargap: 0,
    shapes,
    annotations,
    xaxis: axis(figure.xTitle, { range: [edges[0], edges[edges.length - 1]], showgrid: false }),
    yaxis: figure.yLog ? axis(figure.yTitle, logAxis(histogramRange(figure))) : axis(figure.yTitle),
  };
  return { data, layout: layout(more, series.length > 1) };
}

/** The unit an axis title ends with, "rate (Hz)" -> "Hz". */
export function unitOf(title: string): string {
  return /\(([^()]*)\)\s*$/.exec(title)?.[1] ?? "";
}

/** Text that Plotly, which reads a little HTML, shows as it is. */
export function plain(words: string): string {
  return words.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
