/**
 * From a file of ONNX to layers and their weights: a network that was trained elsewhere.
 *
 * The graph is followed from its input: one node after the other is a row of layers, what parts and joins again is a sum with
 * a shortcut or a concatenation. Only the first output of a graph is followed.
 */

import { concatenation, type Layer, residual } from "../deep/layers.ts";
import type { State } from "../deep/sequential.ts";
import type { Shape } from "../tensor/table.ts";
import { attentionAhead, attentionStep } from "./attended.ts";
import { type Flow, type Layout, pathIn, type Row, steps } from "./converted.ts";
import type { OnnxGraph, OnnxNode } from "./onnx.ts";
import { integerOf } from "./operators.ts";
import { joinOf, Source } from "./stored.ts";
import { isBatchSize } from "./traced.ts";

/** A network as it was read: `sequential(layers, { inputs, … })`, then `setWeights(weights)`. */
export interface ImportedNetwork {
  readonly layers: readonly Layer[];
  /** Of one example, features last: an image is [height, width, channels]. */
  readonly inputs: Shape;
  readonly weights: State;
  /** What the file has behind the last layer and this network has not: its outputs are what goes into it. */
  readonly ending?: "softmax";
}

const joins = ["Add", "Concat", "Split"]; // the last within attention
const endings = ["Softmax", "LogSoftmax"];
/** Operators that sizes are computed with. */
const sizing =
  "Constant ConstantOfShape Expand Slice Mul Sub Div Mod Pow Sqrt Shape Size Where Equal Range Trilu".split(
    " ",
  );

/**
 * The layers of a graph, with their weights. `length`: of sequences, where the file leaves it open. Throws `DataError` on
 * operators that no layer stands for, all of them by name, and with the node where a layer here does less than it.
 */
export function importOnnx(graph: OnnxGraph, options: { readonly length?: number } = {}): ImportedNetwork {
  const expected = [...Object.keys(steps), ...joins, ...endings, ...sizing];
  const sourceOf = (batchAxis: number) =>
    new Source(graph, { ...options, batchAxis }, (operator) => expected.includes(operator));
  let source = sourceOf(0);
  const used = graph.inputs.filter(({ name }) => source.consumers.has(name));
  if (used.length !== 1) {
    const names = used.map(({ name }) => name).join(", ") || "none";
    throw source.fault(undefined, `a network has one input, this has ${names}`);
  }
  const { name, dims } = used[0];
  const timesFirst = timesOf(source, name) === 0 || (dims !== undefined && isBatchSize(dims[1]));
  if (timesFirst) source = sourceOf(1);
  const { layout, shape } = inputLayout(source, name, timesFirst ? 0 : 1);
  const weights: State = {};
  const walk: Walk = { source, weights, end: graph.outputs[0].name, ending: undefined };
  const layers = rowOf(walk, { value: name, layout }, "");
  if (layers.length === 0) throw source.fault(undefined, "the graph has no layers");
  const { ending } = walk;
  return { layers, inputs: shape, weights, ...(ending ? { ending } : {}) };
}

interface Walk {
  readonly source: Source;
  readonly weights: State;
  readonly end: string; // the value that the graph hands out
  ending: ImportedNetwork["ending"];
}

/** How the numbers of the input lie, and its shape here. */
function inputLayout(source: Source, name: string, times: 0 | 1): { layout: Layout; shape: Shape } {
  const dims = source.dims(undefined, name);
  const [first] = source.consumers.get(name) ?? [];
  if (dims.length === 4) {
    const isPicture = first.operator === "Transpose" && String(first.attributes["perm"]) === "0,3,1,2";
    if (isPicture) return { layout: { kind: "picture" }, shape: dims.slice(1) };
    return { layout: { kind: "image" }, shape: [dims[2], dims[3], dims[1]] };
  }
  const words = first.operator === "Gather";
  if (dims.length === 2 && !words) return { layout: { kind: "features" }, shape: [dims[1]] };
  if (dims.length !== 3 && dims.length !== 2)
    throw source.fault(
      undefined,
      `input ${name} of ${dims.join(" x ")} is neither features, an image nor a sequence`,
    );
  if (words) return { layout: { kind: "words", times }, shape: [dims[times], 1] };
  return { layout: { kind: "sequence", times }, shape: [dims[times], dims[2]] };
}

/** Which axis of a value is time, where a recurrent layer takes it and so tells. */
function timesOf({ consumers }: Source, name: string): 0 | 1 | undefined {
  let [value, swapped] = [name, false];
  for (;;) {
    const [node, ...others] = consumers.get(value) ?? [];
    if (node === undefined || others.length > 0) return undefined;
    if (node.operator === "LSTM" || node.operator === "GRU")
      return (integerOf(node, "layout", 0) === 1) === swapped ? 0 : 1;
    if (node.operator === "Transpose" && /^1,0(,2)?$/.test(String(node.attributes["perm"] ?? "1,0")))
      swapped = !swapped;
    else if (!["Gather", "Identity", "Cast", "Dropout"].includes(node.operator)) return undefined;
    [value] = node.outputs;
  }
}

/** Layers from a value to the end, or to the join that takes it; `first`: the nodes to begin with. */
function rowOf(
  walk: Walk,
  start: Flow,
  path: string,
  part?: { readonly first: readonly OnnxNode[]; readonly join: OnnxNode },
): Layer[] {
  const { source, weights, end } = walk;
  const row: Row = { layers: [], path, weights };
  let at = start;
  let next = part?.first ?? source.consumers.get(at.value) ?? [];
  while (at.value !== end && !(part && next.includes(part.join))) {
    if (next.length === 0) throw source.fault(undefined, `nothing takes the value ${at.value}`);
    at = next.length === 1 ? stepOf(walk, next[0], at, row) : parted(walk, next, at, row);
    next = source.consumers.get(at.value) ?? [];
  }
  return row.layers;
}

function stepOf(walk: Walk, node: OnnxNode, at: Flow, row: Row): Flow {
  const { source, end } = walk;
  if (endings.includes(node.operator) && node.outputs[0] === end) {
    walk.ending = "softmax";
    return { value: end, layout: at.layout };
  }
  const mix = attentionAhead(source, node);
  if (mix) return attentionStep(source, mix, at, row);
  const step = steps[node.operator];
  if (step) return step(source, node, at, row);
  const reason = endings.includes(node.operator)
    ? "it may stand at the end alone"
    : "there is no layer for it at this place";
  throw source.fault(node, reason);
}

/** What parts at a value and joins again: a sum of two, or branches side by side. */
function parted(walk: Walk, next: readonly OnnxNode[], at: Flow, row: Row): Flow {
  const { source } = walk;
  const join = joinOf(source, next);
  if (join?.operator === "MatMul") return attentionStep(source, join, at, row);
  if (join === undefined || !["Add", "Concat"].includes(join.operator))
    throw source.fault(join ?? next[0], "what parts before it does not join in one sum or concatenation");
  const isSum = join.operator === "Add";
  if (!isSum) checkConcatenation(source, join, at);
  const inputs = isSum && join.inputs[0] === at.value ? [...join.inputs].reverse() : join.inputs;
  const branches = inputs.map((name, k) => {
    if (name === at.value) return [];
    const first = next.filter((node) => node !== join && leads(source, node, name, join));
    return rowOf(walk, at, `${pathIn(row)}.${isSum ? ["body", "shortcut"][k] : k}.`, { first, join });
  });
  row.layers.push(isSum ? residual(branches[0], branches[1]) : concatenation(...branches));
  const [value] = join.outputs;
  const pooled = at.layout.kind === "image" && source.dims(join, value).length === 2;
  return { value, layout: pooled ? { kind: "features" } : at.layout };
}

/** Throws `DataError` unless features are joined, and not places. */
function checkConcatenation(source: Source, join: OnnxNode, { layout }: Flow): void {
  const rank = source.dims(join, join.outputs[0]).length;
  const axis = integerOf(join, "axis", 1);
  if ((axis < 0 ? axis + rank : axis) !== (layout.kind === "image" ? 1 : rank - 1))
    throw source.fault(join, "features alone are joined here, not places");
}

/** Whether a value follows from a node without passing the join. */
function leads({ consumers }: Source, node: OnnxNode, value: string, join: OnnxNode): boolean {
  const found = new Set([node]);
  for (const each of found) {
    if (each.outputs.includes(value)) return true;
    for (const name of each.outputs)
      for (const next of consumers.get(name) ?? []) if (next !== join) found.add(next);
  }
  return false;
}
