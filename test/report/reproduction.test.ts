import { expect, test } from "vitest";
import { predictiveCheck } from "../../src/fit/check.ts";
import { type Fit, fit } from "../../src/fit/fit.ts";
import { device } from "../../src/index.ts";
import type { LineFigure, PanelFigure, Series } from "../../src/report/figures.ts";
import { dataFigure, fitReport } from "../../src/report/fitted.ts";
import { spectrumFigure, stepFigure } from "../../src/report/reproduction.ts";
import { simulated } from "../fit/measured.ts";

const steps = device({
  name: "both ways",
  source: "test",
  equations: "G : S",
  initial: { G: "1 uS" },
  on: {
    up: "G = G + rate * (Gtop - G) + pulseSd * randn()",
    down: "G = G - rate * G + pulseSd * randn()",
  },
  read: "G + readSd * randn()",
  parameters: { rate: 0.05, Gtop: "20 uS", pulseSd: "0.2 uS", readSd: "0.1 uS" },
});
const ramps = {
  devices: 4,
  pulses: ["", ...new Array<string>(60).fill("up"), ...new Array<string>(60).fill("down")],
  first: () => 1e-6,
};
const micro = { quantity: "conductance", unit: "uS", perUnit: 1e6 };
const panelsOf = (figure: unknown) => (figure as PanelFigure).panels as LineFigure[];
const seriesOf = ({ series }: LineFigure, name: string) =>
  series.find((each) => each.name.startsWith(name)) as Series;

/** How far means of data are from those expected, in standard errors of a bin of that size. */
function distances(panel: LineFigure): number[] {
  const [data, model] = [seriesOf(panel, "data"), seriesOf(panel, "model")];
  const drawn = seriesOf(panel, "a step").x;
  const width = data.x[1] - data.x[0];
  return data.x.map((at, k) => {
    const count = drawn.filter((x) => Math.abs(x - at) <= width / 2).length; // all are drawn here
    const sd = ((model.bands[0].high[k] as number) - (model.bands[0].low[k] as number)) / 2;
    return Math.abs((data.y[k] as number) - (model.y[k] as number)) / (sd / Math.sqrt(count));
  });
}

test("steps of the data lie about those expected by the right model, and not by one without saturation", async () => {
  const [measurement] = await simulated(ramps, steps, 7);
  const right = await fit(measurement, steps, { seed: 1, starts: 8 });
  const panels = panelsOf(stepFigure(right, micro));
  expect(panels.map(({ title }) => title)).toEqual(["up", "down"]);
  const close = panels.flatMap(distances);
  expect(close.length).toBeGreaterThan(20);
  expect(Math.max(...close)).toBeLessThan(5.6); // of 40 normal numbers: a false alarm in 1e6

  const flat = device({
    ...steps.definition,
    on: { up: "G = G + step + pulseSd * randn()", down: "G = G - step + pulseSd * randn()" },
    parameters: { step: "0.5 uS", pulseSd: "0.2 uS", readSd: "0.1 uS" },
  });
  const wrong = await fit(measurement, flat, { seed: 1, starts: 8 });
  const far = panelsOf(stepFigure(wrong, micro)).flatMap(distances);
  expect(Math.max(...far)).toBeGreaterThan(5.6);
});

test("a model without named pulses has no steps; data that are not evenly timed have no spectrum", async () => {
  const still = device({
    name: "still",
    source: "test",
    equations: "G : S",
    initial: { G: "10 uS" },
    on: { set: "G = 10 * 1e-6 * Gunit" },
    read: "G + readSd * randn()",
    parameters: { Gunit: "1 S", readSd: "0.1 uS" },
  });
  const count = 1024;
  const even = { devices: 1, pulses: new Array<string>(count).fill(""), first: () => 1e-5 };
  const time = Array.from({ length: count }, (_, n) => 0.1 * n);
  const [reads] = await simulated({ ...even, time }, still, 3);
  const fitted: Fit = await fit(reads, still, { seed: 1, starts: 4 });
  expect(stepFigure(fitted, micro)).toBeUndefined();
  const { examples } = await predictiveCheck(fitted, { seed: 2, replicates: 30 });
  expect(examples).toHaveLength(30);
  const spectrum = spectrumFigure(reads, examples, micro) as LineFigure;
  const [model, data] = spectrum.series;
  // white noise of variance 0.01 uS^2 over half of 10 Hz
  const level = 0.01 / 5;
  const inner = model.y.slice(2, -1) as number[];
  for (const value of inner) expect(Math.abs(value / level - 1)).toBeLessThan(0.5);
  const inside = data.y.filter(
    (value, f) =>
      (value as number) >= (model.bands[0].low[f] as number) &&
      (value as number) <= (model.bands[0].high[f] as number),
  );
  expect(inside.length / data.y.length).toBeGreaterThan(0.7);

  const uneven = time.map((t) => t ** 1.2);
  const [other] = await simulated({ ...even, time: uneven }, still, 3);
  expect(spectrumFigure(other, examples, micro)).toBeUndefined();
  const [untimed] = await simulated(even, still, 3);
  expect(spectrumFigure(untimed, examples, micro)).toBeUndefined();
});

test("a profile is drawn in the units of the model, and falls to 3.84 at the ends of its interval", async () => {
  const [measurement] = await simulated({ ...ramps, devices: 1 }, steps, 11);
  const fitted = await fit(measurement, steps, { seed: 1, starts: 8, intervals: "profile" });
  const { figures } = fitReport({ fit: fitted });
  const panels = panelsOf(figures.profiles);
  expect(panels.map(({ x }) => x.title)).toEqual(["rate", "Gtop (uS)", "pulseSd (uS)", "readSd (uS)"]);
  panels.forEach((panel, k) => {
    const { interval95, unit, value } = fitted.parameters[k];
    const factor = unit === "uS" ? 1e-6 : 1;
    const points = seriesOf(panel, "computed");
    const lostAt = (at: number) => {
      const off = points.x.map((x) => Math.abs(x * factor - at));
      return points.y[off.indexOf(Math.min(...off))];
    };
    expect(lostAt(value)).toBe(0);
    for (const end of interval95) expect(lostAt(end)).toBeCloseTo(3.841459, 3);
    const between = seriesOf(panel, "profile");
    expect(between.x.length).toBeGreaterThan(4 * points.x.length);
  });
});

test("data alone are drawn with what tells their sequences apart", async () => {
  const [measurement] = await simulated({ ...ramps, cycles: 2 }, steps, 5);
  const panels = panelsOf(dataFigure(measurement));
  expect(panels.map(({ title }) => title)).toEqual([
    "device 0, cycle 0",
    "device 0, cycle 1",
    "device 1, cycle 0",
    "device 2, cycle 0",
    "device 2, cycle 1",
    "device 3, cycle 0",
  ]);
  expect(seriesOf(panels[0], "measured").y).toHaveLength(121);
});
