/** The read of a device without its noise, and that noise alone. */
import { differentiate, product, sum } from "../language/algebra.ts";
import type { CheckedModel } from "../language/checked.ts";
import { apply, type Expression, name, number, substitute } from "../language/expression.ts";
import { ConfigError } from "../math/errors.ts";

/**
 * Conductance without read noise, S: the drifted one. A model without drift is read with the mean of every draw
 * in its place: 0 for `randn()` and `flicker(…)`, 1/2 for `rand()`.
 */
export function quietRead({ drift, read }: CheckedModel): Expression {
  return drift ?? meansOfDraws(read as Expression, new Map());
}

function meansOfDraws(root: Expression, done: Map<Expression, Expression>): Expression {
  const known = done.get(root);
  if (known) return known;
  let result = root;
  if (root.kind === "random") {
    const means = { normal: number(0), flicker: number(0), uniform: number(0.5), poisson: undefined };
    result = means[root.distribution] ?? meansOfDraws(root.args[0], done);
  } else if (root.kind === "apply")
    result = { ...root, args: root.args.map((arg) => meansOfDraws(arg, done)) };
  done.set(root, result);
  return result;
}

/**
 * Standard deviation of a read, S: to first order in its draws, which is exact where they enter linearly. Throws
 * `ConfigError` for a read with draws of other kinds than `randn()` and `flicker(…)`.
 */
export function readSd(model: CheckedModel): Expression {
  const draws = new Set<string>();
  const done = new Map<Expression, Expression>();
  const named = (node: Expression): Expression => {
    const known = done.get(node);
    if (known) return known;
    let result = node;
    if (node.kind === "random") {
      if (node.distribution !== "normal" && node.distribution !== "flicker")
        throw new ConfigError(
          `${model.name} draws ${node.distribution} numbers in its read, whose spread is not known`,
        );
      result = name(`#draw ${node.stream}`);
      draws.add(`#draw ${node.stream}`);
    } else if (node.kind === "apply") result = { ...node, args: node.args.map(named) };
    done.set(node, result);
    return result;
  };
  const read = named(model.read as Expression);
  const none = new Map([...draws].map((each) => [each, number(0)]));
  const variance = [...draws].reduce((total: Expression, each) => {
    const slope = substitute(differentiate(read, each), none);
    return sum(total, product(slope, slope));
  }, number(0));
  return variance.kind === "number" ? number(Math.sqrt(variance.value)) : apply("sqrt", variance);
}
