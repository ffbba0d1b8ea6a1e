/** ReSuMe: spikes that should be strengthen, spikes that are weaken, each by what its inputs did shortly before. */
import { synapse } from "../src/index.ts";

/**
 * For `lif` (lif.ts). A desired spike adds eta (a + x), x the trace of the input, an actual one takes as much away: the part
 * `a` corrects how often a cell fires, the part x when. Changes wait in `dw` until `update`. The window is causal: an
 * input after the output spike does not count, one in the same tick does.
 */
export const resume = synapse({
  name: "ReSuMe",
  source: "Ponulak & Kasiński 2010, Neural Comput. 22:467, eq. 2.10; constants are ours",
  equations: `
    dx/dt = -x / tau : 1 (pre)
    w     : A (weight)
    dw    : A
  `,
  on: {
    pre: "ia_post += w; ib_post += w; x += 1",
    post: "dw -= eta * (a + x)",
    teacher: "dw += eta * (a + x)",
    update: "w += dw; dw = 0",
  },
  parameters: { tau: "10 ms", a: 0.05, eta: "50 pA" },
});
