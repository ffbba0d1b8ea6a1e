/**
 * Normal numbers by address, in bulk.
 *
 * Number e of (key, stream, tick) is that of the engine's packed float32 addressing (src/math/random.ts, engine/draws.ts):
 * whatever is drawn in whatever pieces of 16, it is the same.
 */
import {
  call,
  FunctionBuilder,
  f32x4,
  get,
  i32,
  i32x4,
  iff,
  type ModuleBuilder,
  set,
  v128,
} from "../wasm/assembler.ts";
import { normalPair, uniform } from "../wasm/draws.ts";
import { Emitter, Prologue } from "../wasm/emit.ts";
import { Graph, type Node } from "../wasm/graph.ts";
import { each, locals } from "./loops.ts";

/**
 * Adds and exports
 * `normals`(to, count, key0, key1, stream, tick, scale): to[e] = scale * z_e for e < count, and on to the next multiple of 4;
 * `normalTicks`(…, scale, ticks): those of so many ticks, one after the other, `count` a multiple of 4; and
 * `keep`(to, count, key0, key1, stream, tick, rate, value): to[e] = 0 with probability `rate`, else `value`.
 */
export function addNormals(module: ModuleBuilder): number {
  const normals = addDraws(module, "normals", ["scale"], (graph, bits, { scale }) => {
    const pair = (k: number): [Node, Node] =>
      normalPair(graph, uniform(graph, bits[k]), uniform(graph, bits[k + 1]));
    return [...pair(0), ...pair(2)].map((z) => graph.mul(z, scale));
  });
  module.add(ticksOf(normals));
  addDraws(module, "keep", ["rate", "value"], (graph, bits, { rate, value }) =>
    bits.map((word) =>
      graph.select(graph.node("lt", [uniform(graph, word), rate]), graph.constant(0), value),
    ),
  );
  return normals;
}

/** `normals` of one tick after the other. */
function ticksOf(normals: number): FunctionBuilder {
  const names = ["to", "count", "key0", "key1", "stream", "tick", "scale", "ticks"] as const;
  const fn = new FunctionBuilder({
    parameters: names.map((name) => (name === "scale" ? "f32" : "i32")),
    exportName: "normalTicks",
  });
  const v = locals(fn, names, { turn: "i32" });
  fn.body = each(
    v.turn,
    { below: get(v.ticks) },
    call(normals, ...names.slice(0, -1).map((name) => get(v[name]))),
    set(v.to, i32.add(get(v.to), i32.shl(get(v.count), i32.const(2)))),
    set(v.tick, i32.add(get(v.tick), i32.const(1))),
  );
  return fn;
}

/** A kernel whose numbers follow from random words: four vectors of them at a time. Gives its index. */
export function addDraws(
  module: ModuleBuilder,
  exportName: string,
  scalars: readonly string[],
  numbersOf: (graph: Graph, bits: readonly Node[], of: Readonly<Record<string, Node>>) => readonly Node[],
): number {
  const names = ["to", "count", "key0", "key1", "stream", "tick"] as const;
  const fn = new FunctionBuilder({
    parameters: [...names.map(() => "i32" as const), ...scalars.map(() => "f32" as const)],
    exportName,
  });
  const v = locals(fn, names, { e: "i32", at: "i32" });
  const graph = new Graph("float32");
  const prologue = new Prologue(fn);
  const emitter = new Emitter({
    fn,
    prologue,
    precision: "float32",
    input: (node) => {
      const name = node.name as string;
      if (name === "block")
        return i32x4.add(
          i32x4.splat(i32.shl(i32.shr_u(get(v.e), i32.const(4)), i32.const(2))),
          v128.const(0, 1, 2, 3),
        );
      if (name === "zero") return prologue.words(0);
      const scalar = scalars.indexOf(name);
      if (scalar >= 0) return prologue.vector(name, f32x4.splat(get(names.length + scalar)));
      return prologue.vector(name, i32x4.splat(get(v[name as "key0"])));
    },
  });
  const words = (name: string) => graph.input(name, "words");
  const counter = [
    words("block"),
    words("tick"),
    words("stream"),
    words("zero"),
    words("key0"),
    words("key1"),
  ];
  const bits = [0, 1, 2, 3].map((word) => graph.node("philox", counter, { word }));
  const numbers = numbersOf(
    graph,
    bits,
    Object.fromEntries(scalars.map((name) => [name, graph.input(name)])),
  );
  const defined = emitter.define(numbers);
  const stores = numbers.map((node, k) => {
    const at = i32.add(get(v.to), i32.shl(get(v.e), i32.const(2)));
    const isWithin = i32.lt_u(i32.add(get(v.e), i32.const(4 * k)), get(v.count));
    return iff(isWithin, v128.store(at, 16 * k, emitter.value(node)));
  });
  fn.body = [prologue.code, each(v.e, { below: get(v.count), step: 16 }, defined, stores)];
  return module.add(fn);
}
