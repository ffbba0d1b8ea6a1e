/**
 * A matrix and a vector in WebAssembly: what training on single examples is made of.
 *
 * W is row-major, [rows][columns], each row beginning at a multiple of 16 bytes: `stride` bytes from one to the next.
 * What lies between `columns` and the next multiple of four must be 0. Many vectors are mostly 0, as pixels are: `active`
 * lists the groups of four that are not, and products look at these alone. Sums over columns go four lanes side by side, in
 * four accumulators by place in the list, and are joined pairwise at the end: the same order on every machine.
 */
import {
  type Code,
  FunctionBuilder,
  f32,
  f32x4,
  get,
  i32,
  iff,
  type ModuleBuilder,
  set,
  v128,
} from "../wasm/assembler.ts";
import { each, locals } from "./loops.ts";

/** Numbers of a row with the zeros that fill its last group. */
export const paddedColumns = (columns: number): number => Math.ceil(columns / 4) * 4;

const lanes = [0, 1, 2, 3] as const;
const plus = (a: Code, b: Code): Code => i32.add(a, b);
const words = (count: Code): Code => i32.shl(count, i32.const(2));

/** The four lanes of a vector, added pairwise. */
const across = (vector: number): Code => {
  const lane = (k: number) => f32x4.extract_lane(get(vector), k);
  return f32.add(f32.add(lane(0), lane(1)), f32.add(lane(2), lane(3)));
};

/** active(x, columns, list) -> count: byte offsets, u32, of the groups of four numbers that are not all 0. */
function activeFunction(): FunctionBuilder {
  const names = ["x", "columns", "list"] as const;
  const fn = new FunctionBuilder({
    parameters: names.map(() => "i32" as const),
    result: "i32",
    exportName: "active",
  });
  const v = locals(fn, names, { c: "i32", to: "i32" });
  const group = v128.load(plus(get(v.x), get(v.c)), 0);
  fn.body = [
    set(v.to, get(v.list)),
    each(
      v.c,
      { below: words(get(v.columns)), step: 16 },
      iff(v128.any_true(f32x4.ne(group, v128.const(0, 0, 0, 0))), [
        i32.store(get(v.to), 0, get(v.c)),
        set(v.to, plus(get(v.to), i32.const(4))),
      ]),
    ),
    i32.shr_u(i32.sub(get(v.to), get(v.list)), i32.const(2)),
  ];
  return fn;
}

/** matvec(w, stride, x, y, rows, list, count): y += W x over the groups listed. */
function matvecFunction(): FunctionBuilder {
  const names = ["w", "stride", "x", "y", "rows", "list", "count"] as const;
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const), exportName: "matvec" });
  const v = locals(fn, names, { row: "i32", at: "i32", group: "i32", whole: "i32", end: "i32" });
  const sums = lanes.map(() => fn.local("v128"));
  const term = (k: number): Code => [
    set(v.group, i32.load(get(v.at), 4 * k)),
    set(
      sums[k],
      f32x4.add(
        get(sums[k]),
        f32x4.mul(v128.load(plus(get(v.w), get(v.group)), 0), v128.load(plus(get(v.x), get(v.group)), 0)),
      ),
    ),
  ];
  fn.body = [
    set(v.end, plus(get(v.list), words(get(v.count)))),
    set(v.whole, plus(get(v.list), words(i32.and(get(v.count), i32.const(-4))))),
    each(
      v.row,
      { below: get(v.rows) },
      lanes.map((k) => set(sums[k], v128.const(0, 0, 0, 0))),
      each(v.at, { from: get(v.list), below: get(v.whole), step: 16 }, lanes.map(term)),
      each(v.at, { from: get(v.whole), below: get(v.end), step: 4 }, term(0)),
      set(sums[0], f32x4.add(f32x4.add(get(sums[0]), get(sums[1])), f32x4.add(get(sums[2]), get(sums[3])))),
      f32.store(get(v.y), 0, f32.add(f32.load(get(v.y), 0), across(sums[0]))),
      set(v.y, plus(get(v.y), i32.const(4))),
      set(v.w, plus(get(v.w), get(v.stride))),
    ),
  ];
  return fn;
}

/** vecmat(w, stride, d, y, rows, columns): y += d W, row by row. */
function vecmatFunction(): FunctionBuilder {
  const names = ["w", "stride", "d", "y", "rows", "columns"] as const;
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const), exportName: "vecmat" });
  const v = locals(fn, names, { row: "i32", c: "i32", factor: "v128" });
  const byte = (base: number) => plus(get(base), get(v.c));
  fn.body = each(
    v.row,
    { below: get(v.rows) },
    set(v.factor, v128.load32_splat(get(v.d), 0)),
    each(
      v.c,
      { below: words(get(v.columns)), step: 16 },
      v128.store(
        byte(v.y),
        0,
        f32x4.add(v128.load(byte(v.y), 0), f32x4.mul(get(v.factor), v128.load(byte(v.w), 0))),
      ),
    ),
    set(v.d, plus(get(v.d), i32.const(4))),
    set(v.w, plus(get(v.w), get(v.stride))),
  );
  return fn;
}

/**
 * outer(w, stride, d, x, rows, list, count, factor): W += (factor d) x^T over the groups listed; and
 * accumulate(…, factor, threshold, found) -> number: the same, and the byte offsets, u32, of the groups of W listed that
 * then hold a number of at least `threshold` in size.
 */
function outerFunction(finds: boolean): FunctionBuilder {
  const names = ["w", "stride", "d", "x", "rows", "list", "count", "factor", "threshold", "found"] as const;
  const types = names.map((name) => (name === "factor" || name === "threshold" ? "f32" : "i32"));
  const fn = new FunctionBuilder({
    parameters: finds ? types : types.slice(0, 8),
    result: finds ? "i32" : undefined,
    exportName: finds ? "accumulate" : "outer",
  });
  const v = locals(fn, finds ? names : names.slice(0, 8), {
    end: "i32",
    row: "i32",
    at: "i32",
    group: "i32",
    place: "i32",
    base: "i32", // of W
    to: "i32",
    step: "v128",
    sum: "v128",
    least: "v128",
    any: "v128",
  });
  const reaches = (value: Code): Code => f32x4.ge(f32x4.abs(value), get(v.least));
  const groups = (...body: Code[]): Code =>
    each(v.at, { from: get(v.list), below: get(v.end), step: 4 }, body);
  const placeOfGroup = plus(get(v.w), i32.load(get(v.at), 0));
  const find = iff(
    v128.any_true(get(v.any)),
    groups(
      set(v.place, placeOfGroup),
      iff(v128.any_true(reaches(v128.load(get(v.place), 0))), [
        i32.store(get(v.to), 0, i32.sub(get(v.place), get(v.base))),
        set(v.to, plus(get(v.to), i32.const(4))),
      ]),
    ),
  );
  fn.body = [
    set(v.end, plus(get(v.list), words(get(v.count)))),
    finds
      ? [set(v.base, get(v.w)), set(v.to, get(v.found)), set(v.least, f32x4.splat(get(v.threshold)))]
      : [],
    each(
      v.row,
      { below: get(v.rows) },
      set(v.step, f32x4.splat(f32.mul(get(v.factor), f32.load(get(v.d), 0)))),
      finds ? set(v.any, v128.const(0, 0, 0, 0)) : [],
      groups(
        set(v.group, i32.load(get(v.at), 0)),
        set(v.place, plus(get(v.w), get(v.group))),
        set(
          v.sum,
          f32x4.add(
            v128.load(get(v.place), 0),
            f32x4.mul(get(v.step), v128.load(plus(get(v.x), get(v.group)), 0)),
          ),
        ),
        v128.store(get(v.place), 0, get(v.sum)),
        finds ? set(v.any, v128.or(get(v.any), reaches(get(v.sum)))) : [],
      ),
      finds ? find : [],
      set(v.d, plus(get(v.d), i32.const(4))),
      set(v.w, plus(get(v.w), get(v.stride))),
    ),
    finds ? i32.shr_u(i32.sub(get(v.to), get(v.found)), i32.const(2)) : [],
  ];
  return fn;
}

/** Adds and exports `active`, `matvec`, `vecmat`, `outer` and `accumulate`. */
export function addMatvec(module: ModuleBuilder): void {
  for (const fn of [
    activeFunction(),
    matvecFunction(),
    vecmatFunction(),
    outerFunction(false),
    outerFunction(true),
  ])
    module.add(fn);
}
