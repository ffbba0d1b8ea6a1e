/** What is told of measurements that can be used, and what is not told of good ones. */
import { expect, test } from "vitest";
import { findingsOf, quantityText } from "../../src/measured/findings.ts";
import { measurementOf } from "../../src/measured/table.ts";

function found(text: string): string[] {
  return findingsOf(measurementOf(text, { file: "data.csv" })).map(({ text }) => text);
}

/** A table with one column of conductances. */
const column = (values: readonly (number | string)[]) => `G_uS\n${values.join("\n")}\n`;

test("values at the extreme three times in a row are clipped, twice are not", () => {
  expect(found(column([1, 2, 3, 4, 5, 5, 5, 3, 5]))).toEqual([
    "device 1: 4 of 9 values (44 %) are exactly the highest, 5 uS, up to 3 in a row: saturated or clipped",
  ]);
  expect(found(column([1, 1, 1, 2, 3]))).toEqual([
    "device 1: 3 of 5 values (60 %) are exactly the lowest, 1 uS, up to 3 in a row: saturated or clipped",
  ]);
  expect(found(column([1, 2, 3, 5, 5, 3, 5, 5, 1, 1]))).toEqual([]);
  expect(found(column([1, 4, 4, 4, 5]))).toEqual([]); // within the range
});

test("clipping is told of each device, by its own extreme, through gaps of unread pulses but not across cycles", () => {
  const table =
    "device,cycle,pulse,G_uS\nA,1,up,1\nA,1,up,2\nA,1,up,2\nA,2,up,2\nB,1,up,1\nB,1,up,9\nB,1,up,9\nB,1,up,\nB,1,up,9\n";
  expect(found(table)).toEqual([
    "device B: 3 of 4 values (75 %) are exactly the highest, 9 uS, up to 3 in a row: saturated or clipped",
    "1 of 3 sequences have fewer than two reads: they tell of the spread of states, not of changes",
    "1 of 9 pulses (11 %) are not followed by a read",
  ]);
});

test("a sequence that never changes is told, with its name", () => {
  expect(found("device,G_uS\nA,1\nA,2\nB,1.5\nB,1.5\nB,1.5\n")).toEqual([
    "1 of 2 sequences never change, the first is device B, cycle 1: stuck, or not connected",
  ]);
});

test("digitised values are told with the step between levels; a fine scale and noise are not", () => {
  const noise = (k: number) =>
    Math.sin(12.9898 * k) * 43758.5453 - Math.floor(Math.sin(12.9898 * k) * 43758.5453);
  const coarse = Array.from({ length: 400 }, (_, k) => (Math.round(20 * noise(k)) / 20 + 5).toFixed(2));
  expect(found(column(coarse))).toContain(
    "400 values come in 21 levels, mostly 50 nS apart: digitised, or quantised states",
  );
  expect(found(column(Array.from({ length: 400 }, (_, k) => 5 + noise(k))))).toEqual([]);
});

test("an unknown age is told of reads that begin at time 0, not of those that begin later or with a pulse", () => {
  expect(found("device,t_s,G_uS\nA,0,1\nA,1,2\nB,1,2\nB,2,1\n")).toEqual([
    "1 of 2 sequences begin with a read at time 0: how long before it the device was written is not told",
  ]);
  expect(found("pulse,t_s,G_uS\nset,0,1\n,1,2\n")).toEqual([]);
});

test("a current at no voltage is an offset", () => {
  expect(found("V_V,I_uA\n0,-2\n0.1,8\n0.2,18\n0,-4\n")).toEqual([
    "the current at 0 V is -3 uA on average of 2 values, 17 % of the largest: an offset of the instrument",
  ]);
  expect(found("V_V,I_uA\n0,0\n0.1,8\n0.2,18\n")).toEqual([]);
});

test("quantities are written with the prefix that leaves 1 to 999", () => {
  const texts = [2.5e-6, -0.1, 0, 1e-3, 999e-9, 1.23456e7, 1e-18].map((value) => quantityText(value, "S"));
  expect(texts).toEqual(["2.5 uS", "-100 mS", "0 S", "1 mS", "999 nS", "12.35 MS", "0.001 fS"]);
});
