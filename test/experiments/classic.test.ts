/** The classic experiments in their quick form give the figures of the literature. Criteria chosen beforehand. */
import { describe, expect, test } from "vitest";
import brunel from "../../experiments/brunel.ts";
import coba from "../../experiments/coba.ts";
import cuba from "../../experiments/cuba.ts";
import singleNeuron, { closedFormRate } from "../../experiments/single-neuron.ts";
import stdpWindow from "../../experiments/stdp-window.ts";
import { type Experiment, isiCv, meanRate, runExperiment } from "../../src/index.ts";

/** Metrics of a run; `number` and `numbers` say what they are. */
async function metricsOf<P extends Experiment["parameters"]>(
  of: Experiment<P>,
  options: Parameters<typeof runExperiment>[1] = {},
) {
  const { metrics } = await runExperiment(of, options);
  return {
    number: (name: string) => metrics[name] as number,
    numbers: (name: string) => Object.values(metrics[name] as object) as number[],
  };
}

describe("cuba", () => {
  // Brian2 2.5.1, same equations, Bernoulli connections, 1 s: 5.74 Hz, mean ISI CV 0.516; networks differ by 0.2 Hz
  test("one second: 5 to 6.2 Hz in both populations, ISI CV 0.48 to 0.56 over the few spikes of a second", async () => {
    const { metrics, figures = {}, spikes = {} } = await runExperiment(cuba);
    for (const name of ["meanRate", "rateE", "rateI"]) {
      expect(metrics[name]).toBeGreaterThan(5);
      expect(metrics[name]).toBeLessThan(6.2);
    }
    expect(metrics["isiCv"]).toBeGreaterThan(0.48);
    expect(metrics["isiCv"]).toBeLessThan(0.56);
    expect(metrics["meanRate"]).toBe(meanRate(spikes.cells));
    expect(metrics["isiCv"]).toBe(isiCv(spikes.cells));
    expect(Object.keys(figures)).toEqual(["raster", "rates"]);
  });

  test("control: with half the inhibitory cells the rate is another", async () => {
    const metrics = await metricsOf(cuba, { quick: true, set: { sizeI: 400 } });
    expect(metrics.number("meanRate")).toBeGreaterThan(6.2);
  });

  test("another seed is another network, the same seed the same spikes", async () => {
    const [a, b, c] = await Promise.all(
      [1, 1, 2].map((seed) => runExperiment(cuba, { quick: true, seed, set: { duration: "100 ms" } })),
    );
    expect(a.spikes).toEqual(b.spikes);
    expect(a.spikes).not.toEqual(c.spikes);
  });
});

describe("coba", () => {
  // Brian2 2.5.1, the same network with six seeds, 1 s: 18.9 to 21.4 Hz, mean ISI CV 1.50 to 1.56
  test("one second: activity goes on by itself at 17 to 23 Hz with an ISI CV of 1.45 to 1.6", async () => {
    const metrics = await metricsOf(coba);
    for (const name of ["meanRate", "lateRate"]) {
      expect(metrics.number(name)).toBeGreaterThan(17);
      expect(metrics.number(name)).toBeLessThan(23);
    }
    expect(metrics.number("isiCv")).toBeGreaterThan(1.45);
    expect(metrics.number("isiCv")).toBeLessThan(1.6);
  });

  test("control: with a twentieth of the connections it dies", async () => {
    const metrics = await metricsOf(coba, { quick: true, set: { p: 0.001 } });
    expect(metrics.number("lateRate")).toBe(0);
  });

  test("Hodgkin–Huxley cells, resting ones, sustain it too: 25 to 50 Hz", async () => {
    const metrics = await metricsOf(coba, { quick: true, set: { cell: "hodgkin-huxley" } });
    expect(metrics.number("lateRate")).toBeGreaterThan(25);
    expect(metrics.number("lateRate")).toBeLessThan(50);
  });

  test("an unknown cell is refused", async () => {
    await expect(metricsOf(coba, { set: { cell: "lif" } })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: cell is integrate-and-fire or hodgkin-huxley, not lif]`,
    );
  });
});

describe("single-neuron", () => {
  test("rates lie within a tick's share of the closed form, the error is of first order", async () => {
    const metrics = await metricsOf(singleNeuron, { quick: true });
    expect(metrics.number("rheobaseClosedForm")).toBeCloseTo(2, 12);
    expect(metrics.numbers("rheobase")[0]).toBeLessThan(2);
    expect(metrics.numbers("rheobase")[1]).toBeGreaterThan(2);
    // a period is short by up to one tick of 0.1 ms, the more the higher the rate
    const period = 1 / closedFormRate(8e-9);
    expect(metrics.number("largestError")).toBeLessThan(1e-4 / (period - 1e-4));
    expect(metrics.number("largestError")).toBeGreaterThan(0.2 * (1e-4 / period));
    expect(Math.abs(metrics.number("order") - 1)).toBeLessThan(0.15);
  });

  test("the closed form is 0 at the rheobase, 1 / tref in the limit", () => {
    expect(closedFormRate(2e-9)).toBe(0);
    expect(closedFormRate(1)).toBeCloseTo(1 / 3e-3, 3);
  });
});

describe("stdp-window", () => {
  test("the window is exponential to 1e-12; triplets fit the measured rates, pairs cannot", async () => {
    const metrics = await metricsOf(stdpWindow, { quick: true });
    expect(metrics.number("windowError")).toBeLessThan(1e-12);
    expect(metrics.number("taup")).toBeCloseTo(20, 9);
    expect(metrics.number("taum")).toBeCloseTo(20, 9);
    expect(metrics.number("together")).toBeCloseTo(1, 9);
    // mean square below 1: within the standard errors of the measurement
    expect(metrics.number("tripletMisfit")).toBeLessThan(0.4);
    expect(metrics.number("pairMisfit")).toBeGreaterThan(3);
  });
});

describe("brunel", () => {
  test("rates follow mean-field theory and the regimes have their marks", async () => {
    // g = 5 of the sweep is regime C once more
    const metrics = await metricsOf(brunel, { quick: true, set: { sweep: [8] } });
    const of = metrics.numbers; // regimes A to D
    const rate = of("rate");
    const theory = of("theory");
    // theory itself: numbers of the diffusion limit, independent of the simulation
    expect(theory.map((x) => Number(x.toFixed(1)))).toEqual([327, 55.8, 37.9, 6.5]);
    expect(Math.abs(metrics.number("asynchronousError"))).toBeLessThan(0.04);
    rate.forEach((found, k) => {
      expect(Math.abs(found / theory[k] - 1)).toBeLessThan(0.15); // the paper's own differences: up to 15 %
    });
    const sweep = metrics.numbers("sweepRate");
    const expected = metrics.numbers("sweepTheory");
    for (let k = 0; k < sweep.length; k++) expect(Math.abs(sweep[k] / expected[k] - 1)).toBeLessThan(0.04);
    const [regular, fast, asynchronous] = of("isiCv");
    expect(regular).toBeLessThan(0.02);
    expect(fast).toBeGreaterThan(0.5);
    expect(asynchronous).toBeGreaterThan(0.3);
    // synchronous irregular: the population is much faster than its cells
    const [, fastFrequency, , slowFrequency] = of("frequency");
    expect(fastFrequency).toBeGreaterThan(2.5 * rate[1]);
    expect(slowFrequency).toBeGreaterThan(2.5 * rate[3]);
    expect(slowFrequency).toBeLessThan(50);
  });
});
