/**
 * What a fit leaves: each read less its prediction, in units of its spread.
 *
 * If the model holds, these residuals are independent standard normal numbers: they do not depend on anything.
 */

import type { Prediction, ReadPlace } from "../fit/likelihood.ts";
import { normalQuantile } from "../math/normal.ts";
import { mean, variance } from "../math/statistics.ts";
import { type Figure, linePlot, panelPlot, scatterPlot } from "./figures.ts";

/** Residuals of reads, [read]; what is not predicted with a spread is NaN. */
export function residualsOf(reads: readonly ReadPlace[], { expected, spread }: Prediction): Float64Array {
  return Float64Array.from(reads, ({ value }, k) =>
    spread[k] > 0 ? (value - expected[k]) / spread[k] : Number.NaN,
  );
}

export interface ResidualSummary {
  readonly mean: number; // 0
  readonly sd: number; // 1
  /** Correlation of a residual with the one before it in its sequence: 0. */
  readonly succession: number;
  /** Fraction within 1.96: 0.95. */
  readonly within95: number;
  readonly largest: number; // in size
}

/** The residuals in numbers; in brackets what they are when the model holds. */
export function residualSummary(residuals: Float64Array, reads: readonly ReadPlace[]): ResidualSummary {
  const known = residuals.filter(Number.isFinite);
  const [before, after] = neighbours(residuals, reads);
  const middle = mean(known);
  let product = 0;
  for (let k = 0; k < before.length; k++) product += (before[k] - middle) * (after[k] - middle);
  return {
    mean: middle,
    sd: Math.sqrt(variance(known)),
    succession: product / before.length / variance(known),
    within95: known.filter((z) => Math.abs(z) < 1.959964).length / known.length,
    largest: known.reduce((most, z) => Math.max(most, Math.abs(z)), 0),
  };
}

/** Residuals and those that follow them in the same sequence. */
function neighbours(residuals: Float64Array, reads: readonly ReadPlace[]): [number[], number[]] {
  const before: number[] = [];
  const after: number[] = [];
  for (let k = 1; k < reads.length; k++) {
    if (reads[k].sequence !== reads[k - 1].sequence) continue;
    if (!Number.isFinite(residuals[k] + residuals[k - 1])) continue;
    before.push(residuals[k - 1]);
    after.push(residuals[k]);
  }
  return [before, after];
}

/** Residuals that a plot draws at most, evenly chosen. */
const mostDrawn = 4000;

/**
 * Four looks at residuals: against the row, against the expected value (in `unit`, `perUnit` of which are one SI unit),
 * against the residual before, and their quantiles against those of normal numbers.
 */
export function residualFigure(
  residuals: Float64Array,
  reads: readonly ReadPlace[],
  { expected }: Prediction,
  { unit, perUnit, quantity }: { unit: string; perUnit: number; quantity: string },
): Figure {
  const all = Array.from(residuals.keys()).filter((k) => Number.isFinite(residuals[k]));
  const every = Math.ceil(all.length / mostDrawn);
  const drawn = all.filter((_, n) => n % every === 0);
  const levels = [-1.96, 0, 1.96].map((at) => ({ at, label: "" }));
  const largest = drawn.reduce((most, k) => Math.max(most, Math.abs(residuals[k])), 3);
  const yRange = [-1.05 * largest, 1.05 * largest] as const;
  const against = (title: string, xTitle: string, x: (k: number) => number) =>
    scatterPlot({
      title,
      points: { "": { x: drawn.map(x), y: drawn.map((k) => residuals[k]) } },
      xTitle,
      yTitle: "residual",
      yRange,
      levels,
    });
  const [before, after] = neighbours(residuals, reads);
  const chosen = (values: readonly number[]) => values.filter((_, n) => n % every === 0);
  return panelPlot(
    [
      against("Along the sequences", "row", (k) => reads[k].row),
      against("Against what was expected", `expected ${quantity} (${unit})`, (k) => perUnit * expected[k]),
      scatterPlot({
        title: "Against the one before",
        points: { "": { x: chosen(before), y: chosen(after) } },
        xTitle: "residual before",
        yTitle: "residual",
        xRange: yRange,
        yRange,
      }),
      quantileFigure(all.map((k) => residuals[k]).sort((a, b) => a - b)),
    ],
    {
      title: "Residuals",
      caption: `A read less its prediction from the reads before it, in units of the predicted standard deviation${every > 1 ? `; one of ${every} is drawn` : ""}. Where the model holds they are independent normal numbers: 95 % between the dashed lines, and quantiles in the band.`,
      across: 2,
    },
  );
}

/** Quantiles of sorted residuals against those of normal numbers, and where 95 % of such samples have each. */
function quantileFigure(sorted: readonly number[]) {
  const size = sorted.length;
  const count = Math.min(size, 400);
  const ranks = Array.from({ length: count }, (_, k) =>
    Math.round((k * (size - 1)) / Math.max(1, count - 1)),
  );
  const parts = ranks.map((rank) => (rank + 0.5) / size);
  const wanted = parts.map(normalQuantile);
  // the error of an order statistic: sqrt(p (1 - p) / n) over the density
  const error = parts.map(
    (p, k) =>
      (1.96 * Math.sqrt((p * (1 - p)) / size)) / (Math.exp(-(wanted[k] ** 2) / 2) / Math.sqrt(2 * Math.PI)),
  );
  return linePlot({
    title: "Quantiles",
    x: wanted,
    series: {
      normal: {
        y: wanted,
        band: { low: wanted.map((q, k) => q - error[k]), high: wanted.map((q, k) => q + error[k]) },
        points: false,
        dashed: true,
        colour: 6,
      },
      residuals: { y: ranks.map((rank) => sorted[rank]), line: false, colour: 0 },
    },
    xTitle: "normal quantile",
    yTitle: "residual",
  });
}
