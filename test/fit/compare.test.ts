import * as fs from "node:fs";
import { describe, expect, test } from "vitest";
import { compare, criteria, waic } from "../../src/fit/compare.ts";

interface Golden {
  pointwise: number[][];
  value: number;
  standardError: number;
  parameters: number;
  difference: number;
  differenceError: number;
  weight: number;
}

const golden: Readonly<Record<"one" | "two", Golden>> = JSON.parse(
  fs.readFileSync(new URL("../golden/fit_chains.json", import.meta.url), "utf8"),
).waic;
const [draws, observations] = [golden.one.pointwise.length, golden.one.pointwise[0].length];
const pointwise = (name: "one" | "two") => Float64Array.from(golden[name].pointwise.flat());

describe("WAIC", () => {
  // arviz divides variances by n; ours by n - 1, as the papers do
  const ofDraws = draws / (draws - 1);
  const ofSums = Math.sqrt(observations / (observations - 1));

  test.each(["one", "two"] as const)(
    "of model %s is arviz's to 1e-12, its variances taken with n - 1",
    (name) => {
      const expected = golden[name];
      const found = waic(pointwise(name), observations);
      expect(found.parameters / (expected.parameters * ofDraws)).toBeCloseTo(1, 12);
      const logDensity = expected.value / -2 + expected.parameters;
      expect(found.logDensity / logDensity).toBeCloseTo(1, 12);
      expect(found.value).toBeCloseTo(-2 * (logDensity - expected.parameters * ofDraws), 10);
      expect(found.pointwise.reduce((sum, x) => sum + x)).toBeCloseTo(found.value, 10);
    },
  );

  test("with each draw taken 1000 times the two divisors agree, and all of arviz's numbers with ours", () => {
    const many = (name: "one" | "two") => {
      const single = pointwise(name);
      const repeated = new Float64Array(1000 * single.length);
      for (let k = 0; k < 1000; k++) repeated.set(single, k * single.length);
      return { name, logLikelihood: -1, parameters: 1, observations, pointwise: repeated };
    };
    const table = compare([many("two"), many("one")], { by: "waic" });
    expect(table.map(({ name }) => name)).toEqual(["one", "two"]);
    for (const row of table) {
      const expected = golden[row.name as "one" | "two"];
      expect((row.waic?.value ?? 0) / expected.value).toBeCloseTo(1, 4); // 1 / 60000 of a variance
      expect((row.waic?.standardError ?? 0) / (expected.standardError * ofSums)).toBeCloseTo(1, 4);
      expect(row.difference).toBeCloseTo(expected.difference, 3);
      expect(row.differenceError ?? 0).toBeCloseTo(expected.differenceError * ofSums, 3);
      expect(row.weight).toBeCloseTo(expected.weight, 5);
    }
  });

  test("counts the observations whose log-likelihood varies by more than 0.4", () => {
    const expected = (name: "one" | "two") =>
      golden[name].pointwise[0].filter((_, i) => {
        const own = golden[name].pointwise.map((row) => row[i]);
        const mean = own.reduce((a, b) => a + b) / draws;
        return own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (draws - 1) > 0.4;
      }).length;
    expect(expected("two")).toBeGreaterThan(0);
    for (const name of ["one", "two"] as const)
      expect(waic(pointwise(name), observations).doubtful).toBe(expected(name));
  });

  test("log-likelihoods of -1000 do not underflow", () => {
    const found = waic(
      pointwise("one").map((x) => x - 1000),
      observations,
    );
    expect(found.value - 2000 * observations).toBeCloseTo(waic(pointwise("one"), observations).value, 7);
  });
});

describe("AIC, AICc and BIC", () => {
  test("are what their formulas say, by hand", () => {
    // k = 3, n = 20, log L = -10: 6 + 20; + 2 3 4 / 16; 3 ln 20 + 20
    const found = criteria({ logLikelihood: -10, parameters: 3, observations: 20 });
    expect(found.aic).toBe(26);
    expect(found.aicc).toBe(27.5);
    expect(found.bic).toBeCloseTo(28.98719682066197, 12);
    expect(criteria({ logLikelihood: 0, parameters: 3, observations: 4 }).aicc).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  test("order models by what is asked for; weights sum to 1 and fall as exp(-difference / 2)", () => {
    const models = [
      { name: "rich", logLikelihood: -95, parameters: 8, observations: 400 },
      { name: "plain", logLikelihood: -102, parameters: 3, observations: 400 },
      { name: "wrong", logLikelihood: -180, parameters: 3, observations: 400 },
    ];
    const byAic = compare(models, { by: "aic" });
    expect(byAic.map(({ name, difference }) => [name, difference])).toEqual([
      ["rich", 0],
      ["plain", 4],
      ["wrong", 160],
    ]);
    expect(byAic[1].weight / byAic[0].weight).toBeCloseTo(Math.exp(-2), 12);
    expect(byAic.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
    expect(compare(models, { by: "bic" })[0].name).toBe("plain");
    expect(compare(models)[0].name).toBe("rich");
  });

  test("models of other data, or without samples for WAIC, are refused by name", () => {
    const model = { name: "soft bounds", logLikelihood: -1, parameters: 2, observations: 10 };
    const other = { ...model, name: "linear", observations: 12 };
    expect(() => compare([model, other])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: linear was fitted to 12 values, soft bounds to 10: only models of the same data compare]`,
    );
    expect(() => compare([model], { by: "waic" })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: soft bounds has no posterior samples, which WAIC needs]`,
    );
  });
});
