/**
 * All kernels of the training core in one module over one heap.
 *
 * Arrays are given by their byte offset, sizes as counts of numbers. Elementwise kernels work four numbers at a time and
 * `normals` sixteen, past the end of what they are told: blocks of the heap have room for the first, the second needs
 * `normalCount` numbers.
 */

import { threadsAvailable } from "../engine/workers.ts";
import { ConfigError } from "../math/errors.ts";
import { ModuleBuilder } from "../wasm/assembler.ts";
import { exp, log, tanh } from "../wasm/exponential.ts";
import type { Graph, Node } from "../wasm/graph.ts";
import { addCells, type CellName, cells } from "./cells.ts";
import {
  dealtCells,
  dealtChunks,
  dealtFilters,
  dealtLines,
  dealtNumbers,
  dealtProducts,
  dealtRows,
  dealtTicks,
  startCrew,
} from "./crew.ts";
import { addElementwise, type Elementwise } from "./elementwise.ts";
import { Heap } from "./heap.ts";
import { addImages } from "./images.ts";
import { addMatvec } from "./matvec.ts";
import { addMinimal, type MinimalName, minimalNames } from "./minimal.ts";
import { addNormals } from "./noise.ts";
import { chunkSums, normalising, rectified, rectifiedBack } from "./normalising.ts";
import { addPeriphery, type PeripheryName, peripheryTables } from "./periphery.ts";
import { addProduct, planNumbers } from "./product.ts";
import {
  addChunkSums,
  addColumnSums,
  addRowSums,
  addRowwise,
  type Rowwise,
  rowsTogether,
} from "./rowwise.ts";

/** Room that `normals` needs for `count` numbers. */
export const normalCount = (count: number): number => Math.ceil(count / 16) * 16;

/** tanh(u) of `gelu`, and du / dx. */
function geluTanh(g: Graph, x: Node): { t: Node; slope: Node } {
  const factor = Math.sqrt(2 / Math.PI);
  const square = g.mul(x, x);
  const u = g.mul(g.mul(g.constant(factor), x), g.add(g.constant(1), g.mul(g.constant(0.044715), square)));
  const slope = g.add(g.constant(factor), g.mul(g.constant(3 * factor * 0.044715), square));
  return { t: tanh(g, u), slope };
}

export const elementwise = {
  /** y = 1 / (1 + exp(-x)) */
  sigmoid: {
    inputs: ["x"],
    outputs: ["y"],
    compute: (g, { x }) => {
      const one = g.constant(1);
      return { y: g.div(one, g.add(one, exp(g, g.node("neg", [x])))) };
    },
  },
  /** dx = dy y (1 - y), for y = sigmoid(x) */
  sigmoidBack: {
    inputs: ["dy", "y"],
    outputs: ["dx"],
    compute: (g, { dy, y }) => ({ dx: g.mul(g.mul(dy, y), g.sub(g.constant(1), y)) }),
  },
  /** y = exp(x - shift) */
  exponential: {
    inputs: ["x"],
    scalars: ["shift"],
    outputs: ["y"],
    compute: (g, { x, shift }) => ({ y: exp(g, g.sub(x, shift)) }),
  },
  /** y = x^2 */
  square: { inputs: ["x"], outputs: ["y"], compute: (g, { x }) => ({ y: g.mul(x, x) }) },
  /** y = factor x */
  scale: {
    inputs: ["x"],
    scalars: ["factor"],
    outputs: ["y"],
    compute: (g, { x, factor }) => ({ y: g.mul(x, factor) }),
  },
  /** y = x + sqrt(variance) z */
  addNoise: {
    inputs: ["x", "variance", "z"],
    outputs: ["y"],
    compute: (g, { x, variance, z }) => ({ y: g.add(x, g.mul(g.node("sqrt", [variance]), z)) }),
  },
  /** y = step k with the whole number k, at most `most` in size, nearest to x / step; ties to even */
  quantise: {
    inputs: ["x"],
    scalars: ["perStep", "step", "most"],
    outputs: ["y"],
    compute: (g, { x, perStep, step, most }) => {
      const k = g.node("nearest", [g.mul(x, perStep)]);
      const clipped = g.node("min", [g.node("max", [k, g.node("neg", [most])]), most]);
      return { y: g.mul(clipped, step) };
    },
  },
  /** y = tanh(x) */
  tanh: { inputs: ["x"], outputs: ["y"], compute: (g, { x }) => ({ y: tanh(g, x) }) },
  /** dx = dy (1 - y^2), for y = tanh(x) */
  tanhBack: {
    inputs: ["dy", "y"],
    outputs: ["dx"],
    compute: (g, { dy, y }) => ({ dx: g.mul(dy, g.sub(g.constant(1), g.mul(y, y))) }),
  },
  /** y = x (1 + tanh(u)) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3): Hendrycks & Gimpel 2016, section 2 */
  gelu: {
    inputs: ["x"],
    outputs: ["y"],
    compute: (g, { x }) => ({ y: g.mul(g.mul(g.constant(0.5), x), g.add(g.constant(1), geluTanh(g, x).t)) }),
  },
  /** dx = dy gelu'(x) */
  geluBack: {
    inputs: ["dy", "x"],
    outputs: ["dx"],
    compute: (g, { dy, x }) => {
      const { t, slope } = geluTanh(g, x);
      const one = g.constant(1);
      const half = g.constant(0.5);
      const rise = g.mul(g.mul(g.mul(half, x), g.sub(one, g.mul(t, t))), slope);
      return { dx: g.mul(dy, g.add(g.mul(half, g.add(one, t)), rise)) };
    },
  },
  /** y = max(x, 0); a NaN stays one */
  relu: {
    inputs: ["x"],
    outputs: ["y"],
    compute: (g, { x }) => ({ y: rectified(g, x) }),
  },
  /** dx = dy where y > 0, else 0 */
  reluBack: {
    inputs: ["dy", "y"],
    outputs: ["dx"],
    compute: (g, { dy, y }) => ({ dx: rectifiedBack(g, dy, y) }),
  },
  /** y = a + b */
  add: { inputs: ["a", "b"], outputs: ["y"], compute: (g, { a, b }) => ({ y: g.add(a, b) }) },
  /** y = a b */
  multiplyBoth: { inputs: ["a", "b"], outputs: ["y"], compute: (g, { a, b }) => ({ y: g.mul(a, b) }) },
  /** y = x + factor d */
  addScaled: {
    inputs: ["x", "d"],
    scalars: ["factor"],
    outputs: ["y"],
    compute: (g, { x, d, factor }) => ({ y: g.add(x, g.mul(factor, d)) }),
  },
  /** v = momentum v + g + decay w; w = w - rate v (Sutskever et al. 2013, ICML, without its correction) */
  momentum: {
    inputs: ["w", "g", "v"],
    scalars: ["rate", "factor", "decay"],
    outputs: ["newW", "newV"],
    compute: (g, { w, g: gradient, v, rate, factor, decay }) => {
      const newV = g.add(g.mul(factor, v), g.add(gradient, g.mul(decay, w)));
      return { newW: g.sub(w, g.mul(rate, newV)), newV };
    },
  },
  /** The same with Nesterov's look ahead: w = w - rate (g + decay w + momentum v) */
  nesterov: {
    inputs: ["w", "g", "v"],
    scalars: ["rate", "factor", "decay"],
    outputs: ["newW", "newV"],
    compute: (g, { w, g: gradient, v, rate, factor, decay }) => {
      const slope = g.add(gradient, g.mul(decay, w));
      const newV = g.add(g.mul(factor, v), slope);
      return { newW: g.sub(w, g.mul(rate, g.add(slope, g.mul(factor, newV)))), newV };
    },
  },
  /**
   * Adam with bias corrections in `rate` and `root` (Kingma & Ba 2015, ICLR, end of section 2) and decay apart from the
   * gradient (Loshchilov & Hutter 2019, ICLR): w = w - loss w - rate m / (root sqrt(s) + epsilon). `rest…` are 1 - beta…, which
   * float32 would know to 5e-5 only.
   */
  adam: {
    inputs: ["w", "g", "m", "s"],
    scalars: ["rate", "beta1", "rest1", "beta2", "rest2", "root", "epsilon", "loss", "decay"],
    outputs: ["newW", "newM", "newS"],
    compute: (g, { w, g: plain, m, s, rate, beta1, rest1, beta2, rest2, root, epsilon, loss, decay }) => {
      const gradient = g.add(plain, g.mul(decay, w));
      const newM = g.add(g.mul(beta1, m), g.mul(rest1, gradient));
      const newS = g.add(g.mul(beta2, s), g.mul(rest2, g.mul(gradient, gradient)));
      const step = g.div(g.mul(rate, newM), g.add(g.mul(root, g.node("sqrt", [newS])), epsilon));
      return { newW: g.sub(g.sub(w, g.mul(loss, w)), step), newM, newS };
    },
  },
} as const satisfies Readonly<Record<string, Elementwise>>;

/** On tables: see rowwise.ts. `c…` are numbers of a feature, `r…` of a row. */
export const rowwise = {
  ...normalising,
  /** y = c */
  fillColumns: { inputs: [], columns: ["c"], outputs: ["y"], compute: (_, { c }) => ({ y: c }) },
  /** y = x + c */
  addColumns: {
    inputs: ["x"],
    columns: ["c"],
    outputs: ["y"],
    compute: (g, { x, c }) => ({ y: g.add(x, c) }),
  },
  /** y = c x */
  scaleColumns: {
    inputs: ["x"],
    columns: ["c"],
    outputs: ["y"],
    compute: (g, { x, c }) => ({ y: g.mul(x, c) }),
  },
  /** y = r x */
  scaleRows: { inputs: ["x"], rows: ["r"], outputs: ["y"], compute: (g, { x, r }) => ({ y: g.mul(x, r) }) },
  /** y = exp(x - r) */
  exponentialRows: {
    inputs: ["x"],
    rows: ["r"],
    outputs: ["y"],
    compute: (g, { x, r }) => ({ y: exp(g, g.sub(x, r)) }),
  },
  /** y = x, at most r in size */
  clipRows: {
    inputs: ["x"],
    rows: ["r"],
    outputs: ["y"],
    compute: (g, { x, r }) => ({ y: g.node("min", [g.node("max", [x, g.node("neg", [r])]), r]) }),
  },
  /** y = a + r b */
  addRows: {
    inputs: ["a", "b"],
    rows: ["r"],
    outputs: ["y"],
    compute: (g, { a, b, r }) => ({ y: g.add(a, g.mul(r, b)) }),
  },
  /** y = w r + sd z, sd^2 = p(|w r|)^2 + q2 |w r|^power, p of coefficients c0 to c4 */
  disturbRows: {
    inputs: ["w", "z"],
    rows: ["r"],
    scalars: ["c0", "c1", "c2", "c3", "c4", "q2", "power"],
    outputs: ["y"],
    compute: (g, { w, z, r, c0, c1, c2, c3, c4, q2, power }) => {
      const scaled = g.mul(w, r);
      const x = g.node("abs", [scaled]);
      const p = [c3, c2, c1, c0].reduce((sum, c) => g.add(g.mul(sum, x), c), c4);
      const floor = g.constant(1e-7); // before a logarithm
      const power2 = exp(g, g.mul(power, log(g, g.node("max", [x, floor]))));
      const variance = g.add(g.mul(p, p), g.mul(q2, power2));
      return { y: g.add(scaled, g.mul(g.node("sqrt", [variance]), z)) };
    },
  },
  /** dx = y (dy - r), for y = softmax(x) and r = sum of dy y */
  softmaxBack: {
    inputs: ["dy", "y"],
    rows: ["r"],
    outputs: ["dx"],
    compute: (g, { dy, y, r }) => ({ dx: g.mul(y, g.sub(dy, r)) }),
  },
} as const satisfies Readonly<Record<string, Rowwise>>;

/** Sums over rows, added to a number of each feature. */
export const columnSums = {
  /** sum of x */
  sumColumns: { inputs: ["x"], outputs: ["y"], compute: (_, { x }) => ({ y: x }) },
  /** sum of a b */
  sumProducts: { inputs: ["a", "b"], outputs: ["y"], compute: (g, { a, b }) => ({ y: g.mul(a, b) }) },
} as const satisfies Readonly<Record<string, Rowwise>>;

/** Sums over features, one for each row. */
export const rowSums = {
  /** sum of x */
  sumRows: { inputs: ["x"], outputs: ["y"], compute: (_, { x }) => ({ y: x }) },
  /** sum of (x - r)^2 */
  spreadRows: {
    inputs: ["x"],
    rows: ["r"],
    outputs: ["y"],
    compute: (g, { x, r }) => {
      const d = g.sub(x, r);
      return { y: g.mul(d, d) };
    },
  },
  /** sum of a b */
  dotRows: { inputs: ["a", "b"], outputs: ["y"], compute: (g, { a, b }) => ({ y: g.mul(a, b) }) },
} as const satisfies Readonly<Record<string, Rowwise>>;

type Call = (...numbers: number[]) => number;

const others = [
  "active",
  "matvec",
  "vecmat",
  "outer",
  "accumulate",
  "normals",
  "normalTicks",
  "keep",
  "multiply",
  "pack",
  "copyLines",
  "largest",
  "largestBack",
  "average",
  "averageBack",
  "weigh",
  "weighBack",
  "weighGradient",
  "largestRows",
] as const;

/** What the module exports; arguments as documented at each kernel. */
export type Kernels = Readonly<
  Record<
    | keyof typeof elementwise
    | keyof typeof rowwise
    | keyof typeof columnSums
    | keyof typeof chunkSums
    | keyof typeof rowSums
    | CellName
    | PeripheryName
    | MinimalName
    | (typeof others)[number],
    Call
  >
> & {
  readonly heap: Heap;
  readonly threads: number;
  /** Ends threads, where there are any. */
  readonly close: () => void;
};

export interface KernelOptions {
  /** Threads that share products and tables: the same bits for any number. Default 1. */
  readonly threads?: number;
  /** Fuse products and sums: faster, and other bits on other machines. Throws where the machine cannot. Default false. */
  readonly fused?: boolean;
}

/** Machine code for any heap: the same for all networks of a process, as it takes 20 ms and is tuned as it runs. */
const compiled = new Map<string, Promise<WebAssembly.Module>>();

function compile(fused: boolean, shared: boolean): Promise<WebAssembly.Module> {
  const module = new ModuleBuilder();
  addMatvec(module);
  addNormals(module);
  addMinimal(module, addProduct(module, { fused }));
  addImages(module);
  for (const [name, what] of Object.entries(elementwise)) addElementwise(module, name, what);
  for (const [name, what] of Object.entries(rowwise)) addRowwise(module, name, what);
  for (const [name, what] of Object.entries(columnSums)) addColumnSums(module, name, what);
  for (const [name, what] of Object.entries(chunkSums)) addChunkSums(module, name, what);
  for (const [name, what] of Object.entries(rowSums)) addRowSums(module, name, what);
  addRowSums(module, "largestRows", rowSums.sumRows, "max");
  addCells(module);
  addPeriphery(module);
  return WebAssembly.compile(module.assemble({ pages: 1, maximumPages: 65536, shared }));
}

/**
 * The kernels over a new heap of so many bytes. Throws `ConfigError` for more than 4 GiB, and for threads where there are
 * none.
 */
export async function compileKernels(bytes: number, options: KernelOptions = {}): Promise<Kernels> {
  const { fused = false, threads = 1 } = options;
  if (!(Number.isInteger(threads) && threads >= 1))
    throw new ConfigError(`threads are a whole number from 1, not ${threads}`);
  const shared = threads > 1;
  if (shared && !threadsAvailable())
    throw new ConfigError("there are no threads here: a page needs cross-origin isolation");
  const heap = new Heap(bytes, { shared });
  const key = `${fused} ${shared}`;
  const code = compiled.get(key) ?? compile(fused, shared);
  compiled.set(key, code);
  const module = await code;
  const { exports } = await WebAssembly.instantiate(module, { env: { memory: heap.memory } });
  const calls = { ...exports } as unknown as Omit<Kernels, "heap" | "threads" | "close">;
  if (!shared) return { ...calls, heap, threads, close: () => {} };
  const tables = { ...rowwise, ...peripheryTables };
  const dealt = [elementwise, tables, chunkSums, cells].flatMap((kernels) => Object.keys(kernels));
  const crew = await startCrew(threads, {
    module,
    memory: heap.memory,
    names: ["multiply", "normalTicks", "copyLines", ...minimalNames, ...dealt],
  });
  const plans = heap.take(planNumbers * threads).at;
  const shares: Record<string, Call> = {
    multiply: dealtProducts(crew, calls.multiply, heap.memory, plans),
    normalTicks: dealtTicks(crew, calls.normalTicks),
    copyLines: dealtLines(crew, calls.copyLines),
  };
  for (const name of minimalNames) shares[name] = dealtFilters(crew, name, calls[name]);
  for (const [name, { inputs, outputs }] of Object.entries<Elementwise>(elementwise)) {
    const call = calls[name as keyof typeof elementwise];
    shares[name] = dealtNumbers(crew, name, call, inputs.length + outputs.length);
  }
  for (const [name, what] of Object.entries<Rowwise>(tables)) {
    const { inputs, outputs, columns = [], rows = [] } = what;
    shares[name] = dealtRows(crew, name, calls[name as keyof typeof tables], {
      tables: inputs.length + outputs.length,
      columns: columns.length,
      perRow: rows.length,
    });
  }
  for (const name of Object.keys(cells) as CellName[]) shares[name] = dealtCells(crew, name, calls[name]);
  for (const [name, { inputs, outputs }] of Object.entries<Rowwise>(chunkSums))
    shares[name] = dealtChunks(crew, name, calls[name as keyof typeof chunkSums], {
      inputs: inputs.length,
      outputs: outputs.length,
      chunk: rowsTogether,
    });
  return { ...calls, ...shares, heap, threads, close: () => crew.close() };
}
