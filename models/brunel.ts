/**
 * Sparse networks of excitatory and inhibitory cells with Poisson drive, and what theory says of their rate.
 *
 * The drive is a cell's own: each tick the spikes of `Cext` independent sources of rate `rateExt` arrive.
 */
import { neuron, synapse } from "../src/index.ts";

const source = "Brunel 2000, J. Comput. Neurosci. 8:183, model A";

export const brunel = neuron({
  name: "Brunel leaky integrate-and-fire",
  source,
  equations: "dv/dt = -v / taum : V (unless refractory)",
  threshold: "v >= Vt",
  reset: "v = Vr",
  refractory: "tref",
  on: { tick: "v += J * poisson(Cext * rateExt * dt)" },
  parameters: {
    taum: "20 ms",
    Vt: "20 mV",
    Vr: "10 mV",
    tref: "2 ms",
    J: "0.1 mV",
    Cext: 1000,
    rateExt: "20 Hz", // twice the rate that reaches threshold on average, Vt / (J Cext taum)
  },
});

export const excitatory = synapse({
  name: "Brunel excitatory",
  source,
  on: { pre: "v_post += J" },
  parameters: { J: "0.1 mV" },
});

export const inhibitory = synapse({
  name: "Brunel inhibitory",
  source,
  on: { pre: "v_post -= g * J" },
  parameters: { J: "0.1 mV", g: 5 },
});

/** The same cell with exponentially decaying input: the benchmark network with plastic synapses (stdp.ts). */
export const brunelExponential = neuron({
  name: "Brunel leaky integrate-and-fire, exponential input",
  source: "after Brunel 2000, J. Comput. Neurosci. 8:183, with exponentially decaying input",
  equations: `
    dv/dt = (I - v) / taum : V (unless refractory)
    dI/dt = -I / taus      : V
  `,
  threshold: "v > Vt",
  reset: "v = Vr",
  refractory: "2 ms",
  on: { tick: "I += wext * poisson(Cext * rateExt * dt)" },
  parameters: {
    taum: "20 ms",
    taus: "5 ms",
    Vt: "20 mV",
    Vr: "10 mV",
    wext: "0.4 mV",
    Cext: 1000,
    rateExt: "10 Hz",
  },
});

export const excitatoryExponential = synapse({
  name: "Brunel excitatory, exponential input",
  source: "after Brunel 2000, J. Comput. Neurosci. 8:183",
  on: { pre: "I_post += J" },
  parameters: { J: "0.1 mV" },
});

export const inhibitoryExponential = synapse({
  name: "Brunel inhibitory, exponential input",
  source: "after Brunel 2000, J. Comput. Neurosci. 8:183",
  on: { pre: "I_post -= g * J" },
  parameters: { J: "0.1 mV", g: 6 },
});

/** A network of `brunel` cells, SI units; the defaults are those of the paper. */
export interface MeanField {
  readonly g: number; // inhibitory over excitatory weight
  readonly rateExt: number; // of each of Cext sources, Hz
  readonly excitatoryIndegree?: number; // 1000
  readonly inhibitoryIndegree?: number; // 250
  readonly J?: number; // V
  readonly taum?: number; // s
  readonly Vt?: number; // V
  readonly Vr?: number; // V
  readonly tref?: number; // s
}

/**
 * The rate of the asynchronous state, Hz: every cell sees white noise whose mean and variance follow from the
 * rate itself (diffusion limit). Solved by bisection; unique while inhibition dominates (g above 4).
 * Source: Siegert 1951, Phys. Rev. 81:617; Brunel 2000, section "stationary states".
 */
export function meanFieldRate(network: MeanField): number {
  const {
    g,
    rateExt,
    excitatoryIndegree: Ce = 1000,
    inhibitoryIndegree: Ci = 250,
    J = 1e-4,
    taum = 0.02,
    Vt = 0.02,
    Vr = 0.01,
    tref = 0.002,
  } = network;
  const answer = (rate: number): number => {
    const mean = taum * J * (Ce * (rateExt + rate) - g * Ci * rate);
    const deviation = J * Math.sqrt(taum * (Ce * (rateExt + rate) + g * g * Ci * rate));
    return whiteNoiseRate((Vr - mean) / deviation, (Vt - mean) / deviation, taum, tref);
  };
  let [low, high] = [0, 1 / tref];
  for (let k = 0; k < 60; k++) {
    const rate = (low + high) / 2;
    if (answer(rate) > rate) low = rate;
    else high = rate;
  }
  return (low + high) / 2;
}

/**
 * Rate of a leaky integrate-and-fire cell in white noise, Hz; `reset` and `threshold` in standard deviations
 * from the mean. The integral of exp(u^2) (1 + erf u) between them is written as
 * pi^(-1/2) times the integral over s > 0 of exp(-s^2) (exp(2 s threshold) - exp(2 s reset)) / s, which needs
 * no error function; Simpson's rule, relative error below 1e-8 for thresholds from -10 to 3
 * (test/models/brunel.test.ts).
 */
export function whiteNoiseRate(reset: number, threshold: number, taum: number, tref: number): number {
  const end = threshold > 0 ? threshold + 7 : Math.min(7, -20 / threshold); // beyond, exp(-40) of the peak
  const intervals = 4000;
  const step = end / intervals;
  let sum = 0;
  for (let k = 0; k <= intervals; k++) {
    const s = k * step;
    const value =
      k === 0
        ? 2 * (threshold - reset)
        : (Math.exp(s * (2 * threshold - s)) - Math.exp(s * (2 * reset - s))) / s;
    sum += value * (k === 0 || k === intervals ? 1 : k % 2 ? 4 : 2);
  }
  return 1 / (tref + (taum * sum * step) / 3);
}
