/**
 * Hardware-aware training: matrices whose products are those of tiles, and whose weights are disturbed anew in each batch.
 *
 * In training, forwards and backwards go through the same disturbed weights, steps go to the clean ones (Rasch et al. 2023,
 * Nat. Commun. 14:5282, "Hardware-aware training"). A weight W of output i sits on its tile as W / scale_i, at most 1 in
 * size. Looks from outside see the clean weights, or those of a chip that is mounted.
 */
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { randomKey } from "../math/random.ts";
import type { ChipLook, LookedMatrix, MatrixValues } from "./chip.ts";
import type { Block } from "./heap.ts";
import { type Kernels, normalCount } from "./kernels.ts";
import { drawStart, type Matrices, type MatrixOptions, type MatrixUnit, takeBias } from "./matrix.ts";
import { paddedColumns } from "./matvec.ts";
import type { Memory, Parameter, Pass } from "./parameter.ts";
import type { Table } from "./table.ts";
import type { Tile } from "./tile.ts";
import { TiledMatrix } from "./tiles.ts";

/**
 * How the spread of a weight on a device goes with x = |w|, both over the largest: sd^2 = p(x)^2 + q^2 x^(2 power), p a
 * polynomial.
 */
export interface NoiseShape {
  /** Of p, from the constant on: at most five. */
  readonly coefficients: readonly number[];
  /** Noise of reads. */
  readonly q?: number;
  readonly power?: number;
}

/** sqrt(ln((t + T) / 2 T)) 20 s after programming, T = 250 ns: Rasch et al. 2023, read noise of long duration. */
const readGrowth = Math.sqrt(Math.log((20 + 250e-9) / 500e-9));

/** Spreads of the devices that papers train for. */
export const noiseShapes = {
  /** Programming error at 25 uS and noise of reads after 20 s: Rasch et al. 2023, PCM model; x^0.35 as Q goes with x^-0.65. */
  pcm: {
    coefficients: [0.26348 / 25, 1.965 / 25, -1.1731 / 25],
    q: 0.0088 * readGrowth,
    power: 0.35,
  },
  /** Programming error one day later, at 40 uS: Wan et al. 2022, Nature 608:504, as in Rasch et al. 2023. */
  reram: { coefficients: [0.701, 22.086, -50.773, 47.095, -16.458].map((c) => c / 40) },
  /** The same for all weights. */
  constant: { coefficients: [1] },
} as const satisfies Readonly<Record<string, NoiseShape>>;

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
  /** Batches over which input ranges follow the mean of the largest inputs before they are kept or learnt. Default 100. */
  readonly rangeBatches?: number;
  /** Whether input ranges are learnt after that. Default true. */
  readonly learnRange?: boolean;
  /** Part by which a learnt range is pulled down when more than 95 % of inputs are within it. Default 0.001 (aihwkit 1.1.0). */
  readonly rangeDecay?: number;
}

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
  rangeDecay: 0.001,
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
    this.tile = o.tile;
    const units: AwareMatrix[] = [];
    this.units = units;
    this.matrices = (matrix) => {
      const unit = new AwareMatrix(matrix, o);
      units.push(unit);
      return unit;
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
  readonly #shape: NoiseShape;
  readonly #weights: Parameter;
  readonly #bias: Parameter | undefined;
  readonly #ranges: Parameter; // [part]
  readonly #examples: number;
  readonly #positions: number; // rows of outputs of an example
  readonly #width: number;
  readonly #inverse: Block; // 1 / scale, [output]
  readonly #limits: Block; // scale, [output]
  readonly #disturbed: Block;
  readonly #z: Block;
  readonly #gradients: readonly Block[]; // of parts
  readonly #key: readonly [number, number];
  readonly #before: Float32Array; // ranges when the batch began
  readonly #largest: Float32Array; // inputs of the batch
  /** Batches of training since ranges are looked for, and steps. */
  readonly #counts = new Float32Array(2);
  #calls = 0;
  #pass: Pass = { count: 0, purpose: "inference", tick: 0 };
  #shown: "nothing" | "clean" | "disturbed" | "chip" = "nothing";
  #mounted: LookedMatrix | undefined;

  constructor(o: MatrixOptions, settings: Settings) {
    const { kernels, products, outputs, seed, path } = o;
    const { heap } = kernels;
    const { inputs, width } = products;
    this.#kernels = kernels;
    this.#o = settings;
    this.#shape = typeof settings.noise === "string" ? noiseShapes[settings.noise] : settings.noise;
    this.name = path;
    this.inputs = inputs;
    this.outputs = outputs;
    this.#width = width;
    this.#examples = o.examples;
    this.#positions = products.positions;
    this.#key = randomKey(seed, "hardware");
    this.tiled = new TiledMatrix(kernels, {
      tile: settings.tile,
      outputs,
      inputs: o.table,
      examples: o.examples,
      patches: o.patches && { positions: products.positions, ...o.patches },
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
    this.#ranges = take("range", [parts.length], paddedColumns(parts.length), false);
    this.#ranges.value.data.fill(settings.tile.inputRange, 0, parts.length);
    this.parameters = [this.#weights, ...(this.#bias ? [this.#bias] : []), this.#ranges];
    this.scales = new Float32Array(outputs).fill(1);
    this.memories = [
      { name: `${path}.scale`, data: this.scales },
      { name: `${path}.counts`, data: this.#counts, ofLearning: true },
    ];
    this.#before = new Float32Array(this.#ranges.value.data.length);
    this.#largest = this.#before.slice();
    this.#inverse = heap.take(outputs);
    this.#limits = heap.take(outputs);
    this.#disturbed = heap.take(count);
    this.#z = heap.take(normalCount(count) + 16);
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
      scale: this.scales.slice(),
      offset: this.#bias?.value.data.slice(0, outputs),
      inputRange: Array.from(this.tiled.parts, (_, k) => Math.max(1e-12, this.#ranges.value.data[k])),
    };
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
    const { parts, offset } = this.tiled;
    if (this.#bias) offset.data.set(this.#bias.value.data);
    for (const [k, part] of parts.entries()) part.alpha = Math.max(1e-12, this.#ranges.value.data[k]);
    const isTraining = pass.purpose === "training";
    const mounted = this.#mounted;
    if (isTraining) {
      this.#counts[0]++;
      this.#before.set(this.#ranges.value.data);
      this.#largest.fill(0);
    } else if (mounted) {
      if (this.#shown !== "chip") for (const [k, own] of mounted.parts.entries()) this.tiled.load(k, own);
      for (const [k, part] of parts.entries()) part.alpha = mounted.parts[k].inputRange;
      this.#shown = "chip";
      return;
    }
    const isDisturbed = isTraining && (this.#o.noiseScale > 0 || this.#o.dropConnect > 0);
    if (!isDisturbed && this.#shown === "clean") return;
    this.#disturb(isDisturbed ? pass.tick : undefined);
    for (const part of parts) {
      if (this.#isWhole(part)) part.weights.data.set(this.#disturbed.data);
      else
        this.#eachRun(part, (own, whole, size) => {
          part.weights.data.set(this.#disturbed.data.subarray(whole, whole + size), own);
        });
      part.scale.data.set(this.scales);
    }
    this.tiled.renew();
    this.#shown = isDisturbed ? "disturbed" : "clean";
  }

  /** Weights over their scales, with the noise of this batch or without. */
  #disturb(tick: number | undefined): void {
    const kernels = this.#kernels;
    const count = this.outputs * this.#width;
    const { noiseScale, rampSteps, dropConnect } = this.#o;
    const [key0, key1] = this.#key;
    const z = this.#z;
    const weights = this.#weights.value.at;
    const to = this.#disturbed.at;
    const scale = noiseScale * (rampSteps > 0 ? Math.min(1, this.#counts[1] / rampSteps) : 1);
    if (tick === undefined || scale === 0)
      kernels.scaleRows(this.outputs, this.#width, weights, to, this.#inverse.at);
    else {
      kernels.normals(z.at, count, key0, key1, 0, tick, scale);
      this.#clearFilling(z.data);
      const { coefficients, q = 0, power = 0 } = this.#shape;
      const c = Array.from({ length: 5 }, (_, k) => coefficients[k] ?? 0);
      const rows = [this.outputs, this.#width, weights, z.at, to, this.#inverse.at];
      kernels.disturbRows(...rows, ...c, q * q, 2 * power);
    }
    if (tick === undefined || dropConnect === 0) return;
    kernels.keep(z.at, count, key0, key1, 1, tick, dropConnect, 1);
    kernels.multiplyBoth(count, to, z.at, to);
  }

  #clearFilling(data: Float32Array): void {
    if (this.inputs === this.#width) return;
    for (let row = 0; row < this.outputs; row++)
      data.fill(0, row * this.#width + this.inputs, (row + 1) * this.#width);
  }

  forward(x: Table, y: Table, count: number): void {
    const { purpose, tick } = this.#pass;
    if (purpose === "training" && this.#counts[0] <= this.#o.rangeBatches) this.#follow(x, count);
    // each product of a batch has noise of its own; that of looks is apart from that of training
    const stream = 2 * this.#calls++ + (purpose === "training" ? 0 : 1);
    this.tiled.forward(x, y, count, { first: tick * this.#examples, stream });
  }

  /** Ranges are the mean of the largest inputs of the batches seen so far. */
  #follow(x: Table, count: number): void {
    const rows = count * x.positions;
    const largest = this.#largest;
    const known = this.#ranges.value.data;
    for (const [k, part] of this.tiled.parts.entries()) {
      for (let row = 0; row < rows; row++)
        for (let c = part.from; c < part.to; c++) {
          const size = Math.abs(x.data[row * x.width + c]);
          if (size > largest[k]) largest[k] = size;
        }
      known[k] = this.#before[k] + (largest[k] - this.#before[k]) / this.#counts[0];
      part.alpha = Math.max(1e-12, known[k]);
    }
  }

  backward(x: Table, dy: Table, dx: Table, count: number): void {
    this.tiled.backward(x, dy, dx, count);
    const { learnRange, rangeBatches, rangeDecay } = this.#o;
    if (!learnRange || this.#counts[0] <= rangeBatches) return;
    const { data } = this.#ranges.gradient;
    for (const [k, part] of this.tiled.parts.entries()) {
      data[k] += part.alpha * this.tiled.rangeSlope(k, x, dx, count);
      if (rangeDecay > 0 && this.#within(x, part, count) > 0.95) data[k] += rangeDecay * part.alpha;
    }
  }

  /** Share of a part's inputs within its range. */
  #within(x: Table, part: { from: number; to: number; alpha: number }, count: number): number {
    const rows = count * x.positions;
    let inside = 0;
    for (let row = 0; row < rows; row++)
      for (let c = part.from; c < part.to; c++)
        if (Math.abs(x.data[row * x.width + c]) < part.alpha) inside++;
    return inside / (rows * (part.to - part.from));
  }

  gradient(x: Table, dy: Table, count: number): void {
    const { parts } = this.tiled;
    for (const { data } of this.#gradients) data.fill(0);
    this.tiled.gradient(x, dy, this.#gradients, count);
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
    this.#clearFilling(data);
    if (!this.#bias) return;
    this.#kernels.sumColumns(count * this.#positions, dy.width, dy.at, this.#bias.gradient.at);
  }
}
