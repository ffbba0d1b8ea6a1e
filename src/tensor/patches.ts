/**
 * Products of a matrix with patches of images: convolutions, read where the image lies.
 *
 * Images are tables [height][width][channel]; a patch is [tap line][tap][channel], and so is a row of W. Most patches of 3 x 3 go
 * by fewer products (winograd.ts). An image with a
 * border is copied into a larger frame. Channels that do not fill vectors (the colours of a picture) are copied patch by
 * patch into rows. Backwards, the places of dx that lie `stride` apart form classes, each with its own taps, so nothing is
 * multiplied by the zeros between them (Dumoulin & Visin 2016, arXiv:1603.07285, chapter 4).
 */
import type { Block } from "./heap.ts";
import type { Kernels } from "./kernels.ts";
import { paddedColumns } from "./matvec.ts";
import { panelColumns, panelNumbers, storeByPlan, takePlan } from "./product.ts";
import { type Products, Rows } from "./rows.ts";
import { type Table, takeTable } from "./table.ts";
import { type PatchOptions, patchPositions } from "./window.ts";
import { filterOf, WinogradPatches } from "./winograd.ts";

export { type PatchOptions, patchPositions } from "./window.ts";

/** What multiplies patches by a matrix. */
export function patches(kernels: Kernels, o: PatchOptions): Products {
  const channels = o.shape[2];
  const kind = filterOf(o);
  if (kind) return new WinogradPatches(kernels, o, kind);
  return channels === paddedColumns(channels) ? new Patches(kernels, o) : new CopiedPatches(kernels, o);
}

/** One class of places of dx: those whose distance from a tap is the same, and the plan of their sum. */
interface BackPart {
  readonly plan: number;
  readonly panels: number; // byte offset
  readonly pitch: number; // bytes from panel to panel
  readonly taps: readonly { readonly weight: number; readonly to: number }[]; // numbers from the start of W, bytes
  readonly from: number; // bytes into the frame of dy
  readonly to: number; // bytes into dx
}

class Patches implements Products {
  readonly inputs: number;
  readonly width: number;
  readonly positions: number;
  readonly #kernels: Kernels;
  readonly #o: PatchOptions;
  readonly #lines: number;
  readonly #columns: number;
  readonly #frame: Frame;
  readonly #panels: Block;
  readonly #forward: number;
  readonly #gradient: number;
  readonly #backFrame: Frame | undefined;
  readonly #back: readonly BackPart[];

  constructor(kernels: Kernels, o: PatchOptions) {
    const { heap } = kernels;
    const [height, width, channels] = o.shape;
    const [tapLines, taps] = o.kernel;
    const [strideY, strideX] = o.stride;
    [this.#lines, this.#columns] = patchPositions(o);
    this.#kernels = kernels;
    this.#o = o;
    this.inputs = tapLines * taps * channels;
    this.width = this.inputs;
    this.positions = this.#lines * this.#columns;
    this.#frame = new Frame(kernels, { lines: height, line: width * channels, images: o.images }, [
      o.border[0],
      o.border[1] * channels,
      o.border[2],
      o.border[3] * channels,
    ]);
    const n = paddedColumns(o.outputs);
    const k = this.inputs;
    const { line, image } = this.#frame;
    this.#panels = heap.take(panelNumbers(k, n));
    const outputImage = this.positions * n;
    this.#forward = takePlan(heap, {
      lines: this.#lines,
      m: this.#columns,
      n,
      outers: tapLines,
      steps: taps * channels,
      a: { image, line: strideY * line, row: strideX * channels, outer: line, step: 1 },
      b: { panel: panelColumns * k, outer: panelColumns * taps * channels, step: panelColumns },
      c: { image: outputImage, line: this.#columns * n, row: n },
    });
    this.#gradient = takePlan(heap, {
      lines: tapLines,
      m: o.outputs,
      n: taps * channels,
      outers: this.#lines,
      steps: this.#columns,
      a: { image: outputImage, row: 1, outer: this.#columns * n, step: n },
      b: { image, line, panel: panelColumns, outer: strideY * line, step: strideX * channels },
      c: { line: taps * channels, row: k },
    });
    const back = o.needsBackward ? this.#backwards() : undefined;
    this.#backFrame = back?.frame;
    this.#back = back?.parts ?? [];
  }

  #backwards(): { frame: Frame; parts: BackPart[] } {
    const { heap } = this.#kernels;
    const { shape, kernel, stride, border, outputs, images } = this.#o;
    const [height, width, channels] = shape;
    const n = paddedColumns(outputs);
    /** Taps of a class along one side, its places in dx, and the outputs in front of and behind what there is. */
    const classes = (size: number, tapCount: number, step: number, before: number, out: number) =>
      Array.from({ length: step }, (_, rest) => {
        const count = Math.max(0, Math.ceil((tapCount - rest) / step));
        const first = (((rest - before) % step) + step) % step; // first place of this class
        const places = first < size ? Math.floor((size - 1 - first) / step) + 1 : 0;
        const start = (first + before - rest) / step; // output of the class's tap 0 at its first place
        return {
          rest,
          count,
          first,
          places,
          start,
          before: Math.max(0, count - 1 - start),
          behind: Math.max(0, start + places - out),
        };
      }).filter(({ count, places }) => count > 0 && places > 0);
    const down = classes(height, kernel[0], stride[0], border[0], this.#lines);
    const across = classes(width, kernel[1], stride[1], border[1], this.#columns);
    const most = (list: readonly number[]) => Math.max(0, ...list);
    const top = most(down.map(({ before }) => before));
    const left = most(across.map(({ before }) => before));
    const frame = new Frame(this.#kernels, { lines: this.#lines, line: this.#columns * n, images }, [
      top,
      left * n,
      most(down.map(({ behind }) => behind)),
      most(across.map(({ behind }) => behind)) * n,
    ]);
    const parts = down.flatMap((y) =>
      across.map((x): BackPart => {
        const k = y.count * x.count * n;
        const plan = takePlan(heap, {
          lines: y.places,
          m: x.places,
          n: channels,
          outers: y.count,
          steps: x.count * n,
          a: { image: frame.image, line: frame.line, row: n, outer: frame.line, step: 1 },
          b: { panel: panelColumns * k, outer: panelColumns * x.count * n, step: panelColumns },
          c: {
            image: height * width * channels,
            line: stride[0] * width * channels,
            row: stride[1] * channels,
          },
        });
        const panels = heap.take(panelNumbers(k, channels)).at;
        // output o sees place p through tap rest + step t where o = start + (place of the class) - t: taps fall as o rises
        const taps = Array.from({ length: y.count * x.count }, (_, place) => {
          const ty = y.count - 1 - Math.floor(place / x.count);
          const tx = x.count - 1 - (place % x.count);
          const tapY = y.rest + stride[0] * ty;
          const tapX = x.rest + stride[1] * tx;
          return {
            weight: (tapY * kernel[1] + tapX) * channels,
            to: panels + 4 * place * n * panelColumns,
          };
        });
        return {
          plan,
          panels,
          pitch: 4 * panelColumns * k,
          taps,
          from: 4 * ((top + y.start - (y.count - 1)) * frame.line + (left + x.start - (x.count - 1)) * n),
          to: 4 * (y.first * width + x.first) * channels,
        };
      }),
    );
    return { frame, parts };
  }

  load(x: Table, count: number): void {
    this.#frame.load(x, count);
  }

  pack(w: Block): void {
    const k = this.inputs;
    this.#kernels.pack(w.at, 4 * k, 4, k, this.#o.outputs, this.#panels.at, 4 * panelColumns * k);
  }

  forward(y: Table, count: number, stores = false): void {
    storeByPlan(this.#kernels.heap, this.#forward, stores);
    this.#kernels.multiply(this.#forward, this.#frame.at, this.#panels.at, y.at, count);
  }

  packBack(w: Block): void {
    const { outputs, shape } = this.#o;
    for (const { taps, pitch } of this.#back)
      for (const { weight, to } of taps)
        this.#kernels.pack(w.at + 4 * weight, 4, 4 * this.width, outputs, shape[2], to, pitch);
  }

  backward(dy: Table, dx: Table, count: number): void {
    const frame = this.#backFrame as Frame;
    frame.load(dy, count);
    dx.data.fill(0, 0, count * this.#o.shape[0] * this.#o.shape[1] * this.#o.shape[2]);
    for (const { plan, panels, from, to } of this.#back)
      this.#kernels.multiply(plan, frame.at + from, panels, dx.at + to, count);
  }

  gradient(dy: Table, dw: Block, count: number): void {
    this.#kernels.multiply(this.#gradient, dy.at, this.#frame.at, dw.at, count);
  }
}

/** Lines of numbers with a border of zeros around them; without a border they are not copied. */
export class Frame {
  /** Numbers from line to line, and from image to image. */
  readonly line: number;
  readonly image: number;
  readonly #kernels: Kernels;
  readonly #inner: { readonly lines: number; readonly line: number };
  readonly #own: Block | undefined;
  /** Numbers before the first of the image. */
  readonly start: number;
  #at = 0;

  /** `border`: lines above, numbers to the left, lines below, numbers to the right. */
  constructor(
    kernels: Kernels,
    o: { readonly lines: number; readonly line: number; readonly images: number },
    border: readonly [number, number, number, number],
  ) {
    const [top, left, bottom, right] = border;
    this.#kernels = kernels;
    this.#inner = o;
    this.line = o.line + left + right;
    this.image = this.line * (o.lines + top + bottom);
    this.start = top * this.line + left;
    if (border.some((size) => size > 0)) this.#own = kernels.heap.take(o.images * this.image);
  }

  load({ at }: Block, count: number): void {
    const { lines, line } = this.#inner;
    if (!this.#own) {
      this.#at = at;
      return;
    }
    this.#at = this.#own.at;
    const bytes = 4 * line;
    const to = this.#at + 4 * this.start;
    this.#kernels.copyLines(at, bytes * lines, bytes, to, 4 * this.image, 4 * this.line, count, lines, bytes);
  }

  get at(): number {
    return this.#at;
  }
}

/** Patches of images with few channels, copied to rows; backwards, rows are added to the patches that they came from. */
class CopiedPatches implements Products {
  readonly inputs: number;
  readonly width: number;
  readonly positions: number;
  readonly #kernels: Kernels;
  readonly #o: PatchOptions;
  readonly #rows: Rows;
  readonly #copies: Table;
  readonly #back: Table | undefined;
  readonly #lines: number;
  readonly #columns: number;

  constructor(kernels: Kernels, o: PatchOptions) {
    [this.#lines, this.#columns] = patchPositions(o);
    this.#kernels = kernels;
    this.#o = o;
    this.inputs = o.kernel[0] * o.kernel[1] * o.shape[2];
    const shape = [this.#lines, this.#columns, this.inputs];
    this.#rows = new Rows(kernels, shape, o.outputs);
    this.width = this.#rows.width;
    this.positions = this.#lines * this.#columns;
    this.#copies = takeTable(kernels.heap, shape, o.images);
    this.#back = o.needsBackward ? takeTable(kernels.heap, shape, o.images) : undefined;
  }

  /**
   * For each tap of each line of outputs, the outputs at which it is inside the image: how many, and where the first lies in
   * the image and in the rows, in bytes.
   */
  #taps(
    x: Table,
    rows: Table,
    count: number,
    each: (outputs: number, inImage: number, inRows: number) => void,
  ): void {
    const { shape, kernel, stride, border } = this.#o;
    const [height, width, channels] = shape;
    const columns = this.#columns;
    for (let image = 0; image < count; image++)
      for (let line = 0; line < this.#lines; line++)
        for (let ty = 0; ty < kernel[0]; ty++) {
          const y = line * stride[0] + ty - border[0];
          if (y < 0 || y >= height) continue;
          for (let tx = 0; tx < kernel[1]; tx++) {
            const before = border[1] - tx;
            const first = Math.max(0, Math.ceil(before / stride[1]));
            const outputs = Math.min(columns, Math.floor((width - 1 + before) / stride[1]) + 1) - first;
            if (outputs <= 0) continue;
            const pixel = (image * height + y) * width + first * stride[1] - before;
            const row = (image * this.#lines + line) * columns + first;
            const tap = ty * kernel[1] + tx;
            each(outputs, x.at + 4 * pixel * x.width, rows.at + 4 * (row * this.width + tap * channels));
          }
        }
  }

  load(x: Table, count: number): void {
    const { shape, stride } = this.#o;
    const step = 4 * stride[1] * x.width;
    const copies = this.#copies; // what is outside stays 0
    this.#taps(x, copies, count, (outputs, inImage, inRows) => {
      this.#kernels.copyStrided(outputs, shape[2], inImage, step, inRows, 4 * this.width);
    });
    this.#rows.load(copies);
  }

  pack(w: Block): void {
    this.#rows.pack(w);
  }

  forward(y: Table, count: number, stores = false): void {
    this.#rows.forward(y, count, stores);
  }

  packBack(w: Block): void {
    this.#rows.packBack(w);
  }

  backward(dy: Table, dx: Table, count: number): void {
    const channels = this.#o.shape[2];
    const rows = this.#back as Table;
    this.#rows.backward(dy, rows, count);
    dx.data.fill(0, 0, count * dx.positions * dx.width);
    const step = 4 * this.#o.stride[1] * dx.width;
    this.#taps(dx, rows, count, (outputs, inImage, inRows) => {
      const to = [inImage, step] as const;
      this.#kernels.addStrided(outputs, channels, ...to, inRows, 4 * this.width, ...to);
    });
  }

  gradient(dy: Table, dw: Block, count: number): void {
    this.#rows.gradient(dy, dw, count);
  }
}
