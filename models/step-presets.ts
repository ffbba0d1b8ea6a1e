/**
 * Materials as step devices: the training presets of aihwkit 1.1.0, fitted by its authors to published measurements.
 *
 * Its weights become conductances by G = 40 uS + w * 10 uS, the scale of its PCM preset (pcmExponentialStep in pcm.ts). The
 * 40 uS are ours: weights below zero need a reference device, and no bound of a device may fall below 0 S even at four
 * times the mean range. Spreads of bounds are given there as fractions of the bound. A reset leaves 0.1 uS of spread.
 */
import { constantStep, exponentialStep, leakyStep, linearStep, softBoundsReference } from "./step-devices.ts";

const symmetricRange = { Gref: "40 uS", Gmin: "30 uS", Gmax: "50 uS", resetSd: "0.1 uS" } as const;

/** ReRAM, exponential steps: fit to Gong et al. 2018, Nat. Commun. 9:2102, doi:10.1038/s41467-018-04485-1. */
export const reRamES = exponentialStep.with({
  ...symmetricRange,
  step: "13.5 nS",
  asymmetry: 0.259359,
  a: -0.5,
  b: -0.5,
  gammaUp: 5,
  gammaDown: 5,
  Aup: -1.18445,
  Adown: -0.081404,
  stepSd: 0.2,
  skewSd: 0.05,
  topSd: "3 uS",
  bottomSd: "3 uS",
  pulseSd: 5,
  writeSd: "1.0125 uS", // 75 steps
});

/** ReRAM, soft bounds: loose fit to the same measurements, symmetry point taken to be at the reference. */
export const reRamSB = softBoundsReference.with({
  Gref: "40 uS",
  Gmin: "32.5 uS",
  Gmax: "52.5 uS",
  resetSd: "0.1 uS",
  step: "20 nS",
  stepSd: 0.3,
  skewSd: 0.01,
  topSd: "3 uS",
  bottomSd: "3 uS",
  pulseSd: 3.75,
  writeSd: "1.12 uS", // 56 steps
  symmetric: 0,
});

/**
 * Capacitor cell: fit to Li et al. 2018, VLSI. Its lifetime of 1e6 mini-batches becomes 1000 s, at 1 ms for each: ours.
 */
export const capacitor = leakyStep.with({
  ...symmetricRange,
  step: "50 nS",
  gammaUp: 0.05,
  gammaDown: 0.05,
  gammaSd: 0.01,
  relative: 0,
  stepSd: 0.1,
  skewSd: 0.06,
  topSd: "0.7 uS",
  bottomSd: "0.7 uS",
  pulseSd: 0.3,
  tau: "1000 s",
  tauSd: 0.3,
});

/** Lithium ECRAM: fit to Tang et al. 2018, IEDM; the range is shifted so that the symmetry point is at Gref. */
export const ecRam = linearStep.with({
  Gref: "40 uS",
  Gmin: "31.724 uS",
  Gmax: "51.724 uS",
  resetSd: "0.1 uS",
  step: "20 nS",
  gammaUp: 0.1153,
  gammaDown: 0.5085,
  gammaSd: 0.05,
  stepSd: 0.1,
  skewSd: 0.01,
  topSd: "0.5862 uS",
  bottomSd: "0.4138 uS",
  pulseSd: 0.3,
});

/** Metal-oxide ECRAM: after Kim et al. 2019, IEDM. */
export const ecRamMO = linearStep.with({
  Gref: "40 uS",
  Gmin: "31.714 uS",
  Gmax: "51.714 uS",
  resetSd: "0.1 uS",
  step: "2.8214 nS",
  gammaUp: 0.4152,
  gammaDown: 0.7342,
  gammaSd: 0.05,
  stepSd: 0.1,
  skewSd: 0.01,
  topSd: "0.5857 uS",
  bottomSd: "0.4143 uS",
  pulseSd: 2,
});

/** Ten thousand symmetric steps with the spreads of Gokmen & Vlasov 2016: Rasch et al. 2019, arXiv:1906.02698. */
export const idealized = constantStep.with({
  ...symmetricRange,
  step: "2 nS",
  stepSd: 0.3,
  topSd: "3 uS",
  bottomSd: "3 uS",
  pulseSd: 0.3,
});

/** The requirements of Gokmen & Vlasov 2016, Front. Neurosci. 10:333: 1200 steps. */
export const gokmenVlasov = idealized.with({ step: "16 nS", skewSd: 0.01 });

/** Array of ReRAM of optimised material: fit to Gong et al. 2022, IEDM; without its 13.5 % of stuck devices. */
export const reRamArrayOM = softBoundsReference.with({
  ...symmetricRange,
  step: "0.949 uS",
  stepSd: 0.7829,
  logNormal: 1,
  skewSd: 0.01,
  topSd: "3.499 uS",
  bottomSd: "5.695 uS",
  pulseSd: 0.4158,
  writeSd: "1.3393237 uS", // 1.4113 steps
  referenceSd: "0.5 uS",
});

/** Array of baseline HfO2 ReRAM: fit to Gong et al. 2022, IEDM; without its 10 % of stuck devices. */
export const reRamArrayHfO2 = softBoundsReference.with({
  ...symmetricRange,
  step: "4.622 uS",
  stepSd: 0.7125,
  logNormal: 1,
  skewSd: 0.01,
  topSd: "4.295 uS",
  bottomSd: "5.99 uS",
  pulseSd: 0.2174,
  writeSd: "2.6997102 uS", // 0.5841 steps
  referenceSd: "0.5 uS",
});
