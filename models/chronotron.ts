/** I-learning of the chronotron: weights change by the current that their synapse makes at a spike. */
import { synapse } from "../src/index.ts";

/**
 * For `lif` (lif.ts), with the same tau1 and tau2. A desired spike adds eta |w| / w0 c, c the current kernel x - y of
 * its input, an actual one takes as much away. The change is in proportion to the weight (eta for one of w0): a weight of
 * zero stays zero, few change their sign, and weights have to begin somewhere.
 *
 * E-learning, the other rule of the paper, is not here. It pairs actual with desired spikes by the least cost of Victor and
 * Purpura's distance, over all spikes of a cell at once and when the pattern is over; a handler sees one event.
 */
export const chronotron = synapse({
  name: "chronotron, I-learning",
  source: "Florian 2012, PLoS ONE 7:e40233",
  equations: `
    dx/dt = -x / tau1 : 1 (pre)
    dy/dt = -y / tau2 : 1 (pre)
    w     : A (weight)
    dw    : A
  `,
  on: {
    pre: "ia_post += w; ib_post += w; x += 1; y += 1",
    post: "dw -= eta * abs(w) / w0 * (x - y)",
    teacher: "dw += eta * abs(w) / w0 * (x - y)",
    update: "w += dw; dw = 0",
  },
  parameters: { tau1: "5 ms", tau2: "1.25 ms", eta: "65 pA", w0: "1.3 nA" },
});
