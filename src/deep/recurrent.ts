/**
 * Layers with a memory: long short-term memory and gated recurrent units, in one direction or both.
 *
 * Inside, rows go by time, then by example, in the order in which the times are worked on: then all times of the inputs,
 * and all gradients, are one product each, and only the products with the hidden state are done time by time. Gates lie side
 * by side in PyTorch's order: i, f, g, o and r, z, n. With T times a batch keeps T (gates + 2) numbers of each unit.
 */
import { ConfigError } from "../math/errors.ts";
import type { Block, Heap } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import { Rows } from "../tensor/rows.ts";
import { featuresOf, formatShape, type Shape, type Table, tableOver, takeTable } from "../tensor/table.ts";
import { type Layer, nameLayer } from "./layers.ts";
import type { MatrixUnit } from "./matrix.ts";
import type { Memory, Parameter, Pass } from "./parameter.ts";
import type { Site, Stage } from "./stage.ts";

type Recurrent = Extract<Layer, { kind: "lstm" | "gru" }>;

/** Rows somewhere: a place, and the bytes from row to row. */
type Strided = readonly [at: number, stride: number];

/** Hidden and cell states of the examples, such as a batch leaves them. */
interface Kept {
  readonly count: number;
  readonly h: Float32Array;
  readonly c: Float32Array;
}

/** Arrays [time][example][unit], one after the other, and the times as tables of their own. */
class Times {
  readonly #block: Block;
  readonly #shape: Shape;
  #count = 0;
  #tables: Table[] = [];

  constructor(heap: Heap, shape: Shape, rows: number) {
    this.#shape = shape;
    this.#block = heap.take(rows * paddedColumns(featuresOf(shape)));
  }

  /** All times, of as many rows as one likes. */
  get all(): Table {
    return tableOver(this.#block, this.#shape);
  }

  /** Time s, when a batch has so many examples. */
  at(s: number, count: number): Table {
    if (count !== this.#count) this.#tables = [];
    this.#count = count;
    const { at, data } = this.#block;
    const size = count * paddedColumns(featuresOf(this.#shape));
    this.#tables[s] ??= tableOver(
      { at: at + 4 * s * size, data: data.subarray(s * size, (s + 1) * size) },
      this.#shape,
    );
    return this.#tables[s];
  }
}

/** One direction. */
class Direction {
  readonly parameters: readonly Parameter[];
  readonly memories: readonly Memory[];
  readonly #kernels: Kernels;
  readonly #layer: Recurrent;
  readonly #name: string;
  readonly #reverse: boolean;
  readonly #steps: number;
  readonly #input: MatrixUnit;
  readonly #hidden: MatrixUnit;
  readonly #x: Table; // [time][example][feature]
  readonly #dx: Table | undefined;
  readonly #gates: Times; // values of the gates; backwards, derivatives by what they are functions of
  readonly #products: Times; // gru: those of n's hidden product; backwards, derivatives by hidden products
  readonly #h: Times; // [time + 1], the first is the state before
  readonly #c: Times; // lstm: alike
  readonly #product: Table; // with the hidden state, of one time
  readonly #dh: Table; // what comes back through the hidden product
  readonly #rest: Table; // lstm: derivative by the cell state; gru: by the hidden state, past the product
  readonly #zeros: Block;
  readonly #kept: Partial<Record<Pass["purpose"], Kept>> = {};

  constructor(site: Site, layer: Recurrent, reverse: boolean) {
    const { kernels, inputs, examples } = site;
    const { heap } = kernels;
    const { units } = layer;
    const isGru = layer.kind === "gru";
    const gates = (isGru ? 3 : 4) * units;
    this.#kernels = kernels;
    this.#layer = layer;
    this.#name = nameLayer(layer, site.path);
    this.#reverse = reverse;
    this.#steps = inputs[0];
    const path = reverse ? `${site.path}.reverse` : site.path;
    const unit = (name: string, shape: Shape, count: number, bias: boolean) =>
      site.matrices({
        kernels,
        products: new Rows(kernels, shape, gates),
        table: shape,
        outputs: gates,
        bias,
        path: `${path}.${name}`,
        seed: `${site.seed}/${reverse ? "reverse/" : ""}${name}`,
        examples: count,
      });
    this.#input = unit("input", inputs, examples, true);
    this.#hidden = unit("hidden", [units], this.#steps * examples, isGru);
    this.parameters = [...this.#input.parameters, ...this.#hidden.parameters];
    this.memories = [...(this.#input.memories ?? []), ...(this.#hidden.memories ?? [])];
    const bias = this.parameters.find(({ name }) => name === `${path}.input.bias`);
    if (bias && !isGru) {
      for (let k = units; k < 2 * units; k++) bias.value.data[k] += layer.forgetBias;
      bias.renewed?.();
    }
    const rows = this.#steps * examples;
    this.#x = takeTable(heap, inputs, examples);
    this.#dx = site.needsBackward ? takeTable(heap, inputs, examples) : undefined;
    this.#gates = new Times(heap, [gates], rows);
    this.#products = new Times(heap, [gates], isGru ? rows : 0);
    this.#h = new Times(heap, [units], rows + examples);
    this.#c = new Times(heap, [units], isGru ? 0 : rows + examples);
    this.#product = takeTable(heap, [gates], examples);
    this.#dh = takeTable(heap, [units], examples);
    this.#rest = takeTable(heap, [units], examples);
    this.#zeros = heap.take(paddedColumns(units));
  }

  /** Time that is worked on as number s. */
  #time(s: number): number {
    return this.#reverse ? this.#steps - 1 - s : s;
  }

  /** Places of the gates in rows of `table`. */
  #gatesOf(table: Table): Strided[] {
    const { units, kind } = this.#layer;
    const count = kind === "gru" ? 3 : 4;
    return Array.from({ length: count }, (_, k) => [table.at + 4 * k * units, 4 * table.width]);
  }

  /** Features of outputs at a time, from `start` on; undefined where outputs are of the last time alone. */
  #outputs(y: Table, s: number, start: number): Strided | undefined {
    if (this.#layer.outputs === "sequence")
      return [y.at + 4 * (this.#time(s) * y.width + start), 4 * y.width * this.#steps];
    return s === this.#steps - 1 ? [y.at + 4 * start, 4 * y.width] : undefined;
  }

  forward(x: Table, y: Table, start: number, pass: Pass): void {
    const { count } = pass;
    const { copyStrided, lstmCell, gruCell } = this.#kernels;
    const { units, kind } = this.#layer;
    const own = this.#x;
    for (let s = 0; s < this.#steps; s++)
      copyStrided(
        ...[count, own.width, x.at + 4 * this.#time(s) * x.width, 4 * x.width * this.#steps],
        ...[own.at + 4 * s * count * own.width, 4 * own.width],
      );
    this.#input.prepare(pass);
    this.#hidden.prepare(pass);
    this.#input.forward(own, this.#gates.all, count);
    this.#begin(pass);
    const product = this.#product;
    for (let s = 0; s < this.#steps; s++) {
      const [before, after] = [this.#h.at(s, count), this.#h.at(s + 1, count)];
      const gates = this.#gatesOf(this.#gates.at(s, count));
      this.#hidden.forward(before, product, count);
      const from = [...gates, ...this.#gatesOf(product)];
      if (kind === "lstm") {
        const [c, newC] = [this.#c.at(s, count), this.#c.at(s + 1, count)];
        lstmCell(count, units, ...[...from, row(c), ...gates, row(newC), row(after)].flat());
      } else {
        const kept = this.#gatesOf(this.#products.at(s, count))[2];
        gruCell(count, units, ...[...from, row(before), ...gates, kept, row(after)].flat());
      }
      const to = this.#outputs(y, s, start);
      if (to) copyStrided(count, units, ...row(after), ...to);
    }
    if (this.#layer.stateful) this.#keep(pass);
  }

  /** The state before the first time: 0, or what the batch before left. */
  #begin({ count, purpose }: Pass): void {
    const first = [this.#h.at(0, count), ...(this.#layer.kind === "lstm" ? [this.#c.at(0, count)] : [])];
    const kept = this.#kept[purpose];
    if (kept && kept.count !== count)
      throw new ConfigError(
        `${this.#name}: its states are of ${kept.count} examples, the batch has ${count}: forget() lets them begin anew`,
      );
    first.forEach(({ data }, k) => {
      if (kept) data.set(k === 0 ? kept.h : kept.c);
      else data.fill(0);
    });
  }

  #keep({ count, purpose }: Pass): void {
    const last = (times: Times) => times.at(this.#steps, count).data.slice();
    const c = this.#layer.kind === "lstm" ? last(this.#c) : new Float32Array();
    this.#kept[purpose] = { count, h: last(this.#h), c };
  }

  forget(purposes: readonly Pass["purpose"][]): void {
    for (const purpose of purposes) this.#kept[purpose] = undefined;
  }

  /** Adds gradients; gives derivatives by x, in the order of work, where they are wanted. */
  backward(dy: Table, start: number, { count }: Pass, wanted: boolean): Table | undefined {
    const { lstmCellBack, gruCellBack } = this.#kernels;
    const { units, kind } = this.#layer;
    const isGru = kind === "gru";
    const [dh, rest] = [this.#dh, this.#rest];
    dh.data.fill(0);
    rest.data.fill(0);
    for (let s = this.#steps - 1; s >= 0; s--) {
      const slopes = this.#outputs(dy, s, start) ?? ([this.#zeros.at, 0] as const);
      const before = this.#h.at(s, count);
      const all = this.#gates.at(s, count);
      const gates = this.#gatesOf(all);
      let through = all;
      if (isGru) {
        through = this.#products.at(s, count);
        const products = this.#gatesOf(through);
        const state = [slopes, row(dh), row(rest), ...gates, products[2], row(before)];
        gruCellBack(count, units, ...[...state, ...gates, ...products, row(rest)].flat());
      } else {
        const [c, newC] = [this.#c.at(s, count), this.#c.at(s + 1, count)];
        const state = [slopes, row(dh), ...gates, row(c), row(newC), row(rest)];
        lstmCellBack(count, units, ...[...state, ...gates, row(rest)].flat());
      }
      if (s > 0) this.#hidden.backward(before, through, dh, count);
    }
    const through = isGru ? this.#products.all : this.#gates.all;
    this.#hidden.gradient(this.#h.all, through, this.#steps * count);
    this.#input.gradient(this.#x, this.#gates.all, count);
    if (!wanted || !this.#dx) return;
    this.#input.backward(this.#x, this.#gates.all, this.#dx, count);
    return this.#dx;
  }

  /** Where derivatives by the inputs at a time are, in what `backward` gave. */
  place(dx: Table, s: number, count: number): readonly [time: number, rows: Strided] {
    return [this.#time(s), [dx.at + 4 * s * count * dx.width, 4 * dx.width]];
  }
}

/** Rows of a table as kernels are told. */
const row = ({ at, width }: Table): Strided => [at, 4 * width];

export class RecurrentStage implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly memories: readonly Memory[];
  readonly #kernels: Kernels;
  readonly #units: number;
  readonly #steps: number;
  readonly #directions: readonly Direction[];
  readonly #y: Table;
  readonly #dx: Table | undefined;

  /** Throws `ConfigError` for inputs that are no sequence. */
  constructor(site: Site, layer: Recurrent) {
    const { units, bidirectional, stateful } = layer;
    const { inputs, examples, kernels } = site;
    if (inputs.length !== 2)
      throw new ConfigError(`its inputs are sequences [time, features], not ${formatShape(inputs)}`);
    if (!(Number.isInteger(units) && units >= 1))
      throw new ConfigError(`its units are a whole number from 1, not ${units}`);
    if (layer.outputs !== "sequence" && layer.outputs !== "last")
      throw new ConfigError(`its outputs are "sequence" or "last", not "${layer.outputs}"`);
    if (bidirectional && stateful)
      throw new ConfigError("it cannot go both ways and keep its state: the other way ends where it begins");
    this.#kernels = kernels;
    this.#units = units;
    this.#steps = inputs[0];
    this.#directions = (bidirectional ? [false, true] : [false]).map(
      (reverse) => new Direction(site, layer, reverse),
    );
    const features = units * this.#directions.length;
    this.outputs = layer.outputs === "sequence" ? [this.#steps, features] : [features];
    this.parameters = this.#directions.flatMap(({ parameters }) => parameters);
    this.memories = this.#directions.flatMap(({ memories }) => memories);
    this.#y = takeTable(kernels.heap, this.outputs, examples);
    this.#dx = site.needsBackward ? takeTable(kernels.heap, inputs, examples) : undefined;
  }

  forward(x: Table, pass: Pass): Table {
    this.#directions.forEach((direction, k) => {
      direction.forward(x, this.#y, k * this.#units, pass);
    });
    return this.#y;
  }

  backward(dy: Table, pass: Pass, wanted: boolean): Table {
    const { count } = pass;
    const { copyStrided, addStrided } = this.#kernels;
    const dx = this.#dx;
    this.#directions.forEach((direction, k) => {
      const own = direction.backward(dy, k * this.#units, pass, wanted);
      if (!own || !dx) return;
      for (let s = 0; s < this.#steps; s++) {
        const [time, rows] = direction.place(own, s, count);
        const to: Strided = [dx.at + 4 * time * dx.width, 4 * dx.width * this.#steps];
        if (k === 0) copyStrided(count, dx.width, ...rows, ...to);
        else addStrided(count, dx.width, ...to, ...rows, ...to);
      }
    });
    return wanted && dx ? dx : dy;
  }

  /** Begins the next batch with states of 0. */
  forget(purpose?: Pass["purpose"]): void {
    for (const direction of this.#directions)
      direction.forget(purpose ? [purpose] : ["training", "inference"]);
  }
}
