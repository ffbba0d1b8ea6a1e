import { describe, expect, test } from "vitest";
import study from "../../experiments/pcm-letters-study.ts";
import { type Estimate, runExperiment } from "../../src/index.ts";

interface Row {
  study: string;
  case: string;
  at?: string | number;
  recall: Estimate;
  precision?: Estimate;
  pulses?: Estimate;
}

type Settings = NonNullable<Parameters<typeof runExperiment<typeof study.parameters>>[1]>["set"];

const run = async (set: Settings) => {
  const { metrics, figures = {} } = await runExperiment(study, {
    seed: 1,
    set: { replicates: 1, voices: ["en_US_f_Allison"], ...set },
  });
  return { rows: metrics.cases as unknown as Row[], figures };
};

const all = ["devices", "noise", "retention", "jitter", "bits", "tolerances", "voices", "improve"];

test("every study gives its cases and one figure, from the same networks as pcm-letters", async () => {
  const { rows, figures } = await run({ studies: all, epochs: 1, letters: ["I"], duration: "300 ms" });
  expect(Object.keys(figures)).toEqual(all);
  const count = (name: string) => rows.filter((row) => row.study === name).length;
  expect(all.map(count)).toEqual([5, 7, 6 * 6, 4 * 5 - 2, 3 * 8, 3 * 6, 2, 9]);
  for (const row of rows) expect(row.recall.n).toBe(1);
});

describe("on one synthetic letter, 40 epochs", () => {
  test("one device per polarity is too few; the improved scheme beats the published one", async () => {
    const { rows } = await run({
      studies: ["devices", "improve"],
      source: "synthetic",
      letters: ["I"],
      epochs: 40,
    });
    const recall = (study: string, name: string) =>
      rows.find((row) => row.study === study && row.case === name)?.recall.mean ?? Number.NaN;
    expect(recall("devices", "floating point")).toBeGreaterThan(0.9);
    expect(recall("devices", "1 + 1")).toBeLessThan(0.6);
    expect(recall("devices", "4 + 4")).toBeGreaterThan(recall("devices", "2 + 2") - 0.03);
    expect(recall("devices", "2 + 2")).toBeGreaterThan(recall("devices", "1 + 1") + 0.1);
    expect(recall("improve", "improved: all three")).toBeGreaterThan(
      recall("improve", "PCM, published") + 0.03,
    );
  });
});

test("an unknown study and voices of what does not speak are refused", async () => {
  await expect(run({ studies: ["nois"] })).rejects.toThrow(
    "there is no study nois; there are devices, noise, retention, jitter, bits, tolerances, voices, improve",
  );
  await expect(run({ studies: ["voices"], source: "synthetic" })).rejects.toThrow("only speech has voices");
});
