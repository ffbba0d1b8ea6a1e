/**
 * Spoken letters to spike trains that draw their images: NormAD on synapses made of phase-change memory.
 *
 * One layer: the streams of a cochlea project to one output cell per pixel. Each epoch shows the whole pattern once;
 * its error is applied at the end, in floating point or as SET pulses to differential pairs of devices. Afterwards the
 * devices drift, and are read with and without one scaling factor for the whole array.
 */
import { type SpokenPatternOptions, spokenLetterPattern } from "../datasets/spoken-pattern.ts";
import { lif } from "../models/lif.ts";
import { normad } from "../models/normad.ts";
import { pcm } from "../models/pcm.ts";
import {
  allToAll,
  type Context,
  coincidence,
  compile,
  differentialPair,
  every,
  experiment,
  histogramPlot,
  imagePlot,
  linePlot,
  neurons,
  quantity,
  type Raster,
  type Result,
  rasterPlot,
  spikeSource,
  spikes,
  synapses,
  type Time,
} from "../src/index.ts";

type Pattern = Awaited<ReturnType<typeof spokenLetterPattern>>;

const dt = "0.1 ms";

/** The network of one pattern, on devices or (without `storage`) in floating point. */
async function learner(
  pattern: Pattern,
  options: {
    seed: string;
    duration: `${number} ${"ms"}`;
    eta: string;
    storage?: Parameters<typeof differentialPair>[1];
  },
) {
  const { seed, duration, eta, storage } = options;
  const stimulus = spikeSource(pattern.input.size);
  const teacher = spikeSource(pattern.desired.size);
  const output = neurons(pattern.desired.size, lif, { v: "El" });
  const plastic = synapses(stimulus, output, normad.with({ eta }), {
    connect: allToAll(),
    weight: storage && differentialPair(pcm, storage),
    events: { teacher, update: every(duration) },
  });
  const simulation = await compile({ stimulus, teacher, output, plastic }, { dt, seed });
  const inputs = { stimulus: pattern.input, teacher: pattern.desired };
  const record = { actual: spikes(output) };
  return {
    simulation,
    /** Shows the pattern and learns from it. */
    train: () => simulation.run({ duration, inputs, record, restart: true }).actual,
    /** Shows the pattern only. */
    test: () => simulation.run({ duration, inputs, record, restart: true, frozen: ["plastic"] }).actual,
  };
}

const mean = (values: ArrayLike<number>): number =>
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

interface ReplicateOptions {
  readonly seed: string;
  readonly duration: `${number} ms`;
  readonly epochs: number;
  readonly devices: number;
  readonly eta: string;
  readonly weightPerConductance: string;
  readonly step: string;
  readonly epochInterval: Time;
  readonly ages: readonly string[];
  readonly context: Context;
  readonly advance: (epochsDone: number, what: string) => void;
}

/** Trains one network for up to `epochs`, fewer when interrupted; recall within 25 ms by epoch. */
async function train(
  network: Awaited<ReturnType<typeof learner>>,
  pattern: Pattern,
  { epochs, context, advance }: ReplicateOptions,
  label: string,
  after: () => void,
): Promise<number[]> {
  const recall: number[] = [];
  for (let epoch = 0; epoch < epochs && !context.signal.aborted; epoch++) {
    recall.push(coincidence(network.train(), pattern.desired, "25 ms").recall);
    after();
    if (epoch % 5 === 4) {
      advance(epoch + 1, `${label}, epoch ${epoch + 1}, recall ${recall[epoch].toFixed(2)}`);
      context.log({ network: label, seed: context.seed, epoch: epoch + 1, recall: recall[epoch] });
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
  return recall;
}

/** One pattern learnt in floating point and on devices, then the devices' ageing. */
async function replicate(pattern: Pattern, options: ReplicateOptions) {
  const { seed, duration, devices, eta, epochs } = options;
  const reference = await learner(pattern, { seed, duration, eta });
  const fpByEpoch = await train(reference, pattern, options, "floating point", () => {});
  const fp = reference.test();

  const perDevice = quantity(options.weightPerConductance) / devices / quantity("1 pA/uS");
  const network = await learner(pattern, {
    seed,
    duration,
    eta,
    storage: { devices, weightPerConductance: `${perDevice} pA/uS`, step: options.step },
  });
  const { simulation } = network;
  // between two presentations the devices are left alone for the rest of the interval
  const idle = quantity(options.epochInterval, "s") - quantity(duration, "s");
  const pcmByEpoch = await train(
    network,
    pattern,
    { ...options, advance: (done, what) => options.advance(epochs + done, what) },
    "PCM",
    () => simulation.wait(`${Math.max(0, idle)} s`),
  );
  const [up, down] = simulation.pulses("plastic");
  const written = simulation.deviceTime - Math.max(0, idle); // the end of training, s
  const actual = network.test();
  const conductances = simulation.conductances("plastic", { noise: false });

  // array-level scaling: the summed conductance at the first age over that now
  const retention: { time: number; unscaled: number; scaled: number; scale: number }[] = [];
  let reference0 = 0;
  for (const age of options.ages) {
    const time = quantity(age, "s");
    simulation.wait(`${Math.max(0, time - (simulation.deviceTime - written))} s`);
    const sum = simulation.conductances("plastic").reduce((a, b) => a + b, 0);
    if (retention.length === 0) reference0 = sum;
    const scale = reference0 / sum;
    simulation.scaleWeights("plastic", 1);
    const unscaled = coincidence(network.test(), pattern.desired, "25 ms").recall;
    simulation.scaleWeights("plastic", scale);
    const scaled = coincidence(network.test(), pattern.desired, "25 ms").recall;
    retention.push({ time, unscaled, scaled, scale });
  }
  return {
    pattern,
    actual,
    fp,
    fpByEpoch,
    pcmByEpoch,
    retention,
    conductances,
    pulsesPerDevice: (up + down) / conductances.length,
  };
}

/** Metrics and figures of the replicates so far. */
function summary(
  results: readonly Awaited<ReturnType<typeof replicate>>[],
  { devices, letters }: { devices: number; letters: readonly string[] },
): Result {
  if (results.length === 0) return { metrics: {} };
  const measured = results.map(({ actual, fp, pattern }) => ({
    pcm25: coincidence(actual, pattern.desired, "25 ms"),
    pcm12: coincidence(actual, pattern.desired, "12.5 ms"),
    fp25: coincidence(fp, pattern.desired, "25 ms"),
  }));
  const ages = results[0].retention.map(({ time }) => time);
  const over = (pick: (r: (typeof results)[number]["retention"][number]) => number) =>
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
      title: `${letters[k]}, ${["desired", "PCM", "floating point"][kind]}`,
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
      epochs: first.pcmByEpoch.length,
      recall25Each: measured.map((m) => m.pcm25.recall),
      fpRecall25Each: measured.map((m) => m.fp25.recall),
      setPulses: mean(results.map((r) => r.pulsesPerDevice)),
      retention,
    },
    figures: {
      cochlea: rasterPlot(pattern.input, {
        title: "What the cochlea hears",
        caption: `${pattern.input.size} streams; ${(pattern.input.t.length / pattern.input.size / pattern.input.duration).toFixed(1)} Hz on average.`,
        yTitle: "stream",
        windows,
      }),
      output: rasterPlot(first.actual, {
        title: "Desired spikes (light) and those of the PCM network (dark)",
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
          [`PCM, ${devices} + ${devices} devices`]: band(results.map((r) => r.pcmByEpoch)),
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

export default experiment({
  name: "pcm-letters",
  question:
    "Can synapses made of phase-change memory learn to turn spoken letters into spike trains that draw them?",
  source: "Nandakumar et al. 2020, Sci. Rep. 10:8080, doi:10.1038/s41598-020-64878-5",
  parameters: {
    voice: "en_US_f_Allison",
    letters: ["I", "B", "M"],
    epochs: 100,
    replicates: 3,
    devices: 4,
    eta: "600 pA",
    weightPerConductance: "1200 pA/uS",
    step: "0.8 uS",
    epochInterval: "38.6 s",
    duration: "1250 ms",
    ages: ["38.6 s", "100 s", "1000 s", "10000 s", "100000 s", "1000000 s"],
  },
  quick: { epochs: 30, replicates: 1 },
  describe: {
    voice: "who speaks; other voices come from the spoken-letters data set",
    letters: "spoken and drawn, in this order",
    epochs: "presentations of the pattern in training",
    replicates: "independent runs, each with its own desired trains and devices",
    devices: "devices per polarity of a synapse",
    eta: "learning rate of NormAD",
    weightPerConductance:
      "weight that the conductance of all devices of one polarity makes, divided by their number",
    step: "conductance step one SET pulse is taken to make",
    epochInterval: "time between presentations, during which devices drift",
    duration: "length of the pattern",
    ages: "times after training at which the devices are read again",
  },
  metrics: {
    recall25: "desired spikes met within 25 ms by the PCM network after training, mean of the replicates (1)",
    recall12_5: "the same within 12.5 ms (1)",
    precision25: "spikes of the PCM network that meet a desired one within 25 ms (1)",
    fpRecall25: "desired spikes met within 25 ms by the floating-point network (1)",
    fpPrecision25: "spikes of the floating-point network that meet a desired one within 25 ms (1)",
    devices: "memory devices of one network",
    epochs: "presentations in training of the PCM network",
    recall25Each: "recall25 of every replicate (1)",
    fpRecall25Each: "fpRecall25 of every replicate (1)",
    retention: "recall within 25 ms at times after training (s), with and without array-level scaling (1)",
    setPulses: "SET pulses per device in training, mean",
  },

  async run(parameters, context) {
    const { epochs, replicates, devices } = parameters;
    const duration = parameters.duration as `${number} ms`;
    const total = replicates * epochs * 2;
    const results: Awaited<ReturnType<typeof replicate>>[] = [];
    for (let r = 0; r < replicates && !context.signal.aborted; r++) {
      const pattern = await spokenLetterPattern({
        voice: parameters.voice,
        letters: parameters.letters as SpokenPatternOptions["letters"],
        duration: parameters.duration,
        seed: `${context.seed}/${r}`,
      });
      const result = await replicate(pattern, {
        ...parameters,
        duration,
        seed: `${context.seed}/${r}`,
        context,
        advance: (done, what) =>
          context.progress((2 * r * epochs + done) / total, `replicate ${r + 1}: ${what}`),
      });
      // one that was interrupted counts only where there is no whole one
      if (result.pcmByEpoch.length < epochs && results.length > 0) break;
      results.push(result);
      context.partial(summary(results, { devices, letters: parameters.letters }));
    }
    return summary(results, { devices, letters: parameters.letters });
  },
});
