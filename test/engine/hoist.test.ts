import { describe, expect, test } from "vitest";
import { hoisted } from "../../src/engine/hoist.ts";
import {
  compile,
  neuron,
  neurons,
  type Projection,
  pairwiseBernoulli,
  poisson,
  synapse,
  synapses,
} from "../../src/index.ts";

const cell = neuron({
  name: "cell",
  source: "test",
  equations: "dv/dt = -v / tau : V",
  threshold: "v > theta",
  reset: "v = 0",
  parameters: { tau: "10 ms", theta: "1 mV" },
});

const stdp = (pre: string, post: string) =>
  synapse({
    name: "STDP",
    equations: `
      dx/dt = -x / taup : V ${pre}
      dy/dt = -y / taum : V ${post}
      w                 : V
    `,
    on: {
      pre: "v_post += w; x += Ap; w = clip(w - y, 0, wmax)",
      post: "y += Am; w = clip(w + x, 0, wmax)",
    },
    parameters: { taup: "20 ms", taum: "30 ms", Ap: "20 uV", Am: "21 uV", wmax: "0.5 mV" },
  });

const projection = (model: ReturnType<typeof stdp>, options: Partial<Parameters<typeof synapses>[3]> = {}) =>
  synapses(poisson(40, "50 Hz"), neurons(30, cell), model, {
    connect: pairwiseBernoulli(0.4),
    ...options,
  } as never) as Projection;

const scopes = (part: Projection) =>
  Object.fromEntries(hoisted(part).variables.map(({ name, scope }) => [name, scope]));

describe("traces declared per synapse", () => {
  test("move to the cell they depend on", () => {
    expect(scopes(projection(stdp("", "")))).toEqual({ x: "pre", y: "post", w: "synapse" });
  });

  test("stay where delays differ, where they start differently, where the other side assigns them", () => {
    const bothSides = synapse({
      name: "symmetric",
      equations: "dx/dt = -x / tau : 1",
      on: { pre: "x += 1", post: "x += 1" },
      parameters: { tau: "20 ms" },
    });
    const weighted = synapse({
      name: "weighted",
      equations: `
        dx/dt = -x / tau : 1
        w : 1
      `,
      on: { pre: "x += w" },
      parameters: { tau: "20 ms" },
    });
    const random = synapse({
      name: "random",
      equations: "dx/dt = -x / tau : 1",
      on: { pre: "x += rand()" },
      parameters: { tau: "20 ms" },
    });
    const dependent = synapse({
      name: "dependent",
      equations: `
        dx/dt = -x / tau : 1
        ds/dt = (x - s) * w / tau : 1
        w : 1
      `,
      on: { pre: "x += 1; w += s" },
      parameters: { tau: "20 ms" },
    });
    expect(scopes(projection(stdp("", ""), { delay: new Float64Array(5) }))).toMatchObject({
      x: "synapse",
      y: "post",
    });
    expect(scopes(projection(stdp("", ""), { initial: { x: "Ap * rand()" } })).x).toBe("synapse");
    for (const model of [bothSides, weighted, random, dependent])
      expect(scopes(projection(model as never)).x).toBe("synapse");
  });

  test("give the bits of traces declared per cell, in as little memory", async () => {
    const run = async (model: ReturnType<typeof stdp>) => {
      const source = poisson(40, "50 Hz");
      const cells = neurons(30, cell);
      const plastic = synapses(source, cells, model, {
        connect: pairwiseBernoulli(0.4),
        delay: "1.5 ms",
        initial: { w: "wmax * rand()" },
      });
      const simulation = await compile({ source, cells, plastic }, { dt: "0.1 ms", seed: 3 });
      simulation.run({ duration: "500 ms" });
      return { w: simulation.get("plastic", "w"), bytes: simulation.memory.bytes };
    };
    const declared = await run(stdp("(pre)", "(post)"));
    const found = await run(stdp("", ""));
    expect(found).toEqual(declared);
    expect(new Set(declared.w).size).toBeGreaterThan(100); // it learned
  });
});
