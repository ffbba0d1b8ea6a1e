/** Synapses whose weights do as they are told, to see what devices make of it. */
import type { WeightStorage } from "../../src/device/storage.ts";
import {
  allToAll,
  compile,
  every,
  neuron,
  neurons,
  spikeSource,
  synapse,
  synapses,
} from "../../src/index.ts";

/** Sums the weights that arrive. */
const sink = neuron({ name: "sink", source: "test", equations: "I : A" });

/** Every millisecond `change` is added to the weight, once. */
const told = synapse({
  name: "told weight",
  equations: `
    w      : A (weight)
    change : A
  `,
  on: { pre: "I_post += w", write: "w += change; change = 0" },
});

/** Synapses from one source to `count` sinks, their weights on devices. */
export async function programmable(weight: WeightStorage, count = 1, seed: string | number = 1) {
  const source = spikeSource(1);
  const cells = neurons(count, sink);
  const plastic = synapses(source, cells, told, {
    connect: allToAll(),
    weight,
    events: { write: every("1 ms") },
  });
  const simulation = await compile({ source, cells, plastic }, { dt: "1 ms", seed });
  return {
    simulation,
    cells,
    /** Asks every weight to change by so much, A. */
    write(changes: number | ArrayLike<number>): void {
      simulation.set("plastic", "change", changes);
      simulation.run({ duration: "1 ms" });
    },
    weights: () => simulation.get("plastic", "w"),
    /** Noise-free conductances, S: [synapse][polarity][device]. */
    conductances: () => simulation.conductances("plastic", { noise: false }),
  };
}
