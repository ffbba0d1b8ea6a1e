/**
 * Products of matrices in WebAssembly: C = A B + beta C, either factor transposed or not.
 *
 * Blocks of both factors are packed so that the inner kernel reads them in order: 6 rows of A, spread over the lanes,
 * times 8 columns of B, into 12 accumulators (Goto & van de Geijn 2008, ACM Trans. Math. Softw. 34:12). Every element of C
 * is summed in the order of k, in chunks of `depth`, whatever the sizes. Row-major, float32.
 */
import {
  br_if,
  type Code,
  call,
  choose,
  FunctionBuilder,
  f32,
  f32x4,
  get,
  i32,
  iff,
  loop,
  type ModuleBuilder,
  relaxed,
  set,
  tee,
  v128,
} from "../wasm/assembler.ts";
import { each, least, locals } from "./loops.ts";

/** Rows and columns of the inner kernel, and the longest sum at a time. */
export const tileRows = 6;
export const tileColumns = 8;
const vectors = tileColumns / 4;
export const depth = 256;
/** Rows of A that are packed at a time: 96 kB, of which a core's second cache holds plenty. */
export const height = 96;

/** Numbers of scratch that `matmul` needs for its packed blocks, for products of up to n columns. */
export const scratchNumbers = (n: number): number =>
  depth * (height + Math.ceil(n / tileColumns) * tileColumns) + tileRows * tileColumns;

/** Whether products may be fused with the sum: faster, and other bits on other machines. */
export interface MatmulOptions {
  readonly fused?: boolean;
}

/**
 * matmul(a, aRow, aColumn, b, bRow, bColumn, c, cRow, m, n, k, scratch): C += A B for A [m, k] and B [k, n]. Strides
 * are bytes, so a transposed factor is one with its strides exchanged; C's columns are neighbours. Adds functions to
 * the module and exports `matmul`.
 */
export function addMatmul(module: ModuleBuilder, { fused = false }: MatmulOptions = {}): number {
  const inner = module.add(innerFunction(fused));
  const rest = module.add(restFunction(inner));
  const packRows = module.add(packFunction(tileRows));
  const packColumns = module.add(packFunction(tileColumns));
  return module.add(outerFunction({ inner, rest, packRows, packColumns }));
}

const bytes = (count: Code, size = 4): Code => i32.mul(count, i32.const(size));
const plus = (a: Code, b: Code): Code => i32.add(a, b);

/**
 * pack(source, along, across, count, width, to): `count` steps of `width` numbers, `across` apart, the steps `along` apart,
 * to groups of `group` numbers side by side, filled up with 0: to[step][group].
 */
function packFunction(group: number): FunctionBuilder {
  const names = ["source", "along", "across", "count", "width", "to"] as const;
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const) });
  const v = locals(fn, names, { step: "i32", at: "i32", lane: "i32" });
  const vector = group % 4 === 0;
  const scalar = each(
    v.lane,
    { below: i32.const(group) },
    f32.store(
      plus(get(v.to), bytes(get(v.lane))),
      0,
      choose(
        "f32",
        i32.lt_u(get(v.lane), get(v.width)),
        f32.load(plus(get(v.source), i32.mul(get(v.lane), get(v.across))), 0),
        f32.const(0),
      ),
    ),
  );
  const whole = Array.from({ length: group / 4 }, (_, k) =>
    v128.store(get(v.to), 16 * k, v128.load(get(v.source), 16 * k)),
  );
  const neighbours = i32.and(i32.eq(get(v.across), i32.const(4)), i32.eq(get(v.width), i32.const(group)));
  fn.body = each(
    v.step,
    { below: get(v.count) },
    vector ? iff(neighbours, whole, scalar) : scalar,
    set(v.source, plus(get(v.source), get(v.along))),
    set(v.to, plus(get(v.to), i32.const(4 * group))),
  );
  return fn;
}

/** inner(a, b, c, cRow, k): 6 x 8 of C += packed rows times packed columns. */
function innerFunction(fused: boolean): FunctionBuilder {
  const names = ["a", "b", "c", "cRow", "k"] as const;
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const) });
  const v = locals(fn, names, { row: "v128", at: "i32" });
  const sums = Array.from({ length: tileRows * vectors }, () => fn.local("v128"));
  const columns = Array.from({ length: vectors }, () => fn.local("v128"));
  const multiply = (sum: number, column: number): Code =>
    fused
      ? relaxed.f32x4_madd(get(v.row), get(column), get(sum))
      : f32x4.add(get(sum), f32x4.mul(get(v.row), get(column)));
  const step: Code = [
    columns.map((column, j) => set(column, v128.load(get(v.b), 16 * j))),
    Array.from({ length: tileRows }, (_, i) => [
      set(v.row, v128.load32_splat(get(v.a), 4 * i)),
      columns.map((column, j) => set(sums[i * vectors + j], multiply(sums[i * vectors + j], column))),
    ]),
    set(v.a, plus(get(v.a), i32.const(4 * tileRows))),
    set(v.b, plus(get(v.b), i32.const(4 * tileColumns))),
  ];
  const add = Array.from({ length: tileRows }, (_, i) => [
    columns.map((_, j) =>
      v128.store(get(v.at), 16 * j, f32x4.add(v128.load(get(v.at), 16 * j), get(sums[i * vectors + j]))),
    ),
    set(v.at, plus(get(v.at), get(v.cRow))),
  ]);
  fn.body = [loop(step, br_if(0, tee(v.k, i32.sub(get(v.k), i32.const(1))))), set(v.at, get(v.c)), add];
  return fn;
}

/** rest(a, b, c, cRow, k, rows, columns, tile): the same where fewer rows or columns are left, by way of a whole tile. */
function restFunction(inner: number): FunctionBuilder {
  const names = ["a", "b", "c", "cRow", "k", "rows", "columns", "tile"] as const;
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const) });
  const v = locals(fn, names, { i: "i32", j: "i32", to: "i32" });
  const tileRow = 4 * tileColumns;
  fn.body = [
    Array.from({ length: tileRows * vectors }, (_, k) =>
      v128.store(get(v.tile), 16 * k, v128.const(0, 0, 0, 0)),
    ),
    call(inner, get(v.a), get(v.b), get(v.tile), i32.const(tileRow), get(v.k)),
    each(
      v.i,
      { below: get(v.rows) },
      each(
        v.j,
        { below: get(v.columns) },
        set(v.to, plus(plus(get(v.c), i32.mul(get(v.i), get(v.cRow))), bytes(get(v.j)))),
        f32.store(
          get(v.to),
          0,
          f32.add(
            f32.load(get(v.to), 0),
            f32.load(plus(plus(get(v.tile), bytes(get(v.i), tileRow)), bytes(get(v.j))), 0),
          ),
        ),
      ),
    ),
  ];
  return fn;
}

function outerFunction(o: {
  inner: number;
  rest: number;
  packRows: number;
  packColumns: number;
}): FunctionBuilder {
  const names = [
    "a",
    "aRow",
    "aColumn",
    "b",
    "bRow",
    "bColumn",
    "c",
    "cRow",
    "m",
    "n",
    "k",
    "scratch",
  ] as const;
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const), exportName: "matmul" });
  const v = locals(fn, names, {
    chunk: "i32", // first k of this chunk
    deep: "i32", // its length
    i: "i32",
    j: "i32",
    block: "i32", // first row of this block
    rows: "i32",
    columns: "i32",
    left: "i32", // packed rows
    right: "i32", // packed columns
    at: "i32",
  });
  const tile = get(v.scratch);
  const packedRows = plus(get(v.scratch), i32.const(4 * tileRows * tileColumns));
  const packedColumns = plus(packedRows, i32.const(4 * depth * height));
  /** Where the panel of rows or columns from `first` on lies among packed ones. */
  const panel = (base: Code, first: Code): Code => plus(base, bytes(i32.mul(first, get(v.deep))));
  const packB = each(
    v.j,
    { below: get(v.n), step: tileColumns },
    call(
      o.packColumns,
      plus(plus(get(v.b), i32.mul(get(v.chunk), get(v.bRow))), i32.mul(get(v.j), get(v.bColumn))),
      get(v.bRow),
      get(v.bColumn),
      get(v.deep),
      least(i32.sub(get(v.n), get(v.j)), i32.const(tileColumns)),
      panel(packedColumns, get(v.j)),
    ),
  );
  const blockEnd = least(get(v.m), plus(get(v.block), i32.const(height)));
  const packA = each(
    v.i,
    { from: get(v.block), below: blockEnd, step: tileRows },
    call(
      o.packRows,
      plus(plus(get(v.a), i32.mul(get(v.i), get(v.aRow))), i32.mul(get(v.chunk), get(v.aColumn))),
      get(v.aColumn),
      get(v.aRow),
      get(v.deep),
      least(i32.sub(get(v.m), get(v.i)), i32.const(tileRows)),
      panel(packedRows, i32.sub(get(v.i), get(v.block))),
    ),
  );
  const multiply = each(
    v.j,
    { below: get(v.n), step: tileColumns },
    set(v.columns, least(i32.sub(get(v.n), get(v.j)), i32.const(tileColumns))),
    set(v.right, panel(packedColumns, get(v.j))),
    each(
      v.i,
      { from: get(v.block), below: blockEnd, step: tileRows },
      set(v.rows, least(i32.sub(get(v.m), get(v.i)), i32.const(tileRows))),
      set(v.left, panel(packedRows, i32.sub(get(v.i), get(v.block)))),
      set(v.at, plus(plus(get(v.c), i32.mul(get(v.i), get(v.cRow))), bytes(get(v.j)))),
      iff(
        i32.and(i32.eq(get(v.rows), i32.const(tileRows)), i32.eq(get(v.columns), i32.const(tileColumns))),
        call(o.inner, get(v.left), get(v.right), get(v.at), get(v.cRow), get(v.deep)),
        call(
          o.rest,
          get(v.left),
          get(v.right),
          get(v.at),
          get(v.cRow),
          get(v.deep),
          get(v.rows),
          get(v.columns),
          tile,
        ),
      ),
    ),
  );
  fn.body = each(
    v.chunk,
    { below: get(v.k), step: depth },
    set(v.deep, least(i32.sub(get(v.k), get(v.chunk)), i32.const(depth))),
    packB,
    each(v.block, { below: get(v.m), step: height }, packA, multiply),
  );
  return fn;
}
