/**
 * VTEAM: a voltage above a threshold moves a boundary through the device, the faster the higher; below, nothing moves.
 *
 * A positive voltage raises the resistance, as in the source: the pulse `up` applies -amplitude. The boundary `w` stands
 * still at its ends (the ideal, rectangular window); an integration step may carry it beyond by its own length, which the
 * conductance does not see and the end of a pulse takes back.
 */
import { device } from "../src/index.ts";

/**
 * Parameters as distributed with the model by its authors and taken over by MemTorch 1.1: a device of 50 to 1000 ohm that
 * crosses 3 nm within nanoseconds, faster towards low resistance. Fits of real devices replace them.
 */
export const vteam = device({
  name: "VTEAM",
  source: "Kvatinsky et al. 2015, IEEE Trans. Circuits Syst. II 62:786, doi:10.1109/TCSII.2015.2433536",
  equations: `
    dw/dt = (w < woff ? koff * max(V / Voff - 1, 0)^alphaOff : 0) +
            (w > won ? kon * max(V / Von - 1, 0)^alphaOn : 0) : m
    position = clip((w - won) / (woff - won), 0, 1)           : 1
    R = Ron + (Roff - Ron) * position                         : ohm
  `,
  initial: { w: "woff" },
  on: {
    up: "apply(-amplitude, width); w = clip(w, won, woff)",
    down: "apply(amplitude, width); w = clip(w, won, woff)",
    reset: "w = woff",
  },
  read: "1 / R",
  current: "V / R",
  arguments: ["amplitude", "width"],
  parameters: {
    amplitude: "0.3 V",
    width: "100 ps",
    Voff: "0.02 V",
    Von: "-0.2 V",
    koff: "0.0005 m/s",
    kon: "-10 m/s",
    alphaOff: 1,
    alphaOn: 3,
    Roff: "1000 ohm",
    Ron: "50 ohm",
    woff: "3 nm",
    won: "0 nm",
  },
});
