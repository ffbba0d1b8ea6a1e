/** Labelled examples in batches for learning: in another order in each epoch, changed at random by `augment`. */
import { ConfigError } from "../math/errors.ts";
import { formatShape, sizeOf } from "../tensor/table.ts";
import { type Augmentation, augmenter } from "./augment.ts";
import { permutation } from "./examples.ts";
import type { Batch } from "./train.ts";

/** Labelled examples, one after the other. */
export interface BatchedExamples {
  readonly inputs: Uint8Array | Int16Array | Float32Array; // [example][…shape]
  readonly labels: ArrayLike<number>; // [example], the class from 0
  /** Factor of all inputs, such as 1 / 255 for grey levels. Default 1. */
  readonly scale?: number;
}

export interface BatchOptions {
  /** Examples in a batch. */
  readonly size: number;
  readonly seed: string | number;
  /** Which pass over the examples this is: another order, other changes. Default 0. */
  readonly epoch?: number;
  /** Of one example, features last; the default is one axis. */
  readonly shape?: readonly number[];
  /** Done to each example in turn. Default none. */
  readonly augment?: readonly Augmentation[];
  /** "given": as they come, for evaluation. Default "random". */
  readonly order?: "random" | "given";
  /** What is left when the examples do not fill the last batch: kept as a smaller batch (default) or dropped. */
  readonly rest?: "keep" | "drop";
  /** When aborted, there are no more batches. */
  readonly signal?: AbortSignal;
}

/** Views of arrays that the next batch is written to. */
export interface LabelledBatch extends Batch {
  readonly labels: Uint32Array; // [example]
}

/**
 * One epoch, in the order of `train` for the same seed. What an example becomes follows from seed, epoch and its number, whatever the size of batches. Throws `ConfigError` where
 * examples, shape and steps do not fit.
 */
export function* batches(
  examples: BatchedExamples,
  o: BatchOptions,
): Generator<LabelledBatch, void, undefined> {
  const { inputs, labels, scale = 1 } = examples;
  const { size, seed, epoch = 0, signal } = o;
  const all = labels.length;
  if (all === 0) throw new ConfigError("there are no examples");
  if (!(Number.isInteger(size) && size > 0))
    throw new ConfigError(`the size of a batch is a positive whole number, not ${size}`);
  if (!(Number.isInteger(epoch) && epoch >= 0))
    throw new ConfigError(`an epoch is a whole number from 0 on, not ${epoch}`);
  const shape = o.shape ?? [inputs.length / all];
  const width = sizeOf(shape);
  if (inputs.length !== all * width)
    throw new ConfigError(
      `${all} examples of ${formatShape(shape)} are ${all * width} numbers, not ${inputs.length}`,
    );
  const steps = augmenter(o.augment ?? [], { shape, seed });
  const outWidth = sizeOf(steps.shape);
  const order =
    o.order === "given"
      ? Uint32Array.from({ length: all }, (_, k) => k)
      : permutation(all, `${seed}/${epoch}`);
  const most = Math.min(size, all);
  const batch = new Float32Array(most * outWidth);
  const classes = new Uint32Array(most);
  const end = o.rest === "drop" ? all - (all % size) : all;
  for (let from = 0; from < end; from += size) {
    if (signal?.aborted) return;
    const count = Math.min(size, all - from);
    const chosen = order.subarray(from, from + count);
    chosen.forEach((example, k) => {
      classes[k] = labels[example];
      const own = inputs.subarray(example * width, (example + 1) * width);
      steps.apply(own, batch.subarray(k * outWidth, (k + 1) * outWidth), { example, epoch, scale });
    });
    yield {
      epoch,
      inputs: batch.subarray(0, count * outWidth),
      labels: classes.subarray(0, count),
      examples: chosen,
    };
  }
}
