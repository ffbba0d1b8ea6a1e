import { describe, expect, test } from "vitest";
import { fold } from "../../src/language/algebra.ts";
import type { CheckedModel } from "../../src/language/checked.ts";
import { integrate } from "../../src/language/integrate.ts";
import { print } from "../../src/language/print.ts";
import * as oracle from "../math/fixed.ts";
import { advance, evaluate, model, type Values } from "./stepping.ts";

const dt = 1e-4;
const ulp = 2 ** -52;

/** The next value of `variable`, as text. */
const text = (from: CheckedModel, variable: string, h = dt) =>
  print(integrate(from, { dt: h }).next.get(variable)!);

/** The factor of `source` in the next value of `variable`, of a model without constant terms. */
function weight(from: CheckedModel, variable: string, source: string, h = dt): number {
  const { next } = integrate(from, { dt: h });
  const state: Values = { not_refractory: 1 };
  for (const name of next.keys()) state[name] = name === source ? 1 : 0;
  return evaluate(next.get(variable)!, state);
}

// exact arithmetic on the doubles of parameters
const { fixed, over, times, exp } = oracle;
const decay = (tau: number, h = dt) => exp(-over(fixed(h), fixed(tau)));
/** Factor of y in x for dx/dt = (y - x) / tauX, dy/dt = -y / tauY: tauY (e^(-h/tauY) - e^(-h/tauX)) / (tauY - tauX). */
const cascade = (tauX: number, tauY: number, h = dt) =>
  over(times(fixed(tauY), decay(tauY, h) - decay(tauX, h)), fixed(tauY) - fixed(tauX));

/*
 * Rates -1/tau are rounded once (2^-53), which moves a factor by at most (1 + h/tauX + h/tauY) 2^-53, that is 1 + h/tau…
 * ulps, and the factor is rounded itself: 0.5. At h/tau <= 0.1 two ulps bound it.
 */
const FACTOR = 2;

const cuba = (El: number) =>
  model(
    `dv/dt = (ge + gi - (v - El)) / taum (unless refractory)
     dge/dt = -ge / taue
     dgi/dt = -gi / taui`,
    { refractory: "5e-3", parameters: { taum: 20e-3, taue: 5e-3, taui: 10e-3, El } },
  );

describe("CUBA", () => {
  test("is exact; currents have one factor and no condition, the voltage stands still when refractory", () => {
    const step = integrate(cuba(-49e-3), { dt });
    expect(new Set(step.method.values())).toEqual(new Set(["exact"]));
    expect(text(cuba(-49e-3), "ge")).toBe("ge * 0.9801986733067553");
    expect(text(cuba(-49e-3), "gi")).toBe("gi * 0.9900498337491681");
    expect(text(cuba(-49e-3), "v")).toMatchInlineSnapshot(
      `"not_refractory ? v * 0.9950124791926823 + ge * 0.004937935295309004 + gi * 0.00496264544351426 + -0.0002443885195585667 : v"`,
    );
  });

  test("has factors within 2 ulps of the closed form", () => {
    expect(oracle.ulps(weight(cuba(0), "ge", "ge"), decay(5e-3))).toBeLessThan(FACTOR);
    expect(oracle.ulps(weight(cuba(0), "v", "v"), decay(20e-3))).toBeLessThan(FACTOR);
    expect(oracle.ulps(weight(cuba(0), "v", "ge"), cascade(20e-3, 5e-3))).toBeLessThan(FACTOR);
    expect(oracle.ulps(weight(cuba(0), "v", "gi"), cascade(20e-3, 10e-3))).toBeLessThan(FACTOR);
    const constant = evaluate(integrate(cuba(-49e-3), { dt }).next.get("v")!, {
      v: 0,
      ge: 0,
      gi: 0,
      not_refractory: 1,
    });
    // El / taum is rounded once more
    expect(oracle.ulps(constant, times(fixed(-49e-3), oracle.unit - decay(20e-3)))).toBeLessThan(FACTOR + 1);
  });

  test("300 ticks give the closed form of 30 ms to the rounding of ticks that are not yet forgotten", () => {
    const end = advance(integrate(cuba(-49e-3), { dt }), dt, { v: -60e-3, ge: 20e-3, gi: -9e-3 }, 300);
    const h = 300 * dt;
    const v =
      -49e-3 +
      (-60e-3 + 49e-3) * Math.exp(-h / 20e-3) +
      (20e-3 * 5e-3 * (Math.exp(-h / 5e-3) - Math.exp(-h / 20e-3))) / (5e-3 - 20e-3) +
      (-9e-3 * 10e-3 * (Math.exp(-h / 10e-3) - Math.exp(-h / 20e-3))) / (10e-3 - 20e-3);
    // a tick adds at most 2 ulps per factor and half an ulp per operation of 60 mV; a tick is forgotten after taum / dt
    const perTick = (2 + 4 * 0.5) * ulp * 60e-3;
    expect(Math.abs(end.v - v)).toBeLessThan(perTick * (20e-3 / dt) + 8 * ulp * 60e-3);
    expect(Math.abs(end.v - 1.0000000001 * v)).toBeGreaterThan(perTick * (20e-3 / dt)); // control: 1e-10
  });

  test("has no condition without a refractory time", () => {
    expect(text({ ...cuba(0), refractory: undefined }, "v")).not.toContain("not_refractory");
  });
});

describe("linear cascades", () => {
  test("an alpha synapse: dg/dt = (s - g) / tau, ds/dt = -s / tau has the factor (h / tau) e^(-h / tau)", () => {
    const alpha = model("dg/dt = (s - g) / tau\n ds/dt = -s / tau", { parameters: { tau: 5e-3 } });
    for (const h of [1e-6, 1e-4, 5e-4]) {
      const ratio = over(fixed(h), fixed(5e-3));
      expect(oracle.ulps(weight(alpha, "g", "s", h), times(ratio, decay(5e-3, h))), `h = ${h}`).toBeLessThan(
        FACTOR,
      );
      expect(oracle.ulps(weight(alpha, "g", "g", h), decay(5e-3, h))).toBeLessThan(FACTOR);
    }
  });

  test("NormAD's filtered kernel: three time constants, per presynaptic cell", () => {
    const normad = model(
      `dx/dt = -x / tau1 (pre)
       dy/dt = -y / tau2 (pre)
       dd/dt = (x - y - d) / tauL (pre)`,
      { kind: "synapse", parameters: { tau1: 5e-3, tau2: 1.25e-3, tauL: 1e-3 } },
    );
    expect([...integrate(normad, { dt }).method.values()]).toEqual(["exact", "exact", "exact"]);
    expect(oracle.ulps(weight(normad, "d", "x"), cascade(1e-3, 5e-3))).toBeLessThan(FACTOR);
    expect(oracle.ulps(-weight(normad, "d", "y"), cascade(1e-3, 1.25e-3))).toBeLessThan(FACTOR);
    expect(oracle.ulps(weight(normad, "d", "d"), decay(1e-3))).toBeLessThan(FACTOR);
    expect(text(normad, "x")).toBe("x * 0.9801986733067553");
  });

  test("nearly equal time constants lose nothing: the factor is continuous through equality", () => {
    const pairOf = (tauY: number) =>
      model("dx/dt = (y - x) / tauX\n dy/dt = -y / tauY", { parameters: { tauX: 5e-3, tauY } });
    for (const tauY of [5e-3 * (1 + ulp), 5e-3 * (1 + 1e-12), 5e-3 * (1 - 1e-7)]) {
      // the exact formula divides by tauY - tauX: 700 places leave enough
      expect(oracle.ulps(weight(pairOf(tauY), "x", "y"), cascade(5e-3, tauY)), `${tauY}`).toBeLessThan(
        FACTOR,
      );
    }
  });

  test("a five-compartment cable equals the exponential of its matrix", () => {
    const lines = Array.from({ length: 5 }, (_, k) => {
      const left = k > 0 ? ` + g * (v${k - 1} - v${k})` : "";
      const right = k < 4 ? ` + g * (v${k + 1} - v${k})` : "";
      return `dv${k}/dt = (-v${k}${left}${right}) / tau`;
    });
    const cable = model(lines.join("\n"), { parameters: { g: 8, tau: 16e-3 } });
    const matrix = Array.from({ length: 5 }, (_, k) =>
      Array.from({ length: 5 }, (_, l) =>
        k === l ? -(k === 0 || k === 4 ? 9 : 17) / 16e-3 : Math.abs(k - l) === 1 ? 8 / 16e-3 : 0,
      ),
    );
    const exact = oracle.expm(matrix.map((row) => row.map((x) => times(fixed(x), fixed(dt)))));
    for (let k = 0; k < 5; k++) {
      for (let l = 0; l < 5; l++) {
        // |A h| = 0.16: one more rounding of a rate moves an entry by 4 |A h| ulps per power of A that it needs
        expect(oracle.ulps(weight(cable, `v${k}`, `v${l}`), exact[k][l]), `${k} ${l}`).toBeLessThan(6);
      }
    }
  });

  test("an undamped oscillator keeps its amplitude over a million ticks", () => {
    const { next } = integrate(model("dx/dt = w * y\n dy/dt = -w * x", { parameters: { w: 100 } }), { dt });
    const [c, s] = [evaluate(next.get("x")!, { x: 1, y: 0 }), evaluate(next.get("x")!, { x: 0, y: 1 })];
    // c and s are right to half an ulp, so |c + i s| is 1 to an ulp
    expect(Math.abs(c * c + s * s - 1)).toBeLessThan(2 * ulp);
  });

  test("a variable without dynamics stays, a constant slope adds slope * dt", () => {
    expect(text(model("dx/dt = 0"), "x")).toBe("x");
    expect(text(model("dx/dt = 3"), "x", 0.5)).toBe("x + 1.5");
    expect(text(model("dx/dt = I\n I"), "x", 0.5)).toBe("x + I * 0.5");
  });
});

describe("inputs and rates that a cell stores", () => {
  test("a stored current enters with the integral of the propagator", () => {
    const lif = model("dv/dt = (R * I - v) / tau\n I", { parameters: { R: 1e8, tau: 20e-3 } });
    const { next, method } = integrate(lif, { dt });
    expect(method.get("v")).toBe("exact");
    const after = evaluate(next.get("v")!, { v: 0, I: 1 });
    // R / tau and the join with the integral are rounded too
    expect(oracle.ulps(after, times(fixed(1e8), oracle.unit - decay(20e-3)))).toBeLessThan(FACTOR + 2);
  });

  test("a stored time constant is solved per cell, to 4 ulps, whatever its size", () => {
    const leaky = model("dv/dt = (E - v) / tau\n tau\n E");
    const { next, method } = integrate(leaky, { dt });
    expect(method.get("v")).toBe("exact");
    for (const tau of [1e-6, 1e-3, 20e-3, 1e3, 1e12]) {
      const exact = 0.5 + (-0.25 - 0.5) * Math.exp(-dt / tau);
      expect(Math.abs(evaluate(next.get("v")!, { v: -0.25, E: 0.5, tau }) - exact), `${tau}`).toBeLessThan(
        4 * ulp,
      );
    }
  });

  test("a stored rate of 0 adds input * dt, and rates near 0 agree with it", () => {
    const { next } = integrate(model("dx/dt = a * x + b\n a\n b"), { dt });
    expect(evaluate(next.get("x")!, { x: 2, a: 0, b: 3 })).toBe(2 + 3 * dt);
    for (const a of [1e-300, -1e-18, 1e-12])
      expect(evaluate(next.get("x")!, { x: 2, a, b: 3 })).toBe(2 + 3 * dt);
  });

  test("a decay at a stored rate is one product, so that small values stay exact", () => {
    expect(text(model("dx/dt = -k * x\n k"), "x")).toBe("x * exp(k * -0.0001)");
  });

  test("a variable coupled to one with a stored rate is not exact but exponential Euler", () => {
    const chain = model("dx/dt = -k * x\n dy/dt = (x - y) / tau\n k", { parameters: { tau: 5e-3 } });
    expect(Object.fromEntries(integrate(chain, { dt }).method)).toEqual({
      x: "exact",
      y: "exponential-euler",
    });
  });
});

describe("refractoriness of exact variables", () => {
  const filtered = model(
    `dv/dt = (g - v) / taum (unless refractory)
     dw/dt = (v - w) / tauw
     dg/dt = -g / taug`,
    { refractory: "2e-3", parameters: { taum: 20e-3, tauw: 100e-3, taug: 5e-3 } },
  );
  const state = { v: 0.3, w: -0.2, g: 0.7 };
  const after = (not_refractory: number) => {
    const { next } = integrate(filtered, { dt: 1e-3 });
    return Object.fromEntries(
      [...next].map(([name, e]) => [name, evaluate(e, { ...state, not_refractory })]),
    );
  };

  test("while refractory v keeps its bits, w relaxes towards the v that stands, g decays as ever", () => {
    const frozen = after(0);
    expect(frozen.v).toBe(state.v);
    const w = state.v + (state.w - state.v) * Math.exp(-1e-3 / 100e-3);
    expect(Math.abs(frozen.w - w)).toBeLessThan(4 * ulp * 0.5);
    expect(frozen.g).toBe(after(1).g);
    expect(text(filtered, "g")).not.toContain("not_refractory");
  });

  test("while active the three are one system", () => {
    const matrix = [
      [-1 / 20e-3, 0, 1 / 20e-3],
      [1 / 100e-3, -1 / 100e-3, 0],
      [0, 0, -1 / 5e-3],
    ];
    const exact = oracle.expm(matrix.map((row) => row.map((x) => times(fixed(x), fixed(1e-3)))));
    const values = [state.v, state.w, state.g].map(fixed);
    const active = after(1);
    [active.v, active.w, active.g].forEach((x, k) => {
      const expected = exact[k].reduce((sum, factor, l) => sum + times(factor, values[l]), 0n);
      expect(Math.abs(Number(fixed(x) - expected) / Number(oracle.unit))).toBeLessThan(4 * ulp * 0.7);
    });
  });

  test("a variable with a stored rate stands still too", () => {
    const stored = model("dv/dt = -v / tau (unless refractory)\n tau", { refractory: "1e-3" });
    expect(text(stored, "v")).toBe("not_refractory ? v * exp(-0.0001 / tau) : v");
  });
});

test("shared variables are part of a cell's system and advance with the same factor", () => {
  const modulated = model("dx/dt = (m - x) / tau\n dm/dt = -m / taum (shared)", {
    parameters: { tau: 10e-3, taum: 1 },
  });
  expect(oracle.ulps(weight(modulated, "x", "m"), cascade(10e-3, 1))).toBeLessThan(FACTOR);
  expect(print(integrate(modulated, { dt }).next.get("m")!)).toBe("m * 0.9999000049998333");
});

test("what is exact is folded: only names and numbers are left where coefficients are numbers", () => {
  const { next } = integrate(cuba(-49e-3), { dt });
  for (const expression of next.values()) expect(fold(expression)).toBe(expression);
});
