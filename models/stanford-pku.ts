/**
 * Stanford–PKU compact model of filamentary RRAM: the gap between filament and electrode sets the current, and field
 * and temperature move it.
 *
 * Positive voltage closes the gap (SET). Joule heat is quasi-static: T = Tambient + |V I| Rth. The field is enhanced by
 * gamma = gamma0 - beta (gap / 1 nm)^3, and moves nothing while gamma |V| / thickness is below Fmin. The gap stands
 * still at its ends; an integration step may carry it beyond by its own length, which the current does not see and the
 * end of a pulse takes back. The random gap growth of the "dynamic" variant is left out: there it is added per time step
 * of the solver, so that its size depends on that step.
 */
import { device } from "../src/index.ts";

/**
 * Parameters: defaults of the Verilog-A file, release 1.0.0, HfOx. `gammaNegative` is the gamma0 of negative voltages, a
 * constant in that file. No series resistance limits the current: amplitudes are those at the filament itself.
 */
export const stanfordPku = device({
  name: "Stanford–PKU RRAM",
  source:
    "Jiang & Wong 2014, Stanford RRAM Verilog-A model 1.0.0, doi:10.4231/D37H1DN48; Jiang et al. 2016, IEEE Trans. Electron Devices 63:1884; Guan et al. 2012, IEEE Electron Device Lett. 33:1405",
  equations: `
    seen = clip(gap, gapMin, gapMax)                                        : m
    I = I0 * exp(-seen / g0) * sinh(V / V0)                                 : A
    kT = kB * (Tambient + abs(V * I) * Rth)                                 : J
    enhancement = (V < 0 ? gammaNegative : gamma0) - beta * (seen / nanometre)^3 : 1
    gamma = enhancement * abs(V) / thickness < Fmin ? 0 : enhancement       : 1
    speed = -velocity * exp(-q * Ea / kT) * sinh(gamma * a0 / thickness * q * V / kT) : m/s
    dgap/dt = (gap > gapMin and speed < 0) or (gap < gapMax and speed > 0) ? speed : 0 : m
  `,
  initial: { gap: "gapMax" },
  on: {
    up: "apply(amplitude, width); gap = clip(gap, gapMin, gapMax)",
    down: "apply(-amplitude, width); gap = clip(gap, gapMin, gapMax)",
    reset: "gap = gapMax",
  },
  read: "I0 * exp(-gap / g0) * sinh(Vread / V0) / Vread",
  current: "I",
  arguments: ["amplitude", "width"],
  parameters: {
    amplitude: "1.5 V",
    width: "10 ns",
    Vread: "0.1 V",
    g0: "0.25 nm",
    V0: "0.25 V",
    I0: "1 mA",
    velocity: "10 m/s",
    beta: 0.8,
    gamma0: 16,
    gammaNegative: 16,
    Ea: "0.6 V", // times q
    a0: "0.25 nm",
    Tambient: "298 K",
    Fmin: "1.4e9 V/m",
    gapMin: "0.2 nm",
    gapMax: "1.7 nm",
    Rth: "2100 K/W",
    thickness: "12 nm",
    nanometre: "1 nm",
    kB: "1.380649e-23 J/K",
    q: "1.602176634e-19 C",
  },
});
