import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { idealDevice } from "../../models/constant-step.ts";
import { lif } from "../../models/lif.ts";
import { pcm } from "../../models/pcm.ts";
import {
  allToAll,
  compile,
  device,
  differentialPair,
  every,
  neurons,
  spikeSource,
  synapse,
  synapses,
  trace,
} from "../../src/index.ts";
import { departure, limit, moments, normal } from "./distribution.ts";
import { programmable } from "./programming.ts";

/** Steps of exactly 1 uS, no bound in reach. One step makes 100 pA. */
const steady = idealDevice.with({ step: "1 uS", Gmax: "1 S" });
const scale = { weightPerConductance: "100 pA/uS", step: "1 uS" } as const;
const unit = 100e-12; // A, one step
const uS = 1e-6;

/** Each pulse adds 1 uS and noise. */
const noisySteps = device({
  name: "noisy steps",
  source: "test",
  equations: "G : S",
  initial: { G: "0 uS" },
  on: { set: "G += step + noise * randn()", reset: "G = 0" },
  read: "G",
  parameters: { step: "1 uS", noise: "0.1 uS" },
});

const pulsesOf = (conductances: Float64Array): number[] => [...conductances].map((G) => Math.round(G / uS));

describe("how many pulses", () => {
  test("n = round(|dW| / (beta step)) pulses, at most 10, up on G+ and down on G-; none within half a step", async () => {
    const changes = Array.from({ length: 501 }, (_, k) => (k - 250) * 0.0503); // steps
    const { write, conductances, simulation } = await programmable(
      differentialPair(steady, scale),
      changes.length,
    );
    write(changes.map((x) => x * unit));
    const given = pulsesOf(conductances());
    const expected = changes.flatMap((x) => {
      const n = Math.min(10, Math.round(Math.abs(x)));
      return x > 0 ? [n, 0] : [0, n];
    });
    expect(given).toEqual(expected);
    expect(given.filter((n) => n === 10).length).toBeGreaterThan(100);
    const sum = (polarity: number) => expected.reduce((s, n, k) => s + (k % 2 === polarity ? n : 0), 0);
    expect(simulation.pulses("plastic")).toEqual([sum(0), sum(1), 0]);
  });

  test("stochastic rounding is unbiased: 0.3 steps are one pulse in 30 % of 100,000 writes, 2.7 are 2 or 3", async () => {
    const count = 100_000;
    const { write, conductances } = await programmable(
      differentialPair(steady, { ...scale, rounding: "stochastic" }),
      count,
    );
    const up = () => pulsesOf(conductances()).filter((_, k) => k % 2 === 0);
    write(0.3 * unit);
    const first = up();
    expect(new Set(first)).toEqual(new Set([0, 1]));
    const tolerance = (limit * Math.sqrt(0.3 * 0.7)) / Math.sqrt(count);
    expect(Math.abs(moments(first).mean - 0.3)).toBeLessThan(tolerance);
    expect(Math.abs(moments(first).mean - 0.31)).toBeGreaterThan(tolerance); // control
    write(2.7 * unit);
    const second = up().map((n, k) => n - first[k]);
    expect(new Set(second)).toEqual(new Set([2, 3]));
    expect(Math.abs(moments(second).mean - 2.7)).toBeLessThan(tolerance);
    // the two writes of a synapse are independent
    const product = first.map((n, k) => ((n - 0.3) * (second[k] - 2.7)) / 0.21);
    expect(Math.abs(moments(product).mean)).toBeLessThan(limit / Math.sqrt(count));
  });

  test("a weight assigned on ideal devices is the floating-point weight to within half a step", async () => {
    const assigned = synapse({
      name: "assigned weight",
      equations: `
        w      : A (weight)
        target : A
      `,
      on: { pre: "ia_post += w", write: "w = target" },
    });
    const source = spikeSource(1);
    const cells = neurons(1000, lif);
    const options = { connect: allToAll(), events: { write: every("1 ms") } };
    const plain = synapses(source, cells, assigned, options);
    const stored = synapses(source, cells, assigned, {
      ...options,
      weight: differentialPair(steady, { ...scale, devices: 4 }),
    });
    const simulation = await compile({ source, cells, plain, stored }, { dt: "1 ms", seed: 1 });
    let largest = 0;
    for (let k = 0; k < 30; k++) {
      const targets = Array.from({ length: 1000 }, (_, s) => 5 * unit * Math.sin(1.7 * s + 2.3 * k + s * k));
      for (const part of ["plain", "stored"] as const) simulation.set(part, "target", targets);
      simulation.run({ duration: "1 ms" });
      const exact = simulation.get("plain", "w");
      expect([...exact]).toEqual(targets);
      simulation.get("stored", "w").forEach((w, s) => {
        largest = Math.max(largest, Math.abs(w - exact[s]) / unit);
      });
    }
    expect(largest).toBeLessThan(0.5 * (1 + 1e-12));
    expect(largest).toBeGreaterThan(0.49); // the bound is met, not missed by far
  });
});

describe("which device", () => {
  // two synapses of 3 + 3 devices: +2 and +2 steps, then -1 and 0
  const writes = async (counter: "shared" | "own") => {
    const { write, conductances } = await programmable(
      differentialPair(steady, { ...scale, devices: 3, counter }),
      2,
    );
    write([2 * unit, 2 * unit]);
    write([-unit, 0]);
    return pulsesOf(conductances());
  };

  test("the shared counter goes on from synapse to synapse and over both polarities", async () => {
    // pulses 0, 1 onto the first synapse, 2 and 3 = 0 onto the second, 4 = 1 onto the first one's G-
    expect(await writes("shared")).toEqual([1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0]);
  });

  test("own counters start at the first device of each synapse and polarity", async () => {
    expect(await writes("own")).toEqual([1, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 0]);
  });

  test("any writes, counters, caps and refreshes give the conductances and weights of the rule written out", async () => {
    const options = fc.record({
      devices: fc.integer({ min: 1, max: 4 }),
      counter: fc.constantFrom("shared" as const, "own" as const),
      maxPulses: fc.integer({ min: 1, max: 10 }),
      refresh: fc.option(
        fc.record({ above: fc.integer({ min: 1, max: 5 }), difference: fc.integer({ min: 3, max: 9 }) }),
      ),
    });
    const step = fc.integer({ min: -1200, max: 1200 }).map((n) => (n + 0.3) / 100); // no half step
    const changes = fc.array(fc.tuple(step, step, step), { minLength: 1, maxLength: 25 });
    let refreshed = 0;
    await fc.assert(
      fc.asyncProperty(options, changes, async (o, sequence) => {
        const refresh = o.refresh && {
          above: `${o.refresh.above + 0.3} uS`, // no sum of whole steps
          difference: `${o.refresh.difference + 0.3} uS`,
        };
        const pair = differentialPair(steady, { ...scale, ...o, refresh: refresh ?? undefined });
        const { write, conductances, weights, simulation } = await programmable(pair, 3);
        // pulses of each device: [synapse][polarity][device]
        const devices = [0, 1, 2].map(() => [0, 1].map(() => new Array<number>(o.devices).fill(0)));
        const counters = [0, 1, 2].map(() => [0, 0]);
        let shared = 0;
        const tally = [0, 0, 0];
        const sum = (group: readonly number[]) => group.reduce((a, b) => a + b, 0);
        const pulse = (synapse: number, polarity: number, count: number) => {
          for (let p = 0; p < count; p++)
            devices[synapse][polarity][
              (o.counter === "shared" ? shared++ : counters[synapse][polarity]++) % o.devices
            ]++;
          tally[polarity] += count;
        };
        for (const steps of sequence) {
          write(steps.map((x) => x * unit));
          steps.forEach((x, s) => {
            pulse(s, x > 0 ? 0 : 1, Math.min(o.maxPulses, Math.round(Math.abs(x))));
            const [up, down] = devices[s].map(sum);
            if (!o.refresh || Math.max(up, down) <= (o.refresh.above + 0.3) * o.devices) return;
            if (Math.abs(up - down) >= (o.refresh.difference + 0.3) * o.devices) return;
            devices[s].forEach((group) => {
              group.fill(0);
            });
            tally[2] += 2 * o.devices;
            refreshed++;
            pulse(s, up > down ? 0 : 1, Math.abs(up - down));
          });
          expect(pulsesOf(conductances())).toEqual(devices.flat(2));
          expect(simulation.pulses("plastic")).toEqual(tally);
          weights().forEach((w, s) => {
            const [up, down] = devices[s].map(sum);
            expect(Math.abs(w / unit - (up - down))).toBeLessThan(1e-9);
          });
        }
      }),
      { seed: 20260713, numRuns: 150 },
    );
    expect(refreshed).toBeGreaterThan(50);
  });
});

describe("distinct draws", () => {
  const count = 20_000;
  const spread = (values: Float64Array) => moments(values.filter((_, k) => k % 2 === 0)).sd / (0.1 * uS);

  test("four pulses of one write add their noise as independent numbers", async () => {
    const { write, conductances } = await programmable(differentialPair(noisySteps, scale), count);
    write(4 * unit);
    expect(Math.abs(spread(conductances()) / 2 - 1)).toBeLessThan(limit / Math.sqrt(2 * count)); // alike: 4
  });

  test("two writes in one tick add their noise as independent numbers", async () => {
    const twice = synapse({
      name: "written twice",
      equations: "w : A (weight)",
      on: { first: "w += step", second: "w += step" },
      parameters: { step: "100 pA" },
    });
    const source = spikeSource(1);
    const cells = neurons(count, lif);
    const plastic = synapses(source, cells, twice, {
      connect: allToAll(),
      weight: differentialPair(noisySteps, scale),
      events: { first: every("1 ms"), second: every("1 ms") },
    });
    const simulation = await compile({ source, cells, plastic }, { dt: "1 ms", seed: 2 });
    simulation.run({ duration: "1 ms" });
    expect(simulation.pulses("plastic")).toEqual([2 * count, 0, 0]);
    const sd = spread(simulation.conductances("plastic")) / Math.SQRT2;
    expect(Math.abs(sd - 1)).toBeLessThan(limit / Math.sqrt(2 * count)); // alike: 1.41
  });
});

describe("when weights are read", () => {
  const count = 4000; // synapses
  const beta = 100e-12 / uS;

  /** Weights that arrive through each synapse at five spikes of a run, A; of two runs. */
  const arriving = async (read: "run" | "event") => {
    const { simulation, cells, write, conductances } = await programmable(
      differentialPair(pcm, { weightPerConductance: "100 pA/uS", step: "0.8 uS", read }),
      count,
    );
    write(400e-12);
    const runs = [0, 1].map(() => {
      const { I } = simulation.run({
        duration: "6 ms",
        inputs: { source: [[0, 1e-3, 2e-3, 3e-3, 4e-3]] },
        record: { I: trace(cells, "I", { every: "1 ms" }) },
        restart: true,
      });
      return Array.from({ length: count }, (_, j) =>
        [1, 2, 3, 4, 5].map((n) => I.values[n * count + j] - I.values[(n - 1) * count + j]),
      );
    });
    return { runs, G: conductances() };
  };

  test("once a run: all events of a run see one value, the next run another", async () => {
    const [first, second] = (await arriving("run")).runs;
    for (const cell of [...first, ...second])
      for (const w of cell) expect(Math.abs(w - cell[0])).toBeLessThan(1e-21);
    expect(first.filter((cell, j) => Math.abs(cell[0] - second[j][0]) > 1e-18).length).toBe(count);
  });

  test("at every event: beta (G+ - G-) with the read noise of both devices, fresh each time", async () => {
    const { runs, G } = await arriving("event");
    const deviates = (c3: number) =>
      runs.flatMap((cells) =>
        cells.flatMap((weights, s) => {
          const [up, down] = [G[2 * s], G[2 * s + 1]];
          const sd = Math.hypot(0.03 * up + c3 * uS, 0.03 * down + c3 * uS);
          return weights.map((w) => (w / beta - (up - down)) / sd);
        }),
      );
    expect(departure(deviates(0.13), normal(0, 1))).toBeLessThan(1);
    expect(departure(deviates(0.15), normal(0, 1))).toBeGreaterThan(1); // control: 15 % more noise
    expect(new Set(runs.flat(2)).size).toBeGreaterThan(0.999 * 10 * count);
  });

  test("a write asks for the change from what its handler read: no change, no pulse, however noisy", async () => {
    for (const read of ["run", "event"] as const) {
      const { simulation, write } = await programmable(
        differentialPair(pcm, { weightPerConductance: "100 pA/uS", step: "0.1 uS", read }),
        500,
      );
      for (let n = 0; n < 20; n++) write(0);
      expect(simulation.pulses("plastic")).toEqual([0, 0, 0]);
      write(10e-9); // a thousand steps
      expect(simulation.pulses("plastic")[0]).toBe(500 * 10);
    }
  });

  test("a frozen projection is read and not written", async () => {
    const { simulation, write, conductances } = await programmable(differentialPair(steady, scale), 3);
    write(2 * unit);
    const before = conductances();
    simulation.set("plastic", "change", unit);
    simulation.run({ duration: "5 ms", frozen: ["plastic"] });
    expect(conductances()).toEqual(before);
    simulation.run({ duration: "1 ms" });
    expect(pulsesOf(conductances())).toEqual([3, 0, 3, 0, 3, 0]);
  });
});

describe("refresh", () => {
  /** Conductance halves a second after the last pulse. */
  const fading = device({
    name: "fading",
    source: "test",
    equations: "G : S",
    initial: { G: "0 uS" },
    on: { set: "G += step", reset: "G = 0" },
    drift: "G * (age > fall ? 0.5 : 1)",
    read: "Gd",
    parameters: { step: "1 uS", fall: "1 s" },
  });

  test("is due when a group's mean is above 5.5 uS and the means differ by less than 3.5 uS, and only then", async () => {
    // all pairs of 0 to 8 pulses up and down, onto 2 + 2 devices
    const states = Array.from({ length: 81 }, (_, k) => [2 * (k % 9), 2 * Math.floor(k / 9)]);
    const refresh = { above: "5.5 uS", difference: "3.5 uS" };
    const pair = differentialPair(steady, {
      ...scale,
      devices: 2,
      maxPulses: 100,
      counter: "own",
      refresh,
    });
    const { write, conductances } = await programmable(pair, states.length);
    // down first: G- alone never comes within 3.5 uS of G+ while above 5.5 uS
    write(states.map(([, down]) => -down * unit));
    write(states.map(([up]) => up * unit));
    const G = pulsesOf(conductances());
    const due = states.map(([up, down]) => Math.max(up, down) > 11 && Math.abs(up - down) < 7);
    expect(due.filter((d) => d).length).toBe(21);
    states.forEach(([up, down], s) => {
      const rest = Math.min(up, down);
      const expected = due[s] ? [up - rest, down - rest] : [up, down];
      expect([G[4 * s] + G[4 * s + 1], G[4 * s + 2] + G[4 * s + 3]]).toEqual(expected);
    });
  });

  test("goes by what has drifted, and the weight is read again even when no pulse was asked for", async () => {
    const pair = differentialPair(fading, {
      ...scale,
      maxPulses: 20,
      refresh: { above: "3 uS", difference: "6 uS" },
    });
    const { write, conductances, weights, simulation } = await programmable(pair);
    write(-2 * unit);
    write(10 * unit); // 10 and 2 uS: they differ by 8
    expect(pulsesOf(conductances())).toEqual([10, 2]);
    simulation.wait("2 s"); // 5 and 1 uS: they differ by 4
    write(0);
    expect(pulsesOf(conductances())).toEqual([4, 0]);
    expect(simulation.pulses("plastic")).toEqual([14, 2, 2]);
    expect(weights()[0] / unit).toBeCloseTo(4, 12);
    simulation.wait("2 s");
    write(0);
    expect(weights()[0] / unit).toBeCloseTo(2, 12);
  });
});

describe("time and scale", () => {
  test("wait lets devices drift and nothing else; ages count simulated time too", async () => {
    const { simulation, write, conductances } = await programmable(
      differentialPair(pcm, { weightPerConductance: "100 pA/uS", step: "0.8 uS" }),
      50,
    );
    write(400e-12);
    const fresh = conductances();
    simulation.run({ duration: "10 ms" });
    const time = simulation.time;
    simulation.wait("386 s");
    expect(simulation.time).toBe(time);
    expect(simulation.deviceTime).toBe(time + 386);
    const factor = (simulation.deviceTime / 38.6) ** -0.04; // the write was at time 0
    conductances().forEach((G, d) => {
      expect(Math.abs(G / fresh[d] / factor - 1)).toBeLessThan(1e-13);
    });
    expect(() => simulation.wait("-1 s")).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: devices cannot wait for -1 s]`,
    );
  });

  test("scaleWeights multiplies weights from the next read on, and writes mean scaled weights", async () => {
    const { simulation, write, weights, conductances } = await programmable(
      differentialPair(steady, { ...scale, devices: 2 }),
    );
    write(3 * unit);
    simulation.scaleWeights("plastic", 2);
    expect(weights()[0] / unit).toBeCloseTo(3, 12);
    simulation.run({ duration: "1 ms" });
    expect(weights()[0] / unit).toBeCloseTo(6, 12);
    write(4 * unit); // two steps, twice as heavy
    expect(weights()[0] / unit).toBeCloseTo(10, 12);
    expect(pulsesOf(conductances())).toEqual([3, 2, 0, 0]);
    expect(() => simulation.scaleWeights("plastic", 0)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: weights are scaled by a positive factor, not 0]`,
    );
  });
});

describe("errors", () => {
  const pair = (options: Partial<Parameters<typeof differentialPair>[1]>, model = steady) =>
    differentialPair(model as typeof steady, { ...scale, ...options });

  test("of a pair's numbers", () => {
    expect(() => pair({ devices: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a differential pair has 1 to 64 devices per polarity, not 0]`,
    );
    expect(() => pair({ devices: 65 })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a differential pair has 1 to 64 devices per polarity, not 65]`,
    );
    expect(() => pair({ devices: 1.5 })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a differential pair has 1 to 64 devices per polarity, not 1.5]`,
    );
    expect(() => pair({ maxPulses: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: maxPulses must be a whole number from 1 to 2147483647, not 0]`,
    );
    expect(() => pair({ step: "0 uS" })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: the conductance step must be positive, not 0 uS]`,
    );
    expect(() => pair({ step: "1 uA" })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: the conductance step is A, not S: 1 uA]`,
    );
    expect(() => pair({ weightPerConductance: "-1 pA/uS" })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: weightPerConductance must be positive, not -1 pA/uS]`,
    );
    expect(() => pair({ refresh: { above: "0 uS", difference: "1 uS" } })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: refresh needs positive conductances, not above 0 uS and difference 1 uS]`,
    );
  });

  test("of a device that lacks a pulse", () => {
    const only = (pulse: string) =>
      device({
        name: `a device with ${pulse}`,
        source: "test",
        equations: "G : S",
        initial: { G: "1 uS" },
        on: { [pulse]: "G = 2 * G" },
        read: "G",
      });
    expect(() => differentialPair(only("write"), scale)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a device with write has no "up" or "set" pulse; a differential pair writes with it; its pulses are write]`,
    );
    expect(() =>
      differentialPair(only("set"), { ...scale, refresh: { above: "5 uS", difference: "1 uS" } }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a device with set has no "reset" pulse; refresh needs it; its pulses are set]`,
    );
  });

  test("of a weight that the devices cannot make", () => {
    const rule = synapse({
      name: "potential rule",
      equations: "w : V (weight)",
      on: { pre: "w = 2 * w" },
    });
    const plain = synapse({ name: "no weight", equations: "w : A", on: { pre: "w = 2 * w" } });
    const [source, cells] = [spikeSource(1), neurons(1, lif)];
    expect(() =>
      synapses(source, cells, rule, { connect: allToAll(), weight: pair({}) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: potential rule: the weight w is V, the devices make A]`,
    );
    expect(() =>
      synapses(source, cells, plain, { connect: allToAll(), weight: pair({}) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: no weight has no variable flagged (weight) that could be stored on devices]`,
    );
  });

  test("of asking plain synapses for devices", async () => {
    const plain = synapse({ name: "plain", equations: "w : A (weight)", on: { pre: "ia_post += w" } });
    const [source, cells] = [spikeSource(1), neurons(1, lif)];
    const static_ = synapses(source, cells, plain, { connect: allToAll() });
    const simulation = await compile({ source, cells, static_ }, { dt: "1 ms", seed: 1 });
    expect(() => simulation.conductances("static_")).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: static_ does not keep its weights on devices]`,
    );
    expect(() => simulation.pulses("static_")).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: static_ does not keep its weights on devices]`,
    );
    expect(() => simulation.scaleWeights("static_", 2)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: static_ does not keep its weights on devices]`,
    );
  });
});
