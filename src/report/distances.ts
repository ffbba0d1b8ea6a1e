/** How far two spike trains are from each other. Times are in s and ascend. */

import { quantity, seconds, type Time } from "../math/units.ts";

/**
 * Van Rossum's distance: the spikes of both trains are drawn out by exp(-t / tau), and what differs is squared and
 * integrated, D^2 = 2 / tau times the integral. A spike that the other train lacks makes 1, two of them far apart
 * sqrt(2). Exact, and as long as the trains together: with signs s of one train +1, of the other -1, D^2 is the sum of
 * s_j s_k exp(-|t_j - t_k| / tau) over all pairs. Source: van Rossum 2001, Neural Comput. 13:751, whose D^2 is half as
 * large; running sum after Houghton & Kreuz 2012, Network 23:48.
 */
export function vanRossumDistance(a: ArrayLike<number>, b: ArrayLike<number>, tau: Time): number {
  const decay = seconds(tau, "tau of van Rossum's distance");
  if (!(decay > 0)) throw new RangeError(`van Rossum's distance needs a positive tau, not ${tau}`);
  let square = 0;
  let trace = 0; // signed sum of exp(-(last - t) / tau) over spikes so far
  let last = 0;
  for (let j = 0, k = 0; j < a.length || k < b.length; ) {
    const first = k === b.length || (j < a.length && a[j] <= b[k]);
    const t = first ? a[j++] : b[k++];
    const sign = first ? 1 : -1;
    trace *= Math.exp((last - t) / decay);
    last = t;
    square += 1 + 2 * sign * trace;
    trace += sign;
  }
  return Math.sqrt(Math.max(0, square)); // rounding
}

/**
 * Victor and Purpura's distance: the least cost of turning one train into the other, where adding or removing a spike costs
 * 1 and moving it costs `cost` ("100 Hz") times how far. Takes the product of both lengths. Source: Victor & Purpura 1996,
 * J. Neurophysiol. 76:1310.
 */
export function victorPurpuraDistance(a: ArrayLike<number>, b: ArrayLike<number>, cost: string): number {
  const perSecond = quantity(cost, "Hz");
  if (!(perSecond >= 0)) throw new RangeError(`moving a spike cannot cost ${cost}`);
  let row = Float64Array.from({ length: b.length + 1 }, (_, k) => k); // [k]: first spikes of a to k of b
  let next = new Float64Array(b.length + 1);
  for (let j = 1; j <= a.length; j++) {
    next[0] = j;
    for (let k = 1; k <= b.length; k++) {
      const moved = row[k - 1] + perSecond * Math.abs(a[j - 1] - b[k - 1]);
      next[k] = Math.min(row[k] + 1, next[k - 1] + 1, moved);
    }
    [row, next] = [next, row];
  }
  return row[b.length];
}
