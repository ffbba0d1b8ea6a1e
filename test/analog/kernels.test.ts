/** Every kernel against its plain twin, bit for bit. */
import { describe, expect, test } from "vitest";
import { compileKernels, type elementwise, type Kernels, normalCount } from "../../src/analog/kernels.ts";
import { paddedColumns } from "../../src/analog/matvec.ts";
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
    expect(w.data).toEqual(expected);
    for (const threshold of [0, 0.4, Math.max(...expected.map(Math.abs)), 9]) {
      w.data.set(start);
      const number = kernels.accumulate(
        ...[w.at, 4 * width, d.at, x.at, rows, list.at, count, -0.4, threshold, found.at],
      );
      expect(w.data).toEqual(expected);
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

const x = Float32Array.from([-100, -3.5, -1, -1e-3, -0, 0, 1e-9, 0.5, 1, 2.5, 20, 90, 0.125]);
const y = plain.numbers(x.length, 5).map(Math.abs);
const exp = hostFunction("exp", "float32");
const twins = {
  sigmoid: { inputs: [x], of: ([a]) => f(1 / f(1 + exp(-a))) },
  sigmoidBack: { inputs: [x, y], of: ([dy, a]) => f(f(dy * a) * f(1 - a)) },
  exponential: { inputs: [x], scalars: [0.7], of: ([a]) => exp(f(a - f(0.7))) },
  square: { inputs: [x], of: ([a]) => f(a * a) },
  scale: { inputs: [x], scalars: [1.3], of: ([a]) => f(a * f(1.3)) },
  addNoise: { inputs: [x, y, x], of: ([a, v, z]) => f(a + f(f(Math.sqrt(v)) * z)) },
  quantise: {
    inputs: [x],
    scalars: [4, 0.25, 7],
    of: ([a]) => f(Math.min(Math.max(halfEven(f(a * 4)), -7), 7) * 0.25),
  },
} satisfies Record<
  keyof typeof elementwise,
  { inputs: Float32Array[]; scalars?: number[]; of: (values: number[]) => number }
>;

function halfEven(a: number): number {
  const below = Math.floor(a);
  if (a - below !== 0.5) return Math.round(a);
  return below % 2 === 0 ? below : below + 1;
}

test.each(Object.keys(twins) as (keyof typeof twins)[])("%s has the bits of its formula", async (name) => {
  const { inputs, scalars = [], of } = twins[name] as (typeof twins)["scale"];
  const kernels = await compileKernels(2 ** 16);
  const blocks = inputs.map((values) => {
    const block = kernels.heap.take(values.length);
    block.data.set(values);
    return block;
  });
  const to = kernels.heap.take(x.length);
  kernels[name](x.length, ...blocks.map(({ at }) => at), to.at, ...scalars);
  const expected = Float32Array.from(x, (_, k) => of(inputs.map((values) => values[k])));
  expect(to.data.map((value) => value + 0)).toEqual(expected.map((value) => value + 0)); // -0 is 0
});

test("sigmoid is within 2 ulp of 1 / (1 + exp(-x)), 0 or 1 far out, and never NaN", async () => {
  const kernels = await compileKernels(2 ** 18);
  const dense = Float32Array.from({ length: 20000 }, (_, k) => (k - 10000) / 100);
  const [from, to] = [kernels.heap.take(dense.length), kernels.heap.take(dense.length)];
  from.data.set(dense);
  kernels.sigmoid(dense.length, from.at, to.at);
  for (const [k, value] of dense.entries()) {
    if (value < -87) {
      expect(to.data[k]).toBeLessThan(1.7e-38); // from where exp(-x) leaves float32
      continue;
    }
    const exact = 1 / (1 + Math.exp(-value));
    const ulp = 2 ** (Math.floor(Math.log2(exact)) - 23);
    expect(Math.abs(to.data[k] - exact)).toBeLessThanOrEqual(2 * ulp);
  }
});
