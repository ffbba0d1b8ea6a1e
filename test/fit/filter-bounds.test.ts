/** Values within bounds: the filter against brute force on a grid. */
import { describe, expect, test } from "vitest";
import { likelihoodOf, resolutionOf } from "../../src/fit/likelihood.ts";
import { device, fit, type Measurement, type Model } from "../../src/index.ts";
import { limit } from "../device/distribution.ts";
import { gridFilter } from "./grid.ts";
import { simulated } from "./measured.ts";

const walker = device({
  name: "walker within bounds",
  source: "test",
  equations: "G : S\nGtop : S (constant)",
  initial: { Gtop: "Gmax + topSd * randn()", G: "G0" },
  on: {
    up: "G = clip(G + step + stepSd * randn(), 0, Gtop)",
    down: "G = clip(G - step + stepSd * randn(), 0, Gtop)",
  },
  read: "G + readSd * randn()",
  parameters: {
    step: "1 uS",
    G0: "5 uS",
    stepSd: "0.5 uS",
    Gmax: "10 uS",
    topSd: "0 uS",
    readSd: "0.5 uS",
  },
});

const times = (count: number, pulse: string): string[] => Array(count).fill(pulse);
const value = (model: Model<"device">, name: string) =>
  model.checked.parameters.find((each) => each.name === name)!.value;

/** Log-densities of single reads by the filter, [sequence][read]. */
async function filtered(measurement: Measurement, model: Model<"device">): Promise<number[][]> {
  const likelihood = await likelihoodOf(measurement, model, {
    free: ["step"],
    start: "fabricated",
    loss: "normal",
  });
  const all = [...likelihood.predict([value(model, "step")]).logLikelihood];
  return measurement.sequences.map(({ values }) => all.splice(0, values.length));
}

function grid(
  model: Model<"device">,
  pulses: readonly string[],
  values: Float64Array,
  error: number,
  top: number,
) {
  const [step, stepSd] = [value(model, "step"), value(model, "stepSd")];
  const readSd = Math.hypot(value(model, "readSd"), error);
  return gridFilter(
    {
      low: 0,
      high: top,
      start: value(model, "G0"),
      pulse: (G, pulse) => [pulse === "up" ? G + step : G - step, stepSd],
      readSd: () => readSd,
    },
    pulses,
    values,
  );
}

/** Differences of single reads and what a filter without bounds would be off on average. */
async function compared(changes: Record<string, string>) {
  const model = walker.with(changes);
  const pulses = [...times(20, "up"), ...times(20, "down")];
  const [measurement] = await simulated({ devices: 10, pulses }, model, 3);
  const error = resolutionOf(measurement);
  const found = await filtered(measurement, model);
  const free = await filtered(measurement, model.with({ Gmax: "1000 uS" }));
  const off: number[] = [];
  let control = 0;
  measurement.sequences.forEach(({ values }, s) => {
    grid(model, pulses, values, error, value(model, "Gmax")).forEach((exact, k) => {
      off.push(found[s][k] - exact);
      control += (free[s][k] - exact) / (10 * pulses.length);
    });
  });
  const mean = off.reduce((sum, each) => sum + each) / off.length;
  return { mean, rms: Math.sqrt(off.reduce((sum, each) => sum + each * each, 0) / off.length), control };
}

describe("bounds that all devices share", () => {
  // the window is 20, 20, 20, 10 and 3 steps' standard deviations wide; mixtures of three cases become one normal
  const cases = {
    "read noise of half a step": [{}, 1e-3, 0.005],
    "of a tenth": [{ readSd: "0.1 uS" }, 1e-3, 0.005],
    "of two steps": [{ readSd: "2 uS" }, 1e-3, 0.01],
    "steps of a fifth of their spread": [{ step: "0.1 uS" }, 1e-3, 0.01],
    "a window of three steps' spreads": [{ Gmax: "1.5 uS", G0: "0.5 uS", step: "0.2 uS" }, 3e-3, 0.03],
  } as const;
  for (const [name, [changes, mean, rms]] of Object.entries(cases))
    test(`${name}: within ${mean} per read on average, ${rms} for a single one`, async () => {
      const found = await compared(changes);
      expect(Math.abs(found.mean)).toBeLessThan(mean);
      expect(found.rms).toBeLessThan(rms);
      expect(found.control).toBeLessThan(-2 * mean); // a filter that knows no bounds
    });
});

/** Log-likelihood of each device, with its bound integrated over by the trapezoidal rule. */
function integrated(
  measurement: Measurement,
  model: Model<"device">,
  pulses: readonly string[],
  nodes: number,
) {
  const error = resolutionOf(measurement);
  const width = 8 / (nodes - 1);
  return measurement.sequences.map(({ values }) => {
    const logs = Array.from({ length: nodes }, (_, k) => {
      const z = -4 + k * width;
      const top = value(model, "Gmax") + z * value(model, "topSd");
      const reads = grid(model, pulses, values, error, top).reduce((sum, each) => sum + each);
      return reads - (z * z) / 2 + Math.log(width / Math.sqrt(2 * Math.PI));
    });
    const largest = Math.max(...logs);
    return largest + Math.log(logs.reduce((sum, each) => sum + Math.exp(each - largest), 0));
  });
}

describe("bounds that differ from device to device", () => {
  const cases = {
    "read noise of two steps": [{ topSd: "1 uS", readSd: "2 uS" }, 0.1],
    "read noise of half a step": [{ topSd: "1 uS" }, 0.15],
    "a spread of a fifth of a step": [{ topSd: "0.2 uS" }, 0.05],
  } as const;
  for (const [name, [changes, most]] of Object.entries(cases))
    test(`${name}: within ${most} per device of 20 reads on average`, async () => {
      const model = walker.with(changes);
      const pulses = times(20, "up");
      const [measurement] = await simulated({ devices: 8, pulses }, model, 3);
      const exact = integrated(measurement, model, pulses, 41);
      const found = (await filtered(measurement, model)).map((reads) =>
        reads.reduce((sum, each) => sum + each),
      );
      const off = found.map((each, s) => each - exact[s]);
      expect(Math.abs(off.reduce((sum, each) => sum + each)) / 8).toBeLessThan(most);
    });

  test("read without noise: a fit of 20 devices finds steps, bounds and their spreads", async () => {
    const model = walker.with({ topSd: "1 uS", readSd: "0 uS" });
    const [measurement] = await simulated({ devices: 20, pulses: times(20, "up") }, model, 4);
    const free = ["step", "stepSd", "Gmax", "topSd"];
    const found = await fit(measurement, model, { free, start: "fabricated", seed: 1, starts: 8 });
    for (const { name, value: fitted, standardError } of found.parameters)
      expect(Math.abs(fitted - value(model, name))).toBeLessThan(limit * standardError);
    // a device that saturates shows its bound, so that the spread is nearly that of 20 numbers: 16 %
    expect(found.parameters[3].standardError).toBeLessThan(0.25e-6);
  });
});
