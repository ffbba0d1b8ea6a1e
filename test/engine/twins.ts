/**
 * One network, run by machine code and by the interpreter, compared bit for bit.
 */
import { expect } from "vitest";
import { interpretNetwork, type Reference } from "../../src/engine/reference.ts";
import {
  compile,
  type Network,
  type Population,
  type Projection,
  type Raster,
  type RunOptions,
  type Simulation,
  type Source,
  spikes,
  type Time,
  type Trace,
  trace,
} from "../../src/index.ts";

export type Twin = Simulation | Reference;

export interface Stretch extends Omit<RunOptions, "record"> {
  /** Done to both before the run. */
  readonly before?: (twin: Twin) => void;
}

export interface TwinOptions {
  readonly dt: Time;
  readonly seed: string | number;
  readonly precision: "float64" | "float32";
  readonly threads?: number;
  readonly runs: readonly Stretch[];
  /** How often variables of projections are recorded; otherwise they are compared at the end of each run. */
  readonly every?: Time;
}

export interface Comparison {
  readonly network: Network;
  /** Spikes of each population and source, over all runs. */
  readonly spikes: Readonly<Record<string, number>>;
  /** Calls of the machine code's `run`. */
  readonly machineRuns: number;
  /** Values compared. */
  readonly values: number;
  readonly machine: Simulation;
}

/** Lets `work` run while counting calls of machine code. */
async function counted<T>(work: () => Promise<T>): Promise<{ result: T; calls: () => number }> {
  const { instantiate } = WebAssembly;
  let calls = 0;
  const watched = async (module: WebAssembly.Module, imports: WebAssembly.Imports) => {
    const instance = await instantiate(module, imports);
    const { run, ...others } = instance.exports as Record<string, (...args: number[]) => number>;
    const exports = {
      ...others,
      run: (...args: number[]) => {
        calls++;
        return run(...args);
      },
    };
    return { exports };
  };
  WebAssembly.instantiate = watched as never;
  try {
    return { result: await work(), calls: () => calls };
  } finally {
    WebAssembly.instantiate = instantiate;
  }
}

/** Names of what is stored by a part. */
function variablesOf(part: Population | Source | Projection): string[] {
  return part.kind === "source" ? [] : part.model.checked.variables.map((v) => v.name);
}

function expectSame(
  what: string,
  actual: ArrayLike<number>,
  wanted: ArrayLike<number>,
  size = actual.length,
): void {
  expect(actual.length, `${what}: how many`).toBe(wanted.length);
  for (let k = 0; k < actual.length; k++)
    if (!Object.is(actual[k], wanted[k]))
      throw new Error(
        `${what}: element ${k % size}, sample ${Math.floor(k / size)}: machine code ${actual[k]}, interpreter ${wanted[k]}`,
      );
}

/**
 * Runs `network` both ways and throws at the first bit that differs: spikes and cell variables at every tick,
 * variables of projections, conductances and pulses at the end of every run.
 */
export async function compareTwins(network: Network, options: TwinOptions): Promise<Comparison> {
  const { runs, every, threads = 1, ...common } = options;
  const { result: machine, calls } = await counted(() => compile(network, { ...common, threads }));
  const reference = interpretNetwork(network, common);
  const seen: Record<string, number> = {};
  let values = 0;
  try {
    expect(machine.threads, `threads (${machine.oneThreadBecause})`).toBe(threads);
    for (const [n, { before, ...stretch }] of runs.entries()) {
      const record = Object.fromEntries(
        Object.entries(network).flatMap(([name, part]) => {
          if (part.kind === "clock") return [];
          const traces = variablesOf(part)
            .filter(() => part.kind !== "projection" || every)
            .map((variable) => [
              `${name}.${variable}`,
              trace(part as Population, variable, part.kind === "projection" ? { every } : {}),
            ]);
          return part.kind === "projection" ? traces : [[name, spikes(part)], ...traces];
        }),
      );
      before?.(machine);
      const actual: Record<string, Raster & Trace> = machine.run({ ...stretch, record }) as never;
      before?.(reference);
      const wanted: Record<string, Raster & Trace> = reference.run({ ...stretch, record }) as never;
      for (const [name, part] of Object.entries(network)) {
        const at = `run ${n}, ${name}`;
        if (part.kind === "clock") continue;
        for (const variable of variablesOf(part)) {
          const key = `${name}.${variable}`;
          if (key in record) {
            expectSame(`${at}.${variable} (t)`, actual[key].t, wanted[key].t);
            expectSame(`${at}.${variable}`, actual[key].values, wanted[key].values, actual[key].size);
            values += actual[key].values.length;
          }
          const end = machine.get(name, variable);
          expectSame(`${at}.${variable} at the end`, end, reference.get(name, variable));
          values += end.length;
        }
        if (part.kind === "projection") {
          const cells = machine.synapseCells(name);
          expectSame(`${at}: pre`, cells.pre, reference.synapseCells(name).pre);
          expectSame(`${at}: post`, cells.post, reference.synapseCells(name).post);
          if (!part.weight) continue;
          for (const noise of [true, false])
            expectSame(
              `${at}: conductance`,
              machine.conductances(name, { noise }),
              reference.conductances(name, { noise }),
            );
          expectSame(`${at}: pulses`, machine.pulses(name), reference.pulses(name));
          expect(machine.deviceUse(name), `${at}: use`).toEqual(reference.deviceUse(name));
        } else {
          expectSame(`${at}: cells that fired`, actual[name].i, wanted[name].i);
          expectSame(`${at}: spike times`, actual[name].t, wanted[name].t);
          seen[name] = (seen[name] ?? 0) + actual[name].t.length;
        }
      }
    }
  } finally {
    machine.close();
  }
  expect(calls(), "calls of machine code").toBeGreaterThan(0);
  return { network, spikes: seen, machineRuns: calls(), values, machine };
}

/** A network with what is done to it, and how many spikes each part must have had at least. */
export interface Case {
  readonly network: Network;
  readonly runs: readonly Stretch[];
  readonly dt?: Time;
  readonly every?: Time;
  readonly threads?: number;
  readonly fire?: Readonly<Record<string, number>>;
}

/** Compares a case in one precision. */
export async function runCase(
  { network, fire = {}, dt = "0.1 ms", ...rest }: Case,
  precision: "float64" | "float32",
): Promise<Comparison> {
  const comparison = await compareTwins(network, { dt, seed: "reference/1", precision, ...rest });
  for (const [part, least] of Object.entries(fire))
    expect(comparison.spikes[part], `spikes of ${part}`).toBeGreaterThanOrEqual(least);
  return comparison;
}
