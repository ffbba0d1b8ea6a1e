import { describe, expect, test } from "vitest";
import {
  batchNorm,
  conv2d,
  dense,
  gelu,
  globalAveragePool,
  layerNorm,
  lstm,
  maxPool,
  onTiles,
  relu,
  residual,
  type Sequential,
  sequential,
  sgd,
  tanh,
  tile,
} from "../../src/index.ts";
import { uniform } from "../../src/math/random.ts";
import { cells } from "../../src/tensor/cells.ts";
import { compileKernels } from "../../src/tensor/kernels.ts";

const draw = (count: number) =>
  Float32Array.from({ length: count }, (_, k) => 2 * uniform([3, 4], 0, k, 0) - 1);

const networks = {
  // large enough that products, tables and arrays are all dealt out, with sizes that do not divide
  pictures: {
    layers: [
      conv2d(20, { kernel: 3 }),
      batchNorm(),
      gelu(),
      residual([conv2d(20, { kernel: 3, bias: false }), tanh()]),
      conv2d(28, { kernel: 3, stride: 2 }),
      maxPool(2),
      globalAveragePool(),
      dense(28, 10),
    ],
    inputs: [19, 17, 3],
    rows: 1,
  },
  // every pass of tiles, with noise of inputs, weights and outputs, and of normalisation with what follows it
  tiles: {
    layers: [
      conv2d(18, { kernel: 3 }),
      batchNorm(),
      relu(),
      residual([conv2d(18, { kernel: 3 }), batchNorm()]),
      relu(),
      globalAveragePool(),
      dense(18, 10),
    ],
    inputs: [19, 17, 3],
    rows: 1,
    tile: tile({ rows: 100, irDrop: 0 }),
  },
  sequences: {
    layers: [dense(50, 100), layerNorm(), lstm(70), dense(70, 10)],
    inputs: [13, 50],
    rows: 13,
  },
};

/** Weights after some steps, on so many threads. */
async function learnt(name: keyof typeof networks, threads: number) {
  const { layers, inputs, rows, ...of } = networks[name];
  const batch = 21;
  const under = "tile" in of ? onTiles({ tile: of.tile, rangeBatches: 1 }) : undefined;
  const network: Sequential = await sequential(layers, {
    ...{ inputs, batch, seed: 1, threads, memory: 0.2 },
    matrices: under?.matrices,
  });
  network.optimizer = sgd({ learningRate: 0.05, momentum: 0.9 });
  const size = inputs.reduce((a, b) => a * b, 1);
  for (const count of [21, 20, 1]) {
    network.forward(draw(count * size), { purpose: "training" });
    network.judge({ labels: Int32Array.from({ length: count * rows }, (_, k) => k % 10) });
    network.backward();
    network.step();
  }
  const weights = network.weights();
  network.close();
  return weights;
}

describe.each(Object.keys(networks) as (keyof typeof networks)[])("%s", (name) => {
  test("two and three threads learn the bits that one does", async () => {
    const one = await learnt(name, 1);
    for (const threads of name === "tiles" ? [3] : [2, 3]) expect(await learnt(name, threads)).toEqual(one);
  });
});

test("numbers of threads that make no sense are refused", async () => {
  const layers = [dense(2, 2)];
  await expect(sequential(layers, { inputs: [2], batch: 1, seed: 1, threads: 0 })).rejects.toThrow(
    "threads are a whole number from 1, not 0",
  );
});

test.each(["copyStrided", "gruCellBack"] as const)(
  "%s of many rows has the bits of one thread",
  async (name) => {
    const [rows, units] = [600, 37]; // enough of them to be dealt out
    const { inputs, outputs } = cells[name];
    const results = await Promise.all(
      [1, 3].map(async (threads) => {
        const kernels = await compileKernels(2 ** 22, { threads });
        const blocks = [...inputs, ...outputs].map((_, k) => kernels.heap.take(rows * (units + k)));
        const sources = blocks.slice(0, inputs.length);
        for (const [k, { data }] of sources.entries()) data.set(draw(data.length).map((x) => x / (k + 1)));
        kernels[name](rows, units, ...blocks.flatMap(({ at }, k) => [at, 4 * (units + k)]));
        kernels.close();
        return blocks.map(({ data }) => Array.from(data));
      }),
    );
    const last = (rows - 1) * (units + inputs.length) + units - 1;
    expect(results[1]).toEqual(results[0]);
    expect(results[0][inputs.length].findLastIndex((x) => x !== 0)).toBe(last); // all rows were done
  },
);
