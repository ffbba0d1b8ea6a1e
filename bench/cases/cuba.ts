/**
 * One sample of CUBA (Brette et al. 2007, benchmark 2): builds the network, runs it once, prints one line of JSON.
 *
 *     node bench/cases/cuba.ts --size 4000 --p 0.02 --scale 1 --duration 10 --precision float32 --threads 1
 */
import { parseArgs } from "node:util";
import { cuba, excitatory, inhibitory } from "../../models/cuba.ts";
import { neurons, pairwiseBernoulli, synapses } from "../../src/index.ts";
import { measure } from "./measure.ts";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "4000" },
    p: { type: "string", default: "0.02" },
    scale: { type: "string", default: "1" },
    duration: { type: "string", default: "10" },
    precision: { type: "string", default: "float64" },
    threads: { type: "string", default: "1" },
  },
});
const size = Number(values.size);
const scale = Number(values.scale);
const connect = pairwiseBernoulli(Number(values.p));

const cells = neurons(size, cuba, { v: "Vr + rand() * (Vt - Vr)" });
const sizeE = Math.floor(0.8 * size);
const exc = synapses(cells.slice(0, sizeE), cells, excitatory.with({ we: `${1.62 * scale} mV` }), {
  connect,
});
const inh = synapses(cells.slice(sizeE), cells, inhibitory.with({ wi: `${-9 * scale} mV` }), { connect });

await measure({ cells, exc, inh }, cells, values);
