/** Long short-term memory on pairs of PCM devices: quick, on the beginning of War and Peace. Criteria chosen beforehand. */
import { expect, test } from "vitest";
import experiment from "../../experiments/mixed-precision-lstm.ts";
import { type Estimate, runExperiment } from "../../src/index.ts";

interface Row {
  readonly score: Estimate;
  readonly floatingPoint: Estimate;
  readonly pulses: number;
}

test("quick: devices learn more of text than the frequencies of characters, without chi they do not", async () => {
  const { metrics, figures } = await runExperiment(experiment, {
    quick: true,
    set: { characters: 10000, tests: 2000 },
  });
  const [pcm, without] = metrics["variants"] as unknown as Row[];
  const frequencies = metrics["frequencies"] as number;
  expect(frequencies).toBeGreaterThan(4);
  expect(pcm.floatingPoint.mean).toBeLessThan(frequencies - 0.5); // measured 3.65
  expect(pcm.score.mean).toBeLessThan(frequencies - 0.25); // 4.03
  expect(without.score.mean).toBeGreaterThan(frequencies - 0.1); // 4.63
  expect(pcm.pulses).toBeGreaterThan(0.3);
  const symbols = metrics["symbols"] as number;
  expect(metrics["weights"]).toBe(4 * 24 * (symbols + 24 + 24 + 24) + 24 * symbols);
  expect(Object.keys(figures ?? {})).toContain("retention");
});

test("a text that there is not", async () => {
  await expect(runExperiment(experiment, { quick: true, set: { text: "peace" } })).rejects.toThrow(
    'text is one of ptb, war and peace, shakespeare, sample, not "peace"',
  );
});
