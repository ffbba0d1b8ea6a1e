/**
 * Sizes that operators of ONNX give their outputs, and whole numbers where sizes are computed from sizes.
 *
 * A rule gets what is known of its inputs and tells what follows; undefined where that is not enough. Rules follow the text of
 * the ONNX operator specification, opsets 7 to 22. Operators with weights are not here: `traced.ts` has them.
 */
import type { OnnxNode } from "./onnx.ts";

export type Dims = readonly number[];

/** What is known of a value without running the network. */
export interface Known {
  readonly dims: Dims | undefined;
  /** The numbers themselves, where they are few and follow from sizes. */
  readonly numbers?: readonly number[];
  /** Whether these are not whole numbers by their type. */
  readonly float?: boolean;
  /** Whether it is the same for every sample. */
  readonly fixed: boolean;
  /** The tensor of the file that it is, turned or reshaped at most. */
  readonly origin?: string;
}

type Inputs = readonly (Known | undefined)[]; // undefined: left out
type Rule = (node: OnnxNode, inputs: Inputs) => readonly (Dims | undefined)[] | undefined;

export function integerOf({ attributes }: OnnxNode, name: string, missing: number): number {
  const value = attributes[name];
  return typeof value === "number" ? value : missing;
}

/** Whole numbers of an attribute, or of an input, where newer opsets have them. */
export function integersOf(node: OnnxNode, name: string, input?: Known): readonly number[] | undefined {
  const value = node.attributes[name];
  if (Array.isArray(value) && value.every((each) => typeof each === "number")) return value as number[];
  return input?.numbers;
}

export const productOf = (dims: Dims): number => dims.reduce((product, dim) => product * dim, 1);

/** An axis counted from the front, of so many. */
const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** The size of several values together; undefined where one is unknown or they do not fit. */
export function broadcast(all: readonly (Dims | undefined)[]): Dims | undefined {
  const rank = Math.max(...all.map((dims) => dims?.length ?? 0));
  const joined: number[] = [];
  for (let k = 0; k < rank; k++) {
    let size = 1;
    for (const dims of all) {
      if (dims === undefined) return undefined;
      const own = dims[k - rank + dims.length] ?? 1;
      if (own !== 1 && size !== 1 && own !== size) return undefined;
      if (own !== 1) size = own;
    }
    joined.push(size);
  }
  return joined;
}

/** Places that a window finds along each axis of an image: of a convolution or of pooling. */
export function windowed(node: OnnxNode, image: Dims, kernel: Dims): Dims {
  const of = (name: string) => integersOf(node, name);
  const strides = of("strides") ?? kernel.map(() => 1);
  const dilations = of("dilations") ?? kernel.map(() => 1);
  const pads = of("pads") ?? [...kernel, ...kernel].map(() => 0);
  const automatic = String(node.attributes["auto_pad"] ?? "NOTSET");
  const up = integerOf(node, "ceil_mode", 0) === 1;
  return kernel.map((size, k) => {
    if (automatic.startsWith("SAME")) return Math.ceil(image[k] / strides[k]);
    const border = automatic === "VALID" ? 0 : pads[k] + pads[k + kernel.length];
    const room = (image[k] + border - (size - 1) * dilations[k] - 1) / strides[k];
    return (up ? Math.ceil(room) : Math.floor(room)) + 1;
  });
}

const same: Rule = (_, [input]) => [input?.dims];
const together: Rule = (_, inputs) => [broadcast(inputs.map((input) => input?.dims))];

const pool: Rule = (node, [input]) => {
  const kernel = integersOf(node, "kernel_shape");
  if (!input?.dims || !kernel) return undefined;
  const [batch, channels, ...image] = input.dims;
  const dims = [batch, channels, ...windowed(node, image, kernel)];
  return [dims, dims];
};

const globalPool: Rule = (_, [input]) => {
  if (!input?.dims) return undefined;
  const [batch, channels, ...image] = input.dims;
  return [[batch, channels, ...image.map(() => 1)]];
};

const reduce: Rule = (node, [input, axes]) => {
  if (!input?.dims) return undefined;
  const { dims } = input;
  const all = dims.map((_, k) => k);
  if (axes && !axes.numbers) return undefined;
  const told = integersOf(node, "axes", axes) ?? [];
  const none = told.length === 0 && integerOf(node, "noop_with_empty_axes", 0) === 1;
  const gone = new Set(told.length > 0 ? told.map((axis) => fromFront(axis, dims.length)) : none ? [] : all);
  if (integerOf(node, "keepdims", 1) === 1) return [dims.map((dim, k) => (gone.has(k) ? 1 : dim))];
  return [dims.filter((_, k) => !gone.has(k))];
};

/** The size of the largest value along one axis only: its place. */
const place: Rule = (node, [input]) => {
  if (!input?.dims) return undefined;
  const axis = fromFront(integerOf(node, "axis", 0), input.dims.length);
  const kept = integerOf(node, "keepdims", 1) === 1;
  return [input.dims.flatMap((dim, k) => (k !== axis ? [dim] : kept ? [1] : []))];
};

const reshape: Rule = (node, [input, shape]) => {
  const told = integersOf(node, "shape", shape);
  if (!told) return undefined;
  const zero = integerOf(node, "allowzero", 0) === 1;
  const dims = told.map((dim, k) => (dim === 0 && !zero ? (input?.dims?.[k] ?? Number.NaN) : dim));
  const open = dims.indexOf(-1);
  if (open >= 0) {
    if (!input?.dims) return undefined;
    dims[open] = productOf(input.dims) / -productOf(dims);
  }
  return dims.every((dim) => Number.isInteger(dim) && dim >= 0) ? [dims] : undefined;
};

const flatten: Rule = (node, [input]) => {
  if (!input?.dims) return undefined;
  const axis = fromFront(integerOf(node, "axis", 1), input.dims.length);
  return [[productOf(input.dims.slice(0, axis)), productOf(input.dims.slice(axis))]];
};

const transpose: Rule = (node, [input]) => {
  if (!input?.dims) return undefined;
  const order = integersOf(node, "perm") ?? input.dims.map((_, k) => k).reverse();
  return [order.map((axis) => input.dims?.[axis] ?? Number.NaN)];
};

const squeeze: Rule = (node, [input, axes]) => {
  if (!input?.dims || (axes && !axes.numbers)) return undefined;
  const { dims } = input;
  const told = integersOf(node, "axes", axes)?.map((axis) => fromFront(axis, dims.length));
  return [dims.filter((dim, k) => !(told ? told.includes(k) : dim === 1))];
};

const unsqueeze: Rule = (node, [input, axes]) => {
  const told = integersOf(node, "axes", axes);
  if (!input?.dims || !told) return undefined;
  const dims = [...input.dims];
  const rank = dims.length + told.length;
  for (const axis of told.map((axis) => fromFront(axis, rank)).sort((a, b) => a - b)) dims.splice(axis, 0, 1);
  return [dims];
};

const concatenate: Rule = (node, inputs) => {
  const all = inputs.map((input) => input?.dims);
  const [first] = all;
  if (!first || !all.every((dims) => dims !== undefined)) return undefined;
  const axis = fromFront(integerOf(node, "axis", 1), first.length);
  return [first.map((dim, k) => (k === axis ? all.reduce((sum, dims) => sum + dims[k], 0) : dim))];
};

const split: Rule = (node, [input, sizes]) => {
  if (!input?.dims || (sizes && !sizes.numbers)) return undefined;
  const { dims } = input;
  const axis = fromFront(integerOf(node, "axis", 0), dims.length);
  const count = integerOf(node, "num_outputs", node.outputs.length);
  const whole = Math.ceil(dims[axis] / count);
  const even = Array.from({ length: count }, (_, k) => Math.min(whole, dims[axis] - k * whole));
  return (integersOf(node, "split", sizes) ?? even).map((size) =>
    dims.map((dim, k) => (k === axis ? size : dim)),
  );
};

/** First place, step and count along an axis of so many, as Python has it. */
export function placesAlong(
  start: number,
  end: number,
  step: number,
  dim: number,
): { first: number; count: number } {
  const clip = (value: number) => {
    const front = value < 0 ? value + dim : value;
    return Math.min(Math.max(front, step > 0 ? 0 : -1), step > 0 ? dim : dim - 1);
  };
  const first = Math.min(clip(start), dim - (step > 0 ? 0 : 1));
  return { first, count: Math.max(0, Math.ceil((clip(end) - first) / step)) };
}

const slice: Rule = (node, [input, start, end, axis, step]) => {
  const [starts, ends] = [integersOf(node, "starts", start), integersOf(node, "ends", end)];
  if (!input?.dims || !starts || !ends || (axis && !axis.numbers) || (step && !step.numbers))
    return undefined;
  const axes = integersOf(node, "axes", axis) ?? starts.map((_, k) => k);
  const dims = [...input.dims];
  for (const [k, each] of axes.entries()) {
    const at = fromFront(each, dims.length);
    dims[at] = placesAlong(starts[k], ends[k], step?.numbers?.[k] ?? 1, dims[at]).count;
  }
  return [dims];
};

const gather: Rule = (node, [input, places]) => {
  if (!input?.dims || !places?.dims) return undefined;
  const axis = fromFront(integerOf(node, "axis", 0), input.dims.length);
  return [[...input.dims.slice(0, axis), ...places.dims, ...input.dims.slice(axis + 1)]];
};

const pad: Rule = (node, [input, pads, , axis]) => {
  const told = integersOf(node, "pads", pads);
  if (!input?.dims || !told || (axis && !axis.numbers)) return undefined;
  const dims = [...input.dims];
  const axes = axis?.numbers ?? dims.map((_, k) => k);
  for (const [k, each] of axes.entries())
    dims[fromFront(each, dims.length)] += told[k] + told[k + axes.length];
  return [dims];
};

const resize: Rule = (node, [input, ...rest]) => {
  const [scales, sizes] = node.operator === "Upsample" ? [rest[0], undefined] : [rest[1], rest[2]];
  if (sizes?.numbers) return [sizes.numbers];
  const factors = scales?.numbers ?? integersOf(node, "scales");
  return input?.dims && factors ? [input.dims.map((dim, k) => Math.floor(dim * factors[k]))] : undefined;
};

/** The sizes that a node `Shape` tells. */
function sizesTold(node: OnnxNode, dims: Dims): Dims {
  const ends = [integerOf(node, "start", 0), integerOf(node, "end", dims.length)];
  return dims.slice(...ends.map((end) => Math.max(0, fromFront(end, dims.length))));
}

/** Sizes by letters: "bhqd,bhkd->bhqk". */
const einsum: Rule = (node, inputs) => {
  const [left, right] = String(node.attributes["equation"] ?? "")
    .replaceAll(" ", "")
    .split("->");
  if (right === undefined || /[^a-zA-Z]/.test(right)) return undefined;
  const sizes = new Map<string, number>();
  for (const [k, letters] of left.split(",").entries())
    for (const [j, letter] of [...letters].entries()) sizes.set(letter, inputs[k]?.dims?.[j] ?? Number.NaN);
  const dims = [...right].map((letter) => sizes.get(letter) ?? Number.NaN);
  return dims.every(Number.isInteger) ? [dims] : undefined;
};

const unary = [
  ..."Abs Acos Asin Atan Ceil Celu Clip Cos Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity IsInf IsNaN".split(
    " ",
  ),
  ..."LeakyRelu Log LogSoftmax Mish Neg Not Reciprocal Relu Round Selu Sigmoid Sign Sin Softmax Softplus".split(
    " ",
  ),
  ..."Softsign Sqrt Tan Tanh ThresholdedRelu Cast Dropout BatchNormalization InstanceNormalization".split(
    " ",
  ),
  ..."GroupNormalization LayerNormalization RMSNormalization LRN LpNormalization MeanVarianceNormalization".split(
    " ",
  ),
  ..."QuantizeLinear DequantizeLinear CumSum Trilu ScatterND ScatterElements Hardmax Shrink".split(" "),
];
const joining =
  "Add Sub Mul Div Pow Mod Min Max Sum Mean And Or Xor Equal Greater GreaterOrEqual Less LessOrEqual PRelu Where".split(
    " ",
  );
const reducing = "L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare"
  .split(" ")
  .map((name) => `Reduce${name}`);

/** Rules by operator. Those that only move sizes about keep the origin of a tensor. */
export const rules: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(unary.map((name) => [name, same])),
  ...Object.fromEntries(joining.map((name) => [name, together])),
  ...Object.fromEntries(reducing.map((name) => [name, reduce])),
  ...{ MaxPool: pool, AveragePool: pool, LpPool: pool },
  ...{ GlobalAveragePool: globalPool, GlobalMaxPool: globalPool },
  ...{ ArgMax: place, ArgMin: place },
  ...{ Reshape: reshape, Flatten: flatten, Transpose: transpose, Squeeze: squeeze, Unsqueeze: unsqueeze },
  ...{ Concat: concatenate, Split: split, Slice: slice, Gather: gather, Pad: pad },
  ...{ Resize: resize, Upsample: resize, Einsum: einsum },
  Expand: (_, [input, shape]) => [broadcast([input?.dims, shape?.numbers])],
  Tile: (_, [input, repeats]) => [
    repeats?.numbers && input?.dims?.map((dim, k) => dim * (repeats.numbers?.[k] ?? 1)),
  ],
  GatherElements: (_, [, places]) => [places?.dims],
  Shape: (node, [input]) => [input?.dims && [sizesTold(node, input.dims).length]],
  Size: () => [[]],
  ConstantOfShape: (_, [shape]) => [shape?.numbers],
  Range: (_, [start, end, step]) => {
    const [a, b, by] = [start?.numbers?.[0], end?.numbers?.[0], step?.numbers?.[0]];
    return a === undefined || b === undefined || by === undefined
      ? undefined
      : [[Math.max(0, Math.ceil((b - a) / by))]];
  },
  Constant: () => undefined, // told by the walk
};

/** Operators whose output is their first input, moved about. */
export const moving: readonly string[] = [
  ..."Identity Reshape Flatten Transpose Squeeze Unsqueeze Cast DequantizeLinear QuantizeLinear Expand".split(
    " ",
  ),
];

const whole: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => Math.trunc(a / b),
  Mod: (a, b) => a - b * Math.floor(a / b),
  Pow: (a, b) => a ** b,
  Min: Math.min,
  Max: Math.max,
  Equal: (a, b) => Number(a === b),
  Greater: (a, b) => Number(a > b),
  Less: (a, b) => Number(a < b),
};

/** Numbers of few values that follow from sizes, as exporters compute them; undefined for anything else. */
export function numbersFrom(
  node: OnnxNode,
  inputs: Inputs,
  dims: Dims | undefined,
): readonly number[] | undefined {
  const [first, second, third] = inputs;
  if (node.operator === "Shape") return first?.dims && sizesTold(node, first.dims);
  if (node.operator === "Size") return first?.dims && [productOf(first.dims)];
  const a = first?.numbers;
  if (!a || (dims && productOf(dims) > 4096)) return undefined;
  const b = second?.numbers;
  switch (node.operator) {
    case "Identity":
    case "Cast":
    case "Reshape":
    case "Flatten":
    case "Squeeze":
    case "Unsqueeze":
      return a;
    case "Floor":
      return a.map(Math.floor);
    case "Ceil":
      return a.map(Math.ceil);
    case "Sqrt":
      return a.map(Math.sqrt);
    case "Neg":
      return a.map((value) => -value);
    case "Not":
      return a.map((value) => Number(!value));
    case "ConstantOfShape": {
      const value = node.attributes["value"];
      const fill = typeof value === "object" && "numbers" in value ? value.numbers()[0] : 0;
      return new Array<number>(productOf(a)).fill(fill);
    }
    case "Range":
      return dims && Array.from({ length: dims[0] }, (_, k) => a[0] + k * (third?.numbers?.[0] ?? 1));
    case "Concat":
      return inputs.every((input) => input?.numbers)
        ? inputs.flatMap((input) => input?.numbers ?? [])
        : undefined;
    case "Gather":
      return first.dims?.length === 1 && b ? b.map((at) => a[fromFront(at, a.length)]) : undefined;
    case "Slice": {
      const [start, end] = [integersOf(node, "starts", second)?.[0], integersOf(node, "ends", third)?.[0]];
      if (first.dims?.length !== 1 || start === undefined || end === undefined) return undefined;
      const step = inputs[4]?.numbers?.[0] ?? 1;
      const { first: from, count } = placesAlong(start, end, step, a.length);
      return Array.from({ length: count }, (_, k) => a[from + k * step]);
    }
    case "Where": {
      const [yes, no] = [second?.numbers, third?.numbers];
      if (!yes || !no) return undefined;
      const size = Math.max(a.length, yes.length, no.length);
      const at = (list: readonly number[], k: number) => list[list.length === 1 ? 0 : k];
      return Array.from({ length: size }, (_, k) => (at(a, k) ? at(yes, k) : at(no, k)));
    }
    case "Expand":
      return a.length === 1 && dims ? new Array<number>(productOf(dims)).fill(a[0]) : undefined;
    case "ReduceProd":
      return dims && productOf(dims) === 1 ? [productOf(a)] : undefined;
    default: {
      const of = whole[node.operator];
      const divided = node.operator === "Div" && (first.float || second?.float);
      if (!of || !b || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return undefined;
      const size = Math.max(a.length, b.length);
      return Array.from({ length: size }, (_, k) => {
        const [x, y] = [a[a.length === 1 ? 0 : k], b[b.length === 1 ? 0 : k]];
        return divided ? x / y : of(x, y);
      });
    }
  }
}
