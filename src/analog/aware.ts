/**
 * Hardware-aware training: matrices whose products are those of tiles, and whose weights are disturbed anew in each batch.
 *
 * In training, forwards and backwards go through the same disturbed weights, steps go to the clean ones (Rasch et al. 2023,
 * Nat. Commun. 14:5282, "Hardware-aware training"). A weight W of output i sits on its tile as W / scale_i, at most 1 in
 * size. Looks from outside see the clean weights, or those of a chip that is mounted.
 */

import { drawStart, type Matrices, type MatrixOptions, type MatrixUnit, takeBias } from "../deep/matrix.ts";
import type { Memory, Parameter, Pass } from "../deep/parameter.ts";
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import type { Table } from "../tensor/table.ts";
import { OutputBound, type Reach } from "./bound.ts";
import type { ChipLook, LookedMatrix, MatrixValues } from "./chip.ts";
import { clearRows, Disturbance, type NoiseShape, noiseShapes } from "./disturbance.ts";
import { InputRanges } from "./ranges.ts";
import type { Tile } from "./tile.ts";
import { type RangeRule, TiledMatrix } from "./tiles.ts";

export interface AwareOptions {
  readonly tile: Tile;
  /** Of the noise on weights in training. Default "pcm". */
  readonly noise?: keyof typeof noiseShapes | NoiseShape;
  /** Factor of that noise; 0 for none. Default 1. */
  readonly noiseScale?: number;
  /** Steps over which the factor rises from 0 in a straight line. Default 0. */
  readonly rampSteps?: number;
  /** Share of weights that are 0 for a batch. Default 0. */
  readonly dropConnect?: number;
  /** Weights are clipped at so many standard deviations of their matrix when they are mapped. Default none. */
  readonly clipSigmas?: number;
  /** Full conductance is the largest weight of each output, or of the whole matrix ("tile"). Default "column". */
  readonly scale?: "column" | "tile";
  /** Steps from one mapping to the next. Default: weights are mapped once. */
  readonly remapEvery?: number;
  /** Batches over whose mean input ranges are found, before they are kept or learnt. Default 100. */
  readonly rangeBatches?: number;
  /** Share of inputs that are within a range that is found: 1 for the largest. Default 1. */
  readonly rangeShare?: number;
  /** Whether input ranges are learnt after that. Default true. */
  readonly learnRange?: boolean;
  /**
   * How: "clipping", by clipped inputs, as aihwkit 1.1.0 does; "step", by the slope of the DAC by its step, which needs no decay and
   * takes the ADC with it where `outputBound` is learnt. Default "clipping".
   */
  readonly rangeRule?: RangeRule;
  /** Part by which a range learnt by "clipping" is pulled down when more than 95 % of inputs are within it. Default 0.001 (aihwkit 1.1.0). */
  readonly rangeDecay?: number;
  /**
   * Largest output before the ADC clips: the tile's; or learnt, one for all matrices ("shared", parameter "tiles.outputBound"), or one
   * for each ("matrix"). What is learnt begins as what outputs reach in the batches of `rangeBatches`; without them as the
   * tile's. Default "tile".
   */
  readonly outputBound?: "tile" | "shared" | "matrix";
  /** Whether each output is multiplied after the ADC by a number that is learnt, 1 at first. Default false. */
  readonly learnScale?: boolean;
}

const words: Readonly<Record<string, readonly string[]>> = {
  scale: ["column", "tile"],
  rangeRule: ["clipping", "step"],
  outputBound: ["tile", "shared", "matrix"],
};

const defaults = {
  noise: "pcm",
  noiseScale: 1,
  rampSteps: 0,
  dropConnect: 0,
  clipSigmas: Number.POSITIVE_INFINITY,
  scale: "column",
  remapEvery: Number.POSITIVE_INFINITY,
  rangeBatches: 100,
  learnRange: true,
  rangeShare: 1,
  rangeRule: "clipping",
  rangeDecay: 0.001,
  outputBound: "tile",
  learnScale: false,
} as const;

type Settings = Required<AwareOptions>;

/** Tiles under all matrices of a network. Made by `onTiles`; its `matrices` is given to `sequential`. */
export class TilesUnder {
  readonly tile: Tile;
  readonly matrices: Matrices;
  /** In the order of layers. */
  readonly units: readonly AwareMatrix[];

  constructor(options: AwareOptions) {
    const o = { ...defaults, ...options };
    for (const name of Object.keys(options))
      if (name !== "tile" && !(name in defaults))
        throw new ConfigError(`tiles have no ${name}${didYouMean(name, Object.keys(defaults))}`);
    if (typeof o.noise === "string" && !(o.noise in noiseShapes))
      throw new ConfigError(
        `there is no noise ${o.noise}${didYouMean(String(o.noise), Object.keys(noiseShapes))}`,
      );
    for (const name of ["noiseScale", "rampSteps", "dropConnect", "rangeBatches", "rangeDecay"] as const)
      if (!(o[name] >= 0 && Number.isFinite(o[name])))
        throw new ConfigError(`${name} is a number from 0, not ${o[name]}`);
    if (!(o.dropConnect < 1)) throw new ConfigError(`dropConnect is below 1, not ${o.dropConnect}`);
    if (!(o.rangeShare > 0 && o.rangeShare <= 1))
      throw new ConfigError(`rangeShare is above 0 and at most 1, not ${o.rangeShare}`);
    for (const [name, known] of Object.entries(words)) {
      const word = String(o[name as "scale" | "rangeRule" | "outputBound"]);
      if (!known.includes(word))
        throw new ConfigError(`${name} is ${known.join(" or ")}, not ${word}${didYouMean(word, known)}`);
    }
    this.tile = o.tile;
    const units: AwareMatrix[] = [];
    this.units = units;
    let shared: OutputBound | undefined;
    this.matrices = (matrix) => {
      if (o.outputBound === "tile") units.push(new AwareMatrix(matrix, o));
      else {
        const { kernels, path } = matrix;
        const isShared = o.outputBound === "shared";
        if (isShared && shared && shared.kernels !== kernels)
          throw new ConfigError("matrices of two networks do not share an output bound: onTiles for each");
        const bound = shared ?? new OutputBound(kernels, `${isShared ? "tiles" : path}.outputBound`, o.tile);
        const isFirst = bound !== shared;
        if (isShared) shared = bound;
        units.push(new AwareMatrix(matrix, o, bound, isFirst ? [bound.parameter] : []));
      }
      return units[units.length - 1];
    };
  }

  /** What `program` writes: weights relative to full conductances, and what stands around them, by the names of layers. */
  values(): Record<string, MatrixValues> {
    return Object.fromEntries(this.units.map((unit) => [unit.name, unit.values()]));
  }

  /** Puts a chip at some age, or without one the network's own weights again, under what is looked at. Throws `ConfigError`. */
  mount(look?: Pick<ChipLook, "matrices">): void {
    for (const { name } of this.units)
      if (look && !look.matrices[name])
        throw new ConfigError(
          `the chip has no matrix ${name}${didYouMean(name, Object.keys(look.matrices))}`,
        );
    for (const unit of this.units) unit.mount(look?.matrices[unit.name]);
  }

  /** Scales from the weights as they are, and weights clipped to them: after weights were set from outside. */
  map(): void {
    for (const unit of this.units) unit.map();
  }

  /** Begins to find input ranges anew. */
  calibrate(): void {
    for (const unit of this.units) unit.calibrate();
  }
}

/** Tiles under the matrices of a network. Throws `ConfigError`. */
export const onTiles = (options: AwareOptions): TilesUnder => new TilesUnder(options);

/** A matrix on tiles that is trained for them. */
export class AwareMatrix implements MatrixUnit {
  readonly parameters: readonly Parameter[];
  readonly memories: readonly Memory[];
  readonly name: string;
  readonly tiled: TiledMatrix;
  readonly outputs: number;
  readonly inputs: number;
  /** Weight at full conductance, [output]. */
  readonly scales: Float32Array;
  readonly #kernels: Kernels;
  readonly #o: Settings;
  readonly #weights: Parameter;
  readonly #bias: Parameter | undefined;
  readonly #ranges: InputRanges;
  readonly #bound: OutputBound | undefined;
  readonly #reach: Reach | undefined;
  readonly #gains: Parameter | undefined; // learnt scales, [output]
  readonly #examples: number;
  readonly #positions: number; // rows of outputs of an example
  readonly #width: number;
  readonly #inverse: Block; // 1 / scale, [output]
  readonly #limits: Block; // scale, [output]
  readonly #disturbed: Block;
  readonly #disturbance: Disturbance;
  readonly #gradients: readonly Block[]; // of parts
  readonly #gainSlopes: Block; // times gains, [output]
  /** Batches of training since ranges are looked for, and steps. */
  readonly #counts = new Float32Array(2);
  #calls = 0;
  #boundSlopes: readonly number[] = []; // of the batch, of parts
  #wentBack = false; // in the batch
  #examplesDone = 0; // of the batch, by products before
  #pass: Pass = { count: 0, purpose: "inference", tick: 0 };
  #shown: "nothing" | "clean" | "disturbed" | "chip" = "nothing";
  #mounted: LookedMatrix | undefined;

  /** `own`: parameters of the bound that belong to this matrix, and to no other that shares it. */
  constructor(o: MatrixOptions, settings: Settings, bound?: OutputBound, own: readonly Parameter[] = []) {
    const { kernels, products, outputs, seed, path } = o;
    const { heap } = kernels;
    const { inputs, width } = products;
    this.#kernels = kernels;
    this.#o = settings;
    this.name = path;
    this.inputs = inputs;
    this.outputs = outputs;
    this.#width = width;
    this.#examples = o.examples;
    this.#positions = products.positions;
    this.tiled = new TiledMatrix(kernels, {
      tile: settings.tile,
      outputs,
      inputs: o.table,
      examples: o.examples,
      patches: o.patches && { positions: products.positions, ...o.patches },
      learnt: { outputBound: bound !== undefined, scale: settings.learnScale },
      seed,
    });
    const { parts } = this.tiled;
    const take = (name: string, shape: readonly number[], count: number, decays: boolean): Parameter => ({
      name: `${path}.${name}`,
      shape,
      value: heap.take(count),
      gradient: heap.take(count),
      decays,
    });
    const count = outputs * width;
    this.#weights = {
      ...take("weights", [outputs, ...(o.shape ?? [inputs])], count, true),
      changed: () => this.#changed(),
      renewed: () => this.#rescale(), // `map` clips: scales may be those of other weights
    };
    const variance = o.variance ?? 1 / inputs;
    this.#weights.value.data.set(drawStart(kernels, { rows: outputs, columns: inputs, seed, variance }));
    this.#bias = takeBias(o);
    const { rangeRule: rule, rangeDecay: decay, rangeShare: share } = settings;
    this.#ranges = new InputRanges(kernels, this.tiled, { name: `${path}.range`, rule, decay, share });
    this.#bound = bound;
    this.#reach = bound?.join(path);
    this.#gainSlopes = heap.take(paddedColumns(outputs));
    if (settings.learnScale) {
      this.#gains = {
        ...take("gain", [outputs], paddedColumns(outputs), true),
        changed: () => this.#checkGains(),
        renewed: () => this.#rescale(),
      };
      this.#gains.value.data.fill(1);
    }
    const beside = [this.#bias, this.#ranges.parameter, this.#gains, ...own];
    this.parameters = [this.#weights, ...beside.filter((one) => one !== undefined)];
    this.scales = new Float32Array(outputs).fill(1);
    this.memories = [
      { name: `${path}.scale`, data: this.scales },
      { name: `${path}.counts`, data: this.#counts, ofLearning: true },
      ...(this.#reach ? [this.#reach.memory] : []),
    ];
    this.#inverse = heap.take(outputs);
    this.#limits = heap.take(outputs);
    this.#disturbed = heap.take(count);
    const { noise, dropConnect } = settings;
    const shape = typeof noise === "string" ? noiseShapes[noise] : noise;
    this.#disturbance = new Disturbance(kernels, { outputs, inputs, width, shape, dropConnect, seed });
    this.#gradients = parts.map((part) => heap.take(outputs * part.width));
    this.map();
  }

  /** Weights over their scales, as a chip is to hold them. */
  values(): MatrixValues {
    const { outputs, inputs } = this;
    const { data } = this.#weights.value;
    const weights = new Float32Array(outputs * inputs);
    for (let row = 0; row < outputs; row++)
      for (let c = 0; c < inputs; c++)
        weights[row * inputs + c] = data[row * this.#width + c] / this.scales[row];
    return {
      weights,
      outputs,
      inputs,
      taps: this.tiled.taps,
      scale: this.#outputScales(),
      offset: this.#bias?.value.data.slice(0, outputs),
      inputRange: this.#ranges.values,
      outputBound: this.#bound?.value,
    };
  }

  /** What outputs after the ADC are multiplied by, but for input ranges: [output]. */
  #outputScales(): Float32Array {
    const gains = this.#gains?.value.data;
    return gains ? this.scales.map((scale, i) => scale * gains[i]) : this.scales.slice();
  }

  mount(matrix: LookedMatrix | undefined): void {
    this.#mounted = matrix;
    this.#shown = "nothing";
  }

  calibrate(): void {
    this.#counts[0] = 0;
  }

  /** Scales from the weights as they are, and weights clipped to them. */
  map(): void {
    const { data } = this.#weights.value;
    const { outputs, inputs } = this;
    const { clipSigmas, scale } = this.#o;
    let squares = 0;
    let most = 0;
    const largest = new Float32Array(outputs);
    for (let row = 0; row < outputs; row++)
      for (let c = 0; c < inputs; c++) {
        const w = Math.abs(data[row * this.#width + c]);
        squares += w * w;
        if (w > largest[row]) largest[row] = w;
        if (w > most) most = w;
      }
    // the mean of weights is 0 but for little
    const limit =
      clipSigmas === Number.POSITIVE_INFINITY ? most : clipSigmas * Math.sqrt(squares / (outputs * inputs));
    for (let row = 0; row < outputs; row++)
      this.scales[row] = Math.max(1e-12, Math.min(scale === "column" ? largest[row] : most, limit));
    this.#clip();
  }

  #rescale(): void {
    this.#shown = "nothing";
    for (let row = 0; row < this.outputs; row++) {
      this.#limits.data[row] = this.scales[row];
      this.#inverse.data[row] = 1 / this.scales[row];
    }
  }

  #clip(): void {
    const { outputs } = this;
    this.#rescale();
    const { at } = this.#weights.value;
    this.#kernels.clipRows(outputs, this.#width, at, at, this.#limits.at);
  }

  #checkGains(): void {
    const { data } = (this.#gains as Parameter).value; // one of 0 would stay there
    for (let i = 0; i < this.outputs; i++) data[i] = Math.max(1e-6, data[i]);
    this.#shown = "nothing";
  }

  #changed(): void {
    this.#counts[1]++;
    if (this.#counts[1] % this.#o.remapEvery === 0) this.map();
    else this.#clip();
  }

  /** Stretches of a part's weights and where they lie in the whole matrix: (own, whole, size, row), in numbers. */
  #eachRun(
    part: { readonly from: number; readonly to: number; readonly width: number },
    run: (own: number, whole: number, size: number, row: number) => void,
  ): void {
    const { taps } = this.tiled;
    const channels = this.inputs / taps;
    const size = part.to - part.from;
    for (let row = 0; row < this.outputs; row++)
      for (let tap = 0; tap < taps; tap++)
        run(row * part.width + tap * size, row * this.#width + tap * channels + part.from, size, row);
  }

  #isWhole(part: { readonly width: number }): boolean {
    return this.tiled.parts.length === 1 && part.width === this.#width;
  }

  prepare(pass: Pass): void {
    this.#pass = pass;
    this.#calls = 0;
    this.#examplesDone = 0;
    this.#boundSlopes = [];
    this.#wentBack = false;
    const { parts, offset, tile } = this.tiled;
    if (this.#bias) offset.data.set(this.#bias.value.data);
    this.#ranges.begin();
    this.#reach?.begin();
    for (const part of parts) part.outputBound = this.#bound?.value ?? tile.outputBound;
    const isTraining = pass.purpose === "training";
    const mounted = this.#mounted;
    if (isTraining) this.#counts[0]++;
    else if (mounted) {
      if (this.#shown !== "chip") for (const [k, own] of mounted.parts.entries()) this.tiled.load(k, own);
      for (const [k, part] of parts.entries()) {
        part.alpha = mounted.parts[k].inputRange;
        part.outputBound = mounted.parts[k].outputBound ?? tile.outputBound;
      }
      this.#shown = "chip";
      return;
    }
    const { noiseScale, rampSteps, dropConnect } = this.#o;
    const isDisturbed = isTraining && (noiseScale > 0 || dropConnect > 0);
    if (!isDisturbed && this.#shown === "clean") return;
    this.#disturbance.apply(this.#weights.value, this.#inverse, this.#disturbed, {
      tick: isDisturbed ? pass.tick : undefined,
      scale: noiseScale * (rampSteps > 0 ? Math.min(1, this.#counts[1] / rampSteps) : 1),
    });
    for (const part of parts) {
      if (this.#isWhole(part)) part.weights.data.set(this.#disturbed.data);
      else
        this.#eachRun(part, (own, whole, size) => {
          part.weights.data.set(this.#disturbed.data.subarray(whole, whole + size), own);
        });
      part.scale.data.set(this.#outputScales());
    }
    this.tiled.renew();
    this.#shown = isDisturbed ? "disturbed" : "clean";
  }

  forward(x: Table, y: Table, count: number): void {
    const { purpose, tick } = this.#pass;
    const batches = this.#counts[0];
    const isTraining = purpose === "training";
    const follows = isTraining && batches <= this.#o.rangeBatches;
    if (follows) this.#ranges.follow(x, count, batches);
    const reach = follows ? this.#reach : undefined;
    // each product of a batch has noise of its own; that of looks is apart from that of training
    const stream = 2 * this.#calls++ + (isTraining ? 0 : 1);
    const address = { first: tick * this.#examples, stream };
    this.tiled.forward(x, y, count, address, {
      after: isTraining ? this.#examplesDone : 0,
      slopes: isTraining,
      reached: reach && ((largest) => reach.follow(largest, batches)),
    });
    this.#examplesDone += count;
  }

  backward(x: Table, dy: Table, dx: Table, count: number): void {
    const isLearnt = this.#o.learnRange && this.#hasRanges;
    this.tiled.backward(x, dy, dx, count, isLearnt ? this.#ranges.wanted : undefined);
    if (!isLearnt) return;
    this.#ranges.learn(x, count);
    this.#wentBack = true;
    this.#learnFromBounds();
  }

  /** Ranges move the end of the ADC: once a batch, when both `gradient` and `backward` were called, in any order. */
  #learnFromBounds(): void {
    if (!this.#wentBack) return;
    this.#ranges.learnFromBounds(this.#boundSlopes);
    this.#boundSlopes = [];
  }

  /** Whether ranges are found. */
  get #hasRanges(): boolean {
    return this.#counts[0] > this.#o.rangeBatches;
  }

  gradient(x: Table, dy: Table, count: number): void {
    const { parts } = this.tiled;
    for (const { data } of this.#gradients) data.fill(0);
    this.#boundSlopes = this.tiled.gradient(x, dy, this.#gradients, count, this.#gains && this.#gainSlopes);
    if (this.#hasRanges) this.#bound?.learn(this.#boundSlopes.reduce((sum, one) => sum + one, 0));
    this.#learnFromBounds();
    this.#learnGains();
    const { data, at } = this.#weights.gradient;
    for (const [k, part] of parts.entries()) {
      const own = this.#gradients[k];
      if (this.#isWhole(part))
        this.#kernels.addRows(this.outputs, this.#width, at, own.at, at, this.#inverse.at);
      else
        this.#eachRun(part, (from, whole, size, row) => {
          for (let c = 0; c < size; c++) data[whole + c] += own.data[from + c] / this.scales[row];
        });
    }
    clearRows(data, { outputs: this.outputs, inputs: this.inputs, width: this.#width });
    if (!this.#bias) return;
    this.#kernels.sumColumns(count * this.#positions, dy.width, dy.at, this.#bias.gradient.at);
  }

  #learnGains(): void {
    if (!this.#gains) return;
    const { value, gradient } = this.#gains;
    const slopes = this.#gainSlopes.data;
    for (let i = 0; i < this.outputs; i++) gradient.data[i] += slopes[i] / value.data[i];
    slopes.fill(0);
  }
}
