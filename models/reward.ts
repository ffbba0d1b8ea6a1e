/**
 * STDP that waits for a reward: pairs of spikes leave a trace in the synapse, and only what comes of it later is learnt.
 *
 * Both rules add the weight to the postsynaptic input `I` (a potential) at a presynaptic spike. Traces and dopamine are
 * advanced from event to event in closed form.
 */
import { synapse } from "../src/index.ts";

/**
 * Spike pairs move the eligibility c, which decays in `tauc`; the weight follows dw/dt = c D, D the dopamine, which a
 * `reward` raises by `dose` and which decays in `taud`. Between two events the integral of c D is
 * c D (1 - exp(-s (1 / tauc + 1 / taud))) / (1 / tauc + 1 / taud). Bind `reward` to a source of one cell for each
 * postsynaptic cell, or to a clock. A weight is up to date at its last event; `reward` is one of all synapses.
 */
export const dopamineStdp = synapse({
  name: "reward-modulated STDP, dopamine",
  source: "Izhikevich 2007, Cereb. Cortex 17:2443",
  equations: `
    dx/dt = -x / taup : 1 (pre)
    dy/dt = -y / taum : 1 (post)
    w     : V (weight)
    c     : V / s
    D     : 1
    seen  : s               # when w, c and D were advanced
    rate = 1 / tauc + 1 / taud : Hz
    gain = c * D * (1 - exp(-(t - seen) * rate)) / rate : V
  `,
  on: {
    pre: `
      w = clip(w + gain, 0, wmax); I_post += w
      c = c * exp(-(t - seen) / tauc) - Am * y; D = D * exp(-(t - seen) / taud); seen = t
      x += 1
    `,
    post: `
      w = clip(w + gain, 0, wmax)
      c = c * exp(-(t - seen) / tauc) + Ap * x; D = D * exp(-(t - seen) / taud); seen = t
      y += 1
    `,
    reward: `
      w = clip(w + gain, 0, wmax)
      c = c * exp(-(t - seen) / tauc); D = D * exp(-(t - seen) / taud) + dose; seen = t
    `,
  },
  parameters: {
    taup: "20 ms",
    taum: "20 ms",
    tauc: "1 s",
    taud: "0.2 s",
    Ap: "0.1 mV/s",
    Am: "0.15 mV/s",
    dose: 0.5,
    wmax: "4 mV",
  },
});

/**
 * The same with a reward that acts in its instant: at `reward` the weight gains gamma z, at `punishment` it loses as much. The
 * eligibility z gains what a pair is worth, A exp(-|s| / tau) for spikes s apart, and decays in `tauz`. gamma stands for
 * the paper's learning rate times its reward over tauz.
 */
export const rewardedStdp = synapse({
  name: "reward-modulated STDP, eligibility trace",
  source: "Florian 2007, Neural Comput. 19:1468 (MSTDPET)",
  equations: `
    dx/dt = -x / taup : 1 (pre)
    dy/dt = -y / taum : 1 (post)
    w     : V (weight)
    z     : 1
    seen  : s
    left = z * exp(-(t - seen) / tauz) : 1
  `,
  on: {
    pre: "I_post += w; z = left - Am * y; seen = t; x += 1",
    post: "z = left + Ap * x; seen = t; y += 1",
    reward: "w = clip(w + gamma * left, 0, wmax)",
    punishment: "w = clip(w - gamma * left, 0, wmax)",
  },
  parameters: {
    taup: "20 ms",
    taum: "20 ms",
    tauz: "25 ms",
    Ap: 1,
    Am: 1,
    gamma: "0.1 mV",
    wmax: "4 mV",
  },
});
