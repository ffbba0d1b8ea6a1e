/**
 * What is measured: networks, and for each the programs that run it.
 *
 * A sample is one process that prints one line of JSON; this file only says how to start it.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";

export interface Case {
  readonly name: string;
  readonly about: string;
  readonly program: "cuba" | "stdp" | "diehl";
  readonly arguments: Readonly<Record<string, string>>;
  /** Biological time that NEST simulates, s: its run time is scaled up from it. Where it is left out NEST is. */
  readonly nestSeconds?: number;
  /** Threads of ours; default 1 and 2. */
  readonly threads?: readonly number[];
  /** Largest difference of a program's mean rate from the median of the case, relative. */
  readonly rateTolerance: number;
  /** What we promise: time of Brian2 over time of ours, by variant. */
  readonly promised: Readonly<Record<string, number>>;
}

export const cases: readonly Case[] = [
  {
    name: "cuba-4k",
    about: "CUBA, 4,000 cells, 80 synapses each, 10 s",
    program: "cuba",
    arguments: { size: "4000", p: "0.02", scale: "1", duration: "10" },
    nestSeconds: 10,
    rateTolerance: 0.1, // the graph decides: NEST with 8 seeds gave 5.37 to 5.93 Hz, standard deviation 3 %
    promised: { "float32, 1 thread": 2.8, "float64, 1 thread": 1.4 },
  },
  {
    name: "cuba-40k",
    about: "CUBA, 40,000 cells, 80 synapses each, 2 s",
    program: "cuba",
    arguments: { size: "40000", p: "0.002", scale: "1", duration: "2" },
    nestSeconds: 1,
    rateTolerance: 0.05,
    promised: { "float32, 1 thread": 2.5, "float32, 2 threads": 4 },
  },
  {
    name: "cuba-40k-32m",
    about: "CUBA, 40,000 cells, 32 million synapses, weights x 0.1, 2 s",
    program: "cuba",
    arguments: { size: "40000", p: "0.02", scale: "0.1", duration: "2" },
    nestSeconds: 1,
    rateTolerance: 0.05,
    promised: { "float32, 1 thread": 2.2, "float32, 2 threads": 3.5 },
  },
  {
    name: "stdp-10m",
    about: "excitatory-inhibitory network, 10,000 cells, 10 million synapses, 8 million with pair STDP, 1 s",
    program: "stdp",
    arguments: { size: "10000", p: "0.1", duration: "1" },
    nestSeconds: 1,
    rateTolerance: 0.05,
    promised: { "float32, 1 thread": 8, "float32, 2 threads": 13 },
  },
  {
    name: "static-10m",
    about: "the same network without plasticity, 1 s",
    program: "stdp",
    arguments: { size: "10000", p: "0.1", duration: "1", static: "" },
    nestSeconds: 1,
    rateTolerance: 0.05,
    promised: {},
  },
  {
    name: "diehl-cook",
    about: "Diehl & Cook 2015, 784 pixels to 400 + 400 cells, delays of 0 to 10 ms, 60 images of 0.5 s",
    program: "diehl",
    arguments: { size: "400", images: "60", delay: "10" },
    threads: [1],
    rateTolerance: 0.15, // some 1,700 spikes in all, from other Poisson trains in each program
    promised: { "float64, 1 thread": 4, "float32, 1 thread": 5 },
  },
  {
    name: "diehl-cook-together",
    about: "the same network without delays",
    program: "diehl",
    arguments: { size: "400", images: "60", delay: "0" },
    threads: [1],
    rateTolerance: 0.15,
    promised: { "float64, 1 thread": 5, "float32, 1 thread": 8 },
  },
];

export interface Variant {
  readonly name: string;
  readonly ours: boolean;
  readonly command: readonly string[];
  /** At most this many samples, whatever the number of rounds. */
  readonly limit: number;
}

const folder = import.meta.dirname;
const python = ["/usr/bin/python3", "-B"];
const nest = join(folder, "peers", "build", "nest", "bin", "python");

const options = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).flatMap(([name, value]) => (value === "" ? [`--${name}`] : [`--${name}`, value]));

/** Our four variants, and the peers that are installed. */
export function variantsOf(one: Case, peers: boolean): Variant[] {
  const variants: Variant[] = [];
  if (peers && existsSync(brian2Folder(one)))
    variants.push({
      name: "Brian2, 1 thread",
      ours: false,
      command: [...python, join(folder, "peers", "brian2_sample.py"), brian2Folder(one)],
      limit: Number.POSITIVE_INFINITY,
    });
  for (const precision of ["float32", "float64"])
    for (const threads of one.threads ?? [1, 2])
      variants.push({
        name: `${precision}, ${threads} thread${threads === 1 ? "" : "s"}`,
        ours: true,
        command: [
          process.execPath,
          join(folder, "cases", `${one.program}.ts`),
          ...options({ ...one.arguments, precision, threads: `${threads}` }),
        ],
        limit: Number.POSITIVE_INFINITY,
      });
  if (peers && one.nestSeconds !== undefined && existsSync(nest))
    for (const threads of [1, 2])
      variants.push({
        name: `NEST, ${threads} thread${threads === 1 ? "" : "s"}`,
        ours: false,
        command: [
          nest,
          "-B",
          join(folder, "peers", `nest_${one.program}.py`),
          ...options({ ...one.arguments, measured: `${one.nestSeconds}`, threads: `${threads}` }),
        ],
        limit: 2,
      });
  return variants;
}

/** Where the compiled Brian2 program of a case lies. */
export function brian2Folder(one: Case): string {
  return join(folder, "peers", "build", one.name);
}

/** Command that compiles it; needs Debian's python3-brian, g++ and make. */
export function brian2Build(one: Case): string[] {
  return [
    ...python,
    join(folder, "peers", `brian2_${one.program}.py`),
    brian2Folder(one),
    ...options(one.arguments),
  ];
}
