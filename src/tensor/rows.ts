/**
 * Products of tables with a matrix W [outputs][inputs]: forwards y += x W^T, backwards dx += dy W, and dW += dy^T x.
 *
 * The inputs are rows of a table, or patches of images that are read where they lie (`Patches`): [tap line][tap][channel].
 * Weights are packed once for each direction and used for as many tables as one likes.
 */
import type { Block } from "./heap.ts";
import type { Kernels } from "./kernels.ts";
import { paddedColumns } from "./matvec.ts";
import {
  type Panels,
  type PlanOptions,
  panelColumns,
  panelNumbers,
  rewritePlan,
  takePlan,
} from "./product.ts";
import type { Shape, Table } from "./table.ts";

/** What multiplies rows by a matrix. */
export interface Products {
  /** Inputs of the matrix: numbers of a row of W without what fills it up. */
  readonly inputs: number;
  /** Numbers from row to row of W. */
  readonly width: number;
  /** Outputs for one example, without the features: rows of y. */
  readonly positions: number;
  /** Takes over the inputs of so many examples; they must stay where they are until the gradient is asked. */
  load(x: Table, count: number): void;
  /** Packs W for `forward`. */
  pack(w: Block): void;
  /** y += x W^T, or y = where it stores. */
  forward(y: Table, count: number, stores?: boolean): void;
  /** Packs W for `backward`. */
  packBack(w: Block): void;
  /** dx = dy W, of the size of what was loaded. */
  backward(dy: Table, dx: Table, count: number): void;
  /** dW += dy^T x */
  gradient(dy: Table, dw: Block, count: number): void;
}

/** Rows that are worked on together: their inputs stay in a core's second cache. */
const together = 48;
/** Rows whose outer products are summed before they are added: read where they lie, or, when there are more, packed first. */
const summed = 64;
const packed = 256;

/** Rows of tables. */
export class Rows implements Products {
  readonly inputs: number;
  readonly width: number;
  readonly positions: number;
  readonly #kernels: Kernels;
  readonly #outputs: number;
  readonly #forward: Panels;
  #back: Panels | undefined;
  readonly #plan: number;
  #slopes: Block | undefined; // dy and x of a gradient, packed
  #inputs: Block | undefined;
  #x: Table | undefined;

  constructor(kernels: Kernels, shape: Shape, outputs: number) {
    const { heap } = kernels;
    this.inputs = shape[shape.length - 1];
    this.width = paddedColumns(this.inputs);
    this.positions = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    this.#kernels = kernels;
    this.#outputs = outputs;
    const n = paddedColumns(outputs);
    this.#forward = { ...heap.take(panelNumbers(this.width, n)), k: this.width, n };
    this.#plan = takePlan(heap, this.#plans(1).forward);
  }

  #plans(m: number, stores = false): Record<"forward" | "backward" | "gradient", PlanOptions> {
    const { width } = this;
    const n = paddedColumns(this.#outputs);
    return {
      forward: {
        m,
        n,
        steps: width,
        a: { image: m * width, row: width, step: 1 },
        b: { panel: panelColumns * width, step: panelColumns },
        c: { image: m * n, row: n },
        stores,
      },
      backward: {
        m,
        n: width,
        steps: n,
        a: { image: m * n, row: n, step: 1 },
        b: { panel: panelColumns * n, step: panelColumns },
        c: { image: m * width, row: width },
        stores: true,
      },
      gradient: {
        m: this.#outputs,
        n: width,
        steps: m,
        a: { image: m * n, row: 1, step: n },
        b: { image: m * width, panel: panelColumns, step: width },
        c: { row: width },
      },
    };
  }

  /** Does rows in groups of `size`, and what is left. */
  #run(
    kind: "forward" | "backward" | "gradient",
    size: number,
    rows: number,
    [a, b, c]: readonly [number, number, number],
    stores = false,
  ): void {
    const { heap, multiply } = this.#kernels;
    const groups = Math.floor(rows / size);
    const n = paddedColumns(this.#outputs);
    const { width } = this;
    const [aRow, bRow, cRow] =
      kind === "forward" ? [width, 0, n] : kind === "backward" ? [n, 0, width] : [n, width, 0];
    const run = (m: number, images: number, done: number) => {
      rewritePlan(heap, this.#plan, this.#plans(m, stores)[kind]);
      multiply(this.#plan, a + 4 * done * aRow, b + 4 * done * bRow, c + 4 * done * cRow, images);
    };
    if (groups > 0) run(size, groups, 0);
    if (rows > groups * size) run(rows - groups * size, 1, groups * size);
  }

  load(x: Table): void {
    this.#x = x;
  }

  pack(w: Block): void {
    const { at, k, n } = this.#forward;
    this.#kernels.pack(w.at, 4 * this.width, 4, k, Math.min(n, this.#outputs), at, 4 * panelColumns * k);
  }

  forward(y: Table, count: number, stores = false): void {
    const x = this.#x as Table;
    this.#run("forward", together, count * this.positions, [x.at, this.#forward.at, y.at], stores);
  }

  packBack(w: Block): void {
    const n = paddedColumns(this.#outputs);
    this.#back ??= { ...this.#kernels.heap.take(panelNumbers(n, this.width)), k: n, n: this.width };
    const { at } = this.#back;
    this.#kernels.pack(w.at, 4, 4 * this.width, this.#outputs, this.width, at, 4 * panelColumns * n);
  }

  backward(dy: Table, dx: Table, count: number): void {
    const rows = count * this.positions;
    this.#run("backward", together, rows, [dy.at, (this.#back as Panels).at, dx.at]);
  }

  gradient(dy: Table, dw: Block, count: number): void {
    const x = this.#x as Table;
    const rows = count * this.positions;
    if (rows <= summed) this.#run("gradient", summed, rows, [dy.at, x.at, dw.at]);
    else
      for (let row = 0; row < rows; row += packed)
        this.#addPacked(
          Math.min(packed, rows - row),
          dy.at + 4 * row * dy.width,
          x.at + 4 * row * this.width,
          dw.at,
        );
  }

  /** The gradient of `m` rows: both factors are read often, so their steps are laid side by side. */
  #addPacked(m: number, dy: number, x: number, dw: number): void {
    const { heap, pack, multiply } = this.#kernels;
    const { width } = this;
    const n = paddedColumns(this.#outputs);
    this.#slopes ??= heap.take(panelNumbers(packed, n));
    this.#inputs ??= heap.take(panelNumbers(packed, width));
    const [a, b] = [this.#slopes.at, this.#inputs.at];
    const pitch = 4 * panelColumns * m;
    pack(dy, 4, 4 * n, m, n, a, pitch);
    pack(x, 4, 4 * width, m, width, b, pitch);
    const whole = Math.floor(this.#outputs / panelColumns);
    const add = (lines: number, rows: number, done: number): void => {
      if (lines === 0 || rows === 0) return;
      rewritePlan(heap, this.#plan, {
        lines,
        m: rows,
        n: width,
        steps: m,
        a: { line: panelColumns * m, row: 1, step: panelColumns },
        b: { panel: panelColumns * m, step: panelColumns },
        c: { line: panelColumns * width, row: width },
      });
      multiply(this.#plan, a + done * pitch, b, dw + 4 * done * panelColumns * width, 1);
    };
    add(whole, panelColumns, 0);
    add(1, this.#outputs - whole * panelColumns, whole);
  }
}
