/** What a network is to make small, and how it grows with each of the network's outputs. */
import { ConfigError } from "../math/errors.ts";
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { clearFilling, type Shape, type Table, takeTable } from "../tensor/table.ts";

/**
 * "cross-entropy": minus the logarithm of the right class's share in exp of the outputs; "squared error": half the sum of
 * squared differences from 1 for the right class and 0 for the others, or from `targets`; "binary cross-entropy": of the
 * share sigmoid(output) of each output by itself. All are means over the rows that have a label.
 */
export type LossKind = "cross-entropy" | "squared error" | "binary cross-entropy";
export const lossKinds: readonly LossKind[] = ["cross-entropy", "squared error", "binary cross-entropy"];

/** What outputs should be: a class for each row, -1 where nobody asks, or a number for each output. */
export type Wanted =
  | { readonly labels: ArrayLike<number>; readonly targets?: undefined }
  | { readonly targets: ArrayLike<number>; readonly labels?: undefined };

/**
 * Outputs of a teacher for the same rows, [row][feature]: the loss is (1 - share) of its own and share T^2 times the
 * divergence of the outputs' shares from the teacher's, both of outputs / T (Hinton et al. 2015, arXiv:1503.02531).
 */
export interface Teacher {
  readonly outputs: ArrayLike<number>;
  readonly temperature: number;
  readonly share: number;
}

export interface Judgement {
  /** Mean over the rows that count. */
  readonly loss: number;
  /** Rows that count, and those of them whose largest output is that of their label. */
  readonly rows: number;
  readonly right: number;
}

export class Loss {
  /** Derivative of the loss by the outputs, after `judge`. */
  readonly dy: Table;
  readonly #kernels: Kernels;
  readonly #kind: LossKind;
  readonly #most: Block; // [row]
  readonly #sum: Block; // [row]
  readonly #shares: Table;
  readonly #soft: Table;

  constructor(kernels: Kernels, kind: LossKind, outputs: Shape, examples: number) {
    this.#kernels = kernels;
    this.#kind = kind;
    this.dy = takeTable(kernels.heap, outputs, examples);
    this.#shares = takeTable(kernels.heap, outputs, examples);
    this.#soft = takeTable(kernels.heap, outputs, kind === "cross-entropy" ? examples : 0);
    this.#most = kernels.heap.take(examples * this.dy.positions);
    this.#sum = kernels.heap.take(examples * this.dy.positions);
  }

  /** Throws `ConfigError` for labels and targets that do not fit. */
  judge(y: Table, wanted: Wanted, count: number, teacher?: Teacher): Judgement {
    const rows = count * y.positions;
    if (wanted.targets) return this.#compare(y, wanted.targets, rows);
    const { labels } = wanted;
    if (labels.length < rows) throw new ConfigError(`${rows} rows of outputs have ${labels.length} labels`);
    let counted = 0;
    for (let row = 0; row < rows; row++) {
      const label = labels[row];
      if (label === -1) continue;
      if (!(Number.isInteger(label) && label >= 0 && label < y.features))
        throw new ConfigError(`row ${row} is of class ${label}, of ${y.features} from 0`);
      counted++;
    }
    const right = this.#hits(y, labels, rows);
    const loss =
      this.#kind === "cross-entropy"
        ? this.#crossEntropy(y, labels, rows, counted, teacher)
        : this.#squared(
            y,
            (row, c) => (c === labels[row] ? 1 : 0),
            rows,
            (row) => labels[row] >= 0,
            counted,
          );
    return { loss, rows: counted, right };
  }

  #hits({ data, width, features }: Table, labels: ArrayLike<number>, rows: number): number {
    let right = 0;
    for (let row = 0; row < rows; row++) {
      if (labels[row] < 0) continue;
      const at = row * width;
      let best = 0;
      for (let c = 1; c < features; c++) if (data[at + c] > data[at + best]) best = c;
      if (best === labels[row]) right++;
    }
    return right;
  }

  /** Shares of exp(x / temperature): into `to`, with the largest and the sums left in #most and #sum. */
  #softmax(x: Table, to: Table, rows: number, temperature = 1): void {
    const { width, features } = to;
    const kernels = this.#kernels;
    if (temperature !== 1) kernels.scale(rows * width, x.at, to.at, 1 / temperature);
    const from = temperature !== 1 ? to : x;
    kernels.largestRows(rows, width, features, from.at, this.#most.at);
    kernels.exponentialRows(rows, width, from.at, to.at, this.#most.at);
    kernels.sumRows(rows, width, features, to.at, this.#sum.at);
    const inverse = this.#sum.data;
    for (let row = 0; row < rows; row++) inverse[row] = 1 / inverse[row];
    kernels.scaleRows(rows, width, to.at, to.at, this.#sum.at);
    clearFilling(to, rows);
  }

  #crossEntropy(
    y: Table,
    labels: ArrayLike<number>,
    rows: number,
    counted: number,
    teacher?: Teacher,
  ): number {
    const { width, features } = y;
    const shares = this.#shares;
    const share = teacher?.share ?? 0;
    const each = (1 - share) / Math.max(1, counted);
    const own = this.dy.data;
    this.#softmax(y, shares, rows);
    let loss = 0;
    this.#kernels.scale(rows * width, shares.at, this.dy.at, each);
    for (let row = 0; row < rows; row++) {
      const label = labels[row];
      if (label < 0) own.fill(0, row * width, (row + 1) * width);
      else {
        own[row * width + label] -= each;
        loss += this.#most.data[row] - Math.log(this.#sum.data[row]) - y.data[row * width + label];
      }
    }
    if (!teacher) return loss / Math.max(1, counted);
    const { temperature, outputs } = teacher;
    if (outputs.length < rows * features)
      throw new ConfigError(`the teacher has ${outputs.length} outputs for ${rows} rows of ${features}`);
    const soft = this.#soft;
    this.#softmax(y, shares, rows, temperature);
    for (let row = 0; row < rows; row++)
      for (let c = 0; c < features; c++) soft.data[row * width + c] = outputs[row * features + c];
    this.#softmax(soft, soft, rows, temperature);
    let divergence = 0;
    const slope = (share * temperature) / rows; // d(T^2 KL)/dy = T (p - q)
    for (let k = 0; k < rows * width; k++) {
      const [p, q] = [shares.data[k], soft.data[k]];
      if (q > 0) divergence += q * (Math.log(q) - Math.log(p));
      own[k] += slope * (p - q);
    }
    return (
      ((1 - share) * loss) / Math.max(1, counted) + (share * temperature * temperature * divergence) / rows
    );
  }

  #compare(y: Table, targets: ArrayLike<number>, rows: number): Judgement {
    const { features } = y;
    if (targets.length < rows * features)
      throw new ConfigError(
        `${rows} rows of ${features} outputs have ${targets.length} targets, not ${rows * features}`,
      );
    if (this.#kind === "cross-entropy")
      throw new ConfigError('targets go with the loss "squared error" or "binary cross-entropy"');
    const loss = this.#squared(
      y,
      (row, c) => targets[row * features + c],
      rows,
      () => true,
      rows,
    );
    return { loss, rows, right: 0 };
  }

  /** Squared error or, of sigmoids, binary cross-entropy: both have the slope (output or its share) - target. */
  #squared(
    y: Table,
    target: (row: number, c: number) => number,
    rows: number,
    counts: (row: number) => boolean,
    counted: number,
  ): number {
    const { width, features, data } = y;
    const isBinary = this.#kind === "binary cross-entropy";
    const shares = this.#shares;
    if (isBinary) this.#kernels.sigmoid(rows * width, y.at, shares.at);
    let loss = 0;
    for (let row = 0; row < rows; row++)
      for (let c = 0; c < width; c++) {
        const k = row * width + c;
        if (c >= features || !counts(row)) {
          this.dy.data[k] = 0;
          continue;
        }
        const goal = target(row, c);
        const error = (isBinary ? shares.data[k] : data[k]) - goal;
        this.dy.data[k] = error / counted;
        // -(t log s + (1 - t) log(1 - s)) without overflow
        loss += isBinary
          ? Math.max(data[k], 0) - data[k] * goal + Math.log1p(Math.exp(-Math.abs(data[k])))
          : 0.5 * error * error;
      }
    return loss / Math.max(1, counted);
  }
}
