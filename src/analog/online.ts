/**
 * Networks of layers in a row that learn from one example at a time, in floating point or on crossbars of devices.
 *
 * Arithmetic is float32. A network has one memory, made when it is built. The same seed and the same examples give the
 * same bits on every machine.
 */
import { type Examples, type PassOptions, permutation } from "../deep/examples.ts";
import { type Layer, nameLayer } from "../deep/layers.ts";
import { fabricate } from "../engine/array.ts";
import { ConfigError, NumericError } from "../math/errors.ts";
import { randomKey } from "../math/random.ts";
import { seconds, type Time } from "../math/units.ts";
import type { Block } from "../tensor/heap.ts";
import { compileKernels, type Kernels, normalCount } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import { Crossbar } from "./crossbar.ts";
import { ageingEvery, checkHardware, type Hardware } from "./hardware.ts";
import { MixedPrecision, type MixedPrecisionOptions } from "./mixed.ts";
import { DenseStage, SigmoidStage, type Stage } from "./single.ts";
import { FloatingWeights } from "./weights.ts";

export interface OnlineOptions {
  readonly seed: string | number;
  /**
   * "squared error": half the sum of squared differences from 1 for the right class and 0 for the others; "cross-entropy":
   * minus the logarithm of the right class's share in exp of the outputs. Default "squared error".
   */
  readonly loss?: "squared error" | "cross-entropy";
  /** Left out: weights are float32 numbers, at first normal with variance 1 / (inputs + 1) (LeCun et al. 1998, Efficient BackProp, eq. 16). */
  readonly hardware?: Hardware;
}

/** A network that learns. Made by `onlineNetwork`. */
export class OnlineNetwork {
  readonly inputs: number;
  readonly outputs: number;
  /** Of the dense layers, in order; none in floating point. */
  readonly crossbars: readonly Crossbar[];
  readonly #kernels: Kernels;
  readonly #stages: readonly Stage[];
  readonly #dense: readonly DenseStage[];
  readonly #loss: "squared error" | "cross-entropy";
  readonly #x: Block;
  readonly #result: Block; // outputs, or of cross-entropy their shares
  readonly #error: Block;
  #logSum = 0; // log of the sum of exp of the outputs

  constructor(
    kernels: Kernels,
    stages: readonly Stage[],
    o: { readonly inputs: number; readonly outputs: number; readonly loss: OnlineOptions["loss"] },
  ) {
    this.inputs = o.inputs;
    this.outputs = o.outputs;
    this.#kernels = kernels;
    this.#stages = stages;
    this.#dense = stages.filter((stage) => stage instanceof DenseStage);
    this.crossbars = this.#dense.flatMap(({ weights }) =>
      weights instanceof MixedPrecision ? [weights.crossbar] : [],
    );
    this.#loss = o.loss ?? "squared error";
    this.#x = kernels.heap.take(o.inputs);
    this.#result = kernels.heap.take(o.outputs);
    this.#error = kernels.heap.take(o.outputs);
  }

  /**
   * Outputs for one example, of cross-entropy the shares of the classes: a view, valid until the next example. `scale`
   * multiplies the inputs.
   */
  predict(inputs: ArrayLike<number>, scale = 1): Float32Array {
    return this.#forward(inputs, scale, "inference");
  }

  /**
   * Learns one example of class `label` by one step down its gradient. Gives the loss before. Throws `NumericError` where
   * that is not finite.
   */
  learn(
    inputs: ArrayLike<number>,
    label: number,
    o: { readonly learningRate: number; readonly scale?: number },
  ): number {
    if (!(label >= 0 && label < this.outputs))
      throw new ConfigError(`there is no class ${label} among ${this.outputs}`);
    const result = this.#forward(inputs, o.scale ?? 1, "training");
    const error = this.#error.data;
    let loss = 0;
    for (let k = 0; k < this.outputs; k++) {
      error[k] = result[k] - (k === label ? 1 : 0);
      loss += 0.5 * error[k] * error[k];
    }
    if (this.#loss === "cross-entropy")
      loss = this.#logSum - this.#stages[this.#stages.length - 1].y.data[label];
    if (!Number.isFinite(loss))
      throw new NumericError(`the loss of an example is ${loss}; a smaller learning rate may help`);
    let dy = this.#error;
    for (let k = this.#stages.length - 1; k >= 0; k--) {
      this.#stages[k].backward(dy, k === 0);
      dy = this.#stages[k].dx;
    }
    for (const stage of this.#stages) stage.update(o.learningRate);
    return loss;
  }

  #forward(inputs: ArrayLike<number>, scale: number, purpose: "training" | "inference"): Float32Array {
    if (inputs.length !== this.inputs)
      throw new ConfigError(`the network takes ${this.inputs} numbers, not ${inputs.length}`);
    for (let k = 0; k < this.inputs; k++) this.#x.data[k] = inputs[k] * scale;
    let x = this.#x;
    for (const stage of this.#stages) {
      stage.forward(x, purpose);
      x = stage.y;
    }
    if (this.#loss === "squared error") return x.data;
    const { outputs } = this;
    let most = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < outputs; k++) most = Math.max(most, x.data[k]);
    const shares = this.#result;
    this.#kernels.exponential(outputs, x.at, shares.at, most);
    let sum = 0;
    for (let k = 0; k < outputs; k++) sum += shares.data[k];
    this.#kernels.scale(outputs, shares.at, shares.at, 1 / sum);
    this.#logSum = most + Math.log(sum);
    return shares.data;
  }

  /** Weights of the dense layers: copies, [output][input, 1]; on devices without the noise of reads. */
  weights(): Float32Array[] {
    return this.#dense.map(({ weights }) => weights.values());
  }

  /** Overwrites the weights of a network in floating point. Throws `ConfigError`. */
  setWeights(values: readonly ArrayLike<number>[]): void {
    if (values.length !== this.#dense.length)
      throw new ConfigError(`there are ${this.#dense.length} dense layers, not ${values.length}`);
    this.#dense.forEach(({ weights }, k) => {
      if (!(weights instanceof FloatingWeights))
        throw new ConfigError("weights on devices are written by pulses; they cannot be set");
      weights.set(values[k]);
    });
  }

  /** Time passes for the devices. */
  wait(time: Time): void {
    for (const crossbar of this.crossbars) crossbar.wait(time);
  }
}

/** A network of layers, dense at first. Throws `ConfigError` naming the layer that does not fit. */
export async function onlineNetwork(
  layers: readonly Layer[],
  options: OnlineOptions,
): Promise<OnlineNetwork> {
  const { seed, hardware } = options;
  const sizes = checkLayers(layers);
  if (hardware) checkHardware(hardware);
  const kernels = await compileKernels(
    layers.reduce((sum, layer, k) => sum + bytesOf(layer, sizes[k]), 2 ** 16),
  );
  const stages: Stage[] = [];
  for (const [k, layer] of layers.entries()) {
    if (layer.kind === "sigmoid") stages.push(new SigmoidStage(kernels, sizes[k]));
    else {
      const { outputs, inputs } = layer as Extract<Layer, { kind: "dense" }>;
      const [rows, columns] = [outputs, inputs + 1];
      const path = `${seed}/layer ${k}`;
      const weights = hardware
        ? new MixedPrecision(
            kernels,
            await crossbarOf(kernels, rows, columns, hardware, path),
            ruleOf(hardware),
          )
        : startOf(new FloatingWeights(kernels, rows, columns), kernels, path);
      stages.push(new DenseStage(kernels, weights));
    }
  }
  const [first] = layers as readonly [Extract<Layer, { kind: "dense" }>];
  return new OnlineNetwork(kernels, stages, {
    inputs: first.inputs,
    outputs: sizes[sizes.length - 1],
    loss: options.loss,
  });
}

const named = (layer: Layer, k: number): string => nameLayer(layer, String(k));

/** Outputs of each layer. */
function checkLayers(layers: readonly Layer[]): number[] {
  if (layers.length === 0) throw new ConfigError("a network has at least one layer");
  let size: number | undefined;
  return layers.map((layer, k) => {
    if (layer.kind === "sigmoid") {
      if (size === undefined) throw new ConfigError(`${named(layer, k)}: the first layer is dense`);
      return size;
    }
    if (layer.kind !== "dense" || !layer.bias)
      throw new ConfigError(
        `${named(layer, k)}: an online network has layers dense, with a bias, and sigmoid`,
      );
    for (const count of [layer.inputs, layer.outputs])
      if (!(Number.isInteger(count) && count >= 1))
        throw new ConfigError(`${named(layer, k)}: sizes are whole numbers from 1`);
    if (size !== undefined && layer.inputs !== size)
      throw new ConfigError(`${named(layer, k)}: the layer before it has ${size} outputs`);
    size = layer.outputs;
    return size;
  });
}

/** Room for the matrices of a layer and some vectors. */
function bytesOf(layer: Layer, outputs: number): number {
  const columns = layer.kind === "dense" ? layer.inputs + 1 : outputs;
  const matrices = layer.kind === "dense" ? 3.25 * outputs * paddedColumns(columns) : 0;
  return 4 * (matrices + 16 * normalCount(Math.max(outputs, columns))) + 4096;
}

async function crossbarOf(
  kernels: Kernels,
  rows: number,
  columns: number,
  hardware: Hardware,
  seed: string,
): Promise<Crossbar> {
  const { weights: storage, dacBits, adcBits, adcRange = [16, 4] } = hardware;
  const devices = await fabricate(2 * rows * columns, storage.device, { seed });
  const [forwards, backwards] = adcRange;
  const converters = { dacBits, adcBits, adcRange: [forwards, backwards] } as const;
  return new Crossbar(kernels, devices, { rows, columns, storage, converters, seed });
}

function ruleOf({
  refreshEvery = 100,
  refreshPulses = 3,
  exampleTime = "0 s",
}: Hardware): MixedPrecisionOptions {
  const time = seconds(exampleTime);
  if (!(time >= 0)) throw new ConfigError(`hardware: exampleTime is not ${exampleTime}`);
  const ageing = time > 0 ? ({ every: ageingEvery, time: `${ageingEvery * time} s` } as const) : undefined;
  return { refreshEvery, refreshPulses, ageing };
}

/** Weights of the start: number c of row r is draw c at tick r. */
function startOf(weights: FloatingWeights, { heap, normals }: Kernels, seed: string): FloatingWeights {
  const { rows, columns } = weights;
  const draws = heap.take(normalCount(columns));
  const [key0, key1] = randomKey(seed, "start");
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    normals(draws.at, columns, key0, key1, 0, row, 1 / Math.sqrt(columns));
    values.set(draws.data.subarray(0, columns), row * columns);
  }
  weights.set(values);
  return weights;
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
