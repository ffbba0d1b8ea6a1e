import { describe, expect, test } from "vitest";
import {
  cuSiO2W,
  cuSiO2WExponential,
  cuSiO2WLevels,
  cuSiO2WStdp,
  cuSiO2WTable,
  spikePair,
} from "../../models/cusio2w.ts";
import { tableDevice } from "../../models/table-device.ts";
import { fabricate } from "../../src/index.ts";
import { limit, moments } from "../device/distribution.ts";

const uS = 1e-6;

describe("soft bounds", () => {
  /** How far the mean of x is from 1 - (1 - x0)(1 - a)^n after n pulses, in standard errors. */
  async function distance(a: number): Promise<number> {
    const array = await fabricate(100_000, cuSiO2W.with({ deviceSd: 0, pulseSd: 0.3 }), { seed: 1 });
    for (let n = 0; n < 30; n++) array.pulse("up");
    const { mean, sd } = moments(array.get("x"));
    return Math.abs(mean - (1 - 0.5 * (1 - a) ** 30)) / (sd / Math.sqrt(array.size));
  }

  test("the mean goes up by a (1 - x), whatever the spread of pulses", async () => {
    expect(await distance(0.01)).toBeLessThan(limit);
    expect(await distance(0.0101)).toBeGreaterThan(limit); // control: 1 %
  });

  test("devices spread by 10 % in step and range; nobody leaves 0 to 1", async () => {
    const array = await fabricate(100_000, cuSiO2W, { seed: 2 });
    for (const gain of ["gainUp", "gainDown"]) {
      const { mean, sd } = moments(array.get(gain));
      expect(Math.abs(mean - 1)).toBeLessThan((limit * 0.1) / Math.sqrt(array.size));
      expect(Math.abs(sd / 0.1 - 1)).toBeLessThan(limit / Math.sqrt(2 * array.size));
      expect(Math.abs(sd / 0.105 - 1)).toBeGreaterThan(limit / Math.sqrt(2 * array.size)); // control
    }
    const top = moments(array.get("Gtop").map((G) => (G - 38.74045865 * uS) / (387.4045865 * uS)));
    expect(Math.abs(top.sd / 0.1 - 1)).toBeLessThan(limit / Math.sqrt(2 * array.size));
    for (let n = 0; n < 20; n++) array.pulse("down");
    expect(array.get("x").every((x) => x >= 0 && x <= 1)).toBe(true);
  });
});

test("exponential: x += alpha exp(-beta x) and x -= alpha exp(-beta (1 - x)), to rounding", async () => {
  const array = await fabricate(1, cuSiO2WExponential.with({ deviceSd: 0, pulseSd: 0 }), { seed: 1 });
  let x = 0.5;
  for (let n = 0; n < 50; n++) {
    array.pulse("up");
    x += 0.01 * Math.exp(-3 * x);
  }
  expect(Math.abs(array.get("x")[0] - x)).toBeLessThan(1e-13);
  for (let n = 0; n < 50; n++) {
    array.pulse("down");
    x -= 0.005 * Math.exp(-3 * (1 - x));
  }
  expect(Math.abs(array.get("x")[0] - x)).toBeLessThan(1e-13);
});

describe("table", () => {
  test("steps are those of the points, linear between and constant beyond them", async () => {
    const table = { unit: "uS", G: [1, 2, 4], up: [0.3, 0.2, 0.1], down: [0.05, 0.1, 0.4] };
    const array = await fabricate(5, tableDevice(table), { seed: 1 });
    const at = [1, 1.5, 2, 3, 3.5];
    const after = (pulse: string) => {
      array.set(
        "G",
        at.map((G) => G * uS),
      );
      array.pulse(pulse);
      return array.read();
    };
    const ups = [0.3, 0.25, 0.2, 0.15, 0.125];
    for (const [k, G] of after("up").entries())
      expect(Math.abs(G - (at[k] + ups[k]) * uS)).toBeLessThan(1e-20);
    const downs = [0, 0.075, 0.1, 0.25, 0.325]; // the first is at its bound
    for (const [k, G] of after("down").entries())
      expect(Math.abs(G - (at[k] - downs[k]) * uS)).toBeLessThan(1e-20);
  });

  test("the points that come with the program are those of soft bounds", async () => {
    const quiet = { pulseSd: 0 } as const;
    const [table, soft] = await Promise.all([
      fabricate(1, cuSiO2WTable.with({ ...quiet, stepSd: 0 }), { seed: 1 }),
      fabricate(1, cuSiO2W.with({ ...quiet, deviceSd: 0, x0: 0 }), { seed: 1 }),
    ]);
    for (const pulse of ["up", "down"] as const)
      for (let n = 0; n < 100; n++) {
        table.pulse(pulse);
        soft.pulse(pulse);
        expect(Math.abs(table.read()[0] - soft.read()[0])).toBeLessThan(0.01 * uS); // six digits of the points
      }
  });

  test("refuses tables that are none", () => {
    const points = { unit: "uS", G: [1, 2], up: [1, 0], down: [0, 1] };
    expect(() => tableDevice({ ...points, up: [1] })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a table of steps has two points or more, as many up and down as G, not 2, 1 and 2]`,
    );
    expect(() => tableDevice({ ...points, G: [2, 2] })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: conductances of a table rise; G[1] is 2 uS]`,
    );
    expect(() => tableDevice({ ...points, unit: "ohm" })).toThrowErrorMatchingInlineSnapshot(`
      [ModelError: table of steps: dimensions disagree
          rise = gain * (up0 + (up1 - up0) * clip((G - G0) / (G1 - G0), 0, 1))   : S
                                                  ^^^^^^^^
        G is S, G0 is 1/S]
    `);
  });
});

describe("half quanta", () => {
  const size = 100_000;
  const half = 38.74045865 * uS;
  const still = cuSiO2WLevels.with({ deviceSd: 0, pulseSd: 0 });

  test("conductances are whole half quanta, and a pulse adds on average what soft bounds add", async () => {
    const array = await fabricate(size, still, { seed: 1 });
    let x = 0.5;
    for (let n = 0; n < 10; n++) {
      array.pulse("up");
      x += 0.01 * (1 - x);
    }
    const levels = array.read().map((G) => G / half);
    expect(levels.every((n) => Math.abs(n - Math.round(n)) < 1e-9)).toBe(true);
    const { mean, sd } = moments(levels);
    const error = (expected: number) => Math.abs(mean - expected) / (sd / Math.sqrt(size));
    expect(error(1 + 10 * x)).toBeLessThan(limit);
    expect(error(1 + 10 * (x + 0.01 * (1 - x)))).toBeGreaterThan(limit); // control: one pulse more
  });

  test("levels decay one by one: after 2 tau the count is Poisson of mean 2, not of 2.1; a pulse keeps what is left", async () => {
    const array = await fabricate(size, still.with({ tau: "10 s", n0: 9, aUp: 0 }), { seed: 2 });
    const counts = () => {
      const found = new Array<number>(9).fill(0);
      for (const G of array.read()) found[9 - Math.round(G / half)]++;
      return found;
    };
    const worst = (found: readonly number[], mean: number) => {
      let p = Math.exp(-mean);
      return Math.max(
        ...found.slice(0, 7).map((count, k) => {
          if (k > 0) p *= mean / k;
          return Math.abs(count / size - p) / Math.sqrt((p * (1 - p)) / size);
        }),
      );
    };
    array.wait("10 s");
    const first = array.read();
    array.wait("10 s");
    expect(worst(counts(), 2)).toBeLessThan(5.3); // 1e-6 for seven counts
    expect(worst(counts(), 2.1)).toBeGreaterThan(5.3); // control: 5 %
    expect(array.read().every((G, k) => G <= first[k])).toBe(true);
    const before = array.read();
    array.pulse("up"); // of step 0
    expect(array.read()).toEqual(before);
    array.wait("10 s");
    expect(worst(counts(), 3)).toBeLessThan(5.3); // decays after a pulse are independent of those before it
  });
});

describe("waveforms", () => {
  const [height, width, decay, threshold, rate] = [0.25, 1e-3, 15e-3, 0.27, 474.9];

  /** The change of x at a pair of spikes, by closed form: ln of what is left shrinks by rate times the voltage above threshold. */
  function expected(x: number, interval: number): number {
    const away = Math.abs(interval) - width; // since the first spike's undershoot began, at the second spike
    // above threshold while height + height exp(-(away + u) / decay) > threshold, for u within the width of the spike
    const end = Math.min(width, Math.max(0, decay * Math.log(height / (threshold - height)) - away));
    const undershoot = height * decay * (Math.exp(-away / decay) - Math.exp(-(away + end) / decay));
    const factor = Math.exp(-rate * ((height - threshold) * end + undershoot));
    return interval > 0 ? (1 - x) * (1 - factor) : -x * (1 - factor);
  }

  async function change(x: number, interval: number, dt = 1e-5): Promise<number> {
    const array = await fabricate(1, cuSiO2WStdp.with({ deviceSd: 0 }), { seed: 1 });
    array.set("x", x);
    array.drive(spikePair(interval, dt), `${dt} s`);
    return array.get("x")[0] - x;
  }

  test("a millisecond of pre before post moves x = 0.5 by 0.05, and back in the other order", async () => {
    expect(Math.abs((await change(0.5, 1e-3)) - 0.05)).toBeLessThan(1e-5); // four digits of the rate
    expect(Math.abs((await change(0.5, -1e-3)) + 0.05)).toBeLessThan(1e-5);
  });

  test("the window at three states follows its closed form; potentiation falls with x, depression grows", async () => {
    for (const interval of [1e-3, 3e-3, 10e-3, 25e-3, 45e-3])
      for (const sign of [1, -1]) {
        const changes = [];
        for (const x of [0.2, 0.5, 0.8]) {
          const found = await change(x, sign * interval);
          expect(Math.abs(found - expected(x, sign * interval))).toBeLessThan(2e-6); // samples of 10 us
          changes.push(Math.abs(found));
        }
        if (interval > 40e-3)
          expect(Math.max(...changes)).toBe(0); // too far apart: nothing above threshold
        else expect(changes[0] > changes[2]).toBe(sign > 0);
      }
    expect(Math.abs(expected(0.5, 10e-3) - expected(0.5, 10.1e-3))).toBeGreaterThan(1e-5); // control: 1 % of the interval
  });

  test("no voltage exceeds half a volt, and a spike alone moves nothing", async () => {
    expect(Math.max(...spikePair(1e-3, 1e-5).map(Math.abs))).toBeLessThanOrEqual(0.5);
    expect(await change(0.5, 0.5, 1e-4)).toBe(0);
  });
});
