/** The stand-in for AnalogNet-VWW, quick: on made pictures. Criteria chosen beforehand. */
import { expect, test } from "vitest";
import vww from "../../experiments/analognet-vww.ts";
import { ConfigError, type Estimate, runExperiment } from "../../src/index.ts";

interface Row {
  readonly case: string;
  readonly age: string;
  readonly error: Estimate;
}

test("a small run learns made pictures, puts them on a chip both ways and says that they are a stand-in", async () => {
  const { metrics, figures, networks } = await runExperiment(vww, { quick: true });
  // 20 of 100 pictures show a ring: whoever never sees one errs in 20 %
  expect(metrics["floatingError"]).toBeLessThan(12);
  const rows = metrics["chips"] as unknown as Row[];
  expect(rows.map((row) => `${row.case}, ${row.age}`)).toEqual([
    "8 bits, as it is, 1 day",
    "8 bits, trained for it, 1 day",
  ]);
  expect(rows[1].error.mean).toBeLessThan(15);
  expect(metrics["split"]).toMatch(/^stand-in for persons: .* 300 synthetic train .* 100 synthetic test/);
  const drop = metrics["drop"] as unknown as { case: string; age: string; points: Estimate }[];
  expect(drop.map((row) => row.case)).toEqual(rows.map((row) => row.case));
  const { points } = drop[1];
  expect(points.mean).toBeCloseTo(rows[1].error.mean - (metrics["floatingError"] as number), 9);
  expect(points.interval95[1] - points.mean).toBeCloseTo(rows[1].error.interval95[1] - rows[1].error.mean, 9);
  expect(Object.keys(figures ?? {})).toEqual(["error"]);
  expect(Object.keys(networks ?? {})).toEqual(["floating", "8-bits-trained-for-it"]);
});

test("pictures of a name that is not known are an error", async () => {
  await expect(runExperiment(vww, { quick: true, set: { data: "coco" } })).rejects.toThrow(
    new ConfigError('data is "visual-wake-words", "cifar10" or "shapes", not "coco"'),
  );
});
