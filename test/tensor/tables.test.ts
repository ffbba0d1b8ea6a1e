/** Kernels on tables and images against plain twins, bit for bit. */
import { describe, expect, test } from "vitest";
import { type CellName, cells } from "../../src/tensor/cells.ts";
import type { Block } from "../../src/tensor/heap.ts";
import { columnSums, compileKernels, type rowSums, type rowwise } from "../../src/tensor/kernels.ts";
import { paddedColumns } from "../../src/tensor/matvec.ts";
import type { chunkSums } from "../../src/tensor/normalising.ts";
import { rowsTogether } from "../../src/tensor/rowwise.ts";
import { hostFunction } from "../../src/wasm/functions.ts";
import * as plain from "./plain.ts";

const f = Math.fround;
const [exp, tanh, log] = (["exp", "tanh", "log"] as const).map((name) => hostFunction(name, "float32"));
const add = (...terms: number[]): number => terms.reduce((sum, term) => f(sum + term));
const mul = (...factors: number[]): number => factors.reduce((product, factor) => f(product * factor));
const sub = (a: number, b: number): number => f(a - b);
const shared = compileKernels(2 ** 22);

/** Numbers at the inputs, columns, rows and scalars of a kernel, in their order. */
type Of = (...values: number[]) => number;

async function take(count: number, stream: number): Promise<Block> {
  const block = (await shared).heap.take(count);
  block.data.set(plain.numbers(count, stream));
  return block;
}

/** Rows, features: few and many, odd and whole vectors, more rows than one sum takes. */
const sizes = [
  [1, 1],
  [5, 3],
  [3, 8],
  [2 * rowsTogether + 7, 6],
  [rowsTogether + 1, 37],
] as const;

const rowTwins = {
  fillColumns: { tables: 0, columns: 1, of: (c) => c },
  addColumns: { tables: 1, columns: 1, of: (x, c) => add(x, c) },
  scaleColumns: { tables: 1, columns: 1, of: (x, c) => mul(x, c) },
  affineColumns: { tables: 1, columns: 2, of: (x, scale, shift) => add(mul(x, scale), shift) },
  normBack: {
    tables: 2,
    columns: 4,
    of: (dy, x, gain, mean, centre, slope) => mul(gain, sub(sub(dy, mean), mul(sub(x, centre), slope))),
  },
  affineRelu: { tables: 1, columns: 2, of: (x, scale, shift) => Math.max(0, add(mul(x, scale), shift)) },
  affineAddRelu: {
    tables: 2,
    columns: 2,
    of: (x, b, scale, shift) => Math.max(0, add(mul(x, scale), shift, b)),
  },
  normReluBack: {
    tables: 2,
    columns: 5,
    of: (dy, x, gain, mean, centre, slope, shift) => {
      const kept = add(mul(x, gain), shift) > 0 ? dy : 0;
      return mul(gain, sub(sub(kept, mean), mul(sub(x, centre), slope)));
    },
  },
  scaleRows: { tables: 1, rows: 1, of: (x, r) => mul(x, r) },
  affineRows: { tables: 1, rows: 2, of: (x, shift, scale) => mul(sub(x, shift), scale) },
  normRowsBack: {
    tables: 2,
    rows: 3,
    of: (dy, n, mean, slope, scale) => mul(sub(sub(dy, mean), mul(n, slope)), scale),
  },
  exponentialRows: { tables: 1, rows: 1, of: (x, r) => exp(sub(x, r)) },
  clipRows: { tables: 1, rows: 1, of: (x, r) => Math.min(Math.max(x, -r), r) },
  addRows: { tables: 2, rows: 1, of: (a, b, r) => add(a, mul(r, b)) },
  disturbRows: {
    tables: 2,
    rows: 1,
    scalars: [0.1, 0.2, 0.05, -0.03, 0.01, 0.02, 0.7],
    of: (w, z, r, c0, c1, c2, c3, c4, q2, power) => {
      const scaled = mul(w, r);
      const x = Math.abs(scaled);
      const p = [c3, c2, c1, c0].reduce((sum, c) => add(mul(sum, x), c), c4);
      const tail = mul(q2, exp(mul(power, log(Math.max(x, f(1e-7))))));
      return add(scaled, mul(f(Math.sqrt(add(mul(p, p), tail))), z));
    },
  },
  softmaxBack: { tables: 2, rows: 1, of: (dy, y, r) => mul(y, sub(dy, r)) },
} satisfies Record<
  keyof typeof rowwise,
  { tables: number; columns?: number; rows?: number; scalars?: number[]; of: Of }
>;

describe.each(sizes)("%i rows of %i features:", (rowCount, features) => {
  const width = paddedColumns(features);

  const names = Object.keys(rowTwins) as (keyof typeof rowTwins)[];
  test.each(rowCount < rowsTogether ? names : [])("%s has the bits of its formula", async (name) => {
    const kernels = await shared;
    const twin: { tables: number; columns?: number; rows?: number; scalars?: number[]; of: Of } =
      rowTwins[name];
    const blocks = async (count: number, size: number, stream: number) =>
      Promise.all(Array.from({ length: count }, (_, k) => take(size, stream + k)));
    const tables = await blocks(twin.tables, rowCount * width, 1);
    const columns = await blocks(twin.columns ?? 0, width, 5);
    const rows = await blocks(twin.rows ?? 0, rowCount, 9);
    const [to] = await blocks(1, rowCount * width, 20);
    const scalars = twin.scalars ?? [];
    const at = (list: Block[]) => list.map((block) => block.at);
    kernels[name](rowCount, width, ...at(tables), to.at, ...at(columns), ...at(rows), ...scalars);
    const expected = to.data.map((_, k) => {
      const own = [...tables.map(({ data }) => data[k]), ...columns.map(({ data }) => data[k % width])];
      return twin.of(...own, ...rows.map(({ data }) => data[Math.floor(k / width)]), ...scalars.map(f));
    });
    expect(plain.difference(to.data, expected)).toBe("");
  });

  const columnTwins = {
    sumColumns: { tables: 1, of: [(x) => x] },
    sumProducts: { tables: 2, of: [(a, b) => mul(a, b)] },
  } satisfies Record<keyof typeof columnSums, { tables: number; of: Of[] }>;

  test.each(Object.keys(columnTwins) as (keyof typeof columnTwins)[])(
    "%s adds rows in their order, 256 at a time",
    async (name) => {
      const kernels = await shared;
      const twin: { tables: number; of: Of[] } = columnTwins[name];
      const tables = await Promise.all(
        Array.from({ length: twin.tables }, (_, k) => take(rowCount * width, 30 + k)),
      );
      const outputs = await Promise.all(twin.of.map((_, k) => take(width, 50 + k)));
      expect(columnSums[name].outputs.length).toBe(outputs.length);
      const expected = outputs.map(({ data }, n) =>
        data.map((start, c) => {
          let total = start;
          for (let from = 0; from < rowCount; from += rowsTogether) {
            let sum = 0;
            for (let row = from; row < Math.min(rowCount, from + rowsTogether); row++)
              sum = add(sum, twin.of[n](...tables.map((t) => t.data[row * width + c])));
            total = add(total, sum);
          }
          return total;
        }),
      );
      kernels[name](rowCount, width, ...[...tables, ...outputs].map(({ at }) => at));
      outputs.forEach(({ data }, n) => {
        expect(plain.difference(data, expected[n])).toBe("");
      });
    },
  );

  const kept = (dy: number, x: number, gain: number, shift: number) =>
    add(mul(x, gain), shift) > 0 ? dy : 0;
  const chunkTwins = {
    moments: {
      tables: 1,
      of: [(x, first) => sub(x, first), (x, first) => mul(sub(x, first), sub(x, first))],
    },
    slopes: { tables: 2, columns: 1, of: [(dy) => dy, (dy, x, _, __, c) => mul(dy, sub(x, c))] },
    slopesRelu: {
      tables: 2,
      columns: 3,
      of: [
        (dy, x, _, __, ___, gain, shift) => kept(dy, x, gain, shift),
        (dy, x, _, __, c, gain, shift) => mul(kept(dy, x, gain, shift), sub(x, c)),
      ],
    },
  } satisfies Record<keyof typeof chunkSums, { tables: number; columns?: number; of: Of[] }>;

  test.each(Object.keys(chunkTwins) as (keyof typeof chunkTwins)[])(
    "%s adds the rows of each chunk in their order",
    async (name) => {
      const kernels = await shared;
      const twin: { tables: number; columns?: number; of: Of[] } = chunkTwins[name];
      const blocks = async (count: number, size: number, stream: number) =>
        Promise.all(Array.from({ length: count }, (_, k) => take(size, stream + k)));
      const tables = await blocks(twin.tables, rowCount * width, 30);
      const columns = await blocks(twin.columns ?? 0, width, 40);
      const chunks = Math.ceil(rowCount / rowsTogether);
      const outputs = await blocks(twin.of.length, (chunks + 1) * width, 50);
      const expected = outputs.map(({ data }, n) =>
        data.map((before, at) => {
          const [chunk, c] = [Math.floor(at / width), at % width];
          if (chunk === chunks) return before; // nothing else is written
          const of = (row: number) => tables.map(({ data }) => data[row * width + c]);
          const first = of(chunk * rowsTogether);
          let sum = 0;
          for (let row = chunk * rowsTogether; row < Math.min(rowCount, (chunk + 1) * rowsTogether); row++)
            sum = add(sum, twin.of[n](...of(row), ...first, ...columns.map(({ data }) => data[c])));
          return sum;
        }),
      );
      kernels[name](rowCount, width, ...[...tables, ...outputs, ...columns].map(({ at }) => at));
      outputs.forEach(({ data }, n) => {
        expect(plain.difference(data, expected[n])).toBe("");
      });
    },
  );

  const sumTwins = {
    sumRows: { tables: 1, of: (x) => x },
    spreadRows: { tables: 1, rows: 1, of: (x, r) => mul(sub(x, r), sub(x, r)) },
    dotRows: { tables: 2, of: (a, b) => mul(a, b) },
    largestRows: { tables: 1, of: (x) => x },
  } satisfies Record<keyof typeof rowSums | "largestRows", { tables: number; rows?: number; of: Of }>;

  test.each(Object.keys(sumTwins) as (keyof typeof sumTwins)[])(
    "%s joins features in four lanes, and leaves out what fills rows up",
    async (name) => {
      const kernels = await shared;
      const twin: { tables: number; rows?: number; of: Of } = sumTwins[name];
      const tables = await Promise.all(
        Array.from({ length: twin.tables }, (_, k) => take(rowCount * width, 60 + k)),
      );
      for (const { data } of tables)
        for (let k = 0; k < data.length; k++) if (k % width >= features) data[k] = Number.NaN;
      const rows = await Promise.all(
        Array.from({ length: twin.rows ?? 0 }, (_, k) => take(rowCount, 70 + k)),
      );
      const to = await take(rowCount, 80);
      kernels[name](
        rowCount,
        width,
        features,
        ...tables.map(({ at }) => at),
        to.at,
        ...rows.map(({ at }) => at),
      );
      const isLargest = name === "largestRows";
      const join = (a: number, b: number) => (isLargest ? Math.max(a, b) : add(a, b));
      const expected = to.data.map((_, row) => {
        const lanes = new Float32Array(4).fill(isLargest ? Number.NEGATIVE_INFINITY : 0);
        for (let c = 0; c < features; c++)
          lanes[c % 4] = join(
            lanes[c % 4],
            twin.of(...tables.map((t) => t.data[row * width + c]), ...rows.map((t) => t.data[row])),
          );
        return join(join(lanes[0], lanes[1]), join(lanes[2], lanes[3]));
      });
      expect(plain.difference(to.data, expected)).toBe("");
    },
  );
});

const sigmoid = (x: number): number => f(1 / add(1, exp(-x)));
const sigmoidBack = (dy: number, y: number): number => mul(dy, mul(y, sub(1, y)));
const tanhBack = (dy: number, y: number): number => mul(dy, sub(1, mul(y, y)));
const cellTwins = {
  copyStrided: (x) => [x],
  addStrided: (a, b) => [add(a, b)],
  lstmCell: (xi, xf, xg, xo, ui, uf, ug, uo, c) => {
    const [i, o, k] = [sigmoid(add(xi, ui)), sigmoid(add(xo, uo)), sigmoid(add(xf, uf))];
    const g = tanh(add(xg, ug));
    const next = add(mul(k, c), mul(i, g));
    return [i, k, g, o, next, mul(o, tanh(next))];
  },
  lstmCellBack: (dy, dh, i, k, g, o, c, newC, dc) => {
    const all = add(dy, dh);
    const t = tanh(newC);
    const slope = add(dc, tanhBack(mul(all, o), t));
    const gates = [sigmoidBack(mul(slope, g), i), sigmoidBack(mul(slope, c), k), tanhBack(mul(slope, i), g)];
    return [...gates, sigmoidBack(mul(all, t), o), mul(slope, k)];
  },
  gruCell: (xr, xz, xn, ur, uz, un, h) => {
    const [r, z] = [sigmoid(add(xr, ur)), sigmoid(add(xz, uz))];
    const n = tanh(add(xn, mul(r, un)));
    return [r, z, n, un, add(n, mul(z, sub(h, n)))];
  },
  gruCellBack: (dy, dh, rest, r, z, n, un, h) => {
    const all = add(add(dy, dh), rest);
    const dn = tanhBack(mul(all, sub(1, z)), n);
    const dz = sigmoidBack(mul(all, sub(h, n)), z);
    const dr = sigmoidBack(mul(dn, un), r);
    return [dr, dz, dn, dr, dz, mul(dn, r), mul(all, z)];
  },
  spikingCell: (x, u, decay) => {
    const next = add(mul(decay, sub(u, u > 1 ? 1 : 0)), x);
    return [next, next > 1 ? 1 : 0];
  },
  spikingCellBack: (dy, u, dv, decay, steepness) => {
    const root = add(1, mul(steepness, Math.abs(sub(u, 1))));
    const dx = add(dv, f(sub(dy, dv) / mul(root, root)));
    return [dx, mul(decay, dx)];
  },
} satisfies Record<CellName, (...values: number[]) => number[]>;

describe.each([1, 4, 7])("%i units, rows any distance apart:", (units) => {
  test.each(Object.keys(cellTwins) as CellName[])(
    "%s has the bits of its formula and writes nothing else",
    async (name) => {
      const kernels = await shared;
      const rowCount = 3;
      const { inputs, outputs } = cells[name];
      const pitch = (k: number) => units + (k % 3); // numbers from row to row
      const arrays = await Promise.all(
        [...inputs, ...outputs].map((_, k) => take(rowCount * pitch(k) + 1, 100 + k)),
      );
      const places = arrays.flatMap(({ at }, k) => [at + 4, 4 * pitch(k)]); // not at a whole vector
      const expected = arrays.map(({ data }) => data.slice());
      for (let row = 0; row < rowCount; row++)
        for (let c = 0; c < units; c++) {
          const place = (k: number) => 1 + row * pitch(k) + c;
          const of: (...values: number[]) => number[] = cellTwins[name];
          of(...inputs.map((_, k) => arrays[k].data[place(k)])).forEach((value, k) => {
            expected[inputs.length + k][place(inputs.length + k)] = value;
          });
        }
      kernels[name](rowCount, units, ...places);
      expect(arrays.map(({ data }, k) => plain.difference(data, expected[k]))).toEqual(arrays.map(() => ""));
    },
  );
});
