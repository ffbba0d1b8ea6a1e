/** Minimal filtering: its matrices by themselves, and convolutions by it against float64 sums in order. */
import { describe, expect, test } from "vitest";
import type { Block } from "../../src/tensor/heap.ts";
import { compileKernels, type Kernels } from "../../src/tensor/kernels.ts";
import { type PatchOptions, patches, patchPositions } from "../../src/tensor/patches.ts";
import { type Table, tableOver, takeTable } from "../../src/tensor/table.ts";
import { filters, type Kind, kinds, type Matrix } from "../../src/tensor/toom.ts";
import { filterOf, WinogradPatches } from "../../src/tensor/winograd.ts";
import * as plain from "./plain.ts";

describe.each(kinds)("matrices of filters %s", (kind) => {
  const { taps, forward, back, stride, outputs, places } = filters[kind];
  const numbers = (count: number, stream: number) => Array.from(plain.numbers(count, stream));
  const times = (a: Matrix, x: readonly number[]) =>
    a.map((row) => row.reduce((sum, value, k) => sum + value * x[k], 0));
  /** Products at places, back to outputs, or to taps. */
  const toOutputs = (a: Matrix, ...factors: (readonly number[])[]) =>
    a[0].map((_, k) =>
      a.reduce((sum, row, j) => sum + row[k] * factors.reduce((product, x) => product * x[j], 1), 0),
    );
  const near = (ours: readonly number[], right: readonly number[]) => {
    expect(ours.length).toBe(right.length);
    ours.forEach((value, k) => {
      expect(value).toBeCloseTo(right[k], 5);
    });
  };
  const size = stride * (outputs - 1) + 3;
  const [d, w, dy] = [numbers(size, 1), numbers(3, 2), numbers(outputs, 3)];
  const upTo = (count: number) => Array.from({ length: count }, (_, k) => k);

  test("filter inputs by taps", () => {
    expect(forward.from.matrix.length).toBe(places);
    expect([forward.from.step, forward.to.step]).toEqual([stride * outputs, outputs]);
    const right = upTo(outputs).map((k) => w.reduce((sum, tap, t) => sum + tap * d[stride * k + t], 0));
    near(toOutputs(forward.to.matrix, times(taps, w), times(forward.from.matrix, d)), right);
  });

  test("sum inputs times slopes for each tap", () => {
    const right = w.map((_, t) => dy.reduce((sum, slope, k) => sum + slope * d[stride * k + t], 0));
    near(toOutputs(taps, times(forward.to.matrix, dy), times(forward.from.matrix, d)), right);
  });

  test("filter slopes by taps the other way round", () => {
    const slopes = numbers(back.from.matrix[0].length, 4);
    // the tile's slope 0 is that of output -2 of stride 1 and of output -1 of stride 2
    const before = stride === 1 ? 2 : 1;
    const right = upTo(back.to.matrix[0].length).map((at) =>
      slopes.reduce((sum, slope, k) => sum + slope * (w[at - stride * (k - before)] ?? 0), 0),
    );
    near(toOutputs(back.to.matrix, times(taps, w.toReversed()), times(back.from.matrix, slopes)), right);
  });
});

test.each([
  [[32, 32, 16], 16, {}, "Four"],
  [[25, 5, 112], 84, {}, "Five"],
  [[10, 10, 8], 8, {}, "Five"], // 4 tiles of 49 products instead of 9 of 36
  [[24, 24, 8], 8, {}, "Four"], // 25 of 49 save less than a fifth of 36 of 36
  [[3, 3, 8], 8, {}, "Four"],
  [[2, 2, 8], 8, {}, undefined], // 36 products either way
  [[32, 32, 4], 16, {}, undefined],
  [[32, 32, 16], 4, {}, undefined],
  [[49, 10, 84], 112, { stride: [2, 2], border: [1, 0, 1, 1] }, "Halving"],
  [[49, 10, 20], 112, { stride: [2, 2], border: [1, 0, 1, 1] }, undefined],
  [[32, 32, 32], 32, { stride: [2, 2] }, undefined], // 1,936 products of 2,304
  [[32, 32, 16], 16, { stride: [2, 1] }, undefined],
  [[32, 32, 16], 16, { stride: [3, 3] }, undefined],
  [[32, 32, 16], 16, { kernel: [1, 1] }, undefined],
  [[32, 32, 16], 16, { border: [3, 0, 0, 0] }, undefined],
  [[32, 32, 16], 16, { inOrder: true }, undefined],
  [[8, 8, 4000], 16, {}, undefined], // a tile of so many channels has no room
] as const)("%j to %i channels, %j: %j", (shape, outputs, other, size) => {
  expect(filterOf({ ...geometry(shape, outputs), ...other })).toBe(size);
});

function geometry(shape: readonly [number, number, number], outputs: number): PatchOptions {
  return {
    shape,
    outputs,
    kernel: [3, 3],
    stride: [1, 1],
    border: [1, 1, 1, 1],
    images: 1,
    needsBackward: true,
  };
}

/** All arrays of a convolution: of images, slopes, and what products make of them. */
interface Problem {
  readonly o: PatchOptions;
  readonly products: ReturnType<typeof patches>;
  readonly x: Table;
  readonly y: Table;
  readonly dx: Table;
  readonly dy: Table;
  readonly w: Block;
  readonly dw: Block;
}

/** Numbers from -1 to 1, 0 where rows are filled up. What products write into is not 0 before. */
function problem(kernels: Kernels, o: PatchOptions): Problem {
  const products = patches(kernels, o);
  const { heap } = kernels;
  const filled = (table: Table, stream: number): Table => {
    const { data, width, features } = table;
    data.set(plain.numbers(data.length, stream).map((x, k) => (k % width < features ? x : 0)));
    return table;
  };
  const outputs = [...patchPositions(o), o.outputs];
  const rows = (stream: number) => filled(takeTable(heap, [products.inputs], o.outputs), stream);
  return {
    o,
    products,
    x: filled(takeTable(heap, o.shape, o.images), 1),
    y: filled(takeTable(heap, outputs, o.images), 2),
    dx: filled(takeTable(heap, o.shape, o.images), 3),
    dy: filled(takeTable(heap, outputs, o.images), 4),
    w: rows(5),
    dw: rows(6),
  };
}

function multiply({ products, o, x, y, dx, dy, w, dw }: Problem): void {
  products.load(x, o.images);
  products.pack(w);
  products.packBack(w);
  products.forward(y, o.images);
  products.backward(dy, dx, o.images);
  products.gradient(dy, dw, o.images);
}

/** What is expected of y, dx and dw, in float64, before any is written. */
function expected({ o, products, x, y, dy, w, dw }: Problem) {
  const [height, width, channels] = o.shape;
  const [lines, columns] = patchPositions(o);
  const sums = {
    y: Float64Array.from(y.data),
    dx: new Float64Array(x.data.length),
    dw: Float64Array.from(dw.data),
  };
  for (let image = 0; image < o.images; image++)
    for (let line = 0; line < lines; line++)
      for (let column = 0; column < columns; column++)
        for (let tap = 0; tap < 9; tap++) {
          const above = line * o.stride[0] + Math.floor(tap / 3) - o.border[0];
          const left = column * o.stride[1] + (tap % 3) - o.border[1];
          if (above < 0 || above >= height || left < 0 || left >= width) continue;
          const from = ((image * height + above) * width + left) * x.width;
          const to = ((image * lines + line) * columns + column) * y.width;
          for (let j = 0; j < o.outputs; j++) {
            const at = j * products.width + tap * channels;
            const slope = dy.data[to + j];
            let sum = 0;
            for (let c = 0; c < channels; c++) {
              sum += x.data[from + c] * w.data[at + c];
              sums.dx[from + c] += slope * w.data[at + c];
              sums.dw[at + c] += slope * x.data[from + c];
            }
            sums.y[to + j] += sum;
          }
        }
  return sums;
}

/** The largest difference over the largest number. */
function off(ours: Float32Array, right: Float64Array): number {
  let [most, size] = [0, 0];
  right.forEach((value, k) => {
    most = Math.max(most, Math.abs(value - ours[k]));
    size = Math.max(size, Math.abs(value));
  });
  return most / size;
}

/**
 * Largest errors over the largest number: twice those that were measured with these numbers, for each kind. Sums in order
 * are off by up to 1e-6.
 */
const bound: Record<Kind, number> = { Four: 3e-6, Five: 1.2e-5, Halving: 3e-6 };

const shapes = {
  "whole tiles": geometry([8, 8, 8], 8),
  "several groups of runs, what fills channels up on both sides": {
    ...geometry([33, 14, 30], 10),
    images: 2,
  },
  "larger tiles, channels that fill no vectors": { ...geometry([25, 5, 42], 13), images: 3 },
  "borders that differ, and lines and columns that are left over": {
    ...geometry([11, 9, 8], 9),
    border: [0, 2, 2, 1],
    images: 2,
  },
  "no border": { ...geometry([6, 10, 12], 20), border: [0, 0, 0, 0] },
  "stride 2, what fills channels up, lines that no patch sees": {
    ...geometry([22, 20, 26], 25),
    stride: [2, 2],
    border: [0, 1, 0, 1],
    images: 2,
  },
  "stride 2, several groups and runs": {
    ...geometry([9, 79, 260], 24),
    stride: [2, 2],
    border: [1, 0, 1, 1],
  },
  "several runs in a line": geometry([5, 300, 64], 8),
  "filters and sums in several blocks": geometry([4, 4, 132], 130),
} satisfies Record<string, PatchOptions>;

describe.each(Object.entries<PatchOptions>(shapes))("%s:", (_, o) => {
  test("outputs are added, derivatives written, gradients added, with errors within bounds", async () => {
    const kernels = await compileKernels(2 ** 26);
    const one = problem(kernels, o);
    expect(one.products).toBeInstanceOf(WinogradPatches);
    const right = expected(one);
    multiply(one);
    const most = bound[filterOf(o) as Kind];
    const errors = (["y", "dx", "dw"] as const).map((name) => off(one[name].data, right[name]));
    expect(Math.max(...errors)).toBeLessThan(most);
    // a control: the first weight off by 1e-3 of the largest number
    one.w.data[0] += 0.1;
    one.products.pack(one.w);
    one.products.forward(one.y, o.images, true);
    expect(off(one.y.data, right.y)).toBeGreaterThan(most);
  });
});

test("what is stored instead of added is the same but for what was there", async () => {
  const kernels = await compileKernels(2 ** 25);
  const { products, x, y, w, o } = problem(kernels, { ...geometry([9, 7, 8], 12), images: 2 });
  products.load(x, o.images);
  products.pack(w);
  y.data.fill(0);
  products.forward(y, o.images);
  const added = y.data.slice();
  y.data.fill(1);
  products.forward(y, o.images, true);
  expect(plain.difference(y.data, added)).toBe("");
});

const dealt = {
  "stride 1": { ...geometry([13, 9, 10], 9), images: 7 },
  "stride 2": {
    ...geometry([21, 19, 26], 24),
    stride: [2, 2],
    border: [0, 1, 1, 0],
    images: 5,
  },
} satisfies Record<string, PatchOptions>;

test.each(Object.entries<PatchOptions>(dealt))(
  "%s: each image has the same bits whichever others it is worked on with",
  async (_, o) => {
    const one = problem(await compileKernels(2 ** 26), o);
    const { products, x, y, dy, dx } = one;
    expect(products).toBeInstanceOf(WinogradPatches);
    const before = y.data.slice();
    multiply(one);
    const whole = [y.data.slice(), dx.data.slice()];
    y.data.set(before);
    const part = (table: Table, from: number): Table => {
      const first = from * table.positions * table.width;
      return tableOver({ at: table.at + 4 * first, data: table.data.subarray(first) }, table.shape);
    };
    for (const [from, count] of [
      [0, 1],
      [1, 3],
      [4, o.images - 4],
    ]) {
      products.load(part(x, from), count);
      products.forward(part(y, from), count);
      products.backward(part(dy, from), part(dx, from), count);
    }
    expect(plain.difference(y.data, whole[0])).toBe("");
    expect(plain.difference(dx.data, whole[1])).toBe("");
  },
);

test("two and three threads make the bits that one makes", async () => {
  const results = [];
  for (const threads of [1, 2, 3]) {
    const kernels = await compileKernels(2 ** 27, { threads });
    const arrays = Object.values(dealt).map((o) => {
      const one = problem(kernels, o);
      multiply(one);
      return [one.y.data.slice(), one.dx.data.slice(), one.dw.data.slice()];
    });
    results.push(arrays);
    kernels.close();
  }
  for (const result of results.slice(1)) expect(result).toEqual(results[0]);
});

test("fused sums are other bits, as near", async () => {
  const results = [];
  for (const fused of [false, true]) {
    const one = problem(await compileKernels(2 ** 25, { fused }), { ...geometry([12, 12, 24], 16) });
    const right = expected(one);
    multiply(one);
    for (const name of ["y", "dx", "dw"] as const)
      expect(off(one[name].data, right[name])).toBeLessThan(bound.Four);
    results.push(one.y.data);
  }
  expect(results[1]).not.toEqual(results[0]);
});
