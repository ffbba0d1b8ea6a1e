/**
 * A matrix and a vector in WebAssembly: what training on single examples is made of.
 *
 * W is row-major, [rows][columns], each row beginning at a multiple of 16 bytes: `stride` bytes from one to the next.
 * What lies between `columns` and the next multiple of four must be 0. Sums over columns go four lanes side by side, in
 * four accumulators, and are joined pairwise at the end: the same order on every machine.
 */
import {
  type Code,
  FunctionBuilder,
  f32,
  f32x4,
  get,
  i32,
  type ModuleBuilder,
  set,
  v128,
} from "../wasm/assembler.ts";
import { each, locals } from "./loops.ts";

/** Numbers of a row with the zeros that fill its last vector. */
export const paddedColumns = (columns: number): number => Math.ceil(columns / 4) * 4;

const lanes = [0, 1, 2, 3] as const;

/** The four lanes of a vector, added pairwise. */
const across = (vector: number): Code => {
  const lane = (k: number) => f32x4.extract_lane(get(vector), k);
  return f32.add(f32.add(lane(0), lane(1)), f32.add(lane(2), lane(3)));
};

/** matvec(w, stride, x, y, rows, columns): y += W x. */
function matvecFunction(): FunctionBuilder {
  const names = ["w", "stride", "x", "y", "rows", "columns"] as const;
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const), exportName: "matvec" });
  const v = locals(fn, names, { row: "i32", c: "i32", at: "i32", end: "i32" });
  const sums = lanes.map(() => fn.local("v128"));
  const byte = (base: number) => i32.add(get(base), get(v.c));
  const term = (k: number): Code =>
    set(
      sums[k],
      f32x4.add(get(sums[k]), f32x4.mul(v128.load(byte(v.w), 16 * k), v128.load(byte(v.x), 16 * k))),
    );
  fn.body = [
    set(v.end, i32.and(i32.shl(get(v.columns), i32.const(2)), i32.const(-64))),
    each(
      v.row,
      { below: get(v.rows) },
      lanes.map((k) => set(sums[k], v128.const(0, 0, 0, 0))),
      each(v.c, { below: get(v.end), step: 64 }, lanes.map(term)),
      each(v.c, { from: get(v.end), below: i32.shl(get(v.columns), i32.const(2)), step: 16 }, term(0)),
      set(sums[0], f32x4.add(f32x4.add(get(sums[0]), get(sums[1])), f32x4.add(get(sums[2]), get(sums[3])))),
      set(v.at, i32.add(get(v.y), i32.shl(get(v.row), i32.const(2)))),
      f32.store(get(v.at), 0, f32.add(f32.load(get(v.at), 0), across(sums[0]))),
      set(v.w, i32.add(get(v.w), get(v.stride))),
    ),
  ];
  return fn;
}

/** vecmat(w, stride, d, y, rows, columns): y += d W, row by row. */
function vecmatFunction(): FunctionBuilder {
  const names = ["w", "stride", "d", "y", "rows", "columns"] as const;
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const), exportName: "vecmat" });
  const v = locals(fn, names, { row: "i32", c: "i32", factor: "v128" });
  const byte = (base: number) => i32.add(get(base), get(v.c));
  fn.body = each(
    v.row,
    { below: get(v.rows) },
    set(v.factor, v128.load32_splat(i32.add(get(v.d), i32.shl(get(v.row), i32.const(2))), 0)),
    each(
      v.c,
      { below: i32.shl(get(v.columns), i32.const(2)), step: 16 },
      v128.store(
        byte(v.y),
        0,
        f32x4.add(v128.load(byte(v.y), 0), f32x4.mul(get(v.factor), v128.load(byte(v.w), 0))),
      ),
    ),
    set(v.w, i32.add(get(v.w), get(v.stride))),
  );
  return fn;
}

/** outer(w, stride, d, x, rows, columns, factor): W += factor d x^T; rows whose d is 0 stay. */
function outerFunction(): FunctionBuilder {
  const names = ["w", "stride", "d", "x", "rows", "columns"] as const;
  const fn = new FunctionBuilder({
    parameters: [...names.map(() => "i32" as const), "f32"],
    exportName: "outer",
  });
  const v = locals(fn, [...names, "factor"], { row: "i32", c: "i32", step: "v128" });
  const byte = (base: number) => i32.add(get(base), get(v.c));
  const d = f32.load(i32.add(get(v.d), i32.shl(get(v.row), i32.const(2))), 0);
  fn.body = each(
    v.row,
    { below: get(v.rows) },
    set(v.step, f32x4.splat(f32.mul(get(v.factor), d))),
    each(
      v.c,
      { below: i32.shl(get(v.columns), i32.const(2)), step: 16 },
      v128.store(
        byte(v.w),
        0,
        f32x4.add(v128.load(byte(v.w), 0), f32x4.mul(get(v.step), v128.load(byte(v.x), 0))),
      ),
    ),
    set(v.w, i32.add(get(v.w), get(v.stride))),
  );
  return fn;
}

/** Adds and exports `matvec`, `vecmat` and `outer`. */
export function addMatvec(module: ModuleBuilder): void {
  for (const fn of [matvecFunction(), vecmatFunction(), outerFunction()]) module.add(fn);
}
