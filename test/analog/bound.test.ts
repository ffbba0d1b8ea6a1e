/** Output bounds and scales of tiles that are learnt with a network, and how they come onto chips. */
import { describe, expect, test } from "vitest";
import { pcmInference } from "../../models/pcm-inference.ts";
import type { Parameter } from "../../src/deep/parameter.ts";
import {
  type AwareOptions,
  batchNorm,
  conv2d,
  decodeSafetensors,
  dense,
  encodeSafetensors,
  globalAveragePool,
  type Layer,
  lstm,
  onTiles,
  program,
  relu,
  type Sequential,
  sequential,
  sgd,
  tile,
  tileProducts,
  train,
} from "../../src/index.ts";
import { uniform } from "../../src/math/random.ts";

const numbers = (count: number, stream = 0) =>
  Float32Array.from({ length: count }, (_, k) => 2 * uniform([3, 5], stream, k, 0) - 1);

const images: readonly Layer[] = [
  conv2d(8, { kernel: 3 }),
  relu(),
  conv2d(6, { kernel: 3, stride: 2, bias: false }),
  batchNorm(),
  relu(),
  globalAveragePool(),
  dense(6, 3),
];
const sentences: readonly Layer[] = [lstm(5), dense(5, 3)];
const shapes = { images: [6, 5, 8], sentences: [4, 4] } as const;
const labels = { images: [0, 1, 2, 0], sentences: Array.from({ length: 16 }, (_, k) => k % 3) } as const;

async function networkOn(kind: "images" | "sentences", options: AwareOptions, threads = 1) {
  const under = onTiles(options);
  const network = await sequential(kind === "images" ? images : sentences, {
    inputs: shapes[kind],
    batch: 4,
    seed: 3,
    memory: 0.05,
    matrices: under.matrices,
    threads,
  });
  return { network, under };
}

const examples = { images: numbers(4 * 240), sentences: numbers(4 * 16) };

/** Clips, and does not round: outputs change evenly with bounds and scales. */
const clipping = (rows: number, outputBound: number) =>
  tile({ preset: "ideal", inputBound: 1, inputRange: 0.7, outputBound, rows });
const still = { noiseScale: 0, rangeBatches: 0 } as const;

function loss(network: Sequential, kind: "images" | "sentences"): number {
  network.forward(examples[kind], { purpose: "training" });
  return network.judge({ labels: labels[kind] }).loss;
}

function gradients(network: Sequential, kind: "images" | "sentences"): Map<string, Float32Array> {
  loss(network, kind);
  network.clearGradients();
  network.backward();
  return new Map(network.parameters.map(({ name, gradient }) => [name, gradient.data.slice()]));
}

/** (loss(p + h) - loss(p - h)) / 2h of number k of a parameter. */
function difference(network: Sequential, kind: "images" | "sentences", name: string, k: number): number {
  const { value } = network.parameters.find((one) => one.name === name) as Parameter;
  const at = value.data[k];
  const h = 2e-3 * at;
  const [above, below] = [at + h, at - h].map((one) => {
    value.data[k] = one;
    for (const { renewed } of network.parameters) renewed?.();
    return loss(network, kind);
  });
  value.data[k] = at;
  for (const { renewed } of network.parameters) renewed?.();
  return (above - below) / (2 * h);
}

test.each([512, 36])(
  "on tiles of %i rows the slope by the bound of the last matrix is that of differences, times the square of the bound",
  async (rows) => {
    // what clips before the last is gone through straight, which differences do not
    const { network } = await networkOn("images", {
      tile: clipping(rows, 0.6),
      outputBound: "matrix",
      ...still,
    });
    const name = "6.outputBound";
    const slope = gradients(network, "images").get(name)?.[0] ?? 0;
    expect(Math.abs(slope)).toBeGreaterThan(1e-4);
    expect(Math.abs(slope / (0.6 ** 2 * difference(network, "images", name, 0)) - 1)).toBeLessThan(0.02);
  },
);

test.each([
  ["images", 512],
  ["images", 36],
  ["sentences", 512],
  ["sentences", 2],
] as const)("%s on tiles of %i rows: slopes by scales are those of differences", async (kind, rows) => {
  const on = clipping(rows, Number.POSITIVE_INFINITY);
  const { network } = await networkOn(kind, { tile: on, learnScale: true, ...still });
  const found = gradients(network, kind);
  const names = network.parameters.map(({ name }) => name).filter((name) => name.endsWith(".gain"));
  expect(names.length).toBe(3);
  for (const name of names)
    for (const k of [0, 2]) {
      const [slope, wanted] = [found.get(name)?.[k] ?? 0, difference(network, kind, name, k)];
      expect(Math.abs(slope - wanted)).toBeLessThan(0.01 * Math.abs(wanted) + 2e-5); // float32 of a loss near 1
    }
});

/** A matrix whose tile is to make the products of floating point, with what it converts by moved down its slope. */
async function converted(options: AwareOptions, name: string) {
  const count = 200;
  const under = onTiles({ ...options, ...still });
  const network = await sequential([dense(40, 8, { bias: false }), dense(8, 8, { bias: false })], {
    inputs: [40],
    batch: count,
    seed: 2,
    loss: "squared error",
    memory: 0.05,
    matrices: under.matrices,
  });
  const x = numbers(40 * count, 7);
  const exact = onTiles({ tile: tile({ preset: "ideal" }), ...still });
  const floating = await sequential(network.layers, {
    inputs: [40],
    batch: count,
    seed: 2,
    memory: 0.05,
    matrices: exact.matrices,
  });
  const targets = floating.forward(x).data.slice();
  const parameter = network.parameters.find((one) => one.name === name) as Parameter;
  const lossAt = (value: number): number => {
    parameter.value.data[0] = value;
    network.forward(x, { purpose: "training" });
    return network.judge({ targets }).loss;
  };
  return { network, parameter, lossAt };
}

describe.each([
  ["tiles.outputBound", { adcBits: 4, outputBound: 10 }, { outputBound: "shared" }],
  ["1.range", { dacBits: 4, inputBound: 1 }, { rangeRule: "step" }],
] as const)("%s", (name, bits, rule) => {
  test.each([0.1, 12])("goes from %f to where a converter of 4 bits errs least", async (start) => {
    const on = tile({ preset: "ideal", ...bits });
    const { network, parameter, lossAt } = await converted({ tile: on, ...rule }, name);
    parameter.value.data[0] = start;
    network.optimizer = sgd({ learningRate: 0.1, momentum: 0.5 });
    for (let k = 0; k < 150; k++) {
      lossAt(parameter.value.data[0]);
      network.backward();
      for (const other of network.parameters) if (other.name !== name) other.gradient.data.fill(0);
      network.step();
    }
    const [found, begun] = [parameter.value.data[0], start].map(lossAt);
    const best = Array.from({ length: 100 }, (_, k) => lossAt(0.12 * (k + 1))).reduce((a, b) =>
      Math.min(a, b),
    );
    expect(found).toBeLessThan(1.1 * best); // the slope holds for rounding in the mean
    expect(begun).toBeGreaterThan(2 * best);
  });
});

test("where nothing is rounded the slope by a range is that of differences, times its square; clipping counts what would grow", async () => {
  const on = tile({ preset: "ideal", inputBound: 1 });
  const [step, clipping] = await Promise.all(
    (["step", "clipping"] as const).map(async (rangeRule) => {
      const { parameter, network, lossAt } = await converted(
        { tile: on, rangeRule, rangeDecay: 0 },
        "1.range",
      );
      lossAt(1.3);
      network.backward();
      const slope = parameter.gradient.data[0];
      return [slope / 1.3 ** (rangeRule === "step" ? 2 : 1), (lossAt(1.302) - lossAt(1.298)) / 0.004];
    }),
  );
  expect(step[1]).toBe(clipping[1]);
  expect(Math.abs(step[0] / step[1] - 1)).toBeLessThan(0.02); // inputs between 1.298 and 1.302
  expect(clipping[0]).toBeLessThan(step[0]);
});

test("a tile without a limit of inputs has no slope by its range", async () => {
  const { network, lossAt, parameter } = await converted(
    { tile: tile({ preset: "ideal" }), rangeRule: "step" },
    "1.range",
  );
  lossAt(1);
  network.backward();
  expect(parameter.gradient.data[0]).toBe(0);
});

test("ranges are found to hold the share of inputs that is asked", async () => {
  const under = onTiles({
    tile: tile({ inputRange: 5 }),
    noiseScale: 0,
    rangeBatches: 3,
    rangeShare: 0.9,
    rangeRule: "step",
  });
  const network = await sequential([dense(300, 2)], {
    inputs: [300],
    batch: 200,
    seed: 1,
    memory: 0.05,
    matrices: under.matrices,
  });
  network.optimizer = sgd({ learningRate: 0.1 });
  for (let k = 0; k < 3; k++) {
    network.forward(numbers(300 * 200, k), { purpose: "training" });
    network.step(); // changes nothing that is looked for
  }
  const [range] = under.units[0].values().inputRange as number[];
  // of uniform numbers: the deviation of a quantile is sqrt(p (1 - p) / n), n at least 2^15 / 2 in each of three batches
  expect(Math.abs(range - 0.9)).toBeLessThan(4.9 * Math.sqrt((0.9 * 0.1) / (1.5 * 2 ** 15)));
});

describe("a bound for all matrices", () => {
  const shared: AwareOptions = {
    tile: tile({ device: pcmInference, outputBound: 3, adcBits: 5, dacBits: 5 }),
    outputBound: "shared",
    rangeBatches: 2,
    noiseScale: 1,
  };

  test("is one parameter, and its slope is the sum of those that each would have", async () => {
    const { network } = await networkOn("images", { ...shared, ...still });
    const { network: each } = await networkOn("images", { ...shared, ...still, outputBound: "matrix" });
    const names = network.parameters.map(({ name }) => name).filter((name) => /Bound/.test(name));
    expect(names).toEqual(["tiles.outputBound"]);
    const own = gradients(each, "images");
    const sum = [...own].reduce((sum, [name, slope]) => sum + (/Bound/.test(name) ? slope[0] : 0), 0);
    expect(own.has("0.outputBound") && own.has("2.outputBound") && own.has("6.outputBound")).toBe(true);
    const found = gradients(network, "images").get("tiles.outputBound")?.[0] ?? 0;
    expect(Math.abs(found - sum)).toBeLessThan(1e-6 * Math.abs(sum));
    expect(sum).not.toBe(0);
  });

  test("begins as the median of what 99 of 100 rows of outputs reach", async () => {
    const { network, under } = await networkOn("images", { ...shared, noiseScale: 0 });
    network.optimizer = sgd({ learningRate: 0.1 });
    for (let k = 0; k < 2; k++) {
      gradients(network, "images");
      network.step();
    }
    const kept = network.checkpoint();
    const reaches = under.units.map(({ name }) => kept[`${name}.reach`].data[0]).sort((a, b) => a - b);
    expect(kept["tiles.outputBound"].data[0]).toBe(reaches[1]);
    const { network: free, under: on } = await networkOn("images", { ...shared, noiseScale: 0 });
    free.forward(examples.images, { purpose: "training" });
    // of 4 x 20 rows of the first matrix the 80th part is left out: outputs without a converter, computed here
    const { weights, inputRange } = on.units[0].values();
    const [range] = inputRange as number[];
    const at = (example: number, line: number, column: number, channel: number) =>
      line < 0 || line > 5 || column < 0 || column > 4
        ? 0
        : Math.round((examples.images[((example * 6 + line) * 5 + column) * 8 + channel] / range) * 15) / 15;
    const rows = Array.from({ length: 120 }, (_, row) => {
      const [example, line, column] = [Math.floor(row / 30), Math.floor(row / 5) % 6, row % 5];
      const sums = Array.from({ length: 8 }, (_, output) => {
        let sum = 0;
        for (let k = 0; k < 72; k++) {
          const [dy, dx, channel] = [Math.floor(k / 24) - 1, (Math.floor(k / 8) % 3) - 1, k % 8];
          sum += weights[output * 72 + k] * at(example, line + dy, column + dx, channel);
        }
        return Math.abs(sum);
      });
      return Math.max(...sums);
    }).sort((a, b) => a - b);
    const reach = free.checkpoint()["0.reach"].data[0];
    expect(reach).toBeGreaterThan(rows[110]); // noise of outputs, 0.04, moves ranks a little
    expect(Math.abs(reach - rows[118])).toBeLessThan(0.2);
  });

  const set = { inputs: numbers(30 * 240, 2), labels: Array.from({ length: 30 }, (_, k) => k % 3) };
  const options = { epochs: 2, batch: 4, seed: 9, optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }) };

  test("training goes on from a checkpoint to the same bits, before ranges are found and after", async () => {
    const aware = { ...shared, rangeBatches: 5, learnScale: true, rangeRule: "step" } as const;
    const { network: whole } = await networkOn("images", aware);
    await train(whole, set, options);
    for (const end of [3, 9]) {
      const { network: first } = await networkOn("images", aware);
      const stop = new AbortController();
      const onStep = (step: number) => {
        if (step === end) stop.abort();
      };
      await train(first, set, { ...options, signal: stop.signal, onStep });
      const { network: second } = await networkOn("images", aware);
      second.resume(decodeSafetensors(encodeSafetensors(first.checkpoint())), options.optimizer);
      await train(second, set, options);
      expect(second.weights()).toEqual(whole.weights());
    }
  });

  test("two threads learn the same bits", async () => {
    const [one, two] = [await networkOn("images", shared), await networkOn("images", shared, 2)];
    for (const { network } of [one, two]) await train(network, set, options);
    expect(two.network.weights()).toEqual(one.network.weights());
    two.network.close();
  });

  test("comes back from a file, and onto a chip with scales folded in, to the same bits", async () => {
    const aware = { ...shared, learnScale: true };
    const { network, under } = await networkOn("images", aware);
    await train(network, set, options);
    const { network: other, under: on } = await networkOn("images", aware);
    other.setWeights(decodeSafetensors(encodeSafetensors(network.weights())));
    expect(on.values()).toEqual(under.values());
    const values = under.values()["0"];
    expect(values.outputBound).toBe(network.weights()["tiles.outputBound"].data[0]);
    expect(values.outputBound).not.toBe(3);
    const chip = await program(under.values(), shared.tile, { seed: 1 });
    const look = chip.at("1 h");
    expect(look.matrices["0"].parts.map(({ outputBound }) => outputBound)).toEqual([values.outputBound]);
    const seen = [network, other].map((one, k) => {
      [under, on][k].mount(look);
      return one.forward(examples.images).data.slice();
    });
    expect(seen[1]).toEqual(seen[0]);
    under.mount({
      matrices: Object.fromEntries(
        Object.entries(look.matrices).map(([name, one]) => [
          name,
          { ...one, parts: one.parts.map((part) => ({ ...part, outputBound: 0.1 })) },
        ]),
      ),
    });
    expect(network.forward(examples.images).data).not.toEqual(seen[0]); // control: another bound
  });

  test("is where a chip's products end by themselves too", async () => {
    const on = tile({ preset: "ideal", device: pcmInference, outputBound: 100 });
    const weights = { weights: [1, 1, 1, 1], outputs: 2, inputs: 2, scale: [2, 3] };
    const chip = await program({ w: { ...weights, outputBound: 0.5 } }, on, { seed: 1 });
    const products = await tileProducts(on, { outputs: 2, inputs: 2, seed: 1 });
    products.load(chip.at("1 s", { driftCompensation: "none" }).matrices["w"]);
    expect(Array.from(products.multiply([1, 1]))).toEqual([1, 1.5]);
  });
});

test("what cannot be learnt is refused with the reason", async () => {
  const standard = tile({ device: pcmInference });
  const wrong = { tile: standard, outputBound: "share" } as unknown as AwareOptions;
  expect(() => onTiles(wrong)).toThrow(
    "outputBound is tile or shared or matrix, not share; did you mean shared?",
  );
  await expect(
    networkOn("images", { tile: tile({ preset: "ideal" }), outputBound: "shared" }),
  ).rejects.toThrow("an output bound is learnt from a limit, and this tile has none");
  await expect(networkOn("images", { tile: tile({ preset: "presetIO" }), learnScale: true })).rejects.toThrow(
    'output bounds and scales are learnt without bound management, not with "iterative"',
  );
  expect(() => onTiles({ tile: standard, rangeShare: 0 })).toThrow(
    "rangeShare is above 0 and at most 1, not 0",
  );
  const under = onTiles({ tile: standard, outputBound: "shared" });
  const options = { inputs: [6], batch: 1, seed: 1, memory: 0.05, matrices: under.matrices };
  await sequential([dense(6, 3)], options);
  await expect(sequential([dense(6, 3)], options)).rejects.toThrow("two networks do not share");
  await expect(
    program({ w: { weights: [1], outputs: 1, inputs: 1, outputBound: 0 } }, standard, { seed: 1 }),
  ).rejects.toThrow("matrix w: its output bound is 0, not a positive number");
});

test("a gain that follows drift keeps steps of the ADC in proportion to what has drifted", async () => {
  const on = tile({ preset: "ideal", device: pcmInference, adcBits: 6, outputBound: 4 });
  const weights = numbers(20 * 30, 5);
  const chip = await program({ w: { weights, outputs: 20, inputs: 30, outputBound: 3 } }, on, { seed: 1 });
  const parts = (driftCompensation: "global" | "gain" | "none") =>
    chip.at("1 day", { driftCompensation }).matrices["w"].parts[0];
  const factor = parts("global").scale[0] / parts("none").scale[0];
  expect(factor).toBeGreaterThan(1.3);
  expect(parts("gain").scale).toEqual(parts("global").scale);
  expect(parts("global").outputBound).toBe(3);
  expect(parts("gain").outputBound).toBeCloseTo(3 / factor, 12);
  const plain = await program({ w: { weights, outputs: 20, inputs: 30 } }, on, { seed: 1 });
  const bounds = (["global", "gain"] as const).map(
    (driftCompensation) => plain.at("1 day", { driftCompensation }).matrices["w"].parts[0].outputBound,
  );
  expect(bounds).toEqual([undefined, 4 / factor]);
});
