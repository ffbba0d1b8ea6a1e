import { expect, test } from "vitest";
import { idealDevice } from "../../models/constant-step.ts";
import { constantStep } from "../../models/step-devices.ts";
import { device, fit, predictiveCheck } from "../../src/index.ts";
import { limit } from "../device/distribution.ts";
import { simulated } from "./measured.ts";

/** Steps from a known beginning. */
const walker = device({
  name: "walker",
  source: "test",
  equations: "G : S",
  initial: { G: "G0" },
  on: { up: "G += step + stepSd * randn()" },
  read: "G",
  parameters: { G0: "4 uS", step: "1 uS", stepSd: "0.5 uS" },
});

test("what is not asked for keeps the model's value, whatever the size of the data", async () => {
  const [measurement] = await simulated({ devices: 20, pulses: Array(10).fill("up") }, walker, 3);
  const found = await fit(measurement, walker, { free: ["step", "stepSd"], start: "fabricated", seed: 1 });
  expect(found.held).toEqual([{ name: "G0", unit: "uS", value: 4e-6, reason: "not asked for" }]);
  for (const { value, standardError, name } of found.parameters) {
    const truth = name === "step" ? 1e-6 : 0.5e-6;
    expect(Math.abs(value - truth)).toBeLessThan(limit * standardError);
  }
});

test("reads without any noise are fitted without a residual one", async () => {
  const plan = { devices: 4, pulses: ["", ...Array(10).fill("set")] };
  const [measurement] = await simulated(plan, idealDevice, 1);
  for (const free of [undefined, ["step"]]) {
    const options = { start: "fabricated", seed: 1, starts: 4, ...(free && { free }) } as const;
    const { parameters } = await fit(measurement, idealDevice, options);
    expect(parameters.map(({ name }) => name)).toEqual(["step"]);
    expect(parameters[0].value).toBeCloseTo(0.8e-6, 12);
  }
});

test("a bound that no device came near is not taken to be the largest value read", async () => {
  const { on, parameters, ...rest } = walker.definition;
  const bounded = device({
    ...rest,
    on: { up: "G = min(G + step + stepSd * randn(), Gmax)" },
    parameters: { ...parameters, Gmax: "70 uS" },
  });
  const [measurement] = await simulated({ devices: 10, pulses: Array(10).fill("up") }, bounded, 1);
  const found = await fit(measurement, bounded, { start: "fabricated", seed: 1, starts: 8 });
  expect(found.parameters.map(({ name }) => name)).toEqual(["G0", "step", "stepSd"]);
  expect(found.held).toMatchObject([{ name: "Gmax", reason: "the data do not tell it" }]);
  const largest = Math.max(...measurement.sequences.flatMap(({ values }) => [...values]));
  expect(found.held[0].value).toBeGreaterThan(1.04 * largest);
});

test("the model of one device has no spread between devices, so that its replicates are that device", async () => {
  const model = constantStep.with({ pulseSd: 0.3, stepSd: 0.5 });
  const plan = { devices: 1, pulses: ["", ...Array(20).fill("up")], first: () => 5e-6 };
  const [measurement] = await simulated(plan, model, 1);
  const found = await fit(measurement, model, { seed: 1, starts: 8 });
  expect(found.held).toContainEqual(
    expect.objectContaining({
      name: "stepSd",
      value: 0,
      reason: "one device does not tell how devices differ",
    }),
  );
  const { statistics } = await predictiveCheck(found, { seed: 1, replicates: 100 });
  const mean = statistics.find(({ name }) => name === "mean step")!;
  const spread = (0.3 * 1e-7) / Math.sqrt(20); // of the mean of 20 steps, not of a gain that differs by a half
  expect(mean.interval95[1] - mean.interval95[0]).toBeLessThan(2 * 4 * spread);
});
