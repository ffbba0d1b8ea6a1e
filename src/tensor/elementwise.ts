/**
 * Kernels that do the same to every number of some arrays, written as graphs of the language's operations.
 *
 * Four numbers at a time, past the end to the next whole vector: arrays begin at blocks of the heap. The functions are
 * those of wasm/functions.ts, so all machines give the same bits.
 */
import { FunctionBuilder, f32x4, get, i32, type ModuleBuilder, v128 } from "../wasm/assembler.ts";
import { Emitter, Prologue } from "../wasm/emit.ts";
import { Graph, type Node } from "../wasm/graph.ts";
import { each } from "./loops.ts";

/** What is computed: new values of `outputs`, from `inputs` (arrays) and `scalars` by name. */
export interface Elementwise {
  readonly inputs: readonly string[];
  readonly scalars?: readonly string[];
  readonly outputs: readonly string[];
  readonly compute: (graph: Graph, of: Readonly<Record<string, Node>>) => Readonly<Record<string, Node>>;
}

/**
 * Adds and exports `name`(count, byte offsets of inputs, of outputs, scalars). An output may lie where an input does.
 */
export function addElementwise(module: ModuleBuilder, name: string, what: Elementwise): number {
  const { inputs, scalars = [], outputs, compute } = what;
  const fn = new FunctionBuilder({
    parameters: [
      "i32",
      ...inputs.map(() => "i32" as const),
      ...outputs.map(() => "i32" as const),
      ...scalars.map(() => "f32" as const),
    ],
    exportName: name,
  });
  const count = 0;
  const at = fn.local("i32");
  const byte = i32.shl(get(at), i32.const(2));
  const place = (k: number) => i32.add(get(1 + k), byte);
  const graph = new Graph("float32");
  const prologue = new Prologue(fn);
  const emitter = new Emitter({
    fn,
    prologue,
    precision: "float32",
    input: (node) => {
      const wanted = node.name as string;
      const scalar = scalars.indexOf(wanted);
      if (scalar >= 0)
        return prologue.vector(wanted, f32x4.splat(get(1 + inputs.length + outputs.length + scalar)));
      return v128.load(place(inputs.indexOf(wanted)), 0);
    },
  });
  const nodes = compute(
    graph,
    Object.fromEntries([...inputs, ...scalars].map((each) => [each, graph.input(each)])),
  );
  const wanted = outputs.map((output) => nodes[output]);
  const defined = emitter.define(wanted);
  const stores = wanted.map((node, k) => v128.store(place(inputs.length + k), 0, emitter.value(node)));
  fn.body = [prologue.code, each(at, { below: get(count), step: 4 }, defined, stores)];
  return module.add(fn);
}
