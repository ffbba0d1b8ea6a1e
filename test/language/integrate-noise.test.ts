import { describe, expect, test } from "vitest";
import { walk } from "../../src/language/expression.ts";
import { integrate } from "../../src/language/integrate.ts";
import { print } from "../../src/language/print.ts";
import { advance, type Draw, draws, evaluate, evaluator, model, observedOrder } from "./stepping.ts";

/** Two-sided normal deviate of a false alarm of 1e-6. */
const ALARM = 4.8916;

/** How far a sum of squares of `n` standard normal numbers is from usual, in standard deviations (Wilson & Hilferty 1931). */
const chiSquareDeviate = (sum: number, n: number) =>
  (Math.cbrt(sum / n) - (1 - 2 / (9 * n))) / Math.sqrt(2 / (9 * n));

describe("Euler-Maruyama on the Ornstein-Uhlenbeck process", () => {
  const [tau, s, dt] = [10e-3, 2, 1e-3];
  const step = (factor: number) =>
    integrate(model(`dx/dt = -x / tau + ${factor} * s * sqrt(2 / tau) * xi`, { parameters: { tau, s } }), {
      dt,
    });

  test("is x + f dt + g sqrt(dt) N with N of the equation's stream", () => {
    const { next, method, noiseStreams } = step(1);
    expect([method.get("x"), noiseStreams]).toEqual(["euler-maruyama", [0]]);
    const after = evaluate(next.get("x")!, { x: 0.3 }, (node) => {
      expect([node.distribution, node.stream, node.args]).toEqual(["normal", 0, []]);
      return 0.7;
    });
    const exact = 0.3 - (0.3 / tau) * dt + s * Math.sqrt(2 / tau) * Math.sqrt(dt) * 0.7;
    expect(Math.abs(after - exact)).toBeLessThan(4 * 2 ** -52 * Math.abs(exact));
  });

  test("keeps the stationary variance of the scheme, s^2 / (1 - dt / (2 tau)), in 20,000 cells", () => {
    const variance = s ** 2 / (1 - dt / (2 * tau));
    const cells = 20_000;
    const squares = (factor: number) => {
      const next = evaluator([...step(factor).next.values()]);
      let sum = 0;
      for (let cell = 0; cell < cells; cell++) {
        const draw = draws("stationary", cell);
        const initial = draw(1000)({ kind: "random", distribution: "normal", stream: 9, args: [] }, []);
        let x = Math.sqrt(variance) * initial;
        for (let tick = 0; tick < 25; tick++) [x] = next({ x }, draw(tick));
        sum += x * x;
      }
      return sum / variance;
    };
    expect(Math.abs(chiSquareDeviate(squares(1), cells))).toBeLessThan(ALARM);
    expect(Math.abs(chiSquareDeviate(squares(1.05), cells))).toBeGreaterThan(ALARM); // control: 5 % more noise
  });

  test("an exact-looking drift is not exact under noise, and what it drives is exponential Euler", () => {
    const { method } = integrate(
      model("dI/dt = -I / 5e-3 + xi\n dv/dt = (I - v) / 20e-3\n du/dt = v - u^3\n dg/dt = -g / 5e-3"),
      { dt },
    );
    expect(Object.fromEntries(method)).toEqual({
      I: "euler-maruyama",
      v: "exponential-euler",
      u: "euler-maruyama",
      g: "exact",
    });
  });
});

test("noise of one name is one number for all equations of an element, plain xi is each equation's own", () => {
  const { next, noiseStreams } = integrate(
    model("da/dt = 3 * xi_common + xi\n db/dt = 2 * xi_common\n dc/dt = xi"),
    { dt: 0.25 },
  );
  expect(noiseStreams).toEqual([0, 1, 2]);
  const streams = (variable: string) => {
    const found: number[] = [];
    walk(next.get(variable)!, (node) => {
      if (node.kind === "random") found.push(node.stream);
    });
    return found;
  };
  expect(streams("a")).toEqual([0, 1]);
  expect(streams("b")).toEqual([0]);
  expect(streams("c")).toEqual([2]);
  expect(print(next.get("b")!)).toBe("b + randn()");
});

describe("noise that depends on the state, dx/dt = s x xi", () => {
  const s = 0.8;
  const finest = 2 ** 9; // ticks of 1 s

  /** The normal numbers of a path at `ticks` steps of 1 s: sums of the finest, so that all steps follow one path. */
  function coarsened(path: number, ticks: number): (tick: number) => Draw {
    const fine = draws("path", path);
    const each = finest / ticks;
    return (tick) => (node, args) => {
      let sum = 0;
      for (let k = 0; k < each; k++) sum += fine(tick * each + k)(node, args);
      return sum / Math.sqrt(each);
    };
  }

  /** W(1) of a path. */
  const end = (path: number) =>
    coarsened(path, 1)(0)({ kind: "random", distribution: "normal", stream: 0, args: [] }, []);

  /** Mean over 100 paths of the error at 1 s, against exp(s W - correction). */
  function meanError(method: "euler-maruyama" | "heun", correction: number): (dt: number) => number {
    return (dt) => {
      const step = integrate(model("dx/dt = s * x * xi", { parameters: { s }, method }), { dt });
      let sum = 0;
      for (let path = 0; path < 100; path++) {
        const { x } = advance(step, dt, { x: 1 }, Math.round(1 / dt), coarsened(path, Math.round(1 / dt)));
        sum += Math.abs(x - Math.exp(s * end(path) - correction));
      }
      return sum / 100;
    };
  }

  // the slope of 100 paths' mean errors scatters by some 0.05, the errors of a path being alike at all steps
  test("Euler-Maruyama converges to Ito's solution with strong order 1/2", () => {
    const order = observedOrder(1 / 16, 5, meanError("euler-maruyama", s ** 2 / 2));
    expect(Math.abs(order - 0.5)).toBeLessThan(0.15);
  });

  test("Heun converges to Stratonovich's solution with strong order 1, and not to Ito's (control)", () => {
    const order = observedOrder(1 / 16, 5, meanError("heun", 0));
    expect(Math.abs(order - 1)).toBeLessThan(0.15);
    expect(Math.abs(observedOrder(1 / 16, 5, meanError("heun", s ** 2 / 2)))).toBeLessThan(0.15);
  });
});

test("Heun with constant noise adds the noise once, at both ends of the drift the same number", () => {
  const from = model("dx/dt = -x^3 + s * xi", { parameters: { s: 3 }, method: "heun" });
  const after = evaluate(integrate(from, { dt: 0.25 }).next.get("x")!, { x: 0.4 }, () => 0.7);
  const noise = 3 * 0.5 * 0.7;
  const predicted = 0.4 - 0.4 ** 3 * 0.25 + noise;
  const exact = 0.4 - ((0.4 ** 3 + predicted ** 3) / 2) * 0.25 + noise;
  expect(Math.abs(after - exact)).toBeLessThan(8 * 2 ** -52 * 2);
});

test("a refractory cell takes no noise", () => {
  const { next } = integrate(model("dv/dt = -v / 10e-3 + xi (unless refractory)", { refractory: "1e-3" }), {
    dt: 1e-4,
  });
  expect(evaluate(next.get("v")!, { v: 0.3, not_refractory: 0 }, () => 5)).toBe(0.3);
  expect(evaluate(next.get("v")!, { v: 0.3, not_refractory: 1 }, () => 5)).not.toBe(0.3);
});
