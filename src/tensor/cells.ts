/**
 * Kernels of recurrent cells, on arrays whose rows lie any number of bytes apart.
 *
 * The gates of a cell lie side by side in one row of a product, and a batch's times between its examples; so each array has
 * its own distance from row to row. Nothing past `features` is written. The functions are those of wasm/functions.ts.
 */
import {
  type Code,
  FunctionBuilder,
  get,
  i32,
  i32x4,
  iff,
  type ModuleBuilder,
  set,
  v128,
} from "../wasm/assembler.ts";
import { Emitter, Prologue } from "../wasm/emit.ts";
import { exp, tanh } from "../wasm/exponential.ts";
import { Graph, type Node } from "../wasm/graph.ts";
import type { Elementwise } from "./elementwise.ts";
import { each } from "./loops.ts";

type Strided = Omit<Elementwise, "scalars">;

const sigmoid = (g: Graph, x: Node): Node => {
  const one = g.constant(1);
  return g.div(one, g.add(one, exp(g, g.node("neg", [x]))));
};
/** dy y (1 - y), the derivative by the argument of y = sigmoid. */
const sigmoidBack = (g: Graph, dy: Node, y: Node): Node => g.mul(dy, g.mul(y, g.sub(g.constant(1), y)));
/** dy (1 - y^2), that of y = tanh. */
const tanhBack = (g: Graph, dy: Node, y: Node): Node => g.mul(dy, g.sub(g.constant(1), g.mul(y, y)));

export const cells = {
  /** y = x */
  copyStrided: { inputs: ["x"], outputs: ["y"], compute: (_, { x }) => ({ y: x }) },
  /** y = a + b */
  addStrided: { inputs: ["a", "b"], outputs: ["y"], compute: (g, { a, b }) => ({ y: g.add(a, b) }) },
  /**
   * Gers et al. 2000, Neural Comput. 12:2451, without peepholes: x… are products with inputs, u… with the hidden state.
   *
   *     i = sigmoid(xi + ui);  f = sigmoid(xf + uf);  g = tanh(xg + ug);  o = sigmoid(xo + uo)
   *     newC = f c + i g;  h = o tanh(newC)
   */
  lstmCell: {
    inputs: ["xi", "xf", "xg", "xo", "ui", "uf", "ug", "uo", "c"],
    outputs: ["i", "f", "g", "o", "newC", "h"],
    compute: (graph, { xi, xf, xg, xo, ui, uf, ug, uo, c }) => {
      const i = sigmoid(graph, graph.add(xi, ui));
      const f = sigmoid(graph, graph.add(xf, uf));
      const g = tanh(graph, graph.add(xg, ug));
      const o = sigmoid(graph, graph.add(xo, uo));
      const newC = graph.add(graph.mul(f, c), graph.mul(i, g));
      return { i, f, g, o, newC, h: graph.mul(o, tanh(graph, newC)) };
    },
  },
  /** Derivatives by what the gates are functions of, and by c, from those by h (dy + dh) and by newC. */
  lstmCellBack: {
    inputs: ["dy", "dh", "i", "f", "g", "o", "c", "newC", "dc"],
    outputs: ["di", "df", "dg", "do", "newDc"],
    compute: (graph, { dy, dh, i, f, g, o, c, newC, dc }) => {
      const all = graph.add(dy, dh);
      const t = tanh(graph, newC);
      const slope = graph.add(dc, tanhBack(graph, graph.mul(all, o), t));
      return {
        di: sigmoidBack(graph, graph.mul(slope, g), i),
        df: sigmoidBack(graph, graph.mul(slope, c), f),
        dg: tanhBack(graph, graph.mul(slope, i), g),
        do: sigmoidBack(graph, graph.mul(all, t), o),
        newDc: graph.mul(slope, f),
      };
    },
  },
  /**
   * Cho et al. 2014, EMNLP, with the reset gate behind the product as PyTorch has it.
   *
   *     r = sigmoid(xr + ur);  z = sigmoid(xz + uz);  n = tanh(xn + r un);  newH = n + z (h - n)
   */
  gruCell: {
    inputs: ["xr", "xz", "xn", "ur", "uz", "un", "h"],
    outputs: ["r", "z", "n", "keptUn", "newH"],
    compute: (g, { xr, xz, xn, ur, uz, un, h }) => {
      const r = sigmoid(g, g.add(xr, ur));
      const z = sigmoid(g, g.add(xz, uz));
      const n = tanh(g, g.add(xn, g.mul(r, un)));
      return { r, z, n, keptUn: un, newH: g.add(n, g.mul(z, g.sub(h, n))) };
    },
  },
  /** Derivatives by x… and u…, and by h past the product, from those by newH: dy + dh + rest. */
  gruCellBack: {
    inputs: ["dy", "dh", "rest", "r", "z", "n", "un", "h"],
    outputs: ["dxr", "dxz", "dxn", "dur", "duz", "dun", "newRest"],
    compute: (g, { dy, dh, rest, r, z, n, un, h }) => {
      const all = g.add(g.add(dy, dh), rest);
      const dn = tanhBack(g, g.mul(all, g.sub(g.constant(1), z)), n);
      const dz = sigmoidBack(g, g.mul(all, g.sub(h, n)), z);
      const dr = sigmoidBack(g, g.mul(dn, un), r);
      return { dxr: dr, dxz: dz, dxn: dn, dur: dr, duz: dz, dun: g.mul(dn, r), newRest: g.mul(all, z) };
    },
  },
  /** v = u - (u > 1);  newU = decay v + x;  s = (newU > 1): see spiking.ts. */
  spikingCell: {
    inputs: ["x", "u", "decay"],
    outputs: ["newU", "s"],
    compute: (g, { x, u, decay }) => {
      const fired = (v: Node) => g.select(g.node("gt", [v, g.constant(1)]), g.constant(1), g.constant(0));
      const newU = g.add(g.mul(decay, g.sub(u, fired(u))), x);
      return { newU, s: fired(newU) };
    },
  },
  /** Derivatives by x, and by v of the time before, from those by s and v, with that of a surrogate for the step. */
  spikingCellBack: {
    inputs: ["dy", "u", "dv", "decay", "steepness"],
    outputs: ["dx", "newDv"],
    compute: (g, { dy, u, dv, decay, steepness }) => {
      const one = g.constant(1);
      const root = g.add(one, g.mul(steepness, g.node("abs", [g.sub(u, one)])));
      const dx = g.add(dv, g.div(g.sub(dy, dv), g.mul(root, root)));
      return { dx, newDv: g.mul(decay, dx) };
    },
  },
} as const satisfies Readonly<Record<string, Strided>>;

export type CellName = keyof typeof cells;

/**
 * Adds and exports all `cells` as name(rows, features, for each input and output its place and the bytes from row to row).
 * An output may lie where an input does.
 */
export function addCells(module: ModuleBuilder): void {
  for (const [name, what] of Object.entries(cells)) addCell(module, name, what);
}

function addCell(module: ModuleBuilder, name: string, { inputs, outputs, compute }: Strided): void {
  const arrays = [...inputs, ...outputs];
  const fn = new FunctionBuilder({
    parameters: ["i32", "i32", ...arrays.flatMap(() => ["i32", "i32"] as const)],
    exportName: name,
  });
  const [rowCount, features] = [0, 1];
  const at = (k: number): number => 2 + 2 * k;
  const row = fn.local("i32");
  const byte = fn.local("i32");
  const whole = fn.local("i32"); // bytes of whole vectors of a row
  const place = (k: number): Code => i32.add(get(at(k)), get(byte));
  const graph = new Graph("float32");
  const prologue = new Prologue(fn);
  const emitter = new Emitter({
    fn,
    prologue,
    precision: "float32",
    input: (node) => v128.load(place(inputs.indexOf(node.name as string)), 0),
  });
  const nodes = compute(graph, Object.fromEntries(inputs.map((each) => [each, graph.input(each)])));
  const wanted = outputs.map((output) => nodes[output]);
  const defined = emitter.define(wanted);
  const values = wanted.map((node, k) => [place(inputs.length + k), emitter.value(node)] as const);
  // lanes 0 … 3 of a row's last vector that are features: their number is greater
  const mask = i32x4.gt_s(i32x4.splat(i32.and(get(features), i32.const(3))), v128.const(0, 1, 2, 3));
  fn.body = [
    prologue.code,
    set(whole, i32.shl(i32.and(get(features), i32.const(-4)), i32.const(2))),
    each(
      row,
      { below: get(rowCount) },
      each(
        byte,
        { below: get(whole), step: 16 },
        defined,
        values.map(([to, value]) => v128.store(to, 0, value)),
      ),
      iff(i32.and(get(features), i32.const(3)), [
        defined,
        values.map(([to, value]) => v128.store(to, 0, v128.bitselect(value, v128.load(to, 0), mask))),
      ]),
      arrays.map((_, k) => set(at(k), i32.add(get(at(k)), get(at(k) + 1)))),
    ),
  ];
  module.add(fn);
}
