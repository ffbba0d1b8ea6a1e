import { describe, expect, test } from "vitest";
import { walk } from "../../src/language/expression.ts";
import { ModelError, neuron, parseExpressionFor, parseInitial, synapse } from "../../src/language/model.ts";
import { print } from "../../src/language/print.ts";
import { formatDimension } from "../../src/math/units.ts";

const lif = neuron({
  name: "LIF",
  source: "this test",
  equations: "dv/dt = (El - v) / tau : V (unless refractory)\n u : 1\n on : boolean\n s = u * v : V",
  threshold: "v > Vt and not on",
  reset: "v = Vr",
  refractory: "tref",
  parameters: { El: "-70 mV", tau: "20 ms", Vt: "-50 mV", Vr: "-60 mV", tref: "2 ms" },
});

function message(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
  throw new Error("nothing was wrong");
}

describe("a model", () => {
  test("changes some parameters by with, and never itself", () => {
    const fast = lif.with({ tau: "5 ms" }).with({ Vt: "-0.04 V" });
    const value = (model: typeof lif, name: string) =>
      model.checked.parameters.find((each) => each.name === name)?.value;
    expect([value(fast, "tau"), value(fast, "Vt"), value(fast, "El")]).toEqual([0.005, -0.04, -0.07]);
    expect(fast.definition.parameters).toMatchObject({ tau: "5 ms", Vt: "-0.04 V", El: "-70 mV" });
    expect([value(lif, "tau"), lif.definition.parameters?.tau]).toEqual([0.02, "20 ms"]);
    expect(fast.checked.derivatives).toBe(lif.checked.derivatives);
  });

  test("built from the changed definition is the same model", () => {
    const fast = lif.with({ tau: "5 ms" });
    expect(neuron(fast.definition).checked).toEqual(fast.checked);
  });

  test("is frozen through and through", () => {
    expect(() => Object.assign(lif.definition.parameters!, { tau: "1 ms" })).toThrow(TypeError);
    expect(() => Object.assign(lif.checked.variables[0], { unit: "A" })).toThrow(TypeError);
    expect(() => Object.assign(lif, { kind: "synapse" })).toThrow(TypeError);
  });

  test("does not keep the object it was written as", () => {
    const parameters = { tau: "20 ms" };
    const model = neuron({ name: "M", source: "this test", equations: "dv/dt = -v / tau : 1", parameters });
    parameters.tau = "1 ms";
    expect(model.definition.parameters).toEqual({ tau: "20 ms" });
  });

  test("lists the events that synapses must bind", () => {
    const rule = synapse({
      name: "S",
      equations: "w : 1",
      on: { pre: "w += 1", teacher: "w = 0", post: "w = 1", update: "w = 2" },
    });
    expect(rule.events).toEqual(["teacher", "update"]);
  });

  test("refuses values by name and dimension", () => {
    const change = lif.with as (parameters: Record<string, string | number>) => unknown;
    const model = neuron({ name: "M", source: "this test", equations: "v : 1" });
    expect(
      [
        message(() => change({ taum: "5 ms" })),
        message(() => change({ tau: "5 mV" })),
        message(() => change({ tau: 5 })),
        message(() => change({ tau: "5 mss" })),
        message(() => (model.with as typeof change)({ tau: 5 })),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "LIF, parameters: there is no parameter taum
          taum: "5 ms"
          ^^^^
        did you mean tau?
      LIF, parameters: dimensions disagree
          tau: "5 mV"
               ^^^^^^
        this is V, tau is s
      LIF, parameters: dimensions disagree
          tau: 5
               ^
        this is dimensionless, tau is s
      LIF, parameters: this is not a quantity
          tau: "5 mss"
               ^^^^^^^
        unknown unit mss; did you mean ms?
      M, parameters: there is no parameter tau
          tau: 5
          ^^^
        it has no parameters"
    `);
  });
});

describe("initial values", () => {
  test.each<[string, string | number, string]>([
    ["v", "Vr + rand() * (Vt - Vr)", "Vr + rand() * (Vt - Vr)"],
    ["v", "-60 mV", "-0.06"],
    ["v", "0", "0"],
    ["v", 0, "0"],
    ["u", 1.5, "1.5"],
    ["u", "i / 2 + v / Vt", "i / 2 + v / Vt"],
    ["on", "rand() < 0.5", "rand() < 0.5"],
    ["on", "true", "true"],
  ])("%s: %s", (variable, written, text) => {
    expect(print(parseInitial(lif, variable, written))).toBe(text);
  });

  test("draws of different variables use different streams, above those of the model", () => {
    const streams = (variable: string, text: string): number[] => {
      const found: number[] = [];
      walk(parseInitial(lif, variable, text), (node) => {
        if (node.kind === "random") found.push(node.stream);
      });
      return found;
    };
    expect(streams("v", "Vr + rand() * randn() * Vt")).toEqual([1000, 1001]);
    expect(streams("u", "rand()")).toEqual([1100]);
    expect(streams("on", "rand() < poisson(2)")).toEqual([1200, 1201]);
  });

  test("errors, whole texts", () => {
    const wrong = (variable: string, written: string | number): string =>
      message(() => parseInitial(lif, variable, written));
    expect(
      [
        wrong("V", 1),
        wrong("v", -0.06),
        wrong("v", "-60 ms"),
        wrong("v", "-60 mW2"),
        wrong("v", "Vr + 1"),
        wrong("v", "Vz"),
        wrong("v", "v"),
        wrong("u", "s / Vt"),
        wrong("u", "t / tau"),
        wrong("u", "j"),
        wrong("on", 1),
        wrong("u", "rand("),
        wrong("u", ""),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "LIF, initial V: there is no variable V
        did you mean v?
      LIF, initial v: dimensions disagree
          -0.06
          ^^^^^
        this is dimensionless, v is V
      LIF, initial v: dimensions disagree
          -60 ms
          ^^^^^^
        this is s, v is V
      LIF, initial v: this is not a quantity
          -60 mW2
          ^^^^^^^
        "2" is not expected; products are written with *
      LIF, initial v: dimensions disagree
          Vr + 1
          ^^^^^^
        Vr is V, 1 is dimensionless
      LIF, initial v: unknown name Vz
          Vz
          ^^
        did you mean Vt?
      LIF, initial v: the initial value of v cannot use v
          v
          ^
        it may use parameters, other stored variables, indices and random draws
      LIF, initial u: the initial value of u cannot use s
          s / Vt
          ^
        it may use parameters, other stored variables, indices and random draws
      LIF, initial u: unknown name t
          t / tau
          ^
        did you mean Vt?
      LIF, initial u: unknown name j
          j
          ^
        it is no variable, derived name or parameter of the model
      LIF, initial on: a truth value is needed
          1
          ^
        this is dimensionless; compare it, as in v > Vt
      LIF, initial u: this bracket is not closed
          rand(
              ^
      LIF, initial u: an expression is missing"
    `);
  });
});

describe("expressions in a model's names", () => {
  test("say what they are", () => {
    const { expression, dimension, boolean } = parseExpressionFor(lif, "s - El * dt / tau");
    expect([print(expression), formatDimension(dimension), boolean]).toEqual([
      "s - El * dt / tau",
      "V",
      false,
    ]);
    expect(parseExpressionFor(lif, "v > Vt").boolean).toBe(true);
    expect(parseExpressionFor(lif, "2 ms", "s").expression).toMatchObject({ kind: "number", value: 0.002 });
  });

  test("may be asked for a unit", () => {
    expect(
      [
        message(() => parseExpressionFor(lif, "v", "s")),
        message(() => parseExpressionFor(lif, "2 mV", "s")),
        message(() => parseExpressionFor(lif, "vv")),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "LIF, expression: dimensions disagree
          v
          ^
        this is V, what is needed is s
      LIF, expression: dimensions disagree
          2 mV
          ^^^^
        this is V, what is needed is s
      LIF, expression: unknown name vv
          vv
          ^^
        did you mean v?"
    `);
  });
});
