/** An analog device whose steps are smaller than their noise. */
import { device } from "../src/index.ts";

/**
 * Steps are linear in x, -1 at the lower and 1 at the upper bound. Each pulse, whatever its step, adds a normal number of
 * standard deviation `pulseSd` (S), each read one of `readSd`. Where noise is given as a fraction of the step, as in
 * step-devices.ts, a step that may be 0 leaves its noise open. Parameters: `memspike fit gong-updown`, see
 * docs/fitting.md; the unit there is chosen.
 */
export const noisyStep = device({
  name: "linear step with noise of its own",
  source: "fitted here to pulses of an analog RRAM, Gong et al. 2018, Nat. Commun. 9:2102, by way of aihwkit",
  equations: `
    G : S
    x = 2 * (G - Gmin) / (Gmax - Gmin) - 1 : 1
  `,
  initial: { G: "Gmin" },
  on: {
    up: "G = clip(G + up0 + up1 * x + pulseSd * randn(), Gmin, Gmax)",
    down: "G = clip(G - down0 - down1 * x + pulseSd * randn(), Gmin, Gmax)",
  },
  read: "G + readSd * randn()",
  parameters: {
    Gmin: "2 uS",
    Gmax: "18 uS",
    up0: "11.6 nS",
    up1: "-26 nS",
    down0: "23.2 nS",
    down1: "47 nS",
    pulseSd: "0.229 uS",
    readSd: "0.58 uS",
  },
});
