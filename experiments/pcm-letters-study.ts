/**
 * What the network of pcm-letters.ts owes to its devices, and how to do better with them: one question a study.
 *
 * A study trains the network in several cases, all with the same patterns and seeds, and measures each; every number is an
 * estimate over the replicates. "Published" is the scheme of the paper: every change is rounded to pulses. "Improved"
 * keeps what is less than a pulse in floating point, gives a synapse at most one pulse a presentation, and lets the
 * learning rate fall.
 */
import { shippedVoice, spokenVoices } from "../datasets/spoken-letters.ts";
import { idealDevice } from "../models/constant-step.ts";
import { pcm } from "../models/pcm.ts";
import {
  barPlot,
  ConfigError,
  type Context,
  coincidence,
  device,
  type Estimate,
  type Experiment,
  estimate,
  experiment,
  type Figure,
  jitter,
  linePlot,
  type Metric,
  type Model,
  quantity,
  type Result,
  referenceDevice,
  type Time,
} from "../src/index.ts";
import {
  describeShared,
  type Learner,
  learner,
  mean,
  type Pattern,
  pairOf,
  retentionOf,
  shared,
  taskPattern,
  train,
  trainingEnergy,
  type Writing,
} from "./pcm-letters.ts";

const parameters = {
  ...shared,
  studies: ["devices"],
  replicates: 5,
  improvedEta: "2000 pA",
  improvedEtaEnd: "200 pA",
  voices: ["all"],
  weightSd: "1.3 nA",
} as const;

/** Parameters as a run has them. */
type Settings = Parameters<Experiment<typeof parameters>["run"]>[0];

/** One way to store weights and to learn them. */
interface Case {
  readonly name: string;
  readonly device?: Model<"device">; // in a differential pair; floating point without
  readonly storage?: Parameters<typeof learner>[2]["storage"]; // in place of a pair
  readonly writing?: Partial<Writing>;
  readonly eta?: string;
  readonly etaEnd?: string;
  readonly voice?: string;
  readonly jitter?: Time; // standard deviation of the input's spike times, anew in each epoch
}

/** A network after its training. */
interface Learnt {
  readonly of: Case;
  readonly network: Learner;
  readonly pattern: Pattern;
  readonly seed: string;
  readonly settings: Settings;
}

/** One measurement: recall and precision within 25 ms unless the study says otherwise. */
interface Point {
  readonly series: string;
  readonly x: number | string;
  readonly recall: number;
  readonly precision?: number;
  readonly like?: string; // a series whose colour this one takes, dashed
}

interface Study {
  readonly title: string;
  readonly caption: string;
  readonly cases: (settings: Settings) => readonly Case[] | Promise<readonly Case[]>;
  /** Default: recall and precision of the case, under its name. */
  readonly measure?: (learnt: Learnt) => readonly Point[];
  readonly xTitle?: string; // where x is a number
  readonly xLog?: boolean;
  readonly withPrecision?: boolean; // in a plot of lines
}

const tolerance = "25 ms";

/** What is measured within 25 ms. */
function within25({ recall, precision }: ReturnType<typeof coincidence>) {
  return { recall, precision };
}

function tested({ network, pattern }: Learnt, input?: Pattern["input"]) {
  return within25(coincidence(network.test(input), pattern.desired, tolerance));
}

const floatingPoint: Case = { name: "floating point" };
const published: Case = { name: "PCM, published", device: pcm };
const improvedWriting = { accumulate: true, maxPulses: 1 } as const;

function improved({ improvedEta: eta, improvedEtaEnd: etaEnd }: Settings): Case {
  return { name: "PCM, improved", device: pcm, writing: improvedWriting, eta, etaEnd };
}

/**
 * Exponents of drift that depend on the conductance and differ between devices. Source: inference model of Joshi et al.
 * 2020, Nat. Commun. 11:2473, as coded in aihwkit's PCMLikeNoiseModel; its conductance of 1 is taken as 20 uS.
 */
const driftByConductance = device({
  ...pcm.definition,
  name: "PCM, accumulation, exponents by conductance",
  equations: `
    G  : S
    P  : 1
    nu : 1 (constant)   # standard normal
    g = clip(G / Gunit, gmin, 1) : 1
    nuOfG = abs(clip(-0.0155 * log(g) + 0.0244, 0.049, 0.1) + nu * clip(-0.0125 * log(g) - 0.0059, 0.008, 0.045)) : 1
  `,
  initial: { ...pcm.definition.initial, nu: "nuMean + nuSd * randn()" },
  drift: "G * (max(age, T0) / T0)^(-nuOfG)",
  parameters: { ...pcm.definition.parameters, nuMean: 0, nuSd: 1, Gunit: "20 uS", gmin: 1e-3 },
});

/** Steps of an optimal uniform quantiser of a normal number of variance 1, by bits. Max 1960, IRE Trans. Inf. Theory 6:7. */
const quantiserSteps = [1.596, 0.9957, 0.586, 0.3352, 0.1881, 0.1041, 0.0569, 0.0308];

/** A device of equal noiseless steps up and down, from 0 to `top` of them, that starts in the middle. */
const levelled = device({
  name: "levels",
  source: "definition: equal noiseless steps within bounds",
  equations: "G : S",
  initial: { G: "floor(top / 2) * step" }, // one level more above than below
  on: { up: "G = min(G + step, top * step)", down: "G = max(G - step, 0 * step)" },
  read: "G",
  parameters: { step: "1 uS", top: 1 },
});

/** The nearest of 2^bits levels, `step` apart: zero, and one more above than below. */
function nearestLevel(weight: number, bits: number, step: number): number {
  const most = 2 ** (bits - 1);
  return step * Math.max(1 - most, Math.min(most, Math.round(weight / step)));
}

/** Weights of 2^bits levels, whose distance is the one of 50 that changes them least in the mean square. */
function quantised(weights: Float64Array, bits: number): Float64Array {
  const widest = weights.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / 2 ** (bits - 1);
  const steps = Array.from({ length: 50 }, (_, k) => (widest * (k + 1)) / 50);
  const error = (step: number) => mean(weights.map((w) => (w - nearestLevel(w, bits, step)) ** 2));
  const errors = steps.map(error);
  const best = steps[errors.indexOf(Math.min(...errors))];
  return weights.map((w) => nearestLevel(w, bits, best));
}

const jitters = [0, 2, 5, 10, 20] as const; // ms
const jitterTests = 5;
const tolerances = [5, 10, 12.5, 15, 20, 25] as const; // ms
const bits = [1, 2, 3, 4, 5, 6, 7, 8];
const ages = ["38.6 s", "100 s", "1000 s", "10000 s", "100000 s", "1000000 s"];

/** Recall and precision of inputs whose spikes come at other times than in training. */
function jittered(learnt: Learnt, sd: number): Omit<Point, "series" | "x"> {
  const { pattern, seed } = learnt;
  const count = sd === 0 ? 1 : jitterTests;
  const all = Array.from({ length: count }, (_, k) =>
    tested(learnt, jitter(pattern.input, { sd: `${sd} ms`, seed: `${seed}/test/${k}` })),
  );
  return { recall: mean(all.map((each) => each.recall)), precision: mean(all.map((each) => each.precision)) };
}

const noReadNoise = { m3: 0, c3: "0 uS" };
const noDrift = { nuMean: 0 };
const noWriteNoise = { m2: 0, c2: "0 uS", A2: "0 uS" };

const studies: Readonly<Record<string, Study>> = {
  devices: {
    title: "Devices per polarity of a synapse",
    caption: "The range of the weights is the same in all cases.",
    cases: () => [
      floatingPoint,
      ...[1, 2, 4, 8].map((devices) => ({
        name: `${devices} + ${devices}`,
        device: pcm,
        writing: { devices },
      })),
    ],
  },
  noise: {
    title: "What the devices' imperfections cost",
    caption:
      "Each case leaves out what it names. Without write noise every pulse makes its mean step, which shrinks.",
    cases: () => [
      floatingPoint,
      published,
      { name: "no read noise", device: pcm.with(noReadNoise) },
      { name: "no drift", device: pcm.with(noDrift) },
      { name: "no write noise", device: pcm.with(noWriteNoise) },
      { name: "none of the three", device: pcm.with({ ...noReadNoise, ...noDrift, ...noWriteNoise }) },
      { name: "nor unequal steps", device: idealDevice },
    ],
  },
  retention: {
    title: "Retention under drift",
    caption: "Scaled: one factor for the whole array, from its summed conductance.",
    xTitle: "time after training (s)",
    xLog: true,
    cases: (settings) => [
      published,
      { ...published, name: "PCM, exponents by conductance", device: driftByConductance },
      improved(settings),
    ],
    measure: ({ of, network, pattern, settings }) =>
      retentionOf(
        network,
        pattern,
        ages,
        quantity(settings.epochInterval, "s") - pattern.input.duration,
      ).flatMap(({ time, unscaled, scaled }) => [
        { series: `${of.name}, scaled`, x: time, recall: scaled },
        { series: of.name, x: time, recall: unscaled },
      ]),
  },
  jitter: {
    title: "Input that comes too early or too late",
    caption: `Means over ${jitterTests} disturbed inputs. Training with jitter disturbs every presentation anew.`,
    xTitle: "standard deviation of the spike times (ms)",
    cases: () =>
      [floatingPoint, published].flatMap((of) =>
        jitters.map((sd) => (sd === 0 ? of : { ...of, jitter: `${sd} ms` as const })),
      ),
    measure: (learnt) => {
      const { name, jitter: trained } = learnt.of;
      if (trained !== undefined) {
        const x = quantity(trained, "s") * 1000;
        const like = `${name}, trained without`;
        return [{ series: `${name}, trained with it`, x, like, ...jittered(learnt, x) }];
      }
      return jitters.map((x) => ({ series: `${name}, trained without`, x, ...jittered(learnt, x) }));
    },
  },
  bits: {
    title: "Precision of the weights",
    caption:
      "Recall (solid), precision (dashed). Equidistant levels, zero among them. Rounded: at the distance of the least error. Trained: at the best for normal weights (Max 1960).",
    xTitle: "bits of a weight",
    withPrecision: true,
    cases: ({ weightSd }) => [
      floatingPoint,
      ...bits.map((count) => {
        const step = (quantiserSteps[count - 1] * quantity(weightSd, "A")) / quantity("1 pA");
        const top = 2 ** count - 1;
        return {
          name: `${count} bits`,
          storage: referenceDevice(levelled.with({ top }), {
            reference: `${(top - 1) / 2} uS`, // where devices start
            weightPerConductance: `${step} pA/uS`,
            step: "1 uS",
            maxPulses: top,
            accumulate: true,
          }),
        };
      }),
    ],
    measure: (learnt) => {
      const { of, network } = learnt;
      if (of.storage)
        return [
          { series: "trained with that many levels", x: Number.parseInt(of.name, 10), ...tested(learnt) },
        ];
      const exact = tested(learnt);
      const weights = network.simulation.get("plastic", "w");
      const rounded = bits.map((x) => {
        network.simulation.set("plastic", "w", quantised(weights, x));
        return { series: "rounded after training", x, ...tested(learnt) };
      });
      return [...rounded, ...bits.map((x) => ({ series: "floating point", x, ...exact }))];
    },
  },
  tolerances: {
    title: "How near is near",
    caption: "Recall (solid) and precision (dashed) of the same trained networks.",
    xTitle: "tolerance (ms)",
    withPrecision: true,
    cases: (settings) => [floatingPoint, published, improved(settings)],
    measure: ({ of, network, pattern }) => {
      const actual = network.test();
      return tolerances.map((x) => ({
        series: of.name,
        x,
        ...within25(coincidence(actual, pattern.desired, `${x} ms`)),
      }));
    },
  },
  voices: {
    title: "Voices",
    caption: "One recording of each letter and voice.",
    cases: async (settings) => {
      const { voices, letters, source } = settings;
      if (source !== "speech") throw new ConfigError("only speech has voices");
      const wanted = letters.map((letter) => letter.toLowerCase());
      const every = (): Promise<string[]> =>
        spokenVoices().then((all) =>
          all
            .filter((each) => wanted.every((letter) => each.letters.includes(letter)))
            .map(({ voice }) => voice),
        );
      const names = voices.length === 1 && voices[0] === "all" ? await every() : voices;
      const ways = [floatingPoint, published, improved(settings)];
      return names.flatMap((voice) => ways.map((of) => ({ ...of, voice })));
    },
    measure: (learnt) => {
      const { name, voice = shippedVoice } = learnt.of;
      return [{ series: name, x: voice, ...tested(learnt) }];
    },
  },
  improve: {
    title: "Better use of the same devices",
    caption: "What each part of the improved scheme brings, and what it costs in pulses and energy (table).",
    cases: (settings) => {
      const { eta, etaEnd } = improved(settings);
      const falling = { eta, etaEnd };
      const accumulate = { accumulate: true } as const;
      return [
        floatingPoint,
        { ...floatingPoint, name: "floating point, falling rate", ...falling },
        published,
        { ...published, name: "falling rate", ...falling },
        { ...published, name: "one pulse a write", writing: { maxPulses: 1 } },
        { ...published, name: "accumulator", writing: accumulate },
        { ...published, name: "accumulator, falling rate", writing: accumulate, ...falling },
        { ...published, name: "accumulator, one pulse a write", writing: improvedWriting },
        { ...improved(settings), name: "improved: all three" },
      ];
    },
  },
};

/** Trains the network of a case on the pattern of a replicate. */
async function learnt(
  of: Case,
  options: { pattern: Pattern; seed: string; settings: Settings; context: Context },
): Promise<Learnt & { readonly curve: readonly number[] }> {
  const { pattern, seed, settings, context } = options;
  const { epochs, eta } = settings;
  const writing: Writing = { ...settings, accumulate: false, maxPulses: 10, ...of.writing };
  const network = await learner(pattern, seed, {
    epochs,
    eta: of.eta ?? eta,
    etaEnd: of.etaEnd ?? of.eta ?? eta,
    storage: of.storage ?? (of.device && pairOf(of.device, writing)),
  });
  const { jitter: sd } = of;
  const curve = await train(network, pattern, {
    epochs,
    interval: settings.epochInterval,
    context,
    label: of.name,
    ...(sd === undefined
      ? {}
      : { input: (epoch: number) => jitter(pattern.input, { sd, seed: `${seed}/train/${epoch}` }) }),
  });
  return { of, network, pattern, seed, settings, curve };
}

/** Values of the replicates so far. */
interface Measured {
  readonly point: Point;
  readonly recall: number[];
  readonly precision: number[];
  readonly pulses: number[]; // per device
  readonly energy: number[]; // uJ
}

type Row = {
  readonly study: string;
  readonly case: string;
  readonly at: string | number | undefined;
  readonly recall: Estimate;
  readonly precision: Estimate | undefined;
  readonly pulses: Estimate | undefined;
  readonly energyInMicrojoules: Estimate | undefined; // of the devices in training
};

const estimated = (values: readonly number[]): Estimate | undefined =>
  values.length > 0 ? estimate(values) : undefined;

function rowsOf(study: string, measured: readonly Measured[]): Row[] {
  return measured.map(({ point, recall, precision, pulses, energy }) => ({
    study,
    case: point.series || `${point.x}`,
    at: point.series === "" ? undefined : point.x,
    recall: estimate(recall),
    precision: estimated(precision),
    pulses: estimated(pulses),
    energyInMicrojoules: estimated(energy),
  }));
}

const likes = (measured: ReadonlyMap<string, Measured>): Map<string, string> =>
  new Map(
    [...measured.values()].flatMap(({ point: { series, like } }) =>
      like === undefined ? [] : [[series, like]],
    ),
  );

/** What is lacking to 1, in percent. */
function lacking({ mean: value, standardError, interval95: [low, high], n }: Estimate): Estimate {
  const interval95 = [100 * (1 - high), 100 * (1 - low)] as const;
  return { mean: 100 * (1 - value), standardError: 100 * standardError, interval95, n };
}

/** `likes`: series by those that are drawn like them. */
function figureOf(study: Study, rows: readonly Row[], likes: ReadonlyMap<string, string>): Figure {
  const caption = `${study.caption} Mean and 95 % interval over ${rows[0].recall.n} replicates.`;
  return study.xTitle === undefined
    ? barsOf(study.title, caption, rows)
    : linesOf(study, caption, rows, likes);
}

/** Bars of what is wrong: missed spikes and, where there is one bar a case, spikes that nobody asked for. */
function barsOf(title: string, caption: string, rows: readonly Row[]): Figure {
  const names = [...new Set(rows.map((row) => row.case))];
  const missed = (row: Row | undefined) => (row ? lacking(row.recall) : Number.NaN);
  const extra = ({ precision }: Row) => (precision ? lacking(precision) : Number.NaN);
  if (rows[0].at === undefined)
    return barPlot({
      title,
      caption,
      categories: names,
      series: { "desired spikes missed": rows.map(missed), "spikes not desired": rows.map(extra) },
      yTitle: "spikes (%)",
    });
  const categories = [...new Set(rows.map(({ at }) => `${at}`))];
  const series = names.map((name) => [
    name,
    categories.map((at) => missed(rows.find((row) => row.case === name && `${row.at}` === at))),
  ]);
  return barPlot({
    title,
    caption,
    categories,
    series: Object.fromEntries(series),
    yTitle: "desired spikes missed (%)",
  });
}

function linesOf(
  { title, xTitle = "", xLog, withPrecision }: Study,
  caption: string,
  rows: readonly Row[],
  likes: ReadonlyMap<string, string>,
): Figure {
  const names = [...new Set(rows.map((row) => row.case))];
  const own = names.filter((name) => !likes.has(name));
  const curve = (name: string, pick: (row: Row) => Estimate | undefined) => {
    const places = rows.filter((row) => row.case === name).toSorted((a, b) => Number(a.at) - Number(b.at));
    return { x: places.map((row) => Number(row.at)), y: places.map((row) => pick(row) ?? Number.NaN) };
  };
  const colourOf = (name: string) => own.indexOf(likes.get(name) ?? name);
  const lines = names.flatMap((name) => [
    [name, { ...curve(name, (row) => row.recall), colour: colourOf(name), dashed: likes.has(name) }] as const,
    ...(withPrecision
      ? [
          [
            `${name}: precision`,
            { ...curve(name, (row) => row.precision), colour: colourOf(name), dashed: true },
          ] as const,
        ]
      : []),
  ]);
  return linePlot({
    title,
    caption,
    series: Object.fromEntries(lines),
    xTitle,
    yTitle: withPrecision ? "part of the spikes" : "recall within 25 ms",
    xLog,
    ...(withPrecision ? {} : { yRange: [0, 1] as const }),
  });
}

export default experiment({
  name: "pcm-letters-study",
  question: "What do phase-change synapses cost the network that draws letters, and how little can that be?",
  source:
    "Nandakumar et al. 2020, Sci. Rep. 10:8080, doi:10.1038/s41598-020-64878-5; jitter and bits are extensions",
  parameters,
  quick: { epochs: 20, replicates: 2, studies: ["improve"], voices: [shippedVoice] },
  describe: {
    ...describeShared,
    studies: `any of ${Object.keys(studies).join(", ")}`,
    replicates: "independent runs, each with its own desired trains and devices, the same for all cases",
    eta: "learning rate, but for the improved scheme",
    improvedEta: "learning rate of the improved scheme in the first epoch",
    improvedEtaEnd: "and in the last; it falls exponentially",
    voices: "of study voices: names, or all that have spoken the letters",
    weightSd: "spread of the floating-point weights, for which the levels of study bits are made",
  },
  metrics: {
    cases:
      "recall and precision within 25 ms, or as the study says; pulses per device and energy of the devices in training",
    replicates: "of every case",
  },

  async run(settings, context) {
    const unknown = settings.studies.find((name) => !Object.hasOwn(studies, name));
    if (unknown !== undefined || settings.studies.length === 0)
      throw new ConfigError(
        `${unknown === undefined ? "no study is asked for" : `there is no study ${unknown}`}; there are ${Object.keys(studies).join(", ")}`,
      );
    const plans = await Promise.all(
      settings.studies.map(async (name) => ({
        name,
        study: studies[name],
        cases: await studies[name].cases(settings),
        measured: new Map<string, Measured>(),
      })),
    );
    const total = settings.replicates * plans.reduce((sum, { cases }) => sum + cases.length, 0);
    let done = 0;
    const told = (): Result => {
      const rows = plans.map(({ name, measured }) => rowsOf(name, [...measured.values()]));
      return {
        metrics: {
          cases: rows.flat() as unknown as Metric,
          replicates: Math.max(0, ...rows.flat().map(({ recall }) => recall.n)),
        },
        figures: Object.fromEntries(
          plans.flatMap(({ name, study }, k) =>
            rows[k].length > 0 ? [[name, figureOf(study, rows[k], likes(plans[k].measured))]] : [],
          ),
        ),
      };
    };
    for (let r = 0; r < settings.replicates && !context.signal.aborted; r++) {
      const seed = `${context.seed}/${r}`;
      const patterns = new Map<string, Pattern>();
      for (const { name, study, cases, measured } of plans)
        for (const of of cases) {
          const voice = of.voice ?? settings.voice;
          const pattern =
            patterns.get(voice) ?? (await taskPattern(settings.source, { ...settings, voice, seed }));
          patterns.set(voice, pattern);
          context.progress(done++ / total, `${name}, replicate ${r + 1}: ${of.name}`);
          const one = await learnt(of, { pattern, seed, settings, context });
          if (context.signal.aborted) break;
          note(measured, one, study);
        }
      context.partial(told());
    }
    return told();
  },
});

/** Adds what a study measures on a trained network. */
function note(measured: Map<string, Measured>, one: Learnt, { measure }: Study): void {
  const { of, network, settings } = one;
  const { simulation } = network;
  const onDevices = of.device !== undefined;
  const given = onDevices
    ? Object.values(simulation.deviceUse("plastic").pulses).reduce((a, b) => a + b, 0)
    : 0;
  const perDevice = onDevices ? given / simulation.conductances("plastic").length : 0;
  const costed = of.device?.checked.name === pcm.checked.name;
  const energy = costed ? trainingEnergy(network, settings).total / 1e-6 : 0;
  const points = measure?.(one) ?? [{ series: "", x: of.name, ...tested(one) }];
  for (const point of points) {
    const key = `${point.series}\n${point.x}`;
    const into = measured.get(key) ?? { point, recall: [], precision: [], pulses: [], energy: [] };
    measured.set(key, into);
    into.recall.push(point.recall);
    // without any spike there is no precision
    if (Number.isFinite(point.precision)) into.precision.push(point.precision as number);
    if (onDevices) into.pulses.push(perDevice);
    if (costed) into.energy.push(energy);
  }
}
