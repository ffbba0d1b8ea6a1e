import { expect, test } from "vitest";
import { lif } from "../../models/lif.ts";
import { coolingNormad, normad } from "../../models/normad.ts";
import {
  allToAll,
  compile,
  every,
  neurons,
  spikeSource,
  spikes,
  synapses,
  timesOf,
} from "../../src/index.ts";

const [tau1, tau2, tauL] = [5e-3, 1.25e-3, 1e-3];

/** The kernel exp(-t/tau1) - exp(-t/tau2) filtered by exp(-t/tauL) / tauL: closed form. */
function filtered(t: number): number {
  if (t <= 0) return 0;
  const part = (tau: number) => (tau / (tau - tauL)) * (Math.exp(-t / tau) - Math.exp(-t / tauL));
  return part(tau1) - part(tau2);
}

/** eta times the sum over the times of d(t) / |d(t)|, by input. */
function change(pre: readonly (readonly number[])[], times: ArrayLike<number>, eta: number): number[] {
  const sum = pre.map(() => 0);
  for (const time of Array.from(times)) {
    const d = pre.map((train) => train.reduce((total, s) => total + filtered(time - s), 0));
    const norm = Math.hypot(...d);
    if (norm > 0) for (let i = 0; i < d.length; i++) sum[i] += (eta * d[i]) / norm;
  }
  return sum;
}

const inputs = Array.from({ length: 12 }, (_, i) =>
  Array.from({ length: 5 }, (_, k) => Math.round(3 + 17 * k + ((7 * i + 5 * k * k) % 13)) * 1e-3),
);
const desired = [[0.02, 0.0431, 0.09], [0.055], []];

function network() {
  const stimulus = spikeSource(inputs.length);
  const teacher = spikeSource(desired.length);
  const output = neurons(desired.length, lif, { v: "El" });
  const plastic = synapses(stimulus, output, normad, {
    connect: allToAll(),
    events: { teacher, update: every("100 ms") },
  });
  return { stimulus, teacher, output, plastic };
}

test("from weights of zero, one pattern adds eta sum of d/|d| over the desired spikes, to 1e-12", async () => {
  const parts = network();
  const simulation = await compile(parts, { dt: "0.1 ms", seed: 1 });
  const { raster } = simulation.run({
    duration: "101 ms",
    inputs: { stimulus: inputs, teacher: desired },
    record: { raster: spikes(parts.output) },
  });
  expect(raster.t.length).toBe(0);
  const w = simulation.get("plastic", "w");
  desired.forEach((times, j) => {
    const expected = change(inputs, times, 400e-12);
    for (let i = 0; i < inputs.length; i++)
      expect(Math.abs(w[i * desired.length + j] - expected[i])).toBeLessThan(1e-12 * 400e-12 * 3);
  });
  expect(Math.max(...w)).toBeGreaterThan(100e-12);
  expect(simulation.get("plastic", "dw")).toEqual(new Float64Array(w.length));
});

test("what fires without being desired takes as much away", async () => {
  const parts = network();
  const simulation = await compile(parts, { dt: "0.1 ms", seed: 1 });
  simulation.set("plastic", "w", 30e-9);
  const { raster } = simulation.run({
    duration: "99 ms", // before the update
    inputs: { stimulus: inputs, teacher: [[], [], []] },
    record: { raster: spikes(parts.output) },
  });
  const fired = timesOf(raster, 0);
  expect(fired.length).toBeGreaterThan(2);
  const expected = change(inputs, fired, -400e-12);
  const dw = simulation.get("plastic", "dw");
  for (let i = 0; i < inputs.length; i++)
    expect(Math.abs(dw[i * desired.length] - expected[i])).toBeLessThan(1e-12 * 400e-12 * fired.length);
});

test("a spike at its desired time changes nothing", async () => {
  const parts = network();
  const simulation = await compile(parts, { dt: "0.1 ms", seed: 1 });
  simulation.set("plastic", "w", 30e-9);
  const { raster } = simulation.run({
    duration: "99 ms",
    inputs: { stimulus: inputs, teacher: [[], [], []] },
    record: { raster: spikes(parts.output) },
  });
  const again = await compile(parts, { dt: "0.1 ms", seed: 1 });
  again.set("plastic", "w", 30e-9);
  again.run({
    duration: "99 ms",
    inputs: { stimulus: inputs, teacher: desired.map((_, j) => timesOf(raster, j)) },
  });
  expect(again.get("plastic", "dw").every((x) => Math.abs(x) < 1e-24)).toBe(true);
});

test("with a falling rate, update k adds exp(-k / cooling) of what it would", async () => {
  const changes = async (rule: typeof normad | typeof coolingNormad) => {
    const stimulus = spikeSource(inputs.length);
    const teacher = spikeSource(desired.length);
    const output = neurons(desired.length, lif, { v: "El" });
    const plastic = synapses(stimulus, output, rule as typeof normad, {
      connect: allToAll(),
      events: { teacher, update: every("100 ms") },
    });
    const simulation = await compile({ stimulus, teacher, output, plastic }, { dt: "0.1 ms", seed: 1 });
    return Array.from({ length: 3 }, () => {
      simulation.set("plastic", "w", 0); // so that no cell fires by itself
      simulation.run({ duration: "101 ms", inputs: { stimulus: inputs, teacher: desired }, restart: true });
      return simulation.get("plastic", "w");
    });
  };
  const [constant] = await changes(normad);
  const cooled = await changes(coolingNormad.with({ cooling: 7 }));
  expect(Math.max(...constant)).toBeGreaterThan(100e-12);
  cooled.forEach((w, k) => {
    w.forEach((x, s) => {
      expect(Math.abs(x - constant[s] * Math.exp(-k / 7))).toBeLessThan(1e-12 * 400e-12);
    });
  });
});
