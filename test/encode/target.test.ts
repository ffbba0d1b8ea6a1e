import { describe, expect, test } from "vitest";
import type { Image } from "../../src/encode/target.ts";
import { imageTarget } from "../../src/encode/target.ts";
import { timesOf } from "../../src/engine/raster.ts";

const full: Image = { rows: 20, columns: 50, pixels: new Float64Array(1000).fill(1) };
const long = { image: full, start: "0 s", duration: "10 s" } as const;

/** Intervals between spikes of the same cell, s. */
function intervals(spikes: ReturnType<typeof imageTarget>): number[] {
  const last = new Float64Array(spikes.size).fill(Number.NaN);
  const found: number[] = [];
  spikes.t.forEach((t, k) => {
    const cell = spikes.i[k];
    if (!Number.isNaN(last[cell])) found.push(t - last[cell]);
    last[cell] = t;
  });
  return found;
}

describe("Poisson trains of 20 Hz with a minimum interval of 10 ms, 1000 pixels for 10 s", () => {
  const spikes = imageTarget([long], { seed: 1, duration: "10 s" });

  test("their number is 20 Hz x 10 s x 1000 at a false-alarm rate of 1e-6; 2 % more is rejected", () => {
    // Intervals have mean 50 ms and sd 40 ms: a count's variance is (0.04 / 0.05)^2 of its mean for long windows.
    const bound = 4.9 * 0.8 * Math.sqrt(200_000);
    expect(Math.abs(spikes.t.length - 200_000)).toBeLessThan(bound);
    expect(Math.abs(spikes.t.length - 204_000)).toBeGreaterThan(bound);
  });

  test("intervals beyond 10 ms are exponential with mean 40 ms (Kolmogorov-Smirnov, 1e-6); 41.5 ms is rejected", () => {
    const rest = intervals(spikes).map((interval) => interval - 0.01);
    expect(Math.min(...rest.slice(0, 50_000))).toBeGreaterThan(-1e-9);
    const sorted = Float64Array.from(rest).sort();
    const distance = (mean: number): number => {
      let worst = 0;
      // Rounded to ticks of 0.1 ms: the distribution is compared half a tick above each value.
      sorted.forEach((x, k) => {
        if (k + 1 < sorted.length && sorted[k + 1] - x < 1e-6) return;
        worst = Math.max(worst, Math.abs((k + 1) / sorted.length - (1 - Math.exp(-(x + 0.5e-4) / mean))));
      });
      return worst;
    };
    // Trains are cut at 10 s, which loses long intervals: 0.25 % of the mean, 0.001 in distance.
    const bound = 2.69 / Math.sqrt(sorted.length) + 0.001;
    expect(distance(0.04)).toBeLessThan(bound);
    expect(distance(0.0415)).toBeGreaterThan(bound);
  });

  test("the rate is the same from the first moment: 0 to 5 ms holds 5/10000 of the spikes, at 1e-6", () => {
    const early = spikes.t.filter((t) => t < 0.0049999).length;
    expect(Math.abs(early - 100)).toBeLessThan(4.9 * 10);
    expect(early).toBeGreaterThan(51);
  });
});

test("the rate is proportional to the pixel, black pixels are silent", () => {
  const grey: Image = { rows: 1, columns: 3, pixels: [0, 0.5, 1] };
  const spikes = imageTarget([{ image: grey, start: "0 s", duration: "1000 s" }], {
    seed: 2,
    duration: "1000 s",
  });
  const [black, half, white] = [0, 1, 2].map((cell) => timesOf(spikes, cell).length);
  expect(black).toBe(0);
  expect(Math.abs(half - 10_000)).toBeLessThan(4.9 * 0.9 * 100); // intervals 100 ms, sd 90 ms
  expect(Math.abs(white - 20_000)).toBeLessThan(4.9 * 0.8 * 141.5);
});

test("regular trains have equal intervals to a tick and phases of their own", () => {
  const spikes = imageTarget([long], { seed: 3, duration: "10 s", coding: "regular" });
  const errors = intervals(spikes).map((interval) => Math.abs(interval - 0.05));
  expect(errors.reduce((worst, error) => Math.max(worst, error), 0)).toBeLessThan(1.01e-4);
  expect(new Set(Array.from({ length: 50 }, (_, cell) => timesOf(spikes, cell)[0])).size).toBeGreaterThan(40);
  expect(spikes.t.length).toBe(200_000);
});

test("spikes stay in their windows, and a second window changes nothing in the first", () => {
  const windows = [
    { image: full, start: "100 ms", duration: "300 ms" },
    { image: full, start: "500 ms", duration: "300 ms" },
  ] as const;
  const both = imageTarget(windows, { seed: 4, duration: "1 s" });
  const one = imageTarget(windows.slice(0, 1), { seed: 4, duration: "1 s" });
  const first = both.t.filter((t) => t < 0.45);
  expect(first).toEqual(one.t);
  for (const t of both.t) expect((t >= 0.1 && t < 0.4) || (t >= 0.5 && t < 0.8)).toBe(true);
  expect(imageTarget(windows, { seed: 5, duration: "1 s" }).t).not.toEqual(both.t);
});

test("what does not fit is refused", () => {
  const go = (showing: object, options: object = {}) =>
    imageTarget([{ ...long, ...showing }], { seed: 1, duration: "10 s", ...options });
  expect(() => go({ start: "1 s" })).toThrow("image 0 is shown outside the 10 s: from 1 s for 10 s");
  expect(() => go({}, { rate: "100 Hz" })).toThrow("a rate of 100 Hz leaves no room for intervals of 10 ms");
  expect(() => go({ image: { ...full, pixels: [0.5] } })).toThrow("image 0 has 1 pixels, the first has 1000");
  expect(() => go({ image: { rows: 1, columns: 1, pixels: [1.5] } })).toThrow(
    "pixel 0 is 1.5, not within 0 to 1",
  );
});
