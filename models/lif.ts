/** Leaky integrate-and-fire cells. */
import { neuron } from "../src/index.ts";

/**
 * The output cell of the PCM-synapse network: a synapse adds its weight to `ia` and `ib`, so that one
 * presynaptic spike makes the current w (exp(-t / tau1) - exp(-t / tau2)). The potential never falls below
 * El. The published simulation steps it with Heun's method; here the linear system is stepped exactly.
 */
export const lif = neuron({
  name: "leaky integrate-and-fire, double-exponential current",
  source: "Nandakumar et al. 2020, Sci. Rep. 10:8080; constants of Anwani & Rajendran 2015, IJCNN",
  equations: `
    dv/dt  = (-gL * (v - El) + ia - ib) / C : V (unless refractory)
    dia/dt = -ia / tau1                     : A
    dib/dt = -ib / tau2                     : A
  `,
  threshold: "v >= Vt",
  reset: "v = El",
  refractory: "tref",
  on: { tick: "v = max(v, El)" },
  parameters: {
    C: "300 pF",
    gL: "30 nS",
    El: "-70 mV",
    Vt: "20 mV", // absolute: 90 mV above rest
    tref: "3 ms",
    tau1: "5 ms",
    tau2: "1.25 ms",
  },
});

/** A cell with a constant current of its own: the textbook f–I curve. */
export const drivenLif = neuron({
  name: "leaky integrate-and-fire, constant current",
  source:
    "Lapicque 1907, J. Physiol. Pathol. Gen. 9:620; Gerstner et al. 2014, Neuronal Dynamics, section 1.3",
  equations: `
    dv/dt = (El - v + R * I) / taum : V (unless refractory)
    I                               : A
  `,
  threshold: "v >= Vt",
  reset: "v = El",
  refractory: "tref",
  parameters: { taum: "10 ms", R: "10 Mohm", El: "-70 mV", Vt: "-50 mV", tref: "3 ms" },
});
