/**
 * memspike's public API: re-exports, nothing else.
 */

export { type AwareOptions, onTiles, type TilesUnder } from "./analog/aware.ts";
export {
  type Chip,
  type ChipLook,
  type LookedMatrix,
  type LookedPart,
  type LookOptions,
  type MatrixValues,
  type ProgramOptions,
  program,
} from "./analog/chip.ts";
export { type ArrayWork, type Cost, type CostOptions, costOf, networkCost, workOf } from "./analog/cost.ts";
export type { Crossbar } from "./analog/crossbar.ts";
export { type DeviceMatrix, type DeviceOptions, deviceMatrices, devicesOf } from "./analog/devices.ts";
export type { NoiseShape } from "./analog/disturbance.ts";
export type { Hardware } from "./analog/hardware.ts";
export { type InSituMatrix, type InSituOptions, inSituMatrices, inSituOf } from "./analog/insitu.ts";
export { type ArraySize, type MappedMatrix, type Mapping, mapNetwork, type Piece } from "./analog/mapping.ts";
export {
  classify,
  type OnlineNetwork,
  type OnlineOptions,
  type OnlinePass,
  onlineNetwork,
  trainOnline,
} from "./analog/online.ts";
export { layersShape } from "./analog/outline.ts";
export type { CrossbarUse } from "./analog/pairs.ts";
export { type PlacedPiece, type Placement, placeNetwork } from "./analog/placement.ts";
export { type TileProducts, type TileProductsOptions, tileProducts } from "./analog/products.ts";
export type { Rule } from "./analog/rules.ts";
export { type MatrixShape, type NetworkShape, networkShape } from "./analog/shapes.ts";
export { type Tile, type TileOptions, tile } from "./analog/tile.ts";
export {
  type Augmentation,
  augment,
  backgroundNoise,
  crop,
  cutout,
  flip,
  gaussianNoise,
  normalise,
  spectrogramMask,
  timeShift,
} from "./deep/augment.ts";
export { type BatchedExamples, type BatchOptions, batches, type LabelledBatch } from "./deep/batches.ts";
export { type Examples, type PassOptions, shuffled } from "./deep/examples.ts";
export {
  attention,
  averagePool,
  batchNorm,
  concatenation,
  conv2d,
  dense,
  depthwise,
  dropout,
  embedding,
  flatten,
  gelu,
  globalAveragePool,
  gru,
  type Layer,
  layerNorm,
  lstm,
  maxPool,
  positions,
  relu,
  repeat,
  residual,
  sigmoid,
  spiking,
  tanh,
} from "./deep/layers.ts";
export type { LossKind } from "./deep/loss.ts";
export type { Matrices } from "./deep/matrix.ts";
export {
  adam,
  adamw,
  cosine,
  type LearningRate,
  type OptimizerOptions,
  sgd,
  stepsDown,
} from "./deep/optimizer.ts";
export { decodeSafetensors, encodeSafetensors } from "./deep/safetensors.ts";
export { type Sequential, type SequentialOptions, type State, sequential } from "./deep/sequential.ts";
export {
  type Batch,
  type EpochResult,
  type Evaluation,
  evaluate,
  predict,
  type TrainOptions,
  train,
} from "./deep/train.ts";
export { type DeviceFile, deviceFile, type Fitted, readDevice } from "./device/file.ts";
export { differentialPair } from "./device/pair.ts";
export { sampledDevice } from "./device/posterior.ts";
export { referenceDevice } from "./device/reference.ts";
export { type Audio, mono } from "./encode/audio.ts";
export { type CochleaOptions, cochlea } from "./encode/cochlea.ts";
export { decodeAudio } from "./encode/decode.ts";
export { jitter } from "./encode/jitter.ts";
export { latencyCode } from "./encode/latency.ts";
export { type Mfcc, type MfccOptions, mfcc } from "./encode/mfcc.ts";
export { type Pattern, type SoundPatternOptions, soundPattern } from "./encode/pattern.ts";
export { poissonTrains, rateCode, regularTrains } from "./encode/rate.ts";
export { resample } from "./encode/resample.ts";
export { type Image, imageTarget } from "./encode/target.ts";
export { type DeviceArray, fabricate } from "./engine/array.ts";
export {
  allToAll,
  fixedIndegree,
  fixedOutdegree,
  oneToOne,
  pairs,
  pairsFromTable,
  pairwiseBernoulli,
} from "./engine/connect.ts";
export type {
  Cells,
  Network,
  Part,
  Population,
  Projection,
  Slice,
  Source,
  SpikeTimes,
} from "./engine/network.ts";
export { every, neurons, poisson, spikeSource, synapses } from "./engine/network.ts";
export { type Raster, raster, timesOf } from "./engine/raster.ts";
export type { Recorded, Recorder } from "./engine/record.ts";
export { spikes, type Trace, trace } from "./engine/record.ts";
export type { CompileOptions, SimulateOptions } from "./engine/simulate.ts";
export { compile, simulate } from "./engine/simulate.ts";
export type { RunOptions, Simulation } from "./engine/simulation.ts";
export { type ImportedNetwork, importOnnx } from "./exchange/imported.ts";
export { type OnnxGraph, type OnnxOptions, readOnnx } from "./exchange/onnx.ts";
export { onnxShape } from "./exchange/traced.ts";
export { type Check, type CheckOptions, predictiveCheck } from "./fit/check.ts";
export { type Candidate, compare, type Ranked } from "./fit/compare.ts";
export { type Fit, type FitOptions, type FittedParameter, fit } from "./fit/fit.ts";
export { type Posterior, type PosteriorOptions, posterior } from "./fit/posterior.ts";
export { type ReplicateOptions, replicate } from "./fit/replicate.ts";
export type { Model } from "./language/model.ts";
export { device, ModelError, neuron, synapse } from "./language/model.ts";
export { ConfigError, DataError, NumericError } from "./math/errors.ts";
export { quantity, seconds, type Time } from "./math/units.ts";
export type { Measurement, Sequence } from "./measured/measurement.ts";
export { measurementOf, type TableOptions } from "./measured/table.ts";
export { type Characterisation, characterise } from "./report/characterise.ts";
export { cornerPlot } from "./report/corner.ts";
export { correlogram, countCorrelations, psth } from "./report/correlations.ts";
export { vanRossumDistance, victorPurpuraDistance } from "./report/distances.ts";
export {
  activationSparsity,
  connectionSparsity,
  type DeviceEnergy,
  deviceEnergy,
  type SynapticOperations,
  synapticOperations,
} from "./report/energy.ts";
export { type Estimate, estimate } from "./report/estimate.ts";
export {
  type Context,
  type Experiment,
  experiment,
  type Metric,
  type Result,
  runExperiment,
} from "./report/experiment.ts";
export {
  barPlot,
  type Figure,
  histogramPlot,
  imagePlot,
  linePlot,
  panelPlot,
  rasterPlot,
  scatterPlot,
} from "./report/figures.ts";
export { type FitReport, type FitReportOptions, fitReport } from "./report/fitted.ts";
export { frechetDistance } from "./report/frechet.ts";
export { isiHistogram, localVariation } from "./report/intervals.ts";
export { coincidence, fano, isiCv, meanRate, rates } from "./report/measures.ts";
export type { Paper } from "./report/paper.ts";
export { placementPlot } from "./report/placement.ts";
export { type ConductanceRange, conductanceRange } from "./report/range.ts";
export { confusionMatrix, proportion, type SpikeClassifier, spikeClassifier } from "./report/readout.ts";
export { isiDistance, spikeDistance, spikeSynchronization } from "./report/synchrony.ts";
