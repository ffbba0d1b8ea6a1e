import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { command, relay } from "../../models/relay.ts";
import { dopamineStdp, rewardedStdp } from "../../models/reward.ts";
import {
  allToAll,
  compile,
  neuron,
  neurons,
  oneToOne,
  poissonTrains,
  rates,
  spikeSource,
  spikes,
  synapses,
} from "../../src/index.ts";

const dt = 1e-3;
const train = fc
  .uniqueArray(fc.integer({ min: 1, max: 298 }), { maxLength: 25 })
  .map((a) => a.sort((x, y) => x - y));
const rewards = fc
  .uniqueArray(fc.integer({ min: 1, max: 298 }), { maxLength: 5 })
  .map((a) => a.sort((x, y) => x - y));

/** Spike trains of one synapse and its events, in whole ticks of 1 ms (post from tick 1 on). */
interface Trains {
  readonly pre: readonly number[];
  readonly post: readonly number[];
  readonly reward: readonly number[];
  readonly punishment: readonly number[];
}

async function final(rule: typeof rewardedStdp, trains: Trains, start: number) {
  const at = (ticks: readonly number[]) => spikeSource(1, [ticks.map((n) => n * dt)]);
  const [stimulus, teacher] = [at(trains.pre), at(trains.post.map((n) => n - 1))];
  const [reward, punishment] = [at(trains.reward), at(trains.punishment)];
  const cells = neurons(1, relay);
  const commands = synapses(teacher, cells, command, { connect: oneToOne() });
  const all = { reward, punishment };
  const events = Object.fromEntries(
    Object.entries(all).filter(([name]) => Object.hasOwn(rule.checked.handlers, name)),
  ) as typeof all;
  const plastic = synapses(stimulus, cells, rule, {
    connect: oneToOne(),
    initial: { w: `${start} V` },
    events,
  });
  const simulation = await compile(
    { stimulus, teacher, reward, punishment, cells, commands, plastic },
    { dt: "1 ms", seed: 1 },
  );
  simulation.run({ duration: "300 ms" });
  return simulation.get("plastic", "w")[0];
}

/** What every pair of spikes, one before the other, adds to the eligibility, and when: pre before post within a tick. */
function pairs({ pre, post }: Trains, up: number, down: number): { n: number; change: number }[] {
  const all: { n: number; change: number }[] = [];
  for (const p of pre)
    for (const q of post)
      all.push(
        p <= q
          ? { n: q, change: up * Math.exp(-((q - p) * dt) / 0.02) }
          : { n: p, change: -down * Math.exp(-((p - q) * dt) / 0.02) },
      );
  return all;
}

describe("the weight is the sum over pairs and rewards, to 1e-12 of its largest part", () => {
  test("eligibility trace: gamma A exp(-|s| / tau) exp(-wait / tauz) for each pair before each reward", async () => {
    const rule = rewardedStdp.with({ Ap: 1.1, Am: 0.8, tauz: "60 ms", gamma: "0.01 mV", wmax: "100 mV" });
    await fc.assert(
      fc.asyncProperty(train, train, rewards, rewards, async (pre, post, reward, punishment) => {
        const trains = { pre, post, reward, punishment };
        let expected = 0;
        for (const [times, sign] of [
          [reward, 1],
          [punishment, -1],
        ] as const)
          for (const r of times)
            for (const { n, change } of pairs(trains, 1.1, 0.8))
              if (n <= r) expected += sign * 1e-5 * change * Math.exp(-((r - n) * dt) / 0.06);
        const found = await final(rule, trains, 0.05);
        expect(Math.abs(found - 0.05 - expected)).toBeLessThan(1e-12 * 0.05);
      }),
      { numRuns: 30 },
    );
  });

  test("dopamine: the integral of c D, pair by pair and dose by dose", async () => {
    const rule = dopamineStdp.with({
      ...{ tauc: "0.5 s", taud: "50 ms", Ap: "1 mV/s", Am: "1.5 mV/s", dose: 0.7, wmax: "100 mV" },
    }) as unknown as typeof rewardedStdp;
    const rate = 1 / 0.5 + 1 / 0.05;
    let largest = 0;
    await fc.assert(
      fc.asyncProperty(train, train, rewards, async (pre, post, reward) => {
        // a reward in the last tick brings the weight up to date
        const end = 299;
        const trains = { pre, post, reward: [...reward, end], punishment: [] };
        let expected = 0;
        for (const r of reward)
          for (const { n, change } of pairs(trains, 1e-3, 1.5e-3)) {
            const from = Math.max(r, n);
            const both = Math.exp(-((from - n) * dt) / 0.5) * Math.exp(-((from - r) * dt) / 0.05);
            expected += (0.7 * change * both * -Math.expm1(-(end - from) * dt * rate)) / rate;
          }
        const found = await final(rule, trains, 0.05);
        largest = Math.max(largest, Math.abs(expected));
        expect(Math.abs(found - 0.05 - expected)).toBeLessThan(1e-12 * 0.05);
      }),
      { numRuns: 30 },
    );
    expect(largest).toBeGreaterThan(1e-5);
  });
});

test("a cell paid for spikes after one pattern and fined for those after another tells them apart; unpaid it does not", async () => {
  // ten inputs each at 40 Hz; a noisy cell, so that there is something to pay for
  const noisy = neuron({
    name: "noisy cell",
    source: "test",
    equations: "dI/dt = -I / tau : V",
    threshold: "rand() < dt * rate * exp(I / slope)",
    parameters: { tau: "10 ms", rate: "5 Hz", slope: "2 mV" },
  });
  const rule = rewardedStdp.with({ Am: 0.5, gamma: "0.03 mV", wmax: "2 mV" });
  const difference = async (paid: boolean) => {
    const [stimulus, payer, finer] = [spikeSource(20), spikeSource(1), spikeSource(1)];
    const cells = neurons(1, noisy);
    const plastic = synapses(stimulus, cells, rule, {
      connect: allToAll(),
      initial: { w: "0.5 mV" },
      events: { reward: payer, punishment: finer },
    });
    const simulation = await compile({ stimulus, payer, finer, cells, plastic }, { dt: "1 ms", seed: 4 });
    const show = (pattern: number, seed: string, frozen: boolean) => {
      const rate = Array.from({ length: 20 }, (_, i) => (Math.floor(i / 10) === pattern ? 40 : 0));
      const input = poissonTrains(rate, { duration: "500 ms", seed, deadTime: "1 ms" });
      const pays = Array.from({ length: 24 }, (_, k) => 0.02 * (k + 1));
      return simulation.run({
        duration: "500 ms",
        restart: true,
        frozen: frozen ? ["plastic"] : [],
        inputs: {
          stimulus: { t: input.t, i: input.i },
          payer: [paid && pattern === 0 ? pays : []],
          finer: [paid && pattern === 1 ? pays : []],
        },
        record: { fired: spikes(cells) },
      }).fired;
    };
    for (let k = 0; k < 40; k++) for (const pattern of [0, 1]) show(pattern, `train ${k} ${pattern}`, false);
    const rate = (pattern: number) => {
      let sum = 0;
      for (let k = 0; k < 20; k++) sum += rates(show(pattern, `test ${k} ${pattern}`, true))[0] / 20;
      return sum;
    };
    return [rate(0), rate(1)];
  };
  const [preferred, other] = await difference(true);
  const unpaid = await difference(false);
  expect(preferred).toBeGreaterThan(4 * other);
  expect(unpaid[0] / unpaid[1]).toBeLessThan(1.5);
  expect(unpaid[0] / unpaid[1]).toBeGreaterThan(1 / 1.5);
});
