/**
 * What has decayed to nothing becomes 0: no run slows down among subnormal numbers.
 */
import { describe, expect, test } from "vitest";
import { negligible } from "../../src/engine/population.ts";
import {
  allToAll,
  neuron,
  neurons,
  simulate,
  spikeSource,
  synapse,
  synapses,
  trace,
} from "../../src/index.ts";
import { runCase } from "./twins.ts";

const smallestNormal = { float64: 2 ** -1022, float32: 2 ** -126 } as const;
const tau = 1e-3; // s
const fading = neuron({
  name: "fading",
  source: "test",
  equations: "dg/dt = -g / tau : 1\nk : 1",
  parameters: { tau: "1 ms" },
});

describe.each(["float64", "float32"] as const)("%s", (precision) => {
  test("an exponential is itself down to 2^-100, 0 within 32 ticks of that, and never subnormal", async () => {
    const cells = neurons(37, fading, { g: "i - 18.5", k: 1e-40 });
    const options = { duration: "800 ms", dt: "0.1 ms", seed: 1, precision } as const;
    const { g, k } = await simulate(
      { cells },
      { ...options, record: { g: trace(cells, "g"), k: trace(cells, "k") } },
    );
    // one rounding a tick at most: half an ulp of each of some 700 steps
    const tolerance = 800 * (precision === "float64" ? 2 ** -53 : 2 ** -24);
    for (let sample = 0; sample < g.t.length; sample++)
      for (let cell = 0; cell < 37; cell++) {
        const value = g.values[sample * 37 + cell];
        const exact = (cell - 18.5) * Math.exp(-g.t[sample] / tau);
        if (Math.abs(exact) > negligible.below * (1 + tolerance))
          expect(Math.abs(value / exact - 1)).toBeLessThan(tolerance);
        else if (value !== 0) {
          expect(Math.abs(value)).toBeGreaterThan(smallestNormal[precision]);
          expect(Math.abs(exact)).toBeGreaterThan(negligible.below * Math.exp(-negligible.every * 0.1));
        }
      }
    expect(k.values.every((value) => value === (precision === "float64" ? 1e-40 : Math.fround(1e-40)))).toBe(
      true,
    );
  });

  test("the interpreter and two threads agree, in cells and in traces of either side", async () => {
    const input = spikeSource(
      5,
      Array.from({ length: 5 }, (_, k) => [1e-3 * (k + 0.05), 0.09 + 1e-4 * k]),
    );
    const cells = neurons(37, fading, { g: "i - 18.5" });
    const traces = synapse({
      name: "traces",
      equations: `
        dx/dt = -x / tau : 1 (pre)
        dy/dt = -y / tau : 1 (post)
        w : 1
      `,
      on: { pre: "x += 1; w += 0.01 * y; g_post += w", gate: "w += 0.01 * x" },
      parameters: { tau: "0.5 ms" },
    });
    const dense = synapses(input, cells, traces, {
      connect: allToAll(),
      initial: { y: "1 + j" },
      events: { gate: input },
    });
    const { values } = await runCase(
      { network: { input, cells, dense }, threads: 2, every: "0.1 ms", runs: [{ duration: "100 ms" }] },
      precision,
    );
    expect(values).toBeGreaterThan(37 * 1000);
  });
});
