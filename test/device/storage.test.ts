/** What all compositions of devices have in common; the interpreter's part is test/engine/storage.test.ts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PairOptions } from "../../src/device/pair.ts";
import type { WeightStorage } from "../../src/device/storage.ts";
import { device, differentialPair, referenceDevice } from "../../src/index.ts";
import { bothWays, Ledger, netPulses, scale, unit, uS } from "./compositions.ts";
import { programmable } from "./programming.ts";

describe("any composition", () => {
  const pairs = fc
    .record({
      group: fc.oneof(
        fc.record({ devices: fc.integer({ min: 1, max: 4 }), counter: fc.constantFrom("shared", "own") }),
        fc.constantFrom({ significances: [4, 1] }, { significances: [7, 3, 1] }, { significances: [1] }),
      ),
      opposite: fc.boolean(),
      accumulate: fc.boolean(),
      maxPulses: fc.integer({ min: 1, max: 12 }),
      refresh: fc.option(
        fc.record({
          above: fc.integer({ min: 1, max: 5 }),
          difference: fc.option(fc.integer({ min: 1, max: 6 })),
          otherAbove: fc.integer({ min: -3, max: 1 }),
        }),
      ),
    })
    .map(({ group, refresh, ...others }) => {
      const uSAbove = (steps: number) => `${1000.23 + steps} uS`; // never a mean itself
      return differentialPair(bothWays, {
        ...scale,
        ...(group as PairOptions),
        ...others,
        refresh: refresh
          ? {
              above: uSAbove(refresh.above),
              difference: refresh.difference === null ? undefined : `${refresh.difference + 0.13} uS`,
              otherAbove: uSAbove(refresh.otherAbove),
            }
          : undefined,
      });
    });
  const references = fc
    .record({
      devices: fc.integer({ min: 1, max: 5 }),
      counter: fc.constantFrom("shared" as const, "own" as const),
      accumulate: fc.boolean(),
      maxPulses: fc.integer({ min: 1, max: 12 }),
    })
    .map((o) => referenceDevice(bothWays, { ...scale, ...o, reference: `${1000 * o.devices} uS` }));
  // sums of up to 25 changes, and their halves, keep away from where the last bit decides
  const change = (most: number) => fc.integer({ min: -most, max: most }).map((n) => (n + 0.3137) / 100);
  const changes = fc.array(fc.tuple(change(4500), change(1500), change(150)), {
    minLength: 1,
    maxLength: 25,
  });

  test("gives the pulses, weights and remainders of its rule written out", async () => {
    let refreshed = 0;
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.oneof(pairs, references), changes, async (storage: WeightStorage, sequence) => {
        const ledger = new Ledger(storage, 3);
        const { write, conductances, weights, simulation } = await programmable(storage, 3);
        seen.add(`${storage.kind} ${storage.opposite} ${!!storage.significances} ${storage.rounding}`);
        for (const steps of sequence) {
          write(steps.map((x) => x * unit));
          steps.forEach((x, s) => {
            ledger.write(s, x);
          });
          expect(netPulses(conductances())).toEqual(ledger.net.flat(2));
          expect(simulation.deviceUse("plastic").pulses).toEqual(ledger.pulses);
          weights().forEach((w, s) => {
            expect(Math.abs(w / unit - ledger.weight(s))).toBeLessThan(1e-8);
          });
        }
        refreshed += ledger.refreshed;
      }),
      { seed: 20260714, numRuns: 250 },
    );
    expect(refreshed).toBeGreaterThan(100);
    expect([...seen].sort()).toEqual(
      [
        ...["accumulated", "nearest"].flatMap((rounding) =>
          ["false false", "false true", "true false", "true true"].map(
            (o) => `differential pair ${o} ${rounding}`,
          ),
        ),
        "reference device false false accumulated",
        "reference device false false nearest",
      ].sort(),
    );
  });
});

describe("an accumulator", () => {
  const pair = (options: Partial<PairOptions> = {}) =>
    differentialPair(bothWays, { ...scale, accumulate: true, ...options });

  test("spends changes of 0.307 steps in whole pulses, truncated towards zero; rounding spends none", async () => {
    const { write, weights, simulation } = await programmable(pair(), 2);
    const plain = await programmable(differentialPair(bothWays, scale), 2);
    for (let n = 1; n <= 100; n++) {
      write([0.307 * unit, -0.307 * unit]);
      plain.write([0.307 * unit, -0.307 * unit]);
      const whole = Math.floor(0.307 * n);
      expect(Array.from(weights(), (w) => Math.round((1e3 * w) / unit) / 1e3 + 0)).toEqual([
        whole,
        0 - whole,
      ]);
    }
    expect(simulation.pulses("plastic")).toEqual([30, 30, 0]);
    expect(plain.simulation.pulses("plastic")).toEqual([0, 0, 0]); // control
  });

  test("keeps a weight within a step of the sum of all changes, for ever", async () => {
    const count = 500;
    const { write, weights } = await programmable(pair({ maxPulses: 100 }), count);
    const sums = new Float64Array(count);
    let largest = 0;
    for (let n = 0; n < 60; n++) {
      const asked = Array.from(sums, (_, s) => 3 * Math.sin(1.3 * s + 0.7 * n + 0.1 * s * n));
      write(asked.map((x) => x * unit));
      weights().forEach((w, s) => {
        sums[s] += asked[s];
        largest = Math.max(largest, Math.abs(w / unit - sums[s]));
      });
    }
    expect(largest).toBeLessThan(1 + 1e-9);
    expect(largest).toBeGreaterThan(0.99); // the bound is met, not missed by far
  });

  test("keeps what maxPulses cuts off for the next write, whatever that asks", async () => {
    const { write, weights } = await programmable(pair({ maxPulses: 10 }));
    const told = () => Math.round(weights()[0] / unit);
    write(25.5 * unit);
    expect(told()).toBe(10);
    write(0);
    expect(told()).toBe(20);
    write(0);
    expect(told()).toBe(25);
    write(0.5 * unit);
    expect(told()).toBe(26);
  });

  test("holds steps of the conductance: weights scaled twofold need changes twice as large", async () => {
    const { write, simulation } = await programmable(pair());
    simulation.scaleWeights("plastic", 2);
    simulation.run({ duration: "0 ms" });
    for (let n = 0; n < 3; n++) write(0.75 * unit); // 0.375 steps each
    expect(simulation.pulses("plastic")).toEqual([1, 0, 0]);
  });

  test("is left alone by a frozen run and by a restart", async () => {
    const { write, simulation } = await programmable(pair());
    write(0.6 * unit);
    simulation.set("plastic", "change", 0.6 * unit);
    simulation.run({ duration: "3 ms", frozen: ["plastic"] });
    expect(simulation.pulses("plastic")).toEqual([0, 0, 0]);
    simulation.run({ duration: "1 ms", restart: true }); // the change that was set is still due
    expect(simulation.pulses("plastic")).toEqual([1, 0, 0]);
    write(0.7 * unit); // 0.2 of a step was left
    expect(simulation.pulses("plastic")).toEqual([1, 0, 0]);
    write(0.2 * unit);
    expect(simulation.pulses("plastic")).toEqual([2, 0, 0]);
  });

  test("takes 8 bytes for a synapse more", async () => {
    const bytes = async (accumulate: boolean) =>
      (await programmable(pair({ accumulate }), 1000)).simulation.memory.shares["plastic devices"];
    expect((await bytes(true)) - (await bytes(false))).toBe(8000);
  });
});

describe("an account", () => {
  const count = 7;

  test("of reads: every device at the start of a run, then those of synapses that were written", async () => {
    const { write, simulation } = await programmable(
      differentialPair(bothWays, { ...scale, devices: 3 }),
      count,
    );
    const reads = () => simulation.deviceUse("plastic").reads;
    expect(reads()).toBe(0);
    write([1, 2, 3, 0, 0, 0, 0].map((n) => n * unit));
    expect(reads()).toBe(6 * count + 6 * 3);
    simulation.run({ duration: "5 ms", frozen: ["plastic"] });
    expect(reads()).toBe(6 * count + 6 * 3 + 6 * count);
    simulation.conductances("plastic"); // a look
    expect(reads()).toBe(6 * count + 6 * 3 + 6 * count);
  });

  test("of reads at events: one in a tick, for spikes, for what a write asks, or for both", async () => {
    const storage = referenceDevice(bothWays, { ...scale, devices: 3, reference: "3 mS", read: "event" });
    const { simulation } = await programmable(storage, count);
    const readsOf = (frozen: ["plastic"] | []) => {
      const before = simulation.deviceUse("plastic").reads;
      simulation.run({ duration: "5 ms", frozen, inputs: { source: [[0, 1e-3, 2e-3]] } });
      return simulation.deviceUse("plastic").reads - before;
    };
    expect(readsOf(["plastic"])).toBe(3 * count * (1 + 3)); // at the start and at three spikes
    expect(readsOf([])).toBe(3 * count * (1 + 5)); // the clock of the writes strikes in every tick
  });

  test("of reads that a refresh check takes, due or not", async () => {
    const refresh = { above: "2000 uS", difference: "1 uS" };
    const { write, simulation } = await programmable(
      differentialPair(bothWays, { ...scale, refresh }),
      count,
    );
    write(0);
    expect(simulation.deviceUse("plastic")).toEqual({
      pulses: { up: 0, down: 0, reset: 0 },
      reads: 2 * count + 2 * count,
    });
  });

  test("of pulses by the names that the device gives them", async () => {
    const rising = device({
      name: "rising",
      source: "test",
      equations: "G : S",
      initial: { G: "0 uS" },
      on: { set: "G += 1 * uSiemens", reset: "G = 0" },
      read: "G",
      parameters: { uSiemens: "1 uS" },
    });
    const pair = await programmable(differentialPair(rising, scale), 2);
    pair.write([3 * unit, -2 * unit]);
    expect(pair.simulation.deviceUse("plastic").pulses).toEqual({ set: 5, reset: 0 });
    expect(pair.simulation.pulses("plastic")).toEqual([3, 2, 0]);
    const opposite = await programmable(differentialPair(bothWays, { ...scale, opposite: true }), 2);
    opposite.write([6 * unit, -4 * unit]);
    expect(opposite.simulation.deviceUse("plastic").pulses).toEqual({ up: 5, down: 5, reset: 0 });
    expect(opposite.simulation.pulses("plastic")).toEqual([6, 4, 0]);
    const single = await programmable(referenceDevice(bothWays, { ...scale, reference: "1 mS" }), 2);
    single.write([3 * unit, -2 * unit]);
    expect(single.simulation.deviceUse("plastic").pulses).toEqual({ up: 3, down: 2, reset: 0 });
    expect(single.simulation.pulses("plastic")).toEqual([3, 2, 0]);
  });
});

describe("errors", () => {
  test("of options that all compositions share", () => {
    for (const make of [
      (o: object) => differentialPair(bothWays, { ...scale, ...o }),
      (o: object) => referenceDevice(bothWays, { ...scale, reference: "1 mS", ...o }),
    ]) {
      expect(() => make({ accumulate: true, rounding: "stochastic" })).toThrow(
        'an accumulator keeps what rounding would drop; give accumulate or rounding: "stochastic"',
      );
      expect(() => make({ maxPulses: 2 ** 31 })).toThrow(
        "maxPulses must be a whole number from 1 to 2147483647, not 2147483648",
      );
      expect(() => make({ step: "1 mV" })).toThrow("the conductance step is V, not S: 1 mV");
    }
  });

  test("a weight that becomes no number stops the run, and no pulse is given for it", async () => {
    for (const accumulate of [false, true]) {
      const { simulation } = await programmable(differentialPair(bothWays, { ...scale, accumulate }), 2);
      simulation.set("plastic", "change", [unit, Number.NaN]);
      expect(() => simulation.run({ duration: "1 ms" })).toThrow(/plastic.*w/s);
      expect(simulation.pulses("plastic")).toEqual([1, 0, 0]);
      // the devices are as they were
      simulation.set("plastic", "change", 0);
      simulation.run({ duration: "1 ms" });
      expect(netPulses(simulation.conductances("plastic"))).toEqual([1, 0, 0, 0]);
      expect(simulation.get("plastic", "w")[0] / (1000 * uS)).toBeLessThan(1);
    }
  });
});
