/** Networks that learn digits by themselves, in their quick form on the digits that ship. Criteria chosen beforehand. */
import { describe, expect, test } from "vitest";
import cusio2w from "../../experiments/cusio2w-mnist.ts";
import diehlCook from "../../experiments/diehl-cook.ts";
import { type Estimate, runExperiment } from "../../src/index.ts";

/**
 * Lowest accuracy of a hundred tests, %, that is not chance: guessing hits 10 % and more than 28 of a hundred once in a
 * million times.
 */
const chance = 28;

const accuracyOf = (metrics: Readonly<Record<string, unknown>>) => (metrics["accuracy"] as Estimate).mean;

describe("cusio2w-mnist", () => {
  test("quick: 10 cells on devices learn from 500 showings of 100 digits to name 100 others", async () => {
    const { metrics, figures, arrays } = await runExperiment(cusio2w, { quick: true });
    expect(accuracyOf(metrics)).toBeGreaterThan(chance); // measured 49
    expect(metrics["digits"]).toBe(500);
    expect(metrics["spikesPerDigit"]).toBeGreaterThan(10); // the specification: 12.6 with 50 cells
    expect(metrics["spikesPerDigit"]).toBeLessThan(14);
    expect(metrics["meanWeight"]).toBeGreaterThan(0.1); // 0.14
    expect(metrics["meanWeight"]).toBeLessThan(0.2);
    expect(Object.keys(figures ?? {})).toEqual(["weights", "learning", "confusion"]);
    expect(arrays?.["weights"]).toMatchObject({ shape: [784, 10] });
  });

  test("control: cells whose devices do not move name digits no better than by chance", async () => {
    const still = { passes: 1, images: 50, deviceParameters: "aUp=0,aDown=0" };
    const { metrics } = await runExperiment(cusio2w, { quick: true, set: still });
    expect(accuracyOf(metrics)).toBeLessThan(chance);
  });

  test("a study is a table of its variants, with intervals over networks, and a figure", async () => {
    const { metrics, figures } = await runExperiment(cusio2w, {
      quick: true,
      set: {
        variants: "outputs 10,outputs 50,ideal synapses",
        replicates: 2,
        passes: 1,
        images: 40,
        labelling: 40,
        tests: 20,
      },
    });
    const rows = metrics["variants"] as { variant: string; accuracy: Estimate; networks: number }[];
    expect(rows.map(({ variant }) => variant)).toEqual(["outputs 10", "outputs 50", "ideal synapses"]);
    for (const { accuracy, networks } of rows) expect([accuracy.n, networks]).toEqual([2, 2]);
    expect(figures).toHaveProperty("outputs");
  });

  test("any device that goes up and down will do: its range is measured", async () => {
    const set = { device: "reRamSB", passes: 3 };
    const { metrics } = await runExperiment(cusio2w, { quick: true, set });
    expect(accuracyOf(metrics)).toBeGreaterThan(15); // measured 31 after 5 passes; its steps are coarse
    expect(metrics["meanWeight"]).toBeGreaterThan(0);
    expect(metrics["meanWeight"]).toBeLessThan(1);
  });

  test("an interrupted run hands back what it has; the same seed gives the same figures", async () => {
    const stop = new AbortController();
    const interrupted = await runExperiment(cusio2w, {
      quick: true,
      signal: stop.signal,
      progress: (fraction) => {
        if (fraction > 0.3) stop.abort();
      },
    });
    expect(interrupted.metrics["digits"]).toBeLessThan(450);
    expect(interrupted.metrics["digits"]).toBeGreaterThan(50);
    const set = { passes: 1, tests: 20, labelling: 50 };
    const [a, b, c] = await Promise.all(
      [3, 3, 4].map(async (seed) => (await runExperiment(cusio2w, { quick: true, seed, set })).arrays),
    );
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });

  test("what does not exist is said with what does", async () => {
    const run = (set: Readonly<Record<string, string>>) => runExperiment(cusio2w, { quick: true, set });
    await expect(run({ variants: "outputs 51" })).rejects.toThrow(
      "there is no variant outputs 51; there are as set, ideal synapses, outputs, pulse spread, device spread, levels, and single ones such as outputs 10",
    );
    await expect(run({ data: "mnits" })).rejects.toThrow('data is "mnist" or "sample", not "mnits"');
    await expect(run({ device: "cuSiO2" })).rejects.toThrow("there is no device cuSiO2");
    await expect(run({ deviceParameters: "x0" })).rejects.toThrow(
      'a device parameter is "name=value", not "x0"',
    );
  });
});

describe("diehl-cook", () => {
  test("quick: 50 cells learn from 300 showings of 100 digits to name 100 others", async () => {
    const { metrics, figures } = await runExperiment(diehlCook, { quick: true });
    expect(accuracyOf(metrics)).toBeGreaterThan(chance); // measured 50
    expect(metrics["weightsOfACell"]).toBeGreaterThan(77.9); // 78 before each digit
    expect(metrics["weightsOfACell"]).toBeLessThan(79);
    expect(metrics["spikesPerDigit"]).toBeGreaterThan(5);
    expect(Object.keys(figures ?? {})).toEqual(["weights", "learning", "confusion"]);
  });

  test("the same network with one pulse up or down on devices learns too", async () => {
    const { metrics } = await runExperiment(diehlCook, {
      quick: true,
      set: { synapses: "cuSiO2W", delay: "0 ms", passes: 1, cells: 30 },
    });
    expect(accuracyOf(metrics)).toBeGreaterThan(chance); // measured 38
  });
});
