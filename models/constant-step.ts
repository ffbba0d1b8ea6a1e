/** Devices whose SET pulses all add the same conductance: the perfect one, and one with spread. */
import { device } from "../src/index.ts";

/** What a write would be without device physics: equal steps, no noise, no drift. */
export const idealDevice = device({
  name: "ideal device",
  source: "definition: equal noiseless steps within bounds",
  equations: "G : S",
  initial: { G: "Gmin" },
  on: { set: "G = min(G + step, Gmax)", reset: "G = Gmin" },
  read: "G",
  parameters: { step: "0.8 uS", Gmin: "0 uS", Gmax: "20 uS" },
});

/**
 * Steps and bounds differ from device to device, and every pulse from its device's step; all spreads are
 * fractions of the mean. The paper's device goes up and down; here depression is a RESET.
 */
export const constantStep = device({
  name: "constant step",
  source: "Gokmen & Vlasov 2016, Front. Neurosci. 10:333, table 1, potentiation",
  equations: `
    G    : S
    dG   : S (constant)
    Gtop : S (constant)
  `,
  initial: { G: "Gmin", dG: "step * (1 + deviceSd * randn())", Gtop: "Gmax * (1 + boundSd * randn())" },
  on: { set: "G = clip(G + dG * (1 + pulseSd * randn()), Gmin, max(Gmin, Gtop))", reset: "G = Gmin" },
  read: "G",
  parameters: {
    step: "0.8 uS",
    Gmin: "0 uS",
    Gmax: "20 uS",
    deviceSd: 0.3,
    boundSd: 0.3,
    pulseSd: 0.3,
  },
});
