/**
 * What voltages over time do to a device: its current under a sine, and what pairs of spikes leave.
 *
 * Voltages and times are taken from the model's own pulse, its arguments that are a voltage and a time.
 */

import type { DeviceArray } from "../engine/array.ts";
import { NumericError } from "../math/errors.ts";
import { mean } from "../math/statistics.ts";
import { type Dimension, sameDimension, unitDimension } from "../math/units.ts";
import { type Curve, linePlot } from "./figures.ts";
import { band90, micro, type Part, quiet, restore, type Station, snapshot } from "./station.ts";
import { numberText } from "./ticks.ts";

/** Samples of a period of the sine. */
const samples = 400;
/** Devices whose current is drawn. */
const drawn = 5;

/** Current against voltage under a sine; omitted where the model does not say its current. */
export async function loop(place: Station): Promise<Part> {
  const omitted = (why: string): Part => ({ figures: {}, metrics: {}, omitted: { loop: why } });
  if (!place.model.checked.current) return omitted("the model does not say its current");
  const { amplitude = 1 } = pulseShape(place);
  const array = await place.few(Math.min(drawn, place.array.size));
  const start = snapshot(array);
  const wave = Float64Array.from(
    { length: 2 * samples },
    (_, k) => amplitude * Math.sin((2 * Math.PI * (k + 1)) / samples),
  );
  const tried = sweepPeriods.flatMap((period) => {
    restore(array, start);
    const current = driven(array, wave, period / samples);
    return current ? [{ period, current, opening: opening(wave, current, array.size) }] : [];
  });
  const widest = Math.max(0, ...tried.map((each) => each.opening));
  if (widest < 1e-6) return omitted(`a sine of ${amplitude} V opens no loop at any frequency`);
  // of about equally wide loops the fastest, whose samples are the shortest
  const chosen = tried.find((each) => each.opening > 0.8 * widest) as (typeof tried)[number];
  const second = Array.from({ length: samples + 1 }, (_, k) => samples - 1 + k);
  const [unit, scale] = currentUnit(chosen.current);
  const trace = (device: number) => second.map((k) => scale * chosen.current[k * array.size + device]);
  const voltage = second.map((k) => wave[k]);
  const rest = Array.from({ length: Math.min(drawn, array.size) - 1 }, (_, k) => k + 1);
  const series: Record<string, Curve> = {
    "one device": { x: voltage, y: trace(0), points: false },
    others: {
      x: rest.flatMap(() => [...voltage, 0]),
      y: rest.flatMap((device) => [...trace(device), Number.NaN]),
      points: false,
      faint: true,
      colour: 6,
    },
  };
  return {
    figures: {
      loop: linePlot({
        title: "Current under a sine",
        caption: `Second period of ${quantityText(chosen.period, "s")} and ${amplitude} V, the fastest of about the widest loops.`,
        series,
        xTitle: "voltage (V)",
        yTitle: `current (${unit})`,
      }),
    },
    metrics: { loopPeriod: chosen.period, loopOpening: chosen.opening },
  };
}

/** Periods that are tried, s: half decades from a nanosecond to a thousand seconds, the fastest first. */
const sweepPeriods = Array.from({ length: 25 }, (_, k) => 10 ** (-9 + k / 2));

/** Currents under a waveform, A: [sample][device]; none where they are not numbers. */
function driven(array: DeviceArray, wave: Float64Array, dt: number): Float64Array | undefined {
  try {
    const current = array.drive(wave, `${dt} s`);
    return current.every(Number.isFinite) ? current : undefined;
  } catch (error) {
    if (error instanceof NumericError) return undefined;
    throw error;
  }
}

/** Area of both lobes of the first device's last period, of the rectangle of the largest voltage and current. */
function opening(wave: Float64Array, current: Float64Array, size: number): number {
  let largest = 0;
  const lobes = [0, 0];
  for (let k = samples; k < 2 * samples; k++) {
    largest = Math.max(largest, Math.abs(current[k * size]));
    lobes[k < 1.5 * samples ? 0 : 1] +=
      0.5 * (current[k * size] + current[(k - 1) * size]) * (wave[k] - wave[k - 1]);
  }
  const voltage = Math.max(...wave.subarray(0, samples));
  return largest > 0 ? (Math.abs(lobes[0]) + Math.abs(lobes[1])) / (2 * largest * voltage) : 0;
}

function currentUnit(current: Float64Array): [unit: string, perAmpere: number] {
  const largest = current.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const [unit, scale] of [
    ["A", 1],
    ["mA", 1e3],
    ["uA", 1e6],
    ["nA", 1e9],
  ] as const)
    if (scale * largest >= 1) return [unit, scale];
  return ["pA", 1e12];
}

/** "3.16 ms" */
function quantityText(value: number, unit: string): string {
  const power = Math.max(-4, Math.min(0, Math.floor(Math.log10(value) / 3 + 1e-9)));
  const prefix = ["p", "n", "u", "m", ""][power + 4];
  return `${(value / 10 ** (3 * power)).toPrecision(3)} ${prefix}${unit}`;
}

/** Voltage and length of a pulse by default, V and s: arguments of the model, the first with its name. */
function pulseShape({ model }: Station): { voltage?: string; amplitude?: number; width?: number } {
  const { checked } = model;
  const argument = (dimension: Dimension) =>
    checked.parameters.find(
      (each) =>
        checked.arguments.includes(each.name) && each.value !== 0 && sameDimension(each.dimension, dimension),
    );
  const voltage = argument(unitDimension("V").dimension);
  const width = argument(unitDimension("s").dimension);
  return {
    ...(voltage ? { voltage: voltage.name, amplitude: Math.abs(voltage.value) } : {}),
    ...(width ? { width: Math.abs(width.value) } : {}),
  };
}

/** Parts of a pulse's voltage and length that make a spike: 0.25 V of 0.45 V, and an undershoot of 15 ms for 1 ms. */
const height = 0.25 / 0.45;
const undershoot = 15;
/** Intervals of a pair, post minus pre, in lengths of a pulse. */
const distances = { full: [0.5, 1, 1.5, 2, 3, 4.5, 6.5, 9, 13, 18, 25, 35, 50], quick: [1, 4, 15] };
const states = [0.2, 0.5, 0.8];
const watched = 16;
/** Samples of a spike's positive part. */
const perWidth = 20;

/**
 * What a pair of spikes changes, against the interval between them, at three states. A spike is a short pulse and an
 * undershoot that decays; each cell adds its own across the device, so that only where two overlap a threshold is
 * crossed. Omitted where a model has no differential equations, or no threshold.
 */
export async function window(place: Station): Promise<Part> {
  const omitted = (why: string): Part => ({ figures: {}, metrics: {}, omitted: { window: why } });
  const { voltage, amplitude, width } = pulseShape(place);
  const { up, quick } = place;
  const after = quick ? distances.quick : distances.full;
  const intervals = [...after.map((each) => -each).reverse(), ...after];
  if (place.model.checked.derivatives.length === 0)
    return omitted("the model has no differential equations that a waveform could drive");
  if (!place.model.checked.current) return omitted("the model does not say its current");
  if (voltage === undefined || amplitude === undefined || width === undefined || !up)
    return omitted("no pulse tells the voltage and the length of a spike");
  const array = await place.few(Math.min(watched, place.array.size));
  const dt = width / perWidth;
  const spike = (t: number) => {
    if (t < 0) return 0;
    const peak = height * amplitude;
    return t < width ? peak : -peak * Math.exp(-(t - width) / (undershoot * width));
  };
  const shape = (from: readonly (readonly [at: number, sign: number])[]) => {
    const end = Math.max(...from.map(([at]) => at)) + (1 + 4 * undershoot) * width;
    return Float64Array.from({ length: Math.ceil(end / dt) }, (_, k) =>
      from.reduce((sum, [at, sign]) => sum + sign * spike((k + 0.5) * dt - at), 0),
    );
  };
  const pair = (interval: number, sign: number) =>
    shape([
      [Math.max(0, interval), sign],
      [Math.max(0, -interval), -sign],
    ]);
  let polarity = 1; // of the postsynaptic spike
  const curves: { level: number; changes: Float64Array[] }[] = [];
  for (const state of states) {
    place.bring(state);
    const stored = snapshot(place.array);
    restore(array, stored);
    const before = quiet(array);
    const change = (wave: Float64Array): Float64Array | undefined => {
      restore(array, stored);
      if (!driven(array, wave, dt)) return undefined;
      array.pulse(up.pulse, undefined, { [voltage]: 0 }); // puts back what a step has carried beyond its end
      return quiet(array).map((value, k) => value - before[k]);
    };
    if (curves.length === 0) {
      const [one, other] = [1, -1].map((sign) => change(pair(width, sign)));
      if (!one || !other) return omitted("its equations need shorter steps than a twentieth of a pulse");
      if (mean(one) < mean(other)) polarity = -1;
      const alone = [1, -1].map((sign) => change(shape([[0, sign]])) ?? [0]);
      const largest = (values: ArrayLike<number>) => Math.max(...Array.from(values, Math.abs));
      const together = Math.max(largest(one), largest(other));
      if (together < 1e-6 * mean(up.levels[up.levels.length - 1]))
        return omitted(`pairs of spikes of ${quantityText(height * amplitude, "V")} move nothing`);
      if (Math.max(...alone.map(largest)) > 0.2 * together)
        return omitted(
          `a spike of ${quantityText(height * amplitude, "V")} alone moves it: there is no threshold that only pairs cross`,
        );
    }
    const changes = intervals.map((interval) => change(pair(interval * width, polarity)));
    if (changes.includes(undefined))
      return omitted("its equations need shorter steps than a twentieth of a pulse");
    curves.push({ level: mean(before), changes: changes as Float64Array[] });
  }
  const [scale, unit] = width < 1e-6 ? [1e9, "ns"] : width < 1e-3 ? [1e6, "us"] : [1e3, "ms"];
  const series = curves.map(({ level, changes }): [string, Curve] => {
    const { low, high } = band90(changes);
    return [
      `from ${numberText(micro * level, 3)} uS`,
      {
        x: gapped(intervals, 0).map((interval) => interval * width * scale),
        y: gapped(changes.map((each) => micro * mean(each))),
        band: {
          low: gapped(Array.from(low, (v) => micro * v)),
          high: gapped(Array.from(high, (v) => micro * v)),
        },
      },
    ];
  });
  const half = curves[states.indexOf(0.5)].changes;
  return {
    figures: {
      window: linePlot({
        title: "Change by a pair of spikes",
        caption: `Spikes of ${quantityText(height * amplitude, "V")} and ${quantityText(width, "s")} with an undershoot that decays in ${quantityText(undershoot * width, "s")}; mean of ${array.size} devices and the band that holds 90 % of them.`,
        series: Object.fromEntries(series),
        xTitle: `post minus pre (${unit})`,
        yTitle: "change (uS)",
        levels: [{ at: 0, label: "" }],
      }),
    },
    metrics: {
      pairUp: micro * mean(half[intervals.indexOf(1)]),
      pairDown: micro * mean(half[intervals.indexOf(-1)]),
    },
  };
}

/** Values with a gap between those before and those after zero. */
function gapped(values: readonly number[], between = Number.NaN): number[] {
  return [...values.slice(0, values.length / 2), between, ...values.slice(values.length / 2)];
}
