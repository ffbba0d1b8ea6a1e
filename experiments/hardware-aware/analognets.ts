/** What all questions about AnalogNets share: their crossbar, how weights and converters are fitted to it, and steps of learning. */
import { pcmInference } from "../../models/pcm-inference.ts";
import {
  type AwareOptions,
  cosine,
  type OptimizerOptions,
  sgd,
  type Tile,
  type Time,
  tile,
} from "../../src/index.ts";
import type { Case } from "./study.ts";

/**
 * An array of 1024 x 512 PCM cells with converters of so many bits (Zhou et al. 2021, arXiv:2111.06503). The paper's chip model has
 * errors of programming, drift and 1/f noise; noise of outputs is that of the standard tile. `gain`: full inputs on full weights
 * that reach the end of the ADC; where it is learnt, the one that learning begins with.
 */
export const analognetArray = (bits: number | "none", gain: number): Tile =>
  tile({
    ...(bits === "none" ? { preset: "ideal" } : { dacBits: bits, adcBits: bits, outputBound: gain }),
    device: pcmInference,
    rows: 1024,
    columns: 512,
    irDrop: 0,
    weightNoise: 0,
  });

/** Gain that learning begins with, before outputs are looked at: the standard tile's. */
export const firstGain = 10;

/**
 * One scale for all weights of a layer, for columns share an ADC's gain. Input ranges begin as 99.9 % of inputs (ibid., stage 2) and
 * are learnt, with one gain for all layers unless a number fixes it.
 */
export const analognetMapping = (o: { readonly rangeBatches: number; readonly gain?: number }) =>
  ({
    scale: "tile",
    rangeBatches: o.rangeBatches,
    rangeShare: 0.999,
    rangeRule: "step",
    outputBound: o.gain ? "tile" : "shared",
  }) as const satisfies Omit<AwareOptions, "tile">;

/** Stochastic gradient descent with momentum 0.9, whose rate falls along half a cosine. */
export const descent = (rate: number): OptimizerOptions =>
  sgd({ learningRate: cosine(rate, { warmUp: 0.05 }), momentum: 0.9, nesterov: true, weightDecay: 1e-3 });

interface BothWays {
  readonly bits: readonly number[];
  /** 0 to learn it. */
  readonly gain: number;
  readonly rangeBatches: number;
  readonly awareEpochs: number;
  readonly awareRate: number;
  readonly batch: number;
  readonly noise: number;
  readonly clip: number;
  readonly chips: number;
  readonly ages: readonly Time[];
  readonly driftCompensation?: Case["driftCompensation"];
}

/** For each width of converters: weights in floating point as they are, and trained for the array. */
export const casesByBits = (o: BothWays): Case[] =>
  o.bits.flatMap((bits): Case[] => {
    const array = analognetArray(bits, o.gain || firstGain);
    const mapping = analognetMapping(o);
    const { ages, chips, driftCompensation } = o;
    const onArray = { tile: array, ages, chips, driftCompensation };
    const optimizer = descent(o.awareRate);
    const training = { epochs: o.awareEpochs, batch: o.batch, optimizer, tile: array };
    return [
      { name: `${bits} bits, as it is`, mapping, ...onArray },
      {
        name: `${bits} bits, trained for it`,
        mapping: { ...mapping, clipSigmas: o.clip },
        training: { ...training, noise: "constant", noiseScale: o.noise },
        ...onArray,
      },
    ];
  });

/** Parameters that these questions share, described. */
export const analognetTexts = {
  epochs: "passes in floating point",
  learningRate: "of stochastic gradient descent with momentum 0.9; it falls along half a cosine",
  awareEpochs: "passes of training for the crossbar, which starts from the weights in floating point",
  awareRate: "its learning rate",
  bits: "bits of both converters, one case each",
  noise:
    "standard deviation of the noise on weights in training for the crossbar, over the largest weight of a layer",
  clip: "weights of a layer are clipped at so many of their standard deviations",
  gain: "full inputs on full weights that reach the end of the ADC, the same for all layers; 0 to learn it",
  rangeBatches: "batches over which input ranges and the gain are looked for before they are learnt",
  chips: "programmings of each case",
  ages: "times after programming",
  fused: "fuse products and sums: a third faster, and other bits on other machines",
} as const;
