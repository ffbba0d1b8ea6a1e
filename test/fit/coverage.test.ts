import { expect, test } from "vitest";
import { covarianceOf, hessian } from "../../src/fit/covariance.ts";
import { maximise } from "../../src/fit/optimum.ts";
import { profile } from "../../src/fit/profile.ts";
import { normalQuantile } from "../../src/math/normal.ts";
import { randomKey, uniform } from "../../src/math/random.ts";
import { limit } from "../device/distribution.ts";
import { curves, regression } from "./problems.ts";

const replicates = 1500;
const truth = [0.4, 9, 7.5, Math.log(0.35)];

/** Ramps of 120 pulses under the model of the problem `pcm`: standardised errors and intervals of tau. */
function fits() {
  const key = randomKey(5, "coverage");
  const x = Float64Array.from({ length: 120 }, (_, k) => 1 + k / 3);
  return Array.from({ length: replicates }, (_, replicate) => {
    const y = x.map((at, k) => {
      const noise = Math.exp(truth[3]) * normalQuantile(uniform(key, 0, k, replicate));
      return curves.pcm(truth, at)[0] + noise;
    });
    const objective = regression(curves.pcm, { x, y }, 3);
    const best = maximise(objective, Float64Array.from(truth));
    const { covariance } = covarianceOf(hessian(objective, best.point), objective.names);
    return {
      wald: truth.map((value, i) => (best.point[i] - value) / Math.sqrt(covariance[i][i])),
      tau: profile(objective, best, 2).interval,
      short: profile(objective, best, 2, { level: 0.88 }).interval,
    };
  });
}

test("95 % intervals hold the truth 95 times in 100, by curvature and by profile; 88 % intervals are seen not to", () => {
  const found = fits();
  const deviations = (held: (fit: (typeof found)[number]) => boolean): number =>
    (found.filter(held).length - 0.95 * replicates) / Math.sqrt(0.95 * 0.05 * replicates);
  const inside = ([low, high]: readonly [number, number]): boolean => low <= truth[2] && truth[2] <= high;
  // the intervals are exact for many values; with 120 the quantile of t and sqrt(120 / 116) take 0.6 % of the cover
  const bias = (0.006 * replicates) / Math.sqrt(0.95 * 0.05 * replicates);
  for (const i of truth.keys())
    expect(Math.abs(deviations(({ wald }) => Math.abs(wald[i]) <= 1.959964))).toBeLessThan(limit + bias);
  expect(Math.abs(deviations(({ tau }) => inside(tau)))).toBeLessThan(limit + bias);
  expect(Math.abs(deviations(({ short }) => inside(short)))).toBeGreaterThan(limit + bias); // control
});
