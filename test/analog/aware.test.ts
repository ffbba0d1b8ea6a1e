import { describe, expect, test } from "vitest";
import { pcmInference } from "../../models/pcm-inference.ts";
import { noiseShapes } from "../../src/analog/disturbance.ts";
import {
  type AwareOptions,
  adam,
  batchNorm,
  conv2d,
  cosine,
  decodeSafetensors,
  dense,
  encodeSafetensors,
  globalAveragePool,
  onTiles,
  program,
  relu,
  sequential,
  sgd,
  tanh,
  tile,
  train,
} from "../../src/index.ts";
import { uniform } from "../../src/math/random.ts";

const ideal = tile({ preset: "ideal" });
const inputs = [6, 5, 8] as const;
const layers = [
  conv2d(8, { kernel: 3 }),
  tanh(),
  conv2d(6, { kernel: 3, stride: 2, bias: false }),
  batchNorm(),
  relu(),
  globalAveragePool(),
  dense(6, 3),
];

const draw = (count: number, stream = 0) =>
  Float32Array.from({ length: count }, (_, k) => 2 * uniform([7, 8], stream, k, 0) - 1);
const examples = draw(4 * 240);
const labels = [0, 1, 2, 0];

async function networkOn(options: AwareOptions | undefined) {
  const under = options && onTiles(options);
  const network = await sequential(layers, {
    inputs,
    batch: 4,
    seed: 3,
    memory: 0.05,
    matrices: under?.matrices,
  });
  return { network, under };
}

function gradients({ network }: Awaited<ReturnType<typeof networkOn>>): Map<string, Float32Array> {
  network.forward(examples, { purpose: "training" });
  network.judge({ labels });
  network.clearGradients();
  network.backward();
  return new Map(network.parameters.map(({ name, gradient }) => [name, gradient.data.slice()]));
}

/** Largest difference of two lists over the largest of the second. */
const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let [most, size] = [0, 0];
  for (let k = 0; k < b.length; k++) {
    most = Math.max(most, Math.abs(a[k] - b[k]));
    size = Math.max(size, Math.abs(b[k]));
  }
  return most / size;
};

describe("tiles without errors", () => {
  test.each([
    ["one tile a layer", 512],
    ["kernels cut into four tiles", 18],
  ])("%s: outputs and gradients are those in floating point, to rounding", async (_, rows) => {
    const floating = await networkOn(undefined);
    const onTile = await networkOn({ tile: { ...ideal, rows }, noiseScale: 0 });
    const parts = onTile.under?.units.map(({ tiled }) => tiled.parts.length);
    expect(parts).toEqual(rows === 512 ? [1, 1, 1] : [4, 4, 1]);
    const [a, b] = [gradients(onTile), gradients(floating)];
    // 2^-24 for each of about a thousand sums
    for (const [name, own] of b)
      expect([name, apart(a.get(name) as Float32Array, own) < 1e-4]).toEqual([name, true]);
    const y = floating.network.forward(examples).data.slice();
    expect(apart(onTile.network.forward(examples).data, y)).toBeLessThan(1e-5);
  });

  test("a step leaves no weight beyond its scale; clipping is at so many deviations", async () => {
    const { network, under } = await networkOn({ tile: ideal, clipSigmas: 1.5, scale: "tile" });
    const [unit] = under?.units ?? [];
    const { data } = network.weights()["0.weights"];
    const deviation = Math.sqrt(data.reduce((sum, w) => sum + w * w, 0) / data.length);
    const largest = data.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
    expect(new Set(unit.scales).size).toBe(1);
    expect(unit.scales[0]).toBeCloseTo(largest, 6);
    expect(largest).toBeGreaterThan(deviation); // clipped weights have a smaller deviation than they were clipped by
    network.optimizer = sgd({ learningRate: 10 });
    gradients({ network, under });
    network.step();
    const after = network.weights()["0.weights"].data;
    expect(after.reduce((most, w) => Math.max(most, Math.abs(w)), 0)).toBeLessThanOrEqual(unit.scales[0]);
  });
});

describe("noise on weights", () => {
  /** Deviations of one layer's relative weights from the clean ones, by size, over some batches. */
  async function deviations(options: Partial<AwareOptions>) {
    const under = onTiles({ tile: ideal, ...options });
    const network = await sequential([dense(40, 50, { bias: false })], {
      inputs: [40],
      batch: 1,
      seed: 5,
      memory: 0.05,
      matrices: under.matrices,
    });
    const [unit] = under.units;
    const clean = unit.values().weights;
    const all: { x: number; d: number }[] = [];
    for (let batch = 0; batch < 30; batch++) {
      network.forward(draw(40, 1), { purpose: "training" });
      const [{ weights }] = unit.tiled.parts;
      for (let k = 0; k < clean.length; k++)
        all.push({ x: Math.abs(clean[k]), d: weights.data[k] - clean[k] });
    }
    return all;
  }

  const spread = (x: number): number => {
    const { coefficients, q, power } = noiseShapes.pcm;
    const p = coefficients.reduce((sum, c, k) => sum + c * x ** k, 0);
    return Math.hypot(p, q * Math.max(x, 1e-7) ** power);
  };

  /** Sum of squares over variances: its distance from its mean in standard deviations of a chi-square. */
  const score = (all: readonly { x: number; d: number }[], factor: number) =>
    (all.reduce((sum, { x, d }) => sum + (d / (factor * spread(x))) ** 2, 0) - all.length) /
    Math.sqrt(2 * all.length);

  test("follows the spread of PCM, three times as large when asked", async () => {
    const all = await deviations({ noiseScale: 3 });
    expect(all.length).toBe(60000);
    expect(Math.abs(score(all, 3))).toBeLessThan(4.9); // false alarm 1e-6
    expect(Math.abs(score(all, 3 * 1.03))).toBeGreaterThan(4.9); // control: 3 % more
    const mean = all.reduce((sum, { d, x }) => sum + d / (3 * spread(x)), 0) / Math.sqrt(all.length);
    expect(Math.abs(mean)).toBeLessThan(4.9);
  });

  test("at 20 s the spread of PCM is that of programming and reads together", () => {
    const x = 0.5;
    const programming = (0.26348 + 1.965 * x - 1.1731 * x * x) / 25;
    const reading = x * 0.0088 * x ** -0.65 * Math.sqrt(Math.log((20 + 250e-9) / 500e-9));
    expect(spread(x)).toBeCloseTo(Math.hypot(programming, reading), 12);
  });

  test("a share of weights is left out where that is asked", async () => {
    const all = await deviations({ noiseScale: 0, dropConnect: 0.1 });
    // relative weights are quotients in one place, products with the inverse in the other
    const kept = all.filter(({ d }) => Math.abs(d) < 1e-6).length;
    const out = all.filter(({ x, d }) => Math.abs(Math.abs(d) - x) < 1e-6 && x > 1e-6).length;
    expect(Math.abs(out - 6000)).toBeLessThan(4.9 * Math.sqrt(60000 * 0.1 * 0.9));
    expect(Math.abs(kept + out - all.length)).toBeLessThan(10);
  });

  test("looks from outside see none, and change none", async () => {
    const under = onTiles({ tile: ideal, rangeBatches: 0 });
    const network = await sequential([dense(8, 3)], {
      inputs: [8],
      batch: 2,
      seed: 1,
      memory: 0.05,
      matrices: under.matrices,
    });
    const x = draw(16);
    const before = network.forward(x).data.slice();
    const disturbed = network.forward(x, { purpose: "training" }).data.slice();
    expect(disturbed).not.toEqual(before);
    expect(network.forward(x, { purpose: "training" }).data).not.toEqual(disturbed);
    expect(network.forward(x).data).toEqual(before);
  });
});

describe("input ranges", () => {
  test("follow the mean of the largest inputs of batches, then are learnt", async () => {
    const { network } = await networkOn({ tile: tile({ outputNoise: 0 }), rangeBatches: 2, noiseScale: 0 });
    const largest = (list: Float32Array) => list.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const [a, b] = [examples.map((x) => 3 * x), examples];
    network.forward(a, { purpose: "training" });
    network.forward(b, { purpose: "training" });
    const range = () => network.weights()["0.range"].data[0];
    expect(range()).toBeCloseTo((largest(a) + largest(b)) / 2, 5);
    network.forward(a, { purpose: "training" });
    expect(range()).toBeCloseTo((largest(a) + largest(b)) / 2, 5);
    const own = gradients({ network, under: undefined });
    expect(own.get("2.range")?.[0]).not.toBe(0);
  });
});

describe("chips", () => {
  test("a chip under the network changes looks until it is taken away; ages go in any order", async () => {
    const on = tile({ preset: "ideal", device: pcmInference });
    const { network, under } = await networkOn({ tile: on, noiseScale: 0 });
    if (!under) throw new Error("no tiles");
    const clean = network.forward(examples).data.slice();
    const chip = await program(under.values(), on, { seed: 1 });
    const look = (age: "1 h" | "1 year") => {
      under.mount(chip.at(age));
      return network.forward(examples).data.slice();
    };
    const [hour, year] = [look("1 h"), look("1 year")];
    expect(apart(hour, clean)).toBeGreaterThan(0.001);
    expect(apart(year, hour)).toBeGreaterThan(0.001);
    expect(look("1 h")).toEqual(hour);
    under.mount();
    expect(network.forward(examples).data).toEqual(clean);
    expect(() => under.mount({ matrices: {} })).toThrow("the chip has no matrix 0");
  });

  test("what tiles are not told is refused with the nearest name", () => {
    expect(() => onTiles({ tile: ideal, noisScale: 1 } as AwareOptions)).toThrow(
      "tiles have no noisScale; did you mean noiseScale?",
    );
    expect(() => onTiles({ tile: ideal, dropConnect: 1 })).toThrow("dropConnect is below 1, not 1");
  });
});

test("weights in floating point beyond those of the start come whole onto tiles, and `map` finds their scales", async () => {
  const { network: floating } = await networkOn(undefined);
  const large = Object.fromEntries(
    Object.entries(floating.weights()).map(([name, { shape, data }]) => [
      name,
      { shape, data: /weights$/.test(name) ? data.map((w) => 3 * w) : data },
    ]),
  );
  floating.setWeights(large);
  const { network, under } = await networkOn({ tile: ideal, noiseScale: 0 });
  network.setWeights(large, { some: true });
  under?.map();
  for (const [name, { data }] of Object.entries(large)) expect(network.weights()[name].data).toEqual(data);
  const [y, expected] = [network, floating].map((one) => one.forward(examples).data.slice(0, 16));
  y.forEach((value, k) => {
    expect(Math.abs(value - expected[k])).toBeLessThan(1e-4);
  });
});

describe("checkpoints", () => {
  const set = { inputs: draw(30 * 240, 2), labels: Array.from({ length: 30 }, (_, k) => k % 3) };
  const options = {
    epochs: 3,
    batch: 4,
    seed: 9,
    optimizer: sgd({ learningRate: cosine(0.05), momentum: 0.9, weightDecay: 1e-3 }),
  };
  const aware: AwareOptions = {
    tile: tile({ device: pcmInference }),
    noiseScale: 2,
    rampSteps: 10,
    remapEvery: 7,
    rangeBatches: 6,
  };

  test("training for chips that is interrupted goes on in another network, to the same bits", async () => {
    const { network: whole } = await networkOn(aware);
    await train(whole, set, options);
    const { network: first } = await networkOn(aware);
    const stop = new AbortController();
    await train(first, set, {
      ...options,
      signal: stop.signal,
      onStep: (step) => {
        if (step === 11) stop.abort();
      },
    });
    expect(first.steps).toBeLessThan(24);
    const file = encodeSafetensors(first.checkpoint());
    const { network: second } = await networkOn(aware);
    second.resume(decodeSafetensors(file), options.optimizer);
    await train(second, set, options);
    expect(second.weights()).toEqual(whole.weights());
    const { network: other } = await networkOn(aware); // control: without what the optimizer remembers
    other.setWeights(first.weights());
    await train(other, set, options);
    expect(other.weights()).not.toEqual(whole.weights());
  });

  test("what is no checkpoint, or one of another optimizer, is refused", async () => {
    const { network } = await networkOn(aware);
    expect(() => network.resume(network.weights(), options.optimizer)).toThrow("not a checkpoint");
    network.optimizer = options.optimizer;
    const kept = network.checkpoint();
    expect(() => network.resume(kept, adam({ learningRate: 0.1 }))).toThrow("remembers more than");
  });
});

describe("weights in files", () => {
  test("come back bit for bit and name words the same", async () => {
    const { network } = await networkOn({ tile: tile({ device: pcmInference }) });
    network.optimizer = sgd({ learningRate: 0.1 });
    gradients({ network, under: undefined });
    network.step();
    const bytes = encodeSafetensors(network.weights());
    const { network: other } = await networkOn({ tile: tile({ device: pcmInference }) });
    other.setWeights(decodeSafetensors(bytes));
    expect(other.weights()).toEqual(network.weights());
  });

  test("rounded to half the bytes they differ by at most 2^-11", async () => {
    const values = Float32Array.from([
      0,
      1,
      -1,
      1 / 3,
      1e-3,
      -2.5e-5,
      5e-8,
      65504,
      1e6,
      2049,
      2051,
      1 - 2 ** -12,
    ]);
    const { w } = decodeSafetensors(encodeSafetensors({ w: { shape: [12], data: values } }, { half: true }));
    expect(Array.from(w.data.subarray(7))).toEqual([65504, Number.POSITIVE_INFINITY, 2048, 2052, 1]); // ties to even
    values.subarray(0, 5).forEach((x, k) => {
      expect(Math.abs(w.data[k] - x)).toBeLessThanOrEqual(2 ** -11 * Math.abs(x));
    });
    // below 2^-14 steps are of 2^-24
    for (const k of [5, 6]) expect(Math.abs(w.data[k] - values[k])).toBeLessThanOrEqual(2 ** -25);
  });

  test("files that were cut off or are something else are refused with the reason", async () => {
    const { network } = await networkOn(undefined);
    const bytes = encodeSafetensors(network.weights());
    const cases: [Uint8Array, string][] = [
      [bytes.subarray(0, bytes.length - 5), "it was cut off"],
      [bytes.subarray(0, 4), "it has 4 bytes"],
      [new Uint8Array(64).fill(200), "its header is said to have"],
      [Uint8Array.from([3, 0, 0, 0, 0, 0, 0, 0, 97, 98, 99]), "its header is not JSON"],
    ];
    for (const [own, reason] of cases) expect(() => decodeSafetensors(own)).toThrow(reason);
  });

  test("weights that do not fit change nothing", async () => {
    const { network } = await networkOn(undefined);
    const before = network.weights();
    const wrong = { ...before, "0.weights": { shape: [1], data: new Float32Array(1) } };
    expect(() => network.setWeights(wrong)).toThrow("0.weights is 576 numbers, not 1");
    expect(() => network.setWeights({ ...before, "0.weight": before["0.weights"] })).toThrow(
      "the network has no 0.weight; did you mean 0.weights?",
    );
    const { "6.bias": _, ...some } = before;
    expect(() => network.setWeights(some)).toThrow("there is no 6.bias among the weights");
    expect(network.weights()).toEqual(before);
  });
});
