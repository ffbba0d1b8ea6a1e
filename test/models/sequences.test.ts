/** Networks for sequences: their sizes, the tiles of their matrices, and streams whose states go on. */
import { expect, test } from "vitest";
import { pcmInference } from "../../models/pcm-inference.ts";
import {
  lstmLanguageModel,
  transformerClassifier,
  transformerLanguageModel,
} from "../../models/sequences.ts";
import {
  adam,
  dense,
  embedding,
  evaluate,
  type Layer,
  layersShape,
  lstm,
  onTiles,
  sequential,
  tile,
  train,
} from "../../src/index.ts";

const weightsOf = (layers: readonly Layer[], inputs: readonly number[]) =>
  layersShape(layers, { inputs }).matrices.reduce((sum, own) => sum + own.inputs * own.outputs, 0);

test("two layers of 650 LSTM cells for 10,000 words hold 13.3 million weights in matrices, as published", () => {
  // Rasch et al. 2023: 13.3 M of 19.8 M; the rest is the embedding
  const weights = weightsOf(lstmLanguageModel({ symbols: 10000 }), [35, 1]);
  expect(weights).toBe(2 * 2 * 4 * 650 ** 2 + 650 * 10000);
  expect((weights / 1e6).toFixed(1)).toBe("13.3");
  expect(((weights + 650 * 10000) / 1e6).toFixed(1)).toBe("19.8");
});

test("a block of a transformer holds 12 features^2 weights in matrices", () => {
  expect(weightsOf(transformerLanguageModel({ symbols: 50, layers: 3, features: 32 }), [64, 1])).toBe(
    3 * 12 * 32 ** 2 + 32 * 50,
  );
  expect(weightsOf(transformerClassifier({ inputs: 10, classes: 12, layers: 1 }), [49, 10])).toBe(
    12 * 64 ** 2 + 10 * 64 + 64 * 12,
  );
});

test("an LSTM's products with inputs and with its state are on tiles of their own, with ranges of their own", async () => {
  const under = onTiles({ tile: tile({ device: pcmInference }), noiseScale: 0 });
  const layers = lstmLanguageModel({ symbols: 20, layers: 2, units: 12, dropout: 0 });
  const network = await sequential(layers, {
    inputs: [6, 1],
    batch: 3,
    seed: 1,
    memory: 0.02,
    matrices: under.matrices,
  });
  // the embedding is looked up, on no tile
  expect(under.units.map(({ name, inputs, outputs }) => [name, inputs, outputs])).toEqual([
    ["1.input", 12, 48],
    ["1.hidden", 12, 48],
    ["2.input", 12, 48],
    ["2.hidden", 12, 48],
    ["3", 12, 20],
  ]);
  const words = Float32Array.from({ length: 18 }, (_, k) => (7 * k) % 20);
  network.forward(words, { purpose: "training" });
  const { data } = network.weights()["0.weights"];
  const largest = words.reduce(
    (most, word) => Math.max(most, ...data.subarray(12 * word, 12 * word + 12).map(Math.abs)),
    0,
  );
  const values = under.values();
  const [range] = values["1.input"].inputRange as number[];
  expect(range).toBeCloseTo(largest, 5); // normal numbers: above 2
  expect(largest).toBeGreaterThan(2);
  // states are below 1, and what goes up is what goes on, but for the last time
  const [hidden, upper, decoded] = ["1.hidden", "2.input", "3"].map(
    (name) => (values[name].inputRange as number[])[0],
  );
  expect(hidden).toBeLessThan(1);
  expect(hidden).toBeGreaterThan(0.05);
  expect(upper).toBeGreaterThanOrEqual(hidden);
  expect(decoded).not.toBe(upper);
});

test("in streams the first symbol of a batch is known from the last of the one before", async () => {
  // what is asked for is the symbol before: two a batch, so that half of them can be known without a memory
  const [streams, time, batches] = [4, 2, 30];
  const length = time * batches;
  const bit = (stream: number, t: number) => (t < 0 ? 0 : ((stream * 977 + t * t * 31 + t * 17) >> 3) & 1);
  const inputs = new Float32Array(streams * length);
  const labels = new Int32Array(streams * length);
  for (let b = 0; b < batches; b++)
    for (let s = 0; s < streams; s++)
      for (let k = 0; k < time; k++) {
        const at = (b * streams + s) * time + k;
        inputs[at] = bit(s, b * time + k);
        labels[at] = bit(s, b * time + k - 1);
      }
  const learn = async (stateful: boolean) => {
    const network = await sequential([embedding(2, 8), lstm(12, { stateful }), dense(12, 2)], {
      inputs: [time, 1],
      batch: streams,
      seed: 1,
      memory: 0.02,
    });
    const optimizer = adam({ learningRate: 0.02 });
    await train(network, { inputs, labels }, { epochs: 15, optimizer, seed: 1, order: "kept" });
    return [await evaluate(network, { inputs, labels }), await evaluate(network, { inputs, labels })];
  };
  const [kept, again] = await learn(true);
  expect(kept.accuracy).toBe(1);
  expect(again).toEqual(kept); // looks begin anew
  const [without] = await learn(false); // control
  expect(without.accuracy).toBeLessThan(0.9);
});
