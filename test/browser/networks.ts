/**
 * Networks that run in Node and in a page, and the bits they leave: one hash each.
 */
import * as cuba from "../../models/cuba.ts";
import { lif } from "../../models/lif.ts";
import { normad } from "../../models/normad.ts";
import { pcm } from "../../models/pcm.ts";
import { multiplicativeStdp } from "../../models/stdp.ts";
import {
  allToAll,
  compile,
  differentialPair,
  every,
  type Network,
  neuron,
  neurons,
  pairwiseBernoulli,
  poisson,
  type Raster,
  type Recorder,
  type RunOptions,
  spikeSource,
  spikes,
  synapses,
  type Trace,
  trace,
} from "../../src/index.ts";

export type Precision = "float64" | "float32";

export interface Outcome {
  readonly hash: string;
  readonly spikes: number;
  readonly threads: number;
}

/** SHA-256 over the bits of arrays, in hexadecimal. */
async function hashOf(arrays: readonly (Float64Array | Uint32Array)[]): Promise<string> {
  const bytes = new Uint8Array(arrays.reduce((sum, array) => sum + array.byteLength, 0));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function outcome(
  network: Network,
  options: { precision: Precision; seed: number | string; threads?: number; run: Omit<RunOptions, "record"> },
): Promise<Outcome> {
  const { run, threads = 1, ...rest } = options;
  const simulation = await compile(network, { dt: "0.1 ms", threads, ...rest });
  try {
    const record: Record<string, Recorder> = {};
    for (const [name, part] of Object.entries(network)) {
      if (part.kind === "clock") continue;
      if (part.kind !== "projection") record[`${name} spikes`] = spikes(part);
      if (part.kind !== "source")
        for (const { name: variable } of part.model.checked.variables)
          record[`${name} ${variable}`] = trace(part as never, variable, { every: "10 ms" });
    }
    const recorded = simulation.run({ ...run, record });
    let count = 0;
    const arrays: (Float64Array | Uint32Array)[] = [];
    for (const one of Object.values<Raster | Trace>(recorded)) {
      if ("i" in one) {
        count += one.t.length;
        arrays.push(one.t, one.i);
      } else arrays.push(one.values);
    }
    for (const [name, part] of Object.entries(network))
      if (part.kind === "projection" && part.weight)
        arrays.push(simulation.conductances(name), Uint32Array.from(simulation.pulses(name)));
    return { hash: await hashOf(arrays), spikes: count, threads: simulation.threads };
  } finally {
    simulation.close();
  }
}

/** The CUBA network with random connections, 0.3 s. */
export function cubaOutcome(precision: Precision, threads = 1): Promise<Outcome> {
  const size = 2000;
  const cells = neurons(size, cuba.cuba, { v: "Vr + rand() * (Vt - Vr)" });
  const excitatory = cells.slice(0, 0.8 * size);
  const inhibitory = cells.slice(0.8 * size);
  const connect = pairwiseBernoulli(80 / size);
  const exc = synapses(excitatory, cells, cuba.excitatory, { connect });
  const inh = synapses(inhibitory, cells, cuba.inhibitory, { connect });
  return outcome({ cells, exc, inh }, { precision, seed: 1, threads, run: { duration: "300 ms" } });
}

const cell = neuron({
  name: "cell with noise",
  source: "test",
  equations: `
    dv/dt = (I - v) / tau + sigma * xi / sqrt(tau) : V (unless refractory)
    dI/dt = -I / taus : V
  `,
  threshold: "v > Vt",
  reset: "v = 0",
  refractory: "2 ms",
  parameters: { tau: "20 ms", taus: "5 ms", sigma: "2 mV", Vt: "5 mV" },
});

/** Poisson input on plastic synapses, noisy cells. */
export function stdpOutcome(precision: Precision): Promise<Outcome> {
  const input = poisson(200, "20 Hz");
  const cells = neurons(50, cell);
  const plastic = synapses(input, cells, multiplicativeStdp.with({ lambda: 0.05, wmax: "4 mV" }), {
    connect: pairwiseBernoulli(0.5),
    initial: { w: "rand() * wmax" },
    delay: "1 ms",
  });
  return outcome({ input, cells, plastic }, { precision, seed: "stdp/1", run: { duration: "500 ms" } });
}

/** NormAD on differential pairs of phase-change devices: four epochs of 100 ms. */
export function normadOutcome(precision: Precision): Promise<Outcome> {
  const epochs = [0, 1, 2, 3];
  const times = (cells: number, step: number) =>
    Array.from({ length: cells }, (_, k) =>
      epochs.flatMap((epoch) => [0, 1, 2].map((n) => 0.1 * epoch + 0.001 * (1 + 30 * n + ((step * k) % 29)))),
    );
  const stimulus = spikeSource(30, times(30, 7));
  const teacher = spikeSource(10, times(10, 13));
  const output = neurons(10, lif, { v: "El" });
  const plastic = synapses(stimulus, output, normad.with({ eta: "8 nA" }), {
    connect: allToAll(),
    weight: differentialPair(pcm, { devices: 4, weightPerConductance: "200 pA/uS", step: "0.8 uS" }),
    events: { teacher, update: every("100 ms") },
  });
  return outcome({ stimulus, teacher, output, plastic }, { precision, seed: 3, run: { duration: "400 ms" } });
}
