/** The rule of mixed precision against a ledger of whole pulses, on devices without noise. */
import { describe, expect, test } from "vitest";
import { idealDevice } from "../../models/constant-step.ts";
import { Crossbar } from "../../src/analog/crossbar.ts";
import { MixedPrecision } from "../../src/analog/mixed.ts";
import { differentialPair, fabricate } from "../../src/index.ts";
import { compileKernels } from "../../src/tensor/kernels.ts";
import * as plain from "../tensor/plain.ts";

const f = Math.fround;
const [rows, columns, width] = [7, 22, 24];
const [step, beta] = [0.77e-6, 0.125e6]; // S, 1/S
const epsilon = f(step * beta);

async function rule(options: { readonly accumulate: boolean; readonly maxPulses?: number }) {
  const device = idealDevice.with({ step: "0.77 uS", Gmax: "1 S" });
  const storage = differentialPair(device, {
    weightPerConductance: "0.125 1/uS",
    step: "0.77 uS",
    ...options,
  });
  const kernels = await compileKernels(2 ** 18);
  const devices = await fabricate(2 * rows * columns, device, { seed: 1 });
  const converters = { adcRange: [1, 1] as const };
  const crossbar = new Crossbar(kernels, devices, { rows, columns, storage, converters, seed: "1" });
  const weights = new MixedPrecision(kernels, crossbar, { refreshEvery: 100, refreshPulses: 3 });
  const take = (count: number) => kernels.heap.take(count);
  const input = { ...take(width), list: take(width / 4).at, count: 0 };
  const error = take(rows);
  /** One example: its error and input, [row] and [column]. */
  const learn = (d: Float32Array, x: Float32Array, rate: number) => {
    input.data.set(x);
    error.data.set(d);
    input.count = kernels.active(input.at, columns, input.list);
    weights.update(error, input, rate);
  };
  return { weights, crossbar, learn };
}

/** Errors and inputs of an example: many small ones, now and then one for several pulses at once. */
const example = (k: number) => ({
  d: plain.numbers(rows, 100 + k).map((v) => (k % 10 === 0 ? 3 * v : 0.3 * v)),
  x: plain.numbers(columns, 500 + k, 0.4),
});

test.each([
  ["gathered, up to 10 at once", { accumulate: true }, 10],
  ["gathered, one at a time", { accumulate: true, maxPulses: 1 }, 1],
])(
  "300 examples: chi, pulses and weights are those of the ledger, bit for bit: %s",
  async (_, options, most) => {
    const { weights, crossbar, learn } = await rule(options);
    const chi = new Float32Array(rows * columns);
    const conductances = new Float64Array(2 * rows * columns);
    const told = new Float64Array(rows * columns); // all changes, exactly
    let [pulses, several, negative, waiting] = [0, 0, 0, 0];
    for (let k = 0; k < 300; k++) {
      const { d, x } = example(k);
      learn(d, x, 0.4);
      const groups = new Set(plain.active([...x, 0, 0], columns));
      for (let row = 0; row < rows; row++)
        for (let c = 0; c < columns; c++) {
          const at = row * columns + c;
          if (!groups.has(c & ~3)) continue; // where all of four inputs are 0 nothing is looked at
          chi[at] = f(chi[at] + f(f(f(-0.4) * d[row]) * x[c]));
          told[at] -= f(0.4) * d[row] * x[c];
          const p = Math.sign(chi[at]) * Math.min(most, Math.trunc(Math.abs(chi[at]) / epsilon));
          chi[at] = f(chi[at] - p * epsilon);
          for (let n = 0; n < Math.abs(p); n++) conductances[at + (p > 0 ? 0 : rows * columns)] += step;
          pulses += Math.abs(p);
          if (Math.abs(p) > 1) several++;
          if (p < 0) negative++;
          if (Math.abs(chi[at]) >= epsilon) waiting++; // for more pulses than are given at once
        }
    }
    expect(weights.pending()).toEqual(chi);
    expect(crossbar.conductances()).toEqual(conductances);
    expect(crossbar.use).toEqual({ pulses: { set: pulses, reset: 0 }, updates: pulses, refreshed: 0 });
    expect(weights.values()).toEqual(
      chi.map((_, at) => beta * (conductances[at] - conductances[rows * columns + at])),
    );
    // what was told is written or waits: the sums differ by the rounding of 300 float32 additions of less than 1
    const written = weights.values();
    for (const [at, sum] of told.entries())
      expect(Math.abs(written[at] + chi[at] - sum)).toBeLessThan(300 * 2 ** -24);
    expect(negative).toBeGreaterThan(100);
    if (most > 1) expect(several).toBeGreaterThan(20);
    else expect(waiting).toBeGreaterThan(20);
  },
);

describe("pulses for one change of a weight", () => {
  /** Net pulses and what is left in chi, in epsilon, after each of some changes in epsilon. */
  const after = async (accumulate: boolean, changes: readonly number[]) => {
    const { weights, crossbar, learn } = await rule({ accumulate });
    const [x, d] = [new Float32Array(columns), new Float32Array(rows)];
    x[5] = 1;
    return changes.map((change) => {
      d[2] = change;
      learn(d, x, -epsilon); // the change is -rate d x
      const G = crossbar.conductances();
      const at = 2 * columns + 5;
      const other = G.reduce((sum, g, k) => (k % (rows * columns) === at ? sum : sum + g), 0);
      expect(other).toBe(0);
      return [Math.round((G[at] - G[rows * columns + at]) / step), weights.pending()[at] / epsilon];
    });
  };

  test("trunc: nothing below one whole step in either direction, the rest is kept", async () => {
    const states = await after(true, [0.75, 0.5, -0.75, -0.75, -0.75, 3.5]);
    expect(states.map(([pulses]) => pulses)).toEqual([0, 1, 1, 0, -1, 2]);
    for (const [k, left] of [0.75, 0.25, -0.5, -0.25, 0, 0.5].entries())
      expect(states[k][1]).toBeCloseTo(left, 5);
  });

  test("without chi: rounded to nearest, the rest is lost", async () => {
    const states = await after(false, [0.49, 0.49, 0.49, 0.51, -1.4, -1.6]);
    expect(states.map(([pulses]) => pulses)).toEqual([0, 0, 0, 1, 0, -2]);
  });
});
