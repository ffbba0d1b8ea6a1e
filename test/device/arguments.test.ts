/** Arguments of pulses, the drifted conductance in pulses, truth values. */
import { describe, expect, test } from "vitest";
import { device, fabricate } from "../../src/index.ts";
import { twins } from "./twins.ts";

/** Graded pulses that act on the drifted conductance; some devices are stuck from the start, some get stuck. */
const graded = device({
  name: "graded",
  source: "test",
  equations: `
    G      : S
    worn   : 1
    stuck  : boolean (constant)
    broken : boolean
    charge = amplitude * width / (Vref * second) : 1
    moves  = not (stuck or broken) : boolean
  `,
  initial: {
    G: "Gmin * (1 + 0.1 * randn())",
    worn: 0,
    stuck: "rand() < 0.2",
    broken: "stuck and rand() < 0.5",
  },
  on: {
    up: `
      broken = broken or rand() < 0.05
      G = moves ? clip(Gd + step * charge * (1 + 0.3 * randn()), Gmin, Gmax) : G
      worn += int(broken) + charge^2 / (1 + worn)
      G = Gd > G / 2 and not stuck ? G : Gd
    `,
    down: "G = max(Gmin, Gd - step * charge)",
    reset: "G = Gmin * (1 + 0.1 * randn())",
  },
  drift: "G * (max(age, t0) / t0)^(-nu)",
  read: "stuck ? Gmin : Gd * (1 + 0.02 * randn())",
  arguments: ["amplitude", "width"],
  parameters: {
    amplitude: "1 V",
    width: "100 ns",
    Vref: "1 V",
    second: "100 ns",
    step: "1 uS",
    Gmin: "0.5 uS",
    Gmax: "20 uS",
    nu: 0.05,
    t0: "1 s",
  },
});

test("machine code and interpreter agree bit for bit on arguments, Gd in pulses and truth values", async () => {
  const size = 37;
  const both = await twins(graded, size, 1);
  const widths = Float64Array.from({ length: size }, (_, d) => 1e-7 * (1 + (d % 5)));
  let compared = both.compare();
  both.pulse("up");
  both.wait(3600);
  both.pulse("up", undefined, { amplitude: 1.3 });
  compared += both.compare();
  both.wait(10);
  both.pulse("up", [3, 36, 3, 0], { width: widths, amplitude: 0.7 });
  both.pulse("down", undefined, { width: widths });
  both.pulse("reset", [2, 35]);
  both.pulse("up");
  expect(compared + both.compare()).toBe(3 * 6 * size);
  const broken = both.array.get("broken").reduce((sum, x) => sum + x, 0);
  expect(broken).toBeGreaterThan(3); // some, but not all, get stuck
  expect(broken).toBeLessThan(size / 2);
});

/** G grows by gain times the amplitude; no noise. */
const linear = device({
  name: "linear",
  source: "test",
  equations: "G : S\nbefore : S",
  initial: { G: "10 uS", before: 0 },
  on: {
    up: "G += gain * amplitude; before = Gd",
    reset: "G = 0",
    halve: "G = Gd / 2 + 0 * gain * amplitude",
  },
  drift: "G / (1 + age / tau)",
  read: "Gd",
  arguments: ["amplitude"],
  parameters: { gain: "1 uS / V", amplitude: "2 V", tau: "1 s" },
});

describe("an argument", () => {
  test("is a quantity, a number in SI units, or a number for each device; else its parameter's value", async () => {
    const devices = await fabricate(3, linear, { seed: 1 });
    const G = () => [...devices.get("G")].map((g) => Math.round(g * 1e9) / 1e3);
    devices.pulse("up", undefined, { amplitude: "500 mV" });
    expect(G()).toEqual([10.5, 10.5, 10.5]);
    devices.pulse("up", undefined, { amplitude: -0.25 });
    expect(G()).toEqual([10.25, 10.25, 10.25]);
    devices.pulse("up", [2, 0, 2], { amplitude: [1, 2, 3] });
    expect(G()).toEqual([11.25, 10.25, 16.25]); // device 2 twice, with its own value
    devices.pulse("up");
    expect(G()).toEqual([13.25, 12.25, 18.25]);
  });

  test("has another default in a model with another parameter", async () => {
    const devices = await fabricate(1, linear.with({ amplitude: "3 V" }), { seed: 1 });
    devices.pulse("up");
    expect(devices.get("G")[0]).toBeCloseTo(13e-6, 18);
  });

  test("is refused where it is wrong, and nothing is pulsed", async () => {
    const devices = await fabricate(2, linear, { seed: 1 });
    const message = (work: () => void): string => {
      try {
        work();
      } catch (error) {
        return `${(error as Error).name}: ${(error as Error).message}`;
      }
      return "no error";
    };
    expect(message(() => devices.pulse("up", [0], { amplitud: 1 }))).toMatchInlineSnapshot(
      `"ConfigError: linear has no argument amplitud; did you mean amplitude?"`,
    );
    expect(message(() => devices.pulse("up", [0], { gain: 1 }))).toMatchInlineSnapshot(
      `"ConfigError: linear has no argument gain; its arguments are amplitude"`,
    );
    expect(message(() => devices.pulse("up", [0], { amplitude: "2 s" }))).toMatchInlineSnapshot(
      `"ConfigError: linear, argument amplitude: "2 s" is s, not V"`,
    );
    expect(message(() => devices.pulse("up", [0], { amplitude: "many" }))).toMatchInlineSnapshot(
      `"ConfigError: "many" is not a quantity: a number and a unit are expected, such as "5 ms""`,
    );
    expect(message(() => devices.pulse("up", [0], { amplitude: [1] }))).toMatchInlineSnapshot(
      `"ConfigError: linear, argument amplitude: there are 2 values, one for each device, not 1"`,
    );
    expect(message(() => devices.pulse("up", [0], { amplitude: [1, Number.NaN] }))).toMatchInlineSnapshot(
      `"ConfigError: linear, argument amplitude: NaN is not a finite number"`,
    );
    expect(
      message(() => devices.pulse("up", [0], { amplitude: Number.POSITIVE_INFINITY })),
    ).toMatchInlineSnapshot(`"ConfigError: linear, argument amplitude: Infinity is not a finite number"`);
    expect(message(() => devices.pulse("reset", [0], { amplitude: 1 }))).toMatchInlineSnapshot(
      `"ConfigError: the pulse reset of linear does not use amplitude"`,
    );
    expect([...devices.get("G")]).toEqual([1e-5, 1e-5]);
  });
});

test("Gd in a pulse is the drifted conductance before its first statement", async () => {
  const devices = await fabricate(2, linear, { seed: 1 });
  devices.wait("3 s");
  devices.pulse("up", [1]);
  expect([...devices.get("before")]).toEqual([0, 1e-5 / 4]); // not (10 + 2) / 4, not 12 uS
  devices.pulse("halve", [0]);
  expect(devices.get("G")[0]).toBe(1e-5 / 8);
});

test("a truth value is set to 0 or 1 and nothing else", async () => {
  const devices = await fabricate(2, graded, { seed: 2 });
  devices.set("broken", 1);
  devices.set("stuck", [0, 1]);
  expect([...devices.get("stuck")]).toEqual([0, 1]);
  expect(() => devices.set("stuck", 2)).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: stuck is a truth value, 0 or 1, not 2]`,
  );
  expect(() => devices.set("stuck", [0, 0.5])).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: stuck is a truth value, 0 or 1, not 0.5]`,
  );
  expect([...devices.get("stuck")]).toEqual([0, 1]);
});

describe("the model's text", () => {
  const base = {
    name: "A",
    source: "test",
    equations: "G : S\nfactor = a : 1",
    initial: { G: "g" },
    on: { set: "G += g * factor" },
    read: "G",
    arguments: ["a"],
    parameters: { g: "1 uS", a: 1 },
  } as const;
  const message = (change: object): string => {
    try {
      device({ ...base, ...change });
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    return "no error";
  };

  test("is refused with an argument that is no parameter, listed twice, or used outside pulses", () => {
    expect(message({})).toBe("no error");
    expect(message({ arguments: ["b"], parameters: { g: "1 uS", a: 1 } })).toMatchInlineSnapshot(`
      "ModelError: A, arguments: b is not a parameter
          b
          ^
        an argument of pulses is a parameter, whose value it has where a pulse is not given another"
    `);
    expect(message({ arguments: ["width"] })).toMatchInlineSnapshot(`
      "ModelError: A, arguments: width is not a parameter
          width
          ^^^^^
        an argument of pulses is a parameter, whose value it has where a pulse is not given another"
    `);
    expect(message({ arguments: ["a", "a"] })).toMatchInlineSnapshot(`
      "ModelError: A, arguments: a is listed twice
          a
          ^"
    `);
    expect(message({ arguments: "a" })).toMatchInlineSnapshot(`
      "ModelError: A: arguments must be a list of names of parameters
        such as arguments: ["amplitude", "width"]"
    `);
    expect(message({ read: "G * a" })).toMatchInlineSnapshot(`
      "ModelError: A, read: a is an argument of pulses
          G * a
              ^
        it has no value here; what lasts is stored in a variable"
    `);
    expect(message({ read: "G * factor" })).toMatchInlineSnapshot(`
      "ModelError: A, read: a is an argument of pulses
          G * factor
              ^^^^^^
        it has no value here; what lasts is stored in a variable"
    `);
    expect(message({ drift: "G / (factor + age / age)" })).toMatchInlineSnapshot(`
      "ModelError: A, drift: a is an argument of pulses
          G / (factor + age / age)
               ^^^^^^
        it has no value here; what lasts is stored in a variable"
    `);
    expect(message({ initial: { G: "g * a" } })).toMatchInlineSnapshot(`
      "ModelError: A, initial G: a is an argument of pulses
          g * a
              ^
        it has no value here; what lasts is stored in a variable"
    `);
  });

  test("may use Gd in pulses only with a drift", () => {
    expect(message({ on: { set: "G = Gd * factor" } })).toMatchInlineSnapshot(`
      "ModelError: A, handler set: unknown name Gd
          G = Gd * factor
              ^^
        Gd is the drifted conductance, and the model has no drift"
    `);
    expect(message({ on: { set: "G = Gd * factor" }, drift: "G * exp(-age / age)" })).toBe("no error");
  });
});
