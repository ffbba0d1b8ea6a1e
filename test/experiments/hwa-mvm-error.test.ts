/** Errors of products on tiles, in quick runs: figures of the article and of its equations, criteria chosen beforehand. */
import { expect, test } from "vitest";
import experiment from "../../experiments/hwa-mvm-error.ts";
import { type Estimate, runExperiment } from "../../src/index.ts";

interface Row {
  readonly group: string;
  readonly name: string;
  readonly published?: number;
  readonly error: Estimate;
}

const run = (groups: readonly string[], more = {}) =>
  runExperiment(experiment, { quick: true, seed: 1, set: { groups, ages: [], ...more } });

test("quick: the standard tile errs by 13.3, 15.1, 17.1, 22.0 % at 0 s, 1 h, 1 day, 1 year; without compensation by 26 to 52 %", async () => {
  const { metrics } = await run(["standard", "no compensation"]);
  const rows = metrics["errors"] as unknown as Row[];
  const expected = rows.filter(({ published }) => published !== undefined);
  expect(expected.map(({ published }) => published)).toEqual([10.6, 13.3, 15.1, 17.1, 22, 26.2, 36, 51.7]);
  for (const { name, error, published = 0 } of expected)
    expect(Math.abs(error.mean - published), name).toBeLessThan(0.3);
  const exact = rows.find(({ name }) => name === "exact weights") as Row;
  expect(exact.error.mean).toBeLessThan(5); // control: most is the devices'
});

test("quick: of 4 bits, weights, inputs, and both err by 16.7, 7.1, and 18.2 %", async () => {
  const { metrics, figures = {} } = await run(["fixed point"], { ages: ["1 h", "1 day"] });
  const rows = metrics["errors"] as unknown as Row[];
  expect(rows.length).toBe(6);
  for (const { name, error, published = 0 } of rows)
    expect(Math.abs(error.mean / published - 1), name).toBeLessThan(0.03);
  expect(Object.keys(figures)).toEqual(["drift"]);
  const curve = metrics["curve"] as unknown as Record<string, Estimate>[];
  expect(curve.map((row) => Math.round(row["no compensation"].mean))).toEqual([26, 36]);
});

test("a group that there is not is refused", async () => {
  await expect(run(["levelz"])).rejects.toThrow("there is no group levelz; there are standard,");
});
