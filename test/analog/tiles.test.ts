/** Products on tiles against their plain twin, with every effect alone and all together. */
import { describe, expect, test } from "vitest";
import { type TileOptions, tile } from "../../src/analog/tile.ts";
import { TiledMatrix } from "../../src/analog/tiles.ts";
import { randomKey, uniform } from "../../src/math/random.ts";
import { compileKernels } from "../../src/tensor/kernels.ts";
import { takeTable } from "../../src/tensor/table.ts";
import { normal } from "../tensor/plain.ts";
import { type Given, product } from "./plaintile.ts";

const numbers = (count: number, stream: number) =>
  Array.from({ length: count }, (_, k) => Math.fround(2 * uniform([5, 6], stream, k, 0) - 1));
const rowsOf = (list: readonly number[], width: number): number[][] =>
  Array.from({ length: list.length / width }, (_, r) => list.slice(r * width, (r + 1) * width));

const [inputs, outputs, count] = [37, 10, 9];
const shared = compileKernels(2 ** 22);

/** Rows of x through tiles, and the same by the twin: outputs, and how far from a step of the ADC's each may be. */
async function both(options: TileOptions, o: { readonly alpha?: number; readonly size?: number } = {}) {
  const made = tile({ preset: "ideal", ...options });
  const kernels = await shared;
  const matrix = new TiledMatrix(kernels, {
    tile: made,
    outputs,
    inputs: [inputs],
    examples: count,
    seed: "a",
  });
  const x = takeTable(kernels.heap, [inputs], count);
  const y = takeTable(kernels.heap, [outputs], count);
  const values = numbers(count * inputs, 1).map((v) => Math.fround(v * (o.size ?? 1)));
  values.fill(0, 3 * inputs, 4 * inputs); // a vector of nothing
  const w = numbers(outputs * inputs, 2);
  const offset = numbers(outputs, 3);
  rowsOf(values, inputs).forEach((row, r) => {
    x.data.set(row, r * x.width);
  });
  matrix.offset.data.set(offset);
  const scales = matrix.parts.map((part, k) => {
    const scale = numbers(outputs, 4 + k).map((v) => 1 + v / 2);
    part.alpha = o.alpha ?? 1;
    const weights = rowsOf(w, inputs).flatMap((row) => row.slice(part.from, part.to));
    matrix.load(k, { weights, scale });
    return scale;
  });
  const address = { first: 40, stream: 3 };
  matrix.forward(x, y, count, address);
  const averages: (number | undefined)[] = matrix.parts.map(() => undefined);
  const expected = rowsOf(values, inputs).map((row, r) => {
    const sum = offset.slice();
    const step = new Array<number>(outputs).fill(0); // room that ties of rounding need
    matrix.parts.forEach((part, k) => {
      const { zeta, asymmetry } = part.made;
      const kinds = { input: 0, weight: 1, output: 2 };
      const key = randomKey("a", "tile", k);
      const given: Given = {
        tile: made,
        weights: rowsOf(w, inputs).map((all) => all.slice(part.from, part.to)),
        alpha: part.alpha,
        zeta: zeta && Array.from(zeta.subarray(0, outputs)),
        asymmetry:
          asymmetry &&
          Array.from({ length: outputs }, (_, i) =>
            Array.from(asymmetry.subarray(i * part.width, i * part.width + part.inputs)),
          ),
        z: (kind, place, attempt) => normal(key, kinds[kind] + 4 * (attempt + 16 * 3), place, 40 + r),
        average: averages[k],
      };
      const one = product(row.slice(part.from, part.to), given);
      averages[k] = one.average;
      one.y.forEach((value, i) => {
        sum[i] += scales[k][i] * value;
        if (made.adcBits === "none") return;
        const perStep = (2 ** (made.adcBits - 1) - 1) / made.outputBound;
        const [whole, near] = [Math.round(one.before[i] * perStep), one.before[i] * perStep];
        if (Math.abs(Math.abs(near - whole) - 0.5) < 1e-4) step[i] += (scales[k][i] * one.range) / perStep;
      });
    });
    return { sum, step };
  });
  const result = Array.from({ length: count }, (_, r) =>
    Array.from(y.data.subarray(r * y.width, r * y.width + outputs)),
  );
  return { result, expected, matrix, kernels };
}

/** Of sums of up to 37 products in float32, times ranges below 8; Higham 2002, Accuracy and Stability, eq. 3.5. */
const tolerance = 8 * 40 * 37 * 2 ** -24;

const cases: Readonly<Record<string, readonly [TileOptions, { alpha?: number; size?: number }?]>> = {
  "ideal wires and converters": [{}],
  "DAC of 4 bits, clipping inputs": [{ dacBits: 4, inputBound: 1 }, { alpha: 0.6 }],
  "ADC of 5 bits, clipping outputs": [{ adcBits: 5, outputBound: 3 }],
  "a limit of outputs without rounding": [{ outputBound: 1.5 }],
  "input noise": [{ inputNoise: 0.1 }],
  "output noise": [{ outputNoise: 0.3 }],
  "noise that grows with the root of weights": [{ weightNoise: 0.2 }],
  "constant noise of weights, and output noise": [
    { weightNoise: 0.2, weightNoiseKind: "constant", outputNoise: 0.1 },
  ],
  "quadratic loss in wires": [{ irDrop: 1, wireConductance: 200 }],
  "exact loss in wires": [{ irDrop: 2, irDropKind: "exact", wireConductance: 200 }],
  "S-shape, with noise of weights before and of outputs after": [
    { curvature: 0.25, curvatureSpread: 0.5, weightNoise: 0.1, outputNoise: 0.1 },
  ],
  "read polarity": [{ polaritySpread: 0.3 }],
  "abs-max noise management": [{ noiseManagement: "abs-max", dacBits: 6, inputBound: 1 }, { size: 3 }],
  "average abs-max": [
    { noiseManagement: "average abs-max", averageDecay: 0.2, dacBits: 6, inputBound: 1 },
    { size: 3 },
  ],
  "sums of one sign": [
    { noiseManagement: "abs-max sum", dacBits: 7, inputBound: 1, adcBits: 8, outputBound: 2 },
  ],
  "iterative bound management": [
    { boundManagement: "iterative", dacBits: 7, inputBound: 1, adcBits: 9, outputBound: 1 },
  ],
  "bound management that stops at coarse inputs": [
    { boundManagement: "iterative", dacBits: 4, inputBound: 1, adcBits: 9, outputBound: 0.2 },
  ],
  "worst-case bound management, with all noise": [
    {
      ...{ boundManagement: "worst case", noiseManagement: "abs-max", dacBits: 7, inputBound: 1 },
      ...{ adcBits: 9, outputBound: 1.5, inputNoise: 0.02, outputNoise: 0.05, weightNoise: 0.05 },
    },
    { size: 2 },
  ],
  "all of the standard tile": [{ preset: "standard", wireConductance: 2000 }],
  "four tiles": [{ preset: "standard", rows: 10, wireConductance: 100 }, { alpha: 0.8 }],
  "three tiles with bound management": [{ preset: "presetIO", rows: 13, outputBound: 1 }],
};

describe.each(Object.entries(cases))("%s", (_, [options, o]) => {
  test("the kernels agree with the twin", async () => {
    const { result, expected } = await both(options, o);
    let ties = 0;
    result.forEach((row, r) => {
      row.forEach((value, i) => {
        const { sum, step } = expected[r];
        if (step[i] > 0) ties++;
        expect(Math.abs(value - sum[i]), `${r}, ${i}`).toBeLessThan(tolerance + step[i]);
      });
    });
    expect(ties).toBeLessThan(4);
  });
});
