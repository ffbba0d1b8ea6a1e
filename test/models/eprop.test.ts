import { expect, test } from "vitest";
import { eprop, epropCell, epropFeedback, epropOutput, epropReadout } from "../../models/eprop.ts";
import {
  allToAll,
  compile,
  every,
  neurons,
  pairs,
  poissonTrains,
  spikeSource,
  spikes,
  synapses,
  trace,
} from "../../src/index.ts";

const [inputs, cells] = [30, 40];

/** Numbers that look random, from -1 to 1. */
const scatter = (k: number) => 2 * ((Math.abs(Math.sin(k * 12.9898) * 43758.5453) % 1) - 0.5);

const wIn = Float64Array.from({ length: inputs * cells }, (_, k) => 0.25 * scatter(k + 1));
const joined = Array.from({ length: cells * cells }, (_, k) => [Math.floor(k / cells), k % cells]).filter(
  ([a, b]) => a !== b,
);
const wRec = Float64Array.from(joined, ([a, b]) => 0.1 * scatter(1000 + a * cells + b));
const wOut = Float64Array.from({ length: cells }, (_, k) => 0.2 * scatter(5000 + k));

async function network(period: `${number} ms`, eta: number) {
  const stimulus = spikeSource(inputs);
  const recurrent = neurons(cells, epropCell);
  const readout = neurons(1, epropReadout.with({ f2: "6 Hz" }));
  const tick = every("1 ms");
  const update = every(period);
  const rule = eprop.with({ eta });
  const network = {
    stimulus,
    recurrent,
    readout,
    feedback: synapses(readout, recurrent, epropFeedback, {
      connect: allToAll(),
      initial: { B: wOut },
      events: { tick },
    }),
    entrance: synapses(stimulus, recurrent, rule, {
      connect: allToAll(),
      initial: { w: wIn },
      events: { tick, update },
    }),
    inside: synapses(recurrent, recurrent, rule, {
      connect: pairs(
        joined.map(([i]) => i),
        joined.map(([, j]) => j),
      ),
      initial: { w: wRec },
      events: { tick, update },
    }),
    exit: synapses(recurrent, readout, epropOutput.with({ eta: 0.3 * eta }), {
      connect: allToAll(),
      initial: { w: wOut },
      events: { tick, update },
    }),
  };
  const simulation = await compile(network, { dt: "1 ms", seed: 1 });
  return { simulation, network };
}

const poisson = poissonTrains(new Array(inputs).fill(50), { duration: "500 ms", seed: 2 });
const input = Array.from({ length: inputs }, (_, i) =>
  Array.from(
    new Set(
      Array.from(
        poisson.t.filter((_, k) => poisson.i[k] === i),
        (t) => Math.floor(t * 1000),
      ),
    ),
  ).map((n) => n / 1000),
);

test("gradients of 200 ticks are those of the equations written out in loops, to 1e-9 of the largest", async () => {
  const ticks = 200;
  const { simulation, network: parts } = await network("1000 ms", 1e-3);
  const early = input.map((train) => train.filter((t) => t < ticks * 1e-3));
  const { fired } = simulation.run({
    duration: `${ticks} ms`,
    inputs: { stimulus: early },
    record: { fired: spikes(parts.recurrent) },
  });
  expect(fired.t.length).toBeGreaterThan(50);

  const decay = Math.exp(-1 / 20);
  const [v, z, zIn] = [new Float64Array(cells), new Uint8Array(cells), new Uint8Array(inputs)];
  const [traceIn, traceRec] = [new Float64Array(inputs), new Float64Array(cells)];
  const psi = new Float64Array(cells);
  const [eIn, eRec] = [new Float64Array(inputs * cells), new Float64Array(cells * cells)];
  const [gIn, gRec, gOut] = [
    new Float64Array(inputs * cells),
    new Float64Array(cells * cells),
    new Float64Array(cells),
  ];
  let y = 0;
  let count = 0;
  for (let n = 0; n < ticks; n++) {
    // spikes of the tick before have reached v and y, and left 1 in the traces
    const before = v.slice();
    for (let j = 0; j < cells; j++) {
      v[j] = decay * before[j];
      psi[j] = (0.3 / 0.6) * Math.max(0, 1 - Math.abs(v[j] - 0.6) / 0.6);
      z[j] = v[j] > 0.6 ? 1 : 0;
      count += z[j];
    }
    y *= decay;
    const t = n * 1e-3;
    const error = y - (0.5 * Math.sin(2 * Math.PI * 2 * t) + 0.5 * Math.sin(2 * Math.PI * 6 * t));
    for (const trace of [traceIn, traceRec]) for (let i = 0; i < trace.length; i++) trace[i] *= decay;
    for (let j = 0; j < cells; j++) {
      for (let i = 0; i < inputs; i++) {
        const k = i * cells + j;
        eIn[k] = decay * eIn[k] + psi[j] * traceIn[i];
        gIn[k] += wOut[j] * error * eIn[k];
      }
      for (let i = 0; i < cells; i++) {
        const k = i * cells + j;
        eRec[k] = decay * eRec[k] + psi[j] * traceRec[i];
        gRec[k] += wOut[j] * error * eRec[k];
      }
      gOut[j] += error * traceRec[j];
    }
    for (let i = 0; i < inputs; i++) {
      zIn[i] = early[i].includes(n / 1000) ? 1 : 0;
      traceIn[i] += zIn[i];
      if (zIn[i]) for (let j = 0; j < cells; j++) v[j] += wIn[i * cells + j];
    }
    joined.forEach(([a, b], s) => {
      if (z[a]) v[b] += wRec[s];
    });
    for (let j = 0; j < cells; j++) {
      traceRec[j] += z[j];
      if (z[j]) {
        v[j] -= 0.6;
        y += wOut[j];
      }
    }
  }
  expect(count).toBe(fired.t.length);
  const compare = (part: "entrance" | "inside" | "exit", expected: ArrayLike<number>) => {
    const found = simulation.get(part, "g");
    const top = Math.max(...Array.from(expected, Math.abs));
    expect(top).toBeGreaterThan(0.1);
    found.forEach((g, k) => {
      expect(Math.abs(g - expected[k])).toBeLessThan(1e-9 * top);
    });
  };
  compare("entrance", gIn);
  compare(
    "inside",
    joined.map(([a, b]) => gRec[a * cells + b]),
  );
  compare("exit", gOut);
});

test("the gradient of the output weights is that of the squared error, by differences", async () => {
  const loss = async (shift: number, which: number) => {
    const { simulation, network: parts } = await network("1000 ms", 0);
    const w = wOut.slice();
    w[which] += shift;
    simulation.set("exit", "w", w);
    const { error } = simulation.run({
      duration: "300 ms",
      inputs: { stimulus: input.map((train) => train.filter((t) => t < 0.3)) },
      record: { error: trace(parts.readout, "error", { every: "1 ms" }) },
    });
    // sample n is what tick n - 1 left; the last error is not among them
    const last = simulation.get("readout", "error")[0];
    const sum = Array.from(error.values.slice(1)).reduce((total, each) => total + each ** 2, last ** 2);
    return { half: sum / 2, gradient: simulation.get("exit", "g")[which] };
  };
  for (const which of [1, 7, 19]) {
    const [up, down] = [await loss(1e-3, which), await loss(-1e-3, which)];
    const { gradient } = await loss(0, which);
    expect(Math.abs((up.half - down.half) / 2e-3 / gradient - 1)).toBeLessThan(1e-6); // quadratic: exact but for rounding
  }
});

test("a recurrent network learns a sum of two sines from frozen noise: to a tenth of their power, three times nearer than the readout alone", async () => {
  const mean = async (fixed: ("entrance" | "inside")[]) => {
    const { simulation, network: parts } = await network("500 ms", 1e-4);
    let last = Number.NaN;
    for (let k = 0; k < 200; k++) {
      const { error } = simulation.run({
        duration: "500 ms", // one period of 2 Hz, three of 6 Hz
        restart: true,
        frozen: fixed,
        inputs: { stimulus: input },
        record: { error: trace(parts.readout, "error", { every: "1 ms" }) },
      });
      last = error.values.reduce((sum, each) => sum + each ** 2, 0) / 500;
    }
    return last;
  };
  const power = 0.25; // of the target: what silence gets wrong
  const [all, readout] = [await mean([]), await mean(["entrance", "inside"])];
  expect(all).toBeLessThan(power / 10);
  expect(readout).toBeGreaterThan(3 * all);
});
