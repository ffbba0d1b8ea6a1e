/**
 * Classes read from the spikes of cells that learnt without being told any.
 *
 * Cells are given classes by what they respond to with learning frozen, then vote. Counts of spikes are [example, cell]
 * in one array. Knows nothing of networks.
 */
import type { Estimate } from "./estimate.ts";

export interface SpikeClassifier {
  /** [cell]: the class with the highest mean response, the lowest of equals; -1 for a cell that was silent. */
  readonly classOf: Int32Array;
  /** [example]: the class with the most votes, the lowest of equals; -1 where no cell with a class fired. */
  predict(counts: ArrayLike<number>): Int32Array;
}

/**
 * A classifier from responses to labelled examples. `vote`: classes are compared by the "sum" of the spikes of their
 * cells (default); by their "mean", so that a class is not stronger for having more cells (Diehl & Cook 2015); or each
 * spike is "shared" among all classes in proportion to the mean responses of its cell, whatever its own class is.
 */
export function spikeClassifier(
  counts: ArrayLike<number>,
  labels: ArrayLike<number>,
  options: { readonly cells: number; readonly classes: number; readonly vote?: "sum" | "mean" | "shared" },
): SpikeClassifier {
  const { cells, classes, vote = "sum" } = options;
  const examples = exampleCount(counts, cells);
  if (labels.length !== examples)
    throw new RangeError(`${examples} examples of ${cells} counts have ${labels.length} labels`);
  const responses = new Float64Array(cells * classes); // [cell, class]
  const sizes = new Float64Array(classes);
  for (let e = 0; e < examples; e++) {
    const label = labels[e];
    if (!(Number.isInteger(label) && label >= 0 && label < classes))
      throw new RangeError(`example ${e} is of class ${label}; there are ${classes} classes`);
    sizes[label]++;
    for (let c = 0; c < cells; c++) responses[c * classes + label] += counts[e * cells + c];
  }
  const classOf = new Int32Array(cells);
  const members = new Float64Array(classes);
  const ballots = new Float64Array(cells * classes); // [cell, class]: what a spike of the cell counts for each class
  for (let c = 0; c < cells; c++) {
    const means = Array.from(sizes, (size, k) => (size === 0 ? 0 : responses[c * classes + k] / size));
    const own = largest(means);
    classOf[c] = own;
    if (own < 0) continue;
    members[own]++;
    const total = means.reduce((sum, mean) => sum + mean, 0);
    for (let k = 0; k < classes; k++)
      ballots[c * classes + k] = vote === "shared" ? means[k] / total : k === own ? 1 : 0;
  }
  const weights = members.map((count) => (vote === "mean" ? 1 / Math.max(1, count) : 1));
  const predict = (given: ArrayLike<number>): Int32Array => {
    const votes = new Float64Array(classes);
    return Int32Array.from({ length: exampleCount(given, cells) }, (_, e) => {
      votes.fill(0);
      for (let c = 0; c < cells; c++) {
        const spikes = given[e * cells + c];
        if (spikes > 0)
          for (let k = 0; k < classes; k++) votes[k] += spikes * weights[k] * ballots[c * classes + k];
      }
      return largest(votes);
    });
  };
  return { classOf, predict };
}

/** Index of the largest value, the first of equals; -1 where none is above 0. */
function largest(values: ArrayLike<number>): number {
  let best = -1;
  for (let k = 0; k < values.length; k++) if (values[k] > (best < 0 ? 0 : values[best])) best = k;
  return best;
}

function exampleCount(counts: ArrayLike<number>, cells: number): number {
  const examples = counts.length / cells;
  if (!Number.isInteger(examples))
    throw new RangeError(`${counts.length} counts are no whole number of examples of ${cells} cells`);
  return examples;
}

/** [class, class]: how many examples of the row's class were predicted to be of the column's. */
export function confusionMatrix(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
): Uint32Array {
  if (predicted.length !== labels.length)
    throw new RangeError(`${predicted.length} predictions for ${labels.length} examples`);
  const matrix = new Uint32Array(classes * classes);
  for (let e = 0; e < labels.length; e++) if (predicted[e] >= 0) matrix[labels[e] * classes + predicted[e]]++;
  return matrix;
}

/** Normal quantile of 97.5 %. */
const z = 1.959963984540054;

/** The estimate of a probability from `hits` in `n` independent trials; interval of Wilson 1927, J. Am. Stat. Assoc. 22:209. */
export function proportion(hits: number, n: number): Estimate {
  if (!(Number.isInteger(n) && n > 0 && hits >= 0 && hits <= n))
    throw new RangeError(`${hits} hits in ${n} trials make no proportion`);
  const mean = hits / n;
  const scale = 1 / (1 + (z * z) / n);
  const middle = scale * (mean + (z * z) / (2 * n));
  const reach = scale * z * Math.sqrt((mean * (1 - mean)) / n + (z * z) / (4 * n * n));
  return {
    mean,
    standardError: Math.sqrt((mean * (1 - mean)) / n),
    interval95: [Math.max(0, middle - reach), Math.min(1, middle + reach)],
    n,
  };
}
