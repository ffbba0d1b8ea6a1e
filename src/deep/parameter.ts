/** What is learnt, what is kept, and which batch it is: words that layers and matrices share. */
import type { Block } from "../tensor/heap.ts";
import type { Shape } from "../tensor/table.ts";

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
  /** Whether learning alone needs it: it belongs to checkpoints, not to weights. Default false. */
  readonly ofLearning?: boolean;
}
