/**
 * Phase-change memory programmed to a target conductance and then left alone.
 *
 * The pulse `program` stands for the whole loop of write and verify: the conductance is normal about the target with a
 * spread that depends on it, and the drift exponent is drawn anew, with mean and spread that depend on the target. Reads
 * have noise that grows with the logarithm of time, as accumulated 1/f noise does. Time counts from the end of
 * programming; the first read of the measurements came t0 after it, so that drift is (age + t0) / t0 to the -nu.
 * All depends on x = target / Gmax; the polynomial of the programming error was fitted at Gmax = `Gfit` and scales with Gmax.
 */
import { device } from "../src/index.ts";

/** Targets below 1e-7 of Gmax count as that, before a logarithm. */
const equations = `
  G  : S
  nu : 1
  x = clip(target / Gmax, 1e-7, 1)  : 1
  g = max(G / Gmax, 1e-7)           : 1
`;

const common = {
  initial: { G: "0 S", nu: 0 },
  drift: "G * ((age + t0) / t0)^(-nu)",
  read: "max(0, Gd * (1 + Q * sqrt(log((age + t0 + tRead) / (2 * tRead))) * randn()))",
  arguments: ["target"],
} as const;

/**
 * Mushroom cells, 90 nm: programming error quadratic in the target, drift exponents of mean 0.049 to 0.1.
 */
export const pcmInference = device({
  name: "PCM, inference",
  source:
    "Joshi et al. 2020, Nat. Commun. 11:2473, doi:10.1038/s41467-020-16108-9; Nandakumar et al. 2019, ICECS; coefficients of aihwkit 1.1.0",
  equations: `${equations}
    sigma = (s0 + s1 * x + s2 * x^2) * Gmax / Gfit                                             : S
    nuMean = clip(nuMeanSlope * log(x) + nuMean0, nuMeanLow, nuMeanHigh)                       : 1
    nuSd = clip(nuSdSlope * log(x) + nuSd0, nuSdLow, nuSdHigh)                                 : 1
    Q = min(q0 * g^(-qPower), qHigh)                                                           : 1
  `,
  ...common,
  on: { program: "G = max(0, target + sigma * randn()); nu = abs(nuMean + nuSd * randn())" },
  parameters: {
    target: "10 uS",
    Gmax: "25 uS",
    Gfit: "25 uS",
    s0: "0.26348 uS",
    s1: "1.965 uS",
    s2: "-1.1731 uS",
    nuMeanSlope: -0.0155,
    nuMean0: 0.0244,
    nuMeanLow: 0.049,
    nuMeanHigh: 0.1,
    nuSdSlope: -0.0125,
    nuSd0: -0.0059,
    nuSdLow: 0.008,
    nuSdHigh: 0.045,
    t0: "20 s",
    tRead: "250 ns",
    q0: 0.0088,
    qPower: 0.65,
    qHigh: 0.2,
  },
});

const hermesSource =
  "Le Gallo et al. 2023, Nat. Electron. 6:680, doi:10.1038/s41928-023-01010-1; coefficients of aihwkit 1.1.0";

/** Cubic programming error; drift and read noise in two branches, logarithmic below `xMean`, `xSd` and `xRead`. */
const hermesEquations = `${equations}
  sigma = (s0 + s1 * x + s2 * x^2 + s3 * x^3) * Gmax / Gfit                                        : S
  nuMean = x < xMean ? clip(m1 * log(x) + m0, mLow, mHigh) : m4 * x^2 + m3 * x + m2                : 1
  nuSd = x < xSd ? clip(d1 * log(x) + d0, dLow, dHigh) : d4 * x^2 + d3 * x + d2                    : 1
  Q = g < xRead ? clip(q1 * log(g) + q0, qLow, qHigh) : q5 * g^3 + q4 * g^2 + q3 * g + q2          : 1
`;

/** The mean drift exponent is the same for one device and for two. */
const hermesDrift = {
  xMean: 0.0945,
  m1: -0.0387,
  m0: -0.0182,
  mLow: 0.072,
  mHigh: 0.13,
  m4: -0.0436,
  m3: -0.0126,
  m2: 0.0736,
} as const;

/** HERMES chip, 14 nm: one device for each polarity of a weight. */
export const hermes1 = device({
  name: "PCM, HERMES, one device",
  source: hermesSource,
  equations: hermesEquations,
  ...common,
  on: { program: "G = max(0, target + sigma * randn()); nu = abs(nuMean + nuSd * randn())" },
  parameters: {
    target: "5 uS",
    Gmax: "10.35 uS",
    Gfit: "10.35 uS",
    s0: "0.15781817 uS",
    s1: "2.32443916 uS",
    s2: "-2.16310839 uS",
    s3: "0.68841818 uS",
    ...hermesDrift,
    xSd: 0.3039,
    d1: -0.012,
    d0: -0.0023,
    dLow: 0.0124,
    dHigh: 0.04,
    d4: -0.0165,
    d3: 0.0116,
    d2: 0.0104,
    t0: "200 s",
    tRead: "512 ns",
    xRead: 0.1591,
    q1: -0.0078,
    q0: 0.0038,
    qLow: 0.0179,
    qHigh: 0.04,
    q5: 0.0664,
    q4: -0.1352,
    q3: 0.0768,
    q2: 0.0088,
  },
});

/**
 * HERMES chip, 14 nm: two devices in parallel for each polarity of a weight, as one. Programmed more precisely, with less
 * spread of drift (Vasilopoulos et al. 2023, IEEE Trans. Electron Devices); both are taken to hold the same.
 */
export const hermes2 = device({
  name: "PCM, HERMES, two devices",
  source: hermesSource,
  equations: hermesEquations,
  ...common,
  on: { program: "G = max(0, target + sigma * randn()); nu = abs(nuMean + nuSd * randn())" },
  parameters: {
    target: "10 uS",
    Gmax: "20.7 uS",
    Gfit: "20.7 uS",
    s0: "0.16603222 uS",
    s1: "4.71806468 uS",
    s2: "-8.48101252 uS",
    s3: "4.68961419 uS",
    ...hermesDrift,
    xSd: 0.3055,
    d1: -0.0117,
    d0: -0.0057,
    dLow: 0.0091,
    dHigh: 0.04,
    d4: -0.0118,
    d3: 0.0093,
    d2: 0.0073,
    t0: "300 s",
    tRead: "512 ns",
    xRead: 0.16,
    q1: -0.0117,
    q0: -0.0069,
    qLow: 0.015,
    qHigh: 0.04,
    q5: 0.0069,
    q4: -0.028,
    q3: 0.0211,
    q2: 0.0123,
  },
});
