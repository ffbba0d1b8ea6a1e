/**
 * An analog device whose steps depend on the conductance as a polynomial, and on how long ago it last turned.
 *
 * Seen in the ramps of CrossSim (datasets/devices): the first pulses after a turn do little, steps up grow with the
 * conductance. Soft bounds and their kin, whose steps fall towards a bound, say neither.
 */
import { device } from "../src/index.ts";

/**
 * Steps are cubic in x, -1 at the lower and 1 at the upper bound, times 1 - loss exp(-n / lag), with n the pulses since
 * the one that turned. `n` starts at 0: a ramp is measured from after its first pulse on. Spreads are S: of a pulse,
 * and of a read. Measured was 1.606 to 2.485 mS, and beyond that nothing is known. Parameters: `memspike fit
 * crosssim-ramps`, see docs/fitting.md.
 */
export const reversalStep = device({
  name: "polynomial step with memory of reversal",
  source: "fitted here to the ramps of CrossSim, github.com/sandialabs/cross-sim @39fd461b",
  equations: `
    G    : S
    n    : 1    # pulses since the last turn
    last : 1    # direction of the last pulse: 1 up, -1 down
    x = 2 * (G - Gmin) / (Gmax - Gmin) - 1 : 1
    stepUp = (up0 + up1 * x + up2 * x^2 + up3 * x^3) * (1 - lossUp * exp(-n / lagUp))              : S
    stepDown = (down0 + down1 * x + down2 * x^2 + down3 * x^3) * (1 - lossDown * exp(-n / lagDown)) : S
  `,
  initial: { G: "Gmin", n: 0, last: 0 },
  on: {
    up: "n = last < 0 ? 0 : n + 1; last = 1; G = clip(G + stepUp + upSd * randn(), Gmin, Gmax)",
    down: "n = last > 0 ? 0 : n + 1; last = -1; G = clip(G - stepDown + downSd * randn(), Gmin, Gmax)",
  },
  read: "G + readSd * randn()",
  parameters: {
    Gmin: "1.55 mS",
    Gmax: "2.55 mS",
    up0: "5.135 uS",
    up1: "2.38 uS",
    up2: "-0.482 uS",
    up3: "1.59 uS",
    lossUp: 0.918,
    lagUp: 4.03,
    down0: "5.743 uS",
    down1: "1.396 uS",
    down2: "-0.105 uS",
    down3: "-1.603 uS",
    lossDown: 0.678,
    lagDown: 7.27,
    upSd: "0.4856 uS",
    downSd: "0.3566 uS",
    readSd: "0.3 uS",
  },
});
