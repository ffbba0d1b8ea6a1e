import { describe, expect, test } from "vitest";
import {
  type Augmentation,
  augment,
  augmenter,
  backgroundNoise,
  crop,
  cutout,
  flip,
  gaussianNoise,
  normalise,
  spectrogramMask,
  timeShift,
} from "../../src/deep/augment.ts";
import { type BatchOptions, batches } from "../../src/deep/batches.ts";
import { mfcc } from "../../src/encode/mfcc.ts";
import { chiSquareQuantile } from "../../src/math/normal.ts";

/** What the steps make of one example, for `count` examples or epochs. */
function outcomes(
  steps: readonly Augmentation[],
  shape: readonly number[],
  input: ArrayLike<number>,
  count: number,
  seed: string | number = 1,
): Float32Array[] {
  const ready = augmenter(steps, { shape, seed });
  const size = ready.shape.reduce((a, b) => a * b, 1);
  return Array.from({ length: count }, (_, k) => {
    const into = new Float32Array(size);
    ready.apply(input, into, { example: k >> 1, epoch: k & 1 });
    return into;
  });
}

/** Counts of texts must be those of equally likely ones: chi-square at 1e-6. */
function expectUniform(seen: readonly string[], kinds: number): void {
  const counts = new Map<string, number>();
  for (const text of seen) counts.set(text, (counts.get(text) ?? 0) + 1);
  expect(counts.size).toBe(kinds);
  const mean = seen.length / kinds;
  const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - mean) ** 2 / mean, 0);
  expect(chiSquare).toBeLessThan(chiSquareQuantile(1 - 1e-6, kinds - 1));
}

describe("images", () => {
  const [height, width, channels] = [4, 5, 2];
  const image = Float32Array.from({ length: 40 }, (_, k) => k + 1);
  const at = (pixels: ArrayLike<number>, y: number, x: number, c: number) =>
    y < 0 || y >= height || x < 0 || x >= width ? 0 : pixels[(y * width + x) * channels + c];
  const made = (f: (y: number, x: number, c: number) => number) =>
    Float32Array.from({ length: 40 }, (_, k) => f(Math.floor(k / 10), Math.floor(k / 2) % 5, k % 2));

  test("a crop is the padded image moved, every place alike", () => {
    const moved = new Map<string, string>();
    for (let down = -2; down <= 2; down++)
      for (let right = -2; right <= 2; right++)
        moved.set(made((y, x, c) => at(image, y + down, x + right, c)).join(), `${down},${right}`);
    expect(moved.size).toBe(25);
    const places = outcomes([crop(2)], [4, 5, 2], image, 2000).map(
      (each) => moved.get(each.join()) ?? "none",
    );
    expectUniform(places, 25);
  });

  test("padding beyond the image is no error", () => {
    for (const each of outcomes([crop(9)], [4, 5, 2], image, 200))
      expect(each.every((x) => x >= 0)).toBe(true);
  });

  test("a flip exchanges left and right, channels stay, in half of the cases", () => {
    const flipped = made((y, x, c) => at(image, y, 4 - x, c)).join();
    const seen = outcomes([flip()], [4, 5, 2], image, 2000).map((each) => each.join());
    expect(new Set(seen)).toEqual(new Set([image.join(), flipped]));
    expectUniform(seen, 2);
    expect(outcomes([flip(0)], [4, 5, 2], image, 50).every((each) => each.join() === image.join())).toBe(
      true,
    );
  });

  test("a cutout is a square of zeros around each pixel alike", () => {
    const cut = new Map<string, string>();
    for (let v = 0; v < 4; v++)
      for (let u = 0; u < 5; u++) {
        const inside = (y: number, x: number) => y >= v - 1 && y < v + 2 && x >= u - 1 && x < u + 2;
        cut.set(made((y, x, c) => (inside(y, x) ? 0 : at(image, y, x, c))).join(), `${v},${u}`);
      }
    const places = outcomes([cutout(3)], [4, 5, 2], image, 2000).map(
      (each) => cut.get(each.join()) ?? "none",
    );
    expectUniform(places, 20);
  });
});

describe("sounds and spectrograms", () => {
  const sound = Float32Array.from({ length: 12 }, (_, k) => (k + 1) / 100);

  test("a shift moves in time, zeros come in, every distance alike; of a spectrogram it moves frames", () => {
    const shifted = (by: number, width: number) =>
      sound.map((_, k) => (k - by * width >= 0 && k - by * width < 12 ? sound[k - by * width] : 0)).join();
    const kinds = new Map([-2, -1, 0, 1, 2].map((by) => [shifted(by, 1), String(by)]));
    const seen = outcomes([timeShift(2)], [12], sound, 1000).map((each) => kinds.get(each.join()) ?? "none");
    expectUniform(seen, 5);
    const frames = new Set([-1, 0, 1].map((by) => shifted(by, 3)));
    expect(new Set(outcomes([timeShift(1)], [4, 3], sound, 200).map((each) => each.join()))).toEqual(frames);
  });

  test("background noise: with its probability a piece of a noise, loud up to its volume, cut off at 1", () => {
    const noises = [Float32Array.from({ length: 20 }, (_, k) => 1 + k), new Float32Array(15).fill(-5)];
    const step = backgroundNoise(noises, { probability: 0.8, volume: 0.02 });
    const all = outcomes([step], [12], sound, 4000);
    const kind = (each: Float32Array) => {
      const [first, second] = [each[0] - sound[0], each[1] - sound[1]];
      if (Math.abs(first) < 1e-9) return "none";
      if (first < 0) return "minus 5";
      const volume = second - first; // the noise rises by 1 a sample
      return String(Math.round(first / volume) - 1); // where the piece begins
    };
    const kinds = all.map(kind);
    const plain = kinds.filter((each) => each === "none").length;
    expect(Math.abs(plain - 800)).toBeLessThan(4.9 * Math.sqrt(4000 * 0.8 * 0.2)); // 1e-6
    const other = kinds.filter((each) => each === "minus 5").length;
    expect(Math.abs(other - (4000 - plain) / 2)).toBeLessThan(4.9 * Math.sqrt((4000 - plain) / 4));
    expectUniform(
      kinds.filter((each) => /^\d+$/.test(each)),
      9,
    );
    for (const each of all)
      expect(Math.max(...each.map((x, k) => Math.abs(x - sound[k])))).toBeLessThan(0.02 * 20);
    const loud = backgroundNoise([new Float32Array(12).fill(100)], { probability: 1, volume: 1 });
    expect(Math.max(...outcomes([loud], [12], sound, 20).flatMap((each) => [...each]))).toBe(1);
  });

  test("masks are stretches of zeros of whole frames and whole features, each length alike, and no more than that", () => {
    const ones = new Float32Array(60).fill(1);
    const lengths = outcomes([spectrogramMask({ time: 3, frequency: 2 })], [10, 6], ones, 2400).map(
      (each) => {
        const cell = (t: number, f: number) => each[t * 6 + f];
        const frames = Array.from({ length: 10 }, (_, t) =>
          [0, 1, 2, 3, 4, 5].every((f) => cell(t, f) === 0),
        );
        const features = Array.from({ length: 6 }, (_, f) => frames.every((_, t) => cell(t, f) === 0));
        const apart = each.every((x, k) => (x === 0) === (frames[Math.floor(k / 6)] || features[k % 6]));
        expect(apart).toBe(true);
        for (const masked of [frames, features])
          expect(
            masked
              .map(Number)
              .join("")
              .replace(/^0+|0+$/g, ""),
          ).toMatch(/^1*$/);
        return `${frames.filter(Boolean).length} ${features.filter(Boolean).length}`;
      },
    );
    expectUniform(lengths, 12);
  });

  test("normal noise has its deviation, and is normal: moments at 1e-6; 1 % more is told apart", () => {
    const zeros = new Float32Array(1000);
    const all = outcomes([gaussianNoise(2)], [1000], zeros, 200);
    const n = 200_000;
    const moment = (power: number, deviation: number) =>
      all.reduce((sum, each) => sum + each.reduce((s, x) => s + (x / deviation) ** power, 0), 0) / n;
    const expected = [0, 1, 0, 3];
    const variance = [1, 2, 15, 96]; // of the powers of a standard normal number
    const off = (power: number, deviation: number) =>
      Math.abs(moment(power, deviation) - expected[power - 1]) / Math.sqrt(variance[power - 1] / n);
    for (const power of [1, 2, 3, 4]) expect(off(power, 2)).toBeLessThan(5.1); // 1e-6 of four
    expect(off(2, 1.98)).toBeGreaterThan(5.1); // control
    const neighbours = all.reduce(
      (sum, each) => sum + each.subarray(1).reduce((s, x, k) => s + x * each[k], 0),
      0,
    );
    expect(Math.abs(neighbours / 4 / n)).toBeLessThan(4.9 / Math.sqrt(n)); // the pairs are independent
    expect(new Set(all.map((each) => each[0])).size).toBe(200);
  });

  test("a front end is a step: sounds become its coefficients, which the next steps see", () => {
    const front = mfcc();
    const tone = Float32Array.from({ length: 16000 }, (_, k) => Math.sin(k / 5));
    const steps = [timeShift(0), front, normalise({ mean: Array(10).fill(2), deviation: Array(10).fill(4) })];
    expect(augmenter(steps, { shape: [16000], seed: 1 }).shape).toEqual([49, 10]);
    const expected = front.transform(tone).map((x) => (x - 2) / 4);
    expect(outcomes(steps, [16000], tone, 1)[0]).toEqual(expected);
  });
});

test("normalisation is of each feature, with a last axis of 1 too, or of all alike", () => {
  const six = Float32Array.from([1, 2, 3, 4, 5, 6]);
  const step = normalise({ mean: [1, 2, 3], deviation: [1, 2, 4] });
  for (const shape of [
    [2, 3],
    [2, 3, 1],
  ])
    expect(Array.from(outcomes([step], shape, six, 1)[0])).toEqual([0, 0, 0, 3, 1.5, 0.75]);
  expect(Array.from(outcomes([normalise({ mean: 1, deviation: 2 })], [6], six, 1)[0])).toEqual([
    0, 0.5, 1, 1.5, 2, 2.5,
  ]);
});

test("what does not fit is refused, by step", () => {
  const refused = [
    () => augmenter([flip(), crop(2)], { shape: [49, 10], seed: 1 }),
    () => augmenter([spectrogramMask({ time: 50, frequency: 2 })], { shape: [49, 10], seed: 1 }),
    () => augmenter([spectrogramMask({ time: 5, frequency: 2 })], { shape: [490], seed: 1 }),
    () => augmenter([backgroundNoise([new Float32Array(9)])], { shape: [10], seed: 1 }),
    () => augmenter([normalise({ mean: [1, 2], deviation: [1, 2] })], { shape: [49, 10], seed: 1 }),
    () => augmenter([mfcc()], { shape: [16001], seed: 1 }),
    () =>
      augmenter([], { shape: [4], seed: 1 }).apply([1, 2, 3], new Float32Array(4), { example: 0, epoch: 0 }),
    () => augment([mfcc()], { shape: [16000], seed: 1 }),
    () => crop(-1),
    () => flip(2),
    () => normalise({ mean: [0, 0], deviation: [1, 0] }),
    () => backgroundNoise([]),
  ];
  const messages = refused.map((call) => {
    try {
      call();
      return "no error";
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
  });
  expect(messages).toMatchInlineSnapshot(`
    [
      "ConfigError: step 0, flip: images are [height, width, channels], not [49, 10]",
      "ConfigError: step 0, spectrogramMask: time 50 is more than the 49 there are",
      "ConfigError: step 0, spectrogramMask: spectrograms are [time, features], not [490]",
      "ConfigError: step 0, backgroundNoise: noise 0 has 9 samples, the sound 10",
      "ConfigError: step 0, normalise: there are 2 means for 10 features",
      "ConfigError: step 0, mfcc: it is for sounds of 16000 samples, not of 16001",
      "ConfigError: an example of 4 numbers that becomes 4 is not one of 3 that becomes 4",
      "ConfigError: the steps make [49, 10] of [16000], which has no room in place; \`batches\` gives it",
      "ConfigError: the padding of a crop is a whole number from 0 on, not -1",
      "ConfigError: the probability of a flip lies between 0 and 1, not 2",
      "ConfigError: feature 1 cannot be normalised by mean 0 and deviation 0",
      "ConfigError: there are no recordings of background noise",
    ]
  `);
});

describe("batches", () => {
  const count = 23;
  const examples = {
    inputs: Uint8Array.from({ length: count * 12 }, (_, k) => (k * 7) % 256),
    labels: Uint8Array.from({ length: count }, (_, k) => k % 5),
    scale: 1 / 255,
  };
  const base = { shape: [2, 3, 2], augment: [crop(1), flip(), gaussianNoise(0.1)], seed: 3 };
  const gathered = (o: Partial<BatchOptions>) => {
    const found = new Map<number, string>();
    const order: number[] = [];
    for (const batch of batches(examples, { size: 5, ...base, ...o }))
      batch.examples.forEach((example, k) => {
        expect(batch.labels[k]).toBe(example % 5);
        found.set(example, batch.inputs.subarray(k * 12, (k + 1) * 12).join());
        order.push(example);
      });
    return { found, order };
  };

  test("every example comes once; what becomes of it is the same in batches of any size and any order", () => {
    const five = gathered({});
    expect([...five.order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, k) => k));
    expect(gathered({ size: 23 })).toEqual(five);
    expect(gathered({ order: "given" }).found).toEqual(new Map([...five.found].sort(([a], [b]) => a - b)));
  });

  test("another epoch or seed: another order, and each example is changed otherwise", () => {
    const [first, epoch, seed] = [gathered({}), gathered({ epoch: 1 }), gathered({ seed: 4 })];
    for (const other of [epoch, seed]) {
      expect(other.order).not.toEqual(first.order);
      for (const [example, text] of other.found) expect(text).not.toBe(first.found.get(example));
    }
  });

  test("in place it is the same: what `augment` makes of a batch of scaled examples", () => {
    const change = augment(base.augment, base);
    const [plain] = batches(examples, { size: 9, seed: 3, shape: base.shape, epoch: 2 });
    const [changed] = batches(examples, { size: 9, ...base, epoch: 2 });
    change(plain);
    expect(plain).toEqual(changed);
    expect(() => change({ ...plain, inputs: new Float32Array(9) })).toThrow(
      "9 examples of [2, 3, 2] are 108 numbers, not 9",
    );
  });

  test("without steps, in the given order, they are the examples scaled; a signed 16-bit sound is one, too", () => {
    const [batch] = batches(examples, { size: 23, seed: 1, order: "given" });
    expect(batch.inputs).toEqual(Float32Array.from(examples.inputs, (x) => x * (1 / 255)));
    const sound = { inputs: Int16Array.from([-32768, 16384]), labels: [0, 1], scale: 1 / 32768 };
    const [sounds] = batches(sound, { size: 9, seed: 1, order: "given" });
    expect([sounds.labels.length, ...sounds.inputs]).toEqual([2, -1, 0.5]);
  });

  test("the last batch is smaller, or dropped; an aborted signal ends", () => {
    const counts = (o: Partial<BatchOptions>) =>
      Array.from(batches(examples, { size: 5, ...base, ...o }), ({ labels }) => labels.length);
    expect(counts({})).toEqual([5, 5, 5, 5, 3]);
    expect(counts({ rest: "drop" })).toEqual([5, 5, 5, 5]);
    const stop = new AbortController();
    let seen = 0;
    for (const _ of batches(examples, { size: 5, ...base, signal: stop.signal }))
      if (++seen === 2) stop.abort();
    expect(seen).toBe(2);
  });

  test("what does not fit is refused", () => {
    expect(() => [...batches(examples, { size: 5, seed: 1, shape: [5, 5] })]).toThrow(
      "23 examples of [5, 5] are 575 numbers, not 276",
    );
    expect(() => [...batches(examples, { size: 0, seed: 1 })]).toThrow(
      "the size of a batch is a positive whole number",
    );
    expect(() => [...batches({ inputs: new Float32Array(0), labels: [] }, { size: 1, seed: 1 })]).toThrow(
      "there are no examples",
    );
  });
});
