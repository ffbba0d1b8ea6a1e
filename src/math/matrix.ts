/**
 * Small dense matrices: product, linear systems, eigenvalues of symmetric ones, exponential.
 *
 * Rows of plain numbers, a[row][column], up to some tens of rows; nothing is changed in place. The
 * exponential is computed in double-double arithmetic and rounded once, because its entries are
 * multiplied into every tick of a run. Knows nothing of equations.
 */
import {
  add,
  type DoubleDouble,
  divide,
  double,
  exactProduct,
  one,
  rounded,
  subtract,
  multiply as times,
  zero,
} from "./doubledouble.ts";

export type Matrix = readonly (readonly number[])[];

export const identity = (size: number): number[][] =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)));

/** The product a b, [n, k] times [k, m]. */
export function multiply(a: Matrix, b: Matrix): number[][] {
  if (a.some((row) => row.length !== b.length)) {
    throw new RangeError(
      `a matrix with ${a[0].length} columns cannot be multiplied by one with ${b.length} rows`,
    );
  }
  return a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));
}

/**
 * The x with a x = b, b of shape [n, m]: LU decomposition with partial pivoting.
 * Throws a RangeError where `a` is singular. Backward error below 8 n ulps of |a| |x|; test/math/matrix.test.ts.
 */
export function solve(a: Matrix, b: Matrix): number[][] {
  const n = a.length;
  const rows = a.map((row, i) => [...row, ...b[i]]);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i][k]) > Math.abs(rows[pivot][k])) pivot = i;
    if (!(Math.abs(rows[pivot][k]) > 0)) throw new RangeError(`the matrix is singular (column ${k})`);
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i][k] / rows[k][k];
      if (factor !== 0) for (let j = k; j < rows[i].length; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  const x = rows.map((row) => row.slice(n));
  for (let k = n - 1; k >= 0; k--) {
    for (let j = 0; j < x[k].length; j++) {
      for (let i = k + 1; i < n; i++) x[k][j] -= rows[k][i] * x[i][j];
      x[k][j] /= rows[k][k];
    }
  }
  return x;
}

/**
 * Eigenvalues, rising, and eigenvectors, one a row and of length 1, of a symmetric matrix; only a[i][j], j >= i, is
 * read. Rotations of Jacobi, row by row, until all that is off the diagonal vanishes: Golub & Van Loan 2013, Matrix
 * Computations, section 8.5. Error of an eigenvalue below 10 n ulps of the largest; test/math/matrix.test.ts.
 */
export function eigen(a: Matrix): { readonly values: number[]; readonly vectors: number[][] } {
  const n = a.length;
  const rest = a.map((row, i) => row.map((_, j) => (j >= i ? a[i][j] : a[j][i])));
  const vectors = identity(n);
  if (rest.some((row) => row.some((x) => !Number.isFinite(x))))
    throw new RangeError("eigenvalues need finite entries");
  const norm = Math.max(...rest.map((row) => Math.hypot(...row)));
  const negligible = norm * 2 ** -60;
  for (let turned = true; turned; ) {
    turned = false;
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        if (Math.abs(rest[i][j]) <= negligible) continue;
        turned = true;
        const half = (rest[j][j] - rest[i][i]) / (2 * rest[i][j]);
        const t = (half < 0 ? -1 : 1) / (Math.abs(half) + Math.hypot(1, half)); // the smaller rotation
        const c = 1 / Math.hypot(1, t);
        const s = t * c;
        rotate(rest, i, j, c, s);
        for (const row of rest) [row[i], row[j]] = [c * row[i] - s * row[j], s * row[i] + c * row[j]];
        rest[i][j] = rest[j][i] = 0;
        rotate(vectors, i, j, c, s);
      }
    }
  }
  const order = vectors.map((_, k) => k).sort((k, l) => rest[k][k] - rest[l][l]);
  return { values: order.map((k) => rest[k][k]), vectors: order.map((k) => vectors[k]) };
}

function rotate(rows: number[][], i: number, j: number, c: number, s: number): void {
  const [a, b] = [rows[i], rows[j]];
  for (let k = 0; k < a.length; k++) [a[k], b[k]] = [c * a[k] - s * b[k], s * a[k] + c * b[k]];
}

/**
 * exp(a time), every entry for itself within an ulp while |a time| is below 2^30 and entries do not cancel
 * (they do not for compartments and cascades, whose entries off the diagonal have one sign). Entries that no
 * power of `a` reaches are exactly 0.
 *
 * Scaling and squaring with the [13/13] Padé approximant: Higham 2005, SIAM J. Matrix Anal. 26:1179, algorithm
 * 2.3. With |a| <= 1 instead of 5.4 the approximant's backward error is 9e-36, below 2^-106.
 */
export function expm(a: Matrix, time = 1): number[][] {
  const scaledByTime = a.map((row) => row.map((x) => exactProduct(x, time)));
  const norm = Math.max(0, ...scaledByTime[0].map((_, j) => columnSum(scaledByTime, j)));
  if (!Number.isFinite(norm)) throw new RangeError("the matrix exponential needs finite entries");
  const squarings = norm > 1 ? Math.ceil(Math.log2(norm)) : 0;
  const scale = 2 ** -squarings;
  let power = pade13(scaledByTime.map((row) => row.map((x) => ({ hi: x.hi * scale, lo: x.lo * scale }))));
  for (let k = 0; k < squarings; k++) power = wideProduct(power, power);
  return power.map((row) => row.map(rounded));
}

type WideMatrix = readonly (readonly DoubleDouble[])[];

const columnSum = (a: WideMatrix, j: number): number => a.reduce((sum, row) => sum + Math.abs(row[j].hi), 0);

const combine = (a: WideMatrix, b: WideMatrix, join: typeof add): DoubleDouble[][] =>
  a.map((row, i) => row.map((x, j) => join(x, b[i][j])));

const wideProduct = (a: WideMatrix, b: WideMatrix): DoubleDouble[][] =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => add(sum, times(x, b[k][j])), zero)));

/** exp(a) for |a| <= 1: (V - U)^-1 (V + U), U and V the odd and even terms of the Padé numerator. */
function pade13(a: WideMatrix): DoubleDouble[][] {
  const degree = 13;
  const coefficients = [one];
  for (let j = 1; j <= degree; j++) {
    const ratio = divide(double(degree - j + 1), double((2 * degree - j + 1) * j));
    coefficients.push(times(coefficients[j - 1], ratio));
  }
  const square = wideProduct(a, a);
  const unit = a.map((row, i) => row.map((_, j) => (i === j ? one : zero)));
  const horner = (highest: number): DoubleDouble[][] => {
    const term = (k: number) => unit.map((row) => row.map((x) => times(x, coefficients[k])));
    let sum = term(highest);
    for (let k = highest - 2; k >= 0; k -= 2) sum = combine(wideProduct(sum, square), term(k), add);
    return sum;
  };
  const u = wideProduct(a, horner(degree));
  const v = horner(degree - 1);
  return wideSolve(combine(v, u, subtract), combine(v, u, add));
}

/**
 * As `solve`, in double-double. Pivots are not sought: `a` is exp(-x/2) times a number near 1 with |x| <= 1, which
 * is less than 0.65 from the identity in the 1-norm, so every column is dominated by its diagonal.
 */
function wideSolve(a: WideMatrix, b: WideMatrix): DoubleDouble[][] {
  const n = a.length;
  const rows = a.map((row, i) => [...row, ...b[i]]);
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < n; i++) {
      if (i === k || rows[i][k].hi === 0) continue;
      const factor = divide(rows[i][k], rows[k][k]);
      for (let j = k; j < 2 * n; j++) rows[i][j] = subtract(rows[i][j], times(factor, rows[k][j]));
    }
  }
  return rows.map((row, i) => row.slice(n).map((x) => divide(x, rows[i][i])));
}
