/** Correlations: elephant's values, closed forms of Poisson trains with a common source, edges. */
import { describe, expect, test } from "vitest";
import { poissonTrains } from "../../src/encode/rate.ts";
import { type Raster, raster } from "../../src/engine/raster.ts";
import { correlogram, countCorrelations, psth } from "../../src/report/correlations.ts";
import { byCell } from "../../src/report/measures.ts";
import { limit, moments } from "../device/distribution.ts";
import { cases, departure, rasterOf, upper } from "./recorded.ts";

function trains(times: readonly (readonly number[])[], duration: number): Raster {
  const t = times.flat();
  const i = times.flatMap((own, cell) => own.map(() => cell));
  return raster({ t, i }, times.length, duration);
}

describe("elephant 1.2.1 gives the same correlations, correlogram and PSTH", () => {
  for (const each of cases)
    test(each.name, () => {
      const spikes = rasterOf(each);
      const { tick, elephant } = each;
      const bin = `${elephant.bin * tick} s` as const;
      const { matrix } = countCorrelations(spikes, { bin });
      const expected = elephant.correlations;
      upper(matrix).forEach((value, k) => {
        if (Number.isNaN(value)) expect(Number.isNaN(expected[k]) || expected[k] === 0).toBe(true);
        else expect(value).toBeCloseTo(expected[k], 12);
      });
      const reach = Math.max(...elephant.lags);
      const cross = correlogram(spikes, [0, 1], { bin: `${tick} s`, reach: `${reach * tick} s` });
      expect([...cross.counts]).toEqual(elephant.correlogram);
      expect(
        departure(
          cross.lags,
          elephant.lags.map((lag) => lag * tick),
        ),
      ).toBeLessThan(1e-12);
      expect(departure(psth(spikes, { bin }).mean, elephant.psth)).toBeLessThan(1e-12);
    });
});

/** Pairs of trains at 40 Hz of which a share is common: cells 2 k and 2 k + 1. */
function shared(pairs: number, share: number, duration: `${number} s`): Raster {
  const draw = (rate: number, seed: string) =>
    byCell(poissonTrains(new Array(pairs).fill(rate), { duration, seed, dt: "10 us" }));
  const common = draw(40 * share, "common");
  const own = [draw(40 * (1 - share), "first"), draw(40 * (1 - share), "second")];
  const times = Array.from({ length: 2 * pairs }, (_, i) =>
    [...new Set([...common[i >> 1], ...own[i % 2][i >> 1]])].sort((a, b) => a - b),
  );
  return trains(times, Number(duration.slice(0, -2)));
}

test("Poisson trains that share a part of their spikes have that correlation of counts; half of it is outside the error", () => {
  // r of n = 100 bins has a bias of about -r (1 - r^2) / (2 n) < 0.002
  for (const share of [0, 0.3, 0.6]) {
    const spikes = shared(100, share, "10 s");
    const { matrix } = countCorrelations(spikes, { bin: "100 ms" });
    const found = Array.from({ length: 100 }, (_, k) => matrix[2 * k * 200 + 2 * k + 1]);
    const { mean, sd } = moments(found);
    const errors = (expected: number) => Math.max(0, Math.abs(mean - expected) - 0.002) / (sd / 10);
    expect(errors(share)).toBeLessThan(limit);
    expect(errors(share === 0 ? 0.1 : share / 2)).toBeGreaterThan(limit);
  }
});

test("correlations are symmetric, 1 with itself, NaN without variance; the mean is over pairs that have one", () => {
  const spikes = trains([[0.05, 0.15, 0.16], [0.05, 0.15, 0.16], [], [0.25]], 0.3);
  const { matrix, mean } = countCorrelations(spikes, { bin: "100 ms" });
  expect(matrix[1]).toBeCloseTo(1, 12);
  expect(matrix[0]).toBe(1);
  expect(matrix[2]).toBeNaN();
  expect(matrix[2 * 4 + 2]).toBeNaN();
  // counts 1, 2, 0 and 0, 0, 1
  expect(matrix[3]).toBeCloseTo(-Math.sqrt(3) / 2, 12);
  expect(mean).toBeCloseTo((1 - Math.sqrt(3)) / 3, 12);
  expect(() => countCorrelations(spikes, { bin: "200 ms" })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: a correlation needs two bins; 200 ms fits 1 times in 0.3 s]`,
  );
});

test("a spike of b after one of a has a positive lag; a spike makes no pair with itself", () => {
  const spikes = trains([[0.1, 0.2], [0.13]], 1);
  const cross = correlogram(spikes, [0, 1], { bin: "10 ms", reach: "70 ms" });
  const lags = [...cross.lags].filter((_, k) => cross.counts[k] > 0);
  expect(lags.map((lag) => Math.round(lag * 100))).toEqual([-7, 3]);
  const auto = correlogram(spikes, [0, 0], { bin: "10 ms", reach: "100 ms" });
  expect([...auto.lags].filter((_, k) => auto.counts[k] > 0).map((lag) => Math.round(lag * 100))).toEqual([
    -10, 10,
  ]);
  expect(() => correlogram(spikes, [0, 2], { bin: "1 ms", reach: "1 ms" })).toThrow("no cell 2 among 2");
  expect(() => correlogram(spikes, [0, 1], { bin: "1 ms", reach: "1 s" })).toThrow(
    "less than the 1 s there are",
  );
});

test("independent trains have the expected pairs at every lag, edges included; trains that share a tenth have more at 0", () => {
  const excess = (share: number) => {
    const spikes = shared(300, share, "1 s");
    const reach = "500 ms";
    const sums = { counts: new Float64Array(101), expected: new Float64Array(101) };
    for (let k = 0; k < 300; k++) {
      const one = correlogram(spikes, [2 * k, 2 * k + 1], { bin: "10 ms", reach });
      for (let m = 0; m < 101; m++) {
        sums.counts[m] += one.counts[m];
        sums.expected[m] += one.expected[m];
      }
    }
    // a count of pairs of independent Poisson trains varies more than a Poisson number: pairs that share a spike. With
    // rate 40 Hz, bins of 10 ms: variance = mean (1 + 2 x 0.4)
    return Array.from(
      sums.counts,
      (count, m) => (count - sums.expected[m]) / Math.sqrt(1.8 * sums.expected[m]),
    );
  };
  const worst = (all: number[]) => Math.max(...all.map(Math.abs));
  expect(worst(excess(0))).toBeLessThan(5.7); // of 101 lags, two-sided 1e-6
  expect(excess(0.1)[50]).toBeGreaterThan(5.7);
});

test("a PSTH averages over the events that have a bin within the raster", () => {
  const spikes = trains([[0.11, 0.31, 0.52], [0.25]], 0.6);
  const { t, rates, mean } = psth(spikes, {
    onsets: [0.1, 0.3, 0.5],
    from: "0 ms",
    to: "200 ms",
    bin: "100 ms",
  });
  expect([...t]).toEqual([0, 0.1]);
  // the second bin of the third event ends outside: two events count
  expect(Array.from(rates, (rate) => Math.round(rate * 1e9) / 1e9)).toEqual([10, 0, 0, 5]);
  expect(Array.from(mean, (rate) => Math.round(rate * 1e9) / 1e9)).toEqual([5, 2.5]);
  expect(psth(spikes, { onsets: [0.55], to: "100 ms", bin: "100 ms" }).mean[0]).toBeNaN();
  expect(() => psth(spikes, { to: "1 ms", bin: "2 ms" })).toThrow("has no bin of 2 ms");
});

test("a window of a PSTH may begin before the event", () => {
  const spikes = trains([[0.19, 0.21]], 1);
  const { t, mean } = psth(spikes, { onsets: [0.2], from: "-20 ms", to: "20 ms", bin: "20 ms" });
  expect(Array.from(t, (x) => Math.round(x * 1000))).toEqual([-20, 0]);
  expect(Array.from(mean, Math.round)).toEqual([50, 50]);
});
