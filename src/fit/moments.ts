/**
 * Moments of normals, as expressions: what a filter is built of.
 *
 * Draws are names that begin with "#draw" here, standard normal. Knows nothing of devices.
 */
import { fold, minus, product, quotient, sum } from "../language/algebra.ts";
import { apply, type Expression, namesIn, number, substitute } from "../language/expression.ts";

/** A state kept within bounds after a pulse. */
export interface Bounds {
  readonly low?: Expression;
  readonly high?: Expression;
}

export const tiny = 1e-30; // weight that the cases of a bounded read keep, so that a far start still has a slope
const rootTwo = Math.SQRT2;
/** The name of the draw of a stream. */
export const drawName = (stream: number) => `#draw ${stream}`;
export const isDraw = (each: string) => each.startsWith("#draw");
export const drawsIn = (root: Expression): string[] => [...namesIn(root)].filter(isDraw);

/** `root` with every draw at its mean, 0. */
export function withoutDraws(root: Expression): Expression {
  const draws = drawsIn(root);
  return draws.length === 0 ? root : substitute(root, new Map(draws.map((each) => [each, number(0)])));
}

export const atLeast = (value: Expression, least: number) => apply("max", value, number(least));
export const spread = (variance: Expression) => apply("sqrt", atLeast(variance, 1e-60));
/** Standard normal probability below x, and density at x. */
export const below = (x: Expression) => product(number(0.5), apply("erfc", product(number(-1 / rootTwo), x)));
const density = (x: Expression) =>
  product(number(1 / Math.sqrt(2 * Math.PI)), apply("exp", product(number(-0.5), product(x, x))));

export const exponent = (error: Expression, variance: Expression) =>
  product(number(-0.5), quotient(product(error, error), variance));

export const logNormal = (error: Expression, variance: Expression) =>
  product(
    number(-0.5),
    sum(quotient(product(error, error), variance), apply("log", product(number(2 * Math.PI), variance))),
  );

/** What reading along slopes of the state tells: gain of each state, variance of the error. Kalman 1960. */
export function innovation(
  covariances: readonly (readonly Expression[])[],
  slopes: readonly Expression[],
  noise: Expression,
  error: Expression,
) {
  const zero: Expression = number(0);
  const along = covariances.map((row) =>
    row.reduce((total: Expression, each, k) => sum(total, product(each, slopes[k])), zero),
  );
  const variance = along.reduce((total, each, k) => sum(total, product(slopes[k], each)), noise);
  return {
    gain: along.map((each) => quotient(each, variance)),
    variance,
    error,
  };
}

/**
 * N(m, s^2) with its tails heaped on bounds: mean, variance, probability between the bounds, and moments of the part
 * between them.
 */
export function heaped(m: Expression, s: Expression, { low, high }: Bounds) {
  const zero: Expression = number(0);
  const one: Expression = number(1);
  const a = low && quotient(sum(low, minus(m)), s);
  const b = high && quotient(sum(high, minus(m)), s);
  const belowLow = a ? below(a) : zero;
  const aboveHigh = b ? below(minus(b)) : zero;
  const inside = sum(sum(one, minus(belowLow)), minus(aboveHigh));
  const weight = atLeast(inside, tiny);
  const atLow = a ? density(a) : zero;
  const atHigh = b ? density(b) : zero;
  const shift = quotient(sum(atLow, minus(atHigh)), weight);
  const second = quotient(sum(a ? product(a, atLow) : zero, minus(b ? product(b, atHigh) : zero)), weight);
  const bounded = (x: Expression) => {
    const up = low ? apply("max", x, low) : x;
    return high ? apply("min", up, high) : up;
  };
  const within = bounded(sum(m, product(s, shift)));
  const ratio = apply("clip", sum(sum(one, second), minus(product(shift, shift))), number(1e-12), one);
  const withinVariance = product(product(s, s), ratio);
  const mean = sum(
    product(inside, within),
    sum(low ? product(belowLow, low) : zero, high ? product(aboveHigh, high) : zero),
  );
  const square = (x: Expression) => product(sum(x, minus(mean)), sum(x, minus(mean)));
  const variance = sum(
    product(inside, sum(withinVariance, square(within))),
    sum(low ? product(belowLow, square(low)) : zero, high ? product(aboveHigh, square(high)) : zero),
  );
  return { mean, variance, inside, within, withinVariance };
}

/** J P J^T, lower triangle. */
export function congruent(
  jacobian: readonly (readonly Expression[])[],
  covariances: readonly (readonly Expression[])[],
): Expression[][] {
  const zero: Expression = number(0);
  const right = jacobian.map((row) =>
    covariances.map((column) =>
      row.reduce((total: Expression, each, k) => sum(total, product(each, column[k])), zero),
    ),
  );
  return jacobian.map((_, a) =>
    jacobian.map((row, b) =>
      b > a ? zero : row.reduce((total: Expression, each, k) => sum(total, product(each, right[a][k])), zero),
    ),
  );
}

export const symmetric = (lower: readonly (readonly Expression[])[], n: number): Expression[][] =>
  Array.from({ length: n }, (_, a) =>
    Array.from({ length: n }, (_, b) => lower[Math.max(a, b)][Math.min(a, b)]),
  );

/** What clip, max or min bounds, and the bounds, as far as these hold no draw. */
export function unbounded(value: Expression): { core: Expression; low?: Expression; high?: Expression } {
  if (value.kind !== "apply") return { core: value };
  const { operator, args } = value;
  const random = args.map((arg) => drawsIn(arg).length > 0);
  if (operator === "clip" && random[0] && !random[1] && !random[2])
    return { core: args[0], low: args[1], high: args[2] };
  if ((operator === "max" || operator === "min") && random[0] !== random[1]) {
    const [core, edge] = random[0] ? args : [args[1], args[0]];
    const inner = unbounded(core);
    const side = operator === "max" ? "low" : "high";
    if (inner[side] === undefined) return { ...inner, [side]: edge };
  }
  return { core: value };
}

/** `root` rebuilt without needless zeros and ones. */
export function simplify(root: Expression): Expression {
  const done = new Map<Expression, Expression>();
  const visit = (node: Expression): Expression => {
    const known = done.get(node);
    if (known) return known;
    let result = node;
    if (node.kind === "apply") {
      const args = node.args.map(visit);
      const [a, b] = args;
      if (node.operator === "+") result = sum(a, b);
      else if (node.operator === "-") result = sum(a, minus(b));
      else if (node.operator === "*") result = product(a, b);
      else if (node.operator === "/") result = quotient(a, b);
      else if (node.operator === "negate") result = minus(a);
      else if (node.operator === "^" && a.kind === "number" && a.value === 1) result = a;
      else if (args.some((arg, k) => arg !== node.args[k])) result = { ...node, args };
    }
    done.set(node, result);
    return result;
  };
  return fold(visit(root));
}
