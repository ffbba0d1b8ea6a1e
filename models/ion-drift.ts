/**
 * Ion-drift memristors: the current through a film moves the boundary between its doped and its undoped part.
 *
 * x is the doped fraction. The doped part conducts: R = Ron x + Roff (1 - x). No threshold: reading disturbs, which
 * `read` leaves out.
 */
import { device } from "../src/index.ts";

const doped = {
  initial: { x: "x0" },
  on: {
    up: "apply(amplitude, width); x = clip(x, 0, 1)",
    down: "apply(-amplitude, width); x = clip(x, 0, 1)",
    reset: "x = x0",
  },
  arguments: ["amplitude", "width"],
} as const;

const film = {
  amplitude: "1 V",
  width: "10 ms",
  Ron: "100 ohm",
  Roff: "16000 ohm",
  mobility: "1e-14 m^2/V/s",
  thickness: "10 nm",
  x0: 0.1,
} as const;

/**
 * Linear drift without a window: x moves with the charge, dx/dt = mobility Ron / thickness^2 I, until it is at an end.
 * Parameters: 10 nm of TiO2, a mobility of 1e-10 cm^2/Vs, and a ratio of 160 of the source's simulations.
 */
export const linearIonDrift = device({
  name: "linear ion drift",
  source: "Strukov et al. 2008, Nature 453:80, doi:10.1038/nature06932",
  equations: `
    R = Ron * clip(x, 0, 1) + Roff * (1 - clip(x, 0, 1))      : ohm
    speed = mobility * Ron / thickness^2 * V / R               : Hz
    dx/dt = (x < 1 and V > 0) or (x > 0 and V < 0) ? speed : 0 : 1
  `,
  ...doped,
  read: "1 / R",
  current: "V / R",
  parameters: film,
});

/**
 * The same with Biolek's window, 1 - (x - (I < 0))^(2p): x slows down towards the end that it moves to, and leaves an end at
 * once when the current turns.
 */
export const biolekIonDrift = device({
  name: "ion drift, Biolek window",
  source: "Biolek et al. 2009, Radioengineering 18:210",
  equations: `
    R = Ron * clip(x, 0, 1) + Roff * (1 - clip(x, 0, 1))                                             : ohm
    window = 1 - abs(clip(x, 0, 1) - (V < 0 ? 1 : 0))^(2 * p)                                         : 1
    dx/dt = mobility * Ron / thickness^2 * V / R * window                                            : 1
  `,
  ...doped,
  read: "1 / R",
  current: "V / R",
  parameters: { ...film, p: 1 },
});
