/** What tests of crosspoints have in common. */
import { type Crosspoints, crosspointBytes, crosspoints } from "../../src/analog/crosspoints.ts";
import { type RuleOptions, ruleBytes, ruleWeights } from "../../src/analog/rules.ts";
import { layOutLines, roomOf } from "../../src/analog/trains.ts";
import type { WeightStorage } from "../../src/device/storage.ts";
import { differentialPair, type Model, referenceDevice } from "../../src/index.ts";
import { Heap } from "../../src/tensor/heap.ts";
import { compileKernels } from "../../src/tensor/kernels.ts";

export type Device = Model<"device">;

/** One weight unit is 10 uS, as in models/step-presets.ts. */
export const perWeight = "0.1 1/uS";

/** The storage that a device's pulses make: one device against a reference where it goes down, else a pair. */
export function storageOf(device: Device, step: number, reference = "40 uS"): WeightStorage {
  const options = { weightPerConductance: perWeight, step: `${step * 10} uS` };
  return "down" in device.checked.handlers
    ? referenceDevice(device, { ...options, reference })
    : differentialPair(device, options);
}

export async function cellsOf(
  rows: number,
  columns: number,
  storage: WeightStorage,
  seed = "1",
): Promise<Crosspoints> {
  const options = { rows, columns, storage, seed };
  const lines = 4 * (3 * roomOf(rows) + 4 * roomOf(columns)) + 8192;
  return crosspoints(new Heap(crosspointBytes(options) + lines), options);
}

/** Weights that learn by a rule, and `learn` for one example. */
export async function learner(options: RuleOptions) {
  const { rows, columns } = options;
  const kernels = await compileKernels(ruleBytes(options) + 64 * (rows + columns) + 4096);
  const made = await ruleWeights(kernels, options);
  const x = {
    ...kernels.heap.take(roomOf(columns)),
    list: kernels.heap.take(roomOf(columns) / 4).at,
    count: 0,
  };
  const d = kernels.heap.take(roomOf(rows));
  const learn = (errors: ArrayLike<number>, inputs: ArrayLike<number>, rate: number): void => {
    for (let k = 0; k < columns; k++) x.data[k] = inputs[k];
    for (let k = 0; k < rows; k++) d.data[k] = errors[k];
    x.count = kernels.active(x.at, columns, x.list);
    made.weights.update(d, x, rate);
  };
  return { ...made, kernels, learn };
}

/** Sets every device of a reference to where its weight is 0, without the error of a write. */
export function zero(cells: Crosspoints): void {
  const { model, reference } = { model: cells.storage.device, reference: cells.storage.reference };
  const size = cells.rows * cells.columns;
  cells.set(
    "G",
    "Gsym" in model.definition.initial ? cells.get("Gsym") : new Float32Array(size).fill(reference),
  );
}

/** Trains that coincide, once: `scale` for both sides. */
export function lines(cells: Crosspoints, x: ArrayLike<number>, d: ArrayLike<number>) {
  const [columns, rows] = [layOutLines(cells.heap, cells.columns), layOutLines(cells.heap, cells.rows)];
  columns.values.data.set(x);
  rows.values.data.set(d);
  return { columns, rows };
}

/** Mean and standard deviation. */
export function moments(values: ArrayLike<number>): { readonly mean: number; readonly sd: number } {
  let mean = 0;
  for (let k = 0; k < values.length; k++) mean += values[k] / values.length;
  let squares = 0;
  for (let k = 0; k < values.length; k++) squares += (values[k] - mean) ** 2;
  return { mean, sd: Math.sqrt(squares / (values.length - 1)) };
}
