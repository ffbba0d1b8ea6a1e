/**
 * A matrix of weights cut over tiles, and products of many vectors with it as the tiles make them.
 *
 *     y = offset + sum over parts k of  range_k scale_k out_k
 *
 * Part k takes channels [from, to) of the inputs, each on `taps` rows of its tile; its weights are [output][tap][channel]. The way
 * back is that of the same weights, straight through converters, noise and clipped outputs; a clipped input stops it. Nothing is
 * kept between the two, so that one matrix may serve many tables, as a sequence has. What a tile does: part.ts.
 */
import { ConfigError } from "../math/errors.ts";
import { randomKey } from "../math/random.ts";
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import { type Products, Rows } from "../tensor/rows.ts";
import {
  featuresOf,
  positionsOf,
  type Shape,
  type Table,
  tableNumbers,
  tableOver,
  takeTable,
} from "../tensor/table.ts";
import type { Unfold } from "../tensor/unfold.ts";
import { type Address, type Inputs, type PartWeights, TilePart } from "./part.ts";
import { type Scratch, takeScratch } from "./scratch.ts";
import { byVector, cuts, stepsOf, type Tile } from "./tile.ts";

export interface TiledOptions {
  readonly tile: Tile;
  readonly outputs: number;
  /** Shape of one example of the inputs, channels last. */
  readonly inputs: Shape;
  /** Most examples. */
  readonly examples: number;
  /**
   * Of patches of images: rows of outputs of an example, products with patches of so many channels, and patches as rows for tiles
   * that convert each vector by itself. Without it inputs are rows.
   */
  readonly patches?: {
    readonly positions: number;
    readonly taps: number;
    readonly products: (channels: number, inOrder?: boolean) => Products;
    readonly unfold?: Unfold;
  };
  /** What besides weights is learnt: then `gradient` tells slopes by it. Default nothing. */
  readonly learnt?: { readonly outputBound?: boolean; readonly scale?: boolean };
  /** Spread of the tiles' own parts, and noise. */
  readonly seed: string | number;
}

/**
 * What moves an input range: "clipping": clipped inputs that would rather be larger; "step": the slope of the DAC by its step, as of
 * `OutputBound`, which widens a range and narrows it.
 */
export type RangeRule = "clipping" | "step";

/** Numbers that a quantile is found from. */
const looked = 2 ** 15;

/** Steps of a converter that does not round, in float32. */
const finest = 2 ** 20;

interface Placed {
  readonly part: TilePart;
  /** Its channels, where they are only some of all. */
  readonly x: Table | undefined;
}

type Patched = NonNullable<TiledOptions["patches"]>;

export class TiledMatrix {
  readonly tile: Tile;
  readonly outputs: number;
  readonly taps: number;
  readonly parts: readonly TilePart[];
  /** Added to every row of outputs. 0 at first. */
  readonly offset: Block;
  readonly #kernels: Kernels;
  readonly #scratch: Scratch;
  readonly #placed: readonly Placed[];
  readonly #examples: number;
  readonly #imagePositions: number;
  readonly #inputPositions: number; // as tiles see them
  readonly #unfold: Unfold | undefined;
  readonly #learnt: NonNullable<TiledOptions["learnt"]>;
  readonly #isEven: boolean; // all rows of inputs have one range
  #packedBack = false;

  /**
   * Throws `ConfigError` for patches on a tile that converts each vector by itself, for kernels that do not fit, and where bounds or
   * scales are to be learnt of a tile that manages bounds.
   */
  constructor(kernels: Kernels, options: TiledOptions) {
    const { tile, outputs, inputs, examples, patches, seed, learnt = {} } = options;
    if (tile.boundManagement !== "none" && (learnt.outputBound || learnt.scale))
      throw new ConfigError(
        `output bounds and scales are learnt without bound management, not with "${tile.boundManagement}"`,
      );
    const { heap } = kernels;
    this.#unfold = patches && byVector(tile) ? patches.unfold : undefined;
    if (patches && byVector(tile) && !this.#unfold)
      throw new ConfigError(
        "this tile converts each vector by itself; patches that overlap have to be laid out as rows",
      );
    this.tile = tile;
    this.#isEven = tile.noiseManagement === "none";
    this.outputs = outputs;
    this.taps = patches?.taps ?? 1;
    this.#kernels = kernels;
    this.#examples = examples;
    this.#imagePositions = positionsOf(inputs);
    const positions = patches?.positions ?? this.#imagePositions;
    const byRow = patches === undefined || this.#unfold !== undefined;
    this.#inputPositions = this.#unfold ? positions : this.#imagePositions;
    const taps = this.#unfold ? this.taps : 1; // that a row of inputs holds
    const ranges = cuts(featuresOf(inputs), tile, this.taps);
    const channels = Math.max(...ranges.map(([from, to]) => to - from));
    const inputRows = examples * this.#inputPositions;
    this.#scratch = takeScratch(kernels, tile, {
      outputs,
      channels: channels * taps,
      most: channels * this.taps,
      rows: examples * positions,
      inputRows: Math.max(inputRows, examples * this.#imagePositions),
      positions,
      byRow,
      lasts: { out: learnt.scale ?? false, kept: learnt.outputBound ?? false },
    });
    const most = Math.max(
      inputRows * paddedColumns(channels * taps),
      examples * tableNumbers([this.#imagePositions, channels]),
    );
    const take = () => heap.take(most);
    const isPart = ranges.length > 1 || this.#unfold !== undefined;
    const shared = {
      x: isPart ? take() : undefined,
      q: heap.share("tiles q", most),
      operand: heap.share("tiles operand", most),
    };
    const before = this.#unfold ? [positions] : inputs.slice(0, -1);
    const seen = (block: Block, count: number) => tableOver(block, [...before, count * taps]);
    const { out, kept } = this.#scratch;
    const ownTable = () => takeTable(heap, [outputs], examples * positions);
    this.#learnt = learnt;
    this.#placed = ranges.map((range, k) => {
      const count = range[1] - range[0];
      const part = new TilePart(kernels, this.#scratch, {
        tile,
        outputs,
        channels: range,
        taps: this.taps,
        products: (inOrder) =>
          byRow ? new Rows(kernels, [count * taps], outputs) : (patches as Patched).products(count, inOrder),
        q: seen(shared.q, count),
        operand: seen(shared.operand, count),
        out: k > 0 && learnt.scale ? ownTable() : out,
        kept: k > 0 && learnt.outputBound ? ownTable() : kept,
        hasSlopes: learnt.outputBound ?? false,
        key: randomKey(seed, "tile", k),
      });
      return { part, x: shared.x && seen(shared.x, count) };
    });
    this.parts = this.#placed.map(({ part }) => part);
    this.offset = heap.take(paddedColumns(outputs));
  }

  /**
   * y = what the tiles make of `count` examples x; what fills rows of y up is 0. `after`: examples that are to be kept for `gradient`,
   * of products before this one; without `slopes` nothing is kept for it. `reached` is told of each tile the largest output of each row before the ADC: a view. Throws
   * `ConfigError` for too many examples.
   */
  forward(
    x: Table,
    y: Table,
    count: number,
    address: Address,
    o: {
      readonly after?: number;
      readonly slopes?: boolean;
      readonly reached?: (largest: Float32Array) => void;
    } = {},
  ): void {
    const { after = 0, slopes = true, reached } = o;
    if (after + count > this.#examples)
      throw new ConfigError(`there is room for ${this.#examples} examples, not ${after + count}`);
    const { range, raw, sums, positions } = this.#scratch;
    const rows = count * positions;
    const first = slopes && this.#learnt.outputBound ? after * positions : undefined;
    const oncePassed = !reached && !(slopes && this.#learnt.scale);
    for (const [k, placed] of this.#placed.entries()) {
      const { part } = placed;
      const inputs = this.#inputs(placed, x, count);
      if (k === 0 && oncePassed && part.multiplyTo(y, this.offset, inputs, address, first)) continue;
      if (k === 0) this.#kernels.fillColumns(rows, y.width, y.at, this.offset.at);
      const out = part.multiply(inputs, address, after * positions);
      if (reached) {
        this.#kernels.tileLargest(rows, raw.width, this.outputs, raw.at, sums.at);
        reached(sums.data.subarray(0, rows));
      }
      this.#kernels.tileAdd(rows, y.width, y.at, out.at, y.at, part.scale.at, range.at);
    }
  }

  /** Puts weights on the tile of part k. Throws `ConfigError` for another number of them. */
  load(k: number, weights: PartWeights): void {
    this.parts[k].load(weights);
    this.#packedBack = false;
  }

  /** Takes over what was written into the `weights` of parts. */
  renew(): void {
    for (const part of this.parts) part.renew();
    this.#packedBack = false;
  }

  /**
   * dx = the loss's derivative by x, dy that by what `forward` made of x. With `ranges` those by the input range of each part, by a
   * rule, are added to its `slopes`.
   */
  backward(
    x: Table,
    dy: Table,
    dx: Table,
    count: number,
    ranges?: { readonly rule: RangeRule; readonly slopes: Float64Array },
  ): void {
    const { inputBound } = this.tile;
    const { inverse } = this.#scratch;
    const { tileInputBack, tileClipBack } = this.#kernels;
    if (this.#unfold) dx.data.fill(0, 0, count * this.#imagePositions * dx.width);
    for (const [k, placed] of this.#placed.entries()) {
      const { part } = placed;
      const inputs = this.#inputs(placed, x, count);
      const own = placed.x ? part.operand : dx;
      const d = this.#slopes(part, dy, inputs);
      if (!this.#packedBack) this.#packBack(part);
      part.main.backward(d, own, this.#units(count));
      if (ranges) {
        const slope = this.#rangeSlope(part, inputs.x, own, inputs, { count, rule: ranges.rule });
        ranges.slopes[k] += this.#isEven ? part.alpha * slope : slope;
      }
      const places = [inputs.inputRows, own.width, own.at, inputs.x.at, own.at, inverse.at, inputBound];
      if (!this.#isEven) tileInputBack(...places);
      else if (inputBound < Number.POSITIVE_INFINITY) tileClipBack(...places);
      if (this.#unfold) this.#unfold.addBack(own, count, part, dx);
      else if (placed.x) moveChannels(this.#kernels, own, 0, dx, part.from, part, inputs.inputRows);
    }
    this.#packedBack = true;
  }

  /**
   * Adds the loss's derivative by `weights` of part k to to[k], of the same layout, and where scales are learnt scale_i times that by
   * scale_i to `toScale`. Gives those by the output bound of each part, where it is learnt. x is all that products since `after` = 0
   * were of.
   */
  gradient(x: Table, dy: Table, to: readonly Block[], count: number, toScale?: Block): number[] {
    const { changed, factors } = this.#scratch;
    const slopes: number[] = [];
    for (const [k, placed] of this.#placed.entries()) {
      const { part } = placed;
      const inputs = this.#inputs(placed, x, count);
      const d = this.#slopes(part, dy, inputs);
      part.quantise(inputs);
      part.main.load(part.q, this.#units(count));
      if (this.#isEven) {
        changed.data.fill(0, 0, this.outputs * part.width);
        part.main.gradient(d, changed, this.#units(count));
        const { at } = to[k];
        this.#kernels.addRows(this.outputs, part.width, at, changed.at, at, factors.at);
      } else part.main.gradient(d, to[k], this.#units(count));
      if (toScale)
        this.#productSums(d, part.out, inputs.rows).forEach((sum, i) => {
          toScale.data[i] += sum;
        });
      if (this.#learnt.outputBound)
        slopes.push(this.#productSums(d, part.kept, inputs.rows).reduce((total, sum) => total + sum, 0));
    }
    return slopes;
  }

  /** Sums over rows of slopes times what is in a table, [output]. */
  #productSums(d: Table, table: Table, rows: number): Float32Array {
    const { factors, products } = this.#scratch;
    products.data.fill(0);
    this.#kernels.sumProducts(rows, d.width, d.at, table.at, products.at);
    const sums = products.data.subarray(0, this.outputs);
    return this.#isEven ? sums.map((sum, i) => factors.data[i] * sum) : sums;
  }

  /** What a share of the inputs of part k is within in size: for 1 the largest, else of some thousands that are looked at. */
  inputsReach(k: number, x: Table, count: number, share: number): number {
    const { sums } = this.#scratch;
    const { from, rows, width, features } = this.#stretch(k, x, count);
    if (share === 1) {
      this.#kernels.tileLargest(rows, width, features, x.at + 4 * from, sums.at);
      return sums.data.subarray(0, rows).reduce((most, one) => Math.max(most, one), 0);
    }
    const part = this.parts[k];
    const size = part.to - part.from;
    const all = count * this.#imagePositions * size;
    const every = Math.max(1, Math.floor(all / looked)) | 1;
    const sizes = new Float32Array(Math.ceil(all / every));
    for (let n = 0, at = 0; at < all; n++, at += every)
      sizes[n] = Math.abs(x.data[Math.floor(at / size) * x.width + part.from + (at % size)]);
    sizes.sort();
    return sizes[Math.ceil(share * sizes.length) - 1];
  }

  /** Share of the inputs of part k that lie within its range. */
  shareWithin(k: number, x: Table, count: number): number {
    const { sums } = this.#scratch;
    const part = this.parts[k];
    const { from, rows, width, features } = this.#stretch(k, x, count);
    this.#kernels.tileWithin(rows, width, features, x.at + 4 * from, sums.at, part.alpha);
    const inside = sums.data.subarray(0, rows).reduce((sum, one) => sum + one, 0);
    const inputs = count * this.#imagePositions * (part.to - part.from);
    return (inside - (rows * features - inputs)) / inputs; // what fills rows up is 0 and within
  }

  /** The inputs of a part as rows for a kernel: whole examples, with what fills positions up, where the part takes all channels. */
  #stretch(k: number, x: Table, count: number) {
    const { from, to } = this.parts[k];
    const positions = this.#imagePositions;
    if (to - from < x.features)
      return { from, rows: count * positions, width: x.width, features: to - from } as const;
    const width = positions * x.width;
    return { from: 0, rows: count, width, features: width } as const;
  }

  /** A part's slope by its input range, from derivatives by inputs after the DAC. */
  #rangeSlope(
    part: TilePart,
    x: Table,
    d: Table,
    inputs: Inputs,
    o: { count: number; rule: RangeRule },
  ): number {
    const { dacBits, inputBound } = this.tile;
    const { sums } = this.#scratch;
    const { count, rule } = o;
    if (inputBound === Number.POSITIVE_INFINITY) return 0;
    const width = (inputs.inputRows / count) * d.width;
    const places = [count, width, width, d.at, x.at, sums.at];
    const end = part.alpha * inputBound;
    const most = dacBits === "none" ? finest : stepsOf(dacBits);
    if (rule === "clipping") this.#kernels.tileRangeBack(...places, end);
    else this.#kernels.tileStepBack(...places, most / end, most);
    const sum = sums.data.subarray(0, count).reduce((total, one) => total + one, 0);
    return (sum * inputBound) / (part.alpha * (rule === "clipping" ? 1 : most));
  }

  #inputs({ part, x: own }: Placed, x: Table, count: number): Inputs {
    const inputRows = count * this.#inputPositions;
    if (own && this.#unfold) this.#unfold.rows(x, count, part, own);
    else if (own) moveChannels(this.#kernels, x, part.from, own, 0, part, inputRows);
    return { x: own ?? x, inputRows, rows: count * this.#scratch.positions };
  }

  /**
   * Derivatives by what comes from a tile's ADC, times its range. Where all rows have one range, dy itself, and `factors` are what
   * makes it so.
   */
  #slopes(part: TilePart, dy: Table, inputs: Inputs): Table {
    const { raw, range, factors } = this.#scratch;
    part.divide(inputs, "back");
    if (this.#isEven) {
      for (let i = 0; i < this.outputs; i++) factors.data[i] = part.scale.data[i] * part.alpha;
      return dy;
    }
    this.#kernels.tileBack(inputs.rows, dy.width, dy.at, raw.at, part.scale.at, range.at);
    return raw;
  }

  /** What `backward` multiplies by: for dy itself with the scales of outputs, while the range cancels out. */
  #packBack({ main, weights, width, scale }: TilePart): void {
    const { changed } = this.#scratch;
    if (this.#isEven) this.#kernels.scaleRows(this.outputs, width, weights.at, changed.at, scale.at);
    main.packBack(this.#isEven ? changed : weights);
  }

  /** What products count: rows, or examples. */
  #units(count: number): number {
    return this.#scratch.byRow ? count * this.#scratch.positions : count;
  }
}

/** As many channels as a part has, from one table into another. */
function moveChannels(
  { copyStrided }: Kernels,
  from: Table,
  first: number,
  to: Table,
  second: number,
  part: { readonly from: number; readonly to: number },
  rows: number,
): void {
  const [source, target] = [from.at + 4 * first, to.at + 4 * second];
  copyStrided(rows, part.to - part.from, source, 4 * from.width, target, 4 * to.width);
}

/** Numbers of a heap that has room for a matrix on tiles, at most. */
export function numbersOf(tile: Tile, outputs: number, inputs: number, rows: number): number {
  const parts = Math.ceil(inputs / tile.rows);
  const [n, m] = [paddedColumns(inputs) + 12 * parts, paddedColumns(outputs) + 12];
  return 1e5 + 7 * n * m + rows * (12 * m + 8 * n + 40);
}
