import { expect, test } from "vitest";
import { didYouMean, editDistance, nearest } from "../../src/math/nearest.ts";

test("the edit distance counts inserts, deletes, replacements and swaps once, a change of case half", () => {
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("", "abc")).toBe(3);
  expect(editDistance("taum", "tuam")).toBe(1);
  expect(editDistance("vt", "Vt")).toBe(0.5);
  expect(editDistance("same", "same")).toBe(0);
});

test("the nearest name wins, the first of equals, and a far one is not offered", () => {
  expect(nearest("duraton", ["dt", "duration", "durations"])).toBe("duration");
  expect(nearest("vt", ["vr", "Vt"])).toBe("Vt");
  expect(nearest("ab", ["ac", "ad"])).toBe("ac");
  expect(nearest("weight", ["tau", "El"])).toBeUndefined();
  expect(nearest("anything", [])).toBeUndefined();
});

test("the question is appended only when there is an answer", () => {
  expect(didYouMean("taun", ["taum", "El"])).toBe("; did you mean taum?");
  expect(didYouMean("zzzz", ["taum"])).toBe("");
});
