/** The conductance-based benchmark network of Brette et al. 2007. */
import { neuron, synapse } from "../src/index.ts";

const source = "Brette et al. 2007, J. Comput. Neurosci. 23:349, benchmark 1; after Vogels & Abbott 2005";

export const coba = neuron({
  name: "COBA leaky integrate-and-fire",
  source,
  equations: `
    dv/dt  = (gL * (El - v) + ge * (Ee - v) + gi * (Ei - v)) / C : V (unless refractory)
    dge/dt = -ge / taue                                          : S
    dgi/dt = -gi / taui                                          : S
  `,
  threshold: "v > Vt",
  reset: "v = Vr",
  refractory: "5 ms",
  parameters: {
    C: "200 pF",
    gL: "10 nS",
    taue: "5 ms",
    taui: "10 ms",
    Vt: "-50 mV",
    Vr: "-60 mV",
    El: "-60 mV",
    Ee: "0 mV",
    Ei: "-80 mV",
  },
});

export const excitatory = synapse({
  name: "COBA excitatory",
  source,
  on: { pre: "ge_post += we" },
  parameters: { we: "6 nS" },
});

export const inhibitory = synapse({
  name: "COBA inhibitory",
  source,
  on: { pre: "gi_post += wi" },
  parameters: { wi: "67 nS" },
});

/**
 * The random stimulation that sets the network going: 20 sources for the first 50 ms, each connected to a
 * cell with probability 0.01. Without it the network is silent; started by it, it goes on by itself.
 */
export const cobaStimulus = neuron({
  name: "COBA stimulus",
  source: "Brette et al. 2007, benchmarks 1 and 3; rate and weight as in A. Davison's PyNN script, 2006",
  equations: "rate : 1/s",
  threshold: "t < stop and rand() < rate * dt",
  parameters: { stop: "50 ms" },
});

/** Strong enough to fire a resting cell. */
export const kick = synapse({
  name: "COBA stimulation",
  source: "A. Davison's PyNN script of the benchmark, 2006",
  on: { pre: "ge_post += wk" },
  parameters: { wk: "100 nS" },
});
