/** Grey pictures with and without persons, or of two other kinds in their place, to learn from and to test on. */
import { type ColourImages, channelMoments, cifar10 } from "../../datasets/cifar10.ts";
import { squeeze } from "../../datasets/photographs.ts";
import { shapeImages } from "../../datasets/shapes.ts";
import { visualWakeWords } from "../../datasets/visual-wake-words.ts";
import { augment, ConfigError, crop, type Examples, flip, type TrainOptions } from "../../src/index.ts";

export interface Persons {
  readonly train: Examples;
  readonly test: Examples;
  readonly inputs: readonly [number, number, 1];
  readonly change: TrainOptions["change"];
  /** Share of test pictures of the larger class. */
  readonly chance: number;
  readonly split: string;
}

type Part = "train" | "test";

interface Wanted {
  readonly signal: AbortSignal;
  /** Told what part of the user's own pictures is read. */
  readonly reading: (fraction: number) => void;
  readonly side: number;
  /** Pictures of each part; 0 for all that are here. */
  readonly counts: Readonly<Record<Part, number>>;
  readonly seed: string | number;
}

/** Pictures of 32 x 32 pixels in two kinds, enlarged; each pixel of a larger picture is the mean over its area. */
function twoKinds(set: ColourImages, side: number, kind: (label: number) => number): ColourImages {
  const { size, width, height } = set;
  const images = new Uint8Array(size * side * side);
  const area = width * height * 3;
  for (let k = 0; k < size; k++) {
    const data = set.images.subarray(k * area, (k + 1) * area);
    squeeze({ width, height, data }, side, 1, images.subarray(k * side * side, (k + 1) * side * side));
  }
  return { ...set, height: side, width: side, channels: 1, images, labels: set.labels.map(kind) };
}

const vehicles = ["airplane", "automobile", "ship", "truck"];

async function load(data: string, part: Part, wanted: Wanted): Promise<ColourImages> {
  const { side, counts, seed, signal, reading } = wanted;
  const limit = counts[part] || undefined;
  if (data === "visual-wake-words")
    return visualWakeWords(part, { side, channels: 1, limit }, { signal, progress: reading });
  if (data === "cifar10") {
    const set = await cifar10(part, { limit });
    const kinds = twoKinds(set, side, (label) => Number(!vehicles.includes(set.classes[label])));
    return { ...kinds, split: `stand-in for persons: animals or vehicles in grey, ${set.split}` };
  }
  if (data === "shapes") {
    const set = shapeImages(part, { size: limit ?? 1000, seed, noise: 8 });
    const kinds = twoKinds(set, side, (label) => Number(set.classes[label].endsWith("ring")));
    return { ...kinds, split: `stand-in for persons: rings or other shapes in grey, ${set.split}` };
  }
  throw new ConfigError(`data is "visual-wake-words", "cifar10" or "shapes", not ${JSON.stringify(data)}`);
}

/** Pictures of mean 0 and deviation 1; while learning they are moved by up to a sixteenth of their side and turned left to right. */
export async function persons(data: string, wanted: Wanted): Promise<Persons> {
  const { side, seed } = wanted;
  const [learnt, tested] = [await load(data, "train", wanted), await load(data, "test", wanted)];
  const [mean, deviation] = Object.values(channelMoments(learnt)).map(([value]) => 255 * value);
  const normal = ({ images, labels }: ColourImages): Examples => ({
    inputs: Float32Array.from(images, (level) => (level - mean) / deviation),
    labels,
  });
  const ones = tested.labels.reduce((sum, label) => sum + label, 0) / tested.size;
  return {
    train: normal(learnt),
    test: normal(tested),
    inputs: [side, side, 1],
    change: augment([crop(side >> 4), flip()], { shape: [side, side, 1], seed }),
    chance: Math.max(ones, 1 - ones),
    split: `${learnt.split}; ${tested.split.replace(/^.*?, (?=[\d,]+ )/, "")}`,
  };
}
