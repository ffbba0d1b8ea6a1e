/**
 * Single pulses of an event are gathered and given two at a time: the bits are those of giving each when it is asked for.
 */
import { describe, expect, test } from "vitest";
import { cuSiO2W, cuSiO2WLevels } from "../../models/cusio2w.ts";
import {
  allToAll,
  compile,
  every,
  fixedIndegree,
  neuron,
  neurons,
  poisson,
  referenceDevice,
  spikeSource,
  synapse,
  synapses,
} from "../../src/index.ts";
import { type Case, runCase } from "./twins.ts";

const cell = neuron({
  name: "charged",
  source: "test",
  equations: "dX/dt = -X / tau : 1",
  threshold: "X > 4",
  reset: "X = 0",
  parameters: { tau: "10 ms" },
});

/** Changes of no pulse, of one and of several, up and down. */
const rule = synapse({
  name: "pulses",
  equations: "last : s (pre)\nw : 1 (weight)",
  on: {
    pre: "X_post += w; last = t; w -= fewer * rand()",
    post: "w += t - last < window ? more * rand() : -more * rand()",
    tock: "w += one",
  },
  parameters: { window: "5 ms", more: 0.03, fewer: 0.02, one: 0.01 },
});

const onto = (
  device: typeof cuSiO2W | typeof cuSiO2WLevels,
  options: Partial<Parameters<typeof referenceDevice>[1]> = {},
) =>
  referenceDevice(device, {
    weightPerConductance: `${1 / 387.4045865} 1/uS`,
    step: "3.874045865 uS",
    reference: "38.74045865 uS",
    ...options,
  });

function learning(
  weight: ReturnType<typeof onto>,
  o: { readonly connect?: ReturnType<typeof allToAll>; readonly inputs?: number } = {},
): Case {
  const input = poisson(o.inputs ?? 15, "120 Hz");
  const output = neurons(7, cell, { X: "4 * rand()" });
  const plastic = synapses(input, output, rule, {
    connect: o.connect ?? allToAll(),
    initial: { last: "-1 s" },
    events: { tock: every("3 ms") },
    weight,
  });
  return {
    network: { input, output, plastic },
    runs: [
      { duration: "9 ms" },
      { duration: "2 ms", frozen: ["plastic"] },
      { duration: "4 ms", before: (twin) => twin.scaleWeights("plastic" as never, 1.3) },
    ],
    fire: { input: 15, output: 4 },
  };
}

const cases: Record<string, () => Case> = {
  "in rows, columns and at clocks": () => learning(onto(cuSiO2W)),
  "a counter of each synapse, stochastic rounding, two pulses at most": () =>
    learning(onto(cuSiO2W, { counter: "own", rounding: "stochastic", maxPulses: 2 })),
  "devices in whole levels that decay": () => learning(onto(cuSiO2WLevels.with({ tau: "0.2 s" }))),
  "not where a weight waits for its rest": () => learning(onto(cuSiO2W, { accumulate: true })),
  "not where every event reads": () => learning(onto(cuSiO2W, { read: "event" })),
  "not where a synapse has two devices": () => learning(onto(cuSiO2W, { devices: 2 })),
  "synapses that meet": () => learning(onto(cuSiO2W), { connect: fixedIndegree(20) }),
};

describe.each(["float64", "float32"] as const)("%s", (precision) => {
  for (const [name, make] of Object.entries(cases)) test(name, () => runCase(make(), precision));
});

test("2,600 pulses at once, more than can wait; every one is counted and read", async () => {
  const input = spikeSource(2600);
  const teacher = spikeSource(1);
  const output = neurons(1, cell);
  const told = synapse({
    name: "told",
    equations: "w : 1 (weight)",
    on: { pre: "X_post += w", now: "w += i < 1300 ? step : -step" },
    parameters: { step: 0.01 },
  });
  const plastic = synapses(input, output, told, {
    connect: allToAll(),
    events: { now: teacher },
    weight: onto(cuSiO2W.with({ pulseSd: 0, deviceSd: 0 })),
  });
  const simulation = await compile({ input, teacher, output, plastic }, { dt: "1 ms", seed: 1 });
  const before = simulation.deviceUse("plastic").reads;
  simulation.run({ duration: "10 ms", inputs: { teacher: [[0.002, 0.005]] } });
  const { pulses, reads } = simulation.deviceUse("plastic");
  expect(pulses).toEqual({ up: 2600, down: 2600, reset: 0 });
  expect(reads - before).toBe(3 * 2600); // at the start of the run, and after each write
  const w = simulation.get("plastic", "w");
  const [up, down] = [1 - 0.5 * 0.99 ** 2, 0.5 * 0.995 ** 2];
  for (let k = 0; k < 2600; k++) expect(w[k]).toBeCloseTo(k < 1300 ? up : down, 8);
});
