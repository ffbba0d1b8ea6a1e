/** A measure of all pairs of cells: the matrix and its mean. */

export interface Pairwise {
  /** Over all pairs of different cells that have a value; NaN without any. */
  readonly mean: number;
  /** [cell, cell], symmetric. */
  readonly matrix: Float64Array;
}

/** The matrix of a symmetric measure, called once for each pair i < j; `self` is the value of a cell with itself. */
export function pairwise(
  size: number,
  measure: (i: number, j: number) => number,
  self: (i: number) => number = () => 0,
): Pairwise {
  const matrix = new Float64Array(size * size);
  let sum = 0;
  let pairs = 0;
  for (let i = 0; i < size; i++) {
    matrix[i * size + i] = self(i);
    for (let j = i + 1; j < size; j++) {
      const value = measure(i, j);
      matrix[i * size + j] = value;
      matrix[j * size + i] = value;
      if (Number.isNaN(value)) continue;
      sum += value;
      pairs++;
    }
  }
  return { mean: sum / pairs, matrix };
}
