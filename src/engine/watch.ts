/**
 * Looks through arrays for what is not a number: a run stops soon after its numbers do.
 */
import {
  block,
  br_if,
  FunctionBuilder,
  f32x4,
  f64x2,
  get,
  i32,
  loop,
  set,
  tee,
  v128,
} from "../wasm/assembler.ts";
import type { Precision } from "../wasm/graph.ts";

/** Bytes looked at in one step; what remains of an array is for the caller to look at. */
export const watchBytes = 64;

/**
 * watch(address, end) -> 0 when all reals in [address, end) are finite. Both are multiples of 16 bytes and a whole
 * number of `watchBytes` apart. x - x is 0 for a number and NaN for NaN and the infinities.
 */
export function emitWatch(precision: Precision): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32", "i32"], result: "i32", exportName: "watch" });
  const [address, end] = [0, 1];
  const ops = precision === "float64" ? f64x2 : f32x4;
  const sums = [0, 16, 32, 48].map((offset) => ({ offset, local: fn.local("v128") }));
  const x = fn.local("v128");
  const total = ops.add(
    ops.add(get(sums[0].local), get(sums[1].local)),
    ops.add(get(sums[2].local), get(sums[3].local)),
  );
  fn.body = [
    block(
      br_if(0, i32.ge_u(get(address), get(end))),
      loop(
        sums.map(({ offset, local }) => [
          set(x, v128.load(get(address), offset)),
          set(local, ops.add(get(local), ops.sub(get(x), get(x)))),
        ]),
        br_if(0, i32.lt_u(tee(address, i32.add(get(address), i32.const(watchBytes))), get(end))),
      ),
    ),
    v128.any_true(ops.ne(total, total)),
  ];
  return fn;
}
