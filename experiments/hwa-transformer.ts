/** Attention on PCM crossbars, naming the next character or the class of a sequence: what a year of drift costs. */
import { type LabelledImages, mnist, mnistSample } from "../datasets/mnist.ts";
import { keywordSample } from "../datasets/speech-commands.ts";
import { readNetworks } from "../datasets/weights.ts";
import { transformerClassifier, transformerLanguageModel } from "../models/sequences.ts";
import { adamw, cosine, type Examples, experiment, type Result, type Time } from "../src/index.ts";
import { chipDescriptions, waysOntoChips } from "./hardware-aware/chips.ts";
import { type TextOptions, textTask } from "./hardware-aware/language.ts";
import { errorFigure, type Found, study, type Task, tableMetrics, tableOf } from "./hardware-aware/study.ts";

interface Network {
  readonly layers: number;
  readonly features: number;
  readonly heads: number;
  readonly dropout: number;
}

/** Sequences with a class each. */
interface Classes {
  readonly shape: readonly [time: number, features: number];
  readonly count: number;
  readonly train: Examples;
  readonly test: Examples;
  readonly split: string;
}

/** Lines of digits from top to bottom, their dots from 0 to 1. */
function lines(train: LabelledImages, test: LabelledImages, name: string, o: TextOptions): Classes {
  const { rows, columns } = train;
  const part = ({ images, labels, size }: LabelledImages, count: number): Examples => {
    const kept = count > 0 ? Math.min(count, size) : size;
    return {
      inputs: images.subarray(0, kept * rows * columns),
      labels: labels.subarray(0, kept),
      scale: 1 / 255,
    };
  };
  const [own, others] = [part(train, o.learnt), part(test, o.tested)];
  const split = `${name}, ${own.labels.length} to learn from, ${others.labels.length} to test on`;
  return { shape: [rows, columns], count: 10, train: own, test: others, split };
}

/** Frames of spoken words, their coefficients normal over those to learn from. */
async function keywords(): Promise<Classes> {
  const [train, test] = [await keywordSample("train"), await keywordSample("test")];
  const features = train.shape[1];
  const rows = train.inputs.length / features;
  const mean = new Float64Array(features);
  const squares = new Float64Array(features);
  train.inputs.forEach((x, k) => {
    mean[k % features] += x / rows;
    squares[k % features] += x ** 2 / rows;
  });
  const normal = (x: number, k: number) => {
    const c = k % features;
    return (x - mean[c]) / Math.sqrt(squares[c] - mean[c] ** 2);
  };
  const part = ({ inputs, labels }: typeof train): Examples => ({ inputs: inputs.map(normal), labels });
  const { shape, classes, split } = train;
  return { shape, count: classes.length, train: part(train), test: part(test), split };
}

/** What has classes, by name. */
const sets: Readonly<Record<string, (o: TextOptions) => Promise<Classes>>> = {
  keywords,
  digits: async (o) => lines(await mnist("train"), await mnist("test"), "MNIST", o),
  "digit-sample": async (o) =>
    lines(await mnistSample("train"), await mnistSample("test"), "the MNIST sample", o),
};

async function taskOf(o: TextOptions, own: Network): Promise<Task & { readonly split: string }> {
  if (Object.hasOwn(sets, o.data)) {
    const { shape, count, train, test, split } = await sets[o.data](o);
    const layers = transformerClassifier({ ...own, inputs: shape[1], classes: count });
    return { layers, inputs: shape, train, test, chance: 1 / count, split };
  }
  const { symbols, train, test, split } = await textTask(o, Object.keys(sets));
  const layers = transformerLanguageModel({ ...own, symbols });
  return { layers, inputs: [o.time, 1], train, test, chance: 1 / symbols, split };
}

export default experiment({
  name: "hwa-transformer",
  question:
    "How well does a transformer on PCM crossbars up to a year old do, with its weights as they are and trained for chips?",
  source:
    "Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4, with a small network in place of BERT",
  parameters: {
    data: "war-and-peace",
    vocabulary: 0,
    learnt: 150000,
    tested: 6400,
    layers: 2,
    features: 64,
    heads: 4,
    dropout: 0,
    time: 64,
    batch: 16,
    epochs: 3,
    learningRate: 0.004,
    awareEpochs: 1,
    awareRate: 0.002,
    noise: 3,
    rampSteps: 100,
    dropConnect: 0,
    distillation: 0,
    device: "pcm",
    chips: 3,
    ages: ["1 s", "1 h", "1 day", "1 year"],
    weights: "",
    fused: false,
  },
  quick: {
    data: "sample",
    learnt: 30000,
    tested: 2560,
    layers: 1,
    features: 32,
    heads: 2,
    time: 32,
    rampSteps: 5,
    ages: ["1 h", "1 year"],
  },
  describe: {
    data: 'characters of "war-and-peace", "ptb-characters", "shakespeare" or "sample" (60 kB that ship with the program), "ptb-words"; or classes of "keywords" (the shipped sample), "digits" (lines of MNIST), "digit-sample"',
    vocabulary: "most frequent words that are kept, the others are <unk>; 0 for all",
    learnt: "symbols or digits to learn from; 0 for all",
    tested: "symbols or digits to test on; 0 for all",
    layers: "of attention and of two dense layers",
    features: "of each time",
    heads: "of each layer",
    dropout: "part of what a layer adds that is left out while learning",
    time: "symbols of a sequence, which sees nothing before it; keywords and digits have their own",
    batch: "sequences of a step",
    epochs: "passes in floating point",
    learningRate: "of AdamW; it falls along half a cosine",
    ...chipDescriptions,
  },
  metrics: { ...tableMetrics, data: "which data, and what of it" },

  async run(given, context) {
    const { batch, weights } = given;
    const ages = given.ages as readonly Time[];
    const { split, ...task } = await taskOf(given, given);
    const result = (found: Found): Result => ({
      metrics: { ...tableOf(found, { chance: task.chance, direct: "as it is" }), data: split },
      figures:
        found.cases.length > 0 ? { error: errorFigure(found, `A transformer on ${given.device} chips`) } : {},
      networks: found.networks,
    });
    // norms of gradients at most 5, as in the paper
    const descent = (rate: number) => adamw({ learningRate: cosine(rate, { warmUp: 0.05 }), clip: 5 });
    const found = await study(
      task,
      {
        floating: { epochs: given.epochs, batch, optimizer: descent(given.learningRate) },
        cases: waysOntoChips(
          { ...given, ages },
          { epochs: given.awareEpochs, batch, optimizer: descent(given.awareRate) },
          task.train.inputs.length / task.inputs.reduce((a, b) => a * b),
        ),
        fused: given.fused,
        threads: context.threads,
        seed: context.seed,
        known: weights ? await readNetworks(weights) : undefined,
      },
      { ...context, partial: (some) => context.partial(result(some)) },
    );
    return result(found);
  },
});
