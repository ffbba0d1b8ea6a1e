import { allToAll, compile, every, neurons, spikeSource, spikes, synapses, trace } from "../src/index.ts";
/** Programs that must and must not compile: read by the type checker, never run. */
import { type Model, neuron, synapse } from "../src/language/model.ts";
import { seconds, type Time } from "../src/math/units.ts";

export function times(): void {
  seconds("5 ms");
  seconds("1 year");
  // @ts-expect-error a number is not a time
  seconds(5);
  // @ts-expect-error a voltage is not a time
  seconds("5 mV");
  // @ts-expect-error a unit is missing
  const bare: Time = "5";
  return void bare;
}

const cell = neuron({
  name: "Cell",
  source: "this test",
  equations: "dv/dt = (El - v) / tau : V",
  parameters: { El: "-70 mV", tau: "20 ms" },
});

export function parameters(): void {
  cell.with({ tau: "5 ms" });
  // @ts-expect-error there is no parameter taum
  cell.with({ taum: "5 ms" });
  // @ts-expect-error a parameter is text or a number
  cell.with({ tau: true });
  // @ts-expect-error models do not change
  cell.kind = "synapse";
  // @ts-expect-error definitions do not change
  cell.definition.name = "another";
}

export function definitions(): void {
  // @ts-expect-error a neuron says where its equations come from
  neuron({ name: "M", equations: "v : V" });
  // @ts-expect-error spikes are handled by synapses
  neuron({ name: "M", source: "this test", equations: "v : V", on: { spike: "v = 0" } });
  // @ts-expect-error there is no such method
  neuron({ name: "M", source: "this test", equations: "v : V", method: "rk45" });
  // @ts-expect-error a synapse has handlers
  synapse({ name: "S" });
}

export function events(): void {
  const rule = synapse({
    name: "S",
    equations: "w : 1",
    on: { pre: "w = 0", teacher: "w = 1", update: "w = 2" },
  });
  const bound: Model<"synapse", "teacher" | "update"> = rule;
  const any: Model<"synapse"> = rule;
  // @ts-expect-error update is an event of the rule as well
  const one: Model<"synapse", "teacher"> = rule;
  // @ts-expect-error a synapse is not a neuron
  const other: Model<"neuron"> = rule;
  const plain: Model<"synapse", never> = synapse({ name: "S", on: { pre: "v_post += 1" } });
  return void [bound, any, one, other, plain];
}

export async function networks(): Promise<void> {
  const rule = synapse({
    name: "S",
    equations: "w : 1",
    on: { pre: "v_post += w", teacher: "w = 1", update: "w = 2" },
  });
  const plain = synapse({ name: "S", on: { pre: "v_post += 1" } });
  const cells = neurons(3, cell);
  const teacher = spikeSource(3);
  const connect = allToAll();
  synapses(cells, cells, plain, { connect });
  synapses(cells, cells, rule, { connect, events: { teacher, update: every("1 s") } });
  // @ts-expect-error the event update is not bound
  synapses(cells, cells, rule, { connect, events: { teacher } });
  // @ts-expect-error events must be bound
  synapses(cells, cells, rule, { connect });
  // @ts-expect-error there is no event to bind
  synapses(cells, cells, plain, { connect, events: { teacher } });
  // @ts-expect-error a synapse model is not a neuron model
  neurons(3, plain);
  // @ts-expect-error a clock ticks in time
  every(5);
  const simulation = await compile({ cells, teacher }, { dt: "0.1 ms", seed: 1 });
  const { raster, v } = simulation.run({
    duration: "1 s",
    record: { raster: spikes(cells), v: trace(cells, "v") },
  });
  const times: Float64Array = raster.t;
  const values: Float64Array = v.values;
  // @ts-expect-error what is not recorded is not there
  simulation.run({ duration: "1 s", record: { raster: spikes(cells) } }).v;
  // @ts-expect-error a duration has a unit
  simulation.run(1);
  // @ts-expect-error a run has a duration
  simulation.run({});
  // @ts-expect-error there is no part other
  simulation.get("other", "v");
  // @ts-expect-error a seed is needed
  compile({ cells }, { dt: "0.1 ms" });
  return void [times, values];
}
