/**
 * Handwritten digits learnt by a network whose weights are pairs of phase-change devices, changed by blind pulses.
 *
 * Products of forward and backward pass are those of the devices; changes of weights are gathered in numbers beside them, and
 * whole pulses go to the devices. A twin in floating point starts from the same weights and sees the same examples.
 * Afterwards the devices drift, and are looked at with and without one factor for each layer.
 */
import { digitSets } from "../datasets/mnist.ts";
import { ConfigError, deviceEnergy, experiment, quantity, type Result } from "../src/index.ts";
import { byEpoch, figuresOf, last, meanOf, type Row, rowOf } from "./mixed-precision/comparison.ts";
import { referenceEnergy } from "./mixed-precision/energy.ts";
import { deviceDefaults, deviceTexts } from "./mixed-precision/hardware.ts";
import {
  changes,
  type Pass,
  replicate,
  type Setting,
  setsOf,
  type Trained,
  type Twins,
} from "./mixed-precision-mlp/network.ts";

interface Costs {
  readonly setPulse: string;
  readonly resetPulse: string;
  readonly energyMixed: string;
  readonly energyDigital: string;
}

/** Of 784-250-10 with biases, the network whose energy is published. */
const publishedWeights = 785 * 250 + 251 * 10;

/** Energy of one training image, J: what pulses take, and what is left of the published total for everything else. */
function energyOf(trained: readonly Trained[], examples: number, costs: Costs) {
  const perImage = (name: string) =>
    meanOf(trained.map(({ use, curve }) => use.pulses[name] / (examples * curve.length)));
  const { of, total } = deviceEnergy(
    { pulses: { set: perImage("set"), reset: perImage("reset") }, reads: 0 },
    { set: costs.setPulse, reset: costs.resetPulse },
  );
  const pulses = { set: of["set"] ?? 0, reset: of["reset"] ?? 0, programming: total };
  const [{ weights }] = trained;
  if (weights !== publishedWeights) return pulses;
  const mixed = quantity(costs.energyMixed, "J");
  const digital = quantity(costs.energyDigital, "J");
  const { products, chi, activations } = referenceEnergy();
  return {
    ...pulses,
    products,
    chi,
    activations,
    rest: mixed - total,
    mixed,
    restPerWeight: (mixed - total) / weights,
    digital,
    digitalPerWeight: digital / weights,
    ratio: digital / mixed,
  };
}

function summary(rows: readonly Row<Trained>[], examples: number, costs: Costs): Result {
  const [first] = rows;
  if (!first) return { metrics: {} };
  const table = rows.map((row) => {
    const { score, ...rest } = rowOf(row, "more");
    return {
      ...rest,
      accuracy: score,
      pulsesByEpoch: byEpoch(row.trained, (epoch) => epoch.updates),
      resets: meanOf(row.trained.map(({ use }) => use.pulses["reset"])),
    };
  });
  const [{ variant: _, networks: __, ...head }] = table;
  return {
    metrics: {
      ...head,
      refreshedByEpoch: byEpoch(first.trained, (epoch) => epoch.refreshed),
      weights: first.trained[0].weights,
      energy: energyOf(first.trained, examples, costs),
      variants: rows.length > 1 ? table : undefined,
    },
    figures: figuresOf(rows, "test digits named rightly (%)"),
  };
}

export default experiment({
  name: "mixed-precision-mlp",
  question: "Do phase-change devices learn digits as well as floating point when changes gather beside them?",
  source: "Nandakumar et al. 2020, Front. Neurosci. 14:406, doi:10.3389/fnins.2020.00406",
  parameters: {
    images: 60000,
    heldOut: "test",
    tests: 10000,
    data: "mnist",
    hidden: 250,
    epochs: 10,
    learningRate: 0.4,
    learningRateEnd: 0.1,
    loss: "squared error",
    ...deviceDefaults,
    ages: ["38.6 s", "100 s", "1000 s", "10000 s", "100000 s", "1000000 s"],
    setPulse: "6.75 pJ",
    resetPulse: "270 pJ",
    energyMixed: "83.2 nJ",
    energyDigital: "14.35 uJ",
    replicates: 3,
    variants: ["as set"],
  },
  quick: { images: 100, tests: 100, data: "sample", hidden: 50, epochs: 20, replicates: 1 },
  describe: {
    images: "digits to learn from, the first of the training part",
    heldOut:
      'where tests are from: "test"; "train" for those that follow; "random" to draw both anew for each network from the first images + tests',
    tests: "digits to test on, at most",
    data: '"mnist", or "sample" for the 100 + 100 digits that ship with the program',
    hidden: "cells of the hidden layer",
    epochs: "passes over the digits, one step for each",
    learningRate: "of the first epoch",
    learningRateEnd: "of the last epoch; between them it falls exponentially",
    loss: '"squared error" of sigmoid outputs, or "cross-entropy"',
    ...deviceTexts,
    refreshEvery: "images from one refresh to the next; 0 for none",
    exampleTime: "time on the clock of devices from one image to the next while training",
    ages: "times after training at which the network is tested again",
    setPulse: "energy of a SET pulse: 90 uA, 50 ns, 1.5 V (assumed)",
    resetPulse: "energy of a RESET pulse: 360 uA, 500 ns, 1.5 V (assumed)",
    energyMixed: "published energy of a training image, mixed precision",
    energyDigital: "published energy of a training image, 32-bit digital",
    replicates: "networks of each variant, with their own devices, noise and order",
    variants: `any of: ${Object.keys(changes).join(", ")}`,
  },
  metrics: {
    accuracy:
      "test digits named rightly after training; 95 % interval over networks or, of one, over its tests (%)",
    floatingPoint: "the same of the twins in floating point (%)",
    gap: "what the twins are better by; interval over pairs (%)",
    pulsesByEpoch: "SET pulses by which weights learn, for an image (1)",
    pulses: "the same, mean of all epochs (1)",
    refreshed: "pairs refreshed for 100 images (1)",
    refreshedByEpoch: "the same by epoch (1)",
    resets: "RESET pulses in all (1)",
    weights: "weights, each of two devices",
    retention: "accuracy at times after training (s), without and with a factor for each layer (%)",
    energy:
      "of one training image: SET and RESET pulses by our counts; of 784-250-10 also the published total, what is left of it, a split of that into products, chi and activations (chi is what makes the sum come out), the published digital design, and both for a weight (J)",
    variants: "all variants: accuracy, twin, gap (%), programming, retention",
  },

  async run(given, context) {
    const { images, tests, data, heldOut, replicates, variants, ...rest } = given;
    const { setPulse, resetPulse, energyMixed, energyDigital, ...setting } = rest;
    const costs = { setPulse, resetPulse, energyMixed, energyDigital };
    const settings = variants.map((name) => {
      if (!Object.hasOwn(changes, name))
        throw new ConfigError(`there is no variant ${name}; there are ${Object.keys(changes).join(", ")}`);
      const changed: Setting = { ...setting, ...changes[name](setting) };
      return { name, setting: changed };
    });
    const random = heldOut === "random";
    const digits = await digitSets(data, {
      images: random ? images + tests : images,
      heldOut: random ? "train" : heldOut,
      signal: context.signal,
    });
    const twins: Twins = new Map();
    const rows: { variant: string; trained: Trained[] }[] = [];
    let networks = 0;
    for (const { name, setting } of settings) {
      const row = { variant: name, trained: [] as Trained[] };
      for (let r = 0; r < replicates && !context.signal.aborted; r++) {
        const seed = `${context.seed}/${r}`;
        const sets = setsOf(digits, { images, tests, random, seed });
        const start = networks++;
        const progress: Pass["progress"] = (fraction, what) =>
          context.progress((start + fraction) / (settings.length * replicates), `${name}: ${what}`);
        const pass = { signal: context.signal, progress };
        const trained = await replicate(setting, sets, { seed, pass, twins });
        // one that was interrupted counts only where there is no whole one
        if (!trained || (context.signal.aborted && rows.length + row.trained.length > 0)) break;
        row.trained.push(trained);
        const accuracy = last(trained.curve).mean;
        context.log({ variant: name, seed, accuracy, floatingPoint: last(trained.twin).mean });
        context.partial(summary([...rows, row], images, costs));
      }
      if (row.trained.length > 0) rows.push(row);
    }
    return summary(rows, images, costs);
  },
});
