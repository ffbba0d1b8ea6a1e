/**
 * The network that draws letters, and what is done to it: learning, ageing, an account of energy. Of pcm-letters.ts and
 * pcm-letters-study.ts.
 */
import { type SpokenPatternOptions, spokenLetterPattern } from "../../datasets/spoken-pattern.ts";
import { type SyntheticPattern, syntheticPattern } from "../../datasets/synthetic-pattern.ts";
import { lif } from "../../models/lif.ts";
import { coolingNormad, normad } from "../../models/normad.ts";
import { pcm } from "../../models/pcm.ts";
import {
  allToAll,
  ConfigError,
  type Context,
  coincidence,
  compile,
  conductanceRange,
  type DeviceEnergy,
  deviceEnergy,
  differentialPair,
  every,
  type Model,
  neurons,
  quantity,
  type Raster,
  spikeSource,
  spikes,
  synapses,
  type Time,
} from "../../src/index.ts";

export type Pattern = SyntheticPattern;

export const dt = "0.1 ms";

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
  const duration: Time = `${Math.round(pattern.input.duration * 1e6) / 1e3} ms`;
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
  const told = (value: number) => Number(value.toPrecision(6));
  return {
    ...writing,
    weightPerConductance: `${told(quantity(writing.weightPerConductance) / range / quantity("1 pA/uS"))} pA/uS`,
    step: `${told((quantity(writing.step, "S") * step) / 1e-6)} uS`,
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

/** Parameters of both experiments. */
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
