/**
 * Neighbours in a row are done side by side, and leave the bits of one after the other: in rows onto all cells, and in
 * others where no two synapses meet at a cell.
 */
import { describe, expect, test } from "vitest";
import { pairStdp } from "../../models/stdp.ts";
import { build } from "../../src/engine/build.ts";
import {
  allToAll,
  every,
  fixedIndegree,
  type Model,
  neuron,
  neurons,
  type Population,
  type Projection,
  pairwiseBernoulli,
  poisson,
  type Slice,
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
    n : 1
  `,
  threshold: "v > Vt",
  reset: "v = 0",
  refractory: "2 ms",
  parameters: { tau: "10 ms", taus: "3 ms", Vt: "5 mV" },
});

const drive = () => poisson(20, "200 Hz");
/** 25 cells: neither two nor four lanes go into them. */
const cells = (size = 25) => neurons(size, cell, { v: "rand() * Vt" });

const start = { w: "rand() * wmax" };

/** Poisson input onto all of `onto` (default all 25 cells). */
function driven(
  model: Model<"synapse", never>,
  options: {
    readonly delay?: Projection["delay"];
    readonly connect?: Projection["pattern"];
    readonly onto?: (all: Population) => Slice;
  } = {},
): Case {
  const { onto = (all: Population) => all, connect = allToAll(), delay = "0 ms" } = options;
  const input = drive();
  const output = cells();
  const dense = synapses(input, onto(output), model, { connect, delay, initial: start });
  return {
    network: { input, output, dense },
    runs: [{ duration: "25 ms" }],
    fire: { input: 60, output: 20 },
  };
}

/** Everything a row may load and store: both cells and their indices, traces of either side, draws, functions. */
const everything = synapse({
  name: "everything",
  equations: `
    dx/dt = -x / tau : 1 (pre)
    dy/dt = (5 - 0.1 * j - y) / tau : 1 (post)
    w : V
    m : 1
    s : 1 (shared)
    b : boolean
  `,
  on: {
    pre: `
      x += 0.1 + 0.01 * i
      s += 1
      v_post += 0.1 * w
      I_post += (b ? w : 0.5 * w) * (1 + 0.1 * x) + 0.01 * A * j
      w = clip(w + A * (randn() + 0.1 * rand()) + 0.01 * A * sin(j + 3 * i) - 0.1 * v_post, 0, wmax)
      m += poisson(0.3 + x) + poisson(0.6) + s * y
      b = not b
      n_post += exp(-m) + t / tau
    `,
  },
  parameters: { tau: "8 ms", A: "0.3 mV", wmax: "4 mV" },
});

const learning = pairStdp.with({ Ap: "0.6 mV", Am: "0.7 mV", wmax: "4 mV" });
const cases: Record<string, () => Case> = {
  "all that a row may do": () => driven(everything),
  "onto a slice, after a delay": () =>
    driven(everything, {
      delay: "0.7 ms",
      onto: (all) => all.slice(3, 22),
    }),
  "onto some cells": () => driven(everything, { connect: pairwiseBernoulli(0.6) }),
  "onto some cells more than once": () => driven(everything, { connect: fixedIndegree(14) }),
  "onto some cells of a slice, each with its own delay": () =>
    driven(
      synapse({
        name: "own times",
        equations: "w : V\narrival : s\ndy/dt = (5 - 0.1 * j - y) / tau : 1 (post)",
        on: {
          pre: `
            v_post += 0.1 * w * exp((arrival - t) / tau)
            I_post += w + 0.01 * A * j * (1 + 0.1 * i)
            arrival = t
            w = clip(w + 0.1 * A * (y - 3) + 0.1 * A * randn(), 0, wmax)
          `,
        },
        parameters: { tau: "8 ms", A: "0.3 mV", wmax: "4 mV" },
      }),
      {
        connect: pairwiseBernoulli(0.8),
        delay: "tau * 0.05 * floor(6 * rand())",
        onto: (all) => all.slice(2, 23),
      },
    ),
  "a cell onto itself as onto others": () => {
    const output = neurons(13, cell, { v: "2 * rand() * Vt", I: "5 * rand() * Vt" });
    const own = synapse({
      name: "own",
      equations: "w : V",
      on: { pre: "I_post += w + 0.01 * v_pre; v_post -= 0.01 * I_pre; w *= 0.99" },
    });
    const all = synapses(output, output, own, {
      connect: allToAll(),
      initial: { w: "10 mV" },
    });
    return { network: { output, all }, runs: [{ duration: "25 ms" }], fire: { output: 30 } };
  },
  "presynaptic cells that synapses write": () => {
    const output = neurons(13, cell, { v: "2 * rand() * Vt", I: "5 * rand() * Vt" });
    const back = synapse({
      name: "back",
      equations: "w : V",
      on: { pre: "I_post += w; I_pre -= 0.1 * w; w *= 0.99" },
    });
    const all = synapses(output, output, back, { connect: allToAll(), initial: { w: "10 mV" } });
    return { network: { output, all }, runs: [{ duration: "25 ms" }], fire: { output: 30 } };
  },
  "post events that wait for few of the neighbours": () => {
    const input = drive();
    const output = cells();
    const rare = poisson(4, "60 Hz");
    const kick = synapse({ name: "kick", on: { pre: "v_post += Vk" }, parameters: { Vk: "20 mV" } });
    return {
      network: {
        input,
        output,
        rare,
        dense: synapses(input, output, learning, {
          connect: allToAll(),
          initial: { w: "0.02 * rand() * wmax", x: "rand() * Ap" },
        }),
        kicks: synapses(rare, output, kick, { connect: pairwiseBernoulli(0.2) }),
      },
      runs: [
        { duration: "40 ms" },
        { duration: "10 ms", frozen: ["dense"] },
        { duration: "20 ms", restart: true },
      ],
      fire: { output: 15 },
    };
  },
  "post events that wait for most": () => driven(learning),
  "normalised traces": () => {
    const normed = synapse({
      name: "normed",
      equations: "dx/dt = -x / tau : 1 (pre)\nw : V",
      on: {
        pre: "I_post += w * normalize(x + 0.1); x += 1",
        post: "w = clip(w + A * normalize(x), 0, wmax)",
      },
      parameters: { tau: "5 ms", A: "0.1 mV", wmax: "15 mV" },
    });
    return driven(normed);
  },
  "clocks and named events along rows": () => {
    const ticking = synapse({
      name: "ticking",
      equations: "w : V\nk : 1",
      on: {
        pre: "I_post += w",
        sum: "n_post += w / wmax",
        scale: "w = n_post > 0 ? w * (8 / n_post) : w; k += 1",
        gate: "w = 0.9 * w + 0.01 * wmax * rand()",
      },
      parameters: { wmax: "4 mV" },
    });
    const input = drive();
    const output = cells();
    const gate = spikeSource(
      20,
      Array.from({ length: 20 }, (_, k) => [1e-3 * (k + 0.35)]),
    );
    const clock = every("5 ms");
    return {
      network: {
        input,
        output,
        gate,
        dense: synapses(input, output, ticking, {
          connect: allToAll(),
          initial: start,
          events: { sum: clock, scale: clock, gate },
        }),
      },
      runs: [{ duration: "25 ms" }],
      fire: { output: 20, gate: 20 },
    };
  },
  "two threads": () => {
    const input = drive();
    const output = cells(57);
    const dense = synapses(input, output.slice(5), learning, { connect: allToAll(), initial: start });
    return {
      network: { input, output, dense },
      threads: 2,
      runs: [{ duration: "15 ms" }],
      fire: { output: 40 },
    };
  },
};

describe.each(["float64", "float32"] as const)("%s", (precision) => {
  for (const [name, make] of Object.entries(cases)) test(name, () => runCase(make(), precision));
});

/** Bytes of a vector store, whose operand is not a lane: 0xfd 11, alignment hint 4. */
const vectorStores = (bytes: Uint8Array): number =>
  bytes.reduce((n, byte, k) => n + (byte === 0xfd && bytes[k + 1] === 11 && bytes[k + 2] === 4 ? 1 : 0), 0);

test("a row is stored a vector at a time but where synapses may meet", () => {
  const storesWith = (connect: ReturnType<typeof allToAll>) => {
    const { network } = driven(everything, { connect });
    const options = { dt: 1e-4, seed: 1, precision: "float64", threads: 1, mainMayBlock: true } as const;
    return vectorStores(build(network, options).bytes);
  };
  const alone = storesWith(fixedIndegree(14));
  // I, v, n of the cell, w, m, b of the synapse; I, v, n of a frozen projection; w as it is at the start
  expect(storesWith(allToAll()) - alone).toBe(10);
  // w, m, b of the synapse; w at the start: those of cells are scattered
  expect(storesWith(pairwiseBernoulli(0.5)) - alone).toBe(4);
});
