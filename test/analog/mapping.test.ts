import fc from "fast-check";
import { expect, test } from "vitest";
import { mapNetwork, piecesOf } from "../../src/analog/mapping.ts";
import { type MatrixShape, networkShape } from "../../src/analog/shapes.ts";

const network = (...matrices: MatrixShape[]) =>
  networkShape({ name: "net", source: "-", sample: "-", matrices });
const dense = (inputs: number, outputs: number): MatrixShape => ({
  name: "dense",
  kind: "dense",
  inputs,
  outputs,
  positions: 1,
});

/** Matrices of small groups, kernels and sizes. */
const matrices = fc
  .record({
    groups: fc.integer({ min: 1, max: 6 }),
    channels: fc.integer({ min: 1, max: 7 }),
    outputs: fc.integer({ min: 1, max: 7 }),
    height: fc.integer({ min: 1, max: 4 }),
    width: fc.integer({ min: 1, max: 3 }),
  })
  .map(
    ({ groups, channels, outputs, height, width }): MatrixShape => ({
      name: "conv",
      kind: "convolution",
      inputs: height * width * channels * groups,
      outputs: outputs * groups,
      kernel: [height, width],
      groups,
      positions: 3,
    }),
  );
const tiles = fc.record({ rows: fc.integer({ min: 1, max: 30 }), columns: fc.integer({ min: 1, max: 20 }) });

test("pieces hold every weight once, none is empty or larger than a tile, and none cuts a kernel that fits", () => {
  fc.assert(
    fc.property(matrices, tiles, (matrix, tile) => {
      const { inputs, outputs, groups = 1, kernel = [1, 1] } = matrix;
      const taps = kernel[0] * kernel[1];
      const covered = new Uint8Array(inputs * outputs);
      let sound = true;
      for (const { row, column, rows, columns, weights } of piecesOf(matrix, tile)) {
        let held = 0;
        for (let i = row; i < row + rows; i++)
          for (let j = column; j < column + columns; j++) {
            covered[i * outputs + j]++;
            if (Math.floor((i * groups) / inputs) === Math.floor((j * groups) / outputs)) held++;
          }
        sound &&= weights === held && weights > 0 && rows <= tile.rows && columns <= tile.columns;
        if (taps <= tile.rows) sound &&= row % taps === 0 && rows % taps === 0;
        else sound &&= Math.floor(row / taps) === Math.floor((row + rows - 1) / taps); // within one channel
      }
      for (let i = 0; i < inputs; i++)
        for (let j = 0; j < outputs; j++) {
          const own = Math.floor((i * groups) / inputs) === Math.floor((j * groups) / outputs);
          sound &&= covered[i * outputs + j] <= 1 && (!own || covered[i * outputs + j] === 1);
        }
      return sound;
    }),
    { seed: 6 },
  );
});

test("513 inputs take two tiles, 57 channels of 3 x 3 too: rows are cut at whole channels", () => {
  const tilesOf = (matrix: MatrixShape) => mapNetwork(network(matrix)).tiles;
  expect([512, 513].map((inputs) => tilesOf(dense(inputs, 512)))).toEqual([1, 2]);
  expect([512, 513].map((outputs) => tilesOf(dense(512, outputs)))).toEqual([1, 2]);
  const convolution = (channels: number): MatrixShape => ({
    ...dense(9 * channels, 64),
    kind: "convolution",
    kernel: [3, 3],
  });
  expect([56, 57, 112, 113].map((channels) => tilesOf(convolution(channels)))).toEqual([1, 2, 2, 3]);
});

test("what is digital is named and not counted; a network all digital is refused", () => {
  const digital = { ...dense(10, 10), name: "stem", analog: false };
  expect(mapNetwork(network(digital, dense(100, 100)))).toMatchObject({
    weights: 10_000,
    tiles: 1,
    digital: ["stem"],
  });
  expect(() => mapNetwork(network(digital))).toThrow("network net has no matrix on crossbars");
});

test("a wrong matrix is told with network, matrix and what is wrong", () => {
  const thrown = (change: Record<string, unknown>) => {
    try {
      network({ ...dense(18, 4), ...change } as MatrixShape);
      return "";
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
  };
  const place = "ConfigError: network net, matrix dense:";
  expect(thrown({ outputs: 2.5 })).toBe(`${place} outputs is a whole number from 1 on, not 2.5`);
  expect(thrown({ kernel: [4, 3] })).toBe(`${place} 18 inputs are not kernels of 4 x 3`);
  expect(thrown({ kernel: [3, 3], groups: 4 })).toBe(
    `${place} 2 channels and 4 outputs do not split into 4 groups`,
  );
  expect(thrown({ position: 3 })).toBe(`${place} it has no position; did you mean positions?`);
  expect(thrown({ kind: "densely" })).toBe(
    `${place} its kind is dense, convolution, recurrent, not densely; did you mean dense?`,
  );
  expect(() => network(dense(1, 1), dense(2, 2))).toThrow(
    "network net, matrix dense: there are two of this name",
  );
  expect(() => network()).toThrow("network net has no matrices");
  expect(() => mapNetwork(network(dense(1, 1)), { rows: 0, columns: 4 })).toThrow(
    "a tile has a whole number of rows from 1 on, not 0",
  );
});
