/** A cell that fires when it is told to: for pairing protocols, where spike times are given. */
import { neuron, synapse } from "../src/index.ts";

/** Fires one tick after each spike that arrives through `command`. `I` takes the weights of plastic synapses, unused. */
export const relay = neuron({
  name: "relay",
  source: "definition",
  equations: `
    v : 1
    I : V
  `,
  threshold: "v > 0.5",
  reset: "v -= 1", // a command that arrives in the tick of a spike counts
});

export const command = synapse({
  name: "relay command",
  source: "definition",
  on: { pre: "v_post += 1" },
});
