/**
 * Synapses in memory: every synapse once, in the thread of its target, in the class of its delay.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { connect } from "../../src/engine/connect.ts";
import { columns, pathway, sources } from "../../src/engine/pathway.ts";
import {
  allToAll,
  compile,
  fixedIndegree,
  neuron,
  neurons,
  pairs,
  pairwiseBernoulli,
  spikeSource,
  synapse,
  synapses,
  trace,
} from "../../src/index.ts";
import { randomKey } from "../../src/math/random.ts";
import { adds, cubaCase, hold } from "./networks.ts";

const key = randomKey("pathway");
const options = { dt: "0.1 ms", seed: 3 } as const;

/** Random pairs between slices of populations, with delays, and bounds of threads. */
const arbitrary = fc
  .record({
    preCells: fc.integer({ min: 1, max: 9 }),
    postCells: fc.integer({ min: 1, max: 70 }),
    threads: fc.integer({ min: 1, max: 4 }),
    delays: fc.integer({ min: 0, max: 5 }),
  })
  .chain(({ preCells, postCells, threads, delays }) =>
    fc.record({
      preCells: fc.constant(preCells),
      postCells: fc.constant(postCells),
      threads: fc.constant(threads),
      preStart: fc.nat(preCells - 1),
      postStart: fc.nat(postCells - 1),
      triples: fc.array(fc.tuple(fc.nat(100), fc.nat(100), fc.nat(delays)), { maxLength: 60 }),
      oneDelay: fc.boolean(),
    }),
  )
  .map(({ triples, preStart, postStart, preCells, postCells, threads, oneDelay }) => {
    const rowCount = preCells - preStart;
    const columnCount = postCells - postStart;
    const pre = triples.map(([i]) => i % rowCount);
    const post = triples.map(([, j]) => j % columnCount);
    const rows = connect(pairs(pre, post), rowCount, columnCount, key);
    const places = Math.ceil(postCells / 16);
    const bounds = Array.from({ length: threads + 1 }, (_, t) => 16 * Math.floor((places * t) / threads));
    const delays = oneDelay ? 3 : Uint32Array.from(rows.order as Uint32Array, (k) => triples[k][2]);
    return { rows, pre, post, triples, preStart, postStart, preCells, postCells, bounds, delays };
  });

describe("pathway", () => {
  test("the segments of threads and delays hold every synapse once", () => {
    fc.assert(
      fc.property(arbitrary, (given) => {
        const { rows, preStart, postStart, preCells, bounds, delays } = given;
        const path = pathway(rows, { preCells, preStart, postStart, delays, bounds });
        const threads = bounds.length - 1;
        const size = rows.targets.length;
        expect(path.size).toBe(size);
        expect([...path.delays]).toEqual([...path.delays].sort((a, b) => a - b));
        expect(path.segments).toBe(preCells * path.delays.length);
        const seen = new Uint8Array(size);
        for (let cell = 0; cell < preCells; cell++)
          path.delays.forEach((delay, c) => {
            const segment = cell * path.delays.length + c;
            for (let thread = 0; thread < threads; thread++) {
              const from = path.starts[thread * path.segments + segment];
              const to = path.starts[(thread + 1) * path.segments + segment];
              for (let k = from; k < to; k++) {
                seen[k]++;
                const inRows = path.order ? path.order[k] : k;
                expect(path.targets[k]).toBe(rows.targets[inRows] + postStart);
                expect(path.targets[k]).toBeGreaterThanOrEqual(bounds[thread]);
                expect(path.targets[k]).toBeLessThan(bounds[thread + 1]);
                expect(typeof delays === "number" ? delays : delays[inRows]).toBe(delay);
                expect(inRows).toBeGreaterThanOrEqual(rows.rows[cell - preStart]);
                expect(inRows).toBeLessThan(rows.rows[cell - preStart + 1]);
              }
            }
          });
        expect(seen.every((n) => n === 1)).toBe(true);
        const from = sources(path);
        for (let k = 0; k < size; k++) {
          const pair = (rows.order as Uint32Array)[path.order ? path.order[k] : k];
          expect([from[k], path.targets[k]]).toEqual([
            given.pre[pair] + preStart,
            given.post[pair] + postStart,
          ]);
        }
      }),
      { seed: 30, numRuns: 200 },
    );
  });

  test("columns hold every synapse once, in order of the presynaptic cell", () => {
    fc.assert(
      fc.property(arbitrary, (given) => {
        const { rows, preStart, postStart, preCells, postCells, bounds, delays } = given;
        const path = pathway(rows, { preCells, preStart, postStart, delays, bounds });
        const { starts, synapse: found, pre } = columns(path, postCells);
        expect([...found].sort((a, b) => a - b)).toEqual(Array.from({ length: path.size }, (_, k) => k));
        for (let j = 0; j < postCells; j++)
          for (let n = starts[j]; n < starts[j + 1]; n++) {
            expect(path.targets[found[n]]).toBe(j);
            expect(pre[n]).toBe(sources(path)[found[n]]);
            if (n > starts[j]) expect(pre[n]).toBeGreaterThanOrEqual(pre[n - 1]);
          }
      }),
      { seed: 31, numRuns: 100 },
    );
  });
});

describe("delays", () => {
  const sum = neuron({ name: "Sum", source: "test", equations: "g : 1" });

  test("an expression is drawn once a synapse, may use i, j and parameters, and does not depend on threads", async () => {
    const source = spikeSource(3);
    const cells = neurons(37, sum);
    const model = synapse({
      name: "Spread",
      equations: "dx/dt = -x / tau : 1",
      on: { pre: "g_post += 1 + x" },
      parameters: { tau: "1 ms" },
    });
    const arrivals = async (delay: string, threads = 1) => {
      const drive = synapses(source, cells, model, { connect: allToAll(), delay });
      const simulation = await compile({ source, cells, drive }, { ...options, threads });
      const { g } = simulation.run({
        duration: "20 ms",
        inputs: { source: [[0], [], [0.01]] },
        record: { g: trace(cells, "g") },
      });
      simulation.close();
      const first = (j: number, from: number) => {
        for (let n = from; n < 200; n++) if (g.values[n * 37 + j] > g.values[(n - 1) * 37 + j]) return n - 1;
        return -1;
      };
      return [0, 100].map((tick) => Array.from({ length: 37 }, (_, j) => first(j, tick + 1) - tick));
    };
    const distance = await arrivals("tau * (0.1 + 0.2 * abs(i - j))");
    expect(distance[0]).toEqual(Array.from({ length: 37 }, (_, j) => 1 + 2 * j));
    expect(distance[1]).toEqual(Array.from({ length: 37 }, (_, j) => 1 + 2 * Math.abs(2 - j)));
    const [random, others] = await arrivals("9 * tau * rand()");
    expect(new Set(random).size).toBeGreaterThan(15);
    expect(random).not.toEqual(others);
    expect(Math.min(...random, ...others)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...random, ...others)).toBeLessThanOrEqual(90);
    expect(await arrivals("9 * tau * rand()")).toEqual([random, others]);
  });

  test("delays far beyond the ticks between two looks at the memory", async () => {
    const source = spikeSource(1);
    const cells = neurons(3, sum);
    const model = synapse({ name: "Plain", equations: "w : 1", on: { pre: "g_post += w" } });
    const drive = synapses(source, cells, model, {
      connect: allToAll(),
      delay: [0.0255, 0.0256, 0.3],
      initial: { w: 1 },
    });
    const simulation = await compile({ source, cells, drive }, options);
    const spikes = Array.from({ length: 1000 }, (_, k) => k * 1e-4);
    simulation.run({ duration: "0.1 s", inputs: { source: [spikes] } });
    expect([...simulation.get("cells", "g")]).toEqual([745, 744, 0]);
    simulation.run({ duration: "0.25 s" });
    expect([...simulation.get("cells", "g")]).toEqual([1000, 1000, 500]);
    simulation.run({ duration: "0.1 s" });
    expect([...simulation.get("cells", "g")]).toEqual([1000, 1000, 1000]);
  });

  test("every cell fires in every tick, and no spike is lost over many rounds of the rings", async () => {
    const restless = neuron({ name: "Restless", source: "test", equations: "n : 1", threshold: "n >= 0" });
    for (const threads of [1, 2]) {
      const from = neurons(40, restless);
      const onto = neurons(40, sum);
      const drive = synapses(from, onto, adds("g"), { connect: allToAll(), delay: "1.3 ms" });
      const simulation = await compile({ from, onto, drive }, { ...options, threads });
      simulation.run({ duration: "1 s" });
      expect([...simulation.get("onto", "g")]).toEqual(new Array(40).fill(40 * (10_000 - 13)));
      simulation.close();
    }
  });
});

describe("memory", () => {
  test("a static synapse costs at most 12 bytes in float32, 5 when its weight is a parameter", async () => {
    const cells = neurons(2000, hold);
    const connect = fixedIndegree(200);
    const weighted = synapse({ name: "Weighted", equations: "w : 1", on: { pre: "g_post += w" } });
    const cost = async (model: ReturnType<typeof adds> | typeof weighted, threads: number) => {
      const drive = synapses(cells, cells, model, { connect, delay: "1 ms" });
      const simulation = await compile({ cells, drive }, { ...options, precision: "float32", threads });
      const { shares, synapses: count, bytes } = simulation.memory;
      simulation.close();
      expect(count).toBe(400_000);
      const own = Object.entries(shares).filter(([label]) => label.startsWith("drive"));
      const sum = own.reduce((total, [, n]) => total + n, 0);
      expect(bytes).toBeGreaterThanOrEqual(Object.values(shares).reduce((total, n) => total + n, 0));
      return sum / count;
    };
    for (const threads of [1, 2]) {
      expect(await cost(weighted, threads)).toBeLessThanOrEqual(12);
      expect(await cost(adds("g"), threads)).toBeLessThanOrEqual(5);
    }
  });

  test("with STDP traces kept per cell a synapse costs at most 20 bytes in float32", async () => {
    const cells = neurons(2000, hold);
    const pair = (flags: [string, string]) =>
      synapse({
        name: "Pair STDP",
        equations: `dx/dt = -x / tau : 1 ${flags[0]}\ndy/dt = -y / tau : 1 ${flags[1]}\nw : 1 (weight)`,
        on: {
          pre: "g_post += w; x += 1; w = clip(w - y, 0, 1)",
          post: "y += 1; w = clip(w + x, 0, 1)",
        },
        parameters: { tau: "20 ms" },
      });
    for (const flags of [
      ["(pre)", "(post)"],
      ["", ""],
    ] as [string, string][]) {
      const learns = synapses(cells, cells, pair(flags), { connect: pairwiseBernoulli(0.1), delay: "1 ms" });
      const simulation = await compile({ cells, learns }, { ...options, precision: "float32" });
      const { shares, synapses: count } = simulation.memory;
      let sum = 0;
      for (const [label, n] of Object.entries(shares)) if (label.startsWith("learns")) sum += n;
      expect(sum / count).toBeLessThanOrEqual(20);
    }
  });

  test("the whole of CUBA with 4,001 cells and 320,000 synapses stays below 12 bytes a synapse in float32", async () => {
    const { network } = cubaCase({ size: 4001 });
    const simulation = await compile(network, { ...options, precision: "float32" });
    const { bytes, synapses: count } = simulation.memory;
    expect(count).toBeGreaterThan(300_000);
    expect(bytes / count).toBeLessThan(12);
  });
});
