/** Cells with sodium and potassium channels: the squid axon, and the benchmark network's pyramidal cell. */
import { neuron } from "../src/index.ts";

/**
 * The squid giant axon at 6.3 degrees Celsius, per area of membrane, in today's sign of the potential.
 *
 * `vu` counts mV above rest, as the rate functions of the paper do. A rate x / (exp(x) - 1) is 0/0 at x = 0:
 * below |x| = 1e-6 its series 1 - x/2 is used, which is off by less than 1e-13. The threshold only detects
 * spikes: nothing is reset, and the refractory time keeps one spike from being counted twice. Runge–Kutta
 * steps are stable up to 0.05 ms.
 */
export const hodgkinHuxley = neuron({
  name: "Hodgkin–Huxley",
  source: "Hodgkin & Huxley 1952, J. Physiol. 117:500, eq. 26 with the rates 12, 13, 20, 21, 23, 24",
  equations: `
    dv/dt = (I - gNa * m^3 * h * (v - ENa) - gK * n^4 * (v - EK) - gL * (v - El)) / C : V
    dm/dt = am * (1 - m) - bm * m                               : 1
    dh/dt = ah * (1 - h) - bh * h                               : 1
    dn/dt = an * (1 - n) - bn * n                               : 1
    vu = (v - Er) / mV                                          : 1
    xm = (25 - vu) / 10                                         : 1
    xn = (10 - vu) / 10                                         : 1
    am = (abs(xm) < 1e-6 ? 1 - xm / 2 : xm / expm1(xm)) / ms    : 1/s
    bm = 4 * exp(-vu / 18) / ms                                 : 1/s
    ah = 0.07 * exp(-vu / 20) / ms                              : 1/s
    bh = 1 / (exp((30 - vu) / 10) + 1) / ms                     : 1/s
    an = 0.1 * (abs(xn) < 1e-6 ? 1 - xn / 2 : xn / expm1(xn)) / ms : 1/s
    bn = 0.125 * exp(-vu / 80) / ms                             : 1/s
    I                                                           : A/m^2
  `,
  threshold: "v > Vspike",
  refractory: "5 ms",
  method: "rk4",
  parameters: {
    C: "1 uF/cm^2",
    gNa: "120 mS/cm^2",
    gK: "36 mS/cm^2",
    gL: "0.3 mS/cm^2",
    Er: "-65 mV",
    ENa: "50 mV", // 115 mV above rest
    EK: "-77 mV", // 12 mV below
    El: "-54.387 mV", // makes the total current vanish at rest
    Vspike: "0 mV",
    mV: "1 mV",
    ms: "1 ms",
  },
});

/** v = Er with every gate at its steady state there, to 1e-9: 3.6 uV below the exact rest, by the rounding of El. */
export const hodgkinHuxleyRest = { v: "Er", m: 0.052932485, h: 0.596120754, n: 0.317676914 } as const;

/** The cell of benchmark 3: Traub & Miles' channels, exponential synaptic conductances; synapses of coba.ts. */
export const cobaHodgkinHuxley = neuron({
  name: "COBA Hodgkin–Huxley",
  source: "Brette et al. 2007, J. Comput. Neurosci. 23:349, benchmark 3; channels of Traub & Miles 1991",
  equations: `
    dv/dt = (gL * (El - v) + ge * (Ee - v) + gi * (Ei - v)
      - gNa * m^3 * h * (v - ENa) - gK * n^4 * (v - EK)) / C     : V
    dm/dt = am * (1 - m) - bm * m                                : 1
    dh/dt = ah * (1 - h) - bh * h                                : 1
    dn/dt = an * (1 - n) - bn * n                                : 1
    dge/dt = -ge / taue                                          : S
    dgi/dt = -gi / taui                                          : S
    vu = (v - VT) / mV                                           : 1
    xm = (13 - vu) / 4                                           : 1
    ym = (vu - 40) / 5                                           : 1
    xn = (15 - vu) / 5                                           : 1
    am = 1.28 * (abs(xm) < 1e-6 ? 1 - xm / 2 : xm / expm1(xm)) / ms : 1/s
    bm = 1.4 * (abs(ym) < 1e-6 ? 1 - ym / 2 : ym / expm1(ym)) / ms  : 1/s
    ah = 0.128 * exp((17 - vu) / 18) / ms                        : 1/s
    bh = 4 / (1 + exp((40 - vu) / 5)) / ms                       : 1/s
    an = 0.16 * (abs(xn) < 1e-6 ? 1 - xn / 2 : xn / expm1(xn)) / ms : 1/s
    bn = 0.5 * exp((10 - vu) / 40) / ms                          : 1/s
  `,
  threshold: "v > Vspike",
  refractory: "3 ms",
  method: "exponential-euler",
  parameters: {
    C: "200 pF", // 20,000 um^2 of membrane with 1 uF/cm^2
    gL: "10 nS", // 0.05 mS/cm^2
    gNa: "20 uS", // 100 mS/cm^2
    gK: "6 uS", // 30 mS/cm^2
    El: "-65 mV", // NEURON's and NEST's value; Brian's script has -60 mV, where the cell fires by itself
    ENa: "50 mV",
    EK: "-90 mV",
    VT: "-63 mV",
    Ee: "0 mV",
    Ei: "-80 mV",
    taue: "5 ms",
    taui: "10 ms",
    Vspike: "-20 mV",
    mV: "1 mV",
    ms: "1 ms",
  },
});

/** Rest without synaptic input, to 1e-9. */
export const cobaHodgkinHuxleyRest = {
  v: "-64.764629264 mV",
  m: 0.010227271,
  h: 0.9974103,
  n: 0.028166966,
} as const;
