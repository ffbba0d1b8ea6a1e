/**
 * What one node of a graph of ONNX is as a layer, and how the numbers lie behind it.
 *
 * Images turn from [channel][line][column] to [line][column][channel], and weights with them; gates of recurrent layers go
 * from the order of ONNX to that of PyTorch. What a layer here cannot do is refused, with the node.
 */
import {
  averagePool,
  batchNorm,
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
  sigmoid,
  tanh,
} from "../deep/layers.ts";
import type { State } from "../deep/sequential.ts";
import type { Shape } from "../tensor/table.ts";
import type { OnnxNode } from "./onnx.ts";
import { integerOf, integersOf, productOf } from "./operators.ts";
import { type Source, type Stored, turned } from "./stored.ts";

/** How the numbers of a value lie. */
export type Layout =
  | { readonly kind: "features" } // [example, feature]
  | { readonly kind: "flat"; readonly image: Shape } // features of an image in the order of ONNX; here [line, column, channel]
  | { readonly kind: "image" } // [example, channel, line, column]
  | { readonly kind: "picture" } // [example, line, column, channel]
  | { readonly kind: "words"; readonly times: 0 | 1 } // [example, time] or turned
  | { readonly kind: "sequence"; readonly times: 0 | 1 } // [example, time, feature] or [time, example, feature]
  | { readonly kind: "directions"; readonly moved: boolean }; // [time, direction, example, feature], direction moved behind example

/** A value, and how its numbers lie. */
export interface Flow {
  readonly value: string;
  readonly layout: Layout;
}

/** Layers of a row as they are found; `path` begins the names of their weights, which go to `weights`. */
export interface Row {
  readonly layers: Layer[];
  readonly path: string;
  readonly weights: State;
}

export const pathIn = ({ layers, path }: Row): string => `${path}${layers.length}`;

/** Adds weights by name. */
export const keep = ({ weights }: Row, name: string, shape: Shape, data: ArrayLike<number>): void => {
  weights[name] = { shape, data: new Float32Array(data) };
};

type Step = (source: Source, node: OnnxNode, at: Flow, row: Row) => Flow;

const pointwise =
  (layer: () => Layer): Step =>
  (_, node, { layout }, { layers }) => {
    layers.push(layer());
    return { value: node.outputs[0], layout };
  };
const unchanged: Step = (_, node, { layout }) => ({ value: node.outputs[0], layout });

/** Nodes that one layer, or none, stands for. */
export const steps: Readonly<Record<string, Step>> = {
  ...{ Relu: pointwise(relu), Sigmoid: pointwise(sigmoid), Tanh: pointwise(tanh), Gelu: pointwise(gelu) },
  ...{ Identity: unchanged, Cast: unchanged },
  ...{ Conv: convolutionStep, Gemm: denseStep, MatMul: denseStep },
  ...{ BatchNormalization: batchNormStep, LayerNormalization: layerNormStep },
  ...{
    MaxPool: poolStep,
    AveragePool: poolStep,
    GlobalAveragePool: globalPoolStep,
    ReduceMean: globalPoolStep,
  },
  ...{ Flatten: reshapedStep, Reshape: reshapedStep, Squeeze: reshapedStep, Unsqueeze: reshapedStep },
  ...{ Transpose: transposedStep, Gather: gatheredStep, Dropout: dropoutStep },
  ...{ LSTM: recurrentStep, GRU: recurrentStep, Add: positionsStep },
};

function denseStep(source: Source, node: OnnxNode, at: Flow, row: Row): Flow {
  const isGemm = node.operator === "Gemm";
  const [, weights] = node.inputs;
  if (node.inputs[0] !== at.value) throw source.fault(node, "weights stand on the right of a product here");
  if (isGemm && integerOf(node, "transA", 0) === 1) throw source.fault(node, "its input is transposed");
  const stored = source.stored(node, weights);
  if (stored.dims.length !== 2)
    throw source.fault(node, `weights of ${stored.dims.join(" x ")} are no matrix`);
  const matrix = isGemm && integerOf(node, "transB", 0) === 1 ? stored : turned(stored, [1, 0]);
  const [outputs, inputs] = matrix.dims;
  const { alpha = 1, beta = 1 } = node.attributes;
  const [value, shift] = [Number(alpha), Number(beta)];
  const order = at.layout.kind === "flat" ? flatOrder(at.layout.image) : undefined;
  const data = new Float32Array(outputs * inputs);
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < inputs; i++)
      data[o * inputs + i] = value * matrix.data[o * inputs + (order ? order[i] : i)];
  const path = pathIn(row);
  const bias =
    isGemm && node.inputs[2]
      ? { node, data: source.stored(node, node.inputs[2]).data.map((b) => shift * b) }
      : source.biasAfter(node.outputs[0], outputs);
  if (bias && ![1, outputs].includes(bias.data.length)) throw source.fault(node, "its bias is not one row");
  keep(row, `${path}.weights`, [outputs, inputs], data);
  if (bias)
    keep(
      row,
      `${path}.bias`,
      [outputs],
      Array.from({ length: outputs }, (_, k) => bias.data[bias.data.length === 1 ? 0 : k]),
    );
  row.layers.push(dense(inputs, outputs, { bias: bias !== undefined }));
  const layout: Layout = at.layout.kind === "flat" ? { kind: "features" } : at.layout;
  if (layout.kind === "image") throw source.fault(node, "a product with an image whose channels come first");
  return { value: (bias?.node ?? node).outputs[0], layout };
}

function convolutionStep(source: Source, node: OnnxNode, at: Flow, row: Row): Flow {
  if (at.layout.kind !== "image") throw source.fault(node, "images alone are convolved here");
  const weights = source.stored(node, node.inputs[1]);
  const [outputs, channels, ...size] = weights.dims;
  if (size.length !== 2) throw source.fault(node, "only images of two dimensions are convolved here");
  if (integersOf(node, "dilations")?.some((d) => d !== 1))
    throw source.fault(node, "its patches are dilated");
  const [kernel, groups] = [[size[0], size[1]] as const, integerOf(node, "group", 1)];
  const stride = pairOf(integersOf(node, "strides") ?? [1, 1]);
  const padding = paddingOf(source, node, at.value, kernel, stride);
  const bias = node.inputs[2] ? { node, data: source.stored(node, node.inputs[2]).data } : undefined;
  const options = { kernel, stride, padding, bias: bias !== undefined };
  const path = pathIn(row);
  const own = turned(weights, [0, 2, 3, 1]);
  if (groups > 1 && channels === 1 && groups === outputs) {
    row.layers.push(depthwise(options));
    keep(row, `${path}.weights`, [size[0] * size[1], outputs], turned(weights, [2, 3, 0, 1]).data);
    if (bias) keep(row, `${path}.bias`, [outputs], bias.data);
  } else {
    row.layers.push(conv2d(outputs, groups === 1 ? options : { ...options, groups }));
    const [count, numbers] = [outputs / groups, own.data.length / groups];
    for (let k = 0; k < groups; k++) {
      const name = groups === 1 ? path : `${path}.group${k}`;
      const part = own.data.subarray(k * numbers, (k + 1) * numbers);
      keep(row, `${name}.weights`, [count, ...size, channels], part);
      if (bias) keep(row, `${name}.bias`, [count], bias.data.subarray(k * count, (k + 1) * count));
    }
  }
  return { value: node.outputs[0], layout: at.layout };
}

/** Zeros around an image. Throws where they are neither even nor those of "same". */
function paddingOf(
  source: Source,
  node: OnnxNode,
  value: string,
  kernel: readonly [number, number],
  stride: readonly [number, number],
): "same" | readonly [number, number] {
  const automatic = String(node.attributes["auto_pad"] ?? "NOTSET");
  if (automatic === "VALID") return [0, 0];
  const image = source.dims(node, value).slice(2);
  const whole = image.map((size, k) =>
    Math.max(0, (Math.ceil(size / stride[k]) - 1) * stride[k] + kernel[k] - size),
  );
  if (automatic === "SAME_UPPER") return "same";
  const [top, left, bottom, right] =
    automatic === "SAME_LOWER"
      ? [...whole.map((all) => Math.ceil(all / 2)), ...whole.map((all) => Math.floor(all / 2))]
      : (integersOf(node, "pads") ?? [0, 0, 0, 0]);
  if (top === bottom && left === right) return [top, left];
  const same = whole.flatMap((all) => [Math.floor(all / 2), Math.ceil(all / 2)]);
  if ([top, bottom, left, right].every((size, k) => size === same[k])) return "same";
  throw source.fault(node, `zeros of ${top}, ${left}, ${bottom}, ${right} around an image are not even`);
}

function batchNormStep(source: Source, node: OnnxNode, at: Flow, row: Row): Flow {
  const [scale, shift, mean, variance] = node.inputs.slice(1, 5).map((name) => source.stored(node, name));
  const path = pathIn(row);
  if (!variance) throw source.fault(node, "it lacks means and variances");
  for (const [name, { dims, data }] of Object.entries({ scale, shift, mean, variance }))
    keep(row, `${path}.${name}`, dims, data);
  if (!["image", "features"].includes(at.layout.kind)) throw source.fault(node, "features come last here");
  row.layers.push(batchNorm({ epsilon: Number(node.attributes["epsilon"] ?? 1e-5) }));
  return { value: node.outputs[0], layout: at.layout };
}

function layerNormStep(source: Source, node: OnnxNode, at: Flow, row: Row): Flow {
  const rank = source.dims(node, at.value).length;
  const axis = integerOf(node, "axis", -1);
  if ((axis !== -1 && axis !== rank - 1) || !["features", "sequence"].includes(at.layout.kind))
    throw source.fault(node, "rows of features alone are normalised here");
  const [scale, shift] = node.inputs.slice(1, 3).map((name) => source.stored(node, name));
  const path = pathIn(row);
  keep(row, `${path}.scale`, scale.dims, scale.data);
  keep(row, `${path}.shift`, scale.dims, shift?.data ?? new Float64Array(scale.data.length));
  row.layers.push(layerNorm({ epsilon: Number(node.attributes["epsilon"] ?? 1e-5) }));
  return { value: node.outputs[0], layout: at.layout };
}

function poolStep(source: Source, node: OnnxNode, at: Flow, row: Row): Flow {
  if (at.layout.kind !== "image") throw source.fault(node, "images alone are pooled here");
  const size = pairOf(integersOf(node, "kernel_shape") ?? []);
  const stride = pairOf(integersOf(node, "strides") ?? [1, 1]);
  const bordered =
    integersOf(node, "pads")?.some((pad) => pad !== 0) || /SAME/.test(String(node.attributes["auto_pad"]));
  if (bordered) throw source.fault(node, "windows beyond the border of an image are not known here");
  const [, , ...image] = source.dims(node, at.value);
  const cut = image.some((all, k) => (all - size[k]) % stride[k] !== 0);
  if (cut && integerOf(node, "ceil_mode", 0) === 1)
    throw source.fault(node, "windows that are cut at the border of an image are not known here");
  if (integersOf(node, "dilations")?.some((d) => d !== 1))
    throw source.fault(node, "its windows are dilated");
  row.layers.push(node.operator === "MaxPool" ? maxPool(size, stride) : averagePool(size, stride));
  return { value: node.outputs[0], layout: at.layout };
}

function globalPoolStep(source: Source, node: OnnxNode, at: Flow, row: Row): Flow {
  const rank = source.dims(node, at.value).length;
  const axes = integersOf(node, "axes", source.known.get(node.inputs[1] ?? ""))?.map((a) =>
    a < 0 ? a + rank : a,
  );
  const { layout } = at;
  const times = layout.kind === "sequence" ? String(layout.times) : "";
  const wanted = layout.kind === "image" ? "2,3" : layout.kind === "picture" ? "1,2" : times;
  if (node.operator === "ReduceMean" && axes?.toSorted().join() !== wanted)
    throw source.fault(node, "the mean is that of all places here");
  if (wanted === "") throw source.fault(node, "there are no places to take a mean of");
  row.layers.push(globalAveragePool());
  return { value: node.outputs[0], layout: { kind: "features" } };
}

/** Sizes told anew: nothing, places of an image side by side, or the directions of a recurrent layer. */
function reshapedStep(source: Source, node: OnnxNode, at: Flow, row: Row): Flow {
  const [from, to] = [source.dims(node, at.value), source.dims(node, node.outputs[0])];
  const value = node.outputs[0];
  const { layout } = at;
  const plain = (dims: Shape) => dims.filter((dim, k) => dim !== 1 || k === 0).join();
  if (layout.kind === "directions") {
    if (layout.moved && to.length === 3) return { value, layout: { kind: "sequence", times: 0 } };
    if (from[1] === 1 && to.length === 3) return { value, layout: { kind: "sequence", times: 0 } };
  } else if (layout.kind === "features" && plain(from) === plain(to)) return { value, layout };
  else if (layout.kind === "flat" && from.join() === to.join()) return { value, layout };
  else if (to.length === 2 && to[1] === productOf(from.slice(1))) {
    if (layout.kind === "image") {
      row.layers.push(flatten());
      return { value, layout: { kind: "flat", image: [from[2], from[3], from[1]] } };
    }
    if (layout.kind === "picture" || (layout.kind === "sequence" && layout.times === 1)) {
      row.layers.push(flatten());
      return { value, layout: { kind: "features" } };
    }
  } else if (from.join() === to.join()) return { value, layout };
  throw source.fault(node, `${from.join(" x ")} to ${to.join(" x ")} is nothing that a layer does here`);
}

function transposedStep(source: Source, node: OnnxNode, { layout, value: before }: Flow): Flow {
  const order = (
    integersOf(node, "perm") ??
    source
      .dims(node, before)
      .map((_, k) => k)
      .reverse()
  ).join();
  const [value] = node.outputs;
  if ((layout.kind === "sequence" && order === "1,0,2") || (layout.kind === "words" && order === "1,0"))
    return { value, layout: { kind: layout.kind, times: layout.times === 0 ? 1 : 0 } };
  if (layout.kind === "picture" && order === "0,3,1,2") return { value, layout: { kind: "image" } };
  if (layout.kind === "image" && order === "0,2,3,1") return { value, layout: { kind: "picture" } };
  if (layout.kind === "directions" && order === "0,2,1,3")
    return { value, layout: { kind: "directions", moved: true } };
  throw source.fault(node, `axes in the order ${order} are nothing that a layer does here`);
}

function gatheredStep(source: Source, node: OnnxNode, at: Flow, row: Row): Flow {
  const [value] = node.outputs;
  const axis = integerOf(node, "axis", 0);
  if (at.layout.kind === "words" && node.inputs[1] === at.value && axis === 0) {
    const rows = source.stored(node, node.inputs[0]);
    keep(row, `${pathIn(row)}.weights`, rows.dims, rows.data);
    row.layers.push(embedding(rows.dims[0], rows.dims[1]));
    return { value, layout: { kind: "sequence", times: at.layout.times } };
  }
  const dims = source.dims(node, at.value);
  const place = source.known.get(node.inputs[1])?.numbers;
  const last = row.layers.at(-1);
  const isLast = place?.length === 1 && [-1, dims[axis] - 1].includes(place[0]);
  const recurrent = last?.kind === "lstm" || last?.kind === "gru" ? last : undefined;
  if (
    at.layout.kind === "sequence" &&
    axis === at.layout.times &&
    isLast &&
    recurrent &&
    !recurrent.bidirectional
  ) {
    row.layers[row.layers.length - 1] = Object.freeze({ ...recurrent, outputs: "last" as const });
    return { value, layout: { kind: "features" } };
  }
  throw source.fault(
    node,
    "here it is rows of an embedding, or the last step of a recurrent layer in one direction",
  );
}

/** A stored row for each time. */
function positionsStep(source: Source, node: OnnxNode, at: Flow, row: Row): Flow {
  const other = node.inputs.find((name) => name !== at.value) ?? "";
  const [, times, features] = source.dims(node, at.value);
  const own = source.known.get(other)?.dims ?? [];
  const isRows = own.slice(-2).join() === [times, features].join() && productOf(own) === times * features;
  if (source.isMoving(other) || at.layout.kind !== "sequence" || at.layout.times !== 1 || !isRows)
    throw source.fault(node, "here it is a bias, a row for each time, or the sum of two branches");
  keep(row, `${pathIn(row)}.weights`, [times, features], source.stored(node, other).data);
  row.layers.push(positions());
  return { value: node.outputs[0], layout: at.layout };
}

function dropoutStep(source: Source, node: OnnxNode, at: Flow, row: Row): Flow {
  const rate = node.attributes["ratio"] ?? source.known.get(node.inputs[1] ?? "")?.numbers?.[0] ?? 0.5;
  row.layers.push(dropout(Number(rate)));
  return { value: node.outputs[0], layout: at.layout };
}

function recurrentStep(source: Source, node: OnnxNode, at: Flow, row: Row): Flow {
  const [, , , , length, h, c, peephole] = node.inputs;
  const batchFirst = integerOf(node, "layout", 0) === 1;
  const { layout } = at;
  if (layout.kind !== "sequence" || (layout.times === 0) === batchFirst)
    throw source.fault(node, "its input is not a sequence in the order that it expects");
  const states = [h, c].filter((name) => name && !source.isZero(node, name));
  if (length || peephole || states.length > 0)
    throw source.fault(node, "lengths, first states and peepholes of its own are not known here");
  for (const name of ["activations", "clip", "activation_alpha", "activation_beta"])
    if (name in node.attributes && !isUsual(node, name))
      throw source.fault(node, `its ${name} are not the usual ones`);
  const isGru = node.operator === "GRU";
  if (isGru && integerOf(node, "linear_before_reset", 0) !== 1)
    throw source.fault(
      node,
      "its reset gate stands before the product; here it stands behind (linear_before_reset = 1)",
    );
  if (node.attributes["direction"] === "reverse") throw source.fault(node, "it goes backwards alone");
  const [w, r] = [source.stored(node, node.inputs[1]), source.stored(node, node.inputs[2])];
  const units = r.dims[2];
  const bias = node.inputs[3] ? source.stored(node, node.inputs[3]) : undefined;
  const path = pathIn(row);
  for (let d = 0; d < w.dims[0]; d++) {
    const own = d === 0 ? path : `${path}.reverse`;
    const rows = (stored: Stored, start: number, width: number, count: number) =>
      gatesOf(stored.data.subarray(start, start + count * units * width), units * width, isGru);
    const gates = isGru ? 3 : 4;
    const size = w.dims[2];
    keep(row, `${own}.input.weights`, [gates * units, size], rows(w, d * gates * units * size, size, gates));
    keep(
      row,
      `${own}.hidden.weights`,
      [gates * units, units],
      rows(r, d * gates * units * units, units, gates),
    );
    const zero: Stored = { dims: [], data: new Float64Array(2 * gates * units) };
    const start = bias ? 2 * d * gates * units : 0;
    const [wb, rb] = [0, gates * units].map((more) => rows(bias ?? zero, start + more, 1, gates));
    keep(row, `${own}.input.bias`, [gates * units], isGru ? wb : wb.map((b, k) => b + rb[k]));
    if (isGru) keep(row, `${own}.hidden.bias`, [gates * units], rb);
  }
  const [y, last] = node.outputs;
  const takesLast = (source.consumers.get(y ?? "")?.length ?? 0) === 0 && source.consumers.has(last ?? "");
  if (takesLast && w.dims[0] !== 1)
    throw source.fault(node, "the last states of two directions are not known here");
  const make = isGru ? gru : lstm;
  row.layers.push(make(units, { outputs: takesLast ? "last" : "sequence", bidirectional: w.dims[0] === 2 }));
  if (takesLast) return { value: last, layout: { kind: "features" } };
  return {
    value: y,
    layout: batchFirst ? { kind: "directions", moved: true } : { kind: "directions", moved: false },
  };
}

function isUsual(node: OnnxNode, name: string): boolean {
  const value = node.attributes[name];
  const usual = node.operator === "GRU" ? ["Sigmoid", "Tanh"] : ["Sigmoid", "Tanh", "Tanh"];
  if (name !== "activations" || !Array.isArray(value)) return Array.isArray(value) && value.length === 0;
  return value.every((each, k) => each === usual[k % usual.length]);
}

/** Blocks of gates in the order of PyTorch, i f g o and r z n, from that of ONNX, i o f c and z r h. */
function gatesOf(data: Stored["data"], block: number, isGru: boolean): Float64Array {
  const order = isGru ? [1, 0, 2] : [0, 2, 3, 1];
  const sorted = new Float64Array(data.length);
  for (const [k, from] of order.entries())
    sorted.set(data.subarray(from * block, (from + 1) * block), k * block);
  return sorted;
}

/** Where the features of an image [line][column][channel] lie in [channel][line][column]. */
function flatOrder([height, width, channels]: Shape): Int32Array {
  return Int32Array.from({ length: height * width * channels }, (_, k) => {
    const [place, channel] = [Math.floor(k / channels), k % channels];
    return channel * height * width + place;
  });
}

const pairOf = (list: readonly number[]): readonly [number, number] => [list[0], list[1]];
