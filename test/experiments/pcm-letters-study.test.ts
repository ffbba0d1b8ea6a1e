import { expect, test } from "vitest";
import study from "../../experiments/pcm-letters-study.ts";
import { type Estimate, runExperiment } from "../../src/index.ts";

interface Row {
  study: string;
  case: string;
  at?: string | number;
  recall: Estimate;
  precision?: Estimate;
}

type Settings = NonNullable<Parameters<typeof runExperiment<typeof study.parameters>>[1]>["set"];

const run = async (set: Settings) => {
  const { metrics, figures = {} } = await runExperiment(study, {
    seed: 1,
    set: { replicates: 1, voices: ["en_US_f_Allison"], letters: ["I"], ...set },
  });
  return { rows: metrics.cases as unknown as Row[], figures };
};

test("every study of curves gives its points and one figure, and measures one network alike", async () => {
  const studies = ["retention", "jitter", "bits", "tolerances", "voices"];
  const { rows, figures } = await run({ studies, epochs: 2, duration: "250 ms" });
  expect(Object.keys(figures)).toEqual(studies);
  const count = (name: string) => rows.filter((row) => row.study === name).length;
  expect(studies.map(count)).toEqual([6 * 6, 4 * 5 - 2, 3 * 8, 3 * 6, 3]);
  const recall = (name: string, which: string, at: string | number) => {
    const found = rows.filter((row) => row.study === name && row.case === which && row.at === at);
    expect(found.length).toBe(1);
    return found[0].recall.mean;
  };
  const exact = recall("bits", "floating point", 3);
  expect(exact).toBeGreaterThan(0);
  expect(recall("jitter", "floating point, trained without", 0)).toBe(exact);
  expect(recall("tolerances", "floating point", 25)).toBe(exact);
  expect(recall("voices", "floating point", "en_US_f_Allison")).toBe(exact);
  expect(recall("tolerances", "floating point", 5)).toBeLessThanOrEqual(exact);
});

test("on one synthetic letter the improved scheme misses less than six tenths of what the published one misses", async () => {
  const cases = ["floating point", "PCM, published", "improved: all three"];
  const { rows } = await run({ studies: ["improve"], cases, source: "synthetic", epochs: 40 });
  expect(rows.map((row) => row.case)).toEqual(cases);
  const missed = (name: string) => 1 - (rows.find((row) => row.case === name)?.recall.mean ?? Number.NaN);
  expect(missed("floating point")).toBeLessThan(0.08); // measured 0.04
  expect(missed("PCM, published")).toBeGreaterThan(0.05); // measured 0.10
  expect(missed("improved: all three")).toBeLessThan(0.6 * missed("PCM, published"));
});

test("an unknown study or case and voices of what does not speak are refused", async () => {
  await expect(run({ studies: ["nois"] })).rejects.toThrow(
    "there is no study nois; there are devices, noise, retention, jitter, bits, tolerances, voices, improve",
  );
  await expect(run({ cases: ["PCM"] })).rejects.toThrow(
    "study devices has no case PCM; there are floating point; 1 + 1; 2 + 2; 4 + 4; 8 + 8",
  );
  await expect(run({ studies: ["voices"], source: "synthetic" })).rejects.toThrow("only speech has voices");
});
