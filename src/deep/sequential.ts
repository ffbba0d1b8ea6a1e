/**
 * Networks of layers that learn from batches of examples.
 *
 * Arithmetic is float32. A network has one memory, made when it is built. The same seed and the same batches give the same
 * bits on every machine, unless `fused` is asked for.
 */
import { ConfigError, NumericError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import type { Time } from "../math/units.ts";
import { compileKernels, type Kernels } from "../tensor/kernels.ts";
import {
  checkShape,
  formatShape,
  type Shape,
  sizeOf,
  type Table,
  takeTable,
  withoutFilling,
} from "../tensor/table.ts";
import type { RowOfStages } from "./branches.ts";
import { buildRow } from "./build.ts";
import { type Layer, nameLayer } from "./layers.ts";
import { type Judgement, Loss, type LossKind, lossKinds, type Teacher, type Wanted } from "./loss.ts";
import { floatingMatrices, type Matrices, type MatrixUnit } from "./matrix.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import type { Parameter, Pass } from "./parameter.ts";

export interface SequentialOptions {
  /** Of one example, features last: [784], [height, width, channels], [time, features]. */
  readonly inputs: Shape;
  /** Most examples in a batch. */
  readonly batch: number;
  readonly seed: string | number;
  /** Default "cross-entropy". */
  readonly loss?: LossKind;
  /** Fuse products and sums where the machine can: a third faster, and other bits on other machines. Default false. */
  readonly fused?: boolean;
  /** How layers multiply by their weights. Default: float32 numbers. */
  readonly matrices?: Matrices;
  /** Whether `backward` can tell derivatives by the inputs. Default false. */
  readonly inputDerivatives?: boolean;
  /** Threads that share the work: the same bits for any number. `close` ends them. Default 1. */
  readonly threads?: number;
  /** Memory for weights and tables in GiB, taken as it is used. Default 2. */
  readonly memory?: number;
}

/** Numbers with their shape, outermost first. */
export interface Tensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** Numbers of a network by name. */
export type State = Record<string, Tensor>;

/** A network. Made by `sequential`. */
export class Sequential {
  readonly inputs: Shape;
  readonly outputs: Shape;
  /** Most examples in a batch. */
  readonly batch: number;
  readonly layers: readonly Layer[];
  readonly kernels: Kernels;
  /** What layers multiply by, in the order in which they were built. */
  readonly units: readonly MatrixUnit[];
  readonly #stages: RowOfStages;
  readonly #loss: Loss;
  readonly #x: Table;
  readonly #ticks = { training: 0, inference: 0 };
  readonly #optimizer: Optimizer;
  readonly #hasInputDerivatives: boolean;
  #isLearning = false;
  #pass: Pass = { count: 0, purpose: "inference", tick: 0 };
  #y: Table | undefined;

  constructor(
    kernels: Kernels,
    stages: RowOfStages,
    o: {
      readonly inputs: Shape;
      readonly batch: number;
      readonly loss: Loss;
      readonly layers: readonly Layer[];
      readonly units: readonly MatrixUnit[];
      readonly inputDerivatives: boolean;
    },
  ) {
    this.kernels = kernels;
    this.inputs = o.inputs;
    this.outputs = stages.outputs;
    this.batch = o.batch;
    this.layers = o.layers;
    this.units = o.units;
    this.#hasInputDerivatives = o.inputDerivatives;
    this.#stages = stages;
    this.#loss = o.loss;
    this.#x = takeTable(kernels.heap, o.inputs, o.batch);
    this.#optimizer = new Optimizer(kernels, stages.parameters);
  }

  /** What is learnt, in the order of layers. */
  get parameters(): readonly Parameter[] {
    return this.#stages.parameters;
  }

  /** Number of weights, biases, scales and shifts. */
  get size(): number {
    return this.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  }

  /** Bytes that weights, gradients and tables take. */
  get bytes(): number {
    return this.kernels.heap.used;
  }

  /**
   * Outputs for `count` examples, [example][…shape], times `scale`: a view, valid until the next batch. Throws
   * `ConfigError` for inputs that do not fit.
   */
  forward(
    inputs: ArrayLike<number>,
    o: { readonly purpose?: Pass["purpose"]; readonly scale?: number } = {},
  ): Table {
    const { purpose = "inference", scale = 1 } = o;
    const size = sizeOf(this.inputs);
    const count = inputs.length / size;
    if (!(Number.isInteger(count) && count >= 1 && count <= this.batch))
      throw new ConfigError(
        `a batch is 1 to ${this.batch} examples of ${formatShape(this.inputs)}, so up to ${this.batch * size} numbers, not ${inputs.length}`,
      );
    const { data, features, width } = this.#x;
    if (features === width) for (let k = 0; k < inputs.length; k++) data[k] = inputs[k] * scale;
    else
      for (let row = 0, k = 0; k < inputs.length; row++)
        for (let c = 0; c < features; c++, k++) data[row * width + c] = inputs[k] * scale;
    this.#pass = { count, purpose, tick: this.#ticks[purpose]++ };
    this.#y = this.#stages.forward(this.#x, this.#pass);
    return this.#y;
  }

  /**
   * How wrong the outputs of the last `forward` are. Throws `ConfigError` for labels or targets that do not fit,
   * `NumericError` for a loss that is not finite.
   */
  judge(wanted: Wanted, teacher?: Teacher): Judgement {
    if (!this.#y) throw new ConfigError("there are no outputs yet");
    const judgement = this.#loss.judge(this.#y, wanted, this.#pass.count, teacher);
    if (!Number.isFinite(judgement.loss)) throw this.#fault(judgement.loss);
    return judgement;
  }

  #fault(loss: number): NumericError {
    const { count, tick } = this.#pass;
    const k = this.#stages.firstFault(count);
    if (k === -1) return new NumericError(`the inputs of batch ${tick} are not all finite numbers`);
    const where =
      k === undefined ? "" : `: outputs of ${nameLayer(this.layers[k], String(k))} are not finite`;
    return new NumericError(`the loss of batch ${tick} is ${loss}${where}; a smaller learning rate may help`);
  }

  /**
   * Adds to all gradients the derivatives of what was judged last, or those that follow from `dy`, [row][feature] of the
   * outputs. With `wanted` gives the derivatives by the inputs: a view. Throws `ConfigError` for derivatives that do not fit
   * and those that the network was not made for.
   */
  backward(o: { readonly dy?: ArrayLike<number>; readonly wanted?: boolean } = {}): Table {
    const { dy, wanted = false } = o;
    if (wanted && !this.#hasInputDerivatives)
      throw new ConfigError("derivatives by the inputs are for networks made with inputDerivatives");
    const table = this.#loss.dy;
    if (dy) {
      const { features, width, data } = table;
      const rows = this.#pass.count * table.positions;
      if (dy.length !== rows * features)
        throw new ConfigError(`${rows} rows of ${features} outputs have ${dy.length} derivatives`);
      for (let row = 0; row < rows; row++)
        for (let c = 0; c < width; c++) data[row * width + c] = c < features ? dy[row * features + c] : 0;
    }
    return this.#stages.backward(table, this.#pass, wanted);
  }

  /** Begins to learn by steps of this kind, or ends it. Throws `ConfigError`. */
  set optimizer(options: OptimizerOptions | undefined) {
    if (options) this.#optimizer.begin(options);
    else this.#optimizer.steps = 0;
    this.#isLearning = options !== undefined;
  }

  /** Steps since learning began; 0 when it has ended. */
  get steps(): number {
    return this.#optimizer.steps;
  }

  /** One step down the gradients, which are 0 afterwards. `share`: of all steps, for rates with a schedule. */
  step(share = 0): void {
    if (!this.#isLearning) throw new ConfigError("nothing moves the parameters: set `optimizer`");
    this.#optimizer.step(share);
  }

  /** States that layers with `stateful` carry from batch to batch are 0 again: those of one purpose, or all. */
  forget(purpose?: Pass["purpose"]): void {
    this.#stages.forget(purpose);
  }

  /** Ends the network's threads; it cannot be used any more. */
  close(): void {
    this.kernels.close();
  }

  /** Forgets gradients. */
  clearGradients(): void {
    for (const { gradient } of this.parameters) gradient.data.fill(0);
  }

  /** Time passes for what weights are stored on. */
  wait(time: Time): void {
    for (const unit of this.units) unit.wait?.(time);
  }

  /** Weights, running means, ranges and scales by name: copies, without what fills rows up. */
  weights(): State {
    const all: State = {};
    for (const { name, shape, value, stored } of this.parameters)
      all[name] = { shape, data: stored?.() ?? unfilled(value.data, shape) };
    for (const { name, data, ofLearning } of this.#stages.memories)
      if (!ofLearning) all[name] = { shape: [data.length], data: data.slice() };
    return all;
  }

  /**
   * Overwrites weights, running means, ranges and scales. Throws `ConfigError` for names and sizes that do not fit, changing
   * nothing. With `some`, what is not among them stays.
   */
  setWeights(
    values: Readonly<Record<string, { readonly data: ArrayLike<number> }>>,
    o: { readonly some?: boolean } = {},
  ): void {
    const targets = new Map<string, { count: number; set: (own: ArrayLike<number>) => void }>();
    for (const { name, shape, value } of this.parameters)
      targets.set(name, { count: sizeOf(shape), set: (own) => filled(own, value.data, shape) });
    for (const { name, data } of this.#stages.memories)
      targets.set(name, { count: data.length, set: (own) => data.set(own) });
    const fixed = this.parameters.find(({ name, stored }) => stored && name in values);
    if (fixed)
      throw new ConfigError(`${fixed.name} are stored on devices, which are written by pulses: not set`);
    for (const [name, { data }] of Object.entries(values)) {
      const target = targets.get(name);
      if (!target)
        throw new ConfigError(`the network has no ${name}${didYouMean(name, [...targets.keys()])}`);
      if (data.length !== target.count)
        throw new ConfigError(`${name} is ${target.count} numbers, not ${data.length}`);
    }
    const ofLearning = this.#stages.memories.filter((memory) => memory.ofLearning).map(({ name }) => name);
    const missing = [...targets.keys()].find((name) => !(name in values) && !ofLearning.includes(name));
    if (missing && !o.some) throw new ConfigError(`there is no ${missing} among the weights`);
    for (const [name, { data }] of Object.entries(values)) targets.get(name)?.set(data);
    for (const { renewed } of this.parameters) renewed?.();
  }

  /**
   * All that learning needs to go on elsewhere: weights, what the optimizer remembers, and counts of batches. States that
   * sequences hand on are not in it. Throws `ConfigError` for weights on devices.
   */
  checkpoint(): State {
    const fixed = this.parameters.find(({ stored }) => stored);
    if (fixed) throw new ConfigError(`${fixed.name} are on devices, which are not kept in a checkpoint`);
    const all = this.weights();
    const learning = this.#stages.memories.filter(({ ofLearning }) => ofLearning);
    for (const { name, data } of [...learning, ...this.#optimizer.memories])
      all[name] = { shape: [data.length], data: data.slice() };
    const counts = [this.steps, this.#ticks.training, this.#ticks.inference];
    return { ...all, [countsName]: { shape: [3], data: Float32Array.from(counts) } };
  }

  /**
   * Goes on from a checkpoint of the same layers with an optimizer of the same kind: `train` then ends with the weights of one that
   * was never interrupted. Throws `ConfigError` for names and sizes that do not fit.
   */
  resume(state: State, optimizer: OptimizerOptions): void {
    const { [countsName]: counts, ...rest } = state;
    if (counts?.data.length !== 3)
      throw new ConfigError("there are no counts of training: weights, not a checkpoint");
    const isOptimizers = (name: string) => /\.moment\d$/.test(name);
    const entries = Object.entries(rest);
    this.optimizer = optimizer;
    const { memories } = this.#optimizer;
    const kept = new Map(memories.map(({ name, data }) => [name, data]));
    const moments = entries.filter(([name]) => isOptimizers(name));
    for (const [name, { data }] of moments)
      if (kept.get(name)?.length !== data.length)
        throw new ConfigError(`${name} is not what an optimizer ${optimizer.kind} remembers of this network`);
    if (moments.length !== memories.length)
      throw new ConfigError(`an optimizer ${optimizer.kind} remembers more than this checkpoint has`);
    this.setWeights(Object.fromEntries(entries.filter(([name]) => !isOptimizers(name))));
    for (const [name, { data }] of moments) kept.get(name)?.set(data);
    const [steps, training, inference] = counts.data;
    this.#optimizer.steps = steps;
    Object.assign(this.#ticks, { training, inference });
  }
}

/** Counts of a checkpoint, by what they count. */
const countsName = "training.counts"; // steps, batches of training, batches of looks

/** Sizes as rows: all but the first together. */
const rowSize = (shape: Shape): number => (shape.length === 1 ? shape[0] : sizeOf(shape.slice(1)));

/** A copy without what fills rows up. */
function unfilled(data: Float32Array, shape: Shape): Float32Array {
  const columns = rowSize(shape);
  const rows = sizeOf(shape) / columns;
  return withoutFilling(data, { rows, columns, width: data.length / rows });
}

function filled(own: ArrayLike<number>, data: Float32Array, shape: Shape): void {
  const columns = rowSize(shape);
  const rows = sizeOf(shape) / columns;
  const width = data.length / rows;
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < columns; c++) data[row * width + c] = own[row * columns + c];
}

/** A network of layers in a row. Throws `ConfigError` naming the layer that does not fit. */
export async function sequential(layers: readonly Layer[], options: SequentialOptions): Promise<Sequential> {
  const { inputs, batch, seed, loss = "cross-entropy", memory = 2, inputDerivatives = false } = options;
  checkShape(inputs, "inputs");
  if (layers.length === 0) throw new ConfigError("a network has at least one layer");
  if (!(Number.isInteger(batch) && batch >= 1))
    throw new ConfigError(`batch is a whole number from 1, not ${batch}`);
  if (!lossKinds.includes(loss))
    throw new ConfigError(`there is no loss ${loss}${didYouMean(loss, lossKinds)}`);
  const kernels = await compileKernels(memory * 2 ** 30, { fused: options.fused, threads: options.threads });
  const { matrices = floatingMatrices } = options;
  const units: MatrixUnit[] = [];
  const stages = buildRow(layers, {
    kernels,
    inputs,
    examples: batch,
    path: "",
    seed: String(seed),
    needsBackward: inputDerivatives,
    matrices: (own) => {
      const unit = matrices(own);
      units.push(unit);
      return unit;
    },
    build: buildRow,
  });
  for (const unit of units) await unit.ready?.();
  const judged = new Loss(kernels, loss, stages.outputs, batch);
  return new Sequential(kernels, stages, { inputs, batch, loss: judged, layers, units, inputDerivatives });
}
