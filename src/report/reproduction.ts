/**
 * Data beside data that a fitted model makes: steps against the conductance, spectra of reads.
 *
 * What is drawn of the data is computed of the replicates in the same way, so both hold read noise alike.
 */

import type { Measurement, Sequence } from "../fit/measurement.ts";
import { welch } from "../math/fourier.ts";
import { mean, quantile, variance } from "../math/statistics.ts";
import { type Figure, type LineFigure, linePlot, panelPlot } from "./figures.ts";

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

/** A read, and what the next row's pulse changed until its read. */
interface Steps {
  readonly before: number[];
  readonly change: number[];
}

/** Steps by one pulse between two reads. */
function stepsOf({ sequences }: Measurement, code: number): Steps {
  const steps: Steps = { before: [], change: [] };
  for (const { pulse, values } of sequences)
    for (let row = 1; row < values.length; row++) {
      if (pulse[row] !== code || !Number.isFinite(values[row] + values[row - 1])) continue;
      steps.before.push(values[row - 1]);
      steps.change.push(values[row] - values[row - 1]);
    }
  return steps;
}

/** Bins along the conductance, and steps that a bin has at least. */
const bins = 20;
const fewest = 5;
/** Steps that are drawn at most. */
const mostDrawn = 1500;

interface Binned {
  readonly middle: number[];
  readonly mean: number[];
  readonly sd: number[];
}

function binned({ before, change }: Steps, [low, high]: readonly [number, number]): Binned {
  const own = Array.from({ length: bins }, (): number[] => []);
  before.forEach((value, k) => {
    const bin = Math.floor((bins * (value - low)) / (high - low));
    own[Math.min(bins - 1, bin)]?.push(change[k]);
  });
  const found: Binned = { middle: [], mean: [], sd: [] };
  own.forEach((changes, bin) => {
    if (changes.length < fewest) return;
    found.middle.push(low + ((bin + 0.5) * (high - low)) / bins);
    found.mean.push(mean(changes));
    found.sd.push(Math.sqrt(variance(changes)));
  });
  return found;
}

/** Steps of each pulse against the read before, and what replicates have; undefined where there are too few. */
export function stepFigure(
  measurement: Measurement,
  examples: readonly Measurement[],
  { unit, perUnit, quantity }: ValueScale,
): Figure | undefined {
  const panels = measurement.pulses.flatMap((pulse, code): LineFigure[] => {
    const measured = stepsOf(measurement, code);
    if (measured.before.length < 4 * fewest) return [];
    const range = measured.before.reduce(
      ([low, high], value) => [Math.min(low, value), Math.max(high, value)] as const,
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const,
    );
    if (!(range[1] > range[0])) return [];
    const told = (values: readonly number[]) => values.map((value) => perUnit * value);
    const data = binned(measured, range);
    const made = examples.map((each) => stepsOf(each, code));
    const model = binned(
      { before: made.flatMap((each) => each.before), change: made.flatMap((each) => each.change) },
      range,
    );
    const band = ({ mean, sd }: Binned) => ({
      low: mean.map((value, k) => perUnit * (value - sd[k])),
      high: mean.map((value, k) => perUnit * (value + sd[k])),
    });
    const every = Math.ceil(measured.before.length / mostDrawn);
    const drawn = (values: readonly number[]) => told(values.filter((_, k) => k % every === 0));
    const shown = drawn(measured.change);
    const sorted = Float64Array.from(shown).sort();
    const ends = [quantile(sorted, 0.005), quantile(sorted, 0.995)];
    const room = 0.15 * (ends[1] - ends[0]);
    const reach = [data, model].map(band);
    return [
      linePlot({
        title: pulse,
        series: {
          "a step": { x: drawn(measured.before), y: shown, line: false, faint: true, colour: 6 },
          "model: mean ± standard deviation": {
            x: told(model.middle),
            y: told(model.mean),
            band: band(model),
            points: false,
            colour: 0,
          },
          "data: mean ± standard deviation": {
            x: told(data.middle),
            y: told(data.mean),
            band: band(data),
            bars: true,
            line: false,
            colour: 1,
          },
        },
        xTitle: `${quantity} before (${unit})`,
        yTitle: `step (${unit})`,
        yRange: [
          Math.min(ends[0], ...reach.flatMap(({ low }) => low)) - room,
          Math.max(ends[1], ...reach.flatMap(({ high }) => high)) + room,
        ],
      }),
    ];
  });
  if (panels.length === 0) return undefined;
  return panelPlot(panels, {
    title: "Steps against the conductance",
    caption: `The change from one read to the next by one pulse, in ${bins} bins of the first read. Both hold read noise.`,
    across: 2,
  });
}

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
