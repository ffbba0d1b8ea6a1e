/** Dense layers and convolutions of batches. */
import { ConfigError } from "../math/errors.ts";
import { patches, patchPositions } from "../tensor/patches.ts";
import { type Products, Rows } from "../tensor/rows.ts";
import { featuresOf, formatShape, type Shape, type Table, takeTable } from "../tensor/table.ts";
import { unfold } from "../tensor/unfold.ts";
import type { Layer } from "./layers.ts";
import type { MatrixOptions, MatrixUnit } from "./matrix.ts";
import type { Memory, Parameter, Pass } from "./parameter.ts";
import { type Site, type Stage, takeTurns } from "./stage.ts";

/** Rows of a table times a matrix. */
export class WeightedStage implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly memories: readonly Memory[];
  readonly #unit: MatrixUnit;
  readonly #y: Table;
  readonly keeps = true;
  readonly #dxBeside: ((dy: Table) => Table) | undefined;
  #x: Table | undefined;

  constructor(site: Site, outputs: Shape, unit: MatrixUnit) {
    const { heap } = site.kernels;
    this.outputs = outputs;
    this.parameters = unit.parameters;
    this.memories = unit.memories ?? [];
    this.#unit = unit;
    this.#y = takeTable(heap, outputs, site.examples);
    this.#dxBeside = site.needsBackward ? takeTurns(site) : undefined;
  }

  forward(x: Table, pass: Pass): Table {
    this.#x = x;
    this.#unit.prepare(pass);
    this.#unit.forward(x, this.#y, pass.count);
    return this.#y;
  }

  backward(dy: Table, { count }: Pass, wanted: boolean): Table {
    const x = this.#x as Table;
    this.#unit.gradient(x, dy, count);
    if (!wanted || !this.#dxBeside) return dy;
    const dx = this.#dxBeside(dy);
    this.#unit.backward(x, dy, dx, count);
    return dx;
  }
}

function stageOf(
  site: Site,
  products: Products,
  outputs: Shape,
  o: Pick<MatrixOptions, "bias" | "shape" | "patches">,
): Stage {
  const unit = site.matrices({
    kernels: site.kernels,
    products,
    outputs: featuresOf(outputs),
    ...o,
    table: site.inputs,
    path: site.path,
    seed: site.seed,
    examples: site.examples,
  });
  return new WeightedStage(site, outputs, unit);
}

export function denseStage(layer: Extract<Layer, { kind: "dense" }>, site: Site): Stage {
  const { inputs, outputs, bias } = layer;
  for (const count of [inputs, outputs])
    if (!(Number.isInteger(count) && count >= 1)) throw new ConfigError("sizes are whole numbers from 1");
  if (featuresOf(site.inputs) !== inputs)
    throw new ConfigError(`the layer before it has ${featuresOf(site.inputs)} outputs`);
  const shape = [...site.inputs.slice(0, -1), outputs];
  return stageOf(site, new Rows(site.kernels, site.inputs, outputs), shape, { bias });
}

/** Zeros around an image: top, left, bottom, right. */
export function borderOf(
  { kernel, stride, padding }: Pick<Extract<Layer, { kind: "conv2d" }>, "kernel" | "stride" | "padding">,
  shape: Shape,
): [number, number, number, number] {
  if (padding !== "same") return [padding[0], padding[1], padding[0], padding[1]];
  const [y, x] = [0, 1].map((k) => {
    const all = Math.max(0, (Math.ceil(shape[k] / stride[k]) - 1) * stride[k] + kernel[k] - shape[k]);
    return [Math.floor(all / 2), Math.ceil(all / 2)];
  });
  return [y[0], x[0], y[1], x[1]];
}

/** Throws `ConfigError` unless windows of this kind fit into images of this shape. */
export function checkWindow(
  o: { readonly kernel: readonly number[]; readonly stride: readonly number[]; readonly padding?: unknown },
  shape: Shape,
): asserts shape is readonly [number, number, number] {
  if (shape.length !== 3)
    throw new ConfigError(`its inputs are images [height, width, channels], not ${formatShape(shape)}`);
  for (const [name, list] of Object.entries({ kernel: o.kernel, stride: o.stride }))
    if (!list.every((size) => Number.isInteger(size) && size >= 1))
      throw new ConfigError(`its ${name} is whole numbers from 1, not ${list.join(" x ")}`);
}

export function convolutionStage(layer: Extract<Layer, { kind: "conv2d" }>, site: Site): Stage {
  const { outputs, kernel, stride, bias } = layer;
  checkWindow(layer, site.inputs);
  if (!(Number.isInteger(outputs) && outputs >= 1))
    throw new ConfigError("outputs are a whole number from 1");
  const border = borderOf(layer, site.inputs);
  const geometry = { shape: site.inputs, kernel, stride, border };
  const [height, width] = patchPositions(geometry);
  if (!(height >= 1 && width >= 1))
    throw new ConfigError(
      `patches of ${kernel.join(" x ")} do not fit into images of ${formatShape(site.inputs)}`,
    );
  const [lines, columns, channels] = site.inputs;
  const products = (count: number, inOrder = false) =>
    patches(site.kernels, {
      ...geometry,
      shape: [lines, columns, count],
      outputs,
      images: site.examples,
      needsBackward: site.needsBackward,
      inOrder,
    });
  return stageOf(site, products(channels), [height, width, outputs], {
    bias,
    shape: [...kernel, channels],
    patches: { taps: kernel[0] * kernel[1], products, unfold: unfold(geometry) },
  });
}
