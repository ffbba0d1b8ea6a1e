/**
 * Moments of normals, as expressions: what a filter is built of.
 *
 * Draws are names that begin with "#draw" here, standard normal. Knows nothing of devices.
 */
import { differentiate, fold, linearity, minus, product, quotient, sum } from "../language/algebra.ts";
import { apply, type Expression, namesIn, number, substitute } from "../language/expression.ts";

export const tiny = 1e-30; // weight that the cases of a bounded read keep, so that a far start still has a slope
export const leastWeight = 1e-200; // keeps a share of nothing from being 0 / 0
const rootTwo = Math.SQRT2;
const zero: Expression = number(0);
/** The name of the draw of a stream. */
export const drawName = (stream: number) => `#draw ${stream}`;
export const isDraw = (each: string) => each.startsWith("#draw");
export const drawsIn = (root: Expression): string[] => [...namesIn(root)].filter(isDraw);

/** `root` with every draw at its mean, 0. */
export function withoutDraws(root: Expression): Expression {
  const draws = drawsIn(root);
  return draws.length === 0 ? root : substitute(root, new Map(draws.map((each) => [each, number(0)])));
}

/** Places and weights that give means of a standard normal exactly to the 9th power: Abramowitz & Stegun 1964, table 25.10. */
const root10 = Math.sqrt(10);
const hermite = [
  [-Math.sqrt(5 + root10), (7 - 2 * root10) / 60],
  [-Math.sqrt(5 - root10), (7 + 2 * root10) / 60],
  [0, 8 / 15],
  [Math.sqrt(5 - root10), (7 + 2 * root10) / 60],
  [Math.sqrt(5 + root10), (7 - 2 * root10) / 60],
] as const;

/**
 * The moments that draws give to values: means, and deviations of them, whose covariance is the sum of `weight` times
 * the product of two of them. Exact where values are linear in the draws; a draw in a curve, such as exp, counts at five
 * places, and curves of two draws count by the sum of what each does alone.
 */
export function scattered(values: readonly Expression[]): {
  readonly means: Expression[];
  readonly off: { readonly weight: number; readonly values: readonly Expression[] }[];
} {
  const quiet = values.map((value) => simplify(withoutDraws(value)));
  let means = quiet;
  const draws = [...new Set(values.flatMap(drawsIn))];
  const off = draws.flatMap((draw) => {
    const others = new Map(draws.flatMap((each) => (each === draw ? [] : [[each, number(0)] as const])));
    const alone = values.map((value) => substitute(value, others));
    if (alone.every((value) => linearity(value, new Set([draw])).affine))
      return [{ weight: 1, values: alone.map((value) => simplify(differentiate(value, draw))) }];
    const places = hermite.map(([z, weight]) => ({
      weight,
      values: alone.map((value) => simplify(substitute(value, new Map([[draw, number(z)]])))),
    }));
    const average = alone.map((value, k) =>
      namesIn(value).has(draw)
        ? places.reduce((total, each) => sum(total, product(number(each.weight), each.values[k])), zero)
        : places[0].values[k],
    );
    means = means.map((value, k) =>
      namesIn(alone[k]).has(draw) ? sum(value, sum(average[k], minus(quiet[k]))) : value,
    );
    return places.map((each) => ({
      weight: each.weight,
      values: each.values.map((value, k) => (value === average[k] ? zero : sum(value, minus(average[k])))),
    }));
  });
  return { means, off };
}

export const atLeast = (value: Expression, least: number) => apply("max", value, number(least));
export const spread = (variance: Expression) => apply("sqrt", atLeast(variance, 1e-60));
/** Standard normal probability below x, and density at x. */
export const below = (x: Expression) => product(number(0.5), apply("erfc", product(number(-1 / rootTwo), x)));
const density = (x: Expression) =>
  product(number(1 / Math.sqrt(2 * Math.PI)), apply("exp", product(number(-0.5), product(x, x))));

/** How far off a read may be: a normal, or Student's t with 4 degrees of freedom, which forgives outliers. */
export type Loss = "normal" | "student";

const freedom = 4;

/** Log-density of an error of this variance (of t: scale squared) is `exponent` - log(variance) / 2 + `constant`. */
export const losses: Readonly<
  Record<Loss, { constant: number; exponent: (error: Expression, variance: Expression) => Expression }>
> = {
  normal: {
    constant: -0.5 * Math.log(2 * Math.PI),
    exponent: (error, variance) => product(number(-0.5), quotient(product(error, error), variance)),
  },
  student: {
    constant: Math.log(3 / 8), // gamma(5/2) / (gamma(2) sqrt(4 pi))
    exponent: (error, variance) =>
      product(
        number(-(freedom + 1) / 2),
        apply("log", sum(number(1), quotient(product(error, error), product(number(freedom), variance)))),
      ),
  },
};

export function logDensity(error: Expression, variance: Expression, loss: Loss): Expression {
  const { exponent, constant } = losses[loss];
  const scale = sum(product(number(-0.5), apply("log", variance)), number(constant));
  return sum(exponent(error, variance), scale);
}

/** By how much the variance of an error grows in hindsight: of t, that of an outlier (Roth et al. 2013, ICASSP, eq. 13). */
function inflation(error: Expression, variance: Expression, loss: Loss): Expression {
  if (loss === "normal") return number(1);
  const square = quotient(product(error, error), variance);
  return atLeast(product(number(1 / (freedom + 1)), sum(number(freedom), square)), 1);
}

/** A normal distribution: means [state] and covariances [state][state], symmetric. */
export interface Belief {
  readonly means: readonly Expression[];
  readonly covariances: readonly (readonly Expression[])[];
}

const dot = (a: readonly Expression[], b: readonly Expression[]): Expression =>
  a.reduce((total, each, k) => sum(total, product(each, b[k])), zero);

/** What is believed after a read with these slopes and noise variance was off by `error`. Kalman 1960. */
export function observed(
  { means, covariances }: Belief,
  slopes: readonly Expression[],
  noise: Expression,
  error: Expression,
  loss: Loss,
): { belief: Belief; variance: Expression } {
  const along = covariances.map((row) => dot(row, slopes));
  const variance = sum(dot(slopes, along), noise);
  const heeded = product(variance, inflation(error, variance, loss));
  const gain = along.map((each) => quotient(each, heeded));
  return {
    belief: {
      means: means.map((value, a) => sum(value, product(gain[a], error))),
      covariances: covariances.map((row, a) =>
        row.map((value, b) => sum(value, minus(product(gain[a], along[b])))),
      ),
    },
    variance,
  };
}

/**
 * What is believed given that D > 0, where D = `expected` + `slopes` (x - means): its first two moments, and the
 * probability of D > 0. Moments of a truncated normal: Johnson, Kotz & Balakrishnan 1994, vol. 1, section 13.10.
 */
export function restricted(
  { means, covariances }: Belief,
  slopes: readonly Expression[],
  expected: Expression,
): { belief: Belief; probability: Expression } {
  const along = covariances.map((row) => dot(row, slopes));
  // what is left of variances that cancel is rounding: a deviation of 1e-6 stands for none
  const uncancelled = slopes.map((slope, k) => product(product(slope, slope), covariances[k][k])).reduce(sum);
  const s = spread(apply("max", dot(slopes, along), product(number(1e-12), uncancelled)));
  const a = quotient(expected, s);
  const probability = below(a);
  const deep = apply("<", a, number(-30)); // there the ratio of density and probability is known by its series
  const inverse = quotient(number(1), a);
  const series = minus(
    sum(sum(a, inverse), minus(product(number(2), product(inverse, product(inverse, inverse))))),
  );
  const ratio = apply("select", deep, series, quotient(density(a), atLeast(probability, 1e-300)));
  const drop = apply("clip", product(ratio, sum(ratio, a)), zero, number(1 - 1e-12));
  const unit = along.map((each) => quotient(each, s));
  return {
    belief: {
      means: means.map((value, k) => sum(value, product(unit[k], ratio))),
      covariances: covariances.map((row, k) =>
        row.map((value, l) => sum(value, minus(product(product(unit[k], unit[l]), drop)))),
      ),
    },
    probability,
  };
}

/** State c becomes a value that hangs on the others by `slopes` (0 for c itself). */
export function pinned(
  { means, covariances }: Belief,
  c: number,
  value: Expression,
  slopes: readonly Expression[],
): Belief {
  const along = covariances.map((row) => dot(row, slopes));
  const own = dot(slopes, along);
  return {
    means: means.map((each, k) => (k === c ? value : each)),
    covariances: covariances.map((row, a) =>
      row.map((each, b) => (a === c ? (b === c ? own : along[b]) : b === c ? along[a] : each)),
    ),
  };
}

/** Something that may be true: how likely it is in comparison, and what is believed then. */
export interface Part {
  readonly weight: Expression;
  readonly belief: Belief;
}

export const weightOf = (parts: readonly Part[]): Expression =>
  parts.map(({ weight }) => weight).reduce(sum, zero);

/** The first two moments of a mixture. */
export function mixed(unscaled: readonly Part[]): Belief {
  if (unscaled.length === 1) return unscaled[0].belief;
  const all = weightOf(unscaled);
  const parts = unscaled.map(({ weight, belief }) => ({ weight: quotient(weight, all), belief }));
  const total = (of: (belief: Belief) => Expression): Expression =>
    parts.reduce((value, { weight, belief }) => sum(value, product(weight, of(belief))), zero);
  const means = parts[0].belief.means.map((first, k) =>
    parts.every(({ belief }) => belief.means[k] === first) ? first : total((belief) => belief.means[k]),
  );
  const off = (belief: Belief, k: number) =>
    belief.means[k] === means[k] ? zero : sum(belief.means[k], minus(means[k]));
  return {
    means,
    covariances: means.map((_, a) =>
      means.map((_, b) =>
        total((belief) => sum(belief.covariances[a][b], product(off(belief, a), off(belief, b)))),
      ),
    ),
  };
}

/** J P J^T, lower triangle. */
export function congruent(
  jacobian: readonly (readonly Expression[])[],
  covariances: readonly (readonly Expression[])[],
): Expression[][] {
  const right = jacobian.map((row) => covariances.map((column) => dot(row, column)));
  return jacobian.map((_, a) => jacobian.map((row, b) => (b > a ? zero : dot(row, right[a]))));
}

export const symmetric = (lower: readonly (readonly Expression[])[], n: number): Expression[][] =>
  Array.from({ length: n }, (_, a) =>
    Array.from({ length: n }, (_, b) => lower[Math.max(a, b)][Math.min(a, b)]),
  );

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
