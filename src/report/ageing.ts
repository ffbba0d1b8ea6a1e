/** What time does to conductances: drift from several levels, and the exponents of its power law. */

import { line, mean, quantile, variance } from "../math/statistics.ts";
import { estimate } from "./estimate.ts";
import { type Curve, type Figure, histogramPlot, linePlot } from "./figures.ts";
import { band90, micro, type Part, quiet, type Station } from "./station.ts";
import { numberText } from "./ticks.ts";

const fractions = [0.25, 0.5, 0.75, 1];
/** Quarter decades from a second to a year and over, s. */
const times = Array.from({ length: 31 }, (_, k) => 10 ** (k / 4));
/** Exponents are fitted from here on, s: a power law begins some time after the write. */
const fittedFrom = 1e4;

/** Drift without read noise; omitted for devices that keep what they have. */
export function ageing(place: Station): Part {
  const { array, model } = place;
  const omitted = (why: string): Part => ({ figures: {}, metrics: {}, omitted: { drift: why } });
  if (!model.checked.drift) return omitted("the model has no drift: a device keeps what it has");
  const series: Record<string, Curve> = {};
  const exponents: number[] = []; // of each level and device
  const sums = new Float64Array(array.size); // of a device's exponents
  const kept: number[] = [];
  const rows: { level: number; exponent: number; sd: number }[] = [];
  const from = times.findIndex((time) => time >= fittedFrom);
  const logTimes = times.slice(from).map(Math.log);
  for (const fraction of fractions) {
    if (!place.bring(fraction)) return omitted("no pulse brings a device to a level");
    let age = 0;
    const levels = times.map((time) => {
      array.wait(`${time - age} s`);
      age = time;
      return quiet(array);
    });
    const { median, low, high } = band90(levels);
    const begun = micro * mean(levels[0]);
    series[`from ${numberText(begun, 3)} uS`] = {
      x: times,
      y: median.map((value) => micro * value),
      band: { low: low.map((value) => micro * value), high: high.map((value) => micro * value) },
      points: false,
    };
    const found: number[] = [];
    for (let k = 0; k < array.size; k++) {
      const logs = levels.slice(from).map((each) => Math.log(each[k]));
      const exponent = logs.every(Number.isFinite) ? -line(logTimes, logs).slope : Number.NaN;
      sums[k] += exponent;
      if (Number.isFinite(exponent)) found.push(exponent);
      if (levels[0][k] > 0) kept.push(levels[levels.length - 1][k] / levels[0][k]);
    }
    exponents.push(...found);
    if (found.length > 1) rows.push({ level: begun, exponent: mean(found), sd: deviation(found) });
  }
  if (exponents.length === 0) return omitted("no conductance stays above 0");
  const [shortest, longest] = [times[0], times[times.length - 1]];
  return {
    figures: {
      drift: linePlot({
        title: "Conductance against time since the last pulse",
        caption: `Median of ${array.size} devices from ${fractions.length} levels without read noise, and the band that holds 90 % of them.`,
        series,
        xTitle: "time (s)",
        yTitle: "conductance (uS)",
        xLog: true,
        yLog: true,
        xRange: [shortest, longest],
      }),
      ...exponentFigure(exponents),
    },
    metrics: {
      driftExponent: estimate(sums.map((sum) => sum / fractions.length).filter(Number.isFinite)),
      driftExponentSd: deviation(exponents),
      keptAfterYear: estimate(kept),
      driftByLevel: rows,
    },
  };
}

/** Differences of exponents below this are rounding. */
const rounding = 1e-9;

function deviation(exponents: readonly number[]): number {
  const sd = Math.sqrt(variance(exponents));
  return sd < rounding ? 0 : sd;
}

/** Exponents of all devices, when they differ. */
function exponentFigure(exponents: readonly number[]): Record<string, Figure> {
  const sorted = Float64Array.from(exponents).sort();
  const [low, high] = [quantile(sorted, 0.001), quantile(sorted, 0.999)];
  if (!(high - low > rounding)) return {};
  return {
    driftExponents: histogramPlot(sorted, {
      title: "Drift exponents",
      caption: "Slopes of log G against log t from 3 hours to a year, one for each device and level.",
      xTitle: "exponent nu of G ~ t^-nu",
      yTitle: "devices",
      range: [low, high],
      bins: 50,
    }),
  };
}
