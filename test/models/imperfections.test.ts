import { describe, expect, test } from "vitest";
import { withEndurance, withYield } from "../../models/imperfections.ts";
import { pcm } from "../../models/pcm.ts";
import { relay } from "../../models/relay.ts";
import { constantStep } from "../../models/step-devices.ts";
import { vteam } from "../../models/vteam.ts";
import {
  allToAll,
  compile,
  device,
  differentialPair,
  fabricate,
  neurons,
  spikeSource,
  synapse,
  synapses,
} from "../../src/index.ts";
import { departure, limit } from "../device/distribution.ts";

const uS = 1e-6;
const quiet = { noise: false } as const;

/** How many standard errors a share of `size` is from its probability. */
const errors = (count: number, size: number, p: number) =>
  Math.abs(count / size - p) / Math.sqrt((p * (1 - p)) / size);

describe("yield", () => {
  test("2 % are stuck at 0 S from the start, not 2.3 %, and no pulse, no time and no read noise moves them", async () => {
    const size = 100_000;
    const array = await fabricate(size, withYield(pcm, { stuck: 0.02, at: "0 uS" }), { seed: 1 });
    const stuck = array.get("stuck");
    const count = stuck.filter((yes) => yes === 1).length;
    expect(errors(count, size, 0.02)).toBeLessThan(limit);
    expect(errors(count, size, 0.023)).toBeGreaterThan(limit); // control
    for (let n = 0; n < 5; n++) array.pulse("set");
    array.wait("1 h");
    for (const read of [array.read(quiet), array.read()])
      expect(read.every((G, k) => (stuck[k] === 1 ? G === 0 : G !== 0))).toBe(true);
  });

  test("stuck anywhere is uniform between two conductances", async () => {
    const model = withYield(constantStep, { stuck: 1, at: ["5 uS", "15 uS"] });
    const array = await fabricate(20_000, model, { seed: 1 });
    array.pulse("up");
    const uniform = (low: number, high: number) => (G: number) =>
      Math.min(1, Math.max(0, (G - low) / (high - low)));
    expect(departure(array.read(), uniform(5 * uS, 15 * uS))).toBeLessThan(1);
    expect(departure(array.read(), uniform(5 * uS, 15.5 * uS))).toBeGreaterThan(1); // control
  });

  test("the others are as they would be without it", async () => {
    const drift = { nuMean: 0.05 } as const;
    const array = await fabricate(1000, withYield(pcm.with(drift), { stuck: 0.5, at: "1 uS" }), { seed: 1 });
    const [G, stuck] = [array.get("G"), array.get("stuck")];
    array.wait("386 s");
    const expected = G.map((value, k) => (stuck[k] === 1 ? uS : value * 10 ** -0.05));
    for (const [k, value] of array.read(quiet).entries())
      expect(Math.abs(value / expected[k] - 1)).toBeLessThan(1e-14);
  });

  test("two kinds together; a voltage drives a stuck device as a resistor", async () => {
    const both = withYield(withYield(vteam, { stuck: 0.5, at: "2 mS" }), { stuck: 1, at: "3 mS" });
    const array = await fabricate(1000, both.with({ stuck2Fraction: 0.5 }), { seed: 1 });
    const current = array.drive([0.1], "1 ns");
    const [first, second] = [array.get("stuck"), array.get("stuck2")];
    const kinds = new Set(
      current.map((I, k) => Math.round((I / 0.1) * 1e6) * (second[k] === 1 || first[k] === 1 ? 1 : 0)),
    );
    expect(kinds).toEqual(new Set([2000, 3000, 0]));
    current.forEach((I, k) => {
      if (second[k] === 1) expect(Math.abs(I - 0.3e-3)).toBeLessThan(1e-18);
      else if (first[k] === 1) expect(Math.abs(I - 0.2e-3)).toBeLessThan(1e-18);
    });
  });

  test("keeps arguments and steps of the text", () => {
    const { definition } = withYield(device({ ...vteam.definition, steps: 7 }), { stuck: 0.1, at: "0 S" });
    expect([definition.steps, definition.arguments]).toEqual([7, ["amplitude", "width"]]);
  });
});

describe("endurance", () => {
  /** Devices worn out after each of 60 pulses, of lifetimes of scale 30. */
  async function worn(shape: number): Promise<{ readonly size: number; readonly counts: readonly number[] }> {
    const size = 50_000;
    const model = withEndurance(constantStep, { cycles: 30, shape, at: "7 uS" });
    const array = await fabricate(size, model, { seed: 3 });
    const counts = [];
    for (let n = 1; n <= 60; n++) {
      array.pulse(n % 2 === 1 ? "up" : "down");
      counts.push(array.read().filter((G) => G === 7 * uS).length);
    }
    return { size, counts };
  }

  test("lifetimes are Weibull: 1 - exp(-(n / 30)^2) after n pulses, not of shape 2.1 or scale 31", async () => {
    const { size, counts } = await worn(2);
    const most = (cycles: number, shape: number) =>
      Math.max(
        ...[5, 10, 20, 30, 45, 60].map((n) =>
          errors(counts[n - 1], size, 1 - Math.exp(-((n / cycles) ** shape))),
        ),
      );
    expect(most(30, 2)).toBeLessThan(5.3); // 1e-6 for six comparisons
    expect(most(30, 2.1)).toBeGreaterThan(5.3); // control
    expect(most(31, 2)).toBeGreaterThan(5.3); // control
    for (let n = 1; n < 60; n++) expect(counts[n]).toBeGreaterThanOrEqual(counts[n - 1]);
  });

  test("goes together with yield in a network: stuck and worn devices are what a run reads", async () => {
    const mortal = withEndurance(pcm, { cycles: 5, shape: 50, at: "3 uS" });
    const imperfect = withYield(mortal, { stuck: 0.2, at: "1 uS" });
    const [source, cells] = [spikeSource(20), neurons(20, relay)];
    const pulsed = synapse({
      name: "pulsed",
      equations: "w : A (weight)",
      on: { pre: "w += step" },
      parameters: { step: "1 nA" },
    });
    const plastic = synapses(source, cells, pulsed, {
      connect: allToAll(),
      weight: differentialPair(imperfect, { weightPerConductance: "1 nA/uS", step: "1 uS" }),
    });
    const simulation = await compile({ source, cells, plastic }, { dt: "1 ms", seed: 1 });
    const trains = Array.from({ length: 20 }, () => Array.from({ length: 8 }, (_, n) => n * 1e-3));
    simulation.run({ duration: "8 ms", inputs: { source: trains } });
    const G = simulation.conductances("plastic", quiet).filter((_, k) => k % 2 === 0);
    expect(new Set(G)).toEqual(new Set([1 * uS, 3 * uS])); // eight pulses: all that are not stuck are worn
  });
});

test("refuses fractions, lifetimes and shapes that are none", () => {
  expect(() => withYield(pcm, { stuck: 1.2, at: "0 uS" })).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: the fraction of stuck devices is 0 to 1, not 1.2]`,
  );
  expect(() => withYield(pcm, { stuck: 0.1, at: "0 V" })).toThrowErrorMatchingInlineSnapshot(`
    [ModelError: PCM, accumulation, initial Gstuck: dimensions disagree
        stuckLow + (stuckHigh - stuckLow) * rand()
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      this is V, Gstuck is S]
  `);
  expect(() => withEndurance(pcm, { cycles: 0, at: "0 uS" })).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: endurance is a positive number of pulses, not 0]`,
  );
  expect(() => withEndurance(pcm, { cycles: 1, shape: -1, at: "0 uS" })).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: the shape of a Weibull distribution is positive, not -1]`,
  );
});
