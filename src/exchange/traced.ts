/**
 * From a file of ONNX to the matrices that it holds: sizes are followed through the graph, nothing is computed.
 *
 * A product with a tensor of the file is a matrix; a product of two activations is digital and none. A tensor that several
 * nodes use is one matrix, used more often. Weights are not read.
 */

import { type MatrixShape, type NetworkShape, networkShape } from "../analog/shapes.ts";
import { DataError } from "../math/errors.ts";
import type { OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from "./onnx.ts";
import {
  broadcast,
  type Dims,
  integerOf,
  type Known,
  moving,
  numbersFrom,
  productOf,
  rules,
  windowed,
} from "./operators.ts";

/** Numbers of a tensor that are read because sizes may follow from them: few, and whole. */
const fewest = 64;

type Inputs = readonly (Known | undefined)[];

interface Walk {
  readonly graph: OnnxGraph;
  readonly known: Map<string, Known>;
  readonly matrices: Map<string, MatrixShape>; // by origin of the weights
}

/**
 * The network of a graph. The first size of an input that the file leaves open counts as the batch and is 1; `length` is
 * that of all others. Throws `DataError` on operators that are not known, all of them by name, and on sizes that are missing.
 */
export function onnxShape(graph: OnnxGraph, options: { readonly length?: number } = {}): NetworkShape {
  const { file, producer, opset } = graph;
  const { known, matrices } = traced(graph, options);
  if (matrices.size === 0) throw new DataError("there is no matrix in this network", { place: { file } });
  const samples = graph.inputs.map(({ name }) => {
    const dims = known.get(name)?.dims;
    return dims ? `${name} of ${dims.join(" x ")}` : name;
  });
  const network: NetworkShape = {
    name: file.replace(/^.*[\\/]/, "").replace(/\.onnx$/i, ""),
    source: `${file}, ${producer ? `written by ${producer}, ` : ""}opset ${opset}`,
    sample: `input ${samples.join(", ")}`,
    matrices: distinct([...matrices.values()]),
  };
  try {
    return networkShape(network);
  } catch (cause) {
    throw new DataError((cause as Error).message, { place: { file }, cause }); // sizes that contradict each other
  }
}

/** What is known of the values of a graph, and its matrices. Throws `DataError`. */
export function traced(
  graph: OnnxGraph,
  options: { readonly length?: number; readonly batchAxis?: number } = {},
): Pick<Walk, "known" | "matrices"> {
  expectOperators(graph, (operator) => Object.hasOwn(rules, operator) || Object.hasOwn(weighted, operator));
  const sizes = openSizes(graph, options);
  const known = new Map<string, Known>();
  for (const [name, tensor] of graph.tensors) known.set(name, fixedTensor(tensor));
  for (const value of graph.inputs) known.set(value.name, { dims: sizesOf(value, sizes), fixed: false });
  const walk: Walk = { graph, known, matrices: new Map() };
  for (const node of graph.nodes) follow(walk, node, sizes);
  return walk;
}

type Weighted = (walk: Walk, node: OnnxNode, inputs: Inputs) => readonly (Dims | undefined)[];

const weighted: Readonly<Record<string, Weighted>> = {
  Conv: convolution,
  Gemm: general,
  MatMul: product,
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
};

/** Throws `DataError` with all operators of the graph that are not `known`. */
export function expectOperators(
  { nodes, file }: Pick<OnnxGraph, "nodes" | "file">,
  known: (operator: string) => boolean,
): void {
  const strange = new Map<string, string[]>();
  for (const { operator, name, outputs } of nodes) {
    if (known(operator)) continue;
    strange.set(operator, [...(strange.get(operator) ?? []), name || outputs[0] || "?"]);
  }
  if (strange.size === 0) return;
  const listed = [...strange].map(([operator, names]) => {
    const more = names.length > 3 ? `, … ${names.length} in all` : "";
    return `${operator} (${names.slice(0, 3).join(", ")}${more})`;
  });
  const count = strange.size === 1 ? "this operator is" : `${strange.size} operators are`;
  throw new DataError(`${count} not known here: ${listed.join("; ")}`, { place: { file } });
}

type Sizes = ReadonlyMap<string, number>;

/** Whether a size that is left open is named as a batch. */
export const isBatchSize = (dim: number | string): boolean =>
  typeof dim === "string" && /batch|^[nb]$/i.test(dim);

/** Sizes that the file leaves open, by name. `batchAxis`: that of the batch where none is named so. */
function openSizes(
  { inputs, file }: OnnxGraph,
  { length, batchAxis = 0 }: { readonly length?: number; readonly batchAxis?: number },
): Sizes {
  const sizes = new Map<string, number>();
  for (const { dims } of inputs) {
    const batch = dims?.find(isBatchSize) ?? dims?.[batchAxis];
    if (typeof batch === "string") sizes.set(batch, 1);
  }
  const missing: string[] = [];
  for (const { name, dims } of inputs)
    for (const dim of dims ?? []) {
      if (typeof dim !== "string" || sizes.has(dim)) continue;
      if (length === undefined) missing.push(`${dim} of ${name}`);
      else sizes.set(dim, length);
    }
  if (missing.length > 0)
    throw new DataError(`the file leaves sizes open: ${missing.join(", ")}; tell them with --length`, {
      place: { file },
    });
  return sizes;
}

/** A size without names; undefined where one is left. */
function sizesOf({ dims }: Pick<OnnxValue, "dims">, sizes: Sizes): Dims | undefined {
  const all = dims?.map((dim) => (typeof dim === "number" ? dim : (sizes.get(dim) ?? Number.NaN)));
  return all?.every((dim) => dim >= 0) ? all : undefined;
}

function fixedTensor(tensor: OnnxTensor): Known {
  const { name, dims } = tensor;
  const few = productOf(dims) <= fewest && dims.length <= 1 && /int|float|boolean/.test(tensor.type);
  return {
    dims,
    fixed: true,
    origin: name,
    float: /float/.test(tensor.type),
    get numbers() {
      return few ? Array.from(tensor.numbers()) : undefined; // read only where a size needs them
    },
  };
}

/** What follows from one node. */
function follow(walk: Walk, node: OnnxNode, sizes: Sizes): void {
  const { graph, known } = walk;
  const inputs = node.inputs.map((name) => (name === "" ? undefined : known.get(name)));
  const fixed = inputs.every((input) => input === undefined || input.fixed);
  if (node.operator === "Constant") {
    const [output] = node.outputs;
    known.set(output, constant(node, output));
    return;
  }
  const rule = weighted[node.operator];
  const found = rule ? rule(walk, node, inputs) : (rules[node.operator](node, inputs) ?? []);
  const to = integerOf(node, "to", 0);
  const float =
    node.operator === "Cast" ? [1, 10, 11, 16].includes(to) : inputs.some((input) => input?.float);
  const origin = moving.includes(node.operator) ? inputs[0]?.origin : undefined;
  for (const [k, name] of node.outputs.entries()) {
    if (name === "") continue;
    const dims = found[k] ?? sizesOf(graph.values.get(name) ?? { dims: undefined }, sizes);
    const numbers = k === 0 ? numbersFrom(node, inputs, dims) : undefined;
    known.set(name, { dims, fixed, float, ...(numbers ? { numbers } : {}), ...(origin ? { origin } : {}) });
  }
}

function constant({ attributes }: OnnxNode, name: string): Known {
  const value = attributes["value"];
  if (typeof value === "object" && "numbers" in value) return fixedTensor({ ...value, name });
  const [told] = Object.values(attributes);
  const numbers = (Array.isArray(told) ? told : [told]).map(Number);
  return { dims: Array.isArray(told) ? [numbers.length] : [], numbers, fixed: true, origin: name };
}

function fault({ graph }: Walk, node: OnnxNode, reason: string): DataError {
  const name = node.name || node.outputs[0];
  return new DataError(`${node.operator} ${name}: ${reason}`, { place: { file: graph.file } });
}

/** The size of an input. Throws `DataError` where it is not known. */
function dimsOf(walk: Walk, node: OnnxNode, inputs: Inputs, k: number): Dims {
  const dims = inputs[k]?.dims;
  if (dims) return dims;
  throw fault(walk, node, `the size of its input ${node.inputs[k] ?? k} does not follow from the file`);
}

/** Adds a matrix, or its places to those of the one with the same weights. */
function tell(
  walk: Walk,
  node: OnnxNode,
  weights: Known,
  matrix: Omit<MatrixShape, "name">,
  named: { readonly after: Known; readonly part: string } = { after: weights, part: "" },
): void {
  const originOf = (known: Known) => known.origin ?? (node.name || node.outputs[0]);
  const key = `${originOf(weights)}/${named.part}`;
  const known = walk.matrices.get(key);
  const name = [nameOf(node, originOf(named.after)), named.part].filter(Boolean).join(" ");
  walk.matrices.set(
    key,
    known ? { ...known, positions: known.positions + matrix.positions } : { name, ...matrix },
  );
}

/** The weights' name where a person gave it, "layer1.conv1"; else that of the node. */
function nameOf(node: OnnxNode, origin: string): string {
  const told = /^(.*?)[./_]?(?:weight|kernel|W)$/i.exec(origin)?.[1];
  if (told) return told;
  const words = node.name.replace(/^\/|\/(?:Conv|Gemm|MatMul|LSTM|GRU|RNN)$/g, "").replaceAll("/", ".");
  const counted = /::|^val_|^\d+$/.test(origin) || node.name.includes("/"); // names that an exporter made up
  return (counted && words) || origin;
}

/** Matrices of one name get a number. */
function distinct(matrices: readonly MatrixShape[]): MatrixShape[] {
  const seen = new Map<string, number>();
  return matrices.map((matrix) => {
    const count = (seen.get(matrix.name) ?? 0) + 1;
    seen.set(matrix.name, count);
    return count === 1 ? matrix : { ...matrix, name: `${matrix.name} (${count})` };
  });
}

function convolution(walk: Walk, node: OnnxNode, inputs: Inputs): readonly Dims[] {
  const [batch, , ...image] = dimsOf(walk, node, inputs, 0);
  const [outputs, channels, ...kernel] = dimsOf(walk, node, inputs, 1);
  const weights = inputs[1];
  if (!weights?.fixed) throw fault(walk, node, "its weights are computed, not stored");
  const groups = integerOf(node, "group", 1);
  const places = windowed(node, image, kernel);
  if (places.some((count) => !(count > 0)))
    throw fault(walk, node, `nothing is left of ${image.join(" x ")}`);
  tell(walk, node, weights, {
    kind: "convolution",
    inputs: productOf(kernel) * channels * groups,
    outputs,
    kernel: [kernel[0] ?? 1, productOf(kernel.slice(1))],
    ...(groups > 1 ? { groups } : {}),
    positions: batch * productOf(places),
  });
  return [[batch, outputs, ...places]];
}

function general(walk: Walk, node: OnnxNode, inputs: Inputs): readonly Dims[] {
  const turned = (k: number, name: string) => {
    const dims = dimsOf(walk, node, inputs, k);
    return integerOf(node, name, 0) === 1 ? [...dims].reverse() : dims;
  };
  const [rows, size] = turned(0, "transA");
  const [, outputs] = turned(1, "transB");
  matrixOf(walk, node, inputs, { size, outputs, positions: rows, groups: 1 });
  return [[rows, outputs]];
}

function product(walk: Walk, node: OnnxNode, inputs: Inputs): readonly Dims[] {
  const [a, b] = [dimsOf(walk, node, inputs, 0), dimsOf(walk, node, inputs, 1)];
  const [left, right] = [a.length === 1 ? [1, ...a] : a, b.length === 1 ? [...b, 1] : b];
  const [size, outputs] = right.slice(-2);
  if (left[left.length - 1] !== size)
    throw fault(walk, node, `${a.join(" x ")} and ${b.join(" x ")} do not fit together`);
  const rows = left[left.length - 2];
  const stacked = broadcast([left.slice(0, -2), right.slice(0, -2)]);
  if (!stacked) throw fault(walk, node, `${a.join(" x ")} and ${b.join(" x ")} do not fit together`);
  const groups = productOf(right.slice(0, -2));
  const positions = (productOf(stacked) / groups) * rows;
  if (inputs[0]?.fixed && !inputs[1]?.fixed) {
    // weights from the left: the columns of the other are the samples
    const own = productOf(left.slice(0, -2));
    matrixOf(walk, node, [inputs[1], inputs[0]], {
      size,
      outputs: rows,
      positions: (productOf(stacked) / own) * outputs,
      groups: own,
    });
  } else matrixOf(walk, node, inputs, { size, outputs, positions, groups });
  const dims = [...stacked, rows, outputs];
  return [
    dims.filter(
      (_, k) => !((a.length === 1 && k === dims.length - 2) || (b.length === 1 && k === dims.length - 1)),
    ),
  ];
}

/** A product with stored weights as a matrix; several of them, stacked, as one with groups. */
function matrixOf(
  walk: Walk,
  node: OnnxNode,
  [values, weights]: Inputs,
  { size, outputs, positions, groups }: { size: number; outputs: number; positions: number; groups: number },
): void {
  if (!weights?.fixed || values?.fixed) return; // of activations only, or of weights only: digital
  tell(walk, node, weights, {
    kind: "dense",
    inputs: groups * size,
    outputs: groups * outputs,
    ...(groups > 1 ? { groups } : {}),
    positions,
  });
}

function recurrent(walk: Walk, node: OnnxNode, inputs: Inputs): readonly Dims[] {
  const sequence = dimsOf(walk, node, inputs, 0);
  const [directions, gates, size] = dimsOf(walk, node, inputs, 1);
  const hidden = dimsOf(walk, node, inputs, 2)[2];
  const first = integerOf(node, "layout", 0) === 1;
  const [steps, batch] = first ? [sequence[1], sequence[0]] : sequence;
  for (let d = 0; d < directions; d++) {
    const direction = directions === 1 ? "" : d === 0 ? "forward " : "backward ";
    for (const [k, name, rows] of [
      [1, "input", size],
      [2, "hidden", hidden],
    ] as const) {
      const weights = inputs[k];
      if (!weights?.fixed) throw fault(walk, node, "its weights are computed, not stored");
      const matrix = { kind: "recurrent", inputs: rows, outputs: gates, positions: steps * batch } as const;
      tell(walk, node, weights, matrix, { after: inputs[1] ?? weights, part: direction + name });
    }
  }
  const last = first ? [batch, directions, hidden] : [directions, batch, hidden];
  return [first ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden], last, last];
}
