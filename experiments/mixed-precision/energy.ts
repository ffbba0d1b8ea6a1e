/**
 * Energy of training an example: products by crossbars, digital work, pulses; and of a 32-bit digital design.
 *
 *     E = products + chi + activations + pulses          digital: E = multiplications
 *
 * Published are two totals for an image by 784-250-10, 83.2 nJ and 14.35 uJ (notes on Nandakumar et al. 2020, Front. Neurosci.
 * 14:406), not their parts. Two numbers are therefore set so that the totals come out: the energy of one update of chi and
 * that of one digital multiplication. The others are cited or assumed: see `costs`.
 */
import { type DeviceMatrix, quantity } from "../../src/index.ts";

/** Energies, J. */
const costs = {
  /**
   * Of one weight in one product, with its converters: 2 operations at 10.5 TOPS/W, measured on a core of 256 x 256 pairs.
   * Khaddam-Aljameh et al. 2022, IEEE J. Solid-State Circuits 57:1027.
   */
  product: 2 / 10.5e12,
  /** Of one value or slope of an activation: ten 32-bit operations of 1 pJ. Assumed. */
  activation: 10e-12,
};

/** What happens in training one example. */
export interface Work {
  /** Weights times products by crossbars. */
  readonly products: number;
  /** Multiply-and-adds into chi, or into the gradient that a batch adds to chi. */
  readonly updates: number;
  readonly activations: number;
  /** Multiply-and-adds of all three passes in a digital design. */
  readonly multiplications: number;
  /** Pulses by name. */
  readonly pulses: Readonly<Record<string, number>>;
}

/** Energies of the pulses, such as "6.75 pJ". */
export interface PulseCosts {
  readonly setPulse: string;
  readonly resetPulse: string;
}

/** 90 uA for 50 ns and 360 uA for 500 ns at 1.5 V, which is assumed. */
export const pulseCosts: PulseCosts = { setPulse: "6.75 pJ", resetPulse: "270 pJ" };

/** Published totals, for 784-250-10 by single images. */
export const published = { mixed: 83.2e-9, digital: 14.35e-6 };

/** Of the pixels of MNIST's training images those that are not 0. */
const brightShare = 8994156 / 47040000;

/**
 * Work of 784-250-10 with biases as inputs, one image at a time. The slopes of the first layer's outputs pass the second backwards;
 * chi is looked at where the input is not 0. Pulses as counted in the mean of ten epochs.
 */
const reference: Work = {
  products: 785 * 250 + 251 * 10 + 250 * 10,
  updates: (784 * brightShare + 1) * 250 + 251 * 10,
  activations: 2 * (250 + 10),
  multiplications: 2 * (785 * 250 + 251 * 10) + 250 * 10,
  pulses: { set: 2.8, reset: 0.2 },
};

const programming = ({ pulses }: Work, { setPulse, resetPulse }: PulseCosts): number =>
  (pulses["set"] ?? 0) * quantity(setPulse, "J") + (pulses["reset"] ?? 0) * quantity(resetPulse, "J");

/** Set so that the published totals come out, J: 0.98 pJ for an update and 35.9 pJ for a multiplication. */
export const calibrated = {
  update:
    (published.mixed -
      reference.products * costs.product -
      reference.activations * costs.activation -
      programming(reference, pulseCosts)) /
    reference.updates,
  multiplication: published.digital / reference.multiplications,
};

/** Energy of an example and its parts, J. */
export interface Energy {
  readonly products: number;
  readonly chi: number;
  readonly activations: number;
  readonly programming: number;
  readonly total: number;
  readonly digital: number;
  readonly ratio: number;
}

export function energyOf(work: Work, pulses: PulseCosts = pulseCosts): Energy {
  const parts = {
    products: work.products * costs.product,
    chi: work.updates * calibrated.update,
    activations: work.activations * costs.activation,
    programming: programming(work, pulses),
  };
  const total = parts.products + parts.chi + parts.activations + parts.programming;
  const digital = work.multiplications * calibrated.multiplication;
  return { ...parts, total, digital, ratio: digital / total };
}

/** Of 784-250-10, in which updates are counted where a pixel is not 0: the published totals, by construction. */
export const referenceEnergy = (): Energy => energyOf(reference);

/**
 * Work of matrices for one of so many examples that they were trained with, by what they counted. Updates are counted as if no
 * input were 0, and as if a batch's were gathered one by one: an upper bound.
 */
export function workOf(matrices: readonly DeviceMatrix[], examples: number): Work {
  const work = { products: 0, updates: 0, activations: 0, multiplications: 0 };
  const pulses: Record<string, number> = {};
  for (const { size, vectors, use } of matrices) {
    const [rows, columns] = size;
    const { forward, backward, gradient } = vectors;
    const weights = (rows * columns) / examples;
    work.products += (forward + backward) * weights;
    work.updates += gradient * weights;
    work.activations += (2 * forward * rows) / examples;
    work.multiplications += (forward + backward + gradient) * weights;
    for (const [name, count] of Object.entries(use.pulses))
      pulses[name] = (pulses[name] ?? 0) + count / examples;
  }
  return { ...work, pulses };
}
