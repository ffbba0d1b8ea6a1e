/**
 * A normal within bounds: what clip, max and min make of a random value.
 *
 * The value is one of three: between the bounds, on the lower or on the upper one. Each case has its probability and
 * a normal of its own. Bounds may hang on the other states, as those of a device on its constants, to first order. One
 * bound is exact; with two the part between is cut off at one after the other, each time as a normal.
 */
import { minus, product, sum } from "../language/algebra.ts";
import { apply, type Expression, number } from "../language/expression.ts";
import { type Belief, congruent, pinned, restricted, spread } from "./moments.ts";

export type Side = "low" | "high";

/** A state kept within bounds. */
export interface Bound {
  readonly state: number;
  /** Each with its slopes along the states. */
  readonly ends: readonly {
    readonly side: Side;
    readonly at: Expression;
    readonly slopes: readonly Expression[];
  }[];
  /** The means that the bounds are written for. */
  readonly means: readonly Expression[];
}

export interface Case {
  /** Undefined: between the bounds. */
  readonly side?: Side;
  readonly probability: Expression;
  readonly belief: Belief;
}

/** What bounds make of what is believed without them: first what is between them. */
export function casesOf(unseen: Belief, bound: Bound | undefined): [Case, ...Case[]] {
  if (!bound) return [{ probability: number(1), belief: unseen }];
  const ends = endsOf(bound);
  let between: Case = { probability: number(1), belief: unseen };
  for (const { slopes, beyond } of ends) {
    const within = minus(beyond(between.belief));
    const { belief, probability } = restricted(between.belief, slopes.map(minus), within);
    between = { belief, probability: product(between.probability, probability) };
  }
  return [
    between,
    ...ends.map(({ side, hanging, at, beyond, slopes }) => {
      const { belief, probability } = restricted(unseen, slopes, beyond(unseen));
      return { side, probability, belief: pinned(belief, bound.state, at(belief), hanging) };
    }),
  ];
}

/** What clip, max or min bounds, and the bounds, where these do not move. */
export function unbounded(
  value: Expression,
  moves: (value: Expression) => boolean,
): { readonly core: Expression; readonly ends: readonly { readonly side: Side; readonly at: Expression }[] } {
  if (value.kind !== "apply") return { core: value, ends: [] };
  const { operator, args } = value;
  const [a, b, c] = args;
  if (operator === "clip" && moves(a) && !moves(b) && !moves(c))
    return {
      core: a,
      ends: [
        { side: "low", at: b },
        { side: "high", at: c },
      ],
    };
  if (operator !== "max" && operator !== "min") return { core: value, ends: [] };
  const [core, at] = moves(a) ? [a, b] : [b, a];
  if (!moves(core) || moves(at)) return { core: value, ends: [] };
  const side = operator === "max" ? "low" : "high";
  const inner = unbounded(core, moves);
  return inner.ends.some((end) => end.side === side)
    ? { core: value, ends: [] }
    : { core: inner.core, ends: [...inner.ends, { side, at }] };
}

/** Whether what is believed lies so far within bounds that its tails beyond weigh less than 2e-12: 7 deviations. */
export function farWithin(belief: Belief, bound: Bound): Expression {
  return endsOf(bound)
    .map(({ slopes, beyond }) => {
      const along = congruent([slopes], belief.covariances)[0][0];
      return apply(">", minus(beyond(belief)), product(number(7), spread(along)));
    })
    .reduce((a, b) => apply("and", a, b));
}

/** Of each end: where it is expected, how far beyond it the value is, and the slopes of that. */
function endsOf({ state, ends, means: written }: Bound) {
  return ends.map(({ side, at: bound, slopes: hanging }) => {
    const outwards = (value: Expression) => (side === "high" ? value : minus(value));
    const at = ({ means }: Belief) =>
      hanging.reduce((total, slope, k) => {
        const off = means[k] === written[k] ? number(0) : sum(means[k], minus(written[k]));
        return sum(total, product(slope, off));
      }, bound);
    const beyond = (belief: Belief) => outwards(sum(belief.means[state], minus(at(belief))));
    const slopes = hanging.map((each, k) => outwards(sum(number(k === state ? 1 : 0), minus(each))));
    return { side, hanging, at, beyond, slopes };
  });
}
