/** Distances with a time scale against elephant's, on recorded and Poisson trains. */
import { describe, expect, test } from "vitest";
import { vanRossumDistance, victorPurpuraDistance } from "../../src/report/distances.ts";
import { byCell } from "../../src/report/measures.ts";
import { pairwise } from "../../src/report/pairwise.ts";
import { cases, departure, rasterOf, upper } from "./recorded.ts";

describe("elephant 1.2.1 gives the same van Rossum and Victor-Purpura distances", () => {
  for (const each of cases) {
    const { tau, vanRossum, victorPurpura } = each.elephant;
    if (tau === undefined || !vanRossum || !victorPurpura) continue;
    test(each.name, () => {
      const trains = byCell(rasterOf(each));
      const scale = tau * each.tick; // s
      const all = (measure: (a: Float64Array, b: Float64Array) => number) =>
        upper(pairwise(trains.length, (i, j) => measure(trains[i], trains[j])).matrix);
      // elephant takes the root of a difference of sums, which costs digits where a distance is small
      expect(
        departure(
          all((a, b) => vanRossumDistance(a, b, `${scale} s`)),
          vanRossum,
        ),
      ).toBeLessThan(1e-8);
      expect(
        departure(
          all((a, b) => victorPurpuraDistance(a, b, `${1 / scale} Hz`)),
          victorPurpura,
        ),
      ).toBeLessThan(1e-10);
    });
  }
});
