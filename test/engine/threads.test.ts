/**
 * Threads, batches and recorders change no bit.
 *
 * Every case draws, connects and delays differently; asked for is equality of all spikes, traces and stored
 * variables, and that the threads were there.
 */
import { describe, expect, test } from "vitest";
import {
  allToAll,
  compile,
  type Network,
  neurons,
  type Raster,
  synapse,
  synapses,
  type Time,
  type Trace,
} from "../../src/index.ts";
import {
  adds,
  type Case,
  cubaCase,
  delayCase,
  differences,
  drivenCells,
  eventCase,
  hold,
  leftBy,
  plasticCase,
  randomCase,
  recorders,
  spikeCount,
  stateOf,
  tinyCase,
} from "./networks.ts";

const cases: Readonly<Record<string, () => Case>> = {
  "CUBA without delay": () => cubaCase(),
  "CUBA with one delay": () => cubaCase({ delay: "1.5 ms" }),
  "a delay of each synapse, 0 included": () => delayCase(0),
  "a delay of each synapse, at least 7 ticks": () => delayCase(7),
  "pair STDP without delay": () => plasticCase(),
  "pair STDP with delay": () => plasticCase("0.8 ms"),
  "draws in equations, thresholds, resets, ticks, handlers and initial values": randomCase,
  "Poisson sources, named events and clocks": eventCase,
  "three cells": tinyCase,
};

describe.each(["float64", "float32"] as const)(
  "%s: 2 and 3 threads leave the bits of 1 thread",
  (precision) => {
    test.each(Object.keys(cases))("%s", async (name) => {
      const one = await leftBy(cases[name](), { threads: 1, precision });
      expect(spikeCount(one)).toBeGreaterThan(name === "three cells" ? 10 : 200);
      for (const threads of [2, 3]) {
        const many = await leftBy(cases[name](), { threads, precision });
        expect(many.threads).toBe(threads);
        expect(differences(many.recorded, one.recorded)).toEqual([]);
        expect(differences(many.state, one.state)).toEqual([]);
      }
    });
  },
);

/** The state and the spikes of a case run in pieces; times count from the start of the first piece. */
async function inPieces({ network, inputs }: Case, pieces: readonly Time[], threads: number) {
  const simulation = await compile(network, { dt: "0.1 ms", seed: 5, threads });
  const spikes: Record<string, number[]> = {}; // tick, cell, tick, cell, ...
  let start = 0;
  for (const duration of pieces) {
    const stop = start + Math.round(Number.parseFloat(duration) * 10);
    const given: Record<string, { t: number[]; i: number[] }> = {};
    for (const [name, input] of Object.entries(inputs ?? {})) {
      const { t, i } = input as { t: number[]; i: number[] };
      const inside = t
        .map((time) => Math.floor(time / 1e-4 + 1e-3))
        .map((tick) => tick >= start && tick < stop);
      given[name] = {
        t: t.filter((_, k) => inside[k]).map((time) => Math.floor(time / 1e-4 + 1e-3) * 1e-4 - start * 1e-4),
        i: i.filter((_, k) => inside[k]),
      };
    }
    const recorded = simulation.run({ duration, inputs: given, record: recorders(network) });
    for (const [name, each] of Object.entries(recorded) as [string, Raster | Trace][])
      if ("i" in each) {
        spikes[name] ??= [];
        each.i.forEach((cell, k) => {
          spikes[name].push(start + Math.round(each.t[k] / 1e-4), cell);
        });
      }
    start = stop;
  }
  const state = stateOf(simulation);
  simulation.close();
  return { spikes, state };
}

describe("a run in pieces leaves the bits of the whole", () => {
  const ten = Array.from({ length: 10 }, (): Time => "10 ms");
  const uneven: Time[] = ["0.1 ms", "25.6 ms", "0.7 ms", "0 ms", "25.7 ms", "47.9 ms"];
  test.each(Object.keys(cases))("%s", async (name) => {
    const whole = await inPieces(cases[name](), ["100 ms"], 1);
    expect(differences(await inPieces(cases[name](), ten, 1), whole)).toEqual([]);
    expect(differences(await inPieces(cases[name](), uneven, 2), whole)).toEqual([]);
  });
});

test.each(Object.keys(cases))("recording changes nothing: %s", async (name) => {
  const { network, inputs } = cases[name]();
  const silent = await compile(network, { dt: "0.1 ms", seed: 5 });
  silent.run({ duration: "100 ms", inputs });
  const { state } = await leftBy({ network, inputs });
  expect(differences(stateOf(silent), state)).toEqual([]);
});

test("another seed draws other connections, voltages and spikes", async () => {
  const one = await leftBy(cubaCase(), { seed: 1 });
  const other = await leftBy(cubaCase(), { seed: "1/other" });
  expect(differences(other.recorded, one.recorded)).not.toEqual([]);
  expect(differences({ ...(await leftBy(cubaCase(), { seed: 1 })) }, { ...one })).toEqual([]);
});

test("the smallest seed path tells parts apart: the same cells under another name draw other voltages", async () => {
  const { network } = cubaCase();
  const { cells, ...rest } = network;
  const one = await compile(network, { dt: "0.1 ms", seed: 1 });
  const renamed = await compile({ neurons: cells, ...rest }, { dt: "0.1 ms", seed: 1 });
  expect(renamed.get("neurons", "v")).not.toEqual(one.get("cells", "v"));
});

describe("a network that threads cannot share runs on one and says why", () => {
  const cells = () => neurons(40, hold, { g: 1 });
  const reading = synapse({ name: "Reading", on: { pre: "v_post += g_pre" } });
  const build = async (network: Network) => {
    const simulation = await compile(network, { dt: "0.1 ms", seed: 1, threads: 2 });
    const { threads, oneThreadBecause } = simulation;
    simulation.close();
    return { threads, oneThreadBecause };
  };
  const connect = allToAll();

  test("reading a presynaptic variable that stands still needs no such thing", async () => {
    const [a, b] = [cells(), cells()];
    expect(await build({ a, b, reads: synapses(a, b, reading, { connect }) })).toEqual({
      threads: 2,
      oneThreadBecause: undefined,
    });
  });

  test("a presynaptic variable that another projection changes", async () => {
    const [a, b] = [cells(), cells()];
    const reads = synapses(a, b, reading, { connect });
    const changes = synapses(b, a, adds("g"), { connect });
    expect(await build({ a, b, reads, changes })).toMatchInlineSnapshot(`
      {
        "oneThreadBecause": "reads: the handler pre reads g_pre, which changes",
        "threads": 1,
      }
    `);
  });

  test("a presynaptic variable that moves", async () => {
    const [a, b] = [drivenCells(40), cells()];
    const model = synapse({ name: "Reading", on: { pre: "g_post += v_pre" } });
    expect(await build({ a, b, reads: synapses(a, b, model, { connect }) })).toMatchInlineSnapshot(`
      {
        "oneThreadBecause": "reads: the handler pre reads v_pre, which changes",
        "threads": 1,
      }
    `);
  });

  test("a handler that changes the presynaptic cell, or something shared", async () => {
    const [a, b] = [cells(), cells()];
    const back = synapse({ name: "Back", on: { pre: "g_pre += 1" } });
    const counts = synapse({ name: "Counts", equations: "n : 1 (shared)", on: { pre: "n += 1" } });
    expect(await build({ a, b, back: synapses(a, b, back, { connect }) })).toMatchInlineSnapshot(`
      {
        "oneThreadBecause": "back: the handler pre changes g_pre, a presynaptic cell's variable",
        "threads": 1,
      }
    `);
    expect(await build({ a, b, counts: synapses(a, b, counts, { connect }) })).toMatchInlineSnapshot(`
      {
        "oneThreadBecause": "counts: the handler pre changes the shared variable n",
        "threads": 1,
      }
    `);
  });

  test("differential equations of each synapse", async () => {
    const [a, b] = [cells(), cells()];
    const model = synapse({
      name: "Own",
      equations: `
        dx/dt = -x / tau : 1
        w                : 1
      `,
      on: { pre: "x += w; g_post += x" },
      parameters: { tau: "20 ms" },
    });
    expect(await build({ a, b, own: synapses(a, b, model, { connect }) })).toMatchInlineSnapshot(`
      {
        "oneThreadBecause": "own has differential equations per synapse",
        "threads": 1,
      }
    `);
  });
});
