/**
 * Filament memristors of the kind of Cu/SiO2/W: devices that pulses below 0.5 V move up and down between two bounds.
 *
 * STAND-IN: of the paper only the abstract is known to us. It says that a device updates by an amount that depends on
 * its state and that a phenomenological model of this was used, not which. Form and constants below are ours, after
 * the devices of Querlioz et al. 2013; a figure made with them is "Cu/SiO2/W-like", never the paper's.
 */
import { device } from "../src/index.ts";

const source =
  "stand-in for Nandakumar & Rajendran 2020, arXiv:2001.09299; soft bounds, after Querlioz et al. 2013, IEEE Trans. Nanotechnol. 12:288";

/** G0 / 2 = e^2 / h: the steps in which the conductance of a filament one atom wide changes, S. */
export const halfQuantum = 38.740458e-6;

/** `change` is the change of a pulse, S, before bounds. */
const softBounds = (name: string, change: (dG: string) => string) =>
  device({
    name,
    source,
    equations: `
      G     : S
      Gtop  : S (constant)
      dUp   : 1 (constant)   # steps of this device at x = 0 and at x = 1, fractions of its range
      dDown : 1 (constant)
      range = Gtop - Gmin       : S
      x = (G - Gmin) / range    : 1
      up = dUp * (1 - x) * range * (1 + pulseSd * randn()) : S
      down = dDown * x * range * (1 + pulseSd * randn())   : S
    `,
    initial: {
      Gtop: "Gmin + (Gmax - Gmin) * max(0.1, 1 + deviceSd * randn())",
      dUp: "stepUp * max(0.1, 1 + deviceSd * randn())",
      dDown: "stepDown * max(0.1, 1 + deviceSd * randn())",
      G: "Gmin + (Gtop - Gmin) * clip(start * (1 + startSd * randn()), 0, 1)",
    },
    on: {
      up: `G = clip(G + ${change("up")}, Gmin, Gtop)`,
      down: `G = clip(G - ${change("down")}, Gmin, Gtop)`,
      reset: "G = Gmin",
    },
    read: "G",
    parameters: {
      Gmin: "38.74 uS",
      Gmax: "426.1 uS",
      stepUp: 0.01,
      stepDown: 0.005,
      start: 0.67,
      startSd: 0.2,
      pulseSd: 0.3,
      deviceSd: 0.1,
    },
  });

/**
 * A pulse moves the state x by `stepUp` (1 - x) up or `stepDown` x down, of the range between `Gmin` and the device's own
 * top: ten half quanta above the first by default. Spreads are fractions: `pulseSd` of each step, `deviceSd` of the
 * device's steps and range, `startSd` of the state after fabrication.
 */
export const cuSiO2W = softBounds("Cu/SiO2/W-like, soft bounds", (dG) => dG);
