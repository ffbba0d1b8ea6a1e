import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readOnnx } from "../../src/exchange/onnx.ts";
import { onnxShape } from "../../src/exchange/traced.ts";
import { DataError } from "../../src/math/errors.ts";

const folder = "test/golden/onnx";
const bytesOf = (name: string) => new Uint8Array(readFileSync(`${folder}/${name}`));
const graphOf = (name: string) => readOnnx(bytesOf(`${name}.onnx`), { file: `${name}.onnx` });

/** A field of Protocol Buffers: a number, or bytes with their length. */
function field(number: number, value: number | Uint8Array | string): number[] {
  const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(Math.floor(n / 128))]);
  if (typeof value === "number") return [...varint(8 * number), ...varint(value)];
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return [...varint(8 * number + 2), ...varint(bytes.length), ...bytes];
}
const message = (...fields: readonly number[][]) => Uint8Array.from(fields.flat());

/** A file with one tensor. */
const fileOf = (...tensor: readonly number[][]) => message(field(7, message(field(5, message(...tensor)))));
const numbersOf = (...tensor: readonly number[][]) =>
  Array.from(
    readOnnx(fileOf(field(8, "t"), ...tensor))
      .tensors.get("t")
      ?.numbers() ?? [],
  );
const raw = (typed: ArrayBufferView) =>
  field(9, new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength));

test("nodes, attributes, tensors and open sizes are read as they stand", () => {
  const { nodes, tensors, inputs, outputs, producer, opset } = graphOf("cnn");
  expect([producer, opset]).toEqual(["golden 1", 20]);
  expect([inputs, outputs]).toEqual([
    [{ name: "x", dims: ["batch", 3, 9, 8] }],
    [{ name: "y", dims: ["batch", 4] }],
  ]);
  expect(nodes[0]).toEqual({
    name: "Conv_0",
    operator: "Conv",
    inputs: ["x", "conv1.weight"],
    outputs: ["v0"],
    attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] },
  });
  expect(nodes.at(-1)?.attributes).toEqual({ axis: -1 });
  expect(nodes.find(({ operator }) => operator === "BatchNormalization")?.attributes["epsilon"]).toBe(
    Math.fround(1e-3),
  );
  expect(tensors.get("conv1.weight")).toMatchObject({ dims: [6, 3, 3, 3], type: "float32" });
});

test("numbers of a tensor: raw or listed, float16, bfloat16, float64 and whole ones, negative too", () => {
  const dims = field(1, 3);
  const type = (number: number) => field(2, number);
  expect(numbersOf(dims, type(1), raw(Float32Array.of(1.5, -2, 0.25)))).toEqual([1.5, -2, 0.25]);
  expect(numbersOf(dims, type(11), raw(Float64Array.of(0.1, -2, 1e300)))).toEqual([0.1, -2, 1e300]);
  expect(numbersOf(dims, type(7), raw(BigInt64Array.of(-1n, 5n, -(2n ** 40n))))).toEqual([-1, 5, -(2 ** 40)]);
  expect(numbersOf(dims, type(3), raw(Int8Array.of(-1, 0, 127)))).toEqual([-1, 0, 127]);
  const half = Uint16Array.of(0x3c00, 0xc500, 0x0001, 0x7c00, 0x03ff, 0x7bff);
  expect(numbersOf(field(1, 6), type(10), raw(half))).toEqual([
    1,
    -5,
    2 ** -24,
    Number.POSITIVE_INFINITY,
    1023 * 2 ** -24,
    65504,
  ]);
  expect(numbersOf(dims, type(16), raw(Uint16Array.of(0x3f80, 0xc0a0, 0x7f7f)))).toEqual([
    1,
    -5,
    255 * 2 ** 120,
  ]);
  const floats = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
  expect(numbersOf(dims, type(1), field(4, floats))).toEqual([1, 2, 3]); // packed
  expect(numbersOf(dims, type(7), field(7, Uint8Array.of(...new Array(9).fill(255), 1, 3, 0x80, 1)))).toEqual(
    [-1, 3, 128],
  );
  expect(numbersOf(dims, type(7), field(7, 1), field(7, 2), field(7, 3))).toEqual([1, 2, 3]); // not packed
});

test("numbers that are missing, too many, elsewhere or of no type are told with the tensor", () => {
  const place = "network.onnx: tensor t";
  expect(() => numbersOf(field(1, 3), field(2, 1), raw(Float32Array.of(1, 2)))).toThrow(
    `${place} has 8 bytes for 3 numbers of float32`,
  );
  expect(() => numbersOf(field(1, 3), field(2, 1))).toThrow(`${place} has 0 numbers for a size of 3`);
  expect(() => numbersOf(field(1, 1), field(2, 8))).toThrow(
    `${place} is of type text, which has no numbers here`,
  );
  expect(() => numbersOf(field(1, 1), field(2, 99))).toThrow(`${place} is of type unknown`);
  const outside = readOnnx(bytesOf("outside.onnx"), { file: "outside.onnx" });
  expect(() => outside.tensors.get("fc.weight")?.numbers()).toThrow(
    "outside.onnx: tensor fc.weight lies in another file, outside.bin",
  );
});

test("weights beside the file are read where they lie; a file that is too short is told", () => {
  const weights = bytesOf("outside.bin");
  const graph = readOnnx(bytesOf("outside.onnx"), { beside: () => weights });
  const view = new DataView(weights.buffer);
  const bias = Array.from({ length: 3 }, (_, k) => view.getFloat32(48 + 4 * k, true));
  expect(Array.from(graph.tensors.get("fc.bias")?.numbers() ?? [])).toEqual(bias);
  const cut = readOnnx(bytesOf("outside.onnx"), { beside: () => weights.subarray(0, 50) });
  expect(() => cut.tensors.get("fc.bias")?.numbers()).toThrow(
    "tensor fc.bias lies beyond the end of outside.bin, which has 50 bytes",
  );
});

test("a file that is cut off, damaged or something else is one DataError with its name and the byte", () => {
  const bytes = bytesOf("cnn.onnx");
  expect(() => readOnnx(bytes.subarray(0, 2000), { file: "a.onnx" })).toThrow(
    /^a\.onnx: this is not a whole file of ONNX: the file is cut off or damaged at byte \d+$/,
  );
  expect(() => readOnnx(new TextEncoder().encode("<html>"), { file: "a.onnx" })).toThrow(
    "a.onnx: this is not a whole file of ONNX: there is no such kind of field at byte 1",
  );
  expect(() => readOnnx(new Uint8Array(0))).toThrow(
    "network.onnx: this is no file of ONNX: it holds no graph",
  );
});

test("of 400 damaged files every one is read or refused by DataError", () => {
  const bytes = bytesOf("recurrent.onnx");
  let refused = 0;
  let state = 7;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let k = 0; k < 400; k++) {
    const damaged = bytes.slice(0, k % 3 === 0 ? next(bytes.length) : bytes.length);
    for (let j = 0; j < 4; j++) damaged[k % 2 === 0 ? next(400) : next(damaged.length)] = next(256);
    try {
      onnxShape(readOnnx(damaged), { length: 7 });
    } catch (error) {
      refused++;
      if (!(error instanceof DataError)) expect(error, `case ${k}`).toBeInstanceOf(DataError);
    }
  }
  expect(refused).toBeGreaterThan(100);
});
