/**
 * The report of a fit: the data with what the model says of them, what is left, parameters with their intervals,
 * posterior, checks, and other models beside it.
 */

import type { Check } from "../fit/check.ts";
import type { Ranked } from "../fit/compare.ts";
import type { Fit } from "../fit/fit.ts";
import type { ReadPlace } from "../fit/likelihood.ts";
import type { Posterior } from "../fit/posterior.ts";
import { normalQuantile } from "../math/normal.ts";
import { unitDimension } from "../math/units.ts";
import type { Measurement, Sequence } from "../measured/measurement.ts";
import { cornerPlot } from "./corner.ts";
import type { Metric, Result } from "./experiment.ts";
import { type Curve, type Figure, type LineFigure, linePlot, panelPlot } from "./figures.ts";
import { scaleOf, spectrumFigure, stepFigure, type ValueScale } from "./reproduction.ts";
import { residualFigure, residualSummary, residualsOf } from "./residuals.ts";

/** What a fit is reported with. */
export interface FitReportOptions {
  readonly fit: Fit;
  readonly posterior?: Posterior;
  readonly check?: Check;
  /** The model among others, best first. */
  readonly comparison?: readonly Ranked[];
}

/** A result as an experiment hands it back, and what each metric is. */
export interface FitReport extends Result {
  readonly figures: Readonly<Record<string, Figure>>;
  /** What each metric is, its unit in brackets at the end. */
  readonly meanings: Readonly<Record<string, string>>;
}

const meanings: Readonly<Record<string, string>> = {
  reads: "reads that were fitted; the first of a sequence that starts from it does not count",
  devices: "devices that were read",
  logLikelihood: "at the maximum",
  agreeing: "searches that ended at this maximum, of those that were followed",
  parameters: "fitted parameters in the units of the model, with standard error and 95 % interval",
  held: "parameters that were not fitted, and why",
  residualMean: "mean of the residuals: 0 where the model holds",
  residualSd: "their standard deviation: 1 where the model holds",
  residualSuccession: "correlation of successive residuals: 0 where the model holds",
  within95: "fraction of reads within the predicted 95 % interval",
  checks: "statistics of the data and of data that the model makes: 95 % interval, and the part at or above",
  models: "models of the same data, best first; less is better",
  acceptance: "accepted moves of the sampler",
  chain: "effective draws and R-hat of each parameter: 1 where all walkers tell the same",
};

/** Sequences that are drawn at most. */
const mostPanels = 6;
/** Parameters of a corner plot at most. */
const mostCorners = 9;

/** Metrics, figures and columns of a fit. */
export function fitReport({ fit, posterior, check, comparison }: FitReportOptions): FitReport {
  const { reads } = fit.search.likelihood;
  const residuals = residualsOf(reads, fit.prediction);
  const scale = scaleOf(fit.measurement);
  const summary = residualSummary(residuals, reads);
  const metrics: Record<string, Metric | undefined> = {
    reads: fit.reads,
    devices: fit.devices,
    logLikelihood: fit.logLikelihood,
    agreeing: `${fit.agreeing} of ${fit.searches}`,
    parameters: fit.parameters.map(parameterRow),
    held: fit.held.length > 0 ? fit.held.map(heldRow) : undefined,
    residualMean: summary.mean,
    residualSd: summary.sd,
    residualSuccession: summary.succession,
    within95: summary.within95,
    checks: check && checkRows(check, scale),
    models: comparison?.map(modelRow),
    acceptance: posterior?.acceptance,
    chain: posterior?.diagnosis.map(({ name, effectiveSize, rHat }) => ({ name, effectiveSize, rHat })),
  };
  return {
    metrics,
    meanings: Object.fromEntries(Object.entries(meanings).filter(([name]) => metrics[name] !== undefined)),
    figures: present({
      data: check ? replicateFigure(fit, check, scale) : dataFigure(fit.measurement),
      steps: stepFigure(fit, scale),
      spectrum: check && spectrumFigure(fit.measurement, check.examples, scale),
      predictions: predictionFigure(fit, reads, scale),
      residuals: residualFigure(residuals, reads, fit.prediction, scale),
      profiles: profileFigure(fit),
      posterior: posterior && posteriorFigure(fit, posterior),
    }),
    arrays: {
      sequence: Float64Array.from(reads, ({ sequence }) => sequence),
      row: Float64Array.from(reads, ({ row }) => row),
      value: Float64Array.from(reads, ({ value }) => value),
      expected: fit.prediction.expected,
      spread: fit.prediction.spread,
      residual: residuals,
    },
  };
}

/** What is there of some figures. */
function present(figures: Readonly<Record<string, Figure | undefined>>): Record<string, Figure> {
  return Object.fromEntries(Object.entries(figures).flatMap(([name, each]) => (each ? [[name, each]] : [])));
}

/** Some sequences of a measurement as they are. */
export function dataFigure(measurement: Measurement): Figure {
  const scale = scaleOf(measurement);
  const shown = shownSequences(measurement.sequences.length);
  return panelPlot(
    shown.map((index) => sequencePanel(measurement, index, scale, {}, [])),
    { title: "Data", caption: shownText(measurement, shown).trim(), across: 3 },
  );
}

function parameterRow({
  name,
  unit,
  value,
  standardError,
  interval95: [low, high],
}: Fit["parameters"][number]) {
  const factor = unit === "" ? 1 : unitDimension(unit).factor;
  return {
    name,
    value: value / factor,
    unit,
    standardError: standardError / factor,
    from: low / factor,
    to: high / factor,
  };
}

function heldRow({ name, unit, value, reason }: Fit["held"][number]) {
  return { name, value: value / (unit === "" ? 1 : unitDimension(unit).factor), unit, reason };
}

function checkRows({ statistics }: Check, { unit, perUnit }: ValueScale) {
  return statistics.map(({ name, observed, interval95: [low, high], p }) => {
    const plain = name.startsWith("correlation");
    const by = plain ? 1 : perUnit;
    return {
      statistic: name,
      unit: plain ? "" : unit,
      data: by * observed,
      from: by * low,
      to: by * high,
      atOrAbove: p,
    };
  });
}

function modelRow({
  name,
  parameters,
  logLikelihood,
  aic,
  aicc,
  bic,
  waic,
  difference,
  differenceError,
  weight,
}: Ranked) {
  return {
    model: name,
    parameters,
    logLikelihood,
    aic,
    aicc,
    bic,
    ...(waic ? { waic: waic.value } : {}),
    difference,
    ...(differenceError === undefined ? {} : { differenceError }),
    weight,
  };
}

/** Some of the sequences, evenly chosen. */
function shownSequences(count: number): number[] {
  const shown = Math.min(count, mostPanels);
  return Array.from({ length: shown }, (_, k) => Math.floor((k * count) / shown));
}

/**
 * Where a row lies on the axis: at the voltage of a sweep, at its time, on a logarithmic one where nothing is written, or
 * at its number.
 */
function placesOf({ time, pulse, voltage }: Sequence): {
  x: (row: number) => number;
  title: string;
  log: boolean;
} {
  if (voltage) return { x: (row) => voltage[row], title: "voltage (V)", log: false };
  if (!time || !(time[time.length - 1] > time[0])) return { x: (row) => row, title: "row", log: false };
  const log = pulse.every((each) => each < 0) && time[time.length - 1] > 30 * Math.max(time[0], 1e-9);
  return { x: (row) => time[row], title: "time (s)", log };
}

/** What tells a sequence from others: its device, cycle, pulse. */
function titleOf({ sequences, pulses }: Measurement, { device, cycle, pulse }: Sequence): string {
  const single = pulse.every((code) => code === pulse[0]) && pulse[0] >= 0 && pulses.length > 1;
  return [
    sequences.some((other) => other.device !== device) ? `device ${device}` : "",
    sequences.some((other) => other.device === device && other.cycle !== cycle) ? `cycle ${cycle}` : "",
    single ? pulses[pulse[0]] : "",
  ]
    .filter(Boolean)
    .join(", ");
}

/** Points and rows of a model that a panel draws at most, evenly chosen. */
const mostPoints = 2000;
const mostRows = 400;

function thinned(rows: readonly number[], most: number): number[] {
  const every = Math.ceil(rows.length / most);
  return rows.filter((_, n) => n % every === 0);
}

function sequencePanel(
  measurement: Measurement,
  index: number,
  { unit, perUnit, quantity }: ValueScale,
  model: Readonly<Record<string, Omit<Extract<Curve, { y: unknown }>, "x">>>,
  rows: readonly number[],
): LineFigure {
  const sequence = measurement.sequences[index];
  const { x, title, log } = placesOf(sequence);
  const measured = thinned(
    Array.from(sequence.values.keys()).filter((row) => !Number.isNaN(sequence.values[row])),
    mostPoints,
  );
  return linePlot({
    title: titleOf(measurement, sequence),
    series: {
      measured: {
        x: measured.map(x),
        y: measured.map((row) => perUnit * sequence.values[row]),
        line: false,
        colour: 6,
      },
      ...Object.fromEntries(
        Object.entries(model).map(([name, curve]) => [name, { ...curve, x: rows.map(x) }]),
      ),
    },
    xTitle: title,
    yTitle: `${quantity} (${unit})`,
    xLog: log,
  });
}

function shownText({ sequences: { length } }: Measurement, shown: readonly number[]): string {
  return shown.length < length ? ` ${shown.length} of ${length} sequences.` : "";
}

/** Data and what the model makes of each sequence on its own, without looking at the data on the way. */
function replicateFigure(fit: Fit, check: Check, scale: ValueScale): Figure {
  const shown = shownSequences(fit.measurement.sequences.length);
  const panels = shown.map((index) => {
    const { low, median, high } = check.bands[index];
    const rows = thinned(
      Array.from(median.keys()).filter((row) => !Number.isNaN(median[row])),
      mostRows,
    );
    const at = (values: Float64Array) => rows.map((row) => scale.perUnit * values[row]);
    const curve = { y: at(median), band: { low: at(low), high: at(high) }, points: false, colour: 0 };
    return sequencePanel(fit.measurement, index, scale, { "model: median and 95 %": curve }, rows);
  });
  return panelPlot(panels, {
    title: "Data, and the model on its own",
    caption: `The fitted model given the same pulses ${check.replicates} times, from the start of each sequence.${shownText(fit.measurement, shown)}`,
    across: 3,
  });
}

/** Data and the prediction of each read from those before it. */
function predictionFigure(fit: Fit, reads: readonly ReadPlace[], scale: ValueScale): Figure {
  const { expected, spread } = fit.prediction;
  const shown = shownSequences(fit.measurement.sequences.length);
  const half = normalQuantile(0.75);
  const own = new Map<number, number[]>(shown.map((index) => [index, []]));
  for (const [k, { sequence }] of reads.entries()) own.get(sequence)?.push(k);
  const panels = shown.map((index) => {
    const places = thinned(own.get(index) as number[], mostRows);
    const band = (deviations: number) => ({
      low: places.map((k) => scale.perUnit * (expected[k] - deviations * spread[k])),
      high: places.map((k) => scale.perUnit * (expected[k] + deviations * spread[k])),
    });
    const curve = {
      y: places.map((k) => scale.perUnit * expected[k]),
      band: [band(1.959964), band(half)],
      points: false,
      colour: 0,
    };
    return sequencePanel(
      fit.measurement,
      index,
      scale,
      { "predicted: mean, 50 and 95 %": curve },
      places.map((k) => reads[k].row),
    );
  });
  return panelPlot(panels, {
    title: "Data, and each read predicted from those before it",
    caption: `Bands hold half and 95 % of reads if the model is right.${shownText(fit.measurement, shown)}`,
    across: 3,
  });
}

/** What the log-likelihood lacks along each parameter, the others at their best; undefined without profiles. */
function profileFigure({ parameters }: Fit): Figure | undefined {
  const panels = parameters.flatMap(({ name, unit, value, profile }) => {
    if (!profile) return [];
    const factor = unit === "" ? 1 : unitDimension(unit).factor;
    const shown = profile.filter((each) => Number.isFinite(each.value) && each.lost <= profiled);
    const drawn = smooth(shown, value);
    return [
      linePlot({
        series: {
          profile: {
            x: drawn.map((each) => each.value / factor),
            y: drawn.map(({ lost }) => 2 * lost),
            points: false,
          },
          computed: {
            x: shown.map((each) => each.value / factor),
            y: shown.map(({ lost }) => 2 * lost),
            line: false,
            colour: 0,
          },
        },
        xTitle: `${name}${unit === "" ? "" : ` (${unit})`}`,
        yTitle: "2 log-likelihood lost",
        xLog: value > 0 && shown[0].value > 0 && shown[shown.length - 1].value > wide * shown[0].value,
        yRange: [0, 2 * profiled],
        levels: [{ at: normalQuantile(0.975) ** 2, label: "95 %" }],
      }),
    ];
  });
  if (panels.length === 0) return undefined;
  return panelPlot(panels, {
    title: "Profiles of the likelihood",
    caption:
      "Twice what the log-likelihood lacks with a parameter held there and all others at their best; below the line lies the 95 % interval. A parabola where the curvature says all.",
    across: 3,
  });
}

type Profile = NonNullable<Fit["parameters"][number]["profile"]>;

/** More points between those of a profile: the signed root of what is lost is nearly a straight line. */
function smooth(profile: Profile, best: number): Profile {
  const pieces = 16;
  return profile.flatMap((from, k) => {
    const to = profile[k + 1];
    if (to === undefined) return [from];
    const root = (each: Profile[number]) => Math.sign(each.value - best) * Math.sqrt(Math.max(0, each.lost));
    return Array.from({ length: pieces }, (_, n) => {
      const part = n / pieces;
      return {
        value: from.value + part * (to.value - from.value),
        lost: (root(from) + part * (root(to) - root(from))) ** 2,
      };
    });
  });
}

/** As far as profiles are drawn, of the log-likelihood. */
const profiled = 4;

/** Draws of a positive parameter are drawn on a logarithmic scale from this ratio of their ends on. */
const wide = 100;

/** Draws of the posterior in the units of the model. */
function posteriorFigure(fit: Fit, { names, values, draws, quantiles }: Posterior): Figure {
  const columns = names.slice(0, mostCorners).map((name, k) => {
    const fitted = fit.parameters.find((each) => each.name === name);
    const unit = fitted?.unit ?? "";
    const factor = unit === "" ? 1 : unitDimension(unit).factor;
    const [low, , high] = quantiles[k];
    const log = low > 0 && high > wide * low;
    const told = (value: number) => (log ? Math.log10(value / factor) : value / factor);
    return {
      name: `${log ? "log10 " : ""}${name}${unit === "" ? "" : ` (${unit})`}`,
      values: Float64Array.from({ length: draws }, (_, draw) => told(values[draw * names.length + k])),
      maximum: told(fitted?.value ?? Number.NaN),
    };
  });
  const left = names.length - columns.length;
  const known = columns.every(({ maximum }) => Number.isFinite(maximum));
  return cornerPlot(
    Array.from({ length: draws }, (_, draw) => columns.map((column) => column.values[draw])),
    columns.map(({ name }) => name),
    {
      title: "Posterior",
      caption: `${draws} draws: median and 95 % interval of each parameter, and pairs of them; orange is the maximum of the likelihood.${left > 0 ? ` ${left} more parameters are in the table.` : ""}`,
      ...(known ? { truth: columns.map(({ maximum }) => maximum) } : {}),
    },
  );
}
