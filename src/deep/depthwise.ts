/** Convolutions of each channel by itself: few products, so their weights sit in no matrix. */
import { ConfigError } from "../math/errors.ts";
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import { Frame, patchPositions } from "../tensor/patches.ts";
import { formatShape, type Shape, type Table, takeTable } from "../tensor/table.ts";
import type { Layer } from "./layers.ts";
import { drawStart } from "./matrix.ts";
import type { Parameter, Pass } from "./parameter.ts";
import type { Site, Stage } from "./stage.ts";
import { borderOf, checkWindow } from "./weighted.ts";

export class DepthwiseStage implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly #kernels: Kernels;
  readonly #shape: Shape; // of inputs
  readonly #frame: Frame;
  readonly #geometry: readonly number[]; // what kernels are told after the number of images
  readonly #weights: Parameter;
  readonly #bias: Parameter | undefined;
  readonly #y: Table;
  readonly #perImage: Block; // gradient of the weights: sums over an image are short
  readonly #back: { readonly dx: Table; readonly frame: Block } | undefined;

  /** Throws `ConfigError` where windows do not fit. */
  constructor(site: Site, layer: Extract<Layer, { kind: "depthwise" }>) {
    const { inputs, kernels, examples, path } = site;
    const { heap } = kernels;
    const { kernel, stride } = layer;
    checkWindow(layer, inputs);
    const border = borderOf(layer, inputs);
    const [height, width, channels] = inputs;
    const [lines, columns] = patchPositions({ shape: inputs, kernel, stride, border });
    if (!(lines >= 1 && columns >= 1))
      throw new ConfigError(
        `patches of ${kernel.join(" x ")} do not fit into images of ${formatShape(inputs)}`,
      );
    const room = paddedColumns(channels);
    const taps = kernel[0] * kernel[1];
    this.#kernels = kernels;
    this.#shape = inputs;
    this.outputs = [lines, columns, channels];
    this.#frame = new Frame(kernels, { lines: height, line: width * room, images: examples }, [
      border[0],
      border[1] * room,
      border[2],
      border[3] * room,
    ]);
    const { line, image } = this.#frame;
    this.#geometry = [
      ...[lines, columns, 4 * room, 4 * image, 4 * line * stride[0], 4 * room * stride[1]],
      ...[kernel[0], kernel[1], 4 * line, 4 * room],
    ];
    const take = (name: string, shape: Shape, count: number, decays: boolean): Parameter => ({
      name: `${path}.${name}`,
      shape,
      value: heap.take(count),
      gradient: heap.take(count),
      decays,
    });
    this.#weights = take("weights", [taps, channels], taps * room, true);
    this.#bias = layer.bias ? take("bias", [channels], room, false) : undefined;
    this.parameters = this.#bias ? [this.#weights, this.#bias] : [this.#weights];
    const start = { rows: taps, columns: channels, seed: site.seed, variance: 1 / taps };
    this.#weights.value.data.set(drawStart(kernels, start));
    this.#y = takeTable(heap, this.outputs, examples);
    this.#perImage = heap.take(taps * room);
    this.#back = site.needsBackward
      ? { dx: takeTable(heap, inputs, examples), frame: heap.take(examples * image) }
      : undefined;
  }

  forward(x: Table, { count }: Pass): Table {
    const y = this.#y;
    const rows = count * y.positions;
    this.#frame.load(x, count);
    if (this.#bias) this.#kernels.fillColumns(rows, y.width, y.at, this.#bias.value.at);
    else y.data.fill(0, 0, rows * y.width);
    this.#kernels.weigh(this.#frame.at, y.at, count, ...this.#geometry, this.#weights.value.at);
    return y;
  }

  backward(dy: Table, { count }: Pass, wanted: boolean): Table {
    const { sumColumns, weighGradient, add, weighBack, copyLines } = this.#kernels;
    const { positions, width } = dy;
    const { gradient, value } = this.#weights;
    if (this.#bias) sumColumns(count * positions, width, dy.at, this.#bias.gradient.at);
    const own = this.#perImage;
    const { image, line, start } = this.#frame;
    for (let k = 0; k < count; k++) {
      own.data.fill(0);
      const x = this.#frame.at + 4 * k * image;
      weighGradient(x, dy.at + 4 * k * positions * width, 1, ...this.#geometry, own.at);
      add(own.data.length, gradient.at, own.at, gradient.at);
    }
    if (!wanted || !this.#back) return dy;
    const { dx, frame } = this.#back;
    frame.data.fill(0, 0, count * image);
    weighBack(frame.at, dy.at, count, ...this.#geometry, value.at);
    const lines = this.#shape[0];
    const bytes = 4 * this.#shape[1] * width;
    copyLines(
      ...[frame.at + 4 * start, 4 * image, 4 * line],
      ...[dx.at, bytes * lines, bytes, count, lines, bytes],
    );
    return dx;
  }
}
