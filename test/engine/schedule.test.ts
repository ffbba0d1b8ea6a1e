/**
 * Events that are no spikes of the connected cells: clocks, named events of populations and sources; and
 * projections that are frozen.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  allToAll,
  type Cells,
  compile,
  every,
  neuron,
  neurons,
  pairs,
  pairwiseBernoulli,
  spikeSource,
  synapse,
  synapses,
  type Time,
  trace,
} from "../../src/index.ts";
import { drivenCells, hold, stateOf } from "./networks.ts";

const options = { dt: "0.1 ms", seed: 3 } as const;
const ticks = (n: number): Time => `${n / 10} ms`;

/** Ticks in which the values of a one-element trace change; `values[n]` is before tick n. */
const changes = (values: Float64Array): number[] =>
  [...values.keys()].filter((n) => n > 0 && values[n] !== values[n - 1]).map((n) => n - 1);

describe("clocks", () => {
  const counting = synapse({
    name: "Counting",
    equations: "n : 1\nseen : 1",
    on: { tock: "n += 1; seen = v_post" },
  });
  const source = spikeSource(1);
  const cells = neurons(1, hold);

  async function tocks(period: Time, offset: Time | undefined, length: number): Promise<number[]> {
    const clocked = synapses(source, cells, counting, {
      connect: allToAll(),
      events: { tock: every(period, { offset }) },
    });
    const simulation = await compile({ source, cells, clocked }, options);
    const { n } = simulation.run({
      duration: ticks(length),
      record: { n: trace(clocked, "n", { every: "0.1 ms" }) },
    });
    return changes(Float64Array.of(...n.values, simulation.get("clocked", "n")[0]));
  }

  test("every 10 ms is the last tick of each 10 ms", async () => {
    expect(await tocks("10 ms", undefined, 350)).toEqual([99, 199, 299]);
    expect(await tocks("0.1 ms", undefined, 5)).toEqual([0, 1, 2, 3, 4]);
  });

  test("an offset is the end of the first tick that strikes", async () => {
    expect(await tocks("1 ms", "0.3 ms", 35)).toEqual([2, 12, 22, 32]);
    expect(await tocks("1 ms", "2.5 ms", 50)).toEqual([24, 34, 44]);
  });

  test("any period and offset, in any pieces of a run", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 }),
        async (period, offset, pieces) => {
          const clocked = synapses(source, cells, counting, {
            connect: allToAll(),
            events: { tock: every(ticks(period), { offset: ticks(offset) }) },
          });
          const simulation = await compile({ source, cells, clocked }, options);
          let end = 0;
          for (const piece of pieces) {
            simulation.run({ duration: ticks(piece) });
            end += piece;
            const expected = end < offset ? 0 : Math.floor((end - offset) / period) + 1;
            expect(simulation.get("clocked", "n")[0]).toBe(expected);
          }
        },
      ),
      { seed: 21, numRuns: 30 },
    );
  });

  test("a clock comes after the pre and post handlers of its tick and before the reset", async () => {
    const input = spikeSource(2);
    const target = neurons(1, hold);
    const model = synapse({
      name: "Ordered",
      equations: "a : 1\nb : 1\nc : 1\nv : 1",
      on: { pre: "a = a + 1; v_post += 1.5", post: "b = 10 * a + b", tock: "c = 100 * b + a; v = v_post" },
    });
    const drive = synapses(input, target, model, {
      connect: allToAll(),
      events: { tock: every("0.4 ms") },
    });
    const simulation = await compile({ input, target, drive }, options);
    // cell 0 arrives in tick 2; the target fires in tick 3 and is reset in it, when cell 1 and the clock come too
    simulation.run({ duration: "0.4 ms", inputs: { input: [[0.0002], [0.0003]] } });
    expect([...simulation.get("drive", "a")]).toEqual([1, 1]);
    expect([...simulation.get("drive", "b")]).toEqual([10, 10]);
    expect([...simulation.get("drive", "c")]).toEqual([1001, 1001]);
    expect([...simulation.get("drive", "v")]).toEqual([3, 3]); // 1.5 of tick 2 and of tick 3, not yet reset
    expect([...simulation.get("target", "v")]).toEqual([0]);
  });

  test("a clock's statements run in order, each once for what it assigns", async () => {
    const input = spikeSource(3);
    const target = neurons(4, hold);
    const model = synapse({
      name: "Each once",
      equations: "w : 1\nu : 1\nx : 1 (pre)\ny : 1 (post)\ns : 1 (shared)",
      on: { tock: "s += 1; y += s; w = y; x = 10 * s; y = 7; u = y + x; g_post += 1; s = 2 * s" },
    });
    // five synapses: cell 0 has three, cell 2 none
    const connect = pairs([0, 0, 0, 1, 1], [0, 1, 3, 1, 3]);
    for (const delay of [0, 0.001]) {
      const drive = synapses(input, target, model, {
        connect,
        delay,
        events: { tock: every("0.1 ms") },
      });
      const simulation = await compile({ input, target, drive }, options);
      simulation.run({ duration: "0.1 ms" });
      const got = (variable: string) => [...simulation.get("drive", variable)];
      expect([got("s"), got("y"), got("x")]).toEqual([[2], [7, 7, 7, 7], [10, 10, 10]]);
      expect([got("w"), got("u")]).toEqual([
        [1, 1, 1, 1, 1],
        [17, 17, 17, 17, 17],
      ]);
      expect([...simulation.get("target", "g")]).toEqual([1, 2, 0, 2]); // once a synapse
    }
  });

  test("synapses with delays of their own hear a clock at once", async () => {
    const input = spikeSource(2);
    const target = neurons(3, hold);
    const model = synapse({
      name: "Clocked",
      equations: "w : 1",
      on: { pre: "g_post += w", tock: "w += 1" },
    });
    const drive = synapses(input, target, model, {
      connect: allToAll(),
      delay: [0, 1, 2, 3, 4, 5].map((n) => n * 1e-3),
      events: { tock: every("1 ms") },
    });
    const simulation = await compile({ input, target, drive }, options);
    simulation.run({ duration: "3 ms" });
    expect([...simulation.get("drive", "w")]).toEqual([3, 3, 3, 3, 3, 3]);
  });
});

describe("named events", () => {
  const taught = synapse({
    name: "Taught",
    equations: "w : 1\nn : 1",
    on: { teacher: "w = w + 10 * i + j + 1; n += 1" },
  });

  test("cells that are one for each postsynaptic cell stand for columns, else for rows", async () => {
    const input = spikeSource(5);
    const target = neurons(7, hold);
    const of = async (size: number, events: [number, number][], slice?: [number, number]) => {
      const whole = spikeSource(slice ? 20 : size);
      const teacher = slice ? whole.slice(...slice) : whole;
      const drive = synapses(input.slice(1, 4), target.slice(2, 6), taught, {
        connect: pairs([0, 0, 1, 2, 2, 2], [0, 3, 1, 0, 1, 2]),
        events: { teacher },
      });
      const simulation = await compile({ input, target, whole, drive }, options);
      const sorted = events.map(([tick, cell]) => ({ t: tick * 1e-4, i: cell }));
      const inputs = { whole: { t: sorted.map((e) => e.t), i: sorted.map((e) => e.i) } };
      simulation.run({ duration: "2 ms", inputs });
      return [...simulation.get("drive", "n")];
    };
    expect(
      await of(4, [
        [2, 0],
        [3, 1],
        [9, 1],
      ]),
    ).toEqual([1, 0, 2, 1, 2, 0]); // columns 0, 1, 1
    expect(
      await of(3, [
        [2, 0],
        [3, 2],
      ]),
    ).toEqual([1, 1, 0, 1, 1, 1]); // rows 0 and 2
    expect(
      await of(
        4,
        [
          [2, 9],
          [3, 10],
          [4, 13],
          [5, 8],
          [5, 14],
        ],
        [10, 14],
      ),
    ).toEqual([1, 1, 0, 1, 0, 0]);
  });

  test("random events of random slices: each synapse hears its cell's, brute force agrees", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          connections: fc.array(fc.tuple(fc.nat(2), fc.nat(4)), { minLength: 1, maxLength: 12 }),
          events: fc.uniqueArray(fc.tuple(fc.nat(30), fc.nat(11)), {
            maxLength: 30,
            selector: ([tick, cell]) => 100 * tick + cell,
          }),
          rows: fc.boolean(),
          start: fc.nat(4),
          threads: fc.constantFrom(1, 1, 1, 2),
        }),
        async ({ connections, events, rows, start, threads }) => {
          const input = spikeSource(6);
          const target = neurons(40, hold);
          const whole = spikeSource(12);
          const drive = synapses(input.slice(2, 5), target.slice(13, 18), taught, {
            connect: pairs(
              connections.map(([i]) => i),
              connections.map(([, j]) => j),
            ),
            events: { teacher: whole.slice(start, start + (rows ? 3 : 5)) },
          });
          const simulation = await compile({ input, target, whole, drive }, { ...options, threads });
          const sorted = [...events].sort((a, b) => a[0] - b[0]);
          const inputs = { whole: { t: sorted.map(([t]) => t * 1e-4), i: sorted.map(([, i]) => i) } };
          simulation.run({ duration: "3.1 ms", inputs });
          const heard = connections.map(
            ([i, j]) => events.filter(([, cell]) => cell === start + (rows ? i : j)).length,
          );
          expect([...simulation.get("drive", "n")]).toEqual(heard);
          expect([...simulation.get("drive", "w")]).toEqual(
            connections.map(([i, j], k) => heard[k] * (10 * i + j + 1)),
          );
          simulation.close();
        },
      ),
      { seed: 22, numRuns: 40 },
    );
  });

  test("where sizes are equal, cells stand for the postsynaptic ones, but the presynaptic cells for themselves", async () => {
    const [input, target, others] = [spikeSource(6), neurons(4, hold), spikeSource(4)];
    const heard = async (teacher: Cells) => {
      const drive = synapses(input.slice(1, 5), target, taught, { connect: allToAll(), events: { teacher } });
      const simulation = await compile({ input, target, others, drive }, options);
      const inputs = { input: { t: [0.0002], i: [3] }, others: { t: [0.0002], i: [2] } };
      simulation.run({ duration: "1 ms", inputs });
      const { pre, post } = simulation.synapseCells("drive");
      return [...simulation.get("drive", "n").keys()]
        .filter((k) => simulation.get("drive", "n")[k] > 0)
        .map((k) => [pre[k], post[k]]);
    };
    expect(await heard(others)).toEqual([0, 1, 2, 3].map((i) => [i, 2]));
    expect(await heard(input.slice(1, 5))).toEqual([0, 1, 2, 3].map((j) => [2, j]));
    expect(await heard(input.slice(0, 4))).toEqual([0, 1, 2, 3].map((i) => [i, 3])); // other cells of that source
  });

  test("an event comes at once, whatever the delay, with the post handlers", async () => {
    const input = spikeSource(1);
    const target = neurons(1, hold);
    const teacher = spikeSource(1);
    const model = synapse({
      name: "Ordered",
      equations: "a : 1\nb : 1",
      on: { teacher: "b = a", pre: "a += 1" },
    });
    for (const delay of ["0 ms", "0.2 ms"] as const) {
      const drive = synapses(input, target, model, { connect: allToAll(), delay, events: { teacher } });
      const simulation = await compile({ input, target, teacher, drive }, options);
      simulation.run({ duration: "1 ms", inputs: { input: [[0.0003]], teacher: [[0.0003]] } });
      expect(simulation.get("drive", "b")[0]).toBe(delay === "0 ms" ? 1 : 0);
    }
  });
});

describe("frozen projections", () => {
  const plastic = (connect = allToAll(), delay: number | number[] = 0) => {
    const source = spikeSource(3);
    const cells = neurons(4, hold);
    const model = synapse({
      name: "Plastic",
      equations: "dx/dt = -x / tau : 1\ndy/dt = -y / tau : 1\nw : 1 (weight)\nn : 1",
      on: {
        pre: "v_post += w; x += 1; w -= 0.01 * y; n += 1",
        post: "y += 1; w += 0.1 * x",
        now: "w += 1",
        tock: "w += 10",
      },
      parameters: { tau: "2 ms" },
    });
    const drive = synapses(source, cells, model, {
      connect,
      delay,
      initial: { w: 2 },
      events: { now: source, tock: every("1 ms") },
    });
    return { source, cells, drive };
  };
  const inputs = { source: [[0.0003, 0.0011], [0.0004], [0.0011]] };

  test("deliver what they carry and keep their weights", async () => {
    const simulation = await compile(plastic(), options);
    simulation.run({ duration: "2 ms", inputs, frozen: ["drive"] });
    expect([...simulation.get("drive", "w")]).toEqual(new Array(12).fill(2));
    expect([...simulation.get("drive", "n")]).toEqual(new Array(12).fill(0));
    // ticks 3 and 4: 2 each; fired and reset in 4 and 5; tick 11: 2 twice, reset in tick 12
    expect([...simulation.get("cells", "v")]).toEqual([0, 0, 0, 0]);
    simulation.run({ duration: "2 ms", inputs });
    expect([...simulation.get("drive", "n")].slice(0, 8)).toEqual([2, 2, 2, 2, 1, 1, 1, 1]);
    expect(simulation.get("drive", "w").every((w) => w > 20)).toBe(true);
  });

  test("traces go on, whether they are kept once for a cell or for each synapse", async () => {
    const after = async (delay: number | number[]) => {
      const simulation = await compile(plastic(allToAll(), delay), options);
      simulation.run({ duration: "2 ms", inputs });
      simulation.run({ duration: "2 ms", inputs, frozen: ["drive"] });
      const frozen = [...simulation.get("drive", "x")];
      simulation.run({ duration: "2 ms", inputs, restart: true });
      return [frozen, [...simulation.get("drive", "x")], [...simulation.get("drive", "w")]];
    };
    const once = await after(0);
    const late = await after([...new Array(11).fill(0), 0.1]); // the last synapse hears nothing in time
    once.forEach((block, b) => {
      block.slice(0, 11).forEach((value, k) => {
        expect(Math.abs(value - late[b][k])).toBeLessThan(1e-13 * Math.abs(value));
      });
    });
    const tau = 2e-3;
    const decayed = (...ages: number[]) => ages.reduce((sum, age) => sum + Math.exp(-age / tau), 0);
    // before tick 40, spikes of ticks 3, 11, 23 and 31 are 36, 28, 16 and 8 ticks old
    expect(Math.abs(once[0][0] - decayed(3.6e-3, 2.8e-3, 1.6e-3, 0.8e-3))).toBeLessThan(1e-13);
    expect(Math.abs(once[1][0] - decayed(1.6e-3, 0.8e-3))).toBeLessThan(1e-13); // restarted
  });

  test("a frozen run leaves every weight of a random network, deferred post events or not", async () => {
    const source = spikeSource(20);
    const cells = drivenCells(60);
    const model = (event: boolean) =>
      synapse({
        name: "Pair",
        equations: "dx/dt = -x / tau : 1 (pre)\ndy/dt = -y / tau : 1 (post)\nw : 1 (weight)",
        on: {
          pre: "I_post += w; x += 1; w = clip(w - 0.1 * y, 0, 1)",
          post: "y += 1; w = clip(w + 0.11 * x, 0, 1)",
          ...(event ? { never: "w = 0" } : {}),
        },
        parameters: { tau: "20 ms" },
      });
    const t = Array.from({ length: 600 }, (_, k) => k * 1e-4);
    const run = async (event: boolean) => {
      const never = every("1 h");
      const learns = synapses(source, cells, model(event), {
        connect: pairwiseBernoulli(0.5),
        initial: { w: "0.5 * rand()" },
        ...((event ? { events: { never } } : {}) as object),
      } as never);
      const simulation = await compile({ source, cells, learns }, { ...options, threads: 2 });
      const given = { source: { t, i: t.map((_, k) => (k * 7) % 20) } };
      simulation.run({ duration: "60 ms", inputs: given });
      const learnt = simulation.get("learns", "w");
      simulation.run({ duration: "60 ms", inputs: given, frozen: ["learns"] });
      expect(simulation.get("learns", "w")).toEqual(learnt);
      simulation.run({ duration: "60 ms", inputs: given });
      expect(simulation.get("learns", "w")).not.toEqual(learnt);
      const state = stateOf(simulation);
      simulation.close();
      return state;
    };
    const waiting = await run(false);
    const atOnce = await run(true);
    // the closed form of a trace and its ticks differ in the last bits
    const far = Object.keys(waiting).filter((name) =>
      waiting[name].some((value, k) => !(Math.abs(value - atOnce[name][k]) <= 1e-11)),
    );
    expect(far).toEqual([]);
  });
});

test("a trace may follow the voltage of its own cell", async () => {
  const driven = neuron({
    name: "Driven",
    source: "test",
    equations: "v : 1",
    threshold: "v >= 3",
    reset: "v = 0",
    on: { tick: "v += 1" },
  });
  const model = synapse({
    name: "Follower",
    equations: `
      da/dt = (v_pre - a) / tau        : 1 (pre)
      db/dt = (v_post + j - b) / tau   : 1 (post)
      c : 1
    `,
    on: { pre: "c += a + b" },
    parameters: { tau: "1 ms" },
    method: "euler",
  });
  const network = () => {
    const from = neurons(20, driven, { v: 1 });
    const onto = neurons(40, hold, { v: "0.01 * i" });
    const drive = synapses(from.slice(3), onto.slice(17), model, { connect: pairwiseBernoulli(0.5) });
    return { from, onto, drive };
  };
  const simulation = await compile(network(), { ...options, threads: 2 });
  expect(simulation.oneThreadBecause).toMatchInlineSnapshot(
    `"drive: the presynaptic trace a follows v_pre, which changes"`,
  );
  simulation.run({ duration: "0.5 ms" });
  // a sees v after the threshold and the tick handler of its own tick, before the reset
  let a = 0;
  for (const v of [2, 3, 4, 1, 2]) a += 0.1 * (v - a);
  const got = simulation.get("drive", "a");
  expect(got.length).toBe(17);
  got.forEach((value) => {
    expect(Math.abs(value - a)).toBeLessThan(1e-14);
  });
  const b = (j: number) => {
    let value = 0;
    for (let n = 0; n < 5; n++) value += 0.1 * (0.01 * (j + 17) + j - value);
    return value;
  };
  const post = simulation.get("drive", "b");
  expect(post.length).toBe(23);
  post.forEach((value, j) => {
    expect(Math.abs(value - b(j))).toBeLessThan(1e-13);
  });
});
