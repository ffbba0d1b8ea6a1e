import { describe, expect, test } from "vitest";
import { Heap } from "../../src/analog/heap.ts";
import { addMatmul, depth, scratchNumbers } from "../../src/analog/matmul.ts";
import { uniform } from "../../src/math/random.ts";
import { ModuleBuilder } from "../../src/wasm/assembler.ts";

type Matmul = (...numbers: number[]) => void;

async function kernel(heap: Heap, fused: boolean): Promise<Matmul> {
  const module = new ModuleBuilder();
  addMatmul(module, { fused });
  const pages = heap.memory.buffer.byteLength / 65536;
  const bytes = module.assemble({ pages, maximumPages: pages, shared: false });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory: heap.memory } });
  return instance.exports.matmul as Matmul;
}

/** The sums in float32 and in the kernel's order: chunks of `depth`, each from 0. */
function plain(
  a: (i: number, q: number) => number,
  b: (q: number, j: number) => number,
  [m, n, k]: readonly [number, number, number],
): Float32Array {
  const c = new Float32Array(m * n);
  for (let from = 0; from < k; from += depth)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let q = from; q < Math.min(k, from + depth); q++)
          sum = Math.fround(sum + Math.fround(a(i, q) * b(q, j)));
        c[i * n + j] = Math.fround(c[i * n + j] + sum);
      }
  return c;
}

const sizes = [
  [1, 1, 1],
  [1, 250, 784],
  [7, 9, 5],
  [6, 8, 256],
  [13, 17, 300],
  [97, 33, 257],
  [100, 10, 600],
] as const;

describe.each([
  [false, false],
  [false, true],
  [true, false],
  [true, true],
])("A transposed: %s, B transposed: %s", (transposedA, transposedB) => {
  test("the product has the bits of sums in its order, for whole and partial tiles", async () => {
    const heap = new Heap(2 ** 23);
    const [A, B, C] = [heap.take(2e5), heap.take(3e5), heap.take(1e5)];
    const scratch = heap.take(scratchNumbers(250));
    A.data.forEach((_, k) => {
      A.data[k] = uniform([1, 2], 0, k, 0) - 0.5;
    });
    B.data.forEach((_, k) => {
      B.data[k] = uniform([1, 2], 1, k, 0) - 0.5;
    });
    const matmul = await kernel(heap, false);
    for (const size of sizes) {
      const [m, n, k] = size;
      const a = transposedA ? [1, m] : [k, 1];
      const b = transposedB ? [1, k] : [n, 1];
      C.data.fill(0);
      matmul(...[A.at, 4 * a[0], 4 * a[1], B.at, 4 * b[0], 4 * b[1], C.at, 4 * n, m, n, k, scratch.at]);
      const expected = plain(
        (i, q) => A.data[i * a[0] + q * a[1]],
        (q, j) => B.data[q * b[0] + j * b[1]],
        size,
      );
      expect(C.data.slice(0, m * n), `${size}`).toEqual(expected);
      expect(C.data[m * n]).toBe(0);
    }
  });
});

test("a product is added to what is there; the fused kernel is as near the exact sums", async () => {
  const heap = new Heap(2 ** 22);
  const [m, n, k] = [20, 30, 500];
  const [A, B, C] = [heap.take(m * k), heap.take(k * n), heap.take(m * n)];
  const scratch = heap.take(scratchNumbers(n));
  A.data.forEach((_, q) => {
    A.data[q] = uniform([3, 4], 0, q, 0) - 0.5;
  });
  B.data.forEach((_, q) => {
    B.data[q] = uniform([3, 4], 1, q, 0) - 0.5;
  });
  for (const fused of [false, true]) {
    C.data.fill(2);
    (await kernel(heap, fused))(A.at, 4 * k, 4, B.at, 4 * n, 4, C.at, 4 * n, m, n, k, scratch.at);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 2;
        let size = 2;
        for (let q = 0; q < k; q++) {
          sum += A.data[i * k + q] * B.data[q * n + j];
          size += Math.abs(A.data[i * k + q] * B.data[q * n + j]);
        }
        // Higham 2002, Accuracy and Stability of Numerical Algorithms, eq. 3.5, with sums of 256
        expect(Math.abs(C.data[i * n + j] - sum)).toBeLessThan(260 * 2 ** -24 * size);
      }
  }
});
