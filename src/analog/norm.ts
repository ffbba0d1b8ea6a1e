/** Normalisation: each feature over the batch, or each row over its features. */
import type { Block } from "./heap.ts";
import type { Kernels } from "./kernels.ts";
import { paddedColumns } from "./matvec.ts";
import type { Memory, Parameter, Pass } from "./parameter.ts";
import type { Site, Stage } from "./stage.ts";
import { featuresOf, positionsOf, type Shape, type Table, takeTable } from "./table.ts";

/** Scale, 1 at first, and shift, 0 at first, of each feature. */
function affine(site: Site): [Parameter, Parameter] {
  const features = featuresOf(site.inputs);
  const [scale, shift] = ["scale", "shift"].map((name) => ({
    name: `${site.path}.${name}`,
    shape: [features],
    value: site.kernels.heap.take(paddedColumns(features)),
    gradient: site.kernels.heap.take(paddedColumns(features)),
    decays: false,
  }));
  scale.value.data.fill(1, 0, features);
  return [scale, shift];
}

/** Ioffe & Szegedy 2015, algorithm 1; running variances are of the population (n - 1), as PyTorch has them. */
export class BatchNormStage implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly memories: readonly Memory[];
  readonly #kernels: Kernels;
  readonly #o: { readonly momentum: number; readonly epsilon: number };
  readonly #y: Table;
  readonly #mean: Block;
  readonly #spread: Block; // sums of squares, then 1 / sd
  readonly #columns: readonly Block[]; // room for what a kernel takes of each feature
  readonly #runningMean: Float32Array;
  readonly #runningVariance: Float32Array;
  #x: Table | undefined;

  constructor(site: Site, o: { readonly momentum: number; readonly epsilon: number }) {
    const { heap } = site.kernels;
    this.outputs = site.inputs;
    this.#kernels = site.kernels;
    this.#o = o;
    this.parameters = affine(site);
    this.#y = takeTable(heap, site.inputs, site.examples);
    const { width, features } = this.#y;
    this.#mean = heap.take(width);
    this.#spread = heap.take(width);
    this.#columns = [0, 1, 2].map(() => heap.take(width));
    this.#runningMean = new Float32Array(features);
    this.#runningVariance = new Float32Array(features).fill(1);
    this.memories = [
      { name: `${site.path}.mean`, data: this.#runningMean },
      { name: `${site.path}.variance`, data: this.#runningVariance },
    ];
  }

  forward(x: Table, { count, purpose }: Pass): Table {
    const { width, features } = x;
    const rows = count * x.positions;
    const kernels = this.#kernels;
    const mean = this.#mean;
    const spread = this.#spread;
    this.#x = x;
    const { momentum, epsilon } = this.#o;
    if (purpose === "training") {
      mean.data.fill(0);
      kernels.sumColumns(rows, width, x.at, mean.at);
      for (let c = 0; c < features; c++) mean.data[c] /= rows;
      spread.data.fill(0);
      kernels.spreadColumns(rows, width, x.at, spread.at, mean.at);
      for (let c = 0; c < features; c++) {
        const variance = spread.data[c] / rows;
        this.#runningMean[c] += momentum * (mean.data[c] - this.#runningMean[c]);
        const unbiased = rows > 1 ? spread.data[c] / (rows - 1) : variance;
        this.#runningVariance[c] += momentum * (unbiased - this.#runningVariance[c]);
        spread.data[c] = 1 / Math.sqrt(variance + epsilon);
      }
    } else
      for (let c = 0; c < features; c++) {
        mean.data[c] = this.#runningMean[c];
        spread.data[c] = 1 / Math.sqrt(this.#runningVariance[c] + epsilon);
      }
    const [scale, shift] = this.parameters;
    const [gain, offset] = this.#columns;
    for (let c = 0; c < features; c++) {
      gain.data[c] = scale.value.data[c] * spread.data[c];
      offset.data[c] = shift.value.data[c] - mean.data[c] * gain.data[c];
    }
    kernels.affineColumns(rows, width, x.at, this.#y.at, gain.at, offset.at);
    return this.#y;
  }

  backward(dy: Table, { count, purpose }: Pass): Table {
    const x = this.#x as Table;
    const { width, features } = x;
    const rows = count * x.positions;
    const [scale, shift] = this.parameters;
    const [gain, mean, slope] = this.#columns;
    mean.data.fill(0);
    slope.data.fill(0);
    this.#kernels.slopeColumns(rows, width, dy.at, x.at, mean.at, slope.at, this.#mean.at);
    for (let c = 0; c < features; c++) {
      const inverse = this.#spread.data[c];
      shift.gradient.data[c] += mean.data[c];
      scale.gradient.data[c] += slope.data[c] * inverse;
      gain.data[c] = scale.value.data[c] * inverse;
      // running means and spreads do not follow the inputs
      mean.data[c] = purpose === "training" ? mean.data[c] / rows : 0;
      slope.data[c] = purpose === "training" ? (slope.data[c] * inverse * inverse) / rows : 0;
    }
    this.#kernels.normBack(rows, width, dy.at, x.at, dy.at, gain.at, mean.at, this.#mean.at, slope.at);
    return dy;
  }
}

/** Ba et al. 2016, eq. 3 over the features of a row. */
export class LayerNormStage implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly #kernels: Kernels;
  readonly #epsilon: number;
  readonly #y: Table;
  readonly #normal: Table; // (x - mean) / sd
  readonly #rows: readonly Block[];

  constructor(site: Site, { epsilon }: { readonly epsilon: number }) {
    const { heap } = site.kernels;
    this.outputs = site.inputs;
    this.#kernels = site.kernels;
    this.#epsilon = epsilon;
    this.parameters = affine(site);
    this.#y = takeTable(heap, site.inputs, site.examples);
    this.#normal = takeTable(heap, site.inputs, site.examples);
    this.#rows = [0, 1, 2].map(() => heap.take(site.examples * positionsOf(site.inputs)));
  }

  forward(x: Table, { count }: Pass): Table {
    const { width, features } = x;
    const rows = count * x.positions;
    const [mean, inverse] = this.#rows;
    const kernels = this.#kernels;
    kernels.sumRows(rows, width, features, x.at, mean.at);
    for (let row = 0; row < rows; row++) mean.data[row] /= features;
    kernels.spreadRows(rows, width, features, x.at, inverse.at, mean.at);
    for (let row = 0; row < rows; row++)
      inverse.data[row] = 1 / Math.sqrt(inverse.data[row] / features + this.#epsilon);
    kernels.affineRows(rows, width, x.at, this.#normal.at, mean.at, inverse.at);
    const [scale, shift] = this.parameters;
    // scale and shift are 0 where rows are filled up
    kernels.affineColumns(rows, width, this.#normal.at, this.#y.at, scale.value.at, shift.value.at);
    return this.#y;
  }

  backward(dy: Table, { count }: Pass): Table {
    const { width, features, at } = this.#normal;
    const rows = count * dy.positions;
    const kernels = this.#kernels;
    const [mean, inverse, slope] = this.#rows;
    const [scale, shift] = this.parameters;
    kernels.sumColumns(rows, width, dy.at, shift.gradient.at);
    kernels.sumProducts(rows, width, dy.at, at, scale.gradient.at);
    kernels.scaleColumns(rows, width, dy.at, dy.at, scale.value.at);
    kernels.sumRows(rows, width, features, dy.at, mean.at);
    kernels.dotRows(rows, width, features, dy.at, at, slope.at);
    for (let row = 0; row < rows; row++) {
      mean.data[row] /= features;
      slope.data[row] /= features;
    }
    kernels.normRowsBack(rows, width, dy.at, at, dy.at, mean.at, slope.at, inverse.at);
    for (let row = 0; features < width && row < rows; row++)
      dy.data.fill(0, row * width + features, (row + 1) * width);
    return dy;
  }
}
