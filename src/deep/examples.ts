/** Labelled examples, and random orders of them. */
import { randomKey, uniform } from "../math/random.ts";

/** Labelled examples, one after the other. */
export interface Examples {
  readonly inputs: Uint8Array | Float32Array; // [example][input]
  readonly labels: ArrayLike<number>; // [example], the class from 0
  /** Factor of all inputs, such as 1 / 255 for grey levels. Default 1. */
  readonly scale?: number;
}

export interface PassOptions {
  /** Aborted when the pass should end soon. */
  readonly signal?: AbortSignal;
  /** Told from time to time how many examples are done. */
  readonly progress?: (examples: number) => void;
}

/** The same examples in random order: copies. */
export function shuffled(examples: Examples, seed: string | number): Examples {
  const { inputs, labels } = examples;
  const width = inputs.length / labels.length;
  const order = permutation(labels.length, seed);
  const moved = inputs.slice();
  order.forEach((from, to) => {
    moved.set(inputs.subarray(from * width, (from + 1) * width), to * width);
  });
  return { ...examples, inputs: moved, labels: Uint32Array.from(order, (from) => labels[from]) };
}

/** Whole numbers below `size` in random order (Durstenfeld 1964, Commun. ACM 7:420). */
export function permutation(size: number, seed: string | number): Uint32Array {
  const key = randomKey(seed, "order");
  const order = Uint32Array.from({ length: size }, (_, k) => k);
  for (let k = size - 1; k > 0; k--) {
    const other = Math.floor(uniform(key, 0, k, 0) * (k + 1));
    [order[k], order[other]] = [order[other], order[k]];
  }
  return order;
}
