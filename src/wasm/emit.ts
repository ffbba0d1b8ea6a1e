/**
 * Machine code for graphs: every node becomes its SIMD instruction.
 *
 * A node used more than once lives in a local; constants are splat into locals once, before any loop
 * (V8 does not hoist them). Scalar work uses lane 0 of the same instructions, so a value never depends
 * on the width at which it was computed. Knows nothing of memory layout: inputs are code given by the
 * caller.
 */
import {
  type Code,
  call,
  type FunctionBuilder,
  f32,
  f32x4,
  f64,
  f64x2,
  get,
  i8x16,
  i32,
  i32x4,
  i64,
  i64x2,
  set,
  v128,
} from "./assembler.ts";
import type { Node, Precision } from "./graph.ts";

/** Bytes of one real. */
export const realBytes = (precision: Precision): number => (precision === "float64" ? 8 : 4);
/** Lanes of one vector. */
export const laneCount = (precision: Precision): number => (precision === "float64" ? 2 : 4);

/** Constants and other loop invariants of a function, computed once at its head. */
export class Prologue {
  readonly #fn: FunctionBuilder;
  readonly #known = new Map<string, number>();
  readonly #code: Code[] = [];

  constructor(fn: FunctionBuilder) {
    this.#fn = fn;
  }

  /** Reads a v128 that is computed once; equal keys share it. */
  vector(key: string, value: Code): Code {
    let index = this.#known.get(key);
    if (index === undefined) {
      index = this.#fn.local("v128");
      this.#known.set(key, index);
      this.#code.push(set(index, value));
    }
    return get(index);
  }

  real(value: number, precision: Precision): Code {
    const key = Object.is(value, -0) ? "-0" : String(value);
    return precision === "float64"
      ? this.vector(`real ${key}`, f64x2.splat(f64.const(value)))
      : this.vector(`real ${key}`, f32x4.splat(f32.const(value)));
  }

  words(value: number): Code {
    return this.vector(`words ${value | 0}`, i32x4.splat(i32.const(value)));
  }

  get code(): Code {
    return this.#code;
  }
}

const real = (precision: Precision) => (precision === "float64" ? f64x2 : f32x4);

const direct: Partial<Record<Node["op"], keyof typeof f64x2 & keyof typeof f32x4>> = {
  add: "add",
  sub: "sub",
  mul: "mul",
  div: "div",
  min: "pmin",
  max: "pmax",
  neg: "neg",
  abs: "abs",
  sqrt: "sqrt",
  floor: "floor",
  ceil: "ceil",
  trunc: "trunc",
  nearest: "nearest",
  lt: "lt",
  le: "le",
  gt: "gt",
  ge: "ge",
  eq: "eq",
  ne: "ne",
};

const isZero = (node: Node): boolean => node.op === "constant" && Object.is(node.value, 0);

const bitsOperation = {
  iadd: "add",
  isub: "sub",
  imul: "mul",
  shl: "shl",
  shru: "shr_u",
  shrs: "shr_s",
} as const;

export interface EmitterOptions {
  readonly fn: FunctionBuilder;
  readonly prologue: Prologue;
  readonly precision: Precision;
  /** Code that pushes the value of an input node. Read once per `Emitter`. */
  readonly input: (node: Node) => Code;
  /** Function index of a `call` node's name: takes and returns f64. */
  readonly calls?: (name: string) => number;
  /** Lanes that carry elements: `call` is made for these only. Default all. */
  readonly activeLanes?: number;
}

/** Emits nodes of one straight stretch of code. A node defined once is read from then on. */
export class Emitter {
  readonly #options: EmitterOptions;
  readonly #locals = new Map<Node, number>();
  readonly #philox = new Map<string, readonly number[]>();

  constructor(options: EmitterOptions) {
    this.#options = options;
  }

  /** An emitter for a branch: it knows what is defined here, what it defines stays its own. */
  fork(change: Partial<Pick<EmitterOptions, "input" | "activeLanes">> = {}): Emitter {
    const child = new Emitter({ ...this.#options, ...change });
    for (const [node, index] of this.#locals) child.#locals.set(node, index);
    for (const [key, words] of this.#philox) child.#philox.set(key, words);
    return child;
  }

  /** Code that computes `roots` and what they share; afterwards `value` reads them without computing. */
  define(roots: readonly Node[]): Code {
    const uses = new Map<Node, number>();
    const order: Node[] = [];
    const visit = (node: Node) => {
      const count = uses.get(node);
      uses.set(node, (count ?? 0) + 1);
      if (count !== undefined || this.#locals.has(node)) return;
      for (const arg of node.args) visit(arg);
      order.push(node);
    };
    for (const root of roots) visit(root);
    const kept = new Set(roots);
    const code: Code[] = [];
    for (const node of order) {
      if (node.op === "constant" || node.op === "bitsConstant") continue;
      const shared = (uses.get(node) as number) > 1 || kept.has(node);
      if (!shared && node.op !== "input" && node.op !== "philox") continue;
      code.push(this.#store(node));
    }
    return code;
  }

  #store(node: Node): Code {
    if (node.op === "philox") return this.#definePhilox(node);
    const value = this.#compute(node);
    const index = this.#options.fn.local("v128");
    this.#locals.set(node, index);
    return set(index, value);
  }

  /** Code that pushes a node: from its local, or computed here. */
  value(node: Node): Code {
    const index = this.#locals.get(node);
    if (index !== undefined) return get(index);
    return this.#compute(node);
  }

  #compute(node: Node): Code {
    const { precision, prologue } = this.#options;
    const arg = (k: number) => this.value(node.args[k]);
    const wide = precision === "float64";
    const simple = direct[node.op];
    if (simple)
      return (real(precision)[simple] as (...a: Code[]) => Code)(...node.args.map((_, k) => arg(k)));
    switch (node.op) {
      case "constant":
        return prologue.real(node.value as number, precision);
      case "bitsConstant":
        return wide
          ? prologue.vector(`bits ${node.bits}`, i64x2.splat(i64.const(node.bits as bigint)))
          : prologue.words(Number(node.bits));
      case "input":
        return this.#options.input(node);
      case "and":
      case "iand":
        return v128.and(arg(0), arg(1));
      case "or":
      case "ior":
        return v128.or(arg(0), arg(1));
      case "not":
        return v128.not(arg(0));
      case "ixor":
        return v128.xor(arg(0), arg(1));
      case "select":
        // with a zero one instruction does what bitselect needs three for
        if (isZero(node.args[2])) return v128.and(arg(1), arg(0));
        if (isZero(node.args[1])) return v128.andnot(arg(2), arg(0));
        return v128.bitselect(arg(1), arg(2), arg(0));
      case "iadd":
      case "isub":
      case "imul": {
        const name = bitsOperation[node.op];
        return wide ? i64x2[name](arg(0), arg(1)) : i32x4[name](arg(0), arg(1));
      }
      case "shl":
      case "shru":
      case "shrs": {
        const name = bitsOperation[node.op];
        const amount = i32.const(node.amount as number);
        return wide ? i64x2[name](arg(0), amount) : i32x4[name](arg(0), amount);
      }
      case "toBits":
      case "fromBits":
      case "maskBits":
        return arg(0);
      case "toInteger":
        return i32x4.trunc_sat_f32x4_s(arg(0));
      case "fromInteger":
        return f32x4.convert_i32x4_s(arg(0));
      case "gts":
        return i32x4.gt_s(arg(0), arg(1));
      case "join": {
        const bytes = [0, 1].flatMap((k) => {
          const lane = 4 * (2 * (node.half as number) + k);
          return [...[0, 1, 2, 3].map((b) => lane + b), ...[0, 1, 2, 3].map((b) => 16 + lane + b)];
        });
        return i8x16.shuffle(arg(1), arg(0), bytes);
      }
      case "call":
        return this.#call(node);
      default:
        throw new Error(`no machine code for ${node.op}`);
    }
  }

  #call(node: Node): Code {
    const { precision, calls, fn } = this.#options;
    if (!calls) throw new Error(`no function ${node.name} to call`);
    const target = calls(node.name as string);
    const lanes = this.#options.activeLanes ?? laneCount(precision);
    const args = node.args.map((arg) => {
      const index = fn.local("v128");
      return { index, code: set(index, this.value(arg)) };
    });
    const one = (lane: number): Code => {
      const operands = args.map(({ index }) =>
        precision === "float64"
          ? f64x2.extract_lane(get(index), lane)
          : f64.promote_f32(f32x4.extract_lane(get(index), lane)),
      );
      const value = call(target, ...operands);
      return precision === "float64" ? value : f32.demote_f64(value);
    };
    const first = real(precision).splat(one(0));
    let result: Code = [args.map((a) => a.code), first];
    for (let lane = 1; lane < lanes; lane++) result = real(precision).replace_lane(result, lane, one(lane));
    return result;
  }

  /** Philox4x32-10 on four counters side by side: the four words of each. Salmon et al. 2011, SC'11. */
  #definePhilox(node: Node): Code {
    const { fn, prologue } = this.#options;
    const key = node.args.map((a) => a.id).join(" ");
    const known = this.#philox.get(key);
    if (known) {
      this.#locals.set(node, known[node.word as number]);
      return [];
    }
    const [c0, c1, c2, c3, k0, k1, a, b] = Array.from({ length: 8 }, () => fn.local("v128"));
    const code: Code[] = [c0, c1, c2, c3, k0, k1].map((local, k) => set(local, this.value(node.args[k])));
    const even = [0, 8, 16, 24].flatMap((x) => [x, x + 1, x + 2, x + 3]);
    const odd = even.map((x) => x + 4);
    const low = (x: Code, y: Code) => i8x16.shuffle(x, y, even);
    const high = (x: Code, y: Code) => i8x16.shuffle(x, y, odd);
    const m0 = prologue.words(0xd2511f53);
    const m1 = prologue.words(0xcd9e8d57);
    const w0 = prologue.words(0x9e3779b9);
    const w1 = prologue.words(0xbb67ae85);
    for (let round = 0; round < 10; round++) {
      code.push(
        set(a, i64x2.extmul_low_i32x4_u(get(c0), m0)),
        set(b, i64x2.extmul_high_i32x4_u(get(c0), m0)),
        set(c0, low(get(a), get(b))),
        set(c3, v128.xor(v128.xor(high(get(a), get(b)), get(c3)), get(k1))),
        set(a, i64x2.extmul_low_i32x4_u(get(c2), m1)),
        set(b, i64x2.extmul_high_i32x4_u(get(c2), m1)),
        set(c2, get(c3)),
        set(c3, get(c0)),
        set(c0, v128.xor(v128.xor(high(get(a), get(b)), get(c1)), get(k0))),
        set(c1, low(get(a), get(b))),
      );
      if (round < 9) code.push(set(k0, i32x4.add(get(k0), w0)), set(k1, i32x4.add(get(k1), w1)));
    }
    const words = [c0, c1, c2, c3];
    this.#philox.set(key, words);
    this.#locals.set(node, words[node.word as number]);
    return code;
  }
}
