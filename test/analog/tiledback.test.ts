/** Convolutions cut over tiles, the way back through tiles, and what options are refused. */
import { describe, expect, test } from "vitest";
import { cuts, type TileOptions, tile } from "../../src/analog/tile.ts";
import { TiledMatrix } from "../../src/analog/tiles.ts";
import { wireLosses } from "../../src/analog/wire.ts";
import { randomKey, uniform } from "../../src/math/random.ts";
import { compileKernels } from "../../src/tensor/kernels.ts";
import { patches, patchPositions } from "../../src/tensor/patches.ts";
import { takeTable } from "../../src/tensor/table.ts";
import { unfold } from "../../src/tensor/unfold.ts";
import { normal } from "../tensor/plain.ts";
import { product } from "./plaintile.ts";

const shared = compileKernels(2 ** 23);
const numbers = (count: number, stream: number) =>
  Float32Array.from({ length: count }, (_, k) => 2 * uniform([7, 1], stream, k, 0) - 1);

const [height, width, channels, outputs, examples] = [4, 5, 8, 6, 2];
const geometry = {
  shape: [height, width, channels],
  kernel: [3, 3],
  stride: [1, 2],
  border: [1, 1, 1, 1],
} as const;
const taps = 9;
const [lines, columns] = patchPositions(geometry);
const positions = lines * columns;

async function convolution(options: TileOptions, rows: number) {
  const kernels = await shared;
  const { heap } = kernels;
  const matrix = new TiledMatrix(kernels, {
    tile: tile({ rows, ...options }),
    outputs,
    inputs: [height, width, channels],
    examples,
    patches: {
      positions,
      taps,
      unfold: unfold(geometry),
      products: (count) =>
        patches(kernels, {
          ...geometry,
          shape: [height, width, count],
          outputs,
          images: examples,
          needsBackward: true,
        }),
    },
    seed: "c",
  });
  const x = takeTable(heap, [height, width, channels], examples);
  const y = takeTable(heap, [lines, columns, outputs], examples);
  x.data.set(numbers(examples * height * width * channels, 1));
  const w = numbers(outputs * taps * channels, 2);
  matrix.parts.forEach((part, k) => {
    const size = part.to - part.from;
    const weights = Array.from({ length: outputs * taps * size }, (_, at) => {
      const [i, t, c] = [Math.floor(at / (taps * size)), Math.floor(at / size) % taps, at % size];
      return w[(i * taps + t) * channels + part.from + c];
    });
    matrix.load(k, { weights, scale: numbers(outputs, 3 + k).map((one) => 1 + one / 2) });
  });
  return { kernels, matrix, x, y };
}

/** Patch of a part's channels, [tap][channel]. */
function patchOf(
  x: Float32Array,
  example: number,
  position: number,
  part: { from: number; to: number },
): number[] {
  const [line, column] = [Math.floor(position / columns), position % columns];
  const patch: number[] = [];
  for (let ty = 0; ty < 3; ty++)
    for (let tx = 0; tx < 3; tx++) {
      const [a, b] = [line + ty - 1, 2 * column + tx - 1];
      const inside = a >= 0 && a < height && b >= 0 && b < width;
      for (let c = part.from; c < part.to; c++)
        patch.push(inside ? x[((example * height + a) * width + b) * channels + c] : 0);
    }
  return patch;
}

describe.each([36, 72])("a convolution of 72 inputs on tiles of %i rows", (rows) => {
  test.each([
    ["of the standard kind", { wireConductance: 300 }],
    ["with ranges and bounds of each patch", { preset: "presetIO", outputBound: 2 }],
    [
      "with constant noise of weights and polarity",
      { preset: "ideal", weightNoise: 0.1, weightNoiseKind: "constant", polaritySpread: 0.2 },
    ],
  ] as const)("%s is that of its patches by the twin", async (_, options) => {
    const { matrix, x, y } = await convolution(options, rows);
    expect(matrix.parts.length).toBe(72 / rows);
    matrix.forward(x, y, examples, { first: 5 });
    const step =
      matrix.tile.adcBits === "none" ? 0 : matrix.tile.outputBound / (2 ** (matrix.tile.adcBits - 1) - 1);
    let ties = 0;
    for (let example = 0; example < examples; example++)
      for (let position = 0; position < positions; position++) {
        const sum = new Array<number>(outputs).fill(0);
        matrix.parts.forEach((part, k) => {
          const own = Array.from({ length: outputs }, (_, i) =>
            Array.from(part.weights.data.subarray(i * part.width, i * part.width + part.inputs)),
          );
          const asymmetry = part.made.asymmetry;
          const key = randomKey("c", "tile", k);
          const one = product(patchOf(x.data, example, position, part), {
            tile: matrix.tile,
            weights: own,
            alpha: 1,
            asymmetry:
              asymmetry &&
              own.map((_, i) => Array.from(asymmetry.subarray(i * part.width, (i + 1) * part.width))),
            z: (kind, place, attempt) =>
              normal(key, (kind === "weight" ? 1 : 2) + 4 * attempt, position * y.width + place, 5 + example),
          });
          one.y.forEach((value, i) => {
            sum[i] += part.scale.data[i] * value;
          });
        });
        sum.forEach((value, i) => {
          const off = Math.abs(value - y.data[(example * positions + position) * y.width + i]);
          if (off > 1e-4) {
            ties++;
            expect(off).toBeLessThan(2 * step); // a rounding that float32 decides otherwise
          }
        });
      }
    expect(ties).toBeLessThan(2);
  });

  test("the way back is the derivative of a sum of outputs, by weights and by inputs that are not clipped", async () => {
    const { kernels, matrix, x, y } = await convolution(
      { preset: "ideal", inputBound: 1, inputRange: 0.8 },
      rows,
    );
    const { heap } = kernels;
    const [dy, dx] = [
      takeTable(heap, [lines, columns, outputs], examples),
      takeTable(heap, [height, width, channels], examples),
    ];
    for (let row = 0; row < examples * positions; row++)
      dy.data.set(numbers(outputs, 20 + row), row * dy.width);
    const slopes = matrix.parts.map((part) => heap.take(outputs * part.width));
    matrix.gradient(x, dy, slopes, examples);
    matrix.backward(x, dy, dx, examples);
    const loss = () => {
      matrix.forward(x, y, examples, { first: 0 });
      let sum = 0;
      for (let row = 0; row < examples * positions; row++)
        for (let i = 0; i < outputs; i++) sum += dy.data[row * dy.width + i] * y.data[row * y.width + i];
      return sum;
    };
    const h = 2 ** -5; // linear but for clipping
    const slope = (change: (by: number) => void) => {
      change(h);
      const up = loss();
      change(-2 * h);
      const down = loss();
      change(h);
      return (up - down) / (2 * h);
    };
    for (const place of [0, 57, 100, 319]) {
      const value = x.data[place];
      if (Math.abs(Math.abs(value) - 0.8) < h) continue;
      const expected = slope((by) => {
        x.data[place] += by;
      });
      if (Math.abs(value) > 0.8) expect(expected).toBeCloseTo(0, 4);
      expect(dx.data[place]).toBeCloseTo(expected, 3);
    }
    expect(x.data.some((value, k) => Math.abs(value) > 0.8 && dx.data[k] === 0)).toBe(true);
    expect(dx.data.filter((value) => value !== 0).length).toBeGreaterThan(100);
    matrix.parts.forEach((part, k) => {
      for (const at of [0, 17, 3 * part.width + 5])
        expect(slopes[k].data[at]).toBeCloseTo(
          slope((by) => {
            part.weights.data[at] += by;
            matrix.renew();
          }),
          3,
        );
      // by the scale: sum of w dw over the scale
      let sum = 0;
      for (let j = 0; j < part.width; j++) sum += part.weights.data[j] * slopes[k].data[j];
      const expected = slope((by) => {
        part.scale.data[0] += by;
      });
      expect(sum / part.scale.data[0]).toBeCloseTo(expected, 3);
    });
  });
});

test("the slope by an input range counts derivatives at clipped inputs, where they would move it", async () => {
  const { heap } = await shared;
  const [count, features, outputs, range] = [10, 7, 6, 0.6];
  const options = {
    tile: tile({ preset: "ideal", inputBound: 1, inputRange: range, rows: 4 }),
    outputs,
    inputs: [features],
  };
  const matrix = new TiledMatrix(await shared, { ...options, examples: count, seed: 1 });
  const [x, dx, dy] = [features, features, outputs].map((size) => takeTable(heap, [size], count));
  const expected = matrix.parts.map(() => 0);
  matrix.parts.forEach((part, k) => {
    matrix.load(k, {
      weights: numbers(outputs * part.inputs, 30 + k),
      scale: new Float32Array(outputs).fill(1),
    });
  });
  for (let r = 0; r < count; r++) {
    const [values, slopes] = [numbers(features, 40 + r), numbers(outputs, 80 + r)];
    x.data.set(values, r * x.width);
    dy.data.set(slopes, r * dy.width);
    matrix.parts.forEach((part, k) => {
      for (let c = part.from; c < part.to; c++) {
        let d = 0; // by the clipped input
        for (let i = 0; i < outputs; i++) d += slopes[i] * part.weights.data[i * part.width + c - part.from];
        if (values[c] >= range) expected[k] += Math.min(0, d);
        if (values[c] <= -range) expected[k] -= Math.max(0, d);
      }
    });
  }
  const slopes = new Float64Array(2);
  matrix.backward(x, dy, dx, count, { rule: "clipping", slopes });
  for (const [k, sum] of expected.entries()) {
    expect(Math.abs(sum)).toBeGreaterThan(0.1);
    expect(slopes[k]).toBeCloseTo(sum, 4);
  }
});

test("patches that are converted by themselves have the way back of those that are not", async () => {
  const back = async (options: TileOptions) => {
    const { kernels, matrix, x, y } = await convolution(options, 36);
    const { heap } = kernels;
    const dy = takeTable(heap, [lines, columns, outputs], examples);
    const dx = takeTable(heap, [height, width, channels], examples);
    for (let row = 0; row < examples * positions; row++)
      dy.data.set(numbers(outputs, 20 + row), row * dy.width);
    const slopes = matrix.parts.map((part) => heap.take(outputs * part.width));
    matrix.forward(x, y, examples, { first: 0 });
    matrix.gradient(x, dy, slopes, examples);
    matrix.backward(x, dy, dx, examples);
    return [dx.data, ...slopes.map(({ data }) => data)];
  };
  const [one, other] = [
    await back({ preset: "ideal" }),
    await back({ preset: "ideal", noiseManagement: "abs-max" }),
  ];
  one.forEach((list, k) => {
    const off = list.map((value, at) => Math.abs(value - other[k][at]));
    expect(Math.max(...off)).toBeLessThan(1e-4);
    expect(Math.max(...list)).toBeGreaterThan(1);
  });
});

test("noise follows examples, not batches: two at a time or one by one", async () => {
  const { matrix, x, y } = await convolution({ wireConductance: 300 }, 36);
  matrix.forward(x, y, 2, { first: 8, stream: 1 });
  const together = y.data.slice();
  const size = height * width * channels;
  x.data.copyWithin(0, size, 2 * size);
  matrix.forward(x, y, 1, { first: 9, stream: 1 });
  const half = together.length / 2;
  expect(y.data.slice(0, half)).toEqual(together.slice(half));
  matrix.forward(x, y, 1, { first: 9, stream: 2 });
  expect(y.data.slice(0, half)).not.toEqual(together.slice(half));
});

test("losses in wires solve Kirchhoff's law: a column of two by hand, and ideal wires lose nothing", () => {
  // wire 2, G 1 and 3; far end: 3 behind 2 is 6/5; 1 + 6/5 behind 2: losses 1 / (1 + 11/10), and that times 2/5
  const [near, far] = wireLosses([1, 3], { outputs: 1, inputs: 2, wire: 2 });
  expect(near).toBeCloseTo(1 / 2.1, 14);
  expect(far).toBeCloseTo(0.4 / 2.1, 14);
  const ideal = wireLosses([1, 3, 2, 1], { outputs: 2, inputs: 2, wire: 1e300 });
  expect(Array.from(ideal)).toEqual([1, 1, 1, 1]);
});

test("parts are as few as can be, of sizes that differ by one at most", () => {
  const sizes = (channels: number, rows: number, taps?: number) =>
    cuts(channels, { rows }, taps).map(([a, b]) => b - a);
  expect(sizes(512, 512)).toEqual([512]);
  expect(sizes(784, 512)).toEqual([392, 392]);
  expect(sizes(1025, 512)).toEqual([341, 342, 342]);
  expect(sizes(64, 512, 9)).toEqual([32, 32]); // 56 channels of 3 x 3 fit
  expect(() => cuts(3, { rows: 512 }, 529)).toThrow(
    "a kernel of 529 taps does not fit on a tile of 512 rows",
  );
});

test("presets are those of the article and of aihwkit; what makes no sense is refused by name", () => {
  const made = tile();
  expect(made).toMatchObject({
    dacBits: 8,
    adcBits: 8,
    outputBound: 10,
    outputNoise: 0.04,
    weightNoise: 0.0175,
    irDrop: 1,
  });
  expect(made.wireConductance).toBeCloseTo(571428.57, 2);
  expect(tile({ preset: "presetIO" })).toMatchObject({
    dacBits: 7,
    adcBits: 9,
    outputBound: 20,
    outputNoise: 0.1,
  });
  expect(Object.isFrozen(made)).toBe(true);
  const faults = [
    { preset: "standart" },
    { outputNoises: 1 },
    { adcBits: 1 },
    { outputBound: 0 },
    { outputBound: Number.POSITIVE_INFINITY },
    { stuckReset: 0.7, stuckSet: 0.5 },
    { significances: [2, 4, 1] },
    { noiseManagement: "abs max" },
    { rows: 1.5 },
    { preset: "ideal", boundManagement: "iterative" },
  ].map((options) => {
    try {
      tile(options as TileOptions);
      return "none";
    } catch (error) {
      return `${error}`;
    }
  });
  expect(faults).toMatchInlineSnapshot(`
    [
      "ConfigError: there is no tile standart; did you mean standard?",
      "ConfigError: a tile has no outputNoises; did you mean outputNoise?",
      "ConfigError: tile, adcBits: 2 to 24 bits, or none, not 1",
      "ConfigError: tile, outputBound: a positive number or Infinity, not 0",
      "ConfigError: tile, outputBound: a limit, as a converter of 8 bits needs one, not Infinity",
      "ConfigError: tile, stuckReset, stuckSet, stuckRandom: parts of all devices, at most 1 together, not 1.2",
      "ConfigError: tile, significances: numbers that fall to 1, such as [4, 1], not [2, 4, 1]",
      "ConfigError: tile, noiseManagement: one of none, abs-max, average abs-max, abs-max sum, not abs max; did you mean abs-max?",
      "ConfigError: tile, rows: a whole number from 1 on, not 1.5",
      "ConfigError: tile, outputBound: a limit, as bound management needs one, not Infinity",
    ]
  `);
});
