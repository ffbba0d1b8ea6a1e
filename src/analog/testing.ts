/**
 * Test vectors by which the drift of a chip is seen: the sum of the sizes of what each column makes of them.
 *
 * Read ideally, as sums over conductances, or as products of the tile with all its noise, whose size then counts as signal where
 * outputs are small.
 */
import { ConfigError } from "../math/errors.ts";
import { type Key, randomKey, uniform } from "../math/random.ts";
import { compileKernels } from "../tensor/kernels.ts";
import { takeTable } from "../tensor/table.ts";
import type { Tile } from "./tile.ts";
import { numbersOf, TiledMatrix } from "./tiles.ts";

/** What is read of a part: relative weights [output][input], and the conductances of both devices where asked. */
export interface PartRead {
  readonly weights: Float32Array;
  readonly conductances: Float32Array | undefined;
}

/** Sums of sizes of outputs, [output], of part k; `draw` says which noise. */
export type TestSums = (k: number, read: PartRead, draw: number) => Float64Array;

interface PartSize {
  readonly inputs: number;
  readonly scale: ArrayLike<number>; // [output]
  readonly outputBound: number | undefined;
  readonly key: Key;
}

/** Vectors at a time. */
const together = 64;

export async function testSums(
  tile: Tile,
  parts: readonly PartSize[],
  o: {
    readonly testVectors: "one-hot" | number;
    readonly testReads: "ideal" | "tile";
    readonly seed: string | number;
  },
): Promise<TestSums> {
  const { testVectors, testReads, seed } = o;
  if (testVectors !== "one-hot" && !(Number.isInteger(testVectors) && testVectors >= 1))
    throw new ConfigError(`testVectors are "one-hot" or a whole number from 1 on, not ${testVectors}`);
  if (!["ideal", "tile"].includes(testReads))
    throw new ConfigError(`testReads are ideal or tile, not ${testReads}`);
  const key = randomKey(seed, "test vectors");
  /** Input j of vector v. */
  const vector =
    testVectors === "one-hot"
      ? (v: number, j: number) => (v === j ? 1 : 0)
      : (v: number, j: number) => 2 * uniform(key, v, j, 0) - 1;
  const count = (inputs: number) => (testVectors === "one-hot" ? inputs : testVectors);
  if (testReads === "tile") return readByTile(tile, parts, { count, vector, seed });
  return (k, { weights }) => {
    const { inputs, scale } = parts[k];
    if (testVectors === "one-hot") return sizes(weights, scale.length, inputs);
    const sums = new Float64Array(scale.length);
    for (let v = 0; v < testVectors; v++) {
      const x = Float64Array.from({ length: inputs }, (_, j) => vector(v, j));
      for (let i = 0, at = 0; i < sums.length; i++) {
        let y = 0;
        for (let j = 0; j < inputs; j++, at++) y += weights[at] * x[j];
        sums[i] += Math.abs(y);
      }
    }
    return sums;
  };
}

/** Sums of |w| over the inputs of each output. */
function sizes(weights: Float32Array, outputs: number, inputs: number): Float64Array {
  const sums = new Float64Array(outputs);
  for (let i = 0, at = 0; i < outputs; i++) {
    let sum = 0;
    for (let j = 0; j < inputs; j++, at++) sum += Math.abs(weights[at]);
    sums[i] = sum;
  }
  return sums;
}

async function readByTile(
  tile: Tile,
  parts: readonly PartSize[],
  o: {
    readonly count: (inputs: number) => number;
    readonly vector: (v: number, j: number) => number;
    readonly seed: string | number;
  },
): Promise<TestSums> {
  const numbers = parts.reduce(
    (sum, { inputs, scale }) => sum + numbersOf({ ...tile, rows: inputs }, scale.length, inputs, together),
    0,
  );
  const kernels = await compileKernels(4 * numbers);
  const { heap } = kernels;
  const stations = parts.map(({ inputs, scale, outputBound = tile.outputBound }, k) => ({
    matrix: new TiledMatrix(kernels, {
      tile: { ...tile, rows: inputs, outputBound },
      outputs: scale.length,
      inputs: [inputs],
      examples: together,
      seed: `${o.seed}/test/${k}`,
    }),
    x: takeTable(heap, [inputs], together),
    y: takeTable(heap, [scale.length], together),
  }));
  return (k, read, draw) => {
    const { matrix, x, y } = stations[k];
    const { inputs, scale, key } = parts[k];
    const outputs = scale.length;
    matrix.load(0, { ...read, key, scale: new Float64Array(outputs).fill(1) });
    const sums = new Float64Array(outputs);
    const vectors = o.count(inputs);
    for (let first = 0; first < vectors; first += together) {
      const some = Math.min(together, vectors - first);
      for (let r = 0; r < some; r++)
        for (let j = 0; j < inputs; j++) x.data[r * x.width + j] = o.vector(first + r, j);
      matrix.forward(x, y, some, { first, stream: draw % 2 ** 20 });
      for (let r = 0; r < some; r++)
        for (let i = 0; i < outputs; i++) sums[i] += Math.abs(y.data[r * y.width + i]);
    }
    return sums;
  };
}
