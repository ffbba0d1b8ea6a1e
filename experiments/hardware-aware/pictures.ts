/** Small colour pictures, to learn from and to test on. */
import { channelMoments, cifar10 } from "../../datasets/cifar10.ts";
import { shapeImages } from "../../datasets/shapes.ts";
import { ConfigError, type Examples } from "../../src/index.ts";

/** Pictures as float32 numbers of mean 0 and deviation 1 for each colour of the training part. */
export async function pictures(data: string, o: { images: number; tests: number; seed: string | number }) {
  const load = (part: "train" | "test", limit: number) => {
    if (data === "cifar10") return cifar10(part, { limit });
    if (data === "shapes") return shapeImages(part, { size: limit, seed: o.seed });
    throw new ConfigError(`data is "cifar10" or "shapes", not ${JSON.stringify(data)}`);
  };
  const [learnt, tested] = [await load("train", o.images), await load("test", o.tests)];
  const { mean, deviation } = channelMoments(learnt);
  const normal = ({ images, labels, channels }: typeof learnt): Examples => ({
    inputs: Float32Array.from(images, (x, k) => (x - mean[k % channels]) / deviation[k % channels]),
    labels,
  });
  const { height, width, channels } = learnt;
  return { train: normal(learnt), test: normal(tested), inputs: [height, width, channels] };
}
