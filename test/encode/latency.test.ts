import { expect, test } from "vitest";
import { latencyCode } from "../../src/encode/latency.ts";
import { timesOf } from "../../src/engine/raster.ts";

test("linear between the ends, strongest first, weak ones silent, one spike each", () => {
  const spikes = latencyCode([1, 0.505, 0.01, 0], { duration: "60 ms", earliest: "5 ms", latest: "55 ms" });
  expect(Array.from(spikes.i)).toEqual([0, 1]);
  expect(spikes.t[0]).toBeCloseTo(0.005, 9);
  expect(spikes.t[1]).toBeCloseTo(0.03, 9);
});

test("a leaky integrator needs tau ln(x / (x - threshold))", () => {
  const intensities = [0.2, 0.4, 0.9];
  const spikes = latencyCode(intensities, {
    duration: "100 ms",
    threshold: 0.1,
    law: "capacitive",
    tau: "20 ms",
  });
  intensities.forEach((x, cell) => {
    const [t] = timesOf(spikes, cell);
    const exact = 0.02 * Math.log(x / (x - 0.1));
    expect(exact - t).toBeGreaterThan(-1e-9);
    expect(exact - t).toBeLessThan(1e-4);
  });
  expect(() => latencyCode([1], { duration: "50 ms", latest: "60 ms" })).toThrow(
    "do not fit a raster of 50 ms",
  );
});
