/**
 * Products of many rows with a matrix, in WebAssembly: what batches of dense layers and convolutions are made of.
 *
 * C += A B where neither factor needs to lie row by row: a plan tells the strides. The rows of A may be patches of an
 * image, read where they lie, without a copy of them (implicit im2col). B is packed into panels of 8 columns (`pack`) or
 * read where it lies. The inner kernel keeps up to 6 rows x 8 columns of sums in registers, which is what 16 registers
 * hold (Goto & van de Geijn 2008, ACM Trans. Math. Softw. 34:12). An element of C is the sum over the steps in order,
 * from 0, added to what C held or, where the plan says so, in its place; each image adds its own sum. So the bits do not depend on how images, rows and columns
 * are dealt out.
 */
import {
  block,
  br,
  br_if,
  type Code,
  call,
  FunctionBuilder,
  f32,
  f32x4,
  get,
  i8x16,
  i32,
  iff,
  loop,
  type ModuleBuilder,
  relaxed,
  set,
  tee,
  v128,
} from "../wasm/assembler.ts";
import type { Block, Heap } from "./heap.ts";
import { each, least, locals } from "./loops.ts";

const mostRows = 6;
/** Columns of a panel. */
export const panelColumns = 8;

/**
 * Where a product finds its numbers; strides in numbers. Sizes: `images` are told with the call; for each of them `lines`
 * times m rows, n columns (a multiple of 4), and sums over `outers` times `steps`.
 */
export interface PlanOptions {
  readonly lines?: number;
  readonly m: number;
  readonly n: number;
  readonly outers?: number;
  readonly steps: number;
  /** Of A: from image to image, line to line, row to row, outer to outer, step to step. */
  readonly a: Strides & { readonly row: number };
  /** Of B, whose columns are neighbours in panels of 8: from image to image, line to line, panel to panel, outer to outer, step to step. */
  readonly b: Strides & { readonly panel: number };
  /** Of C, whose columns are neighbours: from image to image, line to line, row to row. */
  readonly c: { readonly image?: number; readonly line?: number; readonly row: number };
  /** C = A B instead of C += A B. Default false. */
  readonly stores?: boolean;
}

interface Strides {
  readonly image?: number;
  readonly line?: number;
  readonly outer?: number;
  readonly step: number;
}

const fields = [
  "lines",
  "m",
  "n",
  "outers",
  "steps",
  "aImage",
  "aLine",
  "aRow",
  "aOuter",
  "aStep",
  "bImage",
  "bLine",
  "bPanel",
  "bOuter",
  "bStep",
  "cImage",
  "cLine",
  "cRow",
  "stores",
] as const;

/** Numbers of a plan, and where in it one is: sizes, and strides in bytes. */
export const planNumbers = fields.length;
export const fieldOf = (name: (typeof fields)[number]): number => fields.indexOf(name);

/** Writes a plan into the heap; its byte offset is what `multiply` takes. */
export function takePlan(heap: Heap, o: PlanOptions): number {
  const at = heap.take(fields.length).at;
  rewritePlan(heap, at, o);
  return at;
}

/** Overwrites a plan. */
export function rewritePlan(heap: Heap, at: number, o: PlanOptions): void {
  const { a, b, c } = o;
  const bytes = (count = 0) => 4 * count;
  const words = new Int32Array(heap.memory.buffer, at, fields.length);
  words.set([o.lines ?? 1, o.m, o.n, o.outers ?? 1, o.steps]);
  words.set([a.image, a.line, a.row, a.outer, a.step].map(bytes), 5);
  words.set([b.image, b.line, b.panel, b.outer, b.step].map(bytes), 10);
  words.set([c.image, c.line, c.row].map(bytes), 15);
  words[fieldOf("stores")] = o.stores ? 1 : 0;
}

/** Whether a plan's product is stored or added. */
export function storeByPlan(heap: Heap, at: number, stores: boolean): void {
  new Int32Array(heap.memory.buffer, at, planNumbers)[fieldOf("stores")] = stores ? 1 : 0;
}

/** Numbers of the panels of a [k][n] matrix. */
export const panelNumbers = (k: number, n: number): number => Math.ceil(n / panelColumns) * panelColumns * k;

/** Packed panels of a matrix [k][n]: panel to panel k * 8 numbers, step to step 8. */
export interface Panels extends Block {
  readonly k: number;
  readonly n: number;
}

const plus = (a: Code, b: Code): Code => i32.add(a, b);
const times = (a: Code, b: Code): Code => i32.mul(a, b);

/**
 * Adds and exports, and returns the index of the first:
 * `multiply`(plan, a, b, c, images): C += A B, and
 * `pack`(w, column, step, k, n, to, pitch): the matrix w[k][n], whose columns are `column` bytes apart and whose steps
 * `step` bytes, to panels that are `pitch` bytes apart; columns past n are 0.
 */
export function addProduct(
  module: ModuleBuilder,
  { fused = false }: { readonly fused?: boolean } = {},
): number {
  const inner = [1, 2].map((vectors) =>
    Array.from({ length: mostRows }, (_, r) => module.add(innerFunction(r + 1, vectors, fused))),
  );
  const multiply = module.add(multiplyFunction(inner));
  module.add(packFunction());
  return multiply;
}

/** inner(a, aRow, aOuter, aStep, b, bOuter, bStep, c, cRow, stores, outers, steps): rows x (4 vectors) of C += A B, or =. */
function innerFunction(rows: number, vectors: number, fused: boolean): FunctionBuilder {
  const names = [
    "a",
    "aRow",
    "aOuter",
    "aStep",
    "b",
    "bOuter",
    "bStep",
    "c",
    "cRow",
    "stores",
    "outers",
    "steps",
  ] as const;
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const) });
  const v = locals(fn, names, { value: "v128", q: "i32", step: "i32" });
  const pointers = Array.from({ length: rows }, () => fn.local("i32"));
  const sums = Array.from({ length: rows * vectors }, () => fn.local("v128"));
  const columns = Array.from({ length: vectors }, () => fn.local("v128"));
  const add = (sum: number, column: number): Code =>
    set(
      sum,
      fused
        ? relaxed.f32x4_madd(get(v.value), get(column), get(sum))
        : f32x4.add(get(sum), f32x4.mul(get(v.value), get(column))),
    );
  const store = (row: number, adds: boolean): Code => [
    columns.map((_, j) => {
      const sum = get(sums[row * vectors + j]);
      return v128.store(get(v.c), 16 * j, adds ? f32x4.add(v128.load(get(v.c), 16 * j), sum) : sum);
    }),
    row + 1 < rows ? set(v.c, plus(get(v.c), get(v.cRow))) : [],
  ];
  const storeAll = (adds: boolean): Code => pointers.map((_, row) => store(row, adds));
  fn.body = [
    loop(
      set(pointers[0], get(v.a)),
      pointers.slice(1).map((pointer, i) => set(pointer, plus(get(pointers[i]), get(v.aRow)))),
      set(v.q, get(v.b)),
      set(v.step, get(v.steps)),
      loop(
        columns.map((column, j) => set(column, v128.load(get(v.q), 16 * j))),
        pointers.map((pointer, i) => [
          set(v.value, v128.load32_splat(get(pointer), 0)),
          columns.map((column, j) => add(sums[i * vectors + j], column)),
          set(pointer, plus(get(pointer), get(v.aStep))),
        ]),
        set(v.q, plus(get(v.q), get(v.bStep))),
        br_if(0, tee(v.step, i32.sub(get(v.step), i32.const(1)))),
      ),
      set(v.a, plus(get(v.a), get(v.aOuter))),
      set(v.b, plus(get(v.b), get(v.bOuter))),
      br_if(0, tee(v.outers, i32.sub(get(v.outers), i32.const(1)))),
    ),
    iff(get(v.stores), storeAll(false), storeAll(true)),
  ];
  return fn;
}

function multiplyFunction(inner: readonly (readonly number[])[]): FunctionBuilder {
  const names = ["plan", "a", "b", "c", "images"] as const;
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const), exportName: "multiply" });
  const v = locals(fn, names, {
    column: "i32",
    line: "i32",
    left: "i32", // rows of the line to do
    rows: "i32", // of this group
    groups: "i32",
    bPanel: "i32",
    aLine: "i32",
    bLine: "i32",
    cLine: "i32",
    aAt: "i32",
    cAt: "i32",
    image: "i32",
    wide: "i32",
  });
  const field = (name: (typeof fields)[number]): Code => i32.load(get(v.plan), 4 * fields.indexOf(name));
  const run = (index: number): Code =>
    call(
      index,
      get(v.aAt),
      field("aRow"),
      field("aOuter"),
      field("aStep"),
      get(v.bLine),
      field("bOuter"),
      field("bStep"),
      get(v.cAt),
      field("cRow"),
      field("stores"),
      field("outers"),
      field("steps"),
    );
  /** The kernel of this many rows: tried from the most to the fewest. */
  const choose = (of: readonly number[]): Code =>
    of
      .map((index, r) => [r + 1, index] as const)
      .reduce<Code>(
        (otherwise, [r, index]) => iff(i32.eq(get(v.rows), i32.const(r)), run(index), otherwise),
        [],
      );
  const divideUp = (value: Code, by: number): Code =>
    i32.div_u(plus(value, i32.const(by - 1)), i32.const(by));
  const groups: Code = [
    set(v.aAt, get(v.aLine)),
    set(v.cAt, get(v.cLine)),
    set(v.left, field("m")),
    block(
      loop(
        br_if(1, i32.eqz(get(v.left))),
        set(v.groups, divideUp(get(v.left), mostRows)),
        // as even as can be: 8 rows are 4 and 4
        set(v.rows, i32.div_u(plus(get(v.left), i32.sub(get(v.groups), i32.const(1))), get(v.groups))),
        iff(get(v.wide), choose(inner[1]), choose(inner[0])),
        set(v.left, i32.sub(get(v.left), get(v.rows))),
        set(v.aAt, plus(get(v.aAt), times(get(v.rows), field("aRow")))),
        set(v.cAt, plus(get(v.cAt), times(get(v.rows), field("cRow")))),
        br(0),
      ),
    ),
  ];
  const panel: Code = [
    set(v.wide, i32.gt_u(i32.sub(field("n"), get(v.column)), i32.const(4))),
    set(v.aLine, get(v.a)),
    set(v.bLine, get(v.bPanel)),
    set(v.cLine, plus(get(v.c), i32.shl(get(v.column), i32.const(2)))),
    each(
      v.line,
      { below: field("lines") },
      groups,
      set(v.aLine, plus(get(v.aLine), field("aLine"))),
      set(v.bLine, plus(get(v.bLine), field("bLine"))),
      set(v.cLine, plus(get(v.cLine), field("cLine"))),
    ),
    set(v.bPanel, plus(get(v.bPanel), field("bPanel"))),
  ];
  fn.body = each(
    v.image,
    { below: get(v.images) },
    set(v.bPanel, get(v.b)),
    each(v.column, { below: field("n"), step: panelColumns }, panel),
    set(v.a, plus(get(v.a), field("aImage"))),
    set(v.b, plus(get(v.b), field("bImage"))),
    set(v.c, plus(get(v.c), field("cImage"))),
  );
  return fn;
}

function packFunction(): FunctionBuilder {
  const names = ["w", "column", "step", "k", "n", "to", "pitch"] as const;
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const), exportName: "pack" });
  const v = locals(fn, names, { j: "i32", i: "i32", at: "i32", lane: "i32", out: "i32", rows: "i32" });
  const rows = [0, 1, 2, 3].map(() => fn.local("v128"));
  const halves = [0, 1, 2, 3].map(() => fn.local("v128"));
  const words = (...lanes: number[]) => lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte));
  const mix = (a: number, b: number, ...lanes: number[]): Code =>
    i8x16.shuffle(get(a), get(b), words(...lanes));
  const low = (a: number, b: number) => mix(a, b, 0, 4, 1, 5);
  const high = (a: number, b: number) => mix(a, b, 2, 6, 3, 7);
  const first = (a: number, b: number) => mix(a, b, 0, 1, 4, 5);
  const second = (a: number, b: number) => mix(a, b, 2, 3, 6, 7);
  const place = (column: Code): Code => plus(get(v.at), times(column, get(v.column)));
  /** Four steps of columns 4 half … 4 half + 3, whose steps are neighbours. */
  const transposed = (half: number): Code => [
    rows.map((row, k) => set(row, v128.load(place(i32.const(4 * half + k)), 0))),
    set(halves[0], low(rows[0], rows[1])),
    set(halves[1], high(rows[0], rows[1])),
    set(halves[2], low(rows[2], rows[3])),
    set(halves[3], high(rows[2], rows[3])),
    v128.store(get(v.out), 16 * half, first(halves[0], halves[2])),
    v128.store(get(v.out), 32 + 16 * half, second(halves[0], halves[2])),
    v128.store(get(v.out), 64 + 16 * half, first(halves[1], halves[3])),
    v128.store(get(v.out), 96 + 16 * half, second(halves[1], halves[3])),
  ];
  const one: Code = each(
    v.lane,
    { below: i32.const(panelColumns) },
    f32.store(
      plus(get(v.out), i32.shl(get(v.lane), i32.const(2))),
      0,
      [plus(get(v.at), times(least(get(v.lane), i32.sub(get(v.rows), i32.const(1))), get(v.column)))].map(
        (address) => f32.load(address, 0),
      ),
    ),
    iff(
      i32.ge_u(get(v.lane), get(v.rows)),
      f32.store(plus(get(v.out), i32.shl(get(v.lane), i32.const(2))), 0, f32.const(0)),
    ),
  );
  const advance = (steps: number): Code => [
    set(v.out, plus(get(v.out), i32.const(4 * panelColumns * steps))),
    set(v.at, plus(get(v.at), times(get(v.step), i32.const(steps)))),
  ];
  const full = i32.eq(get(v.rows), i32.const(panelColumns));
  const isNeighbouring = i32.eq(get(v.column), i32.const(4));
  fn.body = [
    each(
      v.j,
      { below: get(v.n), step: panelColumns },
      set(v.out, get(v.to)),
      set(v.to, plus(get(v.to), get(v.pitch))),
      set(v.rows, least(i32.sub(get(v.n), get(v.j)), i32.const(panelColumns))),
      set(v.at, plus(get(v.w), times(get(v.j), get(v.column)))),
      set(v.i, i32.const(0)),
      iff(
        i32.and(full, i32.eq(get(v.step), i32.const(4))),
        each(
          v.i,
          { below: i32.and(get(v.k), i32.const(-4)), step: 4 },
          transposed(0),
          transposed(1),
          advance(4),
        ),
        iff(
          i32.and(full, isNeighbouring),
          each(
            v.i,
            { below: get(v.k) },
            v128.store(get(v.out), 0, v128.load(get(v.at), 0)),
            v128.store(get(v.out), 16, v128.load(get(v.at), 16)),
            advance(1),
          ),
        ),
      ),
      each(v.i, { from: get(v.i), below: get(v.k) }, one, advance(1)),
    ),
  ];
  return fn;
}
