import { expect, test } from "vitest";
import { placeNetwork } from "../../src/analog/placement.ts";
import { networkShape } from "../../src/analog/shapes.ts";
import { placementPlot } from "../../src/report/placement.ts";
import { plotly } from "../../src/report/plotly.ts";
import { svg } from "../../src/report/svg.ts";

const network = networkShape({
  name: "n",
  source: "",
  sample: "",
  matrices: [
    { name: "first <&>", kind: "dense", inputs: 30, outputs: 20, positions: 1 },
    { name: "wide", kind: "dense", inputs: 10, outputs: 60, positions: 1 },
    {
      name: "channels",
      kind: "convolution",
      inputs: 36,
      outputs: 4,
      kernel: [3, 3],
      groups: 4,
      positions: 1,
    },
  ],
});
const figure = placementPlot(placeNetwork(network, { array: { rows: 40, columns: 40 }, share: true }), {
  title: "where",
});

test("a placement keeps the size of each matrix, its pieces and how full they are", () => {
  expect(figure).toMatchObject({ kind: "placement", rows: 40, columns: 40, arrays: 2, title: "where" });
  expect(figure.matrices).toEqual([
    { name: "first <&>", rows: 30, columns: 20 },
    { name: "wide", rows: 10, columns: 60 },
    { name: "channels", rows: 36, columns: 4 },
  ]);
  expect(figure.pieces.map(({ matrix }) => matrix)).toEqual([0, 1, 1, 2]);
  expect(figure.pieces[3].filled).toBe(0.25);
});

test("the SVG shows both arrays, every piece, and four groups on a diagonal; names are escaped", () => {
  const drawn = svg(figure);
  expect(drawn.match(/<rect /g)).toHaveLength(1 + 2 + 4 + 3); // paper, arrays, pieces, names
  expect(drawn).toContain("1  first &lt;&amp;&gt;, 30 x 20");
  expect(drawn).toContain("2 arrays of 40 inputs (downwards) x 40 outputs");
  expect(/ d="(M[^"]*)"/.exec(drawn)?.[1].split("M").slice(1)).toEqual([
    "0 0h1v9h-1z",
    "1 9h1v9h-1z",
    "2 18h1v9h-1z",
    "3 27h1v9h-1z",
  ]);
  expect(drawn).not.toMatch(/NaN|undefined|Infinity/);
});

test("the Plotly figure has a trace for each matrix, closed polygons on one plane, and an array for each", () => {
  const { data, layout } = plotly(figure);
  expect(data.map(({ name }) => name)).toEqual(["1 first &lt;&amp;&gt;", "2 wide", "3 channels"]);
  const polygons = (x: unknown) => (x as (number | null)[]).filter((value) => value === null).length;
  expect(data.map(({ x }) => polygons(x))).toEqual([1, 2, 4]);
  expect(layout.shapes).toHaveLength(2 + 1);
  expect(data[2].text).toBe("channels: 36 inputs x 4 outputs, 4 groups");
  expect(() => JSON.stringify({ data, layout })).not.toThrow();
});

test("of many matrices the first are named, and how many more there are", () => {
  const matrices = Array.from({ length: 30 }, (_, k) => ({
    name: `m${k}`,
    kind: "dense" as const,
    inputs: 4,
    outputs: 4,
    positions: 1,
  }));
  const many = networkShape({ name: "n", source: "", sample: "", matrices });
  const drawn = svg(placementPlot(placeNetwork(many, { array: { rows: 8, columns: 8 }, share: false })));
  expect(drawn).toContain("23  m22, 4 x 4");
  expect(drawn).toContain("and 7 more");
  expect(drawn).not.toContain("m23");
});
