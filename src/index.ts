/**
 * memspike's public API: re-exports, nothing else.
 */
export { differentialPair } from "./device/pair.ts";
export {
  allToAll,
  fixedIndegree,
  fixedOutdegree,
  oneToOne,
  pairs,
  pairsFromTable,
  pairwiseBernoulli,
} from "./engine/connect.ts";
export { every, neurons, poisson, spikeSource, synapses } from "./engine/network.ts";
export { type Raster, raster } from "./engine/raster.ts";
export { spikes, type Trace, trace } from "./engine/record.ts";
export { compile, simulate } from "./engine/simulate.ts";
export { device, ModelError, neuron, synapse } from "./language/model.ts";
export { ConfigError, DataError, NumericError } from "./math/errors.ts";
export type { Cells, Network, Part, Population, Projection, Slice, Source, SpikeTimes } from "./engine/network.ts";
export type { Recorded, Recorder } from "./engine/record.ts";
export type { CompileOptions, SimulateOptions } from "./engine/simulate.ts";
export type { RunOptions, Simulation } from "./engine/simulation.ts";
export type { Model } from "./language/model.ts";
export type { Time } from "./math/units.ts";
