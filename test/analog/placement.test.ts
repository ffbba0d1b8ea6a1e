import fc from "fast-check";
import { expect, test } from "vitest";
import { networks } from "../../models/networks.ts";
import { mapNetwork } from "../../src/analog/mapping.ts";
import { placeNetwork } from "../../src/analog/placement.ts";
import { type NetworkShape, networkShape } from "../../src/analog/shapes.ts";

const aonCim = { rows: 1024, columns: 512 };

test("packed pieces lie within their arrays, none on another, and hold all weights", () => {
  const sizes = fc.array(
    fc.record({ inputs: fc.integer({ min: 1, max: 90 }), outputs: fc.integer({ min: 1, max: 60 }) }),
    {
      minLength: 1,
      maxLength: 25,
    },
  );
  const array = { rows: 40, columns: 30 };
  fc.assert(
    fc.property(sizes, (list) => {
      const matrices = list.map(
        (size, k) => ({ name: `${k}`, kind: "dense", ...size, positions: 1 }) as const,
      );
      const network = networkShape({ name: "n", source: "", sample: "", matrices });
      const { pieces, arrays, use } = placeNetwork(network, { array, share: true });
      const cells = Array.from({ length: arrays }, () => new Uint8Array(40 * 30));
      let inside = true;
      for (const { array: k, top, left, rows, columns } of pieces) {
        inside &&= top >= 0 && left >= 0 && top + rows <= 40 && left + columns <= 30;
        for (let i = top; i < top + rows; i++)
          for (let j = left; j < left + columns; j++) cells[k][i * 30 + j]++;
      }
      const weights = list.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
      const held = cells.reduce((sum, each) => sum + each.reduce((s, n) => s + n, 0), 0);
      const once = cells.every((each) => each.every((n) => n <= 1));
      const { tiles } = mapNetwork(network, array);
      return (
        inside &&
        once &&
        held === weights &&
        Math.abs(use * arrays * 1200 - weights) < 1e-6 &&
        arrays <= tiles
      );
    }),
    { seed: 7, numRuns: 60 },
  );
});

test("AnalogNet-KWS fills 57.36 % of one array, and 82 % of the 1008 x 364 cells it takes", () => {
  const { arrays, use, boundedUse } = placeNetwork(networks["analognet-kws"] as NetworkShape, {
    array: aonCim,
    share: true,
  });
  expect([arrays, (100 * use).toFixed(2)]).toEqual([1, "57.36"]);
  expect(boundedUse).toBeCloseTo(300_720 / (1008 * 364), 12);
});

test("channel-wise convolutions of MicroNet-KWS-S fill 0.9 to 1.2 % of the cells they take", () => {
  const { pieces, use } = placeNetwork(networks["micronet-kws-s"] as NetworkShape, {
    array: aonCim,
    share: true,
  });
  const depthwise = pieces.filter(({ matrix }) => matrix.startsWith("depthwise"));
  expect(
    depthwise.map(({ rows, columns, weights }) => ((100 * weights) / (rows * columns)).toFixed(2)),
  ).toEqual(["1.19", "0.89", "1.19", "1.19", "1.19"]);
  expect(use).toBeLessThan(0.12);
});

test("a tile for each piece is the mapping", () => {
  const network = networks["resnet32"] as NetworkShape;
  const { arrays, use } = placeNetwork(network, { array: { rows: 512, columns: 512 }, share: false });
  expect([arrays, use]).toEqual([34, mapNetwork(network).use]);
  expect(placeNetwork(network, { array: { rows: 512, columns: 512 }, share: true }).arrays).toBe(2);
});
