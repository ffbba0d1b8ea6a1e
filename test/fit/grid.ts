/**
 * Brute force: what is known of one conductance as masses on a fine grid between two bounds and on the bounds
 * themselves. Exact but for the grid.
 */
import { normal } from "../device/distribution.ts";

export interface Walk {
  readonly low: number;
  readonly high: number;
  /** Mean and standard deviation of what a pulse makes of G, before bounds. */
  readonly pulse: (G: number, pulse: string) => readonly [mean: number, sd: number];
  /** Standard deviation of a read at G. */
  readonly readSd: (G: number) => number;
  readonly start: number;
}

const cells = 100;

/** Log-densities of reads, each given those before. `pulses`: "" is none. */
export function gridFilter(walk: Walk, pulses: readonly string[], values: ArrayLike<number>): Float64Array {
  const { low, high, start } = walk;
  const width = (high - low) / cells;
  // place 0 and the last are the bounds, the others middles of cells
  const G = Float64Array.from({ length: cells + 2 }, (_, k) =>
    k === 0 ? low : k > cells ? high : low + (k - 0.5) * width,
  );
  const edges = Float64Array.from({ length: cells + 1 }, (_, k) => low + k * width);
  const moved = (from: number, pulse: string): Float64Array => {
    const [mean, sd] = walk.pulse(from, pulse);
    const below = normal(mean, sd);
    const cumulative = edges.map(below);
    return G.map((_, k) => {
      if (k === 0) return cumulative[0];
      return k > cells ? 1 - cumulative[cells] : cumulative[k] - cumulative[k - 1];
    });
  };
  const transitions = new Map(
    [...new Set(pulses)].map((pulse) => [pulse, pulse && [...G].map((g) => moved(g, pulse))]),
  );
  let mass: Float64Array | undefined; // undefined: at `start` for certain
  return Float64Array.from(pulses, (pulse, row) => {
    if (pulse !== "") {
      const to = transitions.get(pulse) as Float64Array[];
      if (!mass) mass = moved(start, pulse);
      else {
        const next = new Float64Array(cells + 2);
        mass.forEach((m, k) => {
          if (m > 1e-30) for (let l = 0; l < next.length; l++) next[l] += m * to[k][l];
        });
        mass = next;
      }
    }
    const density = (g: number) => {
      const sd = walk.readSd(g);
      return Math.exp(-(((values[row] - g) / sd) ** 2) / 2) / (sd * Math.sqrt(2 * Math.PI));
    };
    if (!mass) return Math.log(density(start));
    const joint = mass.map((m, k) => m * density(G[k]));
    const total = joint.reduce((sum, each) => sum + each);
    mass = joint.map((each) => each / total);
    return Math.log(total);
  });
}
