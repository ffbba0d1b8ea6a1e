/** The perfect device: SET pulses all add the same conductance. With spread, and both ways: step-devices.ts. */
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
