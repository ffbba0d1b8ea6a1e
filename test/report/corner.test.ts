import { expect, test } from "vitest";
import { cornerPlot } from "../../src/report/corner.ts";
import { plotly } from "../../src/report/plotly.ts";
import { svg } from "../../src/report/svg.ts";

/** 4,000 points on a tilted ellipse, without chance: [draw][2]. */
const samples = Array.from({ length: 4000 }, (_, k) => {
  const [radius, angle] = [Math.sqrt((k + 0.5) / 4000), 2.399963229728653 * k]; // sunflower
  const [a, b] = [radius * Math.cos(angle), radius * Math.sin(angle)];
  return [10 + a, 5 * a + b];
});

test("counts of a corner plot are those of its bins, every pair the right way up", () => {
  const { parameters, pairs } = cornerPlot(samples, ["a", "b"], { bins: 20 });
  for (const [j, { edges, counts }] of parameters.entries()) {
    const inside = (low: number, high: number) =>
      samples.filter((draw) => draw[j] >= low && draw[j] < high).length;
    expect(counts.slice(0, -1)).toEqual(edges.slice(0, -2).map((edge, k) => inside(edge, edges[k + 1])));
    const total = counts.reduce((sum, n) => sum + n, 0);
    expect(total).toBeGreaterThan(3900); // the inner 99 %
    expect(total).toBeLessThan(4000);
  }
  expect(pairs[0]).toEqual([]);
  const [pair] = pairs[1];
  expect(pair).toHaveLength(400);
  expect(pair[0]).toBeGreaterThan(0); // a and b grow together: bottom left and top right
  expect(pair[399]).toBeGreaterThan(0);
  expect(pair[19]).toBe(0);
  expect(pair[380]).toBe(0);
});

test("median and 95 % interval are those of the samples", () => {
  const values = Array.from({ length: 1001 }, (_, k) => [k / 1000]);
  const [{ median, interval95 }] = cornerPlot(values, ["uniform"]).parameters;
  expect(median).toBeCloseTo(0.5, 12);
  expect(interval95[0]).toBeCloseTo(0.025, 12);
  expect(interval95[1]).toBeCloseTo(0.975, 12);
});

test("three parameters are drawn as six cells, in SVG and in Plotly, whose axes of a row and a column match", () => {
  const three = cornerPlot(
    samples.map(([a, b]) => [a, b, a * b]),
    ["a (uS)", "b", "c"],
  );
  expect(svg(three).match(/<clipPath/g)).toHaveLength(6);
  const { data, layout } = plotly(three);
  expect(data.map(({ type }) => type)).toEqual(["bar", "heatmap", "bar", "heatmap", "heatmap", "bar"]);
  const axis = (name: string) => layout[name] as { matches?: string; title: { text: string } };
  // cells: 1; 2 3; 4 5 6
  expect(axis("xaxis").matches).toBe("x4");
  expect(axis("xaxis3").matches).toBe("x5");
  expect(axis("yaxis5").matches).toBe("y4");
  expect(axis("yaxis2").matches).toBeUndefined();
  expect([axis("yaxis2").title.text, axis("yaxis4").title.text, axis("xaxis6").title.text]).toEqual([
    "b",
    "c",
    "c",
  ]);
});

test("a size that does not grow with the draws", () => {
  const many = Array.from({ length: 40_000 }, (_, k) => samples[k % 4000]);
  expect(JSON.stringify(cornerPlot(many, ["a", "b"])).length).toBeLessThan(10_000);
});

test("samples that cannot be drawn are refused", () => {
  expect(() => cornerPlot([], ["a"])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: a corner plot needs samples]`,
  );
  expect(() => cornerPlot([[1, 2]], ["a"])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: draw 0 has 2 values for 1 parameters]`,
  );
  expect(() => cornerPlot([[1], [Number.NaN]], ["a"])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: a sample of a is not finite]`,
  );
});
