/**
 * Attention in a graph of ONNX: the products that exporters write it as, found again and made one layer.
 *
 *     softmax(scale q k^T + mask) v, where q, k and v are products of the same sequence with stored weights
 */
import { type Flow, keep, pathIn, type Row } from "./converted.ts";
import { attention } from "./layers.ts";
import type { OnnxNode } from "./onnx.ts";
import { productOf } from "./operators.ts";
import { type Source, type Stored, turned } from "./stored.ts";

interface Projection {
  readonly weights: Stored; // [output][input]
  readonly bias: ArrayLike<number> | undefined;
  /** What the product is multiplied by. */
  readonly scale: number;
  readonly heads: number | undefined;
}

/** Nodes that hand on their first input, turned or cut up otherwise. */
const plain = ["Cast", "Dropout", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"];

/** The layer whose weighted mean of values is the node `mix`. Throws `DataError` where it is another pattern. */
export function attentionStep(source: Source, mix: OnnxNode, at: Flow, row: Row): Flow {
  const refuse = (node: OnnxNode, reason: string) => source.fault(node, `read as attention, ${reason}`);
  if (at.layout.kind !== "sequence" || at.layout.times !== 1)
    throw refuse(mix, "its inputs are [example, time, feature]");
  const { softmax, scores, scale, causal } = shares(source, mix);
  const [query, key] = scores.inputs.map((name) => projection(source, scores, name, at.value));
  const value = projection(source, mix, mix.inputs[1], at.value);
  const [, times, features] = source.dims(mix, at.value);
  const { heads } = query;
  if (heads === undefined || heads !== key.heads || heads !== value.heads || features % heads !== 0)
    throw refuse(mix, "its heads are not told in one way");
  if (source.dims(softmax, softmax.inputs[0]).slice(-3).join() !== [heads, times, times].join())
    throw refuse(softmax, "it compares other things than times with times");
  const output = outputOf(source, mix);
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

/** A product of `input` with stored weights, followed back from where its heads are used. */
function projection(source: Source, user: OnnxNode, from: string, input: string): Projection {
  let [name, scale] = [from, 1];
  let heads: number | undefined;
  let bias: Stored | undefined;
  for (;;) {
    const maker = madeBy(source, user, name, []);
    if (maker.operator === "MatMul" && maker.inputs[0] === input && !source.isMoving(maker.inputs[1]))
      return {
        weights: turned(source.stored(maker, maker.inputs[1]), [1, 0]),
        bias: bias?.data,
        scale,
        heads,
      };
    if (plain.includes(maker.operator)) {
      const [before, after] = [source.dims(maker, maker.inputs[0]), source.dims(maker, name)];
      if (before.length === 3 && after.length === 4) heads = after[2];
      name = maker.inputs[0];
      continue;
    }
    const [own, other] = source.isMoving(maker.inputs[0]) ? maker.inputs : [...maker.inputs].reverse();
    if (maker.operator === "Add" && !source.isMoving(other ?? "") && !bias)
      bias = source.stored(maker, other);
    else scale *= factorOf(source, maker, other ?? "");
    name = own;
  }
}

/** The product behind a mix: heads side by side again, times the weights of the output. */
function outputOf(source: Source, mix: OnnxNode): Projection & { readonly value: string } {
  let [name] = mix.outputs;
  for (;;) {
    const [node, ...others] = source.consumers.get(name) ?? [];
    if (node === undefined || others.length > 0)
      throw source.fault(mix, "read as attention, it has no product with weights behind it");
    if (node.operator === "MatMul" && node.inputs[0] === name) {
      const weights = turned(source.stored(node, node.inputs[1]), [1, 0]);
      const bias = source.biasAfter(node.outputs[0], weights.dims[0]);
      const [value] = (bias?.node ?? node).outputs;
      return { weights, bias: bias?.data, scale: 1, heads: undefined, value };
    }
    if (!plain.includes(node.operator))
      throw source.fault(node, "it stands between attention and the weights of its output");
    [name] = node.outputs;
  }
}
