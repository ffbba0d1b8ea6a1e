/** What the text of a pulse becomes: moves, steps of differential equations, and where it is refused. */
import { describe, expect, test } from "vitest";
import { inline } from "../../src/language/algebra.ts";
import { namesIn, number } from "../../src/language/expression.ts";
import { device, neuron, synapse } from "../../src/language/model.ts";
import { moves, odeStep, outcome } from "../../src/language/pulse.ts";
import { evaluate, evaluator, observedOrder, type Values } from "./stepping.ts";

const base = {
  name: "D",
  source: "test",
  equations: `
    dx/dt = pull * x    : 1
    dy/dt = -w * x      : 1
    pull  = w * y / x   : Hz
    G     : S
  `,
  initial: { x: 1, y: 0, G: "g" },
  on: { up: "G += g; apply(U, T); y = y / 1; G += x * g" },
  read: "G",
  parameters: { w: "1 Hz", U: "1 V", T: "1 s", g: "1 uS" },
} as const;

const message = (change: object, make: (definition: never) => unknown = device): string => {
  try {
    make({ ...base, ...change } as never);
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return "no error";
};

describe("apply", () => {
  const { checked } = device(base);

  test("is one move of all differential equations between the statements around it", () => {
    const found = moves(checked.handlers.up);
    expect(found.map(({ values }) => [...values.keys()])).toEqual([["G"], ["x", "y"], ["y"], ["G"]]);
    expect(found.map(({ application }) => application?.steps)).toEqual([undefined, 16, undefined, undefined]);
    const two = device({ ...base, on: { up: "apply(U, T); apply(-U, T)" }, steps: 3 }).checked.handlers.up;
    expect(moves(two).map(({ application }) => application?.steps)).toEqual([3, 3]);
  });

  test("leaves V and dt in its step, and no derived name", () => {
    const step = odeStep(checked);
    expect([...namesIn(step.get("x")!)].sort()).toEqual(["dt", "w", "x", "y"]);
    const driven = device({
      ...base,
      equations: `${base.equations}\n k = V / U : 1\ndz/dt = k * w : 1`,
      initial: { ...base.initial, z: 0 },
    });
    expect([...namesIn(odeStep(driven.checked).get("z")!)].sort()).toEqual(["U", "V", "dt", "w", "z"]);
  });

  /** (x, y) after one pulse from (1, 0). */
  const turned = (steps: number, w: number): Values => {
    const { checked } = device({ ...base, steps }).with({ w: `${w} Hz` });
    const after = outcome(checked, "up");
    const [x, y, G] = evaluator([after.get("x")!, after.get("y")!, after.get("G")!])({ x: 1, y: 0, G: 5 });
    return { x, y, G };
  };

  test("turns (x, y) by w T with an error of order 4: equations are moved at once", () => {
    const error = (dt: number) => {
      const { x, y } = turned(Math.round(1 / dt), 2);
      return Math.hypot(x - Math.cos(2), y + Math.sin(2));
    };
    const order = observedOrder(1 / 8, 3, error);
    expect(order).toBeGreaterThan(3.9);
    expect(order).toBeLessThan(4.1);
    expect(turned(4, 1).G).toBe(5 + 1e-6 + turned(4, 1).x * 1e-6); // statements around see the turned x
  });

  test("takes its voltage and duration before the first step", () => {
    const self = device({
      ...base,
      equations: "dx/dt = V / (U * T) : 1\nG : S",
      initial: { x: 1, G: "g" },
      on: { up: "x += 1; apply(x * U, x * T)" },
      parameters: { U: "1 V", T: "1 s", g: "1 uS" },
      read: "G * U / U * T / T + g",
    });
    // 2 + 2 * 2, where x = 2 stays the voltage: exact in RK4
    expect(evaluate(outcome(self.checked, "up").get("x")!, { x: 1 })).toBeCloseTo(6, 14);
  });

  test("with numbers for parameters and names for arguments", () => {
    const { checked } = device({ ...base, arguments: ["U", "T"] });
    const free = checked.parameters.filter(({ name }) => !checked.arguments.includes(name));
    const after = outcome(checked, "up", inline({ ...checked, parameters: free }));
    expect([...namesIn(after.get("x")!)].sort()).toEqual(["T", "x", "y"]);
    expect(checked.parameters.map(({ name }) => name)).toContain("U");
    expect(inline(checked)({ kind: "name", name: "w" })).toEqual(number(1));
  });
});

describe("is refused, with the place", () => {
  test("apply: malformed, with the wrong dimensions, without equations, outside devices", () => {
    const on = (up: string) => message({ on: { up } });
    expect(
      [
        on("apply(U)"),
        on("apply(U, T, T)"),
        on("apply(U, T) + 1"),
        on("apply(U, )"),
        on("apply(T, U)"),
        on("apply(U, 2 * w)"),
        on("apply(V, T)"),
        message({ equations: "G : S\nx : 1\ny : 1" }),
        message({ equations: "x : 1" }, ({ name, source, equations }) =>
          neuron({ name, source, equations, threshold: "x > 1", reset: "apply(1, 2)" }),
        ),
        message({}, ({ name }) => synapse({ name, on: { pre: "apply(1, 2)" } })),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "ModelError: D, handler up: this is not a statement
          apply(U)
          ^^^^^^^^
        write apply(voltage, duration)
      ModelError: D, handler up: this is not a statement
          apply(U, T, T)
          ^^^^^^^^^^^^^^
        write apply(voltage, duration)
      ModelError: D, handler up: this is not a statement
          apply(U, T) + 1
          ^^^^^^^^^^^^^^^
        write apply(voltage, duration)
      ModelError: D, handler up: an expression is missing
          apply(U, )
                   ^
      ModelError: D, handler up: dimensions disagree
          apply(T, U)
                ^
        this is s, a voltage is V; did you mean U?
      ModelError: D, handler up: dimensions disagree
          apply(U, 2 * w)
                   ^^^^^
        this is 1/s, a duration is s; did you mean T?
      ModelError: D, handler up: unknown name V
          apply(V, T)
                ^
        V is known in differential equations and in current, a pulse says its voltage: apply(voltage, duration)
      ModelError: D, handler up: there is nothing to integrate
          apply(U, T)
          ^^^^^^^^^^^
        apply integrates the differential equations of a device, dx/dt = ... : unit
      ModelError: D, reset: apply belongs to pulses of devices
          apply(1, 2)
          ^^^^^^^^^^^
        write x = ... or x += ...
      ModelError: D, handler pre: apply belongs to pulses of devices
          apply(1, 2)
          ^^^^^^^^^^^
        write x = ... or x += ..."
    `);
  });

  test("equations that nothing moves, that draw, that see age; steps of nothing", () => {
    const equations = (change: string) => message({ equations: base.equations.replace("-w * x ", change) });
    expect(
      [
        message({ on: { up: "G += g * T / T * U / U" } }),
        equations("-w * x * randn()"),
        equations("-w * x * noisy"),
        message({
          equations: `${base.equations.replace("-w * x", "-w * x * noisy")}\nnoisy = randn() : 1`,
        }),
        equations("-w * x + xi"),
        equations("-x / age"),
        equations("-w * x * t / T"),
        message({ equations: "G : S\nx : 1\ny : 1", on: { up: "x = w * T * U / U" }, read: "g", steps: 4 }),
        message({ steps: 0 }),
        message({ steps: 2.5 }),
        message({ steps: "16" }),
        message({ equations: base.equations.replace(": 1\n    dy", ": 1 (constant)\n    dy") }),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "ModelError: D: nothing moves x
          dx/dt = pull * x    : 1
           ^
        a pulse holds a voltage for a time, apply(voltage, duration); an array is driven by a waveform if the model says its current
      ModelError: D: a differential equation of a device draws nothing
          dy/dt = -w * x * randn()     : 1
                           ^^^^^^^
        draw in the pulse, before apply(...), into a variable that the equation uses
      ModelError: D: unknown name noisy
          dy/dt = -w * x * noisy     : 1
                           ^^^^^
        it is no variable, derived name or parameter of the model
      ModelError: D: a differential equation of a device draws nothing
          dy/dt = -w * x * noisy      : 1
                           ^^^^^
        draw in the pulse, before apply(...), into a variable that the equation uses
      ModelError: D: unknown name xi
          dy/dt = -w * x + xi     : 1
                           ^^
        a device draws in its pulses, randn(): noise in its equations would depend on the number of steps
      ModelError: D: unknown name age
          dy/dt = -x / age     : 1
                       ^^^
        equations of a device are integrated during a write, and age counts from its end
      ModelError: D: unknown name t
          dy/dt = -w * x * t / T     : 1
                           ^
        did you mean T?
      ModelError: D, steps: there are no steps
        steps are those of differential equations, dx/dt = ... : unit
      ModelError: D: steps must be a whole number from 1 to 10000, not 0
      ModelError: D: steps must be a whole number from 1 to 10000, not 2.5
      ModelError: D: steps must be a whole number from 1 to 10000, not "16"
      ModelError: D: the flag constant does not belong here
          dx/dt = pull * x    : 1 (constant)
                                   ^^^^^^^^
        a differential equation of a device takes no flags"
    `);
  });

  test("flicker outside of what is looked at, with times that vary, are no times or the wrong way round", () => {
    const still = {
      equations: "G : S",
      initial: { G: "g" },
      on: { up: "G += g" },
      parameters: { g: "1 uS", T: "1 s", L: "1 h" },
    };
    const changed = (change: object) => message({ ...still, read: "G * (1 + flicker(T, L))", ...change });
    expect(changed({})).toBe("no error");
    expect(changed({ drift: "G * (1 + flicker(T, 2 * L))", current: "V * G * flicker(T, L)" })).toBe(
      "no error",
    );
    const rest = { read: "G * (1 + flicker(T, L))" };
    expect(
      [
        changed({ ...rest, on: { up: "G += g * flicker(T, L)" } }),
        changed({ ...rest, initial: { G: "g * flicker(T, L)" } }),
        changed({ ...rest, equations: "G : S\nn = flicker(T, L) : 1" }),
        message({}, () =>
          neuron({
            name: "N",
            source: "test",
            equations: "x : 1\ny = x * flicker(T, T) : 1",
            parameters: { T: "1 s" },
          }),
        ),
        changed({ read: "G * flicker(g, L) * T / T" }),
        changed({ read: "G * flicker(T) * L / L" }),
        changed({ read: "G * flicker(T, L + age)" }),
        changed({ read: "G * flicker(T, L * (1 + rand()))" }),
        changed({ read: "G * flicker(L, T)" }),
        changed({ read: "G * flicker(T, T) * L / L" }),
        changed({ parameters: { ...still.parameters, T: "1e-15 s" } }),
        changed({ drift: "G * randn()" }),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "ModelError: D, handler up: flicker belongs in read, drift and current of a device
          G += g * flicker(T, L)
                   ^^^^^^^^^^^^^
        it is noise of what is looked at; a draw of a pulse or a tick is randn()
      ModelError: D, initial G: flicker belongs in read, drift and current of a device
          g * flicker(T, L)
              ^^^^^^^^^^^^^
        it is noise of what is looked at; a draw of a pulse or a tick is randn()
      ModelError: D: flicker belongs in read, drift and current of a device
          n = flicker(T, L) : 1
              ^^^^^^^^^^^^^
        it is noise of what is looked at; a draw of a pulse or a tick is randn()
      ModelError: N: flicker belongs in read, drift and current of a device
          y = x * flicker(T, T) : 1
                  ^^^^^^^^^^^^^
        it is noise of what is looked at; a draw of a pulse or a tick is randn()
      ModelError: D, read: dimensions disagree
          G * flicker(g, L) * T / T
                      ^
        flicker needs times, g is S
      ModelError: D, read: flicker takes 2 arguments, not 1
          G * flicker(T) * L / L
              ^^^^^^^^^^
      ModelError: D, read: the times of flicker are constants
          G * flicker(T, L + age)
                             ^^^
        written with parameters only
      ModelError: D, read: the times of flicker are constants
          G * flicker(T, L * (1 + rand()))
                                  ^^^^^^
        written with parameters only
      ModelError: D, read: flicker goes from a shorter to a longer time
          G * flicker(L, T)
              ^^^^^^^^^^^^^
        these are 3600 s and 1 s
      ModelError: D, read: flicker goes from a shorter to a longer time
          G * flicker(T, T) * L / L
              ^^^^^^^^^^^^^
        these are 1 s and 1 s
      ModelError: D, read: flicker spans 60 octaves at most
          G * (1 + flicker(T, L))
                   ^^^^^^^^^^^^^
        these are 1e-15 s and 3600 s
      ModelError: D, drift: drift is free of noise
          G * randn()
              ^^^^^^^
        spread between devices goes into initial, read noise into read; flicker(...), a function of time, may stand here"
    `);
    const model = device({ ...base, ...still, read: "G * (1 + flicker(T, L))" });
    expect(() => model.with({ L: "1 ms" } as never)).toThrowErrorMatchingInlineSnapshot(`
      [ModelError: D, read: flicker goes from a shorter to a longer time
          G * (1 + flicker(T, L))
                   ^^^^^^^^^^^^^
        these are 1 s and 0.001 s]
    `);
  });

  test("V where there is no voltage", () => {
    const driven = {
      equations: "dx/dt = V / (U * T) : 1\nI = g * V : A\nG : S",
      initial: { x: 0, G: "g" },
      parameters: { U: "1 V", T: "1 s", g: "1 uS" },
    };
    const changed = (change: object) => message({ ...driven, on: { up: "apply(U, T)" }, ...change });
    expect(changed({ current: "I + (G - Gd) * V", drift: "G * exp(-age / T)" })).toBe("no error");
    expect(
      [
        changed({ on: { up: "G += g * V / U; apply(U, T)" } }),
        changed({ on: { up: "apply(I / g, T)" } }),
        changed({ read: "G * V / U" }),
        changed({ current: "G * U / T" }),
        changed({ current: "V" }),
        changed({ parameters: { ...driven.parameters, V: "1 V" } }),
        changed({ equations: `${driven.equations}\nV : 1` }),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "ModelError: D, handler up: unknown name V
          G += g * V / U
                   ^
        V is known in differential equations and in current, a pulse says its voltage: apply(voltage, duration)
      ModelError: D, handler up: unknown name I
          apply(I / g, T)
                ^
        I depends on V; V is known in differential equations and in current, a pulse says its voltage: apply(voltage, duration)
      ModelError: D, read: unknown name V
          G * V / U
              ^
        V is known in differential equations and in current, a pulse says its voltage: apply(voltage, duration)
      ModelError: D, current: dimensions disagree
          G * U / T
          ^^^^^^^^^
        this is A/s, a current is A
      ModelError: D, current: dimensions disagree
          V
          ^
        this is V, a current is A
      ModelError: D, parameters: a parameter cannot be called V
          V: "1 V"
          ^
        V is the voltage at the terminals of the device
      ModelError: D: nothing can be called V
          V : 1
          ^
        V is the voltage at the terminals of the device"
    `);
  });

  test("but V may be any name of a device without differential equations and without current", () => {
    expect(
      message({
        equations: "G : S",
        initial: { G: "g" },
        on: { up: "G += g * V" },
        parameters: { g: "1 uS", V: 2 },
        arguments: ["V"],
      }),
    ).toBe("no error");
  });
});
