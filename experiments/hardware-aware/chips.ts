/**
 * The ways onto chips that most questions ask about: weights as they are, weights trained for chips, and weights trained for a part
 * of what chips do.
 */
import { pcmInference } from "../../models/pcm-inference.ts";
import { reRamWan, reRamWanDay, reRamWanTwoDays } from "../../models/reram-inference.ts";
import { ConfigError, seconds, type Tile, type TileOptions, type Time, tile } from "../../src/index.ts";
import type { Case, Training } from "./study.ts";

interface Device {
  readonly tile: TileOptions;
  /** Tiles of the only ages at which a device is known. */
  readonly at?: Readonly<Record<Time, TileOptions>>;
}

/** Short-term noise of 1 % of full conductance whatever the weight, and no other noise of reads: Rasch et al. 2023. */
const reram = (device: typeof reRamWan): TileOptions => ({
  device: device.with({ readSd: 0 }),
  weightNoise: 0.01,
  weightNoiseKind: "constant",
});

const devices: Readonly<Record<string, Device>> = {
  pcm: { tile: { device: pcmInference } },
  reram: {
    tile: reram(reRamWanDay),
    at: { "1 s": reram(reRamWan), "1 day": reram(reRamWanDay), "2 days": reram(reRamWanTwoDays) },
  },
};
export const deviceNames = Object.keys(devices).join(" or ");

/** What training disturbs, by the names of cases; `undefined`: no training. Wires and short-term noise are slow and small. */
const ways: Readonly<
  Record<string, { readonly onWeights: boolean; readonly tile: TileOptions } | undefined>
> = {
  "as it is": undefined,
  "trained for chips": { onWeights: true, tile: { irDrop: 0, weightNoise: 0 } },
  "trained with output noise only": { onWeights: false, tile: { irDrop: 0, weightNoise: 0 } },
  "trained with short-term noise only": { onWeights: false, tile: { irDrop: 0, outputNoise: 0 } },
  "trained without noise": { onWeights: false, tile: { irDrop: 0, weightNoise: 0, outputNoise: 0 } },
};
export const wayNames: readonly string[] = Object.keys(ways);

export interface ChipOptions {
  readonly device: string;
  readonly ages: readonly Time[];
  readonly chips: number;
  readonly noise: number;
  readonly rampSteps: number;
  readonly dropConnect?: number;
  readonly remapEvery?: number;
  /** Standard deviations at which weights are clipped where they are trained for chips; 0 for none. Default 0. */
  readonly clip?: number;
  readonly learnScale?: boolean;
  readonly driftCompensation?: Case["driftCompensation"];
  /** Share of the loss that is the distance from the network in floating point. Default 0. */
  readonly distillation?: number;
  /** Of `wayNames`. Default the first two. */
  readonly methods?: readonly string[];
}

/** At which outputs of the network in floating point are learnt: Rasch et al. 2023. */
const temperature = 10;

/**
 * Cases named as the methods. Ranges of inputs are found in 100 batches, or in all of the `examples` to learn from where these are
 * fewer. Throws `ConfigError` for devices, ages of devices and methods that there are not.
 */
export function waysOntoChips(o: ChipOptions, training: Training, examples: number): Case[] {
  const name = o.device;
  if (!Object.hasOwn(devices, name))
    throw new ConfigError(`there is no device ${name}; there are ${Object.keys(devices).join(", ")}`);
  const device = devices[name];
  const rangeBatches = Math.min(100, Math.ceil(examples / training.batch));
  const { ages, chips, driftCompensation, remapEvery, learnScale = false, distillation = 0, clip = 0 } = o;
  if (!(distillation >= 0 && distillation <= 1))
    throw new ConfigError(`distillation is a share from 0 to 1, not ${distillation}`);
  const onChips = {
    mapping: { rangeBatches, learnScale, ...(remapEvery ? { remapEvery } : {}) },
    tile: tile(device.tile),
    ...(device.at ? { tileAt: tilesAt(name, device.at, ages) } : {}),
    ages,
    chips,
    driftCompensation,
  };
  return (o.methods ?? wayNames.slice(0, 2)).map((method): Case => {
    if (!Object.hasOwn(ways, method))
      throw new ConfigError(
        `there is no method ${JSON.stringify(method)}; there are ${wayNames.map((each) => JSON.stringify(each)).join(", ")}`,
      );
    const way = ways[method];
    if (!way) return { name: method, ...onChips };
    return {
      name: method,
      ...onChips,
      mapping: { ...onChips.mapping, ...(clip > 0 ? { clipSigmas: clip } : {}) },
      training: {
        ...training,
        noise: "pcm",
        noiseScale: way.onWeights ? o.noise : 0,
        rampSteps: o.rampSteps,
        dropConnect: way.onWeights ? (o.dropConnect ?? 0) : 0,
        tile: tile({ ...device.tile, ...way.tile }),
        ...(distillation > 0 ? { distillation: { share: distillation, temperature } } : {}),
      },
    };
  });
}

/** Throws `ConfigError` for ages at which the device is not known. */
function tilesAt(name: string, at: Readonly<Record<Time, TileOptions>>, ages: readonly Time[]) {
  const known = new Map(Object.entries(at).map(([age, options]) => [seconds(age as Time), tile(options)]));
  const tileAt = (age: Time): Tile => {
    const found = known.get(seconds(age));
    if (found) return found;
    const all = Object.keys(at);
    throw new ConfigError(
      `${name} was measured at ${all.join(", ")}, not at ${age}; set ages=${all.join(",")}`,
    );
  };
  for (const age of ages) tileAt(age);
  return tileAt;
}

/** Parameters of the ways onto chips, described. */
export const chipDescriptions = {
  awareEpochs: "passes of training for chips, which starts from the weights in floating point",
  awareRate: "its learning rate",
  noise: "factor of the noise on weights in it, which is that of PCM",
  rampSteps: "steps over which that noise grows",
  dropConnect: "part of the weights that are 0 for a batch in it",
  distillation: `share of its loss that is the distance from the network in floating point, at temperature ${temperature}, times its square; the paper has 0.75 for some networks`,
  device: `what holds the weights: ${deviceNames}; reram is known at 1 s, 1 day, 2 days`,
  chips: "programmings of each network",
  ages: "times after programming",
  weights:
    "folder of an earlier run, whose networks are taken over, or a .safetensors file with one in floating point",
  fused: "fuse products and sums: a third faster, and other bits on other machines",
} as const;
