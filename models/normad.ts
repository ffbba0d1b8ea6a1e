/** NormAD: supervised learning of exact spike times by normalised approximate descent. */
import { synapse } from "../src/index.ts";

const equations = `
  dx/dt = -x / tau1          : 1 (pre)   # x - y is the current kernel c
  dy/dt = -y / tau2          : 1 (pre)
  dd/dt = (x - y - d) / tauL : 1 (pre)   # c filtered by the membrane
  w     : A (weight)
  dw    : A
`;
const pre = "ia_post += w; ib_post += w; x += 1; y += 1";
const parameters = { tau1: "5 ms", tau2: "1.25 ms", tauL: "1 ms", eta: "400 pA" } as const;
const source = "Anwani & Rajendran 2015, IJCNN, doi:10.1109/IJCNN.2015.7280618";

/**
 * For `lif` (lif.ts) as the postsynaptic cell, with the same tau1 and tau2. `teacher` fires where a cell should
 * have; a spike at the desired time changes nothing, since both handlers add the same amount with opposite
 * signs. Changes wait in `dw` until `update`.
 */
export const normad = synapse({
  name: "NormAD",
  source,
  equations,
  on: {
    pre,
    post: "dw -= eta * normalize(d)",
    teacher: "dw += eta * normalize(d)",
    update: "w += dw; dw = 0",
  },
  parameters,
});

/** The same with a learning rate that falls by a factor e in `cooling` updates. */
export const coolingNormad = synapse({
  name: "NormAD with a falling rate",
  source: `${source}; that the rate falls is ours`,
  equations: `${equations}
  updates : 1 (shared)
`,
  on: {
    pre,
    post: "dw -= eta * exp(-updates / cooling) * normalize(d)",
    teacher: "dw += eta * exp(-updates / cooling) * normalize(d)",
    update: "w += dw; dw = 0; updates += 1",
  },
  parameters: { ...parameters, cooling: 50 },
});

/**
 * The published form: one step a tick, d falls by exp(-dt / tauL) and gains x - y, and the error, desired less actual, is
 * looked at in every tick. Bind `tick` to a clock of one tick. `normad` does the same at spikes alone, twenty times faster;
 * the two differ by how d is integrated, of order dt.
 */
export const steppedNormad = synapse({
  name: "NormAD, tick by tick",
  source,
  equations: `
    dx/dt = -x / tau1 : 1 (pre)
    dy/dt = -y / tau2 : 1 (pre)
    d     : 1 (pre)
    out   : s (post)   # of the last actual spike
    want  : s (post)   # of the last desired one
    w     : A (weight)
    dw    : A
  `,
  on: {
    pre,
    post: "out = t",
    teacher: "want = t",
    tick: `
      dw += eta * (int(want == t) - int(out == t)) * normalize(d * exp(-dt / tauL) + x - y)
      d = d * exp(-dt / tauL) + x - y
    `,
    update: "w += dw; dw = 0",
  },
  parameters,
});
