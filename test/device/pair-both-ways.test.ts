/** Differential pairs of devices that go both ways, of devices that count for more, and their refresh. */
import { describe, expect, test } from "vitest";
import { idealDevice } from "../../models/constant-step.ts";
import { device, differentialPair } from "../../src/index.ts";
import { bothWays, netPulses, scale, unit } from "./compositions.ts";
import { limit, moments } from "./distribution.ts";
import { programmable } from "./programming.ts";

describe("opposite pulses", () => {
  test("n = round(|dW| / (2 beta step)) up on one group and as many down on the other, at most 10 of each", async () => {
    const changes = Array.from({ length: 501 }, (_, k) => (k - 250) * 0.1003); // steps
    const { write, conductances, weights, simulation } = await programmable(
      differentialPair(bothWays, { ...scale, opposite: true }),
      changes.length,
    );
    write(changes.map((x) => x * unit));
    const half = changes.map((x) => Math.sign(x) * Math.min(10, Math.round(Math.abs(x) / 2)) + 0);
    expect(netPulses(conductances())).toEqual(half.flatMap((n) => [n, 0 - n]));
    weights().forEach((w, s) => {
      expect(Math.abs(w / unit - 2 * half[s])).toBeLessThan(1e-9);
    });
    const sum = (sign: number) => half.reduce((a, n) => a + Math.max(0, sign * n), 0);
    expect(simulation.pulses("plastic")).toEqual([2 * sum(1), 2 * sum(-1), 0]);
    expect(Math.max(...half)).toBe(10);
  });

  test("of soft-bounds devices give W = Wmax (x+ - x-) with x+ = 1 - (1 - a)^n / 2 and x- = (1 - a)^n / 2", async () => {
    const soft = device({
      name: "soft bounds",
      source: "test",
      equations: "x : 1",
      initial: { x: 0.5 },
      on: { up: "x += a * (1 - x)", down: "x -= a * x" },
      read: "Gmin + x * (Gmax - Gmin)",
      parameters: { a: 0.02, Gmin: "40 uS", Gmax: "440 uS" },
    });
    const weightMax = 10e-9; // n = round(|dW| / (Wmax * 2 * a * 0.5)): 200 pA a pulse
    const { write, weights, conductances } = await programmable(
      differentialPair(soft, {
        weightPerConductance: "25 pA/uS",
        step: "4 uS",
        opposite: true,
        maxPulses: 20,
      }),
      41,
    );
    const wanted = Array.from({ length: 41 }, (_, k) => k - 20);
    write(wanted.map((n) => n * 200e-12));
    const G = conductances();
    weights().forEach((w, s) => {
      const shrunk = 0.98 ** Math.abs(wanted[s]);
      const sign = wanted[s] < 0 ? -1 : 1;
      expect(Math.abs(w / weightMax - sign * (1 - shrunk))).toBeLessThan(1e-13);
      expect(Math.abs((G[2 * s] + G[2 * s + 1]) / 480e-6 - 1)).toBeLessThan(1e-13); // the sum stays
    });
  });

  test("go over the devices of both groups by one counter, or by one for each group", async () => {
    const given = async (counter: "shared" | "own") => {
      const { write, conductances } = await programmable(
        differentialPair(bothWays, { ...scale, devices: 3, opposite: true, counter }),
      );
      write(4 * unit); // twice up, twice down
      write(-2 * unit);
      return netPulses(conductances());
    };
    // 0 and 1 up on G+, 2 and 3 = 0 down on G-, then 4 = 1 up on G-, 5 = 2 down on G+
    expect(await given("shared")).toEqual([1, 1, -1, -1, 1, -1]);
    expect(await given("own")).toEqual([1, 1, -1, -1, -1, 1]);
  });

  test("without them only the group that grows is pulsed, with up where there is one", async () => {
    const { write, conductances, simulation } = await programmable(differentialPair(bothWays, scale), 2);
    write([3 * unit, -2 * unit]);
    expect(netPulses(conductances())).toEqual([3, 0, 0, 2]);
    expect(simulation.deviceUse("plastic").pulses).toEqual({ up: 5, down: 0, reset: 0 });
  });

  test("stochastic rounding of opposite pulses is unbiased: 0.6 steps are a pulse of each in 30 % of writes", async () => {
    const count = 100_000;
    const { write, conductances, simulation } = await programmable(
      differentialPair(bothWays, { ...scale, opposite: true, rounding: "stochastic" }),
      count,
    );
    write(0.6 * unit);
    const net = netPulses(conductances());
    expect(net.every((n, k) => (k % 2 === 0 ? n === 0 - net[k + 1] : true))).toBe(true);
    const { mean } = moments(net.filter((_, k) => k % 2 === 0));
    const tolerance = (limit * Math.sqrt(0.3 * 0.7)) / Math.sqrt(count);
    expect(Math.abs(mean - 0.3)).toBeLessThan(tolerance);
    expect(Math.abs(mean - 0.31)).toBeGreaterThan(tolerance); // control
    expect(simulation.pulses("plastic")[0]).toBe(2 * Math.round(mean * count));
  });
});

describe("significances", () => {
  test("every change up to 59 steps is 8, 3 and 1 of them at a time, exactly", async () => {
    const changes = Array.from({ length: 119 }, (_, k) => k - 59);
    const { write, conductances, weights } = await programmable(
      differentialPair(bothWays, { ...scale, significances: [8, 3, 1], maxPulses: 100 }),
      changes.length,
    );
    write(changes.map((x) => (x + 0.2) * unit));
    const expected = changes.flatMap((x) => {
      const n = Math.abs(x);
      const slices = [Math.floor(n / 8), Math.floor((n % 8) / 3), (n % 8) % 3];
      return x < 0 ? [0, 0, 0, ...slices] : [...slices, 0, 0, 0];
    });
    expect(netPulses(conductances())).toEqual(expected);
    weights().forEach((w, s) => {
      expect(Math.abs(w / unit - changes[s])).toBeLessThan(1e-8);
    });
  });

  test("maxPulses counts pulses, not steps, and the most significant come first", async () => {
    const changes = [11, 13, 15, 16, 22, 1e6];
    const { write, conductances } = await programmable(
      differentialPair(bothWays, { ...scale, significances: [4, 1], maxPulses: 4 }),
      changes.length,
    );
    write(changes.map((x) => x * unit));
    const up = netPulses(conductances()).filter((_, k) => k % 4 < 2);
    expect(up).toEqual([2, 2, 3, 1, 3, 1, 4, 0, 4, 0, 4, 0]); // 11, 13, 13, 16, 16 and 16 steps
  });

  test("opposite pulses are sliced alike on both groups", async () => {
    const { write, conductances, weights } = await programmable(
      differentialPair(bothWays, { ...scale, significances: [4, 1], opposite: true }),
    );
    write(-14 * unit); // 7 steps each: one of 4 and three of 1
    expect(netPulses(conductances())).toEqual([-1, -3, 1, 3]);
    expect(Math.round(weights()[0] / unit)).toBe(-14);
  });

  test("noise of a device counts by its significance: 4 and 1 make sqrt(34) of one read", async () => {
    const noisy = device({
      name: "noisy",
      source: "test",
      equations: "G : S",
      initial: { G: "20 uS" },
      on: { set: "G += 1 * step" },
      read: "G + noise * randn()",
      parameters: { step: "1 uS", noise: "2 uS" },
    });
    const count = 50_000;
    const { simulation, weights } = await programmable(
      differentialPair(noisy, { ...scale, significances: [4, 1] }),
      count,
    );
    simulation.run({ duration: "0 ms" });
    const { mean, sd } = moments(weights().map((w) => w / unit / 2));
    expect(Math.abs(mean)).toBeLessThan((limit * Math.sqrt(34)) / Math.sqrt(count));
    expect(Math.abs(sd / Math.sqrt(34) - 1)).toBeLessThan(limit / Math.sqrt(2 * count));
    expect(Math.abs(sd / Math.sqrt(32) - 1)).toBeGreaterThan(limit / Math.sqrt(2 * count)); // control: 4 alone
  });
});

describe("refresh of a one-sided pair", () => {
  /** All pairs of 0 to 8 pulses up and down, onto 2 + 2 devices from zero; what each is after a last write. */
  const refreshed = async (refresh: { above: string; difference?: string; otherAbove?: string }) => {
    const steady = idealDevice.with({ step: "1 uS", Gmax: "1 S" });
    const states = Array.from({ length: 81 }, (_, k) => [2 * (k % 9), 2 * Math.floor(k / 9)]);
    const pair = differentialPair(steady, { ...scale, devices: 2, maxPulses: 100, counter: "own", refresh });
    const { write, conductances } = await programmable(pair, states.length);
    write(states.map(([, down]) => -down * unit));
    write(states.map(([up]) => up * unit));
    const G = [...conductances()].map((value) => Math.round(value / 1e-6));
    return states.map(([up, down], s) => {
      const left = [G[4 * s] + G[4 * s + 1], G[4 * s + 2] + G[4 * s + 3]];
      const rest = Math.min(up, down);
      if (rest > 0 && left[0] === up - rest && left[1] === down - rest) return true;
      expect(left).toEqual([up, down]);
      return false;
    });
  };
  const means = Array.from({ length: 81 }, (_, k) => [k % 9, Math.floor(k / 9)]);

  test("is due when one mean exceeds above and the other otherAbove", async () => {
    const due = means.map((m) => Math.max(...m) > 5.5 && Math.min(...m) > 2.5);
    expect(await refreshed({ above: "5.5 uS", otherAbove: "2.5 uS" })).toEqual(due);
    expect(due.filter(Boolean).length).toBe(27);
  });

  test("with difference beside it both must hold", async () => {
    const due = means.map((m) => Math.max(...m) > 5.5 && Math.min(...m) > 2.5 && Math.abs(m[0] - m[1]) < 2.5);
    expect(await refreshed({ above: "5.5 uS", difference: "2.5 uS", otherAbove: "2.5 uS" })).toEqual(due);
    expect(due.filter(Boolean).length).toBe(15);
  });

  test("of sliced devices goes by means weighted with the significances and writes the difference in slices", async () => {
    const steady = idealDevice.with({ step: "1 uS", Gmax: "1 S" });
    const pair = differentialPair(steady, {
      ...scale,
      significances: [4, 1],
      maxPulses: 100,
      refresh: { above: "2.5 uS", difference: "2 uS" }, // sums above 12.5, within 10
    });
    const { write, conductances, simulation } = await programmable(pair, 2);
    const G = () => [...conductances()].map((value) => Math.round(value / 1e-6));
    write([-6 * unit, -6 * unit]);
    write([12 * unit, 13 * unit]);
    expect(G()).toEqual([3, 0, 1, 2, 1, 3, 0, 0]); // 12 and 6 stay; 13 and 6 are 7 apart
    expect(simulation.pulses("plastic")).toEqual([3 + 4 + 4, 3 + 3, 4]);
  });
});

describe("errors", () => {
  const pair = (options: object, model = bothWays) =>
    differentialPair(model as typeof bothWays, { ...scale, ...options });

  test("of devices that cannot", () => {
    expect(() => pair({ opposite: true }, idealDevice as never)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: ideal device has no "down" pulse; opposite pulses need it; its pulses are set, reset]`,
    );
  });

  test("of significances", () => {
    for (const significances of [[1, 1], [1, 4], [4, 2], [2.5, 1], [0], []])
      expect(() => pair({ significances })).toThrow(
        significances.length === 0
          ? "a differential pair has 1 to 64 devices per polarity, not 0"
          : `significances are whole numbers that fall to 1, such as [4, 1], not [${significances.join(", ")}]`,
      );
    expect(() => pair({ significances: [4, 1], devices: 2 })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: significances say how many devices there are; leave out devices: 2]`,
    );
    expect(() => pair({ significances: [4, 1], counter: "own" })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: with significances no counter chooses the device; leave out counter: "own"]`,
    );
  });

  test("of a refresh rule", () => {
    expect(() => pair({ refresh: { above: "5 uS" } })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: refresh needs difference or otherAbove beside above: 5 uS]`,
    );
    expect(() => pair({ refresh: { above: "5 uS", otherAbove: "6 uS" } })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: refresh.otherAbove is for the lesser mean; it exceeds above: above 5 uS, otherAbove 6 uS]`,
    );
    expect(() =>
      pair({ refresh: { above: "5 uS", otherAbove: "-1 uS" } }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: refresh needs positive conductances, not above 5 uS and otherAbove -1 uS]`,
    );
  });
});
