import { describe, expect, test } from "vitest";
import { adex, adexPatterns } from "../../models/adex.ts";
import { neurons, simulate, spikes, timesOf } from "../../src/index.ts";

/** Spike times, ms, of one pattern's cell in its current for 0.5 s, from rest. */
async function times(pattern: keyof typeof adexPatterns): Promise<number[]> {
  const { I, parameters } = adexPatterns[pattern];
  const cells = neurons(1, adex.with(parameters), { v: "El", I });
  const { raster } = await simulate(
    { cells },
    { duration: "500 ms", dt: "0.05 ms", seed: 1, record: { raster: spikes(cells) } },
  );
  return Array.from(timesOf(raster, 0), (t) => t * 1e3);
}

const intervals = (fired: readonly number[]) => fired.slice(1).map((t, k) => t - fired[k]);

describe("the adaptive exponential cell", () => {
  test("loses its rest at the closed-form rheobase, within 0.2 %", async () => {
    // Touboul & Brette 2008; Naud et al. 2008: a Hopf bifurcation where a / gL > C / (gL tauw)
    const [C, gL, El, VT, DeltaT, tauw, a] = [281e-12, 30e-9, -70.6e-3, -50.4e-3, 2e-3, 0.144, 4e-9];
    const ratio = C / gL / tauw;
    const rheobase =
      (gL + a) * (VT - El - DeltaT + DeltaT * Math.log(1 + ratio)) + DeltaT * gL * (a / gL - ratio);
    const current = [0.998 * rheobase, 1.002 * rheobase];
    // below the rheobase start at the fixed point, above it at the last one there is
    const excess = (v: number) => gL * (v - El) - gL * DeltaT * Math.exp((v - VT) / DeltaT) + a * (v - El);
    let [low, high] = [El, VT + DeltaT * Math.log(1 + ratio)];
    for (let k = 0; k < 60; k++) {
      const middle = (low + high) / 2;
      if (excess(middle) < current[0]) low = middle;
      else high = middle;
    }
    const cells = neurons(2, adex, { v: [low, low], w: [a * (low - El), a * (low - El)], I: current });
    const { raster } = await simulate(
      { cells },
      { duration: "5 s", dt: "0.1 ms", seed: 1, record: { raster: spikes(cells) } },
    );
    expect(timesOf(raster, 0).length).toBe(0);
    expect(timesOf(raster, 1).length).toBeGreaterThan(3);
  });

  test("tonic spiking: the last ten intervals are equal, to the tick", async () => {
    const found = intervals(await times("tonic"));
    expect(found.length).toBeGreaterThan(20);
    const last = found.slice(-10);
    expect(Math.max(...last) - Math.min(...last)).toBeLessThan(0.051);
  });

  test("adaptation: every interval is longer than the one before, in the end three times the first", async () => {
    const found = intervals(await times("adaptation"));
    expect(found.length).toBeGreaterThan(5);
    for (let k = 1; k < found.length; k++) expect(found[k]).toBeGreaterThan(found[k - 1] - 0.06);
    expect(found[found.length - 1]).toBeGreaterThan(3 * found[0]);
  });

  test("initial burst: a short first interval, then long equal ones", async () => {
    const found = intervals(await times("initialBurst"));
    expect(found[0]).toBeLessThan(0.3 * found[found.length - 1]);
  });

  test("regular bursting: two clusters of intervals apart by a factor of five", async () => {
    const found = intervals(await times("regularBursting")).sort((a, b) => a - b);
    const gap = Math.max(...found.slice(1).map((interval, k) => interval / found[k]));
    expect(gap).toBeGreaterThan(5);
  });

  test("delayed accelerating: a late first spike, intervals that shorten", async () => {
    const fired = await times("delayedAccelerating");
    const found = intervals(fired);
    expect(fired[0]).toBeGreaterThan(2 * found[found.length - 1]);
    expect(found[found.length - 1]).toBeLessThan(0.7 * found[0]);
  });

  test("transient spiking: a few spikes, then silence", async () => {
    const fired = await times("transient");
    expect(fired.length).toBeGreaterThan(0);
    expect(fired[fired.length - 1]).toBeLessThan(100);
  });

  test("irregular spiking: intervals neither repeat nor settle", async () => {
    const found = intervals(await times("irregular"));
    const mean = found.reduce((sum, x) => sum + x, 0) / found.length;
    const sd = Math.sqrt(found.reduce((sum, x) => sum + (x - mean) ** 2, 0) / found.length);
    expect(sd / mean).toBeGreaterThan(0.3);
  });
});
