/** The adaptive exponential integrate-and-fire cell. */
import { neuron } from "../src/index.ts";

/**
 * A spike is counted at `Vcut`, five slope factors above threshold, instead of the paper's 20 mV: the upstroke
 * from there takes less than 0.1 ms. Beyond Vcut the exponential current stays at its value there, so that a step
 * cannot overflow and w does not see a potential that no cell has.
 */
export const adex = neuron({
  name: "adaptive exponential integrate-and-fire",
  source: "Brette & Gerstner 2005, J. Neurophysiol. 94:3637, table 1",
  equations: `
    dv/dt = (-gL * (v - El) + gL * DeltaT * exp((vs - VT) / DeltaT) - w + I) / C : V
    dw/dt = (a * (vs - El) - w) / tauw : A
    vs = min(v, Vcut)                  : V
    I                                  : A
  `,
  threshold: "v > Vcut",
  reset: "v = Vr; w += b",
  parameters: {
    C: "281 pF",
    gL: "30 nS",
    El: "-70.6 mV",
    VT: "-50.4 mV",
    DeltaT: "2 mV",
    Vcut: "-40.4 mV",
    tauw: "144 ms",
    a: "4 nS",
    b: "80.5 pA",
    Vr: "-70.6 mV",
  },
});

const shared = { VT: "-50 mV", DeltaT: "2 mV", Vcut: "-40 mV" } as const;

/** Parameters and currents (`I`) of Naud et al. 2008, Biol. Cybern. 99:335, table 1, for `adex.with(...)`. */
export const adexPatterns = {
  tonic: {
    I: "500 pA",
    parameters: {
      ...shared,
      C: "200 pF",
      gL: "10 nS",
      El: "-70 mV",
      a: "2 nS",
      tauw: "30 ms",
      b: "0 pA",
      Vr: "-58 mV",
    },
  },
  adaptation: {
    I: "500 pA",
    parameters: {
      ...shared,
      C: "200 pF",
      gL: "12 nS",
      El: "-70 mV",
      a: "2 nS",
      tauw: "300 ms",
      b: "60 pA",
      Vr: "-58 mV",
    },
  },
  initialBurst: {
    I: "400 pA",
    parameters: {
      ...shared,
      C: "130 pF",
      gL: "18 nS",
      El: "-58 mV",
      a: "4 nS",
      tauw: "150 ms",
      b: "120 pA",
      Vr: "-50 mV",
    },
  },
  regularBursting: {
    I: "210 pA",
    parameters: {
      ...shared,
      C: "200 pF",
      gL: "10 nS",
      El: "-58 mV",
      a: "2 nS",
      tauw: "120 ms",
      b: "100 pA",
      Vr: "-46 mV",
    },
  },
  delayedAccelerating: {
    I: "300 pA",
    parameters: {
      ...shared,
      C: "200 pF",
      gL: "12 nS",
      El: "-70 mV",
      a: "-10 nS",
      tauw: "300 ms",
      b: "0 pA",
      Vr: "-58 mV",
    },
  },
  delayedRegularBursting: {
    I: "110 pA",
    parameters: {
      ...shared,
      C: "100 pF",
      gL: "10 nS",
      El: "-65 mV",
      a: "-10 nS",
      tauw: "90 ms",
      b: "30 pA",
      Vr: "-47 mV",
    },
  },
  transient: {
    I: "180 pA",
    parameters: {
      ...shared,
      C: "100 pF",
      gL: "10 nS",
      El: "-65 mV",
      a: "10 nS",
      tauw: "90 ms",
      b: "100 pA",
      Vr: "-47 mV",
    },
  },
  irregular: {
    I: "160 pA",
    parameters: {
      ...shared,
      C: "100 pF",
      gL: "12 nS",
      El: "-60 mV",
      a: "-11 nS",
      tauw: "130 ms",
      b: "30 pA",
      Vr: "-48 mV",
    },
  },
} as const;
