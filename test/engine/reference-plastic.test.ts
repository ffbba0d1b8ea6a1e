/**
 * Synapses that change: machine code, lazy or not, and interpreter leave the same bits.
 */
import { describe, expect, test } from "vitest";
import { lif } from "../../models/lif.ts";
import { normad } from "../../models/normad.ts";
import { multiplicativeStdp, pairStdp, tripletStdp } from "../../models/stdp.ts";
import {
  allToAll,
  compile,
  every,
  fixedIndegree,
  neuron,
  neurons,
  type Projection,
  pairwiseBernoulli,
  poisson,
  spikeSource,
  synapse,
  synapses,
} from "../../src/index.ts";
import { type Case, runCase } from "./twins.ts";

const cell = neuron({
  name: "current-driven",
  source: "test",
  equations: `
    dv/dt = (I - v) / tau : V (unless refractory)
    dI/dt = -I / taus : V
  `,
  threshold: "v > Vt",
  reset: "v = 0",
  refractory: "1 ms",
  parameters: { tau: "10 ms", taus: "3 ms", Vt: "5 mV" },
});

const drive = () => poisson(20, "300 Hz");
const cells = () => neurons(25, cell, { v: "rand() * Vt" });
const learning = pairStdp.with({ Ap: "0.6 mV", Am: "0.7 mV", wmax: "6 mV" });

/** Poisson input onto cells through plastic synapses. */
function driven(
  model: typeof learning,
  options: Partial<Pick<Projection, "delay" | "initial">> & { connect?: Projection["pattern"] } = {},
  more: Partial<Case> = {},
): Case {
  const input = drive();
  const output = cells();
  const plastic = synapses(input, output, model, {
    connect: pairwiseBernoulli(0.5),
    initial: { w: "rand() * wmax" },
    ...options,
  });
  return {
    network: { input, output, plastic },
    runs: [{ duration: "25 ms" }],
    fire: { input: 100, output: 20 },
    ...more,
  };
}

/** Spikes of ten cells, each at its own times, s. */
const scattered = (count: number, step: number, span: number) =>
  Array.from({ length: count }, (_, k) =>
    [0, 1, 2, 3].map((n) => 1e-3 * (0.3 + (span / 4) * n + ((step * k) % (2.2 * span)) / 10)),
  );

const named = synapse({
  name: "named events",
  equations: `
    dx/dt = -x / tau : V (pre)
    dy/dt = -y / tau : V (post)
    w : V
    n : 1
    s : 1 (shared)
  `,
  on: {
    pre: "I_post += w; x += A; s += 1",
    post: "y += A; w = clip(w + 0.1 * x, 0, wmax)",
    reward: "w = clip(w + 0.2 * x * (1 + rand()), 0, wmax); y = 0.5 * y; n += poisson(0.7)",
    gate: "x = 0.3 * x + 0.01 * A * rand(); w = clip(w - 0.1 * y, 0, wmax)",
    tock: "s = 0.5 * s; y += 0.1 * A * randn(); w *= 0.9 + 0.01 * s; n += 1; x = 0.9 * x",
  },
  parameters: { tau: "8 ms", A: "1 mV", wmax: "6 mV" },
});

const cases: Record<string, () => Case> = {
  "pair STDP, post events deferred": () => driven(learning),
  "pair STDP, looked at every 0.7 ms": () => driven(learning, {}, { every: "0.7 ms" }),
  "pair STDP, all to all, with a delay": () => driven(learning, { connect: allToAll(), delay: "1.3 ms" }),
  "pair STDP on two threads": () => {
    const input = drive();
    const output = neurons(40, cell, { v: "rand() * Vt" });
    return {
      network: {
        input,
        output,
        plastic: synapses(input, output, learning, {
          connect: pairwiseBernoulli(0.5),
          initial: { w: "rand() * wmax", x: "rand() * Ap", y: "rand() * Am" },
        }),
      },
      threads: 2,
      runs: [{ duration: "12 ms" }, { duration: "8 ms" }],
      fire: { input: 100, output: 20 },
    };
  },
  "multiplicative STDP": () =>
    driven(multiplicativeStdp.with({ lambda: 0.1, wmax: "6 mV" }) as typeof learning),
  "triplet STDP": () => driven(tripletStdp.with({ w0: "3 mV", wmax: "6 mV" }) as typeof learning),

  "pair STDP through runs: frozen, restarted, set, traces with a past": () =>
    driven(
      learning,
      { initial: { w: "rand() * wmax", x: "rand() * Ap", y: "rand() * Am" } },
      {
        runs: [
          { duration: "6 ms" },
          { duration: "6 ms", frozen: ["plastic"] },
          { duration: "6 ms" },
          { duration: "6 ms", restart: true },
          { duration: "6 ms", frozen: ["plastic"], restart: true },
          { duration: "6 ms", before: (twin) => twin.set("plastic" as never, "x", 2e-4) },
          { duration: "6 ms", before: (twin) => twin.set("plastic" as never, "w", 3e-3) },
        ],
      },
    ),

  "post spikes more often than a row is walked": () => {
    const input = spikeSource(6, [[0.0005], [0.002, 0.03], [], [0.01], [0.0301], [0.015, 0.0152]]);
    const output = neurons(10, cell.with({ Vt: "1 mV" }), { v: "rand() * Vt" });
    const push = poisson(30, "900 Hz");
    const kick = synapse({ name: "kick", on: { pre: "I_post += 2 * Vk" }, parameters: { Vk: "6 mV" } });
    const plastic = synapses(input, output, learning.with({ wmax: "1 V" }), {
      connect: allToAll(),
      initial: { w: "0.01 * rand() * wmax", x: "rand() * Ap" },
    });
    return {
      network: {
        input,
        output,
        push,
        plastic,
        on: synapses(push, output, kick, { connect: fixedIndegree(8) }),
      },
      runs: [{ duration: "60 ms" }],
      fire: { output: 400 },
    };
  },

  "a plastic recurrent network": () => {
    const output = neurons(30, cell, { v: "2 * rand() * Vt", I: "4 * rand() * Vt" });
    const plastic = synapses(output, output, learning, {
      connect: pairwiseBernoulli(0.4, { self: false }),
      initial: { w: "wmax * rand()" },
      delay: "0.5 ms",
    });
    return { network: { output, plastic }, runs: [{ duration: "20 ms" }], fire: { output: 60 } };
  },

  "post events without traces, a delay for each synapse": () => {
    const counting = synapse({
      name: "counting",
      equations: "w : V",
      on: { pre: "I_post += w; w *= 0.9", post: "w = clip(w + 0.1 * wmax, 0, wmax)" },
      parameters: { wmax: "6 mV" },
    });
    const input = drive();
    const output = cells();
    const plastic = synapses(input, output, counting, {
      connect: allToAll(),
      initial: { w: "rand() * wmax" },
      delay: Array.from({ length: 500 }, (_, k) => ((k * 7) % 6) * 1e-4),
    });
    return { network: { input, output, plastic }, runs: [{ duration: "15 ms" }], fire: { output: 20 } };
  },

  "a trace that events do not touch, norms of traces": () => {
    const model = synapse({
      name: "two traces",
      equations: `
        dx/dt = -x / tau : 1 (pre)
        dz/dt = -z / tau2 : 1 (pre)
        w : V
      `,
      on: { pre: "I_post += w; x += 1", post: "w = clip(w + A * (x + z), 0, wmax)" },
      parameters: { tau: "5 ms", tau2: "20 ms", A: "0.1 mV", wmax: "6 mV" },
    });
    const normed = synapse({
      name: "normed",
      equations: "dx/dt = -x / tau : 1 (pre)\nw : V",
      on: { pre: "I_post += w * normalize(x + 0.1); x += 1", post: "w = clip(w + A * x, 0, wmax)" },
      parameters: { tau: "5 ms", A: "0.1 mV", wmax: "6 mV" },
    });
    const input = drive();
    const output = cells();
    const common = { connect: pairwiseBernoulli(0.5) };
    return {
      network: {
        input,
        output,
        two: synapses(input, output, model, { ...common, initial: { w: "rand() * wmax", z: "rand()" } }),
        normed: synapses(input, output, normed, { ...common, initial: { w: "wmax * rand()" } }),
      },
      runs: [{ duration: "15 ms" }],
      fire: { output: 20 },
    };
  },

  "named events of rows and columns, clocks, traces that handlers draw": () => {
    const input = drive();
    const output = cells();
    const reward = spikeSource(15, scattered(15, 7, 18));
    const gate = spikeSource(30, scattered(30, 3, 16));
    const plastic = synapses(input, output.slice(4, 19), named, {
      connect: pairwiseBernoulli(0.6),
      initial: { w: "rand() * wmax", x: "rand() * A", y: "rand() * A" },
      events: { reward, gate: gate.slice(5, 25), tock: every("2.5 ms", { offset: "1 ms" }) },
    });
    return {
      network: { input, output, reward, gate, plastic },
      runs: [
        { duration: "18 ms" },
        { duration: "6 ms", frozen: ["plastic"] },
        { duration: "6 ms", restart: true },
      ],
      fire: { output: 20, reward: 60, gate: 120 },
    };
  },

  "a clock over synapses of several delays": () => {
    const model = synapse({
      name: "ticking",
      equations: "w : V\ny : V (post)\ns : 1 (shared)",
      on: {
        pre: "I_post += w",
        tock: "s += 1; y += A * s; w = clip(0.8 * w + y, 0, wmax); y *= 0.5; I_post += 0.1 * w",
      },
      parameters: { A: "0.1 mV", wmax: "6 mV" },
    });
    const input = drive();
    const output = cells();
    const plastic = synapses(input, output, model, {
      connect: allToAll(),
      initial: { w: "rand() * wmax" },
      delay: Array.from({ length: 500 }, (_, k) => ((k * 11) % 4) * 2e-4),
      events: { tock: every("3 ms") },
    });
    return { network: { input, output, plastic }, runs: [{ duration: "15 ms" }], fire: { output: 20 } };
  },

  "equations of each synapse, with noise; traces that follow their cell": () => {
    const depressing = synapse({
      name: "short-term plasticity",
      equations: `
        du/dt = (U - u) / tauf : 1
        dr/dt = (1 - r) / taud + 0.02 * xi / sqrt(taud) : 1
        dz/dt = (v_post - z) / taud + 0.1 * U * V1 * xi / sqrt(taud) : V (post)
        dq/dt = (0.01 * i - q) / tauf : 1 (pre)
      `,
      on: { pre: "u += U * (1 - u); I_post += A * u * r * (1 + q) + 0.01 * z; r -= u * r" },
      parameters: { U: 0.4, tauf: "30 ms", taud: "20 ms", A: "8 mV", V1: "1 mV" },
    });
    const input = drive();
    const output = cells();
    const plastic = synapses(input.slice(3), output.slice(2, 20), depressing, {
      connect: pairwiseBernoulli(0.5),
      initial: { u: "U", r: "rand()" },
    });
    return {
      network: { input, output, plastic },
      runs: [{ duration: "8 ms" }, { duration: "4 ms", frozen: ["plastic"] }],
      fire: { output: 10 },
    };
  },

  "NormAD with plain weights": () => {
    const stimulus = spikeSource(20, scattered(20, 7, 20));
    const teacher = spikeSource(8, scattered(8, 13, 20));
    const output = neurons(8, lif, { v: "El" });
    const plastic = synapses(stimulus, output, normad.with({ eta: "20 nA" }), {
      connect: allToAll(),
      initial: { w: "rand() * eta" },
      events: { teacher, update: every("10 ms") },
    });
    return {
      network: { stimulus, teacher, output, plastic },
      runs: [{ duration: "25 ms" }, { duration: "15 ms", restart: true, frozen: ["plastic"] }],
      fire: { output: 5 },
    };
  },
};

describe.each(["float64", "float32"] as const)("%s", (precision) => {
  for (const [name, make] of Object.entries(cases)) test(name, () => runCase(make(), precision));
});

test("a count that all synapses share is refused where spikes arrive after several delays", () => {
  const counting = synapse({ name: "counting", equations: "n : 1 (shared)", on: { pre: "n += 1" } });
  const input = drive();
  const output = cells();
  const delay = Array.from({ length: 500 }, (_, k) => (k % 2) * 1e-3);
  const network = { input, output, all: synapses(input, output, counting, { connect: allToAll(), delay }) };
  return expect(compile(network, { dt: "0.1 ms", seed: 1 })).rejects.toThrow(
    "all: the pre handler assigns n, which all synapses share, once for each spike that arrives, so all synapses of the projection must have the same delay",
  );
});
