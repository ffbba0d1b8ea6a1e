/** Devices whose parameters were fitted here: they are where the likelihood of the shipped measurements is highest. */
import { expect, test } from "vitest";
import { noisyStep } from "../../models/noisy-step.ts";
import { driftingRead, wanderingRead } from "../../models/read-series.ts";
import { reversalStep } from "../../models/reversal-step.ts";
import { loadTable } from "../../src/cli/device.ts";
import { likelihoodOf } from "../../src/fit/likelihood.ts";
import { fabricate } from "../../src/index.ts";

const fits = [
  { data: "crosssim-ramps", model: reversalStep, highest: 172_580.871, set: {} },
  { data: "gong-updown", model: noisyStep, highest: 25_469.915, set: {} },
  { data: "rram-read-series", model: driftingRead, highest: 120_522.508, set: {} },
  { data: "rram-read-series", model: wanderingRead, highest: 122_010.167, set: { pulse: "tick" } },
] as const;

test.each(fits)(
  "$data: the parameters of its model are within 0.2 of the highest log-likelihood; 5 % more read noise is not",
  async ({ data, model, highest, set }) => {
    const { measurement } = await loadTable(data, set);
    // bounds were held, and what nothing measured depends on is not seen
    const held = ["Gmin", "Gmax", "t0", "Gset", "setSd"];
    const parameters = model.checked.parameters.filter(({ name }) => !held.includes(name));
    const free = parameters.map(({ name }) => name);
    const likelihood = await likelihoodOf(measurement, model, { free, start: "read", loss: "normal" });
    const own = parameters.map(({ value }) => value);
    const [here] = likelihood.values(Float64Array.from(own));
    expect(highest - here).toBeLessThan(0.2);
    expect(here - highest).toBeLessThan(0.001);
    // control: a read noise 5 % larger
    const k = free.indexOf("readSd");
    const [off] = likelihood.values(Float64Array.from(own, (value, j) => (j === k ? 1.05 * value : value)));
    expect(here - off).toBeGreaterThan(1);
  },
);

test("a pulse of reversalStep after a turn makes 1 - loss of the step, the ninth after it nearly the whole", async () => {
  const quiet = reversalStep.with({ upSd: "0 uS", downSd: "0 uS", readSd: "0 uS" });
  const array = await fabricate(1, quiet, { seed: 1 });
  array.set("G", 2.05e-3); // x = 0
  const step = (pulse: "up" | "down") => {
    const before = array.get("G")[0];
    array.pulse(pulse);
    return array.get("G")[0] - before;
  };
  expect(array.get("n")[0]).toBe(0);
  expect(step("up")).toBeCloseTo(5.135e-6 * (1 - 0.918 * Math.exp(-1 / 4.03)), 12); // as after a first pulse
  const turned = step("down");
  const at = (G: number) => (G - 2.05e-3) / 0.5e-3;
  const down = (x: number) => 1e-6 * (5.743 + 1.396 * x - 0.105 * x ** 2 - 1.603 * x ** 3);
  expect(turned).toBeCloseTo(-down(at(array.get("G")[0] - turned)) * (1 - 0.678), 12);
  for (let n = 1; n < 60; n++) step("down");
  const G = array.get("G")[0];
  expect(step("down")).toBeCloseTo(-down(at(G)) * (1 - 0.678 * Math.exp(-60 / 7.27)), 12);
  expect(array.get("n")[0]).toBe(60);
});

test("the hum of wanderingRead turns by its angle from tick to tick, and dies out", async () => {
  const quiet = wanderingRead.with({
    slowSd: "0 uS",
    fastSd: "0 uS",
    humSd: "0 uS",
    readSd: "0 uS",
    turn: Math.PI / 3,
    humKept: 0.9,
  });
  const array = await fabricate(1, quiet, { seed: 1 });
  array.set("hum", 1e-6);
  const reads = Array.from({ length: 6 }, () => {
    array.pulse("tick");
    return array.read()[0] - 92.9e-6;
  });
  reads.forEach((value, k) => {
    expect(value).toBeCloseTo(1e-6 * 0.9 ** (k + 1) * Math.cos(((k + 1) * Math.PI) / 3), 15);
  });
});
