import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { differentiate, fold, inline, linearity } from "../../src/language/algebra.ts";
import {
  apply,
  type Expression,
  name,
  namesIn,
  number,
  type Operator,
} from "../../src/language/expression.ts";
import { print } from "../../src/language/print.ts";
import { evaluate, model, nodeCount, parse } from "./stepping.ts";

const folded = (text: string) => print(fold(parse(text)));

describe("folding", () => {
  test("computes constant parts and leaves the order of operations alone", () => {
    expect(folded("2 * 3 * x")).toBe("6 * x");
    expect(folded("x * 2 * 3")).toBe("x * 2 * 3"); // (x * 2) * 3 rounds differently from x * 6
    expect(folded("x / (4 * 2)")).toBe("x / 8"); // stays a division
    expect(folded("(1 + 1)^x + sqrt(16) + exp(0)")).toBe("2^x + 4 + 1");
    expect(folded("exp(1) * x")).toBe(`${Math.E} * x`);
  });

  test("uses x * 1, x / 1, x - 0, x^1 and -(-x), but neither x * 0 nor x + 0", () => {
    expect(["x * 1", "1 * x", "x / 1", "x - 0", "x^1", "-(-x)"].map(folded)).toEqual([
      "x",
      "x",
      "x",
      "x",
      "x",
      "x",
    ]);
    expect(["x * 0", "x + 0", "0 / x", "x - x"].map(folded)).toEqual(["x * 0", "x + 0", "0 / x", "x - x"]);
    expect(["x * -1", "x / -1"].map(folded)).toEqual(["-x", "-x"]);
  });

  test("decides constant conditions", () => {
    expect(folded("(1 < 2 ? x : y) + int(2 < 1)")).toBe("x + 0");
    expect(folded("1 < 2 and x > 0")).toBe("x > 0");
    expect(folded("x > 0 or 1 < 2")).toBe("true");
    expect(folded("not (1 < 2)")).toBe("false");
  });

  test("leaves to the machine what it may round or break differently: mod, ties of round, huge angles", () => {
    expect(["mod(7, 4)", "round(2.5)", "sin(1e6)"].map(folded)).toEqual([
      "mod(7, 4)",
      "round(2.5)",
      "sin(1000000)",
    ]);
    expect(folded("round(2.4)")).toBe("2");
  });

  test("never changes a bit of the value, NaN, infinities and -0 included", () => {
    const special = fc.constantFrom(0, -0, 1, -1, 2, 0.1, -3, Number.POSITIVE_INFINITY, Number.NaN);
    const operators: Operator[] = ["+", "-", "*", "/", "min", "max"];
    const tree = fc.letrec<{ node: Expression }>((tie) => ({
      node: fc.oneof(
        { depthSize: "medium" },
        special.map(number),
        fc.constantFrom("x", "y").map(name),
        fc.tuple(fc.constantFrom(...operators), tie("node"), tie("node")).map(([o, a, b]) => apply(o, a, b)),
        fc
          .tuple(fc.constantFrom<Operator>("negate", "abs", "sqrt"), tie("node"))
          .map(([o, a]) => apply(o, a)),
        fc
          .tuple(
            fc.constantFrom<Operator>("<", ">=", "=="),
            tie("node"),
            tie("node"),
            tie("node"),
            tie("node"),
          )
          .map(([o, a, b, c, d]) => apply("select", apply(o, a, b), c, d)),
      ),
    })).node;
    const value = fc.oneof(special, fc.double());
    fc.assert(
      fc.property(tree, value, value, (expression, x, y) =>
        Object.is(evaluate(fold(expression), { x, y }), evaluate(expression, { x, y })),
      ),
      { seed: 11, numRuns: 3000 },
    );
  });

  test("keeps shared parts shared and gives back what it does not change", () => {
    const shared = parse("x * y + 2 * 3");
    const root = fold(apply("*", shared, shared));
    expect(root.kind === "apply" && root.args[0] === root.args[1]).toBe(true);
    const constantFree = parse("x + y * exp(x)");
    expect(fold(constantFree)).toBe(constantFree);
  });
});

test("inlining replaces parameters and derived names, and shares nodes between what it inlines", () => {
  const { parameters, derived } = model("m = a * x + b\n n = m * m", { parameters: { a: 3, b: 0.5 } });
  const inlined = inline({ parameters, derived }, { dt: 1e-3 });
  const first = inlined(parse("n / dt"));
  const second = inlined(parse("m > b"));
  expect(print(first)).toBe("(3 * x + 0.5) * (3 * x + 0.5) / 0.001");
  expect(print(second)).toBe("3 * x + 0.5 > 0.5");
  expect(nodeCount([first, second])).toBe(9); // 3 x * 0.5 + * 0.001 / >
});

test("inlining a chain of forty definitions that each use the last one twice costs forty nodes", () => {
  const lines = Array.from({ length: 40 }, (_, k) => `y${k + 1} = y${k} * y${k} + 1`);
  const { parameters, derived } = model(`y0 = x\n${lines.join("\n")}`);
  const root = inline({ parameters, derived })(name("y40"));
  expect(nodeCount([root])).toBeLessThan(125);
  expect([...namesIn(root)]).toEqual(["x"]);
  expect(nodeCount([differentiate(root, "x")])).toBeLessThan(500);
});

describe("derivatives", () => {
  const texts = [
    "x^3 - 2 * x / (1 + x^2)",
    "exp(-x / 2) * sin(3 * x)",
    "x^y + y^x + 2^-x",
    "log(x) + log10(x) * sqrt(x)",
    "tanh(x) * cosh(x) - sinh(y * x) + cos(x^2)",
    "expm1(x * y) / tan(x)",
    "abs(x - 5) + min(x^2, 3 * x) * max(x, 2) + clip(x, 0, 10)",
    "x > 1 ? x^2 : 3 * x",
    "mod(x, 10) + floor(y) * x + sign(x) + int(x > 0)",
  ];

  /** Whether `derivative` agrees with central differences, to the error these show between two steps. */
  function agrees(expression: Expression, derivative: Expression, x: number): boolean {
    const f = (at: number) => evaluate(expression, { x: at, y: 1.3 });
    const difference = (h: number) => (f(x + h) - f(x - h)) / (2 * h);
    const [coarse, fine] = [difference(2e-4), difference(1e-4)];
    const rounding = (2 ** -50 * Math.abs(f(x))) / 1e-4;
    return Math.abs(evaluate(derivative, { x, y: 1.3 }) - fine) <= Math.abs(coarse - fine) + rounding + 1e-11;
  }

  for (const text of texts) {
    test(`d/dx of ${text}`, () => {
      const expression = parse(text);
      const derivative = differentiate(expression, "x");
      for (const x of [0.31, 0.77, 1.21, 2.3]) {
        expect(agrees(expression, derivative, x), `at ${x}: ${print(derivative)}`).toBe(true);
        expect(agrees(expression, apply("*", derivative, number(1.001)), x)).toBe(false); // control: 0.1 %
      }
    });
  }

  test("a base of 0 has a derivative by base and exponent", () => {
    const expression = parse("max(x - 2, 0)^y");
    for (const [of, y] of [
      ["y", 1],
      ["y", 2.5],
      ["x", 0.5],
      ["x", 2.5],
    ] as const)
      expect(Math.abs(evaluate(differentiate(expression, of), { x: 1, y })), `d/d${of} at y = ${y}`).toBe(0);
  });

  test("along a direction are those of the composition: d/dp f(x(p), p) from dx/dp", () => {
    const inner = "1.1 * p + sin(p)";
    for (const outer of ["x^2 * exp(-x * p) + x / p", "clip(x, 0, 10) * p^x", "x > p ? x * x * p : p"]) {
      const whole = differentiate(parse(outer.replaceAll(/\bx\b/gu, `(${inner})`)), "p");
      const slope = differentiate(parse(inner), "p");
      const along = differentiate(
        parse(outer),
        new Map([
          ["x", name("slope")],
          ["p", number(1)],
        ]),
      );
      for (const p of [0.31, 1.21, 2.3]) {
        const [x, rate] = [1.1 * p + Math.sin(p), evaluate(slope, { p })];
        const expected = evaluate(whole, { p });
        expect(Math.abs(evaluate(along, { x, p, slope: rate }) / expected - 1)).toBeLessThan(1e-14);
        const without = differentiate(parse(outer), "x"); // control: the direct dependence on p left out
        expect(Math.abs((evaluate(without, { x, p }) * rate) / expected - 1)).toBeGreaterThan(1e-3);
      }
    }
  });

  test("carry no needless zeros and ones", () => {
    const derivative = (text: string) => print(differentiate(parse(text), "x"));
    expect(derivative("(E - x) * g / C")).toBe("-(g / C)");
    expect(derivative("x^2")).toBe("2 * x");
    expect(derivative("a * y + exp(y)")).toBe("0");
    expect(derivative("exp(-x)")).toBe("-exp(-x)");
  });

  test("take draws as constants, and stop at normalize", () => {
    expect(print(differentiate(parse("x * rand()"), "x"))).toBe("rand()");
    expect(() => differentiate(parse("normalize(x)"), "x")).toThrow(
      "normalize(x) has no derivative for one cell",
    );
  });
});

describe("linearity", () => {
  const form = (text: string, ...states: string[]) => {
    const result = linearity(parse(text), new Set(states));
    if (!result.affine) return `not affine: ${print(result.term)}`;
    return [...[...result.coefficients].map(([k, a]) => `${k}: ${print(a)}`), print(result.constant)].join(
      ", ",
    );
  };

  test("splits a right side into coefficients and the rest", () => {
    expect(form("(ge + gi - (v - El)) / taum", "v", "ge", "gi")).toBe(
      "ge: 1 / taum, gi: 1 / taum, v: -1 / taum, El / taum",
    );
    expect(form("g * (E - v) / C", "v")).toBe("v: -(g / C), g * E / C");
    expect(form("c > 0 ? a * x : x + b", "x")).toBe("x: c > 0 ? a : 1, c > 0 ? 0 : b");
    expect(form("x - x + 3", "x")).toBe("3");
    expect(form("(x - x) * x", "x")).toBe("0");
    expect(form("sin(a) * b", "x")).toBe("sin(a) * b");
    expect(form("x * rand() + 1", "x")).toBe("x: rand(), 1");
  });

  test("names the smallest term that is not linear", () => {
    expect(form("(v - v^3 / 3 - w) / tau", "v", "w")).toBe("not affine: v^3");
    expect(form("a * exp(v / b) - v", "v")).toBe("not affine: exp(v / b)");
    expect(form("x * (y + 1)", "x", "y")).toBe("not affine: x * (y + 1)");
    expect(form("1 / x", "x")).toBe("not affine: 1 / x");
    expect(form("x > 0 ? x : 0", "x")).toBe("not affine: x > 0");
  });

  test("is exact: coefficients times states plus constant is the expression, on integers", () => {
    const states = ["x", "y"];
    const affineTree = fc.letrec<{ affine: Expression; free: Expression }>((tie) => ({
      free: fc.oneof(
        { depthSize: "small" },
        fc.integer({ min: -3, max: 3 }).map(number),
        fc.constantFrom("a", "b").map(name),
        fc
          .tuple(fc.constantFrom<Operator>("+", "-", "*"), tie("free"), tie("free"))
          .map(([o, p, q]) => apply(o, p, q)),
      ),
      affine: fc.oneof(
        { depthSize: "small" },
        tie("free"),
        fc.constantFrom(...states).map(name),
        fc
          .tuple(fc.constantFrom<Operator>("+", "-"), tie("affine"), tie("affine"))
          .map(([o, p, q]) => apply(o, p, q)),
        fc.tuple(tie("free"), tie("affine")).map(([p, q]) => apply("*", p, q)),
        fc.tuple(tie("affine"), tie("free")).map(([p, q]) => apply("*", p, q)),
        tie("affine").map((p) => apply("negate", p)),
        fc
          .tuple(tie("free"), tie("affine"), tie("affine"))
          .map(([c, p, q]) => apply("select", apply(">", c, number(0)), p, q)),
      ),
    })).affine;
    const small = fc.integer({ min: -4, max: 4 });
    fc.assert(
      fc.property(affineTree, small, small, small, small, (expression, a, b, x, y) => {
        const values: Record<string, number> = { a, b, x, y };
        const result = linearity(expression, new Set(states));
        if (!result.affine) return false;
        let total = evaluate(result.constant, values);
        for (const [state, coefficient] of result.coefficients) {
          if ([...namesIn(coefficient)].some((used) => states.includes(used))) return false;
          total += evaluate(coefficient, values) * values[state];
        }
        const exact = evaluate(expression, values);
        return (
          [...namesIn(result.constant)].every((used) => !states.includes(used)) &&
          (Math.abs(exact) > 2 ** 50 || total === exact + 0)
        );
      }),
      { seed: 12, numRuns: 2000 },
    );
  });
});

describe("printing", () => {
  test("puts parentheses where association or order would change, and only there", () => {
    const texts = [
      "a - (b - c)",
      "a - b - c",
      "a + (b + c)",
      "a / (b * c)",
      "-v^2",
      "(-v)^2",
      "2^-nu",
      "(a^b)^c",
      "a^b^c",
      "(a + b) * c",
      "not (a > b) and c < d",
      "x > 0 ? a : y > 0 ? b : c",
      "min(a + b, c) - rand()",
    ];
    for (const text of texts) {
      const printed = print(parse(text));
      expect(print(parse(printed))).toBe(printed);
      expect(evaluateAll(printed)).toEqual(evaluateAll(text));
    }
    expect(print(parse("a - b - c"))).toBe("a - b - c");
    expect(print(parse("(a * b) / c"))).toBe("a * b / c");
    expect(print(number(-2))).toBe("-2");
    expect(print(parse("a + b * (c + d * e)"), 2)).toBe("a + b * …");
  });

  function evaluateAll(text: string): number {
    const values = { a: 2, b: 3, c: 5, d: 7, v: 1.5, nu: 0.3, x: -1, y: 1 };
    return evaluate(parse(text), values, () => 0.25);
  }
});
