/** Kernels that do several steps of a tile in one pass, against their formulas, bit for bit. */
import { expect, test } from "vitest";
import { compileKernels } from "../../src/tensor/kernels.ts";
import { paddedColumns } from "../../src/tensor/matvec.ts";
import { peripheryTables } from "../../src/tensor/periphery.ts";
import * as plain from "./plain.ts";

const f = Math.fround;
const add = (...terms: number[]): number => terms.reduce((sum, term) => f(sum + term));
const mul = (...factors: number[]): number => factors.reduce((product, factor) => f(product * factor));
const clipped = (x: number, most: number) => Math.min(Math.max(x, -most), most);
/** Ties to even. */
const nearest = (x: number) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

/** Of numbers in the order tables, columns, rows, scalars. */
interface Twin {
  readonly tables: number;
  readonly columns: number;
  readonly scalars: readonly number[];
  readonly of: (...values: number[]) => number | readonly number[];
}

const readOut = (x: number, scale: number, offset: number, range: number, ...steps: number[]) => {
  const [perStep, step, most] = steps;
  return add(offset, mul(mul(clipped(nearest(mul(x, perStep)), most), step), scale, range));
};
const readSlope = (x: number, scale: number, offset: number, range: number, ...of: number[]) => {
  const [perStep, step, most, inverse] = of;
  const k = mul(x, perStep);
  const inside = mul(f(mul(nearest(k), step) - x), inverse);
  return [
    readOut(x, scale, offset, range, perStep, step, most),
    Math.abs(k) < most ? inside : x < 0 ? -1 : 1,
  ];
};
const steps = [4, 0.25, 3]; // a quarter, at most three of them: ties, and outputs that are clipped

const twins = {
  tileRead: { tables: 1, columns: 2, scalars: steps, of: readOut },
  tileReadNoisy: {
    tables: 2,
    columns: 2,
    scalars: [...steps, 0.3],
    of: (x, z, scale, offset, range, perStep, step, most, sd) =>
      readOut(add(x, mul(sd, z)), scale, offset, range, perStep, step, most),
  },
  tileReadSlope: { tables: 1, columns: 2, scalars: [...steps, 4 / 3], of: readSlope },
  tileReadSlopeNoisy: {
    tables: 2,
    columns: 2,
    scalars: [...steps, 4 / 3, 0.3],
    of: (x, z, scale, offset, range, perStep, step, most, inverse, sd) =>
      readSlope(add(x, mul(sd, z)), scale, offset, range, perStep, step, most, inverse),
  },
  tileReadClipped: {
    tables: 1,
    columns: 2,
    scalars: [0.5],
    of: (x, scale, offset, range, bound) => add(offset, mul(clipped(x, bound), scale, range)),
  },
  tileClipBack: {
    tables: 2,
    columns: 0,
    scalars: [0.5],
    of: (dx, x, inverse, bound) => (Math.abs(mul(x, inverse)) <= bound ? dx : 0),
  },
} satisfies Partial<Record<keyof typeof peripheryTables, Twin>>;

test.each(Object.keys(twins) as (keyof typeof twins)[])("%s has the bits of its formula", async (name) => {
  const kernels = await compileKernels(2 ** 18);
  const { tables, columns, scalars, of }: Twin = twins[name];
  const [rowCount, features] = [40, 10];
  const width = paddedColumns(features);
  const take = (count: number, stream: number) => {
    const block = kernels.heap.take(count);
    block.data.set(plain.numbers(count, stream, 0).map((x) => 2 * x));
    return block;
  };
  const inputs = Array.from({ length: tables }, (_, k) => take(rowCount * width, k + 1));
  inputs[0].data.fill(0.125, 0, 8); // half a step
  inputs[0].data.fill(-0.375, 8, 16);
  const perColumn = Array.from({ length: columns }, (_, k) => take(width, k + 5));
  const perRow = take(rowCount, 9);
  const outputs = peripheryTables[name].outputs.map((_, k) => take(rowCount * width, 10 + k));
  const places = [...inputs, ...outputs, ...perColumn, perRow].map(({ at }) => at);
  kernels[name](rowCount, width, ...places, ...scalars);
  const expected = Array.from({ length: rowCount * width }, (_, k) => {
    const own = [...inputs.map(({ data }) => data[k]), ...perColumn.map(({ data }) => data[k % width])];
    return [of(...own, perRow.data[Math.floor(k / width)], ...scalars.map(f))].flat();
  });
  outputs.forEach(({ data }, n) => {
    expect(
      plain.difference(
        data,
        Float32Array.from(expected, (values) => values[n]),
      ),
    ).toBe("");
  });
  const isClipped = (x: number) => Math.abs(x) > 0.5;
  expect(inputs[0].data.some(isClipped)).toBe(true);
});
