/** Spoken keywords as features, to learn from and to test on. */
import {
  backgroundOf,
  keywordSample,
  type SpokenCommands,
  speechCommands,
} from "../../datasets/speech-commands.ts";
import {
  augment,
  backgroundNoise,
  ConfigError,
  type Examples,
  mfcc,
  type TrainOptions,
  timeShift,
} from "../../src/index.ts";

const frames = 49;
const coefficients = 10;
const size = frames * coefficients;

/** [frame, coefficient, 1] */
export const keywordShape = [frames, coefficients, 1] as const;

export interface Keywords {
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
export async function keywords(data: string, seed: string | number): Promise<Keywords> {
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
