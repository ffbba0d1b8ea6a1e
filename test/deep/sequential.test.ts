/** Networks of layers: derivatives, the same bits again, what a batch leaves for the next, and what is refused. */
import { describe, expect, test } from "vitest";
import { type SequentialOptions, sequential } from "../../src/deep/sequential.ts";
import {
  attention,
  averagePool,
  batchNorm,
  concatenation,
  conv2d,
  dense,
  depthwise,
  dropout,
  embedding,
  flatten,
  gelu,
  globalAveragePool,
  gru,
  type Layer,
  layerNorm,
  lstm,
  maxPool,
  positions,
  relu,
  residual,
  type Sequential,
  sgd,
  sigmoid,
  tanh,
} from "../../src/index.ts";
import * as plain from "../tensor/plain.ts";

const build = (layers: readonly Layer[], inputs: readonly number[], o: Partial<SequentialOptions> = {}) =>
  sequential(layers, { inputs, batch: 4, seed: 1, memory: 0.004, ...o });

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const inputsOf = (network: Sequential, count: number) =>
  plain.numbers(count * sizeOf(network.inputs), 3).map((x) => 2 * x);
const labelsOf = (network: Sequential, count: number) => {
  const classes = network.outputs[network.outputs.length - 1];
  return Array.from({ length: (count * sizeOf(network.outputs)) / classes }, (_, k) => k % classes);
};
/** Outputs without what fills rows up. */
function outputsOf(
  network: Sequential,
  x: Float32Array,
  purpose: "training" | "inference" = "inference",
): number[] {
  const { data, features, width, positions } = network.forward(x, { purpose });
  const rows = (x.length / sizeOf(network.inputs)) * positions;
  return Array.from(
    { length: rows * features },
    (_, k) => data[Math.floor(k / features) * width + (k % features)],
  );
}

const block = (causal: boolean) => [
  residual([layerNorm(), attention({ heads: 2, causal })]),
  residual([layerNorm(), dense(8, 10), gelu(), dense(10, 8)]),
];
type Composite = readonly [name: string, layers: readonly Layer[], inputs: readonly number[], words: number];
const composites: readonly Composite[] = [
  ["dense and sigmoids", [dense(7, 10), sigmoid(), dense(10, 3)], [7], 0],
  [
    "convolutions that shrink",
    [
      conv2d(4, { kernel: [4, 3], bias: false }),
      batchNorm(),
      tanh(),
      conv2d(5, { kernel: 3, stride: [3, 2], padding: 1 }),
    ],
    [11, 7, 4],
    0,
  ],
  [
    "pools",
    [conv2d(4, { kernel: 3 }), maxPool(2), averagePool([2, 1], 1), flatten(), layerNorm(), dense(24, 4)],
    [8, 4, 3],
    0,
  ],
  [
    "residual blocks with a shortcut",
    [
      conv2d(4, { kernel: 3 }),
      residual(
        [conv2d(6, { kernel: 3, stride: 2, bias: false }), batchNorm(), tanh()],
        [conv2d(6, { kernel: 1, stride: 2 })],
      ),
      globalAveragePool(),
      dense(6, 3),
    ],
    [8, 6, 3],
    0,
  ],
  [
    "channels by themselves and in groups",
    [
      depthwise({ kernel: [2, 3], stride: 2 }),
      tanh(),
      conv2d(6, { kernel: 3, groups: 3 }),
      globalAveragePool(),
      dense(6, 3),
    ],
    [7, 5, 3],
    0,
  ],
  [
    "branches side by side",
    [dense(5, 8), concatenation([dense(8, 3), tanh()], [], [dense(8, 5)]), layerNorm(), dense(16, 3)],
    [3, 5],
    0,
  ],
  [
    "memories both ways",
    [
      dense(5, 6),
      lstm(3, { bidirectional: true }),
      gru(5, { outputs: "last", bidirectional: true }),
      dense(10, 3),
    ],
    [6, 5],
    0,
  ],
  ["a transformer", [embedding(9, 8), positions(), ...block(true), ...block(false), dense(8, 3)], [5, 1], 9],
  ["dropout, the same each time", [dense(6, 16), dropout(0.5), tanh(), dense(16, 3)], [6], 0],
];

describe("the loss goes along its derivatives by weights and inputs:", () => {
  test.each(composites)("%s", async (_, layers, inputs, words) => {
    /** A network of its own for each look: dropout goes with the number of the batch. */
    const look = async (change: (own: Sequential, x: Float32Array) => void) => {
      const network = await build(layers, inputs, { inputDerivatives: words === 0 });
      const x = inputsOf(network, 4);
      if (words > 0) for (let k = 0; k < x.length; k++) x[k] = Math.floor((x[k] / 2 + 0.5) * words);
      for (const { name, value, shape } of network.parameters)
        if (!name.endsWith("weights"))
          for (let k = 0; k < sizeOf(shape); k++) value.data[k] += 0.3 * Math.sin(k + 1);
      change(network, x);
      network.forward(x, { purpose: "training" });
      return { network, x, loss: network.judge({ labels: labelsOf(network, 4) }).loss };
    };
    const { network, x } = await look(() => {});
    const dx = network.backward({ wanted: words === 0 });
    const slopes = network.parameters.map(({ gradient }) => gradient.data);
    const { data, features, width } = dx;
    const byInputs = x.map((_, k) => data[Math.floor(k / features) * width + (k % features)]);
    const lengths = [...slopes, byInputs].map((slope) => Math.hypot(...slope));
    expect(Math.min(...lengths.slice(0, words > 0 ? -1 : undefined))).toBeGreaterThan(1e-3);
    /** The same length along each array's own gradient. */
    const along = async (h: number) => {
      const { loss } = await look((own, x) => {
        own.parameters.forEach(({ value }, p) => {
          for (let k = 0; k < value.data.length; k++) value.data[k] += (h * slopes[p][k]) / lengths[p];
        });
        if (words === 0)
          for (let k = 0; k < x.length; k++) x[k] += (h * byInputs[k]) / lengths[slopes.length];
      });
      return loss;
    };
    const h = 4e-3;
    const expected = lengths.slice(0, words > 0 ? -1 : undefined).reduce((a, b) => a + b, 0);
    const found = ((await along(h)) - (await along(-h))) / (2 * h);
    expect(Math.abs(found / expected - 1)).toBeLessThan(1e-3); // h^2, and roundings of the loss over h: 2e-5 each
  });
});

const everything = [
  embedding(9, 8),
  positions(),
  ...block(true),
  dropout(0.25),
  lstm(6, { bidirectional: true }),
  gru(5),
  dense(5, 3),
];
const words = (count: number) => Float32Array.from({ length: count }, (_, k) => (7 * k + 3 * (k >> 2)) % 9);

/** Some steps of learning; what is learnt in the end. */
async function learnt(o: { readonly seed: number; readonly dropped?: boolean }): Promise<Float32Array> {
  const layers = o.dropped === false ? everything.filter(({ kind }) => kind !== "dropout") : everything;
  const network = await build(layers, [6, 1], { seed: o.seed });
  network.optimizer = sgd({ learningRate: 0.5, momentum: 0.9 });
  for (const count of [4, 3, 4]) {
    network.forward(words(6 * count), { purpose: "training" });
    network.judge({ labels: labelsOf(network, count) });
    network.backward();
    network.step();
  }
  return Float32Array.from(Object.values(network.weights()).flatMap(({ data }) => Array.from(data)));
}

test("the same seed gives the same bits, another seed others", async () => {
  const first = await learnt({ seed: 5 });
  expect(plain.difference(await learnt({ seed: 5 }), first)).toBe("");
  expect(plain.difference(await learnt({ seed: 6 }), first)).not.toBe("");
  expect(plain.difference(await learnt({ seed: 5, dropped: false }), first)).not.toBe("");
});

test("outputs of an example do not depend on what else is in its batch, to the bit", async () => {
  const network = await build(everything, [6, 1]);
  const x = words(24);
  const together = outputsOf(network, x);
  for (const parts of [
    [1, 3],
    [2, 2],
    [3, 1],
  ]) {
    let from = 0;
    const apart = parts.flatMap((count) => {
      const own = outputsOf(network, x.subarray(6 * from, 6 * (from + count)));
      from += count;
      return own;
    });
    expect(plain.difference(Float32Array.from(apart), Float32Array.from(together))).toBe("");
  }
});

describe("states that are kept:", () => {
  const make = (stateful: boolean, time: number) =>
    build([lstm(5, { stateful }), gru(3, { stateful })], [time, 2], { batch: 2, loss: "squared error" });
  const x = plain.numbers(2 * 12 * 2, 8); // two examples of 12 times
  const part = (from: number, count: number) =>
    Float32Array.from(
      [0, 1].flatMap((k) => Array.from(x.subarray(24 * k + 2 * from, 24 * k + 2 * (from + count)))),
    );

  test("three batches of four times are one of twelve, for each purpose by itself, until forgotten", async () => {
    const [whole, short] = [await make(false, 12), await make(true, 4)];
    short.setWeights(whole.weights());
    const all = outputsOf(whole, x);
    const cut = (from: number) =>
      [0, 1].flatMap((k) => all.slice(36 * k + 3 * from, 36 * k + 3 * (from + 4)));
    outputsOf(short, part(0, 4), "training");
    for (const from of [0, 4, 8]) expect(outputsOf(short, part(from, 4))).toEqual(cut(from));
    expect(outputsOf(short, part(4, 4), "training")).toEqual(cut(4));
    expect(outputsOf(short, part(0, 4))).not.toEqual(cut(0));
    short.forget();
    expect(outputsOf(short, part(0, 4))).toEqual(cut(0));
  });

  test("a batch of another size is refused, and both ways at once", async () => {
    const network = await make(true, 4);
    network.forward(part(0, 4));
    expect(() => network.forward(plain.numbers(8, 1))).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: layer 0, lstm(5): its states are of 2 examples, the batch has 1: forget() lets them begin anew]`,
    );
    await expect(
      build([lstm(5, { stateful: true, bidirectional: true })], [4, 2]),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: layer 0, lstm(5): it cannot go both ways and keep its state: the other way ends where it begins]`,
    );
  });
});

test("in inference dropout passes on what it gets and normalisation goes by its running means, also backwards", async () => {
  const layers = [dense(3, 4), batchNorm(), dropout(0.5), dense(4, 2)];
  const network = await build(layers, [3], { inputDerivatives: true });
  const x = inputsOf(network, 4);
  outputsOf(network, x, "training");
  const { "1.mean": mean, "1.variance": variance, ...weights } = network.weights();
  const y = outputsOf(network, x);
  const w = (name: string) => weights[name].data;
  const hidden = Array.from({ length: 16 }, (_, k) => {
    const sum = [0, 1, 2].reduce(
      (all, i) => all + w("0.weights")[3 * (k % 4) + i] * x[3 * Math.floor(k / 4) + i],
      0,
    );
    return (sum + w("0.bias")[k % 4] - mean.data[k % 4]) / Math.sqrt(variance.data[k % 4] + 1e-5);
  });
  const expected = y.map((_, k) =>
    [0, 1, 2, 3].reduce(
      (all, i) => all + w("3.weights")[4 * (k % 2) + i] * hidden[4 * Math.floor(k / 2) + i],
      0,
    ),
  );
  y.forEach((value, k) => {
    expect(Math.abs(value - expected[k])).toBeLessThan(2e-6);
  });
  const dx = network.backward({ wanted: true, dy: [1, 0, 1, 0, 1, 0, 1, 0] });
  // the outputs are linear in the inputs now: their derivative is their difference
  for (let c = 0; c < 3; c++) {
    const moved = x.slice();
    moved[c] += 0.5;
    expect(Math.abs(2 * (outputsOf(network, moved)[0] - y[0]) - dx.data[c])).toBeLessThan(1e-5);
  }
});

describe("errors name the layer:", () => {
  const message = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => "no error",
      (error: Error) => `${error.name}: ${error.message}`,
    );
  const odd = { kind: "convd2" } as unknown as Layer;

  test.each<readonly [string, readonly Layer[], readonly number[]]>([
    ["layer 1, dense(5, 3): the layer before it has 4 outputs", [relu(), dense(5, 3)], [4]],
    ["layer 1, convd2(): there is no layer convd2; did you mean conv2d?", [relu(), odd], [4]],
    [
      "layer 0.body.1.body.0, dense(3, 4): the layer before it has 4 outputs",
      [residual([dense(4, 4), residual([dense(3, 4)])])],
      [4],
    ],
    ["layer 0, residual(): its body makes [3], its shortcut [4]", [residual([dense(4, 3)])], [4]],
    [
      "layer 0, concatenation(): its branches make [6] and [2, 3]: features alone may differ",
      [concatenation([flatten()], [])],
      [2, 3],
    ],
    [
      "layer 0, conv2d(3): its inputs are images [height, width, channels], not [4, 4]",
      [conv2d(3, { kernel: 3 })],
      [4, 4],
    ],
    [
      "layer 0, conv2d(3): patches of 5 x 5 do not fit into images of [4, 4, 1]",
      [conv2d(3, { kernel: 5, padding: 0 })],
      [4, 4, 1],
    ],
    [
      "layer 0, conv2d(4): 2 groups do not share 3 channels and 4 outputs evenly",
      [conv2d(4, { kernel: 3, groups: 2 })],
      [4, 4, 3],
    ],
    ["layer 0, maxPool(): windows of 5 x 5 do not fit into [4, 4, 1]", [maxPool(5)], [4, 4, 1]],
    ["layer 0, lstm(3): its inputs are sequences [time, features], not [4]", [lstm(3)], [4]],
    ["layer 0, attention(): 8 features are not shared evenly by 3 heads", [attention({ heads: 3 })], [4, 8]],
    ["layer 0, embedding(5, 3): its inputs are words [time, 1], not [4]", [embedding(5, 3)], [4]],
    [
      "layer 1, embedding(5, 3): its inputs are words: no layer that learns can come before it",
      [dense(1, 1), embedding(5, 3)],
      [4, 1],
    ],
    ["layer 0, dropout(): its rate is from 0 to below 1, not 1", [dropout(1)], [4]],
    ["layer 0, gru(0): its units are a whole number from 1, not 0", [gru(0)], [4, 2]],
    ["a network has at least one layer", [], [4]],
    ["inputs: a shape is a list of whole numbers from 1, not [0]", [relu()], [0]],
  ])("%s", async (text, layers, inputs) => {
    expect(await message(build(layers, inputs))).toBe(`ConfigError: ${text}`);
  });

  test("more weights than the memory holds", async () => {
    expect(await message(build([relu(), dense(100, 20_000)], [100]))).toMatchInlineSnapshot(
      `"ConfigError: layer 1, dense(100, 20000): the memory of kernels is full: 2000000 numbers do not fit into what is left of 4390912 bytes"`,
    );
    expect(await message(build([relu()], [4], { memory: 5 }))).toMatchInlineSnapshot(
      `"ConfigError: 5.0 GiB are more than the 4 GiB a memory of kernels can hold"`,
    );
  });

  test("batches, labels, targets and derivatives that do not fit", async () => {
    const network = await build([dense(3, 2)], [3]);
    const told = (work: () => unknown): string => {
      try {
        work();
      } catch (error) {
        if (error instanceof Error) return `${error.name}: ${error.message}`;
      }
      return "no error";
    };
    expect([
      told(() => network.judge({ labels: [0] })),
      told(() => network.forward([1, 2, 3, 4])),
      told(() => network.forward(new Float32Array(15))),
    ]).toMatchInlineSnapshot(`
      [
        "ConfigError: there are no outputs yet",
        "ConfigError: a batch is 1 to 4 examples of [3], so up to 12 numbers, not 4",
        "ConfigError: a batch is 1 to 4 examples of [3], so up to 12 numbers, not 15",
      ]
    `);
    network.forward([1, 2, 3, 4, 5, 6]);
    expect([
      told(() => network.judge({ labels: [0] })),
      told(() => network.judge({ labels: [0, 2] })),
      told(() => network.judge({ labels: [0, 0.5] })),
      told(() => network.judge({ targets: [0, 1, 1, 0] })),
      told(() => network.backward({ dy: [1] })),
      told(() => network.backward({ wanted: true })),
      told(() => network.step()),
    ]).toMatchInlineSnapshot(`
      [
        "ConfigError: 2 rows of outputs have 1 labels",
        "ConfigError: row 1 is of class 2, of 2 from 0",
        "ConfigError: row 1 is of class 0.5, of 2 from 0",
        "ConfigError: targets go with the loss "squared error" or "binary cross-entropy"",
        "ConfigError: 2 rows of 2 outputs have 1 derivatives",
        "ConfigError: derivatives by the inputs are for networks made with inputDerivatives",
        "ConfigError: nothing moves the parameters: set \`optimizer\`",
      ]
    `);
  });

  test("numbers that are not finite, where they come up first, and words out of range", async () => {
    const network = await build([dense(3, 2), relu(), dense(2, 2)], [3]);
    const judged = async (change: () => void, x = [1, 2, 3]) =>
      message(
        (async () => {
          change();
          network.forward(x, { purpose: "training" });
          network.judge({ labels: [0] });
        })(),
      );
    expect([
      await judged(() => {}, [1, Number.NaN, 3]),
      await judged(() => network.parameters[2].value.data.fill(Number.POSITIVE_INFINITY)),
      await judged(() => network.parameters[0].value.data.fill(Number.NaN)),
    ]).toMatchInlineSnapshot(`
      [
        "NumericError: the inputs of batch 0 are not all finite numbers",
        "NumericError: the loss of batch 1 is NaN: outputs of layer 2, dense(2, 2) are not finite; a smaller learning rate may help",
        "NumericError: the loss of batch 2 is NaN: outputs of layer 0, dense(3, 2) are not finite; a smaller learning rate may help",
      ]
    `);
    const reader = await build([embedding(5, 3), dense(3, 2)], [2, 1]);
    for (const word of [5, -1, 0.5, Number.NaN])
      expect(() => reader.forward([0, 1, 2, word])).toThrow(
        `layer 0, embedding(5, 3): words are whole numbers from 0 to 4; number 1 of example 1 is ${word}`,
      );
  });
});

test("of equal numbers in a window the first gets the derivative", async () => {
  const network = await build([maxPool([2, 3])], [2, 3, 1], { inputDerivatives: true });
  network.forward([1, 2, 2, 0, 2, 1]);
  const { data } = network.backward({ wanted: true, dy: [3] });
  expect([0, 1, 2, 3, 4, 5].map((k) => data[4 * k])).toEqual([0, 3, 0, 0, 0, 0]);
});
