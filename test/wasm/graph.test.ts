import { describe, expect, test } from "vitest";
import { uniform } from "../../src/math/random.ts";
import { Graph, type Node, type Operation, type Precision } from "../../src/wasm/graph.ts";
import { compile, interpreted, machine } from "./lanes.ts";

const precisions = ["float64", "float32"] as const;

describe("equal nodes are one", () => {
  test("the same operation of the same arguments, built twice", () => {
    const g = new Graph("float64");
    const [x, y] = [g.input("x"), g.input("y")];
    expect(g.input("x")).toBe(x);
    expect(g.add(x, y)).toBe(g.add(x, y));
    expect(g.mul(g.add(x, y), g.add(x, y))).toBe(g.mul(g.add(x, y), g.add(x, y)));
    expect(g.nodes).toHaveLength(4);
    expect(g.nodes.map((node) => node.id)).toEqual([0, 1, 2, 3]);
  });

  test("arguments in another order, other attributes or another type make another node", () => {
    const g = new Graph("float64");
    const [x, y] = [g.input("x"), g.input("y")];
    expect(g.sub(x, y)).not.toBe(g.sub(y, x));
    const bits = g.node("toBits", [x]);
    expect(g.node("shl", [bits], { amount: 1 })).not.toBe(g.node("shl", [bits], { amount: 2 }));
    expect(g.input("x", "bits")).not.toBe(x);
    const call = (name: string) => g.node("call", [x], { name });
    expect(call("f")).not.toBe(call("g"));
    expect(call("f")).toBe(call("f"));
  });

  test("constants: 0 and -0 differ, every NaN is one, float32 rounds first", () => {
    const g = new Graph("float64");
    expect(g.constant(0)).not.toBe(g.constant(-0));
    expect(g.constant(Number.NaN)).toBe(g.constant(0 / 0));
    expect(g.constant(0.1)).toBe(g.constant(0.1));
    const narrow = new Graph("float32");
    expect(narrow.constant(0.1).value).toBe(Math.fround(0.1));
    expect(narrow.constant(0.1)).toBe(narrow.constant(Math.fround(0.1)));
  });

  test("integers wrap to the lane: 2^63 and -2^63 are one in float64, 2^31 and -2^31 in float32", () => {
    const wide = new Graph("float64");
    expect(wide.bits(1n << 63n)).toBe(wide.bits(-(1n << 63n)));
    expect(wide.bits(1n << 31n).bits).toBe(1n << 31n);
    const narrow = new Graph("float32");
    expect(narrow.bits(2 ** 31)).toBe(narrow.bits(-(2 ** 31)));
  });
});

describe("constants are folded", () => {
  test("arithmetic, in the precision of the graph", () => {
    const g = new Graph("float64");
    expect(g.add(g.constant(0.1), g.constant(0.2))).toBe(g.constant(0.1 + 0.2));
    expect(g.div(g.constant(1), g.constant(0))).toBe(g.constant(Number.POSITIVE_INFINITY));
    const narrow = new Graph("float32");
    const third = narrow.div(narrow.constant(1), narrow.constant(3));
    expect(third.value).toBe(Math.fround(1 / 3));
    expect(narrow.mul(third, third).value).toBe(Math.fround(Math.fround(1 / 3) ** 2));
  });

  test("bits there and back", () => {
    const g = new Graph("float64");
    const one = g.node("toBits", [g.constant(1)]);
    expect(one).toBe(g.bits(0x3ff0000000000000n));
    const two = g.node("iadd", [one, g.node("shl", [g.bits(1)], { amount: 52 })]);
    expect(g.node("fromBits", [two])).toBe(g.constant(2));
    expect(g.node("shru", [g.bits(-1)], { amount: 60 })).toBe(g.bits(15));
    expect(g.node("shrs", [g.bits(-16)], { amount: 2 })).toBe(g.bits(-4));
  });

  test("a choice between one node and itself is that node", () => {
    const g = new Graph("float64");
    const x = g.input("x");
    expect(g.select(g.node("lt", [x, g.constant(0)]), x, x)).toBe(x);
  });

  test("a polynomial of a constant is a constant, of a variable two operations a coefficient", () => {
    const g = new Graph("float64");
    expect(g.polynomial(g.constant(3), [2, -1, 5])).toBe(g.constant(2 * 9 - 3 + 5));
    const fresh = new Graph("float64");
    fresh.polynomial(fresh.input("x"), [2, -1, 5]);
    expect(fresh.nodes.filter((node) => node.op === "add" || node.op === "mul")).toHaveLength(4);
  });
});

// ---- every operation means the same to the interpreter, to machine code and to folding --------------------

const inf = Number.POSITIVE_INFINITY;
const edges = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, inf, -inf, Number.NaN, 1e-40, 1e30, -7, 4194305.5];

type Build = (g: Graph, x: Node, y: Node) => Node;
const real =
  (op: Operation, arity: 1 | 2): Build =>
  (g, x, y) =>
    g.node(op, arity === 1 ? [x] : [x, y]);
/** A truth value shown as 1 or 0. */
const shown =
  (mask: (g: Graph, x: Node, y: Node) => Node): Build =>
  (g, x, y) =>
    g.select(mask(g, x, y), g.constant(1), g.constant(0));
/** Bits shown as a number: 52 (23) of them as the fraction of a number in [1, 2), the others in a second one. */
const bitsShown =
  (build: (g: Graph, p: Node, q: Node) => Node, upper: boolean): Build =>
  (g, x, y) => {
    const wide = g.precision === "float64";
    const value = build(g, g.node("toBits", [x]), g.node("toBits", [y]));
    const fraction = upper
      ? g.node("shru", [value], { amount: wide ? 12 : 9 })
      : g.node("iand", [value, g.bits(wide ? 0xfffffffffffffn : 0x7fffffn)]);
    return g.node("fromBits", [g.node("ior", [fraction, g.bits(wide ? 0x3ff0000000000000n : 0x3f800000n)])]);
  };

const builds: [string, Build][] = [];
for (const op of ["add", "sub", "mul", "div", "min", "max"] as const) builds.push([op, real(op, 2)]);
for (const op of ["neg", "abs", "sqrt", "floor", "ceil", "trunc", "nearest"] as const)
  builds.push([op, real(op, 1)]);
const compares = ["lt", "le", "gt", "ge", "eq", "ne"] as const;
for (const op of compares) builds.push([op, shown((g, x, y) => g.node(op, [x, y]))]);
const positive = (g: Graph, x: Node) => g.node("gt", [x, g.constant(0)]);
for (const op of ["and", "or"] as const)
  builds.push([op, shown((g, x, y) => g.node(op, [positive(g, x), positive(g, y)]))]);
builds.push(["not", shown((g, x) => g.node("not", [positive(g, x)]))]);
builds.push(["select", (g, x, y) => g.select(g.node("lt", [x, y]), x, y)]);
for (const upper of [false, true]) {
  const half = upper ? "upper" : "lower";
  for (const op of ["iadd", "isub", "iand", "ior", "ixor"] as const)
    builds.push([`${op}, ${half} bits`, bitsShown((g, p, q) => g.node(op, [p, q]), upper)]);
  for (const op of ["shl", "shru", "shrs"] as const)
    for (const amount of [1, 13, 22])
      builds.push([
        `${op} by ${amount}, ${half} bits`,
        bitsShown((g, p) => g.node(op, [p], { amount }), upper),
      ]);
}
const narrowBuilds: [string, Build][] = [
  ["imul, lower bits", bitsShown((g, p, q) => g.node("imul", [p, q]), false)],
  ["imul, upper bits", bitsShown((g, p, q) => g.node("imul", [p, q]), true)],
  ["gts", shown((g, x, y) => g.node("gts", [g.node("toBits", [x]), g.node("toBits", [y])]))],
  ["toInteger", bitsShown((g, p) => g.node("toInteger", [g.node("fromBits", [p])]), false)],
  ["toInteger, upper bits", bitsShown((g, p) => g.node("toInteger", [g.node("fromBits", [p])]), true)],
  ["fromInteger", (g, x) => g.node("fromInteger", [g.node("toBits", [x])])],
];

describe.each(precisions)("%s operations", (precision) => {
  const round = precision === "float32" ? Math.fround : (x: number) => x;
  const pairs = edges.flatMap((x) => edges.map((y) => [round(x), round(y)]));
  for (let i = 0; i < 200; i++) {
    const number = (stream: number) => {
      const u = uniform([1, 1], stream, i, 0);
      return round((u - 0.5) * 2 ** (80 * uniform([1, 1], stream + 2, i, 0) - 40));
    };
    pairs.push([number(0), number(1)]);
  }
  // whatever a NaN's bits are, no result may depend on them, so bits are taken of numbers only
  const numbers = pairs.filter((pair) => !pair.some(Number.isNaN));
  const applicable = precision === "float32" ? [...builds, ...narrowBuilds] : builds;

  test.each(applicable)("%s: interpreter, machine code and folding agree bit for bit", (name, build) => {
    const rows = name.includes("bits") || name === "gts" || name === "fromInteger" ? numbers : pairs;
    const columns = [0, 1].map((k) => rows.map((row) => row[k]));
    const g = new Graph(precision);
    const root = build(g, g.input("x"), g.input("y"));
    const before = machine.calls;
    const [fast] = compile([root], ["x", "y"], precision)(...columns);
    expect(machine.calls).toBe(before + 1);
    const [slow] = interpreted([root], ["x", "y"], precision)(...columns);
    expect(fast).toEqual(slow);
    expect(new Set(fast).size).toBeGreaterThan(1);
    rows.slice(0, 80).forEach(([x, y], i) => {
      const folded = build(g, g.constant(x), g.constant(y));
      if (folded.op === "constant") expect(folded.value).toBe(fast[i]);
    });
  });
});

test("a tail shorter than a vector is computed like any other element, for 1 to 9 elements", () => {
  for (const precision of precisions) {
    const g = new Graph(precision as Precision);
    const root = g.add(g.mul(g.input("x"), g.constant(3)), g.constant(1));
    const run = compile([root], ["x"], precision);
    for (let size = 1; size <= 9; size++) {
      const x = Array.from({ length: size }, (_, i) => i + size);
      expect([...run(x)[0]]).toEqual(x.map((value) => 3 * value + 1));
    }
  }
});
