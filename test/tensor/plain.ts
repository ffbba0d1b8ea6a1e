/** Kernels as a reader would write them, in float32 and in the kernels' order: the oracle of their tests. */
import { type Key, uniform, uniform32 } from "../../src/math/random.ts";
import { normalPair } from "../../src/wasm/draws.ts";
import { Graph } from "../../src/wasm/graph.ts";
import { interpret } from "../../src/wasm/interpret.ts";

const f = Math.fround;

/** Offsets, in numbers, of the groups of four that are not all 0. */
export function active(x: ArrayLike<number>, columns: number): number[] {
  const groups: number[] = [];
  for (let c = 0; c < columns; c += 4) if ([0, 1, 2, 3].some((lane) => x[c + lane] !== 0)) groups.push(c);
  return groups;
}

/** y + W x over listed groups: four accumulators of four lanes, what is left over in the first, joined pairwise. */
export function matvec(
  w: Float32Array,
  width: number,
  x: Float32Array,
  y: Float32Array,
  groups: readonly number[],
): Float32Array {
  return y.map((start, row) => {
    const sums = new Float32Array(16); // [accumulator][lane]
    const whole = groups.length - (groups.length % 4);
    groups.forEach((c, k) => {
      const accumulator = k < whole ? k % 4 : 0;
      for (let lane = 0; lane < 4; lane++) {
        const at = 4 * accumulator + lane;
        sums[at] = f(sums[at] + f(w[row * width + c + lane] * x[c + lane]));
      }
    });
    const lane = (l: number) => f(f(sums[l] + sums[4 + l]) + f(sums[8 + l] + sums[12 + l]));
    return f(start + f(f(lane(0) + lane(1)) + f(lane(2) + lane(3))));
  });
}

/** y + d W, row by row, for the padded columns. */
export function vecmat(w: Float32Array, width: number, d: Float32Array, y: Float32Array): Float32Array {
  const sum = y.slice(0, width);
  for (let row = 0; row < d.length; row++)
    for (let c = 0; c < width; c++) sum[c] = f(sum[c] + f(d[row] * w[row * width + c]));
  return sum;
}

/** W + (factor d) x^T over listed groups. */
export function outer(
  w: Float32Array,
  width: number,
  d: Float32Array,
  x: Float32Array,
  o: { readonly groups: readonly number[]; readonly factor: number },
): Float32Array {
  const sum = w.slice();
  for (let row = 0; row < d.length; row++) {
    const step = f(f(o.factor) * d[row]);
    for (const c of o.groups)
      for (let at = c; at < c + 4; at++) sum[row * width + at] = f(sum[row * width + at] + f(step * x[at]));
  }
  return sum;
}

/** Offsets, in numbers, of the groups of W listed that hold a number of at least `threshold` in size. */
export function reaching(
  w: Float32Array,
  width: number,
  o: { readonly rows: number; readonly groups: readonly number[]; readonly threshold: number },
): number[] {
  const found: number[] = [];
  for (let row = 0; row < o.rows; row++)
    for (const c of o.groups)
      if ([0, 1, 2, 3].some((lane) => Math.abs(w[row * width + c + lane]) >= f(o.threshold)))
        found.push(row * width + c);
  return found;
}

/** Normal number e of (key, stream, tick): of the uniform numbers of its pair of groups of four, the cosine or the sine. */
export function normal(key: Key, stream: number, e: number, tick: number): number {
  const group = (e >>> 2) & 3;
  const of = (g: number) => uniform32(key, stream, (e & ~12) | (g << 2), tick);
  const graph = new Graph("float32");
  const pair = normalPair(graph, graph.input("u"), graph.input("v"));
  const inputs = { u: of(group & ~1), v: of(group | 1) };
  return interpret([pair[group & 1]], inputs, "float32")[0] as number;
}

/** Float32 numbers in (-1/2, 1/2), of which about the part `zeros`, in runs of eight, is 0. */
export function numbers(count: number, stream: number, zeros = 0): Float32Array {
  return Float32Array.from({ length: count }, (_, k) =>
    uniform([9, 9], stream, k >> 3, 1) < zeros ? 0 : uniform([9, 9], stream, k, 0) - 0.5,
  );
}

/** Where two arrays differ first, bit for bit but for the sign of 0; nothing where they do not. */
export function difference(ours: Float32Array, expected: Float32Array): string {
  if (ours.length !== expected.length) return `${ours.length} numbers, not ${expected.length}`;
  for (let k = 0; k < ours.length; k++)
    if (!(ours[k] === expected[k] || (Number.isNaN(ours[k]) && Number.isNaN(expected[k]))))
      return `number ${k} is ${ours[k]}, not ${expected[k]}`;
  return "";
}
