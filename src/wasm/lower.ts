/**
 * From expressions to the typed graph.
 *
 * Names and draws are resolved by the caller; functions expand to primitives (functions.ts). Shared
 * parts of an expression stay shared.
 */
import type { Expression } from "../language/expression.ts";
import { expandFunction } from "./functions.ts";
import type { Graph, Node } from "./graph.ts";

export interface Resolver {
  /** The node of a name; real, or a mask for a truth value. */
  readonly name: (name: string) => Node;
  /** The node of a draw. `args` are lowered; a Poisson mean is also given as a number where it is constant. */
  readonly random?: (draw: Extract<Expression, { kind: "random" }>, args: readonly Node[]) => Node;
  /** x / |x| over the presynaptic cells. */
  readonly normalize?: (argument: Expression) => Node;
}

const comparison = { "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne" } as const;
const arithmetic = { "+": "add", "-": "sub", "*": "mul", "/": "div" } as const;

/** Lowers expressions of one context; the same expression gives the same node. */
export class Lowering {
  readonly graph: Graph;
  readonly #resolver: Resolver;
  readonly #done = new Map<Expression, Node>();

  constructor(graph: Graph, resolver: Resolver) {
    this.graph = graph;
    this.#resolver = resolver;
  }

  /** The node of `root`: real, or a mask for a truth value. */
  lower(root: Expression): Node {
    const known = this.#done.get(root);
    if (known) return known;
    const node = this.#lower(root);
    this.#done.set(root, node);
    return node;
  }

  /** Like `lower`, a truth value becoming 0 or 1. */
  lowerReal(root: Expression): Node {
    const node = this.lower(root);
    return node.type === "mask"
      ? this.graph.select(node, this.graph.constant(1), this.graph.constant(0))
      : node;
  }

  #lower(root: Expression): Node {
    const { graph } = this;
    switch (root.kind) {
      case "number":
        return graph.constant(root.value);
      case "boolean":
        return graph.node("eq", [graph.constant(0), graph.constant(root.value ? 0 : 1)]);
      case "name":
        return this.#resolver.name(root.name);
      case "random": {
        if (!this.#resolver.random) throw new Error("no random draws here");
        return this.#resolver.random(
          root,
          root.args.map((a) => this.lowerReal(a)),
        );
      }
      case "apply":
        break;
    }
    const { operator } = root;
    if (operator === "normalize") {
      if (!this.#resolver.normalize) throw new Error("normalize() needs the presynaptic cells of a synapse");
      return this.#resolver.normalize(root.args[0]);
    }
    if (operator === "and" || operator === "or" || operator === "not")
      return graph.node(
        operator,
        root.args.map((a) => this.#mask(a)),
      );
    if (operator === "select") {
      const [a, b] = [this.lowerReal(root.args[1]), this.lowerReal(root.args[2])];
      return graph.select(this.#mask(root.args[0]), a, b);
    }
    if (operator === "int") return this.lowerReal(root.args[0]);
    const args = root.args.map((a) => this.lowerReal(a));
    if (operator in comparison) return graph.node(comparison[operator as keyof typeof comparison], args);
    if (operator in arithmetic) return graph.node(arithmetic[operator as keyof typeof arithmetic], args);
    if (operator === "negate") return graph.node("neg", args);
    return expandFunction(graph, operator as Parameters<typeof expandFunction>[1], args);
  }

  #mask(expression: Expression): Node {
    const node = this.lower(expression);
    return node.type === "mask" ? node : this.graph.node("ne", [node, this.graph.constant(0)]);
  }
}
