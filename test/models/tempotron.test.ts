import { expect, test } from "vitest";
import { tempotron, tempotronCell } from "../../models/tempotron.ts";
import {
  allToAll,
  compile,
  every,
  neurons,
  poissonTrains,
  spikeSource,
  spikes,
  synapses,
} from "../../src/index.ts";

const [tau, taus] = [15e-3, 3.75e-3];
const K = (s: number) => (s < 0 ? 0 : (4 / 3) * 4 ** (1 / 3) * (Math.exp(-s / tau) - Math.exp(-s / taus)));

async function network(
  size: number,
  inputs: number,
  w: ArrayLike<number>,
  eta = "0.01 mV",
  period = "500 ms",
) {
  const [stimulus, teacher] = [spikeSource(inputs), spikeSource(size)];
  const cells = neurons(size, tempotronCell);
  const plastic = synapses(stimulus, cells, tempotron.with({ eta }), {
    connect: allToAll(),
    events: { teacher, update: every(period as "500 ms") },
    initial: { w },
  });
  const simulation = await compile({ stimulus, teacher, cells, plastic }, { dt: "0.1 ms", seed: 1 });
  const show = (input: readonly ArrayLike<number>[], wanted: readonly number[], frozen = false) =>
    simulation.run({
      duration: period as "500 ms",
      restart: true,
      frozen: frozen ? ["plastic"] : [],
      inputs: { stimulus: input, teacher: wanted.map((yes) => (yes ? [0.1] : [])) },
      record: { fired: spikes(cells) },
    }).fired;
  return { simulation, show };
}

test("a cell that is wrong changes its weights by eta times the sum of K(peak - t), to 1e-12; one that is right does not", async () => {
  const trains = poissonTrains(new Array(12).fill(20), { duration: "500 ms", seed: 5 });
  const inputs = Array.from({ length: 12 }, (_, i) =>
    Array.from(
      trains.t.filter((_, k) => trains.i[k] === i),
      (t) => Math.round(t * 1e4) / 1e4,
    ),
  );
  // weights of four cells: two that stay silent, two that fire
  const w = Float64Array.from({ length: 48 }, (_, k) => {
    const [i, j] = [Math.floor(k / 4), k % 4];
    return (j < 2 ? 1e-4 : 6e-4) * Math.sin(1 + 3 * i + 5 * j) + (j < 2 ? 0 : 3e-4);
  });
  const { simulation, show } = await network(4, 12, w);
  for (let turn = 0; turn < 2; turn++) {
    // the second time simulated time has gone on: the pattern counts from its start
    simulation.set("plastic", "w", w);
    const fired = show(inputs, [1, 0, 1, 0]);
    expect(Array.from(new Set(fired.i)).sort()).toEqual([2, 3]);
    expect(fired.t.length).toBe(2); // once
    const found = simulation.get("plastic", "w");
    for (let j = 0; j < 4; j++) {
      // the peak by brute force, over the ticks up to the first at threshold
      let [peak, best] = [0, 0];
      const at = (t: number) =>
        inputs.reduce((v, train, i) => v + w[4 * i + j] * train.reduce((sum, s) => sum + K(t - s), 0), 0);
      for (let n = 0; n < 5000 && best < 1e-3; n++) {
        const v = at(n * 1e-4);
        if (v > best) [peak, best] = [n * 1e-4, v];
      }
      expect(best >= 1e-3).toBe(j >= 2);
      const sign = j === 0 ? 1 : j === 3 ? -1 : 0;
      inputs.forEach((train, i) => {
        const change = sign * 1e-5 * train.reduce((sum, s) => sum + K(peak - s), 0);
        expect(Math.abs(found[4 * i + j] - w[4 * i + j] - change)).toBeLessThan(1e-12 * 1e-5 * 5);
      });
      if (sign !== 0) expect(inputs.some((train) => train.some((s) => K(peak - s) > 0.5))).toBe(true);
    }
  }
});

test("forty random patterns of 100 inputs, once each in 500 ms, are told apart by random labels: all after 60 epochs", async () => {
  const [size, patterns] = [3, 40];
  const draw = poissonTrains(new Array(100 * patterns).fill(30), { duration: "500 ms", seed: 7 });
  const first = new Map<number, number>();
  for (let k = 0; k < draw.t.length; k++) if (!first.has(draw.i[k])) first.set(draw.i[k], draw.t[k]);
  const input = (p: number) => Array.from({ length: 100 }, (_, i) => [first.get(100 * p + i) ?? 0.25]);
  const label = (p: number) => Array.from({ length: size }, (_, j) => ((p * 7919) >> (j + 2)) & 1);
  const start = Float64Array.from({ length: 100 * size }, (_, k) => 3e-5 * Math.sin(k * 12.9898));
  const { show } = await network(size, 100, start, "0.02 mV");
  const errors = (frozen: boolean) => {
    let wrong = 0;
    for (let p = 0; p < patterns; p++) {
      const fired = new Set(show(input(p), label(p), frozen).i);
      label(p).forEach((yes, j) => {
        if (fired.has(j) !== (yes === 1)) wrong++;
      });
    }
    return wrong;
  };
  const untrained = errors(true);
  expect(untrained).toBeGreaterThan(30); // of 120
  for (let epoch = 0; epoch < 60; epoch++) errors(false);
  const after = errors(true);
  expect(after).toBe(0);
});
