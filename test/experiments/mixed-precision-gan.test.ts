/** Digits made by two networks on pairs of PCM devices: quick, on the digits that ship. Criteria chosen beforehand. */
import { expect, test } from "vitest";
import experiment from "../../experiments/mixed-precision-gan.ts";
import { type Estimate, runExperiment } from "../../src/index.ts";

interface Row {
  readonly kind: string;
  readonly distance: Estimate;
  readonly pulses: number;
}

test("quick: made digits come nearer to real ones on devices; without chi they do not; real ones are nearest", async () => {
  const { metrics, figures } = await runExperiment(experiment, {
    quick: true,
    set: { epochs: 15, generator: "32", batch: 5, learningRate: 0.002 },
  });
  const rows = metrics["kinds"] as unknown as Row[];
  const [floating, both, without] = rows.map(({ distance }) => distance.mean);
  const untrained = (metrics["untrained"] as Estimate).mean;
  expect(both).toBeLessThan(0.75 * untrained); // measured 0.5
  expect(floating).toBeLessThan(0.6 * untrained); // 0.36
  expect(without).toBeGreaterThan(0.8 * untrained); // 0.93
  expect((metrics["real"] as Estimate).mean).toBeLessThan(Math.min(floating, both));
  expect(rows.map(({ pulses }) => pulses > 0)).toEqual([false, true, false]);
  expect((metrics["ratio"] as Estimate).mean).toBeCloseTo(both / floating, 12);
  expect(Object.keys(figures ?? {})).toEqual([
    "distance",
    "digits-floating-point",
    "digits-both",
    "digits-both-without-chi",
    "digits-real",
  ]);
});

test("a kind that there is not", async () => {
  await expect(runExperiment(experiment, { quick: true, set: { kinds: "all" } })).rejects.toThrow(
    /^there is no kind all; there are floating point, both, /,
  );
});
