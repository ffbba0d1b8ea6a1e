/** The Fréchet distance of two samples against closed forms of their own moments. */
import { expect, test } from "vitest";
import { frechetDistance } from "../../src/index.ts";
import { randomKey, uniform } from "../../src/math/random.ts";

/** Points [point][feature], correlated and of unequal spread. */
function points(count: number, seed: number, stretch: readonly number[]): number[] {
  const key = randomKey(seed, "points");
  const list: number[] = [];
  for (let p = 0; p < count; p++) {
    const draws = stretch.map((_, f) => uniform(key, 0, f, p) - 0.5);
    stretch.forEach((s, f) => {
      list.push(s * draws[f] + 0.3 * draws[0] + 0.1 * f * seed);
    });
  }
  return list;
}

function moments(list: readonly number[], features: number) {
  const count = list.length / features;
  const mean = Array.from({ length: features }, (_, f) =>
    list.reduce((sum, x, k) => (k % features === f ? sum + x / count : sum), 0),
  );
  const covariance = mean.map((_, i) =>
    mean.map((_, j) => {
      let sum = 0;
      for (let p = 0; p < list.length; p += features)
        sum += (list[p + i] - mean[i]) * (list[p + j] - mean[j]);
      return sum / (count - 1);
    }),
  );
  return { mean, covariance };
}

test("of one feature it is the squares of the differences of means and of deviations", () => {
  const [a, b] = [points(50, 1, [1]), points(70, 2, [3])];
  const [m, n] = [moments(a, 1), moments(b, 1)];
  const exact =
    (m.mean[0] - n.mean[0]) ** 2 + (Math.sqrt(m.covariance[0][0]) - Math.sqrt(n.covariance[0][0])) ** 2;
  expect(frechetDistance(a, b, 1)).toBeCloseTo(exact, 12);
});

test("of two features whose covariances do not commute it is the closed form with tr and det", () => {
  const [a, b] = [points(60, 1, [1, 2]), points(40, 2, [3, 0.5])];
  const [m, n] = [moments(a, 2), moments(b, 2)];
  const det = (c: number[][]) => c[0][0] * c[1][1] - c[0][1] * c[1][0];
  const traceOfProduct = m.covariance.reduce(
    (sum, row, i) => sum + row.reduce((part, value, j) => part + value * n.covariance[j][i], 0),
    0,
  );
  // tr of the root of a 2 x 2 matrix M with positive eigenvalues: sqrt(tr M + 2 sqrt(det M))
  const root = Math.sqrt(traceOfProduct + 2 * Math.sqrt(det(m.covariance) * det(n.covariance)));
  const trace = (c: number[][]) => c[0][0] + c[1][1];
  const between = m.mean.reduce((sum, x, k) => sum + (x - n.mean[k]) ** 2, 0);
  const exact = between + trace(m.covariance) + trace(n.covariance) - 2 * root;
  const commuting =
    between +
    m.covariance.reduce((sum, row, k) => sum + (Math.sqrt(row[k]) - Math.sqrt(n.covariance[k][k])) ** 2, 0);
  expect(frechetDistance(a, b, 2)).toBeCloseTo(exact, 10);
  expect(Math.abs(exact - commuting)).toBeGreaterThan(1e-3); // without correlations it would be this
});

test("a sample is nowhere from itself, moved points as far as they are moved; order does not matter", () => {
  const a = points(30, 3, [1, 2, 0.5]);
  const moved = a.map((x, k) => x + [0.5, 0, -1][k % 3]);
  expect(frechetDistance(a, a, 3)).toBeLessThan(1e-12);
  expect(frechetDistance(a, moved, 3)).toBeCloseTo(1.25, 10);
  const b = points(30, 4, [2, 1, 1]);
  expect(frechetDistance(a, b, 3)).toBeCloseTo(frechetDistance(b, a, 3), 12);
  expect(() => frechetDistance([1, 2, 3], a, 3)).toThrow(
    "3 numbers are not two or more points of 3 features",
  );
});
