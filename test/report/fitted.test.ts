import { beforeAll, expect, test } from "vitest";
import { type Check, predictiveCheck } from "../../src/fit/check.ts";
import { compare } from "../../src/fit/compare.ts";
import { type Fit, fit } from "../../src/fit/fit.ts";
import { type Posterior, posterior } from "../../src/fit/posterior.ts";
import { device } from "../../src/index.ts";
import type { CornerFigure, LineFigure, PanelFigure } from "../../src/report/figures.ts";
import { fitReport } from "../../src/report/fitted.ts";
import { metricRows } from "../../src/report/metrics.ts";
import { plotly } from "../../src/report/plotly.ts";
import { residualSummary, residualsOf } from "../../src/report/residuals.ts";
import { svg } from "../../src/report/svg.ts";
import { simulated } from "../fit/measured.ts";

/** Steps that shrink towards a bound, with a spread, and reads with noise. */
const model = device({
  name: "saturating",
  source: "test",
  equations: "G : S",
  initial: { G: "1 uS" },
  on: { set: "G = G + rate * (Gtop - G) + pulseSd * randn()" },
  read: "G + readSd * randn()",
  parameters: { rate: 0.1, Gtop: "20 uS", pulseSd: "0.2 uS", readSd: "0.1 uS" },
});

let fitted: Fit;
let draws: Posterior;
let check: Check;
beforeAll(async () => {
  const pulses = ["", ...Array.from({ length: 24 }, () => "set")];
  const [measurement] = await simulated({ devices: 20, pulses, first: () => 1e-6 }, model, 3);
  fitted = await fit(measurement, model, { seed: 1, starts: 8 });
  draws = posterior(fitted, { seed: 1, draws: 600 });
  check = await predictiveCheck(fitted, { seed: 1, replicates: 20 });
}, 60_000);

const own = (figure: unknown) => figure as PanelFigure & { panels: LineFigure[] };

test("residuals of the right model are standard normal numbers; of a wrong one they are not", () => {
  const { reads } = fitted.search.likelihood;
  const residuals = residualsOf(reads, fitted.prediction);
  const count = residuals.length;
  expect(count).toBe(20 * 24);
  const right = residualSummary(residuals, reads);
  const limit = 4.9; // normal: a false alarm in 1e6
  expect(Math.abs(right.mean)).toBeLessThan(limit / Math.sqrt(count));
  expect(Math.abs(right.sd - 1)).toBeLessThan(limit / Math.sqrt(2 * count));
  expect(Math.abs(right.succession)).toBeLessThan(limit / Math.sqrt(count));
  expect(Math.abs(right.within95 - 0.95)).toBeLessThan(limit * Math.sqrt((0.05 * 0.95) / count));
  const narrow = { ...fitted.prediction, spread: fitted.prediction.spread.map((spread) => spread / 1.3) };
  const wrong = residualSummary(residualsOf(reads, narrow), reads);
  expect(Math.abs(wrong.sd - 1)).toBeGreaterThan(limit / Math.sqrt(2 * count));
  expect(Math.abs(wrong.within95 - 0.95)).toBeGreaterThan(limit * Math.sqrt((0.05 * 0.95) / count));
});

test("the succession of residuals is that of neighbours in one sequence", () => {
  const reads = [0, 0, 0, 1, 1, 1].map((sequence, k) => ({ sequence, row: k % 3, value: 0 }));
  // mean 1/3, variance 16/15; within each sequence a residual is minus the one before, from 2 to 3 it is not
  const { succession, largest } = residualSummary(Float64Array.of(1, -1, 1, 1, -1, 1), reads);
  expect(succession).toBeCloseTo(((2 / 3) * (-4 / 3)) / (16 / 15), 12);
  expect(largest).toBe(1);
});

test("the report has the data with bands, residuals, the posterior and tables in the units of the model", () => {
  const others = compare([
    { name: "this", logLikelihood: fitted.logLikelihood, parameters: 4, observations: fitted.reads },
    { name: "another", logLikelihood: fitted.logLikelihood - 30, parameters: 3, observations: fitted.reads },
  ]);
  const report = fitReport({ fit: fitted, posterior: draws, check, comparison: others });
  expect(Object.keys(report.figures)).toEqual(["data", "steps", "predictions", "residuals", "posterior"]);
  for (const figure of Object.values(report.figures)) {
    expect(JSON.parse(JSON.stringify(figure))).toEqual(figure);
    expect(svg(figure)).not.toMatch(/NaN|Infinity|undefined/);
    expect(plotly(figure).data.length).toBeGreaterThan(0);
  }
  expect(own(report.figures.data).panels).toHaveLength(6); // of 20
  expect(report.figures.data.caption).toMatch(/20 times.* 6 of 20 sequences\.$/);
  expect((report.figures.posterior as CornerFigure).parameters.map(({ name }) => name)).toEqual([
    "rate",
    "Gtop (uS)",
    "pulseSd (uS)",
    "readSd (uS)",
  ]);
  const rows = report.metrics.parameters as {
    name: string;
    unit: string;
    value: number;
    from: number;
    to: number;
  }[];
  for (const [k, { name, unit, value, from, to }] of rows.entries()) {
    const { value: si, interval95, unit: written } = fitted.parameters[k];
    expect([name, unit]).toEqual([fitted.parameters[k].name, written]);
    const factor = unit === "uS" ? 1e-6 : 1;
    expect(value * factor).toBeCloseTo(si, 12);
    expect(from * factor).toBeCloseTo(interval95[0], 12);
    expect(to * factor).toBeCloseTo(interval95[1], 12);
  }
  const names = Object.keys(report.metrics).filter((name) => report.metrics[name] !== undefined);
  expect(Object.keys(report.meanings).sort()).toEqual(names.sort());
  const tables = metricRows(report.metrics, report.meanings).filter(({ table }) => table);
  expect(tables.map(({ name }) => name)).toEqual(["parameters", "checks", "models", "chain"]);
  const bare = fitReport({ fit: fitted });
  expect(Object.keys(bare.figures)).toEqual(["data", "steps", "predictions", "residuals"]);
  expect(bare.metrics.checks).toBeUndefined();
});

test("the bands of a prediction are 50 and 95 % of a normal read, in the unit of the axis", () => {
  const { figures, arrays } = fitReport({ fit: fitted });
  const [panel] = own(figures.predictions).panels;
  expect(panel.y.title).toBe("conductance (uS)");
  const { expected, spread } = fitted.prediction;
  const [, model] = panel.series;
  expect(model.bands).toHaveLength(2);
  for (let k = 0; k < 24; k++) {
    expect(model.y[k]).toBeCloseTo(1e6 * expected[k], 9);
    for (const [band, deviations] of [
      [0, 1.959964],
      [1, 0.6744898],
    ] as const) {
      expect(model.bands[band].high[k]).toBeCloseTo(1e6 * (expected[k] + deviations * spread[k]), 6);
      expect(model.bands[band].low[k]).toBeCloseTo(1e6 * (expected[k] - deviations * spread[k]), 6);
    }
  }
  const [measured] = panel.series;
  expect(measured.y).toHaveLength(25); // the first read, from which the sequence starts, is drawn too
  expect((arrays as { value: Float64Array }).value[0]).toBeCloseTo(1e-6 * (measured.y[1] as number), 15);
});

test("a posterior over decades is drawn on a logarithmic scale", () => {
  const values = draws.values.slice();
  for (let k = 0; k < draws.draws; k++) values[4 * k] = 10 ** (-6 + (6 * k) / draws.draws);
  const quantiles = [[1e-6, 1e-3, 1] as const, ...draws.quantiles.slice(1)];
  const { figures } = fitReport({ fit: fitted, posterior: { ...draws, values, quantiles } });
  const [first] = (figures.posterior as CornerFigure).parameters;
  expect(first.name).toBe("log10 rate");
  expect(first.median).toBeCloseTo(-3, 1);
});

test("reads over time lie on a logarithmic axis, and a sweep tells currents", async () => {
  const ageing = device({
    name: "ageing",
    source: "test",
    equations: "G : S",
    initial: { G: "G0" },
    on: { set: "G = G0" },
    drift: "G * (max(age, T0) / T0)^(-nu)",
    read: "Gd * (1 + readSd * randn())",
    current: "V * G",
    parameters: { nu: 0.05, T0: "1 s", readSd: 0.01, G0: "10 uS" },
  });
  const time = Array.from({ length: 30 }, (_, k) => 10 ** (k / 6));
  const [reads] = await simulated({ devices: 3, pulses: time.map(() => ""), time }, ageing, 1);
  const options = { seed: 1, starts: 4, start: "fabricated" } as const;
  const aged = fitReport({ fit: await fit(reads, ageing, { ...options, free: ["nu", "readSd"] }) });
  expect(own(aged.figures.predictions).panels[0].x).toMatchObject({ title: "time (s)", log: true });
  const voltage = Array.from({ length: 40 }, (_, k) => Math.sin((2 * Math.PI * (k + 0.5)) / 40));
  const times = voltage.map((_, k) => 0.01 * (k + 1));
  const [sweep] = await simulated(
    { devices: 2, pulses: voltage.map(() => ""), time: times, voltage },
    ageing,
    1,
  );
  for (const { values } of sweep.sequences)
    for (let k = 0; k < values.length; k++) values[k] += (k % 2 ? 1 : -1) * 1e-8; // an error of the meter
  const swept = fitReport({ fit: await fit(sweep, ageing, { ...options, free: ["G0"], residual: true }) });
  const [panel] = own(swept.figures.predictions).panels;
  expect(panel.y.title).toBe("current (uA)");
  expect(panel.x).toMatchObject({ title: "voltage (V)", log: false });
});
