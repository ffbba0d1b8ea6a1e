import { expect, test } from "vitest";
import { poissonTrains, rateCode, regularTrains } from "../../src/encode/rate.ts";
import { timesOf } from "../../src/engine/raster.ts";

test("Poisson trains have the mean and the variance of their rate (1e-6); 3 % more or a dead time are rejected", () => {
  const rate = 50;
  const cells = 1000;
  const counts = (spikes: ReturnType<typeof poissonTrains>): number[] => {
    const found = Array<number>(cells).fill(0);
    for (const i of spikes.i) found[i]++;
    return found;
  };
  const moments = (values: number[]) => {
    const mean = values.reduce((sum, x) => sum + x, 0) / cells;
    return { mean, fano: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (cells - 1) / mean };
  };
  const rates = new Float64Array(cells).fill(rate);
  const plain = moments(counts(poissonTrains(rates, { duration: "2 s", seed: 1 })));
  // At most one spike a tick: mean (1 - exp(-r dt)) / dt, 0.25 % below 50 Hz; the same part off the variance.
  const mean = (2 * -Math.expm1(-rate * 1e-4)) / 1e-4;
  const meanBound = 4.9 * Math.sqrt(mean / cells);
  expect(Math.abs(plain.mean - mean)).toBeLessThan(meanBound);
  expect(Math.abs(plain.mean - 1.03 * mean)).toBeGreaterThan(meanBound);
  const fanoBound = 4.9 * Math.sqrt(2 / cells);
  expect(Math.abs(plain.fano - 1)).toBeLessThan(fanoBound);
  const dead = moments(counts(poissonTrains(rates, { duration: "2 s", seed: 1, deadTime: "5 ms" })));
  expect(Math.abs(dead.fano - 1)).toBeGreaterThan(fanoBound);
  expect(Math.abs(dead.mean - 2 / (1 / rate + 0.005))).toBeLessThan(4.9 * Math.sqrt(dead.mean / cells) + 0.5);
});

test("a dead time is kept", () => {
  const spikes = poissonTrains([400], { duration: "5 s", seed: 2, deadTime: "2 ms" });
  for (let k = 1; k < spikes.t.length; k++) expect(spikes.t[k] - spikes.t[k - 1]).toBeGreaterThan(0.00199);
});

test("a train depends neither on the other cells nor on the length of the raster", () => {
  const short = poissonTrains([30, 60], { duration: "1 s", seed: 3 });
  const long = poissonTrains([30, 60, 90], { duration: "2 s", seed: 3 });
  for (const cell of [0, 1]) expect(timesOf(long, cell).filter((t) => t < 1)).toEqual(timesOf(short, cell));
});

test("a rate that varies in time is followed: all spikes lie where it is not zero", () => {
  const rates = { size: 20, at: (_: number, time: number) => (time < 0.5 ? 0 : 200) };
  const spikes = poissonTrains(rates, { duration: "1 s", seed: 4 });
  expect(Math.min(...spikes.t)).toBeGreaterThanOrEqual(0.5);
  expect(Math.abs(spikes.t.length - 20 * 100 * (1 - 0.01))).toBeLessThan(4.9 * Math.sqrt(2000));
});

test("regular trains: 40 Hz for 10 s are 400 spikes, 25 ms apart to a tick; the integral of a ramp sets the times", () => {
  const spikes = regularTrains([40], { duration: "10 s", seed: 5, phase: 0 });
  expect(spikes.t.length).toBe(400);
  for (let k = 1; k < 400; k++) expect(Math.abs(spikes.t[k] - spikes.t[k - 1] - 0.025)).toBeLessThan(1.01e-4);
  const ramp = regularTrains(
    { size: 1, at: (_, time) => 100 * time },
    { duration: "1 s", seed: 5, phase: 0 },
  );
  // Spike n where 50 t^2 = n.
  Array.from(ramp.t).forEach((t, k) => {
    expect(Math.abs(t - Math.sqrt((k + 1) / 50))).toBeLessThan(3e-4);
  });
  expect(() => regularTrains([20000], { duration: "1 s", seed: 5 })).toThrow(
    "cell 0: 20000 Hz is more than a spike per tick",
  );
});

test("rateCode scales intensities to the maximal rate and refuses others", () => {
  const spikes = rateCode([0, 0.25, 1], { duration: "10 s", seed: 6, maximum: "80 Hz", coding: "regular" });
  expect([0, 1, 2].map((cell) => timesOf(spikes, cell).length)).toEqual([0, 200, 800]);
  expect(() => rateCode([1.2], { duration: "1 s", seed: 6 })).toThrow(
    "intensity 0 is 1.2, not within 0 to 1",
  );
  expect(() => poissonTrains([Number.NaN], { duration: "1 s", seed: 6 })).toThrow(
    "cell 0: NaN is not a rate",
  );
});
