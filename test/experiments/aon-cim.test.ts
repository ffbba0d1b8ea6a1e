import { expect, test } from "vitest";
import aonCim from "../../experiments/aon-cim.ts";
import { runExperiment } from "../../src/index.ts";

type Row = Record<string, number | string>;

test("aon-cim gives the published use, cycles and table, and nine efficiencies within 1 %", async () => {
  const { metrics, figures } = await runExperiment(aonCim, { quick: true });
  expect((metrics.use as number).toFixed(2)).toBe("57.36");
  expect(metrics.cycles).toBe(991);
  expect(metrics.efficiency).toHaveLength(9);
  expect(metrics.deviation).toBeLessThan(1);
  const [eight, six, four] = metrics.keywords as Row[];
  expect(eight).toMatchObject({ bits: 8, cycle: 130 });
  const rounded = (row: Row) => [
    Math.round(Number(row.inferencesPerSecond)),
    Number(row.latency).toFixed(1),
    Number(row.tops).toFixed(3),
    Math.round(Number(row.power)),
  ];
  expect([eight, six, four].map(rounded)).toEqual([
    [7762, "128.8", "0.601", 70],
    [29_679, "33.7", "2.297", 86],
    [100_908, "9.9", "7.809", 136],
  ]);
  expect(Object.keys(figures ?? {})).toEqual(["keywords", "depthwise", "efficiency", "layers"]);
});

test("channel-wise layers fill 1.1 % of their cells; fused, the network is 7 times as efficient, and too wide for one array", async () => {
  const { metrics } = await runExperiment(aonCim);
  const [apart, fused, analognet] = metrics.depthwise as Record<string, number>[];
  expect(apart.depthwiseUse).toBeCloseTo(1.1, 1);
  expect(apart.cells / apart.weights).toBeGreaterThan(7);
  expect(fused.topsPerWatt / apart.topsPerWatt).toBeGreaterThan(7);
  expect([fused.arrays, apart.arrays, analognet.arrays]).toEqual([2, 1, 1]); // 560 columns beside each other
  expect(analognet.weights).toBe(300_720);
});

test("six arrays at work are twice as fast as one in turn, at the same energy and a sixth of the use", async () => {
  const { metrics } = await runExperiment(aonCim);
  const [one, six] = metrics.serial as Record<string, number>[];
  expect(six.inferencesPerSecond / one.inferencesPerSecond).toBeCloseTo(991 / 490, 9);
  expect(six.energy).toBe(one.energy);
  expect(one.use / six.use).toBeCloseTo(6, 9);
});

test("energies of the journal come within 1.1 % of its figures for keywords; others are refused", async () => {
  const { metrics } = await runExperiment(aonCim, { set: { energies: "journal" } });
  const own = (metrics.efficiency as Row[]).filter(({ network }) => network === "AnalogNet-KWS");
  expect(Math.max(...own.map(({ deviation }) => Math.abs(Number(deviation))))).toBeLessThan(1.1);
  await expect(runExperiment(aonCim, { set: { energies: "thesis" } })).rejects.toThrow(
    'parameter energies is preprint or journal, not "thesis"',
  );
});
