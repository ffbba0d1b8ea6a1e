/**
 * Spike-timing dependent plasticity: pairs and triplets of spikes.
 *
 * Every rule adds its weight to the postsynaptic input `I` (a potential) at a presynaptic spike, before the
 * weight changes. Traces are kept once per cell; all pairs of spikes count. Device spread and devices are
 * elsewhere: any of these weights may be stored on a device.
 */
import { synapse } from "../src/index.ts";

/** Every pair changes the weight by the same amount, whatever it is; the bounds cut it off. */
export const pairStdp = synapse({
  name: "pair STDP, additive",
  source: "Song, Miller & Abbott 2000, Nat. Neurosci. 3:919",
  equations: `
    dx/dt = -x / taup : V (pre)
    dy/dt = -y / taum : V (post)
    w                 : V (weight)
  `,
  on: {
    pre: "I_post += w; x += Ap; w = clip(w - y, 0, wmax)",
    post: "y += Am; w = clip(w + x, 0, wmax)",
  },
  parameters: { taup: "20 ms", taum: "20 ms", Ap: "1 uV", Am: "1.05 uV", wmax: "0.2 mV" },
});

/** Potentiation shrinks with the room above the weight, depression with the weight: no bounds are hit. */
export const multiplicativeStdp = synapse({
  name: "pair STDP, multiplicative",
  source: "Rubin, Lee & Sompolinsky 2001, Phys. Rev. Lett. 86:364; Gütig et al. 2003, J. Neurosci. 23:3697",
  equations: `
    dx/dt = -x / taup : 1 (pre)
    dy/dt = -y / taum : 1 (post)
    w                 : V (weight)
  `,
  on: {
    pre: "I_post += w; x += 1; w -= lambda * alpha * w * y",
    post: "y += 1; w += lambda * (wmax - w) * x",
  },
  parameters: { taup: "20 ms", taum: "20 ms", lambda: 0.005, alpha: 1.05, wmax: "0.2 mV" },
});

/**
 * Pairs move the state of a device-like weight from 0 to 1: up by a power of the room above it, down by a power of what
 * there is. The form is that of Cu/SiO2/W-like devices (cusio2w.ts), whose constants are stand-ins. `V1` is the weight's
 * size at the cell.
 */
export const stateStdp = synapse({
  name: "pair STDP, state-dependent",
  source:
    "after Nandakumar & Rajendran 2020, Microelectron. Eng., arXiv:2001.09299 (constants are stand-ins)",
  equations: `
    dx/dt = -x / taup : 1 (pre)
    dy/dt = -y / taum : 1 (post)
    w                 : 1 (weight)
  `,
  on: {
    pre: "I_post += w * V1; x += 1; w = clip(w - aDown * w^gammaDown * y, 0, 1)",
    post: "y += 1; w = clip(w + aUp * (1 - w)^gammaUp * x, 0, 1)",
  },
  parameters: {
    taup: "20 ms",
    taum: "20 ms",
    aUp: 0.02,
    aDown: 0.02,
    gammaUp: 1,
    gammaDown: 1,
    V1: "0.2 mV",
  },
});

/**
 * Triplets: pairs change the weight by more when spikes came shortly before, which gives the measured
 * dependence on the rate. Amplitudes are fractions of `w0`. Default: the minimal model of the visual cortex,
 * all spikes counting (table 4 of the paper); A2p and A3m are zero there.
 */
export const tripletStdp = synapse({
  name: "triplet STDP",
  source: "Pfister & Gerstner 2006, J. Neurosci. 26:9673, eqs. 1 to 4, table 4",
  equations: `
    dr1/dt = -r1 / taup : 1 (pre)
    dr2/dt = -r2 / taux : 1 (pre)
    do1/dt = -o1 / taum : 1 (post)
    do2/dt = -o2 / tauy : 1 (post)
    w                   : V (weight)
  `,
  on: {
    pre: "I_post += w; w = clip(w - w0 * o1 * (A2m + A3m * r2), 0, wmax); r1 += 1; r2 += 1",
    post: "w = clip(w + w0 * r1 * (A2p + A3p * o2), 0, wmax); o1 += 1; o2 += 1",
  },
  parameters: {
    taup: "16.8 ms",
    taum: "33.7 ms",
    taux: "101 ms",
    tauy: "114 ms",
    A2p: 0,
    A3p: 6.5e-3,
    A2m: 7.1e-3,
    A3m: 0,
    w0: "0.1 mV",
    wmax: "0.2 mV",
  },
});

/** Other fits of the paper, for `tripletStdp.with(...)`: table 4, all spikes counting, full models. */
export const tripletFits = {
  visualCortexFull: { A2p: 5e-10, A3p: 6.2e-3, A2m: 7e-3, A3m: 2.3e-4, taux: "101 ms", tauy: "125 ms" },
  hippocampusFull: { A2p: 6.1e-3, A3p: 6.7e-3, A2m: 1.6e-3, A3m: 1.4e-3, taux: "946 ms", tauy: "27 ms" },
} as const;
