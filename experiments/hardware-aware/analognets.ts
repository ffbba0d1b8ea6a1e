/** What all questions about AnalogNets share: their crossbar, how weights and converters are fitted to it, and steps of learning. */
import { pcmInference } from "../../models/pcm-inference.ts";
import { type AwareOptions, cosine, type OptimizerOptions, sgd, type Tile, tile } from "../../src/index.ts";

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
