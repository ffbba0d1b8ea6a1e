/**
 * A synapse model between two populations: the second half of its check.
 *
 * In the synapse's own text `x_pre` and `x_post` are open; here they get the dimensions of the cells' variables
 * and every expression is looked at again.
 */

import { nearest } from "../math/nearest.ts";
import { divideDimensions, multiplyDimensions, powerDimension, unitDimension } from "../math/units.ts";
import type { CheckedModel, Statement } from "./checked.ts";
import type { Meaning } from "./dimension.ts";
import { ModelError, type Source } from "./error.ts";
import { type Expression, name as nameNode, namesIn, type Span, walk } from "./expression.ts";
import { cellOf, Names, type Owner, type Place } from "./scope.ts";
import { checkMeaning, type Setting, type Wanted } from "./term.ts";

const seconds = unitDimension("s").dimension;

/**
 * Throws `ModelError` unless every `x_pre` and `x_post` of `synapse` is a stored variable of the connected model
 * and all dimensions agree. `undefined` stands for sources without variables, such as arrays of spike times.
 */
export function checkConnection(
  synapse: CheckedModel,
  pre: CheckedModel | undefined,
  post: CheckedModel | undefined,
): void {
  const cells = { pre, post };
  const found = new Map<string, Meaning>();
  for (const piece of pieces(synapse))
    for (const expression of piece.expressions)
      walk(expression, (node) => {
        if (node.kind === "name" && cellOf(node.name))
          found.set(node.name, cellMeaning(node.name, node.span, piece.source, cells, piece.target));
      });
  if (found.size === 0) return;
  const names = new Names(
    { ...synapse, hasRefractory: synapse.refractory !== undefined, hasDrift: synapse.drift !== undefined },
    found,
  );
  const used = new Set(
    pieces(synapse).flatMap((piece) => piece.expressions.flatMap((each) => [...namesIn(each)])),
  );
  for (const { source, place, owner, checks } of pieces(synapse)) {
    const setting: Setting = { source, place, owner, names, parameters: synapse.parameters, used };
    for (const { expression, wanted } of checks(names)) checkMeaning(expression, setting, wanted);
  }
}

/** A line of the synapse with what it must satisfy. */
interface Piece {
  readonly source: Source;
  readonly place: Place;
  readonly owner: Owner;
  readonly target?: string;
  readonly expressions: readonly Expression[];
  checks(names: Names): readonly { readonly expression: Expression; readonly wanted?: Wanted }[];
}

function pieces(synapse: CheckedModel): Piece[] {
  const source = (part: string, text: string | undefined): Source => ({
    model: synapse.name,
    part,
    text: text ?? "",
  });
  const found: Piece[] = [];
  for (const { text, scope, value, boolean, dimension } of synapse.derived) {
    const wanted: Wanted = { meaning: boolean ? "truth" : dimension, left: "the unit" };
    found.push({
      source: source("", text),
      place: "equation",
      owner: scope,
      expressions: [value],
      checks: () => [{ expression: value, wanted }],
    });
  }
  for (const { variable, drift, noise, text } of synapse.derivatives) {
    const { dimension, scope } = synapse.variables.find((each) => each.name === variable)!;
    const rate = divideDimensions(dimension, seconds);
    const perNoise = multiplyDimensions(rate, powerDimension(seconds, 0.5));
    found.push({
      source: source("", text),
      place: "differential",
      owner: scope,
      expressions: [drift, ...noise.map((each) => each.factor)],
      checks: () => [
        { expression: drift, wanted: { meaning: rate, left: "the left side" } },
        ...noise.map(({ factor }) => ({
          expression: factor,
          wanted: { meaning: perNoise, left: "the left side over noise", right: "the factor of noise" },
        })),
      ],
    });
  }
  for (const [event, statements] of Object.entries(synapse.handlers))
    for (const statement of statements)
      found.push(statementPiece(statement, source(`handler ${event}`, statement.text)));
  return found;
}

function statementPiece(statement: Statement, source: Source): Piece {
  const { target, value, term, scope } = statement;
  const span = { start: 0, end: target.length };
  return {
    source,
    place: "handler",
    owner: scope,
    target,
    expressions: [{ ...nameNode(target), span }, term ?? value],
    checks: (names) => {
      const meaning = names.lookup(target, "handler")?.meaning;
      if (meaning === undefined || meaning === "zero" || meaning === "open") return [{ expression: value }];
      // `x -= e` is kept as the term -e, which has no place of its own: e has
      const shown = term?.kind === "apply" && term.span === undefined ? term.args[0] : (term ?? value);
      const whole = { start: 0, end: source.text.length };
      return [{ expression: shown, wanted: { meaning, left: target, span: shown.span ?? whole } }];
    },
  };
}

function cellMeaning(
  name: string,
  span: Span | undefined,
  source: Source,
  cells: { readonly pre: CheckedModel | undefined; readonly post: CheckedModel | undefined },
  target: string | undefined,
): Meaning {
  const { variable, side } = cellOf(name)!;
  const model = cells[side];
  const wrong = (reason: string): never => {
    throw new ModelError(source, span, `${name} does not exist`, reason);
  };
  if (!model) return wrong(`the ${side}synaptic cells are a source of spikes and have no variables`);
  const found = model.variables.find((each) => each.name === variable);
  if (!found) {
    if (model.derived.some((each) => each.name === variable))
      wrong(`${variable} of ${model.name} is a derived name; synapses reach stored variables only`);
    if (model.parameters.some((each) => each.name === variable))
      wrong(`${variable} of ${model.name} is a parameter; give the synapse one of its own`);
    const guess = nearest(
      variable,
      model.variables.map((each) => each.name),
    );
    return wrong(
      `the ${side}synaptic cells, ${model.name}, have no variable ${variable}${guess === undefined ? "" : `; did you mean ${guess}_${side}?`}`,
    );
  }
  if (name === target && found.constant)
    throw new ModelError(source, span, `${variable} of ${model.name} is constant`, "it cannot be assigned");
  return found.boolean ? "truth" : found.dimension;
}
