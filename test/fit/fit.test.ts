import { expect, test } from "vitest";
import { device, fit } from "../../src/index.ts";
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
