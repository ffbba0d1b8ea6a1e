/**
 * Every composition of devices: machine code and interpreter leave the same weights, conductances, pulses and reads.
 */
import { describe, expect, test } from "vitest";
import { pcm } from "../../models/pcm.ts";
import {
  allToAll,
  device,
  differentialPair,
  every,
  neuron,
  neurons,
  referenceDevice,
  type Simulation,
  spikeSource,
  synapse,
  synapses,
} from "../../src/index.ts";
import { type Case, runCase, type Stretch } from "./twins.ts";

/** Soft bounds, unlike devices, noisy steps either way, drift to the middle, noisy reads. */
const memristor = device({
  name: "soft bounds with every spread",
  source: "test",
  equations: `
    x    : 1
    gain : 1 (constant)
  `,
  initial: { gain: "1 + 0.1 * randn()", x: "0.5 + 0.05 * randn()" },
  on: {
    up: "x = clip(x + a * gain * (1 - x) * (1 + spread * randn()), 0, 1)",
    down: "x = clip(x - a * gain * x * (1 + spread * randn()), 0, 1)",
    reset: "x = 0.02 * rand()",
  },
  drift: "Gmin + (0.5 + (x - 0.5) * exp(-age / fall)) * (Gmax - Gmin)",
  read: "Gd * (1 + 0.02 * randn())",
  parameters: { a: 0.05, spread: 0.3, Gmin: "10 uS", Gmax: "110 uS", fall: "100 s" },
});

/** Of `memristor`: a step is 0.05 of half the range. */
const beta = { weightPerConductance: "1 mV/uS", step: "2.5 uS" } as const;

const sink = neuron({
  name: "sink",
  source: "test",
  equations: "dI/dt = -I / tau : V",
  parameters: { tau: "5 ms" },
});

/** A spike moves the weight towards a target by a quarter of the way; a clock asks for steps up and down. */
const chasing = synapse({
  name: "chasing",
  equations: `
    w      : V (weight)
    target : V
  `,
  on: {
    pre: "I_post += w; w += 0.25 * (target - w)",
    push: "w = w + 0.8 * target",
  },
});

const epoch: Stretch = { duration: "14 ms" };
const spikesOf = (cells: number) =>
  Array.from({ length: cells }, (_, i) => [0, 1, 2].map((n) => 1e-3 * (1 + 4 * n + (i % 4))));

type Storage = ReturnType<typeof differentialPair>;

/** 4 x 3 synapses that chase targets from -60 to 60 mV. */
function chased(weight: Storage, stretches: readonly Stretch[] = [epoch, epoch]): Case {
  const source = spikeSource(4);
  const cells = neurons(3, sink);
  const plastic = synapses(source, cells, chasing, {
    connect: allToAll(),
    weight,
    initial: { target: Array.from({ length: 12 }, (_, k) => 1e-3 * (((37 * k) % 121) - 60)) },
    events: { push: every("3 ms") },
  });
  return {
    network: { source, cells, plastic },
    dt: "1 ms",
    runs: stretches.map((stretch) => ({ inputs: { source: spikesOf(4) }, ...stretch })),
  };
}

/** Runs of a network's life: learning, a test, a restart, a wait, other weights. */
const life: readonly Stretch[] = [
  epoch,
  { ...epoch, frozen: ["plastic"] },
  { ...epoch, restart: true, before: (twin) => twin.wait("1 min") },
  { ...epoch, before: (twin) => twin.scaleWeights("plastic" as never, 1.3) },
];

type Use = ReturnType<Simulation["deviceUse"]>;

const cases: Record<string, { make: () => Case; used: (use: Use) => boolean }> = {
  "opposite pulses, a counter for each group": {
    make: () =>
      chased(differentialPair(memristor, { ...beta, opposite: true, devices: 2, counter: "own" }), life),
    used: ({ pulses: { up, down } }) => up > 100 && up === down,
  },
  "opposite pulses that round stochastically, one counter": {
    make: () =>
      chased(differentialPair(memristor, { ...beta, opposite: true, devices: 3, rounding: "stochastic" })),
    used: ({ pulses: { up, down } }) => up > 100 && up === down,
  },
  "up pulses only, refreshed when the other group is high as well": {
    make: () =>
      chased(
        differentialPair(memristor, {
          ...beta,
          devices: 2,
          refresh: { above: "75 uS", otherAbove: "55 uS" },
        }),
        life,
      ),
    used: ({ pulses: { up, down, reset } }) => up > 100 && down === 0 && reset > 20,
  },
  "opposite pulses with a refresh by both conditions": {
    make: () =>
      chased(
        differentialPair(memristor, {
          ...beta,
          opposite: true,
          refresh: { above: "62 uS", difference: "40 uS", otherAbove: "45 uS" },
        }),
      ),
    used: ({ pulses: { up, down, reset } }) => down > 50 && reset > 4 && up > down,
  },
  "a reference, one device, one counter": {
    make: () => chased(referenceDevice(memristor, { ...beta, reference: "60 uS" }), life),
    used: ({ pulses: { up, down } }) => up > 50 && down > 50,
  },
  "a reference, three devices read at every event": {
    make: () =>
      chased(
        referenceDevice(memristor, {
          ...beta,
          reference: "180 uS",
          devices: 3,
          read: "event",
          counter: "own",
        }),
        life,
      ),
    used: ({ pulses: { up, down }, reads }) => up > 50 && down > 50 && reads > 1000,
  },
  "two significances": {
    make: () => chased(differentialPair(memristor, { ...beta, significances: [4, 1] }), life),
    used: ({ pulses: { up } }) => up > 100,
  },
  "three significances, opposite pulses, few of them, stochastic rounding": {
    make: () =>
      chased(
        differentialPair(memristor, {
          ...beta,
          significances: [7, 3, 1],
          opposite: true,
          maxPulses: 2,
          rounding: "stochastic",
          read: "event",
        }),
      ),
    used: ({ pulses: { up, down } }) => up > 50 && up === down,
  },
  "significances with a refresh": {
    make: () =>
      chased(
        differentialPair(pcm.with({ Gmax: "12 uS" }), {
          weightPerConductance: "6 mV/uS",
          step: "0.8 uS",
          significances: [3, 1],
          refresh: { above: "2 uS", otherAbove: "1 uS" },
        }),
      ),
    used: ({ pulses: { set, reset } }) => set > 100 && reset > 10,
  },
  "an accumulator": {
    make: () => chased(differentialPair(memristor, { ...beta, accumulate: true, maxPulses: 3 }), life),
    used: ({ pulses: { up, down } }) => up > 100 && down === 0,
  },
  "an accumulator of opposite pulses onto slices, with a refresh": {
    make: () =>
      chased(
        differentialPair(memristor, {
          ...beta,
          accumulate: true,
          opposite: true,
          maxPulses: 3,
          significances: [5, 1],
          refresh: { above: "65 uS", difference: "60 uS" },
        }),
      ),
    used: ({ pulses: { up, down, reset } }) => down > 50 && reset > 4 && up > down,
  },
  "an accumulator before a reference, read at every event": {
    make: () =>
      chased(
        referenceDevice(memristor, { ...beta, reference: "60 uS", accumulate: true, read: "event" }),
        life,
      ),
    used: ({ pulses: { up, down } }) => up > 30 && down > 30,
  },
};

describe.each(["float64", "float32"] as const)("%s", (precision) => {
  for (const [title, { make, used }] of Object.entries(cases))
    test(title, async () => {
      const { machine } = await runCase(make(), precision);
      const use = machine.deviceUse("plastic");
      expect(used(use), JSON.stringify(use)).toBe(true);
    });
});
