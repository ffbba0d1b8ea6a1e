/** The machine code of a filter against its interpreter, bit for bit. */
import { describe, expect, test } from "vitest";
import { pcm } from "../../models/pcm.ts";
import { constantStep } from "../../models/step-devices.ts";
import { vteam } from "../../models/vteam.ts";
import { compileKernel } from "../../src/fit/kernel.ts";
import { filterRows, type LikelihoodOptions } from "../../src/fit/likelihood.ts";
import type { Model } from "../../src/index.ts";
import { type Plan, simulated } from "./measured.ts";
import { interpreted } from "./twin.ts";

interface Case {
  readonly model: Model<"device">;
  readonly plan: Plan;
  readonly options: LikelihoodOptions;
}

const ramp = ["", "up", "up", "", "up", "up", "up", "down", "down", ""];
const normal = { start: "read", loss: "normal" } as const;
const cases: Readonly<Record<string, Case>> = {
  "PCM with drift, shared bounds": {
    model: pcm.with({ nuSd: 0.01 }),
    plan: {
      devices: 2,
      pulses: ramp.map((pulse) => (pulse === "" ? "" : "set")),
      time: ramp.map((_, k) => 30 * k * k),
      unread: [3],
      first: (s) => 2e-6 + 1e-6 * s,
    },
    options: { ...normal, free: ["m1", "A1", "c3", "nuSd", "Gmax"] },
  },
  "bounds of a device's own, from fabrication on": {
    model: constantStep.with({ step: "4 uS", stepSd: 0.2, topSd: "1 uS", pulseSd: 0.5 }),
    plan: { devices: 2, cycles: 2, pulses: ramp },
    options: {
      start: "fabricated",
      loss: "student",
      free: ["step", "topSd", "pulseSd"],
      residual: "residual",
    },
  },
  "a sweep, without bounds": {
    model: vteam.with({ koff: "20 m/s" }),
    plan: {
      devices: 1,
      pulses: Array(40).fill(""),
      time: Array.from({ length: 40 }, (_, k) => 5e-12 * k),
      voltage: Array.from({ length: 40 }, (_, k) => 0.5 * Math.sin(0.2 * k)),
    },
    options: { start: "fabricated", loss: "normal", free: ["koff", "alphaOn"], residual: "residual" },
  },
};

describe("a filter has the bits of its interpreter: log-likelihood and its derivative, after every row", () => {
  for (const [name, { model, plan, options }] of Object.entries(cases))
    test(name, async () => {
      const [measurement] = await simulated(plan, model, name);
      const parameters = [...options.free, ...(options.residual ? [options.residual] : [])];
      const { kernel } = filterRows(measurement, model, { ...options, free: parameters });
      const { parameters: own } = model.checked;
      const truth = parameters.map((each) => own.find(({ name }) => name === each)?.value ?? 1e-7);
      const point = truth.map((value) => 1.03 * value); // at the truth a noiseless sweep has no slope
      const directions = [0, 1].map((lane) => point.map((value, k) => (k % 2 === lane ? value : 0)));
      const run = await compileKernel({ ...kernel, results: "slope" });
      const { logLikelihood, slope } = run.run([...point, ...point], directions.flat());
      let last = 0;
      directions.forEach((direction, lane) => {
        interpreted(kernel, point, direction).forEach((cells, row) => {
          expect(logLikelihood[2 * row + lane], `row ${row}`).toBe(cells["#log"]);
          expect(slope![2 * row + lane], `slope at row ${row}`).toBe(cells["d #log"]);
          last = cells["d #log"];
        });
        expect(Number.isFinite(last) && last !== 0).toBe(true);
      });
    });
});
