/** Language models and a classifier on chips, in runs of a second. */
import { expect, test } from "vitest";
import recurrent from "../../experiments/hwa-lstm.ts";
import transformer from "../../experiments/hwa-transformer.ts";
import { type Estimate, runExperiment } from "../../src/index.ts";

interface Row {
  readonly case: string;
  readonly age: string;
  readonly error: Estimate;
  readonly normalised: number;
}

test("hwa-lstm, quick: 97 % of what is better than guessing is left on chips after an hour and a year", async () => {
  const { metrics, figures } = await runExperiment(recurrent, { quick: true, seed: 1, set: { chips: 2 } });
  // the most frequent character, a space, is wrong in 83 of 100
  expect(metrics.floatingError).toBeLessThan(70);
  const rows = metrics.chips as unknown as Row[];
  expect(rows.map((row) => `${row.case}, ${row.age}`)).toEqual([
    "as it is, 1 h",
    "as it is, 1 year",
    "trained for chips, 1 h",
    "trained for chips, 1 year",
  ]);
  for (const { normalised } of rows) expect(normalised).toBeGreaterThan(97);
  expect(rows.map(({ error }) => error.n)).toEqual([2, 2, 2, 2]);
  expect(metrics.text).toContain("85 symbols, 20000 to learn from, 2000 to test on");
  expect(Object.keys(figures ?? {})).toEqual(["error"]);
});

test("hwa-transformer, keywords of the sample: what is better than guessing stays on chips after an hour", async () => {
  const set = { data: "keywords", epochs: 6, awareEpochs: 1, batch: 24, chips: 2, ages: ["1 h"] };
  const { metrics } = await runExperiment(transformer, { quick: true, seed: 1, set });
  expect(metrics.floatingError).toBeLessThan(80); // 91.7 by guessing
  for (const { normalised } of metrics.chips as unknown as Row[]) expect(normalised).toBeGreaterThan(85);
  expect(metrics.data).toContain("keyword sample of 240 train clips");
});

test("data that there are not are refused, and what there is is told", async () => {
  await expect(runExperiment(transformer, { quick: true, set: { data: "digitz" } })).rejects.toThrow(
    'data is ptb-words, ptb-characters, war-and-peace, shakespeare, sample, keywords, digits, digit-sample, not "digitz"',
  );
  await expect(runExperiment(recurrent, { quick: true, set: { data: "prose" } })).rejects.toThrow(
    'data is ptb-words, ptb-characters, war-and-peace, shakespeare, sample, not "prose"',
  );
  await expect(
    runExperiment(recurrent, { quick: true, set: { data: "sample", vocabulary: 20 } }),
  ).rejects.toThrow("there is no <unk> among the first 20 symbols for the others");
});
