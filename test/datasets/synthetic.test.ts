import { expect, test } from "vitest";
import { syntheticPattern } from "../../datasets/synthetic-pattern.ts";
import { meanRate, rates } from "../../src/index.ts";

const seeds = [1, 2, 3, 4, 5];
const patterns = seeds.map((seed) => syntheticPattern({ seed }));

test("132 streams at 10 Hz, silent outside the three windows; 168 cells at 20 Hz where the letters are drawn", () => {
  let spikes = 0;
  let desired = 0;
  for (const pattern of patterns) {
    expect([pattern.input.size, pattern.desired.size]).toEqual([132, 168]);
    expect([pattern.input.duration, pattern.desired.duration]).toEqual([1.25, 1.25]);
    expect(pattern.windows.map(({ image }) => image.map((t) => Math.round(1000 * t)))).toEqual([
      [100, 400],
      [500, 800],
      [900, 1200],
    ]);
    for (const raster of [pattern.input, pattern.desired])
      for (const t of raster.t)
        expect(pattern.windows.some(({ image: [from, to] }) => t >= from - 1e-9 && t < to)).toBe(true);
    spikes += pattern.input.t.length;
    desired += pattern.desired.t.length;
  }
  // expected: 1650 spikes a pattern but for the dead time, which takes away rate times 2 ms, below 100 Hz x 2 ms = 20 %
  const poisson = 4.8916 * Math.sqrt(5 * 1650);
  expect(spikes).toBeLessThan(5 * 1650 + poisson);
  expect(spikes).toBeGreaterThan(0.8 * 5 * 1650 - poisson);
  // 36 + 60 + 60 pixels x 20 Hz x 0.3 s; a dead time of 10 ms makes the spread less than Poisson's
  expect(Math.abs(desired - 5 * 936)).toBeLessThan(4.8916 * Math.sqrt(5 * 936));
  const [{ desired: first, images, windows }] = patterns;
  windows.forEach(({ image: [from, to] }, k) => {
    const drawn = rates(first, { from: `${from} s`, to: `${to} s` });
    drawn.forEach((rate, pixel) => {
      if (images[k].pixels[pixel] === 0) expect(rate).toBe(0);
    });
  });
});

test("letters sound different, a stream rests 2 ms after a spike, and a seed is a pattern", () => {
  const [{ input, windows }] = patterns;
  const heard = windows.map(({ sound: [from, to] }) => rates(input, { from: `${from} s`, to: `${to} s` }));
  const correlation = (a: Float64Array, b: Float64Array) => {
    const centred = (x: Float64Array) => x.map((value) => value - x.reduce((s, y) => s + y, 0) / x.length);
    const [p, q] = [centred(a), centred(b)];
    const dot = (x: Float64Array, y: Float64Array) => x.reduce((s, value, k) => s + value * y[k], 0);
    return dot(p, q) / Math.sqrt(dot(p, p) * dot(q, q));
  };
  for (const [a, b] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ])
    expect(correlation(heard[a], heard[b])).toBeLessThan(0.9);
  const last = new Float64Array(132).fill(-1);
  input.t.forEach((t, k) => {
    expect(t - last[input.i[k]]).toBeGreaterThan(2e-3 - 1e-9);
    last[input.i[k]] = t;
  });
  expect(syntheticPattern({ seed: 1 }).input).toEqual(input);
  expect(patterns[1].input.t.length).not.toBe(input.t.length);
  expect(meanRate(patterns[1].input)).toBeGreaterThan(8);
});

test("one letter more takes 400 ms more", () => {
  const { input, images } = syntheticPattern({ seed: 1, letters: ["A", "B", "C", "D"] });
  expect(input.duration).toBe(1.65);
  expect(images.length).toBe(4);
});
