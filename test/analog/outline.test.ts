import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mapNetwork } from "../../src/analog/mapping.ts";
import { layersShape } from "../../src/analog/outline.ts";
import {
  attention,
  concatenation,
  conv2d,
  dense,
  embedding,
  flatten,
  globalAveragePool,
  gru,
  lstm,
  maxPool,
  positions,
  relu,
  residual,
} from "../../src/deep/layers.ts";
import { importOnnx } from "../../src/exchange/imported.ts";
import { readOnnx } from "../../src/exchange/onnx.ts";
import { onnxShape } from "../../src/exchange/traced.ts";

const graphOf = (name: string) => readOnnx(new Uint8Array(readFileSync(`test/golden/onnx/${name}.onnx`)));

test.each(["cnn", "keras", "mlp", "recurrent"])(
  "the layers of %s have the matrices that its file has",
  (name) => {
    const options = { length: 9 };
    const { layers, inputs } = importOnnx(graphOf(name), options);
    const sizes = ({ matrices }: ReturnType<typeof onnxShape>) =>
      matrices.map((m) => [m.kind, m.inputs, m.outputs, m.kernel, m.groups, m.positions]);
    expect(sizes(layersShape(layers, { inputs }))).toEqual(sizes(onnxShape(graphOf(name), options)));
  },
);

test("ResNet-32 written as layers takes the 34 tiles of the published table", () => {
  const block = (outputs: number, stride: number, shortcut: boolean) => [
    residual(
      [conv2d(outputs, { kernel: 3, stride }), relu(), conv2d(outputs, { kernel: 3 })],
      shortcut ? [conv2d(outputs, { kernel: 1, stride })] : [],
    ),
    relu(),
  ];
  const stage = (outputs: number, stride: number) => [
    ...block(outputs, stride, stride > 1),
    ...[1, 2, 3, 4].flatMap(() => block(outputs, 1, false)),
  ];
  const layers = [
    conv2d(16, { kernel: 3 }),
    ...[...stage(16, 1), ...stage(28, 2), ...stage(56, 2)],
    globalAveragePool(),
    dense(56, 10),
  ];
  const mapping = mapNetwork(layersShape(layers, { inputs: [32, 32, 3] }));
  expect(mapping).toMatchObject({ weights: 361_712, tiles: 34, mvms: 14_785 });
  expect(mapping.matrices[13]).toMatchObject({
    name: "11.shortcut.0",
    inputs: 16,
    outputs: 28,
    positions: 256,
  });
});

test("sequences: recurrent layers in both directions, attention, embedding; branches side by side", () => {
  const layers = [
    embedding(100, 8),
    positions(),
    residual([attention({ heads: 2 })]),
    concatenation([dense(8, 3)], [lstm(4, { bidirectional: true })]),
    gru(5, { outputs: "last" }),
    dense(5, 2),
  ];
  const { matrices } = layersShape(layers, { inputs: [7, 1] });
  expect(matrices.map(({ name, inputs, outputs, positions }) => [name, inputs, outputs, positions])).toEqual([
    ...["query", "key", "value", "output"].map((role) => [`2.body.0.${role}`, 8, 8, 7]),
    ["3.0.0", 8, 3, 7],
    ...["3.1.0", "3.1.0.reverse"].flatMap((name) => [
      [`${name}.input`, 8, 16, 7],
      [`${name}.hidden`, 4, 16, 7],
    ]),
    ["4.input", 11, 15, 7],
    ["4.hidden", 5, 15, 7],
    ["5", 5, 2, 1],
  ]);
});

test("a layer that does not fit is named", () => {
  const thrown = (layers: Parameters<typeof layersShape>[0], inputs: readonly number[]) => () =>
    layersShape(layers, { inputs });
  expect(thrown([relu(), dense(4, 2)], [5])).toThrow(
    "layer 1, dense(4, 2): the layer before it has 5 outputs",
  );
  expect(thrown([conv2d(4, { kernel: 3 })], [5])).toThrow(
    "layer 0, conv2d(4): its inputs are images, not [5]",
  );
  expect(thrown([maxPool(4)], [3, 3, 1])).toThrow("layer 0, maxPool(): it does not fit inputs of [3, 3, 1]");
  expect(thrown([flatten()], [3, 0])).toThrow("inputs: a shape is a list of whole numbers from 1");
});
