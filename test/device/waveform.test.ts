/** Devices under a voltage: pulses that integrate differential equations, and waveforms. */
import { describe, expect, test } from "vitest";
import { device, fabricate } from "../../src/index.ts";
import { observedOrder } from "../language/stepping.ts";
import { twins } from "./twins.ts";

/** A filament that grows above one threshold and shrinks below another, and warms; Kvatinsky et al. 2015 in form. */
const filament = device({
  name: "filament",
  source: "test",
  equations: `
    up    = k * (1 + 0.1 * heat) * (V / Von - 1)^p * max(1 - x, 0)^q : Hz
    down  = -k * (V / Voff - 1)^p * max(x, 0)^q : Hz
    dx/dt = stuck ? 0 * k : (V > Von ? up : (V < Voff ? down : 0 * k)) : 1
    dheat/dt = (V * V / (Von * Von) - heat) / tau : 1
    G     = Gmin + (Gmax - Gmin) * x : S
    stuck : boolean (constant)
    k     : Hz
  `,
  initial: { x: "0.2 + 0.1 * rand()", heat: 0, stuck: "rand() < 0.2", k: "k0 * (1 + 0.1 * randn())" },
  on: {
    up: `
      k = k0 * (1 + 0.3 * randn())
      apply(amplitude * (1 - 0.1 * Gd / Gmax), width)
      x = clip(x * (1 + 0.01 * randn()), 0, 1)
    `,
    cycle: "apply(amplitude, width); apply(-amplitude, width); x = clip(x, 0, 1); k = k0 * (1 + heat / 100)",
  },
  drift: "G * (max(age, tau) / tau)^(-nu)",
  read: "Gd * (1 + 0.02 * randn())",
  current: "V * G + sinh(V / V0) * Gmin * V0 * (1 + 0.01 * randn()) + (Gd - G) * V + age / tau * Gmin * V",
  arguments: ["amplitude", "width"],
  steps: 5,
  parameters: {
    amplitude: "1 V",
    width: "1 ms",
    Von: "0.3 V",
    Voff: "-0.25 V",
    k0: "200 Hz",
    p: 1.5,
    q: 0.7,
    tau: "5 ms",
    Gmin: "1 uS",
    Gmax: "100 uS",
    V0: "0.2 V",
    nu: 0.03,
  },
});

test("pulses and waveforms of machine code and interpreter agree bit for bit", async () => {
  const both = await twins(filament, 7, 4);
  both.pulse("up");
  both.wait(2);
  both.pulse("up", [1, 6, 1, 3], {
    amplitude: 1.2,
    width: Float64Array.from({ length: 7 }, (_, d) => 1e-4 * d),
  });
  let compared = both.compare();
  both.pulse("cycle", undefined, { amplitude: 0.8 });
  compared += both.compare();
  const wave = Array.from({ length: 40 }, (_, n) => 1.2 * Math.sin((2 * Math.PI * n) / 20));
  const currents = both.drive(wave, 1e-4);
  both.drive([0.1, -1], 2e-4);
  both.pulse("up", [0, 1]);
  compared += both.compare();
  expect(compared).toBe(3 * 7 * 6);
  expect(new Set(currents).size).toBeGreaterThan(250); // alive: 40 samples of 7 devices
  expect(both.array.get("stuck").filter((stuck) => stuck === 1).length).toBe(2);
});

/** x follows the voltage with time constant tau: known in closed form, for equations and for their RK4 steps. */
const relaxing = device({
  name: "relaxing",
  source: "test",
  equations: "dx/dt = (V / U - x) / tau : 1",
  initial: { x: 0.1 },
  on: { up: "apply(U, width)", twice: "apply(U, width / 2); apply(U, width / 2)" },
  read: "g * x",
  current: "g * x * V",
  arguments: ["width"],
  steps: 4,
  parameters: { U: "1 V", tau: "1 s", width: "1 s", g: "1 uS" },
});

/** What a classical RK4 step multiplies a decaying difference by: the exponential to its fourth power. */
const shrink = (h: number) => 1 - h + h ** 2 / 2 - h ** 3 / 6 + h ** 4 / 24;

describe("an applied voltage", () => {
  test("moves a linear equation by the RK4 polynomial of every step, to rounding", async () => {
    const devices = await fabricate(3, relaxing, { seed: 1 });
    devices.pulse("up", undefined, { width: [0.5, 1, 2] });
    devices.get("x").forEach((x, d) => {
      const expected = 1 - 0.9 * shrink([0.5, 1, 2][d] / 4) ** 4;
      expect(Math.abs(x - expected)).toBeLessThan(1e-15);
    });
    expect(devices.time).toBe(0); // pulses take no time
  });

  test("errs by order 4 in the step", async () => {
    const errors = new Map<number, number>();
    for (const steps of [4, 8, 16, 32]) {
      const devices = await fabricate(1, device({ ...relaxing.definition, steps }), { seed: 1 });
      devices.pulse("up");
      errors.set(1 / steps, Math.abs(devices.get("x")[0] - (1 - 0.9 * Math.exp(-1))));
    }
    const order = observedOrder(1 / 4, 3, (dt) => errors.get(dt) as number);
    expect(order).toBeGreaterThan(3.9);
    expect(order).toBeLessThan(4.1);
  });

  test("of two halves is two applications", async () => {
    const devices = await fabricate(1, relaxing, { seed: 1 });
    devices.pulse("twice");
    expect(Math.abs(devices.get("x")[0] - (1 - 0.9 * shrink(1 / 8) ** 8))).toBeLessThan(1e-15);
  });
});

describe("a waveform", () => {
  test("makes the steps of a pulse, one for a sample, and time passes", async () => {
    const driven = await fabricate(2, relaxing, { seed: 1 });
    const pulsed = await fabricate(2, relaxing, { seed: 1 });
    const currents = driven.drive([1, 1, 1, 1], "0.25 s");
    pulsed.pulse("up");
    expect(driven.get("x")).toEqual(pulsed.get("x"));
    expect(driven.time).toBe(1);
    expect(currents.length).toBe(8);
    const x = 1 - 0.9 * shrink(0.25); // the current is that after the step
    expect(Math.abs(currents[1] / (1e-6 * x) - 1)).toBeLessThan(1e-15);
    expect(currents[7]).toBe(1e-6 * driven.get("x")[1]);
  });

  test("may be driven in pieces", async () => {
    const [whole, parts] = [
      await fabricate(5, filament, { seed: 2 }),
      await fabricate(5, filament, { seed: 2 }),
    ];
    const wave = Float64Array.from({ length: 10_000 }, (_, n) => Math.sin(n / 100));
    const currents = whole.drive(wave, "1 us"); // more samples than one call of machine code takes
    expect(parts.drive(wave.subarray(0, 1), "1 us")).toEqual(currents.slice(0, 5));
    expect(parts.drive([], "1 us").length).toBe(0);
    expect(parts.drive(wave.subarray(1), "1 us")).toEqual(currents.slice(5));
    expect(parts.read()).toEqual(whole.read());
  });

  test("drifts a device that has no differential equations: only a write sets age back", async () => {
    const ohm = device({
      name: "drifting ohm",
      source: "test",
      equations: "G : S",
      initial: { G: "8 uS" },
      on: { set: "G = G" },
      drift: "G / (1 + age / second)",
      read: "Gd",
      current: "V * Gd",
      parameters: { second: "1 s" },
    });
    const devices = await fabricate(2, ohm, { seed: 1 });
    expect([...devices.drive([1, 1, 2], "1 s")]).toEqual([4e-6, 4e-6, 8e-6 / 3, 8e-6 / 3, 4e-6, 4e-6]);
    devices.pulse("set", [1]);
    expect([...devices.read()]).toEqual([2e-6, 8e-6]);
  });

  test("is refused where the model has no current, where it is not finite, and where it ends in NaN", async () => {
    const message = async (
      model: typeof relaxing,
      voltage: number[],
      dt: "1 s" | "0 s" = "1 s",
    ): Promise<string> => {
      const devices = await fabricate(2, model, { seed: 1 });
      try {
        devices.drive(voltage, dt);
      } catch (error) {
        return `${(error as Error).name}: ${(error as Error).message}`;
      }
      return "no error";
    };
    const { current: _, ...silent } = relaxing.definition;
    const rooted = { ...relaxing.definition, current: "g * V * sqrt(x - 5)" };
    expect(
      [
        await message(device(silent) as never, [1]),
        await message(relaxing, [1, Number.NaN]),
        await message(relaxing, [1], "0 s"),
        await message(device(rooted) as never, [100, 100, -100, -100]),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "ConfigError: relaxing cannot be driven: its model does not say its current, as current: "V * G"
      ConfigError: sample 1 of the voltage is NaN
      ConfigError: a sample of a waveform takes a positive time, not 0 s
      NumericError: relaxing: the current of device 0 is NaN after sample 2; a shorter dt may help"
    `);
  });
});
