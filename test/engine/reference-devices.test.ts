/**
 * Weights on devices: machine code and interpreter leave the same conductances, pulses and bits.
 */
import { describe, expect, test } from "vitest";
import { idealDevice } from "../../models/constant-step.ts";
import { lif } from "../../models/lif.ts";
import { normad } from "../../models/normad.ts";
import { memorylessPcm, pcm } from "../../models/pcm.ts";
import { pairStdp } from "../../models/stdp.ts";
import { constantStep } from "../../models/step-devices.ts";
import {
  allToAll,
  device,
  differentialPair,
  every,
  fixedOutdegree,
  neuron,
  neurons,
  pairs,
  poisson,
  spikeSource,
  synapse,
  synapses,
} from "../../src/index.ts";
import { type Case, runCase, type Stretch } from "./twins.ts";

type Storage = ReturnType<typeof differentialPair>;

const times = (count: number, step: number) =>
  Array.from({ length: count }, (_, k) => [0, 1].map((n) => 1e-3 * (0.4 + 9 * n + ((step * k) % 80) / 10)));

/** NormAD on devices, updated every 10 ms; the same spikes in every stretch. */
function trained(weight: Storage, stretches: readonly Stretch[], eta = "8 nA"): Case {
  const stimulus = spikeSource(14);
  const teacher = spikeSource(5);
  const output = neurons(5, lif, { v: "El" });
  const plastic = synapses(stimulus, output, normad.with({ eta }), {
    connect: allToAll(),
    weight,
    events: { teacher, update: every("10 ms") },
  });
  const inputs = { stimulus: times(14, 7), teacher: times(5, 23) };
  return {
    network: { stimulus, teacher, output, plastic },
    runs: stretches.map((stretch) => ({ inputs, ...stretch })),
  };
}

const beta = { weightPerConductance: "400 pA/uS", step: "0.8 uS" };
const epoch: Stretch = { duration: "20 ms" };

const moving = neuron({
  name: "moving",
  source: "test",
  equations: "dI/dt = -I / tau : V\ndv/dt = (I - v) / tau : V",
  threshold: "v > Vt",
  reset: "v = 0",
  parameters: { tau: "5 ms", Vt: "3 mV" },
});

const cases: Record<string, () => Case> = {
  "accumulating PCM, four devices, one counter, through epochs and tests": () =>
    trained(differentialPair(pcm, { devices: 4, ...beta }), [
      epoch,
      { ...epoch, restart: true },
      { ...epoch, restart: true, frozen: ["plastic"] },
      { ...epoch, restart: true, before: (twin) => twin.wait("1 h") },
      { ...epoch, frozen: ["plastic"], before: (twin) => twin.scaleWeights("plastic" as never, 1.3) },
      epoch,
    ]),

  "memoryless PCM, a counter for each synapse, stochastic rounding": () =>
    trained(
      differentialPair(memorylessPcm.with({ nuSd: 0.01 }), {
        devices: 3,
        ...beta,
        counter: "own",
        rounding: "stochastic",
        maxPulses: 3,
      }),
      [epoch, epoch],
      "3 nA",
    ),

  "devices that every event reads": () =>
    trained(differentialPair(pcm, { devices: 2, ...beta, read: "event" }), [
      epoch,
      { ...epoch, before: (twin) => twin.wait("1 min") },
    ]),

  "a refresh that resets full pairs": () =>
    trained(
      differentialPair(pcm.with({ Gmax: "6 uS" }), {
        ...beta,
        counter: "own",
        refresh: { above: "1.5 uS", difference: "3 uS" },
      }),
      [epoch, epoch, epoch, epoch],
    ),

  "steps that differ between devices and pulses": () =>
    trained(
      differentialPair(constantStep.with({ step: "0.8 uS", stepSd: 0.3, topSd: "3 uS", pulseSd: 0.3 }), {
        devices: 2,
        ...beta,
      }),
      [epoch, epoch],
    ),

  "a device without noise, a device without drift that draws": () => {
    const noisy = device({
      name: "noisy read",
      source: "test",
      equations: "G : S",
      initial: { G: "Gmin * (1 + 0.1 * rand())" },
      on: { set: "G = min(G + step * (1 + 0.3 * randn()) + step * poisson(0.3), Gmax)" },
      read: "G * (1 + 0.02 * randn())",
      parameters: { Gmin: "0.1 uS", Gmax: "20 uS", step: "0.8 uS" },
    });
    const ideal = trained(differentialPair(idealDevice, beta), [epoch, epoch]);
    const other = trained(differentialPair(noisy, beta), [epoch]);
    const renamed = Object.fromEntries(
      Object.entries(other.network).map(([name, part]) => [`${name}2`, part]),
    );
    const [first] = other.runs;
    const inputs = Object.fromEntries(Object.entries(first.inputs ?? {}).map(([k, v]) => [`${k}2`, v]));
    return {
      network: { ...ideal.network, ...renamed },
      runs: ideal.runs.map((run) => ({ ...run, inputs: { ...run.inputs, ...inputs } })),
    };
  },

  "differential equations, arguments, the drifted conductance in pulses, flicker, stuck devices": () => {
    const filament = device({
      name: "filament",
      source: "test",
      equations: `
        dx/dt = stuck ? 0 * k : k * sinh(V / V0) * max(1 - x, 0)^1.5 : 1
        G     = Gmin + (Gmax - Gmin) * x : S
        last  : S
        stuck : boolean (constant)
      `,
      initial: { x: "0.01 * rand()", last: 0, stuck: "rand() < 0.1" },
      on: {
        set: `
          last = Gd
          apply(amplitude * (1 + 0.1 * randn()) * (1 - last / Gmax / 2), width)
          x = clip(x - 0.1 * (G - Gd) / Gmax, 0, 1)
        `,
      },
      drift: "G * (max(age, t0) / t0)^(-nu)",
      read: "Gd * (1 + 0.1 * flicker(t0, 4 * t0) + 0.01 * randn())",
      arguments: ["amplitude", "width"],
      steps: 3,
      parameters: {
        amplitude: "1 V",
        width: "1 ms",
        k: "2 Hz",
        V0: "0.25 V",
        Gmin: "0.1 uS",
        Gmax: "20 uS",
        t0: "1 ms",
        nu: 0.05,
      },
    });
    return trained(differentialPair(filament, beta), [
      epoch,
      { ...epoch, before: (twin) => twin.wait("1 min") },
    ]);
  },

  "pair STDP on devices, written at every spike": () => {
    const input = poisson(12, "300 Hz");
    const output = neurons(9, moving, { v: "rand() * Vt" });
    const plastic = synapses(input, output, pairStdp.with({ Ap: "0.4 mV", Am: "0.45 mV", wmax: "4 mV" }), {
      connect: fixedOutdegree(5),
      delay: "0.4 ms",
      weight: differentialPair(pcm, { devices: 2, weightPerConductance: "100 V/S", step: "0.8 uS" }),
    });
    const push = synapse({ name: "push", on: { pre: "I_post += 0.5 * Vp" }, parameters: { Vp: "4 mV" } });
    return {
      network: { input, output, plastic, push: synapses(input, output, push, { connect: allToAll() }) },
      runs: [{ duration: "15 ms" }, { duration: "5 ms", frozen: ["plastic"] }],
      fire: { input: 40, output: 20 },
    };
  },

  "pairs in any order, delays between them": () => {
    const input = poisson(6, "400 Hz");
    const output = neurons(6, moving, { v: "rand() * Vt" });
    const rule = synapse({
      name: "towards the potential",
      equations: "w : V (weight)\nlast : V",
      on: { pre: "I_post += w + Vp; w += 0.3 * (v_post - last) + Vp / 4; last = v_post" },
      parameters: { Vp: "1 mV" },
    });
    const plastic = synapses(input, output, rule, {
      connect: pairs([5, 0, 3, 3, 1, 2, 4, 0], [1, 5, 3, 0, 2, 4, 4, 0]),
      delay: [3, 0, 1, 2, 0, 1, 3, 2].map((ticks) => ticks * 1e-4),
      weight: differentialPair(pcm, { devices: 2, weightPerConductance: "200 V/S", step: "0.8 uS" }),
      initial: { last: [0, 1, 2, 3, 4, 5, 6, 7].map((k) => k * 1e-4) },
    });
    return {
      network: { input, output, plastic },
      runs: [{ duration: "20 ms" }],
      fire: { input: 30, output: 1 },
    };
  },
};

describe.each(["float64", "float32"] as const)("%s", (precision) => {
  for (const [title, make] of Object.entries(cases))
    test(title, async () => {
      const { machine, network } = await runCase(make(), precision);
      for (const [name, part] of Object.entries(network)) {
        if (part.kind !== "projection" || !part.weight) continue;
        const [up, down, reset] = machine.pulses(name);
        expect(up + down, `pulses onto ${name}`).toBeGreaterThan(20);
        if (title.includes("refresh")) expect(reset).toBeGreaterThan(20);
      }
    });
});
