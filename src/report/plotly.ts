/** Figures as Plotly traces and layout, for the report in a browser: same colours, ranges and words as `svg.ts`. */

import { intervalText, topFirst } from "./corner.ts";
import type {
  BarFigure,
  CornerFigure,
  Figure,
  ImageFigure,
  PanelFigure,
  PlacementFigure,
  RasterFigure,
} from "./figures.ts";
import { colourStops, desiredColour, faded, ink, palette, producedColour } from "./palette.ts";
import { arrayPlane, groupsOf, matrixColour } from "./placement.ts";
import { rasterHeight } from "./svg.ts";
import {
  axis,
  base,
  histogram,
  type Json,
  layout,
  lines,
  type PlotlyFigure,
  packed,
  plain,
  unitOf,
} from "./traces.ts";

export type { PlotlyFigure } from "./traces.ts";

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
    case "panels":
      return panels(figure);
    case "corner":
      return corner(figure);
    case "placement":
      return placement(figure);
  }
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

type Layouts = Readonly<Record<string, Json>>;

/** Figures of one plane in rows, each with axes of its own; what they name alike is in the legend once. */
function panels({ panels, across }: PanelFigure): PlotlyFigure {
  const down = Math.ceil(panels.length / across);
  const height = 60 + 250 * down;
  const wide = 1 / across;
  const tall = 1 / down;
  const data: Json[] = [];
  const axes: Json = {};
  const shapes: Json[] = [];
  const annotations: Json[] = [];
  const known = new Set<unknown>();
  for (const [k, panel] of panels.entries()) {
    const drawn = panel.kind === "line" ? lines(panel) : histogram(panel);
    const suffix = k === 0 ? "" : String(k + 1);
    const own = (ref: unknown) => String(ref).replace(/^[xy]/, (letter) => `${letter}${suffix}`);
    for (const trace of drawn.data) {
      const first = trace.showlegend !== false && !known.has(trace.name);
      if (first) known.add(trace.name);
      data.push({ ...trace, xaxis: `x${suffix}`, yaxis: `y${suffix}`, showlegend: first });
    }
    const left = (k % across) * wide;
    const top = 1 - Math.floor(k / across) * tall;
    const { xaxis, yaxis } = drawn.layout as Layouts;
    const smaller = { automargin: false, nticks: 5, tickfont: { size: 10 } };
    axes[`xaxis${suffix}`] = {
      ...xaxis,
      ...smaller,
      domain: [left + 0.22 * wide * (across > 1 ? 1 : 0.2), left + 0.97 * wide],
      anchor: `y${suffix}`,
    };
    axes[`yaxis${suffix}`] = {
      ...yaxis,
      ...smaller,
      domain: [top - tall + 52 / (250 * down), top - 26 / (250 * down)],
      anchor: `x${suffix}`,
    };
    for (const shape of drawn.layout.shapes as Json[])
      shapes.push({ ...shape, xref: own(shape.xref), yref: own(shape.yref) });
    for (const note of drawn.layout.annotations as Json[])
      annotations.push({ ...note, xref: own(note.xref), yref: own(note.yref) });
    if (panel.title)
      annotations.push({
        text: plain(panel.title),
        x: 0,
        xref: `x${suffix} domain`,
        xanchor: "left",
        y: 1,
        yref: `y${suffix} domain`,
        yanchor: "bottom",
        showarrow: false,
        font: { size: 12, weight: 600 },
      });
  }
  const named = data.some((trace) => trace.showlegend === true && trace.name !== "");
  const more = { height, barmode: "overlay", bargap: 0, ...axes, shapes, annotations };
  return { data, layout: layout({ ...more, margin: { l: 12, r: 12, t: named ? 36 : 8, b: 8 } }, named) };
}

function corner({ parameters, pairs }: CornerFigure): PlotlyFigure {
  const count = parameters.length;
  const size = Math.max(110, Math.min(240, 840 / count));
  const data: Json[] = [];
  const axes: Json = {};
  const shapes: Json[] = [];
  const annotations: Json[] = [];
  const middles = (edges: readonly number[]) => edges.slice(1).map((edge, k) => (edge + edges[k]) / 2);
  const guide = (x: string, at: number, colour: string, dash: string, upright = true): Json => ({
    type: "line",
    xref: upright ? x : `${x} domain`,
    yref: upright ? `${x.replace("x", "y")} domain` : x.replace("x", "y"),
    ...(upright ? { x0: at, x1: at, y0: 0, y1: 1 } : { x0: 0, x1: 1, y0: at, y1: at }),
    line: { color: colour, width: 1, dash },
  });
  let cell = 0;
  for (const [row, of] of parameters.entries())
    for (let column = 0; column <= row; column++) {
      const against = parameters[column];
      const suffix = cell++ === 0 ? "" : String(cell);
      const [x, y] = [`x${suffix}`, `y${suffix}`];
      const quiet = { showgrid: false, nticks: 4, tickfont: { size: 10 }, mirror: true, automargin: true };
      const last = row === count - 1;
      const ends = (edges: readonly number[]) => [edges[0], edges[edges.length - 1]];
      axes[`xaxis${suffix}`] = {
        ...axis(last ? against.name : ""),
        ...quiet,
        showticklabels: last,
        ticks: last ? "outside" : "",
        range: ends(against.edges),
        domain: [column / count, (column + 0.94) / count],
        anchor: y,
        ...(last ? {} : { matches: axisOf(count - 1, column, "x") }),
      };
      const labelled = column === 0 && row > 0;
      axes[`yaxis${suffix}`] = {
        ...axis(labelled ? of.name : ""),
        ...quiet,
        showticklabels: labelled,
        ticks: labelled ? "outside" : "",
        ...(row === column ? { rangemode: "tozero" } : { range: ends(of.edges) }),
        domain: [1 - (row + 0.94) / count, 1 - row / count - 0.06 / count],
        anchor: x,
        ...(row === column || column === 0 ? {} : { matches: axisOf(row, 0, "y") }),
      };
      if (row === column) {
        data.push({
          type: "bar",
          x: middles(of.edges),
          y: of.counts,
          width: of.edges[1] - of.edges[0],
          marker: { color: faded(palette[0], 0.45), line: { color: palette[0], width: 0.5 } },
          xaxis: x,
          yaxis: y,
          hovertemplate: "%{x:.4~g}: %{y}<extra></extra>",
        });
        shapes.push(guide(x, of.median, ink.text, "solid"));
        for (const end of of.interval95) shapes.push(guide(x, end, ink.text, "dash"));
        annotations.push({
          text: plain(`${of.name}: ${intervalText(of.median, of.interval95)}`),
          x: 0,
          xref: `${x} domain`,
          xanchor: "left",
          y: 1,
          yref: `${y} domain`,
          yanchor: "bottom",
          showarrow: false,
          font: { size: 11 },
        });
      } else {
        const columns = against.counts.length;
        const counts = topFirst(pairs[row][column], columns);
        data.push({
          type: "heatmap",
          x: middles(against.edges),
          y: middles(of.edges).reverse(),
          z: of.counts.map((_, k) => counts.slice(k * columns, (k + 1) * columns)),
          colorscale: colourStops("sequential"),
          zmin: 0,
          showscale: false,
          xaxis: x,
          yaxis: y,
          hovertemplate: "%{x:.4~g}, %{y:.4~g}: %{z}<extra></extra>",
        });
        if (of.truth !== undefined) shapes.push(guide(x, of.truth, palette[1], "solid", false));
      }
      if (against.truth !== undefined) shapes.push(guide(x, against.truth, palette[1], "solid"));
    }
  const margin = { l: 24, r: 12, t: 24, b: 24 };
  const height = Math.round(size * count + 90);
  return { data, layout: { ...base, margin, height, bargap: 0, ...axes, shapes, annotations } };
}

/** The name of an axis of a corner plot, whose cells are numbered row by row. */
function axisOf(row: number, column: number, letter: "x" | "y"): string {
  const cell = (row * (row + 1)) / 2 + column;
  return cell === 0 ? letter : `${letter}${cell + 1}`;
}

/** One plane with all arrays, a trace for each matrix. */
function placement(figure: PlacementFigure): PlotlyFigure {
  const tall = 560;
  const { at, ...size } = arrayPlane(figure, 560, tall);
  const data: Json[] = figure.matrices.map(({ name, rows, columns }, k) => {
    const own = figure.pieces.filter(({ matrix }) => matrix === k);
    const x: (number | null)[] = [];
    const y: (number | null)[] = [];
    for (const piece of own) {
      const groups = groupsOf(piece);
      const [gw, gh] = [piece.columns / groups, piece.rows / groups];
      for (let g = 0; g < groups; g++) {
        const left = at[piece.array].left + piece.left + g * gw;
        const top = at[piece.array].top + piece.top + g * gh;
        x.push(left, left + gw, left + gw, left, left, null);
        y.push(top, top, top + gh, top + gh, top, null);
      }
    }
    const partly = own.some((piece) => groupsOf(piece) > 1) ? `, ${groupsOf(own[0])} groups` : "";
    return {
      type: "scatter",
      mode: "lines",
      fill: "toself",
      hoveron: "fills",
      name: plain(`${k + 1} ${name}`),
      text: plain(`${name}: ${rows} inputs x ${columns} outputs${partly}`),
      hoverinfo: "text",
      x,
      y,
      fillcolor: faded(matrixColour(k), 0.75),
      line: { color: matrixColour(k), width: own.length > 100 ? 0.3 : 1 },
    };
  });
  const box = (left: number, top: number, columns: number, rows: number, fill: string, line: Json): Json => ({
    type: "rect",
    layer: "below",
    ...{ x0: left, y0: top, x1: left + columns, y1: top + rows },
    fillcolor: fill,
    line,
  });
  const shapes = [
    ...at.map(({ left, top }) =>
      box(left, top, figure.columns, figure.rows, ink.shade, { color: ink.frame, width: 0.75 }),
    ),
    ...figure.pieces
      .filter((piece) => groupsOf(piece) > 1)
      .map((piece) => {
        const place = at[piece.array];
        const colour = faded(matrixColour(piece.matrix), 0.18);
        const [left, top] = [place.left + piece.left, place.top + piece.top];
        return box(left, top, piece.columns, piece.rows, colour, { width: 0 });
      }),
  ];
  const quiet = { showgrid: false, zeroline: false, showticklabels: false, ticks: "", constrain: "domain" };
  const xaxis = {
    ...quiet,
    range: [0, size.width],
    title: { text: `arrays of ${figure.rows} inputs x ${figure.columns} outputs` },
  };
  const yaxis = { ...quiet, range: [size.height, 0], scaleanchor: "x" };
  const more = { height: tall + 60, xaxis, yaxis, shapes };
  const drawn = layout(more, true);
  const legend = {
    ...(base.legend as Json),
    orientation: "v",
    x: 1.02,
    xanchor: "left",
    y: 1,
    yanchor: "top",
  };
  return { data, layout: { ...drawn, legend, margin: { l: 12, r: 12, t: 12, b: 30 } } };
}
