/** What a fit refuses, in whole words. */
import { expect, test } from "vitest";
import { pcm } from "../../models/pcm.ts";
import { constantStep } from "../../models/step-devices.ts";
import { device, type FitOptions, fit, type Measurement, type Model } from "../../src/index.ts";
import { type Plan, planned, simulated } from "./measured.ts";

const model = constantStep.with({ pulseSd: 0.3, stepSd: 0.2 });
const ramps: Plan = { devices: 3, pulses: ["", "up", "up", "up", "down"], first: () => 5e-6 };
const [measured] = await simulated(ramps, model, 1);

async function refusal(
  measurement: Measurement,
  own: Model<"device"> = model,
  options: Partial<FitOptions> = {},
) {
  try {
    await fit(measurement, own, { seed: 1, starts: 4, ...options });
    return "content";
  } catch (error) {
    return `${error}`;
  }
}

const withValues = (values: readonly number[]): Measurement => ({
  ...measured,
  sequences: measured.sequences.map((each) => ({ ...each, values: Float64Array.from(values) })),
});
const withRows = (rows: number): Measurement => ({
  ...measured,
  sequences: measured.sequences.map((each) => ({
    ...each,
    pulse: each.pulse.subarray(0, rows),
    values: each.values.subarray(0, rows).map((value, row) => value + 1e-7 * row),
  })),
});

test("constant data", async () => {
  expect(await refusal(withValues(Array(5).fill(5e-6)))).toMatchInlineSnapshot(
    `"DataError: all values are the same: there is nothing to fit"`,
  );
});

test("a single point, and one read for each sequence", async () => {
  const single = planned({ devices: 1, pulses: [""], first: () => 1e-6 });
  expect(await refusal(single)).toMatchInlineSnapshot(
    `"DataError: all values are the same: there is nothing to fit"`,
  );
  const one = {
    ...withRows(1),
    sequences: withRows(1).sequences.map((each, s) => ({ ...each, values: Float64Array.of(1e-6 * (s + 1)) })),
  };
  expect(await refusal(one)).toMatchInlineSnapshot(
    `"DataError: planned: no read is left to fit; a sequence needs two or more"`,
  );
});

test("sequences that begin without a read", async () => {
  expect(await refusal(withValues([Number.NaN, 5e-6, 5.1e-6, 5.2e-6, 5.1e-6]))).toMatchInlineSnapshot(
    `"DataError: planned: cycle 0 of device 0 does not begin with a read, so its state is unknown there; start from the fabricated state instead"`,
  );
});

test("unknown names, a parameter both free and fixed", async () => {
  expect(await refusal(measured, model, { free: ["stepp"] })).toMatchInlineSnapshot(
    `"ConfigError: constant step has no parameter stepp; did you mean step?"`,
  );
  expect(await refusal(measured, model, { bounds: { stepSD: [0, 1] } })).toMatchInlineSnapshot(
    `"ConfigError: constant step has no parameter stepSD; did you mean stepSd?"`,
  );
  expect(await refusal(measured, model, { fix: { stpe: "1 uS" } })).toMatchInlineSnapshot(`
    "ModelError: constant step, parameters: there is no parameter stpe
        stpe: "1 uS"
        ^^^^
      did you mean step?"
  `);
  expect(await refusal(measured, model, { free: ["step"], fix: { step: "1 uS" } })).toMatchInlineSnapshot(
    `"ConfigError: step is both free and fixed"`,
  );
});

test("bounds of another dimension, and bounds that leave nothing", async () => {
  expect(await refusal(measured, model, { bounds: { step: ["0 V", "1 V"] } })).toMatchInlineSnapshot(
    `"ConfigError: the bound 1 V of step has another dimension than step"`,
  );
  expect(await refusal(measured, model, { bounds: { step: ["2 uS", "1 uS"] } })).toMatchInlineSnapshot(
    `"ConfigError: the bounds of step leave nothing between 2 uS and 1 uS"`,
  );
});

test("parameters that nothing depends on, that cannot be told apart, that one device does not tell", async () => {
  const pairs = ["gammaA", "gammaB"];
  const twofold = device({
    name: "twofold",
    source: "test",
    equations: "G : S",
    initial: { G: "G0" },
    on: { up: "G += gammaA * gammaB * step + noise * randn()", other: "G = G0" },
    read: "G",
    parameters: { gammaA: 2, gammaB: 3, step: "0.1 uS", noise: "0.05 uS", G0: "1 uS" },
  });
  const [data] = await simulated({ ...ramps, pulses: ["", "up", "up", "up"] }, twofold, 1);
  expect(await refusal(data, twofold, { free: pairs })).toMatchInlineSnapshot(
    `"DataError: the data cannot tell gammaA and gammaB apart; hold one of them, for instance by fixing gammaA, or measure what depends on it"`,
  );
  expect(await refusal(data, twofold, { free: ["G0"] })).toMatchInlineSnapshot(
    `"DataError: G0 cannot be fitted: nothing measured depends on it"`,
  );
  const alone = { ...measured, sequences: measured.sequences.slice(0, 1) };
  expect(await refusal(alone, model, { free: ["stepSd"] })).toMatchInlineSnapshot(
    `"DataError: stepSd cannot be fitted: one device does not tell how devices differ"`,
  );
  const quiet = constantStep.with({ step: "0.5 uS" });
  const [level] = await simulated(ramps, quiet.with({ pulseSd: 0.3 }), 1);
  expect(await refusal(level, quiet, { free: ["step", "pulseSd", "stepSd"] })).toMatchInlineSnapshot(
    `"DataError: the data cannot tell stepSd at all, which goes to 0; hold one of them, for instance by fixing stepSd at 0, or measure what depends on it"`,
  );
});

test("pulses and arguments that the model does not have", async () => {
  expect(await refusal(measured, pcm)).toMatchInlineSnapshot(
    `"ConfigError: PCM, accumulation has no pulse up, which the data give; it has set, reset"`,
  );
  const given = {
    ...measured,
    arguments: ["stop"],
    sequences: measured.sequences.map((each) => ({ ...each, arguments: [Float64Array.of(0, 1, 1, 1, 1)] })),
  };
  expect(await refusal(given)).toMatchInlineSnapshot(
    `"DataError: constant step has no parameter stop, which the data give with every pulse; did you mean step?"`,
  );
});

test("a log-likelihood that is nowhere a number", async () => {
  const wrong = device({
    name: "never a number",
    source: "test",
    equations: "G : S",
    initial: { G: "unit" },
    on: { up: "G += step * log(-1 - (G / unit)^2) + noise * randn()" },
    read: "G",
    parameters: { step: "1 uS", unit: "1 uS", noise: "1 uS" },
  });
  const [data] = await simulated({ ...ramps, pulses: ["", "up", "up"] }, model, 1);
  expect(await refusal(data, wrong, { free: ["step"] })).toMatchInlineSnapshot(
    `"NumericError: the log-likelihood cannot be evaluated at any of 4 starts; the first is step = 0.000005528 S"`,
  );
});

test("a sweep cannot begin with its first current", async () => {
  const sweep = planned({ devices: 1, pulses: ["", ""], voltage: [0, 1], time: [0, 1] });
  expect(await refusal(sweep, model, { start: "read" })).toMatchInlineSnapshot(
    `"ConfigError: a sweep of voltage starts from the fabricated state: its first current may say nothing"`,
  );
  sweep.sequences[0].values.set([0, 1e-6]);
  expect(await refusal(sweep, model)).toMatchInlineSnapshot(
    `"ConfigError: constant step does not say its current, which a sweep reads; write current: "V * G""`,
  );
});

test("a fit stops when it is told to, during the search", async () => {
  const controller = new AbortController();
  const [data] = await simulated({ devices: 20, pulses: ["", ...Array(30).fill("set")] }, pcm, 1);
  let told = 0;
  const started = performance.now();
  const running = fit(data, pcm, {
    seed: 1,
    signal: controller.signal,
    progress: () => {
      if (++told === 2) controller.abort();
    },
  });
  await expect(running).rejects.toThrow("aborted");
  expect(told).toBeLessThan(4);
  expect(performance.now() - started).toBeLessThan(30_000);
});
