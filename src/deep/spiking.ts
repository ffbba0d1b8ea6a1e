/**
 * Cells that leak, integrate and fire, in steps of time, and learn by surrogate derivatives; and inputs that are held.
 *
 *     u_t = decay v_(t-1) + x_t;   s_t = 1 where u_t > 1, else 0;   v_t = u_t - s_t,   v_(-1) = 0
 *
 * A cell fires past 1 and keeps what is above it. Backwards the step in s is 1 / (1 + steepness |u - 1|)^2 in place of its
 * derivative, which is 0, on both ways of s, outwards and into the reset. Source: Neftci et al. 2019, IEEE Signal Process. Mag.
 * 36:51, eqs. 3 to 5; the derivative is that of Zenke & Ganguli 2018, Neural Comput. 30:1514.
 */
import { ConfigError } from "../math/errors.ts";
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import { formatShape, type Shape, type Table, takeTable } from "../tensor/table.ts";
import type { Layer } from "./layers.ts";
import type { Pass } from "./parameter.ts";
import type { Site, Stage } from "./stage.ts";

export class SpikingStage implements Stage {
  readonly outputs: Shape;
  readonly parameters = [];
  readonly #kernels: Kernels;
  readonly #u: Table;
  readonly #y: Table;
  readonly #dv: Table; // of one time
  readonly #zeros: Block; // numbers for all cells: a row each
  readonly #decay: Block;
  readonly #steepness: Block;

  /** Throws `ConfigError` for inputs that are no sequence, and a decay that is none. */
  constructor(site: Site, { decay, steepness }: Extract<Layer, { kind: "spiking" }>) {
    const { inputs, examples, kernels } = site;
    const { heap } = kernels;
    if (inputs.length !== 2)
      throw new ConfigError(
        `its inputs are sequences [time, features], not ${formatShape(inputs)}; repeat(times) makes one`,
      );
    if (!(decay >= 0 && decay <= 1)) throw new ConfigError(`its decay is from 0 to 1, not ${decay}`);
    if (!(steepness > 0 && Number.isFinite(steepness)))
      throw new ConfigError(`its steepness is a positive number, not ${steepness}`);
    const [, features] = inputs;
    this.#kernels = kernels;
    this.outputs = inputs;
    this.#u = takeTable(heap, inputs, examples);
    this.#y = takeTable(heap, inputs, examples);
    this.#dv = takeTable(heap, [features], examples);
    const row = (value: number): Block => {
      const block = heap.take(paddedColumns(features));
      block.data.fill(value);
      return block;
    };
    [this.#zeros, this.#decay, this.#steepness] = [row(0), row(decay), row(steepness)];
  }

  forward(x: Table, { count }: Pass): Table {
    const [times, features] = this.outputs;
    const u = this.#u;
    for (let t = 0; t < times; t++)
      this.#kernels.spikingCell(
        ...[count, features, ...at(x, t), ...(t === 0 ? [this.#zeros.at, 0] : at(u, t - 1))],
        ...[this.#decay.at, 0, ...at(u, t), ...at(this.#y, t)],
      );
    return this.#y;
  }

  backward(dy: Table, { count }: Pass): Table {
    const [times, features] = this.outputs;
    const dv = this.#dv;
    const own = [dv.at, 4 * dv.width];
    dv.data.fill(0);
    for (let t = times - 1; t >= 0; t--)
      this.#kernels.spikingCellBack(
        ...[count, features, ...at(dy, t), ...at(this.#u, t), ...own],
        ...[this.#decay.at, 0, this.#steepness.at, 0, ...at(dy, t), ...own],
      );
    return dy;
  }
}

/** Rows of a time: where they begin, and the bytes from example to example. */
const at = (table: Table, time: number): [number, number] => [
  table.at + 4 * time * table.width,
  4 * table.width * table.positions,
];

/** The same numbers at each time. */
export class RepeatStage implements Stage {
  readonly outputs: Shape;
  readonly parameters = [];
  readonly #kernels: Kernels;
  readonly #y: Table;
  readonly #dx: Table | undefined;

  /** Throws `ConfigError` for inputs that have times already. */
  constructor(site: Site, { times }: Extract<Layer, { kind: "repeat" }>) {
    const { inputs, examples, kernels } = site;
    if (inputs.length !== 1)
      throw new ConfigError(`its inputs are numbers side by side [features], not ${formatShape(inputs)}`);
    if (!(Number.isInteger(times) && times >= 1))
      throw new ConfigError(`its times are a whole number from 1, not ${times}`);
    this.#kernels = kernels;
    this.outputs = [times, ...inputs];
    this.#y = takeTable(kernels.heap, this.outputs, examples);
    this.#dx = site.needsBackward ? takeTable(kernels.heap, inputs, examples) : undefined;
  }

  forward(x: Table, { count }: Pass): Table {
    for (let t = 0; t < this.outputs[0]; t++)
      this.#kernels.copyStrided(count, x.width, x.at, 4 * x.width, ...at(this.#y, t));
    return this.#y;
  }

  backward(dy: Table, { count }: Pass, wanted: boolean): Table {
    const dx = this.#dx;
    if (!wanted || !dx) return dy;
    const own = [dx.at, 4 * dx.width];
    this.#kernels.copyStrided(count, dx.width, ...at(dy, 0), ...own);
    for (let t = 1; t < this.outputs[0]; t++)
      this.#kernels.addStrided(count, dx.width, ...own, ...at(dy, t), ...own);
    return dx;
  }
}
