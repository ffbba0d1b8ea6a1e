import { describe, expect, test } from "vitest";
import {
  constantStep,
  linearStep,
  piecewiseStep,
  softBounds,
  softBoundsReference,
} from "../../models/step-devices.ts";
import { capacitor, reRamArrayOM, reRamES } from "../../models/step-presets.ts";
import { fabricate, type Model } from "../../src/index.ts";
import { limit, moments } from "../device/distribution.ts";

const uS = 1e-6;
const quiet = { noise: false } as const;

/** Standard errors between the mean of reads after `pulses` pulses up and each of some expectations, S. */
async function distances(model: Model<"device">, pulses: number, expected: readonly number[]) {
  const array = await fabricate(50_000, model, { seed: 4 });
  for (let n = 0; n < pulses; n++) array.pulse("up");
  const { mean, sd } = moments(array.read(quiet));
  return expected.map((value) => Math.abs(mean - value) / (sd / Math.sqrt(array.size)));
}

describe("mean curves in closed form; one pulse or 10 % of gamma more is another", () => {
  const noisy = { step: "0.2 uS", pulseSd: 0.3 } as const; // no bound is near

  test("constant: Gref + n step", async () => {
    const [right, wrong] = await distances(constantStep.with(noisy), 20, [14 * uS, 14.2 * uS]);
    expect(right).toBeLessThan(limit);
    expect(wrong).toBeGreaterThan(limit);
  });

  test("linear: Gref + (Gmax - Gref) / gamma (1 - (1 - gamma step / (Gmax - Gref))^n)", async () => {
    const curve = (gamma: number) => 10 * uS + ((10 * uS) / gamma) * (1 - (1 - (gamma * 0.2) / 10) ** 20);
    const [right, wrong] = await distances(linearStep.with({ ...noisy, gammaUp: 0.4 }), 20, [
      curve(0.4),
      curve(0.44),
    ]);
    expect(right).toBeLessThan(limit);
    expect(wrong).toBeGreaterThan(limit);
  });

  test("soft bounds: Gmax - (Gmax - Gref) (1 - step / (Gmax - Gref))^n", async () => {
    const curve = (n: number) => 20 * uS - 10 * uS * (1 - 0.02) ** n;
    const [right, wrong] = await distances(softBounds.with(noisy), 20, [curve(20), curve(21)]);
    expect(right).toBeLessThan(limit);
    expect(wrong).toBeGreaterThan(limit);
  });
});

describe("write noise", () => {
  test("is there until the next write, and has the spread of 75 steps", async () => {
    const array = await fabricate(50_000, reRamES, { seed: 1 });
    array.pulse("up");
    const first = array.read();
    expect(array.read()).toEqual(first);
    const hidden = array.get("G");
    const { mean, sd } = moments(first.map((G, k) => G - hidden[k]));
    const sigma = 1.0125 * uS;
    expect(Math.abs(mean)).toBeLessThan((limit * sigma) / Math.sqrt(array.size));
    expect(Math.abs(sd / sigma - 1)).toBeLessThan(limit / Math.sqrt(2 * array.size));
    expect(Math.abs(sd / (1.03 * sigma) - 1)).toBeGreaterThan(limit / Math.sqrt(2 * array.size)); // control
    array.pulse("down");
    expect(array.read().some((G, k) => G === first[k])).toBe(false);
  });
});

describe("the symmetry point", () => {
  test("is where up and down steps of each device are equal, and what a read is relative to", async () => {
    const still = {
      pulseSd: 0,
      writeSd: "0 uS",
      referenceSd: "0 uS",
      resetSd: "0 uS",
      bottomSd: "0 uS",
    } as const;
    const model = reRamArrayOM.with({ ...still, skewSd: 0.2, step: "0.1 uS" });
    const change = async (pulse: "up" | "down") => {
      const array = await fabricate(1000, model, { seed: 2 });
      array.pulse("reset");
      const before = array.read();
      expect(before.every((G) => Math.abs(G - 40 * uS) < 1e-18)).toBe(true);
      array.pulse(pulse);
      return array.read().map((G, k) => G - before[k]);
    };
    const [up, down] = [await change("up"), await change("down")];
    const sums = up.map((rise, k) => Math.abs(rise + down[k]) / rise);
    expect(Math.max(...sums)).toBeLessThan(1e-9);
    expect(new Set(up).size).toBe(1000); // alive: no two devices alike
  });

  test("is the reference itself with symmetric 0", async () => {
    const array = await fabricate(100, softBoundsReference.with({ symmetric: 0, skewSd: 0.2 }), { seed: 2 });
    expect(array.get("Gsym").every((G) => G === 1e-5)).toBe(true);
  });
});

describe("leakage of the capacitor", () => {
  test("takes each device towards Gref with its own lifetime, spread by 30 %; a pulse starts from what is left", async () => {
    const array = await fabricate(20_000, capacitor.with({ step: "1 uS", pulseSd: 0 }), { seed: 3 });
    for (let n = 0; n < 5; n++) array.pulse("up");
    const [G, lifetime] = [array.get("G"), array.get("lifetime")];
    const { mean, sd } = moments(lifetime);
    expect(Math.abs(mean / 1000 - 1)).toBeLessThan(2e-3 + (limit * 0.3) / Math.sqrt(array.size)); // cut at 0
    expect(Math.abs(sd / 300 - 1)).toBeLessThan(5e-3 + limit / Math.sqrt(2 * array.size));
    array.wait("500 s");
    const left = array.read();
    for (const [k, value] of left.entries()) {
      const expected = 40 * uS + (G[k] - 40 * uS) * Math.exp(-500 / lifetime[k]);
      expect(Math.abs(value - expected)).toBeLessThan(1e-18);
    }
    array.pulse("up");
    const steps = array.read().map((value, k) => value - left[k]);
    expect(moments(steps).mean).toBeGreaterThan(0.9 * uS); // from G instead of what is left: 0.3 uS of 2 uS more
    expect(moments(steps).mean).toBeLessThan(1.05 * uS);
  });
});

test("a piecewise step has its nodes at both bounds and between; fewer than two are refused", async () => {
  const array = await fabricate(3, piecewiseStep({ up: [1, 0.5, 0], down: [0, 1] }), { seed: 1 });
  array.set("G", [0, 5 * uS, 10 * uS]);
  array.pulse("up");
  const [bottom, quarter, middle] = array.read();
  expect(Math.abs(bottom - 0.1 * uS)).toBeLessThan(1e-20);
  expect(Math.abs(quarter - 5.075 * uS)).toBeLessThan(1e-20);
  expect(Math.abs(middle - 10.05 * uS)).toBeLessThan(1e-20);
  expect(() => piecewiseStep({ up: [1], down: [1, 1] })).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: a piecewise step has two factors or more, not 1 for up]`,
  );
});
