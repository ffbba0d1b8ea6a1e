/** ISI-distance, SPIKE-distance and SPIKE-synchronization: PySpike's values, closed forms, invariants. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { poissonTrains } from "../../src/encode/rate.ts";
import { type Raster, raster } from "../../src/engine/raster.ts";
import { isiDistance, spikeDistance, spikeSynchronization } from "../../src/report/synchrony.ts";
import { limit, moments } from "../device/distribution.ts";
import { cases, departure, rasterOf, upper } from "./recorded.ts";

function trains(times: readonly (readonly number[])[], duration: number): Raster {
  const t = times.flat();
  const i = times.flatMap((own, cell) => own.map(() => cell));
  return raster({ t, i }, times.length, duration);
}

const measures = [
  ["isi", isiDistance],
  ["spike", spikeDistance],
  ["synchronization", spikeSynchronization],
] as const;

describe("PySpike 0.9.0 gives the same to 1e-12, for the whole time and for a part of it", () => {
  for (const each of cases)
    test(each.name, () => {
      const spikes = rasterOf(each);
      const [from, to] = each.window.map((k) => `${k * each.tick} s` as const);
      for (const [name, measure] of measures) {
        const whole = measure(spikes);
        expect(departure(upper(whole.matrix), each.pyspike[name]), name).toBeLessThan(1e-12);
        expect(Math.abs(whole.mean - each.pyspike[`${name}Mean`]), name).toBeLessThan(1e-12);
        const part = measure(spikes, { from, to });
        expect(departure(upper(part.matrix), each.pyspikeWindow[name]), name).toBeLessThan(1e-12);
        expect(Math.abs(part.mean - each.pyspikeWindow[`${name}Mean`]), name).toBeLessThan(1e-12);
      }
    });
});

const clock = (period: number, phase: number, count: number) =>
  Array.from({ length: count }, (_, k) => phase + k * period);

test("clocks of periods p and q have an ISI-distance of 1 - p / q", () => {
  const spikes = trains([clock(0.1, 0, 30), clock(0.14, 0, 22)], 3.08);
  // within the time that both go on
  expect(isiDistance(spikes, { to: "2.9 s" }).mean).toBeCloseTo(1 - 0.1 / 0.14, 12);
});

test("clocks of one period p, d < p / 2 apart, have a SPIKE-distance of d / p and coincide; p / 2 apart they do not", () => {
  for (const d of [0.01, 0.03, 0.049]) {
    const spikes = trains([clock(0.1, 0, 30), clock(0.1, d, 30)], 3);
    const inner = { from: "0.1 s", to: "2.9 s" } as const;
    expect(isiDistance(spikes, inner).mean).toBeCloseTo(0, 12);
    expect(spikeDistance(spikes, inner).mean).toBeCloseTo(d / 0.1, 12);
    expect(spikeSynchronization(spikes).mean).toBe(1);
  }
  expect(spikeSynchronization(trains([clock(0.1, 0, 30), clock(0.1, 0.05, 30)], 3)).mean).toBe(0);
});

/** Standard errors by which the mean over 200 independent pairs of Poisson trains at 20 and `second` Hz is off. */
function standardErrors(measure: typeof isiDistance, second: number, expected: number, bias: number): number {
  const pairs = Array.from({ length: 200 }, (_, k) => {
    const pair = poissonTrains([20, second], { duration: "10 s", seed: `pair ${k}` });
    return measure(pair).matrix[1];
  });
  const { mean, sd } = moments(pairs);
  return Math.max(0, Math.abs(mean - expected) - bias) / (sd / Math.sqrt(200));
}

test("independent Poisson trains of one rate have an ISI-distance of 1/2; of rates 1 : 1.5 they have another", () => {
  // The interval a time lies in follows gamma(2); the ratio of two has the density 6 r / (1 + r)^4, so that
  // E[1 - min / max] = 1 - 2 int_0^1 6 r^2 / (1 + r)^4 dr = 1/2. The ends of 200 intervals shift the mean by less than
  // 1/200 of what a difference of intervals can make.
  expect(standardErrors(isiDistance, 20, 1 / 2, 0.003)).toBeLessThan(limit);
  expect(standardErrors(isiDistance, 30, 1 / 2, 0.003)).toBeGreaterThan(limit);
});

test("independent Poisson trains of one rate have a SPIKE-synchronization of 1/4; 0.27 is outside the error", () => {
  // Spikes d apart coincide if four intervals exceed 2 d: int_0^inf 2 rate exp(-8 rate d) dd = 1/4. Of 200 spikes the two at
  // the ends have one interval less, which makes at most 1/2 out of 1/4: a bias below 0.0025.
  expect(standardErrors(spikeSynchronization, 20, 1 / 4, 0.0025)).toBeLessThan(limit);
  expect(standardErrors(spikeSynchronization, 20, 0.27, 0.0025)).toBeGreaterThan(limit);
});

const train = fc
  .uniqueArray(fc.integer({ min: 0, max: 999 }), { maxLength: 12 })
  .map((ticks) => ticks.sort((a, b) => a - b).map((k) => k / 1024));

test("any trains: symmetric, within 0 and 1, 0 (1) for equal ones, and a whole is the mean of its parts", () => {
  fc.assert(
    fc.property(train, train, fc.integer({ min: 1, max: 999 }), (a, b, cut) => {
      const spikes = trains([a, b, a], 1);
      for (const [name, measure] of measures) {
        const { matrix } = measure(spikes);
        expect(matrix[1]).toBe(matrix[3]);
        expect(matrix[1]).toBeGreaterThanOrEqual(0);
        expect(matrix[1]).toBeLessThanOrEqual(1);
        expect(matrix[2]).toBe(name === "synchronization" ? 1 : 0);
        if (name === "synchronization") continue;
        const share = cut / 1024;
        const parts = [measure(spikes, { to: `${share} s` }), measure(spikes, { from: `${share} s` })];
        expect(parts[0].matrix[1] * share + parts[1].matrix[1] * (1 - share)).toBeCloseTo(matrix[1], 12);
        expect(measure(trains([b, a], 1)).matrix[1]).toBeCloseTo(matrix[1], 13);
      }
    }),
    { numRuns: 300 },
  );
});

test("a silent cell counts as firing at both ends; two silent cells are equal", () => {
  const spikes = trains([[], [], [0.5]], 1);
  expect(isiDistance(spikes).matrix[1]).toBe(0);
  expect(spikeDistance(spikes).matrix[1]).toBe(0);
  expect(spikeSynchronization(spikes).matrix[1]).toBe(1);
  expect(isiDistance(spikes).matrix[2]).toBe(0.5); // 1 s against 0.5 s
  expect(spikeSynchronization(spikes).mean).toBe(0);
});

test("a window outside the raster is refused", () => {
  const spikes = trains([[0.1], [0.2]], 1);
  expect(() => spikeDistance(spikes, { to: "2 s" })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: a SPIKE-distance from 0 to 2 s needs a raster of that time, not of 1 s]`,
  );
  expect(() => isiDistance(spikes, { from: "2 s" })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: the window of an ISI-distance ends at 1 s, before it starts at 2 s]`,
  );
});
