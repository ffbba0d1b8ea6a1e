/** Rules that learn in place under `sequential`. */
import { expect, test } from "vitest";
import * as presets from "../../models/step-presets.ts";
import {
  conv2d,
  dense,
  type InSituOptions,
  inSituMatrices,
  inSituOf,
  referenceDevice,
  sequential,
  sgd,
  tanh,
} from "../../src/index.ts";
import * as plain from "../tensor/plain.ts";
import { storageOf } from "./arrays.ts";

const step = 0.001;
/** A device without spread whose every pulse is `step` of a weight. */
const even = presets.idealized.with({
  step: `${step * 10} uS`,
  stepSd: 0,
  pulseSd: 0,
  topSd: "0 S",
  bottomSd: "0 S",
  resetSd: "0 S",
});

const networkOf = (o: Partial<InSituOptions> = {}, batch = 1) =>
  sequential([dense(6, 4), tanh(), dense(4, 3)], {
    inputs: [6],
    batch,
    seed: 5,
    memory: 0.05,
    matrices: inSituMatrices({ weights: storageOf(even, step), rule: { kind: "pulsed" }, ...o }),
  });

test("on even devices with deterministic trains a step is that of floating point, to half a pulse", async () => {
  const rate = 0.1;
  const batch = 3;
  const network = await networkOf(
    { start: 0.5, rule: { kind: "pulsed", trains: { kind: "deterministic" } } },
    batch,
  );
  const twin = await sequential([dense(6, 4), tanh(), dense(4, 3)], {
    inputs: [6],
    batch,
    seed: 5,
    memory: 0.05,
  });
  const values = network.weights();
  twin.setWeights(values);
  const x = plain.numbers(6 * batch, 1);
  for (const each of [network, twin]) {
    each.optimizer = sgd({ learningRate: rate });
    each.forward(x, { purpose: "training" });
    each.judge({ labels: [0, 2, 1] });
    each.backward();
    each.step();
  }
  const [own, other] = [network.weights(), twin.weights()];
  for (const [name, { data }] of Object.entries(own)) {
    const tolerance = name.endsWith("bias") ? 1e-6 : batch * (0.51 * step);
    for (const [k, w] of data.entries()) expect(Math.abs(w - other[name].data[k])).toBeLessThan(tolerance);
    expect(data).not.toEqual(values[name].data);
  }
});

test("weights start as in floating point, to a step, or as fabrication leaves them", async () => {
  const twin = await sequential([dense(6, 4), tanh(), dense(4, 3)], {
    inputs: [6],
    batch: 1,
    seed: 5,
    memory: 0.05,
  });
  const near = (await networkOf()).weights();
  const none = (await networkOf({ start: 0 })).weights();
  for (const [name, { data }] of Object.entries(twin.weights())) {
    for (const [k, w] of data.entries())
      if (Math.abs(w) < 0.9) expect(Math.abs(near[name].data[k] - w)).toBeLessThan(1.01 * step);
    expect(Math.max(...none[name].data.map(Math.abs))).toBeLessThan(1e-6);
  }
});

test.each(["pulsed", "gathered", "transfer", "dynamic"] as const)(
  "%s: the same seed gives the same bits, and looks between steps change nothing",
  async (kind) => {
    const run = async (look: boolean) => {
      const storage = storageOf(presets.reRamSB, 0.002);
      const network = await networkOf({ weights: storage, rule: { kind }, converters: {} });
      network.optimizer = sgd({ learningRate: 0.1 });
      for (let n = 0; n < 8; n++) {
        if (look) network.forward(plain.numbers(6, 99));
        network.forward(plain.numbers(6, n), { purpose: "training" });
        network.judge({ labels: [n % 3] });
        network.backward();
        network.step();
      }
      return { weights: network.weights(), pulses: inSituOf(network).map(({ pulses }) => pulses) };
    };
    const first = await run(false);
    expect(await run(true)).toEqual(first);
    expect(first.pulses[0]).toBeGreaterThan(0);
  },
);

test("what cannot learn in place is refused, with its layer", async () => {
  const weights = storageOf(even, step);
  expect(() =>
    inSituMatrices({ weights, rule: { kind: "pulse" } as never }),
  ).toThrowErrorMatchingInlineSnapshot(`[ConfigError: there is no rule pulse; did you mean pulsed?]`);
  const current = referenceDevice(even, {
    weightPerConductance: "1 nA/uS",
    step: "1 nS",
    reference: "40 uS",
  });
  expect(() =>
    inSituMatrices({ weights: current, rule: { kind: "pulsed" } }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: weights have no dimension, these are A; weightPerConductance is such as "0.125 1/uS"]`,
  );
  await expect(
    sequential([conv2d(2, { kernel: 3 })], {
      inputs: [8, 8, 1],
      batch: 1,
      seed: 1,
      matrices: inSituMatrices({ weights, rule: { kind: "pulsed" } }),
    }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: layer 0, conv2d(2): rules that learn in place know dense and recurrent layers]`,
  );
});
