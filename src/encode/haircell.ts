/**
 * The inner hair cell: from the motion of the basilar membrane to the drive of its nerve fibres.
 *
 * Half-wave rectification, compression by a power law, first-order low-pass (the loss of phase locking) and, if
 * asked for, short-term adaptation. Sources of the defaults:
 *
 *   exponent        0.3    growth of basilar membrane motion at the best frequency, 0.2 to 0.5 dB/dB
 *                          (Robles & Ruggero 2001, Physiol. Rev. 81:1305)
 *   cutoff          1 kHz  Dau, Pueschel & Kohlrausch 1996, J. Acoust. Soc. Am. 99:3615
 *   adaptationTime  60 ms  short-term component (Westerman & Smith 1984, Hear. Res. 15:249)
 */
import { ConfigError } from "../math/errors.ts";

import type { Time } from "../math/units.ts";
import { quantity, seconds } from "../math/units.ts";

export interface HairCellOptions {
  /** Power of the compression, above 0, at most 1; default 0.3. */
  exponent?: number;
  /** Corner of the low-pass; default "1 kHz". */
  cutoff?: string;
  /** Part of the drive that short-term adaptation takes away in the steady state, 0 to 1; default 0. */
  adaptation?: number;
  /** Time constant of the adaptation; default "60 ms". */
  adaptationTime?: Time;
}

/** Power of the compression where none is given. */
export const defaultExponent = 0.3;

/** Drive (>= 0, [sample]) of a hair cell whose membrane moves as `motion` ([sample], full scale 1): a copy. */
export function hairCell(
  motion: ArrayLike<number>,
  sampleRate: number,
  options: HairCellOptions = {},
): Float64Array {
  const { exponent = defaultExponent, adaptation = 0, adaptationTime = "60 ms" } = options;
  const cutoff = quantity(options.cutoff ?? "1 kHz", "Hz");
  if (!(exponent > 0 && exponent <= 1))
    throw new ConfigError(`the compression exponent lies in (0, 1], not ${exponent}`);
  if (!(adaptation >= 0 && adaptation <= 1))
    throw new ConfigError(`adaptation lies in [0, 1], not ${adaptation}`);
  const keepFast = Math.exp((-2 * Math.PI * cutoff) / sampleRate);
  const keepSlow = Math.exp(-1 / (seconds(adaptationTime) * sampleRate));
  const drive = new Float64Array(motion.length);
  let fast = 0;
  let slow = 0;
  for (let k = 0; k < motion.length; k++) {
    const rectified = motion[k] > 0 ? motion[k] ** exponent : 0;
    fast = keepFast * fast + (1 - keepFast) * rectified;
    slow = keepSlow * slow + (1 - keepSlow) * fast;
    drive[k] = Math.max(0, fast - adaptation * slow);
  }
  return drive;
}

/**
 * Mean drive by a tone of `level` (dB, 0 is amplitude 1) at the best frequency, without adaptation: the amplitude to
 * the power p, times the mean of max(0, sin)^p over a cycle.
 */
export function meanDrive(level: number, exponent: number = defaultExponent): number {
  // The mean M(p) of sin^p over half a cycle obeys M(p) = M(p + 2) (p + 2) / (p + 1). Ten steps up the integrand is so
  // smooth at its ends that 200 midpoints give it to rounding.
  const points = 200;
  const steps = 10;
  let mean = 0;
  for (let k = 0; k < points; k++)
    mean += Math.sin((Math.PI * (k + 0.5)) / points) ** (exponent + 2 * steps) / points;
  for (let s = steps - 1; s >= 0; s--) mean *= (exponent + 2 * s + 2) / (exponent + 2 * s + 1);
  return (10 ** ((level / 20) * exponent) * mean) / 2;
}
