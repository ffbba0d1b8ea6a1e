/**
 * e-prop: gradient descent in recurrent networks of spiking cells by what each synapse and each cell know at the time.
 *
 * The gradient of a synapse is the sum over time of the learning signal L of its cell times a filtered eligibility, and that
 * is the product of the input's trace and the cell's pseudo-derivative. Order of the parts of a network: feedback before
 * the plastic projections, since L has to be there when they look. Bind `tick` to a clock of one tick. `restart` of a run
 * begins a pattern; `update` ends it.
 */
import { neuron, synapse } from "../src/index.ts";

const source = "Bellec et al. 2020, Nat. Commun. 11:3625";

/** A cell without adaptation: v in units of a weight, a spike takes `vth` from it. */
export const epropCell = neuron({
  name: "leaky integrate-and-fire with a pseudo-derivative",
  source,
  equations: `
    dv/dt = -v / taum : 1
    psi   : 1
    L     : 1
  `,
  threshold: "v > vth",
  reset: "v -= vth",
  on: { tick: "psi = damping / vth * max(0, 1 - abs(v - vth) / vth); L = 0" },
  parameters: { taum: "20 ms", vth: 0.6, damping: 0.3 },
});

/** Reads the spikes of the network: y, and its error against `target`, which a network's own text may replace. */
export const epropReadout = neuron({
  name: "leaky readout with a sum of sines to follow",
  source,
  equations: `
    dy/dt = -y / taum : 1
    target = A1 * sin(2 * pi * f1 * t + phase) + A2 * sin(2 * pi * f2 * t) : 1
    phase : 1
    error : 1
  `,
  on: { tick: "error = y - target" },
  parameters: { taum: "20 ms", A1: 0.5, A2: 0.5, f1: "2 Hz", f2: "5 Hz" },
});

/** Errors back to the cells: weights of its own, or those of the readout. */
export const epropFeedback = synapse({
  name: "e-prop feedback",
  source,
  equations: "B : 1",
  on: { tick: "L_post += B * error_pre" },
});

const plastic = `
  dx/dt = -x / taum : 1 (pre)
  last  : s (pre)         # spike of the input: it reaches v in the next tick
  g     : 1               # gradient of the pattern so far
  w     : 1 (weight)
`;

/** Input or recurrent synapses to `epropCell`. `taum` is that of the cell, `tauo` that of the readout. */
export const eprop = synapse({
  name: "e-prop",
  source,
  equations: `${plastic}
    ebar : 1              # eligibility, filtered as the readout filters
  `,
  on: {
    pre: "v_post += w; x += 1; last = t",
    tick: "ebar = ebar * exp(-dt / tauo) + psi_post * (last == t ? x - 1 : x); g += L_post * ebar",
    update: "w -= eta * g; g = 0; ebar = 0",
  },
  parameters: { taum: "20 ms", tauo: "20 ms", eta: 1e-3 },
});

/** Synapses from `epropCell` to `epropReadout`: plain gradient descent. */
export const epropOutput = synapse({
  name: "e-prop, output",
  source,
  equations: plastic,
  on: {
    pre: "y_post += w; x += 1; last = t",
    tick: "g += error_post * (last == t ? x - 1 : x)",
    update: "w -= eta * g; g = 0",
  },
  parameters: { taum: "20 ms", eta: 1e-3 },
});
