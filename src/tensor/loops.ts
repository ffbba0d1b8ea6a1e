/** Loops as kernels write them. */
import {
  block,
  br,
  br_if,
  type Code,
  type FunctionBuilder,
  get,
  i32,
  loop,
  select,
  set,
} from "../wasm/assembler.ts";

/** for (variable = from; variable < limit; variable += step) body, all unsigned; no round when from >= limit. */
export function each(
  variable: number,
  range: { readonly from?: Code; readonly below: Code; readonly step?: number },
  ...body: Code[]
): Code {
  return [
    set(variable, range.from ?? i32.const(0)),
    block(
      loop(
        br_if(1, i32.ge_u(get(variable), range.below)),
        body,
        set(variable, i32.add(get(variable), i32.const(range.step ?? 1))),
        br(0),
      ),
    ),
  ];
}

/** Locals of a function by name, after its parameters by name. */
export function locals<const P extends string, const L extends string>(
  fn: FunctionBuilder,
  parameters: readonly P[],
  names: Readonly<Record<L, "i32" | "f32" | "v128">>,
): Record<P | L, number> {
  const places = new Map<string, number>();
  parameters.forEach((name, k) => {
    places.set(name, k);
  });
  for (const [name, type] of Object.entries<"i32" | "f32" | "v128">(names)) places.set(name, fn.local(type));
  return Object.fromEntries(places) as Record<P | L, number>;
}

/** The smaller of two unsigned numbers. */
export const least = (a: Code, b: Code): Code => select(a, b, i32.lt_u(a, b));
