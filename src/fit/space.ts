/**
 * The free parameters of a fit: between SI values and the coordinates that are searched.
 *
 * A positive parameter is searched by its logarithm, one inside bounds by its logit, others by themselves in units of
 * their own size: so 1 is a natural step of every coordinate.
 */
import { type Dimension, dimensionless, formatDimension, sameDimension } from "../math/units.ts";
import { type Coordinate, coordinate } from "./coordinate.ts";
import type { Likelihood } from "./likelihood.ts";
import type { WeightedObjective } from "./objective.ts";

export interface FreeParameter {
  readonly name: string;
  readonly dimension: Dimension;
  /** Where the search begins, SI. */
  readonly start: number;
  /** A natural step of a parameter without bounds that begins at 0, SI. */
  readonly size: number;
  /** Bounds, SI; infinite where there is none. */
  readonly low: number;
  readonly high: number;
}

export class ParameterSpace {
  readonly parameters: readonly FreeParameter[];
  readonly coordinates: readonly Coordinate[];

  constructor(parameters: readonly FreeParameter[]) {
    this.parameters = parameters;
    this.coordinates = parameters.map(({ start, size, low, high }) =>
      Number.isFinite(low) || Number.isFinite(high)
        ? coordinate(low, high)
        : scaled(start === 0 ? size : Math.abs(start)),
    );
  }

  get names(): string[] {
    return this.parameters.map(({ name }) => name);
  }

  /** Where the search begins; [coordinate]. */
  get start(): Float64Array {
    return this.positions(this.parameters.map(({ start }) => start));
  }

  positions(values: ArrayLike<number>): Float64Array {
    return Float64Array.from(this.coordinates, (each, k) => each.position(values[k]));
  }

  /** SI values of points, [point][coordinate]. */
  values(points: ArrayLike<number>): Float64Array {
    const k = this.coordinates.length;
    return Float64Array.from(points, (u, i) => this.coordinates[i % k].value(u));
  }

  /** d value / d coordinate; [coordinate]. */
  slopes(point: ArrayLike<number>): number[] {
    return this.coordinates.map((each, k) => each.slope(point[k]));
  }

  /** The log-density that makes a prior flat in the parameters themselves. */
  flatPrior(point: ArrayLike<number>): number {
    return this.coordinates.reduce((sum, each, k) => sum + each.logSlope(point[k]), 0);
  }

  #told(u: number, k: number): string {
    const unit = formatDimension(this.parameters[k].dimension);
    const value = Number(this.coordinates[k].value(u).toPrecision(6));
    return sameDimension(this.parameters[k].dimension, dimensionless) ? `${value}` : `${value} ${unit}`;
  }

  objective(likelihood: Likelihood, weights?: Float64Array): WeightedObjective {
    return {
      names: this.names,
      groups: likelihood.groups.length,
      told: (u, k) => this.#told(u, k),
      values: (points) => likelihood.values(this.values(points), weights),
      gradient: (point) => {
        const { value, gradient } = likelihood.gradient(this.values(point), weights);
        const slopes = this.slopes(point);
        return { value, gradient: gradient.map((each, k) => each * slopes[k]) };
      },
      withWeights: (given) => this.objective(likelihood, given),
    };
  }
}

const scaled = (scale: number): Coordinate => ({
  low: Number.NEGATIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
  value: (u) => u * scale,
  position: (x) => x / scale,
  slope: () => scale,
  logSlope: () => Math.log(scale),
});
