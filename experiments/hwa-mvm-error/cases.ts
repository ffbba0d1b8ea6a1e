/**
 * Products whose error is asked for: what is special about each, and what others found.
 *
 * `published`: Rasch et al. 2023, or, where the article gives no number, an independent calculation of its equations. All are of
 * 512 x 512 weights, normal with standard deviation 0.246, and inputs uniform from -1 to 1.
 */
import { pcmInference } from "../../models/pcm-inference.ts";
import { reRamWan, reRamWanDay, reRamWanTwoDays } from "../../models/reram-inference.ts";
import type { LookOptions, Model, TileOptions, Time } from "../../src/index.ts";

export interface Case {
  readonly group: Group;
  readonly name: string;
  /** Error, %. */
  readonly published?: number;
  /** Beside the tile's standard; without a device weights are exact. */
  readonly tile: TileOptions;
  /** Weights beyond 1 are clipped to it before anything else. Default true. */
  readonly clipped?: boolean;
  /** Weights are rounded to so many bits. */
  readonly weightBits?: number;
  readonly age: Time;
  readonly look?: LookOptions;
  readonly testReads?: "ideal" | "tile";
}

export const groups = [
  "standard",
  "no compensation",
  "conventions",
  "compensation",
  "fixed point",
  "levels",
  "input range",
  "ReRAM",
] as const;
export type Group = (typeof groups)[number];

/** Full conductances are weight 1, as in the article's definition of the error. */
const pcm: TileOptions = { device: pcmInference, columnScale: "none" };
const year = "31536000 s";
const none = { driftCompensation: "none" } as const;
const ages = { "1 h": "1 h", "1 day": "1 day", "1 year": year } as const;

/** The same at three ages. */
const aged = (
  group: Group,
  name: string,
  published: readonly (number | undefined)[],
  rest: Omit<Case, "group" | "name" | "age" | "published">,
): Case[] =>
  Object.entries(ages).map(([label, age], k) => ({
    group,
    name: `${name}${label}`,
    published: published[k],
    age,
    ...rest,
  }));

const of = (name: string): number =>
  pcmInference.checked.parameters.find((parameter) => parameter.name === name)?.value ?? Number.NaN;

/** Programming and read noise as a multiple of what they are. */
function noisier(factor: number): Model<"device"> {
  const uS = (name: string) => `${factor * of(name) * 1e6} uS`;
  return pcmInference.with({
    ...{ s0: uS("s0"), s1: uS("s1"), s2: uS("s2") },
    ...{ q0: factor * of("q0"), qHigh: factor * of("qHigh") },
  });
}

const both = { ...pcm, pair: "both" } as const;
const mapped = { ...pcm, columnScale: "tile" } as const;
const column = { ...pcm, columnScale: "column" } as const;
const exact: TileOptions = { preset: "ideal" };
const level = (name: string, published: number | undefined, tile: TileOptions): Case => ({
  group: "levels",
  name,
  published,
  tile: { ...pcm, ...tile },
  age: "1 h",
});
/** Rows of weights, inputs, or both of so many bits; the tile is ideal otherwise. */
const fixed = (name: string, published: number, bits: { weights?: number; inputs?: number }): Case => ({
  group: "fixed point",
  name,
  published,
  tile: bits.inputs === undefined ? exact : { ...exact, dacBits: bits.inputs, inputBound: 1 },
  weightBits: bits.weights,
  age: "0 s",
});
const reRam = { columnScale: "none", weightNoise: 0.01, weightNoiseKind: "constant" } as const;

export const cases: readonly Case[] = [
  { group: "standard", name: "exact weights", tile: {}, age: "0 s" },
  {
    group: "standard",
    name: "programmed, product ideal",
    tile: { ...pcm, preset: "ideal", columnScale: "none" },
    age: "0 s",
    look: { readNoise: false },
  },
  {
    group: "standard",
    name: "programmed, without long-term noise of reads",
    published: 10.6,
    tile: pcm,
    age: "0 s",
    look: { readNoise: false },
  },
  { group: "standard", name: "programmed, with it", published: 13.3, tile: pcm, age: "0 s" },
  ...aged("standard", "", [15.1, 17.1, 22], { tile: pcm }),
  ...aged("no compensation", "no compensation, ", [26.2, 36, 51.7], { tile: pcm, look: none }),
  { group: "conventions", name: "both devices have errors, 0 s", published: 13.9, tile: both, age: "0 s" },
  ...aged("conventions", "both devices have errors, ", [15.5, 17.4, 22.1], { tile: both }),
  {
    group: "conventions",
    name: "largest weight of the tile at Gmax, 0 s",
    published: 14,
    tile: mapped,
    clipped: false,
    age: "0 s",
  },
  ...aged("conventions", "largest weight of the tile at Gmax, ", [16, undefined, undefined], {
    tile: mapped,
    clipped: false,
  }),
  {
    group: "conventions",
    name: "largest weight of each column at Gmax, 0 s",
    tile: column,
    clipped: false,
    age: "0 s",
  },
  ...aged("conventions", "largest weight of each column at Gmax, ", [], { tile: column, clipped: false }),
  ...aged("compensation", "a factor for each column, ", [], {
    tile: pcm,
    look: { driftCompensation: "column" },
  }),
  ...aged("compensation", "read by products of the tile, ", [], { tile: pcm, testReads: "tile" }),
  fixed("weights of 4 bits", 16.7, { weights: 4 }),
  fixed("inputs of 4 bits", 7.1, { inputs: 4 }),
  ...(
    [
      [3, 43],
      [4, 18.2],
      [5, 8.5],
      [6, 4.1],
    ] as const
  ).map(([bits, published]) => fixed(`both of ${bits} bits`, published, { weights: bits, inputs: bits })),
  level("loss in wires x 11.7", 19.4, { irDrop: 11.7 }),
  level("loss in wires x 12.3", 20, { irDrop: 12.3 }),
  level("exact loss in wires", undefined, { irDropKind: "exact" }),
  level("exact loss in wires x 3", undefined, { irDropKind: "exact", irDrop: 3 }),
  level("output noise 0.325", 20, { outputNoise: 0.325 }),
  level("ADC of 5 bits", 17, { adcBits: 5 }),
  level("ADC of 4 bits", 22.6, { adcBits: 4 }),
  level("DAC of 4 bits", 16.8, { dacBits: 4 }),
  level("DAC of 3 bits", 22.8, { dacBits: 3 }),
  level("constant noise of weights 0.067", 20, { weightNoise: 0.067, weightNoiseKind: "constant" }),
  level("constant noise of weights 0.026", undefined, { weightNoise: 0.026, weightNoiseKind: "constant" }),
  level("noise of devices x 1.4", 20, { device: noisier(1.4) }),
  level("1.8 % of devices stuck at 0", 20, { stuckReset: 0.018 }),
  level("0.06 % stuck at Gmax", 20, { stuckSet: 0.0006 }),
  level("0.18 % stuck anywhere", 20, { stuckRandom: 0.0018 }),
  level("0.09 % stuck at Gmax", undefined, { stuckSet: 0.0009 }),
  level("0.25 % stuck anywhere", undefined, { stuckRandom: 0.0025 }),
  ...(
    [
      [0.5, 39.4],
      [1, 13.3],
      [2, 13.45],
      [3, 13.8],
      [5, 15.1],
    ] as const
  ).map(
    ([inputRange, published]): Case => ({
      group: "input range",
      name: `input range ${inputRange}, 0 s`,
      published,
      tile: { ...pcm, inputRange },
      age: "0 s",
    }),
  ),
  ...(
    [
      ["1 s", reRamWan],
      ["1 day", reRamWanDay],
      ["2 days", reRamWanTwoDays],
    ] as const
  ).map(
    ([age, device]): Case => ({
      group: "ReRAM",
      name: `ReRAM, ${age} after programming`,
      tile: { ...reRam, device },
      age: "0 s",
      look: { ...none, readNoise: false },
    }),
  ),
];
