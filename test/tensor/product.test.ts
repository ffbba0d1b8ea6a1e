/** Products by plan, packing, and what rows and patches of images make of them, against plain loops. */
import { describe, expect, test } from "vitest";
import type { Block } from "../../src/tensor/heap.ts";
import { compileKernels } from "../../src/tensor/kernels.ts";
import { type PatchOptions, patches, patchPositions } from "../../src/tensor/patches.ts";
import { type PlanOptions, panelColumns, takePlan } from "../../src/tensor/product.ts";
import { Rows } from "../../src/tensor/rows.ts";
import { type Table, tableOver, takeTable } from "../../src/tensor/table.ts";
import * as plain from "./plain.ts";

const f = Math.fround;
const shared = compileKernels(2 ** 24);

async function take(count: number, stream: number): Promise<Block> {
  const block = (await shared).heap.take(count);
  block.data.set(plain.numbers(count, stream));
  return block;
}

/** C + A B: sums in the order of outers and steps, from 0, then added. */
function multiplied(
  o: PlanOptions,
  a: Float32Array,
  b: Float32Array,
  c: Float32Array,
  images: number,
): Float32Array {
  const sum = c.slice();
  const { lines = 1, outers = 1 } = o;
  const strides = (s: { readonly image?: number; readonly line?: number; readonly outer?: number }) =>
    [s.image ?? 0, s.line ?? 0, s.outer ?? 0] as const;
  const [aImage, aLine, aOuter] = strides(o.a);
  const [bImage, bLine, bOuter] = strides(o.b);
  for (let image = 0; image < images; image++)
    for (let line = 0; line < lines; line++)
      for (let row = 0; row < o.m; row++)
        for (let column = 0; column < o.n; column++) {
          const from = image * aImage + line * aLine + row * o.a.row;
          const place = Math.floor(column / panelColumns) * o.b.panel + (column % panelColumns);
          const at = image * bImage + line * bLine + place;
          let own = 0;
          for (let outer = 0; outer < outers; outer++)
            for (let step = 0; step < o.steps; step++)
              own = f(
                own +
                  f(a[from + outer * aOuter + step * o.a.step] * b[at + outer * bOuter + step * o.b.step]),
              );
          const to = image * (o.c.image ?? 0) + line * (o.c.line ?? 0) + row * o.c.row + column;
          sum[to] = f(sum[to] + own);
        }
  return sum;
}

const plans: readonly (readonly [string, PlanOptions, images: number])[] = [
  [
    "rows and a narrow panel",
    { m: 1, n: 4, steps: 1, a: { row: 1, step: 1 }, b: { panel: 8, step: 8 }, c: { row: 4 } },
    1,
  ],
  [
    "seven rows, one panel and a half",
    { m: 7, n: 12, steps: 5, a: { row: 6, step: 1 }, b: { panel: 40, step: 8 }, c: { row: 13 } },
    1,
  ],
  [
    "images that add to the same sums",
    {
      m: 13,
      n: 20,
      steps: 3,
      a: { image: 39, row: 1, step: 13 },
      b: { image: 60, panel: 8, step: 20 },
      c: { row: 20 },
    },
    3,
  ],
  [
    "patches that overlap, in lines of several images",
    {
      lines: 3,
      m: 8,
      n: 16,
      outers: 2,
      steps: 6,
      a: { image: 70, line: 12, row: 2, outer: 12, step: 1 },
      b: { panel: 96, outer: 48, step: 8 },
      c: { image: 390, line: 130, row: 16 },
    },
    2,
  ],
  [
    "lines of their own in both factors",
    {
      lines: 2,
      m: 9,
      n: 8,
      steps: 4,
      a: { line: 5, row: 4, step: 1 },
      b: { line: 33, panel: 32, step: 8 },
      c: { line: 72, row: 8 },
    },
    1,
  ],
];

test.each(plans)("multiply adds sums in the order of their steps: %s", async (_, plan, images) => {
  const { heap, multiply } = await shared;
  const [a, b, c] = await Promise.all([take(400, 1), take(400, 2), take(800, 3)]);
  const expected = multiplied(plan, a.data, b.data, c.data, images);
  multiply(takePlan(heap, plan), a.at, b.at, c.at, images);
  expect(plain.difference(c.data, expected)).toBe("");
});

test("a product may be stored instead of added", async () => {
  const { heap, multiply } = await shared;
  const plan: PlanOptions = { ...plans[1][1], stores: true };
  const [a, b, c] = await Promise.all([take(400, 1), take(400, 2), take(800, 3)]);
  const held = c.data.slice();
  const product = multiplied(plan, a.data, b.data, new Float32Array(800), 1);
  multiply(takePlan(heap, plan), a.at, b.at, c.at, 1);
  const { m, n, c: to } = plan;
  const isWritten = (k: number) => k < m * to.row && k % to.row < n;
  expect(
    plain.difference(
      c.data,
      held.map((value, k) => (isWritten(k) ? product[k] : value)),
    ),
  ).toBe("");
});

describe("pack lays steps of eight columns side by side, 0 past the last column:", () => {
  test.each([
    ["steps are neighbours", 1, 21],
    ["columns are neighbours", 40, 1],
    ["neither are", 2, 45],
  ])("%s", async (_, step, column) => {
    const { pack } = await shared;
    for (const [k, n] of [
      [1, 1],
      [4, 8],
      [7, 13],
      [9, 24],
      [20, 5],
    ]) {
      const w = await take(step * k + column * n, 4);
      const pitch = panelColumns * k + 3;
      const to = await take(Math.ceil(n / panelColumns) * pitch, 5);
      const expected = to.data.slice();
      for (let column8 = 0; column8 < Math.ceil(n / panelColumns) * panelColumns; column8++)
        for (let i = 0; i < k; i++)
          expected[Math.floor(column8 / panelColumns) * pitch + i * panelColumns + (column8 % panelColumns)] =
            column8 < n ? w.data[i * step + column8 * column] : 0;
      pack(w.at, 4 * column, 4 * step, k, n, to.at, 4 * pitch);
      expect(plain.difference(to.data, expected)).toBe("");
    }
  });
});

/** A table of rows, 0 where they are filled up. */
async function rowsOf(count: number, features: number, stream: number): Promise<Table> {
  const table = takeTable((await shared).heap, [features], count);
  const { data, width } = table;
  data.set(plain.numbers(data.length, stream).map((x, k) => (k % width < features ? x : 0)));
  return table;
}

describe.each([
  [1, 3, 2],
  [50, 5, 9],
  [64, 8, 8],
  [65, 9, 21],
  [300, 12, 30],
])("%i rows, %i inputs, %i outputs:", (count, inputs, outputs) => {
  const problem = async () => {
    const kernels = await shared;
    const products = new Rows(kernels, [inputs], outputs);
    const w = await rowsOf(outputs, inputs, 1);
    const [x, dy] = [await rowsOf(count, inputs, 2), await rowsOf(count, outputs, 3)];
    products.load(x);
    products.pack(w);
    products.packBack(w);
    return { kernels, products, w, x, dy };
  };
  const at = ({ data, width }: Table, row: number, c: number) => data[row * width + c];

  test("products forwards and backwards are sums in order, however the rows are dealt out", async () => {
    const { products, w, x, dy } = await problem();
    const y = await rowsOf(count, outputs, 4);
    const dx = await rowsOf(count, inputs, 5);
    const expected = y.data.slice();
    const back = new Float32Array(dx.data.length);
    for (let row = 0; row < count; row++) {
      for (let j = 0; j < outputs; j++) {
        let sum = 0;
        for (let i = 0; i < inputs; i++) sum = f(sum + f(at(x, row, i) * at(w, j, i)));
        expected[row * y.width + j] = f(expected[row * y.width + j] + sum);
      }
      for (let i = 0; i < inputs; i++) {
        let sum = 0;
        for (let j = 0; j < outputs; j++) sum = f(sum + f(at(dy, row, j) * at(w, j, i)));
        back[row * dx.width + i] = sum;
      }
    }
    const half = Math.floor(count / 2);
    for (const [from, size] of [
      [0, half],
      [half, count - half],
    ]) {
      const part = (table: Table): Table =>
        tableOver(
          { at: table.at + 4 * from * table.width, data: table.data.subarray(from * table.width) },
          table.shape,
        );
      products.load(part(x));
      products.forward(part(y), size);
      products.backward(part(dy), part(dx), size);
    }
    expect(plain.difference(y.data, expected)).toBe("");
    expect(plain.difference(dx.data, back)).toBe("");
  });

  test("the gradient adds sums of 64 rows, or of 256 where there are more", async () => {
    const { products, x, dy } = await problem();
    const dw = await rowsOf(outputs, inputs, 6);
    const expected = dw.data.slice();
    const together = count > 64 ? 256 : 64;
    for (let from = 0; from < count; from += together)
      for (let j = 0; j < outputs; j++)
        for (let i = 0; i < inputs; i++) {
          let sum = 0;
          for (let row = from; row < Math.min(count, from + together); row++)
            sum = f(sum + f(at(dy, row, j) * at(x, row, i)));
          expected[j * dw.width + i] = f(expected[j * dw.width + i] + sum);
        }
    const behind = await take(8, 7); // the heap's next numbers
    const before = behind.data.slice();
    products.gradient(dy, dw, count);
    expect(plain.difference(dw.data, expected)).toBe("");
    expect(plain.difference(behind.data, before)).toBe("");
  });
});

/** Sums of products, and of their sizes: what rounding errors go with. */
class Sums {
  readonly values: Float64Array;
  readonly #sizes: Float64Array;
  readonly #terms: Uint32Array;

  constructor(count: number) {
    this.values = new Float64Array(count);
    this.#sizes = new Float64Array(count);
    this.#terms = new Uint32Array(count);
  }

  add(k: number, product: number): void {
    this.values[k] += product;
    this.#sizes[k] += Math.abs(product);
    this.#terms[k]++;
  }

  /** Numbers that float32 sums in any order may not be; Higham 2002, eq. 3.5, one term more for the sum they are added to. */
  wrong(ours: (k: number) => number): number[] {
    const list: number[] = [];
    this.values.forEach((value, k) => {
      if (!(Math.abs(ours(k) - value) <= (this.#terms[k] + 1) * 2 ** -24 * 1.001 * this.#sizes[k]))
        list.push(k);
    });
    return list;
  }
}

/** The same convolution tap by tap. */
function convolved(o: PatchOptions, x: Table, w: Block, dy: Table, wide: number) {
  const [lines, columns] = patchPositions(o);
  const [height, width, channels] = o.shape;
  const y = new Sums(o.images * lines * columns * o.outputs);
  const dx = new Sums(o.images * height * width * channels);
  const dw = new Sums(o.outputs * wide);
  for (let image = 0; image < o.images; image++)
    for (let line = 0; line < lines; line++)
      for (let column = 0; column < columns; column++)
        for (let ty = 0; ty < o.kernel[0]; ty++)
          for (let tx = 0; tx < o.kernel[1]; tx++) {
            const above = line * o.stride[0] + ty - o.border[0];
            const left = column * o.stride[1] + tx - o.border[1];
            if (above < 0 || above >= height || left < 0 || left >= width) continue;
            const pixel = (image * height + above) * width + left;
            const out = (image * lines + line) * columns + column;
            for (let c = 0; c < channels; c++)
              for (let j = 0; j < o.outputs; j++) {
                const place = j * wide + (ty * o.kernel[1] + tx) * channels + c;
                const [value, weight] = [x.data[pixel * x.width + c], w.data[place]];
                const slope = dy.data[out * dy.width + j];
                y.add(out * o.outputs + j, value * weight);
                dx.add(pixel * channels + c, slope * weight);
                dw.add(place, slope * value);
              }
          }
  return { y, dx, dw };
}

async function image(shape: readonly number[], images: number, stream: number): Promise<Table> {
  const table = takeTable((await shared).heap, shape, images);
  const { data, width, features } = table;
  data.set(plain.numbers(data.length, stream).map((x, k) => (k % width < features ? x : 0)));
  return table;
}

describe.each([1, 3, 4, 8])(
  "patches of %i channels are convolutions, forwards and backwards:",
  (channels) => {
    test.each([1, 2, 3])("stride %i, kernels 1 to 5, odd borders", async (stride) => {
      for (let size = 1; size <= 5; size++) {
        const o: PatchOptions = {
          shape: [7, 6, channels],
          kernel: [size, 1 + ((size + stride) % 5)],
          stride: [stride, 1 + (stride % 3)],
          border: [size % 3, (size + 1) % 2, (size + stride) % 2, size % 2],
          outputs: 1 + ((size + 2 * stride) % 6),
          images: 2,
          needsBackward: true,
        };
        const products = patches(await shared, o);
        const [lines, columns] = patchPositions(o);
        const x = await image(o.shape, o.images, 1);
        const dy = await image([lines, columns, o.outputs], o.images, 2);
        const y = takeTable((await shared).heap, [lines, columns, o.outputs], o.images);
        const dx = await image(o.shape, o.images, 3);
        const w = await rowsOf(o.outputs, products.inputs, 4);
        const dw = (await shared).heap.take(o.outputs * products.width);
        expect(products.positions).toBe(lines * columns);
        products.load(x, o.images);
        products.pack(w);
        products.packBack(w);
        products.forward(y, o.images);
        products.backward(dy, dx, o.images);
        products.gradient(dy, dw, o.images);
        const expected = convolved(o, x, w, dy, products.width);
        const inTable = (table: Table) => (k: number) =>
          table.data[Math.floor(k / table.features) * table.width + (k % table.features)];
        const where = JSON.stringify(o);
        expect(expected.y.wrong(inTable(y)), where).toEqual([]);
        expect(expected.dx.wrong(inTable(dx)), where).toEqual([]);
        expect(
          expected.dw.wrong((k) => dw.data[k]),
          where,
        ).toEqual([]);
        // control: a pixel more or less in one patch is found out
        x.data[0] += 0.01;
        products.load(x, o.images);
        products.gradient(dy, dw, o.images);
        expect(expected.dw.wrong((k) => dw.data[k])).not.toEqual([]);
      }
    });
  },
);
