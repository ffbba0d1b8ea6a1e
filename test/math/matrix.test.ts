import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eigen, expm, identity, type Matrix, multiply, solve } from "../../src/math/matrix.ts";
import * as oracle from "./fixed.ts";

const finite = (min: number, max: number) => fc.double({ min, max, noNaN: true, noDefaultInfinity: true });
const squareMatrix = (entry: fc.Arbitrary<number>, largest = 5) =>
  fc
    .integer({ min: 1, max: largest })
    .chain((n) => fc.array(fc.array(entry, { minLength: n, maxLength: n }), { minLength: n, maxLength: n }));

/** Multiples of 0.001 in [-2, 2]: no products that leave the normal range. */
const thousandths = fc.integer({ min: -2000, max: 2000 }).map((k) => k / 1000);

/** Largest distance of an entry of expm(a, time), above 2^-600, from the exact one, in ulps of that entry. */
function worstEntry(a: Matrix, time: number): number {
  const exact = oracle.expm(
    a.map((row) => row.map((x) => oracle.times(oracle.fixed(x), oracle.fixed(time)))),
  );
  let worst = 0;
  expm(a, time).forEach((row, i) => {
    row.forEach((x, j) => {
      if (x !== 0 && Math.abs(x) < 2 ** -600) return;
      worst = Math.max(
        worst,
        x === 0 ? (exact[i][j] < 1n << 100n ? 0 : Infinity) : oracle.ulps(x, exact[i][j]),
      );
    });
  });
  return worst;
}

describe("the matrix exponential", () => {
  test("is within 0.501 ulp in every entry for compartment matrices up to |a t| = 2^30", () => {
    // off the diagonal nonnegative: nothing cancels
    const compartments = squareMatrix(fc.oneof(fc.constant(0), finite(1e-3, 1e3))).map((a) =>
      a.map((row, i) => row.map((x, j) => (i === j ? -x : x))),
    );
    fc.assert(
      fc.property(compartments, fc.constantFrom(1e-9, 1e-4, 1e-2), (a, time) => worstEntry(a, time) < 0.501),
      { seed: 1, numRuns: 60 },
    );
    // closed systems: what leaves one compartment enters another
    const closed = compartments.map((a) =>
      a.map((row, i) =>
        row.map((x, j) => (i === j ? -a.reduce((sum, other, k) => sum + (k === j ? 0 : other[j]), 0) : x)),
      ),
    );
    fc.assert(
      fc.property(closed, fc.constantFrom(1, 1e3, 1e5), (a, time) => worstEntry(a, time) < 0.501),
      { seed: 2, numRuns: 40 },
    );
    // a voltage driven by a current through 200 pF: 5e9 V/(A s), a time constant of 10 us, a step of 1 ms
    const stiff = [
      [-50, 5e9, 0],
      [0, -1e5, 1e5],
      [0, 0, -200],
    ];
    expect(worstEntry(stiff, 1e-3)).toBeLessThan(0.501);
    expect(worstEntry(stiff, 0.2)).toBeLessThan(0.501); // |a t| = 1e9
  });

  test("is within an ulp in every entry for two time constants, equal, nearly equal and apart", () => {
    for (const tauM of [20e-3, 5e-3, 5e-3 * (1 + 2 ** -50), 5e-3 * (1 + 1e-8)]) {
      const a = [
        [-1 / tauM, 1 / tauM],
        [0, -1 / 5e-3],
      ];
      for (const dt of [1e-6, 1e-4, 1e-3, 1]) expect(worstEntry(a, dt), `${tauM} ${dt}`).toBeLessThan(0.501);
    }
  });

  test("keeps structural zeros and gives the scalar exponential on the diagonal of a cascade", () => {
    const p = expm(
      [
        [-200, 0, 0],
        [0, -800, 0],
        [1000, -1000, -1000],
      ],
      1e-4,
    );
    expect([p[0][1], p[0][2], p[1][0], p[1][2]]).toEqual([0, 0, 0, 0]);
    expect([p[0][0], p[1][1], p[2][2]]).toEqual([
      expm([[-0.02]])[0][0],
      expm([[-0.08]])[0][0],
      expm([[-0.1]])[0][0],
    ]);
  });

  test("of a rotation is the rotation: sin and cos within 0.501 ulp of the larger", () => {
    const exact = oracle.circle(oracle.fixed(0.3));
    const [[c, s]] = expm([
      [0, -0.3],
      [0.3, 0],
    ]);
    expect(oracle.ulps(c, exact[0])).toBeLessThan(0.501);
    expect(oracle.ulps(-s, exact[1])).toBeLessThan(0.501);
  });

  test("satisfies exp(a) exp(a) = exp(2a) to the rounding of the product", () => {
    fc.assert(
      fc.property(squareMatrix(thousandths), (a) => {
        const twice = expm(a, 2);
        const once = expm(a);
        const square = multiply(once, once);
        // each entry: n products of entries with half an ulp of error each, n additions
        const bound = multiply(
          once.map((row) => row.map(Math.abs)),
          once.map((row) => row.map(Math.abs)),
        );
        return square.every((row, i) =>
          row.every(
            (x, j) =>
              Math.abs(x - twice[i][j]) <= (a.length + 3) * 2 ** -53 * bound[i][j] + 2 ** -52 * Math.abs(x),
          ),
        );
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  test("of the zero matrix is the identity, and infinite entries are refused", () => {
    expect(expm([[0, 0], [0, 0]])).toEqual(identity(2)); // biome-ignore format: a matrix
    expect(() => expm([[Number.POSITIVE_INFINITY]])).toThrow("finite");
    expect(() => expm([[0, Number.NaN], [0, 0]])).toThrow("finite"); // biome-ignore format: a matrix
  });
});

describe("linear systems", () => {
  test("are solved with a backward error below 8 n ulps", () => {
    fc.assert(
      fc.property(squareMatrix(finite(-1, 1), 8), fc.integer({ min: 1, max: 3 }), (a, columns) => {
        const n = a.length;
        const b = a.map((row) => Array.from({ length: columns }, (_, j) => row[j % n] + j));
        let x: number[][];
        try {
          x = solve(a, b);
        } catch {
          return true; // singular
        }
        if (!x.flat().every(Number.isFinite)) return true; // nearly so
        const residual = multiply(a, x);
        const size = Math.max(...a.map((row) => row.reduce((sum, y) => sum + Math.abs(y), 0)));
        return residual.every((row, i) =>
          row.every((y, j) => {
            const column = Math.max(...x.map((values) => Math.abs(values[j])), Math.abs(b[i][j]));
            return Math.abs(y - b[i][j]) <= 8 * n * 2 ** -52 * Math.max(size, 1) * column;
          }),
        );
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  test("need their rows exchanged where a pivot is 0 or small", () => {
    expect(solve([[0, 2], [4, 0]], [[2], [8]])).toEqual([[2], [1]]); // biome-ignore format: a matrix
    const [[x], [y]] = solve([[1e-20, 1], [1, 1]], [[1], [2]]); // biome-ignore format: a matrix
    expect([x, y]).toEqual([1, 1]);
  });

  test("that are singular are refused, and shapes that do not fit", () => {
    expect(() => solve([[1, 2], [2, 4]], [[1], [1]])).toThrow("singular (column 1)"); // biome-ignore format: a matrix
    expect(() => multiply([[1, 2]], [[1, 2]])).toThrow("2 columns cannot be multiplied by one with 1 rows");
  });
});

describe("eigenvalues of a symmetric matrix", () => {
  const symmetric = squareMatrix(thousandths, 12).map((a) =>
    a.map((row, i) => row.map((_, j) => a[Math.min(i, j)][Math.max(i, j)])),
  );

  test("a v = lambda v to 10 n ulps of the largest, v orthonormal, lambda rising, for any matrix up to 12 rows", () => {
    fc.assert(
      fc.property(symmetric, (a) => {
        const { values, vectors } = eigen(a);
        const bound = 10 * a.length * 2 ** -53;
        const largest = Math.max(...values.map(Math.abs));
        const product = multiply(
          vectors,
          vectors[0].map((_, j) => vectors.map((row) => row[j])),
        );
        const images = multiply(vectors, a);
        return (
          values.every((value, k) => k === 0 || value >= values[k - 1]) &&
          product.every((row, i) => row.every((x, j) => Math.abs(x - (i === j ? 1 : 0)) <= bound)) &&
          images.every((row, k) =>
            row.every((x, i) => Math.abs(x - values[k] * vectors[k][i]) <= bound * largest),
          )
        );
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("the second difference of n points has 2 - 2 cos(k pi / (n + 1))", () => {
    const n = 20;
    const a = identity(n).map((row, i) => row.map((_, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)));
    eigen(a).values.forEach((value, k) => {
      expect(Math.abs(value - (2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1))))).toBeLessThan(
        10 * n * 4 * 2 ** -53,
      );
    });
  });

  test("a singular, a diagonal and an empty matrix; one that is not finite is an error", () => {
    expect(
      eigen([
        [1, 1],
        [1, 1],
      ]).values[0],
    ).toBeCloseTo(0, 15);
    expect(
      eigen([
        [3, 0],
        [0, -1],
      ]),
    ).toEqual({
      values: [-1, 3],
      vectors: [
        [0, 1],
        [1, 0],
      ],
    });
    expect(eigen([])).toEqual({ values: [], vectors: [] });
    expect(() => eigen([[Number.NaN]])).toThrow(RangeError);
  });
});
