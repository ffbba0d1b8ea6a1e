/** One network for every rule that teaches spike times, what its weights are stored on, and how well it did. Of timing-rules.ts. */
import type { SyntheticPattern } from "../../datasets/synthetic-pattern.ts";
import { chronotron } from "../../models/chronotron.ts";
import { cuSiO2WSymmetric } from "../../models/cusio2w.ts";
import { lif } from "../../models/lif.ts";
import { normad } from "../../models/normad.ts";
import { pcm } from "../../models/pcm.ts";
import { psd } from "../../models/psd.ts";
import { resume } from "../../models/resume.ts";
import { span } from "../../models/span.ts";
import {
  allToAll,
  coincidence,
  compile,
  differentialPair,
  every,
  neurons,
  quantity,
  type Raster,
  spikeSource,
  spikes,
  synapses,
  type Time,
  timesOf,
  vanRossumDistance,
  victorPurpuraDistance,
} from "../../src/index.ts";

type Rule = typeof normad;

/** A rule, the rates by storage that its search begins with, and how weights begin where zero is no place to begin. */
export interface RuleCase {
  readonly model: Rule;
  readonly eta: Readonly<Record<string, string>>;
  readonly start?: string; // of every weight, written like any change
}

const asRule = (model: { with: (parameters: { eta: string }) => unknown }) => model as unknown as Rule;

/** Rates, in pA, in the order of `storages`: those that the full search of seed 1 found. */
const rates = (...pA: readonly number[]) =>
  Object.fromEntries(Object.keys(storages).map((name, k) => [name, `${pA[k]} pA`]));

type Storage = ReturnType<typeof differentialPair>;

/** How large weights are: by the conductance of a PCM pair, and by the whole range of a filament. */
interface Size {
  readonly perConductance: string;
  readonly range: string;
}

const currents: Size = { perConductance: "300 pA/uS", range: "10 nA" };

/** Where weights live. The pairs are written as in pcm-letters and cusio2w-spike-times: rounded, or with what remains kept. */
export const storages: Readonly<Record<string, (size?: Size) => Storage | undefined>> = {
  ideal: () => undefined,
  PCM: (size) => pcmPair(false, size),
  "PCM, kept": (size) => pcmPair(true, size),
  "Cu/SiO2/W-like": (size) => filamentPair(false, size),
  "Cu/SiO2/W-like, kept": (size) => filamentPair(true, size),
};

function pcmPair(accumulate: boolean, { perConductance: weightPerConductance }: Size = currents): Storage {
  return differentialPair(pcm, { devices: 4, weightPerConductance, step: "0.8 uS", accumulate });
}

/** W = Wmax (x+ - x-); a pulse moves 2 % of what is left. */
function filamentPair(accumulate: boolean, { range: weightMax }: Size = currents): Storage {
  const range = quantity("387.4045867 uS", "S");
  return differentialPair(cuSiO2WSymmetric, {
    weightPerConductance: `${quantity(weightMax) / range} ${weightMax.endsWith("V") ? "V" : "A"}/S`,
    step: `${0.02 * 0.5 * range} S`,
    maxPulses: 20,
    opposite: true,
    accumulate,
  });
}

export const rules: Readonly<Record<string, RuleCase>> = {
  NormAD: { model: normad, eta: rates(1600, 400, 400, 400, 800) },
  ReSuMe: { model: asRule(resume), eta: rates(100, 100, 100, 100, 100) },
  PSD: { model: asRule(psd), eta: rates(400, 100, 200, 200, 200) },
  SPAN: { model: asRule(span), eta: rates(50, 50, 50, 50, 100) },
  "I-learning": { model: asRule(chronotron), eta: rates(200, 400, 200, 400, 400), start: "w0 * randn()" },
};

/** How near actual spikes are to the desired ones. */
export interface Score {
  readonly recall: number; // within the tolerance
  readonly precision: number; // 0 where there is no spike
  readonly both: number; // their harmonic mean: 2 matched / (desired + actual)
  readonly recall5: number; // within 5 ms
  readonly vanRossum: number; // mean over the cells
  readonly victorPurpura: number; // of all cells, per desired spike
}

/** What is asked: tolerance of a match, time scale of van Rossum's distance, cost of moving a spike. */
export interface Scale {
  readonly tolerance: Time;
  readonly tau: Time;
  readonly cost: string;
}

/** 2 matched / (desired + actual). */
export function agreement(actual: Raster, desired: Raster, tolerance: Time): number {
  const { matched } = coincidence(actual, desired, tolerance);
  return (2 * matched) / (desired.t.length + actual.t.length);
}

export function score(actual: Raster, desired: Raster, { tolerance, tau, cost }: Scale): Score {
  const { recall, precision } = coincidence(actual, desired, tolerance);
  let [vanRossum, victorPurpura] = [0, 0];
  for (let j = 0; j < desired.size; j++) {
    const [a, b] = [timesOf(actual, j), timesOf(desired, j)];
    vanRossum += vanRossumDistance(a, b, tau);
    victorPurpura += victorPurpuraDistance(a, b, cost);
  }
  return {
    recall,
    precision: actual.t.length > 0 ? precision : 0,
    both: agreement(actual, desired, tolerance),
    recall5: coincidence(actual, desired, "5 ms").recall,
    vanRossum: vanRossum / desired.size,
    victorPurpura: victorPurpura / desired.t.length,
  };
}

/** What training has come to. */
export interface Taught {
  readonly recall: readonly number[]; // by epoch, before its change
  readonly both: readonly number[];
  readonly actual: Raster; // after it
  readonly pulsesPerDevice: number | undefined;
}

/**
 * Shows the pattern `epochs` times and applies what the rule has gathered after each; between two presentations the devices
 * drift for the rest of `interval`. Fewer epochs when `stopped` says so.
 */
export async function teach(
  pattern: SyntheticPattern,
  options: {
    readonly rule: RuleCase;
    readonly eta: number; // A
    readonly storage: Storage | undefined;
    readonly epochs: number;
    readonly interval: Time;
    readonly tolerance: Time;
    readonly seed: string;
    readonly stopped: () => boolean;
  },
): Promise<Taught> {
  const { rule, eta, storage, epochs, interval, tolerance, seed, stopped } = options;
  const duration: Time = `${Math.round(pattern.input.duration * 1e6) / 1e3} ms`;
  const stimulus = spikeSource(pattern.input.size);
  const teacher = spikeSource(pattern.desired.size);
  const output = neurons(pattern.desired.size, lif, { v: "El" });
  const plastic = synapses(stimulus, output, rule.model.with({ eta: `${eta} A` }), {
    connect: allToAll(),
    weight: storage,
    initial: rule.start ? { dw: rule.start } : {},
    events: { teacher, update: every(duration) },
  });
  const simulation = await compile({ stimulus, teacher, output, plastic }, { dt: "0.1 ms", seed });
  const idle: Time = `${Math.max(0, quantity(interval, "s") - pattern.input.duration)} s`;
  if (rule.start) simulation.run({ duration }); // no spike: the weights of the beginning are written
  const show = (frozen: "plastic"[]) =>
    simulation.run({
      duration,
      restart: true,
      inputs: { stimulus: pattern.input, teacher: pattern.desired },
      record: { actual: spikes(output) },
      frozen,
    }).actual;
  const [recall, both]: [number[], number[]] = [[], []];
  for (let epoch = 0; epoch < epochs && !stopped(); epoch++) {
    const actual = show([]);
    recall.push(coincidence(actual, pattern.desired, tolerance).recall);
    both.push(agreement(actual, pattern.desired, tolerance));
    simulation.wait(idle);
    if (epoch % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const pulses = storage && Object.values(simulation.deviceUse("plastic").pulses).reduce((a, b) => a + b, 0);
  return {
    recall,
    both,
    actual: show(["plastic"]),
    pulsesPerDevice: pulses && pulses / simulation.conductances("plastic").length,
  };
}
