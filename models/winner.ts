/**
 * A layer in which the cell nearest to its threshold wins: integrators, the winners' spikes, and who talks to whom.
 *
 * Integrators that reach their thresholds claim; the relays of the tick after find out who was largest. Only its relay
 * fires: its spikes are the output, and the event `win` of learning and homeostasis.
 */
import { neuron, synapse } from "../src/index.ts";

const source = "after Querlioz et al. 2013, IEEE Trans. Nanotechnol. 12:288, and Bichler et al., N2D2";

/** Sums weights as they come. Whoever is inhibited holds 0. */
export const integrator = neuron({
  name: "competing integrator",
  source,
  equations: `
    dX/dt = -X / tau : 1
    theta : 1
    until : s          # inhibited until then
  `,
  threshold: "X >= theta and t > until",
  on: { tick: "X = t > until ? X : 0" },
  parameters: { tau: "100 ms" },
});

/** Fires for the integrator of the same number where its claim was the largest of the tick. */
export const winner = neuron({
  name: "winner of a tick",
  source,
  equations: `
    claim : 1
    best  : 1
  `,
  threshold: "claim > 0 and claim >= best",
  on: { tick: "claim = 0; best = 0" },
});

/** Integrator to its own relay. Of equal claims that of the lower index is larger. */
export const claim = synapse({
  name: "claim",
  source,
  on: { pre: "claim_post = X_pre / theta_pre * (1 - i * tie)" },
  parameters: { tie: 1e-12 },
});

/** Integrator to all relays. */
export const rivalry = synapse({
  name: "rivalry",
  source,
  on: { pre: "best_post = max(best_post, X_pre / theta_pre * (1 - i * tie))" },
  parameters: { tie: 1e-12 },
});

/**
 * Integrator to all integrators, itself included: what arrives within `duration` is lost. At `renewal`, the end of an
 * image, they begin anew. Half a tick decides between times that should be equal.
 */
export const inhibition = synapse({
  name: "inhibition",
  source,
  on: { pre: "until_post = t + duration + 0.5 * dt", renewal: "X_post = 0; until_post = t" },
  parameters: { duration: "10 ms" },
});

/** Relay to its own integrator: the threshold of a winner rises. Named events rest where a projection is frozen. */
export const fatigue = synapse({
  name: "fatigue",
  source,
  on: { win: "theta_post += gain * theta0" },
  parameters: { gain: 0.002, theta0: 20 },
});

/** Relay to all integrators: every threshold falls, so that their mean stays. */
export const recovery = synapse({
  name: "recovery",
  source,
  on: { win: "theta_post = max(theta_post - gain * theta0 / size, least * theta0)" },
  parameters: { gain: 0.002, theta0: 20, size: 50, least: 0.2 },
});

const winning = `
  last : s (pre)         # spike of the input
  w    : 1 (weight)
`;

/**
 * Input to integrators, on devices. At a winner's spike all its synapses get one pulse: up where the input fired within
 * `window`, down elsewhere. `step` is what the storage takes a pulse to change. `renewal` forgets the inputs of an image.
 */
export const pulses = synapse({
  name: "one pulse up or down",
  source,
  equations: winning,
  on: {
    pre: "X_post += w; last = t",
    win: "w += t - last < window + 0.5 * dt ? step : -step",
    renewal: "last = t - 2 * window",
  },
  parameters: { window: "50 ms", step: 0.01 },
});

/** The same without devices: what a pulse does to a soft-bounds device, without spread. */
export const softSteps = synapse({
  name: "soft steps up or down",
  source,
  equations: winning,
  on: {
    pre: "X_post += w; last = t",
    win: "w += t - last < window + 0.5 * dt ? stepUp * (1 - w) : -stepDown * w",
    renewal: "last = t - 2 * window",
  },
  parameters: { window: "50 ms", stepUp: 0.01, stepDown: 0.005 },
});
