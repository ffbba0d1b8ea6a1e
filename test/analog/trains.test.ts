/** Trains, and how long and how likely they are. */
import { expect, test } from "vitest";
import { idealized } from "../../models/step-presets.ts";
import { trainScales, trainsOf } from "../../src/analog/pulsed.ts";
import { layOutLines } from "../../src/analog/trains.ts";
import { philox, randomKey } from "../../src/math/random.ts";
import * as plain from "../tensor/plain.ts";
import { cellsOf, storageOf } from "./arrays.ts";

const f = Math.fround;
const key = randomKey("trains");

/** Slot k of line e: word e of a row of words, packed as the engine packs. */
function word(element: number, side: number, tick: number, slot: number): number {
  const block = new Uint32Array(4);
  philox(((element >>> 4) << 2) | (element & 3), tick, side, slot, key[0], key[1], block);
  return block[(element >>> 2) & 3];
}

async function drawn(count: number, side: 0 | 1, slots: number, scale: number, updates = 1) {
  const cells = await cellsOf(count, count, storageOf(idealized, 2e-4));
  const lines = layOutLines(cells.heap, count);
  const values = plain.numbers(count, 3, 0.2);
  lines.values.data.set(values);
  for (let k = 0; k < updates; k++) cells.begin();
  cells.train(lines, count, { scale, slots, side, key });
  const view = (at: number, type: Uint32ArrayConstructor | Int32ArrayConstructor) =>
    new type(cells.heap.memory.buffer, at, count);
  return { values, bits: view(lines.bits.at, Uint32Array), negative: view(lines.negative.at, Int32Array) };
}

test.each([
  [1, 0, 31],
  [5, 1, 12],
  [16, 0, 7],
  [37, 1, 31],
] as const)("trains of %i lines are those of their words", async (count, side, slots) => {
  const scale = 0.7;
  const { values, bits, negative } = await drawn(count, side, slots, scale, 3);
  for (let e = 0; e < count; e++) {
    const limit = Math.min(Math.trunc(f(f(Math.abs(values[e]) * f(scale)) * 2 ** 32)), 2 ** 32 - 1);
    let expected = 0;
    for (let k = 0; k < slots; k++) if (word(e, side, 3, k) < limit) expected |= 1 << k;
    expect(bits[e]).toBe(expected);
    expect(negative[e]).toBe(values[e] < 0 ? -1 : 0);
  }
  expect(bits.some((train) => train !== 0)).toBe(true);
});

test("a line's train is the same in whatever company, and another in another update and on the other side", async () => {
  const few = await drawn(20, 0, 31, 0.7);
  const many = await drawn(37, 0, 31, 0.7);
  expect(many.bits.subarray(0, 20)).toEqual(few.bits);
  expect((await drawn(20, 0, 31, 0.7, 2)).bits).not.toEqual(few.bits);
  expect((await drawn(20, 1, 31, 0.7)).bits).not.toEqual(few.bits);
});

test("a probability of 1 or more pulses in every slot, 0 in none", async () => {
  const { values, bits } = await drawn(37, 0, 31, 1e9);
  expect([...bits]).toEqual([...values].map((v) => (v === 0 ? 0 : 2 ** 31 - 1)));
});

test("the largest pair is pulsed n lr x d / w0 times in the mean, by trains as long as that needs", () => {
  const trains = trainsOf();
  const at = (rate: number) => trainScales(trains, { rate, step: 0.001, x: 0.8, d: 0.05 });
  for (const rate of [0.011, 0.13, 0.51, 0.77]) {
    const { slots, x, d } = at(rate);
    const wanted = (rate * 0.8 * 0.05) / 0.001;
    expect(slots).toBe(Math.ceil(wanted));
    expect(slots * x * 0.8 * d * 0.05).toBeCloseTo(wanted, 4);
    expect(x * 0.8).toBeCloseTo(d * 0.05, 5);
  }
  const { slots, x, d } = at(2); // 80 pulses are wanted
  expect(slots).toBe(31);
  expect(x * 0.8).toBeCloseTo(1, 5); // inputs are not cut off, errors are
  expect(d * 0.05).toBeCloseTo(80 / 31, 5);
  expect(trainScales(trains, { rate: 0.1, step: 0.001, x: 0, d: 1 }).slots).toBe(0);
});

test("without management trains are full and alike on both sides", () => {
  const { slots, x, d } = trainScales(trainsOf({ managed: "none", slots: 10 }), {
    rate: 0.1,
    step: 0.001,
    x: 0.8,
    d: 0.05,
  });
  expect(slots).toBe(10);
  expect(x).toBe(d);
  expect(x * d).toBeCloseTo(0.1 / (0.001 * 10), 4);
});

test("with a smaller scale of errors trains are shorter and the largest errors are cut off", () => {
  const o = { rate: 0.51, step: 0.001, x: 0.8, d: 0.05 };
  const { slots, x, d } = trainScales(trainsOf({ errorScale: 0.5 }), o);
  expect(slots).toBe(Math.ceil((0.51 * 0.8 * 0.025) / 0.001));
  expect(d * 0.025).toBeCloseTo(x * 0.8, 5);
  expect(slots * x * 0.8 * d * 0.05).toBeCloseTo((0.51 * 0.8 * 0.05) / 0.001, 4);
});

test("trains that cannot be are refused", () => {
  expect(() => trainsOf({ kind: "stochastc" as never })).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: trains are stochastic, deterministic, mean count, not stochastc; did you mean stochastic?]`,
  );
  expect(() => trainsOf({ slots: 32 })).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: trains have 1 to 31 slots, not 32]`,
  );
  expect(() => trainsOf({ resolution: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: trains have a positive errorScale and a resolution from 0 to 1, not 1 and 1]`,
  );
});
