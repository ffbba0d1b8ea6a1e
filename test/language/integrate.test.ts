import { describe, expect, test } from "vitest";
import type { CheckedModel, Method } from "../../src/language/checked.ts";
import { decayTrace, integrate } from "../../src/language/integrate.ts";
import { neuron, synapse as synapseModel } from "../../src/language/model.ts";
import { print } from "../../src/language/print.ts";
import { type Definition, model } from "./stepping.ts";

const dt = 1e-4;

/** The methods chosen, as `x exact, y rk4`. */
function chosen(text: string, definition: Definition = {}): string {
  const { method } = integrate(model(text, definition), { dt });
  return [...method].map(([variable, one]) => `${variable} ${one}`).join(", ");
}

function message(from: CheckedModel, step = dt): string {
  try {
    integrate(from, { dt: step });
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  throw new Error("nothing was thrown");
}

describe("the method of an equation", () => {
  test("is exact for the largest linear set: what depends on a nonlinear variable leaves it, and so on", () => {
    expect(chosen("da/dt = -a\n db/dt = a - b\n dc/dt = b - c^2\n dd/dt = a + b - d")).toBe(
      "a exact, b exact, c rk4, d exact",
    );
    expect(chosen("dx/dt = -x * y\n dy/dt = -y")).toBe("x exponential-euler, y exact");
    expect(chosen("dx/dt = y - x\n dy/dt = z - y\n dz/dt = -z * z")).toBe("x rk4, y rk4, z rk4");
  });

  test("is RK4 for the whole coupled group of a nonlinear equation, and for nothing else", () => {
    expect(chosen("dv/dt = v^2 - w\n dw/dt = v - w\n dx/dt = -x * y\n dy/dt = -x - y")).toBe(
      "v rk4, w rk4, x exponential-euler, y exponential-euler",
    );
  });

  test("is exponential Euler where coefficients depend on time or on draws", () => {
    expect(chosen("dx/dt = (sin(t) - x) / 10")).toBe("x exponential-euler");
    expect(chosen("dx/dt = rand() - x")).toBe("x exponential-euler");
  });

  test("knows what is constant in a step: parameters, stored variables, the index, refractoriness", () => {
    expect(chosen("dx/dt = (E + i * d - x) / tau\n E", { parameters: { d: 2, tau: 3 } })).toBe("x exact");
    expect(chosen("dx/dt = -x * k * int(not_refractory)\n k")).toBe("x exact");
  });

  test("can be named for all equations or for one", () => {
    const linear = "dx/dt = y - x\n dy/dt = -y";
    for (const method of ["exact", "exponential-euler", "euler", "heun", "rk2", "rk4"] as Method[]) {
      expect(chosen(linear, { method })).toBe(`x ${method}, y ${method}`);
    }
    expect(chosen(linear, { method: { y: "euler" } })).toBe("x exponential-euler, y euler");
    expect(chosen(linear, { method: { x: "rk4" } })).toBe("x rk4, y exact");
    expect(chosen("dx/dt = y - x\n dy/dt = x - y", { method: { x: "rk4" } })).toBe("x rk4, y rk4");
    expect(chosen("dx/dt = y - x\n dy/dt = x - y", { method: { x: "euler", y: "auto" } })).toBe(
      "x euler, y exponential-euler",
    );
  });
});

describe("a method that does not suit its equation is refused", () => {
  test("exact, with the reason", () => {
    const exact = (text: string) => message(model(text, { method: "exact" }));
    expect(exact("dv/dt = (v - v^3 / 3 - w) / 2\n dw/dt = v")).toMatchInlineSnapshot(`
      "ModelError: Test: dv/dt cannot be stepped by exact
        v^3 is not linear in the variables"
    `);
    expect(exact("dx/dt = sin(t) - x")).toMatchInlineSnapshot(`
      "ModelError: Test: dx/dt cannot be stepped by exact
        it depends on t, which changes within a step"
    `);
    expect(exact("dx/dt = rand() - x")).toMatchInlineSnapshot(`
      "ModelError: Test: dx/dt cannot be stepped by exact
        it draws random numbers"
    `);
    expect(exact("dx/dt = xi - x")).toMatchInlineSnapshot(`
      "ModelError: Test: dx/dt cannot be stepped by exact
        it has noise; euler-maruyama (Ito) and heun (Stratonovich) can"
    `);
    expect(exact("dx/dt = y / tau - x\n dy/dt = -y\n tau")).toMatchInlineSnapshot(`
      "ModelError: Test: dx/dt cannot be stepped by exact
        the coefficient of y, 1 / tau, is not one number for all cells"
    `);
    expect(
      message(model("dx/dt = y - x\n dy/dt = -y", { method: { x: "exact", y: "rk4" } })),
    ).toMatchInlineSnapshot(`
      "ModelError: Test: dx/dt cannot be stepped by exact
        it depends on y, which changes within a step"
    `);
  });

  test("exponential Euler of a nonlinear equation, Runge-Kutta of a noisy one", () => {
    expect(message(model("dv/dt = exp(v) - v", { method: "exponential-euler" }))).toMatchInlineSnapshot(`
      "ModelError: Test: dv/dt cannot be stepped by exponential-euler
        exp(v) is not linear in v"
    `);
    expect(message(model("dv/dt = -v + xi", { method: "rk4" }))).toMatchInlineSnapshot(`
      "ModelError: Test: dv/dt cannot be stepped by rk4
        it has noise; euler-maruyama (Ito) and heun (Stratonovich) can"
    `);
  });

  test("an unknown method or variable, with the nearest name", () => {
    expect(message(model("dv/dt = -v", { method: "exponential_euler" as Method }))).toMatchInlineSnapshot(
      `"ModelError: Test: there is no method exponential_euler; did you mean exponential-euler?"`,
    );
    expect(message(model("dv/dt = -v", { method: "q" as Method }))).toMatchInlineSnapshot(
      `"ModelError: Test: there is no method q; there are auto, exact, exponential-euler, euler, heun, rk2, rk4, euler-maruyama"`,
    );
    expect(message(model("dvm/dt = -vm", { method: { vn: "rk4" } }))).toMatchInlineSnapshot(
      `"ModelError: Test: a method is given for vn, which has no equation; did you mean vm?"`,
    );
  });

  test("a step that is not a positive time, a time constant of 0", () => {
    expect(message(model("dv/dt = -v"), 0)).toMatchInlineSnapshot(
      `"ModelError: Test: dt must be positive, it is 0 s"`,
    );
    expect(message(model("dv/dt = -v / tau", { parameters: { tau: 0 } }))).toMatchInlineSnapshot(
      `"ModelError: Test: dv/dt has a coefficient that is not finite; is a parameter 0?"`,
    );
  });

  test("the equation is shown with its right side marked", () => {
    const { checked } = neuron({
      name: "FitzHugh-Nagumo",
      source: "test",
      equations: "dv/dt = (v - v^3 / 3 - w) / tau : 1\n dw/dt = (v - w) / tau : 1",
      parameters: { tau: "1 ms" },
      method: "exact",
    });
    expect(message(checked)).toMatchInlineSnapshot(`
      "ModelError: FitzHugh-Nagumo: dv/dt cannot be stepped by exact
          dv/dt = (v - v^3 / 3 - w) / tau : 1
                  ^^^^^^^^^^^^^^^^^^^^^^^
        v^3 is not linear in the variables"
    `);
  });
});

describe("equations of several owners", () => {
  const synapse = (text: string) => model(text, { kind: "synapse" });

  test("are stepped side by side: per presynaptic cell, per postsynaptic cell, per synapse, shared", () => {
    const { next } = integrate(
      synapse(
        "dx/dt = -x / 20e-3 (pre)\n dy/dt = -y / 20e-3 (post)\n dw/dt = (m - w) / 1 \n dm/dt = -m (shared)",
      ),
      { dt },
    );
    expect([...next.keys()]).toEqual(["x", "y", "w", "m"]);
    expect(print(next.get("x")!)).toBe("x * 0.9950124791926823");
    expect(next.get("y")).not.toBe(next.get("x"));
  });

  test("cannot use each other's variables", () => {
    expect(message(synapse("dx/dt = -x (pre)\n dy/dt = x - y (post)"))).toMatchInlineSnapshot(`
      "ModelError: Test: dy/dt cannot use x
        each presynaptic cell has its own, the equation is for each postsynaptic cell"
    `);
    expect(message(synapse("dx/dt = -x (pre)\n dw/dt = x"))).toMatchInlineSnapshot(`
      "ModelError: Test: dw/dt cannot use x
        each presynaptic cell has its own, the equation is for each synapse"
    `);
    expect(message(synapse("dx/dt = w - x (pre)\n w"))).toMatchInlineSnapshot(`
      "ModelError: Test: dx/dt cannot use w
        each synapse has its own, the equation is for each presynaptic cell"
    `);
    expect(message(synapse("dm/dt = w - m (shared)\n w"))).toMatchInlineSnapshot(`
      "ModelError: Test: dm/dt cannot use w
        each synapse has its own, the equation is for all together"
    `);
    expect(message(synapse("dm/dt = i - m (shared)"))).toMatchInlineSnapshot(`
      "ModelError: Test: dm/dt cannot use i
        it differs between elements, the equation is for all together"
    `);
    expect(message(synapse("dx/dt = v_post - x (pre)"))).toMatchInlineSnapshot(`
      "ModelError: Test: dx/dt cannot use v_post
        the model does not have it"
    `);
    expect(message(model("dv/dt = -v + v_pre"))).toMatchInlineSnapshot(`
      "ModelError: Test: dv/dt cannot use v_pre
        the model does not have it"
    `);
    expect(message(model("dvm/dt = -vn"))).toMatchInlineSnapshot(`
      "ModelError: Test: dvm/dt cannot use vn
        the model does not have it; did you mean vm?"
    `);
  });

  test("the name is marked where it stands in the equation", () => {
    const { checked } = synapseModel({
      name: "Rule",
      equations: "dx/dt = -x / tau : 1 (pre)\n dw/dt = (x - w) / tau : 1",
      on: { pre: "x += 1; w += x" },
      parameters: { tau: "20 ms" },
    });
    expect(message(checked)).toMatchInlineSnapshot(`
      "ModelError: Rule: dw/dt cannot use x
          dw/dt = (x - w) / tau : 1
                   ^
        each presynaptic cell has its own, the equation is for each synapse"
    `);
  });

  test("a synapse may follow its cells' variables, which change within the step", () => {
    const { method } = integrate(synapse("dg/dt = (s_pre - g) / 1\n dc/dt = (v_post - c) / 1 (post)"), {
      dt,
    });
    expect(Object.fromEntries(method)).toEqual({ g: "exponential-euler", c: "exponential-euler" });
  });
});

describe("a decay that need not be advanced tick by tick", () => {
  const tau = (text: string, definition: Definition = {}) => decayTrace(model(text, definition), "x")?.tau;

  test("is known by its time constant, as written", () => {
    expect(tau("dx/dt = -x / tau", { parameters: { tau: 20e-3 } })).toBe(20e-3);
    expect(tau("dx/dt = -(x / tau)", { parameters: { tau: 49e-3 } })).toBe(49e-3);
    expect(tau("dx/dt = -k * x", { parameters: { k: 50 } })).toBe(20e-3);
    expect(tau("dx/dt = -x / (a * b) (pre)", { kind: "synapse", parameters: { a: 4, b: 0.25 } })).toBe(1);
    expect(tau("dx/dt = -r\n r = x / 2")).toBe(2);
    expect(tau("dx/dt = -x / 2", { method: "exponential-euler" })).toBe(2);
  });

  test("is nothing else", () => {
    expect(tau("dx/dt = (y - x) / 2\n dy/dt = -y")).toBeUndefined();
    expect(tau("dx/dt = (3 - x) / 2")).toBeUndefined();
    expect(tau("dx/dt = x / 2")).toBeUndefined();
    expect(tau("dx/dt = -x / k\n k")).toBeUndefined();
    expect(tau("dx/dt = -x + xi")).toBeUndefined();
    expect(tau("dx/dt = -x^2")).toBeUndefined();
    expect(tau("dx/dt = -x * y\n dy/dt = -y")).toBeUndefined();
    expect(tau("dx/dt = -x", { method: "euler" })).toBeUndefined();
    expect(tau("dx/dt = -x (unless refractory)", { refractory: "1e-3" })).toBeUndefined();
    expect(tau("x")).toBeUndefined();
  });

  test("agrees with the step: n ticks are exp(-n dt / tau)", () => {
    const from = model("dx/dt = -x / tau", { parameters: { tau: 20e-3 } });
    const { tau } = decayTrace(from, "x")!;
    expect(print(integrate(from, { dt }).next.get("x")!)).toBe(`x * ${Math.exp(-dt / tau)}`);
  });
});

test("the same model gives the same step, node for node in text", () => {
  const text = "dv/dt = v^2 - w + xi\n dw/dt = v - w";
  const steps = [1, 2].map(() =>
    [...integrate(model(text), { dt }).next].map(([k, e]) => `${k}: ${print(e)}`),
  );
  expect(steps[0]).toEqual(steps[1]);
});
