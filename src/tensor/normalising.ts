/**
 * Kernels of normalisation. Each goes once through a table that does not fit into caches, so what follows one of them at once, a
 * shortcut's outputs that are added and a rectifier, is done in the same pass.
 *
 * Of rowwise.ts: `c…` are numbers of a feature, `r…` of a row.
 */
import type { Graph, Node } from "../wasm/graph.ts";
import type { Rowwise } from "./rowwise.ts";

const scaled = (g: Graph, x: Node, scale: Node, shift: Node): Node => g.add(g.mul(x, scale), shift);
/** max(x, 0); a NaN stays one */
export const rectified = (g: Graph, x: Node): Node =>
  g.select(g.node("lt", [x, g.constant(0)]), g.constant(0), x);
/** dy where y > 0, else 0 */
export const rectifiedBack = (g: Graph, dy: Node, y: Node): Node =>
  g.select(g.node("gt", [y, g.constant(0)]), dy, g.constant(0));
/** cGain (dy - cMean - (x - cCentre) cSlope) */
const normalisedBack = (g: Graph, dy: Node, { x, cGain, cMean, cCentre, cSlope }: Record<string, Node>) =>
  g.mul(cGain, g.sub(g.sub(dy, cMean), g.mul(g.sub(x, cCentre), cSlope)));

export const normalising = {
  /** y = x cScale + cShift */
  affineColumns: {
    inputs: ["x"],
    columns: ["cScale", "cShift"],
    outputs: ["y"],
    compute: (g, { x, cScale, cShift }) => ({ y: scaled(g, x, cScale, cShift) }),
  },
  /** y = max(x cScale + cShift, 0) */
  affineRelu: {
    inputs: ["x"],
    columns: ["cScale", "cShift"],
    outputs: ["y"],
    compute: (g, { x, cScale, cShift }) => ({ y: rectified(g, scaled(g, x, cScale, cShift)) }),
  },
  /** y = max(x cScale + cShift + b, 0) */
  affineAddRelu: {
    inputs: ["x", "b"],
    columns: ["cScale", "cShift"],
    outputs: ["y"],
    compute: (g, { x, b, cScale, cShift }) => ({ y: rectified(g, g.add(scaled(g, x, cScale, cShift), b)) }),
  },
  /** dx = cGain (dy - cMean - (x - cCentre) cSlope) */
  normBack: {
    inputs: ["dy", "x"],
    columns: ["cGain", "cMean", "cCentre", "cSlope"],
    outputs: ["dx"],
    compute: (g, { dy, ...rest }) => ({ dx: normalisedBack(g, dy, rest) }),
  },
  /** The same for dy where x cGain + cShift > 0, else 0. */
  normReluBack: {
    inputs: ["dy", "x"],
    columns: ["cGain", "cMean", "cCentre", "cSlope", "cShift"],
    outputs: ["dx"],
    compute: (g, { dy, cShift, ...rest }) => {
      const kept = rectifiedBack(g, dy, scaled(g, rest.x, rest.cGain, cShift));
      return { dx: normalisedBack(g, kept, rest) };
    },
  },
  /** y = (x - rShift) rScale */
  affineRows: {
    inputs: ["x"],
    rows: ["rShift", "rScale"],
    outputs: ["y"],
    compute: (g, { x, rShift, rScale }) => ({ y: g.mul(g.sub(x, rShift), rScale) }),
  },
  /** dx = (dy - rMean - n rSlope) rScale */
  normRowsBack: {
    inputs: ["dy", "n"],
    rows: ["rMean", "rSlope", "rScale"],
    outputs: ["dx"],
    compute: (g, { dy, n, rMean, rSlope, rScale }) => ({
      dx: g.mul(g.sub(g.sub(dy, rMean), g.mul(n, rSlope)), rScale),
    }),
  },
} as const satisfies Readonly<Record<string, Rowwise>>;

/** Sums over chunks of rows. */
export const chunkSums = {
  /** sums of x - firstX and of its square, from which `momentsOf` takes mean and spread */
  moments: {
    inputs: ["x"],
    outputs: ["sum", "squares"],
    compute: (g, { x, firstX }) => {
      const d = g.sub(x, firstX);
      return { sum: d, squares: g.mul(d, d) };
    },
  },
  /** sums of dy and of dy (x - cCentre) */
  slopes: {
    inputs: ["dy", "x"],
    columns: ["cCentre"],
    outputs: ["sum", "slope"],
    compute: (g, { dy, x, cCentre }) => ({ sum: dy, slope: g.mul(dy, g.sub(x, cCentre)) }),
  },
  /** The same for dy where x cGain + cShift > 0, else 0. */
  slopesRelu: {
    inputs: ["dy", "x"],
    columns: ["cCentre", "cGain", "cShift"],
    outputs: ["sum", "slope"],
    compute: (g, { dy, x, cCentre, cGain, cShift }) => {
      const kept = rectifiedBack(g, dy, scaled(g, x, cGain, cShift));
      return { sum: kept, slope: g.mul(kept, g.sub(x, cCentre)) };
    },
  },
} as const satisfies Readonly<Record<string, Rowwise>>;
