import { describe, expect, test } from "vitest";
import { idealDevice } from "../../models/constant-step.ts";
import { device, referenceDevice } from "../../src/index.ts";
import { bothWays, netPulses, scale, unit, uS } from "./compositions.ts";
import { limit, moments } from "./distribution.ts";
import { programmable } from "./programming.ts";

describe("a weight with a reference", () => {
  test("is beta (G - reference), from the first read on", async () => {
    const { simulation, weights } = await programmable(
      referenceDevice(bothWays, { ...scale, devices: 3, reference: "2990 uS" }),
      4,
    );
    simulation.run({ duration: "0 ms" });
    for (const w of weights()) expect(Math.abs(w / unit - 10)).toBeLessThan(1e-9);
    expect(simulation.conductances("plastic").length).toBe(12);
  });

  test("goes up by the device's up, down by its down, n = round(|dW| / (beta step)), at most 10", async () => {
    const changes = Array.from({ length: 501 }, (_, k) => (k - 250) * 0.0503); // steps
    const { write, conductances, weights } = await programmable(
      referenceDevice(bothWays, { ...scale, reference: "1000 uS" }),
      changes.length,
    );
    write(changes.map((x) => x * unit));
    const expected = changes.map((x) => Math.sign(x) * Math.min(10, Math.round(Math.abs(x))) + 0);
    expect(netPulses(conductances())).toEqual(expected);
    weights().forEach((w, s) => {
      expect(Math.abs(w / unit - expected[s])).toBeLessThan(1e-9);
    });
  });

  test("moves a counter over its devices, up and down alike; three devices are not their neighbours'", async () => {
    const given = async (counter: "shared" | "own") => {
      const { write, conductances } = await programmable(
        referenceDevice(bothWays, { ...scale, devices: 3, reference: "3 mS", counter }),
        2,
      );
      write([2 * unit, 2 * unit]);
      write([-2 * unit, 0]);
      return netPulses(conductances());
    };
    // pulses 0 and 1 onto the first synapse, 2 and 3 = 0 onto the second, then 4 = 1 and 5 = 2 down on the first
    expect(await given("shared")).toEqual([1, 0, -1, 1, 0, 1]);
    // each synapse from its first device on; 2 and 3 = 0 down on the first
    expect(await given("own")).toEqual([0, 1, -1, 1, 1, 0]);
  });

  test("of soft-bounds devices relaxes by (1 - a)^n towards the bound it is driven to", async () => {
    // a step of a part a of what is left: x = 1 - (1 - x0) (1 - a)^n after n pulses up, x0 (1 - a)^n down
    const soft = device({
      name: "soft bounds",
      source: "test",
      equations: "x : 1",
      initial: { x: 0.5 },
      on: { up: "x += a * (1 - x)", down: "x -= a * x" },
      read: "Gmin + x * (Gmax - Gmin)",
      parameters: { a: 0.02, Gmin: "40 uS", Gmax: "440 uS" },
    });
    const weightMax = 10e-9; // at x = 1; the reference is the middle
    const { write, weights } = await programmable(
      referenceDevice(soft, {
        weightPerConductance: "50 pA/uS", // 10 nA over half the range
        step: "4 uS", // a / 2 of the range
        maxPulses: 100,
        reference: "240 uS",
      }),
      2,
    );
    for (const n of [7, 50]) {
      const start = Array.from(weights(), (w) => (w / weightMax + 1) / 2);
      write([n * 200e-12, -n * 200e-12]);
      const shrunk = 0.98 ** n;
      const expected = [1 - (1 - start[0]) * shrunk, start[1] * shrunk];
      weights().forEach((w, s) => {
        expect(Math.abs(w / weightMax - (2 * expected[s] - 1))).toBeLessThan(1e-13);
      });
      if (n === 7) expect(Math.abs(expected[0] - 0.5 - 0.07)).toBeLessThan(5e-3); // a step is nearly 1 % there
    }
  });

  test("has the read noise of its own devices: N of them make sqrt(N) of one", async () => {
    const noisy = device({
      name: "noisy",
      source: "test",
      equations: "G : S",
      initial: { G: "20 uS" },
      on: { up: "G += 1 * step", down: "G -= 1 * step" },
      read: "G + noise * randn()",
      parameters: { step: "1 uS", noise: "2 uS" },
    });
    const count = 50_000;
    for (const devices of [1, 3]) {
      const { simulation, weights } = await programmable(
        referenceDevice(noisy, { ...scale, devices, reference: `${20 * devices} uS` }),
        count,
      );
      simulation.run({ duration: "0 ms" });
      const { mean, sd } = moments(weights().map((w) => w / unit / Math.sqrt(devices)));
      expect(Math.abs(mean)).toBeLessThan((limit * 2) / Math.sqrt(count));
      expect(Math.abs(sd / 2 - 1)).toBeLessThan(limit / Math.sqrt(2 * count));
      expect(Math.abs(sd / 2.05 - 1)).toBeGreaterThan(limit / Math.sqrt(2 * count)); // control: 2.5 % more
    }
  });

  test("of zero never makes a weight negative", async () => {
    const bounded = device({
      name: "bounded",
      source: "test",
      equations: "G : S",
      initial: { G: "5 uS" },
      on: { up: "G = min(G + step, Gmax)", down: "G = max(G - step, 0 * Gmax)" },
      read: "G",
      parameters: { step: "1 uS", Gmax: "20 uS" },
    });
    const { write, weights } = await programmable(referenceDevice(bounded, { ...scale, reference: "0 uS" }));
    write(-8 * unit);
    expect(weights()[0]).toBe(0);
    write(3 * unit);
    expect(Math.round(weights()[0] / unit)).toBe(3);
  });
});

describe("errors", () => {
  test("of devices that only go up, of numbers", () => {
    expect(() =>
      referenceDevice(idealDevice, { ...scale, reference: "1 uS" }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: ideal device has no "down" pulse; only that makes a weight with a reference less; its pulses are set, reset]`,
    );
    expect(() =>
      referenceDevice(bothWays, { ...scale, reference: "-1 uS" }),
    ).toThrowErrorMatchingInlineSnapshot(`[ConfigError: the reference must not be negative, and is -1 uS]`);
    expect(() =>
      referenceDevice(bothWays, { ...scale, reference: "1 V" }),
    ).toThrowErrorMatchingInlineSnapshot(`[ConfigError: the reference is V, not S: 1 V]`);
    expect(() =>
      referenceDevice(bothWays, { ...scale, reference: `${1e6 * uS} uS`, devices: 65 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a weight with a reference has 1 to 64 devices, not 65]`,
    );
  });
});
