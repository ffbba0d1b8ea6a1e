/** Cells that fire: spikes by hand and by a twin, derivatives by a twin whose own are those of a smooth step. */
import { expect, test } from "vitest";
import {
  dense,
  globalAveragePool,
  type Layer,
  repeat,
  sequential,
  sgd,
  spiking,
  train,
} from "../../src/index.ts";
import * as plain from "../tensor/plain.ts";

const build = (layers: readonly Layer[], inputs: readonly number[], batch = 4) =>
  sequential(layers, { inputs, batch, seed: 1, memory: 0.02, inputDerivatives: true });

/** How s follows from the potential, and what counts as its derivative. */
interface Step {
  readonly s: (u: number) => number;
  readonly slope: (u: number) => number;
}
const steepness = 4;
const slope = (u: number) => 1 / (1 + steepness * Math.abs(u - 1)) ** 2;
const spikes: Step = { s: (u) => (u > 1 ? 1 : 0), slope };
/** The function whose derivative `slope` is. */
const smooth: Step = { s: (u) => 0.5 + (u - 1) / (1 + steepness * Math.abs(u - 1)), slope };

/** One cell in float64: outputs for x, and derivatives by x of their sum weighed by dy. */
function twin(x: readonly number[], dy: readonly number[], decay: number, { s, slope }: Step) {
  const u: number[] = [];
  x.forEach((now, t) => {
    u.push((t > 0 ? decay * (u[t - 1] - s(u[t - 1])) : 0) + now);
  });
  const dx = x.map(() => 0);
  for (let t = x.length - 1, dv = 0; t >= 0; t--) {
    dx[t] = dv * (1 - slope(u[t])) + dy[t] * slope(u[t]);
    dv = decay * dx[t];
  }
  return { y: u.map(s), dx };
}

const [times, cells, examples, decay] = [9, 6, 3, 0.8];
const numbers = (seed: number, scale: number) =>
  plain.numbers(examples * times * cells, seed).map((z) => scale * z);
/** Numbers of one cell of a [example][time][cell]. */
const cellOf = (all: ArrayLike<number>, example: number, cell: number, width: number): number[] =>
  Array.from({ length: times }, (_, t) => all[(example * times + t) * width + cell]);

test("a cell without leak that gets 0.375 fires when its sum has passed 1, 2, 3, and keeps the rest", async () => {
  const network = await build([repeat(9), spiking({ decay: 1 })], [1]);
  const { data, width } = network.forward([0.375]);
  // sums 0.375, 0.75, 1.125, …: past 1, 2, 3 at the third, sixth and ninth time
  expect(Array.from({ length: 9 }, (_, t) => data[t * width])).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 1]);
  expect(Array.from(network.forward([0.5]).data.filter((_, k) => k % width === 0)).slice(0, 5)).toEqual([
    0, 0, 1, 0, 1,
  ]); // 1 itself is not past 1
  const leaky = await build([repeat(9), spiking({ decay: 0.6 })], [1]);
  expect(Math.max(...leaky.forward([0.39]).data)).toBe(0); // 0.39 / (1 - 0.6) is below 1
});

test("spikes are those of a twin; derivatives are its own, which a smooth step confirms", async () => {
  const network = await build([spiking({ decay, steepness })], [times, cells]);
  const x = numbers(1, 2.5).map((z) => z + 0.2);
  const dy = numbers(2, 1);
  const { data, width } = network.forward(x);
  const y = data.slice(0, examples * times * width);
  expect(width).toBe(8); // two columns are filled up with 0
  const dx = network.backward({ dy, wanted: true }).data;
  let fired = 0;
  for (let e = 0; e < examples; e++)
    for (let c = 0; c < cells; c++) {
      const own = [cellOf(x, e, c, cells), cellOf(dy, e, c, cells)] as const;
      const expected = twin(...own, decay, spikes);
      expect(cellOf(y, e, c, width)).toEqual(expected.y);
      fired += expected.y.reduce((a, b) => a + b, 0);
      cellOf(dx, e, c, width).forEach((slope, t) => {
        expect(Math.abs(slope - expected.dx[t])).toBeLessThan(1e-5);
      });
      // the same recursion with a smooth step: differences of its outputs
      const judged = (numbers: readonly number[]) =>
        twin(numbers, own[1], decay, smooth).y.reduce((sum, y, t) => sum + y * own[1][t], 0);
      const { dx: slopes } = twin(...own, decay, smooth);
      for (let t = 0; t < times; t++) {
        const h = 1e-6;
        const moved = (by: number) => judged(own[0].map((x, k) => (k === t ? x + by : x)));
        expect(Math.abs((moved(h) - moved(-h)) / (2 * h) - slopes[t])).toBeLessThan(1e-6);
      }
    }
  expect(fired).toBeGreaterThan(10);
  expect(y.filter((_, k) => k % width >= cells).every((z) => z === 0)).toBe(true);
});

test("held inputs are the same at each time, and their derivatives the sum over times", async () => {
  const network = await build([repeat(3)], [5]);
  const x = plain.numbers(10, 1);
  const y = network.forward(x);
  for (let row = 0; row < 6; row++)
    for (let c = 0; c < 5; c++)
      expect(y.data[row * y.width + c]).toBe(Math.fround(x[Math.floor(row / 3) * 5 + c]));
  const dy = plain.numbers(30, 2);
  const dx = network.backward({ dy, wanted: true });
  for (let e = 0; e < 2; e++)
    for (let c = 0; c < 5; c++) {
      const sum = [0, 1, 2].reduce((all, t) => all + dy[(e * 3 + t) * 5 + c], 0);
      expect(dx.data[e * dx.width + c]).toBeCloseTo(sum, 6);
    }
});

test("a network of spikes learns exclusive or, which a dense layer cannot", async () => {
  const examples = { inputs: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), labels: Uint8Array.of(0, 1, 1, 0) };
  const learn = async (layers: readonly Layer[]) => {
    const network = await sequential(layers, { inputs: [2], batch: 4, seed: 1, memory: 0.02 });
    const optimizer = sgd({ learningRate: 0.1, momentum: 0.9 });
    const results = await train(network, examples, { epochs: 300, optimizer, seed: 1 });
    return results[results.length - 1].accuracy;
  };
  expect(await learn([dense(2, 16), repeat(8), spiking(), dense(16, 2), globalAveragePool()])).toBe(1);
  expect(await learn([dense(2, 2)])).toBeLessThan(1);
});

test("inputs and numbers that make no sense are refused", async () => {
  await expect(build([spiking()], [5])).rejects.toThrow(
    "layer 0, spiking(): its inputs are sequences [time, features], not [5]; repeat(times) makes one",
  );
  await expect(build([spiking({ decay: 1.1 })], [2, 5])).rejects.toThrow("its decay is from 0 to 1, not 1.1");
  await expect(build([spiking({ steepness: 0 })], [2, 5])).rejects.toThrow("its steepness is a positive");
  await expect(build([repeat(2)], [2, 5])).rejects.toThrow("its inputs are numbers side by side");
  await expect(build([repeat(0)], [5])).rejects.toThrow("its times are a whole number from 1, not 0");
});
