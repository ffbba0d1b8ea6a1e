/**
 * Networks in files of ONNX: nodes, their attributes and the tensors that come with them, as they stand.
 *
 * Knows the form of a file, not what an operator does. Numbers of fields: onnx.proto of ONNX 1.17 (opset 22), which later
 * versions only add to. Weights may lie in other files beside; they are asked for when they are wanted.
 */
import { DataError } from "../math/errors.ts";
import { Message, WireError } from "./protobuf.ts";

/** Numbers of an ONNX tensor, and what is known of them without reading them. */
export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: string; // "float32"
  /** All of them, in the order of a row-major array. Throws `DataError` where they are missing or of a type with no numbers. */
  readonly numbers: () => Float32Array | Float64Array;
}

export type OnnxAttribute = number | string | readonly number[] | readonly string[] | OnnxTensor;

export interface OnnxNode {
  readonly name: string; // "" where it has none
  readonly operator: string; // "Conv"; with its domain where that is not ONNX's own
  readonly inputs: readonly string[]; // "" for one that is left out
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A value by name, with its size as far as the file tells: a name for what is open, undefined where nothing is said. */
export interface OnnxValue {
  readonly name: string;
  readonly dims: readonly (number | string)[] | undefined;
}

export interface OnnxGraph {
  readonly file: string;
  readonly producer: string; // "pytorch 2.5.1"
  readonly opset: number;
  readonly nodes: readonly OnnxNode[]; // each after those whose outputs it takes
  readonly tensors: ReadonlyMap<string, OnnxTensor>;
  readonly inputs: readonly OnnxValue[]; // without tensors
  readonly outputs: readonly OnnxValue[];
  /** Sizes of values in between, where the file tells them. */
  readonly values: ReadonlyMap<string, OnnxValue>;
}

export interface OnnxOptions {
  /** Name of the file, for errors. */
  readonly file?: string;
  /** The bytes of a file beside it that holds weights. Throws where there is none. */
  readonly beside?: (location: string) => Uint8Array;
}

/** Reads a file of ONNX. Throws `DataError` where it is none, is cut off or damaged. */
export function readOnnx(bytes: Uint8Array, options: OnnxOptions = {}): OnnxGraph {
  const { file = "network.onnx", beside } = options;
  const files = new Map<string, Uint8Array>(); // each is read once
  const read = (location: string): Uint8Array => {
    const own = files.get(location) ?? beside?.(location) ?? new Uint8Array(0);
    files.set(location, own);
    return own;
  };
  try {
    return graphFrom(new Message(bytes), file, beside && read);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new DataError(`this is not a whole file of ONNX: ${cause.message}`, { place: { file }, cause });
  }
}

/** Sizes and converters by number of type: TensorProto.DataType. */
const types: Readonly<
  Record<
    number,
    { readonly name: string; readonly size: number; readonly read?: (v: DataView, at: number) => number }
  >
> = {
  1: { name: "float32", size: 4, read: (v, at) => v.getFloat32(at, true) },
  2: { name: "uint8", size: 1, read: (v, at) => v.getUint8(at) },
  3: { name: "int8", size: 1, read: (v, at) => v.getInt8(at) },
  4: { name: "uint16", size: 2, read: (v, at) => v.getUint16(at, true) },
  5: { name: "int16", size: 2, read: (v, at) => v.getInt16(at, true) },
  6: { name: "int32", size: 4, read: (v, at) => v.getInt32(at, true) },
  7: { name: "int64", size: 8, read: (v, at) => Number(v.getBigInt64(at, true)) },
  8: { name: "text", size: 0 },
  9: { name: "boolean", size: 1, read: (v, at) => v.getUint8(at) },
  10: { name: "float16", size: 2, read: (v, at) => half(v.getUint16(at, true)) },
  11: { name: "float64", size: 8, read: (v, at) => v.getFloat64(at, true) },
  12: { name: "uint32", size: 4, read: (v, at) => v.getUint32(at, true) },
  13: { name: "uint64", size: 8, read: (v, at) => Number(v.getBigUint64(at, true)) },
  16: { name: "bfloat16", size: 2, read: (v, at) => brain(v.getUint16(at, true)) },
};

function half(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function brain(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, bits);
  return view.getFloat32(0);
}

function graphFrom(model: Message, file: string, beside: OnnxOptions["beside"]): OnnxGraph {
  const graph = model.message(7);
  if (graph === undefined)
    throw new DataError("this is no file of ONNX: it holds no graph", { place: { file } });
  const opset =
    model
      .messages(8)
      .find((set) => ["", "ai.onnx"].includes(set.text(1)))
      ?.integer(2) ?? 1;
  const tensor = (message: Message) => tensorFrom(message, file, beside);
  const tensors = new Map(graph.messages(5).map((message) => [message.text(8), tensor(message)]));
  const nodes = graph.messages(1).map((message) => nodeFrom(message, tensor));
  const values = (field: number) => graph.messages(field).map(valueFrom);
  return {
    file,
    producer: [model.text(2), model.text(3)].filter(Boolean).join(" "),
    opset,
    nodes,
    tensors,
    inputs: values(11).filter(({ name }) => !tensors.has(name)),
    outputs: values(12),
    values: new Map([...values(13), ...values(12)].map((value) => [value.name, value])),
  };
}

function nodeFrom(node: Message, tensor: (message: Message) => OnnxTensor): OnnxNode {
  const domain = node.text(7);
  const attributes = node.messages(5).flatMap((attribute): [string, OnnxAttribute][] => {
    const name = attribute.text(1);
    const kind = attribute.integer(20); // AttributeProto.AttributeType; old files tell it not
    const [float, integer, [words]] = [attribute.floats(2).at(-1), attribute.integer(3), attribute.texts(4)];
    const inner = attribute.message(5);
    if (kind === 1 || (kind === undefined && float !== undefined)) return [[name, float ?? 0]];
    if (kind === 2 || (kind === undefined && integer !== undefined)) return [[name, integer ?? 0]];
    if (kind === 3 || (kind === undefined && words !== undefined)) return [[name, words ?? ""]];
    if (inner !== undefined) return [[name, tensor(inner)]];
    if (kind === 8 || attribute.texts(9).length > 0) return [[name, attribute.texts(9)]];
    if (kind === 6 || attribute.floats(7).length > 0) return [[name, attribute.floats(7)]];
    return kind === 7 || kind === undefined ? [[name, attribute.integers(8)]] : []; // graphs are left out
  });
  return {
    name: node.text(3),
    operator: ["", "ai.onnx"].includes(domain) ? node.text(4) : `${domain}.${node.text(4)}`,
    inputs: node.texts(1),
    outputs: node.texts(2),
    attributes: Object.fromEntries(attributes),
  };
}

function valueFrom(value: Message): OnnxValue {
  const shape = value.message(2)?.message(1)?.message(2); // type, tensor, shape
  const dims = shape?.messages(1).map((dim) => dim.integer(1) ?? (dim.text(2) || "?"));
  return { name: value.text(1), dims };
}

function tensorFrom(tensor: Message, file: string, beside: OnnxOptions["beside"]): OnnxTensor {
  const name = tensor.text(8);
  const dims = tensor.integers(1);
  const { name: type, size, read } = types[tensor.integer(2) ?? 0] ?? { name: "unknown", size: 0 };
  const count = dims.reduce((product, dim) => product * dim, 1);
  const fault = (reason: string) =>
    new DataError(`tensor ${name || "without a name"} ${reason}`, { place: { file } });
  const numbers = (): Float32Array | Float64Array => {
    if (read === undefined) throw fault(`is of type ${type}, which has no numbers here`);
    const listed = tensor.bytes(9).length === 0 && tensor.integer(14) !== 1;
    if (listed) {
      const all = [
        tensor.floats(4),
        tensor.integers(5),
        tensor.integers(7),
        tensor.doubles(10),
        tensor.integers(11),
      ];
      const found = all.find((list) => list.length > 0) ?? [];
      if (found.length !== count)
        throw fault(`has ${found.length} numbers for a size of ${dims.join(" x ")}`);
      if (type === "float16") return Float64Array.from(found, half);
      return type === "bfloat16" ? Float64Array.from(found, brain) : Float64Array.from(found);
    }
    const bytes = tensor.integer(14) === 1 ? external(tensor, size * count) : tensor.bytes(9)[0];
    if (bytes.length !== size * count)
      throw fault(`has ${bytes.length} bytes for ${count} numbers of ${type}`);
    if (type === "float32") return new Float32Array(new Uint8Array(bytes).buffer); // what runs WebAssembly is little-endian
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const values = new Float64Array(count);
    for (let k = 0; k < count; k++) values[k] = read(view, size * k);
    return values;
  };
  const external = (message: Message, length: number): Uint8Array => {
    const entries = Object.fromEntries(message.messages(13).map((entry) => [entry.text(1), entry.text(2)]));
    const location = entries["location"] ?? "";
    if (beside === undefined) throw fault(`lies in another file, ${location}`);
    const [offset, size] = [Number(entries["offset"] ?? 0), Number(entries["length"] ?? length)];
    const bytes = beside(location);
    if (!(offset >= 0 && size >= 0 && offset + size <= bytes.length))
      throw fault(`lies beyond the end of ${location}, which has ${bytes.length} bytes`);
    return bytes.subarray(offset, offset + size);
  };
  return { name, dims, type, numbers };
}
