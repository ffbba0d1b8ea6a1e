/**
 * Random draws inside kernels: which word of which Philox block belongs to which element.
 *
 * Two ways to address, fixed by what a statement belongs to, never by how it is compiled:
 * packed (equations, thresholds and tick handlers of cells): blocks are shared by neighbours, float32
 * takes one word an element, float64 two (src/math/random.ts states the addressing); sparse (resets,
 * synapse handlers, device pulses): an element owns the whole block with its own number.
 * Counter: (block, tick, stream, draw); key: one for each part.
 */
import type { Expression } from "../language/expression.ts";
import { normalPair, poissonFixed, uniform } from "../wasm/draws.ts";
import type { Graph, Node } from "../wasm/graph.ts";

type Draw = Extract<Expression, { kind: "random" }>;

/** Largest constant mean drawn by counting thresholds; beyond, and for means that vary, by search. */
export const largestFixedMean = 20;

/** `draw`: counter word 3; it and the stream are numbers or the name of an input "#name". */
function words(graph: Graph, block: string, stream: number | string, draw: number | string): Node[] {
  const args = [
    graph.input(block, "words"),
    graph.input("tick", "words"),
    graph.input(`#${stream}`, "words"),
    graph.input(`#${draw}`, "words"),
    graph.input("key0", "words"),
    graph.input("key1", "words"),
  ];
  return [0, 1, 2, 3].map((word) => graph.node("philox", args, { word }));
}

/** Two numbers to draw from, and which of the pair is this element's own. */
interface Pair {
  readonly bits: readonly [Node, Node];
  readonly own: 0 | 1;
}

/** `group` 0..3: which quarter of an iteration's elements (float32: 16 elements, float64: 8). */
function packedPair(graph: Graph, stream: number, group: number): Pair {
  const w = words(graph, "block", stream, 0);
  if (graph.precision === "float32") {
    const first = group & ~1;
    return { bits: [w[first], w[first + 1]], own: (group & 1) as 0 | 1 };
  }
  const half = group & 1;
  const join = (h: number) => graph.node("join", [w[2 * h], w[2 * h + 1]], { half });
  return { bits: [join(0), join(1)], own: (group >> 1) as 0 | 1 };
}

function sparsePair(
  graph: Graph,
  stream: number | string,
  block: string,
  draw: number | string,
  half: 0 | 1 = 0,
): Pair {
  const w = words(graph, block, stream, draw);
  if (graph.precision === "float32") return { bits: [w[0], w[1]], own: 0 };
  const join = (h: number) => graph.node("join", [w[2 * h], w[2 * h + 1]], { half });
  return { bits: [join(0), join(1)], own: 0 };
}

function sample(graph: Graph, draw: Draw, args: readonly Node[], pair: Pair): Node {
  const own = pair.bits[pair.own];
  if (draw.distribution === "uniform") return uniform(graph, own);
  if (draw.distribution === "normal") {
    const [u, v] = pair.bits.map((b) => uniform(graph, b));
    return normalPair(graph, u, v)[pair.own];
  }
  const mean = args[0];
  if (mean.op === "constant" && (mean.value as number) <= largestFixedMean)
    return poissonFixed(
      graph,
      graph.precision === "float32" ? own : uniform(graph, own),
      mean.value as number,
    );
  return graph.node("call", [uniform(graph, own), mean], { name: "poisson" });
}

/** A draw of cell equations: inputs `block`, `tick`, `key0`, `key1`. */
export const packedDraw = (graph: Graph, draw: Draw, args: readonly Node[], group: number): Node =>
  sample(graph, draw, args, packedPair(graph, draw.stream, group));

/**
 * A draw of an element with its own block: inputs `block` (named by the caller), `tick`, `key0`, `key1`. In float64
 * `half` says which two of four elements side by side.
 */
export const sparseDraw = (
  graph: Graph,
  draw: Draw,
  args: readonly Node[],
  options: { block?: string; draw?: number | string; half?: 0 | 1 } = {},
): Node => {
  const { block = "element", draw: word = 0, half = 0 } = options;
  return sample(graph, draw, args, sparsePair(graph, draw.stream, block, word, half));
};

/** A uniform and a normal number of `element`: inputs `element`, `tick`, `#stream`, `#draw`, `key0`, `key1`. */
export function elementDraws(graph: Graph): { readonly uniform: Node; readonly normal: Node } {
  const { bits } = sparsePair(graph, "stream", "element", "draw");
  const [u, v] = bits.map((b) => uniform(graph, b));
  return { uniform: u, normal: normalPair(graph, u, v)[0] };
}

/** Number of the Philox block and quarter ("group") of element `e` in the packed addressing. */
export function packedAddress(element: number, wide: boolean): { block: number; group: number } {
  if (!wide) return { block: ((element >>> 4) << 2) | (element & 3), group: (element >>> 2) & 3 };
  return { block: ((element >>> 3) << 2) | (element & 3), group: (element >>> 1) & 3 };
}
