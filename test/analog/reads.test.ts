/** Products between converters, forwards and backwards, against aihwkit: test/golden/reads_aihwkit.py. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { converterRead, readBytes } from "../../src/analog/reads.ts";
import { type Input, Matrix } from "../../src/analog/weights.ts";
import { compileKernels } from "../../src/tensor/kernels.ts";
import { paddedColumns } from "../../src/tensor/matvec.ts";

interface Case {
  readonly name: string;
  readonly inputResolution: number;
  readonly outputResolution: number;
  readonly outputBound: number;
  readonly scaled: boolean;
  readonly bounded: boolean;
  readonly forward: readonly (readonly number[])[];
  readonly backward: readonly (readonly number[])[];
}

const golden = JSON.parse(readFileSync(new URL("../golden/reads_aihwkit.json", import.meta.url), "utf8")) as {
  weights: number[][];
  inputs: number[][];
  errors: number[][];
  cases: Case[];
};
const [rows, columns] = [golden.weights.length, golden.weights[0].length];

/** 1 / 126 is 7 bits: 2^bits - 2 steps. */
const bitsOf = (resolution: number): number | "none" =>
  resolution <= 0 ? "none" : Math.log2(Math.round(1 / resolution) + 2);

/** What comes out for each vector, both ways. */
async function products(one: Case, change: { readonly outputBits?: number } = {}) {
  const kernels = await compileKernels(readBytes({ rows, columns }) + 16384);
  const weights = new Matrix(kernels, rows, columns);
  golden.weights.forEach((row, r) => {
    weights.data.set(row, r * weights.width);
  });
  const read = converterRead({
    inputBits: bitsOf(one.inputResolution),
    outputBits: bitsOf(one.outputResolution),
    outputBound: one.outputBound,
    outputNoise: 0,
    scaled: one.scaled,
    bounded: one.bounded,
    ...change,
  })(kernels, { rows, columns, weights }, "1");
  const { heap } = kernels;
  const width = paddedColumns(columns);
  const x: Input = { ...heap.take(width), list: heap.take(width / 4).at, count: 0 };
  const [y, d, dx] = [heap.take(rows), heap.take(rows), heap.take(width)];
  return {
    forward: golden.inputs.map((input) => {
      x.data.set(input);
      x.count = kernels.active(x.at, columns, x.list);
      read.multiply(x, y, "training");
      return Array.from(y.data.subarray(0, rows));
    }),
    backward: golden.errors.map((error) => {
      d.data.set(error);
      read.multiplyBack(d, dx);
      return Array.from(dx.data.subarray(0, columns));
    }),
  };
}

/** Largest difference from aihwkit's, over the bound of outputs. */
const off = (a: readonly (readonly number[])[], b: readonly (readonly number[])[], bound: number): number =>
  Math.max(...a.flatMap((row, r) => row.map((value, c) => Math.abs(value - b[r][c])))) / bound;

test.each(golden.cases)(
  "$name: outputs and errors sent back are aihwkit's to the rounding of float32",
  async (one) => {
    const found = await products(one);
    // sums of nine products, then one rounding each for scale and step
    expect(off(found.forward, one.forward, one.outputBound)).toBeLessThan(1e-6);
    expect(off(found.backward, one.backward, one.outputBound)).toBeLessThan(1e-6);
  },
);

test("control: one bit more is told apart both ways", async () => {
  const [one] = golden.cases;
  const found = await products(one, { outputBits: 10 });
  expect(off(found.forward, one.forward, one.outputBound)).toBeGreaterThan(1e-4);
  expect(off(found.backward, one.backward, one.outputBound)).toBeGreaterThan(1e-4);
});
