/**
 * Networks as the matrices that they hold: what mapping on crossbars and its cost need to know, and no weights.
 *
 * Plain data. A matrix has its inputs on rows and its outputs on columns; `positions` says how often it is used for one
 * sample. Activations, normalisation and products of activations with each other have no matrix and do not appear.
 */
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";

const matrixKinds = ["dense", "convolution", "recurrent"] as const;

/** One weight matrix of a network. */
export interface MatrixShape {
  readonly name: string;
  readonly kind: (typeof matrixKinds)[number];
  /** Rows on a crossbar; of a convolution kernel height x kernel width x input channels. */
  readonly inputs: number;
  /** Columns on a crossbar; of a convolution the output channels. */
  readonly outputs: number;
  /** Height and width of the kernel; default 1 x 1. */
  readonly kernel?: readonly [number, number];
  /** Channels of a group see only each other; a depthwise convolution has as many groups as channels. Default 1. */
  readonly groups?: number;
  /** Products with the matrix for one sample: pixels of the output, words of a sentence. */
  readonly positions: number;
  /** Whether it sits on crossbars; default true. */
  readonly analog?: boolean;
}

/** A network as its matrices, in the order in which they are used. */
export interface NetworkShape {
  readonly name: string;
  readonly source: string;
  /** What one sample is, "image of 32 x 32 x 3". */
  readonly sample: string;
  readonly matrices: readonly MatrixShape[];
  /** Steps in a sample of a sequence, and what they are: { count: 128, unit: "tokens" }. */
  readonly steps?: { readonly count: number; readonly unit: string };
}

const matrixKeys = ["name", "kind", "inputs", "outputs", "kernel", "groups", "positions", "analog"];

/** Checks a network of matrices and freezes it. Throws `ConfigError` with network and matrix. */
export function networkShape(network: NetworkShape): NetworkShape {
  if (network.matrices.length === 0) throw new ConfigError(`network ${network.name} has no matrices`);
  const names = new Set<string>();
  for (const matrix of network.matrices) {
    checkMatrix(network.name, matrix);
    if (names.has(matrix.name)) throw fault(network.name, matrix, "there are two of this name");
    names.add(matrix.name);
  }
  const matrices = network.matrices.map((matrix) => Object.freeze({ ...matrix }));
  return Object.freeze({ ...network, matrices: Object.freeze(matrices) });
}

function checkMatrix(network: string, matrix: MatrixShape): void {
  for (const key of Object.keys(matrix))
    if (!matrixKeys.includes(key))
      throw fault(network, matrix, `it has no ${key}${didYouMean(key, matrixKeys)}`);
  if (!matrixKinds.includes(matrix.kind)) {
    const hint = didYouMean(String(matrix.kind), matrixKinds);
    throw fault(network, matrix, `its kind is ${matrixKinds.join(", ")}, not ${matrix.kind}${hint}`);
  }
  const { kernel = [1, 1], groups = 1 } = matrix;
  const counts = { ...matrix, groups, "kernel[0]": kernel[0], "kernel[1]": kernel[1] };
  for (const key of ["inputs", "outputs", "positions", "groups", "kernel[0]", "kernel[1]"] as const)
    if (!Number.isSafeInteger(counts[key]) || counts[key] < 1)
      throw fault(network, matrix, `${key} is a whole number from 1 on, not ${counts[key]}`);
  const channels = channelsOf(matrix);
  if (!Number.isInteger(channels))
    throw fault(network, matrix, `${matrix.inputs} inputs are not kernels of ${kernel.join(" x ")}`);
  if (channels % groups !== 0 || matrix.outputs % groups !== 0) {
    const sizes = `${channels} channels and ${matrix.outputs} outputs`;
    throw fault(network, matrix, `${sizes} do not split into ${groups} groups`);
  }
}

function fault(network: string, { name }: MatrixShape, reason: string): ConfigError {
  return new ConfigError(`network ${network}, matrix ${name}: ${reason}`);
}

/** Cells of the kernel of one channel: 9 of a 3 x 3 convolution, 1 of a dense layer. */
export function tapsOf({ kernel = [1, 1] }: MatrixShape): number {
  return kernel[0] * kernel[1];
}

/** Input channels: rows that the kernel does not multiply. */
export function channelsOf(matrix: MatrixShape): number {
  return matrix.inputs / tapsOf(matrix);
}

/** Weights of the matrix; without those between groups, which are not there. */
export function weightsOf({ inputs, outputs, groups = 1 }: MatrixShape): number {
  return (inputs * outputs) / groups;
}

/** The matrices that sit on crossbars. */
export function analogMatrices({ matrices }: NetworkShape): readonly MatrixShape[] {
  return matrices.filter(({ analog = true }) => analog);
}
