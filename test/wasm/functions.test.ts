import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { uniform } from "../../src/math/random.ts";
import { expandFunction, hostFunction } from "../../src/wasm/functions.ts";
import { Graph, type Precision } from "../../src/wasm/graph.ts";
import { compile, interpreted, machine } from "./lanes.ts";
import { digitsAgreed, exact, reference, ulps } from "./reference.ts";

type Name = Parameters<typeof hostFunction>[0];
const precisions = ["float64", "float32"] as const;
const digits = { float64: 53, float32: 24 };

/** Machine code and interpreter of one function, over arrays. */
function both(name: Name, precision: Precision, arity: number) {
  const graph = new Graph(precision);
  const names = ["x", "y", "z"].slice(0, arity);
  const root = expandFunction(
    graph,
    name,
    names.map((x) => graph.input(x)),
  );
  return { fast: compile([root], names, precision), slow: interpreted([root], names, precision) };
}

// ---- points: a hard and a wide range for each function, always the same ------------------------------

type Source = (u: (low: number, high: number) => number) => number[];
type U = Parameters<Source>[0];
const signed = (u: U, low: number, high: number) => (u(0, 1) < 0.5 ? -1 : 1) * 2 ** u(low, high);
const nearOne = (u: U, low: number) => 1 + signed(u, low, -1.2);
const quarters = (u: U, count: number) => (Math.floor(u(1, count)) * Math.PI) / 2;

const logs: Record<Precision, Source[]> = {
  float64: [(u) => [2 ** u(-1074, 1023.9)], (u) => [u(0.4, 2.2)], (u) => [nearOne(u, -50)]],
  float32: [(u) => [2 ** u(-149, 127.9)], (u) => [u(0.4, 2.2)], (u) => [nearOne(u, -22)]],
};
const angles: Record<Precision, Source[]> = {
  float64: [(u) => [signed(u, -60, 26.5)], (u) => [u(-7, 7)], (u) => [quarters(u, 6e7)]],
  float32: [(u) => [signed(u, -60, 12.6)], (u) => [u(-7, 7)], (u) => [quarters(u, 4000)]],
};
const hyperbolic: Record<Precision, Source[]> = {
  float64: [(u) => [u(-710.47, 710.47)], (u) => [u(-2, 2)], (u) => [signed(u, -60, 9)]],
  float32: [(u) => [u(-89.41, 89.41)], (u) => [u(-2, 2)], (u) => [signed(u, -60, 6)]],
};
/** Exponents that lead anywhere in the range of results. */
const through = (u: U, span: number): number[] => {
  const x = Math.fround(2 ** u(-20, 20));
  return [x, u(-span, span) / Math.log(x)];
};

/** [function, bound in ulps (float64, float32), sources of points] */
const table: [Name, number, number, Record<Precision, Source[]>][] = [
  [
    "exp",
    1,
    1,
    {
      float64: [(u) => [u(-708.39, 709.78)], (u) => [u(-1, 1)], (u) => [signed(u, -60, 3)]],
      float32: [(u) => [u(-87.33, 88.72)], (u) => [u(-1, 1)], (u) => [signed(u, -60, 3)]],
    },
  ],
  [
    "expm1",
    1.2,
    1.2,
    {
      float64: [(u) => [u(-45, 709.78)], (u) => [u(-2, 2)], (u) => [signed(u, -60, 3)]],
      float32: [(u) => [u(-45, 88.72)], (u) => [u(-2, 2)], (u) => [signed(u, -60, 3)]],
    },
  ],
  ["log", 1, 1, logs],
  ["log10", 0.6, 0.6, logs],
  ["sin", 1, 1, angles],
  ["cos", 1, 1, angles],
  ["tan", 2.5, 2.5, angles],
  ["sinh", 2.5, 2.5, hyperbolic],
  ["cosh", 1.5, 1.5, hyperbolic],
  ["tanh", 2.5, 2.5, hyperbolic],
  [
    "^",
    1.2,
    1.2,
    {
      float64: [
        (u) => [2 ** u(-30, 30), u(-30, 30)],
        (u) => [2 ** u(-1070, 1020), u(-0.95, 0.95)],
        (u) => [nearOne(u, -40), signed(u, 0, 9)],
        (u) => through(u, 700),
      ],
      float32: [
        (u) => [2 ** u(-4, 4), u(-20, 20)],
        (u) => [2 ** u(-148, 127), u(-0.58, 0.58)],
        (u) => [nearOne(u, -20), signed(u, 0, 6)],
        (u) => through(u, 86),
      ],
    },
  ],
  [
    "mod",
    0.6,
    0.6,
    {
      float64: [(u) => [signed(u, -20, 40), signed(u, -10, 10)]],
      float32: [(u) => [signed(u, -10, 15), signed(u, -6, 8)]],
    },
  ],
];

function points(sources: readonly Source[], count: number, precision: Precision): number[][] {
  let draw = 0;
  const u = (low: number, high: number) => low + (high - low) * uniform([3, 14], 0, draw++, 0);
  const round = precision === "float32" ? Math.fround : (x: number) => x;
  return Array.from({ length: count }, (_, i) => sources[i % sources.length](u).map(round));
}
const column = (rows: readonly number[][], k: number): Float64Array =>
  Float64Array.from(rows, (row) => row[k]);

describe("the oracle", () => {
  test("measures ulps of the exact value: 1 and 2^-53 apart", () => {
    expect(ulps(1 + 2 ** -52, exact(1))).toBe(1);
    expect(ulps(1 - 2 ** -53, exact(1))).toBe(0.5);
    expect(ulps(1 + 2 ** -23, exact(1), 24)).toBe(1);
    expect(ulps(Number.NaN, exact(1))).toBe(Number.POSITIVE_INFINITY);
  });

  const golden: Record<string, string[][]> = JSON.parse(
    readFileSync(new URL("../golden/functions.json", import.meta.url), "utf8"),
  );
  const real = (hex: string) => Buffer.from(hex, "hex").readDoubleBE(0);

  test.each(table.filter(([name]) => name !== "mod"))(
    "agrees with mpmath's %s in 100 bits, and our function is near both",
    (name, bound) => {
      const rows = golden[name === "^" ? "pow" : name];
      expect(rows.length).toBe(150);
      for (const row of rows) {
        const numbers = row.map(real);
        const [value, rest] = numbers.splice(-2);
        const oracle = reference[name](...numbers);
        expect(ulps(hostFunction(name)(...numbers), oracle)).toBeLessThan(bound);
        if (Math.abs(value) < 1e-270) continue; // the remainder is subnormal
        expect(digitsAgreed(value, rest, oracle)).toBeGreaterThanOrEqual(100);
      }
    },
  );
});

describe.each(precisions)("%s", (precision) => {
  test.each(table)("%s stays below its bound, and machine code gives the interpreter's bits", (...row) => {
    const [name, wide, narrow, sources] = row;
    const bound = precision === "float64" ? wide : narrow;
    const rows = points(sources[precision], 3000, precision);
    const args = rows[0].map((_, k) => column(rows, k));
    const { fast, slow } = both(name, precision, args.length);
    const before = machine.calls;
    const [results] = fast(...args);
    expect(machine.calls).toBe(before + 1);
    const [twins] = slow(...args.map((a) => a.subarray(0, 601)));
    expect(results.slice(0, 601)).toEqual(twins);

    let worst = 0;
    let at: number[] = [];
    rows.forEach((point, i) => {
      const oracle = reference[name](...point);
      // a result under the smallest normal number may be flushed, or is rounded like one
      if (isSubnormal(oracle, precision)) return;
      const error = ulps(results[i], oracle, digits[precision]);
      if (error > worst) [worst, at] = [error, point];
    });
    expect(worst, `${name}(${at})`).toBeLessThan(bound);
    expect(worst).toBeGreaterThan(0.45); // it was measured
  });
});

function isSubnormal(value: ReturnType<typeof exact>, precision: Precision): boolean {
  const size = value.mantissa < 0n ? -value.mantissa : value.mantissa;
  const top = value.exponent + size.toString(2).length - 1;
  return size !== 0n && top < (precision === "float64" ? -1022 : -126);
}

// ---- edges -------------------------------------------------------------------------------------------

const inf = Number.POSITIVE_INFINITY;
const nan = Number.NaN;
/** [function, arguments, result] in both precisions. */
const edges: [Name, number[], number][] = [
  ["exp", [0], 1],
  ["exp", [-0], 1],
  ["exp", [inf], inf],
  ["exp", [-inf], 0],
  ["exp", [nan], nan],
  ["exp", [710], inf],
  ["exp", [-709], 0],
  ["expm1", [0], 0],
  ["expm1", [1e-30], 1e-30],
  ["expm1", [inf], inf],
  ["expm1", [-inf], -1],
  ["expm1", [-50], -1],
  ["expm1", [nan], nan],
  ["log", [1], 0],
  ["log", [0], -inf],
  ["log", [-0], -inf],
  ["log", [-1], nan],
  ["log", [-inf], nan],
  ["log", [inf], inf],
  ["log", [nan], nan],
  ["log10", [1], 0],
  ["log10", [1000], 3],
  ["log10", [0], -inf],
  ["log10", [-2], nan],
  ["log10", [inf], inf],
  ["log10", [nan], nan],
  ["sin", [0], 0],
  ["sin", [1e-30], 1e-30],
  ["sin", [inf], nan],
  ["sin", [nan], nan],
  ["sin", [1e15], nan],
  ["cos", [0], 1],
  ["cos", [-inf], nan],
  ["cos", [1e15], nan],
  ["tan", [0], 0],
  ["tan", [nan], nan],
  ["sinh", [0], 0],
  ["sinh", [-0], -0],
  ["sinh", [inf], inf],
  ["sinh", [-inf], -inf],
  ["sinh", [-711], -inf],
  ["sinh", [nan], nan],
  ["cosh", [0], 1],
  ["cosh", [-inf], inf],
  ["cosh", [711], inf],
  ["cosh", [nan], nan],
  ["tanh", [-0], -0],
  ["tanh", [inf], 1],
  ["tanh", [-inf], -1],
  ["tanh", [-100], -1],
  ["tanh", [nan], nan],
  ["sqrt", [4], 2],
  ["sqrt", [-1], nan],
  ["abs", [-3], 3],
  ["sign", [-7], -1],
  ["sign", [7], 1],
  ["sign", [0], 0],
  ["sign", [nan], nan],
  ["floor", [-1.5], -2],
  ["ceil", [-1.5], -1],
  ["round", [2.5], 2],
  ["round", [3.5], 4],
  ["round", [-2.5], -2],
  ["min", [1, 2], 1],
  ["min", [nan, 2], nan],
  ["min", [2, nan], 2],
  ["max", [1, 2], 2],
  ["clip", [5, 0, 1], 1],
  ["clip", [-5, 0, 1], 0],
  ["clip", [0.5, 0, 1], 0.5],
  ["clip", [nan, 0, 1], nan],
  ["clip", [inf, 0, 1], 1],
  ["mod", [7, 3], 1],
  ["mod", [-7, 3], 2],
  ["mod", [7, -3], -2],
  ["mod", [-7, -3], -1],
  ["mod", [6, 3], 0],
  ["mod", [5, 0], nan],
  ["mod", [inf, 3], nan],
  ["mod", [5, inf], 5],
  ["mod", [-5, inf], inf],
  ["mod", [-5, -inf], -5],
  ["mod", [nan, 3], nan],
  ["mod", [3, nan], nan],
  ["^", [0, 2.5], 0],
  ["^", [0, -2.5], inf],
  ["^", [0, 0], 1],
  ["^", [nan, 0], 1],
  ["^", [1, nan], 1],
  ["^", [2, nan], nan],
  ["^", [nan, 2.5], nan],
  ["^", [0, nan], nan],
  ["^", [inf, nan], nan],
  ["^", [-0, 3], -0],
  ["^", [-0, -3], -inf],
  ["^", [-0, 2], 0],
  ["^", [-2, 3], -8],
  ["^", [-2, 4], 16],
  ["^", [-2, 0.5], nan],
  ["^", [2, inf], inf],
  ["^", [2, -inf], 0],
  ["^", [0.5, inf], 0],
  ["^", [0.5, -inf], inf],
  ["^", [1, inf], 1],
  ["^", [-1, inf], 1],
  ["^", [inf, 2.5], inf],
  ["^", [inf, -2.5], 0],
  ["^", [-inf, 3], -inf],
  ["^", [-inf, 2.5], inf],
  ["^", [-inf, -3], -0],
  ["^", [10, 400], inf],
  ["^", [10, -400], 0],
  ["^", [1 + 2 ** -20, 2 ** 80], inf],
  ["^", [10, 5], 100000],
  ["^", [3, 9], 19683],
];

describe.each(precisions)("%s edges", (precision) => {
  const round = precision === "float32" ? Math.fround : (x: number) => x;
  test.each(edges)("%s(%s) is %s", (name, args, result) => {
    const { fast, slow } = both(name, precision, args.length);
    // two lanes side by side: the edge must not spoil its neighbour
    const ordinary = args.map(() => 0.75);
    const arrays = args.map((x, k) => [round(x), ordinary[k], ordinary[k], round(x)]);
    for (const run of [fast, slow]) {
      const [out] = run(...arrays);
      expect([out[0], out[3]]).toEqual([round(result), round(result)]);
      expect(out[1]).toBe(hostFunction(name, precision)(...ordinary));
    }
    expect(hostFunction(name, precision)(...args)).toBe(round(result));
  });

  test("exp is 0 below the smallest normal number and finite up to the overflow", () => {
    const exp = hostFunction("exp", precision);
    const wide = precision === "float64";
    const [largest, smallest] = wide ? [709.782712893384, -708.3964185322641] : [88.72283, -87.33654];
    expect(exp(largest)).toBeGreaterThan(wide ? 1.79e308 : 3.4e38);
    expect(exp(largest)).toBeLessThan(inf);
    expect(exp(largest * (1 + 1e-7))).toBe(inf);
    expect(exp(smallest)).toBeGreaterThanOrEqual(wide ? 2 ** -1022 : 2 ** -126);
    expect(exp(smallest * (1 + 1e-7))).toBe(0);
  });

  test("log of subnormal numbers, of the largest and of neighbours of 1", () => {
    const log = hostFunction("log", precision);
    const wide = precision === "float64";
    const numbers = wide
      ? [5e-324, 1e-310, Number.MAX_VALUE, 1 - 2 ** -53, 1 + 2 ** -52]
      : [2 ** -149, 2 ** -130, (2 - 2 ** -23) * 2 ** 127, 1 - 2 ** -24, 1 + 2 ** -23];
    for (const x of numbers) expect(ulps(log(x), reference.log(x), digits[precision])).toBeLessThan(1);
  });
});

// ---- single claims -------------------------------------------------------------------------------------

test("sin and cos are below 1 ulp where 10,000 angles next to multiples of pi / 2 cancel most", () => {
  const count = 10_000;
  const angles = Float64Array.from({ length: count }, (_, i) => ((i + 1) * Math.PI) / 2);
  for (const name of ["sin", "cos"] as const) {
    const [results] = both(name, "float64", 1).fast(angles);
    results.forEach((value, i) => {
      expect(ulps(value, reference[name](angles[i]))).toBeLessThan(1);
    });
  }
});

test("beyond their domain sin and cos are those of an angle 2 ulp away", () => {
  for (const precision of precisions) {
    const [low, high, ulp] = precision === "float64" ? [27, 47, 2 ** -52] : [13, 18, 2 ** -23];
    const round = precision === "float32" ? Math.fround : (x: number) => x;
    for (let i = 0; i < 300; i++) {
      const x = round(2 ** (low + ((high - low) * i) / 300));
      for (const name of ["sin", "cos"] as const) {
        const { mantissa, exponent } = reference[name](x);
        const error = Math.abs(hostFunction(name, precision)(x) - Number(mantissa) * 2 ** exponent);
        expect(error).toBeLessThan(2 * ulp * x);
      }
    }
  }
});

test("log10 is exact at all 23 exact powers of ten", () => {
  for (let k = 0; k <= 22; k++) expect(hostFunction("log10")(10 ** k)).toBe(k);
});

test("small constant exponents are products and roots, others equal the general power", () => {
  for (const precision of precisions) {
    const g = new Graph(precision);
    const x = g.input("x");
    const operations = (exponent: number) => {
      const before = g.nodes.length;
      const root = expandFunction(g, "^", [x, g.constant(exponent)]);
      return { root, count: g.nodes.length - before };
    };
    for (let twice = -16; twice <= 16; twice++) {
      const exponent = twice / 2;
      const { root, count } = operations(exponent);
      expect(count).toBeLessThan(12);
      for (const base of [0.3, 1.7, 12.5].map((b) => (precision === "float32" ? Math.fround(b) : b))) {
        const [[value]] = interpreted([root], ["x"], precision)([base]);
        expect(ulps(value, reference["^"](base, exponent), digits[precision])).toBeLessThan(5);
      }
    }
    expect(expandFunction(g, "^", [x, g.constant(2)])).toBe(g.mul(x, x));
    expect(expandFunction(g, "^", [x, g.constant(1)])).toBe(x);
    expect(expandFunction(g, "^", [x, g.constant(0)])).toBe(g.constant(1));

    for (const [base, exponent] of [
      [2, 0.3],
      [3, 0.75],
      [0.1, 9],
      [-3, 11],
      [-3, 10],
      [-3, 9.5],
      [0, 9],
      [2, inf],
    ]) {
      const general = hostFunction("^", precision)(base, exponent);
      const powers = interpreted([operations(exponent).root], ["x"], precision);
      expect(powers([precision === "float32" ? Math.fround(base) : base])[0][0]).toBe(general);
      const ofConstant = expandFunction(g, "^", [g.constant(base), g.input("y")]);
      expect(interpreted([ofConstant], ["y"], precision)([exponent])[0][0]).toBe(general);
    }
  }
});

test("mod keeps the sign of the divisor where the quotient is rounded up to a whole number", () => {
  const mod = hostFunction("mod");
  const almost = 1e6 - 2 ** -34; // 1e6 - 2^-34 over 1e-3 rounds to 1e9 and a bit
  for (const [x, y] of [
    [almost, 1e-3],
    [0.3, 0.1],
    [-0.3, 0.1],
    [1, 0.1],
    [-1e-20, 1],
  ]) {
    const value = mod(x, y);
    expect(value).toBeGreaterThanOrEqual(0);
    expect(ulps(value, reference.mod(x, y))).toBeLessThan(0.6);
  }
  expect(mod(1, 0.1)).toBe(0.09999999999999995); // Python 3: 1 % 0.1
  expect(mod(-1e-20, 1)).toBe(1); // Python 3: -1e-20 % 1.0
});

test("constant arguments give a constant, int takes a truth value or a number", () => {
  const g = new Graph("float64");
  const e = expandFunction(g, "exp", [g.constant(1)]);
  expect(e).toMatchObject({ op: "constant", value: hostFunction("exp")(1) });
  const positive = g.node("gt", [g.input("x"), g.constant(0)]);
  const roots = [positive, g.input("x")].map((node) => expandFunction(g, "int", [node]));
  const out = compile(roots, ["x"], "float64")([2.7, -2.7]);
  expect(out.map((lane) => [...lane])).toEqual([
    [1, 0],
    [2, -2],
  ]);
});

test("functions of one argument share their parts: sin and cos of one angle cost little more than one", () => {
  const g = new Graph("float64");
  expandFunction(g, "sin", [g.input("x")]);
  const one = g.nodes.length;
  expandFunction(g, "cos", [g.input("x")]);
  expect(g.nodes.length - one).toBeLessThan(10);
});
