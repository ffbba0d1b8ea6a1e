/** Convolutions on pairs of PCM devices: quick, on the digits that ship. Criteria chosen beforehand. Energy: its calibration. */
import { expect, test } from "vitest";
import {
  calibrated,
  energyOf,
  published,
  referenceEnergy,
} from "../../experiments/mixed-precision/energy.ts";
import experiment from "../../experiments/mixed-precision-cnn.ts";
import { type Estimate, runExperiment } from "../../src/index.ts";

/** Guessing names 10 % of a hundred digits, and more than 28 once in a million times. */
const chance = 28;

interface Row {
  readonly variant: string;
  readonly score: Estimate;
  readonly floatingPoint: Estimate;
}

test("quick: devices name digits that they have not seen, nearly as floating point; without chi none", async () => {
  const { metrics, figures } = await runExperiment(experiment, { quick: true, set: { epochs: 12 } });
  const [pcm, without] = metrics["variants"] as unknown as Row[];
  expect(pcm.score.mean).toBeGreaterThan(45);
  expect(pcm.floatingPoint.mean - pcm.score.mean).toBeLessThan(25); // measured 7 after 20 passes
  expect(without.score.mean).toBeLessThan(chance); // 8
  expect(without.floatingPoint).toEqual(pcm.floatingPoint);
  expect(metrics["weights"]).toBe(9 * 8 + 9 * 8 * 16 + 7 * 7 * 16 * 10);
  const energy = metrics["energy"] as Record<string, number>;
  const parts = ["products", "chi", "activations", "programming"].map((name) => energy[name]);
  expect(parts.reduce((a, b) => a + b, 0)).toBeCloseTo(energy["total"], 20);
  // forwards all, backwards all but the first layer; chi sees each place of each image
  const [first, second, third] = [28 * 28 * 9 * 8, 14 * 14 * 9 * 8 * 16, 7840];
  expect(energy["products"]).toBeCloseTo(((2 * (second + third) + first) * 2) / 10.5e12, 15);
  expect(energy["chi"]).toBeCloseTo((first + second + third) * calibrated.update, 15);
  expect(Object.keys(figures ?? {})).toEqual(["learning", "pulses", "conductance", "retention"]);
});

test("the energy of 784-250-10 is the published one, mixed and digital, with pulses a thousandth of it", () => {
  const { total, digital, ratio, programming, products, chi } = referenceEnergy();
  expect(total).toBeCloseTo(published.mixed, 15);
  expect(digital).toBeCloseTo(published.digital, 12);
  expect(ratio).toBeCloseTo(172.5, 1); // published: 172 and 173
  expect(programming / total).toBeLessThan(1e-3);
  expect(products + chi).toBeGreaterThan(0.9 * total);
  const none = { products: 0, updates: 0, activations: 0, multiplications: 0 };
  // 90 uA, 50 ns and 360 uA, 500 ns at 1.5 V
  expect(energyOf({ ...none, pulses: { set: 1, reset: 1 } }).total).toBeCloseTo(6.75e-12 + 270e-12, 20);
});

test("what does not exist is said with what does", async () => {
  const run = (set: Readonly<Record<string, string | number>>) =>
    runExperiment(experiment, { quick: true, set });
  await expect(run({ variants: "no ki" })).rejects.toThrow(/^there is no variant no ki; there are as set, /);
  await expect(run({ data: "cifar" })).rejects.toThrow(
    'data is "cifar10", "shapes" or "digits", not "cifar"',
  );
  await expect(run({ channels: "4,4,4,4,4" })).rejects.toThrow(
    "5 stages of pooling leave nothing of 28 lines",
  );
});
