/**
 * Devices that go up and down by pulses, described by the step that a pulse makes at each conductance.
 *
 * All kinds share bounds, spreads, write noise and reset, and differ in the factor of the step. At `Gref` the factor of
 * constant, linear and soft-bounds steps is 1; there stands the weight 0 of a device that is read against a reference.
 * Spreads from device to device: of the step (a fraction), of the difference between up and down (a fraction), of both
 * bounds (S). From pulse to pulse: of the step (a fraction). `writeSd` (S) is an error that each write leaves on what is
 * read and that the next write forgets. step-presets.ts holds parameters of materials.
 *
 * The equations are those that aihwkit 1.1.0 documents (Rasch et al. 2021, AICAS, doi:10.1109/AICAS51828.2021.9458494),
 * written in conductances; test/models/steps.test.ts compares the two.
 */
import { ConfigError, device } from "../src/index.ts";
import { numbered, piecewiseLinear } from "./piecewise.ts";

const source = "Rasch et al. 2021, AICAS, doi:10.1109/AICAS51828.2021.9458494 (aihwkit)";

const upGain = "abs(gain + skew + min(asymmetry, 0))";
const downGain = "abs(gain - skew - max(asymmetry, 0))";

/** What a spread would put on the wrong side, a step or a bound, is mirrored; no conductance is negative. */
const shared = `
  G       : S               # what pulses move
  Gtop    : S (constant)
  Gbottom : S (constant)
  Greset  : S (constant)
  gain    : 1 (constant)    # spread of the step, and of the difference between up and down
  skew    : 1 (constant)
  dUp = step * ${upGain}     : S    # step at a factor of 1
  dDown = step * ${downGain} : S
`;

const sharedInitial = {
  Gtop: "Gref + abs(Gmax - Gref + topSd * randn())",
  Gbottom: "max(0, Gref - abs(Gref - Gmin + bottomSd * randn()))",
  gain: "logNormal > 0 ? exp(stepSd * randn()) : 1 + stepSd * randn()",
  skew: "skewSd * randn()",
} as const;

/** After fabrication a device is as after a reset. */
const atRest = {
  Greset: "Gref + resetOffset + resetDeviceSd * randn()",
  G: "clip(Greset + resetSd * randn(), Gbottom, Gtop)",
} as const;

const reset = "G = clip(Greset + resetSd * randn(), Gbottom, Gtop)";

const sharedParameters = {
  step: "0.1 uS",
  asymmetry: 0,
  Gref: "10 uS",
  Gmin: "0 uS",
  Gmax: "20 uS",
  stepSd: 0,
  logNormal: 0,
  skewSd: 0,
  topSd: "0 uS",
  bottomSd: "0 uS",
  pulseSd: 0,
  resetOffset: "0 uS",
  resetDeviceSd: "0 uS",
  resetSd: "0 uS",
} as const;

/** Conductance with the error of the last write. */
const written = {
  equation: "Gw : S               # error of the last write, forgotten at the next",
  initial: { Gw: "writeSd * randn()" },
  after: "; Gw = writeSd * randn()",
  read: "max(0, G + Gw)",
  parameters: { writeSd: "0 uS" },
} as const;

/** A kind whose step is `up` or `down`, S, with the spread from pulse to pulse `upSd` or `downSd`, S, and write noise. */
function stepDevice<const Extra extends Readonly<Record<string, string | number>>>(kind: {
  readonly name: string;
  readonly equations?: string;
  readonly initial?: Readonly<Record<string, string>>;
  readonly up: string;
  readonly down: string;
  readonly upSd?: string;
  readonly downSd?: string;
  readonly parameters: Extra;
}) {
  const { up, down, upSd = `pulseSd * (${up})`, downSd = `pulseSd * (${down})` } = kind;
  return device({
    name: kind.name,
    source,
    equations: `${shared}${written.equation}\n${kind.equations ?? ""}`,
    initial: { ...sharedInitial, ...atRest, ...kind.initial, ...written.initial },
    on: {
      up: `G = clip(G + (${up}) + ${upSd} * randn(), Gbottom, Gtop)${written.after}`,
      down: `G = clip(G - (${down}) + ${downSd} * randn(), Gbottom, Gtop)${written.after}`,
      reset: `${reset}${written.after}`,
    },
    read: written.read,
    parameters: { ...sharedParameters, ...written.parameters, ...kind.parameters },
  });
}

/** Steps that do not depend on the conductance. */
export const constantStep = device({
  name: "constant step",
  source: "Gokmen & Vlasov 2016, Front. Neurosci. 10:333, doi:10.3389/fnins.2016.00333",
  equations: shared,
  initial: { ...sharedInitial, ...atRest },
  on: {
    up: "G = clip(G + dUp * (1 + pulseSd * randn()), Gbottom, Gtop)",
    down: "G = clip(G - dDown * (1 + pulseSd * randn()), Gbottom, Gtop)",
    reset,
  },
  read: "G",
  parameters: sharedParameters,
});

/** Of linear steps, of a device that stands at `G` before the pulse. */
const linear = (G: string) => ({
  equations: `
    fallUp   : 1 (constant)
    fallDown : 1 (constant)
    slopeUp = fallUp * dUp / (Gmax - Gref)       : 1
    slopeDown = fallDown * dDown / (Gref - Gmin) : 1
  `,
  initial: {
    fallUp: "abs(gammaUp + gammaSd * randn())",
    fallDown: "abs(gammaDown + gammaSd * randn())",
  },
  up: `dUp - slopeUp * (${G} - Gref)`,
  down: `dDown - slopeDown * (Gref - ${G})`,
  upSd: `pulseSd * (dUp - relative * slopeUp * (${G} - Gref))`,
  downSd: `pulseSd * (dDown - relative * slopeDown * (Gref - ${G}))`,
  parameters: { gammaUp: 0.1, gammaDown: 0.1, gammaSd: 0, relative: 1 },
});

/**
 * Steps that fall linearly: by the fraction `gammaUp` on the way from Gref to Gmax, by `gammaDown` from Gref to Gmin. The
 * slope is a device's own, its bound is not. `relative` 1 makes the spread from pulse to pulse a fraction of the step, 0 of
 * the step at Gref.
 */
export const linearStep = stepDevice({ name: "linear step", ...linear("G") });

const leaking = linear("Gd");

/** Linear steps of a device that leaks towards Gref, such as a capacitor; a pulse starts from what is left. */
export const leakyStep = device({
  name: "linear step with leakage",
  source,
  equations: `${shared}${leaking.equations}
    lifetime : s (constant)
  `,
  initial: {
    ...sharedInitial,
    ...atRest,
    ...leaking.initial,
    lifetime: "max(tau * (1 + tauSd * randn()), tauLeast)",
  },
  on: {
    up: `G = clip(Gd + (${leaking.up}) + ${leaking.upSd} * randn(), Gbottom, Gtop)`,
    down: `G = clip(Gd - (${leaking.down}) + ${leaking.downSd} * randn(), Gbottom, Gtop)`,
    reset,
  },
  drift: "Gref + (G - Gref) * exp(-age / lifetime)",
  read: "Gd",
  parameters: { ...sharedParameters, ...leaking.parameters, tau: "1000 s", tauSd: 0, tauLeast: "1 ms" },
});

/** Steps that fall linearly to zero at the bounds of the device; never reaches them. */
export const softBounds = stepDevice({
  name: "soft bounds",
  up: "dUp * (Gtop - G) / (Gtop - Gref)",
  down: "dDown * (G - Gbottom) / (Gref - Gbottom)",
  upSd: "pulseSd * dUp * (relative > 0 ? (Gtop - G) / (Gtop - Gref) : 1)",
  downSd: "pulseSd * dDown * (relative > 0 ? (G - Gbottom) / (Gref - Gbottom) : 1)",
  parameters: { relative: 1 },
});

/**
 * Soft bounds, read against a reference of its own: a read is Gref where the device equals its reference `Gsym`. That is
 * Gref or, with `symmetric` 1, the conductance at which up and down steps of the device are equal; `referenceSd` is its
 * error.
 */
export const softBoundsReference = device({
  name: "soft bounds with reference",
  source,
  equations: `${shared}${written.equation}
    Gsym : S (constant)
    toTop = (Gtop - G) / (Gtop - Gref)          : 1
    toBottom = (G - Gbottom) / (Gref - Gbottom) : 1
  `,
  initial: {
    ...sharedInitial,
    Gsym: `
      Gref + referenceSd * randn()
        + symmetric * (${upGain} - ${downGain}) / (${upGain} / (Gtop - Gref) + ${downGain} / (Gref - Gbottom))
    `,
    Greset: "Gsym + resetOffset + resetDeviceSd * randn()",
    G: atRest.G,
    ...written.initial,
  },
  on: {
    up: `G = clip(G + dUp * (toTop + pulseSd * randn()), Gbottom, Gtop)${written.after}`,
    down: `G = clip(G - dDown * (toBottom + pulseSd * randn()), Gbottom, Gtop)${written.after}`,
    reset: `${reset}${written.after}`,
  },
  read: "max(0, Gref + G - Gsym + Gw)",
  parameters: { ...sharedParameters, ...written.parameters, symmetric: 1, referenceSd: "0 uS" },
});

/**
 * Steps with a factor max(0, 1 - A exp(gamma z)) on the way up and max(0, 1 - A exp(-gamma z)) on the way down, where
 * z = 2 a (G - Gref) / (Gtop - Gbottom) + b. The spread of a pulse is pulseSd (|step| + addSd + slopeSd |G - Gref|); both are
 * fits without a mechanism behind them.
 */
export const exponentialStep = stepDevice({
  name: "exponential step",
  equations: "z = 2 * a * (G - Gref) / (Gtop - Gbottom) + b : 1",
  up: "dUp * max(0, 1 - Aup * exp(gammaUp * z))",
  down: "dDown * max(0, 1 - Adown * exp(-gammaDown * z))",
  upSd: "pulseSd * (dUp * max(0, 1 - Aup * exp(gammaUp * z)) + addSd + slopeSd * abs(G - Gref))",
  downSd: "pulseSd * (dDown * max(0, 1 - Adown * exp(-gammaDown * z)) + addSd + slopeSd * abs(G - Gref))",
  parameters: {
    a: 0.244, // the defaults of aihwkit, from which its presets depart
    b: 0.2425,
    Aup: 0.00081,
    Adown: 0.36833,
    gammaUp: 12.44625,
    gammaDown: 12.78785,
    addSd: "0 uS",
    slopeSd: 0,
  },
});

/** Steps that fall as a power of the room that is left: ((Gtop - G) / (Gtop - Gbottom))^gammaUp, and alike downwards. */
export const powerStep = stepDevice({
  name: "power step",
  equations: `
    powerGain : 1 (constant)
    powerSkew : 1 (constant)
    powerUp = gamma * abs(powerGain + powerSkew + min(gammaAsymmetry, 0))   : 1
    powerDown = gamma * abs(powerGain - powerSkew - max(gammaAsymmetry, 0)) : 1
  `,
  initial: {
    powerGain: "1 + gammaSd * randn()",
    powerSkew: "gammaSkewSd * randn()",
  },
  up: "dUp * ((Gtop - G) / (Gtop - Gbottom))^powerUp",
  down: "dDown * ((G - Gbottom) / (Gtop - Gbottom))^powerDown",
  parameters: { gamma: 1, gammaSd: 0, gammaAsymmetry: 0, gammaSkewSd: 0 },
});

/**
 * Steps whose factor is interpolated between nodes, equally spaced from the lower bound of a device to its upper. The
 * factors become parameters up0, up1, … and down0, down1, … Throws `ConfigError` for fewer than two nodes.
 */
export function piecewiseStep(factors: { readonly up: readonly number[]; readonly down: readonly number[] }) {
  const factor = (name: "up" | "down"): string => {
    const count = factors[name].length;
    if (count < 2)
      throw new ConfigError(`a piecewise step has two factors or more, not ${count} for ${name}`);
    const names = factors[name].map((_, k) => `${name}${k}`);
    return piecewiseLinear(names, (k) => `${count - 1} * filled - ${k}`);
  };
  return stepDevice<Record<string, string | number>>({
    name: "piecewise step",
    equations: "filled = (G - Gbottom) / (Gtop - Gbottom) : 1",
    up: `dUp * (${factor("up")})`,
    down: `dDown * (${factor("down")})`,
    parameters: { ...numbered("up", factors.up), ...numbered("down", factors.down) },
  });
}
