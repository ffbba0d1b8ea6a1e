/** The read of a device without its noise. */
import type { CheckedModel } from "../language/checked.ts";
import { type Expression, number } from "../language/expression.ts";

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
