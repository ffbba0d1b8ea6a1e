/** The two ways onto chips that most questions ask about: weights as they are, and weights trained for chips. */
import { pcmInference } from "../../models/pcm-inference.ts";
import { reRamWanDay } from "../../models/reram-inference.ts";
import { ConfigError, type Time, tile } from "../../src/index.ts";
import type { Case, Training } from "./study.ts";

const devices = { pcm: pcmInference, reram: reRamWanDay };
export const deviceNames = Object.keys(devices).join(" or ");

export interface ChipOptions {
  readonly device: string;
  readonly ages: readonly Time[];
  readonly chips: number;
  readonly noise: number;
  readonly rampSteps: number;
  readonly dropConnect?: number;
  readonly remapEvery?: number;
  readonly driftCompensation?: Case["driftCompensation"];
}

/**
 * "as it is" and "trained for chips". Ranges of inputs are found in 100 batches, or in all of the `examples` to learn from where
 * these are fewer. Throws `ConfigError` for a device that there is not.
 */
export function bothWays(o: ChipOptions, training: Training, examples: number): Case[] {
  const name = o.device;
  if (!Object.hasOwn(devices, name))
    throw new ConfigError(`there is no device ${name}; there are ${Object.keys(devices).join(", ")}`);
  const device = devices[name as keyof typeof devices];
  const rangeBatches = Math.min(100, Math.ceil(examples / training.batch));
  const { ages, chips, driftCompensation, remapEvery } = o;
  const mapping = { rangeBatches, ...(remapEvery ? { remapEvery } : {}) };
  const onChips = { mapping, tile: tile({ device }), ages, chips, driftCompensation };
  return [
    { name: "as it is", ...onChips },
    {
      name: "trained for chips",
      ...onChips,
      training: {
        ...training,
        noise: name === "reram" ? "reram" : "pcm",
        noiseScale: o.noise,
        rampSteps: o.rampSteps,
        dropConnect: o.dropConnect ?? 0,
        // what is slow and small
        tile: tile({ device, irDrop: 0, weightNoise: 0 }),
      },
    },
  ];
}

/** Parameters of both ways, described. */
export const chipDescriptions = {
  awareEpochs: "passes of training for chips, which starts from the weights in floating point",
  awareRate: "its learning rate",
  noise: "factor of the noise on weights in it",
  rampSteps: "steps over which that noise grows",
  dropConnect: "part of the weights that are 0 for a batch in it",
  device: `what holds the weights: ${deviceNames}`,
  chips: "programmings of each network",
  ages: "times after programming",
  weights:
    "folder of an earlier run, whose networks are taken over, or a .safetensors file with one in floating point",
  fused: "fuse products and sums: a third faster, and other bits on other machines",
} as const;
