/**
 * Precise spike times on Cu/SiO2/W-like memristors: how fine their steps have to be, and what helps where they are coarse.
 *
 * NormAD as in pcm-letters.ts, on weights W = Wmax (x+ - x-) of two devices that are pulsed in opposite directions. Cases
 * differ in Wmax, in the step a of a pulse, in how the state bends it (gamma) and in the spread of pulses. All have the
 * same patterns and seeds. Parameters of the devices are stand-ins: nothing here is the article's own figure.
 */
import { type SyntheticPattern, syntheticPattern } from "../datasets/synthetic-pattern.ts";
import { cuSiO2W, cuSiO2WLevels } from "../models/cusio2w.ts";
import {
  barPlot,
  ConfigError,
  coincidence,
  differentialPair,
  type Estimate,
  estimate,
  experiment,
  linePlot,
  type Metric,
  poissonTrains,
  quantity,
  type Raster,
  type Result,
  rasterPlot,
} from "../src/index.ts";
import { learner, train } from "./pcm-letters/network.ts";

const range = quantity("387.4045867 uS", "S"); // of the device: ten half quanta
const tolerance = "25 ms";

/** How weights are stored and written. */
interface Case {
  readonly name: string;
  readonly weightMax: string;
  readonly a: number; // part of the range that a pulse at x = 0 moves
  readonly gamma: number;
  readonly pulseSd: number;
  readonly deviceSd?: number;
  readonly levels?: boolean; // whole half quanta
  readonly accumulate?: boolean;
  readonly stochastic?: boolean;
  /** Recall, per cent, of an earlier simulation in C, one seed, other patterns. */
  readonly reference?: number;
}

const floatingPoint = { name: "floating point", reference: 97 };

/** Rows of the reference table, and what makes coarse steps useful. */
const cases: readonly Case[] = [
  { name: "10 nA, a 0.02", weightMax: "10 nA", a: 0.02, gamma: 1, pulseSd: 0, reference: 93 },
  { name: "pulses ± 50 %", weightMax: "10 nA", a: 0.02, gamma: 1, pulseSd: 0.5, reference: 91 },
  { name: "pulses ± 200 %", weightMax: "10 nA", a: 0.02, gamma: 1, pulseSd: 2, reference: 92 },
  { name: "5 nA", weightMax: "5 nA", a: 0.02, gamma: 1, pulseSd: 0.5, reference: 89 },
  { name: "5 nA, gamma 2", weightMax: "5 nA", a: 0.02, gamma: 2, pulseSd: 0.5, reference: 83 },
  { name: "a 0.05", weightMax: "10 nA", a: 0.05, gamma: 1, pulseSd: 0.5, reference: 49 },
  { name: "a 0.1", weightMax: "10 nA", a: 0.1, gamma: 1, pulseSd: 0.5, reference: 8 },
  { name: "devices ± 10 %", weightMax: "10 nA", a: 0.02, gamma: 1, pulseSd: 0.3, deviceSd: 0.1 },
  { name: "a 0.05, by chance", weightMax: "10 nA", a: 0.05, gamma: 1, pulseSd: 0.5, stochastic: true },
  { name: "a 0.1, by chance", weightMax: "10 nA", a: 0.1, gamma: 1, pulseSd: 0.5, stochastic: true },
  { name: "a 0.05, kept", weightMax: "10 nA", a: 0.05, gamma: 1, pulseSd: 0.5, accumulate: true },
  { name: "a 0.1, kept", weightMax: "10 nA", a: 0.1, gamma: 1, pulseSd: 0.5, accumulate: true },
  {
    name: "half quanta, kept",
    weightMax: "10 nA",
    a: 0.1,
    gamma: 1,
    pulseSd: 0,
    levels: true,
    accumulate: true,
  },
];

/** Whose learning is drawn: more curves would hide each other. */
const drawn = [
  "floating point",
  "10 nA, a 0.02",
  "a 0.05",
  "a 0.1",
  "a 0.1, by chance",
  "a 0.1, kept",
  "half quanta, kept",
];

/** W = Wmax (x+ - x-), n = round(|dW| / (Wmax 2 a 0.5)) pulses of each direction, 20 at most. */
function storageOf(of: Case): ReturnType<typeof differentialPair> {
  const { a, gamma, pulseSd, deviceSd = 0 } = of;
  const common = { aUp: a, aDown: a, pulseSd, deviceSd };
  const device = of.levels
    ? cuSiO2WLevels.with(common)
    : cuSiO2W.with({ ...common, gammaUp: gamma, gammaDown: gamma });
  return differentialPair(device, {
    weightPerConductance: `${quantity(of.weightMax, "A") / range} A/S`,
    step: `${a * 0.5 * range} S`,
    maxPulses: 20,
    opposite: true,
    ...(of.accumulate ? { accumulate: true } : {}),
    ...(of.stochastic ? { rounding: "stochastic" } : {}),
  });
}

/** One cell, 100 inputs at 10 Hz, and the times of a Poisson train of 10 Hz to learn, in 500 ms. */
function oneCell(seed: string): SyntheticPattern {
  const of = { duration: "500 ms", deadTime: "2 ms" } as const;
  const input = poissonTrains(new Array(100).fill(10), { ...of, seed: `${seed}/input` });
  const desired = poissonTrains([10], { ...of, seed: `${seed}/desired`, deadTime: "10 ms" });
  return { input, desired, images: [], windows: [] };
}

function patternOf(problem: string, letters: readonly string[], seed: string): SyntheticPattern {
  if (problem === "letters") return syntheticPattern({ seed, letters });
  if (problem === "cell") return oneCell(seed);
  throw new ConfigError(`problem is letters or cell, not ${problem}`);
}

/** What one case has reached over the replicates. */
interface Reached {
  readonly name: string;
  readonly of?: Case;
  readonly reference?: number;
  readonly recall: number[];
  readonly precision: number[];
  readonly pulses: number[]; // per device
  readonly curves: number[][];
}

function rowOf({ name, of, reference, ...reached }: Reached): Metric {
  const { recall, precision, pulses } = reached;
  return {
    case: name,
    weightMax: of?.weightMax,
    step: of?.a,
    gamma: of?.gamma,
    pulseSd: of?.pulseSd,
    recall25: estimate(recall),
    precision25: precision.length > 0 ? estimate(precision) : undefined,
    pulses: pulses.length > 0 ? estimate(pulses) : undefined,
    reference: reference === undefined ? undefined : reference / 100,
  };
}

/** Mean over the replicates, epoch by epoch, where all have got to. */
function meanCurve(curves: readonly number[][]): (number | Estimate)[] {
  const length = Math.min(...curves.map((curve) => curve.length));
  return Array.from({ length }, (_, k) =>
    curves.length > 1 ? estimate(curves.map((curve) => curve[k])) : curves[0][k],
  );
}

export default experiment({
  name: "cusio2w-spike-times",
  question:
    "Can two Cu/SiO2/W-like memristors a synapse learn precise spike times, and how fine must their steps be?",
  source:
    "Nandakumar & Rajendran 2020, Microelectron. Eng., arXiv:2001.09299: the task named there; parameters are stand-ins",
  parameters: {
    problem: "letters",
    letters: ["I", "B", "M"],
    cases: ["all"],
    replicates: 3,
    epochs: 100,
    eta: "400 pA",
  },
  quick: {
    letters: ["I"],
    replicates: 1,
    epochs: 60,
    cases: ["10 nA, a 0.02", "pulses ± 200 %", "a 0.1", "a 0.1, kept"],
  },
  describe: {
    problem:
      "letters: 132 inputs, 168 cells, drawn anew for each replicate; cell: 100 inputs, one cell, 500 ms",
    letters: "that the rates of the 168 cells draw, 400 ms each",
    cases: "all, or names of cases; floating point is always there",
    replicates: "independent runs, each with its own pattern and devices",
    epochs: "presentations of the pattern in training",
    eta: "learning rate of NormAD",
  },
  metrics: {
    cases:
      "by case: desired spikes met within 25 ms (recall25) and spikes that meet one (precision25) after training, pulses per device, and recall of a reference simulation with other patterns (1)",
  },

  async run(parameters, context): Promise<Result> {
    const { problem, letters, epochs, replicates, eta } = parameters;
    const unknown = parameters.cases.find((name) => name !== "all" && !cases.some((of) => of.name === name));
    if (unknown !== undefined)
      throw new ConfigError(
        `there is no case ${unknown}; there are ${cases.map(({ name }) => name).join("; ")}`,
      );
    const chosen = cases.filter(
      ({ name }) => parameters.cases.includes("all") || parameters.cases.includes(name),
    );
    const all: readonly Pick<Reached, "name" | "of" | "reference">[] = [
      floatingPoint,
      ...chosen.map((of) => ({ name: of.name, of, reference: of.reference })),
    ];
    const reached: Reached[] = all.map((each) => ({
      ...each,
      recall: [],
      precision: [],
      pulses: [],
      curves: [],
    }));
    const rasters: { name: string; actual: Raster; desired: Raster }[] = [];
    const told = (): Result => {
      const done = reached.filter(({ recall }) => recall.length > 0);
      if (done.length === 0) return { metrics: {} };
      return {
        metrics: { cases: done.map(rowOf) },
        figures: {
          recall: barPlot({
            title: "Precise spike times on Cu/SiO2/W-like pairs",
            caption:
              "Kept: what is less than a pulse waits for the next write. By chance: pulses are rounded up or down at random. The reference had other patterns.",
            categories: done.map(({ name }) => name),
            series: {
              ours: done.map(({ recall }) => (recall.length > 1 ? estimate(recall) : recall[0])),
              "reference simulation": done.map(({ reference = Number.NaN }) => reference / 100),
            },
            yTitle: "recall within 25 ms",
          }),
          learning: linePlot({
            title: "Learning",
            series: Object.fromEntries(
              done.flatMap(({ name, curves }) => (drawn.includes(name) ? [[name, meanCurve(curves)]] : [])),
            ),
            xTitle: "epoch",
            yTitle: "recall within 25 ms",
            yRange: [0, 1],
          }),
          ...Object.fromEntries(
            rasters.map(({ name, actual, desired }, k) => [
              `raster-${k}`,
              rasterPlot(actual, {
                desired,
                title: `Desired spikes (light) and actual ones: ${name}`,
                yTitle: "output cell",
              }),
            ]),
          ),
        },
        spikes:
          rasters.length > 0
            ? { desired: rasters[0].desired, actual: rasters[rasters.length - 1].actual }
            : {},
      };
    };
    let turn = 0;
    for (let r = 0; r < replicates && !context.signal.aborted; r++) {
      const seed = `${context.seed}/${r}`;
      const pattern = patternOf(problem, letters, seed);
      if (pattern.desired.t.length === 0) continue; // a Poisson train of no spike asks for nothing
      for (const into of reached) {
        context.progress(turn++ / (replicates * reached.length), `replicate ${r + 1}: ${into.name}`);
        const storage = into.of && storageOf(into.of);
        const network = await learner(pattern, seed, { eta, etaEnd: eta, epochs, storage });
        const curve = await train(network, pattern, { epochs, interval: "0 s", context, label: into.name });
        if (context.signal.aborted) break;
        const actual = network.test();
        const { recall, precision } = coincidence(actual, pattern.desired, tolerance);
        into.recall.push(recall);
        if (Number.isFinite(precision)) into.precision.push(precision);
        into.curves.push(curve);
        if (storage) {
          const { pulses } = network.simulation.deviceUse("plastic");
          const devices = network.simulation.conductances("plastic").length;
          into.pulses.push(Object.values(pulses).reduce((a, b) => a + b, 0) / devices);
        }
        if (r === 0 && into.name !== floatingPoint.name && rasters.length < 2)
          rasters.push({ name: into.name, actual, desired: pattern.desired });
      }
      context.partial(told());
    }
    return told();
  },
});
