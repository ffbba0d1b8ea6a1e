/**
 * Handwritten digits learnt without a teacher, by memristors that are told no more than up or down.
 *
 * Pixels fire Poisson trains onto a layer of integrators of which one wins at a time. Each synapse of the winner then
 * gets one pulse: up where its pixel fired in the last 50 ms, down elsewhere. Thresholds that rise with every win let all
 * cells have their turn. With learning frozen, cells are named by the digit they respond to most, and vote.
 */
import { loadDevice } from "../datasets/devices.ts";
import { type DigitSets, digitSets, type LabelledImages } from "../datasets/mnist.ts";
import { cuSiO2W, cuSiO2WExponential, cuSiO2WLevels, cuSiO2WTable } from "../models/cusio2w.ts";
import { library } from "../models/library.ts";
import * as layer from "../models/winner.ts";
import {
  allToAll,
  ConfigError,
  type Context,
  compile,
  conductanceRange,
  confusionMatrix,
  type Estimate,
  estimate,
  every,
  experiment,
  type Figure,
  imagePlot,
  linePlot,
  type Model,
  neurons,
  oneToOne,
  poissonTrains,
  proportion,
  quantity,
  type Result,
  referenceDevice,
  seconds,
  spikeClassifier,
  spikeSource,
  spikes,
  synapses,
  type Time,
} from "../src/index.ts";

const dt = "1 ms";
const classes = 10;
/** They start at two thirds of their range. */
const filaments = {
  cuSiO2W: cuSiO2W.with({ x0: 0.67 }),
  cuSiO2WExponential: cuSiO2WExponential.with({ x0: 0.67 }),
  cuSiO2WLevels,
  cuSiO2WTable,
};
const halfQuantum = 38.74045865e-6; // e^2 / h, S
const halfQuanta = { low: halfQuantum, high: 11 * halfQuantum }; // where filaments are used
const digitsInARun = 50; // devices are read once a run

/** What one network is made of and shown. */
interface Setting {
  readonly outputs: number;
  readonly images: number;
  readonly passes: number;
  readonly tests: number;
  readonly labelling: number;
  readonly device: string;
  readonly deviceParameters: readonly string[];
  readonly zero: string;
  readonly range: string;
  readonly theta0: number;
  readonly gain: number;
  readonly window: Time;
  readonly presentation: Time;
  readonly maximum: string;
}

/** A study: one thing is changed, the rest stays as it is set. */
interface Study {
  readonly xTitle: string;
  readonly variants: readonly { readonly at: number; readonly change: Partial<Setting> }[];
}

const spread = (name: string, values: readonly number[]): Study["variants"] =>
  values.map((at) => ({ at, change: { deviceParameters: [`${name}=${at}`] } }));

const studies: Readonly<Record<string, Study>> = {
  outputs: {
    xTitle: "output cells",
    variants: [10, 50, 100, 200, 300].map((outputs) => ({ at: outputs, change: { outputs } })),
  },
  "pulse spread": {
    xTitle: "spread of a step from pulse to pulse (1)",
    variants: spread("pulseSd", [0, 0.3, 1, 3]),
  },
  "device spread": {
    xTitle: "spread of steps and range from device to device (1)",
    variants: spread("deviceSd", [0, 0.1, 0.2, 0.4]),
  },
  levels: {
    xTitle: "levels of a device",
    variants: [3, 4, 6, 11].map((levels) => ({
      at: levels,
      change: {
        device: "cuSiO2WLevels",
        deviceParameters: [`levels=${levels}`, `n0=${1 + Math.round(0.67 * (levels - 1))}`],
        range: `${halfQuantum * (levels - 1)} S`,
      },
    })),
  },
};

interface Variant {
  readonly name: string;
  readonly study?: string;
  readonly at?: number;
  readonly setting: Setting;
}

/** Variants by name: "as set", a study, one value of it ("outputs 100"), or "ideal synapses". */
function variantsOf(names: readonly string[], setting: Setting): Variant[] {
  const values = Object.entries(studies).flatMap(([study, { variants }]) =>
    variants.map(({ at, change }) => ({
      name: `${study} ${at}`,
      study,
      at,
      setting: { ...setting, ...change },
    })),
  );
  const known: Variant[] = [
    { name: "as set", setting },
    { name: "ideal synapses", setting: { ...setting, device: "none", deviceParameters: [] } },
    ...values,
  ];
  return names.flatMap((name) => {
    const found = known.filter((variant) => variant.name === name || variant.study === name);
    if (found.length > 0) return found;
    const all = [...known.slice(0, 2).map((v) => v.name), ...Object.keys(studies)];
    throw new ConfigError(
      `there is no variant ${name}; there are ${all.join(", ")}, and single ones such as ${known[2].name}`,
    );
  });
}

/** A device by name or file, with parameters of its own; undefined for "none". */
async function deviceOf({ device, deviceParameters }: Setting): Promise<Model<"device"> | undefined> {
  if (device === "none") return undefined;
  const { model } = await loadDevice(device, { ...library, ...filaments });
  const values = deviceParameters.map((text): [string, string | number] => {
    const [name, value] = text.split("=").map((part) => part.trim());
    if (!value) throw new ConfigError(`a device parameter is "name=value", not ${JSON.stringify(text)}`);
    return [name, Number.isNaN(Number(value)) ? value : Number(value)];
  });
  return model.with(Object.fromEntries(values));
}

/** Conductance of weight 0 and what makes weight 1 beyond it, S: as given, known of Cu/SiO2/W, or measured. */
export async function rangeOf(
  { zero, range, device }: { readonly zero: string; readonly range: string; readonly device: string },
  model: Model<"device">,
  seed: string,
): Promise<{ readonly zero: number; readonly range: number }> {
  const known = Object.hasOwn(filaments, device) ? halfQuanta : undefined;
  const measured = zero && range ? undefined : (known ?? (await conductanceRange(model, { seed })));
  const low = zero ? quantity(zero, "S") : (measured?.low ?? 0);
  return { zero: low, range: range ? quantity(range, "S") : (measured?.high ?? 0) - low };
}

/** The network, fresh from fabrication. */
async function learner(setting: Setting, device: Model<"device"> | undefined, pixels: number, seed: string) {
  const { outputs, theta0, gain, window, presentation } = setting;
  const input = spikeSource(pixels);
  const cells = neurons(outputs, layer.integrator, { theta: theta0 });
  const output = neurons(outputs, layer.winner);
  const renewal = every(presentation);
  const events = { win: output, renewal };
  const connect = allToAll();
  const written = device && (await rangeOf(setting, device, `${seed}/range`));
  const plastic = written
    ? synapses(input, cells, layer.pulses.with({ window }), {
        connect,
        initial: { last: "-1 s" },
        events,
        weight: referenceDevice(device, {
          weightPerConductance: `${1 / written.range} 1/S`,
          step: `${0.01 * written.range} S`, // whatever it is, a write is one pulse
          reference: `${written.zero} S`,
        }),
      })
    : synapses(input, cells, layer.softSteps.with({ window }), {
        connect,
        initial: { last: "-1 s", w: "clip(0.67 * (1 + 0.2 * randn()), 0, 1)" },
        events,
      });
  const network = {
    input,
    cells,
    output,
    plastic,
    claims: synapses(cells, output, layer.claim, { connect: oneToOne() }),
    rivals: synapses(cells, output, layer.rivalry, { connect }),
    inhibition: synapses(cells, cells, layer.inhibition, { connect, events: { renewal } }),
    fatigue: synapses(output, cells, layer.fatigue.with({ theta0, gain }), {
      connect: oneToOne(),
      events: { win: output },
    }),
    recovery: synapses(output, cells, layer.recovery.with({ theta0, gain, size: outputs }), {
      connect,
      events: { win: output },
    }),
  };
  const simulation = await compile(network, { dt, seed, threads: 1 });
  const length = seconds(presentation);
  const tick = seconds(dt);
  const area = pixels;

  /** Shows images [first, last) of a set in one run; spikes of each cell for each: [image, cell]. */
  const show = (set: LabelledImages, first: number, last: number, trains: string, learn: boolean) => {
    const rate = quantity(setting.maximum, "Hz") / 255;
    const rasters = Array.from({ length: last - first }, (_, k) => {
      const image = set.images.subarray((first + k) * area, (first + k + 1) * area);
      const rates = Float64Array.from(image, (grey) => grey * rate);
      return poissonTrains(rates, { duration: presentation, dt, seed: `${seed}/${trains}/${first + k}` });
    });
    const count = rasters.reduce((sum, { t }) => sum + t.length, 0);
    const train = { t: new Float64Array(count), i: new Uint32Array(count) };
    let at = 0;
    for (const [k, { t, i }] of rasters.entries()) {
      train.i.set(i, at);
      for (const time of t) train.t[at++] = time + k * length;
    }
    const { wins } = simulation.run({
      duration: `${rasters.length * length} s`,
      inputs: { input: train },
      record: { wins: spikes(output) },
      frozen: learn ? [] : ["plastic", "fatigue", "recovery"],
    });
    const counts = new Uint16Array(rasters.length * outputs);
    for (const [k, t] of wins.t.entries()) {
      const image = Math.floor((t - tick) / length + 1e-6); // a winner fires a tick after it won
      if (image >= 0) counts[image * outputs + wins.i[k]]++;
    }
    return counts;
  };
  return { simulation, show };
}

type Learner = Awaited<ReturnType<typeof learner>>;

interface Work {
  readonly digits: DigitSets;
  readonly context: Context;
  /** Tells of digits shown, with what is being done. */
  readonly advance: (digits: number, what: string) => void;
}

/** Spikes for the first `count` images of a set, learning or frozen; fewer images when interrupted: [image, cell]. */
async function present(
  { show }: Learner,
  set: LabelledImages,
  count: number,
  options: Work & {
    readonly from?: number;
    readonly trains: string;
    readonly learn: boolean;
    readonly what: string;
  },
): Promise<Uint16Array> {
  const { from = 0, context } = options;
  const parts: Uint16Array[] = [];
  for (let k = from; k < count && !context.signal.aborted; k += digitsInARun) {
    const last = Math.min(count, k + digitsInARun);
    parts.push(show(set, k, last, options.trains, options.learn));
    options.advance(last - k, options.what);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const all = new Uint16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

interface Judgement {
  readonly accuracy: Estimate;
  readonly sharedAccuracy: Estimate; // by votes shared among classes
  readonly classOf: Int32Array; // [cell]
  readonly confusion: Uint32Array; // [class, class]
  readonly silent: number; // tests without a spike
}

/** Names the cells on training digits, then tests: all with learning frozen. Undefined when interrupted before any test. */
async function judge(
  network: Learner,
  setting: Setting,
  sizes: { readonly labelling: number; readonly tests: number },
  work: Work & { readonly trains: string },
): Promise<Judgement | undefined> {
  const { train, test } = work.digits;
  const cells = setting.outputs;
  const frozen = { ...work, learn: false };
  const named = await present(network, train, Math.min(sizes.labelling, train.size), {
    ...frozen,
    trains: `${work.trains}/label`,
    what: "naming the cells",
  });
  const labels = train.labels.subarray(0, named.length / cells);
  const { classOf, predict } = spikeClassifier(named, labels, { cells, classes });
  const sharing = spikeClassifier(named, labels, { cells, classes, vote: "shared" });
  const counts = await present(network, test, Math.min(sizes.tests, test.size), {
    ...frozen,
    trains: `${work.trains}/test`,
    what: "testing",
  });
  if (counts.length === 0) return undefined;
  const predicted = predict(counts);
  const truth = test.labels.subarray(0, predicted.length);
  const right = (guesses: Int32Array): Estimate =>
    proportion(
      guesses.reduce((sum, guess, k) => sum + (guess === truth[k] ? 1 : 0), 0),
      truth.length,
    );
  return {
    accuracy: right(predicted),
    sharedAccuracy: right(sharing.predict(counts)),
    classOf,
    confusion: confusionMatrix(predicted, truth, classes),
    silent: predicted.reduce((sum, guess) => sum + (guess < 0 ? 1 : 0), 0),
  };
}

interface Trained extends Judgement {
  readonly shown: number; // digits learnt from, repetitions included
  readonly spikesPerDigit: number;
  readonly curve: readonly { readonly images: number; readonly accuracy: Estimate }[];
  readonly weights: Float64Array; // [pixel, cell]
  readonly setting: Setting;
}

const checkpoints = 5;
const checkSizes = { labelling: 2000, tests: 1000 } as const;

/** Digits that `replicate` shows in all. */
function workload({ images, passes, labelling, tests }: Setting, curve: boolean): number {
  const check = Math.min(labelling, checkSizes.labelling) + Math.min(tests, checkSizes.tests);
  return images * passes + labelling + tests + (curve ? (checkpoints - 1) * check : 0);
}

/** One network, learnt and tested. With `curve` it is tested on the way too. */
async function replicate(
  setting: Setting,
  seed: string,
  options: Work & { readonly curve: boolean; readonly name: string },
): Promise<Trained | undefined> {
  const { context, digits: sets } = options;
  const { images, passes, outputs } = setting;
  const device = await deviceOf(setting);
  const network = await learner(setting, device, sets.train.rows * sets.train.columns, seed);
  const curve: { images: number; accuracy: Estimate }[] = [];
  const total = images * passes;
  let shown = 0;
  let fired = 0;
  for (let c = 0; c < checkpoints && !context.signal.aborted; c++) {
    const until = c === checkpoints - 1 ? total : Math.round(total * ((c + 1) / checkpoints) ** 2);
    while (shown < until && !context.signal.aborted) {
      const pass = Math.floor(shown / images);
      const from = shown - pass * images;
      const counts = await present(network, sets.train, Math.min(images, from + until - shown), {
        ...options,
        from,
        trains: `train/${pass}`,
        learn: true,
        what: `${options.name}: learning`,
      });
      shown += counts.length / outputs;
      fired += counts.reduce((sum, n) => sum + n, 0);
    }
    if (!options.curve || c === checkpoints - 1 || context.signal.aborted) continue;
    const checked = await judge(
      network,
      setting,
      {
        labelling: Math.min(setting.labelling, checkSizes.labelling),
        tests: Math.min(setting.tests, checkSizes.tests),
      },
      { ...options, trains: `check/${c}` },
    );
    if (!checked) continue;
    curve.push({ images: shown, accuracy: checked.accuracy });
    context.log({ variant: options.name, seed, images: shown, accuracy: checked.accuracy.mean });
  }
  // a run that was interrupted is tested on little, so that it can end
  const signal = new AbortController().signal;
  const sizes = context.signal.aborted ? { labelling: 500, tests: 500 } : setting;
  const final = await judge(network, setting, sizes, {
    ...options,
    context: { ...context, signal },
    trains: "final",
  });
  if (!final) return undefined;
  curve.push({ images: shown, accuracy: final.accuracy });
  context.log({ variant: options.name, seed, images: shown, accuracy: final.accuracy.mean });
  const weights = network.simulation.get("plastic", "w");
  return { ...final, shown, spikesPerDigit: fired / shown, curve, weights, setting };
}

// ---- what comes out --------------------------------------------------------------------------------

interface Row {
  readonly variant: Variant;
  readonly trained: readonly Trained[];
}

/** Over networks where there are several, else over the tests of the one. */
function overall(trained: readonly Trained[], value: (one: Trained) => Estimate): Estimate {
  return trained.length === 1 ? value(trained[0]) : estimate(trained.map((one) => value(one).mean));
}

/** A probability in percent. */
export const percent = ({ mean, standardError, interval95: [low, high], n }: Estimate): Estimate => ({
  mean: 100 * mean,
  standardError: 100 * standardError,
  interval95: [100 * low, 100 * high],
  n,
});

const meanOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

/** Weights [pixel, cell] as images, one for each cell: at most a hundred, sorted by the digit they stand for. */
export function weightMaps(
  weights: ArrayLike<number>,
  classOf: Int32Array,
  { rows, columns }: LabelledImages,
): Figure {
  const every = Math.ceil(classOf.length / 100);
  const shown = Array.from(classOf.keys())
    .filter((cell) => cell % every === 0)
    .sort((a, b) => classOf[a] - classOf[b] || a - b);
  const images = shown.map((cell) => ({
    title: classOf[cell] < 0 ? "–" : `${classOf[cell]}`,
    rows,
    columns,
    values: Float64Array.from(
      { length: rows * columns },
      (_, pixel) => weights[pixel * classOf.length + cell],
    ),
  }));
  return imagePlot(images, {
    title: "Weights of the cells, by the digit they stand for",
    ...(every > 1 ? { caption: `Every ${every}th cell is drawn.` } : {}),
    valueTitle: "weight (1)",
    across: 10,
  });
}

/** What was answered, [class, class], as an image. */
export function confusionPlot(confusion: ArrayLike<number>): Figure {
  return imagePlot([{ rows: classes, columns: classes, values: confusion }], {
    title: "What each digit was taken for",
    caption: "Rows: the digit, 0 on top; columns: the answer, 0 on the left.",
    valueTitle: "digits",
  });
}

function summary(rows: readonly Row[], digits: DigitSets): Result {
  const [first] = rows;
  if (!first) return { metrics: {} };
  const [one] = first.trained;
  const figures: Record<string, Figure> = {
    weights: weightMaps(one.weights, one.classOf, digits.train),
    learning: linePlot({
      title: "Accuracy while learning",
      caption: `First network of "${first.variant.name}". On the way ${checkSizes.tests} digits were tested, at the end all. Band: 95 % interval.`,
      series: {
        accuracy: {
          x: one.curve.map(({ images }) => images),
          y: one.curve.map(({ accuracy }) => percent(accuracy)),
        },
      },
      xTitle: "digits learnt from",
      yTitle: "accuracy (%)",
      yRange: [0, 100],
    }),
    confusion: confusionPlot(one.confusion),
  };
  for (const [name, { xTitle }] of Object.entries(studies)) {
    const of = rows.filter(({ variant }) => variant.study === name);
    if (of.length < 2) continue;
    figures[name.replaceAll(" ", "-")] = linePlot({
      title: `Accuracy by ${name}`,
      x: of.map(({ variant }) => variant.at as number),
      series: { accuracy: of.map(({ trained }) => percent(overall(trained, (t) => t.accuracy))) },
      xTitle,
      yTitle: "accuracy (%)",
    });
  }
  const table = rows.map(({ variant, trained }) => ({
    variant: variant.name,
    accuracy: percent(overall(trained, (t) => t.accuracy)),
    sharedAccuracy: percent(overall(trained, (t) => t.sharedAccuracy)),
    networks: trained.length,
    digits: trained[0].shown,
    spikesPerDigit: meanOf(trained.map((t) => t.spikesPerDigit)),
    meanWeight: meanOf(trained.map((t) => meanOf(t.weights))),
  }));
  return {
    metrics: {
      accuracy: table[0].accuracy,
      sharedAccuracy: table[0].sharedAccuracy,
      spikesPerDigit: table[0].spikesPerDigit,
      meanWeight: table[0].meanWeight,
      digits: table[0].digits,
      silent: one.silent,
      variants: rows.length > 1 ? table : undefined,
    },
    figures,
    arrays: {
      weights: { shape: [one.weights.length / one.setting.outputs, one.setting.outputs], data: one.weights },
    },
  };
}

export default experiment({
  name: "cusio2w-mnist",
  question: "Can memristors that get one pulse up or down at a time learn digits without a teacher?",
  source:
    "after Nandakumar & Rajendran 2020, arXiv:2001.09299 (abstract); network of Querlioz et al. 2013, IEEE Trans. Nanotechnol. 12:288",
  parameters: {
    outputs: 50,
    images: 60000,
    passes: 1,
    tests: 10000,
    labelling: 10000,
    data: "mnist",
    heldOut: "test",
    device: "cuSiO2W",
    deviceParameters: [] as readonly string[],
    zero: "",
    range: "",
    theta0: 20,
    gain: 0.002,
    window: "50 ms",
    presentation: "350 ms",
    maximum: "22.2 Hz",
    replicates: 1,
    variants: ["as set"],
  },
  quick: { outputs: 10, images: 100, passes: 5, tests: 100, labelling: 100, data: "sample" },
  describe: {
    outputs: "output cells",
    images: "digits to learn from, the first of the training part",
    passes: "how often they are shown",
    tests: "digits to test on, at most",
    labelling: "of the digits to learn from, those on which the cells are named afterwards",
    data: '"mnist", or "sample" for the 100 + 100 digits that ship with the program',
    heldOut: 'where the tests are from: "test", or "train" for what follows the digits to learn from',
    device: 'device of each synapse: a name from the library, a device file, or "none" for ideal weights',
    deviceParameters: "parameters of the device, each as name=value",
    zero: "conductance of weight 0; measured on the device when left out",
    range: "conductance beyond it that makes weight 1; measured likewise",
    theta0: "threshold at the start, in weights",
    gain: "how far a win raises the threshold, of theta0",
    window: "how long ago an input may have fired to be strengthened",
    presentation: "how long a digit is shown",
    maximum: "rate of a white pixel",
    replicates: "networks of each variant, with their own devices and spikes",
    variants: `"as set", "ideal synapses", a study (${Object.keys(studies).join(", ")}) or one value of it ("outputs 100")`,
  },
  metrics: {
    accuracy:
      "held-out digits named rightly, of the first variant; 95 % interval over its networks or, of one, over its tests (%)",
    sharedAccuracy:
      "the same where each spike counts for all digits in proportion to its cell's mean responses (%)",
    spikesPerDigit: "output spikes for a digit while learning (1)",
    meanWeight: "mean weight after learning (1)",
    digits: "digits learnt from, repetitions included",
    silent: "tests of the first network to which no cell with a name responded",
    variants:
      "all variants: accuracy and shared accuracy (%), networks, digits learnt from, spikes for a digit, mean weight",
  },

  async run(parameters, context) {
    const { replicates, data, heldOut, ...setting } = parameters;
    const variants = variantsOf(parameters.variants, setting);
    const largest = Math.max(...variants.map((v) => v.setting.images));
    const sets = await digitSets(data, { images: largest, heldOut, signal: context.signal });
    const total = variants.reduce(
      (sum, v, k) =>
        sum +
        replicates * workload(v.setting, false) +
        (k === 0 ? workload(v.setting, true) - workload(v.setting, false) : 0),
      0,
    );
    let done = 0;
    const pace = performance.now();
    const advance = (count: number, what: string) => {
      done += count;
      const rate = (1000 * done) / (performance.now() - pace);
      context.progress(Math.min(1, done / total), `${what}, ${rate.toFixed(0)} digits/s`);
    };
    const rows: { variant: Variant; trained: Trained[] }[] = [];
    for (const variant of variants) {
      const row = { variant, trained: [] as Trained[] };
      for (let r = 0; r < replicates && !context.signal.aborted; r++) {
        const trained = await replicate(variant.setting, `${context.seed}/${variant.name}/${r}`, {
          digits: sets,
          context,
          advance,
          curve: rows.length === 0 && r === 0,
          name: variant.name,
        });
        // one that was interrupted counts only where there is no whole one
        if (!trained || (context.signal.aborted && rows.length + row.trained.length > 0)) break;
        row.trained.push(trained);
        context.partial(summary([...rows, row], sets));
      }
      if (row.trained.length > 0) rows.push(row);
    }
    return summary(rows, sets);
  },
});
