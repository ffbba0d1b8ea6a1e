/**
 * Bad networks and bad runs: one clear error each, with its place, its reason and the nearest name; and a run
 * that was refused has changed nothing.
 */
import { describe, expect, test } from "vitest";
import {
  allToAll,
  compile,
  device,
  differentialPair,
  every,
  fixedIndegree,
  type Network,
  neuron,
  neurons,
  oneToOne,
  pairs,
  pairwiseBernoulli,
  poisson,
  type Recorder,
  simulate,
  spikeSource,
  spikes,
  synapse,
  synapses,
  trace,
} from "../../src/index.ts";
import { adds, hold } from "./networks.ts";

const build = (network: Network) => compile(network, { dt: "0.1 ms", seed: 1 });

const membrane = neuron({
  name: "Membrane",
  source: "test",
  equations: `
    dv/dt = (El - v) / taum : V (unless refractory)
    weight : V
    tref  : s
  `,
  threshold: "v > Vt",
  reset: "v = El",
  refractory: "tref",
  parameters: { El: "-70 mV", Vt: "-50 mV", taum: "10 ms" },
});

const rule = synapse({
  name: "Rule",
  equations: "dx/dt = -x / tau : 1 (pre)\nw : V (weight)\nd : 1",
  on: { pre: "v_post += w; x += 1", teacher: "d += x", update: "d = 0" },
  parameters: { tau: "20 ms" },
});

/** A source, cells and a projection between them. */
function chain() {
  const input = spikeSource(4);
  const cells = neurons(4, hold);
  const drive = synapses(input, cells, adds("v", 2), { connect: oneToOne() });
  return { input, cells, drive };
}

describe("parts", () => {
  test("sizes and slices", () => {
    expect(() => neurons(0, hold)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: neurons need a whole number of cells from 1 to 268435456, not 0]`,
    );
    expect(() => spikeSource(2.5)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: spike sources need a whole number of cells from 1 to 268435456, not 2.5]`,
    );
    expect(() => neurons(10, hold).slice(5, 11)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a slice [5, 11) does not fit a population of 10 cells]`,
    );
    expect(() => neurons(10, hold).slice(5, 5)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a slice [5, 5) does not fit a population of 10 cells]`,
    );
  });

  test("an unknown name in initial", async () => {
    await expect(
      build({ cells: neurons(2, membrane, { wieght: "1 mV" }) }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: cells: Membrane has no variable wieght; did you mean weight?]`,
    );
    await expect(
      build({ cells: neurons(2, membrane, { v: "Vreset" }) }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ModelError: Membrane, initial v: unknown name Vreset
          Vreset
          ^^^^^^
        it is no variable, derived name or parameter of the model]
    `);
    const { input, cells } = chain();
    const model = synapse({ name: "Weighted", equations: "w : 1", on: { pre: "v_post += w" } });
    const drive = synapses(input, cells, model, { connect: oneToOne(), initial: { ww: 1 } });
    await expect(build({ input, cells, drive })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive: Weighted has no variable ww; did you mean w?]`,
    );
  });

  test("an initial value of the wrong dimension, length or kind", async () => {
    await expect(
      build({ cells: neurons(2, membrane, { v: "5 ms" }) }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ModelError: Membrane, initial v: dimensions disagree
          5 ms
          ^^^^
        this is s, v is V]
    `);
    await expect(
      build({ cells: neurons(2, membrane, { v: "El + tref" }) }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ModelError: Membrane, initial v: dimensions disagree
          El + tref
          ^^^^^^^^^
        El is V, tref is s; did you mean Vt?]
    `);
    await expect(
      build({ cells: neurons(2, membrane, { v: [1, 2, 3] }) }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`[ConfigError: cells: v has 3 values for 2 cells]`);
    await expect(
      build({ cells: neurons(2, membrane, { v: [-0.07, Number.NaN] }) }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`[ConfigError: cells: v[1] is NaN]`);
  });

  test("initial values of traces have one number for each cell they belong to", async () => {
    const input = spikeSource(3);
    const cells = neurons(4, hold);
    const model = synapse({
      name: "Traces",
      equations: "x : 1 (pre)\ny : 1 (post)\nk : 1 (shared)",
      on: { pre: "x += k", post: "y += k" },
    });
    const of = (initial: Record<string, number[]>) => {
      const drive = synapses(input, cells, model, { connect: allToAll(), initial });
      return build({ input, cells, drive });
    };
    await expect(of({ x: [1, 2] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive: x has 2 values for 3 presynaptic cells]`,
    );
    await expect(of({ y: [1, 2, 3] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive: y has 3 values for 4 postsynaptic cells]`,
    );
    await expect(of({ k: [1, 2] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive: k has 2 values for 1 element]`,
    );
  });

  test("a name of the connected cells that does not exist", async () => {
    const { input, cells } = chain();
    const drive = synapses(input, cells, adds("gg"), { connect: oneToOne() });
    await expect(build({ input, cells, drive })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ModelError: Adds to gg, handler pre: gg_post does not exist
          gg_post += w
          ^^^^^^^
        the postsynaptic cells, Hold, have no variable gg; did you mean g_post?]
    `);
    const back = synapses(input, cells, synapse({ name: "Back", on: { pre: "v_pre += 1" } }), {
      connect: oneToOne(),
    });
    await expect(build({ input, cells, back })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ModelError: Back, handler pre: v_pre does not exist
          v_pre += 1
          ^^^^^
        the presynaptic cells are a source of spikes and have no variables]
    `);
  });

  test("a synapse that adds the wrong dimension to its cell", async () => {
    const input = spikeSource(2);
    const cells = neurons(2, membrane);
    const drive = synapses(input, cells, adds("v", "5 pA"), { connect: oneToOne() });
    await expect(build({ input, cells, drive })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ModelError: Adds to v, handler pre: dimensions disagree
          v_post += w
                    ^
        the right side is A, v_post is V]
    `);
  });

  test("delays: negative, of the wrong dimension, too many, too long, not a number", async () => {
    const { input, cells } = chain();
    const delayed = (delay: unknown) =>
      build({
        input,
        cells,
        drive: synapses(input, cells, adds("v"), { connect: oneToOne(), delay: delay as number }),
      });
    expect(() =>
      synapses(input, cells, adds("v"), { connect: oneToOne(), delay: "-1 ms" }),
    ).toThrowErrorMatchingInlineSnapshot(`[ConfigError: Adds to v: the delay -1 ms is negative]`);
    await expect(delayed(-0.001)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive: the delay is negative: -0.001 s]`,
    );
    await expect(delayed([0.001, 0.001, -0.002, 0.001])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive: the delay of synapse 2 is negative: -0.002 s]`,
    );
    await expect(delayed([0.001, 0.001])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive: 2 delays for 4 synapses]`,
    );
    expect(() =>
      synapses(input, cells, adds("v"), { connect: oneToOne(), delay: "5 mV" }),
    ).toThrowErrorMatchingInlineSnapshot(`[ConfigError: Adds to v: the delay: "5 mV" is V, s is expected]`);
    await expect(delayed("g_post * 2")).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: Adds to v: a delay may use parameters, i, j and random draws, not g_post: g_post * 2]`,
    );
    await expect(delayed("1000 s")).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive: the delay is 1000 s, longer than 1048576 ticks of 0.0001 s]`,
    );
    await expect(delayed("soon")).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ModelError: Adds to v, initial delay: unknown name soon
          soon
          ^^^^
        a variable of a connected cell is soon_pre or soon_post]
    `);
    await expect(delayed(Number.NaN)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive: the delay is no time: NaN s]`,
    );
  });

  test("a negative delay among drawn ones", async () => {
    const { input, cells } = chain();
    const model = synapse({
      name: "Spread",
      on: { pre: "v_post += tau / tau" },
      parameters: { tau: "2 ms" },
    });
    const drive = synapses(input, cells, model, { connect: oneToOne(), delay: "tau * randn()" });
    await expect(build({ input, cells, drive })).rejects.toThrow(
      /^drive: the delay of synapse \d is negative: -[\d.]+ s$/,
    );
  });

  test("a trace of the presynaptic cell cannot have several delays", async () => {
    const { input, cells } = chain();
    const model = synapse({ name: "Traced", equations: "x : 1 (pre)", on: { pre: "v_post += x; x += 1" } });
    const drive = synapses(input, cells, model, { connect: oneToOne(), delay: [0, 0, 0.001, 0.001] });
    await expect(build({ input, cells, drive })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive: x is kept once per presynaptic cell (pre), so all synapses of the projection must have the same delay; declare it per synapse]`,
    );
  });

  test("a probability, a degree, a pair that cannot be", async () => {
    expect(() => pairwiseBernoulli(1.1)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: pairwiseBernoulli: a probability lies between 0 and 1, not 1.1]`,
    );
    expect(() => pairwiseBernoulli(-0.1)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: pairwiseBernoulli: a probability lies between 0 and 1, not -0.1]`,
    );
    expect(() => pairwiseBernoulli(Number.NaN)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: pairwiseBernoulli: a probability lies between 0 and 1, not NaN]`,
    );
    expect(() => fixedIndegree(-1)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: fixedIndegree: a degree is a count, not -1]`,
    );
    const { input, cells } = chain();
    const drive = synapses(input, cells, adds("v"), { connect: pairs([0, 4], [0, 0]) });
    await expect(build({ input, cells, drive })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: pairs: pair 1 (4, 0) lies outside 4 pre and 4 post cells]`,
    );
    const one = synapses(input, cells.slice(1), adds("v"), { connect: oneToOne() });
    await expect(build({ input, cells, one })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: oneToOne: 4 pre and 3 post cells; the sizes must be equal]`,
    );
  });

  test("a part that is used but not in the network, or in it twice", async () => {
    const { input, cells, drive } = chain();
    await expect(build({ cells, drive })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive uses a spike source of 4 cells that is not in the network; add it to the record]`,
    );
    await expect(build({ input, drive })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive uses a population of 4 cells that is not in the network; add it to the record]`,
    );
    await expect(build({ input, cells, again: cells })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: again and cells are the same part of the network]`,
    );
    const teacher = spikeSource(4);
    const plastic = synapses(input, neurons(4, membrane), rule, {
      connect: oneToOne(),
      events: { teacher, update: every("1 ms") },
    });
    const { post } = plastic;
    await expect(build({ input, post, plastic } as Network)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: the event "teacher" of plastic uses a spike source of 4 cells that is not in the network; add it to the record]`,
    );
  });

  test("events: unbound, unknown, of a wrong size, of a wrong period", async () => {
    const input = spikeSource(4);
    const cells = neurons(3, membrane);
    const connect = allToAll();
    const update = every("1 ms");
    expect(() =>
      synapses(input, cells, rule, { connect, events: { update } as never }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: Rule: the event "teacher" is not bound; give events: { teacher: a population or a clock }]`,
    );
    expect(() =>
      synapses(input, cells, rule, { connect, events: { teacher: input, update, techer: input } as never }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: Rule has no event "techer"; its events are teacher, update]`,
    );
    expect(() => every("0 ms")).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a clock's period must be positive, not 0 ms]`,
    );
    expect(() => every("5 mV" as never)).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: the period of a clock: "5 mV" is V, s is expected]`,
    );
    const teacher = spikeSource(7);
    const wrong = synapses(input, cells, rule, { connect, events: { teacher, update } });
    await expect(build({ input, cells, teacher, wrong })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: wrong: the event "teacher" comes from 7 cells; it needs one for each of the 3 postsynaptic or the 4 presynaptic cells]`,
    );
    const uneven = synapses(input, cells, rule, {
      connect,
      events: { teacher: input, update: every("0.25 ms") },
    });
    await expect(build({ input, cells, uneven })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: uneven: the period of update, 0.00025 s, is not a whole number of ticks of 0.0001 s from one on]`,
    );
    const early = synapses(input, cells, rule, {
      connect,
      events: { teacher: input, update: every("1 ms", { offset: "0 ms" }) },
    });
    await expect(build({ input, cells, early })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: early: the offset of update, 0 s, is not a whole number of ticks of 0.0001 s from one on]`,
    );
  });

  test("weights on devices need a weight, of the devices' dimension", () => {
    const memristor = device({
      name: "Memristor",
      source: "test",
      equations: "G : S",
      initial: { G: "1 uS" },
      on: { set: "G += step" },
      read: "G",
      parameters: { step: "0.1 uS" },
    });
    const storage = (weightPerConductance: string) =>
      differentialPair(memristor, { weightPerConductance, step: "0.1 uS" });
    const { input, cells } = chain();
    expect(() =>
      synapses(input, cells, adds("v"), { connect: oneToOne(), weight: storage("1 /uS") }),
    ).toThrowErrorMatchingInlineSnapshot(`[ConfigError: "1 /uS" is not a quantity: unknown unit /]`);
    expect(() =>
      synapses(input, neurons(4, membrane), rule, {
        connect: oneToOne(),
        weight: storage("1 pA/uS"),
        events: { teacher: input, update: every("1 ms") },
      }),
    ).toThrowErrorMatchingInlineSnapshot(`[ConfigError: Rule: the weight w is V, the devices make A]`);
  });

  test("a refractory time that changes while it counts", async () => {
    const refuse = (reset: string, on?: { tick: string }) =>
      build({
        cells: neurons(
          1,
          neuron({
            name: "Tired",
            source: "test",
            equations: "v : 1\ntref : s",
            threshold: "v > 1",
            reset,
            refractory: "tref",
            parameters: { step: "1 ms" },
            on,
          }),
        ),
      });
    await expect(refuse("v = 0; tref += step")).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: Tired: the refractory time depends on tref, which has to keep its value during a run; the reset assigns it]`,
    );
    await expect(
      refuse("v = step / step", { tick: "tref = step" }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: Tired: the refractory time depends on tref, which has to keep its value during a run; the tick handler assigns it]`,
    );
    const cells = neurons(1, membrane);
    const tires = synapses(cells, cells, adds("tref", "1 ms"), { connect: allToAll() });
    await expect(build({ cells, tires })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: Membrane: the refractory time depends on tref, which has to keep its value during a run; the handler pre of tires assigns it]`,
    );
  });

  test("shared variables that would have to be assigned cell by cell", async () => {
    const cells = (text: { reset?: string; tick?: string }) =>
      build({
        cells: neurons(
          2,
          neuron({
            name: "Counting",
            source: "test",
            equations: "v : 1\nn : 1 (shared)",
            threshold: "v > 1",
            reset: text.reset,
            on: text.tick === undefined ? undefined : { tick: text.tick },
          }),
        ),
      });
    await expect(cells({ reset: "n += 1" })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: Counting: the reset assigns n, which all cells share; declare it per cell]`,
    );
    await expect(cells({ tick: "n = 1" })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: Counting: the tick handler assigns n, which all cells share; declare it per cell]`,
    );
  });

  test("Poisson rates beyond one spike a tick, negative, of the wrong dimension", async () => {
    const rate = (given: string | number | number[]) => build({ noise: poisson(3, given) });
    await expect(rate("20 kHz")).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: noise: a rate of 20000 Hz is not from 0 to 1 / dt = 10000 Hz, one spike a tick]`,
    );
    await expect(rate([10, -1, 10])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: noise: a rate of -1 Hz is not from 0 to 1 / dt = 10000 Hz, one spike a tick]`,
    );
    await expect(rate([10, 10])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: noise: rate has 2 values for 3 cells]`,
    );
    await expect(rate("20 mV")).rejects.toThrowErrorMatchingInlineSnapshot(
      `
      [ModelError: Poisson source, initial rate: dimensions disagree
          20 mV
          ^^^^^
        this is V, rate is 1/s]
    `,
    );
    await expect(rate(5)).rejects.toThrowErrorMatchingInlineSnapshot(
      `
      [ModelError: Poisson source, initial rate: dimensions disagree
          5
          ^
        this is dimensionless, rate is 1/s]
    `,
    );
    await rate("10 kHz");
  });

  test("a network beyond the memory of WebAssembly", async () => {
    await expect(build({ cells: neurons(2 ** 28, hold) })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: the network needs 75.2 GB, more than the 4.29 GB of one WebAssembly memory: cells spikes in flight 70.9 GB, cells variables 4.29 GB]`,
    );
  });

  test("options of compile", async () => {
    const { input, cells, drive } = chain();
    const network = { input, cells, drive };
    const options = { dt: "0.1 ms", seed: 1 } as const;
    await expect(compile(network, { ...options, dt: "0 ms" })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: dt must be a positive time, not 0 s]`,
    );
    await expect(
      compile(network, { ...options, dt: "1 mV" as never }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`[ConfigError: dt: "1 mV" is V, s is expected]`);
    await expect(
      compile(network, { ...options, precision: "float16" as never }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: precision is "float64" or "float32", not "float16"]`,
    );
    await expect(compile(network, { ...options, threads: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: threads must be a whole number from 1 to 64, not 0]`,
    );
  });
});

describe("runs", () => {
  const run = async (options: object) => {
    const simulation = await build(chain());
    return () => simulation.run({ duration: "1 ms", ...options } as never);
  };

  test("a duration that is no whole number of ticks, or no time", async () => {
    expect(await run({ duration: "0.25 ms" })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a run of 0.25 ms is not a whole number of ticks of 0.0001 s]`,
    );
    expect(await run({ duration: "-1 ms" })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a run of -1 ms would go back in time]`,
    );
    expect(await run({ duration: "5 mV" })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: duration: "5 mV" is V, s is expected]`,
    );
    expect(await run({ duration: "3 days" })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: a simulation has at most 2147483648 ticks; 3 days goes beyond]`,
    );
  });

  test("inputs: unknown sources", async () => {
    expect(await run({ inputs: { inputs: { t: [], i: [] } } })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: inputs: there is no spike source inputs; did you mean input?]`,
    );
    expect(await run({ inputs: { cells: { t: [], i: [] } } })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: inputs: there is no spike source cells]`,
    );
  });

  test("inputs: unsorted, outside the run, unknown cells, twice in a tick", async () => {
    const given = (t: number[], i: number[]) => run({ inputs: { input: { t, i } } });
    expect(await given([0.0002, 0.0001], [0, 1])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: input: spike times must ascend; spike 1 (cell 1) is at 0.0001 s after 0.0002 s]`,
    );
    expect(await given([-0.0001], [0])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: input: spike 0 of cell 0 is at -0.0001 s, outside the run of 0.001 s]`,
    );
    expect(await given([0.001], [0])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: input: spike 0 of cell 0 is at 0.001 s, outside the run of 0.001 s]`,
    );
    expect(await given([0.0001, Number.NaN], [0, 1])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: input: spike times must ascend; spike 1 (cell 1) is at NaN s after 0.0001 s]`,
    );
    expect(await given([0], [4])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: input: spike 0 names cell 4; the source has cells 0 to 3]`,
    );
    expect(await given([0], [0.5])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: input: spike 0 names cell 0.5; the source has cells 0 to 3]`,
    );
    expect(await given([0.0003, 0.00035], [2, 2])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: input: cell 2 fires twice in the tick at 0.0003 s; use a shorter dt]`,
    );
    expect(await given([0.0003, 0.0004], [2])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: input: 2 spike times but 1 cells]`,
    );
  });

  test("inputs as one list of times for each cell", async () => {
    const given = (...times: number[][]) => run({ inputs: { input: times } });
    expect(await given([0], [0])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: input: spike times of 2 cells for 4 cells]`,
    );
    expect(await given([], [0.0002, 0.0001], [], [])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: input: spike times must ascend; spike 1 (cell 1) is at 0.0001 s after 0.0002 s]`,
    );
    expect(await given([], [], [], [0.0011])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: input: spike 0 of cell 3 is at 0.0011 s, outside the run of 0.001 s]`,
    );
  });

  test("spikes given with the source are checked when it runs", async () => {
    const input = spikeSource(2, { t: [0.0005, 0.002], i: [0, 1] });
    await expect(
      simulate({ input }, { duration: "1 ms", dt: "0.1 ms", seed: 1 }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: input: spike 1 of cell 1 is at 0.002 s, outside the run of 0.001 s]`,
    );
  });

  test("record: a part or variable that is not there, an index, an interval", async () => {
    const { input, cells, drive } = chain();
    const simulation = await build({ input, cells, drive });
    const record = (what: Recorder) => () => simulation.run({ duration: "1 ms", record: { what } });
    expect(record(spikes(neurons(3, hold)))).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: record.what is not about a part of this network]`,
    );
    expect(record(trace(cells, "vv"))).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: cells has no stored variable vv; did you mean v?]`,
    );
    expect(record(trace(cells, "weight"))).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: cells has no stored variable weight; it has v, g]`,
    );
    expect(record(trace(drive, "w"))).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive has no stored variable w; it has none]`,
    );
    expect(record(trace(cells, "v", { at: [0, 4] }))).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: record.what: there is no element 4 among 4]`,
    );
    expect(record(trace(cells.slice(2), "v", { at: [2] }))).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: record.what: there is no element 2 among 2]`,
    );
    expect(record(trace(cells, "v", { every: "0.25 ms" }))).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: record.what: every 0.25 ms is not a whole number of ticks of 0.0001 s]`,
    );
  });

  test("frozen: what is no projection", async () => {
    expect(await run({ frozen: ["drve"] })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: the network has no part drve; did you mean drive?]`,
    );
    expect(await run({ frozen: ["cells"] })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: cells is not a projection]`,
    );
  });

  test("get and set: unknown parts and variables, wrong lengths", async () => {
    const simulation = await build(chain());
    const part = (name: string) => name as "cells";
    expect(() => simulation.get(part("cels"), "v")).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: the network has no part cels; did you mean cells?]`,
    );
    expect(() => simulation.get("cells", "u")).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: cells has no stored variable u; it has v, g]`,
    );
    expect(() => simulation.get(part("input"), "rate")).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: input has no stored variable rate; it has none]`,
    );
    expect(() => simulation.get(part("drive"), "w")).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive has no stored variable w; it has none]`,
    );
    expect(() => simulation.set("cells", "v", [1, 2])).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: cells.v has 4 elements, not 2]`,
    );
    expect(() => simulation.synapseCells(part("cells"))).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: cells is not a projection]`,
    );
    expect(() => simulation.conductances(part("drive"))).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: drive does not keep its weights on devices]`,
    );
    expect(() => simulation.wait("-1 s")).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: devices cannot wait for -1 s]`,
    );
  });

  test("a run that is refused changes nothing, and the next one is whole", async () => {
    const network = chain();
    const simulation = await build(network);
    const inputs = { input: { t: [0.0002], i: [1] } };
    simulation.run({ duration: "0.3 ms", inputs });
    const before = simulation.get("cells", "v");
    expect(before).toEqual(Float64Array.of(0, 2, 0, 0));
    const bad = [
      { duration: "0.25 ms" },
      { inputs: { input: { t: [1], i: [0] } } },
      { frozen: ["nothing"] },
      { record: { what: trace(neurons(1, hold), "v") } },
    ];
    for (const options of bad)
      expect(() => simulation.run({ duration: "1 ms", restart: true, ...options } as never)).toThrow();
    expect(simulation.time).toBeCloseTo(3e-4, 12);
    expect(simulation.get("cells", "v")).toEqual(before);
    const { raster } = simulation.run({
      duration: "1 ms",
      record: { raster: spikes(network.cells) },
    });
    expect([...raster.i]).toEqual([1]);
  });

  test("two runs at once", async () => {
    const simulation = await build(chain());
    const steps = simulation.steps({ duration: "100 ms" });
    steps.next();
    expect(() => simulation.run({ duration: "1 ms" })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: the simulation is already running]`,
    );
    steps.return({} as never);
    simulation.run({ duration: "1 ms" });
    expect(simulation.time).toBeCloseTo(26.6e-3, 12);
  });
});

test("a simulation whose threads have ended runs no more; what it left can be read", async () => {
  const cells = neurons(40, hold, { g: 3 });
  const two = await compile({ cells }, { dt: "0.1 ms", seed: 1, threads: 2 });
  two.run({ duration: "1 ms" });
  two.close();
  two.close();
  expect(two.get("cells", "g")[39]).toBe(3);
  expect(() => two.run({ duration: "1 ms" })).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: the simulation is closed: its threads have ended]`,
  );
  const one = await compile({ cells }, { dt: "0.1 ms", seed: 1, threads: 1 });
  one.close();
  one.run({ duration: "1 ms" });
});

describe("numbers", () => {
  /** v is the root of 1 - a, where a reaches 1 after 10 ms in cell 1 and after 20 ms in the others. */
  const rooted = neuron({
    name: "Rooted",
    source: "test",
    equations: "dv/dt = (sqrt(1 - a) - v) / tau : 1\nda/dt = 1 / tau : 1",
    parameters: { tau: "20 ms" },
  });
  const cells = () => neurons(3, rooted, { a: [0, 0.5, 0] });

  test("NaN stops the run and names population, variable, cell and time", async () => {
    const simulation = await build({ cells: cells() });
    expect(() => simulation.run({ duration: "15 ms" })).toThrowErrorMatchingInlineSnapshot(
      `[NumericError: cells: v of cell 1 became NaN between 0 s and 0.015 s; the step may be too long or an argument out of range]`,
    );
  });

  test("the time tells when numbers were last looked at, recorded or not", async () => {
    const part = cells();
    const simulation = await build({ cells: part });
    const record = { v: trace(part, "v") };
    expect(() => simulation.run({ duration: "1 s", record })).toThrowErrorMatchingInlineSnapshot(
      `[NumericError: cells: v of cell 0 became NaN between 0 s and 0.0256 s; the step may be too long or an argument out of range]`,
    );
    const pieces = await build({ cells: cells() });
    pieces.run({ duration: "9.9 ms" });
    expect(() => pieces.run({ duration: "0.3 ms" })).toThrowErrorMatchingInlineSnapshot(
      `[NumericError: cells: v of cell 1 became NaN between 0.0099 s and 0.0102 s; the step may be too long or an argument out of range]`,
    );
  });

  test("infinity is no number either", async () => {
    const explosive = neuron({
      name: "Explosive",
      source: "test",
      equations: "dv/dt = v^2 / tau : 1",
      parameters: { tau: "1 ms" },
    });
    const simulation = await build({ cells: neurons(1, explosive, { v: 1 }) });
    expect(() => simulation.run({ duration: "10 ms" })).toThrowErrorMatchingInlineSnapshot(
      `[NumericError: cells: v of cell 0 became Infinity between 0 s and 0.01 s; the step may be too long or an argument out of range]`,
    );
  });

  test("weights and traces are looked at when a run ends", async () => {
    const input = spikeSource(2);
    const targets = neurons(3, hold);
    const root = synapse({ name: "Root", equations: "w : 1", on: { pre: "w = sqrt(w - 1)" } });
    const drive = synapses(input, targets, root, { connect: allToAll(), initial: { w: "1 + 1.5 * j * i" } });
    const simulation = await build({ input, targets, drive });
    const inputs = {
      input: [
        [0.0001, 0.0002],
        [0.0001, 0.0002, 0.0003],
      ],
    };
    expect(() => simulation.run({ duration: "1 ms", inputs })).toThrowErrorMatchingInlineSnapshot(
      `[NumericError: drive: w of synapse 0 (cell 0 to 0) became NaN between 0 s and 0.001 s; the step may be too long or an argument out of range]`,
    );
  });
});

test("normalize of what the handler has just assigned is refused: its norm is that of the tick's beginning", async () => {
  const late = synapse({
    name: "late",
    equations: `
      dx/dt = -x / tau : 1 (pre)
      w                : 1
    `,
    on: { pre: "x += 1; w = normalize(x)" },
    parameters: { tau: "5 ms" },
  });
  const source = spikeSource(3);
  const cells = spikeSource(2);
  await expect(
    compile(
      { source, cells, late: synapses(source, cells, late, { connect: allToAll() }) },
      { dt: "1 ms", seed: 1 },
    ),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: late: normalize() uses x, which the same handler has assigned before; put it first]`,
  );
});
