/**
 * Attention in a graph of ONNX: the products that exporters write it as, found again and made one layer.
 *
 *     softmax(scale q k^T + mask) v, where q, k and v are products of the same sequence with stored weights
 */

import { attention } from "../deep/layers.ts";
import { type Flow, keep, pathIn, type Row } from "./converted.ts";
import type { OnnxNode } from "./onnx.ts";
import { integerOf, productOf } from "./operators.ts";
import { joinOf, type Source, type Stored, turned } from "./stored.ts";

interface Projection {
  readonly weights: Stored; // [output][input]
  readonly bias: ArrayLike<number> | undefined;
  /** What the product is multiplied by. */
  readonly scale: number;
  /** Whether time and example are exchanged before it. */
  readonly timesFirst: boolean;
}

/** Nodes that hand on their first input, turned or cut up otherwise. */
const plain = ["Cast", "Dropout", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"];

/** The layer whose weighted mean of values is the node `mix`. Throws `DataError` where it is another pattern. */
export function attentionStep(source: Source, mix: OnnxNode, at: Flow, row: Row): Flow {
  const refuse = (node: OnnxNode, reason: string) => source.fault(node, `read as attention, ${reason}`);
  if (at.layout.kind !== "sequence" || at.layout.times !== 1)
    throw refuse(mix, "its inputs are [example, time, feature]");
  const { softmax, scores, scale, causal } = shares(source, mix);
  const [examples, times, features] = source.dims(mix, at.value);
  const projected = (name: string) => projection(source, mix, { name, input: at.value, features });
  const [query, key] = scores.inputs.map(projected);
  const value = projected(mix.inputs[1]);
  const heads = features / (source.dims(mix, mix.inputs[1]).at(-1) ?? 1);
  const compared = source.dims(softmax, softmax.inputs[0]);
  if (
    compared.slice(-2).join() !== [times, times].join() ||
    productOf(compared) !== examples * heads * times * times
  )
    throw refuse(softmax, "it compares other things than times with times");
  const output = outputOf(source, mix, value.timesFirst);
  const factor = scale * query.scale * key.scale * Math.sqrt(features / heads); // the layer divides by the root itself
  const path = pathIn(row);
  const all = { query, key, value, output };
  for (const [role, { weights, bias }] of Object.entries(all)) {
    if (weights.dims.join() !== [features, features].join())
      throw refuse(mix, `its ${role} has weights of ${weights.dims.join(" x ")}`);
    const own = role === "query" ? factor : role === "value" ? value.scale : 1;
    const scaled = (numbers: ArrayLike<number>) => Float32Array.from(numbers, (x) => own * x);
    keep(row, `${path}.${role}.weights`, weights.dims, scaled(weights.data));
    if (role === "key") continue; // a bias would add the same to all scores of a query
    keep(row, `${path}.${role}.bias`, [features], scaled(bias ?? new Float32Array(features)));
  }
  row.layers.push(attention({ heads, causal }));
  return { value: output.value, layout: at.layout };
}

/** The softmax before a mix, the product of queries and keys before it, and what lies between. */
function shares(source: Source, mix: OnnxNode) {
  const softmax = madeBy(source, mix, mix.inputs[0], ["Cast", "Dropout", "Identity"]);
  if (softmax.operator !== "Softmax")
    throw source.fault(mix, "a product of two activations that is no attention is not a layer here");
  let [name, scale, causal] = [softmax.inputs[0], 1, false];
  for (;;) {
    const maker = madeBy(source, softmax, name, ["Cast", "Identity"]);
    if (maker.operator === "MatMul") return { softmax, scores: maker, scale, causal };
    const [own, other] = source.isMoving(maker.inputs[0]) ? maker.inputs : [...maker.inputs].reverse();
    if (maker.operator === "Add" && !source.isMoving(other)) {
      if (!isCausal(source, other)) throw source.fault(maker, "a mask that is not that of times to come");
      causal = true;
    } else scale *= factorOf(source, maker, other);
    name = own;
  }
}

/** The node that makes a value, past some that hand it on. */
function madeBy(source: Source, node: OnnxNode, name: string, past: readonly string[]): OnnxNode {
  const maker = source.maker(name);
  if (maker === undefined) throw source.fault(node, "what it takes is not an attention that is known here");
  return past.includes(maker.operator) ? madeBy(source, node, maker.inputs[0], past) : maker;
}

/** The number that a node multiplies by. */
function factorOf(source: Source, node: OnnxNode, other: string): number {
  const { numbers } = source.known.get(other) ?? {};
  if (source.isMoving(other) || numbers?.length !== 1 || !["Mul", "Div"].includes(node.operator))
    throw source.fault(node, "there is no layer for it at this place");
  if (node.operator === "Mul") return numbers[0];
  if (node.inputs[1] !== other) throw source.fault(node, "it divides by an activation");
  return 1 / numbers[0];
}

/** Whether a mask hides times to come: made from a triangle, or stored as one. */
function isCausal(source: Source, name: string): boolean {
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const maker = source.maker(next);
    if (maker?.operator === "Trilu") return true;
    if (maker && maker.operator !== "Shape") waiting.push(...maker.inputs);
  }
  const tensor = source.graph.tensors.get(name);
  const size = tensor?.dims.at(-1) ?? 0;
  if (!tensor || productOf(tensor.dims) !== size * size) return false;
  return tensor.numbers().every((x, k) => (k % size > Math.floor(k / size) ? x < -1e4 : x === 0));
}

/**
 * A product of `input` with stored weights, followed back from where its heads are used. Of several products in one, the part
 * that is picked on the way.
 */
function projection(
  source: Source,
  user: OnnxNode,
  o: { readonly name: string; readonly input: string; readonly features: number },
): Projection {
  let { name } = o;
  let [scale, part] = [1, 0];
  let bias: Stored | undefined;
  for (;;) {
    const maker = madeBy(source, user, name, []);
    const [first, second] = maker.inputs;
    if (maker.operator === "MatMul" && !source.isMoving(second)) {
      const rows = <T extends Stored["data"]>(data: T, width: number) =>
        data.subarray(part * o.features * width, (part + 1) * o.features * width) as T;
      const { dims, data } = turned(source.stored(maker, second), [1, 0]);
      const weights = { dims: [Math.min(o.features, dims[0]), dims[1]], data: rows(data, dims[1]) };
      const timesFirst = isExchange(source.maker(first)) && source.maker(first)?.inputs[0] === o.input;
      if (!timesFirst && first !== o.input)
        throw source.fault(maker, "read as attention, it multiplies another sequence than the others do");
      return { weights, bias: bias && rows(bias.data, 1), scale, timesFirst };
    }
    const place = source.known.get(second ?? "")?.numbers;
    if (maker.operator === "Gather" && integerOf(maker, "axis", 0) === 0 && place?.length === 1)
      [part] = place;
    else if (maker.operator === "Split") part = maker.outputs.indexOf(name);
    else if (!plain.includes(maker.operator)) {
      const [own, other] = source.isMoving(first) ? [first, second] : [second, first];
      if (maker.operator === "Add" && !source.isMoving(other ?? "") && !bias)
        bias = source.stored(maker, other);
      else scale *= factorOf(source, maker, other ?? "");
      name = own;
      continue;
    }
    name = first;
  }
}

/** Whether a node exchanges time and example of a sequence. */
const isExchange = (node: OnnxNode | undefined): boolean =>
  node?.operator === "Transpose" && String(node.attributes["perm"]) === "1,0,2";

/** The product behind a mix: heads side by side again, times the weights of the output. */
function outputOf(
  source: Source,
  mix: OnnxNode,
  timesFirst: boolean,
): Projection & { readonly value: string } {
  let [name] = mix.outputs;
  let found: Projection | undefined;
  for (;;) {
    if (found && !timesFirst && source.dims(mix, name).length === 3) return { ...found, value: name };
    const [node, ...others] = source.consumers.get(name) ?? [];
    if (node === undefined || others.length > 0)
      throw source.fault(mix, "read as attention, it has no product with weights behind it");
    const isGemm = node.operator === "Gemm";
    if (!found && (isGemm || node.operator === "MatMul") && node.inputs[0] === name) {
      const stored = source.stored(node, node.inputs[1]);
      const weights = isGemm && integerOf(node, "transB", 0) === 1 ? stored : turned(stored, [1, 0]);
      const behind = source.biasAfter(node.outputs[0], weights.dims[0]);
      const bias = isGemm && node.inputs[2] ? source.stored(node, node.inputs[2]).data : behind?.data;
      found = { weights, bias, scale: 1, timesFirst };
      [name] = (isGemm ? node : (behind?.node ?? node)).outputs;
      continue;
    }
    if (!plain.includes(node.operator))
      throw source.fault(node, "it stands between attention and the weights of its output");
    [name] = node.outputs;
    if (found && isExchange(node)) return { ...found, value: name };
  }
}

/** The mix of an attention that begins with this node: one product for queries, keys and values, then taken apart. */
export function attentionAhead(source: Source, begin: OnnxNode): OnnxNode | undefined {
  let node = begin;
  for (let products = 0; products <= 1; ) {
    if (node.operator === "MatMul") products++;
    else if (node.operator !== "Add" && node.operator !== "Split" && !plain.includes(node.operator))
      return undefined;
    const next = [...new Set(node.outputs.flatMap((name) => source.consumers.get(name) ?? []))];
    if (next.length === 0) return undefined;
    if (next.length > 1) {
      const join = joinOf(source, next);
      const softmax = join?.operator === "MatMul" ? source.maker(join.inputs[0]) : undefined;
      return products === 1 && softmax?.operator === "Softmax" ? join : undefined;
    }
    [node] = next;
  }
  return undefined;
}
