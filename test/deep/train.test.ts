/** Learning from all examples, interrupted and not, and looking at them. */
import { describe, expect, test } from "vitest";
import { permutation } from "../../src/deep/examples.ts";
import {
  adam,
  batchNorm,
  cosine,
  dense,
  dropout,
  evaluate,
  lstm,
  predict,
  relu,
  type Sequential,
  sequential,
  sgd,
  type TrainOptions,
  train,
} from "../../src/index.ts";
import * as plain from "../tensor/plain.ts";

/** Points in a square, by the sign of a product: no line parts them. */
const count = 150;
const inputs = plain.numbers(2 * count, 1);
const labels = Array.from({ length: count }, (_, k) => (inputs[2 * k] * inputs[2 * k + 1] > 0 ? 1 : 0));
const examples = { inputs, labels };
const layers = [dense(2, 16, { bias: false }), batchNorm(), relu(), dropout(0.1), dense(16, 2)];
const build = () => sequential(layers, { inputs: [2], batch: 20, seed: 3, memory: 0.001 });
const options: TrainOptions = {
  epochs: 3,
  seed: 7,
  optimizer: sgd({ learningRate: cosine(0.5, { warmUp: 0.1 }), momentum: 0.9, weightDecay: 1e-3, clip: 1 }),
};
const flat = (network: Sequential): Float32Array =>
  Float32Array.from(Object.values(network.weights()).flatMap(({ data }) => Array.from(data)));

test("a network learns what no line parts: 95 % of 150 points", async () => {
  const network = await build();
  const told: number[] = [];
  const results = await train(network, examples, {
    ...options,
    optimizer: adam({ learningRate: 0.02 }),
    epochs: 30,
    progress: (done) => told.push(done),
  });
  expect(results.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 30 }, (_, k) => k));
  expect(results[29].loss).toBeLessThan(0.5 * results[0].loss);
  const { accuracy, loss, rows } = await evaluate(network, examples);
  expect(accuracy).toBeGreaterThan(0.95);
  expect(rows).toBe(count);
  expect(told.at(-1)).toBe(30 * count);
  const outputs = predict(network, inputs);
  const right = labels.filter((label, k) => outputs[2 * k + label] > outputs[2 * k + 1 - label]).length;
  expect(accuracy).toBe(right / count);
  const shares = labels.map((label, k) =>
    Math.log1p(Math.exp(outputs[2 * k + 1 - label] - outputs[2 * k + label])),
  );
  expect(Math.abs(loss - shares.reduce((a, b) => a + b, 0) / count)).toBeLessThan(1e-5);
});

describe("interrupted and taken up again", () => {
  // 8 steps in an epoch, the last of 10 examples
  test.each([[1], [7], [8], [9], [3, 11, 16, 23]])(
    "before step %i and perhaps others: the same weights, to the bit",
    async (...at) => {
      const whole = await build();
      const expected = await train(whole, examples, options);
      const network = await build();
      const epochs: number[] = [];
      for (const place of [...at, Number.POSITIVE_INFINITY]) {
        const controller = new AbortController();
        const results = await train(network, examples, {
          ...options,
          signal: controller.signal,
          onStep: (step) => {
            if (step === place - 1) controller.abort();
          },
        });
        epochs.push(...results.map(({ epoch }) => epoch));
        expect(network.steps).toBe(place === Number.POSITIVE_INFINITY ? 0 : place);
      }
      expect(epochs).toEqual(expected.map(({ epoch }) => epoch));
      expect(plain.difference(flat(network), flat(whole))).toBe("");
    },
  );

  test("by a signal from outside while it runs", async () => {
    const network = await build();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 1);
    const results = await train(network, examples, { ...options, epochs: 1e7, signal: controller.signal });
    expect(results.length).toBeLessThan(1e7);
    expect(network.steps).toBeGreaterThan(0);
  });
});

test("examples come in the order of their epoch, each once, changed before they are learnt", async () => {
  const network = await build();
  const seen: number[][] = [[], [], []];
  await train(network, examples, {
    ...options,
    change: ({ inputs: own, examples: which, epoch }) => {
      seen[epoch].push(...which);
      expect(Array.from(own)).toEqual(Array.from(which).flatMap((k) => [inputs[2 * k], inputs[2 * k + 1]]));
      own.fill(0);
    },
  });
  expect(seen).toEqual([0, 1, 2].map((epoch) => Array.from(permutation(count, `7/${epoch}`))));
  // all inputs were 0: the first weights have no gradient and follow their decay alone
  const { "0.weights": learnt } = network.weights();
  const { "0.weights": start } = (await build()).weights();
  const ratio = learnt.data[0] / start.data[0];
  learnt.data.forEach((w, k) => {
    expect(Math.abs(w / start.data[k] - ratio)).toBeLessThan(1e-5);
  });
});

test("a teacher's outputs are learnt: the student comes to name what the teacher names", async () => {
  const teacher = await build();
  await train(teacher, examples, { ...options, optimizer: adam({ learningRate: 0.02 }), epochs: 20 });
  const student = await sequential([dense(2, 24), relu(), dense(24, 2)], {
    inputs: [2],
    batch: 20,
    seed: 5,
    memory: 0.001,
  });
  await train(
    student,
    { inputs, labels: labels.map(() => 0) },
    {
      ...options,
      optimizer: adam({ learningRate: 0.02 }),
      epochs: 20,
      teacher: { network: teacher, temperature: 2, share: 1 },
    },
  );
  const named = (network: Sequential) => {
    const y = predict(network, inputs);
    return labels.map((_, k) => (y[2 * k + 1] > y[2 * k] ? 1 : 0));
  };
  const own = named(student);
  const agree = named(teacher).filter((label, k) => label === own[k]).length;
  expect(agree / count).toBeGreaterThan(0.93);
});

test("a memory that is kept over batches tells apart what one batch cannot", async () => {
  // the label of all times is the first number of four; a batch has one time
  const streams = 10;
  const parts = 4;
  const first = plain.numbers(streams, 4).map(Math.sign);
  const data = Float32Array.from({ length: streams * parts * 50 }, (_, k) => {
    const place = Math.floor(k / streams) % parts;
    return place === 0 ? first[k % streams] * (Math.floor(k / streams / parts) % 2 === 0 ? 1 : -1) : 0;
  });
  const goals = Array.from(data, (_, k) => {
    const start = Math.floor(k / streams / parts) * streams * parts + (k % streams);
    return data[start] > 0 ? 1 : 0;
  });
  const learn = async (stateful: boolean) => {
    const network = await sequential([lstm(8, { stateful }), dense(8, 2)], {
      inputs: [1, 1],
      batch: streams,
      seed: 1,
      memory: 0.001,
    });
    const set = { inputs: data, labels: goals };
    await train(network, set, { epochs: 6, seed: 1, order: "kept", optimizer: adam({ learningRate: 0.03 }) });
    return (await evaluate(network, set)).accuracy;
  };
  expect(await learn(true)).toBeGreaterThan(0.95);
  expect(await learn(false)).toBeLessThan(0.75); // one of four times it sees the number, else it guesses
});

test("a teacher with states begins each epoch anew, as who learns from it", async () => {
  const make = () =>
    sequential([lstm(3, { stateful: true }), dense(3, 2)], {
      inputs: [2, 1],
      batch: 2,
      seed: 1,
      memory: 0.001,
    });
  const [network, teacher] = [await make(), await make()];
  const losses: number[] = [];
  await train(
    network,
    { inputs: Float32Array.from({ length: 24 }, (_, k) => Math.sin(k)), labels: new Uint8Array(24) },
    {
      epochs: 2,
      seed: 1,
      order: "kept",
      optimizer: sgd({ learningRate: 1e-30 }),
      teacher: { network: teacher, share: 1, temperature: 1 },
      onEpoch: ({ loss }) => void losses.push(loss),
    },
  );
  for (const loss of losses) expect(Math.abs(loss)).toBeLessThan(1e-6); // the same weights and states
});

test("what does not fit is refused", async () => {
  const network = await build();
  const told = (of: Parameters<typeof train>[1], o: Partial<TrainOptions> = {}) =>
    train(network, of, { ...options, ...o }).then(
      () => "no error",
      (error: Error) => `${error.name}: ${error.message}`,
    );
  expect([
    await told({ inputs: new Float32Array(), labels: [] }),
    await told({ inputs: new Float32Array(3), labels: [0] }),
    await told({ inputs: new Float32Array(4), labels: [0] }),
    await told({ inputs: new Float32Array(4), labels: [0, 2] }),
    await told(examples, { epochs: 0 }),
    await told(examples, { batch: 21 }),
    await told(examples, { optimizer: sgd({ learningRate: -1 }) }),
    await told(examples, { optimizer: sgd({ learningRate: 1, momentum: 1 }) }),
    await told(examples, { optimizer: adam({ learningRate: 1, clip: 0 }) }),
  ]).toMatchInlineSnapshot(`
    [
      "ConfigError: there are no examples",
      "ConfigError: examples of [2] are 2 numbers each; 3 are no whole number of them",
      "ConfigError: 2 examples have 1 labels, not 2",
      "ConfigError: row 0 is of class 2, of 2 from 0",
      "ConfigError: epochs are a whole number from 1, not 0",
      "ConfigError: batch is a whole number from 1 to the network's 20, not 21",
      "ConfigError: optimizer sgd: learningRate is a positive number, not -1",
      "ConfigError: optimizer sgd: momentum is from 0 to below 1, not 1",
      "ConfigError: optimizer adam: clip is a positive number, not 0",
    ]
  `);
});
