/** Layers that join places of an image: the largest or the mean of windows, or the mean of all. */
import { ConfigError } from "../math/errors.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { featuresOf, formatShape, type Shape, type Table, takeTable } from "../tensor/table.ts";
import type { Layer } from "./layers.ts";
import type { Pass } from "./parameter.ts";
import { type Site, type Stage, takeTurns } from "./stage.ts";
import { checkWindow } from "./weighted.ts";

export class PoolStage implements Stage {
  readonly outputs: Shape;
  readonly parameters = [];
  readonly #kernels: Kernels;
  readonly #kind: "largest" | "average";
  readonly #size: readonly [number, number];
  readonly #stride: readonly [number, number];
  readonly #inputs: readonly number[]; // height, width
  readonly #y: Table;
  readonly keeps = true;
  readonly #dxBeside: ((dy: Table) => Table) | undefined;
  #x: Table | undefined;

  /** Throws `ConfigError` where windows do not fit. */
  constructor(site: Site, layer: Extract<Layer, { kind: "maxPool" | "averagePool" | "globalAveragePool" }>) {
    const { inputs, kernels, examples } = site;
    const isGlobal = layer.kind === "globalAveragePool";
    if (inputs.length < 2) throw new ConfigError(`its inputs have places, unlike ${formatShape(inputs)}`);
    const [height, width] = inputs.length === 3 ? inputs : [inputs[0], 1];
    this.#size = isGlobal ? [height, width] : layer.size;
    this.#stride = isGlobal ? [1, 1] : layer.stride;
    if (!isGlobal) checkWindow({ kernel: layer.size, stride: layer.stride }, inputs);
    const [lines, columns] = [height, width].map(
      (size, k) => Math.floor((size - this.#size[k]) / this.#stride[k]) + 1,
    );
    if (!(lines >= 1 && columns >= 1))
      throw new ConfigError(`windows of ${this.#size.join(" x ")} do not fit into ${formatShape(inputs)}`);
    this.#kernels = kernels;
    this.#kind = layer.kind === "maxPool" ? "largest" : "average";
    this.#inputs = [height, width];
    this.outputs = isGlobal ? [featuresOf(inputs)] : [lines, columns, featuresOf(inputs)];
    this.#y = takeTable(kernels.heap, this.outputs, examples);
    this.#dxBeside = site.needsBackward ? takeTurns(site) : undefined;
  }

  /** What kernels are told after the places of x and y. */
  #geometry(count: number): number[] {
    const [height, width] = this.#inputs;
    const bytes = 4 * this.#y.width;
    const line = width * bytes;
    const [down, across] = this.#stride;
    const [lines, columns] = this.#y.shape.length === 3 ? this.#y.shape : [1, 1];
    const [tapLines, taps] = this.#size;
    return [
      count,
      lines,
      columns,
      bytes,
      height * line,
      down * line,
      across * bytes,
      tapLines,
      taps,
      line,
      bytes,
    ];
  }

  get #factor(): number {
    return 1 / (this.#size[0] * this.#size[1]);
  }

  forward(x: Table, { count }: Pass): Table {
    this.#x = x;
    const geometry = this.#geometry(count);
    if (this.#kind === "largest") this.#kernels.largest(x.at, this.#y.at, ...geometry);
    else this.#kernels.average(x.at, this.#y.at, ...geometry, this.#factor);
    return this.#y;
  }

  backward(dy: Table, { count }: Pass, wanted: boolean): Table {
    if (!wanted || !this.#dxBeside) return dy;
    const x = this.#x as Table;
    const dx = this.#dxBeside(dy);
    const geometry = this.#geometry(count);
    dx.data.fill(0, 0, count * x.positions * x.width);
    if (this.#kind === "largest") this.#kernels.largestBack(x.at, this.#y.at, ...geometry, dy.at, dx.at);
    else this.#kernels.averageBack(dx.at, dy.at, ...geometry, this.#factor);
    return dx;
  }
}
