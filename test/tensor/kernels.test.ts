/** Every kernel against its plain twin, bit for bit. */
import { describe, expect, test } from "vitest";
import { compileKernels, type elementwise, type Kernels, normalCount } from "../../src/tensor/kernels.ts";
import { paddedColumns } from "../../src/tensor/matvec.ts";
import { hostFunction } from "../../src/wasm/functions.ts";
import * as plain from "./plain.ts";

const f = Math.fround;
const sizes = [
  [1, 1],
  [3, 4],
  [2, 7],
  [10, 251],
  [25, 785],
] as const;

/** A matrix and vectors in a fresh heap; x is 0 in places, as pixels are. */
async function problem([rows, columns]: readonly [number, number]) {
  const kernels = await compileKernels(2 ** 20);
  const { heap } = kernels;
  const width = paddedColumns(columns);
  const take = (count: number, values: Float32Array) => {
    const block = heap.take(count);
    block.data.set(values);
    return block;
  };
  const matrix = plain.numbers(rows * width, 1).map((w, k) => (k % width < columns ? w : 0));
  const vector = plain.numbers(columns, 2, 0.6);
  const w = take(rows * width, matrix);
  const x = take(width, vector);
  const d = take(rows, plain.numbers(rows, 3));
  const y = take(Math.max(rows, width), plain.numbers(Math.max(rows, width), 4));
  const list = heap.take(width / 4);
  const found = heap.take((rows * width) / 4);
  return { kernels, rows, columns, width, w, x, d, y, list, found };
}

const words = ({ heap }: Kernels, at: number, count: number): number[] =>
  Array.from(new Uint32Array(heap.memory.buffer, at, count), (offset) => offset / 4);

describe.each(sizes)("%i x %i", (...size) => {
  test("active lists the groups that are not all 0", async () => {
    const { kernels, columns, x, list } = await problem(size);
    const expected = plain.active(x.data, columns);
    const count = kernels.active(x.at, columns, list.at);
    expect(words(kernels, list.at, count)).toEqual(expected);
    if (columns > 100) expect(expected.length).toBeLessThan(columns / 6); // it has something to leave out
    x.data.fill(0);
    expect(kernels.active(x.at, columns, list.at)).toBe(0);
  });

  test("matvec and vecmat add products with the bits of sums in their order", async () => {
    const { kernels, rows, columns, width, w, x, d, y, list } = await problem(size);
    const count = kernels.active(x.at, columns, list.at);
    const groups = plain.active(x.data, columns);
    const expected = plain.matvec(w.data, width, x.data, y.data.slice(0, rows), groups);
    const rest = y.data.slice(rows);
    kernels.matvec(w.at, 4 * width, x.at, y.at, rows, list.at, count);
    expect(y.data.slice(0, rows)).toEqual(expected);
    expect(y.data.slice(rows)).toEqual(rest);
    const back = plain.vecmat(w.data, width, d.data, y.data);
    kernels.vecmat(w.at, 4 * width, d.at, y.at, rows, columns);
    expect(y.data.slice(0, width)).toEqual(back);
  });

  test("outer and accumulate add the same, and accumulate lists what reached the threshold, which counts", async () => {
    const { kernels, rows, columns, width, w, x, d, list, found } = await problem(size);
    const count = kernels.active(x.at, columns, list.at);
    const groups = plain.active(x.data, columns);
    const expected = plain.outer(w.data, width, d.data, x.data, { groups, factor: -0.4 });
    const start = w.data.slice();
    kernels.outer(w.at, 4 * width, d.at, x.at, rows, list.at, count, -0.4);
    expect(plain.difference(w.data, expected)).toBe("");
    for (const threshold of [0, 0.4, Math.max(...expected.map(Math.abs)), 9]) {
      w.data.set(start);
      const number = kernels.accumulate(
        ...[w.at, 4 * width, d.at, x.at, rows, list.at, count, -0.4, threshold, found.at],
      );
      expect(plain.difference(w.data, expected)).toBe("");
      expect(words(kernels, found.at, number)).toEqual(
        plain.reaching(expected, width, { rows, groups, threshold }),
      );
    }
  });
});

test("the sum of a product is within the error of float32 sums: twins could share a mistake", async () => {
  const { kernels, rows, columns, width, w, x, y, list } = await problem([25, 785]);
  y.data.fill(0);
  kernels.matvec(w.at, 4 * width, x.at, y.at, rows, list.at, kernels.active(x.at, columns, list.at));
  for (let row = 0; row < rows; row++) {
    let [sum, size] = [0, 0];
    for (let c = 0; c < columns; c++) {
      sum += w.data[row * width + c] * x.data[c];
      size += Math.abs(w.data[row * width + c] * x.data[c]);
    }
    // Higham 2002, Accuracy and Stability of Numerical Algorithms, eq. 3.5: 50 terms in a lane, 4 joins, 1 product
    expect(Math.abs(y.data[row] - sum)).toBeLessThan(55 * 2 ** -24 * size);
  }
});

test("normals are those of their addresses, whatever the count", async () => {
  const kernels = await compileKernels(2 ** 16);
  const { data, at } = kernels.heap.take(normalCount(50));
  for (const [count, stream, tick, scale] of [
    [50, 0, 0, 1],
    [10, 2, 7, 0.25],
  ]) {
    kernels.normals(at, count, 123, 456, stream, tick, scale);
    const expected = Array.from({ length: count }, (_, e) =>
      f(plain.normal([123, 456], stream, e, tick) * scale),
    );
    expect(Array.from(data.subarray(0, count))).toEqual(expected);
  }
});

test("normals of several ticks lie one after the other, and nothing behind them is written", async () => {
  const kernels = await compileKernels(2 ** 16);
  const { data, at } = kernels.heap.take(70);
  data.fill(7);
  const [count, ticks] = [20, 3];
  kernels.normalTicks(at, count, 123, 456, 5, 9, 0.25, ticks);
  const expected = Array.from({ length: count * ticks }, (_, k) =>
    f(plain.normal([123, 456], 5, k % count, 9 + Math.floor(k / count)) * 0.25),
  );
  expect(Array.from(data)).toEqual([...expected, ...new Array<number>(10).fill(7)]);
});

const x = Float32Array.from([-100, -3.5, -1, -1e-3, -0, 0, 1e-9, 0.5, 1, 2.5, 20, 90, 0.125]);
const y = plain.numbers(x.length, 5).map(Math.abs);
const z = plain.numbers(x.length, 6);
const [exp, tanh] = (["exp", "tanh"] as const).map((name) => hostFunction(name, "float32"));
const add = (...terms: number[]): number => terms.reduce((sum, term) => f(sum + term));
const mul = (...factors: number[]): number => factors.reduce((product, factor) => f(product * factor));
const [waves, cubic] = [f(Math.sqrt(2 / Math.PI)), f(0.044715)];
const bend = (a: number) => tanh(mul(mul(waves, a), add(1, mul(cubic, mul(a, a)))));

interface Twin {
  readonly inputs: readonly Float32Array[];
  readonly scalars?: readonly number[];
  /** Of numbers in float32; a kernel with several outputs gives them all. */
  readonly of: (values: readonly number[], scalars: readonly number[]) => number | readonly number[];
}

const twins = {
  sigmoid: { inputs: [x], of: ([a]) => f(1 / add(1, exp(-a))) },
  sigmoidBack: { inputs: [x, y], of: ([dy, a]) => mul(mul(dy, a), add(1, -a)) },
  exponential: { inputs: [x], scalars: [0.7], of: ([a], [shift]) => exp(add(a, -shift)) },
  square: { inputs: [x], of: ([a]) => mul(a, a) },
  scale: { inputs: [x], scalars: [1.3], of: ([a], [factor]) => mul(a, factor) },
  addNoise: { inputs: [x, y, x], of: ([a, v, n]) => add(a, mul(f(Math.sqrt(v)), n)) },
  quantise: {
    inputs: [x],
    scalars: [4, 0.25, 7],
    of: ([a], [perStep, step, most]) => mul(Math.min(Math.max(halfEven(mul(a, perStep)), -most), most), step),
  },
  tanh: { inputs: [x], of: ([a]) => tanh(a) },
  tanhBack: { inputs: [x, z], of: ([dy, a]) => mul(dy, add(1, -mul(a, a))) },
  gelu: { inputs: [x], of: ([a]) => mul(mul(0.5, a), add(1, bend(a))) },
  geluBack: {
    inputs: [z, x],
    of: ([dy, a]) => {
      const t = bend(a);
      const slope = add(waves, mul(f(3 * Math.sqrt(2 / Math.PI) * 0.044715), mul(a, a)));
      const rise = mul(mul(mul(0.5, a), add(1, -mul(t, t))), slope);
      return mul(dy, add(mul(0.5, add(1, t)), rise));
    },
  },
  relu: { inputs: [x], of: ([a]) => (a < 0 ? 0 : a) },
  reluBack: { inputs: [z, x], of: ([dy, a]) => (a > 0 ? dy : 0) },
  add: { inputs: [x, z], of: ([a, b]) => add(a, b) },
  multiplyBoth: { inputs: [x, z], of: ([a, b]) => mul(a, b) },
  addScaled: { inputs: [x, z], scalars: [-0.3], of: ([a, b], [factor]) => add(a, mul(factor, b)) },
  momentum: {
    inputs: [x, z, y],
    scalars: [0.1, 0.9, 0.01],
    of: ([w, g, v], [rate, factor, decay]) => {
      const newV = add(mul(factor, v), add(g, mul(decay, w)));
      return [add(w, -mul(rate, newV)), newV];
    },
  },
  nesterov: {
    inputs: [x, z, y],
    scalars: [0.1, 0.9, 0.01],
    of: ([w, g, v], [rate, factor, decay]) => {
      const slope = add(g, mul(decay, w));
      const newV = add(mul(factor, v), slope);
      return [add(w, -mul(rate, add(slope, mul(factor, newV)))), newV];
    },
  },
  adam: {
    inputs: [x, z, z, y],
    scalars: [0.1, 0.9, 0.1, 0.99, 0.01, 1.5, 1e-8, 0.02, 0.03],
    of: ([w, g, m, s], [rate, beta1, rest1, beta2, rest2, root, epsilon, loss, decay]) => {
      const gradient = add(g, mul(decay, w));
      const newM = add(mul(beta1, m), mul(rest1, gradient));
      const newS = add(mul(beta2, s), mul(rest2, mul(gradient, gradient)));
      const step = f(mul(rate, newM) / add(mul(root, f(Math.sqrt(newS))), epsilon));
      return [add(add(w, -mul(loss, w)), -step), newM, newS];
    },
  },
} satisfies Record<keyof typeof elementwise, Twin>;

function halfEven(a: number): number {
  const below = Math.floor(a);
  if (a - below !== 0.5) return Math.round(a);
  return below % 2 === 0 ? below : below + 1;
}

test.each(Object.keys(twins) as (keyof typeof twins)[])("%s has the bits of its formula", async (name) => {
  const { inputs, scalars = [], of }: Twin = twins[name];
  const kernels = await compileKernels(2 ** 16);
  const blocks = inputs.map((values) => {
    const block = kernels.heap.take(values.length);
    block.data.set(values);
    return block;
  });
  const single = scalars.map(f);
  const expected = Array.from(x, (_, k) =>
    [
      of(
        inputs.map((values) => values[k]),
        single,
      ),
    ].flat(),
  );
  const outputs = expected[0].map(() => kernels.heap.take(x.length));
  kernels[name](x.length, ...[...blocks, ...outputs].map(({ at }) => at), ...scalars);
  outputs.forEach(({ data }, n) => {
    expect(data.map((value) => value + 0)).toEqual(Float32Array.from(expected, (own) => own[n] + 0)); // -0 is 0
  });
});

test("relu keeps NaN, so that a network that has one does not go on", async () => {
  const { heap, relu } = await compileKernels(2 ** 16);
  const { at, data } = heap.take(4);
  data.set([Number.NaN, -1, 2, Number.NaN]);
  relu(4, at, at);
  expect(Array.from(data)).toEqual([Number.NaN, 0, 2, Number.NaN]);
});

test("sigmoid is within 2 ulp of 1 / (1 + exp(-x)), 0 or 1 far out, and never NaN", async () => {
  const kernels = await compileKernels(2 ** 18);
  const dense = Float32Array.from({ length: 20000 }, (_, k) => (k - 10000) / 100);
  const [from, to] = [kernels.heap.take(dense.length), kernels.heap.take(dense.length)];
  from.data.set(dense);
  kernels.sigmoid(dense.length, from.at, to.at);
  const wrong = dense.filter((value, k) => {
    if (value < -87) return !(to.data[k] < 1.7e-38); // from where exp(-x) leaves float32
    const exact = 1 / (1 + Math.exp(-value));
    const ulp = 2 ** (Math.floor(Math.log2(exact)) - 23);
    return !(Math.abs(to.data[k] - exact) <= 2 * ulp);
  });
  expect(Array.from(wrong)).toEqual([]);
});
