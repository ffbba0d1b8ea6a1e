/**
 * Cells and static synapses: machine code and interpreter leave the same bits.
 */
import { describe, expect, test } from "vitest";
import { adex } from "../../models/adex.ts";
import * as coba from "../../models/coba.ts";
import * as cuba from "../../models/cuba.ts";
import { fitzHughNagumo } from "../../models/fitzhugh-nagumo.ts";
import { hodgkinHuxley, hodgkinHuxleyRest } from "../../models/hodgkin-huxley.ts";
import { interpretNetwork, Reference } from "../../src/engine/reference.ts";
import {
  allToAll,
  fixedIndegree,
  fixedOutdegree,
  neuron,
  neurons,
  oneToOne,
  pairs,
  pairwiseBernoulli,
  poisson,
  spikeSource,
  synapse,
  synapses,
} from "../../src/index.ts";
import { type Case, runCase, type Twin } from "./twins.ts";

const leaky = neuron({
  name: "leaky",
  source: "test",
  equations: `
    dv/dt = -v / tau : 1 (unless refractory)
    dg/dt = -g / tau : 1
  `,
  threshold: "v > 1",
  reset: "v = 0",
  refractory: "1 ms",
  parameters: { tau: "10 ms" },
});
const adding = synapse({ name: "adding", equations: "w : 1", on: { pre: "v_post += w; g_post += 2 * w" } });

const fading = synapse({
  name: "fading",
  equations: "dw/dt = -w / tau : 1",
  on: { pre: "v_post += w; w += 0.05" },
  parameters: { tau: "3 ms" },
});

/** CUBA cells with random connections, inhibition with a delay. */
function cubaNetwork(size: number) {
  const cells = neurons(size, cuba.cuba, { v: "Vr + rand() * (Vt - Vr)" });
  const exc = synapses(cells.slice(0, 0.8 * size), cells, cuba.excitatory.with({ we: "4 mV" }), {
    connect: pairwiseBernoulli(0.2),
  });
  const inh = synapses(cells.slice(0.8 * size), cells, cuba.inhibitory, {
    connect: pairwiseBernoulli(0.2),
    delay: "1 ms",
  });
  return { cells, exc, inh };
}

const cases: Record<string, () => Case> = {
  "CUBA, exact steps": () => ({
    network: cubaNetwork(50),
    runs: [{ duration: "40 ms" }],
    fire: { cells: 30 },
  }),

  "variables with names that the engine uses for its own": () => ({
    network: {
      cells: neurons(
        21,
        neuron({
          name: "namesakes",
          source: "test",
          equations: `
            du/dt = (1.5 - u + until + refractory) / tau : 1 (unless refractory)
            until : 1
            refractory : 1
            count : 1
          `,
          threshold: "u > 1",
          reset: "u = 0.1 * rand(); until += 0.01 * rand(); count += refractory",
          refractory: "1 ms",
          parameters: { tau: "3 ms" },
        }),
        { u: "rand()", refractory: 0.2 },
      ),
    },
    runs: [{ duration: "15 ms" }],
    fire: { cells: 40 },
  }),

  "CUBA on two threads": () => ({
    network: cubaNetwork(60),
    threads: 2,
    runs: [{ duration: "15 ms" }, { duration: "15 ms" }],
    fire: { cells: 30 },
  }),

  "COBA, exponential Euler, a stimulus that stops": () => {
    const stimulus = neurons(20, coba.cobaStimulus.with({ stop: "15 ms" }), { rate: "400 Hz" });
    const cells = neurons(50, coba.coba, { v: "El + (Vt - El) * rand()", ge: "gL * rand()" });
    return {
      network: {
        stimulus,
        cells,
        kick: synapses(stimulus, cells, coba.kick, { connect: pairwiseBernoulli(0.1) }),
        exc: synapses(cells.slice(0, 40), cells, coba.excitatory, { connect: pairwiseBernoulli(0.2) }),
        inh: synapses(cells.slice(40), cells, coba.inhibitory, { connect: pairwiseBernoulli(0.2) }),
      },
      runs: [{ duration: "25 ms" }],
      fire: { stimulus: 20, cells: 30 },
    };
  },

  "RK4: FitzHugh-Nagumo": () => ({
    network: { cells: neurons(11, fitzHughNagumo, { v: "2 * rand() - 1", w: "rand()" }) },
    runs: [{ duration: "20 ms" }],
  }),

  "RK4 with exponentials: Hodgkin-Huxley": () => ({
    network: {
      cells: neurons(5, hodgkinHuxley, { ...hodgkinHuxleyRest, I: "(i + 1) * gL * 10 * (Er - ENa) / (-12)" }),
    },
    dt: "0.025 ms",
    runs: [{ duration: "4 ms" }],
    fire: { cells: 1 },
  }),

  "an exponential upstroke: adaptive exponential cells": () => ({
    network: { cells: neurons(10, adex, { v: "El", I: "(1 + i) * b * 2" }) },
    runs: [{ duration: "30 ms" }],
    fire: { cells: 5 },
  }),

  "every function of the language": () => ({
    network: {
      cells: neurons(
        37,
        neuron({
          name: "functions",
          source: "test",
          equations: `
            dx/dt = (sin(y) + cos(x * 3) + tan(x / 8) + tanh(y) - x) / tau : 1
            dy/dt = (exp(-x^2) + log(abs(x) + 1) + log10(y^2 + 2) + sqrt(abs(y)) + expm1(x / 4) - y^3) / tau : 1
            a : 1
            b : 1
          `,
          on: {
            tick: `
              a = floor(10 * x) + ceil(y) + round(3 * x) + mod(7 * y, 0.3) + clip(x, -0.5, 0.5) + sign(x)
              b = min(x, y) + max(x, 0.1) + sinh(x) * cosh(y) + abs(x)^1.7 + int(x > y) + (x > 0 and not (y > 0) ? 1 : 2)
            `,
          },
          parameters: { tau: "5 ms" },
        }),
        { x: "2 * randn()", y: "rand() - 0.5" },
      ),
    },
    runs: [{ duration: "4 ms" }],
  }),

  "noise: Euler-Maruyama, Heun, shared between equations": () => ({
    network: {
      ito: neurons(
        21,
        neuron({
          name: "noisy",
          source: "test",
          equations: `
            dv/dt = -v / tau + s * xi / sqrt(tau) + s * xi_common / sqrt(tau) : 1 (unless refractory)
            du/dt = (v - u) / tau + 0.3 * xi_common / sqrt(tau) : 1
          `,
          threshold: "v > 1",
          reset: "v = 0.1 * randn(); u += rand()",
          refractory: "0.5 ms",
          parameters: { tau: "5 ms", s: 1 },
        }),
        { v: "rand()" },
      ),
      stratonovich: neurons(
        9,
        neuron({
          name: "multiplicative",
          source: "test",
          equations: "dx/dt = -x / tau + 0.5 * x * xi / sqrt(tau) : 1",
          method: "heun",
          parameters: { tau: "5 ms" },
        }),
        { x: 1 },
      ),
    },
    runs: [{ duration: "12 ms" }, { duration: "3 ms", restart: true }],
    fire: { ito: 20 },
  }),

  "draws in threshold, reset and tick handler; Poisson numbers of fixed and of varying mean": () => ({
    network: {
      cells: neurons(
        35,
        neuron({
          name: "drawing",
          source: "test",
          equations: `
            dv/dt = -v / tau : 1
            n : 1
            m : 1
            many : 1
          `,
          threshold: "v > 1 + 0.2 * randn() and rand() < 0.7",
          reset: "v = 0.2 * rand(); m += poisson(1.5)",
          on: {
            tick: "n = poisson(0.4); v += 0.05 * n + 0.02 * poisson(2 * v^2); many = poisson(3.7) + rand()",
          },
          parameters: { tau: "10 ms" },
        }),
        { v: "rand() + 0.1 * poisson(2)", many: "randn()" },
      ),
    },
    runs: [{ duration: "15 ms" }],
    fire: { cells: 20 },
  }),

  "truth values, a refractory time of each cell": () => ({
    network: {
      cells: neurons(
        19,
        neuron({
          name: "switching",
          source: "test",
          equations: `
            dv/dt = ((up ? 2.5 : 1.5) - v) / tau : 1 (unless refractory)
            up : boolean
            fired : 1
            waiting : s
          `,
          threshold: "v > 1 and not_refractory",
          reset: "v = (not_refractory ? 5 : 0.1); up = not up; fired += 1",
          refractory: "waiting + tau / 20",
          on: { tick: "up = up or (rand() < 0.02 and v < 0.5)" },
          parameters: { tau: "10 ms" },
        }),
        { v: "rand()", up: "rand() < 0.5", waiting: "tau * rand() / 4" },
      ),
    },
    runs: [{ duration: "20 ms" }, { duration: "5 ms", restart: true }],
    fire: { cells: 19 },
  }),

  "one value for all cells, time and index in equations": () => ({
    network: {
      cells: neurons(
        18,
        neuron({
          name: "driven",
          source: "test",
          equations: `
            dv/dt = (drive * (1 + 0.1 * i) + sin(6 * f * t) - v) / tau : 1
            drive : 1 (shared)
          `,
          threshold: "v > 1",
          reset: "v = 0",
          parameters: { tau: "5 ms", f: "300 Hz" },
        }),
        { drive: "1 + rand()" },
      ),
    },
    runs: [
      { duration: "10 ms" },
      { duration: "5 ms", before: (twin) => twin.set("cells" as never, "drive", 3) },
    ],
    fire: { cells: 20 },
  }),

  "a delay for each synapse, drawn or given, some past a stretch of ticks": () => {
    const drive = poisson(15, "400 Hz");
    const cells = neurons(33, leaky, { v: "rand()" });
    const given = Array.from({ length: 40 }, (_, k) => ((7 * k) % 5) * 1e-4 + (k === 3 ? 0.03 : 0));
    const connections = pairs(
      Array.from({ length: 40 }, (_, k) => (11 * k) % 15),
      Array.from({ length: 40 }, (_, k) => (5 * k) % 33),
    );
    return {
      network: {
        drive,
        cells,
        drawn: synapses(drive, cells, fading, {
          connect: pairwiseBernoulli(0.3),
          delay: "tau * rand()",
          initial: { w: "0.2 * rand()" },
        }),
        given: synapses(drive, cells, adding, {
          connect: connections,
          delay: given,
          initial: { w: Array.from({ length: 40 }, (_, k) => 0.01 * k) },
        }),
      },
      runs: [{ duration: "40 ms" }, { duration: "5 ms", restart: true }],
      fire: { drive: 100, cells: 20 },
    };
  },

  "patterns, slices, a cell onto itself, onto another twice": () => {
    const stimulus = spikeSource(12);
    const cells = neurons(50, leaky, { v: "rand()" });
    const some = cells.slice(7, 31);
    const initial = { w: "0.3 * rand()" };
    const times = Array.from({ length: 12 }, (_, k) => [0.5 + k / 10, 3 + k / 5, 9.95].map((t) => t * 1e-3));
    return {
      network: {
        stimulus,
        cells,
        in: synapses(stimulus, some, adding, { connect: fixedIndegree(4), initial }),
        out: synapses(some, cells.slice(20), adding, {
          connect: fixedOutdegree(5),
          initial,
          delay: "0.3 ms",
        }),
        same: synapses(some, some, adding, { connect: oneToOne(), initial: { w: 0.1 } }),
        all: synapses(cells.slice(0, 5), cells.slice(40), adding, { connect: allToAll(), initial }),
      },
      runs: [
        { duration: "10 ms", inputs: { stimulus: times } },
        { duration: "5 ms", inputs: { stimulus: { t: [0.001, 0.001, 0.0042], i: [3, 4, 0] } } },
      ],
      fire: { stimulus: 39, cells: 20 },
    };
  },

  "what handlers draw, and what they read of both cells": () => {
    const before = neurons(20, leaky.with({ tau: "5 ms" }), { v: "2 * rand()", g: "rand()" });
    const drive = poisson(20, "500 Hz");
    const cells = neurons(21, leaky, { v: "rand()" });
    const model = synapse({
      name: "drawing",
      equations: `
        w : 1
        n : 1
        x : 1 (pre)
        y : 1 (post)
        z : 1 (shared)
      `,
      on: {
        pre: `
          x = rand() + v_pre
          n = poisson(1.3) + 0.1 * poisson(2 * rand()) + randn() * x
          v_post += 0.1 * n * w + 0.1 * x + 0.05 * randn()
          z += 1
          w = clip(w + 0.01 * y + 0.01 * (v_pre - v_post) + 0.001 * i - 0.001 * j + t / second, 0, 1)
          g_pre += 0.1 * w
        `,
      },
      parameters: { second: "1 s" },
    });
    return {
      network: {
        drive,
        before,
        cells,
        kick: synapses(drive, before, adding, { connect: oneToOne(), initial: { w: 0.4 } }),
        drawing: synapses(before.slice(2), cells.slice(3), model, {
          connect: pairwiseBernoulli(0.4),
          initial: { x: "rand()", w: "rand() / (1 + i)", y: "0.1 * j + rand()", z: "randn()" },
        }),
      },
      runs: [{ duration: "15 ms" }],
      fire: { before: 20, cells: 5 },
    };
  },

  "variables of refractory cells that synapses cannot write, on either side": () => {
    const cells = neurons(30, leaky.with({}), { v: "2 * rand()" });
    const both = synapse({
      name: "both ways",
      equations: "w : 1",
      on: { pre: "v_post += w; v_pre += 0.5 * w; g_pre += w; g_post -= 0.5 * w" },
    });
    return {
      network: {
        cells,
        at: synapses(cells, cells, both, { connect: pairwiseBernoulli(0.3), initial: { w: "0.3 * rand()" } }),
        late: synapses(cells, cells, both, {
          connect: pairwiseBernoulli(0.3),
          initial: { w: "0.3 * rand()" },
          delay: "0.7 ms",
        }),
      },
      runs: [{ duration: "8 ms" }],
      fire: { cells: 30 },
    };
  },
};

describe.each(["float64", "float32"] as const)("%s", (precision) => {
  test("the interpreter needs no WebAssembly", () => {
    const { WebAssembly: machine } = globalThis;
    Reflect.deleteProperty(globalThis, "WebAssembly");
    try {
      const simulation = interpretNetwork(cubaNetwork(20), { dt: "0.1 ms", seed: 1, precision });
      simulation.run({ duration: "1 ms" });
      expect(simulation.time).toBe(1e-3);
    } finally {
      globalThis.WebAssembly = machine;
    }
  });

  test("control: one ulp in one variable of one cell is found", async () => {
    const nudge = (twin: Twin) => {
      if (!(twin instanceof Reference)) return;
      const v = twin.get("cells", "v");
      v[3] *= 1 + (precision === "float64" ? 2 ** -52 : 2 ** -23);
      twin.set("cells", "v", v);
    };
    const network = { cells: neurons(20, leaky, { v: "0.1 + rand()" }) };
    const nudged = runCase({ network, runs: [{ duration: "1 ms", before: nudge }] }, precision);
    await expect(nudged).rejects.toThrow(/run 0, cells.v: element 3, sample 0: machine code/);
  });

  for (const [name, make] of Object.entries(cases)) test(name, () => runCase(make(), precision));
});
