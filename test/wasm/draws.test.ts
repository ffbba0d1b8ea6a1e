import { describe, expect, test } from "vitest";
import { uniform32 as uniform32At, uniform as uniformAt } from "../../src/math/random.ts";
import { largestThresholdMean, normalPair, poissonCdf, poissonFixed, uniform } from "../../src/wasm/draws.ts";
import { Graph, type Node } from "../../src/wasm/graph.ts";
import { poissonFunction, poissonLimit, poissonScalar } from "../../src/wasm/poisson.ts";
import { compile, interpreted, machine } from "./lanes.ts";
import { reference, ulps } from "./reference.ts";

const precisions = ["float64", "float32"] as const;
const names = ["counter", "zero", "k0", "k1"];

/** Two lanes of random bits for each element, from the block that its number addresses. */
function bitsOf(g: Graph): [Node, Node] {
  const [counter, zero, k0, k1] = names.map((name) => g.input(name, "words"));
  const words = [0, 1, 2, 3].map((word) => g.node("philox", [counter, zero, zero, zero, k0, k1], { word }));
  if (g.precision === "float32") return [words[0], words[1]];
  return [
    g.node("join", [words[0], words[1]], { half: 0 }),
    g.node("join", [words[2], words[3]], { half: 0 }),
  ];
}
const key = [20260713, 7] as const;
const addresses = (count: number): ArrayLike<number>[] => [
  Int32Array.from({ length: count }, (_, i) => i),
  new Int32Array(count),
  new Int32Array(count).fill(key[0]),
  new Int32Array(count).fill(key[1]),
];

/** `count` draws by machine code, the first 301 checked against the interpreter. */
function draws(g: Graph, roots: readonly Node[], count: number): ArrayLike<number>[] {
  const before = machine.calls;
  const results = compile(roots, names, g.precision)(...addresses(count));
  expect(machine.calls).toBe(before + Math.ceil(count / 65536));
  const twins = interpreted(roots, names, g.precision)(...addresses(301));
  expect(results.map((r) => r.subarray(0, 301))).toEqual(twins);
  return results;
}

/**
 * Largest distance between the distribution of a sample and `cdf`, over its limit at a false-alarm rate of 1e-6:
 * P(D > e) <= 2 exp(-2 n e^2) for any distribution, whole numbers too (Massart 1990).
 */
function distance(sample: ArrayLike<number>, cdf: (x: number) => number): number {
  const sorted = Float64Array.from(sample).sort();
  const n = sorted.length;
  let largest = 0;
  for (let i = 0; i < n; ) {
    let end = i + 1;
    while (end < n && sorted[end] === sorted[i]) end++;
    const whole = Number.isInteger(sorted[i]);
    largest = Math.max(
      largest,
      Math.abs(end / n - cdf(sorted[i])),
      Math.abs(i / n - cdf(whole ? sorted[i] - 1 : sorted[i])),
    );
    i = end;
  }
  return largest / Math.sqrt(Math.log(2e6) / (2 * n));
}

/** A distribution of whole numbers from its table. */
const stepped =
  (table: readonly number[]) =>
  (k: number): number =>
    k < 0 ? 0 : table[Math.min(k, table.length - 1)];

/** The normal distribution by its Taylor series about 0 (Marsaglia 2004), to 1e-14 for |x| < 6. */
function normalCdf(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > 1e-17; k += 2) sum += term *= (x * x) / k;
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

const count = 200_000;

describe.each(precisions)("%s", (precision) => {
  const wide = precision === "float64";

  test("a uniform number holds the upper bits plus one half, exactly, from the smallest word to the largest", () => {
    const g = new Graph(precision);
    const value = (bits: bigint) => uniform(g, g.bits(bits)).value;
    const places = wide ? 52 : 23;
    const drop = BigInt(wide ? 12 : 9);
    for (const k of [0n, 1n, 12345n, (1n << BigInt(places)) - 1n]) {
      const expected = (Number(k) + 0.5) * 2 ** -places;
      expect(value(k << drop)).toBe(expected);
      expect(value((k << drop) | ((1n << drop) - 1n))).toBe(expected);
    }
  });

  test("uniform draws are those of math/random.ts, and uniform; u^1.05 is not", () => {
    const g = new Graph(precision);
    const [a, b] = bitsOf(g).map((bits) => uniform(g, bits));
    const [first, second] = draws(g, [a, b], count);
    for (let i = 0; i < 64; i++) {
      // element of math/random.ts whose block is i: its number counts lanes within a group
      const element = wide ? (i >> 2) * 8 + (i & 3) : (i >> 2) * 16 + (i & 3);
      expect(first[i]).toBe((wide ? uniformAt : uniform32At)(key, 0, element, 0));
      expect(second[i]).toBe((wide ? uniformAt : uniform32At)(key, 0, element + 4, 0));
    }
    for (const sample of [first, second]) {
      expect(distance(sample, (u) => u)).toBeLessThan(1);
      const skewed = Array.from(sample, (u) => u ** 1.05);
      expect(distance(skewed, (u) => u)).toBeGreaterThan(1);
    }
  });

  test("normal draws are normal, alone and in pairs; 4 % too wide or shifted by 0.03 they are not", () => {
    const g = new Graph(precision);
    const [u, v] = bitsOf(g).map((bits) => uniform(g, bits));
    const pair = draws(g, normalPair(g, u, v), count);
    for (const sample of pair) {
      expect(distance(sample, normalCdf)).toBeLessThan(1);
      expect(
        distance(
          Array.from(sample, (x) => 1.04 * x),
          normalCdf,
        ),
      ).toBeGreaterThan(1);
      expect(
        distance(
          Array.from(sample, (x) => x + 0.03),
          normalCdf,
        ),
      ).toBeGreaterThan(1);
    }
    // independent: (a + b) / sqrt 2 is normal; a pair correlated by 5 % is found out
    const mixed = (share: number) =>
      Array.from(pair[0], (x, i) => (x + pair[1][i] + share * x) * Math.SQRT1_2);
    expect(distance(mixed(0), normalCdf)).toBeLessThan(1);
    expect(distance(mixed(0.1), normalCdf)).toBeGreaterThan(1);
    const cube = Array.from(pair[0], (x, i) => normalCdf(x) * normalCdf(pair[1][i]));
    expect(distance(cube, (p) => p - p * Math.log(p))).toBeLessThan(1); // of a product of two uniforms
  });

  test("a normal pair is within 3.5 ulp of Box and Muller's function, next to every axis and in both tails", () => {
    const g = new Graph(precision);
    const places = wide ? 52 : 23;
    const grid = (x: number) =>
      (Math.floor(Math.min(Math.max(x, 0), 1) * (2 ** places - 1)) + 0.5) * 2 ** -places;
    const size = 3000;
    const random = (i: number, stream: number) => uniformAt([5, 5], stream, i, 0);
    const u = Float64Array.from({ length: size }, (_, i) => {
      const near = 2 ** (-places * random(i, 0));
      return grid([near, 1 - near, random(i, 0)][i % 3]);
    });
    const v = Float64Array.from({ length: size }, (_, i) => {
      const near = 2 ** (-places * random(i, 1)) / 4;
      return grid([(i % 5) / 4 + near, (i % 5) / 4 - near, random(i, 1)][Math.floor(i / 5) % 3]);
    });
    const pair = normalPair(g, g.input("u"), g.input("v"));
    const results = compile(pair, ["u", "v"], precision)(u, v);
    expect(results).toEqual(interpreted(pair, ["u", "v"], precision)(u, v));
    let worst = 0;
    results.forEach((values, k) => {
      values.forEach((value, i) => {
        const oracle = reference[k === 0 ? "normalCos" : "normalSin"](u[i], v[i]);
        worst = Math.max(worst, ulps(value, oracle, wide ? 53 : 24));
      });
    });
    expect(worst).toBeLessThan(3.5);
    expect(worst).toBeGreaterThan(1);
    const smallest = grid(0);
    const [[largest]] = interpreted(pair, ["u", "v"], precision)([smallest], [smallest]);
    expect(largest).toBeCloseTo(Math.sqrt(-2 * Math.log(smallest)), 5);
  });

  test.each([0, 0.02, 1, 7.5, 20])(
    "Poisson draws of the constant mean %s have that distribution; of a mean 1.03 times as large + 0.01 they have not",
    (mean) => {
      const g = new Graph(precision);
      const [bits] = bitsOf(g);
      const root = poissonFixed(g, wide ? uniform(g, bits) : bits, mean);
      const [sample] = root.op === "constant" ? [new Float64Array(count)] : draws(g, [root], count);
      const cdf = poissonCdf(mean);
      const other = poissonCdf(mean * 1.03 + 0.01);
      expect(distance(sample, stepped(cdf))).toBeLessThan(1);
      expect(distance(sample, stepped(other))).toBeGreaterThan(1);
    },
  );

  test("Poisson draws of a mean only known while running: 0.1, 30 and 700; of one 2 % + 0.01 smaller not", () => {
    const g = new Graph(precision);
    const [bits] = bitsOf(g);
    for (const mean of [0.1, 30, 700]) {
      const root = g.node("call", [uniform(g, bits), g.constant(mean)], { name: "poisson" });
      const helpers = { poisson: poissonFunction };
      const size = mean === 700 ? 40_000 : 100_000;
      const [sample] = compile([root], names, precision, helpers)(...addresses(size));
      const [twins] = interpreted([root], names, precision, { poisson: poissonScalar })(...addresses(101));
      expect(sample.subarray(0, 101)).toEqual(twins);
      const cdf = poissonCdf(mean);
      const other = poissonCdf(mean * 0.98 - 0.01);
      expect(distance(sample, stepped(cdf))).toBeLessThan(1);
      expect(distance(sample, stepped(other))).toBeGreaterThan(1);
    }
  });
});

test("the Poisson distribution is right to the last bit against exact fractions", () => {
  // P(N <= k) = S_k / S with S_k = sum of mean^j / j!, in integers scaled by 2^400
  for (const [mean, eighths] of [
    [0.125, 1n],
    [1, 8n],
    [12.375, 99n],
  ] as const) {
    let term = 1n << 400n;
    const sums = [term];
    for (let k = 1n; k < 200n; k++) {
      term = (term * eighths) / (8n * k);
      sums.push(sums[sums.length - 1] + term);
    }
    const whole = sums[sums.length - 1];
    poissonCdf(mean).forEach((p, k) => {
      const oracle = { mantissa: (sums[Math.min(k, 199)] << 200n) / whole, exponent: -200 };
      expect(ulps(p, oracle)).toBeLessThan(0.501);
    });
  }
});

test("the 32-bit thresholds are the distribution rounded to 2^-32, at the word where the count changes", () => {
  const g = new Graph("float32");
  const root = poissonFixed(g, g.input("word", "bits"), 2);
  const counts = (word: number) =>
    interpreted([root], ["word"], "float32")([BigInt(word | 0)] as unknown as number[])[0][0];
  poissonCdf(2)
    .slice(0, 8)
    .forEach((p, k) => {
      const first = Math.round(p * 2 ** 32);
      expect(counts(first - 1)).toBe(k);
      expect(counts(first)).toBe(k + 1);
    });
  expect(counts(0)).toBe(0);
});

test("a Poisson number is the smallest k with u <= P(N <= k), at the edges of u", () => {
  expect(poissonScalar(Math.exp(-3) * 0.999999, 3)).toBe(0);
  expect(poissonScalar(Math.exp(-3) * 1.000001, 3)).toBe(1);
  expect(poissonScalar(0.5, 0)).toBe(0);
  expect(poissonScalar(1 - 2 ** -53, 1)).toBe(17); // P(N > 17) = 6e-17 is below 2^-53, P(N > 16) = 1e-15 is not
  expect(poissonScalar(1 - 2 ** -53, 700)).toBeLessThan(1000);
  expect(poissonScalar(2 ** -53, 700)).toBeGreaterThan(450);
});

test("means that cannot be drawn give NaN while running and an error before", () => {
  const g = new Graph("float64");
  const root = g.node("call", [g.input("u"), g.input("mean")], { name: "poisson" });
  const means = [-1, -1e-9, Number.NaN, poissonLimit, 1e9, Number.POSITIVE_INFINITY, 0, 1];
  const u = means.map(() => 0.4);
  const [fast] = compile([root], ["u", "mean"], "float64", { poisson: poissonFunction })(u, means);
  expect([...fast]).toEqual([...Array(6).fill(Number.NaN), 0, 1]);
  expect(means.map((mean) => poissonScalar(0.4, mean))).toEqual([...fast]);
  for (const mean of [-1, Number.NaN, largestThresholdMean + 1])
    expect(() => poissonFixed(g, g.input("u"), mean)).toThrow("the mean of a Poisson draw is");
});
