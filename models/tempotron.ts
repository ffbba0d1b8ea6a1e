/** The tempotron: cells that fire or stay silent for a whole pattern of spikes, and the rule that teaches them which. */
import { neuron, synapse } from "../src/index.ts";

const source = "Gütig & Sompolinsky 2006, Nat. Neurosci. 9:420";

/**
 * Potential v above rest, V0 (a - b): one input makes w K(t) with K = V0 (exp(-t / tau) - exp(-t / taus)), whose maximum
 * is 1. The first spike of a pattern decides: after it no other is counted. `best` is the greatest potential so far and
 * `peak` its time. `restart` of a run begins a pattern.
 */
export const tempotronCell = neuron({
  name: "tempotron",
  source,
  equations: `
    da/dt = -a / tau   : V
    db/dt = -b / taus  : V
    v = V0 * (a - b)   : V
    fired : 1
    best  : V
    peak  : s
  `,
  threshold: "v >= Vt and fired == 0",
  reset: "fired = 1",
  on: { tick: "peak = v > best and fired == 0 ? t : peak; best = fired == 0 ? max(best, v) : best" },
  // K is greatest at t = tau ln(4) / 3: V0 = 4/3 4^(1/3) makes it 1
  parameters: { tau: "15 ms", taus: "3.75 ms", V0: 2.1165347359575994, Vt: "1 mV" },
});

/**
 * `teacher` fires for cells that should fire in this pattern, at any time of it. At `update`, its end, a cell that was wrong
 * changes its weights by eta times the sum of K(peak - t) over the spikes of the input before the peak; more where it
 * should have fired, less where it should not. The sum is taken when the input fires next or at the end: X and Y are what
 * its exponentials were at its last spike. Begin with weights that are not all zero:
 * while no potential rises above rest there is no peak.
 */
export const tempotron = synapse({
  name: "tempotron rule",
  source,
  equations: `
    X    : 1 (pre)
    Y    : 1 (pre)
    last : s (pre)
    want : 1 (post)
    k    : 1
    w    : V (weight)
  `,
  on: {
    pre: `
      a_post += w; b_post += w
      k = peak_post > last ? X * exp(-(peak_post - last) / tau) - Y * exp(-(peak_post - last) / taus) : k
      X = X * exp(-(t - last) / tau) + 1; Y = Y * exp(-(t - last) / taus) + 1
      last = t
    `,
    teacher: "want = 1",
    update: `
      k = peak_post > last ? X * exp(-(peak_post - last) / tau) - Y * exp(-(peak_post - last) / taus) : k
      w += eta * V0 * (want - fired_post) * k
      k = 0
    `,
  },
  parameters: { tau: "15 ms", taus: "3.75 ms", V0: 2.1165347359575994, eta: "0.01 mV" },
});
