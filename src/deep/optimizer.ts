/** Steps down the gradient: how parameters follow their gradients, and how the learning rate goes with time. */
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import type { Parameter } from "./parameter.ts";

/** A learning rate, or how it goes: a function of the steps done, as plain data. */
export type LearningRate = number | Schedule;

export type Schedule =
  | {
      readonly kind: "steps";
      readonly start: number;
      /** Shares of all steps after which the rate is multiplied by `factor`. */
      readonly at: readonly number[];
      readonly factor: number;
      readonly warmUp: number;
    }
  | { readonly kind: "cosine"; readonly start: number; readonly end: number; readonly warmUp: number };

interface WarmUp {
  /** Share of all steps in which the rate rises from 0 in a straight line. Default 0. */
  readonly warmUp?: number;
}

/** The rate `start`, times `factor` (default 0.1) after each of the shares `at` of all steps. */
export const stepsDown = (
  start: number,
  o: { readonly at: readonly number[]; readonly factor?: number } & WarmUp,
): Schedule =>
  Object.freeze({ kind: "steps", start, at: [...o.at], factor: o.factor ?? 0.1, warmUp: o.warmUp ?? 0 });

/** From `start` to `end` (default 0) along half a cosine (Loshchilov & Hutter 2017, ICLR, eq. 5 without restarts). */
export const cosine = (start: number, o: { readonly end?: number } & WarmUp = {}): Schedule =>
  Object.freeze({ kind: "cosine", start, end: o.end ?? 0, warmUp: o.warmUp ?? 0 });

/** The rate after a share of all steps, from 0 to 1. */
export function rateAt(rate: LearningRate, share: number): number {
  if (typeof rate === "number") return rate;
  if (share < rate.warmUp) return (rate.start * share) / rate.warmUp;
  if (rate.kind === "steps")
    return rate.at.reduce((value, place) => (share >= place ? value * rate.factor : value), rate.start);
  const along = (share - rate.warmUp) / (1 - rate.warmUp);
  return rate.end + 0.5 * (rate.start - rate.end) * (1 + Math.cos(Math.PI * along));
}

/** How parameters follow their gradients. */
export type OptimizerOptions =
  | {
      readonly kind: "sgd";
      readonly learningRate: LearningRate;
      readonly momentum: number;
      readonly nesterov: boolean;
      readonly weightDecay: number;
      readonly clip: number | undefined;
    }
  | {
      readonly kind: "adam" | "adamw";
      readonly learningRate: LearningRate;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
      readonly clip: number | undefined;
    };

interface Common {
  readonly learningRate: LearningRate;
  /** Times the weights, added to their gradients (adamw: taken from the weights). Biases, scales and shifts do not decay. Default 0. */
  readonly weightDecay?: number;
  /** Largest length of all gradients together; longer ones are shortened to it (Pascanu et al. 2013, ICML). Default none. */
  readonly clip?: number;
}

/** Steps along the gradient, with momentum (Sutskever et al. 2013, ICML; as PyTorch has it: v = m v + g). */
export const sgd = (
  o: Common & { readonly momentum?: number; readonly nesterov?: boolean },
): OptimizerOptions =>
  Object.freeze({
    kind: "sgd",
    learningRate: o.learningRate,
    momentum: o.momentum ?? 0,
    nesterov: o.nesterov ?? false,
    weightDecay: o.weightDecay ?? 0,
    clip: o.clip,
  });

interface AdamOptions extends Common {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}
const adamOf = (kind: "adam" | "adamw", o: AdamOptions): OptimizerOptions =>
  Object.freeze({
    kind,
    learningRate: o.learningRate,
    beta1: o.beta1 ?? 0.9,
    beta2: o.beta2 ?? 0.999,
    epsilon: o.epsilon ?? 1e-8,
    weightDecay: o.weightDecay ?? (kind === "adamw" ? 0.01 : 0),
    clip: o.clip,
  });
/** Kingma & Ba 2015, ICLR, algorithm 1. */
export const adam = (options: AdamOptions): OptimizerOptions => adamOf("adam", options);
/** Loshchilov & Hutter 2019, ICLR, algorithm 2: weights decay by themselves, by 0.01 times the rate unless told. */
export const adamw = (options: AdamOptions): OptimizerOptions => adamOf("adamw", options);

/** Throws `ConfigError` for numbers that make no sense. */
export function checkOptimizer(o: OptimizerOptions): void {
  const refuse = (name: string, value: unknown, rule: string): never => {
    throw new ConfigError(`optimizer ${o.kind}: ${name} is ${rule}, not ${value}`);
  };
  if (!["sgd", "adam", "adamw"].includes(o.kind))
    throw new ConfigError(`there is no optimizer ${o.kind}${didYouMean(o.kind, ["sgd", "adam", "adamw"])}`);
  const start = typeof o.learningRate === "number" ? o.learningRate : o.learningRate.start;
  if (!(start > 0 && Number.isFinite(start))) refuse("learningRate", start, "a positive number");
  if (!(o.weightDecay >= 0)) refuse("weightDecay", o.weightDecay, "a number from 0");
  if (o.clip !== undefined && !(o.clip > 0)) refuse("clip", o.clip, "a positive number");
  const shares = o.kind === "sgd" ? { momentum: o.momentum } : { beta1: o.beta1, beta2: o.beta2 };
  for (const [name, value] of Object.entries(shares))
    if (!(value >= 0 && value < 1)) refuse(name, value, "from 0 to below 1");
}

/** The state of an optimizer over the parameters of a network. */
export class Optimizer {
  /** Steps done since `begin`. */
  steps = 0;
  readonly #kernels: Kernels;
  readonly #parameters: readonly Parameter[];
  /** For each parameter what it remembers: velocities, or first and second moments. Memory is kept for the next `begin`. */
  readonly #moments: Block[][];
  readonly #squares: Block;
  #options: OptimizerOptions = sgd({ learningRate: 1 });

  constructor(kernels: Kernels, parameters: readonly Parameter[]) {
    this.#kernels = kernels;
    this.#parameters = parameters;
    this.#moments = parameters.map(() => []);
    this.#squares = kernels.heap.take(16);
  }

  /** Forgets all, and steps like this from now on. Throws `ConfigError`. */
  begin(options: OptimizerOptions): void {
    checkOptimizer(options);
    this.#options = options;
    this.steps = 0;
    const count = options.kind === "sgd" ? (options.momentum > 0 ? 1 : 0) : 2;
    this.#parameters.forEach(({ value }, k) => {
      const own = this.#moments[k];
      while (own.length < count) own.push(this.#kernels.heap.take(value.data.length));
      for (const { data } of own) data.fill(0);
    });
  }

  /** What is remembered, by the names of parameters: views. */
  get memories(): { readonly name: string; readonly data: Float32Array }[] {
    return this.#parameters.flatMap(({ name }, k) =>
      this.#moments[k].map(({ data }, m) => ({ name: `${name}.moment${m}`, data })),
    );
  }

  /** Length of all gradients together. */
  gradientNorm(): number {
    let sum = 0;
    for (const { gradient } of this.#parameters) {
      // rows of at most 2^16 numbers keep float32 sums short
      const { length } = gradient.data;
      for (let from = 0; from < length; from += 65536) {
        const width = Math.min(65536, length - from);
        const at = gradient.at + 4 * from;
        this.#kernels.dotRows(1, width, width, at, at, this.#squares.at);
        sum += this.#squares.data[0];
      }
    }
    return Math.sqrt(sum);
  }

  /** One step of all parameters, whose gradients are 0 afterwards. `share`: of all steps, where the rate has a schedule. */
  step(share = 0): void {
    const o = this.#options;
    const kernels = this.#kernels;
    const rate = rateAt(o.learningRate, share);
    this.steps++;
    if (o.clip !== undefined) {
      const norm = this.gradientNorm();
      if (norm > o.clip)
        for (const { gradient } of this.#parameters)
          kernels.scale(gradient.data.length, gradient.at, gradient.at, o.clip / norm);
    }
    this.#parameters.forEach((parameter, k) => {
      const { value, gradient, decays } = parameter;
      const decay = decays ? o.weightDecay : 0;
      const count = value.data.length;
      const [first, second] = this.#moments[k];
      if (o.kind === "sgd") {
        if (o.momentum === 0) {
          if (decay > 0) kernels.addScaled(count, gradient.at, value.at, gradient.at, decay);
          kernels.addScaled(count, value.at, gradient.at, value.at, -rate);
        } else
          kernels[o.nesterov ? "nesterov" : "momentum"](
            count,
            value.at,
            gradient.at,
            first.at,
            value.at,
            first.at,
            rate,
            o.momentum,
            decay,
          );
      } else {
        const isApart = o.kind === "adamw";
        kernels.adam(
          count,
          value.at,
          gradient.at,
          first.at,
          second.at,
          value.at,
          first.at,
          second.at,
          rate / (1 - o.beta1 ** this.steps),
          o.beta1,
          1 - o.beta1,
          o.beta2,
          1 - o.beta2,
          1 / Math.sqrt(1 - o.beta2 ** this.steps),
          o.epsilon,
          isApart ? rate * decay : 0,
          isApart ? 0 : decay,
        );
      }
      gradient.data.fill(0);
      parameter.changed?.();
    });
  }
}
