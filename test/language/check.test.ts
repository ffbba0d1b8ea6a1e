import { describe, expect, test } from "vitest";
import type { Derivative } from "../../src/language/checked.ts";
import { type DeviceDefinition, device, ModelError, neuron, synapse } from "../../src/language/model.ts";
import { print } from "../../src/language/print.ts";
import { formatDimension } from "../../src/math/units.ts";

const cell = {
  name: "Cell",
  source: "this test",
  equations: "dv/dt = (El - v + R * I) / tau : V (unless refractory)\nI : A",
  threshold: "v > Vt",
  reset: "v = Vr",
  refractory: "5 ms",
  parameters: { El: "-70 mV", R: "100 Mohm", tau: "20 ms", Vt: "-50 mV", Vr: "-60 mV" },
};

const pcm: DeviceDefinition = {
  name: "PCM accumulation",
  source: "Nandakumar et al. 2018, J. Appl. Phys. 124:152135",
  equations: `
    G  : S  # conductance T0 after the last pulse
    P  : 1
    nu : 1
  `,
  initial: { G: "Ginit + GinitSd * randn()", P: 1, nu: "nuMean + nuSd * randn()" },
  on: {
    set: `
      P *= exp(-1 / alpha)
      G = clip(G + m1 * G + c1 + A1 * P + (m2 * G + c2 + A2 * P) * randn(), Gmin, Gmax)`,
    reset: "P = 1; G = Ginit + GinitSd * randn()",
  },
  drift: "G * (max(age, T0) / T0)^(-nu)",
  read: "Gd + (m3 * Gd + c3) * randn()",
  parameters: {
    ...{ alpha: 2.6, m1: -0.084, c1: "0.88 uS", A1: "1.4 uS", m2: 0.091, c2: "0.26 uS", A2: "2.15 uS" },
    ...{ m3: 0.03, c3: "0.13 uS", nuMean: 0.04, nuSd: 0, T0: "38.6 s", Gmin: "0.1 uS", Gmax: "20 uS" },
    ...{ Ginit: "0.1 uS", GinitSd: "0.01 uS" },
  },
};

/** Whole error text of building something. */
function message(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
  throw new Error("nothing was wrong");
}

const withEquations = (equations: string, parameters: Record<string, string | number> = {}): string =>
  message(() => neuron({ name: "M", source: "this test", equations, parameters }));
const withHandlers = (
  equations: string,
  on: Record<string, string>,
  parameters: Record<string, string | number> = {},
): string => message(() => synapse({ name: "S", equations, on, parameters }));

describe("a checked neuron", () => {
  const { checked } = neuron(cell);

  test("has its variables, derivatives and parameters in SI", () => {
    expect(
      checked.variables.map(({ name, unit, differential, unlessRefractory }) => [
        name,
        unit,
        differential,
        unlessRefractory,
      ]),
    ).toEqual([
      ["v", "V", true, true],
      ["I", "A", false, false],
    ]);
    expect(checked.parameters.map(({ name, value }) => [name, value])).toEqual([
      ["El", -0.07],
      ["R", 1e8],
      ["tau", 0.02],
      ["Vt", -0.05],
      ["Vr", -0.06],
    ]);
    expect(print(checked.derivatives[0].drift)).toBe("(El - v + R * I) / tau");
    expect(print(checked.threshold!)).toBe("v > Vt");
    expect(checked.refractory).toMatchObject({ kind: "number", value: 0.005 });
    expect(checked.reset).toMatchObject([{ target: "v", scope: "cell", text: "v = Vr" }]);
    expect(checked.method).toBe("auto");
  });

  test("is plain data: it survives a structured clone and JSON", () => {
    expect(structuredClone(checked)).toEqual(checked);
    expect(JSON.parse(JSON.stringify(checked))).toEqual(JSON.parse(JSON.stringify(structuredClone(checked))));
  });

  test("derived names come after those they use, whatever the order of the text", () => {
    const { derived } = neuron({
      name: "M",
      source: "this test",
      equations: "a = b + c : V\n b = 2 * c : V\n c = k * t : V\n dv/dt = a / tau : V",
      parameters: { k: "1 V/s", tau: "1 s" },
    }).checked;
    expect(derived.map((each) => each.name)).toEqual(["c", "b", "a"]);
  });

  test("keeps comments out, continues lines and splits at semicolons", () => {
    const { variables, derivatives } = neuron({
      name: "M",
      source: "this test",
      equations: `# a comment: with = signs (
        dv/dt = (a -   # the first line ends with an operator
                 v) / tau +
          0 * v / tau : V ; w : 1 # a comment ; too
        x : S/(m^2)
        active : boolean
        limit = w > 0 ? w : 0 : 1 (shared)`.replace(" (shared)", ""),
      parameters: { a: "1 V", tau: "1 s" },
    }).checked;
    expect(variables.map((each) => [each.name, formatDimension(each.dimension), each.boolean])).toEqual([
      ["v", "V", false],
      ["w", "1", false],
      ["x", "S/m^2", false],
      ["active", "1", true],
    ]);
    expect(print(derivatives[0].drift)).toBe("(a - v) / tau + 0 * v / tau");
  });
});

describe("statements", () => {
  const statements = (text: string) =>
    synapse({
      name: "S",
      equations: "w : 1 (weight)\n dx/dt = -x / tau : 1 (pre)\n dy/dt = -y / tau : 1 (post)\n n : 1 (shared)",
      on: { pre: text },
      parameters: { tau: "1 s" },
    }).checked.handlers.pre.map(({ target, value, term, scope }) => [
      target,
      print(value),
      term && print(term),
      scope,
    ]);

  test("say whom they run for, and keep the term that is added", () => {
    expect(statements("w = 2 * x; x += 1; n += 1; g_post += w; v_pre -= w * y\n w *= 2; w /= 1 + x")).toEqual(
      [
        ["w", "2 * x", undefined, "synapse"],
        ["x", "x + 1", "1", "pre"],
        ["n", "n + 1", "1", "shared"],
        ["g_post", "g_post + w", "w", "postcell"],
        ["v_pre", "v_pre - w * y", "-(w * y)", "precell"],
        ["w", "w * 2", undefined, "synapse"],
        ["w", "w / (1 + x)", undefined, "synapse"],
      ],
    );
  });

  test("of one model take streams in the order of its text", () => {
    const { initial, handlers, read, streams } = device(pcm).checked;
    const stream = (text: unknown): number[] =>
      [...JSON.stringify(text).matchAll(/"stream":(\d+)/g)].map((m) => +m[1]);
    expect([handlers.set, handlers.reset, initial, read].map(stream)).toEqual([[0], [1], [2, 3], [4]]);
    expect(streams).toBe(5);
  });
});

describe("noise", () => {
  const derivatives = (equations: string): readonly Derivative[] =>
    neuron({
      name: "M",
      source: "this test",
      equations,
      parameters: Object.fromEntries(
        Object.entries({ tau: "1 s", s: "1 V", c: 2 }).filter(([name]) =>
          new RegExp(`\\b${name}\\b`).test(equations),
        ),
      ),
    }).checked.derivatives;
  const split = (equations: string) =>
    derivatives(equations).map(({ drift, noise }) => [
      print(drift),
      ...noise.map(({ source, stream, factor }) => `${source}#${stream}: ${print(factor)}`),
    ]);

  test("is split from the drift, term by term", () => {
    expect(split("dv/dt = -v / tau + s * (2 / tau)^0.5 * xi : V")).toEqual([
      ["-v / tau", "xi#0: s * (2 / tau)^0.5"],
    ]);
    expect(split("dv/dt = s * xi * tau^(-1/2) : V")).toEqual([["0", "xi#0: s * tau^(-1 / 2)"]]);
    expect(split("dv/dt = (c - v - xi * tau^0.5) / tau : 1")).toEqual([
      ["(c - v) / tau", "xi#0: -tau^0.5 / tau"],
    ]);
    expect(split("dv/dt = -(xi_a - 2 * xi_b) * c / tau^0.5 : 1")).toEqual([
      ["0", "xi_a#0: -1 * c / tau^0.5", "xi_b#1: -(-2) * c / tau^0.5"],
    ]);
    expect(split("dv/dt = v > 0 ? xi / tau^0.5 : v / tau : 1")).toEqual([
      ["v > 0 ? 0 : v / tau", "xi#0: v > 0 ? 1 / tau^0.5 : 0"],
    ]);
  });

  test("xi is new in every equation, xi_name is shared between equations", () => {
    expect(
      split(
        "da/dt = xi / tau^0.5 : 1\n db/dt = xi / tau^0.5 + xi_c / tau^0.5 : 1\n dd/dt = xi_c / tau^0.5 : 1",
      ),
    ).toEqual([
      ["0", "xi#0: 1 / tau^0.5"],
      ["0", "xi#1: 1 / tau^0.5", "xi_c#2: 1 / tau^0.5"],
      ["0", "xi_c#2: 1 / tau^0.5"],
    ]);
  });

  test("must enter linearly", () => {
    const parameters = { tau: "1 s" };
    expect(
      [
        withEquations("dv/dt = xi^2 : 1", {}),
        withEquations("dv/dt = v / tau + exp(xi * tau^0.5) / tau : 1", parameters),
        withEquations("dv/dt = v / xi / tau^1.5 : 1", parameters),
        withEquations("dv/dt = v * xi * xi : 1", {}),
        withEquations("x = xi * tau^0.5 : 1", parameters),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "M: noise must enter linearly
          dv/dt = xi^2 : 1
                  ^^^^
        write dx/dt = f + g * xi, with f and g free of noise
      M: noise must enter linearly
          dv/dt = v / tau + exp(xi * tau^0.5) / tau : 1
                            ^^^^^^^^^^^^^^^^^
        write dx/dt = f + g * xi, with f and g free of noise
      M: noise must enter linearly
          dv/dt = v / xi / tau^1.5 : 1
                  ^^^^^^
        write dx/dt = f + g * xi, with f and g free of noise
      M: noise must enter linearly
          dv/dt = v * xi * xi : 1
                  ^^^^^^^^^^^
        write dx/dt = f + g * xi, with f and g free of noise
      M: unknown name xi
          x = xi * tau^0.5 : 1
              ^^
        white noise may stand only on the right side of a differential equation"
    `);
  });
});

test("the PCM accumulation device checks, and its text becomes statements", () => {
  const { checked } = device(pcm);
  expect(checked.handlers.set.map((each) => print(each.value))).toEqual([
    "P * exp(-1 / alpha)",
    "clip(G + m1 * G + c1 + A1 * P + (m2 * G + c2 + A2 * P) * randn(), Gmin, Gmax)",
  ]);
  expect(print(checked.drift!)).toBe("G * (max(age, T0) / T0)^(-nu)");
  expect(print(checked.read!)).toBe("Gd + (m3 * Gd + c3) * randn()");
  expect(Object.keys(checked.initial)).toEqual(["G", "P", "nu"]);
});

describe("errors, whole texts", () => {
  test("the right side of an equation has another dimension: the parameter that was meant", () => {
    expect(
      message(() =>
        neuron({
          name: "CUBA leaky integrate-and-fire",
          source: "Brette et al. 2007, J. Comput. Neurosci. 23:349, benchmark 2",
          equations: `
            dv/dt = (ge + gi - (v - El)) / Rm : V
            dge/dt = -ge / taue : V
            dgi/dt = -gi / taui : V`,
          parameters: { taum: "20 ms", taue: "5 ms", taui: "10 ms", El: "-49 mV", Rm: "100 Mohm" },
        }),
      ),
    ).toMatchInlineSnapshot(`
      "CUBA leaky integrate-and-fire: dimensions disagree
          dv/dt = (ge + gi - (v - El)) / Rm : V
                  ^^^^^^^^^^^^^^^^^^^^^^^^^
        the right side is A, the left side is V/s; did you mean taum?"
    `);
  });

  test("dimensions inside an expression", () => {
    const parameters = { g: "1 nS", u: "1 V", tau: "1 s" };
    expect(
      [
        "x = u + g : V",
        "x = u * tau - g / tau : 1",
        "x = u < tau ? u : 0 : V",
        "x = u > 0 ? u : tau : V",
        "x = exp(u) : 1",
        "x = log(g / u) : 1",
        "x = u^g : 1",
        "x = u^(g / g) : V",
        "x = 2^u : 1",
        "x = sqrt(u) : V",
        "x = min(u, g) : V",
        "x = clip(u, 0, tau) : V",
        "x = mod(u, 2) : V",
        "x = floor(u) : 1",
        "x = int(u) : 1",
        "x = u + 0 : V",
        "x = u - 1 : V",
        "x = poisson(u) : 1",
        "x = sign(u) * u^2 : V",
        "x = u > 0 : 1",
        "x = u : boolean",
        "x = (u > 0) + 1 : 1",
        "x = u and true : boolean",
        "x = not u > 0 : boolean",
        "x = (u > 0) == (u < 0) : boolean",
        "x = abs(u) * 1 / tau : V",
      ]
        .map((equations) => withEquations(equations, parameters))
        .join("\n"),
    ).toMatchInlineSnapshot(`
      "M: dimensions disagree
          x = u + g : V
              ^^^^^
        u is V, g is S
      M: dimensions disagree
          x = u * tau - g / tau : 1
              ^^^^^^^^^^^^^^^^^
        u * tau is V*s, g / tau is S/s
      M: dimensions disagree
          x = u < tau ? u : 0 : V
              ^^^^^^^
        u is V, tau is s
      M: dimensions disagree
          x = u > 0 ? u : tau : V
              ^^^^^^^^^^^^^^^
        u is V, tau is s
      M: dimensions disagree
          x = exp(u) : 1
                  ^
        exp needs a dimensionless number, u is V
      M: dimensions disagree
          x = log(g / u) : 1
                  ^^^^^
        log needs a dimensionless number, g / u is S/V
      M: dimensions disagree
          x = u^g : 1
                ^
        ^ needs a dimensionless number, g is S
      M: dimensions disagree
          x = u^(g / g) : V
                ^^^^^^^
        u is V, so its exponent must be a written number such as 2 or 1/2
      M: dimensions disagree
          x = 2^u : 1
                ^
        ^ needs a dimensionless number, u is V
      M: dimensions disagree
          x = sqrt(u) : V
              ^^^^^^^
        the right side is V^(1/2), the unit is V
      M: dimensions disagree
          x = min(u, g) : V
              ^^^^^^^^^
        u is V, g is S
      M: dimensions disagree
          x = clip(u, 0, tau) : V
              ^^^^^^^^^^^^^^^
        u is V, tau is s
      M: dimensions disagree
          x = mod(u, 2) : V
              ^^^^^^^^^
        u is V, 2 is dimensionless
      M: dimensions disagree
          x = floor(u) : 1
                    ^
        floor needs a dimensionless number, u is V
      M: a truth value and a number are mixed
          x = int(u) : 1
                  ^
        int needs a truth value, u is V
      M: dimensions disagree
          x = u + 0 : V
              ^^^^^
        u is V, 0 is dimensionless
      M: dimensions disagree
          x = u - 1 : V
              ^^^^^
        u is V, 1 is dimensionless
      M: dimensions disagree
          x = poisson(u) : 1
                      ^
        poisson needs a dimensionless number, u is V
      M: dimensions disagree
          x = sign(u) * u^2 : V
              ^^^^^^^^^^^^^
        the right side is V^2, the unit is V
      M: a number is needed
          x = u > 0 : 1
              ^^^^^
        the right side is a truth value, the unit is dimensionless; int(...) makes it 0 or 1
      M: a truth value is needed
          x = u : boolean
              ^
        the right side is V; compare it, as in v > Vt
      M: a truth value and a number are mixed
          x = (u > 0) + 1 : 1
              ^^^^^^^
        + needs numbers, (u > 0) is a truth value; int(...) makes it 0 or 1
      M: a truth value and a number are mixed
          x = u and true : boolean
              ^
        and needs a truth value, u is V
      M: a truth value and a number are mixed
          x = not u > 0 : boolean
                  ^
        not needs a truth value, u is V; not binds tighter than a comparison: write not (a < b)
      M: a truth value and a number are mixed
          x = (u > 0) == (u < 0) : boolean
              ^^^^^^^
        == needs numbers, (u > 0) is a truth value; int(...) makes it 0 or 1
      M: dimensions disagree
          x = abs(u) * 1 / tau : V
              ^^^^^^^^^^^^^^^^
        the right side is V/s, the unit is V"
    `);
  });

  test("names", () => {
    const parameters = { tau: "1 s", El: "1 V" };
    expect(
      [
        withEquations("dv/dt = (El - w) / tau : V", parameters),
        withEquations("dv/dt = (E1 - v) / tau : V", parameters),
        withEquations("dv/dt = (5 * mV - v) / tau : V", { tau: "1 s" }),
        withEquations("dv/dt = (El - v) / tau + zebra : V", parameters),
        withEquations("dv/dt = A / tau : V", { tau: "1 s" }),
        withEquations("dv/dt = (j - v) / tau : 1", { tau: "1 s" }),
        withEquations("v : V\nv : V"),
        withEquations("tau : s", { tau: "1 s" }),
        withEquations("dt : s"),
        withEquations("t = 1 : 1"),
        withEquations("xi : 1"),
        withEquations("pi : 1"),
        withEquations("exp : 1"),
        withEquations("v_pre : 1"),
        withEquations("e : 1"),
        withEquations("v : V", { i: 3 }),
        withEquations("v : V", { "a b": 3 }),
        withEquations("a = b : 1\n b = c + 1 : 1\n c = 2 * a : 1"),
        withEquations("a = a : 1"),
        withEquations("dv/dt = -v / tau : V", { tau: "1 s", taue: "1 s" }),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "M: unknown name w
          dv/dt = (El - w) / tau : V
                        ^
        it is no variable, derived name or parameter of the model
      M: unknown name E1
          dv/dt = (E1 - v) / tau : V
                   ^^
        did you mean El?
      M: unknown name mV
          dv/dt = (5 * mV - v) / tau : V
                       ^^
        quantities have no place in equations: put "5 mV" into parameters and write its name here
      M: unknown name zebra
          dv/dt = (El - v) / tau + zebra : V
                                   ^^^^^
        it is no variable, derived name or parameter of the model
      M: unknown name A
          dv/dt = A / tau : V
                  ^
        it is no variable, derived name or parameter of the model; units stand only in parameters and after the colon
      M: unknown name j
          dv/dt = (j - v) / tau : 1
                   ^
        it is no variable, derived name or parameter of the model
      M: v is defined twice
          v : V
          ^
        every name has one equation
      M: tau is defined twice
          tau : s
          ^^^
        it is also a parameter
      M: nothing can be called dt
          dt : s
          ^^
        dt is the tick
      M: nothing can be called t
          t = 1 : 1
          ^
        t is the time
      M: nothing can be called xi
          xi : 1
          ^^
        xi is white noise
      M: nothing can be called pi
          pi : 1
          ^^
        pi is a word of the language
      M: nothing can be called exp
          exp : 1
          ^^^
        exp is a word of the language
      M: nothing can be called v_pre
          v_pre : 1
          ^^^^^
        v_pre means v of a connected cell
      M: nothing can be called e
          e : 1
          ^
        e is Euler's number in mathematics; write exp(1) for it
      M, parameters: a parameter cannot be called i
          i: 3
          ^
        i is the index of the cell
      M, parameters: a parameter cannot be called a b
          a b: 3
          ^^^
        a name is letters, digits and _
      M: a derived name depends on itself
          a = b : 1
          ^
        a -> b -> c -> a
      M: a derived name depends on itself
          a = a : 1
          ^
        a -> a
      M, parameters: the parameter taue is never used
          taue: "1 s"
          ^^^^"
    `);
  });

  test("form of equations, units and flags", () => {
    expect(
      [
        withEquations("dv/dt = -v / tau", { tau: "1 s" }),
        withEquations("v"),
        withEquations("v :"),
        withEquations("v : (shared)"),
        withEquations("dv/dt : V"),
        withEquations("v + 1 = 2 : V"),
        withEquations("= 2 : V"),
        withEquations("x = : V"),
        withEquations("v : mv"),
        withEquations("v : V V"),
        withEquations("v : V (unless refractory)"),
        withEquations("dv/dt = v : V (unless refractory)"),
        withEquations("v : V (shard)"),
        withEquations("v : V (shared, shared)"),
        withEquations("v : V (shared,)"),
        withEquations("v : V (pre)"),
        withEquations("x : 1 (shared)\n y : 1\n dx2/dt = y * x : 1 (shared)"),
        withEquations("dv/dt = true : boolean"),
        withHandlers("w : 1 (weight, weight)", {}),
        withHandlers("w : 1 (weight)\nu : 1 (weight)", {}),
        withHandlers("w : 1 (weight, pre)", {}),
        withHandlers("x = 1 : 1 (weight)", {}),
        withHandlers("x : 1 (pre, post)", {}),
        withHandlers("dx/dt = (1 - y) / tau : 1 (pre)\n y : 1", {}, { tau: "1 s" }),
        withHandlers("x = i + j : 1 (pre)", {}),
        withHandlers("x = v_post : 1 (pre)", {}),
        message(() => device({ ...pcm, equations: `${pcm.equations}\ndx/dt = -x / T0 : 1` })),
        message(() => device({ ...pcm, equations: `${pcm.equations}\nx : 1 (shared)` })),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "M: the unit is missing
          dv/dt = -v / tau
                         ^
        an equation ends with its unit, such as : V, or : 1 when dimensionless
      M: the unit is missing
          v
          ^
        an equation ends with its unit, such as : V, or : 1 when dimensionless
      M: the unit is missing
          v :
            ^
        write : 1 when dimensionless
      M: the unit is missing
          v : (shared)
            ^
        write : 1 when dimensionless
      M: a differential equation has no right side
          dv/dt : V
          ^^^^^
        write dv/dt = ... : unit
      M: this is not an equation
          v + 1 = 2 : V
          ^^^^^
        write dx/dt = ... : unit, x = ... : unit, or x : unit
      M: this is not an equation
          = 2 : V
          ^^^^^^^
        write dx/dt = ... : unit, x = ... : unit, or x : unit
      M: an expression is missing
          x = : V
              ^
      M: this is not a unit
          v : mv
              ^^
        unknown unit mv; did you mean mV?
      M: this is not a unit
          v : V V
              ^^^
        "V" is not expected; products are written with *
      M: the flag unless refractory does not belong here
          v : V (unless refractory)
                 ^^^^^^^^^^^^^^^^^
        a stored variable of a neuron takes shared, constant
      M: the flag unless refractory needs a refractory time
          dv/dt = v : V (unless refractory)
                         ^^^^^^^^^^^^^^^^^
        write refractory: "5 ms" beside threshold and reset
      M: unknown flag
          v : V (shard)
                 ^^^^^
        shard is not a flag; did you mean shared?
      M: the flag shared is given twice
          v : V (shared, shared)
                         ^^^^^^
      M: unknown flag
          v : V (shared,)
                ^^^^^^^^^
        nothing is not a flag; flags are unless refractory, pre, post, shared, weight, constant
      M: the flag pre does not belong here
          v : V (pre)
                 ^^^
        a stored variable of a neuron takes shared, constant
      M: y is not visible here
          dx2/dt = y * x : 1 (shared)
                   ^
        what is computed is one for all, y is one per cell
      M: a truth value has no differential equation
          dv/dt = true : boolean
           ^
      S: the flag weight is given twice
          w : 1 (weight, weight)
                         ^^^^^^
      S: a synapse has one weight
          u : 1 (weight)
          ^
        w is the weight already
      S: weight and pre exclude each other
          w : 1 (weight, pre)
                         ^^^
      S: the flag weight does not belong here
          x = 1 : 1 (weight)
                     ^^^^^^
        a derived name of a synapse takes pre, post, shared
      S: pre and post exclude each other
          x : 1 (pre, post)
                      ^^^^
      S: y is not visible here
          dx/dt = (1 - y) / tau : 1 (pre)
                       ^
        what is computed is one per presynaptic cell, y is one per synapse
      S: j is not visible here
          x = i + j : 1 (pre)
                  ^
        what is computed is one per presynaptic cell, j is one per postsynaptic cell
      S: v_post is not visible here
          x = v_post : 1 (pre)
              ^^^^^^
        what is computed is one per presynaptic cell, v_post is one per postsynaptic cell
      PCM accumulation, initial: the initial value of x is missing
      PCM accumulation: the flag shared does not belong here
          x : 1 (shared)
                 ^^^^^^
        a stored variable of a device takes constant"
    `);
  });

  test("threshold, reset, refractory, method and fields", () => {
    const changed = (change: Record<string, unknown>): string =>
      message(() => neuron({ ...cell, ...change }));
    expect(
      [
        changed({ threshold: "v - Vt" }),
        changed({ threshold: "v > I" }),
        changed({ threshold: undefined }),
        changed({ threshold: undefined, reset: undefined }),
        changed({ refractory: "5 mV" }),
        changed({ refractory: "5" }),
        changed({ refractory: "-5 ms" }),
        changed({ refractory: "5 mss" }),
        changed({ refractory: "v" }),
        changed({ refractory: "v > Vt" }),
        changed({ reset: "v -> Vr" }),
        changed({ reset: "v == Vr" }),
        changed({ reset: "u = Vr" }),
        changed({ reset: "w = Vr" }),
        changed({ reset: "Vr = v" }),
        changed({ reset: "v = 5 * mV" }),
        changed({ reset: "v += 1" }),
        changed({ reset: "v *= Vr" }),
        changed({ reset: "v = v > Vr" }),
        changed({ reset: "t = 0" }),
        changed({ method: "rk45" }),
        changed({ method: { u: "euler" } }),
        changed({ method: { v: "eular" } }),
        changed({ on: { spike: "v = Vr" } }),
        changed({ treshold: "v > Vt" }),
        changed({ name: "" }),
        changed({ source: undefined }),
        changed({ threshold: 3 }),
        changed({ parameters: [1] }),
        changed({ parameters: { ...cell.parameters, El: "-70 mvolt" } }),
        changed({ parameters: { ...cell.parameters, El: Number.NaN } }),
        changed({ on: { tick: "I = 0; I constant" } }),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "Cell, threshold: a truth value is needed
          v - Vt
          ^^^^^^
        it is V; compare it, as in v > Vt
      Cell, threshold: dimensions disagree
          v > I
          ^^^^^
        v is V, I is A; did you mean Vt?
      Cell, reset: there is no threshold
        a reset follows a spike, and a threshold says when a cell fires
      Cell, refractory: there is no threshold
        a refractory follows a spike, and a threshold says when a cell fires
      Cell, refractory: dimensions disagree
          5 mV
          ^^^^
        this is V, a refractory time is s
      Cell, refractory: dimensions disagree
          5
          ^
        this is dimensionless, a refractory time is s
      Cell, refractory: a refractory time is not negative
          -5 ms
          ^^^^^
      Cell, refractory: this is not a quantity
          5 mss
          ^^^^^
        unknown unit mss; did you mean ms?
      Cell, refractory: dimensions disagree
          v
          ^
        this is V, a refractory time is s; did you mean tau?
      Cell, refractory: a number is needed
          v > Vt
          ^^^^^^
        this is a truth value, a refractory time is s
      Cell, reset: this is not a statement
          v -> Vr
          ^^^^^^^
        write x = ..., x += ..., x -= ..., x *= ... or x /= ...
      Cell, reset: this is not a statement
          v == Vr
          ^^^^^^^
        write x = ..., x += ..., x -= ..., x *= ... or x /= ...
      Cell, reset: u is not a variable
          u = Vr
          ^
        a variable is declared in the equations, as u : unit
      Cell, reset: w is not a variable
          w = Vr
          ^
        a variable is declared in the equations, as w : unit
      Cell, reset: Vr is a parameter
          Vr = v
          ^^
        parameters do not change; a variable is declared as Vr : unit
      Cell, reset: unknown name mV
          v = 5 * mV
                  ^^
        quantities have no place in equations: put "5 mV" into parameters and write its name here
      Cell, reset: dimensions disagree
          v += 1
               ^
        the right side is dimensionless, v is V
      Cell, reset: dimensions disagree
          v *= Vr
               ^^
        the right side is V, the factor in *= is dimensionless
      Cell, reset: a number is needed
          v = v > Vr
              ^^^^^^
        the right side is a truth value, v is V
      Cell, reset: t cannot be assigned
          t = 0
          ^
      Cell, method: rk45 is not a method
        did you mean rk4?
      Cell, method: u has no differential equation
      Cell, method: eular is not a method
        did you mean euler?
      Cell, on: a neuron has no event spike
          spike
          ^^^^^
        its one handler is tick; spikes are handled by synapses
      Cell: a neuron has no field treshold
        did you mean threshold?
      neuron: the name is missing
        neuron({ name: "...", ... }) names the model in errors and results
      Cell: source is missing
        a model says where its equations come from: authors, year, journal or DOI
      Cell: threshold must be text, not number
      Cell: parameters must be a record of texts
      Cell, parameters: this is not a quantity
          El: "-70 mvolt"
              ^^^^^^^^^^^
        unknown unit mvolt; did you mean mV?
      Cell, parameters: this is not a quantity
          El: NaN
              ^^^
        NaN is not a quantity
      Cell, handler tick: this is not a statement
          I constant
          ^^^^^^^^^^
        write x = ..., x += ..., x -= ..., x *= ... or x /= ..."
    `);
  });

  test("handlers of synapses", () => {
    const equations = `
      w : 1 (weight)
      dx/dt = -x / tau : 1 (pre)
      dy/dt = -y / tau : 1 (post)
      n : 1 (shared)
      c : 1 (constant)
      on : boolean
      z = x * y : 1`;
    const wrong = (statements: string, event = "pre"): string =>
      withHandlers(equations, { [event]: statements }, { tau: "1 s" });
    expect(
      [
        wrong("ge += w"),
        wrong("ww += 1"),
        wrong("tau = 1"),
        wrong("z = 1"),
        wrong("c = 1"),
        wrong("i = 1"),
        wrong("xi = 1"),
        wrong("x += w"),
        wrong("x += y"),
        wrong("y += 1"),
        wrong("x += 1", "post"),
        wrong("n += w"),
        wrong("on += 1"),
        wrong("on = w"),
        wrong("w = on"),
        wrong("w = ge"),
        wrong("w = normalize(w)"),
        wrong("w = normalize(2)"),
        wrong("w = normalize(x * rand())"),
        wrong("x += normalize(y)"),
        wrong("w += xi"),
        wrong("w += tau"),
        wrong("g_post *= tau"),
        wrong("w"),
        wrong("w = "),
        wrong("w = 1", "no good"),
        withHandlers("dx/dt = normalize(x) / tau : 1 (pre)", {}, { tau: "1 s" }),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "S, handler pre: ge is not a variable
          ge += w
          ^^
        whose ge? ge_pre or ge_post
      S, handler pre: ww is not a variable
          ww += 1
          ^^
        whose ww? ww_pre or ww_post; or did you mean w?
      S, handler pre: tau is a parameter
          tau = 1
          ^^^
        parameters do not change; a variable is declared as tau : unit
      S, handler pre: z is a derived name
          z = 1
          ^
        its equation says what it is at any time
      S, handler pre: c is constant
          c = 1
          ^
        its equation carries the flag constant
      S, handler pre: i cannot be assigned
          i = 1
          ^
      S, handler pre: xi cannot be assigned
          xi = 1
          ^^
      S, handler pre: w is not visible here
          x += w
               ^
        what is computed is one per presynaptic cell, w is one per synapse
      S, handler pre: y is not visible here
          x += y
               ^
        what is computed is one per presynaptic cell, y is one per postsynaptic cell
      S, handler pre: the pre handler cannot assign y
          y += 1
          ^
        y is one per postsynaptic cell, and the handler runs for spikes of presynaptic cells
      S, handler post: the post handler cannot assign x
          x += 1
          ^
        x is one per presynaptic cell, and the handler runs for spikes of postsynaptic cells
      S, handler pre: w is not visible here
          n += w
               ^
        what is computed is one for all, w is one per synapse
      S, handler pre: on is a truth value
          on += 1
          ^^
        it can only be assigned with =
      S, handler pre: a truth value is needed
          on = w
               ^
        the right side is dimensionless; compare it, as in v > Vt
      S, handler pre: a number is needed
          w = on
              ^^
        the right side is a truth value, w is dimensionless; int(...) makes it 0 or 1
      S, handler pre: unknown name ge
          w = ge
              ^^
        a variable of a connected cell is ge_pre or ge_post
      S, handler pre: normalize needs one value per presynaptic cell
          w = normalize(w)
              ^^^^^^^^^^^^
        its argument may use (pre) variables, shared ones and parameters, and at least one (pre) variable
      S, handler pre: normalize needs one value per presynaptic cell
          w = normalize(2)
              ^^^^^^^^^^^^
        its argument may use (pre) variables, shared ones and parameters, and at least one (pre) variable
      S, handler pre: normalize needs one value per presynaptic cell
          w = normalize(x * rand())
              ^^^^^^^^^^^^^^^^^^^^^
        its argument may use (pre) variables, shared ones and parameters, and at least one (pre) variable
      S, handler pre: y is not visible here
          x += normalize(y)
                         ^
        what is computed is one per presynaptic cell, y is one per postsynaptic cell
      S, handler pre: unknown name xi
          w += xi
               ^^
        white noise may stand only on the right side of a differential equation
      S, handler pre: dimensions disagree
          w += tau
               ^^^
        the right side is s, w is dimensionless
      S, handler pre: dimensions disagree
          g_post *= tau
                    ^^^
        the right side is s, the factor in *= is dimensionless
      S, handler pre: this is not a statement
          w
          ^
        write x = ..., x += ..., x -= ..., x *= ... or x /= ...
      S, handler pre: an expression is missing
          w =
            ^
      S, on: this is not the name of an event
          no good
          ^^^^^^^
        it is made of letters, digits and _
      S: normalize belongs in handlers of synapses
          dx/dt = normalize(x) / tau : 1 (pre)
                  ^^^^^^^^^^^^
        it divides by the norm over the presynaptic cells"
    `);
  });

  test("devices", () => {
    const changed = (change: Partial<DeviceDefinition>): string =>
      message(() => device({ ...pcm, ...change }));
    const { P: _, ...others } = pcm.initial;
    expect(
      [
        changed({ initial: others }),
        changed({ initial: { ...pcm.initial, Q: 1 } }),
        changed({ initial: { ...pcm.initial, P: "1 S" } }),
        changed({ initial: { ...pcm.initial, P: "age / T0" } }),
        changed({ initial: { ...pcm.initial, P: "P + 1" } }),
        changed({ initial: { nu: "P", G: "Ginit", P: 1 } }),
        changed({ drift: "G * (max(age, T0) / T0)^(-nu) * randn()" }),
        changed({ drift: "G * max(age, T0)" }),
        changed({ drift: "Gd" }),
        changed({ read: "Gd + m3" }),
        changed({ drift: undefined }),
        changed({ on: { set: "P *= exp(-age)" } }),
        changed({ on: { set: "G += dt" } }),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "PCM accumulation, initial: the initial value of P is missing
      PCM accumulation, initial Q: Q is not a stored variable
      PCM accumulation, initial P: dimensions disagree
          1 S
          ^^^
        this is S, P is dimensionless
      PCM accumulation, initial P: unknown name age
          age / T0
          ^^^
        it is no variable, derived name or parameter of the model
      PCM accumulation, initial P: the initial value of P cannot use P
          P + 1
          ^
        it may use parameters, other stored variables, indices and random draws
      PCM accumulation, initial nu: P has no value yet
          P
          ^
        give its initial value before that of nu
      PCM accumulation, drift: drift is free of noise
          G * (max(age, T0) / T0)^(-nu) * randn()
                                          ^^^^^^^
        spread between devices goes into initial, read noise into read; flicker(...), a function of time, may stand here
      PCM accumulation, drift: dimensions disagree
          G * max(age, T0)
          ^^^^^^^^^^^^^^^^
        this is F, a drift is S
      PCM accumulation, drift: unknown name Gd
          Gd
          ^^
        did you mean G?
      PCM accumulation, read: dimensions disagree
          Gd + m3
          ^^^^^^^
        Gd is S, m3 is dimensionless; did you mean c3?
      PCM accumulation, read: unknown name Gd
          Gd + (m3 * Gd + c3) * randn()
          ^^
        did you mean G?
      PCM accumulation, handler set: dimensions disagree
          P *= exp(-age)
                   ^^^^
        exp needs a dimensionless number, -age is s
      PCM accumulation, handler set: unknown name dt
          G += dt
               ^^
        it is no variable, derived name or parameter of the model"
    `);
  });
});

test("an error carries model, text and span", () => {
  try {
    neuron({ name: "M", source: "this test", equations: "a : V\n  x = a + 2 : V" });
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    const { model, text, span } = error as ModelError;
    expect(model).toBe("M");
    expect(text).toBe("x = a + 2 : V");
    expect(text.slice(span!.start, span!.end)).toBe("a + 2");
  }
});
