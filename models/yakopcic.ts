/**
 * Yakopcic's generalised memristor: thresholds, a speed that grows exponentially with the voltage, motion that is slowed
 * near the ends, and a current of sinh form.
 */
import { device } from "../src/index.ts";

/**
 * dx/dt = g(V) f(x): g = Ap (exp(V) - exp(Vp)) above Vp, -An (exp(-V) - exp(Vn)) below -Vn (V in volt); f = 1 but near the
 * end that x moves to, from xp on or from 1 - xn down. Parameters: those that circulate with its author's SPICE file
 * of 2011, of an ion-conducting chalcogenide.
 */
export const yakopcic = device({
  name: "Yakopcic",
  source:
    "Yakopcic et al. 2011, IEEE Electron Device Lett. 32:1436; 2013, IEEE Trans. Comput.-Aided Des. Integr. Circuits Syst. 32:1201",
  equations: `
    u = V / volt : 1
    rise = V > Vp ? Ap * (exp(u) - exp(Vp / volt)) : 0                                       : Hz
    fall = V < -Vn ? An * (exp(-u) - exp(Vn / volt)) : 0                                     : Hz
    slowUp = x > xp ? exp(-alphaP * (x - xp)) * ((xp - x) / (1 - xp) + 1) : 1                : 1
    slowDown = x < 1 - xn ? exp(alphaN * (x + xn - 1)) * x / (1 - xn) : 1                    : 1
    dx/dt = rise * slowUp - fall * slowDown                                                  : 1
    I = (V < 0 ? a2 : a1) * x * sinh(b * u)                                                  : A
  `,
  initial: { x: "x0" },
  on: {
    up: "apply(amplitude, width); x = clip(x, 0, 1)",
    down: "apply(-amplitude, width); x = clip(x, 0, 1)",
    reset: "x = x0",
  },
  read: "a1 * x * sinh(b * Vread / volt) / Vread",
  current: "I",
  arguments: ["amplitude", "width"],
  parameters: {
    amplitude: "0.3 V",
    width: "0.1 ms",
    Vread: "0.1 V",
    a1: "0.17 A",
    a2: "0.17 A",
    b: 0.05,
    Vp: "0.16 V",
    Vn: "0.15 V",
    Ap: "4000 Hz",
    An: "4000 Hz",
    xp: 0.3,
    xn: 0.5,
    alphaP: 1,
    alphaN: 5,
    x0: 0.11,
    volt: "1 V",
  },
});
