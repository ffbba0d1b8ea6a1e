/**
 * Examples changed at random before they are learnt from: steps in a list, each plain data.
 *
 * What happens to an example follows from seed, epoch, its number and the step's place in the list, never from batches or their
 * order: a draw is that of (seed, step, draw, epoch, example). A step takes numbers of one shape, features last, and gives numbers of
 * another; steps are done in turn. Images are [height][width][channel], sounds [sample], spectrograms [time][feature]; a last
 * axis of 1 may follow.
 */
import type { Mfcc } from "../encode/mfcc.ts";
import { ConfigError } from "../math/errors.ts";
import { type Key, philox, randomKey, uniform } from "../math/random.ts";
import { formatShape, sizeOf } from "../tensor/table.ts";
import type { Batch } from "./train.ts";

/** A step. `Mfcc` is one, too: sounds become spectrograms where it stands. */
export type Augmentation =
  | { readonly kind: "crop"; readonly padding: number }
  | { readonly kind: "flip"; readonly probability: number }
  | { readonly kind: "cutout"; readonly size: number }
  | { readonly kind: "timeShift"; readonly most: number }
  | {
      readonly kind: "backgroundNoise";
      readonly noises: readonly Float32Array[];
      readonly probability: number;
      readonly volume: number;
    }
  | { readonly kind: "gaussianNoise"; readonly deviation: number }
  | {
      readonly kind: "spectrogramMask";
      readonly time: number;
      readonly frequency: number;
      readonly count: number;
    }
  | { readonly kind: "normalise"; readonly mean: readonly number[]; readonly deviation: readonly number[] }
  | Mfcc;

/** An image of the same size at a random place of the image with `padding` zeros on each side. */
export function crop(padding: number): Augmentation {
  return { kind: "crop", padding: whole("the padding of a crop", padding) };
}

/** Left and right exchanged with a probability, by default one half. */
export function flip(probability = 0.5): Augmentation {
  return { kind: "flip", probability: share("the probability of a flip", probability) };
}

/**
 * Zeros in a square of `size` pixels around a random pixel, less where the image ends. DeVries & Taylor 2017, arXiv:1708.04552.
 */
export function cutout(size: number): Augmentation {
  return { kind: "cutout", size: whole("the size of a cutout", size) };
}

/** Later or earlier by at most `most` places of the first axis, every whole number alike; zeros come in. */
export function timeShift(most: number): Augmentation {
  return { kind: "timeShift", most: whole("the most of a shift", most) };
}

/**
 * With a probability (default 0.8) a random piece of a random one of `noises` is added to a sound, as loud as a random number up to
 * `volume` (default 0.1); the sum is cut off at full scale, 1. Noises are at least as long as the sound. Zhang et al. 2017,
 * arXiv:1711.07128.
 */
export function backgroundNoise(
  noises: readonly Float32Array[],
  o: { readonly probability?: number; readonly volume?: number } = {},
): Augmentation {
  const { probability = 0.8, volume = 0.1 } = o;
  share("the probability of background noise", probability);
  if (noises.length === 0) throw new ConfigError("there are no recordings of background noise");
  return { kind: "backgroundNoise", noises, probability, volume: atLeast0("the volume of noise", volume) };
}

/** Normal numbers of this standard deviation, added to each number. */
export function gaussianNoise(deviation: number): Augmentation {
  return { kind: "gaussianNoise", deviation: atLeast0("the deviation of noise", deviation) };
}

/**
 * Zeros in `count` (default 1) random stretches of at most `time` frames and in as many of at most `frequency` features: after
 * normalisation, 0 is the mean. Park et al. 2019, arXiv:1904.08779, without warping.
 */
export function spectrogramMask(o: {
  readonly time: number;
  readonly frequency: number;
  readonly count?: number;
}): Augmentation {
  return {
    kind: "spectrogramMask",
    time: whole("the longest mask of time", o.time),
    frequency: whole("the widest mask of frequency", o.frequency),
    count: whole("the count of masks", o.count ?? 1),
  };
}

/** (x - mean) / deviation, for each feature of the last axis or for all numbers alike. */
export function normalise(o: {
  readonly mean: readonly number[] | number;
  readonly deviation: readonly number[] | number;
}): Augmentation {
  const [mean, deviation] = [[o.mean].flat(), [o.deviation].flat()];
  if (mean.length !== deviation.length)
    throw new ConfigError(`there are ${mean.length} means and ${deviation.length} deviations`);
  const wrong = deviation.findIndex((value, k) => !(value > 0 && Number.isFinite(value + mean[k])));
  if (wrong >= 0)
    throw new ConfigError(
      `feature ${wrong} cannot be normalised by mean ${mean[wrong]} and deviation ${deviation[wrong]}`,
    );
  return { kind: "normalise", mean, deviation };
}

/**
 * All steps in turn on the examples of a batch, in place: what `train` takes as `change`. Throws `ConfigError`, naming the step, where
 * one does not fit the shape it is given, and where the shape is another in the end.
 */
export function augment(
  steps: readonly Augmentation[],
  o: { readonly shape: readonly number[]; readonly seed: string | number },
): (batch: Batch) => void {
  const { shape, apply } = augmenter(steps, o);
  const size = sizeOf(o.shape);
  if (sizeOf(shape) !== size)
    throw new ConfigError(
      `the steps make ${formatShape(shape)} of ${formatShape(o.shape)}, which has no room in place; \`batches\` gives it`,
    );
  return ({ inputs, examples, epoch }) => {
    if (inputs.length !== examples.length * size)
      throw new ConfigError(
        `${examples.length} examples of ${formatShape(o.shape)} are ${examples.length * size} numbers, not ${inputs.length}`,
      );
    examples.forEach((example, k) => {
      const own = inputs.subarray(k * size, (k + 1) * size);
      apply(own, own, { example, epoch });
    });
  };
}

/** Steps made ready for examples of one shape. */
export interface Augmenter {
  /** Of one example afterwards. */
  readonly shape: readonly number[];
  /** Writes `scale` times the example's numbers, changed by all steps, to `into`, which may be the example itself. */
  apply(
    example: ArrayLike<number>,
    into: Float32Array,
    o: { readonly example: number; readonly epoch: number; readonly scale?: number },
  ): void;
}

/** Steps for examples of a shape; they may give another. Throws `ConfigError`, naming the step that does not fit. */
export function augmenter(
  steps: readonly Augmentation[],
  o: { readonly shape: readonly number[]; readonly seed: string | number },
): Augmenter {
  const key = randomKey(o.seed, "augment");
  let { shape } = o;
  const shapes = [shape];
  const stages = steps.map((step, index) => {
    const stage = prepared(step, shape, `step ${index}, ${step.kind}:`);
    shape = stage.shape ?? shape;
    shapes.push(shape);
    return stage;
  });
  const [first, last] = [sizeOf(o.shape), sizeOf(shape)];
  const room = Math.max(...shapes.map(sizeOf));
  const buffers = [new Float32Array(room), new Float32Array(room)];
  const views = shapes.map((each, k) => buffers[k % 2].subarray(0, sizeOf(each))); // what step k begins from
  return {
    shape,
    apply(inputs, into, { example, epoch, scale = 1 }) {
      if (inputs.length !== first || into.length !== last)
        throw new ConfigError(
          `an example of ${first} numbers that becomes ${last} is not one of ${inputs.length} that becomes ${into.length}`,
        );
      const begin = views[0];
      for (let k = 0; k < first; k++) begin[k] = scale * inputs[k];
      for (const [index, { run }] of stages.entries())
        run(views[index], views[index + 1], { key, step: index, epoch, example });
      into.set(views[stages.length]);
    },
  };
}

interface Address {
  readonly key: Key;
  readonly step: number;
  readonly epoch: number;
  readonly example: number;
}

interface Stage {
  readonly shape?: readonly number[]; // where it is another than before
  readonly run: (from: Float32Array, to: Float32Array, address: Address) => void;
}

const draw = ({ key, step, epoch, example }: Address, number: number) =>
  uniform(key, step, number, epoch, example);

/** A whole number from `low` to `high`, all alike. */
const drawn = (address: Address, number: number, low: number, high: number) =>
  low + Math.floor(draw(address, number) * (high - low + 1));

function prepared(step: Augmentation, shape: readonly number[], place: string): Stage {
  const image = () => {
    if (shape.length !== 3)
      throw new ConfigError(`${place} images are [height, width, channels], not ${formatShape(shape)}`);
    return shape;
  };
  const size = sizeOf(shape);
  switch (step.kind) {
    case "crop": {
      const [height, width, channels] = image();
      const { padding } = step;
      return {
        run(from, to, address) {
          const down = drawn(address, 0, -padding, padding);
          const right = drawn(address, 1, -padding, padding);
          to.fill(0);
          const [begin, end] = [Math.max(0, -right), Math.min(width, width - right)];
          if (begin >= end) return;
          for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
            const row = (y + down) * width + right;
            to.set(
              from.subarray((row + begin) * channels, (row + end) * channels),
              (y * width + begin) * channels,
            );
          }
        },
      };
    }
    case "flip": {
      const [height, width, channels] = image();
      return {
        run(from, to, address) {
          if (draw(address, 0) >= step.probability) return to.set(from);
          for (let y = 0, at = 0; y < height; y++)
            for (let x = width - 1; x >= 0; x--)
              for (let c = 0; c < channels; c++) to[at++] = from[(y * width + x) * channels + c];
        },
      };
    }
    case "cutout": {
      const [height, width, channels] = image();
      return {
        run(from, to, address) {
          to.set(from);
          const y0 = drawn(address, 0, 0, height - 1) - (step.size >> 1);
          const x0 = drawn(address, 1, 0, width - 1) - (step.size >> 1);
          const [left, right] = [Math.max(0, x0), Math.min(width, x0 + step.size)];
          for (let y = Math.max(0, y0); y < Math.min(height, y0 + step.size); y++)
            to.fill(0, (y * width + left) * channels, (y * width + right) * channels);
        },
      };
    }
    case "timeShift": {
      const width = size / shape[0];
      return {
        run(from, to, address) {
          const later = drawn(address, 0, -step.most, step.most) * width;
          to.fill(0);
          if (Math.abs(later) >= size) return;
          to.set(from.subarray(Math.max(0, -later), size - Math.max(0, later)), Math.max(0, later));
        },
      };
    }
    case "backgroundNoise": {
      const short = step.noises.findIndex((noise) => noise.length < size);
      if (short >= 0)
        throw new ConfigError(
          `${place} noise ${short} has ${step.noises[short].length} samples, the sound ${size}`,
        );
      return {
        run(from, to, address) {
          if (draw(address, 0) >= step.probability) return to.set(from);
          const noise = step.noises[drawn(address, 1, 0, step.noises.length - 1)];
          const begin = drawn(address, 2, 0, noise.length - size);
          const volume = step.volume * draw(address, 3);
          for (let k = 0; k < size; k++)
            to[k] = Math.max(-1, Math.min(1, from[k] + volume * noise[begin + k]));
        },
      };
    }
    case "gaussianNoise":
      return { run: (from, to, address) => addNormals(from, to, step.deviation, address) };
    case "spectrogramMask": {
      if (shape.length < 2)
        throw new ConfigError(`${place} spectrograms are [time, features], not ${formatShape(shape)}`);
      const [frames, features] = shape;
      const inner = size / frames / features;
      for (const [name, most, whole] of [
        ["time", step.time, frames],
        ["frequency", step.frequency, features],
      ] as const)
        if (most > whole)
          throw new ConfigError(`${place} ${name} ${most} is more than the ${whole} there are`);
      return {
        run(from, to, address) {
          to.set(from);
          for (let mask = 0; mask < step.count; mask++) {
            const long = drawn(address, 4 * mask, 0, step.time);
            const begin = drawn(address, 4 * mask + 1, 0, frames - long);
            to.fill(0, begin * features * inner, (begin + long) * features * inner);
            const wide = drawn(address, 4 * mask + 2, 0, step.frequency);
            const low = drawn(address, 4 * mask + 3, 0, features - wide);
            for (let t = 0; t < frames; t++)
              to.fill(0, (t * features + low) * inner, (t * features + low + wide) * inner);
          }
        },
      };
    }
    case "normalise": {
      const { mean, deviation } = step;
      const features = shape.at(-1) === 1 ? shape.at(-2) : shape.at(-1);
      if (mean.length !== 1 && mean.length !== features)
        throw new ConfigError(`${place} there are ${mean.length} means for ${features} features`);
      return {
        run(from, to) {
          for (let k = 0, f = 0; k < size; k++) {
            to[k] = (from[k] - mean[f]) / deviation[f];
            if (++f === mean.length) f = 0;
          }
        },
      };
    }
    case "mfcc":
      if (size > step.samples)
        throw new ConfigError(`${place} it is for sounds of ${step.samples} samples, not of ${size}`);
      return { shape: step.shape, run: (from, to) => step.transform(from, to) };
  }
}

const block = new Uint32Array(4); // scratch: filled and read within one turn

/** Four numbers of a block of random words (Box & Muller 1958, Ann. Math. Statist. 29:610). */
function addNormals(from: Float32Array, to: Float32Array, deviation: number, address: Address): void {
  const [k0, k1] = address.key;
  for (let at = 0, number = 0; at < from.length; at += 4, number++) {
    philox(number, address.epoch, address.step, address.example, k0, k1, block);
    for (let pair = 0; pair < 4; pair += 2) {
      const far = deviation * Math.sqrt(-2 * Math.log((block[pair] + 0.5) * 2 ** -32));
      const angle = 2 * Math.PI * (block[pair + 1] * 2 ** -32);
      const k = at + pair;
      if (k < from.length) to[k] = from[k] + far * Math.cos(angle);
      if (k + 1 < from.length) to[k + 1] = from[k + 1] + far * Math.sin(angle);
    }
  }
}

function whole(what: string, value: number): number {
  if (!(Number.isInteger(value) && value >= 0))
    throw new ConfigError(`${what} is a whole number from 0 on, not ${value}`);
  return value;
}

function share(what: string, value: number): number {
  if (!(value >= 0 && value <= 1)) throw new ConfigError(`${what} lies between 0 and 1, not ${value}`);
  return value;
}

function atLeast0(what: string, value: number): number {
  if (!(Number.isFinite(value) && value >= 0))
    throw new ConfigError(`${what} is a number from 0 on, not ${value}`);
  return value;
}
