/** What maximisers and samplers work on: a log-likelihood of a few parameters, with its gradient. */

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
}

/** What a search for the maximum asks of it. */
export type Differentiable = Pick<Objective, "names" | "gradient">;

/** A log-likelihood that is a sum over independent groups, such as devices: what a bootstrap draws anew. */
export interface WeightedObjective extends Objective {
  readonly groups: number;
  /** The same sum with each group counted `weights[group]` times; groups of weight 0 should cost nothing. */
  withWeights(weights: Float64Array): Objective;
}
