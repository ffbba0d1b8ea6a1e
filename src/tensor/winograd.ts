/**
 * Products of a matrix with patches of 3 x 3 pixels by minimal filtering: fewer multiplications for the same sums.
 *
 * Forwards y += x W^T as convolutions go; backwards the same with taps turned round and channels changed for outputs; the gradient is
 * summed over all images of a call before it is transformed back. Kernels and equations: minimal.ts. Tables are those of `Patches`, so that
 * either may be used. Errors are a few times those of sums in order: see the tests.
 */
import type { Block } from "./heap.ts";
import type { Kernels } from "./kernels.ts";
import { paddedColumns } from "./matvec.ts";
import { type Geometry, geometryWords, linesAt, namesOf, roomNumbers, transformedAt } from "./minimal.ts";
import { panelColumns, panelNumbers, takePlan } from "./product.ts";
import type { Products } from "./rows.ts";
import type { Table } from "./table.ts";
import { type Filter, filters, type Kind, placeNumbers, type Side, tapCount } from "./toom.ts";
import { type PatchOptions, patchPositions } from "./window.ts";

/**
 * Tiles whose products are made together: as many as transformed are half a million numbers, which is what a core's second cache holds, but
 * enough to use what is packed often. Measured on a core with 2 MiB.
 */
const [leastTiles, mostTiles, transformedNumbers] = [24, 96, 2 ** 19];

/** How many times fewer products are to be: transforms take some of what is won. */
const leastGain = 1.5;

/** Bytes from vector to vector of taps in lines of a room. */
const stride = 16 * tapCount;

/** With fewer channels, transforms take what products save; of more, a tile does not fit into a line of a room. */
const leastChannels = [8, 24]; // of stride 1 and 2
const mostChannels = 1024;

/**
 * The kind of filters for a convolution, undefined where sums in order are as good: other kernels and strides, few channels, and images of
 * which tiles would cover much more than there is. The larger tile, whose errors are larger too, has to save a fifth of the products.
 */
export function filterOf(o: PatchOptions): Kind | undefined {
  const { shape, kernel, stride, border, outputs } = o;
  const isFit =
    kernel.every((size) => size === tapCount) &&
    stride[0] === stride[1] &&
    border.every((size) => size < tapCount) &&
    stride[0] <= 2 &&
    Math.min(shape[2], outputs) >= leastChannels[stride[0] - 1] &&
    Math.max(shape[2], outputs) <= mostChannels;
  if (!isFit || o.inOrder) return undefined;
  const [height, width] = patchPositions(o);
  const products = (kind: Kind): number => {
    const { outputs: m, places } = filters[kind];
    return Math.ceil(height / m) * Math.ceil(width / m) * places ** 2;
  };
  const few = (tapCount ** 2 * height * width) / leastGain;
  if (stride[0] === 2) return products("Halving") <= few ? "Halving" : undefined;
  const best = products("Five") <= 0.8 * products("Four") ? "Five" : "Four";
  return products(best) <= few ? best : undefined;
}

type Image = Omit<Geometry, "tiles" | "runs" | "lines">;

/** From images `inputs` to images `outputs`: plans of them, and of products between the two. */
interface Way {
  readonly inputs: number;
  readonly outputs: number;
  readonly product: number;
  /** Runs of tiles that are worked on together, and runs of an image. */
  readonly group: number;
  readonly runs: number;
  /** Panels of each place. */
  readonly weights: Block;
}

export class WinogradPatches implements Products {
  readonly inputs: number;
  readonly width: number;
  readonly positions: number;
  readonly #kernels: Kernels;
  readonly #o: PatchOptions;
  readonly #names: ReturnType<typeof namesOf>;
  readonly #filter: Filter;
  readonly #kind: Kind;
  readonly #n: number; // places along a side of a tile
  readonly #from: number; // channels with what fills them up
  readonly #to: number;
  readonly #forward: Way;
  readonly #back: Way | undefined;
  readonly #gradient: number; // plan
  readonly #blocks: { readonly count: number; readonly outputs: number };
  #x = 0;

  constructor(kernels: Kernels, o: PatchOptions, kind: Kind) {
    const [height, width, channels] = o.shape;
    const [lines, columns] = patchPositions(o);
    this.#kernels = kernels;
    this.#o = o;
    this.#names = namesOf(kind);
    this.#kind = kind;
    this.#filter = filters[kind];
    const { forward, back, stride, places } = this.#filter;
    this.#n = places;
    this.#from = paddedColumns(channels);
    this.#to = paddedColumns(o.outputs);
    this.inputs = tapCount ** 2 * channels;
    this.width = paddedColumns(this.inputs);
    this.positions = lines * columns;
    const [top, left] = o.border;
    const images: Image = { height, width, channels: this.#from, top, left };
    const results: Image = { height: lines, width: columns, channels: this.#to, top: 0, left: 0 };
    const last = tapCount - 1;
    this.#forward = this.#way(forward, images, results);
    if (o.needsBackward)
      this.#back =
        stride === 1
          ? this.#way(
              back,
              { ...results, top: last - top, left: last - left },
              { ...images, top: 0, left: 0 },
            )
          : this.#way(back, { ...results, top: 1, left: 1 }, images);
    // sums of the gradient lie in blocks of outputs that fit into a place
    const count = Math.ceil((o.outputs * this.#from) / placeNumbers);
    this.#blocks = { count, outputs: Math.ceil(o.outputs / count) };
    this.#gradient = takePlan(kernels.heap, {
      lines: count,
      m: this.#blocks.outputs,
      n: this.#from,
      steps: 1, // tiles of a group
      a: { image: placeNumbers, line: this.#blocks.outputs, row: 1, step: this.#to },
      b: { image: placeNumbers, panel: panelColumns, step: this.#from },
      c: { image: placeNumbers, line: this.#n ** 2 * placeNumbers, row: this.#from },
    });
    this.#room();
  }

  /** Threads' rooms, and the sums of a gradient behind them: byte offsets. */
  #room(): { rooms: number; sums: number } {
    const rooms = this.#kernels.threads * roomNumbers(this.#filter);
    const sums = this.#blocks.count * this.#n ** 2 * placeNumbers;
    const { at } = this.#kernels.heap.share(`filters ${this.#kind}`, rooms + sums);
    return { rooms: at, sums: at + 4 * rooms };
  }

  #way(sides: Filter["forward"], from: Image, to: Image): Way {
    const { heap } = this.#kernels;
    const { step } = sides.to;
    const across = Math.ceil((to.width + to.left) / step);
    /** Tiles of a run whose columns fit into a line of the room. */
    const most = ({ matrix, step }: Side, { channels }: Image) =>
      Math.floor((placeNumbers / channels - matrix[0].length) / step) + 1;
    const tiles = Math.ceil(
      across / Math.ceil(across / Math.min(most(sides.from, from), most(sides.to, to))),
    );
    const lines = Math.ceil((to.height + to.top) / step);
    const cover = { tiles, runs: Math.ceil(across / tiles), lines };
    const take = (image: Image): number => {
      const words = geometryWords({ ...image, ...cover });
      const { at } = heap.take(words.length);
      new Int32Array(heap.memory.buffer, at, words.length).set(words);
      return at;
    };
    const panels = panelNumbers(from.channels, to.channels);
    const fitting = placeNumbers / Math.max(from.channels, to.channels);
    const cached = transformedNumbers / (this.#n ** 2 * (from.channels + to.channels));
    const together = Math.min(mostTiles, Math.max(leastTiles, cached));
    return {
      inputs: take(from),
      outputs: take(to),
      product: takePlan(heap, {
        m: 1, // tiles of a group
        n: to.channels,
        steps: from.channels,
        a: { image: placeNumbers, row: from.channels, step: 1 },
        b: { image: panels, panel: panelColumns * from.channels, step: panelColumns },
        c: { image: placeNumbers, row: to.channels },
        stores: true,
      }),
      group: Math.max(1, Math.floor(Math.min(fitting, together) / tiles)),
      runs: cover.runs * cover.lines,
      weights: heap.take(this.#n ** 2 * panels),
    };
  }

  load(x: Table): void {
    this.#x = x.at;
  }

  /** Byte offsets of the three lines of taps of an output, in column `tx`. */
  #lines(w: Block, output: number, tx: number): number[] {
    const channels = this.#o.shape[2];
    const first = w.at + 4 * (output * this.width + tx * channels);
    return [0, 1, 2].map((ty) => first + 4 * ty * tapCount * channels);
  }

  /**
   * Transforms filters of some outputs at a time, as many as fit into a place, and packs those of each place. Numbers past the last
   * channel are of the next tap: they are not packed.
   */
  #transform(
    w: Block,
    turned: boolean,
    pack: (first: number, count: number, from: number, place: number) => void,
  ): void {
    const { tapsDown, tapsAcross } = this.#names;
    const { rooms } = this.#room();
    const [lines, places] = [rooms + linesAt, rooms + transformedAt(this.#filter)];
    const vectors = this.#from / 4;
    const most = Math.floor(placeNumbers / this.#from / panelColumns) * panelColumns;
    for (let first = 0; first < this.#o.outputs; first += most) {
      const count = Math.min(most, this.#o.outputs - first);
      for (let k = 0; k < count; k++) {
        for (let tx = 0; tx < tapCount; tx++) {
          const taps = this.#lines(w, first + k, turned ? tapCount - 1 - tx : tx);
          this.#kernels[tapsDown](1, vectors, lines + 16 * tx, stride, ...(turned ? taps.reverse() : taps));
        }
        this.#kernels[tapsAcross](this.#n, 1, vectors, lines, stride, places + 4 * k * this.#from);
      }
      for (let place = 0; place < this.#n ** 2; place++)
        pack(first, count, places + 4 * place * placeNumbers, place);
    }
  }

  pack(w: Block): void {
    const { at } = this.#forward.weights;
    const [from, to] = [this.#from, this.#to];
    const pitch = 4 * panelColumns * from;
    this.#transform(w, false, (first, count, filters, place) => {
      const panels = at + 4 * place * panelNumbers(from, to) + (first / panelColumns) * pitch;
      this.#kernels.pack(filters, 4 * from, 4, this.#o.shape[2], count, panels, pitch);
    });
  }

  packBack(w: Block): void {
    const { at } = (this.#back as Way).weights;
    const [from, to] = [this.#from, this.#to];
    this.#transform(w, true, (first, count, filters, place) => {
      const panels = at + 4 * (place * panelNumbers(to, from) + first * panelColumns);
      this.#kernels.pack(filters, 4, 4 * from, count, this.#o.shape[2], panels, 4 * panelColumns * to);
    });
  }

  #convolve(way: Way, x: number, y: number, count: number, stores: boolean): void {
    const { inputs, outputs, product, group, weights, runs } = way;
    const plans = [inputs, outputs, product, group] as const;
    const { rooms } = this.#room();
    const { convolve, back } = this.#names;
    this.#kernels[way === this.#forward ? convolve : back](
      ...plans,
      x,
      weights.at,
      y,
      rooms,
      stores ? 1 : 0,
      0,
      count * runs,
    );
  }

  forward(y: Table, count: number, stores = false): void {
    this.#convolve(this.#forward, this.#x, y.at, count, stores);
  }

  backward(dy: Table, dx: Table, count: number): void {
    this.#convolve(this.#back as Way, dy.at, dx.at, count, true);
  }

  gradient(dy: Table, dw: Block, count: number): void {
    if (count === 0) return;
    const { correlate, slopesAcross, slopesDown } = this.#names;
    const { inputs, outputs, group, runs } = this.#forward;
    const plans = [inputs, outputs, this.#gradient, group] as const;
    const { rooms, sums } = this.#room();
    const [n, vectors] = [this.#n, this.#from / 4];
    this.#kernels[correlate](...plans, this.#x, dy.at, sums, rooms, 0, count * runs, 0, n);
    const lines = rooms + linesAt;
    for (let k = 0; k < this.#o.outputs; k++) {
      const block = Math.floor(k / this.#blocks.outputs);
      const from = block * n ** 2 * placeNumbers + (k - block * this.#blocks.outputs) * this.#from;
      this.#kernels[slopesAcross](n, 1, vectors, lines, stride, sums + 4 * from);
      // what fills channels up adds 0 to the next tap
      for (let tx = 0; tx < tapCount; tx++)
        this.#kernels[slopesDown](1, vectors, lines + 16 * tx, stride, ...this.#lines(dw, k, tx));
    }
  }
}
