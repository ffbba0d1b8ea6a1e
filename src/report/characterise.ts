/**
 * What a device does, measured on many of them: pulses, steps, levels, drift, reads.
 *
 * Each measurement is done on the model as it would be done in a laboratory; only levels are read without noise. What
 * a device cannot do is left out, with the reason.
 */

import type { Model } from "../language/model.ts";
import { ConfigError } from "../math/errors.ts";
import { ageing } from "./ageing.ts";
import { endurance } from "./endurance.ts";
import { type Estimate, isEstimate } from "./estimate.ts";
import type { Metric } from "./experiment.ts";
import type { Figure } from "./figures.ts";
import { reading } from "./reading.ts";
import { type Part, type Station, station } from "./station.ts";
import { levelFigure, levelMetrics, switching } from "./switching.ts";
import { loop, window } from "./waveform.ts";

/** What was found; a part that does not apply to the device is in `omitted` with the reason. */
export interface Characterisation {
  readonly figures: Readonly<Record<string, Figure>>;
  readonly metrics: Readonly<Record<string, Metric | undefined>>;
  /** What each metric is, its unit in brackets at the end. */
  readonly meanings: Readonly<Record<string, string>>;
  readonly omitted: Readonly<Record<string, string>>;
}

const meanings: Readonly<Record<string, string>> = {
  pulses: "pulses of the ramp up: a quarter more than take it 95 % of its way",
  lowest: "conductance before the ramp up (uS)",
  highest: "conductance after it (uS)",
  range: "what the ramp adds (uS)",
  onOffRatio: "highest over lowest mean conductance",
  halfway: "pulses to half of the range",
  responding: "fraction of devices that move by more than a tenth of the range",
  asymmetry:
    "|up - down| / (up + down) of the mean steps, averaged over the inner 90 % of the range: 0 when equal, 1 when one-way",
  symmetryPoint: "conductance where up and down steps are equal (uS)",
  stepUp: "step of one pulse up at half of the range (uS)",
  stepUpCycleSd: "its spread from cycle to cycle, standard deviation (uS)",
  stepUpDeviceSd: "its spread from device to device (uS)",
  stepDown: "step of one pulse down from there (uS)",
  stepDownCycleSd: "its spread from cycle to cycle (uS)",
  stepDownDeviceSd: "its spread from device to device (uS)",
  levelCycleSd: "spread of the level after the pulses to half of the range, from cycle to cycle (uS)",
  levelDeviceSd: "and from device to device (uS)",
  distinguishable: "range over the cycle-to-cycle spread of a step",
  levels:
    "fraction of reads nearest to the mean of their own level, of equally spaced ones programmed without verifying",
  driftExponent: "nu of G ~ t^-nu from 3 hours to a year, over devices and levels",
  driftExponentSd: "its standard deviation over devices and levels",
  keptAfterYear: "conductance after a year over that after 1 s",
  driftByLevel: "drift exponent by conductance after 1 s (uS)",
  readNoise: "standard deviation of a read at half of the range, of the conductance (%)",
  readNoiseSlope: "slope of the line of least squares: standard deviation of a read against conductance",
  readNoiseOffset: "its offset (uS)",
  endurance: "pulses after which half of the devices that moved no longer do",
  loopPeriod: "period of the sine whose loop is drawn (s)",
  loopOpening: "area of its lobes, of the rectangle around them",
  pairUp: "change by a post spike one pulse length after a pre spike, at half of the range (uS)",
  pairDown: "change by a pre spike one pulse length after a post spike (uS)",
  readSpectrumSlope: "slope of log density against log frequency: 0 for white noise, -1 for 1/f",
};

/**
 * Characterises a device on `devices` of them, default 1,000. Equal seeds give equal results. `quick`: fewer pulses and
 * reads. Throws `ConfigError` for fewer than 10 devices.
 */
export async function characterise(
  model: Model<"device">,
  options: {
    readonly seed: string | number;
    readonly devices?: number;
    readonly quick?: boolean;
    readonly progress?: (fraction: number, message: string) => void;
  },
): Promise<Characterisation> {
  const { seed, devices = 1000, quick = false, progress = () => {} } = options;
  if (!(Number.isInteger(devices) && devices >= 10))
    throw new ConfigError(`a device is characterised on 10 devices or more, not ${devices}`);
  progress(0, "pulses");
  const place = await station(model, { seed, devices, quick });
  const measurements: [string, (place: Station) => Part | Promise<Part>][] = [
    ["steps", switching],
    ["levels", programmed],
    ["drift", ageing],
    ["reads", reading],
    ["endurance", endurance],
    ["current", loop],
    ["spike pairs", window],
  ];
  const parts: Part[] = [];
  for (const [k, [name, measure]] of measurements.entries()) {
    progress((k + 1) / (measurements.length + 1), name);
    parts.push(await measure(place));
  }
  progress(1, "done");
  const found = Object.assign({}, ...parts.map((part) => part.metrics)) as Characterisation["metrics"];
  const metrics = Object.fromEntries(
    Object.entries(found).map(([name, value]) => [name, isEstimate(value) ? withoutRounding(value) : value]),
  );
  return {
    figures: Object.assign({}, ...parts.map((part) => part.figures)),
    metrics,
    meanings: Object.fromEntries(Object.entries(meanings).filter(([name]) => metrics[name] !== undefined)),
    omitted: Object.assign({}, ...parts.map((part) => part.omitted ?? {})),
  };
}

/** An estimate whose error is the rounding of equal values, as one of equal values. */
function withoutRounding(value: Estimate): Estimate {
  if (!(value.standardError < 1e-9 * Math.abs(value.mean))) return value;
  return { ...value, standardError: 0, interval95: [value.mean, value.mean] };
}

/** Levels of devices that are programmed to a conductance. */
function programmed(place: Station): Part {
  if (!place.program || place.up) return { figures: {}, metrics: {} };
  return { figures: { levels: levelFigure(place) }, metrics: levelMetrics(place) };
}
