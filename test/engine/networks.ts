/**
 * Networks for the engine's tests, and everything a run leaves behind.
 *
 * Small, irregular on purpose (sizes are no multiples of a vector or a thread's share), busy enough that a
 * difference would show.
 */
import { cuba, excitatory, inhibitory } from "../../models/cuba.ts";
import {
  allToAll,
  type CompileOptions,
  compile,
  every,
  type Network,
  neuron,
  neurons,
  type Population,
  pairwiseBernoulli,
  poisson,
  type Raster,
  type Recorder,
  type Simulation,
  type SpikeTimes,
  spikeSource,
  spikes,
  synapse,
  synapses,
  type Time,
  type Trace,
  trace,
} from "../../src/index.ts";

/** Keeps what it is given: `v` fires above 1 and is reset, `g` stays. */
export const hold = neuron({
  name: "Hold",
  source: "test",
  equations: "v : 1\ng : 1",
  threshold: "v > 1",
  reset: "v = 0",
});

/** Adds `w` to a variable of the postsynaptic cell. */
export const adds = (variable: string, w: string | number = 1) =>
  synapse({ name: `Adds to ${variable}`, on: { pre: `${variable}_post += w` }, parameters: { w } });

export interface Case {
  readonly network: Network;
  readonly inputs?: Readonly<Record<string, SpikeTimes>>;
}

/** CUBA: connections and voltages drawn; `delay` as `synapses` takes it. */
export function cubaCase(options: { size?: number; delay?: Time | number | string } = {}): Case {
  const { size = 1001, delay = "0 ms" } = options;
  const sizeE = Math.floor(0.8 * size);
  const connect = pairwiseBernoulli(80 / size);
  const cells = neurons(size, cuba, { v: "Vr + rand() * (Vt - Vr)" });
  const exc = synapses(cells.slice(0, sizeE), cells, excitatory, { connect, delay });
  const inh = synapses(cells.slice(sizeE), cells, inhibitory, { connect, delay });
  return { network: { cells, exc, inh } };
}

const driven = neuron({
  name: "Driven",
  source: "test",
  equations: `
    dv/dt = (bias - v + I) / taum : 1 (unless refractory)
    dI/dt = -I / taus             : 1
    bias  : 1
  `,
  threshold: "v > 1",
  reset: "v = 0",
  refractory: "2 ms",
  parameters: { taum: "10 ms", taus: "3 ms" },
});

/** Cells that fire by themselves at rates of their own, from 20 to 70 Hz or so. */
export const drivenCells = (size: number): Population =>
  neurons(size, driven, { v: "rand()", bias: "1.2 + 0.8 * rand()" });

/** Every synapse has its delay, from `least` up to 3 ms more. */
export function delayCase(least = 0): Case {
  const cells = drivenCells(83);
  const weighted = synapse({
    name: "Weighted",
    equations: "w : 1",
    on: { pre: "I_post += w" },
  });
  const delay = Array.from({ length: 83 * 41 }, (_, k) => (least + ((k * 7919) % 31)) * 1e-4);
  const all = synapses(cells.slice(20, 61), cells, weighted, {
    connect: allToAll(),
    delay: delay.slice(0, 41 * 83),
    initial: { w: "0.1 * randn()" },
  });
  return { network: { cells, all } };
}

const pairRule = synapse({
  name: "Pair STDP",
  equations: `
    dx/dt = -x / taux : 1 (pre)
    dy/dt = -y / tauy : 1 (post)
    w : 1 (weight)
  `,
  on: {
    pre: "I_post += w; x += 1; w = clip(w - 0.011 * y, 0, 0.3)",
    post: "y += 1; w = clip(w + 0.01 * x, 0, 0.3)",
  },
  parameters: { taux: "20 ms", tauy: "30 ms" },
});

/** Plastic synapses, sparse and dense, with traces kept per cell. */
export function plasticCase(delay: Time = "0 ms"): Case {
  const cells = drivenCells(83);
  const others = drivenCells(35);
  const initial = { w: "0.2 * rand()" };
  const sparse = synapses(cells.slice(3), cells, pairRule, {
    connect: pairwiseBernoulli(0.3),
    delay,
    initial,
  });
  const dense = synapses(others, cells.slice(10, 59), pairRule, { connect: allToAll(), delay, initial });
  return { network: { others, cells, sparse, dense } };
}

const noisy = neuron({
  name: "Noisy",
  source: "test",
  equations: `
    dv/dt = (1.1 - v) / tau + 0.2 * xi * tau^-0.5 : 1
    du/dt = -u / tau                             : 1
    I : 1
    a : 1
    n : 1
  `,
  threshold: "v + 0.05 * randn() + I > 1 and rand() < 0.9",
  reset: "v = 0.2 * rand(); a += randn()",
  on: { tick: "n = poisson(0.3); u += 0.1 * rand()" },
  parameters: { tau: "8 ms" },
});

const noisyRule = synapse({
  name: "Noisy rule",
  equations: "x : 1 (pre)\ny : 1 (post)\nw : 1\nz : 1",
  on: {
    pre: "I_post = 0.1 * randn(); x = rand(); w = 0.5 * w + x + poisson(2); u_post += 0.1",
    post: "y = rand(); z = y + randn() + rand()",
    now: "w -= 0.1 * rand(); y += rand()",
  },
});

/** Draws wherever the language allows them. */
export function randomCase(): Case {
  const cells = neurons(75, noisy, { v: "rand()", a: "randn()" });
  const rule = synapses(cells.slice(7), cells, noisyRule, {
    connect: pairwiseBernoulli(0.3),
    initial: { w: "randn()", x: "rand()", y: "randn()" },
    events: { now: every("3 ms") },
  });
  return { network: { cells, rule } };
}

const taught = synapse({
  name: "Taught",
  equations: "x : 1 (pre)\nw : 1\nd : 1",
  on: {
    pre: "I_post += 0.02 * w; x += 1",
    teacher: "d += 0.1 * x",
    rewind: "d -= 0.01 * w",
    update: "w += d; d = 0; x = 0",
  },
});

/** Poisson and given spikes in; events of a population, a source and a clock. */
export function eventCase(): Case {
  const noise = poisson(130, "40 Hz");
  const given = spikeSource(37);
  const cells = drivenCells(51);
  const teacher = drivenCells(51);
  const connect = pairwiseBernoulli(0.4);
  const fromNoise = synapses(noise, cells, adds("I", 0.05), { connect });
  const late = synapses(noise.slice(40, 77), cells, taught, {
    connect,
    initial: { w: "rand()" },
    delay: "0.7 ms",
    events: { teacher, rewind: given, update: every("10 ms") },
  });
  const early = synapses(given, cells, taught, {
    connect: allToAll(),
    initial: { w: 1 },
    events: { teacher, rewind: noise.slice(0, 37), update: every("5 ms", { offset: "0.3 ms" }) },
  });
  const t = Array.from({ length: 400 }, (_, k) => 0.00025 * k);
  const i = t.map((_, k) => (k * 11) % 37);
  return { network: { noise, given, cells, teacher, fromNoise, late, early }, inputs: { given: { t, i } } };
}

/** One vector of cells, one thread's share of the others: threads without work. */
export function tinyCase(): Case {
  const cells = drivenCells(3);
  const all = synapses(cells, cells, adds("I", 0.2), { connect: allToAll({ self: false }), delay: "0.1 ms" });
  return { network: { cells, all } };
}

const isSource = (part: unknown) => (part as { kind: string }).kind === "source";

/** Spikes of every population, one variable of it over time. */
export function recorders(network: Network): Record<string, Recorder> {
  const record: Record<string, Recorder> = {};
  for (const [name, part] of Object.entries(network)) {
    if (part.kind === "projection" || part.kind === "clock") continue;
    record[`${name} spikes`] = spikes(part);
    if (isSource(part) || part.kind !== "population") continue;
    const { name: variable } = part.model.checked.variables[0];
    record[`${name} ${variable}`] = trace(part, variable, { every: "1.3 ms" });
  }
  return record;
}

/** All stored variables of a network, by "part variable". */
export function stateOf(simulation: Simulation): Record<string, Float64Array> {
  const state: Record<string, Float64Array> = {};
  for (const [name, part] of Object.entries(simulation.network))
    if (part.kind === "population" || part.kind === "projection")
      for (const variable of part.model.checked.variables)
        state[`${name} ${variable.name}`] = simulation.get(name, variable.name);
  return state;
}

export interface Left {
  readonly recorded: Readonly<Record<string, Raster | Trace>>;
  readonly state: Readonly<Record<string, Float64Array>>;
  readonly threads: number;
}

/** Compiles and runs a case: what was recorded, and all variables at the end. */
export async function leftBy(
  { network, inputs }: Case,
  options: Partial<CompileOptions> & { readonly duration?: Time } = {},
): Promise<Left> {
  const { duration = "100 ms", ...compileOptions } = options;
  const simulation = await compile(network, { dt: "0.1 ms", seed: 5, ...compileOptions });
  try {
    const recorded = simulation.run({ duration, inputs, record: recorders(network) });
    return { recorded, state: stateOf(simulation), threads: simulation.threads };
  } finally {
    simulation.close();
  }
}

type Columns = Readonly<Record<string, ArrayLike<number> | number>>;

/** Where two records of arrays differ first, in words: empty when all bits agree. */
export function differences(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): string[] {
  const found: string[] = [];
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [x, y] = [a[key], b[key]];
    if (isArray(x) && isArray(y)) {
      let k = 0;
      while (k < x.length && k < y.length && Object.is(x[k], y[k])) k++;
      if (k < Math.max(x.length, y.length)) found.push(`${key}[${k}]: ${x[k]} and ${y[k]}`);
    } else if (typeof x === "object" && typeof y === "object")
      found.push(...differences(x as Columns, y as Columns).map((text) => `${key} ${text}`));
    else if (!Object.is(x, y)) found.push(`${key}: ${x} and ${y}`);
  }
  return found;
}

const isArray = (value: unknown): value is ArrayLike<number> =>
  ArrayBuffer.isView(value) || Array.isArray(value);

export const spikeCount = ({ recorded }: Pick<Left, "recorded">): number => {
  let count = 0;
  for (const each of Object.values(recorded)) if ("i" in each) count += each.i.length;
  return count;
};
