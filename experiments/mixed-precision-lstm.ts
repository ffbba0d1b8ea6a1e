/**
 * Text by character, learnt by long short-term memory whose weights are pairs of phase-change devices, changed by blind pulses.
 *
 * As mixed-precision-cnn: changes of a batch gather in numbers beside the devices. Streams of text are read side by side and
 * states go on from batch to batch. Characters come in as vectors of zeros and a one, so that all weights are on devices.
 */
import {
  type Corpus,
  pennTreebank,
  shakespeare,
  textBatches,
  warAndPeace,
  warAndPeaceSample,
} from "../datasets/text.ts";
import {
  adam,
  ConfigError,
  cosine,
  dense,
  estimate,
  experiment,
  lstm,
  type Sequential,
  sequential,
} from "../src/index.ts";
import { compare, type LearnOptions, metricTexts, type Task } from "./mixed-precision/comparison.ts";
import { deviceChanges, deviceDefaults, deviceTexts } from "./mixed-precision/hardware.ts";

const texts: Readonly<Record<string, () => Promise<Corpus>>> = {
  ptb: () => pennTreebank("character"),
  "war and peace": warAndPeace,
  shakespeare,
  sample: warAndPeaceSample,
};

/** Zeros and a one for each character, into rows of `symbols`. */
function oneHot(characters: Uint16Array, symbols: number, into: Float32Array): Float32Array {
  into.fill(0);
  for (let k = 0; k < characters.length; k++) into[k * symbols + characters[k]] = 1;
  return into;
}

/** Seconds between two looks at the signal. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 0));

export default experiment({
  name: "mixed-precision-lstm",
  question: "Does long short-term memory learn text on phase-change devices as well as in floating point?",
  source: "Nandakumar et al. 2020, Front. Neurosci. 14:406, doi:10.3389/fnins.2020.00406",
  parameters: {
    text: "ptb",
    characters: 500000,
    tests: 50000,
    units: 128,
    layers: 2,
    batch: 10,
    time: 50,
    epochs: 2,
    learningRate: 0.005,
    learningRateEnd: 0.0005,
    clip: 1,
    gain: 7,
    ...deviceDefaults,
    adcRange: [8, 2],
    ages: ["38.6 s", "1000000 s"],
    replicates: 2,
    variants: ["as set", "no chi"],
  },
  quick: {
    text: "sample",
    characters: 16000,
    tests: 4000,
    units: 24,
    batch: 8,
    time: 20,
    epochs: 4,
    learningRate: 0.02,
    learningRateEnd: 0.002,
    replicates: 1,
  },
  describe: {
    text: '"ptb" (Penn Treebank), "war and peace", "shakespeare", or "sample", the beginning of War and Peace',
    characters: "to learn from, the first of the training part; 0 for all",
    tests: "to test on, the first of the test part; 0 for all",
    units: "of each layer",
    layers: "one after the other",
    batch: "streams that are read side by side",
    time: "characters of a stream that are learnt from at once",
    epochs: "passes over the text",
    learningRate: "of Adam at first",
    learningRateEnd: "in the end; between them half a cosine",
    clip: "largest length of all gradients together",
    gain: "weight 1 of the devices, in standard deviations 1 / sqrt(inputs) of each matrix",
    ...deviceTexts,
    refreshEvery: "streams times batches from one refresh to the next; 0 for none",
    ages: "times after training at which the network is tested again",
    replicates: "networks of each variant, with their own devices and noise",
    variants: `any of: ${Object.keys(deviceChanges).join(", ")}`,
  },
  metrics: {
    ...metricTexts,
    score:
      "on test text after training; 95 % interval over networks or, of one, over batches of the test (bits per character)",
    split: "what text this is",
    symbols: "characters that there are (1)",
    frequencies: "bits per character of the test text by the frequencies of characters alone",
  },

  async run(given, context) {
    const { text, characters, tests, replicates, variants, ages, ...setting } = given;
    if (!Object.hasOwn(texts, text))
      throw new ConfigError(`text is one of ${Object.keys(texts).join(", ")}, not ${JSON.stringify(text)}`);
    const { units, layers, batch, time, epochs, learningRate, learningRateEnd, clip } = setting;
    const corpus = await texts[text]();
    const symbols = corpus.symbols.length;
    const learnt = corpus.train.subarray(0, characters || corpus.train.length);
    const tested = corpus.test.subarray(0, tests || corpus.test.length);
    const perPass = Math.floor(Math.floor((learnt.length - 1) / batch) / time);
    const input = new Float32Array(batch * time * symbols);
    const optimizer = adam({ learningRate: cosine(learningRate, { end: learningRateEnd }), clip });

    async function learn(network: Sequential, o: LearnOptions): Promise<void> {
      network.optimizer = optimizer;
      const all = perPass * epochs;
      for (let epoch = 0; epoch < epochs; epoch++) {
        for (const { inputs, targets, first } of textBatches(learnt, { batch, time })) {
          if (first) network.forget();
          if (network.steps % 10 === 0) {
            o.progress(network.steps / all);
            await pause();
            if (o.signal.aborted) return;
          }
          network.forward(oneHot(inputs, symbols, input), { purpose: "training" });
          network.judge({ labels: targets });
          network.backward();
          network.step(network.steps / all);
        }
        await o.onEpoch();
      }
      network.optimizer = undefined;
    }

    const task: Task = {
      build: (seed, matrices) =>
        sequential(
          [...Array.from({ length: layers }, () => lstm(units, { stateful: true })), dense(units, symbols)],
          { inputs: [time, symbols], batch, seed, matrices },
        ),
      learn,
      score: async (network) => {
        const bits: number[] = [];
        for (const { inputs, targets, first } of textBatches(tested, { batch, time })) {
          if (first) network.forget();
          network.forward(oneHot(inputs, symbols, input));
          bits.push(network.judge({ labels: targets }).loss / Math.LN2);
        }
        await pause();
        return estimate(bits);
      },
      examples: perPass * batch * time,
      better: "less",
      scoreTitle: "bits per character of test text",
    };
    const result = await compare(task, { setting, variants, replicates, ages, context });
    const counts = new Float64Array(symbols).fill(1);
    for (const symbol of learnt) counts[symbol]++;
    const total = counts.reduce((a, b) => a + b, 0);
    const frequencies =
      tested.reduce((sum, symbol) => sum - Math.log2(counts[symbol] / total), 0) / tested.length;
    return { ...result, metrics: { ...result.metrics, split: corpus.split, symbols, frequencies } };
  },
});
