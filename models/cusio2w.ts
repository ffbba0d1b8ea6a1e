/**
 * Cu/SiO2/W-like memristors: a filament of copper in silica, set and reset below half a volt.
 *
 * The form of the models is published (a step that depends on the state, levels at half quanta of conductance, STDP by
 * overlapping spikes), the fitted law and its parameters were not to be had: every number here but the quantum of
 * conductance is a stand-in, and results with them are "Cu/SiO2/W-like". The state x runs from 0 to 1,
 * G = Gmin + x (Gtop - Gmin), from half a quantum to five and a half.
 */
import { device } from "../src/index.ts";
import { tableDevice } from "./table-device.ts";

const article =
  "Nandakumar & Rajendran 2020, Microelectron. Eng., arXiv:2001.09299 (parameters are stand-ins)";

const halfQuantum = "38.74045865 uS";

const range = { Gmin: halfQuantum, Gmax: "426.1450452 uS", x0: 0.5 } as const; // 1 and 11 half quanta

/** Steps and range differ from device to device; no factor is below a tenth. */
const state = {
  equations: `
    x        : 1
    Gtop     : S (constant)
    gainUp   : 1 (constant)
    gainDown : 1 (constant)
  `,
  initial: {
    x: "x0",
    Gtop: "Gmin + (Gmax - Gmin) * max(1 + deviceSd * randn(), 0.1)",
    gainUp: "max(1 + deviceSd * randn(), 0.1)",
    gainDown: "max(1 + deviceSd * randn(), 0.1)",
  },
  read: "Gmin + x * (Gtop - Gmin)",
} as const;

/** The state moves towards its bounds by a power of the room that is left: default. */
export const cuSiO2W = device({
  name: "Cu/SiO2/W-like, soft bounds",
  source: article,
  ...state,
  on: {
    up: "x = clip(x + aUp * gainUp * (1 - x)^gammaUp * (1 + pulseSd * randn()), 0, 1)",
    down: "x = clip(x - aDown * gainDown * x^gammaDown * (1 + pulseSd * randn()), 0, 1)",
    reset: "x = 0",
  },
  parameters: { ...range, aUp: 0.01, aDown: 0.005, gammaUp: 1, gammaDown: 1, pulseSd: 0.3, deviceSd: 0.1 },
});

/** Equal steps up and down, as for learning with a teacher. */
export const cuSiO2WSymmetric = cuSiO2W.with({ aUp: 0.02, aDown: 0.02 });

/** Steps that fall exponentially on the way. */
export const cuSiO2WExponential = device({
  name: "Cu/SiO2/W-like, exponential",
  source: `Querlioz et al. 2013, IEEE Trans. Nanotechnol. 12:288; for ${article}`,
  ...state,
  on: {
    up: "x = clip(x + alphaUp * gainUp * exp(-betaUp * x) * (1 + pulseSd * randn()), 0, 1)",
    down: "x = clip(x - alphaDown * gainDown * exp(-betaDown * (1 - x)) * (1 + pulseSd * randn()), 0, 1)",
    reset: "x = 0",
  },
  parameters: {
    ...range,
    alphaUp: 0.01,
    alphaDown: 0.005,
    betaUp: 3,
    betaDown: 3,
    pulseSd: 0.3,
    deviceSd: 0.1,
  },
});

/** The soft bounds of `cuSiO2W` as a table of six points: to be replaced by measured ones. */
export const cuSiO2WTable = tableDevice({
  name: "Cu/SiO2/W-like, table",
  source: article,
  unit: "uS",
  G: [38.7405, 116.221, 193.702, 271.183, 348.664, 426.145],
  up: [3.87405, 3.09924, 2.32443, 1.54962, 0.77481, 0],
  down: [0, 0.387405, 0.77481, 1.162215, 1.54962, 1.937025],
  pulseSd: 0.3,
  stepSd: 0.1,
});

const levels = 11; // half quanta in the range

/** That at most k events of mean `m` happen, the Poisson distribution: e^-m (1 + m (1 + m/2 (1 + m/3 …))). */
function atMost(k: number, m: string): string {
  let sum = "1";
  for (let n = k; n >= 1; n--) sum = `1 + ${m} / ${n} * (${sum})`;
  return `exp(-${m}) * (${sum})`;
}

/** Events of mean `m` so far: the quantile of their Poisson distribution at `u`, up to the number of levels. */
const decays = (u: string, m: string) =>
  Array.from({ length: levels - 1 }, (_, k) => `int(${u} > ${atMost(k, m)})`).join(" + ");

/**
 * Whole half quanta `n`: the step of soft bounds is rounded up or down to whole levels, by chance, so that its mean stays.
 * The filament decays by one level at a time, at the rate 1 / tau; `u`, drawn at each pulse, decides when. The count of
 * decays at any age has the Poisson distribution and never falls; a pulse starts from the level that is left. Off by
 * default (1e15 s).
 */
export const cuSiO2WLevels = device({
  name: "Cu/SiO2/W-like, half quanta",
  source: `Nandakumar et al. 2016, Nano Lett. 16:1602 (levels and decay); ${article}`,
  equations: `
    n        : 1
    u        : 1
    gainUp   : 1 (constant)
    gainDown : 1 (constant)
    x = (n - 1) / (levels - 1)                                                      : 1
    rise = (levels - 1) * aUp * gainUp * (1 - x) * (1 + pulseSd * randn())          : 1
    fall = (levels - 1) * aDown * gainDown * x * (1 + pulseSd * randn())            : 1
  `,
  initial: {
    n: "n0",
    u: "rand()",
    gainUp: "max(1 + deviceSd * randn(), 0.1)",
    gainDown: "max(1 + deviceSd * randn(), 0.1)",
  },
  on: {
    up: "n = round(Gd / Ghalf); n = clip(n + floor(rise + rand()), 1, levels); u = rand()",
    down: "n = round(Gd / Ghalf); n = clip(n - floor(fall + rand()), 1, levels); u = rand()",
    reset: "n = 1; u = rand()",
  },
  drift: `Ghalf * max(1, n - (${decays("u", "(age / tau)")}))`,
  read: "Gd",
  parameters: {
    Ghalf: halfQuantum,
    levels,
    n0: 6,
    aUp: 0.01,
    aDown: 0.005,
    pulseSd: 0.3,
    deviceSd: 0.1,
    tau: "1e15 s",
  },
});

/**
 * A filament that grows above one threshold voltage and shrinks below another, so that only overlapping spikes move it:
 * STDP by waveforms, see `spikePair`. The rates make a pair one millisecond apart move x by 0.05 from 0.5.
 */
export const cuSiO2WStdp = device({
  name: "Cu/SiO2/W-like, waveforms",
  source: article,
  equations: `
    grow = kUp * max(0, (V - VthUp) / volt)^p * max(0, 1 - x)^gammaUp       : Hz
    shrink = kDown * max(0, (-V - VthDown) / volt)^p * max(0, x)^gammaDown  : Hz
    dx/dt = grow - shrink                                                   : 1
    Gtop : S (constant)
    G = Gmin + clip(x, 0, 1) * (Gtop - Gmin)                                : S
  `,
  initial: { x: "x0", Gtop: "Gmin + (Gmax - Gmin) * max(1 + deviceSd * randn(), 0.1)" },
  on: {
    up: "apply(amplitude, width); x = clip(x, 0, 1)",
    down: "apply(-amplitude, width); x = clip(x, 0, 1)",
    reset: "x = 0",
  },
  read: "G",
  current: "V * G",
  arguments: ["amplitude", "width"],
  parameters: {
    ...range,
    amplitude: "0.45 V",
    width: "1 ms",
    VthUp: "0.27 V",
    VthDown: "0.27 V",
    p: 1,
    kUp: "474.9 Hz", // ln(0.5 / 0.45) over the integral of (V - Vth) / 1 V, 0.22185 ms: test/models/cusio2w.test.ts
    kDown: "474.9 Hz",
    gammaUp: 1,
    gammaDown: 1,
    deviceSd: 0.1,
    volt: "1 V",
  },
});

/**
 * Voltage across a device at a pair of spikes, V: what the postsynaptic spike makes less what the presynaptic makes, in
 * samples of `dt` seconds (values at their middle), from the first spike until nothing is left. A spike is 0.25 V for a
 * millisecond and then an undershoot that decays from 0.25 V in 15 ms. `interval` is post minus pre, s.
 */
export function spikePair(interval: number, dt: number): Float64Array {
  const [height, width, decay] = [0.25, 1e-3, 15e-3]; // V, s, s: stand-ins
  const spike = (t: number) => {
    if (t < 0) return 0;
    return t < width ? height : -height * Math.exp(-(t - width) / decay);
  };
  const end = Math.abs(interval) + width + 10 * decay;
  const [pre, post] = [Math.max(0, -interval), Math.max(0, interval)];
  return Float64Array.from({ length: Math.ceil(end / dt) }, (_, k) => {
    const t = (k + 0.5) * dt;
    return spike(t - post) - spike(t - pre);
  });
}
