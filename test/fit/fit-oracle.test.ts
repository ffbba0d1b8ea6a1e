/** Steps whose spread depends on the state: maximum, covariance and posterior by SciPy, lmfit and emcee. */
import * as fs from "node:fs";
import { expect, test } from "vitest";
import { device, type FitOptions, fit, posterior } from "../../src/index.ts";
import { limit } from "../device/distribution.ts";
import { planned } from "./measured.ts";

const golden: {
  ramps: number[][]; // [ramp][read], uS
  names: string[];
  optimum: number[];
  logLikelihood: number;
  covariance: number[][];
  plain: { optimum: number[]; covariance: number[][]; sd: number };
  posterior: { mean: number[]; sd: number[]; effective: number[] };
} = JSON.parse(fs.readFileSync(new URL("../golden/fit_transitions.json", import.meta.url), "utf8"));

const steps = device({
  name: "relaxing steps",
  source: "test",
  equations: "G : S",
  initial: { G: "0 S" },
  on: { set: "G += c - k * G + (s + m * G) * randn()" },
  read: "G",
  parameters: { c: "1 uS", k: 0.1, s: "0.1 uS", m: 0.1 },
});

/** Of the parameters in the units of the golden file. */
const units: Readonly<Record<string, number>> = { c: 1e-6, k: 1, s: 1e-6, m: 1 };

const measurement = (() => {
  const [{ length }] = golden.ramps;
  const pulses = Array.from({ length }, (_, k) => (k === 0 ? "" : "set"));
  const plan = planned({ devices: 1, cycles: golden.ramps.length, pulses, first: () => 0 });
  golden.ramps.forEach((ramp, s) => {
    plan.sequences[s].values.set(ramp.map((G) => 1e-6 * G));
  });
  return plan;
})();
const reads = golden.ramps.flat().length - golden.ramps.length;

async function fitted(options: Partial<FitOptions>) {
  const found = await fit(measurement, steps, { seed: 1, starts: 8, ...options });
  const order = found.parameters.map(({ name }) => name);
  return {
    found,
    values: found.parameters.map(({ name, value }) => value / units[name]),
    covariance: found.covariance.map((row, a) =>
      row.map((each, b) => each / (units[order[a]] * units[order[b]])),
    ),
    order,
  };
}

/** Largest difference of two covariances, 1 being a variance. */
function differenceOf(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  return Math.max(
    ...a.flatMap((row, i) => row.map((x, j) => Math.abs(x - b[i][j]) / Math.sqrt(b[i][i] * b[j][j]))),
  );
}

test("maximum and covariance are SciPy's", async () => {
  const { found, values, covariance, order } = await fitted({});
  expect(order).toEqual(golden.names);
  // reads are taken to be exact to 1e-6 of their range only, which is 1e-4 of the least spread
  expect(found.logLikelihood).toBeCloseTo(golden.logLikelihood + reads * Math.log(1e6), 4);
  golden.optimum.forEach((value, k) => {
    expect(Math.abs(values[k] - value)).toBeLessThan(1e-4 * Math.sqrt(golden.covariance[k][k]));
  });
  expect(differenceOf(covariance, golden.covariance)).toBeLessThan(1e-4);
});

test("with one spread for all steps maximum and covariance are lmfit's", async () => {
  const { values, covariance } = await fitted({ fix: { m: 0 } });
  const { optimum, sd, covariance: theirs } = golden.plain;
  [...optimum, sd].forEach((value, k) => {
    expect(Math.abs(values[k] / value - 1)).toBeLessThan(1e-6);
  });
  const curve = covariance.slice(0, 2).map((row) => row.slice(0, 2));
  expect(differenceOf(curve, theirs)).toBeLessThan(1e-5);
});

test("10,000 draws of the posterior have the means and deviations of 320,000 of emcee", async () => {
  const { found } = await fitted({});
  const { values, draws, diagnosis, names } = posterior(found, { seed: 1, draws: 10_000 });
  names.forEach((name, k) => {
    const own = Float64Array.from({ length: draws }, (_, d) => values[d * names.length + k] / units[name]);
    const mean = own.reduce((sum, each) => sum + each) / draws;
    const sd = Math.sqrt(own.reduce((sum, each) => sum + (each - mean) ** 2, 0) / draws);
    const { mean: means, sd: sds, effective } = golden.posterior;
    const parts = 1 / diagnosis[k].effectiveSize + 1 / effective[k];
    expect(Math.abs(mean - means[k])).toBeLessThan(limit * sds[k] * Math.sqrt(parts));
    // of a normal the error of a deviation is 1 / sqrt(2 n) of it; twice that for the skew of `s`
    expect(Math.abs(sd / sds[k] - 1)).toBeLessThan(2 * limit * Math.sqrt(parts / 2));
    if (name === "s")
      expect(Math.abs(mean - golden.optimum[k])).toBeGreaterThan(limit * sds[k] * Math.sqrt(parts));
  });
});
