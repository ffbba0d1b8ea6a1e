import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { expandFunction, hostFunction } from "../../src/wasm/functions.ts";
import { Graph } from "../../src/wasm/graph.ts";
import { compile, interpreted } from "./lanes.ts";

const golden: [number, number][] = JSON.parse(
  readFileSync(new URL("../golden/erfc.json", import.meta.url), "utf8"),
);
const bound = (x: number) => (x < 0 ? 2 : 3 + 2 * x * x); // ulps

describe("erfc", () => {
  test("is within its bound of mpmath's value from -6 to 26", () => {
    expect(golden.length).toBe(200);
    let worst = 0;
    for (const [x, value] of golden) {
      const ulps = Math.abs(hostFunction("erfc")(x) - value) / (value * 2 ** -52);
      expect(ulps, `erfc(${x})`).toBeLessThan(bound(x));
      worst = Math.max(worst, ulps / bound(x));
    }
    expect(worst).toBeGreaterThan(0.1); // it was measured
  });

  test("is 1 at 0, 2 and 0 at the infinities, and keeps NaN", () => {
    const erfc = hostFunction("erfc");
    expect(erfc(0)).toBeCloseTo(1, 15);
    expect([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 30].map((x) => erfc(x))).toEqual([2, 0, 0]);
    expect(erfc(Number.NaN)).toBeNaN();
  });

  test.each(["float64", "float32"] as const)("machine code gives the interpreter's bits, %s", (precision) => {
    const graph = new Graph(precision);
    const root = expandFunction(graph, "erfc", [graph.input("x")]);
    const xs = Float64Array.from(golden, ([x]) => (precision === "float32" ? Math.fround(x) : x));
    const [fast] = compile([root], ["x"], precision)(xs);
    expect(fast).toEqual(interpreted([root], ["x"], precision)(xs)[0]);
    if (precision === "float64") return;
    xs.forEach((x, k) => {
      if (x > 9) return; // subnormal
      const exact = hostFunction("erfc")(x);
      expect(Math.abs(fast[k] - exact) / exact).toBeLessThan(bound(x) * 2 ** -23);
    });
  });
});
