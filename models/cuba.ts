/** The current-based benchmark network of Brette et al. 2007. */
import { neuron, synapse } from "../src/index.ts";

const source = "Brette et al. 2007, J. Comput. Neurosci. 23:349, benchmark 2; after Vogels & Abbott 2005";

export const cuba = neuron({
  name: "CUBA leaky integrate-and-fire",
  source,
  equations: `
    dv/dt  = (ge + gi - (v - El)) / taum : V (unless refractory)
    dge/dt = -ge / taue                  : V
    dgi/dt = -gi / taui                  : V
  `,
  threshold: "v > Vt",
  reset: "v = Vr",
  refractory: "5 ms",
  parameters: {
    taum: "20 ms",
    taue: "5 ms",
    taui: "10 ms",
    Vt: "-50 mV",
    Vr: "-60 mV",
    El: "-49 mV",
  },
});

/** A conductance of 0.27 nS at its mean driving force of 60 mV, over the leak of 10 nS. */
export const excitatory = synapse({
  name: "CUBA excitatory",
  source,
  on: { pre: "ge_post += we" },
  parameters: { we: "1.62 mV" },
});

/** A conductance of 4.5 nS at -20 mV, over the leak of 10 nS. */
export const inhibitory = synapse({
  name: "CUBA inhibitory",
  source,
  on: { pre: "gi_post += wi" },
  parameters: { wi: "-9 mV" },
});
