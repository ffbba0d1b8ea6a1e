/** Numbers and spikes between tiles, in a run of a second. */
import { expect, test } from "vitest";
import experiment from "../../experiments/spiking-tiles.ts";
import { type Estimate, runExperiment } from "../../src/index.ts";

interface Network {
  readonly network: string;
  readonly floatingError: number;
  readonly times: number;
  readonly products: number;
  readonly spikes: number;
  readonly activationSparsity: number;
  readonly effectiveMACs: number;
  readonly effectiveACs: number;
  readonly dense: number;
}

test("quick: three networks of the same matrices name digits; what spikes add up is counted", async () => {
  const set = {
    hidden: 32,
    epochs: 15,
    awareEpochs: 2,
    times: 8,
    convertedTimes: 20,
    chips: 2,
    ages: ["1 h"],
  };
  const { metrics } = await runExperiment(experiment, { quick: true, seed: 1, set });
  const networks = metrics.networks as unknown as Network[];
  expect(networks.map(({ network, times }) => [network, times])).toEqual([
    ["relu", 1],
    ["surrogate", 8],
    ["converted", 20],
  ]);
  const [relu, surrogate, converted] = networks;
  for (const { floatingError } of networks) expect(floatingError).toBeLessThan(50); // 90 by guessing
  // rates stand for the numbers they come from, to half a spike in 20
  expect(Math.abs(converted.floatingError - relu.floatingError)).toBeLessThanOrEqual(10);
  for (const { times, products, spikes, activationSparsity, effectiveACs, dense } of [surrogate, converted]) {
    expect(products).toBe(1 + times);
    expect(effectiveACs).toBeCloseTo(10 * spikes, 6);
    expect(activationSparsity).toBeCloseTo(1 - spikes / (32 * times), 9);
    expect(dense).toBe(784 * 32 + 32 * 10 * times);
  }
  expect(relu.effectiveMACs - surrogate.effectiveMACs).toBeCloseTo(320 * (1 - relu.activationSparsity), 6);
  const rows = metrics.chips as unknown as { network: string; normalised: number; error: Estimate }[];
  expect(rows.length).toBe(6);
  for (const { network, normalised } of rows) expect(normalised, network).toBeGreaterThan(75);
});
