import { describe, expect, test } from "vitest";
import { pcm } from "../../models/pcm.ts";
import { relay } from "../../models/relay.ts";
import {
  allToAll,
  compile,
  device,
  differentialPair,
  type Fitted,
  fabricate,
  type Model,
  neurons,
  sampledDevice,
  spikeSource,
  synapse,
  synapses,
} from "../../src/index.ts";
import { departure, limit, moments, normal } from "./distribution.ts";

const oxide = device({
  name: "saturating oxide",
  source: "test",
  equations: "G : S",
  initial: { G: "0 uS" },
  on: { set: "G += step * exp(-G / G0) * (1 + spread * randn())", reset: "G = 0" },
  read: "G",
  parameters: { step: "2 uS", G0: "10 uS", spread: 0.1 },
});

// sd 0.2 uS, 2 uS and 0.02, correlations 0.6, 0 and -0.5
const sd = [0.2e-6, 2e-6, 0.02];
const correlation = [
  [1, 0.6, 0],
  [0.6, 1, -0.5],
  [0, -0.5, 1],
];
const covariance = correlation.map((row, i) => row.map((r, j) => r * sd[i] * sd[j]));
const free = ["step", "G0", "spread"];
const mean = [2e-6, 10e-6, 0.1];
const fitted: Fitted = {
  data: "test",
  rows: 100,
  devices: 10,
  logLikelihood: 0,
  free,
  covariance,
  intervals95: Object.fromEntries(
    free.map((name, k) => [name, [mean[k] - 1.96 * sd[k], mean[k] + 1.96 * sd[k]] as const]),
  ),
};
const file = { model: oxide, fitted };

const valuesOf = (model: Model<"device">, name: string): number =>
  model.checked.parameters.find((each) => each.name === name)?.value ?? Number.NaN;

/** Columns of values against the normal distribution of the posterior: marginals and correlations. */
function expectPosterior(columns: readonly ArrayLike<number>[]): void {
  const n = columns[0].length;
  columns.forEach((column, i) => {
    expect(departure(column, normal(mean[i], sd[i]))).toBeLessThan(1);
    expect(departure(column, normal(mean[i], 1.1 * sd[i]))).toBeGreaterThan(1); // control: 10 % more spread
    columns.slice(0, i).forEach((other, j) => {
      const product = Array.from(column, (x, k) => ((x - mean[i]) / sd[i]) * ((other[k] - mean[j]) / sd[j]));
      const error = limit * Math.sqrt((1 + correlation[i][j] ** 2) / n);
      expect(Math.abs(moments(product).mean - correlation[i][j])).toBeLessThan(error);
      expect(Math.abs(moments(product).mean - correlation[i][j] - 0.1)).toBeGreaterThan(error); // control
    });
  });
}

describe("per run", () => {
  test("parameters follow the posterior, correlations included; equal seeds draw equal ones", () => {
    const draws = Array.from({ length: 20_000 }, (_, seed) => sampledDevice(file, { per: "run", seed }));
    expectPosterior(free.map((name) => draws.map((model) => valuesOf(model, name))));
    const again = sampledDevice(file, { per: "run", seed: 7 });
    expect(again.definition).toEqual(draws[7].definition);
    expect(again.definition).not.toEqual(draws[8].definition);
  });

  test("samples of the posterior are drawn as they are, all alike often", () => {
    const samples = [
      [1e-6, 8e-6, 0.3],
      [2e-6, 9e-6, 0.2],
      [3e-6, 7e-6, 0.1],
    ];
    const counts = [0, 0, 0];
    for (let seed = 0; seed < 3000; seed++) {
      const model = sampledDevice({ model: oxide, fitted: { ...fitted, samples } }, { per: "run", seed });
      const drawn = free.map((name) => valuesOf(model, name));
      counts[samples.findIndex((sample) => sample.every((x, k) => x === drawn[k]))]++;
    }
    for (const count of counts)
      expect(Math.abs(count - 1000)).toBeLessThan(limit * Math.sqrt((3000 * 2) / 9));
  });

  test("what the interval says is positive never becomes negative: then it is the interval's lower end", () => {
    const wide = covariance.map((row) => row.map((x) => 25 * x)); // sd is half of the mean of step
    const steps = Array.from({ length: 2000 }, (_, seed) =>
      valuesOf(
        sampledDevice({ model: oxide, fitted: { ...fitted, covariance: wide } }, { per: "run", seed }),
        "step",
      ),
    );
    const [low] = fitted.intervals95.step;
    const clipped = steps.filter((step) => step === low).length;
    const chance = normal(2e-6, 1e-6)(0); // 2.3 %
    expect(Math.abs(clipped - 2000 * chance)).toBeLessThan(limit * Math.sqrt(2000 * chance * (1 - chance)));
    expect(Math.min(...steps)).toBeGreaterThan(0);
    const through = { ...fitted.intervals95, step: [-1e-6, 5e-6] as const };
    const free = Array.from({ length: 2000 }, (_, seed) =>
      valuesOf(
        sampledDevice(
          { model: oxide, fitted: { ...fitted, covariance: wide, intervals95: through } },
          { per: "run", seed },
        ),
        "step",
      ),
    );
    expect(Math.min(...free)).toBeLessThan(0); // control: an interval that holds zero
  });
});

describe("per device", () => {
  test("every device of an array has parameters of its own from the posterior, and lives by them", async () => {
    const model = sampledDevice(file, { per: "device" });
    expect(model.definition).toMatchInlineSnapshot(`
      {
        "equations": "posterior_0 : 1 (constant)
      posterior_1 : 1 (constant)
      posterior_2 : 1 (constant)
      step : S (constant)
      G0 : S (constant)
      spread : 1 (constant)
      G : S",
        "initial": {
          "G": "0 uS",
          "G0": "G0_mean + G0_0 * posterior_0 + G0_1 * posterior_1 > 0 ? G0_mean + G0_0 * posterior_0 + G0_1 * posterior_1 : G0_end",
          "posterior_0": "randn()",
          "posterior_1": "randn()",
          "posterior_2": "randn()",
          "spread": "spread_mean + spread_1 * posterior_1 + spread_2 * posterior_2 > 0 ? spread_mean + spread_1 * posterior_1 + spread_2 * posterior_2 : spread_end",
          "step": "step_mean + step_0 * posterior_0 > 0 ? step_mean + step_0 * posterior_0 : step_end",
        },
        "name": "saturating oxide, every device from the posterior",
        "on": {
          "reset": "G = 0",
          "set": "G += step * exp(-G / G0) * (1 + spread * randn())",
        },
        "parameters": {
          "G0_0": "0.0000012 S",
          "G0_1": "0.0000016 S",
          "G0_end": "0.000006080000000000001 S",
          "G0_mean": "10 uS",
          "spread_1": -0.0125,
          "spread_2": 0.015612494995995995,
          "spread_end": 0.06080000000000001,
          "spread_mean": 0.1,
          "step_0": "2e-7 S",
          "step_end": "0.0000016079999999999999 S",
          "step_mean": "2 uS",
        },
        "read": "G",
        "source": "test",
      }
    `);
    const array = await fabricate(50_000, model, { seed: 5 });
    const columns = free.map((name) => array.get(name));
    expectPosterior(columns);
    array.pulse("set");
    const steps = array.read().map((G, k) => (G / columns[0][k] - 1) / columns[2][k]);
    expect(departure(steps, normal(0, 1))).toBeLessThan(1);
    const others = array.read().map((G, k) => (G / columns[0][(k + 1) % 50_000] - 1) / columns[2][k]);
    expect(departure(others, normal(0, 1))).toBeGreaterThan(1); // control: the neighbour's step
  });

  test("the wrong side of zero is the interval's end", async () => {
    const wide = covariance.map((row) => row.map((x) => 25 * x));
    const model = sampledDevice({ model: oxide, fitted: { ...fitted, covariance: wide } }, { per: "device" });
    const steps = (await fabricate(20_000, model, { seed: 5 })).get("step");
    const chance = normal(2e-6, 1e-6)(0);
    const clipped = steps.filter((step) => step === fitted.intervals95.step[0]).length;
    expect(Math.abs(clipped - 20_000 * chance)).toBeLessThan(limit * Math.sqrt(20_000 * chance));
    expect(Math.min(...steps)).toBeGreaterThan(0);
  });

  test("a parameter known exactly, and one that follows from others, take no draw of their own", async () => {
    const flat = [
      [4e-14, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ];
    const model = sampledDevice({ model: oxide, fitted: { ...fitted, covariance: flat } }, { per: "device" });
    expect(model.checked.variables.map(({ name }) => name)).toEqual(["posterior_0", ...free, "G"]);
    const array = await fabricate(100, model, { seed: 1 });
    expect(new Set(array.get("G0"))).toEqual(new Set([1e-5]));
    const tied = [
      [4e-14, 4e-13, 0],
      [4e-13, 4e-12, 0],
      [0, 0, 0],
    ];
    const both = sampledDevice({ model: oxide, fitted: { ...fitted, covariance: tied } }, { per: "device" });
    const pair = await fabricate(100, both, { seed: 1 });
    const steps = pair.get("step");
    pair.get("G0").forEach((G0, k) => {
      expect(G0 / 1e-5 - 1).toBeCloseTo(2 * (steps[k] / 2e-6 - 1), 12);
    });
  });

  test("it is a device like any other: it can store weights", async () => {
    const text = JSON.parse(JSON.stringify(fitted)) as Fitted;
    const spread = sampledDevice(
      {
        model: pcm,
        fitted: {
          ...text,
          free: ["c1", "A1", "m2"],
          intervals95: {
            c1: [0, 1e-6],
            A1: [0, 2e-6],
            m2: [0, 1],
          },
        },
      },
      { per: "device" },
    );
    const pulsed = synapse({
      name: "pulsed weight",
      equations: "w : A (weight)",
      on: { pre: "w += step" },
      parameters: { step: "1 nA" },
    });
    const [source, cells] = [spikeSource(1), neurons(20, relay)];
    const plastic = synapses(source, cells, pulsed, {
      connect: allToAll(),
      weight: differentialPair(spread, { weightPerConductance: "1 nA/uS", step: "1 uS" }),
    });
    const simulation = await compile({ source, cells, plastic }, { dt: "1 ms", seed: 1 });
    simulation.run({ duration: "10 ms", inputs: { source: [[0.001, 0.002]] } });
    expect(simulation.pulses("plastic")[0]).toBeGreaterThan(20);
    expect(new Set(simulation.conductances("plastic")).size).toBe(40);
  });
});

test("a file without a posterior is refused", () => {
  expect(() => sampledDevice({ model: oxide }, { per: "device" })).toThrow(
    'saturating oxide has no posterior to draw from: its file has no "fitted"',
  );
});
