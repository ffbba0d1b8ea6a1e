/**
 * One tile: its weights, what its columns are like, and products with it from digital inputs to digital outputs.
 *
 *     out = ADC[ F( DAC[ x / range ] ) ]
 *
 * `range` is the input range, or what noise management makes of each vector. Products with plain matrices, of which F needs up to
 * four, go by `Products`: by rows, or by patches of images that were converted before. Works in tables that tiles share. Noise is
 * addressed by tile, kind, example and call. Equations: tile.ts; kernels: periphery.ts.
 */
import { ConfigError } from "../math/errors.ts";
import { normalQuantile } from "../math/normal.ts";
import { type Key, uniform } from "../math/random.ts";
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import type { Products } from "../tensor/rows.ts";
import { rowsFrom, type Table } from "../tensor/table.ts";
import type { Again, Scratch } from "./scratch.ts";
import { isQuadratic, stepsOf, type Tile } from "./tile.ts";
import { wireLosses } from "./wire.ts";

/** What a tile holds: weights [output][input] over the conductance of a full device, and a scale for each output. */
export interface PartWeights {
  readonly weights: ArrayLike<number>;
  readonly scale: ArrayLike<number>;
  /** G+ + G- of each weight, for the exact loss in wires. Default |w|. */
  readonly conductances?: ArrayLike<number>;
  /** Of the chip that it is on: columns and devices are made by it. Default the tile's own. */
  readonly key?: Key;
}

/** Which noise is drawn: example e of the batch has tick `first` + e. */
export interface Address {
  readonly first: number;
  /** Other streams are other draws: of training and of tests, of the times of a sequence. A whole number from 0; default 0. */
  readonly stream?: number;
}

/** Inputs as a tile sees them. */
export interface Inputs {
  readonly x: Table;
  readonly inputRows: number;
  readonly rows: number; // of outputs
}

const kinds = { input: 0, weight: 1, output: 2 } as const;
const [kindsInAll, attemptsInAll] = [4, 16];

/** Which of a batch's noise: all rows, or those listed, of this attempt. */
interface Draw {
  readonly address: Address;
  readonly attempt: number;
  readonly rows: number;
  readonly list?: readonly number[];
}

export class TilePart {
  /** Channels [from, to) of the inputs. */
  readonly from: number;
  readonly to: number;
  /** Rows of the tile in use: taps x channels. */
  readonly inputs: number;
  /** Numbers from row to row of `weights`. */
  readonly width: number;
  /** As devices hold them now, [output][tap][channel]; after a change from outside: `renew`. */
  readonly weights: Block;
  readonly scale: Block; // [output]
  /** Input range. */
  alpha: number;
  /** Largest output, where the ADC ends. */
  outputBound: number;
  /** Running average of largest inputs, where the tile looks at it; undefined before the first. */
  average: number | undefined;
  readonly main: Products;
  /** Inputs after the DAC, and a table for what is made of them. */
  readonly q: Table;
  readonly operand: Table;
  /** Outputs after the ADC, and whether each was not clipped, or its slope by `outputBound`. */
  readonly out: Table;
  readonly kept: Table;
  readonly #hasSlopes: boolean;
  readonly #tile: Tile;
  readonly #kernels: Kernels;
  readonly #scratch: Scratch;
  readonly #outputs: number;
  readonly #key: Key;
  readonly #magnitudes: Products | undefined; // |W|
  readonly #placed: Products | undefined; // W by distance from the readout
  readonly #turned: Products | undefined; // what negative inputs see besides W
  readonly #ones: Products | undefined;
  readonly #places: Block | undefined; // [input]
  readonly #asymmetry: Block | undefined; // [output][input]
  readonly #zeta: Block | undefined; // [output]
  #curve = 1;
  #madeBy: Key | undefined;

  constructor(
    kernels: Kernels,
    scratch: Scratch,
    o: {
      readonly tile: Tile;
      readonly outputs: number;
      readonly channels: readonly [from: number, to: number];
      readonly taps: number;
      readonly products: (inOrder?: boolean) => Products;
      readonly q: Table;
      readonly operand: Table;
      readonly out: Table;
      readonly kept: Table;
      /** Whether `kept` has slopes by the output bound. */
      readonly hasSlopes: boolean;
      readonly key: Key;
    },
  ) {
    const { tile, outputs, products, key } = o;
    const { heap } = kernels;
    [this.from, this.to] = o.channels;
    this.inputs = (this.to - this.from) * o.taps;
    this.width = paddedColumns(this.inputs);
    this.weights = heap.take(outputs * this.width);
    this.scale = heap.take(paddedColumns(outputs));
    this.alpha = tile.inputRange;
    this.outputBound = tile.outputBound;
    this.q = o.q;
    this.operand = o.operand;
    this.out = o.out;
    this.kept = o.kept;
    this.#hasSlopes = o.hasSlopes;
    this.#tile = tile;
    this.#kernels = kernels;
    this.#scratch = scratch;
    this.#outputs = outputs;
    this.#key = key;
    const { weightNoise, weightNoiseKind, polaritySpread, curvature } = tile;
    const root = weightNoise > 0 && weightNoiseKind === "root";
    const quadratic = isQuadratic(tile);
    if (curvature > 0) this.#zeta = heap.take(paddedColumns(outputs));
    if (polaritySpread > 0) this.#asymmetry = heap.take(outputs * this.width);
    this.#make(key);
    if (quadratic) {
      this.#places = heap.take(this.width);
      for (let j = 0; j < this.inputs; j++) this.#places.data[j] = 1 - (1 - j / this.inputs) ** 2;
    }
    this.main = products();
    this.#magnitudes = root || quadratic ? products(true) : undefined;
    this.#placed = quadratic ? products() : undefined;
    this.#turned = polaritySpread > 0 ? products() : undefined;
    this.#ones = weightNoise > 0 && !root && !scratch.byRow ? products(true) : undefined;
  }

  /** Draws what columns and devices of a chip are like. */
  #make(key: Key): void {
    if (this.#madeBy?.[0] === key[0] && this.#madeBy[1] === key[1]) return;
    this.#madeBy = key;
    const { curvature, curvatureSpread, unitSlopeAt, polaritySpread } = this.#tile;
    const outputs = this.#outputs;
    const normal = (stream: number, e: number) => normalQuantile(uniform(key, stream, e, 0));
    if (this.#zeta) {
      const { data } = this.#zeta;
      let sum = 0;
      for (let i = 0; i < outputs; i++) {
        data[i] = curvature * (1 + curvatureSpread * normal(0, i));
        sum += Math.abs(data[i]);
      }
      this.#curve = (1 + (unitSlopeAt * sum) / outputs) ** 2;
    }
    if (this.#asymmetry)
      for (let i = 0; i < outputs; i++)
        for (let j = 0; j < this.inputs; j++)
          this.#asymmetry.data[i * this.width + j] = polaritySpread * normal(1, i * this.inputs + j);
  }

  /** zeta of each column, and the asymmetry of each device in rows of `width`, as they were made. */
  get made(): { readonly zeta: Float32Array | undefined; readonly asymmetry: Float32Array | undefined } {
    return { zeta: this.#zeta?.data, asymmetry: this.#asymmetry?.data };
  }

  /** Puts weights on the tile. Throws `ConfigError` for another number of them. */
  load({ weights, scale, conductances, key }: PartWeights): void {
    this.#make(key ?? this.#key);
    const { inputs, width, weights: own, scale: ownScale } = this;
    const outputs = this.#outputs;
    if (weights.length !== outputs * inputs)
      throw new ConfigError(
        `${outputs} x ${inputs} weights are ${outputs * inputs} numbers, not ${weights.length}`,
      );
    const { irDrop, irDropKind, wireConductance } = this.#tile;
    const exact = irDrop > 0 && irDropKind === "exact";
    const lost = exact
      ? wireLosses(conductances ?? Float64Array.from(weights, Math.abs), {
          outputs,
          inputs,
          wire: wireConductance / irDrop,
        })
      : undefined;
    for (let i = 0; i < outputs; i++) {
      for (let j = 0, from = i * inputs, to = i * width; j < inputs; j++, from++, to++)
        own.data[to] = lost ? weights[from] * lost[from] : weights[from];
      ownScale.data[i] = scale[i];
    }
    this.#pack();
  }

  /** Takes over what was written into `weights`; columns and devices are the tile's own again. */
  renew(): void {
    this.#make(this.#key);
    this.#pack();
  }

  #pack(): void {
    const { tileMagnitude, scaleColumns, multiplyBoth } = this.#kernels;
    const { changed } = this.#scratch;
    const { weights, width } = this;
    const outputs = this.#outputs;
    const count = outputs * width;
    this.main.pack(weights);
    if (this.#magnitudes) {
      tileMagnitude(outputs, width, weights.at, changed.at);
      this.#magnitudes.pack(changed);
    }
    if (this.#placed && this.#places) {
      scaleColumns(outputs, width, weights.at, changed.at, this.#places.at);
      this.#placed.pack(changed);
    }
    if (this.#turned && this.#asymmetry) {
      multiplyBoth(count, weights.at, this.#asymmetry.at, changed.at);
      this.#turned.pack(changed);
    }
    if (this.#ones) this.#ones.pack({ ...changed, data: changed.data.fill(1, 0, count) });
  }
  /**
   * Fills `range` and `inverse` with what each vector is divided by; one that is all 0 counts for nothing. On the way back a
   * running average stays what it is.
   */
  divide({ x, rows, inputRows }: Inputs, way: "forward" | "back" = "forward"): void {
    const { noiseManagement, averageDecay, inputNoise } = this.#tile;
    const [range, inverse] = [this.#scratch.range.data, this.#scratch.inverse.data];
    if (noiseManagement === "none") {
      if (way === "forward") range.fill(this.alpha, 0, rows);
      inverse.fill(1 / this.alpha, 0, inputRows);
      return;
    }
    this.#kernels.tileLargest(rows, x.width, this.inputs, x.at, this.#scratch.range.at);
    if (noiseManagement === "abs-max sum") this.#widen(x, rows);
    for (let r = 0; r < rows; r++) {
      if (noiseManagement === "average abs-max") {
        const { average = range[r] } = this;
        if (way === "forward") this.average = average + averageDecay * (range[r] - average);
        range[r] = this.average ?? average;
      }
      if (range[r] <= 0 && inputNoise > 0) range[r] = 1;
      inverse[r] = range[r] > 0 ? 1 / range[r] : 0;
    }
  }

  /** From largest inputs in `range` to divisors for which weights of `assumedWeight` clip nothing: the largest sum of one sign counts. */
  #widen(x: Table, rows: number): void {
    const { tileAbove, tileBelow } = this.#kernels;
    const { assumedWeight, boundResolution } = this.#tile;
    const { outputBound } = this;
    const { sums: to, range } = this.#scratch;
    const sums = [tileAbove, tileBelow].map((kernel) => {
      kernel(rows, x.width, this.inputs, x.at, to.at);
      return to.data.slice(0, rows);
    });
    const step = this.#inputStep;
    const bound = outputBound === Number.POSITIVE_INFINITY ? 1 : outputBound;
    for (let r = 0; r < rows; r++) {
      const largest = range.data[r];
      const wanted = (Math.max(sums[0][r], sums[1][r]) * assumedWeight) / bound;
      const limit = step > 0 ? (largest / step) * boundResolution : Number.POSITIVE_INFINITY;
      range.data[r] = Math.max(largest, Math.min(limit, wanted));
    }
  }

  /** A step of the DAC; 0 where it does not round. */
  get #inputStep(): number {
    const { dacBits, inputBound } = this.#tile;
    return dacBits === "none" ? 0 : inputBound / stepsOf(dacBits);
  }

  /** q = DAC[x inverse] */
  quantise({ x, inputRows }: Inputs, q: Table = this.q, inverse: Block = this.#scratch.inverse): void {
    const { tileQuantise, tileClip } = this.#kernels;
    const { dacBits, inputBound } = this.#tile;
    if (dacBits === "none") {
      tileClip(inputRows, q.width, x.at, q.at, inverse.at, inputBound);
      return;
    }
    const most = stepsOf(dacBits);
    tileQuantise(inputRows, q.width, x.at, q.at, inverse.at, most / inputBound, inputBound / most, most);
  }

  /**
   * Leaves outputs after the ADC in rows of `out` and `kept` from `first` on, and what they are multiplied by in the scratch's `range`.
   * Gives those rows of `out`, which belong to the caller.
   */
  multiply(inputs: Inputs, address: Address, first = 0): Table {
    const [out, kept] = [rowsFrom(this.out, first), rowsFrom(this.kept, first)];
    const { rows, inputRows } = inputs;
    const draw = { address, attempt: 0, rows, out, kept };
    this.divide(inputs);
    this.quantise(inputs);
    this.#disturb(this.q, inputRows, draw);
    this.#analog(this.q, inputRows, draw);
    if (this.#scratch.again) this.#manageBounds(inputs, draw, this.#scratch.again);
    return out;
  }

  /**
   * y = `offset` + outputs after the ADC times their scales and ranges, in one pass; false where it takes more. With `first` slopes by the
   * output bound go to rows of `kept` from there on.
   */
  multiplyTo(y: Table, offset: Block, inputs: Inputs, address: Address, first?: number): boolean {
    const { adcBits, outputNoise } = this.#tile;
    const { raw, range, z, again } = this.#scratch;
    if (again || (adcBits === "none" && first !== undefined)) return false;
    const [rows, width, draw] = [inputs.rows, y.width, { address, attempt: 0, rows: inputs.rows }];
    this.divide(inputs);
    this.quantise(inputs);
    this.#disturb(this.q, inputs.inputRows, draw);
    const isNoisy = this.#sum(this.q, inputs.inputRows, draw);
    if (isNoisy) this.#draw("output", width, draw);
    const of = [this.scale.at, offset.at, range.at];
    if (adcBits === "none") {
      if (isNoisy) this.#kernels.tileNoise(rows, width, raw.at, z.at, raw.at, outputNoise);
      this.#kernels.tileReadClipped(rows, width, raw.at, y.at, ...of, this.outputBound);
      return true;
    }
    const most = stepsOf(adcBits);
    const [noise, sd] = isNoisy ? [[z.at], [outputNoise]] : [[], []];
    const [slope, inverse] =
      first === undefined ? [[], []] : [[rowsFrom(this.kept, first).at], [1 / this.outputBound]];
    const kernel = `tileRead${first === undefined ? "" : "Slope"}${isNoisy ? "Noisy" : ""}` as const;
    const steps = [most / this.outputBound, this.outputBound / most, most];
    const tables = [raw.at, ...noise, y.at, ...slope];
    this.#kernels[kernel](rows, width, ...tables, ...of, ...steps, ...inverse, ...sd);
    return true;
  }

  #disturb(q: Table, inputRows: number, draw: Draw): void {
    const { inputNoise } = this.#tile;
    if (inputNoise === 0) return;
    this.#draw("input", q.width, draw);
    this.#kernels.tileNoise(inputRows, q.width, q.at, this.#scratch.z.at, q.at, inputNoise);
  }

  /** Normal numbers for rows of `width` into `z`: those of the batch's first `rows` rows, or of the rows listed. */
  #draw(kind: keyof typeof kinds, width: number, { address, attempt, rows, list }: Draw): void {
    const stream = kinds[kind] + kindsInAll * (attempt + attemptsInAll * (address.stream ?? 0));
    const [key0, key1] = this.#key;
    const { z, positions } = this.#scratch;
    const examples = Math.ceil((list ? list[list.length - 1] + 1 : rows) / positions);
    const { normalTicks } = this.#kernels;
    normalTicks(z.at, positions * width, key0, key1, stream, address.first, 1, examples);
    list?.forEach((row, to) => {
      z.data.copyWithin(to * width, row * width, (row + 1) * width);
    });
  }

  /** to += x times a matrix, or to = where it stores */
  #add(products: Products, x: Table, to: Table, rows: number, stores = false): void {
    const { byRow, positions } = this.#scratch;
    const units = byRow ? rows : rows / positions;
    products.load(x, units);
    products.forward(to, units, stores);
  }

  /** From inputs after the DAC to outputs after the ADC. */
  #analog(q: Table, inputRows: number, o: Draw & { readonly out: Table; readonly kept: Table }): void {
    const { tileNoise, tileBound, tileBoundSlope, tileConvert, tileConvertSlope } = this.#kernels;
    const { outputNoise, adcBits } = this.#tile;
    const { outputBound } = this;
    const { raw, z } = this.#scratch;
    const { rows, out, kept } = o;
    const { width, at } = raw;
    const isNoisy = this.#sum(q, inputRows, o);
    if (isNoisy) this.#draw("output", width, o);
    if (isNoisy) tileNoise(rows, width, at, z.at, at, outputNoise);
    const places = [rows, width, at, out.at, kept.at];
    if (adcBits === "none") {
      (this.#hasSlopes ? tileBoundSlope : tileBound)(...places, outputBound);
      return;
    }
    const most = stepsOf(adcBits);
    const steps = [...places, most / outputBound, outputBound / most, most];
    if (this.#hasSlopes) tileConvertSlope(...steps, 1 / outputBound);
    else tileConvert(...steps);
  }

  /** From inputs after the DAC to what reaches the ADC, into `raw`. Gives whether the noise of outputs is still to be added. */
  #sum(q: Table, inputRows: number, o: Draw): boolean {
    const { tileNegative, tileMagnitude, tileDrop, tileCurve } = this.#kernels;
    const { irDrop, wireConductance, weightNoise, outputNoise } = this.#tile;
    const { raw, current, placed } = this.#scratch;
    const x = { ...this.operand, width: q.width };
    const { rows } = o;
    const { width } = raw;
    this.#add(this.main, q, raw, rows, true);
    if (this.#turned) {
      tileNegative(inputRows, q.width, q.at, x.at);
      this.#add(this.#turned, x, raw, rows);
    }
    if (this.#placed && this.#magnitudes) {
      tileMagnitude(inputRows, q.width, q.at, x.at);
      this.#add(this.#magnitudes, x, current, rows, true);
      this.#add(this.#placed, q, placed, rows, true);
      tileDrop(rows, width, raw.at, current.at, placed.at, raw.at, this.inputs / wireConductance, irDrop);
    }
    // independent normal numbers may be drawn as one, where nothing comes between
    const together = weightNoise > 0 && !this.#zeta;
    if (weightNoise > 0)
      this.#addWeightNoise(q, inputRows, { ...o, besides: together ? outputNoise ** 2 : 0 });
    if (this.#zeta) tileCurve(rows, width, raw.at, raw.at, this.#zeta.at, this.#curve);
    return outputNoise > 0 && !together;
  }

  /** Adds to `raw` the noise of weights, and what else has variance `besides`. */
  #addWeightNoise(q: Table, inputRows: number, o: Draw & { readonly besides: number }): void {
    const { tileSquares, tileRowNoise, tileSquare, tileWeightNoise } = this.#kernels;
    const { weightNoise, weightNoiseKind } = this.#tile;
    const { raw, current: variance, z, sums } = this.#scratch;
    const { rows, besides } = o;
    const { width } = raw;
    this.#draw("weight", width, o);
    const factor = weightNoise ** 2;
    const by = weightNoiseKind === "root" ? this.#magnitudes : this.#ones;
    if (!by) {
      tileSquares(rows, q.width, this.inputs, q.at, sums.at);
      tileRowNoise(rows, width, raw.at, z.at, raw.at, sums.at, factor, besides);
      return;
    }
    const x = { ...this.operand, width: q.width };
    tileSquare(inputRows, q.width, q.at, x.at);
    this.#add(by, x, variance, rows, true);
    tileWeightNoise(rows, width, raw.at, variance.at, z.at, raw.at, factor, besides);
  }

  /** Vectors with a clipped output go in again, smaller, until none is or inputs are too coarse. */
  #manageBounds(
    { x, rows }: Inputs,
    { address, out, kept }: { readonly address: Address; readonly out: Table; readonly kept: Table },
    again: Again,
  ): void {
    const { boundFactor, boundResolution } = this.#tile;
    const { range, inverse } = this.#scratch;
    const step = this.#inputStep;
    let factor = 1;
    let list = this.#clipped(kept, rows);
    for (let attempt = 1; list.length > 0; attempt++) {
      if (factor > boundFactor || (step > 0 && factor > boundResolution / step)) return;
      if (attempt === 1 && this.#fromSums) this.#startFromSums(x, rows, list, again.inverse);
      else {
        factor *= 2;
        for (const row of list) range.data[row] *= 2;
      }
      list.forEach((row, to) => {
        again.x.data.set(x.data.subarray(row * x.width, (row + 1) * x.width), to * x.width);
        inverse.data[row] = 1 / range.data[row];
        again.inverse.data[to] = inverse.data[row];
      });
      const q = { ...again.q, width: x.width };
      const draw = { address, attempt, list, rows: list.length };
      this.quantise({ x: again.x, rows: list.length, inputRows: list.length }, q, again.inverse);
      this.#disturb(q, list.length, draw);
      this.#analog(q, list.length, { ...draw, out: again.out, kept: again.kept });
      const { width, data } = again.out;
      list.forEach((row, from) => {
        out.data.set(data.subarray(from * width, (from + 1) * width), row * width);
      });
      const still = this.#clipped(again.kept, list.length);
      list = still.map((at) => list[at]);
    }
  }

  /** Whether the second attempt's divisors are those of sums. */
  get #fromSums(): boolean {
    const { boundManagement, noiseManagement } = this.#tile;
    return boundManagement === "worst case" && noiseManagement !== "abs-max sum";
  }

  #startFromSums(x: Table, rows: number, list: readonly number[], scratch: Block): void {
    const { range } = this.#scratch;
    const before = range.data.slice(0, rows);
    this.#kernels.tileLargest(rows, x.width, this.inputs, x.at, range.at);
    this.#widen(x, rows);
    scratch.data.set(range.data.subarray(0, rows));
    range.data.set(before);
    for (const row of list) range.data[row] = scratch.data[row];
  }

  /** Rows with a clipped output. */
  #clipped({ at, width }: Table, rows: number): number[] {
    const { sums } = this.#scratch;
    this.#kernels.tileAnyClipped(rows, width, this.#outputs, at, sums.at);
    const found: number[] = [];
    for (let row = 0; row < rows; row++) if (sums.data[row] > 0) found.push(row);
    return found;
  }
}
