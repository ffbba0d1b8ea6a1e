/**
 * Spikes that are given: on which tick they fall, and what Poisson sources draw.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tickedSpikes } from "../../src/engine/inputs.ts";
import { compile, poisson, type Raster, simulate, spikeSource, spikes } from "../../src/index.ts";

const dt = 1e-4;

/** Events as (tick, cell), at most one spike of a cell in a tick. */
const events = fc.uniqueArray(fc.tuple(fc.nat(999), fc.nat(19)), {
  selector: ([tick, cell]) => 100 * tick + cell,
  maxLength: 120,
});

describe("spike times", () => {
  test("decimal times of whole ticks fall on their ticks, as rasters and as lists alike", () => {
    fc.assert(
      fc.property(events, (given) => {
        const sorted = [...given].sort((a, b) => a[0] - b[0]);
        // as somebody would write them: 0.0003, not 3 * 0.0001
        const time = (tick: number) => Number((tick * dt).toFixed(4));
        const ticked = tickedSpikes(
          "source",
          { t: sorted.map(([tick]) => time(tick)), i: sorted.map(([, cell]) => cell) },
          { size: 20, ticks: 1000, dt },
        );
        const lists = Array.from({ length: 20 }, (_, cell) =>
          sorted.filter(([, i]) => i === cell).map(([tick]) => time(tick)),
        );
        expect(tickedSpikes("source", lists, { size: 20, ticks: 1000, dt })).toEqual(ticked);
        for (let tick = 0; tick < 1000; tick++)
          expect([...ticked.cells.subarray(ticked.from[tick], ticked.from[tick + 1])]).toEqual(
            sorted
              .filter(([t]) => t === tick)
              .map(([, cell]) => cell)
              .sort((a, b) => a - b),
          );
      }),
      { seed: 40, numRuns: 100 },
    );
  });

  test("a time within a tick is rounded down, one a thousandth before the next is the next", () => {
    const ticks = (times: number[]) => {
      const { from } = tickedSpikes("s", [times], { size: 1, ticks: 50, dt });
      return Array.from({ length: 50 }, (_, n) => n).filter((n) => from[n + 1] > from[n]);
    };
    expect(ticks([0.00003, 0.00019, 0.00029985, 0.00029995 + 0.0001])).toEqual([0, 1, 2, 4]);
    expect(ticks([0.1e-3 * 3, 0.7e-3, 1.1e-3, 4.9999e-3])).toEqual([3, 7, 11, 49]);
  });

  test("spikes given with the source come in the first run only, and give way to inputs", async () => {
    const source = spikeSource(3, [[0.0002], [], [0.0004]]);
    const simulation = await compile({ source }, { dt: "0.1 ms", seed: 1 });
    const run = (more: object = {}) => [
      ...simulation.run({ duration: "1 ms", record: { raster: spikes(source) }, ...more }).raster.i,
    ];
    expect(run()).toEqual([0, 2]);
    expect(run()).toEqual([]);
    expect(run({ inputs: { source: [[], [0.0001], []] } })).toEqual([1]);
    const other = await compile({ source }, { dt: "0.1 ms", seed: 1 });
    const { raster } = other.run({
      duration: "1 ms",
      inputs: { source: [[], [0.0001], []] },
      record: { raster: spikes(source) },
    });
    expect([...raster.i]).toEqual([1]);
  });

  test("a raster of one run is the input of the next", async () => {
    const noise = poisson(30, "200 Hz");
    const source = spikeSource(30);
    const { heard } = await simulate(
      { noise },
      { dt: "0.1 ms", seed: 1, duration: "200 ms", record: { heard: spikes(noise) } },
    );
    const simulation = await compile({ source }, { dt: "0.1 ms", seed: 1 });
    const { again } = simulation.run({
      duration: "200 ms",
      inputs: { source: heard },
      record: { again: spikes(source) },
    });
    expect(heard.i.length).toBeGreaterThan(1000);
    expect(again).toEqual(heard);
  });
});

describe("Poisson sources", () => {
  // z of a count: a false alarm once in 1e6, two-sided
  const reach = 4.8916;
  const counts = (raster: Raster): Float64Array => {
    const n = new Float64Array(raster.size);
    for (const i of raster.i) n[i]++;
    return n;
  };

  test.each(["float64", "float32"] as const)(
    "%s: spikes are as many as rate * dt trials make, for one rate and for each cell's",
    async (precision) => {
      const one = poisson(500, "80 Hz");
      const own = poisson(
        500,
        Array.from({ length: 500 }, (_, i) => i / 5),
      );
      const text = poisson(500, "0.02 kHz");
      const recorded = await simulate(
        { one, own, text },
        {
          dt: "0.1 ms",
          seed: 11,
          precision,
          duration: "2 s",
          record: { one: spikes(one), own: spikes(own), text: spikes(text) },
        },
      );
      const trials = 20_000;
      const z = (count: number, ps: readonly number[]) => {
        const mean = ps.reduce((sum, p) => sum + trials * p, 0);
        const variance = ps.reduce((sum, p) => sum + trials * p * (1 - p), 0);
        return (count - mean) / Math.sqrt(variance);
      };
      const same = (rate: number) => new Array<number>(500).fill(rate * dt);
      const each = Array.from({ length: 500 }, (_, i) => (i / 5) * dt);
      expect(Math.abs(z(recorded.one.i.length, same(80)))).toBeLessThan(reach);
      expect(Math.abs(z(recorded.text.i.length, same(20)))).toBeLessThan(reach);
      expect(Math.abs(z(recorded.own.i.length, each))).toBeLessThan(reach);
      expect(counts(recorded.own)[0]).toBe(0);
      // control: 4 % more
      expect(Math.abs(z(recorded.one.i.length, same(83.2)))).toBeGreaterThan(reach);
      // each cell's count is binomial: chi-squared of the 450 cells that expect 20 and more, quantiles 5e-7, 1 - 5e-7
      const spread = (p: (i: number) => number) => {
        let chi = 0;
        counts(recorded.own).forEach((n, i) => {
          if (i >= 50) chi += (n - trials * p(i)) ** 2 / (trials * p(i) * (1 - p(i)));
        });
        return chi;
      };
      expect(spread((i) => each[i])).toBeGreaterThan(318.2);
      expect(spread((i) => each[i])).toBeLessThan(612.3);
      expect(spread((i) => each[549 - i])).toBeGreaterThan(612.3); // control: the rates of other cells
    },
  );

  test("intervals of a source are geometric: the chance of a spike does not depend on the time since the last", async () => {
    const source = poisson(400, "500 Hz"); // p = 0.05 a tick
    const { raster } = await simulate(
      { source },
      { dt: "0.1 ms", seed: 12, duration: "1 s", record: { raster: spikes(source) } },
    );
    const last = new Float64Array(400).fill(-1);
    const waits = new Float64Array(61); // [n]: intervals of n ticks; the last holds longer ones
    const taken = new Uint32Array(400);
    raster.i.forEach((cell, k) => {
      const tick = Math.round(raster.t[k] / dt);
      // the first 350 intervals of each cell, which all have: taking more would prefer short ones
      if (last[cell] >= 0 && taken[cell]++ < 350) waits[Math.min(60, tick - last[cell])]++;
      last[cell] = tick;
    });
    expect(Math.min(...taken)).toBeGreaterThanOrEqual(350);
    const total = waits.reduce((a, b) => a + b);
    const spread = (p: number) => {
      let chi = 0;
      for (let n = 1; n <= 60; n++) {
        const expected = total * (n < 60 ? p * (1 - p) ** (n - 1) : (1 - p) ** 59);
        chi += (waits[n] - expected) ** 2 / expected;
      }
      return chi;
    };
    // 59 degrees of freedom, quantiles 5e-7 and 1 - 5e-7
    expect(spread(0.05)).toBeGreaterThan(20.1);
    expect(spread(0.05)).toBeLessThan(128.2);
    expect(spread(0.0515)).toBeGreaterThan(128.2); // control: 3 % more
  });
});
