/** The public API is this list: a name more or less needs its reason in CHANGELOG.md. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as memspike from "../src/index.ts";

const values = [
  ...["device", "neuron", "synapse", "ModelError"], // models
  ...["every", "neurons", "poisson", "spikeSource", "synapses"], // networks
  ...[
    "allToAll",
    "fixedIndegree",
    "fixedOutdegree",
    "oneToOne",
    "pairs",
    "pairsFromTable",
    "pairwiseBernoulli",
  ],
  ...["characterise", "conductanceRange", "differentialPair", "fabricate", "referenceDevice"], // devices
  ...["deviceFile", "readDevice", "sampledDevice"], // device files
  ...["compare", "fit", "fitReport", "measurementOf", "posterior", "predictiveCheck", "replicate"], // fitting
  ...["compile", "simulate", "spikes", "trace"], // runs
  ...["classify", "onlineNetwork", "shuffled", "trainOnline"], // learning from one example at a time
  ...["attention", "averagePool", "batchNorm", "concatenation", "conv2d", "dense", "depthwise"], // layers
  ...["dropout", "embedding", "flatten", "gelu", "globalAveragePool", "gru", "layerNorm", "lstm", "maxPool"],
  ...["positions", "relu", "repeat", "residual", "sigmoid", "spiking", "tanh"],
  ...["adam", "adamw", "cosine", "evaluate", "predict", "sequential", "sgd", "stepsDown", "train"], // learning
  ...["inSituMatrices", "inSituOf"], // layers that learn in place
  ...["deviceMatrices", "devicesOf"], // layers on pairs of devices
  ...["onTiles", "program", "tile", "tileProducts"], // tiles and chips
  ...["decodeSafetensors", "encodeSafetensors"], // weights in files
  ...["costOf", "mapNetwork", "networkCost", "networkShape", "placeNetwork", "workOf"], // networks on tiles
  ...["importOnnx", "layersShape", "onnxShape", "readOnnx"], // networks from files, and their shapes
  ...["augment", "batches", "crop", "cutout", "flip", "normalise"], // examples to learn from
  ...["backgroundNoise", "gaussianNoise", "spectrogramMask", "timeShift"],
  ...["raster", "timesOf"], // spike trains
  ...["cochlea", "decodeAudio", "mfcc", "mono", "resample", "soundPattern"], // sound
  ...["imageTarget", "jitter", "latencyCode", "poissonTrains", "rateCode", "regularTrains"], // codes
  ...["coincidence", "estimate", "fano", "isiCv", "isiHistogram", "localVariation", "meanRate", "rates"], // measures
  ...["correlogram", "countCorrelations", "psth"], // correlations
  ...["isiDistance", "spikeDistance", "spikeSynchronization"], // distances of spike trains
  ...["frechetDistance", "vanRossumDistance", "victorPurpuraDistance"],
  ...["confusionMatrix", "proportion", "spikeClassifier"], // classes
  ...["activationSparsity", "connectionSparsity", "deviceEnergy", "synapticOperations"], // costs
  ...["barPlot", "cornerPlot", "histogramPlot", "imagePlot", "linePlot", "placementPlot"], // figures
  ...["panelPlot", "rasterPlot", "scatterPlot"],
  ...["experiment", "runExperiment"], // experiments
  ...["quantity", "seconds"], // quantities
  ...["ConfigError", "DataError", "NumericError"], // errors
];

const types = [
  ...["Batch", "EpochResult", "Evaluation", "LearningRate", "LossKind", "OptimizerOptions", "State"],
  ...["OnlineNetwork", "OnlineOptions", "OnlinePass"],
  ...["AwareOptions", "NoiseShape", "TilesUnder"],
  ...["Audio", "CochleaOptions", "Image", "Pattern", "SoundPatternOptions"],
  ...["Cells", "Network", "Part", "Population", "Projection", "Slice", "Source", "SpikeTimes"],
  ...["CompileOptions", "Recorded", "Recorder", "RunOptions", "SimulateOptions", "Simulation", "Trace"],
  ...["Context", "Estimate", "Experiment", "Figure", "Metric", "Paper", "Result"],
  ...[
    "Characterisation",
    "ConductanceRange",
    "DeviceArray",
    "DeviceEnergy",
    "DeviceFile",
    "Fitted",
    "Model",
    "Raster",
    "SpikeClassifier",
    "SynapticOperations",
    "Time",
  ],
  ...["Augmentation", "BatchedExamples", "BatchOptions", "LabelledBatch", "Mfcc", "MfccOptions"],
  ...["Measurement", "Sequence", "TableOptions"],
  ...["DeviceMatrix", "DeviceOptions", "Matrices"],
  ...["Crossbar", "CrossbarUse", "Examples", "Hardware", "Layer"],
  ...["InSituMatrix", "InSituOptions", "Rule"],
  ...["PassOptions", "Sequential", "SequentialOptions", "TrainOptions"],
  ...[
    "ArraySize",
    "ArrayWork",
    "Cost",
    "CostOptions",
    "MappedMatrix",
    "Mapping",
    "MatrixShape",
    "NetworkShape",
  ],
  ...["Chip", "ChipLook", "LookedMatrix", "LookedPart", "LookOptions", "MatrixValues", "ProgramOptions"],
  ...["Tile", "TileOptions", "TileProducts", "TileProductsOptions"],
  ...["Piece", "PlacedPiece", "Placement", "ImportedNetwork", "OnnxGraph", "OnnxOptions"],
  ...["Candidate", "Check", "CheckOptions", "Fit", "FitOptions", "FittedParameter", "Ranked"],
  ...["FitReport", "FitReportOptions", "Posterior", "PosteriorOptions", "ReplicateOptions"],
];

const text = readFileSync(new URL("../src/index.ts", import.meta.url), "utf8").replace(
  /\/\*[\s\S]*?\*\//g,
  "",
);

test("memspike exports these values and no others", () => {
  expect(Object.keys(memspike).sort()).toEqual([...values].sort());
});

test("memspike exports these types and no others; the index does nothing but re-export", () => {
  const statements = text.split(";").map((statement) => statement.trim());
  const exported = statements.filter(Boolean).flatMap((statement) => {
    const [, type, names] = /^export (type )?\{([^}]*)\} from "[^"]+"$/.exec(statement) ?? [];
    expect(names, `${statement} re-exports by name`).toBeDefined();
    const list = names.split(",").map((name) => name.trim());
    return list.filter(Boolean).map((name) => (type ? `type ${name}` : name));
  });
  const found = exported.filter((name) => name.startsWith("type ")).map((name) => name.slice(5));
  expect(found.sort()).toEqual([...types].sort());
});

test("the changelog names every one of them", () => {
  const changelog = readFileSync(new URL("../CHANGELOG.md", import.meta.url), "utf8");
  const named = new Set([...changelog.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect([...values, ...types].filter((name) => !named.has(name))).toEqual([]);
});
