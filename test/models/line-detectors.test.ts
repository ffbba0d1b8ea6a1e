/** Line detectors: which pixels they see, and that a line excites its own map most. */
import { expect, test } from "vitest";
import { lineFront } from "../../experiments/normad-mnist.ts";
import { lineDetectors, linePatterns } from "../../models/line-detectors.ts";
import { compile, rates, spikes } from "../../src/index.ts";

test("28 x 28 pixels make the 8,112 cells of the source, each with nine synapses; two layers twice as many", () => {
  const one = lineDetectors(28, 28);
  expect(one.size).toBe(8112);
  expect(one.weights.length).toBe(9 * 8112);
  expect(lineDetectors(28, 28, { layers: 2 }).size).toBe(2 * 8112);
  expect(new Set(linePatterns).size).toBe(12);
  for (const pattern of linePatterns) {
    expect(pattern).toMatch(/^[.#]{3} [.#]{3} [.#]{3}$/);
    expect(pattern.replace(/[^#]/g, "")).toBe("###");
  }
});

test("cell (pattern, y, x) sees the pixels from (y, x) to (y + 2, x + 2), on its line 12.5 nA, beside it -7.5 nA", () => {
  const { connect, weights } = lineDetectors(5, 6, { layers: 2 });
  const [high, wide] = [3, 4];
  for (const [layer, p, y, x] of [
    [0, 0, 0, 0],
    [1, 7, 2, 3],
    [0, 10, 1, 2],
  ]) {
    const cell = ((layer * 12 + p) * high + y) * wide + x;
    const mine = Array.from(connect.post.keys()).filter((k) => connect.post[k] === cell);
    const seen = mine.map((k) => [connect.pre[k], weights[k]]);
    const expected = Array.from({ length: 9 }, (_, k) => [
      (layer * 5 + y + Math.floor(k / 3)) * 6 + x + (k % 3),
      linePatterns[p].replaceAll(" ", "")[k] === "#" ? 12.5e-9 : -7.5e-9,
    ]);
    expect(seen).toEqual(expected);
  }
});

test("of three lit pixels in a row, the map of that line fires most, and no cell of nothing fires", async () => {
  const front = lineFront(7, 7);
  const simulation = await compile(front.parts, { dt: "0.5 ms", seed: 1 });
  const train = Float64Array.from({ length: 25 }, (_, k) => 0.004 + 0.0035 * k);
  for (const [p, pattern] of linePatterns.entries()) {
    const lit = [...pattern.replaceAll(" ", "")].map((mark) => mark === "#");
    const pixels = Array.from({ length: 49 }, (_, k) => {
      const [y, x] = [Math.floor(k / 7) - 2, (k % 7) - 2];
      return y >= 0 && y < 3 && x >= 0 && x < 3 && lit[3 * y + x] ? train : [];
    });
    const { fired } = simulation.run({
      duration: "100 ms",
      inputs: { pixels },
      restart: true,
      record: { fired: spikes(front.features) },
    });
    const rate = rates(fired); // [pattern, y, x] of 5 x 5 places
    const own = (p * 5 + 2) * 5 + 2;
    expect(rate[own], pattern).toBe(Math.max(...rate));
    // further from the line than its pattern reaches
    expect(rate[p * 25 + 4 * 5 + 4] === 0 || lit[8]).toBe(true);
  }
});
