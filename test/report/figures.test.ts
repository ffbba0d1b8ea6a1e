import fc from "fast-check";
import { expect, test } from "vitest";
import { raster } from "../../src/engine/raster.ts";
import { cornerPlot } from "../../src/report/corner.ts";
import { estimate } from "../../src/report/estimate.ts";
import {
  barPlot,
  type Figure,
  histogramPlot,
  imagePlot,
  linePlot,
  panelPlot,
  rasterPlot,
  scatterPlot,
} from "../../src/report/figures.ts";
import { plotly } from "../../src/report/plotly.ts";
import { svg } from "../../src/report/svg.ts";

const spikes = raster({ t: [0.1, 0.1, 0.25, 0.9], i: [0, 2, 1, 2] }, 3, 1);
const wanted = raster({ t: [0.11, 0.5], i: [0, 1] }, 3, 1);

const fitted = linePlot({
  x: [1, 2, 3],
  series: {
    model: {
      y: [1, 2, 3],
      band: [
        { low: [0, 1, Number.NaN], high: [2, 3, 4] },
        { low: [0.5, 1.5, 2.5], high: [1.5, 2.5, 3.5] },
      ],
      points: false,
    },
    one: { y: [1.1, 1.9, 3.2], faint: true, colour: 0 },
    measured: { y: [1, 2, 3], line: false, bars: true, band: { low: [0, 1, 2], high: [3, 4, 5] } },
  },
  xTitle: "pulse",
  yTitle: "G (uS)",
});

const figures: Record<string, Figure> = {
  raster: rasterPlot(spikes, {
    desired: wanted,
    title: "I & <B>",
    windows: [{ label: "I", from: "100 ms", to: "0.4 s" }],
  }),
  line: linePlot({
    x: [1, 10, 100],
    series: {
      ideal: [1, Number.NaN, 3],
      pcm: [
        [1, 2],
        [2, 3],
        [3, 4],
      ].map(estimate),
    },
    xTitle: "time (s)",
    yTitle: "recall",
    xLog: true,
    levels: [{ at: 2, label: "published" }],
  }),
  histogram: histogramPlot([0, 1, 1, 2, 4], { xTitle: "G (uS)", bins: 4 }),
  logHistogram: histogramPlot({ a: [0, 0, 0, 5], b: [1, 5] }, { xTitle: "G (uS)", bins: 5, yLog: true }),
  marked: histogramPlot([0, 1, 1, 2, 4], { xTitle: "T", marks: [{ at: 1.5, label: "measured <T>" }] }),
  fitted,
  scatter: scatterPlot({
    points: { a: { x: [1, 10, 0], y: [1, 2, 3] } },
    curves: { mean: { x: [1, 10], y: [1, 2], dashed: true } },
    xTitle: "G (uS)",
    yTitle: "residual",
    xLog: true,
    levels: [{ at: 0, label: "0" }],
  }),
  panels: panelPlot([fitted, { ...fitted, title: "2 & 3" }, histogramPlot([1, 2], { xTitle: "x" })], {
    title: "devices",
    across: 2,
  }),
  corner: cornerPlot(
    [
      [1, 2, 5],
      [2, 3, 5],
      [3, 1, 5],
    ],
    ["c1 (uS)", "<m1>", "fixed"],
    { truth: [1.5, 2, 5] },
  ),
  image: imagePlot([{ title: "I", rows: 2, columns: 2, values: [0, 1, Number.NaN, 3] }], {
    valueTitle: "rate (Hz)",
  }),
  bar: barPlot({ categories: ["a", "b"], series: { x: [1, -2], y: [estimate([1, 2]), 3] }, yTitle: "count" }),
};

/** Tags closed in order, attributes quoted, no bare & or <: enough of XML to catch a broken document. */
function expectWellFormed(document: string): void {
  const open: string[] = [];
  const pattern = /<(\/?)([a-zA-Z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|[^<]+/gy;
  let end = 0;
  for (const match of document.matchAll(pattern)) {
    end = match.index + match[0].length;
    const [all, close, name, , self] = match;
    if (name === undefined) expect(all.replace(/&(amp|lt|gt|quot|#39);/g, "")).not.toContain("&");
    else if (close) expect(open.pop()).toBe(name);
    else if (!self) open.push(name);
  }
  expect(end).toBe(document.length);
  expect(open).toEqual([]);
}

test.each(Object.entries(figures))(
  "a %s figure survives JSON and draws as well-formed SVG of finite numbers",
  (_, figure) => {
    expect(JSON.parse(JSON.stringify(figure))).toEqual(figure);
    const document = svg(figure);
    expectWellFormed(document);
    expect(document).not.toMatch(/NaN|Infinity|undefined|null/);
    expect(svg(structuredClone(figure))).toBe(document);
  },
);

test.each(Object.entries(figures))("a %s figure is plain JSON for Plotly too", (_, figure) => {
  const drawn = plotly(figure);
  expect(JSON.parse(JSON.stringify(drawn))).toEqual(drawn);
  expect(drawn.data.length).toBeGreaterThan(0);
});

test("words of a figure cannot become markup", () => {
  expect(svg(figures.raster)).toContain("I &amp; &lt;B&gt;");
  expect(svg(figures.raster)).not.toContain("<B>");
  const attack = linePlot({ series: { "</text><script>": [1, 2] }, xTitle: "\u0000x", yTitle: '"' });
  expectWellFormed(svg(attack));
  expect(svg(attack)).not.toContain("<script");
});

test("each spike is one stroke, at its time and in its row, to a quarter of a unit", () => {
  const document = svg(rasterPlot(spikes));
  const plane = /<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"\/><\/clipPath>/.exec(
    document,
  );
  const [left, top, width, height] = (plane ?? []).slice(1).map(Number);
  const path = /<path transform="scale\(.25\)" d="([^"]*)"/.exec(document)?.[1] ?? "";
  let [x, y] = [0, 0];
  const middles: [number, number][] = [];
  for (const [, move, a, b, length] of path.matchAll(/([Mm])(-?\d+)[ ]?(-?\d+)v(\d+)/g)) {
    [x, y] = move === "M" ? [Number(a), Number(b)] : [x + Number(a), y + Number(b)];
    middles.push([x / 4, y / 4 + Number(length) / 8]);
    y += Number(length);
  }
  expect(middles).toHaveLength(spikes.t.length);
  const places = Array.from(spikes.t, (t, k) => [
    left + t * width,
    top + height * (1 - (spikes.i[k] + 0.5) / 3),
  ]);
  for (const [px, py] of places)
    expect(middles.some(([mx, my]) => Math.abs(mx - px) <= 0.125 && Math.abs(my - py) <= 0.25)).toBe(true);
});

test("a raster of 100,000 spikes stays below 650 kB, and equal places are drawn once", () => {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const t = Array.from({ length: 100_000 }, random);
  const i = t.map(() => Math.floor(4000 * random()));
  const big = rasterPlot(raster({ t, i }, 4000, 1));
  expect(svg(big).length).toBeLessThan(650_000);
  expect(JSON.stringify(plotly(big)).length).toBeLessThan(1_200_000);
  const same = rasterPlot(
    raster({ t: new Float64Array(100_000).fill(0.5), i: new Uint32Array(100_000) }, 1, 1),
  );
  expect(svg(same).length).toBeLessThan(4000);
});

test("beyond 200,000 spikes every k-th cell is drawn, and the caption says so", () => {
  const count = 500_000;
  const t = Float64Array.from({ length: count }, (_, k) => k / count);
  const i = Uint32Array.from({ length: count }, (_, k) => k % 100);
  const figure = rasterPlot({ t, i, size: 100, duration: 1 }, { caption: "All cells." });
  expect(figure.caption).toMatchInlineSnapshot(`"All cells. Every 3rd cell is drawn."`);
  expect(new Set(figure.spikes.y)).toEqual(new Set(Array.from({ length: 34 }, (_, k) => 3 * k)));
});

test("a histogram counts every value within its edges once, the last edge included", () => {
  expect(figures.histogram).toMatchObject({ edges: [0, 1, 2, 3, 4], series: [{ counts: [1, 2, 1, 1] }] });
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 60 }),
      fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
      (values, bins) => {
        const { series, edges } = histogramPlot(values, { xTitle: "x", ...(bins ? { bins } : {}) });
        expect(series[0].counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
        expect(edges[0]).toBeLessThanOrEqual(Math.min(...values));
        expect(edges.at(-1)).toBeGreaterThanOrEqual(Math.max(...values));
      },
    ),
    { seed: 9, numRuns: 300 },
  );
  const { series, edges } = histogramPlot([1, 2, 3, 10], { xTitle: "x", density: true });
  expect(series[0].counts.reduce((sum, density) => sum + density * (edges[1] - edges[0]), 0)).toBeCloseTo(
    1,
    12,
  );
});

test("bins of values on a lattice are whole steps around them, so that equal counts look equal", () => {
  const counts = Array.from({ length: 6000 }, (_, k) => 0.1 + 2 * (k % 17)); // 17 rates, 2 Hz apart
  const { edges, series } = histogramPlot(counts, { xTitle: "rate (Hz)" });
  const perBin = (edges[1] - edges[0]) / 2;
  expect(Math.abs(perBin - Math.round(perBin))).toBeLessThan(1e-9);
  expect(edges[0]).toBeCloseTo(-0.9, 12);
  const whole = series[0].counts.slice(0, -1); // the last may be cut
  expect(Math.max(...whole) - Math.min(...whole)).toBeLessThanOrEqual(Math.ceil(perBin));
  expect(series[0].counts.reduce((sum, count) => sum + count, 0)).toBe(6000);
});

test("estimates bring their interval, gaps are null, wrong lengths are errors", () => {
  const { series } = figures.line as ReturnType<typeof linePlot>;
  expect(series[0].y).toEqual([1, null, 3]);
  expect(series[1].y).toEqual([1.5, 2.5, 3.5]);
  expect(series[1].bands[0].low[0]).toBeCloseTo(1.5 - 12.706204736 * 0.5, 6);
  expect(() =>
    linePlot({ x: [1], series: { a: [1, 2] }, xTitle: "", yTitle: "" }),
  ).toThrowErrorMatchingInlineSnapshot(`[RangeError: series a has 2 values at 1 places of x]`);
  expect(() =>
    imagePlot([{ title: "B", rows: 2, columns: 2, values: [1] }], { valueTitle: "" }),
  ).toThrowErrorMatchingInlineSnapshot(`[RangeError: image B has 1 values for 2 by 2 pixels]`);
  expect(() =>
    barPlot({ categories: ["a"], series: { x: [] }, yTitle: "" }),
  ).toThrowErrorMatchingInlineSnapshot(`[RangeError: series x has 0 bars for 1 categories]`);
  expect(() =>
    rasterPlot(spikes, { desired: raster({ t: [], i: [] }, 4, 1) }),
  ).toThrowErrorMatchingInlineSnapshot(`[RangeError: a raster of 3 cells cannot be drawn over one of 4]`);
});

test("bands lie under all curves, the widest first, and faint curves under the others", () => {
  const whole = svg(fitted);
  const document = whole.slice(whole.indexOf("<g clip-path=")); // the legend comes before
  const fills = [...document.matchAll(/fill="rgba\(0,114,178,0\.16\)"/g)].map(({ index }) => index);
  const faint = document.indexOf("stroke-opacity");
  const model = document.indexOf('stroke-width="1.8"');
  expect(fills).toHaveLength(2);
  expect(Math.max(...fills)).toBeLessThan(faint);
  expect(faint).toBeLessThan(model);
  const { data } = plotly(fitted);
  expect(data.map(({ fill, x, y }) => [fill, x, y])).toEqual([
    ["toself", [1, 2, 2, 1, 1, null], [2, 3, 1, 0, 2, null]], // where an end is missing, there is no band
    ["toself", [1, 2, 3, 3, 2, 1, 1, null], [1.5, 2.5, 3.5, 2.5, 1.5, 0.5, 1.5, null]],
    [undefined, [1, 2, 3], [1, 2, 3]],
    [undefined, [1, 2, 3], [1.1, 1.9, 3.2]],
    [undefined, [1, 2, 3], [1, 2, 3]],
  ]);
  expect(data[4].error_y).toMatchObject({ array: [2, 2, 2], arrayminus: [1, 1, 1] });
});

test("a point is drawn where it lies, and equal ones once", () => {
  const figure = scatterPlot({
    points: { a: { x: [0, 10, 5, 5], y: [0, 10, 5, 5] } },
    xTitle: "x",
    yTitle: "y",
    xRange: [0, 10],
    yRange: [0, 10],
  });
  const document = svg(figure);
  const plane = /<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"\/><\/clipPath>/.exec(
    document,
  );
  const [left, top, width, height] = (plane ?? []).slice(1).map(Number);
  const dots = [...document.matchAll(/M([\d.]+) ([\d.]+)h0/g)].map(([, x, y]) => [Number(x), Number(y)]);
  const places = [
    [left, top + height],
    [left + width, top],
    [left + width / 2, top + height / 2],
  ];
  expect(dots).toEqual(places.map((place) => place.map((at) => Math.round(10 * at) / 10)));
});

test("panels keep their own planes and axes, and name what they share once", () => {
  const same = panelPlot([fitted, fitted, fitted], { across: 3 });
  const document = svg(same);
  for (const k of [0, 1, 2]) expect(document).toContain(`<clipPath id="plane${k}">`);
  expect(document.match(/>measured</g)).toHaveLength(1);
  const { data, layout } = plotly(same);
  expect(new Set(data.map(({ xaxis }) => xaxis))).toEqual(new Set(["x", "x2", "x3"]));
  expect(Object.keys(layout).filter((key) => key.startsWith("xaxis"))).toHaveLength(3);
  const shown = data.filter(({ showlegend }) => showlegend).map(({ name }) => name);
  expect(shown).toEqual(["model", "one", "measured"]);
});
