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

/**
 * SET pulses whose mean step falls exponentially, with a spread that has a part of its own and one that grows with the
 * conductance: the training preset that aihwkit fitted to Nandakumar et al. 2020, Front. Neurosci. 14:406. The factor of a
 * step is max(0, 1 - A exp(gamma z)), z = 2 a G / Gtop + b. One weight unit of aihwkit is 10 uS, so that its weight 2 is
 * the 20 uS of `pcm`.
 */
export const pcmExponentialStep = device({
  name: "PCM, exponential step",
  source:
    "Rasch et al. 2021, arXiv:2104.02184 (aihwkit, PCMPresetDevice), after doi:10.3389/fnins.2020.00406",
  equations: `
    G      : S
    Gtop   : S (constant)
    Greset : S (constant)
    gain   : 1 (constant)    # spread of the step, and of the difference between up and down
    skew   : 1 (constant)
    z = 2 * a * G / Gtop + b                                   : 1
    dG = step * abs(gain + skew) * max(0, 1 - A * exp(gamma * z)) : S
  `,
  initial: {
    Gtop: "abs(Gmax + topSd * randn())",
    Greset: "resetMean + resetDeviceSd * randn()",
    gain: "1 + stepSd * randn()",
    skew: "skewSd * randn()",
    G: "clip(Greset + resetSd * randn(), 0, Gtop)",
  },
  on: {
    set: "G = clip(G + dG + pulseSd * (dG + addSd + slopeSd * G) * randn(), 0, Gtop)",
    reset: "G = clip(Greset + resetSd * randn(), 0, Gtop)",
  },
  read: "G",
  parameters: {
    step: "0.1 uS",
    Gmax: "20 uS",
    a: -1,
    b: 0,
    gamma: 2.5,
    A: -27.235,
    stepSd: 0.2,
    skewSd: 0.05,
    topSd: "2 uS",
    pulseSd: 0.6,
    addSd: "0.42 uS",
    slopeSd: 0.108,
    resetMean: "0.1 uS",
    resetDeviceSd: "0.2 uS",
    resetSd: "0.1 uS",
  },
});
