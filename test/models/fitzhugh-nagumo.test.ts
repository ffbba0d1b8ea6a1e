import { expect, test } from "vitest";
import { fitzHughNagumo } from "../../models/fitzhugh-nagumo.ts";
import { neurons, simulate, spikes, timesOf } from "../../src/index.ts";

test("oscillates between the two Hopf bifurcations of the closed form, I = 0.3313 and 1.4187", async () => {
  // trace 1 - v^2 - epsilon b = 0; there I = v^3/3 - v + (v + a) / b
  const v = Math.sqrt(1 - 0.08 * 0.8);
  const currentAt = (x: number) => x ** 3 / 3 - x + (x + 0.7) / 0.8;
  const [first, second] = [currentAt(-v), currentAt(v)];
  expect([first, second].map((I) => Number(I.toFixed(4)))).toEqual([0.3313, 1.4187]);

  const currents = [first - 0.01, first + 0.01, second - 0.01, second + 0.01];
  const fixed = currents.map((I) => {
    let [low, high] = [-2, 2];
    for (let k = 0; k < 60; k++) {
      const middle = (low + high) / 2;
      if (currentAt(middle) < I) low = middle;
      else high = middle;
    }
    return low;
  });
  const cells = neurons(4, fitzHughNagumo, {
    v: fixed.map((x) => x + 1e-3),
    w: fixed.map((x) => (x + 0.7) / 0.8),
    I: currents,
  });
  const { raster } = await simulate(
    { cells },
    { duration: "4 s", dt: "0.1 ms", seed: 1, record: { raster: spikes(cells) } },
  );
  const late = [0, 1, 2].map((i) => timesOf(raster, i).filter((t) => t > 3).length);
  expect(timesOf(raster, 0).length).toBe(0);
  expect(late[1]).toBeGreaterThan(15); // periods of some 40 ms
  expect(late[2]).toBeGreaterThan(15);
  expect(timesOf(raster, 3).length).toBe(0);
});
