/**
 * Expression text to expressions, with mathjs's grammar.
 *
 * mathjs decides precedence; which words exist, what they mean and where they stand is decided here: only
 * node kinds named below become expressions. mathjs keeps no positions, so the leaves of its tree are matched
 * with our own tokens, which come in the same order. Knows nothing of names or dimensions.
 */
import { ModelError, type Source } from "./error.ts";
import {
  type Distribution,
  type Expression,
  type FunctionName,
  functionArity,
  type Operator,
  type Span,
} from "./expression.ts";
import { drawArity, isFunction, keywords, type Token, tokenise } from "./token.ts";

/** Counts the draws of a model's text: each takes the next stream. */
export interface Streams {
  next: number;
}

/** What mathjs's parser hands to node constructors, as far as our grammar reaches. */
type Tree =
  | { readonly type: "ConstantNode"; readonly value: number | boolean }
  | { readonly type: "SymbolNode"; readonly name: string }
  | { readonly type: "ParenthesisNode"; readonly content: Tree }
  | {
      readonly type: "OperatorNode";
      readonly op: string;
      readonly fn: string;
      readonly args: readonly Tree[];
    }
  | {
      readonly type: "RelationalNode";
      readonly conditionals: readonly string[];
      readonly params: readonly Tree[];
    }
  | { readonly type: "FunctionNode"; readonly fn: Tree; readonly args: readonly Tree[] }
  | {
      readonly type: "ConditionalNode";
      readonly condition: Tree;
      readonly trueExpr: Tree;
      readonly falseExpr: Tree;
    }
  | { readonly type: "other" };

type CreateParse = (dependencies: Record<string, unknown>) => (text: string) => Tree;

/**
 * mathjs's parser alone: 9 modules. `mathjs/number`, where it is exported, links some 600 (200 ms in Node), so
 * that is the second choice, for bundlers and for versions that keep their files elsewhere.
 */
async function loadParser(): Promise<CreateParse> {
  try {
    const parser = new URL("./expression/parse.js", import.meta.resolve("mathjs/number"));
    return (await import(/* @vite-ignore */ parser.href)).createParse;
  } catch {
    return ((await import("mathjs/number")) as unknown as { createParse: CreateParse }).createParse;
  }
}

const createParse = await loadParser();
const parseTree = treeParser();

/** The parser with plain nodes: mathjs's own carry an evaluator that is not wanted here. */
function treeParser(): (text: string) => Tree {
  const node = (type: string, ...fields: readonly string[]) => {
    class SyntaxNode {
      constructor(...values: readonly unknown[]) {
        Object.assign(this, { type, [`is${type}`]: true });
        fields.forEach((field, k) => {
          Object.assign(this, { [field]: values[k] });
        });
      }
    }
    Object.assign(SyntaxNode.prototype, { isNode: true }); // mathjs recognises nodes by this
    return SyntaxNode;
  };
  const other = node("other");
  return createParse({
    typed: Object.assign((_name: string, signatures: { string: unknown }) => signatures.string, {
      addConversion() {},
    }),
    numeric: Number,
    config: { number: "number", numberFallback: "number" },
    ConstantNode: node("ConstantNode", "value"),
    SymbolNode: node("SymbolNode", "name"),
    ParenthesisNode: node("ParenthesisNode", "content"),
    OperatorNode: node("OperatorNode", "op", "fn", "args"),
    RelationalNode: node("RelationalNode", "conditionals", "params"),
    FunctionNode: node("FunctionNode", "fn", "args"),
    ConditionalNode: node("ConditionalNode", "condition", "trueExpr", "falseExpr"),
    AccessorNode: other,
    ArrayNode: other,
    AssignmentNode: other,
    BlockNode: other,
    FunctionAssignmentNode: other,
    IndexNode: other,
    ObjectNode: other,
    RangeNode: other,
  });
}

const operators: Readonly<Record<string, Operator>> = {
  add: "+",
  subtract: "-",
  multiply: "*",
  divide: "/",
  pow: "^",
  unaryMinus: "negate",
  smaller: "<",
  smallerEq: "<=",
  larger: ">",
  largerEq: ">=",
  equal: "==",
  unequal: "!=",
  and: "and",
  or: "or",
  not: "not",
};

const distributions: Readonly<Record<keyof typeof drawArity, Distribution>> = {
  rand: "uniform",
  randn: "normal",
  poisson: "poisson",
  flicker: "flicker",
};

const constants: Readonly<Record<string, number>> = { pi: Math.PI };

/**
 * The expression in `source.text`, or in [start, end) of it. Spans count from the start of `source.text`.
 * Throws `ModelError` with the place.
 */
export function parseExpression(
  source: Source,
  streams: Streams,
  range: Span = { start: 0, end: source.text.length },
): Expression {
  const tokens = tokenise(source, range.start, range.end);
  if (tokens.length === 0) {
    const at = Math.min(range.start, source.text.length - 1);
    const place = source.text.trim() === "" ? undefined : { start: at, end: at + 1 };
    throw new ModelError(source, place, "an expression is missing");
  }
  return new Reader(source, streams, tokens).read(syntax(source, tokens));
}

function syntax(source: Source, tokens: readonly Token[]): Tree {
  const text = tokens.map((token) => token.text).join(" ");
  try {
    return parseTree(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // mathjs counts characters of `text` from 1 and points at the word that does not fit
    const char = (error as SyntaxError & { char?: number }).char ?? text.length + 1;
    let at = 0;
    let k = 0;
    while (k < tokens.length - 1 && at + tokens[k].text.length + 1 < char) at += tokens[k++].text.length + 1;
    const count = (word: string): number => tokens.filter((token) => token.text === word).length;
    const whole = { start: tokens[0].start, end: tokens[tokens.length - 1].end };
    if (count("?") > count(":"))
      throw new ModelError(source, whole, "a condition has two choices", "write a ? b : c");
    if (count(":") > count("?"))
      throw new ModelError(source, whole, "a colon belongs to a condition", "write a ? b : c");
    if (count("?") > 1)
      // mathjs reads a second condition only after the colon
      throw new ModelError(
        source,
        whole,
        "a condition within a condition",
        "put the inner a ? b : c into brackets",
      );
    if (char > text.length)
      throw new ModelError(
        source,
        tokens[k],
        "the expression ends too early",
        `something must follow ${tokens[k].text}`,
      );
    throw new ModelError(source, tokens[k], `${tokens[k].text} does not fit here`);
  }
}

/** A read expression and the tokens it covers, brackets included. */
interface Read {
  readonly expression: Expression;
  readonly first: number;
  readonly last: number;
}

class Reader {
  readonly #source: Source;
  readonly #streams: Streams;
  readonly #tokens: readonly Token[];
  #next = 0; // the next token that may be a leaf

  constructor(source: Source, streams: Streams, tokens: readonly Token[]) {
    this.#source = source;
    this.#streams = streams;
    this.#tokens = tokens;
  }

  read(tree: Tree): Expression {
    return this.#read(tree).expression;
  }

  /** Position of the next number or name: leaves occur in the tree as they occur in the text. */
  #leaf(): number {
    while (
      this.#tokens[this.#next].kind === "operator" ||
      ["and", "or", "not"].includes(this.#tokens[this.#next].text)
    )
      this.#next++;
    return this.#next++;
  }

  #span(first: number, last: number): Span {
    return { start: this.#tokens[first].start, end: this.#tokens[last].end };
  }

  #read(tree: Tree): Read {
    switch (tree.type) {
      case "ConstantNode": {
        const at = this.#leaf();
        const { value } = tree;
        const span = this.#span(at, at);
        const expression: Expression =
          typeof value === "boolean" ? { kind: "boolean", value, span } : { kind: "number", value, span };
        if (typeof value === "number" && !Number.isFinite(value))
          throw new ModelError(this.#source, span, "this number is too large");
        return { expression, first: at, last: at };
      }
      case "SymbolNode": {
        const at = this.#leaf();
        const span = this.#span(at, at);
        if (isFunction(tree.name))
          throw new ModelError(this.#source, span, `${tree.name} is a function`, `write ${tree.name}(...)`);
        const expression: Expression = Object.hasOwn(constants, tree.name)
          ? { kind: "number", value: constants[tree.name], span }
          : { kind: "name", name: tree.name, span };
        return { expression, first: at, last: at };
      }
      case "ParenthesisNode": {
        const inner = this.#read(tree.content);
        const [first, last] = [inner.first - 1, inner.last + 1];
        return { expression: { ...inner.expression, span: this.#span(first, last) }, first, last };
      }
      case "OperatorNode":
        return this.#readOperator(tree.fn, tree.args);
      case "ConditionalNode":
        return this.#apply("select", [tree.condition, tree.trueExpr, tree.falseExpr]);
      case "RelationalNode": {
        const parts = tree.params.map((part) => this.#read(part));
        const span = this.#span(parts[0].first, parts[parts.length - 1].last);
        throw new ModelError(this.#source, span, "chained comparison", "write a < b and b < c");
      }
      case "FunctionNode":
        return this.#readFunction(tree.fn, tree.args);
      default: // the one other thing our words can form is mathjs's range, a:b
        throw new ModelError(
          this.#source,
          this.#span(0, this.#tokens.length - 1),
          "a colon belongs to a condition",
          "write a ? b : c",
        );
    }
  }

  #apply(operator: Operator, trees: readonly Tree[]): Read {
    const parts = trees.map((part) => this.#read(part));
    const prefix = parts.length === 1; // a unary operator stands before its argument
    const first = prefix ? parts[0].first - 1 : parts[0].first;
    const { last } = parts[parts.length - 1];
    const args = parts.map((part) => part.expression);
    return { expression: { kind: "apply", operator, args, span: this.#span(first, last) }, first, last };
  }

  #readOperator(fn: string, args: readonly Tree[]): Read {
    if (fn === "unaryPlus") {
      const { expression, first, last } = this.#read(args[0]);
      return { expression: { ...expression, span: this.#span(first - 1, last) }, first: first - 1, last };
    }
    if (Object.hasOwn(operators, fn)) return this.#apply(operators[fn], args);
    // `mod` between operands is the only other operator our words can form
    const parts = args.map((part) => this.#read(part));
    const span = this.#span(parts[0].first, parts[parts.length - 1].last);
    throw new ModelError(this.#source, span, `${fn} is a function`, `write ${fn}(a, b)`);
  }

  #readFunction(fn: Tree, trees: readonly Tree[]): Read {
    if (fn.type !== "SymbolNode") throw new TypeError("token.ts lets only names stand before a bracket");
    const first = this.#leaf();
    const parts = trees.map((part) => this.#read(part));
    const last = parts.length === 0 ? first + 2 : parts[parts.length - 1].last + 1;
    const span = this.#span(first, last);
    const args = parts.map((part) => part.expression);
    const expected = ({ ...functionArity, ...drawArity } as Record<string, number>)[fn.name];
    if (args.length !== expected)
      throw new ModelError(
        this.#source,
        span,
        `${fn.name} takes ${expected} argument${expected === 1 ? "" : "s"}, not ${args.length}`,
      );
    const expression: Expression = Object.hasOwn(distributions, fn.name)
      ? {
          kind: "random",
          distribution: distributions[fn.name as keyof typeof drawArity],
          stream: this.#streams.next++,
          args,
          span,
        }
      : { kind: "apply", operator: fn.name as FunctionName, args, span };
    return { expression, first, last };
  }
}

/** Words that no variable may be called: functions, keywords, constants. */
export const reservedWords: ReadonlySet<string> = new Set([
  ...Object.keys(functionArity),
  ...Object.keys(drawArity),
  ...keywords,
  ...Object.keys(constants),
]);
