/**
 * Digits learnt without a teacher by cells that compete: the network of Diehl & Cook 2015, with ideal synapses or devices.
 *
 * Each digit is shown for 350 ms and followed by 150 ms of rest; one that makes fewer than five spikes is shown again,
 * brighter. Weights onto a cell are scaled to one sum before each. With learning frozen, cells are named by the digit they
 * respond to most; the class whose cells respond most on average is the answer.
 */
import { loadDevice } from "../datasets/devices.ts";
import { type DigitSets, digitSets, type LabelledImages } from "../datasets/mnist.ts";
import { cuSiO2W } from "../models/cusio2w.ts";
import * as model from "../models/diehl-cook.ts";
import { library } from "../models/library.ts";
import {
  allToAll,
  ConfigError,
  type Context,
  compile,
  confusionMatrix,
  type Estimate,
  every,
  experiment,
  linePlot,
  neurons,
  oneToOne,
  poissonTrains,
  proportion,
  type Result,
  referenceDevice,
  seconds,
  spikeClassifier,
  spikeSource,
  spikes,
  synapses,
  type Time,
} from "../src/index.ts";
import { confusionPlot, percent, rangeOf, weightMaps } from "./cusio2w-mnist.ts";

const dt = "0.5 ms";
const shownFor = 0.35; // s
const period = 0.5; // s, with the rest
const classes = 10;
const leastSpikes = 5;
const firstIntensity = 2; // eighths of a pixel, Hz
const brightest = 64; // a blank image ends here

interface Setting {
  readonly cells: number;
  readonly images: number;
  readonly passes: number;
  readonly tests: number;
  readonly labelling: number;
  readonly synapses: string;
  readonly potentiation: number;
  readonly adaptation: string;
  readonly delay: Time;
  readonly zero: string;
  readonly range: string;
}

/** The network, fresh. */
async function competition(setting: Setting, pixels: number, seed: string) {
  const { cells, delay, synapses: kind, potentiation, adaptation } = setting;
  const input = spikeSource(pixels);
  const excitatory = neurons(cells, model.excitatoryCell, {
    v: "-105 mV",
    theta: "20 mV",
    thetaStep: adaptation,
  });
  const inhibitory = neurons(cells, model.inhibitoryCell, { v: "-100 mV" });
  const connect = allToAll();
  const start = { arrival: "-10 s" };
  const clock = every(`${period} s`, { offset: dt }); // in the first tick of each digit
  const plastic =
    kind === "ideal"
      ? synapses(input, excitatory, model.learning.with({ nuPost: potentiation }), {
          connect,
          // the time constant is there to give a unit
          delay: seconds(delay) > 0 ? `${seconds(delay) / 20e-3} * tauPre * rand()` : "0 ms",
          initial: { ...start, w: "0.3 * (rand() + 0.01)" },
          events: { sum: clock, normalise: clock },
        })
      : synapses(input, excitatory, model.pulsedLearning, {
          connect,
          delay: seconds(delay) > 0 ? `${seconds(delay) / 50e-3} * window * rand()` : "0 ms",
          initial: start,
          weight: await storage(setting, seed),
        });
  const network = {
    input,
    excitatory,
    inhibitory,
    plastic,
    drive: synapses(excitatory, inhibitory, model.drive, { connect: oneToOne() }),
    block: synapses(inhibitory, excitatory, model.block, { connect: allToAll({ self: false }) }),
  };
  const simulation = await compile(network, { dt, seed, threads: 1 });
  let presentations = 0;

  /** Shows an image until it makes five spikes: adds what each cell fires for it to `counts`. */
  const show = (image: Uint8Array, learn: boolean, trains: string, counts: Uint16Array): void => {
    for (let intensity = firstIntensity; intensity <= brightest; intensity++) {
      const rates = Float64Array.from(image, (grey) => (grey / 8) * intensity);
      const raster = poissonTrains(rates, {
        duration: `${shownFor} s`,
        dt,
        seed: `${seed}/${trains}/${intensity}`,
      });
      const { fired } = simulation.run({
        duration: `${period} s`,
        inputs: { input: raster },
        record: { fired: spikes(excitatory) },
        frozen: learn ? [] : ["plastic"],
      });
      presentations++;
      counts.fill(0);
      let total = 0;
      for (const [k, t] of fired.t.entries())
        if (t < shownFor) {
          counts[fired.i[k]]++;
          total++;
        }
      if (total >= leastSpikes) return;
    }
  };
  return {
    simulation,
    show,
    presentations: () => presentations,
  };
}

type Competition = Awaited<ReturnType<typeof competition>>;

/** Weights on the device that the setting names. */
async function storage({ synapses: device, zero, range }: Setting, seed: string) {
  const { model: found } = await loadDevice(device, { ...library, cuSiO2W: cuSiO2W.with({ x0: 0.67 }) });
  const written = await rangeOf({ device, zero, range }, found, `${seed}/range`);
  return referenceDevice(found, {
    weightPerConductance: `${1 / written.range} 1/S`,
    step: `${0.01 * written.range} S`, // whatever it is, a write is one pulse
    reference: `${written.zero} S`,
  });
}

interface Work {
  readonly digits: DigitSets;
  readonly context: Context;
  /** Tells of a digit shown, with what is being done. */
  readonly advance: (what: string) => void;
}

/** Spikes for images [from, to) of a set: [image, cell]; fewer images when interrupted. */
async function present(
  { show, simulation }: Competition,
  cells: number,
  set: LabelledImages,
  o: Work & {
    readonly from: number;
    readonly to: number;
    readonly learn: boolean;
    readonly trains: string;
    readonly what: string;
  },
): Promise<Uint16Array> {
  const counts = new Uint16Array(Math.max(0, o.to - o.from) * cells);
  const area = set.rows * set.columns;
  const theta = o.learn ? undefined : simulation.get("excitatory", "theta");
  let done = 0;
  for (let k = o.from; k < o.to && !o.context.signal.aborted; k++) {
    if (theta) simulation.set("excitatory", "theta", theta); // it decays over hours
    const image = set.images.subarray(k * area, (k + 1) * area);
    show(image, o.learn, `${o.trains}/${k}`, counts.subarray(done * cells, (done + 1) * cells));
    done++;
    o.advance(o.what);
    if (k % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return counts.subarray(0, done * cells);
}

interface Trained {
  readonly shown: number; // digits learnt from, repetitions included
  readonly presentations: number; // while learning, with those that had to be shown again
  readonly spikesPerDigit: number;
  readonly curve: readonly { readonly images: number; readonly accuracy: Estimate }[];
  readonly accuracy: Estimate;
  readonly sharedAccuracy: Estimate; // by votes shared among classes
  readonly classOf: Int32Array;
  readonly confusion: Uint32Array;
  readonly weights: Float64Array; // [pixel, cell]
  readonly theta: Float64Array; // V
}

/** Digits between two looks at how well the network does on the digits it is learning from. */
const stretch = (total: number): number => Math.max(50, Math.min(1000, Math.round(total / 10)));

/** Learns; on the way cells are named by one stretch of digits and judged by the next. */
async function learn(network: Competition, setting: Setting, work: Work) {
  const { images, passes, cells } = setting;
  const { train } = work.digits;
  const total = images * passes;
  const curve: { images: number; accuracy: Estimate }[] = [];
  let before: { counts: Uint16Array; labels: Uint8Array } | undefined;
  let shown = 0;
  let fired = 0;
  while (shown < total && !work.context.signal.aborted) {
    const from = shown % images;
    const to = Math.min(images, from + stretch(total), from + total - shown);
    const counts = await present(network, cells, train, {
      ...work,
      from,
      to,
      learn: true,
      trains: `train/${Math.floor(shown / images)}`,
      what: "learning",
    });
    const labels = train.labels.subarray(from, from + counts.length / cells);
    shown += labels.length;
    fired += counts.reduce((sum, n) => sum + n, 0);
    if (before && labels.length > 0) {
      const { predict } = spikeClassifier(before.counts, before.labels, { cells, classes, vote: "mean" });
      const accuracy = proportion(hits(predict(counts), labels), labels.length);
      curve.push({ images: shown, accuracy });
      work.context.log({ images: shown, accuracy: accuracy.mean });
    }
    before = { counts, labels };
  }
  return { shown, fired, curve };
}

const hits = (predicted: ArrayLike<number>, labels: ArrayLike<number>): number =>
  Array.from(predicted).reduce((sum, guess, k) => sum + (guess === labels[k] ? 1 : 0), 0);

async function replicate(setting: Setting, seed: string, work: Work): Promise<Trained | undefined> {
  const { cells } = setting;
  const { train, test } = work.digits;
  const network = await competition(setting, train.rows * train.columns, seed);
  const { simulation } = network;
  const { shown, fired, curve } = await learn(network, setting, work);
  if (shown === 0) return undefined;
  const presentations = network.presentations();
  const weights = inRows(network, "plastic", cells);
  const theta = simulation.get("excitatory", "theta");
  simulation.set("excitatory", "thetaStep", 0);
  // a run that was interrupted is tested on little, so that it can end
  const { aborted } = work.context.signal;
  const frozen = {
    ...work,
    context: { ...work.context, signal: aborted ? new AbortController().signal : work.context.signal },
    from: 0,
    learn: false,
  };
  const most = aborted ? 300 : Number.POSITIVE_INFINITY;
  const named = await present(network, cells, train, {
    ...frozen,
    to: Math.min(setting.labelling, train.size, most),
    trains: "label",
    what: "naming the cells",
  });
  const labels = train.labels.subarray(0, named.length / cells);
  const { classOf, predict } = spikeClassifier(named, labels, { cells, classes, vote: "mean" });
  const sharing = spikeClassifier(named, labels, { cells, classes, vote: "shared" });
  const counts = await present(network, cells, test, {
    ...frozen,
    to: Math.min(setting.tests, test.size, most),
    trains: "test",
    what: "testing",
  });
  const predicted = predict(counts);
  if (predicted.length === 0) return undefined;
  const truth = test.labels.subarray(0, predicted.length);
  return {
    shown,
    presentations,
    spikesPerDigit: fired / shown,
    curve,
    accuracy: proportion(hits(predicted, truth), truth.length),
    sharedAccuracy: proportion(hits(sharing.predict(counts), truth), truth.length),
    classOf,
    confusion: confusionMatrix(predicted, truth, classes),
    weights,
    theta,
  };
}

/** Weights as [pixel, cell]: within a row synapses are told in order of their cells, whatever their delays. */
function inRows({ simulation }: Competition, projection: "plastic", cells: number): Float64Array {
  const { pre, post } = simulation.synapseCells(projection);
  const w = simulation.get(projection, "w");
  const rows = new Float64Array(w.length);
  for (let k = 0; k < w.length; k++) rows[pre[k] * cells + post[k]] = w[k];
  return rows;
}

function summary(trained: Trained, setting: Setting, { train }: DigitSets): Result {
  const sum = trained.weights.reduce((total, w) => total + w, 0);
  return {
    metrics: {
      accuracy: percent(trained.accuracy),
      sharedAccuracy: percent(trained.sharedAccuracy),
      cells: setting.cells,
      digits: trained.shown,
      shownAgain: trained.presentations / trained.shown - 1,
      spikesPerDigit: trained.spikesPerDigit,
      weightsOfACell: sum / setting.cells,
      theta: (1e3 * trained.theta.reduce((total, value) => total + value, 0)) / setting.cells,
    },
    figures: {
      weights: weightMaps(trained.weights, trained.classOf, train),
      learning: linePlot({
        title: "Accuracy while learning",
        caption:
          "Each stretch of digits is named by the cells as the stretch before has named them. Band: 95 % interval.",
        x: trained.curve.map(({ images }) => images),
        series: { accuracy: trained.curve.map(({ accuracy }) => percent(accuracy)) },
        xTitle: "digits learnt from",
        yTitle: "accuracy (%)",
        yRange: [0, 100],
        levels: published.filter(({ cells }) => cells === setting.cells),
      }),
      confusion: confusionPlot(trained.confusion),
    },
    arrays: {
      weights: { shape: [trained.weights.length / setting.cells, setting.cells], data: trained.weights },
      theta: trained.theta,
    },
  };
}

/** Accuracies of the paper by number of excitatory cells, %, as they are widely quoted. */
const published = [
  { cells: 100, at: 82.9, label: "Diehl & Cook 2015" },
  { cells: 400, at: 87.0, label: "Diehl & Cook 2015" },
] as const;

export default experiment({
  name: "diehl-cook",
  question: "How well do competing cells learn digits without a teacher, and do they on devices?",
  source: "Diehl & Cook 2015, Front. Comput. Neurosci. 9:99; constants of the authors' code",
  parameters: {
    cells: 100,
    images: 60000,
    passes: 1,
    tests: 10000,
    labelling: 10000,
    data: "mnist",
    heldOut: "test",
    synapses: "ideal",
    potentiation: 0.01,
    adaptation: "0.05 mV",
    delay: "10 ms",
    zero: "",
    range: "",
  },
  quick: { cells: 50, images: 100, passes: 3, tests: 100, labelling: 100, data: "sample" },
  describe: {
    cells: "excitatory cells, and as many inhibitory ones",
    images: "digits to learn from, the first of the training part",
    passes: "how often they are shown; the paper: 3",
    tests: "digits to test on, at most",
    labelling: "of the digits to learn from, those on which the cells are named afterwards",
    data: '"mnist", or "sample" for the 100 + 100 digits that ship with the program',
    heldOut: 'where the tests are from: "test", or "train" for what follows the digits to learn from',
    synapses:
      '"ideal" for the rule of the paper, or a device (library name or device file) that gets one pulse up or down at each post spike, without normalisation',
    potentiation: "largest change of an ideal weight at a post spike",
    adaptation: "how far a spike raises the threshold of its cell",
    delay: "longest delay from input to excitatory cells; each synapse has its own, drawn evenly",
    zero: "conductance of weight 0, on devices; measured when left out",
    range: "conductance beyond it that makes weight 1; measured likewise",
  },
  metrics: {
    accuracy: "held-out digits named rightly; 95 % interval over the tests (%)",
    sharedAccuracy:
      "the same where each spike counts for all digits in proportion to its cell's mean responses (%)",
    cells: "excitatory cells",
    digits: "digits learnt from, repetitions included",
    shownAgain: "extra showings of digits that made too few spikes, for each digit learnt from (1)",
    spikesPerDigit: "spikes of all excitatory cells while a digit is learnt (1)",
    weightsOfACell: "sum of the weights onto a cell, mean (1)",
    theta: "threshold parameter theta after learning, mean (mV)",
  },

  async run(parameters, context) {
    const { data, heldOut, ...setting } = parameters;
    if (!(setting.images >= 1 && setting.passes >= 1))
      throw new ConfigError("there are no digits to learn from");
    const digits = await digitSets(data, { images: setting.images, heldOut, signal: context.signal });
    const total =
      setting.images * setting.passes +
      Math.min(setting.labelling, digits.train.size) +
      Math.min(setting.tests, digits.test.size);
    const start = performance.now();
    let done = 0;
    const trained = await replicate(setting, `${context.seed}`, {
      digits,
      context,
      advance: (what) => {
        done++;
        const rate = (1000 * done) / (performance.now() - start);
        context.progress(Math.min(1, done / total), `${what}, ${rate.toFixed(0)} digits/s`);
      },
    });
    return trained ? summary(trained, setting, digits) : { metrics: {} };
  },
});
