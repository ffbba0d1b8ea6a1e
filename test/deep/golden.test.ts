/**
 * Layers, losses and optimizers as PyTorch has them: golden/layers.json (script, versions and date inside).
 *
 * Ours may be 4 times as far from PyTorch's float64 as PyTorch's own float32 is, which is at least the unit roundoff of the
 * largest number of an array: sums in another order, and other functions of 1 to 3 units in the last place.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { LossKind, Teacher, Wanted } from "../../src/deep/loss.ts";
import type { OptimizerOptions } from "../../src/deep/optimizer.ts";
import { type Sequential, sequential } from "../../src/deep/sequential.ts";
import type { Layer } from "../../src/index.ts";
import type { Table } from "../../src/tensor/table.ts";

type Arrays = Readonly<Record<string, { readonly values: readonly number[]; readonly off: number }>>;
type Weights = Readonly<Record<string, readonly number[]>>; // 64ths

interface Case {
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly shape: readonly number[];
  readonly x: readonly number[];
  readonly weights: Weights;
  readonly purpose?: "inference";
  readonly dy?: readonly number[];
  readonly loss?: LossKind;
  readonly labels?: readonly number[];
  readonly targets?: readonly number[];
  readonly teacher?: Teacher;
  readonly arrays: Arrays;
}

const golden: {
  readonly cases: readonly Case[];
  readonly learning: {
    readonly layers: readonly Layer[];
    readonly weights: Weights;
    readonly batches: readonly (readonly number[])[];
    readonly labels: readonly (readonly number[])[];
    readonly optimizers: readonly { name: string; options: OptimizerOptions; arrays: Arrays }[];
  };
} = JSON.parse(readFileSync(new URL("../golden/layers.json", import.meta.url), "utf8"));

const slack = 4;
const parts = (values: readonly number[]) => Float32Array.from(values, (value) => value / 64);
const weightsOf = (weights: Weights) =>
  Object.fromEntries(Object.entries(weights).map(([name, values]) => [name, { data: parts(values) }]));

/** A table or parameter without what fills rows up. */
function flat(data: Float32Array, features: number, width: number, rows: number): number[] {
  return Array.from(
    { length: rows * features },
    (_, k) => data[Math.floor(k / features) * width + (k % features)],
  );
}
const flatTable = ({ data, features, width, positions }: Table, count: number) =>
  flat(data, features, width, count * positions);

/** Largest difference of each array, of what is allowed: below 1 is right. */
function compare(ours: Readonly<Record<string, ArrayLike<number>>>, arrays: Arrays): Record<string, number> {
  expect(Object.keys(ours).sort()).toEqual(Object.keys(arrays).sort());
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { values, off }]) => {
      expect(ours[name].length).toBe(values.length);
      const worst = values.reduce((most, value, k) => Math.max(most, Math.abs(value - ours[name][k])), 0);
      return [name, worst === 0 ? 0 : worst / (slack * off)];
    }),
  );
}

const wrong = (ratios: Record<string, number>) => Object.entries(ratios).filter(([, ratio]) => !(ratio < 1));

async function build(of: Case): Promise<Sequential> {
  const network = await sequential(of.layers, {
    inputs: of.shape,
    batch: 5,
    seed: 1,
    loss: of.loss,
    memory: 0.01,
    inputDerivatives: "dx" in of.arrays,
  });
  network.setWeights(weightsOf(of.weights));
  return network;
}

/** Everything that the golden file tells of a case. */
function outcome(network: Sequential, of: Case): Record<string, ArrayLike<number>> {
  const x = parts(of.x);
  const count = x.length / of.shape.reduce((a, b) => a * b, 1);
  const wanted = "dx" in of.arrays;
  network.clearGradients();
  const table = network.forward(x, { purpose: of.purpose ?? "training" });
  const y = flatTable(table, count); // before anybody overwrites it
  const judged = of.loss && network.judge({ labels: of.labels, targets: of.targets } as Wanted, of.teacher);
  const dx = network.backward({ wanted, dy: of.dy && parts(of.dy) });
  const all: Record<string, ArrayLike<number>> = { y };
  if (wanted) all.dx = flatTable(dx, count);
  if (judged) all.loss = [judged.loss];
  for (const { name, shape, gradient } of network.parameters) {
    const columns = shape.slice(shape.length > 1 ? 1 : 0).reduce((a, b) => a * b, 1);
    const rows = shape.reduce((a, b) => a * b, 1) / columns;
    all[`gradient ${name}`] = flat(gradient.data, columns, gradient.data.length / rows, rows);
  }
  const weights = network.weights();
  for (const name of Object.keys(of.arrays))
    if (name.startsWith("memory ")) all[name] = weights[name.slice("memory ".length)].data;
  return all;
}

describe("outputs and derivatives are PyTorch's:", () => {
  test.each(golden.cases.map((of) => [of.name, of] as const))("%s", async (_, of) => {
    const network = await build(of);
    expect(wrong(compare(outcome(network, of), of.arrays))).toEqual([]);
    if (network.parameters.length === 0) return;
    for (const { value } of network.parameters)
      for (let k = 0; k < value.data.length; k++) value.data[k] *= 1 + 1e-5;
    expect(wrong(compare(outcome(network, of), of.arrays)), "control: weights off by 1e-5").not.toEqual([]);
  });
});

describe("weights after five steps are PyTorch's:", () => {
  const { layers, weights, batches, labels, optimizers } = golden.learning;
  const building = sequential(layers, { inputs: [4], batch: 4, seed: 1, memory: 0.01 });
  const learn = async (options: OptimizerOptions) => {
    const network = await building;
    network.setWeights(weightsOf(weights));
    network.optimizer = options;
    batches.forEach((batch, k) => {
      network.forward(parts(batch), { purpose: "training" });
      network.judge({ labels: labels[k] });
      network.backward();
      network.step(k / batches.length);
    });
    return Object.fromEntries(Object.entries(network.weights()).map(([name, { data }]) => [name, data]));
  };

  test.each(optimizers.map((of) => [of.name, of] as const))("%s", async (_, { options, arrays }) => {
    expect(wrong(compare(await learn(options), arrays))).toEqual([]);
    const { learningRate: rate } = options;
    const other = typeof rate === "number" ? rate * 1.0001 : { ...rate, start: rate.start * 1.0001 };
    expect(wrong(compare(await learn({ ...options, learningRate: other }), arrays))).not.toEqual([]);
  });
});
