import { describe, expect, test } from "vitest";
import { idealDevice } from "../../models/constant-step.ts";
import { pcm } from "../../models/pcm.ts";
import { pcmInference } from "../../models/pcm-inference.ts";
import { type DeviceArray, device, fabricate, type Time } from "../../src/index.ts";
import { departure, limit, moments, normal } from "./distribution.ts";

const quiet = { noise: false } as const;
const T0 = 38.6; // s
const uS = 1e-6;

/** Lets `work` run and counts the calls of machine code that it makes. */
async function machineCalls(work: () => Promise<void>): Promise<number> {
  const { instantiate } = WebAssembly;
  let calls = 0;
  WebAssembly.instantiate = (async (...args: Parameters<typeof instantiate>) => {
    const made = (await instantiate(...args)) as unknown as WebAssembly.WebAssemblyInstantiatedSource;
    const exports = Object.fromEntries(
      Object.entries(made.instance.exports as Record<string, (...a: number[]) => number>).map(([name, f]) => [
        name,
        (...a: number[]) => {
          calls++;
          return f(...a);
        },
      ]),
    );
    return { instance: { exports } };
  }) as never;
  try {
    await work();
  } finally {
    WebAssembly.instantiate = instantiate;
  }
  return calls;
}

describe("accumulation of SET pulses", () => {
  // uS after so many pulses from RESET: reference simulation of the specification, 200,000 devices
  const curve = [
    { pulses: 1, mean: 2.05, sd: 1.52 },
    { pulses: 2, mean: 3.43, sd: 1.97 },
    { pulses: 3, mean: 4.46, sd: 2.19 },
    { pulses: 4, mean: 5.27, sd: 2.31 },
    { pulses: 5, mean: 5.92, sd: 2.38 },
    { pulses: 8, mean: 7.25, sd: 2.45 },
    { pulses: 10, mean: 7.84, sd: 2.48 },
    { pulses: 12, mean: 8.3, sd: 2.51 },
    { pulses: 15, mean: 8.81, sd: 2.56 },
    { pulses: 20, mean: 9.4, sd: 2.67 },
  ];

  /** Largest distance of mean and sd from the curve, uS, over 200,000 devices. */
  async function distances(model: typeof pcm): Promise<number[]> {
    const devices = await fabricate(200_000, model, { seed: "check curve" });
    const measured: { mean: number; sd: number }[] = [];
    for (let n = 1; n <= 20; n++) {
      devices.pulse("set");
      measured[n] = moments(devices.read(quiet).map((G) => G / uS));
    }
    return curve.flatMap(({ pulses, mean, sd }) => [
      Math.abs(measured[pulses].mean - mean),
      Math.abs(measured[pulses].sd - sd),
    ]);
  }

  test("200,000 PCM devices follow the published curve within 0.03 uS in mean and sd, up to 20 pulses", async () => {
    const calls = await machineCalls(async () => {
      expect(Math.max(...(await distances(pcm)))).toBeLessThan(0.03);
    });
    expect(calls).toBe(3 + 20 + 20); // fabrication of G, P and nu; pulses; reads
    expect(Math.max(...(await distances(pcm.with({ alpha: 2.7 }))))).toBeGreaterThan(0.03); // control: 2.6
  });

  test("RESET restores P = 1 and draws G anew from N(0.1, 0.01) uS", async () => {
    const devices = await fabricate(200_000, pcm, { seed: 2 });
    const made = devices.get("G");
    for (let n = 0; n < 3; n++) devices.pulse("set");
    const P = Math.exp(-1 / 2.6);
    expect(devices.get("P").every((p) => Math.abs(p - P ** 3) < 4 * Number.EPSILON)).toBe(true);
    devices.pulse("reset");
    expect(new Set(devices.get("P"))).toEqual(new Set([1]));
    const G = devices.get("G");
    expect(departure(G, normal(0.1 * uS, 0.01 * uS))).toBeLessThan(1);
    expect(departure(G, normal(0.1 * uS, 0.0105 * uS))).toBeGreaterThan(1); // control: 5 % wider
    expect(G.some((g, d) => g === made[d])).toBe(false);
    devices.pulse("set");
    expect(devices.get("P")[0]).toBeCloseTo(P, 15);
  });
});

describe("drift", () => {
  test("G falls by (t / T0)^-0.04 from T0 on: 0.912 at 10 T0; before T0 it stands", async () => {
    const devices = await fabricate(500, pcm, { seed: 3 });
    devices.pulse("set");
    const G = devices.get("G");
    const at = (time: number): Float64Array => {
      devices.wait(`${time - devices.time} s`);
      return devices.read(quiet);
    };
    expect(at(0)).toEqual(G);
    expect(at(1)).toEqual(G);
    expect(at(T0)).toEqual(G);
    const decade = at(10 * T0);
    expect(Math.abs(decade[0] / G[0] - 0.912)).toBeLessThan(5e-4);
    for (const age of [10, 100, 1e6].map((factor) => factor * T0)) {
      const factor = (age / T0) ** -0.04;
      at(age).forEach((g, d) => {
        expect(Math.abs(g / G[d] / factor - 1)).toBeLessThan(1e-13);
      });
    }
  });

  test("a pulse starts drift anew and adds to the conductance that has not drifted", async () => {
    const young = await fabricate(500, pcm, { seed: 4 });
    const old = await fabricate(500, pcm, { seed: 4 });
    for (const devices of [young, old]) devices.pulse("set");
    old.wait("1 day");
    const factor = (86_400 / T0) ** -0.04; // 0.73
    expect(old.read(quiet)[7] / old.get("G")[7]).toBeCloseTo(factor, 13);
    for (const devices of [young, old]) devices.pulse("set");
    expect(old.get("G")).toEqual(young.get("G"));
    expect(old.read(quiet)).toEqual(young.read(quiet));
    old.wait("386 s");
    expect(old.read(quiet)[7] / old.get("G")[7]).toBeCloseTo(10 ** -0.04, 13);
  });

  test("only the pulsed device drifts anew", async () => {
    const devices = await fabricate(3, pcm, { seed: 5 });
    devices.pulse("set");
    devices.wait("386 s");
    devices.pulse("set", [1]);
    const ratio = devices.read(quiet).map((g, d) => g / devices.get("G")[d]);
    expect(ratio[0]).toBeCloseTo(10 ** -0.04, 13);
    expect(ratio[1]).toBe(1);
    expect(ratio[2]).toBeCloseTo(10 ** -0.04, 13);
  });

  test("drift exponents differ from device to device as N(0.04, 0.012), once and for all", async () => {
    const devices = await fabricate(200_000, pcm.with({ nuSd: 0.012 }), { seed: 6 });
    devices.pulse("set");
    const exponents = (age: number): Float64Array => {
      devices.wait(`${age - devices.time} s`);
      const G = devices.get("G");
      return devices.read(quiet).map((g, d) => -Math.log(g / G[d]) / Math.log(age / T0));
    };
    const first = exponents(386);
    expect(departure(first, normal(0.04, 0.012))).toBeLessThan(1);
    expect(departure(first, normal(0.04, 0.0126))).toBeGreaterThan(1); // control: 5 % wider
    expect(departure(first, normal(0.0404, 0.012))).toBeGreaterThan(1); // control: mean 1 % larger
    const later = exponents(386_000);
    expect(Math.max(...first.map((nu, d) => Math.abs(later[d] - nu)).subarray(0, 1000))).toBeLessThan(1e-12);
  });
});

describe("reads", () => {
  test("a read is normal about the drifted conductance with sd 0.03 Gd + 0.13 uS, fresh each time", async () => {
    const devices = await fabricate(200_000, pcm, { seed: 7 });
    for (let n = 0; n < 6; n++) devices.pulse("set");
    devices.wait("1 h");
    const Gd = devices.read(quiet);
    const reads = [devices.read(), devices.read()];
    const deviates = (m3: number, c3: number) => (read: Float64Array) =>
      read.map((g, d) => (g - Gd[d]) / (m3 * Gd[d] + c3 * uS));
    const [first, second] = reads.map(deviates(0.03, 0.13));
    for (const z of [first, second]) expect(departure(z, normal(0, 1))).toBeLessThan(1);
    for (const [m3, c3] of [
      [0.032, 0.13], // controls: noise that grows or starts 6 % differently
      [0.03, 0.146],
    ])
      expect(departure(deviates(m3, c3)(reads[0]), normal(0, 1))).toBeGreaterThan(1);
    const difference = first.map((z, d) => (z - second[d]) / Math.SQRT2);
    expect(departure(difference, normal(0, 1))).toBeLessThan(1);
    expect(devices.read(quiet)).toEqual(Gd);
  });

  test("without drift a quiet read has every draw at its mean", async () => {
    const noisy = device({
      name: "noisy ohm",
      source: "test",
      equations: "G : S",
      initial: { G: "1 uS" },
      on: { set: "G += step" },
      read: "G + noise * randn() + noise * (rand() - 0.5)",
      parameters: { step: "1 uS", noise: "0.1 uS" },
    });
    const devices = await fabricate(20_000, noisy, { seed: 8 });
    expect(new Set(devices.read(quiet))).toEqual(new Set([1e-6]));
    const { mean, sd } = moments(devices.read());
    const expected = 0.1 * uS * Math.sqrt(1 + 1 / 12);
    expect(Math.abs(mean - 1e-6)).toBeLessThan((limit * expected) / Math.sqrt(20_000));
    expect(Math.abs(sd / expected - 1)).toBeLessThan(limit / Math.sqrt(2 * 20_000));
  });
});

describe("the nth pulse of a device is the same whatever happens to others", () => {
  const G = (devices: DeviceArray): number[] => [...devices.get("G")];

  test("in lists, in another order, among fewer devices, after reads and waits", async () => {
    const all = await fabricate(100, pcm, { seed: 9 });
    for (let n = 0; n < 3; n++) all.pulse("set");

    const listed = await fabricate(100, pcm, { seed: 9 });
    const backwards = Array.from({ length: 300 }, (_, k) => 99 - (k % 100));
    listed.read();
    listed.pulse("set", backwards);
    expect(G(listed)).toEqual(G(all));

    const one = await fabricate(7, pcm, { seed: 9 });
    one.pulse("set", [5, 5]);
    one.wait("1 h");
    one.read();
    one.pulse("set", [5]);
    expect(G(one)[5]).toBe(G(all)[5]);
    expect(G(one)[4]).toBe((await fabricate(100, pcm, { seed: 9 })).get("G")[4]);
  });

  test("pulses of one device are distinct draws, and devices and seeds differ", async () => {
    const steps = device({
      name: "random steps",
      source: "test",
      equations: "G : S",
      initial: { G: "0 uS" },
      on: { set: "G += step * randn()" },
      read: "G",
      parameters: { step: "1 uS" },
    });
    const seen = new Set<number>();
    for (const seed of ["a", "b"]) {
      const devices = await fabricate(1000, steps, { seed });
      const increments: Float64Array[] = [];
      for (let n = 0; n < 10; n++) {
        const before = devices.get("G");
        devices.pulse("set");
        increments.push(devices.get("G").map((g, d) => g - before[d]));
        for (const x of increments[n]) seen.add(Math.round(x * 1e15));
      }
      // neighbouring pulses are uncorrelated
      const product = increments[0].map((x, d) => (x * increments[1][d]) / uS ** 2);
      expect(Math.abs(moments(product).mean)).toBeLessThan(limit / Math.sqrt(1000));
    }
    expect(seen.size).toBeGreaterThan(19_990); // of 20,000 numbers read off to 1e-9 deviations
  });
});

describe("what a model may say", () => {
  test("a truth value: devices that are stuck do not move", async () => {
    const faulty = device({
      name: "faulty",
      source: "test",
      equations: `
        G     : S
        stuck : boolean (constant)
      `,
      initial: { G: "1 uS", stuck: "rand() < share" },
      on: { set: "G = stuck ? G : G + step" },
      read: "G",
      parameters: { step: "1 uS", share: 0.2 },
    });
    const devices = await fabricate(10_000, faulty, { seed: 10 });
    devices.pulse("set");
    const stuck = devices.get("stuck");
    expect([...devices.read()].every((g, d) => g === (stuck[d] ? 1e-6 : 2e-6))).toBe(true);
    const share = moments(stuck).mean;
    expect(Math.abs(share - 0.2)).toBeLessThan(limit * Math.sqrt((0.2 * 0.8) / 10_000));
  });

  test("age in a pulse, Poisson numbers, the index of the device", async () => {
    const odd = device({
      name: "odd",
      source: "test",
      equations: "G : S",
      initial: { G: "i * unit" },
      on: { set: "G += unit * poisson(mean * age / second)" },
      read: "G",
      parameters: { unit: "1 uS", mean: 2, second: "1 s" },
    });
    const devices = await fabricate(10_000, odd, { seed: 11 });
    devices.pulse("set");
    expect([...devices.get("G")]).toEqual(Array.from({ length: 10_000 }, (_, d) => d * 1e-6));
    devices.wait("30 s");
    devices.pulse("set");
    const added = devices.get("G").map((g, d) => g / uS - d);
    const { mean, sd } = moments(added);
    expect(Math.abs(mean - 60)).toBeLessThan((limit * Math.sqrt(60)) / 100);
    expect(Math.abs(sd / Math.sqrt(60) - 1)).toBeLessThan((limit * Math.sqrt(2 + 1 / 60)) / 200);
  });

  test("stored variables can be set: G of every device, or one for each", async () => {
    const devices = await fabricate(4, pcm, { seed: 12 });
    devices.set("G", 5e-6);
    devices.set("nu", [0, 0.01, 0.02, 0.03]);
    devices.wait("386 s");
    [0, 0.01, 0.02, 0.03].forEach((nu, d) => {
      expect(devices.read(quiet)[d]).toBeCloseTo(5e-6 * 10 ** -nu, 18);
    });
  });
});

describe("errors name the nearest thing that would do", () => {
  const message = async (work: (devices: DeviceArray) => unknown): Promise<string> => {
    const devices = await fabricate(4, pcm, { seed: 13 });
    try {
      await work(devices);
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    return "no error";
  };

  test("pulses, devices, variables, times, sizes", async () => {
    expect(await message((devices) => devices.pulse("sett"))).toMatchInlineSnapshot(
      `"ConfigError: PCM, accumulation has no pulse sett; did you mean set?"`,
    );
    expect(await message((devices) => devices.pulse("anneal"))).toMatchInlineSnapshot(
      `"ConfigError: PCM, accumulation has no pulse anneal; its pulses are set, reset"`,
    );
    expect(await message((devices) => devices.pulse("set", [0, 4]))).toMatchInlineSnapshot(
      `"ConfigError: there is no device 4 among 4"`,
    );
    expect(await message((devices) => devices.pulse("set", [0.5]))).toMatchInlineSnapshot(
      `"ConfigError: there is no device 0.5 among 4"`,
    );
    expect(await message((devices) => devices.get("g"))).toMatchInlineSnapshot(
      `"ConfigError: PCM, accumulation stores no g; did you mean G?"`,
    );
    expect(await message((devices) => devices.set("G", [1e-6]))).toMatchInlineSnapshot(
      `"ConfigError: G has 4 values, one for each device, not 1"`,
    );
    expect(await message((devices) => devices.wait("-1 s"))).toMatchInlineSnapshot(
      `"ConfigError: devices cannot wait for -1 s"`,
    );
    expect(await message((devices) => devices.wait("1 m" as Time))).toMatchInlineSnapshot(
      `"ConfigError: "1 m" is m, s is expected"`,
    );
    expect(await message(() => fabricate(0, idealDevice, { seed: 1 }))).toMatchInlineSnapshot(
      `"ConfigError: an array has a whole number of devices from 1 to 16777216, not 0"`,
    );
  });

  test("a refused list pulses nobody", async () => {
    const devices = await fabricate(4, idealDevice, { seed: 14 });
    expect(() => devices.pulse("set", [0, 1, 9])).toThrow();
    expect([...devices.get("G")]).toEqual([0, 0, 0, 0]);
  });
});

test("a read after a time that does not pass is that of devices which waited, and one by its number counts for nothing", async () => {
  const make = async () => {
    const array = await fabricate(5, pcmInference, { seed: 3 });
    array.pulse("program");
    return array;
  };
  const [array, waited] = [await make(), await make()];
  const first = array.read({ after: "1 h", number: 0 });
  expect(array.time).toBe(0);
  expect(array.read({ after: "1 h", number: 7 })).not.toEqual(first);
  const quiet = array.read({ after: "1 h", noise: false });
  expect(quiet).not.toEqual(array.read({ noise: false }));
  waited.wait("1 h");
  expect(waited.read()).toEqual(first);
  expect(waited.read({ noise: false })).toEqual(quiet);
  array.wait("1 h");
  expect(array.read()).toEqual(first); // the reads before did not count
  expect(() => array.read({ number: 1.5 })).toThrow("the number of a read is a whole number");
  expect(() => array.read({ after: "-1 s" })).toThrow("devices cannot wait for -1 s");
});
