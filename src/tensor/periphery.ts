/**
 * Kernels of what stands around a crossbar: converters, noise, wires, clipping, and the way back.
 *
 * All work on tables [row][width], a row for each product. What is named `kept` is 1 where an output was not clipped, else 0.
 * Noise comes in as normal numbers `z`. Equations: Rasch et al. 2023, Nat. Commun. 14:5282; the twin of all of them in
 * float64 is test/analog/tile.plain.ts.
 */
import type { ModuleBuilder } from "../wasm/assembler.ts";
import type { Graph, Node } from "../wasm/graph.ts";
import { addRowSums, addRowwise, type Rowwise } from "./rowwise.ts";

const negative = (g: Graph, x: Node): Node => g.node("neg", [x]);
const clipped = (g: Graph, x: Node, bound: Node): Node =>
  g.node("min", [g.node("max", [x, negative(g, bound)]), bound]);
const root = (g: Graph, x: Node): Node => g.node("sqrt", [x]);
const magnitude = (g: Graph, x: Node): Node => g.node("abs", [x]);
/** 1 where |x| <= bound, else 0. */
const within = (g: Graph, x: Node, bound: Node): Node =>
  g.select(g.node("le", [magnitude(g, x), bound]), g.constant(1), g.constant(0));
/** 1 or -1. */
const sign = (g: Graph, x: Node): Node =>
  g.select(g.node("lt", [x, g.constant(0)]), g.constant(-1), g.constant(1));

/** offset + step k scale range, k the whole number of steps nearest to x, at most `most` in size */
function readOut(g: Graph, x: Node, of: Readonly<Record<string, Node>>): Node {
  const { scale, offset, range, perStep, step, most } = of;
  const q = g.mul(clipped(g, g.node("nearest", [g.mul(x, perStep)]), most), step);
  return g.add(offset, g.mul(g.mul(q, scale), range));
}

/** q and its slope as `tileConvertSlope` says. */
function convertedSlope(g: Graph, of: Readonly<Record<string, Node>>): { q: Node; slope: Node } {
  const { x, perStep, step, most, inverse } = of;
  const steps = g.mul(x, perStep);
  const k = g.node("nearest", [steps]);
  const inside = g.mul(g.sub(g.mul(k, step), x), inverse);
  const isInside = g.node("lt", [magnitude(g, steps), most]);
  return { q: g.mul(clipped(g, k, most), step), slope: g.select(isInside, inside, sign(g, x)) };
}

/** What `readOut` gives, and the slope of `tileConvertSlope`. */
function readSlope(g: Graph, x: Node, of: Readonly<Record<string, Node>>): { y: Node; slope: Node } {
  const { q, slope } = convertedSlope(g, { x, ...of });
  return { y: g.add(of.offset, g.mul(g.mul(q, of.scale), of.range)), slope };
}

export const peripheryTables = {
  /** q = step k, k the whole number nearest to x inverse perStep, ties to even, at most `most` in size */
  tileQuantise: {
    inputs: ["x"],
    outputs: ["q"],
    rows: ["inverse"],
    scalars: ["perStep", "step", "most"],
    compute: (g, { x, inverse, perStep, step, most }) => {
      const k = g.node("nearest", [g.mul(g.mul(x, inverse), perStep)]);
      return { q: g.mul(clipped(g, k, most), step) };
    },
  },
  /** q = x inverse, clipped at bound */
  tileClip: {
    inputs: ["x"],
    outputs: ["q"],
    rows: ["inverse"],
    scalars: ["bound"],
    compute: (g, { x, inverse, bound }) => ({ q: clipped(g, g.mul(x, inverse), bound) }),
  },
  tileSquare: { inputs: ["x"], outputs: ["y"], compute: (g, { x }) => ({ y: g.mul(x, x) }) },
  tileMagnitude: { inputs: ["x"], outputs: ["y"], compute: (g, { x }) => ({ y: magnitude(g, x) }) },
  /** y = min(x, 0) */
  tileNegative: {
    inputs: ["x"],
    outputs: ["y"],
    compute: (g, { x }) => ({ y: g.node("min", [x, g.constant(0)]) }),
  },
  /** y = x - factor c p, c = 0.05 a^3 - 0.2 a^2 + 0.5 a, a = load current */
  tileDrop: {
    inputs: ["x", "current", "p"],
    outputs: ["y"],
    scalars: ["load", "factor"],
    compute: (g, { x, current, p, load, factor }) => {
      const a = g.mul(current, load);
      const c = g.mul(a, g.polynomial(a, [0.05, -0.2, 0.5]));
      return { y: g.sub(x, g.mul(g.mul(factor, c), p)) };
    },
  },
  /** y = x + sd z */
  tileNoise: {
    inputs: ["x", "z"],
    outputs: ["y"],
    scalars: ["sd"],
    compute: (g, { x, z, sd }) => ({ y: g.add(x, g.mul(sd, z)) }),
  },
  /** y = x + sqrt(weight v + output) z */
  tileWeightNoise: {
    inputs: ["x", "v", "z"],
    outputs: ["y"],
    scalars: ["weight", "output"],
    compute: (g, { x, v, z, weight, output }) => ({
      y: g.add(x, g.mul(root(g, g.add(g.mul(weight, v), output)), z)),
    }),
  },
  /** The same with v for each row. */
  tileRowNoise: {
    inputs: ["x", "z"],
    outputs: ["y"],
    rows: ["v"],
    scalars: ["weight", "output"],
    compute: (g, { x, v, z, weight, output }) => ({
      y: g.add(x, g.mul(root(g, g.add(g.mul(weight, v), output)), z)),
    }),
  },
  /** y = factor x / (1 + |zeta x|) */
  tileCurve: {
    inputs: ["x"],
    outputs: ["y"],
    columns: ["zeta"],
    scalars: ["factor"],
    compute: (g, { x, zeta, factor }) => ({
      y: g.div(g.mul(factor, x), g.add(g.constant(1), magnitude(g, g.mul(zeta, x)))),
    }),
  },
  /** q = step k as the DAC's, and whether k was at most `most` in size before it was clipped */
  tileConvert: {
    inputs: ["x"],
    outputs: ["q", "kept"],
    scalars: ["perStep", "step", "most"],
    compute: (g, { x, perStep, step, most }) => {
      const k = g.node("nearest", [g.mul(x, perStep)]);
      return { q: g.mul(clipped(g, k, most), step), kept: within(g, k, most) };
    },
  },
  /**
   * q as `tileConvert`, and its slope by the bound, which `most` steps make: (q - x) / bound inside, where rounding is gone through
   * straight, else the sign of x (Esser et al. 2020, arXiv:1902.08153, eq. 3, whose step is bound / most)
   */
  tileConvertSlope: {
    inputs: ["x"],
    outputs: ["q", "slope"],
    scalars: ["perStep", "step", "most", "inverse"],
    compute: convertedSlope,
  },
  /** The same without rounding: the slope is 0 inside. */
  tileBoundSlope: {
    inputs: ["x"],
    outputs: ["q", "slope"],
    scalars: ["bound"],
    compute: (g, { x, bound }) => ({
      q: clipped(g, x, bound),
      slope: g.select(g.node("lt", [magnitude(g, x), bound]), g.constant(0), sign(g, x)),
    }),
  },
  tileBound: {
    inputs: ["x"],
    outputs: ["q", "kept"],
    scalars: ["bound"],
    compute: (g, { x, bound }) => ({ q: clipped(g, x, bound), kept: within(g, x, bound) }),
  },
  /** y = offset + q scale range, q = step k as that of `tileConvert` */
  tileRead: {
    inputs: ["x"],
    outputs: ["y"],
    columns: ["scale", "offset"],
    rows: ["range"],
    scalars: ["perStep", "step", "most"],
    compute: (g, { x, ...of }) => ({ y: readOut(g, x, of) }),
  },
  /** y as that of `tileRead`, slope as that of `tileConvertSlope` */
  tileReadSlope: {
    inputs: ["x"],
    outputs: ["y", "slope"],
    columns: ["scale", "offset"],
    rows: ["range"],
    scalars: ["perStep", "step", "most", "inverse"],
    compute: (g, { x, ...of }) => readSlope(g, x, of),
  },
  /** The same of x + sd z. */
  tileReadSlopeNoisy: {
    inputs: ["x", "z"],
    outputs: ["y", "slope"],
    columns: ["scale", "offset"],
    rows: ["range"],
    scalars: ["perStep", "step", "most", "inverse", "sd"],
    compute: (g, { x, z, sd, ...of }) => readSlope(g, g.add(x, g.mul(sd, z)), of),
  },
  /** y = offset + x scale range, x clipped at bound */
  tileReadClipped: {
    inputs: ["x"],
    outputs: ["y"],
    columns: ["scale", "offset"],
    rows: ["range"],
    scalars: ["bound"],
    compute: (g, { x, scale, offset, range, bound }) => ({
      y: g.add(offset, g.mul(g.mul(clipped(g, x, bound), scale), range)),
    }),
  },
  /** y as that of `tileRead` for x + sd z */
  tileReadNoisy: {
    inputs: ["x", "z"],
    outputs: ["y"],
    columns: ["scale", "offset"],
    rows: ["range"],
    scalars: ["perStep", "step", "most", "sd"],
    compute: (g, { x, z, sd, ...of }) => ({ y: readOut(g, g.add(x, g.mul(sd, z)), of) }),
  },
  /** y = x + q scale range */
  tileAdd: {
    inputs: ["x", "q"],
    outputs: ["y"],
    columns: ["scale"],
    rows: ["range"],
    compute: (g, { x, q, scale, range }) => ({ y: g.add(x, g.mul(g.mul(q, scale), range)) }),
  },
  /** d = dy scale range */
  tileBack: {
    inputs: ["dy"],
    outputs: ["d"],
    columns: ["scale"],
    rows: ["range"],
    compute: (g, { dy, scale, range }) => ({ d: g.mul(g.mul(dy, scale), range) }),
  },
  /** dx where the input was not clipped, else 0 */
  tileClipBack: {
    inputs: ["dx", "x"],
    outputs: ["y"],
    rows: ["inverse"],
    scalars: ["bound"],
    compute: (g, { dx, x, inverse, bound }) => ({ y: g.mul(dx, within(g, g.mul(x, inverse), bound)) }),
  },
  /** dx inverse where the input was not clipped, else 0 */
  tileInputBack: {
    inputs: ["dx", "x"],
    outputs: ["y"],
    rows: ["inverse"],
    scalars: ["bound"],
    compute: (g, { dx, x, inverse, bound }) => ({
      y: g.mul(g.mul(dx, inverse), within(g, g.mul(x, inverse), bound)),
    }),
  },
} as const satisfies Readonly<Record<string, Rowwise>>;

const square = (g: Graph, x: Node): Node => g.mul(x, x);
const above = (g: Graph, x: Node): Node => g.node("max", [x, g.constant(0)]);

/** One number for each row. */
const rowSums = {
  tileLargest: {
    join: "max",
    inputs: ["x"],
    outputs: ["y"],
    compute: (g, { x }) => ({ y: magnitude(g, x) }),
  },
  tileSquares: { join: "sum", inputs: ["x"], outputs: ["y"], compute: (g, { x }) => ({ y: square(g, x) }) },
  tileAbove: { join: "sum", inputs: ["x"], outputs: ["y"], compute: (g, { x }) => ({ y: above(g, x) }) },
  tileBelow: {
    join: "sum",
    inputs: ["x"],
    outputs: ["y"],
    compute: (g, { x }) => ({ y: above(g, negative(g, x)) }),
  },
  /** 1 where any number was clipped, else 0 */
  tileAnyClipped: {
    join: "max",
    inputs: ["kept"],
    outputs: ["y"],
    compute: (g, { kept }) => ({ y: g.sub(g.constant(1), kept) }),
  },
  /** Count of |x| below the range. */
  tileWithin: {
    join: "sum",
    inputs: ["x"],
    outputs: ["y"],
    scalars: ["range"],
    compute: (g, { x, range }) => ({
      y: g.select(g.node("lt", [magnitude(g, x), range]), g.constant(1), g.constant(0)),
    }),
  },
  /**
   * Slope of the loss by what inputs are clipped at, of a row: the sum of min(d, 0) where x reaches it, less that of max(d, 0) where x
   * reaches minus it; d by inputs after they are clipped. aihwkit 1.1.0, learned input ranges
   */
  tileRangeBack: {
    join: "sum",
    inputs: ["d", "x"],
    outputs: ["y"],
    scalars: ["range"],
    compute: (g, { d, x, range }) => {
      const zero = g.constant(0);
      const high = g.select(g.node("ge", [x, range]), g.node("min", [d, zero]), zero);
      const low = g.select(g.node("le", [x, negative(g, range)]), above(g, d), zero);
      return { y: g.sub(high, low) };
    },
  },
  /** Sum of d times the slope of a converter by its step, in steps, as `tileConvertSlope`. */
  tileStepBack: {
    join: "sum",
    inputs: ["d", "x"],
    outputs: ["y"],
    scalars: ["perStep", "most"],
    compute: (g, { d, x, perStep, most }) => {
      const steps = g.mul(x, perStep);
      const inside = g.sub(g.node("nearest", [steps]), steps);
      const isInside = g.node("lt", [magnitude(g, steps), most]);
      return { y: g.mul(d, g.select(isInside, inside, g.mul(most, sign(g, x)))) };
    },
  },
} as const satisfies Readonly<Record<string, Rowwise & { join: "sum" | "max" }>>;

/** Names of the kernels; arguments as rowwise.ts says: rows, width, (features), inputs, outputs, columns, rows, scalars. */
export type PeripheryName = keyof typeof peripheryTables | keyof typeof rowSums;

/** Adds and exports the kernels. */
export function addPeriphery(module: ModuleBuilder): void {
  for (const [name, what] of Object.entries(peripheryTables)) addRowwise(module, name, what);
  for (const [name, { join, ...what }] of Object.entries(rowSums)) addRowSums(module, name, what, join);
}
