/**
 * One sample of the network of Diehl & Cook 2015 under synthetic images: builds it, shows the images, prints one line of
 * JSON. Drawing the spike trains of the images counts as simulation.
 *
 *     node bench/cases/diehl.ts --size 400 --images 20 --delay 10 --precision float64 --threads 1
 */
import { parseArgs } from "node:util";
import * as model from "../../models/diehl-cook.ts";
import {
  allToAll,
  every,
  neurons,
  oneToOne,
  poissonTrains,
  spikeSource,
  spikes,
  synapses,
} from "../../src/index.ts";
import { measure } from "./measure.ts";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "400" },
    images: { type: "string", default: "20" },
    delay: { type: "string", default: "10" }, // ms, the longest
    precision: { type: "string", default: "float64" },
    threads: { type: "string", default: "1" },
  },
});
const size = Number(values.size);
const count = Number(values.images);
const pixels = 784;

let state = 12345;
/** The numbers of bench/peers/brian2_diehl.py. */
const uniform = (): number => {
  state = (Math.imul(1664525, state) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const images = Array.from({ length: count }, () =>
  Float64Array.from({ length: pixels }, () => {
    const lit = uniform() < 0.2;
    const rate = 127.5 * uniform(); // Hz
    return lit ? rate : 0;
  }),
);

const dt = "0.5 ms";
const input = spikeSource(pixels);
const excitatory = neurons(size, model.excitatoryCell, {
  v: "-105 mV",
  theta: "20 mV",
  thetaStep: "0.05 mV",
});
const inhibitory = neurons(size, model.inhibitoryCell, { v: "-100 mV" });
const never = every("1000000 s"); // Brian2 has no sums over synapses without stepping them
const network = {
  input,
  excitatory,
  inhibitory,
  plastic: synapses(input, excitatory, model.learning, {
    connect: allToAll(),
    delay: Number(values.delay) > 0 ? `${Number(values.delay) / 20} * tauPre * rand()` : "0 ms", // tauPre is 20 ms
    initial: { w: "0.2 * rand()", arrival: "-10 s" },
    events: { sum: never, normalise: never },
  }),
  drive: synapses(excitatory, inhibitory, model.drive, { connect: oneToOne() }),
  block: synapses(inhibitory, excitatory, model.block, { connect: allToAll({ self: false }) }),
};

await measure(network, excitatory, { ...values, dt, duration: `${0.5 * count}` }, undefined, (simulation) => {
  let fired = 0;
  for (const [k, rates] of images.entries()) {
    const raster = poissonTrains(rates, { duration: "350 ms", dt, seed: k });
    const { seen } = simulation.run({
      duration: "500 ms",
      inputs: { input: raster },
      record: { seen: spikes(excitatory) },
    });
    fired += seen.t.length;
  }
  return fired;
});
