import * as fs from "node:fs";
import { describe, expect, test } from "vitest";
import { autocorrelationTime, walkersOf } from "../../src/fit/diagnose.ts";
import { type Chain, ensemble } from "../../src/fit/ensemble.ts";
import type { Objective } from "../../src/fit/objective.ts";
import { identity, type Matrix, solve } from "../../src/math/matrix.ts";
import { studentQuantile } from "../../src/math/student.ts";
import { limit, moments } from "../device/distribution.ts";

/** What the golden file tells of emcee: see fit_chains.py. */
const golden: Record<
  string,
  Record<
    string,
    { acceptance: number; acceptanceDeviation: number; times: number[]; timesDeviation: number[] }
  >
> = JSON.parse(fs.readFileSync(new URL("../golden/fit_chains.json", import.meta.url), "utf8")).samplers;

/** A density to be sampled: gradients are never asked for. */
const density = (size: number, of: (x: Float64Array) => number): Objective => ({
  names: Array.from({ length: size }, (_, i) => `x${i}`),
  values: (points) =>
    Float64Array.from({ length: points.length / size }, (_, k) =>
      of(points.subarray(k * size, (k + 1) * size)),
    ),
  gradient: () => {
    throw new Error("a sampler needs no gradient");
  },
});

const deviations = [0.01, 0.1, 1, 10, 100];
const covariance: Matrix = deviations.map((a, i) => deviations.map((b, j) => a * b * (i === j ? 1 : 0.7)));
const precision = solve(covariance, identity(5));
const normal = density(5, (x) => {
  let sum = 0;
  for (let i = 0; i < 5; i++) for (let j = 0; j < 5; j++) sum -= (x[i] * precision[i][j] * x[j]) / 2;
  return sum;
});
/** x0 normal of deviation 2, x1 normal of deviation 1 about (x0^2 - 4) / 2. */
const banana = density(2, ([x, y]) => (-x * x) / 8 - (y - (x * x - 4) / 2) ** 2 / 2);

const options = { seed: 7, walkers: 32, draws: 10000, burnIn: 2000 };
const problems = {
  normal: { objective: normal, start: { point: new Float64Array(5), covariance } },
  banana: { objective: banana, start: { point: new Float64Array(2), covariance: identity(2) } },
};

/** How far the mean of a function of the draws, of which every fifth, is from its expectation, in standard errors. */
function departure(chain: Chain, expected: number, of: (x: number, y: number) => number): number {
  const size = chain.names.length;
  const series = Array.from({ length: chain.walkers }, (_, walker) =>
    Float64Array.from({ length: Math.floor(chain.draws / 5) }, (_, k) => {
      const at = (5 * k * chain.walkers + walker) * size;
      return of(chain.points[at], chain.points[at + 1]);
    }),
  );
  const { mean, sd } = moments(series.flatMap((values) => [...values]));
  const effective = (series.length * series[0].length) / autocorrelationTime(series);
  return (Math.abs(mean - expected) / sd) * Math.sqrt(effective);
}

describe.each([
  ["stretch", 1],
  ["mixed", 0.2],
] as const)("%s moves", (moves, stretch) => {
  const chains = {
    normal: ensemble(normal, problems.normal.start, { ...options, stretch }),
    banana: ensemble(banana, problems.banana.start, { ...options, stretch }),
  };

  test("a correlated normal in 5 dimensions, of deviations from 0.01 to 100, has its moments", () => {
    const chain = chains.normal;
    expect(departure(chain, 0, (x) => x)).toBeLessThan(limit);
    expect(departure(chain, 0, (_, y) => y)).toBeLessThan(limit);
    expect(departure(chain, 1e-4, (x) => x * x)).toBeLessThan(limit);
    expect(departure(chain, 0.7e-3, (x, y) => x * y)).toBeLessThan(limit);
    // controls: a mean off by 0.1 deviations, a variance by 15 %
    expect(departure(chain, 0.1 * 0.01, (x) => x)).toBeGreaterThan(limit);
    expect(departure(chain, 1.15e-4, (x) => x * x)).toBeGreaterThan(limit);
  });

  test("a banana has its moments", () => {
    // x1 = (x0^2 - 4) / 2 + z: mean 0, variance 2 4^2 / 4 + 1 = 9, covariance with x0^2: 2 4^2 / 2 = 16
    const chain = chains.banana;
    expect(departure(chain, 0, (x) => x)).toBeLessThan(limit);
    expect(departure(chain, 4, (x) => x * x)).toBeLessThan(limit);
    expect(departure(chain, 0, (_, y) => y)).toBeLessThan(limit);
    expect(departure(chain, 9, (_, y) => y * y)).toBeLessThan(limit);
    expect(departure(chain, 16, (x, y) => (x * x - 4) * y)).toBeLessThan(limit);
    expect(departure(chain, 1, (x, y) => (y - (x * x - 4) / 2) ** 2)).toBeLessThan(limit);
    expect(departure(chain, 0.5, (x) => x)).toBeGreaterThan(limit); // controls
    expect(departure(chain, 1.15, (x, y) => (y - (x * x - 4) / 2) ** 2)).toBeGreaterThan(limit);
  });

  test.each(["normal", "banana"] as const)(
    "%s: as many proposals are taken as by emcee, and memory lasts as long",
    (name) => {
      const expected = golden[name][moves];
      const chain = chains[name];
      // one more run beside emcee's 8
      const error = studentQuantile(1 - 5e-7, 7) * Math.sqrt(1 + 1 / 8);
      expect(Math.abs(chain.acceptance - expected.acceptance)).toBeLessThan(
        error * expected.acceptanceDeviation,
      );
      expected.times.forEach((time, i) => {
        const own = autocorrelationTime(walkersOf(chain, i));
        expect(Math.abs(own - time)).toBeLessThan(error * expected.timesDeviation[i]);
      });
      // control: the other moves are told apart
      const other = golden[name][moves === "mixed" ? "stretch" : "mixed"];
      expect(Math.abs(chain.acceptance - other.acceptance)).toBeGreaterThan(
        error * other.acceptanceDeviation,
      );
    },
  );
});

describe("ensemble", () => {
  const short = { seed: 1, draws: 40, burnIn: 10 };

  test("the same seed gives the same bits, however the likelihood is evaluated; another seed others", () => {
    const chain = ensemble(normal, problems.normal.start, short);
    const shared = new Float64Array(64);
    const reusing: Objective = {
      ...normal,
      values(points) {
        shared.set(normal.values(points));
        return shared.subarray(0, points.length / 5);
      },
    };
    expect(ensemble(reusing, problems.normal.start, short)).toEqual(chain);
    expect(ensemble(normal, problems.normal.start, { ...short, seed: 2 }).points).not.toEqual(chain.points);
  });

  test("log-likelihoods belong to their points, without the prior", () => {
    const logPrior = (x: Float64Array) => -(x[0] ** 2);
    const { points, logLikelihoods } = ensemble(banana, problems.banana.start, { ...short, logPrior });
    expect(logLikelihoods).toEqual(banana.values(points));
    expect(logLikelihoods).toHaveLength(40 * 32);
  });

  test("thinning keeps every third place, the burn-in is dropped, a third of all steps by default", () => {
    const all = ensemble(banana, problems.banana.start, { seed: 1, draws: 120, burnIn: 60 });
    const thin = ensemble(banana, problems.banana.start, { seed: 1, draws: 40, thin: 3 });
    const every = Array.from({ length: 40 }, (_, k) => [
      ...all.points.slice((3 * k + 2) * 64, (3 * k + 3) * 64),
    ]);
    expect([...thin.points]).toEqual(every.flat());
    expect(thin.acceptance).toBe(all.acceptance);
  });

  test("a prior alone is sampled as it is: half a normal, and never where it is 0", () => {
    const flat = density(1, () => 0);
    const start = { point: Float64Array.of(1), covariance: [[1]] };
    const positive = (x: Float64Array) => (x[0] > 0 ? -(x[0] ** 2) / 2 : Number.NEGATIVE_INFINITY);
    const chain = ensemble(flat, start, { seed: 3, draws: 5000, logPrior: positive });
    expect(chain.points.every((x) => x > 0)).toBe(true);
    expect(departure(chain, Math.sqrt(2 / Math.PI), (x) => x)).toBeLessThan(limit);
    expect(departure(chain, 0.9, (x) => x)).toBeGreaterThan(limit); // control
  });

  test("starts are found on a narrow ledge of an empty plain, and missed where there is none", () => {
    const ledge = density(2, ([x, y]) => (x > 0.5 && y > 0 ? -x - y : Number.NEGATIVE_INFINITY));
    const { points } = ensemble(ledge, problems.banana.start, short);
    expect(points.every((x, k) => x > (k % 2 === 0 ? 0.5 : 0))).toBe(true);
    const empty = density(2, () => Number.NaN);
    expect(() => ensemble(empty, problems.banana.start, short)).toThrowErrorMatchingInlineSnapshot(
      `[NumericError: the posterior is 0 nearly everywhere about x0 = 0, x1 = 0]`,
    );
  });

  test("walkers and moves that cannot work are refused; progress rises to 1; a signal ends it", () => {
    const run = (own: Partial<Parameters<typeof ensemble>[2]>) =>
      ensemble(normal, problems.normal.start, { ...short, ...own });
    expect(() => run({ walkers: 8 })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: an ensemble of 8 walkers: 5 coordinates need an even number, 10 or more]`,
    );
    expect(() => run({ walkers: 33 })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: an ensemble of 33 walkers: 5 coordinates need an even number, 10 or more]`,
    );
    expect(() => run({ stretch: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: stretch moves are a part in (0, 1], not 0]`,
    );
    const told: number[] = [];
    run({ progress: (fraction) => told.push(fraction) });
    expect([told[0], told.at(-1)]).toEqual([0, 1]);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    const controller = new AbortController();
    const stop = () => controller.abort(new Error("enough"));
    expect(() => run({ signal: controller.signal, progress: stop })).toThrow("enough");
  });
});
