/**
 * Digits drawn, spoken and seen by an event camera, in the quick form of each experiment: right answers far above chance on plain
 * weights and on PCM. Figures of the full runs are in the README.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import nmnist from "../../experiments/nmnist-events.ts";
import mnist from "../../experiments/normad-mnist.ts";
import spoken from "../../experiments/spoken-digits.ts";
import { type Estimate, type Experiment, runExperiment } from "../../src/index.ts";

const folder = process.env["MEMSPIKE_DATA"] ?? "";
const has = (path: string) => folder !== "" && existsSync(join(folder, path));

/** Fewest right answers of n that guessing among ten reaches with a probability below 1e-6. */
function bound(n: number): number {
  let tail = 1;
  let term = 0.9 ** n;
  for (let hits = 0; ; hits++) {
    if (tail < 1e-6) return hits;
    tail -= term;
    term *= ((n - hits) / (hits + 1)) * (0.1 / 0.9);
  }
}

/** Right answers of each network, of how many. */
async function right<P extends Experiment["parameters"]>(
  of: Experiment<P>,
  set: Readonly<Record<string, string | number | readonly string[]>> = {},
): Promise<{ hits: Record<string, number>; n: number }> {
  const { metrics } = await runExperiment(of, { quick: true, set });
  const rows = metrics["networks"] as unknown as { synapses: string; accuracy: Estimate }[];
  const hits = rows.map(({ synapses, accuracy }) => [synapses, (accuracy.mean * accuracy.n) / 100]);
  return { hits: Object.fromEntries(hits), n: rows[0].accuracy.n };
}

test("the bound of guessing is exact", () => {
  expect(bound(100)).toBe(28); // P(X >= 28) = 3.5e-7, P(X >= 27) = 1.2e-6 of 100 at 1 / 10
});

test("100 drawn digits, once each, teach to read 60 others, on plain weights and on PCM; one that does not learn cannot", async () => {
  const { hits, n } = await right(mnist, { epochs: 1, tests: 60 });
  expect(hits["ideal"]).toBeGreaterThan(bound(n) + 15); // measured 42 of 60, by chance 20 at most
  expect(hits["PCM"]).toBeGreaterThan(bound(n) + 5); // 31
  const control = await right(mnist, {
    synapses: ["ideal"],
    eta: "1e-6 pA",
    etaEnd: "1e-6 pA",
    tests: 50,
    images: 20,
  });
  expect(control.hits["ideal"]).toBeLessThan(bound(control.n));
});

test.runIf(has("fsdd"))("spoken digits", async () => {
  const { hits, n } = await right(spoken);
  expect(hits["ideal"]).toBeGreaterThan(2 * bound(n));
  expect(hits["PCM"]).toBeGreaterThan(2 * bound(n));
});

test.runIf(has("nmnist"))("digits seen by an event camera", async () => {
  const { hits, n } = await right(nmnist, { epochs: 1, tests: 60 });
  expect(hits["ideal"]).toBeGreaterThan(bound(n) + 10); // measured 35 of 60, by chance 20 at most
  expect(hits["PCM"]).toBeGreaterThan(bound(n) + 10); // 35
});
