/**
 * Runs a graph over arrays as SIMD machine code. An input of type words takes integers: the counter of each
 * element's own block, in the lanes that `join` with half 0 reads.
 */
import {
  br_if,
  type Code,
  FunctionBuilder,
  get,
  i32,
  loop,
  ModuleBuilder,
  set,
  v128,
} from "../../src/wasm/assembler.ts";
import { Emitter, Prologue, realBytes } from "../../src/wasm/emit.ts";
import type { Node, Precision } from "../../src/wasm/graph.ts";
import { type Calls, interpret, type Value } from "../../src/wasm/interpret.ts";

export type Lanes = Float64Array | Float32Array;

/** Calls of machine code so far, so that a test can tell that it ran. */
export const machine = { calls: 0 };

/**
 * A function of equally long arrays, one for each of `names`, giving one array for each of `roots`. `helpers`
 * add the functions of `call` nodes to the module.
 */
export function compile(
  roots: readonly Node[],
  names: readonly string[],
  precision: Precision,
  helpers: Readonly<Record<string, (module: ModuleBuilder) => number>> = {},
): (...args: ArrayLike<number>[]) => Lanes[] {
  const module = new ModuleBuilder();
  const indices = new Map(Object.entries(helpers).map(([name, add]) => [name, add(module)]));
  const words = new Set<string>();
  const fn = new FunctionBuilder({ parameters: ["i32", "i32"], exportName: "run" });
  const prologue = new Prologue(fn);
  const position = 0; // bytes into each array
  const end = 1;
  const capacity = 65536;
  const area = (k: number) => 65536 * 8 * k;
  const emitter = new Emitter({
    fn,
    prologue,
    precision,
    input: (node) => {
      if (node.type === "words") words.add(node.name as string);
      return v128.load(get(position), area(names.indexOf(node.name as string)));
    },
    calls: (name) => indices.get(name) as number,
  });
  const defined = emitter.define(roots);
  const stores: Code[] = roots.map((root, k) =>
    v128.store(get(position), area(names.length + k), emitter.value(root)),
  );
  const step = set(position, i32.add(get(position), i32.const(16)));
  fn.body = [prologue.code, loop(defined, stores, step, br_if(0, i32.lt_u(get(position), get(end))))];
  module.add(fn);
  const pages = 8 * (names.length + roots.length) + 1;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const bytes = module.assemble({ pages, maximumPages: pages, shared: false });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const run = exports.run as (position: number, end: number) => void;
  const lanes = (k: number, length: number): Lanes =>
    precision === "float64"
      ? new Float64Array(memory.buffer, area(k), length)
      : new Float32Array(memory.buffer, area(k), length);
  return (...args) => {
    const count = args[0]?.length ?? 0;
    const results = roots.map(() =>
      precision === "float64" ? new Float64Array(count) : new Float32Array(count),
    );
    for (let start = 0; start < count; start += capacity) {
      const length = Math.min(capacity, count - start);
      args.forEach((arg, k) => {
        const integers = words.has(names[k]);
        const target = integers ? new Int32Array(memory.buffer, area(k), 2 * capacity) : lanes(k, length);
        const place = (i: number) => (integers && precision === "float64" ? 4 * (i >> 1) + (i & 1) : i);
        for (let i = 0; i < length; i++) target[place(i)] = arg[start + i];
      });
      run(0, length * realBytes(precision));
      machine.calls++;
      results.forEach((result, k) => {
        result.set(lanes(names.length + k, length), start);
      });
    }
    return results;
  };
}

/** The same by the interpreter. */
export function interpreted(
  roots: readonly Node[],
  names: readonly string[],
  precision: Precision,
  calls: Calls = {},
): (...args: ArrayLike<number>[]) => Lanes[] {
  return (...args) => {
    const count = args[0].length;
    const results = roots.map(() =>
      precision === "float64" ? new Float64Array(count) : new Float32Array(count),
    );
    for (let i = 0; i < count; i++) {
      const inputs: Record<string, Value> = Object.fromEntries(names.map((name, k) => [name, args[k][i]]));
      const values = interpret(roots, inputs, precision, calls) as number[];
      results.forEach((result, k) => {
        result[i] = values[k];
      });
    }
    return results;
  };
}
