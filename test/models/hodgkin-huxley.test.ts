import { describe, expect, test } from "vitest";
import {
  cobaHodgkinHuxley,
  cobaHodgkinHuxleyRest,
  hodgkinHuxley,
  hodgkinHuxleyRest,
} from "../../models/hodgkin-huxley.ts";
import { neurons, quantity, simulate, spikes, timesOf, trace } from "../../src/index.ts";

const rest = hodgkinHuxleyRest;
const uA = 0.01; // uA/cm^2 in A/m^2

/** Spike times, s, at each current, uA/cm^2, from rest (v shifted by `kick`, mV). */
async function fired(currents: readonly number[], kick = 0, duration: `${number} ms` = "500 ms") {
  const cells = neurons(currents.length, hodgkinHuxley, {
    ...rest,
    v: currents.map(() => -0.065 + kick * 1e-3),
    I: currents.map((I) => I * uA),
  });
  const { raster } = await simulate(
    { cells },
    { duration, dt: "0.02 ms", seed: 1, record: { raster: spikes(cells) } },
  );
  return currents.map((_, i) => timesOf(raster, i));
}

describe("the squid axon", () => {
  test("comes to rest where its currents cancel, within 10 uV of -65 mV", async () => {
    const cells = neurons(1, hodgkinHuxley, { ...rest });
    const { v, raster } = await simulate(
      { cells },
      { duration: "200 ms", dt: "0.02 ms", seed: 1, record: { v: trace(cells, "v"), raster: spikes(cells) } },
    );
    expect(raster.t.length).toBe(0);
    expect(Math.max(...v.values.map((x) => Math.abs(x + 0.065)))).toBeLessThan(1e-5);
    expect(Math.abs(v.values[v.values.length - 1] - fixedPoint(0).v)).toBeLessThan(1e-9);
  });

  test("a shock makes one spike of some 105 mV, and 6 mV is not enough", async () => {
    const cells = neurons(2, hodgkinHuxley, { ...rest, v: [-0.065 + 0.006, -0.065 + 0.015] });
    const { v, raster } = await simulate(
      { cells },
      { duration: "30 ms", dt: "0.01 ms", seed: 1, record: { v: trace(cells, "v"), raster: spikes(cells) } },
    );
    expect([timesOf(raster, 0).length, timesOf(raster, 1).length]).toEqual([0, 1]);
    const peak = Math.max(...v.values.filter((_, k) => k % 2 === 1)) + 0.065;
    // Hodgkin & Huxley 1952, figure 12: between 90 mV (7 mV shock) and 108 mV (90 mV shock)
    expect(peak).toBeGreaterThan(0.09);
    expect(peak).toBeLessThan(0.108);
  });

  test("fires on and on above 6.26 uA/cm^2, and only a few times at 6.2", async () => {
    // saddle-node of periodic solutions: Rinzel & Miller 1980, Math. Biosci. 49:27
    const [below, above] = await fired([6.2, 6.5], 0, "1000 ms");
    expect(below.length).toBeLessThan(8);
    expect(below[below.length - 1]).toBeLessThan(0.5);
    const rate = (above.length - 1) / (above[above.length - 1] - above[0]);
    expect(above[above.length - 1]).toBeGreaterThan(0.97);
    expect(rate).toBeGreaterThan(48); // class 2: it starts at a finite rate
    expect(rate).toBeLessThan(60);
  });

  test("rest is stable at 9.6 uA/cm^2 and not at 10: Hopf bifurcation at 9.78", async () => {
    // Hassard 1978; Rinzel & Miller 1980. Start within 0.01 mV of the fixed point of each current.
    const currents = [9.6, 10];
    const at = currents.map(fixedPoint);
    const cells = neurons(2, hodgkinHuxley, {
      v: at.map(({ v }) => v + 1e-5),
      m: at.map(({ m }) => m),
      h: at.map(({ h }) => h),
      n: at.map(({ n }) => n),
      I: currents.map((I) => I * uA),
    });
    const { raster } = await simulate(
      { cells },
      { duration: "4 s", dt: "0.02 ms", seed: 1, record: { raster: spikes(cells) } },
    );
    expect(timesOf(raster, 0).length).toBe(0);
    expect(timesOf(raster, 1).length).toBeGreaterThan(10);
  });
});

/** Where the total current of the axon vanishes: v in V, gates. */
function fixedPoint(current: number): { v: number; m: number; h: number; n: number } {
  const gates = (u: number) => {
    const ratio = (x: number) => x / Math.expm1(x);
    const [am, bm] = [ratio((25 - u) / 10), 4 * Math.exp(-u / 18)];
    const [ah, bh] = [0.07 * Math.exp(-u / 20), 1 / (Math.exp((30 - u) / 10) + 1)];
    const [an, bn] = [0.1 * ratio((10 - u) / 10), 0.125 * Math.exp(-u / 80)];
    return { m: am / (am + bm), h: ah / (ah + bh), n: an / (an + bn) };
  };
  let [low, high] = [-5, 20];
  for (let k = 0; k < 60; k++) {
    const u = (low + high) / 2;
    const { m, h, n } = gates(u);
    const out = 120 * m ** 3 * h * (u - 115) + 36 * n ** 4 * (u + 12) + 0.3 * (u - 10.613);
    if (out < current) low = u;
    else high = u;
  }
  return { v: (low - 65) * 1e-3, ...gates(low) };
}

test("the benchmark's pyramidal cell rests at -64.76 mV, fires when kicked and comes back", async () => {
  const rest = cobaHodgkinHuxleyRest;
  const cells = neurons(2, cobaHodgkinHuxley, { ...rest, ge: [0, 100e-9] });
  const { v, raster } = await simulate(
    { cells },
    { duration: "500 ms", dt: "0.05 ms", seed: 1, record: { v: trace(cells, "v"), raster: spikes(cells) } },
  );
  expect(timesOf(raster, 0).length).toBe(0);
  expect(timesOf(raster, 1).length).toBeGreaterThan(0);
  const resting = v.values.filter((_, k) => k % 2 === 0);
  expect(Math.max(...resting.map((x) => Math.abs(x - quantity(rest.v))))).toBeLessThan(1e-8);
  expect(Math.abs(v.values[v.values.length - 1] - quantity(rest.v))).toBeLessThan(1e-5);
});

test("with the leak at -60 mV, as in Brian's script of the benchmark, the cell fires by itself", async () => {
  const cells = neurons(1, cobaHodgkinHuxley.with({ El: "-60 mV" }), cobaHodgkinHuxleyRest);
  const { raster } = await simulate(
    { cells },
    { duration: "500 ms", dt: "0.05 ms", seed: 1, record: { raster: spikes(cells) } },
  );
  expect(raster.t.length).toBeGreaterThan(3);
});
