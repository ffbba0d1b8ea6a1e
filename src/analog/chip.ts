/**
 * Weights written onto devices: a sample of a chip, which ages and is looked at.
 *
 * A weight w = scale_i v, |v| <= 1, sits on a pair of devices that carry its positive and its negative part between Gmin and
 * Gmax; with pair "active" only the device of its sign is simulated and the other stays at Gmin; a "single" device has the middle
 * of its range for 0. `devices` of them in parallel count as their mean; `significances` make them digits. What devices do is the text of their
 * model. A look takes the conductances of one age as they are read once: the same chip and age give the same bits, in any order,
 * and nothing changes by looking. Compensation of drift multiplies scales so that sums of test outputs are those right after
 * programming. Source: Rasch et al. 2023, Nat. Commun. 14:5282; Joshi et al. 2020, Nat. Commun. 11:2473.
 */
import { type DeviceArray, fabricate } from "../engine/array.ts";
import { ConfigError } from "../math/errors.ts";
import { type Key, randomKey, uniform } from "../math/random.ts";
import { seconds, type Time } from "../math/units.ts";
import { type PartRead, type TestSums, testSums } from "./testing.ts";
import { cuts, type Tile } from "./tile.ts";
import type { TiledMatrix } from "./tiles.ts";
import { conductancesOf, type Verify, type Writing, write } from "./writing.ts";

/** A matrix to be written. */
export interface MatrixValues {
  /** [output][input]; inputs of a convolution are [tap][channel]. */
  readonly weights: ArrayLike<number>;
  readonly outputs: number;
  readonly inputs: number;
  /** Cells of a kernel, for which a channel takes as many rows. Default 1. */
  readonly taps?: number;
  /** Where weights are already relative to full conductances: what each output is multiplied by. Weights beyond 1 are clipped. */
  readonly scale?: ArrayLike<number>;
  /** Added to outputs: [output]. */
  readonly offset?: ArrayLike<number>;
  /** Input range of all its tiles, or of each. Default that of the tile. */
  readonly inputRange?: number | readonly number[];
  /** Largest output of all its tiles. Default that of the tile. */
  readonly outputBound?: number;
}

export interface ProgramOptions {
  readonly seed: string | number;
  /** Write in a loop; without it devices are told their target once. */
  readonly verify?: Verify;
  /** Lowest and highest conductance of weights; default Gmin and Gmax of the device's model. */
  readonly Gmin?: string;
  readonly Gmax?: string;
  /** Inputs by which drift is compensated: each alone, or so many vectors of uniform numbers. Default "one-hot". */
  readonly testVectors?: "one-hot" | number;
  /** How their outputs are read: as sums of conductances, or as products of the tile with all its noise. Default "ideal". */
  readonly testReads?: "ideal" | "tile";
}

export interface LookOptions {
  /**
   * One factor for each tile, one for each column, or none. "gain": one for each tile, and the ADC ends at so much less, by the mean of
   * all tiles, which keeps its steps in proportion to what has drifted. Default "global".
   */
  readonly driftCompensation?: "global" | "column" | "gain" | "none";
  /** Whether a device's own noise of reads, frozen for this look, is there. Default true. */
  readonly readNoise?: boolean;
  /** Number of the look: others at the same age have other noise of reads. Default 0. */
  readonly look?: number;
}

/** A tile as it is at some age. */
export interface LookedPart {
  readonly from: number; // channels
  readonly to: number;
  /** Weights over a full device's, [output][tap][channel]. */
  readonly weights: Float32Array;
  /** G+ + G- of each, over a full device's, where the tile asks for it. */
  readonly conductances: Float32Array | undefined;
  /** [output], with compensation. */
  readonly scale: Float64Array;
  readonly inputRange: number;
  /** Largest output. Default that of the tile. */
  readonly outputBound?: number;
  /** Of what the columns and devices of this chip are like. */
  readonly key?: Key;
}

/** A matrix as it is at some age. */
export interface LookedMatrix {
  readonly outputs: number;
  readonly inputs: number;
  readonly taps: number;
  readonly offset: Float64Array;
  readonly parts: readonly LookedPart[];
}

export interface ChipLook {
  readonly age: number; // s
  readonly matrices: Readonly<Record<string, LookedMatrix>>;
}

interface WrittenPart {
  readonly from: number;
  readonly to: number;
  readonly inputs: number;
  readonly values: Float32Array; // relative, [output][tap][channel]
  readonly scale: Float64Array; // [output]
  readonly inputRange: number;
  readonly outputBound: number | undefined;
  readonly key: Key;
  readonly array: number; // which of the chip's arrays
  readonly first: number; // device of its first weight
}

interface WrittenMatrix {
  readonly outputs: number;
  readonly inputs: number;
  readonly taps: number;
  readonly offset: Float64Array;
  readonly parts: readonly WrittenPart[];
}

/** Devices that do not move. */
interface Stuck {
  readonly devices: Uint32Array;
  readonly conductances: Float64Array; // S
}

interface Range {
  readonly Gmin: number; // S
  readonly Gmax: number;
}

interface Devices {
  readonly array: DeviceArray;
  readonly stuck: Stuck;
}

/** Devices that one array holds at most; see `fabricate`. */
const mostDevices = 2 ** 24;

/** Weights on devices, at all ages. Made by `program`. */
export class Chip {
  readonly tile: Tile;
  /** What writing took. */
  readonly writing: Writing;
  readonly #matrices: Readonly<Record<string, WrittenMatrix>>;
  readonly #parts: readonly WrittenPart[];
  readonly #devices: readonly Devices[];
  readonly #range: Range;
  readonly #sums: TestSums;
  readonly #references = new Map<boolean, readonly Float64Array[]>(); // by whether reads have noise

  constructor(o: {
    readonly tile: Tile;
    readonly writing: Writing;
    readonly matrices: Readonly<Record<string, WrittenMatrix>>;
    readonly devices: readonly Devices[];
    readonly range: Range;
    readonly sums: TestSums;
  }) {
    this.tile = o.tile;
    this.writing = o.writing;
    this.#matrices = o.matrices;
    this.#parts = Object.values(o.matrices).flatMap(({ parts }) => parts);
    this.#devices = o.devices;
    this.#range = o.range;
    this.#sums = o.sums;
  }

  /**
   * The chip `age` after it was programmed: a look, not a change. Throws `ConfigError` for a negative age.
   */
  at(age: Time, options: LookOptions = {}): ChipLook {
    const { driftCompensation = "global", readNoise = true, look = 0 } = options;
    if (!["global", "column", "gain", "none"].includes(driftCompensation))
      throw new ConfigError(`driftCompensation is global, column, gain or none, not ${driftCompensation}`);
    if (!(seconds(age) >= 0))
      throw new ConfigError(`a chip is looked at after it was programmed, not at ${age}`);
    const reads = this.#read(age, readNoise, look);
    const factors =
      driftCompensation === "none"
        ? undefined
        : this.#factors(reads, { driftCompensation, readNoise, age, look });
    let moved = 1;
    if (driftCompensation === "gain" && factors)
      moved = factors.reduce((sum, [factor]) => sum + factor, 0) / factors.length;
    let next = 0;
    const looked = (part: WrittenPart): LookedPart => {
      const k = next++;
      const { from, to, inputRange, key } = part;
      const own = part.outputBound ?? (moved === 1 ? undefined : this.tile.outputBound);
      const outputBound = own === undefined ? undefined : own / moved;
      const scale = factors ? part.scale.map((gamma, i) => gamma * factors[k][i]) : part.scale;
      return { from, to, inputRange, outputBound, key, ...reads[k], scale };
    };
    const matrices = Object.entries(this.#matrices).map(([name, { parts, ...rest }]) => {
      return [name, { ...rest, parts: parts.map(looked) }] as const;
    });
    return { age: seconds(age), matrices: Object.fromEntries(matrices) };
  }

  /** Relative weights of all parts as the devices are read once. */
  #read(age: Time, noise: boolean, look: number): PartRead[] {
    const number = drawOf(age, look);
    const { Gmin, Gmax } = this.#range;
    const conductances = this.#devices.map(({ array, stuck }) => {
      const G = array.read({ after: age, noise, number });
      for (const [k, device] of stuck.devices.entries()) G[device] = stuck.conductances[k];
      return G;
    });
    const { pair, irDrop, irDropKind } = this.tile;
    const exact = irDrop > 0 && irDropKind === "exact";
    const middle = pair === "single" ? (Gmin + Gmax) / 2 : Gmin;
    const counts = countsOf(this.tile);
    const all = counts.reduce((a, b) => a + b, 0);
    const span = all * (Gmax - middle);
    return this.#parts.map(({ values, array, first }) => {
      const G = conductances[array];
      const count = values.length;
      const weights = new Float32Array(count);
      const sums = exact ? new Float32Array(count) : undefined;
      for (let k = 0; k < count; k++) {
        let one = 0;
        let other = 0;
        for (let n = 0, d = first + k; n < counts.length; n++, d += count) {
          one += counts[n] * G[d];
          other += counts[n] * (pair === "both" ? G[d + counts.length * count] : middle);
        }
        weights[k] = ((pair === "active" ? Math.sign(values[k]) : 1) * (one - other)) / span;
        if (sums) sums[k] = (one + other) / (all * Gmax);
      }
      return { weights, conductances: sums };
    });
  }

  /** What scales are multiplied by: [part][output]. */
  #factors(
    reads: readonly PartRead[],
    o: {
      readonly driftCompensation: "global" | "column" | "gain";
      readonly readNoise: boolean;
      readonly age: Time;
      readonly look: number;
    },
  ): Float64Array[] {
    let before = this.#references.get(o.readNoise);
    if (!before) {
      const number = drawOf("0 s", 0);
      before = this.#read("0 s", o.readNoise, 0).map((read, k) => this.#sums(k, read, number));
      this.#references.set(o.readNoise, before);
    }
    const number = drawOf(o.age, o.look);
    return reads.map((read, k) => {
      const now = this.#sums(k, read, number);
      const then = (before as readonly Float64Array[])[k];
      if (o.driftCompensation === "column") return now.map((s, i) => (s > 0 ? then[i] / s : 1));
      const total = (sums: Float64Array) => sums.reduce((a, b) => a + b, 0);
      return new Float64Array(now.length).fill(total(now) > 0 ? total(then) / total(now) : 1);
    });
  }
}

/** Number of the draw of an age and a look. */
const drawOf = (age: Time, look: number): number => randomKey("look", seconds(age), look)[0];

/**
 * Writes matrices onto the devices of a tile. Equal seeds make equal chips. Throws `ConfigError` for a tile without a device, values
 * that are not numbers, and devices that cannot be written so. Cost: 0.1 us a weight to write, as much to look.
 */
export async function program(
  matrices: Readonly<Record<string, MatrixValues>>,
  tile: Tile,
  options: ProgramOptions,
): Promise<Chip> {
  const { seed, verify, testVectors = "one-hot", testReads = "ideal" } = options;
  const { device } = tile;
  if (!device)
    throw new ConfigError("this tile has no device to write weights onto; tile({ device: pcmInference })");
  const range = conductancesOf(device, options);
  const counts = countsOf(tile);
  const each = (tile.pair === "both" ? 2 : 1) * counts.length;
  const sizes: number[] = []; // devices of each array
  const written = Object.entries(matrices).map(([name, values]) => {
    const place = (count: number) => {
      if (sizes.length === 0 || sizes[sizes.length - 1] + count > mostDevices) sizes.push(0);
      const first = sizes[sizes.length - 1];
      sizes[sizes.length - 1] += count;
      return { array: sizes.length - 1, first };
    };
    const made = { seed, place: (count: number) => place(each * count) };
    return [name, partsOf(name, values, tile, made)] as const;
  });
  if (sizes.length === 0) throw new ConfigError("there is no matrix to write");
  const all = Object.fromEntries(written);
  const parts = written.flatMap(([, matrix]) => matrix.parts);
  const targets = sizes.map((size) => new Float64Array(size));
  for (const part of parts) setTargets(targets[part.array], part, tile, range);
  const devices: Devices[] = [];
  const pulses: Record<string, number> = {};
  let outside = 0;
  for (const [a, size] of sizes.entries()) {
    const array = await fabricate(size, device, { seed: `${seed}/${a}` });
    const took = write(array, targets[a], verify);
    for (const [name, count] of Object.entries(took.pulses)) pulses[name] = (pulses[name] ?? 0) + count;
    outside += took.outside;
    devices.push({ array, stuck: stuckOf(tile, size, range, randomKey(seed, a, "stuck")) });
  }
  const sums = await testSums(tile, parts, { testVectors, testReads, seed });
  return new Chip({ tile, writing: { pulses, outside }, matrices: all, devices, range, sums });
}

/** What the devices of a polarity count for, the most significant first. */
const countsOf = ({ devices, significances }: Tile): number[] =>
  significances.flatMap((s) => new Array<number>(devices).fill(s));

/** Conductances that a part's devices are to have: [G+, G-][device of the weight][weight]. */
function setTargets(
  to: Float64Array,
  { values, first }: WrittenPart,
  tile: Tile,
  { Gmin, Gmax }: Range,
): void {
  const { pair, devices: parallel, significances } = tile;
  const all = significances.reduce((a, b) => a + b, 0);
  const count = values.length;
  const polarity = significances.length * parallel * count; // devices from G+ to G-
  let below = all; // what less significant devices hold
  for (const [m, significance] of significances.entries()) {
    below -= significance;
    for (let k = 0; k < count; k++) {
      const part = Math.min(1, Math.max(0, (Math.abs(values[k]) * all - below) / significance));
      const goal = Gmin + part * (Gmax - Gmin);
      const middle = (Gmin + Gmax + Math.sign(values[k]) * part * (Gmax - Gmin)) / 2;
      for (let n = 0, at = first + m * parallel * count + k; n < parallel; n++, at += count) {
        if (pair === "both") to[at + polarity] = values[k] < 0 ? goal : Gmin;
        to[at] = pair === "single" ? middle : pair === "both" && values[k] < 0 ? Gmin : goal;
      }
    }
  }
}

/** Cuts a matrix, finds scales, and makes weights relative to them. */
function partsOf(
  name: string,
  values: MatrixValues,
  tile: Tile,
  o: {
    readonly seed: string | number;
    readonly place: (count: number) => { readonly array: number; readonly first: number };
  },
): WrittenMatrix {
  const { weights, outputs, inputs, taps = 1, scale: told, offset } = values;
  const { inputRange = tile.inputRange, outputBound } = values;
  const refuse = (reason: string): never => {
    throw new ConfigError(`matrix ${name}: ${reason}`);
  };
  if (weights.length !== outputs * inputs)
    refuse(`${outputs} x ${inputs} weights are ${outputs * inputs} numbers, not ${weights.length}`);
  if (outputBound !== undefined && !(outputBound > 0))
    refuse(`its output bound is ${outputBound}, not a positive number`);
  if (taps > tile.rows) refuse(`a kernel of ${taps} cells does not fit on a tile of ${tile.rows} rows`);
  if (!Number.isInteger(inputs / taps)) refuse(`${inputs} inputs are not channels of ${taps} taps`);
  for (const [what, list] of Object.entries({ scale: told, offset }))
    if (list && list.length !== outputs)
      refuse(`${what} is a number for each of ${outputs} outputs, not ${list.length}`);
  const wrong = Array.prototype.findIndex.call(weights, (w: number) => !Number.isFinite(w));
  if (wrong >= 0)
    refuse(`weight ${wrong % inputs} of output ${Math.floor(wrong / inputs)} is ${weights[wrong]}`);
  const channels = inputs / taps;
  const ranges = cuts(channels, tile, taps);
  const parts = ranges.map(([from, to], k): WrittenPart => {
    const count = (to - from) * taps;
    const own = new Float32Array(outputs * count);
    for (let i = 0, at = 0; i < outputs; i++)
      for (let t = 0; t < taps; t++)
        for (let c = from; c < to; c++, at++) own[at] = weights[i * inputs + t * channels + c];
    const scale = scales(own, count, outputs, tile, told);
    for (let i = 0, at = 0; i < outputs; i++)
      for (let j = 0; j < count; j++, at++) {
        const relative = told ? own[at] : own[at] / scale[i];
        own[at] = Math.min(1, Math.max(-1, relative));
      }
    const range = typeof inputRange === "number" ? inputRange : inputRange[k];
    if (!(range > 0)) refuse(`the input range of tile ${k} is ${range}, not a positive number`);
    const key = randomKey(o.seed, name, k);
    const read = { scale, inputRange: range, outputBound, key };
    return { from, to, inputs: count, values: own, ...read, ...o.place(own.length) };
  });
  return { outputs, inputs, taps, offset: Float64Array.from(offset ?? new Float64Array(outputs)), parts };
}

/** What full conductances stand for: [output]. */
function scales(
  weights: Float32Array,
  inputs: number,
  outputs: number,
  { columnScale }: Tile,
  told: ArrayLike<number> | undefined,
): Float64Array {
  if (told) return Float64Array.from(told);
  if (columnScale === "none") return new Float64Array(outputs).fill(1);
  const largest = Float64Array.from({ length: outputs }, (_, i) =>
    weights.subarray(i * inputs, (i + 1) * inputs).reduce((most, w) => Math.max(most, Math.abs(w)), 0),
  );
  if (columnScale === "tile") largest.fill(largest.reduce((a, b) => Math.max(a, b), 0));
  return largest.map((most) => (most > 0 ? most : 1));
}

/** Devices that were made stuck, each by its own number. */
function stuckOf(tile: Tile, count: number, { Gmin, Gmax }: Range, key: Key): Stuck {
  const { stuckReset, stuckSet, stuckRandom } = tile;
  const devices: number[] = [];
  const conductances: number[] = [];
  const all = stuckReset + stuckSet + stuckRandom;
  for (let d = 0; all > 0 && d < count; d++) {
    const u = uniform(key, 0, d, 0);
    if (u >= all) continue;
    devices.push(d);
    if (u < stuckReset) conductances.push(Gmin);
    else if (u < stuckReset + stuckSet) conductances.push(Gmax);
    else conductances.push(Gmin + uniform(key, 1, d, 0) * (Gmax - Gmin));
  }
  return { devices: Uint32Array.from(devices), conductances: Float64Array.from(conductances) };
}

/** Puts a matrix of a look on tiles of the same shape. */
export function loadMatrix(to: TiledMatrix, { parts, offset }: LookedMatrix): void {
  to.offset.data.set(offset);
  for (const [k, part] of parts.entries()) {
    to.parts[k].alpha = part.inputRange;
    to.parts[k].outputBound = part.outputBound ?? to.tile.outputBound;
    to.load(k, part);
  }
}
