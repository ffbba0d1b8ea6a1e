import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModelError } from "../../src/language/error.ts";
import { apply, type Expression, functionArity, name, number, walk } from "../../src/language/expression.ts";
import { parseExpression } from "../../src/language/parse.ts";
import { print } from "../../src/language/print.ts";

const source = (text: string) => ({ model: "Model", part: "", text });
const parse = (text: string): Expression => parseExpression(source(text), { next: 0 });

/** Structure as Lisp: what binds what cannot be misread. */
function lisp(node: Expression): string {
  if (node.kind === "number" || node.kind === "boolean") return `${node.value}`;
  if (node.kind === "name") return node.name;
  const head = node.kind === "random" ? `${node.distribution}${node.stream}` : node.operator;
  return `(${[head, ...node.args.map(lisp)].join(" ")})`;
}

function message(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
  throw new Error(`${text} was read`);
}

describe("precedence", () => {
  test.each([
    ["-v^2", "(negate (^ v 2))"],
    ["2^-nu", "(^ 2 (negate nu))"],
    ["a^b^c", "(^ a (^ b c))"],
    ["-a^-b^c", "(negate (^ a (negate (^ b c))))"],
    ["-a * b", "(* (negate a) b)"],
    ["a * -b", "(* a (negate b))"],
    ["a - b - c", "(- (- a b) c)"],
    ["a / b / c", "(/ (/ a b) c)"],
    ["a / b * c", "(* (/ a b) c)"],
    ["a + b * c", "(+ a (* b c))"],
    ["1 / 2 * x", "(* (/ 1 2) x)"],
    ["(a + b) * c", "(* (+ a b) c)"],
    ["+a", "a"],
    ["a and b or not c", "(or (and a b) (not c))"],
    ["a or b and c", "(or a (and b c))"],
    ["not a and b", "(and (not a) b)"],
    ["a < b and c >= d", "(and (< a b) (>= c d))"],
    ["a + b < c * d", "(< (+ a b) (* c d))"],
    ["a ? b : c", "(select a b c)"],
    ["a ? b : c ? d : f", "(select a b (select c d f))"],
    ["a ? (b ? c : d) : f", "(select a (select b c d) f)"],
    ["a or b ? c + 1 : d", "(select (or a b) (+ c 1) d)"],
    ["a > b ? .5 : 1e-3", "(select (> a b) 0.5 0.001)"],
    ["exp(-a / b)", "(exp (/ (negate a) b))"],
    ["clip(a, b + 1, c)", "(clip a (+ b 1) c)"],
    ["mod(a, b)", "(mod a b)"],
    ["2 * pi", "(* 2 3.141592653589793)"],
    ["true or false", "(or true false)"],
    ["a != b", "(!= a b)"],
    ["τ * x_1", "(* τ x_1)"],
    ["a +\n b", "(+ a b)"],
    ["1.5E+3 + 2.", "(+ 1500 2)"],
  ])("%s is %s", (text, structure) => {
    expect(lisp(parse(text))).toBe(structure);
  });

  test("random draws take streams in the order of the text", () => {
    const streams = { next: 3 };
    const expression = parseExpression(source("rand() < p ? poisson(randn() * m) : rand()"), streams);
    expect(lisp(expression)).toBe("(select (< (uniform3) p) (poisson5 (* (normal4) m)) (uniform6))");
    expect(streams.next).toBe(7);
  });
});

describe("spans", () => {
  const spans = (text: string, start = 0): string[] => {
    const found: string[] = [];
    const root = parseExpression(source(text), { next: 0 }, { start, end: text.length });
    walk(root, (node) => {
      found.push(text.slice(node.span!.start, node.span!.end));
    });
    return found;
  };

  test("cover the term, brackets included", () => {
    expect(spans("( (a) + b ) * -c^2")).toEqual([
      "(a)",
      "b",
      "( (a) + b )",
      "c",
      "2",
      "c^2",
      "-c^2",
      "( (a) + b ) * -c^2",
    ]);
    expect(spans("exp( (a), )".replace(", ", ""))).toEqual(["(a)", "exp( (a))"]);
    expect(spans("rand() + max(a, (b))")).toEqual([
      "rand()",
      "a",
      "(b)",
      "max(a, (b))",
      "rand() + max(a, (b))",
    ]);
    expect(spans("not (a and true) ? +b : c")).toEqual([
      "a",
      "true",
      "(a and true)",
      "not (a and true)",
      "+b",
      "c",
      "not (a and true) ? +b : c",
    ]);
  });

  test("count from the start of the text, wherever the expression begins", () => {
    expect(spans("x = a * a", 4)).toEqual(["a", "a", "a * a"]);
  });
});

describe("what is printed is read again with the same value", () => {
  const names = ["a", "b", "c"];
  const leaf = fc.oneof(
    fc.constantFrom(...names).map(name),
    fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => number(Math.abs(value))),
  );
  const numeric: fc.Arbitrary<Expression> = fc.letrec<{ number: Expression; truth: Expression }>((tie) => ({
    number: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      leaf,
      fc
        .tuple(fc.constantFrom("+", "-", "*", "/", "^", "min", "max"), tie("number"), tie("number"))
        .map(([operator, a, b]) => apply(operator as "+", a, b)),
      fc
        .tuple(fc.constantFrom("negate", "abs", "sqrt", "exp"), tie("number"))
        .map(([f, a]) => apply(f as "abs", a)),
      fc.tuple(tie("truth"), tie("number"), tie("number")).map(([c, a, b]) => apply("select", c, a, b)),
    ),
    truth: fc.oneof(
      { maxDepth: 3 },
      fc
        .tuple(fc.constantFrom("<", "<=", ">", ">=", "==", "!="), leaf, leaf)
        .map(([operator, a, b]) => apply(operator as "<", a, b)),
      fc
        .tuple(fc.constantFrom("and", "or"), tie("truth"), tie("truth"))
        .map(([operator, a, b]) => apply(operator as "and", a, b)),
      tie("truth").map((a) => apply("not", a)),
    ),
  })).number;

  function value(node: Expression, of: Record<string, number>): number | boolean {
    if (node.kind === "number" || node.kind === "boolean") return node.value;
    if (node.kind === "name") return of[node.name];
    const [a, b, c] = node.args.map((arg) => value(arg, of)) as number[];
    switch (node.kind === "apply" ? node.operator : "") {
      case "+":
        return a + b;
      case "-":
        return a - b;
      case "*":
        return a * b;
      case "/":
        return a / b;
      case "^":
        return a ** b;
      case "min":
        return Math.min(a, b);
      case "max":
        return Math.max(a, b);
      case "negate":
        return -a;
      case "abs":
        return Math.abs(a);
      case "sqrt":
        return Math.sqrt(a);
      case "exp":
        return Math.exp(a);
      case "<":
        return a < b;
      case "<=":
        return a <= b;
      case ">":
        return a > b;
      case ">=":
        return a >= b;
      case "==":
        return a === b;
      case "!=":
        return a !== b;
      case "and":
        return a && b;
      case "or":
        return a || b;
      case "not":
        return !a;
      default:
        return a ? b : c;
    }
  }

  test("for any expression of our operators", () => {
    const values = fc.record({ a: fc.double(), b: fc.double(), c: fc.double() });
    fc.assert(
      fc.property(numeric, values, (expression, of) => {
        const again = parse(print(expression));
        expect(lisp(again)).toBe(lisp(expression));
        expect(value(again, of)).toEqual(value(expression, of));
      }),
      { numRuns: 300 },
    );
  });
});

describe("what is not of the language is an error with its place", () => {
  test.each(Object.entries(functionArity))("%s takes %i argument(s)", (call, arity) => {
    const args = (count: number) => Array.from({ length: count }, (_, k) => `x${k}`).join(", ");
    expect(lisp(parse(`${call}(${args(arity)})`))).toBe(`(${call} ${args(arity).replaceAll(",", "")})`);
    expect(message(`${call}(${args(arity + 1)})`)).toContain(`${call} takes ${arity}`);
  });

  test("whole texts", () => {
    const texts = [
      "2 x",
      "a b",
      "a (b)",
      "(a) (b)",
      "5 mV + v",
      "sine(v)",
      "foo(v)",
      "exp + 1",
      "clip(a, b)",
      "rand(3)",
      "a < b < c",
      "a = b",
      "a ** 2",
      "a && b",
      "a || b",
      "!a",
      "a % b",
      "a mod b",
      "mod",
      "a[3]",
      '"text"',
      "{a}",
      "v'",
      "a $ b",
      "a @ b",
      "(a + b",
      "a + b)",
      "a +",
      "* a",
      "a ? b",
      "a ? b ? c : d : f",
      "(a : b) ? c : d",
      "a : b",
      "(a, b)",
      "exp(a,)",
      "()",
      "",
      "a to b",
      "NaN",
      "1e999",
      "0x10",
      "1.2.3",
      "a; b",
    ];
    expect(texts.map(message).join("\n")).toMatchInlineSnapshot(`
      "Model: an operator is missing
          2 x
          ^^^
        products are written with *
      Model: an operator is missing
          a b
          ^^^
        products are written with *
      Model: unknown function
          a (b)
          ^
        a is not a function of the language; products are written with *
      Model: an operator is missing
          (a) (b)
            ^^^
        products are written with *
      Model: quantities have no place in equations
          5 mV + v
          ^^^^
        put "5 mV" into parameters and write its name here
      Model: unknown function
          sine(v)
          ^^^^
        sine is not a function of the language; did you mean sin?
      Model: unknown function
          foo(v)
          ^^^
        foo is not a function of the language; did you mean floor?
      Model: exp is a function
          exp + 1
          ^^^
        write exp(...)
      Model: clip takes 3 arguments, not 2
          clip(a, b)
          ^^^^^^^^^^
      Model: rand takes 0 arguments, not 1
          rand(3)
          ^^^^^^^
      Model: chained comparison
          a < b < c
          ^^^^^^^^^
        write a < b and b < c
      Model: = is not understood
          a = b
            ^
        a comparison is written ==
      Model: ** is not understood
          a ** 2
            ^^
        powers are written with ^
      Model: && is not understood
          a && b
            ^^
        write and
      Model: || is not understood
          a || b
            ^^
        write or
      Model: ! is not understood
          !a
          ^
        write not
      Model: % is not understood
          a % b
            ^
        write mod(a, b)
      Model: an operator is missing
          a mod b
          ^^^^^
        write mod(...)
      Model: mod is a function
          mod
          ^^^
        write mod(...)
      Model: [ is not understood
          a[3]
           ^
        there are no indices: every statement runs for each element
      Model: " is not understood
          "text"
          ^
        text has no place in an expression
      Model: { is not understood
          {a}
          ^
        braces have no meaning here
      Model: ' is not understood
          v'
           ^
        text has no place in an expression; dx/dt is the derivative
      Model: $ is not understood
          a $ b
            ^
      Model: @ is not understood
          a @ b
            ^
      Model: this bracket is not closed
          (a + b
          ^
      Model: this bracket was not opened
          a + b)
               ^
      Model: the expression ends too early
          a +
            ^
        something must follow +
      Model: * does not fit here
          * a
          ^
      Model: a condition has two choices
          a ? b
          ^^^^^
        write a ? b : c
      Model: a condition within a condition
          a ? b ? c : d : f
          ^^^^^^^^^^^^^^^^^
        put the inner a ? b : c into brackets
      Model: a colon belongs to a condition
          (a : b) ? c : d
          ^^^^^^^^^^^^^^^
        write a ? b : c
      Model: a colon belongs to a condition
          a : b
          ^^^^^
        write a ? b : c
      Model: , does not fit here
          (a, b)
            ^
      Model: ) does not fit here
          exp(a,)
                ^
      Model: ) does not fit here
          ()
           ^
      Model: an expression is missing
      Model: to is not a name of the language
          a to b
            ^^
      Model: NaN is not a name of the language
          NaN
          ^^^
      Model: this number is too large
          1e999
          ^^^^^
      Model: an operator is missing
          0x10
          ^^^^
        products are written with *
      Model: an operator is missing
          1.2.3
          ^^^^^
        products are written with *
      Model: ; is not understood
          a; b
           ^
        a statement ends here"
    `);
  });

  test("an error in the second line of a term shows that line", () => {
    expect(message("a +\n    b c")).toMatchInlineSnapshot(`
      "Model: an operator is missing
          b c
          ^^^
        products are written with *"
    `);
  });
});
