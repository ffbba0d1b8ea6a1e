/**
 * Figures as Plotly traces and layout, for the report in a browser.
 *
 * Same colours, ranges and words as `svg.ts`. Long columns are packed as base64 of float32: a tenth of the text, and
 * a pixel cannot tell.
 */

import type { BarFigure, Figure, HistogramFigure, ImageFigure, LineFigure, RasterFigure } from "./figures.ts";
import { colourStops, desiredColour, faded, ink, palette, producedColour } from "./palette.ts";
import { histogramRange, levelSide, lineRanges, rasterHeight } from "./svg.ts";

type Json = Record<string, unknown>;

/** What `Plotly.newPlot` takes, as JSON. */
export interface PlotlyFigure {
  readonly data: Json[];
  readonly layout: Json;
}

/** Spikes from which a raster is drawn by WebGL; below, as SVG, which prints sharper. */
const manySpikes = 4000;

/** Traces and layout of a figure; the title is left to the page around it. */
export function plotly(figure: Figure): PlotlyFigure {
  switch (figure.kind) {
    case "raster":
      return raster(figure);
    case "line":
      return lines(figure);
    case "histogram":
      return histogram(figure);
    case "image":
      return images(figure);
    case "bar":
      return bars(figure);
  }
}

const base: Json = {
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

function axis(title: string, more: Json = {}): Json {
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

function layout(more: Json, named: boolean): Json {
  const margin = { ...(base.margin as Json), ...(named ? { t: 36 } : {}) };
  return { ...base, margin, showlegend: named, ...more };
}

/** A column of numbers, packed when long. */
function packed(values: readonly (number | null)[]): unknown {
  if (values.length < 1000 || values.includes(null)) return values;
  const bytes = new Uint8Array(Float32Array.from(values as number[]).buffer);
  let binary = "";
  for (let k = 0; k < bytes.length; k += 0x8000)
    binary += String.fromCharCode(...bytes.subarray(k, k + 0x8000));
  return { dtype: "f4", bdata: btoa(binary) };
}

function raster(figure: RasterFigure): PlotlyFigure {
  const { spikes, desired, size, stretches, xRange } = figure;
  const height = rasterHeight(size);
  const type = spikes.x.length + (desired?.x.length ?? 0) > manySpikes ? "scattergl" : "scatter";
  const length = Math.max(2, Math.min(8, (0.8 * height) / size));
  const trace = (name: string, dots: RasterFigure["spikes"], colour: string, weight: number) => ({
    type,
    mode: "markers",
    name,
    x: packed(dots.x),
    y: packed(dots.y),
    marker: { symbol: "line-ns-open", size: length, color: colour, line: { width: weight, color: colour } },
    hovertemplate: `${figure.yTitle} %{y}<br>%{x:.5~g} ${unitOf(figure.xTitle)}<extra>${name}</extra>`,
  });
  const named = desired !== undefined;
  const data = [
    ...(desired ? [trace("desired", desired, desiredColour, 3.5)] : []),
    trace(
      named ? "produced" : "",
      spikes,
      named ? producedColour : palette[0],
      spikes.x.length > 20_000 ? 0.8 : 1.3,
    ),
  ];
  const shapes = stretches.map(({ from, to }) => ({
    type: "rect",
    layer: "below",
    xref: "x",
    yref: "paper",
    x0: from,
    x1: to,
    y0: 0,
    y1: 1,
    fillcolor: ink.shade,
    line: { width: 0 },
  }));
  const annotations = stretches.map(({ label, from, to }) => ({
    text: plain(label),
    x: (from + to) / 2,
    xref: "x",
    y: 1,
    yref: "paper",
    yanchor: "bottom",
    showarrow: false,
    font: { color: ink.quiet },
  }));
  const labelled = stretches.some(({ label }) => label !== "") ? 22 : 0;
  const above = {
    margin: { ...(base.margin as Json), t: (named ? 36 : 12) + labelled },
    legend: { ...(base.legend as Json), y: 1 + (labelled + 4) / height, itemsizing: "constant" },
  };
  const x = axis(figure.xTitle, { range: xRange, showgrid: false });
  const cells = size <= 6 ? { tick0: 0, dtick: 1 } : {}; // no half cells
  const y = axis(figure.yTitle, { range: [-0.5, size - 0.5], showgrid: false, ...cells });
  return {
    data,
    layout: layout({ height: height + 110, xaxis: x, yaxis: y, shapes, annotations, ...above }, named),
  };
}

function lines(figure: LineFigure): PlotlyFigure {
  const ranges = lineRanges(figure);
  const data: Json[] = [];
  for (const [k, series] of figure.series.entries()) {
    const colour = palette[k % palette.length];
    const x = packed(series.x);
    const group = {
      legendgroup: String(k),
      hoverinfo: "skip",
      showlegend: false,
      mode: "lines",
      type: "scatter",
      x,
    };
    if (series.low && series.high) {
      data.push({ ...group, y: packed(series.low), line: { width: 0 } });
      data.push({
        ...group,
        y: packed(series.high),
        line: { width: 0 },
        fill: "tonexty",
        fillcolor: faded(colour, 0.16),
      });
    }
    data.push({
      type: "scatter",
      mode: [series.line ? "lines" : "", series.points ? "markers" : ""].filter(Boolean).join("+"),
      name: plain(series.name),
      legendgroup: String(k),
      x,
      y: packed(series.y),
      line: { color: colour, width: 2, ...(series.dashed ? { dash: "dash" } : {}) },
      marker: { color: colour, size: 6 },
    });
  }
  const shapes = figure.levels.map(({ at }) => ({
    type: "line",
    xref: "paper",
    x0: 0,
    x1: 1,
    y0: at,
    y1: at,
    line: { color: ink.quiet, width: 1, dash: "dot" },
  }));
  const annotations = figure.levels.map(({ at, label }) => ({
    text: plain(label),
    xref: "paper",
    x: levelSide(figure, at) === "left" ? 0 : 1,
    xanchor: levelSide(figure, at),
    y: figure.y.log ? Math.log10(at) : at,
    yanchor: "bottom",
    showarrow: false,
    font: { color: ink.quiet, size: 11 },
    bgcolor: "rgba(255,255,255,0.75)",
    borderpad: 1,
  }));
  const drawn = (of: LineFigure["x"], range: readonly [number, number]) =>
    axis(of.title, of.log ? logAxis(range) : { range });
  const named = figure.series.length > 1 || figure.series[0]?.name !== "";
  return {
    data,
    layout: layout(
      {
        height: 400,
        xaxis: drawn(figure.x, ranges.x),
        yaxis: drawn(figure.y, ranges.y),
        shapes,
        annotations,
      },
      named,
    ),
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

function histogram(figure: HistogramFigure): PlotlyFigure {
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
  const more = {
    height: 360,
    barmode: "overlay",
    bargap: 0,
    xaxis: axis(figure.xTitle, { range: [edges[0], edges[edges.length - 1]], showgrid: false }),
    yaxis: figure.yLog ? axis(figure.yTitle, logAxis(histogramRange(figure))) : axis(figure.yTitle),
  };
  return { data, layout: layout(more, series.length > 1) };
}

function bars(figure: BarFigure): PlotlyFigure {
  const data = figure.series.map(({ name, y, low, high }, k) => ({
    type: "bar",
    name: plain(name),
    x: figure.categories.map(plain),
    y,
    marker: { color: palette[k % palette.length] },
    ...(low && high
      ? {
          error_y: {
            type: "data",
            symmetric: false,
            array: high.map((value, j) => (value ?? y[j] ?? 0) - (y[j] ?? 0)),
            arrayminus: low.map((value, j) => (y[j] ?? 0) - (value ?? y[j] ?? 0)),
            color: ink.text,
            thickness: 1.2,
          },
        }
      : {}),
  }));
  const more = {
    height: 360,
    barmode: "group",
    bargap: 0.28,
    xaxis: axis("", { type: "category", showgrid: false }),
    yaxis: axis(figure.yTitle),
  };
  return { data, layout: layout(more, figure.series.length > 1) };
}

function images(figure: ImageFigure): PlotlyFigure {
  const across = Math.min(figure.across, figure.images.length);
  const down = Math.ceil(figure.images.length / across);
  const titled = figure.images.some(({ title }) => title !== "");
  const gap = 0.03;
  const wide = (1 - gap * (across - 1)) / across;
  const gapDown = titled ? 0.13 / down + 0.02 : gap;
  const tall = (1 - gapDown * (down - 1)) / down;
  const data: Json[] = [];
  const axes: Json = {};
  const annotations: Json[] = [];
  for (const [k, image] of figure.images.entries()) {
    const suffix = k === 0 ? "" : String(k + 1);
    const left = (k % across) * (wide + gap);
    const top = 1 - Math.floor(k / across) * (tall + gapDown);
    const z = Array.from({ length: image.rows }, (_, r) =>
      image.values.slice(r * image.columns, (r + 1) * image.columns),
    );
    data.push({
      type: "heatmap",
      name: plain(image.title),
      z,
      xaxis: `x${suffix}`,
      yaxis: `y${suffix}`,
      coloraxis: "coloraxis",
      hovertemplate: `row %{y}, column %{x}<br>%{z:.4~g} ${unitOf(figure.valueTitle)}<extra></extra>`,
    });
    const quiet = { showgrid: false, zeroline: false, showticklabels: false, ticks: "", constrain: "domain" };
    axes[`xaxis${suffix}`] = {
      ...quiet,
      ...frameLine,
      domain: [left, left + wide],
      anchor: `y${suffix}`,
      range: [-0.5, image.columns - 0.5],
    };
    axes[`yaxis${suffix}`] = {
      ...quiet,
      ...frameLine,
      domain: [Math.max(0, top - tall), top],
      anchor: `x${suffix}`,
      range: [image.rows - 0.5, -0.5],
      scaleanchor: `x${suffix}`,
    };
    if (image.title)
      annotations.push({
        text: plain(image.title),
        x: (image.columns - 1) / 2,
        xref: `x${suffix}`,
        y: -0.5,
        yref: `y${suffix}`,
        yanchor: "bottom",
        showarrow: false,
      });
  }
  const coloraxis = {
    cmin: figure.range[0],
    cmax: figure.range[1],
    colorscale: colourStops(figure.scale),
    colorbar: {
      title: { text: figure.valueTitle, side: "top", font: { color: ink.quiet } },
      thickness: 12,
      outlinewidth: 0,
      len: 0.95,
    },
  };
  const height = Math.min(900, 40 + down * (across > 4 ? 150 : across > 1 ? 270 : 360));
  return {
    data,
    layout: { ...base, margin: { l: 12, r: 12, t: 32, b: 12 }, height, ...axes, annotations, coloraxis },
  };
}

const frameLine: Json = { showline: true, linecolor: ink.frame, mirror: true };

/** The unit an axis title ends with, "rate (Hz)" -> "Hz". */
function unitOf(title: string): string {
  return /\(([^()]*)\)\s*$/.exec(title)?.[1] ?? "";
}

/** Text that Plotly, which reads a little HTML, shows as it is. */
function plain(words: string): string {
  return words.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
