/** The benchmark of rules in its quick form: one letter, one replicate, rates of an earlier search. Bounds leave room below what was measured. */
import { describe, expect, test } from "vitest";
import timingRules, { ladder } from "../../experiments/timing-rules.ts";
import { runExperiment } from "../../src/index.ts";

interface Row {
  rule: string;
  storage: string;
  eta: number;
  tried: number;
  recall: number;
  precision: number;
  recall5: number;
  vanRossum: number;
  victorPurpura: number;
  epochs: number | null;
  pulses: number | null;
  decisions: number;
}

test("quick: every rule learns on every storage, half as far as silence on ideal weights; NormAD comes nearest on each; the tempotron decides", async () => {
  const { metrics, figures = {}, spikes = {} } = await runExperiment(timingRules, { quick: true, seed: 1 });
  const rows = metrics["results"] as unknown as Row[];
  const silence = metrics["silence"] as { vanRossum: number; victorPurpura: number; decisions: number };
  expect(rows.length).toBe(5 * 3);
  expect(silence.victorPurpura).toBe(1);
  for (const row of rows) {
    expect(row.tried).toBe(0);
    expect(row.recall, `${row.rule} on ${row.storage}`).toBeGreaterThan(row.storage === "ideal" ? 0.7 : 0.6);
    expect(row.precision).toBeGreaterThan(0.75);
    expect(row.recall5).toBeLessThanOrEqual(row.recall);
    expect(row.victorPurpura).toBeLessThan(row.storage === "ideal" ? 0.5 : 0.7);
    expect(row.vanRossum).toBeLessThan(silence.vanRossum);
    expect(row.pulses === null).toBe(row.storage === "ideal");
    expect(row.decisions).toBeGreaterThan(0.93); // never to fire is right for 132 of the 168 cells
  }
  expect(silence.decisions).toBeCloseTo(132 / 168, 12);
  const decided = metrics["tempotron"] as unknown as Row[];
  expect(decided.map(({ storage }) => storage)).toEqual(["ideal", "PCM", "Cu/SiO2/W-like"]);
  for (const { decisions, epochs } of decided) {
    expect(decisions).toBeGreaterThan(0.98);
    expect(epochs).toBeLessThan(10);
  }
  for (const name of ["ideal", "PCM", "Cu/SiO2/W-like"]) {
    const [first, ...others] = rows.filter(({ storage }) => storage === name);
    expect(first.rule).toBe("NormAD");
    expect(first.recall).toBeGreaterThan(0.8);
    expect(first.victorPurpura).toBeLessThan(Math.min(...others.map((row) => row.victorPurpura)));
  }
  expect(Object.keys(figures)).toEqual([
    "recall",
    "distance",
    "learning",
    "raster-ideal",
    "raster-pcm",
    "raster-cu-sio2-w-like",
    "decisions",
  ]);
  expect(Object.keys(spikes)).toEqual(["desired", "ideal", "pcm", "cu-sio2-w-like"]);
});

test("a rule finds its rate: the search is told in the row, and is no worse than where it began", async () => {
  const run = async (searchPatterns: number) => {
    const set = {
      rules: ["PSD"],
      storages: ["ideal"],
      letters: ["I"],
      replicates: 1,
      epochs: 15,
      searchPatterns,
    };
    const { metrics } = await runExperiment(timingRules, { seed: 3, set });
    return (metrics["results"] as unknown as Row[])[0];
  };
  const [fixed, searched] = [await run(0), await run(1)];
  expect(searched.tried).toBeGreaterThanOrEqual(5);
  expect(Math.log2(searched.eta / fixed.eta) % 1).toBe(0);
  expect(searched.victorPurpura).toBeLessThan(fixed.victorPurpura + 0.1);
});

describe("the search for a rate", () => {
  const search = async (start: number, cost: (rate: number) => number) => {
    const asked: number[] = [];
    const found = await ladder(start, async (rate) => {
      asked.push(rate);
      return cost(rate);
    });
    return { ...found, asked };
  };
  test("doubles and halves until two rates in a row bring nothing, from either side of the best", async () => {
    const valley = (rate: number) => Math.abs(Math.log2(rate / 16));
    expect(await search(4, valley)).toEqual({ rate: 16, cost: 0, tried: 7, asked: [4, 8, 16, 32, 64, 2, 1] });
    expect((await search(100, valley)).rate).toBe(12.5);
  });
  test("passes one bad rate, not two", async () => {
    const bumpy = (rate: number) => ({ 1: 3, 2: 4, 4: 1, 8: 5, 16: 5, 32: 0 })[rate] ?? 9;
    expect((await search(1, bumpy)).rate).toBe(4);
  });
});

test("rules and storages that are none are refused", async () => {
  const run = (set: Record<string, string[]>) => runExperiment(timingRules, { quick: true, set });
  await expect(run({ rules: ["Normad"] })).rejects.toThrow(
    "there is no rule Normad; there are NormAD; ReSuMe; PSD; SPAN; I-learning; tempotron",
  );
  await expect(run({ storages: ["RRAM"] })).rejects.toThrow(
    "there is no storage RRAM; there are ideal; PCM;",
  );
});
