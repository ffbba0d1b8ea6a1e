import { describe, expect, test } from "vitest";
import { drivenLif, lif } from "../../models/lif.ts";
import { doubleExponentialSynapse } from "../../models/synapses.ts";
import {
  allToAll,
  neurons,
  simulate,
  spikeSource,
  spikes,
  synapses,
  timesOf,
  trace,
} from "../../src/index.ts";

const dt = 1e-4;
const [C, gL, El, tau1, tau2] = [300e-12, 30e-9, -0.07, 5e-3, 1.25e-3];

async function stimulated(times: readonly number[], weight: string, duration: `${number} ms`) {
  const source = spikeSource(1, [times]);
  const cells = neurons(1, lif, { v: "El" });
  const input = synapses(source, cells, doubleExponentialSynapse, {
    connect: allToAll(),
    initial: { w: weight },
  });
  const record = {
    v: trace(cells, "v"),
    ia: trace(cells, "ia"),
    ib: trace(cells, "ib"),
    raster: spikes(cells),
  };
  return simulate({ source, cells, input }, { duration, dt: "0.1 ms", seed: 1, record });
}

describe("the output cell of the PCM network", () => {
  test("one spike makes w (exp(-t/5 ms) - exp(-t/1.25 ms)) and its membrane response, to 1e-12", async () => {
    const w = 1e-9;
    const { v, ia, ib } = await stimulated([0.002], "1 nA", "60 ms");
    const taum = C / gL;
    const response = (tau: number, t: number) =>
      ((tau * taum) / (tau - taum) / C) * (Math.exp(-t / tau) - Math.exp(-t / taum));
    for (let n = 0; n < v.t.length; n++) {
      // the spike of tick 20 arrives after the integration of that tick: its effect begins at 21 dt
      const t = (n - 21) * dt;
      const current = t < 0 ? 0 : w * (Math.exp(-t / tau1) - Math.exp(-t / tau2));
      const potential = t < 0 ? 0 : w * (response(tau1, t) - response(tau2, t));
      expect(Math.abs(ia.values[n] - ib.values[n] - current)).toBeLessThan(1e-12 * w);
      expect(Math.abs(v.values[n] - El - potential)).toBeLessThan(1e-12 * 0.07);
    }
    expect(Math.max(...v.values) - El).toBeGreaterThan(5e-3);
  });

  test("inhibition holds the potential at rest and not below, and excitation then acts at once", async () => {
    const { v } = await stimulated([0.002], "-10 nA", "60 ms");
    expect(Math.min(...v.values)).toBe(El);
    expect(Math.max(...v.values)).toBe(El);
  });

  test("a strong current makes it fire with 3 ms between spikes at least, from 90 mV above rest", async () => {
    const times = Array.from({ length: 100 }, (_, n) => 0.001 + n * 0.001);
    const { v, raster } = await stimulated(times, "100 nA", "150 ms");
    const fired = timesOf(raster, 0);
    const intervals = fired.subarray(1).map((t, k) => Math.round((t - fired[k]) / dt));
    expect(fired.length).toBeGreaterThan(20);
    expect(Math.min(...intervals)).toBeGreaterThanOrEqual(30);
    expect(Math.min(...intervals)).toBeLessThan(40);
    expect(Math.max(...v.values)).toBeLessThan(0.02);
  });
});

describe("a cell with constant current", () => {
  test("fires with the period of the closed form, rounded up to ticks, for 200 currents", async () => {
    const size = 200;
    const I = Float64Array.from({ length: size }, (_, k) => 2.01e-9 + k * 4e-11);
    const cells = neurons(size, drivenLif, { v: "El", I });
    const { raster } = await simulate(
      { cells },
      { duration: "1 s", dt: "0.1 ms", seed: 1, record: { raster: spikes(cells) } },
    );
    for (let i = 0; i < size; i++) {
      const drive = 1e7 * I[i];
      const rise = 10e-3 * Math.log(drive / (drive - 0.02)); // s from reset to threshold
      // the 30 refractory ticks begin with the tick of the spike, in which the cell was already reset
      const ticks = 29 + Math.ceil(rise / dt);
      const fired = timesOf(raster, i);
      const intervals = new Set(fired.subarray(1).map((t, k) => Math.round((t - fired[k]) / dt)));
      expect([...intervals]).toEqual([ticks]);
    }
  });

  test("is silent at the current whose steady potential is the threshold, less 1e-6", async () => {
    const cells = neurons(2, drivenLif, { v: "El", I: [2e-9 * (1 - 1e-6), 2e-9 * (1 + 1e-6)] });
    const { raster } = await simulate(
      { cells },
      { duration: "1 s", dt: "0.1 ms", seed: 1, record: { raster: spikes(cells) } },
    );
    expect(timesOf(raster, 0).length).toBe(0);
    // tau ln(1e6) = 138 ms to threshold, and 3 ms refractory
    expect(timesOf(raster, 1).length).toBe(7);
  });
});
