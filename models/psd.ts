/** PSD: precise-spike-driven plasticity. */
import { synapse } from "../src/index.ts";

/**
 * For `lif` (lif.ts), with the same tau1 and tau2. Every desired spike adds the postsynaptic current that a synapse makes
 * at that time, every actual one takes it away: Widrow and Hoff's rule for spikes. `peak` makes the greatest current of
 * one spike 1 (tau1 = 4 tau2). The paper's current decays in 10 ms and rises in 2.5 ms; here it is that of the cell.
 */
export const psd = synapse({
  name: "PSD",
  source: "Yu, Tang, Tan & Li 2013, PLoS ONE 8:e78318",
  equations: `
    dx/dt = -x / tau1 : 1 (pre)
    dy/dt = -y / tau2 : 1 (pre)
    w     : A (weight)
    dw    : A
  `,
  on: {
    pre: "ia_post += w; ib_post += w; x += 1; y += 1",
    post: "dw -= eta * peak * (x - y)",
    teacher: "dw += eta * peak * (x - y)",
    update: "w += dw; dw = 0",
  },
  // exp(-t / tau1) - exp(-t / tau2) is greatest at t = tau1 ln(4) / 3: 3/4 4^(-1/3), and peak = 4/3 4^(1/3)
  parameters: { tau1: "5 ms", tau2: "1.25 ms", peak: 2.1165347359575994, eta: "50 pA" },
});
