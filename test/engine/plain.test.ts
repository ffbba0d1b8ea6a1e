/**
 * Small networks against a few lines of plain arithmetic that share nothing with the engine.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  compile,
  neuron,
  neurons,
  pairs,
  type Raster,
  spikeSource,
  spikes,
  synapse,
  synapses,
  type Trace,
  trace,
} from "../../src/index.ts";

interface Network {
  readonly size: number;
  readonly ticks: number;
  readonly synapses: readonly {
    readonly i: number;
    readonly j: number;
    readonly w: number;
    readonly d: number;
  }[];
  readonly v: readonly number[];
  readonly bias: readonly number[];
  readonly refractory: number; // ticks
}

const [taum, taus, dt] = [10, 3, 0.1]; // ms

/** Leaky integrate-and-fire cells with exponential currents, tick by tick. */
function plain({ size, ticks, synapses: all, v: start, bias, refractory }: Network) {
  const v = [...start];
  const g = new Array<number>(size).fill(0);
  const until = new Array<number>(size).fill(0);
  const fired: number[][] = [];
  const seen: number[] = [];
  const [em, es] = [Math.exp(-dt / taum), Math.exp(-dt / taus)];
  for (let n = 0; n < ticks; n++) {
    seen.push(...v);
    const now: number[] = [];
    for (let k = 0; k < size; k++) {
      // v' = (bias - v + g) / taum, g' = -g / taus, solved over a tick
      if (n >= until[k]) v[k] = bias[k] + (v[k] - bias[k]) * em + ((g[k] * taus) / (taus - taum)) * (es - em);
      g[k] *= es;
      if (n >= until[k] && v[k] > 1) now.push(k);
    }
    for (const k of now) until[k] = n + refractory;
    fired.push(now);
    for (const { i, j, w, d } of all) if (n >= d && fired[n - d].includes(i)) g[j] += w;
    for (const k of now) v[k] = 0;
  }
  return { fired: fired.flatMap((cells, n) => cells.map((k) => [n, k])), seen };
}

const cell = neuron({
  name: "Leaky",
  source: "test",
  equations: `
    dv/dt = (bias - v + g) / taum : 1 (unless refractory)
    dg/dt = -g / taus             : 1
    bias : 1
    tref : s
  `,
  threshold: "v > 1",
  reset: "v = 0",
  refractory: "tref",
  parameters: { taum: "10 ms", taus: "3 ms" },
});

const networks: fc.Arbitrary<Network> = fc.integer({ min: 1, max: 40 }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    ticks: fc.constant(300),
    synapses: fc.array(
      fc.record({
        i: fc.nat(size - 1),
        j: fc.nat(size - 1),
        w: fc.integer({ min: -8, max: 12 }).map((w) => w / 8),
        d: fc.nat(40),
      }),
      { minLength: 0, maxLength: 120 },
    ),
    v: fc.array(
      fc.integer({ min: 0, max: 999 }).map((v) => v / 1000),
      { minLength: size, maxLength: size },
    ),
    bias: fc.array(
      fc.integer({ min: 500, max: 3000 }).map((b) => b / 1000),
      { minLength: size, maxLength: size },
    ),
    refractory: fc.nat(25),
  }),
);

test("random networks with delays, self-connections and refractoriness fire tick for tick as plain arithmetic", async () => {
  let spikesSeen = 0;
  await fc.assert(
    fc.asyncProperty(networks, fc.constantFrom(1, 1, 1, 2), async (network, threads) => {
      const expected = plain(network);
      const cells = neurons(network.size, cell, {
        v: network.v,
        bias: network.bias,
        tref: network.v.map(() => network.refractory * 1e-4),
      });
      const model = synapse({ name: "Weighted", equations: "w : 1", on: { pre: "g_post += w" } });
      const all = synapses(cells, cells, model, {
        connect: pairs(
          network.synapses.map(({ i }) => i),
          network.synapses.map(({ j }) => j),
        ),
        delay: network.synapses.map(({ d }) => d * 1e-4),
        initial: { w: network.synapses.map(({ w }) => w) },
      });
      const simulation = await compile({ cells, all }, { dt: "0.1 ms", seed: 1, threads });
      const record = { raster: spikes(cells), v: trace(cells, "v") };
      const { raster, v }: { raster: Raster; v: Trace } = simulation.run({ duration: "30 ms", record });
      simulation.close();
      expect(Array.from(raster.i, (i, k) => [Math.round(raster.t[k] / 1e-4), i])).toEqual(expected.fired);
      // some ten roundings a tick, forgotten with taum: below 1e-12 of the largest value
      const largest = Math.max(1, ...expected.seen.map(Math.abs));
      const worst = expected.seen.reduce((most, x, k) => Math.max(most, Math.abs(x - v.values[k])), 0);
      expect(worst).toBeLessThan(1e-12 * largest);
      spikesSeen += expected.fired.length;
    }),
    { seed: 50, numRuns: 60 },
  );
  expect(spikesSeen).toBeGreaterThan(2000);
});

test.each([1, 2])(
  "pair STDP where rows wait for a hundred post spikes: weights as plain arithmetic makes them (%i thread(s))",
  async (threads) => {
    const preSize = 5;
    const postSize = 40;
    const ticks = 3000;
    // cell j fires every 3 + j ticks, whatever comes in; presynaptic cells fire seldom, one not at all, one twice in a row
    const clockwork = neuron({
      name: "Clockwork",
      source: "test",
      equations: "n : 1\nperiod : 1\ng : 1",
      threshold: "n >= period",
      reset: "n = 0",
      on: { tick: "n += 1" },
    });
    const source = spikeSource(preSize);
    const cells = neurons(postSize, clockwork, { period: "2 + i" });
    const rule = synapse({
      name: "Pair STDP",
      equations: "dx/dt = -x / tau : 1\ndy/dt = -y / tau : 1\nw : 1 (weight)",
      on: {
        pre: "g_post += w; x += 1; w = clip(w - 0.02 * y, 0, 1)",
        post: "y += 1; w = clip(w + 0.001 * (1 - w) * x, 0, 1)",
      },
      parameters: { tau: "20 ms" },
    });
    const given = [[3, 2900], [700, 701, 2000], [], [1500], Array.from({ length: 30 }, (_, k) => 90 * k)];
    const i = Array.from({ length: preSize * postSize }, (_, k) => k % preSize).filter((_, k) => k % 7 !== 3);
    const j = Array.from({ length: preSize * postSize }, (_, k) => Math.floor(k / preSize)).filter(
      (_, k) => k % 7 !== 3,
    );
    const start = i.map((_, k) => ((k * 37) % 100) / 100);
    const delay = 4;
    const learns = synapses(source, cells, rule, {
      connect: pairs(i, j),
      delay: delay * 1e-4,
      initial: { w: start },
    });
    const simulation = await compile({ source, cells, learns }, { dt: "0.1 ms", seed: 1, threads });
    const inputs = { source: given.map((list) => list.map((tick) => tick * 1e-4)) };
    const { raster } = simulation.run({ duration: "0.3 s", inputs, record: { raster: spikes(cells) } });
    expect(raster.i.filter((cell) => cell === 0).length).toBe(1000);

    const decay = Math.exp(-0.1 / 20);
    const w = i.map((pre, k) => {
      let [x, y, weight] = [0, 0, start[k]];
      const post = new Set(
        Array.from(raster.i, (cell, n) => (cell === j[k] ? Math.round(raster.t[n] / 1e-4) : -1)),
      );
      const arrivals = new Set(given[pre].map((tick) => tick + delay));
      for (let n = 0; n < ticks; n++) {
        x *= decay;
        y *= decay;
        if (arrivals.has(n)) {
          x += 1;
          weight = Math.min(1, Math.max(0, weight - 0.02 * y));
        }
        if (post.has(n)) {
          y += 1;
          weight = Math.min(1, Math.max(0, weight + 0.001 * (1 - weight) * x));
        }
      }
      return weight;
    });
    const got = simulation.get("learns", "w");
    simulation.close();
    // a trace is the product of at most 3000 factors, each rounded: 3000 ulps
    w.forEach((weight, k) => {
      expect(Math.abs(got[k] - weight)).toBeLessThan(1e-12);
    });
    expect(w.filter((weight, k) => weight !== start[k]).length).toBeGreaterThan(100);
  },
);
