/**
 * What disturbs a chip, one at a time: how a tile is made worse in each way, from the standard tile on.
 *
 * Levels are in the unit of the effect; Rasch et al. 2023, Nat. Commun. 14:5282, "Sensitivity of ANNs".
 */
import { pcmInference } from "../../models/pcm-inference.ts";
import { type TileOptions, tile } from "../../src/index.ts";

export interface Effect {
  readonly name: string;
  readonly unit: string;
  /** What the standard tile has. */
  readonly standard: number;
  /** Levels to try, from hardly anything on. */
  readonly levels: readonly number[];
  /** Whether levels are whole numbers, so that none lies between two. */
  readonly whole?: boolean;
  readonly tile: (level: number) => TileOptions;
}

const ladder = (from: number, factor: number, count: number): number[] =>
  Array.from({ length: count }, (_, k) => Number((from * factor ** k).toPrecision(4)));

const times = (factor: number, ...names: readonly ("s0" | "s1" | "s2")[]) =>
  Object.fromEntries(
    names.map((name) => [name, `${({ s0: 0.26348, s1: 1.965, s2: -1.1731 } as const)[name] * factor} uS`]),
  );

/** Multiples of what a device of the standard tile does. */
const device = {
  programming: (factor: number) => pcmInference.with(times(factor, "s0", "s1", "s2")),
  driftSpread: (factor: number) =>
    pcmInference.with({
      nuSdSlope: -0.0125 * factor,
      nuSd0: -0.0059 * factor,
      nuSdLow: 0.008 * factor,
      nuSdHigh: 0.045 * factor,
    }),
};

export const effects: readonly Effect[] = [
  {
    name: "DAC",
    unit: "bits",
    standard: 8,
    levels: [7, 6, 5, 4, 3, 2],
    whole: true,
    tile: (dacBits) => ({ dacBits }),
  },
  {
    name: "ADC",
    unit: "bits",
    standard: 8,
    levels: [7, 6, 5, 4, 3, 2],
    whole: true,
    tile: (adcBits) => ({ adcBits }),
  },
  {
    name: "input noise",
    unit: "full inputs",
    standard: 0,
    levels: ladder(0.005, 2, 8),
    tile: (inputNoise) => ({ inputNoise }),
  },
  {
    name: "output noise",
    unit: "full products",
    standard: 0.04,
    levels: ladder(0.08, 2, 7),
    tile: (outputNoise) => ({ outputNoise }),
  },
  {
    name: "output bound",
    unit: "full products",
    standard: 10,
    levels: ladder(7, 0.7, 8),
    tile: (outputBound) => ({ outputBound }),
  },
  {
    name: "short-term weight noise",
    unit: "times standard",
    standard: 1,
    levels: ladder(2, 2, 6),
    tile: (factor) => ({ weightNoise: 0.0175 * factor }),
  },
  {
    name: "programming noise",
    unit: "times standard",
    standard: 1,
    levels: ladder(1.4, 1.4, 7),
    tile: (factor) => ({ device: device.programming(factor) }),
  },
  {
    name: "spread of drift",
    unit: "times standard",
    standard: 1,
    levels: ladder(1.5, 1.5, 7),
    tile: (factor) => ({ device: device.driftSpread(factor) }),
  },
  {
    name: "IR drop",
    unit: "times standard",
    standard: 1,
    levels: ladder(3, 2, 6),
    tile: (irDrop) => ({ irDrop }),
  },
  {
    name: "S-shape",
    unit: "spread of 1/4",
    standard: 0,
    levels: ladder(0.05, 2, 6),
    tile: (curvatureSpread) => ({ curvature: 0.25, curvatureSpread }),
  },
  {
    name: "read polarity",
    unit: "spread",
    standard: 0,
    levels: ladder(0.025, 2, 6),
    tile: (polaritySpread) => ({ polaritySpread }),
  },
  {
    name: "stuck at reset",
    unit: "share",
    standard: 0,
    levels: ladder(0.002, 2, 7),
    tile: (stuckReset) => ({ stuckReset }),
  },
  {
    name: "stuck at random",
    unit: "share",
    standard: 0,
    levels: ladder(0.0005, 2, 8),
    tile: (stuckRandom) => ({ stuckRandom }),
  },
  {
    name: "stuck at set",
    unit: "share",
    standard: 0,
    levels: ladder(0.0002, 2, 8),
    tile: (stuckSet) => ({ stuckSet }),
  },
];

/** The standard tile, changed as a network needs it, with one effect at a level. */
export const tileWith = (base: TileOptions, effect: Effect | undefined, level: number) =>
  tile({ device: pcmInference, ...base, ...effect?.tile(level) });
