/**
 * Digits learnt in place by every rule on several devices: trains of pulses, gathered changes, and four kinds of transfer.
 *
 * Two layers, one example at a time. Forward and backward products are the devices', between converters; a rule only gives
 * pulses. Weights start where they start in floating point, written to the devices. A network in floating point sees the same
 * examples.
 */
import { digitSets, type LabelledImages } from "../datasets/mnist.ts";
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
} from "../models/step-presets.ts";
import {
  barPlot,
  ConfigError,
  dense,
  type Estimate,
  type Examples,
  estimate,
  evaluate,
  experiment,
  inSituMatrices,
  inSituOf,
  linePlot,
  type Model,
  proportion,
  type Result,
  type Rule,
  referenceDevice,
  sequential,
  sgd,
  tanh,
  train,
} from "../src/index.ts";
import { percent } from "./cusio2w-mnist.ts";

/** Step that a pulse is taken to make, at weight 0: aihwkit's granularity of its presets. One weight unit is 10 uS. */
const devices: Readonly<Record<string, readonly [Model<"device">, step: string]>> = {
  capacitor: [capacitor, "50 nS"],
  ecRam: [ecRam, "20 nS"],
  ecRamMO: [ecRamMO, "2.8214 nS"],
  gokmenVlasov: [gokmenVlasov, "16 nS"],
  idealized: [idealized, "2 nS"],
  reRamArrayHfO2: [reRamArrayHfO2, "4.622 uS"],
  reRamArrayOM: [reRamArrayOM, "0.949 uS"],
  reRamES: [reRamES, "19.9144 nS"],
  reRamSB: [reRamSB, "20 nS"],
};

const rules: Readonly<Record<string, Rule>> = {
  pulsed: { kind: "pulsed" },
  gathered: { kind: "gathered" },
  transfer: { kind: "transfer" },
  buffered: { kind: "buffered" },
  chopped: { kind: "chopped" },
  dynamic: { kind: "dynamic" },
};
const floating = "floating point";

const chosen = <T>(what: string, known: Readonly<Record<string, T>>, name: string): T => {
  if (!Object.hasOwn(known, name))
    throw new ConfigError(`there is no ${what} ${name}; there are ${Object.keys(known).join(", ")}`);
  return known[name];
};

/** Means over squares of `pool` x `pool` pixels, from 0 to 1. */
function pooled(set: LabelledImages, size: number, pool: number): Examples {
  const [rows, columns] = [set.rows / pool, set.columns / pool];
  if (!Number.isInteger(rows) || !Number.isInteger(columns))
    throw new ConfigError(`${set.rows} x ${set.columns} pixels are no whole number of ${pool} x ${pool}`);
  const count = Math.min(size, set.size);
  const inputs = new Float32Array(count * rows * columns);
  for (let k = 0; k < count; k++)
    for (let r = 0; r < set.rows; r++)
      for (let c = 0; c < set.columns; c++)
        inputs[(k * rows + Math.floor(r / pool)) * columns + Math.floor(c / pool)] +=
          set.images[(k * set.rows + r) * set.columns + c] / (255 * pool * pool);
  return { inputs, labels: set.labels.subarray(0, count) };
}

interface Trained {
  readonly rate: number;
  /** Share of training digits named rightly while they were learnt, by epoch. */
  readonly curve: readonly number[];
  readonly accuracy: Estimate;
  /** Pulses by which weights learn, for an example and a weight. */
  readonly pulses: number;
}

interface Row {
  readonly rule: string;
  readonly device: string;
  readonly accuracy: Estimate; // %
  readonly training: number; // %, in the last epoch
  readonly rate: number;
  readonly pulses: number;
  readonly curve: readonly number[]; // %
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The rate at which the last epoch went best, over replicates. */
function rowOf(rule: string, device: string, trained: readonly (readonly Trained[])[]): Row {
  const last = (runs: readonly Trained[]) => mean(runs.map(({ curve }) => curve[curve.length - 1]));
  const best = trained.reduce((a, b) => (last(b) > last(a) ? b : a));
  const accuracies = best.map(({ accuracy }) => accuracy);
  return {
    rule,
    device,
    accuracy: percent(accuracies.length === 1 ? accuracies[0] : estimate(accuracies.map((a) => a.mean))),
    training: 100 * last(best),
    rate: best[0].rate,
    pulses: mean(best.map(({ pulses }) => pulses)),
    curve: best[0].curve.map((_, e) => 100 * mean(best.map(({ curve }) => curve[e]))),
  };
}

function summary(rows: readonly Row[]): Result {
  const on = (device: string) => rows.filter((row) => row.device === device);
  const names = [...new Set(rows.map(({ device }) => device))].filter((device) => device !== floating);
  const [twin] = on(floating);
  const own = [...new Set(rows.filter(({ device }) => device !== floating).map(({ rule }) => rule))];
  const complete = names.filter((device) => on(device).length === own.length);
  return {
    metrics: {
      floatingPoint: twin.accuracy,
      ...Object.fromEntries(
        rows.filter((row) => row !== twin).map((row) => [`${row.rule}.${row.device}`, row.accuracy]),
      ),
      table: rows.map(({ curve: _, ...row }) => row),
    },
    figures: {
      ...(complete.length > 0 && {
        accuracy: barPlot({
          title: "Rules on devices",
          caption: `Floating point names ${twin.accuracy.mean.toFixed(1)} % rightly.`,
          categories: complete,
          series: Object.fromEntries(
            own.map((rule) => [
              rule,
              complete.map((device) => (on(device).find((row) => row.rule === rule) as Row).accuracy),
            ]),
          ),
          yTitle: "test digits named rightly (%)",
        }),
      }),
      ...Object.fromEntries(
        names.map((device) => [
          device,
          linePlot({
            title: `Learning on ${device}`,
            x: twin.curve.map((_, e) => e + 1),
            series: Object.fromEntries([...on(device), twin].map(({ rule, curve }) => [rule, curve])),
            xTitle: "epoch",
            yTitle: "digits named rightly while learnt (%)",
          }),
        ]),
      ),
    },
  };
}

export default experiment({
  name: "in-situ-training",
  question: "Which rule learns digits in place, on which device?",
  source:
    "Gokmen & Vlasov 2016, doi:10.3389/fnins.2016.00333; Gokmen & Haensch 2020, doi:10.3389/fnins.2020.00103; Rasch et al. 2024, doi:10.1038/s41467-024-51221-z",
  parameters: {
    data: "mnist",
    images: 5000,
    tests: 10_000,
    pool: 2,
    hidden: 64,
    epochs: 4,
    learningRates: [0.02, 0.1],
    rules: Object.keys(rules) as readonly string[],
    devices: ["ecRam", "reRamArrayOM", "reRamSB"] as readonly string[],
    converters: true,
    replicates: 1,
  },
  quick: {
    data: "sample",
    images: 100,
    tests: 100,
    pool: 4,
    hidden: 32,
    epochs: 25,
    learningRates: [0.05],
    devices: ["ecRam", "reRamArrayOM"],
  },
  describe: {
    data: '"mnist", or "sample" for the 100 + 100 digits that ship with the program',
    images: "digits to learn from, the first of the training part",
    tests: "digits to test on, at most",
    pool: "pixels are means over squares of so many by so many",
    hidden: "cells of the hidden layer",
    epochs: "passes over the digits, one step for each",
    learningRates: "each is tried; the one that was best in the last epoch of training counts",
    rules: `any of: ${Object.keys(rules).join(", ")}`,
    devices: `any of: ${Object.keys(devices).join(", ")}`,
    converters: "7 bits in, 9 bits and noise out, as aihwkit's training presets; else products are exact",
    replicates: "networks of each, with their own devices, noise and order",
  },
  metrics: {
    floatingPoint: "test digits named rightly by the network in floating point (%)",
    table:
      "for each rule and device: test digits named rightly (%, 95 % interval over networks or, of one, over its tests), in training's last epoch (%), learning rate, pulses for an example and weight",
  },

  async run(given, context) {
    const { data, images, tests, pool, hidden, epochs, learningRates, converters, replicates } = given;
    const sets = await digitSets(data, { images, heldOut: "test", signal: context.signal });
    const learnt = pooled(sets.train, images, pool);
    const tested = pooled(sets.test, tests, pool);
    const inputs = learnt.inputs.length / learnt.labels.length;
    const weights = (inputs + 1) * hidden + (hidden + 1) * 10;
    const cases = [
      { rule: floating, device: floating },
      ...given.devices.flatMap((device) => given.rules.map((rule) => ({ rule, device }))),
    ];
    const total = cases.length * learningRates.length * replicates;
    let done = 0;

    const learn = async (rule: string, device: string, rate: number, seed: string): Promise<Trained> => {
      const onDevices = () => {
        const [model, step] = chosen("device", devices, device);
        const storage = referenceDevice(model, {
          weightPerConductance: "0.1 1/uS",
          step,
          reference: "40 uS",
        });
        return inSituMatrices({
          weights: storage,
          rule: chosen("rule", rules, rule),
          converters: converters ? {} : undefined,
        });
      };
      const network = await sequential([dense(inputs, hidden), tanh(), dense(hidden, 10)], {
        inputs: [inputs],
        batch: 1,
        seed,
        matrices: rule === floating ? undefined : onDevices(),
        memory: 0.25,
      });
      const pulses = () => inSituOf(network).reduce((sum, matrix) => sum + matrix.pulses, 0);
      const before = pulses();
      const curve: number[] = [];
      const start = done++;
      await train(network, learnt, {
        epochs,
        optimizer: sgd({ learningRate: rate }),
        seed,
        signal: context.signal,
        onEpoch: ({ epoch, accuracy }) => {
          curve.push(accuracy);
          context.progress((start + (epoch + 1) / epochs) / total, `${rule} on ${device}`);
        },
      });
      const { accuracy, rows } = await evaluate(network, tested);
      const examples = Math.max(1, curve.length) * learnt.labels.length;
      return {
        rate,
        curve,
        accuracy: proportion(Math.round(accuracy * rows), rows),
        pulses: (pulses() - before) / (examples * weights),
      };
    };

    const rows: Row[] = [];
    for (const { rule, device } of cases) {
      const trained: Trained[][] = [];
      for (const rate of learningRates) {
        const runs: Trained[] = [];
        for (let r = 0; r < replicates && !context.signal.aborted; r++)
          runs.push(await learn(rule, device, rate, `${context.seed}/${r}`));
        if (runs.length === replicates && runs.every(({ curve }) => curve.length > 0)) trained.push(runs);
      }
      if (trained.length === 0) break;
      const row = rowOf(rule, device, trained);
      rows.push(row);
      context.log({ rule, device, accuracy: row.accuracy.mean, rate: row.rate, pulses: row.pulses });
      context.partial(summary(rows));
    }
    return rows.length > 0 ? summary(rows) : { metrics: {} };
  },
});
