/** Layers of tables that are looked up: a row for each word, a row for each time. */
import { ConfigError } from "../math/errors.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import { featuresOf, formatShape, type Shape, type Table, takeTable } from "../tensor/table.ts";
import { type Layer, nameLayer } from "./layers.ts";
import { drawStart } from "./matrix.ts";
import type { Parameter, Pass } from "./parameter.ts";
import type { Site, Stage } from "./stage.ts";

/** Rows of numbers that are learnt. */
function takeRows(site: Site, rows: number, columns: number): Parameter {
  const { heap } = site.kernels;
  const count = rows * paddedColumns(columns);
  return {
    name: `${site.path}.weights`,
    shape: [rows, columns],
    value: heap.take(count),
    gradient: heap.take(count),
    decays: true,
  };
}

/** For each whole number of the inputs its row of the weights, which begin as normal numbers. */
export class EmbeddingStage implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly [Parameter];
  readonly #size: number;
  readonly #name: string;
  readonly #y: Table;
  #x: Table | undefined;

  /** Throws `ConfigError` for inputs that are no words. */
  constructor(site: Site, layer: Extract<Layer, { kind: "embedding" }>) {
    const { size, features } = layer;
    const { inputs, kernels, seed } = site;
    for (const count of [size, features])
      if (!(Number.isInteger(count) && count >= 1)) throw new ConfigError("sizes are whole numbers from 1");
    if (featuresOf(inputs) !== 1)
      throw new ConfigError(`its inputs are words [time, 1], not ${formatShape(inputs)}`);
    if (site.needsBackward)
      throw new ConfigError("its inputs are words: no layer that learns can come before it");
    this.#size = size;
    this.#name = nameLayer(layer, site.path);
    this.outputs = [...inputs.slice(0, -1), features];
    this.#y = takeTable(kernels.heap, this.outputs, site.examples);
    const weights = takeRows(site, size, features);
    weights.value.data.set(drawStart(kernels, { rows: size, columns: features, seed, variance: 1 }));
    this.parameters = [weights];
  }

  /** Throws `ConfigError` for inputs that are no words. */
  forward(x: Table, { count }: Pass): Table {
    this.#x = x;
    const { data, width } = this.#y;
    const { value } = this.parameters[0];
    for (let row = 0; row < count * x.positions; row++) {
      const word = x.data[row * x.width];
      if (!(word >= 0 && word < this.#size && Number.isInteger(word)))
        throw new ConfigError(
          `${this.#name}: words are whole numbers from 0 to ${this.#size - 1}; number ${row % x.positions} of example ${Math.floor(row / x.positions)} is ${word}`,
        );
      for (let c = 0, from = word * width, to = row * width; c < width; c++)
        data[to + c] = value.data[from + c];
    }
    return this.#y;
  }

  backward(dy: Table, { count }: Pass): Table {
    const x = this.#x as Table;
    const { data } = this.parameters[0].gradient;
    const { width } = this.#y;
    for (let row = 0; row < count * x.positions; row++)
      for (let c = 0, to = x.data[row * x.width] * width, from = row * width; c < width; c++)
        data[to + c] += dy.data[from + c];
    return dy;
  }
}

/** Adds a row of its own to each time; they begin as the waves of Vaswani et al. 2017, section 3.5. */
export class PositionsStage implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly [Parameter];
  readonly #kernels: Kernels;
  readonly #y: Table;

  /** Throws `ConfigError` for inputs that are no sequence. */
  constructor(site: Site) {
    const { inputs, kernels } = site;
    if (inputs.length !== 2)
      throw new ConfigError(`its inputs are sequences [time, features], not ${formatShape(inputs)}`);
    const [times, features] = inputs;
    this.#kernels = kernels;
    this.outputs = inputs;
    this.#y = takeTable(kernels.heap, inputs, site.examples);
    this.parameters = [takeRows(site, times, features)];
    const { data } = this.parameters[0].value;
    for (let time = 0; time < times; time++)
      for (let c = 0; c < features; c++) {
        const angle = time / 10000 ** ((c - (c % 2)) / features);
        data[time * this.#y.width + c] = c % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
      }
  }

  forward(x: Table, { count }: Pass): Table {
    const size = x.positions * x.width;
    // an example is a row of as many features
    this.#kernels.addColumns(count, size, x.at, this.#y.at, this.parameters[0].value.at);
    return this.#y;
  }

  backward(dy: Table, { count }: Pass): Table {
    this.#kernels.sumColumns(count, dy.positions * dy.width, dy.at, this.parameters[0].gradient.at);
    return dy;
  }
}
