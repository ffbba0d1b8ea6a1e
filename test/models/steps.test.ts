import { describe, expect, test } from "vitest";
import { pcmExponentialStep } from "../../models/pcm.ts";
import { piecewiseStep, powerStep, softBounds } from "../../models/step-devices.ts";
import {
  capacitor,
  ecRam,
  ecRamMO,
  gokmenVlasov,
  idealized,
  reRamArrayHfO2,
  reRamArrayOM,
  reRamES,
  reRamSB,
} from "../../models/step-presets.ts";
import { type DeviceArray, fabricate, type Model, quantity } from "../../src/index.ts";
import { departure, golden, type Training } from "./aihwkit.ts";

const unit = 10e-6; // S for each weight unit
type Device = Model<"device">;

const range = { Gref: "40 uS", Gmin: "30 uS", Gmax: "50 uS", topSd: "1 uS", bottomSd: "1 uS" } as const;
const spread = { step: "0.1 uS", stepSd: 0.3, skewSd: 0.01, pulseSd: 0.3 } as const; // aihwkit's defaults
const models: Readonly<Record<string, Device>> = {
  ReRamES: reRamES,
  ReRamSB: reRamSB,
  Capacitor: capacitor,
  EcRam: ecRam,
  EcRamMO: ecRamMO,
  Idealized: idealized,
  GokmenVlasov: gokmenVlasov,
  PCM: pcmExponentialStep,
  ReRamArrayOM: reRamArrayOM,
  ReRamArrayHfO2: reRamArrayHfO2,
  PowStep: powerStep.with({
    ...range,
    ...spread,
    asymmetry: -0.1,
    gamma: 1.6,
    gammaSd: 0.1,
    gammaAsymmetry: 0.3,
    gammaSkewSd: 0.05,
    writeSd: "0.2 uS",
  }),
  PiecewiseStep: piecewiseStep({ up: [1.2, 0.9, 0.7, 0.4], down: [0.1, 0.5, 0.8, 1.1] }).with({
    ...range,
    ...spread,
  }),
  SoftBounds: softBounds.with({ ...range, ...spread, asymmetry: 0.2 }),
};

/** The value of a parameter, SI. */
function parameter(model: Device, name: string): number {
  const written = model.definition.parameters?.[name];
  return typeof written === "number" ? written : written === undefined ? 0 : quantity(written);
}

/** The same model with those parameters that it has multiplied by factors. */
const scaled = (model: Device, factors: Readonly<Record<string, number>>): Device =>
  model.with(
    Object.fromEntries(
      Object.entries(factors).flatMap(([name, factor]) => {
        if (model.definition.parameters?.[name] === undefined) return [];
        const value = factor * parameter(model, name);
        const dimensionless = typeof model.definition.parameters?.[name] === "number";
        return [[name, dimensionless ? value : `${value} S`]];
      }),
    ) as never,
  );

const spreads = (model: Device) =>
  Object.keys(model.definition.parameters ?? {}).filter((p) => /Sd$/.test(p));
const spreadless = (model: Device): Device =>
  scaled(model, Object.fromEntries(spreads(model).map((name) => [name, 0])));

/** The conductance of weight 0, device by device. */
function zeros(array: DeviceArray): Float64Array {
  const Gref = parameter(array.model, "Gref");
  return "Gsym" in array.model.definition.initial
    ? array.get("Gsym")
    : new Float64Array(array.size).fill(Gref);
}
const weights = (array: DeviceArray) =>
  array.read({ noise: false }).map((G) => (G - parameter(array.model, "Gref")) / unit);
const pulseName = (model: Device, direction: 1 | -1) =>
  direction === 1 ? ("up" in model.definition.on ? "up" : "set") : "down";

/** Largest difference of weights after one pulse. */
async function stepError(model: Device, { steps: [before, up, down] }: Training): Promise<number> {
  let worst = 0;
  for (const [direction, after] of [
    [1, up],
    [-1, down],
  ] as const) {
    if (!(pulseName(model, direction) in model.definition.on)) continue;
    const array = await fabricate(before.length, spreadless(model), { seed: 1 });
    array.set(
      "G",
      zeros(array).map((zero, k) => zero + before[k] * unit),
    );
    array.pulse(pulseName(model, direction));
    for (const [k, w] of weights(array).entries()) worst = Math.max(worst, Math.abs(w - after[k]));
  }
  return worst;
}

/** Largest departures of parameters after fabrication and of weights after pulses; 1 is the limit. */
async function departures(model: Device, { parameters, pulses }: Training) {
  const array = await fabricate(20_000, model, { seed: "against aihwkit" });
  const at = (name: string) => parameter(array.model, name);
  const stores = (name: string) => name in model.definition.initial;
  const gain = array.get("gain");
  const skew = array.get("skew");
  const up = gain.map((g, k) => Math.abs(g + skew[k] + Math.min(at("asymmetry"), 0)) * at("step"));
  const down = gain.map((g, k) => Math.abs(g - skew[k] - Math.max(at("asymmetry"), 0)) * at("step"));
  const power = (sign: 1 | -1) => {
    const [gains, skews] = [array.get("powerGain"), array.get("powerSkew")];
    const asymmetry = Math.min(sign * at("gammaAsymmetry"), 0);
    return gains.map((g, k) => Math.abs(g + sign * skews[k] + asymmetry) * at("gamma"));
  };
  const weight = (G: number) => (G - at("Gref")) / unit;
  const drawn: Readonly<Record<string, Float64Array>> = {
    dwmin_up: up.map((dG) => dG / unit),
    dwmin_down: down.map((dG) => dG / unit),
    max_bound: array.get("Gtop").map(weight),
    ...(stores("Gbottom") && { min_bound: array.get("Gbottom").map(weight) }),
    ...(stores("Gsym") && { reference: array.get("Gsym").map(weight) }),
    ...(stores("fallUp") && {
      slope_up: array.get("fallUp").map((f, k) => (-f * up[k]) / (at("Gmax") - at("Gref"))),
      slope_down: array.get("fallDown").map((f, k) => (f * down[k]) / (at("Gref") - at("Gmin"))),
    }),
    ...(stores("powerGain") && { gamma_up: power(1), gamma_down: power(-1) }),
  };
  const fabricated = Math.max(
    ...Object.entries(drawn).map(([name, values]) => departure(values, parameters[name])),
  );
  array.set("G", zeros(array));
  let pulsed = 0;
  for (const { direction, count, weights: quantiles } of pulses) {
    for (let n = 0; n < count; n++) array.pulse(pulseName(model, direction));
    pulsed = Math.max(pulsed, departure(weights(array), quantiles));
  }
  return { fabricated, pulsed };
}

describe.each(Object.entries(models))("%s against aihwkit", (name, model) => {
  const training = golden.training[name];

  test("a step from any weight is the same to 4 float32 ulps; 1 % more is not", async () => {
    const tolerance = 4 * 2 ** -23 * Math.max(...training.steps[0].map(Math.abs), 1);
    expect(await stepError(model, training)).toBeLessThan(tolerance);
    expect(await stepError(scaled(model, { step: 1.01 }), training)).toBeGreaterThan(tolerance); // control
  });

  test("spreads over devices and pulses are the same in distribution; 20 % more are not", async () => {
    const { fabricated, pulsed } = await departures(model, training);
    expect(fabricated).toBeLessThan(1);
    expect(pulsed).toBeLessThan(1);
    const made = { ...training, pulses: [] };
    const devices = await departures(scaled(model, { stepSd: 1.2, topSd: 1.2 }), made);
    expect(devices.fabricated).toBeGreaterThan(1); // control
    const cycles = await departures(scaled(model, { pulseSd: 1.2, writeSd: 1.2 }), training);
    expect(cycles.pulsed).toBeGreaterThan(1); // control
  });
});
