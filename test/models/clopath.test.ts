import { describe, expect, test } from "vitest";
import { voltageCell, voltageStdp } from "../../models/clopath.ts";
import {
  compile,
  every,
  neuron,
  neurons,
  oneToOne,
  spikeSource,
  spikes,
  synapses,
  trace,
} from "../../src/index.ts";

describe("voltage clamp", () => {
  const held = neuron({
    name: "held cell",
    source: "test",
    equations: `
      v                        : V
      dum/dt = (v - um) / taum : V
      dup/dt = (v - up) / taup : V
    `,
    parameters: { taum: "10 ms", taup: "7 ms" },
  });
  const rule = voltageStdp.with({ V1: "0 mV", wmax: 100 });
  const pre = [0.02, 0.05, 0.061, 0.1];

  async function change(v: number, options: { um?: number; up?: number } = {}) {
    const stimulus = spikeSource(1, [pre]);
    const cells = neurons(1, held, { v: `${v} V`, um: `${options.um ?? v} V`, up: `${options.up ?? v} V` });
    const plastic = synapses(stimulus, cells, rule, {
      connect: oneToOne(),
      initial: { w: 50 },
      events: { tick: every("0.1 ms") },
    });
    const simulation = await compile({ stimulus, cells, plastic }, { dt: "0.1 ms", seed: 1 });
    simulation.run({ duration: "200 ms" });
    return simulation.get("plastic", "w")[0] - 50;
  }

  test("at rest nothing changes; between the thresholds every input spike takes aLtd (um - thetaM)", async () => {
    expect(await change(-75e-3)).toBe(0);
    expect(await change(-70.6e-3)).toBe(0);
    expect(Math.abs((await change(-55e-3)) + 4 * 0.14 * 15.6e-3)).toBeLessThan(1e-12);
  });

  test("what counts is the filtered potential: after a step from rest it has followed 1 - exp(-t / taum) of the way", async () => {
    const expected = pre.reduce((sum, t) => sum - 0.14 * 15.6e-3 * -Math.expm1(-(t + 1e-4) / 10e-3), 0);
    expect(Math.abs((await change(-55e-3, { um: -70.6e-3 })) - expected)).toBeLessThan(1e-12);
  });

  test("above the higher threshold potentiation adds aLtp (v - thetaP) (up - thetaM) times the integral of the trace", async () => {
    // the trace of a spike, 1 / taux at first, summed over the ticks from its own to the last
    const decay = Math.exp(-1e-4 / 15e-3);
    const trace = pre.reduce(
      (sum, t) => sum + (1e-4 / 15e-3) * ((1 - decay ** (2000 - Math.round(t * 1e4))) / (1 - decay)),
      0,
    );
    const expected = 80 * (-20e-3 + 45.3e-3) * (-20e-3 + 70.6e-3) * trace - 4 * 0.14 * 50.6e-3;
    expect(trace).toBeGreaterThan(3.9);
    expect(Math.abs((await change(-20e-3)) - expected)).toBeLessThan(1e-12);
  });
});

test("a drawn spike is 33 mV for 2 ms, then the reset; z and the threshold jump and decay", async () => {
  const cells = neurons(1, voltageCell, { v: "El", um: "El", up: "El", VT: "VTrest", I: "1.5 nA" });
  const simulation = await compile({ cells }, { dt: "0.1 ms", seed: 1 });
  const { fired, v, z, VT } = simulation.run({
    duration: "200 ms",
    record: { fired: spikes(cells), v: trace(cells, "v"), z: trace(cells, "z"), VT: trace(cells, "VT") },
  });
  const times = Array.from(fired.t, (t) => Math.round(t * 1e4));
  expect(times.length).toBeGreaterThan(2);
  const [first] = times;
  // sample n is the state before tick n; the spike's tick is followed by 19 that hold it
  const drawn = Array.from(v.values.slice(first + 1, first + 21));
  expect(drawn).toEqual(new Array(20).fill(33e-3));
  expect(v.values[first + 21]).toBe(-49.6e-3);
  expect(Math.abs(z.values[first + 21] - 400e-12 * Math.exp(-2 / 40))).toBeLessThan(1e-20);
  const threshold = -50.4e-3 + 20e-3 * Math.exp(-2 / 50);
  expect(Math.abs(VT.values[first + 21] - threshold)).toBeLessThan(1e-14);
});

describe("pairs 10 ms apart at 10, 30 and 50 Hz", () => {
  /** The cell with filters that the rule sees `late` ticks later, as in the authors' program and in NEST. */
  const delayed = (late: number, b: string) => {
    const { definition } = voltageCell;
    const stages = (name: string) => Array.from({ length: late }, (_, k) => `${name}${k + 1}`);
    const shift = (name: string) =>
      stages(name)
        .map((stage, k) => `${stage} = ${k === 0 ? `f${name}` : `${name}${k}`}`)
        .reverse();
    const cell = neuron({
      ...definition,
      equations: `${definition.equations
        .replace("dum/dt = (v - um)", "dfm/dt = (v - fm)")
        .replace("dup/dt = (v - up)", "dfp/dt = (v - fp)")}
        ${["um", "up", ...stages("m"), ...stages("p")].map((name) => `${name} : V`).join("\n")}
      `,
      on: {
        tick: [definition.on?.tick, `um = m${late}; up = p${late}`, ...shift("m"), ...shift("p")].join("\n"),
      },
      parameters: { ...definition.parameters, b },
    });
    const atRest = ["v", "fm", "fp", "um", "up", ...stages("m"), ...stages("p")];
    return neurons(1, cell as typeof voltageCell, {
      ...Object.fromEntries(atRest.map((name) => [name, "El"])),
      VT: "VTrest",
    });
  };
  const undelayed = () => neurons(1, voltageCell, { v: "El", um: "El", up: "El", VT: "VTrest" });

  // spike times of NEST's test, ms: pre, post
  const protocols: [number[], number[]][] = [
    [
      [29, 129, 229, 329, 429],
      [19, 119, 219, 319, 419],
    ],
    [
      [29, 62.3, 95.7, 129, 162.3],
      [19, 52.3, 85.7, 119, 152.3],
    ],
    [
      [29, 49, 69, 89, 109],
      [19, 39, 59, 79, 99],
    ],
    [
      [129, 229, 329, 429, 529, 629],
      [139, 239, 339, 439, 539, 639],
    ],
    [
      [62.3, 95.6, 129, 162.3, 195.6, 229],
      [72.3, 105.6, 139, 172.3, 205.6, 239],
    ],
    [
      [49, 69, 89, 109, 129, 149],
      [59, 79, 99, 119, 139, 159],
    ],
  ];

  /** Weight after the last input spike, in per cent of the first, were there 15 times as many pairs. */
  async function changes(cell: () => ReturnType<typeof undelayed>): Promise<number[]> {
    const all = [];
    for (const [pre, post] of protocols) {
      const inSeconds = (times: readonly number[]) => times.map((t) => t / 1000);
      const last = pre[pre.length - 1];
      const kicked = post.filter((t) => t < last);
      const [stimulus, kick] = [spikeSource(1, [inSeconds(pre)]), spikeSource(1, [inSeconds(kicked)])];
      const cells = cell();
      const joined = (parameters: Parameters<typeof voltageStdp.with>[0], w: number) => ({
        model: voltageStdp.with(parameters),
        options: { connect: oneToOne(), initial: { w }, events: { tick: every("0.1 ms") } },
      });
      const learns = joined({ V1: "0 mV" }, 0.5);
      const kicks = joined({ V1: "80 mV", aLtd: "0 V^-1", aLtp: "0 V^-2" }, 1);
      const plastic = synapses(stimulus, cells, learns.model, learns.options);
      const command = synapses(kick, cells, kicks.model, kicks.options);
      const simulation = await compile(
        { stimulus, kick, cells, plastic, command },
        { dt: "0.1 ms", seed: 1 },
      );
      const { fired } = simulation.run({ duration: `${last + 0.1} ms`, record: { fired: spikes(cells) } });
      expect(fired.t.length).toBe(5);
      all.push(100 + (1500 * (simulation.get("plastic", "w")[0] - 0.5)) / 0.5);
    }
    return all;
  }

  // testsuite/pytests/test_clopath_synapse.py of NEST 3; there b is 0.0805 pA, and steps are adaptive
  const nest = [57.82638722, 72.16730112, 149.43359357, 103.30408341, 124.03640668, 157.02882555];

  test("with the 4 ms of the authors' program the six changes are NEST's within 2 points; without it one is 40 off", async () => {
    const found = await changes(() => delayed(40, "0.0805 pA"));
    found.forEach((change, k) => {
      expect(Math.abs(change - nest[k])).toBeLessThan(2);
    });
    const none = await changes(undelayed);
    expect(Math.max(...none.map((change, k) => Math.abs(change - nest[k])))).toBeGreaterThan(40); // control
  });

  test("post before pre depresses at 10 Hz and potentiates at 50 Hz; pre before post is above it, and rises too", async () => {
    const [a, b, c, d, e, f] = await changes(undelayed);
    expect(a).toBeLessThan(80);
    expect(c).toBeGreaterThan(120);
    expect(a < b && b < c && d < e && e < f).toBe(true);
    expect(d > a && e > b && f > c).toBe(true);
  });
});
