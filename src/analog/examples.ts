/** Passes over labelled examples: learning from each in random order, and counting how many are named rightly. */
import { ConfigError } from "../math/errors.ts";
import { randomKey, uniform } from "../math/random.ts";
import type { OnlineNetwork } from "./online.ts";

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

/** Examples between two looks at the clock and the signal. */
const together = 500;

/** What to learn from in one pass. */
export interface OnlinePass extends PassOptions {
  readonly learningRate: number;
  /** Of the order of the examples: another for each pass. */
  readonly seed: string | number;
}

/**
 * One pass over the examples in random order, one step each. Gives their number, less than all when interrupted, and
 * their mean loss. Throws `ConfigError` where examples and network do not fit, `NumericError` where a loss is not finite.
 */
export async function trainOnline(
  network: OnlineNetwork,
  examples: Examples,
  options: OnlinePass,
): Promise<{ readonly examples: number; readonly loss: number }> {
  const { learningRate, seed } = options;
  if (!(Number.isFinite(learningRate) && learningRate > 0))
    throw new ConfigError(`the learning rate is a positive number, not ${learningRate}`);
  const { scale } = examples;
  let loss = 0;
  const order = permutation(examples.labels.length, seed);
  const done = await pass(network, examples, options, (k, input) => {
    loss += network.learn(input(order[k]), examples.labels[order[k]], { learningRate, scale });
  });
  return { examples: done, loss: loss / done };
}

/** The classes named for the examples: of each, that of the largest output. Fewer when interrupted. */
export async function classify(
  network: OnlineNetwork,
  examples: Examples,
  options: PassOptions = {},
): Promise<Uint32Array> {
  const named = new Uint32Array(examples.labels.length);
  const done = await pass(network, examples, options, (k, input) => {
    const outputs = network.predict(input(k), examples.scale);
    let best = 0;
    for (let c = 1; c < outputs.length; c++) if (outputs[c] > outputs[best]) best = c;
    named[k] = best;
  });
  return named.subarray(0, done);
}

async function pass(
  { inputs: width, outputs }: OnlineNetwork,
  { inputs, labels }: Examples,
  { signal, progress }: PassOptions,
  show: (k: number, input: (example: number) => Uint8Array | Float32Array) => void,
): Promise<number> {
  const count = labels.length;
  if (count === 0) throw new ConfigError("there are no examples");
  if (inputs.length !== count * width)
    throw new ConfigError(
      `${count} examples of ${width} inputs are ${count * width} numbers, not ${inputs.length}`,
    );
  const wrong = Array.prototype.findIndex.call(labels, (label: number) => !(label < outputs));
  if (wrong >= 0)
    throw new ConfigError(`example ${wrong} is of class ${labels[wrong]}, of ${outputs} from 0`);
  const input = (example: number) => inputs.subarray(example * width, (example + 1) * width);
  for (let k = 0; k < count; k++) {
    if (k % together === 0) {
      if (k > 0) progress?.(k);
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (signal?.aborted) return k;
    }
    show(k, input);
  }
  progress?.(count);
  return count;
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
