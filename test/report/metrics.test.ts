import { expect, test } from "vitest";
import { estimate } from "../../src/report/estimate.ts";
import { describedUnit, estimateText, metricRows, metricText, withError } from "../../src/report/metrics.ts";

test("an estimate is written to two digits of its uncertainty", () => {
  const written = [[0.93, 0.95, 0.94], [1234, 1250], [5], [2e-9, 3e-9], [1, 1], [-3.1, -3.2, -3]];
  expect(written.map((values) => estimateText(estimate(values)))).toMatchInlineSnapshot(`
    [
      "0.940 ± 0.025 (n = 3)",
      "1242 ± 102 (n = 2)",
      "5 (n = 1)",
      "2.5 × 10⁻⁹ ± 6.4 × 10⁻⁹ (n = 2)",
      "1 ± 0 (n = 2)",
      "−3.10 ± 0.25 (n = 3)",
    ]
  `);
});

test("metrics of any form have one line; a list of records is a table", () => {
  expect(
    [1, true, "a", null, [1, 2], { a: 1, b: [2] }].map((value) => metricText(value)),
  ).toMatchInlineSnapshot(`
    [
      "1",
      "true",
      "a",
      "–",
      "1, 2",
      "a 1, b 2",
    ]
  `);
  const rows = metricRows(
    {
      rate: 5.8,
      retention: [
        { time: 39, scaled: 0.88 },
        { time: 100, unscaled: 0.5 },
      ],
    },
    { rate: "mean rate of all cells (Hz)", retention: "recall (of 1) by time" },
  );
  expect(rows).toMatchInlineSnapshot(`
    [
      {
        "description": "mean rate of all cells",
        "name": "rate",
        "unit": "Hz",
        "value": "5.8",
      },
      {
        "description": "recall (of 1) by time",
        "name": "retention",
        "table": {
          "columns": [
            "time",
            "scaled",
            "unscaled",
          ],
          "rows": [
            [
              "39",
              "0.88",
              "–",
            ],
            [
              "100",
              "–",
              "0.5",
            ],
          ],
        },
        "unit": "",
        "value": "2 rows",
      },
    ]
  `);
});

test("a metric that is undefined is left out, in a table it is a dash", () => {
  expect(metricRows({ a: undefined, b: 1 }).map(({ name }) => name)).toEqual(["b"]);
  expect(metricText({ a: undefined, b: 1 })).toBe("a –, b 1");
});

test("the unit is the last bracket of a description", () => {
  expect(describedUnit("power (mean) of the input (pJ)")).toEqual({
    description: "power (mean) of the input",
    unit: "pJ",
  });
  expect(describedUnit("recall (1)")).toEqual({ description: "recall", unit: "" });
  expect(describedUnit("recall")).toEqual({ description: "recall", unit: "" });
});

test("a value has the digits that two digits of its error leave it, its interval as many", () => {
  expect(withError(4.8904, 0.0118, [4.8673, 4.9135])).toEqual(["4.890 ± 0.012", "4.867 to 4.913"]);
  expect(withError(-26.2, 19.7, [-65.4, 12.4])).toEqual(["−26 ± 20", "−65 to 12"]);
  expect(withError(0.0153, 0.0057, [0, Number.POSITIVE_INFINITY])).toEqual([
    "0.0153 ± 0.0057",
    "0.0000 to ∞",
  ]);
  expect(withError(1.0004e-14, 3.9e-16, [9.27e-15, 1.079e-14])).toEqual([
    "(1.000 ± 0.039) × 10⁻¹⁴",
    "(0.927 to 1.079) × 10⁻¹⁴",
  ]);
  expect(withError(12_345_678, 1200, [1.2343e7, 1.2348e7])).toEqual([
    "12345678 ± 1200",
    "12343000 to 12348000",
  ]);
  expect(withError(1.5e9, 2e8, [1e9, 2e9])).toEqual(["(1.50 ± 0.20) × 10⁹", "(1.00 to 2.00) × 10⁹"]);
  expect(withError(0, 2e-9, [-4e-9, 4e-9])).toEqual(["(0.0 ± 2.0) × 10⁻⁹", "(−4.0 to 4.0) × 10⁻⁹"]);
  expect(withError(3, 0, [3, 3])).toEqual(["3 ± 0", "3 to 3"]);
});
