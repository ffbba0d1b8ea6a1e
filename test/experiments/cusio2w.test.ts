/** Cu/SiO2/W-like devices and precise spike times on them, in quick runs. Criteria chosen beforehand. */
import { describe, expect, test } from "vitest";
import device from "../../experiments/cusio2w-device.ts";
import spikeTimes from "../../experiments/cusio2w-spike-times.ts";
import { type Estimate, runExperiment } from "../../src/index.ts";

describe("cusio2w-device, quick", () => {
  test("the fit finds the step law, no voltage exceeds 0.5 V, potentiation falls with x and depression grows", async () => {
    const { metrics, figures = {} } = await runExperiment(device, { quick: true, seed: 1 });
    const law = metrics["law"] as unknown as Record<string, { has: number; low: number; high: number }>;
    expect(Object.keys(law)).toEqual(["aUp", "aDown", "gammaUp", "gammaDown", "pulseSd"]);
    for (const { has, low, high } of Object.values(law)) {
      // twice the 95 % interval: a false alarm once in 1e4 by parameter
      const [middle, reach] = [(low + high) / 2, high - low];
      expect(Math.abs(has - middle)).toBeLessThan(reach);
      expect(reach).toBeLessThan(0.4 * has); // control: the data say something
    }
    expect(metrics["greatestVoltage"]).toBeGreaterThan(0.45);
    expect(metrics["greatestVoltage"]).toBeLessThanOrEqual(0.5);
    expect(metrics["spikeAlone"]).toBe(0);
    const window = metrics["window"] as unknown as Record<
      "x" | "up1" | "down1" | "up10" | "down10",
      number
    >[];
    expect(window.map(({ x }) => x)).toEqual([0.2, 0.5, 0.8]);
    // a pair 1 ms apart moves x = 0.5 by 0.05, half of 387.4 uS; what moves is in proportion to the room
    for (const { x, up1, down1, up10, down10 } of window) {
      expect(up1 / (0.1 * (1 - x) * 387.4)).toBeCloseTo(1, 1);
      expect(down1 / (-0.1 * x * 387.4)).toBeCloseTo(1, 1);
      expect(up10 / up1).toBeLessThan(0.6);
      expect(down10 / down1).toBeLessThan(0.6);
    }
    expect(metrics["reach"]).toBe(0.038); // the longest interval measured below 38.9 ms
    expect(Object.keys(figures)).toEqual(["steps", "window", "waveforms", "pulses"]);
  });

  test("a state outside of 0 to 1 is refused", async () => {
    await expect(runExperiment(device, { quick: true, set: { states: [0.5, 1] } })).rejects.toThrow(
      "a state is between 0 and 1, not 1",
    );
  });
});

describe("cusio2w-spike-times", () => {
  type Row = { case: string; recall25: Estimate; pulses?: Estimate };
  const rows = async (options: Parameters<typeof runExperiment<typeof spikeTimes.parameters>>[1]) => {
    const { metrics, figures = {} } = await runExperiment(spikeTimes, options);
    const cases = metrics["cases"] as unknown as Row[];
    const recall = (name: string) => cases.find((row) => row.case === name)?.recall25.mean ?? Number.NaN;
    return { cases, recall, figures };
  };

  test("quick: on one letter fine steps learn it, spread of 200 % does no harm, coarse steps freeze unless the rest is kept", async () => {
    const { cases, recall, figures } = await rows({ quick: true, seed: 1 });
    expect(cases.length).toBe(5);
    expect(recall("floating point")).toBeGreaterThan(0.9); // measured 0.96
    expect(recall("10 nA, a 0.02")).toBeGreaterThan(0.85); // 0.94
    expect(recall("pulses ± 200 %")).toBeGreaterThan(0.85); // 0.95
    expect(recall("a 0.1")).toBeLessThan(0.25); // 0.07
    expect(recall("a 0.1, kept")).toBeGreaterThan(0.8); // 0.90
    const pulses = (name: string) => cases.find((row) => row.case === name)?.pulses?.mean ?? Number.NaN;
    expect(pulses("a 0.1, kept")).toBeLessThan(pulses("10 nA, a 0.02") / 2);
    expect(Object.keys(figures)).toEqual(["recall", "learning", "raster-0", "raster-1"]);
  });

  test("one cell with 100 inputs and a Poisson train to learn", async () => {
    const { recall } = await rows({
      seed: 1,
      set: { problem: "cell", cases: ["10 nA, a 0.02"], replicates: 6, epochs: 60 },
    });
    expect(recall("floating point")).toBeGreaterThan(0.85);
    expect(recall("10 nA, a 0.02")).toBeGreaterThan(0.7);
  });

  test("cases and problems that are none are refused", async () => {
    await expect(rows({ set: { cases: ["a 1"] } })).rejects.toThrow(
      "there is no case a 1; there are 10 nA, a 0.02;",
    );
    await expect(rows({ set: { problem: "digits" } })).rejects.toThrow(
      "problem is letters or cell, not digits",
    );
  });
});
