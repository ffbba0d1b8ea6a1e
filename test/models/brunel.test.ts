import { describe, expect, test } from "vitest";
import { brunel, brunelExponential, meanFieldRate, whiteNoiseRate } from "../../models/brunel.ts";
import { compile, isiCv, meanRate, neurons, simulate, spikes, timesOf, trace } from "../../src/index.ts";

describe("the rate in white noise", () => {
  /** exp(x^2) erfc(x) for x >= 0: Simpson's rule on 2 / sqrt(pi) times the integral of exp(-t^2 - 2 x t). */
  function scaledErfc(x: number): number {
    const [n, end] = [4000, 9];
    let sum = 0;
    for (let k = 0; k <= n; k++) {
      const t = (end * k) / n;
      sum += Math.exp(-t * t - 2 * x * t) * (k === 0 || k === n ? 1 : k % 2 ? 4 : 2);
    }
    return ((2 / Math.sqrt(Math.PI)) * sum * end) / n / 3;
  }

  test.each([
    [-10, -9],
    [-4, -1],
    [-1, 1],
    [0.5, 3],
  ])("is Siegert's integral from %d to %d, to 1e-8", (reset, threshold) => {
    const integrand = (u: number) => (u < 0 ? scaledErfc(-u) : 2 * Math.exp(u * u) - scaledErfc(u));
    const n = 2000;
    let sum = 0;
    for (let k = 0; k <= n; k++)
      sum += integrand(reset + ((threshold - reset) * k) / n) * (k === 0 || k === n ? 1 : k % 2 ? 4 : 2);
    const integral = (sum * (threshold - reset)) / n / 3;
    const expected = 1 / (0.002 + 0.02 * Math.sqrt(Math.PI) * integral);
    expect(Math.abs(whiteNoiseRate(reset, threshold, 0.02, 0.002) / expected - 1)).toBeLessThan(1e-8);
  });

  test("becomes the noiseless closed form for small noise", () => {
    // mean 30 mV, threshold 20, reset 10: tau ln((30 - 10) / (30 - 20)); the correction is of second order
    const error = (deviation: number) =>
      whiteNoiseRate(-20 / deviation, -10 / deviation, 0.02, 0.002) * (0.002 + 0.02 * Math.log(2)) - 1;
    expect(Math.abs(error(0.1))).toBeLessThan(5e-4);
    expect(error(0.2) / error(0.1)).toBeGreaterThan(3.8);
    expect(error(0.2) / error(0.1)).toBeLessThan(4.2);
  });

  test("the rate of the asynchronous state solves its own equation", () => {
    for (const [g, rateExt] of [
      [5, 20],
      [6, 40],
      [4.5, 9],
    ]) {
      const rate = meanFieldRate({ g, rateExt });
      const mean = 0.02 * 1e-4 * (1000 * (rateExt + rate) - g * 250 * rate);
      const deviation = 1e-4 * Math.sqrt(0.02 * (1000 * (rateExt + rate) + g * g * 250 * rate));
      const back = whiteNoiseRate((0.01 - mean) / deviation, (0.02 - mean) / deviation, 0.02, 0.002);
      expect(Math.abs(back / rate - 1)).toBeLessThan(1e-9);
    }
  });
});

describe("the Poisson drive", () => {
  test("the input of a cell has the mean and the variance of shot noise on a grid", async () => {
    const size = 40_000;
    const cells = neurons(size, brunelExponential.with({ Vt: "1 V" }));
    const simulation = await compile({ cells }, { dt: "0.1 ms", seed: 3 });
    simulation.run({ duration: "200 ms" }); // 40 time constants
    const input = simulation.get("cells", "I");
    // each tick: I becomes a I + w n with n of mean 1 and variance 1; the last n is in it
    const [w, lambda, a] = [0.4e-3, 1, Math.exp(-0.1 / 5)];
    const mean = (w * lambda) / (1 - a);
    const variance = (w * w * lambda) / (1 - a * a);
    const found = input.reduce((sum, x) => sum + x, 0) / size;
    const spread = input.reduce((sum, x) => sum + (x - found) ** 2, 0) / (size - 1);
    const reach = 4.89 * Math.sqrt(variance / size); // a false alarm once in 1e6
    expect(Math.abs(found - mean)).toBeLessThan(reach);
    expect(Math.abs(found - 1.01 * mean)).toBeGreaterThan(reach); // control: 1 %
    // excess kurtosis of shot noise: (1 - a^2)^2 / (1 - a^4) / lambda, 0.02
    const wide = 4.89 * Math.sqrt(2.02 / size);
    expect(Math.abs(spread / variance - 1)).toBeLessThan(wide);
    expect(Math.abs(spread / variance - 1.07)).toBeGreaterThan(wide); // control: 7 %
  });

  test("does not move a refractory cell: it stays at the reset for 2 ms", async () => {
    const cells = neurons(20, brunel.with({ rateExt: "40 Hz" }));
    const { v, raster } = await simulate(
      { cells },
      {
        duration: "200 ms",
        dt: "0.1 ms",
        seed: 3,
        record: { v: trace(cells, "v"), raster: spikes(cells) },
      },
    );
    let seen = 0;
    for (let i = 0; i < 20; i++)
      for (const t of timesOf(raster, i)) {
        const tick = Math.round(t / 1e-4);
        for (let n = tick + 1; n <= tick + 20 && n < 2000; n++) {
          expect(v.values[n * 20 + i]).toBe(0.01);
          seen++;
        }
        if (tick + 21 < 2000) expect(v.values[(tick + 21) * 20 + i]).not.toBe(0.01);
      }
    expect(seen).toBeGreaterThan(1000);
  });

  test("alone it makes a cell fire at the white-noise rate, once jumps and ticks are counted in", async () => {
    const [size, dt] = [2000, 2e-5];
    const cells = neurons(size, brunel.with({ rateExt: "12 Hz" }));
    const simulation = await compile({ cells }, { dt: "0.02 ms", seed: 3 });
    simulation.run({ duration: "200 ms" });
    const { raster } = simulation.run({ duration: "2 s", record: { raster: spikes(cells) } });
    const drift = 1e-4 * 1000 * 12; // V/s
    const mean = 0.02 * drift - 0.5 * drift * dt; // a tick's jumps come at its end
    const deviation = 1e-4 * Math.sqrt(0.02 * 1000 * 12);
    const rateAt = (threshold: number) =>
      // the refractory time begins at the start of the tick of the spike
      whiteNoiseRate((0.01 - mean) / deviation, (threshold - mean) / deviation, 0.02, 0.002 - dt);
    // 0.24 jumps a tick: the threshold is passed by one jump, half of it too far on average
    const seen = rateAt(0.02 + 0.5e-4);
    const found = meanRate(raster);
    const reach = (4.89 * isiCv(raster)) / Math.sqrt(raster.t.length); // renewal process; a false alarm once in 1e6
    expect(Math.abs(found / seen - 1)).toBeLessThan(reach);
    expect(Math.abs(found / rateAt(0.02) - 1)).toBeGreaterThan(reach); // control: theory without them, 0.9 %
  });
});
