import { describe, expect, test } from "vitest";
import { idealDevice } from "../../models/constant-step.ts";
import { memorylessPcm, pcm } from "../../models/pcm.ts";
import { relay } from "../../models/relay.ts";
import { constantStep } from "../../models/step-devices.ts";
import {
  allToAll,
  compile,
  differentialPair,
  type Model,
  neurons,
  spikeSource,
  synapse,
  synapses,
} from "../../src/index.ts";

/** One SET pulse at each presynaptic spike: the weight grows by the step a pulse is taken to make. */
const pulsed = synapse({
  name: "pulsed weight",
  equations: "w : A (weight)",
  on: { pre: "w += step" },
  parameters: { step: "0.1 nA" },
});

/** `count` devices as they are made; `pulse` gives each some SET pulses. */
async function devices(device: Model<"device">, count = 200_000) {
  const source = spikeSource(count / 400);
  const cells = neurons(400, relay);
  const plastic = synapses(source, cells, pulsed, {
    connect: allToAll(),
    weight: differentialPair(device, { devices: 1, weightPerConductance: "0.1 nA/uS", step: "1 uS" }),
  });
  const simulation = await compile({ source, cells, plastic }, { dt: "1 ms", seed: 11 });
  const pulse = (times: number) => {
    const train = Array.from({ length: times }, (_, n) => n * 1e-3);
    simulation.run({
      duration: `${times} ms`,
      inputs: { source: Array.from({ length: count / 400 }, () => train) },
    });
  };
  const positive = (options: { noise: boolean }) =>
    simulation.conductances("plastic", options).filter((_, k) => k % 2 === 0); // [synapse, polarity]
  return { simulation, pulse, positive };
}

function moments(values: Float64Array): { mean: number; sd: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return { mean, sd: Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length) };
}

describe("PCM, accumulation", () => {
  // means and deviations over 200,000 devices, uS: the specification's reference simulation
  const curve = [
    [1, 2.05, 1.52],
    [2, 3.43, 1.97],
    [3, 4.46, 2.19],
    [4, 5.27, 2.31],
    [5, 5.92, 2.38],
    [8, 7.25, 2.45],
    [10, 7.84, 2.48],
    [12, 8.3, 2.51],
    [15, 8.81, 2.56],
    [20, 9.4, 2.67],
  ] as const;

  test("20 pulses after RESET follow the published accumulation curve within 0.03 uS", async () => {
    const { simulation, pulse, positive } = await devices(pcm);
    for (let given = 1; given <= 20; given++) {
      pulse(1);
      const expected = curve.find(([n]) => n === given);
      if (!expected) continue;
      const { mean, sd } = moments(positive({ noise: false }));
      expect(Math.abs(mean * 1e6 - expected[1])).toBeLessThan(0.03);
      expect(Math.abs(sd * 1e6 - expected[2])).toBeLessThan(0.03);
    }
    expect(simulation.pulses("plastic")).toEqual([20 * 200_000, 0, 0]);
  });

  test("drifts by (t/T0)^-0.04: 0.912 after 10 T0, and does not move before T0", async () => {
    const { simulation, pulse, positive } = await devices(pcm, 4000);
    pulse(1);
    const first = positive({ noise: false });
    simulation.wait("38 s");
    expect(positive({ noise: false })).toEqual(first);
    simulation.wait("348 s"); // 386 s and the millisecond less the tick of the pulse
    const age = simulation.deviceTime;
    const later = positive({ noise: false });
    const factor = (age / 38.6) ** -0.04;
    expect(Math.abs(factor - 0.912)).toBeLessThan(5e-4);
    for (let k = 0; k < later.length; k++)
      expect(Math.abs(later[k] / first[k] / factor - 1)).toBeLessThan(1e-6);
  });

  test("a read is normal about the drifted conductance with 0.03 G + 0.13 uS", async () => {
    const { pulse, positive } = await devices(pcm);
    pulse(10);
    const G = positive({ noise: false });
    const noise = positive({ noise: true }).map((read, k) => (read - G[k]) / (0.03 * G[k] + 0.13e-6));
    const { mean, sd } = moments(noise);
    expect(Math.abs(mean)).toBeLessThan(4.89 / Math.sqrt(noise.length)); // a false alarm once in 1e6
    expect(Math.abs(sd - 1)).toBeLessThan(4.89 / Math.sqrt(2 * noise.length));
    const wrong = moments(noise.map((z, k) => (z * (0.03 * G[k] + 0.13e-6)) / (0.04 * G[k] + 0.13e-6)));
    expect(Math.abs(wrong.sd - 1)).toBeGreaterThan(4.89 / Math.sqrt(2 * noise.length)); // control: 0.04
  });

  test("drift exponents spread over devices when asked", async () => {
    const { simulation, pulse, positive } = await devices(pcm.with({ nuSd: 0.01 }), 40_000);
    pulse(1);
    const first = positive({ noise: false });
    simulation.wait("38600 s");
    const later = positive({ noise: false });
    const exponents = later.map((G, k) => -Math.log(G / first[k]) / Math.log(simulation.deviceTime / 38.6));
    const { mean, sd } = moments(exponents);
    expect(Math.abs(mean - 0.04)).toBeLessThan(4.89 * 0.01 * Math.sqrt(1 / 40_000));
    expect(Math.abs(sd - 0.01)).toBeLessThan(4.89 * 0.01 * Math.sqrt(1 / 80_000));
  });
});

describe("PCM, memoryless", () => {
  test("one pulse from RESET adds 0.892 - 0.0084 uS on average with 0.575 + 0.009 uS, clipped at 0.1 uS", async () => {
    const { pulse, positive } = await devices(memorylessPcm);
    pulse(1);
    const { mean } = moments(positive({ noise: false }));
    // mean of max(x, 0.1) for x of mean m and deviation s: m + s (phi(z) - z (1 - Phi(z))), z = (m - 0.1) / s
    const [m, s] = [0.1 + 0.892 - 0.0084, 0.575 + 0.009];
    const z = (m - 0.1) / s;
    const phi = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const below = 0.0651; // 1 - Phi(1.5130)
    expect(Math.abs(z - 1.513)).toBeLessThan(1e-3);
    const expected = m + s * (phi - z * below);
    expect(Math.abs(mean * 1e6 - expected)).toBeLessThan((4.89 * s) / Math.sqrt(200_000) + 1e-4);
  });
});

describe("constant steps", () => {
  test("the ideal device adds its step exactly until its bound", async () => {
    const { pulse, positive } = await devices(idealDevice, 400);
    pulse(5);
    expect(positive({ noise: true }).every((G) => Math.abs(G - 4e-6) < 1e-20)).toBe(true);
    pulse(25);
    expect(positive({ noise: true }).every((G) => G === 20e-6)).toBe(true);
  });

  test("steps spread by 30 % over devices and 30 % over pulses", async () => {
    const { pulse, positive } = await devices(
      constantStep.with({ Gref: "0 uS", step: "0.8 uS", stepSd: 0.3, pulseSd: 0.3 }),
    );
    pulse(4);
    const { mean, sd } = moments(positive({ noise: true }));
    // four pulses: device spread adds as 4 s, pulse spread as 2 s (1 + 0.09)^(1/2); a negative step, mirrored, is beyond 3 deviations
    const deviceSd = 4 * 0.8 * 0.3;
    const pulseSd = 2 * 0.8 * 0.3 * Math.sqrt(1.09);
    const expected = Math.hypot(deviceSd, pulseSd);
    expect(Math.abs(mean * 1e6 - 3.2)).toBeLessThan(0.02);
    expect(Math.abs(sd * 1e6 - expected)).toBeLessThan(0.02);
    expect(Math.abs(sd * 1e6 - deviceSd)).toBeGreaterThan(0.05); // control: no spread over pulses
  });
});
