/**
 * The typed graph between equations and machine code.
 *
 * A node is one primitive operation on one lane: IEEE arithmetic, comparison, selection, and
 * operations on the bits of a lane (64 bits in float64, 32 in float32). Every node means exactly one
 * WebAssembly instruction or a fixed short sequence, so interpreter and machine code agree bit for
 * bit. Equal nodes are one node (hash consing); constant operations are folded by the interpreter's own
 * arithmetic. Knows nothing of memory, loops or models.
 */
import { evaluate } from "./interpret.ts";
import {
  bitsBinary,
  bitsShift,
  compare,
  type Node,
  type Operation,
  type Precision,
  type Type,
} from "./node.ts";

export type { Node, Operation, Precision, Type } from "./node.ts";

const resultType = (op: Operation): Type => {
  if ((compare as readonly string[]).includes(op) || op === "and" || op === "or" || op === "not")
    return "mask";
  if (op === "gts") return "mask";
  if ((bitsBinary as readonly string[]).includes(op) || (bitsShift as readonly string[]).includes(op))
    return "bits";
  if (op === "toBits" || op === "toInteger" || op === "join" || op === "bitsConstant" || op === "maskBits")
    return "bits";
  if (op === "philox") return "words";
  return "real";
};

type Attributes = { amount?: number; name?: string; word?: number; half?: number };

/** Builds nodes for one precision. */
export class Graph {
  readonly precision: Precision;
  readonly nodes: Node[] = [];
  readonly #known = new Map<string, Node>();

  constructor(precision: Precision) {
    this.precision = precision;
  }

  #intern(key: string, build: (id: number) => Node): Node {
    const known = this.#known.get(key);
    if (known) return known;
    const node = build(this.nodes.length);
    this.nodes.push(node);
    this.#known.set(key, node);
    return node;
  }

  /** A real number; in float32 rounded to nearest. */
  constant(value: number): Node {
    const rounded = this.precision === "float32" ? Math.fround(value) : value;
    const key = Object.is(rounded, -0) ? "-0" : String(rounded);
    return this.#intern(`constant ${key}`, (id) => ({
      id,
      op: "constant",
      type: "real",
      args: [],
      value: rounded,
    }));
  }

  /** An integer lane, wrapped to the width of a lane. */
  bits(value: bigint | number): Node {
    const wrapped = BigInt.asIntN(this.precision === "float64" ? 64 : 32, BigInt(value));
    return this.#intern(`bits ${wrapped}`, (id) => ({
      id,
      op: "bitsConstant",
      type: "bits",
      args: [],
      bits: wrapped,
    }));
  }

  input(name: string, type: Type = "real"): Node {
    return this.#intern(`input ${name} ${type}`, (id) => ({ id, op: "input", type, args: [], name }));
  }

  node(op: Operation, args: readonly Node[], attributes: Attributes = {}): Node {
    const { amount, name, word, half } = attributes;
    const type = op === "select" ? args[1].type : resultType(op);
    if (op !== "philox" && op !== "join" && op !== "call" && args.every((a) => isConstant(a))) {
      const folded = evaluate(
        { id: -1, op, type, args, amount },
        args.map((a) => constantValue(a)),
        this.precision,
      );
      if (type === "real") return this.constant(folded as number);
      if (type === "bits") return this.bits(folded as bigint);
    }
    const key = `${op} ${args.map((a) => a.id).join(" ")} ${amount ?? ""} ${name ?? ""} ${word ?? ""} ${half ?? ""}`;
    return this.#intern(key, (id) => ({ id, op, type, args, amount, name, word, half }));
  }

  add(a: Node, b: Node): Node {
    return this.node("add", [a, b]);
  }
  sub(a: Node, b: Node): Node {
    return this.node("sub", [a, b]);
  }
  mul(a: Node, b: Node): Node {
    return this.node("mul", [a, b]);
  }
  div(a: Node, b: Node): Node {
    return this.node("div", [a, b]);
  }
  select(mask: Node, a: Node, b: Node): Node {
    return a === b ? a : this.node("select", [mask, a, b]);
  }

  /** Horner's scheme: coefficients from the highest power to the constant. */
  polynomial(x: Node, coefficients: readonly number[]): Node {
    let sum = this.constant(coefficients[0]);
    for (const c of coefficients.slice(1)) sum = this.add(this.mul(sum, x), this.constant(c));
    return sum;
  }
}

const isConstant = (node: Node): boolean => node.op === "constant" || node.op === "bitsConstant";
const constantValue = (node: Node): number | bigint =>
  node.op === "constant" ? (node.value as number) : (node.bits as bigint);
