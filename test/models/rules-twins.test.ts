/** Rules of models/, run by machine code and by the interpreter: the same bits. */
import { describe, test } from "vitest";
import { chronotron } from "../../models/chronotron.ts";
import { voltageCell, voltageStdp } from "../../models/clopath.ts";
import { eprop, epropCell, epropFeedback, epropOutput, epropReadout } from "../../models/eprop.ts";
import { lif } from "../../models/lif.ts";
import { steppedNormad } from "../../models/normad.ts";
import { pcm } from "../../models/pcm.ts";
import { psd } from "../../models/psd.ts";
import { resume } from "../../models/resume.ts";
import { dopamineStdp, rewardedStdp } from "../../models/reward.ts";
import { span } from "../../models/span.ts";
import { stateStdp } from "../../models/stdp.ts";
import { tempotron, tempotronCell } from "../../models/tempotron.ts";
import {
  allToAll,
  differentialPair,
  every,
  neuron,
  neurons,
  pairwiseBernoulli,
  poisson,
  synapses,
} from "../../src/index.ts";
import { type Case, runCase } from "../engine/twins.ts";

const cell = neuron({
  name: "input by potential",
  source: "test",
  equations: "dI/dt = -I / tau : V",
  threshold: "rand() < dt * rate * exp(I / slope)",
  parameters: { tau: "10 ms", rate: "100 Hz", slope: "2 mV" },
});

type Taught = typeof resume;

/** Poisson input and teacher; a second run in which weights rest. */
function taught(model: Taught, more: Record<string, ReturnType<typeof every>> = {}, onDevices = false): Case {
  const stimulus = poisson(12, "400 Hz");
  const teacher = poisson(4, "100 Hz");
  const output = neurons(4, lif, { v: "El + rand() * (Vt - El)" });
  const plastic = synapses(stimulus, output, model, {
    connect: allToAll(),
    events: { teacher, update: every("10 ms"), ...more },
    ...(onDevices
      ? {
          weight: differentialPair(pcm, { weightPerConductance: "20 nA/uS", step: "0.8 uS" }),
          initial: { dw: "200 nA" },
        }
      : { initial: { w: "rand() * 40 * eta" } }),
  });
  return {
    network: { stimulus, teacher, output, plastic },
    runs: [{ duration: "20 ms" }, { duration: "10 ms", restart: true, frozen: ["plastic"] }],
    fire: { output: 5 },
  };
}

/** Poisson input onto noisy cells; rewards from two Poisson sources. */
function rewarded(model: typeof rewardedStdp): Case {
  const input = poisson(6, "400 Hz");
  const [reward, punishment] = [poisson(4, "200 Hz"), poisson(4, "150 Hz")];
  const cells = neurons(4, cell);
  const all = { reward, punishment };
  const events = Object.fromEntries(
    Object.entries(all).filter(([name]) => Object.hasOwn(model.checked.handlers, name)),
  ) as typeof all;
  const plastic = synapses(input, cells, model, {
    connect: pairwiseBernoulli(0.6),
    initial: { w: "rand() * wmax" },
    events,
  });
  return {
    network: { input, cells, reward, punishment, plastic },
    runs: [{ duration: "20 ms" }],
    fire: { input: 20, cells: 5, reward: 5 },
  };
}

const eta = "2 nA";
const asTaught = (model: unknown) => model as Taught;
const cases: Record<string, () => Case> = {
  ReSuMe: () => taught(resume.with({ eta })),
  "ReSuMe on PCM": () => taught(resume.with({ eta: "200 nA" }), {}, true),
  PSD: () => taught(asTaught(psd.with({ eta }))),
  SPAN: () => taught(asTaught(span.with({ eta }))),
  chronotron: () => taught(asTaught(chronotron.with({ eta }))),
  "NormAD tick by tick": () => taught(asTaught(steppedNormad.with({ eta })), { tick: every("0.1 ms") }),
  tempotron: () => {
    const stimulus = poisson(20, "200 Hz");
    const teacher = poisson(6, "60 Hz");
    const cells = neurons(6, tempotronCell);
    const plastic = synapses(stimulus, cells, tempotron, {
      connect: allToAll(),
      initial: { w: "rand() * 60 * eta - 15 * eta" },
      events: { teacher, update: every("20 ms") },
    });
    return {
      network: { stimulus, teacher, cells, plastic },
      runs: [{ duration: "20 ms" }, { duration: "20 ms", restart: true }],
      fire: { cells: 3 },
    };
  },
  "state-dependent STDP": () => {
    const input = poisson(8, "300 Hz");
    const cells = neurons(6, cell);
    const plastic = synapses(input, cells, stateStdp.with({ gammaUp: 1.5, gammaDown: 0.7, aUp: 0.2 }), {
      connect: pairwiseBernoulli(0.6),
      initial: { w: "rand()" },
    });
    return {
      network: { input, cells, plastic },
      runs: [{ duration: "20 ms" }],
      fire: { input: 20, cells: 5 },
    };
  },
  "reward by eligibility": () => rewarded(rewardedStdp),
  "reward by dopamine": () => rewarded(dopamineStdp as unknown as typeof rewardedStdp),
  "voltage STDP": () => {
    const input = poisson(8, "500 Hz");
    const cells = neurons(5, voltageCell, {
      v: "El + rand() * 15 * DeltaT",
      um: "El",
      up: "El",
      VT: "VTrest",
      I: "1 nA",
    });
    const plastic = synapses(input, cells, voltageStdp.with({ V1: "4 mV" }), {
      connect: pairwiseBernoulli(0.7),
      initial: { w: "rand()" },
      events: { tick: every("0.1 ms") },
    });
    return {
      network: { input, cells, plastic },
      runs: [{ duration: "20 ms" }],
      fire: { input: 30, cells: 3 },
    };
  },
  "e-prop": () => {
    const input = poisson(12, "100 Hz");
    const inner = neurons(10, epropCell);
    const readout = neurons(2, epropReadout, { phase: "rand()" });
    const [tick, update] = [every("1 ms"), every("30 ms")];
    const rule = eprop.with({ eta: 1e-4 });
    const plastic = { connect: allToAll(), initial: { w: "rand() - 0.3" }, events: { tick, update } };
    return {
      dt: "1 ms",
      network: {
        input,
        inner,
        readout,
        feedback: synapses(readout, inner, epropFeedback, {
          connect: allToAll(),
          initial: { B: "rand()" },
          events: { tick },
        }),
        entrance: synapses(input, inner, rule, plastic),
        inside: synapses(inner, inner, rule, { ...plastic, connect: pairwiseBernoulli(0.5) }),
        exit: synapses(inner, readout, epropOutput.with({ eta: 1e-4 }), plastic),
      },
      runs: [{ duration: "60 ms" }, { duration: "30 ms", restart: true }],
      fire: { inner: 30 },
    };
  },
};

describe.each(["float64", "float32"] as const)("%s", (precision) => {
  for (const [name, make] of Object.entries(cases)) test(name, () => runCase(make(), precision));
});
