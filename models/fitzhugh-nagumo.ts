/** The FitzHugh–Nagumo cell: the excitability of the axon in two variables. */
import { neuron } from "../src/index.ts";

/** The threshold only detects spikes; the refractory time, shorter than any period, counts each once. */
export const fitzHughNagumo = neuron({
  name: "FitzHugh–Nagumo",
  source: "FitzHugh 1961, Biophys. J. 1:445; scaled as in Izhikevich & FitzHugh 2006, Scholarpedia 1(9):1349",
  equations: `
    dv/dt = (v - v^3 / 3 - w + I) / ms     : 1
    dw/dt = epsilon * (v + a - b * w) / ms : 1
    I                                      : 1
  `,
  threshold: "v > 1",
  refractory: "25 ms",
  parameters: { a: 0.7, b: 0.8, epsilon: 0.08, ms: "1 ms" },
});
