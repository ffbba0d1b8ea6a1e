/**
 * All kernels of the training core in one module over one heap.
 *
 * Arrays are given by their byte offset, sizes as counts of numbers. Elementwise kernels work four numbers at a time and
 * `normals` sixteen, past the end of what they are told: blocks of the heap have room for the first, the second needs
 * `normalCount` numbers.
 */
import { ModuleBuilder } from "../wasm/assembler.ts";
import { exp } from "../wasm/exponential.ts";
import { addElementwise, type Elementwise } from "./elementwise.ts";
import { Heap } from "./heap.ts";
import { addMatvec } from "./matvec.ts";
import { addNormals } from "./noise.ts";

/** Room that `normals` needs for `count` numbers. */
export const normalCount = (count: number): number => Math.ceil(count / 16) * 16;

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
} as const satisfies Readonly<Record<string, Elementwise>>;

type Call = (...numbers: number[]) => number;

/** What the module exports; arguments as documented at each kernel. */
export type Kernels = Readonly<
  Record<keyof typeof elementwise | "active" | "matvec" | "vecmat" | "outer" | "accumulate" | "normals", Call>
> & { readonly heap: Heap };

/** The kernels over a new heap of so many bytes. Throws `ConfigError` for more than 4 GiB. */
export async function compileKernels(bytes: number): Promise<Kernels> {
  const heap = new Heap(bytes);
  const module = new ModuleBuilder();
  addMatvec(module);
  addNormals(module);
  for (const [name, what] of Object.entries(elementwise)) addElementwise(module, name, what);
  const pages = heap.memory.buffer.byteLength / 65536;
  const code = module.assemble({ pages, maximumPages: pages, shared: false });
  const { instance } = await WebAssembly.instantiate(code, { env: { memory: heap.memory } });
  return { ...(instance.exports as unknown as Omit<Kernels, "heap">), heap };
}
