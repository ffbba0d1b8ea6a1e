/** Layers that treat every number by itself, and those that only see a table differently. */
import { randomKey } from "../math/random.ts";
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { clearFilling, type Shape, sizeOf, type Table, tableOver, takeTable } from "../tensor/table.ts";
import type { Pass } from "./parameter.ts";
import type { Site, Stage } from "./stage.ts";

const rowsOf = (table: Table, { count }: Pass): number => count * table.positions;

/** What the stage before it does as well. */
export class DoneStage implements Stage {
  readonly outputs: Shape;
  readonly parameters = [];

  constructor({ inputs }: Site) {
    this.outputs = inputs;
  }

  forward(x: Table): Table {
    return x;
  }

  backward(dy: Table): Table {
    return dy;
  }
}

/** y = f(x), whose derivative follows from y (or from x, for `gelu`). */
export class PointwiseStage implements Stage {
  readonly outputs: Shape;
  readonly parameters = [];
  readonly #kernels: Kernels;
  readonly #kind: "sigmoid" | "tanh" | "relu" | "gelu";
  readonly #y: Table;
  #x: Table | undefined;

  constructor(site: Site, kind: "sigmoid" | "tanh" | "relu" | "gelu") {
    this.outputs = site.inputs;
    this.#kernels = site.kernels;
    this.#kind = kind;
    this.#y = takeTable(site.kernels.heap, site.inputs, site.examples);
  }

  forward(x: Table, pass: Pass): Table {
    const rows = rowsOf(x, pass);
    this.#x = x;
    this.#kernels[this.#kind](rows * x.width, x.at, this.#y.at);
    if (this.#kind === "sigmoid") clearFilling(this.#y, rows); // the others leave 0
    return this.#y;
  }

  backward(dy: Table, pass: Pass): Table {
    const seen = this.#kind === "gelu" ? (this.#x as Table) : this.#y;
    this.#kernels[`${this.#kind}Back`](rowsOf(dy, pass) * dy.width, dy.at, seen.at, dy.at);
    return dy;
  }
}

/** While training, some numbers are 0 and the others larger. */
export class DropoutStage implements Stage {
  readonly outputs: Shape;
  readonly parameters = [];
  readonly #kernels: Kernels;
  readonly #rate: number;
  readonly #y: Table;
  readonly #mask: Block;
  readonly #key: readonly [number, number];

  constructor(site: Site, rate: number) {
    this.outputs = site.inputs;
    this.#kernels = site.kernels;
    this.#rate = rate;
    this.#y = takeTable(site.kernels.heap, site.inputs, site.examples);
    this.#mask = site.kernels.heap.take(this.#y.data.length + 16);
    this.#key = randomKey(site.seed, "dropout");
  }

  forward(x: Table, pass: Pass): Table {
    if (pass.purpose === "inference") return x;
    const count = rowsOf(x, pass) * x.width;
    const { kernels, mask } = { kernels: this.#kernels, mask: this.#mask };
    kernels.keep(mask.at, count, this.#key[0], this.#key[1], 0, pass.tick, this.#rate, 1 / (1 - this.#rate));
    kernels.multiplyBoth(count, x.at, mask.at, this.#y.at);
    return this.#y;
  }

  backward(dy: Table, pass: Pass): Table {
    if (pass.purpose === "inference") return dy;
    this.#kernels.multiplyBoth(rowsOf(dy, pass) * dy.width, dy.at, this.#mask.at, dy.at);
    return dy;
  }
}

/** All numbers of an example in one row. */
export class FlattenStage implements Stage {
  readonly outputs: Shape;
  readonly parameters = [];
  readonly #inputs: Shape;
  readonly #y: Table;
  readonly #dx: Table;
  readonly #isCopy: boolean;

  constructor(site: Site) {
    this.#inputs = site.inputs;
    this.outputs = [sizeOf(site.inputs)];
    const example = tableOver({ at: 0, data: new Float32Array() }, site.inputs);
    this.#isCopy = example.features !== example.width;
    const examples = this.#isCopy ? site.examples : 0;
    this.#y = takeTable(site.kernels.heap, this.outputs, examples);
    this.#dx = takeTable(site.kernels.heap, site.inputs, examples);
  }

  forward(x: Table, { count }: Pass): Table {
    if (!this.#isCopy) return tableOver(x, this.outputs);
    const y = this.#y;
    for (let example = 0; example < count; example++)
      for (let p = 0; p < x.positions; p++) {
        const from = (example * x.positions + p) * x.width;
        y.data.set(x.data.subarray(from, from + x.features), example * y.width + p * x.features);
      }
    return y;
  }

  backward(dy: Table, { count }: Pass): Table {
    if (!this.#isCopy) return tableOver(dy, this.#inputs);
    const dx = this.#dx;
    for (let example = 0; example < count; example++)
      for (let p = 0; p < dx.positions; p++) {
        const from = example * dy.width + p * dx.features;
        dx.data.set(dy.data.subarray(from, from + dx.features), (example * dx.positions + p) * dx.width);
      }
    return dx;
  }
}
