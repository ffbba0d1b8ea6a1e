/** What a device has to offer to a weight: the range of its conductance, and the step of a pulse in the middle of it. */

import type { Model } from "../language/model.ts";
import { ConfigError } from "../math/errors.ts";
import { mean } from "../math/statistics.ts";
import { station } from "./station.ts";

/** Conductances of the mean device, S. */
export interface ConductanceRange {
  readonly low: number;
  readonly high: number;
  /** What a pulse adds on average between a quarter and three quarters of the range. */
  readonly step: number;
}

/** Devices measured; the step of their mean is then known to about 1 % where one pulse varies by as much as it adds. */
const devices = 512;

/**
 * The range between the lowest state (after `down` pulses, else a `reset`, else as fabricated) and where raising pulses
 * (`up`, else `set`) no longer help, and the mean step in its middle half: measured on 512 devices without read noise.
 * Throws `ConfigError` when no pulse raises the conductance.
 */
export async function conductanceRange(
  model: Model<"device">,
  options: { readonly seed: string | number },
): Promise<ConductanceRange> {
  const { up } = await station(model, { seed: options.seed, devices, quick: true });
  if (!up)
    throw new ConfigError(
      `${model.checked.name} has no pulse that raises its conductance, so no range to store a weight in`,
    );
  const means = up.levels.map(mean);
  const [low, high] = [means[0], means[means.length - 1]];
  /** Pulses, with a fraction, until a part of the range. */
  const pulsesUntil = (part: number): number => {
    const level = low + part * (high - low);
    const k = means.findIndex((each) => each >= level);
    const within = (level - means[k - 1]) / (means[k] - means[k - 1]);
    return up.counts[k - 1] + within * (up.counts[k] - up.counts[k - 1]);
  };
  return { low, high, step: (high - low) / 2 / (pulsesUntil(0.75) - pulsesUntil(0.25)) };
}
