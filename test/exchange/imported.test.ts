import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Layer } from "../../src/deep/layers.ts";
import { sequential } from "../../src/deep/sequential.ts";
import { importOnnx } from "../../src/exchange/imported.ts";
import { type OnnxGraph, type OnnxNode, readOnnx } from "../../src/exchange/onnx.ts";

const folder = "test/golden/onnx";
const bytesOf = (name: string) => new Uint8Array(readFileSync(`${folder}/${name}`));
const graphOf = (name: string) =>
  readOnnx(bytesOf(`${name}.onnx`), { file: `${name}.onnx`, beside: (location) => bytesOf(location) });

interface Case {
  readonly shape: readonly number[];
  readonly x: readonly number[];
  readonly y: readonly number[];
}
const expected = JSON.parse(readFileSync(`${folder}/expected.json`, "utf8")) as {
  by: string;
  networks: Record<string, { cases: Case[] }>;
};

/** [image][channel][place] as [image][place][channel]. */
function channelsLast(x: readonly number[], [images, channels, ...size]: readonly number[]): number[] {
  const places = size.reduce((a, b) => a * b, 1);
  return Array.from({ length: images * places * channels }, (_, k) => {
    const [image, place, channel] = [
      Math.floor(k / (places * channels)),
      Math.floor(k / channels) % places,
      k % channels,
    ];
    return x[(image * channels + channel) * places + place];
  });
}

/** Outputs of the network that a file holds, without what fills rows up. */
async function outputs(name: string, { shape, x }: Case): Promise<{ rows: number[][]; ending: unknown }> {
  const { layers, inputs, weights, ending } = importOnnx(graphOf(name), { length: shape[1] });
  const network = await sequential(layers, { inputs, batch: shape[0], seed: 1 });
  network.setWeights(weights);
  const { data, width, features } = network.forward(name === "cnn" ? channelsLast(x, shape) : x);
  const rows = Array.from({ length: shape[0] }, (_, k) =>
    Array.from(data.subarray(k * width, k * width + features)),
  );
  return { rows, ending };
}

const softmax = (row: readonly number[]): number[] => {
  const powers = row.map(Math.exp);
  return powers.map((p) => p / powers.reduce((a, b) => a + b));
};

// Sums of at most 54 products of numbers of about 1: 54 x 2^-24 = 3.2e-6 for each of few layers.
test.each(["cnn", "keras", "mlp", "recurrent", "attention", "packed", "outside"])(
  `%s gives the outputs of ${expected.by} to 1e-5`,
  async (name) => {
    for (const own of expected.networks[name].cases) {
      const { rows, ending } = await outputs(name, own);
      const found = (ending === "softmax" ? rows.map(softmax) : rows).flat();
      expect(found).toHaveLength(own.y.length);
      expect(Math.max(...found.map((value, k) => Math.abs(value - own.y[k])))).toBeLessThan(1e-5);
    }
  },
);

test("an image network becomes layers with the names of their weights", () => {
  const { layers, inputs, weights, ending } = importOnnx(graphOf("cnn"));
  const kinds = (row: readonly Layer[]): unknown[] =>
    row.map((layer) =>
      layer.kind === "residual"
        ? [layer.kind, kinds(layer.body), kinds(layer.shortcut)]
        : layer.kind === "concatenation"
          ? [layer.kind, ...layer.branches.map(kinds)]
          : layer.kind,
    );
  expect(kinds(layers)).toEqual([
    ...["conv2d", "batchNorm", "relu"],
    ["residual", ["conv2d", "batchNorm"], []],
    "relu",
    ["concatenation", ["conv2d"], ["conv2d", "tanh"]],
    ...["depthwise", "sigmoid", "maxPool", "flatten", "dense", "gelu", "dense"],
  ]);
  expect([inputs, ending]).toEqual([[9, 8, 3], "softmax"]);
  expect(Object.entries(weights).map(([name, { shape }]) => `${name} ${shape.join("x")}`)).toEqual([
    "0.weights 6x3x3x3",
    ...["1.scale 6", "1.shift 6", "1.mean 6", "1.variance 6"],
    ...["3.body.0.weights 6x3x3x6", "3.body.0.bias 6"],
    ...["3.body.1.scale 6", "3.body.1.shift 6", "3.body.1.mean 6", "3.body.1.variance 6"],
    ...[
      "5.0.0.group0.weights 2x1x1x3",
      "5.0.0.group0.bias 2",
      "5.0.0.group1.weights 2x1x1x3",
      "5.0.0.group1.bias 2",
    ],
    "5.1.0.weights 2x2x3x6",
    ...["6.weights 9x6", "6.bias 6", "10.weights 7x24", "10.bias 7", "12.weights 4x7", "12.bias 4"],
  ]);
});

/** A graph with other attributes of its first node of an operator. */
function changed(graph: OnnxGraph, operator: string, attributes: OnnxNode["attributes"]): OnnxGraph {
  const at = graph.nodes.findIndex((node) => node.operator === operator);
  const nodes = graph.nodes.map((node, k) =>
    k === at ? { ...node, attributes: { ...node.attributes, ...attributes } } : node,
  );
  return { ...graph, nodes };
}

test("what a layer here cannot do is refused with the node", () => {
  const [cnn, recurrent] = [graphOf("cnn"), graphOf("recurrent")];
  const refusal = (graph: OnnxGraph) => {
    try {
      importOnnx(graph, { length: 7 });
      return "";
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
  };
  expect(refusal(changed(cnn, "Conv", { dilations: [2, 2], pads: [2, 2, 2, 2] }))).toBe(
    "DataError: cnn.onnx: Conv Conv_0: its patches are dilated",
  );
  expect(refusal(changed(cnn, "Conv", { pads: [0, 2, 2, 0] }))).toMatch(
    /Conv Conv_0: zeros of 0, 2, 2, 0 around an image are not even$/,
  );
  expect(refusal(changed(cnn, "MaxPool", { pads: [1, 1, 1, 1] }))).toMatch(
    /MaxPool MaxPool_\d+: windows beyond the border of an image are not known here$/,
  );
  expect(refusal(changed(recurrent, "GRU", { linear_before_reset: 0 }))).toMatch(
    /GRU GRU_\d: its reset gate/,
  );
  expect(refusal(changed(recurrent, "LSTM", { activations: ["Relu", "Tanh", "Tanh"] }))).toMatch(
    /LSTM LSTM_\d: its activations are not the usual ones$/,
  );
  const attention = graphOf("attention");
  expect(refusal(changed(attention, "Transpose", { perm: [0, 2, 1, 3] }))).toBe("");
  const packed = graphOf("packed");
  const mask = packed.tensors.get("mask");
  const other = mask && { ...mask, numbers: () => mask.numbers().fill(-1e9) };
  expect(
    refusal({
      ...packed,
      tensors: new Map([...packed.tensors, ...(other ? [["mask", other] as const] : [])]),
    }),
  ).toMatch(/Add Add_\d+: a mask that is not that of times to come$/);
  const nodes = attention.nodes.map((node) =>
    node.operator === "Softmax" ? { ...node, operator: "Tanh" } : node,
  );
  expect(refusal({ ...attention, nodes })).toMatch(
    /attention\.onnx: MatMul MatMul_\d+: a product of two activations that is no attention is not a layer here$/,
  );
});

test("operators without a layer are refused, all of them by name", () => {
  const renamed = (graph: OnnxGraph, names: Readonly<Record<string, string>>): OnnxGraph => ({
    ...graph,
    nodes: graph.nodes.map((node) => ({ ...node, operator: names[node.operator] ?? node.operator })),
  });
  expect(() => importOnnx(renamed(graphOf("cnn"), { Tanh: "HardSwish", MaxPool: "LpPool" }))).toThrow(
    /^cnn\.onnx: 2 operators are not known here: HardSwish \(Tanh_\d+\); LpPool \(MaxPool_\d+\)$/,
  );
  expect(() => importOnnx(graphOf("unknown"))).toThrow(
    "unknown.onnx: 3 operators are not known here: ConvTranspose (up1, up2); If (choice); com.example.Fancy (y)",
  );
});
