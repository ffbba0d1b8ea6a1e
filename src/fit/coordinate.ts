/**
 * Bounded parameters as coordinates on the whole real line, so that a search meets no walls.
 *
 * The scale is the natural one of the bound: a positive number is searched by its logarithm, a fraction by its
 * logit. Intervals found in coordinates become intervals of the parameter by `value`, -Infinity and Infinity included.
 */

/** A rising map between a coordinate u, any real number, and a parameter x inside bounds. */
export interface Coordinate {
  readonly low: number;
  readonly high: number;
  /** x(u); the bounds themselves at -Infinity and Infinity. */
  value(u: number): number;
  /** u(x). Throws a RangeError outside the bounds. */
  position(x: number): number;
  /** dx/du. */
  slope(u: number): number;
  /** log dx/du: what turns the log-density of x into that of u when added. */
  logSlope(u: number): number;
}

/**
 * The coordinate of a parameter inside (low, high), which may be infinite: u = x, log(x - low), -log(high - x) or
 * log((x - low) / (high - x)).
 */
export function coordinate(low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY): Coordinate {
  if (!(low < high)) throw new RangeError(`no number lies between ${low} and ${high}`);
  const map = mapOf(low, high);
  return {
    low,
    high,
    value: map.value,
    position(x) {
      if (!(x >= low && x <= high)) throw new RangeError(`${x} is outside (${low}, ${high})`);
      return map.position(x);
    },
    slope: (u) => Math.exp(map.logSlope(u)),
    logSlope: map.logSlope,
  };
}

function mapOf(low: number, high: number): Pick<Coordinate, "value" | "position" | "logSlope"> {
  const below = Number.isFinite(low);
  const above = Number.isFinite(high);
  if (below && above)
    return {
      value: (u) =>
        u < 0 ? low + (high - low) / (1 + Math.exp(-u)) : high - (high - low) / (1 + Math.exp(u)),
      position: (x) => Math.log((x - low) / (high - x)),
      logSlope: (u) => Math.log(high - low) - Math.abs(u) - 2 * Math.log1p(Math.exp(-Math.abs(u))),
    };
  if (below)
    return {
      value: (u) => low + Math.exp(u),
      position: (x) => Math.log(x - low),
      logSlope: (u) => u,
    };
  if (above)
    return {
      value: (u) => high - Math.exp(-u),
      position: (x) => -Math.log(high - x),
      logSlope: (u) => -u,
    };
  return { value: (u) => u, position: (x) => x, logSlope: () => 0 };
}
