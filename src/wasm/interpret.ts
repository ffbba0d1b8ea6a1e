/**
 * The oracle: evaluates a graph one lane at a time, in plain JavaScript.
 *
 * Slow and readable. Each operation has the meaning of its WebAssembly instruction, so machine code
 * must give the same bits. Knows nothing of how the graph was made.
 */
import { philox } from "../math/random.ts";
import type { Node, Precision } from "./node.ts";

/** real: number. mask: boolean. bits: bigint, signed. words: four 32-bit numbers. */
export type Value = number | boolean | bigint | Uint32Array;

const scratch = new DataView(new ArrayBuffer(8));

function toBits(x: number, precision: Precision): bigint {
  if (precision === "float64") {
    scratch.setFloat64(0, x);
    return scratch.getBigInt64(0);
  }
  scratch.setFloat32(0, x);
  return BigInt(scratch.getInt32(0));
}

function fromBits(bits: bigint, precision: Precision): number {
  if (precision === "float64") {
    scratch.setBigInt64(0, bits);
    return scratch.getFloat64(0);
  }
  scratch.setInt32(0, Number(bits));
  return scratch.getFloat32(0);
}

/** Rounds to the nearest integer, ties to even. */
export function nearestEven(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x;
  const floor = Math.floor(x);
  const rest = x - floor;
  const rounded = rest < 0.5 ? floor : rest > 0.5 ? floor + 1 : floor % 2 === 0 ? floor : floor + 1;
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded;
}

/** One operation on one lane. `philox`, `join`, `call` and `input` are `interpret`'s. */
export function evaluate(node: Node, args: readonly Value[], precision: Precision): Value {
  const width = precision === "float64" ? 64 : 32;
  const round = precision === "float64" ? (x: number) => x : Math.fround;
  const [a, b, c] = args as number[];
  const [p, q] = args as bigint[];
  const wrap = (x: bigint) => BigInt.asIntN(width, x);
  const shift = BigInt((node.amount ?? 0) % width);
  switch (node.op) {
    case "add":
      return round(a + b);
    case "sub":
      return round(a - b);
    case "mul":
      return round(a * b);
    case "div":
      return round(a / b);
    case "min":
      return b < a ? b : a;
    case "max":
      return a < b ? b : a;
    case "neg":
      return -a;
    case "abs":
      return Math.abs(a);
    case "sqrt":
      return round(Math.sqrt(a));
    case "floor":
      return Math.floor(a);
    case "ceil":
      return Math.ceil(a);
    case "trunc":
      return Math.trunc(a);
    case "nearest":
      return nearestEven(a);
    case "lt":
      return a < b;
    case "le":
      return a <= b;
    case "gt":
      return a > b;
    case "ge":
      return a >= b;
    case "eq":
      return a === b;
    case "ne":
      return a !== b;
    case "and":
      return Boolean(args[0]) && Boolean(args[1]);
    case "or":
      return Boolean(args[0]) || Boolean(args[1]);
    case "not":
      return !args[0];
    case "select":
      return args[0] ? b : c;
    case "toBits":
      return toBits(a, precision);
    case "fromBits":
      return fromBits(p, precision);
    case "toInteger":
      return Number.isNaN(a) ? 0n : BigInt(Math.trunc(Math.min(2147483647, Math.max(-2147483648, a))));
    case "fromInteger":
      return round(Number(p));
    case "gts":
      return p > q;
    case "maskBits":
      return args[0] ? -1n : 0n;
    case "iadd":
      return wrap(p + q);
    case "isub":
      return wrap(p - q);
    case "imul":
      return wrap(p * q);
    case "iand":
      return p & q;
    case "ior":
      return p | q;
    case "ixor":
      return p ^ q;
    case "shl":
      return wrap(p << shift);
    case "shru":
      return wrap(BigInt.asUintN(width, p) >> shift);
    case "shrs":
      return p >> shift;
    default:
      throw new Error(`${node.op} cannot be evaluated alone`);
  }
}

export interface Inputs {
  /** The value of an input on the lane at hand; for type words: the four words of this lane's block. */
  readonly [name: string]: Value;
}

/** Scalar functions with loops, by the name a `call` node uses. */
export type Calls = Readonly<Record<string, (...args: number[]) => number>>;

/**
 * Values of `outputs` on one lane. Words are per lane here: an input of type words is a number, the
 * counter of this lane's block, `philox` gives one word of that block, and `join` puts two words
 * together whatever its half.
 */
export function interpret(
  outputs: readonly Node[],
  inputs: Inputs,
  precision: Precision,
  calls: Calls = {},
): Value[] {
  const done = new Map<Node, Value>();
  const out = new Uint32Array(4);
  const number = (value: Value) => Number(BigInt.asUintN(32, BigInt(value as bigint | number)));
  const visit = (node: Node): Value => {
    const known = done.get(node);
    if (known !== undefined) return known;
    let value: Value;
    const args = node.args.map(visit);
    if (node.op === "constant") value = node.value as number;
    else if (node.op === "bitsConstant") value = node.bits as bigint;
    else if (node.op === "input") {
      value = inputs[node.name as string];
      if (value === undefined) throw new Error(`input ${node.name} has no value`);
    } else if (node.op === "philox") {
      const [c0, c1, c2, c3, k0, k1] = args.map(number);
      philox(c0, c1, c2, c3, k0, k1, out);
      value = BigInt.asIntN(32, BigInt(out[node.word as number]));
    } else if (node.op === "join") {
      value = BigInt.asIntN(64, (BigInt(number(args[0])) << 32n) | BigInt(number(args[1])));
    } else if (node.op === "call") {
      value = calls[node.name as string](...(args as number[]));
      if (precision === "float32") value = Math.fround(value);
    } else value = evaluate(node, args, precision);
    done.set(node, value);
    return value;
  };
  return outputs.map(visit);
}
