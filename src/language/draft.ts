/**
 * All text of a definition, read into expressions before their names mean anything.
 *
 * Draws of random numbers are counted here, in the order equations, threshold, reset, refractory, handlers,
 * initial, drift, read, current: a model's streams depend on its text only.
 */
import { ConfigError } from "../math/errors.ts";
import { type Dimension, parseQuantity } from "../math/units.ts";
import type { ModelKind } from "./checked.ts";
import type { Definition } from "./definition.ts";
import { type Applied, type Assignment, type Equation, readStatements } from "./equations.ts";
import { ModelError, type Source } from "./error.ts";
import { type Expression, namesIn, type Span } from "./expression.ts";
import { parseExpression, type Streams } from "./parse.ts";

export interface Draft {
  readonly equations: ReadonlyMap<Equation, Expression>;
  readonly threshold?: ReadText;
  readonly reset: readonly ReadStatement[];
  readonly refractory?: ReadText;
  readonly handlers: Readonly<Record<string, readonly ReadStatement[]>>;
  readonly initial: Readonly<Record<string, ReadText>>;
  readonly drift?: ReadText;
  readonly read?: ReadText;
  readonly current?: ReadText;
}

/** An expression with its text, or a quantity: then its dimension is known. */
export interface ReadText {
  readonly source: Source;
  readonly expression: Expression;
  readonly dimension?: Dimension;
}

export interface ReadAssignment {
  readonly assignment: Assignment;
  readonly value: Expression;
}

export interface ReadApplied {
  readonly applied: Applied;
  readonly voltage: Expression;
  readonly duration: Expression;
}

export type ReadStatement = ReadAssignment | ReadApplied;

/** A number before a unit: no expression looks like this. */
const quantityForm = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?:\s*[A-Za-zµμΩ]|\s+1\s*\/)/u;

/** An expression, or a quantity such as "5 ms" where one may stand. A number is a dimensionless quantity. */
export function readValue(source: Source, streams: Streams): ReadText {
  if (!quantityForm.test(source.text)) return { source, expression: parseExpression(source, streams) };
  const span = { start: 0, end: source.text.length };
  try {
    const { value, dimension } = parseQuantity(source.text);
    return { source, expression: { kind: "number", value, span }, dimension };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const reason = error.message.replace(/^.*? is not a quantity: /su, "");
    throw new ModelError(source, span, "this is not a quantity", reason);
  }
}

/** Reads everything `definition` says besides the left sides of its equations. Throws `ModelError`. */
export function readDraft(
  kind: ModelKind,
  definition: Definition,
  equations: readonly Equation[],
  streams: Streams,
): Draft {
  const { threshold, reset, refractory, on = {}, initial = {}, drift, read, current } = definition;
  const source = (part: string, text: string): Source => ({ model: definition.name, part, text });
  const expression = (part: string, text: string | undefined): ReadText | undefined =>
    text === undefined
      ? undefined
      : { source: source(part, text), expression: parseExpression(source(part, text), streams) };
  const statements = (part: string, text: string): ReadStatement[] =>
    readStatements(source(part, text)).map((each) => {
      const part = (range: Span) => parseExpression(each.source, streams, range);
      return "duration" in each
        ? { applied: each, voltage: part(each.voltage), duration: part(each.duration) }
        : { assignment: each, value: part(each.value) };
    });
  if (threshold === undefined)
    for (const [part, text] of Object.entries({ reset, refractory }))
      if (text !== undefined)
        throw new ModelError(
          source(part, text),
          undefined,
          "there is no threshold",
          `a ${part} follows a spike, and a threshold says when a cell fires`,
        );
  const handlers = Object.entries(on).filter((entry): entry is [string, string] => entry[1] !== undefined);
  for (const [event] of handlers) checkEvent(kind, event, source("on", event));
  const right = equations.filter((equation) => equation.value);
  return {
    equations: new Map(right.map((each) => [each, parseExpression(each.source, streams, each.value)])),
    threshold: expression("threshold", threshold),
    reset: reset === undefined ? [] : statements("reset", reset),
    refractory: refractory === undefined ? undefined : readValue(source("refractory", refractory), streams),
    handlers: Object.fromEntries(
      handlers.map(([event, text]) => [event, statements(`handler ${event}`, text)]),
    ),
    initial: Object.fromEntries(
      Object.entries(initial).map(([name, text]) => [
        name,
        readValue(source(`initial ${name}`, `${text}`), streams),
      ]),
    ),
    drift: expression("drift", drift),
    read: expression("read", read),
    current: expression("current", current),
  };
}

function checkEvent(kind: ModelKind, event: string, source: Source): void {
  const span = { start: 0, end: event.length };
  if (kind === "neuron" && event !== "tick")
    throw new ModelError(
      source,
      span,
      `a neuron has no event ${event}`,
      "its one handler is tick; spikes are handled by synapses",
    );
  if (!/^[A-Za-z]\w*$/u.test(event))
    throw new ModelError(
      source,
      span,
      "this is not the name of an event",
      "it is made of letters, digits and _",
    );
}

/** Names used on any right side. */
export function usedNames(draft: Draft): Set<string> {
  const { equations, threshold, reset, refractory, handlers, initial, drift, read, current } = draft;
  const texts = [threshold, refractory, drift, read, current, ...Object.values(initial)];
  const expressions = [
    ...equations.values(),
    ...[...reset, ...Object.values(handlers).flat()].flatMap((statement) =>
      "applied" in statement ? [statement.voltage, statement.duration] : [statement.value],
    ),
    ...texts.flatMap((text) => (text ? [text.expression] : [])),
  ];
  return new Set(expressions.flatMap((each) => [...namesIn(each)]));
}
