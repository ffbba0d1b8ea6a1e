import { describe, expect, test } from "vitest";
import { izhikevich, izhikevichTypes } from "../../models/izhikevich.ts";
import { neurons, simulate, spikes, timesOf } from "../../src/index.ts";

/** Interspike intervals, ms, of one cell at rest (v = -70 mV) that gets the current from t = 0. */
async function intervals(type: keyof typeof izhikevichTypes, current: string): Promise<number[]> {
  const cells = neurons(1, izhikevich.with(izhikevichTypes[type]), {
    v: "-70 mV",
    u: "-14 mV",
    I: current,
  });
  const { raster } = await simulate(
    { cells },
    { duration: "1 s", dt: "0.05 ms", seed: 1, record: { raster: spikes(cells) } },
  );
  const t = timesOf(raster, 0);
  return Array.from(t.subarray(1), (time, k) => (time - t[k]) * 1e3);
}

describe("Izhikevich's cell", () => {
  test("loses its rest by a Hopf bifurcation at I = 3.7975 for a = 0.02, b = 0.2: closed form", async () => {
    // trace 0.08 v + 5 - a = 0 at v = -62.25; there I = -(0.04 v^2 + 4.8 v + 140)
    const hopf = 3.7975;
    const currents = [hopf - 0.02, hopf + 0.02];
    const v = currents.map((I) => (-4.8 - Math.sqrt(4.8 ** 2 - 0.16 * (140 + I))) / 0.08); // lower fixed point
    const cells = neurons(2, izhikevich, {
      v: v.map((x) => (x + 0.01) * 1e-3),
      u: v.map((x) => 0.2 * x * 1e-3),
      I: currents.map((I) => I * 1e-3),
    });
    const { raster } = await simulate(
      { cells },
      { duration: "20 s", dt: "0.1 ms", seed: 1, record: { raster: spikes(cells) } },
    );
    expect(timesOf(raster, 0).length).toBe(0);
    expect(timesOf(raster, 1).length).toBeGreaterThan(10);
  });

  test("regular spiking: intervals grow to a steady one", async () => {
    const found = await intervals("regularSpiking", "10 mV");
    expect(found[1]).toBeGreaterThan(found[0]);
    const [late, later] = found.slice(-2);
    expect(late).toBeGreaterThan(1.5 * found[0]);
    expect(Math.abs(later - late)).toBeLessThan(0.06); // a tick
  });

  test("fast spiking: more than four times as fast, with hardly any adaptation", async () => {
    const slow = await intervals("regularSpiking", "10 mV");
    const fast = await intervals("fastSpiking", "10 mV");
    expect(fast.length).toBeGreaterThan(4 * slow.length);
    expect(fast[fast.length - 1]).toBeLessThan(1.5 * fast[1]);
  });

  test("chattering: bursts of intervals below 6 ms with pauses above 15 ms", async () => {
    const found = await intervals("chattering", "10 mV");
    const short = found.filter((interval) => interval < 6).length;
    const long = found.filter((interval) => interval > 15).length;
    expect(short).toBeGreaterThan(long);
    expect(long).toBeGreaterThan(10);
    expect(short + long).toBe(found.length);
  });

  test("intrinsically bursting: one burst at the onset, single spikes later", async () => {
    const found = await intervals("intrinsicallyBursting", "10 mV");
    expect(found[0]).toBeLessThan(8);
    expect(Math.min(...found.slice(10))).toBeGreaterThan(2.5 * found[0]);
  });
});
