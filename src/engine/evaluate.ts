/**
 * Expressions of a part, evaluated on one element at a time by the interpreter.
 *
 * The reference's way from expressions to numbers: every expression is lowered to its graph once, then
 * interpreted for each element with the names it asks for. Knows the addressing of random draws, nothing
 * of memory or machine code.
 */
import type { Expression } from "../language/expression.ts";
import type { Key } from "../math/random.ts";
import { Graph, type Node, type Precision } from "../wasm/graph.ts";
import { type Inputs, interpret, type Value } from "../wasm/interpret.ts";
import { Lowering } from "../wasm/lower.ts";
import { calls } from "./called.ts";
import { packedAddress, packedDraw, sparseDraw } from "./draws.ts";
import { flickerDraw } from "./flicker.ts";

/** Value of a name on the element at hand: a number, or a truth value for `not_refractory`. */
export type Names = (name: string) => number | boolean;

/** Which element draws, when, and from which block. */
export interface Place {
  readonly element: number;
  readonly tick: number;
  /** Counter word 3 of sparse draws. */
  readonly draw?: number;
}

const quarters = [0, 1, 2, 3] as const;

/** Evaluates the expressions of one part, whose draws all come from one key. */
export class Evaluator {
  readonly precision: Precision;
  /** Arguments of `normalize`, in the order they were met; "norm n" is the name of the nth one's norm. */
  readonly norms: Expression[] = [];
  readonly #key: Key;
  readonly #addressing: "packed" | "sparse";
  /** One lowering for each quarter of a packed block, one in all for sparse draws. */
  readonly #lowerings: readonly Lowering[];

  /** `booleans`: names whose numbers, 0 or 1, are truth values. */
  constructor(
    precision: Precision,
    key: Key,
    addressing: "packed" | "sparse",
    booleans: ReadonlySet<string> = new Set(),
  ) {
    this.precision = precision;
    this.#key = key;
    this.#addressing = addressing;
    const count = addressing === "packed" ? quarters.length : 1;
    this.#lowerings = quarters.slice(0, count).map((quarter) => {
      const graph = new Graph(precision);
      const lowering: Lowering = new Lowering(graph, {
        name: (name) => {
          if (name === "not_refractory") return graph.input(name, "mask");
          const node = graph.input(name);
          return booleans.has(name) ? graph.node("ne", [node, graph.constant(0)]) : node;
        },
        random: (draw, args) => {
          if (draw.distribution === "flicker") return flickerDraw(graph, draw, args, key);
          return addressing === "packed"
            ? packedDraw(graph, draw, args, quarter)
            : sparseDraw(graph, draw, args, { draw: "draw" });
        },
        normalize: (argument) => this.#normalized(graph, lowering, argument),
      });
      return lowering;
    });
  }

  #normalized(graph: Graph, lowering: Lowering, argument: Expression): Node {
    let n = this.norms.indexOf(argument);
    if (n < 0) n = this.norms.push(argument) - 1;
    const norm = graph.input(`norm ${n}`);
    const positive = graph.node("gt", [norm, graph.constant(0)]);
    return graph.select(positive, graph.div(lowering.lowerReal(argument), norm), graph.constant(0));
  }

  /** Values of expressions on one element, all from the same values of names; truth values become 0 or 1. */
  values(expressions: readonly Expression[], place: Place, names: Names): number[] {
    const packed = packedAddress(place.element, this.precision === "float64");
    const lowering = this.#lowerings[this.#addressing === "packed" ? packed.group : 0];
    const nodes = expressions.map((expression) => lowering.lowerReal(expression));
    const words: Readonly<Record<string, number>> = {
      block: packed.block,
      element: place.element,
      tick: place.tick,
      key0: this.#key[0],
      key1: this.#key[1],
      "#draw": place.draw ?? 0,
    };
    const input = (_: unknown, name: string): Value | undefined => {
      if (name in words) return words[name];
      if (name.startsWith("#")) return Number(name.slice(1));
      const value = names(name);
      return typeof value === "number" && this.precision === "float32" ? Math.fround(value) : value;
    };
    return interpret(
      nodes,
      new Proxy<Inputs>({}, { get: input as never }),
      this.precision,
      calls,
    ) as number[];
  }

  value(expression: Expression, place: Place, names: Names): number {
    return this.values([expression], place, names)[0];
  }

  /** Registers the norms of the expressions' `normalize`, without evaluating. */
  prepare(expressions: readonly Expression[]): void {
    for (const expression of expressions) this.#lowerings[0].lowerReal(expression);
  }
}
