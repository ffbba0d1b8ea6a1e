/** Normalisation: each feature over the batch, or each row over its features. */
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import { rowsTogether } from "../tensor/rowwise.ts";
import { featuresOf, positionsOf, type Shape, type Table, takeTable } from "../tensor/table.ts";
import type { Memory, Parameter, Pass } from "./parameter.ts";
import { type Site, type Stage, takeTurns } from "./stage.ts";

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

/**
 * Ioffe & Szegedy 2015, algorithm 1; running variances are of the population (n - 1), as PyTorch has them. A rectifier that follows
 * at once, and outputs beside that are added before it, are taken along.
 */
export class BatchNormStage implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly memories: readonly Memory[];
  readonly keeps = true;
  readonly #kernels: Kernels;
  readonly #o: { readonly momentum: number; readonly epsilon: number };
  readonly #isRectified: boolean;
  readonly #y: Table;
  readonly #dxBeside: (dy: Table) => Table;
  readonly #mean: Block;
  readonly #inverse: Block; // 1 / sd
  readonly #gain: Block; // y = gain x + offset
  readonly #offset: Block;
  readonly #means: Block; // of dy, and of dy (x - mean) / variance
  readonly #slopes: Block;
  readonly #sums: readonly [Block, Block]; // [chunk][feature]
  readonly #runningMean: Float32Array;
  readonly #runningVariance: Float32Array;
  #x: Table | undefined;

  constructor(site: Site, o: { readonly momentum: number; readonly epsilon: number }, isRectified = false) {
    const { heap } = site.kernels;
    this.outputs = site.inputs;
    this.#kernels = site.kernels;
    this.#o = o;
    this.#isRectified = isRectified;
    this.parameters = affine(site);
    this.#y = takeTable(heap, site.inputs, site.examples);
    this.#dxBeside = takeTurns(site);
    const { width, features } = this.#y;
    const take = () => heap.take(width);
    [this.#mean, this.#inverse, this.#gain, this.#offset] = [take(), take(), take(), take()];
    [this.#means, this.#slopes] = [take(), take()];
    const chunks = Math.ceil((site.examples * this.#y.positions) / rowsTogether);
    this.#sums = [heap.take(chunks * width), heap.take(chunks * width)];
    this.#runningMean = new Float32Array(features);
    this.#runningVariance = new Float32Array(features).fill(1);
    this.memories = [
      { name: `${site.path}.mean`, data: this.#runningMean },
      { name: `${site.path}.variance`, data: this.#runningVariance },
    ];
  }

  forward(x: Table, { count, purpose }: Pass, beside?: Table): Table {
    const { width, features } = x;
    const rows = count * x.positions;
    this.#x = x;
    const { momentum, epsilon } = this.#o;
    if (purpose === "training") this.#kernels.moments(rows, width, x.at, ...this.#sums.map(({ at }) => at));
    for (let c = 0; c < features; c++) {
      let [mean, variance] = [this.#runningMean[c], this.#runningVariance[c]];
      if (purpose === "training") {
        const found = this.#momentsOf(c, x, rows);
        mean = found.mean;
        variance = found.squares / rows;
        this.#runningMean[c] += momentum * (mean - this.#runningMean[c]);
        const unbiased = rows > 1 ? found.squares / (rows - 1) : variance;
        this.#runningVariance[c] += momentum * (unbiased - this.#runningVariance[c]);
      }
      const [scale, shift] = this.parameters;
      this.#mean.data[c] = mean;
      this.#inverse.data[c] = 1 / Math.sqrt(variance + epsilon);
      this.#gain.data[c] = scale.value.data[c] * this.#inverse.data[c];
      this.#offset.data[c] = shift.value.data[c] - this.#mean.data[c] * this.#gain.data[c];
    }
    const columns = [this.#gain.at, this.#offset.at];
    const { affineAddRelu, affineRelu, affineColumns } = this.#kernels;
    if (beside) affineAddRelu(rows, width, x.at, beside.at, this.#y.at, ...columns);
    else (this.#isRectified ? affineRelu : affineColumns)(rows, width, x.at, this.#y.at, ...columns);
    return this.#y;
  }

  /**
   * Mean of a feature, and its squared distances from it, of the means and distances of chunks (Chan et al. 1983, Am. Stat. 37:242,
   * eq. 2.1). Those of n rows come from distances from the first, so rounding makes them wrong by 2 n 2^-24 of themselves at most.
   */
  #momentsOf(c: number, { data, width }: Table, rows: number): { mean: number; squares: number } {
    const [sums, squares] = this.#sums;
    const all = { mean: 0, squares: 0 };
    for (let row = 0, at = c; row < rows; row += rowsTogether, at += width) {
      const count = Math.min(rowsTogether, rows - row);
      const distance = sums.data[at] / count; // of the chunk's mean from its first row
      const apart = data[row * width + c] + distance - all.mean;
      all.squares += Math.max(0, squares.data[at] - distance * sums.data[at]);
      all.squares += (apart * apart * row * count) / (row + count);
      all.mean += (apart * count) / (row + count);
    }
    return all;
  }

  backward(dy: Table, { count, purpose }: Pass): Table {
    const x = this.#x as Table;
    const { width, features } = x;
    const rows = count * x.positions;
    const [scale, shift] = this.parameters;
    const kernels = this.#kernels;
    const [sums, products] = this.#sums;
    const [mean, gain, offset] = [this.#mean.at, this.#gain.at, this.#offset.at];
    if (this.#isRectified)
      kernels.slopesRelu(rows, width, dy.at, x.at, sums.at, products.at, mean, gain, offset);
    else kernels.slopes(rows, width, dy.at, x.at, sums.at, products.at, mean);
    for (let c = 0; c < features; c++) {
      const inverse = this.#inverse.data[c];
      let [sum, slope] = [0, 0];
      for (let row = 0, at = c; row < rows; row += rowsTogether, at += width) {
        sum += sums.data[at];
        slope += products.data[at];
      }
      shift.gradient.data[c] += sum;
      scale.gradient.data[c] += slope * inverse;
      // running means and spreads do not follow the inputs
      this.#means.data[c] = purpose === "training" ? sum / rows : 0;
      this.#slopes.data[c] = purpose === "training" ? (slope * inverse * inverse) / rows : 0;
    }
    const dx = this.#dxBeside(dy);
    const columns = [gain, this.#means.at, mean, this.#slopes.at];
    if (this.#isRectified) kernels.normReluBack(rows, width, dy.at, x.at, dx.at, ...columns, offset);
    else kernels.normBack(rows, width, dy.at, x.at, dx.at, ...columns);
    return dx;
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
