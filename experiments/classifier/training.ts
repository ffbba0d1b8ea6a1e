/** Teaches classifiers on several kinds of synapses, tests them, and tells what came of it. */
import { pcm } from "../../models/pcm.ts";
import {
  ConfigError,
  type Context,
  confusionMatrix,
  differentialPair,
  type Estimate,
  type Figure,
  linePlot,
  proportion,
  type Raster,
  type Result,
  rasterPlot,
} from "../../src/index.ts";
import { confusionPlot, percent } from "../cusio2w-mnist.ts";
import { answers, type Classifier, classifier, type Examples, type Front, type Teaching } from "./network.ts";

/** Pairs of phase-change memory that the weights live on; what is less than a pulse is kept and adds to the next change. */
export interface PcmWriting {
  readonly devices: number; // of a polarity
  readonly weightPerConductance: string;
  readonly batch: number; // examples between two writes; plain numbers change after each
}

export interface Task {
  readonly front: Front;
  readonly teaching: Omit<Teaching, "storage" | "examples" | "batch">;
  readonly train: Examples;
  readonly test: Examples;
  readonly epochs: number;
  readonly pcm: PcmWriting;
}

/** One network, taught and tested. */
export interface Taught {
  readonly synapses: string;
  readonly accuracy: Estimate; // over the tests, by the nearest train
  readonly byCount: Estimate; // by the number of spikes
  readonly confusion: Uint32Array; // [class, class]
  readonly silent: number; // tests without a spike
  readonly shown: number; // examples taught, repetitions included
  readonly curve: readonly { readonly shown: number; readonly accuracy: Estimate }[];
  readonly weight: number; // root of the mean square of those that are not 0, A
  readonly pulsesPerDevice?: number;
  readonly example: { readonly actual: Raster; readonly label: number; readonly desired: Raster };
}

interface Work {
  readonly context: Context;
  readonly advance: (examples: number, what: string) => Promise<void>;
}

const stretches = 20; // of the curve
const step = "0.8 uS"; // Nandakumar et al. 2020, Front. Neurosci. 14:406, take 0.77 uS

function storageOf(synapses: string, { devices, weightPerConductance }: PcmWriting): Teaching["storage"] {
  if (synapses === "ideal") return undefined;
  if (synapses !== "PCM") throw new ConfigError(`synapses are ideal or PCM, not ${synapses}`);
  return differentialPair(pcm, { devices, weightPerConductance, step, accumulate: true });
}

/** Shows all examples `epochs` times, each before it is learnt from; the share of right answers by stretch. */
async function learn(network: Classifier, { train, epochs }: Task, name: string, { context, advance }: Work) {
  const total = train.size * epochs;
  const length = Math.max(1, Math.round(total / stretches));
  const curve: { shown: number; accuracy: Estimate }[] = [];
  let [shown, right, counted] = [0, 0, 0];
  while (shown < total && !context.signal.aborted) {
    const examples = batchOf(train, shown, Math.min(network.batch, total - shown));
    for (const [k, raster] of network.show(examples, true).entries())
      if (answers(raster, network).nearest === examples[k].label) right++;
    shown += examples.length;
    counted += examples.length;
    if (counted >= length || shown === total) {
      curve.push({ shown, accuracy: proportion(right, counted) });
      context.log({ synapses: name, seed: context.seed, shown, right: right / counted });
      [right, counted] = [0, 0];
    }
    await advance(examples.length, `${name}: learning`);
  }
  return { shown, curve };
}

const batchOf = (examples: Examples, from: number, count: number) =>
  Array.from({ length: count }, (_, k) => examples.at((from + k) % examples.size));

/** The share of right answers on tests, with learning frozen. */
async function judge(network: Classifier, test: Examples, name: string, { context, advance }: Work) {
  const [nearest, most, labels]: [number[], number[], number[]] = [[], [], []];
  while (labels.length < test.size && !context.signal.aborted) {
    const examples = batchOf(test, labels.length, Math.min(network.batch, test.size - labels.length));
    for (const [k, raster] of network.show(examples, false).entries()) {
      const answer = answers(raster, network);
      nearest.push(answer.nearest);
      most.push(answer.most);
      labels.push(examples[k].label);
    }
    await advance(examples.length, `${name}: testing`);
  }
  const share = (given: readonly number[]) =>
    proportion(given.filter((answer, k) => answer === labels[k]).length, labels.length);
  return {
    accuracy: share(nearest),
    byCount: share(most),
    confusion: confusionMatrix(nearest, labels, network.classes),
    silent: nearest.filter((answer) => answer < 0).length,
  };
}

/** One network on one kind of synapses. */
async function taught(task: Task, synapses: string, work: Work): Promise<Taught> {
  const { front, train, test, epochs, teaching } = task;
  const storage = storageOf(synapses, task.pcm);
  const network = await classifier(
    front,
    { ...teaching, storage, batch: storage ? task.pcm.batch : 1, examples: train.size * epochs },
    `${work.context.seed}`,
  );
  const { shown, curve } = await learn(network, task, synapses, work);
  // a run that was interrupted is tested on little, so that it can end
  const aborted = work.context.signal.aborted;
  const context = { ...work.context, signal: new AbortController().signal };
  const tests = aborted ? { ...test, size: Math.min(test.size, 100) } : test;
  const judged = await judge(network, tests, synapses, { ...work, context });
  const { simulation, desired } = network;
  const weights = simulation.get("plastic", "w").filter((w) => w !== 0);
  const pulses = storage && Object.values(simulation.deviceUse("plastic").pulses).reduce((a, b) => a + b, 0);
  const first = test.at(0);
  const [actual] = network.show([first], false);
  return {
    ...judged,
    synapses,
    shown,
    curve,
    weight: Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0) / weights.length),
    ...(pulses === undefined
      ? {}
      : { pulsesPerDevice: pulses / simulation.conductances("plastic", { noise: false }).length }),
    example: {
      actual,
      label: first.label,
      desired: {
        ...actual,
        t: Float64Array.from(desired),
        i: new Uint32Array(desired.length).fill(first.label),
      },
    },
  };
}

/** A network for each kind of synapses; those that were reached before an interruption. */
export async function teachAll(task: Task, kinds: readonly string[], context: Context): Promise<Taught[]> {
  for (const kind of kinds) storageOf(kind, task.pcm);
  const total = kinds.length * (task.train.size * task.epochs + task.test.size);
  const began = performance.now();
  let [done, told] = [0, began];
  const advance = async (examples: number, what: string) => {
    done += examples;
    const now = performance.now();
    if (now - told < 100) return;
    told = now;
    context.progress(Math.min(1, done / total), `${what}, ${((now - began) / done).toFixed(1)} ms each`);
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  const all: Taught[] = [];
  for (const kind of kinds) {
    if (context.signal.aborted && all.length > 0) break;
    all.push(await taught(task, kind, { context, advance }));
    context.partial(resultOf(all));
  }
  return all;
}

/** Metrics and figures. */
export function resultOf(all: readonly Taught[]): Result {
  const [first] = all;
  if (!first) return { metrics: {} };
  const confusions = all.map(({ synapses, confusion }): [string, Figure] => [
    `confusion-${synapses.toLowerCase()}`,
    confusionPlot(confusion),
  ]);
  return {
    metrics: {
      accuracy: percent(first.accuracy),
      chance: 100 / Math.sqrt(first.confusion.length),
      networks: all.map((one) => ({
        synapses: one.synapses,
        accuracy: percent(one.accuracy),
        byCount: percent(one.byCount),
        silent: one.silent,
        shown: one.shown,
        weight: one.weight,
        pulsesPerDevice: one.pulsesPerDevice,
      })),
    },
    figures: {
      learning: linePlot({
        title: "Right answers while learning",
        caption: "Each example is answered before it is learnt from. Band: 95 % interval.",
        series: Object.fromEntries(
          all.map(({ synapses, curve }) => [
            synapses,
            { x: curve.map(({ shown }) => shown), y: curve.map(({ accuracy }) => percent(accuracy)) },
          ]),
        ),
        xTitle: "examples shown",
        yTitle: "right answers (%)",
        yRange: [0, 100],
      }),
      ...Object.fromEntries(confusions),
      answer: rasterPlot(first.example.actual, {
        desired: first.example.desired,
        title: `Taught cells at the first test, a ${first.example.label}`,
      }),
    },
    spikes: { answer: first.example.actual },
  };
}

/** What the metrics are. */
export const metrics = {
  accuracy: "tests answered rightly by the first network; 95 % interval over the tests (%)",
  chance: "what guessing would reach (%)",
  networks:
    "each network: right answers by the train nearest to the desired (accuracy) and by the most spikes (byCount), %; tests without " +
    "a spike; examples shown in training; root mean square of the weights that are not 0, A; pulses that a device got",
} as const;
