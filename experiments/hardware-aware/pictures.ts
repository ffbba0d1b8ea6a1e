/** Small colour pictures, to learn from and to test on. */
import { channelMoments, cifar10, cifar100 } from "../../datasets/cifar10.ts";
import { shapeImages } from "../../datasets/shapes.ts";
import { ConfigError, type Examples } from "../../src/index.ts";

/**
 * Pictures as float32 numbers of mean 0 and deviation 1 for each colour of the training part; 0 `images` or `tests` for all that are
 * here.
 */
export async function pictures(data: string, o: { images: number; tests: number; seed: string | number }) {
  const load = (part: "train" | "test", count: number) => {
    const limit = count === 0 ? undefined : count;
    if (data === "cifar10") return cifar10(part, { limit });
    if (data === "cifar100") return cifar100(part, { limit });
    if (data === "shapes") return shapeImages(part, { size: count || 2000, seed: o.seed });
    throw new ConfigError(`data is "cifar10", "cifar100" or "shapes", not ${JSON.stringify(data)}`);
  };
  const [learnt, tested] = [await load("train", o.images), await load("test", o.tests)];
  const { mean, deviation } = channelMoments(learnt);
  const normal = ({ images, labels, channels }: typeof learnt): Examples => ({
    inputs: Float32Array.from(images, (x, k) => (x - mean[k % channels]) / deviation[k % channels]),
    labels,
  });
  const { height, width, channels, classes } = learnt;
  return {
    train: normal(learnt),
    test: normal(tested),
    inputs: [height, width, channels],
    classes: classes.length,
    split: `${learnt.split}; ${tested.split}`,
  };
}
