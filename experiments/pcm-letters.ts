/**
 * Spoken letters to spike trains that draw their images: NormAD on synapses made of phase-change memory.
 *
 * One layer: the streams of a cochlea project to one output cell per pixel. Each epoch shows the whole pattern once;
 * its error is applied at the end, in floating point or as pulses to differential pairs of devices. Afterwards the
 * devices drift, and are read with and without one scaling factor for the whole array. pcm-letters-study.ts asks more
 * of the same network.
 */
import { loadDevice } from "../datasets/devices.ts";
import { library } from "../models/library.ts";
import { pcm } from "../models/pcm.ts";
import {
  activationSparsity,
  ConfigError,
  type Context,
  coincidence,
  connectionSparsity,
  type DeviceFile,
  experiment,
  histogramPlot,
  imagePlot,
  linePlot,
  type Model,
  quantity,
  type Raster,
  type Result,
  rasterPlot,
  sampledDevice,
  synapticOperations,
  type Time,
} from "../src/index.ts";
import {
  type Costs,
  describeShared,
  dt,
  type Learner,
  type Learning,
  learner,
  mean,
  type Pattern,
  pairOf,
  readEnergy,
  retentionOf,
  shared,
  taskPattern,
  train,
  trainingEnergy,
  type Writing,
  writingOf,
} from "./pcm-letters/network.ts";

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
