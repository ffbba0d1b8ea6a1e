/**
 * Products of a matrix with patches of 3 x 3 pixels, one at each pixel, by minimal filtering: fewer multiplications for the same sums.
 *
 * Forwards y += x W^T as convolutions go; backwards the same with taps turned round and channels changed for outputs; the gradient sums
 * products of transformed images. Kernels and equations: minimal.ts. Tables are those of `Patches`, so that either may be used. Errors
 * are a few times those of sums in order: see the tests.
 */
import type { Block } from "./heap.ts";
import type { Kernels } from "./kernels.ts";
import { paddedColumns } from "./matvec.ts";
import { type Geometry, geometryWords, linesAt, namesOf, roomNumbers, transformedAt } from "./minimal.ts";
import { panelColumns, panelNumbers, takePlan } from "./product.ts";
import type { Products } from "./rows.ts";
import type { Table } from "./table.ts";
import { placeNumbers, placesOf, type TileSize, tapCount } from "./toom.ts";
import { type PatchOptions, patchPositions } from "./window.ts";

/** Tiles whose products are made together: transformed, those of some ten channels fit into a core's second cache. */
const together = 96;

/** With fewer, transforms take what products save. */
const leastChannels = 8;

/**
 * The tile size for a convolution, undefined where sums in order are as good: other kernels and strides, few channels, and images of
 * which tiles would cover much more than there is. The larger tile, whose errors are larger too, has to save a fifth of the products.
 */
export function tileSizeOf(o: PatchOptions): TileSize | undefined {
  const { shape, kernel, stride, border } = o;
  const isFit =
    kernel.every((size) => size === tapCount) &&
    stride.every((step) => step === 1) &&
    border.every((size) => size < tapCount) &&
    shape[2] % 4 === 0 &&
    Math.min(shape[2], o.outputs) >= leastChannels;
  if (!isFit || o.inOrder) return undefined;
  const [height, width] = patchPositions(o);
  const products = (m: number) => Math.ceil(height / m) * Math.ceil(width / m) * placesOf(m) ** 2;
  const best = products(5) <= 0.8 * products(4) ? 5 : 4;
  const fits = (tapCount - 1 + best) * Math.max(shape[2], paddedColumns(o.outputs)) <= placeNumbers;
  return fits && products(best) <= (tapCount ** 2 * height * width) / 1.5 ? best : undefined;
}

/** How a side with images `inputs` becomes images `outputs`, and products between the two. */
interface Way {
  readonly inputs: number; // plans
  readonly outputs: number;
  readonly product: number;
  /** Runs of tiles that are worked on together, and runs of an image. */
  readonly group: number;
  readonly runs: number;
  readonly weights: Block;
}

export class WinogradPatches implements Products {
  readonly inputs: number;
  readonly width: number;
  readonly positions: number;
  readonly #kernels: Kernels;
  readonly #o: PatchOptions;
  readonly #m: TileSize;
  readonly #n: number;
  readonly #filled: number; // outputs, filled up
  readonly #forward: Way;
  readonly #back: Way | undefined;
  readonly #slopes: Omit<Way, "weights">;
  readonly #blocks: { readonly count: number; readonly outputs: number };
  #x = 0;

  constructor(kernels: Kernels, o: PatchOptions, m: TileSize) {
    const { heap } = kernels;
    const [height, width, channels] = o.shape;
    const [lines, columns] = patchPositions(o);
    this.#kernels = kernels;
    this.#o = o;
    this.#m = m;
    this.#n = placesOf(m);
    this.#filled = paddedColumns(o.outputs);
    this.inputs = tapCount ** 2 * channels;
    this.width = this.inputs;
    this.positions = lines * columns;
    const [top, left] = o.border;
    const images = { height, width, channels, top, left };
    const results = { height: lines, width: columns, channels: this.#filled, top: 0, left: 0 };
    this.#forward = this.#way(images, results);
    if (o.needsBackward)
      this.#back = this.#way(
        { ...results, top: tapCount - 1 - top, left: tapCount - 1 - left },
        { ...images, top: 0, left: 0 },
      );
    // sums of the gradient lie in blocks of outputs that fit into a place
    const count = Math.ceil((o.outputs * channels) / placeNumbers);
    this.#blocks = { count, outputs: Math.ceil(o.outputs / count) };
    const { inputs, outputs, group, runs } = this.#forward;
    this.#slopes = {
      inputs,
      outputs,
      group,
      runs,
      product: takePlan(heap, {
        lines: count,
        m: this.#blocks.outputs,
        n: channels,
        steps: 1,
        a: { image: placeNumbers, line: this.#blocks.outputs, row: 1, step: this.#filled },
        b: { image: placeNumbers, panel: panelColumns, step: channels },
        c: { image: placeNumbers, line: this.#n ** 2 * placeNumbers, row: channels },
      }),
    };
    this.#room();
  }

  /** Numbers of all threads' rooms, and the sums of a gradient behind them. */
  #room(): { rooms: number; sums: number } {
    const rooms = this.#kernels.threads * roomNumbers;
    const { at } = this.#kernels.heap.share(
      "filters",
      rooms + this.#blocks.count * this.#n ** 2 * placeNumbers,
    );
    return { rooms: at, sums: at + 4 * rooms };
  }

  #way(
    from: Omit<Geometry, "tiles" | "runs" | "lines">,
    to: Omit<Geometry, "tiles" | "runs" | "lines">,
  ): Way {
    const { heap } = this.#kernels;
    const m = this.#m;
    const across = Math.ceil(to.width / m);
    const most = Math.max(
      1,
      Math.min(
        Math.floor((placeNumbers / from.channels - (tapCount - 1)) / m),
        Math.floor(placeNumbers / to.channels / m),
      ),
    );
    const tiles = Math.ceil(across / Math.ceil(across / most));
    const shape = { tiles, runs: Math.ceil(across / tiles), lines: Math.ceil(to.height / m) };
    const room = Math.floor(placeNumbers / Math.max(from.channels, to.channels));
    const take = (g: Omit<Geometry, "tiles" | "runs" | "lines">): number => {
      const words = geometryWords({ ...g, ...shape });
      const { at } = heap.take(words.length);
      new Int32Array(heap.memory.buffer, at, words.length).set(words);
      return at;
    };
    const panels = panelNumbers(from.channels, to.channels);
    return {
      inputs: take(from),
      outputs: take(to),
      product: takePlan(heap, {
        m: 1,
        n: to.channels,
        steps: from.channels,
        a: { image: placeNumbers, row: from.channels, step: 1 },
        b: { image: panels, panel: panelColumns * from.channels, step: panelColumns },
        c: { image: placeNumbers, row: to.channels },
        stores: true,
      }),
      group: Math.max(1, Math.floor(Math.min(room, together) / tiles)),
      runs: shape.runs * shape.lines,
      weights: heap.take(this.#n ** 2 * panels),
    };
  }

  load(x: Table): void {
    this.#x = x.at;
  }

  /** Transforms filters of some outputs at a time, as many as fit into a place, and packs those of each place. */
  #transform(
    w: Block,
    turned: boolean,
    pack: (first: number, count: number, from: number, place: number) => void,
  ): void {
    const { outputs, shape } = this.#o;
    const channels = shape[2];
    const { rooms } = this.#room();
    const { tapsDown, tapsAcross } = namesOf(this.#m);
    const most = Math.floor(placeNumbers / channels / panelColumns) * panelColumns;
    const [lines, places, line] = [rooms + linesAt, rooms + transformedAt, 4 * tapCount * channels];
    for (let first = 0; first < outputs; first += most) {
      const count = Math.min(most, outputs - first);
      for (let k = 0; k < count; k++) {
        const at = w.at + (first + k) * tapCount * line;
        const of = turned ? [at + 2 * line, at + line, at] : [at, at + line, at + 2 * line];
        this.#kernels[tapsDown]((tapCount * channels) / 4, lines, ...of);
        const tap = turned ? -4 * channels : 4 * channels;
        this.#kernels[tapsAcross](
          this.#n,
          1,
          channels / 4,
          lines + (turned ? 8 * channels : 0),
          tap,
          0,
          places + 4 * k * channels,
        );
      }
      for (let place = 0; place < this.#n ** 2; place++)
        pack(first, count, places + 4 * place * placeNumbers, place);
    }
  }

  pack(w: Block): void {
    const channels = this.#o.shape[2];
    const { at } = this.#forward.weights;
    const pitch = 4 * panelColumns * channels;
    this.#transform(w, false, (first, count, from, place) => {
      const to = at + 4 * place * panelNumbers(channels, this.#filled) + (first / panelColumns) * pitch;
      this.#kernels.pack(from, 4 * channels, 4, channels, count, to, pitch);
    });
  }

  #convolve(way: Way, x: number, y: number, count: number): void {
    const { inputs, outputs, product, group, weights, runs } = way;
    const { rooms } = this.#room();
    const { convolve } = namesOf(this.#m);
    this.#kernels[convolve](inputs, outputs, product, group, x, weights.at, y, rooms, 0, count * runs);
  }

  forward(y: Table, count: number): void {
    this.#convolve(this.#forward, this.#x, y.at, count);
  }

  packBack(w: Block): void {
    const channels = this.#o.shape[2];
    const { at } = (this.#back as Way).weights;
    const filled = this.#filled;
    this.#transform(w, true, (first, count, from, place) => {
      const to = at + 4 * (place * panelNumbers(filled, channels) + first * panelColumns);
      this.#kernels.pack(from, 4, 4 * channels, count, channels, to, 4 * panelColumns * filled);
    });
  }

  backward(dy: Table, dx: Table, count: number): void {
    const [height, width, channels] = this.#o.shape;
    dx.data.fill(0, 0, count * height * width * channels);
    this.#convolve(this.#back as Way, dy.at, dx.at, count);
  }

  gradient(dy: Table, dw: Block, count: number): void {
    if (count === 0) return;
    const { inputs, outputs, product, group, runs } = this.#slopes;
    const { correlate, slopesAcross, slopesDown } = namesOf(this.#m);
    const { rooms, sums } = this.#room();
    const n = this.#n;
    this.#kernels[correlate](
      inputs,
      outputs,
      product,
      group,
      this.#x,
      dy.at,
      sums,
      rooms,
      0,
      count * runs,
      0,
      n,
    );
    const channels = this.#o.shape[2];
    const line = 4 * tapCount * channels;
    for (let k = 0; k < this.#o.outputs; k++) {
      const block = Math.floor(k / this.#blocks.outputs);
      const from = sums + 4 * (block * n ** 2 * placeNumbers + (k - block * this.#blocks.outputs) * channels);
      this.#kernels[slopesAcross](n, 1, channels / 4, rooms + linesAt, 4 * channels, 0, from);
      const to = dw.at + k * tapCount * line;
      this.#kernels[slopesDown]((tapCount * channels) / 4, rooms + linesAt, to, to + line, to + 2 * line);
    }
  }
}
