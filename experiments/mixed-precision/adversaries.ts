/** Two networks that learn against each other, each in floating point or on devices (Goodfellow et al. 2014, arXiv:1406.2661). */
import {
  type Context,
  dense,
  type Layer,
  type Matrices,
  type OptimizerOptions,
  relu,
  type Sequential,
  sequential,
  shuffled,
  sigmoid,
} from "../../src/index.ts";

export interface Sizes {
  readonly pixels: number;
  readonly noise: number;
  /** Cells of the hidden layers. */
  readonly generator: readonly number[];
  readonly discriminator: readonly number[];
  readonly batch: number;
}

export interface Adversaries {
  readonly generator: Sequential;
  readonly discriminator: Sequential;
}

/** Dense layers with relu between them. */
function perceptron(sizes: readonly number[]): Layer[] {
  return sizes
    .slice(1)
    .flatMap((outputs, k) => (k === 0 ? [dense(sizes[0], outputs)] : [relu(), dense(sizes[k], outputs)]));
}

/** GiB that perceptrons of these sizes take at most, with moments, gradients, packed and read weights. */
function memoryOf(sizes: readonly number[], batch: number): number {
  const weights = sizes.slice(1).reduce((sum, outputs, k) => sum + (outputs + 4) * (sizes[k] + 4), 0);
  const cells = sizes.reduce((sum, size) => sum + size + 4, 0);
  return 0.01 + (4 * (16 * weights + 16 * batch * cells)) / 2 ** 30;
}

/** Images with intensities 0 to 1 from normal numbers, and the log odds that an image is real. */
export async function adversaries(
  { pixels, noise, generator, discriminator, batch }: Sizes,
  o: { readonly seed: string; readonly matrices: { readonly [K in keyof Adversaries]?: Matrices } },
): Promise<Adversaries> {
  const { seed, matrices } = o;
  const common = { batch, loss: "binary cross-entropy" as const };
  const [making, telling] = [
    [noise, ...generator, pixels],
    [pixels, ...discriminator, 1],
  ];
  return {
    generator: await sequential([...perceptron(making), sigmoid()], {
      ...{ ...common, inputs: [noise], seed: `${seed}/generator`, matrices: matrices.generator },
      memory: memoryOf(making, batch),
    }),
    discriminator: await sequential(perceptron(telling), {
      ...{ ...common, inputs: [pixels], seed: `${seed}/discriminator`, matrices: matrices.discriminator },
      memory: memoryOf(telling, batch),
      inputDerivatives: true,
    }),
  };
}

/** Outputs of a table without what fills rows up: a copy. */
function rowsOf(
  { data, width, features }: ReturnType<Sequential["forward"]>,
  rows: number,
): Float32Array<ArrayBuffer> {
  const copy = new Float32Array(rows * features);
  for (let row = 0; row < rows; row++)
    copy.set(data.subarray(row * width, row * width + features), row * features);
  return copy;
}

/** Normal numbers that follow from a seed, for `count` images. */
export type Noise = (count: number, seed: string) => Float32Array;

/**
 * Passes over the images. In each step the discriminator learns real ones and as many made ones, then the generator what the
 * discriminator takes for real. The generator's loss is that it is not taken for real: -log D(G(z)).
 */
export async function compete(
  { generator, discriminator }: Adversaries,
  images: Float32Array,
  o: {
    readonly epochs: number;
    readonly batch: number;
    readonly optimizer: OptimizerOptions;
    readonly noise: Noise;
    /** What the discriminator is to say of real images: 1, or less (Salimans et al. 2016, arXiv:1606.03498, section 3.4). */
    readonly realTarget: number;
    readonly seed: string;
    readonly signal: Context["signal"];
    readonly progress: (fraction: number) => void;
    readonly onEpoch: () => void;
  },
): Promise<void> {
  const { epochs, batch, noise, seed, signal } = o;
  const [pixels] = discriminator.inputs;
  const count = images.length / pixels;
  const steps = Math.floor(count / batch);
  const ones = new Float32Array(batch).fill(1);
  const realTargets = new Float32Array(batch).fill(o.realTarget);
  const zeros = new Float32Array(batch);
  generator.optimizer = o.optimizer;
  discriminator.optimizer = o.optimizer;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const { inputs } = shuffled({ inputs: images, labels: new Uint8Array(count) }, `${seed}/${epoch}`);
    for (let step = 0; step < steps; step++) {
      const share = (epoch + step / steps) / epochs;
      if (step % 10 === 0) {
        o.progress(share);
        await new Promise((resolve) => setTimeout(resolve, 0));
        if (signal.aborted) return;
      }
      const real = inputs.subarray(step * batch * pixels, (step + 1) * batch * pixels);
      discriminator.forward(real, { purpose: "training" });
      discriminator.judge({ targets: realTargets });
      discriminator.backward();
      const z = noise(batch, `${seed}/noise ${epoch} ${step}`);
      const made = rowsOf(generator.forward(z, { purpose: "training" }), batch);
      discriminator.forward(made, { purpose: "training" });
      discriminator.judge({ targets: zeros });
      discriminator.backward();
      discriminator.step(share);
      discriminator.forward(made, { purpose: "training" });
      discriminator.judge({ targets: ones });
      const slopes = rowsOf(discriminator.backward({ wanted: true }), batch);
      discriminator.clearGradients();
      generator.backward({ dy: slopes });
      generator.step(share);
    }
    o.onEpoch();
  }
}

/** Images that the generator makes of so many normal numbers. */
export function imagine(generator: Sequential, z: Float32Array): Float32Array {
  const [noise] = generator.inputs;
  const [pixels] = generator.outputs;
  const count = z.length / noise;
  const images = new Float32Array(count * pixels);
  for (let from = 0; from < count; from += generator.batch) {
    const rows = Math.min(generator.batch, count - from);
    images.set(
      rowsOf(generator.forward(z.subarray(from * noise, (from + rows) * noise)), rows),
      from * pixels,
    );
  }
  return images;
}
