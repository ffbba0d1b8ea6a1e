/** Synapses whose weights do not change. */
import { synapse } from "../src/index.ts";

/** Adds the weight to the postsynaptic potential `v` at once. */
export const deltaSynapse = synapse({
  name: "static, potential",
  source: "Stein 1965, Biophys. J. 5:173",
  equations: "w : V (weight)",
  on: { pre: "v_post += w" },
});

/** Adds the weight to the postsynaptic input `I`, an exponentially decaying current times a resistance. */
export const exponentialSynapse = synapse({
  name: "static, exponential input",
  source: "Tuckwell 1988, Introduction to Theoretical Neurobiology, volume 2, chapter 9",
  equations: "w : V (weight)",
  on: { pre: "I_post += w" },
});

/** The current w (exp(-t / tau1) - exp(-t / tau2)) of `lif` (lif.ts). */
export const doubleExponentialSynapse = synapse({
  name: "static, double-exponential current",
  source: "Anwani & Rajendran 2015, IJCNN, doi:10.1109/IJCNN.2015.7280618",
  equations: "w : A (weight)",
  on: { pre: "ia_post += w; ib_post += w" },
});
