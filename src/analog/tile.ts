/**
 * A crossbar tile as plain data: its size, its converters, what disturbs its products, how weights sit on it.
 *
 * One product of a tile with a vector x of inputs, in which F is analog and the rest digital:
 *
 *     y_i = beta_i + alpha gamma_i Qout[ F_i( Qin[ x / alpha ] ) ]
 *     Q[z] = clip(step round(z / step), -bound, bound),   step = 2 bound / (2^bits - 2),   ties to even
 *
 * Inputs and conductances are relative: 1 is a full input and a full conductance. Knows nothing of devices' physics; periphery.ts
 * computes, chip.ts programs. Source: Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4;
 * noise and bound management as in aihwkit 1.1.0.
 */
import type { Model } from "../language/model.ts";
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";

const kinds = {
  weightNoiseKind: ["root", "constant"],
  irDropKind: ["quadratic", "exact"],
  noiseManagement: ["none", "abs-max", "average abs-max", "abs-max sum"],
  boundManagement: ["none", "iterative", "worst case"],
  columnScale: ["column", "tile", "none"],
  pair: ["active", "both", "single"],
} as const;

type Kind<K extends keyof typeof kinds> = (typeof kinds)[K][number];

/** What `tile` takes; numbers without a unit are relative to a full input on a full conductance. */
export interface TileOptions {
  /** Values to start from: the rest of the options changes them. Default "standard". */
  readonly preset?: keyof typeof presets;
  /** What holds the weights. Without one a tile can compute but not be programmed. */
  readonly device?: Model<"device">;
  /** Most inputs, and most outputs. */
  readonly rows?: number;
  readonly columns?: number;

  /** Bits of what goes in, 2^bits - 2 steps from -inputBound to inputBound; "none" for no rounding. */
  readonly dacBits?: number | "none";
  /** Largest input, after division by the input range. Infinity for no limit. */
  readonly inputBound?: number;
  /** Standard deviation that is added to each input after the converter. */
  readonly inputNoise?: number;
  readonly adcBits?: number | "none";
  /** Largest output. Infinity for no limit. */
  readonly outputBound?: number;
  /** Standard deviation that is added to each output before the converter. */
  readonly outputNoise?: number;

  /** Input range alpha of matrices that do not say theirs. */
  readonly inputRange?: number;
  /** What inputs are divided by instead of alpha: the largest of each vector, its running average, or one that takes sums into account. */
  readonly noiseManagement?: Kind<"noiseManagement">;
  /** Part of a vector's largest input in the running average. */
  readonly averageDecay?: number;
  /** Largest weight that "abs-max sum" and "worst case" assume: their divisor is the larger of the sums of one sign times it / outputBound. */
  readonly assumedWeight?: number;
  /** What happens when an output is clipped: nothing, or again with inputs half as large, until none is. */
  readonly boundManagement?: Kind<"boundManagement">;
  /** Inputs are not made smaller by more than this, nor once what is left of them is fewer steps of the DAC than 1 / `boundResolution`. */
  readonly boundFactor?: number;
  readonly boundResolution?: number;

  /** Short-term noise of weights, new in every product: of standard deviation weightNoise sqrt(|w|), or constant. */
  readonly weightNoise?: number;
  readonly weightNoiseKind?: Kind<"weightNoiseKind">;
  /** Factor of the voltage lost in wires, 0 for ideal ones; in "exact" of the wires' resistance. */
  readonly irDrop?: number;
  readonly irDropKind?: Kind<"irDropKind">;
  /** Conductance of the wire between two devices over that of a full device. */
  readonly wireConductance?: number;
  /** S-shape z / (1 + |zeta z|) of outputs before the converter: mean of zeta, and its spread between columns as a part of it. */
  readonly curvature?: number;
  readonly curvatureSpread?: number;
  /** Output at which the S-shape's slope is made 1; 0 leaves it 1 at 0. */
  readonly unitSlopeAt?: number;
  /** Standard deviation between devices of the part by which a weight counts more for negative inputs. */
  readonly polaritySpread?: number;

  /** Parts of the devices that stay at the lowest conductance, the highest, or anywhere between. */
  readonly stuckReset?: number;
  readonly stuckSet?: number;
  readonly stuckRandom?: number;
  /** Largest weights go to full conductance: of each column, of the whole tile, or 1 ("none": larger ones are clipped). */
  readonly columnScale?: Kind<"columnScale">;
  /**
   * Whether of a weight's two devices only the one that carries its sign has errors, or the idle one too; "single": one device
   * whose middle conductance is weight 0.
   */
  readonly pair?: Kind<"pair">;
  /** Devices in parallel in place of one, all written alike. */
  readonly devices?: number;
  /**
   * What devices of a polarity count for, falling to 1, such as [4, 1]: a weight fills the least significant first. Default [1].
   */
  readonly significances?: readonly number[];
}

/** A tile, checked: every value present. Made by `tile`. */
export type Tile = Readonly<Required<Omit<TileOptions, "preset" | "device">>> & {
  readonly kind: "tile";
  readonly device: Model<"device"> | undefined;
};

type Values = Omit<Tile, "kind" | "device">;

const ideal: Values = {
  rows: 512,
  columns: 512,
  dacBits: "none",
  inputBound: Number.POSITIVE_INFINITY,
  inputNoise: 0,
  adcBits: "none",
  outputBound: Number.POSITIVE_INFINITY,
  outputNoise: 0,
  inputRange: 1,
  noiseManagement: "none",
  averageDecay: 1e-3,
  assumedWeight: 0.6,
  boundManagement: "none",
  boundFactor: 1000,
  boundResolution: 0.25,
  weightNoise: 0,
  weightNoiseKind: "root",
  irDrop: 0,
  irDropKind: "quadratic",
  wireConductance: 1 / (0.35 * 5e-6), // 0.35 Ohm, 5 uS
  curvature: 0,
  curvatureSpread: 0,
  unitSlopeAt: 2,
  polaritySpread: 0,
  stuckReset: 0,
  stuckSet: 0,
  stuckRandom: 0,
  columnScale: "column",
  pair: "active",
  devices: 1,
  significances: [1],
};

/** Rasch et al. 2023, table of standard parameters. */
const standard: Values = {
  ...ideal,
  dacBits: 8,
  inputBound: 1,
  adcBits: 8,
  outputBound: 10,
  outputNoise: 0.04,
  weightNoise: 0.0175,
  irDrop: 1,
};

/** aihwkit 1.1.0, `IOParameters` as they come. */
const defaultIO: Values = {
  ...ideal,
  dacBits: 7,
  inputBound: 1,
  adcBits: 9,
  outputBound: 12,
  outputNoise: 0.06,
  weightNoiseKind: "constant",
  noiseManagement: "abs-max",
  boundManagement: "iterative",
};

const presets = {
  ideal,
  standard,
  defaultIO,
  /** aihwkit 1.1.0, `PresetIOParameters`. */
  presetIO: { ...defaultIO, outputBound: 20, outputNoise: 0.1 },
  /** aihwkit 1.1.0, `StandardIOParameters`. */
  standardIO: { ...defaultIO, dacBits: 8, adcBits: 8, outputBound: 10, outputNoise: 0.04 },
} as const satisfies Readonly<Record<string, Values>>;

/**
 * Describes a crossbar tile. Presets: "standard" (Rasch et al. 2023), "ideal" (a product of matrices), "defaultIO", "presetIO"
 * and "standardIO" (aihwkit 1.1.0's `IOParameters`, `PresetIOParameters`, `StandardIOParameters`). Throws `ConfigError` for a value that
 * makes no sense, with its name.
 */
export function tile(options: TileOptions = {}): Tile {
  const { preset = "standard", device, ...changes } = options;
  if (!Object.hasOwn(presets, preset))
    throw new ConfigError(`there is no tile ${preset}${didYouMean(preset, Object.keys(presets))}`);
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  for (const name of Object.keys(given))
    if (!Object.hasOwn(ideal, name))
      throw new ConfigError(`a tile has no ${name}${didYouMean(name, Object.keys(ideal))}`);
  const made: Tile = { ...presets[preset], ...given, kind: "tile", device };
  check(made);
  return Object.freeze({ ...made, significances: Object.freeze([...made.significances]) });
}

const wholeFrom = (least: number) => ({
  of: (x: number) => Number.isSafeInteger(x) && x >= least,
  what: `a whole number from ${least} on`,
});
const positive = { of: (x: number) => Number.isFinite(x) && x > 0, what: "a positive number" };
const limit = { of: (x: number) => x > 0, what: "a positive number or Infinity" };
const notNegative = { of: (x: number) => Number.isFinite(x) && x >= 0, what: "a number from 0 on" };
const part = { of: (x: number) => x >= 0 && x <= 1, what: "a number from 0 to 1" };

const rules: Readonly<Partial<Record<keyof Values, { of: (x: number) => boolean; what: string }>>> = {
  rows: wholeFrom(1),
  columns: wholeFrom(1),
  inputBound: limit,
  inputNoise: notNegative,
  outputBound: limit,
  outputNoise: notNegative,
  inputRange: positive,
  averageDecay: part,
  assumedWeight: positive,
  boundFactor: positive,
  boundResolution: positive,
  weightNoise: notNegative,
  irDrop: notNegative,
  wireConductance: positive,
  curvature: notNegative,
  curvatureSpread: notNegative,
  unitSlopeAt: notNegative,
  polaritySpread: notNegative,
  stuckReset: part,
  stuckSet: part,
  stuckRandom: part,
  devices: wholeFrom(1),
};

function check(made: Tile): void {
  const refuse = (name: string, value: unknown, what: string): never => {
    throw new ConfigError(`tile, ${name}: ${what}, not ${value}`);
  };
  for (const [name, { of, what }] of Object.entries(rules)) {
    const value: unknown = made[name as keyof Values];
    if (typeof value !== "number" || !of(value)) refuse(name, value, what);
  }
  for (const [name, known] of Object.entries(kinds)) {
    const value = made[name as keyof typeof kinds];
    if (!(known as readonly string[]).includes(value))
      refuse(name, `${value}${didYouMean(String(value), known)}`, `one of ${known.join(", ")}`);
  }
  for (const [name, bound] of [
    ["dacBits", "inputBound"],
    ["adcBits", "outputBound"],
  ] as const) {
    const bits = made[name];
    if (bits === "none") continue;
    if (!(Number.isInteger(bits) && bits >= 2 && bits <= 24)) refuse(name, bits, "2 to 24 bits, or none");
    if (made[bound] === Number.POSITIVE_INFINITY)
      refuse(bound, made[bound], `a limit, as a converter of ${bits} bits needs one`);
  }
  const { significances } = made;
  const falling = significances.every(
    (s, k) => Number.isFinite(s) && s >= 1 && (k === 0 || s <= significances[k - 1]),
  );
  if (!falling || significances.at(-1) !== 1)
    refuse("significances", `[${significances.join(", ")}]`, "numbers that fall to 1, such as [4, 1]");
  const stuck = made.stuckReset + made.stuckSet + made.stuckRandom;
  if (stuck > 1)
    refuse("stuckReset, stuckSet, stuckRandom", stuck, "parts of all devices, at most 1 together");
  if (made.boundManagement !== "none" && made.outputBound === Number.POSITIVE_INFINITY)
    refuse("outputBound", made.outputBound, "a limit, as bound management needs one");
}

/** Whether losses in wires take products of their own. */
export const isQuadratic = ({ irDrop, irDropKind }: Tile): boolean =>
  irDrop > 0 && irDropKind === "quadratic";

/** Steps of a converter to either side of 0: 127 with 8 bits. */
export const stepsOf = (bits: number): number => 2 ** (bits - 1) - 1;

/**
 * Whether what goes into a product depends on the vector it belongs to, so that a pixel that two patches share must be converted
 * for each: then rows have to be laid out before they are converted.
 */
export const byVector = ({ noiseManagement, boundManagement, inputNoise }: Tile): boolean =>
  noiseManagement !== "none" || boundManagement !== "none" || inputNoise > 0;

/**
 * Where the inputs of a matrix are cut so that each part fits on a tile: [from, to) in channels, of which each takes `taps`
 * rows (of a dense layer 1, of a 3 x 3 convolution 9). Parts are as few as can be and their sizes differ by one at most.
 * Throws `ConfigError` for a kernel that does not fit.
 */
export function cuts(
  channels: number,
  { rows }: Pick<Tile, "rows">,
  taps = 1,
): readonly [from: number, to: number][] {
  const most = Math.floor(rows / taps);
  if (most < 1) throw new ConfigError(`a kernel of ${taps} taps does not fit on a tile of ${rows} rows`);
  const count = Math.ceil(channels / most);
  return Array.from({ length: count }, (_, k): [number, number] => [
    Math.floor((k * channels) / count),
    Math.floor(((k + 1) * channels) / count),
  ]);
}
