import fc from "fast-check";
import { expect, test } from "vitest";
import { linearTicks, logTicks, niceRange, niceStep, numberText } from "../../src/report/ticks.ts";

test("ticks are round, with just the decimals they need", () => {
  const show = (low: number, high: number, count: number) => linearTicks(low, high, count).labels.join(" ");
  expect(show(0, 1250, 8)).toMatchInlineSnapshot(`"0 200 400 600 800 1000 1200"`);
  expect(show(0, 1, 5)).toMatchInlineSnapshot(`"0 0.2 0.4 0.6 0.8 1.0"`);
  expect(show(-0.08, -0.06, 5)).toMatchInlineSnapshot(`"−0.080 −0.075 −0.070 −0.065 −0.060"`);
  expect(show(0, 40_000, 5)).toMatchInlineSnapshot(`"0 10,000 20,000 30,000 40,000"`);
  expect(show(0, 3e6, 4)).toMatchInlineSnapshot(`"0 10⁶ 2 × 10⁶ 3 × 10⁶"`);
  expect(show(0, 6e-10, 3)).toMatchInlineSnapshot(`"0 2 × 10⁻¹⁰ 4 × 10⁻¹⁰ 6 × 10⁻¹⁰"`);
  expect(show(5, 5, 4)).toMatchInlineSnapshot(`"5"`);
});

test("logarithmic ticks are decades, thinned, or 1-2-5 within few", () => {
  const show = (low: number, high: number, count: number) => logTicks(low, high, count).labels.join(" ");
  expect(show(39, 1e6, 8)).toMatchInlineSnapshot(`"100 1000 10⁴ 10⁵ 10⁶"`);
  expect(show(1e-9, 1e6, 5)).toMatchInlineSnapshot(`"10⁻⁸ 10⁻⁴ 1 10⁴"`);
  expect(show(3, 70, 8)).toMatchInlineSnapshot(`"5 10 20 50"`);
});

test("linear ticks lie within the range, evenly, and there are between two and count + 1 of them", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      fc.integer({ min: 3, max: 10 }),
      (low, span, count) => {
        fc.pre(span > Math.abs(low) * 1e-9);
        const { at, labels } = linearTicks(low, low + span, count);
        const step = niceStep(span, count);
        expect(at.length).toBeLessThanOrEqual(count + 1);
        expect(at.length).toBeGreaterThanOrEqual(Math.floor(span / step));
        for (const [k, value] of at.entries()) {
          expect(value).toBeGreaterThanOrEqual(low - 1e-6 * step);
          expect(value).toBeLessThanOrEqual(low + span + 1e-6 * step);
          if (k > 0)
            expect(value - at[k - 1]).toBeCloseTo(step, 9 - Math.ceil(Math.log10(Math.abs(low) + span)));
        }
        expect(new Set(labels).size).toBe(labels.length);
      },
    ),
    { seed: 3, numRuns: 300 },
  );
});

test("a nice range holds the data and ends on steps", () => {
  expect(niceRange(0.03, 0.97, 5)).toEqual([0, 1]);
  expect(niceRange(-3.2, 8.1, 5)).toEqual([-5, 10]);
  expect(niceRange(5, 5, 5)).toEqual([0, 10]);
  expect(niceRange(0, 0, 5)).toEqual([0, 1]);
  expect(Object.is(niceRange(-0, 1, 5)[0], 0)).toBe(true);
});

test("numbers in words", () => {
  const words = [0, -0.07, 0.87234, 22176, 1234567, 1.5e9, 6.02e23, 1e-9, -2.5e-7, Number.NaN, -Infinity];
  expect(words.map((value) => numberText(value))).toMatchInlineSnapshot(`
    [
      "0",
      "−0.07",
      "0.8723",
      "22,176",
      "1,234,567",
      "1.5 × 10⁹",
      "6.02 × 10²³",
      "10⁻⁹",
      "−2.5 × 10⁻⁷",
      "–",
      "−∞",
    ]
  `);
});

test("a range within rounding has one mark", () => {
  expect(linearTicks(92.9, 92.9 * (1 + 4e-16), 6)).toEqual({ at: [92.9], labels: ["92.9"] });
  expect(linearTicks(-0, 0, 6).at).toEqual([-0]);
  expect(linearTicks(92.9, 92.9 * (1 + 1e-10), 6).at.length).toBeGreaterThan(2);
});
