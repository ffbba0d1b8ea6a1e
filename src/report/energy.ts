/**
 * What a network of spikes and memory devices costs: operations, sparsities and memory in the words of NeuroBench, and the
 * energy of pulses and reads.
 *
 * Counts and sums only. Nothing is said of periphery: converters, wires, drivers and digital cells are not modelled.
 *
 * Source of the names and definitions: NeuroBench, Yik et al. 2025, Nat. Commun. 16, arXiv:2304.04640, complexity metrics
 * of the algorithm track.
 */

import type { DeviceUse } from "../device/counts.ts";
import type { Raster } from "../engine/raster.ts";
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { quantity, seconds, type Time } from "../math/units.ts";

/** Operations of the synapses of one run. A spike is 0 or 1, so there are no multiplications. */
export interface SynapticOperations {
  readonly effectiveMACs: number;
  /** Additions of a weight that is not zero, one for each spike that reaches a synapse. */
  readonly effectiveACs: number;
  /** What a machine would do that looks at every synapse at every tick. */
  readonly dense: number;
}

/**
 * Operations of the synapses that `input` reaches. `fanOut`: synapses of every input cell whose weight is not zero, or one
 * number for all; `synapses`: all of them, zero or not; ticks of `dt`.
 */
export function synapticOperations(
  input: Raster,
  options: { readonly fanOut: number | ArrayLike<number>; readonly synapses: number; readonly dt: Time },
): SynapticOperations {
  const { fanOut, synapses } = options;
  let effectiveACs = 0;
  for (const cell of input.i) effectiveACs += typeof fanOut === "number" ? fanOut : fanOut[cell];
  return { effectiveMACs: 0, effectiveACs, dense: synapses * tickCount(input, options.dt) };
}

/** The part of all cells and ticks without a spike, over several populations. */
export function activationSparsity(rasters: readonly Raster[], dt: Time): number {
  let places = 0;
  let spikes = 0;
  for (const each of rasters) {
    places += each.size * tickCount(each, dt);
    spikes += each.t.length;
  }
  return 1 - spikes / places;
}

/** The part of all weights that is zero. */
export function connectionSparsity(weights: ArrayLike<number>): number {
  let zeros = 0;
  for (let k = 0; k < weights.length; k++) if (weights[k] === 0) zeros++;
  return zeros / weights.length;
}

/** Energies, J: of each pulse and of reads, and their sum. */
export interface DeviceEnergy {
  readonly total: number;
  readonly of: Readonly<Record<string, number>>;
}

/**
 * Energy of what devices have been through (`simulation.deviceUse`). `costs` gives one pulse of each name, and one read
 * under `read`, as energies: `{ set: "6.75 pJ", read: "0.1 fJ" }`. Throws `ConfigError` where a pulse that was given has no cost.
 */
export function deviceEnergy(use: DeviceUse, costs: Readonly<Record<string, string>>): DeviceEnergy {
  const counts = Object.entries({ ...use.pulses, read: use.reads }).filter(([, count]) => count > 0);
  const of = counts.map(([name, count]): [string, number] => {
    if (!Object.hasOwn(costs, name))
      throw new ConfigError(`the energy of ${name} is not given${didYouMean(name, Object.keys(costs))}`);
    return [name, count * quantity(costs[name], "J")];
  });
  return { total: of.reduce((sum, [, energy]) => sum + energy, 0), of: Object.fromEntries(of) };
}

function tickCount({ duration }: Raster, dt: Time): number {
  return Math.round(duration / seconds(dt));
}
