/** A competing layer: who wins, who is silent, what the winner learns and what it costs its threshold. */
import { describe, expect, test } from "vitest";
import { cuSiO2W } from "../../models/cusio2w.ts";
import * as layer from "../../models/winner.ts";
import {
  allToAll,
  compile,
  every,
  neurons,
  oneToOne,
  referenceDevice,
  spikeSource,
  spikes,
  synapse,
  synapses,
  trace,
} from "../../src/index.ts";

const dt = "1 ms";

/** Charge put on integrators at given times. */
const charge = synapse({ name: "charge", source: "test", equations: "q : 1", on: { pre: "X_post += q" } });

/** Four integrators, each charged by its own source; thresholds of 10, 10, 20 and 10. */
function four(q: readonly number[]) {
  const source = spikeSource(4);
  const cells = neurons(4, layer.integrator, { theta: [10, 10, 20, 10] });
  const output = neurons(4, layer.winner);
  const renewal = every("100 ms");
  const connect = allToAll();
  const network = {
    source,
    cells,
    output,
    charges: synapses(source, cells, charge, { connect: oneToOne(), initial: { q } }),
    claims: synapses(cells, output, layer.claim, { connect: oneToOne() }),
    rivals: synapses(cells, output, layer.rivalry, { connect }),
    inhibition: synapses(cells, cells, layer.inhibition, { connect, events: { renewal } }),
    fatigue: synapses(output, cells, layer.fatigue.with({ theta0: 10, gain: 0.1 }), {
      connect: oneToOne(),
      events: { win: output },
    }),
    recovery: synapses(output, cells, layer.recovery.with({ theta0: 10, gain: 0.1, size: 4 }), {
      connect,
      events: { win: output },
    }),
  };
  return network;
}

/** Who wins when all are charged in the ticks of `times` (ms). */
async function winners(q: readonly number[], times: readonly number[]) {
  const network = four(q);
  const simulation = await compile(network, { dt, seed: 1 });
  const each = times.map((ms) => ms * 1e-3);
  const { wins, X } = simulation.run({
    duration: "60 ms",
    inputs: { source: [each, each, each, each] },
    record: { wins: spikes(network.output), X: trace(network.cells, "X") },
  });
  return { won: [...wins.i], at: [...wins.t].map((t) => Math.round(t * 1e3)), X, simulation };
}

describe("who wins", () => {
  test("the largest share of its threshold, not the largest sum; two ticks after the charge", async () => {
    const { won, at } = await winners([11, 12, 23, 9], [5]);
    expect([won, at]).toEqual([[1], [7]]); // 1.2 against 1.1 and 1.15
  });

  test("of equal shares the lowest index, and nobody below its threshold", async () => {
    expect((await winners([9, 12, 24, 12], [5])).won).toEqual([1]);
    expect((await winners([9, 9.9, 19, 5], [5])).won).toEqual([]);
  });

  test("then all begin at 0 and are deaf for 10 ms", async () => {
    const { won, at, X } = await winners([11, 12, 23, 9], [5, 6, 10, 15, 25]);
    // the crossing is found in tick 6; charges of ticks 6 to 15 are lost, that of 25 counts
    expect([won, at]).toEqual([
      [1, 2],
      [7, 27],
    ]);
    // sample n is the state before tick n: charged in tick 5, 0 from tick 8 to the next charge that counts
    const sum = (n: number) => X.values.subarray(4 * n, 4 * n + 4).reduce((a, b) => a + b, 0);
    expect(sum(6)).toBe(11 + 12 + 23 + 9);
    expect([8, 10, 12, 15, 17, 25].map(sum)).toEqual([0, 0, 0, 0, 0, 0]);
    expect((await winners([11, 12, 23, 9], [5, 16])).at).toEqual([7, 18]); // control: 11 ms later they hear
  });

  test("a win costs its threshold what the others gain: their sum stays, down to a fifth", async () => {
    const { simulation } = await winners([11, 12, 23, 9], [5]);
    const theta = simulation.get("cells", "theta");
    expect([...theta].map((x) => Number(x.toFixed(12)))).toEqual([9.75, 10.75, 19.75, 9.75]);
    expect(theta.reduce((a, b) => a + b, 0)).toBeCloseTo(50, 12);
    simulation.set("cells", "theta", [2.1, 30, 30, 2.1]);
    const now = [[0.001], [0.001], [0.001], [0.001]];
    simulation.run({ duration: "5 ms", inputs: { source: now } });
    const after = simulation.get("cells", "theta"); // cell 0 won
    expect([...after].map((x) => Number(x.toFixed(12)))).toEqual([2.85, 29.75, 29.75, 2]);
  });

  test("frozen, thresholds stay", async () => {
    const network = four([11, 12, 23, 9]);
    const simulation = await compile(network, { dt, seed: 1 });
    const { wins } = simulation.run({
      duration: "20 ms",
      inputs: { source: [[0.005], [0.005], [0.005], [0.005]] },
      record: { wins: spikes(network.output) },
      frozen: ["fatigue", "recovery"],
    });
    expect(wins.t).toHaveLength(1);
    expect([...simulation.get("cells", "theta")]).toEqual([10, 10, 20, 10]);
  });
});

/** Sixty inputs onto two cells; cell 1 is made to win by a charge at 80 ms. Input k fires at k ms. */
async function taught(onDevices: boolean) {
  const input = spikeSource(60);
  const source = spikeSource(2);
  const cells = neurons(2, layer.integrator, { theta: 1000 });
  const output = neurons(2, layer.winner);
  const renewal = every("200 ms");
  const connect = allToAll();
  const options = { connect, events: { win: output, renewal } };
  const plastic = onDevices
    ? synapses(input, cells, layer.pulses, {
        ...options,
        initial: { last: "-1 s" },
        weight: referenceDevice(cuSiO2W.with({ pulseSd: 0, deviceSd: 0, x0: 0.4 }), {
          weightPerConductance: `${1 / 387.4045865} 1/uS`,
          step: "3.874045865 uS",
          reference: "38.74045865 uS",
        }),
      })
    : synapses(input, cells, layer.softSteps, { ...options, initial: { last: "-1 s", w: 0.4 } });
  const network = {
    input,
    source,
    cells,
    output,
    plastic,
    charges: synapses(source, cells, charge, { connect: oneToOne(), initial: { q: [0, 2000] } }),
    claims: synapses(cells, output, layer.claim, { connect: oneToOne() }),
    rivals: synapses(cells, output, layer.rivalry, { connect }),
    inhibition: synapses(cells, cells, layer.inhibition, { connect, events: { renewal } }),
  };
  const simulation = await compile(network, { dt, seed: 1 });
  const show = (frozen: readonly string[] = []) =>
    simulation.run({
      duration: "200 ms",
      inputs: { input: Array.from({ length: 60 }, (_, k) => [k * 1e-3]), source: [[], [0.08]] },
      frozen,
    });
  return { simulation, show, weights: () => simulation.get("plastic", "w") };
}

describe.each([
  ["ideal synapses", false],
  ["devices without spread", true],
] as const)("learning with %s", (_, onDevices) => {
  test("a win moves every synapse of the winner once: up where the input is at most 50 ms old, down elsewhere", async () => {
    const { show, weights, simulation } = await taught(onDevices);
    show();
    const w = weights(); // [input, cell]
    for (let k = 0; k < 60; k++) {
      expect(w[2 * k]).toBeCloseTo(0.4, 9);
      // charged in tick 80, the relay fires in tick 82
      const expected = 82 - k <= 50 ? 0.4 + 0.01 * 0.6 : 0.4 - 0.005 * 0.4;
      expect(w[2 * k + 1], `input ${k}`).toBeCloseTo(expected, 9);
    }
    show(["plastic"]);
    expect(weights()).toEqual(w);
    // inputs 32 to 59 are young enough
    if (onDevices) expect(simulation.deviceUse("plastic").pulses).toEqual({ up: 28, down: 32, reset: 0 });
  });

  test("an image forgets the inputs of the one before", async () => {
    const { simulation, weights } = await taught(onDevices);
    simulation.run({ duration: "200 ms", inputs: { input: Array.from({ length: 60 }, () => [0.199]) } });
    simulation.run({ duration: "200 ms", inputs: { source: [[], [0.002]] } });
    for (let k = 0; k < 60; k++) expect(weights()[2 * k + 1]).toBeCloseTo(0.4 - 0.005 * 0.4, 9);
  });
});
