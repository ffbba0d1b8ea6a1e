/** Crossbars under layers: what a network is told of its devices and of what stands around them. */
import type { WeightStorage } from "../device/storage.ts";
import { ConfigError } from "../math/errors.ts";
import { dimensionless, formatDimension, sameDimension, type Time } from "../math/units.ts";

/** Crossbars under the layers of a network, one for each matrix, and how they are written. */
export interface Hardware {
  /**
   * How devices make a dimensionless weight: a `differentialPair` of one device each. With `accumulate` weights learn as
   * mixed.ts says, without, every change is rounded to pulses by itself. Noise of reads is drawn anew in every product.
   */
  readonly weights: WeightStorage;
  /** Bits of the converters in front of a crossbar and behind it, 2 to 16. Without them numbers are not rounded. */
  readonly dacBits?: number;
  readonly adcBits?: number;
  /** Largest output of a crossbar, in weights times the largest input: forwards, backwards. Default [16, 4], our choice. */
  readonly adcRange?: readonly number[];
  /** Examples from one refresh to the next, where `weights` has a rule of refresh. Default 100. */
  readonly refreshEvery?: number;
  /** Most pulses by which a refresh writes a difference. Default 3. */
  readonly refreshPulses?: number;
  /** Time from one example to the next, in steps of 1,000 examples. Default "0 s": devices drift only in `wait`. */
  readonly exampleTime?: Time;
}

/** Steps of time in which devices follow `exampleTime`: with 1 ms an example a step is a fortieth of T0 of `pcm`. */
export const ageingEvery = 1000;

/** Throws `ConfigError`. */
export function checkHardware({
  weights,
  dacBits,
  adcBits,
  adcRange,
  refreshEvery,
  refreshPulses,
}: Hardware): void {
  const refuse = (reason: string): never => {
    throw new ConfigError(`hardware: ${reason}`);
  };
  if (weights.kind !== "differential pair" || weights.devices !== 1 || weights.opposite)
    refuse("weights are differential pairs of one device each, without opposite pulses");
  if (!sameDimension(weights.weightDimension, dimensionless))
    refuse(
      `weights have no dimension, these are ${formatDimension(weights.weightDimension)}; weightPerConductance is such as "0.125 1/uS"`,
    );
  if (weights.rounding === "stochastic") refuse("weights are rounded to nearest or accumulate");
  for (const [name, bits] of Object.entries({ dacBits, adcBits }))
    if (bits !== undefined && !(Number.isInteger(bits) && bits >= 2 && bits <= 16))
      refuse(`${name} is a whole number from 2 to 16, not ${bits}`);
  if (adcRange && !(adcRange.length === 2 && adcRange.every((range) => range > 0 && Number.isFinite(range))))
    refuse(`adcRange is two positive numbers, not [${adcRange.join(", ")}]`);
  for (const [name, count] of Object.entries({ refreshEvery, refreshPulses }))
    if (count !== undefined && !(Number.isInteger(count) && count >= 1))
      refuse(`${name} is a whole number from 1, not ${count}`);
}
