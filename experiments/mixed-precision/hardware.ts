/** The pairs of PCM devices of the mixed-precision experiments, and what can be changed about them one thing at a time. */
import { pcm } from "../../models/pcm.ts";
import {
  ConfigError,
  type DeviceOptions,
  device,
  differentialPair,
  type Model,
  quantity,
  type Time,
} from "../../src/index.ts";

/** Devices, how they are written, and what stands around them. */
export interface DeviceSetting {
  readonly deviceParameters: readonly string[];
  readonly startMean: string;
  readonly startSd: string;
  readonly unit: string;
  readonly epsilon: string;
  readonly chi: boolean;
  readonly dacBits: number;
  readonly adcBits: number;
  readonly adcRange: readonly number[];
  readonly refreshEvery: number;
  readonly refreshAbove: string;
  readonly refreshBelow: string;
  readonly refreshPulses: number;
  readonly exampleTime: Time;
  readonly gain?: number;
}

/** Those of Nandakumar et al. 2020, as far as they are known: see mixed-precision-mlp. */
export const deviceDefaults = {
  deviceParameters: ["nuSd=0"],
  startMean: "1.6 uS",
  startSd: "0.83 uS",
  unit: "8 uS",
  epsilon: "0.77 uS",
  chi: true,
  dacBits: 8,
  adcBits: 8,
  adcRange: [16, 4],
  refreshEvery: 100,
  refreshAbove: "8 uS",
  refreshBelow: "6 uS",
  refreshPulses: 3,
  exampleTime: "0 s" as Time,
};

export const deviceTexts = {
  deviceParameters: "parameters of the device, each as name=value",
  startMean: "conductance of the devices before training",
  startSd: "its spread",
  unit: "difference of conductances that makes weight 1",
  epsilon: "step one pulse is taken to make",
  chi: "gather changes; without, each is rounded to pulses by itself",
  dacBits: "bits of what goes into a crossbar; 0 for no rounding",
  adcBits: "bits of what comes out",
  adcRange: "largest output forwards and backwards, in weights times the largest input",
  refreshEvery: "examples from one refresh to the next; 0 for none",
  refreshAbove: "a pair is reset and rewritten when a device exceeds this",
  refreshBelow: "and the two differ by less than this",
  refreshPulses: "most pulses by which it is rewritten",
  exampleTime: "time on the clock of devices from one example to the next while training",
};

type Change = (setting: DeviceSetting) => Partial<DeviceSetting>;

const parameters =
  (...more: string[]): Change =>
  ({ deviceParameters }) => ({ deviceParameters: [...deviceParameters, ...more] });
const scaled =
  (factor: number): Change =>
  ({ epsilon }) => ({ epsilon: `${factor * quantity(epsilon, "S")} S` });

const linear = ["m1=0", "c1=0.77 uS", "A1=0 S"];
const noWriteNoise = ["m2=0", "c2=0 S", "A2=0 S"];
const noReadNoise = ["m3=0", "c3=0 S"];

/** Each changes one thing: the ablations of the non-idealities, and what the method needs or does not. */
export const deviceChanges: Readonly<Record<string, Change>> = {
  "as set": () => ({}),
  "linear update": parameters(...linear),
  "no write noise": parameters(...noWriteNoise),
  "no read noise": parameters(...noReadNoise),
  "no drift": parameters("nuMean=0"),
  "drift while training": () => ({ exampleTime: "1 ms" }),
  "no converters": () => ({ dacBits: 0, adcBits: 0 }),
  "none of these": (setting) => ({
    ...parameters(...linear, ...noWriteNoise, ...noReadNoise, "nuMean=0", "Gmax=1 S")(setting),
    dacBits: 0,
    adcBits: 0,
    refreshEvery: 0,
  }),
  "no refresh": () => ({ refreshEvery: 0 }),
  "no chi": () => ({ chi: false }),
  "half epsilon": scaled(0.5),
  "twice epsilon": scaled(2),
  "drift spread 0.01": parameters("nuSd=0.01"),
  "drift spread 0.04": parameters("nuSd=0.04"),
  ...Object.fromEntries(
    [2, 3, 4, 5, 6, 7].map((bits) => [`${bits} bits`, () => ({ dacBits: bits, adcBits: bits })]),
  ),
};

/** A setting with one thing changed. Throws `ConfigError` for a word that names no change. */
export function changed<S extends DeviceSetting>(setting: S, variant: string): S {
  if (!Object.hasOwn(deviceChanges, variant))
    throw new ConfigError(
      `there is no variant ${variant}; there are ${Object.keys(deviceChanges).join(", ")}`,
    );
  return { ...setting, ...deviceChanges[variant](setting) };
}

/** The device with parameters of its own, as it is when training begins: one SET pulse after its last RESET. */
function deviceOf({ deviceParameters, startMean, startSd }: DeviceSetting): Model<"device"> {
  const { definition } = pcm;
  const start = device({
    ...definition,
    initial: {
      ...definition.initial,
      G: "clip(Gstart + GstartSd * randn(), Gmin, Gmax)",
      P: "exp(-1 / alpha)",
    },
    parameters: { ...definition.parameters, Gstart: startMean, GstartSd: startSd },
  });
  const values = deviceParameters.map((text): [string, string | number] => {
    const [name, value] = text.split("=").map((part) => part.trim());
    if (!value) throw new ConfigError(`a device parameter is "name=value", not ${JSON.stringify(text)}`);
    return [name, Number.isNaN(Number(value)) ? value : Number(value)];
  });
  return start.with(Object.fromEntries(values));
}

/** What a network is told of its devices. */
export function hardwareOf(setting: DeviceSetting): DeviceOptions {
  const { dacBits, adcBits, adcRange, refreshEvery, refreshPulses, exampleTime, gain } = setting;
  const refresh = { above: setting.refreshAbove, difference: setting.refreshBelow };
  return {
    weights: differentialPair(deviceOf(setting), {
      weightPerConductance: `${1 / quantity(setting.unit, "S")} 1/S`,
      step: setting.epsilon,
      accumulate: setting.chi,
      ...(refreshEvery > 0 && { refresh }),
    }),
    ...(dacBits > 0 && { dacBits }),
    ...(adcBits > 0 && { adcBits }),
    adcRange,
    ...(refreshEvery > 0 && { refreshEvery }),
    refreshPulses,
    exampleTime,
    ...(gain !== undefined && { gain }),
  };
}
