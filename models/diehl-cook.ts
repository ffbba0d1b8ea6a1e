/**
 * The network of Diehl & Cook 2015: digits learnt without a teacher by cells that inhibit each other.
 *
 * Constants are those of the authors' code. Excitatory cells answer to input through plastic synapses and keep their mean
 * rate by a threshold that grows with every spike; each drives an inhibitory cell that silences all others.
 */
import { neuron, synapse } from "../src/index.ts";

const source =
  "Diehl & Cook 2015, Front. Comput. Neurosci. 9:99; constants of github.com/peter-u-diehl/stdp-mnist";

/**
 * Conductances are in units of the leak. The threshold is Vt + theta - offset; theta starts at the offset and grows by
 * thetaStep, 0.05 mV, with every spike, or not at all while the network is tested. `total` is for `normalise` below.
 */
export const excitatoryCell = neuron({
  name: "Diehl & Cook, excitatory",
  source,
  equations: `
    dv/dt = ((Vrest - v) + ge * (Ee - v) + gi * (Ei - v)) / taum : V (unless refractory)
    dge/dt = -ge / taue           : 1
    dgi/dt = -gi / taui           : 1
    dtheta/dt = -theta / tauTheta : V
    thetaStep : V (constant)
    total     : 1   # of the weights onto the cell, while they are being summed
  `,
  threshold: "v > Vt + theta - offset",
  reset: "v = Vreset; theta += thetaStep",
  refractory: "5 ms",
  on: { tick: "total = 0" },
  parameters: {
    Vrest: "-65 mV",
    Vreset: "-65 mV",
    Vt: "-52 mV",
    Ee: "0 mV",
    Ei: "-100 mV",
    taum: "100 ms",
    taue: "1 ms",
    taui: "2 ms",
    offset: "20 mV",
    tauTheta: "10000 s",
  },
});

/** Nothing inhibits it. At a tick of 0.5 ms Euler steps are stable up to 38 times its leak; one spike makes 10.4. */
export const inhibitoryCell = neuron({
  name: "Diehl & Cook, inhibitory",
  source,
  equations: `
    dv/dt = ((Vrest - v) + ge * (Ee - v)) / taum : V (unless refractory)
    dge/dt = -ge / taue                          : 1
  `,
  threshold: "v > Vt",
  reset: "v = Vreset",
  refractory: "2 ms",
  method: { v: "euler" },
  parameters: {
    Vrest: "-60 mV",
    Vreset: "-45 mV",
    Vt: "-40 mV",
    Ee: "0 mV",
    taum: "10 ms",
    taue: "1 ms",
  },
});

/**
 * Input to excitatory cells. A post spike strengthens by how recently the input fired (one trace, the nearest spike
 * counts) and how recently the cell itself did before; a pre spike weakens by how recently the cell fired. The
 * trace of the input is kept as the time of its last arrival, which each synapse has for itself: delays may differ.
 * `sum` and `normalise`, in this order, make the weights onto a cell add up to `norm`.
 */
export const learning = synapse({
  name: "Diehl & Cook, triplet STDP",
  source,
  equations: `
    w       : 1 (weight)
    arrival : s                     # of the last spike of the input
    dy1/dt = -y1 / tauPost1 : 1 (post)
    dy2/dt = -y2 / tauPost2 : 1 (post)
  `,
  on: {
    pre: "ge_post += w; arrival = t; w = clip(w - nuPre * y1, 0, wmax)",
    post: "w = clip(w + nuPost * y2 * exp((arrival - t) / tauPre), 0, wmax); y1 = 1; y2 = 1",
    sum: "total_post += w",
    normalise: "w = w * norm / total_post",
  },
  parameters: {
    tauPre: "20 ms",
    tauPost1: "20 ms",
    tauPost2: "40 ms",
    nuPre: 1e-4,
    nuPost: 1e-2,
    wmax: 1,
    norm: 78,
  },
});

/**
 * The same synapses on devices, with pulses as the only way to change them: at a post spike one up where the input came
 * within `window`, one down elsewhere. Nothing is normalised. `step` is what the storage takes a pulse to change.
 */
export const pulsedLearning = synapse({
  name: "Diehl & Cook, one pulse up or down",
  source: `${source}; rule after Querlioz et al. 2013, IEEE Trans. Nanotechnol. 12:288`,
  equations: `
    w       : 1 (weight)
    arrival : s
  `,
  on: {
    pre: "ge_post += w; arrival = t",
    post: "w += t - arrival < window + 0.5 * dt ? step : -step",
  },
  parameters: { window: "50 ms", step: 0.01 },
});

/** Excitatory cell to its inhibitory one. */
export const drive = synapse({
  name: "Diehl & Cook, E to I",
  source,
  on: { pre: "ge_post += wei" },
  parameters: { wei: 10.4 },
});

/** Inhibitory cell to all excitatory ones but its own. */
export const block = synapse({
  name: "Diehl & Cook, I to E",
  source,
  on: { pre: "gi_post += wie" },
  parameters: { wie: 17 },
});
