import { expect, test } from "vitest";
import { idealDevice } from "../../models/constant-step.ts";
import { pcm } from "../../models/pcm.ts";
import { conductanceRange, device } from "../../src/index.ts";

test("equal steps within bounds: the bounds and the step, up to what the last pulse is cut short", async () => {
  const { low, high, step } = await conductanceRange(idealDevice.with({ Gmax: "21 uS" }), { seed: 1 });
  expect(low).toBe(0);
  expect(high / 1e-6).toBeCloseTo(21, 10);
  expect(step / 1e-6).toBeCloseTo(0.8, 10);
});

test("soft bounds: the mean step of the middle half is that of the closed form", async () => {
  const soft = device({
    name: "soft bounds",
    source: "test",
    equations: "G : S",
    initial: { G: "Gmin + (Gmax - Gmin) * rand()" },
    on: {
      up: "G += (Gmax - G) / N",
      down: "G -= (G - Gmin) / N",
    },
    read: "G + Gmin * randn()",
    parameters: { Gmin: "10 uS", Gmax: "50 uS", N: 100 },
  });
  const { low, high, step } = await conductanceRange(soft, { seed: 1 });
  // ramps end where they have come 95 % of the way and a quarter more pulses: exp(-1.25 ln 20) = 2.4 % are left at most
  expect(low / 1e-6).toBeGreaterThan(10);
  expect(low / 1e-6).toBeLessThan(10 + 0.05 * 40);
  expect(high / 1e-6).toBeGreaterThan(50 - 0.05 * 40);
  // (1 - 1/N)^n takes what is left to the upper bound from one level to another
  const left = (part: number) => 50e-6 - (low + part * (high - low));
  const pulses = Math.log(left(0.25) / left(0.75)) / -Math.log1p(-1 / 100);
  expect(step / ((high - low) / 2 / pulses)).toBeCloseTo(1, 2); // records are some pulses apart
});

test("PCM: from reset to near the fixed point of its mean step, 10.48 uS", async () => {
  const { low, high, step } = await conductanceRange(pcm, { seed: 1 });
  expect(low / 1e-6).toBeCloseTo(0.1, 2);
  expect(high / 1e-6).toBeGreaterThan(9.4); // the reference curve after 20 pulses
  expect(high / 1e-6).toBeLessThan(10.7);
  expect(step / 1e-6).toBeGreaterThan(0.45); // c1 + m1 G is 0.67 uS at 2.5 uS and 0.25 uS at 7.5 uS, and the first pulses add more
  expect(step / 1e-6).toBeLessThan(0.75);
});

test("a device that nothing raises is refused", async () => {
  const falling = device({
    name: "only falls",
    source: "test",
    equations: "G : S",
    initial: { G: "Gmin" },
    on: { reset: "G = Gmin" },
    read: "G",
    parameters: { Gmin: "1 uS" },
  });
  await expect(conductanceRange(falling, { seed: 1 })).rejects.toThrow(
    "only falls has no pulse that raises its conductance, so no range to store a weight in",
  );
});
