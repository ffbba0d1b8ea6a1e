/** Training for chips, quick: on made pictures, and with the keyword network that ships. Criteria chosen beforehand. */
import { expect, test } from "vitest";
import keywords from "../../experiments/analognet-kws.ts";
import pictures from "../../experiments/hwa-resnet32.ts";
import sensitivity from "../../experiments/hwa-sensitivity.ts";
import { type Estimate, runExperiment } from "../../src/index.ts";

interface Row {
  readonly case: string;
  readonly age: string;
  readonly error: Estimate;
  readonly normalised: number;
}

test("the keyword network that ships names words after a year on a chip; untrained weights lose more", async () => {
  const { metrics, figures, networks } = await runExperiment(keywords, { quick: true });
  // 120 clips: one of 16.7 % errors has 20 ± 4.1
  expect(metrics["floatingError"]).toBeLessThan(34); // measured 20 %; 12 classes, guessing errs in 92 %
  const rows = metrics["chips"] as unknown as Row[];
  expect(rows.map((row) => `${row.case}, ${row.age}`)).toEqual([
    "8 bits, as it is, 1 day",
    "8 bits, as it is, 1 year",
    "8 bits, trained for it, 1 day",
    "8 bits, trained for it, 1 year",
  ]);
  const error = rows.map((row) => row.error.mean);
  expect(error[3]).toBeLessThan(34); // measured 20 %
  expect(error[2] + error[3]).toBeLessThan(error[0] + error[1]); // 40 and 50
  expect(networks?.["8-bits-trained-for-it"]["tiles.outputBound"].data[0]).toBeGreaterThan(1);
  expect(metrics["split"]).toContain("own split of the v0.02 test set");
  expect(Object.keys(figures ?? {})).toEqual(["error"]);
  expect(Object.keys(networks ?? {})).toEqual(["floating", "8-bits-trained-for-it"]);
});

test("a small residual network learns made pictures and is put on a chip both ways", async () => {
  const { metrics, networks } = await runExperiment(pictures, { quick: true });
  const losses = metrics["losses"] as unknown as Record<string, number[]>;
  expect(losses["floating"].length).toBe(4);
  expect(losses["floating"][3]).toBeLessThan(losses["floating"][0] - 0.15);
  const rows = metrics["chips"] as unknown as Row[];
  expect(rows.map((row) => row.case)).toEqual(["as it is", "trained for chips"]);
  for (const { error } of rows) expect(error.mean).toBeLessThanOrEqual(100);
  expect(Object.keys(networks ?? {})).toEqual(["floating", "trained-for-chips"]);
});

test("fewer bits and more noise cost accuracy; the level that does is found", async () => {
  const { metrics, figures } = await runExperiment(sensitivity, { quick: true });
  const found = metrics["effects"] as unknown as {
    effect: string;
    level: number | null;
    seen: { level: number; accuracy: number }[];
  }[];
  expect(found.map(({ effect }) => effect)).toEqual(["ADC", "output noise"]);
  expect(metrics["standard"]).toBeGreaterThan(60);
  for (const { level, seen } of found) {
    const last = seen[seen.length - 1];
    expect(level).not.toBeNull();
    expect(last.accuracy).toBeLessThan(metrics["standard"] as number);
  }
  expect(Object.keys(figures ?? {})).toContain("times");
});
