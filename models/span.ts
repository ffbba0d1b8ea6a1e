/** SPAN: the rule of Widrow and Hoff for spike trains made continuous. */
import { synapse } from "../src/index.ts";

/**
 * For `lif` (lif.ts). Input, desired and actual trains are convolved with the alpha kernel e t / tau exp(-t / tau); the
 * weight changes by the integral of (desired - actual) times input. For one pair s apart that is
 * (e / 2)^2 (|s| + tau) exp(-|s| / tau), whoever comes first; here eta times (1 + |s| / tau) exp(-|s| / tau). So the
 * window is symmetric: an input after the output spike counts as one before. p and q of a train hold the sums of
 * exp(-s / tau) and s / tau exp(-s / tau) over its spikes, s ago.
 */
export const span = synapse({
  name: "SPAN",
  source: "Mohemmed, Schliebs, Matsuda & Kasabov 2012, Int. J. Neural Syst. 22:1250012",
  equations: `
    dp/dt  = -p / tau        : 1 (pre)
    dq/dt  = (p - q) / tau   : 1 (pre)
    dpd/dt = -pd / tau       : 1 (post)   # desired
    dqd/dt = (pd - qd) / tau : 1 (post)
    dpa/dt = -pa / tau       : 1 (post)   # actual
    dqa/dt = (pa - qa) / tau : 1 (post)
    w      : A (weight)
    dw     : A
  `,
  on: {
    pre: "ia_post += w; ib_post += w; dw += eta * (pd + qd - pa - qa); p += 1",
    post: "dw -= eta * (p + q); pa += 1",
    teacher: "dw += eta * (p + q); pd += 1",
    update: "w += dw; dw = 0",
  },
  parameters: { tau: "5 ms", eta: "20 pA" },
});
