/** What maximisers and samplers work on: a log-likelihood of a few parameters, with its gradient. */

/** A number of an error: six digits. */
const digits = (value: number) => `${Number(value.toPrecision(6))}`;

/**
 * A log-likelihood, already in the coordinates that are searched: any real number is allowed in each. Where it
 * cannot be evaluated its value is -Infinity.
 */
export interface Objective {
  readonly names: readonly string[];
  /** Log-likelihoods at many points: [point][coordinate] -> [point]. */
  values(points: Float64Array): Float64Array;
  /** Log-likelihood and its gradient at one point. */
  gradient(point: Float64Array): { readonly value: number; readonly gradient: Float64Array };
  /** What coordinate k stands for at `u`, for errors: "12 uS". Default: the number. */
  readonly told?: (u: number, k: number) => string;
}

/** What a search for the maximum asks of it. */
export type Differentiable = Pick<Objective, "names" | "gradient" | "told">;

/** A point in words: "step = 1e-6 S, nu = 0.05"; of one coordinate where that is given. */
export function placeOf({ names, told }: Differentiable, point: Float64Array, only?: number): string {
  const one = (k: number) => `${names[k]} = ${told ? told(point[k], k) : digits(point[k])}`;
  return only === undefined ? names.map((_, k) => one(k)).join(", ") : one(only);
}

/** A log-likelihood that is a sum over independent groups, such as devices: what a bootstrap draws anew. */
export interface WeightedObjective extends Objective {
  readonly groups: number;
  /** The same sum with each group counted `weights[group]` times; groups of weight 0 should cost nothing. */
  withWeights(weights: Float64Array): Objective;
}
