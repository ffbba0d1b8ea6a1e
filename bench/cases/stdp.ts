/**
 * One sample of an excitatory-inhibitory network under Poisson drive, with pair STDP on every excitatory synapse
 * (`--static`: without). Prints one line of JSON.
 *
 *     node bench/cases/stdp.ts --size 10000 --p 0.1 --duration 1 --precision float32 --threads 1
 */
import { parseArgs } from "node:util";
import { pairStdp } from "../../models/stdp.ts";
import { neuron, neurons, pairwiseBernoulli, synapse, synapses } from "../../src/index.ts";
import { measure } from "./measure.ts";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "10000" },
    p: { type: "string", default: "0.1" },
    duration: { type: "string", default: "1" },
    static: { type: "boolean", default: false },
    precision: { type: "string", default: "float64" },
    threads: { type: "string", default: "1" },
  },
});

const cell = neuron({
  name: "driven LIF",
  source: "after Brunel 2000, J. Comput. Neurosci. 8:183, with exponential currents",
  equations: `
    dv/dt = (I - v) / taum : V (unless refractory)
    dI/dt = -I / taus      : V
  `,
  threshold: "v > Vt",
  reset: "v = Vr",
  refractory: "2 ms",
  on: { tick: "I += wext * poisson(rate * dt)" }, // 1,000 sources of 10 Hz
  parameters: { taum: "20 ms", taus: "5 ms", Vt: "20 mV", Vr: "10 mV", wext: "0.4 mV", rate: "10 kHz" },
});

const fixed = synapse({
  name: "static excitatory",
  equations: "w : V (weight)",
  on: { pre: "I_post += w" },
});

const inhibitory = synapse({
  name: "static inhibitory",
  on: { pre: "I_post -= g * w0" },
  parameters: { g: 6, w0: "0.1 mV" },
});

const size = Number(values.size);
const connect = pairwiseBernoulli(Number(values.p), { self: false });
const cells = neurons(size, cell, { v: "rand() * Vt" });
const sizeE = Math.floor(0.8 * size);
const exc = synapses(cells.slice(0, sizeE), cells, values.static ? fixed : pairStdp, {
  connect,
  delay: "1.5 ms",
  initial: { w: "0.1 mV" },
});
const inh = synapses(cells.slice(sizeE), cells, inhibitory, { connect, delay: "1.5 ms" });

await measure({ cells, exc, inh }, cells, values, "exc");
