import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  allToAll,
  connect,
  fixedIndegree,
  fixedOutdegree,
  oneToOne,
  type Pattern,
  pairs,
  pairsFromTable,
  pairwiseBernoulli,
  type Rows,
} from "../../src/engine/connect.ts";
import { type Key, philox, randomKey } from "../../src/math/random.ts";

const key = randomKey("connect");

const row = ({ rows, targets }: Rows, i: number): number[] => [...targets.subarray(rows[i], rows[i + 1])];
const outdegrees = ({ rows }: Rows): number[] => Array.from(rows.subarray(1), (end, i) => end - rows[i]);
function indegrees({ targets }: Rows, postSize: number): number[] {
  const count = new Array<number>(postSize).fill(0);
  for (const j of targets) count[j]++;
  return count;
}
const matrix = (connected: Rows): number[][] =>
  Array.from({ length: connected.rows.length - 1 }, (_, i) => row(connected, i));

/** Sum of squared deviations from `mean` over `variance`: chi-squared. */
const chiSquared = (counts: readonly number[], mean: number, variance: number): number =>
  counts.reduce((sum, n) => sum + (n - mean) ** 2 / variance, 0);

// Quantiles 5e-7 and 1 - 5e-7: together a false alarm once in 1e6.
const normalReach = 4.8916;
const chi400 = [276.57, 553.95] as const;
const chi399 = [275.75, 552.77] as const;
const within = (x: number, [low, high]: readonly [number, number]): boolean => x > low && x < high;

describe("all to all, one to one", () => {
  test("every pair once, rows in order", () => {
    expect(matrix(connect(allToAll(), 2, 3, key))).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect(connect(allToAll(), 2, 3, key).dense).toBe(true);
  });

  test("self: false leaves out a cell's own column, also where slices of one population overlap", () => {
    const others = connect(allToAll({ self: false }), 3, 3, key);
    expect(matrix(others)).toEqual([
      [1, 2],
      [0, 2],
      [0, 1],
    ]);
    expect(others.dense).toBe(false);
    // cells 2 and 3 onto cells 0 to 3; cells 0 to 3 onto cells 2 and 3; two populations
    expect(matrix(connect(allToAll({ self: false }), 2, 4, key, 2))).toEqual([
      [0, 1, 3],
      [0, 1, 2],
    ]);
    expect(matrix(connect(allToAll({ self: false }), 4, 2, key, -2))).toEqual([[0, 1], [0, 1], [1], [0]]);
    expect(connect(allToAll({ self: false }), 4, 2, key, false).dense).toBe(true);
  });

  test("one to one is the diagonal and needs equal sizes", () => {
    expect(matrix(connect(oneToOne(), 3, 3, key))).toEqual([[0], [1], [2]]);
    expect(() => connect(oneToOne(), 3, 4, key)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: oneToOne: 3 pre and 4 post cells; the sizes must be equal]`,
    );
  });
});

describe("pairwise Bernoulli", () => {
  test.each([0.003, 0.02, 0.5, 0.97])("the number of synapses is binomial, p = %f", (p) => {
    const pairCount = 400 * 1000;
    const sd = Math.sqrt(pairCount * p * (1 - p));
    const { targets } = connect(pairwiseBernoulli(p), 400, 1000, key);
    expect(Math.abs(targets.length - pairCount * p) / sd).toBeLessThan(normalReach);
    const wrong = p + (12 * sd) / pairCount; // control: 12 standard deviations, 1 % of p for p = 0.5
    expect(Math.abs(targets.length - pairCount * wrong) / sd).toBeGreaterThan(normalReach);
  });

  test.each([0.02, 0.5])("in- and out-degrees are binomial, p = %f", (p) => {
    const connected = connect(pairwiseBernoulli(p), 400, 400, key);
    const [mean, variance] = [400 * p, 400 * p * (1 - p)];
    const received = indegrees(connected, 400);
    expect(within(chiSquared(received, mean, variance), chi400)).toBe(true);
    expect(within(chiSquared(outdegrees(connected), mean, variance), chi400)).toBe(true);
    // controls: cells that differ by ± 2 standard deviations, cells that are all alike
    const uneven = received.map((n, j) => n + (j % 2 ? 2 : -2) * Math.sqrt(variance));
    expect(within(chiSquared(uneven, mean, variance), chi400)).toBe(false);
    expect(within(chiSquared(received.fill(mean), mean, variance), chi400)).toBe(false);
  });

  test("neighbouring columns are independent", () => {
    const [p, preSize, postSize] = [0.2, 400, 1000];
    const { rows, targets } = connect(pairwiseBernoulli(p), preSize, postSize, key);
    const neighbours = (apart: number): number => {
      let count = 0;
      for (let i = 0; i < preSize; i++)
        for (let k = rows[i] + 1; k < rows[i + 1]; k++) if (targets[k] - targets[k - 1] === apart) count++;
      return count;
    };
    // couples (j, j + 1): variance with the covariance of overlapping couples, p^3 - p^4 each
    const couples = preSize * (postSize - 1);
    const sd = Math.sqrt(couples * (p ** 2 - p ** 4 + 2 * (p ** 3 - p ** 4)));
    expect(Math.abs(neighbours(1) - couples * p ** 2) / sd).toBeLessThan(normalReach);
    // control: gaps of two in their place, 20 % rarer
    expect(Math.abs(neighbours(2) - couples * p ** 2) / sd).toBeGreaterThan(normalReach);
  });

  test("self: false removes the own cell and gives every other pair the same chance", () => {
    const p = 0.1;
    const connected = connect(pairwiseBernoulli(p, { self: false }), 401, 401, key);
    for (let i = 0; i < 401; i++) expect(row(connected, i)).not.toContain(i);
    const chi = chiSquared(indegrees(connected, 401).slice(1), 400 * p, 400 * p * (1 - p));
    expect(within(chi, chi400)).toBe(true);
    const shifted = connect(pairwiseBernoulli(p, { self: false }), 100, 401, key, 301);
    for (let i = 0; i < 100; i++) expect(row(shifted, i)).not.toContain(i + 301);
  });

  test("p = 0 gives nothing, p = 1 everything, p = 1e-300 nothing, without an endless loop", () => {
    expect(connect(pairwiseBernoulli(0), 10, 10, key).targets.length).toBe(0);
    expect(connect(pairwiseBernoulli(1), 10, 20, key)).toEqual(connect(allToAll(), 10, 20, key));
    expect(connect(pairwiseBernoulli(1, { self: false }), 9, 9, key).targets.length).toBe(72);
    expect(connect(pairwiseBernoulli(1e-300), 1000, 1000, key).targets.length).toBe(0);
  });

  test("a row follows from Philox blocks (row, n, 0, 0) and the geometric quantile", () => {
    const p = 0.3;
    const i = 17;
    const expected: number[] = [];
    const block = new Uint32Array(4);
    for (let n = 0, j = -1; ; n++) {
      philox(i, n >> 1, 0, 0, key[0], key[1], block);
      const [high, low] = n % 2 ? block.subarray(2) : block;
      const u = (Number(((BigInt(high) << 32n) | BigInt(low)) >> 11n) + 0.5) / 2 ** 53;
      j += 1 + Math.floor(Math.log(u) / Math.log1p(-p));
      if (j >= 100) break;
      expected.push(j);
    }
    expect(row(connect(pairwiseBernoulli(p), 20, 100, key), i)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(10);
  });
});

describe("fixed degrees", () => {
  test("every cell has exactly its degree; the other side is multinomial", () => {
    const k = 60;
    for (const pattern of [fixedIndegree(k), fixedOutdegree(k)]) {
      const connected = connect(pattern, 400, 400, key);
      const [fixed, free] =
        pattern.kind === "fixedIndegree"
          ? [indegrees(connected, 400), outdegrees(connected)]
          : [outdegrees(connected), indegrees(connected, 400)];
      expect(fixed.every((n) => n === k)).toBe(true);
      expect(within(chiSquared(free, k, k), chi399)).toBe(true);
      expect(within(chiSquared(fixed, k, k), chi399)).toBe(false); // control: no spread at all
    }
  });

  test.each([8, 100, 300, 399])("without multapses, in-degree %i: no pair twice, subsets uniform", (k) => {
    const connected = connect(fixedIndegree(k, { multapses: false }), 400, 400, key);
    const p = k / 400;
    expect(indegrees(connected, 400).every((n) => n === k)).toBe(true);
    for (let i = 0; i < 400; i++) expect(new Set(row(connected, i)).size).toBe(row(connected, i).length);
    // sampling without replacement: variance 400 p (1 - p), one constraint
    const variance = (400 * p * (1 - p) * 400) / 399;
    const free = outdegrees(connected);
    expect(within(chiSquared(free, k, variance), chi399)).toBe(true);
    const uneven = free.map((n, i) => n + (i % 2 ? 2 : -2) * Math.sqrt(variance)); // control
    expect(within(chiSquared(uneven, k, variance), chi399)).toBe(false);
  });

  test("with multapses, a pair is drawn again as often as chance says", () => {
    const [k, size] = [50, 400];
    const { rows, targets } = connect(fixedOutdegree(k), 400, size, key);
    let twice = 0; // equal couples of draws within a row: k (k - 1) / 2 couples, each equal with 1 / size
    for (let i = 0; i < 400; i++)
      for (let a = rows[i]; a < rows[i + 1]; a++)
        for (let b = a + 1; b < rows[i + 1] && targets[b] === targets[a]; b++) twice++;
    const couples = (400 * k * (k - 1)) / 2;
    const sd = Math.sqrt((couples / size) * (1 - 1 / size)); // equalities of couples are pairwise independent
    expect(Math.abs(twice - couples / size) / sd).toBeLessThan(normalReach);
    expect(Math.abs(twice - couples / (1.2 * size)) / sd).toBeGreaterThan(normalReach); // control: 1.2 times the cells
  });

  test("self: false holds for in- and out-degrees, with and without multapses, at full degree too", () => {
    for (const fixed of [fixedIndegree, fixedOutdegree])
      for (const multapses of [true, false]) {
        const connected = connect(fixed(30, { self: false, multapses }), 31, 31, key);
        for (let i = 0; i < 31; i++) expect(row(connected, i)).not.toContain(i);
        const degrees = fixed === fixedIndegree ? indegrees(connected, 31) : outdegrees(connected);
        expect(degrees.every((n) => n === 30)).toBe(true);
      }
    // cells 5 to 9 onto cells 0 to 9
    const slice = connect(fixedIndegree(4, { self: false, multapses: false }), 5, 10, key, 5);
    for (let i = 0; i < 5; i++) expect(row(slice, i)).not.toContain(i + 5);
    expect(indegrees(slice, 10).every((n) => n === 4)).toBe(true);
  });

  test("a full degree without multapses is dense", () => {
    expect(connect(fixedIndegree(5, { multapses: false }), 5, 7, key)).toEqual(
      connect(allToAll(), 5, 7, key),
    );
    expect(connect(fixedOutdegree(7, { multapses: false }), 5, 7, key)).toEqual(
      connect(allToAll(), 5, 7, key),
    );
  });

  test("a degree that does not fit names the cell and the remedy", () => {
    expect(() =>
      connect(fixedIndegree(5, { self: false, multapses: false }), 5, 8, key),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: fixedIndegree: post cell 0 cannot be connected 5 times to 4 pre cells besides itself; multapses: true allows it]`,
    );
    expect(() =>
      connect(fixedOutdegree(9, { multapses: false }), 5, 8, key),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: fixedOutdegree: pre cell 0 cannot be connected 9 times to 8 post cells; multapses: true allows it]`,
    );
    expect(() => connect(fixedOutdegree(1), 5, 0, key)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: fixedOutdegree: pre cell 0 cannot be connected 1 times to 0 post cells]`,
    );
  });
});

const random: readonly Pattern[] = [
  pairwiseBernoulli(0.1),
  pairwiseBernoulli(0.1, { self: false }),
  fixedOutdegree(20),
  fixedOutdegree(20, { multapses: false }),
];

describe("rows", () => {
  test("any pattern gives ascending targets inside the population, and rows that add up", () => {
    const size = fc.integer({ min: 1, max: 40 });
    const anyPattern = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }).map((p) => pairwiseBernoulli(p)),
      fc.integer({ min: 0, max: 60 }).map((k) => fixedIndegree(k)),
      fc.integer({ min: 0, max: 60 }).map((k) => fixedOutdegree(k)),
      fc.constant(allToAll({ self: false })),
    );
    fc.assert(
      fc.property(anyPattern, size, size, fc.integer(), (pattern, preSize, postSize, seed) => {
        const connected = connect(pattern, preSize, postSize, randomKey(seed));
        expect(connected.rows.length).toBe(preSize + 1);
        expect(connected.rows[preSize]).toBe(connected.targets.length);
        for (const targets of matrix(connected)) {
          expect(targets).toEqual([...targets].sort((a, b) => a - b));
          expect(targets.every((j) => j < postSize)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  test.each(random)(
    "the targets of a cell do not depend on how many other cells there are: $kind",
    (pattern) => {
      const few = connect(pattern, 30, 200, key, false);
      const many = connect(pattern, 200, 200, key, false);
      for (let i = 0; i < 30; i++) expect(row(few, i)).toEqual(row(many, i));
      expect(row(many, 0)).not.toEqual(row(many, 1));
    },
  );

  test("the sources of a cell do not depend on how many other cells there are: fixedIndegree", () => {
    const sources = (connected: Rows, j: number) =>
      matrix(connected).flatMap((targets, i) => targets.filter((target) => target === j).map(() => i));
    const few = connect(fixedIndegree(20), 200, 30, key);
    const many = connect(fixedIndegree(20), 200, 200, key);
    for (let j = 0; j < 30; j++) expect(sources(few, j)).toEqual(sources(many, j));
  });

  test.each(random)("another key gives another matrix, the same key the same: $kind", (pattern) => {
    const other: Key = [key[0], key[1] ^ 1];
    expect(connect(pattern, 50, 50, key)).toEqual(connect(pattern, 50, 50, key));
    expect(connect(pattern, 50, 50, other).targets).not.toEqual(connect(pattern, 50, 50, key).targets);
  });

  test("patterns do not change between versions", () => {
    const fixed: Key = [1, 2];
    expect(row(connect(pairwiseBernoulli(0.1), 3, 60, fixed), 2)).toMatchInlineSnapshot(`
      [
        9,
        17,
        19,
        28,
        41,
      ]
    `);
    expect(row(connect(fixedOutdegree(6), 3, 60, fixed), 2)).toMatchInlineSnapshot(`
      [
        3,
        15,
        21,
        25,
        28,
        52,
      ]
    `);
    expect(row(connect(fixedOutdegree(6, { multapses: false }), 3, 60, fixed), 2)).toMatchInlineSnapshot(`
      [
        3,
        15,
        21,
        25,
        28,
        52,
      ]
    `);
    expect(row(connect(fixedIndegree(6), 3, 20, fixed), 2)).toMatchInlineSnapshot(`
      [
        0,
        0,
        1,
        1,
        2,
        4,
        4,
        5,
        5,
        5,
        6,
        7,
        7,
        8,
        9,
        9,
        9,
        10,
        11,
        11,
        14,
        15,
        16,
        16,
        17,
        17,
        17,
        17,
        18,
        18,
        19,
        19,
      ]
    `);
  });

  test("ten million synapses are two typed arrays of exactly their length", () => {
    const patterns = [pairwiseBernoulli(0.1), fixedIndegree(1000), fixedOutdegree(1000)];
    for (const pattern of patterns) {
      const before = process.memoryUsage().heapUsed;
      const start = performance.now();
      const { rows, targets } = connect(pattern, 10_000, 10_000, key);
      const took = performance.now() - start;
      const heap = process.memoryUsage().heapUsed - before;
      expect(targets.buffer.byteLength).toBe(4 * rows[10_000]);
      expect(heap).toBeLessThan(4 * targets.length); // bytes; what else the process does stays far below, a plain array of targets takes twice that
      console.info(`${pattern.kind}: ${targets.length} synapses in ${took.toFixed(0)} ms`);
    }
  });

  test("more synapses than can be numbered is refused before memory is taken", () => {
    expect(() => connect(allToAll(), 100_000, 100_000, key)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a projection holds at most 4294967295 synapses, not 4295000000]`,
    );
    expect(() => connect(fixedIndegree(50_000), 100_000, 100_000, key)).toThrow(
      "at most 4294967295 synapses",
    );
    expect(() => connect(pairwiseBernoulli(0.9), 100_000, 100_000, key)).toThrow(
      "at most 4294967295 synapses",
    );
  });
});

describe("explicit pairs", () => {
  test("any order becomes rows; order leads back; equal pairs keep their order", () => {
    const cell = fc.integer({ min: 0, max: 9 });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 80 }), (list) => {
        const pre = list.map(([i]) => i);
        const post = list.map(([, j]) => j);
        const connected = connect(pairs(pre, post), 10, 10, key);
        const order = [...(connected.order ?? [])];
        const expected = list.map((_, k) => k).sort((a, b) => pre[a] - pre[b] || post[a] - post[b] || a - b);
        expect(order).toEqual(expected);
        expect([...connected.targets]).toEqual(expected.map((k) => post[k]));
        for (let i = 0; i < 10; i++) expect(row(connected, i).length).toBe(pre.filter((x) => x === i).length);
      }),
      { numRuns: 300 },
    );
  });

  test("dense only when every pair occurs once", () => {
    expect(connect(pairs([1, 0, 1, 0], [1, 0, 0, 1]), 2, 2, key).dense).toBe(true);
    expect(connect(pairs([0, 0, 1, 1], [0, 0, 0, 1]), 2, 2, key).dense).toBe(false);
    expect(connect(pairs([0, 1], [0, 1]), 2, 2, key).dense).toBe(false);
    expect(connect(pairs([0, 0], [0, 0]), 2, 1, key).dense).toBe(false);
    expect(connect(pairs([0, 0, 0, 1], [0, 1, 1, 0]), 2, 2, key).dense).toBe(false);
    expect(connect(pairs([0, 1, 1, 1], [0, 1, 0, 1]), 2, 2, key).dense).toBe(false);
  });

  test("the arrays given may change afterwards", () => {
    const pre = Uint32Array.of(0, 1);
    const pattern = pairs(pre, [1, 0]);
    pre[0] = 7;
    expect([...pattern.pre]).toEqual([0, 1]);
  });

  test("wrong pairs are named", () => {
    expect(() => pairs([0, 1], [0])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: pairs: as many pre as post cells, not 2 and 1]`,
    );
    expect(() => pairs([0, -1], [0, 0])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: pairs: pre of pair 1 is -1, no cell index]`,
    );
    expect(() => pairs([0, 1], [0, 0.5])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: pairs: post of pair 1 is 0.5, no cell index]`,
    );
    expect(() => connect(pairs([0, 2], [0, 1]), 2, 2, key)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: pairs: pair 1 (2, 1) lies outside 2 pre and 2 post cells]`,
    );
    expect(() => connect(pairs([0, 1], [0, 2]), 2, 2, key)).toThrow("pair 1 (1, 2) lies outside");
  });
});

describe("a table of pairs", () => {
  test("columns beyond pre,post come out in SI", () => {
    const text =
      "# from a paper\r\npre,post,weight [nS],delay [ms], n\r\n3,1,0.1,0.1,7\r\n\r\n0, 2 ,1e1,1.5,-2\r\n";
    const table = pairsFromTable(text);
    expect([...table.pre]).toEqual([3, 0]);
    expect([...table.post]).toEqual([1, 2]);
    expect(Object.keys(table.columns)).toEqual(["weight", "delay", "n"]);
    expect([...table.columns.weight]).toEqual([1e-10, 1e-8]); // the nearest doubles, not 0.1 * 1e-9
    expect([...table.columns.delay]).toEqual([1e-4, 1.5e-3]);
    expect([...table.columns.n]).toEqual([7, -2]);
  });

  test("100,000 lines are read, a last line without its end too", () => {
    const lines = Array.from({ length: 100_000 }, (_, k) => `${k},${(7 * k) % 1000},${k / 2}`);
    const table = pairsFromTable(`pre,post,weight\n${lines.join("\n")}`);
    expect(table.pre.length).toBe(100_000);
    expect(table.columns.weight[99_999]).toBe(49_999.5);
    expect(table.columns.weight.buffer.byteLength).toBe(800_000);
  });

  test.each([
    ["", 1, 1, "there is no header pre,post"],
    ["post,pre\n", 1, 1, "the header begins with pre,post, not post,pre"],
    ["pre,post,w w\n", 1, 10, '"w w" is no column name; write name or name [unit]'],
    ["pre,post,w,w\n", 1, 12, "the column w occurs twice"],
    ["pre,post,w [mq]\n", 1, 10, "column w: "],
    ["pre,post\n1,2\n1\n", 3, 1, "1 values under 2 column names"],
    ["pre,post\n1,2, 3\n", 2, 6, "3 values under 2 column names"],
    ["pre,post\n\n1,-2\n", 3, 3, "post is -2, no cell index"],
    ["pre,post,w\n1,2, x\n", 2, 6, 'w is "x", no number'],
    ["pre,post,w\n1,2,\n", 2, 5, 'w is "", no number'],
  ])("%j fails at its line and column", (text, line, column, message) => {
    const failure = (() => {
      try {
        return pairsFromTable(text, { file: "net.csv" });
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toMatchObject({ name: "DataError", place: { file: "net.csv", line, column } });
    expect(String(failure)).toContain(`net.csv:${line}:${column}: ${message}`);
  });
});

test("settings that are none are refused", () => {
  expect(() => pairwiseBernoulli(1.5)).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: pairwiseBernoulli: a probability lies between 0 and 1, not 1.5]`,
  );
  expect(() => pairwiseBernoulli(Number.NaN)).toThrow("not NaN");
  expect(() => fixedIndegree(-1)).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: fixedIndegree: a degree is a count, not -1]`,
  );
  expect(() => fixedOutdegree(2.5)).toThrow("a degree is a count, not 2.5");
});
