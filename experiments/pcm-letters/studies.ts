/**
 * The studies of pcm-letters-study.ts: which cases each trains, and what it measures on them.
 *
 * "Published" is the scheme of the paper: every change is rounded to pulses. "Improved" keeps what is less than a pulse in
 * floating point, gives a synapse at most one pulse a presentation, and lets the learning rate fall.
 */
import { shippedVoice, spokenVoices } from "../../datasets/spoken-letters.ts";
import { idealDevice } from "../../models/constant-step.ts";
import { pcm } from "../../models/pcm.ts";
import {
  ConfigError,
  coincidence,
  device,
  type Experiment,
  jitter,
  type Model,
  quantity,
  referenceDevice,
  type Time,
} from "../../src/index.ts";
import {
  type Learner,
  type learner,
  mean,
  type Pattern,
  retentionOf,
  shared,
  type Writing,
} from "./network.ts";

export const parameters = {
  ...shared,
  studies: ["devices"],
  cases: ["all"],
  replicates: 5,
  improvedEta: "2000 pA",
  improvedEtaEnd: "200 pA",
  voices: ["all"],
  weightSd: "1.3 nA",
} as const;

/** Parameters as a run has them. */
export type Settings = Parameters<Experiment<typeof parameters>["run"]>[0];

/** One way to store weights and to learn them. */
export interface Case {
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
export interface Learnt {
  readonly of: Case;
  readonly network: Learner;
  readonly pattern: Pattern;
  readonly seed: string;
  readonly settings: Settings;
}

/** One measurement: recall and precision within 25 ms unless the study says otherwise. */
export interface Point {
  readonly series: string;
  readonly x: number | string;
  readonly recall: number;
  readonly precision?: number;
  readonly like?: string; // a series whose colour this one takes, dashed
}

export interface Study {
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

export function tested({ network, pattern }: Learnt, input?: Pattern["input"]) {
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

export const studies: Readonly<Record<string, Study>> = {
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
