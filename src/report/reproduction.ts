/** Data beside what a fitted model makes of them: steps against the conductance, spectra of reads. */

import type { Fit } from "../fit/fit.ts";
import { welch } from "../math/fourier.ts";
import { mean, quantile, variance } from "../math/statistics.ts";
import type { Measurement, Sequence } from "../measured/measurement.ts";
import { type Figure, type LineFigure, linePlot, panelPlot } from "./figures.ts";
import { extent } from "./lines.ts";

/** The unit in which values are told. */
export interface ValueScale {
  readonly quantity: string;
  readonly unit: string;
  readonly perUnit: number; // of the unit in one SI unit
}

/** A prefix for the values of a measurement. */
export function scaleOf({ sequences, quantity }: Pick<Measurement, "sequences" | "quantity">): ValueScale {
  let largest = 0;
  for (const { values } of sequences)
    for (const value of values) if (Math.abs(value) > largest) largest = Math.abs(value);
  const base = quantity === "conductance" ? "S" : "A";
  // microsiemens up to a tenth of a siemens, as papers have them
  for (const [prefix, perUnit] of [
    ["", 1],
    ["m", 1e3],
    ["u", 1e6],
    ["n", 1e9],
  ] as const)
    if (largest * perUnit >= (base === "S" && prefix !== "u" ? 100 : 1))
      return { quantity, unit: prefix + base, perUnit };
  return { quantity, unit: `p${base}`, perUnit: 1e12 };
}

/** Bins along the conductance, and steps that a bin has at least. */
const bins = 20;
const fewest = 5;
/** Steps that are drawn at most. */
const mostDrawn = 1500;

/** Steps by one pulse from a read to the next: what was read before, what came then, what was expected and how surely. */
interface Step {
  readonly before: number;
  readonly change: number;
  readonly expected: number;
  readonly spread: number;
}

function stepsOf({ measurement, prediction, search }: Fit, code: number): Step[] {
  const steps: Step[] = [];
  for (const [k, { sequence, row, value }] of search.likelihood.reads.entries()) {
    const { pulse, values } = measurement.sequences[sequence];
    const before = values[row - 1];
    if (row === 0 || pulse[row] !== code || !Number.isFinite(before)) continue;
    steps.push({
      before,
      change: value - before,
      expected: prediction.expected[k] - before,
      spread: prediction.spread[k],
    });
  }
  return steps;
}

/** Steps of each pulse against the read before, and what was expected of each; undefined where there are too few. */
export function stepFigure(fit: Fit, { unit, perUnit, quantity }: ValueScale): Figure | undefined {
  const panels = fit.measurement.pulses.flatMap((pulse, code): LineFigure[] => {
    const steps = stepsOf(fit, code);
    if (steps.length < 4 * fewest) return [];
    const [low, high] = extent([steps.map(({ before }) => before)]);
    if (!(high > low)) return [];
    const own = Array.from({ length: bins }, (): Step[] => []);
    for (const step of steps) {
      const bin = Math.floor((bins * (step.before - low)) / (high - low));
      own[Math.min(bins - 1, bin)].push(step);
    }
    const told = own.flatMap((each, bin) => {
      if (each.length < fewest) return [];
      const expected = each.map((step) => step.expected);
      return {
        at: perUnit * (low + ((bin + 0.5) * (high - low)) / bins),
        data: moments(each.map(({ change }) => perUnit * change)),
        model: {
          mean: perUnit * mean(expected),
          sd: perUnit * Math.sqrt(variance(expected) + mean(each.map(({ spread }) => spread * spread))),
        },
      };
    });
    const band = (of: "data" | "model") => ({
      low: told.map((each) => each[of].mean - each[of].sd),
      high: told.map((each) => each[of].mean + each[of].sd),
    });
    const every = Math.ceil(steps.length / mostDrawn);
    const drawn = steps.filter((_, k) => k % every === 0);
    const changes = Float64Array.from(drawn, ({ change }) => perUnit * change).sort();
    const inner = [quantile(changes, 0.003), quantile(changes, 0.997)];
    const reach = extent([inner, ...(["data", "model"] as const).flatMap((of) => Object.values(band(of)))]);
    const room = 0.1 * (reach[1] - reach[0]);
    return [
      linePlot({
        title: pulse,
        series: {
          "a step": {
            x: drawn.map(({ before }) => perUnit * before),
            y: drawn.map(({ change }) => perUnit * change),
            line: false,
            faint: true,
            colour: 6,
          },
          "model: mean ± standard deviation": {
            x: told.map(({ at }) => at),
            y: told.map(({ model }) => model.mean),
            band: band("model"),
            points: false,
            colour: 0,
          },
          "data: mean ± standard deviation": {
            x: told.map(({ at }) => at),
            y: told.map(({ data }) => data.mean),
            band: band("data"),
            bars: true,
            line: false,
            colour: 1,
          },
        },
        xTitle: `${quantity} before (${unit})`,
        yTitle: `step (${unit})`,
        yRange: [reach[0] - room, reach[1] + room],
      }),
    ];
  });
  if (panels.length === 0) return undefined;
  return panelPlot(panels, {
    title: "Steps against the conductance",
    caption: `The change from one read to the next by one pulse, in ${bins} bins of the first read; the model's is what it expects of each of these reads from those before. Both hold the noise of two reads, which alone makes steps fall with what was read before.`,
    across: 2,
  });
}

const moments = (values: readonly number[]) => ({ mean: mean(values), sd: Math.sqrt(variance(values)) });

/** Reads that a spectrum needs. */
const spectrumReads = 256;

/** The interval of evenly timed reads, s; undefined where they are not even. */
function intervalOf({ time, values, pulse }: Sequence): number | undefined {
  if (!time || values.length < spectrumReads || values.some(Number.isNaN)) return undefined;
  if (pulse.some((code) => code !== pulse[pulse.length - 1])) return undefined;
  const intervals = Float64Array.from(time.subarray(1), (t, row) => t - time[row]).sort();
  const middle = quantile(intervals, 0.5);
  const off = intervals.filter((interval) => Math.abs(interval - middle) > 0.1 * middle).length;
  return middle > 0 && off < 0.01 * intervals.length ? middle : undefined;
}

/** The spectrum of the longest evenly timed series of reads, and that of replicates. */
export function spectrumFigure(
  measurement: Measurement,
  examples: readonly Measurement[],
  { unit, perUnit }: ValueScale,
): Figure | undefined {
  const sequences = measurement.sequences.map((each, s) => ({
    s,
    size: each.values.length,
    by: intervalOf(each),
  }));
  const longest = sequences
    .filter(({ by }) => by !== undefined)
    .reduce<(typeof sequences)[number] | undefined>((a, b) => (a && a.size >= b.size ? a : b), undefined);
  if (!longest) return undefined;
  const { s, by = 1 } = longest;
  const of = (each: Measurement) => {
    const { frequency, density } = welch(each.sequences[s].values, by);
    const sets = octaveParts(frequency);
    return {
      frequency: sets.map((own) => mean(own.map((f) => frequency[f]))),
      density: sets.map((own) => perUnit ** 2 * mean(own.map((f) => density[f]))),
    };
  };
  const data = of(measurement);
  const made = examples.map((each) => of(each).density);
  const at = (p: number) =>
    data.density.map((_, f) => quantile(Float64Array.from(made, (density) => density[f]).sort(), p));
  return linePlot({
    title: "Spectrum of reads",
    caption: `Power density by Welch's method, reads taken as evenly spaced by ${Number(by.toPrecision(3))} s; the band holds ${made.length} replicates of the model.`,
    x: data.frequency,
    series: {
      model: { y: at(0.5), band: { low: at(0), high: at(1) }, points: false, colour: 0 },
      data: { y: data.density, points: true, line: false, colour: 1 },
    },
    xTitle: "frequency (Hz)",
    yTitle: `power density (${unit}²/Hz)`,
    xLog: true,
    yLog: true,
  });
}

/** Neighbouring frequencies gathered, sixteen sets an octave. */
function octaveParts(frequency: Float64Array): number[][] {
  const sets: number[][] = [];
  for (const [f, value] of frequency.entries()) {
    const last = sets.at(-1);
    if (last && value < frequency[last[0]] * 2 ** (1 / 16)) last.push(f);
    else sets.push([f]);
  }
  return sets;
}
