/** Passes over examples in batches: learning from them, and counting how many are named rightly. */
import { ConfigError } from "../math/errors.ts";
import { formatShape, positionsOf, sizeOf, withoutFilling } from "../tensor/table.ts";
import { type Examples, type PassOptions, permutation } from "./examples.ts";
import type { Teacher } from "./loss.ts";
import type { OptimizerOptions } from "./optimizer.ts";
import type { Sequential } from "./sequential.ts";

/** Examples of a batch as they were drawn, before they are learnt from. */
export interface Batch {
  /** [example][…shape], to be changed in place. */
  readonly inputs: Float32Array;
  /** Where each was among all examples. */
  readonly examples: Uint32Array;
  readonly epoch: number;
}

export interface TrainOptions extends PassOptions {
  readonly epochs: number;
  readonly optimizer: OptimizerOptions;
  /** Examples in a batch. Default: as many as the network takes. */
  readonly batch?: number;
  /** Of the order of examples, another in each epoch. */
  readonly seed: string | number;
  /** "kept": as they are, and states that layers keep begin anew with each epoch, as for streams of text. Default "random". */
  readonly order?: "random" | "kept";
  /** Changes the inputs of a batch, such as `augment` does. */
  readonly change?: (batch: Batch) => void;
  /** A network whose outputs for the same inputs are learnt as well. */
  readonly teacher?: Omit<Teacher, "outputs"> & { readonly network: Sequential };
  /** Told after each epoch. */
  readonly onEpoch?: (epoch: EpochResult) => void | Promise<void>;
  /** Told before each step, with the number of steps done: such as noise that grows. */
  readonly onStep?: (step: number) => void;
}

export interface EpochResult {
  readonly epoch: number; // from 0
  /** Mean over the epoch's examples, each as it was when it was learnt from; after an interruption over those that were left. */
  readonly loss: number;
  /** Share of rows whose largest output was that of their label. */
  readonly accuracy: number;
}

/** Lets others work, such as who aborts. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Examples and network fit. Throws `ConfigError`. */
function checkExamples(network: Sequential, { inputs, labels }: Examples): number {
  const size = sizeOf(network.inputs);
  const count = inputs.length / size;
  if (count === 0) throw new ConfigError("there are no examples");
  if (!Number.isInteger(count))
    throw new ConfigError(
      `examples of ${formatShape(network.inputs)} are ${size} numbers each; ${inputs.length} are no whole number of them`,
    );
  const rows = count * positionsOf(network.outputs);
  if (labels.length !== rows)
    throw new ConfigError(`${count} examples have ${labels.length} labels, not ${rows}`);
  return count;
}

/** Inputs and labels of some examples, in float32. */
function gather(
  network: Sequential,
  { inputs, labels, scale = 1 }: Examples,
  order: ArrayLike<number>,
): { inputs: Float32Array; labels: Int32Array } {
  const size = sizeOf(network.inputs);
  const rows = positionsOf(network.outputs);
  const own = new Float32Array(order.length * size);
  const ownLabels = new Int32Array(order.length * rows);
  for (let k = 0; k < order.length; k++) {
    const from = order[k] * size;
    for (let j = 0; j < size; j++) own[k * size + j] = inputs[from + j] * scale;
    for (let j = 0; j < rows; j++) ownLabels[k * rows + j] = labels[order[k] * rows + j];
  }
  return { inputs: own, labels: ownLabels };
}

/**
 * Learns from all examples `epochs` times, in batches in random order unless told; the last of an epoch may be smaller. Goes on where
 * an interrupted call of the same options ended. Gives the epochs that ended, fewer when interrupted. Throws `ConfigError`
 * where examples and network do not fit, `NumericError` where a loss is not finite.
 */
export async function train(
  network: Sequential,
  examples: Examples,
  options: TrainOptions,
): Promise<EpochResult[]> {
  const { epochs, batch = network.batch, seed, order: kind = "random", signal, progress, teacher } = options;
  const count = checkExamples(network, examples);
  if (!(Number.isInteger(epochs) && epochs >= 1))
    throw new ConfigError(`epochs are a whole number from 1, not ${epochs}`);
  if (!(Number.isInteger(batch) && batch >= 1 && batch <= network.batch))
    throw new ConfigError(`batch is a whole number from 1 to the network's ${network.batch}, not ${batch}`);
  const perEpoch = Math.ceil(count / batch);
  const all = epochs * perEpoch;
  if (network.steps === 0 || network.steps >= all) network.optimizer = options.optimizer;
  const results: EpochResult[] = [];
  let order: Uint32Array = new Uint32Array();
  let sums = { loss: 0, right: 0, rows: 0 };
  let looked = Date.now();
  for (let step = network.steps; step < all; step++) {
    const epoch = Math.floor(step / perEpoch);
    const place = step - epoch * perEpoch;
    if (place === 0 || order.length === 0) {
      order =
        kind === "kept"
          ? Uint32Array.from({ length: count }, (_, k) => k)
          : permutation(count, `${seed}/${epoch}`);
      if (place === 0) {
        network.forget("training");
        teacher?.network.forget("inference");
      }
      sums = { loss: 0, right: 0, rows: 0 };
    }
    if (Date.now() - looked > 50) {
      progress?.(step * batch);
      await pause();
      looked = Date.now();
    }
    if (signal?.aborted) return results;
    options.onStep?.(step);
    const chosen = order.subarray(place * batch, Math.min(count, (place + 1) * batch));
    const { inputs, labels } = gather(network, examples, chosen);
    options.change?.({ inputs, examples: chosen, epoch });
    const lesson = teacher && { ...teacher, outputs: predictRows(teacher.network, inputs) };
    network.forward(inputs, { purpose: "training" });
    const { loss, right, rows } = network.judge({ labels }, lesson);
    network.backward();
    network.step(step / all);
    sums.loss += loss * rows;
    sums.right += right;
    sums.rows += rows;
    if (place === perEpoch - 1) {
      const result = { epoch, loss: sums.loss / sums.rows, accuracy: sums.right / sums.rows };
      results.push(result);
      await options.onEpoch?.(result);
    }
  }
  network.optimizer = undefined;
  progress?.(epochs * count);
  return results;
}

/** Outputs without what fills rows up, [row][feature]: a copy. */
function predictRows(network: Sequential, inputs: ArrayLike<number>): Float32Array {
  const { data, features, width, positions } = network.forward(inputs);
  const rows = (inputs.length / sizeOf(network.inputs)) * positions;
  return withoutFilling(data, { rows, columns: features, width });
}

/** What a network makes of examples: rows judged, the share named rightly, and the mean loss. */
export interface Evaluation {
  readonly loss: number;
  readonly accuracy: number;
  /** Rows that have a label. */
  readonly rows: number;
}

/** Looks at all examples without learning, from states of 0 on; ends early when interrupted, with what was seen. */
export async function evaluate(
  network: Sequential,
  examples: Examples,
  { signal, progress }: PassOptions = {},
): Promise<Evaluation> {
  const count = checkExamples(network, examples);
  const sums = { loss: 0, right: 0, rows: 0 };
  network.forget("inference");
  let looked = Date.now();
  for (let from = 0; from < count; from += network.batch) {
    if (Date.now() - looked > 50) {
      progress?.(from);
      await pause();
      looked = Date.now();
    }
    if (signal?.aborted) break;
    const size = Math.min(network.batch, count - from);
    const order = Uint32Array.from({ length: size }, (_, k) => from + k);
    const { inputs, labels } = gather(network, examples, order);
    network.forward(inputs);
    const { loss, right, rows } = network.judge({ labels });
    sums.loss += loss * rows;
    sums.right += right;
    sums.rows += rows;
  }
  progress?.(count);
  return { loss: sums.loss / sums.rows, accuracy: sums.right / sums.rows, rows: sums.rows };
}

/** Outputs for all examples, [row][feature], without learning, from states of 0 on. Throws `ConfigError` for inputs that do not fit. */
export function predict(
  network: Sequential,
  inputs: Uint8Array | Float32Array,
  o: { readonly scale?: number } = {},
): Float32Array {
  const size = sizeOf(network.inputs);
  const count = inputs.length / size;
  if (!(Number.isInteger(count) && count >= 1))
    throw new ConfigError(`examples of ${formatShape(network.inputs)} are ${size} numbers each`);
  const parts: Float32Array[] = [];
  network.forget("inference");
  for (let from = 0; from < count; from += network.batch) {
    const part = inputs.subarray(from * size, Math.min(count, from + network.batch) * size);
    parts.push(
      predictRows(network, o.scale === undefined ? part : Float32Array.from(part, (x) => x * (o.scale ?? 1))),
    );
  }
  const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
