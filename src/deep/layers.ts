/**
 * What a network is made of, as plain data: layers, and layers of layers.
 *
 * A layer knows its own sizes; what comes in is told by the network. Shapes are of one example, features last:
 * [features], [height, width, channels], [time, features].
 */
import { ConfigError } from "../math/errors.ts";

/** Numbers of two directions: down and across. */
type Both = number | readonly [number, number];

/** A layer of a network. */
export type Layer =
  | { readonly kind: "dense"; readonly inputs: number; readonly outputs: number; readonly bias: boolean }
  | {
      readonly kind: "conv2d";
      readonly outputs: number;
      readonly kernel: readonly [number, number];
      readonly stride: readonly [number, number];
      /** "same": outputs are inputs / stride, rounded up, what is odd of the border at the end; or lines and columns of zeros. */
      readonly padding: "same" | readonly [number, number];
      readonly bias: boolean;
      /** Channels and outputs are dealt out to so many groups that see only their own. Default 1. */
      readonly groups?: number;
    }
  | {
      readonly kind: "depthwise";
      readonly kernel: readonly [number, number];
      readonly stride: readonly [number, number];
      readonly padding: "same" | readonly [number, number];
      readonly bias: boolean;
    }
  | { readonly kind: "sigmoid" | "tanh" | "relu" | "gelu" | "flatten" }
  | { readonly kind: "globalAveragePool" }
  | {
      readonly kind: "maxPool" | "averagePool";
      readonly size: readonly [number, number];
      readonly stride: readonly [number, number];
    }
  | { readonly kind: "batchNorm"; readonly momentum: number; readonly epsilon: number }
  | { readonly kind: "layerNorm"; readonly epsilon: number }
  | { readonly kind: "dropout"; readonly rate: number }
  | { readonly kind: "embedding"; readonly size: number; readonly features: number }
  | { readonly kind: "positions" }
  | {
      readonly kind: "lstm" | "gru";
      readonly units: number;
      readonly outputs: "sequence" | "last";
      readonly bidirectional: boolean;
      /** Whether a batch begins with the states that the one before of the same purpose left. */
      readonly stateful: boolean;
      /** Added to the forget gates' biases at the start; of lstm alone. */
      readonly forgetBias: number;
    }
  | { readonly kind: "repeat"; readonly times: number }
  | { readonly kind: "spiking"; readonly decay: number; readonly steepness: number }
  | { readonly kind: "attention"; readonly heads: number; readonly causal: boolean }
  | { readonly kind: "residual"; readonly body: readonly Layer[]; readonly shortcut: readonly Layer[] }
  | { readonly kind: "concatenation"; readonly branches: readonly (readonly Layer[])[] };

export type LayerKind = Layer["kind"];
export const layerKinds: readonly LayerKind[] = [
  ...([
    "dense",
    "conv2d",
    "depthwise",
    "sigmoid",
    "tanh",
    "relu",
    "gelu",
    "flatten",
    "globalAveragePool",
  ] as const),
  ...(["maxPool", "averagePool", "batchNorm", "layerNorm", "dropout", "embedding", "positions"] as const),
  ...(["lstm", "gru", "repeat", "spiking", "attention", "residual", "concatenation"] as const),
];

const both = (size: Both): readonly [number, number] =>
  typeof size === "number" ? [size, size] : [size[0], size[1]];

interface WindowOptions {
  /** Lines and columns of a patch, or one number for both. */
  readonly kernel: Both;
  /** Default 1. */
  readonly stride?: Both;
  /** "same" (default), or lines and columns of zeros at each side. */
  readonly padding?: "same" | Both;
  /** Default true. */
  readonly bias?: boolean;
}

const window = ({ kernel, stride = 1, padding = "same", bias = true }: WindowOptions) => ({
  kernel: both(kernel),
  stride: both(stride),
  padding: padding === "same" ? padding : both(padding),
  bias,
});

/** Every output a weighted sum of all inputs and, with a bias, of a 1: weights [output][input]. */
export const dense = (inputs: number, outputs: number, options: { readonly bias?: boolean } = {}): Layer =>
  Object.freeze({ kind: "dense", inputs, outputs, bias: options.bias ?? true });

/**
 * Weighted sums of patches of an image, the same at every place: weights [output][line][column][channel]. With `groups` (default
 * 1) channels and outputs are shared out in their order, and each group has weights of its own, "group0.weights" and so on.
 */
export const conv2d = (outputs: number, options: WindowOptions & { readonly groups?: number }): Layer =>
  Object.freeze({
    kind: "conv2d",
    outputs,
    ...window(options),
    ...(options.groups === undefined ? {} : { groups: options.groups }),
  });

/** Weighted sums of patches of each channel by itself: weights [line and column][channel]. */
export const depthwise = (options: WindowOptions): Layer =>
  Object.freeze({ kind: "depthwise", ...window(options) });

/** 1 / (1 + exp(-x)) of each number. */
export const sigmoid = (): Layer => Object.freeze({ kind: "sigmoid" });
/** tanh(x) of each number. */
export const tanh = (): Layer => Object.freeze({ kind: "tanh" });
/** max(x, 0) of each number. */
export const relu = (): Layer => Object.freeze({ kind: "relu" });
/** x times the normal distribution function of x (Hendrycks & Gimpel 2016, arXiv:1606.08415). */
export const gelu = (): Layer => Object.freeze({ kind: "gelu" });
/** All numbers of an example side by side. */
export const flatten = (): Layer => Object.freeze({ kind: "flatten" });
/** The mean over all places of an image, or times of a sequence. */
export const globalAveragePool = (): Layer => Object.freeze({ kind: "globalAveragePool" });
/** The largest number of each window of each channel. `stride`: default the size. */
export const maxPool = (size: Both, stride: Both = size): Layer =>
  Object.freeze({ kind: "maxPool", size: both(size), stride: both(stride) });
/** The mean of each window of each channel. `stride`: default the size. */
export const averagePool = (size: Both, stride: Both = size): Layer =>
  Object.freeze({ kind: "averagePool", size: both(size), stride: both(stride) });
/**
 * Each feature less its mean over the batch, divided by its spread, then scaled and shifted as learnt (Ioffe & Szegedy
 * 2015, arXiv:1502.03167). Afterwards with running means, of which `momentum` (default 0.1) is new in each batch.
 */
export const batchNorm = (o: { readonly momentum?: number; readonly epsilon?: number } = {}): Layer =>
  Object.freeze({ kind: "batchNorm", momentum: o.momentum ?? 0.1, epsilon: o.epsilon ?? 1e-5 });
/** Each row less its mean, divided by its spread, then scaled and shifted as learnt (Ba et al. 2016, arXiv:1607.06450). */
export const layerNorm = (o: { readonly epsilon?: number } = {}): Layer =>
  Object.freeze({ kind: "layerNorm", epsilon: o.epsilon ?? 1e-5 });
/** While training each number is 0 with this probability, the others are divided by 1 - rate (Srivastava et al. 2014, JMLR 15:1929). */
export const dropout = (rate: number): Layer => Object.freeze({ kind: "dropout", rate });
/** For whole numbers from 0, one at each position: a learnt row of `features` for each of `size` words. */
export const embedding = (size: number, features: number): Layer =>
  Object.freeze({ kind: "embedding", size, features });
/** Adds a learnt row for each time of a sequence, at first waves of many lengths (Vaswani et al. 2017, section 3.5). */
export const positions = (): Layer => Object.freeze({ kind: "positions" });

interface RecurrentOptions {
  /** Outputs of all times or of the last alone. Default "sequence". */
  readonly outputs?: "sequence" | "last";
  /** A second one goes from the end to the beginning; outputs of both side by side. Default false. */
  readonly bidirectional?: boolean;
  /**
   * A batch begins where the one before of the same purpose ended, example by example, until `forget()` of the network;
   * derivatives stay within a batch (Williams & Peng 1990, Neural Comput. 2:490). Default false: it begins with 0.
   */
  readonly stateful?: boolean;
}
const recurrent = (kind: "lstm" | "gru", units: number, o: RecurrentOptions, forgetBias: number): Layer =>
  Object.freeze({
    kind,
    units,
    outputs: o.outputs ?? "sequence",
    bidirectional: o.bidirectional ?? false,
    stateful: o.stateful ?? false,
    forgetBias,
  });
/**
 * Long short-term memory with forget gates (Hochreiter & Schmidhuber 1997; Gers et al. 2000, Neural Comput. 12:2451), whose
 * biases begin at `forgetBias`, default 1 (Jozefowicz et al. 2015, ICML, section 5).
 */
export const lstm = (
  units: number,
  options: RecurrentOptions & { readonly forgetBias?: number } = {},
): Layer => recurrent("lstm", units, options, options.forgetBias ?? 1);
/** Gated recurrent units, the reset gate behind the recurrent product (Cho et al. 2014; as cuDNN and PyTorch have it). */
export const gru = (units: number, options: RecurrentOptions = {}): Layer =>
  recurrent("gru", units, options, 0);
/** The same numbers at each of so many times: [features] becomes [time, features]. */
export const repeat = (times: number): Layer => Object.freeze({ kind: "repeat", times });
/**
 * Cells that leak, integrate and fire: spikes [time, features] of 0 and 1. Their potential keeps the part `decay` (default 0.9; 1
 * does not leak) from time to time; past 1 they fire and it falls by 1. Derivatives go through 1 / (1 + steepness |potential -
 * 1|)^2, default 10, in place of the step's (Neftci et al. 2019, IEEE Signal Process. Mag. 36:51).
 */
export const spiking = (o: { readonly decay?: number; readonly steepness?: number } = {}): Layer =>
  Object.freeze({ kind: "spiking", decay: o.decay ?? 0.9, steepness: o.steepness ?? 10 });
/** Scaled dot products of queries and keys weigh values, in several heads (Vaswani et al. 2017, arXiv:1706.03762). `causal`: no look ahead. */
export const attention = (o: { readonly heads: number; readonly causal?: boolean }): Layer =>
  Object.freeze({ kind: "attention", heads: o.heads, causal: o.causal ?? false });

/** The sum of what the body makes of the inputs and of what the shortcut makes: by default the inputs themselves. */
export const residual = (body: readonly Layer[], shortcut: readonly Layer[] = []): Layer =>
  Object.freeze({ kind: "residual", body: [...body], shortcut: [...shortcut] });
/** What all branches make of the inputs, side by side. */
export const concatenation = (...branches: readonly (readonly Layer[])[]): Layer => {
  if (branches.length === 0) throw new ConfigError("concatenation: there is no branch");
  return Object.freeze({ kind: "concatenation", branches: branches.map((branch) => [...branch]) });
};

/** How an error names a layer. */
export function nameLayer(layer: Layer, path: string): string {
  if (layer.kind === "dense") return `layer ${path}, dense(${layer.inputs}, ${layer.outputs})`;
  if (layer.kind === "embedding") return `layer ${path}, embedding(${layer.size}, ${layer.features})`;
  if (layer.kind === "conv2d") return `layer ${path}, conv2d(${layer.outputs})`;
  if (layer.kind === "lstm" || layer.kind === "gru") return `layer ${path}, ${layer.kind}(${layer.units})`;
  return `layer ${path}, ${layer.kind}()`;
}
