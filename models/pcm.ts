/**
 * Phase-change memory devices that accumulate SET pulses.
 *
 * Conductances are referred to T0 after the last pulse; drift restarts at every pulse and never feeds back.
 * A read before T0 gives the value at T0: the power law says nothing about earlier times.
 */
import { device } from "../src/index.ts";

/**
 * The step of a SET pulse shrinks with the conductance and with the pulses since the last RESET, which P
 * remembers: P = exp(-p / alpha) at the p-th pulse. `nuSd` spreads the drift exponent over devices; the source
 * has one exponent for all.
 */
export const pcm = device({
  name: "PCM, accumulation",
  source: "Nandakumar et al. 2018, J. Appl. Phys. 124:152135, doi:10.1063/1.5042408",
  equations: `
    G  : S
    P  : 1
    nu : 1 (constant)
  `,
  initial: { G: "max(0, Greset + GresetSd * randn())", P: 1, nu: "nuMean + nuSd * randn()" },
  on: {
    set: `
      P = P * exp(-1 / alpha)
      G = clip(G + m1 * G + c1 + A1 * P + (m2 * G + c2 + A2 * P) * randn(), Gmin, Gmax)
    `,
    reset: "P = 1; G = max(0, Greset + GresetSd * randn())",
  },
  drift: "G * (max(age, T0) / T0)^(-nu)",
  read: "Gd + (m3 * Gd + c3) * randn()",
  parameters: {
    alpha: 2.6,
    m1: -0.084,
    c1: "0.880 uS",
    A1: "1.40 uS",
    m2: 0.091,
    c2: "0.260 uS",
    A2: "2.15 uS",
    m3: 0.03,
    c3: "0.13 uS",
    nuMean: 0.04,
    nuSd: 0,
    T0: "38.6 s",
    Greset: "0.1 uS",
    GresetSd: "0.01 uS",
    Gmin: "0.1 uS",
    Gmax: "20 uS",
  },
});

/** The same device without memory of its pulses: mean and spread of a step follow from the conductance alone. */
export const memorylessPcm = device({
  name: "PCM, memoryless",
  source: "Demirağ 2022, simulation code of PCM synapses; drift and read noise of doi:10.1063/1.5042408",
  equations: `
    G  : S
    nu : 1 (constant)
  `,
  initial: { G: "max(0, Greset + GresetSd * randn())", nu: "nuMean + nuSd * randn()" },
  on: {
    set: "G = clip(G + m1 * G + c1 + (m2 * G + c2) * randn(), Gmin, Gmax)",
    reset: "G = max(0, Greset + GresetSd * randn())",
  },
  drift: "G * (max(age, T0) / T0)^(-nu)",
  read: "Gd + (m3 * Gd + c3) * randn()",
  parameters: {
    m1: -0.084,
    c1: "0.892 uS",
    m2: 0.09,
    c2: "0.575 uS",
    m3: 0.03,
    c3: "0.13 uS",
    nuMean: 0.04,
    nuSd: 0,
    T0: "38.6 s",
    Greset: "0.1 uS",
    GresetSd: "0.01 uS",
    Gmin: "0.1 uS",
    Gmax: "20 uS",
  },
});
