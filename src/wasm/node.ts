/**
 * Nodes of the typed graph: what operations there are and what type each lane has.
 *
 * Plain data. graph.ts builds nodes, interpret.ts evaluates them, emit.ts makes machine code of them.
 */

export type Precision = "float64" | "float32";

/**
 * real: a float64 or float32 lane. mask: all ones or all zeros. bits: the lane as an integer (i64 or i32).
 * words: four 32-bit random words side by side, in either precision (in float32 the same as bits).
 */
export type Type = "real" | "mask" | "bits" | "words";

export const realBinary = ["add", "sub", "mul", "div", "min", "max"] as const;
export const realUnary = ["neg", "abs", "sqrt", "floor", "ceil", "trunc", "nearest"] as const;
export const compare = ["lt", "le", "gt", "ge", "eq", "ne"] as const;
export const bitsBinary = ["iadd", "isub", "iand", "ior", "ixor", "imul"] as const;
export const bitsShift = ["shl", "shru", "shrs"] as const;

export type Operation =
  | (typeof realBinary)[number] // min(a, b) = b < a ? b : a; max(a, b) = a < b ? b : a (pmin, pmax)
  | (typeof realUnary)[number] // nearest: ties to even
  | (typeof compare)[number]
  | (typeof bitsBinary)[number] // imul: float32 lanes only
  | (typeof bitsShift)[number] // by `amount`
  | "constant" // real, `value`
  | "bitsConstant" // bits, `bits`
  | "input" // `name`
  | "and"
  | "or"
  | "not" // masks
  | "select" // [mask, a, b]
  | "toBits" // real -> bits, reinterpreted
  | "fromBits" // bits -> real, reinterpreted
  | "toInteger" // float32 only: real -> bits, truncated and saturated (i32x4.trunc_sat_f32x4_s)
  | "fromInteger" // float32 only: bits -> real (f32x4.convert_i32x4_s)
  | "gts" // float32 only: bits > bits, signed -> mask
  | "maskBits" // mask -> bits: -1 or 0
  | "philox" // [c0, c1, c2, c3, k0, k1] words -> `word` number 0..3 of Philox4x32-10, words
  | "join" // [high, low] words -> bits: float64 lane from lanes 2*half and 2*half+1 of the words
  | "call"; // real function of reals, `name`, one lane at a time (functions with loops)

export interface Node {
  readonly id: number;
  readonly op: Operation;
  readonly type: Type;
  readonly args: readonly Node[];
  readonly value?: number;
  readonly bits?: bigint; // signed
  readonly amount?: number;
  readonly name?: string;
  readonly word?: number;
  readonly half?: number;
}
