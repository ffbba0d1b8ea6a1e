/**
 * How pulses change conductances: ramps up and down, the step at each conductance, its spread from cycle to cycle and
 * from device to device, and how well levels are told apart that nobody verified.
 */

import { type Components, components, mean, quantile } from "../math/statistics.ts";
import { type Estimate, estimate } from "./estimate.ts";
import type { Metric } from "./experiment.ts";
import { type Curve, type Figure, histogramPlot, linePlot } from "./figures.ts";
import {
  band90,
  costOf,
  give,
  grouped,
  micro,
  type Part,
  pulsesTo,
  quiet,
  type Ramp,
  restore,
  type Station,
  snapshot,
} from "./station.ts";

/** Single devices drawn beside the mean. */
const singles = 5;

/** Ramps, steps and levels; `omitted` where the device has no pulse that raises it. */
export async function switching(place: Station): Promise<Part> {
  const { up, down } = place;
  if (!up)
    return {
      figures: {},
      metrics: {},
      omitted: {
        pulses: place.program
          ? `the device is programmed by ${place.program.pulse}, not moved by pulses`
          : "no pulse up or set raises the conductance",
      },
    };
  const repeated = await repeats(place, up);
  return {
    figures: {
      pulses: rampFigure(up, down, place.afterReset),
      steps: stepFigure(up, down),
      levels: levelFigure(place, up),
    },
    metrics: {
      ...rangeMetrics(up, down),
      ...repeated,
      ...resolution(up, repeated),
      ...levelMetrics(place, up),
    },
  };
}

function rampFigure(up: Ramp, down: Ramp | undefined, afterReset: Float64Array | undefined): Figure {
  const devices = up.levels[0].length;
  const series: Record<string, Curve> = {};
  let offset = 0;
  for (const [k, { pulse, counts, levels }] of [up, ...(down ? [down] : [])].entries()) {
    const x = counts.map((count) => count + offset);
    const { low, high } = band90(levels);
    series[pulse] = {
      x,
      y: levels.map((each) => micro * mean(each)),
      band: { low: low.map(toMicro), high: high.map(toMicro) },
      points: counts.length <= 40,
      colour: k,
    };
    const single = Array.from({ length: Math.min(singles, devices) }, (_, device) => device);
    series[k === 0 ? "single devices" : ""] = {
      x: single.flatMap(() => [...x, x[x.length - 1]]),
      y: single.flatMap((device) => [...levels.map((each) => micro * each[device]), Number.NaN]),
      faint: true,
      points: false,
      colour: 6,
    };
    offset += counts[counts.length - 1];
  }
  if (afterReset) {
    const { low, high } = band90([afterReset]);
    series.reset = {
      x: [offset + Math.max(1, Math.round(offset / 40))],
      y: [micro * mean(afterReset)],
      band: { low: low.map(toMicro), high: high.map(toMicro) },
      bars: true,
      line: false,
      colour: 1,
    };
  }
  return linePlot({
    title: "Conductance after equal pulses",
    caption: `Mean of ${devices} devices without read noise, the band that holds 90 % of them, and single ones.`,
    series,
    xTitle: "pulses",
    yTitle: "conductance (uS)",
  });
}

const toMicro = (value: number) => micro * value;

/** Groups of steps, and the fewest steps of one. */
const bins = 30;
const enough = 4;

interface StepCurve {
  readonly level: readonly number[]; // rising
  readonly step: readonly number[];
}

/**
 * Mean steps at mean levels of groups of equal levels [record][device]. Steps are grouped by the level one record
 * earlier: grouped by their own, what a write leaves on the level by chance would be counted as a step back (errors
 * in variables; Durbin 1954, Rev. Int. Stat. Inst. 22:23).
 */
function stepCurve(levels: readonly Float64Array[], steps: readonly Float64Array[]): StepCurve {
  const first = mean(levels[0]);
  const earlier = (k: number, device: number) => (k === 0 ? first : levels[k - 1][device]);
  const sorted = Float64Array.from(levels.flatMap((each) => [...each])).sort();
  const [bottom, top] = [quantile(sorted, 0.005), quantile(sorted, 0.995)];
  const groups = Array.from({ length: bins }, () => ({ levels: [] as number[], steps: [] as number[] }));
  for (const [k, step] of steps.entries())
    for (let device = 0; device < step.length; device++) {
      const place = Math.floor((bins * (earlier(k, device) - bottom)) / (top - bottom || 1));
      const group = groups[Math.max(0, Math.min(bins - 1, place))];
      group.levels.push(levels[k][device]);
      group.steps.push(step[device]);
    }
  const points = groups
    .filter((group) => group.steps.length >= enough)
    .map((group) => ({ level: mean(group.levels), step: mean(group.steps) }))
    .sort((a, b) => a.level - b.level);
  return { level: points.map(({ level }) => level), step: points.map(({ step }) => step) };
}

/** Steps of a ramp, uS, pulse by pulse: at the mean conductance, the mean and the band that holds 90 % of them. */
function stepFigure(up: Ramp, down: Ramp | undefined): Figure {
  const series = [up, ...(down ? [down] : [])].map(({ pulse, levels, steps }): [string, Curve] => {
    const { low, high } = band90(steps);
    return [
      pulse,
      {
        x: steps.map((_, k) => micro * mean(levels[k])),
        y: steps.map((each) => micro * mean(each)),
        band: { low: low.map(toMicro), high: high.map(toMicro) },
        points: steps.length <= 40,
      },
    ];
  });
  return linePlot({
    title: "Step of a pulse against conductance",
    caption:
      "Pulse by pulse along the ramps: mean of all devices at their mean conductance, and the band that holds 90 % of them.",
    series: Object.fromEntries(series),
    xTitle: "conductance (uS)",
    yTitle: "step (uS)",
    levels: [{ at: 0, label: "" }],
  });
}

function rangeMetrics(up: Ramp, down: Ramp | undefined): Record<string, Metric | undefined> {
  const [low, high] = [up.levels[0], up.levels[up.levels.length - 1]];
  const devices = low.length;
  const difference = high.map((value, k) => value - low[k]);
  const typical = mean(difference);
  const responding = difference.reduce((count, value) => count + (value > 0.1 * typical ? 1 : 0), 0);
  return {
    pulses: up.counts[up.counts.length - 1],
    lowest: estimate(low.map(toMicro)),
    highest: estimate(high.map(toMicro)),
    range: estimate(difference.map(toMicro)),
    onOffRatio:
      mean(low) > 0
        ? grouped(devices, (from, to) => mean(high.subarray(from, to)) / mean(low.subarray(from, to)))
        : undefined,
    halfway: pulsesTo(up.counts, up.levels.map(mean), 0.5),
    responding: responding / devices,
    ...(down ? asymmetry(up, down) : {}),
  };
}

/**
 * Of groups of devices: |up - down| / (up + down) of the mean steps, averaged over the inner 90 % of a device's range,
 * and the conductance where both are equal. Levels are taken as parts of a device's own range, so that one that
 * has reached its bound is not compared with others that have not.
 */
function asymmetry(up: Ramp, down: Ramp): Record<string, Metric | undefined> {
  const [low, high] = [up.levels[0], up.levels[up.levels.length - 1]];
  const curve = ({ levels, steps }: Ramp, from: number, to: number) => {
    const parts = levels.map((each) =>
      each.subarray(from, to).map((value, k) => {
        const range = high[from + k] - low[from + k];
        return range > 0 ? (value - low[from + k]) / range : 0;
      }),
    );
    return stepCurve(
      parts,
      steps.map((each) => each.subarray(from, to)),
    );
  };
  const fractions = Array.from({ length: 36 }, (_, k) => 0.05 + (k + 0.5) / 40);
  const sizes = (from: number, to: number) => {
    const [rising, falling] = [curve(up, from, to), curve(down, from, to)];
    return fractions.map((at) => ({
      at,
      grow: Math.max(0, interpolated(rising.level, rising.step, at)),
      shrink: Math.max(0, -interpolated(falling.level, falling.step, at)),
    }));
  };
  const factor = (from: number, to: number) =>
    mean(
      sizes(from, to).map(({ grow, shrink }) => {
        const away = Math.abs(grow - shrink);
        return away > 1e-6 * (grow + shrink) ? away / (grow + shrink) : 0;
      }),
    );
  const symmetryPoint = (from: number, to: number) => {
    const places = sizes(from, to).map(({ at, grow, shrink }) => ({ at, more: grow - shrink }));
    const k = places.findIndex(({ more }, j) => j > 0 && places[j - 1].more > 0 && more <= 0);
    if (k < 0) return Number.NaN;
    const [before, after] = [places[k - 1], places[k]];
    const at = before.at + ((after.at - before.at) * before.more) / (before.more - after.more);
    const [bottom, top] = [mean(low.subarray(from, to)), mean(high.subarray(from, to))];
    return micro * (bottom + at * (top - bottom));
  };
  return { asymmetry: grouped(low.length, factor), symmetryPoint: grouped(low.length, symmetryPoint) };
}

/** Linear between points, x rising; the end values beyond. */
function interpolated(x: readonly number[], y: readonly number[], at: number): number {
  const k = x.findIndex((value) => value >= at);
  if (k <= 0) return y[k < 0 ? y.length - 1 : 0];
  return y[k - 1] + ((y[k] - y[k - 1]) * (at - x[k - 1])) / (x[k] - x[k - 1]);
}

/** Cycles of each device, and pulses that all of them may take together; where that is too few, both are fewer. */
const mostCycles = 8;
const fewestCycles = 3;
const fewestDevices = 100;
const pulsesAllowed = 4e6;

interface Repeats extends Record<string, Metric | undefined> {
  readonly stepUpCycleSd: Estimate | undefined;
}

/**
 * Brings devices up to half of the range again and again, each time by the same number of pulses, and gives one more up
 * and one down. The differences between the cycles of a device are cycle-to-cycle spread, what is left between
 * devices is device-to-device spread: variance components of [device][cycle].
 */
async function repeats(place: Station, up: Ramp): Promise<Repeats> {
  const { down, reset } = place;
  const count = Math.round(pulsesTo(up.counts, up.levels.map(mean), 0.5));
  const back = down ? down.counts[down.counts.length - 1] : 1;
  const affordable = pulsesAllowed / costOf(place.model) / (count + back + 2); // cycles of all devices
  const few = Math.min(fewestDevices, place.array.size);
  const cycles = Math.min(mostCycles, Math.max(fewestCycles, Math.floor(affordable / few)));
  const size = Math.min(place.array.size, Math.max(few, Math.floor(affordable / cycles)));
  const array = await place.few(size);
  const stored = snapshot(array);
  const levels: Float64Array[] = [];
  const ups: Float64Array[] = [];
  const downs: Float64Array[] = [];
  for (let cycle = 0; cycle < cycles; cycle++) {
    // pulses down may end short of where others began; once there, more of them leave only their own chance
    if (down) {
      restore(array, stored);
      give(array, down.pulse, back);
    } else if (reset) array.pulse(reset);
    else restore(array, stored);
    give(array, up.pulse, count);
    const level = quiet(array);
    array.pulse(up.pulse);
    const after = quiet(array);
    if (down) array.pulse(down.pulse);
    levels.push(level);
    ups.push(after.map((value, k) => value - level[k]));
    downs.push(quiet(array).map((value, k) => value - after[k]));
  }
  const typical = (steps: readonly Float64Array[]) => Math.abs(mean(steps.map(mean)));
  const range = mean(up.levels[up.levels.length - 1]) - mean(up.levels[0]);
  const stepUp = spreads(ups, typical(ups));
  const stepDown = down ? spreads(downs, typical(downs)) : undefined;
  const level = spreads(levels, range / 10);
  return {
    stepUp: stepUp.mean,
    stepUpCycleSd: stepUp.cycle,
    stepUpDeviceSd: stepUp.device,
    ...(stepDown
      ? { stepDown: stepDown.mean, stepDownCycleSd: stepDown.cycle, stepDownDeviceSd: stepDown.device }
      : {}),
    levelCycleSd: level.cycle,
    levelDeviceSd: level.device,
  };
}

/** What is less than this part of what it is compared with is rounding, or what is left of another start. */
const negligible = 1e-3;

/**
 * Mean and spreads, uS, of values [cycle][device], S; spreads negligible to `scale` are 0. Variances are averaged over
 * groups of devices, then rooted.
 */
function spreads(values: readonly Float64Array[], scale: number) {
  const devices = values[0].length;
  const rows = Array.from({ length: devices }, (_, k) =>
    Float64Array.from(values, (each) => micro * each[k]),
  );
  const sd = (part: keyof Components) => {
    const found = rooted(grouped(devices, (from, to) => components(rows.slice(from, to))[part]));
    const none = found && found.mean < negligible * micro * scale;
    return none ? { ...found, mean: 0, standardError: 0, interval95: [0, 0] as const } : found;
  };
  return {
    mean: grouped(devices, (from, to) => mean(rows.slice(from, to).map(mean))),
    cycle: sd("within"),
    device: sd("between"),
  };
}

/** The estimate of a standard deviation from that of its variance; below 0 is 0. */
function rooted(variance: Estimate | undefined): Estimate | undefined {
  if (variance === undefined) return undefined;
  const root = (value: number) => Math.sqrt(Math.max(0, value));
  const [low, high] = variance.interval95;
  const sd = root(variance.mean);
  // the error of a root, where the variance is above 0
  const standardError = sd > 0 ? variance.standardError / (2 * sd) : root(variance.standardError);
  return { mean: sd, standardError, interval95: [root(low), root(high)], n: variance.n };
}

/** How many steps the range holds that stand out of the spread of one. */
function resolution(up: Ramp, { stepUpCycleSd }: Repeats): Record<string, Metric | undefined> {
  if (!stepUpCycleSd || stepUpCycleSd.mean === 0) return {};
  const range = micro * (mean(up.levels[up.levels.length - 1]) - mean(up.levels[0]));
  return { distinguishable: range / stepUpCycleSd.mean };
}

const drawnLevels = 4;

/** Reads of devices that are meant to hold one of `count` levels, S: [level][device]. */
function levelReads({ array, program, bring }: Station, up: Ramp | undefined, count: number): Float64Array[] {
  const fractions = Array.from({ length: count }, (_, k) => k / (count - 1));
  if (program || !up)
    return fractions.map((fraction) => {
      bring(fraction);
      return array.read();
    });
  const means = up.levels.map(mean);
  const [low, high] = [means[0], means[means.length - 1]];
  return fractions.map((fraction) => {
    const wanted = low + fraction * (high - low);
    const away = means.map((level) => Math.abs(level - wanted));
    return up.reads[away.indexOf(Math.min(...away))];
  });
}

/** The levels of a device that is programmed or moved without a look at what came of it. */
export function levelFigure(place: Station, up?: Ramp): Figure {
  const reads = levelReads(place, up, drawnLevels);
  const sets = reads.map((each, k) => [`level ${k + 1}`, each.map(toMicro)] as const);
  return histogramPlot(Object.fromEntries(sets), {
    title: `${drawnLevels} levels, programmed without verifying`,
    caption: up
      ? "Reads after the number of pulses that brings the mean nearest to each of equally spaced levels."
      : "Reads right after programming equally spaced levels.",
    xTitle: "conductance (uS)",
    yTitle: "devices",
    bins: 60,
  });
}

/** The fraction of reads that are nearest to the mean of their own level, for several numbers of levels. */
export function levelMetrics(place: Station, up?: Ramp): Record<string, Metric> {
  const told = [2, 4, 8, 16].map((count) => {
    const reads = levelReads(place, up, count);
    const means = reads.map(mean);
    const devices = reads[0].length;
    const right = grouped(devices, (from, to) => {
      let hits = 0;
      for (const [level, each] of reads.entries())
        for (const value of each.subarray(from, to)) {
          const away = means.map((middle) => Math.abs(middle - value));
          if (away.indexOf(Math.min(...away)) === level) hits++;
        }
      return hits / (count * (to - from));
    });
    return { levels: count, toldApart: right };
  });
  return { levels: told };
}
