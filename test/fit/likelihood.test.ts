import { expect, test } from "vitest";
import { constantStep, softBounds } from "../../models/step-devices.ts";
import { likelihoodOf, resolutionOf } from "../../src/fit/likelihood.ts";
import { device, fit, type Measurement } from "../../src/index.ts";
import { planned, simulated } from "./measured.ts";

/** A measurement of these values, one sequence. */
function of(values: readonly number[]): Measurement {
  const measurement = planned({ devices: 1, pulses: values.map((_, k) => (k === 0 ? "" : "up")) });
  measurement.sequences[0].values.set(values);
  return measurement;
}

test("values on a lattice have its step over the root of 12 as error, others 1e-6 of their range", () => {
  const digitised = [1.2, 1.5, 1.5, 2.7, 2.2, 3.1].map((G) => G * 1e-6);
  expect(resolutionOf(of(digitised))).toBeCloseTo(1e-7 / Math.sqrt(12), 13);
  const even = [1, 1.8003, 2.5998, 3.4001].map((G) => G * 1e-6); // nearly equal steps are no lattice
  expect(resolutionOf(of(even))).toBeCloseTo(2.4001e-12, 18);
  expect(resolutionOf(of([1e-6, 2e-6]))).toBeCloseTo(1e-12, 18);
  expect(() => resolutionOf(of([1e-6, 1e-6]))).toThrow("all values are the same");
});

test("a spread of steps of 5 % is seen in one ramp of 40 pulses", async () => {
  const model = constantStep.with({ step: "0.8 uS", pulseSd: 0.05, Gmax: "200 uS" });
  const ramp = { devices: 1, pulses: ["", ...Array(40).fill("up")], first: () => 1e-6 };
  const [measurement] = await simulated(ramp, model, 1);
  const { parameters } = await fit(measurement, model, { free: ["step", "pulseSd"], seed: 1 });
  const spread = parameters.find(({ name }) => name === "pulseSd")!;
  expect(Math.abs(spread.value - 0.05)).toBeLessThan(4.8916 * spread.standardError);
  expect(spread.standardError).toBeLessThan(0.05 / Math.sqrt(2 * 40) + 0.002); // of a standard deviation of 40 numbers
});

test("a device whose first sequence is a single read is a group of its own", async () => {
  const plan = { devices: 2, cycles: 2, pulses: ["", "up", "up"], first: () => 5e-6 };
  const [whole] = await simulated(plan, constantStep.with({ pulseSd: 0.3, stepSd: 0.1 }), 1);
  const sequences = whole.sequences.map((each, s) => {
    const rows = s === 2 ? 1 : 3;
    return { ...each, pulse: each.pulse.subarray(0, rows), values: each.values.subarray(0, rows) };
  });
  const options = { free: ["step"], start: "read", loss: "normal" } as const;
  const likelihood = await likelihoodOf(
    { ...whole, sequences },
    constantStep.with({ pulseSd: 0.3 }),
    options,
  );
  expect(likelihood.groups).toEqual([0, 4]);
  const point = Float64Array.of(1e-7);
  const [all] = likelihood.values(point);
  const [first, second] = [
    [1, 0],
    [0, 1],
  ].map((weights) => likelihood.values(point, Float64Array.from(weights))[0]);
  expect(first + second).toBeCloseTo(all, 9);
});

test("a step that vanishes at a bound of the device's own leaves the log-likelihood finite", async () => {
  const spreads = { stepSd: 0.2, topSd: "1 uS", bottomSd: "1 uS", pulseSd: 0.5, writeSd: "0.3 uS" };
  const model = softBounds.with({ step: "6 uS", ...spreads });
  const pulses = ["", "up", "up", "", "up", "up", "up", "down", "down", ""];
  const [measurement] = await simulated({ devices: 2, cycles: 2, pulses }, model, 1);
  const options = { free: ["step", "pulseSd"], start: "fabricated", loss: "student" } as const;
  const likelihood = await likelihoodOf(measurement, model, options);
  const { value, gradient } = likelihood.gradient([6e-6, 0.5]);
  expect([value, ...gradient].every(Number.isFinite)).toBe(true);
});

test("a constant may follow from another that `initial` has before it, whatever the order of the equations", async () => {
  const ordered = (constants: string) =>
    device({
      name: "ordered",
      source: "test",
      equations: `G : S\n${constants}`,
      initial: { gain: "1 + 0.2 * randn()", lag: "gain / 2", G: "G0" },
      on: { up: "G += step * (gain + lag) * (1 + 0.1 * randn())" },
      read: "G",
      parameters: { G0: "5 uS", step: "1 uS" },
    });
  const model = ordered("gain : 1 (constant)\nlag : 1 (constant)");
  const turned = ordered("lag : 1 (constant)\ngain : 1 (constant)");
  const [measurement] = await simulated({ devices: 3, pulses: ["up", "up"] }, model, 1);
  const options = { free: ["step"], start: "fabricated", loss: "normal" } as const;
  const [one, other] = await Promise.all(
    [model, turned].map((each) => likelihoodOf(measurement, each, options)),
  );
  expect(one.values(Float64Array.of(1e-6))).toEqual(other.values(Float64Array.of(1e-6)));
});

test("a read that is cut off at 0 leaves those after it possible", async () => {
  const model = device({
    name: "falling below",
    source: "test",
    equations: "G : S",
    initial: { G: "G0" },
    on: { down: "G = G - step + 0.2 * noise * randn()" },
    read: "max(0, G + noise * randn())",
    parameters: { G0: "1 uS", step: "0.5 uS", noise: "0.3 uS" },
  });
  const [measurement] = await simulated({ devices: 1, pulses: Array(8).fill("down") }, model, 1);
  const [{ values }] = measurement.sequences;
  values[6] = 0.1e-6; // after two reads of 0
  expect([...values.subarray(3, 6)]).toContain(0);
  const options = { free: ["noise"], start: "fabricated", loss: "normal" } as const;
  const { spread } = (await likelihoodOf(measurement, model, options)).predict([0.3e-6]);
  expect(Math.min(...spread)).toBeGreaterThan(0.3e-6);
});

test("a sweep writes what it moves at every row, so that nothing ages, as in a simulation", async () => {
  const aging = device({
    name: "aging",
    source: "test",
    equations: "dx/dt = k * V / unit : 1",
    initial: { x: "0.5" },
    on: { up: "x = x" },
    drift: "G0 * x * (1 + age / t0)",
    read: "Gd",
    current: "V * Gd",
    parameters: { k: "1 Hz", unit: "1 V", G0: "1 uS", t0: "1 s" },
  });
  const rows = Array.from({ length: 6 }, (_, k) => k);
  const plan = {
    devices: 1,
    pulses: rows.map(() => ""),
    time: rows.map((k) => 0.1 * k),
    voltage: rows.map((k) => k),
  };
  const [measurement] = await simulated(plan, aging, 1);
  const options = { free: ["k"], start: "fabricated", loss: "normal" } as const;
  const { expected } = (await likelihoodOf(measurement, aging, options)).predict([1]);
  expected.forEach((value, row) => {
    expect(value).toBeCloseTo(measurement.sequences[0].values[row], 15);
  });
});
