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
 * A start that sets the network going without an input of its own: conductances as if it had been active,
 * 4 ± 1.5 and 20 ± 12 times the leak, potentials 5 ± 5 mV below rest (R. Brette's Brian script of the
 * benchmark, 2007). A negative conductance becomes 0.
 */
export const cobaStart = {
  v: "El + (randn() - 1) * (Vt - El) / 2",
  ge: "max(0, 4 + 1.5 * randn()) * gL",
  gi: "max(0, 20 + 12 * randn()) * gL",
} as const;
