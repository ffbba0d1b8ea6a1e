/**
 * Words of equation text with their places.
 *
 * What leaves here is one expression's worth of numbers, names and operators of our language, with brackets
 * matched and no product implied; anything else is an error with its place. Structure is parse.ts's matter.
 */
import { didYouMean } from "../math/nearest.ts";
import { unitDimension } from "../math/units.ts";
import { ModelError, type Source } from "./error.ts";
import { functionArity, type Span } from "./expression.ts";

export interface Token extends Span {
  readonly kind: "number" | "name" | "operator";
  readonly text: string;
}

/** Random functions with their number of arguments. */
export const drawArity = { rand: 0, randn: 0, poisson: 1, flicker: 2 } as const;
/** Names that are words of the language and never a variable. */
export const keywords: ReadonlySet<string> = new Set(["and", "or", "not", "true", "false"]);
export const functionNames: readonly string[] = [...Object.keys(functionArity), ...Object.keys(drawArity)];
const functions: ReadonlySet<string> = new Set(functionNames);

export const isFunction = (name: string): boolean => functions.has(name);

// Names mathjs gives a meaning of its own.
const foreignNames = new Set(["in", "to", "xor", "null", "undefined", "NaN", "Infinity"]);

const foreign: readonly (readonly [text: string, advice: string])[] = [
  ["**", "powers are written with ^"],
  ["&&", "write and"],
  ["||", "write or"],
  ["&", "write and"],
  ["|", "write or, and abs(x) for a magnitude"],
  ["!", "write not"],
  ["~", "write not"],
  ["%", "write mod(a, b)"],
  ["=", "a comparison is written =="],
  [";", "a statement ends here"],
  ["[", "there are no indices: every statement runs for each element"],
  ["]", "there are no indices: every statement runs for each element"],
  ["{", "braces have no meaning here"],
  ["}", "braces have no meaning here"],
  ["'", "text has no place in an expression; dx/dt is the derivative"],
  ['"', "text has no place in an expression"],
  ["−", "this minus is not the ASCII one"], // U+2212
  ["×", "products are written with *"],
  ["·", "products are written with *"],
];

const pattern =
  /(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<name>[A-Za-z_\u0391-\u03c9][\w\u0391-\u03c9]*)|(?<operator><=|>=|==|!=|[-+*/^(),?:<>])/uy;

/** Is `text` a name of the language's form? */
export function isName(text: string): boolean {
  return /^[A-Za-z_\u0391-\u03c9][\w\u0391-\u03c9]*$/u.test(text);
}

export function isUnit(text: string): boolean {
  try {
    unitDimension(text);
    return true;
  } catch {
    return false;
  }
}

/** The tokens of `source.text` in [start, end). Throws `ModelError`. */
export function tokenise(source: Source, start: number, end: number): Token[] {
  const { text } = source;
  const tokens: Token[] = [];
  let at = start;
  while (at < end) {
    if (/\s/u.test(text[at])) {
      at++;
      continue;
    }
    const advice =
      text.startsWith("**", at) || (text[at] === "*" && text[at + 1] === "*")
        ? foreign[0]
        : foreign.find(([word]) => text.startsWith(word, at) && !/^(?:==|!=)/u.test(text.slice(at, at + 2)));
    if (advice)
      throw new ModelError(
        source,
        { start: at, end: at + advice[0].length },
        `${advice[0]} is not understood`,
        advice[1],
      );
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match || pattern.lastIndex > end)
      throw new ModelError(source, { start: at, end: at + 1 }, `${text[at]} is not understood`);
    const { number, name } = match.groups!;
    const token: Token = {
      kind: number !== undefined ? "number" : name !== undefined ? "name" : "operator",
      text: match[0],
      start: at,
      end: at + match[0].length,
    };
    if (foreignNames.has(token.text))
      throw new ModelError(source, token, `${token.text} is not a name of the language`);
    tokens.push(token);
    at = token.end;
  }
  matchBrackets(source, tokens);
  refuseImpliedProducts(source, tokens);
  return tokens;
}

function matchBrackets(source: Source, tokens: readonly Token[]): void {
  const open: Token[] = [];
  for (const token of tokens) {
    if (token.text === "(") open.push(token);
    if (token.text === ")" && open.pop() === undefined)
      throw new ModelError(source, token, "this bracket was not opened");
  }
  const left = open.pop();
  if (left) throw new ModelError(source, left, "this bracket is not closed");
}

const endsOperand = (token: Token): boolean =>
  token.kind === "number" ||
  token.text === ")" ||
  (token.kind === "name" && !["and", "or", "not"].includes(token.text));
const startsOperand = (token: Token): boolean =>
  token.kind === "number" ||
  token.text === "(" ||
  (token.kind === "name" && !["and", "or"].includes(token.text));

function refuseImpliedProducts(source: Source, tokens: readonly Token[]): void {
  for (let k = 1; k < tokens.length; k++) {
    const [left, right] = [tokens[k - 1], tokens[k]];
    if (!endsOperand(left) || !startsOperand(right)) continue;
    const span = { start: left.start, end: right.end };
    if (left.kind === "name" && right.text === "(") {
      if (isFunction(left.text)) continue;
      const guess = didYouMean(left.text, functionNames);
      throw new ModelError(
        source,
        left,
        "unknown function",
        `${left.text} is not a function of the language${guess || "; products are written with *"}`,
      );
    }
    if (left.kind === "number" && right.kind === "name" && isUnit(right.text))
      throw new ModelError(
        source,
        span,
        "quantities have no place in equations",
        `put "${left.text} ${right.text}" into parameters and write its name here`,
      );
    const advice = isFunction(right.text) ? `write ${right.text}(...)` : "products are written with *";
    throw new ModelError(source, span, "an operator is missing", advice);
  }
}
