/** STDP by the postsynaptic potential: what it is, and what it was, decide about the weight. */
import { neuron, synapse } from "../src/index.ts";

const source = "Clopath, Büsing, Vasilaki & Gerstner 2010, Nat. Neurosci. 13:344";

/**
 * The adaptive exponential cell of the paper. A spike is drawn as `Vpeak` for `Tpeak`, as in the authors' program; it leaves an
 * after-depolarising current z and a raised threshold VT. um and up are the filtered potentials of the rule; in the
 * authors' program the rule sees them 4 ms late, here at once. `I` is an input current.
 */
export const voltageCell = neuron({
  name: "adaptive exponential integrate-and-fire with drawn spikes",
  source: `${source}; constants as in NEST 3's test of its clopath_synapse`,
  equations: `
    dv/dt  = (-gL * (v - El) + gL * DeltaT * exp((vs - VT) / DeltaT) - a + z + I) / C : V (unless refractory)
    da/dt  = (ga * (vs - El) - a) / taua : A
    dz/dt  = -z / tauz                   : A
    dVT/dt = (VTrest - VT) / tauVT       : V
    dum/dt = (v - um) / taum             : V
    dup/dt = (v - up) / taup             : V
    top = VT + cut * DeltaT              : V   # the rest of an upstroke takes less than 0.1 ms
    vs = min(v, top)                     : V
    I                                    : A
    drawn                                : 1   # 1 while a spike is
  `,
  threshold: "v > top and drawn == 0",
  reset: "v = Vpeak; drawn = 1; a += b; z = Isp; VT = VTmax",
  refractory: "Tpeak",
  on: { tick: "v = drawn > 0 ? Vr : v; drawn = not_refractory ? 0 : drawn" },
  parameters: {
    C: "281 pF",
    gL: "30 nS",
    El: "-70.6 mV",
    DeltaT: "2 mV",
    cut: 5,
    Vpeak: "33 mV",
    Tpeak: "2 ms",
    Vr: "-49.6 mV",
    ga: "4 nS",
    b: "80.5 pA",
    taua: "144 ms",
    Isp: "400 pA",
    tauz: "40 ms",
    VTrest: "-50.4 mV",
    VTmax: "-30.4 mV",
    tauVT: "50 ms",
    taum: "10 ms",
    taup: "7 ms",
  },
});

/**
 * An input spike depresses by what the filtered potential um is above `thetaM`; while v is above `thetaP` and up above `thetaM`
 * the trace x of the input potentiates. Bind `tick` to a clock of one tick. Without the paper's homeostasis, which scales
 * aLtd. The postsynaptic cell needs v, um and up; a spike raises v by w V1.
 */
export const voltageStdp = synapse({
  name: "voltage STDP",
  source: `${source}, eqs. 1 to 3; constants of the visual cortex`,
  equations: `
    dx/dt = -x / taux : Hz (pre)
    w                 : 1 (weight)
  `,
  on: {
    pre: "v_post += w * V1; w = clip(w - aLtd * max(um_post - thetaM, 0 * V1), 0, wmax); x += 1 / taux",
    tick: "w = clip(w + aLtp * dt * x * max(v_post - thetaP, 0 * V1) * max(up_post - thetaM, 0 * V1), 0, wmax)",
  },
  parameters: {
    taux: "15 ms",
    thetaM: "-70.6 mV",
    thetaP: "-45.3 mV",
    aLtd: "0.14 V^-1", // 14e-5 / mV
    aLtp: "80 V^-2", // 8e-5 / mV^2
    wmax: 3,
    V1: "1 mV",
  },
});
