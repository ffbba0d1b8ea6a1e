/**
 * What the network of pcm-letters.ts owes to its devices, and how to do better with them: one question a study.
 *
 * A study trains the network in several cases, all with the same patterns and seeds, and measures each; every number is an
 * estimate over the replicates. The studies stand in pcm-letters/studies.ts.
 */
import { shippedVoice } from "../datasets/spoken-letters.ts";
import { pcm } from "../models/pcm.ts";
import {
  barPlot,
  ConfigError,
  type Context,
  type Estimate,
  estimate,
  experiment,
  type Figure,
  jitter,
  linePlot,
  type Metric,
  type Result,
} from "../src/index.ts";
import {
  describeShared,
  learner,
  type Pattern,
  pairOf,
  taskPattern,
  train,
  trainingEnergy,
  type Writing,
} from "./pcm-letters/network.ts";
import {
  type Case,
  type Learnt,
  type Point,
  parameters,
  type Settings,
  type Study,
  studies,
  tested,
} from "./pcm-letters/studies.ts";

/** Trains the network of a case on the pattern of a replicate. */
async function learnt(
  of: Case,
  options: { pattern: Pattern; seed: string; settings: Settings; context: Context },
): Promise<Learnt> {
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
  await train(network, pattern, {
    epochs,
    interval: settings.epochInterval,
    context,
    label: of.name,
    ...(sd === undefined
      ? {}
      : { input: (epoch: number) => jitter(pattern.input, { sd, seed: `${seed}/train/${epoch}` }) }),
  });
  return { of, network, pattern, seed, settings };
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

/** The cases of a study that are asked for. */
function chosen(study: string, cases: readonly Case[], asked: readonly string[]): readonly Case[] {
  const unknown = asked.find((name) => name !== "all" && !cases.some((of) => of.name === name));
  if (unknown === undefined) return cases.filter(({ name }) => asked.includes("all") || asked.includes(name));
  const names = [...new Set(cases.map(({ name }) => name))];
  throw new ConfigError(`study ${study} has no case ${unknown}; there are ${names.join("; ")}`);
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
    cases: "all, or names of those of a study's cases that are trained",
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
        cases: chosen(name, await studies[name].cases(settings), settings.cases),
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
