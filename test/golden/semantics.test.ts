/**
 * What a tick means: small networks whose spikes, traces and weights must be Brian2's. The rule that a case pins is
 * its title.
 */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  type Cells,
  compile,
  type Network,
  neuron,
  neurons,
  type Part,
  pairs,
  type Raster,
  type Recorder,
  spikeSource,
  spikes,
  synapse,
  synapses,
  type Time,
  type Trace,
  trace,
} from "../../src/index.ts";
import { seconds } from "../../src/math/units.ts";

type Values = Readonly<Record<string, number[]>>;
type End = string | readonly [part: string, start: number, stop: number];
type Described =
  | { kind: "spikeSource"; size: number; t: number[]; i: number[] }
  | { kind: "neurons"; size: number; model: { equations: string }; initial: Values }
  | {
      kind: "synapses";
      pre: End;
      post: End;
      model: { equations?: string; on: { pre: string; post: string } };
      pairs: [number, number][];
      delay?: Time | Time[];
      initial: Values;
    };

interface Golden {
  readonly name: string;
  readonly rule: string;
  readonly binding?: boolean;
  readonly made: { readonly brian2: string };
  readonly dt: Time;
  readonly ticks: number;
  readonly network: Readonly<Record<string, Described>>;
  readonly expected: {
    readonly spikes: Readonly<Record<string, [tick: number, cell: number][]>>;
    readonly traces?: Readonly<Record<string, Readonly<Record<string, number[][]>>>>;
    readonly every?: number;
  };
}

const folder = new URL("semantics/", import.meta.url);
const cases: Golden[] = readdirSync(folder)
  .sort()
  .map((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")));

type Traced = Exclude<Part, { kind: "source" | "clock" }>;

/** A variable that tells where each synapse of the file lies in memory. */
const label = "label";

function build(described: Golden["network"]): Network {
  const parts: Record<string, Part> = {};
  const end = (of: End): Cells => {
    if (typeof of === "string") return parts[of] as Cells;
    const [part, start, stop] = of;
    const whole = parts[part];
    if (whole.kind !== "population" && whole.kind !== "source") throw new Error(`${part} has no cells`);
    return whole.slice(start, stop);
  };
  for (const [name, part] of Object.entries(described)) {
    if (part.kind === "spikeSource") parts[name] = spikeSource(part.size, { t: part.t, i: part.i });
    else if (part.kind === "neurons")
      parts[name] = neurons(part.size, neuron({ ...part.model, name, source: "golden" }), part.initial);
    else {
      const equations = `${part.model.equations ?? ""}\n${label} : 1`;
      parts[name] = synapses(end(part.pre), end(part.post), synapse({ ...part.model, equations, name }), {
        connect: pairs(
          part.pairs.map(([i]) => i),
          part.pairs.map(([, j]) => j),
        ),
        delay: typeof part.delay === "string" ? part.delay : part.delay?.map((d) => seconds(d)),
        initial: { ...part.initial, [label]: part.pairs.map((_, k) => k) },
      });
    }
  }
  return parts;
}

/** Runs a case; traces as in the file, [element][sample], the last sample after the run. */
async function run(golden: Golden, threads: number): Promise<Golden["expected"]> {
  const network = build(golden.network);
  const dt = seconds(golden.dt);
  const simulation = await compile(network, { dt: golden.dt, seed: 1, threads });
  const { traces = {}, every = 1 } = golden.expected;
  const record: Record<string, Recorder> = {};
  for (const name of Object.keys(golden.expected.spikes)) record[name] = spikes(network[name] as Cells);
  for (const [name, variables] of Object.entries(traces))
    for (const variable of Object.keys(variables))
      record[`${name}.${variable}`] = trace(network[name] as Traced, variable, { every: `${every * dt} s` });
  const recorded: Readonly<Record<string, Raster | Trace>> = simulation.run({
    duration: `${golden.ticks * dt} s`,
    record,
  });
  const fired = (name: string): [tick: number, cell: number][] => {
    const { t, i } = recorded[name] as Raster;
    return Array.from(t, (time, k) => [Math.round(time / dt), i[k]]);
  };
  const samples = (name: string, variable: string): number[][] => {
    const { values, size } = recorded[`${name}.${variable}`] as Trace;
    const after = simulation.get(name, variable);
    const places = network[name].kind === "projection" ? simulation.get(name, label) : after.map((_, k) => k);
    const rows: number[][] = [];
    places.forEach((place, k) => {
      rows[place] = [...values.filter((_, n) => n % size === k), after[k]];
    });
    return rows;
  };
  const result = {
    spikes: mapped(golden.expected.spikes, fired),
    traces: mapped(traces, (name) => mapped(traces[name], (variable) => samples(name, variable))),
  };
  simulation.close();
  return result;
}

/** A record with the same keys and other values. */
const mapped = <T>(record: object, value: (key: string) => T): Record<string, T> =>
  Object.fromEntries(Object.keys(record).map((key) => [key, value(key)]));

// Brian2's own two code generators agree to 1.4e-14 of the largest value
const tolerance = 1e-12;

for (const golden of cases.filter((c) => c.binding !== false))
  test.each([1, 2])(`${golden.name}: ${golden.rule} (%i thread(s))`, async (threads) => {
    const ours = await run(golden, threads);
    expect(ours.spikes).toEqual(golden.expected.spikes);
    for (const [name, variables] of Object.entries(golden.expected.traces ?? {}))
      for (const [variable, theirs] of Object.entries(variables)) {
        const rows = ours.traces?.[name][variable] as number[][];
        expect(rows.length, `${name}.${variable}: elements`).toBe(theirs.length);
        const largest = Math.max(...theirs.flat().map(Math.abs));
        const off: string[] = [];
        theirs.forEach((row, k) => {
          expect(rows[k].length, `${name}.${variable}: samples`).toBe(row.length);
          const n = row.findIndex((value, m) => !(Math.abs(rows[k][m] - value) <= tolerance * largest));
          if (n >= 0)
            off.push(`${name}.${variable}[${k}], sample ${n}: ours ${rows[k][n]}, Brian2's ${row[n]}`);
        });
        expect(off).toEqual([]);
      }
  });

test("the comparison sees one tick, one cell and one part in 10^11", async () => {
  const golden = cases.find((c) => c.name === "stdp-additive") as Golden;
  const ours = await run(golden, 1);
  const [first, ...rest] = golden.expected.spikes.cell;
  expect(ours.spikes.cell).not.toEqual([[first[0] + 1, first[1]], ...rest]);
  const weights = golden.expected.traces?.plastic.w[1] as number[];
  const largest = Math.max(...weights);
  expect(weights.some((w) => Math.abs(w * (1 + 1e-11) - w) > tolerance * largest)).toBe(true);
});
