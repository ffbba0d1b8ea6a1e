import { describe, expect, test } from "vitest";
import type { Method } from "../../src/language/checked.ts";
import { walk } from "../../src/language/expression.ts";
import { integrate } from "../../src/language/integrate.ts";
import { print } from "../../src/language/print.ts";
import { advance, evaluate, model, nodeCount, observedOrder, type Values } from "./stepping.ts";

type Lines = Parameters<typeof model>;

/** The value of `variable` after `duration`. */
function run(from: Lines, dt: number, duration: number, start: Values, variable: string): number {
  return advance(integrate(model(...from), { dt }), dt, start, Math.round(duration / dt), () => () => 0)[
    variable
  ];
}

/**
 * The slope of log error over log dt. Halving dt in the asymptotic range leaves a relative deviation of the order of dt, and
 * orders are whole numbers: within 0.15 no neighbour can be mistaken.
 */
const ORDER = 0.15;

describe("Runge-Kutta schemes on the quadratic integrate-and-fire cell", () => {
  // dv/dt = (v^2 + I) / tau from v0: sqrt(I) tan(sqrt(I) t / tau + atan(v0 / sqrt(I)))
  const [tau, I, v0, duration] = [10e-3, 2, -1, 10e-3];
  const exact = Math.sqrt(I) * Math.tan((Math.sqrt(I) * duration) / tau + Math.atan(v0 / Math.sqrt(I)));
  const orders: Partial<Record<Method, number>> = {
    euler: 1,
    "euler-maruyama": 1,
    rk2: 2,
    heun: 2,
    rk4: 4,
    auto: 4,
  };
  for (const [method, order] of Object.entries(orders)) {
    test(`${method} converges with order ${order}`, () => {
      const qif: Lines = ["dv/dt = (v^2 + I) / tau", { parameters: { tau, I }, method: method as Method }];
      const error = (dt: number) => Math.abs(run(qif, dt, duration, { v: v0 }, "v") - exact);
      expect(Math.abs(observedOrder(duration / 64, 4, error) - order)).toBeLessThan(ORDER);
    });
  }
});

describe("FitzHugh-Nagumo", () => {
  const equations = `dv/dt = (v - v^3 / 3 - w + I) / tau
                     dw/dt = (v + a - b * w) / (tau * slow)
                     dI/dt = (s - I) / taus
                     ds/dt = -s / taus`;
  const parameters = { a: 0.7, b: 0.8, tau: 1e-3, slow: 12.5, taus: 3e-3 };
  const start = { v: -1.2, w: -0.6, I: 0, s: 2 };
  const duration = 20e-3;
  // no closed form: the difference to half the step converges with the same order
  const order = (from: Lines, variable: string) =>
    observedOrder(duration / 128, 3, (dt) =>
      Math.abs(run(from, dt, duration, start, variable) - run(from, dt / 2, duration, start, variable)),
    );

  test("is RK4, its linear recovery included; the alpha current that drives it stays exact", () => {
    const { method } = integrate(model(equations, { parameters }), { dt: 1e-4 });
    expect(Object.fromEntries(method)).toEqual({ v: "rk4", w: "rk4", I: "exact", s: "exact" });
  });

  test("converges with order 4 under the exact current", () => {
    for (const variable of ["v", "w"]) {
      expect(Math.abs(order([equations, { parameters }], variable) - 4)).toBeLessThan(ORDER);
    }
  });

  test("loses that order if the current is not known within the step (control)", () => {
    const held: Lines = [equations, { parameters, method: { I: "exponential-euler" } }];
    expect(order(held, "v")).toBeLessThan(1.5);
  });

  test("shares its stages: four evaluations of two right sides, not an exponential of nodes", () => {
    const { next } = integrate(model(equations, { parameters }), { dt: 1e-4 });
    const rightSides = 11 + 10; // operations and names of v and w
    expect(nodeCount(next.values())).toBeLessThan(4 * rightSides + 60); // and the sums of stages
  });
});

test("RK4 of forty nested definitions grows by a factor of four, not of two to the fortieth", () => {
  const lines = Array.from({ length: 40 }, (_, k) => `y${k + 1} = y${k} * y${k} + 1`);
  const nested = model(`dx/dt = y40\n y0 = x\n${lines.join("\n")}`);
  expect(nodeCount(integrate(nested, { dt: 1e-3 }).next.values())).toBeLessThan(4 * 125);
});

test("stages see the time they stand for: dx/dt = x (1 - x) cos t keeps order 4 and rk2 order 2", () => {
  // logit x = logit x0 + sin t
  const exact = 1 / (1 + Math.exp(-(Math.log(0.2 / 0.8) + Math.sin(2))));
  for (const [method, order] of [
    ["rk4", 4],
    ["rk2", 2],
    ["heun", 2],
  ] as const) {
    const driven: Lines = ["dx/dt = x * (1 - x) * c\n c = cos(t)", { method }];
    const error = (dt: number) => Math.abs(run(driven, dt, 2, { x: 0.2 }, "x") - exact);
    expect(Math.abs(observedOrder(1 / 16, 4, error) - order), method).toBeLessThan(ORDER);
  }
});

describe("exponential Euler", () => {
  const coba = (method?: Method): Lines => [
    `dv/dt = (gl * (El - v) + ge * (Ee - v) + gi * (Ei - v)) / C (unless refractory)
     dge/dt = -ge / taue
     dgi/dt = -gi / taui`,
    {
      parameters: { gl: 10e-9, C: 200e-12, El: -60e-3, Ee: 0, Ei: -80e-3, taue: 5e-3, taui: 10e-3 },
      refractory: "5e-3",
      method: method ?? "auto",
    },
  ];

  test("is chosen for COBA's voltage, conductances stay exact", () => {
    const { method, next } = integrate(model(...coba()), { dt: 1e-4 });
    expect(Object.fromEntries(method)).toEqual({ v: "exponential-euler", ge: "exact", gi: "exact" });
    expect(print(next.get("ge")!)).toBe("ge * 0.9801986733067553");
  });

  test("solves COBA's voltage to rounding while conductances do not change", () => {
    const { next } = integrate(model(...coba()), { dt: 1e-3 });
    for (const [ge, gi] of [
      [0, 0],
      [60e-9, 0],
      [6e-9, 67e-9],
    ]) {
      const g = 10e-9 + ge + gi;
      const rest = (10e-9 * -60e-3 + gi * -80e-3) / g;
      const exact = rest + (-55e-3 - rest) * Math.exp((-g * 1e-3) / 200e-12);
      const after = evaluate(next.get("v")!, { v: -55e-3, ge, gi, not_refractory: 1 });
      expect(Math.abs(after - exact)).toBeLessThan(16 * 2 ** -53 * 80e-3); // some ten operations
      expect(evaluate(next.get("v")!, { v: -55e-3, ge, gi, not_refractory: 0 })).toBe(-55e-3);
    }
  });

  test("converges with order 1 on COBA, RK4 with order 4", () => {
    const start = { v: -60e-3, ge: 60e-9, gi: 20e-9 };
    for (const [method, order] of [
      ["auto", 1],
      ["rk4", 4],
    ] as const) {
      const error = (dt: number) =>
        Math.abs(run(coba(method), dt, 8e-3, start, "v") - run(coba(method), dt / 2, 8e-3, start, "v"));
      expect(Math.abs(observedOrder(5e-4, 4, error) - order), method).toBeLessThan(ORDER);
    }
  });

  test("does not lose stability where Euler does: a rate of 50 / dt relaxes to its input", () => {
    const stiff = "dx/dt = a * (y - x)\n dy/dt = -y * x\n a";
    const { next } = integrate(model(stiff, { method: "exponential-euler" }), { dt: 1e-3 });
    expect(evaluate(next.get("x")!, { x: 7, y: 0.5, a: 5e4 })).toBeCloseTo(0.5, 14); // e^-50 is below rounding
    expect(evaluate(next.get("x")!, { x: 7, y: 0.5, a: 0 })).toBe(7);
  });

  test("an equation without its own variable is an Euler step of that equation", () => {
    const { next } = integrate(model("dx/dt = -y * x\n dy/dt = x * x", { method: "exponential-euler" }), {
      dt: 0.25,
    });
    expect(print(next.get("y")!)).toBe("y + x * x * 0.25");
    expect(print(next.get("x")!)).toBe("x * exp(y * -0.25)");
  });

  test("takes Hodgkin-Huxley gates and voltage without being asked", () => {
    const hh = model(
      `dv/dt = (gl * (El - v) - gna * m^3 * h * (v - ENa) - gk * n^4 * (v - EK)) / C
       dm/dt = am * (1 - m) - bm * m
       dn/dt = an * (1 - n) - bn * n
       dh/dt = ah * (1 - h) - bh * h
       am = 320e3 * (13e-3 - v) / (exp((13e-3 - v) / 4e-3) - 1)
       bm = 280e3 * (v - 40e-3) / (exp((v - 40e-3) / 5e-3) - 1)
       an = 32e3 * (15e-3 - v) / (exp((15e-3 - v) / 5e-3) - 1)
       bn = 500 * exp((10e-3 - v) / 40e-3)
       ah = 128 * exp((17e-3 - v) / 18e-3)
       bh = 4000 / (1 + exp((40e-3 - v) / 5e-3))`,
      { parameters: { C: 200e-12, gl: 10e-9, gna: 20e-6, gk: 6e-6, El: 3e-3, ENa: 113e-3, EK: -27e-3 } },
    );
    expect(new Set(integrate(hh, { dt: 1e-5 }).method.values())).toEqual(new Set(["exponential-euler"]));
  });
});

describe("refractoriness under other schemes", () => {
  for (const method of ["rk4", "rk2", "heun", "euler"] as const) {
    test(`${method}: a frozen voltage keeps its bits and drives the others as the constant it is`, () => {
      const lines = (frozen: boolean) => `dv/dt = (v^2 + w) / tau ${frozen ? "(unless refractory)" : ""}
                                          dw/dt = (v * w - w^3) / tau`;
      const definition = { parameters: { tau: 10e-3 }, method, refractory: "1e-3" } as const;
      const state = { v: 0.4, w: -0.3 };
      const values = (text: string, not_refractory: number) =>
        [...integrate(model(text, definition), { dt: 1e-3 }).next.values()].map((e) =>
          evaluate(e, { ...state, not_refractory }),
        );
      const [v, w] = values(lines(true), 0);
      expect(v).toBe(0.4);
      const constant = `dv/dt = 0 * v\n ${lines(false).split("\n")[1]}`; // the same w beside a v that never moves
      expect(w).toBe(values(constant, 0)[1]);
      expect(values(lines(true), 1)).toEqual(values(lines(false), 1));
    });
  }

  test("exact variables that stand still are seen standing by RK4's stages", () => {
    const text = "dv/dt = -v / tau (unless refractory)\n dx/dt = v - x^2";
    const { next } = integrate(model(text, { parameters: { tau: 1e-3 }, refractory: "1e-3" }), { dt: 1e-3 });
    const alone = integrate(model("dx/dt = v - x^2\n v"), { dt: 1e-3 }).next.get("x")!;
    expect(evaluate(next.get("x")!, { v: 0.7, x: 0.2, not_refractory: 0 })).toBe(
      evaluate(alone, { v: 0.7, x: 0.2 }),
    );
    expect(evaluate(next.get("x")!, { v: 0.7, x: 0.2, not_refractory: 1 })).not.toBe(
      evaluate(alone, { v: 0.7, x: 0.2 }),
    );
  });
});

test("a draw in an equation is one number per tick: the same node in every stage, its mean not moved", () => {
  for (const term of ["rand()", "poisson(x)", "randn() * x"]) {
    const { next, noiseStreams } = integrate(model(`dx/dt = ${term} - x^3`, { method: "rk4" }), { dt: 1e-3 });
    const drawn = new Set<unknown>();
    walk(next.get("x")!, (node) => {
      if (node.kind === "random") drawn.add(node);
    });
    expect(drawn.size, term).toBe(1);
    expect(noiseStreams).toEqual([]);
  }
});
