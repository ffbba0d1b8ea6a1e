import { expect, test } from "vitest";
import { jitter, poissonTrains, raster } from "../../src/index.ts";
import { departure, normal } from "../device/distribution.ts";

/** One spike each in the middle of a second, for 20,000 cells. */
const middle = raster(
  { t: new Float64Array(20_000).fill(0.5), i: Uint32Array.from({ length: 20_000 }, (_, k) => k) },
  20_000,
  1,
);

test("displacements are normal with the standard deviation asked for, on the grid of ticks", () => {
  const moved = jitter(middle, { sd: "20 ms", seed: 1 });
  const byCell = new Float64Array(20_000);
  moved.t.forEach((t, k) => {
    byCell[moved.i[k]] = t - 0.5;
    expect(Math.abs(t / 1e-4 - Math.round(t / 1e-4))).toBeLessThan(1e-6);
  });
  expect(departure(byCell, normal(0, 20e-3))).toBeLessThan(1);
  expect(departure(byCell, normal(0, 21.5e-3))).toBeGreaterThan(1); // control: 7.5 % more
});

test("a train moves the same whatever other trains there are; other seeds move it otherwise", () => {
  const trains = poissonTrains([20, 20, 20], { duration: "2 s", seed: 3 });
  const alone = raster(
    { t: trains.t.filter((_, k) => trains.i[k] === 0), i: trains.i.filter((i) => i === 0) },
    3,
    2,
  );
  const together = jitter(trains, { sd: "5 ms", seed: 1 });
  expect(together.t.filter((_, k) => together.i[k] === 0)).toEqual(jitter(alone, { sd: "5 ms", seed: 1 }).t);
  expect(jitter(trains, { sd: "5 ms", seed: 2 }).t).not.toEqual(together.t);
});

test("no spike leaves the raster, and a cell fires at most once in a tick", () => {
  const ends = raster(
    {
      t: new Float64Array(1000).map((_, k) => (k % 2 ? 0.0999 : 0)),
      i: new Uint32Array(1000).map((_, k) => k),
    },
    1000,
    0.1,
  );
  const moved = jitter(ends, { sd: "60 ms", seed: 1 });
  expect(moved.t.length).toBe(1000);
  expect(Math.max(...moved.t)).toBeLessThan(0.1);
  const crowd = raster(
    { t: Float64Array.from({ length: 100 }, (_, k) => k * 1e-4), i: new Uint32Array(100) },
    1,
    0.01,
  );
  const thinned = jitter(crowd, { sd: "1 ms", seed: 1 });
  expect(new Set(thinned.t).size).toBe(thinned.t.length);
  expect(thinned.t.length).toBeGreaterThan(40);
});

test("none changes nothing, and a jitter longer than the raster is refused", () => {
  expect(jitter(middle, { sd: "0 ms", seed: 1 })).toBe(middle);
  expect(() => jitter(middle, { sd: "2 s", seed: 1 })).toThrow(
    "jitter is between none and the 1 s of the raster, not 2 s",
  );
});
