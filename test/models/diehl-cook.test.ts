/** The network of Diehl & Cook: its rule against plain arithmetic, its sums, its inhibition, its thresholds. */
import { expect, test } from "vitest";
import * as model from "../../models/diehl-cook.ts";
import {
  allToAll,
  compile,
  every,
  neurons,
  oneToOne,
  poissonTrains,
  spikeSource,
  spikes,
  synapse,
  synapses,
} from "../../src/index.ts";

const dt = "0.5 ms";

/** Makes an excitatory cell fire in the next tick. */
const force = synapse({ name: "force", on: { pre: "v_post = Vf" }, parameters: { Vf: "0 mV" } });

const numbers = { tauPre: 0.02, tauPost1: 0.02, tauPost2: 0.04, nuPre: 1e-4, nuPost: 1e-2 };

test("weights follow the rule, spike by spike, each synapse with its own delay", async () => {
  const [inputs, cells, ticks] = [12, 5, 2000];
  const pre = poissonTrains(new Array(inputs).fill(40), { duration: "1 s", dt, seed: 1 });
  const post = poissonTrains(new Array(cells).fill(15), {
    duration: "0.99 s",
    dt,
    seed: 2,
    deadTime: "6 ms",
  });
  const input = spikeSource(inputs);
  const teacher = spikeSource(cells);
  const output = neurons(cells, model.excitatoryCell, { v: "-65 mV", theta: "20 mV" });
  const never = every("1000 s");
  const delay = Float64Array.from({ length: inputs * cells }, (_, k) => ((k * 7) % 21) * 0.5e-3);
  // parameters that make both changes large enough to see, and bounds that are met
  const strong = { nuPre: 0.05, nuPost: 0.2, wmax: 0.6 };
  const plastic = synapses(input, output, model.learning.with(strong), {
    connect: allToAll(),
    delay,
    initial: { w: 0.3, arrival: "-10 s" },
    events: { sum: never, normalise: never },
  });
  const forces = synapses(teacher, output, force, { connect: oneToOne() });
  const simulation = await compile({ input, teacher, output, plastic, forces }, { dt, seed: 1 });
  const { fired } = simulation.run({
    duration: "1 s",
    inputs: { input: pre, teacher: post },
    record: { fired: spikes(output) },
  });
  expect(fired.t.length).toBeGreaterThan(40);

  const at = (raster: { t: Float64Array; i: Uint32Array }) => {
    const of = Array.from({ length: ticks }, () => [] as number[]);
    for (let k = 0; k < raster.t.length; k++) of[Math.round(raster.t[k] / 0.5e-3)].push(raster.i[k]);
    return of;
  };
  const [preAt, postAt] = [at(pre), at(fired)];
  const w = new Float64Array(inputs * cells).fill(0.3);
  const arrived = new Float64Array(inputs * cells).fill(-10);
  const y = Array.from({ length: cells }, () => ({ value: 0, since: 0 })); // both traces are 1 at a spike
  const clip = (x: number) => Math.min(Math.max(x, 0), strong.wmax);
  let [up, down] = [0, 0];
  for (let n = 0; n < ticks; n++) {
    const time = n * 0.5e-3;
    for (let i = 0; i < inputs; i++)
      for (let j = 0; j < cells; j++) {
        const k = i * cells + j;
        if (!preAt[n - Math.round(delay[k] / 0.5e-3)]?.includes(i)) continue;
        arrived[k] = time;
        const y1 = y[j].value * Math.exp(-(time - y[j].since) / numbers.tauPost1);
        w[k] = clip(w[k] - strong.nuPre * y1);
        if (y1 > 0.1) down++;
      }
    for (const j of postAt[n]) {
      const y2 = y[j].value * Math.exp(-(time - y[j].since) / numbers.tauPost2);
      for (let i = 0; i < inputs; i++) {
        const k = i * cells + j;
        const change = strong.nuPost * y2 * Math.exp((arrived[k] - time) / numbers.tauPre);
        w[k] = clip(w[k] + change);
        if (change > 1e-3) up++;
      }
      y[j] = { value: 1, since: time };
    }
  }
  expect(Math.min(up, down)).toBeGreaterThan(100);
  const got = simulation.get("plastic", "w");
  for (let k = 0; k < w.length; k++) expect(got[k], `synapse ${k}`).toBeCloseTo(w[k], 11);
});

test("before each digit the weights onto every cell add up to 78; frozen they are left alone", async () => {
  const input = spikeSource(50);
  const output = neurons(7, model.excitatoryCell, { v: "-65 mV", theta: "20 mV" });
  const clock = every("0.5 s", { offset: dt });
  const plastic = synapses(input, output, model.learning, {
    connect: allToAll(),
    delay: "0.5 * tauPre * rand()",
    initial: { w: "0.3 * (rand() + 0.01)", arrival: "-10 s" },
    events: { sum: clock, normalise: clock },
  });
  const simulation = await compile({ input, output, plastic }, { dt, seed: 1 });
  const sums = () => {
    const { post } = simulation.synapseCells("plastic");
    const sum = new Float64Array(7);
    simulation.get("plastic", "w").forEach((w, k) => {
      sum[post[k]] += w;
    });
    return [...sum];
  };
  const before = sums();
  simulation.run({ duration: "0.5 s", frozen: ["plastic"] });
  expect(sums()).toEqual(before);
  simulation.run({ duration: "0.5 s" });
  for (const sum of sums()) expect(Math.abs(sum / 78 - 1)).toBeLessThan(1e-13);
});

test("a spike raises its cell's threshold by 0.05 mV and silences all others for the time of inhibition", async () => {
  const teacher = spikeSource(4);
  const output = neurons(4, model.excitatoryCell, { v: "-65 mV", theta: "20 mV", thetaStep: "0.05 mV" });
  const inhibitory = neurons(4, model.inhibitoryCell, { v: "-60 mV" });
  const network = {
    teacher,
    output,
    inhibitory,
    forces: synapses(teacher, output, force, { connect: oneToOne() }),
    drive: synapses(output, inhibitory, model.drive, { connect: oneToOne() }),
    block: synapses(inhibitory, output, model.block, { connect: allToAll({ self: false }) }),
  };
  const simulation = await compile(network, { dt, seed: 1 });
  const { e, i } = simulation.run({
    duration: "5 ms",
    inputs: { teacher: [[], [0.001], [], []] },
    record: { e: spikes(output), i: spikes(inhibitory) },
  });
  expect([[...e.i], [...i.i]]).toEqual([[1], [1]]);
  const theta = simulation.get("output", "theta");
  expect(theta[1] - theta[0]).toBeCloseTo(0.05e-3, 9);
  expect(theta[0]).toBeCloseTo(0.02 * Math.exp(-5e-3 / 1e4), 12);
  const v = simulation.get("output", "v");
  for (const other of [0, 2, 3]) expect(v[other]).toBeLessThan(-0.07); // from -65 towards -100 mV
  expect(v[1]).toBeCloseTo(-0.065, 6); // reset, and not inhibited by its own
  simulation.set("output", "thetaStep", 0);
  simulation.run({ duration: "20 ms", inputs: { teacher: [[], [0.01], [], []] } });
  expect(simulation.get("output", "theta")[1]).toBeCloseTo(theta[1], 6);
});
