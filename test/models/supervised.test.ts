/** Rules that teach spike times: what each pair of spikes changes, written out, and a small task. */
import { describe, expect, test } from "vitest";
import { chronotron } from "../../models/chronotron.ts";
import { lif } from "../../models/lif.ts";
import { normad, steppedNormad } from "../../models/normad.ts";
import { psd } from "../../models/psd.ts";
import { resume } from "../../models/resume.ts";
import { span } from "../../models/span.ts";
import {
  allToAll,
  coincidence,
  compile,
  every,
  neurons,
  poissonTrains,
  raster,
  spikeSource,
  spikes,
  synapses,
  timesOf,
} from "../../src/index.ts";

type Rule = typeof resume;

const inputs = Array.from({ length: 10 }, (_, i) =>
  Array.from({ length: 5 }, (_, k) => Math.round(3 + 17 * k + ((7 * i + 5 * k * k) % 13)) * 1e-3),
);
const desired = [[0.02, 0.0431, 0.09], [0.054], []];

/** What one pattern leaves in dw, and the spikes that came of weights of `w` A. */
async function pattern(rule: Rule, w: number) {
  const stimulus = spikeSource(inputs.length);
  const teacher = spikeSource(desired.length);
  const output = neurons(desired.length, lif, { v: "El" });
  const plastic = synapses(stimulus, output, rule, {
    connect: allToAll(),
    events: { teacher, update: every("100 ms") },
    initial: { w: `${w} A` },
  });
  const simulation = await compile({ stimulus, teacher, output, plastic }, { dt: "0.1 ms", seed: 1 });
  const { actual } = simulation.run({
    duration: "99 ms",
    inputs: { stimulus: inputs, teacher: desired },
    record: { actual: spikes(output) },
  });
  const dw = simulation.get("plastic", "dw");
  simulation.run({ duration: "1 ms" });
  return { actual, dw, after: simulation.get("plastic", "w"), left: simulation.get("plastic", "dw") };
}

/** Sum over pairs of the window at (output spike less input spike), desired less actual. */
function expected(actual: Awaited<ReturnType<typeof pattern>>["actual"], window: (s: number) => number) {
  const sum = (input: readonly number[], times: ArrayLike<number>) => {
    let total = 0;
    for (const time of Array.from(times)) for (const s of input) total += window(time - s);
    return total;
  };
  return inputs.flatMap((input) =>
    desired.map((times, j) => sum(input, times) - sum(input, timesOf(actual, j))),
  );
}

const causal = (kernel: (s: number) => number) => (s: number) => (s >= -1e-9 ? kernel(Math.max(0, s)) : 0);
const current = (s: number) => Math.exp(-s / 5e-3) - Math.exp(-s / 1.25e-3);
const [eta, w0] = [1e-12, 25e-9]; // a small rate: changes wait, so that its size does not matter

describe("a pattern with desired and actual spikes leaves in dw, to 1e-12 of its largest value,", () => {
  const cases: { name: string; rule: Rule; window: (s: number) => number; each: number; scale: number }[] = [
    {
      name: "ReSuMe: eta (a + exp(-s / tau)), s from the input to the output spike",
      rule: resume.with({ eta: `${eta} A`, a: 0.07, tau: "8 ms" }),
      window: causal((s) => Math.exp(-s / 8e-3)),
      each: 0.07,
      scale: eta,
    },
    {
      name: "PSD: eta times the current of the synapse, 1 at its maximum",
      rule: psd.with({ eta: `${eta} A` }) as unknown as Rule,
      window: causal((s) => current(s) / (4 ** (-1 / 3) - 4 ** (-4 / 3))),
      each: 0,
      scale: eta,
    },
    {
      name: "I-learning: eta |w| / w0 times the current of the synapse",
      rule: chronotron.with({ eta: "2 pA", w0: "2 nA" }) as unknown as Rule,
      window: causal(current),
      each: 0,
      scale: 1e-3 * w0,
    },
    {
      name: "SPAN: eta (1 + |s| / tau) exp(-|s| / tau), on both sides",
      rule: span.with({ eta: `${eta} A`, tau: "7 ms" }) as unknown as Rule,
      window: (s) => (1 + Math.abs(s) / 7e-3) * Math.exp(-Math.abs(s) / 7e-3),
      each: 0,
      scale: eta,
    },
  ];
  for (const { name, rule, window, each, scale } of cases)
    test(name, async () => {
      const { actual, dw, after, left } = await pattern(rule, w0);
      expect(actual.t.length).toBeGreaterThan(6);
      const sums = expected(actual, window).map(
        (sum, k) => sum + each * (desired[k % 3].length - timesOf(actual, k % 3).length),
      );
      const top = Math.max(...sums.map(Math.abs));
      sums.forEach((sum, k) => {
        expect(Math.abs(dw[k] / scale - sum)).toBeLessThan(1e-12 * top);
      });
      expect(new Set(dw).size).toBeGreaterThan(20); // control: not all alike
      after.forEach((w, k) => {
        expect(w).toBe(w0 + dw[k]);
      });
      expect(left.every((x) => x === 0)).toBe(true);
    });
});

test("SPAN's window is the integral of alpha kernels: (e / 2)^2 (s + tau) exp(-s / tau), by the trapezium rule", () => {
  const tau = 7e-3;
  const alpha = (t: number) => (t < 0 ? 0 : ((Math.E * t) / tau) * Math.exp(-t / tau));
  for (const s of [0, 2e-3, 7e-3, 21e-3]) {
    const h = 1e-6;
    let sum = 0;
    for (let k = 0; k < 300_000; k++) sum += h * alpha(k * h) * alpha(k * h + s);
    // the kernel's kink at 0 has value 0, so that the rule is of order h^2
    expect(Math.abs(sum / ((Math.E / 2) ** 2 * (s + tau) * Math.exp(-s / tau)) - 1)).toBeLessThan(1e-6);
  }
});

test("NormAD tick by tick is NormAD at spikes, but for its d: half the tick, half the distance", async () => {
  const change = async (rule: Rule, ticks: number) => {
    const dt = 1e-4 / ticks;
    const stimulus = spikeSource(inputs.length);
    const teacher = spikeSource(desired.length);
    const output = neurons(desired.length, lif, { v: "El" });
    const tick = rule.checked.handlers.tick ? { tick: every(`${dt} s`) } : {};
    const plastic = synapses(stimulus, output, rule, {
      connect: allToAll(),
      events: { teacher, update: every("100 ms"), ...tick },
    });
    const simulation = await compile({ stimulus, teacher, output, plastic }, { dt: `${dt} s`, seed: 1 });
    simulation.run({ duration: "99 ms", inputs: { stimulus: inputs, teacher: desired } });
    return simulation.get("plastic", "dw");
  };
  const distance = async (ticks: number) => {
    const exact = await change(normad as unknown as Rule, ticks);
    const stepped = await change(steppedNormad as unknown as Rule, ticks);
    expect(Math.max(...exact)).toBeGreaterThan(100e-12);
    return Math.max(...exact.map((x, k) => Math.abs(x - stepped[k]))) / Math.max(...exact);
  };
  const [coarse, fine] = [await distance(1), await distance(2)];
  expect(coarse).toBeLessThan(0.1);
  expect(coarse / fine).toBeGreaterThan(1.7);
  expect(coarse / fine).toBeLessThan(2.3);
});

test("NormAD tick by tick: a spike at its desired time changes nothing", async () => {
  const run = async (teach: readonly ArrayLike<number>[]) => {
    const stimulus = spikeSource(inputs.length);
    const teacher = spikeSource(desired.length);
    const output = neurons(desired.length, lif, { v: "El" });
    const plastic = synapses(stimulus, output, steppedNormad, {
      connect: allToAll(),
      events: { teacher, update: every("100 ms"), tick: every("0.1 ms") },
      initial: { w: `${w0} A` },
    });
    const simulation = await compile({ stimulus, teacher, output, plastic }, { dt: "0.1 ms", seed: 1 });
    const { actual } = simulation.run({
      duration: "99 ms",
      inputs: { stimulus: inputs, teacher: teach },
      record: { actual: spikes(output) },
    });
    return { actual, dw: simulation.get("plastic", "dw") };
  };
  const first = await run([[], [], []]);
  expect(Math.min(...first.dw)).toBeLessThan(-100e-12);
  const again = await run(desired.map((_, j) => timesOf(first.actual, j)));
  expect(again.dw.every((x) => x === 0)).toBe(true);
});

describe("150 inputs at 10 Hz make a cell fire at 100, 250 and 400 ms, and at no other time, within 3 ms:", () => {
  const input = poissonTrains(new Array(150).fill(10), { duration: "500 ms", seed: 3 });
  const wanted = raster({ t: [0.1, 0.25, 0.4], i: [0, 0, 0] }, 1, 0.5);
  const epochs = 100;

  async function learnt(rule: Rule, start: number) {
    const [stimulus, teacher] = [spikeSource(150), spikeSource(1)];
    const output = neurons(1, lif, { v: "El" });
    const plastic = synapses(stimulus, output, rule, {
      connect: allToAll(),
      events: { teacher, update: every("500 ms") },
      initial: { w: `${start} A` },
    });
    const simulation = await compile({ stimulus, teacher, output, plastic }, { dt: "0.1 ms", seed: 1 });
    const run = { duration: "500 ms", restart: true, inputs: { stimulus: input, teacher: wanted } } as const;
    const tested = () => {
      const { actual } = simulation.run({ ...run, frozen: ["plastic"], record: { actual: spikes(output) } });
      return coincidence(actual, wanted, "3 ms");
    };
    const before = tested();
    for (let epoch = 0; epoch < epochs; epoch++) simulation.run(run);
    return { before, after: tested() };
  }

  const rules: [string, Rule, number][] = [
    ["NormAD", normad as unknown as Rule, 0],
    ["ReSuMe", resume, 0],
    ["PSD", psd as unknown as Rule, 0],
    ["SPAN", span as unknown as Rule, 0],
    ["chronotron", chronotron as unknown as Rule, 1e-9],
  ];
  for (const [name, rule, start] of rules)
    test(name, async () => {
      const { before, after } = await learnt(rule, start);
      expect(before.matched).toBeLessThan(3);
      expect(after.recall).toBe(1);
      expect(after.precision).toBe(1);
    });
});
