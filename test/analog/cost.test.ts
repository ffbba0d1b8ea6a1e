import { expect, test } from "vitest";
import { networks } from "../../models/networks.ts";
import { costOf, networkCost, networkWork, workOf } from "../../src/analog/cost.ts";
import { type MatrixShape, type NetworkShape, networkShape } from "../../src/analog/shapes.ts";

const keywords = networks["analognet-kws"] as NetworkShape;
const persons = networks["analognet-vww"] as NetworkShape;
/** All rows of the array and as many columns as it converts at once. */
const peak = { cycles: 1, rows: 1024, columns: 128, operations: 2 * 1024 * 128 };

const within = (value: number, published: number) => Math.abs(value / published - 1);

/** TOPS/W at 8, 6 and 4 bits: Zhou et al. 2021, arXiv:2111.06503, and 2022, IEEE Micro 42(6):76. */
const efficiencies = {
  preprint: { peak: [13.55, 45.55, 112.44], keywords: [8.58, 26.76, 57.39], persons: [4.37, 12.82, 25.69] },
  journal: { peak: [], keywords: [8.55, 26.55, 56.67], persons: [4.34, 12.64, 25.2] },
};

test.each([8, 6, 4].map((bits, k) => ({ bits, k })))(
  "efficiencies at $bits bits are those published",
  ({ bits, k }) => {
    const tolerance = { preprint: 0.01, journal: 0.011 };
    for (const energies of ["preprint", "journal"] as const) {
      const { keywords: kws, persons: vww, peak: best } = efficiencies[energies];
      expect(within(networkCost(keywords, { bits, energies }).topsPerWatt, kws[k])).toBeLessThan(
        tolerance[energies],
      );
      // layers of the stand-in were searched for the preprint's figures
      expect(within(networkCost(persons, { bits, energies }).topsPerWatt, vww[k])).toBeLessThan(
        energies === "preprint" ? 0.01 : 0.02,
      );
      if (best.length > 0)
        expect(within(costOf(peak, { bits, energies }).topsPerWatt, best[k])).toBeLessThan(
          tolerance[energies],
        );
    }
  },
);

test("AnalogNet-KWS takes 991 cycles: inferences a second and TOPS as published", () => {
  const rows = [8, 6, 4].map((bits) => networkCost(keywords, { bits }));
  expect(rows.map(({ cycles }) => cycles)).toEqual([991, 991, 991]);
  expect(rows.map(({ cycle }) => Math.round(cycle * 1e9))).toEqual([130, 34, 10]);
  expect(rows.map(({ inferencesPerSecond }) => Math.round(inferencesPerSecond))).toEqual([
    7762, 29_679, 100_908,
  ]);
  expect(rows.map(({ tops }) => tops.toFixed(3))).toEqual(["0.601", "2.297", "7.809"]);
  expect(rows.map(({ energy }) => (energy * 1e6).toFixed(2))).toEqual(["9.02", "2.89", "1.35"]);
  expect(rows.map(({ power }) => Math.round(power * 1e3))).toEqual([70, 86, 136]);
});

test("person detection: cycles within 3 of those that 1,063 inferences a second take", () => {
  expect(Math.abs(networkCost(persons, { bits: 8 }).cycles - 7236)).toBeLessThanOrEqual(3);
  expect([8, 6, 4].map((bits) => Math.round(networkCost(persons, { bits }).inferencesPerSecond))).toEqual([
    1063, 4065, 13_820,
  ]);
});

test("energy is rows and columns of a twin that walks cycle by cycle", () => {
  const matrix: MatrixShape = { name: "m", kind: "dense", inputs: 2500, outputs: 1300, positions: 3 };
  let [cycles, rows, columns] = [0, 0, 0];
  for (let position = 0; position < 3; position++)
    for (const height of [1024, 1024, 452])
      for (const width of [512, 512, 276])
        for (let left = 0; left < width; left += 128) {
          cycles++;
          rows += height;
          columns += Math.min(128, width - left);
        }
  expect(workOf(matrix)).toEqual({ cycles, rows, columns, operations: 2 * 3 * 2500 * 1300 });
  const { energy, latency, topsPerWatt, power } = costOf(workOf(matrix), { bits: 8 });
  expect(energy).toBeCloseTo(rows * 127 * 0.1223e-12 + columns * (10.42e-12 + 127 * 0.1322e-12), 18);
  expect(power).toBeCloseTo(energy / latency, 12);
  expect(topsPerWatt).toBeCloseTo((2 * 3 * 2500 * 1300) / energy / 1e12, 9);
});

test("a channel-wise convolution drives all its rows for a few weights: MicroNet-KWS-S has a seventh of the efficiency", () => {
  const ratio = (bits: number) =>
    networkCost(keywords, { bits }).topsPerWatt /
    networkCost(networks["micronet-kws-s"] as NetworkShape, { bits }).topsPerWatt;
  expect(ratio(8)).toBeGreaterThan(7);
  const { rows } = networkWork(networks["micronet-kws-s"] as NetworkShape);
  expect(rows).toBeGreaterThan(networkWork(keywords).rows);
});

test("bits and energies that there are not are refused; so is a network that is digital", () => {
  expect(() => networkCost(keywords, { bits: 3 })).toThrow("bits are 4 to 8, not 3");
  const energies = "jornal" as "journal";
  expect(() => networkCost(keywords, { bits: 8, energies })).toThrow("not jornal; did you mean journal?");
  const matrix = { name: "a", kind: "dense", inputs: 1, outputs: 1, positions: 1, analog: false } as const;
  const digital = networkShape({ name: "d", source: "", sample: "", matrices: [matrix] });
  expect(() => networkCost(digital, { bits: 8 })).toThrow("network d has no matrix on crossbars");
});
