/** Classes from spikes: who stands for what, who votes how, and how sure a proportion is. */
import { expect, test } from "vitest";
import { confusionMatrix, proportion, spikeClassifier } from "../../src/index.ts";

test("a cell stands for the class it responds to most on average, not for the most frequent one", () => {
  // cell 0 fires twice for the one example of class 1, once for each of three of class 0; cell 2 never fires
  const counts = [1, 0, 0, 1, 0, 0, 1, 3, 0, 2, 0, 0];
  const { classOf } = spikeClassifier(counts, [0, 0, 0, 1], { cells: 3, classes: 2 });
  expect([...classOf]).toEqual([1, 0, -1]);
});

test("by sum a class of many weak cells wins, by mean one of few strong ones; silence is no class", () => {
  // three cells for class 0, one for class 1, one that never fired
  const training = [1, 1, 1, 0, 0, 0, 0, 0, 1, 0];
  const options = { cells: 5, classes: 2 };
  const given = [1, 1, 1, 2, 0, 0, 0, 0, 0, 9];
  expect([...spikeClassifier(training, [0, 1], options).predict(given)]).toEqual([0, -1]);
  expect([...spikeClassifier(training, [0, 1], { ...options, vote: "mean" }).predict(given)]).toEqual([
    1, -1,
  ]);
});

test("shared votes: a spike counts for each class by its cell's mean responses, which may outvote the cell's own", () => {
  // cell 0 responds 3 to class 0, 2 to class 1; cell 1 responds 1 to class 1, 0.9 to class 2; one example of each class
  const training = [30, 0, 20, 10, 0, 9];
  const options = { cells: 2, classes: 3 } as const;
  const given = [10, 5, 10, 10, 0, 5];
  expect([...spikeClassifier(training, [0, 1, 2], options).predict(given)]).toEqual([0, 0, 1]);
  const shared = spikeClassifier(training, [0, 1, 2], { ...options, vote: "shared" });
  // 6 : 4 + 2.63 : 2.37; 6 : 4 + 5.26 : 4.74; 0 : 2.63 : 2.37
  expect([...shared.predict(given)]).toEqual([1, 1, 1]);
  expect([...shared.classOf]).toEqual([0, 1]);
});

test("random counts: every prediction is the class of the largest vote, by brute force", () => {
  let state = 1;
  const draw = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((state / 2 ** 31) * below);
  };
  for (let trial = 0; trial < 50; trial++) {
    const [cells, classes, examples] = [1 + draw(9), 1 + draw(5), 1 + draw(20)];
    const labels = Array.from({ length: examples }, () => draw(classes));
    const counts = Array.from({ length: examples * cells }, () => Math.max(0, draw(6) - 2));
    const { classOf, predict } = spikeClassifier(counts, labels, { cells, classes });
    for (const [e, got] of predict(counts).entries()) {
      const votes = Array.from({ length: classes }, (_, k) =>
        counts.slice(e * cells, (e + 1) * cells).reduce((sum, n, c) => (classOf[c] === k ? sum + n : sum), 0),
      );
      const most = Math.max(...votes);
      expect(got, `trial ${trial}, example ${e}`).toBe(most > 0 ? votes.indexOf(most) : -1);
    }
  }
});

test("a confusion matrix counts rows of truth against columns of prediction; none is in no column", () => {
  expect([...confusionMatrix([0, 1, 1, -1, 2], [0, 0, 1, 1, 2], 3)]).toEqual([1, 1, 0, 0, 1, 0, 0, 0, 1]);
});

test("Wilson's interval: published values; it covers 95 % of binomial outcomes, a normal one near 0 does not", () => {
  // Newcombe 1998, Stat. Med. 17:857, table I, method 3
  for (const [hits, n, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ]) {
    const { mean, interval95 } = proportion(hits, n);
    expect(mean).toBe(hits / n);
    expect(interval95[0]).toBeCloseTo(low, 4);
    expect(interval95[1]).toBeCloseTo(high, 4);
  }
  const covered = (p: number, n: number, interval: (hits: number) => readonly [number, number]) => {
    let [probability, sum] = [(1 - p) ** n, 0];
    for (let k = 0; k <= n; k++) {
      const [low, high] = interval(k);
      if (low <= p && p <= high) sum += probability;
      probability *= ((n - k) / (k + 1)) * (p / (1 - p));
    }
    return sum;
  };
  const n = 200;
  const normal = (k: number): [number, number] => {
    const { mean, standardError } = proportion(k, n);
    return [mean - 1.96 * standardError, mean + 1.96 * standardError];
  };
  expect(covered(0.02, n, (k) => proportion(k, n).interval95)).toBeGreaterThan(0.93);
  expect(covered(0.02, n, normal)).toBeLessThan(0.91);
});

test("what does not fit together is refused", () => {
  expect(() => spikeClassifier([1, 2, 3], [0], { cells: 2, classes: 2 })).toThrow(
    "3 counts are no whole number of examples of 2 cells",
  );
  expect(() => spikeClassifier([1, 2], [0, 1], { cells: 2, classes: 2 })).toThrow(
    "1 examples of 2 counts have 2 labels",
  );
  expect(() => spikeClassifier([1, 2], [2], { cells: 2, classes: 2 })).toThrow(
    "example 0 is of class 2; there are 2 classes",
  );
  expect(() => confusionMatrix([1], [1, 1], 2)).toThrow("1 predictions for 2 examples");
  expect(() => proportion(3, 2)).toThrow("3 hits in 2 trials make no proportion");
});
