/** Keywords on one PCM crossbar: what converters of few bits and days of drift cost. */
import {
  backgroundOf,
  keywordSample,
  type SpokenCommands,
  speechCommands,
} from "../datasets/speech-commands.ts";
import { readNetwork } from "../datasets/weights.ts";
import { analognetKws } from "../models/analognet.ts";
import { pcmInference } from "../models/pcm-inference.ts";
import {
  augment,
  backgroundNoise,
  ConfigError,
  cosine,
  type Examples,
  experiment,
  mfcc,
  type Result,
  sgd,
  type Time,
  type TrainOptions,
  tile,
  timeShift,
} from "../src/index.ts";
import { type Case, errorFigure, type Found, study, tableMetrics, tableOf } from "./hardware-aware/study.ts";

const frames = 49;
const coefficients = 10;
const size = frames * coefficients;

interface Keywords {
  readonly train: Examples;
  readonly test: Examples;
  readonly change?: TrainOptions["change"];
  readonly split: string;
}

/** Mean and deviation of each coefficient. */
function moments(inputs: Float32Array): { mean: number[]; deviation: number[] } {
  const rows = inputs.length / coefficients;
  const mean = new Array<number>(coefficients).fill(0);
  inputs.forEach((x, k) => {
    mean[k % coefficients] += x / rows;
  });
  const variance = new Array<number>(coefficients).fill(0);
  inputs.forEach((x, k) => {
    variance[k % coefficients] += (x - mean[k % coefficients]) ** 2 / rows;
  });
  return { mean, deviation: variance.map(Math.sqrt) };
}

/** Features of clips, normal in each coefficient; while learning, clips are moved and other clips of silence added. */
async function keywords(data: string, seed: string | number): Promise<Keywords> {
  if (data === "sample") {
    const [train, test] = [await keywordSample("train"), await keywordSample("test")];
    const { mean, deviation } = moments(train.inputs);
    const normal = ({ inputs, labels }: typeof train): Examples => ({
      inputs: inputs.map((x, k) => (x - mean[k % coefficients]) / deviation[k % coefficients]),
      labels,
    });
    return { train: normal(train), test: normal(test), split: train.split };
  }
  if (data !== "speech-commands")
    throw new ConfigError(`data is "speech-commands" or "sample", not ${JSON.stringify(data)}`);
  const [learnt, tested] = [await speechCommands("train"), await speechCommands("test")];
  const front = mfcc();
  const scale = 1 / 32768;
  const featuresOf = ({ samples, size: clips }: SpokenCommands): Float32Array => {
    const all = new Float32Array(clips * size);
    for (let k = 0; k < clips; k++)
      front.transform(
        samples.subarray(k * front.samples, (k + 1) * front.samples),
        all.subarray(k * size, (k + 1) * size),
        scale,
      );
    return all;
  };
  const features = featuresOf(learnt);
  const { mean, deviation } = moments(features);
  const normal = (x: number, k: number) => (x - mean[k % coefficients]) / deviation[k % coefficients];
  // Zhang et al. 2017, arXiv:1711.07128, section 4: shifts of 100 ms, background with probability 0.8 and volume 0.1
  const disturb = augment(
    [timeShift(1600), backgroundNoise(backgroundOf(learnt), { probability: 0.8, volume: 0.1 })],
    { shape: [front.samples, 1], seed },
  );
  const sound = new Float32Array(front.samples);
  return {
    train: { inputs: features.map(normal), labels: learnt.labels },
    test: { inputs: featuresOf(tested).map(normal), labels: tested.labels },
    change: ({ inputs, examples, epoch }) => {
      examples.forEach((example, k) => {
        const from = example * front.samples;
        for (let n = 0; n < front.samples; n++) sound[n] = learnt.samples[from + n] * scale;
        disturb({ inputs: sound, examples: Uint32Array.of(example), epoch });
        const own = inputs.subarray(k * size, (k + 1) * size);
        front.transform(sound, own);
        for (let c = 0; c < size; c++) own[c] = normal(own[c], c);
      });
    },
    split: learnt.split,
  };
}

export default experiment({
  name: "analognet-kws",
  question:
    "How well does a keyword network on one PCM crossbar name words after a day of drift, with converters of 8, 6 and 4 bits?",
  source: "Zhou et al. 2021, arXiv:2111.06503 (AnalogNets); PCM of Joshi et al. 2020, Nat. Commun. 11:2473",
  parameters: {
    data: "speech-commands",
    epochs: 30,
    learningRate: 0.05,
    batch: 100,
    awareEpochs: 8,
    awareRate: 0.01,
    bits: [8, 6, 4],
    noise: 0.1,
    clip: 2.5,
    gain: 10,
    chips: 10,
    ages: ["25 s", "1 h", "1 day", "30 days", "1 year"],
    weights: "",
    fused: false,
  },
  quick: {
    data: "sample",
    epochs: 12,
    batch: 24,
    awareEpochs: 3,
    bits: [8],
    chips: 2,
    ages: ["25 s", "1 day"],
  },
  describe: {
    data: '"speech-commands", the training part that is present, or "sample", features of 20 clips a class that ship with the program',
    epochs: "passes in floating point",
    learningRate: "of stochastic gradient descent with momentum 0.9; it falls along half a cosine",
    batch: "clips of a step",
    awareEpochs: "passes of training for the crossbar, which starts from the weights in floating point",
    awareRate: "its learning rate",
    bits: "bits of both converters, one case each",
    noise:
      "standard deviation of the noise on weights in training for the crossbar, over the largest weight of a layer",
    clip: "weights of a layer are clipped at so many of their standard deviations",
    gain: "full inputs on full weights that reach the end of the ADC, the same for all layers",
    chips: "programmings of each case",
    ages: "times after programming",
    weights: "a .safetensors file with weights in floating point to start from, instead of learning them",
    fused: "fuse products and sums: a third faster, and other bits on other machines",
  },
  metrics: {
    ...tableMetrics,
    split: "whose clips these are",
    drop: "what is lost of the accuracy in floating point at each age (%)",
  },

  async run(given, context) {
    const { batch, bits, chips, clip, gain, noise, weights } = given;
    const ages = given.ages as readonly Time[];
    const { split, ...data } = await keywords(given.data, context.seed);
    const array = (width: number) =>
      ({
        device: pcmInference,
        rows: 1024,
        columns: 512,
        dacBits: width,
        adcBits: width,
        outputBound: gain,
        // the paper's chip model has errors of programming, drift and 1/f noise alone
        irDrop: 0,
        weightNoise: 0,
      }) as const;
    const mapping = { scale: "tile", rangeBatches: Math.ceil(data.train.labels.length / batch) } as const;
    const descent = (rate: number) =>
      sgd({ learningRate: cosine(rate, { warmUp: 0.05 }), momentum: 0.9, nesterov: true, weightDecay: 1e-3 });
    const cases = bits.flatMap((width): Case[] => [
      { name: `${width} bits, as it is`, mapping, tile: tile(array(width)), ages, chips },
      {
        name: `${width} bits, trained for it`,
        mapping: { ...mapping, clipSigmas: clip },
        training: {
          epochs: given.awareEpochs,
          batch,
          optimizer: descent(given.awareRate),
          noise: "constant",
          noiseScale: noise,
          tile: tile(array(width)),
        },
        tile: tile(array(width)),
        ages,
        chips,
      },
    ]);
    const chance = 1 / 12;
    const result = (found: Found): Result => ({
      metrics: {
        ...tableOf(found, { chance }),
        drop: Object.fromEntries(
          found.cases.map(({ name, accuracy }) => [
            name,
            accuracy.map(({ mean }) => 100 * ((found.floating ?? Number.NaN) - mean)),
          ]),
        ),
        split,
      },
      figures: found.cases.length > 0 ? { error: errorFigure(found, "AnalogNet-KWS on a PCM crossbar") } : {},
      networks: found.networks,
    });
    const found = await study(
      { ...data, layers: analognetKws(), inputs: [frames, coefficients, 1], chance },
      {
        floating: { epochs: given.epochs, batch, optimizer: descent(given.learningRate) },
        cases,
        seed: context.seed,
        fused: given.fused,
        start: weights ? await readNetwork(weights) : undefined,
      },
      { ...context, partial: (some) => context.partial(result(some)) },
    );
    return result(found);
  },
});
