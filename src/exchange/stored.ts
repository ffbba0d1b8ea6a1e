/**
 * What a graph of ONNX holds for those who make layers of it: who takes a value, its size, and the numbers of tensors, also of
 * those that a node only turns, cuts up otherwise or converts.
 */
import { DataError } from "../math/errors.ts";
import type { OnnxGraph, OnnxNode } from "./onnx.ts";
import { integerOf, integersOf, type Known, placesAlong, productOf } from "./operators.ts";
import { expectOperators, traced } from "./traced.ts";

/** Numbers in row-major order. */
export interface Stored {
  readonly dims: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** The same numbers with axes in another order. */
export function turned({ dims, data }: Stored, order: readonly number[]): Stored {
  const sizes = order.map((axis) => dims[axis]);
  const steps = order.map((axis) => productOf(dims.slice(axis + 1)));
  const out = data.slice();
  const inner = sizes.at(-1) ?? 1;
  const step = steps.at(-1) ?? 1;
  const place = new Array<number>(order.length).fill(0);
  for (let k = 0, from = 0; k < out.length; k += inner) {
    for (let j = 0; j < inner; j++) out[k + j] = data[from + j * step];
    for (let axis = order.length - 2; axis >= 0; axis--) {
      from += steps[axis];
      if (++place[axis] < sizes[axis]) break;
      from -= sizes[axis] * steps[axis];
      place[axis] = 0;
    }
  }
  return { dims: sizes, data: out };
}

/** Some places along an axis. */
function taken(
  { dims, data }: Stored,
  axis: number,
  o: { first: number; count: number; step: number },
): Stored {
  const inner = productOf(dims.slice(axis + 1));
  const outer = productOf(dims.slice(0, axis));
  const out = data.slice(0, outer * o.count * inner);
  for (let i = 0, to = 0; i < outer; i++)
    for (let k = 0; k < o.count; k++, to += inner) {
      const from = (i * dims[axis] + o.first + k * o.step) * inner;
      out.set(data.subarray(from, from + inner), to);
    }
  return { dims: dims.map((dim, k) => (k === axis ? o.count : dim)), data: out };
}

/** One behind the other along an axis. */
function joined(parts: readonly Stored[], axis: number): Stored {
  const [{ dims }] = parts;
  const size = parts.reduce((sum, part) => sum + part.dims[axis], 0);
  const out = new Float64Array(parts.reduce((sum, { data }) => sum + data.length, 0));
  let to = 0;
  for (let i = 0; i < productOf(dims.slice(0, axis)); i++)
    for (const part of parts) {
      const block = productOf(part.dims.slice(axis));
      out.set(part.data.subarray(i * block, (i + 1) * block), to);
      to += block;
    }
  return { dims: dims.map((dim, k) => (k === axis ? size : dim)), data: out };
}

/** What nodes of a graph are asked while they become layers. */
export class Source {
  readonly graph: OnnxGraph;
  /** Nodes that the first output needs and that depend on the numbers of the input. */
  readonly nodes: readonly OnnxNode[];
  readonly known: ReadonlyMap<string, Known>;
  /** Those of the nodes that take a value. */
  readonly consumers: ReadonlyMap<string, readonly OnnxNode[]>;
  readonly #makers: ReadonlyMap<string, OnnxNode>;
  readonly #moving: ReadonlySet<string>;

  /** Throws `DataError` on operators that are not `expected`, all of them by name. */
  constructor(
    graph: OnnxGraph,
    options: { readonly length?: number; readonly batchAxis?: number },
    expected: (operator: string) => boolean,
  ) {
    this.graph = graph;
    const { outputs } = graph;
    this.#makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
    if (outputs.length === 0) throw this.fault(undefined, "the graph has no output");
    const needed = new Set<OnnxNode>();
    const waiting = [outputs[0].name];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const maker = this.#makers.get(name);
      if (maker === undefined || needed.has(maker)) continue;
      needed.add(maker);
      waiting.push(...maker.inputs);
    }
    const nodes = graph.nodes.filter((node) => needed.has(node));
    if (!nodes.every(({ operator }) => expected(operator))) expectOperators(graph, expected); // tells all
    this.known = traced({ ...graph, nodes }, options).known;
    const moving = new Set(graph.inputs.map(({ name }) => name));
    this.nodes = nodes.filter(({ inputs, outputs: made, operator }) => {
      if (operator === "Shape" || operator === "Size" || !inputs.some((name) => moving.has(name)))
        return false;
      for (const name of made) if (name !== "") moving.add(name);
      return true;
    });
    const consumers = new Map<string, OnnxNode[]>();
    for (const node of this.nodes)
      for (const name of new Set(node.inputs.filter((each) => moving.has(each))))
        consumers.set(name, [...(consumers.get(name) ?? []), node]);
    this.consumers = consumers;
    this.#moving = moving;
  }

  /** Whether a value depends on the numbers of the input, not on its size alone. */
  isMoving(name: string): boolean {
    return this.#moving.has(name);
  }

  /** The node that makes a value. */
  maker(name: string): OnnxNode | undefined {
    return this.#makers.get(name);
  }

  fault(node: OnnxNode | undefined, reason: string): DataError {
    const words = node ? `${node.operator} ${node.name || node.outputs[0]}: ${reason}` : reason;
    return new DataError(words, { place: { file: this.graph.file } });
  }

  dims(node: OnnxNode | undefined, name: string): readonly number[] {
    const dims = this.known.get(name)?.dims;
    if (!dims) throw this.fault(node, `the size of ${name} does not follow from the file`);
    return dims;
  }

  /** Numbers of a tensor of the file. */
  stored(node: OnnxNode, name: string | undefined): Stored {
    if (!name || this.isMoving(name))
      throw this.fault(node, `${name || "something that it needs"} is computed, not stored`);
    const tensor = this.graph.tensors.get(name);
    if (tensor) return { dims: tensor.dims, data: tensor.numbers() };
    const maker = this.#makers.get(name);
    if (maker === undefined) throw this.fault(node, `there is no tensor ${name}`);
    const [first, ...others] = maker.inputs;
    const { value } = maker.attributes;
    switch (maker.operator) {
      case "Constant":
        if (typeof value === "object" && "numbers" in value)
          return { dims: value.dims, data: value.numbers() };
        break;
      case "Identity":
      case "Cast":
        return this.stored(node, first);
      case "Reshape":
      case "Flatten":
      case "Squeeze":
      case "Unsqueeze":
        return { dims: this.dims(maker, name), data: this.stored(node, first).data };
      case "Transpose": {
        const stored = this.stored(node, first);
        return turned(stored, integersOf(maker, "perm") ?? stored.dims.map((_, k) => k).reverse());
      }
      case "Concat": {
        const parts = maker.inputs.map((each) => this.stored(node, each));
        const axis = integerOf(maker, "axis", 1);
        return joined(parts, axis < 0 ? axis + parts[0].dims.length : axis);
      }
      case "Gather": {
        const stored = this.stored(node, first);
        const places = this.known.get(others[0])?.numbers;
        if (!places || integerOf(maker, "axis", 0) !== 0) break;
        const rows = places.map((place) => taken(stored, 0, { first: place, count: 1, step: 1 }));
        return { dims: this.dims(maker, name), data: joined(rows, 0).data };
      }
      case "Slice": {
        const stored = this.stored(node, first);
        const [starts, ends, axes, steps] = others.map((each) => this.known.get(each)?.numbers);
        if (!starts || !ends) break;
        return starts.reduce((part, start, k) => {
          const axis = axes?.[k] ?? k;
          const own = axis < 0 ? axis + part.dims.length : axis;
          const step = steps?.[k] ?? 1;
          return taken(part, own, { step, ...placesAlong(start, ends[k], step, part.dims[own]) });
        }, stored);
      }
    }
    throw this.fault(node, `its weights come from ${maker.operator}, which is not computed here`);
  }

  /** The only node behind a value, if it adds a stored row of so many numbers: a bias. */
  biasAfter(value: string, outputs: number): { node: OnnxNode; data: Stored["data"] } | undefined {
    const consumers = this.consumers.get(value) ?? [];
    const [node] = consumers;
    if (consumers.length !== 1 || node.operator !== "Add") return undefined;
    const other = node.inputs.find((name) => name !== value) ?? "";
    const { fixed, dims = [] } = this.known.get(other) ?? {};
    if (!fixed || productOf(dims) !== outputs || dims.at(-1) !== outputs) return undefined;
    return { node, data: this.stored(node, other).data };
  }

  /** Whether a stored state is 0, or made so. */
  isZero(node: OnnxNode, name: string): boolean {
    const { numbers, fixed } = this.known.get(name) ?? {};
    if (numbers) return numbers.every((value) => value === 0);
    const maker = this.#makers.get(name);
    if (
      maker &&
      ["Cast", "Expand", "Gather", "Identity", "Slice", "Squeeze", "Unsqueeze"].includes(maker.operator)
    )
      return this.isZero(node, maker.inputs[0]);
    if (maker?.operator === "ConstantOfShape") {
      const value = maker.attributes["value"];
      return typeof value !== "object" || !("numbers" in value) || value.numbers()[0] === 0;
    }
    return fixed === true && this.stored(node, name).data.every((value) => value === 0);
  }
}

/** Nodes that follow, this one included. */
function after({ consumers }: Source, node: OnnxNode): Set<OnnxNode> {
  const found = new Set([node]);
  for (const each of found)
    for (const name of each.outputs) for (const next of consumers.get(name) ?? []) found.add(next);
  return found;
}

/** The first node that follows from all of several. */
export function joinOf(source: Source, nodes: readonly OnnxNode[]): OnnxNode | undefined {
  const reached = nodes.map((node) => after(source, node));
  return source.nodes.find((node) => reached.every((set) => set.has(node)));
}
