/**
 * Spoken letters to spike trains that draw their images: NormAD on synapses made of phase-change memory.
 *
 * One layer: the streams of a cochlea project to one output cell per pixel. Each epoch shows the whole pattern once;
 * its error is applied at the end, in floating point or as pulses to differential pairs of devices. Afterwards the
 * devices drift, and are read with and without one scaling factor for the whole array. pcm-letters-study.ts asks more
 * of the same network.
 */
import { loadDevice } from "../datasets/devices.ts";
import { type SpokenPatternOptions, spokenLetterPattern } from "../datasets/spoken-pattern.ts";
import { type SyntheticPattern, syntheticPattern } from "../datasets/synthetic-pattern.ts";
import { library } from "../models/library.ts";
import { lif } from "../models/lif.ts";
import { coolingNormad, normad } from "../models/normad.ts";
import { pcm } from "../models/pcm.ts";
import {
  activationSparsity,
  allToAll,
  ConfigError,
  type Context,
  coincidence,
  compile,
  conductanceRange,
  connectionSparsity,
  type DeviceEnergy,
  type DeviceFile,
  deviceEnergy,
  differentialPair,
  every,
  experiment,
  histogramPlot,
  imagePlot,
  linePlot,
  type Model,
  neurons,
  quantity,
  type Raster,
  type Result,
  rasterPlot,
  sampledDevice,
  spikeSource,
  spikes,
  synapses,
  synapticOperations,
  type Time,
} from "../src/index.ts";

export type Pattern = SyntheticPattern;
type Milliseconds = `${number} ms`;

const dt = "0.1 ms";

/** The pattern of one replicate: spoken and heard, or drawn at random. */
export async function taskPattern(
  source: string,
  options: { seed: string; voice: string; letters: readonly string[]; duration: Time },
): Promise<Pattern> {
  if (source === "synthetic") return syntheticPattern(options);
  if (source !== "speech") throw new ConfigError(`source is speech or synthetic, not ${source}`);
  return spokenLetterPattern({ ...options, letters: options.letters as SpokenPatternOptions["letters"] });
}

/** Changes of weights of one network. */
export interface Learning {
  readonly eta: string; // of the first epoch
  readonly etaEnd: string; // of the last; between them it falls exponentially
  readonly epochs: number;
  readonly storage?: ReturnType<typeof differentialPair>; // floating point without
}

export type Learner = Awaited<ReturnType<typeof learner>>;

/** The network of one pattern. */
export async function learner(pattern: Pattern, seed: string, learning: Learning) {
  const { eta, etaEnd, epochs, storage } = learning;
  const duration: Milliseconds = `${Math.round(pattern.input.duration * 1e6) / 1e3} ms`;
  const fall = quantity(eta, "A") / quantity(etaEnd, "A");
  const rule =
    fall === 1 || epochs < 2
      ? normad.with({ eta })
      : coolingNormad.with({ eta, cooling: (epochs - 1) / Math.log(fall) });
  const stimulus = spikeSource(pattern.input.size);
  const teacher = spikeSource(pattern.desired.size);
  const output = neurons(pattern.desired.size, lif, { v: "El" });
  const plastic = synapses(stimulus, output, rule as typeof normad, {
    connect: allToAll(),
    weight: storage,
    events: { teacher, update: every(duration) },
  });
  const simulation = await compile({ stimulus, teacher, output, plastic }, { dt, seed });
  const record = { actual: spikes(output) };
  const show = (input: Raster, frozen: "plastic"[]) =>
    simulation.run({
      duration,
      inputs: { stimulus: input, teacher: pattern.desired },
      record,
      restart: true,
      frozen,
    }).actual;
  return {
    simulation,
    /** Shows the pattern, or another input, and learns from it. */
    train: (input = pattern.input) => show(input, []),
    /** Shows it only. */
    test: (input = pattern.input) => show(input, ["plastic"]),
  };
}

/** How a weight is stored on devices and written. */
export interface Writing {
  readonly devices: number; // per polarity
  readonly weightPerConductance: string; // of all devices of a polarity
  readonly step: string;
  readonly maxPulses: number;
  readonly accumulate: boolean;
}

/** A differential pair of devices. Those that go down are written in opposite directions. */
export function pairOf(device: Model<"device">, writing: Writing): ReturnType<typeof differentialPair> {
  const { devices, weightPerConductance, step, maxPulses, accumulate } = writing;
  const perDevice = quantity(weightPerConductance) / devices / quantity("1 pA/uS");
  return differentialPair(device, {
    devices,
    weightPerConductance: `${perDevice} pA/uS`,
    step,
    maxPulses,
    accumulate,
    opposite: Object.hasOwn(device.checked.handlers, "down"),
  });
}

/**
 * How to write a device as one writes `pcm`: the measured range of its conductance makes the weights that the range of
 * `pcm` makes, a pulse is taken to make its measured mean step, and a write changes a weight by as much at most.
 */
export async function writingOf(device: Model<"device">, writing: Writing, seed: string): Promise<Writing> {
  const [own, usual] = [await conductanceRange(device, { seed }), await conductanceRange(pcm, { seed })];
  const range = (own.high - own.low) / (usual.high - usual.low);
  const step = own.step / usual.step;
  return {
    ...writing,
    weightPerConductance: `${quantity(writing.weightPerConductance) / range / quantity("1 pA/uS")} pA/uS`,
    step: `${(quantity(writing.step, "S") * step) / 1e-6} uS`,
    maxPulses: Math.max(1, Math.round((writing.maxPulses * range) / step)),
  };
}

/** Trains for up to `epochs`, fewer when interrupted; recall within 25 ms by epoch. */
export async function train(
  network: Learner,
  pattern: Pattern,
  options: {
    epochs: number;
    interval: Time; // from one presentation to the next
    context: Context;
    label: string;
    advance?: (epochsDone: number, what: string) => void;
    input?: (epoch: number) => Raster;
  },
): Promise<number[]> {
  const { epochs, interval, context, label, advance, input } = options;
  const { simulation } = network;
  // between two presentations the devices are left alone for the rest of the interval
  const idle: Time = `${Math.max(0, quantity(interval, "s") - pattern.input.duration)} s`;
  const recall: number[] = [];
  for (let epoch = 0; epoch < epochs && !context.signal.aborted; epoch++) {
    recall.push(coincidence(network.train(input?.(epoch)), pattern.desired, "25 ms").recall);
    simulation.wait(idle);
    if (epoch % 5 === 4) {
      advance?.(epoch + 1, `${label}, epoch ${epoch + 1}, recall ${recall[epoch].toFixed(2)}`);
      context.log({ network: label, seed: context.seed, epoch: epoch + 1, recall: recall[epoch] });
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
  return recall;
}

/**
 * Recall within 25 ms at ages since the end of training, without and with one factor for all weights: the
 * summed conductance at the first age over that now. `idle`: what devices have waited since then, s.
 */
export function retentionOf(network: Learner, pattern: Pattern, ages: readonly string[], idle: number) {
  const { simulation } = network;
  const written = simulation.deviceTime - idle;
  let first = 0;
  return ages.map((age) => {
    const time = quantity(age, "s");
    simulation.wait(`${Math.max(0, time - (simulation.deviceTime - written))} s`);
    const sum = simulation.conductances("plastic").reduce((a, b) => a + b, 0);
    first ||= sum;
    const scale = first / sum;
    const recall = (factor: number) => {
      simulation.scaleWeights("plastic", factor);
      return coincidence(network.test(), pattern.desired, "25 ms").recall;
    };
    return { time, unscaled: recall(1), scaled: recall(scale), scale };
  });
}

/** Energies of one pulse and one read of `pcm`. */
export interface Costs {
  readonly setPulse: string;
  readonly resetPulse: string;
  readonly readVoltage: string;
  readonly readTime: string;
}

/** Energy of one read of a device of that conductance (S): V^2 G t. */
export function readEnergy(costs: Costs, conductance: number): string {
  return `${quantity(costs.readVoltage, "V") ** 2 * conductance * quantity(costs.readTime, "s")} J`;
}

/** What training has cost the devices of a network so far; a read at their mean conductance. */
export function trainingEnergy(network: Learner, costs: Costs): DeviceEnergy {
  const { simulation } = network;
  const read = readEnergy(costs, mean(simulation.conductances("plastic", { noise: false })));
  const { setPulse: set, resetPulse: reset } = costs;
  return deviceEnergy(simulation.deviceUse("plastic"), { set, reset, read });
}

export const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((a, b) => a + b, 0) / values.length;

/** Mean and range of several curves of equal length. */
function band(curves: readonly (readonly number[])[]) {
  const column = (k: number) => curves.map((curve) => curve[k]);
  const indices = curves[0].map((_, k) => k);
  return {
    y: indices.map((k) => mean(column(k))),
    band: {
      low: indices.map((k) => Math.min(...column(k))),
      high: indices.map((k) => Math.max(...column(k))),
    },
  };
}

/** Rate of every cell within a window, Hz. */
function ratesWithin(raster: Raster, [from, to]: readonly [number, number]): number[] {
  const counts = new Array<number>(raster.size).fill(0);
  for (let k = 0; k < raster.t.length; k++)
    if (raster.t[k] >= from && raster.t[k] < to) counts[raster.i[k]]++;
  return counts.map((count) => count / (to - from));
}

/** The device of one replicate: as it is in its file, or drawn from the posterior of its fit. */
function deviceOf(file: DeviceFile, posterior: string, seed: string): Model<"device"> {
  if (posterior === "off") return file.model;
  if (posterior === "run") return sampledDevice(file, { per: "run", seed });
  if (posterior === "device") return sampledDevice(file, { per: "device" });
  throw new ConfigError(`posterior is off, run or device, not ${posterior}`);
}

interface ReplicateOptions extends Omit<Learning, "storage"> {
  readonly seed: string;
  readonly device: Model<"device">;
  readonly label: string; // of the device
  readonly writing: Writing;
  readonly costs?: Costs;
  readonly epochInterval: Time;
  readonly ages: readonly string[];
  readonly context: Context;
  readonly advance: (epochsDone: number, what: string) => void;
}

/** One pattern learnt in floating point and on devices, then the devices' ageing. */
async function replicate(pattern: Pattern, options: ReplicateOptions) {
  const { seed, epochs, costs, context, advance, label } = options;
  const teach = (network: Learner, name: string, before: number) =>
    train(network, pattern, {
      epochs,
      interval: options.epochInterval,
      context,
      label: name,
      advance: (done, what) => advance(before + done, what),
    });
  const reference = await learner(pattern, seed, options);
  const fpByEpoch = await teach(reference, "floating point", 0);
  const fp = reference.test();

  const storage = pairOf(options.device, options.writing);
  const network = await learner(pattern, seed, { ...options, storage });
  const { simulation } = network;
  const onDevicesByEpoch = await teach(network, label, epochs);
  const { pulses, reads } = simulation.deviceUse("plastic");
  const energy = costs && trainingEnergy(network, costs);
  const actual = network.test();
  const conductances = simulation.conductances("plastic", { noise: false });
  const weights = simulation.get("plastic", "w");
  const idle = Math.max(0, quantity(options.epochInterval, "s") - pattern.input.duration);
  const retention = retentionOf(network, pattern, options.ages, idle + pattern.input.duration);
  const given = Object.values(pulses).reduce((a, b) => a + b, 0);
  return {
    pattern,
    actual,
    fp,
    fpByEpoch,
    onDevicesByEpoch,
    retention,
    conductances,
    weights,
    pulses,
    reads,
    energy,
    pulsesPerDevice: given / conductances.length,
  };
}

type Replicate = Awaited<ReturnType<typeof replicate>>;

/** Operations of one presentation and the energy of training, by the names of NeuroBench where it has one. */
function account(results: readonly Replicate[], devices: number, costs?: Costs): Result["metrics"] {
  const [{ pattern, actual, weights, conductances }] = results;
  const fanOut = pattern.desired.size;
  const operations = synapticOperations(pattern.input, { fanOut, synapses: weights.length, dt });
  const names = Object.keys(results[0].pulses);
  const average = (pick: (each: Replicate) => number) => mean(results.map(pick));
  const readsOfEvents = operations.effectiveACs * 2 * devices;
  return {
    synapticOperations: { ...operations },
    activationSparsity: activationSparsity([pattern.input, actual], dt),
    connectionSparsity: connectionSparsity(weights),
    footprint: 8 * weights.length,
    use: {
      ...Object.fromEntries(names.map((name) => [name, average((r) => r.pulses[name])])),
      read: average((r) => r.reads),
    },
    energy: costs && {
      ...Object.fromEntries(
        Object.keys(results[0].energy?.of ?? {}).map((name) => [
          name,
          average((r) => r.energy?.of[name] ?? 0),
        ]),
      ),
      total: average((r) => r.energy?.total ?? 0),
    },
    presentationEnergy: costs && readsOfEvents * quantity(readEnergy(costs, mean(conductances)), "J"),
  };
}

/** Metrics and figures of the replicates so far. */
function summary(
  results: readonly Replicate[],
  options: {
    devices: number;
    letters: readonly string[];
    label: string;
    costs?: Costs;
    writing: Writing;
    scaled: boolean; // the writing is not that asked for, but of another device
  },
): Result {
  if (results.length === 0) return { metrics: {} };
  const { devices, letters, label, costs, writing } = options;
  const measured = results.map(({ actual, fp, pattern }) => ({
    pcm25: coincidence(actual, pattern.desired, "25 ms"),
    pcm12: coincidence(actual, pattern.desired, "12.5 ms"),
    fp25: coincidence(fp, pattern.desired, "25 ms"),
  }));
  const ages = results[0].retention.map(({ time }) => time);
  const over = (pick: (r: Replicate["retention"][number]) => number) =>
    results.map(({ retention }) => retention.map(pick));
  const retention = ages.map((time, k) => ({
    time,
    scaled: mean(over((r) => r.scaled).map((curve) => curve[k])),
    unscaled: mean(over((r) => r.unscaled).map((curve) => curve[k])),
  }));
  const [first] = results;
  const { pattern } = first;
  const windows = pattern.windows.map(({ sound: [from, to] }, k) => ({
    label: letters[k],
    from: `${from * 1000} ms` as const,
    to: `${to * 1000} ms` as const,
  }));
  const images = [pattern.desired, first.actual, first.fp].flatMap((raster, kind) =>
    pattern.windows.map(({ image }, k) => ({
      title: `${letters[k]}, ${["desired", label, "floating point"][kind]}`,
      rows: pattern.images[k].rows,
      columns: pattern.images[k].columns,
      values: ratesWithin(raster, image),
    })),
  );
  return {
    metrics: {
      recall25: mean(measured.map((m) => m.pcm25.recall)),
      recall12_5: mean(measured.map((m) => m.pcm12.recall)),
      precision25: mean(measured.map((m) => m.pcm25.precision)),
      fpRecall25: mean(measured.map((m) => m.fp25.recall)),
      fpPrecision25: mean(measured.map((m) => m.fp25.precision)),
      devices: first.conductances.length,
      epochs: first.onDevicesByEpoch.length,
      recall25Each: measured.map((m) => m.pcm25.recall),
      fpRecall25Each: measured.map((m) => m.fp25.recall),
      setPulses: mean(results.map((r) => r.pulsesPerDevice)),
      retention,
      writing: options.scaled
        ? {
            weightPerConductance: writing.weightPerConductance,
            step: writing.step,
            maxPulses: writing.maxPulses,
          }
        : undefined,
      ...account(results, devices, costs),
    },
    figures: {
      cochlea: rasterPlot(pattern.input, {
        title: "What the network hears",
        caption: `${pattern.input.size} streams; ${(pattern.input.t.length / pattern.input.size / pattern.input.duration).toFixed(1)} Hz on average.`,
        yTitle: "stream",
        windows,
      }),
      output: rasterPlot(first.actual, {
        title: `Desired spikes (light) and those of the ${label} network (dark)`,
        desired: pattern.desired,
        yTitle: "output cell",
        windows,
      }),
      letters: imagePlot(images, {
        title: "Letters drawn by the rates of the output cells",
        valueTitle: "rate (Hz)",
        across: letters.length,
      }),
      learning: linePlot({
        title: "Learning",
        caption: "Mean and range over the replicates; the published hardware reached more than 85 %.",
        series: {
          "floating point": band(results.map((r) => r.fpByEpoch)),
          [`${label}, ${devices} + ${devices} devices`]: band(results.map((r) => r.onDevicesByEpoch)),
        },
        xTitle: "epoch",
        yTitle: "recall within 25 ms",
        yRange: [0, 1],
        levels: [{ at: 0.85, label: "Nandakumar et al. 2020" }],
      }),
      retention: linePlot({
        title: "Retention under drift",
        caption: "Mean and range over the replicates.",
        x: ages,
        series: {
          "with array-level scaling": band(over((r) => r.scaled)),
          without: band(over((r) => r.unscaled)),
        },
        xTitle: "time after training (s)",
        yTitle: "recall within 25 ms",
        xLog: true,
        yRange: [0, 1],
      }),
      conductance: histogramPlot(
        Float64Array.from(first.conductances, (g) => g * 1e6),
        {
          title: "Conductance of the devices after training",
          xTitle: "conductance (µS)",
          yTitle: "devices",
          yLog: true,
        },
      ),
    },
    spikes: { input: pattern.input, desired: pattern.desired, pcm: first.actual, floatingPoint: first.fp },
    arrays: { conductances: first.conductances },
  };
}

/** Parameters that pcm-letters-study.ts shares. */
export const shared = {
  source: "speech",
  voice: "en_US_f_Allison",
  letters: ["I", "B", "M"],
  epochs: 100,
  devices: 4,
  eta: "600 pA",
  weightPerConductance: "1200 pA/uS",
  step: "0.8 uS",
  epochInterval: "38.6 s",
  duration: "1250 ms",
  setPulse: "6.75 pJ",
  resetPulse: "270 pJ",
  readVoltage: "0.3 V",
  readTime: "250 ns",
} as const;

export const describeShared = {
  source:
    "speech: recordings heard by a cochlea; synthetic: formants drawn at random, anew for each replicate",
  voice: "who speaks; other voices come from the spoken-letters data set",
  letters: "spoken and drawn, in this order",
  epochs: "presentations of the pattern in training",
  devices: "devices per polarity of a synapse",
  eta: "learning rate of NormAD in the first epoch",
  weightPerConductance:
    "weight that the conductance of all devices of one polarity makes, divided by their number",
  step: "conductance step one pulse is taken to make",
  epochInterval: "time between presentations, during which devices drift",
  duration: "length of the pattern, of speech",
  setPulse:
    "energy of a SET pulse: 90 uA for 50 ns (circulated values, not checked in the paper) at 1.5 V (assumed)",
  resetPulse: "energy of a RESET pulse: 360 uA for 500 ns at 1.5 V, of the same standing",
  readVoltage: "at which a device is read (from memory of the literature)",
  readTime: "of one read: that of the inference model of Joshi et al. 2020",
} as const;

/** The default is the published scheme: every change is rounded to pulses, and what remains is dropped. */
export default experiment({
  name: "pcm-letters",
  question:
    "Can synapses made of phase-change memory learn to turn spoken letters into spike trains that draw them?",
  source: "Nandakumar et al. 2020, Sci. Rep. 10:8080, doi:10.1038/s41598-020-64878-5",
  parameters: {
    ...shared,
    replicates: 3,
    device: "pcm",
    posterior: "off",
    etaEnd: "600 pA",
    accumulate: false,
    maxPulses: 10,
    ages: ["38.6 s", "100 s", "1000 s", "10000 s", "100000 s", "1000000 s"],
  },
  quick: { epochs: 30, replicates: 1 },
  describe: {
    ...describeShared,
    replicates: "independent runs, each with its own desired trains and devices",
    device: "name of a device of models/, or a device file that ends in .json",
    posterior:
      "of a fitted device: off, or parameters drawn from the posterior once a run or for every device",
    etaEnd: "learning rate in the last epoch; it falls exponentially",
    accumulate: "what is less than a pulse is kept in floating point for the next write, not rounded",
    maxPulses: "most pulses of one write",
    weightPerConductance: `${describeShared.weightPerConductance}; of another device than pcm scaled to its measured range`,
    step: `${describeShared.step}; of another device than pcm scaled with its measured mean step`,
    ages: "times after training at which the devices are read again",
  },
  metrics: {
    recall25:
      "desired spikes met within 25 ms by the network on devices after training, mean of the replicates (1)",
    recall12_5: "the same within 12.5 ms (1)",
    precision25: "spikes of the network on devices that meet a desired one within 25 ms (1)",
    fpRecall25: "desired spikes met within 25 ms by the floating-point network (1)",
    fpPrecision25: "spikes of the floating-point network that meet a desired one within 25 ms (1)",
    devices: "memory devices of one network",
    epochs: "presentations in training of the network on devices",
    recall25Each: "recall25 of every replicate (1)",
    fpRecall25Each: "fpRecall25 of every replicate (1)",
    retention: "recall within 25 ms at times after training (s), with and without array-level scaling (1)",
    setPulses: "pulses per device in training, mean",
    writing: "how the device is written: scaled by its measured range and step from the numbers for pcm",
    synapticOperations:
      "of one presentation: additions that spikes cause, and those of every synapse at every tick",
    activationSparsity:
      "input streams and output cells, times ticks, without a spike, in one presentation (1)",
    connectionSparsity: "weights that are zero (1)",
    footprint: "of the weights, were they float64 words (bytes)",
    use: "pulses by name and reads of single devices in training, mean of the replicates",
    energy: "of the pulses and reads of training: devices alone, no periphery (J)",
    presentationEnergy: "of one presentation, were all devices of a synapse read at every spike (J)",
  },

  async run(parameters, context) {
    const { epochs, replicates, devices, letters } = parameters;
    const file = await loadDevice(parameters.device, library);
    const usual = file.model === pcm;
    const costs = usual ? parameters : undefined; // those of other devices are not known
    const label = usual ? "PCM" : file.model.checked.name;
    const writing = usual
      ? parameters
      : await writingOf(file.model, parameters, `${context.seed}/characteristics`);
    const total = replicates * epochs * 2;
    const results: Replicate[] = [];
    const told = () => summary(results, { devices, letters, label, costs, writing, scaled: !usual });
    for (let r = 0; r < replicates && !context.signal.aborted; r++) {
      const seed = `${context.seed}/${r}`;
      const pattern = await taskPattern(parameters.source, { ...parameters, seed });
      const result = await replicate(pattern, {
        ...parameters,
        seed,
        device: deviceOf(file, parameters.posterior, seed),
        label,
        writing,
        costs,
        context,
        advance: (done, what) =>
          context.progress((2 * r * epochs + done) / total, `replicate ${r + 1}: ${what}`),
      });
      // one that was interrupted counts only where there is no whole one
      if (result.onDevicesByEpoch.length < epochs && results.length > 0) break;
      results.push(result);
      context.partial(told());
    }
    return told();
  },
});
