/**
 * Layers with their buffers: what they all have in common.
 *
 * `forward` leaves outputs in a table of its own, valid until the next `forward`. `backward` takes the loss's derivative
 * by the outputs, which it may overwrite, adds derivatives by parameters to their gradients, and gives that by the inputs
 * of the last `forward`. All tables are made once.
 */
import type { Block } from "./heap.ts";
import type { Kernels } from "./kernels.ts";
import type { Layer } from "./layers.ts";
import type { Matrices } from "./matrix.ts";
import type { Shape, Table } from "./table.ts";

/** One batch. */
export interface Pass {
  /** Examples in it. */
  readonly count: number;
  readonly purpose: "training" | "inference";
  /** Number of the batch, of those of its purpose: where its random numbers are. */
  readonly tick: number;
}

/** Numbers that are learnt. */
export interface Parameter {
  /** Path of the layer and what it is, such as "3.weights". */
  readonly name: string;
  /** Sizes without what fills rows up, last across. */
  readonly shape: Shape;
  readonly value: Block; // rows filled up to whole vectors with 0
  readonly gradient: Block; // of the same size, 0 before a batch
  /** Whether weight decay applies. */
  readonly decays: boolean;
  /** Told after every step of learning. */
  readonly changed?: () => void;
  /** Told after values have been set from outside. */
  readonly renewed?: () => void;
  /** Weights that are stored elsewhere, where `value` is only what is to change them: a copy. They cannot be set. */
  readonly stored?: () => Float32Array;
}

/** Numbers that a layer keeps but does not learn by gradients, such as running means. */
export interface Memory {
  readonly name: string;
  readonly data: Float32Array;
}

export interface Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly memories?: readonly Memory[];
  forward(x: Table, pass: Pass): Table;
  /** Without `wanted` nobody asks for the result. */
  backward(dy: Table, pass: Pass, wanted: boolean): Table;
  /** Forgets what batches of a purpose, or all, have left for the next one. */
  forget?(purpose?: Pass["purpose"]): void;
}

/** What a layer is built with. */
export interface Site {
  readonly kernels: Kernels;
  /** Of its inputs, for one example. */
  readonly inputs: Shape;
  /** Most examples in a batch. */
  readonly examples: number;
  /** Where it is in the network, such as "3" or "3.body.0"; of `seed` its own random numbers are drawn. */
  readonly path: string;
  readonly seed: string;
  /** Whether something learns before it, so that derivatives by its inputs are wanted. */
  readonly needsBackward: boolean;
  /** Makes the products with its weights. */
  readonly matrices: Matrices;
  /** Builds layers inside it. */
  readonly build: (layers: readonly Layer[], site: Site) => Stage;
}
