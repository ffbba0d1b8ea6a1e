/**
 * Noise on weights in training for chips: as devices would have it, drawn once for a batch.
 *
 * Weights are relative, at most 1 in size. Source: Rasch et al. 2023, Nat. Commun. 14:5282, "Hardware-aware training".
 */
import { randomKey } from "../math/random.ts";
import type { Block } from "../tensor/heap.ts";
import { type Kernels, normalCount } from "../tensor/kernels.ts";

/**
 * How the spread of a weight on a device goes with x = |w|, both over the largest: sd^2 = p(x)^2 + q^2 x^(2 power), p a
 * polynomial.
 */
export interface NoiseShape {
  /** Of p, from the constant on: at most five. */
  readonly coefficients: readonly number[];
  /** Noise of reads. */
  readonly q?: number;
  readonly power?: number;
}

/** sqrt(ln((t + T) / 2 T)) 20 s after programming, T = 250 ns: Rasch et al. 2023, read noise of long duration. */
const readGrowth = Math.sqrt(Math.log((20 + 250e-9) / 500e-9));

/** Spreads of the devices that papers train for. */
export const noiseShapes = {
  /** Programming error at 25 uS and noise of reads after 20 s: Rasch et al. 2023, PCM model; x^0.35 as Q goes with x^-0.65. */
  pcm: {
    coefficients: [0.26348 / 25, 1.965 / 25, -1.1731 / 25],
    q: 0.0088 * readGrowth,
    power: 0.35,
  },
  /** Programming error one day later, at 40 uS: Wan et al. 2022, Nature 608:504, as in Rasch et al. 2023. */
  reram: { coefficients: [0.701, 22.086, -50.773, 47.095, -16.458].map((c) => c / 40) },
  /** The same for all weights. */
  constant: { coefficients: [1] },
} as const satisfies Readonly<Record<string, NoiseShape>>;

/** Sizes of a matrix: rows of `width` numbers, of which `inputs` are weights. */
interface Size {
  readonly outputs: number;
  readonly inputs: number;
  readonly width: number;
}

/** What fills rows of a matrix up becomes 0. */
export function clearRows(data: Float32Array, { outputs, inputs, width }: Size): void {
  if (inputs === width) return;
  for (let row = 0; row < outputs; row++) data.fill(0, row * width + inputs, (row + 1) * width);
}

export class Disturbance {
  readonly #kernels: Kernels;
  readonly #size: Size;
  readonly #shape: NoiseShape;
  readonly #dropConnect: number;
  readonly #key: readonly [number, number];
  readonly #z: Block;

  constructor(
    kernels: Kernels,
    o: Size & { readonly shape: NoiseShape; readonly dropConnect: number; readonly seed: string },
  ) {
    this.#kernels = kernels;
    this.#size = o;
    this.#shape = o.shape;
    this.#dropConnect = o.dropConnect;
    this.#key = randomKey(o.seed, "hardware");
    this.#z = kernels.heap.take(normalCount(o.outputs * o.width) + 16);
  }

  /** to = weights / scale of their row, with `scale` times the noise of batch `tick`; without a tick they are left as they are. */
  apply(
    weights: Block,
    inverse: Block,
    to: Block,
    o: { readonly tick?: number; readonly scale: number },
  ): void {
    const kernels = this.#kernels;
    const { outputs, width } = this.#size;
    const count = outputs * width;
    const [key0, key1] = this.#key;
    const z = this.#z;
    const { tick, scale } = o;
    if (tick === undefined || scale === 0) kernels.scaleRows(outputs, width, weights.at, to.at, inverse.at);
    else {
      kernels.normals(z.at, count, key0, key1, 0, tick, scale);
      clearRows(z.data, this.#size);
      const { coefficients, q = 0, power = 0 } = this.#shape;
      const c = Array.from({ length: 5 }, (_, k) => coefficients[k] ?? 0);
      const rows = [outputs, width, weights.at, z.at, to.at, inverse.at];
      kernels.disturbRows(...rows, ...c, q * q, 2 * power);
    }
    if (tick === undefined || this.#dropConnect === 0) return;
    kernels.keep(z.at, count, key0, key1, 1, tick, this.#dropConnect, 1);
    kernels.multiplyBoth(count, to.at, z.at, to.at);
  }
}
