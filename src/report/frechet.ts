/**
 * How far two clouds of points are apart, taken as normal distributions: what generated images are judged by, in features of a
 * classifier.
 */
import { ConfigError } from "../math/errors.ts";
import { eigen, type Matrix, multiply } from "../math/matrix.ts";

/**
 * The squared Fréchet distance of the normal distributions with the means and covariances of two samples, [point][feature]:
 *
 *     |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2)
 *
 * Dowson & Landau 1982, J. Multivar. Anal. 12:450; of images by features: Heusel et al. 2017, NIPS, arXiv:1706.08500. Two
 * samples of one distribution are apart, too, by the error of their covariances: compare with such a pair of the same sizes.
 * Throws `ConfigError` for fewer than two points.
 */
export function frechetDistance(a: ArrayLike<number>, b: ArrayLike<number>, features: number): number {
  const [first, second] = [momentsOf(a, features), momentsOf(b, features)];
  const root = powered(first.covariance);
  const { values } = eigen(multiply(multiply(root, second.covariance), root));
  const between = first.mean.reduce((sum, m, k) => sum + (m - second.mean[k]) ** 2, 0);
  const trace = (m: Matrix) => m.reduce((sum, row, k) => sum + row[k], 0);
  const common = values.reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0);
  return Math.max(0, between + trace(first.covariance) + trace(second.covariance) - 2 * common);
}

function momentsOf(points: ArrayLike<number>, features: number): { mean: number[]; covariance: number[][] } {
  const count = points.length / features;
  if (!(Number.isInteger(count) && count >= 2))
    throw new ConfigError(`${points.length} numbers are not two or more points of ${features} features`);
  const mean = new Array<number>(features).fill(0);
  for (let k = 0; k < points.length; k++) mean[k % features] += points[k] / count;
  const covariance = mean.map(() => new Array<number>(features).fill(0));
  for (let p = 0; p < points.length; p += features)
    for (let i = 0; i < features; i++)
      for (let j = 0; j <= i; j++)
        covariance[i][j] += ((points[p + i] - mean[i]) * (points[p + j] - mean[j])) / (count - 1);
  for (let i = 0; i < features; i++) for (let j = 0; j < i; j++) covariance[j][i] = covariance[i][j];
  return { mean, covariance };
}

/** The root of a covariance. */
function powered(covariance: Matrix): number[][] {
  const { values, vectors } = eigen(covariance);
  return covariance.map((_, i) =>
    covariance.map((_, j) =>
      values.reduce(
        (sum, value, k) => sum + Math.sqrt(Math.max(0, value)) * vectors[k][i] * vectors[k][j],
        0,
      ),
    ),
  );
}
