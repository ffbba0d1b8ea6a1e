import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mapNetwork } from "../../src/analog/mapping.ts";
import { readOnnx } from "../../src/exchange/onnx.ts";
import { onnxShape } from "../../src/exchange/traced.ts";

const graphOf = (name: string) =>
  readOnnx(new Uint8Array(readFileSync(`test/golden/onnx/${name}.onnx`)), { file: `${name}.onnx` });

test("the matrices of an image network: kernels, channels, places, groups", () => {
  const { matrices, name, source, sample } = onnxShape(graphOf("cnn"));
  expect([name, source, sample]).toEqual([
    "cnn",
    "cnn.onnx, written by golden 1, opset 20",
    "input x of 1 x 3 x 9 x 8",
  ]);
  expect(matrices).toEqual([
    { name: "conv1", kind: "convolution", inputs: 27, outputs: 6, kernel: [3, 3], positions: 20 },
    { name: "conv2", kind: "convolution", inputs: 54, outputs: 6, kernel: [3, 3], positions: 20 },
    { name: "left", kind: "convolution", inputs: 6, outputs: 4, kernel: [1, 1], groups: 2, positions: 20 },
    { name: "right", kind: "convolution", inputs: 36, outputs: 2, kernel: [2, 3], positions: 20 },
    { name: "depth", kind: "convolution", inputs: 54, outputs: 6, kernel: [3, 3], groups: 6, positions: 20 },
    { name: "fc", kind: "dense", inputs: 24, outputs: 7, positions: 1 },
    { name: "out", kind: "dense", inputs: 7, outputs: 4, positions: 1 },
  ]);
});

test("weights that are turned, cast or used twice are one matrix each; products of activations none", () => {
  const shape = onnxShape(graphOf("attention"), { length: 16 });
  expect(shape.matrices.map(({ name, positions }) => [name, positions])).toEqual([
    ["block.q", 16],
    ["block.k", 16],
    ["block.v", 16],
    ["shared", 32],
    ["out", 1],
  ]);
  expect(mapNetwork(shape)).toMatchObject({ weights: 4 * 64 + 24, tiles: 5, mvms: 81 });
  expect(onnxShape(graphOf("mlp")).matrices.map(({ name, inputs }) => [name, inputs])).toEqual([
    ["w1", 12],
    ["w2", 5],
  ]);
});

test("both matrices of a recurrent layer, in both directions, for every step", () => {
  expect(
    onnxShape(graphOf("recurrent"), { length: 9 }).matrices.map((matrix) => Object.values(matrix).join(" ")),
  ).toEqual([
    "lstm forward input recurrent 6 20 9",
    "lstm forward hidden recurrent 5 20 9",
    "lstm backward input recurrent 6 20 9",
    "lstm backward hidden recurrent 5 20 9",
    "gru input recurrent 10 12 9",
    "gru hidden recurrent 4 12 9",
    "out dense 4 3 1",
  ]);
});

test("a size that the file leaves open is asked for by name", () => {
  expect(() => onnxShape(graphOf("recurrent"))).toThrow(
    "recurrent.onnx: the file leaves sizes open: words of x; tell them with --length",
  );
});

test("operators that are not known are refused, all of them by name and place", () => {
  expect(() => onnxShape(graphOf("unknown"))).toThrow(
    "unknown.onnx: 3 operators are not known here: ConvTranspose (up1, up2); If (choice); com.example.Fancy (y)",
  );
});
