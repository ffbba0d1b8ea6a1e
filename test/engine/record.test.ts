/**
 * What a run hands back: spikes and traces of the cells that were asked for, at the times that were asked for; and
 * what get and set tell.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  allToAll,
  compile,
  type Network,
  neuron,
  neurons,
  oneToOne,
  pairs,
  type Raster,
  type Recorder,
  simulate,
  spikeSource,
  spikes,
  synapse,
  synapses,
  timesOf,
  trace,
} from "../../src/index.ts";
import { adds, drivenCells, hold } from "./networks.ts";

const options = { dt: "0.1 ms", seed: 3 } as const;

/** v grows by 1 a tick and by the index of the cell at the start. */
const counter = neuron({
  name: "Counter",
  source: "test",
  equations: "v : 1",
  on: { tick: "v += 1" },
});

describe("spikes", () => {
  test("of a slice are those of the population, counted from its start", async () => {
    const cells = drivenCells(70);
    const whole = { all: spikes(cells), part: spikes(cells.slice(13, 50)), one: spikes(cells.slice(69)) };
    const { all, part, one } = await simulate({ cells }, { ...options, duration: "200 ms", record: whole });
    expect(all.i.length).toBeGreaterThan(400);
    expect([all.size, part.size, one.size]).toEqual([70, 37, 1]);
    expect(part.duration).toBeCloseTo(0.2, 12);
    const within = (raster: Raster, start: number, stop: number) =>
      Array.from(raster.i, (i, k) => [raster.t[k], i - start]).filter(
        (_, k) => raster.i[k] >= start && raster.i[k] < stop,
      );
    expect(Array.from(part.i, (i, k) => [part.t[k], i])).toEqual(within(all, 13, 50));
    expect([...timesOf(one, 0)]).toEqual([...timesOf(all, 69)]);
  });

  test("are in order of time and cell, at the start of their ticks, from the start of the run", async () => {
    const source = spikeSource(40);
    const t = [0, 0.0001, 0.0001, 0.0013];
    const i = [39, 0, 17, 5];
    const simulation = await compile({ source }, options);
    const run = (times: number[]) =>
      simulation.run({
        duration: "2 ms",
        inputs: { source: { t: times, i } },
        record: { raster: spikes(source) },
      }).raster;
    const first = run(t);
    expect([...first.i]).toEqual([39, 0, 17, 5]);
    expect(Array.from(first.t, (time) => Math.round(time / 1e-4))).toEqual([0, 1, 1, 13]);
    const second = run(t.map((time) => time + 0.0002)); // the second run counts from its own start
    expect(Array.from(second.t, (time) => Math.round(time / 1e-4))).toEqual([2, 3, 3, 15]);
    expect(simulation.time).toBeCloseTo(0.004, 12);
  });

  test("a population without threshold has none", async () => {
    const cells = neurons(5, counter);
    const { raster } = await simulate(
      { cells },
      { ...options, duration: "10 ms", record: { raster: spikes(cells) } },
    );
    expect(raster.i.length).toBe(0);
  });
});

describe("traces", () => {
  test("sample n is the state before tick n times the interval, at the elements asked for", async () => {
    const cells = neurons(20, counter, { v: "100 * i" });
    const record = {
      each: trace(cells, "v"),
      some: trace(cells, "v", { every: "0.7 ms", at: [19, 0, 7] }),
      slice: trace(cells.slice(10, 12), "v", { every: "3 ms" }),
      inside: trace(cells.slice(10), "v", { every: "3 ms", at: [1] }),
    };
    const { each, some, slice, inside } = await simulate({ cells }, { ...options, duration: "3 ms", record });
    expect([each.size, each.t.length, each.values.length]).toEqual([20, 30, 600]);
    expect(each.values.every((v, k) => v === 100 * (k % 20) + Math.floor(k / 20))).toBe(true);
    expect(Array.from(some.t, (t) => Math.round(t / 1e-4))).toEqual([0, 7, 14, 21, 28]);
    expect([...some.values.subarray(3, 6)]).toEqual([1907, 7, 707]);
    expect([...slice.values]).toEqual([1000, 1100]);
    expect([...inside.values]).toEqual([1100]);
  });

  test("recorders of several intervals each keep their own time", async () => {
    const cells = neurons(1, counter);
    const record = Object.fromEntries(
      [1, 2, 3, 7, 250, 256, 300].map((n): [string, Recorder] => [
        `${n}`,
        trace(cells, "v", { every: `${n / 10} ms` }),
      ]),
    );
    const recorded = await simulate({ cells }, { ...options, duration: "60 ms", record });
    for (const [n, { values }] of Object.entries(recorded) as [string, { values: Float64Array }][])
      expect([...values]).toEqual(Array.from({ length: Math.ceil(600 / +n) }, (_, k) => k * +n));
  });

  test("of synapses come once, at the end of the run, unless asked more often", async () => {
    const { network, plastic, inputs } = plasticPair();
    const simulation = await compile(network, options);
    const record = { end: trace(plastic, "w"), often: trace(plastic, "w", { every: "1 ms", at: [1] }) };
    const { end, often } = simulation.run({ duration: "5 ms", inputs, record });
    expect([...end.t]).toEqual([0.005]);
    expect([...end.values]).toEqual([...simulation.get("plastic", "w")]);
    expect(often.values.length).toBe(5);
    expect(often.values[0]).toBe(2);
    expect(often.values[4]).toBe(end.values[1]);
    expect(end.values[1]).not.toBe(2);
  });
});

/** Two presynaptic cells, three postsynaptic ones, six synapses with traces of either side; `counts` post events. */
function plasticPair(counts = false) {
  const source = spikeSource(2);
  const cells = neurons(3, hold);
  const model = synapse({
    name: "Plastic",
    equations: "dx/dt = -x / tau : 1 (pre)\ndy/dt = -y / tau : 1 (post)\nw : 1 (weight)\nn : 1 (shared)",
    on: {
      pre: "v_post += w; x += 1; w -= 0.1 * y",
      post: `y += 1; w += 0.1 * x${counts ? "; n += 1" : ""}`,
    },
    parameters: { tau: "2 ms" },
  });
  const initial = { w: [1, 2, 3, 4, 5, 6], n: 7 };
  const plastic = synapses(source, cells, model, { connect: allToAll(), initial });
  const inputs = { source: [[0.0005, 0.002], [0.001]] };
  return { network: { source, cells, plastic }, plastic, inputs };
}

describe("get and set", () => {
  test("pairs come back in the order they were given, whatever their delays and threads", async () => {
    const pre = [3, 0, 1, 0, 3, 2, 0, 1, 0];
    const post = [0, 39, 2, 0, 0, 20, 39, 2, 7];
    const weights = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    const model = synapse({ name: "Weighted", equations: "w : 1", on: { pre: "v_post += w" } });
    const source = spikeSource(4);
    const cells = neurons(40, hold);
    const delay = [5, 1, 0, 1, 0, 2, 0, 9, 3].map((n) => n * 1e-4);
    const drive = synapses(source, cells, model, {
      connect: pairs(pre, post),
      delay,
      initial: { w: weights },
    });
    for (const threads of [1, 2]) {
      const simulation = await compile({ source, cells, drive }, { ...options, threads });
      expect([...simulation.get("drive", "w")]).toEqual(weights);
      expect(simulation.synapseCells("drive")).toEqual({
        pre: Uint32Array.from(pre),
        post: Uint32Array.from(post),
      });
      const doubled = weights.map((w) => 2 * w);
      simulation.set("drive", "w", doubled);
      expect([...simulation.get("drive", "w")]).toEqual(doubled);
      const { all, some } = simulation.run({
        duration: "1 ms",
        record: { all: trace(drive, "w"), some: trace(drive, "w", { at: [8, 2] }) },
      });
      expect([...all.values]).toEqual(doubled);
      expect([...some.values]).toEqual([16, 4]);
      simulation.close();
    }
  });

  test("what is set is what arrives: the weight of each pair, after its delay", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(4), fc.nat(6), fc.nat(12)), { minLength: 1, maxLength: 40 }),
        async (synapsesGiven) => {
          const source = spikeSource(5);
          const cells = neurons(7, neuron({ name: "Sum", source: "test", equations: "g : 1" }));
          const model = synapse({ name: "Weighted", equations: "w : 1", on: { pre: "g_post += w" } });
          const drive = synapses(source, cells, model, {
            connect: pairs(
              synapsesGiven.map(([i]) => i),
              synapsesGiven.map(([, j]) => j),
            ),
            delay: synapsesGiven.map(([, , d]) => d * 1e-4),
          });
          const simulation = await compile({ source, cells, drive }, options);
          simulation.set(
            "drive",
            "w",
            synapsesGiven.map((_, k) => 2 ** k),
          );
          const inputs = { source: [[0.0003], [0.0003], [0.0003], [0.0003], [0.0003]] };
          const { g } = simulation.run({ duration: "2 ms", inputs, record: { g: trace(cells, "g") } });
          const expected = new Float64Array(20 * 7);
          synapsesGiven.forEach(([, j, d], k) => {
            for (let n = 4 + d; n < 20; n++) expected[n * 7 + j] += 2 ** k; // sums of powers of two are exact
          });
          expect(g.values).toEqual(expected);
        },
      ),
      { seed: 20, numRuns: 25 },
    );
  });

  test.each([1, 2])("a trace that is set is the same for every thread (%i)", async (threads) => {
    const source = spikeSource(30);
    const cells = neurons(40, hold);
    const model = synapse({
      name: "Filtered",
      equations: "x : 1 (pre)\ndz/dt = -z / tau : 1 (pre)",
      on: { pre: "g_post += x + z" },
      parameters: { tau: "1 ms" },
    });
    const drive = synapses(source.slice(10, 20), cells, model, {
      connect: allToAll(),
      initial: { x: Array.from({ length: 10 }, (_, i) => i), z: 64 },
    });
    const simulation = await compile({ source, cells, drive }, { ...options, threads });
    expect(simulation.threads).toBe(threads);
    expect([...simulation.get("drive", "x")]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const fire = () =>
      simulation.run({ duration: "0.1 ms", inputs: { source: { t: [0], i: [13] } } }) &&
      simulation.get("cells", "g");
    const decay = Math.exp(-0.1);
    expect(fire()).toEqual(new Float64Array(40).fill(3 + 64 * decay));
    simulation.set("drive", "x", 100);
    simulation.set("drive", "z", 0);
    simulation.set("cells", "g", 0);
    expect(fire()).toEqual(new Float64Array(40).fill(100));
    simulation.close();
  });

  test("a trace that waits for its row is told as it is now", async () => {
    // x is kept as its value at the last event; each tick after that multiplies it by exp(-dt / tau)
    const { network } = plasticPair();
    const simulation = await compile(network, options);
    simulation.run({ duration: "0.6 ms", inputs: { source: [[0.0005], []] } });
    expect([...simulation.get("plastic", "x")]).toEqual([1, 0]); // tick 5 raised it, tick 6 has not come
    simulation.run({ duration: "1 ms" });
    const [x] = simulation.get("plastic", "x");
    expect(Math.abs(x - Math.exp(-0.5))).toBeLessThan(10 * 2 ** -53);
    simulation.set("plastic", "x", [3, 4]);
    expect([...simulation.get("plastic", "x")]).toEqual([3, 4]);
    simulation.run({ duration: "1 ms", inputs: { source: [[], [0.0002]] } });
    expect(simulation.get("plastic", "x")[1]).toBeCloseTo(4 * Math.exp(-0.5) + Math.exp(-0.35), 12);
    expect(simulation.get("plastic", "x")[0]).toBeCloseTo(3 * Math.exp(-0.5), 12);
  });

  test("shared values of a projection and of a population", async () => {
    const { network, inputs } = plasticPair(true);
    const simulation = await compile(network, options);
    expect([...simulation.get("plastic", "n")]).toEqual([7]);
    simulation.run({ duration: "5 ms", inputs });
    expect(simulation.get("plastic", "n")[0]).toBeGreaterThan(7);
    const sharing = neuron({
      name: "Sharing",
      source: "test",
      equations: "v : 1\ns : 1 (shared)\nr : 1 (shared)",
      on: { tick: "v = s + r" },
    });
    const cells = neurons(21, sharing, { s: 5, r: "rand()" });
    const other = await compile({ cells }, options);
    const [r] = other.get("cells", "r");
    expect(r).toBeGreaterThan(0);
    other.run({ duration: "0.1 ms" });
    expect(other.get("cells", "v")).toEqual(new Float64Array(21).fill(5 + r));
    other.set("cells", "s", [2]);
    other.run({ duration: "0.1 ms" });
    expect(other.get("cells", "v")).toEqual(new Float64Array(21).fill(2 + r));
  });

  test("a trace declared for each synapse is told for each synapse, kept once or not", async () => {
    const source = spikeSource(3);
    const cells = neurons(4, hold);
    const model = synapse({
      name: "Own traces",
      equations: "dx/dt = -x / tau : 1\ndy/dt = -y / tau : 1\nw : 1",
      on: { pre: "v_post += w; x += 1; w -= y", post: "y += 1; w += x" },
      parameters: { tau: "2 ms" },
    });
    const connect = pairs([2, 0, 1, 0, 2], [0, 3, 2, 0, 1]);
    const inputs = { source: [[0.0003, 0.0011], [0.0004], [0.0011]] };
    const after = async (delay: number | number[]) => {
      const drive = synapses(source, cells, model, { connect, delay, initial: { w: [0, 2, 2, 0, 0] } });
      const simulation = await compile({ source, cells, drive }, options);
      simulation.set("drive", "x", [0.5, 0.25, 0.125, 0.25, 0.5]);
      expect([...simulation.get("drive", "x")]).toEqual([0.5, 0.25, 0.125, 0.25, 0.5]);
      simulation.run({ duration: "2 ms", inputs });
      return [
        ...simulation.get("drive", "x"),
        ...simulation.get("drive", "y"),
        ...simulation.get("drive", "w"),
      ];
    };
    const once = await after(0); // one delay: x is kept once for a presynaptic cell
    const each = await after([0, 0, 0, 0, 0.05]); // synapse 4 never hears of anything
    expect(once.length).toBe(15);
    [0, 1, 2, 3].forEach((k) => {
      for (const block of [0, 5, 10]) expect(Math.abs(once[block + k] - each[block + k])).toBeLessThan(1e-14);
    });
    expect(once[3]).toBeGreaterThan(1);
  });

  test("what is kept once for a cell cannot be set to several values", async () => {
    const source = spikeSource(1);
    const cells = neurons(2, hold);
    const model = synapse({
      name: "Own trace",
      equations: "dx/dt = -x / tau : 1",
      on: { pre: "x += 1; v_post += x" },
      parameters: { tau: "2 ms" },
    });
    const drive = synapses(source, cells, model, { connect: allToAll() });
    const simulation = await compile({ source, cells, drive }, options);
    expect(() => simulation.set("drive", "x", [1, 2])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive.x is one value for all synapses of a presynaptic cell, kept once; synapse 0 of cell 0 cannot differ]`,
    );
  });
});

describe("restart", () => {
  const network = (): Network => {
    const source = spikeSource(3);
    const cells = drivenCells(30);
    const drive = synapses(source, cells, adds("I", 0.4), { connect: allToAll(), delay: "3 ms" });
    return { source, cells, drive };
  };
  const inputs = { source: [[0.001, 0.0485], [0.02], []] };

  test("a run after restart is the first run again", async () => {
    const parts = network();
    const simulation = await compile(parts, options);
    const run = (more: object = {}) =>
      simulation.run({ duration: "50 ms", inputs, record: { raster: spikes(parts.cells as never) }, ...more })
        .raster;
    const first = run();
    expect(first.i.length).toBeGreaterThan(50);
    const second = run(); // goes on: a spike of the source is still under way
    expect(second).not.toEqual(first);
    expect(run({ restart: true })).toEqual(first);
    expect(simulation.time).toBeCloseTo(0.15, 12);
  });

  test("spikes in flight are gone; without restart the next run delivers them", async () => {
    const source = spikeSource(1);
    const cells = neurons(1, hold);
    const drive = synapses(source, cells, adds("g"), { connect: oneToOne(), delay: "2 ms" });
    for (const restart of [false, true]) {
      const simulation = await compile({ source, cells, drive }, options);
      simulation.run({ duration: "1 ms", inputs: { source: [[0.0004]] } });
      simulation.run({ duration: "5 ms", restart });
      expect(simulation.get("cells", "g")[0]).toBe(restart ? 0 : 1);
    }
  });

  test("cells may fire at once, traces begin anew, weights stay", async () => {
    const { network: parts, inputs: given } = plasticPair();
    const simulation = await compile(parts, options);
    simulation.run({ duration: "3 ms", inputs: given });
    const learnt = simulation.get("plastic", "w");
    expect([...learnt]).not.toEqual([1, 2, 3, 4, 5, 6]);
    simulation.restart();
    expect(simulation.get("plastic", "w")).toEqual(learnt);
    expect([...simulation.get("plastic", "x"), ...simulation.get("plastic", "y")]).toEqual([0, 0, 0, 0, 0]);
    const tired = neuron({
      name: "Tired",
      source: "test",
      equations: "v : 1",
      threshold: "v > 1",
      reset: "v = 2",
      refractory: "1 s",
    });
    const cells = neurons(2, tired, { v: 2 });
    const other = await compile({ cells }, options);
    const count = (restart: boolean) =>
      other.run({ duration: "1 ms", restart, record: { raster: spikes(cells) } }).raster.i.length;
    expect([count(false), count(false), count(true)]).toEqual([2, 0, 2]);
  });
});
